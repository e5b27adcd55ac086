//! What changed between two times.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use time::OffsetDateTime;

use crate::body::{decompress, unreadable};
use crate::database::Store;
use crate::difference::{FieldChange, FieldChangeKind, difference};
use crate::error::StoreError;
use crate::read::moment;
use crate::write::micros;

/// Changes at most: what is beyond is counted.
const CHANGES_MAX: usize = 1_000_000;

/// Which changes.
#[derive(Clone, Debug, Default)]
pub struct ChangesOf {
    /// After this time; from the beginning without one.
    pub after: Option<OffsetDateTime>,
    /// Up to this time; up to now without one.
    pub until: Option<OffsetDateTime>,
    /// Of these lists alone; of all without one.
    pub kinds: Vec<String>,
    /// Of these platforms alone; of all without one.
    pub platforms: Vec<String>,
    /// Of these things alone, by their numbers in the store; of all without one.
    pub things: Option<Vec<i64>>,
}

/// One change of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The platform.
    pub platform: String,
    /// Name of the connector that saw it.
    pub connector: String,
    /// Which list it belongs to.
    pub kind: String,
    /// Its id, or what it is known by.
    pub id: String,
    /// Which life of this id: ids are given again.
    pub incarnation: i64,
    /// Its name, where it has one of its own.
    pub name: Option<String>,
    /// What became of it.
    pub change: ChangeKind,
    /// It happened after this time: the reading before that could tell.
    #[serde(with = "time::serde::rfc3339::option")]
    pub after: Option<OffsetDateTime>,
    /// It was seen then.
    #[serde(with = "time::serde::rfc3339")]
    pub seen: OffsetDateTime,
    /// Which facts, and how.
    pub fields: Vec<FieldChange>,
}

/// What became of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It is new.
    Appeared,
    /// It is in another state.
    Changed,
    /// It is gone.
    Gone,
    /// More or less is known of it; the thing itself did not change as far as anyone can tell.
    Known,
    /// Another release of Entente reads it differently: whether it changed, too, cannot be told.
    Reinterpreted,
    /// It is gone here and there now: told by whoever knows that both are one thing, never by the store.
    Moved,
}

impl ChangeKind {
    /// The word used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Appeared => "appeared",
            Self::Changed => "changed",
            Self::Gone => "gone",
            Self::Known => "known",
            Self::Reinterpreted => "reinterpreted",
            Self::Moved => "moved",
        }
    }
}

/// A state that begins or ends within the time asked for.
struct Version {
    entity: i64,
    from: i64,
    to: Option<i64>,
    body: Value,
}

/// Where a version belongs.
struct Owner {
    feed: i64,
    platform: String,
    connector: String,
    kind: String,
    name: String,
    incarnation: i64,
}

/// Readings of one feed.
#[derive(Default)]
struct Readings {
    /// When each was that is no delta, in order.
    all: Vec<i64>,
    /// By which mapper each was read, deltas included.
    mappers: HashMap<i64, i64>,
    /// By kind, those that could not see all of it.
    incomplete: HashMap<String, Vec<i64>>,
}

impl Readings {
    /// Those before a time, latest first.
    fn before(&self, at: i64) -> impl Iterator<Item = i64> {
        let count = self.all.partition_point(|it| *it < at);
        self.all.iter().take(count).rev().copied()
    }

    /// The latest before a time that could see all of a kind.
    fn whole_before(&self, kind: &str, at: i64) -> Option<i64> {
        let incomplete = self.incomplete.get(kind);
        self.before(at).find(|it| incomplete.is_none_or(|them| !them.contains(it)))
    }

    /// By which mapper the one at a time was read.
    fn mapper(&self, at: i64) -> Option<i64> {
        self.mappers.get(&at).copied()
    }
}

impl Store {
    /// What changed, in the order in which it was seen.
    pub async fn changes(&self, of: &ChangesOf) -> Result<Vec<Change>, StoreError> {
        let after = of.after.map_or(i64::MIN, micros);
        let until = of.until.map_or(i64::MAX, micros);
        let readings = self.readings().await?;
        let rows = self.states(of, (after, until)).await?;
        let wanted =
            |list: &[String], it: &str| list.is_empty() || list.iter().any(|one| one == it);
        let mut changes = Vec::new();
        let mut before: Option<Version> = None;
        // A state that ended is the end of the thing only if no other state follows.
        let mut ended: Option<Change> = None;
        for row in rows {
            let owner = Owner {
                feed: row.try_get(1)?,
                platform: row.try_get(2)?,
                connector: row.try_get(3)?,
                kind: row.try_get(4)?,
                name: row.try_get(5)?,
                incarnation: row.try_get(9)?,
            };
            if !wanted(&of.kinds, &owner.kind) || !wanted(&of.platforms, &owner.platform) {
                continue;
            }
            let body: Vec<u8> = row.try_get(8)?;
            let version = Version {
                entity: row.try_get(0)?,
                from: row.try_get(6)?,
                to: row.try_get(7)?,
                body: serde_json::from_slice(&decompress(&body)?).map_err(unreadable)?,
            };
            let Some(readings) = readings.get(&owner.feed) else { continue };
            let is_within = |at: i64| at > after && at <= until;
            let follows = before
                .as_ref()
                .filter(|it| it.entity == version.entity && it.to == Some(version.from));
            changes.extend(ended.take().filter(|_| follows.is_none()));
            // What is seen up to the first whole reading of a platform did not appear then.
            let is_first = readings.all.first().is_none_or(|it| version.from <= *it);
            if is_within(version.from) && (follows.is_some() || !is_first) {
                let told = match follows {
                    Some(before) => self
                        .told_before(readings, &owner, &version, version.from)
                        .await?
                        .max(Some(before.from)),
                    None => readings.whole_before(&owner.kind, version.from),
                };
                changes.extend(begun(&owner, (follows, &version), told, readings));
            }
            if let Some(to) = version.to.filter(|it| is_within(*it)) {
                // At the beginning of its last state it was there.
                let told = self.told_before(readings, &owner, &version, to).await?;
                let times = (told.max(Some(version.from)), to);
                ended = Some(change(&owner, &version.body, ChangeKind::Gone, times, Vec::new()));
            }
            before = Some(version);
            if changes.len() >= CHANGES_MAX {
                break;
            }
        }
        changes.extend(ended);
        changes.sort_by(|a, b| {
            (a.seen, &a.platform, &a.kind, &a.id, a.change).cmp(&(
                b.seen,
                &b.platform,
                &b.kind,
                &b.id,
                b.change,
            ))
        });
        Ok(changes)
    }

