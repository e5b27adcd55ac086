//! The store, on both engines: what goes in comes out, as of any time, whenever it arrived.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "skipped tests say so; known lists"
)]

mod arrival;
mod deltas;
mod engines;
mod query;
mod refusals;
mod torn;

use engines::engines;
use entente_model::{
    Collection, Estate, Gap, GapCause, Moment, Observed, Place, PowerState, Why, Workload,
};
use entente_store::{AsOf, ChangeKind, ChangesOf, Retention, Stamp, Store, Written};
use entente_twins::{EstateSpec, generate};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const START: OffsetDateTime = datetime!(2026-03-01 06:00 UTC);

fn day(number: i64) -> OffsetDateTime {
    START + Duration::days(number)
}

/// An estate of so many machines, as a log-in would see it on a day.
fn seen(workloads: u32, number: i64) -> Collection {
    let spec = EstateSpec { workloads, ..EstateSpec::default() };
    let mut collection = generate(&spec).remove(0);
    collection.source.taken = Some(Moment::Utc(day(number)));
    collection
}

fn stamp(number: i64) -> Stamp {
    Stamp { recorded: day(number) + Duration::minutes(5), mapper: 1 }
}

async fn write(store: &Store, collection: &Collection, recorded: i64) -> Written {
    store.write(collection.clone(), &stamp(recorded)).await.unwrap()
}

/// The only platform's collection, in one order.
fn sorted(collection: Collection) -> Estate {
    Estate::from_collections(vec![collection])
}

async fn read(store: &Store, as_of: AsOf) -> Estate {
    let mut collections = store.collections(as_of).await.unwrap();
    assert_eq!(collections.len(), 1);
    sorted(collections.remove(0))
}

