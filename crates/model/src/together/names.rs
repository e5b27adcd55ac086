//! One platform under several ids, and one host, cluster, datastore or network by several names for it: an
//! export names the platform by its UUID and a host by its name, a log-in the platform as the configuration
//! does and a host by its id. Here the later-named take the ids of the others.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use smol_str::SmolStr as Text;
use uuid::Uuid;

use crate::collection::Collection;
use crate::control::ControlPlane;
use crate::ids::{ClusterId, DatastoreId, HostId, NetworkId, PlatformId, WorkloadId};
use crate::infrastructure::{Cluster, Datastore, Host, Network, Platform};
use crate::observed::Observed;
use crate::reading::{Reader, Reading};
use crate::workload::Workload;

/// What one source tells of one platform.
#[derive(Debug)]
pub struct Account<'a> {
    /// The platform, as the source names it.
    pub platform: &'a Platform,
    /// What kind of source.
    pub reader: Reader,
    /// Workloads on it.
    pub workloads: Vec<&'a Workload>,
}

/// UUIDs that careless firmware gives to machines in general.
const WORTHLESS: [u128; 3] = [
    0x0300_0200_0400_0500_0006_0007_0008_0009,
    0x0002_0003_0004_0005_0006_0007_0008_0009,
    0x1234_5678_1234_5678_90ab_cdde_efaa_bbcc,
];

/// Ids of platforms that are another one by its own UUID, with the id that stands for both: that of a
/// log-in before that of an export, then the one that sorts first.
///
/// A UUID alone is not believed, since firmware gives the same to many: at least one machine has to be seen
/// by both, by its id on the platform and its UUID or name.
pub fn same_platforms(accounts: &[Account<'_>]) -> BTreeMap<PlatformId, PlatformId> {
    let mut by_uuid: BTreeMap<String, BTreeMap<(Reader, &PlatformId), HashSet<Mark<'_>>>> =
        BTreeMap::new();
    for account in accounts {
        let Some(uuid) = told_uuid(account.platform) else { continue };
        let ids = by_uuid.entry(uuid).or_default();
        let marks = ids.entry((account.reader, &account.platform.id)).or_default();
        marks.extend(account.workloads.iter().flat_map(|it| marks_of(it)));
    }
    let mut names = BTreeMap::new();
    for ids in by_uuid.into_values() {
        let mut ids = ids.into_iter();
        let Some(((_, first), mut known)) = ids.next() else { continue };
        for ((_, id), marks) in ids {
            if id != first && !names.contains_key(id) && !marks.is_disjoint(&known) {
                names.insert(id.clone(), first.clone());
                known.extend(marks);
            }
        }
    }
    names
}

fn told_uuid(platform: &Platform) -> Option<String> {
    let text = platform.uuid.value()?.trim().to_lowercase();
    let is_worthless = text.parse::<Uuid>().is_ok_and(|it| {
        let swapped = Uuid::from_bytes_le(*it.as_bytes());
        it.is_nil()
            || it.is_max()
            || WORTHLESS.contains(&it.as_u128())
            || WORTHLESS.contains(&swapped.as_u128())
    });
    (!text.is_empty() && !is_worthless).then_some(text)
}

/// By what a machine is known on its platform: its id there, and its UUID or name.
type Mark<'a> = (&'a Text, String);

fn marks_of(workload: &Workload) -> Vec<Mark<'_>> {
    let Observed::Value(native) = &workload.native_id else { return Vec::new() };
    let uuids = [&workload.instance_uuid, &workload.bios_uuid];
    let uuids = uuids.into_iter().filter_map(|it| it.value()).map(ToString::to_string);
    uuids.chain([workload.name.to_string()]).map(|it| (native, it)).collect()
}

