//! Looking after a store: how large it is, whether it holds together, copies of it.

use std::path::Path;

use futures_util::TryStreamExt;
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};
use time::OffsetDateTime;

use crate::body::{decompress, hash};
use crate::database::{Address, Cell, Engine, Rows, Store};
use crate::error::StoreError;
use crate::pipe::Pipe;
use crate::write::refill;

/// Mistakes that are told one by one.
const MISTAKES_MAX: usize = 100;

/// What stands in a column.
#[derive(Clone, Copy)]
enum Column {
    Int(&'static str),
    Bool(&'static str),
    Text(&'static str),
    Bytes(&'static str),
}

use Column::{Bool, Bytes, Int, Text as Words};

impl Column {
    fn name(self) -> &'static str {
        match self {
            Int(name) | Bool(name) | Words(name) | Bytes(name) => name,
        }
    }

    /// How it is asked for: the interface for both engines reads no truth values.
    fn asked(self) -> String {
        match self {
            Bool(name) => format!("cast(case when {name} then 1 else 0 end as bigint)"),
            other => other.name().to_owned(),
        }
    }

    fn cell(self, row: &AnyRow, position: usize) -> Result<Cell, StoreError> {
        Ok(match self {
            Int(_) => Cell::MaybeInt(row.try_get(position)?),
            Bool(_) => Cell::Bool(row.try_get::<i64, _>(position)? != 0),
            Words(_) => Cell::Text(row.try_get(position)?),
            Bytes(_) => Cell::Bytes(row.try_get(position)?),
        })
    }
}

/// What a copy holds: all but what can be made again from it.
const TABLES: &[(&str, &[Column])] = &[
    ("feeds", &[Int("id"), Words("platform"), Words("connector")]),
    (
        "collections",
        &[
            Int("id"),
            Int("feed"),
            Words("source"),
            Int("observed"),
            Words("observed_by"),
            Int("recorded"),
            Int("mapper"),
            Int("objects"),
            Bool("is_delta"),
            Bytes("head"),
        ],
    ),
    ("incomplete", &[Int("collection"), Words("kind"), Words("reason")]),
    ("sightings", &[Int("collection"), Int("entity")]),
    ("removals", &[Int("collection"), Words("kind"), Words("name")]),
    (
        "entities",
        &[
            Int("id"),
            Int("feed"),
            Words("kind"),
            Words("name"),
            Int("incarnation"),
            Words("identity"),
        ],
    ),
    (
        "versions",
        &[
            Int("id"),
            Int("entity"),
            Int("observed_from"),
            Int("observed_to"),
            Int("recorded"),
            Int("mapper"),
            Bytes("hash"),
            Bytes("body"),
        ],
    ),
    (
        "decisions",
        &[
            Int("id"),
            Words("choice"),
            Words("a"),
            Words("b"),
            Words("decided_by"),
            Int("decided_at"),
            Words("reason"),
        ],
    ),
    ("samples", &[Int("collection"), Words("kind"), Int("chunk"), Bytes("body")]),
];

/// How large a store is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Bytes on disk, or in the database.
    pub bytes: u64,
    /// Rows of each table.
    pub rows: Vec<(&'static str, u64)>,
    /// First reading that it remembers.
    #[serde(with = "time::serde::rfc3339::option")]
    pub first: Option<OffsetDateTime>,
    /// Latest reading.
    #[serde(with = "time::serde::rfc3339::option")]
    pub latest: Option<OffsetDateTime>,
}

impl Store {
    /// How large it is.
    pub async fn stats(&self) -> Result<Stats, StoreError> {
        let mut rows = Vec::new();
        for (table, _) in TABLES {
            rows.push((*table, self.count(&format!("select count(*) from {table}")).await?));
        }
        let bytes = match self.engine {
            Engine::Sqlite => {
                "select page_count * page_size from pragma_page_count(), pragma_page_size()"
            }
            Engine::Postgres => "select pg_database_size(current_database())",
        };
        let times = sqlx::query("select min(observed), max(observed) from collections");
        let times = times.fetch_one(&self.pool).await?;
        let time = |position: usize| -> Result<Option<OffsetDateTime>, StoreError> {
            Ok(times.try_get::<Option<i64>, _>(position)?.map(crate::read::moment))
        };
        Ok(Stats { bytes: self.count(bytes).await?, rows, first: time(0)?, latest: time(1)? })
    }

    async fn count(&self, statement: &str) -> Result<u64, StoreError> {
        let count = sqlx::query_scalar(AssertSqlSafe(statement.to_owned()));
        let count: i64 = count.fetch_one(&self.pool).await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Whether it holds together; what does not is told, up to a hundred of it.
    pub async fn check(&self) -> Result<Vec<String>, StoreError> {
        let mut mistakes = Vec::new();
        if self.engine == Engine::Sqlite {
            let rows = sqlx::query_scalar("pragma integrity_check(20)");
            let told: Vec<String> = rows.fetch_all(&self.pool).await?;
            mistakes.extend(told.into_iter().filter(|it| it != "ok"));
        }
        for (what, statement) in [
            (
                "states of things that are not there",
                "select count(*) from versions v left join entities e on e.id = v.entity where e.id is null",
            ),
            (
                "things of readings that are not there",
                "select count(*) from entities e left join feeds f on f.id = e.feed where f.id is null",
            ),
            (
                "readings of platforms that are not there",
                "select count(*) from collections c left join feeds f on f.id = c.feed where f.id is null",
            ),
            (
                "samples of readings that are not there",
                "select count(*) from samples s left join collections c on c.id = s.collection where c.id is null",
            ),
            (
                "sightings of things that are not there",
                "select count(*) from sightings s left join entities e on e.id = s.entity where e.id is null",
            ),
            (
                "things without a state",
                "select count(*) from entities e left join versions v on v.entity = e.id where v.id is null",
            ),
        ] {
            let count = self.count(statement).await?;
            if count > 0 {
                mistakes.push(format!("{count} {what}"));
            }
        }
        self.check_states(&mut mistakes).await?;
        Ok(mistakes)
    }

    /// States of one thing follow each other, each as it was written.
    async fn check_states(&self, mistakes: &mut Vec<String>) -> Result<(), StoreError> {
        let mut rows = sqlx::query(
            "select id, entity, observed_from, observed_to, hash, body from versions order by entity, observed_from",
        )
        .fetch(&self.pool);
        let mut before: Option<(i64, Option<i64>)> = None;
        while let Some(row) = rows.try_next().await? {
            let (id, entity, from): (i64, i64, i64) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let to: Option<i64> = row.try_get(3)?;
            let (told, body): (Vec<u8>, Vec<u8>) = (row.try_get(4)?, row.try_get(5)?);
            let overlaps =
                before.is_some_and(|(it, end)| it == entity && end.is_none_or(|end| end > from));
            if overlaps || to.is_some_and(|to| to <= from) {
                mistakes.push(format!(
                    "state {id} of thing {entity} overlaps another, or ends before it begins"
                ));
            }
            if decompress(&body).map(|json| hash(&json).to_vec()).ok() != Some(told) {
                mistakes.push(format!("state {id} of thing {entity} is not what was written"));
            }
            if mistakes.len() >= MISTAKES_MAX {
                mistakes.push("and more".into());
                return Ok(());
            }
            before = Some((entity, to));
        }
        Ok(())
    }

    /// Writes a copy, consistent whatever goes on meanwhile: a store of its own, in one file.
    pub async fn backup(&self, path: &Path) -> Result<(), StoreError> {
        refuse_existing(path)?;
        let part = path.with_extension("part");
        let outcome = async {
            let copy = Self::open(&Address::File(part.clone())).await?;
            let outcome = self.copy_into(&copy).await;
            copy.settle().await?;
            copy.close().await;
            outcome
        };
        let outcome = outcome.await;
        for beside in ["-wal", "-shm"] {
            let mut name = part.clone().into_os_string();
            name.push(beside);
            let _ = std::fs::remove_file(name);
        }
        match outcome {
            Ok(()) => std::fs::rename(&part, path).map_err(|reason| StoreError::File {
                what: format!("the copy cannot be named `{}`", path.display()),
                reason,
            }),
            Err(error) => {
                let _ = std::fs::remove_file(&part);
                Err(error)
            }
        }
    }

    /// Fills this store, which must be empty, from a copy.
    pub async fn restore(&self, path: &Path) -> Result<(), StoreError> {
        if let Err(reason) = std::fs::metadata(path) {
            return Err(StoreError::File { what: format!("`{}`", path.display()), reason });
        }
        if self.count("select count(*) from collections").await? > 0 {
            return Err(StoreError::NotEmpty { address: self.address.to_string() });
        }
        let copy = Self::open(&Address::File(path.to_owned())).await?;
        let outcome = copy.copy_into(self).await;
        copy.close().await;
        outcome
    }

    /// All rows, as of one moment, in one transaction.
    async fn copy_into(&self, other: &Self) -> Result<(), StoreError> {
        let mut from = self.pool.acquire().await?;
        let begin = match self.engine {
            Engine::Sqlite => "begin",
            Engine::Postgres => "begin isolation level repeatable read read only",
        };
        let mut from = from.begin_with(begin).await?;
        let mut to = other.begin().await?;
        for (table, columns) in TABLES {
            copy_table(&mut from, &mut to, table, columns).await?;
        }
        refill(&mut to).await?;
        to.commit().await?;
        Ok(from.rollback().await?)
    }

    /// Leaves one file, with nothing beside it.
    pub(crate) async fn settle(&self) -> Result<(), StoreError> {
        if self.engine == Engine::Sqlite {
            sqlx::query("pragma wal_checkpoint(truncate)").fetch_all(&self.pool).await?;
        }
        Ok(())
    }
}

fn refuse_existing(path: &Path) -> Result<(), StoreError> {
    match path.try_exists() {
        Ok(false) => Ok(()),
        Ok(true) => Err(StoreError::File {
            what: format!("`{}` is there already", path.display()),
            reason: std::io::ErrorKind::AlreadyExists.into(),
        }),
        Err(reason) => Err(StoreError::File { what: format!("`{}`", path.display()), reason }),
    }
}

async fn copy_table(
    from: &mut AnyConnection,
    to: &mut AnyConnection,
    table: &str,
    columns: &[Column],
) -> Result<(), StoreError> {
    let names: Vec<&str> = columns.iter().map(|it| it.name()).collect();
    let asked: Vec<String> = columns.iter().map(|it| it.asked()).collect();
    let statement = format!("select {} from {table}", asked.join(", "));
    let mut rows = sqlx::query(AssertSqlSafe(statement)).fetch(from);
    let mut copy = Rows::into(table, &names);
    let mut pipe = Pipe::over(to);
    while let Some(row) = rows.try_next().await? {
        let cells: Result<Vec<Cell>, StoreError> = columns
            .iter()
            .enumerate()
            .map(|(position, column)| column.cell(&row, position))
            .collect();
        copy.add(&mut pipe, cells?).await?;
    }
    copy.finish(&mut pipe).await
}
