//! Proxmox VE 7 to 9, by its own interface under `/api2/json`.
//!
//! What is read: the cluster and its nodes, QEMU machines and LXC containers with their configuration
//! to each device, VM snapshots and what guest agents tell, storages and what they hold, bridges and
//! virtual networks, pools, HA, replication, backup jobs, users with groups, roles, tokens and grants,
//! the firewall at every level in its own language, tasks of the last days.
//!
//! What is not: anything on a node that is offline, the firewall of a guest none of whose interfaces
//! asks for it, logs. Proxmox VE tells nobody when something changes: `follow` has nothing to follow,
//! and changes are seen by reading again. Tickets cannot be ended; they die by themselves in two hours.
//!
//! Rights: see `collect/rights.rs` and `docs/connectors/proxmox.md`. Lists are filtered by rights in
//! silence, so that what `/access/permissions` lacks becomes a gap on every list that it hides from.
//!
//! What a claim rests on: answers recorded from a cluster of version 9.1.5 (`tests/recorded.rs`); the
//! published schema of the interface; for versions 7 and 8 their published differences. No claim
//! rests on a live cluster.

mod collect;
mod map;
mod wire;

#[cfg(test)]
mod tests;

use entente_model::Collection;

use crate::connector::{Access, Connector};
use crate::live::{Answer, CheckReport, ConnectError, Live, Right, Run};

/// The connector.
#[derive(Debug)]
pub struct Proxmox;

/// Its one instance.
pub static CONNECTOR: Proxmox = Proxmox;

const NAME: &str = "proxmox";
const PRODUCT: &str = "Proxmox VE";
const ADDRESS_FORM: &str = "https://HOST[:8006]";

impl Connector for Proxmox {
    fn name(&self) -> &'static str {
        NAME
    }

    fn label(&self) -> &'static str {
        PRODUCT
    }

    fn access(&self) -> Access {
        Access::Live(&CONNECTOR)
    }
}

impl Live for Proxmox {
    fn address_form(&self) -> &'static str {
        ADDRESS_FORM
    }

    fn rights(&self) -> &'static [Right] {
        collect::rights()
    }

    fn check<'a>(&'a self, run: Run<'a>) -> Answer<'a, Result<CheckReport, ConnectError>> {
        Box::pin(collect::check(run))
    }

    fn collect<'a>(&'a self, run: Run<'a>) -> Answer<'a, Result<Collection, ConnectError>> {
        Box::pin(collect::collect(run))
    }
}

/// What Proxmox VE can never tell.
const LIMITS: &[(&str, &str)] = &[
    ("platforms.uuid", "a cluster has no UUID of its own"),
    ("hosts.vendor", "maker and model of a machine are not told"),
    ("datastores.version", "versions of file systems are not told"),
    ("networks.promiscuous", "bridges pass frames by their own rules; there is no such switch"),
    ("workload.instance_uuid", "a guest is known by its number, which may be used again"),
    ("workload.firmware.hardware_version", "machine types are words; see the setting `machine`"),
    (
        "workload.availability",
        "priorities of restart, isolation response, latency sensitivity, and lowest processor generation do not exist as settings of a guest",
    ),
    (
        "networks.carries_hypervisor",
        "told for bridges; which addresses nodes have on virtual networks is not",
    ),
    (
        "workload.devices",
        "what kind of device a device node is that a container may use is not told",
    ),
    (
        "workload.disks[].change_tracking",
        "dirty bitmaps live in the running process and are not told",
    ),
    ("workload.disks[].thin", "told by the type of the storage and the format; not for raw files"),
    ("workload.nics[].address_is_static", "told for containers and for what cloud-init sets up"),
    ("workload.snapshots[].size_bytes", "the space that one VM snapshot holds is not told"),
    ("workload.created", "containers do not keep when they were made"),
    ("workload.partitions", "file systems of guests are not asked for"),
    (
        "workload.samples",
        "ready time, active, swapped and ballooned memory and heartbeat are not told",
    ),
];
