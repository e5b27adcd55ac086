//! A workload: everything that the platform tells of one virtual machine.

use std::collections::HashMap;
use std::sync::Arc;

use entente_model::{
    Attribute, AttributeKind, Availability, Cpu, Finding, Firmware, FirmwareKind, GapCause,
    Governance, Guest, IdentityBasis, Listing, Memory, Observed, Partition, Placement, PowerState,
    Severity, Text, Tools, ToolsStatus, VmSnapshot, Why, Workload, WorkloadId, WorkloadKind,
    WorkloadSamples,
};

use super::super::collect::ObjectSink;
use super::super::wire::{Element, Object, Told, Tree, unescape};
use super::devices::{self, Hardware};
use super::facts::{Facts, blank};
use super::inventory::Inventory;
use super::settings::{self, Settings};
use crate::live::{Found, Gaps};
use crate::secrets::{redact, redacted_value};

/// Name of the list.
pub(in crate::vsphere) const SECTION: &str = "workloads";

/// Deepest chain of VM snapshots that is followed.
const SNAPSHOTS_MAX: usize = 4096;

/// The extension of Site Recovery Manager, which keeps placeholders at the other site.
const RECOVERY_EXTENSION: &str = "com.vmware.vcDr";

/// Takes machines as they arrive, and keeps what the model has a place for.
pub(in crate::vsphere) struct Machines {
    inventory: Arc<Inventory>,
    /// Workloads, as they came.
    pub workloads: Vec<Workload>,
    /// Where each is, by its id on the platform.
    pub at: HashMap<Text, usize>,
    /// What was not observed of them.
    pub gaps: Gaps,
    /// Secrets in notes.
    pub findings: Vec<Finding>,
    /// Properties with a value.
    pub properties: u64,
    /// Machines that could not be mapped.
    pub unmapped: u64,
}

impl Machines {
    /// None yet.
    pub fn new(inventory: Arc<Inventory>) -> Self {
        Self {
            inventory,
            workloads: Vec::new(),
            at: HashMap::new(),
            gaps: Gaps::default(),
            findings: Vec::new(),
            properties: 0,
            unmapped: 0,
        }
    }

    /// A machine by its id on the platform.
    pub fn get_mut(&mut self, native: &str) -> Option<&mut Workload> {
        self.workloads.get_mut(*self.at.get(native)?)
    }
}

impl ObjectSink for Machines {
    fn object(&mut self, object: &Object<'_>, _: &Tree) -> bool {
        let native = object.reference.id;
        if self.at.contains_key(native) {
            return false;
        }
        if object.is_gone() {
            let found = Found::of(GapCause::Vanished, SECTION, "deleted while it was read");
            self.gaps.add(found.value(native));
            return false;
        }
        let Ok(id) = WorkloadId::on(&self.inventory.platform, native) else {
            self.unmapped += 1;
            let message = "its id is none that an estate can hold";
            self.gaps.add(Found::of(GapCause::UnmappedRow, SECTION, message).value(native));
            return false;
        };
        self.properties += object.told_count() as u64;
        let inventory = self.inventory.clone();
        let facts = Facts { gaps: &mut self.gaps, section: SECTION };
        let mapping =
            Mapping { object, inventory: &inventory, facts, findings: &mut self.findings };
        let workload = mapping.workload(id);
        self.at.insert(Text::new(native), self.workloads.len());
        self.workloads.push(workload);
        true
    }

    fn restart(&mut self) {
        *self = Self::new(self.inventory.clone());
    }

    fn count(&self) -> u64 {
        self.workloads.len() as u64
    }
}

struct Mapping<'o, 't, 'g> {
    object: &'o Object<'t>,
    inventory: &'o Inventory,
    facts: Facts<'g>,
    findings: &'g mut Vec<Finding>,
}

