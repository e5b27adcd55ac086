//! Where everything is: the tree of folders, datacenters, clusters, hosts and pools, and what
//! workloads refer to by id.

use std::collections::HashMap;

use entente_model::{
    ClusterId, DatastoreId, Folder, HostId, NetworkId, Observed, PlatformId, SourceId, Text, Why,
};

use super::super::collect::Kept;
use super::super::wire::{Object, Target, unescape};

/// Deepest nesting of folders: a cycle in what a server tells must end.
const DEPTH_MAX: usize = 200;

/// Stands in a path for places that were not told of.
const UNKNOWN_ABOVE: &str = "…";

/// One place in the tree.
#[derive(Clone, Debug)]
pub(in crate::vsphere) struct Place {
    /// `ClusterComputeResource`.
    pub kind: Text,
    /// Its name, as people know it.
    pub name: Text,
    /// Its parent's id.
    pub parent: Option<Text>,
    /// Its path from the root.
    pub path: Text,
    /// The folder in which a vApp is filed.
    filed_in: Option<Text>,
}

/// What a workload's adapter is attached to.
#[derive(Clone, Debug)]
pub(in crate::vsphere) struct NetworkPlace {
    /// Its id.
    pub id: NetworkId,
    /// Name of the switch that carries it.
    pub switch: Observed<Text>,
}

/// What a cluster says of one workload.
#[derive(Clone, Debug)]
pub(in crate::vsphere) struct OwnSettings {
    /// Restart priority.
    pub restart_priority: Observed<Text>,
    /// Reaction to isolation.
    pub isolation_response: Observed<Text>,
}

impl Default for OwnSettings {
    fn default() -> Self {
        Self { restart_priority: Observed::Absent, isolation_response: Observed::Absent }
    }
}

/// Everything that workloads refer to.
#[derive(Clone, Debug)]
pub(in crate::vsphere) struct Inventory {
    /// The platform.
    pub platform: PlatformId,
    /// What is being read.
    pub source: SourceId,
    /// Why something that is referred to may be in no list.
    pub hidden: Why,
    /// Why there may be more hosts, if there may.
    pub hosts_unread: Option<Why>,
    root: Option<Text>,
    places: HashMap<Text, Place>,
    /// Datastores by id.
    pub datastores: HashMap<Text, DatastoreId>,
    /// Networks by id.
    pub networks: HashMap<Text, NetworkPlace>,
    /// Networks by the id that NSX gives them.
    pub opaque: HashMap<Text, Text>,
    /// Hosts by id.
    pub hosts: HashMap<Text, HostId>,
    /// Clusters by id, with why their configuration is not known, if it is not.
    pub clusters: HashMap<Text, (ClusterId, Option<Why>)>,
    /// Names of custom attributes by key; nothing where they could not be read.
    pub attributes: Result<HashMap<i64, Text>, Why>,
    /// What clusters say of single workloads, by id.
    pub settings: HashMap<Text, OwnSettings>,
    /// Rules of clusters by the id of the workload that they name.
    pub rules: HashMap<Text, Vec<Text>>,
}

/// The nearest place of some kind above something.
pub(in crate::vsphere) type Above<'i> = Option<(&'i Text, &'i Place)>;

impl Inventory {
    /// Of everything that is not a workload, below this root: views do not show their container.
    pub fn of(
        platform: &PlatformId,
        source: &SourceId,
        root: Option<&Target>,
        kept: &Kept,
    ) -> Self {
        let mut inventory = Self {
            platform: platform.clone(),
            source: source.clone(),
            hidden: Why::Unreadable,
            hosts_unread: None,
            root: root.map(|it| Text::new(&it.id)),
            places: kept.objects().map(|it| place(&it)).collect(),
            datastores: HashMap::new(),
            networks: HashMap::new(),
            opaque: HashMap::new(),
            hosts: HashMap::new(),
            clusters: HashMap::new(),
            attributes: Ok(HashMap::new()),
            settings: HashMap::new(),
            rules: HashMap::new(),
        };
        if let Some(root) = root {
            inventory.places.entry(Text::new(&root.id)).or_insert_with(|| Place {
                kind: Text::new(&root.kind),
                name: Text::default(),
                parent: None,
                path: Text::new_static("/"),
                filed_in: None,
            });
        }
        inventory.set_paths();
        inventory.set_ids();
        inventory
    }

    fn set_paths(&mut self) {
        let mut paths: HashMap<Text, Text> = HashMap::with_capacity(self.places.len());
        for id in self.places.keys() {
            // Up to what is known, then down again.
            let (mut chain, mut base) = (Vec::new(), Text::default());
            let mut next = Some(id);
            while let Some(id) = next {
                if let Some(path) = paths.get(id) {
                    base = path.clone();
                    break;
                }
                let Some(place) = self.places.get(id) else { break };
                chain.push((id, place));
                next = place.parent.as_ref().filter(|_| chain.len() < DEPTH_MAX);
            }
            for (id, place) in chain.into_iter().rev() {
                // The root has no name that people use; what is above a place may be hidden.
                let path = match base.as_str() {
                    _ if self.root.as_ref() == Some(id) => Text::new_static("/"),
                    "" => Text::from(format!("{UNKNOWN_ABOVE}/{}", place.name)),
                    "/" => Text::from(format!("/{}", place.name)),
                    base => Text::from(format!("{base}/{}", place.name)),
                };
                paths.insert(id.clone(), path.clone());
                base = path;
            }
        }
        for (id, place) in &mut self.places {
            place.path = paths.get(id).cloned().unwrap_or_default();
        }
    }

