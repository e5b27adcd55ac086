//! Network adapters, in the order of the XML: `net0`, `net1` … as libvirt itself calls them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use entente_model::{Listing, Nic, Observed, Text, Why, Workload};

use super::Scene;
use super::blank;
use super::domain::{Document, SECTION};
use super::gaps::Gaps;
use super::networks::Implied;
use crate::libvirt::wire::procedures::GuestAdapter;
use crate::libvirt::wire::reading::Read;
use crate::libvirt::wire::xml::Element;

/// Maps them.
pub fn read(
    scene: &Scene<'_>,
    document: &Document<'_>,
    workload: &mut Workload,
    implied: &mut BTreeSet<Implied>,
    gaps: &mut Gaps,
) {
    let addresses = Addresses::read(document, gaps);
    let nics = document.devices("interface").enumerate().map(|(number, element)| {
        let mut nic = blank::nic(Text::from(format!("net{number}")));
        adapter(document, element, &mut nic);
        attach(scene, element, &mut nic, implied, gaps);
        nic.addresses = addresses.of(&nic);
        nic
    });
    workload.nics = Listing::complete(nics.collect());
}

fn adapter(document: &Document<'_>, element: &Element, nic: &mut Nic) {
    let text = |text: &str| Observed::Value(Text::from(text));
    if let Some(model) = element.attribute_at("model", "type") {
        nic.adapter = text(model);
    }
    if let Some(mac) = element.attribute_at("mac", "address") {
        nic.mac = text(&mac.to_ascii_lowercase());
    }
    let up = element.attribute_at("link", "state") != Some("down");
    let stored = document.next.as_ref().and_then(|next| same_adapter(next, element));
    let starts_up = stored.unwrap_or(element).attribute_at("link", "state") != Some("down");
    nic.connected = Observed::Value(up && document.is_active());
    nic.starts_connected = Observed::Value(starts_up);
}

/// The same adapter in another document of the domain: hardware addresses are kept from start to
/// start.
fn same_adapter<'a>(document: &'a Element, element: &Element) -> Option<&'a Element> {
    let mac = element.attribute_at("mac", "address")?;
    let mut adapters = document.at("devices")?.children.iter().filter(|it| it.name == "interface");
    adapters.find(|it| it.attribute_at("mac", "address") == Some(mac))
}

/// Where it is attached.
fn attach(
    scene: &Scene<'_>,
    element: &Element,
    nic: &mut Nic,
    implied: &mut BTreeSet<Implied>,
    gaps: &mut Gaps,
) {
    let source = |name| element.attribute_at("source", name);
    let kind = element.attribute("type").unwrap_or_default();
    nic.direct_path = Observed::Value(kind == "hostdev");
    let direct = |it: &str| Implied::Device(Text::from(it));
    let to = match kind {
        "network" => {
            let Some(name) = source("network") else { return };
            let network = scene.networks.attach(scene.platform, name, source("portgroup"));
            nic.direct_path = network.passed_through.map(|it| it || kind == "hostdev");
            (nic.network, nic.switch) = (network.id, network.switch);
            return;
        }
        "bridge" => source("bridge").map(|it| Implied::Bridge(Text::from(it))),
        "direct" => source("dev").map(direct),
        "hostdev" | "vdpa" => {
            let address = element.at("source/address").map(super::disks::pci_address);
            address.as_deref().or(source("dev")).map(direct)
        }
        // A network of the guest's own, or one that another program makes: none of the host's.
        "user" | "ethernet" | "vhostuser" | "internal" | "mcast" | "server" | "client" | "udp"
        | "null" | "vds" => {
            (nic.network, nic.switch) = (Observed::Absent, Observed::Absent);
            return;
        }
        unknown => {
            gaps.unknown(SECTION, "interface type", unknown);
            let unreadable = Why::Unreadable;
            nic.network = Observed::Unobserved(unreadable);
            nic.switch = Observed::Unobserved(unreadable);
            return;
        }
    };
    if let Some(to) = to {
        nic.switch = to.switch().map_or(Observed::Absent, Observed::Value);
        nic.network = to.id(scene.platform).map_or(nic.network.clone(), Observed::Value);
        implied.insert(to);
    }
}

/// Addresses of a guest, by hardware address.
struct Addresses {
    by_mac: BTreeMap<String, BTreeSet<IpAddr>>,
    /// Why there may be more.
    why: Option<Why>,
}

impl Addresses {
    fn read(document: &Document<'_>, gaps: &mut Gaps) -> Self {
        let reading = document.reading;
        let mut addresses = Self { by_mac: BTreeMap::new(), why: Some(Why::GuestSilent) };
        for (what, read) in [
            ("leased addresses", &reading.leases),
            ("addresses by the agent", &reading.agent_addresses),
        ] {
            let Some(read) = read else { continue };
            match read {
                Ok(adapters) => addresses.add(adapters),
                Err(failure) if failure.is_unsupported() || failure.is_guest_silent() => {}
                Err(failure) => gaps.failed(SECTION, what, failure, Some(&reading.domain.name)),
            }
        }
        // Only the guest itself knows all of its addresses.
        if matches!(reading.agent_addresses, Some(Read::Ok(_))) {
            addresses.why = None;
        }
        addresses
    }

    fn add(&mut self, adapters: &[GuestAdapter]) {
        for adapter in adapters {
            let Some(mac) = &adapter.mac else { continue };
            let known = self.by_mac.entry(mac.to_ascii_lowercase()).or_default();
            known.extend(adapter.addresses.iter().filter_map(|it| it.parse::<IpAddr>().ok()));
        }
    }

    fn of(&self, nic: &Nic) -> Listing<IpAddr> {
        let mac = nic.mac.value().map(Text::as_str).unwrap_or_default();
        let items = self.by_mac.get(mac).into_iter().flatten().copied().collect();
        match self.why {
            Some(why) => Listing::incomplete(items, why),
            None => Listing::complete(items),
        }
    }
}
