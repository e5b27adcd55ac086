//! The one host of a connection.

use entente_model::{GapCause, Host, HostId, Observed, PlatformId, Text, Why};

use super::gaps::Told;
use super::{hypervisor_version, observed};
use crate::libvirt::wire::procedures::NodeInfo;
use crate::libvirt::wire::reading::{HostReading, Read, parsed};
use crate::libvirt::wire::xml::Element;
use crate::live::{Found, Gaps};

const SECTION: &str = "hosts";

/// What the rest needs of it.
pub struct HostFacts {
    /// Its id.
    pub id: Observed<HostId>,
    /// UUID of the host, the platform's own.
    pub uuid: Observed<Text>,
    /// Its name.
    pub name: Observed<Text>,
    /// Clock of its processors, in MHz.
    pub mhz: Observed<u64>,
    /// The host, if it has an id.
    pub host: Option<Host>,
}

/// Maps the host.
pub fn read(platform: &PlatformId, reading: &HostReading, gaps: &mut Gaps) -> HostFacts {
    let capabilities = document(&reading.capabilities, "capabilities", gaps);
    let system = system(reading, gaps);
    let node = piece(&reading.node, "hardware", gaps);
    let name = piece(&reading.hostname, "host name", gaps).map(|it| Text::from(it.as_str()));
    let free = piece(&reading.free_memory, "free memory", gaps);
    piece(&reading.hypervisor_version, "version of the hypervisor", gaps);
    let uuid = at(&capabilities, |it| it.text_at("host/uuid"));
    let mhz = node.clone().and_then(|it| {
        let told = u64::try_from(it.mhz).ok().filter(|it| *it > 0);
        Observed::or_why(told, Why::Blank)
    });
    let id = identify(platform, &uuid, &name, gaps);
    let host = id.value().map(|id| Host {
        id: id.clone(),
        platform: platform.clone(),
        name: name.value().cloned().unwrap_or_else(|| Text::from(id.as_str())),
        datacenter: Observed::Unobserved(Why::SourceLimit),
        cluster: Observed::Absent,
        cpu_model: cpu_model(&capabilities, &system),
        cpu_mhz: mhz.clone(),
        sockets: node.clone().map(sockets),
        cores: node.clone().map(|it| sockets(it).saturating_mul(positive(it.cores))),
        memory_bytes: node.clone().map(|it| it.memory_kib.saturating_mul(1024)),
        hypervisor: Observed::Value(Text::from(reading.driver.as_str())),
        version: hypervisor_version(reading),
        build: Observed::Unobserved(Why::SourceLimit),
        vendor: at(&system, |it| entry(it, "system", "manufacturer")),
        model: at(&system, |it| entry(it, "system", "product")),
        in_maintenance: Observed::Unobserved(Why::SourceLimit),
        in_quarantine: Observed::Unobserved(Why::SourceLimit),
        evc_mode: Observed::Unobserved(Why::SourceLimit),
        evc_mode_max: Observed::Unobserved(Why::SourceLimit),
        licence_count: Observed::Absent,
        certificate_expires: Observed::Unobserved(Why::SourceLimit),
        cpu_used_basis_points: Observed::Unobserved(Why::SourceLimit),
        memory_used_basis_points: used(&node, &free),
        booted: Observed::Unobserved(Why::SourceLimit),
    });
    HostFacts { id, uuid, name, mhz, host }
}

/// The host's own UUID, else its name.
fn identify(
    platform: &PlatformId,
    uuid: &Observed<Text>,
    name: &Observed<Text>,
    gaps: &mut Gaps,
) -> Observed<HostId> {
    let native = uuid.value().or_else(|| name.value());
    match native.and_then(|it| HostId::on(platform, it).ok()) {
        Some(id) => Observed::Value(id),
        None => {
            let message = "the host tells neither UUID nor name: it has no id, and is left out";
            gaps.add(Found::of(GapCause::UnmappedRow, SECTION, message));
            Observed::Unobserved(uuid.why().or(name.why()).unwrap_or(Why::Unreadable))
        }
    }
}

fn piece<'a, T>(read: &'a Read<T>, what: &'static str, gaps: &mut Gaps) -> Observed<&'a T> {
    if let Err(failure) = read {
        gaps.failed(SECTION, what, failure, None);
    }
    observed(read)
}

fn document(read: &Read<String>, what: &'static str, gaps: &mut Gaps) -> Observed<Element> {
    let parsed = parsed(read);
    match parsed {
        Ok(element) => Observed::Value(element),
        Err(failure) => {
            gaps.failed(SECTION, what, &failure, None);
            Observed::Unobserved(failure.why())
        }
    }
}

/// A driver that has no such thing, and a host without the tool for it, both happen: neither is a
/// reason to worry about the rest.
fn system(reading: &HostReading, gaps: &mut Gaps) -> Observed<Element> {
    document(&reading.system, "maker and model", gaps)
}

fn at(document: &Observed<Element>, find: impl Fn(&Element) -> Option<&str>) -> Observed<Text> {
    match document {
        Observed::Value(element) => match find(element) {
            Some(text) => Observed::Value(Text::from(text)),
            None => Observed::Unobserved(Why::Blank),
        },
        Observed::Absent => Observed::Absent,
        Observed::Unobserved(why) => Observed::Unobserved(*why),
    }
}

fn entry<'a>(system: &'a Element, section: &'a str, name: &str) -> Option<&'a str> {
    let mut entries = system.all(section).flat_map(|it| it.all("entry"));
    let entry = entries.find(|it| it.attribute("name") == Some(name))?;
    Some(entry.text.as_str()).filter(|it| !it.is_empty())
}

/// What the maker calls the processor, else the nearest model that libvirt knows.
fn cpu_model(capabilities: &Observed<Element>, system: &Observed<Element>) -> Observed<Text> {
    let named = at(system, |it| entry(it, "processor", "version"));
    let known = match capabilities.value().and_then(|it| it.at("host/cpu")) {
        Some(cpu) => match (cpu.text_at("vendor"), cpu.text_at("model")) {
            (Some(vendor), Some(model)) => Observed::Value(Text::from(format!("{vendor} {model}"))),
            (None, Some(model)) => Observed::Value(Text::from(model)),
            _ => Observed::Unobserved(Why::Blank),
        },
        None => at(capabilities, |_| None),
    };
    named.or(known)
}

fn positive(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

fn sockets(node: &NodeInfo) -> u32 {
    positive(node.nodes).max(1).saturating_mul(positive(node.sockets))
}

fn used(node: &Observed<&NodeInfo>, free: &Observed<&u64>) -> Observed<u32> {
    let (Observed::Value(node), Observed::Value(free)) = (node, free) else {
        return Observed::Unobserved(node.why().or(free.why()).unwrap_or(Why::Blank));
    };
    let all = u128::from(node.memory_kib) * 1024;
    let used = all.saturating_sub(u128::from(**free));
    match (used * 10_000).checked_div(all).and_then(|it| u32::try_from(it).ok()) {
        Some(share) => Observed::Value(share),
        None => Observed::Unobserved(Why::Blank),
    }
}
