//! What is asked, and when: which questions follow from which answers.

use std::collections::BTreeSet;

use entente_model::Text;
use serde_json::Value;

use super::answers::{Answers, Question};
use crate::proxmox::map::{Guest, Kind, agent_may_answer, may_filter};
use crate::proxmox::wire::items;

/// First version with rules of HA instead of groups, and with a firewall of virtual networks.
const RULES_SINCE: u32 = 9;
/// First version with targets of notifications.
const NOTIFICATIONS_SINCE: u32 = 8;

const FIREWALL_GROUPS: &str = "/cluster/firewall/groups";
const FIREWALL_SETS: &str = "/cluster/firewall/ipset";
const VNETS: &str = "/cluster/sdn/vnets";
const POLICIES: &[&str] = &["policies"];
/// With what is not in force yet.
const PENDING: &[(&str, &str)] = &[("pending", "1")];

/// About the cluster.
pub(super) fn of_cluster(major: u32) -> Vec<Question> {
    let ask = Question::new;
    let mut questions = vec![
        ask(&["workloads"], "/access/permissions").object(),
        ask(&["workloads", "hosts", "protection_jobs"], "/cluster/resources"),
        ask(&["hosts", "clusters"], "/nodes"),
        ask(&["clusters", "hosts", "workloads"], "/cluster/status"),
        ask(&["clusters"], "/cluster/options").object(),
        ask(&["overrides", "workloads", "clusters", "placement_groups"], "/cluster/ha/resources"),
        ask(&["hosts"], "/cluster/ha/status/manager_status").object(),
        ask(&["protection_jobs"], "/cluster/replication"),
        ask(&["protection_jobs"], "/cluster/backup"),
        ask(&["protection_jobs"], "/cluster/backup-info/not-backed-up"),
        ask(&["datastores", "volumes", "workloads"], "/storage"),
        ask(&["folders"], "/pools"),
        ask(&["principals", "attachments"], "/access/users").with(&[("full", "1")]),
        ask(&["principals"], "/access/groups"),
        ask(&["roles"], "/access/roles"),
        ask(&["grants"], "/access/acl"),
        ask(&["authentication_sources"], "/access/domains"),
        ask(&["attachments"], "/cluster/metrics/server"),
        ask(POLICIES, "/cluster/firewall/options").object(),
        ask(POLICIES, "/cluster/firewall/rules"),
        ask(POLICIES, FIREWALL_GROUPS),
        ask(POLICIES, FIREWALL_SETS),
        ask(POLICIES, "/cluster/firewall/aliases"),
        ask(POLICIES, "/cluster/sdn/zones").with(PENDING),
        ask(&["networks", "switches", "policies"], VNETS).with(PENDING),
        ask(POLICIES, "/cluster/sdn/controllers").with(PENDING),
    ];
    questions.push(if major >= RULES_SINCE {
        ask(&["placement_rules", "workloads"], "/cluster/ha/rules")
    } else {
        ask(&["placement_groups", "placement_rules", "workloads"], "/cluster/ha/groups")
    });
    if major >= NOTIFICATIONS_SINCE {
        questions.push(ask(&["attachments"], "/cluster/notifications/targets"));
    }
    questions
}

/// Names in a list of objects.
fn names<'a>(
    answers: &'a Answers,
    call: &'static str,
    args: &[&str],
    key: &'a str,
) -> impl Iterator<Item = &'a str> {
    answers.list(call, args).unwrap_or_default().iter().filter_map(move |it| it.get(key)?.as_str())
}

/// About what the cluster's answers name.
pub(super) fn of_named(answers: &Answers, major: u32) -> Vec<Question> {
    let about = |call, name: &str| Question::about(POLICIES, call, &[name]);
    let mut questions: Vec<Question> = names(answers, FIREWALL_GROUPS, &[], "group")
        .map(|it| about("/cluster/firewall/groups/{}", it))
        .collect();
    questions.extend(
        names(answers, FIREWALL_SETS, &[], "name")
            .map(|it| about("/cluster/firewall/ipset/{}", it)),
    );
    for vnet in names(answers, VNETS, &[], "vnet") {
        questions.push(about("/cluster/sdn/vnets/{}/subnets", vnet).with(PENDING));
        if major >= RULES_SINCE {
            questions.push(about("/cluster/sdn/vnets/{}/firewall/options", vnet).object());
            questions.push(about("/cluster/sdn/vnets/{}/firewall/rules", vnet));
        }
    }
    questions
}

/// About the tokens of a user.
pub(super) fn of_user(user: &str) -> Question {
    Question::about(&["principals", "attachments"], "/access/users/{}/token", &[user])
}

/// Lists that are fed by what nodes answer.
pub(in crate::proxmox) const OF_NODES: [&str; 11] = [
    "hosts",
    "clusters",
    "workloads",
    "networks",
    "switches",
    "licences",
    "datastores",
    "volumes",
    "protection_jobs",
    "policies",
    "activities",
];

