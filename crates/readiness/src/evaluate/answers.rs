//! Asking every check about every machine, with little left in memory: only answers other than "no"
//! are kept, and what they miss is kept once.

use std::collections::BTreeMap;

use entente_expr::workload::WorkloadRecord;
use entente_expr::{Missing, Truth};
use entente_model::{Date, EstateIndex, Text, Workload, WorkloadKind};

use super::{Cell, Machine, ReadinessCheck};
use crate::catalogue::Check;
use crate::guest_names::GuestSupports;
use crate::targets::{Target, TargetRecord};
use crate::verdict::{CheckSeverity, Verdict};

/// One answer other than "no".
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    check: u32,
    /// The one column that it concerns; `None` = all, the check does not read the target.
    column: Option<u16>,
    pub outcome: Outcome,
}

/// What a check answered, unless "no".
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Fired,
    Unanswered(SetNumber),
}

impl Answer {
    /// Position of the check.
    pub fn check(&self) -> usize {
        self.check as usize
    }

    pub fn concerns(&self, column: usize) -> bool {
        self.column.is_none_or(|it| usize::from(it) == column)
    }

    /// The same with another numbering of missing sets.
    pub fn renumbered(self, numbers: &[SetNumber]) -> Self {
        let outcome = match self.outcome {
            Outcome::Unanswered(set) => {
                Outcome::Unanswered(numbers.get(set.0 as usize).copied().unwrap_or(set))
            }
            Outcome::Fired => Outcome::Fired,
        };
        Self { outcome, ..self }
    }
}

/// Position of a set of [`MissingSets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SetNumber(u32);

/// What answers miss, each set once.
#[derive(Debug, Default)]
pub(super) struct MissingSets {
    numbers: BTreeMap<Vec<Missing>, SetNumber>,
    sets: Vec<MissingSet>,
}

#[derive(Debug)]
struct MissingSet {
    missing: Vec<Missing>,
    /// No better export or login of the same kind of source could have told any of it.
    beyond_source: bool,
}

impl MissingSets {
    fn number(&mut self, missing: Vec<Missing>) -> SetNumber {
        if let Some(number) = self.numbers.get(&missing) {
            return *number;
        }
        let number = SetNumber(u32::try_from(self.sets.len()).unwrap_or(u32::MAX));
        let beyond_source = missing.iter().all(|it| it.why.is_limit_of_source());
        self.sets.push(MissingSet { missing: missing.clone(), beyond_source });
        self.numbers.insert(missing, number);
        number
    }

    /// [`Self::number`], with a guess that is mostly right: what the same check missed last.
    fn number_near(&mut self, missing: Vec<Missing>, guess: &mut Option<SetNumber>) -> SetNumber {
        if let Some(number) = *guess
            && self.set(number).is_some_and(|it| it.missing == missing)
        {
            return number;
        }
        let number = self.number(missing);
        *guess = Some(number);
        number
    }

    fn set(&self, number: SetNumber) -> Option<&MissingSet> {
        self.sets.get(number.0 as usize)
    }

    /// Takes over another's sets and gives their new numbers.
    pub fn absorb(&mut self, other: Self) -> Vec<SetNumber> {
        other.sets.into_iter().map(|it| self.number(it.missing)).collect()
    }

    /// True where no better export or login of the same kind of source could have answered.
    pub fn beyond_source(&self, set: SetNumber) -> bool {
        self.set(set).is_some_and(|it| it.beyond_source)
    }

    /// Attributes that were missing although the kind of source could have told.
    pub fn within_source(&self, set: SetNumber) -> impl Iterator<Item = &Text> {
        self.attributes(set, false)
    }

    /// Attributes that this kind of source can never tell.
    pub fn limits(&self, set: SetNumber) -> impl Iterator<Item = &Text> {
        self.attributes(set, true)
    }

    fn attributes(&self, set: SetNumber, limits: bool) -> impl Iterator<Item = &Text> {
        let missing = self.set(set).map(|it| it.missing.as_slice()).unwrap_or_default();
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
    /// By check: what it missed last.
    missed_last: Vec<Option<SetNumber>>,
}

/// What all threads read.
pub(super) struct Shared<'a> {
    pub index: &'a EstateIndex<'a>,
    pub checks: &'a [Check],
    pub severities: &'a [ReadinessCheck],
    pub targets: Vec<&'a Target>,
    pub guests: &'a GuestSupports<'a>,
    pub as_of: Date,
}

impl Shared<'_> {
    pub fn evaluate(&self, workloads: &[Workload]) -> Run {
        let missed_last = vec![None; self.checks.len()];
        let mut run = Run { missed_last, ..Run::default() };
        for workload in workloads.iter().filter(|it| it.kind == WorkloadKind::Machine) {
            let supports = self.guests.of(workload);
            let records: Vec<TargetRecord<'_>> = self
                .targets
                .iter()
                .zip(supports.iter())
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
        let Run { answers, missing, missed_last, .. } = run;
        let mut keep = |check, column, truth, last: &mut Option<SetNumber>| {
            let outcome = match truth {
                Truth::False => return,
                Truth::True => Outcome::Fired,
                Truth::Unknown(lacks) => Outcome::Unanswered(missing.number_near(lacks, last)),
            };
            answers.push(Answer { check, column, outcome });
        };
        let checks = self.checks.iter().zip(self.severities).zip(missed_last);
        for (at, ((check, ReadinessCheck { severities, .. }), last)) in (0..).zip(checks) {
            let applies = |it: &CheckSeverity| *it != CheckSeverity::NotApplicable;
            if !severities.iter().any(applies) {
                continue;
            }
            if !check.reads_target {
                keep(at, None, check.expression.evaluate(&[&workload, any_target]), last);
                continue;
            }
            for (column, (target, severity)) in (0..).zip(records.iter().zip(severities)) {
                if applies(severity) {
                    keep(at, Some(column), check.expression.evaluate(&[&workload, target]), last);
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
                .get(answer.check())
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
