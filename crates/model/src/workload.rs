//! The workload: a virtual machine, whatever the platform.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr as Text;
use uuid::Uuid;

use crate::governance::{Attribute, Governance};
use crate::guest::Guest;
use crate::hardware::{Cpu, Devices, Disk, Firmware, Memory, Nic, VmSnapshot};
use crate::ids::{ClusterId, HostId, PlatformId, SourceId, WorkloadId};
use crate::moment::Moment;
use crate::observed::{Listing, Observed, Why};

/// What a workload is for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum WorkloadKind {
    /// An ordinary machine.
    Machine,
    /// A template.
    Template,
    /// A stand-in that a recovery product keeps at the other site.
    RecoveryPlaceholder,
    /// A machine that the platform runs for itself (vCLS).
    SystemAgent,
    /// A system container (LXC): it shares its host's kernel.
    Container,
}

impl WorkloadKind {
    /// The stable, kebab-case word used in output and expressions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Template => "template",
            Self::RecoveryPlaceholder => "recovery-placeholder",
            Self::SystemAgent => "system-agent",
            Self::Container => "container",
        }
    }
}

/// Power state.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PowerState {
    /// Running.
    On,
    /// Off.
    Off,
    /// Suspended.
    Suspended,
}

impl PowerState {
    /// The stable word used in output and expressions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Suspended => "suspended",
        }
    }
}

/// What a workload's identity rests on, strongest first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityBasis {
    /// The platform's own UUID and the workload's id on it.
    PlatformAndNativeId,
    /// The workload's id on a platform that is known by name or file only.
    NativeId,
    /// The workload's instance UUID.
    InstanceUuid,
    /// Its name alone: two of the same name cannot be told apart.
    Name,
}

/// Where a workload runs and is filed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Placement {
    /// Datacenter, by name.
    pub datacenter: Observed<Text>,
    /// Cluster; absent on a standalone host.
    pub cluster: Observed<ClusterId>,
    /// Host.
    pub host: Observed<HostId>,
    /// Folder path.
    pub folder: Observed<Text>,
    /// Resource pool path.
    pub resource_pool: Observed<Text>,
    /// vApp; absent = none.
    pub vapp: Observed<Text>,
}

/// What a workload leans on to stay up and to be protected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Availability {
    /// Restarted elsewhere when its host fails.
    pub ha_protected: Observed<bool>,
    /// Its own restart priority.
    pub ha_restart_priority: Observed<Text>,
    /// Its own reaction to host isolation.
    pub ha_isolation_response: Observed<Text>,
    /// Fault tolerance state; absent = not configured.
    pub fault_tolerance: Observed<Text>,
    /// Names of the cluster's affinity, anti-affinity and host rules that name it.
    pub cluster_rules: Listing<Text>,
    /// Lowest EVC mode on which it can run; absent = none.
    pub evc_mode_min: Observed<Text>,
    /// Latency sensitivity: `normal`, `high` …
    pub latency_sensitivity: Observed<Text>,
    /// Changed block tracking; absent = never set.
    pub change_tracking: Observed<bool>,
    /// Disks show their UUID to the guest; absent = never set.
    pub disk_uuid_enabled: Observed<bool>,
    /// Snapshot files wait to be merged.
    pub consolidation_needed: Observed<bool>,
}

impl Availability {
    /// Nothing is known of it, and why.
    pub fn unobserved(why: Why) -> Self {
        Self {
            ha_protected: Observed::Unobserved(why),
            ha_restart_priority: Observed::Unobserved(why),
            ha_isolation_response: Observed::Unobserved(why),
            fault_tolerance: Observed::Unobserved(why),
            cluster_rules: Listing::unobserved(why),
            evc_mode_min: Observed::Unobserved(why),
            latency_sensitivity: Observed::Unobserved(why),
            change_tracking: Observed::Unobserved(why),
            disk_uuid_enabled: Observed::Unobserved(why),
            consolidation_needed: Observed::Unobserved(why),
        }
    }
}

