//! Attachments: which control-plane features a workload leans on.
//!
//! One table ([`ATTACHMENT_KINDS`]) says what counts, what one of it weighs in the complexity score,
//! and why. What was not observed never counts; it is reported as not observed.

mod count;

use entente_model::{EstateIndex, Why, WorkloadKind};

use crate::complexity::{Term, Weight};
use crate::parallel;
use count::{Surroundings, View};

/// One kind of attachment over all machines.
#[derive(Clone, Copy, Debug)]
pub struct AttachmentTotals {
    /// The kind.
    pub kind: &'static AttachmentKind,
    /// Machines that have it.
    pub workloads: u64,
    /// How often in all.
    pub count: u64,
    /// Machines for which it was not observed, or not in full.
    pub not_observed: u64,
}

/// A kind of attachment: a row of [`ATTACHMENT_KINDS`].
#[derive(Clone, Copy, Debug)]
pub struct AttachmentKind {
    /// Its name, and what one of it weighs in the complexity score.
    pub weight: Weight,
    count: fn(&View<'_>) -> Seen,
}

/// How often something was seen, and why there may be more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    count: u32,
    missing: Option<Why>,
}

/// Shorthand for a row of the table.
const fn kind(
    id: &'static str,
    term: Term,
    (points, up_to): (u32, u32),
    (label, reason): (&'static str, &'static str),
    count: fn(&View<'_>) -> Seen,
) -> AttachmentKind {
    AttachmentKind { weight: Weight { id, label, term, points, up_to, reason }, count }
}

/// Every kind of attachment.
#[rustfmt::skip]
pub static ATTACHMENT_KINDS: [AttachmentKind; 29] = [
    kind("drs-rule", Term::ControlPlane, (4, 5),
        ("DRS affinity, anti-affinity or host rule", "somebody decided where it may run; the rule must be understood and built again"),
        count::drs_rules),
    kind("drs-cluster", Term::ControlPlane, (1, 1),
        ("Cluster balanced by DRS", "it is moved between hosts by itself today"),
        count::drs_cluster),
    kind("ha-protected", Term::ControlPlane, (1, 1),
        ("Restarted by HA", "its restart must be arranged again"),
        count::ha_protected),
    kind("ha-override", Term::ControlPlane, (2, 2),
        ("Own HA restart priority or isolation response", "a restart order that somebody chose"),
        count::ha_overrides),
    kind("fault-tolerance", Term::ControlPlane, (10, 1),
        ("Fault tolerance", "a running mirror: hardly any other platform has one"),
        count::fault_tolerance),
    kind("recovery-placeholder", Term::ControlPlane, (8, 1),
        ("Recovery placeholder at another site (SRM)", "protection group, recovery plan and tests must be replaced before it moves"),
        count::recovery_placeholders),
    kind("vapp", Term::ControlPlane, (3, 1),
        ("vApp", "start order and settings shared with other machines"),
        count::vapp),
    kind("resource-pool", Term::ControlPlane, (2, 1),
        ("Resource pool of its own", "shares and limits are given to a group, and often permissions too"),
        count::resource_pool),
    kind("resource-setting", Term::ControlPlane, (1, 4),
        ("Own reservation, limit or share level", "a promise or a cap that must be kept or dropped on purpose"),
        count::resource_settings),
    kind("evc", Term::ControlPlane, (1, 1),
        ("Host in EVC mode", "moves between processor generations rest on it"),
        count::evc),
    kind("latency-sensitivity", Term::ControlPlane, (5, 1),
        ("Latency sensitivity", "processors and memory are dedicated to it"),
        count::latency_sensitivity),
    kind("processor-affinity", Term::ControlPlane, (3, 2),
        ("Bound to processors or NUMA nodes", "bound to one kind of host"),
        count::processor_affinity),
    kind("change-tracking", Term::ControlPlane, (2, 1),
        ("Changed block tracking", "a backup product reads its changes through the platform"),
        count::change_tracking),
    kind("disk-uuid", Term::ControlPlane, (1, 1),
        ("Disk UUIDs shown to the guest", "a guest, a cluster product or a backup product finds disks by them"),
        count::disk_uuid),
    kind("attribute", Term::ControlPlane, (1, 5),
        ("Custom attribute or tag", "backup, automation and cost reports often select by them"),
        count::attributes),
    kind("encryption", Term::ControlPlane, (8, 1),
        ("Encrypted by the platform", "it needs the platform's key provider to start"),
        count::encryption),
    kind("tpm", Term::ControlPlane, (5, 1),
        ("Virtual TPM", "its secrets do not move with the disks"),
        count::tpm),
    kind("datastore-cluster", Term::Storage, (1, 3),
        ("Disk in a datastore cluster (storage DRS)", "it is moved between datastores by itself today"),
        count::datastore_clusters),
    kind("storage-io-control", Term::Storage, (1, 1),
        ("Datastore with storage I/O control", "its neighbours are held back for it today"),
        count::storage_io_control),
    kind("raw-mapping", Term::Storage, (8, 3),
        ("Raw device mapping", "the disk is a LUN of the array, outside the platform's files"),
        count::raw_mappings),
    kind("shared-disk", Term::Storage, (8, 3),
        ("Disk shared with other machines", "all machines of the cluster must move together"),
        count::shared_disks),
    kind("distributed-port-group", Term::Network, (1, 4),
        ("Adapter on a distributed switch", "port group, policy and counters live in the control plane"),
        count::distributed_port_groups),
    kind("port-group-security", Term::Network, (3, 3),
        ("Adapter on a port group with relaxed security policy", "something inside needs foreign addresses: a cluster, a load balancer, nested hypervisors"),
        count::port_group_security),
    kind("direct-path", Term::Network, (1, 2),
        ("Adapter that may bypass the hypervisor (DirectPath I/O)", "it may depend on the host's adapter"),
        count::direct_path),
    kind("usb", Term::Devices, (6, 2),
        ("USB device of a host", "a dongle or reader is plugged into one host"),
        count::usb),
    kind("pci-passthrough", Term::Devices, (10, 2),
        ("PCI device of a host", "bound to hosts with that device"),
        count::pci_passthrough),
    kind("vgpu", Term::Devices, (10, 1),
        ("Virtual GPU", "bound to hosts, drivers and licences of one GPU product"),
        count::vgpus),
    kind("serial-port", Term::Devices, (3, 1),
        ("Serial port", "bound to a device or a port concentrator"),
        count::serial_ports),
    kind("vm-snapshot", Term::State, (2, 5),
        ("VM snapshot", "it must be merged or carried, and somebody may count on it"),
        count::snapshots),
];

/// How many kinds there are.
pub const ATTACHMENT_KIND_COUNT: usize = ATTACHMENT_KINDS.len();

/// What one workload leans on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkloadAttachments {
    counts: [u32; ATTACHMENT_KIND_COUNT],
    not_observed: u64,
    beyond_source: u64,
}

