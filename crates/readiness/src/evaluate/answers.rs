//! Asking every check about every machine, with little left in memory: only answers other than "no"
//! are kept, and what they miss is kept once.

use std::collections::BTreeMap;

use entente_expr::workload::WorkloadRecord;
use entente_expr::{Missing, Truth};
use entente_model::{Date, EstateIndex, Observed, Text, Workload, WorkloadKind};

use super::{Cell, Machine, ReadinessCheck, guest_support};
use crate::catalogue::Check;
use crate::guest_names::GuestNames;
use crate::targets::{GuestSupport, Target, TargetRecord};
use crate::verdict::{CheckSeverity, Verdict};

/// One answer other than "no".
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub check: usize,
    /// The one column that it concerns; `None` = all, the check does not read the target.
    column: Option<u32>,
    pub outcome: Outcome,
}

/// What a check answered, unless "no".
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Fired,
    /// Position of what was missing in [`MissingSets`].
    Unanswered(usize),
}

impl Answer {
    pub fn concerns(&self, column: usize) -> bool {
        self.column.is_none_or(|it| it as usize == column)
    }

    /// The same with another numbering of missing sets.
    pub fn renumbered(self, numbers: &[usize]) -> Self {
        let outcome = match self.outcome {
            Outcome::Unanswered(set) => {
                Outcome::Unanswered(numbers.get(set).copied().unwrap_or(set))
            }
            Outcome::Fired => Outcome::Fired,
        };
        Self { outcome, ..self }
    }
}

/// What answers miss, each set once.
#[derive(Debug, Default)]
pub(super) struct MissingSets {
    numbers: BTreeMap<Vec<Missing>, usize>,
    sets: Vec<MissingSet>,
}

#[derive(Debug)]
struct MissingSet {
    missing: Vec<Missing>,
    /// No better export or login of the same kind of source could have told any of it.
    beyond_source: bool,
}

impl MissingSets {
    fn number(&mut self, missing: Vec<Missing>) -> usize {
        if let Some(number) = self.numbers.get(&missing) {
            return *number;
        }
        let number = self.sets.len();
        let beyond_source = missing.iter().all(|it| it.why.is_limit_of_source());
        self.sets.push(MissingSet { missing: missing.clone(), beyond_source });
        self.numbers.insert(missing, number);
        number
    }

    /// Takes over another's sets and gives their new numbers.
    pub fn absorb(&mut self, other: Self) -> Vec<usize> {
        other.sets.into_iter().map(|it| self.number(it.missing)).collect()
    }

    /// True where no better export or login of the same kind of source could have answered.
    pub fn beyond_source(&self, set: usize) -> bool {
        self.sets.get(set).is_some_and(|it| it.beyond_source)
    }

    /// Attributes that were missing although the kind of source could have told.
    pub fn within_source(&self, set: usize) -> impl Iterator<Item = &Text> {
        self.attributes(set, false)
    }

    /// Attributes that this kind of source can never tell.
    pub fn limits(&self, set: usize) -> impl Iterator<Item = &Text> {
        self.attributes(set, true)
    }

    fn attributes(&self, set: usize, limits: bool) -> impl Iterator<Item = &Text> {
        let missing = self.sets.get(set).map(|it| it.missing.as_slice()).unwrap_or_default();
        missing
            .iter()
            .filter(move |it| it.why.is_limit_of_source() == limits)
            .map(|it| &it.attribute)
    }
}

/// What one thread found.
#[derive(Default)]
pub(super) struct Run {
    pub machines: Vec<Machine>,
    pub answers: Vec<Answer>,
    pub cells: Vec<Cell>,
    pub missing: MissingSets,
}

/// What all threads read.
pub(super) struct Shared<'a> {
    pub index: &'a EstateIndex<'a>,
    pub checks: &'a [Check],
    pub severities: &'a [ReadinessCheck],
    pub targets: Vec<&'a Target>,
    pub guests: &'a GuestNames<'a>,
    pub as_of: Date,
}

