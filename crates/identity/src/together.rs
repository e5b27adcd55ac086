//! Time: were two sightings there at once, and can that still be one machine?

use entente_model::{Moment, Observed, PowerState};

use crate::prepared::Prepared;
use crate::values::Host;

/// Longest time for which a machine may be seen on the old and on the new platform while it is handed
/// over: a night's move, seen by two daily collections that do not run at the same hour.
pub const HANDOVER_SECONDS_MAX: i64 = 2 * DAY;
const DAY: i64 = 86_400;

/// How the times of two sightings on different platforms fit one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Together {
    /// Never seen at the same time.
    Never,
    /// The one ended shortly after the other began.
    Handover,
    /// The older one is kept, switched off, and the newer one runs: a move whose source is kept.
    SourceKept,
    /// Both show it on one host: the log-in of the host, and that of what manages it.
    OneHost,
    /// Both are there, and nothing says that only one of them is the machine.
    Long,
}

/// True if both were there at some one time.
pub(crate) fn overlap(a: &Prepared<'_>, b: &Prepared<'_>) -> bool {
    a.from <= b.to && b.from <= a.to
}

/// True if they are known to be two machines: one feed shows both at once, or one platform shows at once
/// two different instance UUIDs.
pub(crate) fn are_two(a: &Prepared<'_>, b: &Prepared<'_>) -> bool {
    let instances_differ =
        || matches!((a.instance, b.instance), (Some(one), Some(other)) if one != other);
    a.platform == b.platform && overlap(a, b) && (a.feed == b.feed || instances_differ())
}

/// How two sightings on different platforms go together in time.
pub(crate) fn together(a: &Prepared<'_>, b: &Prepared<'_>) -> Together {
    if !overlap(a, b) {
        return Together::Never;
    }
    let (older, newer) = if (a.from, a.to) <= (b.from, b.to) { (a, b) } else { (b, a) };
    let is_in_turn = older.from < newer.from && older.to < newer.to;
    if is_in_turn && older.to.saturating_sub(newer.from) <= HANDOVER_SECONDS_MAX {
        return Together::Handover;
    }
    match (runs(a), runs(b)) {
        (Some(false), Some(true)) if is_older(a, b) => Together::SourceKept,
        (Some(true), Some(false)) if is_older(b, a) => Together::SourceKept,
        _ if is_on_one_host(a, b) => Together::OneHost,
        _ => Together::Long,
    }
}

/// True if both platforms show the same running instance on a host of the same full name. Short names of
/// hosts repeat from site to site, and so they tell nothing.
fn is_on_one_host(a: &Prepared<'_>, b: &Prepared<'_>) -> bool {
    let host = |it: &Prepared<'_>| {
        let host = it.sighting.runs_on.value().and_then(|it| Host::new(it))?;
        (!host.domain.is_empty()).then_some(host)
    };
    let is_one_instance = a.instance.is_some() && a.instance == b.instance;
    let may_run_alike = !matches!((runs(a), runs(b)), (Some(a), Some(b)) if a != b);
    is_one_instance && may_run_alike && matches!((host(a), host(b)), (Some(a), Some(b)) if a == b)
}

/// True if these two cannot be one machine as far as times tell.
pub(crate) fn excludes(a: &Prepared<'_>, b: &Prepared<'_>) -> bool {
    if a.platform == b.platform {
        return are_two(a, b);
    }
    together(a, b) == Together::Long
}

fn runs(it: &Prepared<'_>) -> Option<bool> {
    it.sighting.power.value().map(|power| *power == PowerState::On)
}

/// True if `a` is known to have been made before `b`. Creation tells it best: which platform was first
/// collected says nothing about which machine was there first.
fn is_older(a: &Prepared<'_>, b: &Prepared<'_>) -> bool {
    match (created(a), created(b)) {
        // Times without a zone are right to about a day.
        (Some(one), Some(other)) if (one - other).abs() > DAY => one < other,
        (Some(_), Some(_)) => false,
        _ => a.from < b.from,
    }
}

fn created(it: &Prepared<'_>) -> Option<i64> {
    match it.sighting.created {
        Observed::Value(Moment::Utc(at)) => Some(at.unix_timestamp()),
        Observed::Value(Moment::Local(at)) => Some(at.assume_utc().unix_timestamp()),
        Observed::Absent | Observed::Unobserved(_) => None,
    }
}
