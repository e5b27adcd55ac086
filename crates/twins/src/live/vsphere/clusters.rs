//! What clusters say of themselves: capacity, and what keeps machines running and apart.

use std::collections::HashMap;

use entente_model::{
    Cluster, HostId, PlacementGroup, PlacementRule, PlacementRuleKind, WorkloadId, WorkloadOverride,
};

use super::facts::Facts;
use super::layout::Compute;
use super::xml::Writer;

/// What clusters look up in the control plane.
pub(super) struct Rules<'a> {
    machines: HashMap<&'a WorkloadId, usize>,
    hosts: HashMap<&'a HostId, usize>,
    /// By position of the cluster.
    rules: Vec<Vec<&'a PlacementRule>>,
    groups: Vec<Vec<&'a PlacementGroup>>,
    overrides: Vec<Vec<(usize, &'a WorkloadOverride)>>,
}

impl<'a> Rules<'a> {
    pub(super) fn new(facts: &Facts<'a>) -> Self {
        let collection = facts.collection;
        let machines: HashMap<_, _> =
            collection.workloads.iter().enumerate().map(|(at, it)| (&it.id, at)).collect();
        let hosts = collection.hosts.iter().enumerate().map(|(at, it)| (&it.id, at)).collect();
        let clusters: HashMap<_, _> =
            collection.clusters.iter().enumerate().map(|(at, it)| (&it.id, at)).collect();
        let mut rules = vec![Vec::new(); collection.clusters.len()];
        for rule in &collection.control.placement_rules {
            let at = rule.cluster.value().and_then(|it| clusters.get(it));
            if let Some(rules) = at.and_then(|it| rules.get_mut(*it)) {
                rules.push(rule);
            }
        }
        let mut groups = vec![Vec::new(); collection.clusters.len()];
        for group in &collection.control.placement_groups {
            let at = group.cluster.value().and_then(|it| clusters.get(it));
            if let Some(groups) = at.and_then(|it| groups.get_mut(*it)) {
                groups.push(group);
            }
        }
        let mut overrides = vec![Vec::new(); collection.clusters.len()];
        for it in &collection.control.overrides {
            let machine = machines.get(&it.workload).copied();
            let workload = machine.and_then(|it| collection.workloads.get(it));
            let cluster = workload.and_then(|it| clusters.get(it.placement.cluster.value()?));
            if let (Some(machine), Some(overrides)) =
                (machine, cluster.and_then(|it| overrides.get_mut(*it)))
            {
                overrides.push((machine, it));
            }
        }
        Self { machines, hosts, rules, groups, overrides }
    }
}

/// The XML of a cluster, or of what stands around a standalone host.
pub(super) fn compute(facts: &Facts<'_>, rules: &Rules<'_>, compute: &Compute) -> String {
    let layout = facts.layout;
    let datacenter = layout.datacenters.get(compute.datacenter);
    let folder = datacenter.and_then(|it| layout.folders.get(it.host));
    let mut w = Writer::new();
    let parent = folder.map(|it| &it.reference);
    facts.entity(&mut w, &compute.reference, &compute.name, parent, &[]);
    if let Some(pool) = layout.pools.get(compute.pool) {
        w.reference("resourcePool", "ResourcePool", &pool.reference.id);
    }
    let hosts: Vec<_> = compute.hosts.iter().filter_map(|it| layout.hosts.get(*it)).collect();
    w.references("host", hosts.iter().map(|it| it.reference.pair()));
    let of = |it: fn(&super::layout::Host) -> &std::collections::BTreeSet<usize>| {
        let all: std::collections::BTreeSet<usize> =
            hosts.iter().flat_map(|host| it(host)).copied().collect();
        all
    };
    let stores = of(|it| &it.datastores);
    let stores = stores.iter().filter_map(|it| layout.datastores.get(*it));
    w.references("datastore", stores.map(|it| it.reference.pair()));
    let networks = of(|it| &it.networks);
    let networks = networks.iter().filter_map(|it| layout.networks.get(*it));
    w.references("network", networks.map(|it| it.reference.pair()));
    let source = compute.cluster.and_then(|it| facts.collection.clusters.get(it));
    summary(facts, &mut w, compute, source);
    match (source, compute.cluster) {
        (Some(source), Some(at)) => configuration(facts, &mut w, rules, source, at),
        _ => w.node_as("configurationEx", "ComputeResourceConfigInfo", |w| {
            w.text("vmSwapPlacement", "vmDirectory");
        }),
    }
    w.finish()
}

