//! A workload: everything that the platform tells of one virtual machine.

mod guest;
mod placement;

use std::collections::BTreeSet;

use entente_model::{
    Attribute, AttributeKind, Availability, Cpu, Finding, Firmware, FirmwareKind, GapCause,
    Governance, IdentityBasis, Listing, Memory, Observed, Placement, PowerState, Severity, Text,
    VmSnapshot, Why, Workload, WorkloadId, WorkloadKind,
};

use super::super::wire::{Element, Object, Told, unescape};
use super::devices::{self, Hardware, Machine};
use super::facts::{Facts, blank, listing};
use super::inventory::Inventory;
use super::settings::Settings;
use crate::secrets::{redact, redacted_value};

/// Deepest chain of VM snapshots that is followed.
const SNAPSHOTS_MAX: usize = 4096;

/// The extension of Site Recovery Manager, which keeps placeholders at the other site.
const RECOVERY_EXTENSION: &str = "com.vmware.vcDr";

/// What is measured while a machine runs, or stands in its files: of a machine that cannot be read, the
/// platform tells zeros, or what it last knew.
const READ_FROM_THE_MACHINE: [&str; 7] = [
    "guest.",
    "summary.",
    "runtime.powerState",
    "runtime.bootTime",
    "runtime.dasVmProtection",
    "runtime.faultToleranceState",
    "runtime.consolidationNeeded",
];

/// What a machine's facts are made from.
pub(super) struct Mapping<'o, 't, 'g> {
    object: &'o Object<'t>,
    inventory: &'o Inventory,
    facts: Facts<'g>,
    findings: &'g mut Vec<Finding>,
    /// Ids of what it refers to and nothing told of.
    strangers: &'g mut BTreeSet<Text>,
    /// Why the platform itself cannot read the machine, if it cannot.
    unread: Option<Why>,
}

impl<'o, 't, 'g> Mapping<'o, 't, 'g> {
    /// Of this machine.
    pub fn of(
        object: &'o Object<'t>,
        inventory: &'o Inventory,
        mut facts: Facts<'g>,
        findings: &'g mut Vec<Finding>,
        strangers: &'g mut BTreeSet<Text>,
    ) -> Self {
        let unread = unread(object, &mut facts);
        Self { object, inventory, facts, findings, strangers, unread }
    }

    /// The workload.
    pub fn workload(mut self, id: WorkloadId) -> Workload {
        self.facts.refusals(self.object);
        let native = self.object.reference.id;
        let name = self.facts.name(self.get("name"), native);
        let settings = Settings::of(self.get("config.extraConfig"), self.unread, &mut self.facts);
        let machine = Machine {
            hardware: self.get("config.hardware"),
            guest: self.get("guest.net"),
            settings: &settings,
            unread: self.unread,
        };
        let hardware = devices::hardware(&machine, self.inventory, &mut self.facts, self.strangers);
        let placement = self.placement();
        let power = self.facts.word(self.get("runtime.powerState"), blank(), power);
        Workload {
            id,
            platform: self.inventory.platform.clone(),
            source: self.inventory.source.clone(),
            identity: IdentityBasis::PlatformAndNativeId,
            native_id: Observed::Value(Text::new(native)),
            instance_uuid: self.parsed("config.instanceUuid"),
            bios_uuid: self.parsed("config.uuid"),
            kind: self.kind(&name),
            power,
            created: self.facts.moment(self.get("config.createDate"), blank()),
            cpu: self.cpu(&settings),
            memory: self.memory(),
            firmware: self.firmware(),
            snapshots: self.snapshots(&name),
            guest: self.guest(),
            availability: self.availability(&settings, &placement),
            annotation: self.note("config.annotation", &name),
            attributes: self.attributes(),
            advanced_settings: settings.advanced(),
            governance: Governance::default(),
            samples: self.samples(),
            devices: self.with_encryption(&hardware),
            disks: hardware.disks,
            nics: hardware.nics,
            placement,
            name,
        }
    }

