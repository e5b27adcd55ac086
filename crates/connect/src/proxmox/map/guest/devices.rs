//! Devices that are neither disks nor network adapters.

use entente_model::{Device, Devices, Listing, Observed, Text, Why};

use super::View;
use super::disks::Drive;
use crate::proxmox::wire::{Properties, indexed};

/// Nothing is known of devices.
pub(super) fn none(why: Why) -> Devices {
    Devices {
        cdroms: Listing::unobserved(why),
        usb: Listing::unobserved(why),
        pci_passthrough: Listing::unobserved(why),
        vgpus: Listing::unobserved(why),
        serial_ports: Listing::unobserved(why),
        tpm: Observed::Unobserved(why),
        encrypted: Observed::Unobserved(why),
    }
}

/// A container's devices: those of its node that it may use.
pub(super) fn of_container(view: &View<'_>) -> Devices {
    let empty = || Listing::complete(Vec::new());
    Devices {
        cdroms: empty(),
        usb: Listing::complete(
            indexed_values(view, "dev")
                .into_iter()
                .filter(|it| it.1.contains("/bus/usb/"))
                .map(|it| device(view, it))
                .collect(),
        ),
        pci_passthrough: Listing::complete(
            indexed_values(view, "dev")
                .into_iter()
                .filter(|it| !it.1.contains("/bus/usb/"))
                .map(|it| device(view, it))
                .collect(),
        ),
        vgpus: empty(),
        serial_ports: empty(),
        tpm: Observed::Value(false),
        encrypted: Observed::Value(false),
    }
}

/// A machine's devices.
pub(super) fn of_machine(view: &View<'_>, drives: Vec<Drive>) -> Devices {
    let (mut passed, mut shares) = (Vec::new(), Vec::new());
    for it in indexed_values(view, "hostpci") {
        // A mediated device is a share of one; everything else is the device itself.
        let is_share = Properties::parse(&it.1, "host").is_ok_and(|it| it.get("mdev").is_some());
        if is_share { &mut shares } else { &mut passed }.push(device(view, it));
    }
    let usb = indexed_values(view, "usb").into_iter();
    // A port for the console's own redirection is no device of the node.
    let usb = usb.filter(|it| {
        Properties::parse(&it.1, "host")
            .is_ok_and(|it| it.get("host").is_none_or(|it| it != "spice"))
    });
    Devices {
        cdroms: Listing::complete(drives.into_iter().map(|it| cdrom(view, it)).collect()),
        usb: Listing::complete(usb.map(|it| device(view, it)).collect()),
        pci_passthrough: Listing::complete(passed),
        vgpus: Listing::complete(shares),
        serial_ports: Listing::complete(
            indexed_values(view, "serial").into_iter().map(|it| device(view, it)).collect(),
        ),
        tpm: Observed::Value(view.config.get("tpmstate0").is_some()),
        encrypted: Observed::Value(
            view.config.get("amd-sev").is_some() || view.config.get("intel-tdx").is_some(),
        ),
    }
}

fn indexed_values(view: &View<'_>, base: &str) -> Vec<(Text, Text)> {
    let mut found: Vec<(u32, Text, Text)> = view
        .config
        .keys()
        .filter_map(|key| {
            let (name, number) = indexed(key)?;
            (name == base)
                .then(|| Some((number, Text::from(key), view.text(key).value()?.clone())))?
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, key, value)| (key, value)).collect()
}

fn device(view: &View<'_>, (label, backing): (Text, Text)) -> Device {
    let connected = Observed::Value(view.guest.is_running());
    Device { label, backing: backing.into(), connected }
}

fn cdrom(view: &View<'_>, drive: Drive) -> Device {
    let is_filled = drive.medium.is_some();
    Device {
        label: drive.key,
        backing: drive.medium.map_or(Observed::Absent, Observed::Value),
        connected: Observed::Value(is_filled && view.guest.is_running()),
    }
}
