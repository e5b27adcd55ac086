//! Networks: virtual ones with their port groups, and bridges and devices of the host to which
//! adapters are attached directly.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{
    GapCause, Listing, Network, NetworkId, Observed, PlatformId, Switch, SwitchKind, Text, Why,
};

use super::gaps::Told;
use crate::libvirt::wire::reading::{NamedReading, Surroundings, parsed};
use crate::libvirt::wire::xml::Element;
use crate::live::{Found, Gaps};

const SECTION: &str = "networks";

/// Something of the host to which an adapter is attached without a virtual network.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Implied {
    /// A bridge.
    Bridge(Text),
    /// A device: shared by the kernel, or passed through.
    Device(Text),
}

impl Implied {
    /// Id of the network.
    pub fn id(&self, platform: &PlatformId) -> Option<NetworkId> {
        let native = match self {
            Self::Bridge(name) => format!("bridge/{name}"),
            Self::Device(name) => format!("device/{name}"),
        };
        NetworkId::on(platform, &native).ok()
    }

    /// The switch.
    pub fn switch(&self) -> Option<Text> {
        match self {
            Self::Bridge(name) => Some(name.clone()),
            Self::Device(_) => None,
        }
    }

    fn name(&self) -> &Text {
        match self {
            Self::Bridge(name) | Self::Device(name) => name,
        }
    }
}

/// Networks so far.
#[derive(Default)]
pub struct Networks {
    networks: Vec<Network>,
    /// Bridges, with the size of frames where it is told.
    switches: BTreeMap<Text, Observed<u32>>,
    by_name: BTreeMap<String, Known>,
    /// Why there may be more.
    why: Option<Why>,
}

/// What adapters need to know of a network.
struct Known {
    switch: Observed<Text>,
    passed_through: Observed<bool>,
}

/// Where an adapter on a virtual network is attached.
pub struct Attached {
    /// The network, or its port group.
    pub id: Observed<NetworkId>,
    /// The switch.
    pub switch: Observed<Text>,
    /// Its adapters are devices of the host.
    pub passed_through: Observed<bool>,
}

impl Networks {
    /// The virtual networks.
    pub fn read(platform: &PlatformId, around: &Surroundings, gaps: &mut Gaps) -> Self {
        let mut networks = Self::default();
        let list = match &around.networks {
            Ok(list) => list.as_slice(),
            Err(failure) => {
                networks.why = Some(failure.why());
                gaps.failed(SECTION, "list of networks", failure, None);
                &[]
            }
        };
        if around.left_out.networks > 0 {
            networks.why.get_or_insert(Why::CallFailed);
        }
        gaps.left_out(SECTION, "networks", around.left_out.networks);
        for reading in list {
            networks.add(platform, reading, gaps);
        }
        networks
    }

    fn add(&mut self, platform: &PlatformId, reading: &NamedReading, gaps: &mut Gaps) {
        let name = reading.named.name.as_str();
        let xml = parsed(&reading.xml);
        let Ok(id) = NetworkId::on(platform, &native(name, None)) else {
            let message = "its name makes no id";
            return gaps.add(Found::of(GapCause::UnmappedRow, SECTION, message).value(name));
        };
        let mut network = Network {
            id,
            platform: platform.clone(),
            name: Text::from(name),
            switch: Observed::Unobserved(Why::Blank),
            switch_kind: Observed::Unobserved(Why::Blank),
            vlan: Observed::Unobserved(Why::Blank),
            // Told by filters on adapters, not by networks.
            promiscuous: Observed::Unobserved(Why::SourceLimit),
            mac_changes: Observed::Unobserved(Why::SourceLimit),
            forged_transmits: Observed::Unobserved(Why::SourceLimit),
            carries_hypervisor: Observed::Unobserved(Why::SourceLimit),
        };
        let xml = match xml {
            Ok(xml) => xml,
            Err(failure) => {
                gaps.failed(SECTION, "XML", &failure, Some(name));
                // One that is gone by now is none.
                if failure.is_gone() {
                    return;
                }
                unread(&mut network, failure.why());
                let switch = network.switch.clone();
                let passed_through = Observed::Unobserved(failure.why());
                self.by_name.insert(name.to_owned(), Known { switch, passed_through });
                self.networks.push(network);
                return;
            }
        };
        self.describe(&xml, &mut network);
        let passed_through =
            Observed::Value(xml.attribute_at("forward", "mode") == Some("hostdev"));
        let switch = network.switch.clone();
        self.by_name.insert(name.to_owned(), Known { switch, passed_through });
        for group in xml.all("portgroup") {
            let Some(group_name) = group.attribute("name") else { continue };
            let Ok(id) = NetworkId::on(platform, &native(name, Some(group_name))) else { continue };
            let vlan = match vlan(group) {
                Observed::Absent => network.vlan.clone(),
                own => own,
            };
            let name = Text::from(format!("{name}/{group_name}"));
            self.networks.push(Network { id, name, vlan, ..network.clone() });
        }
        self.networks.push(network);
    }

