//! Where everything of a collection stands in a vCenter's inventory: which managed objects there are,
//! what they are called, and how they refer to one another. What they say of themselves is not here.

mod machines;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entente_model::{
    ClusterId, Collection, DatastoreId, HostId, NetworkId, Observed, SwitchKind, Text,
};

/// A managed object: its type and its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Ref {
    pub kind: &'static str,
    pub id: Text,
}

impl Ref {
    pub(super) fn new(kind: &'static str, id: impl Into<Text>) -> Self {
        Self { kind, id: id.into() }
    }

    pub(super) fn pair(&self) -> (&str, &str) {
        (self.kind, &self.id)
    }
}

/// A datacenter and its four folders (positions in [`Layout::folders`]).
#[derive(Clone, Debug)]
pub(super) struct Datacenter {
    pub reference: Ref,
    pub name: Text,
    pub vm: usize,
    pub host: usize,
    pub datastore: usize,
    pub network: usize,
}

/// A folder, or a cluster of datastores, which is one.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub reference: Ref,
    pub name: Text,
    pub parent: Option<Ref>,
    pub child_types: &'static [&'static str],
    pub children: Vec<Ref>,
}

/// A cluster, or what stands around a standalone host.
#[derive(Clone, Debug)]
pub(super) struct Compute {
    pub reference: Ref,
    pub name: Text,
    pub datacenter: usize,
    /// Position among the collection's clusters.
    pub cluster: Option<usize>,
    pub hosts: Vec<usize>,
    pub pool: usize,
}

/// A host; at the position that it has in the collection.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub reference: Ref,
    pub compute: usize,
    pub datacenter: usize,
    pub machines: Vec<usize>,
    pub datastores: BTreeSet<usize>,
    pub networks: BTreeSet<usize>,
}

/// A resource pool or vApp.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    pub reference: Ref,
    pub name: Text,
    pub parent: Ref,
    pub compute: usize,
    pub children: Vec<usize>,
    pub machines: Vec<usize>,
    /// Position among the collection's resource pools.
    pub source: Option<usize>,
    /// Of a vApp: its folder.
    pub folder: Option<usize>,
}

/// A datastore; at the position that it has in the collection.
#[derive(Clone, Debug)]
pub(super) struct Datastore {
    pub reference: Ref,
    pub parent: Ref,
    pub hosts: BTreeSet<usize>,
    pub machines: Vec<usize>,
}

/// A network in one datacenter.
#[derive(Clone, Debug)]
pub(super) struct Network {
    pub reference: Ref,
    pub parent: Ref,
    /// Position among the collection's networks.
    pub source: usize,
    /// Position in [`Layout::switches`], of a distributed port group.
    pub switch: Option<usize>,
    pub hosts: BTreeSet<usize>,
    pub machines: Vec<usize>,
}

/// A distributed switch.
#[derive(Clone, Debug)]
pub(super) struct Switch {
    pub reference: Ref,
    pub parent: Ref,
    pub uuid: String,
    /// Position among the collection's switches.
    pub source: usize,
    pub datacenter: usize,
    pub hosts: BTreeSet<usize>,
    pub groups: Vec<usize>,
}

/// A machine; at the position that it has in the collection.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub reference: Ref,
    pub host: Option<usize>,
    pub pool: Option<usize>,
    /// Its folder; that of its vApp, if it is in one.
    pub folder: usize,
    pub is_in_vapp: bool,
    pub datastores: BTreeSet<usize>,
    pub networks: BTreeSet<usize>,
    /// Of each of its adapters, the network.
    pub adapters: Vec<Option<usize>>,
}

/// Everything.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub datacenters: Vec<Datacenter>,
    pub folders: Vec<Folder>,
    pub computes: Vec<Compute>,
    pub hosts: Vec<Host>,
    pub pools: Vec<Pool>,
    pub datastores: Vec<Datastore>,
    pub networks: Vec<Network>,
    pub switches: Vec<Switch>,
    pub machines: Vec<Machine>,
    names: Names,
}

/// How things are found again while the layout is made.
#[derive(Debug, Default)]
struct Names {
    /// Ids of folders that the collection tells, by path.
    told: HashMap<Text, Text>,
    datacenters: HashMap<Text, usize>,
    clusters: HashMap<ClusterId, usize>,
    hosts: HashMap<HostId, usize>,
    host_names: HashMap<Text, usize>,
    pools: HashMap<Text, usize>,
    vapps: HashMap<(usize, Text), usize>,
    datastores: HashMap<DatastoreId, usize>,
    networks: HashMap<(NetworkId, usize), usize>,
    folders: HashMap<(usize, Text), usize>,
    pods: HashMap<(usize, Text), usize>,
}

