//! Readiness in full: heat maps, and every check with what it found.

use entente_app::document::{CheckReport, CheckSeverity, ClusterReport, VerdictCounts};
use maud::{Markup, html};

use crate::components::{
    Column, HeatCell, Table, check_severity, details, heat_cell, section as section_of,
    stacked_bar, subsection, verdict_parts, verdict_style, workloads_link,
};
use crate::format;

use super::context::{Context, check_anchor, verdict_filters};

pub(super) fn section(context: &Context<'_>, id: &str, title: &str) -> Markup {
    let lead = "Machines by verdict. A stronger tint is a larger share of the row; every number \
                leads to the machines behind it.";
    let body = html! {
        (subsection("Target and verdict", target_map(context)))
        (subsection("Cluster and target", cluster_map(context)))
        div id="checks" { (subsection("Checks", checks(context))) }
    };
    section_of(id, title, lead, body)
}

fn target_map(context: &Context<'_>) -> Markup {
    let mut columns = vec![Column::text("Target")];
    for (verdict, _, _) in verdict_filters() {
        let style = verdict_style(verdict);
        columns.push(Column::number(format!("{} {}", style.symbol, style.as_seen)));
    }
    for (verdict, _, _) in verdict_filters() {
        let style = verdict_style(verdict);
        columns.push(Column::number(format!("{} strict: {}", style.symbol, style.strict)));
    }
    let mut table = Table::new("Machines by target and verdict, as seen and strict", columns);
    for target in &context.assessment.readiness.targets {
        let mut cells = vec![html! { (target.label) }];
        for (verdict, seen, _) in verdict_filters() {
            cells.push(verdict_cell(&target.id, &target.label, &target.as_seen, (verdict, seen)));
        }
        for (verdict, _, strict) in verdict_filters() {
            cells.push(verdict_cell(
                &target.id,
                &target.label,
                &target.verdicts,
                (verdict, strict),
            ));
        }
        table.row(cells);
    }
    html! { div.heat-map { (table.render()) } }
}

fn verdict_cell(
    target: &str,
    label: &str,
    counts: &VerdictCounts,
    (verdict, filter): (entente_app::document::Verdict, &str),
) -> Markup {
    let style = verdict_style(verdict);
    heat_cell(&HeatCell {
        class: style.class,
        part: counts.of(verdict),
        whole: counts.total(),
        label: format!("machines {} on {label}", filter.replace(':', " ")),
        filter: vec![("target", target), ("verdict", filter), ("kind", "machine")],
    })
}

/// Ready-as-seen share by cluster and target, with the whole distribution as a bar below.
fn cluster_map(context: &Context<'_>) -> Markup {
    let mut clusters: Vec<&ClusterReport> = context.assessment.clusters.iter().collect();
    clusters.sort_by(|a, b| (b.demand_all.machines, &a.id).cmp(&(a.demand_all.machines, &b.id)));
    let mut columns = vec![Column::text("Cluster"), Column::number("Machines")];
    columns.extend(
        context.targets().map(|(_, label)| Column::text(format!("{label}: ready as seen"))),
    );
    let mut table =
        Table::new("Ready as seen by cluster and target, largest cluster first", columns);
    for cluster in clusters {
        let mut cells =
            vec![html! { (cluster.name) }, html! { (format::count(cluster.demand_all.machines)) }];
        for (target, label) in context.targets() {
            let counts = cluster.as_seen.get(target).copied().unwrap_or_default();
            cells.push(cluster_cell(cluster, target, label, &counts));
        }
        table.row(cells);
    }
    html! { div.heat-map { (table.render()) } }
}

fn cluster_cell(
    cluster: &ClusterReport,
    target: &str,
    label: &str,
    counts: &VerdictCounts,
) -> Markup {
    if counts.total() == 0 {
        return html! { div.heat { span.heat-zero { "no machines" } } };
    }
    html! {
        (heat_cell(&HeatCell {
            class: "ready",
            part: counts.ready,
            whole: counts.total(),
            label: format!("machines ready as seen on {label}"),
            filter: vec![
                ("target", target), ("verdict", "seen:ready"),
                ("cluster", &cluster.name), ("kind", "machine"),
            ],
        }))
        div.thin { (stacked_bar(&verdict_parts(counts), "machines")) }
    }
}

/// Checks that stop or delay a move come first; the others are a click away.
fn checks(context: &Context<'_>) -> Markup {
    let all = context.assessment.readiness.checks.iter();
    let (fired, unanswered): (Vec<&CheckReport>, Vec<&CheckReport>) =
        all.partition(|check| check.fired.values().any(|machines| *machines > 0));
    let (matters, informs): (Vec<&CheckReport>, Vec<&CheckReport>) =
        fired.into_iter().partition(|check| delays_a_move(check));
    html! {
        (check_table(context, "Checks that block or warn, most blocking first", &matters))
        (folded_checks(context, "that only inform", &informs))
        (folded_checks(context, "that no machine has for sure, but that stay unanswered", &unanswered))
    }
}

fn delays_a_move(check: &CheckReport) -> bool {
    let matters = [CheckSeverity::Blocker, CheckSeverity::Warning];
    check.severity.values().any(|severity| matters.contains(severity))
}

fn folded_checks(context: &Context<'_>, which: &str, checks: &[&CheckReport]) -> Markup {
    if checks.is_empty() {
        return Markup::default();
    }
    let summary = format!("{} {which}", format::counted(checks.len() as u64, "check"));
    details(&summary, check_table(context, &format!("Checks {which}"), checks))
}

fn check_table(context: &Context<'_>, caption: &str, checks: &[&CheckReport]) -> Markup {
    let mut columns = vec![Column::prose("Check")];
    columns.extend(context.targets().map(|(_, label)| Column::text(label)));
    columns.push(Column::prose("What to do"));
    let mut table = Table::new(caption, columns).whole();
    for check in checks {
        let mut cells = vec![html! {
            (check.title)
            div.minor {
                code { (check.id) }
                @if !check.beyond_source.is_empty() {
                    "; this kind of source cannot tell "
                    @for (position, attribute) in check.beyond_source.iter().enumerate() {
                        @if position > 0 { ", " }
                        code { (attribute) }
                    }
                }
            }
        }];
        cells.extend(context.targets().map(|(target, _)| check_on(check, target)));
        cells.push(html! { (check.remedy) });
        table.row_with_id(check_anchor(&check.id), cells);
    }
    table.render()
}

fn check_on(check: &CheckReport, target: &str) -> Markup {
    let severity = check.severity.get(target).copied().unwrap_or(CheckSeverity::NotApplicable);
    let fired = check.fired.get(target).copied().unwrap_or(0);
    let unanswered = check.unanswered.get(target).copied().unwrap_or(0);
    if severity == CheckSeverity::NotApplicable {
        return html! { span.absent { "not applicable" } };
    }
    html! {
        (check_severity(severity))
        " "
        @if fired > 0 {
            (workloads_link(
                &[("check", &check.id), ("target", target), ("kind", "machine")],
                html! { (format::count(fired)) span.hidden-text { " machines" } },
            ))
        } @else {
            "0"
        }
        @if unanswered > 0 {
            " "
            span.gap { span aria-hidden="true" { "+ " (format::count(unanswered)) " ?" }
                span.hidden-text { "and " (format::counted(unanswered, "machine")) " unanswered" } }
        }
    }
}
