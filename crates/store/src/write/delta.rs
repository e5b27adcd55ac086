//! What changed on a platform between two readings goes in: a small reading of its own.
//!
//! Only the objects in it are written, and only what was told to be gone ends. It says nothing of anything
//! else: gaps, findings and the age of what is known stay those of the latest whole reading.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{Collection, Moment, PlatformId, Source, Text, Workload, WorkloadId};
use time::OffsetDateTime;

use super::writer::Writer;
use super::{Extent, Stamp, Written, feed, micros};
use crate::database::Store;
use crate::error::StoreError;
use crate::nouns::for_each_list;

/// What a platform told of itself between two readings.
#[derive(Clone, Debug)]
pub struct Delta {
    /// The platform.
    pub platform: PlatformId,
    /// Name of the connector.
    pub connector: Text,
    /// When it was told.
    pub at: OffsetDateTime,
    /// Objects that are new or differ. Platforms and products in it say where they belong, no more.
    pub changed: Option<Box<Collection>>,
    /// Workloads that are gone, by their ids on the platform.
    pub removed: Vec<Text>,
}

impl Delta {
    /// What it tells of, as a collection.
    fn collection(&mut self) -> Collection {
        let mut collection = match self.changed.take() {
            Some(changed) => *changed,
            None => Collection::empty(Source {
                id: (&self.platform).into(),
                connector: self.connector.clone(),
                location: Text::default(),
                version: None,
                taken: None,
                limits: Vec::new(),
                sections: BTreeMap::new(),
            }),
        };
        collection.source.taken = Some(Moment::Utc(self.at));
        // Said by every whole reading.
        collection.source.limits.clear();
        collection.source.sections.clear();
        collection.platforms.clear();
        collection.products.clear();
        collection
    }

    /// What the workloads that are gone are known by.
    fn removed(&self) -> BTreeSet<String> {
        let ids = self.removed.iter().filter_map(|it| WorkloadId::on(&self.platform, it).ok());
        ids.map(|it| it.to_string()).collect()
    }
}

impl Store {
    /// Puts in what changed: all of it, or nothing.
    pub async fn write_delta(
        &self,
        mut delta: Delta,
        stamp: &Stamp,
    ) -> Result<Written, StoreError> {
        let at = micros(delta.at);
        let mut transaction = self.begin().await?;
        let feed = feed(&mut transaction, delta.platform.as_str(), &delta.connector).await?;
        let known =
            sqlx::query("select 1 from collections where feed = $1 and observed = $2 and is_delta");
        let known = known.bind(feed).bind(at).fetch_optional(&mut *transaction).await?;
        if known.is_some() {
            return Ok(Written { known: true, ..Written::default() });
        }
        let (mut collection, removed) = (delta.collection(), delta.removed());
        let mut writer = Writer::start(&mut transaction, feed, at, stamp, Extent::Delta).await?;
        writer.begin(delta.platform.as_str(), &collection, "utc", &BTreeMap::new()).await?;
        macro_rules! write {
            ($collection:expr, $type:ident, $($list:ident).+) => {
                let nouns = std::mem::take(&mut $collection.$($list).+);
                if !nouns.is_empty() {
                    writer.list(nouns, true).await?;
                }
            };
        }
        for_each_list!(collection, write);
        if !removed.is_empty() {
            writer.removed::<Workload>(removed).await?;
        }
        let written = writer.finish().await?;
        transaction.commit().await?;
        Ok(written)
    }
}
