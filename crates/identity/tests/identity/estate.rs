//! A large estate of which the truth is known: precision and recall of what was joined.
//!
//! The base is a generated estate on three vCenters. From it come a view by exports of three ages of
//! RVTools, a view by live collection, and what happens to machines in years: moves by three tools,
//! clones, restores, rebuilds, placeholders, addresses given twice, numbers used again. What a tool keeps
//! is told below in percent. These proportions are assumptions, chosen on the unfavourable side; no
//! vendor publishes them.
//!
//! Truth is the machine's number, never a rule. A pair is *knowable* if the later view carries a value
//! that only this machine has (or the move was recorded), and something that agrees besides; recall is
//! told for those, and for all pairs with what was lost.

use std::collections::{BTreeMap, BTreeSet};

use entente_identity::{Correlation, Move, Seen, Sighting, Strength, correlate};
use entente_model::{
    Collection, Listing, Observed, PowerState, Text, Uuid, Why, Workload, WorkloadKind,
};
use entente_twins::rvtools::{Version, carried_by};
use entente_twins::{EstateSpec, generate};

use crate::told::{day, swapped};

const WORKLOADS: u32 = 24_000;

/// What a way of moving keeps, each in percent of machines.
struct Tool {
    platform: &'static str,
    connector: &'static str,
    keeps_bios: u64,
    /// Of those kept, shown in the other byte order.
    swaps_bytes: u64,
    keeps_macs: u64,
    keeps_name: u64,
    /// The target's agent is there and tells the host name.
    tells_host: u64,
}

const TOOLS: [Tool; 3] = [
    // The import wizard reads `uuid.bios` and the addresses; "unique" draws new addresses.
    Tool {
        platform: "pve",
        connector: "proxmox",
        keeps_bios: 92,
        swaps_bytes: 0,
        keeps_macs: 80,
        keeps_name: 94,
        tells_host: 60,
    },
    // The machine's UUID is the target's own; "retain MAC" is an option.
    Tool {
        platform: "ahv",
        connector: "nutanix",
        keeps_bios: 0,
        swaps_bytes: 0,
        keeps_macs: 85,
        keeps_name: 97,
        tells_host: 80,
    },
    // Addresses are kept by default; the UUID depends on the output.
    Tool {
        platform: "kvm",
        connector: "libvirt",
        keeps_bios: 50,
        swaps_bytes: 40,
        keeps_macs: 95,
        keeps_name: 97,
        tells_host: 30,
    },
];

const MOVED_PERCENT: u64 = 14;
const SOURCE_KEPT_PERCENT: u64 = 60;
const MOVE_RECORDED_PERCENT: u64 = 30;
const DISK_GROWN_PERCENT: u64 = 3;
const RENAMED_SINCE_EXPORT_PERCENT: u64 = 2;
const CLONED_PERCENT: u64 = 5;
const CLONE_SHARES_BIOS_PERCENT: u64 = 60;
const CLONE_KEEPS_HOST_PERCENT: u64 = 40;
const RESTORED_BESIDE_PERCENT: u64 = 1;
const RESTORED_ELSEWHERE_PERCENT: u64 = 1;
const REBUILT_ELSEWHERE_PERCENT: u64 = 1;
const PLACEHOLDER_PERCENT: u64 = 1;
/// By two vCenters of the same id.
const ADDRESS_GIVEN_TWICE_PERCENT: u64 = 3;
const NUMBER_USED_AGAIN_PERCENT: u64 = 5;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let state = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        state ^ (state >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn uuid(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.next(), self.next())
    }

    fn mac(&mut self, vendor: &str) -> Text {
        let [.., a, b, c] = self.next().to_be_bytes();
        format!("{vendor}:{a:02x}:{b:02x}:{c:02x}").into()
    }
}

/// The planted world.
struct Planted {
    dice: Dice,
    sightings: Vec<Sighting>,
    /// Which machine each sighting shows, by position.
    truth: Vec<u32>,
    machines: u32,
    moves: Vec<Move>,
}

