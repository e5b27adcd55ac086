//! Domains → workloads.

use std::collections::BTreeSet;

use entente_model::{
    Attribute, AttributeKind, GapCause, Listing, Observed, PowerState, Text, Uuid, Why, Workload,
    WorkloadId, WorkloadKind,
};

use super::gaps::Gaps;
use super::networks::Implied;
use super::{Scene, blank, bytes, devices, disks, guest, hardware, nics, settings, snapshots};
use crate::libvirt::wire::failure::Failure;
use crate::libvirt::wire::reading::{DomainReading, Read, Reading};
use crate::libvirt::wire::xml::Element;
use crate::secrets::redacted;

pub const SECTION: &str = "workloads";

/// Longest metadata that is kept of one element, in characters.
const METADATA_CHARS_MAX: usize = 2_000;

/// All workloads.
pub struct Workloads {
    /// Sorted by id.
    pub workloads: Vec<Workload>,
    /// Bridges and devices of the host to which they are attached directly.
    pub bridges: BTreeSet<Implied>,
}

/// A domain with its XML.
pub struct Document<'a> {
    /// What was read of it.
    pub reading: &'a DomainReading,
    /// It as it runs, else as it is stored.
    pub now: Element,
    /// It as it is at its next start, where that may differ.
    pub next: Option<Element>,
}

impl Document<'_> {
    /// It runs, or is paused.
    pub fn is_active(&self) -> bool {
        self.reading.live.is_some()
    }

    /// Its devices of one kind.
    pub fn devices<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.now.at("devices").into_iter().flat_map(move |it| it.all(name))
    }
}

/// Maps every domain.
pub fn workloads(scene: &Scene<'_>, reading: &Reading, gaps: &mut Gaps) -> Workloads {
    let mut mapped = Workloads { workloads: Vec::new(), bridges: BTreeSet::new() };
    match &reading.domains {
        Ok(domains) => {
            for domain in domains {
                workload(scene, domain, &mut mapped, gaps);
            }
        }
        Err(failure) => gaps.failed(SECTION, "list of domains", failure, None),
    }
    if reading.domains_left_out > 0 {
        let message = "more domains than the limit on objects";
        let cause = GapCause::LimitReached;
        gaps.count(SECTION, cause, None, message, None, reading.domains_left_out);
    }
    mapped.workloads.sort_by(|one, other| one.id.cmp(&other.id));
    mapped
}

fn workload(scene: &Scene<'_>, reading: &DomainReading, mapped: &mut Workloads, gaps: &mut Gaps) {
    let uuid = reading.domain.uuid;
    let name = reading.domain.name.as_str();
    if reading.is_gone() {
        let message = "it was deleted while it was read";
        return gaps.add(SECTION, GapCause::Vanished, None, message, Some(name));
    }
    let Ok(id) = WorkloadId::on(scene.platform, &uuid.to_string()) else {
        let message = "its UUID makes no id";
        return gaps.add(SECTION, GapCause::UnmappedRow, None, message, Some(name));
    };
    let document = document(reading, gaps);
    let why = document.as_ref().err().map_or(Why::Blank, Failure::why);
    let mut workload = blank::workload(scene, id, name, uuid, why);
    workload.power = power(reading, gaps);
    state(reading, &mut workload, gaps);
    snapshots::read(reading, &mut workload, gaps);
    if let Ok(document) = document {
        describe(&document, &mut workload);
        hardware::read(scene, &document, &mut workload, gaps);
        disks::read(scene, &document, &mut workload, gaps);
        nics::read(scene, &document, &mut workload, &mut mapped.bridges, gaps);
        devices::read(scene, &document, &mut workload, gaps);
        guest::read(scene, &document, &mut workload, gaps);
        // Last, since it tells what differs between now and the next start.
        settings::read(&document, &mut workload, gaps);
    }
    mapped.workloads.push(workload);
}

/// The domain's XML, parsed; a gap for each piece that is not there.
fn document<'a>(reading: &'a DomainReading, gaps: &mut Gaps) -> Read<Document<'a>> {
    let mut parse = |xml: &Option<Read<String>>, what: &'static str| {
        let parsed = xml.as_ref()?.as_ref().map_err(Clone::clone).and_then(|it| Element::parse(it));
        if let Err(failure) = &parsed {
            gaps.failed(SECTION, what, failure, Some(&reading.domain.name));
        }
        Some(parsed)
    };
    let live = parse(&reading.live, "XML as it runs");
    let stored = parse(&reading.stored, "XML as it is stored");
    match (live, stored) {
        (Some(Ok(now)), Some(Ok(next))) => Ok(Document { reading, now, next: Some(next) }),
        (Some(Ok(now)), _) | (_, Some(Ok(now))) => Ok(Document { reading, now, next: None }),
        (Some(Err(failure)), _) | (None, Some(Err(failure))) => Err(failure),
        (None, None) => Err(Failure::NotAsked("nobody told whether it is kept".into())),
    }
}

