//! A collection as a cluster: every answer that does not depend on who asks, encoded beforehand.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entente_model::{Collection, Moment, Network, NetworkId, Observed};
use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use super::super::Fault;
use super::super::faults::Faults;
use super::super::words::{unique, utc};
use super::guests::{GuestPlan, plan_guests};
use super::{Account, cluster, encoded, guests, security};

/// Version that is served.
pub(super) const VERSION: &str = "9.1.5";
/// Number of the first guest.
pub(super) const FIRST_VMID: u64 = 100;

/// How a network of the collection looks here.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    /// Bridge or virtual network.
    pub bridge: String,
    /// VLAN on it.
    pub tag: Option<u16>,
}

/// How a datastore of the collection looks here.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub name: String,
    pub kind: &'static str,
    pub is_shared: bool,
    pub total: u64,
    pub free: u64,
}

/// What everything is made from.
pub(super) struct Plan<'a> {
    pub collection: &'a Collection,
    /// Nodes, by id of the host.
    pub nodes: BTreeMap<String, String>,
    /// Names of nodes, in order.
    pub node_names: Vec<String>,
    pub stores: BTreeMap<String, Store>,
    pub wires: BTreeMap<String, Wire>,
    /// Virtual networks: name and VLAN.
    pub vnets: Vec<(String, u16)>,
    /// Bridges by name of the switch.
    pub bridges: BTreeMap<String, String>,
    /// Now, in seconds since 1970.
    pub now: u64,
}

/// The cluster.
pub(super) struct World {
    pub name: String,
    answers: HashMap<String, Bytes>,
    /// Lists as those see them from whom something is hidden.
    filtered: HashMap<String, Bytes>,
    /// What storages hold, with images.
    images: HashMap<String, Bytes>,
    tasks: BTreeMap<String, Vec<Value>>,
    nodes: BTreeSet<String>,
    guests: BTreeSet<String>,
    silent: BTreeSet<String>,
    granted: Vec<String>,
}

impl World {
    pub(super) fn of(collection: &Collection, faults: &Faults) -> Self {
        let plan = Plan::of(collection);
        let mut planned = plan_guests(&plan);
        if let Some(middle) = middle(&mut planned) {
            middle.is_bad = faults.has(Fault::BadElement);
            middle.has_vanished = faults.has(Fault::Vanish);
        }
        let mut world = Self {
            name: "entente".to_owned(),
            answers: HashMap::new(),
            filtered: HashMap::new(),
            images: HashMap::new(),
            tasks: BTreeMap::new(),
            nodes: plan.node_names.iter().cloned().collect(),
            guests: planned
                .iter()
                .filter(|it| !it.has_vanished)
                .map(|it| it.vmid.to_string())
                .collect(),
            silent: BTreeSet::new(),
            granted: Vec::new(),
        };
        let version = if faults.has(Fault::Old) { "6.4-13" } else { VERSION };
        cluster::describe(&plan, &planned, version, &mut world);
        security::describe(&plan, &planned, &mut world);
        for guest in &planned {
            guests::describe(&plan, guest, &mut world);
        }
        world
    }

    /// Adds an answer.
    pub(super) fn put(&mut self, path: impl Into<String>, data: &Value) {
        self.answers.insert(path.into(), encoded(data));
    }

    /// Adds a list of guests, whole and as those see it from whom half are hidden.
    pub(super) fn put_filtered(&mut self, path: &str, whole: &[Value], visible: &[Value]) {
        self.answers.insert(path.to_owned(), encoded(&json!(whole)));
        self.filtered.insert(path.to_owned(), encoded(&json!(visible)));
    }

    /// Adds what a storage holds: what auditors see of it, and all of it.
    pub(super) fn put_content(&mut self, path: String, seen: &Value, all: &Value) {
        self.images.insert(path.clone(), encoded(all));
        self.put(path, seen);
    }

    pub(super) fn with_images(&self, path: &str) -> Option<Bytes> {
        self.images.get(path).cloned()
    }

    pub(super) fn put_tasks(&mut self, node: &str, tasks: Vec<Value>) {
        self.tasks.insert(node.to_owned(), tasks);
    }

    /// Says that something is granted at a path.
    pub(super) fn grant(&mut self, path: &str) {
        self.granted.push(path.to_owned());
    }

    /// Says that a guest's agent does not run.
    pub(super) fn silence(&mut self, node: &str, vmid: u64) {
        self.silent.insert(format!("/nodes/{node}/qemu/{vmid}/agent/"));
    }

    pub(super) fn answer(&self, path: &str) -> Option<Bytes> {
        self.answers.get(path).cloned()
    }

    pub(super) fn visible(&self, path: &str) -> Option<Bytes> {
        self.filtered.get(path).cloned()
    }

    pub(super) fn tasks(&self, node: &str) -> Option<&Vec<Value>> {
        self.tasks.get(node)
    }

    pub(super) fn node_names(&self) -> Vec<String> {
        self.nodes.iter().cloned().collect()
    }

    pub(super) fn has_node(&self, node: &str) -> bool {
        self.nodes.contains(node)
    }

    pub(super) fn has_guest(&self, vmid: &str) -> bool {
        self.guests.contains(vmid)
    }

