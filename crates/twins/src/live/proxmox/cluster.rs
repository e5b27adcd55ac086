//! The cluster and its nodes: lists, storages, networks, HA, jobs, tasks.

use serde_json::{Value, json};

use super::guests::GuestPlan;
use super::world::{Plan, Store, World, is_hidden};

/// Tasks per node.
const TASKS: u64 = 60;
/// Seconds between two tasks of a node.
const TASK_SECONDS: u64 = 3_600;
/// Every so many guests one is in no backup job.
const UNPROTECTED_EVERY: u64 = 17;
/// Every so many guests one is looked after by HA.
const GUARDED_EVERY: u64 = 5;
/// Every so many guests one is replicated.
const REPLICATED_EVERY: u64 = 29;
const BUILD: &str = "80cf92a64bef6889";
const DIGEST: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

/// Describes everything but guests and security.
pub(super) fn describe(
    plan: &Plan<'_>,
    guests: &[GuestPlan<'_>],
    version: &str,
    world: &mut World,
) {
    let release: String = version.split(['.', '-']).take(2).collect::<Vec<_>>().join(".");
    world.put("/version", &json!({ "version": version, "release": release, "repoid": BUILD }));
    lists(plan, guests, world);
    status(plan, guests, world);
    for (at, node) in (0..).zip(&plan.node_names) {
        self::node(plan, node, at, version, world);
        tasks(plan, node, at, world);
    }
    storages(plan, guests, world);
    availability(plan, guests, world);
    jobs(guests, world);
    pools(guests, world);
    let metrics = json!([{ "id": "graph", "type": "influxdb", "server": "metrics.example.com", "port": 8089, "disable": 0 }]);
    world.put("/cluster/metrics/server", &metrics);
    let targets = json!([{ "name": "mail-to-root", "type": "sendmail", "origin": "builtin" }]);
    world.put("/cluster/notifications/targets", &targets);
    world.put("/cluster/options", &json!({ "keyboard": "en-us", "crs": { "ha": "static" } }));
}

fn lists(plan: &Plan<'_>, guests: &[GuestPlan<'_>], world: &mut World) {
    let mut others: Vec<Value> = plan.node_names.iter().map(|node| json!({
        "id": format!("node/{node}"), "type": "node", "node": node, "status": "online", "maxcpu": 64,
        "maxmem": 512_u64 << 30, "cpu": 0.12, "mem": 128_u64 << 30, "uptime": 864_000, "level": "",
        "disk": 4_u64 << 30, "maxdisk": 96_u64 << 30,
    })).collect();
    for node in &plan.node_names {
        for store in plan.stores.values() {
            others.push(json!({
                "id": format!("storage/{node}/{}", store.name), "type": "storage", "node": node,
                "storage": store.name, "status": "available", "plugintype": store.kind,
                "shared": u8::from(store.is_shared), "content": content(store),
                "maxdisk": store.total, "disk": store.total.saturating_sub(store.free),
            }));
        }
    }
    let with = |chosen: &dyn Fn(&GuestPlan<'_>) -> bool| -> Vec<Value> {
        let chosen = guests.iter().filter(|it| chosen(it)).map(GuestPlan::resource);
        chosen.chain(others.iter().cloned()).collect()
    };
    let (whole, visible) = (with(&|_| true), with(&|it| !is_hidden(it.vmid)));
    world.put_filtered("/cluster/resources", &whole, &visible);
    for node in &plan.node_names {
        for kind in ["qemu", "lxc"] {
            let here = || guests.iter().filter(|it| it.node == *node && it.kind() == kind);
            let whole: Vec<Value> = here().map(GuestPlan::listed).collect();
            let visible: Vec<Value> =
                here().filter(|it| !is_hidden(it.vmid)).map(GuestPlan::listed).collect();
            world.put_filtered(&format!("/nodes/{node}/{kind}"), &whole, &visible);
        }
    }
}

