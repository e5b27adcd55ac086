//! Operating systems, storage and network.

use entente_app::document::Share;
use maud::{Markup, html};

use crate::chart::{BarChart, Unit};
use crate::components::{Bar, Column, Table, quantity_mib, section as section_of, subsection};
use crate::format;

use super::context::Context;

pub(super) fn section(context: &Context<'_>, id: &str, title: &str) -> Markup {
    let shape = &context.assessment.shape;
    let body = html! {
        (subsection("Operating systems", html! { div.columns {
            (chart("shape-systems", "Machines by operating system", "machine", &shape.operating_systems))
            (chart("shape-families", "Machines by family", "machine", &shape.families))
        } }))
        (subsection("Storage", html! { div.columns {
            (chart("shape-disks", "Machines by disk capacity", "machine", &shape.disk_tiers))
            (chart("shape-datastores", "Datastores by kind", "datastore", &shape.datastores))
        } }))
        (subsection("Processors and memory", html! { div.columns {
            (chart("shape-cpus", "Machines by vCPU", "machine", &shape.cpu_tiers))
            (chart("shape-memory", "Machines by memory", "machine", &shape.memory_tiers))
        } }))
        (subsection("Network", html! { div.columns {
            (chart("shape-nics", "Machines by number of network adapters", "machine", &shape.nic_tiers))
            (chart("shape-networks", "Networks by kind of switch", "network", &shape.networks))
        } }))
    };
    section_of(id, title, "", body)
}

/// Bars of counts; sizes are in the table behind, where any are known.
fn chart(id: &'static str, title: &str, of: &'static str, shares: &[Share]) -> Markup {
    let whole: u64 = shares.iter().map(|share| share.count).sum();
    let sized = shares.iter().any(|share| share.size_mib.known > 0 || share.size_mib.unknown > 0);
    let mut columns = vec![Column::text("What"), Column::number("Count"), Column::number("Share")];
    if sized {
        columns.push(Column::number("Capacity"));
    }
    let mut table = Table::new(title, columns);
    let mut bars = Vec::new();
    for share in shares {
        let part = format::share(share.count, whole);
        let mut cells =
            vec![html! { (share.label) }, html! { (format::count(share.count)) }, html! { (part) }];
        if sized {
            cells.push(quantity_mib(share.size_mib, of));
        }
        table.row(cells);
        bars.push(Bar {
            label: share.label.to_string(),
            value: share.count,
            text: format!("{} ({part})", format::count(share.count)),
            class: if is_unknown(&share.label) { "unknown" } else { "" },
        });
    }
    let chart =
        BarChart { id, title: title.to_owned(), measure: "count", unit: Unit::Count, bars, table };
    chart.render()
}

/// The assessment names what was not observed in words.
fn is_unknown(label: &str) -> bool {
    let label = label.to_lowercase();
    label.starts_with("unknown")
        || label.starts_with("not observed")
        || label.starts_with("unobserved")
}
