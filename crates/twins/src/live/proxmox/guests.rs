//! Guests: configuration, state, VM snapshots and agents, as a node tells them.

use std::collections::BTreeMap;

use entente_model::{
    Disk, DiskMode, FirmwareKind, Nic, Observed, PowerState, ToolsStatus, Workload, WorkloadKind,
};
use serde_json::{Map, Value, json};

use super::world::{FIRST_VMID, Plan, World, word};
use crate::random::hash;

/// One in so many ordinary machines is a container here.
const CONTAINER_EVERY: u64 = 23;
/// One in so many has the firewall on its interfaces.
const FIREWALL_EVERY: u64 = 3;
const GIB: u64 = 1 << 30;
/// Slots of each bus, in the order in which they are filled.
const BUSES: [(&str, usize); 3] = [("scsi", 31), ("virtio", 16), ("sata", 6)];

/// One guest in the making.
pub(super) struct GuestPlan<'a> {
    pub workload: &'a Workload,
    pub vmid: u64,
    pub node: String,
    pub is_container: bool,
    pub has_firewall: bool,
    pub volumes: Vec<String>,
    pub pool: String,
    /// Its element in lists cannot be understood.
    pub is_bad: bool,
    /// It is gone when it is asked for.
    pub has_vanished: bool,
}

/// Gives every workload its number, node and volumes.
pub(super) fn plan_guests<'a>(plan: &Plan<'a>) -> Vec<GuestPlan<'a>> {
    let mut volumes: BTreeMap<(String, String), String> = BTreeMap::new();
    let workloads = (FIRST_VMID..).zip(&plan.collection.workloads);
    workloads
        .map(|(vmid, workload)| {
            let may_be_container = workload.kind == WorkloadKind::Machine
                && matches!(workload.power, Observed::Value(PowerState::On | PowerState::Off));
            let host = workload.placement.host.value().map(|it| it.as_str());
            let made = workload.disks.iter().enumerate().map(|(at, disk)| {
                let store = disk.datastore.value().map(|it| it.as_str());
                let store = plan.store(store).map_or("local", |it| it.name.as_str());
                let path = disk.path.value().map_or_else(String::new, ToString::to_string);
                let fresh = format!("{store}:vm-{vmid}-disk-{at}");
                if path.is_empty() {
                    return fresh;
                }
                // A disk that several machines write to is one volume that several name.
                volumes.entry((store.to_owned(), path)).or_insert(fresh).clone()
            });
            let cluster = workload.placement.cluster.value().map_or("none", |it| it.as_str());
            GuestPlan {
                workload,
                vmid,
                node: plan.node(host).to_owned(),
                is_container: may_be_container && vmid.is_multiple_of(CONTAINER_EVERY),
                has_firewall: vmid.is_multiple_of(FIREWALL_EVERY),
                volumes: made.collect(),
                pool: word(cluster.rsplit('/').next().unwrap_or("none")),
                is_bad: false,
                has_vanished: false,
            }
        })
        .collect()
}

impl GuestPlan<'_> {
    pub(super) fn kind(&self) -> &'static str {
        if self.is_container { "lxc" } else { "qemu" }
    }

    fn is_running(&self) -> bool {
        self.workload.power == Observed::Value(PowerState::On)
    }

    fn is_template(&self) -> bool {
        self.workload.kind == WorkloadKind::Template
    }

    fn memory_bytes(&self) -> u64 {
        self.workload.memory.size_bytes.copied().unwrap_or(0)
    }

    fn processors(&self) -> u32 {
        self.workload.cpu.count.copied().unwrap_or(1)
    }

    fn number(&self) -> Value {
        if self.is_bad { json!({ "unexpected": self.vmid }) } else { json!(self.vmid) }
    }

    /// Its element in the list of the cluster.
    pub(super) fn resource(&self) -> Value {
        let mut value = self.listed();
        if let Value::Object(fields) = &mut value {
            fields.insert("id".into(), json!(format!("{}/{}", self.kind(), self.vmid)));
            fields.insert("type".into(), json!(self.kind()));
            fields.insert("node".into(), json!(self.node));
            fields.insert("pool".into(), json!(self.pool));
            fields.insert("template".into(), json!(u8::from(self.is_template())));
            fields.insert("maxcpu".into(), json!(self.processors()));
            fields.remove("cpus");
        }
        value
    }

    /// Its element in the list of its node.
    pub(super) fn listed(&self) -> Value {
        let disk = self.workload.disks.iter().find_map(|it| it.capacity_bytes.copied());
        let used = if self.is_running() { self.memory_bytes() / 2 } else { 0 };
        json!({
            "vmid": self.number(), "name": self.workload.name,
            "status": if self.is_running() { "running" } else { "stopped" },
            "cpus": self.processors(), "maxmem": self.memory_bytes(), "maxdisk": disk.unwrap_or(0),
            "mem": used, "cpu": if self.is_running() { 0.0417 } else { 0.0 }, "disk": 0,
            "uptime": if self.is_running() { 86_400 + self.vmid } else { 0 },
            "netin": 0, "netout": 0, "diskread": 0, "diskwrite": 0,
        })
    }

    fn digest(&self) -> String {
        let half = hash(&format!("{}{}", self.vmid, self.workload.name));
        format!("{half:016x}{half:016x}{:08x}", half >> 32)
    }
}

