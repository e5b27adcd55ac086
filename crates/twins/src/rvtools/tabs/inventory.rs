//! vSource, vRP, vCluster, dvSwitch, dvPort, vLicense, vHealth, vMetaData.

use entente_model::{
    Cluster, Licence, Network, Observed, PowerState, ResourcePool, Switch, SwitchKind, Text,
    ToolsStatus,
};

use super::super::cell::{
    Cell, MIB, count, date, flag, limit, limit_mib, number, size, text, word,
};
use super::super::export::{Export, Filler, Load};
use super::super::spec::{Numbers, Tab, Version};
use super::{Column, Rows, Sheet, attributes, col, list, since, vms, yes};

/// One `T` of the inventory.
pub(super) struct ItemRow<'a, T> {
    export: &'a Export<'a>,
    item: T,
    filler: Filler,
    load: Load,
}

macro_rules! item_rows {
    ($($kind:ident = $item:ty;)*) => {$(
        pub(super) struct $kind;

        impl Rows for $kind {
            type Row<'a> = ItemRow<'a, $item>;

            fn export<'r, 'a>(row: &'r Self::Row<'a>) -> &'r Export<'a> {
                row.export
            }
        }
    )*};
}

item_rows! {
    SourceRows = ();
    PoolRows = &'a ResourcePool;
    ClusterRows = &'a Cluster;
    DvSwitchRows = &'a Switch;
    DvPortRows = &'a Network;
    LicenceRows = &'a Licence;
    HealthRows = Health;
    MetaDataRows = ();
}

fn row<'a, T>(export: &'a Export<'a>, item: T, key: &str, load: Load) -> ItemRow<'a, T> {
    ItemRow { export, item, filler: Filler::new(key, export.spec.seed), load }
}

pub(super) fn source<'a>(export: &'a Export<'a>) -> impl Iterator<Item = ItemRow<'a, ()>> {
    std::iter::once(row(export, (), &export.server, Load::default()))
}

pub(super) static SOURCE: Sheet<SourceRows> =
    Sheet { tab: Tab::VSource, head: &[], body: &SOURCE_COLUMNS, tail: &[] };

static SOURCE_COLUMNS: [Column<SourceRows>; 12] = [
    col("Name", |r| word(&r.export.product)),
    col("OS type", |_| word("linux-x64")),
    col("API type", |_| word("VirtualCenter")),
    col("API version", |r| word(format!("{}.0", r.export.product_version))),
    col("Version", |r| word(&r.export.product_version)),
    col("Patch level", |_| word("00300")),
    col("Build", |r| word(&r.export.build)),
    col("Fullname", |r| {
        let export = r.export;
        word(format!("{} {} build-{}", export.product, export.product_version, export.build))
    }),
    col("Product name", |_| word("VMware VirtualCenter Server")),
    col("Product version", |r| word(&r.export.product_version)),
    col("Product line", |_| word("vpx")),
    col("Vendor", |_| word("VMware, Inc.")),
];

pub(super) fn pools<'a>(
    export: &'a Export<'a>,
) -> impl Iterator<Item = ItemRow<'a, &'a ResourcePool>> {
    export.collection.resource_pools.iter().map(move |pool| {
        let path = pool.path.value().unwrap_or(&pool.name);
        row(export, pool, path, export.pool_load(path))
    })
}

pub(super) static POOL: Sheet<PoolRows> =
    Sheet { tab: Tab::VRp, head: &[], body: &POOL_COLUMNS, tail: &[] };

