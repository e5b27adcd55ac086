//! vDatastore, vMultiPath, vFileInfo.

use entente_model::{Datastore, Host, Observed, Text};

use super::super::cell::{Cell, MIB, count, flag, number, size, text, word};
use super::super::export::{Export, Filler, Load};
use super::super::spec::{Tab, Version};
use super::machines::home;
use super::{Column, Rows, Sheet, VmRow, attributes, col, list, since, vms, yes};

/// A datastore.
pub(super) struct DatastoreRow<'a> {
    export: &'a Export<'a>,
    datastore: &'a Datastore,
    filler: Filler,
    load: Load,
}

pub(super) struct DatastoreRows;

impl Rows for DatastoreRows {
    type Row<'a> = DatastoreRow<'a>;

    fn export<'r, 'a>(row: &'r Self::Row<'a>) -> &'r Export<'a> {
        row.export
    }
}

pub(super) fn datastores<'a>(export: &'a Export<'a>) -> impl Iterator<Item = DatastoreRow<'a>> {
    export.collection.datastores.iter().map(move |datastore| DatastoreRow {
        export,
        datastore,
        filler: Filler::new(datastore.id.as_str(), export.spec.seed),
        load: export.datastore_load(datastore),
    })
}

pub(super) static DATASTORE: Sheet<DatastoreRows> =
    Sheet { tab: Tab::VDatastore, head: &[], body: &DATASTORE_COLUMNS, tail: &[] };

static DATASTORE_COLUMNS: [Column<DatastoreRows>; 29] =
    [
        col("Name", |r| word(&r.datastore.name)),
        col("Config status", |_| word("green")),
        col("Address", |r| {
            word(match kind(r.datastore) {
                "NFS" | "NFS41" => format!("10.13.0.{}", 10 + r.filler.below("filer", 8)),
                "vsan" => String::new(),
                _ => naa(r.filler),
            })
        }),
        col("Accessible", |r| flag(&r.datastore.accessible)),
        col("Type", |r| text(&r.datastore.kind)),
        since(Version::V4_1, "# VMs total", |r| number(r.load.machines)),
        col("# VMs", |r| number(r.load.machines_on)),
        col("Capacity MiB", |r| size(&r.datastore.capacity_bytes)),
        col("Provisioned MiB", |r| size(&r.datastore.provisioned_bytes)),
        col("In Use MiB", |r| {
            match (r.datastore.capacity_bytes.copied(), r.datastore.free_bytes.copied()) {
                (Some(capacity), Some(free)) => number(capacity.saturating_sub(free) / MIB),
                _ => Cell::Blank,
            }
        }),
        col("Free MiB", |r| size(&r.datastore.free_bytes)),
        col("Free %", |r| {
            match (r.datastore.capacity_bytes.copied(), r.datastore.free_bytes.copied()) {
                (Some(capacity), Some(free)) if capacity > 0 => {
                    number((free / MIB * 100) / (capacity / MIB).max(1))
                }
                _ => Cell::Blank,
            }
        }),
        col("SIOC enabled", |r| flag(&r.datastore.io_control)),
        col("SIOC Threshold", |_| number(30)),
        col("# Hosts", |r| count(&r.datastore.host_count)),
        col("Hosts", |r| list(r.export.mounts(r.datastore).iter().map(|host| &host.name))),
        since(Version::V3_11, "Cluster name", |r| text(&r.datastore.datastore_cluster)),
        since(Version::V3_11, "Cluster capacity MiB", |r| {
            cluster_sum(r, |datastore| &datastore.capacity_bytes)
        }),
        since(Version::V3_11, "Cluster free space MiB", |r| {
            cluster_sum(r, |datastore| &datastore.free_bytes)
        }),
        col("Block size", |r| if kind(r.datastore) == "VMFS" { number(1) } else { Cell::Blank }),
        col("Max Blocks", |r| {
            if kind(r.datastore) == "VMFS" { number(63_963_136) } else { Cell::Blank }
        }),
        col("# Extents", |r| if kind(r.datastore) == "VMFS" { number(1) } else { Cell::Blank }),
        col("Major Version", |r| {
            let version = r.datastore.version.value().and_then(|it| it.split('.').next());
            version.and_then(|it| it.parse::<u32>().ok()).map_or(Cell::Blank, number)
        }),
        col("Version", |r| text(&r.datastore.version)),
        col("VMFS Upgradeable", |r| {
            yes(r.datastore.version.value().is_some_and(|it| it.starts_with('5')))
        }),
        col("MHA", |_| yes(true)),
        col("URL", |r| {
            word(format!(
                "ds:///vmfs/volumes/{}-{}-{}-{}/",
                r.filler.hex("url a", 8),
                r.filler.hex("url b", 8),
                r.filler.hex("url c", 4),
                r.filler.hex("url d", 12)
            ))
        }),
        since(Version::V4_0, "Object ID", |r| {
            word(format!("datastore-{}", 1000 + r.filler.below("id", 90_000)))
        }),
        attributes(),
    ];

