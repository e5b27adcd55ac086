//! What is worth a person's time.

use std::collections::BTreeMap;

use entente_model::{Finding, Severity};
use maud::{Markup, html};

use crate::components::{Column, Table, details, section as section_of, severity};
use crate::format;

use super::context::Context;

/// Subjects named before the fold, and in all.
const SUBJECTS_SHOWN: usize = 3;
const SUBJECTS_MAX: usize = 200;

/// What findings have in common that differ in their subject alone.
type Kind<'a> = (Severity, &'a str, &'a str, &'a str);

pub(super) fn section(context: &Context<'_>, id: &str, title: &str) -> Markup {
    let mut kinds: BTreeMap<Kind<'_>, Vec<&str>> = BTreeMap::new();
    for Finding { severity, code, subject, message, remedy } in &context.assessment.findings {
        kinds.entry((*severity, code, message, remedy)).or_default().push(subject);
    }
    let mut table = Table::new(
        "Findings, most severe first",
        vec![
            Column::prose("Finding"),
            Column::text("Severity"),
            Column::prose("Subjects"),
            Column::prose("What to do"),
            Column::text("Code"),
        ],
    );
    for ((level, code, message, remedy), mut named) in kinds {
        named.sort_unstable();
        table.row(vec![
            html! { (message) },
            severity(level),
            subjects(&named),
            html! { (remedy) },
            html! { code.nowrap { (code) } },
        ]);
    }
    let body = html! {
        p.lead { code { "entente explain CODE" } " prints the page of a code." }
        (table.render())
    };
    section_of(id, title, "", body)
}

fn subjects(named: &[&str]) -> Markup {
    let (shown, folded) = named.split_at(SUBJECTS_SHOWN.min(named.len()));
    let left_out = named.len().saturating_sub(SUBJECTS_MAX);
    html! {
        (shown.join(", "))
        @if !folded.is_empty() {
            (details(&format!("{} more", format::count(folded.len() as u64)), html! {
                @for (position, subject) in folded.iter().take(SUBJECTS_MAX - SUBJECTS_SHOWN).enumerate() {
                    @if position > 0 { ", " }
                    (subject)
                }
                @if left_out > 0 { " and " (format::count(left_out as u64)) " in the JSON output" }
            }))
        }
    }
}
