//! What an estate is made of: operating systems, storage, networks, and sizes in tiers.
//!
//! The tiers are those in common use (the migration-planner project's), so that numbers can be
//! compared.

use std::collections::{BTreeMap, HashMap};

use entente_model::{Estate, Network, Observed, SwitchKind, Text, Workload};
use schemars::JsonSchema;
use serde::Serialize;

use crate::quantity::{Quantity, disk_capacity_mib, machines, memory_mib, mib, vcpus};

/// How often something occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Share {
    /// What.
    pub label: Text,
    /// How many machines (or objects).
    pub count: u64,
    /// Size of them together, where a size makes sense.
    pub size_mib: Quantity,
}

/// Operating systems, storage and network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ShapeReport {
    /// Machines by operating system, most first.
    pub operating_systems: Vec<Share>,
    /// Machines by operating system family.
    pub families: Vec<Share>,
    /// Datastores by kind; size = capacity.
    pub datastores: Vec<Share>,
    /// Machines by total disk capacity; size = that capacity.
    pub disk_tiers: Vec<Share>,
    /// Networks by kind of switch.
    pub networks: Vec<Share>,
    /// Machines by number of network adapters.
    pub nic_tiers: Vec<Share>,
    /// Machines by virtual processors.
    pub cpu_tiers: Vec<Share>,
    /// Machines by memory.
    pub memory_tiers: Vec<Share>,
}

/// Label of what was not observed.
const NOT_OBSERVED: &str = "not observed";

/// The highest value of a tier, and its label; the last tier has no end.
type Tiers = [(u64, &'static str)];

const GIB: u64 = 1024;
const TIB: u64 = 1024 * GIB;

/// In MiB.
const DISK_TIERS: [(u64, &str); 8] = [
    (100 * GIB, "up to 100 GiB"),
    (500 * GIB, "100–500 GiB"),
    (TIB, "500 GiB–1 TiB"),
    (2 * TIB, "1–2 TiB"),
    (5 * TIB, "2–5 TiB"),
    (10 * TIB, "5–10 TiB"),
    (20 * TIB, "10–20 TiB"),
    (u64::MAX, "over 20 TiB"),
];

const NIC_TIERS: [(u64, &str); 5] =
    [(0, "0"), (1, "1"), (2, "2"), (3, "3"), (u64::MAX, "4 or more")];

const CPU_TIERS: [(u64, &str); 5] =
    [(4, "up to 4"), (8, "5–8"), (16, "9–16"), (32, "17–32"), (u64::MAX, "over 32")];

/// In MiB.
const MEMORY_TIERS: [(u64, &str); 7] = [
    (4 * GIB, "up to 4 GiB"),
    (16 * GIB, "4–16 GiB"),
    (32 * GIB, "16–32 GiB"),
    (64 * GIB, "32–64 GiB"),
    (128 * GIB, "64–128 GiB"),
    (256 * GIB, "128–256 GiB"),
    (u64::MAX, "over 256 GiB"),
];

/// An operating system as a product and its family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemName {
    /// Product with version, `Ubuntu 22.04`.
    pub product: Text,
    /// Family, `Linux`.
    pub family: Text,
}

/// Describes the estate. `recognise` turns an operating system as a platform writes it into a product
/// and its family; what it does not know is listed as written, in the family `other`.
pub fn shape(estate: &Estate, recognise: impl Fn(&str) -> Option<SystemName>) -> ShapeReport {
    let (operating_systems, families) = systems(estate, recognise);
    let by_tier = |tiers: &Tiers, measure: fn(&Workload) -> Observed<u64>, counted| {
        tiered(tiers, machines(estate).map(measure), counted)
    };
    ShapeReport {
        operating_systems,
        families,
        datastores: datastores(estate),
        disk_tiers: by_tier(&DISK_TIERS, disk_capacity_mib, Counted::WithSize),
        networks: networks(estate),
        nic_tiers: by_tier(&NIC_TIERS, nic_count, Counted::Alone),
        cpu_tiers: by_tier(&CPU_TIERS, vcpus, Counted::Alone),
        memory_tiers: by_tier(&MEMORY_TIERS, memory_mib, Counted::WithSize),
    }
}

fn nic_count(workload: &Workload) -> Observed<u64> {
    match workload.nics.why() {
        None => Observed::Value(workload.nics.items.len() as u64),
        Some(why) => Observed::Unobserved(why),
    }
}

/// Whether what is measured is a size in MiB.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    WithSize,
    Alone,
}

