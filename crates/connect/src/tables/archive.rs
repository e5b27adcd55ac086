//! Zip archives, read entry by entry under limits; nothing is ever unpacked to disk.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use memchr::memmem;
use zip::ZipArchive;
use zip::result::ZipError;

use super::TableError;
use super::limits::Limits;

/// What a file is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    Zip,
    Encrypted,
    OldWorkbook,
    Text,
    Unknown,
}

/// How far into a compound file its directory is looked for.
const DIRECTORY_SEARCH_BYTES: u64 = 16 << 20;

/// Looks at the first bytes of a file.
pub(super) fn signature(path: &Path) -> Result<Signature, TableError> {
    let mut file = File::open(path).map_err(|error| TableError::from_open(&error))?;
    let mut head = Vec::new();
    file.by_ref().take(4096).read_to_end(&mut head).map_err(TableError::from_read)?;
    if head.starts_with(b"PK") {
        return Ok(Signature::Zip);
    }
    if head.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        file.take(DIRECTORY_SEARCH_BYTES).read_to_end(&mut head).map_err(TableError::from_read)?;
        let name: Vec<u8> = "EncryptedPackage".bytes().flat_map(|byte| [byte, 0]).collect();
        return Ok(match memmem::find(&head, &name) {
            Some(_) => Signature::Encrypted,
            None => Signature::OldWorkbook,
        });
    }
    let utf16 = head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF");
    let binary = head.iter().any(|byte| *byte < 9 || (14..32).contains(byte));
    Ok(if utf16 || !binary { Signature::Text } else { Signature::Unknown })
}

/// One entry of an archive.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) packed_bytes: u64,
}

/// An archive. Each read opens the file anew, so that threads read entries side by side.
#[derive(Clone, Debug)]
pub(super) struct Archive {
    path: PathBuf,
    entries: Vec<Entry>,
    pub(super) limits: Limits,
}

impl Archive {
    /// Reads the directory of the archive and refuses what no honest archive has.
    pub(super) fn open(path: &Path, limits: Limits) -> Result<Self, TableError> {
        let mut archive = open_zip(path)?;
        if archive.len() > limits.zip_entries_max {
            return Err(TableError::Limit(format!(
                "{} entries in the archive, more than {}",
                archive.len(),
                limits.zip_entries_max
            )));
        }
        let mut entries = Vec::with_capacity(archive.len());
        for at in 0..archive.len() {
            let entry = archive.by_index_raw(at).map_err(from_zip)?;
            let name = entry.name().map_err(from_zip)?.replace('\\', "/");
            if leaves_the_archive(&name) {
                return Err(TableError::Limit(format!(
                    "the entry `{name}` points outside the archive"
                )));
            }
            entries.push(Entry { name, packed_bytes: entry.compressed_size() });
        }
        Ok(Self { path: path.to_owned(), entries, limits })
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Position of the entry of this name, whatever its case.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.entries.iter().position(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// Lends a reader of one entry's inflated bytes.
    pub(super) fn with_entry<T>(
        &self,
        at: usize,
        use_it: impl FnOnce(&mut dyn Read) -> Result<T, TableError>,
    ) -> Result<T, TableError> {
        let mut archive = open_zip(&self.path)?;
        let entry = archive.by_index(at).map_err(from_zip)?;
        let bytes_max = entry
            .compressed_size()
            .saturating_mul(self.limits.inflation_ratio_max)
            .saturating_add(self.limits.inflation_free_bytes)
            .min(self.limits.entry_bytes_max);
        use_it(&mut Bounded { input: entry, left: bytes_max })
    }
}

fn open_zip(path: &Path) -> Result<ZipArchive<BufReader<File>>, TableError> {
    let file = File::open(path).map_err(|error| TableError::from_open(&error))?;
    ZipArchive::new(BufReader::with_capacity(64 << 10, file)).map_err(from_zip)
}

fn from_zip(error: ZipError) -> TableError {
    match error {
        ZipError::Io(error) => TableError::from_read(error),
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => TableError::Encrypted,
        ZipError::InvalidArchive(reason) => {
            TableError::Damaged(format!("its directory cannot be read, as if cut off ({reason})"))
        }
        other => TableError::Damaged(other.to_string()),
    }
}

fn leaves_the_archive(name: &str) -> bool {
    name.starts_with('/')
        || name.chars().nth(1) == Some(':')
        || name.split('/').any(|part| part == "..")
}

/// A reader that stops with an error rather than inflate a bomb.
struct Bounded<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(out)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => {
                return Err(io::Error::new(
                    io::ErrorKind::QuotaExceeded,
                    "an entry inflates to far more than any export holds",
                ));
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_archive() {
        for name in ["../x", "a/../../x", "/etc/x", "C:/x"] {
            assert!(leaves_the_archive(name), "{name}");
        }
        assert!(!leaves_the_archive("xl/worksheets/sheet1..xml"));
    }
}
