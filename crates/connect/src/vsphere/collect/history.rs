//! Alarms, and the tasks of the last days.

use std::collections::BTreeMap;

use entente_model::{Collection, GapCause, Moment, Text};
use time::{Duration, OffsetDateTime};

use super::super::map::{self, Facts, Managers};
use super::super::wire::{Call, Paths, Target, call_failed, leaf};
use super::objects::{Kept, Query, Which, objects};
use super::session::{CallFault, Session};
use crate::live::{Found, Gaps};

/// Tasks asked for at once: what servers give at most.
const PAGE_TASKS: u64 = 1_000;

/// Alarm definitions.
pub(super) async fn alarms(
    session: &Session<'_>,
    collection: &mut Collection,
    managers: &Managers<'_>,
    gaps: &mut Gaps,
) {
    // A standalone host has no alarms.
    let Some(manager) = session.about.manager("alarmManager") else { return };
    let answer = match session.ask(&Call::new("GetAlarm", manager)).await {
        Ok(answer) => answer,
        Err(fault) => return call_failed(gaps, &["alarms"], &fault),
    };
    let references = answer.root().into_iter().flat_map(|it| it.all("returnval"));
    let targets: Vec<Target> =
        references.filter_map(|it| it.reference()).map(|it| Target::new(it.kind, it.id)).collect();
    if targets.is_empty() {
        return;
    }
    let paths = ["info.name", "info.enabled", "info.systemName", "info.action"];
    let paths = vec![Paths::of("Alarm", &paths)];
    let query = Query { which: Which::These(targets), paths, sections: &["alarms"] };
    let kept = objects(session, query, Kept::default(), gaps).await;
    map::alarms(collection, managers, &kept, gaps);
}

/// Tasks since some days before the collection.
pub(super) async fn tasks(session: &Session<'_>, collection: &mut Collection, gaps: &mut Gaps) {
    let Some(manager) = session.about.manager("taskManager") else { return };
    if !session.about.is_vcenter {
        // A standalone host keeps no history of tasks.
        return;
    }
    let limits = session.run.target.limits;
    if limits.activities_max == 0 || limits.activity_days == 0 {
        return;
    }
    let since = since(session.run.target.taken, limits.activity_days);
    let call = Call::new("CreateCollectorForTasks", manager).element("filter", |filter| {
        filter.push_str("<time><timeType>startedTime</timeType>");
        leaf(filter, "beginTime", &since);
        filter.push_str("</time>");
    });
    let history = match session.ask(&call).await {
        Ok(answer) => answer
            .root()
            .and_then(|it| it.reference_at("returnval"))
            .map(|it| Target::new(it.kind, it.id)),
        Err(fault) => return call_failed(gaps, &["activities"], &fault),
    };
    let Some(history) = history else { return };
    if let Err(fault) = pages(session, &history, collection, gaps).await {
        call_failed(gaps, &["activities"], &fault);
    }
    let _ = session.ask(&Call::new("DestroyCollector", &history)).await;
}

async fn pages(
    session: &Session<'_>,
    history: &Target,
    collection: &mut Collection,
    gaps: &mut Gaps,
) -> Result<(), CallFault> {
    let limits = session.run.target.limits;
    let platform = &session.run.target.id;
    let mut activities = BTreeMap::new();
    let outcome = loop {
        let left = limits.activities_max.saturating_sub(activities.len() as u64);
        if left == 0 {
            let message = format!(
                "more than {} tasks in {} days: later ones were not read",
                limits.activities_max, limits.activity_days
            );
            gaps.add_once(Found::of(GapCause::LimitReached, "activities", &message));
            break Ok(());
        }
        let most = left.min(PAGE_TASKS).to_string();
        let call = Call::new("ReadNextTasks", history).value("maxCount", &most);
        let answer = match session.ask(&call).await {
            Ok(answer) => answer,
            Err(fault) => break Err(fault),
        };
        let before = activities.len();
        let mut facts = Facts { gaps, section: "activities" };
        let count = map::tasks(&answer, platform, &mut facts, &mut activities);
        // A page of what was there before would come for ever.
        if count == 0 || activities.len() == before {
            break Ok(());
        }
    };
    collection.control.activities.extend(activities.into_values());
    outcome
}

/// So many days before a moment, as the API writes times.
fn since(taken: Moment, days: u32) -> Text {
    let taken = match taken {
        Moment::Utc(at) => at,
        Moment::Local(at) => at.assume_utc(),
    };
    let since = taken.checked_sub(Duration::days(i64::from(days)));
    Text::from(Moment::Utc(since.unwrap_or(OffsetDateTime::UNIX_EPOCH)).to_string())
}