impl Planted {
    fn add(&mut self, machine: u32, mut it: Sighting) -> Text {
        it.key = format!("s{:06}", self.sightings.len()).into();
        let key = it.key.clone();
        self.sightings.push(it);
        self.truth.push(machine);
        key
    }

    fn new_machine(&mut self) -> u32 {
        self.machines += 1;
        self.machines
    }

    fn fresh_macs(&mut self, it: &mut Sighting, vendor: &str) {
        for mac in &mut it.macs.items {
            *mac = self.dice.mac(vendor);
        }
    }

    /// A copy on the same platform: its own ids and addresses.
    fn copy(&mut self, of: &Sighting, first: i64) -> Sighting {
        let mut it = of.clone();
        it.native_id = Observed::Value(format!("vm-{}", 500_000 + self.sightings.len()).into());
        it.instance_uuid = Observed::Value(self.dice.uuid());
        it.seen = Seen { first: day(first), last: None };
        it.created = Observed::Unobserved(Why::SourceLimit);
        self.fresh_macs(&mut it, "00:50:56");
        it
    }

    fn clone_of(&mut self, of: &Sighting) {
        let machine = self.new_machine();
        // While its original is there: the first moves are on day 10.
        let first = self.dice.below(10).cast_signed();
        let mut it = self.copy(of, first);
        it.name = format!("{}-clone", of.name).into();
        if !self.dice.percent(CLONE_SHARES_BIOS_PERCENT) {
            it.bios_uuid = Observed::Value(self.dice.uuid());
        }
        if !self.dice.percent(CLONE_KEEPS_HOST_PERCENT) {
            it.hostname = it.hostname.map(|host| format!("new-{host}").into());
        }
        if self.dice.percent(50) {
            it.power = Observed::Value(PowerState::Off);
            it.hostname = Observed::Unobserved(Why::GuestSilent);
        }
        self.add(machine, it);
    }

    fn restored_beside(&mut self, of: &Sighting) {
        let machine = self.new_machine();
        let first = 20 + self.dice.below(20).cast_signed();
        let mut it = self.copy(of, first);
        if self.dice.percent(50) {
            it.macs = of.macs.clone();
        }
        it.name = if self.dice.percent(50) {
            of.name.clone()
        } else {
            format!("{}_restored", of.name).into()
        };
        self.add(machine, it);
    }

    /// A restore is tried out elsewhere while the original runs.
    fn restored_elsewhere(&mut self, of: &Sighting) {
        let machine = self.new_machine();
        let mut it = self.copy(of, 30);
        it.platform = "pve".parse().unwrap();
        it.connector = "proxmox".into();
        it.instance_uuid = Observed::Unobserved(Why::SourceLimit);
        it.native_id = Observed::Value(format!("{}", 900_000 + self.sightings.len()).into());
        it.macs = of.macs.clone();
        it.seen.last = Some(day(30 + self.dice.below(40).cast_signed()));
        it.power = of.power.clone();
        self.add(machine, it);
    }

    /// Built anew under the old name, instead of moved.
    fn rebuilt_elsewhere(&mut self, of: &Sighting) {
        let machine = self.new_machine();
        let mut it = self.copy(of, 70);
        it.platform = "kvm".parse().unwrap();
        it.connector = "libvirt".into();
        let uuid = self.dice.uuid();
        it.native_id = Observed::Value(uuid.to_string().into());
        it.instance_uuid = Observed::Value(uuid);
        it.bios_uuid = Observed::Value(uuid);
        self.fresh_macs(&mut it, "52:54:00");
        self.add(machine, it);
    }

    fn placeholder_of(&mut self, of: &Sighting) {
        let machine = self.new_machine();
        let mut it = self.copy(of, 0);
        it.platform = "dr".parse().unwrap();
        it.bios_uuid = Observed::Value(self.dice.uuid());
        it.kind = WorkloadKind::RecoveryPlaceholder;
        it.power = Observed::Value(PowerState::Off);
        it.hostname = Observed::Unobserved(Why::GuestSilent);
        it.disk_bytes = Observed::Value(Vec::new());
        self.add(machine, it);
    }

