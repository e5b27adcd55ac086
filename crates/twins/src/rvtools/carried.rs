//! What an export of a version can tell of a collection.
//!
//! Each rule here follows from a column of `tabs` that the version lacks. Sizes must already be whole
//! MiB, percentages whole, moments whole seconds: that is how exports round, and how estates are made.

use std::collections::HashMap;

use entente_model::{
    ClusterId, Collection, Completeness, ControlPlane, Datastore, DatastoreId, Disk, Governance,
    Host, HostId, IdentityBasis, InvalidId, Listing, Moment, NetworkId, Observed, PlatformId, Text,
    Why, Workload, WorkloadId, WorkloadKind,
};

use super::cell::local;
use super::spec::Version;

/// What an export of `version` can tell of `collection`: facts that it has no column for are
/// [`Why::NotInVersion`] where a later version has one and [`Why::SourceLimit`] where none does, and
/// ids are made of what the export holds.
///
/// The source, gaps and findings stay as they are: they are the reader's to make.
pub fn carried_by(collection: &Collection, version: Version) -> Collection {
    let mut carried = collection.clone();
    carried.control = ControlPlane::default();
    let ids = Ids::new(collection, version);
    for platform in &mut carried.platforms {
        platform.id = ids.platform.clone();
        forget(&mut platform.address, version < Version::V3_11);
    }
    for product in &mut carried.products {
        product.platform = ids.platform.clone();
    }
    for cluster in &mut carried.clusters {
        cluster.platform = ids.platform.clone();
        ids.cluster(&mut cluster.id);
    }
    for host in &mut carried.hosts {
        carry_host(host, &ids, version);
    }
    for datastore in &mut carried.datastores {
        carry_datastore(datastore, &ids, version);
    }
    for switch in &mut carried.switches {
        switch.platform = ids.platform.clone();
    }
    for network in &mut carried.networks {
        network.platform = ids.platform.clone();
        ids.network(&mut network.id);
    }
    for pool in &mut carried.resource_pools {
        pool.platform = ids.platform.clone();
    }
    // vLicense came with 3.9.
    carried.licences.retain_mut(|licence| {
        licence.platform = ids.platform.clone();
        to_local(&mut licence.expires);
        version >= Version::V3_11
    });
    for workload in &mut carried.workloads {
        carry_workload(workload, &ids, version);
    }
    carried.clusters.sort_by(|a, b| a.id.cmp(&b.id));
    carried.hosts.sort_by(|a, b| a.id.cmp(&b.id));
    carried.datastores.sort_by(|a, b| a.id.cmp(&b.id));
    carried.networks.sort_by(|a, b| a.id.cmp(&b.id));
    carried
}

/// A fact that a later version tells.
fn forget<T>(fact: &mut Observed<T>, is_missing: bool) {
    if is_missing {
        *fact = Observed::Unobserved(Why::NotInVersion);
    }
}

/// A fact that no version tells.
fn never<T>(fact: &mut Observed<T>) {
    *fact = Observed::Unobserved(Why::SourceLimit);
}

/// RVTools writes no zones.
fn to_local(fact: &mut Observed<Moment>) {
    if let Observed::Value(moment) = fact {
        *moment = Moment::Local(local(*moment));
    }
}

/// Ids as they follow from what the export holds.
struct Ids {
    platform: PlatformId,
    platform_is_told: bool,
    clusters: HashMap<ClusterId, ClusterId>,
    hosts: HashMap<HostId, HostId>,
    datastores: HashMap<DatastoreId, DatastoreId>,
    networks: HashMap<NetworkId, NetworkId>,
}

