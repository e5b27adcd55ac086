//! What runs inside: what guest agents tell of machines, and nodes of containers.

use std::collections::BTreeMap;
use std::net::IpAddr;

use entente_model::{
    GapCause, Guest as Inside, Listing, Nic, Observed, Text, Tools, ToolsStatus, Why,
};
use serde_json::Value;

use super::{Guest, Kind, View};
use crate::live::Found;
use crate::proxmox::collect::Failure;
use crate::proxmox::wire::{Gaps, Record};

pub(super) const SYSTEM: &str = "/nodes/{}/qemu/{}/agent/get-osinfo";
pub(super) const INTERFACES: &str = "/nodes/{}/qemu/{}/agent/network-get-interfaces";
pub(super) const HOST_NAME: &str = "/nodes/{}/qemu/{}/agent/get-host-name";
pub(super) const CONTAINER_INTERFACES: &str = "/nodes/{}/lxc/{}/interfaces";

/// Whether a guest has an agent: a setting of machines, a matter of course for containers.
fn has_agent(kind: Kind, config: &Record<'_>) -> Observed<bool> {
    match kind {
        Kind::Container => Observed::Value(true),
        Kind::Machine => match config.properties("agent", "enabled") {
            Observed::Value(agent) => agent.is_on("enabled"),
            Observed::Absent => Observed::Value(false),
            Observed::Unobserved(why) => Observed::Unobserved(why),
        },
    }
}

/// Whether a guest's agent is worth asking: it runs, and does not say that it has none.
pub(in crate::proxmox) fn may_answer(guest: &Guest, config: &Value) -> bool {
    let quiet = Gaps::default();
    let has_agent = Record::of(config, "workloads", &quiet)
        .is_some_and(|it| has_agent(guest.kind, &it) != Observed::Value(false));
    guest.is_running() && !guest.is_template && has_agent
}

/// Nothing is known of what runs inside.
pub(super) fn silent(why: Why) -> Inside {
    Inside {
        os_configured: Observed::Unobserved(why),
        os_reported: Observed::Unobserved(Why::GuestSilent),
        hostname: Observed::Unobserved(Why::GuestSilent),
        primary_address: Observed::Unobserved(Why::GuestSilent),
        tools: Tools {
            status: Observed::Unobserved(Why::GuestSilent),
            version: Observed::Unobserved(Why::SourceLimit),
        },
        partitions: Listing::unobserved(Why::SourceLimit),
    }
}

/// Hardware address → addresses.
type Addresses = BTreeMap<Text, Told>;

/// Addresses of one interface, as far as they were told.
#[derive(Default)]
struct Told {
    addresses: Vec<IpAddr>,
    /// Why there may be more.
    lacking: Option<Why>,
}

impl Told {
    fn add(&mut self, address: Option<&str>) {
        let Some(address) = address.filter(|it| !it.is_empty()) else { return };
        // An address of IPv6 may name its interface: `fe80::1%eth0`.
        match address.split('%').next().unwrap_or(address).parse() {
            Ok(address) => self.addresses.push(address),
            Err(_) => self.lacking = Some(Why::Unreadable),
        }
    }

    fn add_each(&mut self, interface: &Record<'_>, key: &str, address: fn(&Value) -> Option<&str>) {
        match interface.list(key) {
            Observed::Value(list) => {
                for it in list {
                    match address(it) {
                        Some(address) => self.add(Some(address)),
                        None => self.lacking = Some(Why::Unreadable),
                    }
                }
            }
            // An interface without addresses has no list of them.
            Observed::Absent => {}
            Observed::Unobserved(why) => self.lacking = Some(why),
        }
    }

    fn listing(&self) -> Listing<IpAddr> {
        let mut addresses = self.addresses.clone();
        addresses.sort();
        addresses.dedup();
        match self.lacking {
            Some(why) => Listing::incomplete(addresses, why),
            None => Listing::complete(addresses),
        }
    }
}

