//! A machine's files, the space that they take, and its VM snapshots.

use entente_model::{PowerState, VmSnapshot, Workload};

use super::super::facts::time;
use super::super::xml::Writer;
use super::Telling;

const GIB: u64 = 1024 * 1024 * 1024;

impl Telling<'_> {
    /// `[datastore] folder/`, the folder of the first disk.
    pub(super) fn folder_of_files(&self) -> String {
        let first = self.workload.disks.iter().find_map(|it| it.path.value());
        let folder = first.and_then(|it| it.rsplit_once('/')).map(|it| it.0);
        match folder {
            Some(folder) => format!("{folder}/"),
            None => {
                let store = self.machine.datastores.first();
                let store = store.and_then(|it| self.facts.collection.datastores.get(*it));
                let home = || self.facts.collection.datastores.first();
                let store = store.or_else(home).map_or("local", |it| it.name.as_str());
                format!("[{store}] {}/", self.file_name())
            }
        }
    }

    pub(super) fn file_name(&self) -> String {
        self.workload.name.chars().map(|it| if it == '/' { '_' } else { it }).collect()
    }

    pub(super) fn path_of_configuration(&self) -> String {
        format!("{}{}.vmx", self.folder_of_files(), self.file_name())
    }

    pub(super) fn layout_ex(&self, w: &mut Writer) {
        let (folder, name) = (self.folder_of_files(), self.file_name());
        let mut files = vec![
            (format!("{folder}{name}.vmx"), "config", 4_393),
            (format!("{folder}{name}.nvram"), "nvram", 8_684),
            (format!("{folder}vmware.log"), "log", 412_110),
        ];
        let first_disk = files.len();
        for disk in &self.workload.disks {
            let path = disk.path.value().map_or("", |it| it.as_str());
            let capacity = disk.capacity_bytes.copied().unwrap_or(0);
            let size = if disk.thin.copied() == Some(true) { capacity / 5 * 3 } else { capacity };
            files.push((path.to_owned(), "diskDescriptor", 530));
            files.push((path.replace(".vmdk", "-flat.vmdk"), "diskExtent", size));
        }
        let first_snapshot = files.len();
        for (at, snapshot) in self.workload.snapshots.iter().enumerate() {
            let size = snapshot.size_bytes.copied().unwrap_or(0);
            let file = format!("{folder}{name}-Snapshot{}.vmsn", at + 1);
            files.push((file, "snapshotData", size));
        }
        w.node("layoutEx", |w| {
            for (key, (name, kind, size)) in files.iter().enumerate() {
                w.node("file", |w| {
                    w.leaf("key", key);
                    w.text("name", name);
                    w.text("type", kind);
                    w.leaf("size", size);
                    w.leaf("uniqueSize", size);
                    w.leaf("accessible", true);
                });
            }
            let keys = self.disk_keys();
            for (at, key) in keys.iter().enumerate() {
                disk_layout(w, *key, first_disk + 2 * at);
            }
            for at in 0..self.workload.snapshots.items.len() {
                w.node("snapshot", |w| {
                    w.reference("key", "VirtualMachineSnapshot", &self.snapshot_id(at));
                    w.leaf("dataKey", first_snapshot + at);
                    w.leaf("memoryKey", -1);
                    for (at, key) in keys.iter().enumerate() {
                        disk_layout(w, *key, first_disk + 2 * at);
                    }
                });
            }
            w.text("timestamp", &self.facts.now);
        });
    }

    /// Space in use by datastore, and in all: used, promised.
    fn space(&self) -> Vec<(usize, u64, u64)> {
        let samples = &self.workload.samples;
        let used = samples.storage_used_bytes.copied().unwrap_or(0);
        let promised = samples.storage_provisioned_bytes.copied().unwrap_or(used).max(used);
        let stores: Vec<usize> = self.machine.datastores.iter().copied().collect();
        let [first, rest @ ..] = stores.as_slice() else { return Vec::new() };
        // What the collection does not tell by datastore is told of the first.
        let mut space = vec![(*first, used, promised)];
        space.extend(rest.iter().map(|it| (*it, 0, 0)));
        space
    }

    pub(super) fn storage(&self, w: &mut Writer) {
        w.node("storage", |w| {
            for (store, used, promised) in self.space() {
                let Some(store) = self.facts.layout.datastores.get(store) else { continue };
                w.node("perDatastoreUsage", |w| {
                    w.reference("datastore", "Datastore", &store.reference.id);
                    w.leaf("committed", used);
                    w.leaf("uncommitted", promised - used);
                    w.leaf("unshared", used);
                });
            }
            w.text("timestamp", &self.facts.now);
        });
    }

    pub(super) fn storage_summary(&self, w: &mut Writer) {
        let samples = &self.workload.samples;
        let used = samples.storage_used_bytes.copied().unwrap_or(GIB / 4);
        let promised = samples.storage_provisioned_bytes.copied().unwrap_or(used).max(used);
        w.node("storage", |w| {
            w.leaf("committed", used);
            w.leaf("uncommitted", promised - used);
            w.leaf("unshared", used);
            w.text("timestamp", &self.facts.now);
        });
    }

    /// The id of a VM snapshot: that of the collection, else one made of the machine's.
    fn snapshot_id(&self, at: usize) -> String {
        let told = self.workload.snapshots.items.get(at).and_then(|it| it.id.value());
        match told {
            Some(id) => id.to_string(),
            None => {
                let machine = self.machine.reference.id.trim_start_matches("vm-");
                format!("snapshot-{machine}{:03}", at + 1)
            }
        }
    }

    /// VM snapshots as a tree; where nothing tells of their parents, each follows the one before.
    pub(super) fn snapshots(&self, w: &mut Writer) {
        let snapshots = &self.workload.snapshots.items;
        let parents = parents(self.workload);
        let roots: Vec<usize> = positions(&parents, None);
        if let Some(last) = snapshots.len().checked_sub(1) {
            w.node("snapshot", |w| {
                w.reference("currentSnapshot", "VirtualMachineSnapshot", &self.snapshot_id(last));
                for root in &roots {
                    self.snapshot_tree(w, "rootSnapshotList", *root, &parents);
                }
            });
        }
        let ids: Vec<String> = roots.iter().map(|it| self.snapshot_id(*it)).collect();
        w.references("rootSnapshot", ids.iter().map(|it| ("VirtualMachineSnapshot", it.as_str())));
    }

    fn snapshot_tree(&self, w: &mut Writer, name: &str, at: usize, parents: &[Option<usize>]) {
        let Some(snapshot) = self.workload.snapshots.items.get(at) else { return };
        w.node(name, |w| {
            w.reference("snapshot", "VirtualMachineSnapshot", &self.snapshot_id(at));
            w.reference("vm", "VirtualMachine", &self.machine.reference.id);
            w.text("name", &super::encoded_name(&snapshot.name));
            w.text("description", snapshot.description.value().map_or("", |it| it.as_str()));
            w.leaf("id", at + 1);
            let created = snapshot.created.copied().map(time);
            w.text("createTime", created.as_deref().unwrap_or(&self.facts.now));
            w.text("state", state(snapshot));
            w.leaf("quiesced", snapshot.quiesced.copied().unwrap_or(false));
            for child in positions(parents, Some(at)) {
                self.snapshot_tree(w, "childSnapshotList", child, parents);
            }
            w.leaf("replaySupported", false);
        });
    }
}