impl Ids {
    fn new(collection: &Collection, version: Version) -> Self {
        let (platform, platform_is_told) = platform(collection, version);
        let clusters = collection.clusters.iter().map(|it| {
            let native = match &it.datacenter {
                Observed::Value(datacenter) => format!("{datacenter}/{}", it.name),
                _ => it.name.to_string(),
            };
            (it.id.clone(), made(ClusterId::on(&platform, &native), &it.id))
        });
        let hosts = collection.hosts.iter();
        let datastores = collection.datastores.iter();
        let networks = collection.networks.iter();
        Self {
            clusters: clusters.collect(),
            hosts: hosts
                .map(|it| (it.id.clone(), made(HostId::on(&platform, &it.name), &it.id)))
                .collect(),
            datastores: datastores
                .map(|it| (it.id.clone(), made(DatastoreId::on(&platform, &it.name), &it.id)))
                .collect(),
            networks: networks
                .map(|it| (it.id.clone(), made(NetworkId::on(&platform, &it.name), &it.id)))
                .collect(),
            platform,
            platform_is_told,
        }
    }

    fn cluster(&self, id: &mut ClusterId) {
        replace(id, &self.clusters);
    }

    fn host(&self, id: &mut HostId) {
        replace(id, &self.hosts);
    }

    fn datastore(&self, id: &mut DatastoreId) {
        replace(id, &self.datastores);
    }

    fn network(&self, id: &mut NetworkId) {
        replace(id, &self.networks);
    }
}

fn replace<T: std::hash::Hash + Eq + Clone>(id: &mut T, by: &HashMap<T, T>) {
    if let Some(new) = by.get(id) {
        *id = new.clone();
    }
}

/// The platform's UUID, else its server, else the name of the file; whether it is one of the former.
fn platform(collection: &Collection, version: Version) -> (PlatformId, bool) {
    let platform = collection.platforms.first();
    let told = |fact: Option<&Observed<Text>>| {
        fact.and_then(Observed::value).and_then(|it| it.to_lowercase().parse().ok())
    };
    let uuid: Option<PlatformId> = told(platform.map(|it| &it.uuid));
    let server = || told(platform.map(|it| &it.address).filter(|_| version >= Version::V3_11));
    if let Some(id) = uuid.or_else(server) {
        return (id, true);
    }
    let file = std::path::Path::new(collection.source.location.as_str());
    let stem = file.file_stem().and_then(|it| it.to_str()).unwrap_or("export");
    let fallback = || match platform {
        Some(platform) => platform.id.clone(),
        None => crate::estate::well_formed("export".parse()),
    };
    (stem.parse().unwrap_or_else(|_| fallback()), false)
}

/// The id made anew, or the old one where the name is none.
fn made<T: Clone>(new: Result<T, InvalidId>, old: &T) -> T {
    new.unwrap_or_else(|_| old.clone())
}

fn carry_host(host: &mut Host, ids: &Ids, version: Version) {
    host.platform = ids.platform.clone();
    ids.host(&mut host.id);
    if let Observed::Value(cluster) = &mut host.cluster {
        ids.cluster(cluster);
    }
    forget(&mut host.certificate_expires, version < Version::V4_6);
    to_local(&mut host.certificate_expires);
    to_local(&mut host.booted);
}

fn carry_datastore(datastore: &mut Datastore, ids: &Ids, version: Version) {
    datastore.platform = ids.platform.clone();
    ids.datastore(&mut datastore.id);
    forget(&mut datastore.datastore_cluster, version < Version::V3_11);
}

fn carry_workload(workload: &mut Workload, ids: &Ids, version: Version) {
    workload.platform = ids.platform.clone();
    if workload.kind == WorkloadKind::RecoveryPlaceholder && version < Version::V4_1 {
        workload.kind = WorkloadKind::Machine;
    }
    // Up to 4.2 `VM UUID` is the SMBIOS UUID; in 4.3 it is the instance's and the other has no column.
    forget(&mut workload.instance_uuid, version < Version::V4_3);
    forget(&mut workload.bios_uuid, version == Version::V4_3);
    forget(&mut workload.created, version < Version::V3_11);
    to_local(&mut workload.created);
    to_local(&mut workload.samples.powered_on_since);
    forget(&mut workload.samples.cpu_ready_basis_points, version < Version::V4_6);
    forget(&mut workload.firmware.secure_boot, version < Version::V4_4);
    forget(&mut workload.guest.primary_address, version < Version::V3_11);
    let availability = &mut workload.availability;
    forget(&mut availability.latency_sensitivity, version < Version::V3_11);
    forget(&mut availability.change_tracking, version < Version::V3_11);
    forget(&mut availability.disk_uuid_enabled, version < Version::V3_11);
    forget(&mut availability.evc_mode_min, version < Version::V4_0);
    never(&mut workload.cpu.affinity);
    never(&mut workload.cpu.numa_affinity);
    if let Observed::Value(cluster) = &mut workload.placement.cluster {
        ids.cluster(cluster);
    }
    if let Observed::Value(host) = &mut workload.placement.host {
        ids.host(host);
    }
    carry_parts(workload, ids, version);
    carry_attributes(workload, version);
    workload.governance = Governance::default();
    identify(workload, ids);
}

