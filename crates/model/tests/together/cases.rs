//! Cases that would mislead somebody, each in a few lines.

use entente_model::{
    CONFLICTS_OF_A_FACT_MAX, Completeness, Estate, Gap, GapCause, Listing, Moment, Observed, Place,
    PowerState, Why,
};
use time::PrimitiveDateTime;

use crate::told::{START, conflicts, export, log_in, named, value, world};

#[test]
fn an_export_that_agrees_fills_and_contradicts_nothing() {
    let mut seen = world(40);
    let told = named(seen.clone(), "00000000-vc-uuid");
    seen.workloads[3].annotation = Observed::Unobserved(Why::NoPermission);
    let estate = Estate::of(vec![export(told, 1), log_in(seen.clone(), 2)]);
    assert_eq!(conflicts(&estate), Vec::<&entente_model::Finding>::new());
    assert_eq!(estate.platforms.len(), 1);
    assert_eq!(estate.workloads.len(), 40);
    assert_eq!(estate.seen_by.len(), 40);
    assert_eq!(
        (estate.hosts.len(), estate.networks.len()),
        (seen.hosts.len(), seen.networks.len())
    );
    assert!(estate.workloads.iter().all(|it| it.annotation.is_observed()));
    assert!(estate.workloads.iter().all(|it| it.platform == seen.platforms[0].id));
    assert!(
        estate.workloads.iter().all(|it| it.source.as_str() == seen.workloads[0].source.as_str())
    );
}

#[test]
fn what_two_claim_of_one_time_is_a_conflict_and_what_time_changed_is_none() {
    let seen = world(20);
    let mut told = seen.clone();
    told.workloads[5].cpu.count = value(77);
    told.workloads[5].cpu.sockets = Observed::Unobserved(Why::Blank);
    told.workloads[6].power = Observed::Unobserved(Why::Blank);
    told.workloads[7].disks.items.reverse();
    told.workloads[8].nics.items.iter_mut().for_each(|it| {
        it.mac = it.mac.clone().map(|it| it.to_uppercase().into());
    });
    told.workloads[9].samples.cpu_used_mhz = value(1);
    let id = told.workloads[5].id.to_string();
    // The log-in's states hold since hour 0, up to its reading at hour 9.
    let estate = Estate::of(vec![log_in(seen.clone(), 9), export(told.clone(), 4)]);
    let found = conflicts(&estate);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].subject, id.as_str());
    let message = &found[0].message;
    for part in
        ["`cpu.count`", "`77`", "`log-in` (vsphere, 2026-03-01T15:00:00Z)", "the later reading"]
    {
        assert!(message.contains(part), "{part}: {message}");
    }
    let merged = estate.workloads.iter().find(|it| it.id.as_str() == id).unwrap();
    assert_eq!(merged.cpu, seen.workloads[5].cpu);
    // The export is of a time before anything is known of, or after the log-in's reading.
    for hour in [-1, 10] {
        let estate = Estate::of(vec![log_in(seen.clone(), 9), export(told.clone(), hour)]);
        assert!(conflicts(&estate).is_empty(), "{hour}");
        let merged = estate.workloads.iter().find(|it| it.id.as_str() == id).unwrap();
        let stands = if hour > 9 { value(77) } else { seen.workloads[5].cpu.count.clone() };
        assert_eq!(merged.cpu.count, stands);
        // Of processors that are arranged otherwise, nothing is filled in.
        if hour > 9 {
            assert_eq!(merged.cpu.sockets, Observed::Unobserved(Why::Blank));
        }
    }
}

#[test]
fn a_time_without_a_zone_proves_no_conflict_unless_all_zones_do() {
    let seen = world(8);
    let mut told = export(seen.clone(), 0);
    told.collection.workloads[2].power = value(PowerState::Suspended);
    let local = |hours: i64| {
        let at = START + time::Duration::hours(hours);
        Some(Moment::Local(PrimitiveDateTime::new(at.date(), at.time())))
    };
    for (hour, conflict) in [(10, 0), (15, 1), (30, 0)] {
        told.collection.source.taken = local(hour);
        let estate = Estate::of(vec![told.clone(), log_in(seen.clone(), 40)]);
        assert_eq!(conflicts(&estate).len(), conflict, "{hour}");
    }
    // That it was recorded before the log-in's reading bounds it, too.
    told.recorded = Some(START + time::Duration::hours(31));
    let estate = Estate::of(vec![told.clone(), log_in(seen.clone(), 40)]);
    assert_eq!(conflicts(&estate).len(), 1);
    // An export stands over a log-in only where it is certainly newer.
    told.recorded = None;
    for (hour, stands) in [(50, false), (55, true)] {
        told.collection.source.taken = local(hour);
        let estate = Estate::of(vec![told.clone(), log_in(seen.clone(), 40)]);
        let power = &estate.workloads[2].power;
        assert_eq!(*power == value(PowerState::Suspended), stands, "{hour}");
    }
}

