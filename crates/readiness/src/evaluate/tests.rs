//! The verdict rule case by case, and the laws that hold for every estate.

use std::sync::LazyLock;

use entente_model::{DiskMode, Estate, Listing, Observed, RawMapping, Why};
use proptest::prelude::*;

use super::*;
use crate::complexity::MachineFacts;
use crate::guests::Guests;
use crate::lifecycle::Lifecycles;
use crate::pool::{Pool, Pools};
use crate::sample::{AS_OF, GIB, any_estate, cluster_id, disk, estate, machine, snapshot, unknown};
use crate::verdict::VerdictCounts;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::builtin().unwrap());
static GUESTS: LazyLock<Guests> = LazyLock::new(|| Guests::builtin().unwrap());

/// Severities in a catalogue's file: `of_kvm`, and nothing on all other targets.
fn severities(of_kvm: &str) -> String {
    let of = |target: &str| match target {
        "kvm" => format!("kvm: {of_kvm}"),
        other => format!("{other}: not-applicable"),
    };
    CATALOGUE.targets().ids().map(of).collect::<Vec<_>>().join(", ")
}

/// A catalogue of one check for each line `id: severity on kvm: expression`.
fn catalogue(lines: &[&str]) -> Catalogue {
    let mut text = String::from("checks:\n");
    for check in CATALOGUE.checks() {
        text += &format!("  - {{ id: {}, disabled: true }}\n", check.id);
    }
    for line in lines {
        let mut parts = line.splitn(3, ": ");
        let (id, severity) = (parts.next().unwrap(), severities(parts.next().unwrap()));
        let expression = parts.next().unwrap();
        text += &format!(
            "  - {{ id: {id}, title: A, severity: {{ {severity} }}, remedy: B, \
             expression: '{expression}' }}\n"
        );
    }
    Catalogue::builtin().unwrap().with_overrides("checks.yaml", &text).unwrap()
}

fn all_targets(catalogue: &Catalogue) -> Vec<usize> {
    (0..catalogue.targets().len()).collect()
}

fn on_all_targets(estate: &Estate, catalogue: &Catalogue) -> Readiness {
    let index = estate.index();
    let names = GuestNames::new(estate, &GUESTS);
    evaluate(&index, catalogue, &names, &all_targets(catalogue), AS_OF)
}

/// What the checks say of one machine on `kvm`.
fn on_kvm(lines: &[&str], change: impl FnOnce(&mut Workload)) -> TargetReadiness {
    let mut workload = machine("vm");
    change(&mut workload);
    let catalogue = catalogue(lines);
    let estate = estate(vec![workload]);
    let names = GuestNames::new(&estate, &GUESTS);
    let kvm = catalogue.targets().position("kvm").unwrap();
    evaluate(&estate.index(), &catalogue, &names, &[kvm], AS_OF).target(0, 0).unwrap()
}

/// `verdict / as seen`.
fn verdicts(lines: &[&str], change: impl FnOnce(&mut Workload)) -> String {
    let readiness = on_kvm(lines, change);
    format!("{} / {}", readiness.verdict.as_str(), readiness.as_seen.as_str())
}

/// What `workload.vcpus > 2` and `workload.tpm` say: a machine has 4 and none.
const FIRES: &str = "workload.vcpus > 2";
const DOES_NOT: &str = "workload.vcpus > 9";
const UNANSWERED: &str = "workload.memory_mib > 9";
const BEYOND: &str = "workload.tpm";

fn with_gaps(workload: &mut Workload) {
    workload.memory.size_bytes = unknown();
    workload.devices.tpm = Observed::Unobserved(Why::SourceLimit);
}

#[test]
fn the_rule_case_by_case() {
    for (checks, expect) in [
        (&[][..], "ready / ready"),
        (&[("blocker", DOES_NOT), ("warning", DOES_NOT)], "ready / ready"),
        (&[("blocker", FIRES), ("blocker", UNANSWERED), ("warning", FIRES)], "blocked / blocked"),
        (&[("blocker", UNANSWERED), ("warning", FIRES)], "unknown / unknown"),
        (&[("blocker", BEYOND), ("warning", FIRES)], "unknown / conditional"),
        (&[("warning", FIRES), ("warning", UNANSWERED)], "conditional / conditional"),
        (&[("warning", UNANSWERED)], "unknown / unknown"),
        (&[("warning", BEYOND)], "unknown / ready"),
        (&[("information", FIRES), ("information", UNANSWERED)], "ready / ready"),
        (&[("not-applicable", FIRES), ("not-applicable", UNANSWERED)], "ready / ready"),
    ] {
        let lines: Vec<String> = checks
            .iter()
            .enumerate()
            .map(|(number, (severity, expression))| {
                format!("own-{number}: {severity}: {expression}")
            })
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(verdicts(&lines, with_gaps), expect, "{checks:?}");
    }
}

