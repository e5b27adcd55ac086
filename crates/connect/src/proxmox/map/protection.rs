//! Backup and replication jobs, with the guests that they cover, and guests that none covers.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{
    Collection, Finding, GapCause, Listing, Observed, ProtectionJob, ProtectionKind, Severity,
    Text, Why, WorkloadId,
};

use super::{Context, Guest, Nodes};
use crate::live::Found;
use crate::proxmox::collect::{Answers, few};
use crate::proxmox::wire::{Record, items};
use crate::secrets::redacted;

const JOBS: &str = "/cluster/backup";
const UNPROTECTED: &str = "/cluster/backup-info/not-backed-up";
const REPLICATION: &str = "/cluster/replication";
const NODE_REPLICATION: &str = "/nodes/{}/replication";
/// How often a replication runs unless it says otherwise.
const REPLICATION_SCHEDULE: &str = "*/15";
/// What else a backup job tells. Mail addresses are nobody's business.
const DETAILS: [&str; 15] = [
    "all",
    "comment",
    "compress",
    "exclude",
    "exclude-path",
    "fleecing",
    "mode",
    "node",
    "notes-template",
    "pool",
    "protected",
    "remove",
    "repeat-missed",
    "script",
    "zstd",
];
/// What else a replication tells.
const REPLICATION_DETAILS: [&str; 8] =
    ["comment", "error", "fail_count", "last_sync", "next_sync", "rate", "remove_job", "source"];
/// The guests of the platform, and whether they are all.
#[derive(Clone, Copy)]
pub(in crate::proxmox) struct Protected<'a> {
    /// Guests that are seen.
    pub guests: &'a [Guest],
    /// Nothing is hidden.
    pub is_all: bool,
}

/// Maps jobs and what they leave out.
pub(in crate::proxmox) fn protection(
    context: &Context<'_>,
    answers: &Answers,
    nodes: &Nodes,
    protected: Protected<'_>,
    collection: &mut Collection,
) {
    let list = answers.list(JOBS, &[]).unwrap_or_default();
    for record in Record::each(list, "protection_jobs", context.gaps) {
        let job = backup(context, &record, protected);
        context.tally("protection_jobs", record.cells(), job.is_some());
        collection.control.protection_jobs.extend(job);
    }
    replication(context, answers, nodes, collection);
    collection.findings.extend(unprotected(context, answers));
}

