//! Who works on what: of several processes on one store, one at a time.

use std::time::Duration;

use sqlx::AssertSqlSafe;

use crate::database::{Engine, Store};
use crate::error::StoreError;

impl Engine {
    /// The store's own clock, in microseconds: those who share a lease need not agree on the time.
    fn now(self) -> &'static str {
        match self {
            Self::Sqlite => "cast((julianday('now') - 2440587.5) * 86400000000 as integer)",
            Self::Postgres => "cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)",
        }
    }
}

impl Store {
    /// Takes a lease, or keeps it for longer; false while somebody else has it.
    pub async fn lease(
        &self,
        name: &str,
        holder: &str,
        time: Duration,
    ) -> Result<bool, StoreError> {
        let now = self.engine.now();
        let statement = format!(
            "insert into leases (name, holder, until) values ($1, $2, {now} + $3) on conflict (name) do update set holder = excluded.holder, until = excluded.until where leases.holder = excluded.holder or leases.until <= {now}"
        );
        let taken = sqlx::query(AssertSqlSafe(statement))
            .bind(name.to_owned())
            .bind(holder.to_owned())
            .bind(i64::try_from(time.as_micros()).unwrap_or(i64::MAX))
            .execute(&self.pool)
            .await?;
        Ok(taken.rows_affected() == 1)
    }

    /// Gives a lease back, if it is the holder's.
    pub async fn release(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        let release = sqlx::query("delete from leases where name = $1 and holder = $2");
        release.bind(name.to_owned()).bind(holder.to_owned()).execute(&self.pool).await?;
        Ok(())
    }

    /// Who has which lease now.
    pub async fn leases(&self) -> Result<Vec<(String, String)>, StoreError> {
        let now = self.engine.now();
        let statement =
            format!("select name, holder from leases where until > {now} order by name");
        Ok(sqlx::query_as(AssertSqlSafe(statement)).fetch_all(&self.pool).await?)
    }
}
