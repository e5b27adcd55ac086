//! Small estates for tests: machines about which everything is known and nothing is special, to be
//! changed where a test cares.

use entente_model::{
    Attribute, AttributeKind, Availability, BusSharing, Cluster, ClusterId, Cpu, Datastore, Date,
    Devices, Disk, DiskMode, DiskSharing, Estate, Firmware, FirmwareKind, Governance, Guest, Host,
    HostId, IdentityBasis, Listing, Memory, Moment, Network, NetworkId, Nic, Observed, Placement,
    Platform, PlatformId, PowerState, SwitchKind, Text, Tools, ToolsStatus, Uuid, VmSnapshot, Why,
    Workload, WorkloadId, WorkloadKind, WorkloadSamples,
};
use proptest::prelude::*;
use time::macros::{date, datetime};

pub(crate) const AS_OF: Date = date!(2026 - 11 - 22);
pub(crate) const GIB: u64 = 1 << 30;

pub(crate) fn platform(name: &str) -> PlatformId {
    name.parse().unwrap()
}

pub(crate) fn cluster_id(name: &str) -> ClusterId {
    ClusterId::on(&platform("vc1"), name).unwrap()
}

pub(crate) fn host_id(name: &str) -> HostId {
    HostId::on(&platform("vc1"), name).unwrap()
}

pub(crate) fn unknown<T>() -> Observed<T> {
    Observed::Unobserved(Why::NotInExport)
}

/// A running machine in cluster `prod`, on host `esx1`.
pub(crate) fn machine(name: &str) -> Workload {
    Workload {
        id: WorkloadId::on(&platform("vc1"), name).unwrap(),
        platform: platform("vc1"),
        source: "export".parse().unwrap(),
        identity: IdentityBasis::PlatformAndNativeId,
        name: Text::from(name),
        native_id: Observed::Value(Text::from(name)),
        instance_uuid: Observed::Value(Uuid::nil()),
        bios_uuid: Observed::Value(Uuid::nil()),
        kind: WorkloadKind::Machine,
        power: Observed::Value(PowerState::On),
        created: Observed::Value(Moment::Local(datetime!(2024-01-01 00:00))),
        placement: Placement {
            datacenter: Observed::Value("dc1".into()),
            cluster: Observed::Value(cluster_id("prod")),
            host: Observed::Value(host_id("esx1")),
            folder: Observed::Value("/dc1/vm".into()),
            resource_pool: Observed::Value("/dc1/prod/Resources".into()),
            vapp: Observed::Absent,
        },
        cpu: cpu(),
        memory: Memory {
            size_bytes: Observed::Value(16 * GIB),
            reservation_bytes: Observed::Value(0),
            reservation_locked_to_max: Observed::Value(false),
            limit_bytes: Observed::Absent,
            shares_level: Observed::Value("normal".into()),
            hot_add: Observed::Value(false),
        },
        disks: Listing::complete(vec![Disk {
            path: Observed::Value(Text::from(format!("{name}/{name}.vmdk"))),
            ..disk("Hard disk 1")
        }]),
        nics: Listing::complete(vec![nic("Network adapter 1")]),
        devices: Devices {
            cdroms: Listing::complete(Vec::new()),
            usb: Listing::complete(Vec::new()),
            pci_passthrough: Listing::complete(Vec::new()),
            vgpus: Listing::complete(Vec::new()),
            serial_ports: Listing::complete(Vec::new()),
            tpm: Observed::Value(false),
            encrypted: Observed::Value(false),
        },
        firmware: Firmware {
            kind: Observed::Value(FirmwareKind::Bios),
            secure_boot: Observed::Value(false),
            hardware_version: Observed::Value(19),
        },
        snapshots: Listing::complete(Vec::new()),
        guest: guest(),
        availability: availability(),
        annotation: Observed::Absent,
        attributes: Listing::complete(Vec::new()),
        advanced_settings: Listing::unobserved(Why::SourceLimit),
        governance: Governance::default(),
        samples: samples(),
    }
}

