//! What a cluster has and what its machines ask for.

use std::collections::BTreeMap;

use entente_model::{Estate, EstateIndex, Observed, PowerState, Workload};
use schemars::JsonSchema;
use serde::Serialize;

use crate::pool::{Pool, Pools};
use crate::quantity::{
    Quantity, disk_capacity_mib, machines, memory_mib, mib, storage_used_mib, vcpus,
};

/// What machines ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Demand {
    /// Machines.
    pub machines: u64,
    /// Virtual processors.
    pub vcpus: Quantity,
    /// Memory.
    pub memory_mib: Quantity,
    /// Disk capacity as guests see it.
    pub disk_capacity_mib: Quantity,
    /// Storage in use.
    pub storage_used_mib: Quantity,
}

impl Demand {
    /// Adds one machine.
    pub fn add(&mut self, workload: &Workload) {
        self.machines += 1;
        self.vcpus.count(&vcpus(workload));
        self.memory_mib.count(&memory_mib(workload));
        self.disk_capacity_mib.count(&disk_capacity_mib(workload));
        self.storage_used_mib.count(&storage_used_mib(workload));
    }

    /// Counts one machine of which nobody knows whether it belongs here.
    fn add_doubtful(&mut self) {
        for quantity in [
            &mut self.vcpus,
            &mut self.memory_mib,
            &mut self.disk_capacity_mib,
            &mut self.storage_used_mib,
        ] {
            quantity.unknown += 1;
        }
    }
}

impl std::ops::AddAssign for Demand {
    fn add_assign(&mut self, other: Self) {
        self.machines += other.machines;
        self.vcpus += other.vcpus;
        self.memory_mib += other.memory_mib;
        self.disk_capacity_mib += other.disk_capacity_mib;
        self.storage_used_mib += other.storage_used_mib;
    }
}

/// Capacity and demand of one pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizing {
    /// Hosts seen.
    pub hosts: u64,
    /// Cores of the hosts; `unknown` counts hosts.
    pub cores: Quantity,
    /// Memory of the hosts; `unknown` counts hosts.
    pub memory_mib: Quantity,
    /// What running machines ask for. A machine whose power state was not observed is not among
    /// `machines` and counts as unknown in every quantity.
    pub demand_on: Demand,
    /// What all machines ask for.
    pub demand_all: Demand,
}

/// Capacity and demand of every pool that has hosts, machines, or is a known cluster. Where some
/// hosts of a cluster were not seen but the cluster tells its own cores or memory, those are taken.
pub fn sizing(index: &EstateIndex<'_>, pools: &Pools<'_>) -> BTreeMap<Pool, Sizing> {
    let estate = index.estate;
    let mut sizings: BTreeMap<Pool, Sizing> = BTreeMap::new();
    for cluster in &estate.clusters {
        sizings.entry(Pool::Cluster(cluster.id.clone())).or_default();
    }
    for host in &estate.hosts {
        let sizing = sizings.entry(pools.of_host(host)).or_default();
        sizing.hosts += 1;
        sizing.cores.count(&host.cores.as_ref().map(|cores| u64::from(*cores)));
        sizing.memory_mib.count(&host.memory_bytes.as_ref().map(|bytes| mib(*bytes)));
    }
    for (pool, missing) in pools.hosts_missing() {
        let sizing = sizings.entry(pool.clone()).or_default();
        sizing.cores.unknown += missing;
        sizing.memory_mib.unknown += missing;
    }
    take_clusters_own_capacity(estate, &mut sizings);
    for workload in machines(estate) {
        let sizing = sizings.entry(pools.of_workload(workload)).or_default();
        sizing.demand_all.add(workload);
        match workload.power {
            Observed::Value(PowerState::On) => sizing.demand_on.add(workload),
            Observed::Value(_) | Observed::Absent => {}
            Observed::Unobserved(_) => sizing.demand_on.add_doubtful(),
        }
    }
    sizings
}

