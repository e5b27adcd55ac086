//! Every workload: the first rows as a table, all of them as data from which the page's script
//! sorts, filters and turns pages.

use std::collections::BTreeSet;

use entente_app::document::WorkloadReport;
use entente_model::WorkloadKind;
use maud::{Markup, PreEscaped, html};

use crate::components::{section as section_of, verdict_style};
use crate::format;

use super::context::{Context, verdict_filters};

mod data;
mod row;

/// Workloads in the page as HTML; a page of the table when scripts run.
pub const STATIC_ROWS: usize = 200;

/// What is in a column that is not a target's.
struct Heading {
    key: &'static str,
    label: &'static str,
    numeric: bool,
}

const fn heading(key: &'static str, label: &'static str) -> Heading {
    Heading { key, label, numeric: false }
}

const fn number(key: &'static str, label: &'static str) -> Heading {
    Heading { key, label, numeric: true }
}

/// Before and after the verdicts, which people come for.
const HEADINGS: ([Heading; 2], [Heading; 8]) = (
    [heading("name", "Workload"), number("complexity", "Complexity")],
    [
        heading("power", "Power"),
        heading("cluster", "Cluster"),
        heading("os", "Operating system"),
        number("vcpus", "vCPU"),
        number("memory_mib", "Memory"),
        number("disk_capacity_mib", "Disks"),
        number("storage_used_mib", "In use"),
        number("attachments", "Leans on"),
    ],
);

pub(super) fn section(context: &Context<'_>, id: &str, title: &str) -> Markup {
    let workloads = hardest_first(&context.assessment.workloads);
    let total = workloads.len();
    let shown = total.min(STATIC_ROWS);
    let lead = "A verdict leads to the check that decided it. A small mark beside it is the strict \
                verdict, with everything unanswered counted.";
    let body = html! {
        (filters(context))
        p id="workload-status" role="status" {
            "Showing " (format::count(shown as u64)) " of " (format::counted(total as u64, "workload"))
            ", hardest first."
        }
        noscript {
            p.empty {
                "Sorting, filtering and further rows need JavaScript; the JSON and CSV outputs hold all rows."
            }
        }
        div.scroll.workloads role="region" tabindex="0" aria-label="Workload table" {
            table id="workload-table" {
                thead { tr { (headings(context)) } }
                tbody { @for workload in workloads.iter().take(STATIC_ROWS) { (row::row(context, workload)) } }
            }
        }
        div id="workload-pages" hidden {
            button type="button" data-page="-1" { "Previous" }
            span id="workload-page" {}
            button type="button" data-page="1" { "Next" }
        }
        script id="workload-data" type="application/json" {
            (PreEscaped(data::json(context, &workloads, STATIC_ROWS)))
        }
    };
    section_of(id, title, lead, body)
}

/// The order of the table: by complexity, then name, then id.
fn hardest_first(workloads: &[WorkloadReport]) -> Vec<&WorkloadReport> {
    let score = |workload: &WorkloadReport| workload.complexity.as_ref().map(|it| it.score);
    let mut sorted: Vec<&WorkloadReport> = workloads.iter().collect();
    sorted.sort_by(|a, b| (score(b), &a.name, &a.id).cmp(&(score(a), &b.name, &b.id)));
    sorted
}

fn headings(context: &Context<'_>) -> Markup {
    let (before, after) = &HEADINGS;
    let head = |heading: &Heading| {
        html! {
            th scope="col" data-column=(heading.key) class=[heading.numeric.then_some("number")]
                aria-sort=[(heading.key == "complexity").then_some("descending")] { (heading.label) }
        }
    };
    html! {
        @for heading in before { (head(heading)) }
        @for (target, label) in context.targets() {
            th scope="col" data-column={ "target:" (target) } { (label) small { " as seen" } }
        }
        th scope="col" { "Evidence" }
        @for heading in after { (head(heading)) }
    }
}

/// Shown by the script that serves them.
fn filters(context: &Context<'_>) -> Markup {
    html! {
        form id="workload-filter" hidden {
            label.grow { "Search" input type="search" name="text" autocomplete="off"
                placeholder="name, system, host, folder, application, owner"; }
            label { "Target" select name="target" {
                option value="" { "any" }
                @for (target, label) in context.targets() { option value=(target) { (label) } }
            } }
            label { "Verdict" select name="verdict" {
                option value="" { "any" }
                optgroup label="As seen" {
                    @for (verdict, seen, _) in verdict_filters() {
                        @let style = verdict_style(verdict);
                        option value=(seen) { (style.symbol) " " (style.as_seen) }
                    }
                }
                optgroup label="Strict" {
                    @for (verdict, _, strict) in verdict_filters() {
                        @let style = verdict_style(verdict);
                        option value=(strict) { (style.symbol) " strict: " (style.strict) }
                    }
                }
            } }
            label { "Check" select name="check" {
                option value="" { "any" }
                @for check in context.assessment.readiness.checks.iter().filter(|it| it.fired.values().any(|it| *it > 0)) {
                    option value=(check.id) { (check.title) }
                }
            } }
            label { "Cluster" select name="cluster" {
                option value="" { "any" }
                @for cluster in cluster_names(context) { option { (cluster) } }
            } }
            label { "Power" select name="power" {
                option value="" { "any" }
                @for power in ["on", "off", "suspended"] { option { (power) } }
                option value="?" { "not observed" }
            } }
            label { "Kind" select name="kind" {
                option value="" { "any" }
                @for kind in KINDS { option value=(kind.as_str()) { (kind_name(kind)) } }
            } }
            button type="reset" { "Clear" }
        }
    }
}

const KINDS: [WorkloadKind; 5] = [
    WorkloadKind::Machine,
    WorkloadKind::Template,
    WorkloadKind::RecoveryPlaceholder,
    WorkloadKind::SystemAgent,
    WorkloadKind::Container,
];

fn kind_name(kind: WorkloadKind) -> &'static str {
    match kind {
        WorkloadKind::Machine => "machine",
        WorkloadKind::Template => "template",
        WorkloadKind::RecoveryPlaceholder => "recovery placeholder",
        WorkloadKind::SystemAgent => "system agent",
        WorkloadKind::Container => "container",
    }
}

fn cluster_names<'a>(context: &Context<'a>) -> BTreeSet<&'a str> {
    let workloads = context.assessment.workloads.iter();
    workloads.filter_map(|workload| Some(workload.cluster.value()?.as_str())).collect()
}