fn kind(datastore: &Datastore) -> &str {
    datastore.kind.value().map_or("", Text::as_str)
}

fn naa(filler: Filler) -> String {
    format!("naa.6{}", filler.hex("naa", 31))
}

fn cluster_sum(r: &DatastoreRow<'_>, of: impl Fn(&Datastore) -> &Observed<u64>) -> Cell {
    let Observed::Value(cluster) = &r.datastore.datastore_cluster else { return Cell::Blank };
    let members = r.export.collection.datastores.iter();
    let bytes = members
        .filter(|it| it.datastore_cluster.value() == Some(cluster))
        .map(|it| of(it).copied().unwrap_or(0))
        .sum::<u64>();
    number(bytes / MIB)
}

/// The paths from a host to a datastore.
pub(super) struct PathRow<'a> {
    export: &'a Export<'a>,
    datastore: &'a Datastore,
    host: &'a Host,
    filler: Filler,
}

pub(super) struct PathRows;

impl Rows for PathRows {
    type Row<'a> = PathRow<'a>;

    fn export<'r, 'a>(row: &'r Self::Row<'a>) -> &'r Export<'a> {
        row.export
    }
}

pub(super) fn paths<'a>(export: &'a Export<'a>) -> impl Iterator<Item = PathRow<'a>> {
    let blocks = export.collection.datastores.iter().filter(|it| kind(it) == "VMFS");
    blocks.flat_map(move |datastore| {
        let filler = Filler::new(datastore.id.as_str(), export.spec.seed);
        export.mounts(datastore).iter().map(move |host| PathRow { export, datastore, host, filler })
    })
}

pub(super) static MULTI_PATH: Sheet<PathRows> =
    Sheet { tab: Tab::VMultiPath, head: &[], body: &PATH_COLUMNS, tail: &[] };

static PATH_COLUMNS: [Column<PathRows>; 33] = [
    col("Host", |r| word(&r.host.name)),
    col("Cluster", |r| word(r.export.cluster_name(&r.host.cluster))),
    col("Datacenter", |r| text(&r.host.datacenter)),
    col("Datastore", |r| word(&r.datastore.name)),
    col("Disk", |r| word(naa(r.filler))),
    col("Display name", |r| word(format!("DGC Fibre Channel Disk ({})", naa(r.filler)))),
    col("Policy", |_| word("VMW_PSP_RR")),
    col("Oper. State", |_| word("ok")),
    col("Path 1", |r| path(r, 0)),
    col("Path 1 state", |_| word("active")),
    col("Path 2", |r| path(r, 1)),
    col("Path 2 state", |_| word("active")),
    col("Path 3", |r| path(r, 2)),
    col("Path 3 state", |_| word("active")),
    col("Path 4", |r| path(r, 3)),
    col("Path 4 state", |_| word("active")),
    col("Path 5", |_| Cell::Blank),
    col("Path 5 state", |_| Cell::Blank),
    col("Path 6", |_| Cell::Blank),
    col("Path 6 state", |_| Cell::Blank),
    col("Path 7", |_| Cell::Blank),
    col("Path 7 state", |_| Cell::Blank),
    col("Path 8", |_| Cell::Blank),
    col("Path 8 state", |_| Cell::Blank),
    col("vStorage", |_| word("vStorageSupported")),
    col("Queue depth", |_| number(64)),
    col("Vendor", |_| word("DGC")),
    col("Model", |_| word("VRAID")),
    col("Revision", |_| word("5300")),
    col("Level", |_| word("6")),
    col("Serial #", |r| word(format!("{:015}", r.filler.below("serial", 1_000_000_000_000_000)))),
    col("UUID", |r| word(format!("02000000006{}", r.filler.hex("path uuid", 43)))),
    since(Version::V4_0, "Object ID", |r| {
        let host = Filler::new(r.host.id.as_str(), r.export.spec.seed);
        word(format!("host-{}", 1000 + host.below("id", 90_000)))
    }),
];

