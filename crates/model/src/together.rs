//! Several accounts of one platform, put together: fact by fact, by a precedence that is written down in
//! `docs/decisions/0012-precedence.md`, with what contradicts told as findings.
//!
//! Pure: readings in, lists out. Who is whom among workloads is told by the caller, or by ids alone.

mod conflicts;
mod facts;
mod names;
mod nouns;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use smol_str::SmolStr as Text;
use time::OffsetDateTime;

use crate::collection::Collection;
use crate::finding::Finding;
use crate::ids::{PlatformId, SourceId, WorkloadId};
use crate::moment::Moment;
use crate::observed::Observed;
use crate::reading::{Rank, Reader, Reading, UNTOLD_ZONE_LATE, When};
use crate::workload::Workload;
use conflicts::Conflicts;
use facts::{At, Facts, Notes};

pub use conflicts::CONFLICTS_OF_A_FACT_MAX;
pub use names::{Account as PlatformAccount, same_platforms};

/// What is known of one reading while its objects are put together with those of others.
struct Account {
    source: SourceId,
    connector: Text,
    reader: Reader,
    rank: Rank,
    taken: Option<Moment>,
    when: When,
    since: HashMap<(&'static str, Text), OffsetDateTime>,
    platforms: BTreeSet<PlatformId>,
    /// Lists of which it may not have seen all.
    partial: BTreeSet<&'static str>,
    machines: Option<HashMap<WorkloadId, Text>>,
    elsewhere: HashSet<WorkloadId>,
}

impl Account {
    /// True if it tells that the object was so for all of that time.
    fn held(&self, thing: &(&'static str, Text), when: &When) -> bool {
        let Some(since) = self.since.get(thing) else { return false };
        let since = match self.taken {
            Some(Moment::Utc(_)) => *since,
            _ => since.saturating_add(UNTOLD_ZONE_LATE),
        };
        self.when.earliest.is_some_and(|until| when.is_within(since, until))
    }
}

/// True if both tell of one time: they were taken at once, or the one held when the other was taken.
fn tell_of_one_time(
    (one, thing): (&Account, &(&'static str, Text)),
    (other, other_thing): (&Account, &(&'static str, Text)),
) -> bool {
    let at_once = one.taken.is_some() && one.taken == other.taken;
    at_once || one.held(thing, &other.when) || other.held(other_thing, &one.when)
}

/// An object that has an id on a platform.
pub(crate) trait Placed {
    /// The list it belongs to.
    const LIST: &'static str;
    /// Where it lives.
    fn platform(&self) -> &PlatformId;
    /// Its id, or what it is known by.
    fn subject(&self) -> Text;
    /// Whether a list of it that is whole tells that what is missing is gone: ids have to be comparable.
    const ENDS: bool = true;
}

macro_rules! placed {
    ($($type:ident $list:literal $platform:expr, $subject:expr, $ends:literal;)*) => {$(
        impl Placed for crate::$type {
            const LIST: &'static str = $list;
            const ENDS: bool = $ends;

            fn platform(&self) -> &PlatformId {
                let platform: fn(&Self) -> &PlatformId = $platform;
                platform(self)
            }

            fn subject(&self) -> Text {
                let subject: fn(&Self) -> &str = $subject;
                Text::new(subject(self))
            }
        }
    )*};
}

placed! {
    Platform "platforms" |it| &it.id, |it| it.id.as_str(), false;
    Product "products" |it| &it.platform, |it| &it.name, false;
    Cluster "clusters" |it| &it.platform, |it| it.id.as_str(), true;
    Host "hosts" |it| &it.platform, |it| it.id.as_str(), true;
    Datastore "datastores" |it| &it.platform, |it| it.id.as_str(), true;
    Switch "switches" |it| &it.platform, |it| &it.name, false;
    Network "networks" |it| &it.platform, |it| it.id.as_str(), true;
    ResourcePool "resource_pools" |it| &it.platform, |it| &it.name, false;
    Workload "workloads" |it| &it.platform, |it| it.id.as_str(), true;
}

/// Readings on their way into one estate.
pub(crate) struct Together {
    /// In the order of precedence.
    accounts: Vec<Account>,
    conflicts: Conflicts,
    strangers: HashSet<Text>,
    /// Objects that several sources show.
    pub repeated: u64,
    /// Objects that only an earlier export shows, and a later whole log-in does not.
    pub gone: u64,
    /// Workloads that several sources show, with the sources.
    pub seen_by: BTreeMap<WorkloadId, Vec<SourceId>>,
}

impl Together {
    /// Gives everything one id, and the readings their order.
    pub fn of(
        mut readings: Vec<Reading>,
    ) -> (Self, BTreeMap<PlatformId, PlatformId>, Vec<Collection>) {
        readings.sort_by_cached_key(Reading::rank);
        let (names, strangers) = names::unify(&mut readings);
        let mut accounts = Vec::with_capacity(readings.len());
        let mut collections = Vec::with_capacity(readings.len());
        for reading in readings {
            let (rank, when) = (reading.rank(), reading.when());
            let Reading { collection, reader, since, machines, elsewhere, .. } = reading;
            accounts.push(Account {
                source: collection.source.id.clone(),
                connector: collection.source.connector.clone(),
                reader,
                rank,
                taken: collection.source.taken,
                when,
                since,
                platforms: collection.platforms.iter().map(|it| it.id.clone()).collect(),
                partial: collection.partial_lists(),
                machines,
                elsewhere,
            });
            collections.push(collection);
        }
        let together = Self {
            accounts,
            conflicts: Conflicts::default(),
            strangers,
            repeated: 0,
            gone: 0,
            seen_by: BTreeMap::new(),
        };
        (together, names, collections)
    }

    /// One list of all readings, each with its place among them.
    pub fn list<T: Facts + Placed, K: Ord>(
        &mut self,
        lists: Vec<Vec<T>>,
        key: impl Fn(&T) -> K,
    ) -> Vec<T> {
        let mut groups: BTreeMap<K, Vec<(usize, T)>> = BTreeMap::new();
        for (at, list) in lists.into_iter().enumerate() {
            for object in list {
                groups.entry(key(&object)).or_default().push((at, object));
            }
        }
        groups.into_values().filter_map(|group| self.one(group)).map(|it| it.0).collect()
    }

    /// The workloads of all readings.
    pub fn workloads(&mut self, lists: Vec<Vec<Workload>>) -> Vec<Workload> {
        let mut groups: BTreeMap<(bool, Text), Vec<(usize, Workload)>> = BTreeMap::new();
        for (at, list) in lists.into_iter().enumerate() {
            let Some(account) = self.accounts.get(at) else { continue };
            for workload in list {
                if account.elsewhere.contains(&workload.id) {
                    continue;
                }
                let machine = account.machines.as_ref().and_then(|it| it.get(&workload.id));
                let key = match machine {
                    Some(machine) => (true, machine.clone()),
                    None => (false, Text::new(workload.id.as_str())),
                };
                let group = groups.entry(key).or_default();
                // An id that was given to another machine meanwhile.
                let is_other = |first: &(usize, Workload)| is_another(&first.1, &workload);
                if machine.is_some() || !group.first().is_some_and(is_other) {
                    group.push((at, workload));
                }
            }
        }
        let mut found: BTreeMap<WorkloadId, (usize, Workload)> = BTreeMap::new();
        let mut others = Vec::new();
        for group in groups.into_values() {
            let at = group.first().map_or(0, |it| it.0);
            let Some((workload, sources)) = self.one(group) else { continue };
            if sources.len() > 1 {
                self.seen_by.insert(workload.id.clone(), sources);
            }
            match found.remove(&workload.id) {
                Some(known) if known.0 <= at => {
                    others.push(workload);
                    found.insert(known.1.id.clone(), known);
                }
                Some(known) => {
                    others.push(known.1);
                    found.insert(workload.id.clone(), (at, workload));
                }
                None => {
                    found.insert(workload.id.clone(), (at, workload));
                }
            }
        }
        let mut workloads: Vec<Workload> = found.into_values().map(|it| it.1).collect();
        workloads.extend(others.into_iter().map(named_apart));
        workloads
    }

    /// What is known of one thing, and by whom; nothing where it is known to be gone.
    fn one<T: Facts + Placed>(&mut self, group: Vec<(usize, T)>) -> Option<(T, Vec<SourceId>)> {
        if T::ENDS && self.is_gone(&group) {
            self.gone += 1;
            return None;
        }
        let places: Vec<usize> = group.iter().map(|it| it.0).collect();
        let mut group = group.into_iter();
        let (first, mut kept) = group.next()?;
        if places.len() == 1 {
            return Some((kept, Vec::new()));
        }
        self.repeated += 1;
        let thing = |it: &T| (T::LIST, it.subject());
        let mut things = vec![(first, thing(&kept))];
        let mut filled: Vec<(usize, BTreeSet<String>)> = Vec::new();
        for (at, object) in group {
            let own = thing(&object);
            let mut notes = Notes {
                wants_differences: self.is_of_one_time(&things, (at, &own)),
                wants_filled: places.len() > 2,
                is_foreign: kept.platform() != object.platform(),
                ..Notes::default()
            };
            kept.settle(&object, &At::TOP, &mut notes);
            for difference in notes.differences {
                let origin = filled.iter().find(|it| is_of(&it.1, &difference.field));
                let origin = origin.map_or(first, |it| it.0);
                let stands = things.iter().find(|it| it.0 == origin);
                let Some(stands) = stands else { continue };
                self.tell((&kept.subject(), stands), difference, (at, &own));
            }
            filled.push((at, notes.filled));
            things.push((at, own));
        }
        let mut sources: Vec<SourceId> = Vec::new();
        for account in places.iter().filter_map(|it| self.accounts.get(*it)) {
            if !sources.contains(&account.source) {
                sources.push(account.source.clone());
            }
        }
        Some((kept, sources))
    }

    /// True if only exports show it, and a log-in that saw all of the list later does not.
    fn is_gone<T: Placed>(&self, group: &[(usize, T)]) -> bool {
        let accounts = || group.iter().filter_map(|it| self.accounts.get(it.0));
        let Some((_, object)) = group.first() else { return true };
        accounts().all(|it| it.reader == Reader::Export)
            && self.accounts.iter().any(|later| {
                later.reader == Reader::LogIn
                    && later.platforms.contains(object.platform())
                    && !later.partial.contains(T::LIST)
                    && accounts().all(|it| later.when.follows(&it.when))
            })
    }

    fn is_of_one_time(
        &self,
        things: &[(usize, (&'static str, Text))],
        (at, own): (usize, &(&'static str, Text)),
    ) -> bool {
        let Some(other) = self.accounts.get(at) else { return false };
        things.iter().any(|(at, thing)| {
            let account = self.accounts.get(*at);
            account.is_some_and(|it| tell_of_one_time((it, thing), (other, own)))
        })
    }

    fn tell(
        &mut self,
        (subject, stands): (&Text, &(usize, (&'static str, Text))),
        difference: facts::Difference,
        (at, own): (usize, &(&'static str, Text)),
    ) {
        let (Some(one), Some(other)) = (self.accounts.get(stands.0), self.accounts.get(at)) else {
            return;
        };
        // Nobody can tell whether two names are of one host.
        let is_named = !self.strangers.contains(&difference.kept)
            && !self.strangers.contains(&difference.other);
        if is_named && tell_of_one_time((one, &stands.1), (other, own)) {
            self.conflicts.add((own.0, subject), difference, one, other);
        }
    }

    /// What contradicts.
    pub fn into_findings(self) -> impl Iterator<Item = Finding> {
        self.conflicts.into_findings()
    }
}

/// True if the field, or the list it is in, is one of these.
fn is_of(filled: &BTreeSet<String>, field: &str) -> bool {
    filled.iter().any(|it| {
        field
            .strip_prefix(it.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
    })
}

/// True if UUIDs tell that these are two machines.
fn is_another(one: &Workload, other: &Workload) -> bool {
    let differ = |one: &Observed<crate::Uuid>, other: &Observed<crate::Uuid>| {
        let (Observed::Value(one), Observed::Value(other)) = (one, other) else { return false };
        one != other && crate::Uuid::from_bytes_le(*one.as_bytes()) != *other
    };
    differ(&one.instance_uuid, &other.instance_uuid) || differ(&one.bios_uuid, &other.bios_uuid)
}

/// Two machines that go by one id are told apart by a number.
fn named_apart(mut workload: Workload) -> Workload {
    let native = format!("{}#2", workload.id.native(&workload.platform));
    if let Ok(id) = WorkloadId::on(&workload.platform, &native) {
        workload.id = id;
    }
    workload
}
