//! The estate: everything across all platforms, as one model.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use smol_str::SmolStr as Text;

use crate::collection::{Collection, Gap, GapCause, Place, Source};
use crate::control::ControlPlane;
use crate::finding::{Finding, Severity};
use crate::governance::Application;
use crate::ids::{
    ApplicationId, ClusterId, DatastoreId, HostId, NetworkId, PlatformId, WorkloadId,
};
use crate::infrastructure::{
    Cluster, Datastore, Host, Licence, Network, Platform, Product, ResourcePool, Switch,
};
use crate::observed::{Observed, Why};
use crate::workload::Workload;

/// Everything across all platforms, as one model. Every list is sorted by id or name, so that the
/// same collections give the same estate whatever the order in which they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Estate {
    /// What was read.
    pub sources: Vec<Source>,
    /// What was not observed.
    pub gaps: Vec<Gap>,
    /// What reading found worth a person's time.
    pub findings: Vec<Finding>,
    /// Platforms.
    pub platforms: Vec<Platform>,
    /// Products and versions.
    pub products: Vec<Product>,
    /// Clusters.
    pub clusters: Vec<Cluster>,
    /// Hosts.
    pub hosts: Vec<Host>,
    /// Datastores.
    pub datastores: Vec<Datastore>,
    /// Switches.
    pub switches: Vec<Switch>,
    /// Networks.
    pub networks: Vec<Network>,
    /// Resource pools.
    pub resource_pools: Vec<ResourcePool>,
    /// Licences.
    pub licences: Vec<Licence>,
    /// Workloads.
    pub workloads: Vec<Workload>,
    /// The control plane around them.
    pub control: ControlPlane,
    /// Applications, derived from the workloads' governance by [`Estate::derive_applications`].
    pub applications: Vec<Application>,
}

impl Estate {
    /// Joins collections into one estate.
    ///
    /// Where two collections tell of the same object, the one taken later is kept (then the one with
    /// the greater source id) and a gap of cause [`GapCause::Conflict`] says how many differed.
    pub fn from_collections(mut collections: Vec<Collection>) -> Self {
        collections
            .sort_by(|a, b| (b.source.taken, &b.source.id).cmp(&(a.source.taken, &a.source.id)));
        let mut estate = Self::default();
        estate.take_control_planes(&mut collections);
        let repeated: u64 = collections.into_iter().map(|it| estate.absorb(it)).sum();
        estate.findings.extend(overlap(repeated));
        let twice = estate.platforms_seen_twice();
        estate.findings.extend(twice);
        estate.sort();
        estate.derive_applications();
        estate
    }

    /// Takes, for each platform, the control plane of the latest collection that saw one: exports see
    /// none and must not hide what a login saw.
    fn take_control_planes(&mut self, collections: &mut [Collection]) {
        let mut taken = BTreeSet::new();
        for collection in collections.iter_mut().filter(|it| !it.control.is_empty()) {
            let control = std::mem::take(&mut collection.control);
            let platforms = collection.platforms.iter().map(|it| it.id.clone());
            if collection.platforms.iter().all(|it| !taken.contains(&it.id)) {
                self.control.append(control);
            }
            taken.extend(platforms);
        }
    }

    /// Adds a collection; says how many of its objects were there already.
    fn absorb(&mut self, collection: Collection) -> u64 {
        let Collection {
            source,
            gaps,
            findings,
            platforms,
            products,
            clusters,
            hosts,
            datastores,
            switches,
            networks,
            resource_pools,
            licences,
            workloads,
            control: _,
        } = collection;
        self.gaps.extend(gaps);
        self.findings.extend(findings);
        let gaps = &mut self.gaps;
        let mut join = Join { source: &source, gaps, repeated: 0 };
        join.add(&mut self.platforms, platforms, "platforms", |it| it.id.clone());
        join.add(&mut self.products, products, "products", |it| {
            (it.platform.clone(), it.name.clone())
        });
        join.add(&mut self.clusters, clusters, "clusters", |it| it.id.clone());
        join.add(&mut self.hosts, hosts, "hosts", |it| it.id.clone());
        join.add(&mut self.datastores, datastores, "datastores", |it| it.id.clone());
        join.add(&mut self.switches, switches, "switches", |it| {
            (it.platform.clone(), it.kind, it.name.clone())
        });
        join.add(&mut self.networks, networks, "networks", |it| it.id.clone());
        join.add(&mut self.resource_pools, resource_pools, "resource pools", |it| {
            (it.platform.clone(), it.path.value().unwrap_or(&it.name).clone())
        });
        join.add(&mut self.workloads, workloads, "workloads", |it| it.id.clone());
        let repeated = join.repeated;
        // Several licences of one name are several licences: only a second reading repeats them.
        let known: Vec<_> = self.licences.iter().map(|it| it.platform.clone()).collect();
        self.licences.extend(licences.into_iter().filter(|it| !known.contains(&it.platform)));
        self.sources.push(source);
        repeated
    }

