//! The use cases of the store: put collections in, and ask what is and was known.

use std::collections::BTreeMap;
use std::path::PathBuf;

use entente_connect::connector::{CollectError, Watch};
use entente_model::{Collection, Estate, Observed};
use entente_store::query::{QueryError, QueryLimits, QueryResult};
use entente_store::{
    Address, AsOf, Change, ChangesOf, Delta, Stamp, Store, StoreError, Written, item_names,
};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::assess::read_sources;
use crate::collection_file::CollectionFileError;
use crate::freshness::{Aged, Freshness};
use crate::now_utc;

/// Counts up when the same answer of a platform is read differently: such differences are no changes of the
/// world.
const MAPPER: u32 = 1;

/// Readings that are too old and named with an answer; what is beyond is counted.
const STALE_NAMED_MAX: usize = 8;

/// Why something could not be remembered or recalled.
#[derive(Debug, thiserror::Error)]
pub enum RememberError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An export.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// A collection on disk.
    #[error(transparent)]
    Collection(#[from] CollectionFileError),
    /// A query.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// Nothing is remembered.
    #[error("the store `{store}` remembers nothing as of then")]
    Nothing {
        /// Where.
        store: String,
    },
    /// No such list.
    #[error("there is no list `{given}`")]
    UnknownKind {
        /// What was asked for.
        given: String,
        /// Those there are.
        known: Vec<&'static str>,
    },
    /// No such workload.
    #[error("there is no workload `{given}`")]
    UnknownWorkload {
        /// What was asked for.
        given: String,
        /// What comes nearest.
        near: Option<String>,
    },
    /// Several workloads.
    #[error("`{given}` is {} workloads", ids.len())]
    Several {
        /// What was asked for.
        given: String,
        /// Their ids.
        ids: Vec<String>,
    },
}

impl RememberError {
    /// The stable code, with a page in `docs/errors/`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Collect(error) => error.code(),
            Self::Collection(error) => error.code(),
            Self::Query(error) => error.code(),
            Self::Nothing { .. } => "ENT-0410",
            Self::UnknownKind { .. } => "ENT-0411",
            Self::UnknownWorkload { .. } => "ENT-0412",
            Self::Several { .. } => "ENT-0413",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Store(error) => error.hint(),
            Self::Collect(error) => error.hint(),
            Self::Collection(error) => error.hint().into(),
            Self::Query(error) => error.hint(),
            Self::Nothing { .. } => {
                "`entente collect` reads the configured platforms, `entente import` an export"
                    .into()
            }
            Self::UnknownKind { given, known } => {
                match entente_expr::nearest(given, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("lists are {}", known.join(", ")),
                }
            }
            Self::UnknownWorkload { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::UnknownWorkload { near: None, .. } => {
                "give its name, id, address, MAC or UUID; `entente estate workloads` lists all"
                    .into()
            }
            Self::Several { ids, .. } => format!("give one of the ids {}", ids.join(", ")),
        }
    }
}

/// What is remembered.
#[derive(Debug)]
pub struct Memory {
    store: Store,
    freshness: Freshness,
}

/// What became of one export or collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The file or folder.
    pub path: PathBuf,
    /// Platforms in it.
    pub platforms: Vec<String>,
    /// Gaps that it has.
    pub gaps: u64,
    /// What it changed.
    pub written: Written,
}

impl Memory {
    /// Whether there is such a store; of a server, that shows when it is opened.
    pub fn exists(address: &Address) -> bool {
        match address {
            Address::File(path) => path.exists(),
            Address::Postgres(_) => true,
        }
    }

    /// Opens the store; makes it if there is none.
    pub async fn open(address: &Address) -> Result<Self, RememberError> {
        if let Address::File(path) = address
            && let Some(folder) = path.parent()
        {
            std::fs::create_dir_all(folder).map_err(|reason| StoreError::File {
                what: format!("the folder `{}` cannot be made", folder.display()),
                reason,
            })?;
        }
        Ok(Self { store: Store::open(address).await?, freshness: Freshness::default() })
    }

    /// With other limits of how old what is known may be.
    #[must_use]
    pub fn with_freshness(self, freshness: Freshness) -> Self {
        Self { freshness, ..self }
    }

    /// The store itself, for looking after it.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Puts a collection in.
    pub async fn put(&self, collection: Collection) -> Result<Written, RememberError> {
        let stamp = Stamp { recorded: now_utc(), mapper: MAPPER };
        Ok(self.store.write(collection, &stamp).await?)
    }

