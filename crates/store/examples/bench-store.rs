//! Times the store on a large estate: `bench-store STORE WORKLOADS`, where STORE is a file or a
//! `postgres://` address of an empty store. Prints `bench <figure> <value> <unit>` lines.
//!
//! The estate: so many workloads of the generator, and three more things for each (two volumes and a
//! native policy), the policies filled up until the bodies of all are 4 KiB on average.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at what it does not expect"
)]
#![expect(clippy::print_stdout, reason = "its output")]

use std::path::PathBuf;
use std::time::Instant;

use entente_model::{Collection, Moment, NativePolicy, Observed, PowerState, Volume};
use entente_store::{Address, AsOf, Stamp, Store};
use entente_twins::{EstateSpec, generate};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const START: OffsetDateTime = datetime!(2026-03-01 06:00 UTC);
const BODY_BYTES: usize = 4 << 10;
const RUNS: usize = 3;
const DAYS: i64 = 30;

/// A text of words that a compressor cannot guess.
fn words(bytes: usize, state: &mut u64) -> String {
    let mut text = String::with_capacity(bytes + 16);
    while text.len() < bytes {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        text.push_str(
            ["rule ", "accept tcp from ", "drop ", "log ", "to ", "port "][(*state % 6) as usize],
        );
        text.push_str(&format!("{:x} ", *state >> 40));
    }
    text
}

fn estate(workloads: u32) -> Collection {
    let mut collection = generate(&EstateSpec { workloads, ..EstateSpec::default() }).remove(0);
    let sample = collection.workloads.iter().take(1_000);
    let mean = sample.map(|it| serde_json::to_vec(it).unwrap().len()).sum::<usize>()
        / 1_000.min(workloads as usize);
    // Volumes are small; the policy takes what is left of four bodies.
    let policy = (4 * BODY_BYTES).saturating_sub(mean + 2 * 300);
    let mut state = 88_172_645_463_325_252;
    let datastore = collection.datastores[0].id.clone();
    for number in 0..collection.workloads.len() {
        let workload = &collection.workloads[number];
        for disk in 0..2 {
            collection.control.volumes.push(Volume {
                datastore: datastore.clone(),
                path: format!("{}/disk-{disk}.vmdk", workload.id).into(),
                format: Observed::Value("vmdk".into()),
                capacity_bytes: Observed::Value(1 << 35),
                allocated_bytes: Observed::Value(1 << 33),
                content: Observed::Value("disk".into()),
                workload: Observed::Value(workload.id.clone()),
            });
        }
        let (platform, scope) = (workload.platform.clone(), workload.id.to_string());
        collection.control.policies.push(NativePolicy {
            platform,
            dialect: "bench".into(),
            scope: scope.into(),
            name: "filter".into(),
            body: words(policy, &mut state).into(),
        });
    }
    collection
}

/// The next day: every sample is another, and of one thing in a thousand the configuration.
fn next_day(collection: &mut Collection, day: i64) {
    collection.source.taken = Some(Moment::Utc(START + Duration::days(day)));
    let moved = u64::try_from(day).unwrap();
    for workload in &mut collection.workloads {
        workload.samples.memory_consumed_bytes = Observed::Value(moved << 20);
        workload.samples.storage_used_bytes = Observed::Value(moved << 30);
    }
    for volume in &mut collection.control.volumes {
        volume.allocated_bytes = Observed::Value((1 << 33) + moved);
    }
    let first = usize::try_from(day).unwrap() % 1_000;
    for workload in collection.workloads.iter_mut().skip(first).step_by(1_000) {
        workload.annotation = Observed::Value(format!("changed on day {day}").into());
        workload.power = Observed::Value(PowerState::Suspended);
    }
    for policy in collection.control.policies.iter_mut().skip(first).step_by(1_000) {
        policy.body = format!("{} changed on day {day}", policy.body).into();
    }
    for volume in collection.control.volumes.iter_mut().skip(first).step_by(1_000) {
        volume.format = Observed::Value(format!("day {day}").into());
    }
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|it| it.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1_024
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Names, addresses of adapters and UUIDs of workloads.
async fn collections_names(store: &Store) -> Vec<String> {
    let collections = store.collections(AsOf::Latest).await.unwrap();
    let mut names = Vec::new();
    for workload in &collections[0].workloads {
        names.push(workload.name.to_string());
        names.extend(workload.bios_uuid.value().map(ToString::to_string));
        names.extend(workload.nics.iter().filter_map(|it| it.mac.value()).map(ToString::to_string));
    }
    names
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let place = arguments.next().unwrap();
    let workloads: u32 = arguments.next().unwrap().parse().unwrap();
    let (address, prefix) = match place.starts_with("postgres") {
        true => (Address::Postgres(place), "postgres_"),
        false => (Address::File(PathBuf::from(place)), ""),
    };
    let store = Store::open(&address).await.unwrap();
    let mut collection = estate(workloads);
    let stamp = |day: i64| Stamp { recorded: START + Duration::days(day), mapper: 1 };
    next_day(&mut collection, 0);
    let objects: usize = collection.counts().iter().map(|it| it.1).sum();
    println!("{objects} things, {workloads} workloads; {}", store.address);

    let reading = collection.clone();
    let begun = Instant::now();
    let written = store.write(reading, &stamp(0)).await.unwrap();
    assert_eq!(written.new, objects as u64);
    println!("bench {prefix}store_first_write_seconds {:.2} s", begun.elapsed().as_secs_f64());
    let first_bytes = store.stats().await.unwrap().bytes;

    let mut times = Vec::new();
    for day in 1..=DAYS {
        next_day(&mut collection, day);
        let reading = collection.clone();
        let begun = Instant::now();
        let written = store.write(reading, &stamp(day)).await.unwrap();
        times.push(begun.elapsed().as_secs_f64());
        assert!(written.changed <= objects as u64 / 900, "{written:?}");
    }
    println!("bench {prefix}store_recollect_seconds {:.2} s", median(times));
    let bytes = store.stats().await.unwrap().bytes;
    println!("bench {prefix}store_mib_first {} MiB", first_bytes >> 20);
    println!("bench {prefix}store_mib_after_{DAYS}_days {} MiB", bytes >> 20);
    drop(collection);

    let mut times = Vec::new();
    for _ in 0..RUNS {
        let begun = Instant::now();
        let collections = store.collections(AsOf::Time(START + Duration::days(7))).await.unwrap();
        times.push(begun.elapsed().as_secs_f64());
        assert_eq!(collections[0].workloads.len(), workloads as usize);
    }
    println!("bench {prefix}store_asof_seconds {:.2} s", median(times));

    let name = "no such machine".to_owned();
    let names = collections_names(&store).await.into_iter().step_by(97).take(200).chain([name]);
    let mut times = Vec::new();
    for name in names {
        let begun = Instant::now();
        store.search(&name, 20).await.unwrap();
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    println!("bench {prefix}store_search_ms {:.2} ms", times[times.len() * 99 / 100]);
    println!("bench {prefix}store_peak_mib {} MiB", peak_mib());
}
