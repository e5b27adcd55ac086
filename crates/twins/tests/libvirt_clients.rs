//! `virsh` accepts the twin of a libvirt host, for what the twin serves.
#![expect(clippy::expect_used, reason = "tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;

use entente_model::{Collection, Observed, PowerState};
use entente_twins::live::{Served, Setup, platforms};
use entente_twins::{EstateSpec, generate};

fn world() -> Arc<Collection> {
    let spec = EstateSpec { workloads: 40, ..EstateSpec::default() };
    let mut world = generate(&spec).remove(0);
    let name = world.workloads.first().expect("it has workloads").name.clone();
    world.workloads.last_mut().expect("it has workloads").name = name;
    Arc::new(world)
}

async fn serve(world: &Arc<Collection>) -> Served {
    let twin = platforms().iter().find(|it| it.connector() == "libvirt").expect("it is a twin");
    twin.serve(world.clone(), Setup::default()).await.expect("it is served")
}

/// What virsh says; nothing where there is no virsh.
fn virsh(served: &Served, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("virsh");
    command.env("LC_ALL", "C").args(["-q", "-c", &served.address]).args(arguments);
    let output = match command.output() {
        Ok(output) => output,
        Err(_) => {
            println!("skipped: there is no virsh here (Debian: libvirt-clients)");
            return None;
        }
    };
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {complaint}");
    Some(String::from_utf8(output.stdout).expect("virsh writes text"))
}

fn lines(text: &str) -> BTreeSet<&str> {
    text.lines().map(str::trim).filter(|it| !it.is_empty()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn virsh_lists_the_workloads_with_their_states() {
    let world = world();
    let served = serve(&world).await;
    let Some(all) = virsh(&served, &["list", "--all", "--name"]) else { return };
    let names: BTreeSet<_> = world.workloads.iter().map(|it| it.name.as_str()).collect();
    let listed = lines(&all);
    assert!(listed.is_superset(&names));
    // The estate has a name twice; a host knows each once.
    assert!(names.len() < world.workloads.len());
    assert_eq!(listed.len(), world.workloads.len());
    let running = virsh(&served, &["list", "--name"]).unwrap();
    let on = world.workloads.iter().filter(|it| it.power != Observed::Value(PowerState::Off));
    assert_eq!(lines(&running).len(), on.count());
    let first = &world.workloads[0];
    let uuid = virsh(&served, &["domuuid", &first.name]).unwrap();
    assert_eq!(uuid.trim(), first.instance_uuid.value().unwrap().to_string());
    let state = virsh(&served, &["domstate", &first.name]).unwrap();
    assert!(["running", "shut off", "paused"].contains(&state.trim()), "{state}");
}

#[tokio::test(flavor = "multi_thread")]
async fn virsh_reads_the_xml_and_tells_disks_and_adapters_from_it() {
    let world = world();
    let served = serve(&world).await;
    let mut seen = BTreeSet::new();
    for workload in &world.workloads {
        let uuid = workload.instance_uuid.value().unwrap().to_string();
        let Some(xml) = virsh(&served, &["dumpxml", &uuid]) else { return };
        // The second of a name has another.
        let end = if seen.insert(workload.name.as_str()) { "</name>" } else { "-2</name>" };
        assert!(xml.contains(&format!("<name>{}{end}", workload.name)), "{xml}");
        let adapters = virsh(&served, &["domiflist", &uuid]).unwrap();
        for nic in &workload.nics {
            assert!(adapters.contains(nic.mac.value().unwrap().as_str()), "{adapters}");
        }
        let disks = virsh(&served, &["domblklist", &uuid, "--details"]).unwrap();
        let count =
            disks.lines().filter(|it| it.contains(" disk ") || it.contains(" lun ")).count();
        assert_eq!(count, workload.disks.items.len(), "{disks}");
        let snapshots = virsh(&served, &["snapshot-list", &uuid, "--name"]).unwrap();
        assert_eq!(lines(&snapshots).len(), workload.snapshots.items.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn virsh_tells_host_networks_and_pools() {
    let world = world();
    let served = serve(&world).await;
    let Some(node) = virsh(&served, &["nodeinfo"]) else { return };
    let host = &world.hosts[0];
    let kib = host.memory_bytes.value().unwrap() / 1024;
    assert!(node.contains(&format!("{kib} KiB")), "{node}");
    assert_eq!(virsh(&served, &["hostname"]).unwrap().trim(), host.name);
    assert!(virsh(&served, &["version"]).unwrap().contains("QEMU 7.2.0"));
    let networks = virsh(&served, &["net-list", "--all", "--name"]).unwrap();
    assert_eq!(lines(&networks), world.networks.iter().map(|it| it.name.as_str()).collect());
    let pools = virsh(&served, &["pool-list", "--all", "--name"]).unwrap();
    assert_eq!(lines(&pools), world.datastores.iter().map(|it| it.name.as_str()).collect());
}
