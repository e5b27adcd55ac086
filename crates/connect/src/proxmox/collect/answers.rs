//! Questions side by side, and what was answered to each.

use std::collections::BTreeMap;

use entente_model::{GapCause, Observed, Text, Why};
use serde_json::Value;

use super::session::{Failure, Session};
use crate::live::{Found, each};
use crate::proxmox::wire::Gaps;

/// What the collection lacks that somebody stopped.
const STOPPED: &str = "somebody stopped the collection: what was not read by then is missing";

/// What kind of answer a question gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    List,
    Object,
}

impl Form {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Object => "object",
        }
    }
}

/// One question.
#[derive(Clone, Debug)]
pub(in crate::proxmox) struct Question {
    /// Path with `{}` for each argument.
    pub call: &'static str,
    /// What goes into the path.
    pub args: Vec<Text>,
    /// What follows the path.
    pub query: &'static [(&'static str, &'static str)],
    /// The lists that are incomplete without an answer.
    pub sections: &'static [&'static str],
    form: Form,
}

impl Question {
    /// A question without arguments that is answered with a list.
    pub(in crate::proxmox) fn new(sections: &'static [&'static str], call: &'static str) -> Self {
        Self { call, args: Vec::new(), query: &[], sections, form: Form::List }
    }

    /// A question about one thing that is answered with a list.
    pub(in crate::proxmox) fn about(
        sections: &'static [&'static str],
        call: &'static str,
        args: &[&str],
    ) -> Self {
        let args = args.iter().map(|it| Text::from(*it)).collect();
        Self { args, ..Self::new(sections, call) }
    }

    /// Without an answer, these lists are incomplete.
    pub(in crate::proxmox) fn feeding(mut self, sections: &'static [&'static str]) -> Self {
        self.sections = sections;
        self
    }

    /// It is answered with an object.
    pub(in crate::proxmox) fn object(mut self) -> Self {
        self.form = Form::Object;
        self
    }

    async fn ask(&self, session: &Session<'_>, gaps: &Gaps) -> Result<Value, Failure> {
        let args: Vec<&str> = self.args.iter().map(Text::as_str).collect();
        let answer = match session.get(self.call, &args, self.query).await {
            Ok(value) if !self.form.fits(&value) => {
                let path =
                    args.iter().fold(self.call.to_owned(), |it, arg| it.replacen("{}", arg, 1));
                Err(Failure::unexpected(&path, self.form.word()))
            }
            answer => answer,
        };
        if let Err(failure) = &answer
            && !(self.is_of_agent() && failure.is_silence())
        {
            log(gaps, self.sections, self.call, failure);
        }
        answer
    }

    /// True for what a guest agent answers: its silence is a fact about the guest, told once for all.
    fn is_of_agent(&self) -> bool {
        self.call.contains("/agent/")
    }

    /// With parameters.
    pub(in crate::proxmox) fn with(
        mut self,
        query: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.query = query;
        self
    }
}

type Key = (&'static str, Vec<Text>);

/// What was answered.
#[derive(Debug, Default)]
pub(in crate::proxmox) struct Answers(BTreeMap<Key, Result<Value, Failure>>);

impl Answers {
    /// Asks all questions, as many at once as allowed; what fails becomes a gap.
    pub(in crate::proxmox) async fn ask(
        &mut self,
        session: &Session<'_>,
        gaps: &Gaps,
        questions: &[Question],
    ) {
        let answers = each(session.run().target.limits.parallel_calls, questions, |question| {
            Box::pin(question.ask(session, gaps))
        })
        .await;
        for (question, answer) in questions.iter().zip(answers) {
            self.0.insert((question.call, question.args.clone()), answer);
        }
    }

    /// Asks all questions, one after the other.
    pub(in crate::proxmox) async fn ask_in_turn(
        &mut self,
        session: &Session<'_>,
        gaps: &Gaps,
        questions: &[Question],
    ) {
        for question in questions {
            let answer = question.ask(session, gaps).await;
            self.0.insert((question.call, question.args.clone()), answer);
        }
    }

    /// Why a question was not answered, if it was asked and was not.
    pub(in crate::proxmox) fn failure(
        &self,
        call: &'static str,
        args: &[&str],
    ) -> Option<&Failure> {
        self.found(call, args)?.as_ref().err()
    }

    /// True if it was asked, whatever came of it.
    pub(in crate::proxmox) fn was_asked(&self, call: &'static str, args: &[&str]) -> bool {
        self.found(call, args).is_some()
    }

    fn found(&self, call: &'static str, args: &[&str]) -> Option<&Result<Value, Failure>> {
        let args = args.iter().map(|it| Text::from(*it)).collect();
        self.0.get(&(call, args))
    }

    /// The list that was answered; nothing if it was not.
    pub(in crate::proxmox) fn list(&self, call: &'static str, args: &[&str]) -> Option<&[Value]> {
        match self.found(call, args)? {
            Ok(Value::Array(values)) => Some(values),
            _ => None,
        }
    }

    /// Whatever was answered.
    pub(in crate::proxmox) fn value(&self, call: &'static str, args: &[&str]) -> Option<&Value> {
        self.found(call, args)?.as_ref().ok()
    }

    /// Why there is no answer.
    pub(in crate::proxmox) fn why(&self, call: &'static str, args: &[&str]) -> Why {
        match self.found(call, args) {
            Some(Err(failure)) => failure.why,
            Some(Ok(_)) => Why::Unreadable,
            None => Why::NotInVersion,
        }
    }

    /// The fact that was not told, for want of an answer.
    pub(in crate::proxmox) fn untold<T>(&self, call: &'static str, args: &[&str]) -> Observed<T> {
        Observed::Unobserved(self.why(call, args))
    }

    /// True if something that was asked about was not there.
    pub(in crate::proxmox) fn is_of_vanished(&self) -> bool {
        let mut failures = self.0.values().filter_map(|it| it.as_ref().err());
        failures.any(|it| it.cause == GapCause::Vanished)
    }

    /// Every answer with its question, in order.
    pub(in crate::proxmox) fn iter(&self) -> impl Iterator<Item = (&'static str, &[Text], &Value)> {
        self.0.iter().filter_map(|((call, args), answer)| {
            Some((*call, args.as_slice(), answer.as_ref().ok()?))
        })
    }
}

/// A failed call as a gap on each list that its answer would have fed.
pub(in crate::proxmox) fn log(gaps: &Gaps, sections: &[&str], call: &str, failure: &Failure) {
    let said = format!("{}: {}", failure.path, failure.said);
    let field = call.replace("{}", "*");
    let summary = failure.summary(call);
    for section in sections {
        if failure.cause == GapCause::Cancelled {
            gaps.add_once(Found::of(GapCause::Cancelled, section, STOPPED));
        } else {
            gaps.add(Found::of(failure.cause, section, &summary).field(&field).value(&said));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::{CallError, Refusal};

    #[test]
    fn a_call_that_was_stopped_names_the_lists_that_lack_it() {
        let gaps = Gaps::default();
        let stopped = Failure::of("/nodes", &CallError::Refused(Refusal::Cancelled));
        log(&gaps, &["hosts", "clusters"], "/nodes", &stopped);
        log(&gaps, &["hosts"], "/cluster/status", &stopped);
        let gaps = gaps.finish(&"here".into());
        let shown: Vec<_> =
            gaps.iter().map(|it| (it.cause, it.place.section.as_deref(), it.count)).collect();
        let cancelled = |list| (GapCause::Cancelled, Some(list), 1);
        assert_eq!(shown, [cancelled("clusters"), cancelled("hosts")]);
    }
}
