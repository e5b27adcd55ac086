//! One entry a workload.

use entente_model::{EstateIndex, HostId, Listing, Observed, Text, Workload, WorkloadKind};
use entente_readiness::{GuestNames, Points, Readiness, WorkloadAttachments, disk_capacity_mib};

use crate::document::WorkloadReport;

/// Entries of all workloads, in the estate's order.
pub(super) fn reports(
    index: &EstateIndex<'_>,
    names: &GuestNames<'_>,
    readiness: &Readiness,
    leans_on: &[WorkloadAttachments],
    (points, planner): (&[Option<Points>], &[Option<u8>]),
) -> Vec<WorkloadReport> {
    index
        .estate
        .workloads
        .iter()
        .zip(leans_on)
        .zip(points.iter().zip(planner))
        .enumerate()
        .map(|(position, ((workload, leans_on), (points, planner)))| {
            let mut report = facts(index, names, workload);
            if workload.kind == WorkloadKind::Machine {
                report.attachments = leans_on
                    .counts()
                    .map(|(kind, count)| (Text::new_static(kind.weight.id), count))
                    .collect();
                report.complexity =
                    points.as_ref().map(|points| points.document(planner.unwrap_or_default()));
                report.readiness = readiness.by_target(position);
            }
            report
        })
        .collect()
}

fn facts(index: &EstateIndex<'_>, names: &GuestNames<'_>, workload: &Workload) -> WorkloadReport {
    let placement = &workload.placement;
    let governance = &workload.governance;
    WorkloadReport {
        id: Text::from(workload.id.clone()),
        name: workload.name.clone(),
        platform: Text::from(workload.platform.clone()),
        identity: workload.identity,
        kind: workload.kind,
        power: workload.power.clone(),
        datacenter: placement.datacenter.clone(),
        cluster: placement.cluster.as_ref().map(|id| {
            index.cluster(id).map_or_else(|| Text::from(id.clone()), |it| it.name.clone())
        }),
        host: placement.host.as_ref().map(|id: &HostId| {
            index.host(id).map_or_else(|| Text::from(id.clone()), |it| it.name.clone())
        }),
        folder: placement.folder.clone(),
        os: workload.guest.os().map(Text::clone),
        os_product: match names.of(workload) {
            Observed::Value(recognition) => match recognition.label() {
                Some(label) => Observed::Value(Text::new(label)),
                None => Observed::Unobserved(entente_model::Why::Unreadable),
            },
            Observed::Absent => Observed::Absent,
            Observed::Unobserved(why) => Observed::Unobserved(why),
        },
        vcpus: workload.cpu.count.clone(),
        memory_mib: mib(&workload.memory.size_bytes),
        disks: count(&workload.disks),
        disk_capacity_mib: disk_capacity_mib(workload),
        storage_used_mib: mib(&workload.samples.storage_used_bytes),
        nics: count(&workload.nics),
        snapshots: count(&workload.snapshots),
        application: governance.application.as_ref().map(|id| Text::from(id.clone())),
        owner: governance.owner.clone(),
        tier: governance.tier.clone(),
        data_sensitivity: governance.data_sensitivity.clone(),
        environment: governance.environment.clone(),
        labels: governance.labels.clone(),
        attachments: std::collections::BTreeMap::new(),
        complexity: None,
        readiness: std::collections::BTreeMap::new(),
    }
}

fn mib(bytes: &Observed<u64>) -> Observed<u64> {
    bytes.as_ref().map(|bytes| bytes >> 20)
}

fn count<T>(list: &Listing<T>) -> Observed<u32> {
    match list.why() {
        None => Observed::Value(u32::try_from(list.items.len()).unwrap_or(u32::MAX)),
        Some(why) => Observed::Unobserved(why),
    }
}
