//! What makes machines hard to move: each kind of hardness brings several things at once.

use entente_model::{
    BusSharing, Device, Disk, DiskMode, DiskSharing, FirmwareKind, Observed, PowerState,
    RawMapping, Text, ToolsStatus, Workload,
};

use super::guests::{ORACLE_LINUX_8, OTHER_LINUX, RELICS, SERVERS, SLES_15};
use super::machine::{Making, quieten, switch_off};
use super::plan::Archetype;
use super::site::{GIB, MIB, TIB};
use crate::random::Random;

/// The operating system that goes with the kind of hardness.
pub(super) fn choose_os(making: &mut Making<'_>) {
    match making.app.archetype {
        Archetype::Legacy => making.os = *making.random.weighted(&RELICS),
        Archetype::RealApplicationCluster => making.os = ORACLE_LINUX_8,
        Archetype::InMemory | Archetype::Giant => making.os = SLES_15,
        Archetype::Appliance => making.os = OTHER_LINUX,
        Archetype::FailoverCluster => {
            while !making.os.windows {
                making.os = *making.random.weighted(&SERVERS);
            }
        }
        _ => {}
    }
}

/// Applies what the machine's kind of hardness brings.
pub(super) fn apply(making: &mut Making<'_>, workload: &mut Workload) {
    match making.app.archetype {
        Archetype::Plain | Archetype::Desktop => {}
        Archetype::Legacy => legacy(making, workload),
        Archetype::FailoverCluster => failover_cluster(making, workload),
        Archetype::Replicated => replicated(making, workload),
        Archetype::RealApplicationCluster => real_application_cluster(making, workload),
        Archetype::Neglected => neglected(making, workload),
        Archetype::InMemory => in_memory(making, workload),
        Archetype::Odd => odd(making, workload),
        Archetype::Dongle => dongle(making, workload),
        Archetype::Appliance => appliance(making, workload),
        Archetype::FaultTolerant => fault_tolerant(making, workload),
        Archetype::Giant => giant(making, workload),
    }
}

fn legacy(making: &mut Making<'_>, workload: &mut Workload) {
    for nic in &mut workload.nics.items {
        nic.adapter = Observed::Value("E1000".into());
        nic.mac_origin = Observed::Value("manual".into());
    }
    for disk in &mut workload.disks.items {
        disk.controller = Observed::Value("LSI Logic Parallel".into());
    }
    if let Some(disk) = workload.disks.items.first_mut().filter(|_| making.plan.node == 0) {
        disk.controller = Observed::Value("IDE".into());
        disk.key = Observed::Value("3000".into());
        let key = disk.key.clone();
        for partition in &mut workload.guest.partitions.items {
            if partition.disk_key == Observed::Value("2000".into()) {
                partition.disk_key = key.clone();
            }
        }
    }
    workload.firmware.kind = Observed::Value(FirmwareKind::Bios);
    workload.firmware.secure_boot = Observed::Value(false);
    let snapshot = making.snapshot("before the upgrade that was cancelled", 2_200);
    workload.snapshots.items.push(snapshot);
    add_rule(workload, "licence-hosts-only");
}

/// Two nodes over raw devices that both may write.
fn failover_cluster(making: &mut Making<'_>, workload: &mut Workload) {
    let luns = 1 + making.app.number % 3;
    for at in 0..luns {
        let mut random = shared(making, at);
        let mut disk = shared_disk(making, workload, at, random.between(100, 900) * GIB);
        disk.raw_mapping = Observed::Value(RawMapping::Physical);
        disk.lun = Observed::Value(lun(&mut random));
        disk.mode = Observed::Value(DiskMode::IndependentPersistent);
        disk.bus_sharing = Observed::Value(BusSharing::Physical);
        disk.controller = Observed::Value("LSI Logic SAS".into());
        workload.disks.items.push(disk);
    }
    let talks = talks(workload);
    let nic = making.nic(workload.nics.items.len() as u64, "prod-cluster", talks);
    workload.nics.items.push(nic);
    workload.availability.change_tracking = Observed::Absent;
    add_rule(workload, &format!("{}-separate", making.app.name));
    workload.availability.ha_restart_priority = Observed::Value("high".into());
}

fn replicated(making: &mut Making<'_>, workload: &mut Workload) {
    workload.placement.vapp = Observed::Value(format!("vapp-{}", making.app.name).into());
    let level = if making.plan.tier == "db" { "highest" } else { "high" };
    workload.availability.ha_restart_priority = Observed::Value(level.into());
    workload.availability.ha_isolation_response = Observed::Value("shutdown".into());
    add_rule(workload, &format!("{}-{}-separate", making.app.name, making.plan.tier));
    add_rule(workload, "site-a-hosts");
    workload.cpu.hot_add = Observed::Value(true);
    workload.memory.hot_add = Observed::Value(true);
    if making.plan.tier == "db" {
        workload.cpu.reservation_mhz = Observed::Value(8_000);
        let half = workload.memory.size_bytes.copied().unwrap_or(0) / 2;
        workload.memory.reservation_bytes = Observed::Value(half);
    }
}

