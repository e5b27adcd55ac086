//! Processors, memory, firmware.

use entente_model::{Cpu, Firmware, FirmwareKind, Memory, Observed, Text, Why, Workload};

use super::Scene;
use super::domain::{Document, SECTION, quantity};
use super::gaps::Gaps;
use crate::libvirt::wire::xml::Element;

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
        let cause = entente_model::GapCause::UnreadableValue;
        gaps.add(SECTION, cause, Some("vcpu"), "not a number", Some(&vcpu.text));
    }
    let now = vcpu.and_then(|it| it.attribute("current")?.parse().ok()).or(most);
    let why = if vcpu.is_some() { Why::Unreadable } else { Why::Blank };
    let (sockets, cores) = topology(domain, most);
    Cpu {
        count: Observed::or_why(now, why),
        sockets: Observed::or_why(sockets, why),
        cores_per_socket: Observed::or_why(cores, why),
        hot_add: Observed::or_why(now.zip(most).map(|(now, most)| now < most), why),
        hot_remove: Observed::Value(can_be_removed(domain)),
        // libvirt guarantees no processor time to anybody.
        reservation_mhz: Observed::Absent,
        limit_mhz: limit(scene, domain, now),
        shares_level: Observed::Value(
            if domain.has("cputune/shares") { "custom" } else { "normal" }.into(),
        ),
        affinity: Observed::or_absent(affinity(domain)),
        numa_affinity: Observed::or_absent(numa_affinity(domain)),
    }
}

/// Sockets, and cores of each. Without a topology each processor is a socket: that is what libvirt
/// then asks of QEMU.
fn topology(domain: &Element, most: Option<u32>) -> (Option<u32>, Option<u32>) {
    let Some(topology) = domain.at("cpu/topology") else {
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

fn limit(scene: &Scene<'_>, domain: &Element, count: Option<u32>) -> Observed<u64> {
    let number = |path| domain.text_at(path).and_then(|it| it.parse::<i64>().ok());
    let per_processor = number("cputune/quota").filter(|it| *it > 0).map(|it| (it, "period", true));
    let in_all = number("cputune/global_quota").filter(|it| *it > 0);
    let of_all = in_all.map(|it| (it, "global_period", false));
    let Some((quota, period, each)) = per_processor.or(of_all) else { return Observed::Absent };
    let period = number(&format!("cputune/{period}")).and_then(|it| u64::try_from(it).ok());
    let period = period.filter(|it| *it > 0).unwrap_or(PERIOD_MICROSECONDS);
    let processors = if each { count.map(u64::from) } else { Some(1) };
    let limit = scene.mhz.zip(processors).zip(u64::try_from(quota).ok()).and_then(
        |((mhz, processors), quota)| {
            mhz.checked_mul(processors)?.checked_mul(quota)?.checked_div(period)
        },
    );
    Observed::or_why(limit, Why::CallFailed)
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
        let cause = entente_model::GapCause::UnreadableValue;
        gaps.add(SECTION, cause, Some("memory"), "not a size", Some(&element.text));
    }
    let why = if domain.has("memory") { Why::Unreadable } else { Why::Blank };
    let locked = domain.has("memoryBacking/locked");
    let guaranteed = quantity(domain, "memtune/min_guarantee");
    Memory {
        size_bytes: Observed::or_why(size, why),
        reservation_bytes: if locked {
            Observed::or_why(size, why)
        } else {
            Observed::or_absent(guaranteed)
        },
        reservation_locked_to_max: Observed::Value(locked),
        limit_bytes: Observed::or_absent(quantity(domain, "memtune/hard_limit")),
        // Hosts share memory by need, not by shares.
        shares_level: Observed::Absent,
        hot_add: Observed::Value(domain.attribute_at("maxMemory", "slots").is_some()),
    }
}

fn firmware(domain: &Element) -> Firmware {
    let loader = domain.at("os/loader");
    let efi = domain.attribute_at("os", "firmware") == Some("efi")
        || loader.is_some_and(|it| it.attribute("type") == Some("pflash"));
    let named = domain.at("os/firmware").is_some_and(|firmware| {
        firmware.all("feature").any(|it| {
            it.attribute("name") == Some("secure-boot") && it.attribute("enabled") == Some("yes")
        })
    });
    let secure = loader.is_some_and(|it| it.attribute("secure") == Some("yes")) || named;
    // Elsewhere than on PCs, no loader in the XML does not mean a BIOS.
    let pc = matches!(domain.attribute_at("os/type", "arch"), Some("x86_64" | "i686"));
    let kind = if efi {
        Observed::Value(FirmwareKind::Efi)
    } else if pc {
        Observed::Value(FirmwareKind::Bios)
    } else {
        Observed::Unobserved(Why::Blank)
    };
    Firmware {
        secure_boot: if kind.is_observed() {
            Observed::Value(secure)
        } else {
            Observed::Unobserved(Why::Blank)
        },
        kind,
        hardware_version: Observed::Unobserved(Why::SourceLimit),
    }
}
