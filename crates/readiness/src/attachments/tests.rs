//! Each kind of attachment, as a machine or its surroundings tell of it.

use entente_model::{
    BusSharing, Device, DiskSharing, Estate, Listing, Observed, RawMapping, SwitchKind, Why,
    Workload, WorkloadId, WorkloadKind,
};
use proptest::prelude::*;

use super::*;
use crate::sample::{
    any_estate, attribute, cluster_id, estate, machine, network, platform, snapshot, unknown,
};

/// `kind count` of everything on which the machine `vm` leans.
fn seen(estate: &Estate) -> Vec<String> {
    let index = estate.index();
    let at = estate.workloads.iter().position(|it| it.name == "vm").unwrap();
    let counts = attachments(&index)[at].counts();
    counts.map(|(kind, count)| format!("{} {count}", kind.weight.id)).collect()
}

fn leans_on(change: impl FnOnce(&mut Workload)) -> Vec<String> {
    let mut workload = machine("vm");
    change(&mut workload);
    seen(&estate(vec![workload]))
}

fn device() -> Device {
    Device { label: "1".into(), backing: Observed::Absent, connected: Observed::Value(true) }
}

#[test]
fn an_ordinary_machine_leans_on_nothing() {
    assert_eq!(leans_on(|_| {}), [""; 0]);
}

#[test]
fn what_a_machine_itself_tells() {
    type Change = fn(&mut Workload);
    let cases: [(Change, &[&str]); 22] = [
        (|it| it.availability.cluster_rules.items = vec!["a".into(), "b".into()], &["drs-rule 2"]),
        (|it| it.availability.ha_protected = Observed::Value(true), &["ha-protected 1"]),
        (
            |it| it.availability.fault_tolerance = Observed::Value("running".into()),
            &["fault-tolerance 1"],
        ),
        (|it| it.availability.fault_tolerance = Observed::Value("notConfigured".into()), &[]),
        (|it| it.placement.vapp = Observed::Value("shop".into()), &["vapp 1"]),
        (
            |it| it.placement.resource_pool = Observed::Value("/dc1/prod/Resources/gold".into()),
            &["resource-pool 1"],
        ),
        (
            |it| {
                it.cpu.reservation_mhz = Observed::Value(500);
                it.cpu.shares_level = Observed::Value("high".into());
                it.memory.limit_bytes = Observed::Value(1);
            },
            &["resource-setting 3"],
        ),
        (|it| it.cpu.limit_mhz = Observed::Value(0), &[]),
        (
            |it| it.availability.latency_sensitivity = Observed::Value("high".into()),
            &["latency-sensitivity 1"],
        ),
        (|it| it.cpu.affinity = Observed::Value("0,1".into()), &["processor-affinity 1"]),
        (|it| it.availability.change_tracking = Observed::Value(true), &["change-tracking 1"]),
        (|it| it.availability.disk_uuid_enabled = Observed::Value(true), &["disk-uuid 1"]),
        (
            |it| it.attributes.items = vec![attribute("Backup", "gold"), attribute("Owner", "")],
            &["attribute 1"],
        ),
        (|it| it.devices.encrypted = Observed::Value(true), &["encryption 1"]),
        (|it| it.devices.tpm = Observed::Value(true), &["tpm 1"]),
        (
            |it| it.disks.items[0].raw_mapping = Observed::Value(RawMapping::Physical),
            &["raw-mapping 1"],
        ),
        (
            |it| {
                it.disks.items[0].sharing = Observed::Value(DiskSharing::MultiWriter);
                it.disks.items[0].bus_sharing = Observed::Value(BusSharing::Physical);
            },
            &["shared-disk 1"],
        ),
        (|it| it.nics.items[0].direct_path = Observed::Value(true), &["direct-path 1"]),
        (|it| it.devices.usb.items.push(device()), &["usb 1"]),
        (|it| it.devices.pci_passthrough.items.push(device()), &["pci-passthrough 1"]),
        (|it| it.devices.vgpus.items.push(device()), &["vgpu 1"]),
        (|it| it.snapshots.items = vec![snapshot("a"), snapshot("b")], &["vm-snapshot 2"]),
    ];
    for (change, expect) in cases {
        assert_eq!(leans_on(change), expect);
    }
}

#[test]
fn what_its_surroundings_tell() {
    let in_estate = |change: fn(&mut Estate)| {
        let mut estate = estate(vec![machine("vm")]);
        change(&mut estate);
        seen(&estate)
    };
    assert_eq!(
        in_estate(|it| it.clusters[0].drs_enabled = Observed::Value(true)),
        ["drs-cluster 1"]
    );
    assert_eq!(
        in_estate(|it| it.hosts[0].evc_mode = Observed::Value("intel-skylake".into())),
        ["evc 1"]
    );
    assert_eq!(
        in_estate(|it| it.datastores[0].datastore_cluster = Observed::Value("gold".into())),
        ["datastore-cluster 1"]
    );
    assert_eq!(
        in_estate(|it| it.datastores[0].io_control = Observed::Value(true)),
        ["storage-io-control 1"]
    );
    assert_eq!(
        in_estate(|it| it.networks[0].promiscuous = Observed::Value(true)),
        ["port-group-security 1"],
        "a standard switch accepts changed addresses by default, but not every frame"
    );
    assert_eq!(
        in_estate(|it| it.networks[0] = network("lan", SwitchKind::Distributed)),
        ["distributed-port-group 1", "port-group-security 1"],
        "a distributed switch accepts no changed addresses by default"
    );
}

