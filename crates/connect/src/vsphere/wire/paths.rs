//! The properties that are read, in one table: explicit paths, so that nothing large that nobody
//! needs comes over the wire. All of them are in the API since 6.7.

use entente_model::Text;

use super::soap::Paths;

/// Kinds that a standalone host does not know.
const ONLY_VCENTER: [&str; 4] =
    ["StoragePod", "DistributedVirtualPortgroup", "DistributedVirtualSwitch", "OpaqueNetwork"];

const FOLDER: [&str; 3] = ["name", "parent", "childType"];

const NETWORK: [&str; 3] = ["name", "parent", "host"];

const HOST: [&str; 15] = [
    "name",
    "parent",
    "config.product",
    "config.network.vswitch",
    "config.network.portgroup",
    "config.network.vnic",
    "configManager.certificateManager",
    "runtime.connectionState",
    "runtime.inMaintenanceMode",
    "runtime.inQuarantineMode",
    "runtime.bootTime",
    "summary.hardware",
    "summary.quickStats",
    "summary.currentEVCModeKey",
    "summary.maxEVCModeKey",
];

const VAPP: [&str; 5] =
    ["name", "parent", "parentFolder", "config.cpuAllocation", "config.memoryAllocation"];

const POOL: [&str; 4] = ["name", "parent", "config.cpuAllocation", "config.memoryAllocation"];

/// Everything about a workload.
const WORKLOAD: [&str; 49] = [
    "name",
    "parent",
    "parentVApp",
    "resourcePool",
    "config.uuid",
    "config.instanceUuid",
    "config.template",
    "config.createDate",
    "config.version",
    "config.firmware",
    "config.bootOptions",
    "config.guestFullName",
    "config.annotation",
    "config.hardware",
    "config.cpuHotAddEnabled",
    "config.cpuHotRemoveEnabled",
    "config.memoryHotAddEnabled",
    "config.memoryReservationLockedToMax",
    "config.cpuAllocation",
    "config.memoryAllocation",
    "config.cpuAffinity",
    "config.memoryAffinity",
    "config.latencySensitivity",
    "config.changeTrackingEnabled",
    "config.flags",
    "config.extraConfig",
    "config.keyId",
    "config.managedBy",
    "runtime.host",
    "runtime.powerState",
    "runtime.connectionState",
    "runtime.bootTime",
    "runtime.faultToleranceState",
    "runtime.minRequiredEVCModeKey",
    "runtime.dasVmProtection",
    "runtime.consolidationNeeded",
    "guest.guestFullName",
    "guest.hostName",
    "guest.ipAddress",
    "guest.net",
    "guest.disk",
    "guest.guestState",
    "guest.toolsRunningStatus",
    "guest.toolsVersionStatus2",
    "guest.toolsVersion",
    "snapshot",
    "customValue",
    "summary.quickStats",
    "summary.storage",
];

/// What is watched for changes: narrow, so that statistics do not make every workload "changed".
const WATCHED: [&str; 9] = [
    "name",
    "parent",
    "resourcePool",
    "config.changeVersion",
    "runtime.powerState",
    "runtime.host",
    "runtime.connectionState",
    "snapshot",
    "guest.ipAddress",
];

/// Everything but workloads: read first, since workloads refer to it.
pub(in crate::vsphere) fn infrastructure(is_vcenter: bool) -> Vec<Paths> {
    let switch: &[&str] =
        &["name", "parent", "uuid", "config", "summary.productInfo", "summary.hostMember"];
    let kinds: [(&str, &'static str, &[&str]); 14] = [
        ("Folder", "folders", &FOLDER),
        ("StoragePod", "folders", &FOLDER),
        ("Datacenter", "folders", &["name", "parent"]),
        // Stands between a standalone host and its folder.
        ("ComputeResource", "hosts", &["name", "parent", "summary"]),
        ("ClusterComputeResource", "clusters", &["name", "parent", "summary", "configurationEx"]),
        ("HostSystem", "hosts", &HOST),
        ("ResourcePool", "resource_pools", &POOL),
        ("VirtualApp", "resource_pools", &VAPP),
        (
            "Datastore",
            "datastores",
            &["name", "parent", "summary", "info", "host", "iormConfiguration"],
        ),
        ("Network", "networks", &NETWORK),
        ("OpaqueNetwork", "networks", &["name", "parent", "host", "summary"]),
        ("DistributedVirtualPortgroup", "networks", &["name", "parent", "key", "config"]),
        ("DistributedVirtualSwitch", "switches", switch),
        ("VmwareDistributedVirtualSwitch", "switches", switch),
    ];
    let known = |kind: &str| {
        let base = kind.strip_prefix("Vmware").unwrap_or(kind);
        is_vcenter || !ONLY_VCENTER.contains(&base)
    };
    let paths = |(kind, section, paths)| {
        let mut paths = Paths::of(kind, section, paths);
        if kind == "HostSystem" && !is_vcenter {
            paths.paths.push(Text::new_static(MANAGED_BY));
        }
        paths
    };
    kinds.into_iter().filter(|(kind, ..)| known(kind)).map(paths).collect()
}

/// Which vCenter manages a host; asked for where a host is read by itself.
pub(in crate::vsphere) const MANAGED_BY: &str = "summary.managementServerIp";

/// Workloads with everything about them.
pub(in crate::vsphere) fn workloads() -> Vec<Paths> {
    vec![Paths::of("VirtualMachine", "workloads", &WORKLOAD)]
}

/// What is watched of workloads.
pub(in crate::vsphere) fn watched() -> [Paths; 1] {
    [Paths::of("VirtualMachine", "workloads", &WATCHED)]
}
