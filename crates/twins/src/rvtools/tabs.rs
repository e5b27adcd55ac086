//! The tabs as data: which columns each has, since and until which version, and what stands in them.

mod devices;
mod hosts;
mod inventory;
mod machines;
mod storage;

use entente_model::Workload;

use super::cell::{Cell, word};
use super::export::{Export, Filler};
use super::spec::{Tab, Version};
use super::writer::{WriteError, Writer};

/// Stands in [`headers`] where custom attributes and tags have their columns.
pub const ATTRIBUTES: &str = "⟨attrs⟩";

/// A kind of row.
pub(super) trait Rows: 'static {
    type Row<'a>;

    fn export<'r, 'a>(row: &'r Self::Row<'a>) -> &'r Export<'a>;

    /// The machine that the row belongs to.
    fn machine<'r, 'a>(_row: &'r Self::Row<'a>) -> Option<&'r VmRow<'a>> {
        None
    }
}

/// What stands in the cells of a column.
pub(super) type CellOf<R> = for<'r, 'a> fn(&'r <R as Rows>::Row<'a>) -> Cell;

/// One column, with the versions that carry it.
pub(super) struct Column<R: Rows> {
    pub header: &'static str,
    since: Version,
    until: Version,
    pub cell: CellOf<R>,
}

impl<R: Rows> Column<R> {
    pub(super) fn is_in(&self, version: Version) -> bool {
        self.since <= version && version <= self.until
    }
}

/// A column of every version.
const fn col<R: Rows>(header: &'static str, cell: CellOf<R>) -> Column<R> {
    Column { header, since: Version::V3_8, until: Version::V4_7, cell }
}

/// A column that came with a version.
const fn since<R: Rows>(since: Version, header: &'static str, cell: CellOf<R>) -> Column<R> {
    Column { header, since, until: Version::V4_7, cell }
}

/// A column that went after a version.
const fn until<R: Rows>(until: Version, header: &'static str, cell: CellOf<R>) -> Column<R> {
    Column { header, since: Version::V3_8, until, cell }
}

/// Where custom attributes and tags stand.
const fn attributes<R: Rows>() -> Column<R> {
    col(ATTRIBUTES, |_| Cell::Blank)
}

/// One tab: columns of the machine, columns of its own, columns of the machine again. The columns
/// that name the vCenter follow by themselves.
pub(super) struct Sheet<R: Rows> {
    pub tab: Tab,
    pub head: &'static [Column<Vm>],
    pub body: &'static [Column<R>],
    pub tail: &'static [&'static [Column<Vm>]],
}

impl<R: Rows> Sheet<R> {
    /// The headers of the version, without the columns that depend on the file format.
    pub(super) fn headers(&self, version: Version) -> Vec<&'static str> {
        fn names<R: Rows>(columns: &'static [Column<R>], version: Version) -> Vec<&'static str> {
            columns.iter().filter(|it| it.is_in(version)).map(|it| it.header).collect()
        }
        let mut headers = names(self.head, version);
        headers.extend(names(self.body, version));
        headers.extend(self.tail.iter().flat_map(|columns| names(columns, version)));
        if self.tab != Tab::VMetaData {
            headers.extend(SDK.iter().filter(|(since, _)| *since <= version).map(|(_, it)| *it));
        }
        headers
    }
}

/// The columns that name the vCenter, at the end of every tab.
pub(super) const SDK: [(Version, &str); 2] =
    [(Version::V3_11, "VI SDK Server"), (Version::V3_8, "VI SDK UUID")];

/// A machine's row.
pub(super) struct VmRow<'a> {
    pub export: &'a Export<'a>,
    pub vm: &'a Workload,
    pub filler: Filler,
}

impl<'a> VmRow<'a> {
    fn new(export: &'a Export<'a>, vm: &'a Workload) -> Self {
        Self { export, vm, filler: Filler::new(vm.id.as_str(), export.spec.seed) }
    }

    fn is_on(&self) -> bool {
        self.vm.power.value() == Some(&entente_model::PowerState::On)
    }

    /// A number below `bound` where the machine runs, else 0.
    fn while_on(&self, what: &str, bound: u64) -> Cell {
        Cell::Number(if self.is_on() {
            self.filler.below(what, bound).try_into().unwrap_or(0)
        } else {
            0
        })
    }
}

/// The kind of row that is a machine.
pub(super) struct Vm;

impl Rows for Vm {
    type Row<'a> = VmRow<'a>;

    fn export<'r, 'a>(row: &'r Self::Row<'a>) -> &'r Export<'a> {
        row.export
    }

    fn machine<'r, 'a>(row: &'r Self::Row<'a>) -> Option<&'r VmRow<'a>> {
        Some(row)
    }
}

fn vms<'a>(export: &'a Export<'a>) -> impl Iterator<Item = VmRow<'a>> {
    export.collection.workloads.iter().map(move |vm| VmRow::new(export, vm))
}

/// The header as a version writes it: MiB was MB before 4.1, `VI SDK UUID` was `vCenter UUID` before
/// 3.9, and `Free %` of vPartition ended in a space in 3.x files.
pub(super) fn header_in(tab: Tab, header: &str, version: Version) -> String {
    match (tab, header) {
        (_, "VI SDK UUID") if version < Version::V3_11 => "vCenter UUID".to_owned(),
        (Tab::VPartition, "Free %") if version < Version::V4_0 => "Free % ".to_owned(),
        _ if version < Version::V4_1 => header.replace("MiB", "MB").replace("KiB", "KB"),
        _ => header.to_owned(),
    }
}