    /// Puts in what changed between two readings.
    pub async fn put_delta(&self, delta: Delta) -> Result<Written, RememberError> {
        let stamp = Stamp { recorded: now_utc(), mapper: MAPPER };
        Ok(self.store.write_delta(delta, &stamp).await?)
    }

    /// Puts exports and collections on disk in, each by itself.
    pub async fn import(
        &self,
        paths: &[PathBuf],
        watch: &dyn Watch,
    ) -> Result<Vec<Imported>, RememberError> {
        let mut imported = Vec::new();
        for path in paths {
            for (path, collection) in read_sources::<RememberError>(path, watch)? {
                let platforms = collection.platforms.iter().map(|it| it.id.to_string()).collect();
                let gaps = collection.gaps.iter().map(|it| it.count).sum();
                let written = self.put(collection).await?;
                imported.push(Imported { path, platforms, gaps, written });
            }
        }
        Ok(imported)
    }

    /// How old the latest readings are: now, or at the time that is asked about.
    pub async fn ages(&self, as_of: AsOf) -> Result<Vec<Aged>, RememberError> {
        let at = match as_of {
            AsOf::Latest => now_utc(),
            AsOf::Time(at) => at,
        };
        Ok(self.freshness.judge(self.store.ages(as_of).await?, at))
    }

    /// Everything as of a time, as one estate; what is older than it may be is a gap of it.
    pub async fn estate(&self, as_of: AsOf) -> Result<(Estate, Vec<Aged>), RememberError> {
        let ages = self.ages(as_of).await?;
        if ages.is_empty() {
            return Err(RememberError::Nothing { store: self.store.address.to_string() });
        }
        let mut estate = Estate::from_collections(self.store.collections(as_of).await?);
        estate.gaps.extend(ages.iter().filter_map(Aged::gap));
        estate.gaps.sort();
        Ok((estate, ages))
    }

    /// Asks in SQL; readings that are older than they may be are named in the notes.
    pub async fn query(
        &self,
        sql: &str,
        as_of: AsOf,
        limits: &QueryLimits,
    ) -> Result<QueryResult, RememberError> {
        let mut answer = self.store.query(sql, as_of, limits).await?;
        let ages = self.ages(as_of).await?;
        let stale: Vec<&Aged> = ages.iter().filter(|it| it.is_stale()).collect();
        let named = stale.iter().take(STALE_NAMED_MAX);
        answer.notes.extend(named.map(|it| format!("stale: {it}")));
        if stale.len() > STALE_NAMED_MAX {
            let more = stale.len() - STALE_NAMED_MAX;
            answer.notes.push(format!("stale: and {more} more; `entente estate` names them"));
        }
        Ok(answer)
    }

    /// What changed, and who did it as far as the platforms' own tasks tell.
    pub async fn changes(&self, of: &ChangesOf) -> Result<Vec<Told>, RememberError> {
        let changes = self.store.changes(of).await?;
        let until = of.until.map_or(AsOf::Latest, AsOf::Time);
        let mut activities: BTreeMap<(String, String), Vec<By>> = BTreeMap::new();
        for activity in self.store.activities(until).await? {
            let (Observed::Value(subject), Observed::Value(principal)) =
                (&activity.subject, &activity.principal)
            else {
                continue;
            };
            let Some(entente_model::Moment::Utc(at)) = activity.at.copied() else { continue };
            let key = (activity.platform.to_string(), subject.to_string());
            activities.entry(key).or_default().push(By {
                principal: principal.to_string(),
                action: activity.action.to_string(),
                at,
            });
        }
        let told = |change: Change| {
            let native = change.id.split_once('/').map_or(change.id.as_str(), |it| it.1);
            let names = [Some(native), Some(change.id.as_str()), change.name.as_deref()];
            let by = names.into_iter().flatten().find_map(|name| {
                let all = activities.get(&(change.platform.clone(), name.to_owned()))?;
                let within = |it: &&By| {
                    change.after.is_none_or(|after| it.at > after) && it.at <= change.seen
                };
                let by: Vec<By> = all.iter().filter(within).cloned().collect();
                (!by.is_empty()).then_some(by)
            });
            Told { change, by: by.unwrap_or_default() }
        };
        Ok(changes.into_iter().map(told).collect())
    }

