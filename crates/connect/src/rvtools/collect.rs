//! File → rows: finds the tabs, reads them side by side, and hands each row to its mapper.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use entente_model::{
    Collection, GapCause, Moment, PlatformId, Source, SourceId, Tally, Text, WorkloadId,
};

use super::NAME;
use super::map::{Export, Parts, TabRead, join, row_mapper};
use super::wire::columns::{TABS, Tab};
use super::wire::{Cells, GapLog, Header, PlatformColumns, Scope, TextPool, Version};
use crate::connector::source_limits;
use crate::connector::{CollectError, Watch};
use crate::rvtools::LIMITS;
use crate::tables::{Limits, Note, Row, TableError, TableInfo, Tables, file_name};

/// Rows at the top of a sheet among which the header is looked for: people insert titles.
const HEADER_ROWS_MAX: u32 = 5;

/// Headers of its own that a sheet must have to be taken for a tab.
const KNOWN_HEADERS_MIN: usize = 2;

/// Threads that read tabs; more gain nothing, since a few tabs hold most cells.
const THREADS_MAX: usize = 4;

/// Reads one export.
pub(super) fn collect(
    path: &Path,
    table_limits: Limits,
    watch: &dyn Watch,
) -> Result<Collection, CollectError> {
    let tables =
        Tables::open(path, table_limits).map_err(|reason| CollectError::table(path, reason))?;
    let survey = Survey::of(&tables, path);
    survey.refuse_others(&tables, path)?;
    let export = survey.read(&tables, path, watch)?;
    let rows = export.source.sections.get("vInfo").map_or(0, |tally| tally.rows);
    let collection = join(export);
    if collection.workloads.is_empty() {
        let reason = match rows {
            0 => "the tab vInfo has a header and no rows".to_owned(),
            rows => format!("none of the {rows} rows of the tab vInfo names one"),
        };
        return Err(CollectError::NoWorkloads { file: path.display().to_string(), reason });
    }
    Ok(collection)
}

/// A tab found in the file.
#[derive(Debug)]
struct Found {
    table: usize,
    tab: &'static Tab,
    header_row: u32,
    header: Header,
}

/// What a first look at every table's top rows tells.
#[derive(Debug)]
struct Survey {
    found: Vec<Found>,
    /// Tables that are no tab, and why.
    others: Vec<(usize, String)>,
    version: Option<Version>,
    version_text: Option<Text>,
    taken: Option<Moment>,
    platform: Option<PlatformId>,
}

impl Survey {
    fn of(tables: &Tables, path: &Path) -> Self {
        let mut survey = Self {
            found: Vec::new(),
            others: Vec::new(),
            version: None,
            version_text: None,
            taken: None,
            platform: None,
        };
        let mut unnamed = Vec::new();
        for (at, info) in tables.infos().iter().enumerate() {
            match Tab::named(&info.name) {
                Some(tab) if !survey.has(tab.name) => survey.look(tables, at, tab),
                Some(tab) => {
                    survey.others.push((at, format!("a second `{}`: not read", tab.name)));
                }
                None => unnamed.push(at),
            }
        }
        for at in unnamed {
            survey.recognise(tables, at);
        }
        survey.read_meta(tables);
        survey.version = survey.version.or_else(|| survey.version_by_headers());
        survey.platform = survey.platform_by_first_rows(tables, path);
        survey
    }

    fn has(&self, tab: &str) -> bool {
        self.found.iter().any(|found| found.tab.name == tab)
    }

    fn get(&self, tab: &str) -> Option<&Found> {
        self.found.iter().find(|found| found.tab.name == tab)
    }

    /// Looks for the header of `tab` in the top rows of a table.
    fn look(&mut self, tables: &Tables, table: usize, tab: &'static Tab) {
        let mut best: Option<(u32, Header)> = None;
        let read = each_row(tables, table, |row| {
            if row.number() > HEADER_ROWS_MAX {
                return ControlFlow::Break(());
            }
            let header = Header::read(row, tab);
            if best.as_ref().is_none_or(|(_, it)| header.known_count() > it.known_count()) {
                best = Some((row.number(), header));
            }
            ControlFlow::Continue(())
        });
        match (best, read) {
            (Some((header_row, header)), _) if header.known_count() >= KNOWN_HEADERS_MIN => {
                self.found.push(Found { table, tab, header_row, header });
            }
            (_, Err(error)) => self.others.push((table, format!("cannot be read: {error}"))),
            (_, Ok(_)) => {
                let message = format!(
                    "is called {} but its first {HEADER_ROWS_MAX} rows have none of its columns",
                    tab.name
                );
                self.others.push((table, message));
            }
        }
    }

