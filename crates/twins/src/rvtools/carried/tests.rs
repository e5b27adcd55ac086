//! What an export of a version can still tell of an estate.

use super::*;
use crate::{EstateSpec, generate};

fn estate() -> Collection {
    let spec = EstateSpec { workloads: 200, ..EstateSpec::default() };
    generate(&spec).remove(0)
}

#[test]
fn the_newest_version_carries_everything_but_what_sort_an_attribute_is() {
    let mut estate = estate();
    let carried = carried_by(&estate, Version::V4_7);
    // An export tells nothing of the control plane.
    estate.control = ControlPlane::default();
    for workload in &mut estate.workloads {
        workload.attributes.completeness = Completeness::Incomplete(Why::SourceLimit);
        for attribute in &mut workload.attributes.items {
            attribute.kind = Observed::Unobserved(Why::SourceLimit);
        }
    }
    assert_eq!(carried, estate);
}

#[test]
fn an_older_version_never_tells_more_than_a_newer_one() {
    let estate = estate();
    let unobserved = |version| {
        let carried = carried_by(&estate, version);
        carried.workloads.iter().map(|it| count_not_in_version(&format!("{it:?}"))).sum::<usize>()
    };
    let counts = Version::ALL.map(unobserved);
    assert!(counts.is_sorted_by(|older, newer| older >= newer), "{counts:?}");
    assert_eq!(counts.last(), Some(&0));
    assert!(counts[0] > 1_000);
}

fn count_not_in_version(text: &str) -> usize {
    text.matches("NotInVersion").count()
}

#[test]
fn the_uuid_of_old_versions_is_that_of_the_bios() {
    let estate = estate();
    let first = |version| carried_by(&estate, version).workloads.remove(0);
    let gap = Observed::Unobserved(Why::NotInVersion);
    let truth = &estate.workloads[0];
    assert_eq!(first(Version::V4_1).bios_uuid, truth.bios_uuid);
    assert_eq!(first(Version::V4_1).instance_uuid, gap);
    assert_eq!(first(Version::V4_3).bios_uuid, gap);
    assert_eq!(first(Version::V4_3).instance_uuid, truth.instance_uuid);
    assert_eq!(first(Version::V4_4).bios_uuid, truth.bios_uuid);
}

#[test]
fn without_a_uuid_the_platform_is_known_by_its_server_and_without_that_by_the_file() {
    let mut estate = estate();
    estate.platforms[0].uuid = Observed::Unobserved(Why::Blank);
    let carried = carried_by(&estate, Version::V4_7);
    assert_eq!(carried.platforms[0].id.as_str(), "vcenter-fra1.infra.example.com");
    assert!(carried.workloads[0].id.as_str().starts_with("vcenter-fra1.infra.example.com/vm-"));
    estate.source.location = "exports/march.xlsx".into();
    let carried = carried_by(&estate, Version::V3_8);
    assert_eq!(carried.platforms[0].id.as_str(), "march");
    assert_eq!(carried.workloads[0].identity, IdentityBasis::NativeId);
    let known: Vec<_> = carried.datastores.iter().map(|it| &it.id).collect();
    for disk in carried.workloads.iter().flat_map(|it| &it.disks.items) {
        assert!(known.contains(&disk.datastore.value().unwrap()));
    }
}
