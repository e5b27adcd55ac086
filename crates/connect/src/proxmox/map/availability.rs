//! High availability: which guests restart elsewhere, and which rules say where.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{
    Collection, GapCause, HostId, Listing, Observed, PlacementGroup, PlacementRule,
    PlacementRuleKind, Text, Why, WorkloadId, WorkloadOverride,
};

use super::{Context, Nodes};
use crate::proxmox::collect::Answers;
use crate::proxmox::wire::{Record, items};

const RESOURCES: &str = "/cluster/ha/resources";
const MANAGER: &str = "/cluster/ha/status/manager_status";
const RULES: &str = "/cluster/ha/rules";
const GROUPS: &str = "/cluster/ha/groups";
/// States in which a guest is looked after.
const GUARDED: [&str; 4] = ["started", "enabled", "stopped", "request_start"];
/// States in which it is not.
const UNGUARDED: [&str; 2] = ["disabled", "ignored"];
/// What a resource tells beside its state, kept as it is told.
const SETTINGS: [&str; 6] =
    ["state", "group", "max_relocate", "max_restart", "failback", "auto-rebalance"];

/// What HA does with each guest.
#[derive(Clone, Debug)]
pub(in crate::proxmox) struct Availability {
    resources: Observed<BTreeMap<Text, Observed<bool>>>,
    maintenance: Observed<BTreeSet<Text>>,
    /// Names of rules and groups that name a guest, by its number.
    rules: BTreeMap<Text, Vec<Text>>,
    /// Why rules may be missing.
    rules_why: Option<Why>,
}

impl Availability {
    /// From what HA tells.
    pub(in crate::proxmox) fn of(context: &Context<'_>, answers: &Answers) -> Self {
        let resources = match answers.list(RESOURCES, &[]) {
            None => answers.untold(RESOURCES, &[]),
            Some(list) => Observed::Value(
                Record::each(list, "overrides", context.gaps)
                    .filter_map(|it| {
                        Some((
                            vmid_of(&it.text("sid").value()?.clone())?.into(),
                            guarded(context, &it),
                        ))
                    })
                    .collect(),
            ),
        };
        let (rules, rules_why) = rule_names(context, answers);
        Self { resources, maintenance: maintenance(context, answers), rules, rules_why }
    }

    /// Whether a guest restarts elsewhere.
    pub(in crate::proxmox) fn is_guarded(&self, vmid: &str) -> Observed<bool> {
        match &self.resources {
            Observed::Value(resources) => {
                resources.get(vmid).cloned().unwrap_or(Observed::Value(false))
            }
            other => other.as_ref().map(|_| false),
        }
    }

    /// Whether anything is looked after at all.
    pub(in crate::proxmox) fn is_used(&self) -> Observed<bool> {
        self.resources.as_ref().map(|it| it.values().any(|it| it.copied() != Some(false)))
    }

    /// Whether a node is in maintenance.
    pub(in crate::proxmox) fn in_maintenance(&self, node: &str) -> Observed<bool> {
        self.maintenance.as_ref().map(|it| it.contains(node))
    }

    /// Rules that name a guest.
    pub(in crate::proxmox) fn rules_of(&self, vmid: &str) -> Listing<Text> {
        let names = self.rules.get(vmid).cloned().unwrap_or_default();
        match self.rules_why {
            Some(why) => Listing::incomplete(names, why),
            None => Listing::complete(names),
        }
    }

    /// Numbers of guests that HA names.
    pub(in crate::proxmox) fn named(&self) -> impl Iterator<Item = &Text> {
        self.resources.value().into_iter().flat_map(BTreeMap::keys)
    }
}

/// `vm:100` and `ct:101` as numbers.
fn vmid_of(sid: &str) -> Option<&str> {
    let vmid = sid.strip_prefix("vm:").or_else(|| sid.strip_prefix("ct:")).unwrap_or(sid);
    (!vmid.is_empty() && vmid.chars().all(|it| it.is_ascii_digit())).then_some(vmid)
}