fn gap(section: &str) -> Gap {
    Gap {
        cause: GapCause::NoPermission,
        place: Place { section: Some(section.into()), ..Place::default() },
        message: "the account may not see all".into(),
        value: None,
        count: 1,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_in_comes_out() {
    let collection = seen(300, 0);
    for engine in engines() {
        let store = engine.open().await;
        let written = write(&store, &collection, 0).await;
        let objects: usize = collection.counts().iter().map(|it| it.1).sum();
        assert_eq!(
            written,
            Written { objects: objects as u64, new: objects as u64, ..Written::default() }
        );
        assert_eq!(read(&store, AsOf::Latest).await, sorted(collection.clone()));
        // Another process sees the same.
        let again = engine.open().await;
        assert_eq!(read(&again, AsOf::Time(day(1))).await, sorted(collection.clone()));
        assert!(store.collections(AsOf::Time(day(-1))).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_configured_makes_versions() {
    let first = seen(100, 0);
    let mut second = seen(100, 1);
    for workload in &mut second.workloads {
        workload.samples.memory_consumed_bytes = Observed::Value(77);
    }
    second.datastores[0].free_bytes = Observed::Value(5);
    second.workloads[3].power = Observed::Value(PowerState::Suspended);
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &first, 0).await;
        assert!(write(&store, &first, 1).await.known);
        let written = write(&store, &second, 1).await;
        assert_eq!((written.new, written.changed, written.gone), (0, 1, 0));
        assert_eq!(read(&store, AsOf::Latest).await, sorted(second.clone()));
        assert_eq!(read(&store, AsOf::Time(day(0))).await, sorted(first.clone()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_seen_is_not_gone() {
    let first = seen(50, 0);
    let mut second = seen(50, 1);
    second.workloads.truncate(20);
    second.hosts.clear();
    second.gaps.push(gap("workloads"));
    let mut third = second.clone();
    third.source.taken = Some(Moment::Utc(day(2)));
    third.gaps.clear();
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &first, 0).await;
        let written = write(&store, &second, 1).await;
        assert_eq!((written.gone, written.kept), (first.hosts.len() as u64, 30));
        let estate = read(&store, AsOf::Latest).await;
        assert_eq!((estate.workloads.len(), estate.hosts.len()), (50, 0));
        assert_eq!(write(&store, &third, 2).await.gone, 30);
        assert_eq!(read(&store, AsOf::Latest).await.workloads.len(), 20);
        assert_eq!(read(&store, AsOf::Time(day(1))).await.workloads.len(), 50);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_arrives_late_goes_to_its_own_time() {
    let power = |number: i64, power: PowerState| {
        let mut collection = seen(30, number);
        for workload in &mut collection.workloads {
            workload.power = Observed::Value(power);
        }
        collection
    };
    let (first, late, last) =
        (power(0, PowerState::On), power(1, PowerState::Off), power(2, PowerState::On));
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &first, 0).await;
        write(&store, &last, 2).await;
        write(&store, &late, 3).await;
        for (number, told) in [(0, &first), (1, &late), (2, &last)] {
            assert_eq!(
                read(&store, AsOf::Time(day(number))).await,
                sorted(told.clone()),
                "{number}"
            );
        }
        assert_eq!(read(&store, AsOf::Latest).await, sorted(last.clone()));
    }
}

fn machine(collection: &Collection, number: usize, uuid: u128) -> Workload {
    let mut workload = collection.workloads[number].clone();
    workload.instance_uuid = Observed::Value(uuid::Uuid::from_u128(uuid));
    workload.bios_uuid = workload.instance_uuid.clone();
    workload.created = Observed::Absent;
    workload
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_used_again_by_another_machine_is_another_machine() {
    let with = |number: i64, uuid: u128, name: &str| {
        let mut collection = seen(10, number);
        let mut workload = machine(&collection, 0, uuid);
        workload.name = name.into();
        collection.workloads = vec![workload];
        collection
    };
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &with(0, 1, "before"), 0).await;
        let written = write(&store, &with(1, 2, "after"), 1).await;
        assert_eq!((written.new, written.changed, written.gone), (1, 0, 1));
        // The first one again: the number was given back, say from a backup.
        write(&store, &with(2, 1, "before"), 2).await;
        for (number, name) in [(0, "before"), (1, "after"), (2, "before")] {
            let estate = read(&store, AsOf::Time(day(number))).await;
            let names: Vec<_> = estate.workloads.iter().map(|it| it.name.as_str()).collect();
            assert_eq!(names, [name]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_say_what_differs_since_when_and_what_is_only_known_better() {
    let (first, mut second) = (seen(20, 0), seen(20, 1));
    let gone = second.workloads.remove(0);
    second.workloads[1].cpu.count = Observed::Value(64);
    second.workloads[2].annotation = Observed::Unobserved(Why::NoPermission);
    second.hosts[0].name = "renamed".into();
    let mut third = second.clone();
    third.source.taken = Some(Moment::Utc(day(2)));
    third.workloads.push(gone.clone());
    for engine in engines() {
        let store = engine.open().await;
        for (number, collection) in [&first, &second, &third].into_iter().enumerate() {
            write(&store, collection, number as i64).await;
        }
        let changes = store.changes(&ChangesOf::default()).await.unwrap();
        let found = |id: &str, change: ChangeKind| {
            changes.iter().find(|it| it.id == id && it.change == change).unwrap()
        };
        assert_eq!(changes.len(), 5, "{changes:#?}");
        assert_eq!(found(gone.id.as_str(), ChangeKind::Gone).seen, day(1));
        assert_eq!(found(gone.id.as_str(), ChangeKind::Appeared).after, Some(day(1)));
        let changed = found(second.workloads[1].id.as_str(), ChangeKind::Changed);
        assert_eq!((changed.after, changed.seen), (Some(day(0)), day(1)));
        assert_eq!(changed.fields[0].field, "cpu.count");
        assert_eq!(changed.fields[0].after, 64);
        found(second.workloads[2].id.as_str(), ChangeKind::Known);
        assert_eq!(
            found(second.hosts[0].id.as_str(), ChangeKind::Changed).name.as_deref(),
            Some("renamed")
        );
        let of = ChangesOf {
            after: Some(day(1)),
            kinds: vec!["workloads".into()],
            ..ChangesOf::default()
        };
        assert_eq!(store.changes(&of).await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_release_that_reads_differently_changes_nothing_in_the_world() {
    let (first, mut second) = (seen(20, 0), seen(20, 1));
    for workload in &mut second.workloads {
        workload.guest.os_configured = Observed::Value("as the new release calls it".into());
    }
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &first, 0).await;
        store.write(second.clone(), &Stamp { mapper: 2, ..stamp(1) }).await.unwrap();
        let changes = store.changes(&ChangesOf::default()).await.unwrap();
        assert!(!changes.is_empty());
        assert!(changes.iter().all(|it| it.change == ChangeKind::Reinterpreted), "{changes:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_whole_and_goes_into_either_engine() {
    let (first, mut second) = (seen(40, 0), seen(40, 1));
    second.workloads[0].cpu.count = Observed::Value(99);
    second.gaps.push(gap("hosts"));
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &first, 0).await;
        write(&store, &second, 1).await;
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy.db");
        store.backup(&copy).await.unwrap();
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(store.backup(&copy).await.unwrap_err().code(), "ENT-0407");
        for other in engines() {
            let restored = other.open().await;
            restored.restore(&copy).await.unwrap();
            assert_eq!(restored.check().await.unwrap(), Vec::<String>::new());
            assert_eq!(restored.stats().await.unwrap().rows, store.stats().await.unwrap().rows);
            assert_eq!(read(&restored, AsOf::Latest).await, read(&store, AsOf::Latest).await);
            assert_eq!(read(&restored, AsOf::Time(day(0))).await, sorted(first.clone()));
            assert_eq!(restored.restore(&copy).await.unwrap_err().code(), "ENT-0408");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_go_goes_and_the_present_stays() {
    let (first, mut second) = (seen(40, 0), seen(40, 30));
    second.workloads.truncate(10);
    for engine in engines() {
        let store = engine.open().await;
        write(&store, &first, 0).await;
        write(&store, &second, 30).await;
        let now = read(&store, AsOf::Latest).await;
        let keep = Retention { states_before: Some(day(31)), samples_before: Some(day(20)) };
        let compacted = store.compact(keep).await.unwrap();
        assert_eq!((compacted.states, compacted.things), (30, 30));
        assert!(compacted.samples > 0);
        assert_eq!(read(&store, AsOf::Latest).await, now);
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_found() {
    let collection = seen(10, 0);
    let engine = engines().remove(0);
    let store = engine.open().await;
    write(&store, &collection, 0).await;
    store.close().await;
    let entente_store::Address::File(path) = &engine.address else { panic!() };
    let statement =
        "update versions set body = (select body from versions where id = 2) where id = 1";
    let done = std::process::Command::new("sqlite3").arg(path).arg(statement).status();
    if done.is_err() {
        println!("skipped: there is no sqlite3 on this machine");
        return;
    }
    let mistakes = engine.open().await.check().await.unwrap();
    assert_eq!(mistakes, ["state 1 of thing 1 is not what was written"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_has_one_holder_until_it_runs_out() {
    const LONG: std::time::Duration = std::time::Duration::from_secs(60);
    for engine in engines() {
        let (one, other) = (engine.open().await, engine.open().await);
        assert!(one.lease("vc", "one", LONG).await.unwrap());
        assert!(!other.lease("vc", "other", LONG).await.unwrap());
        assert!(other.lease("pve", "other", LONG).await.unwrap());
        assert!(one.lease("vc", "one", LONG).await.unwrap());
        other.release("vc", "other").await.unwrap();
        assert!(!other.lease("vc", "other", LONG).await.unwrap());
        one.release("vc", "one").await.unwrap();
        assert!(other.lease("vc", "other", std::time::Duration::ZERO).await.unwrap());
        // It ran out as soon as it was taken.
        assert!(one.lease("vc", "one", LONG).await.unwrap());
        let holders = one.leases().await.unwrap();
        assert_eq!(holders, [("pve".into(), "other".into()), ("vc".into(), "one".into())]);
    }
}
