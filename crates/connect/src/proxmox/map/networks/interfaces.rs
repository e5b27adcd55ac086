//! Interfaces of nodes: which bridges there are, and on which of them, in which VLAN, a node has an
//! address. An address may lie on the bridge, on a VLAN of it (`vmbr0.20`), on an internal port of an
//! Open vSwitch bridge, or on what is plugged into the bridge; it may be set, or got from the network.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{Observed, Text, Why};

use crate::proxmox::collect::Answers;
use crate::proxmox::map::{Context, Nodes};
use crate::proxmox::wire::{Record, items};

const NETWORK: &str = "/nodes/{}/network";

/// A bridge, as the nodes that have it tell.
pub(super) struct Bridge {
    pub nodes: BTreeSet<Text>,
    pub mtu: Observed<u32>,
}

/// In which VLAN an address is.
#[derive(Clone, Copy)]
enum Tag {
    Untagged,
    Vlan(u16),
    /// In one whose number cannot be understood.
    Unclear,
}

/// Where a node has an address, or may have one.
struct Address {
    bridge: Text,
    tag: Tag,
    /// Whoever is on the bridge reaches it: it does not lie on what is plugged into it.
    is_on_bridge: bool,
    /// It is there; else that is not clear.
    is_sure: bool,
}

/// What all nodes tell.
#[derive(Default)]
pub(super) struct Interfaces {
    pub bridges: BTreeMap<Text, Bridge>,
    /// Why some may be missing.
    pub lacking: Option<Why>,
    addresses: Vec<Address>,
}

impl Interfaces {
    pub(super) fn of(context: &Context<'_>, answers: &Answers, nodes: &Nodes) -> Self {
        let mut all = Self::default();
        if !nodes.offline.is_empty() || nodes.online.is_empty() {
            all.lacking = Some(Why::CallFailed);
        }
        for node in &nodes.online {
            let Some(list) = answers.list(NETWORK, &[node]) else {
                all.lacking = all.lacking.or(Some(answers.why(NETWORK, &[node])));
                continue;
            };
            let read: Vec<_> = Record::each(list, "networks", context.gaps)
                .filter_map(|it| Interface::of(context, it))
                .collect();
            if read.len() < list.len() {
                all.lacking = all.lacking.or(Some(Why::Unreadable));
            }
            for it in read.iter().filter(|it| it.is_bridge()) {
                all.add_bridge(node, it);
            }
            let node = OfNode::of(&read);
            all.addresses.extend(read.iter().flat_map(|it| node.addresses(it)));
        }
        all
    }

    fn add_bridge(&mut self, node: &Text, interface: &Interface<'_>) {
        let mtu = match interface.record.number("mtu") {
            Observed::Absent => Observed::Unobserved(Why::Blank),
            told => told.and_then(|it| Observed::or_why(u32::try_from(it).ok(), Why::Unreadable)),
        };
        let bridge = self
            .bridges
            .entry(interface.name.clone())
            .or_insert_with(|| Bridge { nodes: BTreeSet::new(), mtu: mtu.clone() });
        bridge.nodes.insert(node.clone());
        if bridge.mtu != mtu {
            bridge.mtu = Observed::Unobserved(Why::Conflict);
        }
    }

    /// Whether a node has an address on a bridge: in these VLANs of it, or anywhere on it.
    pub(super) fn carry_address(&self, bridge: &str, vlans: Option<&str>) -> Observed<bool> {
        let wanted = vlans.map(Vlans::parse);
        let is_here = |it: &&Address| match &wanted {
            _ if it.bridge != bridge => false,
            None => matches!(it.tag, Tag::Untagged) || it.is_on_bridge,
            Some(Some(wanted)) => wanted.hold(it.tag),
            Some(None) => false,
        };
        let here: Vec<_> = self.addresses.iter().filter(is_here).collect();
        if here.iter().any(|it| it.is_sure) {
            return Observed::Value(true);
        }
        match (&wanted, self.lacking) {
            (Some(None), _) => Observed::Unobserved(Why::Unreadable),
            _ if !here.is_empty() => Observed::Unobserved(Why::Blank),
            (_, Some(why)) => Observed::Unobserved(why),
            (_, None) => Observed::Value(false),
        }
    }
}

