//! Domains → workloads.

use std::collections::BTreeSet;

use entente_model::{
    Attribute, AttributeKind, GapCause, Listing, Observed, PowerState, Text, Uuid, Why, Workload,
    WorkloadId, WorkloadKind,
};

use super::gaps::Told;
use super::networks::Implied;
use super::uses::Uses;
use super::{Scene, blank, bytes, devices, disks, guest, hardware, nics, settings, snapshots};
use crate::libvirt::wire::failure::Failure;
use crate::libvirt::wire::reading::{DomainReading, Read, Reading, parsed};
use crate::libvirt::wire::xml::Element;
use crate::live::{Found, Gaps};
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
    /// Images that they use.
    pub uses: Uses,
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
        self.now.attribute("id").is_some()
    }

    /// Its devices of one kind.
    pub fn devices<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.now.at("devices").into_iter().flat_map(move |it| it.all(name))
    }
}

/// Maps every domain.
pub fn workloads(scene: &Scene<'_>, reading: &Reading, gaps: &mut Gaps) -> Workloads {
    let mut mapped =
        Workloads { workloads: Vec::new(), bridges: BTreeSet::new(), uses: Uses::default() };
    match &reading.domains {
        Ok(domains) => {
            for domain in domains {
                workload(scene, domain, &mut mapped, gaps);
            }
        }
        Err(failure) => {
            mapped.uses.unread(failure.why());
            gaps.failed(SECTION, "list of domains", failure, None);
        }
    }
    if reading.domains_left_out > 0 {
        mapped.uses.unread(Why::CallFailed);
    }
    gaps.left_out(SECTION, "domains", reading.domains_left_out);
    mapped.workloads.sort_by(|one, other| one.id.cmp(&other.id));
    mapped
}

fn workload(scene: &Scene<'_>, reading: &DomainReading, mapped: &mut Workloads, gaps: &mut Gaps) {
    let uuid = reading.domain.uuid;
    let name = reading.domain.name.as_str();
    if reading.is_gone() {
        let message = "it was deleted while it was read";
        return gaps.add(Found::of(GapCause::Vanished, SECTION, message).value(name));
    }
    let Ok(id) = WorkloadId::on(scene.platform, &uuid.to_string()) else {
        let message = "its UUID makes no id";
        mapped.uses.unread(Why::Unreadable);
        return gaps.add(Found::of(GapCause::UnmappedRow, SECTION, message).value(name));
    };
    let document = document(reading, gaps);
    let why = document.as_ref().err().map_or(Why::Blank, Failure::why);
    let mut workload = blank::workload(scene, id, name, uuid, why);
    workload.power = power(reading, document.as_ref().ok(), gaps);
    state(reading, &mut workload, gaps);
    snapshots::read(scene, reading, &mut workload, &mut mapped.uses, gaps);
    uses(scene, reading, document.as_ref(), &workload.id, &mut mapped.uses);
    if let Ok(document) = document {
        describe(&document, &mut workload, gaps);
        hardware::read(scene, &document, &mut workload, gaps);
        disks::read(scene, &document, &mut workload, gaps);
        nics::read(scene, &document, &mut workload, &mut mapped.bridges, gaps);
        devices::read(scene, &document, &mut workload, gaps);
        guest::read(scene, &document, &mut workload, gaps);
        // Last, since it tells what differs between now and the next start.
        settings::read(&document, &mut workload);
    }
    mapped.workloads.push(workload);
}

/// Finds the images that it uses; whatever of its XML was not read may name others.
fn uses(
    scene: &Scene<'_>,
    reading: &DomainReading,
    document: Result<&Document<'_>, &Failure>,
    id: &WorkloadId,
    uses: &mut Uses,
) {
    match document {
        Ok(document) => {
            uses.read(&scene.storage, &document.now, id);
            match (&document.next, &reading.stored) {
                (Some(next), _) => uses.read(&scene.storage, next, id),
                (None, Some(Err(failure))) => uses.unread(failure.why()),
                // Only one of the two is there, or the other cannot be understood.
                (None, Some(Ok(_))) if reading.live.is_some() => uses.unread(Why::Unreadable),
                (None, None) => match &reading.persistent {
                    Err(failure) => uses.unread(failure.why()),
                    Ok(true) if reading.live.is_some() => uses.unread(Why::CallFailed),
                    Ok(_) => {}
                },
                (None, Some(Ok(_))) => {}
            }
        }
        Err(failure) => uses.unread(failure.why()),
    }
}

