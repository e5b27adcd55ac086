//! What changes between readings: only that is written, whenever it arrives.

use entente_model::{Collection, Observed, PowerState, Text};
use entente_store::query::{Datum, QueryLimits};
use entente_store::{AsOf, Change, ChangeKind, ChangesOf, Delta, Retention, Store, Written};
use time::{Duration, OffsetDateTime};

use super::engines::{Empty, engines};
use super::{START, day, gap, read, seen, sorted, stamp, write};

fn hour(number: i64) -> OffsetDateTime {
    START + Duration::hours(number)
}

/// A delta of the platform of a collection: these of its workloads, as they are there.
fn delta(of: &Collection, at: OffsetDateTime, changed: &[usize], removed: &[usize]) -> Delta {
    let mut collection = of.clone();
    collection.workloads = changed.iter().map(|it| of.workloads[*it].clone()).collect();
    let frame = Collection::empty(of.source.clone());
    (collection.hosts, collection.clusters, collection.datastores) =
        (frame.hosts, frame.clusters, frame.datastores);
    (collection.switches, collection.networks, collection.control) =
        (frame.switches, frame.networks, frame.control);
    (collection.resource_pools, collection.licences) = (frame.resource_pools, frame.licences);
    collection.gaps = vec![gap("workloads")];
    let native =
        |it: &usize| -> Text { of.workloads[*it].id.as_str().split_once('/').unwrap().1.into() };
    Delta {
        platform: of.platforms[0].id.clone(),
        connector: of.source.connector.clone(),
        at,
        changed: (!changed.is_empty()).then(|| Box::new(collection)),
        removed: removed.iter().map(native).collect(),
    }
}

async fn put(store: &Store, delta: &Delta) -> Written {
    store.write_delta(delta.clone(), &stamp(9)).await.unwrap()
}

fn with_power(of: &Collection, number: usize, power: PowerState) -> Collection {
    let mut collection = of.clone();
    collection.workloads[number].power = Observed::Value(power);
    collection
}

fn at(of: &Collection, time: OffsetDateTime) -> Collection {
    let mut collection = of.clone();
    collection.source.taken = Some(entente_model::Moment::Utc(time));
    collection
}

async fn ask(store: &Store, sql: &str, as_of: AsOf) -> Vec<Vec<Datum>> {
    store.query(sql, as_of, &QueryLimits::usual(day(9))).await.unwrap().rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delta_writes_what_is_in_it_and_ends_what_it_tells_to_be_gone_and_nothing_else() {
    let first = seen(30, 0);
    let power = match first.workloads[3].power {
        Observed::Value(PowerState::On) => PowerState::Off,
        _ => PowerState::On,
    };
    let mut after = with_power(&first, 3, power);
    let one = delta(&after, hour(1), &[3, 7], &[5]);
    let (changed, gone) = (after.workloads[3].id.to_string(), after.workloads.remove(5).id);
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &first, 0).await;
        let ages = store.ages(AsOf::Latest).await.unwrap();
        let states = versions(&store).await;
        let written = put(&store, &one).await;
        let expected = Written { objects: 2, changed: 1, gone: 1, ..Written::default() };
        assert_eq!(written, expected);
        assert_eq!(versions(&store).await, states + 1);
        assert!(put(&store, &one).await.known);
        // What was known of everything else is as old as it was, with the gaps that it had.
        assert_eq!(store.ages(AsOf::Latest).await.unwrap(), ages);
        assert_eq!(read(&store, AsOf::Latest).await, sorted(after.clone()));
        assert_eq!(read(&store, AsOf::Time(hour(0))).await, sorted(first.clone()));
        let told = store.changes(&ChangesOf::default()).await.unwrap();
        let told: Vec<_> = told.iter().map(short).collect();
        let times = (Some(hour(0)), hour(1));
        let mut expected = vec![
            (changed.as_str(), ChangeKind::Changed, times),
            (gone.as_str(), ChangeKind::Gone, times),
        ];
        expected.sort();
        assert_eq!(told, expected);
        // A whole reading finds what the delta told: nothing new.
        let written = write(&store, &at(&after, hour(2)), 2).await;
        assert_eq!((written.new, written.changed, written.gone), (0, 0, 0));
        let sql = "select case when is_latest then 1 else 0 end, case when is_delta then 1 else 0 end from collections order by observed";
        for as_of in [AsOf::Latest, AsOf::Time(hour(3))] {
            let rows = ask(&store, sql, as_of).await;
            let of = |latest, delta| vec![Datum::Integer(latest), Datum::Integer(delta)];
            assert_eq!(rows, [of(0, 0), of(0, 1), of(1, 0)]);
        }
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    }
}

