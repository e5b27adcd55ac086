//! Sections, notes and things one click away.

use maud::{Markup, html};

/// A section of a page with its heading; `lead` says in a sentence what it shows.
pub fn section(id: &str, title: &str, lead: &str, body: Markup) -> Markup {
    html! {
        section id=(id) aria-labelledby={ (id) "-title" } {
            h2 id={ (id) "-title" } { (title) }
            @if !lead.is_empty() { p.lead { (lead) } }
            (body)
        }
    }
}

/// A part of a section.
pub fn subsection(title: &str, body: Markup) -> Markup {
    html! { div.subsection { h3 { (title) } (body) } }
}

/// Something to know before reading on.
pub fn note(body: Markup) -> Markup {
    html! { div.note role="note" { (body) } }
}

/// Something one click away.
pub fn details(summary: &str, body: Markup) -> Markup {
    html! { details { summary { (summary) } (body) } }
}
