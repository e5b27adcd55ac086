//! Rows of the tabs that tell of one part of a workload: processors, memory, disks, partitions,
//! network adapters, devices, VM snapshots, tools.

use entente_model::{
    BusSharing, Cpu, DatastoreId, Device, Disk, DiskMode, DiskSharing, GapCause, Listing, Memory,
    NetworkId, Nic, Observed, Partition, PlatformId, RawMapping, Text, Tools, ToolsStatus,
    VmSnapshot, Why,
};

use super::super::wire::{Cells, Column, Header, Version, columns};
use super::Parts;
use super::vm::{NEVER, VmRef, hardware_version, known, note};

columns! {
    /// vCPU.
    CpuColumns {
        cpus: "CPUs", sockets: "Sockets", cores: "Cores p/s", hot_add: "Hot Add",
        hot_remove: "Hot Remove", reservation: "Reservation", limit: "Limit", level: "Level",
        overall: "Overall",
    }

    /// vMemory.
    MemoryColumns {
        size: "Size MiB", reservation: "Reservation", locked: "Memory Reservation Locked To Max",
        limit: "Limit", level: "Level", hot_add: "Hot Add", consumed: "Consumed",
        ballooned: "Ballooned", swapped: "Swapped", active: "Active",
    }

    /// vDisk.
    DiskColumns {
        label: "Disk", key: "Disk Key", uuid: "Disk UUID", capacity: "Capacity MiB", raw: "Raw",
        mode: "Disk Mode", sharing: "Sharing mode", thin: "Thin", controller: "Controller",
        bus_sharing: "Shared Bus", path: "Path", disk_path: "Disk Path", lun: "Raw LUN ID",
        raw_mode: "Raw Comp. Mode",
    }

    /// vPartition.
    PartitionColumns {
        key: "Disk Key", mount: "Disk", capacity: "Capacity MiB", free: "Free MiB",
    }

    /// vNetwork.
    NicColumns {
        label: "NIC label", adapter: "Adapter", network: "Network", switch: "Switch",
        connected: "Connected", starts: "Starts Connected", mac: "Mac Address", origin: "Type",
        v4: "IPv4 Address", v6: "IPv6 Address", direct: "Direct Path IO",
    }

    /// vCD and vUSB.
    DeviceColumns { node: "Device Node", backing: "Device Type", connected: "Connected" }

    /// vSnapshot.
    SnapshotColumns {
        name: "Name", description: "Description", created: "Date / time",
        size: "Size MiB (total)", quiesced: "Quiesced", state: "State",
    }

    /// vTools.
    ToolsColumns { status: "Tools", version: "Tools Version", hardware: "VM Version" }
}

/// What vCPU tells of a workload.
#[derive(Clone, Debug)]
pub(in crate::rvtools) struct CpuPart {
    pub(super) cpu: Cpu,
    pub(super) used_mhz: Observed<u64>,
}

/// What vMemory tells of a workload.
#[derive(Clone, Debug)]
pub(in crate::rvtools) struct MemoryPart {
    pub(super) memory: Memory,
    pub(super) consumed_bytes: Observed<u64>,
    pub(super) ballooned_bytes: Observed<u64>,
    pub(super) swapped_bytes: Observed<u64>,
    pub(super) active_bytes: Observed<u64>,
}

/// What vTools tells of a workload.
#[derive(Clone, Debug)]
pub(in crate::rvtools) struct ToolsPart {
    pub(super) tools: Tools,
    pub(super) hardware_version: Observed<u32>,
}

/// A row of vCPU.
pub(super) fn cpu(cells: &mut Cells<'_, '_>, columns: &CpuColumns) -> CpuPart {
    CpuPart {
        cpu: Cpu {
            count: cells.count(&columns.cpus),
            sockets: cells.count(&columns.sockets),
            cores_per_socket: cells.count(&columns.cores),
            hot_add: cells.flag(&columns.hot_add),
            hot_remove: cells.flag(&columns.hot_remove),
            reservation_mhz: cells.whole(&columns.reservation),
            limit_mhz: cells.limit(&columns.limit),
            shares_level: cells.name(&columns.level),
            affinity: Observed::Unobserved(NEVER),
            numa_affinity: Observed::Unobserved(NEVER),
        },
        used_mhz: cells.whole(&columns.overall),
    }
}

