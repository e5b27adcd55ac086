//! Storage pools → datastores, and their volumes.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{
    Datastore, DatastoreId, GapCause, Observed, PlatformId, Text, Volume, Why, WorkloadId,
};

use super::bytes;
use super::gaps::Told;
use super::uses::Uses;
use crate::libvirt::wire::procedures::{BlockInfo, VolumeName};
use crate::libvirt::wire::reading::{PoolReading, Read, Surroundings, parsed};
use crate::libvirt::wire::xml::Element;
use crate::live::{Found, Gaps};

const SECTION: &str = "datastores";
const VOLUMES: &str = "volumes";

/// Kinds of pools whose volumes are devices of the host.
const OF_DEVICES: [&str; 6] = ["logical", "zfs", "disk", "scsi", "iscsi", "mpath"];
/// Those of them that have a folder of their own for them.
const WITH_OWN_FOLDER: [&str; 2] = ["logical", "zfs"];
/// Kinds of pools whose volumes are known by a name on a storage network: disks write it behind the
/// protocol.
const BY_NAME: [&str; 2] = ["rbd", "sheepdog"];

/// Pools and volumes, with what finds them.
#[derive(Default)]
pub struct Storage {
    /// Sorted by id.
    pub datastores: Vec<Datastore>,
    /// Sorted.
    pub volumes: Vec<Volume>,
    pools: BTreeMap<String, Pool>,
    /// Volumes that were read, by path.
    known: BTreeMap<Text, Known>,
    /// Pool and name of a volume → its path.
    paths: BTreeMap<(String, String), String>,
    /// Why there may be more pools.
    why: Option<Why>,
    /// Why what lies below some volume is not known.
    below_unknown: Option<Why>,
}

/// What is known of a volume.
struct Known {
    pool: String,
    size: Option<BlockInfo>,
    below: Option<Below>,
}

/// What an image is made on top of.
struct Below {
    path: Text,
    /// Nothing can lie below that.
    is_raw: bool,
}

struct Pool {
    id: DatastoreId,
    kind: Option<Text>,
    folder: Option<Text>,
    /// Name of what it holds on a storage network.
    remote: Option<String>,
    /// Machines of the storage network.
    hosts: BTreeSet<String>,
}

