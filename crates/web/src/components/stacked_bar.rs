//! One bar in parts, with a legend. Parts differ by pattern and by the numbers beside them, not by
//! colour alone.

use maud::{Markup, html};

use crate::format;

/// One part of a bar.
#[derive(Clone, Debug)]
pub struct Part {
    /// Style class: that of a verdict.
    pub class: &'static str,
    /// Its symbol.
    pub symbol: &'static str,
    /// Its name.
    pub label: String,
    /// How many.
    pub count: u64,
}

/// The bar alone; assistive technology reads its parts as one sentence.
pub fn stacked_bar(parts: &[Part], unit: &str) -> Markup {
    let whole: u64 = parts.iter().map(|part| part.count).sum();
    let sentence: Vec<String> = parts
        .iter()
        .filter(|part| part.count > 0)
        .map(|part| {
            let share = format::share(part.count, whole);
            format!("{} {}: {share}", format::count(part.count), part.label)
        })
        .collect();
    let label = if sentence.is_empty() {
        format!("no {unit}")
    } else {
        format!("{unit}: {}", sentence.join(", "))
    };
    html! {
        div.stack role="img" aria-label=(label) {
            @for part in parts.iter().filter(|part| part.count > 0) {
                span class={ "fill " (part.class) } style={ "flex-grow:" (part.count) }
                    title={ (format::count(part.count)) " " (part.label) } {}
            }
        }
    }
}

/// What the fills mean.
pub fn legend(parts: &[Part]) -> Markup {
    html! {
        ul.legend {
            @for part in parts {
                li {
                    span class={ "swatch fill " (part.class) } aria-hidden="true" {}
                    span aria-hidden="true" { (part.symbol) " " }
                    (part.label)
                }
            }
        }
    }
}
