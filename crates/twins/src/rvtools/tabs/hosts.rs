//! vHost, vHBA, vNIC, vSwitch, vPort, vSC_VMK: rows of hosts.

use entente_model::{Host, Network, Observed, SwitchKind, Text};

use super::super::cell::{Cell, count, date, flag, number, size, text, word};
use super::super::export::{Export, Filler, Load};
use super::super::spec::{Tab, Version};
use super::{Column, Rows, Sheet, attributes, col, list, since, yes};

/// A host, or one of `T` on it.
pub(super) struct HostRow<'a, T> {
    export: &'a Export<'a>,
    host: &'a Host,
    filler: Filler,
    load: Load,
    part: T,
}

impl<T> HostRow<'_, T> {
    fn cores(&self) -> u64 {
        u64::from(self.host.cores.copied().unwrap_or(1)).max(1)
    }
}

macro_rules! host_rows {
    ($($kind:ident = $part:ty;)*) => {$(
        pub(super) struct $kind;

        impl Rows for $kind {
            type Row<'a> = HostRow<'a, $part>;

            fn export<'r, 'a>(row: &'r Self::Row<'a>) -> &'r Export<'a> {
                row.export
            }
        }
    )*};
}

host_rows! {
    HostRows = ();
    HbaRows = u64;
    NicRows = u64;
    SwitchRows = &'a Text;
    PortRows = &'a Network;
    VmkernelRows = (u64, &'a Network);
}

fn rows<'a, T: 'a, I: Iterator<Item = T>>(
    export: &'a Export<'a>,
    parts: impl Fn(&'a Host) -> I + 'a,
) -> impl Iterator<Item = HostRow<'a, T>> {
    export.collection.hosts.iter().flat_map(move |host| {
        let filler = Filler::new(host.id.as_str(), export.spec.seed);
        let load = export.host_load(host);
        parts(host).map(move |part| HostRow { export, host, filler, load, part })
    })
}

pub(super) fn hosts<'a>(export: &'a Export<'a>) -> impl Iterator<Item = HostRow<'a, ()>> {
    rows(export, |_| std::iter::once(()))
}

pub(super) fn hbas<'a>(export: &'a Export<'a>) -> impl Iterator<Item = HostRow<'a, u64>> {
    rows(export, |_| 0..4)
}

pub(super) fn nics<'a>(export: &'a Export<'a>) -> impl Iterator<Item = HostRow<'a, u64>> {
    rows(export, |_| 0..NICS)
}

pub(super) fn switches<'a>(export: &'a Export<'a>) -> impl Iterator<Item = HostRow<'a, &'a Text>> {
    rows(export, |host| {
        export
            .collection
            .switches
            .iter()
            .filter(|switch| switch.kind == SwitchKind::Standard)
            .filter(|switch| switch.hosts.iter().any(|name| *name == host.name))
            .map(|switch| &switch.name)
    })
}

pub(super) fn ports<'a>(export: &'a Export<'a>) -> impl Iterator<Item = HostRow<'a, &'a Network>> {
    rows(export, |host| {
        export.networks_of(SwitchKind::Standard).filter(|network| reaches(export, network, host))
    })
}

/// vmk0 carries management, further ones vMotion and storage.
pub(super) fn vmkernels<'a>(
    export: &'a Export<'a>,
) -> impl Iterator<Item = HostRow<'a, (u64, &'a Network)>> {
    rows(export, |host| {
        let carriers = export
            .collection
            .networks
            .iter()
            .filter(|network| network.carries_hypervisor.copied() == Some(true))
            .filter(|network| reaches(export, network, host));
        (0..).zip(carriers)
    })
}

/// Whether the switch of `network` spans `host`.
fn reaches(export: &Export<'_>, network: &Network, host: &Host) -> bool {
    export
        .collection
        .switches
        .iter()
        .filter(|switch| Some(&switch.name) == network.switch.value())
        .any(|switch| switch.hosts.iter().any(|name| *name == host.name))
}

const NICS: u64 = 4;

pub(super) static HOST: Sheet<HostRows> =
    Sheet { tab: Tab::VHost, head: &[], body: &HOST_COLUMNS, tail: &[] };

