//! Storages, once where they are shared and once per node where they are not, and what they hold.

use std::collections::BTreeMap;

use entente_model::{Collection, Datastore, DatastoreId, GapCause, Observed, Text, Volume, Why};

use super::{Context, Nodes};
use crate::live::Found;
use crate::proxmox::collect::Answers;
use crate::proxmox::wire::{Record, items};

/// Types that every node sees alike, whatever their flag says.
const SHARED_TYPES: [&str; 9] =
    ["cephfs", "cifs", "esxi", "glusterfs", "iscsi", "iscsidirect", "nfs", "pbs", "rbd"];
/// Types whose volumes take space only as they are written.
const THIN_TYPES: [&str; 2] = ["lvmthin", "rbd"];
/// Volumes of all storages that are kept.
const VOLUMES_MAX: usize = 200_000;

/// What is known of a storage by its name.
#[derive(Clone, Debug, Default)]
struct Storage {
    kind: Option<Text>,
    is_shared: bool,
    is_sparse: bool,
}

/// Storages by name.
#[derive(Clone, Debug, Default)]
pub(in crate::proxmox) struct Storages {
    by_name: BTreeMap<Text, Storage>,
    /// Why the cluster's list is not known, if it is not.
    why: Option<Why>,
}

impl Storages {
    /// From the cluster's list and those of the nodes.
    pub(in crate::proxmox) fn of(context: &Context<'_>, answers: &Answers, nodes: &Nodes) -> Self {
        let mut storages = Self::default();
        let cluster = answers.list("/storage", &[]);
        storages.why = cluster.is_none().then(|| answers.why("/storage", &[]));
        for record in Record::each(cluster.unwrap_or_default(), "datastores", context.gaps) {
            storages.learn(&record);
        }
        for node in &nodes.online {
            let list = answers.list("/nodes/{}/storage", &[node]).unwrap_or_default();
            for record in Record::each(list, "datastores", context.gaps) {
                storages.learn(&record);
            }
        }
        storages
    }

    fn learn(&mut self, record: &Record<'_>) {
        let Some(name) = record.text("storage").value().cloned() else { return };
        let storage = self.by_name.entry(name).or_default();
        if let Observed::Value(kind) = record.text("type") {
            storage.is_shared |= SHARED_TYPES.contains(&kind.as_str());
            storage.kind = Some(kind);
        }
        storage.is_shared |= record.flag("shared") == Observed::Value(true);
        storage.is_sparse |= record.flag("sparse") == Observed::Value(true);
    }

    /// Id of the datastore that a node calls `storage`.
    pub(in crate::proxmox) fn id(
        &self,
        context: &Context<'_>,
        storage: &str,
        node: &str,
    ) -> Observed<DatastoreId> {
        let native = match self.by_name.get(storage) {
            Some(it) if it.is_shared => Text::from(storage),
            Some(_) => format!("{storage}@{node}").into(),
            None => {
                if self.why.is_none() {
                    let message = "a disk lies on a storage that is not listed";
                    let found = Found::of(GapCause::DanglingReference, "datastores", message);
                    context.gaps.add(found.value(storage));
                }
                return Observed::Unobserved(self.why.unwrap_or(Why::NoPermission));
            }
        };
        Observed::or_why(context.datastore(&native), Why::Unreadable)
    }

    /// Whether a volume takes space only as it is written.
    pub(in crate::proxmox) fn is_thin(&self, storage: &str, volume: &str) -> Observed<bool> {
        let by_name = self.by_name.get(storage);
        let kind = by_name.and_then(|it| it.kind.as_deref());
        match kind {
            Some(kind) if THIN_TYPES.contains(&kind) => Observed::Value(true),
            Some("lvm" | "iscsi" | "iscsidirect") => Observed::Value(false),
            // Only the cluster's list tells whether a pool is sparse.
            Some("zfspool") => match (by_name.is_some_and(|it| it.is_sparse), self.why) {
                (false, Some(why)) => Observed::Unobserved(why),
                (is_sparse, _) => Observed::Value(is_sparse),
            },
            Some(_) if volume.ends_with(".qcow2") => Observed::Value(true),
            _ => Observed::Unobserved(Why::SourceLimit),
        }
    }

    fn is_shared(&self, name: &str) -> bool {
        self.by_name.get(name).is_some_and(|it| it.is_shared)
    }

    /// Where the content of each storage is to be asked for: (node, storage), shared ones once.
    pub(in crate::proxmox) fn places(
        &self,
        context: &Context<'_>,
        answers: &Answers,
        nodes: &Nodes,
    ) -> Vec<(Text, Text)> {
        let mut places: BTreeMap<(Text, Text), Text> = BTreeMap::new();
        for node in &nodes.online {
            let list = answers.list("/nodes/{}/storage", &[node]).unwrap_or_default();
            for record in Record::each(list, "datastores", context.gaps) {
                let Some(storage) = record.text("storage").value().cloned() else { continue };
                let is_active = record.flag_or("active", true) == Observed::Value(true);
                if is_active {
                    let owner =
                        if self.is_shared(&storage) { Text::default() } else { node.clone() };
                    places.entry((storage, owner)).or_insert_with(|| node.clone());
                } else {
                    let message =
                        "a storage is not active on a node: what it holds there is not known";
                    let found = Found::of(GapCause::Unreachable, "volumes", message);
                    context.gaps.add(found.value(&format!("{storage} on {node}")));
                }
            }
        }
        places.into_iter().map(|((storage, _), node)| (node, storage)).collect()
    }
}

