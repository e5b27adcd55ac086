//! What a workload stands on: its cluster, host and datastores.
//!
//! One that is named but that the estate does not describe still has its name; all else of it is
//! unobserved.

use std::collections::BTreeSet;

use entente_model::{
    Cluster, ClusterId, Completeness, Datastore, DatastoreId, EstateIndex, Host, HostId, Listing,
    Observed, PlatformId, Why, Workload,
};

use super::table::{attributes, bool, int, one_of, text};
use super::words::{CPU_VENDORS, cpu_vendor};
use super::{mib, native_name};
use crate::value::Value;

/// A fact about something that the estate may not describe.
fn fact<'a, T>(described: Option<&'a T>, fact: impl Fn(&'a T) -> Value<'a>) -> Value<'a> {
    described.map_or(Value::Unobserved(Why::NotInExport), fact)
}

/// A cluster of hosts.
pub(super) struct ClusterRecord<'a> {
    name: &'a str,
    cluster: Option<&'a Cluster>,
}

impl<'a> ClusterRecord<'a> {
    /// The cluster `id` of `workload`.
    pub fn new(index: &'a EstateIndex<'a>, workload: &'a Workload, id: &'a ClusterId) -> Self {
        let cluster = index.cluster(id);
        let name = || native_name(id.as_str(), &workload.platform);
        Self { name: cluster.map_or_else(name, |cluster| &cluster.name), cluster }
    }
}

attributes! { ClusterRecord is "cluster";
    name: text() => |it| it.name.into(),
        "Its name.";
    datacenter: text() => |it| fact(it.cluster, |of| (&of.datacenter).into()),
        "Datacenter, by name.";
    ha_enabled: bool() => |it| fact(it.cluster, |of| (&of.ha_enabled).into()),
        "Workloads restart on other hosts.";
    admission_control: bool()
        => |it| fact(it.cluster, |of| (&of.admission_control).into()),
        "Capacity is kept free for restarts.";
    drs_enabled: bool() => |it| fact(it.cluster, |of| (&of.drs_enabled).into()),
        "Workloads are balanced over hosts.";
    drs_behaviour: text() => |it| fact(it.cluster, |of| (&of.drs_behaviour).into()),
        "How: `fullyAutomated`, `partiallyAutomated`, `manual`.";
    dpm_enabled: bool() => |it| fact(it.cluster, |of| (&of.dpm_enabled).into()),
        "Hosts are powered off when idle.";
    hosts: int() => |it| fact(it.cluster, |of| (&of.host_count).into()),
        "How many hosts it has.";
}

/// A hypervisor host.
pub(super) struct HostRecord<'a> {
    name: &'a str,
    host: Option<&'a Host>,
}

impl<'a> HostRecord<'a> {
    /// The host `id` of `workload`.
    pub fn new(index: &'a EstateIndex<'a>, workload: &'a Workload, id: &'a HostId) -> Self {
        let host = index.host(id);
        let name = || native_name(id.as_str(), &workload.platform);
        Self { name: host.map_or_else(name, |host| &host.name), host }
    }
}

attributes! { HostRecord is "host";
    name: text() => |it| it.name.into(),
        "Its name.";
    cpu_model: text() => |it| fact(it.host, |of| (&of.cpu_model).into()),
        "Processor model, as the host writes it.";
    cpu_vendor: one_of(CPU_VENDORS) => |it| fact(it.host, |of| match &of.cpu_model {
            Observed::Value(model) => Value::Text(cpu_vendor(model)),
            Observed::Absent => Value::Absent,
            Observed::Unobserved(why) => Value::Unobserved(*why),
        }),
        "Maker of the processor.";
    hypervisor: text() => |it| fact(it.host, |of| (&of.hypervisor).into()),
        "Hypervisor product, `VMware ESXi`.";
    version: text() => |it| fact(it.host, |of| (&of.version).into()),
        "Hypervisor version, `8.0.3`.";
    vendor: text() => |it| fact(it.host, |of| (&of.vendor).into()),
        "Maker of the machine.";
    model: text() => |it| fact(it.host, |of| (&of.model).into()),
        "Model of the machine.";
    in_maintenance: bool() => |it| fact(it.host, |of| (&of.in_maintenance).into()),
        "In maintenance mode.";
    evc_mode: text().or_null() => |it| fact(it.host, |of| (&of.evc_mode).into()),
        "EVC mode now; null = none.";
    evc_mode_max: text().or_null()
        => |it| fact(it.host, |of| (&of.evc_mode_max).into()),
        "Highest EVC mode that it could run; null = none.";
}

/// A datastore or storage container.
pub(super) struct DatastoreRecord<'a> {
    name: &'a str,
    datastore: Option<&'a Datastore>,
}

impl<'a> DatastoreRecord<'a> {
    /// The distinct datastores of a workload's disks.
    pub fn all(index: &'a EstateIndex<'a>, workload: &'a Workload) -> Listing<Self> {
        let mut completeness = workload.disks.completeness;
        let mut ids = BTreeSet::new();
        for disk in &workload.disks {
            match &disk.datastore {
                Observed::Value(id) => _ = ids.insert(id),
                Observed::Absent => {}
                Observed::Unobserved(why) if completeness == Completeness::Complete => {
                    completeness = Completeness::Incomplete(*why);
                }
                Observed::Unobserved(_) => {}
            }
        }
        let items = ids.into_iter().map(|id| Self {
            name: datastore_name(index, &workload.platform, id),
            datastore: index.datastore(id),
        });
        Listing { items: items.collect(), completeness }
    }
}

attributes! { DatastoreRecord is "datastore";
    name: text() => |it| it.name.into(),
        "Its name.";
    kind: text() => |it| fact(it.datastore, |of| (&of.kind).into()),
        "Kind, as the platform writes it: `VMFS`, `NFS`, `vsan`, `VVOL` …";
    capacity_mib: int() => |it| fact(it.datastore, |of| mib(&of.capacity_bytes)),
        "Size, in MiB.";
    free_mib: int() => |it| fact(it.datastore, |of| mib(&of.free_bytes)),
        "Free space, in MiB.";
    accessible: bool() => |it| fact(it.datastore, |of| (&of.accessible).into()),
        "Reachable.";
}

/// The name of a datastore of a workload on `platform`, described or not.
pub(super) fn datastore_name<'a>(
    index: &EstateIndex<'a>,
    platform: &PlatformId,
    id: &'a DatastoreId,
) -> &'a str {
    match index.datastore(id) {
        Some(datastore) => &datastore.name,
        None => native_name(id.as_str(), platform),
    }
}