/// The domain's XML, parsed; a gap for each piece that is not there.
fn document<'a>(reading: &'a DomainReading, gaps: &mut Gaps) -> Read<Document<'a>> {
    let mut parse = |xml: &Option<Read<String>>, what: &'static str| {
        let parsed = parsed(xml.as_ref()?);
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

/// Reasons for a pause that is over in a moment, whatever comes then: migration, on its way down or up,
/// migration after the start.
const PASSING: [i32; 5] = [2, 8, 11, 12, 13];
/// The reason for a pause that the guest crashed.
const CRASHED: i32 = 10;

/// Its power state, from a state and an XML that tell the same.
fn power(
    reading: &DomainReading,
    document: Option<&Document<'_>>,
    gaps: &mut Gaps,
) -> Observed<PowerState> {
    let name = reading.domain.name.as_str();
    let (state, reason) = match &reading.state {
        Ok(state) => *state,
        Err(failure) => {
            gaps.failed(SECTION, "state", failure, Some(name));
            return Observed::Unobserved(failure.why());
        }
    };
    if !reading.is_consistent() {
        let message = "its state changed each time it was read";
        let found = Found::of(GapCause::Conflict, SECTION, message).field("state");
        gaps.add(found.value(name));
        return Observed::Unobserved(Why::Conflict);
    }
    let is_active = document.map_or(reading.domain.id >= 0, |it| it.now.attribute("id").is_some());
    match (state, reason) {
        // Running, blocked on a resource, on its way down while it still runs.
        (1 | 2 | 4, _) => PowerState::On.into(),
        (3, reason) if PASSING.contains(&reason) || reason == CRASHED => passing(state, gaps, name),
        // Crashed and kept as it was, for somebody to look at it.
        (6, _) if is_active => passing(state, gaps, name),
        // Paused, sleeping.
        (3 | 7, _) => PowerState::Suspended.into(),
        // Off or crashed; its memory may be saved.
        (5 | 6, _) => match &reading.saved {
            Ok(true) => PowerState::Suspended.into(),
            Ok(false) => PowerState::Off.into(),
            Err(failure) => {
                gaps.failed(SECTION, "saved memory", failure, Some(name));
                match failure.is_unsupported() {
                    true => PowerState::Off.into(),
                    false => Observed::Unobserved(failure.why()),
                }
            }
        },
        // A driver without states tells by the number alone.
        (0, _) if is_active => PowerState::On.into(),
        (0, _) => PowerState::Off.into(),
        (unknown, _) => {
            gaps.unknown(SECTION, "state", &unknown.to_string());
            Observed::Unobserved(Why::Unreadable)
        }
    }
}

fn passing(state: i32, gaps: &mut Gaps, name: &str) -> Observed<PowerState> {
    let message = match state {
        6 => "it crashed and is kept for inspection: neither on nor off",
        _ => "it is paused on its way somewhere else, or since it crashed: neither on nor off",
    };
    gaps.add(Found::of(GapCause::NotModelled, SECTION, message).field("state").value(name));
    Observed::Unobserved(Why::Unreadable)
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

fn describe(document: &Document<'_>, workload: &mut Workload, gaps: &mut Gaps) {
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
    workload.attributes = Listing::complete(metadata(domain, gaps));
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
fn metadata(domain: &Element, gaps: &mut Gaps) -> Vec<Attribute> {
    let elements = domain.at("metadata").map(|it| it.children.as_slice()).unwrap_or_default();
    let mut attributes: Vec<_> = elements
        .iter()
        .map(|element| {
            let whole = redacted(&element.write());
            if whole.chars().nth(METADATA_CHARS_MAX).is_some() {
                let message = "metadata is longer than what is kept of one element";
                let found = Found::of(GapCause::LimitReached, SECTION, message);
                gaps.add(found.field("metadata").value(&element.name));
            }
            Attribute {
                name: Text::from(element.name.as_str()),
                value: whole.chars().take(METADATA_CHARS_MAX).collect(),
                kind: Observed::Value(AttributeKind::Custom),
            }
        })
        .collect();
    attributes.sort();
    attributes
}
