//! High availability: which guests restart elsewhere, and which rules say where.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{
    Collection, GapCause, HostId, Listing, Observed, PlacementGroup, PlacementRule,
    PlacementRuleKind, Text, Why, WorkloadId, WorkloadOverride,
};

use super::{Context, Nodes};
use crate::live::Found;
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
    /// Why guests may be missing that are looked after.
    resources_why: Option<Why>,
    maintenance: Observed<BTreeSet<Text>>,
    /// Names of rules and groups that name a guest, by its number.
    rules: BTreeMap<Text, Vec<Text>>,
    /// Why rules may be missing.
    rules_why: Option<Why>,
}

impl Availability {
    /// From what HA tells.
    pub(in crate::proxmox) fn of(context: &Context<'_>, answers: &Answers) -> Self {
        let list = answers.list(RESOURCES, &[]);
        let read: BTreeMap<Text, Observed<bool>> =
            Record::each(list.unwrap_or_default(), "overrides", context.gaps)
                .filter_map(|it| {
                    Some((vmid_of(it.text("sid").value()?)?.into(), guarded(context, &it)))
                })
                .collect();
        let is_whole = list.is_none_or(|it| it.len() == read.len());
        let (rules, rules_why) = rule_names(context, answers);
        Self {
            resources: Observed::or_why(list.map(|_| read), answers.why(RESOURCES, &[])),
            resources_why: (!is_whole).then_some(Why::Unreadable),
            maintenance: maintenance(context, answers),
            rules,
            rules_why,
        }
    }

    /// Whether a guest restarts elsewhere.
    pub(in crate::proxmox) fn is_guarded(&self, vmid: &str) -> Observed<bool> {
        self.resources.as_ref().and_then(|it| match (it.get(vmid), self.resources_why) {
            (Some(told), _) => told.clone(),
            (None, Some(why)) => Observed::Unobserved(why),
            (None, None) => Observed::Value(false),
        })
    }

    /// Whether anything is looked after at all.
    pub(in crate::proxmox) fn is_used(&self) -> Observed<bool> {
        self.resources.as_ref().and_then(|it| {
            if it.values().any(|it| it.copied() == Some(true)) {
                return Observed::Value(true);
            }
            let why = it.values().find_map(Observed::why).or(self.resources_why);
            why.map_or(Observed::Value(false), Observed::Unobserved)
        })
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
        told => told.and_then(|state| match state.as_str() {
            state if GUARDED.contains(&state) => Observed::Value(true),
            state if UNGUARDED.contains(&state) => Observed::Value(false),
            state => {
                let message = "HA is asked for a state that this version does not know";
                let found = Found::of(GapCause::UnknownValue, "workloads", message);
                context.gaps.add(found.field("state").value(state));
                Observed::Unobserved(Why::Unreadable)
            }
        }),
    }
}

