//! Storage pools → datastores, and their volumes.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{
    Datastore, DatastoreId, GapCause, Observed, PlatformId, Text, Volume, Why, Workload, WorkloadId,
};

use super::bytes;
use super::gaps::Gaps;
use crate::libvirt::wire::procedures::{BlockInfo, VolumeName};
use crate::libvirt::wire::reading::{PoolReading, Read, Surroundings};
use crate::libvirt::wire::xml::Element;

const SECTION: &str = "datastores";
const VOLUMES: &str = "volumes";

/// Pools and volumes, with what finds them.
#[derive(Default)]
pub struct Storage {
    /// Sorted by id.
    pub datastores: Vec<Datastore>,
    /// Sorted.
    pub volumes: Vec<Volume>,
    pools: BTreeMap<String, Pool>,
    /// Sizes by path.
    sizes: BTreeMap<Text, BlockInfo>,
    /// Pool and name of a volume → its path.
    paths: BTreeMap<(String, String), String>,
    /// What images are made on top of.
    below: BTreeMap<Text, Text>,
    /// Why there may be more.
    why: Option<Why>,
}

struct Pool {
    id: DatastoreId,
    kind: Option<Text>,
    folder: Option<String>,
    /// Name of what it holds on a storage network.
    remote: Option<String>,
}

/// Where a disk lies.
#[derive(Clone)]
pub struct Located {
    /// The datastore; absent = in none of the pools.
    pub datastore: Observed<DatastoreId>,
    /// Kind of the pool.
    pub kind: Option<Text>,
    /// Size, as the pool tells it.
    pub size: Option<BlockInfo>,
}

impl Located {
    /// Nobody knows.
    pub fn unobserved(why: Why) -> Self {
        Self { datastore: Observed::Unobserved(why), kind: None, size: None }
    }
}

impl Storage {
    /// Maps pools and volumes.
    pub fn read(platform: &PlatformId, around: &Surroundings, gaps: &mut Gaps) -> Self {
        let mut storage = Self::default();
        match &around.pools {
            Ok(pools) => {
                for pool in pools {
                    storage.add(platform, pool, gaps);
                }
            }
            Err(failure) => {
                storage.why = Some(failure.why());
                if !failure.is_unsupported() {
                    gaps.failed(SECTION, "list of storage pools", failure, None);
                }
            }
        }
        if around.volumes_left_out > 0 {
            let message = "more volumes than the limit on objects";
            let cause = GapCause::LimitReached;
            gaps.count(VOLUMES, cause, None, message, None, around.volumes_left_out);
        }
        storage.datastores.sort_by(|one, other| one.id.cmp(&other.id));
        storage.volumes.sort();
        storage
    }

    fn add(&mut self, platform: &PlatformId, reading: &PoolReading, gaps: &mut Gaps) {
        let name = reading.pool.named.name.as_str();
        let Ok(id) = DatastoreId::on(platform, name) else {
            let message = "its name makes no id";
            return gaps.add(SECTION, GapCause::UnmappedRow, None, message, Some(name));
        };
        let xml = &reading.pool.xml;
        let xml = xml.as_ref().map_err(Clone::clone).and_then(|it| Element::parse(it));
        if let Err(failure) = &xml {
            gaps.failed(SECTION, "XML", failure, Some(name));
            self.why = Some(failure.why());
        }
        let element = xml.as_ref().ok();
        let why = xml.as_ref().err().map_or(Why::Blank, |it| it.why());
        let stopped = reading.pool.active == Ok(false);
        // Sizes of a pool that is not started are zeros, not sizes.
        let size = |path: &str| match element.and_then(|it| quantity(it, path)) {
            Some(size) if !stopped => Observed::Value(size),
            _ => Observed::Unobserved(why),
        };
        let text = |text: Option<&str>| match text {
            Some(text) => Observed::Value(Text::from(text)),
            None => Observed::Unobserved(why),
        };
        let kind = element.and_then(|it| it.attribute("type"));
        self.datastores.push(Datastore {
            id: id.clone(),
            platform: platform.clone(),
            name: Text::from(name),
            kind: text(kind),
            version: Observed::Absent,
            accessible: match &reading.pool.active {
                Ok(active) => Observed::Value(*active),
                Err(failure) => Observed::Unobserved(failure.why()),
            },
            capacity_bytes: size("capacity"),
            provisioned_bytes: Observed::Unobserved(Why::SourceLimit),
            free_bytes: size("available"),
            host_count: Observed::Value(1),
            datastore_cluster: Observed::Absent,
            io_control: Observed::Absent,
        });
        let path = |at: &str| element.and_then(|it| it.text_at(at)).map(str::to_owned);
        let pool = Pool {
            id: id.clone(),
            kind: kind.map(Text::from),
            folder: path("target/path"),
            remote: path("source/name"),
        };
        self.pools.insert(name.to_owned(), pool);
        self.add_volumes(name, &id, reading, gaps);
    }

    fn add_volumes(
        &mut self,
        pool: &str,
        id: &DatastoreId,
        reading: &PoolReading,
        gaps: &mut Gaps,
    ) {
        let volumes = match &reading.volumes {
            None => {
                let message = "a pool that is not started does not tell its volumes";
                return gaps.add(VOLUMES, GapCause::Unreachable, None, message, Some(pool));
            }
            Some(Err(failure)) if failure.is_unsupported() => return,
            Some(Err(failure)) => {
                return gaps.failed(VOLUMES, "list of volumes", failure, Some(pool));
            }
            Some(Ok(volumes)) => volumes,
        };
        for (name, xml) in volumes {
            self.add_volume(id, name, xml, gaps);
        }
    }