fn path(r: &PathRow<'_>, at: u64) -> Cell {
    let lun = r.filler.below("lun", 250);
    word(format!("vmhba{}:C0:T{}:L{lun}", at % 2, at / 2))
}

/// A file of a machine.
pub(super) struct FileRow<'a> {
    machine: VmRow<'a>,
    home: Text,
    name: Text,
    kind: &'static str,
    bytes: u64,
    at: usize,
}

pub(super) struct FileRows;

impl Rows for FileRows {
    type Row<'a> = FileRow<'a>;

    fn export<'r, 'a>(row: &'r Self::Row<'a>) -> &'r Export<'a> {
        row.machine.export
    }
}

pub(super) fn files<'a>(export: &'a Export<'a>) -> impl Iterator<Item = FileRow<'a>> {
    vms(export).flat_map(|row| {
        let VmRow { export, vm, filler } = row;
        let home = Text::from(home(&VmRow { export, vm, filler }));
        files_of(&VmRow { export, vm, filler }).into_iter().enumerate().map(
            move |(at, (name, kind, bytes))| FileRow {
                machine: VmRow { export, vm, filler },
                home: home.clone(),
                name,
                kind,
                bytes,
                at,
            },
        )
    })
}

fn files_of(r: &VmRow<'_>) -> Vec<(Text, &'static str, u64)> {
    let stem = &r.vm.name;
    let named = |suffix: &str| Text::from(format!("{stem}{suffix}"));
    let mut files = vec![
        (named(".vmx"), "Config", 2_000 + r.filler.below("vmx", 6_000)),
        (named(".vmxf"), "Extended config", 3_000),
        (named(".vmsd"), "Snapshot list", r.filler.below("vmsd", 900)),
        (named(".nvram"), "Nvram", 8_684),
        (Text::new("vmware.log"), "Log", 150_000 + r.filler.below("log", 900_000)),
        (Text::new("vmware-1.log"), "Log", 150_000 + r.filler.below("log 1", 900_000)),
    ];
    for disk in &r.vm.disks {
        let Some(path) = disk.path.value() else { continue };
        let name = path.rsplit('/').next().unwrap_or(path);
        let flat = name.replace(".vmdk", "-flat.vmdk");
        files.push((Text::new(name), "Disk descriptor", 500 + r.filler.below(name, 200)));
        let bytes = disk.capacity_bytes.copied().unwrap_or(0);
        files.push((Text::from(flat), "Disk extent", bytes));
    }
    for at in 1..=r.vm.snapshots.items.len() {
        files.push((named(&format!("-Snapshot{at}.vmsn")), "Snapshot data", 28_000));
    }
    if r.is_on() {
        let bytes = r.vm.memory.size_bytes.copied().unwrap_or(0);
        files.push((named(&format!("-{}.vswp", r.filler.hex("swap", 8))), "Swap", bytes));
    }
    files
}

pub(super) static FILE_INFO: Sheet<FileRows> =
    Sheet { tab: Tab::VFileInfo, head: &[], body: &FILE_COLUMNS, tail: &[] };

static FILE_COLUMNS: [Column<FileRows>; 6] = [
    col("Friendly Path Name", |r| word(format!("{}/", r.home))),
    col("File Name", |r| word(&r.name)),
    col("File Type", |r| word(r.kind)),
    col("File Size in bytes", |r| number(r.bytes)),
    col("Path", |r| word(format!("{}/{}", r.home, r.name))),
    col("Internal Sort Column", |r| word(format!("{}{:03}", r.machine.vm.name, r.at + 1))),
];