    /// The machine after its move, and whether that can be known from what was kept.
    fn moved(&mut self, machine: u32, source: &Sighting, at: i64) -> Text {
        let tool = &TOOLS[self.dice.below(TOOLS.len() as u64) as usize];
        let mut it = source.clone();
        it.platform = tool.platform.parse().unwrap();
        it.connector = tool.connector.into();
        it.seen = Seen { first: day(at), last: None };
        it.power = Observed::Value(PowerState::On);
        it.created = Observed::Unobserved(Why::SourceLimit);
        let own = self.dice.uuid();
        let kept = source.bios_uuid.copied().filter(|_| self.dice.percent(tool.keeps_bios));
        let shown =
            kept.map(|it| if self.dice.percent(tool.swaps_bytes) { swapped(it) } else { it });
        it.bios_uuid = Observed::Value(shown.unwrap_or(own));
        match tool.connector {
            "libvirt" => {
                it.native_id = it.bios_uuid.clone().map(|it| it.to_string().into());
                it.instance_uuid = it.bios_uuid.clone();
            }
            "nutanix" => {
                it.native_id = Observed::Value(own.to_string().into());
                it.instance_uuid = Observed::Unobserved(Why::SourceLimit);
            }
            _ => {
                let number = 100 + self.sightings.len();
                it.native_id = Observed::Value(number.to_string().into());
                it.instance_uuid = Observed::Unobserved(Why::SourceLimit);
                if self.dice.percent(NUMBER_USED_AGAIN_PERCENT) {
                    self.earlier_holder(&it, at);
                }
            }
        }
        if !self.dice.percent(tool.keeps_macs) {
            self.fresh_macs(&mut it, "bc:24:11");
        }
        if !self.dice.percent(tool.keeps_name) {
            it.name = format!("m{:x}", self.dice.below(1 << 40)).into();
        }
        if !self.dice.percent(tool.tells_host) {
            it.hostname = Observed::Unobserved(Why::GuestSilent);
        }
        if self.dice.percent(DISK_GROWN_PERCENT)
            && let Observed::Value(disks) = &mut it.disk_bytes
        {
            disks.push(100 << 30);
        }
        self.add(machine, it)
    }

    /// Another machine that had the number before.
    fn earlier_holder(&mut self, of: &Sighting, until: i64) {
        let machine = self.new_machine();
        let mut it = of.clone();
        it.name = format!("trial-{}", self.dice.below(1_000)).into();
        it.bios_uuid = Observed::Value(self.dice.uuid());
        it.hostname = Observed::Unobserved(Why::GuestSilent);
        it.seen = Seen { first: day(0), last: Some(day(until - 3)) };
        self.fresh_macs(&mut it, "bc:24:11");
        self.add(machine, it);
    }
}

/// Live and exported views of one vCenter, and what happened to its machines.
fn plant(planted: &mut Planted, collection: &Collection, version: Version, platform: &str) {
    let exported = carried_by(collection, version);
    for (truth, export) in collection.workloads.iter().zip(&exported.workloads) {
        let machine = planted.new_machine();
        let mut live = view(truth, platform, "vsphere", Seen { first: day(0), last: None });
        let mut old =
            view(export, platform, "rvtools", Seen { first: day(-30), last: Some(day(-30)) });
        if version < Version::V4_0 {
            // Somebody deleted the column before the export was handed over.
            old.native_id = Observed::Unobserved(Why::NotInExport);
        }
        // The generated vCenters all give the same addresses; real ones do so if they have the same id.
        for it in [&mut live, &mut old] {
            own_addresses(it, platform);
        }
        if planted.dice.percent(RENAMED_SINCE_EXPORT_PERCENT) {
            live.name = format!("{}-renamed", live.name).into();
        }
        if planted.dice.percent(ADDRESS_GIVEN_TWICE_PERCENT)
            && let Some(other) = planted.sightings.first()
            && other.platform != live.platform
        {
            let at = planted.dice.below(planted.sightings.len() as u64) as usize;
            live.macs = planted.sightings[at].macs.clone();
            old.macs = live.macs.clone();
        }
        planted.add(machine, old);
        if live.kind == WorkloadKind::Machine {
            happens(planted, machine, live);
        } else {
            planted.add(machine, live);
        }
    }
}

