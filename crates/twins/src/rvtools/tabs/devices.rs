//! vDisk, vPartition, vNetwork, vFloppy, vCD, vUSB, vSnapshot: rows of what belongs to a machine.

use std::net::IpAddr;

use entente_model::{
    BusSharing, Device, Disk, DiskMode, DiskSharing, Nic, Observed, Partition, RawMapping, Text,
    VmSnapshot,
};

use super::super::cell::{Cell, MIB, date, flag, mib, number, size, text, word};
use super::super::export::Export;
use super::super::spec::{Defect, Tab, Version};
use super::machines::{HEAD, IDENTITY, PLACE, TAIL, TAIL_WITH_REFERENCE};
use super::{Column, Rows, Sheet, Vm, VmRow, col, list, since, until, vms, yes};

/// One thing of a machine.
pub(super) struct Part<'a, T> {
    machine: VmRow<'a>,
    part: &'a T,
    /// Position among the machine's things of this kind.
    at: usize,
}

macro_rules! part_rows {
    ($($kind:ident = $part:ty;)*) => {$(
        pub(super) struct $kind;

        impl Rows for $kind {
            type Row<'a> = Part<'a, $part>;

            fn export<'r, 'a>(row: &'r Self::Row<'a>) -> &'r Export<'a> {
                row.machine.export
            }

            fn machine<'r, 'a>(row: &'r Self::Row<'a>) -> Option<&'r VmRow<'a>> {
                Some(&row.machine)
            }
        }
    )*};
}

part_rows! {
    DiskRows = Disk;
    PartitionRows = Partition;
    NicRows = Nic;
    CdRows = Device;
    UsbRows = Device;
    SnapshotRows = VmSnapshot;
}

fn parts<'a, T: 'a>(
    export: &'a Export<'a>,
    of: impl Fn(&'a entente_model::Workload) -> &'a [T],
) -> impl Iterator<Item = Part<'a, T>> {
    vms(export).flat_map(move |row| {
        let (export, vm, filler) = (row.export, row.vm, row.filler);
        of(vm).iter().enumerate().map(move |(at, part)| Part {
            machine: VmRow { export, vm, filler },
            part,
            at,
        })
    })
}

pub(super) fn disks<'a>(export: &'a Export<'a>) -> impl Iterator<Item = Part<'a, Disk>> {
    parts(export, |vm| vm.disks.items.as_slice())
}

pub(super) fn partitions<'a>(export: &'a Export<'a>) -> impl Iterator<Item = Part<'a, Partition>> {
    parts(export, |vm| vm.guest.partitions.items.as_slice())
}

pub(super) fn nics<'a>(export: &'a Export<'a>) -> impl Iterator<Item = Part<'a, Nic>> {
    parts(export, |vm| vm.nics.items.as_slice())
}

pub(super) fn cdroms<'a>(export: &'a Export<'a>) -> impl Iterator<Item = Part<'a, Device>> {
    parts(export, |vm| vm.devices.cdroms.items.as_slice())
}

pub(super) fn usb<'a>(export: &'a Export<'a>) -> impl Iterator<Item = Part<'a, Device>> {
    parts(export, |vm| vm.devices.usb.items.as_slice())
}

pub(super) fn snapshots<'a>(export: &'a Export<'a>) -> impl Iterator<Item = Part<'a, VmSnapshot>> {
    parts(export, |vm| vm.snapshots.items.as_slice())
}

/// The model has no floppy drives; old templates tend to have one.
pub(super) fn floppies<'a>(export: &'a Export<'a>) -> impl Iterator<Item = VmRow<'a>> {
    vms(export).filter(|row| row.filler.below("floppy", 20) == 0)
}

pub(super) static DISK: Sheet<DiskRows> =
    Sheet { tab: Tab::VDisk, head: &HEAD, body: &DISK_COLUMNS, tail: &TAIL };