/// Two nodes over disks that both write.
fn real_application_cluster(making: &mut Making<'_>, workload: &mut Workload) {
    for at in 0..4 {
        let size = if at == 0 { 20 * GIB } else { TIB };
        let mut disk = shared_disk(making, workload, at, size);
        disk.sharing = Observed::Value(DiskSharing::MultiWriter);
        disk.mode = Observed::Value(DiskMode::IndependentPersistent);
        workload.disks.items.push(disk);
    }
    let talks = talks(workload);
    let nic = making.nic(workload.nics.items.len() as u64, "oracle-interconnect", talks);
    workload.nics.items.push(nic);
    workload.availability.disk_uuid_enabled = Observed::Value(true);
    workload.availability.change_tracking = Observed::Absent;
    workload.cpu.reservation_mhz = Observed::Value(20_000);
    workload.cpu.shares_level = Observed::Value("high".into());
    let size = workload.memory.size_bytes.clone();
    workload.memory.reservation_bytes = size;
    workload.memory.reservation_locked_to_max = Observed::Value(true);
    add_rule(workload, &format!("{}-separate", making.app.name));
    add_rule(workload, "oracle-licensed-hosts");
}

fn neglected(making: &mut Making<'_>, workload: &mut Workload) {
    let depth = making.random.between(3, 9);
    for at in 0..depth {
        let name = if at == 0 { "initial".to_owned() } else { format!("try {at}") };
        let snapshot = making.snapshot(&name, 1_400);
        workload.snapshots.items.push(snapshot);
    }
    workload.snapshots.items.sort_by_key(|it| it.created.copied());
    for disk in &mut workload.disks.items {
        if let Observed::Value(path) = &disk.path {
            let current = path.replace(".vmdk", &format!("-{depth:06}.vmdk"));
            disk.path = Observed::Value(current.into());
        }
    }
    workload.availability.consolidation_needed = Observed::Value(making.random.percent(60));
    for drive in &mut workload.devices.cdroms.items {
        let site = &making.place.datacenter;
        let image = format!("ISO [{site}-nfs-media-01] iso/rescue.iso");
        drive.backing = Observed::Value(image.into());
        drive.connected = Observed::Value(true);
    }
    if making.random.percent(50) {
        quieten(workload, ToolsStatus::NotInstalled);
    }
}

fn in_memory(making: &mut Making<'_>, workload: &mut Workload) {
    let (cpus, sockets, memory) =
        *making.random.pick(&[(32, 1, 512 * GIB), (64, 2, TIB), (96, 2, 2 * TIB)]);
    size(workload, cpus, sockets, memory);
    workload.memory.reservation_bytes = Observed::Value(memory);
    workload.memory.reservation_locked_to_max = Observed::Value(true);
    workload.cpu.reservation_mhz = Observed::Value(u64::from(cpus) * 2_000);
    workload.availability.latency_sensitivity = Observed::Value("high".into());
    workload.cpu.hot_add = Observed::Value(false);
    workload.memory.hot_add = Observed::Value(false);
    add_rule(workload, "hana-hosts");
    let talks = talks(workload);
    let nic = making.nic(workload.nics.items.len() as u64, "sap-replication", talks);
    workload.nics.items.push(nic);
}

fn odd(making: &mut Making<'_>, workload: &mut Workload) {
    let folder = if making.plan.node == 0 { "IT/Imported" } else { "IT/Imported/second try" };
    workload.placement.folder = Observed::Value(folder.into());
    // Copies of files keep the UUID of the original.
    workload.bios_uuid = Observed::Value(shared(making, 15).uuid());
    for disk in &mut workload.disks.items {
        disk.mode = Observed::Value(if making.plan.node == 0 {
            DiskMode::IndependentPersistent
        } else {
            DiskMode::IndependentNonPersistent
        });
    }
    // A descriptor without extent: vCenter shows it with no capacity.
    let mut defect = making.disk(workload.disks.items.len() as u64, 0, true);
    defect.capacity_bytes = Observed::Value(0);
    workload.disks.items.push(defect);
    let mut random = making.random.clone();
    let mut raw = making.disk(workload.disks.items.len() as u64, 400 * GIB, false);
    raw.raw_mapping = Observed::Value(RawMapping::Virtual);
    raw.lun = Observed::Value(lun(&mut random));
    workload.disks.items.push(raw);
    for nic in &mut workload.nics.items {
        nic.adapter = Observed::Value("E1000e".into());
    }
    if making.plan.node == 1 {
        workload.samples.connection_state = Observed::Value("orphaned".into());
        switch_off(workload);
    }
}

