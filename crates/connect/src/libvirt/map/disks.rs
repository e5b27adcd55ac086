//! Disks. A disk's key is its device in the guest (`vda`): it stays the same from start to start.

use entente_model::{
    BusSharing, Disk, DiskMode, DiskSharing, Listing, Observed, RawMapping, Text, Why, Workload,
};

use super::Scene;
use super::domain::{Document, SECTION};
use super::gaps::Gaps;
use super::storage::{Located, Storage};
use crate::libvirt::wire::procedures::BlockInfo;
use crate::libvirt::wire::reading::Read;
use crate::libvirt::wire::xml::Element;

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
                let cause = entente_model::GapCause::NotModelled;
                gaps.add(SECTION, cause, Some("floppy"), message, None);
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
    let sum = |size: &dyn Fn(&Disk) -> Option<u64>| {
        let sizes: Option<Vec<u64>> = disks.iter().map(size).collect();
        match sizes {
            Some(sizes) => Observed::Value(sizes.into_iter().fold(0, u64::saturating_add)),
            None => Observed::Unobserved(Why::CallFailed),
        }
    };
    let allocated = |disk: &Disk| {
        let key = disk.key.value()?;
        document.reading.sizes.get(key.as_str())?.as_ref().ok().map(|it| it.allocation_bytes)
    };
    workload.samples.storage_provisioned_bytes = sum(&|disk| disk.capacity_bytes.copied());
    workload.samples.storage_used_bytes = sum(&allocated);
}

/// What a disk lies on.
struct Source {
    path: Observed<Text>,
    located: Located,
    is_block: bool,
}

fn disk(scene: &Scene<'_>, document: &Document<'_>, element: &Element, gaps: &mut Gaps) -> Disk {
    let target = element.attribute_at("target", "dev").unwrap_or_default();
    let source = source(&scene.storage, element, gaps);
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
        lun: match raw_mapping {
            Observed::Value(_) => source.path.clone(),
            _ => Observed::Absent,
        },
        raw_mapping,
        change_tracking: tracked(document, target),
        path: source.path,
        datastore: source.located.datastore,
    }
}

fn source(storage: &Storage, element: &Element, gaps: &mut Gaps) -> Source {
    let kind = element.attribute("type").unwrap_or("file");
    let attribute = |name| element.attribute_at("source", name);
    let (path, located) = match kind {
        "file" => (attribute("file").map(str::to_owned), None),
        "block" => (attribute("dev").map(str::to_owned), None),
        "dir" => (attribute("dir").map(str::to_owned), None),
        "volume" => match (attribute("pool"), attribute("volume")) {
            (Some(pool), Some(volume)) => {
                let path = storage.path_of(pool, volume);
                (Some(path.unwrap_or_else(|| format!("{pool}/{volume}"))), Some(storage.pool(pool)))
            }
            _ => (None, None),
        },
        "network" => {
            let protocol = attribute("protocol").unwrap_or("network");
            let name = attribute("name").unwrap_or_default();
            (Some(format!("{protocol}:{name}")), Some(storage.network(protocol, name)))
        }
        "nvme" => (element.at("source/address").map(pci_address), Some(storage.nowhere())),
        "vhostuser" | "vhostvdpa" => {
            (attribute("path").or(attribute("dev")).map(str::to_owned), Some(storage.nowhere()))
        }
        unknown => {
            gaps.unknown(SECTION, "disk type", unknown);
            let located = Located::unobserved(Why::Unreadable);
            return Source {
                path: Observed::Unobserved(Why::Unreadable),
                located,
                is_block: false,
            };
        }
    };
    let located = located.unwrap_or_else(|| match &path {
        Some(path) => storage.find(path),
        None => storage.nowhere(),
    });
    Source {
        path: path.map_or(Observed::Absent, |it| Observed::Value(Text::from(it))),
        located,
        is_block: kind == "block",
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

/// A device of the host that is no volume of a pool which makes volumes itself.
fn raw_mapping(element: &Element, source: &Source) -> Observed<RawMapping> {
    if element.attribute("device") == Some("lun") {
        return Observed::Value(RawMapping::Physical);
    }
    match (source.is_block, source.located.kind.as_deref()) {
        (false, _) | (true, Some("logical" | "zfs")) => Observed::Absent,
        (true, _) => Observed::Value(RawMapping::Virtual),
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
        match checkpoint.as_ref().map_err(Clone::clone).and_then(|it| Element::parse(it)) {
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
