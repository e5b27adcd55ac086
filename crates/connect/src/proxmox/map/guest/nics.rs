//! Network adapters: `virtio=BC:24:11:E2:9F:14,bridge=vmbr0,tag=20,firewall=1`.

use entente_model::{GapCause, Listing, Nic, Observed, Text, Why};

use super::{Guest, Kind, UsedNetworks, View};
use crate::live::Found;
use crate::proxmox::collect::Answers;
use crate::proxmox::map::networks::native_id;
use crate::proxmox::wire::{Gaps, Properties, Record, indexed};

/// Properties that the model has a place for.
pub(super) const MAPPED: [&str; 10] =
    ["macaddr", "hwaddr", "bridge", "tag", "trunks", "link_down", "model", "name", "ip", "type"];

/// The key of the first value, where it has none.
pub(super) fn default_key(kind: Kind) -> &'static str {
    match kind {
        Kind::Machine => "model",
        Kind::Container => "name",
    }
}

/// True for `BC:24:11:E2:9F:14`.
pub(super) fn is_mac(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    parts.len() == 6
        && parts.iter().all(|it| it.len() == 2 && it.chars().all(|it| it.is_ascii_hexdigit()))
}

/// Keys of interfaces, in order.
fn keys<'a>(config: &Record<'a>) -> Vec<&'a str> {
    let mut keys: Vec<(u32, &str)> = config
        .keys()
        .filter_map(|key| match indexed(key)? {
            ("net", number) => Some((number, key)),
            _ => None,
        })
        .collect();
    keys.sort_unstable();
    keys.into_iter().map(|(_, key)| key).collect()
}

/// Each interface, and whether it asks for the firewall.
pub(super) fn filtered<'a>(config: &Record<'a>) -> Vec<(&'a str, Observed<bool>)> {
    // What cannot be understood is told where interfaces are mapped.
    let quiet = Gaps::default();
    let asks = |key: &'a str| {
        let properties = config.logging_to(&quiet).properties(key, "model");
        (key, properties.and_then(|it| it.is_on("firewall")))
    };
    keys(config).into_iter().map(asks).collect()
}

/// True if one of a guest's interfaces asks for the firewall, or may do so.
pub(in crate::proxmox) fn may_filter(guest: &Guest, answers: &Answers) -> bool {
    let quiet = Gaps::default();
    let config = answers.value(guest.kind.calls().config, &[&guest.node, &guest.vmid]);
    let config = config.and_then(|it| Record::of(it, "workloads", &quiet));
    config.is_some_and(|it| filtered(&it).iter().any(|it| it.1.copied() != Some(false)))
}

pub(super) fn nics(view: &View<'_>, used: &mut UsedNetworks) -> Listing<Nic> {
    let mut nics = Vec::new();
    let mut is_whole = true;
    for key in keys(&view.config) {
        match view.config.properties(key, default_key(view.guest.kind)) {
            Observed::Value(properties) => nics.push(nic(view, key, &properties, used)),
            _ => is_whole = false,
        }
    }
    if is_whole { Listing::complete(nics) } else { Listing::incomplete(nics, Why::Unreadable) }
}

fn nic(view: &View<'_>, key: &str, properties: &Properties, used: &mut UsedNetworks) -> Nic {
    // A machine's adapter is either `model=virtio,macaddr=…` or, shorter, `virtio=…`.
    let short = properties.iter().find(|(_, value)| is_mac(value));
    let model = properties.get("model").cloned().or_else(|| {
        let (key, _) = short.filter(|(key, _)| *key != "macaddr" && *key != "hwaddr")?;
        Some(key.clone())
    });
    let mac = properties.get("macaddr").or(properties.get("hwaddr")).or(short.map(|(_, mac)| mac));
    let mac = mac.filter(|it| is_mac(it)).map(|it| Text::from(it.to_lowercase()));
    if mac.is_none() {
        view.unreadable(key, "no hardware address");
    }
    let adapter = match view.guest.kind {
        Kind::Machine => model,
        Kind::Container => {
            properties.get("type").cloned().or_else(|| Some(Text::new_static("veth")))
        }
    };
    let vlan = vlan(properties);
    let network = Observed::or_absent(properties.get("bridge")).and_then(|bridge| {
        used.insert((bridge.clone(), vlan.clone()));
        let native = native_id(bridge, vlan.as_deref());
        Observed::or_why(view.context.network(&native), Why::Unreadable)
    });
    let is_down = properties.is_on("link_down");
    if !is_down.is_observed() {
        view.unreadable(key, "link_down");
    }
    let is_up = is_down.map(|it| !it);
    Nic {
        label: key.into(),
        adapter: Observed::or_why(adapter, Why::Blank),
        network,
        switch: Observed::or_absent(properties.get("bridge").cloned()),
        connected: match is_up {
            Observed::Value(true) => view.guest.runs(),
            ref other => other.clone(),
        },
        starts_connected: is_up,
        mac: Observed::or_why(mac, Why::Unreadable),
        mac_origin: Observed::Unobserved(Why::SourceLimit),
        addresses: Listing::unobserved(Why::GuestSilent),
        address_is_static: is_static(view, key, properties),
        direct_path: Observed::Value(false),
    }
}

/// The VLAN of an interface, and those that it passes on.
fn vlan(properties: &Properties) -> Option<Text> {
    match (properties.get("tag"), properties.get("trunks")) {
        (Some(tag), None) => Some(tag.clone()),
        (None, Some(trunks)) => Some(format!("trunk {trunks}").into()),
        (Some(tag), Some(trunks)) => Some(format!("{tag} trunk {trunks}").into()),
        (None, None) => None,
    }
}

/// Whether an address is set by hand: a container's own setting, a machine's by cloud-init.
fn is_static(view: &View<'_>, key: &str, properties: &Properties) -> Observed<bool> {
    let ip = |it: &Properties| it.get("ip").or(it.get("ip6")).cloned();
    let set = match view.guest.kind {
        Kind::Container => Observed::or_absent(ip(properties)),
        Kind::Machine => {
            let number = indexed(key).map_or(0, |(_, number)| number);
            let config = view.config.properties(&format!("ipconfig{number}"), "ip");
            config.and_then(|it| Observed::or_absent(ip(&it)))
        }
    };
    let set = match set {
        Observed::Value(set) => set,
        // Nothing is set here: what runs inside sets it, or has none.
        Observed::Absent => return Observed::Unobserved(Why::SourceLimit),
        Observed::Unobserved(why) => return Observed::Unobserved(why),
    };
    match set.as_str() {
        "manual" => Observed::Unobserved(Why::SourceLimit),
        "dhcp" | "auto" => Observed::Value(false),
        address if address.contains('.') || address.contains(':') => Observed::Value(true),
        other => {
            let message = "an address is set in a way that this version does not know";
            let found = Found::of(GapCause::UnknownValue, "workloads", message);
            view.context.gaps.add(found.field("ip").value(other));
            Observed::Unobserved(Why::Unreadable)
        }
    }
}
