//! The shape of the estate behind the exports.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{
    BusSharing, Collection, DiskMode, DiskSharing, Estate, Observed, PowerState, RawMapping,
    ToolsStatus, Workload, WorkloadKind,
};
use entente_twins::{EstateSpec, generate, overlay_csv};

fn demonstration() -> Collection {
    generate(&EstateSpec::default()).remove(0)
}

/// What a machine has that others do not: a rough, independent measure of how hard it is to move.
fn difficulty(workload: &Workload) -> u32 {
    let disks = &workload.disks.items;
    let count = |hard: &dyn Fn(&&entente_model::Disk) -> bool| disks.iter().filter(hard).count();
    let some = |fact: &Observed<bool>| u32::from(fact == &Observed::Value(true));
    let hardware = workload.firmware.hardware_version.copied().unwrap_or(20);
    let mut sum = 3 * count(&|it| it.sharing == Observed::Value(DiskSharing::MultiWriter)) as u32;
    sum += 3 * count(&|it| it.raw_mapping != Observed::Absent) as u32;
    sum += count(&|it| it.mode != Observed::Value(DiskMode::Persistent)) as u32;
    sum += 2 * workload.availability.cluster_rules.items.len() as u32;
    sum += workload.snapshots.items.len() as u32;
    sum += 3 * workload.devices.usb.items.len() as u32;
    sum += 3 * u32::from(workload.availability.fault_tolerance != Observed::Absent);
    sum += 2 * u32::from(workload.placement.vapp != Observed::Absent);
    sum += 2 * some(&workload.memory.reservation_locked_to_max);
    sum += some(&workload.availability.consolidation_needed);
    sum += 2 * u32::from(hardware < 10);
    sum += u32::from(workload.cpu.count.copied().unwrap_or(0) > 32);
    sum + u32::from(workload.guest.tools.status == Observed::Value(ToolsStatus::NotInstalled))
}

#[test]
fn the_hardest_fifth_holds_well_over_half_of_the_difficulty() {
    let mut scores: Vec<u32> = demonstration().workloads.iter().map(difficulty).collect();
    scores.sort_unstable_by(|a, b| b.cmp(a));
    let all: u32 = scores.iter().sum();
    let hardest: u32 = scores.iter().take(scores.len() / 5).sum();
    assert!(hardest * 100 > all * 70, "{hardest} of {all}");
    let easy = scores.iter().filter(|score| **score == 0).count();
    assert!(easy * 100 > scores.len() * 60, "{easy} of {} have none", scores.len());
}

#[test]
fn everything_that_makes_estates_hard_is_there() {
    let estate = demonstration();
    let some = |what: &str, of: &dyn Fn(&Workload) -> bool| {
        assert!(estate.workloads.iter().any(of), "no machine has {what}");
    };
    some("a physical raw device on a shared bus", &|it| {
        it.disks.iter().any(|disk| {
            disk.raw_mapping == Observed::Value(RawMapping::Physical)
                && disk.bus_sharing == Observed::Value(BusSharing::Physical)
        })
    });
    some("a virtual raw device", &|it| {
        it.disks.iter().any(|disk| disk.raw_mapping == Observed::Value(RawMapping::Virtual))
    });
    some("no capacity", &|it| {
        it.disks.iter().any(|disk| disk.capacity_bytes == Observed::Value(0))
    });
    some("62 TiB", &|it| {
        it.disks.iter().any(|disk| disk.capacity_bytes.copied() == Some(62 << 40))
    });
    some("6 TiB of memory and 128 processors", &|it| {
        it.memory.size_bytes.copied() == Some(6 << 40) && it.cpu.count.copied() == Some(128)
    });
    some("deep snapshots", &|it| it.snapshots.items.len() > 5);
    some("a dongle", &|it| !it.devices.usb.items.is_empty());
    some("fault tolerance", &|it| {
        it.availability.fault_tolerance == Observed::Value("running".into())
    });
    some("virtual hardware 4", &|it| it.firmware.hardware_version.copied() == Some(4));
    some("secure boot", &|it| it.firmware.secure_boot.copied() == Some(true));
    some("high latency sensitivity", &|it| {
        it.availability.latency_sensitivity == Observed::Value("high".into())
    });
    some("an old adapter", &|it| {
        it.nics.iter().any(|nic| nic.adapter == Observed::Value("E1000".into()))
    });
    some("DirectPath", &|it| it.nics.iter().any(|nic| nic.direct_path.copied() == Some(true)));
    some("suspended", &|it| it.power == Observed::Value(PowerState::Suspended));
    some("a connected image", &|it| {
        it.devices.cdroms.iter().any(|drive| drive.connected.copied() == Some(true))
    });
    for kind in [
        WorkloadKind::Machine,
        WorkloadKind::Template,
        WorkloadKind::RecoveryPlaceholder,
        WorkloadKind::SystemAgent,
    ] {
        some(kind.as_str(), &|it| it.kind == kind);
    }
}