const VM_TYPES: &[&str] = &["Folder", "VirtualMachine", "VirtualApp"];
const HOST_TYPES: &[&str] = &["Folder", "ComputeResource"];
const DATASTORE_TYPES: &[&str] = &["Folder", "Datastore", "StoragePod"];
const NETWORK_TYPES: &[&str] = &["Folder", "Network", "DistributedVirtualSwitch"];

/// The folder at the root of every inventory.
pub(super) const ROOT: &str = "group-d1";

impl Layout {
    pub(super) fn of(collection: &Collection) -> Self {
        let mut layout = Self::default();
        let told = collection.control.folders.iter();
        layout.names.told = told.map(|it| (it.path.clone(), it.native_id.clone())).collect();
        layout.folders.push(Folder {
            reference: Ref::new("Folder", ROOT),
            name: "Datacenters".into(),
            parent: None,
            child_types: &["Folder", "Datacenter"],
            children: Vec::new(),
        });
        layout.add_datacenters(collection);
        layout.add_computes(collection);
        layout.add_pools(collection);
        layout.add_switches(collection);
        layout.add_networks(collection);
        layout.add_datastores(collection);
        layout.add_machines(collection);
        layout.mount(collection);
        layout
    }

    fn add_datacenters(&mut self, collection: &Collection) {
        let told = |it: &Observed<Text>| it.value().cloned();
        let mut names: BTreeSet<Text> =
            collection.clusters.iter().filter_map(|it| told(&it.datacenter)).collect();
        names.extend(collection.hosts.iter().filter_map(|it| told(&it.datacenter)));
        names.extend(collection.workloads.iter().filter_map(|it| told(&it.placement.datacenter)));
        let has_content = !(collection.hosts.is_empty() && collection.workloads.is_empty());
        if names.is_empty() && has_content {
            names.insert("Datacenter".into());
        }
        for (at, name) in names.into_iter().enumerate() {
            let number = 2 + 5 * at;
            let path = Text::from(format!("/{name}"));
            let id = self.told(&path).unwrap_or_else(|| format!("datacenter-{number}").into());
            let reference = Ref::new("Datacenter", id);
            let mut add = |offset: usize, letter: char, folder: &str, child_types| {
                let path = Text::from(format!("{path}/{folder}"));
                let made = || format!("group-{letter}{}", number + offset).into();
                let id = self.told(&path).unwrap_or_else(made);
                self.add_folder(Ref::new("Folder", id), folder, &reference, child_types)
            };
            let datacenter = Datacenter {
                vm: add(1, 'v', "vm", VM_TYPES),
                host: add(2, 'h', "host", HOST_TYPES),
                datastore: add(3, 's', "datastore", DATASTORE_TYPES),
                network: add(4, 'n', "network", NETWORK_TYPES),
                reference: reference.clone(),
                name: name.clone(),
            };
            self.file(0, reference);
            self.names.datacenters.insert(name, at);
            self.datacenters.push(datacenter);
        }
    }

    fn told(&self, path: &Text) -> Option<Text> {
        self.names.told.get(path).cloned()
    }

