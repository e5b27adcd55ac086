//! The twin of Proxmox VE is accepted by clients that others wrote: proxmoxer and
//! prometheus-pve-exporter. `ENTENTE_PYTHON` names an interpreter that has both.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::process::Command;
use std::sync::Arc;

use entente_model::{Observed, PowerState};
use entente_twins::live::proxmox::{TOKEN_ID, TOKEN_SECRET, TWIN};
use entente_twins::live::{PlatformTwin, Setup};
use entente_twins::{EstateSpec, generate};

/// An interpreter with both clients; nothing, with one line, where there is none.
fn python() -> Option<String> {
    let python = std::env::var("ENTENTE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = "import proxmoxer, pve_exporter, requests";
    let found = Command::new(&python).args(["-c", script]).output();
    if found.is_ok_and(|it| it.status.success()) {
        return Some(python);
    }
    println!(
        "skipped: `{python}` has no proxmoxer and prometheus-pve-exporter; name one in ENTENTE_PYTHON"
    );
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn independent_clients_read_what_is_served() {
    let Some(python) = python() else { return };
    let spec = EstateSpec { workloads: 60, vcenters: 1, ..EstateSpec::default() };
    let world = Arc::new(generate(&spec).remove(0));
    let served = TWIN.serve(world.clone(), Setup { tls: true, ..Setup::default() }).await.unwrap();
    let host = served.address.strip_prefix("https://").unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/proxmox.py");
    let mut command = Command::new(python);
    command.args([script, host, &served.user, &served.password, TOKEN_ID, TOKEN_SECRET]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let (told, said) = (output.stdout, String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success(), "{said}");
    let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told["version"], "9.1.5");
    assert_eq!(told["same_with_token"], true);
    assert_eq!(told["resources"], world.workloads.len());
    assert_eq!(told["guests"].as_object().unwrap().len(), world.workloads.len());
    for (vmid, workload) in (100..).zip(&world.workloads) {
        let guest = &told["guests"][vmid.to_string()];
        assert_eq!(guest["name"], workload.name.as_str());
        assert_eq!(guest["memory"], workload.memory.size_bytes.copied().unwrap() >> 20);
        let runs = workload.power == Observed::Value(PowerState::On);
        assert_eq!(guest["status"], if runs { "running" } else { "stopped" });
        assert_eq!(guest["snapshots"], workload.snapshots.items.len());
        assert_eq!(guest["disks"], workload.disks.items.len());
    }
    assert_eq!(told["missing"][0], 500);
    assert!(
        told["missing"][1].as_str().unwrap().contains("999999.conf' does not exist"),
        "{}",
        told["missing"]
    );
    assert_eq!(told["unknown"][0], 501);
    assert!(told["wrong"].as_str().unwrap().contains("Couldn't authenticate"), "{}", told["wrong"]);
    assert_eq!(told["guest_up"], world.workloads.len());
    let series: Vec<_> =
        told["series"].as_array().unwrap().iter().filter_map(|it| it.as_str()).collect();
    for name in [
        "pve_up",
        "pve_node_info",
        "pve_guest_info",
        "pve_storage_info",
        "pve_cluster_info",
        "pve_version_info",
        "pve_onboot_status",
        "pve_not_backed_up_total",
    ] {
        assert!(series.contains(&name), "{name}: {series:?}");
    }
}
