//! The slow, obvious twin of the verdict rule: every check asked anew, the rule read off sentence by
//! sentence.

use entente_expr::workload::WorkloadRecord;
use entente_expr::{Missing, Truth};
use entente_model::{Date, EstateIndex, Workload};

use crate::catalogue::{Catalogue, Check};
use crate::guests::Guests;
use crate::targets::{Target, TargetRecord};
use crate::verdict::{CheckSeverity, TargetReadiness, Verdict};

/// What every check says of one workload on one target.
pub(super) fn readiness(
    index: &EstateIndex<'_>,
    catalogue: &Catalogue,
    guests: &Guests,
    (workload, target): (&Workload, &Target),
    as_of: Date,
) -> TargetReadiness {
    let at = catalogue.targets().position(&target.id).unwrap();
    let support = workload.guest.os().map(|os| guests.recognise(os).support(&target.id));
    let answers: Vec<(&Check, CheckSeverity, Truth)> = catalogue
        .checks()
        .iter()
        .map(|check| {
            let workload = WorkloadRecord::new(index, workload, as_of);
            let target = TargetRecord::new(target, &support);
            (check, check.severity(at), check.expression.evaluate(&[&workload, &target]))
        })
        .collect();

    let all: Vec<(CheckSeverity, &Truth)> =
        answers.iter().map(|(_, severity, truth)| (*severity, truth)).collect();
    let within_source: Vec<(CheckSeverity, &Truth)> =
        all.iter().filter(|(_, truth)| !is_beyond_source(truth)).copied().collect();
    let fired = |severity: CheckSeverity| {
        answers
            .iter()
            .filter(|(_, its, truth)| *its == severity && truth.is_true())
            .map(|(check, _, _)| check.id.clone())
            .collect()
    };
    let mut not_observed: Vec<_> = answers
        .iter()
        .filter(|(_, it, _)| matches!(it, CheckSeverity::Blocker | CheckSeverity::Warning))
        .flat_map(|(_, _, truth)| truth.missing())
        .filter(|missing| !missing.why.is_limit_of_source())
        .map(|missing| missing.attribute.clone())
        .collect();
    not_observed.sort();
    not_observed.dedup();
    TargetReadiness {
        verdict: verdict(&all),
        as_seen: verdict(&within_source),
        blockers: fired(CheckSeverity::Blocker),
        warnings: fired(CheckSeverity::Warning),
        information: fired(CheckSeverity::Information),
        not_observed,
    }
}

/// Unanswered, and no better export or login of the same kind of source could have answered.
fn is_beyond_source(truth: &Truth) -> bool {
    let limit = |missing: &Missing| missing.why.is_limit_of_source();
    matches!(truth, Truth::Unknown(missing) if missing.iter().all(limit))
}

fn verdict(answers: &[(CheckSeverity, &Truth)]) -> Verdict {
    let any = |severity: CheckSeverity, is: fn(&Truth) -> bool| {
        answers.iter().any(|(its, truth)| *its == severity && is(truth))
    };
    let unanswered = |truth: &Truth| matches!(truth, Truth::Unknown(_));
    // Blocked if a blocker fired;
    if any(CheckSeverity::Blocker, Truth::is_true) {
        return Verdict::Blocked;
    }
    // else unknown if a blocker is unanswered;
    if any(CheckSeverity::Blocker, unanswered) {
        return Verdict::Unknown;
    }
    // else conditional if a warning fired;
    if any(CheckSeverity::Warning, Truth::is_true) {
        return Verdict::Conditional;
    }
    // else unknown if a warning is unanswered;
    if any(CheckSeverity::Warning, unanswered) {
        return Verdict::Unknown;
    }
    // else ready.
    Verdict::Ready
}
