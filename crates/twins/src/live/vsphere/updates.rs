//! Waiting for changes: filters, their first set of objects, and what changed since.
//!
//! After the reference of the API: a set holds as many updates as somebody asks for at most, and says so
//! where there are more; the version of a whole set may be used again, after a failure; that of a part
//! once. Kept are the last few versions; a vCenter's memory is longer.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::collector::{Answering, Asking, Target};
use super::extract::{Plan, Separate};
use super::faults::Refusal;
use super::sessions::{Collector, Seen, Session};
use super::world::World;
use super::xml::{Element, Writer};

/// Objects of one answer at most, whatever somebody asks for; believed of a vCenter, too.
const OBJECTS_MAX: usize = 100;
/// Longest wait where nobody says how long.
const WAIT_SECONDS_MAX: u64 = 1800;
/// Versions to which somebody may go back.
const VERSIONS_MAX: usize = 8;
/// The collector that every session has.
const SHARED: &str = "propertyCollector";

/// What somebody waits for. Cheap to copy.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    id: String,
    answering: Arc<Answering>,
    /// Positions of its objects among those that it means.
    places: Arc<HashMap<u32, usize>>,
    /// What was asked for: what it means changes with the views that it names.
    spec: Arc<Element>,
    /// The version of the session's views for which the objects were found.
    views: u64,
    /// Objects that it no longer means, not told yet.
    left: Vec<Target>,
    /// How many of its objects were told already.
    told: usize,
    /// The version of the inventory up to which changes were taken note of.
    seen: usize,
    /// Objects that changed since they were told, and what they said then.
    pending: BTreeMap<u32, Arc<str>>,
    /// The machine that vanishes was told, and is gone since.
    has_lost_one: bool,
}

/// `CreatePropertyCollector`.
pub(super) fn create_collector(world: &World, key: &str) -> String {
    let id = world.session(key, |it| {
        let id = it.new_id();
        it.collectors.insert(id.clone(), Collector::default());
        id
    });
    let mut w = Writer::new();
    w.reference("returnval", "PropertyCollector", &id);
    w.finish()
}

/// A collector of a session: one that it made, or the one that every session has.
fn collector<'a>(session: &'a mut Session, id: &str) -> Result<&'a mut Collector, Refusal> {
    if id == SHARED {
        return Ok(session.collectors.entry(SHARED.to_owned()).or_default());
    }
    session.collectors.get_mut(id).ok_or_else(|| Refusal::missing("PropertyCollector", id))
}

/// `CreateFilter`.
pub(super) fn create_filter(
    world: &World,
    seen: &Seen,
    request: &Element,
) -> Result<String, Refusal> {
    let (answering, version) = {
        let inventory = world.read();
        let asking = Asking { world, inventory: &inventory, session: seen };
        (asking.select(request.all("spec"), false)?, inventory.changes.len())
    };
    let id = world.session(&seen.key, |session| {
        let id = session.new_id();
        let collector = collector(session, own_id(request))?;
        collector.filters.push(Filter {
            id: id.clone(),
            places: places(&answering),
            answering: Arc::new(answering),
            spec: Arc::new(request.clone()),
            views: seen.views_version,
            left: Vec::new(),
            told: 0,
            seen: version,
            pending: BTreeMap::new(),
            has_lost_one: false,
        });
        Ok(id)
    })?;
    // Whoever waits already has to look at the new filter, too.
    world.change(|_| ());
    let mut w = Writer::new();
    w.reference("returnval", "PropertyFilter", &id);
    Ok(w.finish())
}

fn places(answering: &Answering) -> Arc<HashMap<u32, usize>> {
    let objects = answering.targets.iter().enumerate().filter_map(|(at, it)| match it {
        Target::Object(object) => Some((*object, at)),
        Target::View(_) => None,
    });
    Arc::new(objects.collect())
}

fn own_id(request: &Element) -> &str {
    request.child("_this").map(Element::reference).unwrap_or_default().1
}

