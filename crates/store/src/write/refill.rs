//! All tables of what is so now, made anew from the bodies: for a store that had none of them yet.

use std::collections::BTreeSet;

use entente_model::SourceId;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::Head;
use super::current::{Current, head_rows, rivals};
use crate::body::{decompress, pack, unpack, unreadable};
use crate::error::StoreError;
use crate::nouns::{Noun, for_each_list};
use crate::pipe::Pipe;
use crate::samples::Samples;
use crate::tables::schema::{now_table, tables};

/// Objects that are read at once.
const BATCH: i64 = 1_000;

/// Empties the tables and fills them again.
pub(crate) async fn refill(connection: &mut AnyConnection) -> Result<(), StoreError> {
    for table in tables() {
        empty(connection, &now_table(table.name, false)).await?;
        if !table.samples.is_empty() {
            empty(connection, &now_table(table.name, true)).await?;
        }
    }
    for table in ["now_search", "now_findings", "now_gaps", "rivals"] {
        empty(connection, table).await?;
    }
    let feeds = sqlx::query(
        "select f.id, f.platform, c.head, c.observed from feeds f join collections c on c.feed = f.id where not c.is_delta and c.observed = (select max(l.observed) from collections l where l.feed = f.id and not l.is_delta) order by f.id",
    );
    let mut platforms = BTreeSet::new();
    for row in feeds.fetch_all(&mut *connection).await? {
        let (feed, platform, head): (i64, String, Vec<u8>) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let at: i64 = row.try_get(3)?;
        let head: Head = serde_json::from_slice(&decompress(&head)?).map_err(unreadable)?;
        let mut current = Current::start(&mut *connection, feed).await?;
        let mut pipe = Pipe::over(&mut *connection);
        head_rows(&mut pipe, feed, &platform, &head).await?;
        macro_rules! fill {
            ($collection:expr, $type:ident, $($list:ident).+) => {
                list::<entente_model::$type>(&mut pipe, &mut current, feed, at, &head.source.id)
                    .await?;
            };
        }
        for_each_list!((), fill);
        current.finish(&mut pipe).await?;
        platforms.insert(platform);
    }
    for platform in platforms {
        rivals(connection, &platform).await?;
    }
    Ok(())
}

async fn empty(connection: &mut AnyConnection, table: &str) -> Result<(), StoreError> {
    sqlx::query(AssertSqlSafe(format!("delete from {table}"))).execute(connection).await?;
    Ok(())
}

async fn list<N: Noun>(
    pipe: &mut Pipe<'_>,
    current: &mut Current,
    feed: i64,
    at: i64,
    source: &SourceId,
) -> Result<(), StoreError> {
    let mut after = 0_i64;
    if N::tables().is_empty() {
        return Ok(());
    }
    let samples = Samples::read(pipe.idle().await?, feed, N::KIND, i64::MAX).await?;
    loop {
        let some = sqlx::query(
            "select e.id, v.body from entities e join versions v on v.entity = e.id and v.observed_to is null where e.feed = $1 and e.kind = $2 and e.id > $3 order by e.id limit $4",
        );
        let some = some.bind(feed).bind(N::KIND).bind(after).bind(BATCH);
        let rows = some.fetch_all(pipe.idle().await?).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            let (entity, body): (i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
            let mut noun = unpack::<N>(&body, samples.get(entity), source)?;
            let packed = pack(&mut noun, String::new(), |_, _| false)?;
            current.samples(pipe, entity, at, packed.sample_rows).await?;
            if let Some(mut state) = packed.state {
                current.replace(pipe, entity, &mut state, false).await?;
            }
            after = entity;
        }
    }
}
