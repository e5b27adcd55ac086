//! The `workload` object: what an expression can ask of a workload, whatever its platform.
//!
//! The attributes are declared once, in the tables of this folder; `docs/workload-object.md` is
//! written from them.

mod devices;
mod infrastructure;
mod table;
mod words;

use std::cell::OnceCell;

use entente_model::{
    Date, EstateIndex, FirmwareKind, Listing, Moment, Observed, PlatformId, PowerState, Text,
    ToolsStatus, Why, Workload, WorkloadKind,
};

use crate::types::RecordType;
use crate::value::{Map, Value};
use devices::{DeviceRecord, DiskRecord, NicRecord, PartitionRecord, SnapshotRecord};
use infrastructure::{ClusterRecord, DatastoreRecord, HostRecord};
use table::{attributes, bool, double, int, map, one_of, record, records, text, texts};
use words::{Word, word};

/// The type of the `workload` object.
pub fn record_type() -> &'static RecordType {
    WorkloadRecord::record_type()
}

/// One workload as an expression sees it. Its lists are made when first asked for and kept, so one
/// record serves any number of expressions.
pub struct WorkloadRecord<'a> {
    index: &'a EstateIndex<'a>,
    workload: &'a Workload,
    as_of: Date,
    attributes: AttributeMap<'a>,
    labels: LabelMap<'a>,
    address: OnceCell<Text>,
    disks: OnceCell<Listing<DiskRecord<'a>>>,
    nics: OnceCell<Listing<NicRecord<'a>>>,
    snapshots: OnceCell<Listing<SnapshotRecord<'a>>>,
    devices: OnceCell<DeviceLists<'a>>,
    partitions: OnceCell<Listing<PartitionRecord<'a>>>,
    datastores: OnceCell<Listing<DatastoreRecord<'a>>>,
    cluster: OnceCell<Observed<ClusterRecord<'a>>>,
    host: OnceCell<Observed<HostRecord<'a>>>,
}

struct DeviceLists<'a> {
    cdroms: Listing<DeviceRecord<'a>>,
    usb: Listing<DeviceRecord<'a>>,
    pci_passthrough: Listing<DeviceRecord<'a>>,
    vgpus: Listing<DeviceRecord<'a>>,
    serial_ports: Listing<DeviceRecord<'a>>,
}

impl<'a> WorkloadRecord<'a> {
    /// `workload` of the estate of `index`, with ages counted up to `as_of`.
    pub fn new(index: &'a EstateIndex<'a>, workload: &'a Workload, as_of: Date) -> Self {
        Self {
            index,
            workload,
            as_of,
            attributes: AttributeMap(workload),
            labels: LabelMap(workload),
            address: OnceCell::new(),
            disks: OnceCell::new(),
            nics: OnceCell::new(),
            snapshots: OnceCell::new(),
            devices: OnceCell::new(),
            partitions: OnceCell::new(),
            datastores: OnceCell::new(),
            cluster: OnceCell::new(),
            host: OnceCell::new(),
        }
    }

