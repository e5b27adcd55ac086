//! Which workloads are one does not depend on when what was seen arrived.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeSet;

use entente_app::identities::Identities;
use entente_app::remembered::Memory;
use entente_model::{Collection, Moment, Observed, PlatformId, WorkloadId};
use entente_store::Address;
use entente_twins::{EstateSpec, generate};
use tempfile::TempDir;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

fn day(number: i64) -> OffsetDateTime {
    datetime!(2026-03-01 06:00 UTC) + Duration::days(number)
}

/// A platform as a connector saw it on a day.
fn seen(mut collection: Collection, connector: &str, number: i64) -> Collection {
    let platform = collection.platforms.first().unwrap().id.clone();
    collection.source.connector = connector.into();
    collection.source.id = format!("{platform}-{connector}-{number}").parse().unwrap();
    collection.source.taken = Some(Moment::Utc(day(number)));
    collection
}

/// Machines as they are on another platform: with ids of their own, and all else as it was.
fn moved(from: &Collection, machines: std::ops::Range<usize>, platform: &str) -> Collection {
    let platform: PlatformId = platform.parse().unwrap();
    let mut collection = Collection::empty(from.source.clone());
    let mut itself = from.platforms.first().unwrap().clone();
    (itself.id, itself.uuid) = (platform.clone(), Observed::Absent);
    collection.platforms.push(itself);
    collection.workloads = from.workloads.get(machines).unwrap().to_vec();
    for (number, workload) in collection.workloads.iter_mut().enumerate() {
        workload.platform = platform.clone();
        workload.id = WorkloadId::on(&platform, &format!("{}", 100 + number)).unwrap();
        workload.native_id = Observed::Value(format!("{}", 100 + number).into());
        workload.instance_uuid = Observed::Absent;
        workload.created = Observed::Absent;
    }
    collection
}

/// A migration: read by a log-in and by exports, with a number that was given again in the end.
fn story() -> Vec<Collection> {
    let spec = EstateSpec { workloads: 30, vcenters: 1, ..EstateSpec::default() };
    let whole = generate(&spec).remove(0);
    let mut half = whole.clone();
    half.workloads.drain(..15);
    let there = moved(&whole, 0..15, "there");
    let mut given_again = there.clone();
    let last = given_again.workloads.last_mut().unwrap();
    last.name = "somebody else".into();
    last.bios_uuid = Observed::Value(Uuid::from_u128(0xfeed));
    last.nics.items.clear();
    last.guest.hostname = Observed::Value("elsewhere".into());
    vec![
        seen(whole.clone(), "vsphere", 0),
        seen(whole.clone(), "rvtools", 1),
        seen(moved(&whole, 0..5, "there"), "proxmox", 2),
        seen(half.clone(), "rvtools", 3),
        seen(half, "vsphere", 4),
        seen(there, "proxmox", 5),
        seen(given_again, "proxmox", 6),
    ]
}

/// Who is one, and which links say so, by what is known of each sighting rather than by its key.
fn told(identities: &Identities) -> (BTreeSet<BTreeSet<String>>, BTreeSet<String>) {
    let name = |key: &str| {
        let it = identities.members.get(key).unwrap();
        format!("{} {} {} from {} to {:?}", it.connector, it.id, it.name, it.first, it.last)
    };
    let correlation = &identities.correlation;
    let groups = correlation.identities.iter();
    let groups = groups.map(|it| it.sightings.iter().map(|it| name(it)).collect()).collect();
    let link = |it: &entente_identity::Link| {
        let ends = BTreeSet::from([name(&it.a), name(&it.b)]);
        format!("{ends:?} {:?}", it.strength)
    };
    (groups, correlation.links.iter().map(link).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_it_arrives_the_same_workloads_are_one() {
    let story = story();
    let count = story.len();
    let mut orders: Vec<Vec<usize>> = vec![(0..count).collect(), (0..count).rev().collect()];
    orders.extend((1..count).map(|by| (0..count).map(|it| (it + by) % count).collect()));
    orders.push((0..count).map(|it| (it * 3 + 2) % count).collect());
    let mut expected = None;
    for order in orders {
        let folder = TempDir::new().unwrap();
        let memory = Memory::open(&Address::File(folder.path().join("entente.db"))).await.unwrap();
        for number in &order {
            memory.put(story.get(*number).unwrap().clone()).await.unwrap();
        }
        let found = told(&memory.identities().await.unwrap());
        let joined = found.0.iter().filter(|it| it.len() > 1).count();
        assert!(joined >= 30, "{joined} of 30 machines were seen several times: {found:#?}");
        assert_eq!(&found, expected.get_or_insert_with(|| found.clone()), "{order:?}");
        memory.store().close().await;
    }
}
