//! Against vcsim, with govc as the second opinion: generated models, and recordings of real vCenters
//! loaded into it.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests fail by panicking"
)]
#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "JSON of known form; skipped tests say so"
)]

mod compare;
mod server;

use std::sync::{Arc, Mutex};

use compare::compare;
use entente_connect::connector::Unwatched;
use entente_connect::live::{Cancel, Change, Refusal, RightState, Run, Traffic};
use entente_model::{
    AttachmentKind, AttributeKind, Collection, GapCause, Observed, PlacementRuleKind, PowerState,
    Workload,
};
use server::{Vcsim, collect, programs, recording, runtime, vsphere};

/// The oldest version that is supported; vcsim says 6.5 unless told otherwise.
const SUPPORTED: [&str; 2] = ["-api-version", "6.7"];

/// Calls that one collection of a small estate may cost.
const CALLS_MAX: u64 = 60;

fn started(arguments: &[&str]) -> Option<Vcsim> {
    Some(Vcsim::start(&programs()?, &[&SUPPORTED, arguments].concat()))
}

fn collected(server: &Vcsim) -> Collection {
    let (collection, traffic) = collect(&server.target());
    assert!(traffic.calls() <= CALLS_MAX, "{} calls", traffic.calls());
    collection.unwrap()
}

fn named<'c>(collection: &'c Collection, name: &str) -> &'c Workload {
    collection.workloads.iter().find(|it| it.name == name).unwrap()
}

/// Nothing failed: what is not known, the platform itself does not know.
fn is_whole(collection: &Collection) {
    for gap in &collection.gaps {
        let fine = matches!(gap.cause, GapCause::NotModelled | GapCause::Conflict | GapCause::Unreachable)
            // The recordings have none.
            || gap.message.contains("certificate manager")
            // The simulated host is one of these.
            || gap.message.contains("manages this host");
        assert!(fine, "{gap:#?}");
    }
}

#[test]
fn the_default_model_is_read_as_govc_lists_it() {
    let Some(server) = started(&[]) else { return };
    let collection = collected(&server);
    compare(&server, &collection);
    is_whole(&collection);
    assert_eq!(collection.products[0].name, "VMware vCenter Server");
    assert_eq!(collection.platforms[0].site, Observed::Value("north".into()));
    let machine = named(&collection, "DC0_C0_RP0_VM0");
    assert_eq!(machine.placement.datacenter, Observed::Value("DC0".into()));
    assert_eq!(machine.placement.folder, Observed::Value("/DC0/vm".into()));
    let alone = named(&collection, "DC0_H0_VM0");
    assert_eq!(alone.placement.cluster, Observed::Absent);
    assert_eq!(alone.power, Observed::Value(PowerState::On));
}

#[test]
fn a_larger_model_with_everything_is_read_as_govc_lists_it() {
    let model = [
        "-dc", "2", "-cluster", "2", "-host", "3", "-vm", "10", "-pool", "2", "-ds", "2",
        "-folder", "1", "-app", "1", "-pod", "1", "-pg", "2", "-nsx", "1",
    ];
    let Some(server) = started(&model) else { return };
    let collection = collected(&server);
    compare(&server, &collection);
    is_whole(&collection);
    assert!(collection.workloads.len() > 50);
    assert!(collection.workloads.iter().any(|it| it.placement.vapp.value().is_some()));
}

#[test]
#[ignore = "takes minutes: `make prove` runs it"]
fn ten_thousand_machines_are_read_as_govc_lists_them() {
    let Some(programs) = programs() else { return };
    let folder = tempfile::tempdir().unwrap();
    let model = programs.model(10_000, folder.path());
    let server = Vcsim::start(&programs, &["-load", model.to_str().unwrap()]);
    let collection = collected(&server);
    assert!(collection.workloads.len() >= 10_000, "{}", collection.workloads.len());
    compare(&server, &collection);
    is_whole(&collection);
}

