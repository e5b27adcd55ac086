//! Curves of a share against a share, both in percent.

use maud::{Markup, html};
use serde_json::{Value, json};

/// One curve.
#[derive(Clone, Debug)]
pub struct Curve {
    /// Its name.
    pub name: &'static str,
    /// Style class of its stroke.
    pub class: &'static str,
    /// Points in basis points, from left to right.
    pub points: Vec<(u32, u32)>,
}

/// Where to mark the curves: a place on the x axis, in basis points, and what to say there.
pub type Mark = (u32, String);

/// Static form and option of curves with a mark.
pub fn curve(curves: &[Curve], mark: &Mark, axes: [&str; 2]) -> (Markup, Value) {
    (drawing(curves, mark, axes), option(curves, mark, axes))
}

const WIDTH: u32 = 560;
const HEIGHT: u32 = 300;
const LEFT: u32 = 66;
const BOTTOM: u32 = 44;
const TOP: u32 = 12;
const RIGHT: u32 = 24;

/// A place in the drawing, for shares in basis points.
fn place(x: u32, y: u32) -> (u32, u32) {
    let across = WIDTH - LEFT - RIGHT;
    let down = HEIGHT - TOP - BOTTOM;
    (LEFT + x.min(10_000) * across / 10_000, TOP + down - y.min(10_000) * down / 10_000)
}

fn drawing(curves: &[Curve], mark: &Mark, axes: [&str; 2]) -> Markup {
    let [x_axis, y_axis] = axes;
    let (mark_x, foot) = place(mark.0, 0);
    html! {
        svg.curve viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(mark.1) {
            @for share in [0_u32, 2_000, 4_000, 6_000, 8_000, 10_000] {
                @let (x, bottom) = place(share, 0);
                @let (left, y) = place(0, share);
                line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(y) y2=(y) {}
                text x=(left - 6) y=(y + 4) text-anchor="end" { (share / 100) " %" }
                text x=(x) y=(bottom + 17) text-anchor="middle" { (share / 100) " %" }
            }
            text x=((LEFT + WIDTH - RIGHT) / 2) y=(HEIGHT - 6) text-anchor="middle" { (x_axis) }
            text.axis transform={ "translate(13 " ((TOP + HEIGHT - BOTTOM) / 2) ") rotate(-90)" } text-anchor="middle" { (y_axis) }
            line.mark x1=(mark_x) x2=(mark_x) y1=(TOP) y2=(foot) {}
            @for curve in curves {
                polyline class=(curve.class) points=(path(&curve.points)) {}
            }
            text.mark-label x=(mark_x + 8) y=(foot - 10) { (mark.1) }
        }
        ul.legend {
            @for curve in curves {
                li { span class={ "stroke " (curve.class) } aria-hidden="true" {} (curve.name) }
            }
        }
    }
}

fn path(points: &[(u32, u32)]) -> String {
    let places: Vec<String> = points
        .iter()
        .map(|(x, y)| {
            let (x, y) = place(*x, *y);
            format!("{x},{y}")
        })
        .collect();
    places.join(" ")
}

fn option(curves: &[Curve], mark: &Mark, axes: [&str; 2]) -> Value {
    let [x_axis, y_axis] = axes;
    let series: Vec<Value> =
        curves.iter().enumerate().map(|(at, curve)| line(curve, at, mark)).collect();
    let axis = |name: &str, gap: u32| {
        json!({
            "type": "value", "min": 0, "max": 100, "name": name, "nameLocation": "middle",
            "nameGap": gap, "axisLabel": { "formatter": "{value} %" },
        })
    };
    json!({
        "grid": { "left": 24, "right": 16, "top": 56, "bottom": 30, "containLabel": true },
        "legend": { "top": 0, "left": 0 },
        "tooltip": { "trigger": "axis" },
        "xAxis": axis(x_axis, 28),
        "yAxis": axis(y_axis, 44),
        "series": series,
    })
}

fn line(curve: &Curve, position: usize, mark: &Mark) -> Value {
    let data: Vec<Value> = curve
        .points
        .iter()
        .map(|(x, y)| json!([f64::from(*x) / 100.0, f64::from(*y) / 100.0]))
        .collect();
    let (colour, dashes, width) = match curve.class {
        "curve-ours" => ("var(--series-1)", "solid", 3),
        "curve-other" => ("var(--series-2)", "dashed", 2),
        _ => ("var(--muted)", "dotted", 1),
    };
    let mut series = json!({
        "type": "line", "name": curve.name, "data": data, "showSymbol": false, "symbol": "circle",
        "lineStyle": { "color": colour, "type": dashes, "width": width },
        "itemStyle": { "color": colour },
    });
    if let (0, Some(first)) = (position, series.as_object_mut()) {
        first.insert("areaStyle".to_owned(), json!({ "color": colour, "opacity": 0.1 }));
        first.insert("markLine".to_owned(), mark_line(mark));
    }
    series
}

fn mark_line(mark: &Mark) -> Value {
    json!({
        "silent": true, "symbol": "none",
        "lineStyle": { "color": "var(--text)", "type": "dashed" },
        "label": { "formatter": mark.1, "position": "end", "color": "var(--text)" },
        "data": [{ "xAxis": f64::from(mark.0) / 100.0 }],
    })
}