/// Addresses from the vCenter's own range, as its id gives it.
fn own_addresses(it: &mut Sighting, platform: &str) {
    let id = platform.bytes().last().unwrap();
    for mac in &mut it.macs.items {
        *mac = mac.replacen("00:50:56:0", &format!("00:50:56:{:x}", id - b'0' + 7), 1).into();
    }
}

fn happens(planted: &mut Planted, machine: u32, mut live: Sighting) {
    if planted.dice.percent(CLONED_PERCENT) {
        planted.clone_of(&live);
    }
    if planted.dice.percent(PLACEHOLDER_PERCENT) {
        planted.placeholder_of(&live);
    }
    if planted.dice.percent(MOVED_PERCENT) {
        let at = 10 + planted.dice.below(50).cast_signed();
        let target = planted.moved(machine, &live, at);
        if planted.dice.percent(SOURCE_KEPT_PERCENT) {
            live.power = Observed::Value(PowerState::Off);
        } else {
            live.seen.last = Some(day(at - 1 + planted.dice.below(3).cast_signed()));
        }
        let source = planted.add(machine, live);
        if planted.dice.percent(MOVE_RECORDED_PERCENT) {
            let told_by = "migration plan".into();
            planted.moves.push(Move { from: source, to: target, at: day(at), told_by });
        }
        return;
    }
    if planted.dice.percent(RESTORED_BESIDE_PERCENT) {
        planted.restored_beside(&live);
    } else if planted.dice.percent(RESTORED_ELSEWHERE_PERCENT) {
        planted.restored_elsewhere(&live);
    } else if planted.dice.percent(REBUILT_ELSEWHERE_PERCENT) {
        planted.rebuilt_elsewhere(&live);
        live.seen.last = Some(day(69));
    }
    planted.add(machine, live);
}

fn view(workload: &Workload, platform: &str, connector: &str, seen: Seen) -> Sighting {
    let mut it = Sighting::of(Text::default(), connector.into(), seen, workload);
    it.platform = platform.parse().unwrap();
    it
}

/// Which pairs of one machine can be known: a value of its own is on both sides, and something besides.
fn is_knowable(planted: &Planted, holders: &Holders, a: usize, b: usize) -> bool {
    let (one, other) = (&planted.sightings[a], &planted.sightings[b]);
    let here = one.platform == other.platform;
    let uuid = |it: &Sighting| it.bios_uuid.copied().map(|it| it.min(swapped(it)).to_string());
    let is_own = |value: String| {
        let held = |it: &Sighting| {
            let on_platform = holders.0.get(&(it.platform.as_str().to_owned(), value.clone()));
            on_platform.is_none_or(|it| it.len() == 1)
        };
        held(one) && held(other)
    };
    let same_uuid = uuid(one) == uuid(other) && uuid(one).is_some_and(is_own);
    let same_mac =
        one.macs.iter().any(|mac| other.macs.items.contains(mac) && is_own(mac.to_string()));
    let same_host = one.hostname == other.hostname
        && one.hostname.value().is_some_and(|it| here || is_own(it.to_string()));
    let same_name = one.name == other.name && (here || is_own(one.name.to_string()));
    let same_disks = one.disk_bytes == other.disk_bytes
        && one.disk_bytes.value().is_some_and(|it| !it.is_empty());
    let besides = usize::from(same_host) + usize::from(same_name) + usize::from(same_disks);
    let same_id = one.native_id.is_observed() && one.native_id == other.native_id
        || one.instance_uuid.is_observed() && one.instance_uuid == other.instance_uuid;
    (here && same_id)
        || (same_uuid && (same_mac || same_host || same_name))
        || (same_mac && besides >= 2)
        || planted.moves.iter().any(|it| it.from == one.key && it.to == other.key)
}

