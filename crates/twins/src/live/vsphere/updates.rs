//! Waiting for changes: filters, their first set of objects, and what changed since.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::collector::{Asking, Filter, Target};
use super::faults::Refusal;
use super::sessions::Seen;
use super::world::World;
use super::xml::{Element, Writer};

/// Objects of one answer at most, whatever somebody asks for; believed of a vCenter, too.
const OBJECTS_MAX: usize = 100;
/// Longest wait where nobody says how long.
const WAIT_SECONDS_MAX: u64 = 1800;

/// `CreatePropertyCollector`.
pub(super) fn create_collector(world: &World, key: &str) -> String {
    let id = world.session(key, |it| {
        let id = it.new_id();
        it.collectors.insert(id.clone(), super::sessions::Collector::default());
        id
    });
    let mut w = Writer::new();
    w.reference("returnval", "PropertyCollector", &id);
    w.finish()
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
        let collector = session.collectors.entry(collector_id(request)).or_default();
        collector.filters.push(Filter {
            id: id.clone(),
            answering: Arc::new(answering),
            spec: Arc::new(request.clone()),
            views: seen.views_version,
            left: Vec::new(),
            told: 0,
            seen: version,
        });
        id
    });
    // Whoever waits already has to look at the new filter, too.
    world.change(|_| ());
    let mut w = Writer::new();
    w.reference("returnval", "PropertyFilter", &id);
    Ok(w.finish())
}

fn collector_id(request: &Element) -> String {
    request.child("_this").map(Element::reference).unwrap_or_default().1.to_owned()
}

/// `DestroyPropertyFilter`.
pub(super) fn destroy_filter(world: &World, key: &str, request: &Element) {
    let id = collector_id(request);
    world.session(key, |session| {
        for collector in session.collectors.values_mut() {
            collector.filters.retain(|it| it.id != id);
        }
    });
}

/// `DestroyPropertyCollector`.
pub(super) fn destroy_collector(world: &World, key: &str, request: &Element) {
    world.session(key, |it| it.collectors.remove(&collector_id(request)));
    world.change(|_| ());
}

/// `CancelWaitForUpdates`.
pub(super) fn cancel(world: &World, key: &str, request: &Element) {
    world.session(key, |session| {
        if let Some(collector) = session.collectors.get_mut(&collector_id(request)) {
            collector.is_cancelled = true;
        }
    });
    world.change(|_| ());
}

/// `WaitForUpdatesEx`, `WaitForUpdates` and `CheckForUpdates`.
pub(super) async fn wait(world: &World, key: &str, request: &Element) -> Result<String, Refusal> {
    let options = request.child("options");
    let seconds = options.and_then(|it| it.number("maxWaitSeconds"));
    let seconds = if request.name == "CheckForUpdates" { Some(0) } else { seconds };
    let most = options.and_then(|it| it.number("maxObjectUpdates"));
    let most = most.and_then(|it| usize::try_from(it).ok()).unwrap_or(OBJECTS_MAX);
    let most = most.clamp(1, OBJECTS_MAX);
    let collector = collector_id(request);
    if request.word("version").unwrap_or_default().is_empty() {
        restart(world, key, &collector);
    }
    let mut changed = world.changed.subscribe();
    let until = Duration::from_secs(seconds.unwrap_or(WAIT_SECONDS_MAX).min(WAIT_SECONDS_MAX));
    let deadline = tokio::time::Instant::now() + until;
    loop {
        changed.mark_unchanged();
        if let Some(updates) = updates(world, key, &collector, most)? {
            return Ok(updates);
        }
        if tokio::time::timeout_at(deadline, changed.changed()).await.is_err() {
            return Ok(String::new());
        }
    }
}

/// Everything is told anew.
fn restart(world: &World, key: &str, collector: &str) {
    let version = world.read().changes.len();
    world.session(key, |session| {
        if let Some(collector) = session.collectors.get_mut(collector) {
            for filter in &mut collector.filters {
                (filter.told, filter.seen) = (0, version);
            }
        }
    });
}

