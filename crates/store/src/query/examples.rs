//! Useful queries that come along, each in a file that says what it answers.

/// A query that comes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its name.
    pub name: &'static str,
    /// What it answers, in one sentence.
    pub answers: &'static str,
    /// The query.
    pub sql: &'static str,
}

macro_rules! files {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("examples/", $name, ".sql")))),*]
    };
}

const FILES: &[(&str, &str)] = files! {
    "age-of-collections"
    "attachments-by-product"
    "big-machines"
    "changes-last-week"
    "cluster-capacity"
    "datastores-over-80-percent"
    "datastores-overcommitted"
    "duplicate-macs"
    "firewall-rules-by-platform"
    "gaps-by-cause"
    "hosts-by-version"
    "machines-per-application"
    "machines-with-isos"
    "networks-without-workloads"
    "orphaned-volumes"
    "powered-off-90-days"
    "rdm-disks"
    "shared-bus-disks"
    "snapshots-older-than"
    "tools-not-running"
    "unowned-workloads"
    "usb-or-passthrough"
    "what-nobody-knows"
    "who-has-administrator"
    "zombie-disks"
};

/// Every query that comes along, by name.
pub fn examples() -> Vec<Example> {
    let of = |(name, sql): &(&'static str, &'static str)| {
        let first = sql.lines().next().unwrap_or_default();
        Example { name, answers: first.trim_start_matches("-- "), sql }
    };
    FILES.iter().map(of).collect()
}