static POOL_COLUMNS: [Column<PoolRows>; 48] = [
    col("Resource Pool name", |r| word(&r.item.name)),
    col("Resource Pool path", |r| text(&r.item.path)),
    col("Status", |_| word("green")),
    since(Version::V4_1, "# VMs total", |r| number(r.load.machines)),
    col("# VMs", |r| number(r.load.machines_on)),
    col("# vCPUs", |r| number(r.load.vcpus_on)),
    col("CPU limit", |r| limit(&r.item.cpu_limit_mhz)),
    col("CPU overheadLimit", |_| number(-1)),
    col("CPU reservation", |r| count(&r.item.cpu_reservation_mhz)),
    col("CPU level", |_| word("normal")),
    col("CPU shares", |_| number(4000)),
    col("CPU expandableReservation", |_| yes(true)),
    col("CPU maxUsage", |r| number(100_000 + r.filler.below("cpu max", 400_000))),
    col("CPU overallUsage", |r| number(r.load.cpu_used_mhz)),
    col("CPU reservationUsed", |r| count(&r.item.cpu_reservation_mhz)),
    col("CPU reservationUsedForVm", |r| count(&r.item.cpu_reservation_mhz)),
    col("CPU unreservedForPool", |r| number(r.filler.below("cpu free", 90_000))),
    col("CPU unreservedForVm", |r| number(r.filler.below("cpu free", 90_000))),
    col("Mem Configured", |r| number(r.load.memory_mib_on)),
    col("Mem limit", |r| limit_mib(&r.item.memory_limit_bytes)),
    col("Mem overheadLimit", |_| number(-1)),
    col("Mem reservation", |r| size(&r.item.memory_reservation_bytes)),
    col("Mem level", |_| word("normal")),
    col("Mem shares", |_| number(163_840)),
    col("Mem expandableReservation", |_| yes(true)),
    col("Mem maxUsage", |r| number(500_000 + r.filler.below("mem max", 4_000_000))),
    col("Mem overallUsage", |r| number(r.load.used_mib)),
    col("Mem reservationUsed", |r| size(&r.item.memory_reservation_bytes)),
    col("Mem reservationUsedForVm", |r| size(&r.item.memory_reservation_bytes)),
    col("Mem unreservedForPool", |r| number(r.filler.below("mem free", 900_000))),
    col("Mem unreservedForVm", |r| number(r.filler.below("mem free", 900_000))),
    col("QS overallCpuDemand", |r| number(r.load.cpu_used_mhz * 11 / 10)),
    col("QS overallCpuUsage", |r| number(r.load.cpu_used_mhz)),
    col("QS staticCpuEntitlement", |r| number(r.load.vcpus_on * 1_900)),
    col("QS distributedCpuEntitlement", |r| number(r.load.cpu_used_mhz)),
    col("QS balloonedMemory", |_| number(0)),
    col("QS compressedMemory", |_| number(0)),
    col("QS consumedOverheadMemory", |r| number(r.load.machines_on * 60)),
    col("QS distributedMemoryEntitlement", |r| number(r.load.used_mib)),
    col("QS guestMemoryUsage", |r| number(r.load.used_mib / 4)),
    col("QS hostMemoryUsage", |r| number(r.load.used_mib)),
    col("QS overheadMemory", |r| number(r.load.machines_on * 110)),
    col("QS privateMemory", |r| number(r.load.used_mib * 9 / 10)),
    col("QS sharedMemory", |r| number(r.load.used_mib / 10)),
    col("QS staticMemoryEntitlement", |r| number(r.load.memory_mib_on)),
    col("QS swappedMemory", |_| number(0)),
    since(Version::V4_0, "Object ID", |r| {
        word(format!("resgroup-{}", 100 + r.filler.below("id", 90_000)))
    }),
    attributes(),
];

pub(super) fn clusters<'a>(
    export: &'a Export<'a>,
) -> impl Iterator<Item = ItemRow<'a, &'a Cluster>> {
    export
        .collection
        .clusters
        .iter()
        .map(move |it| row(export, it, it.id.as_str(), export.cluster_load(it)))
}

pub(super) static CLUSTER: Sheet<ClusterRows> =
    Sheet { tab: Tab::VCluster, head: &[], body: &CLUSTER_COLUMNS, tail: &[] };

