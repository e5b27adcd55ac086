//! What workloads stand on.

use entente_model::{Cluster, Datastore, Host, Network, Platform};

use super::{Column, Fill, Precedence, Table, Told, indexed, unit};

/// Every table of a platform.
pub(crate) const PLATFORMS: &[&dyn Fill<Platform>] = &[&PLATFORM_TABLE];
/// Every table of a cluster.
pub(crate) const CLUSTERS: &[&dyn Fill<Cluster>] = &[&CLUSTER_TABLE];
/// Every table of a host.
pub(crate) const HOSTS: &[&dyn Fill<Host>] = &[&HOST_TABLE];
/// Every table of a datastore.
pub(crate) const DATASTORES: &[&dyn Fill<Datastore>] = &[&DATASTORE_TABLE];
/// Every table of a network.
pub(crate) const NETWORKS: &[&dyn Fill<Network>] = &[&NETWORK_TABLE];

static PLATFORM_TABLE: Table<Platform, Platform> = Table {
    name: "platforms",
    meaning: "Management endpoints",
    precedence: Precedence::ById { column: "id", table: "platforms" },
    parts: |it| vec![it],
    columns: &[
        indexed(Column::text("id", "Its id", |it, _| it.id.told())),
        Column::text("kind", "What it is, for people", |it, _| it.kind_label.told()),
        Column::text("address", "Address or server name", |it, _| it.address.told()),
        Column::text("uuid", "The platform's own UUID", |it, _| it.uuid.told()),
        Column::text("site", "Site where it stands, in the organisation's own words", |it, _| {
            it.site.told()
        }),
        Column::text("owner", "Who answers for it", |it, _| it.owner.told()),
    ],
    samples: &[],
};

static CLUSTER_TABLE: Table<Cluster, Cluster> = Table {
    name: "clusters",
    meaning: "Clusters of hosts",
    precedence: Precedence::ById { column: "id", table: "clusters" },
    parts: |it| vec![it],
    columns: &[
        indexed(Column::text("id", "Unique in the estate", |it, _| it.id.told())),
        Column::text("platform", "Where it lives", |it, _| it.platform.told()),
        Column::text("name", "Its name", |it, _| it.name.told()),
        Column::text("datacenter", "Datacenter, by name", |it, _| it.datacenter.told()),
        Column::flag("ha_enabled", "Workloads restart on other hosts", |it, _| {
            it.ha_enabled.told()
        }),
        Column::flag("admission_control", "Capacity is kept free for restarts", |it, _| {
            it.admission_control.told()
        }),
        Column::count("failover_level", "Host failures for which capacity is kept", |it, _| {
            it.failover_level.told()
        }),
        Column::flag("drs_enabled", "Workloads are balanced over hosts", |it, _| {
            it.drs_enabled.told()
        }),
        Column::text("drs_behaviour", "How far by itself, as the platform writes it", |it, _| {
            it.drs_behaviour.told()
        }),
        Column::count("host_count", "Hosts, as the cluster counts them", |it, _| {
            it.host_count.told()
        }),
        unit("MHz", Column::count("cpu_mhz", "Processor capacity", |it, _| it.cpu_mhz.told())),
        Column::count("cpu_cores", "Processor cores", |it, _| it.cpu_cores.told()),
        unit(
            "bytes",
            Column::count("memory_bytes", "Memory capacity", |it, _| it.memory_bytes.told()),
        ),
    ],
    samples: &[],
};