fn take_clusters_own_capacity(estate: &Estate, sizings: &mut BTreeMap<Pool, Sizing>) {
    for cluster in &estate.clusters {
        let Some(sizing) = sizings.get_mut(&Pool::Cluster(cluster.id.clone())) else { continue };
        let cores = cluster.cpu_cores.copied().map(u64::from);
        let memory = cluster.memory_bytes.copied().map(mib);
        for (quantity, own) in [(&mut sizing.cores, cores), (&mut sizing.memory_mib, memory)] {
            if let Some(known) = own
                && quantity.unknown > 0
                && known >= quantity.known
            {
                *quantity = Quantity { known, unknown: 0 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use entente_model::Estate;
    use proptest::prelude::*;

    use super::*;
    use crate::sample::{GIB, any_estate, cluster_id, estate, host, machine, platform, unknown};

    fn of(estate: &Estate) -> BTreeMap<Pool, Sizing> {
        let index = estate.index();
        sizing(&index, &Pools::new(&index))
    }

    fn known(known: u64) -> Quantity {
        Quantity { known, unknown: 0 }
    }

    #[test]
    fn a_cluster_with_one_machine_on_and_one_off() {
        let mut off = machine("off");
        off.power = Observed::Value(PowerState::Off);
        let sizings = of(&estate(vec![machine("on"), off]));
        let prod = sizings.get(&Pool::Cluster(cluster_id("prod"))).unwrap();
        assert_eq!((prod.hosts, prod.cores, prod.memory_mib), (1, known(32), known(512 * 1024)));
        assert_eq!(
            prod.demand_on,
            Demand {
                machines: 1,
                vcpus: known(4),
                memory_mib: known(16 * 1024),
                disk_capacity_mib: known(100 * 1024),
                storage_used_mib: known(40 * 1024),
            }
        );
        assert_eq!((prod.demand_all.machines, prod.demand_all.vcpus), (2, known(8)));
    }

    #[test]
    fn what_was_not_observed_is_counted_and_not_summed() {
        let mut gap = machine("gap");
        gap.power = unknown();
        gap.memory.size_bytes = unknown();
        gap.disks.items.push(entente_model::Disk {
            capacity_bytes: unknown(),
            ..crate::sample::disk("Hard disk 2")
        });
        let sizings = of(&estate(vec![gap, machine("vm")]));
        let prod = sizings.get(&Pool::Cluster(cluster_id("prod"))).unwrap();
        assert_eq!(prod.demand_all.memory_mib, Quantity { known: 16 * 1024, unknown: 1 });
        assert_eq!(prod.demand_all.disk_capacity_mib, Quantity { known: 100 * 1024, unknown: 1 });
        assert_eq!(prod.demand_on.machines, 1, "nobody knows whether the other one runs");
        assert_eq!(prod.demand_on.vcpus, Quantity { known: 4, unknown: 1 });
    }

    #[test]
    fn a_machine_belongs_to_its_own_cluster_else_to_its_hosts() {
        let mut by_host = machine("by-host");
        by_host.placement.cluster = unknown();
        let mut standalone = machine("standalone");
        standalone.placement.cluster = Observed::Absent;
        let mut nowhere = machine("nowhere");
        nowhere.placement.cluster = unknown();
        nowhere.placement.host = unknown();
        let machines = |pool: Pool| {
            let workloads = vec![by_host.clone(), standalone.clone(), nowhere.clone()];
            of(&estate(workloads)).get(&pool).map(|it| it.demand_all.machines)
        };
        assert_eq!(machines(Pool::Cluster(cluster_id("prod"))), Some(1));
        assert_eq!(machines(Pool::Standalone(platform("vc1"))), Some(1));
        assert_eq!(machines(Pool::NotObserved(platform("vc1"))), Some(1));
    }

    #[test]
    fn a_clusters_own_capacity_stands_in_for_hosts_that_were_not_seen() {
        let mut estate = estate(Vec::new());
        for cluster in &mut estate.clusters {
            cluster.host_count = Observed::Value(3);
            cluster.cpu_cores = Observed::Value(96);
            cluster.memory_bytes = unknown();
        }
        let prod = of(&estate)[&Pool::Cluster(cluster_id("prod"))];
        assert_eq!(prod.cores, known(96));
        assert_eq!(prod.memory_mib, Quantity { known: 512 * 1024, unknown: 2 });
        estate.hosts.push(host("esx2", Observed::Value(cluster_id("prod"))));
        estate.hosts.push(host("esx3", Observed::Value(cluster_id("prod"))));
        assert_eq!(of(&estate)[&Pool::Cluster(cluster_id("prod"))].cores, known(96));
    }

    proptest! {
        #[test]
        fn pools_add_up_to_the_machines(estate in any_estate()) {
            let mut whole = Demand::default();
            for workload in machines(&estate) {
                whole.add(workload);
            }
            let mut sum = Demand::default();
            for sizing in of(&estate).values() {
                sum += sizing.demand_all;
                let (on, all) = (sizing.demand_on, sizing.demand_all);
                prop_assert!(on.machines <= all.machines);
                prop_assert!(on.vcpus.known <= all.vcpus.known);
                prop_assert!(on.memory_mib.known <= all.memory_mib.known);
                prop_assert!(on.storage_used_mib.known <= all.storage_used_mib.known);
            }
            prop_assert_eq!(sum, whole);
        }
    }

    #[test]
    fn absurd_sizes_do_not_overflow() {
        let mut huge = machine("huge");
        for disk in &mut huge.disks.items {
            disk.capacity_bytes = Observed::Value(u64::MAX);
        }
        huge.disks.items.push(huge.disks.items[0].clone());
        huge.samples.storage_used_bytes = Observed::Value(u64::MAX);
        let sizings = of(&estate(vec![huge]));
        assert_eq!(
            sizings[&Pool::Cluster(cluster_id("prod"))].demand_all.disk_capacity_mib,
            known(u64::MAX / GIB * 1024 + 1023)
        );
    }
}
