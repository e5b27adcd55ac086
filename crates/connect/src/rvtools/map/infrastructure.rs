//! Rows of the tabs that tell of what workloads stand on.

use entente_model::{
    Cluster, ClusterId, Datastore, DatastoreId, GapCause, Host, HostId, Licence, Listing, Network,
    NetworkId, Observed, PlatformId, Product, ResourcePool, Switch, SwitchKind, Text, Why,
};

use super::super::wire::{Cells, Column, Header, Version, columns};
use super::Parts;
use super::vm::cluster_id;

columns! {
    /// vCluster.
    ClusterColumns {
        name: "Name", ha: "HA enabled", admission: "AdmissionControlEnabled",
        failover: "Failover Level", drs: "DRS enabled", behaviour: "DRS default VM behavior",
        dpm: "DPM enabled", hosts: "NumHosts", mhz: "TotalCpu", cores: "NumCpuCores",
        memory: "TotalMemory",
    }

    /// vHost.
    HostColumns {
        name: "Host", datacenter: "Datacenter", cluster: "Cluster", model: "CPU Model",
        speed: "Speed", sockets: "# CPU", cores_per_socket: "Cores per CPU", cores: "# Cores",
        memory: "# Memory", version: "ESX Version", vendor: "Vendor", machine: "Model",
        maintenance: "in Maintenance Mode", quarantine: "in Quarantine Mode", evc: "Current EVC",
        evc_max: "Max EVC", licences: "Assigned License(s)", expires: "Certificate Expiry Date",
        cpu_used: "CPU usage %", memory_used: "Memory usage %", booted: "Boot time",
    }

    /// vDatastore.
    DatastoreColumns {
        name: "Name", kind: "Type", version: "Version", accessible: "Accessible",
        capacity: "Capacity MiB", provisioned: "Provisioned MiB", free: "Free MiB",
        hosts: "# Hosts", cluster: "Cluster name", io_control: "SIOC enabled",
    }

    /// vSwitch.
    SwitchColumns { name: "Switch", host: "Host", mtu: "MTU" }

    /// dvSwitch.
    DistributedSwitchColumns {
        name: "Switch", version: "Version", mtu: "Max MTU", hosts: "Host members",
    }

    /// vPort and dvPort.
    PortGroupColumns {
        name: "Port Group", port: "Port", switch: "Switch", vlan: "VLAN",
        promiscuous: "Promiscuous Mode", allow_promiscuous: "Allow Promiscuous",
        mac_changes: "Mac Changes", forged: "Forged Transmits",
    }

    /// vSC_VMK.
    HypervisorPortColumns { name: "Port Group" }

    /// vRP.
    PoolColumns {
        name: "Resource Pool name", path: "Resource Pool path", cpu_reservation: "CPU reservation",
        cpu_limit: "CPU limit", memory_reservation: "Mem reservation", memory_limit: "Mem limit",
    }

    /// vLicense.
    LicenceColumns {
        name: "Name", key: "Key", unit: "Cost Unit", total: "Total", used: "Used",
        expires: "Expiration Date",
    }

    /// vSource.
    ProductColumns {
        name: "Name", product: "Product name", version: "Version",
        product_version: "Product version", build: "Build",
    }
}

/// The name that a row is about; a gap and nothing if it names none.
fn subject(cells: &mut Cells<'_, '_>, column: &Column, noun: &str) -> Option<Text> {
    let name = cells.name(column).value().cloned();
    if name.is_none() {
        cells.gap(GapCause::UnmappedRow, column, &format!("the row names no {noun}"));
    }
    name
}

