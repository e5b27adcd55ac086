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
        Observed::Absent => Observed::Value(missing),
        told => told.and_then(|it| Observed::or_why(u32::try_from(it).ok(), Why::Unreadable)),
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
    view.text("cpulimit").and_then(|limit| match thousandths(&limit) {
        Some(0) => Observed::Absent,
        Some(limit) => {
            let clock = view.ground.clocks.get(&view.guest.node);
            let mhz = clock.map(|clock| clock.saturating_mul(limit) / 1000);
            Observed::or_why(mhz, Why::CallFailed)
        }
        None => {
            view.unreadable("cpulimit", &limit);
            Observed::Unobserved(Why::Unreadable)
        }
    })
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
        Observed::Absent => word(true),
        told => told.and_then(|weight| word(usual.contains(&weight))),
    }
}

/// Nodes of the host's memory to which the machine is bound.
fn numa_nodes(view: &View<'_>) -> Observed<Text> {
    let mut bound: Vec<(u32, Text)> = Vec::new();
    for key in view.config.keys() {
        let Some(("numa", number)) = indexed(key) else { continue };
        match view.config.properties(key, "cpus") {
            Observed::Value(nodes) => {
                bound.extend(nodes.get("hostnodes").map(|it| (number, it.clone())));
            }
            Observed::Absent => {}
            Observed::Unobserved(why) => return Observed::Unobserved(why),
        }
    }
    bound.sort();
    let bound: Vec<&str> = bound.iter().map(|(_, nodes)| nodes.as_str()).collect();
    Observed::or_absent((!bound.is_empty()).then(|| bound.join(",").into()))
}

fn memory(view: &View<'_>, workload: &mut Workload) {
    let size = match view.text("memory") {
        Observed::Absent => Observed::Value(MEMORY_MIB << 20),
        // A plain number until version 8, a string of properties since.
        told => told.and_then(|text| {
            let properties = Properties::parse(&text, "current").ok();
            let current = properties.and_then(|it| it.get("current")?.trim().parse::<u64>().ok());
            if current.is_none() {
                view.unreadable("memory", &text);
            }
            Observed::or_why(current.and_then(|it| it.checked_mul(1 << 20)), Why::Unreadable)
        }),
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
        told => told.and_then(|word| match word.as_str() {
            "seabios" => Observed::Value(FirmwareKind::Bios),
            "ovmf" => Observed::Value(FirmwareKind::Efi),
            other => {
                view.unknown("bios", other);
                Observed::Unobserved(Why::Unreadable)
            }
        }),
    };
    // Whether secure boot is on is a variable inside the EFI disk; with enrolled keys it starts on.
    workload.firmware.secure_boot = kind.clone().and_then(|kind| match kind {
        FirmwareKind::Bios => Observed::Value(false),
        FirmwareKind::Efi => match view.config.properties("efidisk0", "file") {
            Observed::Absent => Observed::Value(false),
            told => told.and_then(|disk| disk.is_on("pre-enrolled-keys")),
        },
    });
    workload.firmware.kind = kind;
}

/// The UUID that the guest sees. Other fields may be encoded; this one never is.
fn bios_uuid(view: &View<'_>) -> Observed<entente_model::Uuid> {
    let properties = view.config.properties("smbios1", "uuid");
    properties.and_then(|it| Observed::or_absent(it.get("uuid").cloned())).and_then(|uuid| {
        let parsed = uuid.parse().ok();
        if parsed.is_none() {
            view.unreadable("smbios1", &uuid);
        }
        Observed::or_why(parsed, Why::Unreadable)
    })
}

/// When it was made, which machines remember since version 7.2.
fn created(view: &View<'_>) -> Observed<Moment> {
    match view.config.properties("meta", "creation-qemu") {
        Observed::Absent => Observed::Unobserved(Why::Blank),
        told => told.and_then(|meta| match meta.get("ctime") {
            None => Observed::Unobserved(Why::Blank),
            Some(seconds) => {
                let made = seconds.parse().ok().and_then(moment);
                if made.is_none() {
                    view.unreadable("meta", seconds);
                }
                Observed::or_why(made, Why::Unreadable)
            }
        }),
    }
}
