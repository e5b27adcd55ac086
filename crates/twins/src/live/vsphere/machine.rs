//! What a machine says of itself: the XML of all its properties, in the order of the API.

mod devices;
mod files;
mod guest;
mod padding;

use entente_model::{FirmwareKind, Observed, PowerState, Workload, WorkloadKind};

use super::facts::{Facts, encoded_name, time};
use super::layout::Machine;
use super::xml::Writer;
use crate::live::words::utc;

pub(super) use devices::lun_uuid;
pub(super) use padding::Padding;

const MIB: u64 = 1024 * 1024;

/// What every machine can do.
const CAPABILITIES: [&str; 38] = [
    "snapshotOperationsSupported",
    "multipleSnapshotsSupported",
    "snapshotConfigSupported",
    "poweredOffSnapshotsSupported",
    "memorySnapshotsSupported",
    "revertToSnapshotSupported",
    "quiescedSnapshotsSupported",
    "disableSnapshotsSupported",
    "lockSnapshotsSupported",
    "consolePreferencesSupported",
    "cpuFeatureMaskSupported",
    "s1AcpiManagementSupported",
    "settingScreenResolutionSupported",
    "toolsAutoUpdateSupported",
    "vmNpivWwnSupported",
    "npivWwnOnNonRdmVmSupported",
    "vmNpivWwnDisableSupported",
    "vmNpivWwnUpdateSupported",
    "swapPlacementSupported",
    "toolsSyncTimeSupported",
    "virtualMmuUsageSupported",
    "diskSharesSupported",
    "bootOptionsSupported",
    "bootRetryOptionsSupported",
    "settingVideoRamSizeSupported",
    "settingDisplayTopologySupported",
    "recordReplaySupported",
    "changeTrackingSupported",
    "multipleCoresPerSocketSupported",
    "hostBasedReplicationSupported",
    "guestAutoLockSupported",
    "memoryReservationLockSupported",
    "featureRequirementSupported",
    "poweredOnMonitorTypeChangeSupported",
    "seSparseDiskSupported",
    "nestedHVSupported",
    "vPMCSupported",
    "secureBootSupported",
];

/// What every machine can do, the same for all.
pub(super) fn common() -> String {
    let mut w = Writer::new();
    w.node("capability", |w| {
        for name in CAPABILITIES {
            // Recording went away with old versions.
            w.leaf(name, name != "recordReplaySupported");
        }
    });
    w.finish()
}

/// A machine being told of.
pub(super) struct Telling<'a> {
    pub facts: &'a Facts<'a>,
    pub workload: &'a Workload,
    pub machine: &'a Machine,
    pub is_on: bool,
    pub is_lean: bool,
}

/// The XML of all properties of a machine.
pub(super) fn encode(facts: &Facts<'_>, at: usize, padding: &Padding) -> String {
    let (Some(workload), Some(machine)) =
        (facts.collection.workloads.get(at), facts.layout.machines.get(at))
    else {
        return String::new();
    };
    let is_on = workload.power == Observed::Value(PowerState::On);
    let telling = Telling { facts, workload, machine, is_on, is_lean: padding.is_lean };
    let mut w = Writer::new();
    telling.all(&mut w, padding);
    w.finish()
}

