//! What was known at another time, in the same tables: in memory, for one query.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use entente_model::Collection;
use sqlx::any::AnyConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions, Connection, Executor, Row};
use time::OffsetDateTime;

use super::error::QueryError;
use super::guard::Checked;
use super::{QueryLimits, QueryResult, run};
use crate::database::{Cell, Engine, MIGRATIONS, Rows, Store};
use crate::error::StoreError;
use crate::nouns::{Noun, for_each_list};
use crate::pipe::Pipe;
use crate::read::AsOf;
use crate::tables::schema::migration;
use crate::write::{
    Batches, Current, Head, Known, Rival, certainly_after, has_control_plane, head_rows,
    later_rivals, micros,
};

/// A reader's latest reading by then.
struct Feed {
    id: i64,
    platform: String,
    connector: String,
    observed: i64,
    observed_by: String,
}

pub(super) async fn ask(
    store: &Store,
    at: OffsetDateTime,
    checked: &Checked,
    limits: &QueryLimits,
) -> Result<QueryResult, QueryError> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let url = format!("sqlite:file:entente-as-of-{}-{number}?mode=memory", std::process::id());
    let options: AnyConnectOptions = url.parse()?;
    let mut filling = AnyConnection::connect_with(&options).await?;
    fill(&mut filling, store, at, checked).await?;
    let options: SqliteConnectOptions = url.parse()?;
    let mut connection = options.disable_statement_logging().connect().await?;
    let answer = run::ask(&mut connection, &checked.sql, limits).await;
    connection.close_hard().await?;
    filling.close().await?;
    answer
}

async fn fill(
    connection: &mut AnyConnection,
    store: &Store,
    at: OffsetDateTime,
    checked: &Checked,
) -> Result<(), StoreError> {
    connection.execute("begin").await?;
    let mut statements = Engine::Sqlite.statements(MIGRATIONS.first().copied().unwrap_or_default());
    statements.extend(Engine::Sqlite.statements(&migration()));
    for statement in statements {
        connection.execute(AssertSqlSafe(statement)).await?;
    }
    let mut pipe = Pipe::over(&mut *connection);
    let pipe = &mut pipe;
    if checked.views.contains("collections") || checked.views.contains("changes") {
        readings(pipe, store, micros(at)).await?;
    }
    if checked.views.contains("changes") {
        states(pipe, store, micros(at)).await?;
    }
    if checked.views.iter().any(|it| *it != "collections" && *it != "changes") {
        objects(pipe, store, at).await?;
    }
    pipe.idle().await?.execute("commit").await?;
    Ok(())
}

/// All readings by then, without what they told.
async fn readings(pipe: &mut Pipe<'_>, store: &Store, at: i64) -> Result<(), StoreError> {
    let rows =
        sqlx::query("select id, platform, connector from feeds").fetch_all(&store.pool).await?;
    let mut into = Rows::into("feeds", &["id", "platform", "connector"]);
    for row in rows {
        let (id, platform, connector) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let cells = [Cell::Int(id), Cell::Text(platform), Cell::Text(connector)];
        into.add(pipe, cells).await?;
    }
    into.finish(pipe).await?;
    let rows = sqlx::query(
        "select id, feed, observed, recorded, mapper, objects, source, observed_by, cast(case when is_delta then 1 else 0 end as bigint) from collections where observed <= $1",
    );
    let mut into = Rows::into(
        "collections",
        &[
            "id",
            "feed",
            "observed",
            "recorded",
            "mapper",
            "objects",
            "source",
            "observed_by",
            "is_delta",
            "head",
        ],
    );
    for row in rows.bind(at).fetch_all(&store.pool).await? {
        let mut cells = Vec::new();
        for number in 0..6 {
            cells.push(Cell::Int(row.try_get(number)?));
        }
        cells.push(Cell::Text(row.try_get(6)?));
        cells.push(Cell::Text(row.try_get(7)?));
        cells.push(Cell::Bool(row.try_get::<i64, _>(8)? != 0));
        cells.push(Cell::Bytes(Vec::new()));
        into.add(pipe, cells).await?;
    }
    into.finish(pipe).await
}