impl Shared<'_> {
    pub fn evaluate(&self, workloads: &[Workload]) -> Run {
        let mut run = Run::default();
        let mut support: Vec<Observed<GuestSupport>> = Vec::new();
        for workload in workloads.iter().filter(|it| it.kind == WorkloadKind::Machine) {
            support.clear();
            support.extend(
                self.targets.iter().map(|target| guest_support(self.guests, workload, &target.id)),
            );
            let records: Vec<TargetRecord<'_>> = self
                .targets
                .iter()
                .zip(&support)
                .map(|(target, support)| TargetRecord::new(target, support))
                .collect();
            let answers_from = run.answers.len();
            self.ask(workload, &records, &mut run);
            let answers_to = run.answers.len();
            run.machines.push(Machine { answers_from, answers_to });
            let answers = run.answers.get(answers_from..).unwrap_or_default();
            for column in 0..records.len() {
                run.cells.push(self.judge(answers, column, &run.missing));
            }
        }
        run
    }

    /// Asks every check that says something for a chosen target: once, or once per target that its
    /// expression reads.
    fn ask(&self, workload: &Workload, records: &[TargetRecord<'_>], run: &mut Run) {
        let Some(any_target) = records.first() else { return };
        let workload = WorkloadRecord::new(self.index, workload, self.as_of);
        let mut keep = |check, column, truth| {
            let outcome = match truth {
                Truth::False => return,
                Truth::True => Outcome::Fired,
                Truth::Unknown(missing) => Outcome::Unanswered(run.missing.number(missing)),
            };
            run.answers.push(Answer { check, column, outcome });
        };
        for (at, (check, ReadinessCheck { severities, .. })) in
            self.checks.iter().zip(self.severities).enumerate()
        {
            let applies = |it: &CheckSeverity| *it != CheckSeverity::NotApplicable;
            if !severities.iter().any(applies) {
                continue;
            }
            if !check.reads_target {
                keep(at, None, check.expression.evaluate(&[&workload, any_target]));
                continue;
            }
            for (column, (target, severity)) in (0..).zip(records.iter().zip(severities)) {
                if applies(severity) {
                    keep(at, Some(column), check.expression.evaluate(&[&workload, target]));
                }
            }
        }
    }

    fn judge(&self, answers: &[Answer], column: usize, missing: &MissingSets) -> Cell {
        let mut seen = Objections::default();
        let mut beyond = Objections::default();
        for answer in answers.iter().filter(|it| it.concerns(column)) {
            let severity = self
                .severities
                .get(answer.check)
                .and_then(|it| it.severities.get(column))
                .unwrap_or(&CheckSeverity::NotApplicable);
            match answer.outcome {
                Outcome::Fired => seen.fired(*severity),
                Outcome::Unanswered(set) if missing.beyond_source(set) => {
                    beyond.unanswered(*severity);
                }
                Outcome::Unanswered(_) => seen.unanswered(*severity),
            }
        }
        Cell { as_seen: seen.verdict(), verdict: seen.and(beyond).verdict() }
    }
}

/// What speaks against a machine on a target.
#[derive(Clone, Copy, Default)]
struct Objections {
    blocker: bool,
    blocker_unanswered: bool,
    warning: bool,
    warning_unanswered: bool,
}

impl Objections {
    fn fired(&mut self, severity: CheckSeverity) {
        self.blocker |= severity == CheckSeverity::Blocker;
        self.warning |= severity == CheckSeverity::Warning;
    }

    fn unanswered(&mut self, severity: CheckSeverity) {
        self.blocker_unanswered |= severity == CheckSeverity::Blocker;
        self.warning_unanswered |= severity == CheckSeverity::Warning;
    }

    fn and(self, other: Self) -> Self {
        Self {
            blocker: self.blocker || other.blocker,
            blocker_unanswered: self.blocker_unanswered || other.blocker_unanswered,
            warning: self.warning || other.warning,
            warning_unanswered: self.warning_unanswered || other.warning_unanswered,
        }
    }

    fn verdict(self) -> Verdict {
        if self.blocker {
            Verdict::Blocked
        } else if self.blocker_unanswered {
            Verdict::Unknown
        } else if self.warning {
            Verdict::Conditional
        } else if self.warning_unanswered {
            Verdict::Unknown
        } else {
            Verdict::Ready
        }
    }
}
