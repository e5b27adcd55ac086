//! Workloads that look unused or too large: what need not be moved.

use entente_app::document::HygieneEntry;
use maud::{Markup, html};

use crate::components::{Column, Table, note, section as section_of, subsection, workloads_link};
use crate::format;

use super::context::Context;

/// Machines of one kind in the page; the JSON output has all.
const ENTRIES_MAX: usize = 100;

pub(super) fn section(context: &Context<'_>, id: &str, title: &str) -> Markup {
    let hygiene = &context.assessment.hygiene;
    let lead = "What looks unused or larger than its load, and what would come free. To be confirmed \
                with the owner before anything is done.";
    let body = html! {
        @if !hygiene.limits.is_empty() {
            (note(html! {
                p { b { "What could not be said" } }
                ul { @for limit in &hygiene.limits { li { (limit) } } }
            }))
        }
        (subsection("Look unused", entries("Machines that look unused", &hygiene.zombies)))
        (subsection("Look too large", entries("Machines that look too large", &hygiene.oversized)))
    };
    section_of(id, title, lead, body)
}

fn entries(caption: &str, entries: &[HygieneEntry]) -> Markup {
    let sum = |size: fn(&HygieneEntry) -> u64| -> u64 { entries.iter().map(size).sum() };
    let mut table = Table::new(
        caption,
        vec![
            Column::text("Machine"),
            Column::text("Rule"),
            Column::prose("Evidence"),
            Column::number("vCPU free"),
            Column::number("Memory free"),
            Column::number("Storage free"),
        ],
    )
    .visible(10)
    .maximum(ENTRIES_MAX);
    for entry in entries {
        table.row(vec![
            workloads_link(&[("text", &entry.name)], html! { (entry.name) }),
            html! { code { (entry.rule) } },
            html! { (entry.evidence) },
            html! { (format::count(entry.vcpus)) },
            html! { (format::mib(entry.memory_mib)) },
            html! { (format::mib(entry.storage_mib)) },
        ]);
    }
    html! {
        @if !entries.is_empty() {
            p {
                b { (format::counted(entries.len() as u64, "machine")) }
                "; would free " b { (format::count(sum(|it| it.vcpus))) " vCPU" }
                ", " b { (format::mib(sum(|it| it.memory_mib))) } " memory, "
                b { (format::mib(sum(|it| it.storage_mib))) } " storage."
            }
        }
        (table.render())
    }
}
