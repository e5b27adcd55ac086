//! Networks, port groups and the switches that carry them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use entente_model::{
    GapCause, Listing, Network, NetworkId, Observed, Switch, SwitchKind, Text, Why,
};

use super::super::collect::Kept;
use super::super::wire::{Element, Object, Told, unescape};
use super::facts::{Facts, blank, listing};
use super::inventory::{Inventory, NetworkPlace};
use crate::live::Found;

/// A port group of a standard switch, on one host.
struct PortGroup<'t> {
    host: &'t str,
    spec: Element<'t>,
    security: Option<Element<'t>>,
}

/// What hosts tell of networks.
#[derive(Default)]
struct OnHosts<'t> {
    groups: HashMap<String, Vec<PortGroup<'t>>>,
    /// Hosts whose port groups were not told.
    silent: HashMap<&'t str, Why>,
    /// Names of standard port groups and keys of distributed ones that carry the hypervisor itself.
    hypervisor: BTreeSet<Cow<'t, str>>,
    /// Why there may be more of these, if there may.
    hypervisor_unread: Option<Why>,
}

/// All networks and switches; the inventory learns of the networks.
pub(super) fn networks(
    kept: &Kept,
    inventory: &mut Inventory,
    facts: &mut Facts<'_>,
) -> (Vec<Network>, Vec<Switch>) {
    let on_hosts = on_hosts(kept, inventory, facts);
    let distributed: HashMap<Text, Text> = kept
        .objects()
        .filter(|it| it.reference.kind.ends_with("DistributedVirtualSwitch"))
        .map(|it| (Text::new(it.reference.id), facts.name(it.get("name"), it.reference.id)))
        .collect();
    let mut networks = Vec::new();
    for object in kept.objects() {
        let native = object.reference.id;
        let network = match object.reference.kind {
            "Network" => standard(&object, &on_hosts, inventory, facts),
            "OpaqueNetwork" => opaque(&object, inventory, facts),
            "DistributedVirtualPortgroup" => {
                distributed_group(&object, &on_hosts, &distributed, inventory, facts)
            }
            _ => continue,
        };
        facts.refusals(&object);
        if let Some(network) = network {
            let place = NetworkPlace { id: network.id.clone(), switch: network.switch.clone() };
            inventory.networks.insert(Text::new(native), place);
            if let Some(id) = object.get("summary").child("opaqueNetworkId").text() {
                inventory.opaque.insert(Text::new(id), Text::new(native));
            }
            networks.push(network);
        }
    }
    let mut facts = Facts { gaps: &mut *facts.gaps, section: "switches" };
    (networks, switches(kept, inventory, &mut facts))
}

/// Why a property of a host was not told, if it was not: a host that is not connected has none.
fn silence(told: Told<'_>) -> Option<Why> {
    match told {
        Told::Value(_) => None,
        Told::Unset => Some(Why::Blank),
        Told::Missing(why) => Some(why),
    }
}

fn on_hosts<'k>(kept: &'k Kept, inventory: &Inventory, facts: &mut Facts<'_>) -> OnHosts<'k> {
    let mut all = OnHosts { hypervisor_unread: inventory.hosts_unread, ..OnHosts::default() };
    for host in kept.objects().filter(|it| it.reference.kind == "HostSystem") {
        let groups = host.get("config.network.portgroup");
        if let Some(why) = silence(groups) {
            all.silent.insert(host.reference.id, why);
            let message =
                "a host does not tell its port groups: what its networks are is not known";
            facts.gaps.add(told_nothing(why, facts.section, message).value(host.reference.id));
        }
        for group in groups.elements() {
            let Some(spec) = group.child("spec") else {
                facts.gap(
                    GapCause::UnmappedRow,
                    "portgroup",
                    "a port group without a specification",
                );
                continue;
            };
            let name = unescape(spec.text_at("name").unwrap_or_default()).into_owned();
            all.groups.entry(name).or_default().push(PortGroup {
                host: host.reference.id,
                spec,
                security: group.at("computedPolicy.security"),
            });
        }
        let adapters = host.get("config.network.vnic");
        all.hypervisor_unread = all.hypervisor_unread.or(silence(adapters));
        for adapter in adapters.elements() {
            all.hypervisor.extend(adapter.text_at("portgroup").map(unescape));
            let key = adapter.text_at("spec.distributedVirtualPort.portgroupKey");
            all.hypervisor.extend(key.map(Cow::Borrowed));
        }
    }
    all
}

