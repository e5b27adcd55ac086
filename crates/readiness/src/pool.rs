//! Where machines compete for capacity: a cluster, or a platform's hosts outside clusters.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{ClusterId, Estate, EstateIndex, Host, HostId, Observed, PlatformId, Workload};

/// Where machines compete for capacity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pool {
    /// A cluster.
    Cluster(ClusterId),
    /// All hosts of a platform that are in no cluster.
    Standalone(PlatformId),
    /// What lives on a platform in a cluster or outside, nobody told which.
    NotObserved(PlatformId),
}

/// Which host and which workload belongs where.
#[derive(Debug)]
pub struct Pools<'a> {
    index: &'a EstateIndex<'a>,
    hosts_missing: BTreeMap<Pool, u64>,
}

impl<'a> Pools<'a> {
    /// Tables over an estate.
    pub fn new(index: &'a EstateIndex<'a>) -> Self {
        let mut pools = Self { index, hosts_missing: BTreeMap::new() };
        pools.hosts_missing = pools.count_missing(index.estate);
        pools
    }

    /// Where a host belongs.
    pub fn of_host(&self, host: &Host) -> Pool {
        pool(&host.cluster, &host.platform)
    }

    /// Where a workload belongs: its own cluster, else its host's.
    pub fn of_workload(&self, workload: &Workload) -> Pool {
        let placement = &workload.placement;
        match (&placement.cluster, placement.host.value().and_then(|id| self.index.host(id))) {
            (Observed::Unobserved(_), Some(host)) => self.of_host(host),
            (cluster, _) => pool(cluster, &workload.platform),
        }
    }

    /// Hosts that exist but that no row describes, by pool: a cluster counts more than were seen, or
    /// workloads run on hosts that were not seen.
    pub fn hosts_missing(&self) -> &BTreeMap<Pool, u64> {
        &self.hosts_missing
    }

    fn count_missing(&self, estate: &'a Estate) -> BTreeMap<Pool, u64> {
        let mut seen: BTreeMap<Pool, u64> = BTreeMap::new();
        for host in &estate.hosts {
            *seen.entry(self.of_host(host)).or_default() += 1;
        }
        let mut named: BTreeMap<Pool, BTreeSet<&HostId>> = BTreeMap::new();
        for workload in &estate.workloads {
            if let Observed::Value(host) = &workload.placement.host
                && self.index.host(host).is_none()
            {
                named.entry(self.of_workload(workload)).or_default().insert(host);
            }
        }
        let mut missing: BTreeMap<Pool, u64> =
            named.into_iter().map(|(pool, hosts)| (pool, hosts.len() as u64)).collect();
        for cluster in &estate.clusters {
            let Observed::Value(counted) = cluster.host_count else { continue };
            let pool = Pool::Cluster(cluster.id.clone());
            let seen = seen.get(&pool).copied().unwrap_or(0);
            let beyond = u64::from(counted).saturating_sub(seen);
            if beyond > 0 {
                let missing = missing.entry(pool).or_default();
                *missing = beyond.max(*missing);
            }
        }
        missing
    }
}

fn pool(cluster: &Observed<ClusterId>, platform: &PlatformId) -> Pool {
    match cluster {
        Observed::Value(id) => Pool::Cluster(id.clone()),
        Observed::Absent => Pool::Standalone(platform.clone()),
        Observed::Unobserved(_) => Pool::NotObserved(platform.clone()),
    }
}
