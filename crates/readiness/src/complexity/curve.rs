//! The curve: how much of all complexity the hardest machines hold.

use std::cmp::Reverse;

use entente_model::EstateIndex;
use schemars::JsonSchema;
use serde::Serialize;

use super::Points;

/// One point of the complexity curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CurvePoint {
    /// Share of the machines, hardest first, in basis points.
    pub workloads_basis_points: u32,
    /// Share of all complexity that they hold, in basis points.
    pub complexity_basis_points: u32,
}

/// How much of all complexity the hardest machines hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComplexityCurve {
    /// Sum of all scores.
    pub total: u64,
    /// Share of `total` in the hardest fifth of the machines (rounded up to a whole machine), in
    /// basis points.
    pub hardest_fifth_basis_points: u32,
    /// From (0, 0) to (10,000, 10,000), at most 101 points; empty where there are no machines.
    pub points: Vec<CurvePoint>,
    /// Positions of all machines in the estate's workloads, hardest first, equals by id.
    pub hardest: Vec<usize>,
}

/// Steps of the curve: whole percents of the machines.
const STEPS: u64 = 100;

/// Basis points in a whole.
const WHOLE: u64 = 10_000;

/// Cumulates scores from the hardest machine to the easiest.
pub fn complexity_curve(index: &EstateIndex<'_>, points: &[Option<Points>]) -> ComplexityCurve {
    let mut machines: Vec<(Reverse<u32>, &entente_model::WorkloadId, usize)> = index
        .estate
        .workloads
        .iter()
        .zip(points)
        .enumerate()
        .filter_map(|(at, (workload, points))| {
            Some((Reverse((*points)?.score()), &workload.id, at))
        })
        .collect();
    machines.sort_unstable();
    let scores: Vec<u32> = machines.iter().map(|(Reverse(score), _, _)| *score).collect();
    let curve = curve(&scores);
    ComplexityCurve { hardest: machines.into_iter().map(|(_, _, at)| at).collect(), ..curve }
}

/// The curve over scores in falling order.
pub(super) fn curve(falling: &[u32]) -> ComplexityCurve {
    let machines = falling.len() as u64;
    let total: u64 = falling.iter().map(|it| u64::from(*it)).sum();
    if machines == 0 {
        return ComplexityCurve::default();
    }
    let mut cumulated = Vec::with_capacity(falling.len() + 1);
    cumulated.push(0);
    let mut sum = 0;
    for score in falling {
        sum += u64::from(*score);
        cumulated.push(sum);
    }
    // Where nothing is complex, every machine holds the same share.
    let share = |hardest: u64| match total {
        0 => basis_points(hardest, machines),
        _ => {
            let held = usize::try_from(hardest).ok().and_then(|at| cumulated.get(at));
            basis_points(held.copied().unwrap_or(total), total)
        }
    };
    let steps = machines.min(STEPS);
    let points = (0..=steps)
        .map(|step| {
            let hardest = step * machines / steps;
            CurvePoint {
                workloads_basis_points: basis_points(hardest, machines),
                complexity_basis_points: share(hardest),
            }
        })
        .collect();
    ComplexityCurve {
        total,
        hardest_fifth_basis_points: share(machines.div_ceil(5)),
        points,
        hardest: Vec::new(),
    }
}

/// `part` of `whole`, rounded down.
fn basis_points(part: u64, whole: u64) -> u32 {
    let share = u128::from(part) * u128::from(WHOLE) / u128::from(whole.max(1));
    u32::try_from(share).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ten_machines_of_which_two_hold_half() {
        let curve = curve(&[30, 20, 10, 10, 10, 10, 5, 5, 0, 0]);
        assert_eq!(curve.total, 100);
        assert_eq!(curve.hardest_fifth_basis_points, 5000);
        let shares: Vec<u32> = curve.points.iter().map(|it| it.complexity_basis_points).collect();
        assert_eq!(shares, [0, 3000, 5000, 6000, 7000, 8000, 9000, 9500, 10_000, 10_000, 10_000]);
    }

    #[test]
    fn a_fifth_is_rounded_up_to_a_whole_machine() {
        assert_eq!(curve(&[6, 3, 1]).hardest_fifth_basis_points, 6000);
        assert_eq!(curve(&[5, 2, 1, 1, 1, 0]).hardest_fifth_basis_points, 7000);
    }

    #[test]
    fn without_machines_there_is_no_curve_and_without_complexity_it_is_straight() {
        assert_eq!(curve(&[]), ComplexityCurve::default());
        let flat = curve(&[0, 0, 0, 0]);
        assert!(
            flat.points.iter().all(|it| it.workloads_basis_points == it.complexity_basis_points)
        );
        assert_eq!(flat.hardest_fifth_basis_points, 2500);
    }

    proptest! {
        #[test]
        fn it_rises_to_the_whole_and_never_below_the_even_share(
            mut scores in proptest::collection::vec(0_u32..500, 1..400)
        ) {
            scores.sort_unstable_by(|a, b| b.cmp(a));
            let curve = curve(&scores);
            prop_assert!(curve.points.len() <= 101);
            let last = CurvePoint { workloads_basis_points: 10_000, complexity_basis_points: 10_000 };
            prop_assert_eq!(curve.points.last(), Some(&last));
            let rising = |pair: &[CurvePoint]| {
                pair[0].workloads_basis_points < pair[1].workloads_basis_points
                    && pair[0].complexity_basis_points <= pair[1].complexity_basis_points
            };
            prop_assert!(curve.points.windows(2).all(rising));
            // The hardest come first, so any part holds at least its even share.
            prop_assert!(
                curve.points.iter().all(|it| it.complexity_basis_points >= it.workloads_basis_points)
            );
            let fifth = scores.len().div_ceil(5);
            let held: u64 = scores.iter().take(fifth).map(|it| u64::from(*it)).sum();
            if let Some(expect) = (held * 10_000).checked_div(curve.total) {
                prop_assert_eq!(u64::from(curve.hardest_fifth_basis_points), expect);
            }
        }
    }
}
