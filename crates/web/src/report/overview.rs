//! The first screen: how much there is, where it could live, and what stops it.

use entente_app::document::{
    Assessment, CheckReport, CheckSeverity, Quantity, Summary, VerdictCounts,
};
use entente_model::GapCause;
use maud::{Markup, html};

use crate::components::{
    Column, Headline, Table, details, headlines, legend, note, section as section_of, stacked_bar,
    subsection, verdict_parts,
};
use crate::format;

use super::context::{Context, check_link};

/// Sources that are too old, on the first screen; the section on what was not observed has all.
const STALE_SHOWN: usize = 5;

/// Blockers on the first screen; the readiness section has all checks.
const TOP_BLOCKERS: usize = 6;

pub(super) fn section(context: &Context<'_>, id: &str, title: &str) -> Markup {
    let gaps = context.assessment.gaps.iter();
    let body = html! {
        @for stale in gaps.filter(|it| it.cause == GapCause::Stale).take(STALE_SHOWN) {
            (note(html! { span.gap { "?" } " " (stale.message) }))
        }
        (headlines(&numbers(context.assessment)))
        (subsection("Readiness by target", html! { (targets(context)) (limits(context)) }))
        (subsection("Top blockers", blockers(context)))
    };
    section_of(id, title, "", body)
}

fn numbers(assessment: &Assessment) -> Vec<Headline> {
    let mut numbers = Vec::from(sizes(&assessment.summary));
    numbers.extend(platform(&assessment.summary, assessment.licensing.added_by_minimum));
    numbers
}

fn sizes(summary: &Summary) -> [Headline; 4] {
    let of_machines = |quantity: Quantity| unknown(quantity, "machine");
    [
        Headline {
            label: "Machines",
            value: format::count(summary.machines),
            detail: machine_details(summary),
            unknown: some(summary.machines_power_unknown, |count| {
                format!("{} in unknown power state", format::count(count))
            }),
            link: "workloads",
        },
        Headline {
            label: "vCPU",
            value: format::count(summary.vcpus.known),
            detail: vec![format!(
                "{} a machine",
                format::ratio(summary.vcpus.known, counted_machines(summary, summary.vcpus))
            )],
            unknown: of_machines(summary.vcpus),
            link: "sizing",
        },
        Headline {
            label: "Memory",
            value: format::mib(summary.memory_mib.known),
            detail: vec![format!(
                "{} a machine",
                format::mib(average(
                    summary.memory_mib,
                    counted_machines(summary, summary.memory_mib)
                ))
            )],
            unknown: of_machines(summary.memory_mib),
            link: "sizing",
        },
        Headline {
            label: "Storage in use",
            value: format::mib(summary.storage_used_mib.known),
            detail: vec![format!("{} disk capacity", format::mib(summary.disk_capacity_mib.known))],
            unknown: of_machines(summary.storage_used_mib),
            link: "shape",
        },
    ]
}

fn platform(summary: &Summary, added_by_minimum: u64) -> [Headline; 4] {
    [
        Headline {
            label: "Hosts",
            value: format::count(summary.hosts),
            detail: vec![
                format!(
                    "{} · {}",
                    format::counted(summary.clusters, "cluster"),
                    format::counted(summary.platforms, "platform")
                ),
                format!(
                    "{} · {}",
                    format::counted(summary.datastores, "datastore"),
                    format::counted(summary.networks, "network")
                ),
            ],
            unknown: String::new(),
            link: "sizing",
        },
        Headline {
            label: "Licensable cores",
            value: format::count(summary.licensable_cores.known),
            detail: vec![format!("{} added by the minimum", format::count(added_by_minimum))],
            unknown: unknown(summary.licensable_cores, "host"),
            link: "licensing",
        },
        Headline {
            label: "Hardest 20 %",
            value: format::basis_points(summary.hardest_fifth_basis_points),
            detail: vec!["of all complexity is in the hardest fifth of the machines".to_owned()],
            unknown: String::new(),
            link: "complexity",
        },
        Headline {
            label: "Gaps",
            value: format::count(summary.gaps),
            detail: vec![format::counted(summary.findings, "finding")],
            unknown: some(summary.gaps, |_| "rows or values not observed".to_owned()),
            link: "quality",
        },
    ]
}

fn machine_details(summary: &Summary) -> Vec<String> {
    let apart = [
        (summary.templates, "template"),
        (summary.recovery_placeholders, "recovery placeholder"),
        (summary.system_agents, "system agent"),
    ];
    let mut power = format!(
        "{} on · {} off",
        format::count(summary.machines_on),
        format::count(summary.machines_off)
    );
    if summary.machines_suspended > 0 {
        power.push_str(&format!(" · {} suspended", format::count(summary.machines_suspended)));
    }
    let apart: Vec<String> = apart
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, one)| format::counted(count, one))
        .collect();
    if apart.is_empty() { vec![power] } else { vec![power, format!("apart: {}", apart.join(", "))] }
}

fn counted_machines(summary: &Summary, quantity: Quantity) -> u64 {
    summary.machines.saturating_sub(quantity.unknown)
}