/// Counts per tier, in the tiers' order and with empty ones; what was not observed comes last.
fn tiered(
    tiers: &Tiers,
    facts: impl Iterator<Item = Observed<u64>>,
    counted: Counted,
) -> Vec<Share> {
    let share =
        |label| Share { label: Text::new_static(label), count: 0, size_mib: Quantity::default() };
    let mut shares: Vec<Share> = tiers.iter().map(|(_, label)| share(label)).collect();
    let mut unseen = share(NOT_OBSERVED);
    for fact in facts {
        let tier = match &fact {
            Observed::Value(value) => tiers.iter().position(|(most, _)| value <= most),
            Observed::Absent => Some(0),
            Observed::Unobserved(_) => None,
        };
        let share = tier.and_then(|tier| shares.get_mut(tier)).unwrap_or(&mut unseen);
        share.count += 1;
        if counted == Counted::WithSize {
            share.size_mib.count(&fact);
        }
    }
    if unseen.count > 0 {
        shares.push(unseen);
    }
    shares
}

/// Machines by product and by family.
fn systems(
    estate: &Estate,
    recognise: impl Fn(&str) -> Option<SystemName>,
) -> (Vec<Share>, Vec<Share>) {
    let mut written: HashMap<Observed<&Text>, u64> = HashMap::new();
    for workload in machines(estate) {
        let system = match workload.guest.os() {
            Observed::Unobserved(_) | Observed::Absent => Observed::Absent,
            seen @ Observed::Value(_) => seen,
        };
        *written.entry(system).or_default() += 1;
    }
    let mut products: BTreeMap<Text, u64> = BTreeMap::new();
    let mut families: BTreeMap<Text, u64> = BTreeMap::new();
    for (system, count) in written {
        let name = match system.value() {
            None => SystemName {
                product: Text::new_static(NOT_OBSERVED),
                family: Text::new_static(NOT_OBSERVED),
            },
            Some(text) => recognise(text).unwrap_or_else(|| SystemName {
                product: (*text).clone(),
                family: Text::new_static("other"),
            }),
        };
        *products.entry(name.product).or_default() += count;
        *families.entry(name.family).or_default() += count;
    }
    (most_first(products), most_first(families))
}

fn most_first(counts: BTreeMap<Text, u64>) -> Vec<Share> {
    let mut shares: Vec<Share> = counts
        .into_iter()
        .map(|(label, count)| Share { label, count, size_mib: Quantity::default() })
        .collect();
    shares.sort_by_key(|share| std::cmp::Reverse(share.count));
    shares
}

/// Datastores by kind whatever its case, labelled as the first in order writes it.
fn datastores(estate: &Estate) -> Vec<Share> {
    let mut kinds: BTreeMap<String, Share> = BTreeMap::new();
    for datastore in &estate.datastores {
        let label = match &datastore.kind {
            Observed::Value(kind) => kind.clone(),
            Observed::Absent | Observed::Unobserved(_) => Text::new_static(NOT_OBSERVED),
        };
        let share = kinds.entry(label.to_lowercase()).or_insert_with(|| Share {
            label,
            count: 0,
            size_mib: Quantity::default(),
        });
        share.count += 1;
        share.size_mib.count(&datastore.capacity_bytes.as_ref().map(|bytes| mib(*bytes)));
    }
    let mut shares: Vec<Share> = kinds.into_values().collect();
    shares.sort_by_key(|share| std::cmp::Reverse(share.count));
    shares
}

