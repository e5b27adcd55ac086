//! The lives of workloads: from when to when each was seen, as what; and what people decided about them.

use entente_model::{SourceId, Workload};
use sqlx::Row;
use time::OffsetDateTime;

use crate::body::unpack;
use crate::database::{Cell, Rows, Store};
use crate::error::StoreError;
use crate::pipe::Pipe;
use crate::read::moment;
use crate::write::micros;

/// One workload as one connector saw it on one platform, from the first time to the last.
#[derive(Clone, Debug)]
pub struct Life {
    /// The platform.
    pub platform: String,
    /// Name of the connector.
    pub connector: String,
    /// Which life of this id on the platform: ids are given again.
    pub incarnation: i64,
    /// When it was first seen.
    pub first: OffsetDateTime,
    /// The first reading that did not see it any more; none while it is there.
    pub ended: Option<OffsetDateTime>,
    /// The latest reading of the platform by this connector.
    pub latest_reading: OffsetDateTime,
    /// As it was last seen, without what moves by itself.
    pub workload: Workload,
}

/// What a person decided about two lives, by whatever names the caller knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// `link` or `unlink`.
    pub choice: String,
    /// The one.
    pub a: String,
    /// The other.
    pub b: String,
    /// Who decided.
    pub by: String,
    /// When.
    pub at: OffsetDateTime,
    /// Why.
    pub reason: String,
}

impl Store {
    /// All lives of workloads, gone ones included.
    pub async fn lives(&self) -> Result<Vec<Life>, StoreError> {
        let rows = sqlx::query(
            "select f.platform, f.connector, e.incarnation, (select min(observed_from) from versions where entity = e.id), v.observed_to, (select max(observed) from collections where feed = f.id), v.body from entities e join feeds f on f.id = e.feed join versions v on v.id = (select id from versions where entity = e.id order by observed_from desc limit 1) where e.kind = 'workloads' order by e.id",
        )
        .fetch_all(&self.pool)
        .await?;
        let life = |row: &sqlx::any::AnyRow| -> Result<Life, StoreError> {
            let platform: String = row.try_get(0)?;
            let source: SourceId = platform
                .parse()
                .map_err(|_| StoreError::Damaged(format!("`{platform}` is no platform")))?;
            let body: Vec<u8> = row.try_get(6)?;
            Ok(Life {
                connector: row.try_get(1)?,
                incarnation: row.try_get(2)?,
                first: moment(row.try_get(3)?),
                ended: row.try_get::<Option<i64>, _>(4)?.map(moment),
                latest_reading: moment(row.try_get(5)?),
                workload: unpack(&body, None, &source)?,
                platform,
            })
        };
        rows.iter().map(life).collect()
    }

    /// Remembers a decision.
    pub async fn decide(&self, decided: &Decided) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let columns = ["id", "choice", "a", "b", "decided_by", "decided_at", "reason"];
        let next = "select coalesce(max(id), 0) + 1 from decisions";
        let id: i64 = sqlx::query_scalar(next).fetch_one(&mut *transaction).await?;
        let mut rows = Rows::into("decisions", &columns);
        let row = [
            Cell::Int(id),
            Cell::Text(decided.choice.clone()),
            Cell::Text(decided.a.clone()),
            Cell::Text(decided.b.clone()),
            Cell::Text(decided.by.clone()),
            Cell::Int(micros(decided.at)),
            Cell::Text(decided.reason.clone()),
        ];
        let mut pipe = Pipe::over(&mut transaction);
        rows.add(&mut pipe, row).await?;
        rows.finish(&mut pipe).await?;
        drop(pipe);
        Ok(transaction.commit().await?)
    }

    /// All decisions, in the order in which they were made.
    pub async fn decisions(&self) -> Result<Vec<Decided>, StoreError> {
        let rows = sqlx::query(
            "select choice, a, b, decided_by, decided_at, reason from decisions order by id",
        );
        let decided = |row: &sqlx::any::AnyRow| -> Result<Decided, StoreError> {
            Ok(Decided {
                choice: row.try_get(0)?,
                a: row.try_get(1)?,
                b: row.try_get(2)?,
                by: row.try_get(3)?,
                at: moment(row.try_get(4)?),
                reason: row.try_get(5)?,
            })
        };
        rows.fetch_all(&self.pool).await?.iter().map(decided).collect()
    }
}
