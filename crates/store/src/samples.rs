//! What moves by itself: a set of samples for each reading of a list, many to a row.
//!
//! Everything moves at every reading, so that a row for each thing would cost as much as the estate
//! itself. Of several readings on one day the last whole one stays. A reading that could not see all of a list
//! adds to the one before it, back to the last that was whole.

use std::collections::HashMap;
use std::ops::Range;

use sqlx::{AnyConnection, Row};

use crate::body::{compress, decompress};
use crate::database::{Cell, Rows};
use crate::error::StoreError;
use crate::pipe::Pipe;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Things of which the samples stand in one row.
const CHUNK: usize = 1_024;

/// A reading of one list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub collection: i64,
    pub feed: i64,
    /// When it was observed.
    pub at: i64,
    /// Whether it could see all of the list.
    pub is_whole: bool,
}

/// Samples of one list on their way in.
#[derive(Default)]
pub(crate) struct SampleSet {
    /// `NUMBER JSON` in a line each.
    lines: Vec<u8>,
    things: usize,
    /// Full ones, compressed.
    chunks: Vec<Vec<u8>>,
}

impl SampleSet {
    pub fn add(&mut self, entity: i64, json: &[u8]) {
        self.lines.extend_from_slice(entity.to_string().as_bytes());
        self.lines.push(b' ');
        self.lines.extend_from_slice(json);
        self.lines.push(b'\n');
        self.things += 1;
        if self.things == CHUNK {
            self.seal();
        }
    }

    fn seal(&mut self) {
        if self.things > 0 {
            self.chunks.push(compress(&self.lines));
            self.lines.clear();
            self.things = 0;
        }
    }

    /// Writes them, in the place of earlier ones of the same day.
    pub async fn write(
        mut self,
        pipe: &mut Pipe<'_>,
        kind: &str,
        reading: &Reading,
    ) -> Result<(), StoreError> {
        self.seal();
        let Reading { collection, feed, at, is_whole } = *reading;
        let day = at.div_euclid(DAY) * DAY;
        // A later reading of this day was whole: its word stands.
        let later: i64 = sqlx::query_scalar(
            "select count(*) from samples s join collections c on c.id = s.collection where s.kind = $1 and c.feed = $2 and c.observed > $3 and c.observed < $4 and not c.is_delta and not exists (select 1 from incomplete i where i.collection = c.id and i.kind = $1)",
        )
        .bind(kind.to_owned())
        .bind(feed)
        .bind(at)
        .bind(day + DAY)
        .fetch_one(pipe.idle().await?)
        .await?;
        if later > 0 || self.chunks.is_empty() {
            return Ok(());
        }
        if is_whole {
            let replaced = sqlx::query(
                "delete from samples where kind = $1 and collection in (select id from collections where feed = $2 and observed >= $3 and observed < $4)",
            );
            replaced
                .bind(kind.to_owned())
                .bind(feed)
                .bind(day)
                .bind(at)
                .execute(pipe.idle().await?)
                .await?;
        }
        let mut rows = Rows::into("samples", &["collection", "kind", "chunk", "body"]);
        for (number, chunk) in self.chunks.into_iter().enumerate() {
            let row = [
                Cell::Int(collection),
                Cell::Text(kind.to_owned()),
                Cell::Int(i64::try_from(number).unwrap_or(i64::MAX)),
                Cell::Bytes(chunk),
            ];
            rows.add(pipe, row).await?;
        }
        rows.finish(pipe).await
    }
}

/// Samples of one list, by thing.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    text: Vec<u8>,
    of: HashMap<i64, Range<usize>>,
}

impl Samples {
    /// Those of the day of a time, or the last before it.
    pub async fn read(
        executor: &mut AnyConnection,
        feed: i64,
        kind: &str,
        at: i64,
    ) -> Result<Self, StoreError> {
        let until = match at {
            i64::MAX => i64::MAX,
            at => at.div_euclid(DAY) * DAY + DAY - 1,
        };
        let whole: Option<i64> = sqlx::query_scalar(
            "select max(c.observed) from collections c where c.feed = $1 and c.observed <= $2 and exists (select 1 from samples s where s.collection = c.id and s.kind = $3) and not c.is_delta and not exists (select 1 from incomplete i where i.collection = c.id and i.kind = $3)",
        )
        .bind(feed)
        .bind(until)
        .bind(kind.to_owned())
        .fetch_one(&mut *executor)
        .await?;
        let chunks = sqlx::query(
            "select s.body from samples s join collections c on c.id = s.collection where c.feed = $1 and s.kind = $2 and c.observed >= $3 and c.observed <= $4 order by c.observed, s.chunk",
        );
        let chunks =
            chunks.bind(feed).bind(kind.to_owned()).bind(whole.unwrap_or(i64::MIN)).bind(until);
        let mut samples = Self::default();
        for row in chunks.fetch_all(&mut *executor).await? {
            let body: Vec<u8> = row.try_get(0)?;
            samples.take(&decompress(&body)?)?;
        }
        Ok(samples)
    }

    /// Later ones take the place of earlier ones.
    fn take(&mut self, lines: &[u8]) -> Result<(), StoreError> {
        for line in lines.split(|it| *it == b'\n').filter(|it| !it.is_empty()) {
            let mut parts = line.splitn(2, |it| *it == b' ');
            let entity = parts.next().and_then(|it| std::str::from_utf8(it).ok()?.parse().ok());
            let (Some(entity), Some(json)) = (entity, parts.next()) else {
                return Err(StoreError::Damaged("samples without their thing".into()));
            };
            let begin = self.text.len();
            self.text.extend_from_slice(json);
            self.of.insert(entity, begin..self.text.len());
        }
        Ok(())
    }

    /// Those of one thing, as JSON.
    pub fn get(&self, entity: i64) -> Option<&[u8]> {
        self.text.get(self.of.get(&entity)?.clone())
    }
}

/// Lets samples go that are from before a time, but for the latest of each list.
pub(crate) async fn forget(connection: &mut AnyConnection, before: i64) -> Result<u64, StoreError> {
    let day = before.div_euclid(DAY) * DAY;
    let removed = sqlx::query(
        "delete from samples where exists (select 1 from collections c where c.id = samples.collection and c.observed < $1 and exists (select 1 from collections l join samples s on s.collection = l.id and s.kind = samples.kind where l.feed = c.feed and l.observed > c.observed and not l.is_delta and not exists (select 1 from incomplete i where i.collection = l.id and i.kind = samples.kind)))",
    );
    Ok(removed.bind(day).execute(connection).await?.rows_affected())
}
