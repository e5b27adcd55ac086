//! How often a workload has each kind of attachment.

use std::collections::{HashMap, HashSet};

use entente_model::{
    BusSharing, Cluster, ClusterId, Datastore, Disk, DiskSharing, EstateIndex, Host, Listing,
    Network, Nic, Observed, PlatformId, SwitchKind, Text, Why, Workload, WorkloadKind,
};

use super::Seen;

/// What an estate tells of a workload's surroundings, looked up once.
pub(super) struct Surroundings<'a> {
    index: &'a EstateIndex<'a>,
    /// Recovery placeholders by name, with where they are.
    placeholders: HashMap<&'a str, Vec<Site<'a>>>,
    /// How many machines of a cluster have each restart priority, and how many are in it.
    restart_priorities: Habits<'a>,
    isolation_responses: Habits<'a>,
}

type Site<'a> = (&'a PlatformId, Option<&'a Text>);

impl<'a> Surroundings<'a> {
    pub(super) fn new(index: &'a EstateIndex<'a>) -> Self {
        let mut placeholders: HashMap<&str, Vec<Site<'_>>> = HashMap::new();
        for workload in &index.estate.workloads {
            if workload.kind == WorkloadKind::RecoveryPlaceholder {
                placeholders.entry(workload.name.as_str()).or_default().push(site(workload));
            }
        }
        Self {
            index,
            placeholders,
            restart_priorities: Habits::new(index, |it| &it.availability.ha_restart_priority),
            isolation_responses: Habits::new(index, |it| &it.availability.ha_isolation_response),
        }
    }
}

fn site(workload: &Workload) -> Site<'_> {
    (&workload.platform, workload.placement.datacenter.value())
}

/// The value that most machines of a cluster have is the cluster's own, not theirs.
struct Habits<'a> {
    usual: HashSet<(&'a ClusterId, &'a str)>,
}

impl<'a> Habits<'a> {
    fn new(index: &'a EstateIndex<'a>, setting: fn(&Workload) -> &Observed<Text>) -> Self {
        let mut counts: HashMap<&ClusterId, HashMap<&str, u32>> = HashMap::new();
        for workload in &index.estate.workloads {
            if let (Observed::Value(cluster), Observed::Value(value)) =
                (&workload.placement.cluster, setting(workload))
            {
                *counts.entry(cluster).or_default().entry(value.as_str()).or_default() += 1;
            }
        }
        let mut usual = HashSet::new();
        for (cluster, counts) in counts {
            let all: u32 = counts.values().sum();
            usual.extend(
                counts.iter().filter(|(_, n)| *n * 2 > all).map(|(value, _)| (cluster, *value)),
            );
        }
        Self { usual }
    }
}

/// One workload with what it stands on.
pub(super) struct View<'a> {
    surroundings: &'a Surroundings<'a>,
    workload: &'a Workload,
    host: Option<&'a Host>,
    cluster: Option<&'a Cluster>,
    /// By disk and by network adapter: what it lies on.
    datastores: Vec<Option<&'a Datastore>>,
    networks: Vec<Option<&'a Network>>,
}

impl<'a> View<'a> {
    pub(super) fn new(surroundings: &'a Surroundings<'a>, workload: &'a Workload) -> Self {
        let index = surroundings.index;
        let placement = &workload.placement;
        let host = placement.host.value().and_then(|id| index.host(id));
        let cluster = placement
            .cluster
            .value()
            .or_else(|| host.and_then(|it| it.cluster.value()))
            .and_then(|id| index.cluster(id));
        let datastore = |disk: &Disk| index.datastore(disk.datastore.value()?);
        let network = |nic: &Nic| index.network(nic.network.value()?);
        Self {
            surroundings,
            workload,
            host,
            cluster,
            datastores: workload.disks.iter().map(datastore).collect(),
            networks: workload.nics.iter().map(network).collect(),
        }
    }