static HOST_COLUMNS: [Column<HostRows>; 69] = [
    col("Host", |r| word(&r.host.name)),
    col("Datacenter", |r| text(&r.host.datacenter)),
    col("Cluster", |r| word(r.export.cluster_name(&r.host.cluster))),
    col("Config status", |r| {
        word(if r.filler.below("status", 12) == 0 { "yellow" } else { "green" })
    }),
    since(Version::V4_6, "Compliance Check State", |_| word("compliant")),
    col("in Maintenance Mode", |r| flag(&r.host.in_maintenance)),
    col("in Quarantine Mode", |r| flag(&r.host.in_quarantine)),
    col("vSAN Fault Domain Name", |_| Cell::Blank),
    col("CPU Model", |r| text(&r.host.cpu_model)),
    col("Speed", |r| count(&r.host.cpu_mhz)),
    col("HT Available", |_| yes(true)),
    col("HT Active", |_| yes(true)),
    col("# CPU", |r| count(&r.host.sockets)),
    col("Cores per CPU", |r| match (r.host.cores.copied(), r.host.sockets.copied()) {
        (Some(cores), Some(sockets)) if sockets > 0 => number(cores / sockets),
        _ => Cell::Blank,
    }),
    col("# Cores", |r| count(&r.host.cores)),
    col("CPU usage %", |r| percent(&r.host.cpu_used_basis_points)),
    col("# Memory", |r| size(&r.host.memory_bytes)),
    since(Version::V4_6, "Memory Tiering Type", |_| word("noTiering")),
    col("Memory usage %", |r| percent(&r.host.memory_used_basis_points)),
    col("Console", |_| number(0)),
    col("# NICs", |_| number(NICS)),
    col("# HBAs", |_| number(4)),
    since(Version::V4_1, "# VMs total", |r| number(r.load.machines)),
    col("# VMs", |r| number(r.load.machines_on)),
    col("VMs per Core", |r| ratio(r.load.machines_on, r.cores())),
    col("# vCPUs", |r| number(r.load.vcpus_on)),
    col("vCPUs per Core", |r| ratio(r.load.vcpus_on, r.cores())),
    col("vRAM", |r| number(r.load.memory_mib_on)),
    col("VM Used memory", |r| number(r.load.used_mib)),
    col("VM Memory Swapped", |_| number(0)),
    col("VM Memory Ballooned", |_| number(0)),
    col("VMotion support", |_| yes(true)),
    col("Storage VMotion support", |_| yes(true)),
    col("Current EVC", |r| text(&r.host.evc_mode)),
    col("Max EVC", |r| text(&r.host.evc_mode_max)),
    col("Assigned License(s)", |r| {
        let keys = r.host.licence_count.copied().unwrap_or(0);
        list((0..keys).map(|at| r.export.secrets.licence_key(&format!("{}/{at}", r.host.id))))
    }),
    col("ATS Heartbeat", |_| word("1")),
    col("ATS Locking", |_| word("1")),
    col("Current CPU power man. policy", |_| word("Balanced")),
    col("Supported CPU power man.", |_| word("ACPI P-states, ACPI C-states")),
    col("Host Power Policy", |_| word("dynamic")),
    col("ESX Version", |r| {
        match (&r.host.hypervisor, r.host.version.value(), r.host.build.value()) {
            (Observed::Value(name), Some(version), Some(build)) => {
                word(format!("{name} {version} build-{build}"))
            }
            (Observed::Value(name), Some(version), None) => word(format!("{name} {version}")),
            _ => Cell::Blank,
        }
    }),
    col("Boot time", |r| date(&r.host.booted)),
    col("DNS Servers", |_| word("10.10.0.53, 10.11.0.53")),
    col("DHCP", |_| yes(false)),
    col("Domain", |r| word(domain(r.host))),
    since(Version::V4_6, "Domain List", |r| word(domain(r.host))),
    col("DNS Search Order", |r| word(domain(r.host))),
    col("NTP Server(s)", |_| word("ntp1.example.com, ntp2.example.com")),
    col("NTPD running", |r| yes(r.filler.below("ntp", 15) != 0)),
    col("Time Zone", |_| word("UTC")),
    col("Time Zone Name", |_| word("UTC")),
    col("GMT Offset", |_| word("0")),
    col("Vendor", |r| text(&r.host.vendor)),
    col("Model", |r| text(&r.host.model)),
    col("Serial number", |r| word(r.filler.hex("serial", 10).to_uppercase())),
    col("Service tag", |r| word(r.filler.hex("service tag", 7).to_uppercase())),
    col("OEM specific string", |_| word("iLO 5")),
    col("BIOS Vendor", |r| text(&r.host.vendor)),
    col("BIOS Version", |r| word(format!("2.{}", r.filler.below("bios", 90)))),
    col("BIOS Date", |r| {
        Cell::Date(
            r.filler.before("bios date", r.export.taken, 1500).replace_time(time::Time::MIDNIGHT),
        )
    }),
    since(Version::V4_6, "Certificate Issuer", |r| word(format!("CN=CA, O={}", r.export.server))),
    since(Version::V4_6, "Certificate Start Date", |r| {
        Cell::Date(r.filler.before("certificate", r.export.taken, 800))
    }),
    since(Version::V4_6, "Certificate Expiry Date", |r| date(&r.host.certificate_expires)),
    since(Version::V4_6, "Certificate Status", |_| word("good")),
    since(Version::V4_6, "Certificate Subject", |r| word(format!("CN={}", r.host.name))),
    since(Version::V4_0, "Object ID", |r| {
        word(format!("host-{}", 1000 + r.filler.below("id", 90_000)))
    }),
    attributes(),
    col("UUID", |r| word(uuid(r.filler.hex("uuid", 32)))),
];

