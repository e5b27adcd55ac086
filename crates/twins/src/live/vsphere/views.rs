//! Views: lists of objects that live in a session.

use std::collections::HashSet;

use super::extract::references;
use super::faults::Refusal;
use super::layout::ROOT;
use super::schema::SCHEMA;
use super::sessions::{Session, View};
use super::world::{Inventory, World};
use super::xml::{Element, Writer};

/// Properties that lead from a container to what it contains.
const CONTAINS: [(&str, &[&str]); 6] = [
    ("Folder", &["childEntity"]),
    ("Datacenter", &["vmFolder", "hostFolder", "datastoreFolder", "networkFolder"]),
    ("ComputeResource", &["host", "resourcePool"]),
    ("ResourcePool", &["resourcePool", "vm"]),
    ("HostSystem", &["vm"]),
    ("DistributedVirtualSwitch", &["portgroup"]),
];

/// `CreateContainerView`.
pub(super) fn container(world: &World, key: &str, request: &Element) -> Result<String, Refusal> {
    let (kind, id) = request.child("container").map(Element::reference).unwrap_or_default();
    let inventory = world.read();
    let start = inventory.find(id).ok_or_else(|| Refusal::missing(kind, id))?;
    let kinds: Vec<&str> = request.words("type").collect();
    if let Some(unknown) = kinds.iter().find(|it| SCHEMA.managed(it).is_none()) {
        return Err(Refusal::new("InvalidType", format!("Invalid type: {unknown}")));
    }
    let recursive = request.flag("recursive");
    let wanted = |at: &u32| {
        let kind = inventory.get(*at).map_or("", |it| it.kind);
        SCHEMA.is_a(kind, "ManagedEntity")
            && (kinds.is_empty() || kinds.iter().any(|it| SCHEMA.is_a(kind, it)))
    };
    let members: Vec<u32> = if id == ROOT && recursive {
        let all = 0..u32::try_from(inventory.objects.len()).unwrap_or(u32::MAX);
        all.filter(|it| *it != start).filter(wanted).collect()
    } else {
        contained(&inventory, start, recursive).into_iter().filter(wanted).collect()
    };
    let mut w = Writer::new();
    let own = inventory.get(start).map_or("Folder", |it| it.kind);
    w.reference("container", own, id);
    for kind in &kinds {
        w.text("type", kind);
    }
    w.leaf("recursive", recursive);
    let view = View { kind: "ContainerView", members: members.into(), properties: w.finish() };
    Ok(world.session(key, |it| open(it, view)))
}

/// `CreateListView`.
pub(super) fn list(world: &World, key: &str, request: &Element) -> Result<String, Refusal> {
    let inventory = world.read();
    let found = |it: &Element| {
        let (kind, id) = it.reference();
        inventory.find(id).ok_or_else(|| Refusal::missing(kind, id))
    };
    let members: Result<Vec<u32>, Refusal> = request.all("obj").map(found).collect();
    let view = View { kind: "ListView", members: members?.into(), properties: String::new() };
    Ok(world.session(key, |it| open(it, view)))
}

/// `ModifyListView` and `ResetListView`: gives what could not be found.
pub(super) fn modify(world: &World, key: &str, request: &Element) -> Result<String, Refusal> {
    let (kind, id) = request.child("_this").map(Element::reference).unwrap_or_default();
    let mut w = Writer::new();
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    {
        let inventory = world.read();
        for it in &request.children {
            let (kind, id) = it.reference();
            match (it.name.as_str(), inventory.find(id)) {
                ("add" | "obj", Some(at)) => added.push(at),
                ("remove", Some(at)) => removed.push(at),
                ("add" | "obj", None) => w.reference("returnval", kind, id),
                _ => {}
            }
        }
    }
    let is_reset = request.name == "ResetListView";
    let known = world.session(key, |session| {
        let view = session.seen.views.get_mut(id)?;
        let kept = view.members.iter().filter(|it| !is_reset && !removed.contains(it));
        let kept: Vec<u32> = kept.copied().filter(|it| !added.contains(it)).collect();
        view.members = kept.into_iter().chain(added).collect();
        session.seen.views_version += 1;
        Some(())
    });
    world.change(|_| ());
    known.map(|()| w.finish()).ok_or_else(|| Refusal::missing(kind, id))
}

fn open(session: &mut Session, view: View) -> String {
    let id = session.new_id();
    let mut w = Writer::new();
    w.reference("returnval", view.kind, &id);
    session.seen.views.insert(id, view);
    w.finish()
}

fn contained(inventory: &Inventory, start: u32, recursive: bool) -> Vec<u32> {
    let mut found = Vec::new();
    let mut seen = HashSet::from([start]);
    let mut level = vec![start];
    while !level.is_empty() {
        let mut next = Vec::new();
        for object in level.iter().filter_map(|it| inventory.get(*it)) {
            let paths = CONTAINS.iter().filter(|it| SCHEMA.is_a(object.kind, it.0));
            for path in paths.flat_map(|it| it.1) {
                let children = references(&object.content, path);
                let children = children.into_iter().filter_map(|it| inventory.find(it.1));
                next.extend(children.filter(|it| seen.insert(*it)));
            }
        }
        found.extend(&next);
        if !recursive {
            break;
        }
        level = next;
    }
    found
}
