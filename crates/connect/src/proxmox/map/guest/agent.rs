//! What runs inside: what guest agents tell of machines, and nodes of containers.

use std::collections::BTreeMap;
use std::net::IpAddr;

use entente_model::{
    GapCause, Guest as Inside, Listing, Nic, Observed, Text, Tools, ToolsStatus, Why,
};
use serde_json::Value;

use super::{Guest, Kind, View};
use crate::proxmox::wire::{Properties, Record};

pub(super) const SYSTEM: &str = "/nodes/{}/qemu/{}/agent/get-osinfo";
pub(super) const INTERFACES: &str = "/nodes/{}/qemu/{}/agent/network-get-interfaces";
pub(super) const HOST_NAME: &str = "/nodes/{}/qemu/{}/agent/get-host-name";
pub(super) const CONTAINER_INTERFACES: &str = "/nodes/{}/lxc/{}/interfaces";

/// Whether a guest's agent is worth asking: it runs, and says that it has one.
pub(in crate::proxmox) fn is_asked(guest: &Guest, config: &Value) -> bool {
    if !guest.is_running() || guest.is_template {
        return false;
    }
    match guest.kind {
        Kind::Container => true,
        Kind::Machine => {
            let agent = match config.get("agent") {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                _ => return false,
            };
            Properties::parse(&agent, "enabled").is_ok_and(|it| it.flag("enabled") == Some(true))
        }
    }
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
type Addresses = BTreeMap<Text, Vec<IpAddr>>;

/// Fills in what the agent of a machine tells.
pub(super) fn fill_machine(view: &View<'_>, inside: &mut Inside, nics: &mut [Nic]) {
    let answer = |call: &'static str| {
        let value = view.answers.value(call, &view.args())?;
        // Answers of agents are wrapped once more.
        Some(value.get("result").unwrap_or(value))
    };
    let record = |value| Record::of(value, "workloads", view.context.gaps);
    if let Some(system) = answer(SYSTEM).and_then(record) {
        inside.os_reported = first_of(&system, &["pretty-name", "name", "id"]);
        inside.tools.status = ToolsStatus::Current.into();
    }
    if let Some(name) = answer(HOST_NAME).and_then(record) {
        inside.hostname = blank_is_silent(name.text("host-name"));
        inside.tools.status = ToolsStatus::Current.into();
    }
    if let Some(Value::Array(list)) = answer(INTERFACES) {
        let mut found = Addresses::new();
        for interface in Record::each(list, "workloads", view.context.gaps) {
            let Observed::Value(mac) = interface.text("hardware-address") else { continue };
            let addresses = interface.list("ip-addresses").iter();
            let addresses =
                addresses.filter_map(|it| it.get("ip-address")?.as_str()?.parse::<IpAddr>().ok());
            found.entry(mac.to_lowercase().into()).or_default().extend(addresses);
        }
        inside.tools.status = ToolsStatus::Current.into();
        give_addresses(&found, inside, nics);
    }
    let is_down = [SYSTEM, HOST_NAME, INTERFACES].into_iter().any(|call| {
        let failure = view.answers.failure(call, &view.args());
        failure.is_some_and(|it| it.said.contains("agent is not running"))
    });
    if is_down && !inside.tools.status.is_observed() {
        inside.tools.status = ToolsStatus::NotRunning.into();
    }
    if is_asked_of(view) && !inside.tools.status.is_observed() {
        let message = "the guest agent is set up but did not answer";
        view.context.gaps.add(
            GapCause::Unreachable,
            "workloads",
            Some("agent"),
            message,
            Some(&view.guest.vmid),
        );
    }
}

fn is_asked_of(view: &View<'_>) -> bool {
    let calls = view.guest.kind.calls();
    let config = view.answers.value(calls.config, &view.args());
    config.is_some_and(|it| is_asked(view.guest, it))
}

/// Fills in what the node tells of a running container.
pub(super) fn fill_container(view: &View<'_>, inside: &mut Inside, nics: &mut [Nic]) {
    // There is nothing to install: a container shares its node's kernel.
    inside.tools.status = Observed::Absent;
    inside.tools.version = Observed::Absent;
    inside.os_reported = Observed::Unobserved(Why::SourceLimit);
    let Some(list) = view.answers.list(CONTAINER_INTERFACES, &view.args()) else { return };
    let mut found = Addresses::new();
    for interface in Record::each(list, "workloads", view.context.gaps) {
        let mac = match interface.text("hwaddr") {
            Observed::Absent => interface.text("hardware-address"),
            told => told,
        };
        let Observed::Value(mac) = mac else { continue };
        let with_prefix =
            ["inet", "inet6"].into_iter().filter_map(|key| interface.text(key).value().cloned());
        let addresses = with_prefix.filter_map(|it| it.split('/').next()?.parse::<IpAddr>().ok());
        found.entry(mac.to_lowercase().into()).or_default().extend(addresses);
    }
    give_addresses(&found, inside, nics);
}

/// Gives each interface its addresses, and the guest the first one that is seen from outside.
fn give_addresses(found: &Addresses, inside: &mut Inside, nics: &mut [Nic]) {
    let mut primary = None;
    for nic in nics {
        let mut addresses =
            nic.mac.value().and_then(|it| found.get(it)).cloned().unwrap_or_default();
        addresses.sort();
        addresses.dedup();
        primary = primary.or(addresses.iter().copied().find(is_primary));
        nic.addresses = Listing::complete(addresses);
    }
    inside.primary_address = primary.map_or(Observed::Absent, Observed::Value);
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
        Observed::Value(text) if !text.is_empty() => Observed::Value(text),
        Observed::Unobserved(why) => Observed::Unobserved(why),
        _ => Observed::Unobserved(Why::GuestSilent),
    }
}