/// A path without what means nothing in it, so that the same is written the same.
pub fn plain(path: &str) -> Text {
    if !path.starts_with('/') {
        return Text::from(path);
    }
    let parts = path.split('/').filter(|it| !matches!(*it, "" | "."));
    parts.fold(String::new(), |whole, part| whole + "/" + part).into()
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
                gaps.failed(SECTION, "list of storage pools", failure, None);
            }
        }
        if around.left_out.pools > 0 {
            storage.why.get_or_insert(Why::CallFailed);
        }
        if around.left_out.volumes > 0 {
            storage.below_unknown.get_or_insert(Why::CallFailed);
        }
        gaps.left_out(SECTION, "storage pools", around.left_out.pools);
        gaps.left_out(VOLUMES, "volumes", around.left_out.volumes);
        storage.datastores.sort_by(|one, other| one.id.cmp(&other.id));
        storage.volumes.sort();
        storage
    }

    fn add(&mut self, platform: &PlatformId, reading: &PoolReading, gaps: &mut Gaps) {
        let name = reading.pool.named.name.as_str();
        let Ok(id) = DatastoreId::on(platform, name) else {
            let message = "its name makes no id";
            self.why.get_or_insert(Why::Unreadable);
            return gaps.add(Found::of(GapCause::UnmappedRow, SECTION, message).value(name));
        };
        let xml = &reading.pool.xml;
        let xml = parsed(xml);
        if let Err(failure) = &xml {
            gaps.failed(SECTION, "XML", failure, Some(name));
            // One that is gone by now is none.
            if failure.is_gone() {
                return;
            }
            self.why = Some(failure.why());
        }
        if let Err(failure) = &reading.pool.active {
            gaps.failed(SECTION, "whether it is started", failure, Some(name));
        }
        let element = xml.as_ref().ok();
        let why = xml.as_ref().err().map_or(Why::Blank, |it| it.why());
        let stopped = reading.pool.active == Ok(false);
        // Sizes of a pool that is not started are zeros, not sizes.
        let is_empty = |it: &Element| quantity(it, "capacity").unwrap_or_default() == 0;
        let is_unsized = stopped || reading.pool.active.is_err() && element.is_some_and(is_empty);
        let size = |path: &str| match element.and_then(|it| quantity(it, path)) {
            Some(size) if !is_unsized => Observed::Value(size),
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
        let target = element.and_then(|it| it.attribute_at("source/device", "path"));
        let hosts = element.and_then(|it| it.at("source")).into_iter().flat_map(hosts).collect();
        let pool = Pool {
            id: id.clone(),
            kind: kind.map(Text::from),
            folder: path("target/path").map(|it| plain(&it)),
            remote: path("source/name").or_else(|| target.map(str::to_owned)),
            hosts,
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
                return gaps.add(Found::of(GapCause::Unreachable, VOLUMES, message).value(pool));
            }
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
        let xml = parsed(xml);
        let xml = match xml {
            Ok(xml) => xml,
            Err(failure) => {
                gaps.failed(VOLUMES, "XML", &failure, Some(&name.name));
                if failure.is_gone() {
                    return;
                }
                let why = failure.why();
                self.below_unknown.get_or_insert(why);
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
        let path = self.written(name, xml.text_at("target/path").unwrap_or(&name.key));
        let capacity = quantity(&xml, "capacity");
        let allocated = quantity(&xml, "allocation");
        let size = capacity.zip(allocated);
        let known = Known {
            pool: name.pool.clone(),
            size: size.map(|(capacity_bytes, allocation_bytes)| BlockInfo {
                capacity_bytes,
                allocation_bytes,
            }),
            below: xml.text_at("backingStore/path").map(|below| Below {
                path: plain(below),
                is_raw: xml.attribute_at("backingStore/format", "type") == Some("raw"),
            }),
        };
        self.known.entry(path.clone()).or_insert(known);
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

    /// A volume's path as disks write it.
    fn written(&self, name: &VolumeName, path: &str) -> Text {
        let kind = self.pools.get(&name.pool).and_then(|it| it.kind.as_deref());
        match kind.filter(|it| BY_NAME.contains(it)) {
            Some(kind) => Text::from(format!("{kind}:{path}")),
            None => plain(path),
        }
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

    /// In the pool of this name: what kind it is, or that there is none such.
    pub fn pool(&self, name: &str, volume: &str) -> Option<Located> {
        let path = self.path_of(name, volume);
        let size = path.and_then(|it| self.known.get(it.as_str())?.size);
        self.pools.get(name).map(|it| it.located(size))
    }

    /// Why a pool that a disk names is not known.
    pub fn unknown(&self) -> Why {
        self.why.unwrap_or(Why::Blank)
    }

    /// Where a path lies: the pool that has it as a volume, else the one with the longest folder
    /// above it.
    pub fn find(&self, path: &str) -> Located {
        let path = plain(path);
        if let Some((known, pool)) =
            self.known.get(&path).and_then(|it| Some((it, self.pools.get(&it.pool)?)))
        {
            return pool.located(known.size);
        }
        // One that was not read may have a longer folder, and where `..` leads nobody tells.
        if let Some(why) = self.why {
            return Located::unobserved(why);
        }
        if path.split('/').any(|it| it == "..") {
            return Located::unobserved(Why::SourceLimit);
        }
        let above = self.pools.values().filter(|it| it.is_above(&path));
        match above.max_by_key(|it| it.folder.as_ref().map_or(0, Text::len)) {
            Some(pool) => pool.located(None),
            // A device has many names.
            None if is_device(&path) && self.pools.values().any(Pool::is_of_devices) => {
                Located::unobserved(Why::SourceLimit)
            }
            None => self.nowhere(),
        }
    }

    /// Where an image on a storage network lies, `rbd` and `pool/image`, as its source tells.
    pub fn network(&self, protocol: &str, name: &str, source: &Element) -> Located {
        let container = name.split('/').next().unwrap_or_default();
        let same = self.pools.values().filter(|it| {
            let kind = it.kind.as_deref().unwrap_or_default();
            kind.strip_suffix("-direct").unwrap_or(kind) == protocol
                && it.remote.as_deref() == Some(container)
        });
        let same: Vec<_> = same.collect();
        let serving: Vec<_> = same.iter().filter(|it| it.serves(source)).collect();
        match (same.is_empty(), serving.as_slice()) {
            (true, _) => self.nowhere(),
            (false, [pool]) => {
                let known = self.known.get(format!("{protocol}:{name}").as_str());
                pool.located(known.and_then(|it| it.size))
            }
            // Of the same name, on machines that are named differently: the same, or not.
            (false, _) => Located::unobserved(Why::SourceLimit),
        }
    }

    /// Says of each volume whose it is.
    pub fn assign(&mut self, uses: &Uses, gaps: &mut Gaps) {
        let Chains { users, strangers, is_open } = self.chains(uses);
        let mut unread = uses.why.or(self.why).or(self.below_unknown);
        if is_open {
            unread.get_or_insert(Why::SourceLimit);
        }
        let mut volumes = std::mem::take(&mut self.volumes);
        for volume in &mut volumes {
            let mut of = users.get(&volume.path).into_iter().flatten();
            volume.workload = match (of.next(), of.next()) {
                (Some(one), None) => Observed::Value(one.clone()),
                (Some(_), Some(_)) => {
                    let message = "several workloads use it; there is place for one owner";
                    let found = Found::of(GapCause::NotModelled, VOLUMES, message);
                    gaps.add(found.field("workload").value(&volume.path));
                    Observed::Unobserved(Why::Conflict)
                }
                (None, _) => match (volume.workload.why(), unread) {
                    (Some(why), _) | (None, Some(why)) => Observed::Unobserved(why),
                    (None, None) if strangers.may_be(&volume.path) => {
                        Observed::Unobserved(Why::SourceLimit)
                    }
                    (None, None) => Observed::Absent,
                },
            };
            if volume.workload == Observed::Unobserved(Why::SourceLimit) {
                let message = "whether a workload uses it is not known: images are in use that no \
                               pool lists, under other names or with others below them";
                let found = Found::of(GapCause::Ambiguous, VOLUMES, message);
                gaps.add(found.field("workload").value(&volume.path));
            }
        }
        self.volumes = volumes;
    }

    /// What lies below an image belongs to whoever uses the image.
    fn chains(&self, uses: &Uses) -> Chains {
        let mut chains = Chains::default();
        for (path, image) in &uses.images {
            let (mut at, mut is_told) = (path, image.is_told);
            // A chain that runs in a circle ends where it begins.
            let mut seen = BTreeSet::new();
            while seen.insert(at) {
                chains.users.entry(at.clone()).or_default().extend(image.by.iter().cloned());
                match self.known.get(at) {
                    Some(Known { below: Some(below), .. }) => {
                        (at, is_told) = (&below.path, below.is_raw);
                    }
                    Some(Known { below: None, .. }) => break,
                    None => {
                        chains.is_open |= !is_told;
                        chains.strangers.add(at);
                        break;
                    }
                }
            }
        }
        chains
    }
}

/// Who uses what, with all that lies below.
#[derive(Default)]
struct Chains {
    users: BTreeMap<Text, BTreeSet<WorkloadId>>,
    strangers: Strangers,
    /// Something in use may have more below it than anybody tells.
    is_open: bool,
}

/// Images in use that no pool lists: a volume under another name is one of them.
#[derive(Default)]
struct Strangers {
    devices: bool,
    by_network: bool,
    names: BTreeSet<Text>,
}

impl Strangers {
    fn add(&mut self, path: &str) {
        if is_device(path) {
            self.devices = true;
        } else if path.starts_with('/') {
            self.names.insert(last(path));
        } else {
            self.by_network = true;
        }
    }

    /// Devices have many names; a file keeps its own below a folder that has several; on a storage
    /// network anything may be written in several ways.
    fn may_be(&self, volume: &str) -> bool {
        if is_device(volume) {
            self.devices || self.by_network
        } else if volume.starts_with('/') {
            self.names.contains(&last(volume))
        } else {
            self.by_network
        }
    }
}

fn last(path: &str) -> Text {
    path.rsplit('/').next().unwrap_or_default().into()
}

fn is_device(path: &str) -> bool {
    path.starts_with("/dev/")
}

impl Pool {
    /// Whole names of folders above a path, in a folder that is this pool's own.
    fn is_above(&self, path: &str) -> bool {
        let Some(folder) = &self.folder else { return false };
        let kind = self.kind.as_deref().unwrap_or_default();
        (!self.is_of_devices() || WITH_OWN_FOLDER.contains(&kind))
            && path.strip_prefix(folder.as_str()).is_some_and(|it| it.starts_with('/'))
    }

    fn is_of_devices(&self) -> bool {
        self.kind.as_deref().is_some_and(|it| OF_DEVICES.contains(&it))
    }

    /// True unless its machines and those that a source names differ, by their names at least.
    fn serves(&self, source: &Element) -> bool {
        let named: BTreeSet<String> = hosts(source).collect();
        named.is_empty() || self.hosts.is_empty() || !named.is_disjoint(&self.hosts)
    }

    fn located(&self, size: Option<BlockInfo>) -> Located {
        Located { datastore: Observed::Value(self.id.clone()), kind: self.kind.clone(), size }
    }
}

/// Machines of a storage network.
fn hosts(source: &Element) -> impl Iterator<Item = String> {
    let names = source.all("host").filter_map(|it| it.attribute("name"));
    names.map(str::to_ascii_lowercase)
}

fn quantity(element: &Element, path: &str) -> Option<u64> {
    let element = element.at(path)?;
    bytes(&element.text, element.attribute("unit"), "bytes")
}
