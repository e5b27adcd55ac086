//! Tables in files: sheets of a workbook, CSV files in a folder or archive, behind one door.
//!
//! Reads row by row, in bounded memory, within named [`Limits`]. It says what a cell holds, not what
//! that means: units, dates in text, missing markers are the connector's business.

mod archive;
mod cell;
mod csv_file;
mod limits;
mod markup;
mod shared_strings;
#[cfg(test)]
mod tests;
mod workbook;

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

pub use cell::{Cell, Row};
pub use limits::Limits;

use archive::Archive;
use csv_file::CsvFile;
use workbook::Workbook;

/// Why a file (or a table in it) cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Not there.
    #[error("there is no such file or folder")]
    NotFound,
    /// There, but not to be opened or read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// Nothing in it.
    #[error("it is empty (0 bytes)")]
    Empty,
    /// Encrypted workbook.
    #[error("it is a workbook protected by a password")]
    Encrypted,
    /// Binary workbook of Excel 97–2003.
    #[error("it is a binary workbook (.xls)")]
    OldWorkbook,
    /// Neither a workbook nor an archive nor text.
    #[error("it is neither a workbook (.xlsx), nor an archive (.zip) of CSV files, nor CSV text")]
    UnknownFormat,
    /// Damaged.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// The rest is missing.
    #[error("it ends early")]
    Truncated,
    /// Markup that cannot be followed.
    #[error("its markup cannot be followed: {0}")]
    Markup(String),
    /// A named limit.
    #[error("it is refused for safety: {0}")]
    Limit(String),
}

impl TableError {
    fn from_open(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            _ => Self::Unreadable(error.to_string()),
        }
    }

    fn from_read(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            // The decompressor and the limit reader speak through `io::Error`.
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                Self::Damaged(error.to_string())
            }
            io::ErrorKind::QuotaExceeded => Self::Limit(error.to_string()),
            _ => Self::Unreadable(error.to_string()),
        }
    }
}

/// Something worth knowing about how a table was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Not UTF-8: read as this encoding.
    Encoding(&'static str),
    /// It ends early or is damaged after this row.
    CutAfter {
        /// Last row that was whole.
        row: u32,
        /// What was wrong.
        reason: String,
    },
    /// A limit was reached; nothing was read beyond this row.
    LimitAfter {
        /// Last row that was read.
        row: u32,
        /// Which limit.
        reason: String,
    },
    /// A row has another number of fields than the header.
    Ragged {
        /// The row.
        row: u32,
        /// Fields it has.
        fields: usize,
        /// Fields of the header.
        expected: usize,
    },
}

/// What a reader of rows does with each.
pub type Sink<'s> = &'s mut dyn FnMut(&Row<'_>) -> ControlFlow<()>;

/// One table: a sheet or a CSV file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableInfo {
    /// Sheet name, or file name without `.csv`.
    pub name: String,
    /// File that holds it, for messages.
    pub file: String,
    /// Rough size, for ordering work: bytes as stored.
    pub stored_bytes: u64,
}

/// A workbook, a CSV file, or a folder or archive of CSV files.
#[derive(Debug)]
pub struct Tables {
    kind: Kind,
    infos: Vec<TableInfo>,
}

#[derive(Debug)]
enum Kind {
    Workbook(Box<Workbook>),
    CsvFiles { files: Vec<PathBuf>, limits: Limits },
    CsvArchive { archive: Archive, entries: Vec<usize> },
}

impl Tables {
    /// Opens `path`: looks at its content, not at its name.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, TableError> {
        let metadata = std::fs::metadata(path).map_err(|error| TableError::from_open(&error))?;
        if metadata.is_dir() {
            return Self::open_folder(path, limits);
        }
        if metadata.len() == 0 {
            return Err(TableError::Empty);
        }
        match archive::signature(path)? {
            archive::Signature::Zip => {
                let archive = Archive::open(path, limits)?;
                if Workbook::is_in(&archive) {
                    let workbook = Workbook::open(archive, path)?;
                    let infos = workbook.infos();
                    return Ok(Self { kind: Kind::Workbook(Box::new(workbook)), infos });
                }
                Self::open_csv_archive(archive, path)
            }
            archive::Signature::Encrypted => Err(TableError::Encrypted),
            archive::Signature::OldWorkbook => Err(TableError::OldWorkbook),
            archive::Signature::Text => Self::open_csv_files(vec![path.to_owned()], limits),
            archive::Signature::Unknown => Err(TableError::UnknownFormat),
        }
    }

    fn open_folder(path: &Path, limits: Limits) -> Result<Self, TableError> {
        let entries = std::fs::read_dir(path).map_err(|error| TableError::from_open(&error))?;
        let mut files = Vec::new();
        for entry in entries {
            let file = entry.map_err(|error| TableError::from_open(&error))?.path();
            if has_csv_name(&file) && file.is_file() {
                files.push(file);
            }
        }
        files.sort();
        Self::open_csv_files(files, limits)
    }

    fn open_csv_files(files: Vec<PathBuf>, limits: Limits) -> Result<Self, TableError> {
        let infos = files
            .iter()
            .map(|file| TableInfo {
                name: stem(file),
                file: file_name(file),
                stored_bytes: std::fs::metadata(file).map(|it| it.len()).unwrap_or_default(),
            })
            .collect();
        Ok(Self { kind: Kind::CsvFiles { files, limits }, infos })
    }

    fn open_csv_archive(archive: Archive, path: &Path) -> Result<Self, TableError> {
        let mut entries = Vec::new();
        let mut infos = Vec::new();
        for (at, entry) in archive.entries().iter().enumerate() {
            let name = Path::new(&entry.name);
            if has_csv_name(name) {
                entries.push(at);
                infos.push(TableInfo {
                    name: stem(name),
                    file: format!("{}:{}", file_name(path), entry.name),
                    stored_bytes: entry.packed_bytes,
                });
            }
        }
        Ok(Self { kind: Kind::CsvArchive { archive, entries }, infos })
    }

    /// The tables in it, in the file's order.
    pub fn infos(&self) -> &[TableInfo] {
        &self.infos
    }

    /// Reads one table from its first row, the header, to its last, unless `sink` breaks. What is
    /// wrong inside the table becomes notes; only a table that cannot be begun is an error.
    pub fn read(&self, table: usize, sink: Sink<'_>) -> Result<Vec<Note>, TableError> {
        match &self.kind {
            Kind::Workbook(workbook) => workbook.read(table, sink),
            Kind::CsvFiles { files, limits } => {
                let file = files.get(table).ok_or(TableError::NotFound)?;
                CsvFile::from_path(file, *limits)?.read(sink)
            }
            Kind::CsvArchive { archive, entries } => {
                let entry = *entries.get(table).ok_or(TableError::NotFound)?;
                CsvFile::from_archive(archive, entry)?.read(sink)
            }
        }
    }
}

fn has_csv_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
        && !file_name(path).starts_with('.')
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The last part of a path, for messages.
pub fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(|| path.to_string_lossy().into_owned(), |it| it.to_string_lossy().into_owned())
}