/// Describes one guest.
pub(super) fn describe(plan: &Plan<'_>, guest: &GuestPlan<'_>, world: &mut World) {
    if guest.has_vanished {
        return;
    }
    let base = format!("/nodes/{}/{}/{}", guest.node, guest.kind(), guest.vmid);
    let config = if guest.is_container { container(plan, guest) } else { machine(plan, guest) };
    let pending: Vec<Value> =
        config.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    world.put(format!("{base}/config"), &config.clone().into());
    world.put(format!("{base}/pending"), &pending.into());
    world.put(format!("{base}/snapshot"), &snapshots(guest).into());
    let mut status = guest.listed();
    if let Value::Object(fields) = &mut status {
        fields.insert("vmid".into(), json!(guest.vmid));
        fields.insert("ha".into(), json!({ "managed": 0 }));
        fields.insert("clipboard".into(), Value::Null);
        if !guest.is_container {
            let state = if guest.is_running() { "running" } else { "stopped" };
            fields.insert("qmpstatus".into(), json!(state));
            fields.insert("proxmox-support".into(), json!({ "pbs-dirty-bitmap": true }));
        }
    }
    world.put(format!("{base}/status/current"), &status);
    if guest.is_running() {
        agent(guest, &base, world);
    }
    if guest.has_firewall {
        firewall(guest, &base, world);
    }
}

/// A size as configurations write it.
fn size(bytes: u64) -> String {
    [(GIB, "G"), (1 << 20, "M"), (1 << 10, "K")]
        .into_iter()
        .find(|(unit, _)| bytes.is_multiple_of(*unit) && bytes > 0)
        .map_or_else(|| bytes.to_string(), |(unit, letter)| format!("{}{letter}", bytes / unit))
}

fn has_tools(workload: &Workload) -> bool {
    matches!(workload.guest.tools.status, Observed::Value(it) if it != ToolsStatus::NotInstalled)
}

fn machine(plan: &Plan<'_>, guest: &GuestPlan<'_>) -> Map<String, Value> {
    let workload = guest.workload;
    let count = guest.processors();
    let cores = workload
        .cpu
        .cores_per_socket
        .copied()
        .filter(|it| *it > 0 && count.is_multiple_of(*it))
        .unwrap_or(count);
    let mut config = common(guest);
    let mut set = |key: &str, value: Value| config.insert(key.to_owned(), value);
    set("name", json!(workload.name));
    set("cores", json!(cores));
    set("sockets", json!(count.checked_div(cores).unwrap_or(1)));
    // Numbers of memory are strings here, those of processors are not.
    set("memory", json!((guest.memory_bytes() >> 20).to_string()));
    set("ostype", json!(ostype(workload)));
    set("scsihw", json!("virtio-scsi-single"));
    set("numa", json!(0));
    set("cpu", json!("x86-64-v2-AES"));
    set("boot", json!("order=scsi0"));
    set("vmgenid", json!(uuid(workload, 1)));
    let bios = workload.bios_uuid.value().map_or_else(|| uuid(workload, 2), ToString::to_string);
    set("smbios1", json!(format!("uuid={bios}")));
    set("meta", json!(format!("creation-qemu=10.1.2,ctime={}", 1_700_000_000 + guest.vmid)));
    if has_tools(workload) {
        set("agent", json!("1"));
    }
    if workload.firmware.kind == Observed::Value(FirmwareKind::Efi) {
        let keys = u8::from(workload.firmware.secure_boot == Observed::Value(true));
        set("bios", json!("ovmf"));
        set(
            "efidisk0",
            json!(format!(
                "local:vm-{}-efi,efitype=4m,pre-enrolled-keys={keys},size=4M",
                guest.vmid
            )),
        );
    }
    if guest.is_template() {
        set("template", json!(1));
    }
    if workload.power == Observed::Value(PowerState::Suspended) {
        set("lock", json!("suspended"));
    }
    set("ide2", json!("none,media=cdrom"));
    let slots =
        BUSES.iter().flat_map(|(bus, count)| (0..*count).map(move |at| format!("{bus}{at}")));
    let disks: Vec<_> = workload.disks.iter().zip(&guest.volumes).zip(slots).collect();
    for ((disk, volume), key) in disks {
        set(&key, json!(drive(disk, volume)));
    }
    for (at, nic) in workload.nics.iter().enumerate() {
        set(&format!("net{at}"), json!(interface(plan, guest, nic, at)));
    }
    config
}

