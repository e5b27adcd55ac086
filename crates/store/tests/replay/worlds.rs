//! Small worlds over time: what readers saw of a handful of things, whole or with gaps, and the order in
//! which it arrived.

use entente_model::{
    Activity, Collection, Gap, GapCause, Grant, Host, Moment, Observed, Place, PrincipalKind,
    SourceId, Why, Workload,
};
use entente_twins::{EstateSpec, generate};
use proptest::prelude::*;
use std::fmt;
use std::sync::LazyLock;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

/// Platform and connector of each reader: two of one platform, and one of another.
pub const READERS: [(&str, &str); 3] = [("one", "alpha"), ("one", "beta"), ("two", "alpha")];

/// Days that a world lasts.
const DAYS: i64 = 7;

/// The kinds that worlds are made of.
pub const KINDS: [&str; 4] = ["workloads", "hosts", "grants", "activities"];

/// Something as one reading saw it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sighted {
    /// Which kind.
    pub kind: &'static str,
    /// Which of the names of its kind: a machine may be given the name of another.
    pub slot: u8,
    /// Which machine bears the name, as far as that can be told.
    pub machine: Option<u8>,
    /// Its configuration.
    pub state: u8,
    /// Whether a further fact is known.
    pub is_known: bool,
    /// What moves by itself.
    pub sample: u8,
}

impl fmt::Debug for Sighted {
    /// In one line: worlds have many of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, slot, machine, state, is_known, sample } = self;
        write!(f, "{kind} {slot} = {machine:?} state {state} known {is_known} sample {sample}")
    }
}

impl Sighted {
    /// Its name in the store.
    pub fn name(&self, platform: &str) -> String {
        match self.kind {
            "grants" => format!("User/somebody-{} admin on folder-1", self.slot),
            "activities" => format!("task-{}", self.slot),
            "hosts" => format!("{platform}/host-{}", self.slot),
            _ => format!("{platform}/vm-{}", self.slot),
        }
    }
}

/// One reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Which of the readers.
    pub reader: usize,
    /// Which day.
    pub day: i64,
    /// What it saw.
    pub seen: Vec<Sighted>,
    /// Lists that it may not have seen all of.
    pub partial: Vec<&'static str>,
    /// By which mapper it was read.
    pub mapper: u32,
}

impl Reading {
    /// When: no two at the same moment, no two of one reader on one day.
    pub fn at(&self) -> OffsetDateTime {
        let hour = 6 + i64::try_from(self.reader).unwrap();
        datetime!(2026-03-01 00:00 UTC) + Duration::days(self.day) + Duration::hours(hour)
    }

    /// Its source: every reading has its own.
    pub fn source(&self) -> SourceId {
        format!("{}-{}", READERS[self.reader].1, self.day).parse().unwrap()
    }

    /// As a connector would give it.
    pub fn collection(&self) -> Collection {
        let (platform, connector) = READERS[self.reader];
        let mut collection = Collection::empty(TEMPLATE.source.clone());
        collection.source.id = self.source();
        collection.source.connector = connector.into();
        collection.source.taken = Some(Moment::Utc(self.at()));
        let mut itself = TEMPLATE.platforms[0].clone();
        itself.id = platform.parse().unwrap();
        collection.platforms.push(itself);
        collection.gaps = self.partial.iter().map(|it| gap(it, GapCause::NoPermission)).collect();
        // A fact that is missing hides no object.
        collection.gaps.push(gap("workloads", GapCause::MissingField));
        for it in &self.seen {
            match it.kind {
                "workloads" => collection.workloads.push(workload(it, platform, &self.source())),
                "hosts" => collection.hosts.push(host(it, platform)),
                "grants" => collection.control.grants.push(grant(it, platform)),
                _ => collection.control.activities.push(activity(it, platform)),
            }
        }
        collection
    }
}

static TEMPLATE: LazyLock<Collection> = LazyLock::new(|| {
    let spec = EstateSpec { workloads: 5, vcenters: 1, ..EstateSpec::default() };
    generate(&spec).remove(0)
});

fn gap(section: &str, cause: GapCause) -> Gap {
    let place = Place { section: Some(section.into()), ..Place::default() };
    Gap { cause, place, message: "not all was seen".into(), value: None, count: 1 }
}

fn workload(it: &Sighted, platform: &str, source: &SourceId) -> Workload {
    let mut workload = TEMPLATE.workloads[0].clone();
    workload.id = it.name(platform).parse().unwrap();
    workload.platform = platform.parse().unwrap();
    workload.source = source.clone();
    workload.name = format!("machine {}", it.slot).into();
    let uuid = it
        .machine
        .map(|it_is| uuid::Uuid::from_u128(u128::from(it.slot) * 100 + u128::from(it_is) + 1));
    workload.instance_uuid = match uuid {
        Some(uuid) => Observed::Value(uuid),
        None => Observed::Unobserved(Why::NotInExport),
    };
    workload.bios_uuid = workload.instance_uuid.clone();
    workload.created = Observed::Unobserved(Why::NotInExport);
    workload.cpu.count = Observed::Value(u32::from(it.state) + 1);
    workload.annotation = match it.is_known {
        true => Observed::Value("kept for the auditors".into()),
        false => Observed::Unobserved(Why::NoPermission),
    };
    workload.samples.memory_consumed_bytes = Observed::Value(u64::from(it.sample));
    workload
}

