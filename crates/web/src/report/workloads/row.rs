//! One workload as a row of HTML. `assets/workload-row.js` makes the same from the data.

use std::collections::BTreeMap;

use entente_app::document::{TargetReadiness, Verdict, WorkloadReport};
use entente_model::{IdentityBasis, Observed, PowerState, Text, WorkloadKind};
use maud::{Markup, html};

use crate::components::{fact, tag, verdict_badge};
use crate::format;

use super::super::context::{Context, check_anchor, check_link};
use super::kind_name;

pub(super) fn row(context: &Context<'_>, workload: &WorkloadReport) -> Markup {
    let text = |text: &Text| html! { (text) };
    let size = |size: &u64| html! { (format::mib(*size)) };
    html! {
        tr {
            th scope="row" {
                (workload.name)
                @if workload.kind != WorkloadKind::Machine {
                    " " (tag("neutral", "◇", kind_name(workload.kind)))
                }
            }
            td.number {
                @match &workload.complexity {
                    Some(complexity) => { (format::count(complexity.score.into())) },
                    None => { span.absent { span aria-hidden="true" { "–" } span.hidden-text { "none" } } },
                }
            }
            @for (target, _) in context.targets() { td { (verdict(workload.readiness.get(target))) } }
            td.evidence { details { summary { (evidence_title(workload)) } (evidence(context, workload)) } }
            td { (fact(&workload.power, |power| html! { (power_word(*power)) })) }
            td.wrap { (fact(&workload.cluster, text)) }
            td.wrap { (fact(system(workload), text)) }
            td.number { (fact(&workload.vcpus, |count| html! { (format::count((*count).into())) })) }
            td.number { (fact(&workload.memory_mib, size)) }
            td.number { (fact(&workload.disk_capacity_mib, size)) }
            td.number { (fact(&workload.storage_used_mib, size)) }
            td.number { (format::count(attachments(workload))) }
        }
    }
}

/// The product where it was recognised, else what the platform writes.
pub(super) fn system(workload: &WorkloadReport) -> &Observed<Text> {
    if workload.os_product.value().is_some() { &workload.os_product } else { &workload.os }
}

/// How many things of the control plane it leans on.
pub(super) fn attachments(workload: &WorkloadReport) -> u64 {
    workload.attachments.values().map(|count| u64::from(*count)).sum()
}

fn power_word(power: PowerState) -> &'static str {
    match power {
        PowerState::On => "on",
        PowerState::Off => "off",
        PowerState::Suspended => "suspended",
    }
}

/// What an identity rests on, in words.
pub(super) fn identity(basis: IdentityBasis) -> &'static str {
    match basis {
        IdentityBasis::PlatformAndNativeId => "platform's UUID and the workload's id on it",
        IdentityBasis::NativeId => "the workload's id on a platform known by name only",
        IdentityBasis::InstanceUuid => "instance UUID",
        IdentityBasis::Name => "name alone: two of one name cannot be told apart",
    }
}

fn verdict(readiness: Option<&TargetReadiness>) -> Markup {
    match readiness {
        None => {
            html! { span.absent { span aria-hidden="true" { "–" } span.hidden-text { "not assessed" } } }
        }
        Some(readiness) => {
            verdict_badge(readiness.as_seen, readiness.verdict, &evidence_of(readiness))
        }
    }
}

/// Where the page tells what decided a verdict.
fn evidence_of(readiness: &TargetReadiness) -> String {
    let decided = match readiness.as_seen {
        Verdict::Blocked => readiness.blockers.first(),
        Verdict::Conditional => readiness.warnings.first(),
        Verdict::Ready => return "#limits".to_owned(),
        Verdict::Unknown => return "#quality".to_owned(),
    };
    decided.map_or_else(|| "#checks".to_owned(), |check| format!("#{}", check_anchor(check)))
}

fn evidence_title(workload: &WorkloadReport) -> String {
    let mut checks: Vec<&Text> = workload
        .readiness
        .values()
        .flat_map(|it| it.blockers.iter().chain(&it.warnings).chain(&it.information))
        .collect();
    checks.sort();
    checks.dedup();
    format::counted(checks.len() as u64, "check")
}