fn told_nothing<'m>(why: Why, section: &'m str, message: &'m str) -> Found<'m> {
    let cause = match why {
        Why::NoPermission => GapCause::NoPermission,
        Why::Blank => GapCause::Unreachable,
        _ => GapCause::CallFailed,
    };
    Found::of(cause, section, message)
}

/// What one host says of a port group.
struct Settings {
    switch: Observed<Text>,
    vlan: Observed<Text>,
    promiscuous: Observed<bool>,
    mac_changes: Observed<bool>,
    forged_transmits: Observed<bool>,
}

fn settings(group: &PortGroup<'_>, facts: &mut Facts<'_>) -> Settings {
    let told = |path: &str| group.security.map_or(Told::Unset, |it| it.told(path));
    Settings {
        switch: facts.text(group.spec.told("vswitchName"), blank()),
        vlan: vlan_id(facts.text(group.spec.told("vlanId"), blank())),
        promiscuous: facts.flag(told("allowPromiscuous"), blank()),
        mac_changes: facts.flag(told("macChanges"), blank()),
        forged_transmits: facts.flag(told("forgedTransmits"), blank()),
    }
}

fn standard(
    object: &Object<'_>,
    on_hosts: &OnHosts<'_>,
    inventory: &Inventory,
    facts: &mut Facts<'_>,
) -> Option<Network> {
    let native = object.reference.id;
    let name = facts.name(object.get("name"), native);
    let told = object.get("host");
    let hosts: BTreeSet<&str> =
        told.elements().filter_map(Element::reference).map(|it| it.id).collect();
    // Port groups of that name on other hosts may be another network.
    let silent = hosts.iter().find_map(|it| on_hosts.silent.get(it).copied());
    let why = told.refused().or(silent).unwrap_or(Why::Blank);
    let groups = on_hosts.groups.get(name.as_str()).map(Vec::as_slice).unwrap_or_default();
    let mut groups = groups.iter().filter(|it| hosts.contains(it.host));
    let mut network = unknown(object, inventory, name, why)?;
    network.switch_kind = Observed::Value(SwitchKind::Standard);
    network.carries_hypervisor = hypervisor(on_hosts, &network.name);
    if let Some(first) = groups.next() {
        let first = settings(first, facts);
        network.switch = first.switch;
        network.vlan = first.vlan;
        network.promiscuous = first.promiscuous;
        network.mac_changes = first.mac_changes;
        network.forged_transmits = first.forged_transmits;
    }
    let mut agree = true;
    for other in groups {
        let other = settings(other, facts);
        agree &= reconcile(&mut network.switch, other.switch);
        agree &= reconcile(&mut network.vlan, other.vlan);
        agree &= reconcile(&mut network.promiscuous, other.promiscuous);
        agree &= reconcile(&mut network.mac_changes, other.mac_changes);
        agree &= reconcile(&mut network.forged_transmits, other.forged_transmits);
    }
    if !agree {
        let message = "hosts have port groups of one name with different settings";
        facts.value(GapCause::Conflict, "portgroup", message, &network.name);
    }
    Some(network)
}

/// Keeps what two hosts agree on; false if they do not.
fn reconcile<T: PartialEq>(kept: &mut Observed<T>, other: Observed<T>) -> bool {
    match (&*kept, &other) {
        // What is in conflict stays so, and one that says nothing contradicts nothing.
        (Observed::Unobserved(Why::Conflict), _) | (_, Observed::Unobserved(_)) => true,
        (Observed::Unobserved(_), _) => {
            *kept = other;
            true
        }
        (one, another) if one == another => true,
        _ => {
            *kept = Observed::Unobserved(Why::Conflict);
            false
        }
    }
}

