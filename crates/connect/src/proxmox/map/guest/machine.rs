//! QEMU machines: processors, memory, firmware, and when they were made.

use entente_model::{FirmwareKind, Moment, Observed, Text, Why, Workload};

use super::{UsedNetworks, View, agent, devices, disks, nics};
use crate::proxmox::map::moment;
use crate::proxmox::wire::{Properties, indexed, items};

/// What may be changed while running unless it says otherwise.
const HOTPLUG: &str = "network,disk,usb";
/// Memory of a machine that names none.
const MEMORY_MIB: u64 = 512;
/// Weights that a machine has unless it says otherwise, in either generation of control groups.
const CPU_WEIGHTS: [u64; 2] = [100, 1024];
const MEMORY_WEIGHT: u64 = 1000;

/// Fills in what a machine's configuration tells.
pub(super) fn fill(view: &View<'_>, workload: &mut Workload, used: &mut UsedNetworks) {
    let hotplug = match view.text("hotplug") {
        Observed::Absent => Observed::Value(Text::new_static(HOTPLUG)),
        Observed::Value(all) if all == "1" => Observed::Value(Text::new_static(HOTPLUG)),
        told => told,
    };
    let has_numa = view.config.flag_or("numa", false);
    let may_grow = |what: &str| match (&hotplug, &has_numa) {
        (Observed::Value(hotplug), Observed::Value(numa)) => {
            Observed::Value(items(hotplug).any(|it| it == what) && (what == "cpu" || *numa))
        }
        (Observed::Unobserved(why), _) | (_, Observed::Unobserved(why)) => {
            Observed::Unobserved(*why)
        }
        _ => Observed::Value(false),
    };
    processors(view, workload);
    workload.cpu.hot_add = may_grow("cpu");
    workload.cpu.hot_remove = may_grow("cpu");
    memory(view, workload);
    workload.memory.hot_add = may_grow("memory");
    firmware(view, workload);
    workload.bios_uuid = bios_uuid(view);
    workload.created = created(view);
    let (disks, drives) = disks::disks(view);
    workload.disks = disks;
    workload.devices = devices::of_machine(view, drives);
    workload.nics = nics::nics(view, used);
    workload.guest.os_configured = view.text("ostype");
    agent::fill_machine(view, &mut workload.guest, &mut workload.nics.items);
    if let Observed::Value(name) = view.text("name") {
        workload.name = name;
    }
}

fn small(view: &View<'_>, key: &str, missing: u32) -> Observed<u32> {
    match view.config.number(key) {
        Observed::Value(number) => Observed::or_why(u32::try_from(number).ok(), Why::Unreadable),
        Observed::Absent => Observed::Value(missing),
        Observed::Unobserved(why) => Observed::Unobserved(why),
    }
}

fn processors(view: &View<'_>, workload: &mut Workload) {
    let cpu = &mut workload.cpu;
    cpu.sockets = small(view, "sockets", 1);
    cpu.cores_per_socket = small(view, "cores", 1);
    let all = match (&cpu.sockets, &cpu.cores_per_socket) {
        (Observed::Value(sockets), Observed::Value(cores)) => {
            Observed::or_why(sockets.checked_mul(*cores), Why::Unreadable)
        }
        (Observed::Unobserved(why), _) | (_, Observed::Unobserved(why)) => {
            Observed::Unobserved(*why)
        }
        _ => Observed::Unobserved(Why::Blank),
    };
    // `vcpus` are those that are plugged in at the start; the rest may be added.
    cpu.count = match view.config.number("vcpus") {
        Observed::Value(count) if count > 0 => {
            Observed::or_why(u32::try_from(count).ok(), Why::Unreadable)
        }
        Observed::Unobserved(why) => Observed::Unobserved(why),
        _ => all,
    };
    cpu.limit_mhz = limit(view);
    cpu.shares_level = weight(view, "cpuunits", &CPU_WEIGHTS);
    cpu.affinity = view.text("affinity");
    cpu.numa_affinity = numa_nodes(view);
}

/// A cap in processors, in MHz of the node's clock; 0 is none.
pub(super) fn limit(view: &View<'_>) -> Observed<u64> {
    match view.text("cpulimit") {
        Observed::Value(limit) => match thousandths(&limit) {
            Some(0) => Observed::Absent,
            Some(limit) => {
                let clock = view.ground.clocks.get(&view.guest.node);
                Observed::or_why(
                    clock.map(|clock| clock.saturating_mul(limit) / 1000),
                    Why::CallFailed,
                )
            }
            None => {
                view.unreadable("cpulimit", &limit);
                Observed::Unobserved(Why::Unreadable)
            }
        },
        Observed::Absent => Observed::Absent,
        Observed::Unobserved(why) => Observed::Unobserved(why),
    }
}

