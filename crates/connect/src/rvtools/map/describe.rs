//! Everything that is not a workload: platforms, products, clusters and what else rows describe or
//! only mention; and what is worth a person's time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entente_model::{
    Cluster, ClusterId, Collection, Datastore, DatastoreId, Finding, GapCause, Host, HostId,
    Listing, Network, NetworkId, Observed, Platform, PlatformId, Product, Severity, Switch, Text,
    Why, Workload, WorkloadKind,
};

use super::join::TabRead;
use super::vm::{About, InfoPart, cluster_native};
use super::{Parts, infrastructure};

/// Not described: only other rows mention it.
const MENTIONED: Why = Why::NotInExport;

/// Fills the collection.
pub(super) fn describe(
    collection: &mut Collection,
    infos: Vec<About<InfoPart>>,
    parts: Parts,
    tabs: &mut BTreeMap<&'static str, TabRead>,
    dangling: u64,
) {
    collection.platforms = platforms(&infos);
    collection.products = products(&infos, parts.products);
    collection.workloads = infos.into_iter().map(|(_, info)| info.workload).collect();
    collection.hosts = hosts(parts.hosts, &collection.workloads, tabs);
    collection.clusters = clusters(parts.clusters, &collection.hosts, &collection.workloads, tabs);
    collection.datastores = datastores(parts.datastores, &collection.workloads, tabs);
    let hypervisor_tab = tabs.contains_key("vSC_VMK");
    collection.networks = networks(parts.networks, &collection.workloads);
    for network in &mut collection.networks {
        network.carries_hypervisor = if parts.hypervisor_networks.contains(&network.id) {
            Observed::Value(true)
        } else if hypervisor_tab {
            Observed::Value(false)
        } else {
            Observed::Unobserved(MENTIONED)
        };
    }
    collection.switches = switches(parts.switches);
    collection.resource_pools = parts.resource_pools;
    collection.licences = parts.licences;
    collection.findings = parts.findings;
    collection.findings.extend(shared_keys(&collection.workloads));
    if parts.licence_keys > 0 {
        collection.findings.push(licence_keys(parts.licence_keys, &collection.source.location));
    }
    if dangling > 0 {
        collection.findings.push(disagreement(dangling, &collection.source.location));
    }
}

fn platforms(infos: &[About<InfoPart>]) -> Vec<Platform> {
    let mut platforms: BTreeMap<PlatformId, Platform> = BTreeMap::new();
    for (vm, info) in infos {
        platforms.entry(vm.platform.clone()).or_insert_with(|| Platform {
            id: vm.platform.clone(),
            kind_label: Text::new_static("VMware vSphere"),
            address: info.server.clone(),
            uuid: info.sdk_uuid.clone(),
            site: Observed::Unobserved(Why::NotSupplied),
            owner: Observed::Unobserved(Why::NotSupplied),
        });
    }
    platforms.into_values().collect()
}

/// Products that vSource tells; where it does not, the server that vInfo names.
fn products(infos: &[About<InfoPart>], mut told: Vec<Product>) -> Vec<Product> {
    let known: BTreeSet<PlatformId> = told.iter().map(|it| it.platform.clone()).collect();
    let mut servers: BTreeMap<&PlatformId, &Text> = BTreeMap::new();
    for (vm, info) in infos {
        if let Observed::Value(server) = &info.server_type {
            servers.entry(&vm.platform).or_insert(server);
        }
    }
    for (platform, full) in servers {
        if known.contains(platform) {
            continue;
        }
        let (name, version, build) = infrastructure::split_full_version(full);
        let fact = |part: Option<&str>| match part {
            Some(part) => Observed::Value(Text::new(part)),
            None => Observed::Unobserved(Why::Blank),
        };
        told.push(Product {
            platform: platform.clone(),
            name: Text::new(name.unwrap_or(full)),
            version: fact(version),
            build: fact(build),
        });
    }
    told
}

