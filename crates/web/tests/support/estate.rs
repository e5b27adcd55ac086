//! A made-up assessment: workloads, and everything else counted from them where pages compare.

use std::collections::BTreeMap;

use entente_app::document::*;
use entente_model::{
    Finding, Gap, GapCause, Observed, Place, PowerState, Severity, SourceLimit, Tally, Text, Why,
    WorkloadKind,
};

use super::workload::{CLUSTERS, SYSTEMS, workload};
use super::{TARGETS, gap, seen, text};

/// An assessment of `count` workloads.
pub fn assessment(count: u64) -> Assessment {
    let workloads: Vec<WorkloadReport> = (0..count).map(workload).collect();
    let machines: Vec<&WorkloadReport> =
        workloads.iter().filter(|it| it.kind == WorkloadKind::Machine).collect();
    let gaps = gaps();
    Assessment {
        schema: text(SCHEMA),
        entente_version: text("0.1.0"),
        as_of: text("2026-11-22"),
        masked: false,
        sources: vec![source(count)],
        summary: summary(&workloads, &machines, &gaps),
        readiness: readiness(&machines),
        attachments: attachments(&machines),
        complexity: complexity(&machines),
        clusters: CLUSTERS.iter().map(|name| cluster(name, &machines)).collect(),
        licensing: licensing(),
        support: support(machines.len() as u64),
        hygiene: hygiene(&machines),
        shape: shape(&machines),
        applications: applications(&machines),
        findings: findings(),
        gaps,
        workloads,
    }
}

fn source(count: u64) -> SourceReport {
    let limit = |attribute: &str, message: &str| SourceLimit {
        attribute: text(attribute),
        why: Why::SourceLimit,
        message: text(message),
    };
    let tally = |rows, mapped| Tally { rows, mapped, cells: rows * 41 };
    SourceReport {
        id: text("export-a"),
        connector: text("rvtools"),
        location: text("RVTools_export_all_2026-11-20.xlsx"),
        version: Some(text("4.7.1.4")),
        taken: Some(text("2026-11-20T06:12:00")),
        limits: vec![
            limit(
                "devices.passthrough",
                "The export has no column for passthrough devices; the live API tells.",
            ),
            limit("devices.vtpm", "The export does not show virtual TPMs; the live API tells."),
            limit(
                "encryption",
                "The export does not show encryption of machines; the live API tells.",
            ),
        ],
        sections: BTreeMap::from([
            (text("vInfo"), tally(count, count)),
            (text("vDisk"), tally(count * 3 + 2, count * 3)),
            (text("vHost"), tally(48, 48)),
            (text("vHealth"), tally(310, 0)),
        ]),
    }
}

fn quantity(facts: impl Iterator<Item = Option<u64>>) -> Quantity {
    facts.fold(Quantity::default(), |sum, fact| match fact {
        Some(value) => Quantity { known: sum.known + value, ..sum },
        None => Quantity { unknown: sum.unknown + 1, ..sum },
    })
}

fn demand(machines: &[&WorkloadReport]) -> Demand {
    let sum =
        |fact: fn(&WorkloadReport) -> Option<u64>| quantity(machines.iter().map(|it| fact(it)));
    Demand {
        machines: machines.len() as u64,
        vcpus: sum(|it| it.vcpus.copied().map(u64::from)),
        memory_mib: sum(|it| it.memory_mib.copied()),
        disk_capacity_mib: sum(|it| it.disk_capacity_mib.copied()),
        storage_used_mib: sum(|it| it.storage_used_mib.copied()),
    }
}