fn cpu() -> Cpu {
    Cpu {
        count: Observed::Value(4),
        sockets: Observed::Value(1),
        cores_per_socket: Observed::Value(4),
        hot_add: Observed::Value(false),
        hot_remove: Observed::Value(false),
        reservation_mhz: Observed::Value(0),
        limit_mhz: Observed::Absent,
        shares_level: Observed::Value("normal".into()),
        affinity: Observed::Absent,
        numa_affinity: Observed::Absent,
    }
}

fn guest() -> Guest {
    Guest {
        os_configured: Observed::Value("Red Hat Enterprise Linux 9 (64-bit)".into()),
        os_reported: Observed::Value("Red Hat Enterprise Linux 9 (64-bit)".into()),
        hostname: Observed::Value("host.example".into()),
        primary_address: Observed::Absent,
        tools: Tools {
            status: Observed::Value(ToolsStatus::Current),
            version: Observed::Value("12352".into()),
        },
        partitions: Listing::complete(Vec::new()),
    }
}

fn availability() -> Availability {
    Availability {
        ha_protected: Observed::Value(false),
        ha_restart_priority: Observed::Value("medium".into()),
        ha_isolation_response: Observed::Value("none".into()),
        fault_tolerance: Observed::Absent,
        cluster_rules: Listing::complete(Vec::new()),
        evc_mode_min: Observed::Absent,
        latency_sensitivity: Observed::Value("normal".into()),
        change_tracking: Observed::Absent,
        disk_uuid_enabled: Observed::Absent,
        consolidation_needed: Observed::Value(false),
    }
}

fn samples() -> WorkloadSamples {
    WorkloadSamples {
        powered_on_since: Observed::Value(Moment::Local(datetime!(2026-01-01 00:00))),
        cpu_used_mhz: Observed::Value(5000),
        cpu_ready_basis_points: Observed::Value(0),
        memory_active_bytes: Observed::Value(8 * GIB),
        memory_consumed_bytes: Observed::Value(16 * GIB),
        memory_ballooned_bytes: Observed::Value(0),
        memory_swapped_bytes: Observed::Value(0),
        storage_provisioned_bytes: Observed::Value(100 * GIB),
        storage_used_bytes: Observed::Value(40 * GIB),
        heartbeat: Observed::Value("green".into()),
        guest_state: Observed::Value("running".into()),
        connection_state: Observed::Value("connected".into()),
    }
}

pub(crate) fn disk(label: &str) -> Disk {
    Disk {
        label: label.into(),
        key: Observed::Value("2000".into()),
        uuid: Observed::Absent,
        capacity_bytes: Observed::Value(100 * GIB),
        datastore: Observed::Value("vc1/ds1".parse().unwrap()),
        path: Observed::Value(Text::from(format!("{label}.vmdk"))),
        thin: Observed::Value(true),
        mode: Observed::Value(DiskMode::Persistent),
        sharing: Observed::Value(DiskSharing::None),
        controller: Observed::Value("VMware paravirtual SCSI".into()),
        bus_sharing: Observed::Value(BusSharing::None),
        raw_mapping: Observed::Absent,
        lun: Observed::Absent,
        change_tracking: Observed::Absent,
    }
}

pub(crate) fn nic(label: &str) -> Nic {
    Nic {
        label: label.into(),
        adapter: Observed::Value("Vmxnet3".into()),
        network: Observed::Value("vc1/lan".parse().unwrap()),
        switch: Observed::Value("vSwitch0".into()),
        connected: Observed::Value(true),
        starts_connected: Observed::Value(true),
        mac: Observed::Value("00:50:56:00:00:01".into()),
        mac_origin: Observed::Value("assigned".into()),
        addresses: Listing::complete(Vec::new()),
        address_is_static: Observed::Value(false),
        direct_path: Observed::Value(false),
    }
}

pub(crate) fn snapshot(name: &str) -> VmSnapshot {
    VmSnapshot {
        id: Observed::Unobserved(Why::SourceLimit),
        parent: Observed::Unobserved(Why::SourceLimit),
        name: name.into(),
        description: Observed::Absent,
        created: Observed::Value(Moment::Local(datetime!(2026-01-01 00:00))),
        size_bytes: Observed::Value(GIB),
        quiesced: Observed::Value(false),
        state: Observed::Value("poweredOn".into()),
    }
}

