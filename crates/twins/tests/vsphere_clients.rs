//! Clients that others wrote accept the vSphere twin: govc and pyvmomi. The twin's table of types is
//! derived from pyvmomi's, so the latter proves nothing about names, order and types of fields; it proves
//! envelope, required fields and behaviour.
//!
//! They are found by `ENTENTE_GOVC` and `ENTENTE_PYTHON` (a Python that has pyvmomi), or on the path;
//! where they are not, a test says so and passes.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]

use std::process::{Command, Output};
use std::sync::Arc;

use entente_model::{Collection, Observed, PowerState};
use entente_twins::live::{PlatformTwin, Served, Setup, platforms};
use entente_twins::{EstateSpec, generate};

fn twin() -> &'static dyn PlatformTwin {
    *platforms().iter().find(|it| it.connector() == "vsphere").unwrap()
}

fn estate() -> Collection {
    generate(&EstateSpec { workloads: 240, ..EstateSpec::default() }).remove(0)
}

/// The program, if it can be started with these arguments.
fn program(variable: &str, otherwise: &str, check: &[&str]) -> Option<String> {
    let program = std::env::var(variable).unwrap_or_else(|_| otherwise.to_owned());
    let works = Command::new(&program).args(check).output().is_ok_and(|it| it.status.success());
    if !works {
        println!("skipped: no {otherwise} that works; set {variable}");
    }
    works.then_some(program)
}

struct Govc {
    program: String,
    served: Served,
}

impl Govc {
    async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env("GOVC_URL", format!("{}/sdk", self.served.address))
            .env("GOVC_USERNAME", &self.served.user)
            .env("GOVC_PASSWORD", &self.served.password)
            .env("GOVC_INSECURE", "1")
            .env("GOVC_PERSIST_SESSION", "0")
            .env("GOVC_DATACENTER", "fra1");
        tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
    }

    /// What it prints; it must not complain.
    async fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let (out, err) = (&output.stdout, String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "govc {arguments:?}: {err}");
        String::from_utf8_lossy(out).into_owned()
    }
}

async fn govc() -> Option<Govc> {
    let program = program("ENTENTE_GOVC", "govc", &["version"])?;
    let served = twin().serve(Arc::new(estate()), Setup::default()).await.unwrap();
    Some(Govc { program, served })
}

