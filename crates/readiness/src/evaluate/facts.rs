//! What readiness and the guest tables add to the complexity of a machine.

use std::collections::HashMap;

use entente_model::{Date, EstateIndex};

use super::{Outcome, Readiness, ReadinessTarget};
use crate::complexity::{BLOCKER_POINTS, CHECKS_MAX, MachineFacts, WARNING_POINTS};
use crate::guest_names::GuestNames;
use crate::guests::Recognition;
use crate::lifecycle::{Lifecycles, SupportState};
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

/// What the tables of guests say of one name.
#[derive(Clone, Copy, Default)]
struct GuestStanding {
    unrecognised: bool,
    support_ended: bool,
    targets_without_support: u32,
}

/// What [`complexity`](crate::complexity) wants to know of the workload at a position of the estate.
/// The easiest target is the one with the fewest points for blockers and warnings, then with the
/// fewest unanswered blockers, then the first.
pub fn machine_facts<'a>(
    index: &'a EstateIndex<'a>,
    readiness: &'a Readiness,
    guests: &GuestNames<'a>,
    lifecycles: &Lifecycles,
    as_of: Date,
) -> impl Fn(usize) -> MachineFacts + Sync + use<'a> {
    let standing = |recognition: Recognition<'_>| {
        let unsupported = |target: &&ReadinessTarget| {
            recognition.support(&target.id) == GuestSupport::Unsupported
        };
        let unsupported = readiness.targets.iter().filter(unsupported).count();
        GuestStanding {
            unrecognised: recognition == Recognition::Unrecognised,
            support_ended: recognition.lifecycle().is_some_and(|(product, cycle)| {
                lifecycles.support(product, cycle, as_of).state == SupportState::Ended
            }),
            targets_without_support: u32::try_from(unsupported).unwrap_or(u32::MAX),
        }
    };
    let standings: HashMap<&str, GuestStanding> =
        guests.iter().map(|(name, recognition)| (name, standing(recognition))).collect();
    move |position| {
        let workload = index.estate.workloads.get(position);
        let name = workload.and_then(|it| it.guest.os().value().copied());
        let guest = name.and_then(|it| standings.get(it.as_str())).copied().unwrap_or_default();
        let easiest = (0..readiness.targets.len())
            .map(|column| readiness.load(position, column))
            .min_by_key(|load| (load.points(), load.blockers_unanswered))
            .unwrap_or_default();
        MachineFacts {
            guest_unrecognised: guest.unrecognised,
            guest_support_ended: guest.support_ended,
            targets_without_guest_support: guest.targets_without_support,
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