fn opaque(object: &Object<'_>, inventory: &Inventory, facts: &mut Facts<'_>) -> Option<Network> {
    let name = facts.name(object.get("name"), object.reference.id);
    unknown(object, inventory, name, Why::SourceLimit)
}

fn unknown(object: &Object<'_>, inventory: &Inventory, name: Text, why: Why) -> Option<Network> {
    Some(Network {
        id: NetworkId::on(&inventory.platform, object.reference.id).ok()?,
        platform: inventory.platform.clone(),
        name,
        switch: Observed::Unobserved(why),
        switch_kind: Observed::Unobserved(why),
        vlan: Observed::Unobserved(why),
        promiscuous: Observed::Unobserved(why),
        mac_changes: Observed::Unobserved(why),
        forged_transmits: Observed::Unobserved(why),
        carries_hypervisor: Observed::Unobserved(why),
    })
}

fn hypervisor(on_hosts: &OnHosts<'_>, key: &str) -> Observed<bool> {
    match (on_hosts.hypervisor.contains(key), on_hosts.hypervisor_unread) {
        (true, _) => Observed::Value(true),
        (false, None) => Observed::Value(false),
        (false, Some(why)) => Observed::Unobserved(why),
    }
}

fn distributed_group(
    object: &Object<'_>,
    on_hosts: &OnHosts<'_>,
    switches: &HashMap<Text, Text>,
    inventory: &Inventory,
    facts: &mut Facts<'_>,
) -> Option<Network> {
    let name = facts.name(object.get("name"), object.reference.id);
    let config = object.get("config");
    let ports = config.child("defaultPortConfig");
    let mut network = unknown(object, inventory, name, Why::Blank)?;
    let switch = config.child("distributedVirtualSwitch");
    network.switch = match switch.reference().map(|it| (it.id, switches.get(it.id))) {
        Some((_, Some(name))) => Observed::Value(name.clone()),
        Some((id, None)) => {
            let message = "port groups are on it, and no list holds it: the account may not see it, or it is newer than the list";
            facts.dangling("switches", message, id);
            Observed::Unobserved(inventory.hidden)
        }
        None => switch.refused().map_or(blank(), Observed::Unobserved),
    };
    network.switch_kind = Observed::Value(SwitchKind::Distributed);
    network.vlan = vlan(ports.child("vlan"), facts);
    let mut security = |name: &str| {
        // Since 7.0 in a policy of its own; the older one is still there, with the same values.
        let old = ports.child("securityPolicy").child(name).child("value");
        let new = ports.child("macManagementPolicy").child(name);
        facts.flag(if old.text().is_some() { old } else { new }, blank())
    };
    network.promiscuous = security("allowPromiscuous");
    network.mac_changes = security("macChanges");
    network.forged_transmits = security("forgedTransmits");
    let key = object.get("key").text().unwrap_or(object.reference.id);
    network.carries_hypervisor = hypervisor(on_hosts, key);
    Some(network)
}

/// VLAN of a distributed port group: one, ranges, a private one.
fn vlan(told: Told<'_>, facts: &mut Facts<'_>) -> Observed<Text> {
    let Some(vlan) = told.element() else {
        return told.refused().map_or(blank(), Observed::Unobserved);
    };
    match vlan.kind() {
        "VmwareDistributedVirtualSwitchVlanIdSpec" => {
            vlan_id(facts.text(told.child("vlanId"), blank()))
        }
        "VmwareDistributedVirtualSwitchTrunkVlanSpec" => {
            let range = |it: Element<'_>| {
                let (start, end) = (it.text_at("start")?, it.text_at("end")?);
                Some(if start == end { start.to_owned() } else { format!("{start}-{end}") })
            };
            let ranges: Option<Vec<String>> = vlan.all("vlanId").map(range).collect();
            match ranges {
                Some(ranges) if ranges.is_empty() => blank(),
                Some(ranges) => Observed::Value(Text::from(ranges.join(", "))),
                None => {
                    let message = "a range of VLANs without beginning or end";
                    facts.gap(GapCause::UnreadableValue, "vlanId", message);
                    Observed::Unobserved(Why::Unreadable)
                }
            }
        }
        "VmwareDistributedVirtualSwitchPvlanSpec" => match vlan.text_at("pvlanId") {
            Some(id) => Observed::Value(Text::from(format!("private {id}"))),
            None => blank(),
        },
        kind => {
            let message = "a kind of VLAN that this version does not know";
            facts.value(GapCause::UnknownValue, "vlan", message, kind);
            Observed::Unobserved(Why::Unreadable)
        }
    }
}