    fn sort(&mut self) {
        self.sources.sort_by(|a, b| a.id.cmp(&b.id));
        self.gaps.sort();
        self.findings.sort();
        self.platforms.sort_by(|a, b| a.id.cmp(&b.id));
        self.products.sort_by(|a, b| (&a.platform, &a.name).cmp(&(&b.platform, &b.name)));
        self.clusters.sort_by(|a, b| a.id.cmp(&b.id));
        self.hosts.sort_by(|a, b| a.id.cmp(&b.id));
        self.datastores.sort_by(|a, b| a.id.cmp(&b.id));
        self.switches
            .sort_by(|a, b| (&a.platform, a.kind, &a.name).cmp(&(&b.platform, b.kind, &b.name)));
        self.networks.sort_by(|a, b| a.id.cmp(&b.id));
        self.resource_pools
            .sort_by(|a, b| (&a.platform, &a.path, &a.name).cmp(&(&b.platform, &b.path, &b.name)));
        self.licences.sort_by(|a, b| (&a.platform, &a.name).cmp(&(&b.platform, &b.name)));
        self.workloads.sort_by(|a, b| a.id.cmp(&b.id));
        self.control.sort();
    }

    /// Rebuilds [`Estate::applications`] from what the workloads' governance says.
    pub fn derive_applications(&mut self) {
        let mut applications: BTreeMap<ApplicationId, Application> = BTreeMap::new();
        for workload in &self.workloads {
            let Observed::Value(id) = &workload.governance.application else { continue };
            let owner = &workload.governance.owner;
            applications
                .entry(id.clone())
                .and_modify(|application| {
                    if application.owner != *owner {
                        application.owner = Observed::Unobserved(Why::NotSupplied);
                    }
                    application.workloads.push(workload.id.clone());
                })
                .or_insert_with(|| Application {
                    id: id.clone(),
                    owner: owner.clone(),
                    workloads: vec![workload.id.clone()],
                });
        }
        self.applications = applications.into_values().collect();
    }

    /// One platform under two ids, an export and a log-in say: all its objects are counted twice.
    fn platforms_seen_twice(&self) -> Vec<Finding> {
        let mut ids_of: BTreeMap<&Text, BTreeSet<&PlatformId>> = BTreeMap::new();
        for platform in &self.platforms {
            if let Observed::Value(uuid) = &platform.uuid {
                ids_of.entry(uuid).or_default().insert(&platform.id);
            }
        }
        let twice = ids_of.into_iter().filter(|(_, ids)| ids.len() > 1);
        twice
            .map(|(uuid, ids)| {
                let ids: Vec<&str> = ids.into_iter().map(PlatformId::as_str).collect();
                Finding {
                    severity: Severity::Warning,
                    code: Text::new_static("ENT-0210"),
                    subject: uuid.clone(),
                    message: Text::from(format!(
                        "the same platform is here as {}: its machines are counted once for each",
                        ids.join(" and ")
                    )),
                    remedy: Text::new_static("give one source of each platform"),
                }
            })
            .collect()
    }

    /// Tables for looking things up by id.
    pub fn index(&self) -> EstateIndex<'_> {
        EstateIndex::new(self)
    }
}