#[test]
fn two_machines_on_one_disk_file_share_it() {
    let mut other = machine("other");
    other.disks = machine("vm").disks;
    assert_eq!(seen(&estate(vec![machine("vm"), other])), ["shared-disk 1"]);
}

/// Restart priorities of four other machines and of `vm` in one cluster.
fn override_with(others: &str, own: &str) -> Vec<String> {
    let with = |name: &str, priority: &str| {
        let mut workload = machine(name);
        workload.availability.ha_restart_priority = Observed::Value(priority.into());
        workload
    };
    let mut workloads: Vec<Workload> = (1..5).map(|n| with(&format!("other{n}"), others)).collect();
    workloads.push(with("vm", own));
    seen(&estate(workloads))
}

#[test]
fn a_restart_priority_is_an_override_where_the_cluster_has_another() {
    assert_eq!(override_with("medium", "high"), ["ha-override 1"]);
    assert_eq!(override_with("clusterRestartPriority", "disabled"), ["ha-override 1"]);
    assert_eq!(override_with("high", "high"), [""; 0], "what most have is the cluster's own");
    assert_eq!(override_with("high", "medium"), [""; 0], "the default word is never one");
}

#[test]
fn a_placeholder_elsewhere_makes_a_pair_but_one_beside_it_does_not() {
    let placeholder = |on: &str, datacenter: &str| {
        let mut workload = machine("vm");
        workload.platform = platform(on);
        workload.id = WorkloadId::on(&workload.platform, "placeholder").unwrap();
        workload.kind = WorkloadKind::RecoveryPlaceholder;
        workload.placement.datacenter = Observed::Value(datacenter.into());
        workload.disks.items.clear();
        let mut protected = machine("vm");
        protected.id = WorkloadId::on(&platform("vc0"), "protected").unwrap();
        seen(&estate(vec![workload, protected]))
    };
    assert_eq!(placeholder("vc2", "dc1"), ["recovery-placeholder 1"]);
    assert_eq!(placeholder("vc1", "dc2"), ["recovery-placeholder 1"]);
    assert_eq!(placeholder("vc1", "dc1"), [""; 0]);
}

#[test]
fn with_one_platform_nobody_knows_of_a_placeholder() {
    let mut estate = estate(vec![machine("vm")]);
    estate.platforms.truncate(1);
    let attachments = attachments(&estate.index());
    let missing: Vec<&str> = attachments[0].not_observed().map(|it| it.weight.id).collect();
    assert_eq!(missing, ["recovery-placeholder"]);
}

#[test]
fn what_was_not_observed_does_not_count_but_is_reported() {
    let mut workload = machine("vm");
    workload.availability.cluster_rules =
        Listing::incomplete(vec!["keep apart".into()], Why::Unreadable);
    workload.availability.ha_protected = unknown();
    workload.devices.tpm = Observed::Unobserved(Why::SourceLimit);
    let estate = estate(vec![workload]);
    let index = estate.index();
    let attachments = attachments(&index);
    let names = |kinds: Vec<&AttachmentKind>| -> Vec<&str> {
        kinds.into_iter().map(|it| it.weight.id).collect()
    };
    assert_eq!(seen(&estate), ["drs-rule 1"], "what was seen of an incomplete list counts");
    assert_eq!(names(attachments[0].not_observed().collect()), ["drs-rule", "ha-protected"]);
    assert_eq!(names(attachments[0].beyond_source().collect()), ["tpm"]);
    let totals: Vec<(&str, u64, u64, u64)> = attachment_totals(&index, &attachments)
        .iter()
        .map(|it| (it.kind.weight.id, it.workloads, it.count, it.not_observed))
        .collect();
    assert_eq!(totals, [("drs-rule", 1, 1, 1), ("ha-protected", 0, 0, 1), ("tpm", 0, 0, 1)]);
}

#[test]
fn without_ha_in_the_cluster_nothing_is_protected_by_it() {
    let mut workload = machine("vm");
    workload.availability.ha_protected = unknown();
    workload.availability.ha_restart_priority = Observed::Value("high".into());
    workload.placement.cluster = Observed::Value(cluster_id("prod"));
    let mut estate = estate(vec![workload]);
    estate.clusters[0].ha_enabled = Observed::Value(false);
    assert_eq!(seen(&estate), [""; 0]);
    assert_eq!(attachments(&estate.index())[0].not_observed().count(), 0);
}

proptest! {
    #[test]
    fn totals_are_those_of_the_machines(estate in any_estate()) {
        let index = estate.index();
        let attachments = attachments(&index);
        for totals in attachment_totals(&index, &attachments) {
            let counts: Vec<u64> = estate
                .workloads
                .iter()
                .zip(&attachments)
                .filter(|(workload, _)| workload.kind == WorkloadKind::Machine)
                .flat_map(|(_, it)| it.counts())
                .filter(|(kind, _)| kind.weight.id == totals.kind.weight.id)
                .map(|(_, count)| u64::from(count))
                .collect();
            prop_assert_eq!(totals.workloads, counts.len() as u64);
            prop_assert_eq!(totals.count, counts.iter().sum::<u64>());
        }
    }
}