/// `DestroyPropertyFilter`.
pub(super) fn destroy_filter(world: &World, key: &str, request: &Element) -> Result<(), Refusal> {
    let id = own_id(request);
    let known = world.session(key, |session| {
        let mut known = false;
        for collector in session.collectors.values_mut() {
            let before = collector.filters.len();
            collector.filters.retain(|it| it.id != id);
            known |= collector.filters.len() < before;
        }
        known
    });
    if known { Ok(()) } else { Err(Refusal::missing("PropertyFilter", id)) }
}

/// `DestroyPropertyCollector`.
pub(super) fn destroy_collector(
    world: &World,
    key: &str,
    request: &Element,
) -> Result<(), Refusal> {
    let id = own_id(request);
    let known = world.session(key, |it| it.collectors.remove(id).is_some());
    world.change(|_| ());
    if known { Ok(()) } else { Err(Refusal::missing("PropertyCollector", id)) }
}

/// `CancelWaitForUpdates`: ends what waits now, and nothing that comes later.
pub(super) fn cancel(world: &World, key: &str, request: &Element) -> Result<(), Refusal> {
    world.session(key, |session| {
        collector(session, own_id(request)).map(|it| it.cancellations += 1)
    })?;
    world.change(|_| ());
    Ok(())
}

/// What somebody who waits asks for.
struct Wait<'a> {
    collector: &'a str,
    version: &'a str,
    /// By the method that knows of parts.
    in_parts: bool,
    objects_max: usize,
    seconds: u64,
}

impl<'a> Wait<'a> {
    fn of(request: &'a Element) -> Result<Self, Refusal> {
        let in_parts = request.name == "WaitForUpdatesEx";
        let option = |name: &str| {
            let options = request.child("options").filter(|_| in_parts);
            options.and_then(|it| it.word(name)).map(str::parse::<u32>)
        };
        let objects_max = match option("maxObjectUpdates") {
            None => OBJECTS_MAX,
            Some(Ok(most)) if most > 0 => (most as usize).min(OBJECTS_MAX),
            Some(_) => return Err(Refusal::invalid_argument("options.maxObjectUpdates")),
        };
        let seconds = match option("maxWaitSeconds") {
            None if request.name == "CheckForUpdates" => 0,
            None => WAIT_SECONDS_MAX,
            Some(Ok(seconds)) => u64::from(seconds).min(WAIT_SECONDS_MAX),
            Some(Err(_)) => return Err(Refusal::invalid_argument("options.maxWaitSeconds")),
        };
        Ok(Self {
            collector: own_id(request),
            version: request.word("version").unwrap_or_default(),
            in_parts,
            objects_max: if in_parts { objects_max } else { usize::MAX },
            seconds,
        })
    }
}

/// `WaitForUpdatesEx`, `WaitForUpdates` and `CheckForUpdates`.
pub(super) async fn wait(world: &World, key: &str, request: &Element) -> Result<String, Refusal> {
    let wait = Wait::of(request)?;
    let mut changed = world.changed.subscribe();
    let version = world.read().changes.len();
    let cancellations = world.session(key, |session| {
        let collector = collector(session, wait.collector)?;
        collector.take_up(&wait, version)?;
        Ok(collector.cancellations)
    })?;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(wait.seconds);
    loop {
        changed.mark_unchanged();
        if let Some(updates) = updates(world, key, &wait, cancellations)? {
            return Ok(updates);
        }
        if tokio::time::timeout_at(deadline, changed.changed()).await.is_err() {
            return Ok(String::new());
        }
    }
}

impl Collector {
    /// Goes on from the version that somebody has.
    fn take_up(&mut self, wait: &Wait<'_>, seen: usize) -> Result<(), Refusal> {
        if wait.version.is_empty() {
            self.filters.iter_mut().for_each(|it| it.restart(seen));
            return Ok(());
        }
        let asked = wait.version.parse::<u64>().ok();
        if asked == Some(self.version) && (wait.in_parts || !self.is_part) {
            return Ok(());
        }
        let kept = self.kept.iter().find(|it| Some(it.0) == asked);
        let (_, then) = kept.ok_or_else(|| {
            Refusal::new(
                "InvalidCollectorVersion",
                "The collector version is out of date or invalid.",
            )
        })?;
        for filter in &mut self.filters {
            match then.iter().find(|it| it.id == filter.id) {
                Some(then) => *filter = then.clone(),
                // It is newer than that version.
                None => filter.restart(seen),
            }
        }
        Ok(())
    }