    /// A property. Of a machine that cannot be read, what is unset is not known to be absent, and what
    /// would have been read from it is not known at all.
    fn get(&self, path: &str) -> Told<'t> {
        match (self.object.get(path), self.unread) {
            (Told::Unset, Some(why)) => Told::Missing(why),
            (Told::Value(_), Some(why))
                if READ_FROM_THE_MACHINE.iter().any(|it| path.starts_with(it)) =>
            {
                Told::Missing(why)
            }
            (told, _) => told,
        }
    }

    fn text(&self, path: &str) -> Observed<Text> {
        self.facts.text(self.get(path), blank())
    }

    fn flag(&mut self, path: &str) -> Observed<bool> {
        self.facts.flag(self.get(path), blank())
    }

    fn parsed(&mut self, path: &str) -> Observed<entente_model::Uuid> {
        self.facts.word(self.get(path), blank(), |text| text.parse().ok())
    }

    /// True if the machine's configuration was told: what is unset in it is absent.
    fn is_configured(&self) -> bool {
        self.unread.is_none() && self.get("config.hardware").element().is_some()
    }

    /// Why what is unset is not known, where it is not.
    fn unset(&self) -> Why {
        let refused = || self.get("config.hardware").refused();
        self.unread.or_else(refused).unwrap_or(Why::Blank)
    }

    /// What the platform's documentation says that it is where it is unset; only the configuration of a
    /// machine that could be read says so.
    fn documented<T>(&self, unset: Observed<T>) -> Observed<T> {
        if self.is_configured() { unset } else { Observed::Unobserved(self.unset()) }
    }

    /// Absent where the configuration was told and does not have it.
    fn optional<T>(&self) -> Observed<T> {
        self.documented(Observed::Absent)
    }

    fn with_encryption(&mut self, hardware: &Hardware) -> entente_model::Devices {
        let mut devices = hardware.devices.clone();
        devices.encrypted = match (self.get("config.keyId"), hardware.has_encrypted_disk) {
            (Told::Value(_), _) | (_, true) => Observed::Value(true),
            (Told::Missing(why), _) => Observed::Unobserved(why),
            (Told::Unset, false) if self.is_configured() => Observed::Value(false),
            (Told::Unset, false) => blank(),
        };
        devices
    }

    fn kind(&mut self, name: &str) -> WorkloadKind {
        let manager = self.get("config.managedBy");
        let extension = manager.child("extensionKey").text().unwrap_or_default();
        let managed_as = manager.child("type").text().unwrap_or_default();
        let placeholder =
            extension.starts_with(RECOVERY_EXTENSION) && managed_as.contains("placeholder");
        let agent = extension == "com.vmware.vim.eam" && managed_as == "cluster-agent";
        if self.flag("config.template") == Observed::Value(true) {
            WorkloadKind::Template
        } else if placeholder {
            WorkloadKind::RecoveryPlaceholder
        } else if agent || name.starts_with("vCLS-") || name.starts_with("vCLS (") {
            WorkloadKind::SystemAgent
        } else {
            WorkloadKind::Machine
        }
    }

    fn cpu(&mut self, settings: &Settings<'_>) -> Cpu {
        let hardware = self.get("config.hardware");
        let count = self.facts.number::<u32>(hardware.child("numCPU"), blank());
        let cores = self.facts.number::<u32>(hardware.child("numCoresPerSocket"), blank());
        // 0 since 8.0: the platform chooses.
        let cores = match cores {
            Observed::Value(0) => blank(),
            other => other,
        };
        let sockets = match (&count, &cores) {
            (Observed::Value(count), Observed::Value(cores)) => {
                Observed::Value(count.div_ceil(*cores))
            }
            (Observed::Unobserved(why), _) | (_, Observed::Unobserved(why)) => {
                Observed::Unobserved(*why)
            }
            _ => blank(),
        };
        let allocation = self.get("config.cpuAllocation");
        let set = |told: Told<'_>| match told {
            Told::Missing(why) => Observed::Unobserved(why),
            Told::Unset => self.optional(),
            Told::Value(set) => {
                let members: Vec<&str> = set.all("affinitySet").map(Element::text).collect();
                if members.is_empty() {
                    Observed::Absent
                } else {
                    Observed::Value(Text::from(members.join(",")))
                }
            }
        };
        let affinity = set(self.get("config.cpuAffinity"));
        let numa_affinity = match set(self.get("config.memoryAffinity")) {
            Observed::Absent => settings.get("numa.nodeAffinity").map(Text::new),
            other => other,
        };
        Cpu {
            count,
            sockets,
            cores_per_socket: cores,
            hot_add: self.flag("config.cpuHotAddEnabled"),
            hot_remove: self.flag("config.cpuHotRemoveEnabled"),
            reservation_mhz: self.facts.number(allocation.child("reservation"), blank()),
            limit_mhz: self.facts.limit(allocation.child("limit"), 1),
            shares_level: self.facts.text(allocation.child("shares.level"), blank()),
            affinity,
            numa_affinity,
        }
    }

    fn memory(&mut self) -> Memory {
        let size = self.get("config.hardware").child("memoryMB");
        let allocation = self.get("config.memoryAllocation");
        Memory {
            size_bytes: self.facts.bytes(size, 1 << 20, blank()),
            reservation_bytes: self.facts.bytes(allocation.child("reservation"), 1 << 20, blank()),
            reservation_locked_to_max: self.flag("config.memoryReservationLockedToMax"),
            limit_bytes: self.facts.limit(allocation.child("limit"), 1 << 20),
            shares_level: self.facts.text(allocation.child("shares.level"), blank()),
            hot_add: self.flag("config.memoryHotAddEnabled"),
        }
    }

    fn firmware(&mut self) -> Firmware {
        let secure = self.get("config.bootOptions").child("efiSecureBootEnabled");
        Firmware {
            kind: self.facts.word(self.get("config.firmware"), blank(), |word| match word {
                "bios" => Some(FirmwareKind::Bios),
                "efi" => Some(FirmwareKind::Efi),
                _ => None,
            }),
            secure_boot: self.facts.flag(secure, blank()),
            hardware_version: self.facts.word(self.get("config.version"), blank(), |text| {
                text.strip_prefix("vmx-")?.parse().ok()
            }),
        }
    }

    fn snapshots(&mut self, name: &str) -> Listing<VmSnapshot> {
        let told = self.get("snapshot");
        let root = match told {
            Told::Missing(why) => return Listing::unobserved(why),
            // A machine without VM snapshots has no tree of them.
            Told::Unset if self.is_configured() => return Listing::complete(Vec::new()),
            Told::Unset => return Listing::unobserved(self.unset()),
            Told::Value(root) => root,
        };
        let mut snapshots = Vec::new();
        let mut next: Vec<(Element<'_>, Observed<Text>)> =
            root.all("rootSnapshotList").map(|it| (it, Observed::Absent)).collect();
        while let Some((element, parent)) = next.pop() {
            if snapshots.len() >= SNAPSHOTS_MAX {
                self.facts.gap(
                    GapCause::LimitReached,
                    "snapshot",
                    "more VM snapshots than are read",
                );
                return Listing::incomplete(snapshots, Why::CallFailed);
            }
            let id = element.reference_at("snapshot").map(|it| Text::new(it.id));
            let id = id.map_or(blank(), Observed::Value);
            next.extend(element.all("childSnapshotList").map(|it| (it, id.clone())));
            let title = unescape(element.text_at("name").unwrap_or_default()).into_owned();
            snapshots.push(VmSnapshot {
                id,
                parent,
                name: self.redacted(&title, "snapshot", name),
                description: match element.text_at("description") {
                    Some(text) => Observed::Value(self.redacted(text, "snapshot", name)),
                    None => Observed::Absent,
                },
                created: self.facts.moment(element.told("createTime"), blank()),
                // Told by `layoutEx` alone, which costs the platform more than all else together.
                size_bytes: Observed::Unobserved(Why::SourceLimit),
                quiesced: self.facts.flag(element.told("quiesced"), blank()),
                state: self.facts.text(element.told("state"), blank()),
            });
        }
        snapshots.sort_by(|a, b| (&a.created, &a.id, &a.name).cmp(&(&b.created, &b.id, &b.name)));
        Listing::complete(snapshots)
    }

    fn note(&mut self, path: &str, name: &str) -> Observed<Text> {
        match self.get(path) {
            Told::Missing(why) => Observed::Unobserved(why),
            told => match told.text() {
                Some(text) => Observed::Value(self.redacted(text, path, name)),
                None => self.optional(),
            },
        }
    }

    /// Free text with secrets redacted; each secret is a finding.
    fn redacted(&mut self, text: &str, field: &str, name: &str) -> Text {
        let Some(redacted) = redact(text) else { return Text::new(text) };
        self.findings.push(Finding {
            severity: Severity::Critical,
            code: Text::new_static("ENT-0201"),
            subject: Text::new(name),
            message: Text::from(format!(
                "what looks like a password or key stands in clear in `{field}`; it was not kept"
            )),
            remedy: Text::new_static(
                "change the secret, and remove it from the note: everyone who may read the inventory can read it",
            ),
        });
        redacted
    }

    fn availability(&mut self, settings: &Settings<'_>, placement: &Placement) -> Availability {
        let native = self.object.reference.id;
        let own = self.inventory.settings.get(native).cloned().unwrap_or_default();
        let refused = match &placement.cluster {
            Observed::Value(id) => {
                self.inventory.clusters.values().find(|(it, _)| it == id).and_then(|it| it.1)
            }
            Observed::Absent => None,
            Observed::Unobserved(why) => Some(*why),
        };
        let mut rules = self.inventory.rules.get(native).cloned().unwrap_or_default();
        rules.sort();
        rules.dedup();
        let fault_tolerance =
            match self.facts.text(self.get("runtime.faultToleranceState"), blank()) {
                Observed::Value(state) if state == "notConfigured" => Observed::Absent,
                other => other,
            };
        let protection = self.get("runtime.dasVmProtection");
        let otherwise = self.get("config.flags").child("diskUuidEnabled");
        let disk_uuid = match settings.flag("disk.EnableUUID", &mut self.facts) {
            Observed::Absent => self.facts.flag(otherwise, self.optional()),
            // The other place says the same, where it says something.
            Observed::Unobserved(why) => self.facts.flag(otherwise, Observed::Unobserved(why)),
            told => told,
        };
        Availability {
            // Unset where the cluster has no high availability.
            ha_protected: self
                .facts
                .flag(protection.child("dasProtected"), self.documented(Observed::Value(false))),
            ha_restart_priority: refused.map_or(own.restart_priority, Observed::Unobserved),
            ha_isolation_response: refused.map_or(own.isolation_response, Observed::Unobserved),
            fault_tolerance,
            cluster_rules: listing(rules, refused),
            evc_mode_min: self
                .facts
                .text(self.get("runtime.minRequiredEVCModeKey"), self.optional()),
            latency_sensitivity: self
                .facts
                .text(self.get("config.latencySensitivity").child("level"), self.optional()),
            change_tracking: self
                .facts
                .flag(self.get("config.changeTrackingEnabled"), self.optional()),
            disk_uuid_enabled: disk_uuid,
            consolidation_needed: self.flag("runtime.consolidationNeeded"),
        }
    }

    fn attributes(&mut self) -> Listing<Attribute> {
        let told = self.get("customValue");
        let names = match (&self.inventory.attributes, told.refused()) {
            (_, Some(why)) => return Listing::unobserved(why),
            (Err(why), None) => return Listing::unobserved(*why),
            (Ok(names), None) => names,
        };
        let mut attributes = Vec::new();
        let mut dropped = None;
        for value in told.elements() {
            let key = value.number_at::<i64>("key");
            // A value that was taken away again.
            let Some(text) = value.text_at("value") else { continue };
            let Some(name) = key.and_then(|key| names.get(&key)) else {
                let message = "a custom attribute whose definition is not there";
                self.facts.gap(GapCause::DanglingReference, "customValue", message);
                dropped = Some(Why::Unreadable);
                continue;
            };
            let value = redacted_value(name, text);
            let kind = Observed::Value(AttributeKind::Custom);
            attributes.push(Attribute { name: name.clone(), value, kind });
        }
        attributes.sort();
        listing(attributes, dropped)
    }
}