impl WorkloadAttachments {
    /// Kinds of which at least one was seen, with how many, in the table's order.
    pub fn counts(&self) -> impl Iterator<Item = (&'static AttachmentKind, u32)> + use<> {
        ATTACHMENT_KINDS.iter().zip(self.counts).filter(|(_, count)| *count > 0)
    }

    /// Kinds that were not observed, or not in full, although this kind of source could have told.
    pub fn not_observed(&self) -> impl Iterator<Item = &'static AttachmentKind> + use<> {
        let missing = self.not_observed & !self.beyond_source;
        kinds_in(missing)
    }

    /// Kinds that this kind of source can never tell in full.
    pub fn beyond_source(&self) -> impl Iterator<Item = &'static AttachmentKind> + use<> {
        kinds_in(self.beyond_source)
    }

    fn see(view: &View<'_>) -> Self {
        let mut attachments =
            Self { counts: [0; ATTACHMENT_KIND_COUNT], not_observed: 0, beyond_source: 0 };
        for (at, (kind, count)) in ATTACHMENT_KINDS.iter().zip(&mut attachments.counts).enumerate()
        {
            let seen = (kind.count)(view);
            *count = seen.count;
            if let Some(why) = seen.missing {
                attachments.not_observed |= 1 << at;
                attachments.beyond_source |= u64::from(why.is_limit_of_source()) << at;
            }
        }
        attachments
    }
}

fn kinds_in(set: u64) -> impl Iterator<Item = &'static AttachmentKind> {
    ATTACHMENT_KINDS.iter().enumerate().filter(move |(at, _)| set >> at & 1 == 1).map(|(_, it)| it)
}

/// What every workload leans on, in the estate's order.
pub fn attachments(index: &EstateIndex<'_>) -> Vec<WorkloadAttachments> {
    let surroundings = Surroundings::new(index);
    parallel::map(&index.estate.workloads, |workload| {
        WorkloadAttachments::see(&View::new(&surroundings, workload))
    })
}

/// Totals over machines, by kind in the table's order; kinds that were observed everywhere and occur
/// nowhere are left out.
pub fn attachment_totals(
    index: &EstateIndex<'_>,
    attachments: &[WorkloadAttachments],
) -> Vec<AttachmentTotals> {
    let mut totals: Vec<AttachmentTotals> = ATTACHMENT_KINDS
        .iter()
        .map(|kind| AttachmentTotals { kind, workloads: 0, count: 0, not_observed: 0 })
        .collect();
    for (workload, attachments) in index.estate.workloads.iter().zip(attachments) {
        if workload.kind != WorkloadKind::Machine {
            continue;
        }
        for (at, (totals, count)) in totals.iter_mut().zip(attachments.counts).enumerate() {
            totals.workloads += u64::from(count > 0);
            totals.count += u64::from(count);
            totals.not_observed += attachments.not_observed >> at & 1;
        }
    }
    totals.into_iter().filter(|it| it.count > 0 || it.not_observed > 0).collect()
}

#[cfg(test)]
mod tests;