    fn disks(&self) -> &Listing<DiskRecord<'a>> {
        self.disks.get_or_init(|| DiskRecord::all(self.index, self.workload))
    }

    fn nics(&self) -> &Listing<NicRecord<'a>> {
        self.nics.get_or_init(|| NicRecord::all(self.index, self.workload))
    }

    fn devices(&self) -> &DeviceLists<'a> {
        let devices = &self.workload.devices;
        self.devices.get_or_init(|| DeviceLists {
            cdroms: DeviceRecord::all(&devices.cdroms),
            usb: DeviceRecord::all(&devices.usb),
            pci_passthrough: DeviceRecord::all(&devices.pci_passthrough),
            vgpus: DeviceRecord::all(&devices.vgpus),
            serial_ports: DeviceRecord::all(&devices.serial_ports),
        })
    }

    fn disk_capacity_mib(&self) -> Value<'_> {
        if let Some(why) = self.workload.disks.why() {
            return Value::Unobserved(why);
        }
        let mut bytes: u64 = 0;
        for disk in &self.workload.disks {
            match disk.capacity_bytes {
                Observed::Value(capacity) => bytes = bytes.saturating_add(capacity),
                Observed::Absent => {}
                Observed::Unobserved(why) => return Value::Unobserved(why),
            }
        }
        mebibytes(bytes)
    }

    fn primary_address(&self) -> Value<'_> {
        match &self.workload.guest.primary_address {
            Observed::Value(address) => {
                Value::Text(self.address.get_or_init(|| address.to_string().into()))
            }
            Observed::Absent => Value::Absent,
            Observed::Unobserved(why) => Value::Unobserved(*why),
        }
    }

    fn cluster(&self) -> Value<'_> {
        let cluster = self.cluster.get_or_init(|| {
            let id = self.workload.placement.cluster.as_ref();
            id.map(|id| ClusterRecord::new(self.index, self.workload, id))
        });
        match cluster {
            Observed::Value(cluster) => Value::Record(cluster),
            Observed::Absent => Value::Absent,
            Observed::Unobserved(why) => Value::Unobserved(*why),
        }
    }

    fn host(&self) -> Value<'_> {
        let host = self.host.get_or_init(|| {
            let id = self.workload.placement.host.as_ref();
            id.map(|id| HostRecord::new(self.index, self.workload, id))
        });
        match host {
            Observed::Value(host) => Value::Record(host),
            Observed::Absent => Value::Absent,
            Observed::Unobserved(why) => Value::Unobserved(*why),
        }
    }

    fn application(&self) -> Value<'_> {
        match &self.workload.governance.application {
            Observed::Value(application) => Value::Text(application.as_str()),
            Observed::Absent => Value::Absent,
            Observed::Unobserved(why) => Value::Unobserved(*why),
        }
    }

    fn cpu_ready_percent(&self) -> Value<'_> {
        match self.workload.samples.cpu_ready_basis_points {
            Observed::Value(points) => Value::Double(f64::from(points) / 100.0),
            Observed::Absent => Value::Absent,
            Observed::Unobserved(why) => Value::Unobserved(why),
        }
    }

    fn os(&self) -> Value<'_> {
        match self.workload.guest.os() {
            Observed::Value(os) => Value::Text(os),
            Observed::Absent => Value::Absent,
            Observed::Unobserved(why) => Value::Unobserved(why),
        }
    }
}

/// Custom attributes and tags. Where several have one name, the first as the platform lists them.
struct AttributeMap<'a>(&'a Workload);

impl Map for AttributeMap<'_> {
    fn get(&self, key: &str) -> Value<'_> {
        let attributes = &self.0.attributes;
        match attributes.iter().find(|attribute| attribute.name == key) {
            Some(attribute) => Value::Text(&attribute.value),
            None => attributes.why().map_or(Value::Absent, Value::Unobserved),
        }
    }
}

/// Labels that people gave.
struct LabelMap<'a>(&'a Workload);

impl Map for LabelMap<'_> {
    fn get(&self, key: &str) -> Value<'_> {
        let said = &self.0.governance;
        let silent = said.application.why() == Some(Why::NotSupplied)
            && [&said.owner, &said.tier, &said.data_sensitivity, &said.environment]
                .iter()
                .all(|fact| fact.why() == Some(Why::NotSupplied));
        match said.labels.get(key) {
            Some(value) => Value::Text(value),
            // Of a workload of which nobody has said anything, nobody has said "no label" either.
            None if silent && said.labels.is_empty() => Value::Unobserved(Why::NotSupplied),
            None => Value::Absent,
        }
    }
}

/// Bytes in whole MiB.
fn mib(bytes: &Observed<u64>) -> Value<'_> {
    match bytes {
        Observed::Value(bytes) => mebibytes(*bytes),
        Observed::Absent => Value::Absent,
        Observed::Unobserved(why) => Value::Unobserved(*why),
    }
}

fn mebibytes(bytes: u64) -> Value<'static> {
    const MEBIBYTE: u64 = 1024 * 1024;
    Value::Int(i64::try_from(bytes / MEBIBYTE).unwrap_or(i64::MAX))
}