fn short(it: &Change) -> (&str, ChangeKind, (Option<OffsetDateTime>, OffsetDateTime)) {
    (it.id.as_str(), it.change, (it.after, it.seen))
}

async fn versions(store: &Store) -> u64 {
    let stats = store.stats().await.unwrap();
    stats.rows.iter().find(|it| it.0 == "versions").unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_and_what_is_shown_are_those_of_the_latest_whole_reading() {
    let mut first = seen(10, 0);
    first.gaps = vec![gap("hosts")];
    let one = delta(&with_power(&first, 1, PowerState::Suspended), hour(2), &[1], &[]);
    let mut late = at(&first, hour(1));
    late.gaps = vec![gap("networks")];
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &first, 0).await;
        put(&store, &one).await;
        // It is later than the delta in arrival alone: its gaps are the latest, its states are not.
        write(&store, &late, 3).await;
        let estate = read(&store, AsOf::Latest).await;
        assert_eq!(estate.gaps, sorted(late.clone()).gaps);
        assert_eq!(
            estate.workloads,
            sorted(with_power(&first, 1, PowerState::Suspended)).workloads
        );
        let sections = ask(&store, "select section from gaps", AsOf::Latest).await;
        assert_eq!(sections, [[Datum::Text("networks".into())]]);
        let suspended = "select count(*) from workloads where power = 'suspended'";
        let before = ask(&store, suspended, AsOf::Time(hour(1))).await;
        let after = ask(&store, suspended, AsOf::Latest).await;
        let count = |rows: &[Vec<Datum>]| match rows[0][0] {
            Datum::Integer(count) => count,
            _ => panic!("{rows:?}"),
        };
        assert_eq!(count(&after), count(&before) + 1);
    }
}

enum Reading {
    Whole(Box<Collection>),
    Delta(Delta),
}

/// The permutation of this number.
fn permuted<T>(mut items: Vec<T>, mut number: usize) -> Vec<T> {
    let mut permuted = Vec::new();
    while !items.is_empty() {
        let at = number % items.len();
        number /= items.len();
        permuted.push(items.remove(at));
    }
    permuted
}

