//! The score of the migration-planner project on the same machines, for comparison.
//!
//! Re-expressed from its published rules as of commit `6aff4ab9` (kubev2v/migration-planner,
//! `pkg/estimations/complexity`): a score of the operating system's name, a score of the disk capacity,
//! and a table that joins them. Its oddities are kept, because a comparison with a corrected score
//! would be a comparison with nobody.

use std::collections::HashMap;

use entente_model::{Estate, Text, Workload, WorkloadKind};
use schemars::JsonSchema;
use serde::Serialize;

/// The score of the migration-planner project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MigrationPlannerReport {
    /// What its score looks at, and what it does not.
    pub explanation: Text,
    /// Machines by score 0 (unknown operating system) to 4.
    pub scores: [u64; 5],
}

/// What the score looks at, and what it does not.
pub const EXPLANATION: &str = "Looks at the operating system's name and the total disk capacity \
    alone: adapters, snapshots, raw and shared disks, dependencies, backup and network policy do not \
    count, a hard operating system on a small disk is lowered to 2, an unrecognised one gives 0, \
    capacity that was not observed counts as none, and 4 needs a database product in a guest system's \
    name, which the platform does not report.";

/// Name, versions, score. A name with no versions matches as it is; otherwise name and version follow
/// each other directly. All rows that match one text carry the same score.
const SYSTEMS: [(&str, &[&str], u8); 25] = [
    ("red hat enterprise linux ", &["6", "7", "8", "9", "10"], 1),
    ("red hat fedora", &[], 1),
    ("centos ", &["6", "7", "8", "9"], 1),
    ("oracle linux ", &["6", "7", "8", "9"], 1),
    ("rocky linux ", &["8", "9"], 1),
    ("red hat enterprise linux ", &["4", "5"], 2),
    ("centos ", &["4", "5"], 2),
    ("oracle linux ", &["4", "5"], 2),
    ("suse linux enterprise ", &["12", "15"], 2),
    ("microsoft windows server ", &["2016", "2019", "2022", "2025"], 2),
    ("microsoft windows ", &["10", "11"], 2),
    ("almalinux ", &["8", "9"], 3),
    ("suse linux enterprise ", &["8", "9", "10", "11"], 3),
    ("suse opensuse", &[], 3),
    ("ubuntu linux", &[], 3),
    ("debian gnu/linux ", &["5", "6", "7", "8", "9", "10", "11", "12"], 3),
    ("microsoft windows server ", &["2000", "2003", "2008", "2012"], 3),
    ("microsoft windows ", &["xp", "vista", "7", "8"], 3),
    ("oracle solaris ", &["10", "11"], 3),
    ("freebsd", &[], 3),
    ("vmware photon os", &[], 3),
    ("amazon linux 2", &[], 3),
    ("coreos linux", &[], 3),
    ("apple macos", &[], 3),
    ("microsoft sql", &[], 4),
];

/// TiB from which a disk score above 1 begins.
const DISK_TIERS_TIB: [(u64, u8); 3] = [(50, 4), (20, 3), (10, 2)];

/// Bytes in a TiB.
const TIB: u64 = 1 << 40;

/// The operating system's score, 0 to 4, by a part of its name in any case; 0 = no match.
pub fn operating_system_score(name: &str) -> u8 {
    let name = name.to_lowercase();
    let matches = |system: &str, versions: &[&str]| {
        name.match_indices(system).any(|(at, found)| {
            let rest = name.get(at + found.len()..).unwrap_or_default();
            versions.is_empty() || versions.iter().any(|version| rest.starts_with(version))
        })
    };
    SYSTEMS
        .iter()
        .find(|(system, versions, _)| matches(system, versions))
        .map_or(0, |(_, _, score)| *score)
}

/// The disks' score, 1 to 4, by their capacity together.
pub fn disk_score(capacity_bytes: u64) -> u8 {
    DISK_TIERS_TIB
        .iter()
        .find(|(tib, _)| capacity_bytes / TIB >= *tib)
        .map_or(1, |(_, score)| *score)
}

/// Both joined.
pub fn combined_score(operating_system: u8, disk: u8) -> u8 {
    match (operating_system, disk) {
        (0, _) => 0,
        (1, ..=2) => 1,
        (2 | 3, ..=2) => 2,
        (1..=3, _) => 3,
        _ => 4,
    }
}

/// The score of every machine, in the estate's order; `None` for what is no machine.
pub fn migration_planner_scores(estate: &Estate) -> Vec<Option<u8>> {
    let mut by_name: HashMap<&str, u8> = HashMap::new();
    estate
        .workloads
        .iter()
        .map(|workload| {
            if workload.kind != WorkloadKind::Machine {
                return None;
            }
            let system = workload.guest.os().value().map_or(0, |name| {
                *by_name.entry(name.as_str()).or_insert_with(|| operating_system_score(name))
            });
            Some(combined_score(system, disk_score(seen_capacity_bytes(workload))))
        })
        .collect()
}

