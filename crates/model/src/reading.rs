//! A collection as one of several accounts of a platform: who read it, when, and since when it has been so.
//!
//! Which account stands where several tell of one fact is decided here, and nowhere else; the rule is
//! written down in `docs/decisions/0012-precedence.md`.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use smol_str::SmolStr as Text;
use time::{Duration, OffsetDateTime};

use crate::collection::Collection;
use crate::ids::{SourceId, WorkloadId};
use crate::moment::Moment;

/// Farthest that clocks on walls are ahead of UTC.
const AHEAD_MAX: Duration = Duration::hours(14);

/// Farthest that they are behind it.
const BEHIND_MAX: Duration = Duration::hours(12);

/// What read a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// A log-in: it shows what is there whenever it is asked.
    LogIn,
    /// An export: it tells of its own time alone.
    Export,
}

/// A collection with what is known of it beyond itself.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What was seen.
    pub collection: Collection,
    /// By what.
    pub reader: Reader,
    /// When it was recorded, where that is known: it was taken no later.
    pub recorded: Option<OffsetDateTime>,
    /// Since when an object has been as it is, by its list and id, as far as earlier readings tell.
    pub since: HashMap<(&'static str, Text), OffsetDateTime>,
    /// Which machine each workload is, where somebody looked into it: those of one name are one. Without
    /// it, ids on a platform tell.
    pub machines: Option<HashMap<WorkloadId, Text>>,
    /// Workloads that are known to be on another platform by now.
    pub elsewhere: HashSet<WorkloadId>,
}

/// By how much one account goes before another: the smaller one stands.
pub(crate) type Rank = (Reverse<Option<OffsetDateTime>>, Reader, Text, SourceId);

impl Reading {
    /// A collection by itself.
    pub fn of(collection: Collection, reader: Reader) -> Self {
        Self {
            collection,
            reader,
            recorded: None,
            since: HashMap::new(),
            machines: None,
            elsewhere: HashSet::new(),
        }
    }

    /// When it was taken, as far as it tells.
    pub(crate) fn when(&self) -> When {
        When::of(self.collection.source.taken, self.recorded)
    }

    /// The reading that was certainly taken later stands; at one time, a log-in before an export.
    pub(crate) fn rank(&self) -> Rank {
        let source = &self.collection.source;
        let earliest = Reverse(self.when().earliest);
        (earliest, self.reader, source.connector.clone(), source.id.clone())
    }
}

/// Between which times something was: none where nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct When {
    pub earliest: Option<OffsetDateTime>,
    pub latest: Option<OffsetDateTime>,
}

impl When {
    /// A time without a zone is somewhere between the zone farthest ahead and that farthest behind, and
    /// not after it was recorded.
    fn of(taken: Option<Moment>, recorded: Option<OffsetDateTime>) -> Self {
        match taken {
            Some(Moment::Utc(at)) => Self { earliest: Some(at), latest: Some(at) },
            Some(Moment::Local(at)) => {
                let at = at.assume_utc();
                let latest = at.saturating_add(BEHIND_MAX);
                let latest = recorded.map_or(latest, |recorded| recorded.min(latest));
                let earliest = at.saturating_sub(AHEAD_MAX).min(latest);
                Self { earliest: Some(earliest), latest: Some(latest) }
            }
            None => Self { earliest: None, latest: recorded },
        }
    }

    /// True if all of it lies between these times, both included.
    pub(crate) fn is_within(&self, from: OffsetDateTime, to: OffsetDateTime) -> bool {
        self.earliest.is_some_and(|it| from <= it) && self.latest.is_some_and(|it| it <= to)
    }

    /// True if it was certainly not before the other.
    pub(crate) fn follows(&self, other: &Self) -> bool {
        matches!((self.earliest, other.latest), (Some(one), Some(other)) if other <= one)
    }
}

/// How much earlier than it tells a reading without a zone may have been taken: as of which time it counts
/// when the later reading is to stand.
pub const UNTOLD_ZONE: Duration = AHEAD_MAX;

/// How much later than it tells a state without a zone may have begun.
pub(crate) const UNTOLD_ZONE_LATE: Duration = BEHIND_MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_time_without_a_zone_is_right_to_a_day_and_not_after_it_was_recorded() {
        let local = Some(Moment::Local(datetime!(2026-03-02 12:00)));
        let when = When::of(local, None);
        assert!(when.is_within(datetime!(2026-03-01 22:00 UTC), datetime!(2026-03-03 00:00 UTC)));
        assert!(!when.is_within(datetime!(2026-03-01 23:00 UTC), datetime!(2026-03-03 00:00 UTC)));
        let recorded = datetime!(2026-03-02 13:00 UTC);
        let when = When::of(local, Some(recorded));
        assert!(when.is_within(datetime!(2026-03-01 22:00 UTC), recorded));
        let utc = When::of(Some(Moment::Utc(recorded)), None);
        assert!(utc.follows(&when) && !when.follows(&utc));
        assert!(!When::of(None, None).follows(&utc) && !utc.follows(&When::of(None, None)));
    }
}
