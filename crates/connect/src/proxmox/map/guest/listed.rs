//! Guests as lists show them: the cluster's, which may be late, and each node's own, which is not.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use entente_model::{GapCause, Observed, Text, Why};
use serde_json::Value;

use super::agent;
use crate::live::Found;
use crate::proxmox::collect::Answers;
use crate::proxmox::map::{Context, Nodes};
use crate::proxmox::wire::{Gaps, Record};

const CLUSTER: &str = "/cluster/resources";

/// The two kinds of guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::proxmox) enum Kind {
    /// A QEMU machine.
    Machine,
    /// An LXC container.
    Container,
}

/// Where a guest is asked what.
#[derive(Clone, Copy, Debug)]
pub(in crate::proxmox) struct GuestAnswers {
    pub config: &'static str,
    pub pending: &'static str,
    pub status: &'static str,
    pub snapshots: &'static str,
    pub firewall_options: &'static str,
    pub firewall_rules: &'static str,
    pub firewall_ipsets: &'static str,
    pub firewall_ipset: &'static str,
    pub firewall_aliases: &'static str,
    pub agent: &'static [&'static str],
}

macro_rules! calls {
    ($kind:literal, $agent:expr) => {
        GuestAnswers {
            config: concat!("/nodes/{}/", $kind, "/{}/config"),
            pending: concat!("/nodes/{}/", $kind, "/{}/pending"),
            status: concat!("/nodes/{}/", $kind, "/{}/status/current"),
            snapshots: concat!("/nodes/{}/", $kind, "/{}/snapshot"),
            firewall_options: concat!("/nodes/{}/", $kind, "/{}/firewall/options"),
            firewall_rules: concat!("/nodes/{}/", $kind, "/{}/firewall/rules"),
            firewall_ipsets: concat!("/nodes/{}/", $kind, "/{}/firewall/ipset"),
            firewall_ipset: concat!("/nodes/{}/", $kind, "/{}/firewall/ipset/{}"),
            firewall_aliases: concat!("/nodes/{}/", $kind, "/{}/firewall/aliases"),
            agent: $agent,
        }
    };
}

static MACHINE: GuestAnswers =
    calls!("qemu", &[agent::SYSTEM, agent::INTERFACES, agent::HOST_NAME]);
static CONTAINER: GuestAnswers = calls!("lxc", &[agent::CONTAINER_INTERFACES]);

impl Kind {
    fn of(word: &str) -> Option<Self> {
        match word {
            "qemu" => Some(Self::Machine),
            "lxc" => Some(Self::Container),
            _ => None,
        }
    }

    /// Where guests of this kind are asked what.
    pub(in crate::proxmox) fn calls(self) -> &'static GuestAnswers {
        match self {
            Self::Machine => &MACHINE,
            Self::Container => &CONTAINER,
        }
    }
}

/// A guest as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::proxmox) struct Guest {
    /// Its number, unique in the cluster.
    pub vmid: Text,
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub node: Text,
    /// Its name; containers and guests that were never reported have none.
    pub name: Observed<Text>,
    /// `running`, `stopped`, `unknown`.
    pub status: Observed<Text>,
    /// It is a template.
    pub is_template: bool,
    /// Pool in which it is filed.
    pub pool: Observed<Text>,
    /// Processors that it may use.
    pub processors: Observed<u64>,
    /// Memory that it may use.
    pub memory_bytes: Observed<u64>,
    /// Memory that it uses.
    pub memory_used_bytes: Observed<u64>,
    /// How long it has been running.
    pub uptime_seconds: Observed<u64>,
}

impl Guest {
    /// True while it runs, as far as is known.
    pub(in crate::proxmox) fn is_running(&self) -> bool {
        self.runs() == Observed::Value(true)
    }

    /// Whether it runs.
    pub(in crate::proxmox) fn runs(&self) -> Observed<bool> {
        match self.status.value().map(Text::as_str) {
            Some("running") => Observed::Value(true),
            Some("stopped") => Observed::Value(false),
            _ => Observed::Unobserved(Why::CallFailed),
        }
    }

    /// The same guest where it was found now. Only lists of the cluster tell of pools.
    pub(in crate::proxmox) fn found_again(&self, now: &Self) -> Self {
        Self { pool: self.pool.clone(), is_template: self.is_template, ..now.clone() }
    }

    fn of(record: &Record<'_>, kind: Kind, node: Text) -> Option<Self> {
        let vmid = record.required("vmid")?;
        Some(Self {
            kind,
            node,
            name: record.text("name"),
            status: record.text("status"),
            is_template: record.flag("template").copied().unwrap_or(false),
            pool: record.text("pool"),
            processors: match record.number("maxcpu") {
                Observed::Absent => record.number("cpus"),
                told => told,
            },
            memory_bytes: record.number("maxmem"),
            memory_used_bytes: record.number("mem"),
            uptime_seconds: record.number("uptime"),
            vmid,
        })
    }