/// Gives platforms and what is on them one id each, over all readings. Says which platforms are another
/// one, and the ids of which nobody can tell whether another source names the same thing otherwise.
pub(super) fn unify(readings: &mut [Reading]) -> (BTreeMap<PlatformId, PlatformId>, HashSet<Text>) {
    let names = same_platforms(&accounts(readings));
    let mut order: Vec<usize> = (0..readings.len()).collect();
    let is_own = |reading: &Reading| {
        !reading.collection.platforms.iter().any(|it| names.contains_key(&it.id))
    };
    order.sort_by_cached_key(|at| {
        readings.get(*at).map(|it| {
            let has_control = !it.collection.control.is_empty();
            (!is_own(it), !has_control, it.rank())
        })
    });
    let mut readers: BTreeMap<PlatformId, BTreeSet<Text>> = BTreeMap::new();
    for reading in readings.iter() {
        for platform in &reading.collection.platforms {
            let platform = names.get(&platform.id).unwrap_or(&platform.id);
            let of = readers.entry(platform.clone()).or_default();
            of.insert(reading.collection.source.connector.clone());
        }
    }
    // Where one connector reads, and no platform has a second name, ids are what they are.
    let is_plain = |id: &PlatformId| readers.get(id).is_none_or(|it| it.len() < 2);
    let mut known = Known::default();
    for at in order {
        let Some(reading) = readings.get_mut(at) else { continue };
        let platforms = &reading.collection.platforms;
        if platforms.iter().all(|it| !names.contains_key(&it.id) && is_plain(&it.id)) {
            continue;
        }
        known.take_in(reading, &names);
    }
    (names, known.strangers)
}

fn accounts(readings: &[Reading]) -> Vec<Account<'_>> {
    // Without a second id nothing has to be looked into.
    let ids: BTreeSet<&PlatformId> =
        readings.iter().flat_map(|it| &it.collection.platforms).map(|it| &it.id).collect();
    match ids.len() {
        0 | 1 => Vec::new(),
        _ => readings.iter().flat_map(accounts_of).collect(),
    }
}

fn accounts_of(reading: &Reading) -> Vec<Account<'_>> {
    let collection = &reading.collection;
    let is_log_in = reading.reader == Reader::LogIn || !collection.control.is_empty();
    let reader = if is_log_in { Reader::LogIn } else { Reader::Export };
    let on =
        |id: &PlatformId| collection.workloads.iter().filter(|it| it.platform == *id).collect();
    let platforms = collection.platforms.iter();
    platforms.map(|platform| Account { platform, reader, workloads: on(&platform.id) }).collect()
}

/// An object that sources know by different ids.
trait Object {
    type Id: Clone + Eq + Hash;
    const LIST: &'static str;
    fn id(&mut self) -> &mut Self::Id;
    fn platform(&mut self) -> &mut PlatformId;
    /// What people call it.
    fn called(&self) -> String;
}

macro_rules! objects {
    ($($type:ident $id:ident $list:literal $called:expr;)*) => {$(
        impl Object for $type {
            type Id = $id;
            const LIST: &'static str = $list;

            fn id(&mut self) -> &mut $id {
                &mut self.id
            }

            fn platform(&mut self) -> &mut PlatformId {
                &mut self.platform
            }

            fn called(&self) -> String {
                let called: fn(&Self) -> String = $called;
                called(self).to_lowercase()
            }
        }
    )*};
}

objects! {
    Host HostId "hosts" |it| it.name.to_string();
    Cluster ClusterId "clusters" |it| match &it.datacenter {
        Observed::Value(datacenter) => format!("{datacenter}/{}", it.name),
        _ => it.name.to_string(),
    };
    Datastore DatastoreId "datastores" |it| it.name.to_string();
    Network NetworkId "networks" |it| it.name.to_string();
}

/// An id on a platform.
trait Id: Clone + Eq + Hash {
    fn moved(&self, from: &PlatformId, to: &PlatformId) -> Self;
    fn text(&self) -> Text;
}