pub(crate) fn attribute(name: &str, value: &str) -> Attribute {
    Attribute {
        name: name.into(),
        value: value.into(),
        kind: Observed::Value(AttributeKind::Custom),
    }
}

pub(crate) fn cluster(name: &str) -> Cluster {
    Cluster {
        id: cluster_id(name),
        platform: platform("vc1"),
        name: name.into(),
        datacenter: Observed::Value("dc1".into()),
        ha_enabled: Observed::Value(true),
        admission_control: Observed::Value(true),
        failover_level: Observed::Value(1),
        drs_enabled: Observed::Value(false),
        drs_behaviour: Observed::Value("manual".into()),
        dpm_enabled: Observed::Value(false),
        host_count: Observed::Value(1),
        cpu_mhz: Observed::Value(80_000),
        cpu_cores: Observed::Value(32),
        memory_bytes: Observed::Value(512 * GIB),
    }
}

/// A host with 2 sockets of 16 cores at 2.5 GHz.
pub(crate) fn host(name: &str, in_cluster: Observed<ClusterId>) -> Host {
    Host {
        id: host_id(name),
        platform: platform("vc1"),
        name: name.into(),
        datacenter: Observed::Value("dc1".into()),
        cluster: in_cluster,
        cpu_model: Observed::Value("Intel(R) Xeon(R)".into()),
        cpu_mhz: Observed::Value(2500),
        sockets: Observed::Value(2),
        cores: Observed::Value(32),
        memory_bytes: Observed::Value(512 * GIB),
        hypervisor: Observed::Value("VMware ESXi".into()),
        version: Observed::Value("8.0.3".into()),
        build: Observed::Value("24022510".into()),
        vendor: Observed::Value("Dell Inc.".into()),
        model: Observed::Value("PowerEdge R750".into()),
        in_maintenance: Observed::Value(false),
        in_quarantine: Observed::Value(false),
        evc_mode: Observed::Absent,
        evc_mode_max: Observed::Value("intel-icelake".into()),
        licence_count: Observed::Value(1),
        certificate_expires: unknown(),
        cpu_used_basis_points: Observed::Value(3000),
        memory_used_basis_points: Observed::Value(6000),
        booted: unknown(),
    }
}

pub(crate) fn network(name: &str, kind: SwitchKind) -> Network {
    Network {
        id: NetworkId::on(&platform("vc1"), name).unwrap(),
        platform: platform("vc1"),
        name: name.into(),
        switch: Observed::Value("switch".into()),
        switch_kind: Observed::Value(kind),
        vlan: Observed::Absent,
        promiscuous: Observed::Value(false),
        mac_changes: Observed::Value(true),
        forged_transmits: Observed::Value(true),
        carries_hypervisor: Observed::Value(false),
    }
}

pub(crate) fn datastore(name: &str) -> Datastore {
    Datastore {
        id: format!("vc1/{name}").parse().unwrap(),
        platform: platform("vc1"),
        name: name.into(),
        kind: Observed::Value("VMFS".into()),
        version: Observed::Value("6".into()),
        accessible: Observed::Value(true),
        capacity_bytes: Observed::Value(1024 * GIB),
        provisioned_bytes: Observed::Value(900 * GIB),
        free_bytes: Observed::Value(300 * GIB),
        host_count: Observed::Value(1),
        datastore_cluster: Observed::Absent,
        io_control: Observed::Value(false),
    }
}

/// Two platforms, one cluster `prod` with one host `esx1`, a datastore, a standard network `lan`, and
/// these workloads.
pub(crate) fn estate(workloads: Vec<Workload>) -> Estate {
    let on = |name: &str| Platform {
        id: platform(name),
        kind_label: "VMware vSphere".into(),
        address: Observed::Value(name.into()),
        uuid: Observed::Absent,
        site: Observed::Unobserved(Why::NotSupplied),
        owner: Observed::Unobserved(Why::NotSupplied),
    };
    let mut estate = Estate {
        platforms: vec![on("vc1"), on("vc2")],
        clusters: vec![cluster("prod")],
        hosts: vec![host("esx1", Observed::Value(cluster_id("prod")))],
        datastores: vec![datastore("ds1")],
        networks: vec![network("lan", SwitchKind::Standard)],
        workloads,
        ..Estate::default()
    };
    estate.workloads.sort_by(|a, b| a.id.cmp(&b.id));
    estate.derive_applications();
    estate
}