/// A machine of the first datacenter that is turned on, and its path in the inventory.
fn running(estate: &Collection) -> (String, String) {
    let found = estate.workloads.iter().find(|it| {
        it.power == Observed::Value(PowerState::On)
            && it.placement.datacenter.value().is_some_and(|it| it == "fra1")
            && it.placement.vapp.value().is_none()
    });
    let found = found.unwrap();
    let folder = found.placement.folder.value().unwrap();
    (found.name.to_string(), format!("/fra1/vm/{folder}/{}", found.name))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn govc_lists_the_inventory() {
    let Some(govc) = govc().await else { return };
    let estate = estate();
    assert!(govc.ok(&["about"]).await.contains("VMware vCenter Server 8.0.3"));
    assert_eq!(govc.ok(&["ls", "/"]).await.lines().count(), 2);
    let count = |text: String| text.lines().count();
    assert_eq!(count(govc.ok(&["find", "/", "-type", "m"]).await), estate.workloads.len());
    assert_eq!(count(govc.ok(&["find", "/", "-type", "h"]).await), estate.hosts.len());
    assert_eq!(count(govc.ok(&["find", "/", "-type", "s"]).await), estate.datastores.len());
    assert_eq!(count(govc.ok(&["find", "/", "-type", "c"]).await), estate.clusters.len());
    let names = govc.ok(&["object.collect", "-s", "-type", "m", "/", "name"]).await;
    assert_eq!(count(names), estate.workloads.len());
    let host = estate.hosts.iter().find(|it| it.datacenter.value().is_some_and(|it| it == "fra1"));
    let host = host.unwrap();
    let told = govc.ok(&["host.info", "-host", &host.name]).await;
    assert!(told.contains(host.cpu_model.value().unwrap().as_str()));
    let store = estate.datastores.iter().find(|it| it.name.starts_with("fra1")).unwrap();
    assert!(govc.ok(&["datastore.info", &store.name]).await.contains("Capacity:"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn govc_tells_of_a_machine_and_turns_it_off() {
    let Some(govc) = govc().await else { return };
    let (name, path) = running(&estate());
    assert!(govc.ok(&["vm.info", &path]).await.contains(&name));
    let json = govc.ok(&["vm.info", "-json", &path]).await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let machine = &json["virtualMachines"][0];
    assert_eq!(machine["name"], name.as_str());
    assert!(machine["config"]["hardware"]["device"].as_array().unwrap().len() > 8);
    let power = ["object.collect", "-s", &path, "runtime.powerState"];
    assert_eq!(govc.ok(&power).await.trim(), "poweredOn");
    govc.ok(&["vm.power", "-off", &path]).await;
    assert_eq!(govc.ok(&power).await.trim(), "poweredOff");
    let again = govc.run(&["vm.power", "-off", &path]).await;
    assert!(String::from_utf8_lossy(&again.stderr).contains("current state"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn govc_reads_the_control_plane() {
    let Some(govc) = govc().await else { return };
    let estate = estate();
    let control = &estate.control;
    let roles = govc.ok(&["role.ls"]).await;
    assert!(control.roles.iter().all(|it| roles.contains(it.name.as_str())));
    let permissions = govc.ok(&["permissions.ls"]).await;
    assert!(permissions.contains("CORP\\svc-backup") && permissions.contains("Backup operator"));
    let cluster = estate.clusters.iter().find(|it| it.name == "fra1-prod").unwrap();
    let rules = govc.ok(&["cluster.rule.ls", "-cluster", &cluster.name]).await;
    let of_cluster = control.placement_rules.iter();
    let of_cluster = of_cluster.filter(|it| it.cluster.value() == Some(&cluster.id));
    assert_eq!(rules.lines().count(), of_cluster.count());
    assert!(govc.ok(&["session.ls"]).await.contains("backup-proxy/12.1"));
    assert!(govc.ok(&["extension.info"]).await.contains("com.vmware.vcDr"));
    assert!(govc.ok(&["license.ls"]).await.contains("vsphere.8.enterprise.plus"));
    let tags = govc.ok(&["tags.ls"]).await;
    let words = control.tag_categories.iter().map(|it| it.tags.items.len()).sum::<usize>();
    assert_eq!(tags.lines().count(), words);
    let policies = govc.ok(&["storage.policy.ls"]).await;
    assert!(policies.contains("vSAN Default Storage Policy"));
    assert!(govc.ok(&["tasks"]).await.contains("svc-backup"));
    assert!(govc.ok(&["alarms"]).await.contains("consolidation"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pyvmomi_reads_everything_and_finds_no_fault_with_it() {
    let Some(python) = program("ENTENTE_PYTHON", "python3", &["-c", "import pyVmomi"]) else {
        return;
    };
    let setup = Setup { tls: true, ..Setup::default() };
    let served = twin().serve(Arc::new(estate()), setup).await.unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/vsphere.py");
    let mut command = Command::new(python);
    command.args([script, &served.address, &served.user, &served.password]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    assert!(said.contains("ok: 240 machines"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_of_types_is_the_one_that_it_says_it_is_derived_from() {
    let check = "import importlib.metadata as it; assert it.version('pyvmomi') == '9.1.1.0'";
    let Some(python) = program("ENTENTE_PYTHON", "python3 with pyvmomi 9.1.1.0", &["-c", check])
    else {
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/schema.py");
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/src/live/vsphere/schema.txt");
    let output = Command::new(python).args([script, table]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let derived = String::from_utf8(output.stdout).unwrap();
    let kept = std::fs::read_to_string(table).unwrap();
    for (derived, kept) in derived.lines().zip(kept.lines()) {
        assert_eq!(derived, kept);
    }
    assert_eq!(derived.lines().count(), kept.lines().count());
}