fn summary(workloads: &[WorkloadReport], machines: &[&WorkloadReport], gaps: &[Gap]) -> Summary {
    let kind = |kind| workloads.iter().filter(|it| it.kind == kind).count() as u64;
    let power = |power| machines.iter().filter(|it| it.power == power).count() as u64;
    let demand = demand(machines);
    Summary {
        workloads: workloads.len() as u64,
        machines: machines.len() as u64,
        templates: kind(WorkloadKind::Template),
        recovery_placeholders: kind(WorkloadKind::RecoveryPlaceholder),
        system_agents: kind(WorkloadKind::SystemAgent),
        machines_on: power(Observed::Value(PowerState::On)),
        machines_off: power(Observed::Value(PowerState::Off)),
        machines_suspended: power(Observed::Value(PowerState::Suspended)),
        machines_power_unknown: power(gap(Why::Unreadable)),
        platforms: 1,
        clusters: CLUSTERS.len() as u64,
        hosts: 48,
        datastores: 31,
        networks: 64,
        applications: 10,
        vcpus: demand.vcpus,
        memory_mib: demand.memory_mib,
        disk_capacity_mib: demand.disk_capacity_mib,
        storage_used_mib: demand.storage_used_mib,
        licensable_cores: Quantity { known: 2_304, unknown: 2 },
        hardest_fifth_basis_points: complexity(machines).hardest_fifth_basis_points,
        gaps: gaps.iter().map(|gap| gap.count).sum(),
        findings: 3,
    }
}

fn counts(machines: &[&WorkloadReport], target: &str) -> (VerdictCounts, VerdictCounts) {
    let (mut strict, mut seen) = (VerdictCounts::default(), VerdictCounts::default());
    for readiness in machines.iter().filter_map(|it| it.readiness.get(target)) {
        strict.add(readiness.verdict);
        seen.add(readiness.as_seen);
    }
    (strict, seen)
}

fn readiness(machines: &[&WorkloadReport]) -> ReadinessReport {
    let targets = TARGETS.iter().map(|(id, label)| {
        let (verdicts, as_seen) = counts(machines, id);
        TargetReport { id: text(id), label: text(label), verdicts, as_seen }
    });
    let checks = [
        (
            "disk.raw-physical",
            "Raw disk in physical mode",
            "Convert it to a virtual disk, or move the data inside the guest.",
            CheckSeverity::Blocker,
            "",
        ),
        (
            "guest.unsupported",
            "Guest operating system not supported on the target",
            "Upgrade the guest, or keep it where it is.",
            CheckSeverity::Blocker,
            "",
        ),
        (
            "devices.passthrough",
            "Host device passed through",
            "Plan an equivalent device on the target, or replace it.",
            CheckSeverity::Blocker,
            "devices.passthrough",
        ),
        (
            "devices.vtpm",
            "Virtual TPM",
            "Export its keys before the move.",
            CheckSeverity::Warning,
            "devices.vtpm",
        ),
        (
            "snapshot.old",
            "Snapshot older than 30 days",
            "Merge or delete it before the move.",
            CheckSeverity::Warning,
            "",
        ),
        (
            "hotplug.enabled",
            "Processors or memory can be added while it runs",
            "Check that the target can, or plan a restart.",
            CheckSeverity::Warning,
            "",
        ),
        (
            "network.static-address",
            "Static address",
            "Keep the network segment, or plan new addresses.",
            CheckSeverity::Information,
            "",
        ),
    ];
    ReadinessReport {
        catalogue_version: text("1"),
        targets: targets.collect(),
        checks: checks.into_iter().map(|it| check(it, machines)).collect(),
    }
}

fn check(
    (id, title, remedy, severity, beyond): (&str, &str, &str, CheckSeverity, &str),
    machines: &[&WorkloadReport],
) -> CheckReport {
    let fired = TARGETS.iter().map(|(target, _)| {
        let has = |it: &&&WorkloadReport| {
            let readiness = &it.readiness[*target];
            let lists = [&readiness.blockers, &readiness.warnings, &readiness.information];
            lists.iter().any(|list| list.iter().any(|check| check == id))
        };
        (text(target), machines.iter().filter(has).count() as u64)
    });
    let kubevirt_ignores = id == "hotplug.enabled";
    CheckReport {
        id: text(id),
        title: text(title),
        remedy: text(remedy),
        severity: TARGETS
            .iter()
            .map(|(target, _)| {
                let ignored = kubevirt_ignores && *target == "kubevirt";
                (text(target), if ignored { CheckSeverity::NotApplicable } else { severity })
            })
            .collect(),
        fired: fired.collect(),
        unanswered: if id == "guest.unsupported" {
            TARGETS.iter().map(|(target, _)| (text(target), 12)).collect()
        } else {
            BTreeMap::new()
        },
        beyond_source: if beyond.is_empty() { Vec::new() } else { vec![text(beyond)] },
    }
}