/// Fills in what the agent of a machine tells.
pub(super) fn fill_machine(view: &View<'_>, inside: &mut Inside, nics: &mut [Nic]) {
    match has_agent(view.guest.kind, &view.config) {
        // Where it is not known whether there is one, it is not known whether it is silent; but a machine
        // that does not run is.
        Observed::Unobserved(why) if view.guest.runs() != Observed::Value(false) => {
            unknown(why, inside, nics);
        }
        _ => {}
    }
    let record = |call| {
        let value = view.answers.value(call, &view.args())?;
        Record::of(wrapped(value), "workloads", view.context.gaps)
    };
    match record(SYSTEM) {
        Some(system) => {
            inside.os_reported = first_of(&system, &["pretty-name", "name", "id"]);
            inside.tools.status = ToolsStatus::Current.into();
        }
        None => inside.os_reported = untold(view, SYSTEM, &inside.os_reported),
    }
    match record(HOST_NAME) {
        Some(name) => {
            inside.hostname = blank_is_silent(name.text("host-name"));
            inside.tools.status = ToolsStatus::Current.into();
        }
        None => inside.hostname = untold(view, HOST_NAME, &inside.hostname),
    }
    machine_addresses(view, inside, nics);
    if inside.tools.status.is_observed() || !view.answers.was_asked(SYSTEM, &view.args()) {
        return;
    }
    let failures = [SYSTEM, HOST_NAME, INTERFACES].map(|it| view.answers.failure(it, &view.args()));
    let mut failures = failures.into_iter().flatten();
    if failures.clone().any(|it| it.said.contains("agent is not running")) {
        inside.tools.status = ToolsStatus::NotRunning.into();
    } else if let Some(failure) = failures.clone().find(|it| !it.is_silence()) {
        inside.tools.status = Observed::Unobserved(failure.why);
    }
    // Whatever else went wrong is told where it was asked.
    if failures.any(Failure::is_silence) && inside.tools.status.why() == Some(Why::GuestSilent) {
        let message = "the guest agent is set up but did not answer";
        let found = Found::of(GapCause::Unreachable, "workloads", message);
        view.context.gaps.add(found.field("agent").value(&view.guest.vmid));
    }
}

/// What an agent answers is wrapped once more.
fn wrapped(value: &Value) -> &Value {
    value.get("result").unwrap_or(value)
}

/// A fact of an agent that did not tell it: silence, unless the asking failed in another way.
fn untold(view: &View<'_>, call: &'static str, so_far: &Observed<Text>) -> Observed<Text> {
    match view.answers.failure(call, &view.args()) {
        Some(failure) if !failure.is_silence() => Observed::Unobserved(failure.why),
        _ => so_far.clone(),
    }
}

/// Nothing is known of what an agent would tell.
fn unknown(why: Why, inside: &mut Inside, nics: &mut [Nic]) {
    inside.os_reported = Observed::Unobserved(why);
    inside.hostname = Observed::Unobserved(why);
    inside.primary_address = Observed::Unobserved(why);
    inside.tools.status = Observed::Unobserved(why);
    unknown_addresses(why, inside, nics);
}

fn unknown_addresses(why: Why, inside: &mut Inside, nics: &mut [Nic]) {
    inside.primary_address = Observed::Unobserved(why);
    for nic in nics {
        nic.addresses = Listing::unobserved(why);
    }
}

