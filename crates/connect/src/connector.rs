//! What every connector is, and the rules that each keeps.
//!
//! - A connector returns a [`Collection`] with gaps, not a `Result` per object: one bad object never
//!   sinks a collection. Only a source that cannot be reached, opened or recognised is an error.
//! - What could not be mapped is a gap that names where it is and what it said.
//! - What a kind of source can never observe is declared once, as a [`SourceLimit`].
//! - Secrets (licence keys, passwords in notes) are redacted here: no other crate ever sees them.
//! - Every loop, page and list has a named limit; reaching one is a gap.
//! - One connector does not know another.
//!
//! [`SourceLimit`]: entente_model::SourceLimit

use std::path::Path;

use entente_model::{Collection, SourceLimit, Text, Why};

use crate::live::Live;
use crate::tables::{Limits, TableError, file_name};

/// Something that can be read: one kind of platform, tool or export.
pub trait Connector: Sync {
    /// Its name in configuration and output.
    fn name(&self) -> &'static str;

    /// Its name for people.
    fn label(&self) -> &'static str;

    /// How it is read.
    fn access(&self) -> Access;
}

/// How something is read.
#[derive(Clone, Copy)]
pub enum Access {
    /// From files that somebody exported.
    Export(&'static dyn Export),
    /// By logging in.
    Live(&'static dyn Live),
}

/// A kind of export.
pub trait Export: Sync {
    /// Reads one export.
    fn collect(
        &self,
        path: &Path,
        limits: Limits,
        watch: &dyn Watch,
    ) -> Result<Collection, CollectError>;
}

/// Somebody who wants to know how far a collection is.
pub trait Watch: Sync {
    /// A section was read: `done` of `all` sections of this source.
    fn section(&self, source: &str, section: &str, rows: u64, done: usize, all: usize);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn section(&self, _: &str, _: &str, _: u64, _: usize, _: usize) {}
}

/// Why a source could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The file cannot be opened or read as tables.
    #[error("`{file}`: {reason}")]
    Table {
        /// Where.
        file: String,
        /// Why.
        reason: TableError,
    },
    /// It can be read but is something else.
    #[error("`{file}` is not {expected}: {found}")]
    NotThis {
        /// Where.
        file: String,
        /// What it should be, with what was looked for.
        expected: String,
        /// What was found instead.
        found: String,
    },
    /// It is the right thing, with nothing in it.
    #[error("`{file}` has no workloads: {reason}")]
    NoWorkloads {
        /// Where.
        file: String,
        /// What is empty.
        reason: String,
    },
}

impl CollectError {
    pub(crate) fn table(path: &Path, reason: TableError) -> Self {
        Self::Table { file: path.display().to_string(), reason }
    }

    /// The stable code, with a page in `docs/errors/`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Table { reason, .. } => match reason {
                TableError::NotFound => "ENT-0101",
                TableError::Unreadable(_) => "ENT-0102",
                TableError::Empty => "ENT-0103",
                TableError::UnknownFormat => "ENT-0104",
                TableError::Encrypted => "ENT-0105",
                TableError::OldWorkbook => "ENT-0106",
                TableError::Damaged(_) | TableError::Truncated | TableError::Markup(_) => {
                    "ENT-0107"
                }
                TableError::Limit(_) => "ENT-0108",
            },
            Self::NotThis { .. } => "ENT-0104",
            Self::NoWorkloads { .. } => "ENT-0109",
        }
    }

    /// What to do next, in one sentence.
    pub fn hint(&self) -> String {
        match self {
            Self::Table { file, reason } => match reason {
                TableError::NotFound => "check the path; quote it if it holds spaces".into(),
                TableError::Unreadable(_) if file_name(Path::new(file)).starts_with("~$") => {
                    "this is the lock file that Excel keeps beside an open workbook: name the workbook itself".into()
                }
                TableError::Unreadable(_) => {
                    "close the program that holds it open, or allow this user to read it".into()
                }
                TableError::Empty => "export again: the export was interrupted before it wrote anything".into(),
                TableError::Encrypted => {
                    "open it with its password and save a copy without one".into()
                }
                TableError::OldWorkbook => "open it and save it as .xlsx, or export again".into(),
                TableError::UnknownFormat => {
                    "give the .xlsx that RVTools wrote, or the folder or .zip of its RVTools_tab*.csv files".into()
                }
                TableError::Damaged(_) | TableError::Truncated | TableError::Markup(_) => {
                    "copy or export it again: the file is incomplete or damaged".into()
                }
                TableError::Limit(_) => {
                    "no real export comes near this limit: make sure of where the file comes from".into()
                }
            },
            Self::NotThis { .. } => {
                "give the .xlsx that RVTools wrote, or the folder or .zip of its RVTools_tab*.csv files".into()
            }
            Self::NoWorkloads { .. } => {
                "export again with an account that may see the virtual machines".into()
            }
        }
    }
}

/// What a kind of source can never tell, by attribute, with what would tell instead.
pub(crate) fn source_limits(limits: &[(&'static str, &'static str)]) -> Vec<SourceLimit> {
    let limit = |(attribute, message): &(&'static str, &'static str)| SourceLimit {
        attribute: Text::new_static(attribute),
        why: Why::SourceLimit,
        message: Text::new_static(message),
    };
    limits.iter().map(limit).collect()
}
