//! VMware vSphere: vCenter 6.7 to 9.1 and standalone ESXi hosts, over their SOAP interface; tags over
//! REST, since nothing else tells them.
//!
//! What is read: folders, datacenters, clusters, hosts, pools, vApps, datastores, networks and
//! switches, machines down to each device; rules, overrides, storage policies, alarms; roles,
//! permissions and whom they name; extensions, sessions, tasks; licences. With which rights stands in
//! [`Live::rights`] and in `docs/connectors/vsphere.md`. Nothing is changed but for the session,
//! views and collectors that reading makes, which are ended again.
//!
//! What is not: what [`LIMITS`] lists; the directory behind a domain; guests' own configuration; NSX
//! and vSAN beyond what vCenter itself tells.
//!
//! What claims rest on: a simulator (vcsim) and recordings of three vCenters of 7.0, loaded into it.
//! No live vCenter has been read by this code.

mod collect;
mod map;
mod wire;

#[cfg(test)]
mod tests;

use entente_model::Collection;

pub use collect::{PropertiesRead, Property, properties};

use crate::connector::{Access, Connector};
use crate::live::{Answer, Change, CheckReport, ConnectError, Live, Right, Run};

/// The connector.
#[derive(Debug)]
pub struct Vsphere;

/// Its one instance.
pub static CONNECTOR: Vsphere = Vsphere;

const NAME: &str = "vsphere";
const LABEL: &str = "VMware vSphere";

impl Connector for Vsphere {
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

impl Live for Vsphere {
    fn address_form(&self) -> &'static str {
        collect::ADDRESS_FORM
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

    fn follow<'a>(
        &'a self,
        run: Run<'a>,
        changed: &'a mut (dyn FnMut(Change) + Send),
    ) -> Option<Answer<'a, Result<(), ConnectError>>> {
        Some(Box::pin(collect::follow(run, changed)))
    }
}

/// What vSphere can never tell, or what is never asked for.
const LIMITS: &[(&str, &str)] = &[
    (
        "workload.snapshots[].size_bytes",
        "only a list of every file of every machine tells it, which costs the platform more than all else together; RVTools exports tell it",
    ),
    ("workload.cpu_ready_basis_points", "it is a performance counter, not a property"),
    (
        "principals",
        "only whom permissions name is known: the directory behind a domain is not read",
    ),
    (
        "authentication_sources",
        "how a domain is configured is told elsewhere: only its name is known, from permissions",
    ),
    ("protection_jobs", "backup and replication products keep their own jobs"),
    ("policies", "NSX keeps firewall policy, and is a platform of its own"),
    ("volumes", "files on datastores that no machine names are not listed"),
    (
        "workloads (hidden)",
        "rights can be asked about on the root folder alone: what a permission further down hides is in no list, and known only where something else refers to it",
    ),
    ("networks[].vlan (opaque)", "NSX keeps what carries an opaque network"),
];

/// What a standalone host can never tell beyond that.
const LIMITS_OF_A_HOST: &[(&str, &str)] = &[
    ("tag_categories", "a standalone host has no tags"),
    ("storage_policies", "a standalone host has no storage policies"),
    ("alarms", "a standalone host has no alarms"),
    ("activities", "a standalone host keeps no history of tasks"),
];