fn guarded(context: &Context<'_>, record: &Record<'_>) -> Observed<bool> {
    match record.text("state") {
        Observed::Absent => Observed::Value(true),
        Observed::Value(state) if GUARDED.contains(&state.as_str()) => Observed::Value(true),
        Observed::Value(state) if UNGUARDED.contains(&state.as_str()) => Observed::Value(false),
        Observed::Value(state) => {
            let message = "HA is asked for a state that this version does not know";
            context.gaps.add(
                GapCause::UnknownValue,
                "workloads",
                Some("state"),
                message,
                Some(&state),
            );
            Observed::Unobserved(Why::Unreadable)
        }
        Observed::Unobserved(why) => Observed::Unobserved(why),
    }
}

fn maintenance(context: &Context<'_>, answers: &Answers) -> Observed<BTreeSet<Text>> {
    let Some(record) =
        answers.value(MANAGER, &[]).and_then(|it| Record::of(it, "hosts", context.gaps))
    else {
        return answers.untold(MANAGER, &[]);
    };
    let mut nodes = BTreeSet::new();
    let states = record.inner("manager_status").and_then(|it| it.inner("node_status"));
    if let Some(states) = states {
        for node in states.keys() {
            if states.text(node).value().is_some_and(|it| it == "maintenance") {
                nodes.insert(node.into());
            }
        }
    }
    if let Some(local) = record.inner("lrm_status") {
        for node in local.keys() {
            let mode = local.inner(node).map(|it| it.text("mode"));
            if mode.is_some_and(|it| it.value().is_some_and(|it| it == "maintenance")) {
                nodes.insert(node.into());
            }
        }
    }
    Observed::Value(nodes)
}

/// Which calls tell of rules: version 9 has rules, those before had groups.
fn rule_names(
    context: &Context<'_>,
    answers: &Answers,
) -> (BTreeMap<Text, Vec<Text>>, Option<Why>) {
    let mut names: BTreeMap<Text, Vec<Text>> = BTreeMap::new();
    let rules = answers.list(RULES, &[]);
    let groups = answers.list(GROUPS, &[]);
    let why = (rules.is_none() && groups.is_none()).then(|| match answers.why(RULES, &[]) {
        Why::NotInVersion => answers.why(GROUPS, &[]),
        why => why,
    });
    for record in Record::each(rules.unwrap_or_default(), "placement_rules", context.gaps) {
        let (Observed::Value(rule), Observed::Value(guests)) =
            (record.text("rule"), record.text("resources"))
        else {
            continue;
        };
        for vmid in items(&guests).filter_map(vmid_of) {
            names.entry(vmid.into()).or_default().push(rule.clone());
        }
    }
    let resources = answers.list(RESOURCES, &[]).unwrap_or_default();
    for record in Record::each(resources, "placement_rules", context.gaps) {
        let (Observed::Value(sid), Observed::Value(group)) =
            (record.text("sid"), record.text("group"))
        else {
            continue;
        };
        if let Some(vmid) = vmid_of(&sid) {
            names.entry(vmid.into()).or_default().push(group);
        }
    }
    names.values_mut().for_each(|it| it.sort());
    (names, why)
}

/// Maps rules, groups of nodes, and what HA is told of single guests.
pub(in crate::proxmox) fn placement(
    context: &Context<'_>,
    answers: &Answers,
    nodes: &Nodes,
    collection: &mut Collection,
) {
    let list = answers.list(RULES, &[]).unwrap_or_default();
    for record in Record::each(list, "placement_rules", context.gaps) {
        let rule = rule(context, nodes, &record);
        context.tally("placement_rules", record.cells(), rule.is_some());
        collection.control.placement_rules.extend(rule);
    }
    groups(context, answers, nodes, collection);
    let list = answers.list(RESOURCES, &[]).unwrap_or_default();
    for record in Record::each(list, "overrides", context.gaps) {
        let workload = record.required("sid").and_then(|it| context.workload(vmid_of(&it)?));
        context.tally("overrides", record.cells(), workload.is_some());
        let Some(workload) = workload else { continue };
        for setting in SETTINGS {
            if let Observed::Value(value) = record.text(setting) {
                collection.control.overrides.push(WorkloadOverride {
                    workload: workload.clone(),
                    function: Text::new_static("ha"),
                    setting: Text::new_static(setting),
                    value,
                });
            }
        }
    }
}

/// Guests in a list of resources.
fn guests(context: &Context<'_>, text: &str) -> Vec<WorkloadId> {
    let mut guests: Vec<_> =
        items(text).filter_map(vmid_of).filter_map(|it| context.workload(it)).collect();
    guests.sort();
    guests
}

