//! The control plane around the machines: folders, roles, grants, rules, policies, alarms, and the
//! tools that lean on the platform. All of it follows from what else the estate holds.

mod authority;
mod placement;

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{
    Activity, Alarm, Attachment, AttachmentKind, AttributeKind, Collection, ControlPlane, Folder,
    Listing, Moment, Observed, PlatformId, StorageAssignment, StoragePolicy, TagCategory, Text,
    WorkloadId,
};
use time::{Duration, PrimitiveDateTime};

use super::site::Site;
use crate::random::Random;

/// Activities at most: what a platform remembers of the last days.
const ACTIVITIES_MAX: usize = 2_000;

/// What the parts of the control plane are made from.
struct Making<'a> {
    platform: PlatformId,
    taken: PrimitiveDateTime,
    random: Random,
    collection: &'a Collection,
}

/// Everything of the control plane that such an estate has.
pub(super) fn control(site: &Site, collection: &Collection) -> ControlPlane {
    let making = Making {
        platform: site.platform.clone(),
        taken: site.taken,
        random: site.random.fork("control", 0),
        collection,
    };
    let mut control = ControlPlane {
        folders: making.folders(),
        tag_categories: making.tag_categories(),
        storage_policies: making.storage_policies(),
        alarms: making.alarms(),
        attachments: making.attachments(),
        activities: making.activities(),
        ..ControlPlane::default()
    };
    making.add_authority(&mut control);
    making.add_placement(&mut control);
    control.sort();
    control
}