#[test]
fn pages_of_any_size_make_the_same_collection() {
    let Some(server) = started(&["-vm", "7"]) else { return };
    let mut target = server.target();
    let whole = collect(&target).0.unwrap();
    target.taken = whole.source.taken.unwrap();
    target.limits.page_objects = 3;
    let paged = collect(&target).0.unwrap();
    assert_eq!(paged.workloads, whole.workloads);
    assert_eq!(paged.hosts, whole.hosts);
    assert_eq!(paged.control.folders, whole.control.folders);
}

#[test]
fn a_standalone_host_is_read_as_govc_lists_it() {
    let Some(programs) = programs() else { return };
    // The simulated host says 6.5 whatever it is told: it is saved, changed and loaded again.
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("host");
    Vcsim::start(&programs, &["-esx"]).govc(&["object.save", "-d", model.to_str().unwrap()]);
    let service = model.join("0000-ServiceInstance-ServiceInstance.xml");
    let text = std::fs::read_to_string(&service).unwrap();
    let newer = text.replace("<apiVersion>6.5</apiVersion>", "<apiVersion>7.0.3.0</apiVersion>");
    assert_ne!(newer, text);
    std::fs::write(&service, newer).unwrap();
    let server = Vcsim::start(&programs, &["-esx", "-load", model.to_str().unwrap()]);
    let collection = collected(&server);
    assert_eq!(collection.platforms[0].uuid, Observed::Absent);
    assert!(!collection.workloads.is_empty());
    compare(&server, &collection);
    is_whole(&collection);
    let limits = &collection.source.limits;
    assert!(limits.iter().any(|it| it.attribute == "tag_categories"));
    assert!(collection.gaps.iter().any(|it| it.cause == GapCause::Ambiguous));
}

fn check_recording(name: &str) {
    let Some((_folder, model)) = recording(name) else { return };
    let Some(programs) = programs() else { return };
    let server = Vcsim::start(&programs, &["-load", model.to_str().unwrap()]);
    let collection = collected(&server);
    assert!(collection.workloads.len() >= 15, "{}", collection.workloads.len());
    compare(&server, &collection);
    is_whole(&collection);
}

#[test]
fn shared_a_lab_with_a_distributed_switch_is_read_as_govc_lists_it() {
    check_recording("vcsim-vcsa.primp-industries.local");
}

#[test]
fn shared_a_lab_with_vapps_is_read_as_govc_lists_it() {
    check_recording("vcsim-vcsa01-z67.sddc.lab");
}

#[test]
fn shared_a_cloud_with_opaque_networks_is_read_as_govc_lists_it() {
    check_recording("vcsim-vcenter.sddc-35-167-62-16.vmwarevmc.com");
}

#[test]
fn rules_overrides_and_groups_of_a_cluster_are_read() {
    let Some(server) = started(&["-vm", "4", "-standalone-host", "0"]) else { return };
    let cluster = ["-cluster", "DC0_C0"];
    let run = |command: &str, more: &[&str]| {
        server.govc(&[&[command], cluster.as_slice(), more].concat());
    };
    run("cluster.group.create", &["-name", "web", "-vm", "DC0_C0_RP0_VM0", "DC0_C0_RP0_VM1"]);
    run("cluster.group.create", &["-name", "left", "-host", "DC0_C0_H0"]);
    let apart = ["-name", "apart", "-enable", "-anti-affinity", "DC0_C0_RP0_VM0", "DC0_C0_RP0_VM2"];
    run("cluster.rule.create", &apart);
    let on_left = ["-name", "on left", "-enable", "-mandatory", "-vm-host", "-vm-group", "web"];
    run("cluster.rule.create", &[&on_left[..], &["-host-affine-group", "left"]].concat());
    let own = [
        "-vm",
        "DC0_C0_RP0_VM3",
        "-drs-enabled",
        "-drs-mode",
        "manual",
        "-ha-restart-priority",
        "high",
    ];
    run("cluster.override.change", &own);
    let collection = collected(&server);

    let control = &collection.control;
    let id = |name: &str| named(&collection, name).id.clone();
    let web = control.placement_groups.iter().find(|it| it.name == "web").unwrap();
    assert_eq!(web.workloads.items, [id("DC0_C0_RP0_VM0"), id("DC0_C0_RP0_VM1")]);
    let rule = |name: &str| control.placement_rules.iter().find(|it| it.name == name).unwrap();
    assert_eq!(rule("apart").kind, PlacementRuleKind::KeepApart);
    assert_eq!(rule("apart").enabled, Observed::Value(true));
    assert_eq!(rule("on left").kind, PlacementRuleKind::RunOn);
    assert_eq!(rule("on left").mandatory, Observed::Value(true));
    assert_eq!(rule("on left").hosts.items.len(), 1);
    let first = named(&collection, "DC0_C0_RP0_VM0");
    assert_eq!(first.availability.cluster_rules.items, ["apart", "on left"]);
    let third = named(&collection, "DC0_C0_RP0_VM3");
    assert_eq!(third.availability.ha_restart_priority, Observed::Value("high".into()));
    assert_eq!(first.availability.ha_restart_priority, Observed::Absent);
    let manual = control.overrides.iter().find(|it| it.setting == "behavior").unwrap();
    assert_eq!((manual.workload.clone(), manual.value.as_str()), (third.id.clone(), "manual"));
}

