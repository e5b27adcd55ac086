//! What workloads lean on.

use maud::{Markup, html};

use crate::chart::{BarChart, Unit};
use crate::components::{Bar, Column, Table, section as section_of};
use crate::format;

use super::context::Context;

pub(super) fn section(context: &Context<'_>, id: &str, title: &str) -> Markup {
    let machines = context.assessment.summary.machines;
    let mut attachments: Vec<_> = context.assessment.attachments.iter().collect();
    attachments.sort_by(|a, b| (b.workloads, &a.kind).cmp(&(a.workloads, &b.kind)));
    let mut table = Table::new(
        "Attachments to the control plane",
        vec![
            Column::text("Attachment"),
            Column::text("Id"),
            Column::number("Machines"),
            Column::number("Share of machines"),
            Column::number("In all"),
            Column::number("Machines not observed"),
        ],
    );
    for attachment in &attachments {
        table.row(vec![
            html! { (attachment.label) },
            html! { code { (attachment.kind) } },
            html! { (format::count(attachment.workloads)) },
            html! { (format::share(attachment.workloads, machines)) },
            html! { (format::count(attachment.count)) },
            html! {
                @if attachment.not_observed > 0 {
                    span.gap { span aria-hidden="true" { "? " } (format::count(attachment.not_observed)) }
                } @else { "0" }
            },
        ]);
    }
    let bars = attachments.iter().map(|attachment| {
        let share = format::share(attachment.workloads, machines);
        let mut text = format!("{} ({share})", format::count(attachment.workloads));
        if attachment.not_observed > 0 {
            text.push_str(&format!(" + {} ?", format::count(attachment.not_observed)));
        }
        Bar::new(attachment.label.as_str(), attachment.workloads, text)
    });
    let chart = BarChart {
        id: "attachment-kinds",
        title: "Machines by what they lean on".to_owned(),
        measure: "machines",
        unit: Unit::Count,
        bars: bars.collect(),
        table,
    };
    let lead = "What of the control plane machines lean on: what has to be rebuilt, replaced or \
                given up elsewhere. A mark + n ? is n machines for which it was not observed.";
    section_of(id, title, lead, chart.render())
}
