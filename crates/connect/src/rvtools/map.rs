//! Rows → model: pure. What can't be mapped becomes a gap.
//!
//! [`row_mapper`] gives, for a tab with a home in the model, the function that turns one of its rows
//! into [`Parts`]; tabs are read side by side. [`join`] then puts the parts together: which row is
//! about which workload, and what that makes of the collection.

mod describe;
mod devices;
mod identity;
mod infrastructure;
mod join;
mod vm;

use std::collections::BTreeSet;

use entente_model::{
    Cluster, Datastore, Device, Disk, Finding, Host, Licence, Network, NetworkId, Nic, Partition,
    Product, ResourcePool, SourceId, Switch, SwitchKind, VmSnapshot, WorkloadId,
};

use super::wire::{Cells, Header, PlatformColumns, Version};
use devices::{CpuPart, MemoryPart, ToolsPart};
pub(super) use join::{Export, TabRead, join};
use vm::{About, InfoPart, VmFinder};

/// What rows told, before it is joined.
#[derive(Debug)]
pub(super) struct Parts {
    source: SourceId,
    placeholder_id: WorkloadId,
    workloads: Vec<About<InfoPart>>,
    cpus: Vec<About<CpuPart>>,
    memories: Vec<About<MemoryPart>>,
    disks: Vec<About<Disk>>,
    partitions: Vec<About<Partition>>,
    nics: Vec<About<Nic>>,
    cdroms: Vec<About<Device>>,
    usb: Vec<About<Device>>,
    snapshots: Vec<About<VmSnapshot>>,
    tools: Vec<About<ToolsPart>>,
    products: Vec<Product>,
    clusters: Vec<Cluster>,
    hosts: Vec<Host>,
    datastores: Vec<Datastore>,
    switches: Vec<Switch>,
    networks: Vec<Network>,
    hypervisor_networks: BTreeSet<NetworkId>,
    resource_pools: Vec<ResourcePool>,
    licences: Vec<Licence>,
    findings: Vec<Finding>,
    /// Licence keys that were there and not kept.
    licence_keys: u64,
}

impl Parts {
    /// Nothing yet, of this source.
    pub(super) fn of(source: &SourceId, placeholder_id: &WorkloadId) -> Self {
        Self {
            source: source.clone(),
            placeholder_id: placeholder_id.clone(),
            workloads: Vec::new(),
            cpus: Vec::new(),
            memories: Vec::new(),
            disks: Vec::new(),
            partitions: Vec::new(),
            nics: Vec::new(),
            cdroms: Vec::new(),
            usb: Vec::new(),
            snapshots: Vec::new(),
            tools: Vec::new(),
            products: Vec::new(),
            clusters: Vec::new(),
            hosts: Vec::new(),
            datastores: Vec::new(),
            switches: Vec::new(),
            networks: Vec::new(),
            hypervisor_networks: BTreeSet::new(),
            resource_pools: Vec::new(),
            licences: Vec::new(),
            findings: Vec::new(),
            licence_keys: 0,
        }
    }

    /// Adds what another tab told.
    pub(super) fn append(&mut self, mut other: Self) {
        self.workloads.append(&mut other.workloads);
        self.cpus.append(&mut other.cpus);
        self.memories.append(&mut other.memories);
        self.disks.append(&mut other.disks);
        self.partitions.append(&mut other.partitions);
        self.nics.append(&mut other.nics);
        self.cdroms.append(&mut other.cdroms);
        self.usb.append(&mut other.usb);
        self.snapshots.append(&mut other.snapshots);
        self.tools.append(&mut other.tools);
        self.products.append(&mut other.products);
        self.clusters.append(&mut other.clusters);
        self.hosts.append(&mut other.hosts);
        self.datastores.append(&mut other.datastores);
        self.switches.append(&mut other.switches);
        self.networks.append(&mut other.networks);
        self.hypervisor_networks.append(&mut other.hypervisor_networks);
        self.resource_pools.append(&mut other.resource_pools);
        self.licences.append(&mut other.licences);
        self.findings.append(&mut other.findings);
        self.licence_keys += other.licence_keys;
    }
}

/// Turns one row into parts; false if it could not be mapped.
pub(super) type RowMapper = Box<dyn Fn(&mut Cells<'_, '_>, &mut Parts) -> bool>;

/// The mapper of a tab's rows with the columns that it reads; nothing for a tab without a home in
/// the model.
pub(super) fn row_mapper(
    tab: &str,
    header: &Header,
    version: Option<Version>,
) -> Option<(RowMapper, &'static [&'static str])> {
    workload_tab(tab, header, version).or_else(|| infrastructure_tab(tab, header, version))
}

/// A mapper of rows that each tell one fact of one workload.
macro_rules! about {
    ($header:ident, $version:ident, $columns:ident, $parts:ident.$list:ident,
     |$cells:ident, $vm:ident, $bound:ident| $read:expr) => {{
        let finder = VmFinder::bind($header, $version);
        let bound = devices::$columns::bind($header, $version);
        let mapper: RowMapper = Box::new(move |$cells, $parts| {
            let Some($vm) = finder.find($cells) else { return false };
            let $bound = &bound;
            let fact = $read;
            $parts.$list.push(($vm, fact));
            true
        });
        Some((mapper, devices::$columns::NAMES))
    }};
}

