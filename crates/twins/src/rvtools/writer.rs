//! Streams the tabs of one or several collections into a file format, mishaps included.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use entente_model::{AttributeKind, Collection, Observed, Text};

use super::cell::{Cell, word};
use super::csv_files::{CsvFolder, CsvZip};
use super::defects::Spoiler;
use super::export::{Export, Secrets};
use super::spec::{Defect, ExportSpec, Format, Tab, Version, Written};
use super::tabs::{self, ATTRIBUTES, Column, Rows, SDK, Sheet, Vm, VmRow, header_in};
use super::workbook::Workbook;

/// Why an export could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file or folder could not be written.
    #[error("could not write `{path}`")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The workbook could not be built.
    #[error("could not build the workbook")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// The zip file could not be built.
    #[error("could not build the zip file")]
    Zip(#[from] zip::result::ZipError),
    /// A CSV record could not be built.
    #[error("could not build a CSV file")]
    Csv(#[from] csv::Error),
}

impl WriteError {
    pub(super) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

/// Writes what RVTools would have exported of `collection` to `path`: a file, or a folder for
/// [`Format::CsvFolder`].
///
/// # Errors
///
/// Where the file, folder or workbook can't be written.
pub fn write(
    collection: &Collection,
    spec: &ExportSpec,
    path: &Path,
) -> Result<Written, WriteError> {
    write_merged(std::slice::from_ref(collection), spec, path)
}

/// Writes several collections into one export, as RVToolsMergeExcelFiles does: rows of all of them
/// on each tab, so that ids which are unique per vCenter only collide.
///
/// # Errors
///
/// Where the file, folder or workbook can't be written.
pub fn write_merged(
    collections: &[Collection],
    spec: &ExportSpec,
    path: &Path,
) -> Result<Written, WriteError> {
    let exports: Vec<Export<'_>> = collections.iter().map(|it| Export::new(it, spec)).collect();
    let taken = exports.first().map(|it| it.taken);
    let sink: Box<dyn Sink + '_> = match spec.format {
        Format::Xlsx => Box::new(Workbook::new(spec, path, taken)?),
        Format::CsvFolder => Box::new(CsvFolder::new(spec, path)?),
        Format::CsvZip => Box::new(CsvZip::new(spec, path)?),
    };
    let mut writer = Writer::new(spec, collections, sink);
    tabs::write(&mut writer, &exports)?;
    writer.sink.finish()?;
    Ok(writer.written)
}

/// Every secret that [`write()`] puts into the export of `collection`, sorted: licence keys always,
/// passwords where [`Defect::ClearTextPasswords`] asks for them.
pub fn secrets(collection: &Collection, spec: &ExportSpec) -> Vec<Text> {
    let planted = Secrets::new(spec);
    let mut found = BTreeSet::new();
    if Tab::VLicense.is_in(spec.version) {
        found.extend(collection.licences.iter().map(|it| planted.licence_key(&it.name)));
    }
    for host in &collection.hosts {
        let keys = host.licence_count.copied().unwrap_or(0);
        found.extend((0..keys).map(|at| planted.licence_key(&format!("{}/{at}", host.id))));
    }
    if spec.has(&Defect::ClearTextPasswords) {
        for vm in &collection.workloads {
            found.extend(planted.in_annotation(vm));
            found.extend(vm.snapshots.iter().filter_map(|it| planted.in_description(vm, &it.name)));
        }
    }
    found.into_iter().collect()
}

/// Where tabs go.
pub(super) trait Sink {
    fn begin(&mut self, name: &str, headers: &[String]) -> Result<(), WriteError>;
    fn row(&mut self, cells: &[Cell]) -> Result<(), WriteError>;
    /// Rows that are there but empty.
    fn blank_rows(&mut self, rows: u32, width: usize) -> Result<(), WriteError>;
    fn end(&mut self, tab: Tab) -> Result<(), WriteError>;
    fn finish(&mut self) -> Result<(), WriteError>;
}

/// The columns that depend on the estate: names of custom attributes and tag categories.
struct Attributes {
    /// Between Annotation and Datacenter.
    inner: Vec<Text>,
    /// At the end: where 4.0 to 4.3 had the tags. That it was the very end is not documented.
    outer: Vec<Text>,
}

impl Attributes {
    fn new(collections: &[Collection], version: Version) -> Self {
        let mut kinds: BTreeMap<&Text, bool> = BTreeMap::new();
        for attribute in
            collections.iter().flat_map(|it| &it.workloads).flat_map(|it| &it.attributes.items)
        {
            let is_tag = attribute.kind == Observed::Value(AttributeKind::Tag);
            kinds.entry(&attribute.name).or_insert(is_tag);
        }
        let (tags, custom): (Vec<_>, Vec<_>) = kinds.into_iter().partition(|(_, is_tag)| *is_tag);
        let names = |of: Vec<(&Text, bool)>| of.into_iter().map(|(name, _)| name.clone()).collect();
        let mut inner: Vec<Text> = names(custom);
        let mut outer = Vec::new();
        if version >= Version::V4_4 {
            inner.extend(names(tags));
            inner.sort();
        } else if version >= Version::V4_0 {
            outer = names(tags);
        }
        Self { inner, outer }
    }
}

/// Streams tabs into a sink.
pub(super) struct Writer<'s> {
    spec: &'s ExportSpec,
    attributes: Attributes,
    sink: Box<dyn Sink + 's>,
    written: Written,
}