/// 0 means untagged.
fn vlan_id(id: Observed<Text>) -> Observed<Text> {
    match id {
        Observed::Value(id) if id == "0" => Observed::Absent,
        other => other,
    }
}

fn switches(kept: &Kept, inventory: &Inventory, facts: &mut Facts<'_>) -> Vec<Switch> {
    let mut all: BTreeMap<(SwitchKind, Text), Switch> = BTreeMap::new();
    for object in kept.objects() {
        let native = object.reference.id;
        if object.reference.kind == "HostSystem" {
            let switches = object.get("config.network.vswitch");
            if let Some(why) = silence(switches) {
                let message = "a host does not tell its switches";
                facts.gaps.add(told_nothing(why, facts.section, message).value(native));
            }
            for switch in switches.elements() {
                standard_switch(&mut all, native, switch, inventory, facts);
            }
        } else if object.reference.kind.ends_with("DistributedVirtualSwitch") {
            let switch = distributed_switch(&object, inventory, facts);
            // Two of one name, in two datacenters, are two.
            all.insert((SwitchKind::Distributed, Text::new(native)), switch);
        }
    }
    let mut switches: Vec<Switch> = all.into_values().collect();
    for switch in &mut switches {
        switch.hosts.items.sort();
        switch.hosts.items.dedup();
    }
    switches
}

/// Adds a host's switch to those of its name.
fn standard_switch(
    all: &mut BTreeMap<(SwitchKind, Text), Switch>,
    host: &str,
    switch: Element<'_>,
    inventory: &Inventory,
    facts: &mut Facts<'_>,
) {
    let Some(name) = switch.text_at("name") else {
        facts.gap(GapCause::UnmappedRow, "config.network.vswitch", "a switch without a name");
        return;
    };
    let name = Text::from(unescape(name));
    let mtu = facts.number(switch.told("mtu"), blank());
    let known = all.entry((SwitchKind::Standard, name.clone())).or_insert_with(|| Switch {
        platform: inventory.platform.clone(),
        name,
        kind: SwitchKind::Standard,
        version: Observed::Absent,
        mtu_bytes: mtu.clone(),
        hosts: Listing::complete(Vec::new()),
    });
    if !reconcile(&mut known.mtu_bytes, mtu) {
        let message = "hosts have switches of one name with different sizes of packets";
        facts.value(GapCause::Conflict, "mtu", message, &known.name);
    }
    known.hosts.items.extend(inventory.place(host).map(|it| it.name.clone()));
}

fn distributed_switch(object: &Object<'_>, inventory: &Inventory, facts: &mut Facts<'_>) -> Switch {
    facts.refusals(object);
    let members = object.get("summary.hostMember");
    let (mut hosts, mut dropped) = (Vec::new(), members.refused());
    for host in members.elements().filter_map(Element::reference) {
        match inventory.place(host.id) {
            Some(place) => hosts.push(place.name.clone()),
            None => {
                let message = "switches are on it, and no list holds it: the account may not see it, or it is newer than the list";
                facts.dangling("hosts", message, host.id);
                dropped = Some(inventory.hidden);
            }
        }
    }
    Switch {
        platform: inventory.platform.clone(),
        name: facts.name(object.get("name"), object.reference.id),
        kind: SwitchKind::Distributed,
        version: facts.text(object.get("summary.productInfo").child("version"), blank()),
        mtu_bytes: facts.number(object.get("config").child("maxMtu"), blank()),
        hosts: listing(hosts, dropped),
    }
}