fn attachments(machines: &[&WorkloadReport]) -> Vec<AttachmentReport> {
    [
        ("backup-job", "Backup job"),
        ("drs-rule", "DRS rule"),
        ("custom-attribute", "Custom attribute that automation may read"),
        ("snapshot", "VM snapshot"),
        ("srm-group", "SRM protection group"),
        ("resource-pool", "Resource pool"),
    ]
    .into_iter()
    .map(|(kind, label)| AttachmentReport {
        not_observed: if kind == "srm-group" { 9 } else { 0 },
        kind: text(kind),
        label: text(label),
        workloads: machines.iter().filter(|it| it.attachments.contains_key(kind)).count() as u64,
        count: machines
            .iter()
            .filter_map(|it| it.attachments.get(kind))
            .map(|it| u64::from(*it))
            .sum(),
    })
    .collect()
}

fn complexity(machines: &[&WorkloadReport]) -> ComplexityReport {
    let mut scores: Vec<u64> =
        machines.iter().filter_map(|it| Some(u64::from(it.complexity.as_ref()?.score))).collect();
    scores.sort_unstable_by(|a, b| b.cmp(a));
    let total: u64 = scores.iter().sum();
    let share = |part: usize| {
        let count = scores.len() * part / 100;
        let held: u64 = scores.iter().take(count).sum();
        u32::try_from(held * 10_000 / total.max(1)).unwrap()
    };
    let terms = ["attachments", "raw-mappings", "disk-size", "devices", "guest"].map(|term| {
        let points: Vec<u64> = machines
            .iter()
            .filter_map(|it| it.complexity.as_ref()?.terms.get(term).map(|it| u64::from(*it)))
            .collect();
        ComplexityTerm {
            id: text(term),
            label: text(format!("Each of the {term} weighs some points")),
            points: points.iter().sum(),
            workloads: points.len() as u64,
        }
    });
    let mut planner = [0; 5];
    for machine in machines {
        planner[usize::from(machine.complexity.as_ref().unwrap().migration_planner)] += 1;
    }
    ComplexityReport {
        terms: terms.into(),
        total,
        hardest_fifth_basis_points: share(20),
        curve: (0..=100)
            .map(|part| CurvePoint {
                workloads_basis_points: part * 100,
                complexity_basis_points: share(part as usize),
            })
            .collect(),
        migration_planner: MigrationPlannerReport {
            explanation: text(
                "Looks at the guest operating system and the total disk capacity; not at attachments, devices or rules.",
            ),
            scores: planner,
        },
    }
}

fn cluster(name: &str, machines: &[&WorkloadReport]) -> ClusterReport {
    let here: Vec<&WorkloadReport> = machines
        .iter()
        .copied()
        .filter(|it| it.cluster.value().is_some_and(|it| it == name))
        .collect();
    let on: Vec<&WorkloadReport> =
        here.iter().copied().filter(|it| it.power == Observed::Value(PowerState::On)).collect();
    let hosts = 4 + here.len() as u64 / 40;
    let by_target = |strict: bool| {
        TARGETS
            .iter()
            .map(|(target, _)| {
                let (verdicts, as_seen) = counts(&here, target);
                (text(target), if strict { verdicts } else { as_seen })
            })
            .collect()
    };
    ClusterReport {
        id: text(format!("vcenter-a/{name}")),
        name: text(name),
        platform: text("vcenter-a.example.net"),
        hosts,
        cores: Quantity { known: hosts * 48, unknown: u64::from(name == "DMZ") * 2 },
        licensable_cores: Quantity { known: hosts * 48, unknown: u64::from(name == "DMZ") * 2 },
        memory_mib: Quantity { known: hosts * 768 * 1024, unknown: 0 },
        ha_enabled: Observed::Value(name != "TEST"),
        drs_enabled: if name == "DMZ" { gap(Why::Blank) } else { Observed::Value(true) },
        demand_on: demand(&on),
        demand_all: demand(&here),
        verdicts: by_target(true),
        as_seen: by_target(false),
    }
}

