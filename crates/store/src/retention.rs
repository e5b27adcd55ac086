//! What may go goes: states that ended long ago, samples of old days, what they leave behind.
//!
//! In transactions of a few rows each, so that whoever reads platforms meanwhile waits for one of them at
//! most. What is so now is never touched.

use serde::Serialize;
use sqlx::{AnyConnection, AssertSqlSafe};
use time::OffsetDateTime;

use crate::database::{Engine, Store};
use crate::error::StoreError;
use crate::samples::forget;
use crate::write::micros;

/// States that go in one transaction.
const STATES_AT_ONCE: i64 = 2_000;

/// Readings of which sightings go in one transaction.
const READINGS_AT_ONCE: i64 = 500;

/// What is kept, and what may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// States that ended before this go; all stay without it.
    pub states_before: Option<OffsetDateTime>,
    /// Daily samples before this go.
    pub samples_before: Option<OffsetDateTime>,
}

/// What went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// States.
    pub states: u64,
    /// Rows of daily samples, of a thousand things each.
    pub samples: u64,
    /// Things of which no state is left.
    pub things: u64,
    /// There is more that may go: the limit of rows was reached.
    pub is_more: bool,
}

impl Store {
    /// Throws away what the policy lets go, and gives the room back.
    pub async fn compact(&self, keep: Retention) -> Result<Compacted, StoreError> {
        let gone = self.let_go(keep, u64::MAX).await?;
        // Not within a transaction, by either engine's rules.
        let vacuum = match self.engine {
            Engine::Sqlite => "vacuum",
            Engine::Postgres => "vacuum (analyze)",
        };
        sqlx::query(vacuum).execute(&self.pool).await?;
        self.settle().await?;
        Ok(gone)
    }

    /// Throws away what the policy lets go, up to about so many rows; the room is used again, not given
    /// back.
    pub async fn let_go(&self, keep: Retention, rows_max: u64) -> Result<Compacted, StoreError> {
        let mut gone = Compacted::default();
        if let Some(before) = keep.samples_before.map(micros) {
            let mut transaction = self.begin().await?;
            gone.samples = forget(&mut transaction, before).await?;
            transaction.commit().await?;
        }
        if let Some(before) = keep.states_before.map(micros) {
            // First: a thing whose states all ended by then was not seen since.
            self.readings_go(before, rows_max, &mut gone).await?;
            if !gone.is_more {
                self.states_go(before, rows_max, &mut gone).await?;
            }
        }
        Ok(gone)
    }

    /// States that ended by then, the oldest first, with the things of which none is left.
    async fn states_go(
        &self,
        before: i64,
        rows_max: u64,
        gone: &mut Compacted,
    ) -> Result<(), StoreError> {
        loop {
            let mut transaction = self.begin().await?;
            let ended = sqlx::query_as(
                "select id, entity from versions where observed_to <= $1 order by observed_to limit $2",
            );
            let ended = ended.bind(before).bind(STATES_AT_ONCE);
            let ended: Vec<(i64, i64)> = ended.fetch_all(&mut *transaction).await?;
            if ended.is_empty() {
                return Ok(());
            }
            if gone.states >= rows_max {
                gone.is_more = true;
                return Ok(());
            }
            let states = list(ended.iter().map(|it| it.0));
            gone.states += remove(&mut transaction, "versions where id", &states, "").await?;
            let things = list(ended.iter().map(|it| it.1));
            let stateless =
                " and not exists (select 1 from versions v where v.entity = entities.id)";
            gone.things +=
                remove(&mut transaction, "entities where id", &things, stateless).await?;
            transaction.commit().await?;
        }
    }

    /// What readings before a time saw although they were not whole: nothing that arrives late is held
    /// against it any more. Deltas are nothing beyond that.
    async fn readings_go(
        &self,
        before: i64,
        rows_max: u64,
        gone: &mut Compacted,
    ) -> Result<(), StoreError> {
        let mut removed = 0;
        loop {
            let mut transaction = self.begin().await?;
            let old = sqlx::query_scalar(
                "select c.id from collections c where c.observed < $1 and (c.is_delta or exists (select 1 from sightings s where s.collection = c.id)) order by c.observed limit $2",
            );
            let old = old.bind(before).bind(READINGS_AT_ONCE);
            let old: Vec<i64> = old.fetch_all(&mut *transaction).await?;
            if old.is_empty() {
                return Ok(());
            }
            if removed >= rows_max {
                gone.is_more = true;
                return Ok(());
            }
            let old = list(old.into_iter());
            removed += remove(&mut transaction, "sightings where collection", &old, "").await?;
            removed += remove(&mut transaction, "removals where collection", &old, "").await?;
            let of_delta = " and exists (select 1 from collections c where c.id = samples.collection and c.is_delta)";
            removed += remove(&mut transaction, "samples where collection", &old, of_delta).await?;
            removed +=
                remove(&mut transaction, "collections where id", &old, " and is_delta").await?;
            transaction.commit().await?;
        }
    }
}

fn list(ids: impl Iterator<Item = i64>) -> String {
    ids.map(|it| it.to_string()).collect::<Vec<_>>().join(", ")
}

/// Rows of which a column is one of these numbers.
async fn remove(
    connection: &mut AnyConnection,
    from: &str,
    ids: &str,
    and: &str,
) -> Result<u64, StoreError> {
    let statement = format!("delete from {from} in ({ids}){and}");
    let removed = sqlx::query(AssertSqlSafe(statement)).persistent(false);
    Ok(removed.execute(connection).await?.rows_affected())
}