    /// Takes a table of another name for the missing tab whose columns it has.
    fn recognise(&mut self, tables: &Tables, table: usize) {
        let mut first = None;
        let _ = each_row(tables, table, |row| {
            let best = TABS
                .iter()
                .map(|tab| (Header::read(row, tab), tab))
                .max_by_key(|(header, tab)| (header.known_count(), tab.name));
            first = best.map(|(header, tab)| (row.number(), header, tab));
            ControlFlow::Break(())
        });
        match first {
            Some((header_row, header, tab))
                if !self.has(tab.name) && header.known_count() * 5 >= tab.columns().count() * 4 =>
            {
                self.found.push(Found { table, tab, header_row, header });
            }
            _ => self.others.push((table, "is not a tab of the format: not read".into())),
        }
    }

    /// Version and time of the export, from vMetaData.
    fn read_meta(&mut self, tables: &Tables) {
        let Some(found) = self.get("vMetaData") else { return };
        let version = found.header.column("RVTools version", None);
        let major = found.header.column("RVTools major version", None);
        let taken = found.header.column("xlsx creation datetime", None);
        let header_row = found.header_row;
        let mut told = (None, None);
        let _ = each_row(tables, found.table, |row| {
            if row.number() <= header_row {
                return ControlFlow::Continue(());
            }
            let mut log = GapLog::new("", "vMetaData");
            let mut pool = TextPool::default();
            let Some(scope) = Scope::nowhere() else { return ControlFlow::Break(()) };
            let mut cells = Cells::new(*row, &scope, &mut log, &mut pool);
            told = (
                cells.text(&version).or(cells.text(&major)).value().cloned(),
                cells.moment(&taken).copied(),
            );
            ControlFlow::Break(())
        });
        (self.version_text, self.taken) = told;
        self.version = self.version_text.as_deref().and_then(parse_version);
    }

    /// The oldest version that has all headers seen, where headers tell anything.
    fn version_by_headers(&self) -> Option<Version> {
        let info = self.get("vInfo")?;
        let has = |name: &str| info.header.has(name);
        let spells = |part: &str| self.found.iter().any(|found| found.header.spells(part));
        if has("Suspended To Memory") || has("Guest Detailed Data") {
            Some(Version::V4_6)
        } else if has("SMBIOS UUID") || has("EFI Secure boot") {
            Some(Version::V4_4)
        } else if self.has("vSource") {
            Some(Version::V4_3)
        } else if spells("vCenter UUID") {
            Some(Version::V3_8)
        } else if spells(" MB") && has("min Required EVC Mode Key") {
            Some(Version::V4_0)
        } else if spells(" MB") && has("Primary IP Address") {
            Some(Version::V3_11)
        } else if spells(" MB") && has("CBT") {
            Some(Version::V3_10)
        } else {
            None
        }
    }

    /// The platform of the first row that names one.
    fn platform_by_first_rows(&self, tables: &Tables, path: &Path) -> Option<PlatformId> {
        let fallback: PlatformId = file_stem(path).parse().ok()?;
        let info = self.get("vInfo").into_iter();
        let order = info.chain(self.found.iter().filter(|found| found.tab.name != "vInfo"));
        for found in order {
            let columns = PlatformColumns::bind(&found.header, None);
            if !columns.uuid.is_there() && !columns.server.is_there() {
                continue;
            }
            let mut named = None;
            let _ = each_row(tables, found.table, |row| {
                if row.number() <= found.header_row {
                    return ControlFlow::Continue(());
                }
                let scope = Scope { version: None, platform: fallback.clone() };
                let mut log = GapLog::new("", "");
                let mut pool = TextPool::default();
                named = Some(Cells::new(*row, &scope, &mut log, &mut pool).platform(&columns));
                ControlFlow::Break(())
            });
            if let Some(named) = named.filter(|it| *it != fallback) {
                return Some(named);
            }
        }
        None
    }

