//! What folders, datacenters, resource pools and vApps say of themselves.

use super::facts::{Facts, encoded_name};
use super::layout::{Datacenter, Folder, Pool, ROOT};
use super::machine::allocation;
use super::xml::Writer;

const MIB: u64 = 1024 * 1024;

/// The XML of a folder or a cluster of datastores.
pub(super) fn folder(facts: &Facts<'_>, folder: &Folder) -> String {
    let mut w = Writer::new();
    facts.entity(&mut w, &folder.reference, &folder.name, folder.parent.as_ref(), &[]);
    for kind in folder.child_types {
        w.text("childType", kind);
    }
    w.references("childEntity", folder.children.iter().map(|it| it.pair()));
    if folder.reference.kind == "StoragePod" {
        super::storage::pod(facts, &mut w, folder);
    }
    w.finish()
}

/// The XML of a datacenter.
pub(super) fn datacenter(facts: &Facts<'_>, at: usize, place: &Datacenter) -> String {
    let layout = facts.layout;
    let mut w = Writer::new();
    let root = super::layout::Ref::new("Folder", ROOT);
    facts.entity(&mut w, &place.reference, &place.name, Some(&root), &[]);
    let folders = [
        ("vmFolder", place.vm),
        ("hostFolder", place.host),
        ("datastoreFolder", place.datastore),
        ("networkFolder", place.network),
    ];
    for (name, folder) in folders {
        if let Some(folder) = layout.folders.get(folder) {
            w.reference(name, "Folder", &folder.reference.id);
        }
    }
    let hosts: Vec<_> = layout.hosts.iter().filter(|it| it.datacenter == at).collect();
    let stores: std::collections::BTreeSet<usize> =
        hosts.iter().flat_map(|it| &it.datastores).copied().collect();
    let stores = stores.iter().filter_map(|it| layout.datastores.get(*it));
    w.references("datastore", stores.map(|it| it.reference.pair()));
    let networks: std::collections::BTreeSet<usize> =
        hosts.iter().flat_map(|it| &it.networks).copied().collect();
    let networks = networks.iter().filter_map(|it| layout.networks.get(*it));
    w.references("network", networks.map(|it| it.reference.pair()));
    w.node("configuration", |_| {});
    w.finish()
}

/// The XML of a resource pool or vApp.
pub(super) fn pool(facts: &Facts<'_>, pool: &Pool) -> String {
    let layout = facts.layout;
    let is_vapp = pool.reference.kind == "VirtualApp";
    let mut w = Writer::new();
    facts.entity(&mut w, &pool.reference, &pool.name, Some(&pool.parent), &[]);
    let class = if is_vapp { "VirtualAppSummary" } else { "ResourcePoolSummary" };
    w.node_as("summary", class, |w| {
        w.text("name", &encoded_name(&pool.name));
        w.node("config", |w| configuration(facts, w, pool));
        w.node("runtime", runtime);
        if is_vapp {
            w.text("vAppState", "started");
            w.leaf("suspended", false);
        }
    });
    w.node("runtime", runtime);
    if let Some(owner) = layout.computes.get(pool.compute) {
        w.reference("owner", owner.reference.kind, &owner.reference.id);
    }
    let children = pool.children.iter().filter_map(|it| layout.pools.get(*it));
    w.references("resourcePool", children.map(|it| it.reference.pair()));
    let machines = pool.machines.iter().filter_map(|it| layout.machines.get(*it));
    w.references("vm", machines.map(|it| it.reference.pair()));
    w.node("config", |w| configuration(facts, w, pool));
    if is_vapp {
        let folder = pool.folder.and_then(|it| layout.folders.get(it));
        if let Some(folder) = folder {
            w.reference("parentFolder", "Folder", &folder.reference.id);
        }
        w.empty("datastore");
        w.empty("network");
        w.empty("childLink");
    }
    w.finish()
}

fn configuration(facts: &Facts<'_>, w: &mut Writer, pool: &Pool) {
    let source = pool.source.and_then(|it| facts.collection.resource_pools.get(it));
    w.reference("entity", pool.reference.kind, &pool.reference.id);
    let cpu = source.and_then(|it| it.cpu_reservation_mhz.copied()).unwrap_or(0);
    let limit = source.and_then(|it| it.cpu_limit_mhz.copied());
    allocation(w, "cpuAllocation", cpu, limit, ("normal", 4000));
    let memory = source.and_then(|it| it.memory_reservation_bytes.copied()).unwrap_or(0) / MIB;
    let limit = source.and_then(|it| it.memory_limit_bytes.copied()).map(|it| it / MIB);
    allocation(w, "memoryAllocation", memory, limit, ("normal", 163_840));
}

fn runtime(w: &mut Writer) {
    for (name, most) in [("memory", 549_755_813_888_u64), ("cpu", 96_000)] {
        w.node(name, |w| {
            w.leaf("reservationUsed", 0);
            w.leaf("reservationUsedForVm", 0);
            w.leaf("unreservedForPool", most);
            w.leaf("unreservedForVm", most);
            w.leaf("overallUsage", most / 5);
            w.leaf("maxUsage", most);
        });
    }
    w.text("overallStatus", "green");
}
