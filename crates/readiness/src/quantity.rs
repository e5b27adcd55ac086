//! Sums that say how much they could not count.

use std::ops::AddAssign;

use entente_model::{Estate, Observed, Workload, WorkloadKind};
use schemars::JsonSchema;
use serde::Serialize;

/// A sum over workloads, with how many it could not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Quantity {
    /// Sum over those that were observed.
    pub known: u64,
    /// How many were not observed and are not in the sum.
    pub unknown: u64,
}

impl Quantity {
    /// Adds one observed value, or counts one more that was not observed.
    pub fn count(&mut self, fact: &Observed<u64>) {
        match fact {
            Observed::Value(value) => self.known = self.known.saturating_add(*value),
            Observed::Absent => {}
            Observed::Unobserved(_) => self.unknown = self.unknown.saturating_add(1),
        }
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        self.known = self.known.saturating_add(other.known);
        self.unknown = self.unknown.saturating_add(other.unknown);
    }
}

/// Whole MiB in so many bytes.
pub(crate) fn mib(bytes: u64) -> u64 {
    bytes >> 20
}

/// Ordinary machines: what readiness, complexity and sizing speak of.
pub(crate) fn machines(estate: &Estate) -> impl Iterator<Item = &Workload> {
    estate.workloads.iter().filter(|it| it.kind == WorkloadKind::Machine)
}

/// Virtual processors.
pub(crate) fn vcpus(workload: &Workload) -> Observed<u64> {
    workload.cpu.count.as_ref().map(|count| u64::from(*count))
}

/// Configured memory.
pub(crate) fn memory_mib(workload: &Workload) -> Observed<u64> {
    workload.memory.size_bytes.as_ref().map(|bytes| mib(*bytes))
}

/// Capacity of all disks together; not observed as soon as one is missing.
pub(crate) fn disk_capacity_bytes(workload: &Workload) -> Observed<u64> {
    let mut sum = 0_u64;
    for disk in &workload.disks {
        match disk.capacity_bytes {
            Observed::Value(bytes) => sum = sum.saturating_add(bytes),
            Observed::Absent => {}
            Observed::Unobserved(why) => return Observed::Unobserved(why),
        }
    }
    match workload.disks.why() {
        Some(why) => Observed::Unobserved(why),
        None => Observed::Value(sum),
    }
}

/// Capacity of all disks together, in whole MiB; not observed as soon as one is missing.
pub fn disk_capacity_mib(workload: &Workload) -> Observed<u64> {
    disk_capacity_bytes(workload).map(mib)
}

/// Storage in use.
pub(crate) fn storage_used_mib(workload: &Workload) -> Observed<u64> {
    workload.samples.storage_used_bytes.as_ref().map(|bytes| mib(*bytes))
}