impl<'t> Mapping<'_, 't, '_> {
    fn workload(mut self, id: WorkloadId) -> Workload {
        self.facts.refusals(self.object);
        let native = self.object.reference.id;
        let name = self.facts.name(self.get("name"), native);
        if self.get("config.hardware").text().is_none()
            && matches!(self.get("config.hardware"), Told::Unset)
        {
            let message = "the platform itself cannot read the machine's configuration: it or its host is not accessible";
            self.facts.gap(GapCause::Unreachable, "config", message);
        }
        let settings = Settings::of(self.get("config.extraConfig"));
        let hardware = devices::hardware(
            self.get("config.hardware"),
            self.get("guest.net"),
            &settings,
            self.inventory,
            &mut self.facts,
        );
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
            advanced_settings: settings::advanced(self.get("config.extraConfig")),
            governance: Governance::default(),
            samples: self.samples(),
            devices: self.with_encryption(&hardware),
            disks: hardware.disks,
            nics: hardware.nics,
            placement,
            name,
        }
    }

    fn get(&self, path: &str) -> Told<'t> {
        self.object.get(path)
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
        self.get("config.hardware").element().is_some()
    }

    /// Absent where the configuration was told and does not have it.
    fn optional<T>(&self) -> Observed<T> {
        if self.is_configured() { Observed::Absent } else { blank() }
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

    fn placement(&mut self) -> Placement {
        let inventory = self.inventory;
        let host = self.get("runtime.host").reference();
        let pool = self.get("resourcePool").reference();
        let parent = self.get("parent").reference();
        let within = || pool.and_then(|it| inventory.above(it.id, "VirtualApp"));
        let vapp = self.get("parentVApp").reference().map(|it| it.id);
        let vapp = vapp.or_else(|| within().map(|(id, _)| id.as_str()));
        // A template is in no pool, and what is not registered on a host is still in a folder.
        let anchors = [host, pool, parent].map(|it| it.map(|it| it.id));
        let known = || {
            anchors.into_iter().chain([vapp]).flatten().filter(|id| inventory.place(id).is_some())
        };
        let refused = |path: &str| self.get(path).refused().unwrap_or(Why::Blank);
        let datacenter = known()
            .map(|id| inventory.datacenter(id))
            .find(Observed::is_observed)
            .unwrap_or(Observed::Unobserved(refused("parent")));
        let cluster = known()
            .map(|id| inventory.cluster(id))
            .find(Observed::is_observed)
            .unwrap_or(Observed::Unobserved(refused("runtime.host")));
        let place = |id: &str| inventory.place(id);
        let folder = match (parent, vapp) {
            (Some(parent), _) => match place(parent.id) {
                Some(folder) => Observed::Value(folder.path.clone()),
                None => Observed::Unobserved(Why::NoPermission),
            },
            (None, Some(vapp)) => match inventory.folder_of_vapp(vapp) {
                Some(folder) => Observed::Value(folder.path.clone()),
                None => blank(),
            },
            (None, None) => Observed::Unobserved(refused("parent")),
        };
        let host_id = host.map(|it| inventory.hosts.get(it.id).cloned());
        Placement {
            datacenter,
            cluster,
            host: match host_id {
                Some(Some(id)) => Observed::Value(id),
                Some(None) => Observed::Unobserved(Why::NoPermission),
                None => Observed::Unobserved(refused("runtime.host")),
            },
            folder,
            resource_pool: match pool.map(|it| place(it.id)) {
                Some(Some(pool)) => Observed::Value(pool.path.clone()),
                Some(None) => Observed::Unobserved(Why::NoPermission),
                None => self
                    .get("resourcePool")
                    .refused()
                    .map_or(Observed::Absent, Observed::Unobserved),
            },
            vapp: match vapp.map(place) {
                Some(Some(vapp)) => Observed::Value(vapp.name.clone()),
                Some(None) => Observed::Unobserved(Why::NoPermission),
                None => {
                    self.get("parentVApp").refused().map_or(Observed::Absent, Observed::Unobserved)
                }
            },
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
            Observed::Absent => settings
                .get("numa.nodeAffinity")
                .map_or(Observed::Absent, |it| Observed::Value(Text::new(it))),
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
            Told::Unset => return Listing::complete(Vec::new()),
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
            let within = |path: &str| element.at(path).map_or(Told::Unset, Told::Value);
            let title = unescape(within("name").text().unwrap_or_default()).into_owned();
            snapshots.push(VmSnapshot {
                id,
                parent,
                name: self.redacted(&title, "snapshot", name),
                description: match within("description").text() {
                    Some(text) => Observed::Value(self.redacted(text, "snapshot", name)),
                    None => Observed::Absent,
                },
                created: self.facts.moment(within("createTime"), blank()),
                // Told by `layoutEx` alone, which costs the platform more than all else together.
                size_bytes: Observed::Unobserved(Why::SourceLimit),
                quiesced: self.facts.flag(within("quiesced"), blank()),
                state: self.facts.text(within("state"), blank()),
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

    fn guest(&mut self) -> Guest {
        let running = self.get("guest.toolsRunningStatus").text() == Some("guestToolsRunning");
        let silent = if running { Why::Blank } else { Why::GuestSilent };
        let reported = |facts: &Facts<'_>, told| facts.text(told, Observed::Unobserved(silent));
        let disks = self.get("guest.disk");
        let partitions = match disks {
            Told::Missing(why) => Listing::unobserved(why),
            Told::Unset => Listing::unobserved(silent),
            Told::Value(_) => {
                let items: Vec<Partition> = disks.elements().map(|it| self.partition(it)).collect();
                if items.is_empty() && !running {
                    Listing::unobserved(Why::GuestSilent)
                } else {
                    Listing::complete(items)
                }
            }
        };
        let address = self.get("guest.ipAddress");
        Guest {
            os_configured: self.text("config.guestFullName"),
            os_reported: reported(&self.facts, self.get("guest.guestFullName")),
            hostname: reported(&self.facts, self.get("guest.hostName")),
            primary_address: self.facts.word(
                address,
                if running { Observed::Absent } else { Observed::Unobserved(Why::GuestSilent) },
                |text| text.parse().ok(),
            ),
            tools: self.tools(),
            partitions,
        }
    }

    fn partition(&mut self, disk: Element<'_>) -> Partition {
        let within = |path: &str| disk.at(path).map_or(Told::Unset, Told::Value);
        Partition {
            mount: Text::new(disk.text_at("diskPath").unwrap_or_default()),
            // Told since 7.0, with newer tools.
            disk_key: match disk.text_at("mappings.key") {
                Some(key) => Observed::Value(Text::new(key)),
                None => Observed::Unobserved(Why::NotInVersion),
            },
            capacity_bytes: self.facts.bytes(within("capacity"), 1, blank()),
            free_bytes: self.facts.bytes(within("freeSpace"), 1, blank()),
        }
    }

    fn tools(&mut self) -> Tools {
        let running = self.get("guest.toolsRunningStatus");
        let version = self.get("guest.toolsVersionStatus2");
        let status = match (version.text(), running.text()) {
            (Some("guestToolsNotInstalled"), _) => Observed::Value(ToolsStatus::NotInstalled),
            (_, Some("guestToolsNotRunning")) => Observed::Value(ToolsStatus::NotRunning),
            (_, Some("guestToolsRunning" | "guestToolsExecutingScripts")) => {
                self.facts.word(version, Observed::Value(ToolsStatus::Current), |word| match word {
                    "guestToolsCurrent" | "guestToolsSupportedNew" | "guestToolsUnmanaged" => {
                        Some(ToolsStatus::Current)
                    }
                    "guestToolsNeedUpgrade"
                    | "guestToolsSupportedOld"
                    | "guestToolsTooOld"
                    | "guestToolsTooNew"
                    | "guestToolsBlacklisted" => Some(ToolsStatus::Outdated),
                    _ => None,
                })
            }
            _ => self.facts.word(running, blank(), |_| None),
        };
        Tools { status, version: self.facts.text(self.get("guest.toolsVersion"), Observed::Absent) }
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
        let disk_uuid = match settings.get("disk.EnableUUID") {
            Some(value) => Observed::Value(value.eq_ignore_ascii_case("true")),
            None => {
                self.facts.flag(self.get("config.flags").child("diskUuidEnabled"), self.optional())
            }
        };
        Availability {
            // Unset where the cluster has no high availability.
            ha_protected: self.facts.flag(protection.child("dasProtected"), Observed::Value(false)),
            ha_restart_priority: refused.map_or(own.restart_priority, Observed::Unobserved),
            ha_isolation_response: refused.map_or(own.isolation_response, Observed::Unobserved),
            fault_tolerance,
            cluster_rules: match refused {
                Some(why) => Listing::incomplete(rules, why),
                None => Listing::complete(rules),
            },
            evc_mode_min: self
                .facts
                .text(self.get("runtime.minRequiredEVCModeKey"), Observed::Absent),
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
        for value in told.elements() {
            let key = value.number_at::<i64>("key");
            let Some(text) = value.text_at("value") else { continue };
            let Some(name) = key.and_then(|key| names.get(&key)) else {
                let message = "a custom attribute whose definition is not there";
                self.facts.gap(GapCause::DanglingReference, "customValue", message);
                continue;
            };
            let value = redacted_value(name, text);
            let kind = Observed::Value(AttributeKind::Custom);
            attributes.push(Attribute { name: name.clone(), value, kind });
        }
        attributes.sort();
        Listing::complete(attributes)
    }

    fn samples(&mut self) -> WorkloadSamples {
        const MIB: u64 = 1 << 20;
        let statistics = self.get("summary.quickStats");
        let storage = self.get("summary.storage");
        let used = self.facts.bytes(storage.child("committed"), 1, blank());
        let more = self.facts.bytes(storage.child("uncommitted"), 1, blank());
        let off = self.get("runtime.powerState").text().is_some_and(|it| it != "poweredOn");
        let unset = if off { Observed::Absent } else { blank() };
        WorkloadSamples {
            powered_on_since: self.facts.moment(self.get("runtime.bootTime"), unset),
            cpu_used_mhz: self.facts.number(statistics.child("overallCpuUsage"), blank()),
            cpu_ready_basis_points: Observed::Unobserved(Why::SourceLimit),
            memory_active_bytes: self.facts.bytes(
                statistics.child("guestMemoryUsage"),
                MIB,
                blank(),
            ),
            memory_consumed_bytes: self.facts.bytes(
                statistics.child("hostMemoryUsage"),
                MIB,
                blank(),
            ),
            memory_ballooned_bytes: self.facts.bytes(
                statistics.child("balloonedMemory"),
                MIB,
                blank(),
            ),
            memory_swapped_bytes: self.facts.bytes(statistics.child("swappedMemory"), MIB, blank()),
            storage_provisioned_bytes: match (&used, &more) {
                (Observed::Value(used), Observed::Value(more)) => {
                    Observed::Value(used.saturating_add(*more))
                }
                (Observed::Unobserved(why), _) | (_, Observed::Unobserved(why)) => {
                    Observed::Unobserved(*why)
                }
                _ => blank(),
            },
            storage_used_bytes: used,
            heartbeat: self.facts.text(statistics.child("guestHeartbeatStatus"), blank()),
            guest_state: self.text("guest.guestState"),
            connection_state: self.text("runtime.connectionState"),
        }
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
