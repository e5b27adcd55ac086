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
                        (fill(bar, longest))
                    }
                    span.bar-value { (bar.text) }
                }
            }
        }
    }
}

/// Bars in groups, to one scale: the name of each group once, its bars below one another.
pub fn grouped_bars(groups: &[(String, Vec<Bar>)]) -> Markup {
    let all = groups.iter().flat_map(|(_, bars)| bars);
    let longest = all.map(|bar| bar.value).max().unwrap_or(0).max(1);
    html! {
        ul.bars.grouped {
            @for (name, bars) in groups {
                li {
                    span.bar-label { (name) }
                    div {
                        @for bar in bars {
                            div.bar-line {
                                span.hidden-text { (bar.label) ": " }
                                span.bar-track aria-hidden="true" {
                                    (fill(bar, longest))
                                }
                                span.bar-value { (bar.text) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn fill(bar: &Bar, longest: u64) -> Markup {
    html! {
        @if bar.value > 0 {
            span class={ "bar-fill " (bar.class) } style={ "width:" (percent(bar.value, longest)) "%" } {}
        }
    }
}

/// `value / whole` in percent with one decimal, for a style attribute.
fn percent(value: u64, whole: u64) -> String {
    let tenths = u128::from(value) * 1000 / u128::from(whole.max(1));
    format!("{}.{}", tenths / 10, tenths % 10)
}
