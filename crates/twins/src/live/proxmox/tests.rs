//! Who sees what.

use super::*;
use crate::{EstateSpec, generate};

fn cluster(faults: &[Fault]) -> Cluster {
    let spec = EstateSpec { workloads: 400, ..EstateSpec::default() };
    let faults = Faults::of(faults);
    Cluster::new(World::of(&generate(&spec).remove(0), &faults), faults)
}

/// Status and data of an answer.
fn ask(cluster: &Cluster, path: &str, account: Account) -> (u16, Vec<Value>) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let request = Request {
        method: "GET".into(),
        path: path.into(),
        query: query.into(),
        headers: hyper::HeaderMap::new(),
        body: Bytes::new(),
    };
    let reply = cluster.route(&request, path, account);
    let body: Value = serde_json::from_slice(&reply.body.concat()).unwrap();
    (reply.status, body["data"].as_array().cloned().unwrap_or_default())
}

fn contents(cluster: &Cluster) -> Vec<String> {
    let (_, nodes) = ask(cluster, "/nodes", Account::Root);
    let node = nodes[0]["node"].as_str().unwrap();
    let (_, stores) = ask(cluster, &format!("/nodes/{node}/storage"), Account::Root);
    let names = stores.iter().map(|it| it["storage"].as_str().unwrap());
    names.map(|it| format!("/nodes/{node}/storage/{it}/content")).collect()
}

#[test]
fn images_are_listed_for_those_who_may_change_them_only() {
    let cluster = cluster(&[]);
    let (mut seen, mut all) = (Vec::new(), Vec::new());
    for path in contents(&cluster) {
        seen.extend(ask(&cluster, &path, Account::Auditor).1);
        all.extend(ask(&cluster, &path, Account::Root).1);
        assert_eq!(ask(&cluster, &path, Account::Tenant).0, 403);
    }
    assert!(seen.iter().all(|it| it["content"] == "iso") && !seen.is_empty());
    assert!(all.iter().filter(|it| it["content"] == "images").count() > 100);
}

#[test]
fn hidden_guests_are_in_no_list_that_is_filtered() {
    for (faults, account) in
        [(vec![Fault::Filtered], Account::Auditor), (Vec::new(), Account::Tenant)]
    {
        let cluster = cluster(&faults);
        for path in [
            "/cluster/resources?type=vm",
            "/cluster/backup-info/not-backed-up",
            "/cluster/replication",
        ] {
            let (status, list) = ask(&cluster, path, account);
            let whole = ask(&cluster, path, Account::Root).1;
            assert!(list.len() < whole.len(), "{path}");
            if account == Account::Auditor {
                assert!(status == 200 && !list.is_empty(), "{path}");
            }
            let number = |it: &Value| it["vmid"].as_u64().or(it["guest"].as_u64()).unwrap();
            assert!(list.iter().all(|it| number(it) % 2 == 0), "{path}");
        }
        let jobs = ask(&cluster, "/cluster/replication", Account::Root).1;
        let hidden = jobs.iter().find(|it| it["guest"].as_u64().unwrap() % 2 == 1).unwrap();
        let (node, id) = (hidden["source"].as_str().unwrap(), hidden["id"].as_str().unwrap());
        let state = format!("/nodes/{node}/replication/{id}/status");
        assert_eq!(ask(&cluster, &state, account).0, 403);
        assert_eq!(ask(&cluster, &state, Account::Root).0, 200);
    }
}

#[test]
fn a_tenant_sees_no_storages_and_no_tasks_of_others() {
    let cluster = cluster(&[]);
    let count = |path: &str, account| ask(&cluster, path, account).1.len();
    assert_eq!(count("/cluster/resources?type=storage", Account::Tenant), 0);
    assert!(count("/cluster/resources?type=storage", Account::Auditor) > 0);
    let all = ask(&cluster, "/cluster/resources", Account::Tenant).1;
    assert!(all.iter().all(|it| it["type"] != "storage") && !all.is_empty());
    let node = all.iter().find(|it| it["type"] == "node").unwrap();
    let tasks = format!("/nodes/{}/tasks", node["node"].as_str().unwrap());
    assert_eq!(count(&tasks, Account::Tenant), 0);
    assert!(count(&tasks, Account::Auditor) > 0);
}
