//! A collection as one libvirt host has it.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{Collection, PowerState, ToolsStatus, Workload};

use super::documents;
use super::wire::Writer;
use crate::live::words::unique;

/// What the host has.
#[derive(Debug)]
pub struct Inventory {
    /// Name of the host.
    pub hostname: String,
    /// What it can.
    pub capabilities: String,
    /// Maker and model.
    pub system: String,
    /// Memory.
    pub memory_kib: u64,
    mhz: u32,
    sockets: u32,
    cores_per_socket: u32,
    /// Domains, in the order of the collection's workloads.
    pub domains: Vec<Domain>,
    /// Networks.
    pub networks: Vec<Named>,
    /// Pools.
    pub pools: Vec<Named>,
    by_uuid: BTreeMap<[u8; 16], usize>,
}

/// A network or pool.
#[derive(Debug)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its UUID.
    pub uuid: [u8; 16],
    /// Its XML.
    pub xml: String,
}

/// A domain.
#[derive(Debug)]
pub struct Domain {
    /// Its name. An estate of many hosts may have a name twice, of which one host would refuse the
    /// second: that one has another here.
    pub name: String,
    uuid: [u8; 16],
    id: i32,
    /// State as libvirt numbers it.
    pub state: u32,
    /// Its XML.
    pub xml: String,
    /// Capacity and allocation of images, by device.
    pub sizes: BTreeMap<String, (u64, u64)>,
    /// VM snapshots.
    pub snapshots: Vec<Snapshot>,
    /// What an agent in the guest tells.
    agent: Option<Agent>,
}

#[derive(Debug)]
struct Agent {
    facts: Vec<(&'static str, String)>,
    addresses: Vec<(String, Vec<String>)>,
}

/// A VM snapshot.
#[derive(Debug)]
pub struct Snapshot {
    /// Its name, unique for the domain.
    pub name: String,
    /// Its XML.
    pub xml: String,
}

impl Inventory {
    /// Of a collection: its first host stands for the one that libvirt knows. XML of domains is padded
    /// to so many bytes.
    pub fn of(collection: &Collection, bytes_per_workload: usize) -> Self {
        let host = collection.hosts.first();
        let number = |it: Option<u32>, usual| it.filter(|it| *it > 0).unwrap_or(usual);
        let sockets = number(host.and_then(|it| it.sockets.copied()), 1);
        let cores = number(host.and_then(|it| it.cores.copied()), 4);
        let domains = domains(collection, bytes_per_workload);
        let by_uuid = domains.iter().enumerate().map(|(place, it)| (it.uuid, place)).collect();
        let platform = collection.platforms.first().map_or("host", |it| it.id.as_str());
        Self {
            hostname: host.map_or("kvm.example.com".into(), |it| it.name.to_string()),
            capabilities: documents::capabilities(&derived("host", platform)),
            system: documents::system(host),
            memory_kib: host.and_then(|it| it.memory_bytes.copied()).unwrap_or(64 << 30) / 1024,
            mhz: host.and_then(|it| u32::try_from(it.cpu_mhz.copied()?).ok()).unwrap_or(2_400),
            sockets,
            cores_per_socket: (cores / sockets).max(1),
            networks: networks(collection),
            pools: pools(collection),
            domains,
            by_uuid,
        }
    }

    /// Place of a domain.
    pub fn by_uuid(&self, uuid: [u8; 16]) -> Option<usize> {
        self.by_uuid.get(&uuid).copied()
    }

    /// Writes what the host is made of.
    pub fn node(&self, body: &mut Writer) {
        let model = b"x86_64";
        for place in 0..32 {
            body.unsigned(model.get(place).copied().unwrap_or_default().into());
        }
        body.hyper(self.memory_kib);
        let processors = self.sockets * self.cores_per_socket;
        for number in [processors, self.mhz, 1, self.sockets, self.cores_per_socket, 1] {
            body.unsigned(number);
        }
    }
}

impl Domain {
    /// Writes it as calls name it.
    pub fn write(&self, body: &mut Writer) {
        body.text(&self.name);
        body.fixed(&self.uuid);
        body.signed(self.id);
    }

