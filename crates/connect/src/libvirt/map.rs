//! What libvirt gave → model: pure. What can't be mapped becomes a gap.
//!
//! Each file maps one kind of thing; [`collection`] puts them together.

mod blank;
mod devices;
mod disks;
mod domain;
mod gaps;
mod guest;
mod hardware;
mod host;
mod networks;
mod nics;
mod policies;
mod settings;
mod snapshots;
mod storage;
mod uses;

use std::collections::BTreeMap;

use entente_model::{
    Collection, Disk, HostId, Moment, Nic, Observed, PlatformId, Product, SourceId, Tally, Text,
    Why,
};

use super::wire::reading::{HostReading, Read, Reading};
use super::{LABEL, NAME, version};
use crate::connector::source_limits;
use crate::libvirt::LIMITS;
use crate::live::{Gaps, Target};
use networks::Networks;
use storage::Storage;

/// What mapping a domain needs to know beside the domain.
struct Scene<'a> {
    platform: &'a PlatformId,
    source: &'a SourceId,
    /// The one host; nothing if it does not tell its id.
    host: Observed<HostId>,
    /// Clock of its processors, in MHz.
    mhz: Observed<u64>,
    read_only: bool,
    networks: Networks,
    storage: Storage,
    /// Types of mediated devices, by their UUID.
    mediated: BTreeMap<Text, Text>,
}

/// The whole collection.
pub(super) fn collection(target: &Target, reading: &Reading) -> Collection {
    map(target, reading, None)
}

/// The collection of domains that changed: their workloads alone, with what they stand on known from
/// before.
pub(super) fn change(target: &Target, reading: &Reading) -> Collection {
    map(target, reading, Some("workloads"))
}

/// True if something in a collection of changes stands on what is not known from before: it may be
/// newer.
pub(super) fn is_somewhere_new(changes: &Collection) -> bool {
    changes.workloads.iter().any(|workload| {
        let is_new = |why: Option<Why>| why.is_none_or(|it| it == Why::Blank);
        let disk = |it: &Disk| it.datastore.value().is_none() && is_new(it.datastore.why());
        let nic = |it: &Nic| it.network.why() == Some(Why::Blank);
        workload.disks.iter().any(disk) || workload.nics.iter().any(nic)
    })
}

fn map(target: &Target, reading: &Reading, only: Option<&str>) -> Collection {
    let version = version(reading.host.library_version);
    let source = target.source(NAME, Some(version), source_limits(LIMITS));
    let mut gaps = Gaps::default();
    let facts = host::read(&target.id, &reading.host, &mut gaps);
    let networks = Networks::read(&target.id, &reading.around, &mut gaps);
    let storage = Storage::read(&target.id, &reading.around, &mut gaps);
    let scene = Scene {
        platform: &target.id,
        source: &source.id,
        host: facts.id.clone(),
        mhz: facts.mhz,
        read_only: reading.host.read_only,
        mediated: devices::mediated(&reading.around, &mut gaps),
        networks,
        storage,
    };
    let workloads = domain::workloads(&scene, reading, &mut gaps);
    let Scene { mut networks, mut storage, .. } = scene;
    let mut collection = Collection::empty(source);
    collection.platforms.push(target.platform(LABEL, facts.uuid.clone()));
    if only.is_none() {
        collection.products = products(&target.id, &reading.host);
        networks.add_bridges(&target.id, &workloads.bridges);
        storage.assign(&workloads.uses, &mut gaps);
        collection.control.policies = policies::read(&target.id, &reading.around, &mut gaps);
        collection.switches = networks.switches(&target.id, &facts.name);
        collection.networks = networks.into_networks();
        collection.datastores = storage.datastores;
        collection.control.volumes = storage.volumes;
        collection.control.sort();
        collection.hosts.extend(facts.host);
    }
    collection.workloads = workloads.workloads;
    let gaps = match only {
        Some(only) => gaps.of_section(only),
        None => gaps,
    };
    collection.gaps = gaps.finish(&target.address);
    tally(&mut collection, reading);
    collection
}

fn products(platform: &PlatformId, host: &HostReading) -> Vec<Product> {
    let build = Observed::Unobserved(Why::SourceLimit);
    vec![
        Product {
            platform: platform.clone(),
            name: "libvirt".into(),
            version: Observed::Value(version(host.library_version)),
            build: build.clone(),
        },
        Product {
            platform: platform.clone(),
            name: Text::from(host.driver.as_str()),
            version: hypervisor_version(host),
            build,
        },
    ]
}

fn hypervisor_version(host: &HostReading) -> Observed<Text> {
    observed(&host.hypervisor_version).map(|it| version(*it))
}

fn tally(collection: &mut Collection, reading: &Reading) {
    let mut told: BTreeMap<&'static str, usize> = BTreeMap::new();
    let around = &reading.around;
    told.insert("workloads", reading.domains.as_ref().map_or(0, Vec::len));
    told.insert("networks", around.networks.as_ref().map_or(0, Vec::len));
    told.insert("datastores", around.pools.as_ref().map_or(0, Vec::len));
    told.insert("policies", around.filters.as_ref().map_or(0, Vec::len));
    let mut add = |name: &'static str, mapped: usize| {
        let rows = told.get(name).copied().unwrap_or_default().max(mapped) as u64;
        if rows > 0 {
            let tally = Tally { rows, mapped: mapped as u64, cells: 0 };
            collection.source.sections.insert(name.into(), tally);
        }
    };
    add("hosts", collection.hosts.len());
    add("workloads", collection.workloads.len());
    add("networks", collection.networks.len());
    add("switches", collection.switches.len());
    add("datastores", collection.datastores.len());
    add("volumes", collection.control.volumes.len());
    add("policies", collection.control.policies.len());
}

/// A piece as a fact.
fn observed<T>(read: &Read<T>) -> Observed<&T> {
    match read {
        Ok(value) => Observed::Value(value),
        Err(failure) => Observed::Unobserved(failure.why()),
    }
}

/// Seconds since 1970 as a moment.
fn moment(seconds: &str) -> Observed<Moment> {
    let at = seconds.trim().parse().ok();
    match at.and_then(|it| time::OffsetDateTime::from_unix_timestamp(it).ok()) {
        Some(at) => Observed::Value(Moment::Utc(at)),
        None => Observed::Unobserved(Why::Unreadable),
    }
}

/// A number of bytes from a number with a unit, as libvirt writes it.
fn bytes(number: &str, unit: Option<&str>, usual: &str) -> Option<u64> {
    let number: u64 = number.trim().parse().ok()?;
    let factor: u64 = match unit.unwrap_or(usual) {
        "b" | "bytes" | "B" => 1,
        "KB" => 1_000,
        "k" | "K" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        "TB" => 1_000_000_000_000,
        "T" | "TiB" => 1 << 40,
        "P" | "PiB" => 1 << 50,
        "E" | "EiB" => 1 << 60,
        _ => return None,
    };
    number.checked_mul(factor)
}
