//! How hard the estate is, and where: the curve, the terms, and another project's score beside ours.

use entente_app::document::{Assessment, CurvePoint, MigrationPlannerReport};
use maud::{Markup, html};

use crate::chart::{BarChart, Chart, Curve, Unit, curve};
use crate::components::{Bar, Column, Table, section as section_of};
use crate::format;

use super::context::Context;

/// The fifth of the machines that the headline is about.
const FIFTH_BASIS_POINTS: u32 = 2_000;

pub(super) fn section(context: &Context<'_>, id: &str, title: &str) -> Markup {
    let assessment = context.assessment;
    let complexity = &assessment.complexity;
    let lead = format!(
        "The hardest 20 % of the machines hold {} of all {} complexity points.",
        format::basis_points(complexity.hardest_fifth_basis_points),
        format::count(complexity.total),
    );
    let body = html! {
        div.columns {
            (curve_chart(assessment).render())
            (terms_chart(assessment))
        }
        div.columns {
            (scores_chart(assessment).render())
            div {
                (planner_chart(&complexity.migration_planner).render())
                p.empty { (complexity.migration_planner.explanation) }
            }
        }
    };
    section_of(id, title, &lead, body)
}

fn curve_chart(assessment: &Assessment) -> Chart {
    let complexity = &assessment.complexity;
    let fifth = complexity.hardest_fifth_basis_points;
    let ours = complexity
        .curve
        .iter()
        .map(|point| (point.workloads_basis_points, point.complexity_basis_points));
    let planner = planner_curve(&complexity.migration_planner);
    let mark = (FIFTH_BASIS_POINTS, format!("20 % → {}", format::basis_points(fifth)));
    let curves = [
        Curve { name: "Entente score", class: "curve-ours", points: ours.collect() },
        Curve { name: "migration-planner score", class: "curve-other", points: planner },
        Curve {
            name: "if all were equally hard",
            class: "curve-even",
            points: vec![(0, 0), (10_000, 10_000)],
        },
    ];
    let (static_form, option) =
        curve(&curves, &mark, ["share of machines, hardest first", "share of complexity"]);
    Chart {
        id: "complexity-curve",
        title: "Share of complexity against share of machines (%), hardest first".to_owned(),
        summary: format!(
            "Curve of cumulated complexity: the hardest 20 % of the machines hold {}",
            format::basis_points(fifth)
        ),
        unit: Unit::Percent,
        height: 360,
        static_form,
        option,
        table: curve_table(&complexity.curve),
    }
}

fn curve_table(points: &[CurvePoint]) -> Table {
    let mut table = Table::new(
        "Complexity curve",
        vec![Column::number("Machines, hardest first (%)"), Column::number("Complexity (%)")],
    );
    for point in points {
        table.row(vec![
            html! { (format::basis_points(point.workloads_basis_points)) },
            html! { (format::basis_points(point.complexity_basis_points)) },
        ]);
    }
    table
}

/// The same curve for the other project's score: machines of one score lie on one straight piece.
fn planner_curve(planner: &MigrationPlannerReport) -> Vec<(u32, u32)> {
    let machines: u64 = planner.scores.iter().sum();
    let total: u64 =
        (0..).zip(planner.scores).map(|(score, machines): (u64, u64)| score * machines).sum();
    if total == 0 {
        return Vec::new();
    }
    let basis_points =
        |part: u64, whole: u64| u32::try_from(part * 10_000 / whole).unwrap_or(10_000);
    let mut points = vec![(0, 0)];
    let (mut seen, mut points_seen) = (0_u64, 0_u64);
    for (score, count) in [4, 3, 2, 1, 0].into_iter().zip(planner.scores.into_iter().rev()) {
        seen += count;
        points_seen += score * count;
        points.push((basis_points(seen, machines), basis_points(points_seen, total)));
    }
    points
}

fn terms_chart(assessment: &Assessment) -> Markup {
    let mut terms: Vec<_> = assessment.complexity.terms.iter().collect();
    terms.sort_by(|a, b| (b.points, &a.id).cmp(&(a.points, &b.id)));
    let total = assessment.complexity.total;
    let mut table = Table::new(
        "Terms of the complexity score",
        vec![
            Column::text("Term"),
            Column::prose("What it counts"),
            Column::number("Points"),
            Column::number("Share"),
            Column::number("Machines"),
        ],
    );
    for term in &terms {
        table.row(vec![
            html! { code { (term.id) } },
            html! { (term.label) },
            html! { (format::count(term.points)) },
            html! { (format::share(term.points, total)) },
            html! { (format::count(term.workloads)) },
        ]);
    }
    let bars = terms.iter().filter(|term| term.points > 0).map(|term| {
        let text =
            format!("{} ({})", format::count(term.points), format::share(term.points, total));
        Bar::new(term.id.as_str(), term.points, text)
    });
    BarChart {
        id: "complexity-terms",
        title: "What makes it hard (points by term)".to_owned(),
        measure: "points",
        unit: Unit::Count,
        bars: bars.collect(),
        table,
    }
    .render()
}

/// Upper ends of the classes of our score.
const CLASSES: [(u32, u32, &str); 8] = [
    (0, 0, "0"),
    (1, 2, "1–2"),
    (3, 5, "3–5"),
    (6, 10, "6–10"),
    (11, 20, "11–20"),
    (21, 40, "21–40"),
    (41, 80, "41–80"),
    (81, u32::MAX, "81 and more"),
];

fn scores_chart(assessment: &Assessment) -> Chart {
    let scores: Vec<u32> =
        assessment.workloads.iter().filter_map(|it| Some(it.complexity.as_ref()?.score)).collect();
    let bars = CLASSES.iter().map(|(least, most, label)| {
        let machines = scores.iter().filter(|score| (least..=most).contains(score)).count() as u64;
        (format!("score {label}"), machines)
    });
    distribution("complexity-scores", "Entente score: machines by score", bars.collect())
}

fn planner_chart(planner: &MigrationPlannerReport) -> Chart {
    let names = ["0: unknown system", "1: easy", "2: medium", "3: hard", "4: white glove"];
    let bars =
        names.iter().zip(planner.scores).map(|(name, machines)| ((*name).to_owned(), machines));
    let mut chart = distribution(
        "planner-scores",
        "migration-planner score: machines by score",
        bars.collect(),
    );
    chart.height = 46 + 27 * CLASSES.len();
    chart
}

fn distribution(id: &'static str, title: &str, classes: Vec<(String, u64)>) -> Chart {
    let whole: u64 = classes.iter().map(|(_, machines)| machines).sum();
    let mut table = Table::new(
        title,
        vec![Column::text("Score"), Column::number("Machines"), Column::number("Share")],
    );
    let mut bars = Vec::new();
    for (label, machines) in classes {
        let share = format::share(machines, whole);
        table.row(vec![html! { (label) }, html! { (format::count(machines)) }, html! { (share) }]);
        let text = format!("{} ({share})", format::count(machines));
        let class = if label.starts_with("0: unknown") { "unknown" } else { "" };
        bars.push(Bar { label, value: machines, text, class });
    }
    BarChart { id, title: title.to_owned(), measure: "machines", unit: Unit::Count, bars, table }
        .chart()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_projects_curve_starts_with_its_hardest() {
        let planner = MigrationPlannerReport { explanation: "".into(), scores: [5, 0, 0, 0, 5] };
        assert_eq!(planner_curve(&planner)[1], (5_000, 10_000));
        let nothing = MigrationPlannerReport { explanation: "".into(), scores: [5, 0, 0, 0, 0] };
        assert!(planner_curve(&nothing).is_empty());
    }
}
