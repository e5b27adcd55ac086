//! What was known as of a time.

use std::collections::VecDeque;
use std::sync::Arc;

use entente_model::{Activity, Collection, Host, Platform, SourceId};
use futures_util::TryStreamExt;
use sqlx::Row;
use sqlx::any::AnyRow;
use time::OffsetDateTime;

use crate::body::{decompress, unpack, unreadable};
use crate::database::Store;
use crate::error::StoreError;
use crate::nouns::{Noun, for_each_list};
use crate::samples::Samples;
use crate::write::{Head, micros};

/// Objects that are read back at once, on one thread.
const BATCH: usize = 1_024;

/// Batches under way.
const BATCHES_AT_ONCE: usize = 4;

/// As of when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// The latest of everything.
    Latest,
    /// As it was observed to be then.
    Time(OffsetDateTime),
}

impl AsOf {
    fn micros(self) -> i64 {
        match self {
            Self::Latest => i64::MAX,
            Self::Time(at) => micros(at),
        }
    }
}

/// One platform's latest whole reading by one connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Age {
    /// The platform.
    pub platform: String,
    /// Name of the connector.
    pub connector: String,
    /// When it was observed.
    pub observed: OffsetDateTime,
    /// When it was recorded.
    pub recorded: OffsetDateTime,
    /// Objects that it saw.
    pub objects: i64,
}

/// Microseconds since 1970 as a moment.
pub(crate) fn moment(micros: i64) -> OffsetDateTime {
    let nanos = i128::from(micros) * 1_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

impl Store {
    /// The latest whole reading of each platform by each connector, as of a time.
    pub async fn ages(&self, as_of: AsOf) -> Result<Vec<Age>, StoreError> {
        let rows = sqlx::query(
            "select f.platform, f.connector, c.observed, c.recorded, c.objects from feeds f join collections c on c.feed = f.id where not c.is_delta and c.observed = (select max(observed) from collections where feed = f.id and observed <= $1 and not is_delta) order by f.platform, f.connector",
        )
        .bind(as_of.micros())
        .fetch_all(&self.pool)
        .await?;
        let age = |row: &AnyRow| -> Result<Age, StoreError> {
            Ok(Age {
                platform: row.try_get(0)?,
                connector: row.try_get(1)?,
                observed: moment(row.try_get(2)?),
                recorded: moment(row.try_get(3)?),
                objects: row.try_get(4)?,
            })
        };
        rows.iter().map(age).collect()
    }

    /// What was known as of a time: one collection for each platform and connector, with the gaps of its
    /// latest whole reading.
    pub async fn collections(&self, as_of: AsOf) -> Result<Vec<Collection>, StoreError> {
        let rows = sqlx::query(
            "select c.feed, c.head from collections c where not c.is_delta and c.observed = (select max(observed) from collections where feed = c.feed and observed <= $1 and not is_delta) order by c.feed",
        )
        .bind(as_of.micros())
        .fetch_all(&self.pool)
        .await?;
        let mut collections = Vec::new();
        for row in rows {
            let (feed, head): (i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
            let head: Head = serde_json::from_slice(&decompress(&head)?).map_err(unreadable)?;
            let mut collection = Collection::empty(head.source);
            (collection.gaps, collection.findings) = (head.gaps, head.findings);
            let source = collection.source.id.clone();
            macro_rules! read {
                ($collection:expr, $type:ident, $($list:ident).+) => {
                    $collection.$($list).+ = self.list(feed, as_of, &source).await?;
                };
            }
            for_each_list!(collection, read);
            collections.push(collection);
        }
        Ok(collections)
    }

    /// Everything that platforms' own tasks told, as of a time.
    pub async fn activities(&self, as_of: AsOf) -> Result<Vec<Activity>, StoreError> {
        self.everywhere(as_of).await
    }

    /// Platforms as each connector tells of them, as of a time.
    pub async fn platforms(&self, as_of: AsOf) -> Result<Vec<Platform>, StoreError> {
        self.everywhere(as_of).await
    }

    /// Hosts as each connector tells of them, as of a time.
    pub async fn hosts(&self, as_of: AsOf) -> Result<Vec<Host>, StoreError> {
        self.everywhere(as_of).await
    }

    /// One list of all platforms.
    async fn everywhere<N: Noun + Send + 'static>(
        &self,
        as_of: AsOf,
    ) -> Result<Vec<N>, StoreError> {
        let feeds = sqlx::query_as("select id, platform from feeds order by id");
        let feeds: Vec<(i64, String)> = feeds.fetch_all(&self.pool).await?;
        let mut nouns = Vec::new();
        for (feed, platform) in feeds {
            let source = platform
                .parse()
                .map_err(|_| StoreError::Damaged(format!("`{platform}` is no platform")))?;
            nouns.append(&mut self.list(feed, as_of, &source).await?);
        }
        Ok(nouns)
    }

    pub(crate) async fn list<N: Noun + Send + 'static>(
        &self,
        feed: i64,
        as_of: AsOf,
        source: &SourceId,
    ) -> Result<Vec<N>, StoreError> {
        let samples =
            Samples::read(&mut *self.pool.acquire().await?, feed, N::KIND, as_of.micros()).await?;
        let samples = Arc::new(samples);
        let latest = "select e.id, v.body from entities e join versions v on v.entity = e.id and v.observed_to is null where e.feed = $1 and e.kind = $2 order by e.id";
        let earlier = "select e.id, v.body from entities e join versions v on v.entity = e.id and v.observed_from <= $3 and (v.observed_to is null or v.observed_to > $3) where e.feed = $1 and e.kind = $2 order by e.id";
        let query = match as_of {
            AsOf::Latest => sqlx::query(latest).bind(feed).bind(N::KIND),
            AsOf::Time(at) => sqlx::query(earlier).bind(feed).bind(N::KIND).bind(micros(at)),
        };
        let mut rows = query.fetch(&self.pool);
        let (mut nouns, mut batch) = (Vec::new(), Vec::with_capacity(BATCH));
        let mut under_way: VecDeque<tokio::task::JoinHandle<Result<Vec<N>, StoreError>>> =
            VecDeque::new();
        loop {
            let row = rows.try_next().await?;
            let is_end = row.is_none();
            if let Some(row) = row {
                batch.push(row);
            }
            if batch.len() == BATCH || is_end {
                let batch = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                let (samples, source) = (Arc::clone(&samples), source.clone());
                let work = move || unpack_all(&batch, &samples, &source);
                under_way.push_back(tokio::task::spawn_blocking(work));
            }
            while under_way.len() >= BATCHES_AT_ONCE || (is_end && !under_way.is_empty()) {
                let Some(next) = under_way.pop_front() else { break };
                let unpacked = next.await.map_err(|error| {
                    StoreError::Damaged(format!("an object could not be read: {error}"))
                })?;
                nouns.append(&mut unpacked?);
            }
            if is_end {
                return Ok(nouns);
            }
        }
    }
}

/// Rows of a thing's number and its body.
fn unpack_all<N: Noun>(
    batch: &[AnyRow],
    samples: &Samples,
    source: &SourceId,
) -> Result<Vec<N>, StoreError> {
    let unpack = |row: &AnyRow| {
        let (entity, body): (i64, &[u8]) = (row.try_get(0)?, row.try_get(1)?);
        unpack(body, samples.get(entity), source)
    };
    batch.iter().map(unpack).collect()
}
