//! Collections on disk: one file a platform, `<platform>.collection`, in a format of its own version.
//!
//! The file is JSON Lines, compressed with gzip (`zcat` shows it): a header, one object a line, and an
//! end that says how many lines came before it. A file without that end was cut off and is refused,
//! since what is missing would read as "none". `docs/collection.md` is the format for people,
//! `docs/schema/collection-1.json` its schema.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use entente_model::{
    Activity, Alarm, Attachment, AuthenticationSource, Cluster, Collection, Datastore, Finding,
    Folder, Gap, Grant, Host, Licence, NativePolicy, Network, PlacementGroup, PlacementRule,
    Platform, Principal, Product, ProtectionJob, ResourcePool, Role, Source, StoragePolicy, Switch,
    TagCategory, Volume, Workload, WorkloadOverride,
};
use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a file of this format ends.
pub const EXTENSION: &str = "collection";

/// What its header says.
pub const FORMAT: &str = "entente.collection/1";

/// Longest line, in bytes: a workload with hundreds of disks needs a tenth of it.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Most lines: a hundred times the largest estate.
const LINES_MAX: u64 = 100_000_000;

/// What gzip files begin with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// `entente.collection/1`.
    pub format: String,
    /// Version of Entente that wrote it.
    pub written_by: String,
    /// What was read, when, and what it can never tell.
    pub source: Source,
}

/// The last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// How many lines came before it.
    pub lines: u64,
}

macro_rules! lines {
    ($($variant:ident($type:ty) in $($list:ident).+;)*) => {
        /// One line of the file: an object with one field that says what it is.
        #[derive(Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Line {
            /// First.
            Header(Box<Header>),
            $(#[doc = concat!("Into `", stringify!($($list).+), "`.")]
            $variant(Box<$type>),)*
            /// Last.
            End(End),
        }

        /// One line, borrowed for writing.
        #[derive(Serialize)]
        #[serde(rename_all = "snake_case")]
        enum LineRef<'a> {
            Header(&'a Header),
            $($variant(&'a $type),)*
            End(End),
        }

        fn write_objects(collection: &Collection, out: &mut Lines<impl Write>) -> io::Result<()> {
            $(for object in &collection.$($list).+ {
                out.put(&LineRef::$variant(object))?;
            })*
            Ok(())
        }

        fn take(line: Line, collection: &mut Collection) -> Option<End> {
            match line {
                Line::Header(_) => None,
                $(Line::$variant(object) => {
                    collection.$($list).+.push(*object);
                    None
                })*
                Line::End(end) => Some(end),
            }
        }
    };
}

lines! {
    Gap(Gap) in gaps;
    Finding(Finding) in findings;
    Platform(Platform) in platforms;
    Product(Product) in products;
    Cluster(Cluster) in clusters;
    Host(Host) in hosts;
    Datastore(Datastore) in datastores;
    Switch(Switch) in switches;
    Network(Network) in networks;
    ResourcePool(ResourcePool) in resource_pools;
    Licence(Licence) in licences;
    Workload(Workload) in workloads;
    Folder(Folder) in control.folders;
    TagCategory(TagCategory) in control.tag_categories;
    Principal(Principal) in control.principals;
    AuthenticationSource(AuthenticationSource) in control.authentication_sources;
    Role(Role) in control.roles;
    Grant(Grant) in control.grants;
    PlacementGroup(PlacementGroup) in control.placement_groups;
    PlacementRule(PlacementRule) in control.placement_rules;
    Override(WorkloadOverride) in control.overrides;
    StoragePolicy(StoragePolicy) in control.storage_policies;
    Volume(Volume) in control.volumes;
    ProtectionJob(ProtectionJob) in control.protection_jobs;
    Alarm(Alarm) in control.alarms;
    Attachment(Attachment) in control.attachments;
    Activity(Activity) in control.activities;
    Policy(NativePolicy) in control.policies;
}

/// Why a file is no collection.
#[derive(Debug, thiserror::Error)]
pub enum CollectionFileError {
    /// It cannot be read.
    #[error("`{file}` cannot be read")]
    Unreadable {
        /// Where.
        file: String,
        /// Why.
        #[source]
        reason: io::Error,
    },
    /// A line cannot be understood.
    #[error("`{file}`, line {line}: {reason}")]
    Line {
        /// Where.
        file: String,
        /// Which, from 1, after decompression.
        line: u64,
        /// Why.
        reason: String,
    },
    /// It ends early.
    #[error("`{file}` ends early, after line {lines}")]
    CutOff {
        /// Where.
        file: String,
        /// How many were read.
        lines: u64,
    },
    /// Another version wrote it.
    #[error("`{file}` is of format `{found}`, and this version reads `{FORMAT}`")]
    OtherFormat {
        /// Where.
        file: String,
        /// What it says.
        found: String,
    },
}

impl CollectionFileError {
    /// The stable code, with a page in `docs/errors/`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "ENT-0124",
            Self::Line { .. } | Self::CutOff { .. } => "ENT-0125",
            Self::OtherFormat { .. } => "ENT-0126",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "check the path and its permissions",
            Self::Line { .. } | Self::CutOff { .. } => "collect again: the file was damaged",
            Self::OtherFormat { .. } => {
                "use the version of Entente that wrote it, or collect again"
            }
        }
    }
}