fn dongle(making: &mut Making<'_>, workload: &mut Workload) {
    workload.devices.usb.items.push(Device {
        label: "USB 1".into(),
        backing: Observed::Value("Licence dongle, passed from the host".into()),
        connected: Observed::Value(true),
    });
    workload.availability.ha_restart_priority = Observed::Value("disabled".into());
    add_rule(workload, &format!("{}-must-run-on-host", making.app.name));
    for nic in &mut workload.nics.items {
        nic.direct_path = Observed::Value(true);
    }
    let size = workload.memory.size_bytes.clone();
    workload.memory.reservation_bytes = size;
    workload.memory.reservation_locked_to_max = Observed::Value(true);
    let talks = talks(workload);
    let nic = making.nic(workload.nics.items.len() as u64, "plant", talks);
    workload.nics.items.push(nic);
}

fn appliance(making: &mut Making<'_>, workload: &mut Workload) {
    let role = if making.plan.node == 0 { "ids-span" } else { "test-nested" };
    let talks = talks(workload);
    let first = workload.nics.items.len() as u64;
    for (role, at) in [role, "infra", "Management Network"].into_iter().zip(first..) {
        let mut nic = making.nic(at, role, talks);
        nic.adapter = Observed::Value("E1000".into());
        workload.nics.items.push(nic);
    }
    workload.annotation = Observed::Value("Vendor appliance, no changes without the vendor".into());
    quieten(workload, ToolsStatus::NotInstalled);
    add_rule(workload, "appliances-separate");
}

fn fault_tolerant(making: &mut Making<'_>, workload: &mut Workload) {
    workload.availability.fault_tolerance = Observed::Value("running".into());
    workload.availability.ha_restart_priority = Observed::Value("highest".into());
    size(workload, 4, 1, 16 * GIB);
    workload.memory.reservation_bytes = Observed::Value(16 * GIB);
    workload.memory.reservation_locked_to_max = Observed::Value(true);
    workload.availability.change_tracking = Observed::Absent;
    add_rule(workload, &format!("{}-separate", making.app.name));
    if workload.power != Observed::Value(PowerState::On) {
        workload.availability.fault_tolerance = Observed::Value("disabled".into());
    }
}

fn giant(making: &mut Making<'_>, workload: &mut Workload) {
    size(workload, 128, 2, 6 * TIB);
    workload.memory.reservation_bytes = Observed::Value(6 * TIB);
    workload.cpu.shares_level = Observed::Value("custom".into());
    let archive = making.site.archive(making.plan.datacenter).clone();
    let mut disk = making.disk(workload.disks.items.len() as u64, 62 * TIB, false);
    let path = format!("[{}] {}/{}_1.vmdk", archive.name, making.directory(), making.plan.name);
    disk.path = Observed::Value(path.into());
    disk.datastore = Observed::Value(archive.id);
    disk.controller = Observed::Value("NVME controller".into());
    workload.disks.items.push(disk);
    for at in 0..12 {
        let disk = making.disk(workload.disks.items.len() as u64, (1 + at) * TIB, false);
        workload.disks.items.push(disk);
    }
    add_rule(workload, "large-memory-hosts");
    workload.availability.latency_sensitivity = Observed::Value("high".into());
}

fn size(workload: &mut Workload, cpus: u32, sockets: u32, memory_bytes: u64) {
    workload.cpu.count = Observed::Value(cpus);
    workload.cpu.sockets = Observed::Value(sockets);
    workload.cpu.cores_per_socket = Observed::Value(cpus / sockets);
    workload.memory.size_bytes = Observed::Value(memory_bytes);
    if workload.power == Observed::Value(PowerState::On) {
        workload.samples.memory_consumed_bytes = Observed::Value(memory_bytes / MIB * 9 / 10 * MIB);
        workload.samples.memory_active_bytes = Observed::Value(memory_bytes / MIB / 3 * MIB);
    }
}

fn add_rule(workload: &mut Workload, name: &str) {
    workload.availability.cluster_rules.items.push(name.into());
}

fn talks(workload: &Workload) -> bool {
    workload.guest.hostname.is_observed()
}

/// The same numbers for every node of the application.
fn shared(making: &Making<'_>, at: u64) -> Random {
    making.site.random.fork("shared", making.app.number * 16 + at)
}

/// A disk whose file all nodes of the application use.
fn shared_disk(making: &mut Making<'_>, workload: &Workload, at: u64, bytes: u64) -> Disk {
    let mut disk = making.disk(workload.disks.items.len() as u64, bytes, false);
    let store = making.store();
    let name = &making.app.name;
    disk.path =
        Observed::Value(format!("[{}] {name}-shared/{name}-shared_{at}.vmdk", store.name).into());
    disk.uuid = Observed::Value(shared_uuid(making, at));
    disk
}

fn shared_uuid(making: &Making<'_>, at: u64) -> entente_model::Uuid {
    let mut random = shared(making, 8 + at);
    entente_model::Uuid::from_u64_pair(0x6000_C290_0000_0000 | random.next() >> 28, random.next())
}

/// The name of a raw device, as the array gives it.
fn lun(random: &mut Random) -> Text {
    Text::from(format!("naa.60060160{:016x}{:08x}", random.next(), random.next() >> 32))
}
