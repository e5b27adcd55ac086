//! VM snapshots, each with the one that it follows.

use entente_model::{Listing, Observed, Text, VmSnapshot, Why};

use super::{View, note};
use crate::proxmox::map::moment;
use crate::proxmox::wire::Record;

/// The entry that stands for "now".
const NOW: &str = "current";

pub(super) fn snapshots(view: &View<'_>) -> Listing<VmSnapshot> {
    if view.guest.is_template {
        // What is a template can have none: the platform refuses.
        return Listing::complete(Vec::new());
    }
    let call = view.guest.kind.calls().snapshots;
    let Some(list) = view.answers.list(call, &view.args()) else {
        return Listing::unobserved(view.answers.why(call, &view.args()));
    };
    let records: Vec<_> = Record::each(list, "workloads", view.context.gaps).collect();
    let named: Vec<_> = records.iter().filter_map(|it| Some((it.required("name")?, it))).collect();
    let is_whole = named.len() == list.len();
    let named = named.into_iter().filter(|(name, _)| name != NOW);
    let mut snapshots: Vec<VmSnapshot> = named.map(|(name, it)| snapshot(name, it)).collect();
    snapshots.sort_by(|a, b| (a.created.copied(), &a.name).cmp(&(b.created.copied(), &b.name)));
    if is_whole {
        Listing::complete(snapshots)
    } else {
        Listing::incomplete(snapshots, Why::Unreadable)
    }
}

fn snapshot(name: Text, record: &Record<'_>) -> VmSnapshot {
    VmSnapshot {
        id: name.clone().into(),
        parent: record.text("parent"),
        name,
        description: note(record.text("description")),
        created: match record.number("snaptime") {
            Observed::Absent => Observed::Unobserved(Why::Blank),
            told => told.and_then(|it| Observed::or_why(moment(it), Why::Unreadable)),
        },
        size_bytes: Observed::Unobserved(Why::SourceLimit),
        quiesced: Observed::Unobserved(Why::SourceLimit),
        state: record
            .flag_or("vmstate", false)
            .map(|it| Text::new_static(if it { "running" } else { "stopped" })),
    }
}
