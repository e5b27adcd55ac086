//! Bridges of nodes and virtual networks. A VLAN is a property of an interface here, not of a network:
//! each VLAN in use on a bridge counts as a network of its own.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{Collection, Listing, Network, Observed, Switch, SwitchKind, Text, Why};

use super::{Context, Nodes};
use crate::proxmox::collect::Answers;
use crate::proxmox::wire::Record;

/// Networks on which guests are: bridge, and VLAN if there is one.
pub(in crate::proxmox) type UsedNetworks = BTreeSet<(Text, Option<Text>)>;

/// Id of a network on the platform.
pub(super) fn native_id(bridge: &str, vlan: Option<&str>) -> Text {
    match vlan {
        Some(vlan) => format!("{bridge}/{vlan}").into(),
        None => bridge.into(),
    }
}

/// A virtual network.
struct Vnet {
    zone: Text,
    tag: Observed<Text>,
}

/// Maps switches and networks.
pub(in crate::proxmox) fn networks(
    context: &Context<'_>,
    answers: &Answers,
    nodes: &Nodes,
    used: &UsedNetworks,
    collection: &mut Collection,
) {
    let bridges = bridges(context, answers, nodes);
    let vnets = vnets(context, answers);
    let is_whole = nodes.offline.is_empty()
        && nodes.online.iter().all(|it| answers.list("/nodes/{}/network", &[it]).is_some());
    for (name, bridge) in bridges.iter().filter(|(name, _)| !vnets.contains_key(*name)) {
        let hosts: Vec<Text> = bridge.nodes.iter().cloned().collect();
        collection.switches.push(Switch {
            platform: context.platform.clone(),
            name: name.clone(),
            kind: SwitchKind::Standard,
            version: Observed::Absent,
            mtu_bytes: bridge.mtu.clone(),
            hosts: if is_whole {
                Listing::complete(hosts)
            } else {
                Listing::incomplete(hosts, Why::CallFailed)
            },
        });
    }
    let zones: BTreeSet<&Text> = vnets.values().map(|it| &it.zone).collect();
    for zone in zones {
        collection.switches.push(Switch {
            platform: context.platform.clone(),
            name: zone.clone(),
            kind: SwitchKind::Distributed,
            version: Observed::Absent,
            mtu_bytes: Observed::Unobserved(Why::Blank),
            hosts: Listing::unobserved(Why::SourceLimit),
        });
    }
    let mut all = used.clone();
    all.extend(bridges.keys().chain(vnets.keys()).map(|it| (it.clone(), None)));
    for (bridge, vlan) in &all {
        let told = (bridges.get(bridge), vnets.get(bridge));
        collection.networks.extend(network(context, (bridge, vlan.as_ref()), told, is_whole));
    }
}

fn network(
    context: &Context<'_>,
    (bridge, vlan): (&Text, Option<&Text>),
    (told, vnet): (Option<&Bridge>, Option<&Vnet>),
    is_whole: bool,
) -> Option<Network> {
    let name = match vlan {
        Some(vlan) => Text::from(format!("{bridge} VLAN {vlan}")),
        None => bridge.clone(),
    };
    let carries = match (told, vnet, vlan) {
        // An address on the bridge itself is untagged traffic of the node.
        (Some(_), _, Some(_)) | (None, Some(_), _) => Observed::Value(false),
        (Some(told), ..) if told.has_address || is_whole => Observed::Value(told.has_address),
        _ => Observed::Unobserved(Why::CallFailed),
    };
    Some(Network {
        id: context.network(&native_id(bridge, vlan.map(Text::as_str)))?,
        platform: context.platform.clone(),
        name,
        switch: vnet.map_or_else(|| bridge.clone(), |it| it.zone.clone()).into(),
        switch_kind: match (vnet, told) {
            (Some(_), _) => SwitchKind::Distributed.into(),
            (None, Some(_)) => SwitchKind::Standard.into(),
            (None, None) => Observed::Unobserved(Why::NoPermission),
        },
        vlan: match (vlan, vnet) {
            (Some(vlan), _) => Observed::Value(vlan.clone()),
            (None, Some(vnet)) => vnet.tag.clone(),
            (None, None) => Observed::Absent,
        },
        promiscuous: Observed::Unobserved(Why::SourceLimit),
        mac_changes: Observed::Unobserved(Why::SourceLimit),
        forged_transmits: Observed::Unobserved(Why::SourceLimit),
        carries_hypervisor: carries,
    })
}

/// A bridge, as the nodes that have it tell.
struct Bridge {
    nodes: BTreeSet<Text>,
    mtu: Observed<u32>,
    has_address: bool,
}

fn bridges(context: &Context<'_>, answers: &Answers, nodes: &Nodes) -> BTreeMap<Text, Bridge> {
    let mut bridges: BTreeMap<Text, Bridge> = BTreeMap::new();
    for node in &nodes.online {
        let list = answers.list("/nodes/{}/network", &[node]).unwrap_or_default();
        for record in Record::each(list, "networks", context.gaps) {
            let kind = record.text("type");
            let is_bridge = kind.value().is_some_and(|it| it == "bridge" || it == "OVSBridge");
            let Some(name) = record.required("iface") else { continue };
            context.tally("networks", record.cells(), is_bridge);
            if !is_bridge {
                continue;
            }
            let mtu = match record.number("mtu") {
                Observed::Value(mtu) => Observed::or_why(u32::try_from(mtu).ok(), Why::Unreadable),
                Observed::Absent => Observed::Unobserved(Why::Blank),
                Observed::Unobserved(why) => Observed::Unobserved(why),
            };
            let bridge = bridges.entry(name).or_insert_with(|| Bridge {
                nodes: BTreeSet::new(),
                mtu: mtu.clone(),
                has_address: false,
            });
            bridge.nodes.insert(node.clone());
            if bridge.mtu != mtu {
                bridge.mtu = Observed::Unobserved(Why::Conflict);
            }
            bridge.has_address |= record.get("address").or(record.get("address6")).is_some();
        }
    }
    bridges
}

fn vnets(context: &Context<'_>, answers: &Answers) -> BTreeMap<Text, Vnet> {
    let list = answers.list("/cluster/sdn/vnets", &[]).unwrap_or_default();
    let mut vnets = BTreeMap::new();
    for record in Record::each(list, "networks", context.gaps) {
        // With `pending`, what is not in force yet lies apart and says that it is new.
        let is_new = record.text("state").value().is_some_and(|it| it == "new");
        let Some(name) = record.required("vnet") else { continue };
        context.tally("networks", record.cells(), !is_new);
        if !is_new {
            let zone = record.text("zone").value().cloned().unwrap_or_default();
            vnets.insert(name, Vnet { zone, tag: record.text("tag") });
        }
    }
    vnets
}