/// A fact that may be missing for any reason.
pub(crate) fn maybe<T: Clone + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Observed<T>> {
    prop_oneof![
        4 => value.prop_map(Observed::Value),
        1 => Just(Observed::Absent),
        1 => Just(Observed::Unobserved(Why::Blank)),
        1 => Just(Observed::Unobserved(Why::SourceLimit)),
    ]
    .boxed()
}

fn any_listing<T: Clone + std::fmt::Debug + 'static>(
    item: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Listing<T>> {
    let items = proptest::collection::vec(item, 0..4);
    (items, any::<bool>())
        .prop_map(|(items, complete)| {
            if complete {
                Listing::complete(items)
            } else {
                Listing::incomplete(items, Why::Unreadable)
            }
        })
        .boxed()
}

fn any_disk() -> BoxedStrategy<Disk> {
    (maybe(0_u64..=80 * 1024 * GIB), maybe(Just("vc1/ds1".parse().unwrap())), any::<bool>())
        .prop_map(|(capacity_bytes, datastore, writers)| Disk {
            capacity_bytes,
            datastore,
            sharing: Observed::Value(if writers {
                DiskSharing::MultiWriter
            } else {
                DiskSharing::None
            }),
            ..disk("Hard disk")
        })
        .boxed()
}

/// A workload of any kind with any of its facts missing.
pub(crate) fn any_workload() -> BoxedStrategy<Workload> {
    let kind = prop_oneof![
        8 => Just(WorkloadKind::Machine),
        1 => Just(WorkloadKind::Template),
        1 => Just(WorkloadKind::RecoveryPlaceholder),
    ];
    let power = maybe(prop_oneof![
        3 => Just(PowerState::On),
        1 => Just(PowerState::Off),
        1 => Just(PowerState::Suspended),
    ]);
    let place = (
        maybe(prop_oneof![Just(cluster_id("prod")), Just(cluster_id("elsewhere"))]),
        maybe(prop_oneof![Just(host_id("esx1")), Just(host_id("esx9"))]),
    );
    let sizes = (
        maybe(0_u32..200),
        maybe(0_u64..=2048 * GIB),
        maybe(0_u64..=1024 * GIB),
        maybe(0_u64..=100_000),
        maybe(0_u64..=64 * GIB),
    );
    let lists = (
        any_listing(any_disk()),
        any_listing(Just(nic("Network adapter"))),
        any_listing(Just(snapshot("before update"))),
        any_listing(Just(Text::from("keep apart"))),
    );
    let system = maybe(prop_oneof![
        Just(Text::from("Red Hat Enterprise Linux 9 (64-bit)")),
        Just(Text::from("Other (32-bit)")),
    ]);
    (kind, power, place, sizes, lists, system)
        .prop_map(|(kind, power, (cluster, host), sizes, lists, system)| {
            let mut workload = machine("vm");
            workload.kind = kind;
            workload.power = power;
            workload.placement.cluster = cluster;
            workload.placement.host = host;
            (
                workload.cpu.count,
                workload.memory.size_bytes,
                workload.samples.storage_used_bytes,
                workload.samples.cpu_used_mhz,
                workload.samples.memory_active_bytes,
            ) = sizes;
            (
                workload.disks,
                workload.nics,
                workload.snapshots,
                workload.availability.cluster_rules,
            ) = lists;
            workload.guest.os_reported = system;
            workload
        })
        .boxed()
}

/// Up to 30 workloads, each with a name of its own.
pub(crate) fn any_estate() -> BoxedStrategy<Estate> {
    proptest::collection::vec(any_workload(), 0..30)
        .prop_map(|mut workloads| {
            for (number, workload) in workloads.iter_mut().enumerate() {
                workload.name = Text::from(format!("vm{number}"));
                workload.id = WorkloadId::on(&workload.platform, &workload.name).unwrap();
            }
            estate(workloads)
        })
        .boxed()
}
