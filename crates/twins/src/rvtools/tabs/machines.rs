//! vInfo, vCPU, vMemory, vTools: one row per machine.

use entente_model::{FirmwareKind, Observed, PowerState, Text, ToolsStatus, WorkloadKind};

use super::super::cell::{
    Cell, MIB, configured, count, date, flag, limit, limit_mib, mib, number, size, text, word,
};
use super::super::export::moment;
use super::super::spec::{Defect, Tab, Version};
use super::{Column, Sheet, Vm, VmRow, attributes, col, list, since, until, yes};

/// A zero time stamp, as a machine in UTC shows it.
const EPOCH: time::PrimitiveDateTime = time::macros::datetime!(1970-01-01 00:00:00);

/// The first columns of every tab about machines.
pub(super) static HEAD: [Column<Vm>; 4] =
    [
        col("VM", |r| word(&r.vm.name)),
        col("Powerstate", |r| power(r)),
        col("Template", |r| yes(r.vm.kind == WorkloadKind::Template)),
        since(Version::V4_1, "SRM Placeholder", |r| {
            yes(r.vm.kind == WorkloadKind::RecoveryPlaceholder)
        }),
    ];

/// Notes, attributes and place.
pub(super) static PLACE: [Column<Vm>; 7] = [
    col("Annotation", |r| annotation(r)),
    attributes(),
    col("Datacenter", |r| text(&r.vm.placement.datacenter)),
    col("Cluster", |r| cluster(r)),
    col("Host", |r| host(r)),
    col("Folder", |r| text(&r.vm.placement.folder)),
    col("OS according to the configuration file", |r| text(&r.vm.guest.os_configured)),
];

/// On every tab about machines since 3.9.
pub(super) static OS_TOOLS: [Column<Vm>; 1] =
    [since(Version::V3_11, "OS according to the VMware Tools", |r| text(&r.vm.guest.os_reported))];

/// A reference that some tabs hold besides the id.
pub(super) static REFERENCE: [Column<Vm>; 1] = [col("VMRef", |r| text(&r.vm.native_id))];

/// What identifies the machine.
pub(super) static IDENTITY: [Column<Vm>; 2] =
    [col("VM ID", |r| text(&r.vm.native_id)), col("VM UUID", |r| vm_uuid(r))];

/// The last columns of most tabs about machines.
pub(super) static TAIL: [&[Column<Vm>]; 3] = [&PLACE, &OS_TOOLS, &IDENTITY];

/// The last columns of those that hold the reference.
pub(super) static TAIL_WITH_REFERENCE: [&[Column<Vm>]; 4] =
    [&PLACE, &OS_TOOLS, &REFERENCE, &IDENTITY];

pub(super) static INFO: Sheet<Vm> = Sheet {
    tab: Tab::VInfo,
    head: &HEAD,
    body: &[],
    tail: &[&INFO_STATE, &INFO_SIZE, &INFO_NETWORKS, &INFO_AVAILABILITY, &INFO_BOOT, &INFO_PLACE],
};

static INFO_STATE: [Column<Vm>; 12] = [
    col("Config status", |r| {
        word(if r.filler.below("config status", 25) == 0 { "yellow" } else { "green" })
    }),
    col("DNS Name", |r| text(&r.vm.guest.hostname)),
    col("Connection state", |r| text(&r.vm.samples.connection_state)),
    col("Guest state", |r| text(&r.vm.samples.guest_state)),
    col("Heartbeat", |r| text(&r.vm.samples.heartbeat)),
    col("Consolidation Needed", |r| flag(&r.vm.availability.consolidation_needed)),
    col("PowerOn", |r| match &r.vm.samples.powered_on_since {
        // Old versions wrote the zero time stamp of a machine that is off.
        Observed::Absent if r.export.version() < Version::V4_0 => Cell::Date(EPOCH),
        since => date(since),
    }),
    since(Version::V4_6, "Suspended To Memory", |r| yes(is_suspended(r))),
    col("Suspend time", |r| {
        if is_suspended(r) {
            Cell::Date(r.filler.before("suspended", r.export.taken, 90))
        } else if r.filler.below("zero", 5) == 0 {
            Cell::Date(EPOCH)
        } else {
            Cell::Blank
        }
    }),
    since(Version::V4_6, "Suspend Interval", |_| word("0")),
    since(Version::V3_11, "Creation date", |r| date(&r.vm.created)),
    col("Change Version", |r| {
        let start = moment(&r.vm.created).unwrap_or(r.export.taken);
        let days = (r.export.taken - start).whole_days().clamp(1, 200).unsigned_abs();
        Cell::ChangeVersion(r.filler.before("changed", r.export.taken, days))
    }),
];

