//! Network adapters, in the order of the XML: `net0`, `net1` … as libvirt itself calls them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use entente_model::{GapCause, Listing, Nic, Observed, Text, Why, Workload};

use super::Scene;
use super::domain::{Document, SECTION};
use super::gaps::Told;
use super::networks::Implied;
use crate::libvirt::wire::procedures::GuestAdapter;
use crate::libvirt::wire::reading::Read;
use crate::libvirt::wire::xml::Element;
use crate::live::{Found, Gaps};

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
        let mut nic = blank(Text::from(format!("net{number}")));
        adapter(document, element, &mut nic);
        attach(scene, document, element, &mut nic, implied, gaps);
        nic.addresses = addresses.of(&nic);
        nic
    });
    workload.nics = Listing::complete(nics.collect());
}

/// An adapter with a label alone.
fn blank(label: Text) -> Nic {
    let never = Why::SourceLimit;
    Nic {
        mac_origin: Observed::Unobserved(never),
        address_is_static: Observed::Unobserved(never),
        ..Nic::unobserved(label, Why::Blank)
    }
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

/// The virtual network that an adapter names, and its port group. Of one that runs the XML shows what
/// became of it, a bridge or a device, and names the network beside it; of a device that is passed
/// through only what is stored names it, unless that names another network by now.
fn named<'a>(
    scene: &Scene<'_>,
    document: &'a Document<'_>,
    element: &'a Element,
) -> Option<(&'a str, Option<&'a str>)> {
    let of = |element: &'a Element| {
        let source = element.at("source")?;
        Some((source.attribute("network")?, source.attribute("portgroup")))
    };
    let stored = || {
        let (name, group) = of(same_adapter(document.next.as_ref()?, element)?)?;
        let network = scene.networks.attach(scene.platform, name, group)?;
        (network.passed_through == Observed::Value(true)).then_some((name, group))
    };
    match element.attribute("type") {
        Some("hostdev") => of(element).or_else(stored),
        Some("network" | "bridge" | "direct") => of(element),
        _ => None,
    }
}

/// Where it is attached.
fn attach(
    scene: &Scene<'_>,
    document: &Document<'_>,
    element: &Element,
    nic: &mut Nic,
    implied: &mut BTreeSet<Implied>,
    gaps: &mut Gaps,
) {
    let kind = element.attribute("type").unwrap_or_default();
    nic.direct_path = Observed::Value(kind == "hostdev");
    if let Some((name, group)) = named(scene, document, element) {
        return attach_to(scene, document, (name, group), element, nic, gaps);
    }
    let source = |name| element.attribute_at("source", name);
    let direct = |it: &str| Implied::Device(Text::from(it));
    let to = match kind {
        "network" => return,
        "bridge" => source("bridge").map(|it| Implied::Bridge(Text::from(it))),
        "direct" => source("dev").map(direct),
        "hostdev" | "vdpa" => {
            let address = element.at("source/address").map(super::disks::pci_address);
            address.as_deref().or(source("dev")).map(direct)
        }
        // A network of the guest's own, or one among guests: none of the host's.
        "user" | "mcast" | "server" | "client" | "udp" | "null" => {
            (nic.network, nic.switch) = (Observed::Absent, Observed::Absent);
            return;
        }
        // Another program attaches it, to what only that knows.
        "ethernet" | "vhostuser" | "internal" | "vds" => {
            nic.network = Observed::Unobserved(Why::SourceLimit);
            nic.switch = Observed::Unobserved(Why::SourceLimit);
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

/// Attached to a virtual network, with the bridge that it has while it runs.
fn attach_to(
    scene: &Scene<'_>,
    document: &Document<'_>,
    (name, group): (&str, Option<&str>),
    element: &Element,
    nic: &mut Nic,
    gaps: &mut Gaps,
) {
    let is_passed_through = nic.direct_path == Observed::Value(true);
    match scene.networks.attach(scene.platform, name, group) {
        Some(network) => {
            nic.direct_path = match is_passed_through {
                true => Observed::Value(true),
                false => network.passed_through,
            };
            (nic.network, nic.switch) = (network.id, network.switch);
        }
        None => {
            let why = scene.networks.unknown();
            nic.network = Observed::Unobserved(why);
            nic.switch = Observed::Unobserved(why);
            if why == Why::Blank {
                let message = "an adapter names a network that is not listed";
                let found = Found::of(GapCause::DanglingReference, SECTION, message);
                gaps.add(found.field("source/network").value(&document.reading.domain.name));
            }
        }
    }
    if let Some(bridge) = element.attribute_at("source", "bridge") {
        nic.switch = Observed::Value(Text::from(bridge));
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
            match read {
                None => {}
                Some(Ok(adapters)) => addresses.add(adapters),
                Some(Err(failure)) if failure.is_guest_silent() => {}
                Some(Err(failure)) => {
                    addresses.why = Some(failure.why());
                    gaps.failed(SECTION, what, failure, Some(&reading.domain.name));
                }
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
