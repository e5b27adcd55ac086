//! What is worth a person's time.

use entente_model::Finding;
use maud::{Markup, html};

use crate::components::{Column, Table, section as section_of, severity};

use super::context::Context;

pub(super) fn section(context: &Context<'_>, id: &str, title: &str) -> Markup {
    let mut findings: Vec<&Finding> = context.assessment.findings.iter().collect();
    findings.sort();
    let mut table = Table::new(
        "Findings, most severe first",
        vec![
            Column::text("Subject"),
            Column::text("Severity"),
            Column::prose("Finding"),
            Column::prose("What to do"),
            Column::text("Code"),
        ],
    )
    .visible(15);
    for finding in findings {
        table.row(vec![
            html! { (finding.subject) },
            severity(finding.severity),
            html! { (finding.message) },
            html! { (finding.remedy) },
            html! { code { (finding.code) } },
        ]);
    }
    let body = html! {
        p.lead { code { "entente explain CODE" } " prints the page of a code." }
        (table.render())
    };
    section_of(id, title, "", body)
}
