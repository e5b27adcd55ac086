//! Clusters: their capacity, what DRS and HA do in them, and the groups, rules and overrides that
//! bind workloads to hosts.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{
    Cluster, ClusterId, ControlPlane, GapCause, HostId, Listing, Observed, PlacementGroup,
    PlacementRule, PlacementRuleKind, Text, Why, WorkloadId, WorkloadOverride,
};

use super::super::wire::{Element, Object, Told, unescape};
use super::facts::{Facts, blank, listing};
use super::inventory::Inventory;
use crate::live::Found;

/// A cluster, and what it says of workloads and hosts.
pub(super) fn cluster(
    object: &Object<'_>,
    inventory: &mut Inventory,
    facts: &mut Facts<'_>,
    control: &mut ControlPlane,
) -> Option<Cluster> {
    facts.refusals(object);
    let native = Text::new(object.reference.id);
    let (id, _) = inventory.clusters.get(&native)?.clone();
    let config = object.get("configurationEx");
    let summary = object.get("summary");
    if let Some(known) = inventory.clusters.get_mut(&native) {
        known.1 = match config {
            Told::Value(_) => None,
            Told::Unset => Some(Why::Blank),
            Told::Missing(why) => Some(why),
        };
    }
    let (das, drs) = (config.child("dasConfig"), config.child("drsConfig"));
    let failover = das.child("admissionControlPolicy.failoverLevel").text().is_some();
    let failover = if failover { "admissionControlPolicy.failoverLevel" } else { "failoverLevel" };
    let cluster = Cluster {
        id: id.clone(),
        platform: inventory.platform.clone(),
        name: facts.name(object.get("name"), &native),
        datacenter: inventory.datacenter(&native),
        ha_enabled: facts.flag(das.child("enabled"), blank()),
        admission_control: facts.flag(das.child("admissionControlEnabled"), blank()),
        failover_level: facts.number(das.child(failover), blank()),
        drs_enabled: facts.flag(drs.child("enabled"), blank()),
        drs_behaviour: facts.text(drs.child("defaultVmBehavior"), blank()),
        dpm_enabled: facts.flag(config.child("dpmConfigInfo.enabled"), blank()),
        host_count: facts.number(summary.child("numHosts"), blank()),
        cpu_mhz: facts.number(summary.child("totalCpu"), blank()),
        cpu_cores: facts.number(summary.child("numCpuCores"), blank()),
        memory_bytes: facts.bytes(summary.child("totalMemory"), 1, blank()),
    };
    seen_hosts(&native, summary.child("numHosts"), inventory, facts);
    if config.element().is_none() {
        let message = "a cluster's groups, rules and settings of single machines were not told";
        let cause = match config.refused() {
            Some(Why::NoPermission) => GapCause::NoPermission,
            Some(_) => GapCause::CallFailed,
            None => GapCause::MissingField,
        };
        for list in ["placement_groups", "placement_rules", "overrides"] {
            let found = Found::of(cause, list, message).field("configurationEx");
            facts.gaps.add(found.value(&native));
        }
    }
    if let Some(config) = config.element() {
        let mut rules = Rules { id: &id, config, inventory, facts, control };
        let groups = rules.groups();
        rules.rules(&groups);
        rules.overrides();
    }
    Some(cluster)
}

/// A cluster counts its hosts, whoever may see them.
fn seen_hosts(native: &str, count: Told<'_>, inventory: &Inventory, facts: &mut Facts<'_>) {
    let Observed::Value(count) = facts.number::<usize>(count, blank()) else { return };
    if count > inventory.hosts_in(native) {
        let message = "the cluster counts more hosts than the list of hosts holds: the account may not see them, or they are newer than the list";
        facts.dangling("hosts", message, native);
    }
}

struct Rules<'a, 'g> {
    id: &'a ClusterId,
    config: Element<'a>,
    inventory: &'a mut Inventory,
    facts: &'a mut Facts<'g>,
    control: &'a mut ControlPlane,
}

/// Ids of workloads and of hosts.
#[derive(Clone, Default)]
struct Members {
    workloads: BTreeSet<Text>,
    hosts: BTreeSet<Text>,
    /// Why there may be more, if there may.
    dropped: Option<Why>,
}

impl Members {
    /// Of a group or rule that names them itself.
    fn of(element: Element<'_>) -> Self {
        let mut members = Self::default();
        for (name, ids) in [("vm", &mut members.workloads), ("host", &mut members.hosts)] {
            for member in element.all(name) {
                match member.reference() {
                    Some(it) => drop(ids.insert(Text::new(it.id))),
                    None => members.dropped = Some(Why::Unreadable),
                }
            }
        }
        members
    }
}

impl Rules<'_, '_> {
    fn workloads(&self, members: &Members) -> Listing<WorkloadId> {
        let on = |id: &Text| WorkloadId::on(&self.inventory.platform, id).ok();
        sorted(&members.workloads, on, members.dropped)
    }

    fn hosts(&self, members: &Members) -> Listing<HostId> {
        let on = |id: &Text| HostId::on(&self.inventory.platform, id).ok();
        sorted(&members.hosts, on, members.dropped)
    }

    fn groups(&mut self) -> BTreeMap<Text, Members> {
        let mut groups = BTreeMap::new();
        for group in self.config.all("group") {
            let Some(name) = group.text_at("name") else {
                let found =
                    Found::of(GapCause::UnmappedRow, "placement_groups", "a group without a name");
                self.facts.gaps.add(found);
                continue;
            };
            let name = Text::from(unescape(name));
            let members = Members::of(group);
            self.control.placement_groups.push(PlacementGroup {
                platform: self.inventory.platform.clone(),
                cluster: Observed::Value(self.id.clone()),
                name: name.clone(),
                workloads: self.workloads(&members),
                hosts: self.hosts(&members),
            });
            groups.insert(name, members);
        }
        groups
    }