#[test]
fn tags_attributes_snapshots_notes_and_settings_are_read() {
    let Some(server) = started(&["-vm", "3"]) else { return };
    let machine = "/DC0/vm/DC0_H0_VM0";
    server.govc(&["tags.category.create", "-m=false", "tier"]);
    server.govc(&["tags.create", "-c", "tier", "gold"]);
    server.govc(&["tags.create", "-c", "tier", "silver"]);
    server.govc(&["tags.attach", "-c", "tier", "gold", machine]);
    server.govc(&["fields.add", "-type", "VirtualMachine", "cost centre"]);
    server.govc(&["fields.set", "cost centre", "4711", machine]);
    server.govc(&["snapshot.create", "-vm", machine, "-d", "before", "one"]);
    server.govc(&["snapshot.create", "-vm", machine, "two"]);
    let notes = [
        "-annotation",
        "root password: geheim",
        "-e",
        "numa.nodeAffinity=0",
        "-e",
        "guestinfo.x=y",
    ];
    server.govc(&[&["vm.change", "-vm", machine][..], &notes].concat());
    server.govc(&["object.mv", machine, "/DC0/vm"]);
    let collection = collected(&server);

    let categories = &collection.control.tag_categories;
    assert_eq!(categories[0].name, "tier");
    assert_eq!(categories[0].single, Observed::Value(true));
    assert_eq!(categories[0].tags.items, ["gold", "silver"]);
    let machine = named(&collection, "DC0_H0_VM0");
    let shown: Vec<_> = machine
        .attributes
        .iter()
        .map(|it| (it.name.as_str(), it.value.as_str(), it.kind.copied().unwrap()))
        .collect();
    let expected =
        [("cost centre", "4711", AttributeKind::Custom), ("tier", "gold", AttributeKind::Tag)];
    assert_eq!(shown, expected);
    assert!(machine.attributes.is_complete());
    let names: Vec<_> = machine.snapshots.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(machine.snapshots.items[1].parent, machine.snapshots.items[0].id);
    assert_eq!(machine.annotation, Observed::Value("root password: [redacted]".into()));
    assert_eq!(collection.findings.iter().filter(|it| it.code == "ENT-0201").count(), 1);
    assert_eq!(machine.cpu.numa_affinity, Observed::Value("0".into()));
    let keys: Vec<_> = machine.advanced_settings.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(keys, ["numa.nodeAffinity"]);
}

