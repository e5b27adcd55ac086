//! RVTools exports: the one file that every VMware customer has.
//!
//! What is read: a workbook (`.xlsx`), or a folder or `.zip` of `RVTools_tab*.csv`, of versions 3.x
//! to 4.8, merged workbooks included; all 27 tabs, of which those without a home in the model are
//! counted and said so. No rights are needed: the export was made with somebody's.
//!
//! What is not: anything that RVTools does not write ([`LIMITS`]): passthrough devices other than
//! USB, TPM, encryption, affinity to processors, whether an address is static, storage policies,
//! permissions, alarms, NSX.
//!
//! What a claim rests on: tabs, headers and cell forms are taken from the vendor's manual, its
//! version history and public exports; `tests.rs` holds them. That columns headed `MB` before 4.1
//! hold MiB is inferred: the release that renamed them mentions no change of numbers.

mod collect;
mod map;
mod wire;

#[cfg(test)]
mod tests;

use std::path::Path;

use entente_model::Collection;

use crate::connector::{Access, CollectError, Connector, Export, Watch};
use crate::tables::Limits;

/// The connector.
pub struct RvTools;

/// Its one instance.
pub static CONNECTOR: RvTools = RvTools;

const NAME: &str = "rvtools";

impl Connector for RvTools {
    fn name(&self) -> &'static str {
        NAME
    }

    fn label(&self) -> &'static str {
        "RVTools export"
    }

    fn access(&self) -> Access {
        Access::Export(&CONNECTOR)
    }
}

impl Export for RvTools {
    fn collect(
        &self,
        path: &Path,
        limits: Limits,
        watch: &dyn Watch,
    ) -> Result<Collection, CollectError> {
        collect::collect(path, limits, watch)
    }
}

/// What an RVTools export can never tell.
const LIMITS: &[(&str, &str)] = &[
    (
        "workload.pci_passthrough",
        "no tab lists PCI devices passed from a host; a live collection tells it",
    ),
    ("workload.vgpus", "no tab lists shares of a GPU; a live collection tells it"),
    ("workload.serial_ports", "no tab lists serial ports; a live collection tells it"),
    ("workload.tpm", "no tab tells of a virtual TPM; a live collection tells it"),
    ("workload.encrypted", "no tab tells of VM or disk encryption; a live collection tells it"),
    (
        "workload.cpu_affinity",
        "no tab tells which processors a machine is bound to; a live collection tells it",
    ),
    (
        "workload.numa_affinity",
        "no tab tells which NUMA nodes a machine is bound to; a live collection tells it",
    ),
    (
        "workload.nics[].address_is_static",
        "no tab tells whether an address is static or from DHCP; a live collection tells it",
    ),
    (
        "workload.disks[].change_tracking",
        "changed block tracking is told per machine, not per disk; a live collection tells it",
    ),
    (
        "workload.attributes",
        "tags are exported only with user name and password and without -ExcludeTags, and look like custom attributes; a live collection tells it",
    ),
];