fn machine_addresses(view: &View<'_>, inside: &mut Inside, nics: &mut [Nic]) {
    let list = match view.answers.value(INTERFACES, &view.args()).map(wrapped) {
        Some(Value::Array(list)) => list,
        Some(_) => {
            view.unreadable("network-get-interfaces", "no list of interfaces");
            return unknown_addresses(Why::Unreadable, inside, nics);
        }
        None => {
            let failure = view.answers.failure(INTERFACES, &view.args());
            if let Some(failure) = failure.filter(|it| !it.is_silence()) {
                unknown_addresses(failure.why, inside, nics);
            }
            return;
        }
    };
    inside.tools.status = ToolsStatus::Current.into();
    let mut found = Addresses::new();
    for interface in Record::each(list, "workloads", view.context.gaps) {
        let Observed::Value(mac) = interface.text("hardware-address") else { continue };
        let told = found.entry(mac.to_lowercase().into()).or_default();
        told.add_each(&interface, "ip-addresses", |it| it.get("ip-address")?.as_str());
    }
    give_addresses(&found, inside, nics);
}

/// Fills in what the node tells of a running container.
pub(super) fn fill_container(view: &View<'_>, inside: &mut Inside, nics: &mut [Nic]) {
    // There is nothing to install: a container shares its node's kernel.
    inside.tools.status = Observed::Absent;
    inside.tools.version = Observed::Absent;
    inside.os_reported = Observed::Unobserved(Why::SourceLimit);
    let Some(list) = view.answers.list(CONTAINER_INTERFACES, &view.args()) else {
        if view.answers.was_asked(CONTAINER_INTERFACES, &view.args()) {
            let why = view.answers.why(CONTAINER_INTERFACES, &view.args());
            unknown_addresses(why, inside, nics);
        }
        return;
    };
    let mut found = Addresses::new();
    for interface in Record::each(list, "workloads", view.context.gaps) {
        let mac = match interface.text("hwaddr") {
            Observed::Absent => interface.text("hardware-address"),
            told => told,
        };
        let Observed::Value(mac) = mac else { continue };
        let told = found.entry(mac.to_lowercase().into()).or_default();
        if interface.get("ip-addresses").is_some() {
            told.add_each(&interface, "ip-addresses", |it| it.get("ip-address")?.as_str());
        } else {
            // Older versions tell one address of each kind, however many there are.
            told.lacking = Some(Why::NotInVersion);
            for key in ["inet", "inet6"] {
                told.add(interface.text(key).value().map(|it| it.split('/').next().unwrap_or(it)));
            }
        }
    }
    give_addresses(&found, inside, nics);
}

/// Gives each interface its addresses, and the guest the first one that is seen from outside.
fn give_addresses(found: &Addresses, inside: &mut Inside, nics: &mut [Nic]) {
    let (mut primary, mut lacking) = (None, None);
    for nic in nics {
        nic.addresses = match &nic.mac {
            // What is not among the interfaces inside was not told of.
            Observed::Value(mac) => {
                found.get(mac).map_or(Listing::unobserved(Why::GuestSilent), Told::listing)
            }
            Observed::Absent => Listing::unobserved(Why::Blank),
            Observed::Unobserved(why) => Listing::unobserved(*why),
        };
        primary = primary.or(nic.addresses.iter().copied().find(is_primary));
        lacking = lacking.or(nic.addresses.why());
    }
    inside.primary_address = match (primary, lacking) {
        (Some(primary), _) => Observed::Value(primary),
        (None, Some(why)) => Observed::Unobserved(why),
        (None, None) => Observed::Absent,
    };
}

fn is_primary(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !address.is_loopback() && !address.is_link_local(),
        IpAddr::V6(address) => !address.is_loopback() && !address.is_unicast_link_local(),
    }
}

fn first_of(record: &Record<'_>, keys: &[&str]) -> Observed<Text> {
    let told = keys.iter().map(|it| record.text(it)).find(|it| it.value().is_some());
    told.unwrap_or(Observed::Unobserved(Why::GuestSilent))
}

fn blank_is_silent(told: Observed<Text>) -> Observed<Text> {
    match told {
        Observed::Value(text) if text.is_empty() => Observed::Unobserved(Why::GuestSilent),
        Observed::Absent => Observed::Unobserved(Why::GuestSilent),
        told => told,
    }
}