fn disk_layout(w: &mut Writer, key: u32, descriptor: usize) {
    w.node("disk", |w| {
        w.leaf("key", key);
        w.node("chain", |w| {
            w.leaf("fileKey", descriptor);
            w.leaf("fileKey", descriptor + 1);
        });
    });
}

fn state(snapshot: &VmSnapshot) -> &str {
    match snapshot.state.value().map(|it| it.as_str()) {
        Some(word @ ("poweredOn" | "poweredOff" | "suspended")) => word,
        Some(word) if word == PowerState::On.as_str() => "poweredOn",
        _ => "poweredOff",
    }
}

/// Of each VM snapshot, the position of the one that it follows.
fn parents(workload: &Workload) -> Vec<Option<usize>> {
    let snapshots = &workload.snapshots.items;
    let of =
        |(at, snapshot): (usize, &VmSnapshot)| match (&snapshot.parent, snapshot.parent.value()) {
            (_, Some(parent)) => {
                // A parent stands before its children: a tree has no cycles.
                snapshots.iter().take(at).position(|it| it.id.value() == Some(parent))
            }
            (it, None) if it.is_observed() => None,
            _ => at.checked_sub(1),
        };
    snapshots.iter().enumerate().map(of).collect()
}

fn positions(parents: &[Option<usize>], parent: Option<usize>) -> Vec<usize> {
    parents.iter().enumerate().filter(|it| *it.1 == parent).map(|it| it.0).collect()
}
