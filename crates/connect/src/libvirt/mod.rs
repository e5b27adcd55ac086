//! libvirt hosts: KVM by itself, without a manager above it.
//!
//! What is read, over libvirt's own remote protocol and without its library: host, capabilities,
//! every domain with its XML (as it runs, and as it is stored), VM snapshots, checkpoints, sizes of
//! images, leased addresses, what guest agents tell; virtual networks, storage pools and volumes,
//! network filters and where they are at work; lifecycle events.
//!
//! What is not ([`limits`]): users, roles and rights (libvirt has none of its own), clusters, backup
//! jobs, tasks, when a domain was created. Secrets are never asked for: the XML is the one without
//! them, and the connection is read-only unless the address asks for more.
//!
//! What a claim rests on: a real libvirtd 9.0 with QEMU 7.2, its test driver, and a twin
//! (`docs/connectors/libvirt.md` says which is which).

mod collect;
mod map;
mod wire;

#[cfg(test)]
mod tests;

use entente_model::{Collection, Text};

use crate::connector::{Access, Connector};
use crate::live::{Answer, Change, CheckReport, ConnectError, Live, Right, Run};

#[cfg(feature = "fuzzing")]
pub use wire::fuzzing;

/// The connector.
#[derive(Debug)]
pub struct Libvirt;

/// Its one instance.
pub static CONNECTOR: Libvirt = Libvirt;

const NAME: &str = "libvirt";

/// The kind of platform, for people.
const LABEL: &str = "KVM (libvirt)";

/// How addresses look.
const FORM: &str = "qemu:///system, qemu+tls://HOST[:16514]/system, qemu+ssh://[USER@]HOST/system or \
     qemu+tcp://HOST[:16509]/system, with ?socket=PATH and ?access=full where needed";

/// Oldest version of libvirt that is supported, counted as libvirt does: filters of lists, filter
/// bindings and the events that are used are all there since.
const OLDEST: u64 = 4_000_000;

impl Connector for Libvirt {
    fn name(&self) -> &'static str {
        NAME
    }

    fn label(&self) -> &'static str {
        LABEL
    }

    fn access(&self) -> Access {
        Access::Live(&CONNECTOR)
    }
}

impl Live for Libvirt {
    fn address_form(&self) -> &'static str {
        FORM
    }

    fn rights(&self) -> &'static [Right] {
        RIGHTS
    }

    fn check<'a>(&'a self, run: Run<'a>) -> Answer<'a, Result<CheckReport, ConnectError>> {
        Box::pin(collect::check(run))
    }

    fn collect<'a>(&'a self, run: Run<'a>) -> Answer<'a, Result<Collection, ConnectError>> {
        Box::pin(collect::collect(run))
    }

    fn follow<'a>(
        &'a self,
        run: Run<'a>,
        changed: &'a mut (dyn FnMut(Change) + Send),
    ) -> Option<Answer<'a, Result<(), ConnectError>>> {
        Some(Box::pin(collect::follow(run, changed)))
    }
}

/// A version as people write it, from major × 1,000,000 + minor × 1,000 + release.
fn version(number: u64) -> Text {
    let (major, minor, release) = (number / 1_000_000, number / 1_000 % 1_000, number % 1_000);
    Text::from(format!("{major}.{minor}.{release}"))
}