fn licensing() -> LicensingReport {
    LicensingReport {
        rule: text(
            "Every physical core counts, at least 16 for each processor (Broadcom KB 313548).",
        ),
        licensable_cores: Quantity { known: 2_304, unknown: 2 },
        added_by_minimum: 192,
        licences: vec![
            LicenceReport {
                platform: text("vcenter-a.example.net"),
                name: text("vSphere 8 Enterprise Plus"),
                unit: seen("CPU package"),
                total: Observed::Value(96),
                used: Observed::Value(92),
                expires: Observed::Absent,
            },
            LicenceReport {
                platform: text("vcenter-a.example.net"),
                name: text("vCenter Server 8 Standard"),
                unit: seen("server"),
                total: Observed::Absent,
                used: Observed::Value(1),
                expires: gap(Why::Blank),
            },
        ],
    }
}

fn support(machines: u64) -> Vec<SupportReport> {
    use SupportState::{Ended, Ending, Supported, Unknown};
    use SupportSubject::{Guest, Hypervisor, Management};
    [
        (Hypervisor, "VMware ESXi 7.0", 30, Ended, Some("2025-10-02")),
        (Hypervisor, "VMware ESXi 8.0", 18, Ending, Some("2027-10-11")),
        (Management, "VMware vCenter Server 8.0", 1, Ending, Some("2027-10-11")),
        (Guest, "Windows Server 2012 R2", machines / 14, Ended, Some("2018-10-09")),
        (Guest, "Windows Server 2019", machines / 14, Ended, Some("2024-01-09")),
        (Guest, "Red Hat Enterprise Linux 8", machines / 14, Supported, Some("2029-05-31")),
        (Guest, "Other or not recognised", machines / 2, Unknown, None),
    ]
    .into_iter()
    .map(|(subject, product, count, state, ends)| SupportReport {
        subject,
        product: text(product),
        count,
        state,
        general_support_ends: ends.map(text),
        extended_support_ends: None,
        source: text(if ends.is_some() {
            "vendor's lifecycle page, read 2026-11-22"
        } else {
            "no version was observed"
        }),
    })
    .collect()
}

fn hygiene(machines: &[&WorkloadReport]) -> HygieneReport {
    let entry = |rule: &str, evidence: &str, machine: &&&WorkloadReport| HygieneEntry {
        workload: machine.id.clone(),
        name: machine.name.clone(),
        rule: text(rule),
        evidence: text(evidence),
        vcpus: machine.vcpus.copied().unwrap_or(0).into(),
        memory_mib: machine.memory_mib.copied().unwrap_or(0),
        storage_mib: machine.storage_used_mib.copied().unwrap_or(0),
    };
    let off = machines.iter().filter(|it| it.power == Observed::Value(PowerState::Off));
    HygieneReport {
        zombies: off
            .take(40)
            .map(|it| entry("powered-off", "off since 2026-02-11 (284 days)", &it))
            .collect(),
        oversized: machines
            .iter()
            .take(8)
            .map(|it| entry("memory-idle", "2.1 GiB active of 16.0 GiB at one moment", &it))
            .collect(),
        limits: vec![text("Load was sampled at one moment only; peaks are not known.")],
    }
}

fn share(label: &str, count: u64, size: u64) -> Share {
    Share { label: text(label), count, size_mib: Quantity { known: size, unknown: 0 } }
}