macro_rules! ids {
    ($($id:ident)*) => {$(
        impl Id for $id {
            fn moved(&self, from: &PlatformId, to: &PlatformId) -> Self {
                if from == to || !self.as_str().starts_with(from.as_str()) {
                    return self.clone();
                }
                Self::on(to, self.native(from)).unwrap_or_else(|_| self.clone())
            }

            fn text(&self) -> Text {
                Text::new(self.as_str())
            }
        }
    )*};
}

ids! { HostId ClusterId DatastoreId NetworkId WorkloadId }

/// Objects of one kind that have their id.
struct Named<I> {
    ids: HashSet<I>,
    /// By platform and name; none where several have it.
    by_name: HashMap<(PlatformId, String), Option<I>>,
}

impl<I> Default for Named<I> {
    fn default() -> Self {
        Self { ids: HashSet::new(), by_name: HashMap::new() }
    }
}

impl<I: Id> Named<I> {
    /// What the ids of these objects become, and which have none that another source knows.
    fn names<T: Object<Id = I>>(
        &self,
        objects: &mut [T],
        names: &BTreeMap<PlatformId, PlatformId>,
        strangers: &mut HashSet<Text>,
    ) -> HashMap<I, I> {
        let mut times: HashMap<(PlatformId, String), u32> = HashMap::new();
        for object in objects.iter_mut() {
            let called = (object.platform().clone(), object.called());
            *times.entry(called).or_default() += 1;
        }
        let mut new = HashMap::new();
        for object in objects.iter_mut() {
            let from = object.platform().clone();
            let to = names.get(&from).unwrap_or(&from).clone();
            let id = object.id().moved(&from, &to);
            let is_only = times.get(&(from, object.called())) == Some(&1);
            let by_name = self.by_name.get(&(to, object.called())).cloned().flatten();
            let found = match (self.ids.contains(&id), by_name) {
                (false, Some(known)) if is_only => known,
                (is_known, _) => {
                    if !is_known && !self.ids.is_empty() {
                        strangers.insert(id.text());
                    }
                    id
                }
            };
            new.insert(object.id().clone(), found);
        }
        new
    }

    fn learn<T: Object<Id = I>>(&mut self, objects: &mut [T]) {
        for object in objects {
            let id = object.id().clone();
            if self.ids.insert(id.clone()) {
                let called = (object.platform().clone(), object.called());
                self.by_name.entry(called).and_modify(|it| *it = None).or_insert(Some(id));
            }
        }
    }
}

#[derive(Default)]
struct Known {
    hosts: Named<HostId>,
    clusters: Named<ClusterId>,
    datastores: Named<DatastoreId>,
    networks: Named<NetworkId>,
    strangers: HashSet<Text>,
}

/// What ids become.
struct Renames<'n> {
    platforms: &'n BTreeMap<PlatformId, PlatformId>,
    hosts: HashMap<HostId, HostId>,
    clusters: HashMap<ClusterId, ClusterId>,
    datastores: HashMap<DatastoreId, DatastoreId>,
    networks: HashMap<NetworkId, NetworkId>,
}

