//! What the machines of one vCenter stand on: hosts, clusters, storage, networks, licences.

mod hosts;
mod networks;

use std::collections::BTreeMap;

use entente_model::{
    Cluster, ClusterId, Collection, Datastore, DatastoreId, Host, HostId, Licence, Moment, Network,
    Observed, Platform, PlatformId, Product, ResourcePool, SourceId, Switch, Text, Uuid, Why,
    Workload,
};
use time::{Duration, PrimitiveDateTime};

use super::plan::{Kind, Plan, datacenters};
pub(super) use crate::estate::well_formed as id;
use crate::random::Random;
pub(super) use networks::{Net, STANDARD, VM_NETWORK};

pub(super) const MIB: u64 = 1024 * 1024;
pub(super) const GIB: u64 = 1024 * MIB;
pub(super) const TIB: u64 = 1024 * GIB;

/// Machines per cluster at most; more make a second cluster.
const CLUSTER_MACHINES_MAX: usize = 700;

/// Hosts per distributed switch at most: more get a second one, or the list of its members would not
/// fit into a cell (32,767 characters).
const SWITCH_HOSTS_MAX: usize = 500;

/// A datastore that machines may be placed on.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub id: DatastoreId,
    pub name: Text,
}

/// A cluster (or one standalone host) that machines may be placed on.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Absent for a standalone host.
    pub cluster: Observed<ClusterId>,
    pub datacenter: Text,
    /// Hosts that take machines: those in maintenance do not.
    pub hosts: Vec<HostId>,
    pub stores: Vec<Store>,
    /// Path of the resource pool at the root.
    pub pool: Text,
    /// EVC mode of running machines.
    pub evc: Text,
    /// Which of the datacenter's distributed switches reaches it; none reaches a standalone host.
    pub pod: Option<usize>,
}