#[test]
fn a_check_that_misses_both_a_limit_and_something_else_could_have_been_answered() {
    let both = "own: blocker: workload.tpm || workload.memory_mib > 9";
    assert_eq!(verdicts(&[both], with_gaps), "unknown / unknown");
    assert_eq!(on_kvm(&[both], with_gaps).not_observed, ["workload.memory_mib"]);
}

#[test]
fn what_fired_and_what_was_not_observed_is_named() {
    let readiness = on_kvm(
        &[
            "own-a: blocker: workload.vcpus > 2",
            "own-b: warning: workload.vcpus > 3",
            "own-c: information: workload.vcpus > 1",
            "own-d: blocker: workload.memory_mib > 9",
            "own-e: warning: workload.memory_mib > 99",
            "own-f: information: workload.memory_active_mib > 9",
            "own-g: blocker: workload.tpm",
        ],
        |it| {
            with_gaps(it);
            it.samples.memory_active_bytes = unknown();
        },
    );
    assert_eq!(readiness.blockers, ["own-a"]);
    assert_eq!(readiness.warnings, ["own-b"]);
    assert_eq!(readiness.information, ["own-c"]);
    assert_eq!(readiness.not_observed, ["workload.memory_mib"]);
}

#[test]
fn a_check_that_reads_the_target_is_asked_for_each() {
    let everywhere = severities("blocker").replace("not-applicable", "blocker");
    let text = format!(
        "checks:\n  - {{ id: own, title: A, remedy: B, severity: {{ {everywhere} }}, \
         expression: 'target.id == \"kvm\"' }}"
    );
    let catalogue = Catalogue::builtin().unwrap().with_overrides("own.yaml", &text).unwrap();
    let estate = estate(vec![machine("vm")]);
    let by_target = on_all_targets(&estate, &catalogue).by_target(0);
    let blocked: Vec<&str> = by_target
        .iter()
        .filter(|(_, it)| it.blockers.iter().any(|id| id == "own"))
        .map(|(target, _)| target.as_str())
        .collect();
    assert_eq!(blocked, ["kvm"]);
}

#[test]
fn only_machines_have_verdicts_and_only_on_the_chosen_targets() {
    let mut template = machine("a-template");
    template.kind = WorkloadKind::Template;
    let estate = estate(vec![template, machine("vm")]);
    let names = GuestNames::new(&estate, &GUESTS);
    let readiness = evaluate(&estate.index(), &CATALOGUE, &names, &[2, 99], AS_OF);
    assert_eq!(readiness.targets.len(), 1, "there is no target at position 99");
    assert_eq!(readiness.cells(0), []);
    assert_eq!(readiness.target(0, 0), None);
    assert_eq!(readiness.by_target(1).keys().collect::<Vec<_>>(), ["kvm"]);
    assert_eq!(readiness.counts()[0].verdicts.total(), 1);
}

