//! Charts: a static form that is there without JavaScript, the table behind it one click away, and
//! the option with which ECharts draws a livelier one where scripts run.
//!
//! Options name colours as `var(--name)`; the page's script puts in the theme's values, so that a
//! chart follows the theme like everything else.

use maud::{Markup, PreEscaped, html};
use serde_json::{Value, json};

use crate::components::{Bar, Part, Table, bars, details, grouped_bars, legend};
use crate::format;

mod curve;

pub use curve::{Curve, curve};

/// A chart.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Unique in the page.
    pub id: &'static str,
    /// What it shows, with the unit.
    pub title: String,
    /// What to see in it, for those who do not see it.
    pub summary: String,
    /// How values read in tooltips.
    pub unit: Unit,
    /// Height of the drawn chart in CSS pixels.
    pub height: usize,
    /// The form that needs no script.
    pub static_form: Markup,
    /// The option for ECharts.
    pub option: Value,
    /// The table behind it.
    pub table: Table,
}

/// How values read in tooltips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Plain numbers.
    Count,
    /// MiB, shown with a fitting unit.
    Mib,
    /// Percent.
    Percent,
}

impl Unit {
    fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Mib => "mib",
            Self::Percent => "percent",
        }
    }
}

impl Chart {
    /// The figure.
    pub fn render(&self) -> Markup {
        html! {
            figure.chart id=(self.id) data-unit=(self.unit.as_str()) {
                figcaption { (self.title) }
                div.chart-static { (self.static_form) }
                div.chart-live role="img" aria-label=(self.summary) style={ "height:" (self.height) "px" } hidden {}
                script.chart-option type="application/json" { (PreEscaped(inert(&self.option.to_string()))) }
                (details("Table behind this chart", self.table.render()))
            }
        }
    }
}

/// JSON that cannot end the script element around it, whatever the names in it.
pub(crate) fn inert(json: &str) -> String {
    // `<` occurs in JSON inside strings only, where its escape means the same.
    json.replace('<', "\\u003c")
}

/// A bar for each of a list of things.
#[derive(Clone, Debug)]
pub struct BarChart {
    /// Unique in the page.
    pub id: &'static str,
    /// What it shows, with the unit.
    pub title: String,
    /// What a bar is long for.
    pub measure: &'static str,
    /// How values read in tooltips.
    pub unit: Unit,
    /// The bars.
    pub bars: Vec<Bar>,
    /// The table behind them.
    pub table: Table,
}

impl BarChart {
    /// Bars drawn at most; the table behind has the rest.
    pub const BARS: usize = 15;

    /// The chart; a sentence where there is nothing to draw.
    pub fn render(self) -> Markup {
        if self.bars.is_empty() {
            return html! { p.empty { (self.title) ": nothing observed." } };
        }
        self.chart().render()
    }

    /// The chart, to be changed before it is rendered.
    pub fn chart(mut self) -> Chart {
        let left_out = self.bars.len().saturating_sub(Self::BARS);
        self.bars.truncate(Self::BARS);
        let static_form = html! {
            (bars(&self.bars))
            @if left_out > 0 { p.empty { (format::count(left_out as u64)) " more in the table." } }
        };
        let told: Vec<String> =
            self.bars.iter().take(5).map(|bar| format!("{}: {}", bar.label, bar.text)).collect();
        Chart {
            id: self.id,
            summary: format!("{}. {}", self.title, told.join("; ")),
            unit: self.unit,
            height: 46 + 27 * self.bars.len().max(1),
            option: bar_option(&self.bars, self.measure),
            title: self.title,
            static_form,
            table: self.table,
        }
    }
}

fn bar_option(bars: &[Bar], measure: &str) -> Value {
    let labels: Vec<&str> = bars.iter().map(|bar| bar.label.as_str()).collect();
    let data: Vec<Value> = bars
        .iter()
        .map(|bar| {
            json!({
                "value": bar.value,
                "itemStyle": fill(bar.class),
                "label": { "formatter": bar.text.replace(['{', '}', '|'], " ") },
            })
        })
        .collect();
    json!({
        "grid": { "left": 4, "right": 90, "top": 4, "bottom": 4, "containLabel": true },
        "tooltip": { "trigger": "axis", "axisPointer": { "type": "shadow" } },
        "xAxis": { "type": "value", "minInterval": 1, "splitNumber": 4, "axisLabel": { "show": false } },
        "yAxis": { "type": "category", "inverse": true, "data": labels },
        "series": [{
            "type": "bar", "name": measure, "data": data, "barMaxWidth": 16,
            "label": { "show": true, "position": "right" },
        }],
    })
}