fn status(plan: &Plan<'_>, guests: &[GuestPlan<'_>], world: &mut World) {
    // Whoever asks reaches a node that has guests.
    let local = guests.first().map_or("", |it| it.node.as_str());
    let mut list = vec![json!({
        "id": "cluster", "type": "cluster", "name": world.name, "quorate": 1, "version": 3,
        "nodes": plan.node_names.len(),
    })];
    list.extend((1..).zip(&plan.node_names).map(|(at, node)| {
        json!({
            "id": format!("node/{node}"), "type": "node", "name": node, "nodeid": at, "online": 1,
            "local": u8::from(node == local), "level": "c", "ip": format!("192.0.2.{at}"),
        })
    }));
    world.put("/cluster/status", &list.into());
    let nodes: Vec<Value> = plan
        .node_names
        .iter()
        .map(|node| {
            json!({
                "id": format!("node/{node}"), "type": "node", "node": node, "status": "online",
                "ssl_fingerprint": null, "maxcpu": 64, "maxmem": 512_u64 << 30,
            })
        })
        .collect();
    world.put("/nodes", &nodes.into());
}

fn node(plan: &Plan<'_>, node: &str, at: usize, version: &str, world: &mut World) {
    let host = plan.collection.hosts.get(at);
    let fact = |told: Option<u64>, otherwise: u64| told.unwrap_or(otherwise);
    let cores = fact(host.and_then(|it| it.cores.copied()).map(u64::from), 16);
    let clock = fact(host.and_then(|it| it.cpu_mhz.copied()), 2_400);
    let memory = fact(host.and_then(|it| it.memory_bytes.copied()), 256 << 30);
    let model = host.and_then(|it| it.cpu_model.value()).map_or("AMD EPYC", |it| it.as_str());
    let base = format!("/nodes/{node}");
    world.put(format!("{base}/status"), &json!({
        "cpu": 0.125_497, "uptime": 864_000 + at, "pveversion": format!("pve-manager/{version}/{BUILD}"),
        "cpuinfo": {
            "model": model, "sockets": host.and_then(|it| it.sockets.copied()).unwrap_or(1),
            "cores": cores, "cpus": cores * 2, "mhz": format!("{clock}.749"), "hvm": "1",
        },
        "memory": { "total": memory, "used": memory / 3, "free": memory - memory / 3 },
        "loadavg": ["0.84", "0.87", "0.93"], "kversion": "Linux 6.17.9-1-pve",
    }));
    world.put(
        format!("{base}/version"),
        &json!({ "version": version, "release": "9.1", "repoid": BUILD }),
    );
    let subscription = match at % 3 {
        0 => {
            json!({ "status": "notfound", "message": "There is no subscription key", "serverid": null })
        }
        _ => json!({
            "status": "active", "productname": "Proxmox VE Standard Subscription 2 CPUs/year", "sockets": 2,
            "level": "s", "key": "pve2s-0123456789", "nextduedate": "2027-03-01", "serverid": "0123456789ABCDEF",
        }),
    };
    world.put(format!("{base}/subscription"), &subscription);
    world.put(format!("{base}/config"), &json!({ "digest": DIGEST }));
    world.put(format!("{base}/certificates/info"), &json!([
        { "filename": "pve-root-ca.pem", "notafter": plan.now + 300_000_000, "subject": "/CN=Proxmox Virtual Environment" },
        { "filename": "pve-ssl.pem", "notafter": plan.now + 40_000_000, "subject": format!("/CN={node}") },
    ]));
    let mut interfaces = vec![json!({
        "iface": "eno1", "type": "eth", "active": 1, "exists": 1, "method": "manual", "method6": "manual",
        "families": ["inet"], "priority": 3,
    })];
    for (number, bridge) in plan.bridges.values().enumerate() {
        let mut bridge = json!({
            "iface": bridge, "type": "bridge", "active": 1, "autostart": 1, "bridge_ports": "eno1",
            "bridge_stp": "off", "bridge_fd": "0", "bridge_vlan_aware": 1, "priority": 5 + number,
            "method": "manual", "method6": "manual", "families": ["inet"],
        });
        if let (Value::Object(fields), "vmbr0") =
            (&mut bridge, plan.bridges.values().nth(number).map_or("", String::as_str))
        {
            fields.insert("address".into(), json!(format!("192.0.2.{}", at + 1)));
            fields.insert("netmask".into(), json!("24"));
            fields.insert("method".into(), json!("static"));
        }
        interfaces.push(bridge);
    }
    world.put(format!("{base}/network"), &interfaces.into());
}

fn content(store: &Store) -> &'static str {
    if store.kind == "dir" { "iso,vztmpl,backup" } else { "images,rootdir" }
}