static DISK_COLUMNS: [Column<DiskRows>; 25] = [
    col("Disk", |r| word(&r.part.label)),
    since(Version::V4_1, "Disk Key", |r| text(&r.part.key)),
    since(Version::V4_4, "Disk UUID", |r| {
        r.part.uuid.value().map_or(Cell::Blank, |it| {
            let uuid = it.to_string();
            // As vSphere writes it: the prefix in capitals.
            word(uuid.replacen("6000c29", "6000C29", 1))
        })
    }),
    since(Version::V4_1, "Disk Path", |r| guest_paths(r)),
    col("Capacity MiB", |r| size(&r.part.capacity_bytes)),
    col("Raw", |r| match &r.part.raw_mapping {
        Observed::Value(_) => yes(true),
        Observed::Absent => yes(false),
        Observed::Unobserved(_) => Cell::Blank,
    }),
    col("Disk Mode", |r| match r.part.mode.value() {
        Some(DiskMode::Persistent) => word("persistent"),
        Some(DiskMode::NonPersistent) => word("nonpersistent"),
        Some(DiskMode::IndependentPersistent) => word("independent_persistent"),
        Some(DiskMode::IndependentNonPersistent) => word("independent_nonpersistent"),
        Some(DiskMode::Undoable) => word("undoable"),
        Some(DiskMode::Append) => word("append"),
        None => Cell::Blank,
    }),
    since(Version::V4_4, "Sharing mode", |r| match r.part.sharing.value() {
        Some(DiskSharing::None) => word("sharingNone"),
        Some(DiskSharing::MultiWriter) => word("sharingMultiWriter"),
        None => Cell::Blank,
    }),
    col("Thin", |r| flag(&r.part.thin)),
    col("Eagerly Scrub", |r| yes(r.part.sharing.value() == Some(&DiskSharing::MultiWriter))),
    col("Split", |_| yes(false)),
    col("Write Through", |_| yes(false)),
    col("Level", |_| word("normal")),
    col("Shares", |_| number(1000)),
    col("Reservation", |_| number(0)),
    col("Limit", |_| number(-1)),
    col("Controller", |r| text(&r.part.controller)),
    col("Label", |r| {
        let controller = r.part.controller.value().map_or("", Text::as_str);
        word(if controller == "IDE" { "IDE 0" } else { "SCSI controller 0" })
    }),
    col("SCSI Unit #", |_| number(7)),
    col("Unit #", |r| number(if r.at < 7 { r.at } else { r.at + 1 })),
    col("Shared Bus", |r| match r.part.bus_sharing.value() {
        Some(BusSharing::None) => word("noSharing"),
        Some(BusSharing::Virtual) => word("virtualSharing"),
        Some(BusSharing::Physical) => word("physicalSharing"),
        None => Cell::Blank,
    }),
    col("Path", |r| text(&r.part.path)),
    col("Raw LUN ID", |r| text(&r.part.lun)),
    col("Raw Comp. Mode", |r| match r.part.raw_mapping.value() {
        Some(RawMapping::Physical) => word("physicalMode"),
        Some(RawMapping::Virtual) => word("virtualMode"),
        Some(RawMapping::Unspecified) | None => Cell::Blank,
    }),
    since(Version::V4_1, "Internal Sort Column", |r| sort_key(r)),
];

pub(super) static PARTITION: Sheet<PartitionRows> =
    Sheet { tab: Tab::VPartition, head: &HEAD, body: &PARTITION_COLUMNS, tail: &TAIL };

static PARTITION_COLUMNS: [Column<PartitionRows>; 7] = [
    since(Version::V4_1, "Disk Key", |r| text(&r.part.disk_key)),
    col("Disk", |r| word(&r.part.mount)),
    col("Capacity MiB", |r| size(&r.part.capacity_bytes)),
    since(Version::V3_11, "Consumed MiB", |r| {
        match (r.part.capacity_bytes.copied(), r.part.free_bytes.copied()) {
            (Some(capacity), Some(free)) => mib(capacity.saturating_sub(free)),
            _ => Cell::Blank,
        }
    }),
    col("Free MiB", |r| size(&r.part.free_bytes)),
    col("Free %", |r| match (r.part.capacity_bytes.copied(), r.part.free_bytes.copied()) {
        (Some(capacity), Some(free)) if capacity > 0 => {
            number((free / MIB * 100) / (capacity / MIB).max(1))
        }
        _ => Cell::Blank,
    }),
    since(Version::V4_1, "Internal Sort Column", |r| sort_key(r)),
];

pub(super) static NETWORK: Sheet<NicRows> =
    Sheet { tab: Tab::VNetwork, head: &HEAD, body: &NETWORK_COLUMNS, tail: &TAIL };

static NETWORK_COLUMNS: [Column<NicRows>; 13] = [
    col("NIC label", |r| word(&r.part.label)),
    col("Adapter", |r| text(&r.part.adapter)),
    col("Network", |r| word(r.machine.export.network_name(&r.part.network))),
    col("Switch", |r| text(&r.part.switch)),
    col("Connected", |r| flag(&r.part.connected)),
    col("Starts Connected", |r| flag(&r.part.starts_connected)),
    col("Mac Address", |r| text(&r.part.mac)),
    col("Type", |r| text(&r.part.mac_origin)),
    until(Version::V4_0, "IP Address", |r| addresses(r, |_| true)),
    since(Version::V4_1, "IPv4 Address", |r| addresses(r, IpAddr::is_ipv4)),
    since(Version::V4_1, "IPv6 Address", |r| addresses(r, IpAddr::is_ipv6)),
    col("Direct Path IO", |r| flag(&r.part.direct_path)),
    since(Version::V4_1, "Internal Sort Column", |r| sort_key(r)),
];

