//! Horizontal bars, one a line: the static form of most charts.

use maud::{Markup, html};

/// One bar.
#[derive(Clone, Debug)]
pub struct Bar {
    /// What it is.
    pub label: String,
    /// How long it is.
    pub value: u64,
    /// The value with its unit.
    pub text: String,
    /// Style class of its fill: empty for the plain one, or that of a verdict.
    pub class: &'static str,
}

impl Bar {
    /// A plain bar.
    pub fn new(label: impl Into<String>, value: u64, text: impl Into<String>) -> Self {
        Self { label: label.into(), value, text: text.into(), class: "" }
    }
}

/// Bars, to one scale.
pub fn bars(bars: &[Bar]) -> Markup {
    let longest = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
    html! {
        ul.bars {
            @for bar in bars {
                li {
                    span.bar-label { (bar.label) }
                    span.bar-track aria-hidden="true" {
                        span class={ "bar-fill " (bar.class) } style={ "width:" (permille(bar.value, longest)) "%" } {}
                    }
                    span.bar-value { (bar.text) }
                }
            }
        }
    }
}

/// `value / whole` in percent with one decimal, for a style attribute.
fn permille(value: u64, whole: u64) -> String {
    let tenths = u128::from(value) * 1000 / u128::from(whole.max(1));
    format!("{}.{}", tenths / 10, tenths % 10)
}