/// Keeps the first object of each id and logs the others.
fn unique<T, K: Ord + Clone + std::fmt::Display>(
    objects: Vec<T>,
    id: impl Fn(&T) -> K,
    tab: &'static str,
    tabs: &mut BTreeMap<&'static str, TabRead>,
) -> BTreeMap<K, T> {
    let mut kept = BTreeMap::new();
    for object in objects {
        let key = id(&object);
        if kept.contains_key(&key) {
            if let Some(read) = tabs.get_mut(tab) {
                let message = format!("`{key}` is described twice: the first description is kept");
                read.log.tab(GapCause::Ambiguous, &message, 1);
            }
            continue;
        }
        kept.insert(key, object);
    }
    kept
}

fn hosts(
    told: Vec<Host>,
    workloads: &[Workload],
    tabs: &mut BTreeMap<&'static str, TabRead>,
) -> Vec<Host> {
    let mut hosts = unique(told, |host| host.id.clone(), "vHost", tabs);
    for workload in workloads {
        if let Observed::Value(id) = &workload.placement.host
            && !hosts.contains_key(id)
        {
            hosts.insert(id.clone(), mentioned_host(id, workload));
        }
    }
    hosts.into_values().collect()
}

/// What an id says after its platform.
fn native<'a>(id: &'a str, platform: &PlatformId) -> &'a str {
    id.strip_prefix(platform.as_str()).and_then(|rest| rest.strip_prefix('/')).unwrap_or(id)
}

fn mentioned_host(id: &HostId, workload: &Workload) -> Host {
    Host {
        id: id.clone(),
        platform: workload.platform.clone(),
        name: Text::new(native(id.as_str(), &workload.platform)),
        datacenter: workload.placement.datacenter.clone(),
        cluster: workload.placement.cluster.clone(),
        cpu_model: Observed::Unobserved(MENTIONED),
        cpu_mhz: Observed::Unobserved(MENTIONED),
        sockets: Observed::Unobserved(MENTIONED),
        cores: Observed::Unobserved(MENTIONED),
        memory_bytes: Observed::Unobserved(MENTIONED),
        hypervisor: Observed::Unobserved(MENTIONED),
        version: Observed::Unobserved(MENTIONED),
        build: Observed::Unobserved(MENTIONED),
        vendor: Observed::Unobserved(MENTIONED),
        model: Observed::Unobserved(MENTIONED),
        in_maintenance: Observed::Unobserved(MENTIONED),
        in_quarantine: Observed::Unobserved(MENTIONED),
        evc_mode: Observed::Unobserved(MENTIONED),
        evc_mode_max: Observed::Unobserved(MENTIONED),
        licence_count: Observed::Unobserved(MENTIONED),
        certificate_expires: Observed::Unobserved(MENTIONED),
        cpu_used_basis_points: Observed::Unobserved(MENTIONED),
        memory_used_basis_points: Observed::Unobserved(MENTIONED),
        booted: Observed::Unobserved(MENTIONED),
    }
}

/// vCluster does not tell datacenters: they come from the hosts and workloads of a cluster of that
/// name, if all are in one.
fn clusters(
    told: Vec<Cluster>,
    hosts: &[Host],
    workloads: &[Workload],
    tabs: &mut BTreeMap<&'static str, TabRead>,
) -> Vec<Cluster> {
    let mentions =
        hosts.iter().map(|host| (&host.platform, &host.cluster, &host.datacenter)).chain(
            workloads
                .iter()
                .map(|it| (&it.platform, &it.placement.cluster, &it.placement.datacenter)),
        );
    let mut mentioned: BTreeMap<ClusterId, Cluster> = BTreeMap::new();
    for (platform, cluster, datacenter) in mentions {
        if let Observed::Value(id) = cluster
            && !mentioned.contains_key(id)
        {
            mentioned.insert(id.clone(), mentioned_cluster(id, platform, datacenter));
        }
    }
    let mut by_name: HashMap<(PlatformId, Text), Vec<ClusterId>> = HashMap::new();
    for cluster in mentioned.values() {
        let key = (cluster.platform.clone(), cluster.name.clone());
        by_name.entry(key).or_default().push(cluster.id.clone());
    }
    for mut cluster in told {
        let key = (cluster.platform.clone(), cluster.name.clone());
        let ids = by_name.get(&key).map(Vec::as_slice).unwrap_or_default();
        match ids {
            [] => {
                mentioned.entry(cluster.id.clone()).or_insert(cluster);
            }
            [id] => {
                cluster.id = id.clone();
                if let Some(place) = mentioned.get_mut(id) {
                    cluster.datacenter = place.datacenter.clone();
                    *place = cluster;
                }
            }
            _ => {
                if let Some(read) = tabs.get_mut("vCluster") {
                    let message = format!(
                        "several datacenters have a cluster `{}`: which of them the row describes is not told, so it is not used",
                        cluster.name
                    );
                    read.log.tab(GapCause::Ambiguous, &message, 1);
                }
            }
        }
    }
    mentioned.into_values().collect()
}