    /// The latest reading before a time that told of a thing while it was there: one that was whole, or
    /// one that saw it nevertheless.
    async fn told_before(
        &self,
        readings: &Readings,
        owner: &Owner,
        version: &Version,
        at: i64,
    ) -> Result<Option<i64>, StoreError> {
        let whole = readings.whole_before(&owner.kind, at);
        if readings.before(at).next() == whole {
            return Ok(whole);
        }
        let sighting: Option<i64> = sqlx::query_scalar(
            "select max(c.observed) from collections c join sightings s on s.collection = c.id where c.feed = $1 and c.observed > $2 and c.observed < $3 and s.entity = $4",
        )
        .bind(owner.feed)
        .bind(whole.unwrap_or(i64::MIN))
        .bind(at)
        .bind(version.entity)
        .fetch_one(&self.pool)
        .await?;
        Ok(sighting.max(whole))
    }

    /// States that begin or end within the time asked for.
    async fn states(
        &self,
        of: &ChangesOf,
        (after, until): (i64, i64),
    ) -> Result<Vec<AnyRow>, StoreError> {
        let of_these = of.things.as_ref().map_or_else(String::new, |things| {
            let numbers: Vec<String> = things.iter().map(ToString::to_string).collect();
            format!(" and v.entity in ({})", numbers.join(", "))
        });
        let statement = format!(
            "select e.id, e.feed, f.platform, f.connector, e.kind, e.name, v.observed_from, v.observed_to, v.body, e.incarnation from versions v join entities e on e.id = v.entity join feeds f on f.id = e.feed where ((v.observed_from > $1 and v.observed_from <= $2) or (v.observed_to > $1 and v.observed_to <= $2)){of_these} order by e.id, v.observed_from"
        );
        let states =
            sqlx::query(AssertSqlSafe(statement)).bind(after).bind(until).fetch_all(&self.pool);
        Ok(states.await?)
    }

    async fn readings(&self) -> Result<HashMap<i64, Readings>, StoreError> {
        let rows = sqlx::query(
            "select c.feed, c.observed, c.mapper, cast(case when c.is_delta then 1 else 0 end as bigint), i.kind from collections c left join incomplete i on i.collection = c.id order by c.feed, c.observed",
        );
        let mut readings: HashMap<i64, Readings> = HashMap::new();
        for row in rows.fetch_all(&self.pool).await? {
            let (feed, at, mapper): (i64, i64, i64) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let of = readings.entry(feed).or_default();
            of.mappers.insert(at, mapper);
            let is_delta = row.try_get::<i64, _>(3)? != 0;
            if !is_delta && of.all.last() != Some(&at) {
                of.all.push(at);
            }
            if let Some(kind) = row.try_get::<Option<String>, _>(4)? {
                of.incomplete.entry(kind).or_default().push(at);
            }
        }
        Ok(readings)
    }
}

/// A state that begins: of a new thing, or after another state, of which a reading told last.
fn begun(
    owner: &Owner,
    (before, version): (Option<&Version>, &Version),
    told: Option<i64>,
    readings: &Readings,
) -> Option<Change> {
    let times = (told, version.from);
    let Some(before) = before else {
        return Some(change(owner, &version.body, ChangeKind::Appeared, times, Vec::new()));
    };
    let fields = difference(&before.body, &version.body);
    // Which mapper read the state last, not which one read it first.
    let mappers = (told.and_then(|it| readings.mapper(it)), readings.mapper(version.from));
    let kind = if mappers.0 != mappers.1 {
        ChangeKind::Reinterpreted
    } else if fields.iter().any(|it| it.kind == FieldChangeKind::Changed) {
        ChangeKind::Changed
    } else {
        ChangeKind::Known
    };
    (!fields.is_empty()).then(|| change(owner, &version.body, kind, times, fields))
}

fn change(
    owner: &Owner,
    body: &Value,
    change: ChangeKind,
    (after, seen): (Option<i64>, i64),
    fields: Vec<FieldChange>,
) -> Change {
    Change {
        platform: owner.platform.clone(),
        connector: owner.connector.clone(),
        kind: owner.kind.clone(),
        id: owner.name.clone(),
        incarnation: owner.incarnation,
        name: body.get("name").and_then(Value::as_str).map(str::to_owned),
        change,
        after: after.map(moment),
        seen: moment(seen),
        fields,
    }
}
