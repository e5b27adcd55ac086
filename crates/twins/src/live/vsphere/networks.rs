//! What networks, port groups and distributed switches say of themselves.

use entente_model::{Network, Observed};

use super::facts::{Facts, encoded_name};
use super::layout::{Network as Place, Switch};
use super::xml::Writer;

/// The XML of a network or port group.
pub(super) fn network(facts: &Facts<'_>, place: &Place) -> String {
    let layout = facts.layout;
    let Some(source) = facts.collection.networks.get(place.source) else { return String::new() };
    let mut w = Writer::new();
    facts.entity(&mut w, &place.reference, &source.name, Some(&place.parent), &[]);
    w.node("summary", |w| {
        w.reference("network", place.reference.kind, &place.reference.id);
        w.text("name", &encoded_name(&source.name));
        w.leaf("accessible", true);
        w.text("ipPoolName", "");
    });
    let hosts = place.hosts.iter().filter_map(|it| layout.hosts.get(*it));
    w.references("host", hosts.map(|it| it.reference.pair()));
    let machines = place.machines.iter().filter_map(|it| layout.machines.get(*it));
    w.references("vm", machines.map(|it| it.reference.pair()));
    if let Some(switch) = place.switch.and_then(|it| layout.switches.get(it)) {
        w.text("key", &place.reference.id);
        w.node("config", |w| group(w, place, source, switch));
        w.empty("portKeys");
    }
    w.finish()
}

fn group(w: &mut Writer, place: &Place, source: &Network, switch: &Switch) {
    w.text("key", &place.reference.id);
    w.text("name", &encoded_name(&source.name));
    w.leaf("numPorts", 8 + place.machines.len());
    w.reference("distributedVirtualSwitch", switch.reference.kind, &switch.reference.id);
    w.node_as("defaultPortConfig", "VMwareDVSPortSetting", |w| {
        policy(w, "blocked", false);
        vlan(w, source);
        w.node("securityPolicy", |w| {
            let fact = |it: &Observed<bool>| it.copied().unwrap_or(false);
            w.leaf("inherited", false);
            policy(w, "allowPromiscuous", fact(&source.promiscuous));
            policy(w, "macChanges", fact(&source.mac_changes));
            policy(w, "forgedTransmits", fact(&source.forged_transmits));
        });
    });
    w.text("type", "earlyBinding");
    w.node_as("policy", "VMwareDVSPortgroupPolicy", |w| {
        w.flags(&[
            ("blockOverrideAllowed", true),
            ("shapingOverrideAllowed", false),
            ("vendorConfigOverrideAllowed", false),
            ("livePortMovingAllowed", false),
            ("portConfigResetAtDisconnect", true),
            ("vlanOverrideAllowed", false),
            ("uplinkTeamingOverrideAllowed", false),
            ("securityPolicyOverrideAllowed", false),
        ]);
    });
    w.text("configVersion", "0");
    w.leaf("autoExpand", true);
    w.leaf("uplink", is_uplink(source));
}

fn is_uplink(source: &Network) -> bool {
    source.name.ends_with("-uplinks")
}

fn policy(w: &mut Writer, name: &str, value: bool) {
    w.node(name, |w| w.flags(&[("inherited", false), ("value", value)]));
}

fn vlan(w: &mut Writer, source: &Network) {
    let told = source.vlan.value().map_or("0", |it| it.as_str());
    match told.parse::<u32>() {
        Ok(id) => w.node_as("vlan", "VmwareDistributedVirtualSwitchVlanIdSpec", |w| {
            w.leaf("inherited", false);
            w.leaf("vlanId", id);
        }),
        Err(_) => w.node_as("vlan", "VmwareDistributedVirtualSwitchTrunkVlanSpec", |w| {
            w.leaf("inherited", false);
            for range in told.split(',') {
                let (start, end) = range.split_once('-').unwrap_or((range, range));
                let number = |it: &str| it.trim().parse::<u32>().unwrap_or(0);
                w.node("vlanId", |w| {
                    w.leaf("start", number(start));
                    w.leaf("end", number(end));
                });
            }
        }),
    }
}

/// The XML of a distributed switch.
pub(super) fn switch(facts: &Facts<'_>, place: &Switch) -> String {
    let layout = facts.layout;
    let Some(source) = facts.collection.switches.get(place.source) else { return String::new() };
    let mut w = Writer::new();
    facts.entity(&mut w, &place.reference, &source.name, Some(&place.parent), &[]);
    let version = source.version.value().map_or("8.0.0", |it| it.as_str());
    let groups: Vec<&Place> =
        place.groups.iter().filter_map(|it| layout.networks.get(*it)).collect();
    let name_of = |it: &Place| facts.collection.networks.get(it.source);
    let hosts: Vec<_> = place.hosts.iter().filter_map(|it| layout.hosts.get(*it)).collect();
    w.text("uuid", &place.uuid);
    w.node("capability", |w| {
        w.flags(&[("dvsOperationSupported", true), ("dvPortGroupOperationSupported", true)]);
    });
    w.node("summary", |w| {
        w.text("name", &encoded_name(&source.name));
        w.text("uuid", &place.uuid);
        w.leaf("numPorts", 512);
        product(w, version);
        for host in &hosts {
            w.reference("hostMember", "HostSystem", &host.reference.id);
        }
        for host in &hosts {
            w.reference("host", "HostSystem", &host.reference.id);
        }
        for group in groups.iter().filter_map(|it| name_of(it)) {
            w.text("portgroupName", &encoded_name(&group.name));
        }
        w.leaf("numHosts", hosts.len());
    });
    w.node_as("config", "VMwareDVSConfigInfo", |w| {
        w.text("uuid", &place.uuid);
        w.text("name", &encoded_name(&source.name));
        w.leaf("numStandalonePorts", 0);
        w.leaf("numPorts", 512);
        w.leaf("maxPorts", i32::MAX);
        w.node_as("uplinkPortPolicy", "DVSNameArrayUplinkPortPolicy", |w| {
            w.words(&[("uplinkPortName", "Uplink 1"), ("uplinkPortName", "Uplink 2")]);
        });
        for group in groups.iter().filter(|it| name_of(it).is_some_and(is_uplink)) {
            w.reference("uplinkPortgroup", group.reference.kind, &group.reference.id);
        }
        w.node_as("defaultPortConfig", "VMwareDVSPortSetting", |w| policy(w, "blocked", false));
        for host in &hosts {
            w.node("host", |w| {
                w.node("config", |w| {
                    w.reference("host", "HostSystem", &host.reference.id);
                    w.leaf("maxProxySwitchPorts", 512);
                    w.node_as("backing", "DistributedVirtualSwitchHostMemberPnicBacking", |w| {
                        w.node("pnicSpec", |w| w.text("pnicDevice", "vmnic2"));
                    });
                });
                w.text("status", "up");
            });
        }
        product(w, version);
        w.node("policy", |_| {});
        w.text("configVersion", "12");
        w.node("contact", |_| {});
        w.text("createTime", &facts.now);
        w.leaf("networkResourceManagementEnabled", true);
        w.leaf("defaultProxySwitchMaxNumPorts", 512);
        w.text("networkResourceControlVersion", "version3");
        w.leaf_if("maxMtu", source.mtu_bytes.copied());
    });
    w.references("portgroup", groups.iter().map(|it| it.reference.pair()));
    w.finish()
}

fn product(w: &mut Writer, version: &str) {
    w.node("productInfo", |w| {
        w.words(&[("name", "DVS"), ("vendor", "VMware, Inc."), ("version", version)]);
    });
}