/// What is to be told now, if anything is.
fn updates(
    world: &World,
    key: &str,
    collector: &str,
    most: usize,
) -> Result<Option<String>, Refusal> {
    let (seen, filters) = world.session(key, |session| {
        let seen = session.seen.clone();
        let Some(found) = session.collectors.get_mut(collector) else {
            return (seen, None);
        };
        if std::mem::take(&mut found.is_cancelled) {
            return (seen, None);
        }
        (seen, Some(found.filters.clone()))
    });
    let cancelled = || Refusal::new("RequestCanceled", "The task was canceled by a user.");
    let mut filters = filters.ok_or_else(cancelled)?;
    let mut w = Writer::new();
    let mut left = most;
    {
        let inventory = world.read();
        let asking = Asking { world, inventory: &inventory, session: &seen };
        for filter in &mut filters {
            filter.look_again(&asking);
            let inside = filter.tell(&asking, &mut left);
            if !inside.is_empty() {
                w.node("filterSet", |w| {
                    w.reference("filter", "PropertyFilter", &filter.id);
                    w.raw(&inside);
                });
            }
        }
    }
    if w.as_str().is_empty() {
        return Ok(None);
    }
    let truncated = filters.iter().any(|it| it.told < it.answering.targets.len());
    let version = world.session(key, |session| {
        let Some(collector) = session.collectors.get_mut(collector) else { return 0 };
        for told in filters {
            if let Some(filter) = collector.filters.iter_mut().find(|it| it.id == told.id) {
                *filter = told;
            }
        }
        collector.version += 1;
        collector.version
    });
    let sets = w.finish();
    let mut w = Writer::new();
    w.node("returnval", |w| {
        w.leaf("version", version);
        w.raw(&sets);
        if truncated {
            w.leaf("truncated", true);
        }
    });
    Ok(Some(w.finish()))
}

impl Filter {
    /// Finds its objects anew where a view was changed.
    fn look_again(&mut self, asking: &Asking<'_>) {
        if self.views == asking.session.views_version {
            return;
        }
        self.views = asking.session.views_version;
        let Ok(mut now) = asking.select(self.spec.all("spec"), true) else { return };
        let told = self.answering.targets.get(..self.told).unwrap_or_default();
        let (kept, left): (Vec<Target>, Vec<Target>) =
            told.iter().cloned().partition(|it| now.targets.contains(it));
        now.targets.retain(|it| !kept.contains(it));
        self.told = kept.len();
        now.targets.splice(0..0, kept);
        self.left.extend(left);
        self.answering = Arc::new(now);
    }

    /// Objects that were not told yet, then what changed of those that were.
    fn tell(&mut self, asking: &Asking<'_>, left: &mut usize) -> String {
        let mut w = Writer::new();
        for (kind, id) in self.left.iter().filter_map(|it| asking.named(it)) {
            w.node("objectSet", |w| {
                w.text("kind", "leave");
                w.reference("obj", kind, id);
            });
        }
        self.left.clear();
        let untold = self.answering.targets.get(self.told..).unwrap_or_default();
        for target in untold.iter().take(*left) {
            self.enter(&mut w, asking, target);
        }
        let told = untold.len().min(*left);
        self.told += told;
        *left -= told;
        if self.told == self.answering.targets.len() && *left > 0 {
            self.changes(&mut w, asking);
        }
        w.finish()
    }

    fn enter(&self, w: &mut Writer, asking: &Asking<'_>, target: &Target) {
        let Some((kind, id)) = asking.named(target) else { return };
        let Some(plan) = self.answering.plans.get(kind) else { return };
        w.node("objectSet", |w| {
            w.text("kind", "enter");
            w.reference("obj", kind, id);
            for (path, value) in asking.values(plan, target) {
                assign(w, &path, Some(&value));
            }
        });
    }

    fn changes(&mut self, w: &mut Writer, asking: &Asking<'_>) {
        let changes = asking.inventory.changes.get(self.seen..).unwrap_or_default();
        self.seen = asking.inventory.changes.len();
        let mut done = BTreeSet::new();
        for change in changes {
            let target = Target::Object(change.object);
            // The first change of an object holds what was told; the object itself what is.
            if !done.insert(change.object) || !self.answering.targets.contains(&target) {
                continue;
            }
            let Some((kind, id)) = asking.named(&target) else { continue };
            let Some(plan) = self.answering.plans.get(kind) else { continue };
            let mut before = super::extract::Separate::new("val");
            plan.extract(&change.before, &mut before);
            let before = before.found;
            let after = asking.values(plan, &target);
            let mut inside = Writer::new();
            for (path, value) in after.iter().filter(|it| !before.contains(it)) {
                // What all machines say alike never changes.
                if before.iter().any(|it| it.0 == *path) || !super::machine::is_common(path) {
                    assign(&mut inside, path, Some(value));
                }
            }
            for (path, _) in before.iter().filter(|it| after.iter().all(|now| now.0 != it.0)) {
                assign(&mut inside, path, None);
            }
            if !inside.as_str().is_empty() {
                w.node("objectSet", |w| {
                    w.text("kind", "modify");
                    w.reference("obj", kind, id);
                    w.raw(inside.as_str());
                });
            }
        }
    }
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
