//! What readiness and the guest tables add to the complexity of a machine.

use std::collections::HashSet;

use entente_model::{Date, EstateIndex, Observed};

use super::{Outcome, Readiness, guest_support};
use crate::complexity::{BLOCKER_POINTS, CHECKS_MAX, MachineFacts, WARNING_POINTS};
use crate::guest_names::GuestNames;
use crate::guests::Recognition;
use crate::lifecycle::Lifecycles;
use crate::targets::GuestSupport;
use crate::verdict::CheckSeverity;

/// What the checks say of a machine on one target.
#[derive(Clone, Copy, Default)]
struct Load {
    blockers: u32,
    warnings: u32,
    blockers_unanswered: u32,
}

impl Load {
    fn points(self) -> u32 {
        self.blockers.min(CHECKS_MAX) * BLOCKER_POINTS
            + self.warnings.min(CHECKS_MAX) * WARNING_POINTS
    }
}

/// What [`complexity`](crate::complexity) wants to know of the workload at a position of the estate.
/// The easiest target is the one with the fewest points for blockers and warnings, then with the
/// fewest unanswered blockers, then the first.
pub fn machine_facts<'a>(
    index: &'a EstateIndex<'a>,
    readiness: &'a Readiness,
    guests: &'a GuestNames<'a>,
    lifecycles: &Lifecycles,
    as_of: Date,
) -> impl Fn(usize) -> MachineFacts + Sync + use<'a> {
    let ended: HashSet<&str> = guests.out_of_support(lifecycles, as_of).into_iter().collect();
    move |position| {
        let Some(workload) = index.estate.workloads.get(position) else {
            return MachineFacts::default();
        };
        let easiest = (0..readiness.targets.len())
            .map(|column| readiness.load(position, column))
            .min_by_key(|load| (load.points(), load.blockers_unanswered))
            .unwrap_or_default();
        let without_support = readiness.targets.iter().filter(|target| {
            guest_support(guests, workload, &target.id)
                == Observed::Value(GuestSupport::Unsupported)
        });
        MachineFacts {
            guest_unrecognised: guests.of(workload) == Observed::Value(Recognition::Unrecognised),
            guest_support_ended: workload
                .guest
                .os()
                .value()
                .is_some_and(|it| ended.contains(it.as_str())),
            targets_without_guest_support: u32::try_from(without_support.count())
                .unwrap_or(u32::MAX),
            blockers: easiest.blockers,
            warnings: easiest.warnings,
            blockers_unanswered: easiest.blockers_unanswered,
        }
    }
}

impl Readiness {
    fn load(&self, position: usize, column: usize) -> Load {
        let mut load = Load::default();
        for (answer, severity) in self.answers(position, column) {
            let count = match (answer.outcome, severity) {
                (Outcome::Fired, CheckSeverity::Blocker) => &mut load.blockers,
                (Outcome::Fired, CheckSeverity::Warning) => &mut load.warnings,
                (Outcome::Unanswered(set), CheckSeverity::Blocker)
                    if !self.missing.beyond_source(set) =>
                {
                    &mut load.blockers_unanswered
                }
                _ => continue,
            };
            *count += 1;
        }
        load
    }
}