    fn add_folder(
        &mut self,
        reference: Ref,
        name: &str,
        parent: &Ref,
        child_types: &'static [&'static str],
    ) -> usize {
        self.folders.push(Folder {
            reference,
            name: name.into(),
            parent: Some(parent.clone()),
            child_types,
            children: Vec::new(),
        });
        self.folders.len() - 1
    }

    /// Puts something into a folder; gives the folder's reference.
    fn file(&mut self, folder: usize, child: Ref) -> Ref {
        match self.folders.get_mut(folder) {
            Some(folder) => {
                folder.children.push(child);
                folder.reference.clone()
            }
            None => Ref::new("Folder", ROOT),
        }
    }

    /// The datacenter of this name, else the first.
    fn datacenter(&self, name: &Observed<Text>) -> usize {
        name.value().and_then(|it| self.names.datacenters.get(it)).copied().unwrap_or(0)
    }

    /// One of the four folders of a datacenter.
    fn folder_of(&self, datacenter: usize, which: fn(&Datacenter) -> usize) -> usize {
        self.datacenters.get(datacenter).map_or(0, which)
    }

    fn add_computes(&mut self, collection: &Collection) {
        for (at, cluster) in collection.clusters.iter().enumerate() {
            let reference = Ref::new("ClusterComputeResource", format!("domain-c{}", 100 + at));
            let datacenter = self.datacenter(&cluster.datacenter);
            let made = self.add_compute(reference, &cluster.name, datacenter, Some(at));
            self.names.clusters.insert(cluster.id.clone(), made);
        }
        for (at, host) in collection.hosts.iter().enumerate() {
            let known = host.cluster.value().and_then(|it| self.names.clusters.get(it)).copied();
            let compute = known.unwrap_or_else(|| {
                let reference = Ref::new("ComputeResource", format!("domain-s{}", 1000 + at));
                self.add_compute(reference, &host.name, self.datacenter(&host.datacenter), None)
            });
            let Some(made) = self.computes.get_mut(compute) else { continue };
            made.hosts.push(at);
            self.hosts.push(Host {
                reference: Ref::new("HostSystem", format!("host-{}", 1000 + at)),
                compute,
                datacenter: made.datacenter,
                machines: Vec::new(),
                datastores: BTreeSet::new(),
                networks: BTreeSet::new(),
            });
            self.names.hosts.insert(host.id.clone(), at);
            self.names.host_names.insert(host.name.clone(), at);
        }
    }

    fn add_compute(
        &mut self,
        reference: Ref,
        name: &Text,
        datacenter: usize,
        cluster: Option<usize>,
    ) -> usize {
        let compute = self.computes.len();
        self.file(self.folder_of(datacenter, |it| it.host), reference.clone());
        let pool = self.add_pool("ResourcePool", "Resources", &reference, compute);
        self.computes.push(Compute {
            reference,
            name: name.clone(),
            datacenter,
            cluster,
            hosts: Vec::new(),
            pool,
        });
        let site = self.datacenters.get(datacenter).map(|it| it.name.clone()).unwrap_or_default();
        self.names.pools.insert(format!("/{site}/{name}/Resources").into(), pool);
        compute
    }

    fn add_pool(&mut self, kind: &'static str, name: &str, parent: &Ref, compute: usize) -> usize {
        let letter = if kind == "VirtualApp" { "v" } else { "" };
        let at = self.pools.len();
        self.pools.push(Pool {
            reference: Ref::new(kind, format!("resgroup-{letter}{}", 500 + at)),
            name: name.into(),
            parent: parent.clone(),
            compute,
            children: Vec::new(),
            machines: Vec::new(),
            source: None,
            folder: None,
        });
        at
    }

    fn add_child_pool(&mut self, kind: &'static str, name: &str, parent: usize) -> Option<usize> {
        let (reference, compute) =
            self.pools.get(parent).map(|it| (it.reference.clone(), it.compute))?;
        let made = self.add_pool(kind, name, &reference, compute);
        self.pools.get_mut(parent)?.children.push(made);
        Some(made)
    }

    fn add_pools(&mut self, collection: &Collection) {
        let mut sources: Vec<(usize, &Text)> = collection
            .resource_pools
            .iter()
            .enumerate()
            .filter_map(|(at, it)| Some((at, it.path.value()?)))
            .collect();
        // A pool comes after the one that it is in.
        sources.sort_by_key(|it| it.1.matches('/').count());
        for (at, path) in sources {
            let known = self.names.pools.get(path).copied();
            let made = known.or_else(|| {
                let (parent, name) = path.rsplit_once('/')?;
                let parent = *self.names.pools.get(parent)?;
                self.add_child_pool("ResourcePool", name, parent)
            });
            let Some(pool) = made else { continue };
            self.names.pools.insert(path.clone(), pool);
            if let Some(pool) = self.pools.get_mut(pool) {
                pool.source = Some(at);
            }
        }
    }

    fn hosts_named<'a>(&self, names: impl IntoIterator<Item = &'a Text>) -> BTreeSet<usize> {
        names.into_iter().filter_map(|it| self.names.host_names.get(it)).copied().collect()
    }

    fn datacenters_of(&self, hosts: &BTreeSet<usize>) -> BTreeSet<usize> {
        hosts.iter().filter_map(|it| self.hosts.get(*it)).map(|it| it.datacenter).collect()
    }

    fn add_switches(&mut self, collection: &Collection) {
        for (at, switch) in collection.switches.iter().enumerate() {
            if switch.kind != SwitchKind::Distributed {
                continue;
            }
            let hosts = self.hosts_named(&switch.hosts);
            let datacenter = self.datacenters_of(&hosts).first().copied().unwrap_or(0);
            let reference = Ref::new("VmwareDistributedVirtualSwitch", format!("dvs-{}", 20 + at));
            let folder = self.folder_of(datacenter, |it| it.network);
            let parent = self.file(folder, reference.clone());
            self.switches.push(Switch {
                uuid: switch_uuid(&switch.name),
                reference,
                parent,
                source: at,
                datacenter,
                hosts,
                groups: Vec::new(),
            });
        }
    }

    /// A port group of a distributed switch is where its switch is; a standard one is an object in
    /// each datacenter that has hosts with its switch.
    fn add_networks(&mut self, collection: &Collection) {
        for (at, network) in collection.networks.iter().enumerate() {
            let name = network.switch.value();
            let is_of = |it: &Switch| {
                let made = collection.switches.get(it.source);
                made.map(|it| &it.name) == name && name.is_some()
            };
            let is_standard = network.switch_kind.value() == Some(&SwitchKind::Standard);
            let switch = self.switches.iter().position(is_of).filter(|_| !is_standard);
            let carriers = collection.switches.iter().filter(|it| Some(&it.name) == name);
            let hosts = match switch.and_then(|it| self.switches.get(it)) {
                Some(switch) => switch.hosts.clone(),
                None => self.hosts_named(carriers.flat_map(|it| &it.hosts)),
            };
            let mut places = match switch.and_then(|it| self.switches.get(it)) {
                Some(switch) => BTreeSet::from([switch.datacenter]),
                None => self.datacenters_of(&hosts),
            };
            if places.is_empty() {
                places.insert(0);
            }
            for datacenter in places {
                let here =
                    |it: &usize| self.hosts.get(*it).is_some_and(|it| it.datacenter == datacenter);
                let hosts = hosts.iter().copied().filter(here).collect();
                self.add_network(at, &network.id, switch, datacenter, hosts);
            }
        }
    }

    fn add_network(
        &mut self,
        source: usize,
        id: &NetworkId,
        switch: Option<usize>,
        datacenter: usize,
        hosts: BTreeSet<usize>,
    ) {
        let at = self.networks.len();
        let reference = match switch {
            Some(_) => Ref::new("DistributedVirtualPortgroup", format!("dvportgroup-{}", 200 + at)),
            None => Ref::new("Network", format!("network-{}", 200 + at)),
        };
        let parent = self.file(self.folder_of(datacenter, |it| it.network), reference.clone());
        for host in &hosts {
            if let Some(host) = self.hosts.get_mut(*host) {
                host.networks.insert(at);
            }
        }
        if let Some(switch) = switch.and_then(|it| self.switches.get_mut(it)) {
            switch.groups.push(at);
        }
        self.networks.push(Network {
            reference,
            parent,
            source,
            switch,
            hosts,
            machines: Vec::new(),
        });
        self.names.networks.insert((id.clone(), datacenter), at);
    }

    /// A datastore is filed where most of its machines are, else where its name says.
    fn add_datastores(&mut self, collection: &Collection) {
        let mut uses: HashMap<&DatastoreId, BTreeMap<usize, usize>> = HashMap::new();
        for workload in &collection.workloads {
            let datacenter = self.datacenter(&workload.placement.datacenter);
            for disk in &workload.disks {
                if let Some(id) = disk.datastore.value() {
                    *uses.entry(id).or_default().entry(datacenter).or_default() += 1;
                }
            }
        }
        for (at, datastore) in collection.datastores.iter().enumerate() {
            let used = uses.get(&datastore.id);
            let most = used.and_then(|it| it.iter().max_by_key(|it| it.1)).map(|it| *it.0);
            let named = || {
                let is_here = |it: &Datacenter| datastore.name.starts_with(it.name.as_str());
                self.datacenters.iter().position(is_here).unwrap_or(0)
            };
            let datacenter = most.unwrap_or_else(named);
            let reference = Ref::new("Datastore", format!("datastore-{}", 300 + at));
            let folder = match datastore.datastore_cluster.value() {
                Some(name) => self.pod(datacenter, name),
                None => self.folder_of(datacenter, |it| it.datastore),
            };
            let parent = self.file(folder, reference.clone());
            self.names.datastores.insert(datastore.id.clone(), at);
            self.datastores.push(Datastore {
                reference,
                parent,
                hosts: BTreeSet::new(),
                machines: Vec::new(),
            });
        }
    }

    fn pod(&mut self, datacenter: usize, name: &Text) -> usize {
        if let Some(known) = self.names.pods.get(&(datacenter, name.clone())) {
            return *known;
        }
        let reference = Ref::new("StoragePod", format!("group-p{}", 700 + self.names.pods.len()));
        let parent = self.file(self.folder_of(datacenter, |it| it.datastore), reference.clone());
        let made = self.add_folder(reference, name, &parent, &["Datastore"]);
        self.names.pods.insert((datacenter, name.clone()), made);
        made
    }
}

/// The UUID of a distributed switch, as vSphere writes it.
fn switch_uuid(name: &str) -> String {
    let mut random = crate::random::Random::of(name);
    let bytes: Vec<String> = (0..16).map(|_| format!("{:02x}", random.below(256))).collect();
    let (first, second) = bytes.split_at(8);
    format!("50 {}-{}", first.get(1..).unwrap_or_default().join(" "), second.join(" "))
}
