//! What workloads stand on: platforms, clusters, hosts, storage, networks, licences.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr as Text;

use crate::ids::{ClusterId, DatastoreId, HostId, NetworkId, PlatformId};
use crate::moment::Moment;
use crate::observed::{Listing, Observed};

/// One management endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Platform {
    /// Its id.
    pub id: PlatformId,
    /// Name of the kind, for people: `VMware vSphere`.
    pub kind_label: Text,
    /// Address or server name.
    pub address: Observed<Text>,
    /// The platform's own UUID.
    pub uuid: Observed<Text>,
    /// Site where it stands, in the organisation's own words.
    pub site: Observed<Text>,
    /// Who answers for it.
    pub owner: Observed<Text>,
}

/// A product with its version, as the platform names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Product {
    /// Where it runs.
    pub platform: PlatformId,
    /// `VMware vCenter Server`.
    pub name: Text,
    /// `8.0.3`.
    pub version: Observed<Text>,
    /// `24322831`.
    pub build: Observed<Text>,
}

/// A cluster of hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cluster {
    /// Its id.
    pub id: ClusterId,
    /// Where it lives.
    pub platform: PlatformId,
    /// Its name.
    pub name: Text,
    /// Datacenter, by name.
    pub datacenter: Observed<Text>,
    /// Workloads restart on other hosts.
    pub ha_enabled: Observed<bool>,
    /// Capacity is kept free for restarts.
    pub admission_control: Observed<bool>,
    /// Host failures for which capacity is kept.
    pub failover_level: Observed<u32>,
    /// Workloads are balanced over hosts.
    pub drs_enabled: Observed<bool>,
    /// `fullyAutomated`, `partiallyAutomated`, `manual`.
    pub drs_behaviour: Observed<Text>,
    /// Hosts are powered off when idle.
    pub dpm_enabled: Observed<bool>,
    /// Hosts, as the cluster counts them.
    pub host_count: Observed<u32>,
    /// Processor capacity, in MHz.
    pub cpu_mhz: Observed<u64>,
    /// Processor cores.
    pub cpu_cores: Observed<u32>,
    /// Memory capacity.
    pub memory_bytes: Observed<u64>,
}

/// A hypervisor host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Its id.
    pub id: HostId,
    /// Where it lives.
    pub platform: PlatformId,
    /// Its name.
    pub name: Text,
    /// Datacenter, by name.
    pub datacenter: Observed<Text>,
    /// Cluster; absent = standalone.
    pub cluster: Observed<ClusterId>,
    /// Processor model as the host writes it.
    pub cpu_model: Observed<Text>,
    /// Clock, in MHz.
    pub cpu_mhz: Observed<u64>,
    /// Processor sockets.
    pub sockets: Observed<u32>,
    /// Cores in all sockets.
    pub cores: Observed<u32>,
    /// Memory.
    pub memory_bytes: Observed<u64>,
    /// Hypervisor product, `VMware ESXi`.
    pub hypervisor: Observed<Text>,
    /// Hypervisor version, `8.0.3`.
    pub version: Observed<Text>,
    /// Hypervisor build.
    pub build: Observed<Text>,
    /// Maker of the machine.
    pub vendor: Observed<Text>,
    /// Model of the machine.
    pub model: Observed<Text>,
    /// In maintenance mode.
    pub in_maintenance: Observed<bool>,
    /// In quarantine.
    pub in_quarantine: Observed<bool>,
    /// EVC mode now; absent = none.
    pub evc_mode: Observed<Text>,
    /// Highest EVC mode that it could run.
    pub evc_mode_max: Observed<Text>,
    /// Licences assigned: how many, never their keys.
    pub licence_count: Observed<u32>,
    /// When its certificate expires.
    pub certificate_expires: Observed<Moment>,
    /// Processor use, in hundredths of a percent: a sample.
    pub cpu_used_basis_points: Observed<u32>,
    /// Memory use, in hundredths of a percent: a sample.
    pub memory_used_basis_points: Observed<u32>,
    /// Booted at: a sample.
    pub booted: Observed<Moment>,
}

/// A datastore or storage container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Datastore {
    /// Its id.
    pub id: DatastoreId,
    /// Where it lives.
    pub platform: PlatformId,
    /// Its name.
    pub name: Text,
    /// `VMFS`, `NFS`, `vsan`, `VVOL` …
    pub kind: Observed<Text>,
    /// Version of its file system.
    pub version: Observed<Text>,
    /// Reachable.
    pub accessible: Observed<bool>,
    /// Size.
    pub capacity_bytes: Observed<u64>,
    /// Promised to workloads: a sample.
    pub provisioned_bytes: Observed<u64>,
    /// Free: a sample.
    pub free_bytes: Observed<u64>,
    /// Hosts that mount it, as the platform counts them.
    pub host_count: Observed<u32>,
    /// Datastore cluster; absent = none.
    pub datastore_cluster: Observed<Text>,
    /// Storage I/O control.
    pub io_control: Observed<bool>,
}

/// Kind of virtual switch.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum SwitchKind {
    /// Configured host by host.
    Standard,
    /// Configured once for many hosts.
    Distributed,
}

/// A virtual switch. A standard switch of the same name on many hosts is one entry with many hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Switch {
    /// Where it lives.
    pub platform: PlatformId,
    /// Its name.
    pub name: Text,
    /// Standard or distributed.
    pub kind: SwitchKind,
    /// Version; absent for a standard switch.
    pub version: Observed<Text>,
    /// Largest frame, in bytes.
    pub mtu_bytes: Observed<u32>,
    /// Names of the hosts that have it, sorted.
    pub hosts: Listing<Text>,
}

/// A network or port group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Network {
    /// Its id.
    pub id: NetworkId,
    /// Where it lives.
    pub platform: PlatformId,
    /// Its name.
    pub name: Text,
    /// Switch that carries it.
    pub switch: Observed<Text>,
    /// Kind of that switch.
    pub switch_kind: Observed<SwitchKind>,
    /// VLAN id, range or trunk, as the platform writes it; absent = untagged.
    pub vlan: Observed<Text>,
    /// Accepts frames for other addresses.
    pub promiscuous: Observed<bool>,
    /// Accepts changed hardware addresses.
    pub mac_changes: Observed<bool>,
    /// Accepts forged hardware addresses.
    pub forged_transmits: Observed<bool>,
    /// Carries an interface of the hypervisor itself (management, vMotion, storage).
    pub carries_hypervisor: Observed<bool>,
}

/// A resource pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResourcePool {
    /// Where it lives.
    pub platform: PlatformId,
    /// Its name.
    pub name: Text,
    /// Its path.
    pub path: Observed<Text>,
    /// Guaranteed processor, in MHz.
    pub cpu_reservation_mhz: Observed<u64>,
    /// Processor cap, in MHz; absent = unlimited.
    pub cpu_limit_mhz: Observed<u64>,
    /// Guaranteed memory.
    pub memory_reservation_bytes: Observed<u64>,
    /// Memory cap; absent = unlimited.
    pub memory_limit_bytes: Observed<u64>,
}

/// A licence. Its key is never kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Licence {
    /// Where it is installed.
    pub platform: PlatformId,
    /// Product and edition.
    pub name: Text,
    /// What is counted: `cpuPackage`, `core` …
    pub unit: Observed<Text>,
    /// Bought; absent = unlimited.
    pub total: Observed<u64>,
    /// Used.
    pub used: Observed<u64>,
    /// Ends; absent = never.
    pub expires: Observed<Moment>,
}
