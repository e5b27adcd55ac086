//! One CSV row a workload.

use std::io::{self, Write};

use entente_app::document::{Assessment, WorkloadReport};
use entente_model::{Observed, Text};

/// Columns before those of the targets.
const COLUMNS: &[&str] = &[
    "id",
    "name",
    "platform",
    "kind",
    "power",
    "datacenter",
    "cluster",
    "host",
    "folder",
    "os",
    "os_product",
    "vcpus",
    "memory_mib",
    "disks",
    "disk_capacity_mib",
    "storage_used_mib",
    "nics",
    "snapshots",
    "application",
    "owner",
    "tier",
    "data_sensitivity",
    "environment",
    "complexity",
    "attachments",
];

/// Writes every workload; a fact that was not observed is `unobserved:<why>`, an absence is empty.
pub fn workloads(assessment: &Assessment, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    let targets: Vec<&Text> = assessment.readiness.targets.iter().map(|it| &it.id).collect();
    let mut header: Vec<String> = COLUMNS.iter().map(|it| (*it).to_owned()).collect();
    for target in &targets {
        header.extend(
            ["verdict", "as_seen", "blockers", "warnings", "not_observed"]
                .map(|what| format!("{target}_{what}")),
        );
    }
    writer.write_record(&header)?;
    for workload in &assessment.workloads {
        let mut record = facts(workload);
        for target in &targets {
            record.extend(readiness(workload, target));
        }
        writer.write_record(&record)?;
    }
    writer.flush()
}

fn facts(it: &WorkloadReport) -> Vec<String> {
    let attachments: Vec<String> =
        it.attachments.iter().map(|(kind, count)| format!("{kind}:{count}")).collect();
    vec![
        it.id.to_string(),
        it.name.to_string(),
        it.platform.to_string(),
        it.kind.as_str().to_owned(),
        shown(&it.power.as_ref().map(|power| power.as_str())),
        shown(&it.datacenter),
        shown(&it.cluster),
        shown(&it.host),
        shown(&it.folder),
        shown(&it.os),
        shown(&it.os_product),
        shown(&it.vcpus),
        shown(&it.memory_mib),
        shown(&it.disks),
        shown(&it.disk_capacity_mib),
        shown(&it.storage_used_mib),
        shown(&it.nics),
        shown(&it.snapshots),
        shown(&it.application),
        shown(&it.owner),
        shown(&it.tier),
        shown(&it.data_sensitivity),
        shown(&it.environment),
        it.complexity.as_ref().map(|it| it.score.to_string()).unwrap_or_default(),
        attachments.join(" "),
    ]
}

fn readiness(workload: &WorkloadReport, target: &Text) -> [String; 5] {
    match workload.readiness.get(target) {
        None => Default::default(),
        Some(it) => [
            it.verdict.as_str().to_owned(),
            it.as_seen.as_str().to_owned(),
            it.blockers.join(" "),
            it.warnings.join(" "),
            it.not_observed.join(" "),
        ],
    }
}

fn shown<T: ToString>(fact: &Observed<T>) -> String {
    match fact {
        Observed::Value(value) => value.to_string(),
        Observed::Absent => String::new(),
        Observed::Unobserved(why) => format!("unobserved:{}", why.as_str()),
    }
}