    /// Keeps what was told.
    fn keep(&mut self, told: Vec<Filter>, is_part: bool) -> u64 {
        for told in told {
            if let Some(filter) = self.filters.iter_mut().find(|it| it.id == told.id) {
                *filter = told;
            }
        }
        self.version += 1;
        self.is_part = is_part;
        if !is_part {
            if self.kept.len() >= VERSIONS_MAX {
                self.kept.pop_front();
            }
            self.kept.push_back((self.version, self.filters.clone()));
        }
        self.version
    }
}

/// What is to be told now, if anything is.
fn updates(
    world: &World,
    key: &str,
    wait: &Wait<'_>,
    cancellations: u64,
) -> Result<Option<String>, Refusal> {
    if world.sessions().by_key.get(key).is_none_or(|it| it.seen.has_expired) {
        return Err(Refusal::not_authenticated());
    }
    let (seen, mut filters) = world.session(key, |session| {
        let seen = session.seen.clone();
        let found = collector(session, wait.collector).ok();
        let found = found.filter(|it| it.cancellations == cancellations);
        let cancelled = || Refusal::new("RequestCanceled", "The task was canceled by a user.");
        Ok((seen, found.ok_or_else(cancelled)?.filters.clone()))
    })?;
    let mut w = Writer::new();
    let mut room = wait.objects_max;
    {
        let inventory = world.read();
        let asking = Asking { world, inventory: &inventory, session: &seen };
        for filter in &mut filters {
            filter.look_again(&asking);
            let inside = filter.tell(&asking, &mut room);
            if !inside.is_empty() {
                w.node("filterSet", |w| {
                    w.reference("filter", "PropertyFilter", &filter.id);
                    w.raw(&inside);
                });
            }
        }
    }
    let is_part = filters.iter().any(Filter::has_more);
    let is_nothing = w.as_str().is_empty();
    let version = world.session(key, |session| {
        let collector = collector(session, wait.collector).ok().filter(|_| !is_nothing);
        collector.map_or(0, |it| it.keep(filters, is_part))
    });
    if is_nothing {
        return Ok(None);
    }
    let sets = w.finish();
    let mut w = Writer::new();
    w.node("returnval", |w| {
        w.leaf("version", version);
        w.raw(&sets);
        if is_part {
            w.leaf("truncated", true);
        }
    });
    Ok(Some(w.finish()))
}

impl Filter {
    /// Everything is told anew.
    fn restart(&mut self, seen: usize) {
        (self.told, self.seen) = (0, seen);
        self.left.clear();
        self.pending.clear();
    }

    /// There is something that no longer fitted in.
    fn has_more(&self) -> bool {
        self.told < self.answering.targets.len()
            || !(self.left.is_empty() && self.pending.is_empty())
    }

    /// Finds its objects anew where a view was changed.
    fn look_again(&mut self, asking: &Asking<'_>) {
        if self.views == asking.session.views_version {
            return;
        }
        self.views = asking.session.views_version;
        let Ok(mut now) = asking.select(self.spec.all("spec"), true) else { return };
        let told = self.answering.targets.get(..self.told).unwrap_or_default();
        let meant: HashSet<&Target> = now.targets.iter().collect();
        let (kept, left): (Vec<Target>, Vec<Target>) =
            told.iter().cloned().partition(|it| meant.contains(it));
        let known: HashSet<&Target> = kept.iter().collect();
        let new = now.targets.iter().filter(|it| !known.contains(it)).cloned();
        now.targets = kept.iter().cloned().chain(new).collect();
        self.told = kept.len();
        self.left.extend(left);
        self.places = places(&now);
        self.answering = Arc::new(now);
    }

