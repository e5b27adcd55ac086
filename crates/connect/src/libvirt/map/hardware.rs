//! Processors, memory, firmware.

use entente_model::{Cpu, Firmware, FirmwareKind, GapCause, Memory, Observed, Text, Why, Workload};

use super::Scene;
use super::domain::{Document, SECTION, quantity};
use crate::libvirt::wire::xml::Element;
use crate::live::{Found, Gaps};

/// Period of the limit on processor time where none is told, in microseconds.
const PERIOD_MICROSECONDS: u64 = 100_000;

/// Maps them.
pub fn read(scene: &Scene<'_>, document: &Document<'_>, workload: &mut Workload, gaps: &mut Gaps) {
    let domain = &document.now;
    workload.cpu = cpu(scene, domain, gaps);
    workload.memory = memory(domain, gaps);
    let hardware_version = workload.firmware.hardware_version.clone();
    workload.firmware = Firmware { hardware_version, ..firmware(domain) };
}

fn cpu(scene: &Scene<'_>, domain: &Element, gaps: &mut Gaps) -> Cpu {
    let vcpu = domain.at("vcpu");
    let most = vcpu.and_then(|it| it.text.parse::<u32>().ok());
    if let (Some(vcpu), None) = (vcpu, most) {
        unreadable("vcpu", "not a number", &vcpu.text, gaps);
    }
    let now = match vcpu.and_then(|it| it.attribute("current")) {
        Some(current) => {
            let now = current.parse().ok();
            if now.is_none() {
                unreadable("vcpu/current", "not a number", current, gaps);
            }
            now
        }
        None => most,
    };
    let why = if vcpu.is_some() { Why::Unreadable } else { Why::Blank };
    let (sockets, cores) = topology(domain, most);
    Cpu {
        count: Observed::or_why(now, why),
        sockets: sockets.map_or(Observed::Unobserved(unlaid(domain, why)), Observed::Value),
        cores_per_socket: cores.map_or(Observed::Unobserved(unlaid(domain, why)), Observed::Value),
        hot_add: Observed::or_why(now.zip(most).map(|(now, most)| now < most), why),
        hot_remove: Observed::Value(can_be_removed(domain)),
        // libvirt guarantees no processor time to anybody.
        reservation_mhz: Observed::Absent,
        limit_mhz: limit(scene, domain, now, gaps),
        shares_level: Observed::Value(
            if domain.has("cputune/shares") { "custom" } else { "normal" }.into(),
        ),
        affinity: Observed::or_absent(affinity(domain)),
        numa_affinity: Observed::or_absent(numa_affinity(domain)),
    }
}

fn unreadable(field: &str, message: &str, value: &str, gaps: &mut Gaps) {
    gaps.add(Found::of(GapCause::UnreadableValue, SECTION, message).field(field).value(value));
}

/// The driver is QEMU's, with or without help of the processor.
pub fn is_qemu(domain: &Element) -> bool {
    matches!(domain.attribute("type"), Some("kvm" | "qemu"))
}

/// Why there is no topology.
fn unlaid(domain: &Element, why: Why) -> Why {
    if domain.has("cpu/topology") || is_qemu(domain) { why } else { Why::SourceLimit }
}

/// Sockets, and cores of each. Without a topology each processor is a socket: that is what libvirt
/// then asks of QEMU; what other drivers do, nobody tells.
fn topology(domain: &Element, most: Option<u32>) -> (Option<u32>, Option<u32>) {
    let Some(topology) = domain.at("cpu/topology") else {
        let most = most.filter(|_| is_qemu(domain));
        return (most, most.map(|_| 1));
    };
    let number = |name| topology.attribute(name).and_then(|it| it.parse::<u32>().ok());
    let below = ["dies", "clusters", "cores", "threads"].map(|it| number(it).unwrap_or(1));
    (number("sockets"), Some(below.into_iter().fold(1, u32::saturating_mul)))
}

fn can_be_removed(domain: &Element) -> bool {
    let Some(vcpus) = domain.at("vcpus") else { return false };
    vcpus.all("vcpu").any(|it| {
        it.attribute("hotpluggable") == Some("yes") && it.attribute("enabled") == Some("yes")
    })
}

fn limit(
    scene: &Scene<'_>,
    domain: &Element,
    count: Option<u32>,
    gaps: &mut Gaps,
) -> Observed<u64> {
    let number = |path| domain.text_at(path).and_then(|it| it.parse::<i64>().ok());
    for path in ["cputune/quota", "cputune/global_quota"] {
        if let (Some(element), None) = (domain.at(path), number(path)) {
            unreadable(path, "not a number", &element.text, gaps);
            return Observed::Unobserved(Why::Unreadable);
        }
    }
    let per_processor = number("cputune/quota").filter(|it| *it > 0).map(|it| (it, "period", true));
    let in_all = number("cputune/global_quota").filter(|it| *it > 0);
    let of_all = in_all.map(|it| (it, "global_period", false));
    let Some((quota, period, each)) = per_processor.or(of_all) else { return Observed::Absent };
    let period = number(&format!("cputune/{period}")).and_then(|it| u64::try_from(it).ok());
    let period = period.filter(|it| *it > 0).unwrap_or(PERIOD_MICROSECONDS);
    let processors = if each { count.map(u64::from) } else { Some(1) };
    scene.mhz.clone().and_then(|mhz| {
        let limit = processors.zip(u64::try_from(quota).ok()).and_then(|(processors, quota)| {
            mhz.checked_mul(processors)?.checked_mul(quota)?.checked_div(period)
        });
        Observed::or_why(limit, Why::Unreadable)
    })
}

