//! Hosts and their clusters.

use entente_model::{Cluster, ClusterId, Host, HostId, Moment, Observed, Text};
use time::Duration;

use super::{GIB, Site, id};
use crate::estate::plan::Kind;

/// A generation of servers.
struct Generation {
    vendor: &'static str,
    model: &'static str,
    cpu: &'static str,
    mhz: u64,
    sockets: u32,
    cores_per_socket: u32,
    memory_gib: u64,
    evc_max: &'static str,
    esxi: (&'static str, &'static str),
}

const SMALL: Generation = Generation {
    vendor: "Dell Inc.",
    model: "PowerEdge T340",
    cpu: "Intel(R) Xeon(R) E-2278G CPU @ 3.40GHz",
    mhz: 3_408,
    sockets: 1,
    cores_per_socket: 8,
    memory_gib: 64,
    evc_max: "intel-skylake",
    esxi: ("6.7.0", "20497097"),
};
const BROADWELL: Generation = Generation {
    vendor: "Dell Inc.",
    model: "PowerEdge R730",
    cpu: "Intel(R) Xeon(R) CPU E5-2650 v4 @ 2.20GHz",
    mhz: 2_200,
    sockets: 2,
    cores_per_socket: 12,
    memory_gib: 512,
    evc_max: "intel-broadwell",
    esxi: ("7.0.3", "21930508"),
};
const SKYLAKE: Generation = Generation {
    vendor: "HPE",
    model: "ProLiant DL380 Gen10",
    cpu: "Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz",
    mhz: 2_095,
    sockets: 2,
    cores_per_socket: 16,
    memory_gib: 768,
    evc_max: "intel-skylake",
    esxi: ("7.0.3", "23794027"),
};
const ICE_LAKE: Generation = Generation {
    vendor: "Dell Inc.",
    model: "PowerEdge R750",
    cpu: "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz",
    mhz: 1_995,
    sockets: 2,
    cores_per_socket: 32,
    memory_gib: 1_024,
    evc_max: "intel-icelake",
    esxi: ("8.0.3", "24022510"),
};
const MILAN: Generation = Generation {
    vendor: "HPE",
    model: "ProLiant DL385 Gen10 Plus v2",
    cpu: "AMD EPYC 7543 32-Core Processor",
    mhz: 2_795,
    sockets: 2,
    cores_per_socket: 32,
    memory_gib: 2_048,
    evc_max: "amd-zen3",
    esxi: ("8.0.2", "23305546"),
};
const GENOA: Generation = Generation {
    vendor: "Lenovo",
    model: "ThinkSystem SR665 V3",
    cpu: "AMD EPYC 9554 64-Core Processor",
    mhz: 3_095,
    sockets: 2,
    cores_per_socket: 64,
    memory_gib: 8_192,
    evc_max: "amd-zen4",
    esxi: ("8.0.3", "24280767"),
};

/// Generations of a kind of cluster, mixed over its hosts, and its EVC mode.
fn generations(kind: Kind) -> (&'static [Generation], Option<&'static str>) {
    match kind {
        Kind::Prod => (&[SKYLAKE, ICE_LAKE, ICE_LAKE], Some("intel-skylake")),
        Kind::Dmz => (&[SKYLAKE], Some("intel-skylake")),
        Kind::Test => (&[BROADWELL, SKYLAKE], Some("intel-broadwell")),
        Kind::Vdi => (&[MILAN], None),
        Kind::Sap => (&[GENOA], None),
        Kind::Oracle => (&[MILAN], Some("amd-zen3")),
        Kind::Branch => (&[SMALL], None),
    }
}

/// The hosts of one place.
pub(super) struct Hosts {
    pub cluster: Observed<ClusterId>,
    pub all: u32,
    pub names: Vec<Text>,
    /// Those that take machines.
    pub taking: Vec<HostId>,
    pub first: Text,
    pub evc: Text,
}