fn mentioned_cluster(
    id: &ClusterId,
    platform: &PlatformId,
    datacenter: &Observed<Text>,
) -> Cluster {
    let whole = native(id.as_str(), platform);
    let prefix = cluster_native(datacenter.value().map(Text::as_str), "");
    Cluster {
        id: id.clone(),
        platform: platform.clone(),
        name: Text::new(whole.strip_prefix(prefix.as_str()).unwrap_or(whole)),
        datacenter: datacenter.clone(),
        ha_enabled: Observed::Unobserved(MENTIONED),
        admission_control: Observed::Unobserved(MENTIONED),
        failover_level: Observed::Unobserved(MENTIONED),
        drs_enabled: Observed::Unobserved(MENTIONED),
        drs_behaviour: Observed::Unobserved(MENTIONED),
        dpm_enabled: Observed::Unobserved(MENTIONED),
        host_count: Observed::Unobserved(MENTIONED),
        cpu_mhz: Observed::Unobserved(MENTIONED),
        cpu_cores: Observed::Unobserved(MENTIONED),
        memory_bytes: Observed::Unobserved(MENTIONED),
    }
}

fn datastores(
    told: Vec<Datastore>,
    workloads: &[Workload],
    tabs: &mut BTreeMap<&'static str, TabRead>,
) -> Vec<Datastore> {
    let mut datastores = unique(told, |it| it.id.clone(), "vDatastore", tabs);
    for workload in workloads {
        for disk in &workload.disks {
            if let Observed::Value(id) = &disk.datastore
                && !datastores.contains_key(id)
            {
                datastores.insert(id.clone(), mentioned_datastore(id, &workload.platform));
            }
        }
    }
    datastores.into_values().collect()
}

fn mentioned_datastore(id: &DatastoreId, platform: &PlatformId) -> Datastore {
    Datastore {
        id: id.clone(),
        platform: platform.clone(),
        name: Text::new(native(id.as_str(), platform)),
        kind: Observed::Unobserved(MENTIONED),
        version: Observed::Unobserved(MENTIONED),
        accessible: Observed::Unobserved(MENTIONED),
        capacity_bytes: Observed::Unobserved(MENTIONED),
        provisioned_bytes: Observed::Unobserved(MENTIONED),
        free_bytes: Observed::Unobserved(MENTIONED),
        host_count: Observed::Unobserved(MENTIONED),
        datastore_cluster: Observed::Unobserved(MENTIONED),
        io_control: Observed::Unobserved(MENTIONED),
    }
}

/// One network a name: port groups of one name on many hosts are one, and where hosts disagree on a
/// setting it is a conflict.
fn networks(told: Vec<Network>, workloads: &[Workload]) -> Vec<Network> {
    let mut networks: BTreeMap<NetworkId, Network> = BTreeMap::new();
    for network in told {
        match networks.get_mut(&network.id) {
            None => {
                networks.insert(network.id.clone(), network);
            }
            Some(kept) => {
                reconcile(&mut kept.switch, network.switch);
                reconcile(&mut kept.switch_kind, network.switch_kind);
                reconcile(&mut kept.vlan, network.vlan);
                reconcile(&mut kept.promiscuous, network.promiscuous);
                reconcile(&mut kept.mac_changes, network.mac_changes);
                reconcile(&mut kept.forged_transmits, network.forged_transmits);
            }
        }
    }
    for workload in workloads {
        for nic in &workload.nics {
            if let Observed::Value(id) = &nic.network
                && !networks.contains_key(id)
            {
                networks.insert(id.clone(), mentioned_network(id, &nic.switch, &workload.platform));
            }
        }
    }
    networks.into_values().collect()
}