    /// Whether the list has it, filtered by these flags.
    pub fn is_listed(&self, flags: u32) -> bool {
        let any = |bits: [(u32, bool); 2]| {
            let asked = bits.iter().any(|it| flags & it.0 != 0);
            !asked || bits.iter().any(|it| flags & it.0 != 0 && it.1)
        };
        let on = self.id >= 0;
        // On or off; kept or not; starts with the host or not; memory saved or not; with VM
        // snapshots or not; with checkpoints or not.
        any([(1, on), (1 << 1, !on)])
            && any([(1 << 2, true), (1 << 3, false)])
            && any([(1 << 10, false), (1 << 11, true)])
            && any([(1 << 8, false), (1 << 9, true)])
            && any([(1 << 12, !self.snapshots.is_empty()), (1 << 13, self.snapshots.is_empty())])
            && any([(1 << 14, false), (1 << 15, true)])
    }

    /// Writes what the agent tells.
    pub fn tell_facts(&self, body: &mut Writer) {
        let facts = self.agent.as_ref().map(|it| it.facts.as_slice()).unwrap_or_default();
        body.unsigned(u32::try_from(facts.len()).unwrap_or(u32::MAX));
        for (name, value) in facts {
            body.text(name);
            // A text.
            body.unsigned(7);
            body.text(value);
        }
    }

    /// Writes the addresses that the agent tells.
    pub fn tell_addresses(&self, body: &mut Writer) {
        let adapters = self.agent.as_ref().map(|it| it.addresses.as_slice()).unwrap_or_default();
        body.unsigned(u32::try_from(adapters.len()).unwrap_or(u32::MAX));
        for (number, (mac, addresses)) in adapters.iter().enumerate() {
            body.text(&format!("eth{number}"));
            body.unsigned(1);
            body.text(mac);
            body.unsigned(u32::try_from(addresses.len()).unwrap_or(u32::MAX));
            for address in addresses {
                body.unsigned(u32::from(address.contains(':')));
                body.text(address);
                body.unsigned(if address.contains(':') { 64 } else { 24 });
            }
        }
    }

