//! Machines in the inventory: their folders, pools and vApps, and what they lean on.

use std::collections::BTreeSet;

use entente_model::{Collection, Text, Workload};

use super::{Layout, Machine, Ref, VM_TYPES};

/// First number of ids of folders and machines that the collection does not tell.
const NUMBER_MIN: usize = 1_000_000;

impl Layout {
    pub(super) fn add_machines(&mut self, collection: &Collection) {
        for (at, workload) in collection.workloads.iter().enumerate() {
            let machine = self.machine(at, workload);
            self.attach(at, &machine);
            self.machines.push(machine);
        }
    }

    fn machine(&mut self, at: usize, workload: &Workload) -> Machine {
        let placement = &workload.placement;
        let host = placement.host.value().and_then(|it| self.names.hosts.get(it)).copied();
        let home = host.and_then(|it| self.hosts.get(it)).map(|it| (it.compute, it.datacenter));
        let datacenter = match (placement.datacenter.value(), home) {
            (None, Some((_, datacenter))) => datacenter,
            _ => self.datacenter(&placement.datacenter),
        };
        let compute = home.map(|it| it.0).or_else(|| {
            placement.cluster.value().and_then(|it| self.names.clusters.get(it)).copied()
        });
        let path = placement.folder.value().cloned().unwrap_or_default();
        let folder = self.vm_folder(datacenter, &path);
        let told = placement.resource_pool.value().and_then(|it| self.names.pools.get(it)).copied();
        let root = || compute.and_then(|it| self.computes.get(it)).map(|it| it.pool);
        let mut pool = told.or_else(root);
        let mut is_in_vapp = false;
        if let (Some(name), Some(parent)) = (placement.vapp.value(), pool) {
            pool = self.vapp(parent, name, folder).or(pool);
            is_in_vapp = true;
        }
        let id = match workload.native_id.value() {
            Some(id) => id.clone(),
            None => format!("vm-{}", NUMBER_MIN + at).into(),
        };
        let adapters: Vec<Option<usize>> = workload
            .nics
            .iter()
            .map(|nic| {
                let id = nic.network.value()?;
                let here = self.names.networks.get(&(id.clone(), datacenter));
                let elsewhere = || {
                    (0..self.datacenters.len())
                        .find_map(|it| self.names.networks.get(&(id.clone(), it)))
                };
                here.or_else(elsewhere).copied()
            })
            .collect();
        let stores = workload.disks.iter().filter_map(|it| it.datastore.value());
        Machine {
            reference: Ref::new("VirtualMachine", id),
            host,
            pool,
            folder,
            is_in_vapp,
            datastores: stores.filter_map(|it| self.names.datastores.get(it)).copied().collect(),
            networks: adapters.iter().flatten().copied().collect(),
            adapters,
        }
    }

    /// The folder of this path below the datacenter's folder for machines.
    fn vm_folder(&mut self, datacenter: usize, path: &Text) -> usize {
        let mut folder = self.folder_of(datacenter, |it| it.vm);
        let site = self.datacenters.get(datacenter).map(|it| it.name.clone()).unwrap_or_default();
        let mut so_far = String::new();
        for name in path.split('/').filter(|it| !it.is_empty()) {
            so_far.push('/');
            so_far.push_str(name);
            let key = (datacenter, Text::from(so_far.as_str()));
            folder = match self.names.folders.get(&key) {
                Some(known) => *known,
                None => {
                    let told = self.told(&format!("/{site}/vm{so_far}").into());
                    let number = NUMBER_MIN + self.names.folders.len();
                    let id = told.unwrap_or_else(|| format!("group-v{number}").into());
                    let reference = Ref::new("Folder", id);
                    let parent = self.file(folder, reference.clone());
                    let made = self.add_folder(reference, name, &parent, VM_TYPES);
                    self.names.folders.insert(key, made);
                    made
                }
            };
        }
        folder
    }

    fn vapp(&mut self, parent: usize, name: &Text, folder: usize) -> Option<usize> {
        if let Some(known) = self.names.vapps.get(&(parent, name.clone())) {
            return Some(*known);
        }
        let made = self.add_child_pool("VirtualApp", name, parent)?;
        self.names.vapps.insert((parent, name.clone()), made);
        let vapp = self.pools.get_mut(made)?;
        vapp.folder = Some(folder);
        let reference = vapp.reference.clone();
        self.file(folder, reference);
        Some(made)
    }

    fn attach(&mut self, at: usize, machine: &Machine) {
        // What is in a vApp is in its folder only by way of it.
        if !machine.is_in_vapp {
            self.file(machine.folder, machine.reference.clone());
        }
        if let Some(host) = machine.host.and_then(|it| self.hosts.get_mut(it)) {
            host.machines.push(at);
            host.datastores.extend(&machine.datastores);
        }
        if let Some(pool) = machine.pool.and_then(|it| self.pools.get_mut(it)) {
            pool.machines.push(at);
        }
        for store in &machine.datastores {
            if let Some(store) = self.datastores.get_mut(*store) {
                store.machines.push(at);
            }
        }
        for network in &machine.networks {
            if let Some(network) = self.networks.get_mut(*network) {
                network.machines.push(at);
            }
        }
    }

    /// Lets all hosts of a cluster mount what one of them uses, and as many hosts mount a datastore
    /// as the collection counts.
    pub(super) fn mount(&mut self, collection: &Collection) {
        for compute in &self.computes {
            let of = |it: &usize| self.hosts.get(*it).map(|it| it.datastores.clone());
            let used: BTreeSet<usize> = compute.hosts.iter().filter_map(of).flatten().collect();
            for store in used {
                if let Some(store) = self.datastores.get_mut(store) {
                    store.hosts.extend(&compute.hosts);
                }
            }
        }
        for (store, source) in self.datastores.iter_mut().zip(&collection.datastores) {
            let wanted = source.host_count.copied().unwrap_or(0) as usize;
            if wanted < store.hosts.len() {
                store.hosts = store.hosts.iter().copied().take(wanted).collect();
            }
            let mut others = 0..self.hosts.len();
            while store.hosts.len() < wanted
                && let Some(host) = others.next()
            {
                store.hosts.insert(host);
            }
        }
        for host in &mut self.hosts {
            host.datastores.clear();
        }
        for (at, store) in self.datastores.iter().enumerate() {
            for host in &store.hosts {
                if let Some(host) = self.hosts.get_mut(*host) {
                    host.datastores.insert(at);
                }
            }
        }
    }
}
