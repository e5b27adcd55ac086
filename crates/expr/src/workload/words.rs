//! The fixed vocabularies of the `workload` object: the model's own words.

use entente_model::{
    BusSharing, DiskMode, FirmwareKind, Observed, PowerState, RawMapping, SwitchKind, ToolsStatus,
    WorkloadKind,
};

use crate::value::Value;

/// A model's enumeration with its words.
pub(super) trait Word {
    /// All of them.
    const WORDS: &'static [&'static str];

    /// The word for this one.
    fn word(&self) -> &'static str;
}

macro_rules! words {
    ($($type:ident { $($variant:ident = $word:literal),* })*) => {$(
        impl Word for $type {
            const WORDS: &'static [&'static str] = &[$($word),*];

            fn word(&self) -> &'static str {
                match self {
                    $(Self::$variant => $word),*
                }
            }
        }
    )*};
}

words! {
    WorkloadKind {
        Machine = "machine",
        Template = "template",
        RecoveryPlaceholder = "recovery-placeholder",
        SystemAgent = "system-agent",
        Container = "container"
    }
    PowerState { On = "on", Off = "off", Suspended = "suspended" }
    DiskMode {
        Persistent = "persistent",
        NonPersistent = "non-persistent",
        IndependentPersistent = "independent-persistent",
        IndependentNonPersistent = "independent-non-persistent",
        Undoable = "undoable",
        Append = "append"
    }
    BusSharing { None = "none", Virtual = "virtual", Physical = "physical" }
    RawMapping { Physical = "physical", Virtual = "virtual", Unspecified = "unspecified" }
    SwitchKind { Standard = "standard", Distributed = "distributed" }
    FirmwareKind { Bios = "bios", Efi = "efi" }
    ToolsStatus {
        Current = "current",
        Outdated = "outdated",
        NotRunning = "not-running",
        NotInstalled = "not-installed"
    }
}

/// The word for a fact.
pub(super) fn word<T: Word>(fact: &Observed<T>) -> Value<'_> {
    match fact {
        Observed::Value(value) => Value::Text(value.word()),
        Observed::Absent => Value::Absent,
        Observed::Unobserved(why) => Value::Unobserved(*why),
    }
}

/// Words for the bus of a disk's controller.
pub(super) const BUSES: &[&str] = &["scsi", "nvme", "sata", "ide", "virtio", "unknown"];

/// The bus of a controller, by what platforms call controllers.
pub(super) fn bus(controller: &str) -> &'static str {
    const SIGNS: [(&str, &str); 8] = [
        ("virtio", "virtio"),
        ("nvme", "nvme"),
        ("sata", "sata"),
        ("ahci", "sata"),
        ("scsi", "scsi"),
        ("lsilogic", "scsi"),
        ("buslogic", "scsi"),
        ("megasas", "scsi"),
    ];
    // Short enough to hide in other words.
    const WORDS: [(&str, &str); 3] = [("lsi", "scsi"), ("sas", "scsi"), ("ide", "ide")];
    let name = controller.to_ascii_lowercase();
    let by_sign = SIGNS.iter().find(|(sign, _)| name.contains(sign));
    let is_word = |sign| name.split(|c: char| !c.is_ascii_alphabetic()).any(|word| word == sign);
    by_sign
        .or_else(|| WORDS.iter().find(|(sign, _)| is_word(*sign)))
        .map_or("unknown", |(_, bus)| bus)
}

/// Words for the maker of a processor.
pub(super) const CPU_VENDORS: &[&str] = &["intel", "amd", "other"];

/// The maker of a processor, by its model.
pub(super) fn cpu_vendor(model: &str) -> &'static str {
    let model = model.to_ascii_lowercase();
    let names = |signs: &[&str]| signs.iter().any(|sign| model.contains(sign));
    if names(&["intel", "xeon"]) {
        "intel"
    } else if names(&["amd", "epyc", "opteron", "ryzen"]) {
        "amd"
    } else {
        "other"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buses_are_told_by_the_names_of_controllers() {
        for (controller, expected) in [
            ("VMware paravirtual SCSI", "scsi"),
            ("ParaVirtualSCSIController", "scsi"),
            ("LSI Logic SAS", "scsi"),
            ("VirtualLsiLogicSASController", "scsi"),
            ("NVMe controller", "nvme"),
            ("AHCI", "sata"),
            ("IDE 0", "ide"),
            ("Provider X", "unknown"),
            ("virtio-scsi-single", "virtio"),
        ] {
            assert_eq!(bus(controller), expected, "{controller}");
        }
    }

    #[test]
    fn processor_makers_are_told_by_the_model() {
        assert_eq!(cpu_vendor("Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz"), "intel");
        assert_eq!(cpu_vendor("AMD EPYC 7763 64-Core Processor"), "amd");
        assert_eq!(cpu_vendor("Kunpeng 920"), "other");
    }

    #[test]
    fn every_word_is_the_models_own() {
        fn check<T: Word + serde::Serialize>(all: &[T]) {
            assert_eq!(all.len(), T::WORDS.len());
            for (value, word) in all.iter().zip(T::WORDS) {
                assert_eq!(serde_json::to_value(value).unwrap(), *word);
                assert_eq!(value.word(), *word);
            }
        }
        use {DiskMode as Mode, ToolsStatus as Tools, WorkloadKind as Kind};
        check(&[
            Kind::Machine,
            Kind::Template,
            Kind::RecoveryPlaceholder,
            Kind::SystemAgent,
            Kind::Container,
        ]);
        check(&[PowerState::On, PowerState::Off, PowerState::Suspended]);
        check(&[
            Mode::Persistent,
            Mode::NonPersistent,
            Mode::IndependentPersistent,
            Mode::IndependentNonPersistent,
            Mode::Undoable,
            Mode::Append,
        ]);
        check(&[BusSharing::None, BusSharing::Virtual, BusSharing::Physical]);
        check(&[RawMapping::Physical, RawMapping::Virtual, RawMapping::Unspecified]);
        check(&[SwitchKind::Standard, SwitchKind::Distributed]);
        check(&[FirmwareKind::Bios, FirmwareKind::Efi]);
        check(&[Tools::Current, Tools::Outdated, Tools::NotRunning, Tools::NotInstalled]);
    }
}
