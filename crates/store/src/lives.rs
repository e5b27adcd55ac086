//! The lives of workloads: from when to when each was seen, as what; and what people decided about them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use entente_model::{SourceId, Workload};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use time::OffsetDateTime;

use crate::body::unpack;
use crate::database::{Cell, Rows, Store};
use crate::error::StoreError;
use crate::nouns::Noun;
use crate::pipe::Pipe;
use crate::read::moment;
use crate::samples::Samples;
use crate::write::micros;

/// One workload as one connector saw it on one platform, from the first time to the last.
#[derive(Clone, Debug)]
pub struct Life {
    /// Its number in this store.
    pub entity: i64,
    /// The platform.
    pub platform: String,
    /// Name of the connector.
    pub connector: String,
    /// Which life of this id on the platform: ids are given again.
    pub incarnation: i64,
    /// When it was first seen.
    pub first: OffsetDateTime,
    /// Since when it has been as it was last seen.
    pub since: OffsetDateTime,
    /// The first reading that did not see it any more; none while it is there.
    pub ended: Option<OffsetDateTime>,
    /// The reading before that one: it may have seen it last.
    pub last: Option<OffsetDateTime>,
    /// The latest reading of the platform by this connector.
    pub latest_reading: OffsetDateTime,
    /// As it was last seen; what moves by itself only where lives are asked for one by one.
    pub workload: Workload,
}

/// Which lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LivesOf {
    /// All of them.
    All,
    /// Those that ended.
    Ended,
    /// These, by number.
    These(Vec<i64>),
}

/// Things asked for at once.
const AT_ONCE: usize = 400;

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
        self.lives_of(&LivesOf::All).await
    }

    /// Lives of workloads, in the order in which they were first recorded.
    pub async fn lives_of(&self, of: &LivesOf) -> Result<Vec<Life>, StoreError> {
        let all = match of {
            LivesOf::All => return unpacked(&self.lives_where("true").await?, &HashMap::new()),
            LivesOf::Ended => {
                let rows = self.lives_where("v.observed_to is not null").await?;
                return unpacked(&rows, &HashMap::new());
            }
            LivesOf::These(all) => all,
        };
        let mut lives = Vec::with_capacity(all.len());
        let mut samples = HashMap::new();
        for some in all.chunks(AT_ONCE) {
            let numbers: Vec<String> = some.iter().map(ToString::to_string).collect();
            let condition = format!("e.id in ({})", numbers.join(", "));
            let rows = self.lives_where(&condition).await?;
            for row in &rows {
                let feed: i64 = row.try_get(10)?;
                if let Entry::Vacant(place) = samples.entry(feed) {
                    let connection = &mut *self.pool.acquire().await?;
                    place.insert(Samples::read(connection, feed, Workload::KIND, i64::MAX).await?);
                }
            }
            lives.append(&mut unpacked(&rows, &samples)?);
        }
        lives.sort_by_key(|it| it.entity);
        Ok(lives)
    }

    async fn lives_where(&self, condition: &str) -> Result<Vec<AnyRow>, StoreError> {
        let statement = format!(
            "select e.id, f.platform, f.connector, e.incarnation, (select min(observed_from) from versions where entity = e.id), v.observed_from, v.observed_to, (select max(observed) from collections where feed = f.id), (select source from collections where feed = f.id order by observed desc, id desc limit 1), v.body, e.feed, (select max(observed) from collections where feed = f.id and observed < v.observed_to) from entities e join feeds f on f.id = e.feed join versions v on v.id = (select id from versions where entity = e.id order by observed_from desc limit 1) where e.kind = 'workloads' and {condition} order by e.id"
        );
        Ok(sqlx::query(AssertSqlSafe(statement)).fetch_all(&self.pool).await?)
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

/// Rows as lives, with samples by feed where there are any.
fn unpacked(rows: &[AnyRow], samples: &HashMap<i64, Samples>) -> Result<Vec<Life>, StoreError> {
    let life = |row: &AnyRow| -> Result<Life, StoreError> {
        let source: String = row.try_get(8)?;
        let source: SourceId =
            source.parse().map_err(|_| StoreError::Damaged(format!("`{source}` is no source")))?;
        let (entity, feed): (i64, i64) = (row.try_get(0)?, row.try_get(10)?);
        let samples = samples.get(&feed).and_then(|it| it.get(entity));
        Ok(Life {
            entity,
            platform: row.try_get(1)?,
            connector: row.try_get(2)?,
            incarnation: row.try_get(3)?,
            first: moment(row.try_get(4)?),
            since: moment(row.try_get(5)?),
            ended: row.try_get::<Option<i64>, _>(6)?.map(moment),
            last: row.try_get::<Option<i64>, _>(11)?.map(moment),
            latest_reading: moment(row.try_get(7)?),
            workload: unpack(row.try_get(9)?, samples, &source)?,
        })
    };
    rows.iter().map(life).collect()
}
