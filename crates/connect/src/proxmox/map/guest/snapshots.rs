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
    let is_whole = records.len() == list.len();
    let mut snapshots: Vec<VmSnapshot> = records.iter().filter_map(snapshot).collect();
    snapshots.sort_by(|a, b| (a.created.copied(), &a.name).cmp(&(b.created.copied(), &b.name)));
    if is_whole {
        Listing::complete(snapshots)
    } else {
        Listing::incomplete(snapshots, Why::Unreadable)
    }
}

fn snapshot(record: &Record<'_>) -> Option<VmSnapshot> {
    let name = record.required("name").filter(|it| it != NOW)?;
    Some(VmSnapshot {
        id: name.clone().into(),
        parent: record.text("parent"),
        name,
        description: note(record.text("description")),
        created: match record.number("snaptime") {
            Observed::Value(seconds) => Observed::or_why(moment(seconds), Why::Unreadable),
            Observed::Absent => Observed::Unobserved(Why::Blank),
            Observed::Unobserved(why) => Observed::Unobserved(why),
        },
        size_bytes: Observed::Unobserved(Why::SourceLimit),
        quiesced: Observed::Unobserved(Why::SourceLimit),
        state: match record.flag("vmstate") {
            Observed::Value(true) => Observed::Value(Text::new_static("running")),
            Observed::Unobserved(why) => Observed::Unobserved(why),
            _ => Observed::Value(Text::new_static("stopped")),
        },
    })
}
