//! Everything that is served: managed objects by id, what changed, and who is logged in.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use entente_model::{Collection, Text, Uuid};
use tokio::sync::watch;

use super::clusters::{Rules, compute};
use super::extract::{children, references};
use super::facts::Facts;
use super::faults::Refusal;
use super::hosts::{Shared, host};
use super::layout::{Layout, Ref};
use super::machine::{self, Padding};
use super::services::{About, Service};
use super::sessions::{Session, Sessions};
use super::{networks, pbm, places, rest, services, storage};
use crate::live::faults::Faults;
use crate::live::{Fault, Setup};

/// A managed object.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub kind: &'static str,
    pub id: Text,
    /// The XML of its properties.
    pub content: Arc<str>,
}

/// What happened to an object.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub object: u32,
    /// What it said before.
    pub before: Arc<str>,
}

/// All managed objects. Positions never change.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    pub objects: Vec<Object>,
    ids: HashMap<Text, u32>,
    /// What changed, oldest first: the position is the version.
    pub changes: Vec<Change>,
    /// Positions of tasks, oldest first.
    tasks: Vec<u32>,
    /// Tasks that were begun here.
    begun: usize,
}

/// Tasks that a vCenter calls recent at most, however many there are.
const RECENT_TASKS_MAX: usize = 200;

impl Inventory {
    fn add(&mut self, kind: &'static str, id: Text, content: impl Into<Arc<str>>) {
        let at = u32::try_from(self.objects.len()).unwrap_or(u32::MAX);
        if kind == "Task" {
            self.tasks.push(at);
        }
        self.ids.insert(id.clone(), at);
        self.objects.push(Object { kind, id, content: content.into() });
    }

    pub(super) fn find(&self, id: &str) -> Option<u32> {
        self.ids.get(id).copied()
    }

    pub(super) fn get(&self, at: u32) -> Option<&Object> {
        self.objects.get(at as usize)
    }

    /// Gives an object a new content.
    pub(super) fn replace(&mut self, at: u32, content: String) {
        let Some(object) = self.objects.get_mut(at as usize) else { return };
        let before = std::mem::replace(&mut object.content, content.into());
        self.changes.push(Change { object: at, before });
    }

    /// What tasks say of themselves, oldest first, from one of them on.
    pub(super) fn tasks(
        &self,
        from: usize,
    ) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        let positions = self.tasks.get(from..).unwrap_or_default();
        positions.iter().map(|it| {
            let content = self.get(*it).map_or("", |it| &it.content);
            let inner = content.strip_prefix("<info>").and_then(|it| it.strip_suffix("</info>"));
            inner.unwrap_or_default()
        })
    }

    /// Adds a task that is done, of which its id is told; gives the id.
    pub(super) fn add_task(&mut self, info: impl FnOnce(&str) -> String) -> String {
        self.begun += 1;
        let id = format!("task-{}", 900_000 + self.begun);
        let content = info(&id);
        self.add("Task", id.as_str().into(), content);
        if let Some(at) = self.find("TaskManager") {
            let manager = self.get(at).map(|it| it.content.clone()).unwrap_or_default();
            let mut tasks: Vec<_> =
                references(&manager, "recentTask").into_iter().map(|it| it.1).collect();
            tasks.push(&id);
            let recent = tasks.split_off(tasks.len().saturating_sub(RECENT_TASKS_MAX));
            let mut w = super::xml::Writer::new();
            services::task_manager(&mut w, recent.into_iter());
            self.replace(at, w.finish());
        }
        id
    }
}