/// Its columns besides those of every tab are not documented; these are modelled on vCD.
pub(super) static FLOPPY: Sheet<Vm> =
    Sheet { tab: Tab::VFloppy, head: &HEAD, body: &FLOPPY_COLUMNS, tail: &TAIL_WITH_REFERENCE };

static FLOPPY_COLUMNS: [Column<Vm>; 4] = [
    col("Device Node", |_| word("Floppy drive 1")),
    col("Connected", |_| yes(false)),
    col("Starts Connected", |_| yes(false)),
    col("Device Type", |_| word("Remote")),
];

pub(super) static CD: Sheet<CdRows> =
    Sheet { tab: Tab::VCd, head: &HEAD, body: &CD_COLUMNS, tail: &TAIL_WITH_REFERENCE };

static CD_COLUMNS: [Column<CdRows>; 4] = [
    col("Device Node", |r| word(&r.part.label)),
    col("Connected", |r| flag(&r.part.connected)),
    col("Starts Connected", |r| flag(&r.part.connected)),
    col("Device Type", |r| text(&r.part.backing)),
];

pub(super) static USB: Sheet<UsbRows> = Sheet {
    tab: Tab::VUsb,
    head: &HEAD,
    body: &USB_COLUMNS,
    tail: &[&PLACE, &USB_OS_TOOLS, &super::machines::REFERENCE, &IDENTITY],
};

/// In this tab alone the word `tools` is in lower case.
static USB_OS_TOOLS: [Column<Vm>; 1] =
    [col("OS according to the VMware tools", |r| text(&r.vm.guest.os_reported))];

static USB_COLUMNS: [Column<UsbRows>; 9] = [
    col("Device Node", |r| word(&r.part.label)),
    col("Device Type", |r| text(&r.part.backing)),
    col("Connected", |r| flag(&r.part.connected)),
    col("Family", |_| word("vendorSpecific")),
    col("Speed", |_| word("high")),
    col("EHCI enabled", |_| yes(true)),
    col("Auto connect", |_| yes(true)),
    col("Bus number", |_| number(0)),
    col("Unit number", |r| number(r.at)),
];

pub(super) static SNAPSHOT: Sheet<SnapshotRows> =
    Sheet { tab: Tab::VSnapshot, head: &HEAD_SHORT, body: &SNAPSHOT_COLUMNS, tail: &TAIL };

/// The tab has no column for templates and placeholders.
static HEAD_SHORT: [Column<Vm>; 2] =
    [col("VM", |r| word(&r.vm.name)), col("Powerstate", |r| super::machines::power(r))];

static SNAPSHOT_COLUMNS: [Column<SnapshotRows>; 8] = [
    col("Name", |r| word(&r.part.name)),
    col("Description", |r| description(r)),
    col("Date / time", |r| date(&r.part.created)),
    col("Filename", |r| {
        let home = super::machines::home(&r.machine);
        word(format!("{home}/{}-Snapshot{}.vmsn", r.machine.vm.name, r.at + 1))
    }),
    col("Size MiB (vmsn)", |r| mib(r.part.size_bytes.copied().unwrap_or(0) / 100)),
    col("Size MiB (total)", |r| size(&r.part.size_bytes)),
    col("Quiesced", |r| flag(&r.part.quiesced)),
    col("State", |r| text(&r.part.state)),
];

fn description(r: &Part<'_, VmSnapshot>) -> Cell {
    let export = r.machine.export;
    let planted = if export.spec.has(&Defect::ClearTextPasswords) {
        export.secrets.in_description(r.machine.vm, &r.part.name)
    } else {
        None
    };
    match (r.part.description.value(), planted) {
        (Some(text), Some(password)) => word(format!("{text}; root password: {password}")),
        (None, Some(password)) => word(format!("root password: {password}")),
        (text, None) => text.map_or(Cell::Blank, word),
    }
}

/// Where the guest mounts the disk, as its tools tell.
fn guest_paths(r: &Part<'_, Disk>) -> Cell {
    let partitions = r.machine.vm.guest.partitions.iter();
    list(
        partitions
            .filter(|it| it.disk_key.is_observed() && it.disk_key == r.part.key)
            .map(|it| &it.mount),
    )
}

fn addresses(r: &Part<'_, Nic>, wanted: impl Fn(&IpAddr) -> bool) -> Cell {
    list(r.part.addresses.iter().filter(|it| wanted(it)).map(IpAddr::to_string))
}

fn sort_key<T>(r: &Part<'_, T>) -> Cell {
    word(format!("{}{:03}", r.machine.vm.name, r.at + 1))
}