fn power(word: &str) -> Option<PowerState> {
    match word {
        "poweredOn" => Some(PowerState::On),
        "poweredOff" => Some(PowerState::Off),
        "suspended" => Some(PowerState::Suspended),
        _ => None,
    }
}

/// Why the platform itself cannot read a machine, if it cannot.
fn unread(object: &Object<'_>, facts: &mut Facts<'_>) -> Option<Why> {
    let state = object.get("runtime.connectionState").text();
    match state {
        Some("invalid" | "inaccessible" | "orphaned") => {
            let message = "the platform itself cannot read the machine: what it tells of it is what it last knew, or nothing";
            facts.value(
                GapCause::Unreachable,
                "runtime.connectionState",
                message,
                state.unwrap_or_default(),
            );
            return Some(Why::CallFailed);
        }
        Some("disconnected") => {
            let message = "the machine's host is not connected: what it last told is old";
            facts.gap(GapCause::Unreachable, "runtime.connectionState", message);
        }
        Some("connected") | None => {}
        Some(word) => {
            let message = "a word that this version does not know";
            facts.value(GapCause::UnknownValue, "runtime.connectionState", message, word);
            return Some(Why::Unreadable);
        }
    }
    if matches!(object.get("config.hardware"), Told::Unset) {
        let message = "the platform itself cannot read the machine's configuration: it or its host is not accessible";
        facts.gap(GapCause::Unreachable, "config", message);
    }
    None
}