/// One interface of one node.
struct Interface<'a> {
    name: Text,
    kind: Text,
    record: Record<'a>,
}

impl<'a> Interface<'a> {
    fn of(context: &Context<'_>, record: Record<'a>) -> Option<Self> {
        let name = record.required("iface")?;
        let kind = record.text("type").value().cloned();
        let interface = kind.map(|kind| Self { name, kind, record });
        let is_bridge = interface.as_ref().is_some_and(Self::is_bridge);
        context.tally("networks", record.cells(), is_bridge);
        interface
    }

    fn is_bridge(&self) -> bool {
        self.kind == "bridge" || self.kind == "OVSBridge"
    }

    /// Whether it has an address, set or got from the network.
    fn has_address(&self) -> Observed<bool> {
        let is_there = |key| self.record.get(key).is_some();
        if ["address", "address6", "cidr", "cidr6"].into_iter().any(is_there) {
            return Observed::Value(true);
        }
        let methods = ["method", "method6"].map(|it| self.record.text(it));
        let words = || methods.iter().filter_map(|it| it.value().map(Text::as_str));
        if words().any(|it| it == "dhcp" || it == "auto") {
            return Observed::Value(true);
        }
        // It is said to have none; where nothing is said, there may be one.
        let is_told = words().next().is_some() && words().all(|it| it == "manual");
        let is_told = is_told && methods.iter().all(Observed::is_observed);
        Observed::or_why(is_told.then_some(false), Why::Blank)
    }

    /// What a VLAN's interface lies on, and its number: told, or in its name, `vmbr0.20`.
    fn vlan(&self) -> (Option<Text>, Option<u16>) {
        let named = self.name.rsplit_once('.');
        let below = self.record.text("vlan-raw-device").value().cloned();
        let number = self.record.number("vlan-id").copied();
        let digits = named.map_or(self.name.trim_start_matches("vlan"), |(_, number)| number);
        (
            below.or_else(|| named.map(|(below, _)| below.into())),
            number.map_or_else(|| digits.parse().ok(), |it| u16::try_from(it).ok()),
        )
    }
}

/// How the interfaces of one node hang together.
struct OfNode<'a> {
    /// Bridge into which an interface is plugged.
    ports: BTreeMap<Text, Text>,
    by_name: BTreeMap<&'a str, &'a Interface<'a>>,
}

