//! What random worlds found (`tests/replay`), each by itself.

use entente_model::{Activity, Collection, Moment, Observed, PowerState, Why};
use entente_store::{AsOf, Change, ChangeKind, ChangesOf, Stamp, Store};

use crate::engines::engines;
use crate::{day, gap, machine, read, seen, stamp, write};

/// One machine of this UUID on a day, under a name that others had.
fn one(number: i64, uuid: u128, name: &str) -> Collection {
    let mut collection = seen(3, number);
    collection.workloads = vec![machine(&collection, 0, uuid)];
    collection.workloads[0].name = name.into();
    collection
}

async fn names(store: &Store, number: i64) -> Vec<String> {
    let estate = read(store, AsOf::Time(day(number))).await;
    estate.workloads.iter().map(|it| it.name.to_string()).collect()
}

async fn changes_of(store: &Store, kind: &str) -> Vec<Change> {
    let of = ChangesOf { kinds: vec![kind.into()], ..ChangesOf::default() };
    store.changes(&of).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_has_one_machine_at_a_time_whenever_that_is_told() {
    let mut filtered = one(3, 2, "second");
    filtered.gaps.push(gap("workloads"));
    let first = [one(0, 1, "first"), one(1, 2, "second"), one(2, 1, "first"), filtered];
    for order in [[0, 2, 1, 3], [3, 2, 1, 0], [3, 0, 2, 1], [1, 3, 0, 2]] {
        for engine in engines() {
            let store = engine.open().await;
            for number in order {
                write(&store, &first[number], 9).await;
            }
            for (number, name) in [(0, "first"), (1, "second"), (2, "first"), (3, "second")] {
                assert_eq!(names(&store, number).await, [name], "{order:?}, day {number}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_whose_uuid_was_told_later_is_told_from_the_next_one() {
    let mut silent = one(0, 1, "first");
    let workload = &mut silent.workloads[0];
    workload.instance_uuid = Observed::Unobserved(Why::NoPermission);
    workload.bios_uuid = Observed::Unobserved(Why::NoPermission);
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &silent, 0).await;
        assert_eq!(write(&store, &one(1, 1, "first"), 1).await.new, 0);
        let written = write(&store, &one(2, 2, "second"), 2).await;
        assert_eq!((written.new, written.gone), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_an_export_tells_late_stays_and_ends() {
    let task = |number: i64, outcome: Option<&str>| {
        let mut collection = seen(3, number);
        let platform = collection.platforms[0].id.clone();
        collection.control.activities = outcome.map_or(Vec::new(), |outcome| {
            vec![Activity {
                platform,
                native_id: "task-1".into(),
                at: Observed::Value(Moment::Utc(day(0))),
                principal: Observed::Absent,
                action: "clone".into(),
                subject: Observed::Absent,
                outcome: if outcome.is_empty() {
                    Observed::Absent
                } else {
                    Observed::Value(outcome.into())
                },
            }]
        });
        collection
    };
    let readings = [task(0, Some("")), task(1, Some("done")), task(2, None)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        for engine in engines() {
            let store = engine.open().await;
            for number in order {
                write(&store, &readings[number], 9).await;
            }
            for (number, done) in [(0, false), (1, true), (2, true)] {
                let estate = read(&store, AsOf::Time(day(number))).await;
                let told: Vec<_> = estate
                    .control
                    .activities
                    .iter()
                    .map(|it| it.outcome.value().is_some())
                    .collect();
                assert_eq!(told, [done], "{order:?}, day {number}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_lies_after_the_last_reading_that_saw_the_thing() {
    let (first, mut blind, mut last) = (seen(9, 0), seen(9, 1), seen(9, 2));
    let hidden = blind.workloads.remove(0);
    blind.gaps.push(gap("workloads"));
    for collection in [&mut blind, &mut last] {
        let of = |it: &&mut entente_model::Workload| it.id != hidden.id;
        collection.workloads.iter_mut().filter(of).last().unwrap().name = "renamed".into();
    }
    last.workloads.remove(1);
    last.workloads[0].power = Observed::Value(PowerState::Suspended);
    for engine in engines() {
        let store = engine.open().await;
        for (number, collection) in [&first, &blind, &last].into_iter().enumerate() {
            write(&store, collection, number as i64).await;
        }
        let told: Vec<_> = changes_of(&store, "workloads")
            .await
            .into_iter()
            .map(|it| (it.change, it.after, it.seen))
            .collect();
        let expected = [
            // Seen on each day.
            (ChangeKind::Changed, Some(day(0)), day(1)),
            // Seen on the second day in spite of the gap, and not on the third.
            (ChangeKind::Gone, Some(day(1)), day(2)),
            // Not seen on the second day: it may have changed before.
            (ChangeKind::Changed, Some(day(0)), day(2)),
        ];
        assert_eq!(told.len(), 3, "{told:#?}");
        assert!(expected.iter().all(|it| told.contains(it)), "{told:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_after_an_upgrade_is_a_change() {
    let (first, second, mut third) = (seen(9, 0), seen(9, 1), seen(9, 2));
    third.workloads[0].power = Observed::Value(PowerState::Suspended);
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &first, 0).await;
        for collection in [&second, &third] {
            let stamp = Stamp { mapper: 2, ..stamp(9) };
            store.write(collection.clone(), &stamp).await.unwrap();
        }
        let told: Vec<_> =
            changes_of(&store, "workloads").await.into_iter().map(|it| it.change).collect();
        assert_eq!(told, [ChangeKind::Changed]);
    }
}
