//! Headline numbers: what people read first.

use maud::{Markup, html};

/// One number with its unit, what it is made of, and what it leaves out.
#[derive(Clone, Debug)]
pub struct Headline {
    /// What is counted.
    pub label: &'static str,
    /// The number with its unit.
    pub value: String,
    /// What it is made of.
    pub detail: Vec<String>,
    /// What could not be counted; empty when nothing was left out.
    pub unknown: String,
    /// Anchor of the section that tells more.
    pub link: &'static str,
}

/// Headline numbers side by side.
pub fn headlines(headlines: &[Headline]) -> Markup {
    html! {
        dl.headlines {
            @for headline in headlines {
                div.headline {
                    dt { a href={ "#" (headline.link) } { (headline.label) } }
                    dd.headline-value { (headline.value) }
                    @for line in &headline.detail { dd.headline-detail { (line) } }
                    @if !headline.unknown.is_empty() {
                        dd.headline-unknown { span aria-hidden="true" { "? " } (headline.unknown) }
                    }
                }
            }
        }
    }
}