    fn rules(&mut self, groups: &BTreeMap<Text, Members>) {
        for rule in self.config.all("rule") {
            let name = unescape(rule.text_at("name").unwrap_or_default());
            let name = Text::from(name);
            let (kind, members) = self.meaning(rule, groups);
            for workload in &members.workloads {
                self.inventory.rules.entry(workload.clone()).or_default().push(name.clone());
            }
            let rule = PlacementRule {
                platform: self.inventory.platform.clone(),
                cluster: Observed::Value(self.id.clone()),
                name,
                kind,
                enabled: self.facts.flag(rule.told("enabled"), blank()),
                mandatory: self.facts.flag(rule.told("mandatory"), Observed::Value(false)),
                workloads: self.workloads(&members),
                hosts: self.hosts(&members),
            };
            self.control.placement_rules.push(rule);
        }
    }

    fn meaning(
        &mut self,
        rule: Element<'_>,
        groups: &BTreeMap<Text, Members>,
    ) -> (PlacementRuleKind, Members) {
        let mut members = Members::of(rule);
        let mut named = |field: &str, facts: &mut Facts<'_>| {
            let name = rule.text_at(field).map(unescape);
            let group = name.as_ref().and_then(|name| groups.get(name.as_ref()));
            if group.is_none() {
                let message = "a rule names a group that was not told of";
                let found = Found::of(GapCause::DanglingReference, "placement_rules", message);
                facts.gaps.add(found.field("group").value(name.as_deref().unwrap_or_default()));
                members.dropped = Some(Why::Unreadable);
            }
            let group = group.cloned().unwrap_or_default();
            members.dropped = members.dropped.or(group.dropped);
            group
        };
        let kind = match rule.kind() {
            "ClusterAffinityRuleSpec" => PlacementRuleKind::KeepTogether,
            "ClusterAntiAffinityRuleSpec" => PlacementRuleKind::KeepApart,
            "ClusterVmHostRuleInfo" => {
                let avoids = rule.text_at("antiAffineHostGroupName").is_some();
                let of = if avoids { "antiAffineHostGroupName" } else { "affineHostGroupName" };
                let workloads = named("vmGroupName", self.facts).workloads;
                let hosts = named(of, self.facts).hosts;
                (members.workloads, members.hosts) = (workloads, hosts);
                if avoids { PlacementRuleKind::AvoidHosts } else { PlacementRuleKind::RunOn }
            }
            "ClusterDependencyRuleInfo" => {
                let mut workloads = named("vmGroup", self.facts).workloads;
                workloads.extend(named("dependsOnVmGroup", self.facts).workloads);
                members.workloads = workloads;
                PlacementRuleKind::StartAfter
            }
            kind => {
                let message = "a kind of rule that this version does not know";
                let found = Found::of(GapCause::UnknownValue, "placement_rules", message);
                self.facts.gaps.add(found.field("rule").value(kind));
                members.dropped = Some(Why::Unreadable);
                PlacementRuleKind::Unknown
            }
        };
        (kind, members)
    }

    fn overrides(&mut self) {
        for own in self.config.all("drsVmConfig") {
            self.own(own, "key", "drs", &[("enabled", "enabled"), ("behavior", "behavior")]);
        }
        for own in self.config.all("dasVmConfig") {
            let settings = [
                ("dasSettings.restartPriority", "restartPriority"),
                ("dasSettings.isolationResponse", "isolationResponse"),
                ("dasSettings.vmToolsMonitoringSettings.vmMonitoring", "vmMonitoring"),
            ];
            self.own(own, "key", "ha", &settings);
        }
        for own in self.config.all("vmOrchestration") {
            let settings = [
                ("vmReadiness.readyCondition", "readyCondition"),
                ("vmReadiness.postReadyDelay", "postReadyDelay"),
            ];
            self.own(own, "vm", "ha", &settings);
        }
    }

    fn own(
        &mut self,
        own: Element<'_>,
        key: &str,
        function: &'static str,
        settings: &[(&str, &'static str)],
    ) {
        let reference = own.reference_at(key);
        let workload =
            reference.and_then(|it| WorkloadId::on(&self.inventory.platform, it.id).ok());
        let (Some(reference), Some(workload)) = (reference, workload) else {
            let message = "settings of a machine that they do not name";
            self.facts.gaps.add(Found::of(GapCause::UnmappedRow, "overrides", message));
            return;
        };
        for (path, setting) in settings {
            let Some(value) = own.text_at(path) else { continue };
            // Its cluster's own setting, by another name.
            if value.starts_with("cluster") || value == "useClusterDefault" {
                continue;
            }
            let value = Text::new(value);
            let known = self.inventory.settings.entry(Text::new(reference.id)).or_default();
            match *setting {
                "restartPriority" => known.restart_priority = Observed::Value(value.clone()),
                "isolationResponse" => known.isolation_response = Observed::Value(value.clone()),
                _ => {}
            }
            self.control.overrides.push(WorkloadOverride {
                workload: workload.clone(),
                function: Text::new_static(function),
                setting: Text::new_static(setting),
                value,
            });
        }
    }
}

/// Ids, sorted; those that none can be made of are missing.
fn sorted<T: Ord>(
    ids: &BTreeSet<Text>,
    on: impl Fn(&Text) -> Option<T>,
    dropped: Option<Why>,
) -> Listing<T> {
    let mut items: Vec<T> = ids.iter().filter_map(on).collect();
    items.sort();
    let unreadable = (items.len() < ids.len()).then_some(Why::Unreadable);
    listing(items, dropped.or(unreadable))
}
