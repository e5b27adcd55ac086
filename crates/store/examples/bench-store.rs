//! Times the store on a large estate: `bench-store STORE WORKLOADS [DAYS]`, where STORE is a file or a
//! `postgres://` address of an empty store. Prints `bench <figure> <value> <unit>` lines.
//!
//! The estate: so many workloads of the generator, and three more things for each (two volumes and a
//! backup job), the jobs filled up until the bodies of all are 4 KiB on average.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at what it does not expect"
)]
#![expect(clippy::print_stdout, reason = "its output")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use entente_model::{
    Collection, Listing, Moment, Observed, PowerState, ProtectionJob, ProtectionKind, Volume,
};
use entente_store::{Address, AsOf, Stamp, Store};
use entente_twins::{EstateSpec, generate};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

/// As the command has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const START: OffsetDateTime = datetime!(2026-03-01 06:00 UTC);
const BODY_BYTES: usize = 4 << 10;
const RUNS: usize = 3;
const DAYS: u64 = 30;

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

/// What is read on a day: every sample is another than the day before, and of one thing in a thousand the
/// configuration.
fn estate(workloads: u32, day: u64) -> Collection {
    let mut collection = generate(&EstateSpec { workloads, ..EstateSpec::default() }).remove(0);
    let hours = i64::try_from(day).unwrap() * 24;
    collection.source.taken = Some(Moment::Utc(START + Duration::hours(hours)));
    let sample = collection.workloads.iter().take(1_000);
    let mean = sample.map(|it| serde_json::to_vec(it).unwrap().len()).sum::<usize>()
        / 1_000.min(workloads as usize);
    // Volumes are small; the job takes what is left of four bodies.
    let job = (4 * BODY_BYTES).saturating_sub(mean + 2 * 300);
    let mut state = 88_172_645_463_325_252;
    let datastore = collection.datastores[0].id.clone();
    for number in 0..collection.workloads.len() {
        let workload = &mut collection.workloads[number];
        let changed = (0..=day).rev().find(|it| number as u64 % 1_000 == it % 1_000);
        let note = changed.map(|it| format!("changed on day {it}"));
        workload.samples.memory_consumed_bytes = Observed::Value(day << 20);
        workload.samples.storage_used_bytes = Observed::Value(day << 30);
        if let Some(note) = &note {
            workload.annotation = Observed::Value(note.into());
            workload.power = Observed::Value(PowerState::Suspended);
        }
        for disk in 0..2 {
            collection.control.volumes.push(Volume {
                datastore: datastore.clone(),
                path: format!("{}/disk-{disk}.vmdk", workload.id).into(),
                format: Observed::Value(note.as_deref().unwrap_or("vmdk").into()),
                capacity_bytes: Observed::Value(1 << 35),
                allocated_bytes: Observed::Value((1 << 33) + day),
                content: Observed::Value("disk".into()),
                workload: Observed::Value(workload.id.clone()),
            });
        }
        let body = words(job, &mut state) + &note.unwrap_or_default();
        collection.control.protection_jobs.push(ProtectionJob {
            platform: workload.platform.clone(),
            native_id: format!("job of {}", workload.id).into(),
            kind: ProtectionKind::Backup,
            enabled: Observed::Value(true),
            schedule: Observed::Value("daily".into()),
            target: Observed::Absent,
            retention: Observed::Absent,
            workloads: Listing::complete(vec![workload.id.clone()]),
            details: BTreeMap::from([("definition".into(), body.into())]),
        });
    }
    collection
}

/// Seconds of processor time so far.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // In hundredths, on every Linux there is.
    fields[11..13].iter().map(|it| it.parse::<f64>().unwrap() / 100.0).sum()
}

/// What something took: seconds, and of those the processor's.
struct Took {
    begun: Instant,
    processor: f64,
}

impl Took {
    fn begin() -> Self {
        // The highest memory from here on: what made the estate is no part of the store.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        Self { begun: Instant::now(), processor: processor() }
    }