static CLUSTER_COLUMNS: [Column<ClusterRows>; 33] = [
    col("Name", |r| word(&r.item.name)),
    col("Config status", |_| word("green")),
    col("OverallStatus", |_| word("green")),
    col("NumHosts", |r| count(&r.item.host_count)),
    col("numEffectiveHosts", |r| {
        let hosts = r.export.hosts_of(r.item);
        number(hosts.filter(|host| host.in_maintenance.copied() == Some(false)).count())
    }),
    col("TotalCpu", |r| count(&r.item.cpu_mhz)),
    col("NumCpuCores", |r| count(&r.item.cpu_cores)),
    col("NumCpuThreads", |r| number(u64::from(r.item.cpu_cores.copied().unwrap_or(0)) * 2)),
    col("Effective Cpu", |r| number(r.item.cpu_mhz.copied().unwrap_or(0) * 95 / 100)),
    col("TotalMemory", |r| size(&r.item.memory_bytes)),
    col("Effective Memory", |r| number(r.item.memory_bytes.copied().unwrap_or(0) / MIB * 96 / 100)),
    col("Num VMotions", |r| number(r.filler.below("migrations", 20_000))),
    col("HA enabled", |r| flag(&r.item.ha_enabled)),
    col("Failover Level", |r| count(&r.item.failover_level)),
    col("AdmissionControlEnabled", |r| flag(&r.item.admission_control)),
    col("Host monitoring", |_| word("enabled")),
    col("HB Datastore Candidate Policy", |_| word("allFeasibleDsWithUserPreference")),
    col("Isolation Response", |_| word("none")),
    col("Restart Priority", |_| word("medium")),
    col("Cluster Settings", |_| yes(true)),
    col("Max Failures", |_| number(3)),
    col("Max Failure Window", |_| number(-1)),
    col("Failure Interval", |_| number(30)),
    col("Min Up Time", |_| number(120)),
    col("VM Monitoring", |_| word("vmMonitoringDisabled")),
    col("DRS enabled", |r| flag(&r.item.drs_enabled)),
    col("DRS default VM behavior", |r| text(&r.item.drs_behaviour)),
    col("DRS vmotion rate", |_| number(3)),
    col("DPM enabled", |r| flag(&r.item.dpm_enabled)),
    col("DPM default behavior", |_| word("automated")),
    col("DPM Host Power Action Rate", |_| number(3)),
    since(Version::V4_0, "Object ID", |r| {
        word(format!("domain-c{}", 10 + r.filler.below("id", 9_000)))
    }),
    attributes(),
];

pub(super) fn dv_switches<'a>(
    export: &'a Export<'a>,
) -> impl Iterator<Item = ItemRow<'a, &'a Switch>> {
    let switches = export.collection.switches.iter();
    switches
        .filter(|it| it.kind == SwitchKind::Distributed)
        .map(move |it| row(export, it, &it.name, Load::default()))
}

pub(super) static DV_SWITCH: Sheet<DvSwitchRows> =
    Sheet { tab: Tab::DvSwitch, head: &[], body: &DV_SWITCH_COLUMNS, tail: &[] };

static DV_SWITCH_COLUMNS: [Column<DvSwitchRows>; 29] =
    [
        col("Switch", |r| word(&r.item.name)),
        col("Datacenter", |r| {
            let host = r.item.hosts.items.first();
            let mut hosts = r.export.collection.hosts.iter();
            hosts.find(|it| Some(&it.name) == host).map_or(Cell::Blank, |it| text(&it.datacenter))
        }),
        col("Name", |r| word(&r.item.name)),
        col("Vendor", |_| word("VMware, Inc.")),
        col("Version", |r| text(&r.item.version)),
        col("Description", |r| word(format!("Distributed switch {}", r.item.name))),
        col("Created", |r| Cell::Date(r.filler.before("created", r.export.taken, 2_500))),
        col("Host members", |r| list(&r.item.hosts.items)),
        col("Max Ports", |_| number(2_147_483_647)),
        col("# Ports", |r| number(256 + r.filler.below("ports", 2_000))),
        col("# VMs", |r| {
            let nics =
                r.export.collection.workloads.iter().filter(|vm| {
                    vm.nics.iter().any(|nic| nic.switch.value() == Some(&r.item.name))
                });
            number(nics.count())
        }),
        col("In Traffic Shaping", |_| yes(false)),
        // Kbit/s here, bits per second on standard switches.
        col("In Avg", |_| number(100_000)),
        col("In Peak", |_| number(100_000)),
        col("In Burst", |_| number(102_400)),
        col("Out Traffic Shaping", |_| yes(false)),
        col("Out Avg", |_| number(100_000)),
        col("Out Peak", |_| number(100_000)),
        col("Out Burst", |_| number(102_400)),
        col("CDP Type", |_| word("lldp")),
        col("CDP Operation", |_| word("both")),
        col("LACP Name", |_| word("lag1")),
        col("LACP Mode", |_| word("active")),
        col("LACP Load Balance Alg.", |_| word("srcDestIpTcpUdpPortVlan")),
        col("Max MTU", |r| count(&r.item.mtu_bytes)),
        col("Contact", |_| word("network-operations@example.com")),
        col("Admin Name", |_| word("Network Operations")),
        since(Version::V4_0, "Object ID", |r| {
            word(format!("dvs-{}", 10 + r.filler.below("id", 90_000)))
        }),
        attributes(),
    ];