    /// Objects that left, those that were not told yet, then what changed of those that were.
    fn tell(&mut self, asking: &Asking<'_>, room: &mut usize) -> String {
        // First: what changes of an object that is told only now was told with it.
        self.take_note(asking);
        let mut w = Writer::new();
        while *room > 0
            && let Some(target) = self.left.pop()
        {
            let Some((kind, id)) = asking.name(&target) else { continue };
            w.node("objectSet", |w| {
                w.text("kind", "leave");
                w.reference("obj", kind, id);
            });
            *room -= 1;
        }
        let answering = self.answering.clone();
        while *room > 0
            && let Some(target) = answering.targets.get(self.told)
        {
            self.told += 1;
            if !(self.has_lost_one && asking.is_gone(target)) {
                self.enter(&mut w, asking, target);
                *room -= 1;
            }
        }
        while *room > 0
            && let Some((object, before)) = self.pending.pop_first()
        {
            *room -= usize::from(self.modify(&mut w, asking, object, &before));
        }
        w.finish()
    }

    /// Takes note of what changed, or vanished, of the objects that were told.
    fn take_note(&mut self, asking: &Asking<'_>) {
        let changes = asking.inventory.changes.get(self.seen..).unwrap_or_default();
        self.seen = asking.inventory.changes.len();
        for change in changes {
            // The first change of an object holds what was told; the object itself what is.
            if self.places.get(&change.object).is_some_and(|it| *it < self.told) {
                self.pending.entry(change.object).or_insert_with(|| change.before.clone());
            }
        }
        let is_all = self.told == self.answering.targets.len();
        if let Some(Target::Object(at)) = asking.gone()
            && is_all
            && !self.has_lost_one
            && self.places.contains_key(&at)
        {
            self.has_lost_one = true;
            self.left.push(Target::Object(at));
        }
        if self.has_lost_one {
            self.pending.retain(|at, _| !asking.is_gone(&Target::Object(*at)));
        }
        self.pending.retain(|at, _| self.places.contains_key(at));
    }

    fn enter(&self, w: &mut Writer, asking: &Asking<'_>, target: &Target) {
        let Some((kind, id)) = asking.name(target) else { return };
        let Some(plan) = self.answering.plans.get(kind) else { return };
        let sight = asking.sight(plan, kind, id);
        w.node("objectSet", |w| {
            w.text("kind", "enter");
            w.reference("obj", kind, id);
            let (common, own) = asking.content(target);
            for (path, value) in values(&sight.plan, &[&common, &own]) {
                assign(w, &path, Some(&value));
            }
            sight.missing(w, plan);
        });
    }

    /// Tells what changed of an object; false if nothing did that is asked for.
    fn modify(&self, w: &mut Writer, asking: &Asking<'_>, object: u32, before: &str) -> bool {
        let target = Target::Object(object);
        let Some((kind, id)) = asking.name(&target) else { return false };
        let Some(plan) = self.answering.plans.get(kind) else { return false };
        // What all of a kind say alike never changes; what may not be seen was said so at first.
        let plan = asking.sight(plan, kind, id).plan;
        let before = values(&plan, &[before]);
        let after = values(&plan, &[&asking.content(&target).1]);
        let mut inside = Writer::new();
        for (path, value) in after.iter().filter(|it| before.get(it.0) != Some(it.1)) {
            assign(&mut inside, path, Some(value));
        }
        for path in before.keys().filter(|it| !after.contains_key(*it)) {
            assign(&mut inside, path, None);
        }
        if inside.as_str().is_empty() {
            return false;
        }
        w.node("objectSet", |w| {
            w.text("kind", "modify");
            w.reference("obj", kind, id);
            w.raw(inside.as_str());
        });
        true
    }
}

/// All properties that are asked for, by path, each as an element called `val`.
fn values(plan: &Plan, contents: &[&str]) -> BTreeMap<String, String> {
    let mut found = Separate::new("val");
    for content in contents {
        plan.extract(content, &mut found);
    }
    found.found.into_iter().collect()
}

fn assign(w: &mut Writer, path: &str, value: Option<&str>) {
    w.node("changeSet", |w| {
        w.text("name", path);
        w.text("op", "assign");
        if let Some(value) = value {
            w.raw(value);
        }
    });
}

#[cfg(test)]
mod tests;