/// The fill of a bar: that of its class, hatched where it stands for the unknown.
pub fn fill(class: &str) -> Value {
    match class {
        "" => json!({ "color": "var(--series-1)" }),
        "unknown" => json!({
            "color": "var(--unknown-back)",
            "borderColor": "var(--unknown)",
            "decal": {
                "symbol": "rect", "rotation": -0.785, "color": "var(--unknown)",
                "dashArrayX": [1, 0], "dashArrayY": [2, 5],
            },
        }),
        class => json!({ "color": format!("var(--{class})") }),
    }
}

/// Several measures of each of a list of things, side by side.
#[derive(Clone, Debug)]
pub struct GroupedBars {
    /// Unique in the page.
    pub id: &'static str,
    /// What it shows, with the unit.
    pub title: String,
    /// How values read.
    pub unit: Unit,
    /// The measures, at most four.
    pub measures: Vec<&'static str>,
    /// The things with a value for each measure.
    pub groups: Vec<(String, Vec<u64>)>,
    /// The table behind.
    pub table: Table,
}

impl GroupedBars {
    /// The chart; a sentence where there is nothing to draw.
    pub fn render(mut self) -> Markup {
        if self.groups.is_empty() {
            return html! { p.empty { (self.title) ": nothing observed." } };
        }
        let left_out = self.groups.len().saturating_sub(BarChart::BARS);
        self.groups.truncate(BarChart::BARS);
        let height = 60 + self.groups.len().max(1) * (11 * self.measures.len() + 11);
        let chart = Chart {
            id: self.id,
            summary: format!("{}: {}", self.title, self.measures.join(", ")),
            unit: self.unit,
            height,
            option: self.option(),
            static_form: html! {
                (self.static_form())
                @if left_out > 0 { p.empty { (format::count(left_out as u64)) " more in the table." } }
            },
            title: self.title,
            table: self.table,
        };
        chart.render()
    }

    fn static_form(&self) -> Markup {
        let bars = |values: &[u64]| {
            let measures = self.measures.iter().zip(values).enumerate();
            let bar = |(position, (measure, value)): (usize, (&&str, &u64))| Bar {
                label: (*measure).to_owned(),
                value: *value,
                text: self.text(*value),
                class: series_class(position),
            };
            measures.map(bar).collect()
        };
        let groups: Vec<(String, Vec<Bar>)> =
            self.groups.iter().map(|(name, values)| (name.clone(), bars(values))).collect();
        let legend_part = |(position, measure): (usize, &&'static str)| Part {
            class: series_class(position),
            symbol: "",
            label: (*measure).to_owned(),
            count: 0,
        };
        let parts: Vec<Part> = self.measures.iter().enumerate().map(legend_part).collect();
        html! { (legend(&parts)) (grouped_bars(&groups)) }
    }

    fn text(&self, value: u64) -> String {
        match self.unit {
            Unit::Mib => format::mib(value),
            Unit::Count => format::count(value),
            Unit::Percent => format!("{value} %"),
        }
    }

    fn option(&self) -> Value {
        let names: Vec<&str> = self.groups.iter().map(|(name, _)| name.as_str()).collect();
        let series: Vec<Value> = self
            .measures
            .iter()
            .enumerate()
            .map(|(position, measure)| {
                let data: Vec<u64> = self
                    .groups
                    .iter()
                    .map(|(_, values)| values.get(position).copied().unwrap_or(0))
                    .collect();
                json!({
                    "type": "bar", "name": measure, "data": data, "barMaxWidth": 10,
                    "itemStyle": fill(series_class(position)),
                })
            })
            .collect();
        json!({
            "grid": { "left": 4, "right": 24, "top": 34, "bottom": 4, "containLabel": true },
            "legend": { "top": 0, "left": 0 },
            "tooltip": { "trigger": "axis", "axisPointer": { "type": "shadow" } },
            "xAxis": { "type": "value", "splitNumber": 4 },
            "yAxis": { "type": "category", "inverse": true, "data": names },
            "series": series,
        })
    }
}

/// The class of the `position`-th measure.
fn series_class(position: usize) -> &'static str {
    match position {
        0 => "series-3",
        1 => "series-1",
        2 => "series-2",
        _ => "series-4",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_in_a_page_cannot_end_its_element() {
        let text = inert(&json!({ "name": "</script><script>alert(1)</script>" }).to_string());
        assert!(!text.contains('<'));
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["name"], "</script><script>alert(1)</script>");
    }
}
