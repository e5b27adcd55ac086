//! The estate: everything across all platforms, as one model.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use smol_str::SmolStr as Text;

use crate::collection::{Collection, Gap, Source};
use crate::control::ControlPlane;
use crate::finding::{Finding, Severity};
use crate::governance::Application;
use crate::ids::{
    ApplicationId, ClusterId, DatastoreId, HostId, NetworkId, PlatformId, SourceId, WorkloadId,
};
use crate::infrastructure::{
    Cluster, Datastore, Host, Licence, Network, Platform, Product, ResourcePool, Switch,
};
use crate::observed::{Observed, Why};
use crate::reading::{Reader, Reading};
use crate::together::Together;
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
    /// Workloads that several sources show, with the sources, the one that goes first before the others.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub seen_by: BTreeMap<WorkloadId, Vec<SourceId>>,
    /// Ids by which sources call a platform that has another id here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub also_known_as: BTreeMap<PlatformId, PlatformId>,
    /// Applications, derived from the workloads' governance by [`Estate::derive_applications`].
    pub applications: Vec<Application>,
}

impl Estate {
    /// Joins collections into one estate: what is known of them is what they tell themselves.
    ///
    /// Where several tell of the same object, see [`Estate::of`].
    pub fn from_collections(collections: Vec<Collection>) -> Self {
        // What an export never shows tells a log-in.
        let reader = |it: &Collection| match it.control.is_empty() {
            true => Reader::Export,
            false => Reader::LogIn,
        };
        let reading = |it: Collection| {
            let reader = reader(&it);
            Reading::of(it, reader)
        };
        Self::of(collections.into_iter().map(reading).collect())
    }

    /// Joins readings into one estate, whatever their order.
    ///
    /// Where several tell of the same object, it is put together fact by fact: an observed fact stands
    /// before one that is not, the later reading before the earlier, and lists come whole from one reading.
    /// Contradictions about one time are findings of code `ENT-0211`.
    pub fn of(readings: Vec<Reading>) -> Self {
        let (mut together, names, mut collections) = Together::of(readings);
        let mut estate = Self::default();
        estate.take_control_planes(&mut collections);
        macro_rules! join {
            ($($list:ident by $key:expr;)*) => {$(
                let lists = collections.iter_mut().map(|it| std::mem::take(&mut it.$list));
                let lists = lists.collect();
                estate.$list = together.list(lists, $key);
            )*};
        }
        join! {
            platforms by |it| it.id.clone();
            products by |it| (it.platform.clone(), it.name.clone());
            clusters by |it| it.id.clone();
            hosts by |it| it.id.clone();
            datastores by |it| it.id.clone();
            switches by |it| (it.platform.clone(), it.kind, it.name.clone());
            networks by |it| it.id.clone();
            resource_pools by |it| {
                (it.platform.clone(), it.path.value().unwrap_or(&it.name).clone())
            };
        }
        let lists = collections.iter_mut().map(|it| std::mem::take(&mut it.workloads)).collect();
        estate.workloads = together.workloads(lists);
        for collection in collections {
            estate.absorb(collection);
        }
        estate.seen_by = std::mem::take(&mut together.seen_by);
        estate.findings.extend(overlap(&together, &estate.seen_by));
        estate.findings.extend(together.into_findings());
        let twice = estate.platforms_seen_twice();
        estate.findings.extend(twice);
        estate.also_known_as = names;
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

    /// Adds what is not put together.
    fn absorb(&mut self, collection: Collection) {
        let Collection { source, gaps, findings, licences, .. } = collection;
        self.gaps.extend(gaps);
        self.findings.extend(findings);
        // Several licences of one name are several licences: only a second reading repeats them.
        let known: Vec<_> = self.licences.iter().map(|it| it.platform.clone()).collect();
        self.licences.extend(licences.into_iter().filter(|it| !known.contains(&it.platform)));
        self.sources.push(source);
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

/// Sources that tell of the same objects are worth knowing of.
fn overlap(together: &Together, seen_by: &BTreeMap<WorkloadId, Vec<SourceId>>) -> Option<Finding> {
    let Together { repeated, gone, .. } = together;
    let of_these = match *gone {
        0 => String::new(),
        gone => format!("; {gone} that only an earlier export shows are gone by a later log-in"),
    };
    (*repeated > 0 || *gone > 0).then(|| Finding {
        severity: Severity::Information,
        code: Text::new_static("ENT-0205"),
        subject: Text::new_static("sources"),
        message: Text::from(format!(
            "{repeated} objects, {} workloads among them, are in more than one source and are put together{of_these}",
            seen_by.len()
        )),
        remedy: Text::new_static("where sources disagree, ENT-0211 says so"),
    })
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
