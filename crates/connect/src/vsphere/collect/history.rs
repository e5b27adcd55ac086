//! Alarms, and the tasks of the last days.

use std::collections::BTreeMap;

use entente_model::{Activity, Collection, GapCause, Moment, Text};
use time::{Duration, OffsetDateTime};

use super::super::map::{self, Facts, Managers};
use super::super::wire::{Call, Element, Paths, Target, leaf};
use super::gaps::call_failed;
use super::objects::{Kept, Query, Which, objects};
use super::session::{CallFault, Session};
use crate::live::{Found, Gaps};

/// Tasks asked for at once: what servers give at most.
const PAGE_TASKS: u64 = 1_000;

/// The list of tasks.
const SECTION: &str = "activities";

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
        Err(fault) => {
            call_failed(gaps, &["alarms"], &fault);
            return;
        }
    };
    let references = answer.root().into_iter().flat_map(|it| it.all("returnval"));
    let targets: Vec<Target> =
        references.filter_map(|it| it.reference()).map(|it| Target::new(it.kind, it.id)).collect();
    if targets.is_empty() {
        return;
    }
    let paths = ["info.name", "info.enabled", "info.systemName", "info.action"];
    let paths = vec![Paths::of("Alarm", "alarms", &paths)];
    let query = Query { which: Which::These(targets), paths };
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
    let mut history = History { session, found: BTreeMap::new(), beyond: false };
    let mut outcome = history.read(&call, gaps).await;
    if matches!(&outcome, Err(CallFault::Fault(it)) if it.is("ManagedObjectNotFound")) {
        // The collector ended with a session that had to be begun again.
        outcome = history.read(&call, gaps).await;
    }
    if let Err(fault) = outcome {
        call_failed(gaps, &[SECTION], &fault);
    }
    if history.beyond {
        let message = format!(
            "more than {} tasks in {} days: older ones were not read",
            limits.activities_max, limits.activity_days
        );
        gaps.add_once(Found::of(GapCause::LimitReached, SECTION, &message));
    }
    collection.control.activities.extend(history.found.into_values());
}

/// What the history of tasks holds, newest first: at the limit, the newest are kept.
struct History<'s, 'a> {
    session: &'s Session<'a>,
    found: BTreeMap<Text, Activity>,
    /// There is more than may be kept.
    beyond: bool,
}

impl History<'_, '_> {
    async fn read(&mut self, create: &Call, gaps: &mut Gaps) -> Result<(), CallFault> {
        self.found.clear();
        let answer = self.session.ask(create).await?;
        let history = answer.root().and_then(|it| it.reference_at("returnval"));
        let history = history
            .map(|it| Target::new(it.kind, it.id))
            .ok_or_else(|| CallFault::Markup("it names no collector".into()))?;
        let outcome = self.newest_first(&history, gaps).await;
        let _ = self.session.ask(&Call::new("DestroyCollector", &history)).await;
        outcome
    }

    /// A collector stands behind its latest page once it is reset: the page is read by itself, and from
    /// there backwards.
    async fn newest_first(&mut self, history: &Target, gaps: &mut Gaps) -> Result<(), CallFault> {
        let most = self.session.run.target.limits.activities_max.min(PAGE_TASKS).to_string();
        let size = Call::new("SetCollectorPageSize", history).value("maxCount", &most);
        self.session.ask(&size).await?;
        let paths = vec![Paths::of(&history.kind, SECTION, &["latestPage"])];
        let query = Query { which: Which::These(vec![history.clone()]), paths };
        let kept = objects(self.session, query, Kept::default(), gaps).await;
        if let Some(page) = kept.get(&history.id) {
            Facts { gaps, section: SECTION }.refusals(&page);
            self.keep(page.get("latestPage").elements(), gaps);
        }
        self.session.ask(&Call::new("ResetCollector", history)).await?;
        while !self.beyond {
            let call = Call::new("ReadPreviousTasks", history);
            let call = call.value("maxCount", &PAGE_TASKS.to_string());
            let answer = self.session.ask(&call).await?;
            // A page of what was there before would come for ever.
            if self.keep(answer.root().into_iter().flat_map(|it| it.all("returnval")), gaps) == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Keeps what is new, up to the limit; gives how many tasks were.
    fn keep<'t>(&mut self, tasks: impl Iterator<Item = Element<'t>>, gaps: &mut Gaps) -> usize {
        let target = self.session.run.target;
        let limits = target.limits;
        let mut facts = Facts { gaps, section: SECTION };
        let mut new = 0;
        for task in tasks {
            let Some(activity) = map::task(task, &target.id, &mut facts) else { continue };
            if self.found.contains_key(&activity.native_id) {
                continue;
            }
            if self.found.len() as u64 >= limits.activities_max {
                self.beyond = true;
                break;
            }
            new += 1;
            self.found.insert(activity.native_id.clone(), activity);
        }
        new
    }
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