    /// Refuses what is not an export: says what was looked for and what was found.
    fn refuse_others(&self, tables: &Tables, path: &Path) -> Result<(), CollectError> {
        let has_vms = self.get("vInfo").is_some_and(|info| info.header.has("VM"));
        if has_vms {
            return Ok(());
        }
        let names: Vec<&str> =
            tables.infos().iter().take(8).map(|info| info.name.as_str()).collect();
        let mut found = match names.as_slice() {
            [] => "it holds no sheets and no CSV files".to_owned(),
            names => format!("it holds `{}`", names.join("`, `")),
        };
        if tables.infos().len() > names.len() {
            found.push_str(&format!(" and {} more", tables.infos().len() - names.len()));
        }
        let about_info = self.others.iter().find(|(at, _)| {
            tables
                .infos()
                .get(*at)
                .is_some_and(|info| Tab::named(&info.name).is_some_and(|tab| tab.name == "vInfo"))
        });
        if let Some((_, why)) = about_info {
            found.push_str(&format!("; its tab vInfo {why}"));
        }
        Err(CollectError::NotThis {
            file: path.display().to_string(),
            expected:
                "an RVTools export (looked for a tab `vInfo` with a column `VM`, or a file `RVTools_tabvInfo.csv`)"
                    .into(),
            found,
        })
    }

    /// Reads all tabs.
    fn read(self, tables: &Tables, path: &Path, watch: &dyn Watch) -> Result<Export, CollectError> {
        let invalid = |_| CollectError::NotThis {
            file: path.display().to_string(),
            expected: "a file whose name can be an id".into(),
            found: "an empty or unprintable name".into(),
        };
        let location = file_name(path);
        let source: SourceId = location.parse().map_err(invalid)?;
        let platform_is_told = self.platform.is_some();
        let platform = match self.platform.clone() {
            Some(platform) => platform,
            None => file_stem(path).parse().map_err(invalid)?,
        };
        let placeholder: WorkloadId = location.parse().map_err(invalid)?;
        let scope = Scope { version: self.version, platform };
        let reader = Reader { tables, scope: &scope, source: &source, placeholder: &placeholder };
        let mut parts = Parts::of(&source, &placeholder);
        let mut tabs = BTreeMap::new();
        let mut sections = BTreeMap::new();
        for (name, read) in reader.read_all(&self.found, watch, &location) {
            parts.append(read.parts);
            sections.insert(Text::new_static(name), read.tally);
            tabs.insert(name, TabRead { log: read.log, whole: read.whole });
        }
        let mut about_file = GapLog::new(&location, "");
        self.log_file(tables, &mut about_file);
        tabs.insert("", TabRead { log: about_file, whole: true });
        Ok(Export {
            source: Source {
                id: source,
                connector: Text::new_static(NAME),
                location: Text::new(&location),
                version: self.version_text.clone().or_else(|| self.version_guess()),
                taken: self.taken,
                limits: source_limits(LIMITS),
                sections,
            },
            scope,
            parts,
            tabs,
            platform_is_told,
        })
    }

    fn version_guess(&self) -> Option<Text> {
        self.version.map(|Version(major, minor)| {
            Text::from(format!("{major}.{minor} or later, by its columns"))
        })
    }

    /// Gaps that are about the file: tabs that are missing or not of the format, times without zone.
    fn log_file(&self, tables: &Tables, log: &mut GapLog) {
        for (at, why) in &self.others {
            let name = tables.infos().get(*at).map(|info| info.name.as_str()).unwrap_or_default();
            log.tab(GapCause::UnknownField, &format!("the table `{name}` {why}"), 1);
        }
        for tab in TABS.iter().filter(|tab| tab.modelled && !self.has(tab.name)) {
            if self.version.is_some_and(|version| version < tab.since) {
                continue;
            }
            let message =
                format!("the tab `{}` is missing: what only it tells stays unobserved", tab.name);
            log.tab(GapCause::MissingSection, &message, 1);
        }
        if self.version.is_none() {
            let message = "the version of the exporting program is not told: facts that depend on it (the meaning of `VM UUID`) stay unobserved";
            log.tab(GapCause::MissingField, message, 1);
        }
        if self.platform.is_none() {
            let message = "no tab tells which vCenter this is: the platform is named after the file, and identity is weaker for it";
            log.tab(GapCause::MissingField, message, 1);
        }
        let message = "times carry no zone: they are the local time of the machine that ran the export, and are kept as such";
        log.tab(GapCause::NoTimeZone, message, 1);
    }
}

fn file_stem(path: &Path) -> String {
    path.file_stem().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}

/// `4.7.1.4` as 4.7; the manual calls 4.1 `4.10`.
fn parse_version(text: &str) -> Option<Version> {
    let mut parts = text.trim().split('.');
    let major = parts.next()?.trim().parse().ok()?;
    let minor: u32 = parts.next().unwrap_or("0").trim().parse().ok()?;
    Some(Version(major, if major == 4 && minor == 10 { 1 } else { minor }))
}

