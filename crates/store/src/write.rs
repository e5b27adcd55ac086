//! A collection goes in: one transaction, only what changed, nothing gone that could not be seen.

mod batches;
mod current;
mod delta;
mod known;
mod refill;
mod writer;

use std::collections::BTreeMap;

use entente_model::{Collection, Gap, GapCause, Moment};
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, Row};
use time::OffsetDateTime;

use crate::body::{decompress, unreadable};
use crate::database::Store;
use crate::error::StoreError;
use crate::nouns::{KINDS, Noun, by_platform, for_each_list};
use crate::point;
use writer::Writer;

pub(crate) use batches::Batches;
pub use delta::Delta;

pub(crate) use current::{
    Current, Rival, certainly_after, has_control_plane, head_rows, later_rivals, rivals,
};
pub(crate) use known::Known;
pub(crate) use refill::refill;

/// When a collection is recorded, and by whom it was read.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// Now: the clock is read by the caller.
    pub recorded: OffsetDateTime,
    /// Version of the mappers: it counts up when the same answer would be read differently.
    pub mapper: u32,
}

/// What a collection changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Objects in it.
    pub objects: u64,
    /// Of those, seen for the first time.
    pub new: u64,
    /// Of those, in another state than before.
    pub changed: u64,
    /// Not there any more.
    pub gone: u64,
    /// Not seen, but in lists that were not whole: they stay.
    pub kept: u64,
    /// This reading was there already: nothing was written.
    pub known: bool,
}

impl Written {
    /// Both together.
    pub fn add(&mut self, other: Self) {
        self.objects += other.objects;
        self.new += other.new;
        self.changed += other.changed;
        self.gone += other.gone;
        self.kept += other.kept;
        self.known |= other.known;
    }
}

/// How much of a platform a reading tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it, but for its gaps.
    Whole,
    /// Only what changed.
    Delta,
}

/// What a reading told of itself.
#[derive(Serialize, Deserialize)]
pub(crate) struct Head {
    pub source: entente_model::Source,
    pub gaps: Vec<Gap>,
    pub findings: Vec<entente_model::Finding>,
}

/// Reads it.
pub(crate) fn head(bytes: &[u8]) -> Result<Head, StoreError> {
    serde_json::from_slice(&decompress(bytes)?).map_err(unreadable)
}

/// Microseconds since 1970.
pub(crate) fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

/// When something was observed, and how that is known.
fn observed(taken: Option<Moment>, stamp: &Stamp) -> (i64, &'static str) {
    match taken {
        Some(Moment::Utc(at)) => (micros(at), "utc"),
        Some(Moment::Local(at)) => (micros(at.assume_utc()), "local"),
        None => (micros(stamp.recorded), "recorded"),
    }
}

/// Lists of which a reading may have missed objects, and why.
pub(crate) fn incomplete(gaps: &[Gap]) -> BTreeMap<&'static str, GapCause> {
    let mut lists = BTreeMap::new();
    for gap in gaps {
        if !gap.cause.may_hide_objects() {
            continue;
        }
        let section = gap.place.section.as_deref().unwrap_or_default();
        for kind in KINDS.iter().filter(|it| **it == section || !KINDS.contains(&section)) {
            lists.entry(*kind).or_insert(gap.cause);
        }
    }
    lists
}

impl Store {
    /// Puts a collection in: all of it, or nothing.
    pub async fn write(
        &self,
        collection: Collection,
        stamp: &Stamp,
    ) -> Result<Written, StoreError> {
        point::reached("before-transaction");
        let mut transaction = self.begin().await?;
        point::reached("in-transaction");
        let mut written = Written::default();
        for (platform, part) in by_platform(collection) {
            written.add(write_part(&mut transaction, &platform, part, stamp).await?);
        }
        point::reached("before-commit");
        transaction.commit().await?;
        point::reached("after-commit");
        Ok(written)
    }
}

/// The next free number of a table.
async fn next_id(connection: &mut AnyConnection, table: &'static str) -> Result<i64, StoreError> {
    let statement = match table {
        "feeds" => "select coalesce(max(id), 0) + 1 from feeds",
        "collections" => "select coalesce(max(id), 0) + 1 from collections",
        "entities" => "select coalesce(max(id), 0) + 1 from entities",
        _ => "select coalesce(max(id), 0) + 1 from versions",
    };
    Ok(sqlx::query_scalar(statement).fetch_one(connection).await?)
}

async fn feed(
    connection: &mut AnyConnection,
    platform: &str,
    connector: &str,
) -> Result<i64, StoreError> {
    let known = sqlx::query("select id from feeds where platform = $1 and connector = $2");
    if let Some(row) = known.bind(platform).bind(connector).fetch_optional(&mut *connection).await?
    {
        return Ok(row.try_get(0)?);
    }
    let id = next_id(connection, "feeds").await?;
    let make = sqlx::query("insert into feeds (id, platform, connector) values ($1, $2, $3)");
    make.bind(id).bind(platform).bind(connector).execute(connection).await?;
    Ok(id)
}

async fn write_part(
    connection: &mut AnyConnection,
    platform: &str,
    collection: Collection,
    stamp: &Stamp,
) -> Result<Written, StoreError> {
    let (at, observed_by) = observed(collection.source.taken, stamp);
    let feed = feed(connection, platform, &collection.source.connector).await?;
    point::reached("feed");
    let known =
        sqlx::query("select 1 from collections where feed = $1 and observed = $2 and not is_delta");
    if known.bind(feed).bind(at).fetch_optional(&mut *connection).await?.is_some() {
        return Ok(Written { known: true, ..Written::default() });
    }
    let incomplete = incomplete(&collection.gaps);
    let mut writer = Writer::start(&mut *connection, feed, at, stamp, Extent::Whole).await?;
    writer.begin(platform, &collection, observed_by, &incomplete).await?;
    point::reached("collection-row");
    macro_rules! write {
        ($collection:expr, $type:ident, $($list:ident).+) => {
            let nouns = std::mem::take(&mut $collection.$($list).+);
            writer.list(nouns, incomplete.contains_key(<entente_model::$type as Noun>::KIND)).await?;
            point::reached("list");
        };
    }
    let mut collection = collection;
    for_each_list!(collection, write);
    let written = writer.finish().await?;
    rivals(connection, platform).await?;
    point::reached("rivals");
    Ok(written)
}