/// A row of vMemory.
pub(super) fn memory(cells: &mut Cells<'_, '_>, columns: &MemoryColumns) -> MemoryPart {
    MemoryPart {
        memory: Memory {
            size_bytes: cells.mib(&columns.size),
            reservation_bytes: cells.mib(&columns.reservation),
            reservation_locked_to_max: cells.flag(&columns.locked),
            limit_bytes: cells.mib_limit(&columns.limit),
            shares_level: cells.name(&columns.level),
            hot_add: cells.flag(&columns.hot_add),
        },
        consumed_bytes: cells.mib(&columns.consumed),
        ballooned_bytes: cells.mib(&columns.ballooned),
        swapped_bytes: cells.mib(&columns.swapped),
        active_bytes: cells.mib(&columns.active),
    }
}

/// A row of vDisk.
pub(super) fn disk(
    cells: &mut Cells<'_, '_>,
    columns: &DiskColumns,
    platform: &PlatformId,
) -> Disk {
    // `Path` is on every version; an edited export may have lost it.
    let path_column = if columns.path.is_there() { &columns.path } else { &columns.disk_path };
    let path = cells.text(path_column);
    Disk {
        label: cells.name(&columns.label).value().cloned().unwrap_or_default(),
        key: cells.text(&columns.key),
        uuid: cells.uuid(&columns.uuid),
        capacity_bytes: cells.mib(&columns.capacity),
        datastore: datastore(cells, path_column, platform, &path),
        path,
        thin: cells.flag(&columns.thin),
        mode: cells.word(&columns.mode, disk_mode),
        sharing: cells.word(&columns.sharing, disk_sharing),
        controller: cells.name(&columns.controller),
        bus_sharing: cells.word(&columns.bus_sharing, bus_sharing),
        raw_mapping: raw_mapping(cells, columns),
        lun: cells.text_or_absent(&columns.lun),
        change_tracking: Observed::Unobserved(NEVER),
    }
}

/// The datastore of a path `[datastore] folder/file.vmdk`.
fn datastore(
    cells: &mut Cells<'_, '_>,
    column: &Column,
    platform: &PlatformId,
    path: &Observed<Text>,
) -> Observed<DatastoreId> {
    let name = match path {
        Observed::Value(path) => {
            let name = path.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            match name.map(|(name, _)| name.trim()).filter(|name| !name.is_empty()) {
                Some(name) => Observed::Value(Text::new(name)),
                None => {
                    cells.gap(
                        GapCause::UnreadableValue,
                        column,
                        "expected a path that begins with a datastore in brackets",
                    );
                    Observed::Unobserved(Why::Unreadable)
                }
            }
        }
        Observed::Absent => Observed::Absent,
        Observed::Unobserved(why) => Observed::Unobserved(*why),
    };
    cells.id_on(platform, column, name)
}

fn disk_mode(word: &str) -> Option<DiskMode> {
    match word.to_ascii_lowercase().as_str() {
        "persistent" => Some(DiskMode::Persistent),
        "nonpersistent" => Some(DiskMode::NonPersistent),
        "independent_persistent" => Some(DiskMode::IndependentPersistent),
        "independent_nonpersistent" => Some(DiskMode::IndependentNonPersistent),
        "undoable" => Some(DiskMode::Undoable),
        "append" => Some(DiskMode::Append),
        _ => None,
    }
}

fn disk_sharing(word: &str) -> Option<DiskSharing> {
    match word.to_ascii_lowercase().as_str() {
        "sharingnone" => Some(DiskSharing::None),
        "sharingmultiwriter" => Some(DiskSharing::MultiWriter),
        _ => None,
    }
}

fn bus_sharing(word: &str) -> Option<BusSharing> {
    match word.to_ascii_lowercase().as_str() {
        "nosharing" => Some(BusSharing::None),
        "virtualsharing" => Some(BusSharing::Virtual),
        "physicalsharing" => Some(BusSharing::Physical),
        _ => None,
    }
}

