//! What was not told, was refused or cannot be understood is unknown: never a no, never a none.

use entente_model::{Collection, GapCause, Listing, Observed, ToolsStatus, Why, Workload};
use serde_json::{Value, json};

use super::configs::{data, guest, read, script};
use super::jobs::everything;
use super::replay::{Script, gaps, has_gap};

fn refused() -> (u16, String) {
    (403, json!({"data": null, "message": "Permission check failed"}).to_string())
}

fn of<T>(listing: &Listing<T>) -> (usize, Option<Why>) {
    (listing.items.len(), listing.why())
}

fn assert_gaps(collection: &Collection, cause: GapCause, sections: &[&str]) {
    for section in sections {
        assert!(has_gap(collection, cause, section), "{section}: {:#?}", gaps(collection));
    }
}

#[tokio::test]
async fn a_question_that_fails_leaves_a_gap_on_each_list_that_it_feeds() {
    let mut script = script("8.2.4", "qemu", "stopped", &json!({}));
    script.insert("GET /cluster/ha/resources".into(), refused());
    script.insert("GET /nodes/pve/storage".into(), refused());
    script.insert("GET /nodes/pve/network".into(), refused());
    let collection = read(script).await;
    let fed = ["overrides", "workloads", "clusters", "placement_groups", "datastores", "volumes"];
    assert_gaps(&collection, GapCause::NoPermission, &fed);
    assert_gaps(&collection, GapCause::NoPermission, &["networks", "switches"]);
    assert_eq!(
        collection.workloads[0].availability.ha_protected,
        Observed::Unobserved(Why::NoPermission)
    );
}

#[tokio::test]
async fn an_answer_that_is_no_list_is_not_an_empty_one() {
    let mut script = script("9.1.5", "qemu", "stopped", &json!({}));
    script.insert("GET /access/roles".into(), data(json!({"odd": 1})));
    script.insert("GET /cluster/backup".into(), data(Value::Null));
    script.insert("GET /nodes/pve/qemu/100/snapshot".into(), data(json!("none")));
    script.insert("GET /nodes/pve/tasks".into(), data(json!({})));
    script.insert("GET /nodes/pve/status".into(), data(json!([])));
    let collection = read(script).await;
    let lists = ["roles", "protection_jobs", "workloads", "activities", "hosts"];
    assert_gaps(&collection, GapCause::UnreadableValue, &lists);
    assert_eq!(of(&collection.workloads[0].snapshots), (0, Some(Why::Unreadable)));
    assert_eq!(collection.hosts[0].cores, Observed::Unobserved(Why::Unreadable));
}

#[tokio::test]
async fn without_nodes_every_list_that_they_feed_has_a_gap() {
    let mut script = script("9.1.5", "qemu", "stopped", &json!({}));
    for call in ["/nodes", "/cluster/status", "/cluster/resources"] {
        script.insert(format!("GET {call}"), refused());
    }
    let collection = read(script).await;
    let fed =
        ["workloads", "networks", "licences", "datastores", "volumes", "activities", "policies"];
    assert_gaps(&collection, GapCause::NoPermission, &fed);
}

/// A running machine whose agent answers so.
async fn with_agent(answer: (u16, String)) -> (Workload, Collection) {
    let config = json!({"agent": "1", "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0"});
    let mut script = script("9.1.5", "qemu", "running", &config);
    for call in ["get-osinfo", "network-get-interfaces", "get-host-name"] {
        script.insert(format!("GET /nodes/pve/qemu/100/agent/{call}"), answer.clone());
    }
    let collection = read(script).await;
    (collection.workloads[0].clone(), collection)
}

#[tokio::test]
async fn an_agent_that_may_not_be_asked_is_not_silent() {
    let (machine, collection) = with_agent(refused()).await;
    let inside = &machine.guest;
    let why = Some(Why::NoPermission);
    assert_eq!((inside.hostname.why(), inside.os_reported.why()), (why, why));
    assert_eq!((inside.tools.status.why(), inside.primary_address.why()), (why, why));
    assert_eq!(of(&machine.nics.items[0].addresses), (0, why));
    assert_gaps(&collection, GapCause::NoPermission, &["workloads"]);
    assert!(!has_gap(&collection, GapCause::Unreachable, "workloads"), "{:#?}", gaps(&collection));

    let message = "QEMU guest agent is not running";
    let down = (500, json!({"data": null, "message": message}).to_string());
    let (machine, _) = with_agent(down).await;
    assert_eq!(machine.guest.tools.status, Observed::Value(ToolsStatus::NotRunning));
    assert_eq!(machine.guest.hostname, Observed::Unobserved(Why::GuestSilent));
    let late = (500, json!({"data": null, "message": "got timeout"}).to_string());
    let (machine, collection) = with_agent(late).await;
    assert_eq!(machine.guest.tools.status, Observed::Unobserved(Why::GuestSilent));
    assert_gaps(&collection, GapCause::Unreachable, &["workloads"]);
}

