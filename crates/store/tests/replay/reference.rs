//! The slow and obvious way: all readings are kept, and replayed in the order of their time.
//!
//! Written from `docs/store.md`, not from the store: a thing ends if a list that was whole does not hold it,
//! or if its name is another's; a list with a gap ends nothing; what happened once stays.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use time::OffsetDateTime;

use crate::worlds::{READERS, Reading, Sighted};

/// What a reader's readings tell as of a time.
#[derive(Debug, PartialEq)]
pub struct Told {
    /// The latest reading.
    pub source: String,
    /// Its gaps.
    pub gaps: usize,
    /// Objects by kind and name.
    pub objects: BTreeMap<(String, String), Value>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    pub seen: OffsetDateTime,
    pub platform: String,
    pub connector: String,
    pub kind: String,
    pub name: String,
    pub change: &'static str,
    pub after: Option<OffsetDateTime>,
}

/// A thing that is there.
#[derive(Clone)]
struct There {
    sighted: Sighted,
    /// By the latest reading that saw it.
    seen: OffsetDateTime,
    mapper: u32,
}

type State = BTreeMap<(&'static str, u8), There>;

/// One reader's readings up to a time, in order, each once.
fn readings_of(reader: usize, all: &[Reading], until: Option<OffsetDateTime>) -> Vec<&Reading> {
    let mut days = BTreeSet::new();
    let mut of: Vec<&Reading> = all
        .iter()
        .filter(|it| it.reader == reader && until.is_none_or(|until| it.at() <= until))
        .filter(|it| days.insert(it.day))
        .collect();
    of.sort_by_key(|it| it.at());
    of
}

fn is_whole(reading: &Reading, kind: &str) -> bool {
    !reading.partial.contains(&kind)
}

fn advance(state: &mut State, reading: &Reading) {
    let is_seen =
        |kind: &str, slot: u8| reading.seen.iter().any(|it| it.kind == kind && it.slot == slot);
    state.retain(|(kind, slot), _| {
        *kind == "activities" || !is_whole(reading, kind) || is_seen(kind, *slot)
    });
    for it in &reading.seen {
        let there = There { sighted: it.clone(), seen: reading.at(), mapper: reading.mapper };
        state.insert((it.kind, it.slot), there);
    }
}

/// What is known as of a time, by platform and connector.
pub fn as_of(all: &[Reading], at: Option<OffsetDateTime>) -> BTreeMap<(String, String), Told> {
    let mut told = BTreeMap::new();
    for (reader, (platform, connector)) in READERS.into_iter().enumerate() {
        let readings = readings_of(reader, all, at);
        let Some(latest) = readings.last() else { continue };
        let mut state = State::new();
        for reading in &readings {
            advance(&mut state, reading);
        }
        // The things as one reading would have seen them, had it seen them all.
        let mut whole = (*latest).clone();
        whole.seen = state.into_values().map(|it| it.sighted).collect();
        let of = Told {
            source: latest.source().to_string(),
            gaps: latest.collection().gaps.len(),
            objects: crate::objects(&whole.collection()),
        };
        told.insert((platform.to_owned(), connector.to_owned()), of);
    }
    told
}

/// All changes, sorted.
pub fn changes(all: &[Reading]) -> Vec<Change> {
    let mut changes = Vec::new();
    for (reader, (platform, connector)) in READERS.into_iter().enumerate() {
        let readings = readings_of(reader, all, None);
        let mut state = State::new();
        for (number, reading) in readings.iter().enumerate() {
            let before = state.clone();
            advance(&mut state, reading);
            if number == 0 {
                continue;
            }
            let whole = |kind: &str| {
                let earlier = readings.iter().take(number).rev();
                earlier.copied().find(|it| is_whole(it, kind)).map(Reading::at)
            };
            let keys: BTreeSet<_> = before.keys().chain(state.keys()).copied().collect();
            for key in keys {
                let found = between(before.get(&key), state.get(&key), whole(key.0));
                changes.extend(found.into_iter().map(|(change, after)| {
                    let of = before.get(&key).or(state.get(&key)).unwrap();
                    Change {
                        seen: reading.at(),
                        platform: platform.to_owned(),
                        connector: connector.to_owned(),
                        kind: key.0.to_owned(),
                        name: of.sighted.name(platform),
                        change,
                        after,
                    }
                }));
            }
        }
    }
    changes.sort();
    changes
}

/// What became of one thing, and since when it may have.
fn between(
    before: Option<&There>,
    now: Option<&There>,
    whole: Option<OffsetDateTime>,
) -> Vec<(&'static str, Option<OffsetDateTime>)> {
    match (before, now) {
        (None, Some(_)) => vec![("appeared", whole)],
        (Some(before), None) => vec![("gone", Some(before.seen))],
        (Some(before), Some(now)) => {
            let (old, new) = (&before.sighted, &now.sighted);
            let since = Some(before.seen);
            if old.machine != new.machine {
                return vec![("gone", since), ("appeared", whole)];
            }
            if (old.state, old.is_known) == (new.state, new.is_known) {
                return Vec::new();
            }
            if before.mapper != now.mapper {
                return vec![("reinterpreted", since)];
            }
            vec![(if old.state == new.state { "known" } else { "changed" }, since)]
        }
        (None, None) => Vec::new(),
    }
}

/// Rows that SQL gives for workloads now: id, processors, consumed memory, whether the note is known. Of
/// two readers of one platform, the later one's.
pub fn rows(all: &[Reading], at: Option<OffsetDateTime>) -> Vec<(String, u64, u64, bool)> {
    let mut rows: BTreeMap<String, (OffsetDateTime, (u64, u64, bool))> = BTreeMap::new();
    for (reader, (platform, _)) in READERS.into_iter().enumerate() {
        let readings = readings_of(reader, all, at);
        let Some(latest) = readings.last() else { continue };
        let mut state = State::new();
        for reading in &readings {
            advance(&mut state, reading);
        }
        for it in state.values().map(|it| &it.sighted).filter(|it| it.kind == "workloads") {
            let row = (u64::from(it.state) + 1, u64::from(it.sample), it.is_known);
            let entry = rows.entry(it.name(platform)).or_insert((latest.at(), row));
            if entry.0 < latest.at() {
                *entry = (latest.at(), row);
            }
        }
    }
    rows.into_iter().map(|(id, (_, (a, b, c)))| (id, a, b, c)).collect()
}
