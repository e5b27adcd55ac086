//! How much of the estate was seen: sources, what they can never tell, and what is missing.

use std::collections::BTreeMap;

use entente_app::document::SourceReport;
use entente_model::{Gap, GapCause, Place};
use maud::{Markup, html};

use crate::chart::{BarChart, Unit};
use crate::components::{Bar, Column, Table, details, section as section_of, subsection};
use crate::format;

use super::context::Context;

/// Gaps of one cause that are named.
const EXAMPLES: usize = 8;

pub(super) fn section(context: &Context<'_>, id: &str, title: &str) -> Markup {
    let lead = "What was read, what this kind of source can never tell, and what is missing from it. \
                A gap is never counted as no.";
    let body = html! {
        (subsection("Sources", sources(&context.assessment.sources)))
        (subsection("Gaps by cause", gaps(&context.assessment.gaps)))
    };
    section_of(id, title, lead, body)
}

fn sources(sources: &[SourceReport]) -> Markup {
    html! {
        @for source in sources {
            article.source {
                p {
                    b { (source.location) } " · read by " (source.connector)
                    " · version " (source.version.as_deref().unwrap_or("not told"))
                    " · taken " (source.taken.as_deref().map_or_else(|| "not told".to_owned(), format::moment))
                }
                (details(
                    &format!("{} read", format::counted(source.sections.len() as u64, "section")),
                    sections(source),
                ))
                @if !source.limits.is_empty() {
                    (details(
                        &format!("{} of this kind of source", format::counted(source.limits.len() as u64, "limit")),
                        limits(source),
                    ))
                }
            }
        }
    }
}

fn sections(source: &SourceReport) -> Markup {
    let mut table = Table::new(
        format!("What was read of {}, by section", source.location),
        vec![
            Column::text("Section"),
            Column::number("Rows"),
            Column::number("Mapped"),
            Column::number("Not mapped"),
            Column::number("Cells with a value"),
        ],
    )
    .visible(40);
    for (section, tally) in &source.sections {
        table.row(vec![
            html! { (section) },
            html! { (format::count(tally.rows)) },
            html! { (format::count(tally.mapped)) },
            html! { (format::count(tally.rows.saturating_sub(tally.mapped))) },
            html! { (format::count(tally.cells)) },
        ]);
    }
    table.render()
}

fn limits(source: &SourceReport) -> Markup {
    let mut table = Table::new(
        format!("What a source like {} can never tell", source.location),
        vec![
            Column::text("Attribute"),
            Column::text("Kind"),
            Column::prose("Why, and what would tell"),
        ],
    )
    .visible(40);
    for limit in &source.limits {
        table.row(vec![
            html! { code { (limit.attribute) } },
            html! { (format::why(limit.why)) },
            html! { (limit.message) },
        ]);
    }
    table.render()
}

/// One kind of reason with all that it stands for.
struct Cause<'a> {
    cause: GapCause,
    count: u64,
    gaps: Vec<&'a Gap>,
}

fn gaps(gaps: &[Gap]) -> Markup {
    let mut by_cause: BTreeMap<GapCause, Vec<&Gap>> = BTreeMap::new();
    for gap in gaps {
        by_cause.entry(gap.cause).or_default().push(gap);
    }
    let mut causes: Vec<Cause<'_>> = by_cause
        .into_iter()
        .map(|(cause, gaps)| Cause { cause, count: gaps.iter().map(|gap| gap.count).sum(), gaps })
        .collect();
    causes.sort_by(|a, b| (b.count, a.cause).cmp(&(a.count, b.cause)));
    let (not_modelled, causes): (Vec<_>, Vec<_>) =
        causes.into_iter().partition(|it| it.cause == GapCause::NotModelled);
    html! {
        @if causes.is_empty() { p.empty { "No gaps." } } @else { (cause_chart(&causes)) }
        @for cause in &causes { (named(cause)) }
        @for cause in &not_modelled {
            p.empty {
                (format::counted(cause.count, "row"))
                " were read and have no place in the model yet; they are not counted as gaps."
            }
            (named(cause))
        }
    }
}

fn named(cause: &Cause<'_>) -> Markup {
    let summary = format!("{}: {}", format::gap_cause(cause.cause), format::count(cause.count));
    details(&summary, examples(cause.cause, &cause.gaps))
}

fn cause_chart(causes: &[Cause<'_>]) -> Markup {
    let mut table = Table::new(
        "Gaps by cause",
        vec![Column::text("Cause"), Column::text("Id"), Column::number("Rows or values")],
    );
    let mut bars = Vec::new();
    for Cause { cause, count, .. } in causes {
        let count_text = format::count(*count);
        table.row(vec![
            html! { (format::gap_cause(*cause)) },
            html! { code { (cause.as_str()) } },
            html! { (count_text) },
        ]);
        bars.push(Bar {
            label: format::gap_cause(*cause).to_owned(),
            value: *count,
            text: count_text,
            class: "unknown",
        });
    }
    let chart = BarChart {
        id: "gap-causes",
        title: "Rows or values that were not observed".to_owned(),
        measure: "rows or values",
        unit: Unit::Count,
        bars,
        table,
    };
    chart.render()
}

fn examples(cause: GapCause, gaps: &[&Gap]) -> Markup {
    let mut gaps = gaps.to_vec();
    gaps.sort_by(|a, b| (b.count, a).cmp(&(a.count, b)));
    let mut table = Table::new(
        format!("{}: examples, those that stand for most first", format::gap_cause(cause)),
        vec![
            Column::text("Where"),
            Column::prose("What"),
            Column::text("Value"),
            Column::number("Count"),
        ],
    );
    for gap in gaps.iter().take(EXAMPLES) {
        table.row(vec![
            place(&gap.place),
            html! { (gap.message) },
            html! { @if let Some(value) = &gap.value { code { (value) } } },
            html! { (format::count(gap.count)) },
        ]);
    }
    html! {
        (table.render())
        @if gaps.len() > EXAMPLES {
            p.empty { (format::count((gaps.len() - EXAMPLES) as u64)) " more in the JSON output." }
        }
    }
}

fn place(place: &Place) -> Markup {
    html! {
        (place.file)
        @if let Some(section) = &place.section { " · " (section) }
        @if let Some(row) = place.row { " · row " (row) }
        @if let Some(field) = &place.field { " · " code { (field) } }
    }
}