fn networks(estate: &Estate) -> Vec<Share> {
    let label = |network: &Network| match network.switch_kind {
        Observed::Value(SwitchKind::Distributed) => "distributed",
        Observed::Value(SwitchKind::Standard) => "standard",
        Observed::Absent => "no switch",
        Observed::Unobserved(_) => NOT_OBSERVED,
    };
    let mut kinds: BTreeMap<Text, u64> = BTreeMap::new();
    for network in &estate.networks {
        *kinds.entry(Text::new_static(label(network))).or_default() += 1;
    }
    most_first(kinds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::{
        GIB as GIB_BYTES, any_estate, datastore, estate, machine, network, unknown,
    };

    fn nobody(_: &str) -> Option<SystemName> {
        None
    }

    /// `label count (size)` of every share with anything in it.
    fn lines(shares: &[Share]) -> Vec<String> {
        shares
            .iter()
            .filter(|it| it.count > 0)
            .map(|it| match it.size_mib {
                Quantity { known: 0, unknown: 0 } => format!("{} {}", it.label, it.count),
                size => format!("{} {} ({}+{})", it.label, it.count, size.known, size.unknown),
            })
            .collect()
    }

    #[test]
    fn systems_by_product_and_family_most_first() {
        let named = |name: &str, system: &str| {
            let mut workload = machine(name);
            workload.guest.os_reported = Observed::Value(system.into());
            workload
        };
        let mut silent = machine("d");
        silent.guest.os_reported = unknown();
        silent.guest.os_configured = unknown();
        let estate = estate(vec![
            named("a", "RHEL 9 (64-bit)"),
            named("b", "RHEL 9"),
            named("c", "Haiku"),
            silent,
        ]);
        let shape = shape(&estate, |system| {
            system.starts_with("RHEL 9").then(|| SystemName {
                product: "Red Hat Enterprise Linux 9".into(),
                family: "Linux".into(),
            })
        });
        assert_eq!(
            lines(&shape.operating_systems),
            ["Red Hat Enterprise Linux 9 2", "Haiku 1", "not observed 1"]
        );
        assert_eq!(lines(&shape.families), ["Linux 2", "not observed 1", "other 1"]);
    }

    #[test]
    fn tiers_include_their_upper_end() {
        for (memory_gib, tier) in [
            (4, "up to 4 GiB"),
            (5, "4–16 GiB"),
            (16, "4–16 GiB"),
            (17, "16–32 GiB"),
            (256, "128–256 GiB"),
            (257, "over 256 GiB"),
        ] {
            let mut workload = machine("vm");
            workload.memory.size_bytes = Observed::Value(memory_gib * GIB_BYTES);
            let shape = shape(&estate(vec![workload]), nobody);
            let expect = format!("{tier} 1 ({}+0)", memory_gib * 1024);
            assert_eq!(lines(&shape.memory_tiers), [expect]);
        }
    }

    #[test]
    fn tiers_of_one_machine_and_of_one_about_which_little_is_known() {
        let mut vague = machine("vague");
        vague.cpu.count = unknown();
        vague.nics = entente_model::Listing::unobserved(entente_model::Why::NotInExport);
        vague.disks = entente_model::Listing::unobserved(entente_model::Why::NotInExport);
        let shape = shape(&estate(vec![machine("vm"), vague]), nobody);
        assert_eq!(lines(&shape.cpu_tiers), ["up to 4 1", "not observed 1"]);
        assert_eq!(lines(&shape.nic_tiers), ["1 1", "not observed 1"]);
        assert_eq!(
            lines(&shape.disk_tiers),
            ["up to 100 GiB 1 (102400+0)", "not observed 1 (0+1)"]
        );
        assert_eq!(shape.nic_tiers.len(), 6, "empty tiers stay");
    }

    #[test]
    fn datastores_by_kind_whatever_the_case_and_networks_by_switch() {
        let mut estate = estate(Vec::new());
        for (name, kind) in [("ds2", "vmfs"), ("ds3", "NFS")] {
            let mut other = datastore(name);
            other.kind = Observed::Value(kind.into());
            estate.datastores.push(other);
        }
        estate.networks.push(network("dmz", SwitchKind::Distributed));
        estate
            .networks
            .push(Network { switch_kind: unknown(), ..network("x", SwitchKind::Standard) });
        let shape = shape(&estate, nobody);
        assert_eq!(lines(&shape.datastores), ["VMFS 2 (2097152+0)", "NFS 1 (1048576+0)"]);
        assert_eq!(lines(&shape.networks), ["distributed 1", "not observed 1", "standard 1"]);
    }

    proptest! {
        #[test]
        fn every_machine_is_in_one_share_of_each_kind(estate in any_estate()) {
            let shape = shape(&estate, nobody);
            let machines = machines(&estate).count() as u64;
            for shares in [
                &shape.operating_systems,
                &shape.families,
                &shape.disk_tiers,
                &shape.nic_tiers,
                &shape.cpu_tiers,
                &shape.memory_tiers,
            ] {
                prop_assert_eq!(shares.iter().map(|it| it.count).sum::<u64>(), machines);
            }
        }
    }
}
