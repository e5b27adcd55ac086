//! Advanced settings: of the hundreds of keys that a machine has, those that bear on where it can
//! live and how it can be protected.

use entente_model::{Listing, Setting, Text};

use super::super::wire::{Element, Told, flag};
use crate::secrets::redacted_value;

/// Beginnings of keys that are kept.
const BEGINNINGS: [&str; 18] = [
    "sched.cpu.",
    "sched.mem.",
    "sched.node.",
    "numa.",
    "cpuid.",
    "featMask.",
    "pciPassthru",
    "pciHole.",
    "vgpu.",
    "vhv.",
    "hypervisor.",
    "monitor.",
    "monitor_control.",
    "smbios.",
    "uefi.",
    "efi.",
    "snapshot.maxSnapshots",
    "vmotion.",
];

/// Ends of keys that are kept.
const ENDS: [&str; 5] = ["ctkEnabled", "disk.EnableUUID", ".sharing", ".shared", "mks.enable3d"];

/// Of a network adapter's keys, those with this in them: filters that are hung into it.
const IN_ADAPTERS: [&str; 3] = [".filter", ".coalescing", ".ctxPerDev"];

/// Keys that would be kept, and tell only of the machine's last run.
const LEFT_OUT: [&str; 4] =
    ["vmotion.checkpoint", "vmotion.svga", "monitor.phys_bits_used", "numa.autosize."];

/// Settings of one machine, for what other facts need of them.
pub(super) struct Settings<'t> {
    element: Option<Element<'t>>,
    /// Change tracking of disks: `scsi0:1` and whether.
    tracked: Vec<(&'t str, bool)>,
}

impl<'t> Settings<'t> {
    /// Of `config.extraConfig`.
    pub fn of(told: Told<'t>) -> Self {
        let element = told.element();
        let tracked = element.into_iter().flat_map(Element::children).filter_map(|it| {
            let node = it.text_at("key")?.strip_suffix(".ctkEnabled")?;
            Some((node, flag(&it.text_at("value")?.to_ascii_lowercase())?))
        });
        Self { element, tracked: tracked.collect() }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&'t str> {
        self.element?
            .children()
            .find(|it| it.text_at("key").is_some_and(|it| it.eq_ignore_ascii_case(key)))?
            .text_at("value")
    }

    /// Whether changes of a disk are tracked, by its place: `scsi0:1`.
    pub fn tracks(&self, node: &str) -> Option<bool> {
        self.tracked.iter().find(|(it, _)| *it == node).map(|(_, tracks)| *tracks)
    }
}

/// The settings that are kept, sorted.
pub(super) fn advanced(told: Told<'_>) -> Listing<Setting> {
    if let Some(why) = told.refused() {
        return Listing::unobserved(why);
    }
    let Some(element) = told.element() else {
        return Listing::unobserved(entente_model::Why::Blank);
    };
    let mut settings = Vec::new();
    for option in element.children() {
        let Some(key) = option.text_at("key").filter(|key| is_kept(key)) else { continue };
        let value = option.text_at("value").unwrap_or_default();
        let value = redacted_value(key, value);
        settings.push(Setting { key: Text::new(key), value });
    }
    settings.sort();
    Listing::complete(settings)
}

/// Whether a key bears on where a machine can live, whatever its case.
fn is_kept(key: &str) -> bool {
    let begins = |beginning: &&str| {
        key.get(..beginning.len()).is_some_and(|it| it.eq_ignore_ascii_case(beginning))
    };
    let ends = |end: &&str| {
        let start = key.len().checked_sub(end.len());
        start.and_then(|it| key.get(it..)).is_some_and(|it| it.eq_ignore_ascii_case(end))
    };
    if ends(&".pciSlotNumber") {
        return false;
    }
    if BEGINNINGS.iter().any(begins) {
        return !LEFT_OUT.iter().any(begins);
    }
    ENDS.iter().any(ends) || begins(&"ethernet") && IN_ADAPTERS.iter().any(|it| key.contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_bear_on_where_a_machine_can_live_are_kept_and_others_are_not() {
        for key in [
            "ctkEnabled",
            "scsi0:1.ctkEnabled",
            "disk.EnableUUID",
            "sched.cpu.affinity",
            "numa.vcpu.preferHT",
            "pciPassthru0.id",
            "ethernet0.filter4.name",
            "vhv.enable",
            "SCSI1:0.sharing",
        ] {
            assert!(is_kept(key), "{key}");
        }
        for key in [
            "guestinfo.password",
            "ethernet0.pciSlotNumber",
            "vmotion.checkpointFBSize",
            "sched.swap.derivedName",
            "nvram",
            "tools.syncTime",
            "RemoteDisplay.vnc.key",
        ] {
            assert!(!is_kept(key), "{key}");
        }
    }
}
