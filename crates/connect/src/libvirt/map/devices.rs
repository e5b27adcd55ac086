//! Devices other than disks and network adapters.

use std::collections::BTreeMap;

use entente_model::{Device, Listing, Observed, Text, Why, Workload};

use super::Scene;
use super::disks::pci_address;
use super::domain::{Document, SECTION};
use super::gaps::Told;
use crate::libvirt::wire::reading::{Surroundings, parsed};
use crate::libvirt::wire::xml::Element;
use crate::live::Gaps;

/// Types of the host's mediated devices, by UUID.
pub fn mediated(around: &Surroundings, gaps: &mut Gaps) -> BTreeMap<Text, Text> {
    let list = match &around.mediated_devices {
        Ok(list) => list,
        Err(failure) => {
            gaps.failed("hosts", "mediated devices", failure, None);
            return BTreeMap::new();
        }
    };
    gaps.left_out("hosts", "mediated devices", around.left_out.devices);
    let mut documents = Vec::new();
    for document in list {
        match parsed(document) {
            Ok(device) => documents.push(device),
            Err(failure) => gaps.failed("hosts", "mediated device", &failure, None),
        }
    }
    let types = documents.iter().filter_map(|device| {
        let capability = device.at("capability")?;
        let kind = capability.attribute_at("type", "id")?;
        Some((Text::from(capability.text_at("uuid")?), Text::from(kind)))
    });
    types.collect()
}

/// Maps them.
pub fn read(scene: &Scene<'_>, document: &Document<'_>, workload: &mut Workload, gaps: &mut Gaps) {
    let devices = &mut workload.devices;
    let mut whole = true;
    let (mut usb, mut pci, mut vgpus) = (Vec::new(), Vec::new(), Vec::new());
    for element in document.devices("hostdev") {
        let kind = element.attribute("type").unwrap_or_default();
        let list = match kind {
            "usb" => &mut usb,
            "pci" => &mut pci,
            "mdev" => &mut vgpus,
            // Settings tell of those.
            "scsi" | "scsi_host" | "storage" | "misc" | "net" => continue,
            unknown => {
                gaps.unknown(SECTION, "hostdev type", unknown);
                whole = false;
                continue;
            }
        };
        let backing = host_device(scene, kind, element);
        list.push(device(format!("hostdev{}", list.len()), backing, document));
    }
    let listing = |items| match whole {
        true => Listing::complete(items),
        false => Listing::incomplete(items, Why::Unreadable),
    };
    (devices.usb, devices.pci_passthrough, devices.vgpus) =
        (listing(usb), listing(pci), listing(vgpus));
    devices.cdroms = Listing::complete(cdroms(document));
    devices.serial_ports = Listing::complete(serial_ports(document));
    devices.tpm = Observed::Value(document.devices("tpm").next().is_some());
    devices.encrypted = Observed::Value(is_encrypted(document));
}

fn device(label: String, backing: Option<String>, document: &Document<'_>) -> Device {
    Device {
        label: Text::from(label),
        backing: Observed::or_why(backing.map(Text::from), Why::Blank),
        connected: Observed::Value(document.is_active()),
    }
}

fn host_device(scene: &Scene<'_>, kind: &str, element: &Element) -> Option<String> {
    let address = element.at("source/address");
    match kind {
        "pci" => address.map(pci_address),
        "usb" => {
            let id = |name| element.attribute_at(&format!("source/{name}"), "id");
            match (id("vendor"), id("product")) {
                (Some(vendor), Some(product)) => Some(format!("{vendor}:{product}")),
                _ => address.and_then(|it| {
                    let (bus, device) = (it.attribute("bus")?, it.attribute("device")?);
                    Some(format!("bus {bus} device {device}"))
                }),
            }
        }
        _ => address.and_then(|it| it.attribute("uuid")).map(|uuid| {
            let model = element.attribute("model").unwrap_or("mdev");
            match scene.mediated.get(uuid) {
                Some(kind) => format!("{kind} {uuid} ({model})"),
                None => format!("{uuid} ({model})"),
            }
        }),
    }
}

fn cdroms(document: &Document<'_>) -> Vec<Device> {
    let drives = document.devices("disk").filter(|it| it.attribute("device") == Some("cdrom"));
    let drives = drives.map(|drive| {
        let source = drive.at("source");
        let names = ["file", "dev", "volume", "name"];
        let medium = source.and_then(|it| names.iter().find_map(|name| it.attribute(name)));
        let open = drive.attribute_at("target", "tray") == Some("open");
        Device {
            label: Text::from(drive.attribute_at("target", "dev").unwrap_or("cdrom")),
            backing: match (medium, source) {
                (Some(medium), _) => Observed::Value(Text::from(medium)),
                (None, Some(_)) => Observed::Unobserved(Why::Blank),
                (None, None) => Observed::Absent,
            },
            connected: Observed::Value(source.is_some() && !open && document.is_active()),
        }
    });
    drives.collect()
}

fn serial_ports(document: &Document<'_>) -> Vec<Device> {
    let ports = document.devices("serial").enumerate().map(|(number, port)| {
        let kind = port.attribute("type").unwrap_or("pty");
        let source = |name| port.attribute_at("source", name);
        let place = source("path").map(str::to_owned).or_else(|| {
            Some(format!("{}:{}", source("host")?, source("service").unwrap_or_default()))
        });
        let backing = match place {
            // The number of a terminal differs from start to start.
            Some(_) | None if kind == "pty" => kind.to_owned(),
            Some(place) => format!("{kind} {place}"),
            None => kind.to_owned(),
        };
        device(format!("serial{number}"), Some(backing), document)
    });
    ports.collect()
}

/// Disks that the host encrypts, or memory that the processor does.
fn is_encrypted(document: &Document<'_>) -> bool {
    document.now.has("launchSecurity")
        || document.devices("disk").any(|it| it.has("encryption") || it.has("source/encryption"))
}
