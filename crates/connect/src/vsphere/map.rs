//! Wire → model: pure. What can't be mapped becomes a gap.
//!
//! Everything but workloads is kept as it came until all of it is there, since its parts refer to
//! each other; workloads, of which there are most, are mapped one by one while they arrive.

mod attachments;
mod authority;
mod cluster;
mod devices;
mod facts;
mod hosts;
mod inventory;
mod licences;
mod machines;
mod networks;
mod settings;
mod workload;

use std::collections::{BTreeMap, HashMap};

use entente_model::{Collection, GapCause, NetworkId, Observed, Product, Tally, Text, Why};

use super::collect::{About, Kept};
use super::wire::{Object, Told, Tree};
use crate::live::{Gaps, Target};
use crate::vsphere::LABEL;
pub(super) use attachments::task;
pub(super) use facts::Facts;
pub(super) use inventory::Inventory;
pub(super) use machines::{Machines, SECTION as WORKLOADS};

/// Counts of one list: what was there, what was mapped, properties with a value.
fn tally(collection: &mut Collection, section: &'static str, object: &Object<'_>, mapped: bool) {
    let tally: &mut Tally =
        collection.source.sections.entry(Text::new_static(section)).or_default();
    tally.rows += 1;
    tally.mapped += u64::from(mapped);
    tally.cells += object.told_count() as u64;
}

/// The platform and the product that runs it.
pub(super) fn platform(collection: &mut Collection, target: &Target, about: &About) {
    // A standalone host has no id of its own.
    let uuid = Observed::or_absent(about.uuid.clone());
    collection.platforms.push(target.platform(LABEL, uuid));
    let known = |text: &Text| {
        if text.is_empty() {
            Observed::Unobserved(Why::Blank)
        } else {
            Observed::Value(text.clone())
        }
    };
    collection.products.push(Product {
        platform: target.id.clone(),
        name: about.name.clone(),
        version: known(&about.version),
        build: known(&about.build),
    });
}

/// Everything but workloads.
pub(super) fn infrastructure(
    collection: &mut Collection,
    kept: &Kept,
    inventory: &mut Inventory,
    gaps: &mut Gaps,
) {
    collection.control.folders = inventory.folders(kept);
    for object in kept.objects() {
        let (section, mapped) = match object.reference.kind {
            "ClusterComputeResource" => {
                let mut facts = Facts { gaps, section: "clusters" };
                let control = &mut collection.control;
                let cluster = cluster::cluster(&object, inventory, &mut facts, control);
                ("clusters", cluster.map(|it| collection.clusters.push(it)).is_some())
            }
            "HostSystem" => {
                let host = hosts::host(&object, inventory, &mut Facts { gaps, section: "hosts" });
                ("hosts", host.map(|it| collection.hosts.push(it)).is_some())
            }
            "Datastore" => {
                let mut facts = Facts { gaps, section: "datastores" };
                let datastore = hosts::datastore(&object, inventory, &mut facts);
                ("datastores", datastore.map(|it| collection.datastores.push(it)).is_some())
            }
            "ResourcePool" | "VirtualApp" => {
                let mut facts = Facts { gaps, section: "resource_pools" };
                let pool = hosts::pool(&object, inventory, &mut facts);
                ("resource_pools", pool.map(|it| collection.resource_pools.push(it)).is_some())
            }
            "Folder" | "Datacenter" | "StoragePod" => {
                Facts { gaps, section: "folders" }.refusals(&object);
                ("folders", true)
            }
            "Network" | "OpaqueNetwork" | "DistributedVirtualPortgroup" => {
                let id = NetworkId::on(&inventory.platform, object.reference.id);
                ("networks", id.is_ok())
            }
            kind if kind.ends_with("DistributedVirtualSwitch") => ("switches", true),
            _ => continue,
        };
        let mut facts = Facts { gaps, section };
        if !mapped {
            let message = "its id is none that an estate can hold";
            facts.value(GapCause::UnmappedRow, "id", message, object.reference.id);
        }
        above(&object, inventory, &mut facts);
        tally(collection, section, &object, mapped);
    }
    let mut facts = Facts { gaps, section: "networks" };
    (collection.networks, collection.switches) = networks::networks(kept, inventory, &mut facts);
}

/// What an object is in must be in a list, too: where it is not, something is hidden.
fn above(object: &Object<'_>, inventory: &Inventory, facts: &mut Facts<'_>) {
    let Some(parent) = object.get("parent").reference() else { return };
    if inventory.place(parent.id).is_some() {
        return;
    }
    let list = match parent.kind {
        "ClusterComputeResource" => "clusters",
        "ComputeResource" | "HostSystem" => "hosts",
        "ResourcePool" | "VirtualApp" => "resource_pools",
        _ => "folders",
    };
    let message = "something is in it, and no list holds it: the account may not see it, or it is newer than the list";
    facts.dangling(list, message, parent.id);
}

/// Names of custom attributes.
pub(super) fn attribute_names(fields: Told<'_>) -> Result<HashMap<i64, Text>, Why> {
    match fields.refused() {
        Some(why) => Err(why),
        None => Ok(fields
            .elements()
            .filter_map(|it| Some((it.number_at("key")?, Text::new(it.text_at("name")?))))
            .collect()),
    }
}

/// What the server's managers told, as far as they were asked.
pub(super) struct Managers<'a> {
    /// Managers, by their ids.
    pub kept: &'a Kept,
    /// Ids by the name of the manager.
    pub about: &'a About,
}