fn workload_tab(
    tab: &str,
    header: &Header,
    version: Option<Version>,
) -> Option<(RowMapper, &'static [&'static str])> {
    match tab {
        "vInfo" => {
            let finder = VmFinder::bind(header, version);
            let columns = vm::InfoColumns::bind(header, version);
            let attributes = header.attributes();
            let mapper: RowMapper = Box::new(move |cells, parts| {
                let Some(vm) = finder.find(cells) else { return false };
                vm::info(cells, vm, &columns, &attributes, parts);
                true
            });
            Some((mapper, vm::InfoColumns::NAMES))
        }
        "vCPU" => about!(header, version, CpuColumns, parts.cpus, |cells, vm, columns| {
            devices::cpu(cells, columns)
        }),
        "vMemory" => {
            about!(header, version, MemoryColumns, parts.memories, |cells, vm, columns| {
                devices::memory(cells, columns)
            })
        }
        "vDisk" => about!(header, version, DiskColumns, parts.disks, |cells, vm, columns| {
            devices::disk(cells, columns, &vm.platform)
        }),
        "vPartition" => {
            about!(header, version, PartitionColumns, parts.partitions, |cells, vm, columns| {
                devices::partition(cells, columns)
            })
        }
        "vNetwork" => about!(header, version, NicColumns, parts.nics, |cells, vm, columns| {
            devices::nic(cells, columns, &vm.platform)
        }),
        "vCD" => about!(header, version, DeviceColumns, parts.cdroms, |cells, vm, columns| {
            devices::device(cells, columns)
        }),
        "vUSB" => about!(header, version, DeviceColumns, parts.usb, |cells, vm, columns| {
            devices::device(cells, columns)
        }),
        "vSnapshot" => {
            about!(header, version, SnapshotColumns, parts.snapshots, |cells, vm, columns| {
                devices::snapshot(cells, &vm, columns, parts)
            })
        }
        "vTools" => about!(header, version, ToolsColumns, parts.tools, |cells, vm, columns| {
            devices::tools(cells, columns)
        }),
        _ => None,
    }
}

/// A mapper of rows that each tell of one object of a platform.
macro_rules! object {
    ($header:ident, $version:ident, $columns:ident, |$cells:ident, $platform:ident, $bound:ident, $parts:ident| $read:expr) => {{
        let platform = PlatformColumns::bind($header, $version);
        let bound = infrastructure::$columns::bind($header, $version);
        let mapper: RowMapper = Box::new(move |$cells, $parts| {
            let $platform = $cells.platform(&platform);
            let $bound = &bound;
            $read
        });
        Some((mapper, infrastructure::$columns::NAMES))
    }};
}

fn infrastructure_tab(
    tab: &str,
    header: &Header,
    version: Option<Version>,
) -> Option<(RowMapper, &'static [&'static str])> {
    use infrastructure as rows;
    match tab {
        "vCluster" => {
            object!(header, version, ClusterColumns, |cells, platform, columns, parts| {
                rows::cluster(cells, platform, columns, parts)
            })
        }
        "vHost" => object!(header, version, HostColumns, |cells, platform, columns, parts| {
            rows::host(cells, platform, columns, parts)
        }),
        "vDatastore" => {
            object!(header, version, DatastoreColumns, |cells, platform, columns, parts| {
                rows::datastore(cells, platform, columns, parts)
            })
        }
        "vSwitch" => object!(header, version, SwitchColumns, |cells, platform, columns, parts| {
            rows::standard_switch(cells, platform, columns, parts)
        }),
        "dvSwitch" => {
            object!(header, version, DistributedSwitchColumns, |cells, platform, columns, parts| {
                rows::distributed_switch(cells, platform, columns, parts)
            })
        }
        "vPort" => object!(header, version, PortGroupColumns, |cells, platform, columns, parts| {
            rows::port_group(cells, platform, SwitchKind::Standard, columns, parts)
        }),
        "dvPort" => {
            object!(header, version, PortGroupColumns, |cells, platform, columns, parts| {
                rows::port_group(cells, platform, SwitchKind::Distributed, columns, parts)
            })
        }
        "vSC_VMK" => {
            object!(header, version, HypervisorPortColumns, |cells, platform, columns, parts| {
                rows::hypervisor_port(cells, platform, columns, parts)
            })
        }
        "vRP" => object!(header, version, PoolColumns, |cells, platform, columns, parts| {
            rows::resource_pool(cells, platform, columns, parts)
        }),
        "vLicense" => {
            object!(header, version, LicenceColumns, |cells, platform, columns, parts| {
                rows::licence(cells, platform, columns, parts)
            })
        }
        "vSource" => object!(header, version, ProductColumns, |cells, platform, columns, parts| {
            rows::product(cells, platform, columns, parts)
        }),
        _ => None,
    }
}
