//! Facts: what was refused, could not be read or is in conflict is not told as if it were known.

use entente_model::{BusSharing, Network};

use super::*;

fn hardware(devices: &str) -> String {
    format!(
        r#"<propSet><name>config.hardware</name><val xsi:type="VirtualHardware"><numCPU>2</numCPU>{devices}</val></propSet>"#
    )
}

/// A disk without a word of how it is shared or grows, on a controller.
const DISK: &str = concat!(
    r#"<device xsi:type="ParaVirtualSCSIController"><key>1000</key><busNumber>0</busNumber></device>"#,
    r#"<device xsi:type="VirtualDisk"><key>2000</key><controllerKey>1000</controllerKey><unitNumber>0</unitNumber><backing xsi:type="VirtualDiskFlatVer2BackingInfo"><fileName>a</fileName></backing></device>"#,
);

#[test]
fn a_property_that_a_version_does_not_know_is_not_absent() {
    let collection = collected(|asked| {
        asked.is_workloads().then(|| match asked.body.contains("config.annotation") {
            true => fault("InvalidProperty", "no such property", "<name>config.annotation</name>"),
            false => page(&machine("vm-1", "one", &hardware(DISK))),
        })
    });
    let one = named(&collection, "one");
    assert_eq!(one.annotation, Observed::Unobserved(Why::NotInVersion));
    // What was asked for and is unset is absent.
    assert_eq!(one.availability.evc_mode_min, Observed::Absent);
}

#[test]
fn settings_that_were_refused_are_not_settings_that_are_not_there() {
    let refused = missing("config.extraConfig", "NoPermission", "");
    let collection = machines(
        machine("vm-1", "refused", &(hardware(DISK) + &refused))
            + &machine("vm-2", "empty", &(hardware(DISK) + &property("config.extraConfig", ""))),
    );
    let facts = |name: &str| {
        let it = named(&collection, name);
        let disk = &it.disks.items[0];
        (
            disk.change_tracking.clone(),
            it.availability.disk_uuid_enabled.clone(),
            it.cpu.numa_affinity.is_observed(),
            it.advanced_settings.why(),
        )
    };
    let hidden = Observed::Unobserved(Why::NoPermission);
    assert_eq!(facts("refused"), (hidden.clone(), hidden, false, Some(Why::NoPermission)));
    assert_eq!(facts("empty"), (Observed::Value(false), Observed::Absent, true, None));
}

#[test]
fn a_machine_that_cannot_be_read_has_no_defaults() {
    let told = hardware(DISK)
        + &property("config.extraConfig", "")
        + &property("summary.quickStats", "<overallCpuUsage>0</overallCpuUsage>")
        + &property("runtime.bootTime", "2026-11-22T11:00:00Z");
    let state = |word: &str| property("runtime.connectionState", word);
    let collection = machines(
        machine("vm-1", "sound", &(told.clone() + &state("connected")))
            + &machine("vm-2", "orphaned", &(told.clone() + &state("orphaned")))
            + &machine("vm-3", "inaccessible", &(told.clone() + &state("inaccessible")))
            + &machine("vm-4", "invalid", &(told + &state("invalid"))),
    );
    let sound = named(&collection, "sound");
    assert!(sound.snapshots.is_complete() && sound.disks.is_complete());
    assert_eq!(sound.disks.items[0].thin, Observed::Value(false));
    assert_eq!(sound.placement.resource_pool, Observed::Absent);
    for name in ["orphaned", "inaccessible", "invalid"] {
        let it = named(&collection, name);
        let why = Some(Why::CallFailed);
        assert_eq!(it.power.why(), why, "{name}");
        assert_eq!(it.samples.cpu_used_mhz.why(), why, "{name}");
        assert_eq!(it.samples.powered_on_since.why(), why, "{name}");
        assert_eq!(it.snapshots.why(), why, "{name}");
        assert_eq!(it.availability.ha_protected.why(), why, "{name}");
        assert_eq!(it.placement.resource_pool.why(), why, "{name}");
        assert_eq!(it.guest.primary_address.why(), why, "{name}");
        assert_eq!(it.disks.why(), why, "{name}");
        assert_eq!(it.disks.items[0].thin.why(), why, "{name}");
        assert_eq!(it.disks.items[0].sharing.why(), why, "{name}");
        assert_eq!(it.devices.tpm.why(), why, "{name}");
    }
    let gaps = gaps(&collection, GapCause::Unreachable);
    assert_eq!(gaps.iter().map(|it| it.count).sum::<u64>(), 3);
}