/// The headers of a tab as a workbook of `version` has them, `ATTRIBUTES` standing for the columns
/// of custom attributes and tags; empty where that version has no such tab.
pub fn headers(tab: Tab, version: Version) -> Vec<String> {
    let headers = match tab {
        _ if !tab.is_in(version) => Vec::new(),
        Tab::VInfo => machines::INFO.headers(version),
        Tab::VCpu => machines::CPU.headers(version),
        Tab::VMemory => machines::MEMORY.headers(version),
        Tab::VTools => machines::TOOLS.headers(version),
        Tab::VDisk => devices::DISK.headers(version),
        Tab::VPartition => devices::PARTITION.headers(version),
        Tab::VNetwork => devices::NETWORK.headers(version),
        Tab::VFloppy => devices::FLOPPY.headers(version),
        Tab::VCd => devices::CD.headers(version),
        Tab::VUsb => devices::USB.headers(version),
        Tab::VSnapshot => devices::SNAPSHOT.headers(version),
        Tab::VSource => inventory::SOURCE.headers(version),
        Tab::VRp => inventory::POOL.headers(version),
        Tab::VCluster => inventory::CLUSTER.headers(version),
        Tab::VHost => hosts::HOST.headers(version),
        Tab::VHba => hosts::HBA.headers(version),
        Tab::VNic => hosts::NIC.headers(version),
        Tab::VSwitch => hosts::SWITCH.headers(version),
        Tab::VPort => hosts::PORT.headers(version),
        Tab::DvSwitch => inventory::DV_SWITCH.headers(version),
        Tab::DvPort => inventory::DV_PORT.headers(version),
        Tab::VScVmk => hosts::VMKERNEL.headers(version),
        Tab::VDatastore => storage::DATASTORE.headers(version),
        Tab::VMultiPath => storage::MULTI_PATH.headers(version),
        Tab::VLicense => inventory::LICENCE.headers(version),
        Tab::VFileInfo => storage::FILE_INFO.headers(version),
        Tab::VHealth => inventory::HEALTH.headers(version),
        Tab::VMetaData => inventory::META_DATA.headers(version),
    };
    headers.into_iter().map(|header| header_in(tab, header, version)).collect()
}

/// Writes every tab of the version, in the workbook's order.
pub(super) fn write<'a>(
    writer: &mut Writer<'_>,
    exports: &'a [Export<'a>],
) -> Result<(), WriteError> {
    writer.sheet(&machines::INFO, exports, vms)?;
    writer.sheet(&machines::CPU, exports, vms)?;
    writer.sheet(&machines::MEMORY, exports, vms)?;
    writer.sheet(&devices::DISK, exports, devices::disks)?;
    writer.sheet(&devices::PARTITION, exports, devices::partitions)?;
    writer.sheet(&devices::NETWORK, exports, devices::nics)?;
    writer.sheet(&devices::FLOPPY, exports, devices::floppies)?;
    writer.sheet(&devices::CD, exports, devices::cdroms)?;
    writer.sheet(&devices::USB, exports, devices::usb)?;
    writer.sheet(&devices::SNAPSHOT, exports, devices::snapshots)?;
    writer.sheet(&machines::TOOLS, exports, vms)?;
    writer.sheet(&inventory::SOURCE, exports, inventory::source)?;
    writer.sheet(&inventory::POOL, exports, inventory::pools)?;
    writer.sheet(&inventory::CLUSTER, exports, inventory::clusters)?;
    writer.sheet(&hosts::HOST, exports, hosts::hosts)?;
    writer.sheet(&hosts::HBA, exports, hosts::hbas)?;
    writer.sheet(&hosts::NIC, exports, hosts::nics)?;
    writer.sheet(&hosts::SWITCH, exports, hosts::switches)?;
    writer.sheet(&hosts::PORT, exports, hosts::ports)?;
    writer.sheet(&inventory::DV_SWITCH, exports, inventory::dv_switches)?;
    writer.sheet(&inventory::DV_PORT, exports, inventory::dv_ports)?;
    writer.sheet(&hosts::VMKERNEL, exports, hosts::vmkernels)?;
    writer.sheet(&storage::DATASTORE, exports, storage::datastores)?;
    writer.sheet(&storage::MULTI_PATH, exports, storage::paths)?;
    writer.sheet(&inventory::LICENCE, exports, inventory::licences)?;
    writer.sheet(&storage::FILE_INFO, exports, storage::files)?;
    writer.sheet(&inventory::HEALTH, exports, inventory::health)?;
    writer.sheet(&inventory::META_DATA, exports, inventory::meta_data)
}

/// A yes or no that RVTools writes as a word.
fn yes(value: bool) -> Cell {
    Cell::Bool(value)
}

/// Texts in one cell.
fn list<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Cell {
    let mut joined = String::new();
    for text in texts {
        if !joined.is_empty() {
            joined.push_str(", ");
        }
        joined.push_str(text.as_ref());
    }
    word(joined)
}