fn maintenance(context: &Context<'_>, answers: &Answers) -> Observed<BTreeSet<Text>> {
    let Some(record) =
        answers.value(MANAGER, &[]).and_then(|it| Record::of(it, "hosts", context.gaps))
    else {
        return answers.untold(MANAGER, &[]);
    };
    // Nodes are only told apart where the manager's own state is told.
    let Some(manager) = record.inner("manager_status") else {
        return Observed::Unobserved(Why::Blank);
    };
    let mut nodes = BTreeSet::new();
    if let Some(states) = manager.inner("node_status") {
        for node in states.keys() {
            match states.text(node) {
                Observed::Value(state) if state == "maintenance" => {
                    nodes.insert(node.into());
                }
                Observed::Unobserved(why) => return Observed::Unobserved(why),
                _ => {}
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
    let mut why = (rules.is_none() && groups.is_none()).then(|| match answers.why(RULES, &[]) {
        Why::NotInVersion => answers.why(GROUPS, &[]),
        why => why,
    });
    let rules = rules.unwrap_or_default();
    let mut understood = 0;
    for record in Record::each(rules, "placement_rules", context.gaps) {
        let (Observed::Value(rule), Observed::Value(guests)) =
            (record.text("rule"), record.text("resources"))
        else {
            continue;
        };
        let named: Vec<Option<&str>> = items(&guests).map(vmid_of).collect();
        understood += usize::from(named.iter().all(Option::is_some));
        for vmid in named.into_iter().flatten() {
            names.entry(vmid.into()).or_default().push(rule.clone());
        }
    }
    if understood < rules.len() {
        why = why.or(Some(Why::Unreadable));
    }
    let resources = answers.list(RESOURCES, &[]);
    if resources.is_none() && groups.is_some() {
        // Where there are groups, resources say which guests belong to them.
        why = why.or(Some(answers.why(RESOURCES, &[])));
    }
    for record in Record::each(resources.unwrap_or_default(), "placement_rules", context.gaps) {
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
        let sid = record.required("sid");
        let workload = sid.as_deref().and_then(|it| context.workload(vmid_of(it)?));
        context.tally("overrides", record.cells(), workload.is_some());
        let Some(workload) = workload else {
            if let Some(sid) = sid {
                let message = "HA looks after something that is no guest: it was left out";
                let found = Found::of(GapCause::UnmappedRow, "overrides", message);
                context.gaps.add(found.field("sid").value(&sid));
            }
            continue;
        };
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
fn guests(context: &Context<'_>, text: &str) -> Vec<Option<WorkloadId>> {
    items(text).map(|it| vmid_of(it).and_then(|it| context.workload(it))).collect()
}

/// Nodes in a list in which each may carry a priority, `pve1:2`.
fn hosts(context: &Context<'_>, text: &str) -> Vec<Option<HostId>> {
    items(text).map(|it| context.host(it.split(':').next().unwrap_or(it))).collect()
}

/// What a list names; without what cannot be understood of it, it is not whole.
fn listing<T: Ord>(
    context: &Context<'_>,
    text: Observed<Text>,
    read: fn(&Context<'_>, &str) -> Vec<Option<T>>,
) -> Listing<T> {
    let text = match text {
        Observed::Value(text) => text,
        Observed::Absent => return Listing::complete(Vec::new()),
        Observed::Unobserved(why) => return Listing::unobserved(why),
    };
    let named = read(context, &text);
    let count = named.len();
    let mut understood: Vec<T> = named.into_iter().flatten().collect();
    understood.sort();
    if understood.len() == count {
        return Listing::complete(understood);
    }
    let message = "a rule names something that is neither a guest nor a node";
    let found = Found::of(GapCause::UnknownValue, "placement_rules", message);
    context.gaps.add(found.value(&text));
    Listing::incomplete(understood, Why::Unreadable)
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
            let found = Found::of(GapCause::UnknownValue, "placement_rules", message);
            context.gaps.add(found.field("type").value(said.trim()));
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
        workloads: listing(context, record.text("resources"), guests),
        hosts: listing(context, record.text("nodes"), hosts),
    })
}

/// Groups of nodes, which in versions before 9 also say where guests run.
fn groups(context: &Context<'_>, answers: &Answers, nodes: &Nodes, collection: &mut Collection) {
    let resources = answers.list(RESOURCES, &[]);
    let listed = resources.unwrap_or_default();
    let mut members: BTreeMap<Text, Vec<WorkloadId>> = BTreeMap::new();
    let mut understood = 0;
    for record in Record::each(listed, "placement_groups", context.gaps) {
        let sid = record.text("sid");
        let workload = sid.value().and_then(|it| context.workload(vmid_of(it)?));
        match (record.text("group"), workload) {
            (Observed::Value(group), Some(workload)) => {
                members.entry(group).or_default().push(workload);
            }
            // What is in no group is none of its members.
            (Observed::Absent, _) => {}
            _ => continue,
        }
        understood += 1;
    }
    let lacking = match resources {
        None => Some(answers.why(RESOURCES, &[])),
        Some(_) => (understood < listed.len()).then_some(Why::Unreadable),
    };
    let list = answers.list(GROUPS, &[]).unwrap_or_default();
    for record in Record::each(list, "placement_groups", context.gaps) {
        let Some(name) = record.required("group") else { continue };
        context.tally("placement_groups", record.cells(), true);
        let mut workloads = members.remove(&name).unwrap_or_default();
        workloads.sort();
        let workloads = match lacking {
            None => Listing::complete(workloads),
            Some(why) => Listing::incomplete(workloads, why),
        };
        let hosts = listing(context, record.text("nodes"), hosts);
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