static INFO_SIZE: [Column<Vm>; 16] = [
    // Went with 4.0; where it stood is not documented.
    until(Version::V3_11, "Config Checksum", |r| word(r.filler.hex("checksum", 32))),
    col("CPUs", |r| count(&r.vm.cpu.count)),
    since(Version::V4_6, "Overall Cpu Readiness", |r| {
        r.vm.samples
            .cpu_ready_basis_points
            .copied()
            .map_or(Cell::Blank, |points| word(format!("{}%", points / 100)))
    }),
    col("Memory", |r| size(&r.vm.memory.size_bytes)),
    since(Version::V4_6, "Active Memory", |r| size(&r.vm.samples.memory_active_bytes)),
    col("NICs", |r| number(r.vm.nics.items.len())),
    col("Disks", |r| number(r.vm.disks.items.len())),
    since(Version::V4_4, "Total disk capacity MiB", |r| {
        mib(r.vm.disks.iter().filter_map(|disk| disk.capacity_bytes.copied()).sum())
    }),
    since(Version::V4_6, "Fixed Passthru HotPlug", |_| yes(false)),
    since(Version::V4_0, "min Required EVC Mode Key", |r| text(&r.vm.availability.evc_mode_min)),
    since(Version::V3_11, "Latency Sensitivity", |r| text(&r.vm.availability.latency_sensitivity)),
    since(Version::V4_6, "Op Notification Timeout", |_| number(0)),
    since(Version::V3_11, "EnableUUID", |r| configured(&r.vm.availability.disk_uuid_enabled)),
    since(Version::V3_11, "CBT", |r| configured(&r.vm.availability.change_tracking)),
    since(Version::V3_11, "Primary IP Address", |r| {
        r.vm.guest.primary_address.value().map_or(Cell::Blank, |it| word(it.to_string()))
    }),
    col("Network #1", |r| network(r, 0)),
];

static INFO_NETWORKS: [Column<Vm>; 13] = [
    col("Network #2", |r| network(r, 1)),
    col("Network #3", |r| network(r, 2)),
    col("Network #4", |r| network(r, 3)),
    since(Version::V4_1, "Network #5", |r| network(r, 4)),
    since(Version::V4_1, "Network #6", |r| network(r, 5)),
    since(Version::V4_1, "Network #7", |r| network(r, 6)),
    since(Version::V4_1, "Network #8", |r| network(r, 7)),
    col("Num Monitors", |_| number(1)),
    col("Video Ram KiB", |r| number(4096 << r.filler.below("video", 2))),
    col("Resource pool", |r| text(&r.vm.placement.resource_pool)),
    since(Version::V4_4, "Folder ID", |r| {
        let folder = r.vm.placement.folder.value().map_or("", Text::as_str);
        word(format!("group-v{}", 100 + crate::random::hash(folder) % 900))
    }),
    col("Folder", |r| text(&r.vm.placement.folder)),
    col("vApp", |r| text(&r.vm.placement.vapp)),
];

static INFO_AVAILABILITY: [Column<Vm>; 15] = [
    col("DAS protection", |r| flag(&r.vm.availability.ha_protected)),
    col("FT State", |r| match &r.vm.availability.fault_tolerance {
        Observed::Absent => word("notConfigured"),
        state => text(state),
    }),
    since(Version::V4_4, "FT Role", |r| if is_fault_tolerant(r) { number(1) } else { Cell::Blank }),
    col("FT Latency", |r| word(if is_fault_tolerant(r) { "green" } else { "gray" })),
    col("FT Bandwidth", |r| number(if is_fault_tolerant(r) { 120_000 } else { -1 })),
    col("FT Sec. Latency", |r| number(if is_fault_tolerant(r) { 2 } else { -1 })),
    since(Version::V4_6, "Vm Failover In Progress", |_| yes(false)),
    col("Provisioned MiB", |r| size(&r.vm.samples.storage_provisioned_bytes)),
    col("In Use MiB", |r| size(&r.vm.samples.storage_used_bytes)),
    col("Unshared MiB", |r| size(&r.vm.samples.storage_used_bytes)),
    col("HA Restart Priority", |r| text(&r.vm.availability.ha_restart_priority)),
    col("HA Isolation Response", |r| text(&r.vm.availability.ha_isolation_response)),
    col("HA VM Monitoring", |_| word("vmMonitoringDisabled")),
    col("Cluster rule(s)", |r| {
        list(r.vm.availability.cluster_rules.iter().map(|rule| rule_kind(rule)))
    }),
    col("Cluster rule name(s)", |r| list(&r.vm.availability.cluster_rules.items)),
];

