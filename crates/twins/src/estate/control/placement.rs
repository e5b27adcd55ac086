//! Rules that bind machines to hosts and to each other, and settings of single machines.

use std::collections::BTreeMap;

use entente_model::{
    ClusterId, ControlPlane, HostId, Listing, Observed, PlacementGroup, PlacementRule,
    PlacementRuleKind, Text, Workload, WorkloadId, WorkloadOverride,
};

use super::Making;

impl Making<'_> {
    pub(super) fn add_placement(&self, control: &mut ControlPlane) {
        let mut named: BTreeMap<(&ClusterId, &Text), Vec<&Workload>> = BTreeMap::new();
        for workload in &self.collection.workloads {
            let Some(cluster) = workload.placement.cluster.value() else { continue };
            for rule in &workload.availability.cluster_rules {
                named.entry((cluster, rule)).or_default().push(workload);
            }
            self.add_overrides(control, workload);
        }
        for ((cluster, name), bound) in named {
            let mut workloads: Vec<WorkloadId> = bound.iter().map(|it| it.id.clone()).collect();
            workloads.sort();
            let apart = name.ends_with("-separate");
            let hosts = if apart { Vec::new() } else { self.hosts_for(cluster, name, &bound) };
            if !apart {
                self.add_groups(control, cluster, name, &workloads, &hosts);
            }
            control.placement_rules.push(PlacementRule {
                platform: self.platform.clone(),
                cluster: Observed::Value(cluster.clone()),
                name: name.clone(),
                kind: match apart {
                    true => PlacementRuleKind::KeepApart,
                    false => PlacementRuleKind::RunOn,
                },
                enabled: Observed::Value(!name.starts_with("appliances")),
                mandatory: Observed::Value(name.contains("must") || name.contains("licen")),
                workloads: Listing::complete(workloads),
                hosts: Listing::complete(hosts),
            });
        }
    }

    /// The machines' own hosts where the rule says so, else every other host of the cluster.
    fn hosts_for(&self, cluster: &ClusterId, name: &str, bound: &[&Workload]) -> Vec<HostId> {
        let mut hosts: Vec<HostId> = if name.ends_with("-must-run-on-host") {
            bound.iter().filter_map(|it| it.placement.host.value()).cloned().collect()
        } else {
            let of = self.collection.hosts.iter().filter(|it| it.cluster.value() == Some(cluster));
            of.step_by(2).map(|it| it.id.clone()).collect()
        };
        hosts.sort();
        hosts.dedup();
        hosts
    }

    fn add_groups(
        &self,
        control: &mut ControlPlane,
        cluster: &ClusterId,
        name: &str,
        workloads: &[WorkloadId],
        hosts: &[HostId],
    ) {
        let mut add = |name: String, workloads: Vec<WorkloadId>, hosts: Vec<HostId>| {
            control.placement_groups.push(PlacementGroup {
                platform: self.platform.clone(),
                cluster: Observed::Value(cluster.clone()),
                name: name.into(),
                workloads: Listing::complete(workloads),
                hosts: Listing::complete(hosts),
            });
        };
        add(format!("{name} machines"), workloads.to_vec(), Vec::new());
        add(format!("{name} hosts"), Vec::new(), hosts.to_vec());
    }

    /// What differs from the cluster's own settings.
    fn add_overrides(&self, control: &mut ControlPlane, workload: &Workload) {
        let mut add = |function: &str, setting: &str, value: &Text| {
            control.overrides.push(WorkloadOverride {
                workload: workload.id.clone(),
                function: function.into(),
                setting: setting.into(),
                value: value.clone(),
            });
        };
        let availability = &workload.availability;
        match availability.ha_restart_priority.value() {
            Some(value) if value != "medium" => add("ha", "restartPriority", value),
            _ => {}
        }
        match availability.ha_isolation_response.value() {
            Some(value) if value != "none" => add("ha", "isolationResponse", value),
            _ => {}
        }
        if availability.cluster_rules.iter().any(|it| it.ends_with("-must-run-on-host")) {
            add("drs", "behavior", &"disabled".into());
        }
    }
}
