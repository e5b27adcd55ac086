//! LXC containers: they share their node's kernel and boot without firmware.

use entente_model::{Observed, Text, Why, Workload};

use super::machine::{limit, weight};
use super::{UsedNetworks, View, agent, devices, disks, nics};

/// Memory of a container that names none.
const MEMORY_MIB: u64 = 512;
const CPU_WEIGHTS: [u64; 2] = [100, 1024];

/// Fills in what a container's configuration tells.
pub(super) fn fill(view: &View<'_>, workload: &mut Workload, used: &mut UsedNetworks) {
    processors(view, workload);
    memory(view, workload);
    let (disks, _) = disks::disks(view);
    workload.disks = disks;
    workload.devices = devices::of_container(view);
    workload.nics = nics::nics(view, used);
    workload.firmware.kind = Observed::Absent;
    workload.firmware.secure_boot = Observed::Value(false);
    workload.firmware.hardware_version = Observed::Absent;
    workload.bios_uuid = Observed::Absent;
    workload.created = Observed::Unobserved(Why::SourceLimit);
    workload.guest.os_configured = view.text("ostype");
    let hostname = view.text("hostname");
    if let Observed::Value(name) = &hostname {
        workload.name = name.clone();
    }
    workload.guest.hostname = hostname;
    agent::fill_container(view, &mut workload.guest, &mut workload.nics.items);
}

fn processors(view: &View<'_>, workload: &mut Workload) {
    let cpu = &mut workload.cpu;
    // Without a number of its own it has all of its node's, which lists tell.
    match view.config.number("cores") {
        Observed::Absent => {}
        told => {
            cpu.count =
                told.and_then(|it| Observed::or_why(u32::try_from(it).ok(), Why::Unreadable));
        }
    }
    cpu.sockets = Observed::Absent;
    cpu.cores_per_socket = Observed::Absent;
    cpu.hot_add = Observed::Value(true);
    cpu.hot_remove = Observed::Value(true);
    cpu.limit_mhz = limit(view);
    cpu.shares_level = weight(view, "cpuunits", &CPU_WEIGHTS);
    cpu.affinity = Observed::Absent;
    cpu.numa_affinity = Observed::Absent;
}

fn memory(view: &View<'_>, workload: &mut Workload) {
    let memory = &mut workload.memory;
    memory.size_bytes = match view.config.number("memory") {
        Observed::Absent => Observed::Value(MEMORY_MIB << 20),
        told => told.and_then(|mib| Observed::or_why(mib.checked_mul(1 << 20), Why::Unreadable)),
    };
    memory.reservation_bytes = Observed::Value(0);
    memory.reservation_locked_to_max = Observed::Value(false);
    memory.shares_level = Text::new_static("normal").into();
    memory.hot_add = Observed::Value(true);
}
