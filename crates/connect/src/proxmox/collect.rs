//! Logging in and asking, in four rounds: the cluster, its nodes, what those name, and each guest.

mod answers;
mod guests;
mod questions;
mod rights;
mod session;

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{Collection, GapCause, Moment, Text};
use serde_json::Value;

pub(super) use answers::Answers;
use answers::log;
use questions as ask;
pub(super) use questions::OF_NODES;
pub(super) use rights::few;
use rights::{NEEDS, RIGHTS, Sight};
use session::Session;
pub(super) use session::{Failure, Version};

use super::map::{self, Availability, Context, Guest, Nodes, Protected, Storages, TaskLog};
use super::wire::Gaps;
use super::{NAME, PRODUCT};
use crate::connector::source_limits;
use crate::live::{CheckReport, ConnectError, Credentials, Found, Right, RightState, Run};
use crate::proxmox::LIMITS;

/// How many of the collection's steps somebody who watches sees.
const STEPS: usize = 5;
const TASKS: &str = "/nodes/{}/tasks";
/// Lists that tasks feed.
const OF_TASKS: [&str; 2] = ["activities", "attachments"];

/// The least-privilege table.
pub(super) fn rights() -> &'static [Right] {
    &RIGHTS
}

/// Logs in and says what is there.
pub(super) async fn check(run: Run<'_>) -> Result<CheckReport, ConnectError> {
    let session = Session::open(run).await.map_err(|reason| run.refused(reason))?;
    let told = session.get("/access/permissions", &[], &[]).await;
    let list = session.get("/access/acl", &[], &[]).await;
    let sight = Sight::of(told.as_ref().ok(), list.as_ref().ok());
    let state = |need| match (sight.state(need), &told) {
        (Some(state), _) => state,
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

/// Reads everything.
pub(super) async fn collect(run: Run<'_>) -> Result<Collection, ConnectError> {
    let session = Session::open(run).await.map_err(|reason| run.refused(reason))?;
    let gaps = Gaps::default();
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
    let sight =
        Sight::of(answers.value("/access/permissions", &[]), answers.value("/access/acl", &[]));
    let guests = map::guests(&context, &answers, &nodes, sight.sees_all_pools());
    let is_all = reader.judge(&answers, &sight, &guests, &availability);
    let ground = map::Ground {
        nodes: &nodes,
        storages: &storages,
        availability: &availability,
        clocks: clocks(&answers, &nodes),
    };
    let read = reader.read_guests(&guests, &ground).await;
    let mut collection = Collection::empty(source);
    let about = (run.target, &session.version);
    map::hosts(&context, &answers, (&nodes, &availability), about, &mut collection);
    map::datastores(&context, &answers, &storages, &nodes, &mut collection);
    map::volumes(&context, &answers, &storages, &places, &mut collection);
    map::networks(&context, &answers, &nodes, &read.networks, &mut collection);
    map::access(&context, &answers, &mut collection);
    map::placement(&context, &answers, &nodes, &mut collection);
    let protected = Protected { guests: &guests, is_all };
    map::protection(&context, &answers, &nodes, protected, &mut collection);
    map::receivers(&context, &answers, &mut collection);
    map::activity(&context, tasks, &mut collection);
    map::policies(&context, &answers, &mut collection);
    collection.control.policies.extend(read.policies);
    collection.workloads = read.workloads;
    collection.workloads.sort_by(|a, b| a.id.cmp(&b.id));
    context.mapped("workloads", collection.workloads.len());
    map::share_disks(&mut collection.workloads);
    map::tags(&context, &mut collection);
    collection.control.sort();
    collection.source.sections = context.tallies();
    collection.gaps = gaps.finish(&run.target.address);
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
                return self.stop_tasks(&message, None);
            }
            let (first, size) = (start.to_string(), page_size.min(room - tasks.len()).max(1));
            let size_text = size.to_string();
            let mut query =
                vec![("start", first.as_str()), ("limit", size_text.as_str()), ("source", "all")];
            query.extend(since.as_deref().map(|it| ("since", it)));
            let page = match self.session.get(TASKS, &[node], &query).await {
                Ok(Value::Array(page)) => page,
                Ok(_) => {
                    let failure = Failure::unexpected(&TASKS.replace("{}", node), "list");
                    return log(self.gaps, &OF_TASKS, TASKS, &failure);
                }
                Err(failure) => return log(self.gaps, &OF_TASKS, TASKS, &failure),
            };
            let new = tasks.add(self.context, &page);
            if page.len() < size {
                return;
            }
            if new == 0 {
                let message = "pages of tasks repeat what was read: the rest is missing";
                return self.stop_tasks(message, Some(node));
            }
            start += page.len();
        }
    }

    /// Not all tasks were read.
    fn stop_tasks(&self, message: &str, value: Option<&str>) {
        for section in OF_TASKS {
            let found = Found::of(GapCause::LimitReached, section, message).field(TASKS);
            self.gaps.add(Found { value, ..found });
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
    fn judge(
        &self,
        answers: &Answers,
        sight: &Sight,
        guests: &[Guest],
        availability: &Availability,
    ) -> bool {
        sight.log(self.gaps);
        let is_listed = answers.list("/cluster/resources", &[]).is_some();
        let is_all = is_listed && sight.sees_all_guests();
        let mut named: BTreeSet<Text> = availability.named().cloned().collect();
        named.extend(sight.guests_named());
        named.extend(ask::guests_named_by_jobs(answers));
        map::unseen(self.context, &named, Protected { guests, is_all });
        is_all
    }
}