impl Telling<'_> {
    fn all(&self, w: &mut Writer, padding: &Padding) {
        let (facts, machine) = (self.facts, self.machine);
        let folder = facts.layout.folders.get(machine.folder).filter(|_| !machine.is_in_vapp);
        let attributes = facts.custom_values(self.workload);
        let parent = folder.map(|it| &it.reference);
        facts.entity(w, &machine.reference, &self.workload.name, parent, &attributes);
        self.config(w, padding);
        if !self.is_lean {
            self.layout_ex(w);
        }
        self.storage(w);
        let pool = machine.pool.and_then(|it| facts.layout.pools.get(it));
        if let Some(pool) = pool {
            w.reference("resourcePool", pool.reference.kind, &pool.reference.id);
            if machine.is_in_vapp {
                w.reference("parentVApp", pool.reference.kind, &pool.reference.id);
            }
        }
        if !self.is_lean {
            w.node("resourceConfig", |w| {
                w.reference("entity", "VirtualMachine", &machine.reference.id);
                self.allocations(w);
            });
        }
        w.node("runtime", |w| self.runtime(w));
        self.guest(w);
        self.summary(w, &attributes);
        let stores = machine.datastores.iter().filter_map(|it| facts.layout.datastores.get(*it));
        w.references("datastore", stores.map(|it| it.reference.pair()));
        let networks = machine.networks.iter().filter_map(|it| facts.layout.networks.get(*it));
        w.references("network", networks.map(|it| it.reference.pair()));
        self.snapshots(w);
        w.text("guestHeartbeatStatus", self.heartbeat());
    }

    fn heartbeat(&self) -> &str {
        self.workload.samples.heartbeat.value().map_or("gray", |it| it.as_str())
    }

    fn guest_id(&self) -> &'static str {
        let name = self.workload.guest.os_configured.value().map_or("", |it| it.as_str());
        guest::guest_id(name)
    }

    fn os(&self) -> &str {
        self.workload.guest.os_configured.value().map_or("Other (64-bit)", |it| it.as_str())
    }

    fn memory_mib(&self) -> u64 {
        self.workload.memory.size_bytes.copied().unwrap_or(0) / MIB
    }

    fn config(&self, w: &mut Writer, padding: &Padding) {
        let workload = self.workload;
        w.open("config");
        let created = workload.created.copied().map(time);
        w.text("changeVersion", created.as_deref().unwrap_or("1970-01-01T00:00:00Z"));
        w.text("modified", "1970-01-01T00:00:00Z");
        w.text("name", &encoded_name(&workload.name));
        w.text("guestFullName", self.os());
        let version = workload.firmware.hardware_version.copied().unwrap_or(19);
        w.text("version", &format!("vmx-{version:02}"));
        w.leaf_if("uuid", workload.bios_uuid.value());
        w.text_if("createDate", created.as_deref());
        w.leaf_if("instanceUuid", workload.instance_uuid.value());
        w.leaf("npivTemporaryDisabled", true);
        w.leaf("template", workload.kind == WorkloadKind::Template);
        w.text("guestId", self.guest_id());
        w.text("alternateGuestName", "");
        w.text("annotation", workload.annotation.value().map_or("", |it| it.as_str()));
        self.files(w);
        self.tools_config(w);
        self.flags(w);
        w.node("defaultPowerOps", |w| {
            w.words(&[
                ("powerOffType", "soft"),
                ("suspendType", "hard"),
                ("resetType", "soft"),
                ("defaultPowerOffType", "soft"),
                ("defaultSuspendType", "hard"),
                ("defaultResetType", "soft"),
                ("standbyAction", "checkpoint"),
            ]);
        });
        self.hardware(w);
        self.allocations(w);
        self.scheduling(w);
        padding.extra_config(w, self);
        self.rest_of_config(w);
        w.close("config");
    }

    fn scheduling(&self, w: &mut Writer) {
        let workload = self.workload;
        let level = workload.availability.latency_sensitivity.value();
        w.node("latencySensitivity", |w| w.text("level", level.map_or("normal", |it| it.as_str())));
        w.leaf("memoryHotAddEnabled", workload.memory.hot_add.copied().unwrap_or(false));
        w.leaf("cpuHotAddEnabled", workload.cpu.hot_add.copied().unwrap_or(false));
        w.leaf("cpuHotRemoveEnabled", workload.cpu.hot_remove.copied().unwrap_or(false));
        w.leaf("hotPlugMemoryLimit", self.memory_mib());
        for (name, affinity) in [
            ("cpuAffinity", &workload.cpu.affinity),
            ("memoryAffinity", &workload.cpu.numa_affinity),
        ] {
            let Some(affinity) = affinity.value() else { continue };
            w.node(name, |w| {
                for number in affinity.split(',').filter_map(|it| it.trim().parse::<u32>().ok()) {
                    w.leaf("affinitySet", number);
                }
            });
        }
    }

    fn rest_of_config(&self, w: &mut Writer) {
        let workload = self.workload;
        for store in self.machine.datastores.iter() {
            let Some(store) = self.facts.collection.datastores.get(*store) else { continue };
            w.node("datastoreUrl", |w| {
                w.text("name", &store.name);
                w.text("url", &super::storage::mount_path(&store.name));
            });
        }
        w.text("swapPlacement", "inherit");
        let efi = workload.firmware.kind == Observed::Value(FirmwareKind::Efi);
        w.node("bootOptions", |w| {
            w.leaf("enterBIOSSetup", false);
            let secure = workload.firmware.secure_boot.copied().unwrap_or(false);
            w.leaf("efiSecureBootEnabled", secure);
            w.leaf("bootRetryEnabled", false);
            w.leaf("bootRetryDelay", 10_000);
            w.text("networkBootProtocol", "ipv4");
        });
        w.leaf("vAssertsEnabled", false);
        w.leaf_if("changeTrackingEnabled", workload.availability.change_tracking.copied());
        w.text("firmware", if efi { "efi" } else { "bios" });
        w.leaf("maxMksConnections", 40);
        w.leaf("guestAutoLockEnabled", false);
        let manager = match workload.kind {
            WorkloadKind::RecoveryPlaceholder => Some(("com.vmware.vcDr", "placeholderVm")),
            WorkloadKind::SystemAgent => Some(("com.vmware.vim.eam", "cluster-agent")),
            _ => None,
        };
        if let Some((key, kind)) = manager {
            w.node("managedBy", |w| w.words(&[("extensionKey", key), ("type", kind)]));
        }
        let locked = workload.memory.reservation_locked_to_max.copied().unwrap_or(false);
        w.leaf("memoryReservationLockedToMax", locked);
        w.leaf("nestedHVEnabled", false);
        w.leaf("vPMCEnabled", false);
        w.leaf("messageBusTunnelEnabled", false);
        if workload.devices.encrypted.copied() == Some(true) {
            w.node("keyId", |w| {
                w.text("keyId", "4a1d2c60-9f3e-4b6e-9d57-2f1f1f0b7c11");
                w.node("providerId", |w| w.text("id", "native-key-provider"));
            });
        }
        w.text("migrateEncryption", "opportunistic");
    }

    fn files(&self, w: &mut Writer) {
        let folder = self.folder_of_files();
        w.node("files", |w| {
            w.text("vmPathName", &self.path_of_configuration());
            w.text("snapshotDirectory", &folder);
            w.text("suspendDirectory", &folder);
            w.text("logDirectory", &folder);
        });
    }

    fn flags(&self, w: &mut Writer) {
        w.node("flags", |w| {
            w.flags(&[
                ("disableAcceleration", false),
                ("enableLogging", true),
                ("useToe", false),
                ("runWithDebugInfo", false),
            ]);
            w.words(&[("monitorType", "release"), ("htSharing", "any")]);
            w.flags(&[("snapshotDisabled", false), ("snapshotLocked", false)]);
            let disks = self.workload.availability.disk_uuid_enabled.copied();
            w.leaf_if("diskUuidEnabled", disks);
            w.words(&[
                ("virtualMmuUsage", "automatic"),
                ("virtualExecUsage", "hvAuto"),
                ("snapshotPowerOffBehavior", "powerOff"),
            ]);
            w.leaf("recordReplayEnabled", false);
            w.text("faultToleranceType", "unset");
            w.flags(&[("cbrcCacheEnabled", false), ("vvtdEnabled", false), ("vbsEnabled", false)]);
        });
    }

    fn allocations(&self, w: &mut Writer) {
        let (cpu, memory) = (&self.workload.cpu, &self.workload.memory);
        let cpus = u64::from(cpu.count.copied().unwrap_or(1));
        allocation(
            w,
            "cpuAllocation",
            cpu.reservation_mhz.copied().unwrap_or(0),
            cpu.limit_mhz.copied(),
            (cpu.shares_level.value().map_or("normal", |it| it.as_str()), cpus * 1000),
        );
        allocation(
            w,
            "memoryAllocation",
            memory.reservation_bytes.copied().unwrap_or(0) / MIB,
            memory.limit_bytes.copied().map(|it| it / MIB),
            (
                memory.shares_level.value().map_or("normal", |it| it.as_str()),
                self.memory_mib() * 10,
            ),
        );
    }

    fn runtime(&self, w: &mut Writer) {
        let workload = self.workload;
        let host = self.machine.host.and_then(|it| self.facts.layout.hosts.get(it));
        if let Some(host) = host {
            w.reference("host", "HostSystem", &host.reference.id);
        }
        let state = workload.samples.connection_state.value();
        w.text("connectionState", state.map_or("connected", |it| it.as_str()));
        w.text("powerState", power_word(&workload.power));
        let fault_tolerance = workload.availability.fault_tolerance.value();
        w.text("faultToleranceState", fault_tolerance.map_or("notConfigured", |it| it.as_str()));
        if self.is_on && self.is_in_protecting_cluster() {
            let protected = workload.availability.ha_protected.copied().unwrap_or(false);
            w.node("dasVmProtection", |w| w.leaf("dasProtected", protected));
        }
        w.leaf("toolsInstallerMounted", false);
        if self.is_on {
            w.text_if("bootTime", workload.samples.powered_on_since.copied().map(time));
            let cpus = u64::from(workload.cpu.count.copied().unwrap_or(1));
            w.leaf("maxCpuUsage", cpus * self.host_mhz());
            w.leaf("maxMemoryUsage", self.memory_mib());
        }
        w.leaf("numMksConnections", 0);
        w.text("recordReplayState", "inactive");
        w.leaf("onlineStandby", false);
        w.text_if("minRequiredEVCModeKey", workload.availability.evc_mode_min.value());
        w.leaf_if("consolidationNeeded", workload.availability.consolidation_needed.copied());
        w.flags(&[
            ("paused", false),
            ("snapshotInBackground", false),
            ("instantCloneFrozen", false),
        ]);
    }

    fn host_mhz(&self) -> u64 {
        let host = self.machine.host.and_then(|it| self.facts.collection.hosts.get(it));
        host.and_then(|it| it.cpu_mhz.copied()).unwrap_or(2_000)
    }

    fn is_in_protecting_cluster(&self) -> bool {
        let layout = self.facts.layout;
        let host = self.machine.host.and_then(|it| layout.hosts.get(it));
        let compute = host.and_then(|it| layout.computes.get(it.compute));
        let cluster = compute.and_then(|it| self.facts.collection.clusters.get(it.cluster?));
        cluster.is_some_and(|it| it.ha_enabled.copied() == Some(true))
    }

    fn summary(&self, w: &mut Writer, attributes: &[(u32, &str)]) {
        w.node("summary", |w| {
            w.reference("vm", "VirtualMachine", &self.machine.reference.id);
            w.node("runtime", |w| self.runtime(w));
            w.node("guest", |w| self.guest_summary(w));
            w.node("config", |w| self.config_summary(w));
            self.storage_summary(w);
            w.node("quickStats", |w| self.quick_stats(w));
            w.text("overallStatus", self.facts.status(&self.machine.reference.id));
            super::facts::custom_values(w, "customValue", attributes);
        });
    }

    fn config_summary(&self, w: &mut Writer) {
        let workload = self.workload;
        w.text("name", &encoded_name(&workload.name));
        w.leaf("template", workload.kind == WorkloadKind::Template);
        w.text("vmPathName", &self.path_of_configuration());
        w.leaf("memorySizeMB", self.memory_mib());
        w.leaf_if("cpuReservation", workload.cpu.reservation_mhz.copied());
        w.leaf_if(
            "memoryReservation",
            workload.memory.reservation_bytes.copied().map(|it| it / MIB),
        );
        w.leaf("numCpu", workload.cpu.count.copied().unwrap_or(1));
        w.leaf("numEthernetCards", workload.nics.items.len());
        w.leaf("numVirtualDisks", workload.disks.items.len());
        w.leaf_if("uuid", workload.bios_uuid.value());
        w.leaf_if("instanceUuid", workload.instance_uuid.value());
        w.text("guestId", self.guest_id());
        w.text("guestFullName", self.os());
        w.text("annotation", workload.annotation.value().map_or("", |it| it.as_str()));
        w.leaf("installBootRequired", false);
        w.leaf("tpmPresent", workload.devices.tpm.copied().unwrap_or(false));
        w.leaf("numVmiopBackings", workload.devices.vgpus.items.len());
    }

    fn quick_stats(&self, w: &mut Writer) {
        let samples = &self.workload.samples;
        let mib = |it: &Observed<u64>| it.copied().unwrap_or(0) / MIB;
        let used = samples.cpu_used_mhz.copied().unwrap_or(0);
        w.leaf("overallCpuUsage", used);
        w.leaf("overallCpuDemand", used + used / 4);
        w.leaf_if(
            "overallCpuReadiness",
            samples.cpu_ready_basis_points.copied().map(|it| it / 100),
        );
        w.leaf("guestMemoryUsage", mib(&samples.memory_active_bytes));
        w.leaf("hostMemoryUsage", mib(&samples.memory_consumed_bytes));
        w.text("guestHeartbeatStatus", self.heartbeat());
        w.leaf("staticCpuEntitlement", used + used / 3);
        w.leaf("staticMemoryEntitlement", mib(&samples.memory_consumed_bytes));
        w.leaf("grantedMemory", mib(&samples.memory_consumed_bytes));
        w.leaf("privateMemory", mib(&samples.memory_consumed_bytes));
        w.leaf("sharedMemory", 0);
        w.leaf("swappedMemory", mib(&samples.memory_swapped_bytes));
        w.leaf("balloonedMemory", mib(&samples.memory_ballooned_bytes));
        w.leaf("consumedOverheadMemory", if self.is_on { 80 } else { 0 });
        w.leaf("ftLogBandwidth", -1);
        w.leaf("ftSecondaryLatency", -1);
        w.text("ftLatencyStatus", "gray");
        w.leaf("uptimeSeconds", self.uptime_seconds());
    }

    fn uptime_seconds(&self) -> i64 {
        let since = self.workload.samples.powered_on_since.copied();
        let taken = self.facts.collection.source.taken;
        match (since.filter(|_| self.is_on), taken) {
            (Some(since), Some(taken)) => (utc(taken) - utc(since)).whole_seconds().max(0),
            _ => 0,
        }
    }
}

/// How vSphere calls a power state.
fn power_word(power: &Observed<PowerState>) -> &'static str {
    match power {
        Observed::Value(PowerState::On) => "poweredOn",
        Observed::Value(PowerState::Suspended) => "suspended",
        _ => "poweredOff",
    }
}

/// A guarantee, a limit and a share of something.
pub(super) fn allocation(
    w: &mut Writer,
    name: &str,
    reservation: u64,
    limit: Option<u64>,
    (level, shares): (&str, u64),
) {
    w.node(name, |w| {
        w.leaf("reservation", reservation);
        w.leaf("expandableReservation", false);
        match limit {
            Some(limit) => w.leaf("limit", limit),
            None => w.leaf("limit", -1),
        }
        let shares = match level {
            "low" => shares / 2,
            "high" => shares * 2,
            "custom" => shares * 3,
            _ => shares,
        };
        w.node("shares", |w| {
            w.leaf("shares", shares);
            w.text("level", level);
        });
    });
}
