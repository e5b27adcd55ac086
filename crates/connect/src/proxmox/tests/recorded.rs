//! Answers recorded from a cluster of version 9.1.5, played back.

use std::path::Path;

use entente_model::{Activity, GapCause, Observed, PowerState, WorkloadKind};
use serde::Deserialize;
use serde_json::{Value, json};

use super::replay::{Script, collect, gaps, has_gap, password, play, target};

#[derive(Deserialize)]
struct Cassette {
    http_interactions: Vec<Interaction>,
}

#[derive(Deserialize)]
struct Interaction {
    request: Asked,
    response: Answered,
}

#[derive(Deserialize)]
struct Asked {
    method: String,
    uri: String,
}

#[derive(Deserialize)]
struct Answered {
    status: Status,
    body: Body,
}

#[derive(Deserialize)]
struct Status {
    code: u16,
}

#[derive(Deserialize)]
struct Body {
    string: String,
}

/// What was asked, and what was answered, in order; nothing, with one line, where it is not at hand.
fn interactions(name: &str) -> Option<Vec<(String, (u16, String))>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/recordings/proxmox")
        .join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: no {}", path.display());
        return None;
    };
    let cassette: Cassette = serde_saphyr::from_str(&text).unwrap();
    let played = cassette.http_interactions.into_iter().map(|it| {
        let path = it.request.uri.split_once("/api2/json").unwrap().1.split('?').next().unwrap();
        let key = format!("{} {path}", it.request.method.to_uppercase());
        (key, (it.response.status.code, it.response.body.string))
    });
    Some(played.collect())
}

fn recorded(name: &str) -> Option<Script> {
    let mut script: Script = interactions(name)?.into_iter().collect();
    // The recorder never asked for this; its form is that of the recorded answers for nodes.
    if let Some(version) = script.get("GET /nodes/vmpvetest/version").cloned() {
        script.insert("GET /version".into(), version);
    }
    Some(script)
}

#[tokio::test]
async fn shared_a_recorded_cluster_is_read() {
    let Some(script) = recorded("targeted-vm.yml") else { return };
    let played = play(script).await;
    let collection = collect(&target(&played.address, password("ops@pam", "x"))).await.unwrap();
    assert_eq!(collection.source.version.as_deref(), Some("9.1.5"));
    assert_eq!(collection.clusters[0].name, "pvetest");
    assert_eq!(collection.clusters[0].host_count, Observed::Value(2));
    let host = &collection.hosts[0];
    assert_eq!(host.name, "vmpvetest");
    assert_eq!(host.cores, Observed::Value(8));
    assert_eq!(host.cpu_mhz, Observed::Value(2794));
    assert_eq!(host.memory_bytes, Observed::Value(33_655_615_488));
    assert_eq!(host.build, Observed::Value("80cf92a64bef6889".into()));
    let counted = |kind| collection.workloads.iter().filter(|it| it.kind == kind).count();
    assert!(counted(WorkloadKind::Machine) >= 6 && counted(WorkloadKind::Template) >= 13);
    assert!(counted(WorkloadKind::Container) >= 1);
    let vm = collection.workloads.iter().find(|it| it.name == "vmpvevm1").unwrap();
    assert_eq!(vm.power, Observed::Value(PowerState::On));
    assert_eq!(vm.cpu.count, Observed::Value(4));
    assert_eq!(vm.memory.size_bytes, Observed::Value(2 << 30));
    let sizes: Vec<_> = vm
        .disks
        .iter()
        .map(|it| (it.label.as_str(), it.capacity_bytes.copied().unwrap() >> 30))
        .collect();
    assert_eq!(sizes, [("scsi0", 10), ("scsi1", 2), ("scsi2", 3)]);
    assert_eq!(vm.disks.items[0].controller, Observed::Value("virtio-scsi-single".into()));
    assert_eq!(vm.devices.tpm, Observed::Value(true));
    assert_eq!(vm.firmware.secure_boot, Observed::Value(true));
    assert_eq!(vm.bios_uuid.value().unwrap().to_string(), "945505a5-1a05-4e36-b571-5dcc38e45204");
    assert_eq!(vm.created.value().unwrap().to_string(), "2025-11-17T19:50:34Z");
    let nic = &vm.nics.items[0];
    assert_eq!(nic.mac, Observed::Value("bc:24:11:e2:9f:14".into()));
    assert_eq!(nic.adapter, Observed::Value("virtio".into()));
    assert_eq!(nic.addresses.items, ["192.0.2.253".parse::<std::net::IpAddr>().unwrap()]);
    assert_eq!(vm.guest.hostname, Observed::Value("vmpvevm1".into()));
    assert_eq!(vm.guest.os_reported, Observed::Value("Debian GNU/Linux 13 (trixie)".into()));
    // Nine VM snapshots in one line with a branch; the entry for now is none of them.
    assert_eq!(vm.snapshots.items.len(), 9);
    assert!(vm.snapshots.is_complete());
    let last = vm.snapshots.iter().find(|it| it.name == "dfsdf3").unwrap();
    assert_eq!(last.parent, Observed::Value("cg5".into()));
    let first = vm.snapshots.iter().find(|it| it.name == "tes1").unwrap();
    assert_eq!(
        (&first.parent, &first.state),
        (&Observed::Absent, &Observed::Value("running".into()))
    );
    let bridges: Vec<_> = collection.switches.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(bridges, ["vmbr0", "vmbr1", "vmbr2"]);
    let carries = |name: &str| {
        collection.networks.iter().find(|it| it.name == name).unwrap().carries_hypervisor.clone()
    };
    assert_eq!(carries("vmbr0"), Observed::Value(true));
    // What was never recorded is a gap, never an absence.
    assert!(has_gap(&collection, GapCause::CallFailed, "roles"), "{:#?}", gaps(&collection));
    assert!(
        collection
            .workloads
            .iter()
            .filter(|it| it.name != "vmpvevm1")
            .all(|it| !it.disks.is_complete())
    );
    assert!(
        !gaps(&collection).iter().any(|it| it.starts_with("unreadable-value")),
        "{:#?}",
        gaps(&collection)
    );
}