/// Whole days from a moment to `as_of`.
fn age_days(moment: &Observed<Moment>, as_of: Date) -> Value<'_> {
    match moment {
        Observed::Value(moment) => Value::Int(moment.age_days(as_of)),
        Observed::Absent => Value::Absent,
        Observed::Unobserved(why) => Value::Unobserved(*why),
    }
}

/// An id on `platform` without the platform before it.
fn native_name<'i>(id: &'i str, platform: &PlatformId) -> &'i str {
    id.strip_prefix(platform.as_str()).and_then(|rest| rest.strip_prefix('/')).unwrap_or(id)
}

attributes! { WorkloadRecord is "workload";
    id: text() => |it| it.workload.id.as_str().into(),
        "Unique in the estate: platform and the platform's own id.";
    name: text() => |it| (&it.workload.name).into(),
        "Its name on the platform.";
    platform: text() => |it| it.workload.platform.as_str().into(),
        "Id of the platform it lives on.";
    kind: one_of(WorkloadKind::WORDS) => |it| Value::Text(it.workload.kind.as_str()),
        "What it is for.";
    power: one_of(PowerState::WORDS) => |it| word(&it.workload.power),
        "Power state.";
    created_days_ago: int() => |it| age_days(&it.workload.created, it.as_of),
        "Whole days since it was created.";

    vcpus: int() => |it| (&it.workload.cpu.count).into(),
        "Virtual processors in all.";
    sockets: int() => |it| (&it.workload.cpu.sockets).into(),
        "Virtual sockets.";
    cores_per_socket: int() => |it| (&it.workload.cpu.cores_per_socket).into(),
        "Cores per virtual socket.";
    cpu_hot_add: bool() => |it| (&it.workload.cpu.hot_add).into(),
        "Processors may be added while it runs.";
    cpu_hot_remove: bool() => |it| (&it.workload.cpu.hot_remove).into(),
        "Processors may be removed while it runs.";
    cpu_reservation_mhz: int() => |it| (&it.workload.cpu.reservation_mhz).into(),
        "Guaranteed processor, in MHz.";
    cpu_limit_mhz: int().or_null() => |it| (&it.workload.cpu.limit_mhz).into(),
        "Processor cap, in MHz; null = unlimited.";
    cpu_shares_level: text() => |it| (&it.workload.cpu.shares_level).into(),
        "Processor shares: `low`, `normal`, `high`, `custom`.";
    cpu_affinity: text().or_null() => |it| (&it.workload.cpu.affinity).into(),
        "Host processors to which it is bound; null = none.";
    numa_affinity: text().or_null() => |it| (&it.workload.cpu.numa_affinity).into(),
        "NUMA nodes to which it is bound; null = none.";
    cpu_used_mhz: int() => |it| (&it.workload.samples.cpu_used_mhz).into(),
        "Processor use when last sampled, in MHz.";
    cpu_ready_percent: double() => |it| it.cpu_ready_percent(),
        "Share of time it waited for a processor, in percent.";

    memory_mib: int() => |it| mib(&it.workload.memory.size_bytes),
        "Memory, in MiB.";
    memory_reservation_mib: int() => |it| mib(&it.workload.memory.reservation_bytes),
        "Guaranteed memory, in MiB.";
    memory_reservation_locked: bool()
        => |it| (&it.workload.memory.reservation_locked_to_max).into(),
        "All of its memory is guaranteed, whatever its size.";
    memory_limit_mib: int().or_null() => |it| mib(&it.workload.memory.limit_bytes),
        "Memory cap, in MiB; null = unlimited.";
    memory_shares_level: text() => |it| (&it.workload.memory.shares_level).into(),
        "Memory shares: `low`, `normal`, `high`, `custom`.";
    memory_hot_add: bool() => |it| (&it.workload.memory.hot_add).into(),
        "Memory may be added while it runs.";
    memory_active_mib: int() => |it| mib(&it.workload.samples.memory_active_bytes),
        "Memory in active use when last sampled, in MiB.";
    memory_consumed_mib: int() => |it| mib(&it.workload.samples.memory_consumed_bytes),
        "Host memory consumed when last sampled, in MiB.";
    memory_ballooned_mib: int() => |it| mib(&it.workload.samples.memory_ballooned_bytes),
        "Memory reclaimed by the balloon when last sampled, in MiB.";
    memory_swapped_mib: int() => |it| mib(&it.workload.samples.memory_swapped_bytes),
        "Memory swapped by the hypervisor when last sampled, in MiB.";

    disks: records(DiskRecord::record_type()) => |it| Value::List(it.disks()),
        "Its virtual disks.";
    disk_capacity_mib: int() => |it| it.disk_capacity_mib(),
        "Capacity of all disks together, in MiB.";
    nics: records(NicRecord::record_type()) => |it| Value::List(it.nics()),
        "Its network adapters.";
    snapshots: records(SnapshotRecord::record_type())
        => |it| Value::List(
            it.snapshots.get_or_init(|| SnapshotRecord::all(it.workload, it.as_of)),
        ),
        "Its VM snapshots.";
    cdroms: records(DeviceRecord::record_type()) => |it| Value::List(&it.devices().cdroms),
        "CD and DVD drives.";
    usb_devices: records(DeviceRecord::record_type()) => |it| Value::List(&it.devices().usb),
        "USB devices passed from a host.";
    pci_passthrough: records(DeviceRecord::record_type())
        => |it| Value::List(&it.devices().pci_passthrough),
        "PCI devices passed from a host.";
    vgpus: records(DeviceRecord::record_type()) => |it| Value::List(&it.devices().vgpus),
        "Shares of a GPU.";
    serial_ports: records(DeviceRecord::record_type())
        => |it| Value::List(&it.devices().serial_ports),
        "Serial ports.";
    tpm: bool() => |it| (&it.workload.devices.tpm).into(),
        "Has a virtual trusted platform module.";
    encrypted: bool() => |it| (&it.workload.devices.encrypted).into(),
        "Its configuration or disks are encrypted by the platform.";

    firmware: one_of(FirmwareKind::WORDS) => |it| word(&it.workload.firmware.kind),
        "Kind of firmware.";
    secure_boot: bool() => |it| (&it.workload.firmware.secure_boot).into(),
        "UEFI secure boot.";
    hardware_version: int() => |it| (&it.workload.firmware.hardware_version).into(),
        "Virtual hardware version, `vmx-19` = 19.";

    os: text() => |it| it.os(),
        "Operating system: what the tools report, else what is configured.";
    os_configured: text() => |it| (&it.workload.guest.os_configured).into(),
        "Operating system in the configuration.";
    os_reported: text().or_null() => |it| (&it.workload.guest.os_reported).into(),
        "Operating system that the tools report; null = they report none.";
    hostname: text().or_null() => |it| (&it.workload.guest.hostname).into(),
        "Host name in the guest; null = it reports none.";
    primary_address: text().or_null() => |it| it.primary_address(),
        "IP address that the platform calls primary; null = none.";
    tools_status: one_of(ToolsStatus::WORDS) => |it| word(&it.workload.guest.tools.status),
        "State of the platform's guest tools.";
    tools_version: text().or_null() => |it| (&it.workload.guest.tools.version).into(),
        "Version of the guest tools, as the platform writes it; null = none.";
    partitions: records(PartitionRecord::record_type())
        => |it| Value::List(
            it.partitions.get_or_init(|| PartitionRecord::all(&it.workload.guest.partitions)),
        ),
        "File systems that the guest reports.";
    heartbeat: text().or_null() => |it| (&it.workload.samples.heartbeat).into(),
        "Tools heartbeat: `green`, `gray` …; null = none.";
    guest_state: text().or_null() => |it| (&it.workload.samples.guest_state).into(),
        "Guest state: `running`, `notRunning` …; null = none.";
    connection_state: text() => |it| (&it.workload.samples.connection_state).into(),
        "Connection between host and platform: `connected`, `orphaned` …";

    datacenter: text() => |it| (&it.workload.placement.datacenter).into(),
        "Datacenter, by name.";
    folder: text().or_null() => |it| (&it.workload.placement.folder).into(),
        "Folder path; null = none.";
    resource_pool: text().or_null() => |it| (&it.workload.placement.resource_pool).into(),
        "Resource pool path; null = none.";
    vapp: text().or_null() => |it| (&it.workload.placement.vapp).into(),
        "vApp; null = none.";
    cluster: record(ClusterRecord::record_type()).or_null() => |it| it.cluster(),
        "Cluster it runs on; null on a standalone host.";
    host: record(HostRecord::record_type()).or_null() => |it| it.host(),
        "Host it runs on; null = placed on none.";
    datastores: records(DatastoreRecord::record_type())
        => |it| Value::List(
            it.datastores.get_or_init(|| DatastoreRecord::all(it.index, it.workload)),
        ),
        "The datastores of its disks, each once.";

    ha_protected: bool() => |it| (&it.workload.availability.ha_protected).into(),
        "Restarted elsewhere when its host fails.";
    ha_restart_priority: text().or_null()
        => |it| (&it.workload.availability.ha_restart_priority).into(),
        "Its own restart priority; null = the cluster's.";
    ha_isolation_response: text().or_null()
        => |it| (&it.workload.availability.ha_isolation_response).into(),
        "Its own reaction to host isolation; null = the cluster's.";
    fault_tolerance: text().or_null() => |it| (&it.workload.availability.fault_tolerance).into(),
        "Fault tolerance state; null = not configured.";
    cluster_rules: texts() => |it| Value::List(&it.workload.availability.cluster_rules),
        "Names of the cluster's affinity, anti-affinity and host rules that name it.";
    evc_mode_min: text().or_null() => |it| (&it.workload.availability.evc_mode_min).into(),
        "Lowest EVC mode on which it can run; null = none.";
    latency_sensitivity: text() => |it| (&it.workload.availability.latency_sensitivity).into(),
        "Latency sensitivity: `normal`, `high` …";
    change_tracking: bool().or_null() => |it| (&it.workload.availability.change_tracking).into(),
        "Changed block tracking; null = never set.";
    disk_uuid_enabled: bool().or_null()
        => |it| (&it.workload.availability.disk_uuid_enabled).into(),
        "Disks show their UUID to the guest; null = never set.";
    consolidation_needed: bool() => |it| (&it.workload.availability.consolidation_needed).into(),
        "Snapshot files wait to be merged.";
    powered_on_days: int().or_null()
        => |it| age_days(&it.workload.samples.powered_on_since, it.as_of),
        "Whole days since it was powered on; null = off.";

    annotation: text().or_null() => |it| (&it.workload.annotation).into(),
        "Notes on the platform, with secrets redacted; null = none.";
    attributes: map() => |it| Value::Map(&it.attributes),
        "Custom attributes and tags by name or category: `workload.attributes[\"Cost Centre\"]`.";
    labels: map() => |it| Value::Map(&it.labels),
        "Labels that people gave: `workload.labels.team`.";
    application: text().or_null() => |it| it.application(),
        "Application it serves; null = none.";
    owner: text().or_null() => |it| (&it.workload.governance.owner).into(),
        "Who answers for it; null = nobody.";
    tier: text().or_null() => |it| (&it.workload.governance.tier).into(),
        "Service tier, in the organisation's own words; null = none.";
    data_sensitivity: text().or_null() => |it| (&it.workload.governance.data_sensitivity).into(),
        "Sensitivity of its data, in the organisation's own words; null = none.";
    environment: text().or_null() => |it| (&it.workload.governance.environment).into(),
        "`production`, `test` …, in the organisation's own words; null = none.";

    provisioned_mib: int() => |it| mib(&it.workload.samples.storage_provisioned_bytes),
        "Storage promised to it, in MiB.";
    used_mib: int() => |it| mib(&it.workload.samples.storage_used_bytes),
        "Storage it uses, in MiB.";
}