/// A row of vCluster. Its datacenter stands on no row of the tab: other tabs tell it later.
pub(super) fn cluster(
    cells: &mut Cells<'_, '_>,
    platform: PlatformId,
    columns: &ClusterColumns,
    parts: &mut Parts,
) -> bool {
    let Some(name) = subject(cells, &columns.name, "cluster") else { return false };
    let native = Observed::Value(name.clone());
    let Observed::Value(id) = cells.id_on::<ClusterId>(&platform, &columns.name, native) else {
        return false;
    };
    parts.clusters.push(Cluster {
        id,
        platform,
        name,
        datacenter: Observed::Unobserved(Why::Blank),
        ha_enabled: cells.flag(&columns.ha),
        admission_control: cells.flag(&columns.admission),
        failover_level: cells.count(&columns.failover),
        drs_enabled: cells.flag(&columns.drs),
        drs_behaviour: cells.name(&columns.behaviour),
        dpm_enabled: cells.flag(&columns.dpm),
        host_count: cells.count(&columns.hosts),
        cpu_mhz: cells.whole(&columns.mhz),
        cpu_cores: cells.count(&columns.cores),
        memory_bytes: cells.mib(&columns.memory),
    });
    true
}

/// A row of vHost.
pub(super) fn host(
    cells: &mut Cells<'_, '_>,
    platform: PlatformId,
    columns: &HostColumns,
    parts: &mut Parts,
) -> bool {
    let Some(name) = subject(cells, &columns.name, "host") else { return false };
    let native = Observed::Value(name.clone());
    let Observed::Value(id) = cells.id_on::<HostId>(&platform, &columns.name, native) else {
        return false;
    };
    let datacenter = cells.name(&columns.datacenter);
    let cluster = cells.name_or_absent(&columns.cluster);
    let (hypervisor, version, build) = full_version(cells, &columns.version);
    let host = Host {
        id,
        name,
        cluster: cluster_id(cells, &columns.cluster, &platform, &datacenter, cluster),
        datacenter,
        cpu_model: cells.name(&columns.model),
        cpu_mhz: cells.whole(&columns.speed),
        sockets: cells.count(&columns.sockets),
        cores: cores(cells, columns),
        memory_bytes: cells.mib(&columns.memory),
        hypervisor,
        version,
        build,
        vendor: cells.name(&columns.vendor),
        model: cells.name(&columns.machine),
        in_maintenance: cells.flag(&columns.maintenance),
        in_quarantine: cells.flag(&columns.quarantine),
        evc_mode: cells.name_or_absent(&columns.evc),
        evc_mode_max: cells.name_or_absent(&columns.evc_max),
        licence_count: licence_count(cells, &columns.licences, parts),
        certificate_expires: super::vm::known(cells.moment(&columns.expires)),
        cpu_used_basis_points: cells.basis_points(&columns.cpu_used),
        memory_used_basis_points: cells.basis_points(&columns.memory_used),
        booted: super::vm::known(cells.moment(&columns.booted)),
        platform,
    };
    parts.hosts.push(host);
    true
}

fn cores(cells: &mut Cells<'_, '_>, columns: &HostColumns) -> Observed<u32> {
    let told = cells.count(&columns.cores);
    let product = match (cells.count(&columns.sockets), cells.count(&columns.cores_per_socket)) {
        (Observed::Value(sockets), Observed::Value(per_socket)) => {
            Observed::Value(sockets.saturating_mul(per_socket))
        }
        (Observed::Unobserved(why), _) | (_, Observed::Unobserved(why)) => {
            Observed::Unobserved(why)
        }
        _ => Observed::Absent,
    };
    told.or(product)
}

/// How many licences a host has. Their keys stand in the cell and are not kept.
fn licence_count(cells: &mut Cells<'_, '_>, column: &Column, parts: &mut Parts) -> Observed<u32> {
    cells.list(column).map(|keys| {
        parts.licence_keys += keys.len() as u64;
        u32::try_from(keys.len()).unwrap_or(u32::MAX)
    })
}

/// `VMware ESXi 8.0.3 build-24022510` as product, version and build.
fn full_version(
    cells: &mut Cells<'_, '_>,
    column: &Column,
) -> (Observed<Text>, Observed<Text>, Observed<Text>) {
    match cells.name(column) {
        Observed::Value(full) => {
            let (product, version, build) = split_full_version(&full);
            let fact = |part: Option<&str>| match part {
                Some(part) => Observed::Value(Text::new(part)),
                None => Observed::Unobserved(Why::Blank),
            };
            (fact(product), fact(version), fact(build))
        }
        Observed::Absent => (Observed::Absent, Observed::Absent, Observed::Absent),
        Observed::Unobserved(why) => {
            (Observed::Unobserved(why), Observed::Unobserved(why), Observed::Unobserved(why))
        }
    }
}