fn storages(plan: &Plan<'_>, guests: &[GuestPlan<'_>], world: &mut World) {
    let list: Vec<Value> = plan.stores.values().map(|store| json!({
        "storage": store.name, "type": store.kind, "content": content(store), "digest": DIGEST,
        "shared": u8::from(store.is_shared),
    })).collect();
    world.put("/storage", &list.into());
    for node in &plan.node_names {
        let list: Vec<Value> = plan.stores.values().map(|store| json!({
            "storage": store.name, "type": store.kind, "content": content(store), "enabled": 1, "active": 1,
            "shared": u8::from(store.is_shared), "total": store.total, "avail": store.free,
            "used": store.total.saturating_sub(store.free), "used_fraction": 0.5,
        })).collect();
        world.put(format!("/nodes/{node}/storage"), &list.into());
        for store in plan.stores.values() {
            let prefix = format!("{}:", store.name);
            let here = guests.iter().filter(|it| store.is_shared || it.node == *node);
            // Media of systems are for everybody who may look into the storage.
            let media = match store.kind {
                "dir" => vec![json!({
                    "volid": format!("{}:iso/debian-13.iso", store.name), "format": "iso",
                    "content": "iso", "size": 800_u64 << 20, "ctime": 1_700_000_000,
                })],
                _ => Vec::new(),
            };
            let images = here
                .flat_map(|guest| {
                    guest.volumes.iter().zip(&guest.workload.disks).map(move |it| (guest, it))
                })
                .filter(|(_, (volume, _))| volume.starts_with(&prefix))
                .map(|(guest, (volume, disk))| {
                    json!({
                        "volid": volume, "vmid": guest.vmid, "format": "raw", "content": "images",
                        "size": disk.capacity_bytes.copied().unwrap_or(0), "ctime": 1_700_000_000,
                    })
                });
            let all: Vec<Value> = media.iter().cloned().chain(images).collect();
            let path = format!("/nodes/{node}/storage/{}/content", store.name);
            world.put_content(path, &media.into(), &all.into());
        }
    }
}

fn availability(plan: &Plan<'_>, guests: &[GuestPlan<'_>], world: &mut World) {
    let sid =
        |it: &GuestPlan<'_>| format!("{}:{}", if it.is_container { "ct" } else { "vm" }, it.vmid);
    let guarded: Vec<&GuestPlan<'_>> = guests
        .iter()
        .filter(|it| it.vmid.is_multiple_of(GUARDED_EVERY) && !it.has_vanished)
        .collect();
    let list: Vec<Value> = guarded.iter().map(|it| json!({
        "sid": sid(it), "type": if it.is_container { "ct" } else { "vm" }, "state": "started",
        "max_relocate": 2, "digest": DIGEST,
    })).collect();
    world.put("/cluster/ha/resources", &list.into());
    let states: serde_json::Map<String, Value> =
        plan.node_names.iter().map(|it| (it.clone(), json!("online"))).collect();
    world.put("/cluster/ha/status/manager_status", &json!({
        "manager_status": { "master_node": plan.node_names.first(), "node_status": states, "timestamp": plan.now },
        "quorum": { "quorate": "1", "node": plan.node_names.first() },
        "lrm_status": {},
    }));
    let names: Vec<String> = guarded.iter().take(3).map(|it| sid(it)).collect();
    let nodes: Vec<String> = plan.node_names.iter().take(2).map(|it| format!("{it}:1")).collect();
    let rules = if names.len() < 2 {
        json!([])
    } else {
        json!([
            { "rule": "keep-near", "type": "node-affinity", "resources": names.join(","), "nodes": nodes.join(","), "strict": 0 },
            { "rule": "keep-apart", "type": "resource-affinity", "affinity": "negative", "resources": names.join(",") },
        ])
    };
    world.put("/cluster/ha/rules", &rules);
    let current = json!([{ "id": "quorum", "type": "quorum", "node": plan.node_names.first(), "status": "OK", "quorate": 1 }]);
    world.put("/cluster/ha/status/current", &current);
}

