//! Hosts, datastores, resource pools.

use entente_model::{Datastore, GapCause, Host, Observed, ResourcePool, Text, Why};

use super::super::wire::{Object, Told};
use super::facts::{Facts, basis_points, blank};
use super::inventory::Inventory;

/// A host. Licences and its certificate come from elsewhere.
pub(super) fn host(
    object: &Object<'_>,
    inventory: &Inventory,
    facts: &mut Facts<'_>,
) -> Option<Host> {
    facts.refusals(object);
    let native = object.reference.id;
    let id = inventory.hosts.get(native)?.clone();
    let hardware = object.get("summary.hardware");
    let product = object.get("config.product");
    let statistics = object.get("summary.quickStats");
    if object.get("runtime.connectionState").text().is_some_and(|it| it != "connected") {
        let message = "the host is not connected: what it last told is old";
        facts.gap(GapCause::Unreachable, "connectionState", message);
    }
    let cpu_mhz = facts.number::<u64>(hardware.child("cpuMhz"), blank());
    let cores = facts.number::<u32>(hardware.child("numCpuCores"), blank());
    let memory_bytes = facts.bytes(hardware.child("memorySize"), 1, blank());
    let cpu_all = match (&cpu_mhz, &cores) {
        (Observed::Value(mhz), Observed::Value(cores)) => {
            Observed::Value(mhz.saturating_mul(u64::from(*cores)))
        }
        _ => blank(),
    };
    let cpu_used = facts.number(statistics.child("overallCpuUsage"), blank());
    let memory_used = facts.bytes(statistics.child("overallMemoryUsage"), 1 << 20, blank());
    Some(Host {
        id,
        platform: inventory.platform.clone(),
        name: facts.name(object.get("name"), native),
        datacenter: inventory.datacenter(native),
        cluster: inventory.cluster(native),
        cpu_model: facts.text(hardware.child("cpuModel"), blank()),
        sockets: facts.number(hardware.child("numCpuPkgs"), blank()),
        hypervisor: facts.text(product.child("name"), blank()),
        version: facts.text(product.child("version"), blank()),
        build: facts.text(product.child("build"), blank()),
        vendor: facts.text(hardware.child("vendor"), blank()),
        model: facts.text(hardware.child("model"), blank()),
        in_maintenance: facts.flag(object.get("runtime.inMaintenanceMode"), blank()),
        in_quarantine: facts.flag(object.get("runtime.inQuarantineMode"), blank()),
        evc_mode: facts.text(object.get("summary.currentEVCModeKey"), Observed::Absent),
        evc_mode_max: facts.text(object.get("summary.maxEVCModeKey"), blank()),
        licence_count: Observed::Unobserved(Why::CallFailed),
        certificate_expires: Observed::Unobserved(Why::CallFailed),
        cpu_used_basis_points: basis_points(cpu_used, cpu_all),
        memory_used_basis_points: basis_points(memory_used, memory_bytes.clone()),
        booted: facts.moment(object.get("runtime.bootTime"), blank()),
        cpu_mhz,
        cores,
        memory_bytes,
    })
}

/// A datastore.
pub(super) fn datastore(
    object: &Object<'_>,
    inventory: &Inventory,
    facts: &mut Facts<'_>,
) -> Option<Datastore> {
    facts.refusals(object);
    let native = object.reference.id;
    let id = inventory.datastores.get(native)?.clone();
    let (summary, info) = (object.get("summary"), object.get("info"));
    let accessible = facts.flag(summary.child("accessible"), blank());
    // Sizes are valid only while it is accessible; otherwise they are what was last known, or zero.
    let unreachable = match accessible {
        Observed::Value(true) => None,
        Observed::Unobserved(why) => Some(why),
        Observed::Value(false) | Observed::Absent => {
            let message = "no host reaches the datastore: its sizes are not known";
            facts.value(GapCause::Unreachable, "summary.accessible", message, native);
            Some(Why::CallFailed)
        }
    };
    let valid = |size: Observed<u64>| unreachable.map_or(size, Observed::Unobserved);
    let capacity_bytes = valid(facts.bytes(summary.child("capacity"), 1, blank()));
    let free_bytes = valid(facts.bytes(summary.child("freeSpace"), 1, blank()));
    // Unset where nothing is promised beyond what is used.
    let promised = valid(facts.bytes(summary.child("uncommitted"), 1, Observed::Value(0)));
    let provisioned_bytes = match (&capacity_bytes, &free_bytes, &promised) {
        (Observed::Value(capacity), Observed::Value(free), Observed::Value(promised)) => {
            Observed::Value(capacity.saturating_sub(*free).saturating_add(*promised))
        }
        (Observed::Unobserved(why), _, _)
        | (_, Observed::Unobserved(why), _)
        | (_, _, Observed::Unobserved(why)) => Observed::Unobserved(*why),
        _ => blank(),
    };
    let mounts = object.get("host");
    let host_count = match mounts.refused() {
        Some(why) => Observed::Unobserved(why),
        None => Observed::Value(u32::try_from(mounts.elements().count()).unwrap_or(u32::MAX)),
    };
    Some(Datastore {
        id,
        platform: inventory.platform.clone(),
        name: facts.name(object.get("name"), native),
        kind: facts.text(summary.child("type"), blank()),
        version: facts.text(info.child("vmfs.version"), Observed::Absent),
        accessible,
        capacity_bytes,
        provisioned_bytes,
        free_bytes,
        host_count,
        datastore_cluster: match (inventory.above(native, "StoragePod"), object.get("parent")) {
            (Some((_, pod)), _) => Observed::Value(pod.name.clone()),
            (None, Told::Missing(why)) => Observed::Unobserved(why),
            (None, told) => match told.reference() {
                Some(parent) if inventory.place(parent.id).is_none() => {
                    Observed::Unobserved(inventory.hidden)
                }
                _ => Observed::Absent,
            },
        },
        io_control: facts.flag(object.get("iormConfiguration").child("enabled"), blank()),
    })
}

/// A resource pool or vApp.
pub(super) fn pool(
    object: &Object<'_>,
    inventory: &Inventory,
    facts: &mut Facts<'_>,
) -> Option<ResourcePool> {
    facts.refusals(object);
    let place = inventory.place(object.reference.id)?;
    let cpu = object.get("config.cpuAllocation");
    let memory = object.get("config.memoryAllocation");
    Some(ResourcePool {
        platform: inventory.platform.clone(),
        name: Text::clone(&place.name),
        path: Observed::Value(place.path.clone()),
        cpu_reservation_mhz: facts.number(cpu.child("reservation"), blank()),
        cpu_limit_mhz: facts.limit(cpu.child("limit"), 1),
        memory_reservation_bytes: facts.bytes(memory.child("reservation"), 1 << 20, blank()),
        memory_limit_bytes: facts.limit(memory.child("limit"), 1 << 20),
    })
}