static INFO_BOOT: [Column<Vm>; 16] = [
    col("Boot Required", |_| yes(false)),
    col("Boot delay", |r| number(if r.filler.below("boot delay", 40) == 0 { 5000 } else { 0 })),
    col("Boot retry delay", |_| number(10_000)),
    col("Boot retry enabled", |_| yes(false)),
    col("Boot BIOS setup", |_| yes(false)),
    since(Version::V4_4, "Reboot PowerOff", |_| yes(false)),
    since(Version::V4_4, "EFI Secure boot", |r| flag(&r.vm.firmware.secure_boot)),
    col("Firmware", |r| match r.vm.firmware.kind.value() {
        Some(FirmwareKind::Bios) => word("bios"),
        Some(FirmwareKind::Efi) => word("efi"),
        None => Cell::Blank,
    }),
    col("HW version", |r| count(&r.vm.firmware.hardware_version)),
    col("HW upgrade status", |_| word("none")),
    col("HW upgrade policy", |_| word("never")),
    col("HW target", |r| {
        r.vm.firmware
            .hardware_version
            .copied()
            .map_or(Cell::Blank, |version| word(format!("vmx-{version:02}")))
    }),
    col("Path", |r| word(format!("{}/{}.vmx", home(r), r.vm.name))),
    col("Log directory", |r| word(format!("{}/", home(r)))),
    col("Snapshot directory", |r| word(format!("{}/", home(r)))),
    col("Suspend directory", |r| word(format!("{}/", home(r)))),
];

static INFO_PLACE: [Column<Vm>; 14] = [
    col("Annotation", |r| annotation(r)),
    attributes(),
    col("Datacenter", |r| text(&r.vm.placement.datacenter)),
    col("Cluster", |r| cluster(r)),
    col("Host", |r| host(r)),
    col("OS according to the configuration file", |r| text(&r.vm.guest.os_configured)),
    col("OS according to the VMware Tools", |r| text(&r.vm.guest.os_reported)),
    since(Version::V4_6, "Customization Info", |r| {
        word(if r.is_on() { "TOOLSDEPLOYPKG_IDLE" } else { "" })
    }),
    since(Version::V4_6, "Guest Detailed Data", |r| {
        r.vm.guest.os_reported.value().map_or(Cell::Blank, |os| {
            let bits = if os.contains("64-bit") { 64 } else { 32 };
            word(format!("architecture='X86' bitness='{bits}' prettyName='{os}'"))
        })
    }),
    col("VM ID", |r| text(&r.vm.native_id)),
    since(Version::V4_4, "SMBIOS UUID", |r| {
        r.vm.bios_uuid.value().map_or(Cell::Blank, |it| word(it.to_string()))
    }),
    col("VM UUID", |r| vm_uuid(r)),
    col("VI SDK Server type", |r| {
        let export = r.export;
        word(format!("{} {} build-{}", export.product, export.product_version, export.build))
    }),
    col("VI SDK API Version", |r| word(format!("{}.0", r.export.product_version))),
];

pub(super) static CPU: Sheet<Vm> =
    Sheet { tab: Tab::VCpu, head: &HEAD, body: &CPU_COLUMNS, tail: &TAIL };

