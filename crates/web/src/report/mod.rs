//! The report of an assessment: one self-contained file.
//!
//! One file a section; [`sections!`] below is their order. A section is a function from the context
//! to HTML: it chooses and words, and leaves the look to [`crate::components`].

use std::io;

use entente_app::document::Assessment;
use maud::{Markup, html};

use crate::components::{Page, tag};
use crate::format;

mod applications;
mod attachments;
mod complexity;
mod context;
mod findings;
mod hygiene;
mod licensing;
mod overview;
mod quality;
mod readiness;
mod shape;
mod sizing;
mod support;
mod workloads;

use context::Context;

pub use workloads::STATIC_ROWS;

/// Declares the sections of the report in their order: module, word in the navigation, and title. The
/// anchor of a section is the name of its module.
macro_rules! sections {
    ($($module:ident: $short:literal, $title:literal;)*) => {
        const NAVIGATION: &[(&str, &str)] = &[$((stringify!($module), $short)),*];

        fn body(context: &Context<'_>) -> Markup {
            html! { $( ($module::section(context, stringify!($module), $title)) )* }
        }
    };
}

sections! {
    overview: "Overview", "Overview";
    readiness: "Readiness", "Readiness";
    complexity: "Complexity", "Complexity";
    attachments: "Attachments", "Attachments";
    shape: "Systems", "Systems, storage, network";
    support: "Support", "Support windows";
    licensing: "Licensing", "Licensable cores";
    sizing: "Sizing", "Sizing by cluster";
    hygiene: "Unused", "Unused and oversized";
    applications: "Applications", "Applications";
    findings: "Findings", "Findings";
    quality: "Data quality", "Data quality";
    workloads: "Workloads", "Workloads";
}

/// The report of `assessment` as one HTML file. The same assessment gives the same bytes.
pub fn report(assessment: &Assessment) -> String {
    let context = Context::new(assessment);
    Page {
        title: "Estate assessment",
        subtitle: subtitle(assessment),
        navigation: NAVIGATION,
        body: body(&context),
        footer: footer(assessment),
        scripts: &[
            include_str!("../../assets/workload-row.js"),
            include_str!("../../assets/workloads.js"),
        ],
    }
    .render()
    .into_string()
}

/// Writes [`report`].
///
/// # Errors
/// What `writer` returns.
pub fn write_report(assessment: &Assessment, mut writer: impl io::Write) -> io::Result<()> {
    writer.write_all(report(assessment).as_bytes())
}

fn subtitle(assessment: &Assessment) -> Markup {
    let sources = assessment.sources.len() as u64;
    let first = assessment.sources.first();
    html! {
        @if let Some(source) = first {
            span.location { (source.location) }
            @if sources > 1 { " and " (format::count(sources - 1)) " more" }
            @if let Some(taken) = &source.taken { " · taken " (format::moment(taken)) }
            " · "
        }
        "judged as of " (assessment.as_of)
        @if assessment.masked { " " (tag("neutral", "◼", "names masked")) }
    }
}

fn footer(assessment: &Assessment) -> Markup {
    html! {
        p {
            "Entente " (assessment.entente_version) " · " (assessment.schema)
            " · check catalogue " (assessment.readiness.catalogue_version)
        }
        p {
            "Sizes are binary: 1 GiB = 1,024 MiB. A mark " span.gap { "?" }
            " is something that was not observed; it is never counted as zero, as no or as ready."
        }
    }
}
