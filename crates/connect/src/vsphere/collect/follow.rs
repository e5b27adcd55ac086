//! What changes: a narrow filter on machines says which, and these alone are read again.
//!
//! A filter lives as long as its session. Whenever that may have ended, however it shows, there is a new
//! filter, and everything is read again: what happened in between is not known otherwise.

use std::collections::BTreeSet;
use std::sync::Arc;

use entente_model::Text;

use super::super::map::{self, Inventory, Machines, Managers};
use super::super::wire::{Call, Element, Fault, Target, Tree, create_filter, leaf, watched};
use super::objects::{Which, create_view};
use super::session::{CallFault, Session};
use super::tags::Tags;
use super::{
    STEPS, begin, check, finish, inventory, read_infrastructure, read_managers, read_workloads,
    tags, take_workloads,
};
use crate::live::{CallError, Change, ConnectError, FOLLOWING, Gaps, Refusal, Run};

/// Updates asked for at once; servers give fewer.
const UPDATES_MAX: &str = "1000";

/// Longest wait of one call for a change.
const WAIT_SECONDS_MAX: u64 = 300;

/// Filters that are lost one after the other, with nothing told in between.
const LOST_MAX: u32 = 8;

/// Follows until cancelled.
pub(in crate::vsphere) async fn follow(
    run: Run<'_>,
    changed: &mut (dyn FnMut(Change) + Send),
) -> Result<(), ConnectError> {
    let session = Session::open(run).await.map_err(|reason| run.refused(reason))?;
    let mut follower = Follower {
        session: &session,
        known: None,
        inventory: None,
        strangers: BTreeSet::new(),
        tags: None,
        lost: 0,
    };
    let outcome = follower.run(changed).await;
    if let Some(tags) = &follower.tags {
        tags.close(&session).await;
    }
    session.close().await;
    match outcome {
        Err(fault) if fault.is_cancelled() || run.cancel.is_cancelled() => Ok(()),
        Err(CallFault::Http(error)) => Err(run.refused(error.into())),
        Err(fault) => Err(run.refused(Refusal::Answer(Text::from(fault.to_string())))),
        Ok(()) => Ok(()),
    }
}

struct Follower<'s, 'a> {
    session: &'s Session<'a>,
    /// Machines that there are; nothing before the first filter told.
    known: Option<BTreeSet<Text>>,
    inventory: Option<Arc<Inventory>>,
    /// What machines refer to and reading everything else did not tell of: hidden, most likely.
    strangers: BTreeSet<Text>,
    /// Categories and tags, read once: they change seldom.
    tags: Option<Tags>,
    /// Filters lost since the last one that told something.
    lost: u32,
}

/// What came since the last time.
#[derive(Debug, Default)]
struct Updates {
    changed: BTreeSet<Text>,
    gone: BTreeSet<Text>,
}

/// The filter went away, with its session or by itself.
fn is_lost(fault: &CallFault) -> bool {
    let of_filter = ["ManagedObjectNotFound", "InvalidCollectorVersion"];
    fault.ends_session()
        || matches!(fault, CallFault::Fault(it) if of_filter.iter().any(|kind| it.is(kind)))
}

fn ended() -> CallFault {
    let (kind, message) = ("NotAuthenticated".into(), "the session ended".into());
    CallFault::Fault(Fault { kind, message, ..Fault::default() })
}

impl Follower<'_, '_> {
    async fn run(&mut self, changed: &mut (dyn FnMut(Change) + Send)) -> Result<(), CallFault> {
        loop {
            let generation = self.session.generation();
            match self.watch(changed).await {
                Err(fault) if is_lost(&fault) && self.lost < LOST_MAX => {
                    self.lost += 1;
                    // Another call may have found out before, and logged in again.
                    if fault.ends_session() && self.session.generation() == generation {
                        self.session.renew().await?;
                    }
                }
                other => return other,
            }
        }
    }

    /// Watches with one filter, as long as it lives.
    async fn watch(&mut self, changed: &mut (dyn FnMut(Change) + Send)) -> Result<(), CallFault> {
        let session = self.session;
        let generation = session.generation();
        let shared = session.manager("propertyCollector")?;
        let created = session.ask(&Call::new("CreatePropertyCollector", shared)).await?;
        let collector = reference(&created)?;
        let paths = watched();
        let view = create_view(session, &paths).await?;
        session.ask(&create_filter(&collector, &view, &paths)).await?;

        let mut version = Text::default();
        let there = self.next(&collector, &mut version).await?.changed;
        let run = session.run;
        run.watch.section(run.target.id.as_str(), FOLLOWING, there.len() as u64, STEPS, STEPS);
        if let Some(known) = self.known.replace(there.clone()) {
            for gone in known.difference(&there) {
                changed(Change::WorkloadRemoved { native_id: gone.clone() });
            }
            self.inventory = None;
            self.hand_over(&there, changed).await;
        }
        loop {
            if session.generation() != generation {
                // Reading what changed took a new session: the filter ended with the old one.
                return Err(ended());
            }
            let updates = self.next(&collector, &mut version).await?;
            self.lost = 0;
            session.settle();
            if let Some(known) = &mut self.known {
                known.retain(|it| !updates.gone.contains(it));
                known.extend(updates.changed.iter().cloned());
            }
            for gone in updates.gone {
                changed(Change::WorkloadRemoved { native_id: gone });
            }
            if !updates.changed.is_empty() {
                self.hand_over(&updates.changed, changed).await;
            }
        }
    }