fn drive(disk: &Disk, volume: &str) -> String {
    let mut text = format!("{volume},cache=none,discard=on,iothread=1");
    if let Some(bytes) = disk.capacity_bytes.copied() {
        text.push_str(&format!(",size={}", size(bytes)));
    }
    if matches!(
        disk.mode,
        Observed::Value(DiskMode::NonPersistent | DiskMode::IndependentNonPersistent)
    ) {
        text.push_str(",snapshot=1");
    }
    text
}

fn mac(guest: &GuestPlan<'_>, nic: &Nic, at: usize) -> String {
    let own = hash(&format!("{}/{at}", guest.vmid));
    let [.., a, b, c] = own.to_be_bytes();
    let made = format!("BC:24:11:{a:02X}:{b:02X}:{c:02X}");
    nic.mac.value().map_or(made, |it| it.to_uppercase())
}

fn attachment(plan: &Plan<'_>, guest: &GuestPlan<'_>, nic: &Nic) -> String {
    let mut text = String::new();
    let network = nic.network.value();
    if let Some(wire) = plan.wire(network) {
        text.push_str(&format!(",bridge={}", wire.bridge));
        if let Some(tag) = wire.tag {
            text.push_str(&format!(",tag={tag}"));
        }
    }
    if guest.has_firewall {
        text.push_str(",firewall=1");
    }
    if nic.starts_connected == Observed::Value(false) {
        text.push_str(",link_down=1");
    }
    text
}

fn interface(plan: &Plan<'_>, guest: &GuestPlan<'_>, nic: &Nic, at: usize) -> String {
    let model = match nic.adapter.value().map(|it| it.to_lowercase()) {
        Some(it) if it.contains("e1000e") => "e1000e",
        Some(it) if it.contains("e1000") => "e1000",
        Some(it) if it.contains("vmxnet") && at % 5 == 4 => "vmxnet3",
        _ => "virtio",
    };
    format!("{model}={}{}", mac(guest, nic, at), attachment(plan, guest, nic))
}

fn container(plan: &Plan<'_>, guest: &GuestPlan<'_>) -> Map<String, Value> {
    let workload = guest.workload;
    let mut config = common(guest);
    let mut set = |key: &str, value: Value| config.insert(key.to_owned(), value);
    set("hostname", json!(workload.name));
    set("arch", json!("amd64"));
    set("cores", json!(guest.processors()));
    set("memory", json!(guest.memory_bytes() >> 20));
    set("swap", json!(512));
    set("ostype", json!("debian"));
    set("unprivileged", json!(1));
    set("features", json!("nesting=1"));
    for (at, (disk, volume)) in workload.disks.iter().zip(&guest.volumes).enumerate() {
        let size = disk
            .capacity_bytes
            .copied()
            .map_or_else(String::new, |it| format!(",size={}", size(it)));
        match at {
            0 => set("rootfs", json!(format!("{volume}{size}"))),
            at => set(
                &format!("mp{}", at - 1),
                json!(format!("{volume},mp=/data{at},backup=1{size}")),
            ),
        };
    }
    for (at, nic) in workload.nics.iter().enumerate() {
        let rest = attachment(plan, guest, nic);
        let mac = mac(guest, nic, at);
        set(
            &format!("net{at}"),
            json!(format!("name=eth{at}{rest},hwaddr={mac},ip=dhcp,type=veth")),
        );
    }
    config
}

fn common(guest: &GuestPlan<'_>) -> Map<String, Value> {
    let workload = guest.workload;
    let mut config = Map::new();
    config.insert("digest".into(), json!(guest.digest()));
    config.insert("onboot".into(), json!(u8::from(guest.vmid.is_multiple_of(2))));
    if let Some(text) = workload.annotation.value() {
        config.insert("description".into(), json!(text));
    }
    let mut tags: Vec<String> =
        workload.attributes.iter().take(2).map(|it| word(&it.value)).collect();
    tags.sort();
    tags.dedup();
    if !tags.is_empty() {
        config.insert("tags".into(), json!(tags.join(";")));
    }
    if let Some(last) = workload.snapshots.items.last() {
        let name = format!("{}-{}", word(&last.name), workload.snapshots.items.len() - 1);
        config.insert("parent".into(), json!(name));
    }
    config
}

fn ostype(workload: &Workload) -> &'static str {
    let os = workload.guest.os_configured.value().map(|it| it.to_lowercase()).unwrap_or_default();
    if os.contains("windows server 2022") {
        "win11"
    } else if os.contains("windows") {
        "win10"
    } else if os.is_empty() {
        "other"
    } else {
        "l26"
    }
}