impl Site {
    pub(super) fn add_hosts(
        &mut self,
        kind: Kind,
        datacenter: usize,
        at: usize,
        name: &str,
        machines: usize,
    ) -> Hosts {
        let site = self.datacenters.get(datacenter).copied().unwrap_or("fra1");
        let standalone = kind == Kind::Branch;
        let count =
            if standalone { 1 } else { machines.div_ceil(kind.density()).max(2) as u64 + 1 };
        let cluster = if standalone {
            Observed::Absent
        } else {
            Observed::Value(id(ClusterId::on(&self.platform, &format!("{site}/{name}"))))
        };
        let (generations, evc) = generations(kind);
        let mut hosts = Vec::new();
        for (number, generation) in (0..count).zip(generations.iter().cycle()) {
            let host = if standalone {
                format!("{site}-esx-branch-{:02}.branch.internal", at + 1)
            } else {
                let label = name.trim_start_matches(site).trim_start_matches('-');
                format!("{site}-esx-{label}-{:02}.infra.example.com", number + 1)
            };
            // One host of each larger production cluster is being patched.
            let in_maintenance = kind == Kind::Prod && count > 4 && number == count - 1;
            let host = self.host(&host, site, &cluster, generation, evc, in_maintenance);
            hosts.push(host);
        }
        let hosts_made = Hosts {
            all: hosts.len() as u32,
            names: hosts.iter().map(|it| it.name.clone()).collect(),
            taking: hosts
                .iter()
                .filter(|it| it.in_maintenance.copied() == Some(false))
                .map(|it| it.id.clone())
                .collect(),
            first: hosts.first().map(|it| it.name.clone()).unwrap_or_default(),
            evc: evc.or(generations.first().map(|it| it.evc_max)).unwrap_or("intel-skylake").into(),
            cluster,
        };
        if let Observed::Value(cluster) = &hosts_made.cluster {
            self.add_cluster(kind, cluster, name, site, &hosts);
        }
        self.hosts.extend(hosts);
        hosts_made
    }

    fn host(
        &self,
        name: &str,
        site: &str,
        cluster: &Observed<ClusterId>,
        generation: &Generation,
        evc: Option<&'static str>,
        in_maintenance: bool,
    ) -> Host {
        let mut random = self.random.fork("host", crate::random::hash(name));
        let (version, build) = generation.esxi;
        let ago = |days: u64| self.taken.saturating_sub(Duration::days(days.cast_signed()));
        let ahead = |days: u64| self.taken.saturating_add(Duration::days(days.cast_signed()));
        Host {
            id: id(HostId::on(&self.platform, name)),
            platform: self.platform.clone(),
            name: name.into(),
            datacenter: Observed::Value(site.into()),
            cluster: cluster.clone(),
            cpu_model: Observed::Value(generation.cpu.into()),
            cpu_mhz: Observed::Value(generation.mhz),
            sockets: Observed::Value(generation.sockets),
            cores: Observed::Value(generation.sockets * generation.cores_per_socket),
            // Firmware keeps some of it.
            memory_bytes: Observed::Value(generation.memory_gib * GIB - 347 * super::MIB),
            hypervisor: Observed::Value("VMware ESXi".into()),
            version: Observed::Value(version.into()),
            build: Observed::Value(build.into()),
            vendor: Observed::Value(generation.vendor.into()),
            model: Observed::Value(generation.model.into()),
            in_maintenance: Observed::Value(in_maintenance),
            in_quarantine: Observed::Value(false),
            evc_mode: evc.map_or(Observed::Absent, |mode| Observed::Value(mode.into())),
            evc_mode_max: Observed::Value(generation.evc_max.into()),
            licence_count: Observed::Value(if random.percent(20) { 2 } else { 1 }),
            certificate_expires: Observed::Value(Moment::Local(ahead(random.between(20, 1_700)))),
            cpu_used_basis_points: Observed::Value(if in_maintenance {
                100
            } else {
                random.between(8, 71) as u32 * 100
            }),
            memory_used_basis_points: Observed::Value(if in_maintenance {
                200
            } else {
                random.between(30, 93) as u32 * 100
            }),
            booted: Observed::Value(Moment::Local(ago(random.between(5, 600)))),
        }
    }

    fn add_cluster(
        &mut self,
        kind: Kind,
        cluster: &ClusterId,
        name: &str,
        site: &str,
        hosts: &[Host],
    ) {
        let sum = |of: fn(&Host) -> u64| hosts.iter().map(of).sum::<u64>();
        let is_managed = !matches!(kind, Kind::Test);
        self.clusters.push(Cluster {
            id: cluster.clone(),
            platform: self.platform.clone(),
            name: name.into(),
            datacenter: Observed::Value(site.into()),
            ha_enabled: Observed::Value(is_managed),
            admission_control: Observed::Value(matches!(
                kind,
                Kind::Prod | Kind::Sap | Kind::Oracle
            )),
            failover_level: Observed::Value(u32::from(is_managed)),
            drs_enabled: Observed::Value(true),
            drs_behaviour: Observed::Value(
                match kind {
                    Kind::Oracle | Kind::Sap => "partiallyAutomated",
                    Kind::Test => "manual",
                    _ => "fullyAutomated",
                }
                .into(),
            ),
            dpm_enabled: Observed::Value(kind == Kind::Vdi),
            host_count: Observed::Value(hosts.len() as u32),
            cpu_mhz: Observed::Value(sum(|it| {
                it.cpu_mhz.copied().unwrap_or(0) * u64::from(it.cores.copied().unwrap_or(0))
            })),
            cpu_cores: Observed::Value(sum(|it| u64::from(it.cores.copied().unwrap_or(0))) as u32),
            memory_bytes: Observed::Value(sum(|it| it.memory_bytes.copied().unwrap_or(0))),
        });
    }
}
