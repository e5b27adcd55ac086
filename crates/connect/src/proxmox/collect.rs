//! Logging in and asking, in four rounds: the cluster, its nodes, what those name, and each guest.

mod answers;
mod questions;
mod rights;
mod session;

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{Collection, GapCause, Moment, NativePolicy, Text, Workload};
use serde_json::Value;

pub(super) use answers::Answers;
use answers::log;
use questions as ask;
pub(super) use rights::few;
use rights::{NEEDS, Permissions, RIGHTS};
use session::Session;
pub(super) use session::Version;

use super::map::{
    self, Availability, Context, Guest, Nodes, Protected, Storages, TaskLog, UsedNetworks,
};
use super::wire::Gaps;
use super::{NAME, PRODUCT};
use crate::connector::source_limits;
use crate::live::each;
use crate::live::{CheckReport, ConnectError, Credentials, Found, Right, RightState, Run};
use crate::proxmox::LIMITS;

/// How many of the collection's steps somebody who watches sees.
const STEPS: usize = 5;
const TASKS: &str = "/nodes/{}/tasks";

/// The least-privilege table.
pub(super) fn rights() -> &'static [Right] {
    &RIGHTS
}

/// Logs in and says what is there.
pub(super) async fn check(run: Run<'_>) -> Result<CheckReport, ConnectError> {
    let session = Session::open(run).await.map_err(|reason| run.refused(reason))?;
    let told = session.get("/access/permissions", &[], &[]).await;
    let permissions = told.as_ref().ok().and_then(Permissions::of);
    let known = match session.get("/access/acl", &[], &[]).await {
        Ok(list) => paths(&list),
        Err(_) => Vec::new(),
    };
    let state = |need| match (&permissions, &told) {
        (Some(permissions), _) => permissions.state(need, &known),
        (None, Err(failure)) => RightState::Unknown(failure.said.clone()),
        (None, Ok(_)) => RightState::Unknown("the answer cannot be understood".into()),
    };
    let mut notes = Vec::new();
    if run.target.address.starts_with("http:") {
        notes.push("the connection is in clear text".into());
    }
    if matches!(run.target.credentials, Credentials::Password { .. }) {
        notes.push(
            "logged in with a password: an API token can be limited and withdrawn on its own"
                .into(),
        );
    }
    let Version { version, build, .. } = &session.version;
    Ok(CheckReport {
        product: PRODUCT.into(),
        version: match build {
            Some(build) => format!("{version} ({build})").into(),
            None => version.clone(),
        },
        account: session.account.clone(),
        rights: NEEDS.iter().map(|need| (need.right, state(need))).collect(),
        notes,
    })
}

/// Paths that the access list names.
fn paths(list: &Value) -> Vec<Text> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|it| it.get("path")?.as_str()).map(Text::from).collect()
}

/// Reads everything.
pub(super) async fn collect(run: Run<'_>) -> Result<Collection, ConnectError> {
    let session = Session::open(run).await.map_err(|reason| run.refused(reason))?;
    let gaps = Gaps::new(&run.target.address);
    let version = session.version.version.clone();
    let source = run.target.source(NAME, Some(version), source_limits(LIMITS));
    let context = Context::new(run.target.id.clone(), source.id.clone(), &gaps, run.target.taken);
    let reader = Reader { session: &session, context: &context, gaps: &gaps };
    let mut answers = Answers::default();
    let nodes = reader.read_cluster(&mut answers).await;
    let storages = Storages::of(&context, &answers, &nodes);
    let places = reader.read_content(&mut answers, &storages, &nodes).await;
    let tasks = reader.read_tasks(&nodes).await;
    let availability = Availability::of(&context, &answers);
    let guests = map::guests(&context, &answers, &nodes);
    let is_all = reader.judge(&answers, &guests, &availability);
    let ground = map::Ground {
        nodes: &nodes,
        storages: &storages,
        availability: &availability,
        clocks: clocks(&answers, &nodes),
    };
    let (workloads, guest_policies, networks) = reader.read_guests(&guests, &ground).await;
    let mut collection = Collection::empty(source);
    let about = (run.target, &session.version);
    map::hosts(&context, &answers, (&nodes, &availability), about, &mut collection);
    map::datastores(&context, &answers, &storages, &nodes, &mut collection);
    map::volumes(&context, &answers, &storages, &places, &mut collection);
    map::networks(&context, &answers, &nodes, &networks, &mut collection);
    map::access(&context, &answers, &mut collection);
    map::placement(&context, &answers, &nodes, &mut collection);
    let protected = Protected { guests: &guests, is_all };
    map::protection(&context, &answers, &nodes, protected, &mut collection);
    map::receivers(&context, &answers, &mut collection);
    map::activity(&context, tasks, &mut collection);
    map::policies(&context, &answers, &mut collection);
    collection.control.policies.extend(guest_policies);
    collection.workloads = workloads;
    collection.workloads.sort_by(|a, b| a.id.cmp(&b.id));
    context.mapped("workloads", collection.workloads.len());
    map::share_disks(&mut collection.workloads);
    map::tags(&context, &mut collection);
    collection.control.sort();
    collection.source.sections = context.tallies();
    collection.gaps = gaps.take();
    Ok(collection)
}