static CPU_COLUMNS: [Column<Vm>; 14] = [
    col("CPUs", |r| count(&r.vm.cpu.count)),
    col("Sockets", |r| count(&r.vm.cpu.sockets)),
    col("Cores p/s", |r| count(&r.vm.cpu.cores_per_socket)),
    col("Max", |r| number(u64::from(r.vm.cpu.count.copied().unwrap_or(0)) * 2_300)),
    col("Overall", |r| count(&r.vm.samples.cpu_used_mhz)),
    col("Level", |r| text(&r.vm.cpu.shares_level)),
    col("Shares", |r| {
        let each = shares_each(&r.vm.cpu.shares_level, 1000);
        number(each * u64::from(r.vm.cpu.count.copied().unwrap_or(0)))
    }),
    col("Reservation", |r| count(&r.vm.cpu.reservation_mhz)),
    col("Entitlement", |r| r.while_on("cpu entitlement", 4_000)),
    col("DRS Entitlement", |r| r.while_on("cpu drs entitlement", 4_000)),
    col("Limit", |r| limit(&r.vm.cpu.limit_mhz)),
    col("Hot Add", |r| flag(&r.vm.cpu.hot_add)),
    col("Hot Remove", |r| flag(&r.vm.cpu.hot_remove)),
    col("Numa Hotadd Exposed", |_| yes(false)),
];

pub(super) static MEMORY: Sheet<Vm> =
    Sheet { tab: Tab::VMemory, head: &HEAD, body: &MEMORY_COLUMNS, tail: &TAIL };

static MEMORY_COLUMNS: [Column<Vm>; 18] = [
    col("Size MiB", |r| size(&r.vm.memory.size_bytes)),
    col("Memory Reservation Locked To Max", |r| flag(&r.vm.memory.reservation_locked_to_max)),
    col("Overhead", |r| r.while_on("memory overhead", 180)),
    col("Max", |r| if r.is_on() { size(&r.vm.memory.size_bytes) } else { number(0) }),
    col("Consumed", |r| size(&r.vm.samples.memory_consumed_bytes)),
    col("Consumed Overhead", |r| r.while_on("consumed overhead", 120)),
    col("Private", |r| {
        size(&r.vm.samples.memory_consumed_bytes.clone().map(|it| it / MIB * 9 / 10 * MIB))
    }),
    col("Shared", |r| r.while_on("shared memory", 64)),
    col("Swapped", |r| size(&r.vm.samples.memory_swapped_bytes)),
    col("Ballooned", |r| size(&r.vm.samples.memory_ballooned_bytes)),
    col("Active", |r| size(&r.vm.samples.memory_active_bytes)),
    col("Entitlement", |r| r.while_on("memory entitlement", 16_000)),
    col("DRS Entitlement", |r| r.while_on("memory drs entitlement", 16_000)),
    col("Level", |r| text(&r.vm.memory.shares_level)),
    col("Shares", |r| {
        let each = shares_each(&r.vm.memory.shares_level, 10);
        number(each * (r.vm.memory.size_bytes.copied().unwrap_or(0) / MIB))
    }),
    col("Reservation", |r| size(&r.vm.memory.reservation_bytes)),
    col("Limit", |r| limit_mib(&r.vm.memory.limit_bytes)),
    col("Hot Add", |r| flag(&r.vm.memory.hot_add)),
];

pub(super) static TOOLS: Sheet<Vm> =
    Sheet { tab: Tab::VTools, head: &HEAD, body: &TOOLS_COLUMNS, tail: &TAIL_WITH_REFERENCE };

static TOOLS_COLUMNS: [Column<Vm>; 13] = [
    col("VM Version", |r| count(&r.vm.firmware.hardware_version)),
    col("Tools", |r| match r.vm.guest.tools.status.value() {
        Some(ToolsStatus::Current) => word("toolsOk"),
        Some(ToolsStatus::Outdated) => word("toolsOld"),
        Some(ToolsStatus::NotRunning) => word("toolsNotRunning"),
        Some(ToolsStatus::NotInstalled) => word("toolsNotInstalled"),
        None => Cell::Blank,
    }),
    col("Tools Version", |r| text(&r.vm.guest.tools.version)),
    col("Required Version", |_| word("12389")),
    col("Upgradeable", |r| {
        word(match r.vm.guest.tools.status.value() {
            Some(ToolsStatus::Outdated) => "Yes",
            Some(ToolsStatus::NotInstalled) => "No",
            _ => "Up to date",
        })
    }),
    col("Upgrade Policy", |_| word("manual")),
    col("Sync time", |r| yes(r.filler.below("sync time", 8) == 0)),
    col("App status", |_| word("appStatusGray")),
    col("Heartbeat status", |r| text(&r.vm.samples.heartbeat)),
    col("Kernel Crash state", |_| yes(false)),
    col("Operation Ready", |r| yes(tools_run(r))),
    col("State change support", |r| yes(tools_run(r))),
    col("Interactive Guest", |_| yes(false)),
];

