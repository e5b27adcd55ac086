//! What changes: a narrow filter on machines says which, and these alone are read again.

use std::collections::BTreeSet;
use std::sync::Arc;

use entente_model::{Text, Why};

use super::super::map::{self, Inventory, Machines, Managers};
use super::super::wire::{Call, Paths, Target, Tree, WATCHED, create_filter, leaf};
use super::objects::{Which, create_view};
use super::session::{CallFault, Session};
use super::{
    begin, finish, read_infrastructure, read_managers, read_workloads, root, take_workloads,
};
use crate::live::{CallError, Change, ConnectError, Gaps, Refusal, Run};

/// Updates asked for at once; servers give fewer.
const UPDATES_MAX: &str = "1000";

/// Longest wait of one call for a change.
const WAIT_SECONDS_MAX: u64 = 300;

/// Follows until cancelled.
pub(in crate::vsphere) async fn follow(
    run: Run<'_>,
    changed: &mut (dyn FnMut(Change) + Send),
) -> Result<(), ConnectError> {
    let session = Session::open(run).await.map_err(|reason| run.refused(reason))?;
    let outcome =
        Follower { session: &session, known: BTreeSet::new(), inventory: None }.run(changed).await;
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
    /// Machines that there are.
    known: BTreeSet<Text>,
    inventory: Option<Arc<Inventory>>,
}

/// What came since the last time.
#[derive(Debug, Default)]
struct Updates {
    changed: BTreeSet<Text>,
    gone: BTreeSet<Text>,
}

impl Follower<'_, '_> {
    async fn run(&mut self, changed: &mut (dyn FnMut(Change) + Send)) -> Result<(), CallFault> {
        let mut is_first = true;
        loop {
            match self.watch(is_first, changed).await {
                Err(fault) if fault.ends_session() => {
                    self.session.renew().await?;
                    is_first = false;
                }
                other => return other,
            }
        }
    }

    /// Watches in one session. After an earlier one ended, what happened in between is not known:
    /// everything is read again.
    async fn watch(
        &mut self,
        is_first: bool,
        changed: &mut (dyn FnMut(Change) + Send),
    ) -> Result<(), CallFault> {
        let session = self.session;
        let shared = session.manager("propertyCollector")?;
        let created = session.ask(&Call::new("CreatePropertyCollector", shared)).await?;
        let collector = reference(&created)?;
        let paths = [Paths::of("VirtualMachine", &WATCHED)];
        let view = create_view(session, &paths).await?;
        session.ask(&create_filter(&collector, &view, &paths)).await?;

        let mut version = Text::default();
        let there = self.next(&collector, &mut version).await?.changed;
        if !is_first {
            for gone in self.known.difference(&there) {
                changed(Change::WorkloadRemoved { native_id: gone.clone() });
            }
            self.hand_over(&there, changed).await;
        }
        self.known = there;
        loop {
            let updates = self.next(&collector, &mut version).await?;
            for gone in &updates.gone {
                self.known.remove(gone);
                changed(Change::WorkloadRemoved { native_id: gone.clone() });
            }
            if !updates.changed.is_empty() {
                self.known.extend(updates.changed.iter().cloned());
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
        let mut machines = self.read(ids, &mut gaps).await;
        if machines.workloads.iter().any(is_somewhere_new) {
            // A folder, host or pool that is newer than what is known of them.
            self.inventory = None;
            gaps = Gaps::default();
            machines = self.read(ids, &mut gaps).await;
        }
        if self.session.about.is_vcenter && !machines.workloads.is_empty() {
            self.add_tags(&mut machines, &mut gaps).await;
        }
        let mut collection = begin(self.session);
        take_workloads(&mut collection, machines, &mut gaps);
        changed(Change::Read(Box::new(finish(collection, gaps))));
    }

    async fn add_tags(&self, machines: &mut Machines, gaps: &mut Gaps) {
        let mut unused = begin(self.session);
        super::tags::read(self.session, &mut unused, machines, gaps).await;
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
        let kept_managers = read_managers(self.session, gaps).await;
        let managers = Managers { kept: &kept_managers, about: &self.session.about };
        let kept = read_infrastructure(self.session, gaps).await;
        let mut unused = begin(self.session);
        let mut inventory = Inventory::of(
            &self.session.run.target.id,
            &unused.source.id,
            root(self.session),
            &kept,
        );
        inventory.attributes = map::attribute_names(managers.get("customFieldsManager", "field"));
        map::infrastructure(&mut unused, &kept, &mut inventory, gaps);
        inventory
    }
}

/// It is in a folder, on a host or in a pool that is not known.
fn is_somewhere_new(workload: &entente_model::Workload) -> bool {
    let placement = &workload.placement;
    let hidden = Some(Why::NoPermission);
    [placement.folder.why(), placement.resource_pool.why(), placement.host.why()].contains(&hidden)
}

fn reference(answer: &Tree) -> Result<Target, CallFault> {
    let reference = answer.root().and_then(|it| it.reference_at("returnval"));
    reference
        .map(|it| Target::new(it.kind, it.id))
        .ok_or_else(|| CallFault::Http(CallError::Truncated("it names nothing".into())))
}
