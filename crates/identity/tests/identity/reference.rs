//! The rules of `docs/decisions/0011-identity.md` once more: all pairs, no index, nothing clever.

use std::collections::{BTreeMap, BTreeSet};

use entente_identity::{Choice, Decision, HANDOVER_SECONDS_MAX, Sighting, Strength};
use entente_model::{Moment, Observed, PowerState, Text, Uuid, WorkloadKind};

use crate::told::{GIB, World, swapped};

#[derive(Debug, PartialEq, Eq)]
pub struct Reference {
    pub links: BTreeMap<(Text, Text), Strength>,
    pub identities: BTreeSet<BTreeSet<Text>>,
}

pub fn reference(world: &World) -> Reference {
    let all = &world.sightings;
    // Strength and rank; decided links rank above all facts, by their time.
    let mut links: BTreeMap<(Text, Text), (Strength, (u8, i64))> = BTreeMap::new();
    for a in all {
        for b in all.iter().filter(|b| a.key < b.key) {
            let facts = Pair { a, b, all };
            if let Some(strength) = facts.strength() {
                links.insert((a.key.clone(), b.key.clone()), (strength, (0, facts.weight())));
            }
        }
    }
    let find = |key: &Text| all.iter().find(|it| it.key == *key).unwrap();
    let mut moved = BTreeSet::new();
    for told in &world.moves {
        let (from, to) = (&told.from, &told.to);
        let pair = (from.min(to).clone(), from.max(to).clone());
        if from == to || !moved.insert(pair.clone()) {
            continue;
        }
        let facts = Pair { a: find(&pair.0), b: find(&pair.1), all };
        let strength = if facts.is_contradicted() { Strength::Weak } else { Strength::Strong };
        let extra = if facts.is_contradicted() { 0 } else { 400 };
        links.insert(pair, (strength, (0, facts.weight() + extra)));
    }
    let mut unlinked = BTreeSet::new();
    for decision in in_force(&world.decisions) {
        let (a, b) = (&decision.a, &decision.b);
        let pair = (a.min(b).clone(), a.max(b).clone());
        if a == b {
            continue;
        }
        if decision.choice == Choice::Unlink {
            links.remove(&pair);
            unlinked.insert(pair);
        } else {
            links.insert(pair, (Strength::Decided, (1, decision.at.unix_timestamp())));
        }
    }
    give_way(world, &mut links, &unlinked);
    let joins = |strength: Strength| strength != Strength::Weak;
    let identities =
        all.iter().map(|it| component(&it.key, &links, |(strength, _)| joins(strength))).collect();
    let links = links.into_iter().map(|(pair, (strength, _))| (pair, strength)).collect();
    Reference { links, identities }
}

/// Of each pair, the latest decision; of several at one time, to unlink.
fn in_force(decisions: &[Decision]) -> Vec<&Decision> {
    let pair = |it: &Decision| (it.a.clone().min(it.b.clone()), it.a.clone().max(it.b.clone()));
    let is_beaten = |it: &Decision| {
        decisions
            .iter()
            .any(|other| pair(it) == pair(other) && (other.at, other.choice) > (it.at, it.choice))
    };
    decisions.iter().filter(|it| !is_beaten(it)).collect()
}

type Links = BTreeMap<(Text, Text), (Strength, (u8, i64))>;

/// As long as two that cannot be one are joined, the weakest links of their component give way.
fn give_way(world: &World, links: &mut Links, unlinked: &BTreeSet<(Text, Text)>) {
    let all = &world.sightings;
    loop {
        let mut weaker: Option<BTreeSet<(Text, Text)>> = None;
        'search: for is_by_decision in [true, false] {
            for a in all {
                let whole = component(&a.key, links, |(strength, _)| strength != Strength::Weak);
                let firm = component(&a.key, links, |(strength, _)| strength == Strength::Decided);
                for b in all.iter().filter(|b| a.key < b.key && whole.contains(&b.key)) {
                    let parted = unlinked.contains(&(a.key.clone(), b.key.clone()));
                    let excluded = Pair { a, b, all }.is_excluded() && !firm.contains(&b.key);
                    if !(if is_by_decision { parted } else { excluded }) {
                        continue;
                    }
                    let may_go: Links = links
                        .iter()
                        .filter(|((x, _), (strength, (class, _)))| {
                            whole.contains(x)
                                && *strength != Strength::Weak
                                && (is_by_decision || *class == 0)
                        })
                        .map(|(pair, value)| (pair.clone(), *value))
                        .collect();
                    let weakest = may_go.values().map(|(_, rank)| *rank).min().unwrap();
                    let gone = may_go.into_iter().filter(|(_, (_, rank))| *rank == weakest);
                    weaker = Some(gone.map(|(pair, _)| pair).collect());
                    break 'search;
                }
            }
        }
        let Some(weaker) = weaker else { return };
        for pair in weaker {
            links.get_mut(&pair).unwrap().0 = Strength::Weak;
        }
    }
}

