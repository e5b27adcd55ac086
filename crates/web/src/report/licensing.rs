//! Cores to license by cluster, and licences installed.

use maud::{Markup, html};

use crate::chart::{BarChart, Unit};
use crate::components::{
    Bar, Column, Table, fact, note, quantity, section as section_of, subsection,
};
use crate::format;

use super::context::Context;

pub(super) fn section(context: &Context<'_>, id: &str, title: &str) -> Markup {
    let licensing = &context.assessment.licensing;
    let lead = format!(
        "{} cores to license, of which the minimum per processor adds {}.",
        format::count(licensing.licensable_cores.known),
        format::count(licensing.added_by_minimum),
    );
    let body = html! {
        (note(html! { p { b { "Rule: " } (licensing.rule) } }))
        @if licensing.licensable_cores.unknown > 0 {
            p {
                span.gap { span aria-hidden="true" { "? " }
                    (format::counted(licensing.licensable_cores.unknown, "host"))
                    " without observed sockets or cores: not in the sum" }
            }
        }
        (clusters(context))
        (subsection("Licences installed", licences(context)))
    };
    section_of(id, title, &lead, body)
}

fn clusters(context: &Context<'_>) -> Markup {
    let mut clusters: Vec<_> =
        context.assessment.clusters.iter().filter(|cluster| cluster.hosts > 0).collect();
    clusters
        .sort_by(|a, b| (b.licensable_cores.known, &a.id).cmp(&(a.licensable_cores.known, &b.id)));
    let mut table = Table::new(
        "Licensable cores by cluster",
        vec![
            Column::text("Cluster"),
            Column::text("Platform"),
            Column::number("Hosts"),
            Column::number("Physical cores"),
            Column::number("Licensable cores"),
        ],
    );
    let mut bars = Vec::new();
    for cluster in clusters {
        table.row(vec![
            html! { (cluster.name) },
            html! { (cluster.platform) },
            html! { (format::count(cluster.hosts)) },
            quantity(cluster.cores, "host"),
            quantity(cluster.licensable_cores, "host"),
        ]);
        let cores = cluster.licensable_cores;
        let mut text = format!("{} cores", format::count(cores.known));
        if cores.unknown > 0 {
            text.push_str(&format!(" + {} ?", format::counted(cores.unknown, "host")));
        }
        bars.push(Bar::new(cluster.name.as_str(), cores.known, text));
    }
    let chart = BarChart {
        id: "licensable-cores",
        title: "Licensable cores by cluster".to_owned(),
        measure: "cores",
        unit: Unit::Count,
        bars,
        table,
    };
    chart.render()
}

fn licences(context: &Context<'_>) -> Markup {
    let mut table = Table::new(
        "Licences installed",
        vec![
            Column::text("Licence"),
            Column::text("Platform"),
            Column::text("Unit"),
            Column::number("Bought"),
            Column::number("Used"),
            Column::text("Ends"),
        ],
    );
    for licence in &context.assessment.licensing.licences {
        table.row(vec![
            html! { (licence.name) },
            html! { (licence.platform) },
            fact(&licence.unit, |unit| html! { (unit) }),
            match &licence.total {
                entente_model::Observed::Absent => html! { "unlimited" },
                total => fact(total, |total| html! { (format::count(*total)) }),
            },
            fact(&licence.used, |used| html! { (format::count(*used)) }),
            match &licence.expires {
                entente_model::Observed::Absent => html! { "never" },
                expires => fact(expires, |date| html! { span.date { (date) } }),
            },
        ]);
    }
    table.render()
}