/// What moves by itself: never a change of configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkloadSamples {
    /// Powered on since; absent = off.
    pub powered_on_since: Observed<Moment>,
    /// Processor use, in MHz.
    pub cpu_used_mhz: Observed<u64>,
    /// Share of time it waited for a processor, in hundredths of a percent.
    pub cpu_ready_basis_points: Observed<u32>,
    /// Memory in active use.
    pub memory_active_bytes: Observed<u64>,
    /// Host memory consumed.
    pub memory_consumed_bytes: Observed<u64>,
    /// Memory reclaimed by the balloon.
    pub memory_ballooned_bytes: Observed<u64>,
    /// Memory swapped by the hypervisor.
    pub memory_swapped_bytes: Observed<u64>,
    /// Storage promised.
    pub storage_provisioned_bytes: Observed<u64>,
    /// Storage in use.
    pub storage_used_bytes: Observed<u64>,
    /// Tools heartbeat: `green`, `gray` …
    pub heartbeat: Observed<Text>,
    /// Guest state: `running`, `notRunning` …
    pub guest_state: Observed<Text>,
    /// Connection between host and platform: `connected`, `orphaned` …
    pub connection_state: Observed<Text>,
}

impl WorkloadSamples {
    /// Nothing is known of them, and why.
    pub fn unobserved(why: Why) -> Self {
        Self {
            powered_on_since: Observed::Unobserved(why),
            cpu_used_mhz: Observed::Unobserved(why),
            cpu_ready_basis_points: Observed::Unobserved(why),
            memory_active_bytes: Observed::Unobserved(why),
            memory_consumed_bytes: Observed::Unobserved(why),
            memory_ballooned_bytes: Observed::Unobserved(why),
            memory_swapped_bytes: Observed::Unobserved(why),
            storage_provisioned_bytes: Observed::Unobserved(why),
            storage_used_bytes: Observed::Unobserved(why),
            heartbeat: Observed::Unobserved(why),
            guest_state: Observed::Unobserved(why),
            connection_state: Observed::Unobserved(why),
        }
    }
}

/// An advanced setting by the platform's own key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// The platform's own key, `sched.cpu.affinity`, `args` …
    pub key: Text,
    /// Its value.
    pub value: Text,
}

/// A virtual machine, whatever the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workload {
    /// Unique in the estate.
    pub id: WorkloadId,
    /// Where it lives.
    pub platform: PlatformId,
    /// What told of it.
    pub source: SourceId,
    /// What its identity rests on.
    pub identity: IdentityBasis,
    /// Its name on the platform.
    pub name: Text,
    /// Its id on the platform, `vm-42`.
    pub native_id: Observed<Text>,
    /// Unique per platform, survives a move between hosts.
    pub instance_uuid: Observed<Uuid>,
    /// What the guest sees as its serial number; clones may share it.
    pub bios_uuid: Observed<Uuid>,
    /// What it is for.
    pub kind: WorkloadKind,
    /// Power state.
    pub power: Observed<PowerState>,
    /// When it was created.
    pub created: Observed<Moment>,
    /// Where it runs and is filed.
    pub placement: Placement,
    /// Processors.
    pub cpu: Cpu,
    /// Memory.
    pub memory: Memory,
    /// Disks.
    pub disks: Listing<Disk>,
    /// Network adapters.
    pub nics: Listing<Nic>,
    /// Other devices.
    pub devices: Devices,
    /// Firmware.
    pub firmware: Firmware,
    /// VM snapshots.
    pub snapshots: Listing<VmSnapshot>,
    /// Guest.
    pub guest: Guest,
    /// What it leans on to stay up.
    pub availability: Availability,
    /// Notes on the platform, with secrets redacted; absent = none.
    pub annotation: Observed<Text>,
    /// Custom attributes and tags.
    pub attributes: Listing<Attribute>,
    /// Advanced settings that bear on where it can live, by the platform's own keys, secrets redacted.
    pub advanced_settings: Listing<Setting>,
    /// What people say of it.
    pub governance: Governance,
    /// What moves by itself.
    pub samples: WorkloadSamples,
}
