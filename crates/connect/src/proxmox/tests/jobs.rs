//! Which guests a backup job covers.

use std::collections::BTreeMap;

use entente_model::{Collection, GapCause, Observed, Why, WorkloadId};
use serde_json::{Value, json};

use super::configs::{data, read, script};
use super::replay::{Script, gaps, has_gap};

/// What shows everything.
pub(super) fn everything() -> Value {
    let all = json!({"Sys.Audit": 1, "VM.Audit": 1, "VM.GuestAgent.Audit": 1, "Datastore.Audit": 1,
                     "Pool.Audit": 1, "SDN.Audit": 1});
    json!({"/": all, "/access": all, "/nodes": all, "/pool": all, "/sdn": all, "/storage": all, "/vms": all})
}

/// Three guests on two nodes, of which the first two are in a pool.
fn three_guests(permissions: Value, jobs: Value) -> Script {
    let mut script = script("9.1.5", "qemu", "stopped", &json!({}));
    let guest = |vmid, node, pool: Option<&str>| json!({"type": "qemu", "vmid": vmid, "node": node, "status": "stopped", "pool": pool});
    let guests = [
        guest(100, "pve", Some("prod")),
        guest(101, "other", Some("prod")),
        guest(102, "pve", None),
    ];
    script.insert("GET /cluster/resources".into(), data(json!(guests)));
    script.insert("GET /access/permissions".into(), data(permissions));
    script.insert("GET /access/acl".into(), data(json!([])));
    script.insert("GET /cluster/backup".into(), data(jobs));
    script
}

/// Numbers of the guests that each job covers, and why there may be more.
fn covered(collection: &Collection) -> BTreeMap<&str, (String, Option<Why>)> {
    let number = |id: &'_ WorkloadId| id.as_str().strip_prefix("pve/").unwrap().to_owned();
    let jobs = collection.control.protection_jobs.iter().map(|job| {
        let guests: Vec<String> = job.workloads.iter().map(number).collect();
        (job.native_id.as_str(), (guests.join(" "), job.workloads.why()))
    });
    jobs.collect()
}

#[tokio::test]
async fn a_job_covers_what_the_platform_would_back_up() {
    let jobs = json!([
        {"id": "all", "all": 1}, {"id": "some", "exclude": "100,101"}, {"id": "node", "all": 1, "node": "pve"},
        {"id": "pool", "pool": "prod", "all": 1}, {"id": "pool-here", "pool": "prod", "node": "pve"},
        {"id": "named", "vmid": "102,100", "enabled": 0}, {"id": "named-here", "vmid": "100,101", "node": "pve"},
        {"id": "both", "vmid": "100", "pool": "prod"}, {"id": "neither"}, {"id": "odd", "vmid": {"x": 1}, "all": 1},
        {"id": "pool-some", "pool": "prod", "exclude": "100"},
    ]);
    let collection = read(three_guests(everything(), jobs)).await;
    let covered = covered(&collection);
    assert_eq!(covered["all"], ("100 101 102".into(), None));
    assert_eq!(covered["some"], ("102".into(), None));
    assert_eq!(covered["node"], ("100 102".into(), None));
    assert_eq!(covered["pool"], ("100 101".into(), None));
    assert_eq!(covered["pool-here"], ("100".into(), None));
    assert_eq!(covered["named"], ("100 102".into(), None));
    assert_eq!(covered["named-here"], ("100".into(), None));
    assert_eq!(covered["both"], ("100 101".into(), None));
    // What chooses nothing, or cannot be understood, is not a job without guests.
    assert_eq!(covered["neither"], ("".into(), Some(Why::Blank)));
    assert_eq!(covered["odd"], ("".into(), Some(Why::Unreadable)));
    assert_eq!(covered["pool-some"], ("101".into(), Some(Why::Unreadable)));
    let named = collection.control.protection_jobs.iter().find(|it| it.native_id == "named");
    assert_eq!(named.unwrap().enabled, Observed::Value(false));
}

#[tokio::test]
async fn what_rights_hide_may_be_covered_and_may_be_in_a_pool() {
    // Guests are all seen; whether those without a pool are in one that is hidden is not told.
    let mut permissions = everything();
    permissions["/pool"] = json!({"VM.Console": 0});
    let jobs = json!([{"id": "all", "all": 1}, {"id": "pool", "pool": "prod"}, {"id": "named", "vmid": "100,999"}]);
    let collection = read(three_guests(permissions, jobs.clone())).await;
    let covered_ = covered(&collection);
    assert_eq!(covered_["all"], ("100 101 102".into(), None));
    assert_eq!(covered_["pool"], ("100 101".into(), Some(Why::NoPermission)));
    let folder =
        |collection: &Collection, at: usize| collection.workloads[at].placement.folder.clone();
    assert_eq!(folder(&collection, 0), Observed::Value("prod".into()));
    assert_eq!(folder(&collection, 2), Observed::Unobserved(Why::NoPermission));
    assert!(has_gap(&collection, GapCause::NoPermission, "folders"), "{:#?}", gaps(&collection));
    // Whoever sees all pools sees that a guest is in none.
    let collection = read(three_guests(everything(), jobs.clone())).await;
    assert_eq!(folder(&collection, 2), Observed::Absent);
    // The access list is filtered: below `/vms` and `/pool` anything may be hidden.
    let mut permissions = everything();
    permissions.as_object_mut().unwrap().remove("/access");
    let collection = read(three_guests(permissions, jobs)).await;
    let covered_ = covered(&collection);
    assert_eq!(covered_["all"], ("100 101 102".into(), Some(Why::NoPermission)));
    assert_eq!(covered_["named"], ("100 999".into(), None));
    assert_eq!(folder(&collection, 2), Observed::Unobserved(Why::NoPermission));
    assert!(has_gap(&collection, GapCause::NoPermission, "workloads"));
}

#[tokio::test]
async fn a_guest_that_only_its_node_lists_may_be_in_any_pool() {
    let mut script = three_guests(everything(), json!([{"id": "pool", "pool": "prod"}]));
    let own = json!([{"vmid": 103, "status": "stopped"}]);
    script.insert("GET /nodes/pve/qemu".into(), data(own));
    let collection = read(script).await;
    assert!(collection.workloads[3].placement.folder.why().is_some());
    assert_eq!(covered(&collection)["pool"].1, Some(Why::Blank));
}
