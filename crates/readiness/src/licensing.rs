//! Cores to license, by host and cluster.
//!
//! The rule is the vendor's own counting rule (KB 313548 and the counting script attached to it):
//! every socket counts at least 16 cores. It reads a host as `cores / sockets` in each socket, so it
//! takes all sockets of a host to be alike.

use std::collections::BTreeMap;

use entente_model::{Estate, Host, HostId, Observed};

use crate::pool::{Pool, Pools};
use crate::quantity::Quantity;

/// The rule in words, with its source and its limits.
pub const LICENSING_RULE: &str = "Sockets × max(16, cores ÷ sockets) for each host, exactly: cores that \
    do not divide evenly by the sockets are not rounded, so at least 16 per socket and never fewer \
    than the host has; threads never count. Hosts in maintenance and disconnected hosts count. Not \
    counted: appliances that stand in for a host during a migration (model \"VMware Mobility \
    Platform\"). A vSAN witness appliance cannot be told from a host here and counts. Source: \
    Broadcom KB 313548.";

/// Cores that one socket counts at least.
pub const CORES_PER_SOCKET_MIN: u64 = 16;

/// Model of an appliance that looks like a host but is not licensed.
const STAND_IN_MODEL: &str = "VMware Mobility Platform";

/// Cores to license for one host: `sockets × max(16, cores ÷ sockets)`.
pub fn licensable_cores(sockets: u32, cores: u32) -> u64 {
    u64::from(cores).max(u64::from(sockets) * CORES_PER_SOCKET_MIN)
}

/// Cores to license.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Licensing {
    /// In all; `unknown` counts hosts.
    pub total: Quantity,
    /// Cores that the minimum per socket adds to what the hosts have.
    pub added_by_minimum: u64,
    /// By cluster and by platform's standalone hosts.
    pub pools: BTreeMap<Pool, Quantity>,
    /// Hosts that the rule leaves out, sorted.
    pub excluded: Vec<HostId>,
    /// Hosts whose cores do not divide evenly by their sockets, sorted: unlike sockets may need more
    /// than the rule tells.
    pub uneven: Vec<HostId>,
}

/// Counts cores to license over all hosts. Hosts that a cluster counts or a workload names, but that
/// no row describes, are unknown.
pub fn licensing(estate: &Estate, pools: &Pools<'_>) -> Licensing {
    let mut licensing = Licensing::default();
    for host in &estate.hosts {
        let quantity = licensing.pools.entry(pools.of_host(host)).or_default();
        if host.model.value().is_some_and(|it| it.trim().eq_ignore_ascii_case(STAND_IN_MODEL)) {
            licensing.excluded.push(host.id.clone());
            continue;
        }
        match processors(host) {
            Some((sockets, cores)) => {
                let cores_to_license = licensable_cores(sockets, cores);
                quantity.known += cores_to_license;
                licensing.added_by_minimum += cores_to_license - u64::from(cores);
                if !cores.is_multiple_of(sockets) {
                    licensing.uneven.push(host.id.clone());
                }
            }
            None => quantity.unknown += 1,
        }
    }
    for (pool, missing) in pools.hosts_missing() {
        licensing.pools.entry(pool.clone()).or_default().unknown += missing;
    }
    for quantity in licensing.pools.values() {
        licensing.total += *quantity;
    }
    licensing
}