impl<'s> Writer<'s> {
    fn new(spec: &'s ExportSpec, collections: &[Collection], sink: Box<dyn Sink + 's>) -> Self {
        let attributes = Attributes::new(collections, spec.version);
        Self { spec, attributes, sink, written: Written::default() }
    }

    /// Writes one tab, if the version has it.
    pub(super) fn sheet<'a, R: Rows, I: Iterator<Item = R::Row<'a>>>(
        &mut self,
        sheet: &'static Sheet<R>,
        exports: &'a [Export<'a>],
        rows: impl Fn(&'a Export<'a>) -> I,
    ) -> Result<(), WriteError> {
        let tab = sheet.tab;
        if !tab.is_in(self.spec.version) || self.spec.has(&Defect::MissingTab(tab)) {
            return Ok(());
        }
        let layout = Layout::new(sheet, self.spec, &self.attributes);
        let mut spoiler = Spoiler::new(self.spec, tab, &layout.headers);
        let headers = spoiler.headers(&layout.headers_shown(self.spec, tab));
        self.sink.begin(spoiler.tab_name(), &headers)?;
        self.written.tabs += 1;
        let mut cells = Vec::with_capacity(layout.headers.len());
        for row in exports.iter().flat_map(rows) {
            cells.clear();
            layout.fill(&row, &mut cells);
            let Some(cells) = spoiler.row(&mut cells) else { continue };
            self.written.rows += 1;
            self.written.cells += cells.iter().filter(|cell| **cell != Cell::Blank).count() as u64;
            self.sink.row(cells)?;
        }
        if self.spec.has(&Defect::BlankTrailingRows) {
            self.sink.blank_rows(500, headers.len())?;
        }
        self.sink.end(tab)
    }
}

/// The columns of one tab in one version.
struct Layout<'l, R: Rows> {
    /// As of 4.7, attributes expanded.
    headers: Vec<Text>,
    /// `Select` or `Upgrade`, which 3.x and the CSV files of old versions had first.
    prefix: bool,
    parts: Vec<Part<'l, R>>,
}

