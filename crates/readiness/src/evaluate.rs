//! Readiness: every machine against every check, for every target.
//!
//! The rule, per machine and target: blocked if a blocker fired; else unknown if a blocker is
//! unanswered; else conditional if a warning fired; else unknown if a warning is unanswered; else
//! ready. `as_seen` is the same rule without the unanswered checks that no export or login of this
//! kind of source could have answered. Notes never influence a verdict.

mod answers;
mod facts;
#[cfg(test)]
mod reference;
mod totals;

use std::collections::BTreeMap;

use entente_model::{Date, EstateIndex, Text, Workload, WorkloadKind};

use crate::catalogue::Catalogue;
use crate::guest_names::GuestNames;
use crate::parallel;
use crate::verdict::{CheckSeverity, TargetReadiness, Verdict};
use answers::{Answer, MissingSets, Outcome, Run, Shared};
pub use facts::machine_facts;
pub use totals::{CheckTotals, TargetCounts};

/// What the checks say of every machine.
#[derive(Debug)]
pub struct Readiness {
    /// The targets, in the order in which they were chosen; a column below is a position here.
    pub targets: Vec<ReadinessTarget>,
    checks: Vec<ReadinessCheck>,
    /// By workload of the estate: which machine it is.
    machine_of: Vec<Option<usize>>,
    /// By machine.
    machines: Vec<Machine>,
    /// Of all machines, each in the order of the checks.
    answers: Vec<Answer>,
    /// By machine and target.
    cells: Vec<Cell>,
    missing: MissingSets,
}

/// One target of a [`Readiness`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadinessTarget {
    /// Position in the catalogue's targets.
    pub position: usize,
    /// Its id.
    pub id: Text,
    /// Its name.
    pub label: Text,
}

/// A check with its severities by column.
#[derive(Debug)]
struct ReadinessCheck {
    id: Text,
    severities: Vec<CheckSeverity>,
}

/// Where a machine's answers are.
#[derive(Clone, Copy, Debug)]
struct Machine {
    answers_from: usize,
    answers_to: usize,
}

/// The two verdicts of a machine on a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// With everything unanswered counted.
    pub verdict: Verdict,
    /// As far as this kind of source can see. Never to be read as "ready".
    pub as_seen: Verdict,
}

/// Evaluates the catalogue for the targets at the positions `chosen` of [`Catalogue::targets`];
/// positions that it does not have are left out. Only machines get verdicts.
pub fn evaluate(
    index: &EstateIndex<'_>,
    catalogue: &Catalogue,
    guests: &GuestNames<'_>,
    chosen: &[usize],
    as_of: Date,
) -> Readiness {
    let targets: Vec<_> =
        chosen.iter().filter_map(|at| Some((*at, catalogue.targets().iter().nth(*at)?))).collect();
    let severities = |check: &crate::catalogue::Check| {
        targets.iter().map(|(position, _)| check.severity(*position)).collect()
    };
    let checks: Vec<ReadinessCheck> = catalogue
        .checks()
        .iter()
        .map(|check| ReadinessCheck { id: check.id.clone(), severities: severities(check) })
        .collect();
    let supports = guests.supports(targets.iter().map(|(_, target)| target.id.as_str()));
    let shared = Shared {
        index,
        checks: catalogue.checks(),
        severities: &checks,
        targets: targets.iter().map(|(_, target)| *target).collect(),
        guests: &supports,
        as_of,
    };
    let runs = parallel::by_run(&index.estate.workloads, |run| shared.evaluate(run));
    let mut readiness = Readiness {
        targets: targets
            .iter()
            .map(|(position, target)| ReadinessTarget {
                position: *position,
                id: target.id.clone(),
                label: target.label.clone(),
            })
            .collect(),
        checks,
        machine_of: Vec::with_capacity(index.estate.workloads.len()),
        machines: Vec::new(),
        answers: Vec::new(),
        cells: Vec::new(),
        missing: MissingSets::default(),
    };
    for run in runs {
        readiness.absorb(run);
    }
    let mut machines = 0..;
    let is_machine = |it: &Workload| it.kind == WorkloadKind::Machine;
    readiness.machine_of = index
        .estate
        .workloads
        .iter()
        .map(|it| if is_machine(it) { machines.next() } else { None })
        .collect();
    readiness
}

impl Readiness {
    /// Appends what one thread found.
    fn absorb(&mut self, run: Run) {
        let before = self.answers.len();
        let renumbered = self.missing.absorb(run.missing);
        self.answers.extend(run.answers.into_iter().map(|answer| answer.renumbered(&renumbered)));
        self.machines.extend(run.machines.into_iter().map(|machine| Machine {
            answers_from: machine.answers_from + before,
            answers_to: machine.answers_to + before,
        }));
        self.cells.extend(run.cells);
    }

    /// The verdicts of the workload at `position` of the estate, by column; empty for what is no
    /// machine.
    pub fn cells(&self, position: usize) -> &[Cell] {
        let columns = self.targets.len();
        self.machine(position)
            .and_then(|machine| self.cells.get(machine * columns..(machine + 1) * columns))
            .unwrap_or_default()
    }

    /// What the checks say of the workload at `position` on the target of `column`; `None` for what is
    /// no machine.
    pub fn target(&self, position: usize, column: usize) -> Option<TargetReadiness> {
        let cell = self.cells(position).get(column)?;
        let mut readiness = TargetReadiness {
            verdict: cell.verdict,
            as_seen: cell.as_seen,
            blockers: Vec::new(),
            warnings: Vec::new(),
            information: Vec::new(),
            not_observed: Vec::new(),
        };
        for (answer, severity) in self.answers(position, column) {
            let fired = match severity {
                CheckSeverity::Blocker => &mut readiness.blockers,
                CheckSeverity::Warning => &mut readiness.warnings,
                CheckSeverity::Information => &mut readiness.information,
                CheckSeverity::NotApplicable => continue,
            };
            match answer.outcome {
                Outcome::Fired => {
                    fired.extend(self.checks.get(answer.check()).map(|it| it.id.clone()));
                }
                Outcome::Unanswered(set) if severity != CheckSeverity::Information => {
                    readiness.not_observed.extend(self.missing.within_source(set).cloned());
                }
                Outcome::Unanswered(_) => {}
            }
        }
        readiness.not_observed.sort_unstable();
        readiness.not_observed.dedup();
        Some(readiness)
    }

    /// [`Self::target`] for every target, by its id.
    pub fn by_target(&self, position: usize) -> BTreeMap<Text, TargetReadiness> {
        self.targets
            .iter()
            .enumerate()
            .filter_map(|(column, target)| {
                Some((target.id.clone(), self.target(position, column)?))
            })
            .collect()
    }

    fn machine(&self, position: usize) -> Option<usize> {
        self.machine_of.get(position).copied().flatten()
    }

    /// Answers other than "no" that concern a column, with their severity there.
    fn answers(
        &self,
        position: usize,
        column: usize,
    ) -> impl Iterator<Item = (&Answer, CheckSeverity)> {
        let machine = self.machine(position).and_then(|it| self.machines.get(it));
        let answers = machine
            .and_then(|it| self.answers.get(it.answers_from..it.answers_to))
            .unwrap_or_default();
        answers
            .iter()
            .filter(move |answer| answer.concerns(column))
            .map(move |answer| (answer, self.severity(answer.check(), column)))
    }

    fn severity(&self, check: usize, column: usize) -> CheckSeverity {
        self.checks
            .get(check)
            .and_then(|it| it.severities.get(column))
            .copied()
            .unwrap_or(CheckSeverity::NotApplicable)
    }
}

#[cfg(test)]
mod tests;