/// Sockets and cores, where both were observed and can be true.
fn processors(host: &Host) -> Option<(u32, u32)> {
    match (&host.sockets, &host.cores) {
        (Observed::Value(sockets), Observed::Value(cores)) if *sockets > 0 && cores >= sockets => {
            Some((*sockets, *cores))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::{any_estate, cluster_id, estate, host, machine, platform, unknown};
    use entente_model::ClusterId;

    fn sized(name: &str, sockets: u32, cores: u32) -> Host {
        Host {
            sockets: Observed::Value(sockets),
            cores: Observed::Value(cores),
            ..host(name, Observed::Value(cluster_id("prod")))
        }
    }

    fn of(hosts: Vec<Host>) -> Licensing {
        let mut estate = estate(Vec::new());
        if let Some(cluster) = estate.clusters.first_mut() {
            cluster.host_count = unknown();
        }
        estate.hosts = hosts;
        let index = estate.index();
        licensing(&estate, &Pools::new(&index))
    }

    #[test]
    fn the_vendors_own_examples() {
        let mixed = of(vec![sized("a", 2, 16), sized("b", 2, 48)]);
        assert_eq!(mixed.total, Quantity { known: 80, unknown: 0 }, "(2×8) + (2×24)");
        assert_eq!(mixed.added_by_minimum, 16);
        let small = of(vec![sized("a", 1, 8), sized("b", 1, 8), sized("c", 1, 8)]);
        assert_eq!(small.total, Quantity { known: 48, unknown: 0 }, "3 hosts with one socket of 8");
        assert_eq!(small.added_by_minimum, 24);
    }

    #[test]
    fn cores_of_one_host() {
        for (sockets, cores, expect, why) in [
            (1, 1, 16, "the minimum"),
            (1, 16, 16, "exactly the minimum"),
            (1, 17, 17, "above it"),
            (2, 31, 32, "15.5 per socket is below the minimum"),
            (2, 37, 37, "18.5 per socket is not rounded"),
            (4, 64, 64, "exactly the minimum, four times"),
        ] {
            assert_eq!(licensable_cores(sockets, cores), expect, "{why}");
        }
    }

    #[test]
    fn stand_in_appliances_do_not_count_and_are_named() {
        let stand_in = Host {
            model: Observed::Value("VMware Mobility Platform".into()),
            ..sized("hcx", 2, 40)
        };
        let licensing = of(vec![sized("a", 2, 32), stand_in.clone()]);
        assert_eq!(licensing.total, Quantity { known: 32, unknown: 0 });
        assert_eq!(licensing.excluded, [stand_in.id]);
    }

    #[test]
    fn what_cannot_be_counted_is_unknown() {
        let no_cores = Host { cores: unknown(), ..sized("a", 2, 0) };
        let impossible = sized("b", 4, 2);
        let no_sockets = sized("c", 0, 16);
        let licensing = of(vec![no_cores, impossible, no_sockets, sized("d", 1, 20)]);
        assert_eq!(licensing.total, Quantity { known: 20, unknown: 3 });
    }

    #[test]
    fn uneven_hosts_are_named() {
        let licensing = of(vec![sized("a", 2, 37), sized("b", 2, 36)]);
        assert_eq!(licensing.uneven, [crate::sample::host_id("a")]);
    }

    #[test]
    fn hosts_that_nobody_described_are_unknown_and_not_counted_twice() {
        let mut estate = estate(vec![machine("vm1"), machine("vm2")]);
        estate.hosts.clear();
        if let Some(cluster) = estate.clusters.first_mut() {
            cluster.host_count = Observed::Value(3);
        }
        let index = estate.index();
        let licensing = licensing(&estate, &Pools::new(&index));
        assert_eq!(licensing.total, Quantity { known: 0, unknown: 3 });
    }

    #[test]
    fn clusters_standalone_hosts_and_unplaced_hosts_are_apart() {
        let place =
            |name: &str, cluster: Observed<ClusterId>| Host { cluster, ..sized(name, 1, 16) };
        let licensing = of(vec![
            place("a", Observed::Value(cluster_id("prod"))),
            place("b", Observed::Absent),
            place("c", unknown()),
        ]);
        let expect = Quantity { known: 16, unknown: 0 };
        let pools: Vec<(Pool, Quantity)> = licensing.pools.into_iter().collect();
        assert_eq!(
            pools,
            [
                (Pool::Cluster(cluster_id("prod")), expect),
                (Pool::Standalone(platform("vc1")), expect),
                (Pool::NotObserved(platform("vc1")), expect),
            ]
        );
    }

    proptest! {
        #[test]
        fn never_fewer_than_the_cores_nor_than_the_minimum(sockets in 1_u32..16, cores in 1_u32..512) {
            let licensable = licensable_cores(sockets, cores);
            // The rule as it is written, in exact fractions: sockets × max(16, cores ÷ sockets).
            let by_rule = if cores > 16 * sockets { cores } else { 16 * sockets };
            prop_assert_eq!(licensable, u64::from(by_rule));
        }

        #[test]
        fn pools_add_up(estate in any_estate()) {
            let index = estate.index();
            let licensing = licensing(&estate, &Pools::new(&index));
            let mut sum = Quantity::default();
            for quantity in licensing.pools.values() {
                sum += *quantity;
            }
            prop_assert_eq!(sum, licensing.total);
        }
    }
}
