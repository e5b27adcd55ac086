//! The guest: what is configured of it, and what its agent tells.

use std::collections::BTreeMap;

use entente_model::{GapCause, Listing, Observed, Partition, Text, ToolsStatus, Why, Workload};

use super::Scene;
use super::domain::{Document, SECTION};
use super::gaps::Told;
use super::hardware::is_qemu;
use crate::libvirt::wire::procedures::Parameter;
use crate::libvirt::wire::reading::agent_state;
use crate::libvirt::wire::xml::Element;
use crate::live::{Found, Gaps};

/// File systems of one guest.
const FILE_SYSTEMS_MAX: u64 = 4_096;

/// Maps it.
pub fn read(scene: &Scene<'_>, document: &Document<'_>, workload: &mut Workload, gaps: &mut Gaps) {
    let guest = &mut workload.guest;
    guest.os_configured = match configured(&document.now) {
        Some(os) => Observed::Value(Text::from(os)),
        None => Observed::Absent,
    };
    let state = agent_state(&document.now);
    guest.tools.status = match state {
        // Without a channel nothing in the guest could answer; other drivers have other ways.
        None if is_qemu(&document.now) => Observed::Absent,
        None => Observed::Unobserved(Why::SourceLimit),
        Some("connected") => Observed::Value(ToolsStatus::Current),
        Some("disconnected") => Observed::Value(ToolsStatus::NotRunning),
        Some(_) => Observed::Unobserved(Why::GuestSilent),
    };
    let why = match state {
        Some("connected") if scene.read_only => Why::NoPermission,
        _ => Why::GuestSilent,
    };
    if why == Why::NoPermission {
        let message = "guest agents are not asked over a read-only connection: add `?access=full` \
                       to the address for host names, operating systems and file systems";
        let name = document.reading.domain.name.as_str();
        let found = Found::of(GapCause::NoPermission, SECTION, message);
        gaps.add(found.field("guest agent").value(name));
    }
    let why = match &document.reading.agent_facts {
        Some(Err(failure)) if failure.is_guest_silent() => Why::GuestSilent,
        Some(Err(failure)) => failure.why(),
        _ => why,
    };
    guest.os_reported = Observed::Unobserved(why);
    guest.hostname = Observed::Unobserved(why);
    guest.partitions = Listing::unobserved(why);
    match &document.reading.agent_facts {
        Some(Ok(facts)) => told(facts, document, workload, gaps),
        Some(Err(failure)) => {
            let name = document.reading.domain.name.as_str();
            gaps.failed(SECTION, "facts by the agent", failure, Some(name));
        }
        None => {}
    }
}

/// The operating system that the domain was made for, as `libosinfo` names it.
fn configured(domain: &Element) -> Option<&str> {
    let metadata = domain.at("metadata")?;
    let info = metadata.children.iter().find(|it| it.name.ends_with("libosinfo"))?;
    info.children.iter().find(|it| it.name.ends_with(":os") || it.name == "os")?.attribute("id")
}

fn told(
    facts: &[(String, Parameter)],
    document: &Document<'_>,
    workload: &mut Workload,
    gaps: &mut Gaps,
) {
    let facts: BTreeMap<&str, &Parameter> = facts.iter().map(|it| (it.0.as_str(), &it.1)).collect();
    let text = |name: &str| match facts.get(name) {
        Some(Parameter::Text(text)) if !text.is_empty() => Some(Text::from(text.as_str())),
        _ => None,
    };
    let number = |name: &str| match facts.get(name) {
        Some(Parameter::Number(number)) => Some(*number),
        _ => None,
    };
    let silent = Why::GuestSilent;
    let guest = &mut workload.guest;
    let or_silent = |text: Option<Text>| text.map_or(Observed::Unobserved(silent), Observed::Value);
    guest.os_reported = or_silent(text("os.pretty-name").or_else(|| text("os.name")));
    guest.hostname = or_silent(text("hostname"));
    let Some(count) = number("fs.count") else { return };
    let partitions = (0..count.min(FILE_SYSTEMS_MAX)).filter_map(|at| {
        let size = |name: &str| {
            number(&format!("fs.{at}.{name}")).map_or(Observed::Unobserved(silent), Observed::Value)
        };
        let (capacity, used) = (size("total-bytes"), size("used-bytes"));
        Some(Partition {
            mount: text(&format!("fs.{at}.mountpoint"))?,
            disk_key: or_silent(text(&format!("fs.{at}.disk.0.alias"))),
            free_bytes: match (capacity.copied(), used.copied()) {
                (Some(capacity), Some(used)) => Observed::Value(capacity.saturating_sub(used)),
                _ => Observed::Unobserved(silent),
            },
            capacity_bytes: capacity,
        })
    });
    let mut partitions: Vec<_> = partitions.collect();
    partitions.sort_by(|one, other| one.mount.cmp(&other.mount));
    let missing = count.saturating_sub(partitions.len() as u64);
    guest.partitions = match missing {
        0 => Listing::complete(partitions),
        _ => Listing::incomplete(partitions, silent),
    };
    if missing > 0 {
        let message = "the agent counts more file systems than it tells of, or than the limit";
        let name = document.reading.domain.name.as_str();
        let found = Found::of(GapCause::LimitReached, SECTION, message).field("fs.count");
        gaps.add_many(found.value(name), missing);
    }
}