fn uuid(workload: &Workload, salt: u64) -> String {
    let half = hash(workload.id.as_str());
    entente_model::Uuid::from_u64_pair(half, half.rotate_left(17) ^ salt).to_string()
}

/// VM snapshots, each following the one before, and the entry for now.
fn snapshots(guest: &GuestPlan<'_>) -> Vec<Value> {
    let mut list = Vec::new();
    let mut parent: Option<String> = None;
    for (at, snapshot) in (0_u64..).zip(&guest.workload.snapshots) {
        let name = format!("{}-{at}", word(&snapshot.name));
        let mut entry = json!({
            "name": name, "snaptime": 1_750_000_000 + at * 3_600 + guest.vmid, "vmstate": at % 2,
            "description": snapshot.description.value().map_or("", |it| it.as_str()),
        });
        if let (Value::Object(fields), Some(parent)) = (&mut entry, &parent) {
            fields.insert("parent".into(), json!(parent));
        }
        parent = Some(name);
        list.push(entry);
    }
    let mut now = json!({
        "name": "current", "description": "You are here!", "digest": guest.digest(),
        "running": u8::from(guest.is_running()),
    });
    if let (Value::Object(fields), Some(parent)) = (&mut now, parent) {
        fields.insert("parent".into(), json!(parent));
    }
    list.push(now);
    list
}

fn agent(guest: &GuestPlan<'_>, base: &str, world: &mut World) {
    let workload = guest.workload;
    let addresses = |nic: &Nic| -> Vec<Value> {
        nic.addresses
            .iter()
            .map(|it| {
                let kind = if it.is_ipv4() { "ipv4" } else { "ipv6" };
                json!({ "ip-address": it.to_string(), "ip-address-type": kind, "prefix": 24 })
            })
            .collect()
    };
    if guest.is_container {
        let list: Vec<Value> = workload
            .nics
            .iter()
            .enumerate()
            .map(|(at, nic)| {
                let inet = nic.addresses.items.first().map(|it| format!("{it}/24"));
                json!({ "name": format!("eth{at}"), "hwaddr": mac(guest, nic, at).to_lowercase(), "inet": inet })
            })
            .collect();
        world.put(format!("{base}/interfaces"), &list.into());
        return;
    }
    if !has_tools(workload) {
        return;
    }
    if workload.guest.tools.status == Observed::Value(ToolsStatus::NotRunning) {
        world.silence(&guest.node, guest.vmid);
        return;
    }
    let host = workload.guest.hostname.value().unwrap_or(&workload.name);
    let os =
        workload.guest.os_reported.value().map_or("Debian GNU/Linux 13 (trixie)", |it| it.as_str());
    let mut list = vec![json!({
        "name": "lo", "hardware-address": "00:00:00:00:00:00",
        "ip-addresses": [{ "ip-address": "127.0.0.1", "ip-address-type": "ipv4", "prefix": 8 }],
    })];
    list.extend(workload.nics.iter().enumerate().map(|(at, nic)| {
        json!({
            "name": format!("ens{}", 18 + at), "hardware-address": mac(guest, nic, at).to_lowercase(),
            "ip-addresses": addresses(nic),
        })
    }));
    // What an agent says is wrapped once more.
    world.put(format!("{base}/agent/get-host-name"), &json!({ "result": { "host-name": host } }));
    world.put(
        format!("{base}/agent/get-osinfo"),
        &json!({ "result": { "pretty-name": os, "id": "debian" } }),
    );
    world.put(format!("{base}/agent/network-get-interfaces"), &json!({ "result": list }));
}

fn firewall(guest: &GuestPlan<'_>, base: &str, world: &mut World) {
    let is_on = u8::from(guest.vmid.is_multiple_of(2));
    let digest = guest.digest();
    world.put(
        format!("{base}/firewall/options"),
        &json!({ "enable": is_on, "policy_in": "DROP", "digest": digest }),
    );
    let rules = json!([
        { "pos": 0, "type": "in", "action": "ACCEPT", "macro": "SSH", "source": "+dc/management", "enable": 1, "digest": digest },
        { "pos": 1, "type": "group", "action": "web", "enable": 1, "digest": digest },
    ]);
    world.put(format!("{base}/firewall/rules"), &rules);
    world.put(format!("{base}/firewall/ipset"), &json!([{ "name": "peers", "digest": digest }]));
    let members = json!([{ "cidr": "192.0.2.10", "digest": digest }]);
    world.put(format!("{base}/firewall/ipset/peers"), &members);
    world.put(format!("{base}/firewall/aliases"), &json!([]));
}