#[test]
fn checks_and_groups_are_counted() {
    let mut blocked = machine("blocked");
    blocked.cpu.count = Observed::Value(64);
    let mut vague = machine("vague");
    vague.cpu.count = unknown();
    vague.placement.cluster = Observed::Absent;
    let mut blind = machine("blind");
    blind.devices.tpm = Observed::Unobserved(Why::SourceLimit);
    let estate = estate(vec![blocked, vague, blind]);
    let catalogue = catalogue(&[
        "own-quiet: blocker: workload.vcpus > 999 && workload.tpm",
        "own-tpm: warning: workload.tpm",
        "own-vcpus: blocker: workload.vcpus > 32",
    ]);
    let readiness = on_all_targets(&estate, &catalogue);
    let kvm = readiness.targets.iter().position(|it| it.id == "kvm").unwrap();
    let lines: Vec<String> = readiness
        .check_totals()
        .iter()
        .map(|it| {
            format!("{} {} {} {:?}", it.id, it.fired[kvm], it.unanswered[kvm], it.beyond_source)
        })
        .collect();
    assert_eq!(lines, ["own-vcpus 1 1 []", r#"own-tpm 0 0 ["workload.tpm"]"#]);

    let index = estate.index();
    let pools = Pools::new(&index);
    let counts = readiness.counts_by(|at| Some(pools.of_workload(estate.workloads.get(at)?)));
    let in_cluster = counts[&Pool::Cluster(cluster_id("prod"))][kvm];
    assert_eq!(
        in_cluster.verdicts,
        VerdictCounts { ready: 0, conditional: 0, blocked: 1, unknown: 1 }
    );
    assert_eq!(
        in_cluster.as_seen,
        VerdictCounts { ready: 1, conditional: 0, blocked: 1, unknown: 0 }
    );
    assert_eq!(counts.len(), 2);
}

#[test]
fn complexity_takes_the_easiest_target_and_the_guest() {
    let mut workload = machine("vm");
    workload.disks.items[0].raw_mapping = Observed::Value(RawMapping::Physical);
    workload.guest.os_reported = Observed::Value("Microsoft Windows Server 2003 (32-bit)".into());
    let estate = estate(vec![workload]);
    let index = estate.index();
    let names = GuestNames::new(&estate, &GUESTS);
    let readiness = on_all_targets(&estate, &CATALOGUE);
    let lifecycles = Lifecycles::builtin().unwrap();
    let facts = machine_facts(&index, &readiness, &names, &lifecycles, AS_OF)(0);
    let by_target = readiness.by_target(0);
    let points = |it: &TargetReadiness| it.blockers.len() * 5 + it.warnings.len();
    let fewest = by_target.values().map(points).min().unwrap();
    assert_eq!((facts.blockers * 5 + facts.warnings) as usize, fewest);
    assert!(points(&by_target["ahv"]) > fewest, "a physical raw mapping blocks there");
    assert!(facts.guest_support_ended, "Windows Server 2003 is long out of support");
    assert!(!facts.guest_unrecognised);
    assert_eq!(
        machine_facts(&index, &readiness, &names, &lifecycles, AS_OF)(7),
        MachineFacts::default()
    );
}

/// Ways to know less about a machine. Names of guest systems are not among them: what the tools report
/// stands in for what is configured, so knowing less there is knowing something else.
const LOSSES: [fn(&mut Workload); 22] = [
    |it| it.cpu.count = unknown(),
    |it| it.memory.size_bytes = unknown(),
    |it| it.cpu.hot_add = Observed::Unobserved(Why::SourceLimit),
    |it| it.memory.hot_add = unknown(),
    |it| it.cpu.affinity = Observed::Unobserved(Why::SourceLimit),
    |it| it.power = unknown(),
    |it| it.firmware.kind = unknown(),
    |it| it.firmware.secure_boot = unknown(),
    |it| it.firmware.hardware_version = unknown(),
    |it| it.devices.tpm = Observed::Unobserved(Why::SourceLimit),
    |it| it.devices.encrypted = Observed::Unobserved(Why::SourceLimit),
    |it| it.devices.pci_passthrough = Listing::unobserved(Why::SourceLimit),
    |it| it.devices.usb = Listing::unobserved(Why::NotInExport),
    |it| it.disks = Listing::unobserved(Why::NotInExport),
    |it| {
        it.disks.items.pop();
        it.disks = Listing::incomplete(std::mem::take(&mut it.disks.items), Why::Unreadable);
    },
    |it| {
        for disk in &mut it.disks.items {
            disk.mode = unknown();
            disk.raw_mapping = unknown();
        }
    },
    |it| it.nics = Listing::unobserved(Why::NotInExport),
    |it| it.snapshots = Listing::unobserved(Why::NotInExport),
    |it| it.availability.cluster_rules = Listing::unobserved(Why::NotInExport),
    |it| it.availability.fault_tolerance = unknown(),
    |it| it.availability.consolidation_needed = unknown(),
    |it| it.guest.tools.status = unknown(),
];

/// Machines about which everything is known, some of them hard.
fn any_known() -> impl Strategy<Value = Workload> {
    let changes: [fn(&mut Workload); 8] = [
        |it| it.disks.items[0].raw_mapping = Observed::Value(RawMapping::Physical),
        |it| it.disks.items.push(disk("Hard disk 2")),
        |it| it.disks.items[0].mode = Observed::Value(DiskMode::IndependentPersistent),
        |it| it.snapshots.items.push(snapshot("old")),
        |it| it.cpu.count = Observed::Value(500),
        |it| it.memory.size_bytes = Observed::Value(7000 * GIB),
        |it| it.devices.tpm = Observed::Value(true),
        |it| it.availability.cluster_rules.items.push("apart".into()),
    ];
    proptest::bits::u32::masked(0xff).prop_map(move |chosen| {
        let mut workload = machine("vm");
        for (bit, change) in changes.iter().enumerate() {
            if chosen >> bit & 1 == 1 {
                change(&mut workload);
            }
        }
        workload
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_says_what_the_slow_twin_says(estate in any_estate()) {
        let index = estate.index();
        let readiness = on_all_targets(&estate, &CATALOGUE);
        for (position, workload) in estate.workloads.iter().enumerate() {
            for (column, target) in CATALOGUE.targets().iter().enumerate() {
                let expect = (workload.kind == WorkloadKind::Machine).then(|| {
                    let pair = (workload, target);
                    reference::readiness(&index, &CATALOGUE, &GUESTS, pair, AS_OF)
                });
                prop_assert_eq!(readiness.target(position, column), expect);
            }
        }
    }

    #[test]
    fn seeing_only_what_the_source_can_tell_settles_more_and_contradicts_nothing(
        estate in any_estate()
    ) {
        let readiness = on_all_targets(&estate, &CATALOGUE);
        for cell in &readiness.cells {
            match cell.verdict {
                Verdict::Unknown => prop_assert_ne!(cell.as_seen, Verdict::Blocked),
                settled => prop_assert_eq!(cell.as_seen, settled),
            }
        }
    }

    #[test]
    fn a_settled_verdict_outlives_more_knowledge(
        known in any_known(),
        losses in proptest::bits::u32::masked((1 << LOSSES.len()) - 1),
    ) {
        let mut vague = known.clone();
        for (bit, lose) in LOSSES.iter().enumerate() {
            if losses >> bit & 1 == 1 {
                lose(&mut vague);
            }
        }
        let of = |workload: Workload| {
            on_all_targets(&estate(vec![workload]), &CATALOGUE).by_target(0)
        };
        let (before, after) = (of(vague), of(known));
        for (target, before) in &before {
            let after = &after[target];
            if before.verdict != Verdict::Unknown {
                prop_assert_eq!(before.verdict, after.verdict, "on {}", target);
            }
            // What fired keeps firing; so ready can only turn into blocked by a check that fires, and
            // only if it was not ready but merely unknown.
            for (before, after) in
                [(&before.blockers, &after.blockers), (&before.warnings, &after.warnings)]
            {
                prop_assert!(before.iter().all(|id| after.contains(id)));
            }
        }
    }

    #[test]
    fn counts_add_up(estate in any_estate()) {
        let index = estate.index();
        let pools = Pools::new(&index);
        let readiness = on_all_targets(&estate, &CATALOGUE);
        let machines = readiness.machines.len() as u64;
        let whole = readiness.counts();
        let groups = readiness.counts_by(|at| Some(pools.of_workload(estate.workloads.get(at)?)));
        for (column, whole) in whole.iter().enumerate() {
            prop_assert_eq!(whole.verdicts.total(), machines);
            prop_assert_eq!(whole.as_seen.total(), machines);
            for verdict in Verdict::ALL {
                let sum: u64 = groups.values().map(|it| it[column].verdicts.of(verdict)).sum();
                prop_assert_eq!(sum, whole.verdicts.of(verdict));
            }
            let of_machines = |pick: fn(&TargetReadiness) -> usize| -> u64 {
                let targets = (0..estate.workloads.len()).filter_map(|at| readiness.target(at, column));
                targets.map(|it| pick(&it) as u64).sum()
            };
            let fired_in_cells =
                of_machines(|it| it.blockers.len() + it.warnings.len() + it.information.len());
            let fired: u64 = readiness.check_totals().iter().map(|it| it.fired[column]).sum();
            prop_assert_eq!(fired, fired_in_cells);
        }
    }
}
