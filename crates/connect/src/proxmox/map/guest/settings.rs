//! Settings that bear on where a guest can live, by the platform's own keys. Secrets are left out.

use entente_model::{GapCause, Listing, Observed, Setting, Text, Why};
use serde_json::Value;

use super::{Kind, View, disks, nics};
use crate::live::Found;
use crate::proxmox::wire::{Gaps, indexed};
use crate::secrets::{redacted, redacted_value};

/// Keys that are mapped, or that say nothing about the guest.
const MAPPED: [&str; 22] = [
    "cores",
    "description",
    "digest",
    "hostname",
    "memory",
    "meta",
    "name",
    "ostype",
    "parent",
    "smbios1",
    "sockets",
    "tags",
    "template",
    "vcpus",
    "affinity",
    "scsihw",
    "bios",
    "agent",
    "arch",
    "snaptime",
    "runningmachine",
    "runningcpu",
];
/// Keys whose values are secrets or personal: that they are set is all that is kept.
const SECRET: [&str; 5] = ["cipassword", "sshkeys", "ciuser", "ssh-public-keys", "env"];
/// Keys of machines that are kept as they are.
const MACHINE: [&str; 49] = [
    "acpi",
    "allow-ksm",
    "amd-sev",
    "args",
    "audio",
    "autostart",
    "balloon",
    "boot",
    "bootdisk",
    "cicustom",
    "citype",
    "ciupgrade",
    "cpu",
    "cpulimit",
    "cpuunits",
    "efidisk",
    "freeze",
    "hookscript",
    "hostpci",
    "hotplug",
    "hugepages",
    "intel-tdx",
    "ipconfig",
    "ivshmem",
    "keephugepages",
    "keyboard",
    "kvm",
    "localtime",
    "lock",
    "machine",
    "migrate_downtime",
    "migrate_speed",
    "nameserver",
    "numa",
    "onboot",
    "parallel",
    "protection",
    "reboot",
    "rng",
    "searchdomain",
    "serial",
    "shares",
    "smp",
    "spice_enhancements",
    "startdate",
    "startup",
    "tablet",
    "tdf",
    "tpmstate",
];
/// More of them.
const MACHINE_MORE: [&str; 8] =
    ["unused", "usb", "vga", "virtiofs", "vmgenid", "vmstatestorage", "watchdog", "cdrom"];
/// Keys of containers that are kept as they are.
const CONTAINER: [&str; 22] = [
    "cmode",
    "console",
    "cpulimit",
    "cpuunits",
    "debug",
    "dev",
    "entrypoint",
    "env",
    "features",
    "hookscript",
    "lock",
    "lxc",
    "nameserver",
    "onboot",
    "protection",
    "searchdomain",
    "startup",
    "swap",
    "timezone",
    "tty",
    "unprivileged",
    "unused",
];

pub(super) fn settings(view: &View<'_>) -> Listing<Setting> {
    let mut settings = Vec::new();
    let mut is_whole = true;
    for key in view.config.keys() {
        let base = indexed(key).map_or(key, |(base, _)| base);
        if MAPPED.contains(&key) {
            continue;
        }
        if SECRET.contains(&key) {
            let value = Text::new_static("(set; not kept)");
            settings.push(Setting { key: key.into(), value });
        } else if let Some(default) = disks::default_key(view.guest.kind, key) {
            is_whole &= rest(view, key, (default, &["size"]), &mut settings);
        } else if base == "net" && base != key {
            let default = nics::default_key(view.guest.kind);
            is_whole &= rest(view, key, (default, &nics::MAPPED), &mut settings);
        } else if is_kept(view.guest.kind, base) || is_kept(view.guest.kind, key) {
            settings.extend(view.config.get(key).map(|it| setting(key, &words(it))));
        } else {
            let message = "settings of guests that this version does not know are not kept";
            let found = Found::of(GapCause::UnknownField, "workloads", message);
            view.context.gaps.add(found.value(key));
            is_whole = false;
        }
    }
    settings.sort();
    if is_whole {
        Listing::complete(settings)
    } else {
        Listing::incomplete(settings, Why::Unreadable)
    }
}

fn is_kept(kind: Kind, base: &str) -> bool {
    match kind {
        Kind::Machine => MACHINE.contains(&base) || MACHINE_MORE.contains(&base),
        Kind::Container => CONTAINER.contains(&base),
    }
}

fn setting(key: &str, value: &str) -> Setting {
    Setting { key: key.into(), value: redacted_value(key, value) }
}

/// A value as the platform writes it.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What a disk or interface says beyond what is mapped; false if it cannot be understood.
fn rest(
    view: &View<'_>,
    key: &str,
    (default, mapped): (&str, &[&str]),
    settings: &mut Vec<Setting>,
) -> bool {
    // What cannot be understood is told where disks and interfaces are mapped.
    let quiet = Gaps::default();
    let Observed::Value(properties) = view.config.logging_to(&quiet).properties(key, default)
    else {
        return false;
    };
    let rest: Vec<String> = properties
        .iter()
        .filter(|(name, value)| {
            *name != default && !mapped.contains(&name.as_str()) && !nics::is_mac(value)
        })
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let rest = rest.join(",");
    if !rest.is_empty() {
        settings.push(Setting { key: Text::from(key), value: redacted(&rest) });
    }
    true
}