    fn end(self, peak: &mut u64) -> (f64, f64) {
        *peak = (*peak).max(peak_mib());
        (self.begun.elapsed().as_secs_f64(), processor() - self.processor)
    }
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|it| it.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1_024
}

/// The median of each.
fn median(mut all: Vec<(f64, f64)>) -> (f64, f64) {
    all.sort_by(|a, b| f64::total_cmp(&a.0, &b.0));
    all[all.len() / 2]
}

/// Names, addresses of adapters and UUIDs of workloads, and one that is not there.
fn terms(collection: &Collection) -> Vec<String> {
    let mut terms = Vec::new();
    for workload in &collection.workloads {
        terms.push(workload.name.to_string());
        terms.extend(workload.bios_uuid.value().map(ToString::to_string));
        terms.extend(workload.nics.iter().filter_map(|it| it.mac.value()).map(ToString::to_string));
        terms.extend(workload.guest.primary_address.value().map(ToString::to_string));
    }
    let few = (terms.len() / 200).max(1);
    let chosen = terms.into_iter().step_by(few).take(200);
    chosen.chain(["no such machine".to_owned()]).collect()
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let place = arguments.next().unwrap();
    let workloads: u32 = arguments.next().unwrap().parse().unwrap();
    let days: u64 = arguments.next().map_or(DAYS, |it| it.parse().unwrap());
    let (address, prefix) = match place.starts_with("postgres") {
        true => (Address::Postgres(place), "postgres_"),
        false => (Address::File(PathBuf::from(place)), ""),
    };
    let figure = |name: &str, value: String, unit: &str| {
        println!("bench {prefix}store_{name} {value} {unit}");
    };
    let seconds = |name: &str, (wall, processor): (f64, f64)| {
        figure(&format!("{name}_seconds"), format!("{wall:.2}"), "s");
        figure(&format!("{name}_processor_seconds"), format!("{processor:.2}"), "s");
    };
    let mut peak = 0;
    let store = Store::open(&address).await.unwrap();
    let stamp = |day: u64| Stamp {
        recorded: START + Duration::days(i64::try_from(day).unwrap()),
        mapper: 1,
    };

    let collection = estate(workloads, 0);
    let objects: usize = collection.counts().iter().map(|it| it.1).sum();
    println!("{objects} things, {workloads} workloads; {}", store.address);
    let terms = terms(&collection);
    let took = Took::begin();
    let written = store.write(collection, &stamp(0)).await.unwrap();
    seconds("first_write", took.end(&mut peak));
    figure("first_write_peak_mib", peak.to_string(), "MiB");
    assert_eq!(written.new, objects as u64);
    let first_bytes = store.stats().await.unwrap().bytes;

    let mut times = Vec::new();
    for day in 1..=days {
        let collection = estate(workloads, day);
        let took = Took::begin();
        let written = store.write(collection, &stamp(day)).await.unwrap();
        times.push(took.end(&mut peak));
        assert_eq!(written.new, 0);
        assert!((1..=objects as u64 / 900).contains(&written.changed), "{written:?}");
    }
    seconds("recollect", median(times));
    let bytes = store.stats().await.unwrap().bytes;
    figure("first_mib", (first_bytes >> 20).to_string(), "MiB");
    figure(&format!("after_{days}_days_mib"), (bytes >> 20).to_string(), "MiB");

    let mut times = Vec::new();
    for _ in 0..RUNS {
        let took = Took::begin();
        let collections = store.collections(AsOf::Time(START + Duration::days(2))).await.unwrap();
        times.push(took.end(&mut peak));
        assert_eq!(collections[0].workloads.len(), workloads as usize);
    }
    seconds("asof", median(times));

    let mut times = Vec::new();
    for term in &terms {
        let begun = Instant::now();
        let found = store.search(term, 20).await.unwrap();
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        assert_eq!(found.is_empty(), term == "no such machine", "{term}");
    }
    times.sort_by(f64::total_cmp);
    figure("search_ms", format!("{:.2}", times[times.len() * 99 / 100]), "ms");
    figure("peak_mib", peak.to_string(), "MiB");
}