#[test]
fn a_disk_without_a_controller_may_be_shared() {
    let alone = DISK.replace("<key>1000</key>", "<key>1</key>");
    let collection = machines(
        machine("vm-1", "lost", &hardware(&alone)) + &machine("vm-2", "sound", &hardware(DISK)),
    );
    let sharing = |name: &str| named(&collection, name).disks.items[0].bus_sharing.clone();
    assert_eq!(sharing("lost"), Observed::Unobserved(Why::Blank));
    assert_eq!(sharing("sound"), Observed::Value(BusSharing::None));
}

#[test]
fn what_could_not_be_mapped_is_missing_from_its_list() {
    let card = r#"<device xsi:type="VirtualVmxnet3"><key>4000</key><macAddress>00:50:56:00:00:01</macAddress></device><device xsi:type="VirtualQuantumBridge"><key>9</key></device>"#;
    let guest = "<GuestNicInfo><deviceConfigId>4000</deviceConfigId><ipAddress>192.0.2.1</ipAddress><ipAddress>nowhere</ipAddress></GuestNicInfo>";
    let odd = hardware(card) + &property("guest.net", guest);
    let collection = machines(machine("vm-1", "odd", &odd));
    let odd = named(&collection, "odd");
    let why = Some(Why::Unreadable);
    assert_eq!(odd.devices.pci_passthrough.why(), why);
    assert_eq!(odd.devices.tpm.why(), why);
    assert_eq!(odd.nics.why(), None);
    assert_eq!(
        (odd.nics.items[0].addresses.items.len(), odd.nics.items[0].addresses.why()),
        (1, why)
    );
    let unknown = gaps(&collection, GapCause::UnknownValue);
    assert_eq!(unknown[0].value.as_deref(), Some("VirtualQuantumBridge"));
}

#[test]
fn sizes_of_a_datastore_that_no_host_reaches_are_not_known() {
    let datastore = |id: &str, accessible: bool| {
        let summary = format!(
            "<accessible>{accessible}</accessible><capacity>0</capacity><freeSpace>0</freeSpace><type>NFS</type>"
        );
        let told = property("name", id) + &property("summary", &summary);
        format!("<objects><obj type=\"Datastore\">{id}</obj>{told}</objects>")
    };
    let collection = infrastructure(datastore("ds-1", false) + &datastore("ds-2", true));
    let sizes = |at: usize| {
        let it = &collection.datastores[at];
        [&it.capacity_bytes, &it.free_bytes, &it.provisioned_bytes].map(Clone::clone)
    };
    assert_eq!(sizes(0), [const { Observed::Unobserved(Why::CallFailed) }; 3]);
    assert_eq!(sizes(1), [const { Observed::Value(0) }; 3]);
    assert_eq!(gaps_of(&collection, "datastores", GapCause::Unreachable).len(), 1);
}

/// A host with a port group `lan` in this VLAN, and whatever else.
fn host(id: &str, vlan: u32, mtu: u32, promiscuous: bool, more: &str) -> String {
    let group = format!(
        "<HostPortGroup><spec><name>lan</name><vlanId>{vlan}</vlanId><vswitchName>s0</vswitchName></spec><computedPolicy><security><allowPromiscuous>{promiscuous}</allowPromiscuous></security></computedPolicy></HostPortGroup>"
    );
    let switch = format!("<HostVirtualSwitch><name>s0</name><mtu>{mtu}</mtu></HostVirtualSwitch>");
    let told = property("name", id)
        + &property("config.network.portgroup", &group)
        + &property("config.network.vswitch", &switch)
        + more;
    format!("<objects><obj type=\"HostSystem\">{id}</obj>{told}</objects>")
}