fn summary(facts: &Facts<'_>, w: &mut Writer, compute: &Compute, source: Option<&Cluster>) {
    let hosts: Vec<_> =
        compute.hosts.iter().filter_map(|it| facts.collection.hosts.get(*it)).collect();
    let cores: u32 = hosts.iter().filter_map(|it| it.cores.copied()).sum();
    let mhz: u64 = hosts
        .iter()
        .map(|it| it.cpu_mhz.copied().unwrap_or(0) * u64::from(it.cores.copied().unwrap_or(0)))
        .sum();
    let memory: u64 = hosts.iter().filter_map(|it| it.memory_bytes.copied()).sum();
    let cores = source.and_then(|it| it.cpu_cores.copied()).unwrap_or(cores);
    let mhz = source.and_then(|it| it.cpu_mhz.copied()).unwrap_or(mhz);
    let memory = source.and_then(|it| it.memory_bytes.copied()).unwrap_or(memory);
    let working = hosts.iter().filter(|it| it.in_maintenance.copied() != Some(true)).count();
    let class =
        if source.is_some() { "ClusterComputeResourceSummary" } else { "ComputeResourceSummary" };
    w.node_as("summary", class, |w| {
        w.leaf("totalCpu", mhz);
        w.leaf("totalMemory", memory);
        w.leaf("numCpuCores", cores);
        w.leaf("numCpuThreads", cores * 2);
        w.leaf("effectiveCpu", mhz / 10 * 9);
        w.leaf("effectiveMemory", memory / 1024 / 1024 / 10 * 9);
        w.leaf("numHosts", hosts.len());
        w.leaf("numEffectiveHosts", working);
        w.text("overallStatus", facts.status(&compute.reference.id));
        if let Some(source) = source {
            w.leaf_if("currentFailoverLevel", source.failover_level.copied());
            w.leaf("numVmotions", 118);
            let evc = hosts.iter().find_map(|it| it.evc_mode.value());
            w.text_if("currentEVCModeKey", evc);
        }
    });
}

fn configuration(
    facts: &Facts<'_>,
    w: &mut Writer,
    rules: &Rules<'_>,
    source: &Cluster,
    at: usize,
) {
    w.raw("<configurationEx xsi:type=\"ClusterConfigInfoEx\">");
    w.text("vmSwapPlacement", "vmDirectory");
    w.leaf("spbmEnabled", true);
    availability(w, source);
    let overrides = rules.overrides.get(at).map_or(&[][..], Vec::as_slice);
    own_availability(facts, w, overrides);
    w.node("drsConfig", |w| {
        w.leaf("enabled", source.drs_enabled.copied().unwrap_or(false));
        w.leaf("enableVmBehaviorOverrides", true);
        let behaviour = source.drs_behaviour.value();
        w.text("defaultVmBehavior", behaviour.map_or("fullyAutomated", |it| it.as_str()));
        w.leaf("vmotionRate", 3);
    });
    for (machine, own) in overrides.iter().filter(|it| it.1.function == "drs") {
        let Some(machine) = facts.layout.machines.get(*machine) else { continue };
        w.node("drsVmConfig", |w| {
            w.reference("key", "VirtualMachine", &machine.reference.id);
            w.leaf("enabled", own.value != "disabled");
            if own.value != "disabled" {
                w.text("behavior", &own.value);
            }
        });
    }
    let (groups, of_cluster) = (rules.groups.get(at), rules.rules.get(at));
    for (key, rule) in (1..).zip(of_cluster.into_iter().flatten()) {
        rules.rule(facts, w, key, rule, groups.map_or(&[][..], Vec::as_slice));
    }
    w.node("dpmConfigInfo", |w| {
        w.leaf("enabled", source.dpm_enabled.copied().unwrap_or(false));
        w.text("defaultDpmBehavior", "automated");
        w.leaf("hostPowerActionRate", 3);
    });
    for group in groups.into_iter().flatten() {
        rules.group(facts, w, group);
    }
    w.close("configurationEx");
}

fn availability(w: &mut Writer, source: &Cluster) {
    w.node("dasConfig", |w| {
        w.leaf("enabled", source.ha_enabled.copied().unwrap_or(false));
        w.words(&[
            ("vmMonitoring", "vmMonitoringDisabled"),
            ("hostMonitoring", "enabled"),
            ("vmComponentProtecting", "disabled"),
        ]);
        let level = source.failover_level.copied().unwrap_or(0);
        w.leaf("failoverLevel", level);
        w.node_as("admissionControlPolicy", "ClusterFailoverLevelAdmissionControlPolicy", |w| {
            w.leaf("failoverLevel", level);
        });
        w.leaf("admissionControlEnabled", source.admission_control.copied().unwrap_or(false));
        w.node("defaultVmSettings", |w| {
            w.text("restartPriority", "medium");
            w.leaf("restartPriorityTimeout", 600);
            w.text("isolationResponse", "none");
        });
        w.text("hBDatastoreCandidatePolicy", "allFeasibleDsWithUserPreference");
    });
}

