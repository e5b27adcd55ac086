//! Asks SQLite: a connection that can only read, stopped when its time is over.

use std::time::Instant;

use futures_util::TryStreamExt;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Connection, Executor, Row, TypeInfo, ValueRef};

use super::error::QueryError;
use super::{Datum, QueryLimits, QueryResult, Reached};
use crate::database::{Address, Store};
use crate::error::StoreError;

/// Steps of SQLite between two looks at the clock.
const STEPS: i32 = 2_000;

/// What a connection for queries is told first.
const SETTINGS: &[&str] = &[
    "pragma busy_timeout = 30000",
    "pragma query_only = on",
    "pragma trusted_schema = off",
    // As PostgreSQL does.
    "pragma case_sensitive_like = on",
    // What is sorted and does not fit goes to files: memory is held to the cache.
    "pragma temp_store = file",
    "pragma cache_size = -65536",
];

/// Gathers rows until a limit is reached.
pub(super) struct Answer<'l> {
    limits: &'l QueryLimits,
    bytes: u64,
    pub result: QueryResult,
}

impl<'l> Answer<'l> {
    pub fn new(limits: &'l QueryLimits) -> Self {
        let result = QueryResult {
            columns: Vec::new(),
            rows: Vec::new(),
            truncated: None,
            notes: Vec::new(),
        };
        Self { limits, bytes: 0, result }
    }

    /// Takes a row; says whether there is room for another one.
    pub fn take(&mut self, row: Vec<Datum>) -> bool {
        let QueryLimits { rows, bytes, .. } = *self.limits;
        self.bytes += row.iter().map(Datum::bytes).sum::<u64>();
        if self.result.rows.len() >= usize::try_from(rows).unwrap_or(usize::MAX) {
            self.result.truncated = Some(Reached::Rows(rows));
        } else if self.bytes > bytes {
            self.result.truncated = Some(Reached::Bytes(bytes));
        } else {
            self.result.rows.push(row);
        }
        self.result.truncated.is_none()
    }
}

/// Asks the file of a store.
pub(super) async fn ask_file(
    store: &Store,
    sql: &str,
    limits: &QueryLimits,
) -> Result<QueryResult, QueryError> {
    let Address::File(path) = &store.address else {
        return Err(StoreError::Damaged("a file that is no file".into()).into());
    };
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let mut connection = options.disable_statement_logging().connect().await?;
    let answer = ask(&mut connection, sql, limits).await;
    connection.close_hard().await?;
    answer
}

/// Asks over a connection, which is of no use afterwards.
pub(super) async fn ask(
    connection: &mut SqliteConnection,
    sql: &str,
    limits: &QueryLimits,
) -> Result<QueryResult, QueryError> {
    for setting in SETTINGS {
        connection.execute(*setting).await?;
    }
    if let Some(bytes) = limits.process_memory_bytes {
        let setting = format!("pragma hard_heap_limit = {bytes}");
        connection.execute(AssertSqlSafe(setting)).await?;
    }
    let begun = Instant::now();
    let time = limits.time;
    connection.lock_handle().await?.set_progress_handler(STEPS, move || begun.elapsed() < time);
    let mut answer = Answer::new(limits);
    let mut rows = sqlx::query(AssertSqlSafe(sql.to_owned())).persistent(false).fetch(connection);
    loop {
        match rows.try_next().await {
            Ok(None) => break,
            Ok(Some(row)) => {
                if answer.result.columns.is_empty() {
                    let names = row.columns().iter().map(|it| it.name().to_owned());
                    answer.result.columns = names.collect();
                }
                if !answer.take(datums(&row)?) {
                    break;
                }
            }
            Err(error) => {
                answer.result.truncated = Some(reached(&error, limits).ok_or(error)?);
                break;
            }
        }
    }
    Ok(answer.result)
}

/// The limit that an error stands for: SQLITE_INTERRUPT, SQLITE_NOMEM.
fn reached(error: &sqlx::Error, limits: &QueryLimits) -> Option<Reached> {
    let code = error.as_database_error()?.code()?;
    match code.as_ref() {
        "9" => Some(Reached::Time(limits.time)),
        "7" => Some(Reached::Memory),
        _ => None,
    }
}

fn datums(row: &SqliteRow) -> Result<Vec<Datum>, sqlx::Error> {
    let mut all = Vec::with_capacity(row.len());
    for (number, column) in row.columns().iter().enumerate() {
        let value = row.try_get_raw(number)?;
        let datum = match value.is_null() {
            true => Datum::Null,
            false => match (value.type_info().name(), column.type_info().name()) {
                ("INTEGER" | "BOOLEAN", "BOOLEAN") => {
                    Datum::Boolean(row.try_get_unchecked::<i64, _>(number)? != 0)
                }
                ("INTEGER" | "BOOLEAN", _) => Datum::Integer(row.try_get_unchecked(number)?),
                ("REAL", _) => Datum::Real(row.try_get_unchecked(number)?),
                _ => Datum::Text(row.try_get_unchecked(number)?),
            },
        };
        all.push(datum);
    }
    Ok(all)
}