    pub(super) fn agent_silence(&self, path: &str) -> Option<&'static str> {
        let end = path.find("/agent/")? + "/agent/".len();
        let is_silent = self.silent.contains(path.get(..end)?);
        is_silent.then_some("QEMU guest agent is not running")
    }

    /// Every other guest is hidden from those from whom something is.
    pub(super) fn is_hidden(&self, vmid: &str) -> bool {
        vmid.parse::<u64>().is_ok_and(is_hidden)
    }

    /// What an account is allowed.
    pub(super) fn permissions(&self, account: Account, is_limited: bool) -> Value {
        let audit = |names: &[&str]| -> Map<String, Value> {
            names.iter().map(|it| ((*it).to_owned(), json!(1))).collect()
        };
        let mut everything = vec![
            "Datastore.Audit",
            "Mapping.Audit",
            "Pool.Audit",
            "SDN.Audit",
            "Sys.Audit",
            "VM.Audit",
            "VM.GuestAgent.Audit",
        ];
        if account == Account::Root {
            everything.extend(["Datastore.Allocate", "VM.Config.Disk"]);
        }
        let mut paths = Map::new();
        if account != Account::Tenant {
            let usual = ["/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage"];
            // Paths that the access list names are listed, too.
            let named = self.granted.iter().map(String::as_str);
            for path in usual.into_iter().chain(named) {
                paths.insert(path.to_owned(), audit(&everything).into());
            }
        }
        if !is_limited {
            paths.insert("/vms".to_owned(), audit(&everything).into());
        } else {
            for vmid in self.guests.iter().filter(|it| !self.is_hidden(it)) {
                let held = audit(&["VM.Audit", "VM.GuestAgent.Audit"]);
                paths.insert(format!("/vms/{vmid}"), held.into());
            }
        }
        paths.into()
    }
}

pub(super) fn is_hidden(vmid: u64) -> bool {
    vmid % 2 == 1
}

fn middle<'a, 'b>(guests: &'a mut [GuestPlan<'b>]) -> Option<&'a mut GuestPlan<'b>> {
    let at = guests.len() / 2;
    guests.get_mut(at)
}

impl<'a> Plan<'a> {
    fn of(collection: &'a Collection) -> Self {
        let mut plan = Self {
            collection,
            nodes: BTreeMap::new(),
            node_names: Vec::new(),
            stores: BTreeMap::new(),
            wires: BTreeMap::new(),
            vnets: Vec::new(),
            bridges: BTreeMap::new(),
            now: seconds(collection.source.taken),
        };
        let mut taken = BTreeSet::new();
        for host in &collection.hosts {
            let name = host.name.split('.').next().unwrap_or("node");
            let name = unique(&word(name), &mut taken);
            plan.nodes.insert(host.id.to_string(), name.clone());
            plan.node_names.push(name);
        }
        if plan.node_names.is_empty() {
            plan.node_names.push("pve1".to_owned());
        }
        plan.add_stores();
        plan.add_networks();
        plan
    }

    fn add_stores(&mut self) {
        let mut taken = BTreeSet::new();
        for store in &self.collection.datastores {
            let kind = match store.kind.value().map(|it| it.as_str()) {
                Some("NFS" | "NFS41") => "nfs",
                Some("vsan") => "rbd",
                _ if store.host_count == Observed::Value(1) => "lvmthin",
                _ => "lvm",
            };
            let made = Store {
                name: unique(&word(&store.name), &mut taken),
                kind,
                is_shared: kind != "lvmthin",
                total: store.capacity_bytes.copied().unwrap_or(1 << 40),
                free: store.free_bytes.copied().unwrap_or(1 << 39),
            };
            self.stores.insert(store.id.to_string(), made);
        }
        self.stores.entry(String::new()).or_insert(Store {
            name: unique("local", &mut taken),
            kind: "dir",
            is_shared: false,
            total: 100 << 30,
            free: 50 << 30,
        });
    }

    /// The first distributed switch becomes a zone with virtual networks; all others become bridges.
    fn add_networks(&mut self) {
        let zone = self.collection.networks.iter().find_map(|it| it.switch.value()).cloned();
        for network in &self.collection.networks {
            let switch = network.switch.value().map_or("none", |it| it.as_str());
            let tag = vlan(network);
            let wire = match tag {
                Some(tag) if zone.as_deref() == Some(switch) => {
                    let name = format!("vnet{}", self.vnets.len());
                    self.vnets.push((name.clone(), tag));
                    Wire { bridge: name, tag: None }
                }
                tag => {
                    let next = format!("vmbr{}", self.bridges.len());
                    let bridge = self.bridges.entry(switch.to_owned()).or_insert(next);
                    Wire { bridge: bridge.clone(), tag }
                }
            };
            self.wires.insert(network.id.to_string(), wire);
        }
        if self.bridges.is_empty() {
            self.bridges.insert("none".to_owned(), "vmbr0".to_owned());
        }
    }

    /// Where an interface is attached.
    pub(super) fn wire(&self, network: Option<&NetworkId>) -> Option<&Wire> {
        self.wires.get(network?.as_str())
    }

    /// The store for a disk that names none that is known.
    pub(super) fn store(&self, id: Option<&str>) -> Option<&Store> {
        self.stores.get(id.unwrap_or_default()).or_else(|| self.stores.values().next())
    }

    /// Node of a host; the first for what is nowhere.
    pub(super) fn node(&self, host: Option<&str>) -> &str {
        let node = host.and_then(|it| self.nodes.get(it)).or(self.node_names.first());
        node.map_or("pve1", String::as_str)
    }
}

fn vlan(network: &Network) -> Option<u16> {
    network.vlan.value()?.parse().ok().filter(|it| (1..4095).contains(it))
}

fn seconds(taken: Option<Moment>) -> u64 {
    let at = taken.map_or(1_780_000_000, |it| utc(it).unix_timestamp());
    u64::try_from(at).unwrap_or(0)
}

/// A name of letters, digits and hyphens.
pub(super) fn word(name: &str) -> String {
    let plain = name
        .chars()
        .map(|it| if it.is_ascii_alphanumeric() { it.to_ascii_lowercase() } else { '-' });
    let plain: String = plain.collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { "x".to_owned() } else { plain.to_owned() }
}
