//! Facts and sums with what is not known about them. Unknown is always visible and never zero.

use entente_app::document::Quantity;
use entente_model::Observed;
use maud::{Markup, html};

use crate::format;

/// An observed value as `show` renders it; an absence as a dash; a gap as a marked question mark
/// that says why.
pub fn fact<T>(fact: &Observed<T>, show: impl FnOnce(&T) -> Markup) -> Markup {
    match fact {
        Observed::Value(value) => show(value),
        Observed::Absent => html! {
            span.absent { span aria-hidden="true" { "–" } span.hidden-text { "none" } }
        },
        Observed::Unobserved(why) => html! {
            span.gap title={ "not observed: " (format::why(*why)) } {
                span aria-hidden="true" { "?" }
                span.hidden-text { "not observed: " (format::why(*why)) }
            }
        },
    }
}

/// A sum of countable things; `of` names what could not be counted, in the singular.
pub fn quantity(quantity: Quantity, of: &str) -> Markup {
    with_unknown(&format::count(quantity.known), quantity.unknown, of)
}

/// A sum of sizes.
pub fn quantity_mib(quantity: Quantity, of: &str) -> Markup {
    with_unknown(&format::mib(quantity.known), quantity.unknown, of)
}

fn with_unknown(known: &str, unknown: u64, of: &str) -> Markup {
    html! {
        (known)
        @if unknown > 0 {
            " "
            span.gap title={ (format::counted(unknown, of)) " not in the sum" } {
                span aria-hidden="true" { "+ " (format::count(unknown)) " ?" }
                span.hidden-text { "and " (format::counted(unknown, of)) " not counted" }
            }
        }
    }
}