/// Keeps what two rows agree on.
fn reconcile<T: PartialEq>(kept: &mut Observed<T>, other: Observed<T>) {
    if !kept.is_observed() && *kept != Observed::Unobserved(Why::Conflict) {
        *kept = other;
    } else if other.is_observed() && *kept != other {
        *kept = Observed::Unobserved(Why::Conflict);
    }
}

fn mentioned_network(id: &NetworkId, switch: &Observed<Text>, platform: &PlatformId) -> Network {
    Network {
        id: id.clone(),
        platform: platform.clone(),
        name: Text::new(native(id.as_str(), platform)),
        switch: switch.clone(),
        switch_kind: Observed::Unobserved(MENTIONED),
        vlan: Observed::Unobserved(MENTIONED),
        promiscuous: Observed::Unobserved(MENTIONED),
        mac_changes: Observed::Unobserved(MENTIONED),
        forged_transmits: Observed::Unobserved(MENTIONED),
        carries_hypervisor: Observed::Unobserved(MENTIONED),
    }
}

/// One switch a name and kind, with all hosts that have it.
fn switches(told: Vec<Switch>) -> Vec<Switch> {
    let mut switches: BTreeMap<_, Switch> = BTreeMap::new();
    for switch in told {
        let key = (switch.platform.clone(), switch.kind, switch.name.clone());
        match switches.get_mut(&key) {
            None => {
                switches.insert(key, switch);
            }
            Some(kept) => {
                reconcile(&mut kept.mtu_bytes, switch.mtu_bytes);
                let mut hosts: BTreeSet<Text> = kept.hosts.items.drain(..).collect();
                hosts.extend(switch.hosts.items);
                kept.hosts = Listing {
                    items: hosts.into_iter().collect(),
                    completeness: kept.hosts.completeness,
                };
            }
        }
    }
    switches.into_values().collect()
}

/// Names and BIOS UUIDs that several machines share.
fn shared_keys(workloads: &[Workload]) -> Vec<Finding> {
    let machines = || workloads.iter().filter(|it| it.kind == WorkloadKind::Machine);
    let mut names: BTreeMap<(&PlatformId, String), u64> = BTreeMap::new();
    let mut uuids: BTreeMap<String, u64> = BTreeMap::new();
    for machine in machines() {
        *names.entry((&machine.platform, machine.name.to_string())).or_default() += 1;
        if let Observed::Value(uuid) = &machine.bios_uuid {
            *uuids.entry(uuid.to_string()).or_default() += 1;
        }
    }
    let shared_names =
        names.into_iter().filter(|(_, count)| *count > 1).map(|((_, name), count)| {
            finding(
                Severity::Information,
                "ENT-0203",
                &name,
                format!("{count} machines of one platform have this name"),
                "tell them apart by id; rename one if people or tools go by name",
            )
        });
    let shared_uuids = uuids.into_iter().filter(|(_, count)| *count > 1).map(|(uuid, count)| {
        finding(
            Severity::Warning,
            "ENT-0204",
            &uuid,
            format!("{count} machines share this BIOS UUID, as copies of files do"),
            "give the copies a UUID of their own before a backup or licence tool mixes them up",
        )
    });
    shared_names.chain(shared_uuids).collect()
}

fn licence_keys(count: u64, location: &Text) -> Finding {
    finding(
        Severity::Information,
        "ENT-0202",
        location,
        format!("{count} cells with licence keys were in the export; none was kept"),
        "remember that the file itself still holds them when you pass it on",
    )
}

fn disagreement(rows: u64, location: &Text) -> Finding {
    finding(
        Severity::Warning,
        "ENT-0208",
        location,
        format!(
            "{rows} rows of other tabs name workloads that vInfo does not have or that cannot be told apart; they are not used"
        ),
        "export again rather than edit an export: rows were removed from some tabs only",
    )
}

fn finding(
    severity: Severity,
    code: &'static str,
    subject: &str,
    message: String,
    remedy: &'static str,
) -> Finding {
    Finding {
        severity,
        code: Text::new_static(code),
        subject: Text::new(subject),
        message: Text::from(message),
        remedy: Text::new_static(remedy),
    }
}
