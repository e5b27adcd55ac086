//! One made-up workload.

use std::collections::BTreeMap;

use entente_app::document::{TargetReadiness, Verdict, WorkloadComplexity, WorkloadReport};
use entente_model::{IdentityBasis, Observed, PowerState, Why, WorkloadKind};

use super::{TARGETS, gap, scatter, seen, text};

pub const SYSTEMS: [(&str, &str); 8] = [
    ("Microsoft Windows Server 2019 (64-bit)", "Windows Server 2019"),
    ("Red Hat Enterprise Linux 8 (64-bit)", "Red Hat Enterprise Linux 8"),
    ("Ubuntu Linux (64-bit)", ""),
    ("Microsoft Windows Server 2012 (64-bit)", "Windows Server 2012 R2"),
    ("SUSE Linux Enterprise 12 (64-bit)", "SUSE Linux Enterprise 12"),
    ("Red Hat Enterprise Linux 7 (64-bit)", "Red Hat Enterprise Linux 7"),
    ("Other 3.x or later Linux (64-bit)", ""),
    ("Oracle Solaris 11 (64-bit)", "Oracle Solaris 11"),
];

pub const CLUSTERS: [&str; 6] =
    ["PROD-A", "PROD-B", "PROD-SQL", "DMZ", "TEST", "EDGE with a rather long cluster name"];

const ROLES: [&str; 10] =
    ["web", "app", "sql", "file", "mail", "erp", "build", "proxy", "ldap", "batch"];

/// The `index`-th machine, template or agent.
pub fn workload(index: u64) -> WorkloadReport {
    let pick = |salt, below| scatter(index, salt, below);
    let kind = match pick(1, 60) {
        0 | 1 => WorkloadKind::Template,
        2 => WorkloadKind::SystemAgent,
        3 => WorkloadKind::RecoveryPlaceholder,
        _ => WorkloadKind::Machine,
    };
    let role = ROLES[pick(2, 10) as usize];
    let cluster = CLUSTERS[(pick(3, 12) as usize).min(5)];
    let (os, product) = SYSTEMS[(pick(4, 15) as usize).min(7)];
    let vcpus = [2, 2, 4, 4, 8, 16, 32][pick(5, 7) as usize];
    let capacity = 40 * 1024 * (1 + pick(6, 40) * pick(7, 6));
    let machine = kind == WorkloadKind::Machine;
    WorkloadReport {
        id: text(format!("8f0b6c1e-{:04}/vm-{}", index % 3, 1000 + index)),
        name: text(format!("{role}-{}{:05}", ["prd", "tst", "dev"][pick(8, 3) as usize], index)),
        platform: text("vcenter-a.example.net"),
        identity: if pick(9, 40) == 0 {
            IdentityBasis::Name
        } else {
            IdentityBasis::PlatformAndNativeId
        },
        kind,
        power: match pick(10, 20) {
            0 | 1 => Observed::Value(PowerState::Off),
            2 if pick(11, 8) == 0 => gap(Why::Unreadable),
            3 if pick(11, 6) == 0 => Observed::Value(PowerState::Suspended),
            _ => Observed::Value(PowerState::On),
        },
        datacenter: seen("Frankfurt"),
        cluster: if pick(12, 70) == 0 { Observed::Absent } else { seen(cluster) },
        host: seen(format!("esx-{:02}.example.net", pick(13, 48))),
        folder: seen(format!("/Frankfurt/vm/{role}")),
        os: seen(os),
        os_product: if product.is_empty() { gap(Why::Unreadable) } else { seen(product) },
        vcpus: Observed::Value(vcpus),
        memory_mib: if pick(14, 90) == 0 {
            gap(Why::Blank)
        } else {
            Observed::Value(u64::from(vcpus) * 4096)
        },
        disks: Observed::Value(1 + pick(15, 5) as u32),
        disk_capacity_mib: Observed::Value(capacity),
        storage_used_mib: if pick(16, 30) == 0 {
            gap(Why::NotInExport)
        } else {
            Observed::Value(capacity * 6 / 10)
        },
        nics: Observed::Value(1 + pick(17, 3) as u32),
        snapshots: Observed::Value(pick(18, 3) as u32),
        application: if pick(19, 3) == 0 {
            gap(Why::NotSupplied)
        } else {
            seen(format!("{role} platform"))
        },
        owner: if pick(19, 3) == 0 {
            gap(Why::NotSupplied)
        } else {
            seen(format!("team-{}", pick(2, 10)))
        },
        tier: gap(Why::NotSupplied),
        data_sensitivity: gap(Why::NotSupplied),
        environment: if pick(20, 2) == 0 { seen("production") } else { gap(Why::NotSupplied) },
        labels: BTreeMap::new(),
        attachments: attachments(index),
        complexity: machine.then(|| complexity(index)),
        readiness: if machine { readiness(index) } else { BTreeMap::new() },
    }
}

fn attachments(index: u64) -> BTreeMap<entente_model::Text, u32> {
    let kinds =
        ["backup-job", "drs-rule", "custom-attribute", "snapshot", "srm-group", "resource-pool"];
    let mut attachments = BTreeMap::new();
    for (salt, kind) in (40..).zip(kinds) {
        if scatter(index, salt, 3 + salt - 40) == 0 {
            attachments.insert(text(kind), 1 + scatter(index, salt + 50, 3) as u32);
        }
    }
    attachments
}

fn complexity(index: u64) -> WorkloadComplexity {
    let mut terms = BTreeMap::new();
    for (term, weight, rarity) in [
        ("attachments", 2, 2),
        ("raw-mappings", 20, 18),
        ("disk-size", 6, 7),
        ("devices", 12, 25),
        ("guest", 4, 4),
    ] {
        if scatter(index, weight, rarity) == 0 {
            terms.insert(text(term), weight as u32 * (1 + scatter(index, weight + 7, 4) as u32));
        }
    }
    WorkloadComplexity {
        score: terms.values().sum(),
        terms,
        migration_planner: [2, 2, 1, 3, 0, 2][scatter(index, 77, 6) as usize],
    }
}

fn readiness(index: u64) -> BTreeMap<entente_model::Text, TargetReadiness> {
    let readiness = |(at, (target, _)): (usize, &(&str, &str))| {
        let pick = |salt, below| scatter(index, salt + at as u64 * 3, below);
        let mut blockers = Vec::new();
        if scatter(index, 60, 14) == 0 {
            blockers.push(text("disk.raw-physical"));
        }
        if pick(61, 16) == 0 {
            blockers.push(text("guest.unsupported"));
        }
        let mut warnings = Vec::new();
        if pick(62, 4) == 0 {
            warnings.push(text("snapshot.old"));
        }
        if pick(63, 6) == 0 {
            warnings.push(text("hotplug.enabled"));
        }
        let missing = blockers.is_empty() && pick(64, 25) == 0;
        let as_seen = match (blockers.is_empty(), missing, warnings.is_empty()) {
            (false, _, _) => Verdict::Blocked,
            (_, true, _) => Verdict::Unknown,
            (_, _, false) => Verdict::Conditional,
            _ => Verdict::Ready,
        };
        let verdict = if as_seen == Verdict::Blocked { Verdict::Blocked } else { Verdict::Unknown };
        let readiness = TargetReadiness {
            verdict,
            as_seen,
            blockers,
            warnings,
            information: if pick(65, 3) == 0 {
                vec![text("network.static-address")]
            } else {
                Vec::new()
            },
            not_observed: if missing { vec![text("memory.size_bytes")] } else { Vec::new() },
        };
        (text(target), readiness)
    };
    TARGETS.iter().enumerate().map(readiness).collect()
}