fn affinity(domain: &Element) -> Option<Text> {
    let vcpu = domain.at("vcpu")?;
    if vcpu.attribute("placement") == Some("auto") {
        return Some("auto".into());
    }
    let pins: Vec<_> = domain
        .at("cputune")
        .into_iter()
        .flat_map(|it| it.all("vcpupin"))
        .filter_map(|it| Some(format!("{}:{}", it.attribute("vcpu")?, it.attribute("cpuset")?)))
        .collect();
    if pins.is_empty() {
        vcpu.attribute("cpuset").map(Text::from)
    } else {
        Some(Text::from(pins.join(" ")))
    }
}

fn numa_affinity(domain: &Element) -> Option<Text> {
    let tune = domain.at("numatune")?;
    let memory = tune.at("memory");
    if memory.and_then(|it| it.attribute("placement")) == Some("auto") {
        return Some("auto".into());
    }
    let whole = memory.and_then(|it| it.attribute("nodeset")).map(str::to_owned);
    let cells = tune
        .all("memnode")
        .filter_map(|it| Some(format!("{}:{}", it.attribute("cellid")?, it.attribute("nodeset")?)));
    let parts: Vec<_> = whole.into_iter().chain(cells).collect();
    (!parts.is_empty()).then(|| Text::from(parts.join(" ")))
}

fn memory(domain: &Element, gaps: &mut Gaps) -> Memory {
    let size = quantity(domain, "memory");
    if let (None, Some(element)) = (size, domain.at("memory")) {
        unreadable("memory", "not a size", &element.text, gaps);
    }
    let why = if domain.has("memory") { Why::Unreadable } else { Why::Blank };
    let locked = domain.has("memoryBacking/locked");
    let mut tuned = |path| match (domain.at(path), quantity(domain, path)) {
        (None, _) => Observed::Absent,
        (Some(_), Some(size)) => Observed::Value(size),
        (Some(element), None) => {
            unreadable(path, "not a size", &element.text, gaps);
            Observed::Unobserved(Why::Unreadable)
        }
    };
    Memory {
        size_bytes: Observed::or_why(size, why),
        reservation_bytes: if locked {
            Observed::or_why(size, why)
        } else {
            tuned("memtune/min_guarantee")
        },
        reservation_locked_to_max: Observed::Value(locked),
        limit_bytes: tuned("memtune/hard_limit"),
        // Hosts share memory by need, not by shares.
        shares_level: Observed::Absent,
        hot_add: Observed::Value(domain.attribute_at("maxMemory", "slots").is_some()),
    }
}

/// Processors on which flash holds UEFI, and nothing else in use.
const WITH_UEFI: [&str; 6] = ["x86_64", "i686", "aarch64", "armv7l", "riscv64", "loongarch64"];

fn firmware(domain: &Element) -> Firmware {
    let kind = firmware_kind(domain);
    Firmware {
        secure_boot: match kind {
            Observed::Value(FirmwareKind::Efi) => secure_boot(domain),
            // There is no such thing without UEFI.
            Observed::Value(FirmwareKind::Bios) => Observed::Value(false),
            Observed::Absent => Observed::Absent,
            Observed::Unobserved(why) => Observed::Unobserved(why),
        },
        kind,
        hardware_version: Observed::Unobserved(Why::SourceLimit),
    }
}

/// As it is told; else QEMU's own for PCs, which is SeaBIOS. Machines of other kinds and other drivers
/// bring what nobody tells. Containers have none.
fn firmware_kind(domain: &Element) -> Observed<FirmwareKind> {
    if domain.text_at("os/type") == Some("exe") {
        return Observed::Absent;
    }
    let arch = domain.attribute_at("os/type", "arch").unwrap_or_default();
    let loader = domain.at("os/loader");
    let in_flash = loader.is_some_and(|it| it.attribute("type") == Some("pflash"));
    let machine = domain.attribute_at("os/type", "machine").unwrap_or_default();
    let is_pc = matches!(machine, "pc" | "q35" | "isapc")
        || machine.starts_with("pc-i440fx-")
        || machine.starts_with("pc-q35-");
    match domain.attribute_at("os", "firmware") {
        Some("efi") => Observed::Value(FirmwareKind::Efi),
        Some("bios") => Observed::Value(FirmwareKind::Bios),
        _ if in_flash && WITH_UEFI.contains(&arch) => Observed::Value(FirmwareKind::Efi),
        None if loader.is_none_or(|it| it.text.is_empty() && !in_flash)
            && is_qemu(domain)
            && is_pc
            && matches!(arch, "x86_64" | "i686") =>
        {
            Observed::Value(FirmwareKind::Bios)
        }
        _ => Observed::Unobserved(Why::SourceLimit),
    }
}

/// Only where it is told: by a feature of the firmware, which does nothing without keys, or by a
/// loader that must be secure.
fn secure_boot(domain: &Element) -> Observed<bool> {
    let feature = |name: &str| {
        let mut features = domain.at("os/firmware").into_iter().flat_map(|it| it.all("feature"));
        let feature = features.find(|it| it.attribute("name") == Some(name))?;
        feature.attribute("enabled").map(|it| it == "yes")
    };
    let loader = domain.attribute_at("os/loader", "secure").map(|it| it == "yes");
    match (feature("secure-boot").or(loader), feature("enrolled-keys")) {
        (Some(false), _) | (Some(true), Some(false)) => Observed::Value(false),
        (Some(true), _) => Observed::Value(true),
        (None, _) => Observed::Unobserved(Why::SourceLimit),
    }
}