    /// What is known of an attribute of the cluster; outside a cluster there is none.
    fn of_cluster(&self, attribute: fn(&Cluster) -> &Observed<bool>) -> Observed<bool> {
        match (&self.workload.placement.cluster, self.cluster) {
            (_, Some(cluster)) => attribute(cluster).clone(),
            (Observed::Absent, None) => Observed::Absent,
            (Observed::Value(_), None) => Observed::Unobserved(Why::NotInExport),
            (Observed::Unobserved(why), None) => Observed::Unobserved(*why),
        }
    }
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.missing = worse(self.missing, other.missing);
    }

    fn sum(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut seen = Self::default();
        for part in parts {
            seen.add(part);
        }
        seen
    }

    /// One if the fact holds.
    fn fact<T>(fact: &Observed<T>, holds: impl FnOnce(&T) -> bool) -> Self {
        match fact {
            Observed::Value(value) => Self { count: u32::from(holds(value)), missing: None },
            Observed::Absent => Self::default(),
            Observed::Unobserved(why) => Self { count: 0, missing: Some(*why) },
        }
    }

    fn flag(fact: &Observed<bool>) -> Self {
        Self::fact(fact, |it| *it)
    }

    /// One for each item that has it.
    fn items<T>(list: &Listing<T>, each: impl Fn(&T) -> Self) -> Self {
        let mut seen = Self::sum(list.iter().map(each));
        seen.missing = worse(seen.missing, list.why());
        seen
    }

    fn len<T>(list: &Listing<T>) -> Self {
        Self::items(list, |_| Self { count: 1, missing: None })
    }
}

/// A reason that a better export would remove outranks a limit of the source.
fn worse(a: Option<Why>, b: Option<Why>) -> Option<Why> {
    match (a, b) {
        (Some(first), Some(second)) if first.is_limit_of_source() => Some(second),
        (first, second) => first.or(second),
    }
}

pub(super) fn drs_rules(view: &View<'_>) -> Seen {
    Seen::len(&view.workload.availability.cluster_rules)
}

pub(super) fn drs_cluster(view: &View<'_>) -> Seen {
    Seen::flag(&view.of_cluster(|it| &it.drs_enabled))
}

pub(super) fn ha_protected(view: &View<'_>) -> Seen {
    let own = &view.workload.availability.ha_protected;
    match (own, view.of_cluster(|it| &it.ha_enabled)) {
        // Without HA nothing is protected, whether or not the machine's own field says so.
        (Observed::Unobserved(_), Observed::Value(false) | Observed::Absent) => Seen::default(),
        _ => Seen::flag(own),
    }
}

/// Words by which a machine says that the cluster decides, or that are the defaults everywhere.
const HA_DEFAULTS: [&str; 5] =
    ["medium", "none", "clusterRestartPriority", "clusterIsolationResponse", ""];

/// Only what is clearly an override: neither a default word nor what most of the cluster has.
pub(super) fn ha_overrides(view: &View<'_>) -> Seen {
    if let Observed::Value(false) | Observed::Absent = view.of_cluster(|it| &it.ha_enabled) {
        return Seen::default();
    }
    let cluster = view.workload.placement.cluster.value();
    let own = |setting: &Observed<Text>, habits: &Habits<'_>| {
        Seen::fact(setting, |value| {
            !HA_DEFAULTS.iter().any(|it| value.eq_ignore_ascii_case(it))
                && !cluster.is_some_and(|id| habits.usual.contains(&(id, value.as_str())))
        })
    };
    let availability = &view.workload.availability;
    let surroundings = view.surroundings;
    Seen::sum([
        own(&availability.ha_restart_priority, &surroundings.restart_priorities),
        own(&availability.ha_isolation_response, &surroundings.isolation_responses),
    ])
}

pub(super) fn fault_tolerance(view: &View<'_>) -> Seen {
    Seen::fact(&view.workload.availability.fault_tolerance, |state| {
        !state.eq_ignore_ascii_case("notConfigured")
    })
}

