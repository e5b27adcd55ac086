//! One collection with the look-ups and sums that its tabs need.

use std::collections::HashMap;

use entente_model::{
    Cluster, ClusterId, Collection, Datastore, DatastoreId, Host, HostId, Moment, Network,
    NetworkId, Observed, PowerState, SwitchKind, Text, Workload,
};
use time::PrimitiveDateTime;

use super::cell::{MIB, local};
use super::spec::{ExportSpec, Version};
use crate::random::{Random, hash};

/// When an export was taken whose collection does not tell: 2026-06-15 05:40:00.
const TAKEN: PrimitiveDateTime = time::macros::datetime!(2026-06-15 05:40:00);

/// What runs on a host, cluster, datastore or resource pool.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Load {
    pub machines: u64,
    pub machines_on: u64,
    pub vcpus_on: u64,
    pub memory_mib_on: u64,
    pub used_mib: u64,
    pub cpu_used_mhz: u64,
}

impl Load {
    fn add(&mut self, vm: &Workload) {
        self.machines += 1;
        if vm.power.value() == Some(&PowerState::On) {
            self.machines_on += 1;
            self.vcpus_on += u64::from(vm.cpu.count.copied().unwrap_or(0));
            self.memory_mib_on += vm.memory.size_bytes.copied().unwrap_or(0) / MIB;
            self.used_mib += vm.samples.memory_consumed_bytes.copied().unwrap_or(0) / MIB;
            self.cpu_used_mhz += vm.samples.cpu_used_mhz.copied().unwrap_or(0);
        }
    }
}

/// One collection, ready to be written.
pub(super) struct Export<'a> {
    pub collection: &'a Collection,
    pub spec: &'a ExportSpec,
    pub server: Text,
    pub uuid: Text,
    pub product: Text,
    pub product_version: Text,
    pub build: Text,
    pub taken: PrimitiveDateTime,
    pub secrets: Secrets,
    clusters: HashMap<&'a ClusterId, &'a Cluster>,
    hosts: HashMap<&'a HostId, &'a Host>,
    networks: HashMap<&'a NetworkId, &'a Network>,
    host_loads: HashMap<&'a HostId, Load>,
    cluster_loads: HashMap<&'a ClusterId, Load>,
    datastore_loads: HashMap<&'a DatastoreId, Load>,
    pool_loads: HashMap<&'a Text, Load>,
    mounts: HashMap<&'a DatastoreId, Vec<&'a Host>>,
}

impl<'a> Export<'a> {
    pub(super) fn new(collection: &'a Collection, spec: &'a ExportSpec) -> Self {
        let platform = collection.platforms.first();
        let told = |fact: Option<&Observed<Text>>| {
            fact.and_then(Observed::value).cloned().unwrap_or_default()
        };
        let product = collection.products.first();
        let mut export = Self {
            collection,
            spec,
            server: told(platform.map(|it| &it.address)),
            uuid: told(platform.map(|it| &it.uuid)),
            product: product.map(|it| it.name.clone()).unwrap_or_default(),
            product_version: told(product.map(|it| &it.version)),
            build: told(product.map(|it| &it.build)),
            taken: collection.source.taken.map_or(TAKEN, local),
            secrets: Secrets::new(spec),
            clusters: collection.clusters.iter().map(|it| (&it.id, it)).collect(),
            hosts: collection.hosts.iter().map(|it| (&it.id, it)).collect(),
            networks: collection.networks.iter().map(|it| (&it.id, it)).collect(),
            host_loads: HashMap::new(),
            cluster_loads: HashMap::new(),
            datastore_loads: HashMap::new(),
            pool_loads: HashMap::new(),
            mounts: HashMap::new(),
        };
        export.add_loads();
        export.add_mounts();
        export
    }

