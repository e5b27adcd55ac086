//! Who uses which image: only where all of that was read may a volume be said to belong to nobody.
//!
//! Images are those of drives of every kind, as a domain runs, as it starts next and as its VM
//! snapshots hold it; what lies below them as far as the XML tells; images of firmware and kernels.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{Text, Why, WorkloadId};

use super::storage::{Storage, plain};
use crate::libvirt::wire::xml::Element;

/// Elements that have an image as their `source`.
const HOLDERS: [&str; 5] = ["disk", "mirror", "backingStore", "dataStore", "filesystem"];
/// Elements whose text is the path of an image.
const PATHS: [&str; 5] = ["loader", "nvram", "kernel", "initrd", "dtb"];

/// Images in use.
#[derive(Default)]
pub struct Uses {
    /// By path.
    pub images: BTreeMap<Text, Use>,
    /// Why there may be more.
    pub why: Option<Why>,
}

/// An image in use.
#[derive(Default)]
pub struct Use {
    /// By whom.
    pub by: BTreeSet<WorkloadId>,
    /// What lies below it is told, too, or nothing can.
    pub is_told: bool,
}

impl Uses {
    /// Something that may use images was not read.
    pub fn unread(&mut self, why: Why) {
        self.why.get_or_insert(why);
    }

    /// Finds images in a document of a workload.
    pub fn read(&mut self, storage: &Storage, document: &Element, workload: &WorkloadId) {
        let name = document.name.as_str();
        if HOLDERS.contains(&name) {
            self.holder(storage, document, workload);
        } else if PATHS.contains(&name) && document.text.starts_with('/') {
            self.add(&document.text, true, workload);
        } else if let ("memory", Some(file)) = (name, document.attribute("file")) {
            self.add(file, true, workload);
        }
        for child in document.children.iter().filter(|it| it.name != "metadata") {
            self.read(storage, child, workload);
        }
    }

    fn holder(&mut self, storage: &Storage, holder: &Element, workload: &WorkloadId) {
        let kind = holder.attribute("type").unwrap_or("file");
        // A drive without a medium; the end of what lies below.
        let Some(source) = holder.at("source") else { return };
        match image(storage, kind, source) {
            Ok(Some(path)) => {
                let format = holder
                    .attribute_at("driver", "format")
                    .or_else(|| holder.attribute_at("driver", "type"))
                    .or_else(|| holder.attribute_at("format", "type"));
                let is_folder = matches!(kind, "mount" | "dir" | "bind");
                let is_told = is_folder || format == Some("raw") || holder.has("backingStore");
                self.add(&path, is_told, workload);
            }
            Ok(None) => {}
            Err(Unknown) => self.unread(Why::Unreadable),
        }
    }

    fn add(&mut self, path: &str, is_told: bool, workload: &WorkloadId) {
        let image = self.images.entry(plain(path)).or_default();
        image.is_told |= is_told;
        image.by.insert(workload.clone());
    }
}

/// A kind of source that is not known.
pub struct Unknown;

/// Path of the image that a source of this kind names, as volumes have it; nothing where it names none,
/// or none that could be a volume.
pub fn image(storage: &Storage, kind: &str, source: &Element) -> Result<Option<String>, Unknown> {
    let attribute = |name| source.attribute(name);
    Ok(match kind {
        "file" => attribute("file").map(str::to_owned),
        "block" => attribute("dev").map(str::to_owned),
        "dir" | "mount" | "bind" => attribute("dir").map(str::to_owned),
        "volume" => attribute("pool").zip(attribute("volume")).map(|(pool, volume)| {
            storage.path_of(pool, volume).unwrap_or_else(|| format!("{pool}/{volume}"))
        }),
        "network" => {
            let protocol = attribute("protocol").unwrap_or("network");
            Some(format!("{protocol}:{}", attribute("name").unwrap_or_default()))
        }
        "nvme" | "vhostuser" | "vhostvdpa" | "template" | "ram" => None,
        _ => return Err(Unknown),
    })
}