/// A placeholder of the same name on another platform or in another datacenter. Where only one
/// platform was read and it holds no placeholder, the other site was not looked at.
pub(super) fn recovery_placeholders(view: &View<'_>) -> Seen {
    let surroundings = view.surroundings;
    if surroundings.placeholders.is_empty() && surroundings.index.estate.platforms.len() < 2 {
        return Seen { count: 0, missing: Some(Why::NotInExport) };
    }
    let (platform, datacenter) = site(view.workload);
    let elsewhere = |(other, its_datacenter): &Site<'_>| {
        *other != platform || (its_datacenter.is_some() && *its_datacenter != datacenter)
    };
    let paired = view.workload.kind == WorkloadKind::Machine
        && surroundings
            .placeholders
            .get(view.workload.name.as_str())
            .is_some_and(|sites| sites.iter().any(elsewhere));
    Seen { count: u32::from(paired), missing: None }
}

pub(super) fn vapp(view: &View<'_>) -> Seen {
    Seen::fact(&view.workload.placement.vapp, |name| !name.is_empty())
}

/// The root pool of a cluster or host is called `Resources`.
pub(super) fn resource_pool(view: &View<'_>) -> Seen {
    Seen::fact(&view.workload.placement.resource_pool, |path| {
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        !name.is_empty() && name != "Resources"
    })
}

pub(super) fn resource_settings(view: &View<'_>) -> Seen {
    let (cpu, memory) = (&view.workload.cpu, &view.workload.memory);
    let own_level = |level: &Text| !level.is_empty() && !level.eq_ignore_ascii_case("normal");
    Seen::sum([
        Seen::fact(&cpu.reservation_mhz, |mhz| *mhz > 0),
        // Some exports write a missing cap as 0.
        Seen::fact(&cpu.limit_mhz, |mhz| *mhz > 0),
        Seen::fact(&cpu.shares_level, own_level),
        Seen::fact(&memory.reservation_bytes, |bytes| *bytes > 0),
        Seen::fact(&memory.limit_bytes, |bytes| *bytes > 0),
        Seen::fact(&memory.shares_level, own_level),
    ])
}

pub(super) fn evc(view: &View<'_>) -> Seen {
    match (view.host, &view.workload.placement.host) {
        (Some(host), _) => Seen::fact(&host.evc_mode, |mode| !mode.is_empty()),
        (None, Observed::Absent) => Seen::default(),
        (None, Observed::Unobserved(why)) => Seen { count: 0, missing: Some(*why) },
        (None, Observed::Value(_)) => Seen { count: 0, missing: Some(Why::NotInExport) },
    }
}

pub(super) fn latency_sensitivity(view: &View<'_>) -> Seen {
    Seen::fact(&view.workload.availability.latency_sensitivity, |level| {
        !level.is_empty() && !level.eq_ignore_ascii_case("normal")
    })
}

pub(super) fn processor_affinity(view: &View<'_>) -> Seen {
    let cpu = &view.workload.cpu;
    Seen::sum([Seen::fact(&cpu.affinity, |_| true), Seen::fact(&cpu.numa_affinity, |_| true)])
}

pub(super) fn change_tracking(view: &View<'_>) -> Seen {
    Seen::flag(&view.workload.availability.change_tracking)
}

pub(super) fn disk_uuid(view: &View<'_>) -> Seen {
    Seen::flag(&view.workload.availability.disk_uuid_enabled)
}

/// A custom attribute without a value is one that nobody set.
pub(super) fn attributes(view: &View<'_>) -> Seen {
    Seen::items(&view.workload.attributes, |attribute| Seen {
        count: u32::from(!attribute.value.is_empty()),
        missing: None,
    })
}

pub(super) fn encryption(view: &View<'_>) -> Seen {
    Seen::flag(&view.workload.devices.encrypted)
}

pub(super) fn tpm(view: &View<'_>) -> Seen {
    Seen::flag(&view.workload.devices.tpm)
}

