//! Readiness counted: by target, by check, by whatever groups workloads.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use entente_model::Text;

use super::{Outcome, Readiness};
use crate::verdict::{CheckSeverity, VerdictCounts};

/// Verdicts on one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetCounts {
    /// With everything unanswered counted.
    pub verdicts: VerdictCounts,
    /// As far as this kind of source can see.
    pub as_seen: VerdictCounts,
}

/// One check over all machines, by column of [`Readiness::targets`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckTotals {
    /// Id of the check.
    pub id: Text,
    /// What firing means.
    pub severities: Vec<CheckSeverity>,
    /// Machines on which it fired.
    pub fired: Vec<u64>,
    /// Machines for which it stayed unanswered although the kind of source could have told.
    pub unanswered: Vec<u64>,
    /// Attributes that this kind of source can never tell and that left it unanswered, sorted.
    pub beyond_source: Vec<Text>,
}

impl CheckTotals {
    /// On how many pairs of machine and target it fired with this severity.
    fn fired_as(&self, severity: CheckSeverity) -> u64 {
        let counts = self.severities.iter().zip(&self.fired);
        counts.filter(|(it, _)| **it == severity).map(|(_, count)| *count).sum()
    }
}

impl Readiness {
    /// Verdicts by column, over all machines.
    pub fn counts(&self) -> Vec<TargetCounts> {
        let mut by_nothing = self.counts_by(|_| Some(()));
        by_nothing.remove(&()).unwrap_or_else(|| vec![TargetCounts::default(); self.targets.len()])
    }

    /// Verdicts by column, over the machines of each group; `group` tells to which one the workload
    /// at a position of the estate belongs, if to any.
    pub fn counts_by<K: Ord>(
        &self,
        group: impl Fn(usize) -> Option<K>,
    ) -> BTreeMap<K, Vec<TargetCounts>> {
        let mut counts: BTreeMap<K, Vec<TargetCounts>> = BTreeMap::new();
        for position in 0..self.machine_of.len() {
            if self.machine(position).is_none() {
                continue;
            }
            let Some(group) = group(position) else { continue };
            let counts = counts
                .entry(group)
                .or_insert_with(|| vec![TargetCounts::default(); self.targets.len()]);
            for (counts, cell) in counts.iter_mut().zip(self.cells(position)) {
                counts.verdicts.add(cell.verdict);
                counts.as_seen.add(cell.as_seen);
            }
        }
        counts
    }

    /// Checks that fired or stayed unanswered anywhere, most blocking first: by blockers fired, then
    /// warnings, notes, and unanswered; equals by id.
    pub fn check_totals(&self) -> Vec<CheckTotals> {
        let columns = self.targets.len();
        let mut totals: Vec<(CheckTotals, BTreeSet<&Text>)> = self
            .checks
            .iter()
            .map(|check| {
                let totals = CheckTotals {
                    id: check.id.clone(),
                    severities: check.severities.clone(),
                    fired: vec![0; columns],
                    unanswered: vec![0; columns],
                    beyond_source: Vec::new(),
                };
                (totals, BTreeSet::new())
            })
            .collect();
        for answer in &self.answers {
            let Some((totals, beyond_source)) = totals.get_mut(answer.check()) else { continue };
            let counts = match answer.outcome {
                Outcome::Fired => &mut totals.fired,
                Outcome::Unanswered(set) => {
                    beyond_source.extend(self.missing.limits(set));
                    if self.missing.beyond_source(set) {
                        continue;
                    }
                    &mut totals.unanswered
                }
            };
            for (column, (count, severity)) in counts.iter_mut().zip(&totals.severities).enumerate()
            {
                let applies = *severity != CheckSeverity::NotApplicable;
                *count += u64::from(applies && answer.concerns(column));
            }
        }
        let mut totals: Vec<CheckTotals> = totals
            .into_iter()
            .map(|(totals, beyond)| CheckTotals {
                beyond_source: beyond.into_iter().cloned().collect(),
                ..totals
            })
            .filter(|it| {
                it.fired.iter().chain(&it.unanswered).any(|count| *count > 0)
                    || !it.beyond_source.is_empty()
            })
            .collect();
        totals.sort_by_cached_key(|it| {
            let fired =
                [CheckSeverity::Blocker, CheckSeverity::Warning, CheckSeverity::Information]
                    .map(|severity| Reverse(it.fired_as(severity)));
            (fired, Reverse(it.unanswered.iter().sum::<u64>()), it.id.clone())
        });
        totals
    }
}