#[test]
fn roles_grants_sessions_and_tasks_say_who_drives_it() {
    let Some(server) = started(&["-vm", "3"]) else { return };
    server.govc(&["role.create", "operators", "VirtualMachine.Interact.PowerOff"]);
    server.govc(&[
        "permissions.set",
        "-principal",
        "CORP\\ops",
        "-group",
        "-role",
        "operators",
        "/DC0/vm",
    ]);
    server.govc(&["vm.power", "-off", "/DC0/vm/DC0_H0_VM0"]);
    let collection = collected(&server);
    let control = &collection.control;
    let role = control.roles.iter().find(|it| it.name == "operators").unwrap();
    assert_eq!(role.builtin, Observed::Value(false));
    let grant = control.grants.iter().find(|it| it.principal == "CORP\\ops").unwrap();
    // The simulator does not keep on what it was granted.
    assert_eq!(grant.role, role.native_id);
    let principal = control.principals.iter().find(|it| it.name == "CORP\\ops").unwrap();
    assert_eq!(principal.source, Observed::Value("CORP".into()));
    assert!(control.authentication_sources.iter().any(|it| it.name == "CORP"));
    let off = control.activities.iter().find(|it| it.action.contains("powerOff"));
    let off = off.unwrap_or_else(|| panic!("{:#?}", control.activities));
    assert_eq!(off.outcome, Observed::Value("success".into()));
    let has = |kind| control.attachments.iter().any(|it| it.kind == kind);
    assert!(has(AttachmentKind::TaskInitiator));
    // Our own session is none of the estate's.
    let ours = |it: &&entente_model::Attachment| it.name.starts_with("entente/");
    assert_eq!(control.attachments.iter().filter(ours).count(), 0);
}

#[test]
fn a_power_change_arrives_and_only_that_machine_is_read_again() {
    let Some(server) = started(&["-vm", "5"]) else { return };
    let target = server.target();
    let (cancel, traffic) = (Cancel::new(), Traffic::default());
    let run = Run { target: &target, watch: &Unwatched, cancel: &cancel, traffic: &traffic };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let done = cancel.clone();
    let mut changed = |change: Change| {
        let mut seen = seen.lock().unwrap();
        let is_off = matches!(&change, Change::Read(it)
            if it.workloads.iter().all(|it| it.power == Observed::Value(PowerState::Off)));
        let is_removed = matches!(change, Change::WorkloadRemoved { .. });
        seen.push(change);
        if is_off || is_removed {
            done.cancel();
        }
    };
    runtime().block_on(async {
        let following = vsphere().follow(run, &mut changed).unwrap();
        let acting = async {
            // The filter is set once calls stop coming: it is being waited on.
            let mut calls = u64::MAX;
            while calls != traffic.calls() || calls < 6 {
                calls = traffic.calls();
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
            server.govc(&["vm.power", "-off", "/DC0/vm/DC0_H0_VM1"]);
        };
        let (outcome, ()) = tokio::join!(following, acting);
        outcome.unwrap();
    });
    let seen = seen.lock().unwrap();
    for change in seen.iter() {
        let Change::Read(collection) = change else { panic!("{change:?}") };
        let names: Vec<_> = collection.workloads.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["DC0_H0_VM1"], "only what changed is read again");
    }
    assert!(!seen.is_empty());
}

#[test]
fn a_check_names_product_account_and_rights() {
    let Some(server) = started(&[]) else { return };
    let target = server.target();
    let (cancel, traffic) = (Cancel::new(), Traffic::default());
    let run = Run { target: &target, watch: &Unwatched, cancel: &cancel, traffic: &traffic };
    let report = runtime().block_on(vsphere().check(run)).unwrap();
    assert_eq!(report.product, "VMware vCenter Server");
    assert_eq!(report.account, "user");
    assert_eq!(report.rights.len(), vsphere().rights().len());
    assert!(report.rights.iter().all(|it| !matches!(it.1, RightState::Lacking(_))), "{report:?}");
}

#[test]
fn refusals_say_why() {
    let Some(programs) = programs() else { return };
    let arguments = ["-api-version", "6.7", "-username", "ops", "-password", "right"];
    let server = Vcsim::start(&programs, &arguments);
    let reason = |target| collect(&target).0.unwrap_err().reason;
    assert_eq!(reason(server.target_as("ops", "wrong")), Refusal::WrongCredentials);
    assert!(collect(&server.target_as("ops", "right")).0.is_ok());
    let old = Vcsim::start(&programs, &["-api-version", "6.5"]);
    assert!(matches!(reason(old.target()), Refusal::VersionTooOld { .. }));
}