#[test]
fn a_list_comes_whole_from_one_reading_and_stays_as_complete_as_it_is() {
    let mut seen = world(8);
    let told = seen.clone();
    let whole = told.workloads[1].disks.clone();
    seen.workloads[1].disks = Listing::incomplete(Vec::new(), Why::NoPermission);
    seen.workloads[2].nics =
        Listing::incomplete(vec![told.workloads[2].nics.items[0].clone()], Why::CallFailed);
    let mut blank = told.clone();
    blank.workloads[2].nics = Listing::unobserved(Why::Blank);
    let estate = Estate::of(vec![log_in(seen.clone(), 5), export(blank, 1)]);
    assert_eq!(estate.workloads[1].disks, whole);
    assert_eq!(estate.workloads[2].nics.completeness, Completeness::Incomplete(Why::CallFailed));
    assert_eq!(estate.workloads[2].nics.items.len(), 1);
}

#[test]
fn only_a_log_in_that_saw_all_ends_what_an_earlier_export_shows() {
    let told = world(12);
    let mut seen = told.clone();
    let gone = seen.workloads.remove(4).id;
    let count = |readings| {
        let estate = Estate::of(readings);
        (estate.workloads.len(), estate.workloads.iter().any(|it| it.id == gone))
    };
    assert_eq!(count(vec![export(told.clone(), 1), log_in(seen.clone(), 2)]), (11, false));
    assert_eq!(count(vec![export(told.clone(), 3), log_in(seen.clone(), 2)]), (12, true));
    let mut partial = seen.clone();
    partial.gaps.push(Gap {
        cause: GapCause::NoPermission,
        place: Place { section: Some("workloads".into()), ..Place::default() },
        message: "the account may not see all".into(),
        value: None,
        count: 1,
    });
    assert_eq!(count(vec![export(told.clone(), 1), log_in(partial, 2)]), (12, true));
    assert_eq!(count(vec![export(told.clone(), 1), export(seen, 2)]), (12, true));
}

#[test]
fn a_uuid_that_firmware_gives_to_many_joins_no_platforms() {
    let one = world(10);
    let mut other = named(one.clone(), "other");
    for workload in &mut other.workloads {
        workload.instance_uuid = Observed::Unobserved(Why::Blank);
        workload.bios_uuid = Observed::Unobserved(Why::Blank);
        workload.name = format!("{} elsewhere", workload.name).into();
    }
    let estate = Estate::of(vec![log_in(one.clone(), 1), export(other, 1)]);
    assert_eq!((estate.platforms.len(), estate.workloads.len()), (2, 20));
    assert!(estate.findings.iter().any(|it| it.code == "ENT-0210"));
    let mut twin = named(one.clone(), "twin");
    let mut same = one;
    for it in [&mut same, &mut twin] {
        it.platforms[0].uuid = value("03000200-0400-0500-0006-000700080009".into());
    }
    let estate = Estate::of(vec![log_in(same, 1), export(twin, 1)]);
    assert_eq!(estate.platforms.len(), 2);
}

#[test]
fn a_difference_everywhere_reads_as_a_few_sentences() {
    let seen = world(300);
    let mut told = seen.clone();
    told.workloads.iter_mut().for_each(|it| it.memory.size_bytes = value(1 << 50));
    let estate = Estate::of(vec![log_in(seen, 9), export(told, 4)]);
    let found = conflicts(&estate);
    assert_eq!(found.len(), CONFLICTS_OF_A_FACT_MAX + 1);
    let rest = found.iter().find(|it| it.subject == "workloads: memory.size_bytes").unwrap();
    assert!(rest.message.contains("290 more workloads"), "{}", rest.message);
}

#[test]
fn a_number_given_to_another_machine_mixes_no_two() {
    let seen = world(6);
    let mut told = seen.clone();
    let other = &mut told.workloads[2];
    other.instance_uuid = value("11111111-2222-3333-4444-555555555555".parse().unwrap());
    other.annotation = value("of another machine".into());
    let mut live = seen.clone();
    live.workloads[2].annotation = Observed::Unobserved(Why::Blank);
    let estate = Estate::of(vec![log_in(live, 9), export(told, 4)]);
    assert!(estate.workloads.iter().all(|it| it.annotation != value("of another machine".into())));
    assert_eq!(estate.workloads.len(), 6);
    assert!(conflicts(&estate).is_empty());
}