#[tokio::test]
async fn an_interface_that_the_agent_does_not_name_has_unknown_addresses() {
    let told = json!({"result": [{"name": "eth0", "hardware-address": "bc:24:11:00:00:99",
                                  "ip-addresses": [{"ip-address": "192.0.2.1"}]}]});
    let (machine, _) = with_agent(data(told)).await;
    assert_eq!(of(&machine.nics.items[0].addresses), (0, Some(Why::GuestSilent)));
    assert_eq!(machine.guest.primary_address, Observed::Unobserved(Why::GuestSilent));
    let told = json!({"result": [{"name": "eth0", "hardware-address": "bc:24:11:00:00:01",
                                  "ip-addresses": [{"ip-address": "192.0.2.1"}, {"ip-address": "odd"}]}]});
    let (machine, _) = with_agent(data(told)).await;
    assert_eq!(of(&machine.nics.items[0].addresses), (1, Some(Why::Unreadable)));
    let told = json!({"result": [{"name": "eth0", "hardware-address": "bc:24:11:00:00:01"}]});
    let (machine, _) = with_agent(data(told)).await;
    assert_eq!(of(&machine.nics.items[0].addresses), (0, None));
    assert_eq!(machine.guest.primary_address, Observed::Absent);
}

#[tokio::test]
async fn a_setting_that_cannot_be_understood_is_not_missing() {
    let config = json!({
        "agent": "a,b", "hostpci0": "a,b", "usb0": {"odd": 1}, "serial0": "a,b", "numa0": "a,b", "bios": "ovmf",
        "efidisk0": "local-lvm:x,a,b", "smbios1": "a,b", "meta": "a,b", "ipconfig0": "a,b", "scsi0": {"odd": 1},
        "scsi1": "size=1G", "scsi2": "local-lvm:y,size=1G,snapshot=perhaps",
        "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0,link_down=perhaps", "net1": "a,b",
    });
    let mut script = script("9.1.5", "qemu", "running", &config);
    let silence = json!({"data": null, "message": "No QEMU guest agent configured"}).to_string();
    for call in ["get-osinfo", "network-get-interfaces", "get-host-name"] {
        script.insert(format!("GET /nodes/pve/qemu/100/agent/{call}"), (500, silence.clone()));
    }
    let collection = read(script).await;
    let machine = &collection.workloads[0];
    let unclear = Some(Why::Unreadable);
    let devices = &machine.devices;
    assert_eq!((of(&devices.pci_passthrough), of(&devices.vgpus)), ((0, unclear), (0, unclear)));
    assert_eq!((of(&devices.usb), of(&devices.serial_ports)), ((0, unclear), (0, unclear)));
    assert_eq!((of(&machine.disks), of(&devices.cdroms)), ((1, unclear), (0, unclear)));
    assert_eq!(machine.disks.items[0].mode.why(), unclear);
    assert_eq!(machine.samples.storage_provisioned_bytes.why(), unclear);
    assert_eq!((machine.nics.items.len(), machine.nics.why()), (1, unclear));
    let nic = &machine.nics.items[0];
    assert_eq!((nic.connected.why(), nic.starts_connected.why()), (unclear, unclear));
    assert_eq!(nic.address_is_static.why(), unclear);
    assert_eq!((machine.firmware.secure_boot.why(), machine.bios_uuid.why()), (unclear, unclear));
    assert_eq!((machine.created.why(), machine.cpu.numa_affinity.why()), (unclear, unclear));
    assert_eq!(
        (machine.guest.hostname.why(), machine.guest.tools.status.why()),
        (unclear, unclear)
    );
    assert!(!machine.advanced_settings.is_complete());
    for field in [
        "agent", "hostpci0", "usb0", "serial0", "numa0", "efidisk0", "smbios1", "meta", "net1",
        "scsi1",
    ] {
        let is_here = |it: &&entente_model::Gap| {
            it.cause == GapCause::UnreadableValue && it.place.field.as_deref() == Some(field)
        };
        assert!(collection.gaps.iter().any(|it| is_here(&it)), "{field}: {:#?}", gaps(&collection));
    }
}