/// What one datastore is, gathered from every node that has it.
#[derive(Default)]
struct Seen {
    storage: Text,
    nodes: u32,
    active: Option<bool>,
    total: Option<u64>,
    free: Option<u64>,
    enabled: Option<bool>,
}

/// Maps storages.
pub(in crate::proxmox) fn datastores(
    context: &Context<'_>,
    answers: &Answers,
    storages: &Storages,
    nodes: &Nodes,
    collection: &mut Collection,
) {
    let mut seen: BTreeMap<DatastoreId, Seen> = BTreeMap::new();
    let is_whole = nodes.offline.is_empty()
        && nodes.online.iter().all(|it| answers.list("/nodes/{}/storage", &[it]).is_some());
    for node in &nodes.online {
        let list = answers.list("/nodes/{}/storage", &[node]).unwrap_or_default();
        for record in Record::each(list, "datastores", context.gaps) {
            let Some(storage) = record.required("storage") else {
                context.tally("datastores", record.cells(), false);
                continue;
            };
            let Observed::Value(id) = storages.id(context, &storage, node) else { continue };
            context.tally("datastores", record.cells(), true);
            let entry = seen.entry(id).or_insert_with(|| Seen { storage, ..Seen::default() });
            entry.nodes += 1;
            let active = record.flag("active").copied();
            entry.enabled = entry.enabled.or(record.flag("enabled").copied());
            if active == Some(true) {
                entry.total = entry.total.or(record.number("total").copied());
                entry.free = entry.free.or(record.number("avail").copied());
            }
            entry.active = match (entry.active, active) {
                (Some(before), Some(now)) => Some(before || now),
                (before, now) => before.or(now),
            };
        }
    }
    // Storages of the cluster that no node showed: theirs are offline, or they are for none of them.
    let shared = storages.by_name.iter().filter(|(_, it)| it.is_shared);
    for (name, id) in shared.filter_map(|(name, _)| Some((name, context.datastore(name)?))) {
        seen.entry(id).or_insert_with(|| Seen { storage: name.clone(), ..Seen::default() });
    }
    for (id, it) in seen {
        let kind = storages.by_name.get(&it.storage).and_then(|it| it.kind.clone());
        // What one node alone has, that one told.
        let is_known = is_whole || !storages.is_shared(&it.storage);
        collection.datastores.push(Datastore {
            id,
            platform: context.platform.clone(),
            name: it.storage,
            kind: Observed::or_why(kind, Why::Blank),
            version: Observed::Unobserved(Why::SourceLimit),
            accessible: match it.active.map(|active| active && it.enabled != Some(false)) {
                // A node that was not asked may reach what others do not.
                Some(false) if !is_known => Observed::Unobserved(Why::CallFailed),
                told => Observed::or_why(told, Why::CallFailed),
            },
            capacity_bytes: Observed::or_why(it.total, Why::CallFailed),
            provisioned_bytes: Observed::Unobserved(Why::SourceLimit),
            free_bytes: Observed::or_why(it.free, Why::CallFailed),
            host_count: if it.nodes > 0 && is_known {
                it.nodes.into()
            } else {
                Observed::Unobserved(Why::CallFailed)
            },
            datastore_cluster: Observed::Absent,
            io_control: Observed::Unobserved(Why::SourceLimit),
        });
    }
}

/// Maps what storages hold.
pub(in crate::proxmox) fn volumes(
    context: &Context<'_>,
    answers: &Answers,
    storages: &Storages,
    places: &[(Text, Text)],
    collection: &mut Collection,
) {
    for (node, storage) in places {
        let call = "/nodes/{}/storage/{}/content";
        let Some(list) = answers.list(call, &[node, storage]) else { continue };
        let Observed::Value(datastore) = storages.id(context, storage, node) else {
            let message = "what a storage holds was left out: the storage has no usable id";
            let found = Found::of(GapCause::UnmappedRow, "volumes", message);
            context.gaps.add(found.value(storage));
            continue;
        };
        for record in Record::each(list, "volumes", context.gaps) {
            let room = VOLUMES_MAX.saturating_sub(collection.control.volumes.len());
            let path = record.required("volid");
            context.tally("volumes", record.cells(), path.is_some() && room > 0);
            let Some(path) = path else { continue };
            if room == 0 {
                let message = format!("only the first {VOLUMES_MAX} volumes are kept");
                context.gaps.add(Found::of(GapCause::LimitReached, "volumes", &message));
                continue;
            }
            let owner = record.text("vmid");
            collection.control.volumes.push(Volume {
                datastore: datastore.clone(),
                path,
                format: record.text("format"),
                capacity_bytes: record.number("size"),
                allocated_bytes: match record.number("used") {
                    Observed::Absent => Observed::Unobserved(Why::Blank),
                    told => told,
                },
                content: record.text("content"),
                workload: owner
                    .and_then(|it| Observed::or_why(context.workload(&it), Why::Unreadable)),
            });
        }
    }
}

/// The names in a list that commas join, sorted.
pub(in crate::proxmox) fn sorted_items(text: &str) -> Vec<Text> {
    let mut names: Vec<Text> = items(text).map(Text::from).collect();
    names.sort();
    names.dedup();
    names
}