enum Part<'l, R: Rows> {
    Machine(&'static Column<Vm>),
    Own(&'static Column<R>),
    Attribute(&'l Text),
    Sdk(&'static str),
}

impl<'l, R: Rows> Layout<'l, R> {
    fn new(sheet: &'static Sheet<R>, spec: &ExportSpec, attributes: &'l Attributes) -> Self {
        let version = spec.version;
        let mut parts: Vec<Part<'l, R>> = Vec::new();
        // Only machines have attributes here; other objects may carry some, none that is modelled.
        let on_machines = !sheet.tail.is_empty();
        let inner = if on_machines { attributes.inner.as_slice() } else { &[] };
        let outer = if on_machines { attributes.outer.as_slice() } else { &[] };
        let machine = |columns: &'static [Column<Vm>], parts: &mut Vec<Part<'l, R>>| {
            for column in columns.iter().filter(|it| it.is_in(version)) {
                if column.header == ATTRIBUTES {
                    parts.extend(inner.iter().map(Part::Attribute));
                } else {
                    parts.push(Part::Machine(column));
                }
            }
        };
        machine(sheet.head, &mut parts);
        let own = sheet.body.iter().filter(|it| it.is_in(version) && it.header != ATTRIBUTES);
        parts.extend(own.map(Part::Own));
        for columns in sheet.tail {
            machine(columns, &mut parts);
        }
        if sheet.tab != Tab::VMetaData {
            let sdk = SDK.iter().filter(|(since, _)| *since <= version);
            parts.extend(sdk.map(|(_, header)| Part::Sdk(header)));
        }
        parts.extend(outer.iter().map(Part::Attribute));
        let select = match sheet.tab {
            Tab::VCd => Some("Select"),
            Tab::VTools => Some("Upgrade"),
            _ => None,
        };
        let had_select =
            version == Version::V3_8 || (spec.format != Format::Xlsx && version <= Version::V4_0);
        let prefix = select.filter(|_| had_select);
        let headers =
            prefix.into_iter().map(Text::new_static).chain(parts.iter().map(Part::header));
        Self { headers: headers.collect(), prefix: prefix.is_some(), parts }
    }

    /// The headers as the version and the naming asked for write them.
    fn headers_shown(&self, spec: &ExportSpec, tab: Tab) -> Vec<String> {
        let prefix = self.prefix.then(|| self.headers.first().map(Text::to_string)).flatten();
        let shown = self.parts.iter().map(|part| match part {
            Part::Attribute(name) => name.to_string(),
            part if spec.db_column_names => db_name(tab, &part.header()),
            part => header_in(tab, &part.header(), spec.version),
        });
        prefix.into_iter().chain(shown).collect()
    }

    fn fill(&self, row: &R::Row<'_>, cells: &mut Vec<Cell>) {
        if self.prefix {
            cells.push(Cell::Bool(false));
        }
        let machine = R::machine(row);
        let export = R::export(row);
        cells.extend(self.parts.iter().map(|part| match part {
            Part::Own(column) => (column.cell)(row),
            Part::Machine(column) => machine.map_or(Cell::Blank, |it| (column.cell)(it)),
            Part::Attribute(name) => machine.map_or(Cell::Blank, |it| attribute(it, name)),
            Part::Sdk("VI SDK Server") => word(&export.server),
            Part::Sdk(_) => word(&export.uuid),
        }));
    }
}

impl<R: Rows> Part<'_, R> {
    fn header(&self) -> Text {
        match self {
            Self::Machine(column) => Text::new_static(column.header),
            Self::Own(column) => Text::new_static(column.header),
            Self::Attribute(name) => (*name).clone(),
            Self::Sdk(header) => Text::new_static(header),
        }
    }
}

fn attribute(row: &VmRow<'_>, name: &Text) -> Cell {
    let attribute = row.vm.attributes.iter().find(|it| it.name == *name);
    attribute.map_or(Cell::Blank, |it| word(&it.value))
}

/// The internal name of a column, as `-DBColumnNames` writes it. The ones spelt out are documented;
/// the rest follows their pattern, tab and header without spaces, which is a guess.
fn db_name(tab: Tab, header: &str) -> String {
    let known = match (tab, header) {
        (Tab::VInfo, "VM") => "vInfoVMName",
        (Tab::VInfo, "DNS Name") => "vInfoGuestHostName",
        (Tab::VInfo, "Provisioned MiB") => "vInfoProvisioned",
        (Tab::VInfo, "In Use MiB") => "vInfoInUse",
        (Tab::VInfo, "OS according to the configuration file") => "vInfoOS",
        (Tab::VInfo, "OS according to the VMware Tools") => "vInfoOSTools",
        (Tab::VInfo, "VM UUID") => "vInfoUUID",
        (Tab::VInfo, "Creation date") => "vInfoCreateDate",
        (Tab::VInfo, "Disks") => "vInfoNumVirtualDisks",
        (Tab::VInfo, "Resource pool") => "vInfoResourcepool",
        (Tab::VInfo, "Datacenter") => "vInfoDataCenter",
        (Tab::VInfo, "SRM Placeholder") => "vInfoSRMPlaceHolder",
        (Tab::VHost, "Host") => "vHostName",
        (Tab::VHost, "Speed") => "vHostCpuMhz",
        (Tab::VHost, "# CPU") => "vHostNumCpu",
        (Tab::VHost, "Cores per CPU") => "vHostCoresPerCPU",
        (Tab::VHost, "# Cores") => "vHostNumCpuCores",
        (Tab::VHost, "# Memory") => "vHostMemorySize",
        (Tab::VPartition, "VM") => "vPartitionVMName",
        _ => {
            let words: String = header.chars().filter(|it| it.is_alphanumeric()).collect();
            let name = if header == "VM" { "VMName" } else { words.as_str() };
            return format!("{}{name}", tab.name());
        }
    };
    known.to_owned()
}