/// All states by then, without their bodies.
async fn states(pipe: &mut Pipe<'_>, store: &Store, at: i64) -> Result<(), StoreError> {
    let rows = sqlx::query(
        "select e.id, e.feed, e.incarnation, e.kind, e.name from entities e where exists (select 1 from versions v where v.entity = e.id and v.observed_from <= $1)",
    );
    let mut into =
        Rows::into("entities", &["id", "feed", "incarnation", "kind", "name", "identity"]);
    for row in rows.bind(at).fetch_all(&store.pool).await? {
        let cells = [
            Cell::Int(row.try_get(0)?),
            Cell::Int(row.try_get(1)?),
            Cell::Int(row.try_get(2)?),
            Cell::Text(row.try_get(3)?),
            Cell::Text(row.try_get(4)?),
            Cell::Text(String::new()),
        ];
        into.add(pipe, cells).await?;
    }
    into.finish(pipe).await?;
    let rows = sqlx::query(
        "select id, entity, observed_from, recorded, mapper, case when observed_to <= $1 then observed_to end from versions where observed_from <= $1",
    );
    let mut into = Rows::into(
        "versions",
        &["id", "entity", "observed_from", "recorded", "mapper", "observed_to", "hash", "body"],
    );
    for row in rows.bind(at).fetch_all(&store.pool).await? {
        let mut cells = Vec::new();
        for number in 0..5 {
            cells.push(Cell::Int(row.try_get(number)?));
        }
        cells.push(Cell::MaybeInt(row.try_get(5)?));
        cells.extend([Cell::Bytes(Vec::new()), Cell::Bytes(Vec::new())]);
        into.add(pipe, cells).await?;
    }
    into.finish(pipe).await
}

/// Everything that was there.
async fn objects(pipe: &mut Pipe<'_>, store: &Store, at: OffsetDateTime) -> Result<(), StoreError> {
    let feeds = feeds(store, micros(at)).await?;
    let collections = store.collections(AsOf::Time(at)).await?;
    let mut rivals = Vec::new();
    let mut entity = 0_i64;
    for (feed, collection) in feeds.iter().zip(collections) {
        if collection.source.connector != feed.connector {
            return Err(StoreError::Damaged(
                "an earlier reading arrived meanwhile: ask again".into(),
            ));
        }
        rivals.push(Rival {
            platform: feed.platform.clone(),
            feed: feed.id,
            observed: certainly_after(feed.observed, &feed.observed_by),
            connector: feed.connector.clone(),
            has_control: has_control_plane(&collection),
        });
        shown(pipe, feed, collection, &mut entity).await?;
    }
    let mut into = Rows::into("rivals", &["feed", "later", "has_control"]);
    for (feed, later, has_control) in later_rivals(&rivals) {
        let row = [Cell::Int(feed), Cell::Int(later), Cell::Bool(has_control)];
        into.add(pipe, row).await?;
    }
    into.finish(pipe).await
}

async fn feeds(store: &Store, at: i64) -> Result<Vec<Feed>, StoreError> {
    // In the order of `Store::collections`.
    let rows = sqlx::query(
        "select f.id, f.platform, f.connector, c.observed, c.observed_by from collections c join feeds f on f.id = c.feed where not c.is_delta and c.observed = (select max(observed) from collections where feed = c.feed and observed <= $1 and not is_delta) order by c.feed",
    );
    let mut feeds = Vec::new();
    for row in rows.bind(at).fetch_all(&store.pool).await? {
        feeds.push(Feed {
            id: row.try_get(0)?,
            platform: row.try_get(1)?,
            connector: row.try_get(2)?,
            observed: row.try_get(3)?,
            observed_by: row.try_get(4)?,
        });
    }
    Ok(feeds)
}

async fn shown(
    pipe: &mut Pipe<'_>,
    feed: &Feed,
    mut collection: Collection,
    entity: &mut i64,
) -> Result<(), StoreError> {
    let head = Head {
        source: collection.source.clone(),
        gaps: std::mem::take(&mut collection.gaps),
        findings: std::mem::take(&mut collection.findings),
    };
    head_rows(pipe, feed.id, &feed.platform, &head).await?;
    let mut current = Current::start(pipe.idle().await?, feed.id).await?;
    macro_rules! show {
        ($collection:expr, $type:ident, $($list:ident).+) => {
            if !<entente_model::$type as Noun>::tables().is_empty() {
                let nouns = std::mem::take(&mut $collection.$($list).+);
                let mut ready = Batches::new(nouns, Arc::new(Known::nothing()));
                while let Some(batch) = ready.next().await? {
                    for packed in batch {
                        *entity += 1;
                        let (rows, at) = (packed.sample_rows, feed.observed);
                        current.samples(pipe, *entity, at, rows).await?;
                        let Some(mut state) = packed.state else { continue };
                        current.replace(pipe, *entity, &mut state, false).await?;
                    }
                }
            }
        };
    }
    for_each_list!(collection, show);
    current.finish(pipe).await
}