#[tokio::test]
async fn shared_a_recorded_tree_of_vm_snapshots_is_whole() {
    let Some(script) = recorded("targeted-vm.yml") else { return };
    let played = play(script).await;
    let collection = collect(&target(&played.address, password("ops@pam", "x"))).await.unwrap();
    let vm = collection.workloads.iter().find(|it| it.name == "vmpvevm1").unwrap();
    let shown: Vec<_> = vm
        .snapshots
        .iter()
        .map(|it| {
            let parent = it.parent.value().map(|it| it.as_str());
            (it.name.as_str(), parent, it.state.value().unwrap() == "running")
        })
        .collect();
    let expected = [
        ("tes1", None, true),
        ("t2", Some("tes1"), true),
        ("test", Some("tes1"), false),
        ("testtt", Some("test"), false),
        ("tests", Some("testtt"), false),
        ("teststest", Some("tests"), false),
        ("cg4", Some("teststest"), true),
        ("cg5", Some("cg4"), true),
        ("dfsdf3", Some("cg5"), false),
    ];
    assert_eq!(shown, expected);
    assert!(vm.snapshots.is_complete());
}

/// A recorded task on a VM snapshot.
struct Task {
    /// The id with which it was started.
    id: String,
    /// While it ran, and at its end.
    states: Vec<Value>,
}

fn task(name: &str) -> Option<Task> {
    let played = interactions(name)?;
    let body = |it: &(u16, String)| serde_json::from_str::<Value>(&it.1).unwrap()["data"].clone();
    let is_start =
        |it: &&(String, (u16, String))| !it.0.starts_with("GET") && it.0.contains("/snapshot");
    let started = body(&played.iter().find(is_start).unwrap().1);
    let asked = played.iter().filter(|it| it.0.starts_with("GET") && it.0.contains("/tasks/"));
    let states = asked.map(|it| body(&it.1)).collect();
    Some(Task { id: started.as_str().unwrap().to_owned(), states })
}

/// The tasks of the node on which VM snapshots were made, as they were told of.
async fn activities(script: &Script, states: Vec<Value>) -> Vec<Activity> {
    let mut script = script.clone();
    let page = json!({ "data": states }).to_string();
    script.insert("GET /nodes/vmpvetest2/tasks".into(), (200, page));
    let played = play(script).await;
    let collection = collect(&target(&played.address, password("ops@pam", "x"))).await.unwrap();
    assert!(!gaps(&collection).iter().any(|it| it.contains("/nodes/vmpvetest2/tasks")));
    collection.control.activities
}

#[tokio::test]
async fn shared_recorded_tasks_on_vm_snapshots_are_read_by_their_ids() {
    let Some(script) = recorded("targeted-vm.yml") else { return };
    let recordings = [
        ("snapshot-create.yml", "qmsnapshot", "2026-02-19T13:54:37Z"),
        ("snapshot-revert.yml", "qmrollback", "2026-02-19T13:55:20Z"),
        ("snapshot-remove.yml", "qmdelsnapshot", "2026-02-19T13:56:17Z"),
    ];
    let tasks: Vec<Task> = recordings.iter().map(|it| task(it.0).unwrap()).collect();
    let of = |at: fn(&Task) -> &Value| tasks.iter().map(|it| at(it).clone()).collect();
    let running = activities(&script, of(|it| it.states.first().unwrap())).await;
    let ended = activities(&script, of(|it| it.states.last().unwrap())).await;
    assert_eq!((running.len(), ended.len()), (3, 3));
    for (task, (_, action, began)) in tasks.iter().zip(recordings) {
        let find =
            |all: &[Activity]| all.iter().find(|it| it.native_id == task.id).unwrap().clone();
        let (running, ended) = (find(&running), find(&ended));
        assert_eq!(
            (ended.action.as_str(), ended.at.value().unwrap().to_string()),
            (action, began.into())
        );
        assert_eq!(ended.subject, Observed::Value("101".into()));
        assert_eq!(ended.principal, Observed::Value("PROXMOX_USERNAME@pam".into()));
        // It was asked for while it ran, and again at its end.
        assert_eq!(running.outcome, Observed::Absent);
        assert_eq!(ended.outcome, Observed::Value("OK".into()));
        assert_eq!(Activity { outcome: ended.outcome.clone(), ..running }, ended);
    }
}
