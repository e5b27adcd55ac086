//! What the store tells as of any time is what replaying all readings in order tells, however they arrived.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail by panicking; skipped ones say so"
)]

#[path = "../store/engines.rs"]
#[expect(dead_code, reason = "shared with tests that want one store of each engine")]
mod engines;
mod reference;
mod worlds;

use std::collections::{BTreeMap, BTreeSet};

use engines::{Empty, in_file, on_server};
use entente_model::Collection;
use entente_store::query::{Datum, QueryLimits};
use entente_store::{AsOf, ChangesOf, Stamp, Store};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reference::{Change, Told};
use serde_json::Value;
use time::macros::{datetime, time};
use time::{Duration, OffsetDateTime};
use worlds::{READERS, Reading, arrivals};

/// Objects of a collection by kind and name; two of one name are told apart, and so found.
fn objects(collection: &Collection) -> BTreeMap<(String, String), Value> {
    let mut objects = BTreeMap::new();
    let mut add = |kind: &str, name: String, object: Value| {
        let before = objects.insert((kind.to_owned(), name.clone()), object);
        assert!(before.is_none(), "{kind} {name} is there twice");
    };
    for it in &collection.workloads {
        add("workloads", it.id.to_string(), serde_json::to_value(it).unwrap());
    }
    for it in &collection.hosts {
        add("hosts", it.id.to_string(), serde_json::to_value(it).unwrap());
    }
    for it in &collection.control.grants {
        add("grants", it.principal.to_string(), serde_json::to_value(it).unwrap());
    }
    for it in &collection.control.activities {
        add("activities", it.native_id.to_string(), serde_json::to_value(it).unwrap());
    }
    for it in &collection.platforms {
        add("platforms", it.id.to_string(), serde_json::to_value(it).unwrap());
    }
    objects
}

async fn told(store: &Store, at: Option<OffsetDateTime>) -> BTreeMap<(String, String), Told> {
    let collections = store.collections(at.map_or(AsOf::Latest, AsOf::Time)).await.unwrap();
    let of = |it: &Collection| {
        let told =
            Told { source: it.source.id.to_string(), gaps: it.gaps.len(), objects: objects(it) };
        ((it.platforms[0].id.to_string(), it.source.connector.to_string()), told)
    };
    collections.iter().map(of).collect()
}

async fn changes(store: &Store, of: &ChangesOf) -> Vec<Change> {
    let found = store.changes(of).await.unwrap();
    let change = |it: &entente_store::Change| Change {
        seen: it.seen,
        platform: it.platform.clone(),
        connector: it.connector.clone(),
        kind: it.kind.clone(),
        name: it.id.clone(),
        change: it.change.as_str(),
        after: it.after,
    };
    let mut changes: Vec<Change> = found.iter().map(change).collect();
    changes.sort();
    changes
}

async fn rows(store: &Store, at: Option<OffsetDateTime>) -> Vec<(String, u64, u64, bool)> {
    let sql = "select id, cpu_count, memory_consumed_bytes, is_unobserved(annotation) from workloads order by id";
    let limits = QueryLimits::usual(datetime!(2026-04-01 00:00 UTC));
    let answer = store.query(sql, at.map_or(AsOf::Latest, AsOf::Time), &limits).await.unwrap();
    let row = |row: &Vec<Datum>| match row.as_slice() {
        [Datum::Text(id), Datum::Integer(count), Datum::Integer(bytes), unknown] => (
            id.clone(),
            u64::try_from(*count).unwrap(),
            u64::try_from(*bytes).unwrap(),
            matches!(unknown, Datum::Boolean(false) | Datum::Integer(0)),
        ),
        other => panic!("{other:?}"),
    };
    answer.rows.iter().map(row).collect()
}