    fn add_loads(&mut self) {
        for vm in &self.collection.workloads {
            if let Observed::Value(id) = &vm.placement.host {
                self.host_loads.entry(id).or_default().add(vm);
            }
            if let Observed::Value(id) = &vm.placement.cluster {
                self.cluster_loads.entry(id).or_default().add(vm);
            }
            if let Observed::Value(path) = &vm.placement.resource_pool {
                self.pool_loads.entry(path).or_default().add(vm);
            }
            let mut seen: Vec<&DatastoreId> = Vec::new();
            for id in vm.disks.iter().filter_map(|disk| disk.datastore.value()) {
                if !seen.contains(&id) {
                    seen.push(id);
                    self.datastore_loads.entry(id).or_default().add(vm);
                }
            }
        }
    }

    /// Which hosts mount a datastore: the model counts them only, so the hosts of the clusters that
    /// use it come first.
    fn add_mounts(&mut self) {
        let mut users: HashMap<&DatastoreId, Vec<&ClusterId>> = HashMap::new();
        for vm in &self.collection.workloads {
            let Observed::Value(cluster) = &vm.placement.cluster else { continue };
            for id in vm.disks.iter().filter_map(|disk| disk.datastore.value()) {
                let clusters = users.entry(id).or_default();
                if !clusters.contains(&cluster) {
                    clusters.push(cluster);
                }
            }
        }
        let mut by_cluster: HashMap<Option<&ClusterId>, Vec<&Host>> = HashMap::new();
        for host in &self.collection.hosts {
            by_cluster.entry(host.cluster.value()).or_default().push(host);
        }
        for datastore in &self.collection.datastores {
            let wanted = datastore.host_count.copied().unwrap_or(0) as usize;
            let first = users.get(&datastore.id).into_iter().flatten();
            let near = first.filter_map(|id| by_cluster.get(&Some(*id))).flatten().copied();
            let mut mounts: Vec<&Host> = near.take(wanted).collect();
            for host in &self.collection.hosts {
                if mounts.len() >= wanted {
                    break;
                }
                if !mounts.iter().any(|it| it.id == host.id) {
                    mounts.push(host);
                }
            }
            self.mounts.insert(&datastore.id, mounts);
        }
    }

    pub(super) fn version(&self) -> Version {
        self.spec.version
    }

    /// The name of a cluster, blank on a standalone host.
    pub(super) fn cluster_name(&self, id: &Observed<ClusterId>) -> Text {
        id.value()
            .map(|id| self.clusters.get(id).map_or_else(|| last(id.as_str()), |it| it.name.clone()))
            .unwrap_or_default()
    }

    pub(super) fn host_name(&self, id: &Observed<HostId>) -> Text {
        id.value()
            .map(|id| self.hosts.get(id).map_or_else(|| last(id.as_str()), |it| it.name.clone()))
            .unwrap_or_default()
    }

    pub(super) fn network_name(&self, id: &Observed<NetworkId>) -> Text {
        id.value()
            .map(|id| self.networks.get(id).map_or_else(|| last(id.as_str()), |it| it.name.clone()))
            .unwrap_or_default()
    }

    pub(super) fn host_load(&self, host: &Host) -> Load {
        self.host_loads.get(&host.id).copied().unwrap_or_default()
    }

    pub(super) fn cluster_load(&self, cluster: &Cluster) -> Load {
        self.cluster_loads.get(&cluster.id).copied().unwrap_or_default()
    }

    pub(super) fn datastore_load(&self, datastore: &Datastore) -> Load {
        self.datastore_loads.get(&datastore.id).copied().unwrap_or_default()
    }

    pub(super) fn pool_load(&self, path: &Text) -> Load {
        self.pool_loads.get(path).copied().unwrap_or_default()
    }

    pub(super) fn mounts(&self, datastore: &Datastore) -> &[&'a Host] {
        self.mounts.get(&datastore.id).map_or(&[], Vec::as_slice)
    }