#[tokio::test]
async fn a_firewall_that_may_be_asked_for_is_read() {
    let config = json!({"net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=perhaps"});
    let mut script = script("9.1.5", "qemu", "stopped", &config);
    script.insert("GET /nodes/pve/qemu/100/firewall/options".into(), data(json!({"enable": 0})));
    let collection = read(script).await;
    let policies: Vec<_> =
        collection.control.policies.iter().filter(|it| it.scope == "vm/100").collect();
    assert!(policies.iter().any(|it| it.name == "options"));
    assert!(policies.iter().any(|it| it.name == "interfaces" && it.body.contains("null")));
}

#[tokio::test]
async fn ha_that_cannot_be_understood_guards_nobody_surely() {
    let mut script = script("8.2.4", "qemu", "stopped", &json!({}));
    let resources = json!([{"sid": "vm:101", "state": "started", "group": "near"}, {"sid": "odd", "group": "near"}]);
    script.insert("GET /cluster/ha/resources".into(), data(resources));
    script
        .insert("GET /cluster/ha/groups".into(), data(json!([{"group": "near", "nodes": "pve"}])));
    script.insert("GET /cluster/ha/status/manager_status".into(), data(json!({})));
    let collection = read(script).await;
    let machine = &collection.workloads[0];
    assert_eq!(machine.availability.ha_protected, Observed::Unobserved(Why::Unreadable));
    assert_gaps(&collection, GapCause::UnmappedRow, &["overrides"]);
    assert_eq!(collection.hosts[0].in_maintenance, Observed::Unobserved(Why::Blank));
    assert_eq!(of(&collection.control.placement_groups[0].workloads), (1, Some(Why::Unreadable)));
}

#[tokio::test]
async fn a_rule_with_a_part_that_cannot_be_understood_is_not_whole() {
    let mut script = script("9.1.5", "qemu", "stopped", &json!({}));
    let rules = json!([{"rule": "near", "type": "node-affinity", "resources": "vm:101,odd", "nodes": "pve"}]);
    script.insert("GET /cluster/ha/rules".into(), data(rules));
    let collection = read(script).await;
    assert_eq!(of(&collection.control.placement_rules[0].workloads), (1, Some(Why::Unreadable)));
    assert_eq!(of(&collection.workloads[0].availability.cluster_rules), (0, Some(Why::Unreadable)));
}

#[tokio::test]
async fn a_containers_device_nodes_are_no_pci_devices() {
    let config = json!({"hostname": "media", "dev0": "/dev/dri/renderD128,gid=104", "dev1": "/dev/bus/usb/001/002"});
    let (container, collection) = guest("9.1.5", "lxc", "running", config).await;
    let devices = &container.devices;
    assert_eq!(of(&devices.pci_passthrough), (0, None));
    let open = Some(Why::SourceLimit);
    assert_eq!((of(&devices.usb), of(&devices.vgpus)), ((1, open), (0, open)));
    assert!(container.advanced_settings.iter().any(|it| it.key == "dev0"));
    assert_gaps(&collection, GapCause::NotModelled, &["workloads"]);
    let (container, _) = guest("9.1.5", "lxc", "running", json!({"hostname": "plain"})).await;
    assert_eq!((of(&container.devices.usb), of(&container.devices.vgpus)), ((0, None), (0, None)));
}