/// What is served, and how.
pub(super) struct World {
    inventory: RwLock<Inventory>,
    sessions: Mutex<Sessions>,
    pub about: About,
    pub faults: Faults,
    /// What all machines say alike, and what all hosts do.
    common: [(&'static str, Arc<str>); 2],
    /// Told whenever anything changed.
    pub changed: watch::Sender<u64>,
    pub assigned_licences: Vec<(String, String)>,
    /// All permissions: the entity's id, and the permission.
    pub permissions: Vec<(Text, String)>,
    /// UUIDs of machines: instance, BIOS.
    pub uuids: HashMap<Uuid, u32>,
    pub tags: rest::Tags,
    pub profiles: pbm::Profiles,
    pub now: String,
    /// The machine of which some faults speak.
    pub odd_one: Option<u32>,
    /// Objects of which the account may see only that they are there.
    pub restricted: Vec<Text>,
    /// Live sessions of others, as the collection tells of them.
    pub other_sessions: Vec<String>,
}

impl World {
    pub(super) fn new(collection: &Collection, setup: &Setup) -> Self {
        let has = |fault| setup.faults.contains(&fault);
        if has(Fault::Filtered) {
            return Self::of(&half(collection), setup);
        }
        Self::of(collection, setup)
    }

    fn of(collection: &Collection, setup: &Setup) -> Self {
        let has = |fault| setup.faults.contains(&fault);
        let layout = Layout::of(collection);
        let facts = Facts::new(collection, &layout);
        let about = About::new(collection, has(Fault::Old));
        let mut inventory = Inventory::default();
        for Service { kind, id, content } in services::services(&facts, &about) {
            inventory.add(kind, id.into(), content);
        }
        for Service { kind, id, content } in super::hosts::certificates(&facts) {
            inventory.add(kind, id.into(), content);
        }
        let tasks = services::tasks(&facts);
        for (activity, info) in collection.control.activities.iter().zip(tasks) {
            let content = format!("<info>{info}</info>");
            inventory.add("Task", activity.native_id.clone(), content);
        }
        add_places(&facts, &mut inventory);
        let first = inventory.objects.len();
        let contents = machines(&facts, setup.bytes_per_workload);
        let mut uuids = HashMap::new();
        for (at, (place, content)) in layout.machines.iter().zip(contents).enumerate() {
            let position = u32::try_from(first + at).unwrap_or(u32::MAX);
            if let Some(workload) = collection.workloads.get(at) {
                for uuid in [&workload.instance_uuid, &workload.bios_uuid] {
                    uuids.extend(uuid.value().map(|it| (*it, position)));
                }
            }
            inventory.add("VirtualMachine", place.reference.id.clone(), content);
        }
        let odd_one =
            Some(first + layout.machines.len() / 2).filter(|_| !layout.machines.is_empty());
        let odd_one = odd_one.and_then(|it| u32::try_from(it).ok());
        if has(Fault::BadElement) {
            spoil(&mut inventory, odd_one);
        }
        let restricted = if has(Fault::Filtered) { restricted(&layout) } else { Vec::new() };
        if has(Fault::Filtered) {
            tell_roles(&mut inventory, &restricted);
        }
        Self {
            assigned_licences: services::assigned_licences(&facts, &about),
            permissions: super::authority::permissions(&facts),
            tags: rest::Tags::new(collection, &layout),
            profiles: pbm::Profiles::new(&facts),
            other_sessions: super::sessions::others(&facts),
            now: facts.now.clone(),
            inventory: RwLock::new(inventory),
            sessions: Mutex::new(Sessions::default()),
            about,
            faults: Faults::of(&setup.faults),
            common: [
                ("VirtualMachine", machine::common().into()),
                ("HostSystem", super::hosts::common().into()),
            ],
            changed: watch::Sender::new(0),
            uuids,
            odd_one,
            restricted,
        }
    }

    pub(super) fn has(&self, fault: Fault) -> bool {
        self.faults.has(fault)
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Inventory> {
        self.inventory.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something and tells everybody who waits.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Inventory) -> T) -> T {
        let mut inventory = self.inventory.write().unwrap_or_else(PoisonError::into_inner);
        let done = change(&mut inventory);
        drop(inventory);
        self.changed.send_modify(|it| *it += 1);
        done
    }

    pub(super) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with a session, or with an empty one where there is none of this key.
    pub(super) fn session<T>(&self, key: &str, act: impl FnOnce(&mut Session) -> T) -> T {
        match self.sessions().by_key.get_mut(key) {
            Some(session) => act(session),
            None => act(&mut Session::default()),
        }
    }

    /// What all objects of a kind say alike.
    pub(super) fn common(&self, kind: &str) -> Arc<str> {
        let common = self.common.iter().find(|it| it.0 == kind);
        common.map(|it| it.1.clone()).unwrap_or_default()
    }

    /// The object that somebody names.
    pub(super) fn find(&self, kind: &str, id: &str) -> Result<u32, Refusal> {
        let found = self.read().find(id).filter(|it| {
            // It was deleted since it was listed.
            !(self.has(Fault::Vanish) && self.odd_one == Some(*it))
        });
        found.ok_or_else(|| Refusal::missing(kind, id))
    }
}

fn add_places(facts: &Facts<'_>, inventory: &mut Inventory) {
    let layout = facts.layout;
    let add = |inventory: &mut Inventory, reference: &Ref, content| {
        inventory.add(reference.kind, reference.id.clone(), content);
    };
    for it in &layout.folders {
        add(inventory, &it.reference, places::folder(facts, it));
    }
    for (at, it) in layout.datacenters.iter().enumerate() {
        add(inventory, &it.reference, places::datacenter(facts, at, it));
    }
    let rules = Rules::new(facts);
    for it in &layout.computes {
        add(inventory, &it.reference, compute(facts, &rules, it));
    }
    let shared = Shared::new(facts);
    for (at, it) in layout.hosts.iter().enumerate() {
        add(inventory, &it.reference, host(facts, &shared, at));
    }
    for it in &layout.pools {
        add(inventory, &it.reference, places::pool(facts, it));
    }
    for (at, it) in layout.datastores.iter().enumerate() {
        add(inventory, &it.reference, storage::datastore(facts, at));
    }
    for it in &layout.networks {
        add(inventory, &it.reference, networks::network(facts, it));
    }
    for it in &layout.switches {
        add(inventory, &it.reference, networks::switch(facts, it));
    }
}

/// Machines from which their natural size is taken.
const SAMPLE: usize = 200;

/// The XML of all machines, encoded by as many threads as there are processors.
fn machines(facts: &Facts<'_>, bytes_each: Option<usize>) -> Vec<Arc<str>> {
    let count = facts.layout.machines.len();
    let padding = padding(facts, bytes_each);
    let threads = std::thread::available_parallelism().map_or(1, |it| it.get());
    let share = count.div_ceil(threads).max(1);
    let padding = &padding;
    std::thread::scope(|scope| {
        let starts: Vec<usize> = (0..count).step_by(share).collect();
        let encode = |start: usize| {
            let positions = start..(start + share).min(count);
            let encoded = positions.map(|it| machine::encode(facts, it, padding));
            // As it is kept: what the writer had in reserve is given back at once.
            encoded.map(Arc::from).collect::<Vec<Arc<str>>>()
        };
        let workers: Vec<_> =
            starts.into_iter().map(|start| scope.spawn(move || encode(start))).collect();
        workers.into_iter().flat_map(|it| it.join().unwrap_or_default()).collect()
    })
}

/// What makes machines as large as somebody wants them; the summary, which repeats the rest, not
/// counted.
fn padding(facts: &Facts<'_>, bytes_each: Option<usize>) -> Padding {
    let Some(wanted) = bytes_each else { return Padding::default() };
    let count = facts.layout.machines.len();
    let natural = |padding: Padding| {
        let sample = (0..count).step_by((count / SAMPLE).max(1));
        let sizes: Vec<usize> = sample
            .map(|it| machine::encode(facts, it, &padding))
            .map(|it| {
                let summary = children(&it).find(|it| it.name == "summary");
                it.len() - summary.map_or(0, |it| it.inner.len())
            })
            .collect();
        sizes.iter().sum::<usize>() / sizes.len().max(1)
    };
    let usual = natural(Padding::default());
    if usual <= wanted {
        return Padding { bytes: wanted - usual, is_lean: false };
    }
    let lean = Padding { bytes: 0, is_lean: true };
    Padding { bytes: wanted.saturating_sub(natural(lean)), ..lean }
}

/// Half of the machines: what an account sees that has no rights on the others.
fn half(collection: &Collection) -> Collection {
    let mut half = collection.clone();
    let mut at = 0;
    half.workloads.retain(|_| {
        at += 1;
        at % 2 == 1
    });
    let seen = half.workloads.iter().filter_map(|it| it.native_id.value());
    let seen: HashSet<Text> = seen.cloned().collect();
    for alarm in &mut half.control.alarms {
        alarm.triggered.items.retain(|it| seen.contains(it));
    }
    half.control.activities.retain(|it| it.subject.value().is_none_or(|it| seen.contains(it)));
    half
}

/// The folders for machines, and the first machine.
fn restricted(layout: &Layout) -> Vec<Text> {
    let folders = layout.datacenters.iter().filter_map(|it| layout.folders.get(it.vm));
    let machine = layout.machines.first().map(|it| it.reference.id.clone());
    folders.map(|it| it.reference.id.clone()).chain(machine).collect()
}

/// Role of an account that may read, and of one that may only see that something is there.
const READS: &str = "-2";
const VIEWS: &str = "-3";

/// Every entity tells the account its own role there.
fn tell_roles(inventory: &mut Inventory, restricted: &[Text]) {
    for object in &mut inventory.objects {
        let is_restricted = object.id == super::layout::ROOT || restricted.contains(&object.id);
        let role = if is_restricted { VIEWS } else { READS };
        object.content = replace_value(&object.content, "effectiveRole", role).into();
    }
}

/// Makes one machine incomprehensible: a word that nobody knows, a number that is none, a character
/// that XML cannot hold.
fn spoil(inventory: &mut Inventory, odd_one: Option<u32>) {
    let Some(object) = odd_one.and_then(|it| inventory.objects.get_mut(it as usize)) else {
        return;
    };
    let mut content = object.content.to_string();
    for state in ["poweredOn", "poweredOff", "suspended"] {
        let state = format!("<powerState>{state}</powerState>");
        content = content.replace(&state, "<powerState>hibernating</powerState>");
    }
    for name in ["numCPU", "numCpu"] {
        content = replace_value(&content, name, "many");
    }
    content = content.replace("<annotation>", "<annotation>\u{b}bell\u{7}");
    object.content = content.into();
}

/// Replaces the text of every element of a name.
pub(super) fn replace_value(content: &str, name: &str, value: &str) -> String {
    let (opening, closing) = (format!("<{name}>"), format!("</{name}>"));
    let mut out = String::with_capacity(content.len());
    let mut rest = content;
    while let Some((before, after)) = rest.split_once(&opening) {
        out.push_str(before);
        out.push_str(&opening);
        match after.split_once(&closing) {
            Some((_, after)) => {
                out.push_str(value);
                out.push_str(&closing);
                rest = after;
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
