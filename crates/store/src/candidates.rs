//! Who may be meant, and who may be the same: workloads by what they are known by, without reading all.

use std::collections::{BTreeSet, HashMap};

use entente_model::{Collection, PlatformId, Source, SourceId, Text};
use sqlx::Row;
use time::OffsetDateTime;

use crate::database::Store;
use crate::error::StoreError;
use crate::query::normal;
use crate::read::{AsOf, moment};
use crate::write::micros;

/// Since when the objects of one feed have been as they are, by list and id.
pub type Since = HashMap<(&'static str, Text), OffsetDateTime>;

/// Lists of objects that several sources may show.
const LISTS: [&str; 5] = ["workloads", "hosts", "clusters", "datastores", "networks"];

impl Store {
    /// Numbers of workloads that go by this name, address, hardware address or UUID now, or had this id at
    /// any time.
    pub async fn named(&self, term: &str) -> Result<BTreeSet<i64>, StoreError> {
        let mut found = self.holders(&normal(term), u32::MAX).await?;
        let feeds = sqlx::query("select id, platform from feeds").fetch_all(&self.pool).await?;
        for row in feeds {
            let (feed, platform): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
            for id in [term.to_owned(), term.to_lowercase()] {
                let whole = match id.strip_prefix(&platform).is_some_and(|it| it.starts_with('/')) {
                    true => id,
                    false => format!("{platform}/{id}"),
                };
                found.extend(self.of_feed(feed, &whole).await?);
            }
        }
        Ok(found)
    }

    /// Numbers of workloads that had this id on a platform at any time.
    pub async fn with_id(&self, platform: &str, id: &str) -> Result<BTreeSet<i64>, StoreError> {
        let feeds = sqlx::query("select id from feeds where platform = $1");
        let mut found = BTreeSet::new();
        for row in feeds.bind(platform).fetch_all(&self.pool).await? {
            found.extend(self.of_feed(row.try_get(0)?, id).await?);
        }
        Ok(found)
    }

    async fn of_feed(&self, feed: i64, id: &str) -> Result<Vec<i64>, StoreError> {
        let found = sqlx::query_scalar(
            "select id from entities where feed = $1 and kind = 'workloads' and name = $2",
        );
        Ok(found.bind(feed).bind(id.to_owned()).fetch_all(&self.pool).await?)
    }

    /// Numbers of workloads that are known by a word now, up to a limit.
    pub async fn holders(&self, word: &str, limit: u32) -> Result<BTreeSet<i64>, StoreError> {
        let found = sqlx::query_scalar(
            "select distinct s.entity from now_search s join entities e on e.id = s.entity where s.token = $1 and e.kind = 'workloads' limit $2",
        );
        let found = found.bind(word.to_owned()).bind(i64::from(limit)).fetch_all(&self.pool);
        Ok(found.await?.into_iter().collect())
    }

    /// Numbers of workloads whose host name has this first label now, up to a limit.
    pub async fn hosts_labelled(
        &self,
        label: &str,
        limit: u32,
    ) -> Result<BTreeSet<i64>, StoreError> {
        let mut holders = self.holders(label, limit).await?;
        let found = sqlx::query_scalar(
            "select distinct s.entity from now_search s join entities e on e.id = s.entity where s.token >= $1 and s.token < $2 and s.what = 'name' and e.kind = 'workloads' limit $3",
        );
        // The letter after the dot is the slash.
        let found = found.bind(format!("{label}.")).bind(format!("{label}/"));
        let found: Vec<i64> = found.bind(i64::from(limit)).fetch_all(&self.pool).await?;
        holders.extend(found);
        Ok(holders)
    }

    /// Names of workloads that are there now, in their order, up to a limit.
    pub async fn workload_names(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        let names = sqlx::query_scalar(
            "select distinct s.label from now_search s join entities e on e.id = s.entity where s.what = 'name' and e.kind = 'workloads' order by s.label limit $1",
        );
        Ok(names.bind(i64::from(limit)).fetch_all(&self.pool).await?)
    }

    /// Since when the objects of a feed have been as they are, as of a time.
    pub async fn since(
        &self,
        platform: &str,
        connector: &str,
        as_of: AsOf,
    ) -> Result<Since, StoreError> {
        let latest = "select e.kind, e.name, v.observed_from from feeds f join entities e on e.feed = f.id join versions v on v.entity = e.id and v.observed_to is null where f.platform = $1 and f.connector = $2";
        let earlier = "select e.kind, e.name, v.observed_from from feeds f join entities e on e.feed = f.id join versions v on v.entity = e.id and v.observed_from <= $3 and (v.observed_to is null or v.observed_to > $3) where f.platform = $1 and f.connector = $2";
        let (platform, connector) = (platform.to_owned(), connector.to_owned());
        let query = match as_of {
            AsOf::Latest => sqlx::query(latest).bind(platform).bind(connector),
            AsOf::Time(at) => sqlx::query(earlier).bind(platform).bind(connector).bind(micros(at)),
        };
        let mut since = Since::new();
        for row in query.fetch_all(&self.pool).await? {
            let kind: String = row.try_get(0)?;
            let Some(list) = LISTS.iter().find(|it| **it == kind) else { continue };
            let id: String = row.try_get(1)?;
            since.insert((*list, Text::from(id)), moment(row.try_get(2)?));
        }
        Ok(since)
    }

    /// What stands around the workloads of a feed: its platform, hosts, clusters, datastores and networks.
    pub async fn around(
        &self,
        platform: &PlatformId,
        source: &Source,
    ) -> Result<Collection, StoreError> {
        let feed =
            sqlx::query_scalar("select id from feeds where platform = $1 and connector = $2");
        let feed = feed.bind(platform.to_string()).bind(source.connector.to_string());
        let feed: i64 = feed.fetch_one(&self.pool).await?;
        let (mut around, source): (Collection, &SourceId) =
            (Collection::empty(source.clone()), &source.id);
        around.platforms = self.list(feed, AsOf::Latest, source).await?;
        around.hosts = self.list(feed, AsOf::Latest, source).await?;
        around.clusters = self.list(feed, AsOf::Latest, source).await?;
        around.datastores = self.list(feed, AsOf::Latest, source).await?;
        around.networks = self.list(feed, AsOf::Latest, source).await?;
        Ok(around)
    }

    /// What the latest reading of a feed told of itself.
    pub async fn source(
        &self,
        platform: &str,
        connector: &str,
    ) -> Result<Option<Source>, StoreError> {
        let head = sqlx::query_scalar(
            "select c.head from collections c join feeds f on f.id = c.feed where f.platform = $1 and f.connector = $2 order by c.observed desc, c.id desc limit 1",
        );
        let head = head.bind(platform.to_owned()).bind(connector.to_owned());
        let head: Option<Vec<u8>> = head.fetch_optional(&self.pool).await?;
        head.map(|it| crate::write::head(&it).map(|it| it.source)).transpose()
    }
}
