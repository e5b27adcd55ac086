//! Disks: `local-lvm:vm-100-disk-1,cache=none,discard=on,size=10G`.

use entente_model::{
    BusSharing, Disk, DiskMode, DiskSharing, Listing, Observed, RawMapping, Text, Why,
};

use super::{Kind, View};
use crate::proxmox::wire::{Properties, indexed, size_bytes};

/// Buses of machines, in the order in which consoles list them.
const BUSES: [&str; 4] = ["ide", "sata", "scsi", "virtio"];
/// Controller of `scsi` disks unless one is named.
const DEFAULT_SCSI: &str = "lsi";

/// Key of the first value of a disk; nothing for what is no disk.
pub(super) fn default_key(kind: Kind, key: &str) -> Option<&'static str> {
    match (kind, key, indexed(key)) {
        (Kind::Machine, _, Some((bus, _))) if BUSES.contains(&bus) => Some("file"),
        (Kind::Container, "rootfs", _) | (Kind::Container, _, Some(("mp", _))) => Some("volume"),
        _ => None,
    }
}

/// Keys of disks, in order.
fn keys<'a>(view: &View<'a>) -> Vec<&'a str> {
    let mut keys: Vec<((&str, u32), &str)> = view
        .config
        .keys()
        .filter(|key| default_key(view.guest.kind, key).is_some())
        .map(|key| match key {
            "rootfs" => (("", 0), key),
            key => (indexed(key).unwrap_or((key, 0)), key),
        })
        .collect();
    keys.sort_unstable();
    keys.into_iter().map(|(_, key)| key).collect()
}

/// A drive that is no disk: `ide2`, and what is in it.
pub(super) struct Drive {
    pub key: Text,
    pub medium: Option<Text>,
}

pub(super) fn disks(view: &View<'_>) -> (Listing<Disk>, Listing<Drive>) {
    let (mut disks, mut drives, mut is_whole) = (Vec::new(), Vec::new(), true);
    for key in keys(view) {
        let default = default_key(view.guest.kind, key).unwrap_or_default();
        let properties = view.config.properties(key, default);
        let Some(properties) = properties.value() else {
            is_whole = false;
            continue;
        };
        let Some(file) = properties.get(default).filter(|it| !it.is_empty()).cloned() else {
            view.unreadable(key, "no volume");
            is_whole = false;
            continue;
        };
        let is_drive = properties.get("media").is_some_and(|it| it == "cdrom")
            || file == "none"
            || file == "cdrom";
        if is_drive {
            let medium = (file != "none").then_some(file);
            drives.push(Drive { key: key.into(), medium });
        } else {
            disks.push(disk(view, key, &file, properties));
        }
    }
    // What cannot be understood may be either.
    if is_whole {
        (Listing::complete(disks), Listing::complete(drives))
    } else {
        let why = Why::Unreadable;
        (Listing::incomplete(disks, why), Listing::incomplete(drives, why))
    }
}

fn disk(view: &View<'_>, key: &str, file: &str, properties: &Properties) -> Disk {
    // A path of the node itself is a device passed on, or a folder shared with a container.
    let is_path = file.starts_with('/');
    let storage = file.split_once(':').map(|(storage, _)| storage).filter(|_| !is_path);
    let is_device = is_path && view.guest.kind == Kind::Machine;
    let capacity = match properties.get("size") {
        Some(size) => {
            let bytes = size_bytes(size);
            if bytes.is_none() {
                view.unreadable(key, size);
            }
            Observed::or_why(bytes, Why::Unreadable)
        }
        None => Observed::Unobserved(Why::Blank),
    };
    let is_volatile = properties.is_on("snapshot");
    if !is_volatile.is_observed() {
        view.unreadable(key, "snapshot");
    }
    Disk {
        label: key.into(),
        key: Text::from(key).into(),
        uuid: Observed::Unobserved(Why::SourceLimit),
        capacity_bytes: capacity,
        datastore: match storage {
            Some(storage) => view.ground.storages.id(view.context, storage, &view.guest.node),
            None => Observed::Absent,
        },
        path: Text::from(file).into(),
        thin: match (properties.get("format").map(Text::as_str), storage) {
            (Some("qcow2"), _) => Observed::Value(true),
            (_, Some(storage)) => view.ground.storages.is_thin(storage, file),
            (_, None) => Observed::Unobserved(Why::SourceLimit),
        },
        mode: is_volatile.map(|it| if it { DiskMode::NonPersistent } else { DiskMode::Persistent }),
        sharing: Observed::Value(DiskSharing::None),
        controller: controller(view, key),
        bus_sharing: Observed::Value(BusSharing::None),
        raw_mapping: if is_device {
            let passes_commands = properties.flag("scsiblock") == Some(true);
            Observed::Value(if passes_commands {
                RawMapping::Physical
            } else {
                RawMapping::Unspecified
            })
        } else {
            Observed::Absent
        },
        lun: if is_device { Text::from(file).into() } else { Observed::Absent },
        change_tracking: Observed::Unobserved(Why::SourceLimit),
    }
}

fn controller(view: &View<'_>, key: &str) -> Observed<Text> {
    let bus = indexed(key).map_or(key, |(bus, _)| bus);
    match (view.guest.kind, bus) {
        (Kind::Container, _) => Observed::Absent,
        (Kind::Machine, "scsi") => match view.text("scsihw") {
            Observed::Absent => Observed::Value(Text::new_static(DEFAULT_SCSI)),
            told => told,
        },
        (Kind::Machine, bus) => Observed::Value(bus.into()),
    }
}