pub(super) static HBA: Sheet<HbaRows> =
    Sheet { tab: Tab::VHba, head: &[], body: &HBA_COLUMNS, tail: &[] };

static HBA_COLUMNS: [Column<HbaRows>; 11] = [
    col("Host", |r| word(&r.host.name)),
    col("Datacenter", |r| text(&r.host.datacenter)),
    col("Cluster", |r| word(r.export.cluster_name(&r.host.cluster))),
    col("Device", |r| word(format!("vmhba{}", r.part))),
    col("Type", |r| word(if r.part < 2 { "Fibre Channel" } else { "Block SCSI" })),
    col("Status", |r| word(if r.part < 2 { "online" } else { "unknown" })),
    col("Bus", |r| number(r.part + 59)),
    col("Pci", |r| word(format!("0000:{:02x}:00.{}", r.part + 59, r.part % 2))),
    col("Driver", |r| word(if r.part < 2 { "lpfc" } else { "nvme_pcie" })),
    col("Model", |r| {
        word(if r.part < 2 { "LPe35000 32Gb Fibre Channel Adapter" } else { "NVMe SSD Controller" })
    }),
    col("WWN", |r| {
        if r.part < 2 {
            word(format!("10:00:{}", r.filler.colons(&format!("wwn{}", r.part), 6)))
        } else {
            Cell::Blank
        }
    }),
];

pub(super) static NIC: Sheet<NicRows> =
    Sheet { tab: Tab::VNic, head: &[], body: &NIC_COLUMNS, tail: &[] };

static NIC_COLUMNS: [Column<NicRows>; 12] = [
    col("Host", |r| word(&r.host.name)),
    col("Datacenter", |r| text(&r.host.datacenter)),
    col("Cluster", |r| word(r.export.cluster_name(&r.host.cluster))),
    col("Network Device", |r| word(format!("vmnic{}", r.part))),
    col("Driver", |_| word("nmlx5_core")),
    col("Speed", |_| number(25_000)),
    col("Duplex", |_| yes(true)),
    col("MAC", |r| word(format!("b8:83:03:{}", r.filler.colons(&format!("mac{}", r.part), 3)))),
    col("Switch", |r| {
        let kind = if r.part < 2 { SwitchKind::Standard } else { SwitchKind::Distributed };
        let mut switches = r.export.collection.switches.iter();
        let switch =
            switches.find(|it| it.kind == kind && it.hosts.iter().any(|name| *name == r.host.name));
        switch.map_or(Cell::Blank, |it| word(&it.name))
    }),
    col("Uplink port", |r| {
        if r.part < 2 { Cell::Blank } else { word(format!("Uplink {}", r.part - 1)) }
    }),
    col("PCI", |r| word(format!("0000:{:02x}:00.{}", 18 + r.part / 2, r.part % 2))),
    col("WakeOn", |_| yes(true)),
];

pub(super) static SWITCH: Sheet<SwitchRows> =
    Sheet { tab: Tab::VSwitch, head: &[], body: &SWITCH_COLUMNS, tail: &[] };

static SWITCH_COLUMNS: [Column<SwitchRows>; 21] = [
    col("Host", |r| word(&r.host.name)),
    col("Datacenter", |r| text(&r.host.datacenter)),
    col("Cluster", |r| word(r.export.cluster_name(&r.host.cluster))),
    col("Switch", |r| word(r.part)),
    col("# Ports", |_| number(1536)),
    col("Free Ports", |r| number(1400 + r.filler.below("free ports", 120))),
    col("Promiscuous Mode", |_| yes(false)),
    col("Mac Changes", |_| yes(false)),
    col("Forged Transmits", |_| yes(false)),
    col("Traffic Shaping", |_| yes(false)),
    // Bits per second here, Kbit/s on distributed switches.
    col("Width", |_| number(100_000_000)),
    col("Peak", |_| number(100_000_000)),
    col("Burst", |_| number(104_857_600)),
    col("Policy", |_| word("loadbalance_srcid")),
    col("Reverse Policy", |_| yes(true)),
    col("Notify Switch", |_| yes(true)),
    col("Rolling Order", |_| yes(false)),
    col("Offload", |_| yes(true)),
    col("TSO", |_| yes(true)),
    col("Zero Copy Xmit", |_| yes(true)),
    col("MTU", |r| {
        let mut switches = r.export.collection.switches.iter();
        let switch = switches.find(|it| it.kind == SwitchKind::Standard && it.name == *r.part);
        switch.map_or(Cell::Blank, |it| count(&it.mtu_bytes))
    }),
];