pub(super) fn dv_ports<'a>(
    export: &'a Export<'a>,
) -> impl Iterator<Item = ItemRow<'a, &'a Network>> {
    export
        .networks_of(SwitchKind::Distributed)
        .map(move |it| row(export, it, it.id.as_str(), Load::default()))
}

pub(super) static DV_PORT: Sheet<DvPortRows> =
    Sheet { tab: Tab::DvPort, head: &[], body: &DV_PORT_COLUMNS, tail: &[] };

static DV_PORT_COLUMNS: [Column<DvPortRows>; 40] = [
    col("Port", |r| word(&r.item.name)),
    col("Switch", |r| text(&r.item.switch)),
    col("Type", |_| word("earlyBinding")),
    col("# Ports", |_| number(128)),
    col("VLAN", |r| super::hosts::vlan(r.item)),
    col("Speed", |_| number(0)),
    col("Full Duplex", |_| yes(false)),
    col("Blocked", |_| yes(false)),
    col("Allow Promiscuous", |r| flag(&r.item.promiscuous)),
    col("Mac Changes", |r| flag(&r.item.mac_changes)),
    col("Active Uplink", |_| word("Uplink 1, Uplink 2")),
    col("Standby Uplink", |_| Cell::Blank),
    col("Policy", |_| word("loadbalance_loadbased")),
    col("Forged Transmits", |r| flag(&r.item.forged_transmits)),
    col("In Traffic Shaping", |_| yes(false)),
    col("In Avg", |_| number(100_000)),
    col("In Peak", |_| number(100_000)),
    col("In Burst", |_| number(102_400)),
    col("Out Traffic Shaping", |_| yes(false)),
    col("Out Avg", |_| number(100_000)),
    col("Out Peak", |_| number(100_000)),
    col("Out Burst", |_| number(102_400)),
    col("Reverse Policy", |_| yes(true)),
    col("Notify Switch", |_| yes(true)),
    col("Rolling Order", |_| yes(false)),
    col("Check Beacon", |_| yes(false)),
    col("Live Port Moving", |_| yes(false)),
    col("Check Duplex", |_| yes(false)),
    col("Check Error %", |_| yes(false)),
    col("Check Speed", |_| word("minimum")),
    col("Percentage", |_| number(0)),
    col("Block Override", |_| yes(true)),
    col("Config Reset", |_| yes(true)),
    col("Shaping Override", |_| yes(false)),
    col("Vendor Config Override", |_| yes(false)),
    col("Sec. Policy Override", |_| yes(false)),
    col("Teaming Override", |_| yes(false)),
    col("Vlan Override", |_| yes(false)),
    since(Version::V4_0, "Object ID", |r| {
        word(format!("dvportgroup-{}", 10 + r.filler.below("id", 90_000)))
    }),
    attributes(),
];

pub(super) fn licences<'a>(
    export: &'a Export<'a>,
) -> impl Iterator<Item = ItemRow<'a, &'a Licence>> {
    export.collection.licences.iter().map(move |it| row(export, it, &it.name, Load::default()))
}

pub(super) static LICENCE: Sheet<LicenceRows> =
    Sheet { tab: Tab::VLicense, head: &[], body: &LICENCE_COLUMNS, tail: &[] };

