//! What datastores and clusters of them say of themselves.

use entente_model::Datastore;

use super::facts::{Facts, encoded_name};
use super::xml::Writer;

/// Where hosts mount a datastore.
pub(super) fn mount_path(name: &str) -> String {
    let mut random = crate::random::Random::of(name);
    let (high, low) = (random.next(), random.next());
    format!(
        "/vmfs/volumes/{:08x}-{:08x}-{:04x}-{:012x}",
        high >> 32,
        high & 0xffff_ffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

fn url(name: &str) -> String {
    format!("ds://{}/", mount_path(name))
}

/// The XML of a datastore.
pub(super) fn datastore(facts: &Facts<'_>, at: usize) -> String {
    let (Some(source), Some(place)) =
        (facts.collection.datastores.get(at), facts.layout.datastores.get(at))
    else {
        return String::new();
    };
    let mut w = Writer::new();
    facts.entity(&mut w, &place.reference, &source.name, Some(&place.parent), &[]);
    let free = source.free_bytes.copied().unwrap_or(0);
    info(&mut w, source, &facts.now);
    let accessible = source.accessible.copied().unwrap_or(true);
    let kind = source.kind.value().map_or("VMFS", |it| it.as_str());
    w.node("summary", |w| {
        w.reference("datastore", "Datastore", &place.reference.id);
        w.text("name", &encoded_name(&source.name));
        w.text("url", &url(&source.name));
        let capacity = source.capacity_bytes.copied().unwrap_or(0);
        w.leaf("capacity", capacity);
        w.leaf("freeSpace", free);
        // Promised is what is used and what may still be.
        let promised = source.provisioned_bytes.copied();
        w.leaf_if(
            "uncommitted",
            promised.map(|it| it.saturating_sub(capacity - free.min(capacity))),
        );
        w.leaf("accessible", accessible);
        w.leaf("multipleHostAccess", place.hosts.len() > 1);
        w.text("type", kind);
        w.text("maintenanceMode", "normal");
    });
    for host in &place.hosts {
        let Some(host) = facts.layout.hosts.get(*host) else { continue };
        w.node("host", |w| {
            w.reference("key", "HostSystem", &host.reference.id);
            w.node("mountInfo", |w| {
                w.text("path", &mount_path(&source.name));
                w.text("accessMode", "readWrite");
                w.flags(&[("mounted", true), ("accessible", accessible)]);
            });
        });
    }
    if place.hosts.is_empty() {
        w.empty("host");
    }
    let machines = place.machines.iter().filter_map(|it| facts.layout.machines.get(*it));
    w.references("vm", machines.map(|it| it.reference.pair()));
    w.node("capability", |w| {
        w.flags(&[
            ("directoryHierarchySupported", true),
            ("rawDiskMappingsSupported", kind == "VMFS"),
            ("perFileThinProvisioningSupported", true),
            ("storageIORMSupported", kind != "vsan"),
            ("nativeSnapshotSupported", false),
        ]);
    });
    w.node("iormConfiguration", |w| {
        w.leaf("enabled", source.io_control.copied().unwrap_or(false));
        w.text("congestionThresholdMode", "automatic");
        w.leaf("congestionThreshold", 30);
        w.leaf("percentOfPeakThroughput", 90);
        w.flags(&[("statsCollectionEnabled", false), ("reservationEnabled", true)]);
    });
    w.finish()
}

fn info(w: &mut Writer, source: &Datastore, now: &str) {
    let kind = source.kind.value().map_or("VMFS", |it| it.as_str());
    let class = match kind {
        "VMFS" => "VmfsDatastoreInfo",
        "NFS" | "NFS41" => "NasDatastoreInfo",
        "vsan" => "VsanDatastoreInfo",
        _ => "DatastoreInfo",
    };
    let capacity = source.capacity_bytes.copied().unwrap_or(0);
    let version = source.version.value().map_or("", |it| it.as_str());
    w.node_as("info", class, |w| {
        w.text("name", &encoded_name(&source.name));
        w.text("url", &url(&source.name));
        w.leaf("freeSpace", source.free_bytes.copied().unwrap_or(0));
        w.leaf("maxFileSize", 70_368_744_177_664_u64);
        w.leaf("maxVirtualDiskCapacity", 68_169_720_922_112_u64);
        w.leaf("maxMemoryFileSize", i64::MAX);
        w.text("timestamp", now);
        if class == "VmfsDatastoreInfo" {
            w.leaf("maxPhysicalRDMFileSize", 70_368_744_177_664_u64);
            w.leaf("maxVirtualRDMFileSize", 68_169_720_922_112_u64);
        }
        match class {
            "VmfsDatastoreInfo" => w.node("vmfs", |w| {
                w.words(&[("type", "VMFS"), ("name", &encoded_name(&source.name))]);
                w.leaf("capacity", capacity);
                w.leaf("blockSizeMb", 1);
                w.leaf("maxBlocks", 63_963_136);
                let major = version.split('.').next().and_then(|it| it.parse::<u32>().ok());
                w.leaf("majorVersion", major.unwrap_or(6));
                w.text("version", version);
                let path = mount_path(&source.name);
                w.text("uuid", path.rsplit('/').next().unwrap_or_default());
                w.node("extent", |w| {
                    let id = crate::random::hash(&source.name);
                    w.text("diskName", &format!("naa.60060160{id:016x}00000000"));
                    w.leaf("partition", 1);
                });
                w.leaf("vmfsUpgradable", false);
                w.flags(&[("ssd", false), ("local", source.host_count.copied() == Some(1))]);
            }),
            "NasDatastoreInfo" => w.node("nas", |w| {
                w.words(&[("type", kind), ("name", &encoded_name(&source.name))]);
                w.leaf("capacity", capacity);
                w.text("remoteHost", "nas.infra.example.com");
                w.text("remotePath", &format!("/export/{}", source.name));
            }),
            _ => {}
        }
    });
}

/// What a cluster of datastores says beyond what a folder says.
pub(super) fn pod(facts: &Facts<'_>, w: &mut Writer, folder: &super::layout::Folder) {
    let is_in = |it: &&(usize, &super::layout::Datastore)| it.1.parent == folder.reference;
    let places: Vec<_> = facts.layout.datastores.iter().enumerate().collect();
    let members =
        places.iter().filter(is_in).filter_map(|it| facts.collection.datastores.get(it.0));
    let (mut capacity, mut free) = (0, 0);
    for member in members {
        capacity += member.capacity_bytes.copied().unwrap_or(0);
        free += member.free_bytes.copied().unwrap_or(0);
    }
    w.node("summary", |w| {
        w.text("name", &encoded_name(&folder.name));
        w.leaf("capacity", capacity);
        w.leaf("freeSpace", free);
    });
    w.node("podStorageDrsEntry", |w| {
        w.node("storageDrsConfig", |w| {
            w.node("podConfig", |w| {
                w.leaf("enabled", true);
                w.leaf("ioLoadBalanceEnabled", true);
                w.text("defaultVmBehavior", "manual");
                w.leaf("defaultIntraVmAffinity", true);
            });
        });
    });
}
