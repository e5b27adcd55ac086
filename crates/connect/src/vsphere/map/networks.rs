//! Networks, port groups and the switches that carry them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entente_model::{
    GapCause, Listing, Network, NetworkId, Observed, Switch, SwitchKind, Text, Why,
};

use super::super::collect::Kept;
use super::super::wire::{Element, Object, Told, unescape};
use super::facts::{Facts, blank};
use super::inventory::{Inventory, NetworkPlace};

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
    /// Names of standard port groups and keys of distributed ones that carry the hypervisor itself.
    hypervisor: BTreeSet<&'t str>,
    refused: Option<Why>,
}

/// All networks and switches; the inventory learns of the networks.
pub(super) fn networks(
    kept: &Kept,
    inventory: &mut Inventory,
    facts: &mut Facts<'_>,
) -> (Vec<Network>, Vec<Switch>) {
    let on_hosts = on_hosts(kept);
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
    (networks, switches(kept, inventory, facts))
}

fn on_hosts(kept: &Kept) -> OnHosts<'_> {
    let mut all = OnHosts::default();
    for host in kept.objects().filter(|it| it.reference.kind == "HostSystem") {
        let groups = host.get("config.network.portgroup");
        all.refused = all.refused.or(groups.refused());
        for group in groups.elements() {
            let Some(spec) = group.child("spec") else { continue };
            let name = unescape(spec.text_at("name").unwrap_or_default()).into_owned();
            all.groups.entry(name).or_default().push(PortGroup {
                host: host.reference.id,
                spec,
                security: group.at("computedPolicy.security"),
            });
        }
        for adapter in host.get("config.network.vnic").elements() {
            all.hypervisor.extend(adapter.text_at("portgroup"));
            all.hypervisor.extend(adapter.text_at("spec.distributedVirtualPort.portgroupKey"));
        }
    }
    all
}

fn standard(
    object: &Object<'_>,
    on_hosts: &OnHosts<'_>,
    inventory: &Inventory,
    facts: &mut Facts<'_>,
) -> Option<Network> {
    let native = object.reference.id;
    let name = facts.name(object.get("name"), native);
    let hosts: BTreeSet<&str> =
        object.get("host").elements().filter_map(Element::reference).map(|it| it.id).collect();
    let groups = on_hosts.groups.get(name.as_str()).map(Vec::as_slice).unwrap_or_default();
    let mut groups = groups.iter().filter(|it| hosts.is_empty() || hosts.contains(it.host));
    let mut network = unknown(object, inventory, name, on_hosts.refused.unwrap_or(Why::Blank))?;
    network.switch_kind = Observed::Value(SwitchKind::Standard);
    network.carries_hypervisor = hypervisor(on_hosts, &network.name);
    if let Some(first) = groups.next() {
        let of = |group: &PortGroup<'_>, facts: &mut Facts<'_>| {
            let told = |path: &str| within(group.security, path);
            (
                facts.text(within(Some(group.spec), "vswitchName"), blank()),
                vlan_id(facts.text(within(Some(group.spec), "vlanId"), blank())),
                facts.flag(told("allowPromiscuous"), blank()),
                facts.flag(told("macChanges"), blank()),
                facts.flag(told("forgedTransmits"), blank()),
            )
        };
        (
            network.switch,
            network.vlan,
            network.promiscuous,
            network.mac_changes,
            network.forged_transmits,
        ) = of(first, facts);
        for other in groups {
            let (switch, vlan, promiscuous, changes, forged) = of(other, facts);
            let mut agree = true;
            agree &= reconcile(&mut network.switch, switch);
            agree &= reconcile(&mut network.vlan, vlan);
            agree &= reconcile(&mut network.promiscuous, promiscuous);
            agree &= reconcile(&mut network.mac_changes, changes);
            agree &= reconcile(&mut network.forged_transmits, forged);
            if !agree {
                let message = "hosts have port groups of one name with different settings";
                facts.gap(GapCause::Conflict, "portgroup", message);
                break;
            }
        }
    }
    Some(network)
}

/// Keeps what two hosts agree on; false if they do not.
fn reconcile<T: PartialEq>(kept: &mut Observed<T>, other: Observed<T>) -> bool {
    let agree = *kept == other || !other.is_observed();
    if !kept.is_observed() && *kept != Observed::Unobserved(Why::Conflict) {
        *kept = other;
    } else if !agree {
        *kept = Observed::Unobserved(Why::Conflict);
    }
    agree
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
    match (on_hosts.hypervisor.contains(key), on_hosts.refused) {
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
    network.switch = match switch.reference().and_then(|it| switches.get(it.id)) {
        Some(name) => Observed::Value(name.clone()),
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
            let ranges: Vec<String> = vlan.all("vlanId").filter_map(range).collect();
            Observed::Value(Text::from(ranges.join(", ")))
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

fn within<'t>(element: Option<Element<'t>>, path: &str) -> Told<'t> {
    element.and_then(|it| it.at(path)).map_or(Told::Unset, Told::Value)
}

fn switches(kept: &Kept, inventory: &Inventory, facts: &mut Facts<'_>) -> Vec<Switch> {
    let mut all: BTreeMap<(SwitchKind, Text), Switch> = BTreeMap::new();
    let name_of = |id: &str| inventory.place(id).map(|it| it.name.clone());
    for object in kept.objects() {
        let native = object.reference.id;
        if object.reference.kind == "HostSystem" {
            for switch in object.get("config.network.vswitch").elements() {
                let name = Text::from(unescape(switch.text_at("name").unwrap_or_default()));
                let mtu = facts.number(within(Some(switch), "mtu"), blank());
                let entry = all.entry((SwitchKind::Standard, name.clone()));
                let known = entry.or_insert_with(|| Switch {
                    platform: inventory.platform.clone(),
                    name,
                    kind: SwitchKind::Standard,
                    version: Observed::Absent,
                    mtu_bytes: mtu.clone(),
                    hosts: Listing::complete(Vec::new()),
                });
                reconcile(&mut known.mtu_bytes, mtu);
                known.hosts.items.extend(name_of(native));
            }
        } else if object.reference.kind.ends_with("DistributedVirtualSwitch") {
            facts.refusals(&object);
            let members = object.get("summary.hostMember");
            let hosts = members.elements().filter_map(Element::reference);
            let hosts: Vec<Text> = hosts.filter_map(|it| name_of(it.id)).collect();
            let switch = Switch {
                platform: inventory.platform.clone(),
                name: facts.name(object.get("name"), native),
                kind: SwitchKind::Distributed,
                version: facts.text(object.get("summary.productInfo").child("version"), blank()),
                mtu_bytes: facts.number(object.get("config").child("maxMtu"), blank()),
                hosts: match members.refused() {
                    Some(why) => Listing::incomplete(hosts, why),
                    None => Listing::complete(hosts),
                },
            };
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