    /// Waits for what comes next; a set that comes in pieces is one.
    async fn next(&self, collector: &Target, version: &mut Text) -> Result<Updates, CallFault> {
        let limits = &self.session.run.target.limits;
        let wait = (limits.idle_seconds.min(limits.answer_seconds) / 2).clamp(1, WAIT_SECONDS_MAX);
        let mut updates = Updates::default();
        loop {
            let call = Call::new("WaitForUpdatesEx", collector).value("version", version).element(
                "options",
                |options| {
                    leaf(options, "maxWaitSeconds", &wait.to_string());
                    leaf(options, "maxObjectUpdates", UPDATES_MAX);
                },
            );
            let answer = self.session.ask_watching(&call).await?;
            let Some(set) = answer.root().and_then(|it| it.child("returnval")) else {
                // Nothing happened for as long as it waited.
                return Ok(updates);
            };
            *version = Text::new(set.text_at("version").unwrap_or_default());
            for update in set.all("filterSet").flat_map(|it| it.all("objectSet")) {
                if shows_ended_session(update) {
                    return Err(ended());
                }
                let Some(object) = update.reference_at("obj") else { continue };
                let id = Text::new(object.id);
                if update.text_at("kind") == Some("leave") {
                    updates.changed.remove(&id);
                    updates.gone.insert(id);
                } else {
                    updates.gone.remove(&id);
                    updates.changed.insert(id);
                }
            }
            if set.flag_at("truncated") != Some(true) {
                return Ok(updates);
            }
        }
    }

    /// Reads these machines again, and nothing else.
    async fn hand_over(&mut self, ids: &BTreeSet<Text>, changed: &mut (dyn FnMut(Change) + Send)) {
        let mut gaps = Gaps::default();
        let is_fresh = self.inventory.is_none();
        let mut machines = self.read(ids, &mut gaps).await;
        if !is_fresh && !machines.strangers.is_subset(&self.strangers) {
            // A folder, host, pool, datastore or network that is newer than what is known of them.
            self.inventory = None;
            gaps = Gaps::default();
            machines = self.read(ids, &mut gaps).await;
        }
        self.strangers.extend(machines.strangers.iter().cloned());
        if self.session.about.is_vcenter && !machines.workloads.is_empty() {
            self.add_tags(&mut machines, &mut gaps).await;
        }
        let mut collection = begin(self.session);
        take_workloads(&mut collection, machines, &mut gaps);
        changed(Change::Read(Box::new(finish(collection, gaps))));
    }

    /// Reads the catalogue of tags once, and again where a machine bears one that is not in it.
    async fn add_tags(&mut self, machines: &mut Machines, gaps: &mut Gaps) {
        let session = self.session;
        let mut is_new = false;
        let tags = match &mut self.tags {
            Some(tags) => tags,
            empty => match Tags::load(session, gaps).await {
                Ok(loaded) => {
                    is_new = true;
                    empty.insert(loaded)
                }
                Err(fault) => return tags::without(machines, &fault, gaps),
            },
        };
        let attached = tags.attached(session, machines).await;
        if !is_new && !tags.knows(&attached) {
            tags.reload(session, gaps).await;
        }
        tags.apply(&attached, machines, gaps);
    }

    async fn read(&mut self, ids: &BTreeSet<Text>, gaps: &mut Gaps) -> Machines {
        let inventory = match self.inventory.clone() {
            Some(inventory) => inventory,
            None => {
                let inventory = Arc::new(self.read_inventory(gaps).await);
                self.inventory = Some(inventory.clone());
                inventory
            }
        };
        let targets = ids.iter().map(|id| Target::new("VirtualMachine", id)).collect();
        read_workloads(self.session, inventory, Which::These(targets), gaps).await
    }

    async fn read_inventory(&self, gaps: &mut Gaps) -> Inventory {
        let lacking = check::lacking(self.session, gaps).await;
        let kept_managers = read_managers(self.session, gaps).await;
        let managers = Managers { kept: &kept_managers, about: &self.session.about };
        let kept = read_infrastructure(self.session, gaps).await;
        let mut unused = begin(self.session);
        let mut inventory = inventory(self.session, &unused, &kept, &managers, lacking);
        map::infrastructure(&mut unused, &kept, &mut inventory, gaps);
        inventory
    }
}

/// Some servers tell so of a session that is over: every property refused, and no fault.
fn shows_ended_session(update: Element<'_>) -> bool {
    let mut refused = update.all("missingSet").peekable();
    let is_all = refused.peek().is_some() && update.child("changeSet").is_none();
    is_all
        && refused.all(|it| {
            let fault = it.child("fault").and_then(|it| it.child("fault").or(Some(it)));
            fault.is_some_and(|it| Fault::from(it, "").ends_session())
        })
}

fn reference(answer: &Tree) -> Result<Target, CallFault> {
    let reference = answer.root().and_then(|it| it.reference_at("returnval"));
    reference
        .map(|it| Target::new(it.kind, it.id))
        .ok_or_else(|| CallFault::Http(CallError::Truncated("it names nothing".into())))
}