pub(super) static PORT: Sheet<PortRows> =
    Sheet { tab: Tab::VPort, head: &[], body: &PORT_COLUMNS, tail: &[] };

static PORT_COLUMNS: [Column<PortRows>; 20] = [
    col("Host", |r| word(&r.host.name)),
    col("Datacenter", |r| text(&r.host.datacenter)),
    col("Cluster", |r| word(r.export.cluster_name(&r.host.cluster))),
    col("Port Group", |r| word(&r.part.name)),
    col("Switch", |r| text(&r.part.switch)),
    col("VLAN", |r| vlan(r.part)),
    col("Promiscuous Mode", |r| flag(&r.part.promiscuous)),
    col("Mac Changes", |r| flag(&r.part.mac_changes)),
    col("Forged Transmits", |r| flag(&r.part.forged_transmits)),
    col("Traffic Shaping", |_| yes(false)),
    col("Width", |_| number(100_000_000)),
    col("Peak", |_| number(100_000_000)),
    col("Burst", |_| number(104_857_600)),
    col("Policy", |_| word("loadbalance_srcid")),
    col("Reverse Policy", |_| yes(true)),
    col("Notify Switch", |_| yes(true)),
    col("Rolling Order", |_| yes(false)),
    col("Offload", |_| yes(true)),
    col("TSO", |_| yes(true)),
    col("Zero Copy Xmit", |_| yes(true)),
];

pub(super) static VMKERNEL: Sheet<VmkernelRows> =
    Sheet { tab: Tab::VScVmk, head: &[], body: &VMKERNEL_COLUMNS, tail: &[] };

static VMKERNEL_COLUMNS: [Column<VmkernelRows>; 13] = [
    col("Host", |r| word(&r.host.name)),
    col("Datacenter", |r| text(&r.host.datacenter)),
    col("Cluster", |r| word(r.export.cluster_name(&r.host.cluster))),
    col("Port Group", |r| word(&r.part.1.name)),
    col("Device", |r| word(format!("vmk{}", r.part.0))),
    col("Mac Address", |r| word(format!("00:50:56:{}", r.filler.colons(&r.part.1.name, 3)))),
    col("DHCP", |_| yes(false)),
    col("IP Address", |r| {
        let what = format!("address{}", r.part.0);
        let (third, fourth) = (r.filler.below(&what, 250), r.filler.below("host part", 250));
        word(format!("10.{}.{third}.{}", 10 + r.part.0, fourth + 2))
    }),
    col("IP 6 Address", |r| {
        word(format!("fe80::250:56ff:fe6{}:{}", r.filler.hex("ip6", 1), r.filler.hex("ip6 low", 4)))
    }),
    col("Subnet mask", |_| word("255.255.0.0")),
    col("Gateway", |r| word(format!("10.{}.0.1", 10 + r.part.0))),
    col("IP 6 Gateway", |_| Cell::Blank),
    col("MTU", |r| number(if r.part.0 == 0 { 1500 } else { 9000 })),
];

/// A VLAN as vPort and dvPort write it: 0 is untagged.
pub(super) fn vlan(network: &Network) -> Cell {
    match &network.vlan {
        Observed::Absent => word("0"),
        vlan => text(vlan),
    }
}

fn percent(basis_points: &Observed<u32>) -> Cell {
    basis_points.copied().map_or(Cell::Blank, |points| number(points / 100))
}

fn ratio(part: u64, whole: u64) -> Cell {
    Cell::Decimal(part as f64 / whole as f64)
}

fn domain(host: &Host) -> &str {
    host.name.split_once('.').map_or("", |(_, domain)| domain)
}

/// 32 hexadecimal digits in the form of a UUID.
pub(super) fn uuid(hex: String) -> String {
    entente_model::Uuid::parse_str(&hex).map_or(hex, |uuid| uuid.to_string())
}