fn details(record: &Record<'_>, keys: &[&'static str]) -> BTreeMap<Text, Text> {
    keys.iter()
        .filter_map(|key| Some((Text::new_static(key), redacted(record.text(key).value()?))))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

fn backup(
    context: &Context<'_>,
    record: &Record<'_>,
    protected: Protected<'_>,
) -> Option<ProtectionJob> {
    let native_id = record.required("id")?;
    let schedule = match (record.text("schedule"), record.text("dow"), record.text("starttime")) {
        (Observed::Absent, Observed::Value(days), Observed::Value(time)) => {
            Observed::Value(format!("{days} {time}").into())
        }
        (Observed::Absent, _, time) => time,
        (told, ..) => told,
    };
    let retention = retention(record);
    let target = match (record.text("storage"), record.text("dumpdir")) {
        (Observed::Absent, folder) => folder,
        (told, _) => told,
    };
    Some(ProtectionJob {
        platform: context.platform.clone(),
        native_id,
        kind: ProtectionKind::Backup,
        enabled: record.flag_or("enabled", true),
        schedule,
        target,
        retention,
        workloads: selection(context, record, protected),
        details: details(record, &DETAILS),
    })
}

/// How long copies are kept: an object in newer versions, a string of properties or a number of files
/// in older ones.
fn retention(record: &Record<'_>) -> Observed<Text> {
    if let Some(inner) = record.inner("prune-backups") {
        let parts: Vec<String> = inner
            .keys()
            .filter_map(|key| Some(format!("{key}={}", inner.text(key).value()?)))
            .collect();
        return Observed::Value(parts.join(",").into());
    }
    match record.text("prune-backups") {
        Observed::Absent => record.text("maxfiles").map(|it| format!("maxfiles={it}").into()),
        told => told,
    }
}

/// Which guests a backup job covers, in the order in which the platform decides: those of a pool, else
/// those that it names, else all but some; on one node where it names one.
fn selection(
    context: &Context<'_>,
    record: &Record<'_>,
    protected: Protected<'_>,
) -> Listing<WorkloadId> {
    let told = |key| match record.text(key) {
        Observed::Value(text) if text.trim().is_empty() => Observed::Absent,
        told => told,
    };
    let (pool, named, node, exclude) = (told("pool"), told("vmid"), told("node"), told("exclude"));
    let all = record.flag_or("all", false);
    let unclear = [pool.why(), named.why(), node.why(), exclude.why(), all.why()];
    if let Some(why) = unclear.into_iter().flatten().next() {
        return Listing::unobserved(why);
    }
    let left_out: BTreeSet<&str> =
        exclude.value().map(|it| items(it).collect()).unwrap_or_default();
    let here = Here { protected, node: node.value() };
    let (chosen, lacking) = if let Observed::Value(pool) = &pool {
        here.of_pool(context, pool, &left_out)
    } else if let Observed::Value(named) = &named {
        here.of_names(named)
    } else if all == Observed::Value(true) || !left_out.is_empty() {
        // To leave some out is to take all others.
        let rest = here.guests().map(|it| it.vmid.as_str());
        (rest.filter(|it| !left_out.contains(it)).collect(), here.unseen())
    } else {
        (BTreeSet::new(), Some(Why::Blank))
    };
    let mut guests: Vec<_> = chosen.iter().filter_map(|it| context.workload(it)).collect();
    guests.sort();
    let lacking = lacking.or((guests.len() < chosen.len()).then_some(Why::Unreadable));
    match lacking {
        None => Listing::complete(guests),
        Some(why) => Listing::incomplete(guests, why),
    }
}

/// Numbers of guests that a job covers, and why there may be more.
type Chosen<'a> = (BTreeSet<&'a str>, Option<Why>);

/// The guests among which a job chooses.
#[derive(Clone, Copy)]
struct Here<'a> {
    protected: Protected<'a>,
    /// The one node on which it runs.
    node: Option<&'a Text>,
}

