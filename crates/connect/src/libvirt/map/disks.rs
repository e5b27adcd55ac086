//! Disks. A disk's key is its device in the guest (`vda`): it stays the same from start to start.

use entente_model::{
    BusSharing, Disk, DiskMode, DiskSharing, GapCause, Listing, Observed, RawMapping, Text, Why,
    Workload,
};

use super::Scene;
use super::domain::{Document, SECTION};
use super::gaps::Told;
use super::storage::{Located, Storage};
use super::uses::image;
use crate::libvirt::wire::procedures::BlockInfo;
use crate::libvirt::wire::reading::{Read, parsed};
use crate::libvirt::wire::xml::Element;
use crate::live::{Found, Gaps};

/// Maps them.
pub fn read(scene: &Scene<'_>, document: &Document<'_>, workload: &mut Workload, gaps: &mut Gaps) {
    let mut disks = Vec::new();
    let mut whole = true;
    for element in document.devices("disk") {
        match element.attribute("device").unwrap_or("disk") {
            "disk" | "lun" => disks.push(disk(scene, document, element, gaps)),
            "cdrom" => {}
            "floppy" => {
                let message = "floppy drives have no place in the model";
                gaps.add(Found::of(GapCause::NotModelled, SECTION, message).field("floppy"));
            }
            unknown => {
                whole = false;
                gaps.unknown(SECTION, "disk device", unknown);
            }
        }
    }
    sample(document, &disks, workload);
    workload.disks = match whole {
        true => Listing::complete(disks),
        false => Listing::incomplete(disks, Why::Unreadable),
    };
}

/// Space promised and taken.
fn sample(document: &Document<'_>, disks: &[Disk], workload: &mut Workload) {
    let sum = |size: &dyn Fn(&Disk) -> Observed<u64>| {
        let sizes = disks.iter().map(size);
        sizes.fold(Observed::Value(0_u64), |sum, size| {
            sum.and_then(|sum| size.map(|it| sum.saturating_add(it)))
        })
    };
    let allocated = |disk: &Disk| match disk.key.value().map(|it| it.as_str()) {
        Some(key) => match document.reading.sizes.get(key) {
            Some(Ok(size)) => Observed::Value(size.allocation_bytes),
            Some(Err(failure)) => Observed::Unobserved(failure.why()),
            None => Observed::Unobserved(Why::Blank),
        },
        None => Observed::Unobserved(Why::Blank),
    };
    workload.samples.storage_provisioned_bytes = sum(&|disk| disk.capacity_bytes.clone());
    workload.samples.storage_used_bytes = sum(&allocated);
}

/// What a disk lies on.
struct Source {
    path: Observed<Text>,
    located: Located,
    kind: SourceKind,
}

/// What kind of thing it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SourceKind {
    /// A file, or an image on a storage network.
    Image,
    /// A device of the host.
    Device,
    /// A volume of a pool.
    Volume,
    /// A LUN of a storage network, or a whole drive on the host's bus.
    Lun,
    /// What another program serves.
    Served,
    /// Nobody knows.
    Unknown,
}

fn disk(scene: &Scene<'_>, document: &Document<'_>, element: &Element, gaps: &mut Gaps) -> Disk {
    let target = element.attribute_at("target", "dev").unwrap_or_default();
    let source = source(&scene.storage, document, element, gaps);
    let told = document.reading.sizes.get(target);
    let size = size(document, &source, told, gaps);
    let raw_mapping = raw_mapping(element, &source);
    Disk {
        label: Text::from(target),
        key: match target.is_empty() {
            true => Observed::Unobserved(Why::Blank),
            false => Observed::Value(Text::from(target)),
        },
        uuid: match element.text_at("serial").and_then(|it| it.parse().ok()) {
            Some(uuid) => Observed::Value(uuid),
            None => Observed::Absent,
        },
        capacity_bytes: size.clone().map(|it| it.capacity_bytes),
        thin: size.map(|it| it.allocation_bytes < it.capacity_bytes),
        mode: Observed::Value(mode(element)),
        sharing: Observed::Value(match element.has("shareable") {
            true => DiskSharing::MultiWriter,
            false => DiskSharing::None,
        }),
        controller: controller(document, element),
        bus_sharing: Observed::Value(bus_sharing(element)),
        lun: raw_mapping.clone().and_then(|_| source.path.clone()),
        raw_mapping,
        change_tracking: tracked(document, target),
        path: source.path,
        datastore: source.located.datastore,
    }
}

fn source(
    storage: &Storage,
    document: &Document<'_>,
    element: &Element,
    gaps: &mut Gaps,
) -> Source {
    let kind = element.attribute("type").unwrap_or("file");
    let empty = Element::default();
    let from = element.at("source").unwrap_or(&empty);
    let Ok(path) = image(storage, kind, from) else {
        gaps.unknown(SECTION, "disk type", kind);
        let unreadable = Why::Unreadable;
        return Source {
            path: Observed::Unobserved(unreadable),
            located: Located::unobserved(unreadable),
            kind: SourceKind::Unknown,
        };
    };
    let told = |path: Option<String>| Observed::or_absent(path.map(Text::from));
    let source = |path, located, kind| Source { path, located, kind };
    match (kind, path) {
        ("network", path) => {
            let protocol = from.attribute("protocol").unwrap_or_default();
            let name = from.attribute("name").unwrap_or_default();
            let kind = if protocol == "iscsi" { SourceKind::Lun } else { SourceKind::Image };
            source(told(path), storage.network(protocol, name, from), kind)
        }
        ("nvme", _) => {
            let path = from.at("address").map(pci_address);
            source(told(path), storage.nowhere(), SourceKind::Lun)
        }
        ("vhostuser" | "vhostvdpa", _) => {
            let path = from.attribute("path").or(from.attribute("dev")).map(str::to_owned);
            source(told(path), storage.nowhere(), SourceKind::Served)
        }
        ("volume", path) => {
            let pool = from.attribute("pool").unwrap_or_default();
            let volume = from.attribute("volume").unwrap_or_default();
            let located = storage.pool(pool, volume).unwrap_or_else(|| {
                let message = "a disk names a pool that is not listed";
                let name = document.reading.domain.name.as_str();
                let found = Found::of(GapCause::DanglingReference, SECTION, message);
                gaps.add(found.field("source/pool").value(name));
                Located::unobserved(storage.unknown())
            });
            source(told(path), located, SourceKind::Volume)
        }
        (kind, path) => {
            let located = path.as_deref().map_or_else(|| storage.nowhere(), |it| storage.find(it));
            let is_device = kind == "block";
            let kind = if is_device { SourceKind::Device } else { SourceKind::Image };
            source(told(path), located, kind)
        }
    }
}