impl Making<'_> {
    fn datacenters(&self) -> BTreeSet<&Text> {
        let of_hosts = self.collection.hosts.iter().filter_map(|it| it.datacenter.value());
        let workloads = self.collection.workloads.iter();
        of_hosts.chain(workloads.filter_map(|it| it.placement.datacenter.value())).collect()
    }

    fn folder(&self, id: String, path: String, kind: &str) -> Folder {
        Folder {
            platform: self.platform.clone(),
            native_id: id.into(),
            path: path.into(),
            kind: kind.into(),
        }
    }

    fn folders(&self) -> Vec<Folder> {
        let mut folders = vec![self.folder("group-d1".into(), "/".into(), "root")];
        for (number, name) in (2..).step_by(5).zip(self.datacenters()) {
            folders.push(self.folder(
                format!("datacenter-{number}"),
                format!("/{name}"),
                "datacenter",
            ));
            for (at, (letter, kind)) in
                (1..).zip([('v', "vm"), ('h', "host"), ('s', "datastore"), ('n', "network")])
            {
                folders.push(self.folder(
                    format!("group-{letter}{}", number + at),
                    format!("/{name}/{kind}"),
                    &format!("{kind}-folder"),
                ));
            }
        }
        let mut paths = BTreeSet::new();
        for placement in self.collection.workloads.iter().map(|it| &it.placement) {
            let (Some(datacenter), Some(folder)) =
                (placement.datacenter.value(), placement.folder.value())
            else {
                continue;
            };
            let mut path = format!("/{datacenter}/vm");
            for name in folder.split('/').filter(|it| !it.is_empty()) {
                path = format!("{path}/{name}");
                paths.insert(path.clone());
            }
        }
        for (number, path) in (2_000..).zip(paths) {
            folders.push(self.folder(format!("group-v{number}"), path, "vm-folder"));
        }
        folders
    }

    fn tag_categories(&self) -> Vec<TagCategory> {
        let mut tags: BTreeMap<&Text, BTreeSet<&Text>> = BTreeMap::new();
        for attribute in self.collection.workloads.iter().flat_map(|it| &it.attributes) {
            if attribute.kind == Observed::Value(AttributeKind::Tag) {
                tags.entry(&attribute.name).or_default().insert(&attribute.value);
            }
        }
        let category = |(name, tags): (&Text, BTreeSet<&Text>)| TagCategory {
            platform: self.platform.clone(),
            name: name.clone(),
            single: Observed::Value(true),
            tags: Listing::complete(tags.into_iter().cloned().collect()),
        };
        tags.into_iter().map(category).collect()
    }

    /// Machines on vSAN bear its policy, replicated ones another.
    fn storage_policies(&self) -> Vec<StoragePolicy> {
        let mut vsan = Vec::new();
        let mut replicated = Vec::new();
        for workload in &self.collection.workloads {
            let is_replicated = workload.placement.vapp.value().is_some();
            let on_vsan = workload
                .disks
                .iter()
                .any(|it| it.datastore.value().is_some_and(|it| it.as_str().ends_with("-vsan")));
            let to = match (is_replicated, on_vsan) {
                (true, _) => &mut replicated,
                (false, true) => &mut vsan,
                (false, false) => continue,
            };
            let assignment =
                |disk_key| StorageAssignment { workload: workload.id.clone(), disk_key };
            to.push(assignment(Observed::Absent));
            let keys = workload.disks.iter().filter(|it| it.raw_mapping == Observed::Absent);
            to.extend(keys.map(|it| assignment(it.key.clone())));
        }
        let mut random = self.random.fork("policies", 0);
        let mut policy = |name: &str, description: &str, mut assignments: Vec<_>| {
            assignments.sort();
            StoragePolicy {
                platform: self.platform.clone(),
                native_id: random.uuid().to_string().into(),
                name: name.into(),
                description: Observed::Value(description.into()),
                assignments: Listing::complete(assignments),
            }
        };
        vec![
            policy("vSAN Default Storage Policy", "Storage policy used as default", vsan),
            policy("Replicated Gold", "Replicated to the other site by the array", replicated),
            policy("VM Encryption Policy", "Sample storage policy for encryption", Vec::new()),
        ]
    }

    fn native_id(&self, of: &WorkloadId) -> Option<Text> {
        of.as_str().rsplit('/').next().map(Text::from)
    }

    fn alarms(&self) -> Vec<Alarm> {
        const ALARMS: [(&str, bool, &[&str]); 7] = [
            ("Host connection and power state", true, &[]),
            ("Virtual machine CPU usage", true, &[]),
            ("Virtual machine memory usage", true, &[]),
            ("Datastore usage on disk", true, &["snmp"]),
            ("Virtual machine consolidation needed status", true, &[]),
            ("Production machine lost its network", false, &["email", "script"]),
            ("Replication lags behind", false, &["email", "snmp"]),
        ];
        let waits = self
            .collection
            .workloads
            .iter()
            .filter(|it| it.availability.consolidation_needed.copied() == Some(true));
        let mut waiting: Vec<Text> = waits.filter_map(|it| self.native_id(&it.id)).collect();
        waiting.sort();
        let alarm = |(number, (name, builtin, actions)): (u32, (&str, bool, &[&str]))| Alarm {
            platform: self.platform.clone(),
            native_id: format!("alarm-{number}").into(),
            name: name.into(),
            enabled: Observed::Value(number != 3),
            builtin: Observed::Value(builtin),
            actions: Listing::complete(actions.iter().map(Text::new).collect()),
            triggered: Listing::complete(match name.contains("consolidation") {
                true => waiting.clone(),
                false => Vec::new(),
            }),
        };
        (1..).zip(ALARMS).map(alarm).collect()
    }

    fn attachment(&self, kind: AttachmentKind, name: &str) -> Attachment {
        Attachment {
            platform: self.platform.clone(),
            kind,
            name: name.into(),
            principal: Observed::Absent,
            address: Observed::Absent,
            version: Observed::Absent,
            last_seen: Observed::Value(Moment::Local(self.taken)),
            count: Observed::Value(1),
            details: BTreeMap::new(),
        }
    }

    fn attachments(&self) -> Vec<Attachment> {
        const EXTENSIONS: [(&str, &str, &str); 6] = [
            ("com.vmware.vim.eam", "vSphere ESX Agent Manager", "8.0.3"),
            ("com.vmware.vim.sms", "Storage Monitoring Service", "8.0.3"),
            ("com.vmware.vcIntegrity", "vSphere Lifecycle Manager", "8.0.3"),
            ("com.vmware.vcDr", "Site recovery", "8.8.0"),
            ("com.example.backup", "Backup and replication", "12.1"),
            ("com.example.array-plugin", "Array management", "6.4.2"),
        ];
        const SESSIONS: [(&str, &str, &str, u64); 5] = [
            ("VMware vim-java 1.0", "VSPHERE.LOCAL\\vpxd-extension", "127.0.0.1", 4),
            ("backup-proxy/12.1", "CORP\\svc-backup", "10.0.40.17", 3),
            ("telegraf", "CORP\\svc-monitoring", "10.0.40.31", 1),
            ("terraform-provider-vsphere", "CORP\\svc-automation", "10.0.40.52", 1),
            ("Mozilla/5.0 (Windows NT 10.0)", "CORP\\operator", "10.0.41.9", 1),
        ];
        let mut attachments = Vec::new();
        if self.collection.hosts.is_empty() {
            return attachments;
        }
        for (key, label, version) in EXTENSIONS {
            let mut made = self.attachment(AttachmentKind::Extension, key);
            made.version = Observed::Value(version.into());
            let company = if key.contains("vmware") { "VMware, Inc." } else { "Example" };
            made.details = [("company", company), ("label", label)]
                .map(|(name, value)| (name.into(), value.into()))
                .into();
            attachments.push(made);
        }
        for (agent, user, address, count) in SESSIONS {
            attachments.push(Attachment {
                principal: Observed::Value(user.into()),
                address: Observed::Value(address.into()),
                count: Observed::Value(count),
                ..self.attachment(AttachmentKind::Session, agent)
            });
        }
        attachments
    }

    fn activities(&self) -> Vec<Activity> {
        const ACTIONS: [(u64, (&str, &str)); 6] = [
            (50, ("VirtualMachine.createSnapshot", "CORP\\svc-backup")),
            (30, ("VirtualMachine.removeSnapshot", "CORP\\svc-backup")),
            (8, ("VirtualMachine.reconfigure", "CORP\\svc-automation")),
            (6, ("VirtualMachine.powerOn", "CORP\\operator")),
            (4, ("VirtualMachine.powerOff", "CORP\\operator")),
            (2, ("VirtualMachine.clone", "CORP\\svc-automation")),
        ];
        let workloads = &self.collection.workloads;
        if workloads.is_empty() {
            return Vec::new();
        }
        let mut random = self.random.fork("activities", 0);
        (1..=(workloads.len() / 2).min(ACTIVITIES_MAX))
            .map(|number| {
                let (action, user) = random.weighted(&ACTIONS);
                let ago = Duration::seconds(random.below(3 * 86_400).cast_signed());
                let workload = random.pick(workloads);
                let failed = random.percent(3);
                Activity {
                    platform: self.platform.clone(),
                    native_id: format!("task-{}", 1_000 + number).into(),
                    at: Observed::Value(Moment::Local(self.taken.saturating_sub(ago))),
                    principal: Observed::Value((*user).into()),
                    action: (*action).into(),
                    subject: workload.native_id.clone(),
                    outcome: Observed::Value(if failed { "error" } else { "success" }.into()),
                }
            })
            .collect()
    }
}