    fn set_ids(&mut self) {
        for (id, place) in &self.places {
            match place.kind.as_str() {
                "Datastore" => {
                    if let Ok(known) = DatastoreId::on(&self.platform, id) {
                        self.datastores.insert(id.clone(), known);
                    }
                }
                "HostSystem" => {
                    if let Ok(known) = HostId::on(&self.platform, id) {
                        self.hosts.insert(id.clone(), known);
                    }
                }
                "ClusterComputeResource" => {
                    if let Ok(known) = ClusterId::on(&self.platform, id) {
                        self.clusters.insert(id.clone(), (known, None));
                    }
                }
                _ => {}
            }
        }
    }

    /// A place by its id.
    pub fn place(&self, id: &str) -> Option<&Place> {
        self.places.get(id)
    }

    /// A place by its id, or why it is in no list.
    pub fn told(&self, id: &str) -> Observed<&Place> {
        Observed::or_why(self.places.get(id), self.hidden)
    }

    /// The nearest place of this kind above, or at, a place.
    pub fn above(&self, id: &str, kind: &str) -> Above<'_> {
        let mut current = self.places.get_key_value(id)?;
        for _ in 0..DEPTH_MAX {
            if current.1.kind == kind {
                return Some(current);
            }
            current = self.places.get_key_value(current.1.parent.as_ref()?)?;
        }
        None
    }

    /// Name of the datacenter above a place.
    pub fn datacenter(&self, id: &str) -> Observed<Text> {
        match (self.above(id, "Datacenter"), self.places.contains_key(id)) {
            (Some((_, place)), _) => Observed::Value(place.name.clone()),
            (None, _) => Observed::Unobserved(Why::Blank),
        }
    }

    /// The cluster above a place; absent where there is none.
    pub fn cluster(&self, id: &str) -> Observed<ClusterId> {
        match self.above(id, "ClusterComputeResource") {
            Some((id, _)) => match self.clusters.get(id) {
                Some((id, _)) => Observed::Value(id.clone()),
                None => Observed::Unobserved(Why::Unreadable),
            },
            None if self.above(id, "ComputeResource").is_some() => Observed::Absent,
            None => Observed::Unobserved(Why::Blank),
        }
    }

    /// How many hosts are directly in a cluster.
    pub fn hosts_in(&self, cluster: &str) -> usize {
        let is_in = |it: &&Place| it.parent.as_deref() == Some(cluster) && it.kind == "HostSystem";
        self.places.values().filter(is_in).count()
    }

    /// The folder in which a vApp is filed, or the one around it.
    pub fn folder_of_vapp(&self, id: &str) -> Option<&Place> {
        let mut id = id;
        for _ in 0..DEPTH_MAX {
            let place = self.places.get(id)?;
            if let Some(folder) = &place.filed_in {
                return self.places.get(folder);
            }
            id = place.parent.as_deref()?;
        }
        None
    }

    /// Places in which objects are filed and rights are granted.
    pub fn folders(&self, kept: &Kept) -> Vec<Folder> {
        let folder = |object: Object<'_>| {
            let kind = match object.reference.kind {
                "Folder" if self.root.as_deref() == Some(object.reference.id) => "root",
                "Folder" => folder_kind(&object),
                "Datacenter" => "datacenter",
                "StoragePod" => "datastore-cluster",
                "ResourcePool" => "pool",
                "VirtualApp" => "vapp",
                _ => return None,
            };
            let place = self.place(object.reference.id)?;
            Some(Folder {
                platform: self.platform.clone(),
                native_id: Text::new(object.reference.id),
                path: place.path.clone(),
                kind: Text::new_static(kind),
            })
        };
        kept.objects().filter_map(folder).collect()
    }
}

fn folder_kind(object: &Object<'_>) -> &'static str {
    let holds = |kind: &str| object.get("childType").elements().any(|it| it.text() == kind);
    if holds("VirtualMachine") {
        "vm-folder"
    } else if holds("ComputeResource") || holds("HostSystem") {
        "host-folder"
    } else if holds("Datastore") {
        "datastore-folder"
    } else if holds("Network") || holds("DistributedVirtualSwitch") {
        "network-folder"
    } else if holds("Datacenter") || holds("Folder") {
        "datacenter-folder"
    } else {
        // What it may hold was not told.
        "folder"
    }
}

fn place(object: &Object<'_>) -> (Text, Place) {
    let id = Text::new(object.reference.id);
    let reference = |path: &str| object.get(path).reference().map(|it| Text::new(it.id));
    let name = object.get("name").text().unwrap_or(object.reference.id);
    let place = Place {
        kind: Text::new(object.reference.kind),
        name: Text::from(unescape(name)),
        parent: reference("parent"),
        path: Text::default(),
        filed_in: reference("parentFolder"),
    };
    (id, place)
}