/// Puts a world in as it arrives, and asks for all of it.
async fn holds(engine: &Empty, arriving: &[Reading]) {
    let store = engine.open().await;
    let recorded = datetime!(2026-03-20 00:00 UTC);
    for (number, reading) in arriving.iter().enumerate() {
        let recorded = recorded + Duration::minutes(i64::try_from(number).unwrap());
        let stamp = Stamp { recorded, mapper: reading.mapper };
        let written = store.write(reading.collection(), &stamp).await.unwrap();
        let same = |it: &Reading| (it.reader, it.day) == (reading.reader, reading.day);
        assert_eq!(written.known, arriving[..number].iter().any(same));
    }
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    let readings: BTreeSet<OffsetDateTime> = arriving.iter().map(Reading::at).collect();
    for reading in arriving {
        let at = Some(reading.at());
        let (mut found, mut expected) = (told(&store, at).await, reference::as_of(arriving, at));
        // Samples are kept by the day: of those who read later on it, they would be later ones.
        let (platform, connector) = READERS[reading.reader];
        let itself = |reader: &(String, String)| (&*reader.0, &*reader.1) == (platform, connector);
        found.retain(|reader, _| itself(reader));
        expected.retain(|reader, _| itself(reader));
        compare(at, &found, &expected);
    }
    let evenings: BTreeSet<_> = readings.iter().map(|it| it.replace_time(time!(20:00))).collect();
    for at in evenings.into_iter().map(Some).chain([None]) {
        compare(at, &told(&store, at).await, &reference::as_of(arriving, at));
        assert_eq!(rows(&store, at).await, reference::rows(arriving, at), "as of {at:?}");
    }
    let all = reference::changes(arriving);
    same_changes(changes(&store, &ChangesOf::default()).await, all.clone());
    let bounds = (readings.iter().nth(1), readings.iter().nth(readings.len() / 2));
    let (Some(after), Some(until)) = bounds else { return };
    let of = ChangesOf { after: Some(*after), until: Some(*until), ..ChangesOf::default() };
    let within = all.into_iter().filter(|it| it.seen > *after && it.seen <= *until).collect();
    same_changes(changes(&store, &of).await, within);
    store.close().await;
}

/// Fails with the changes that only one of them tells. When a task was seen before tells nothing: readings
/// show some of the latest.
fn same_changes(found: Vec<Change>, expected: Vec<Change>) {
    let plain = |changes: Vec<Change>| -> Vec<Change> {
        let plain = |mut it: Change| {
            if it.kind == "activities" {
                it.after = None;
                it.change = if it.change == "appeared" { it.change } else { "changed" };
            }
            it
        };
        changes.into_iter().map(plain).collect()
    };
    let (found, expected) = (plain(found), plain(expected));
    let only = |of: &[Change], not: &[Change]| -> Vec<Change> {
        of.iter().filter(|it| !not.contains(it)).cloned().collect()
    };
    let (more, less) = (only(&found, &expected), only(&expected, &found));
    assert!(more.is_empty() && less.is_empty(), "told: {more:#?}, not told: {less:#?}");
    assert_eq!(found.len(), expected.len());
}

/// Fails with the objects that differ, rather than all.
fn compare(
    at: Option<OffsetDateTime>,
    found: &BTreeMap<(String, String), Told>,
    expected: &BTreeMap<(String, String), Told>,
) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{at:?}");
    for (reader, expected) in expected {
        let found = &found[reader];
        assert_eq!((&found.source, found.gaps), (&expected.source, expected.gaps), "{at:?}");
        let names = |it: &Told| it.objects.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(found), names(expected), "{reader:?} as of {at:?}");
        for (name, object) in &expected.objects {
            assert_eq!(&found.objects[name], object, "{reader:?} {name:?} as of {at:?}");
        }
    }
}

fn worlds_hold(engine: fn() -> Option<Empty>, cases: u32) {
    let cases = std::env::var("WORLDS").ok().and_then(|it| it.parse().ok()).unwrap_or(cases);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    });
    let outcome = runner.run(&arrivals(), |arriving| {
        let Some(empty) = engine() else { return Ok(()) };
        let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(holds(&empty, &arriving));
        }));
        held.map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
            TestCaseError::fail(text)
        })
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[test]
fn asking_sqlite_is_replaying_all_readings() {
    worlds_hold(|| Some(in_file()), 24);
}

#[test]
fn asking_postgresql_is_replaying_all_readings() {
    worlds_hold(on_server, 4);
}