impl Known {
    /// Gives one reading's objects their ids, and remembers them.
    fn take_in(&mut self, reading: &mut Reading, names: &BTreeMap<PlatformId, PlatformId>) {
        let Reading { collection, since, machines, elsewhere, .. } = reading;
        let strangers = &mut self.strangers;
        if collection.platforms.iter().any(|it| names.contains_key(&it.id)) {
            // Its ids are of the other name; the platform's own log-in tells its control plane.
            collection.control = ControlPlane::default();
        }
        let renames = Renames {
            platforms: names,
            hosts: self.hosts.names(&mut collection.hosts, names, strangers),
            clusters: self.clusters.names(&mut collection.clusters, names, strangers),
            datastores: self.datastores.names(&mut collection.datastores, names, strangers),
            networks: self.networks.names(&mut collection.networks, names, strangers),
        };
        let mut ids: HashMap<(&'static str, Text), Text> = HashMap::new();
        renames.objects(&mut collection.hosts, &renames.hosts, &mut ids);
        renames.objects(&mut collection.clusters, &renames.clusters, &mut ids);
        renames.objects(&mut collection.datastores, &renames.datastores, &mut ids);
        renames.objects(&mut collection.networks, &renames.networks, &mut ids);
        renames.others(collection);
        let mut workloads: HashMap<WorkloadId, WorkloadId> = HashMap::new();
        for workload in &mut collection.workloads {
            let old = workload.id.clone();
            renames.workload(workload, strangers);
            if old != workload.id {
                ids.insert(("workloads", old.text()), workload.id.text());
                workloads.insert(old, workload.id.clone());
            }
        }
        if !workloads.is_empty() {
            let moved = |id: &WorkloadId| workloads.get(id).unwrap_or(id).clone();
            *elsewhere = elsewhere.iter().map(moved).collect();
            if let Some(machines) = machines {
                *machines = machines.drain().map(|(id, name)| (moved(&id), name)).collect();
            }
        }
        let renamed = |((list, id), at)| {
            let id = ids.get(&(list, Text::clone(&id))).cloned().unwrap_or(id);
            ((list, id), at)
        };
        *since = since.drain().map(renamed).collect();
        self.hosts.learn(&mut collection.hosts);
        self.clusters.learn(&mut collection.clusters);
        self.datastores.learn(&mut collection.datastores);
        self.networks.learn(&mut collection.networks);
    }
}

impl Renames<'_> {
    fn platform(&self, id: &mut PlatformId) {
        if let Some(name) = self.platforms.get(id) {
            *id = name.clone();
        }
    }

    fn objects<T: Object>(
        &self,
        objects: &mut [T],
        new: &HashMap<T::Id, T::Id>,
        ids: &mut HashMap<(&'static str, Text), Text>,
    ) where
        T::Id: Id,
    {
        for object in objects {
            self.platform(object.platform());
            let id = object.id();
            if let Some(found) = new.get(id).filter(|it| *it != id) {
                ids.insert((T::LIST, id.text()), found.text());
                *id = found.clone();
            }
        }
    }

    fn others(&self, collection: &mut Collection) {
        for host in &mut collection.hosts {
            // Its own platform has its new name already.
            if let Observed::Value(cluster) = &mut host.cluster
                && let Some(found) = self.clusters.get(cluster)
            {
                *cluster = found.clone();
            }
        }
        for platform in &mut collection.platforms {
            self.platform(&mut platform.id);
        }
        for product in &mut collection.products {
            self.platform(&mut product.platform);
        }
        for switch in &mut collection.switches {
            self.platform(&mut switch.platform);
        }
        for pool in &mut collection.resource_pools {
            self.platform(&mut pool.platform);
        }
        for licence in &mut collection.licences {
            self.platform(&mut licence.platform);
        }
    }

    fn workload(&self, workload: &mut Workload, strangers: &mut HashSet<Text>) {
        let from = workload.platform.clone();
        self.platform(&mut workload.platform);
        let places = (&from, &workload.platform);
        workload.id = workload.id.moved(places.0, places.1);
        follow(&mut workload.placement.host, &self.hosts, places, strangers);
        follow(&mut workload.placement.cluster, &self.clusters, places, strangers);
        for disk in &mut workload.disks.items {
            follow(&mut disk.datastore, &self.datastores, places, strangers);
        }
        for nic in &mut workload.nics.items {
            follow(&mut nic.network, &self.networks, places, strangers);
        }
    }
}

/// What a reference becomes; one to what no list holds is a stranger's.
fn follow<I: Id>(
    reference: &mut Observed<I>,
    new: &HashMap<I, I>,
    (from, to): (&PlatformId, &PlatformId),
    strangers: &mut HashSet<Text>,
) {
    let Observed::Value(id) = reference else { return };
    match new.get(id) {
        Some(found) => *id = found.clone(),
        None => {
            *id = id.moved(from, to);
            strangers.insert(id.text());
        }
    }
}