static LICENCE_COLUMNS: [Column<LicenceRows>; 8] = [
    col("Name", |r| word(&r.item.name)),
    col("Key", |r| word(r.export.secrets.licence_key(&r.item.name))),
    col("Labels", |r| word(if r.filler.below("label", 2) == 0 { "central" } else { "branch" })),
    col("Cost Unit", |r| text(&r.item.unit)),
    col("Total", |r| limit(&r.item.total)),
    col("Used", |r| count(&r.item.used)),
    // A date, or text where there is none.
    col("Expiration Date", |r| match &r.item.expires {
        Observed::Absent => word("Never"),
        expires => date(expires),
    }),
    col("Features", |_| word("vMotion, Storage vMotion, vSphere HA, DRS, Distributed Switch")),
];

/// One line of vHealth.
pub(super) struct Health {
    name: Text,
    message: String,
    kind: &'static str,
}

pub(super) fn health<'a>(export: &'a Export<'a>) -> impl Iterator<Item = ItemRow<'a, Health>> {
    let machines = vms(export).flat_map(move |it| {
        let vm = it.vm;
        let mut lines = Vec::new();
        let mut add = |kind, message: String| {
            lines.push(Health { name: vm.name.clone(), message, kind });
        };
        if vm.devices.cdroms.iter().any(|drive| drive.connected.copied() == Some(true)) {
            add("CDROM", "VM has a CDROM device connected!".to_owned());
        }
        if !vm.snapshots.items.is_empty() {
            add("Snapshot", "VM has an active snapshot!".to_owned());
        }
        if vm.guest.tools.status.value() == Some(&ToolsStatus::Outdated)
            && vm.power.value() == Some(&PowerState::On)
        {
            add("VM Tools", "VMware Tools are out of date or not installed correctly!".to_owned());
        }
        if vm.availability.consolidation_needed.copied() == Some(true) {
            add("Storage", "VM disk consolidation is needed!".to_owned());
        }
        for partition in &vm.guest.partitions {
            let (Some(free), Some(capacity)) =
                (partition.free_bytes.copied(), partition.capacity_bytes.copied())
            else {
                continue;
            };
            if capacity > 0 && free * 100 / capacity < 10 {
                let percent = decimal(export, free * 1000 / capacity);
                add(
                    "Storage",
                    format!("On disk {} is {percent} % disk space available!", partition.mount),
                );
            }
        }
        lines
    });
    let datastores = export.collection.datastores.iter().filter_map(move |it| {
        let (free, capacity) = (it.free_bytes.copied()?, it.capacity_bytes.copied()?);
        (capacity > 0 && free * 100 / capacity < 15).then(|| Health {
            name: it.name.clone(),
            message: format!(
                "On datastore {} is {} % disk space available!",
                it.name,
                decimal(export, free * 1000 / capacity)
            ),
            kind: "Storage",
        })
    });
    machines.chain(datastores).map(move |line| {
        let key = line.name.clone();
        row(export, line, &key, Load::default())
    })
}

/// Tenths with the decimal sign of the exporting machine: vHealth holds numbers in text.
fn decimal(export: &Export<'_>, tenths: u64) -> String {
    let sign = if export.spec.numbers == Numbers::DotThousands { ',' } else { '.' };
    format!("{}{sign}{}", tenths / 10, tenths % 10)
}

pub(super) static HEALTH: Sheet<HealthRows> =
    Sheet { tab: Tab::VHealth, head: &[], body: &HEALTH_COLUMNS, tail: &[] };

static HEALTH_COLUMNS: [Column<HealthRows>; 3] = [
    col("Name", |r| word(&r.item.name)),
    col("Message", |r| word(&r.item.message)),
    since(Version::V3_11, "Message type", |r| word(r.item.kind)),
];

pub(super) fn meta_data<'a>(export: &'a Export<'a>) -> impl Iterator<Item = ItemRow<'a, ()>> {
    std::iter::once(row(export, (), &export.server, Load::default()))
}

pub(super) static META_DATA: Sheet<MetaDataRows> =
    Sheet { tab: Tab::VMetaData, head: &[], body: &META_COLUMNS, tail: &[] };

static META_COLUMNS: [Column<MetaDataRows>; 4] = [
    col("RVTools major version", |r| {
        let number = r.export.version().number();
        word(number.splitn(3, '.').take(2).collect::<Vec<_>>().join("."))
    }),
    col("RVTools version", |r| word(r.export.version().number())),
    col("xlsx creation datetime", |r| Cell::Date(r.export.taken)),
    col("Server", |r| word(&r.export.server)),
];
