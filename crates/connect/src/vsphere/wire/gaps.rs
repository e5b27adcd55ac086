//! What was not observed, grouped: one gap for each reason and place, with how many it stands for.

use std::collections::BTreeMap;

use entente_model::{Gap, GapCause, Place, Text, Why};

use super::super::collect::CallFault;
use crate::live::{CallError, Refusal};
use crate::secrets::redact;

/// Different words of one field that are told apart; further ones are only counted.
const WORDS_MAX: usize = 20;

/// Longest value that is shown.
const VALUE_CHARACTERS_MAX: usize = 60;

/// Gaps while they are found.
#[derive(Clone, Debug, Default)]
pub(in crate::vsphere) struct Gaps {
    found: BTreeMap<Key, u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    cause: GapCause,
    section: &'static str,
    field: Option<Text>,
    message: Text,
    value: Option<Text>,
}

impl Gaps {
    /// None of this section was read, or not all of it.
    pub fn section(&mut self, cause: GapCause, section: &'static str, message: &str) {
        self.count(cause, section, None, message, 1);
    }

    /// One more of this kind.
    pub fn field(&mut self, cause: GapCause, section: &'static str, field: &str, message: &str) {
        self.count(cause, section, Some(field), message, 1);
    }

    /// So many more of this kind.
    pub fn count(
        &mut self,
        cause: GapCause,
        section: &'static str,
        field: Option<&str>,
        message: &str,
        count: u64,
    ) {
        let (field, message) = (field.map(Text::new), Text::new(message));
        let key = Key { cause, section, field, message, value: None };
        *self.found.entry(key).or_default() += count;
    }

    /// A value that could not be understood.
    pub fn value(
        &mut self,
        cause: GapCause,
        section: &'static str,
        field: &str,
        message: &str,
        value: &str,
    ) {
        let shown: String = value.chars().take(VALUE_CHARACTERS_MAX).collect();
        let shown = redact(&shown).unwrap_or_else(|| Text::from(shown));
        let (field, message) = (Some(Text::new(field)), Text::new(message));
        let mut key = Key { cause, section, field, message, value: Some(shown) };
        if !self.found.contains_key(&key) {
            let same = self.found.keys().filter(|it| {
                it.cause == key.cause && it.section == key.section && it.field == key.field
            });
            if same.count() >= WORDS_MAX {
                key.value = None;
            }
        }
        *self.found.entry(key).or_default() += 1;
    }

    /// A call failed, and with it this section.
    pub fn call(&mut self, section: &'static str, fault: &CallFault) {
        let (cause, message) = explain(fault);
        self.section(cause, section, &message);
    }

    /// Those of one list, as those of another.
    pub fn as_of(&self, section: &str, other: &'static str) -> Self {
        let same = self.found.iter().filter(|(key, _)| key.section == section);
        let found = same.map(|(key, count)| (Key { section: other, ..key.clone() }, *count));
        Self { found: found.collect() }
    }

    /// Adds others.
    pub fn append(&mut self, other: Self) {
        for (key, count) in other.found {
            *self.found.entry(key).or_default() += count;
        }
    }

    /// All of them, sorted.
    pub fn finish(self, address: &Text) -> Vec<Gap> {
        let gap = |(key, count): (Key, u64)| Gap {
            cause: key.cause,
            place: Place {
                file: address.clone(),
                section: Some(Text::new_static(key.section)),
                row: None,
                field: key.field,
            },
            message: key.message,
            value: key.value,
            count,
        };
        let mut gaps: Vec<Gap> = self.found.into_iter().map(gap).collect();
        gaps.sort();
        gaps
    }
}

/// What a failed call means to whoever reads the collection.
fn explain(fault: &CallFault) -> (GapCause, String) {
    match fault {
        CallFault::Http(CallError::Refused(Refusal::Cancelled)) => {
            (GapCause::Cancelled, "stopped before this was read".into())
        }
        CallFault::Http(CallError::Refused(Refusal::TimedOut { .. }) | CallError::Idle { .. }) => {
            (GapCause::TimedOut, fault.to_string())
        }
        CallFault::Http(CallError::Truncated(_)) | CallFault::Truncated => {
            (GapCause::Truncated, "an answer ended early: what came before is kept".into())
        }
        CallFault::Http(CallError::TooLarge { .. }) => (GapCause::LimitReached, fault.to_string()),
        CallFault::Fault(it) if it.is("NoPermission") => {
            let missing = it.privilege.as_deref().unwrap_or("unnamed");
            (GapCause::NoPermission, format!("the account lacks the privilege {missing}"))
        }
        _ => (GapCause::CallFailed, fault.to_string()),
    }
}

/// Why a fact is not there whose call failed.
pub(in crate::vsphere) fn why(fault: &CallFault) -> Why {
    match fault {
        CallFault::Fault(it) if it.is("NoPermission") => Why::NoPermission,
        _ => Why::CallFailed,
    }
}