impl<'a> Here<'a> {
    fn guests(self) -> impl Iterator<Item = &'a Guest> {
        let guests = self.protected.guests.iter();
        guests.filter(move |it| self.node.is_none_or(|node| *node == it.node))
    }

    /// Why there may be guests that nobody sees.
    fn unseen(self) -> Option<Why> {
        (!self.protected.is_all).then_some(Why::NoPermission)
    }

    fn of_pool(self, context: &Context<'_>, pool: &Text, left_out: &BTreeSet<&str>) -> Chosen<'a> {
        let (mut chosen, mut lacking) = (BTreeSet::new(), self.unseen());
        for guest in self.guests() {
            match &guest.pool {
                Observed::Value(of) if of != pool => {}
                Observed::Value(_) if left_out.contains(guest.vmid.as_str()) => {
                    let message = "a backup job leaves a guest out of a pool: whether that holds is not documented";
                    let found = Found::of(GapCause::UnknownValue, "protection_jobs", message);
                    context.gaps.add(found.field("exclude").value(&guest.vmid));
                    lacking = lacking.or(Some(Why::Unreadable));
                }
                Observed::Value(_) => {
                    chosen.insert(guest.vmid.as_str());
                }
                Observed::Absent => {}
                Observed::Unobserved(why) => lacking = lacking.or(Some(*why)),
            }
        }
        (chosen, lacking)
    }

    /// A guest that is named is covered where the job runs on every node, or on the guest's.
    fn of_names(self, named: &'a str) -> Chosen<'a> {
        if self.node.is_none() {
            return (items(named).collect(), None);
        }
        let known: BTreeSet<&str> =
            self.protected.guests.iter().map(|it| it.vmid.as_str()).collect();
        let is_known = items(named).all(|it| known.contains(it));
        let here: BTreeSet<&str> = self.guests().map(|it| it.vmid.as_str()).collect();
        let chosen = items(named).filter(|it| here.contains(it)).collect();
        (chosen, if is_known { None } else { self.unseen() })
    }
}

/// Replications as the cluster knows them, with what the node that runs them tells.
fn replication(
    context: &Context<'_>,
    answers: &Answers,
    nodes: &Nodes,
    collection: &mut Collection,
) {
    let mut running: BTreeMap<Text, BTreeMap<Text, Text>> = BTreeMap::new();
    for node in &nodes.online {
        let list = answers.list(NODE_REPLICATION, &[node]).unwrap_or_default();
        for record in Record::each(list, "protection_jobs", context.gaps) {
            if let Observed::Value(id) = record.text("id") {
                running.entry(id).or_default().extend(details(&record, &REPLICATION_DETAILS));
            }
        }
    }
    let list = answers.list(REPLICATION, &[]).unwrap_or_default();
    for record in Record::each(list, "protection_jobs", context.gaps) {
        let Some(native_id) = record.required("id") else {
            context.tally("protection_jobs", record.cells(), false);
            continue;
        };
        context.tally("protection_jobs", record.cells(), true);
        let guest = match record.text("guest") {
            Observed::Absent => Observed::or_absent(native_id.split('-').next().map(Text::from)),
            told => told,
        };
        let mut details = details(&record, &REPLICATION_DETAILS);
        details.extend(running.remove(&native_id).unwrap_or_default());
        collection.control.protection_jobs.push(ProtectionJob {
            platform: context.platform.clone(),
            native_id,
            kind: ProtectionKind::Replication,
            enabled: record.flag_or("disable", false).map(|it| !it),
            schedule: match record.text("schedule") {
                Observed::Absent => Observed::Value(REPLICATION_SCHEDULE.into()),
                told => told,
            },
            target: record.text("target"),
            retention: Observed::Absent,
            workloads: match guest {
                Observed::Value(vmid) => match context.workload(&vmid) {
                    Some(workload) => Listing::complete(vec![workload]),
                    None => Listing::unobserved(Why::Unreadable),
                },
                Observed::Absent => Listing::unobserved(Why::Blank),
                Observed::Unobserved(why) => Listing::unobserved(why),
            },
            details,
        });
    }
}

/// Guests that the platform itself says are in no backup job.
fn unprotected(context: &Context<'_>, answers: &Answers) -> Option<Finding> {
    let list = answers.list(UNPROTECTED, &[])?;
    let names: Vec<String> = Record::each(list, "protection_jobs", context.gaps)
        .filter_map(|record| {
            let vmid = record.required("vmid")?;
            Some(match record.text("name") {
                Observed::Value(name) => format!("{name} ({vmid})"),
                _ => vmid.to_string(),
            })
        })
        .collect();
    let shown: Vec<&str> = names.iter().map(String::as_str).collect();
    let message = match names.len() {
        0 => return None,
        1 => format!("1 guest is in no backup job: {}", few(&shown)),
        count => format!("{count} guests are in no backup job: {}", few(&shown)),
    };
    Some(Finding {
        severity: Severity::Warning,
        code: Text::new_static("ENT-0209"),
        subject: context.platform.to_string().into(),
        message: message.into(),
        remedy: "add them to a backup job, or make sure that another tool backs them up".into(),
    })
}

/// Guests that jobs, HA or pools name but that nobody sees.
pub(in crate::proxmox) fn unseen(
    context: &Context<'_>,
    named: &BTreeSet<Text>,
    protected: Protected<'_>,
) {
    let seen: BTreeSet<&Text> = protected.guests.iter().map(|it| &it.vmid).collect();
    let missing: Vec<&str> =
        named.iter().filter(|it| !seen.contains(it)).map(Text::as_str).collect();
    if missing.is_empty() {
        return;
    }
    let (cause, message) = if protected.is_all {
        (GapCause::DanglingReference, "guests that jobs, HA, pools or grants name do not exist")
    } else {
        (
            GapCause::NoPermission,
            "guests that jobs, HA, pools or grants name are not shown to the account",
        )
    };
    let count = missing.len() as u64;
    let missing = few(&missing);
    context.gaps.add_many(Found::of(cause, "workloads", message).value(&missing), count);
}
