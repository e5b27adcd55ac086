//! Support windows of hypervisors, management servers and guests.

use entente_app::document::{SupportReport, SupportState, SupportSubject};
use maud::{Markup, html};

use crate::components::{
    Column, Part, Table, legend, section as section_of, stacked_bar, subsection, support_state,
};
use crate::format;

use super::context::Context;

const SUBJECTS: [(SupportSubject, &str, &str); 3] = [
    (SupportSubject::Hypervisor, "Hypervisors", "Hosts"),
    (SupportSubject::Management, "Management servers", "Servers"),
    (SupportSubject::Guest, "Guest operating systems", "Machines"),
];

const STATES: [(SupportState, &str, &str, &str); 4] = [
    (SupportState::Ended, "blocked", "✕", "out of general support"),
    (SupportState::Ending, "conditional", "!", "ends within 12 months"),
    (SupportState::Supported, "ready", "✓", "in general support"),
    (SupportState::Unknown, "unknown", "?", "unknown"),
];

pub(super) fn section(context: &Context<'_>, id: &str, title: &str) -> Markup {
    let lead = format!("General support as of {}.", context.assessment.as_of);
    let support = &context.assessment.support;
    let body = html! {
        (legend(&parts(&[])))
        @for (subject, heading, count_heading) in SUBJECTS {
            @let mut rows: Vec<&SupportReport> =
                support.iter().filter(|row| row.subject == subject).collect();
            @if !rows.is_empty() {
                (subsection(heading, subject_of(&mut rows, heading, count_heading)))
            }
        }
        @if support.is_empty() { p.empty { "No product version was observed." } }
    };
    section_of(id, title, &lead, body)
}

fn subject_of(rows: &mut [&SupportReport], heading: &str, count_heading: &str) -> Markup {
    rows.sort_by(|a, b| (a.state, b.count, &a.product).cmp(&(b.state, a.count, &b.product)));
    let mut table = Table::new(
        format!("{heading} by product and version"),
        vec![
            Column::text("Product"),
            Column::number(count_heading),
            Column::text("General support"),
            Column::text("Ends"),
            Column::text("Extended support ends"),
            Column::prose("Source"),
        ],
    )
    .visible(12);
    let date = |date: Option<&str>| {
        html! {
            @match date {
                Some(date) => { span.date { (date) } },
                None => { span.absent { span aria-hidden="true" { "–" } span.hidden-text { "no date" } } },
            }
        }
    };
    for row in rows.iter() {
        table.row(vec![
            html! { (row.product) },
            html! { (format::count(row.count)) },
            support_state(row.state),
            date(row.general_support_ends.as_deref()),
            date(row.extended_support_ends.as_deref()),
            html! { span.minor { (row.source) } },
        ]);
    }
    let parts = parts(rows);
    let told: Vec<String> = parts
        .iter()
        .filter(|part| part.count > 0)
        .map(|part| format!("{} {}", format::count(part.count), part.label))
        .collect();
    html! {
        (stacked_bar(&parts, count_heading))
        p.empty { (count_heading) ": " (told.join(" · ")) }
        (table.render())
    }
}

fn parts(rows: &[&SupportReport]) -> Vec<Part> {
    let part =
        |(state, class, symbol, label): &(SupportState, &'static str, &'static str, &str)| Part {
            class,
            symbol,
            label: (*label).to_owned(),
            count: rows.iter().filter(|row| row.state == *state).map(|row| row.count).sum(),
        };
    STATES.iter().map(part).collect()
}