fn average(quantity: Quantity, machines: u64) -> u64 {
    quantity.known.checked_div(machines).unwrap_or(0)
}

fn unknown(quantity: Quantity, of: &str) -> String {
    some(quantity.unknown, |count| format!("{} not counted", format::counted(count, of)))
}

fn some(count: u64, text: impl FnOnce(u64) -> String) -> String {
    if count == 0 { String::new() } else { text(count) }
}

fn targets(context: &Context<'_>) -> Markup {
    let mut table = Table::new(
        "Machines by target and verdict",
        vec![
            Column::text("Target"),
            Column::text("As far as the sources can see"),
            Column::number("Ready as seen"),
            Column::number("Conditional"),
            Column::number("Blocked"),
            Column::number("Unknown"),
            Column::text("Strict: everything unanswered counts"),
        ],
    );
    for target in &context.assessment.readiness.targets {
        let seen = &target.as_seen;
        let total = seen.total();
        let cell = |count: u64| {
            html! { b { (format::count(count)) } " " small { (format::share(count, total)) } }
        };
        table.row(vec![
            html! { (target.label) },
            html! { div.wide { (stacked_bar(&verdict_parts(seen), "machines")) } },
            cell(seen.ready),
            cell(seen.conditional),
            cell(seen.blocked),
            cell(seen.unknown),
            strict(&target.verdicts),
        ]);
    }
    let parts = verdict_parts(&VerdictCounts::default());
    html! { (legend(&parts)) (table.render()) }
}

fn strict(counts: &VerdictCounts) -> Markup {
    let parts = verdict_parts(counts);
    html! {
        div.thin { (stacked_bar(&parts, "machines")) }
        small {
            (format::count(counts.ready)) " ready · " (format::count(counts.conditional))
            " conditional · " (format::count(counts.blocked)) " blocked · "
            (format::count(counts.unknown)) " unknown"
        }
    }
}

/// Says once why strict verdicts are unknown, instead of at every machine.
fn limits(context: &Context<'_>) -> Markup {
    let beyond = context.beyond_sources();
    let limits: Vec<_> = context
        .limits()
        .into_iter()
        .filter(|limit| beyond.contains(limit.attribute.as_str()))
        .collect();
    let body = html! {
        span id="limits" {}
        @if beyond.is_empty() {
            p { "These sources could answer every check; strict and as-seen verdicts differ nowhere for their sake." }
        } @else {
            p {
                b { "Why strict verdicts are unknown: " }
                "this kind of source can never tell "
                @for (position, attribute) in beyond.iter().take(6).enumerate() {
                    @if position > 0 { ", " }
                    code { (attribute) }
                }
                @if beyond.len() > 6 { " and " (beyond.len() - 6) " more" }
                ". “Ready as seen” leaves those checks out and is not the same as ready."
            }
            @if !limits.is_empty() {
                (details("What would tell instead", html! {
                    ul { @for limit in &limits { li { code { (limit.attribute) } ": " (limit.message) } } }
                }))
            }
        }
    };
    note(body)
}

fn blockers(context: &Context<'_>) -> Markup {
    let mut blockers: Vec<(u64, &CheckReport)> = context
        .assessment
        .readiness
        .checks
        .iter()
        .map(|check| (blocked_machines(check), check))
        .filter(|(machines, _)| *machines > 0)
        .collect();
    blockers.sort_by_key(|(machines, _)| std::cmp::Reverse(*machines));
    let all = blockers.len();
    let mut columns = vec![Column::text("Blocker")];
    columns.extend(context.targets().map(|(_, label)| Column::number(label)));
    columns.push(Column::prose("What to do"));
    let mut table = Table::new("Machines stopped by target, most first", columns);
    for (_, check) in blockers.into_iter().take(TOP_BLOCKERS) {
        let mut cells = vec![check_link(&check.id, &check.title)];
        cells.extend(context.targets().map(|(target, _)| blocked_on(check, target)));
        cells.push(html! { (check.remedy) });
        table.row(cells);
    }
    html! {
        (table.render())
        @if all > TOP_BLOCKERS {
            p.empty { (all - TOP_BLOCKERS) " more under " a href="#checks" { "checks" } "." }
        }
    }
}

fn is_blocker(check: &CheckReport, target: &str) -> bool {
    check.severity.get(target) == Some(&CheckSeverity::Blocker)
}

/// Machines that it stops on the target on which it stops most.
fn blocked_machines(check: &CheckReport) -> u64 {
    let fired = check.fired.iter().filter(|(target, _)| is_blocker(check, target));
    fired.map(|(_, machines)| *machines).max().unwrap_or(0)
}

fn blocked_on(check: &CheckReport, target: &str) -> Markup {
    let machines = check.fired.get(target).copied().unwrap_or(0);
    html! {
        @if !is_blocker(check, target) {
            span.absent { span aria-hidden="true" { "–" } span.hidden-text { "no blocker here" } }
        } @else {
            (format::count(machines))
        }
    }
}