fn evidence(context: &Context<'_>, workload: &WorkloadReport) -> Markup {
    html! {
        dl {
            (checks(context, workload))
            @if !workload.attachments.is_empty() {
                dt { "Leans on" }
                @for (kind, count) in &workload.attachments {
                    dd { (context.attachment_label(kind)) ": " (format::count((*count).into())) }
                }
            }
            @if let Some(complexity) = &workload.complexity {
                dt { "Complexity " (complexity.score) " (migration-planner: " (complexity.migration_planner) ")" }
                @for (term, points) in complexity.terms.iter().filter(|(_, points)| **points > 0) {
                    dd { (term) ": " (points) }
                }
            }
            (place(workload))
        }
    }
}

/// How a check that fired on a target is said, most severe first.
const EFFECTS: [&str; 3] = ["blocks ", "warning on ", "to know on "];

/// Checks that fired, each with what it means where; then what was not observed.
fn checks(context: &Context<'_>, workload: &WorkloadReport) -> Markup {
    let mut effects: BTreeMap<(usize, &str), [Vec<&str>; 3]> = BTreeMap::new();
    let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (target, label) in context.targets() {
        let Some(readiness) = workload.readiness.get(target) else { continue };
        let lists = [&readiness.blockers, &readiness.warnings, &readiness.information];
        for (rank, list) in lists.into_iter().enumerate() {
            for check in list {
                let effect = effects.entry((context.check_position(check), check)).or_default();
                effect.iter_mut().skip(rank).take(1).for_each(|labels| labels.push(label));
            }
        }
        for attribute in &readiness.not_observed {
            missing.entry(attribute).or_default().push(label);
        }
    }
    let mut effects: Vec<_> = effects.into_iter().collect();
    effects.sort_by_key(|(_, ranks)| ranks.iter().position(|labels| !labels.is_empty()));
    let assessed = workload.readiness.len();
    html! {
        @if !effects.is_empty() || !missing.is_empty() { dt { "Checks" } }
        @for ((_, check), ranks) in &effects {
            dd { (check_link(check, context.check_title(check))) ": " (effect_text(ranks, assessed)) }
        }
        @for (attribute, labels) in &missing {
            dd { "not observed: " (attribute) ", which matters for " (targets_text(labels, assessed)) }
        }
    }
}

fn effect_text(ranks: &[Vec<&str>; 3], assessed: usize) -> String {
    let said: Vec<String> = EFFECTS
        .iter()
        .zip(ranks)
        .filter(|(_, labels)| !labels.is_empty())
        .map(|(effect, labels)| format!("{effect}{}", targets_text(labels, assessed)))
        .collect();
    said.join("; ")
}

fn targets_text(labels: &[&str], assessed: usize) -> String {
    if labels.len() == assessed { "all targets".to_owned() } else { labels.join(", ") }
}

/// Where it is, who answers for it, and how sure its identity is.
fn place(workload: &WorkloadReport) -> Markup {
    html! {
        dt { "Place and people" }
        dd { "platform: " (workload.platform) }
        @for (label, value) in facts(workload) {
            @if let Observed::Value(value) = value { dd { (label) ": " (value) } }
        }
        @for (label, value) in &workload.labels { dd { (label) ": " (value) } }
        dd { "identity: " (identity(workload.identity)) }
    }
}

/// Facts of the fold, with the keys under which the data has them.
pub(super) fn facts(workload: &WorkloadReport) -> [(&'static str, &Observed<Text>); 9] {
    [
        ("datacenter", &workload.datacenter),
        ("host", &workload.host),
        ("folder", &workload.folder),
        ("system as written", &workload.os),
        ("application", &workload.application),
        ("owner", &workload.owner),
        ("tier", &workload.tier),
        ("data sensitivity", &workload.data_sensitivity),
        ("environment", &workload.environment),
    ]
}
