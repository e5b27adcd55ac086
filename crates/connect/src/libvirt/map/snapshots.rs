//! VM snapshots and checkpoints.

use entente_model::{Listing, Observed, Text, VmSnapshot, Why, Workload};

use super::domain::SECTION;
use super::gaps::Gaps;
use super::moment;
use crate::libvirt::wire::reading::DomainReading;
use crate::libvirt::wire::xml::Element;
use crate::secrets::redacted;

/// Maps them.
pub fn read(reading: &DomainReading, workload: &mut Workload, gaps: &mut Gaps) {
    let name = Some(reading.domain.name.as_str());
    workload.snapshots = match &reading.snapshots {
        Ok(documents) => {
            let mut why = None;
            let mut snapshots = Vec::new();
            for document in documents {
                let parsed =
                    document.as_ref().map_err(Clone::clone).and_then(|it| Element::parse(it));
                match parsed {
                    Ok(element) => snapshots.push(snapshot(&element)),
                    Err(failure) => {
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
        // A driver without VM snapshots has none.
        Err(failure) if failure.is_unsupported() => Listing::complete(Vec::new()),
        Err(failure) => {
            gaps.failed(SECTION, "VM snapshots", failure, name);
            Listing::unobserved(failure.why())
        }
    };
    workload.availability.change_tracking = match &reading.checkpoints {
        Ok(checkpoints) if checkpoints.is_empty() => Observed::Absent,
        Ok(_) => Observed::Value(true),
        Err(failure) if failure.is_unsupported() => Observed::Unobserved(Why::NotInVersion),
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
        state: text("state"),
    }
}