fn shape(machines: &[&WorkloadReport]) -> ShapeReport {
    let all = machines.len() as u64;
    let part = |label: &str, tenths: u64| share(label, all * tenths / 10, 0);
    let mut systems: Vec<Share> = SYSTEMS
        .iter()
        .map(|(os, _)| {
            share(
                os,
                machines.iter().filter(|it| it.os.value().is_some_and(|it| it == os)).count()
                    as u64,
                0,
            )
        })
        .collect();
    systems.sort_by_key(|share| std::cmp::Reverse(share.count));
    ShapeReport {
        operating_systems: systems,
        families: vec![part("Windows", 5), part("Linux", 4), part("Unknown", 1)],
        datastores: vec![
            share("VMFS 6", 22, 410_000_000),
            share("NFS", 6, 38_000_000),
            share("vSAN", 3, 95_000_000),
        ],
        disk_tiers: vec![
            share("up to 100 GiB", all * 6 / 10, 9_000_000),
            share("100 GiB to 1 TiB", all * 3 / 10, 90_000_000),
            share("over 1 TiB", all / 10, 250_000_000),
        ],
        networks: vec![share("distributed switch", 52, 0), share("standard switch", 12, 0)],
        nic_tiers: vec![part("1", 7), part("2", 2), part("3 and more", 1)],
        cpu_tiers: vec![part("1–2", 4), part("3–4", 3), part("5–8", 2), part("over 8", 1)],
        memory_tiers: vec![part("up to 8 GiB", 4), part("8–32 GiB", 4), part("over 32 GiB", 2)],
    }
}

fn applications(machines: &[&WorkloadReport]) -> Vec<ApplicationReport> {
    let mut by_name: BTreeMap<Text, Vec<&WorkloadReport>> = BTreeMap::new();
    for machine in machines {
        if let Observed::Value(name) = &machine.application {
            by_name.entry(name.clone()).or_default().push(machine);
        }
    }
    by_name
        .into_iter()
        .map(|(name, machines)| {
            let mut terms: BTreeMap<Text, u64> = BTreeMap::new();
            for (term, points) in
                machines.iter().flat_map(|it| &it.complexity.as_ref().unwrap().terms)
            {
                *terms.entry(term.clone()).or_default() += u64::from(*points);
            }
            ApplicationReport {
                name,
                owner: machines[0].owner.clone(),
                machines: machines.len() as u64,
                complexity: terms.values().sum(),
                terms,
                as_seen: TARGETS
                    .iter()
                    .map(|(target, _)| (text(target), counts(&machines, target).1))
                    .collect(),
            }
        })
        .collect()
}

fn findings() -> Vec<Finding> {
    let finding = |severity, code: &str, subject: &str, message: &str, remedy: &str| Finding {
        severity,
        code: text(code),
        subject: text(subject),
        message: text(message),
        remedy: text(remedy),
    };
    vec![
        finding(
            Severity::Critical,
            "ENT-0201",
            "erp-prd00042",
            "A password stands in clear in the notes.",
            "Change it and remove it from the notes.",
        ),
        finding(
            Severity::Warning,
            "ENT-0210",
            "PROD-SQL",
            "30 hosts run a version out of general support.",
            "Plan the upgrade before the move.",
        ),
        finding(
            Severity::Information,
            "ENT-0220",
            "web-tst00007, web-tst00911",
            "Two machines share one BIOS UUID.",
            "Expect licence servers to confuse them.",
        ),
    ]
}

fn gaps() -> Vec<Gap> {
    let gap = |cause,
               section: &str,
               row,
               field: Option<&str>,
               message: &str,
               value: Option<&str>,
               count| Gap {
        cause,
        place: Place {
            file: text("RVTools_export_all_2026-11-20.xlsx"),
            section: Some(text(section)),
            row,
            field: field.map(text),
        },
        message: text(message),
        value: value.map(text),
        count,
    };
    vec![
        gap(
            GapCause::NotModelled,
            "vHealth",
            None,
            None,
            "tab is read and counted; the model has no place for it yet",
            None,
            310,
        ),
        gap(
            GapCause::UnreadableValue,
            "vInfo",
            Some(118),
            Some("Memory"),
            "not a number",
            Some("n/a"),
            13,
        ),
        gap(
            GapCause::DanglingReference,
            "vDisk",
            Some(4_002),
            Some("VM"),
            "names a VM that vInfo does not list",
            Some("old-db-01"),
            2,
        ),
        gap(
            GapCause::NoTimeZone,
            "vSnapshot",
            None,
            Some("Date / time"),
            "times carry no zone; kept as local",
            None,
            87,
        ),
    ]
}