/// Restart priorities and reactions of single machines, one entry each.
fn own_availability(facts: &Facts<'_>, w: &mut Writer, overrides: &[(usize, &WorkloadOverride)]) {
    let mut machines: Vec<usize> =
        overrides.iter().filter(|it| it.1.function == "ha").map(|it| it.0).collect();
    machines.dedup();
    for at in machines {
        let Some(machine) = facts.layout.machines.get(at) else { continue };
        let own = |setting: &str| {
            let found = overrides.iter().find(|it| it.0 == at && it.1.setting == setting);
            found.map(|it| it.1.value.as_str())
        };
        w.node("dasVmConfig", |w| {
            w.reference("key", "VirtualMachine", &machine.reference.id);
            // The old enumeration has no word for the highest and the lowest priority.
            let old = own("restartPriority").filter(|it| {
                matches!(*it, "disabled" | "low" | "medium" | "high" | "clusterRestartPriority")
            });
            w.text_if("restartPriority", old);
            w.node("dasSettings", |w| {
                w.text(
                    "restartPriority",
                    own("restartPriority").unwrap_or("clusterRestartPriority"),
                );
                w.leaf("restartPriorityTimeout", -1);
                let reaction = own("isolationResponse").unwrap_or("clusterIsolationResponse");
                w.text("isolationResponse", reaction);
            });
        });
    }
}

impl Rules<'_> {
    fn rule(
        &self,
        facts: &Facts<'_>,
        w: &mut Writer,
        key: u32,
        rule: &PlacementRule,
        groups: &[&PlacementGroup],
    ) {
        let (class, affine) = match rule.kind {
            PlacementRuleKind::KeepTogether => ("ClusterAffinityRuleSpec", None),
            PlacementRuleKind::KeepApart => ("ClusterAntiAffinityRuleSpec", None),
            PlacementRuleKind::StartAfter => ("ClusterDependencyRuleInfo", None),
            PlacementRuleKind::RunOn => ("ClusterVmHostRuleInfo", Some("affineHostGroupName")),
            PlacementRuleKind::AvoidHosts => {
                ("ClusterVmHostRuleInfo", Some("antiAffineHostGroupName"))
            }
            PlacementRuleKind::Unknown => return,
        };
        let group_of = |wanted: &dyn Fn(&PlacementGroup) -> bool| {
            groups.iter().find(|it| wanted(it)).map(|it| it.name.as_str())
        };
        w.node_as("rule", class, |w| {
            w.leaf("key", key);
            w.text("status", "green");
            w.leaf_if("enabled", rule.enabled.copied());
            w.text("name", &rule.name);
            w.leaf_if("mandatory", rule.mandatory.copied());
            w.flags(&[("userCreated", true), ("inCompliance", true)]);
            let mut random = crate::random::Random::of(&rule.name);
            w.leaf("ruleUuid", random.uuid());
            if class == "ClusterVmHostRuleInfo" {
                let machines = group_of(&|it| {
                    !it.workloads.items.is_empty() && it.workloads == rule.workloads
                });
                w.text_if("vmGroupName", machines);
                let hosts = group_of(&|it| !it.hosts.items.is_empty() && it.hosts == rule.hosts);
                w.text_if(affine.unwrap_or_default(), hosts);
            } else if class == "ClusterDependencyRuleInfo" {
                w.words(&[("vmGroup", &rule.name), ("dependsOnVmGroup", &rule.name)]);
            } else {
                for machine in self.machines_of(facts, &rule.workloads.items) {
                    w.reference("vm", "VirtualMachine", machine);
                }
            }
        });
    }

    fn machines_of<'b>(&self, facts: &'b Facts<'_>, ids: &[WorkloadId]) -> Vec<&'b str> {
        let at = ids.iter().filter_map(|it| self.machines.get(it));
        let machines = at.filter_map(|it| facts.layout.machines.get(*it));
        machines.map(|it| it.reference.id.as_str()).collect()
    }

    fn group(&self, facts: &Facts<'_>, w: &mut Writer, group: &PlacementGroup) {
        let of_hosts = !group.hosts.items.is_empty();
        let class = if of_hosts { "ClusterHostGroup" } else { "ClusterVmGroup" };
        w.node_as("group", class, |w| {
            w.text("name", &group.name);
            w.leaf("userCreated", true);
            if of_hosts {
                let at = group.hosts.iter().filter_map(|it| self.hosts.get(it));
                for host in at.filter_map(|it| facts.layout.hosts.get(*it)) {
                    w.reference("host", "HostSystem", &host.reference.id);
                }
            } else {
                for machine in self.machines_of(facts, &group.workloads.items) {
                    w.reference("vm", "VirtualMachine", machine);
                }
            }
        });
    }
}