fn component(
    from: &Text,
    links: &Links,
    counts: impl Fn((Strength, (u8, i64))) -> bool,
) -> BTreeSet<Text> {
    let mut found = BTreeSet::from([from.clone()]);
    loop {
        let before = found.len();
        for ((a, b), value) in links {
            if counts(*value) && (found.contains(a) || found.contains(b)) {
                found.insert(a.clone());
                found.insert(b.clone());
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

struct Pair<'w> {
    a: &'w Sighting,
    b: &'w Sighting,
    all: &'w [Sighting],
}

impl Pair<'_> {
    fn strength(&self) -> Option<Strength> {
        let Self { a, b, .. } = self;
        if are_two(a, b) || (a.kind != b.kind && (a.platform != b.platform || self.told_apart())) {
            return None;
        }
        if a.platform == b.platform {
            if self.strong_on_one_platform() {
                return Some(Strength::Strong);
            }
        } else if self.strong_across() {
            let long = self.is_excluded();
            return Some(if long { Strength::Weak } else { Strength::Strong });
        }
        self.weak().then_some(Strength::Weak)
    }

    fn strong_on_one_platform(&self) -> bool {
        let Self { a, b, all } = self;
        let reused = |it: &Sighting| {
            all.iter().any(|c| {
                c.key != it.key && same_feed(c, it) && c.native_id.value() == it.native_id.value()
            })
        };
        let right_incarnation =
            (!reused(a) && !reused(b)) || overlap(a, b) || self.bios_equal() || self.mac();
        let by_native = self.native_same()
            && !self.instance_differs()
            && !self.bios_differs()
            && right_incarnation;
        self.instance()
            || by_native
            || (self.bios_equal() && self.mac() && self.host())
            || (!self.told_apart() && (self.by_uuid() || self.by_mac() || self.by_mac_here()))
    }

    fn told_apart(&self) -> bool {
        let natives = (self.a.native_id.value(), self.b.native_id.value());
        same_feed(self.a, self.b)
            || self.instance_differs()
            || matches!(natives, (Some(x), Some(y)) if x != y)
    }

    fn strong_across(&self) -> bool {
        self.by_uuid()
            || self.by_mac()
            || ((self.bios_equal() && !self.bios() || self.instance_equal() && !self.instance())
                && self.mac()
                && self.host())
    }

    fn by_uuid(&self) -> bool {
        let here = self.a.platform == self.b.platform;
        let besides = if !self.macs_disjoint() {
            self.name() || self.host() || self.disks()
        } else if here {
            self.name()
        } else {
            self.name() || self.host()
        };
        (self.bios() || self.instance()) && (self.mac() || (!self.host_differs() && besides))
    }

    fn by_mac_here(&self) -> bool {
        let hosts = (host(self.a), host(self.b));
        let same_host = matches!(hosts, (Some(x), Some(y)) if hosts_fit(x, y));
        self.mac() && !self.host_differs() && (same_host || self.a.name == self.b.name)
    }

    fn macs_disjoint(&self) -> bool {
        let worth = |mac: &&Text| *mac != "00:00:00:00:00:00";
        let known = |it: &Sighting| it.macs.is_complete() && it.macs.iter().any(|it| worth(&it));
        known(self.a)
            && known(self.b)
            && !self.a.macs.iter().filter(worth).any(|mac| self.b.macs.items.contains(mac))
    }

    fn by_mac(&self) -> bool {
        let agree = [self.host(), self.name(), self.disks()];
        // Disks alone name nothing: two of the three always hold a name.
        self.mac() && !self.host_differs() && agree.iter().filter(|it| **it).count() >= 2
    }

    fn weak(&self) -> bool {
        let shared =
            (self.bios_equal() && !self.bios()) || (self.instance_equal() && !self.instance());
        (self.native_same() && !self.instance_differs())
            || self.instance()
            || self.bios()
            || (shared && (self.mac() || self.host() || self.name()))
            || (self.mac() && !self.host_differs() && (self.host() || self.name() || self.disks()))
            || (self.host() && self.name())
            || (self.name() && self.disks() && !self.host_differs())
    }

    fn is_contradicted(&self) -> bool {
        let Self { a, b, .. } = self;
        let nothing_common = !self.instance_equal() && !self.bios_equal() && !self.mac();
        are_two(a, b)
            || a.kind != b.kind
            || (a.platform != b.platform && self.is_excluded())
            || (self.host_differs() && nothing_common)
    }

    fn is_excluded(&self) -> bool {
        let Self { a, b, .. } = self;
        if a.platform == b.platform {
            return are_two(a, b);
        }
        overlap(a, b)
            && !handed_over(a, b)
            && !source_kept(a, b)
            && !source_kept(b, a)
            && !on_one_host(a, b)
    }

    fn native_same(&self) -> bool {
        let Self { a, b, .. } = self;
        a.platform == b.platform
            && a.connector != b.connector
            && a.native_id.value().is_some()
            && a.native_id == b.native_id
    }

    fn instance_equal(&self) -> bool {
        uuids_equal(instance(self.a), instance(self.b))
    }

    fn instance_differs(&self) -> bool {
        uuids_differ(instance(self.a), instance(self.b))
    }

    fn instance(&self) -> bool {
        self.instance_equal()
            && !any_two(self.all, |c| uuids_equal(instance(c), instance(self.a)), |_, _| true)
    }

    fn bios_equal(&self) -> bool {
        uuids_equal(bios(self.a), bios(self.b))
    }

    fn bios_differs(&self) -> bool {
        uuids_differ(bios(self.a), bios(self.b))
    }

    fn bios(&self) -> bool {
        let holds = |c: &Sighting| uuids_equal(bios(c), bios(self.a));
        let copied = |c: &Sighting| {
            c.kind == WorkloadKind::Template || c.linked_clone == Observed::Value(true)
        };
        self.bios_equal()
            && !any_two(self.all, holds, |_, _| true)
            && !(self.all.iter().any(|c| holds(c) && copied(c))
                && self.all.iter().any(|c| holds(c) && !copied(c)))
    }

    fn mac(&self) -> bool {
        self.a.macs.iter().any(|mac| {
            mac != "00:00:00:00:00:00"
                && self.b.macs.items.contains(mac)
                && !any_two(self.all, |c| c.macs.items.contains(mac), |_, _| true)
        })
    }

    fn host(&self) -> bool {
        let (Some(one), Some(other)) = (host(self.a), host(self.b)) else { return false };
        let same_label = |c: &Sighting| host(c).is_some_and(|it| it.0 == one.0);
        hosts_fit(one, other)
            && !any_two(self.all, same_label, |x, y| hosts_fit(host(x).unwrap(), host(y).unwrap()))
    }

    fn host_differs(&self) -> bool {
        matches!((host(self.a), host(self.b)), (Some(x), Some(y)) if x.0 != y.0)
    }

    fn disks(&self) -> bool {
        matches!((disks(self.a), disks(self.b)), (Some(x), Some(y)) if x == y)
    }

    fn name(&self) -> bool {
        self.a.name == self.b.name && !any_two(self.all, |c| c.name == self.a.name, |_, _| true)
    }

    fn weight(&self) -> i64 {
        let Self { a, b, .. } = self;
        let one_platform = a.platform == b.platform;
        let natives = (a.native_id.value(), b.native_id.value());
        let native_differs = matches!(natives, (Some(x), Some(y)) if one_platform && x != y);
        let disks_differ = matches!((disks(a), disks(b)), (Some(x), Some(y)) if x != y);
        let mut weight = 0;
        let mut add = |holds: bool, points: i64| weight += if holds { points } else { 0 };
        add(self.native_same(), 100);
        add(native_differs, -20);
        add(self.instance(), 90);
        add(self.instance_equal() && !self.instance(), 5);
        add(self.instance_differs() && one_platform, -20);
        add(self.bios(), 60);
        add(self.bios_equal() && !self.bios(), 5);
        add(self.bios_differs(), -20);
        add(self.mac(), 40);
        add(self.macs_disjoint(), -5);
        add(self.host(), 25);
        add(self.host_differs(), -30);
        add(self.disks(), 10);
        add(disks_differ, -5);
        add(self.name(), 10);
        add(a.name != b.name, -5);
        let one_source = a.connector == b.connector;
        add(one_platform && !one_source && !native_differs && !self.instance_differs(), 15);
        if are_two(a, b) || (!one_platform && self.is_excluded()) {
            add(true, -100);
        } else if !one_platform && overlap(a, b) {
            add(true, 5);
        }
        weight
    }
}

/// Some two that satisfy the condition are known to be two machines.
fn any_two(
    all: &[Sighting],
    holds: impl Fn(&Sighting) -> bool,
    both: impl Fn(&Sighting, &Sighting) -> bool,
) -> bool {
    all.iter().any(|x| {
        holds(x) && all.iter().any(|y| x.key < y.key && holds(y) && are_two(x, y) && both(x, y))
    })
}

fn same_feed(a: &Sighting, b: &Sighting) -> bool {
    a.platform == b.platform && a.connector == b.connector
}

fn are_two(a: &Sighting, b: &Sighting) -> bool {
    overlap(a, b)
        && a.platform == b.platform
        && (a.connector == b.connector || uuids_differ(instance(a), instance(b)))
}

fn overlap(a: &Sighting, b: &Sighting) -> bool {
    let before = |x: &Sighting, y: &Sighting| x.seen.last.is_some_and(|last| last < y.seen.first);
    !before(a, b) && !before(b, a)
}

fn handed_over(a: &Sighting, b: &Sighting) -> bool {
    let in_turn = |x: &Sighting, y: &Sighting| {
        let Some(end) = x.seen.last else { return false };
        x.seen.first < y.seen.first
            && y.seen.last.is_none_or(|last| end < last)
            && (end - y.seen.first).whole_seconds() <= HANDOVER_SECONDS_MAX
    };
    in_turn(a, b) || in_turn(b, a)
}

fn source_kept(source: &Sighting, target: &Sighting) -> bool {
    let off = matches!(source.power, Observed::Value(PowerState::Off | PowerState::Suspended));
    let on = target.power == Observed::Value(PowerState::On);
    let older = match (&source.created, &target.created) {
        (Observed::Value(Moment::Utc(x)), Observed::Value(Moment::Utc(y))) => {
            (*y - *x).whole_days() > 1
        }
        _ => false,
    };
    let told = |it: &Sighting| it.created.value().is_some();
    let undated = !(told(source) && told(target));
    off && on && (older || (undated && source.seen.first < target.seen.first))
}

/// The same running instance on a host of the same full name.
fn on_one_host(a: &Sighting, b: &Sighting) -> bool {
    let runs = |it: &Sighting| it.power.value().map(|it| *it == PowerState::On);
    let full = |it: &Sighting| it.runs_on.value().filter(|it| it.contains('.')).cloned();
    uuids_equal(instance(a), instance(b))
        && (runs(a).is_none() || runs(b).is_none() || runs(a) == runs(b))
        && full(a).is_some()
        && full(a) == full(b)
}

fn instance(it: &Sighting) -> Option<Uuid> {
    it.instance_uuid.copied().filter(|it| !it.is_nil())
}

fn bios(it: &Sighting) -> Option<Uuid> {
    it.bios_uuid.copied().filter(|it| !it.is_nil())
}

fn uuids_equal(a: Option<Uuid>, b: Option<Uuid>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a == b || a == swapped(b))
}

fn uuids_differ(a: Option<Uuid>, b: Option<Uuid>) -> bool {
    a.is_some() && b.is_some() && !uuids_equal(a, b)
}

/// First label and domain.
fn host(it: &Sighting) -> Option<(&str, &str)> {
    let name = it.hostname.value()?.as_str();
    let (label, domain) = name.split_once('.').unwrap_or((name, ""));
    (label != "localhost").then_some((label, domain))
}

fn hosts_fit(a: (&str, &str), b: (&str, &str)) -> bool {
    a.0 == b.0 && (a.1 == b.1 || a.1.is_empty() || b.1.is_empty())
}

fn disks(it: &Sighting) -> Option<Vec<u64>> {
    let mut sizes: Vec<u64> =
        it.disk_bytes.value()?.iter().map(|bytes| (bytes + GIB / 2) / GIB).collect();
    sizes.sort_unstable();
    (!sizes.is_empty()).then_some(sizes)
}
