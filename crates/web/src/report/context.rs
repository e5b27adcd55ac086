//! What several sections look up in the assessment.

use std::collections::{BTreeMap, BTreeSet};

use entente_app::document::{Assessment, CheckReport, Verdict};
use entente_model::SourceLimit;
use maud::{Markup, html};

use crate::format;

/// The assessment with tables for looking things up.
pub(super) struct Context<'a> {
    pub assessment: &'a Assessment,
    checks: BTreeMap<&'a str, (usize, &'a CheckReport)>,
    attachments: BTreeMap<&'a str, &'a str>,
}

impl<'a> Context<'a> {
    pub fn new(assessment: &'a Assessment) -> Self {
        let checks = assessment.readiness.checks.iter().enumerate();
        let checks = checks.map(|(position, check)| (check.id.as_str(), (position, check)));
        let attachments =
            assessment.attachments.iter().map(|it| (it.kind.as_str(), it.label.as_str()));
        Self { assessment, checks: checks.collect(), attachments: attachments.collect() }
    }

    /// Id and name of each target.
    pub fn targets(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.assessment
            .readiness
            .targets
            .iter()
            .map(|target| (target.id.as_str(), target.label.as_str()))
    }

    /// What a check says; its id where the catalogue does not know it.
    pub fn check_title<'b>(&self, id: &'b str) -> &'b str
    where
        'a: 'b,
    {
        self.checks.get(id).map_or(id, |(_, check)| check.title.as_str())
    }

    /// Where a check stands among all, most blocking first; last where the catalogue does not know it.
    pub fn check_position(&self, id: &str) -> usize {
        self.checks.get(id).map_or(usize::MAX, |(position, _)| *position)
    }

    /// What an attachment is; its id where nothing describes it.
    pub fn attachment_label<'b>(&self, kind: &'b str) -> &'b str
    where
        'a: 'b,
    {
        self.attachments.get(kind).copied().unwrap_or(kind)
    }

    /// Attributes that these sources can never tell and that leave checks unanswered.
    pub fn beyond_sources(&self) -> BTreeSet<&'a str> {
        let checks = self.assessment.readiness.checks.iter();
        checks.flat_map(|check| check.beyond_source.iter().map(|it| it.as_str())).collect()
    }

    /// What the sources can never tell, each once.
    pub fn limits(&self) -> BTreeSet<&'a SourceLimit> {
        self.assessment.sources.iter().flat_map(|source| &source.limits).collect()
    }
}

/// The anchor of a check's row.
pub(super) fn check_anchor(id: &str) -> String {
    format::anchor("check", id)
}

/// A link to a check's row.
pub(super) fn check_link(id: &str, text: &str) -> Markup {
    html! { a href={ "#" (check_anchor(id)) } { (text) } }
}

/// The four verdicts with the words under which the workload table filters them.
pub(super) fn verdict_filters() -> [(Verdict, &'static str, &'static str); 4] {
    [
        (Verdict::Ready, "seen:ready", "strict:ready"),
        (Verdict::Conditional, "seen:conditional", "strict:conditional"),
        (Verdict::Blocked, "seen:blocked", "strict:blocked"),
        (Verdict::Unknown, "seen:unknown", "strict:unknown"),
    ]
}
