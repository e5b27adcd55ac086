//! Two engines behind one door: the same tables, the same statements.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, Connection, Executor, Row};

use crate::error::StoreError;
use crate::pipe::Pipe;
use crate::point::patience;

/// One file each, in order; a store has seen the first so many of them.
pub(crate) const MIGRATIONS: &[&str] =
    &[include_str!("../migrations/0001.sql"), include_str!("../migrations/0002.sql")];

/// How long a writer waits for another one.
const BUSY: Duration = Duration::from_secs(30);

/// How long a server may take to answer at all.
const ANSWER: Duration = Duration::from_secs(10);

/// Connections at once.
const CONNECTIONS_MAX: u32 = 8;

/// Values in one statement: what both engines take, with room to spare.
const VALUES_MAX: usize = 8_000;

/// What an address of a file may not hold as it is.
const IN_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ');

/// Where a store is.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// One file, and what SQLite keeps beside it.
    File(PathBuf),
    /// `postgres://…`
    Postgres(String),
}

impl fmt::Display for Address {
    /// Without a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => {
                let after = url.rsplit('@').next().unwrap_or_default();
                let place = after.strip_prefix("postgres://").unwrap_or(after);
                write!(f, "postgres://{}", place.split('?').next().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which engine keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, within this program.
    Sqlite,
    /// PostgreSQL, 13 or newer.
    Postgres,
}

impl Engine {
    /// The statements of a migration, as this engine spells them.
    pub(crate) fn statements(self, migration: &str) -> Vec<String> {
        let statements = self.spelled(migration);
        statements.split(";\n").filter(|it| has_words(it)).map(str::to_owned).collect()
    }

    fn spelled(self, statement: &str) -> String {
        let words = match self {
            Self::Sqlite => [
                ("{id}", "integer primary key"),
                ("{bytes}", "blob"),
                ("{text_key}", "text"),
                ("{word}", "text"),
                ("{rowid}", " without rowid"),
                ("{time:", "strftime('%Y-%m-%dT%H:%M:%SZ', "),
                (":time}", " / 1000000, 'unixepoch')"),
            ],
            Self::Postgres => [
                ("{id}", "bigint primary key"),
                ("{bytes}", "bytea"),
                ("{text_key}", "text"),
                // Compared byte by byte, as SQLite does.
                ("{word}", "text collate \"C\""),
                ("{rowid}", ""),
                ("{time:", "to_char(to_timestamp("),
                (
                    ":time}",
                    " / 1000000) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') collate \"C\"",
                ),
            ],
        };
        words.iter().fold(statement.to_owned(), |it, (word, sql)| it.replace(word, sql))
    }
}

/// A store that is open.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) pool: AnyPool,
    /// Which engine keeps it.
    pub engine: Engine,
    /// Where it is.
    pub address: Address,
}

impl Store {
    /// Opens a store; makes it if there is none, brings it up to date if it is older.
    pub async fn open(address: &Address) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let refused = |reason| StoreError::Open { address: address.to_string(), reason };
        let (engine, url) = match address {
            Address::File(path) => (Engine::Sqlite, file_url(path)),
            Address::Postgres(url) => (Engine::Postgres, url.clone()),
        };
        try_connection(&url, engine).await.map_err(refused)?;
        let pool = AnyPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .acquire_timeout(patience(BUSY))
            .after_connect(move |connection, _| Box::pin(prepare(connection, engine)))
            .connect(&url)
            .await
            .map_err(refused)?;
        let store = Self { pool, engine, address: address.clone() };
        match store.migrate().await {
            Err(StoreError::Database(reason)) if is_forbidden(&reason) => Err(refused(reason)),
            outcome => outcome.map(|()| store),
        }
    }

    /// Brings the schema up to date, each step whole or not at all.
    async fn migrate(&self) -> Result<(), StoreError> {
        let known = MIGRATIONS.len() as i64;
        let newer =
            |found| Err(StoreError::Newer { address: self.address.to_string(), found, known });
        // Whoever only reads is not kept waiting by whoever writes.
        let found = schema(&mut *self.pool.acquire().await?, self.engine).await?;
        if found >= known {
            return if found > known { newer(found) } else { Ok(()) };
        }
        let mut transaction = self.begin().await?;
        // Somebody else may have done it meanwhile.
        let found = schema(&mut transaction, self.engine).await?;
        if found > known {
            return newer(found);
        }
        let first = usize::try_from(found).unwrap_or_default();
        for migration in MIGRATIONS.get(first..).unwrap_or_default() {
            for statement in self.engine.statements(migration) {
                sqlx::query(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
                crate::point::reached("schema");
            }
        }
        if found == 1 {
            crate::write::refill(&mut transaction).await?;
        }
        if found < known {
            let forget = sqlx::query("delete from meta where name = 'schema'");
            forget.execute(&mut *transaction).await?;
            let remember = sqlx::query("insert into meta (name, value) values ('schema', $1)");
            remember.bind(known.to_string()).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// A transaction that writes: no other one writes at the same time.
    pub(crate) async fn begin(&self) -> Result<sqlx::Transaction<'static, Any>, StoreError> {
        match self.engine {
            Engine::Sqlite => Ok(self.pool.begin_with("begin immediate").await?),
            Engine::Postgres => {
                let mut transaction = self.pool.begin().await?;
                // One writer at a time, as in SQLite; readers are not kept waiting.
                let lock = sqlx::query("select pg_advisory_xact_lock(7305808895)");
                lock.execute(&mut *transaction).await?;
                Ok(transaction)
            }
        }
    }

    /// Ends all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// One connection by itself: a pool tries again and again, and forgets why it did not succeed.
async fn try_connection(url: &str, engine: Engine) -> Result<(), sqlx::Error> {
    let connecting = tokio::time::timeout(ANSWER, AnyConnection::connect(url));
    let mut connection = connecting.await.unwrap_or_else(|_| {
        let waited = format!("it did not answer within {} s", ANSWER.as_secs());
        Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, waited)))
    })?;
    prepare(&mut connection, engine).await?;
    connection.close().await
}