/// The report over all machines.
pub fn migration_planner_report(scores: &[Option<u8>]) -> MigrationPlannerReport {
    let mut counts = [0; 5];
    for score in scores.iter().flatten() {
        if let Some(count) = counts.get_mut(usize::from(*score)) {
            *count += 1;
        }
    }
    MigrationPlannerReport { explanation: Text::new_static(EXPLANATION), scores: counts }
}

/// Capacity of the disks that were seen: the score takes a missing disk for none.
fn seen_capacity_bytes(workload: &Workload) -> u64 {
    let capacities = workload.disks.iter().filter_map(|disk| disk.capacity_bytes.copied());
    capacities.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_names_have_the_documented_scores() {
        for (name, score) in [
            ("Red Hat Enterprise Linux 6 (64-bit)", 1),
            ("Red Hat Enterprise Linux 7 (64-bit)", 1),
            ("Red Hat Enterprise Linux 10 (64-bit)", 1),
            ("Red Hat Fedora (32-bit)", 1),
            ("CentOS 9 (64-bit)", 1),
            ("Oracle Linux 8 (64-bit)", 1),
            ("Rocky Linux 9", 1),
            ("Red Hat Enterprise Linux 5 (64-bit)", 2),
            ("CentOS 5 (32-bit)", 2),
            ("SUSE Linux Enterprise 12 (64-bit)", 2),
            ("SUSE Linux Enterprise 15 (64-bit)", 2),
            ("Microsoft Windows Server 2016 (64-bit)", 2),
            ("microsoft windows server 2025 (64-bit)", 2),
            ("Microsoft Windows 11 (64-bit)", 2),
            ("AlmaLinux 8", 3),
            ("SUSE Linux Enterprise 11 (64-bit)", 3),
            ("SUSE openSUSE (64-bit)", 3),
            ("Ubuntu Linux (64-bit)", 3),
            ("Debian GNU/Linux 12 (64-bit)", 3),
            ("Microsoft Windows Server 2008 R2 (64-bit)", 3),
            ("Microsoft Windows XP Professional (32-bit)", 3),
            ("Microsoft Windows 8.x (64-bit)", 3),
            ("Oracle Solaris 11 (64-bit)", 3),
            ("FreeBSD 13 or later versions (64-bit)", 3),
            ("VMware Photon OS (64-bit)", 3),
            ("Amazon Linux 2 (64-bit)", 3),
            ("Apple macOS 12 (64-bit)", 3),
            ("Microsoft SQL Server on something", 4),
            ("Other 5.x Linux (64-bit)", 0),
            ("", 0),
        ] {
            assert_eq!(operating_system_score(name), score, "{name}");
        }
    }

    #[test]
    fn its_oddities_are_kept() {
        for (name, score, why) in [
            ("CentOS 4/5/6/7 (64-bit)", 2, "the first version in the label decides"),
            ("Oracle Linux 4/5/6/7 (64-bit)", 2, "the first version in the label decides"),
            ("Rocky Linux (64-bit)", 0, "a label without a version is not recognised"),
            ("Microsoft Windows 2000 Server", 0, "the list spells it the other way round"),
            ("Amazon Linux 2023 (64-bit)", 3, "begins like 2"),
        ] {
            assert_eq!(operating_system_score(name), score, "{name}: {why}");
        }
    }

    #[test]
    fn disk_scores_change_at_10_20_and_50_tib() {
        for (bytes, score) in [
            (0, 1),
            (10 * TIB - 1, 1),
            (10 * TIB, 2),
            (20 * TIB - 1, 2),
            (20 * TIB, 3),
            (50 * TIB - 1, 3),
            (50 * TIB, 4),
            (u64::MAX, 4),
        ] {
            assert_eq!(disk_score(bytes), score, "{bytes}");
        }
    }

    #[test]
    fn the_table_that_joins_them() {
        let expect = [[0, 0, 0, 0], [1, 1, 3, 3], [2, 2, 3, 3], [2, 2, 3, 3], [4, 4, 4, 4]];
        for (system, row) in (0..).zip(expect) {
            for (disk, score) in (1..).zip(row) {
                assert_eq!(combined_score(system, disk), score, "system {system}, disk {disk}");
            }
        }
    }

    #[test]
    fn all_rows_that_match_one_name_agree() {
        for name in
            ["CentOS 4/5/6/7", "SUSE Linux Enterprise 10", "Microsoft Windows Server 2012 R2"]
        {
            let lower = name.to_lowercase();
            let scores: Vec<u8> = SYSTEMS
                .iter()
                .filter(|(system, versions, _)| {
                    versions.iter().any(|version| lower.contains(&format!("{system}{version}")))
                })
                .map(|(_, _, score)| *score)
                .collect();
            assert!(scores.windows(2).all(|pair| pair[0] == pair[1]), "{name}: {scores:?}");
            assert!(!scores.is_empty(), "{name}");
        }
    }
}