    /// Writes the list of VM snapshots.
    pub fn list_snapshots(&self, body: &mut Writer) {
        let count = u32::try_from(self.snapshots.len()).unwrap_or(u32::MAX);
        body.unsigned(count);
        for snapshot in &self.snapshots {
            body.text(&snapshot.name);
            self.write(body);
        }
        body.unsigned(count);
    }
}

fn domains(collection: &Collection, bytes_per_workload: usize) -> Vec<Domain> {
    let mut running = 0;
    let scene = documents::Scene::of(collection);
    let mut taken = BTreeSet::new();
    let domains = collection.workloads.iter().map(|workload| {
        let name = unique(&workload.name, &mut taken);
        let uuid = match workload.instance_uuid.value() {
            Some(uuid) => *uuid.as_bytes(),
            None => derived("workload", workload.id.as_str()),
        };
        let (state, id) = match workload.power.value() {
            Some(PowerState::On) => (1, next(&mut running)),
            Some(PowerState::Suspended) => (3, next(&mut running)),
            _ => (5, -1),
        };
        let identity = documents::Identity { workload, name: &name, uuid: &uuid, id };
        let disks = documents::disks(&scene, &identity);
        Domain {
            xml: padded(documents::domain(&scene, &identity, &disks), bytes_per_workload),
            agent: agent(workload, id),
            sizes: disks.into_iter().map(|it| (it.target, (it.capacity, it.allocation))).collect(),
            snapshots: snapshots(workload),
            name,
            uuid,
            id,
            state,
        }
    });
    domains.collect()
}

fn next(number: &mut i32) -> i32 {
    *number += 1;
    *number
}

/// A document of this size at least.
fn padded(xml: String, bytes: usize) -> String {
    match bytes.checked_sub(xml.len()) {
        Some(missing) if missing > 0 => {
            xml.replace("</domain>", &format!("<!-- {} --></domain>", "x".repeat(missing)))
        }
        _ => xml,
    }
}

/// True if an agent in the guest answers.
pub fn has_agent(workload: &Workload, id: i32) -> bool {
    let running = matches!(
        workload.guest.tools.status.value(),
        Some(ToolsStatus::Current | ToolsStatus::Outdated)
    );
    running && id >= 0
}

fn agent(workload: &Workload, id: i32) -> Option<Agent> {
    let fact = |name, value: Option<String>| Some((name, value?));
    let guest = &workload.guest;
    has_agent(workload, id).then(|| Agent {
        facts: [
            fact("os.pretty-name", guest.os_reported.value().map(ToString::to_string)),
            fact("hostname", guest.hostname.value().map(ToString::to_string)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        addresses: workload
            .nics
            .iter()
            .filter_map(|nic| {
                let addresses = nic.addresses.iter().map(ToString::to_string).collect();
                Some((nic.mac.value()?.to_string(), addresses))
            })
            .collect(),
    })
}

fn snapshots(workload: &Workload) -> Vec<Snapshot> {
    let mut taken = BTreeSet::new();
    let mut names = BTreeMap::new();
    let mut snapshots = Vec::new();
    for snapshot in &workload.snapshots {
        let name = unique(&snapshot.name, &mut taken);
        let parent = snapshot.parent.value().and_then(|it| names.get(it)).cloned();
        if let Some(id) = snapshot.id.value() {
            names.insert(id.clone(), name.clone());
        }
        let xml = documents::snapshot(snapshot, &name, parent.as_deref());
        snapshots.push(Snapshot { name, xml });
    }
    snapshots
}

fn networks(collection: &Collection) -> Vec<Named> {
    let mut taken = BTreeSet::new();
    let networks = collection.networks.iter().filter(|it| taken.insert(it.name.to_string()));
    let networks = networks.map(|network| {
        let uuid = derived("network", network.id.as_str());
        let xml = documents::network(network, &uuid);
        Named { name: network.name.to_string(), uuid, xml }
    });
    networks.collect()
}

fn pools(collection: &Collection) -> Vec<Named> {
    let mut taken = BTreeSet::new();
    let pools = collection.datastores.iter().filter(|it| taken.insert(it.name.to_string()));
    let pools = pools.map(|datastore| {
        let uuid = derived("pool", datastore.id.as_str());
        let xml = documents::pool(datastore, &uuid);
        Named { name: datastore.name.to_string(), uuid, xml }
    });
    pools.collect()
}

/// A UUID that is always the same for the same thing.
fn derived(kind: &str, id: &str) -> [u8; 16] {
    let digest = ring::digest::digest(&ring::digest::SHA256, format!("{kind}/{id}").as_bytes());
    let mut uuid = [0; 16];
    for (byte, from) in uuid.iter_mut().zip(digest.as_ref()) {
        *byte = *from;
    }
    uuid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::words::escaped;
    use crate::{EstateSpec, generate};

    #[test]
    fn a_host_knows_each_name_once() {
        let mut world = generate(&EstateSpec { workloads: 20, ..EstateSpec::default() }).remove(0);
        let name = world.workloads[0].name.clone();
        for place in [4, 9] {
            world.workloads[place].name = name.clone();
        }
        let domains = Inventory::of(&world, 0).domains;
        assert_eq!(domains[0].name, name.as_str());
        assert_eq!(domains[9].name, format!("{name}-3"));
        assert!(domains[9].xml.contains(&format!("<name>{}-3</name>", escaped(&name))));
        let names: BTreeSet<_> = domains.iter().map(|it| &it.name).collect();
        assert_eq!(names.len(), domains.len());
    }
}