/// Sources that tell of the same objects are worth a person's time.
fn overlap(repeated: u64) -> Option<Finding> {
    (repeated > 0).then(|| Finding {
        severity: Severity::Warning,
        code: Text::new_static("ENT-0205"),
        subject: Text::new_static("sources"),
        message: Text::from(format!(
            "{repeated} objects are in more than one source; the later source is used"
        )),
        remedy: Text::new_static("give one source of each platform"),
    })
}

/// Adds one collection's objects to those of collections that take precedence.
struct Join<'a> {
    source: &'a Source,
    gaps: &'a mut Vec<Gap>,
    repeated: u64,
}

impl Join<'_> {
    fn add<T: PartialEq, K: std::hash::Hash + Eq>(
        &mut self,
        kept: &mut Vec<T>,
        new: Vec<T>,
        noun: &str,
        key: impl Fn(&T) -> K,
    ) {
        let known: HashMap<K, usize> =
            kept.iter().enumerate().map(|(at, it)| (key(it), at)).collect();
        let mut repeated = 0;
        for object in new {
            if known.contains_key(&key(&object)) {
                repeated += 1;
            } else {
                kept.push(object);
            }
        }
        // A platform is expected in every export of it; only its objects make a conflict.
        if repeated > 0 && noun != "platforms" {
            self.repeated += repeated;
            self.gaps.push(Gap {
                cause: GapCause::Conflict,
                place: Place { file: self.source.location.clone(), ..Place::default() },
                message: Text::from(format!(
                    "{noun} that a later export of the same platform also holds: the later one is kept"
                )),
                value: None,
                count: repeated,
            });
        }
    }
}

/// Tables over an [`Estate`] for looking things up by id.
#[derive(Debug)]
pub struct EstateIndex<'a> {
    /// The estate.
    pub estate: &'a Estate,
    clusters: HashMap<&'a ClusterId, &'a Cluster>,
    hosts: HashMap<&'a HostId, &'a Host>,
    datastores: HashMap<&'a DatastoreId, &'a Datastore>,
    networks: HashMap<&'a NetworkId, &'a Network>,
    disk_users: HashMap<(&'a DatastoreId, &'a Text), u32>,
    workloads: HashMap<&'a WorkloadId, &'a Workload>,
}

impl<'a> EstateIndex<'a> {
    fn new(estate: &'a Estate) -> Self {
        let mut disk_users: HashMap<_, u32> = HashMap::new();
        for workload in &estate.workloads {
            for disk in &workload.disks {
                if let (Observed::Value(datastore), Observed::Value(path)) =
                    (&disk.datastore, &disk.path)
                {
                    *disk_users.entry((datastore, path)).or_default() += 1;
                }
            }
        }
        disk_users.retain(|_, users| *users > 1);
        Self {
            estate,
            clusters: estate.clusters.iter().map(|it| (&it.id, it)).collect(),
            hosts: estate.hosts.iter().map(|it| (&it.id, it)).collect(),
            datastores: estate.datastores.iter().map(|it| (&it.id, it)).collect(),
            networks: estate.networks.iter().map(|it| (&it.id, it)).collect(),
            workloads: estate.workloads.iter().map(|it| (&it.id, it)).collect(),
            disk_users,
        }
    }

    /// A cluster.
    pub fn cluster(&self, id: &ClusterId) -> Option<&'a Cluster> {
        self.clusters.get(id).copied()
    }

    /// A host.
    pub fn host(&self, id: &HostId) -> Option<&'a Host> {
        self.hosts.get(id).copied()
    }

    /// A datastore.
    pub fn datastore(&self, id: &DatastoreId) -> Option<&'a Datastore> {
        self.datastores.get(id).copied()
    }

    /// A network.
    pub fn network(&self, id: &NetworkId) -> Option<&'a Network> {
        self.networks.get(id).copied()
    }

    /// A workload.
    pub fn workload(&self, id: &WorkloadId) -> Option<&'a Workload> {
        self.workloads.get(id).copied()
    }

    /// How many disks of the estate lie on the same file: 1 unless shared.
    pub fn disk_users(&self, datastore: &DatastoreId, path: &Text) -> u32 {
        self.disk_users.get(&(datastore, path)).copied().unwrap_or(1)
    }
}
