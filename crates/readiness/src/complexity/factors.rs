//! What adds to complexity besides attachments.

use entente_model::{Disk, DiskMode, Observed, PowerState, Workload};

use super::{Term, Weight};
use crate::quantity::{disk_capacity_mib, memory_mib, vcpus};

/// What other engines found out about one machine. The default adds no points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MachineFacts {
    /// Its operating system was observed but is not in the tables of guests.
    pub guest_unrecognised: bool,
    /// General support of its operating system has ended.
    pub guest_support_ended: bool,
    /// Targets that do not support its operating system.
    pub targets_without_guest_support: u32,
    /// Blockers on the target that is easiest for it.
    pub blockers: u32,
    /// Warnings on that target.
    pub warnings: u32,
    /// Blockers on that target that could not be answered although the kind of source could have
    /// told.
    pub blockers_unanswered: u32,
}

/// A row of [`FACTORS`].
#[derive(Clone, Copy, Debug)]
pub struct Factor {
    /// What it weighs.
    pub weight: Weight,
    pub(super) count: fn(&Workload, &MachineFacts) -> u32,
}

/// Shorthand for a row of the table.
const fn factor(
    id: &'static str,
    term: Term,
    (points, up_to): (u32, u32),
    (label, reason): (&'static str, &'static str),
    count: fn(&Workload, &MachineFacts) -> u32,
) -> Factor {
    Factor { weight: Weight { id, label, term, points, up_to, reason }, count }
}

/// Weight of one blocker, also used to find the easiest target.
pub(crate) const BLOCKER_POINTS: u32 = 5;
/// Weight of one warning, also used to find the easiest target.
pub(crate) const WARNING_POINTS: u32 = 1;
/// No more blockers or warnings than this add points.
pub(crate) const CHECKS_MAX: u32 = 20;

/// What adds to complexity besides attachments.
#[rustfmt::skip]
pub static FACTORS: [Factor; 17] = [
    factor("disk", Term::Storage, (1, 8),
        ("Disk beyond the first", "each is converted, checked and mapped on its own"),
        |it, _| beyond_first(it.disks.items.len())),
    factor("disk-capacity", Term::Storage, (2, 6),
        ("Disk capacity, one step each from 500 GiB, 1, 2, 5, 10 and 20 TiB", "copying takes hours to days and decides the downtime"),
        |it, _| steps(&disk_capacity_mib(it), &DISK_STEPS_MIB)),
    factor("independent-disk", Term::Storage, (3, 3),
        ("Independent or non-persistent disk", "left out of snapshots, so out of snapshot-based copies and backups"),
        |it, _| count(it.disks.iter().filter(|disk| independent(disk)).count())),
    factor("nic", Term::Network, (1, 6),
        ("Network adapter beyond the first", "each network must exist on the other side, with its addresses"),
        |it, _| beyond_first(it.nics.items.len())),
    factor("special-adapter", Term::Network, (3, 3),
        ("Adapter of a special or outdated type", "no equivalent elsewhere, or a driver that the guest lacks"),
        |it, _| count(it.nics.iter().filter(|nic| nic.adapter.value().is_some_and(|it| special(it))).count())),
    factor("guest-unrecognised", Term::Guest, (4, 1),
        ("Operating system not recognised", "nobody can say who supports it"),
        |_, facts| u32::from(facts.guest_unrecognised)),
    factor("guest-support-ended", Term::Guest, (5, 1),
        ("Operating system out of support", "no vendor helps when it does not start; drivers are missing"),
        |_, facts| u32::from(facts.guest_support_ended)),
    factor("guest-unsupported", Term::Guest, (2, 4),
        ("Target that does not support the operating system", "fewer places to go"),
        |_, facts| facts.targets_without_guest_support),
    factor("blocker", Term::Readiness, (BLOCKER_POINTS, CHECKS_MAX),
        ("Blocker", "it cannot move before this is solved"),
        |_, facts| facts.blockers),
    factor("warning", Term::Readiness, (WARNING_POINTS, CHECKS_MAX),
        ("Warning", "extra work"),
        |_, facts| facts.warnings),
    factor("vcpu", Term::Size, (2, 4),
        ("Virtual processors, one step each from 9, 17, 33 and 65", "fits fewer hosts and is felt by more people"),
        |it, _| steps(&vcpus(it), &VCPU_STEPS)),
    factor("memory", Term::Size, (2, 5),
        ("Memory, one step each from 65, 129, 257, 513 and 1,025 GiB", "fits fewer hosts, and warm moves take longer"),
        |it, _| steps(&memory_mib(it), &MEMORY_STEPS_MIB)),
    factor("consolidation", Term::State, (3, 1),
        ("Snapshot files wait to be merged", "copies fail or grow until it is done"),
        |it, _| u32::from(it.availability.consolidation_needed == Observed::Value(true))),
    factor("suspended", Term::State, (2, 1),
        ("Suspended", "its memory cannot move: it must be resumed and shut down"),
        |it, _| u32::from(it.power == Observed::Value(PowerState::Suspended))),
    factor("blocker-unanswered", Term::Unknowns, (2, 5),
        ("Blocker that could not be answered", "somebody has to find out first"),
        |_, facts| facts.blockers_unanswered),
    factor("guest-unknown", Term::Unknowns, (2, 1),
        ("Operating system not observed", "somebody has to find out first"),
        |it, _| u32::from(!matches!(it.guest.os(), Observed::Value(_)))),
    factor("hardware-unknown", Term::Unknowns, (2, 2),
        ("Disks or network adapters not fully observed", "size and shape of the work are not known"),
        |it, _| u32::from(!disk_capacity_mib(it).is_observed()) + u32::from(!it.nics.is_complete())),
];

const GIB: u64 = 1024;
const TIB: u64 = 1024 * GIB;
const DISK_STEPS_MIB: [u64; 6] = [500 * GIB, TIB, 2 * TIB, 5 * TIB, 10 * TIB, 20 * TIB];
const VCPU_STEPS: [u64; 4] = [9, 17, 33, 65];
const MEMORY_STEPS_MIB: [u64; 5] = [65 * GIB, 129 * GIB, 257 * GIB, 513 * GIB, 1025 * GIB];

/// Adapter types that any platform has an equivalent for.
const ORDINARY_ADAPTERS: [&str; 4] = ["vmxnet3", "e1000", "e1000e", "virtio"];

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn beyond_first(number: usize) -> u32 {
    count(number.saturating_sub(1))
}

/// How many of the rising `thresholds` a value reaches.
fn steps(fact: &Observed<u64>, thresholds: &[u64]) -> u32 {
    let value = fact.copied().unwrap_or(0);
    count(thresholds.iter().filter(|it| value >= **it).count())
}

fn independent(disk: &Disk) -> bool {
    matches!(
        disk.mode,
        Observed::Value(
            DiskMode::NonPersistent
                | DiskMode::IndependentPersistent
                | DiskMode::IndependentNonPersistent
        )
    )
}

fn special(adapter: &str) -> bool {
    !adapter.is_empty() && !ORDINARY_ADAPTERS.iter().any(|it| adapter.eq_ignore_ascii_case(it))
}