fn each_row(
    tables: &Tables,
    table: usize,
    mut sink: impl FnMut(&Row<'_>) -> ControlFlow<()>,
) -> Result<Vec<Note>, TableError> {
    tables.read(table, &mut sink)
}

/// What reading one tab gave.
struct Read {
    parts: Parts,
    tally: Tally,
    log: GapLog,
    whole: bool,
}

struct Reader<'a> {
    tables: &'a Tables,
    scope: &'a Scope,
    source: &'a SourceId,
    placeholder: &'a WorkloadId,
}

impl Reader<'_> {
    /// Reads all tabs on a few threads, largest first; the result is in the order of tab names,
    /// whatever the threads did.
    fn read_all(
        &self,
        found: &[Found],
        watch: &dyn Watch,
        location: &str,
    ) -> BTreeMap<&'static str, Read> {
        let stored = |found: &Found| {
            self.tables.infos().get(found.table).map_or(0, |info| info.stored_bytes)
        };
        let mut order: Vec<&Found> = found.iter().collect();
        order.sort_by_key(|found| std::cmp::Reverse(stored(found)));
        let next = AtomicUsize::new(0);
        let done = Mutex::new(BTreeMap::new());
        let work = || {
            while let Some(found) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                let read = self.read_tab(found);
                let rows = read.tally.rows;
                let Ok(mut done) = done.lock() else { return };
                done.insert(found.tab.name, read);
                watch.section(location, found.tab.name, rows, done.len(), order.len());
            }
        };
        let threads =
            std::thread::available_parallelism().map_or(1, |it| it.get().min(THREADS_MAX));
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        done.into_inner().unwrap_or_default()
    }

    fn read_tab(&self, found: &Found) -> Read {
        let info = self.tables.infos().get(found.table);
        let file = info.map(|info| info.file.as_str()).unwrap_or_default();
        let mut log = GapLog::new(file, found.tab.name);
        let mut parts = Parts::of(self.source, self.placeholder);
        let mut tally = Tally::default();
        let mut pool = TextPool::default();
        let mapper = row_mapper(found.tab.name, &found.header, self.scope.version);
        if let Some((_, read)) = &mapper {
            found.header.log(self.scope.version, read, &mut log);
        }
        let mut read = |row: &Row<'_>| {
            if row.number() <= found.header_row {
                return ControlFlow::Continue(());
            }
            let filled = row.filled();
            if filled == 0 {
                return ControlFlow::Continue(());
            }
            tally.rows += 1;
            tally.cells += filled;
            if let Some((map, _)) = &mapper {
                let mut cells = Cells::new(*row, self.scope, &mut log, &mut pool);
                tally.mapped += u64::from(map(&mut cells, &mut parts));
            }
            ControlFlow::Continue(())
        };
        let notes = self.tables.read(found.table, &mut read);
        let mut whole = tally.mapped == tally.rows;
        match notes {
            Ok(notes) => whole &= log_notes(&notes, &mut log),
            Err(error) => {
                whole = false;
                log.tab(GapCause::Truncated, &format!("the tab cannot be read: {error}"), 1);
            }
        }
        if mapper.is_none() && tally.rows > 0 && found.tab.name != "vMetaData" {
            let message = "rows of a tab that the model has no place for yet: counted, not used";
            log.tab(GapCause::NotModelled, message, tally.rows);
        }
        log_renamed(info, found, &mut log);
        Read { parts, tally, log, whole }
    }
}

fn log_renamed(info: Option<&TableInfo>, found: &Found, log: &mut GapLog) {
    if let Some(info) = info
        && Tab::named(&info.name).is_none()
    {
        let message = format!(
            "the table `{}` is not named after a tab; it was read as `{}`, whose columns it has",
            info.name, found.tab.name
        );
        log.tab(GapCause::Ambiguous, &message, 1);
    }
}

/// Logs what a reader noted; false if rows are missing.
fn log_notes(notes: &[Note], log: &mut GapLog) -> bool {
    let mut whole = true;
    for note in notes {
        match note {
            Note::Encoding(name) => {
                let message =
                    format!("not UTF-8: read as {name}, so that letters beyond ASCII may be wrong");
                log.tab(GapCause::Encoding, &message, 1);
            }
            Note::CutAfter { row, reason } => {
                whole = false;
                let message = format!("the tab is cut off after row {row}: {reason}");
                log.tab(GapCause::Truncated, &message, 1);
            }
            Note::LimitAfter { row, reason } => {
                whole = false;
                let message = format!("nothing was read beyond row {row}: limit of {reason}");
                log.tab(GapCause::LimitReached, &message, 1);
            }
            Note::Ragged { row, fields, expected } => {
                let message =
                    format!("the row has {fields} fields where the header has {expected}");
                log.row(GapCause::Truncated, *row, &message, None);
            }
        }
    }
    whole
}