    fn describe(&mut self, xml: &Element, network: &mut Network) {
        let bridge = xml.attribute_at("bridge", "name").map(Text::from);
        if let Some(bridge) = &bridge {
            let mtu = xml.attribute_at("mtu", "size").and_then(|it| it.parse().ok());
            let mtu = mtu.map_or(Observed::Unobserved(Why::Blank), Observed::Value);
            self.switches.entry(bridge.clone()).or_insert(mtu);
        }
        network.switch_kind = match bridge {
            Some(_) => Observed::Value(SwitchKind::Standard),
            None => Observed::Absent,
        };
        network.switch = bridge.map_or(Observed::Absent, Observed::Value);
        network.vlan = vlan(xml);
        // Where libvirt makes the bridge, an address on it is one of the host. On a bridge that was
        // there before, libvirt does not know.
        let own_bridge = !matches!(
            xml.attribute_at("forward", "mode"),
            Some("bridge" | "private" | "vepa" | "passthrough" | "hostdev")
        );
        if own_bridge {
            network.carries_hypervisor = Observed::Value(xml.has("ip"));
        }
    }

    /// Where an adapter is attached that names a network; nothing if no network has that name.
    pub fn attach(
        &self,
        platform: &PlatformId,
        name: &str,
        group: Option<&str>,
    ) -> Option<Attached> {
        let known = self.by_name.get(name)?;
        // A port group that the network does not have falls back to the network itself.
        let native = [native(name, group), native(name, None)];
        let ids = native.iter().filter_map(|it| NetworkId::on(platform, it).ok());
        let mut there = ids.filter(|id| self.networks.iter().any(|it| it.id == *id));
        Some(Attached {
            id: Observed::or_why(there.next(), Why::Unreadable),
            switch: known.switch.clone(),
            passed_through: known.passed_through.clone(),
        })
    }

    /// Why a network that an adapter names is not known.
    pub fn unknown(&self) -> Why {
        self.why.unwrap_or(Why::Blank)
    }

    /// Adds what adapters showed to be there.
    pub fn add_bridges(&mut self, platform: &PlatformId, implied: &BTreeSet<Implied>) {
        for implied in implied {
            let Some(id) = implied.id(platform) else { continue };
            let switch = implied.switch();
            if let Some(bridge) = &switch {
                let unknown = Observed::Unobserved(Why::Blank);
                self.switches.entry(bridge.clone()).or_insert(unknown);
            }
            let limit = Why::SourceLimit;
            self.networks.push(Network {
                id,
                platform: platform.clone(),
                name: implied.name().clone(),
                switch_kind: match switch {
                    Some(_) => Observed::Value(SwitchKind::Standard),
                    None => Observed::Absent,
                },
                switch: switch.map_or(Observed::Absent, Observed::Value),
                vlan: Observed::Unobserved(limit),
                promiscuous: Observed::Unobserved(limit),
                mac_changes: Observed::Unobserved(limit),
                forged_transmits: Observed::Unobserved(limit),
                carries_hypervisor: Observed::Unobserved(limit),
            });
        }
    }

    /// The bridges.
    pub fn switches(&self, platform: &PlatformId, host: &Observed<Text>) -> Vec<Switch> {
        let hosts = match host {
            Observed::Value(name) => Listing::complete(vec![name.clone()]),
            other => Listing::unobserved(other.why().unwrap_or(Why::Blank)),
        };
        let switches = self.switches.iter().map(|(name, mtu)| Switch {
            platform: platform.clone(),
            name: name.clone(),
            kind: SwitchKind::Standard,
            version: Observed::Absent,
            mtu_bytes: mtu.clone(),
            hosts: hosts.clone(),
        });
        switches.collect()
    }

    /// All networks, sorted by id.
    pub fn into_networks(mut self) -> Vec<Network> {
        self.networks.sort_by(|one, other| one.id.cmp(&other.id));
        self.networks
    }
}

fn native(name: &str, group: Option<&str>) -> String {
    match group {
        Some(group) => format!("network/{name}/{group}"),
        None => format!("network/{name}"),
    }
}

fn unread(network: &mut Network, why: Why) {
    network.switch = Observed::Unobserved(why);
    network.switch_kind = Observed::Unobserved(why);
    network.vlan = Observed::Unobserved(why);
    network.carries_hypervisor = Observed::Unobserved(why);
}

/// Tags as they are written, joined by commas.
pub fn vlan(element: &Element) -> Observed<Text> {
    let Some(vlan) = element.at("vlan") else { return Observed::Absent };
    let tags: Vec<_> = vlan.all("tag").filter_map(|it| it.attribute("id")).collect();
    if tags.is_empty() { Observed::Absent } else { Observed::Value(Text::from(tags.join(","))) }
}