#[tokio::test]
async fn a_containers_addresses_are_whole_only_where_all_are_told() {
    let container = async |answer: (u16, String)| {
        let config = json!({"net0": "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:09,ip=dhcp"});
        let mut script = script("9.1.5", "lxc", "running", &config);
        script.insert("GET /nodes/pve/lxc/100/interfaces".into(), answer);
        read(script).await.workloads[0].nics.items[0].addresses.clone()
    };
    let one = json!([{"name": "eth0", "hwaddr": "bc:24:11:00:00:09", "inet": "192.0.2.9/24"}]);
    assert_eq!(of(&container(data(one)).await), (1, Some(Why::NotInVersion)));
    let all = json!([{"name": "eth0", "hardware-address": "bc:24:11:00:00:09", "inet": "192.0.2.9/24",
                      "ip-addresses": [{"ip-address": "192.0.2.9"}, {"ip-address": "2001:db8::9"}]}]);
    assert_eq!(of(&container(data(all)).await), (2, None));
    // It has just been started: nothing is told of the interface yet.
    assert_eq!(of(&container(data(json!([]))).await), (0, Some(Why::GuestSilent)));
    assert_eq!(of(&container(refused()).await), (0, Some(Why::NoPermission)));
}

#[tokio::test]
async fn what_is_plugged_into_a_guest_of_unknown_state_may_be_connected() {
    let config = json!({"net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0", "serial0": "socket"});
    let (machine, _) = guest("9.1.5", "qemu", "unknown", config).await;
    let why = Some(Why::CallFailed);
    assert_eq!(machine.nics.items[0].connected.why(), why);
    assert_eq!(machine.devices.serial_ports.items[0].connected.why(), why);
}

fn with_storage(storages: Value) -> Script {
    let mut script =
        script("9.1.5", "qemu", "stopped", &json!({"scsi0": "tank:vm-100-disk-0,size=1G"}));
    script.insert("GET /nodes/pve/storage".into(), data(storages));
    script
}

#[tokio::test]
async fn a_storage_that_is_not_active_is_not_empty() {
    let collection =
        read(with_storage(json!([{"storage": "nas", "type": "nfs", "active": 0}]))).await;
    assert_gaps(&collection, GapCause::Unreachable, &["volumes"]);
}

#[tokio::test]
async fn a_shared_storage_is_not_counted_where_a_node_was_not_asked() {
    let storages = json!([{"storage": "nas", "type": "nfs", "active": 0, "enabled": 1}]);
    let mut script = with_storage(storages);
    let store = |collection: &Collection| {
        let store = collection.datastores.iter().find(|it| it.name == "nas").unwrap();
        (store.host_count.copied(), store.accessible.copied())
    };
    assert_eq!(store(&read(script.clone()).await), (Some(1), Some(false)));
    let nodes = json!([{"node": "pve", "status": "online"}, {"node": "down", "status": "offline"}]);
    script.insert("GET /nodes".into(), data(nodes));
    assert_eq!(store(&read(script).await), (None, None));
}

#[tokio::test]
async fn a_pool_of_volumes_is_thick_only_where_it_is_told() {
    let mut script = with_storage(json!([{"storage": "tank", "type": "zfspool", "active": 1}]));
    let thin = |collection: &Collection| collection.workloads[0].disks.items[0].thin.clone();
    script.insert("GET /storage".into(), data(json!([{"storage": "tank", "type": "zfspool"}])));
    assert_eq!(thin(&read(script.clone()).await), Observed::Value(false));
    script.insert("GET /storage".into(), refused());
    assert_eq!(thin(&read(script).await), Observed::Unobserved(Why::NoPermission));
}

#[tokio::test]
async fn groups_of_a_user_are_whole_only_where_the_user_tells_them() {
    let mut script = script("9.1.5", "qemu", "stopped", &json!({}));
    let users = json!([{"userid": "a@pve", "groups": ""}, {"userid": "b@pve"}]);
    script.insert("GET /access/users".into(), data(users));
    script.insert("GET /access/groups".into(), data(json!([])));
    script.insert("GET /access/permissions".into(), data(everything()));
    let collection = read(script).await;
    let groups = |name: &str| {
        let user = collection.control.principals.iter().find(|it| it.name == name);
        of(&user.unwrap().groups)
    };
    assert_eq!((groups("a@pve"), groups("b@pve")), ((0, None), (0, Some(Why::Blank))));
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_understood_may_be_one() {
    let mut script = script("9.1.5", "qemu", "stopped", &json!({}));
    let list = json!([{"name": "current"}, {"snaptime": 1}, {"name": "one", "snaptime": 2}]);
    script.insert("GET /nodes/pve/qemu/100/snapshot".into(), data(list));
    let collection = read(script).await;
    assert_eq!(of(&collection.workloads[0].snapshots), (1, Some(Why::Unreadable)));
}
