//! SQL over the estate: one `select` over documented views, and nothing else.
//!
//! `guard` reads a query, refuses what it does not know and writes it anew; `run` asks the database over
//! a connection that can only read; `as_of` fills the same tables with what was known at another time.
//! What the views hold is in [`crate::tables`], and in `docs/sql.md`, which is made from there.

mod as_of;
mod error;
mod examples;
mod expression;
mod findings;
mod function;
mod guard;
mod place;
mod postgres;
mod print;
mod run;
mod search;
mod table;
#[cfg(test)]
mod tests;
mod views;
mod words;

use std::time::Duration;

use entente_model::Finding;
use time::OffsetDateTime;

use crate::database::Store;
use crate::read::AsOf;

pub use error::{Position, QueryError};
pub use examples::{Example, examples};
pub use search::Hit;
pub(crate) use search::normal;
pub use views::{View, ViewColumn, catalogue, page};

use guard::{Target, Terms};

/// How much a query may take.
#[derive(Clone, Copy, Debug)]
pub struct QueryLimits {
    /// Rows of the answer.
    pub rows: u32,
    /// Bytes of the answer.
    pub bytes: u64,
    /// Time for it.
    pub time: Duration,
    /// Memory that SQLite may take in this whole process, for one that does nothing else: it stays so until
    /// the process ends. Without it, SQLite is held to its cache and puts the rest into files.
    pub process_memory_bytes: Option<u64>,
    /// What `now()` is, where the latest is asked for.
    pub now: OffsetDateTime,
}

impl QueryLimits {
    /// The usual ones.
    pub fn usual(now: OffsetDateTime) -> Self {
        Self {
            rows: 100_000,
            bytes: 64 << 20,
            time: Duration::from_secs(30),
            process_memory_bytes: None,
            now,
        }
    }
}

/// One value of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// None.
    Null,
    /// True or false, where a column says so; a comparison may be 1 or 0 instead.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Real(f64),
    /// Text.
    Text(String),
}

impl Datum {
    /// What it takes in an answer.
    fn bytes(&self) -> u64 {
        match self {
            Self::Text(text) => u64::try_from(text.len()).unwrap_or(u64::MAX),
            _ => 8,
        }
    }
}

/// Which limit an answer reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// There are more rows than this.
    Rows(u32),
    /// The answer is longer than this.
    Bytes(u64),
    /// It would take longer than this.
    Time(Duration),
    /// It would take more memory than this.
    Memory,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryResult {
    /// What its columns are called; empty where the time ended before the first row.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<Datum>>,
    /// Why rows are missing, if so: those that are there are right, but for sums over them.
    pub truncated: Option<Reached>,
    /// What a person should know of how it was asked.
    pub notes: Vec<String>,
}

impl Store {
    /// Asks for what was known as of a time.
    pub async fn query(
        &self,
        sql: &str,
        as_of: AsOf,
        limits: &QueryLimits,
    ) -> Result<QueryResult, QueryError> {
        self.query_with(sql, as_of, limits, &[]).await
    }

    /// The same, with findings of several readers at once beside those of each.
    pub async fn query_with(
        &self,
        sql: &str,
        as_of: AsOf,
        limits: &QueryLimits,
        findings: &[Finding],
    ) -> Result<QueryResult, QueryError> {
        let (target, now) = match as_of {
            AsOf::Latest => (Target::from(self.engine), limits.now),
            AsOf::Time(at) => (Target::Sqlite, at),
        };
        let rows_max = Some(u64::from(limits.rows) + 1);
        let has_findings = !findings.is_empty();
        let mut checked = guard::check(sql, Terms { target, now, rows_max, has_findings })?;
        if has_findings && checked.views.contains("findings") {
            checked.sql = findings::with(&checked.sql, findings);
        }
        match (as_of, target) {
            (AsOf::Time(at), _) => as_of::ask(self, at, &checked, limits).await,
            (AsOf::Latest, Target::Postgres) => postgres::ask(self, &checked.sql, limits).await,
            (AsOf::Latest, _) => run::ask_file(self, &checked.sql, limits).await,
        }
    }
}

impl From<crate::database::Engine> for Target {
    fn from(engine: crate::database::Engine) -> Self {
        match engine {
            crate::database::Engine::Sqlite => Self::Sqlite,
            crate::database::Engine::Postgres => Self::Postgres,
        }
    }
}