fn power(reading: &DomainReading, gaps: &mut Gaps) -> Observed<PowerState> {
    let state = match &reading.state {
        Ok((state, _)) => *state,
        Err(failure) => {
            gaps.failed(SECTION, "state", failure, Some(&reading.domain.name));
            return Observed::Unobserved(failure.why());
        }
    };
    match state {
        // Running, blocked on a resource, on its way down.
        1 | 2 | 4 => PowerState::On.into(),
        // Paused, sleeping.
        3 | 7 => PowerState::Suspended.into(),
        // Off or crashed; its memory may be saved.
        5 | 6 => match &reading.saved {
            Ok(true) => PowerState::Suspended.into(),
            Ok(false) => PowerState::Off.into(),
            Err(failure) if failure.is_unsupported() => PowerState::Off.into(),
            Err(failure) => {
                gaps.failed(SECTION, "saved memory", failure, Some(&reading.domain.name));
                Observed::Unobserved(failure.why())
            }
        },
        // A driver without states tells by the number alone.
        0 if reading.domain.id >= 0 => PowerState::On.into(),
        0 => PowerState::Off.into(),
        unknown => {
            gaps.unknown(SECTION, "state", &unknown.to_string());
            Observed::Unobserved(Why::Unreadable)
        }
    }
}

/// The word for a state, as libvirt's own tools write it.
fn state_word(state: i32) -> &'static str {
    match state {
        1 => "running",
        2 => "idle",
        3 => "paused",
        4 => "in shutdown",
        5 => "shut off",
        6 => "crashed",
        7 => "pmsuspended",
        _ => "no state",
    }
}

/// What is known without XML.
fn state(reading: &DomainReading, workload: &mut Workload, gaps: &mut Gaps) {
    let name = Some(reading.domain.name.as_str());
    if let Ok((state, _)) = reading.state {
        workload.samples.guest_state = Observed::Value(state_word(state).into());
    }
    if workload.power == PowerState::Off.into() {
        workload.samples.powered_on_since = Observed::Absent;
    }
    for (what, read) in
        [("kept when it ends", &reading.persistent), ("autostart", &reading.autostart)]
    {
        if let Err(failure) = read {
            gaps.failed(SECTION, what, failure, name);
        }
    }
}

fn describe(document: &Document<'_>, workload: &mut Workload) {
    let domain = &document.now;
    if domain.attribute("type").is_some_and(|it| it == "lxc") {
        workload.kind = WorkloadKind::Container;
    }
    // What the guest sees is the domain's UUID unless the firmware's tables say otherwise.
    let told = system_uuid(domain).or_else(|| workload.instance_uuid.copied());
    workload.bios_uuid = told.map_or(Observed::Unobserved(Why::Blank), Observed::Value);
    let texts: Vec<_> =
        ["title", "description"].iter().filter_map(|it| domain.text_at(it)).collect();
    workload.annotation = match texts.is_empty() {
        true => Observed::Absent,
        false => Observed::Value(redacted(&texts.join("\n"))),
    };
    workload.attributes = Listing::complete(metadata(domain));
    workload.placement.resource_pool = match domain.text_at("resource/partition") {
        Some(partition) => Observed::Value(Text::from(partition)),
        None => Observed::Absent,
    };
    if let (true, Some(size), Some(current)) =
        (document.is_active(), quantity(domain, "memory"), quantity(domain, "currentMemory"))
    {
        workload.samples.memory_ballooned_bytes = Observed::Value(size.saturating_sub(current));
    } else if !document.is_active() {
        workload.samples.memory_ballooned_bytes = Observed::Absent;
    }
}

/// Size of memory at a path, in bytes.
pub fn quantity(domain: &Element, path: &str) -> Option<u64> {
    let element = domain.at(path)?;
    bytes(&element.text, element.attribute("unit"), "KiB")
}

fn system_uuid(domain: &Element) -> Option<Uuid> {
    if domain.attribute_at("os/smbios", "mode") != Some("sysinfo") {
        return None;
    }
    let entries =
        domain.all("sysinfo").flat_map(|it| it.all("system")).flat_map(|it| it.all("entry"));
    let mut uuids = entries.filter(|it| it.attribute("name") == Some("uuid"));
    uuids.next()?.text.parse().ok()
}

/// What tools keep with the domain: one attribute for each element, by its name.
fn metadata(domain: &Element) -> Vec<Attribute> {
    let elements = domain.at("metadata").map(|it| it.children.as_slice()).unwrap_or_default();
    let mut attributes: Vec<_> = elements
        .iter()
        .map(|element| Attribute {
            name: Text::from(element.name.as_str()),
            value: redacted(&element.write()).chars().take(METADATA_CHARS_MAX).collect(),
            kind: Observed::Value(AttributeKind::Custom),
        })
        .collect();
    attributes.sort();
    attributes
}