/// An address on the PCI bus as people write it.
pub fn pci_address(address: &Element) -> String {
    let part = |name| {
        let text = address.attribute(name).unwrap_or("0x0");
        u32::from_str_radix(text.trim_start_matches("0x"), 16).unwrap_or_default()
    };
    format!(
        "{:04x}:{:02x}:{:02x}.{:x}",
        part("domain"),
        part("bus"),
        part("slot"),
        part("function")
    )
}

/// What the host says of the image, else what its pool says of the volume.
fn size(
    document: &Document<'_>,
    source: &Source,
    told: Option<&Read<BlockInfo>>,
    gaps: &mut Gaps,
) -> Observed<BlockInfo> {
    match told {
        Some(Ok(size)) if size.capacity_bytes > 0 => Observed::Value(*size),
        told => match source.located.size {
            Some(size) => Observed::Value(size),
            None => match told {
                Some(Err(failure)) => {
                    let name = document.reading.domain.name.as_str();
                    gaps.failed(SECTION, "size of a disk", failure, Some(name));
                    Observed::Unobserved(failure.why())
                }
                _ => Observed::Unobserved(Why::Blank),
            },
        },
    }
}

fn mode(element: &Element) -> DiskMode {
    let left_out = element.attribute("snapshot") == Some("no");
    match (left_out, element.has("transient")) {
        (false, false) => DiskMode::Persistent,
        (false, true) => DiskMode::NonPersistent,
        (true, false) => DiskMode::IndependentPersistent,
        (true, true) => DiskMode::IndependentNonPersistent,
    }
}

/// The bus, with the model of the controller where there are several: `scsi (virtio-scsi)`.
fn controller(document: &Document<'_>, element: &Element) -> Observed<Text> {
    let Some(bus) = element.attribute_at("target", "bus") else {
        return Observed::Unobserved(Why::Blank);
    };
    let number = element.attribute_at("address", "controller").unwrap_or("0");
    let model = document
        .devices("controller")
        .filter(|it| it.attribute("type") == Some(bus) && it.attribute("index") == Some(number))
        .find_map(|it| it.attribute("model"));
    Observed::Value(match model {
        Some(model) => Text::from(format!("{bus} ({model})")),
        None => Text::from(bus),
    })
}

/// Reservations on a shared LUN make its controller one that workloads on any host share.
fn bus_sharing(element: &Element) -> BusSharing {
    match element.has("source/reservations") {
        true => BusSharing::Physical,
        false => BusSharing::None,
    }
}

/// Told where commands pass through, or where the disk is a LUN by its kind. A device of the host may
/// be a LUN or made by a volume manager: only its pool tells.
fn raw_mapping(element: &Element, source: &Source) -> Observed<RawMapping> {
    if element.attribute("device") == Some("lun") {
        return Observed::Value(RawMapping::Physical);
    }
    let located = &source.located;
    match (source.kind, located.kind.as_deref()) {
        (SourceKind::Image, _) => Observed::Absent,
        (SourceKind::Lun, _)
        | (
            SourceKind::Device | SourceKind::Volume,
            Some("disk" | "scsi" | "iscsi" | "iscsi-direct" | "mpath"),
        ) => Observed::Value(RawMapping::Unspecified),
        (SourceKind::Device, Some("logical" | "zfs")) | (SourceKind::Volume, Some(_)) => {
            Observed::Absent
        }
        (SourceKind::Unknown, _) => Observed::Unobserved(Why::Unreadable),
        (SourceKind::Device | SourceKind::Volume | SourceKind::Served, _) => {
            Observed::Unobserved(located.datastore.why().unwrap_or(Why::SourceLimit))
        }
    }
}

/// Whether a checkpoint watches the disk.
fn tracked(document: &Document<'_>, target: &str) -> Observed<bool> {
    let checkpoints = match &document.reading.checkpoints {
        Ok(checkpoints) => checkpoints,
        Err(failure) => return Observed::Unobserved(failure.why()),
    };
    let mut answer = Observed::Value(false);
    for checkpoint in checkpoints {
        match parsed(checkpoint) {
            Ok(checkpoint) if watches(&checkpoint, target) => return Observed::Value(true),
            Ok(_) => {}
            Err(failure) => answer = Observed::Unobserved(failure.why()),
        }
    }
    answer
}

fn watches(checkpoint: &Element, target: &str) -> bool {
    let Some(disks) = checkpoint.at("disks") else { return false };
    disks
        .all("disk")
        .any(|it| it.attribute("name") == Some(target) && it.attribute("checkpoint") != Some("no"))
}
