//! Applications, where an overlay names them.

use entente_app::document::ApplicationReport;
use maud::{Markup, html};

use crate::chart::{BarChart, Unit};
use crate::components::{
    Bar, Column, Table, fact, note, section as section_of, stacked_bar, verdict_parts,
    workloads_link,
};
use crate::format;

use super::context::Context;

/// Terms of the score named in a row.
const TERMS: usize = 3;

pub(super) fn section(context: &Context<'_>, id: &str, title: &str) -> Markup {
    let mut applications: Vec<&ApplicationReport> =
        context.assessment.applications.iter().collect();
    applications.sort_by(|a, b| (b.complexity, &a.name).cmp(&(a.complexity, &b.name)));
    if applications.is_empty() {
        let body = note(html! {
            p {
                "No workload has an application. An overlay (" code { "--overlay FILE" }
                ") from a configuration database adds applications and owners."
            }
        });
        return section_of(id, title, "", body);
    }
    let bars = applications.iter().map(|application| {
        let text = format!(
            "{} points, {}",
            format::count(application.complexity),
            format::counted(application.machines, "machine")
        );
        Bar::new(application.name.as_str(), application.complexity, text)
    });
    let chart = BarChart {
        id: "application-complexity",
        title: "Complexity by application (points)".to_owned(),
        measure: "points",
        unit: Unit::Count,
        bars: bars.collect(),
        table: scores(&applications),
    };
    let body = html! {
        (chart.render())
        (verdicts(context, &applications).render())
    };
    section_of(id, title, "Applications are the unit people plan in; hardest first.", body)
}

fn scores(applications: &[&ApplicationReport]) -> Table {
    let mut table = Table::new(
        "Complexity by application and term",
        vec![Column::text("Application"), Column::number("Points"), Column::text("Points by term")],
    );
    for application in applications {
        let terms: Vec<String> = hardest_terms(application)
            .map(|(term, points)| format!("{term} {}", format::count(*points)))
            .collect();
        table.row(vec![
            html! { (application.name) },
            html! { (format::count(application.complexity)) },
            html! { (terms.join(", ")) },
        ]);
    }
    table
}

fn verdicts(context: &Context<'_>, applications: &[&ApplicationReport]) -> Table {
    let mut columns = vec![
        Column::text("Application"),
        Column::text("Owner"),
        Column::number("Machines"),
        Column::number("Complexity"),
        Column::text("Mostly"),
    ];
    columns.extend(context.targets().map(|(_, label)| Column::text(format!("{label}, as seen"))));
    let mut table = Table::new("Applications, hardest first", columns).visible(15);
    for application in applications {
        let mostly: Vec<&str> =
            hardest_terms(application).take(TERMS).map(|(term, _)| term.as_str()).collect();
        let mut cells = vec![
            workloads_link(&[("text", &application.name)], html! { (application.name) }),
            fact(&application.owner, |owner| html! { (owner) }),
            html! { (format::count(application.machines)) },
            html! { (format::count(application.complexity)) },
            html! { @for term in mostly { span.nowrap { (term) } " " } },
        ];
        for (target, _) in context.targets() {
            let counts = application.as_seen.get(target).copied().unwrap_or_default();
            cells.push(html! {
                div.thin { (stacked_bar(&verdict_parts(&counts), "machines")) }
                small { (format::count(counts.ready)) " of " (format::count(counts.total())) " ready" }
            });
        }
        table.row(cells);
    }
    table
}

fn hardest_terms(
    application: &ApplicationReport,
) -> impl Iterator<Item = (&entente_model::Text, &u64)> {
    let mut terms: Vec<_> = application.terms.iter().filter(|(_, points)| **points > 0).collect();
    terms.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
    terms.into_iter()
}
