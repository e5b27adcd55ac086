//! The use case `assess`: exports in, an assessed estate out.

use std::path::{Path, PathBuf};

use entente_connect::connector::{CollectError, Watch};
use entente_connect::exports;
use entente_connect::tables::Limits;
use entente_model::{Collection, Date, Estate};
use entente_readiness::{Catalogue, CatalogueError, DataError, Guests, Lifecycles};

use crate::collection_file::{CollectionFileError, collection_files, read_collection};
use crate::document::Assessment;
use crate::mask::mask;
use crate::overlay::{self, OverlayError};
use crate::report::{Tables, assemble};
use crate::standing::readings_of_files;

/// What to assess, and how.
#[derive(Clone, Debug)]
pub struct AssessRequest {
    /// Exports and collections: files or folders.
    pub exports: Vec<PathBuf>,
    /// Targets by id; empty = all.
    pub targets: Vec<String>,
    /// A table from people.
    pub overlay: Option<PathBuf>,
    /// A file of checks that are added or overridden.
    pub checks: Option<PathBuf>,
    /// Replace names, addresses and ids.
    pub masked: bool,
    /// The date against which ages are judged.
    pub as_of: Date,
}

/// Why there is no assessment.
#[derive(Debug, thiserror::Error)]
pub enum AssessError {
    /// A source cannot be read.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// A collection cannot be read.
    #[error(transparent)]
    Collection(#[from] CollectionFileError),
    /// The same export is given twice.
    #[error("`{0}` is given twice")]
    GivenTwice(String),
    /// The overlay cannot be used.
    #[error(transparent)]
    Overlay(#[from] OverlayError),
    /// The file of checks cannot be read.
    #[error("the checks `{file}` cannot be read")]
    ChecksFile {
        /// Where.
        file: String,
        /// Why.
        #[source]
        reason: std::io::Error,
    },
    /// The file of checks has mistakes.
    #[error("the checks `{file}` have {} mistake(s)", mistakes.len())]
    Checks {
        /// Where.
        file: String,
        /// All of them.
        mistakes: Vec<CatalogueError>,
    },
    /// No such target.
    #[error("there is no target `{given}`")]
    Target {
        /// What was asked for.
        given: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// Data of this build is damaged: a mistake of ours.
    #[error(transparent)]
    Data(#[from] DataError),
}

impl AssessError {
    /// The stable code, with a page in `docs/errors/`; none for mistakes of ours.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Collect(error) => Some(error.code()),
            Self::Collection(error) => Some(error.code()),
            Self::GivenTwice(_) => Some("ENT-0115"),
            Self::Overlay(_) => Some("ENT-0111"),
            Self::ChecksFile { .. } | Self::Checks { .. } => Some("ENT-0112"),
            Self::Target { .. } => Some("ENT-0113"),
            Self::Data(_) => None,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Collect(error) => Some(error.hint()),
            Self::Collection(error) => Some(error.hint().into()),
            Self::GivenTwice(_) => Some("name each export once".into()),
            Self::Overlay(OverlayError::Table { .. }) => {
                Some("give a CSV file or a workbook (.xlsx) with one header row".into())
            }
            Self::Overlay(OverlayError::Columns { .. }) => Some(
                "the first row must hold the headers, for example `name,application,owner,tier`"
                    .into(),
            ),
            Self::ChecksFile { .. } => Some("check the path and its permissions".into()),
            Self::Checks { mistakes, .. } => {
                Some(mistakes.iter().map(CatalogueError::render).collect::<Vec<_>>().join("\n"))
            }
            Self::Target { known, .. } => Some(format!("targets are {}", known.join(", "))),
            Self::Data(_) => None,
        }
    }
}

/// Assesses exports and collections.
pub fn assess(request: &AssessRequest, watch: &dyn Watch) -> Result<Assessment, AssessError> {
    assess_estate(request, || estate(request, watch))
}

/// Assesses an estate that comes from elsewhere; it is only asked for when everything else is in order.
pub fn assess_estate<E: From<AssessError>>(
    request: &AssessRequest,
    estate: impl FnOnce() -> Result<Estate, E>,
) -> Result<Assessment, E> {
    let catalogue = catalogue(request.checks.as_deref())?;
    let targets = chosen_targets(&catalogue, &request.targets)?;
    let guests = Guests::builtin().map_err(AssessError::from)?;
    let lifecycles = Lifecycles::builtin().map_err(AssessError::from)?;
    let mut estate = estate()?;
    if let Some(path) = &request.overlay {
        overlay::lay(&mut estate, path).map_err(AssessError::from)?;
    }
    let tables = Tables { catalogue: &catalogue, guests: &guests, lifecycles: &lifecycles };
    let mut assessment = assemble(&estate, &tables, &targets, request.as_of);
    if request.masked {
        mask(&mut assessment);
    }
    Ok(assessment)
}

/// The check catalogue, with a file laid over it.
pub fn catalogue(checks: Option<&Path>) -> Result<Catalogue, AssessError> {
    let catalogue = Catalogue::builtin()?;
    let Some(path) = checks else { return Ok(catalogue) };
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|reason| AssessError::ChecksFile { file: file.clone(), reason })?;
    catalogue
        .with_overrides(&file, &text)
        .map_err(|mistakes| AssessError::Checks { file, mistakes })
}

/// Positions of the targets asked for.
fn chosen_targets(catalogue: &Catalogue, asked: &[String]) -> Result<Vec<usize>, AssessError> {
    let targets = catalogue.targets();
    if asked.is_empty() {
        return Ok((0..targets.len()).collect());
    }
    let mut chosen = Vec::new();
    for given in asked {
        let position =
            targets.position(&given.to_lowercase()).ok_or_else(|| AssessError::Target {
                given: given.clone(),
                known: targets.ids().map(str::to_owned).collect(),
            })?;
        if !chosen.contains(&position) {
            chosen.push(position);
        }
    }
    chosen.sort_unstable();
    Ok(chosen)
}

/// Reads all sources into one estate.
fn estate(request: &AssessRequest, watch: &dyn Watch) -> Result<Estate, AssessError> {
    let mut collections = Vec::new();
    let mut seen: Vec<PathBuf> = Vec::new();
    for path in &request.exports {
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        if seen.contains(&real) {
            return Err(AssessError::GivenTwice(path.display().to_string()));
        }
        seen.push(real);
        let read = read_sources::<AssessError>(path, watch)?;
        collections.extend(read.into_iter().map(|it| it.1));
    }
    Ok(Estate::of(readings_of_files(collections)))
}

/// Reads an export, or each collection in a folder, with where it was.
pub(crate) fn read_sources<E: From<CollectError> + From<CollectionFileError>>(
    path: &Path,
    watch: &dyn Watch,
) -> Result<Vec<(PathBuf, Collection)>, E> {
    // A path that cannot be listed is told of by the reader of exports.
    let files = collection_files(path).unwrap_or_default();
    if files.is_empty() {
        return Ok(vec![(path.to_owned(), collect_export(path, watch)?)]);
    }
    let read = |file: PathBuf| read_collection(&file).map(|it| (file, it)).map_err(E::from);
    files.into_iter().map(read).collect()
}

/// Reads an export with the first connector that takes it for its own.
fn collect_export(path: &Path, watch: &dyn Watch) -> Result<Collection, CollectError> {
    let mut refusal = CollectError::NotThis {
        file: path.display().to_string(),
        expected: "an export that any connector reads".into(),
        found: "there is no connector for exports in this build".into(),
    };
    for (_, export) in exports() {
        match export.collect(path, Limits::default(), watch) {
            Err(error @ CollectError::NotThis { .. }) => refusal = error,
            outcome => return outcome,
        }
    }
    Err(refusal)
}