/// `1.5` as 1500.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(digits.parse().ok()?)
}

/// `normal` where a weight is what it is by default.
pub(super) fn weight(view: &View<'_>, key: &str, usual: &[u64]) -> Observed<Text> {
    let word =
        |is_usual| Observed::Value(Text::new_static(if is_usual { "normal" } else { "custom" }));
    match view.config.number(key) {
        Observed::Value(weight) => word(usual.contains(&weight)),
        Observed::Absent => word(true),
        Observed::Unobserved(why) => Observed::Unobserved(why),
    }
}

/// Nodes of the host's memory to which the machine is bound.
fn numa_nodes(view: &View<'_>) -> Observed<Text> {
    let mut bound: Vec<(u32, Text)> = Vec::new();
    for key in view.config.keys() {
        let Some(("numa", number)) = indexed(key) else { continue };
        let text = view.text(key);
        let nodes = text.value().and_then(|it| Properties::parse(it, "cpus").ok());
        bound.extend(nodes.and_then(|it| Some((number, it.get("hostnodes")?.clone()))));
    }
    bound.sort();
    let bound: Vec<&str> = bound.iter().map(|(_, nodes)| nodes.as_str()).collect();
    if bound.is_empty() { Observed::Absent } else { Observed::Value(bound.join(",").into()) }
}

fn memory(view: &View<'_>, workload: &mut Workload) {
    let size = match view.text("memory") {
        Observed::Absent => Observed::Value(MEMORY_MIB << 20),
        Observed::Value(text) => {
            // A plain number until version 8, a string of properties since.
            let properties = Properties::parse(&text, "current").ok();
            let current = properties.and_then(|it| it.get("current")?.trim().parse::<u64>().ok());
            if current.is_none() {
                view.unreadable("memory", &text);
            }
            Observed::or_why(current.and_then(|it| it.checked_mul(1 << 20)), Why::Unreadable)
        }
        Observed::Unobserved(why) => Observed::Unobserved(why),
    };
    // Huge pages are taken from the node at the start; everything else is promised only.
    let is_locked = view.config.get("hugepages").is_some();
    let memory = &mut workload.memory;
    memory.reservation_bytes = if is_locked { size.clone() } else { Observed::Value(0) };
    memory.reservation_locked_to_max = Observed::Value(is_locked);
    memory.size_bytes = size;
    memory.shares_level = weight(view, "shares", &[MEMORY_WEIGHT]);
}

fn firmware(view: &View<'_>, workload: &mut Workload) {
    let kind = match view.text("bios") {
        Observed::Absent => Observed::Value(FirmwareKind::Bios),
        Observed::Value(word) => match word.as_str() {
            "seabios" => Observed::Value(FirmwareKind::Bios),
            "ovmf" => Observed::Value(FirmwareKind::Efi),
            other => {
                view.unknown("bios", other);
                Observed::Unobserved(Why::Unreadable)
            }
        },
        Observed::Unobserved(why) => Observed::Unobserved(why),
    };
    // Whether secure boot is on is a variable inside the EFI disk; with enrolled keys it starts on.
    workload.firmware.secure_boot = match &kind {
        Observed::Value(FirmwareKind::Bios) => Observed::Value(false),
        Observed::Value(FirmwareKind::Efi) => {
            let disk = view.text("efidisk0");
            let disk = disk.value().and_then(|it| Properties::parse(it, "file").ok());
            Observed::Value(disk.is_some_and(|it| it.flag("pre-enrolled-keys") == Some(true)))
        }
        other => other.as_ref().map(|_| false),
    };
    workload.firmware.kind = kind;
}

/// The UUID that the guest sees. Other fields may be encoded; this one never is.
fn bios_uuid(view: &View<'_>) -> Observed<entente_model::Uuid> {
    match view.text("smbios1") {
        Observed::Value(text) => {
            let properties = Properties::parse(&text, "uuid").ok();
            match properties.as_ref().and_then(|it| it.get("uuid")) {
                Some(uuid) => {
                    let parsed = uuid.parse().ok();
                    if parsed.is_none() {
                        view.unreadable("smbios1", uuid);
                    }
                    Observed::or_why(parsed, Why::Unreadable)
                }
                None => Observed::Absent,
            }
        }
        Observed::Absent => Observed::Absent,
        Observed::Unobserved(why) => Observed::Unobserved(why),
    }
}

/// When it was made, which machines remember since version 7.2.
fn created(view: &View<'_>) -> Observed<Moment> {
    let meta = view.text("meta");
    let Some(meta) = meta.value() else { return Observed::Unobserved(Why::Blank) };
    let seconds = Properties::parse(meta, "creation-qemu").ok();
    let seconds = seconds.and_then(|it| it.get("ctime")?.parse().ok());
    Observed::or_why(seconds.and_then(moment), Why::Blank)
}