    /// Everything that is known of one workload, fact by fact.
    pub async fn show(&self, term: &str, as_of: AsOf) -> Result<Shown, RememberError> {
        let ages = self.ages(as_of).await?;
        let collections = self.store.collections(as_of).await?;
        let mut found: BTreeMap<String, Vec<Sighting>> = BTreeMap::new();
        let mut names = Vec::new();
        for collection in &collections {
            for workload in &collection.workloads {
                names.push(workload.name.to_string());
                if !is_named(workload, term) {
                    continue;
                }
                let connector = &collection.source.connector;
                let of_feed = |it: &&Aged| {
                    it.reading.platform == workload.platform.as_str()
                        && it.reading.connector == *connector
                };
                let Some(age) = ages.iter().find(of_feed) else { continue };
                let body = serde_json::to_value(workload).unwrap_or_default();
                let mut facts = Vec::new();
                flatten(String::new(), &body, &mut facts);
                found.entry(workload.id.to_string()).or_default().push(Sighting {
                    connector: connector.to_string(),
                    source: collection.source.id.to_string(),
                    observed: age.reading.observed,
                    is_stale: age.is_stale(),
                    facts,
                });
            }
        }
        if found.len() > 1 {
            let ids = found.into_keys().collect();
            return Err(RememberError::Several { given: term.to_owned(), ids });
        }
        match found.pop_first() {
            Some((id, sightings)) => Ok(Shown { id, sightings }),
            None => {
                let near = entente_expr::nearest(term, names.iter().map(String::as_str));
                let near = near.map(str::to_owned);
                Err(RememberError::UnknownWorkload { given: term.to_owned(), near })
            }
        }
    }
}

/// One of the names by which people know a machine.
fn is_named(workload: &entente_model::Workload, term: &str) -> bool {
    let same = |text: &str| text.eq_ignore_ascii_case(term);
    let uuids = [&workload.instance_uuid, &workload.bios_uuid];
    same(&workload.name)
        || same(workload.id.as_str())
        || workload.native_id.value().is_some_and(|it| same(it))
        || workload.guest.hostname.value().is_some_and(|it| same(it))
        || uuids.iter().any(|it| it.value().is_some_and(|it| same(&it.to_string())))
        || workload.guest.primary_address.value().is_some_and(|it| same(&it.to_string()))
        || workload.nics.iter().any(|nic| {
            nic.mac.value().is_some_and(|it| same(it))
                || nic.addresses.iter().any(|it| same(&it.to_string()))
        })
}

/// A change, with whoever worked on the thing meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// What changed.
    #[serde(flatten)]
    pub change: Change,
    /// Tasks on the thing between the two readings: what changed it is among them, if anything told.
    pub by: Vec<By>,
}

/// A task on a thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct By {
    /// Who.
    pub principal: String,
    /// What, as the platform calls it.
    pub action: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// Everything that is known of one workload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// What each source tells of it.
    pub sightings: Vec<Sighting>,
}

/// What one source tells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sighting {
    /// Name of the connector.
    pub connector: String,
    /// The source.
    pub source: String,
    /// When it was observed.
    #[serde(with = "time::serde::rfc3339")]
    pub observed: OffsetDateTime,
    /// Whether that is longer ago than it may be: what is told may not be so any more.
    pub is_stale: bool,
    /// Facts, by where they stand.
    pub facts: Vec<(String, Value)>,
}

/// Facts of an object, by where they stand: `cpu.count`, `disks[Hard disk 1].capacity_bytes`.
fn flatten(field: String, value: &Value, facts: &mut Vec<(String, Value)>) {
    let inner = |name: &str| match field.is_empty() {
        true => name.to_owned(),
        false => format!("{field}.{name}"),
    };
    match value {
        Value::Object(fields) if fields.contains_key("unobserved") => {
            facts.push((field, value.clone()));
        }
        Value::Object(fields) => {
            if let (Some(Value::Array(items)), Some(completeness)) =
                (fields.get("items"), fields.get("completeness"))
            {
                if completeness.as_str() != Some("complete") || items.is_empty() {
                    facts.push((field.clone(), completeness_of(completeness)));
                }
                list(&field, items, facts);
                return;
            }
            for (name, value) in fields {
                flatten(inner(name), value, facts);
            }
        }
        Value::Array(items) => list(&field, items, facts),
        _ => facts.push((field, value.clone())),
    }
}

/// An empty list, or one that is not whole.
fn completeness_of(completeness: &Value) -> Value {
    match completeness.get("incomplete") {
        Some(why) => serde_json::json!({ "unobserved": why }),
        None => Value::Null,
    }
}

fn list(field: &str, items: &[Value], facts: &mut Vec<(String, Value)>) {
    for (name, item) in item_names(items).into_iter().zip(items) {
        flatten(format!("{field}[{name}]"), item, facts);
    }
}

#[cfg(test)]
mod tests;