/// Product, version and build in a full version.
pub(super) fn split_full_version(full: &str) -> (Option<&str>, Option<&str>, Option<&str>) {
    let (named, build) = match full.split_once("build-") {
        Some((named, build)) => (named.trim(), Some(build.trim())),
        None => (full.trim(), None),
    };
    let (product, version) = match named.rsplit_once(' ') {
        Some((product, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
            (product, Some(version))
        }
        _ => (named, None),
    };
    let filled = |part: &&str| !part.is_empty();
    (Some(product).filter(filled), version.filter(filled), build.filter(filled))
}

/// A row of vDatastore.
pub(super) fn datastore(
    cells: &mut Cells<'_, '_>,
    platform: PlatformId,
    columns: &DatastoreColumns,
    parts: &mut Parts,
) -> bool {
    let Some(name) = subject(cells, &columns.name, "datastore") else { return false };
    let native = Observed::Value(name.clone());
    let Observed::Value(id) = cells.id_on::<DatastoreId>(&platform, &columns.name, native) else {
        return false;
    };
    parts.datastores.push(Datastore {
        id,
        platform,
        name,
        kind: cells.name(&columns.kind),
        version: cells.name(&columns.version),
        accessible: cells.flag(&columns.accessible),
        capacity_bytes: cells.mib(&columns.capacity),
        provisioned_bytes: cells.mib(&columns.provisioned),
        free_bytes: cells.mib(&columns.free),
        host_count: cells.count(&columns.hosts),
        datastore_cluster: cells.name_or_absent(&columns.cluster),
        io_control: cells.flag(&columns.io_control),
    });
    true
}

/// A row of vSwitch: one switch on one host.
pub(super) fn standard_switch(
    cells: &mut Cells<'_, '_>,
    platform: PlatformId,
    columns: &SwitchColumns,
    parts: &mut Parts,
) -> bool {
    let Some(name) = subject(cells, &columns.name, "switch") else { return false };
    let hosts = match cells.name(&columns.host) {
        Observed::Value(host) => Listing::complete(vec![host]),
        Observed::Absent => Listing::complete(Vec::new()),
        Observed::Unobserved(why) => Listing::unobserved(why),
    };
    parts.switches.push(Switch {
        platform,
        name,
        kind: SwitchKind::Standard,
        version: Observed::Absent,
        mtu_bytes: cells.count(&columns.mtu),
        hosts,
    });
    true
}

/// A row of dvSwitch.
pub(super) fn distributed_switch(
    cells: &mut Cells<'_, '_>,
    platform: PlatformId,
    columns: &DistributedSwitchColumns,
    parts: &mut Parts,
) -> bool {
    let Some(name) = subject(cells, &columns.name, "switch") else { return false };
    let hosts = match cells.list(&columns.hosts) {
        Observed::Value(mut hosts) => {
            hosts.sort();
            Listing::complete(hosts)
        }
        Observed::Absent => Listing::complete(Vec::new()),
        Observed::Unobserved(why) => Listing::unobserved(why),
    };
    parts.switches.push(Switch {
        platform,
        name,
        kind: SwitchKind::Distributed,
        version: cells.name(&columns.version),
        mtu_bytes: cells.count(&columns.mtu),
        hosts,
    });
    true
}

/// A row of vPort (a port group on one host) or dvPort (a distributed port group).
pub(super) fn port_group(
    cells: &mut Cells<'_, '_>,
    platform: PlatformId,
    kind: SwitchKind,
    columns: &PortGroupColumns,
    parts: &mut Parts,
) -> bool {
    let (name_column, promiscuous) = match kind {
        SwitchKind::Standard => (&columns.name, &columns.promiscuous),
        SwitchKind::Distributed => (&columns.port, &columns.allow_promiscuous),
    };
    let Some(name) = subject(cells, name_column, "port group") else { return false };
    let native = Observed::Value(name.clone());
    let Observed::Value(id) = cells.id_on::<NetworkId>(&platform, name_column, native) else {
        return false;
    };
    let vlan = match cells.name_or_absent(&columns.vlan) {
        Observed::Value(vlan) if vlan == "0" => Observed::Absent,
        other => other,
    };
    parts.networks.push(Network {
        id,
        platform,
        name,
        switch: cells.name(&columns.switch),
        switch_kind: Observed::Value(kind),
        vlan,
        promiscuous: cells.flag(promiscuous),
        mac_changes: cells.flag(&columns.mac_changes),
        forged_transmits: cells.flag(&columns.forged),
        // Told by vSC_VMK, later.
        carries_hypervisor: Observed::Unobserved(Why::Blank),
    });
    true
}

/// A row of vSC_VMK: an interface of the hypervisor on a port group.
pub(super) fn hypervisor_port(
    cells: &mut Cells<'_, '_>,
    platform: PlatformId,
    columns: &HypervisorPortColumns,
    parts: &mut Parts,
) -> bool {
    let Some(name) = subject(cells, &columns.name, "port group") else { return false };
    let native = Observed::Value(name);
    match cells.id_on::<NetworkId>(&platform, &columns.name, native) {
        Observed::Value(id) => {
            parts.hypervisor_networks.insert(id);
            true
        }
        _ => false,
    }
}

/// A row of vRP.
pub(super) fn resource_pool(
    cells: &mut Cells<'_, '_>,
    platform: PlatformId,
    columns: &PoolColumns,
    parts: &mut Parts,
) -> bool {
    let Some(name) = subject(cells, &columns.name, "resource pool") else { return false };
    parts.resource_pools.push(ResourcePool {
        platform,
        name,
        path: cells.name(&columns.path),
        cpu_reservation_mhz: cells.whole(&columns.cpu_reservation),
        cpu_limit_mhz: cells.limit(&columns.cpu_limit),
        memory_reservation_bytes: cells.mib(&columns.memory_reservation),
        memory_limit_bytes: cells.mib_limit(&columns.memory_limit),
    });
    true
}

/// A row of vLicense. The key is counted and not kept.
pub(super) fn licence(
    cells: &mut Cells<'_, '_>,
    platform: PlatformId,
    columns: &LicenceColumns,
    parts: &mut Parts,
) -> bool {
    let Some(name) = subject(cells, &columns.name, "licence") else { return false };
    if cells.text(&columns.key).is_observed() {
        parts.licence_keys += 1;
    }
    // "Never" and blank both say that it does not end.
    let never = matches!(
        cells.text_or_absent(&columns.expires),
        Observed::Value(text) if text.to_ascii_lowercase().contains("never")
    );
    parts.licences.push(Licence {
        platform,
        name,
        unit: cells.name(&columns.unit),
        total: match cells.limit(&columns.total) {
            // The evaluation licence and unlimited editions write 0.
            Observed::Value(0) => Observed::Absent,
            other => other,
        },
        used: cells.whole(&columns.used),
        expires: if never { Observed::Absent } else { cells.moment(&columns.expires) },
    });
    true
}

/// A row of vSource.
pub(super) fn product(
    cells: &mut Cells<'_, '_>,
    platform: PlatformId,
    columns: &ProductColumns,
    parts: &mut Parts,
) -> bool {
    let name = cells.name(&columns.name).or(cells.name(&columns.product));
    let Observed::Value(name) = name else {
        cells.gap(GapCause::UnmappedRow, &columns.name, "the row names no product");
        return false;
    };
    parts.products.push(Product {
        platform,
        name,
        version: cells.name(&columns.version).or(cells.name(&columns.product_version)),
        build: cells.name(&columns.build),
    });
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_versions() {
        for (full, expect) in [
            (
                "VMware ESXi 8.0.3 build-24022510",
                (Some("VMware ESXi"), Some("8.0.3"), Some("24022510")),
            ),
            (
                "VMware vCenter Server 8.0.3 build-24262322",
                (Some("VMware vCenter Server"), Some("8.0.3"), Some("24262322")),
            ),
            ("VMware ESXi", (Some("VMware ESXi"), None, None)),
            ("", (None, None, None)),
        ] {
            assert_eq!(split_full_version(full), expect, "{full}");
        }
    }
}