    pub(super) fn hosts_of(&self, cluster: &Cluster) -> impl Iterator<Item = &'a Host> {
        let id = cluster.id.clone();
        self.collection.hosts.iter().filter(move |host| host.cluster.value() == Some(&id))
    }

    pub(super) fn networks_of(&self, kind: SwitchKind) -> impl Iterator<Item = &'a Network> {
        self.collection
            .networks
            .iter()
            .filter(move |network| network.switch_kind.value() == Some(&kind))
    }
}

/// The part after the last `/`.
fn last(id: &str) -> Text {
    Text::new(id.rsplit('/').next().unwrap_or(id))
}

/// What the model does not hold, filled in plausibly: the same for the same thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filler(u64);

impl Filler {
    pub(super) fn new(thing: &str, seed: u64) -> Self {
        Self(hash(thing) ^ seed.rotate_left(17))
    }

    /// A number below `bound`.
    pub(super) fn below(self, what: &str, bound: u64) -> u64 {
        Random::new(self.0 ^ hash(what)).below(bound)
    }

    /// `digits` hexadecimal digits.
    pub(super) fn hex(self, what: &str, digits: usize) -> String {
        let mut random = Random::new(self.0 ^ hash(what));
        let mut text = format!("{:016x}", random.next());
        while text.len() < digits {
            text.push_str(&format!("{:016x}", random.next()));
        }
        text.truncate(digits);
        text
    }

    /// `pairs` hexadecimal pairs with colons.
    pub(super) fn colons(self, what: &str, pairs: usize) -> String {
        let hex = self.hex(what, pairs * 2);
        let mut text = String::with_capacity(pairs * 3);
        for (at, digit) in hex.chars().enumerate() {
            if at > 0 && at % 2 == 0 {
                text.push(':');
            }
            text.push(digit);
        }
        text
    }

    /// A moment up to `days` before `moment`.
    pub(super) fn before(
        self,
        what: &str,
        moment: PrimitiveDateTime,
        days: u64,
    ) -> PrimitiveDateTime {
        let seconds = self.below(what, days * 86_400 + 1);
        moment.saturating_sub(time::Duration::seconds(seconds.try_into().unwrap_or(0)))
    }
}

/// Secrets that the writer plants. They are a function of the object's name, so that they can be
/// listed again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Secrets {
    seed: u64,
}

impl Secrets {
    pub(super) fn new(spec: &ExportSpec) -> Self {
        Self { seed: spec.seed }
    }

    /// A licence key in the form of vSphere's.
    pub(super) fn licence_key(self, thing: &str) -> Text {
        let digits = Filler::new(thing, self.seed).hex("licence key", 25).to_uppercase();
        let mut key = String::with_capacity(29);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && at % 5 == 0 {
                key.push('-');
            }
            key.push(digit);
        }
        Text::from(key)
    }

    /// The password in the annotation of one machine in forty.
    pub(super) fn in_annotation(self, vm: &Workload) -> Option<Text> {
        let filler = Filler::new(vm.id.as_str(), self.seed);
        (filler.below("leaks", 40) == 0).then(|| password(filler))
    }

    /// The password in the description of one VM snapshot in five.
    pub(super) fn in_description(self, vm: &Workload, snapshot: &str) -> Option<Text> {
        let filler = Filler::new(&format!("{}/{snapshot}", vm.id), self.seed);
        (filler.below("leaks", 5) == 0).then(|| password(filler))
    }
}

fn password(filler: Filler) -> Text {
    const WORDS: [&str; 6] = ["Sommer", "Winter", "Welcome", "Root", "Chang3me", "P4ss"];
    let at = filler.below("word", WORDS.len() as u64) as usize;
    let word = WORDS.get(at).copied().unwrap_or("Secret");
    Text::from(format!("{word}-{}!", filler.hex("rest", 6)))
}

/// A moment of the model as RVTools writes it.
pub(super) fn moment(fact: &Observed<Moment>) -> Option<PrimitiveDateTime> {
    fact.copied().map(local)
}