fn host(it: &Sighted, platform: &str) -> Host {
    let mut host = TEMPLATE.hosts[0].clone();
    host.id = it.name(platform).parse().unwrap();
    host.platform = platform.parse().unwrap();
    host.cores = Observed::Value(u32::from(it.state) + 1);
    host.cpu_model = match it.is_known {
        true => Observed::Value("a processor".into()),
        false => Observed::Unobserved(Why::NoPermission),
    };
    host.cpu_used_basis_points = Observed::Value(u32::from(it.sample));
    host
}

fn grant(it: &Sighted, platform: &str) -> Grant {
    Grant {
        platform: platform.parse().unwrap(),
        principal: format!("somebody-{}", it.slot).into(),
        principal_kind: PrincipalKind::User,
        role: "admin".into(),
        scope: format!("folder {}", if it.is_known { "known" } else { "called otherwise" }).into(),
        scope_id: Observed::Value("folder-1".into()),
        propagates: Observed::Value(it.state.is_multiple_of(2)),
    }
}

fn activity(it: &Sighted, platform: &str) -> Activity {
    Activity {
        platform: platform.parse().unwrap(),
        native_id: it.name(platform).into(),
        at: Observed::Value(Moment::Utc(datetime!(2026-03-01 00:00 UTC))),
        principal: Observed::Value("somebody-1".into()),
        action: "power off".into(),
        subject: Observed::Value("vm-1".into()),
        outcome: if it.state == 0 { Observed::Absent } else { Observed::Value("done".into()) },
    }
}

/// Something of a kind: names of machines that tell themselves are given again, others' are not told.
fn sighted(kind: &'static str, slot: u8, day: i64) -> impl Strategy<Value = Option<Sighted>> {
    let told = kind == "workloads" && slot < 2;
    let states = if kind == "grants" { 2_u8 } else { 3 };
    (proptest::option::weighted(0.75, 0..2_u8), 0..states, 0..5_u8, 0..100_u8).prop_map(
        move |(machine, state, known, sample)| {
            let machine = machine?;
            // A task begins, and ends, once.
            let state = match kind {
                "activities" if day < i64::from(slot) * 2 => return None,
                "activities" => u8::from(day > i64::from(slot) * 2),
                _ => state,
            };
            Some(Sighted {
                kind,
                slot,
                machine: told.then_some(machine),
                state,
                is_known: kind == "activities" || kind == "grants" || known > 0,
                sample,
            })
        },
    )
}

fn reading(reader: usize, day: i64) -> impl Strategy<Value = Reading> {
    let mut things = Vec::new();
    for (kind, slots) in [("workloads", 4), ("hosts", 2), ("grants", 2), ("activities", 3)] {
        for slot in 0..slots {
            things.push(sighted(kind, slot, day));
        }
    }
    let partial = proptest::sample::subsequence(KINDS.to_vec(), 0..=KINDS.len());
    (things, partial, 0..10_u8).prop_map(move |(things, mut partial, luck)| {
        if luck < 5 {
            partial.clear();
        }
        let seen = things.into_iter().flatten().collect();
        Reading { reader, day, seen, partial, mapper: 1 }
    })
}

/// Readings in the order in which they arrive: late, twice, and some by a newer mapper.
pub fn arrivals() -> impl Strategy<Value = Vec<Reading>> {
    let of_one = |reader: usize| {
        proptest::sample::subsequence((0..DAYS).collect::<Vec<_>>(), 0..5).prop_flat_map(
            move |days| days.into_iter().map(|day| reading(reader, day)).collect::<Vec<_>>(),
        )
    };
    let all = (of_one(0), of_one(1), of_one(2))
        .prop_map(|(one, other, third)| [one, other, third].concat());
    let in_order = |mut all: Vec<Reading>| {
        all.sort_by_key(Reading::at);
        all
    };
    prop_oneof![
        1 => all.clone().prop_map(in_order),
        3 => all.prop_shuffle(),
    ]
    .prop_flat_map(|all| {
        let count = all.len();
        (Just(all), proptest::collection::vec(any::<prop::sample::Index>(), 0..3), 0..=count)
    })
    .prop_map(|(mut all, again, upgrade)| {
        for late in all.iter_mut().skip(upgrade) {
            late.mapper = 2;
        }
        for which in again.into_iter().filter(|_| !all.is_empty()).collect::<Vec<_>>() {
            let same = which.get(&all).clone();
            all.push(same);
        }
        all
    })
}
