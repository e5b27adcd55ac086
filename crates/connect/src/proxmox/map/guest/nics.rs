//! Network adapters: `virtio=BC:24:11:E2:9F:14,bridge=vmbr0,tag=20,firewall=1`.

use entente_model::{GapCause, Listing, Nic, Observed, Text, Why};

use super::{Kind, UsedNetworks, View};
use crate::proxmox::map::networks::native_id;
use crate::proxmox::wire::{Properties, Record, indexed};

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
pub(super) fn filtered<'a>(config: &Record<'a>) -> impl Iterator<Item = (&'a str, bool)> {
    let config = *config;
    keys(&config).into_iter().map(move |key| {
        let text = config.text(key);
        let properties = text.value().and_then(|it| Properties::parse(it, "model").ok());
        (key, properties.is_some_and(|it| it.flag("firewall") == Some(true)))
    })
}

pub(super) fn nics(view: &View<'_>, used: &mut UsedNetworks) -> Listing<Nic> {
    let mut nics = Vec::new();
    let mut is_whole = true;
    for key in keys(&view.config) {
        let text = view.text(key);
        let text = text.value().cloned().unwrap_or_default();
        match Properties::parse(&text, default_key(view.guest.kind)) {
            Ok(properties) => nics.push(nic(view, key, &properties, used)),
            Err(_) => {
                view.unreadable(key, &text);
                is_whole = false;
            }
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
    let bridge = properties.get("bridge");
    let vlan = vlan(properties);
    let network = match bridge {
        Some(bridge) => {
            used.insert((bridge.clone(), vlan.clone()));
            Observed::or_why(
                view.context.network(&native_id(bridge, vlan.as_deref())),
                Why::Unreadable,
            )
        }
        None => Observed::Absent,
    };
    let is_up = properties.flag("link_down") != Some(true);
    let runs = view.guest.is_running();
    Nic {
        label: key.into(),
        adapter: Observed::or_why(adapter, Why::Blank),
        network,
        switch: bridge.cloned().map_or(Observed::Absent, Observed::Value),
        connected: Observed::Value(is_up && runs),
        starts_connected: Observed::Value(is_up),
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
    let ip = match view.guest.kind {
        Kind::Container => properties.get("ip").or(properties.get("ip6")).cloned(),
        Kind::Machine => {
            let number = indexed(key).map_or(0, |(_, number)| number);
            let config = view.text(&format!("ipconfig{number}"));
            let config = config.value().and_then(|it| Properties::parse(it, "ip").ok());
            config.and_then(|it| it.get("ip").or(it.get("ip6")).cloned())
        }
    };
    match ip.as_deref() {
        None | Some("manual") => Observed::Unobserved(Why::SourceLimit),
        Some("dhcp" | "auto") => Observed::Value(false),
        Some(address) if address.contains('.') || address.contains(':') => Observed::Value(true),
        Some(other) => {
            let message = "an address is set in a way that this version does not know";
            view.context.gaps.add(
                GapCause::UnknownValue,
                "workloads",
                Some("ip"),
                message,
                Some(other),
            );
            Observed::Unobserved(Why::Unreadable)
        }
    }
}