/// The least-privilege table, by the names of libvirt's access control. Without access control, a
/// read-only connection has all but the last.
const RIGHTS: &[Right] = &[
    right("connect.getattr", "the connection", "logging in"),
    right("connect.read", "the connection", "the host: hardware, capabilities, maker and model"),
    right("connect.search-domains", "the connection", "workloads, lifecycle events"),
    right("domain.getattr", "every domain", "the workload at all: it is left out without a word"),
    right("domain.read", "every domain", "everything of a workload but its name"),
    right("connect.search-networks", "the connection", "networks"),
    right("network.getattr", "every network", "the network at all: it is left out without a word"),
    right("network.read", "every network", "VLANs, port groups, forwarding"),
    right("connect.search-storage-pools", "the connection", "datastores"),
    right(
        "storage-pool.getattr",
        "every pool",
        "the datastore at all: it is left out without a word",
    ),
    right("storage-pool.read", "every pool", "size and kind of datastores"),
    right("storage-pool.search-storage-vols", "every pool", "volumes"),
    right(
        "storage-vol.getattr",
        "every volume",
        "the volume at all: it is left out without a word",
    ),
    right("storage-vol.read", "every volume", "size and format of volumes"),
    right("connect.search-nwfilters", "the connection", "network filters"),
    right("nwfilter.getattr", "every filter", "the filter at all: it is left out without a word"),
    right("nwfilter.read", "every filter", "what filters do"),
    right("connect.search-nwfilter-bindings", "the connection", "network filters at work"),
    right(
        "nwfilter-binding.getattr",
        "every binding",
        "the binding at all: it is left out without a word",
    ),
    right(
        "nwfilter-binding.read",
        "every binding",
        "whose adapter a filter guards, with its parameters",
    ),
    right("connect.search-node-devices", "the connection", "types of shared GPUs"),
    right(
        FULL_ACCESS,
        "the connection, by `?access=full` in the address",
        "what guest agents tell: host name, operating system, file systems, addresses not leased by libvirt",
    ),
];

/// The right that no read-only connection has.
const FULL_ACCESS: &str = "read-write connection";

const fn right(name: &'static str, scope: &'static str, needed_for: &'static str) -> Right {
    Right { name, scope, needed_for }
}

/// What libvirt can never tell.
const LIMITS: &[(&str, &str)] = &[
    (
        "principals",
        "not modelled by this platform: users are those of the host, of TLS certificates or of SASL; the host's own configuration tells",
    ),
    (
        "roles",
        "not modelled by this platform: a connection is read-only or not; polkit rules on the host may tell more",
    ),
    ("grants", "not modelled by this platform: polkit rules on the host tell who may do what"),
    (
        "authentication_sources",
        "not modelled by this platform: the daemon's own configuration tells",
    ),
    ("placement_groups", "not modelled by this platform: a host knows no other"),
    ("placement_rules", "not modelled by this platform: a host knows no other"),
    ("protection_jobs", "not modelled by this platform: the backup tool's own configuration tells"),
    ("alarms", "not modelled by this platform: the monitoring tool tells"),
    (
        "attachments",
        "not told to ordinary connections: the daemon's administration socket lists its clients",
    ),
    ("activities", "not kept by this platform: events are told only while they happen"),
    ("clusters", "not modelled by this platform: a cluster manager above it tells"),
    (
        "workloads",
        "where the host uses access control, domains that the account may not see are left out without a word",
    ),
    ("workload.created_days_ago", "not kept by this platform"),
    ("workload.datacenter", "not modelled by this platform"),
    ("workload.folder", "not modelled by this platform"),
    ("workload.ha_protected", "not modelled by this platform: a cluster manager above it tells"),
    (
        "workload.ha_restart_priority",
        "not modelled by this platform: a cluster manager above it tells",
    ),
    (
        "workload.ha_isolation_response",
        "not modelled by this platform: a cluster manager above it tells",
    ),
    ("workload.cluster_rules", "not modelled by this platform: a cluster manager above it tells"),
    ("workload.consolidation_needed", "not told by this platform"),
    (
        "workload.hardware_version",
        "machine types are names, not numbers: see the advanced setting `machine`",
    ),
    ("workload.tools_version", "not told by this platform"),
    ("workload.heartbeat", "not told by this platform"),
    ("workload.powered_on_days", "not told by this platform"),
    ("workload.nics[].mac_origin", "not kept by this platform"),
    ("workload.nics[].address_is_static", "not told by this platform"),
    ("workload.snapshots[].size_mib", "not told by this platform"),
    ("workload.snapshots[].quiesced", "not kept by this platform"),
    ("host.in_maintenance", "not modelled by this platform"),
    ("host.evc_mode", "not modelled by this platform"),
];
