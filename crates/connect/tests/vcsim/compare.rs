//! A collection beside what govc says of the same server, field by field.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{Collection, Observed, PowerState, Text, Workload};
use serde_json::Value;

use crate::server::Vcsim;

/// A name as people know it.
fn plain(name: &str) -> String {
    name.replace("%2f", "/")
        .replace("%2F", "/")
        .replace("%5c", "\\")
        .replace("%5C", "\\")
        .replace("%25", "%")
}

/// Paths by id, of everything.
fn paths(server: &Vcsim) -> BTreeMap<String, String> {
    let printed = server.govc(&["find", "-l", "-I", "/"]);
    let pair = |line: &str| {
        let (id, path) = line.split_once(char::is_whitespace)?;
        Some((id.to_owned(), plain(path.trim())))
    };
    printed.lines().filter_map(pair).collect()
}

/// Ids of all objects of a kind.
fn ids(server: &Vcsim, kind: &str) -> BTreeSet<String> {
    let printed = server.govc(&["find", "-i", "/", "-type", kind]);
    printed.lines().filter_map(|it| it.split_once(':')).map(|it| it.1.to_owned()).collect()
}

fn native(id: &str) -> &str {
    id.strip_prefix("vc/").unwrap()
}

fn set<T>(items: &[T], id: impl Fn(&T) -> &str) -> BTreeSet<String> {
    items.iter().map(|it| native(id(it)).to_owned()).collect()
}

/// Holds everything that govc lists against the collection.
pub fn compare(server: &Vcsim, collection: &Collection) {
    assert_eq!(set(&collection.workloads, |it| it.id.as_str()), ids(server, "m"));
    assert_eq!(set(&collection.hosts, |it| it.id.as_str()), ids(server, "h"));
    assert_eq!(set(&collection.datastores, |it| it.id.as_str()), ids(server, "s"));
    assert_eq!(set(&collection.networks, |it| it.id.as_str()), ids(server, "n"));
    assert_eq!(set(&collection.clusters, |it| it.id.as_str()), ids(server, "c"));
    assert_eq!(
        collection.resource_pools.len(),
        ids(server, "p").len() + ids(server, "a").difference(&ids(server, "p")).count()
    );
    let paths = paths(server);
    for folder in &collection.control.folders {
        if let Some(path) = paths.get(folder.native_id.as_str()) {
            assert_eq!(folder.path, *path, "{}", folder.native_id);
        }
    }
    machines(server, collection, &paths);
    hosts(server, collection);
    datastores(server, collection);
    authority(server, collection, &paths);
}

/// Properties of objects of a kind, by id.
fn properties(
    server: &Vcsim,
    kind: &str,
    names: &[&str],
) -> BTreeMap<String, BTreeMap<String, Value>> {
    let mut arguments = vec!["object.collect", "-json", "-type", kind, "/"];
    arguments.extend(names);
    let mut objects: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for mut update in server.json(&arguments) {
        let id = update["obj"]["value"].as_str().unwrap().to_owned();
        let object = objects.entry(id).or_default();
        for change in update["changeSet"].as_array_mut().unwrap() {
            object.insert(change["name"].as_str().unwrap().to_owned(), change["val"].take());
        }
    }
    objects
}

fn machines(server: &Vcsim, collection: &Collection, paths: &BTreeMap<String, String>) {
    let wanted =
        ["name", "runtime.powerState", "config.hardware", "parent", "runtime.host", "config.uuid"];
    let told = properties(server, "m", &wanted);
    assert_eq!(told.len(), collection.workloads.len());
    let switches = networks_by_opaque_id(server);
    for workload in &collection.workloads {
        let id = native(workload.id.as_str());
        let it = told.get(id).unwrap_or_else(|| panic!("{id} is not there"));
        assert_eq!(workload.name, plain(it["name"].as_str().unwrap()), "{id}");
        let power = match it["runtime.powerState"].as_str().unwrap() {
            "poweredOn" => PowerState::On,
            "poweredOff" => PowerState::Off,
            _ => PowerState::Suspended,
        };
        assert_eq!(workload.power, Observed::Value(power), "{id}");
        let host = workload.placement.host.value().map(|it| native(it.as_str()));
        assert_eq!(host, it["runtime.host"]["value"].as_str(), "{id}");
        if let Some(parent) = it.get("parent").and_then(|it| it["value"].as_str()) {
            let folder = workload.placement.folder.value().map(Text::as_str);
            assert_eq!(folder, paths.get(parent).map(String::as_str), "{id}");
        }
        let uuid = it["config.uuid"].as_str().map(|it| it.parse().unwrap());
        assert_eq!(workload.bios_uuid.copied(), uuid, "{id}");
        hardware(workload, &it["config.hardware"], &switches);
    }
}

fn networks_by_opaque_id(server: &Vcsim) -> BTreeMap<String, String> {
    if ids(server, "o").is_empty() {
        return BTreeMap::new();
    }
    let told = properties(server, "o", &["summary"]);
    let pair = |(id, it): (String, BTreeMap<String, Value>)| {
        Some((it["summary"]["opaqueNetworkId"].as_str()?.to_owned(), id))
    };
    told.into_iter().filter_map(pair).collect()
}