/// The network `lan`, of these hosts.
fn network(hosts: &[&str]) -> String {
    let hosts: String = hosts.iter().map(|it| format!("<h type=\"HostSystem\">{it}</h>")).collect();
    let told = property("name", "lan") + &property("host", &hosts);
    format!("<objects><obj type=\"Network\">network-1</obj>{told}</objects>")
}

fn lan(collection: &Collection) -> &Network {
    collection.networks.iter().find(|it| it.name == "lan").unwrap()
}

#[test]
fn hosts_that_disagree_leave_nothing_known_of_what_they_disagree_on() {
    let none = property("config.network.vnic", "");
    let collection = infrastructure(
        network(&["host-1", "host-2", "host-3"])
            + &host("host-1", 5, 1500, false, &none)
            + &host("host-2", 6, 9000, false, &none)
            + &host("host-3", 5, 1500, true, &none),
    );
    let network = lan(&collection);
    let conflict = Some(Why::Conflict);
    assert_eq!((network.vlan.why(), network.promiscuous.why()), (conflict, conflict));
    assert_eq!(network.switch, Observed::Value("s0".into()));
    assert_eq!(network.carries_hypervisor, Observed::Value(false));
    assert_eq!(gaps_of(&collection, "networks", GapCause::Conflict).len(), 1);
    assert_eq!(collection.switches[0].mtu_bytes.why(), conflict);
    assert_eq!(gaps_of(&collection, "switches", GapCause::Conflict).len(), 1);
}

#[test]
fn adapters_of_hosts_that_were_refused_may_carry_the_hypervisor() {
    let refused = missing("config.network.vnic", "NoPermission", "");
    let collection =
        infrastructure(network(&["host-1"]) + &host("host-1", 5, 1500, false, &refused));
    assert_eq!(lan(&collection).carries_hypervisor, Observed::Unobserved(Why::NoPermission));
    // Another host's port group of that name is another network.
    let collection = infrastructure(network(&["host-2"]) + &host("host-1", 5, 1500, false, ""));
    assert_eq!(lan(&collection).vlan, Observed::Unobserved(Why::Blank));
}

#[test]
fn a_cluster_whose_configuration_is_refused_may_have_rules() {
    let told = property("name", "c") + &missing("configurationEx", "NoPermission", "");
    let cluster =
        format!("<objects><obj type=\"ClusterComputeResource\">domain-c1</obj>{told}</objects>");
    let collection = infrastructure(cluster);
    for list in ["placement_groups", "placement_rules", "overrides"] {
        assert_eq!(gaps_of(&collection, list, GapCause::NoPermission).len(), 1, "{list}");
    }
}

#[test]
fn a_rule_on_a_group_that_was_not_told_of_is_not_a_rule_on_nothing() {
    let config = r#"<rule xsi:type="ClusterVmHostRuleInfo"><name>r</name><vmGroupName>web</vmGroupName><affineHostGroupName>left</affineHostGroupName></rule>"#;
    let told = property("name", "c") + &property("configurationEx", config);
    let cluster =
        format!("<objects><obj type=\"ClusterComputeResource\">domain-c1</obj>{told}</objects>");
    let collection = infrastructure(cluster);
    let rule = &collection.control.placement_rules[0];
    assert_eq!(
        (rule.workloads.why(), rule.hosts.why()),
        (Some(Why::Unreadable), Some(Why::Unreadable))
    );
    let gaps = gaps_of(&collection, "placement_rules", GapCause::DanglingReference);
    assert_eq!(gaps.iter().map(|it| it.count).sum::<u64>(), 2);
}
