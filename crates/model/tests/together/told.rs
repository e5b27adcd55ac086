//! Accounts as tests tell them.

use entente_model::{
    Collection, Estate, Finding, Moment, Observed, PlatformId, Reader, Reading, SourceId, Text,
};
use entente_twins::{EstateSpec, generate};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

pub const START: OffsetDateTime = datetime!(2026-03-01 06:00 UTC);

/// So many machines on one vCenter.
pub fn world(workloads: u32) -> Collection {
    let spec = EstateSpec { workloads, vcenters: 1, ..EstateSpec::default() };
    let mut world = generate(&spec).remove(0);
    world.gaps.clear();
    world.findings.clear();
    world
}

/// What a log-in saw at an hour; its states are as old as the first hour.
pub fn log_in(mut seen: Collection, hour: i64) -> Reading {
    seen.source.id = "log-in".parse::<SourceId>().unwrap();
    seen.source.connector = "vsphere".into();
    seen.source.taken = Some(Moment::Utc(START + Duration::hours(hour)));
    let mut reading = Reading::of(seen, Reader::LogIn);
    let workloads = reading.collection.workloads.iter().map(|it| ("workloads", it.id.as_str()));
    let hosts = reading.collection.hosts.iter().map(|it| ("hosts", it.id.as_str()));
    reading.since =
        workloads.chain(hosts).map(|(list, id)| ((list, Text::new(id)), START)).collect();
    reading
}

/// What an export told at an hour, in UTC.
pub fn export(mut seen: Collection, hour: i64) -> Reading {
    seen.control = entente_model::ControlPlane::default();
    seen.source.id = "export.xlsx".parse::<SourceId>().unwrap();
    seen.source.connector = "rvtools".into();
    seen.source.taken = Some(Moment::Utc(START + Duration::hours(hour)));
    Reading::of(seen, Reader::Export)
}

/// The platform under another name, as an export has it.
pub fn named(mut seen: Collection, name: &str) -> Collection {
    let text = serde_json::to_string(&seen).unwrap();
    let old = seen.platforms[0].id.to_string();
    let new: PlatformId = name.parse().unwrap();
    let text = text.replace(&format!("\"{old}/"), &format!("\"{new}/"));
    let text = text.replace(&format!("\"platform\":\"{old}\""), &format!("\"platform\":\"{new}\""));
    seen = serde_json::from_str(&text).unwrap();
    seen.platforms[0].id = new;
    seen
}

pub fn conflicts(estate: &Estate) -> Vec<&Finding> {
    estate.findings.iter().filter(|it| it.code == "ENT-0211").collect()
}

pub fn value<T>(of: T) -> Observed<T> {
    Observed::Value(of)
}