static HOST_TABLE: Table<Host, Host> = Table {
    name: "hosts",
    meaning: "Hypervisor hosts",
    precedence: Precedence::ById { column: "id", table: "hosts" },
    parts: |it| vec![it],
    columns: &[
        indexed(Column::text("id", "Unique in the estate", |it, _| it.id.told())),
        Column::text("platform", "Where it lives", |it, _| it.platform.told()),
        Column::text("name", "Its name", |it, _| it.name.told()),
        Column::text("datacenter", "Datacenter, by name", |it, _| it.datacenter.told()),
        Column::text("cluster", "Id of its cluster; none for a standalone host", |it, _| {
            it.cluster.told()
        }),
        Column::text("cpu_model", "Processor model as the host writes it", |it, _| {
            it.cpu_model.told()
        }),
        unit("MHz", Column::count("cpu_mhz", "Clock", |it, _| it.cpu_mhz.told())),
        Column::count("sockets", "Processor sockets", |it, _| it.sockets.told()),
        Column::count("cores", "Cores in all sockets", |it, _| it.cores.told()),
        unit("bytes", Column::count("memory_bytes", "Memory", |it, _| it.memory_bytes.told())),
        Column::text("hypervisor", "Hypervisor product", |it, _| it.hypervisor.told()),
        Column::text("version", "Hypervisor version", |it, _| it.version.told()),
        Column::text("build", "Hypervisor build", |it, _| it.build.told()),
        Column::text("vendor", "Maker of the machine", |it, _| it.vendor.told()),
        Column::text("model", "Model of the machine", |it, _| it.model.told()),
        Column::flag("in_maintenance", "In maintenance mode", |it, _| it.in_maintenance.told()),
        Column::flag("in_quarantine", "In quarantine", |it, _| it.in_quarantine.told()),
        Column::text("evc_mode", "EVC mode now, if there is one", |it, _| it.evc_mode.told()),
        Column::count("licence_count", "Licences assigned", |it, _| it.licence_count.told()),
        Column::time("certificate_expires", "When its certificate expires", |it, _| {
            it.certificate_expires.told()
        }),
    ],
    samples: &[
        // Where a platform tells how long ago that was, it moves by seconds.
        Column::time("booted", "Booted at", |it, _| it.booted.told()),
        unit(
            "hundredths of a percent",
            Column::count("cpu_used_basis_points", "Processor use", |it, _| {
                it.cpu_used_basis_points.told()
            }),
        ),
        unit(
            "hundredths of a percent",
            Column::count("memory_used_basis_points", "Memory use", |it, _| {
                it.memory_used_basis_points.told()
            }),
        ),
    ],
};

static DATASTORE_TABLE: Table<Datastore, Datastore> = Table {
    name: "datastores",
    meaning: "Datastores and storage containers",
    precedence: Precedence::ById { column: "id", table: "datastores" },
    parts: |it| vec![it],
    columns: &[
        indexed(Column::text("id", "Unique in the estate", |it, _| it.id.told())),
        Column::text("platform", "Where it lives", |it, _| it.platform.told()),
        Column::text("name", "Its name", |it, _| it.name.told()),
        Column::text("kind", "`VMFS`, `NFS` …, as the platform writes it", |it, _| {
            it.kind.told()
        }),
        Column::text("version", "Version of its file system", |it, _| it.version.told()),
        Column::flag("accessible", "Reachable", |it, _| it.accessible.told()),
        unit("bytes", Column::count("capacity_bytes", "Size", |it, _| it.capacity_bytes.told())),
        Column::count("host_count", "Hosts that mount it, as the platform counts them", |it, _| {
            it.host_count.told()
        }),
        Column::text("datastore_cluster", "Datastore cluster, if it is in one", |it, _| {
            it.datastore_cluster.told()
        }),
        Column::flag("io_control", "Storage I/O control", |it, _| it.io_control.told()),
    ],
    samples: &[
        unit(
            "bytes",
            Column::count("provisioned_bytes", "Promised to workloads", |it, _| {
                it.provisioned_bytes.told()
            }),
        ),
        unit("bytes", Column::count("free_bytes", "Free", |it, _| it.free_bytes.told())),
    ],
};

static NETWORK_TABLE: Table<Network, Network> = Table {
    name: "networks",
    meaning: "Networks and port groups",
    precedence: Precedence::ById { column: "id", table: "networks" },
    parts: |it| vec![it],
    columns: &[
        indexed(Column::text("id", "Unique in the estate", |it, _| it.id.told())),
        Column::text("platform", "Where it lives", |it, _| it.platform.told()),
        Column::text("name", "Its name", |it, _| it.name.told()),
        Column::text("switch", "Switch that carries it", |it, _| it.switch.told()),
        Column::text("switch_kind", "`standard` or `distributed`", |it, _| it.switch_kind.told()),
        Column::text(
            "vlan",
            "VLAN id, range or trunk, as the platform writes it; none is untagged",
            |it, _| it.vlan.told(),
        ),
        Column::flag("promiscuous", "Accepts frames for other addresses", |it, _| {
            it.promiscuous.told()
        }),
        Column::flag("mac_changes", "Accepts changed hardware addresses", |it, _| {
            it.mac_changes.told()
        }),
        Column::flag("forged_transmits", "Accepts forged hardware addresses", |it, _| {
            it.forged_transmits.told()
        }),
        Column::flag(
            "carries_hypervisor",
            "Carries an interface of the hypervisor itself",
            |it, _| it.carries_hypervisor.told(),
        ),
    ],
    samples: &[],
};