/// One vCenter.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub random: Random,
    pub platform: PlatformId,
    pub source: SourceId,
    pub address: String,
    pub taken: PrimitiveDateTime,
    uuid: Uuid,
    /// Version and build of the vCenter.
    product: (&'static str, &'static str),
    pub datacenters: [&'static str; 2],
    places: BTreeMap<(Kind, usize), Vec<Place>>,
    /// Where disks beyond any ordinary datastore go, by datacenter.
    archives: Vec<Store>,
    /// By datacenter, distributed switch and role.
    pub networks: BTreeMap<(usize, usize, &'static str), Net>,
    /// Names of the hosts of each distributed switch, by datacenter.
    pods: [Vec<Vec<Text>>; 2],
    clusters: Vec<Cluster>,
    hosts: Vec<Host>,
    datastores: Vec<Datastore>,
    pools: Vec<ResourcePool>,
    switches: Vec<Switch>,
    network_list: Vec<Network>,
}

impl Site {
    pub(super) fn new(random: &Random, number: u32, taken: PrimitiveDateTime, plan: &Plan) -> Self {
        let datacenters = datacenters(number);
        let [first, _] = datacenters;
        let uuid = random.fork("uuid", 0).uuid();
        let address = match number / 6 {
            0 => format!("vcenter-{first}.infra.example.com"),
            more => format!("vcenter-{first}-{}.infra.example.com", more + 1),
        };
        let mut site = Self {
            random: random.clone(),
            platform: id(uuid.to_string().parse()),
            source: id(address.parse()),
            address,
            taken,
            uuid,
            product: if number.is_multiple_of(2) {
                ("8.0.3", "24322831")
            } else {
                ("7.0.3", "24026615")
            },
            datacenters,
            places: BTreeMap::new(),
            archives: Vec::new(),
            networks: BTreeMap::new(),
            pods: [Vec::new(), Vec::new()],
            clusters: Vec::new(),
            hosts: Vec::new(),
            datastores: Vec::new(),
            pools: Vec::new(),
            switches: Vec::new(),
            network_list: Vec::new(),
        };
        site.add_places(plan);
        site.add_shared_stores();
        site.add_networks(number);
        site
    }

    /// Where the machines of an application of this kind go.
    pub(super) fn place(&self, kind: Kind, datacenter: usize, app: u64) -> &Place {
        let places = self.places.get(&(kind, datacenter)).map_or(&[][..], Vec::as_slice);
        match places.get((app % (places.len() as u64).max(1)) as usize) {
            Some(place) => place,
            None => unreachable!("every kind and datacenter of the plan has a place"),
        }
    }

    /// Where disks beyond any ordinary datastore go.
    pub(super) fn archive(&self, datacenter: usize) -> &Store {
        match self.archives.get(datacenter).or(self.archives.first()) {
            Some(store) => store,
            None => unreachable!("every datacenter has an archive"),
        }
    }

    fn add_places(&mut self, plan: &Plan) {
        let mut counts: BTreeMap<(Kind, usize), usize> = BTreeMap::new();
        for machine in &plan.machines {
            *counts.entry((machine.kind, machine.datacenter)).or_default() += 1;
        }
        for kind in Kind::ALL {
            for datacenter in 0..2 {
                let Some(machines) = counts.get(&(kind, datacenter)).copied() else { continue };
                let most = if kind == Kind::Branch { kind.density() } else { CLUSTER_MACHINES_MAX };
                let share = machines.div_ceil(most);
                let places = (0..share)
                    .map(|at| self.add_place(kind, datacenter, at, machines.div_ceil(share)))
                    .collect();
                self.places.insert((kind, datacenter), places);
            }
        }
    }

    fn add_place(&mut self, kind: Kind, datacenter: usize, at: usize, machines: usize) -> Place {
        let site = self.datacenters.get(datacenter).copied().unwrap_or("fra1");
        let name = match (kind, at) {
            (_, 0) => format!("{site}-{}", kind.name()),
            _ => format!("{site}-{}-{:02}", kind.name(), at + 1),
        };
        let hosts = self.add_hosts(kind, datacenter, at, &name, machines);
        let stores = self.add_stores(kind, &name, hosts.all, machines);
        let root = match kind {
            Kind::Branch => format!("/{site}/{}/Resources", hosts.first),
            _ => format!("/{site}/{name}/Resources"),
        };
        self.add_pools(kind, &root);
        Place {
            cluster: hosts.cluster,
            datacenter: site.into(),
            hosts: hosts.taking,
            stores,
            pool: root.into(),
            evc: hosts.evc,
            pod: if kind == Kind::Branch { None } else { Some(self.pod(datacenter, hosts.names)) },
        }
    }

    /// Attaches hosts to a distributed switch of their datacenter.
    fn pod(&mut self, datacenter: usize, hosts: Vec<Text>) -> usize {
        let [first, second] = &mut self.pods;
        let pods = if datacenter == 0 { first } else { second };
        match pods.last_mut() {
            Some(members) if members.len() + hosts.len() <= SWITCH_HOSTS_MAX => {
                members.extend(hosts);
            }
            _ => pods.push(hosts),
        }
        pods.len() - 1
    }

    fn add_stores(&mut self, kind: Kind, place: &str, hosts: u32, machines: usize) -> Vec<Store> {
        let stores = match kind {
            Kind::Vdi | Kind::Test => 1,
            Kind::Branch => 1,
            _ => machines.div_ceil(28).max(2),
        };
        (0..stores)
            .map(|at| match kind {
                Kind::Vdi | Kind::Test => {
                    self.add_store(&format!("{place}-vsan"), "vsan", "19", hosts, None)
                }
                Kind::Branch => {
                    self.add_store(&format!("{place}-{:02}-local", at + 1), "VMFS", "6.82", 1, None)
                }
                _ => {
                    let version = if at % 9 == 8 { "5.81" } else { "6.82" };
                    let cluster = (kind == Kind::Prod).then(|| format!("{place}-dsc"));
                    let name = format!("{place}-vmfs-{:02}", at + 1);
                    self.add_store(&name, "VMFS", version, hosts, cluster)
                }
            })
            .collect()
    }

    /// Media and archives that several clusters mount.
    fn add_shared_stores(&mut self) {
        for site in self.datacenters {
            let hosts = self.hosts.len().min(64) as u32;
            self.add_store(&format!("{site}-nfs-media-01"), "NFS", "3", hosts, None);
            self.add_store(&format!("{site}-nfs-backup-01"), "NFS41", "4.1", hosts, None);
            let archive = format!("{site}-archive-vmfs-01");
            let archive = self.add_store(&archive, "VMFS", "6.82", hosts, None);
            self.archives.push(archive);
        }
    }

    fn add_store(
        &mut self,
        name: &str,
        kind: &str,
        version: &str,
        hosts: u32,
        cluster: Option<String>,
    ) -> Store {
        let store = Store { id: id(DatastoreId::on(&self.platform, name)), name: name.into() };
        self.datastores.push(Datastore {
            id: store.id.clone(),
            platform: self.platform.clone(),
            name: name.into(),
            kind: Observed::Value(kind.into()),
            version: Observed::Value(version.into()),
            accessible: Observed::Value(true),
            capacity_bytes: Observed::Value(0),
            provisioned_bytes: Observed::Value(0),
            free_bytes: Observed::Value(0),
            host_count: Observed::Value(hosts),
            io_control: Observed::Value(kind == "VMFS" && cluster.is_some()),
            datastore_cluster: cluster.map_or(Observed::Absent, |it| Observed::Value(it.into())),
        });
        store
    }

    fn add_pools(&mut self, kind: Kind, root: &str) {
        let mut add = |path: String, cpu_mhz: u64, memory_bytes: u64, limit: Option<u64>| {
            let name = path.rsplit('/').next().unwrap_or(&path);
            self.pools.push(ResourcePool {
                platform: self.platform.clone(),
                name: name.into(),
                path: Observed::Value(path.as_str().into()),
                cpu_reservation_mhz: Observed::Value(cpu_mhz),
                cpu_limit_mhz: limit.map_or(Observed::Absent, Observed::Value),
                memory_reservation_bytes: Observed::Value(memory_bytes),
                memory_limit_bytes: limit
                    .map_or(Observed::Absent, |mhz| Observed::Value(mhz * 8 * MIB)),
            });
        };
        add(root.to_owned(), 0, 0, None);
        if kind == Kind::Prod {
            add(format!("{root}/Gold"), 24_000, 256 * GIB, None);
            add(format!("{root}/Bronze"), 0, 0, Some(64_000));
        }
    }

    /// Sizes the datastores for what lies on them.
    pub(super) fn fill_datastores(&mut self, workloads: &[Workload]) {
        let mut promised: BTreeMap<&DatastoreId, (u64, u64)> = BTreeMap::new();
        for disk in workloads.iter().flat_map(|it| &it.disks.items) {
            let (Observed::Value(id), Some(bytes)) =
                (&disk.datastore, disk.capacity_bytes.copied())
            else {
                continue;
            };
            let entry = promised.entry(id).or_default();
            entry.0 += bytes;
            let thin = disk.thin.copied() == Some(true);
            entry.1 += if thin { bytes / 5 * 3 / MIB * MIB } else { bytes };
        }
        for (at, datastore) in (0..).zip(&mut self.datastores) {
            let (provisioned, used) = promised
                .get(&datastore.id)
                .copied()
                .unwrap_or((3 * TIB, 2 * TIB + self.random.fork("store", at).below(700) * GIB));
            let spare = 108 + self.random.fork("spare", at).below(60);
            let capacity = (used / 100 * spare).div_ceil(TIB).max(4) * TIB;
            datastore.capacity_bytes = Observed::Value(capacity);
            datastore.provisioned_bytes = Observed::Value(provisioned);
            datastore.free_bytes = Observed::Value(capacity - used);
        }
    }

    /// Everything but the machines.
    pub(super) fn describe(self, collection: &mut Collection) {
        collection.platforms = vec![Platform {
            id: self.platform.clone(),
            kind_label: "VMware vSphere".into(),
            address: Observed::Value(self.address.as_str().into()),
            uuid: Observed::Value(self.uuid.to_string().into()),
            site: Observed::Unobserved(Why::NotSupplied),
            owner: Observed::Unobserved(Why::NotSupplied),
        }];
        let (version, build) = self.product;
        collection.products = vec![Product {
            platform: self.platform.clone(),
            name: "VMware vCenter Server".into(),
            version: Observed::Value(version.into()),
            build: Observed::Value(build.into()),
        }];
        collection.licences = self.licences();
        collection.clusters = self.clusters;
        collection.clusters.sort_by(|a, b| a.id.cmp(&b.id));
        collection.hosts = self.hosts;
        collection.hosts.sort_by(|a, b| a.id.cmp(&b.id));
        collection.datastores = self.datastores;
        collection.datastores.sort_by(|a, b| a.id.cmp(&b.id));
        collection.switches = self.switches;
        collection.switches.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        collection.networks = self.network_list;
        collection.networks.sort_by(|a, b| a.id.cmp(&b.id));
        collection.resource_pools = self.pools;
    }

    fn licences(&self) -> Vec<Licence> {
        let sockets = self.hosts.iter().map(|it| u64::from(it.sockets.copied().unwrap_or(0))).sum();
        let cores: u64 =
            self.hosts.iter().map(|it| u64::from(it.cores.copied().unwrap_or(0))).sum();
        let licence = |name: &str, unit: &str, total, used, expires| Licence {
            platform: self.platform.clone(),
            name: name.into(),
            unit: Observed::Value(unit.into()),
            total: Observed::Value(total),
            used: Observed::Value(used),
            expires,
        };
        let ends = Observed::Value(Moment::Local(self.taken.saturating_add(Duration::days(200))));
        vec![
            licence("vCenter Server 8 Standard", "server", 2, 1, Observed::Absent),
            licence(
                "vSphere 8 Enterprise Plus",
                "cpuPackage",
                sockets + 4,
                sockets,
                Observed::Absent,
            ),
            licence("VMware vSphere Foundation 8", "core", cores + 64, cores / 3, ends),
            licence(
                "vSAN Enterprise",
                "cpuPackage",
                sockets / 2 + 2,
                sockets / 3,
                Observed::Absent,
            ),
        ]
    }
}