fn carry_parts(workload: &mut Workload, ids: &Ids, version: Version) {
    for disk in &mut workload.disks.items {
        carry_disk(disk, ids, version);
    }
    for partition in &mut workload.guest.partitions.items {
        forget(&mut partition.disk_key, version < Version::V4_1);
    }
    for nic in &mut workload.nics.items {
        never(&mut nic.address_is_static);
        if let Observed::Value(network) = &mut nic.network {
            ids.network(network);
        }
        // One column for all addresses; that it held those of IP version 6 is not documented.
        if version < Version::V4_1 {
            nic.addresses.completeness = Completeness::Incomplete(Why::NotInVersion);
        }
    }
    for snapshot in &mut workload.snapshots.items {
        to_local(&mut snapshot.created);
    }
    let devices = &mut workload.devices;
    if version < Version::V4_1 {
        devices.usb = Listing::unobserved(Why::NotInVersion);
    }
    devices.pci_passthrough = Listing::unobserved(Why::SourceLimit);
    devices.vgpus = Listing::unobserved(Why::SourceLimit);
    devices.serial_ports = Listing::unobserved(Why::SourceLimit);
    never(&mut devices.tpm);
    never(&mut devices.encrypted);
}

/// The datastore is known by the bracketed name with which the path begins.
fn carry_disk(disk: &mut Disk, ids: &Ids, version: Version) {
    forget(&mut disk.key, version < Version::V4_1);
    forget(&mut disk.uuid, version < Version::V4_4);
    forget(&mut disk.sharing, version < Version::V4_4);
    never(&mut disk.change_tracking);
    disk.datastore = match &disk.path {
        Observed::Value(path) => {
            let name = path.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            match name.map(|(name, _)| DatastoreId::on(&ids.platform, name.trim())) {
                Some(Ok(id)) => Observed::Value(id),
                _ => Observed::Unobserved(Why::Unreadable),
            }
        }
        Observed::Absent => Observed::Absent,
        Observed::Unobserved(why) => Observed::Unobserved(*why),
    };
}

/// Columns of custom attributes and of tag categories look the same, and tags are there only for
/// some ways to log in: that the list is whole is never told.
fn carry_attributes(workload: &mut Workload, version: Version) {
    let tag = Observed::Value(entente_model::AttributeKind::Tag);
    workload.attributes.items.retain(|it| it.kind != tag || version >= Version::V4_0);
    for attribute in &mut workload.attributes.items {
        never(&mut attribute.kind);
    }
    workload.attributes.completeness = Completeness::Incomplete(Why::SourceLimit);
}

/// VM ID, else instance UUID, else folder and name.
fn identify(workload: &mut Workload, ids: &Ids) {
    let (native, basis) = match (&workload.native_id, &workload.instance_uuid) {
        (Observed::Value(id), _) if ids.platform_is_told => {
            (id.to_string(), IdentityBasis::PlatformAndNativeId)
        }
        (Observed::Value(id), _) => (id.to_string(), IdentityBasis::NativeId),
        (_, Observed::Value(uuid)) => (uuid.to_string(), IdentityBasis::InstanceUuid),
        _ => {
            let name = &workload.name;
            let native = match &workload.placement.folder {
                Observed::Value(folder) => format!("{}/{name}", folder.trim_matches('/')),
                _ => name.to_string(),
            };
            (native, IdentityBasis::Name)
        }
    };
    workload.identity = basis;
    workload.id = made(WorkloadId::on(&ids.platform, &native), &workload.id);
}

#[cfg(test)]
mod tests;