impl<'a> OfNode<'a> {
    fn of(interfaces: &'a [Interface<'a>]) -> Self {
        let mut ports = BTreeMap::new();
        for it in interfaces {
            for key in ["bridge_ports", "ovs_ports"] {
                if let Observed::Value(list) = it.record.text(key) {
                    ports.extend(items(&list).map(|port| (port.into(), it.name.clone())));
                }
            }
            if let Observed::Value(bridge) = it.record.text("ovs_bridge") {
                ports.insert(it.name.clone(), bridge);
            }
        }
        Self { ports, by_name: interfaces.iter().map(|it| (it.name.as_str(), it)).collect() }
    }

    fn is_bridge(&self, name: &str) -> bool {
        self.by_name.get(name).is_some_and(|it| it.is_bridge())
    }

    /// Addresses that an interface has or may have on bridges.
    fn addresses(&self, interface: &Interface<'_>) -> Vec<Address> {
        // `vmbr0:1` is one more address of `vmbr0`.
        let name = interface.name.split(':').next().unwrap_or(&interface.name);
        let port_of = self.ports.get(name);
        let mut has = interface.has_address();
        let mut found = Vec::new();
        let mut add = |bridge: &str, tag, is_on_bridge, has: &Observed<bool>| {
            let is_sure = *has == Observed::Value(true) && !matches!(tag, Tag::Unclear);
            if *has != Observed::Value(false) {
                found.push(Address { bridge: bridge.into(), tag, is_on_bridge, is_sure });
            }
        };
        match (self.is_bridge(name), port_of) {
            (true, _) => add(name, Tag::Untagged, true, &has),
            (false, Some(bridge)) if interface.kind == "OVSIntPort" => {
                add(bridge, Self::tag(interface), true, &has);
            }
            // What is plugged in has no address of its own unless it says so.
            (false, Some(bridge)) if has == Observed::Value(true) => {
                add(bridge, Tag::Untagged, false, &has);
            }
            (false, _) => {}
        }
        if interface.kind == "vlan" {
            // A VLAN that is plugged into another bridge brings that bridge's address with it.
            let above = port_of.and_then(|it| self.by_name.get(it.as_str()));
            match above.map(|it| it.has_address()) {
                Some(Observed::Value(false)) | None => {}
                Some(above) if has == Observed::Value(false) => has = above,
                Some(Observed::Value(true)) => has = Observed::Value(true),
                Some(_) => {}
            }
            let (below, vlan) = interface.vlan();
            let below = below.unwrap_or_default();
            let vlan = vlan.map_or(Tag::Unclear, Tag::Vlan);
            match (self.is_bridge(&below), self.ports.get(&below)) {
                (true, _) => add(&below, vlan, true, &has),
                (false, Some(bridge)) => add(bridge, vlan, false, &has),
                (false, None) => {}
            }
        }
        found
    }

    /// VLAN of an internal port of an Open vSwitch bridge.
    fn tag(interface: &Interface<'_>) -> Tag {
        let options = interface.record.text("ovs_options");
        let options = options.value().map(|it| it.replace(' ', ","));
        let option =
            options.as_deref().and_then(|it| it.split(',').find_map(|it| it.strip_prefix("tag=")));
        let told = interface.record.text("ovs_tag");
        match told.value().map(Text::as_str).or(option) {
            None => Tag::Untagged,
            Some(tag) => tag.parse().map_or(Tag::Unclear, Tag::Vlan),
        }
    }
}

/// VLANs of a guest's interface: `20`, `trunk 30;40-50`, `20 trunk 30`.
struct Vlans {
    ranges: Vec<(u16, u16)>,
    /// What carries no tag is among them.
    untagged: bool,
}

impl Vlans {
    fn parse(text: &str) -> Option<Self> {
        let (tag, trunks) = match text.split_once("trunk ") {
            Some((tag, trunks)) => (tag.trim(), trunks),
            None => (text.trim(), ""),
        };
        let ranges = items(tag).chain(items(trunks)).map(|it| {
            let (first, last) = it.split_once('-').unwrap_or((it, it));
            Some((first.parse().ok()?, last.parse().ok()?))
        });
        Some(Self { ranges: ranges.collect::<Option<_>>()?, untagged: tag.is_empty() })
    }

    fn hold(&self, tag: Tag) -> bool {
        match tag {
            Tag::Untagged => self.untagged,
            Tag::Vlan(vlan) => {
                self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&vlan))
            }
            Tag::Unclear => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vlans_are_a_tag_a_trunk_or_both() {
        let hold = |text: &str, tag| Vlans::parse(text).map(|it| it.hold(tag));
        assert_eq!(hold("20", Tag::Vlan(20)), Some(true));
        assert_eq!(
            (hold("20", Tag::Untagged), hold("20", Tag::Vlan(2))),
            (Some(false), Some(false))
        );
        assert_eq!(hold("trunk 30;40-50", Tag::Vlan(45)), Some(true));
        assert_eq!(hold("trunk 30;40-50", Tag::Untagged), Some(true));
        assert_eq!(hold("20 trunk 30", Tag::Untagged), Some(false));
        assert_eq!(hold("20", Tag::Unclear), Some(true));
        assert_eq!(hold("twenty", Tag::Vlan(20)), None);
    }
}
