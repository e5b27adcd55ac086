//! Answers recorded from a cluster of version 9.1.5, played back.

use std::path::Path;

use entente_model::{GapCause, Observed, PowerState, WorkloadKind};
use serde::Deserialize;

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

/// What was recorded; nothing, with one line, where it is not at hand.
fn recorded(name: &str) -> Option<Script> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/recordings/proxmox")
        .join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: no {}", path.display());
        return None;
    };
    let cassette: Cassette = serde_saphyr::from_str(&text).unwrap();
    let script = cassette.http_interactions.into_iter().map(|it| {
        let path = it.request.uri.split_once("/api2/json").unwrap().1.split('?').next().unwrap();
        let key = format!("{} {path}", it.request.method.to_uppercase());
        (key, (it.response.status.code, it.response.body.string))
    });
    Some(script.collect())
}

#[tokio::test]
async fn shared_a_recorded_cluster_is_read() {
    let Some(mut script) = recorded("targeted-vm.yml") else { return };
    // The recorder never asked for these; their forms are those of the recorded answers for nodes.
    let version = script["GET /nodes/vmpvetest/version"].clone();
    script.insert("GET /version".into(), version);
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
