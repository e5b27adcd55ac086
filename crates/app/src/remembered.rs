//! The use cases of the store: put collections in, and ask what is and was known.

use std::path::PathBuf;

use entente_connect::connector::{CollectError, Watch};
use entente_model::Collection;
use entente_store::query::QueryError;
use entente_store::{Address, AsOf, Delta, Stamp, Store, StoreError, Written, point};

use crate::assess::read_sources;
use crate::collection_file::CollectionFileError;
use crate::freshness::{Aged, Freshness};
use crate::now_utc;

/// Counts up when the same answer of a platform is read differently: such differences are no changes of the
/// world.
const MAPPER: u32 = 1;

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
        point::reached("collected");
        let written = self.store.write(collection, &stamp).await?;
        point::reached("remembered");
        Ok(written)
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
}

#[cfg(test)]
mod tests;