/// Which machines hold a value on a platform.
struct Holders(BTreeMap<(String, String), BTreeSet<u32>>);

impl Holders {
    fn of(planted: &Planted) -> Self {
        let mut holders: BTreeMap<_, BTreeSet<u32>> = BTreeMap::new();
        for (it, machine) in planted.sightings.iter().zip(&planted.truth) {
            let uuid = it.bios_uuid.copied().map(|it| it.min(swapped(it)).to_string());
            let host = it.hostname.value().map(ToString::to_string);
            let macs = it.macs.iter().map(ToString::to_string);
            for value in macs.chain(uuid).chain(host).chain([it.name.to_string()]) {
                let held = (it.platform.as_str().to_owned(), value);
                holders.entry(held).or_default().insert(*machine);
            }
        }
        Self(holders)
    }
}

#[derive(Debug, Default)]
struct Score {
    joined: usize,
    joined_rightly: usize,
    knowable: usize,
    knowable_joined: usize,
    all: usize,
    all_joined: usize,
    lost_but_proposed: usize,
}

fn pairs(members: &[usize]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let rest = |from: usize| members.iter().skip(from + 1);
    members.iter().enumerate().flat_map(move |(from, a)| rest(from).map(move |b| (*a, *b)))
}

/// Counts pairs; `counts` says which.
fn score(
    planted: &Planted,
    correlation: &Correlation,
    counts: impl Fn(&Sighting, &Sighting) -> bool,
) -> Score {
    let position = |key: &Text| key.trim_start_matches('s').parse::<usize>().unwrap();
    let mut score = Score::default();
    let mut identity_of = vec![0; planted.sightings.len()];
    for (at, identity) in correlation.identities.iter().enumerate() {
        let members: Vec<usize> = identity.sightings.iter().map(position).collect();
        for member in &members {
            identity_of[*member] = at;
        }
        for (a, b) in pairs(&members) {
            if counts(&planted.sightings[a], &planted.sightings[b]) {
                score.joined += 1;
                score.joined_rightly += usize::from(planted.truth[a] == planted.truth[b]);
            }
        }
    }
    let holders = Holders::of(planted);
    let mut by_machine: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (at, machine) in planted.truth.iter().enumerate() {
        by_machine.entry(*machine).or_default().push(at);
    }
    for members in by_machine.values() {
        // What can be known pair by pair can be known through the one in the middle.
        let knowable: Vec<_> = pairs(members)
            .filter(|(a, b)| {
                is_knowable(planted, &holders, *a, *b) || is_knowable(planted, &holders, *b, *a)
            })
            .collect();
        let reach = |a: usize, b: usize| {
            knowable.contains(&(a, b))
                || members.iter().any(|c| {
                    let known = |x: usize, y: usize| knowable.contains(&(x.min(y), x.max(y)));
                    known(a, *c) && known(*c, b)
                })
        };
        for (a, b) in pairs(members) {
            let (one, other) = (&planted.sightings[a], &planted.sightings[b]);
            if !counts(one, other) {
                continue;
            }
            let is_joined = identity_of[a] == identity_of[b];
            score.all += 1;
            score.all_joined += usize::from(is_joined);
            if reach(a, b) {
                score.knowable += 1;
                score.knowable_joined += usize::from(is_joined);
            }
            let is_proposed = || correlation.explain(&one.key, &other.key).unwrap().link.is_some();
            score.lost_but_proposed += usize::from(!is_joined && is_proposed());
        }
    }
    score
}

impl Score {
    fn precision(&self) -> f64 {
        self.joined_rightly as f64 / self.joined as f64
    }

    fn recall(&self) -> f64 {
        self.knowable_joined as f64 / self.knowable as f64
    }