fn raw_mapping(cells: &mut Cells<'_, '_>, columns: &DiskColumns) -> Observed<RawMapping> {
    match cells.flag(&columns.raw) {
        Observed::Value(true) => {
            let mode =
                cells.word(&columns.raw_mode, |word| match word.to_ascii_lowercase().as_str() {
                    "physicalmode" => Some(RawMapping::Physical),
                    "virtualmode" => Some(RawMapping::Virtual),
                    _ => None,
                });
            Observed::Value(mode.copied().unwrap_or(RawMapping::Unspecified))
        }
        Observed::Value(false) | Observed::Absent => Observed::Absent,
        Observed::Unobserved(why) => Observed::Unobserved(why),
    }
}

/// A row of vPartition.
pub(super) fn partition(cells: &mut Cells<'_, '_>, columns: &PartitionColumns) -> Partition {
    Partition {
        mount: cells.name(&columns.mount).value().cloned().unwrap_or_default(),
        disk_key: cells.text(&columns.key),
        capacity_bytes: cells.mib(&columns.capacity),
        free_bytes: cells.mib(&columns.free),
    }
}

/// A row of vNetwork.
pub(super) fn nic(cells: &mut Cells<'_, '_>, columns: &NicColumns, platform: &PlatformId) -> Nic {
    let network = cells.name_or_absent(&columns.network);
    Nic {
        label: cells.name(&columns.label).value().cloned().unwrap_or_default(),
        adapter: cells.name(&columns.adapter),
        network: cells.id_on::<NetworkId>(platform, &columns.network, network),
        switch: cells.name_or_absent(&columns.switch),
        connected: cells.flag(&columns.connected),
        starts_connected: cells.flag(&columns.starts),
        mac: cells.text(&columns.mac).map(|mac| Text::from(mac.to_lowercase())),
        mac_origin: cells.name(&columns.origin),
        addresses: addresses(cells, columns),
        address_is_static: Observed::Unobserved(NEVER),
        direct_path: cells.flag(&columns.direct),
    }
}

/// Addresses of both families; incomplete where a family has no readable column.
fn addresses(cells: &mut Cells<'_, '_>, columns: &NicColumns) -> Listing<std::net::IpAddr> {
    let mut all = Vec::new();
    let mut missing = None;
    for column in [&columns.v4, &columns.v6] {
        match cells.addresses(column) {
            Observed::Value(found) => all.extend(found),
            Observed::Absent => {}
            Observed::Unobserved(why) => missing = Some(why),
        }
    }
    match missing {
        None => Listing::complete(all),
        Some(why) => Listing::incomplete(all, why),
    }
}

/// A row of vCD or vUSB.
pub(super) fn device(cells: &mut Cells<'_, '_>, columns: &DeviceColumns) -> Device {
    Device {
        label: cells.name(&columns.node).value().cloned().unwrap_or_default(),
        backing: cells.name(&columns.backing),
        connected: cells.flag(&columns.connected),
    }
}

/// A row of vSnapshot.
pub(super) fn snapshot(
    cells: &mut Cells<'_, '_>,
    vm: &VmRef,
    columns: &SnapshotColumns,
    parts: &mut Parts,
) -> VmSnapshot {
    VmSnapshot {
        id: Observed::Unobserved(Why::SourceLimit),
        parent: Observed::Unobserved(Why::SourceLimit),
        name: note(cells, &columns.name, vm, parts).value().cloned().unwrap_or_default(),
        description: note(cells, &columns.description, vm, parts),
        created: known(cells.moment(&columns.created)),
        size_bytes: cells.mib(&columns.size),
        quiesced: cells.flag(&columns.quiesced),
        state: cells.name(&columns.state),
    }
}

/// A row of vTools.
pub(super) fn tools(cells: &mut Cells<'_, '_>, columns: &ToolsColumns) -> ToolsPart {
    ToolsPart {
        tools: Tools {
            status: cells.word(&columns.status, tools_status),
            version: cells.name(&columns.version),
        },
        hardware_version: hardware_version(cells, &columns.hardware),
    }
}

fn tools_status(word: &str) -> Option<ToolsStatus> {
    match word.to_ascii_lowercase().as_str() {
        "toolsok" => Some(ToolsStatus::Current),
        "toolsold" => Some(ToolsStatus::Outdated),
        "toolsnotrunning" => Some(ToolsStatus::NotRunning),
        "toolsnotinstalled" => Some(ToolsStatus::NotInstalled),
        _ => None,
    }
}