/// Everything that the order of arrival must not change.
async fn remembered(
    engine: &Empty,
    readings: Vec<&Reading>,
) -> (Vec<Vec<Vec<Datum>>>, Vec<entente_model::Estate>) {
    let store = engine.open().await;
    for reading in readings {
        match reading {
            Reading::Whole(collection) => drop(write(&store, collection, 9).await),
            Reading::Delta(delta) => drop(put(&store, delta).await),
        }
    }
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    let mut rows = Vec::new();
    for sql in [
        // What happened once stays where it first arrived.
        "select kind, id, incarnation, observed_from, observed_to from changes where kind <> 'activities' order by kind, id, observed_from",
        "select id, name, power from workloads order by id",
        "select observed, case when is_latest then 'latest' when is_delta then 'delta' end from collections order by observed",
    ] {
        rows.push(ask(&store, sql, AsOf::Latest).await);
    }
    let mut estates = vec![read(&store, AsOf::Latest).await];
    for number in 0..6 {
        estates.push(read(&store, AsOf::Time(hour(number))).await);
    }
    estates.iter_mut().for_each(|it| it.control.activities.clear());
    (rows, estates)
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_readings_and_deltas_make_the_same_states_in_whatever_order_they_arrive() {
    let first = seen(6, 0);
    let off = with_power(&first, 1, PowerState::Off);
    let mut renamed = off.clone();
    renamed.workloads[2].name = "renamed".into();
    let mut without = renamed.clone();
    let newcomer = without.workloads.remove(4);
    let mut last = without.clone();
    last.workloads.push(newcomer);
    last.workloads[1].power = Observed::Value(PowerState::Suspended);
    let readings = [
        Reading::Whole(Box::new(first.clone())),
        Reading::Delta(delta(&off, hour(1), &[1], &[])),
        // One goes that no whole reading sees any more, and one is confirmed as it was.
        Reading::Delta(delta(&renamed, hour(2), &[2, 0], &[4])),
        Reading::Whole(Box::new(at(&without, hour(3)))),
        // It is back.
        Reading::Delta(delta(&last, hour(4), &[5, 1], &[3])),
    ];
    let mut expected = None;
    for number in (0..120).step_by(11) {
        let order = permuted(readings.iter().collect(), number);
        for engine in engines() {
            let told = remembered(&engine, order.to_vec()).await;
            let expected = expected.get_or_insert_with(|| told.clone());
            for (told, expected) in told.0.iter().flatten().zip(expected.0.iter().flatten()) {
                assert_eq!(told, expected, "order {number}, {}", engine.address);
            }
            assert_eq!(told.0.concat().len(), expected.0.concat().len(), "order {number}");
            assert!(told.1 == expected.1, "order {number}, {}", engine.address);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_go_goes_a_little_at_a_time_and_what_is_so_stays() {
    let first = seen(40, 0);
    let power = |number: i64| match number % 2 {
        0 => PowerState::Off,
        _ => PowerState::Suspended,
    };
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &first, 0).await;
        for number in 1..=9 {
            let next = with_power(&first, 1, power(number));
            put(&store, &delta(&next, day(number), &[1], &[])).await;
        }
        put(&store, &delta(&first, day(10), &[], &[2])).await;
        let (now, states) = (read(&store, AsOf::Latest).await, versions(&store).await);
        let since = read(&store, AsOf::Time(day(8))).await;
        // What ended on the eighth day and before goes, with the deltas up to there.
        let keep = Retention { states_before: Some(day(8)), samples_before: Some(day(3)) };
        let gone = store.let_go(keep, 0).await.unwrap();
        assert!(gone.is_more && gone.states + gone.samples == 0, "{gone:?}");
        let mut looks = 0;
        while store.let_go(keep, 1).await.unwrap().is_more {
            looks += 1;
            assert!(looks < 20);
        }
        assert_eq!(versions(&store).await, states - 8);
        let left = ask(&store, "select count(*) from collections", AsOf::Latest).await;
        assert_eq!(left, [[Datum::Integer(4)]]);
        assert_eq!(read(&store, AsOf::Latest).await, now);
        let kept = read(&store, AsOf::Time(day(8))).await;
        let states = |of: &entente_model::Estate| -> Vec<_> {
            of.workloads.iter().map(|it| (it.id.clone(), it.power.clone())).collect()
        };
        assert_eq!(states(&kept), states(&since));
        assert_eq!(store.let_go(keep, 1).await.unwrap(), Default::default());
        // The machine that is gone goes as a whole once its end is long ago; all others are there.
        let keep = Retention { states_before: Some(day(11)), samples_before: None };
        let gone = store.compact(keep).await.unwrap();
        assert_eq!((gone.states, gone.things, gone.is_more), (2, 1, false));
        assert_eq!(read(&store, AsOf::Latest).await, now);
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    }
}