/// Nodes in a list in which each may carry a priority, `pve1:2`.
fn hosts(context: &Context<'_>, text: &str) -> Vec<HostId> {
    let mut hosts: Vec<_> =
        items(text).filter_map(|it| context.host(it.split(':').next().unwrap_or(it))).collect();
    hosts.sort();
    hosts
}

fn listing<T>(text: Observed<Text>, read: impl Fn(&str) -> Vec<T>) -> Listing<T> {
    match text {
        Observed::Value(text) => Listing::complete(read(&text)),
        Observed::Absent => Listing::complete(Vec::new()),
        Observed::Unobserved(why) => Listing::unobserved(why),
    }
}

fn rule(context: &Context<'_>, nodes: &Nodes, record: &Record<'_>) -> Option<PlacementRule> {
    let name = record.required("rule")?;
    let kind = record.text("type");
    let affinity = record.text("affinity");
    let kind = match (kind.value().map(Text::as_str), affinity.value().map(Text::as_str)) {
        (Some("node-affinity"), _) => PlacementRuleKind::RunOn,
        (Some("resource-affinity"), Some("positive")) => PlacementRuleKind::KeepTogether,
        (Some("resource-affinity"), Some("negative")) => PlacementRuleKind::KeepApart,
        (kind, affinity) => {
            let said = format!("{} {}", kind.unwrap_or("none"), affinity.unwrap_or_default());
            let message = "a rule is of a kind that this version does not know";
            let cause = GapCause::UnknownValue;
            context.gaps.add(cause, "placement_rules", Some("type"), message, Some(said.trim()));
            PlacementRuleKind::Unknown
        }
    };
    Some(PlacementRule {
        platform: context.platform.clone(),
        cluster: nodes.cluster_id(context),
        name,
        kind,
        enabled: record.flag_or("disable", false).map(|it| !it),
        // Between guests a rule always binds; towards nodes only where it is strict.
        mandatory: match kind {
            PlacementRuleKind::RunOn => record.flag_or("strict", false),
            PlacementRuleKind::Unknown => Observed::Unobserved(Why::Unreadable),
            _ => Observed::Value(true),
        },
        workloads: listing(record.text("resources"), |it| guests(context, it)),
        hosts: listing(record.text("nodes"), |it| hosts(context, it)),
    })
}

/// Groups of nodes, which in versions before 9 also say where guests run.
fn groups(context: &Context<'_>, answers: &Answers, nodes: &Nodes, collection: &mut Collection) {
    let resources = answers.list(RESOURCES, &[]).unwrap_or_default();
    let mut members: BTreeMap<Text, Vec<WorkloadId>> = BTreeMap::new();
    for record in Record::each(resources, "placement_groups", context.gaps) {
        if let (Observed::Value(group), Observed::Value(sid)) =
            (record.text("group"), record.text("sid"))
        {
            members
                .entry(group)
                .or_default()
                .extend(vmid_of(&sid).and_then(|it| context.workload(it)));
        }
    }
    let list = answers.list(GROUPS, &[]).unwrap_or_default();
    for record in Record::each(list, "placement_groups", context.gaps) {
        let Some(name) = record.required("group") else { continue };
        context.tally("placement_groups", record.cells(), true);
        let mut workloads = members.remove(&name).unwrap_or_default();
        workloads.sort();
        let workloads = if answers.list(RESOURCES, &[]).is_some() {
            Listing::complete(workloads)
        } else {
            Listing::incomplete(workloads, answers.why(RESOURCES, &[]))
        };
        let hosts = listing(record.text("nodes"), |it| hosts(context, it));
        collection.control.placement_rules.push(PlacementRule {
            platform: context.platform.clone(),
            cluster: nodes.cluster_id(context),
            name: name.clone(),
            kind: PlacementRuleKind::RunOn,
            enabled: Observed::Value(true),
            mandatory: record.flag_or("restricted", false),
            workloads: workloads.clone(),
            hosts: hosts.clone(),
        });
        collection.control.placement_groups.push(PlacementGroup {
            platform: context.platform.clone(),
            cluster: nodes.cluster_id(context),
            name,
            workloads,
            hosts,
        });
    }
}