    fn add_volume(
        &mut self,
        id: &DatastoreId,
        name: &VolumeName,
        xml: &Read<String>,
        gaps: &mut Gaps,
    ) {
        let xml = xml.as_ref().map_err(Clone::clone).and_then(|it| Element::parse(it));
        let xml = match xml {
            Ok(xml) => xml,
            Err(failure) => {
                gaps.failed(VOLUMES, "XML", &failure, Some(&name.name));
                let why = failure.why();
                self.volumes.push(Volume {
                    datastore: id.clone(),
                    path: Text::from(name.key.as_str()),
                    format: Observed::Unobserved(why),
                    capacity_bytes: Observed::Unobserved(why),
                    allocated_bytes: Observed::Unobserved(why),
                    content: Observed::Unobserved(why),
                    workload: Observed::Unobserved(why),
                });
                return;
            }
        };
        let path = Text::from(xml.text_at("target/path").unwrap_or(&name.key));
        let capacity = quantity(&xml, "capacity");
        let allocated = quantity(&xml, "allocation");
        if let Some((capacity_bytes, allocation_bytes)) = capacity.zip(allocated) {
            self.sizes.insert(path.clone(), BlockInfo { capacity_bytes, allocation_bytes });
        }
        if let Some(below) = xml.text_at("backingStore/path") {
            self.below.insert(path.clone(), Text::from(below));
        }
        self.paths.insert((name.pool.clone(), name.name.clone()), path.to_string());
        let blank = Observed::Unobserved(Why::Blank);
        let or_blank = |size: Option<u64>| size.map_or(blank.clone(), Observed::Value);
        let format = xml.attribute_at("target/format", "type");
        let disc = format == Some("iso") || name.name.to_ascii_lowercase().ends_with(".iso");
        self.volumes.push(Volume {
            datastore: id.clone(),
            format: format.map_or(Observed::Absent, |it| Observed::Value(Text::from(it))),
            capacity_bytes: or_blank(capacity),
            allocated_bytes: or_blank(allocated),
            content: match disc {
                true => Observed::Value("iso".into()),
                false => Observed::Unobserved(Why::SourceLimit),
            },
            workload: Observed::Absent,
            path,
        });
    }

    /// The path of a volume.
    pub fn path_of(&self, pool: &str, volume: &str) -> Option<String> {
        self.paths.get(&(pool.to_owned(), volume.to_owned())).cloned()
    }

    /// In none of the pools.
    pub fn nowhere(&self) -> Located {
        match self.why {
            Some(why) => Located::unobserved(why),
            None => Located { datastore: Observed::Absent, kind: None, size: None },
        }
    }

    /// In a pool of this name.
    pub fn pool(&self, name: &str) -> Located {
        match self.pools.get(name) {
            Some(pool) => pool.located(None),
            None => Located::unobserved(self.why.unwrap_or(Why::Blank)),
        }
    }

    /// Where a path lies: the pool with the longest folder above it.
    pub fn find(&self, path: &str) -> Located {
        let size = self.sizes.get(path).copied();
        let above = self.pools.values().filter(|it| it.is_above(path));
        match above.max_by_key(|it| it.folder.as_ref().map_or(0, String::len)) {
            Some(pool) => pool.located(size),
            None => Located { size, ..self.nowhere() },
        }
    }

    /// Where an image on a storage network lies, `rbd` and `pool/image`.
    pub fn network(&self, protocol: &str, name: &str) -> Located {
        let container = name.split('/').next().unwrap_or_default();
        let mut pools = self.pools.values();
        let pool = pools.find(|it| {
            it.kind.as_deref() == Some(protocol) && it.remote.as_deref() == Some(container)
        });
        pool.map_or_else(|| self.nowhere(), |it| it.located(None))
    }

    /// Says of each volume whose it is.
    pub fn assign(&mut self, workloads: &[Workload]) {
        let all_known = workloads.iter().all(|it| it.disks.is_complete());
        let mut users: BTreeMap<Text, BTreeSet<WorkloadId>> = BTreeMap::new();
        for workload in workloads {
            for path in workload.disks.iter().filter_map(|it| it.path.value()) {
                let mut path = path;
                // What lies below an image belongs to whoever uses the image; a chain that runs in
                // a circle ends where it begins.
                while users.entry(path.clone()).or_default().insert(workload.id.clone()) {
                    match self.below.get(path) {
                        Some(below) => path = below,
                        None => break,
                    }
                }
            }
        }
        for volume in self.volumes.iter_mut().filter(|it| it.workload == Observed::Absent) {
            let mut of = users.get(&volume.path).into_iter().flatten();
            volume.workload = match (of.next(), of.next()) {
                (Some(one), None) => Observed::Value(one.clone()),
                (Some(_), Some(_)) => Observed::Unobserved(Why::Conflict),
                (None, _) if all_known => Observed::Absent,
                (None, _) => Observed::Unobserved(Why::CallFailed),
            };
        }
    }
}

impl Pool {
    fn is_above(&self, path: &str) -> bool {
        let Some(folder) = &self.folder else { return false };
        // Pools of devices all have `/dev/...` folders that many devices share: their volumes are
        // found there as well, by the folder.
        path.strip_prefix(folder.trim_end_matches('/')).is_some_and(|it| it.starts_with('/'))
    }

    fn located(&self, size: Option<BlockInfo>) -> Located {
        Located { datastore: Observed::Value(self.id.clone()), kind: self.kind.clone(), size }
    }
}

fn quantity(element: &Element, path: &str) -> Option<u64> {
    let element = element.at(path)?;
    bytes(&element.text, element.attribute("unit"), "bytes")
}