fn jobs(guests: &[GuestPlan<'_>], world: &mut World) {
    let unprotected: Vec<&GuestPlan<'_>> =
        guests.iter().filter(|it| it.vmid.is_multiple_of(UNPROTECTED_EVERY)).collect();
    let left_out: Vec<String> = unprotected.iter().map(|it| it.vmid.to_string()).collect();
    let mut jobs = vec![json!({
        "id": "backup-nightly", "type": "vzdump", "enabled": 1, "all": 1, "exclude": left_out.join(","),
        "schedule": "21:00", "storage": "local", "mode": "snapshot", "compress": "zstd",
        "mailto": "operations@example.com", "prune-backups": { "keep-daily": "7", "keep-weekly": "4" },
    })];
    if let Some(first) = guests.iter().find(|it| !it.has_vanished) {
        jobs.push(json!({
            "id": "backup-pool", "type": "vzdump", "enabled": 0, "pool": first.pool, "schedule": "sat 02:00",
            "storage": "local", "mode": "stop", "prune-backups": "keep-last=3",
        }));
    }
    world.put("/cluster/backup", &jobs.into());
    let told = |it: &&GuestPlan<'_>| json!({ "vmid": it.vmid, "name": it.workload.name, "type": it.kind() });
    let whole: Vec<Value> = unprotected.iter().map(told).collect();
    let visible: Vec<Value> =
        unprotected.iter().filter(|it| !is_hidden(it.vmid)).map(told).collect();
    world.put_filtered("/cluster/backup-info/not-backed-up", &whole, &visible);
    replications(guests, world);
}

fn replications(guests: &[GuestPlan<'_>], world: &mut World) {
    let visible = |jobs: &[Value]| -> Vec<Value> {
        let seen = |it: &&Value| it["guest"].as_u64().is_some_and(|it| !is_hidden(it));
        jobs.iter().filter(seen).cloned().collect()
    };
    let replicated: Vec<Value> = guests
        .iter()
        .filter(|it| it.vmid.is_multiple_of(REPLICATED_EVERY) && !it.has_vanished)
        .map(|it| json!({
            "id": format!("{}-0", it.vmid), "guest": it.vmid, "jobnum": 0, "target": "other", "type": "local",
            "source": it.node, "schedule": "*/30",
        }))
        .collect();
    for node in world.node_names() {
        let mut here = Vec::new();
        for job in replicated.iter().filter(|it| it["source"] == node.as_str()) {
            let state = json!({ "last_sync": 1_780_000_000, "last_try": 1_780_000_000, "next_sync": 1_780_001_800,
                                "fail_count": 0, "duration": 4.2 });
            let mut running = job.clone();
            if let (Value::Object(fields), Value::Object(state)) = (&mut running, &state) {
                fields.extend(state.clone());
                fields.insert("vmtype".into(), json!("qemu"));
            }
            let id = job["id"].as_str().unwrap_or_default();
            world.put(format!("/nodes/{node}/replication/{id}/status"), &state);
            here.push(running);
        }
        world.put_filtered(&format!("/nodes/{node}/replication"), &here, &visible(&here));
    }
    world.put_filtered("/cluster/replication", &replicated, &visible(&replicated));
}

fn pools(guests: &[GuestPlan<'_>], world: &mut World) {
    let mut names: Vec<&str> = guests.iter().map(|it| it.pool.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let list: Vec<Value> = names.iter().map(|it| json!({ "poolid": it, "comment": "" })).collect();
    world.put("/pools", &list.into());
}

/// Tasks of the last days, latest first.
fn tasks(plan: &Plan<'_>, node: &str, at: usize, world: &mut World) {
    const KINDS: [(&str, &str); 4] =
        [("vzdump", ""), ("qmstart", "100"), ("vncproxy", "101"), ("qmsnapshot", "102")];
    let tasks = (0..TASKS)
        .zip(KINDS.iter().cycle())
        .map(|(number, (kind, subject))| {
            let started = plan.now.saturating_sub(number * TASK_SECONDS + at as u64);
            let (user, token) = match number % 3 {
                0 => ("root@pam", None),
                1 => ("backup@pve", Some("nightly")),
                _ => ("ops@pve", None),
            };
            let who = token.map_or_else(|| user.to_owned(), |it| format!("{user}!{it}"));
            let pid = 0x0008_8CB8 + number;
            let upid = format!("UPID:{node}:{pid:08X}:{:08X}:{started:08X}:{kind}:{subject}:{who}:", number * 100);
            let mut task = json!({
                "upid": upid, "node": node, "pid": pid, "pstart": number * 100, "starttime": started,
                "type": kind, "id": subject, "user": user, "endtime": started + 12,
                "status": if number % 11 == 0 { "job errors" } else { "OK" },
            });
            if let (Value::Object(fields), Some(token)) = (&mut task, token) {
                fields.insert("tokenid".into(), json!(token));
            }
            task
        })
        .collect();
    world.put_tasks(node, tasks);
}