/// About a node.
pub(super) fn of_node(node: &str) -> Vec<Question> {
    let about = |sections, call| Question::about(sections, call, &[node]);
    vec![
        about(&["hosts", "clusters", "workloads"], "/nodes/{}/status").object(),
        about(&["hosts"], "/nodes/{}/version").object(),
        about(&["networks", "switches"], "/nodes/{}/network"),
        about(&["licences", "hosts"], "/nodes/{}/subscription").object(),
        about(&["hosts"], "/nodes/{}/certificates/info"),
        about(&["datastores", "volumes"], "/nodes/{}/storage"),
        about(&["workloads"], "/nodes/{}/qemu"),
        about(&["workloads"], "/nodes/{}/lxc"),
        about(&["protection_jobs"], "/nodes/{}/replication"),
        about(POLICIES, "/nodes/{}/firewall/options").object(),
        about(POLICIES, "/nodes/{}/firewall/rules"),
    ]
}

/// About what a storage holds.
pub(super) fn of_storage(node: &str, storage: &str) -> Question {
    Question::about(&["volumes"], "/nodes/{}/storage/{}/content", &[node, storage])
}

fn of(guest: &Guest, call: &'static str) -> Question {
    Question::about(&["workloads"], call, &[&guest.node, &guest.vmid])
}

/// About a guest.
pub(super) fn of_guest(guest: &Guest) -> Vec<Question> {
    let calls = guest.kind.calls();
    // What runs, not what waits for the next start.
    let config = of(guest, calls.config).object().with(&[("current", "1")]);
    let mut questions = vec![config.feeding(&["workloads", "networks", "policies"])];
    if !guest.is_template {
        questions.push(of(guest, calls.snapshots));
    }
    if guest.is_running() {
        questions.push(of(guest, calls.pending));
        questions.push(of(guest, calls.status).object());
    }
    questions
}

/// About a guest whose configuration is known.
pub(super) fn of_configured(guest: &Guest, answers: &Answers) -> Vec<Question> {
    let calls = guest.kind.calls();
    let args = [guest.node.as_str(), guest.vmid.as_str()];
    let Some(config) = answers.value(calls.config, &args) else { return Vec::new() };
    let mut questions = Vec::new();
    if agent_may_answer(guest, config) {
        questions.extend(calls.agent.iter().map(|call| match guest.kind {
            Kind::Machine => of(guest, call).object(),
            Kind::Container => of(guest, call),
        }));
    }
    // Rules of a guest bind only interfaces that ask for them.
    if may_filter(guest, answers) {
        questions.push(of(guest, calls.firewall_options).object().feeding(POLICIES));
    }
    questions
}

/// About the firewall of a guest that has it switched on.
pub(super) fn of_firewall(guest: &Guest, answers: &Answers) -> Vec<Question> {
    let calls = guest.kind.calls();
    let args = [guest.node.as_str(), guest.vmid.as_str()];
    let options = answers.value(calls.firewall_options, &args);
    // What cannot be understood may be on.
    let may_be_on = options.is_some_and(|it| match it.get("enable") {
        None | Some(Value::Null) => false,
        Some(Value::Number(number)) => number.as_u64() != Some(0),
        Some(Value::Bool(value)) => *value,
        Some(Value::String(text)) => text != "0",
        Some(_) => true,
    });
    if !may_be_on {
        return Vec::new();
    }
    [calls.firewall_rules, calls.firewall_ipsets, calls.firewall_aliases]
        .into_iter()
        .map(|call| of(guest, call).feeding(POLICIES))
        .collect()
}

/// About the sets of a guest's firewall.
pub(super) fn of_guest_sets(guest: &Guest, answers: &Answers) -> Vec<Question> {
    let calls = guest.kind.calls();
    let args = [guest.node.as_str(), guest.vmid.as_str()];
    names(answers, calls.firewall_ipsets, &args, "name")
        .map(|set| {
            Question::about(POLICIES, calls.firewall_ipset, &[&guest.node, &guest.vmid, set])
        })
        .collect()
}

/// Numbers of guests that backup jobs and replications name.
pub(super) fn guests_named_by_jobs(answers: &Answers) -> BTreeSet<Text> {
    let mut named = BTreeSet::new();
    let jobs = answers.list("/cluster/backup", &[]).unwrap_or_default();
    let replications = answers.list("/cluster/replication", &[]).unwrap_or_default();
    for (list, key) in [(jobs, "vmid"), (replications, "guest")] {
        for value in list.iter().filter_map(|it| it.get(key)) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let guests = items(&text).filter(|it| it.chars().all(|it| it.is_ascii_digit()));
            named.extend(guests.map(Text::from));
        }
    }
    named
}