#[test]
fn clusters_of_machines_share_disks_and_nobody_else_does() {
    let estate = Estate::from_collections(vec![demonstration()]);
    let index = estate.index();
    let mut shared = 0;
    for workload in &estate.workloads {
        for disk in &workload.disks {
            let (Observed::Value(datastore), Observed::Value(path)) = (&disk.datastore, &disk.path)
            else {
                panic!("a disk of {} has no place", workload.name)
            };
            let users = index.disk_users(datastore, path);
            let is_cluster = disk.sharing == Observed::Value(DiskSharing::MultiWriter)
                || disk.bus_sharing == Observed::Value(BusSharing::Physical);
            assert!(users == 1 || is_cluster, "{path} has {users} users");
            shared += u32::from(users > 1);
        }
    }
    assert!(shared > 20);
}

#[test]
fn everything_that_is_mentioned_is_described() {
    let estate = Estate::from_collections(generate(&EstateSpec {
        workloads: 3_000,
        vcenters: 2,
        ..EstateSpec::default()
    }));
    let index = estate.index();
    let mut ids = BTreeSet::new();
    for workload in &estate.workloads {
        assert!(ids.insert(&workload.id), "{} is there twice", workload.id);
        assert!(index.host(workload.placement.host.value().unwrap()).is_some());
        if let Observed::Value(cluster) = &workload.placement.cluster {
            assert!(index.cluster(cluster).is_some());
        }
        for disk in &workload.disks {
            assert!(index.datastore(disk.datastore.value().unwrap()).is_some());
        }
        for nic in &workload.nics {
            assert!(index.network(nic.network.value().unwrap()).is_some());
        }
    }
    for datastore in &estate.datastores {
        assert!(datastore.free_bytes.copied() < datastore.capacity_bytes.copied());
    }
    assert_eq!(estate.platforms.len(), 2);
    assert_eq!(estate.products.len(), 2);
}

#[test]
fn names_repeat_and_leave_ascii() {
    let estate = demonstration();
    let mut names: BTreeMap<&str, u32> = BTreeMap::new();
    for workload in &estate.workloads {
        *names.entry(workload.name.as_str()).or_default() += 1;
    }
    assert!(names.values().any(|count| *count > 1));
    assert!(names.keys().any(|name| !name.is_ascii()));
    assert!(names.keys().any(|name| name.len() > 75));
}

#[test]
fn another_seed_gives_another_estate_and_the_same_seed_the_same() {
    let of = |seed| generate(&EstateSpec { seed, workloads: 50, ..EstateSpec::default() });
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn the_cmdb_extract_covers_nine_of_ten_machines_and_a_few_that_are_gone() {
    let estates = vec![demonstration()];
    let text = overlay_csv(&estates);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(header[..4], ["name", "dns_name", "ip", "application"]);
    let names: Vec<String> = reader.records().map(|it| it.unwrap()[0].to_owned()).collect();
    let machines = estates[0].workloads.iter().filter(|it| it.kind == WorkloadKind::Machine);
    let machines: Vec<&str> = machines.map(|it| it.name.as_str()).collect();
    let known = names.iter().filter(|name| machines.contains(&name.as_str())).count();
    assert!((85..95).contains(&(known * 100 / machines.len())));
    assert!(names.len() > known);
}