    /// True if the node's own list tells another state than the cluster's.
    fn differs(&self, own: &Self) -> bool {
        let is_told = |it: &Self| it.status.value().is_some_and(|it| it != "unknown");
        self.kind != own.kind || is_told(self) && is_told(own) && self.status != own.status
    }

    /// Takes over what its node tells.
    fn heed(&mut self, own: Self) {
        fn take<T>(mine: &mut Observed<T>, own: Observed<T>) {
            if own.value().is_some() {
                *mine = own;
            }
        }
        self.kind = own.kind;
        self.node = own.node;
        self.is_template |= own.is_template;
        take(&mut self.name, own.name);
        take(&mut self.status, own.status);
        take(&mut self.processors, own.processors);
        take(&mut self.memory_bytes, own.memory_bytes);
        take(&mut self.memory_used_bytes, own.memory_used_bytes);
        take(&mut self.uptime_seconds, own.uptime_seconds);
    }
}

/// One guest of the cluster's list; nothing for what is none.
fn resource(record: &Record<'_>) -> Option<Option<Guest>> {
    let kind = Kind::of(record.text("type").value()?)?;
    Some(record.required("node").and_then(|node| Guest::of(record, kind, node)))
}

/// Guests in a list of the cluster, and whether every element was understood.
pub(in crate::proxmox) fn listed(list: &[Value], gaps: &Gaps) -> (Vec<Guest>, bool) {
    let records: Vec<_> = Record::each(list, "workloads", gaps).collect();
    let found: Vec<_> = records.iter().filter_map(resource).collect();
    let is_whole = records.len() == list.len() && found.iter().all(Option::is_some);
    (found.into_iter().flatten().collect(), is_whole)
}

/// All guests, by number: what the cluster's list shows, corrected by what the nodes' own lists show,
/// and what only those show.
pub(in crate::proxmox) fn guests(
    context: &Context<'_>,
    answers: &Answers,
    nodes: &Nodes,
    sees_all_pools: bool,
) -> Vec<Guest> {
    let mut guests: BTreeMap<(u64, Text), Guest> = BTreeMap::new();
    let key = |it: &Guest| (it.vmid.parse().unwrap_or(u64::MAX), it.vmid.clone());
    let list = answers.list(CLUSTER, &[]);
    for record in Record::each(list.unwrap_or_default(), "workloads", context.gaps) {
        let Some(guest) = resource(&record) else { continue };
        context.tally("workloads", record.cells(), false);
        let Some(mut guest) = guest else { continue };
        if guest.pool == Observed::Absent && !sees_all_pools {
            guest.pool = Observed::Unobserved(Why::NoPermission);
        }
        guests.insert(key(&guest), guest);
    }
    let mut unlisted = 0;
    for (record, mut guest) in nodes.online.iter().flat_map(|it| of_node(context, answers, it)) {
        match guests.entry(key(&guest)) {
            Entry::Vacant(entry) => {
                context.tally("workloads", record.cells(), false);
                unlisted += u64::from(list.is_some());
                // Lists of nodes do not tell of pools.
                let why = if list.is_some() { Why::Blank } else { answers.why(CLUSTER, &[]) };
                guest.pool = Observed::Unobserved(why);
                entry.insert(guest);
            }
            Entry::Occupied(mut entry) => {
                if entry.get().differs(&guest) {
                    let message = "the cluster's list and the node's own tell different states of a guest: the node's is taken";
                    let found = Found::of(GapCause::Conflict, "workloads", message);
                    context.gaps.add(found.field("status").value(&guest.vmid));
                }
                entry.get_mut().heed(guest);
            }
        }
    }
    if unlisted > 0 {
        let message = "a node lists guests that the cluster's list does not show";
        let found = Found::of(GapCause::Conflict, "workloads", message);
        context.gaps.add_many(found, unlisted);
    }
    guests.into_values().collect()
}

/// Guests in a node's own lists.
fn of_node<'a>(
    context: &'a Context<'_>,
    answers: &'a Answers,
    node: &Text,
) -> Vec<(Record<'a>, Guest)> {
    let mut found = Vec::new();
    for (call, kind) in [("/nodes/{}/qemu", Kind::Machine), ("/nodes/{}/lxc", Kind::Container)] {
        let list = answers.list(call, &[node]).unwrap_or_default();
        for record in Record::each(list, "workloads", context.gaps) {
            // A bad element of the cluster's list is bad here, too: it is told once.
            let quiet = Gaps::default();
            let guest = Guest::of(&record.logging_to(&quiet), kind, node.clone());
            found.extend(guest.map(|it| (record, it)));
        }
    }
    found
}