/// Whether this account, or this file, may be read alone.
fn is_forbidden(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|it| it.code());
    // SQLITE_READONLY and its kin; insufficient_privilege, read_only_sql_transaction
    matches!(
        code.as_deref(),
        Some("8" | "264" | "520" | "776" | "1032" | "1288" | "1544" | "42501" | "25006")
    )
}

fn file_url(path: &Path) -> String {
    format!("sqlite://{}?mode=rwc", utf8_percent_encode(&path.to_string_lossy(), IN_PATH))
}

fn has_words(statement: &str) -> bool {
    statement.lines().any(|it| !it.trim().is_empty() && !it.trim_start().starts_with("--"))
}

/// What each connection is told first.
async fn prepare(connection: &mut AnyConnection, engine: Engine) -> Result<(), sqlx::Error> {
    let wait = patience(BUSY).as_millis();
    let wait = match engine {
        Engine::Sqlite => format!("pragma busy_timeout = {wait}"),
        Engine::Postgres => format!("set lock_timeout = {wait}"),
    };
    connection.execute(AssertSqlSafe(wait)).await?;
    let settings: &[&str] = match engine {
        Engine::Sqlite => &[
            // Of a new store: most bodies fit into one page.
            "pragma page_size = 16384",
            "pragma journal_mode = wal",
            // A collection that was told to be written is there after a power failure, too.
            "pragma synchronous = full",
            "pragma temp_store = memory",
            "pragma cache_size = -65536",
        ],
        Engine::Postgres => &["set timezone = 'UTC'"],
    };
    for setting in settings {
        connection.execute(*setting).await?;
    }
    Ok(())
}

/// How many migrations a store has seen.
async fn schema(connection: &mut AnyConnection, engine: Engine) -> Result<i64, StoreError> {
    let there = match engine {
        Engine::Sqlite => {
            "select count(*) from sqlite_master where type = 'table' and name = 'meta'"
        }
        Engine::Postgres => {
            "select count(*) from information_schema.tables where table_schema = current_schema() and table_name = 'meta'"
        }
    };
    let there: i64 = sqlx::query_scalar(there).fetch_one(&mut *connection).await?;
    if there == 0 {
        return Ok(0);
    }
    let told = sqlx::query("select value from meta where name = 'schema'");
    let Some(row) = told.fetch_optional(&mut *connection).await? else { return Ok(0) };
    let value: String = row.try_get(0)?;
    value.parse().map_err(|_| StoreError::Damaged(format!("its schema is `{value}`")))
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Int(i64),
    MaybeInt(Option<i64>),
    Bool(bool),
    MaybeBool(Option<bool>),
    Text(String),
    MaybeText(Option<String>),
    Bytes(Vec<u8>),
}

/// Rows that go into one table, many in one statement.
pub(crate) struct Rows {
    /// `insert into t (a, b)`
    head: String,
    /// ` on conflict …`
    tail: String,
    columns: usize,
    waiting: Vec<Cell>,
    full: String,
}

impl Rows {
    pub fn into(table: &str, columns: &[&str]) -> Self {
        Self::or(table, columns, "")
    }

    pub fn or(table: &str, columns: &[&str], tail: &str) -> Self {
        let head = format!("insert into {table} ({}) values ", columns.join(", "));
        Self {
            head,
            tail: tail.to_owned(),
            columns: columns.len(),
            waiting: Vec::new(),
            full: String::new(),
        }
    }

    fn rows_max(&self) -> usize {
        (VALUES_MAX / self.columns.max(1)).clamp(1, 500)
    }

    /// SQLite looks a numbered mark up among all others of the statement: with thousands, that is most of
    /// the work.
    fn statement(&self, rows: usize, is_numbered: bool) -> String {
        let mut statement = self.head.clone();
        let mut number = 0;
        for row in 0..rows {
            statement.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..self.columns {
                number += 1;
                if column > 0 {
                    statement.push_str(", ");
                }
                match is_numbered {
                    true => statement.push_str(&format!("${number}")),
                    false => statement.push('?'),
                }
            }
            statement.push(')');
        }
        statement.push_str(&self.tail);
        statement
    }

    pub async fn add(
        &mut self,
        pipe: &mut Pipe<'_>,
        row: impl IntoIterator<Item = Cell>,
    ) -> Result<(), StoreError> {
        self.waiting.extend(row);
        if self.waiting.len() >= self.rows_max() * self.columns {
            if self.full.is_empty() {
                self.full = self.statement(self.rows_max(), pipe.is_numbered);
            }
            let cells = Vec::with_capacity(self.waiting.len());
            let cells = std::mem::replace(&mut self.waiting, cells);
            pipe.start(self.full.clone(), cells, true).await?;
        }
        Ok(())
    }

    /// Writes what waits, and waits until it is written.
    pub async fn finish(mut self, pipe: &mut Pipe<'_>) -> Result<(), StoreError> {
        self.flush(pipe).await?;
        pipe.idle().await?;
        Ok(())
    }

    /// Begins to write what waits.
    pub async fn flush(&mut self, pipe: &mut Pipe<'_>) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let rows = self.waiting.len() / self.columns.max(1);
        let statement = self.statement(rows, pipe.is_numbered);
        pipe.start(statement, std::mem::take(&mut self.waiting), false).await
    }
}
