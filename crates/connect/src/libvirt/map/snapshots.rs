//! VM snapshots and checkpoints.

use entente_model::{Listing, Observed, Text, VmSnapshot, Why, Workload};

use super::domain::SECTION;
use super::gaps::Told;
use super::uses::Uses;
use super::{Scene, moment};
use crate::libvirt::wire::reading::{DomainReading, parsed};
use crate::libvirt::wire::xml::Element;
use crate::live::Gaps;
use crate::secrets::redacted;

/// Maps them.
pub fn read(
    scene: &Scene<'_>,
    reading: &DomainReading,
    workload: &mut Workload,
    uses: &mut Uses,
    gaps: &mut Gaps,
) {
    let name = Some(reading.domain.name.as_str());
    workload.snapshots = match &reading.snapshots {
        Ok(documents) => {
            let mut why = None;
            let mut snapshots = Vec::new();
            for document in documents {
                let parsed = parsed(document);
                match parsed {
                    Ok(element) => {
                        // Images that only a VM snapshot holds are in use, too.
                        uses.read(&scene.storage, &element, &workload.id);
                        snapshots.push(snapshot(&element));
                    }
                    Err(failure) => {
                        uses.unread(failure.why());
                        gaps.failed(SECTION, "VM snapshot", &failure, name);
                        why = Some(failure.why());
                    }
                }
            }
            snapshots.sort_by(|one, other| one.id.cmp(&other.id));
            match why {
                Some(why) => Listing::incomplete(snapshots, why),
                None => Listing::complete(snapshots),
            }
        }
        Err(failure) => {
            if !failure.is_unsupported() {
                uses.unread(failure.why());
            }
            gaps.failed(SECTION, "VM snapshots", failure, name);
            Listing::unobserved(failure.why())
        }
    };
    workload.availability.change_tracking = match &reading.checkpoints {
        Ok(checkpoints) if checkpoints.is_empty() => Observed::Absent,
        Ok(_) => Observed::Value(true),
        Err(failure) => {
            gaps.failed(SECTION, "checkpoints", failure, name);
            Observed::Unobserved(failure.why())
        }
    };
}

fn snapshot(element: &Element) -> VmSnapshot {
    let text = |path: &str| match element.text_at(path) {
        Some(text) => Observed::Value(Text::from(text)),
        None => Observed::Absent,
    };
    let name = element.text_at("name").unwrap_or_default();
    VmSnapshot {
        id: Observed::Value(Text::from(name)),
        parent: text("parent/name"),
        name: Text::from(name),
        description: match element.text_at("description") {
            Some(text) => Observed::Value(redacted(text)),
            None => Observed::Absent,
        },
        created: match element.text_at("creationTime") {
            Some(seconds) => moment(seconds),
            None => Observed::Unobserved(Why::Blank),
        },
        size_bytes: Observed::Unobserved(Why::SourceLimit),
        quiesced: Observed::Unobserved(Why::SourceLimit),
        state: match element.text_at("state") {
            Some(state) => Observed::Value(Text::from(state)),
            None => Observed::Unobserved(Why::Blank),
        },
    }
}
