//! Advanced settings: of the hundreds of keys that a machine has, those that bear on where it can
//! live and how it can be protected.

use entente_model::{GapCause, Listing, Observed, Setting, Text, Why};

use super::super::wire::{Told, flag};
use super::facts::{Facts, listing};
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

/// Settings of one machine.
pub(super) struct Settings<'t> {
    settings: Vec<(&'t str, &'t str)>,
    /// Why there may be more, if there may: what is not among them is then not known to be unset.
    unread: Option<Why>,
    /// Change tracking of disks: `scsi0:1` and whether; nothing where the word is not understood.
    tracked: Vec<(&'t str, Option<bool>)>,
}

impl<'t> Settings<'t> {
    /// Of `config.extraConfig`, and why the machine itself could not be read, if it could not.
    pub fn of(told: Told<'t>, unread: Option<Why>, facts: &mut Facts<'_>) -> Self {
        let mut all = Self { settings: Vec::new(), unread: told.refused(), tracked: Vec::new() };
        if told.element().is_none() {
            all.unread = all.unread.or(Some(Why::Blank));
        }
        for option in told.elements() {
            let Some(key) = option.text_at("key") else {
                facts.gap(GapCause::UnmappedRow, "config.extraConfig", "a setting without a key");
                all.unread = Some(Why::Unreadable);
                continue;
            };
            let value = option.text_at("value").unwrap_or_default();
            if let Some(node) = key.strip_suffix(".ctkEnabled") {
                all.tracked.push((node, word(key, value, facts)));
            }
            all.settings.push((key, value));
        }
        all.unread = all.unread.or(unread);
        all
    }

    /// The value of a key; absent where no setting has it.
    pub fn get(&self, key: &str) -> Observed<&'t str> {
        let found = self.settings.iter().find(|it| it.0.eq_ignore_ascii_case(key));
        match (found, self.unread) {
            (Some((_, value)), _) => Observed::Value(value),
            (None, Some(why)) => Observed::Unobserved(why),
            (None, None) => Observed::Absent,
        }
    }

    /// The value of a key that is true or false.
    pub fn flag(&self, key: &str, facts: &mut Facts<'_>) -> Observed<bool> {
        self.get(key).and_then(|value| Observed::or_why(word(key, value, facts), Why::Unreadable))
    }

    /// Whether changes of a disk are tracked, by its place: `scsi0:1`; absent where no setting says so.
    pub fn tracks(&self, node: &str) -> Observed<bool> {
        match (self.tracked.iter().find(|(it, _)| *it == node), self.unread) {
            (Some((_, tracks)), _) => Observed::or_why(*tracks, Why::Unreadable),
            (None, Some(why)) => Observed::Unobserved(why),
            (None, None) => Observed::Absent,
        }
    }

    /// The settings that are kept, sorted.
    pub fn advanced(&self) -> Listing<Setting> {
        let kept = self.settings.iter().filter(|(key, _)| is_kept(key));
        let mut settings: Vec<Setting> = kept
            .map(|(key, value)| Setting { key: Text::new(key), value: redacted_value(key, value) })
            .collect();
        settings.sort();
        listing(settings, self.unread)
    }
}

fn word(key: &str, value: &str, facts: &mut Facts<'_>) -> Option<bool> {
    let meaning = flag(&value.to_ascii_lowercase());
    if meaning.is_none() {
        facts.value(GapCause::UnreadableValue, key, "expected true or false", value);
    }
    meaning
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
