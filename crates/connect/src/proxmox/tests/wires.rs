//! On which networks nodes have addresses.

use entente_model::{Collection, Observed, Why};
use serde_json::{Value, json};

use super::configs::{data, read, script};

/// A machine with an interface on each of these, on a node with these interfaces.
async fn networks(nics: &[&str], interfaces: Value) -> Collection {
    let mut config = json!({});
    for (at, nic) in nics.iter().enumerate() {
        config[format!("net{at}")] = json!(format!("virtio=BC:24:11:00:00:0{at},{nic}"));
    }
    let mut script = script("9.1.5", "qemu", "stopped", &config);
    script.insert("GET /nodes/pve/network".into(), data(interfaces));
    read(script).await
}

fn carries(collection: &Collection, name: &str) -> Observed<bool> {
    let network = collection.networks.iter().find(|it| it.name == name);
    network.unwrap_or_else(|| panic!("no {name}")).carries_hypervisor.clone()
}

#[tokio::test]
async fn an_address_may_lie_on_a_vlan_of_a_bridge_or_of_what_is_plugged_into_it() {
    let interfaces = json!([
        {"iface": "vmbr0", "type": "bridge", "method": "manual", "bridge_ports": "eno1"},
        {"iface": "vmbr0.20", "type": "vlan", "method": "static", "address": "192.0.2.2", "vlan-raw-device": "vmbr0", "vlan-id": 20},
        {"iface": "vmbr1", "type": "bridge", "method": "manual", "method6": "manual", "bridge_ports": "eno2 eno3"},
        {"iface": "eno2.30", "type": "vlan", "method": "dhcp"},
        {"iface": "eno1", "type": "eth", "method": "manual"}, {"iface": "eno2", "type": "eth", "method": "manual"},
    ]);
    let nics = [
        "bridge=vmbr0,tag=20",
        "bridge=vmbr0,tag=21",
        "bridge=vmbr1,tag=30",
        "bridge=vmbr1,trunks=10;25-35",
        "bridge=vmbr1,tag=31",
    ];
    let collection = networks(&nics, interfaces).await;
    assert_eq!(carries(&collection, "vmbr0 VLAN 20"), Observed::Value(true));
    assert_eq!(carries(&collection, "vmbr0 VLAN 21"), Observed::Value(false));
    // Untagged guests of the bridge reach its VLANs; those of a port never come to the bridge.
    assert_eq!(carries(&collection, "vmbr0"), Observed::Value(true));
    assert_eq!(carries(&collection, "vmbr1"), Observed::Value(false));
    assert_eq!(carries(&collection, "vmbr1 VLAN 30"), Observed::Value(true));
    assert_eq!(carries(&collection, "vmbr1 VLAN trunk 10;25-35"), Observed::Value(true));
    assert_eq!(carries(&collection, "vmbr1 VLAN 31"), Observed::Value(false));
}

#[tokio::test]
async fn an_address_may_come_from_the_network_or_not_be_told() {
    let interfaces = json!([
        {"iface": "vmbr0", "type": "bridge", "method": "dhcp"},
        {"iface": "vmbr1", "type": "bridge", "method": "manual", "method6": "auto"},
        {"iface": "vmbr2", "type": "bridge"},
        {"iface": "vmbr3", "type": "bridge", "method": "manual", "method6": "manual"},
        {"iface": "vmbr4", "type": "OVSBridge", "method": "manual", "ovs_ports": "mgmt"},
        {"iface": "mgmt", "type": "OVSIntPort", "method": "static", "address": "192.0.2.4", "ovs_bridge": "vmbr4", "ovs_tag": 50},
        {"iface": "vmbr3:1", "type": "alias", "method": "manual"},
        {"iface": "vmbr5", "type": "bridge", "method": "manual", "bridge_ports": "eno5"},
        {"iface": "eno5", "type": "eth"},
        {"iface": "eno5.60", "type": "vlan", "method": "manual"},
        {"iface": "vmbr6", "type": "bridge", "address": "192.0.2.6", "bridge_ports": "eno5.60"},
        {"iface": "odd.x", "type": "vlan", "method": "static", "address": "192.0.2.5", "vlan-raw-device": "vmbr3"},
    ]);
    let nics = [
        "bridge=vmbr4,tag=50",
        "bridge=vmbr4,tag=51",
        "bridge=vmbr3,tag=7",
        "bridge=hidden",
        "bridge=vmbr5,tag=60",
    ];
    let collection = networks(&nics, interfaces).await;
    assert_eq!(carries(&collection, "vmbr0"), Observed::Value(true));
    assert_eq!(carries(&collection, "vmbr1"), Observed::Value(true));
    assert_eq!(carries(&collection, "vmbr2"), Observed::Unobserved(Why::Blank));
    assert_eq!(carries(&collection, "vmbr4 VLAN 50"), Observed::Value(true));
    assert_eq!(carries(&collection, "vmbr4 VLAN 51"), Observed::Value(false));
    assert_eq!(carries(&collection, "vmbr3 VLAN 7"), Observed::Unobserved(Why::Blank));
    // A bridge with an address stands on that VLAN; what is plugged in has none of its own.
    assert_eq!(carries(&collection, "vmbr5 VLAN 60"), Observed::Value(true));
    assert_eq!(carries(&collection, "vmbr5"), Observed::Value(false));
    let hidden = collection.networks.iter().find(|it| it.name == "hidden").unwrap();
    assert_eq!(hidden.carries_hypervisor, Observed::Unobserved(Why::NoPermission));
    assert!(hidden.vlan.why().is_some() && hidden.switch.why().is_some());
}

#[tokio::test]
async fn a_list_with_a_part_that_cannot_be_understood_is_not_whole() {
    let interfaces =
        json!([{"iface": "vmbr0", "type": "bridge", "method": "manual"}, {"type": "vlan"}]);
    let collection = networks(&[], interfaces).await;
    assert_eq!(carries(&collection, "vmbr0"), Observed::Unobserved(Why::Unreadable));
    assert!(!collection.switches[0].hosts.is_complete());
}

#[tokio::test]
async fn nodes_may_have_addresses_on_virtual_networks() {
    let mut script =
        script("9.1.5", "qemu", "stopped", &json!({"net0": "virtio=BC:24:11:00:00:01,bridge=web"}));
    script.insert("GET /nodes/pve/network".into(), data(json!([])));
    let vnets = json!([{"vnet": "web", "zone": "fabric", "tag": 7}, {"vnet": "odd"}]);
    script.insert("GET /cluster/sdn/vnets".into(), data(vnets));
    let collection = read(script).await;
    assert_eq!(carries(&collection, "web"), Observed::Unobserved(Why::SourceLimit));
    let odd = collection.networks.iter().find(|it| it.name == "odd").unwrap();
    assert!(odd.switch.why().is_some());
    assert!(!collection.switches.iter().any(|it| it.name.is_empty()));
}