/// Writes a collection into a folder: the whole file or nothing. Gives its path.
pub fn write_collection(collection: &Collection, folder: &Path) -> io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("{}.{EXTENSION}", collection.source.id));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    write_lines(collection, &mut file)?;
    // Readable by its owner alone: an inventory is worth protecting.
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(path)
}

fn write_lines(collection: &Collection, file: &mut impl Write) -> io::Result<()> {
    let encoder = GzEncoder::new(BufWriter::new(file), Compression::fast());
    let mut out = Lines { out: BufWriter::with_capacity(1 << 16, encoder), lines: 0 };
    let header = Header {
        format: FORMAT.to_owned(),
        written_by: env!("CARGO_PKG_VERSION").to_owned(),
        source: collection.source.clone(),
    };
    out.put(&LineRef::Header(&header))?;
    write_objects(collection, &mut out)?;
    let end = End { lines: out.lines };
    out.put(&LineRef::End(end))?;
    let encoder = out.out.into_inner().map_err(io::IntoInnerError::into_error)?;
    encoder.finish()?.flush()
}

struct Lines<W> {
    out: W,
    lines: u64,
}

impl<W: Write> Lines<W> {
    fn put(&mut self, line: &LineRef<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, line)?;
        self.lines += 1;
        self.out.write_all(b"\n")
    }
}

/// The collections that a path leads to: a file, or a folder of them. Nothing if it leads to something
/// else.
pub fn collection_files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let has_extension = |it: &Path| it.extension().is_some_and(|it| it == EXTENSION);
    if !path.is_dir() {
        return Ok(if has_extension(path) { vec![path.to_owned()] } else { Vec::new() });
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_file() && has_extension(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Reads a collection.
pub fn read_collection(path: &Path) -> Result<Collection, CollectionFileError> {
    let file = path.display().to_string();
    let unreadable = |reason| CollectionFileError::Unreadable { file: file.clone(), reason };
    let mut raw = BufReader::with_capacity(1 << 16, File::open(path).map_err(unreadable)?);
    let is_gzip = raw.fill_buf().map_err(unreadable)?.starts_with(&GZIP);
    let reader: Box<dyn BufRead> = if is_gzip {
        Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(raw)))
    } else {
        Box::new(raw)
    };
    Reading { file, reader, lines: 0 }.collection()
}

/// A file that is being read.
struct Reading {
    file: String,
    reader: Box<dyn BufRead>,
    lines: u64,
}

impl Reading {
    fn collection(mut self) -> Result<Collection, CollectionFileError> {
        let mut buffer = Vec::new();
        let mut collection = match self.next(&mut buffer)? {
            Some(Line::Header(header)) if header.format == FORMAT => {
                Collection::empty(header.source)
            }
            Some(Line::Header(header)) => {
                return Err(CollectionFileError::OtherFormat {
                    file: self.file,
                    found: header.format,
                });
            }
            Some(_) => return Err(self.wrong("the header is missing".into())),
            None => return Err(self.cut_off()),
        };
        while let Some(line) = self.next(&mut buffer)? {
            if let Some(end) = take(line, &mut collection) {
                if end.lines + 1 != self.lines {
                    return Err(self.wrong(format!("it should be line {}", end.lines + 1)));
                }
                // Only at the very end does the decompressor compare its checksum.
                return match self.reader.read(&mut [0]) {
                    Ok(0) => Ok(collection),
                    Ok(_) => Err(self.wrong("something follows the end".into())),
                    Err(_) => Err(self.cut_off()),
                };
            }
        }
        Err(self.cut_off())
    }

    fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Line>, CollectionFileError> {
        buffer.clear();
        let read = (&mut self.reader).take(LINE_BYTES_MAX).read_until(b'\n', buffer);
        match read {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            // What the decompressor says of a file that was cut off.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(self.wrong(error.to_string())),
        }
        self.lines += 1;
        if self.lines > LINES_MAX {
            return Err(self.wrong(format!("more than {LINES_MAX} lines")));
        }
        if buffer.last() != Some(&b'\n') {
            return if buffer.len() as u64 == LINE_BYTES_MAX {
                Err(self.wrong(format!("it is longer than {LINE_BYTES_MAX} bytes")))
            } else {
                Ok(None)
            };
        }
        serde_json::from_slice(buffer).map(Some).map_err(|error| {
            let text = String::from_utf8_lossy(buffer);
            // The name of the only field tells what kind of line it is, without its contents.
            let kind: String = text.chars().skip(2).take_while(|it| *it != '"').take(24).collect();
            self.wrong(format!("`{kind}` cannot be understood: {error}"))
        })
    }

    fn wrong(&self, reason: String) -> CollectionFileError {
        CollectionFileError::Line { file: self.file.clone(), line: self.lines, reason }
    }

    fn cut_off(&self) -> CollectionFileError {
        CollectionFileError::CutOff { file: self.file.clone(), lines: self.lines }
    }
}

#[cfg(test)]
mod tests;