fn hardware(workload: &Workload, told: &Value, opaque: &BTreeMap<String, String>) {
    let id = &workload.id;
    let count = |name: &str| told[name].as_u64();
    assert_eq!(workload.cpu.count.copied().map(u64::from), count("numCPU"), "{id}");
    assert_eq!(workload.memory.size_bytes.copied(), count("memoryMB").map(|it| it << 20), "{id}");
    let devices: Vec<&Value> = told["device"].as_array().into_iter().flatten().collect();
    let disks: Vec<_> = devices.iter().filter(|it| it.get("capacityInKB").is_some()).collect();
    assert_eq!(workload.disks.items.len(), disks.len(), "{id}");
    for (disk, told) in workload.disks.iter().zip(disks) {
        let capacity = told["capacityInBytes"].as_u64().filter(|it| *it > 0);
        let capacity = capacity.or(told["capacityInKB"].as_u64().map(|it| it << 10));
        assert_eq!(disk.capacity_bytes.copied(), capacity, "{id}");
        assert_eq!(
            disk.path.value().map(Text::as_str),
            told["backing"]["fileName"].as_str(),
            "{id}"
        );
        let datastore = disk.datastore.value().map(|it| native(it.as_str()));
        assert_eq!(datastore, told["backing"]["datastore"]["value"].as_str(), "{id}");
    }
    let nics: Vec<_> = devices.iter().filter(|it| it.get("macAddress").is_some()).collect();
    assert_eq!(workload.nics.items.len(), nics.len(), "{id}");
    for (nic, told) in workload.nics.iter().zip(nics) {
        let mac = told["macAddress"].as_str().map(str::to_lowercase);
        assert_eq!(nic.mac.value().map(Text::to_string), mac, "{id}");
        let backing = &told["backing"];
        let network = backing["port"]["portgroupKey"]
            .as_str()
            .or(backing["network"]["value"].as_str())
            .or(backing["opaqueNetworkId"]
                .as_str()
                .and_then(|it| opaque.get(it))
                .map(|it| it.as_str()));
        assert_eq!(nic.network.value().map(|it| native(it.as_str())), network, "{id}: {told}");
    }
}

fn hosts(server: &Vcsim, collection: &Collection) {
    let told = properties(server, "h", &["name", "summary.hardware", "config.product"]);
    for host in &collection.hosts {
        let it = &told[native(host.id.as_str())];
        let hardware = &it["summary.hardware"];
        assert_eq!(host.name, plain(it["name"].as_str().unwrap()));
        assert_eq!(host.memory_bytes.copied(), hardware["memorySize"].as_u64());
        assert_eq!(host.cores.copied().map(u64::from), hardware["numCpuCores"].as_u64());
        assert_eq!(
            host.version.value().map(Text::as_str),
            it["config.product"]["version"].as_str()
        );
    }
}

fn datastores(server: &Vcsim, collection: &Collection) {
    let told = properties(server, "s", &["name", "summary"]);
    for datastore in &collection.datastores {
        let it = &told[native(datastore.id.as_str())];
        assert_eq!(datastore.name, plain(it["name"].as_str().unwrap()));
        // Sizes of one that no host reaches are what was last known of it.
        let is_valid = it["summary"]["accessible"] == true;
        let size = |name: &str| it["summary"][name].as_u64().filter(|_| is_valid);
        assert_eq!(datastore.capacity_bytes.copied(), size("capacity"));
        assert_eq!(datastore.free_bytes.copied(), size("freeSpace"));
        assert_eq!(datastore.kind.value().map(Text::as_str), it["summary"]["type"].as_str());
    }
}

fn authority(server: &Vcsim, collection: &Collection, paths: &BTreeMap<String, String>) {
    let roles = server.json(&["role.ls", "-json"]);
    // Printed as a list, or within an object, by different versions.
    let list = roles[0].as_array().or(roles[0]["Roles"].as_array()).unwrap();
    let told: BTreeMap<String, BTreeSet<String>> = list
        .iter()
        .map(|role| {
            let privileges = role["privilege"].as_array().into_iter().flatten();
            let privileges = privileges.map(|it| it.as_str().unwrap().to_owned()).collect();
            (role["name"].as_str().unwrap().to_owned(), privileges)
        })
        .collect();
    let ours: BTreeMap<String, BTreeSet<String>> = collection
        .control
        .roles
        .iter()
        .map(|role| (role.name.to_string(), role.privileges.iter().map(Text::to_string).collect()))
        .collect();
    assert_eq!(ours, told);

    let grants: BTreeSet<_> = collection
        .control
        .grants
        .iter()
        .map(|it| {
            (
                it.scope_id.value().cloned().unwrap().to_string(),
                it.principal.to_string(),
                it.role.to_string(),
            )
        })
        .collect();
    let permissions = server.json(&["permissions.ls", "-json", "/"]);
    let listed = permissions[0]["Permissions"].as_array().unwrap();
    for it in listed {
        let grant = (
            it["entity"]["value"].as_str().unwrap().to_owned(),
            it["principal"].as_str().unwrap().to_owned(),
            it["roleId"].to_string(),
        );
        assert!(grants.contains(&grant), "{grant:?} is not in {grants:?}");
    }
    for grant in &collection.control.grants {
        let id = grant.scope_id.value().unwrap().as_str();
        if let Some(path) = paths.get(id) {
            assert_eq!(grant.scope, *path);
        }
    }
}