/// Those of a list that lie on something with a property. What is named but not described by any row
/// was not observed.
fn on<'a, T, I: 'a, B>(
    list: &'a Listing<T>,
    beneath: &[Option<&'a B>],
    named: impl Fn(&'a T) -> &'a Observed<I>,
    property: impl Fn(&B) -> Seen,
) -> Seen {
    let each = |(item, beneath): (&'a T, &Option<&B>)| match (named(item), beneath) {
        (_, Some(beneath)) => property(beneath),
        (Observed::Value(_), None) => Seen { count: 0, missing: Some(Why::NotInExport) },
        (Observed::Absent, None) => Seen::default(),
        (Observed::Unobserved(why), None) => Seen { count: 0, missing: Some(*why) },
    };
    let mut seen = Seen::sum(list.iter().zip(beneath).map(each));
    seen.missing = worse(seen.missing, list.why());
    seen
}

/// Disks whose datastore has a property.
fn disks_on(view: &View<'_>, property: impl Fn(&Datastore) -> Seen) -> Seen {
    on(&view.workload.disks, &view.datastores, |disk| &disk.datastore, property)
}

/// Adapters whose network has a property.
fn nics_on(view: &View<'_>, property: impl Fn(&Network) -> Seen) -> Seen {
    on(&view.workload.nics, &view.networks, |nic| &nic.network, property)
}

pub(super) fn datastore_clusters(view: &View<'_>) -> Seen {
    disks_on(view, |datastore| Seen::fact(&datastore.datastore_cluster, |name| !name.is_empty()))
}

/// One, however many disks lie there: it is the machine's place in the queue that counts.
pub(super) fn storage_io_control(view: &View<'_>) -> Seen {
    let seen = disks_on(view, |datastore| Seen::flag(&datastore.io_control));
    Seen { count: seen.count.min(1), ..seen }
}

pub(super) fn raw_mappings(view: &View<'_>) -> Seen {
    Seen::items(&view.workload.disks, |disk| Seen::fact(&disk.raw_mapping, |_| true))
}

/// Several writers, a shared controller, or several disks of the estate on one file.
pub(super) fn shared_disks(view: &View<'_>) -> Seen {
    Seen::items(&view.workload.disks, |disk| {
        let users = match (&disk.datastore, &disk.path) {
            (Observed::Value(datastore), Observed::Value(path)) => {
                view.surroundings.index.disk_users(datastore, path)
            }
            _ => 1,
        };
        let signs = Seen::sum([
            Seen::fact(&disk.sharing, |it| *it == DiskSharing::MultiWriter),
            Seen::fact(&disk.bus_sharing, |it| *it != BusSharing::None),
            Seen { count: u32::from(users > 1), missing: None },
        ]);
        // One sign settles it.
        if signs.count > 0 { Seen { count: 1, missing: None } } else { signs }
    })
}

pub(super) fn distributed_port_groups(view: &View<'_>) -> Seen {
    nics_on(view, |network| {
        Seen::fact(&network.switch_kind, |kind| *kind == SwitchKind::Distributed)
    })
}

/// Standard switches accept changed and forged addresses unless told otherwise; distributed ones
/// accept nothing.
pub(super) fn port_group_security(view: &View<'_>) -> Seen {
    nics_on(view, |network| {
        let addresses = match network.switch_kind {
            Observed::Value(SwitchKind::Distributed) => {
                Seen::sum([Seen::flag(&network.mac_changes), Seen::flag(&network.forged_transmits)])
            }
            Observed::Value(SwitchKind::Standard) | Observed::Absent => Seen::default(),
            Observed::Unobserved(why) => Seen { count: 0, missing: Some(why) },
        };
        let signs = Seen::sum([Seen::flag(&network.promiscuous), addresses]);
        if signs.count > 0 { Seen { count: 1, missing: None } } else { signs }
    })
}

pub(super) fn direct_path(view: &View<'_>) -> Seen {
    Seen::items(&view.workload.nics, |nic: &Nic| Seen::flag(&nic.direct_path))
}

pub(super) fn usb(view: &View<'_>) -> Seen {
    Seen::len(&view.workload.devices.usb)
}

pub(super) fn pci_passthrough(view: &View<'_>) -> Seen {
    Seen::len(&view.workload.devices.pci_passthrough)
}

pub(super) fn vgpus(view: &View<'_>) -> Seen {
    Seen::len(&view.workload.devices.vgpus)
}

pub(super) fn serial_ports(view: &View<'_>) -> Seen {
    Seen::len(&view.workload.devices.serial_ports)
}

pub(super) fn snapshots(view: &View<'_>) -> Seen {
    Seen::len(&view.workload.snapshots)
}
