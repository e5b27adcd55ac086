//! Devices that are neither disks nor network adapters.

use entente_model::{Device, Devices, GapCause, Listing, Observed, Text, Why};

use super::View;
use super::disks::Drive;
use crate::live::Found;
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

/// A container's devices: device nodes of its node that it may use. Those of the USB bus say so; what
/// any other one stands for (a serial port, a GPU, a disk) its path does not tell.
pub(super) fn of_container(view: &View<'_>) -> Devices {
    let nodes = indexed_values(view, "dev");
    let (mut usb, mut others) = (Vec::new(), 0);
    for it in &nodes.items {
        match it.properties.get("path") {
            Some(path) if path.contains("/bus/usb/") => usb.push(device(view, it)),
            _ => others += 1,
        }
    }
    // Lines for the runtime itself may let in anything.
    let is_open = others > 0 || view.config.get("lxc").is_some();
    if is_open {
        let message = "containers use devices of their node that are kept as settings only: what they are is not told";
        let found = Found::of(GapCause::NotModelled, "workloads", message);
        view.context.gaps.add(found.field("dev").value(&view.guest.vmid));
    }
    let why = nodes.why().or_else(|| is_open.then_some(Why::SourceLimit));
    let listing = |items| match why {
        Some(why) => Listing::incomplete(items, why),
        None => Listing::complete(items),
    };
    Devices {
        cdroms: Listing::complete(Vec::new()),
        usb: listing(usb),
        // A container shares its node's kernel: there is no bus to pass a device on to.
        pci_passthrough: Listing::complete(Vec::new()),
        vgpus: listing(Vec::new()),
        serial_ports: listing(Vec::new()),
        tpm: Observed::Value(false),
        encrypted: Observed::Value(false),
    }
}

/// A machine's devices.
pub(super) fn of_machine(view: &View<'_>, drives: Listing<Drive>) -> Devices {
    let (mut passed, mut shares) = (Vec::new(), Vec::new());
    let hosts = indexed_values(view, "hostpci");
    for it in &hosts.items {
        // A mediated device is a share of one; everything else is the device itself.
        let is_share = it.properties.get("mdev").is_some();
        if is_share { &mut shares } else { &mut passed }.push(device(view, it));
    }
    let of = |items: Vec<Device>, completeness| Listing { items, completeness };
    // A port for the console's own redirection is no device of the node.
    let is_own = |it: &&Numbered| it.properties.get("host").is_none_or(|it| it != "spice");
    let usb = indexed_values(view, "usb");
    let serial = indexed_values(view, "serial");
    Devices {
        usb: of(
            usb.items.iter().filter(is_own).map(|it| device(view, it)).collect(),
            usb.completeness,
        ),
        pci_passthrough: of(passed, hosts.completeness),
        vgpus: of(shares, hosts.completeness),
        serial_ports: of(
            serial.items.iter().map(|it| device(view, it)).collect(),
            serial.completeness,
        ),
        cdroms: Listing {
            items: drives.items.into_iter().map(|it| cdrom(view, it)).collect(),
            completeness: drives.completeness,
        },
        tpm: Observed::Value(view.config.get("tpmstate0").is_some()),
        encrypted: Observed::Value(
            view.config.get("amd-sev").is_some() || view.config.get("intel-tdx").is_some(),
        ),
    }
}

/// The value of a numbered key.
struct Numbered {
    key: Text,
    text: Text,
    properties: Properties,
}

/// Values of numbered keys, in order; those that cannot be understood are missing.
fn indexed_values(view: &View<'_>, base: &str) -> Listing<Numbered> {
    let default = if base == "dev" { "path" } else { "host" };
    let of_base = |key| indexed(key).filter(|(name, _)| *name == base).map(|it| (it.1, key));
    let mut keys: Vec<(u32, &str)> = view.config.keys().filter_map(of_base).collect();
    keys.sort_unstable();
    let mut read = Vec::with_capacity(keys.len());
    for (_, key) in &keys {
        if let Observed::Value(properties) = view.config.properties(key, default) {
            let text = view.text(key).value().cloned().unwrap_or_default();
            read.push(Numbered { key: Text::from(*key), text, properties });
        }
    }
    if read.len() == keys.len() {
        Listing::complete(read)
    } else {
        Listing::incomplete(read, Why::Unreadable)
    }
}

fn device(view: &View<'_>, numbered: &Numbered) -> Device {
    Device {
        label: numbered.key.clone(),
        backing: numbered.text.clone().into(),
        connected: view.guest.runs(),
    }
}

fn cdrom(view: &View<'_>, drive: Drive) -> Device {
    let connected = if drive.medium.is_some() { view.guest.runs() } else { false.into() };
    Device { label: drive.key, backing: Observed::or_absent(drive.medium), connected }
}
