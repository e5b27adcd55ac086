//! What sources contradict each other about, as findings: a few of each kind of fact, and how many more.

use std::collections::BTreeMap;

use smol_str::SmolStr as Text;

use super::Account;
use super::facts::Difference;
use crate::finding::{Finding, Severity};
use crate::moment::Moment;
use crate::reading::Reader;

/// Conflicts of one kind of fact that are told one by one; of more, their number.
pub const CONFLICTS_OF_A_FACT_MAX: usize = 10;

/// Longest value that is told, in characters.
const VALUE_CHARACTERS_MAX: usize = 80;

const CODE: &str = "ENT-0211";
const REMEDY: &str =
    "look at the platform which of them is right, and read the one that is wrong again";

/// All conflicts, by list and kind of fact.
#[derive(Default)]
pub(super) struct Conflicts {
    told: BTreeMap<(&'static str, String), Told>,
}

#[derive(Default)]
struct Told {
    findings: Vec<Finding>,
    more: u64,
}

impl Conflicts {
    /// Two accounts tell different things of one thing at one time; the first one stands.
    pub fn add(
        &mut self,
        (list, subject): (&'static str, &str),
        difference: Difference,
        stands: &Account,
        other: &Account,
    ) {
        let told = self.told.entry((list, difference.kind.clone())).or_default();
        if told.findings.len() >= CONFLICTS_OF_A_FACT_MAX {
            told.more += 1;
            return;
        }
        let message = format!(
            "`{}` is `{}` by {} and `{}` by {}, for the same time; {}",
            difference.field,
            short(&difference.kept),
            stands.told(),
            short(&difference.other),
            other.told(),
            why(stands, other),
        );
        told.findings.push(finding(subject.into(), message.into()));
    }

    pub fn into_findings(self) -> impl Iterator<Item = Finding> {
        self.told.into_iter().flat_map(|((list, kind), told)| {
            let list = list.replace('_', " ");
            let more = (told.more > 0).then(|| {
                let shown = told.findings.len();
                let message = format!(
                    "sources disagree about `{kind}` of {} more {list} than the {shown} that are told one by one",
                    told.more,
                );
                finding(Text::from(format!("{list}: {kind}")), message.into())
            });
            told.findings.into_iter().chain(more)
        })
    }
}

fn finding(subject: Text, message: Text) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: Text::new_static(CODE),
        subject,
        message,
        remedy: Text::new_static(REMEDY),
    }
}

fn short(value: &str) -> String {
    let mut letters = value.chars();
    let mut shown: String = letters.by_ref().take(VALUE_CHARACTERS_MAX).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Why the one stands.
fn why(stands: &Account, other: &Account) -> String {
    let name = &stands.source;
    let reason = match (stands.reader, other.reader) {
        _ if stands.when.earliest > other.when.earliest => "it is the later reading",
        (Reader::LogIn, Reader::Export) => "a log-in goes before an export of the same time",
        _ => "of readings of one time the first by name is taken",
    };
    match stands.rank <= other.rank {
        true => format!("what `{name}` tells stands: {reason}"),
        false => format!("what `{name}` tells stands"),
    }
}

impl Account {
    /// Who told, by what, and when.
    fn told(&self) -> String {
        let when = match self.taken {
            Some(at @ Moment::Utc(_)) => at.to_string(),
            Some(at @ Moment::Local(_)) => format!("{at}, zone not told"),
            None => "time not told".into(),
        };
        format!("`{}` ({}, {when})", self.source, self.connector)
    }
}
