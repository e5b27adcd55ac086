//! How verdicts look and read, everywhere. Unknown is grey and hatched, never green.

use entente_app::document::{Verdict, VerdictCounts};
use maud::{Markup, html};

use super::stacked_bar::Part;

/// How one verdict looks and reads.
#[derive(Clone, Copy, Debug)]
pub struct VerdictStyle {
    /// Style class.
    pub class: &'static str,
    /// Symbol.
    pub symbol: &'static str,
    /// Word, as far as the source can see.
    pub as_seen: &'static str,
    /// Word, with everything unanswered counted.
    pub strict: &'static str,
}

/// The look of a verdict.
pub fn verdict_style(verdict: Verdict) -> VerdictStyle {
    match verdict {
        Verdict::Ready => {
            VerdictStyle {
                class: "ready", symbol: "✓", as_seen: "ready as seen", strict: "ready"
            }
        }
        Verdict::Conditional => VerdictStyle {
            class: "conditional",
            symbol: "!",
            as_seen: "conditional",
            strict: "conditional",
        },
        Verdict::Blocked => {
            VerdictStyle { class: "blocked", symbol: "✕", as_seen: "blocked", strict: "blocked" }
        }
        Verdict::Unknown => {
            VerdictStyle { class: "unknown", symbol: "?", as_seen: "unknown", strict: "unknown" }
        }
    }
}

/// The verdict as far as the source can see, linked to its evidence, with the strict one beside it
/// where it differs. Only where a heading says "as seen".
pub fn verdict_badge(as_seen: Verdict, strict: Verdict, evidence: &str) -> Markup {
    let style = verdict_style(as_seen);
    html! {
        a class={ "badge " (style.class) } href=(evidence) {
            span aria-hidden="true" { (style.symbol) } " " (style.strict)
            span.hidden-text { " as seen" }
        }
        @if strict != as_seen {
            @let strict = verdict_style(strict);
            span class={ "strict " (strict.class) } title={ "strict verdict: " (strict.strict) } {
                span aria-hidden="true" { (strict.symbol) }
                span.hidden-text { " strict: " (strict.strict) }
            }
        }
    }
}

/// Counts as the parts of a bar, in the order in which people read them.
pub fn verdict_parts(counts: &VerdictCounts) -> Vec<Part> {
    Verdict::ALL
        .into_iter()
        .map(|verdict| {
            let style = verdict_style(verdict);
            Part {
                class: style.class,
                symbol: style.symbol,
                label: style.as_seen.to_owned(),
                count: counts.of(verdict),
            }
        })
        .collect()
}
