//! Bridges of nodes and virtual networks. A VLAN is a property of an interface here, not of a network:
//! each VLAN in use on a bridge counts as a network of its own.

mod interfaces;

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{Collection, Listing, Network, Observed, Switch, SwitchKind, Text, Why};

use self::interfaces::Interfaces;
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
    zone: Observed<Text>,
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
    let interfaces = Interfaces::of(context, answers, nodes);
    let vnets = vnets(context, answers);
    for (name, bridge) in interfaces.bridges.iter().filter(|(it, _)| !vnets.contains_key(*it)) {
        let hosts: Vec<Text> = bridge.nodes.iter().cloned().collect();
        collection.switches.push(Switch {
            platform: context.platform.clone(),
            name: name.clone(),
            kind: SwitchKind::Standard,
            version: Observed::Absent,
            mtu_bytes: bridge.mtu.clone(),
            hosts: match interfaces.lacking {
                None => Listing::complete(hosts),
                Some(why) => Listing::incomplete(hosts, why),
            },
        });
    }
    let zones: BTreeSet<&Text> = vnets.values().filter_map(|it| it.zone.value()).collect();
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
    all.extend(interfaces.bridges.keys().chain(vnets.keys()).map(|it| (it.clone(), None)));
    for (bridge, vlan) in &all {
        let vnet = vnets.get(bridge);
        collection.networks.extend(network(context, (bridge, vlan.as_ref()), &interfaces, vnet));
    }
}

fn network(
    context: &Context<'_>,
    (bridge, vlan): (&Text, Option<&Text>),
    interfaces: &Interfaces,
    vnet: Option<&Vnet>,
) -> Option<Network> {
    let name = match vlan {
        Some(vlan) => Text::from(format!("{bridge} VLAN {vlan}")),
        None => bridge.clone(),
    };
    let is_bridge = interfaces.bridges.contains_key(bridge);
    // What is neither is hidden: it may be a virtual network with a VLAN of its own.
    let hidden = Why::NoPermission;
    let carries = interfaces.carry_address(bridge, vlan.map(Text::as_str));
    Some(Network {
        id: context.network(&native_id(bridge, vlan.map(Text::as_str)))?,
        platform: context.platform.clone(),
        name,
        switch: match vnet {
            Some(vnet) => vnet.zone.clone(),
            None => Observed::or_why(is_bridge.then(|| bridge.clone()), hidden),
        },
        switch_kind: match vnet {
            Some(_) => SwitchKind::Distributed.into(),
            None => Observed::or_why(is_bridge.then_some(SwitchKind::Standard), hidden),
        },
        vlan: match (vlan, vnet) {
            (Some(vlan), _) => Observed::Value(vlan.clone()),
            (None, Some(vnet)) => vnet.tag.clone(),
            (None, None) if is_bridge => Observed::Absent,
            (None, None) => Observed::Unobserved(hidden),
        },
        promiscuous: Observed::Unobserved(Why::SourceLimit),
        mac_changes: Observed::Unobserved(Why::SourceLimit),
        forged_transmits: Observed::Unobserved(Why::SourceLimit),
        carries_hypervisor: match (carries, vnet) {
            (Observed::Value(false), Some(_)) => Observed::Unobserved(Why::SourceLimit),
            (Observed::Value(false), None) if !is_bridge => Observed::Unobserved(hidden),
            (told, _) => told,
        },
    })
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
            let zone = match record.text("zone") {
                Observed::Absent => Observed::Unobserved(Why::Blank),
                told => told,
            };
            vnets.insert(name, Vnet { zone, tag: record.text("tag") });
        }
    }
    vnets
}