/// Clock of each node, in MHz.
fn clocks(answers: &Answers, nodes: &Nodes) -> BTreeMap<Text, u64> {
    let clock = |node: &Text| {
        let clock = answers.value("/nodes/{}/status", &[node])?.get("cpuinfo")?.get("mhz")?;
        let text = clock.as_str().map_or_else(|| clock.to_string(), str::to_owned);
        text.split('.').next()?.parse().ok()
    };
    nodes.online.iter().filter_map(|node| Some((node.clone(), clock(node)?))).collect()
}

/// Who asks.
struct Reader<'a> {
    session: &'a Session<'a>,
    context: &'a Context<'a>,
    gaps: &'a Gaps,
}

impl Reader<'_> {
    fn watch(&self, section: &str, rows: usize, done: usize) {
        let run = self.session.run();
        run.watch.section(self.context.source.as_str(), section, rows as u64, done, STEPS);
    }

    /// The cluster, what its answers name, and its nodes.
    async fn read_cluster(&self, answers: &mut Answers) -> Nodes {
        let major = self.session.version.major;
        answers.ask(self.session, self.gaps, &ask::of_cluster(major)).await;
        let mut more = ask::of_named(answers, major);
        let users = map::unlisted_tokens(self.context, answers);
        more.extend(users.iter().map(|user| ask::of_user(user)));
        answers.ask(self.session, self.gaps, &more).await;
        self.watch("cluster", more.len(), 1);
        let nodes = Nodes::of(self.context, answers);
        let of_nodes: Vec<_> = nodes.online.iter().flat_map(|it| ask::of_node(it)).collect();
        answers.ask(self.session, self.gaps, &of_nodes).await;
        self.watch("nodes", nodes.online.len(), 2);
        nodes
    }

    /// What storages hold.
    async fn read_content(
        &self,
        answers: &mut Answers,
        storages: &Storages,
        nodes: &Nodes,
    ) -> Vec<(Text, Text)> {
        let places = storages.places(self.context, answers, nodes);
        let questions: Vec<_> =
            places.iter().map(|(node, storage)| ask::of_storage(node, storage)).collect();
        answers.ask(self.session, self.gaps, &questions).await;
        self.watch("volumes", places.len(), 3);
        places
    }

    /// Tasks of the last days, page by page.
    async fn read_tasks(&self, nodes: &Nodes) -> TaskLog {
        let mut tasks = TaskLog::default();
        for node in &nodes.online {
            self.read_tasks_of(node, &mut tasks).await;
        }
        self.watch("activities", tasks.len(), 4);
        tasks
    }

    async fn read_tasks_of(&self, node: &str, tasks: &mut TaskLog) {
        let limits = &self.session.run().target.limits;
        let room = usize::try_from(limits.activities_max).unwrap_or(usize::MAX);
        let page_size = usize::try_from(limits.page_objects).unwrap_or(usize::MAX).max(1);
        let since = self.since(limits.activity_days);
        let mut start = 0_usize;
        loop {
            if tasks.len() >= room {
                let message = format!("only the latest {room} tasks are read");
                self.gaps.add(GapCause::LimitReached, "activities", Some(TASKS), &message, None);
                return;
            }
            let (first, size) = (start.to_string(), page_size.min(room - tasks.len()).max(1));
            let size_text = size.to_string();
            let mut query =
                vec![("start", first.as_str()), ("limit", size_text.as_str()), ("source", "all")];
            query.extend(since.as_deref().map(|it| ("since", it)));
            let page = match self.session.get(TASKS, &[node], &query).await {
                Ok(Value::Array(page)) => page,
                Ok(_) => return,
                Err(failure) => return log(self.gaps, "activities", TASKS, &failure),
            };
            let new = tasks.add(self.context, &page);
            if page.len() < size {
                return;
            }
            if new == 0 {
                let message = "pages of tasks repeat what was read: the rest is missing";
                self.gaps.add(
                    GapCause::LimitReached,
                    "activities",
                    Some(TASKS),
                    message,
                    Some(node),
                );
                return;
            }
            start += page.len();
        }
    }

    fn since(&self, days: u32) -> Option<String> {
        match self.session.run().target.taken {
            Moment::Utc(taken) => {
                Some((taken.unix_timestamp() - i64::from(days) * 86_400).max(0).to_string())
            }
            Moment::Local(_) => None,
        }
    }

    /// Says what rights hide, and whether every guest is seen.
    fn judge(&self, answers: &Answers, guests: &[Guest], availability: &Availability) -> bool {
        let known = answers.value("/access/acl", &[]).map(paths).unwrap_or_default();
        let permissions = answers.value("/access/permissions", &[]).and_then(Permissions::of);
        let is_listed = answers.list("/cluster/resources", &[]).is_some();
        let is_all = match &permissions {
            Some(permissions) => {
                permissions.log(&known, self.gaps);
                is_listed && permissions.sees_all_guests(&known)
            }
            None => {
                let message = "the account's rights are not known: lists may be filtered";
                self.gaps.add(GapCause::NoPermission, "workloads", None, message, None);
                false
            }
        };
        let mut named: BTreeSet<Text> = availability.named().cloned().collect();
        named.extend(known.iter().filter_map(|it| it.strip_prefix("/vms/")).map(Text::from));
        named.extend(ask::guests_named_by_jobs(answers));
        map::unseen(self.context, &named, Protected { guests, is_all });
        is_all
    }

    /// Every guest, so many at once.
    async fn read_guests(
        &self,
        guests: &[Guest],
        ground: &map::Ground<'_>,
    ) -> (Vec<Workload>, Vec<NativePolicy>, UsedNetworks) {
        let limits = &self.session.run().target.limits;
        let room = usize::try_from(limits.objects_max).unwrap_or(usize::MAX);
        if guests.len() > room {
            let left_out = (guests.len() - room) as u64;
            let message = format!("only the first {room} guests are read");
            let found = Found::of(GapCause::LimitReached, "workloads", &message);
            self.gaps.add_many(found, left_out);
        }
        let guests = guests.get(..room).unwrap_or(guests);
        let read =
            each(limits.parallel_calls, guests, |guest| Box::pin(self.read_guest(guest, ground)))
                .await;
        let (mut workloads, mut policies) = (Vec::with_capacity(read.len()), Vec::new());
        let mut networks = UsedNetworks::new();
        for it in read {
            workloads.extend(it.workload);
            policies.extend(it.policies);
            networks.extend(it.networks);
        }
        self.watch("workloads", workloads.len(), 5);
        (workloads, policies, networks)
    }

    async fn read_guest(&self, guest: &Guest, ground: &map::Ground<'_>) -> map::GuestRead {
        let mut answers = Answers::default();
        if ground.nodes.offline.contains(&guest.node) {
            let message = "the guest's node is offline: its configuration cannot be read";
            let node = Some(guest.node.as_str());
            self.gaps.add(GapCause::Unreachable, "workloads", None, message, node);
        } else {
            answers.ask_in_turn(self.session, self.gaps, &ask::of_guest(guest)).await;
            let more = ask::of_configured(self.context, guest, &answers);
            answers.ask_in_turn(self.session, self.gaps, &more).await;
            let rest = ask::of_firewall(guest, &answers);
            answers.ask_in_turn(self.session, self.gaps, &rest).await;
            let sets = ask::of_guest_sets(guest, &answers);
            answers.ask_in_turn(self.session, self.gaps, &sets).await;
        }
        map::map_guest(self.context, guest, &answers, ground)
    }
}
