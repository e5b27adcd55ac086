//! Clusters: their capacity, what DRS and HA do in them, and the groups, rules and overrides that
//! bind workloads to hosts.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{
    Cluster, ClusterId, ControlPlane, GapCause, HostId, Listing, Observed, PlacementGroup,
    PlacementRule, PlacementRuleKind, Text, WorkloadId, WorkloadOverride,
};

use super::super::wire::{Element, Object, Told, unescape};
use super::facts::{Facts, blank};
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
        known.1 = config.refused();
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
    if let Some(config) = config.element() {
        let mut rules = Rules { id: &id, config, inventory, facts, control };
        let groups = rules.groups();
        rules.rules(&groups);
        rules.overrides();
    }
    Some(cluster)
}

struct Rules<'a, 'g> {
    id: &'a ClusterId,
    config: Element<'a>,
    inventory: &'a mut Inventory,
    facts: &'a mut Facts<'g>,
    control: &'a mut ControlPlane,
}

/// Ids of workloads and of hosts.
type Members = (BTreeSet<Text>, BTreeSet<Text>);

fn ids(element: Element<'_>, name: &'static str) -> BTreeSet<Text> {
    element.all(name).filter_map(Element::reference).map(|it| Text::new(it.id)).collect()
}

impl Rules<'_, '_> {
    fn workloads(&self, ids: &BTreeSet<Text>) -> Listing<WorkloadId> {
        let on = |id: &Text| WorkloadId::on(&self.inventory.platform, id).ok();
        Listing::complete(sorted(ids.iter().filter_map(on).collect()))
    }

    fn hosts(&self, ids: &BTreeSet<Text>) -> Listing<HostId> {
        let on = |id: &Text| HostId::on(&self.inventory.platform, id).ok();
        Listing::complete(sorted(ids.iter().filter_map(on).collect()))
    }

    fn groups(&mut self) -> BTreeMap<Text, Members> {
        let mut groups = BTreeMap::new();
        for group in self.config.all("group") {
            let Some(name) = group.text_at("name") else { continue };
            let name = Text::from(unescape(name));
            let members: Members = (ids(group, "vm"), ids(group, "host"));
            self.control.placement_groups.push(PlacementGroup {
                platform: self.inventory.platform.clone(),
                cluster: Observed::Value(self.id.clone()),
                name: name.clone(),
                workloads: self.workloads(&members.0),
                hosts: self.hosts(&members.1),
            });
            groups.insert(name, members);
        }
        groups
    }

    fn rules(&mut self, groups: &BTreeMap<Text, Members>) {
        for rule in self.config.all("rule") {
            let name = unescape(rule.text_at("name").unwrap_or_default());
            let name = Text::from(name);
            let (kind, (workloads, hosts)) = self.meaning(rule, groups);
            for workload in &workloads {
                self.inventory.rules.entry(workload.clone()).or_default().push(name.clone());
            }
            let rule = PlacementRule {
                platform: self.inventory.platform.clone(),
                cluster: Observed::Value(self.id.clone()),
                name,
                kind,
                enabled: self.facts.flag(told(rule, "enabled"), blank()),
                mandatory: self.facts.flag(told(rule, "mandatory"), Observed::Value(false)),
                workloads: self.workloads(&workloads),
                hosts: self.hosts(&hosts),
            };
            self.control.placement_rules.push(rule);
        }
    }

    fn meaning(
        &mut self,
        rule: Element<'_>,
        groups: &BTreeMap<Text, Members>,
    ) -> (PlacementRuleKind, Members) {
        let named = |field: &str| {
            let name = rule.text_at(field).map(unescape);
            name.and_then(|name| groups.get(name.as_ref())).cloned().unwrap_or_default()
        };
        match rule.kind() {
            "ClusterAffinityRuleSpec" => {
                (PlacementRuleKind::KeepTogether, (ids(rule, "vm"), BTreeSet::new()))
            }
            "ClusterAntiAffinityRuleSpec" => {
                (PlacementRuleKind::KeepApart, (ids(rule, "vm"), BTreeSet::new()))
            }
            "ClusterVmHostRuleInfo" => {
                let workloads = named("vmGroupName").0;
                if rule.text_at("antiAffineHostGroupName").is_some() {
                    let hosts = named("antiAffineHostGroupName").1;
                    (PlacementRuleKind::AvoidHosts, (workloads, hosts))
                } else {
                    let hosts = named("affineHostGroupName").1;
                    (PlacementRuleKind::RunOn, (workloads, hosts))
                }
            }
            "ClusterDependencyRuleInfo" => {
                let mut workloads = named("vmGroup").0;
                workloads.extend(named("dependsOnVmGroup").0);
                (PlacementRuleKind::StartAfter, (workloads, BTreeSet::new()))
            }
            kind => {
                let message = "a kind of rule that this version does not know";
                let found = Found::of(GapCause::UnknownValue, "placement_rules", message);
                self.facts.gaps.add(found.field("rule").value(kind));
                (PlacementRuleKind::Unknown, (ids(rule, "vm"), ids(rule, "host")))
            }
        }
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
        let Some(reference) = own.reference_at(key) else { return };
        let Ok(workload) = WorkloadId::on(&self.inventory.platform, reference.id) else { return };
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

fn told<'t>(element: Element<'t>, path: &str) -> Told<'t> {
    element.at(path).map_or(Told::Unset, Told::Value)
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}