pub(super) fn power(r: &VmRow<'_>) -> Cell {
    match r.vm.power.value() {
        Some(PowerState::On) => word("poweredOn"),
        Some(PowerState::Off) => word("poweredOff"),
        Some(PowerState::Suspended) => word("suspended"),
        None => Cell::Blank,
    }
}

pub(super) fn annotation(r: &VmRow<'_>) -> Cell {
    let planted = if r.export.spec.has(&Defect::ClearTextPasswords) {
        r.export.secrets.in_annotation(r.vm)
    } else {
        None
    };
    match (r.vm.annotation.value(), planted) {
        (Some(note), Some(password)) => {
            word(format!("{note} {}", leak(password, r.filler.below("leak", 3))))
        }
        (None, Some(password)) => word(leak(password, r.filler.below("leak", 3))),
        (note, None) => note.map_or(Cell::Blank, word),
    }
}

/// How people write down a password.
fn leak(password: Text, form: u64) -> String {
    match form {
        0 => format!("login: admin password: {password}"),
        1 => format!("root pwd={password}"),
        _ => format!("Kennwort: {password}"),
    }
}

pub(super) fn cluster(r: &VmRow<'_>) -> Cell {
    word(r.export.cluster_name(&r.vm.placement.cluster))
}

pub(super) fn host(r: &VmRow<'_>) -> Cell {
    word(r.export.host_name(&r.vm.placement.host))
}

/// The SMBIOS UUID up to 4.2, the vCenter's instance UUID from 4.3.1.
pub(super) fn vm_uuid(r: &VmRow<'_>) -> Cell {
    let uuid =
        if r.export.version() >= Version::V4_3 { &r.vm.instance_uuid } else { &r.vm.bios_uuid };
    uuid.value().map_or(Cell::Blank, |it| word(it.to_string()))
}

fn network(r: &VmRow<'_>, at: usize) -> Cell {
    r.vm.nics.items.get(at).map_or(Cell::Blank, |nic| word(r.export.network_name(&nic.network)))
}

fn is_suspended(r: &VmRow<'_>) -> bool {
    r.vm.power.value() == Some(&PowerState::Suspended)
}

fn is_fault_tolerant(r: &VmRow<'_>) -> bool {
    matches!(r.vm.availability.fault_tolerance, Observed::Value(_))
}

fn tools_run(r: &VmRow<'_>) -> bool {
    r.is_on()
        && matches!(
            r.vm.guest.tools.status.value(),
            Some(ToolsStatus::Current | ToolsStatus::Outdated)
        )
}

/// What kind of rule the name stands for: the model keeps names only.
fn rule_kind(name: &str) -> &'static str {
    if name.contains("separate") || name.contains("apart") {
        "ClusterAntiAffinityRuleSpec"
    } else if name.contains("together") {
        "ClusterAffinityRuleSpec"
    } else {
        "ClusterVmHostRuleInfo"
    }
}

/// Shares per processor or MiB: `low` is half of `normal`, `high` twice.
fn shares_each(level: &Observed<Text>, normal: u64) -> u64 {
    match level.value().map(Text::as_str) {
        Some("low") => normal / 2,
        Some("high") => normal * 2,
        _ => normal,
    }
}

/// Datastore and folder of the machine's files: those of its first disk of its own.
pub(super) fn home(r: &VmRow<'_>) -> String {
    let path = r.vm.disks.iter().filter_map(|disk| disk.path.value()).next();
    match path.and_then(|path| path.rsplit_once('/')) {
        Some((folder, _)) => folder.to_owned(),
        None => {
            let datastore =
                r.export.collection.datastores.first().map_or("datastore1", |it| it.name.as_str());
            format!("[{datastore}] {}", r.vm.name)
        }
    }
}