impl<'a> Managers<'a> {
    /// A property of a manager. A standalone host has no use for some of them; a vCenter without one
    /// does not tell what it would hold.
    pub fn get(&self, manager: &str, path: &str) -> Told<'a> {
        let Some(target) = self.about.manager(manager) else {
            let is_vcenter = self.about.is_vcenter;
            return if is_vcenter { Told::Missing(Why::NotInVersion) } else { Told::Unset };
        };
        match self.kept.get(&target.id) {
            Some(object) => object.get(path),
            None => Told::Missing(self.kept.incomplete().unwrap_or(Why::CallFailed)),
        }
    }
}

/// Roles, extensions, sessions, licences.
pub(super) fn managers(
    collection: &mut Collection,
    managers: &Managers<'_>,
    own_key: Option<&str>,
    gaps: &mut Gaps,
) {
    let platform = collection.platforms.first().map(|it| it.id.clone());
    let Some(platform) = platform else { return };
    for object in managers.kept.objects() {
        let section = match object.reference.kind {
            "AuthorizationManager" => "roles",
            "LicenseManager" => "licences",
            "Folder" => "alarms",
            "CustomFieldsManager" => "workloads",
            _ => "attachments",
        };
        Facts { gaps, section }.refusals(&object);
    }
    let roles = managers.get("authorizationManager", "roleList");
    collection.control.roles =
        authority::roles(roles, &platform, &mut Facts { gaps, section: "roles" });
    let mut facts = Facts { gaps, section: "attachments" };
    let extensions = managers.get("extensionManager", "extensionList");
    collection.control.attachments = attachments::extensions(extensions, &platform, &mut facts);
    let sessions = managers.get("sessionManager", "sessionList");
    collection.control.attachments.extend(attachments::sessions(sessions, own_key, &platform));
    let licences = managers.get("licenseManager", "licenses");
    collection.licences =
        licences::licences(licences, &platform, &mut Facts { gaps, section: "licences" });
}

/// Permissions, with the paths of what they are on.
pub(super) fn permissions(
    collection: &mut Collection,
    answer: &Tree,
    inventory: &Inventory,
    machines: &HashMap<Text, usize>,
    gaps: &mut Gaps,
) {
    let workloads = &collection.workloads;
    let path_of = |id: &str| {
        if let Some(place) = inventory.place(id) {
            return Some(place.path.clone());
        }
        let workload = workloads.get(*machines.get(id)?)?;
        let folder = workload.placement.folder.value().map_or("", |it| it.as_str());
        Some(Text::from(format!("{}/{}", folder.trim_end_matches('/'), workload.name)))
    };
    let platform = &inventory.platform;
    let mut facts = Facts { gaps, section: "grants" };
    let mut control = std::mem::take(&mut collection.control);
    authority::permissions(answer, platform, &path_of, &mut facts, &mut control);
    collection.control = control;
}

/// How many licences hosts have.
pub(super) fn assigned_licences(collection: &mut Collection, answer: &Result<Tree, Why>) {
    let counts = answer.as_ref().map(licences::assigned);
    for host in &mut collection.hosts {
        let native = native(host.id.as_str(), &host.platform);
        host.licence_count = match &counts {
            Ok(counts) => Observed::Value(counts.get(native).copied().unwrap_or(0)),
            Err(why) => Observed::Unobserved(**why),
        };
    }
}

/// When hosts' certificates expire: by host, the certificate manager that tells.
pub(super) fn certificates(
    collection: &mut Collection,
    manager_of: &HashMap<Text, Text>,
    kept: &Kept,
    gaps: &mut Gaps,
) {
    let mut facts = Facts { gaps, section: "hosts" };
    let objects: BTreeMap<&str, Object<'_>> =
        kept.objects().map(|it| (it.reference.id, it)).collect();
    for host in &mut collection.hosts {
        let native = native(host.id.as_str(), &host.platform);
        let Some(manager) = manager_of.get(native) else {
            host.certificate_expires = Observed::Unobserved(Why::Blank);
            continue;
        };
        if let Some(object) = objects.get(manager.as_str()) {
            facts.refusals(object);
            let expires = object.get("certificateInfo").child("notAfter");
            host.certificate_expires = facts.moment(expires, facts::blank());
        } else {
            let why = kept.incomplete().unwrap_or(Why::CallFailed);
            host.certificate_expires = Observed::Unobserved(why);
            let message = "the host's certificate manager did not answer";
            facts.gap(GapCause::CallFailed, "certificateInfo", message);
        }
    }
}

/// Alarm definitions, with what they are triggered for.
pub(super) fn alarms(
    collection: &mut Collection,
    managers: &Managers<'_>,
    kept: &Kept,
    gaps: &mut Gaps,
) {
    let Some(platform) = collection.platforms.first().map(|it| it.id.clone()) else { return };
    let told = managers.get("rootFolder", "triggeredAlarmState");
    let mut facts = Facts { gaps, section: "alarms" };
    let triggered = attachments::triggered(told, &mut facts);
    for object in kept.objects() {
        let alarm = attachments::alarm(&object, &triggered, &platform, &mut facts);
        collection.control.alarms.push(alarm);
    }
}

/// Whoever started tasks lately.
pub(super) fn initiators(collection: &mut Collection) {
    let Some(platform) = collection.platforms.first().map(|it| &it.id) else { return };
    let found = attachments::initiators(&collection.control.activities, platform);
    collection.control.attachments.extend(found);
}

/// What an id says after its platform.
pub(super) fn native<'a>(id: &'a str, platform: &entente_model::PlatformId) -> &'a str {
    id.strip_prefix(platform.as_str()).and_then(|rest| rest.strip_prefix('/')).unwrap_or(id)
}
