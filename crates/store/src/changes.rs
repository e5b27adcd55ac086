//! What changed between two times.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use sqlx::Row;
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
        }
    }
}

/// A state that begins or ends within the time asked for.
struct Version {
    entity: i64,
    from: i64,
    to: Option<i64>,
    mapper: i64,
    body: Value,
}

/// Where a version belongs.
struct Owner {
    feed: i64,
    platform: String,
    connector: String,
    kind: String,
    name: String,
}

/// Times of whole readings of one feed.
struct Readings {
    /// All of them, in order.
    all: Vec<i64>,
    /// By kind, those that could not see all of it.
    incomplete: HashMap<String, Vec<i64>>,
}

impl Readings {
    /// The latest before a time that could see all of a kind.
    fn before(&self, kind: &str, at: i64) -> Option<i64> {
        let incomplete = self.incomplete.get(kind);
        let whole = |it: &&i64| incomplete.is_none_or(|them| !them.contains(it));
        self.all.iter().rev().filter(|it| **it < at).find(whole).copied()
    }
}

impl Store {
    /// What changed, in the order in which it was seen.
    pub async fn changes(&self, of: &ChangesOf) -> Result<Vec<Change>, StoreError> {
        let after = of.after.map_or(i64::MIN, micros);
        let until = of.until.map_or(i64::MAX, micros);
        let readings = self.readings().await?;
        let rows = sqlx::query(
            "select e.id, e.feed, f.platform, f.connector, e.kind, e.name, v.observed_from, v.observed_to, v.mapper, v.body from versions v join entities e on e.id = v.entity join feeds f on f.id = e.feed where (v.observed_from > $1 and v.observed_from <= $2) or (v.observed_to > $1 and v.observed_to <= $2) order by e.id, v.observed_from",
        )
        .bind(after)
        .bind(until)
        .fetch_all(&self.pool)
        .await?;
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
            };
            if !wanted(&of.kinds, &owner.kind) || !wanted(&of.platforms, &owner.platform) {
                continue;
            }
            let body: Vec<u8> = row.try_get(9)?;
            let version = Version {
                entity: row.try_get(0)?,
                from: row.try_get(6)?,
                to: row.try_get(7)?,
                mapper: row.try_get(8)?,
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
                changes.extend(begun(&owner, follows, &version, readings));
            }
            if let Some(to) = version.to.filter(|it| is_within(*it)) {
                // At the beginning of its last state it was there.
                let since = readings.before(&owner.kind, to).max(Some(version.from));
                let times = (since, to);
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

    async fn readings(&self) -> Result<HashMap<i64, Readings>, StoreError> {
        let rows = sqlx::query(
            "select c.feed, c.observed, i.kind from collections c left join incomplete i on i.collection = c.id where not c.is_delta order by c.feed, c.observed",
        );
        let mut readings: HashMap<i64, Readings> = HashMap::new();
        for row in rows.fetch_all(&self.pool).await? {
            let (feed, at): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            let of = readings
                .entry(feed)
                .or_insert_with(|| Readings { all: Vec::new(), incomplete: HashMap::new() });
            if of.all.last() != Some(&at) {
                of.all.push(at);
            }
            if let Some(kind) = row.try_get::<Option<String>, _>(2)? {
                of.incomplete.entry(kind).or_default().push(at);
            }
        }
        Ok(readings)
    }
}

/// A state that begins: of a new thing, or after another state.
fn begun(
    owner: &Owner,
    before: Option<&Version>,
    version: &Version,
    readings: &Readings,
) -> Option<Change> {
    let since = readings.before(&owner.kind, version.from);
    let Some(before) = before else {
        let times = (since, version.from);
        return Some(change(owner, &version.body, ChangeKind::Appeared, times, Vec::new()));
    };
    let fields = difference(&before.body, &version.body);
    let kind = if before.mapper != version.mapper {
        ChangeKind::Reinterpreted
    } else if fields.iter().any(|it| it.kind == FieldChangeKind::Changed) {
        ChangeKind::Changed
    } else {
        ChangeKind::Known
    };
    // A state is replaced at a reading that saw the thing: the one before it is the latest of all, or the
    // delta that told the state before.
    let latest = readings.all.iter().rev().find(|it| **it < version.from).copied();
    let since = latest.max(since).max(Some(before.from));
    (!fields.is_empty()).then(|| change(owner, &version.body, kind, (since, version.from), fields))
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
        name: body.get("name").and_then(Value::as_str).map(str::to_owned),
        change,
        after: after.map(moment),
        seen: moment(seen),
        fields,
    }
}