    fn print(&self, what: &str) {
        println!(
            "{what}: precision {:.5} ({} of {} joined pairs), recall {:.5} ({} of {} knowable pairs); \
             of all {} true pairs {:.5} joined, {} lost, {} of those proposed",
            self.precision(),
            self.joined_rightly,
            self.joined,
            self.recall(),
            self.knowable_joined,
            self.knowable,
            self.all,
            self.all_joined as f64 / self.all as f64,
            self.all - self.all_joined,
            self.lost_but_proposed,
        );
    }
}

fn estate() -> Planted {
    let spec = EstateSpec { workloads: WORKLOADS, vcenters: 3, ..EstateSpec::default() };
    let mut planted = Planted {
        dice: Dice(7),
        sightings: Vec::new(),
        truth: Vec::new(),
        machines: 0,
        moves: Vec::new(),
    };
    let versions = [Version::V4_7, Version::V4_1, Version::V3_8];
    for ((collection, version), platform) in
        generate(&spec).iter().zip(versions).zip(["vc1", "vc2", "vc3"])
    {
        plant(&mut planted, collection, version, platform);
    }
    planted
}

#[test]
fn strong_links_are_precise_and_complete_on_a_large_estate() {
    let planted = estate();
    let correlation = correlate(&planted.sightings, &planted.moves, &[]);
    let whole = score(&planted, &correlation, |_, _| true);
    let across = score(&planted, &correlation, |a, b| a.platform != b.platform);
    println!(
        "{} sightings, {} links ({} weak), {} conflicts, {} limits",
        planted.sightings.len(),
        correlation.links.len(),
        correlation.links.iter().filter(|it| it.strength == Strength::Weak).count(),
        correlation.conflicts.len(),
        correlation.limits.len(),
    );
    whole.print("all pairs");
    across.print("across platforms");
    for score in [&whole, &across] {
        assert!(score.precision() >= 0.999, "{score:?}");
        assert!(score.recall() >= 0.999, "{score:?}");
    }
    // What is not knowable is not hidden in the definition: nearly all is.
    assert!(whole.knowable * 100 >= whole.all * 98, "{whole:?}");
    assert!(across.knowable > 4_000, "{across:?}");
}

#[test]
fn the_answer_does_not_depend_on_the_order_of_a_large_estate() {
    let mut planted = estate();
    let before = correlate(&planted.sightings, &planted.moves, &[]);
    planted.sightings.reverse();
    planted.moves.reverse();
    assert!(before == correlate(&planted.sightings, &planted.moves, &[]));
}

#[test]
fn a_list_without_every_capacity_or_address_is_not_whole() {
    let spec = EstateSpec { workloads: 200, ..EstateSpec::default() };
    let mut workload = generate(&spec)[0]
        .workloads
        .iter()
        .find(|it| it.disks.items.len() > 1 && !it.nics.items.is_empty())
        .unwrap()
        .clone();
    let seen = Seen { first: day(0), last: None };
    let of = |workload: &Workload| Sighting::of("a".into(), "vsphere".into(), seen, workload);
    let whole = of(&workload);
    assert_eq!(whole.disk_bytes.value().unwrap().len(), workload.disks.items.len());
    assert!(whole.macs.is_complete());
    assert_eq!(whole.linked_clone, Observed::Unobserved(Why::SourceLimit));
    workload.disks.items[1].capacity_bytes = Observed::Unobserved(Why::Unreadable);
    workload.disks.items[0].path =
        Observed::Value("local-lvm:base-9000-disk-0/vm-101-disk-0".into());
    workload.nics.items[0].mac = Observed::Unobserved(Why::Blank);
    let partial = of(&workload);
    assert_eq!(partial.disk_bytes, Observed::Unobserved(Why::Unreadable));
    assert_eq!(partial.macs, Listing::incomplete(whole.macs.items[1..].to_vec(), Why::Blank));
    assert_eq!(partial.linked_clone, Observed::Value(true));
}
