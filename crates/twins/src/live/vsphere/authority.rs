//! Who may do what: permissions, and questions about one's own.

use entente_model::Text;

use super::facts::{Facts, permission};
use super::faults::Refusal;
use super::layout::{ROOT, Ref};
use super::services::PRIVILEGES;
use super::world::World;
use super::xml::{Element, Writer};
use crate::live::Fault;

/// All permissions: the entity's id, and the permission.
pub(super) fn permissions(facts: &Facts<'_>) -> Vec<(Text, String)> {
    let layout = facts.layout;
    let mut places: std::collections::HashMap<&str, &Ref> = std::collections::HashMap::new();
    let folders = layout.folders.iter().map(|it| &it.reference);
    let places_of = folders
        .chain(layout.datacenters.iter().map(|it| &it.reference))
        .chain(layout.computes.iter().map(|it| &it.reference))
        .chain(layout.hosts.iter().map(|it| &it.reference))
        .chain(layout.pools.iter().map(|it| &it.reference))
        .chain(layout.machines.iter().map(|it| &it.reference));
    places.extend(places_of.map(|it| (it.id.as_str(), it)));
    let mut permissions = Vec::new();
    for grant in &facts.collection.control.grants {
        let place = grant.scope_id.value().and_then(|it| places.get(it.as_str()));
        if let Some(place) = place {
            let mut w = Writer::new();
            permission(&mut w, "returnval", grant, place);
            permissions.push((place.id.clone(), w.finish()));
        }
    }
    if permissions.is_empty() {
        permissions.push((ROOT.into(), administrators()));
    }
    permissions
}

/// What every vCenter grants at its root.
fn administrators() -> String {
    let mut w = Writer::new();
    w.node("returnval", |w| {
        w.reference("entity", "Folder", ROOT);
        w.text("principal", "VSPHERE.LOCAL\\Administrators");
        w.leaf("group", true);
        w.leaf("roleId", -1);
        w.leaf("propagate", true);
    });
    w.finish()
}

/// `RetrieveAllPermissions` and `RetrieveEntityPermissions`.
pub(super) fn retrieve(world: &World, request: &Element) -> Result<String, Refusal> {
    let Some(entity) = request.child("entity") else {
        return Ok(world.permissions.iter().map(|it| it.1.as_str()).collect());
    };
    let (kind, id) = entity.reference();
    let mut at = world.find(kind, id)?;
    let inherited = request.flag("inherited");
    let inventory = world.read();
    let mut found = String::new();
    // Up to the root, which has no parent.
    while let Some(object) = inventory.get(at) {
        let own = world.permissions.iter().filter(|it| it.0 == object.id);
        found.extend(own.map(|it| it.1.as_str()));
        let parents = super::extract::references(&object.content, "parent");
        match parents.first().and_then(|it| inventory.find(it.1)).filter(|_| inherited) {
            Some(parent) => at = parent,
            None => break,
        }
    }
    Ok(found)
}

/// True if the account has a privilege on an object.
pub(super) fn has(world: &World, id: &str, privilege: &str) -> bool {
    if !world.has(Fault::Filtered) {
        return true;
    }
    let is_basic = matches!(privilege, "System.Anonymous" | "System.View");
    let is_restricted = id == ROOT || world.restricted.iter().any(|it| it == id);
    is_basic || (privilege == "System.Read" && !is_restricted)
}

/// `HasPrivilegeOnEntities`, `HasPrivilegeOnEntity` and `HasUserPrivilegeOnEntities`.
pub(super) fn has_privileges(world: &World, request: &Element) -> Result<String, Refusal> {
    let privileges: Vec<&str> = request.words("privId").collect();
    let mut w = Writer::new();
    let entities = request.all("entity").chain(request.all("entities"));
    for (kind, id) in entities.map(Element::reference) {
        world.find(kind, id)?;
        if request.name == "HasPrivilegeOnEntity" {
            for privilege in &privileges {
                w.leaf("returnval", has(world, id, privilege));
            }
            continue;
        }
        w.node("returnval", |w| {
            w.reference("entity", kind, id);
            for privilege in &privileges {
                w.node("privAvailability", |w| {
                    w.text("privId", privilege);
                    w.leaf("isGranted", has(world, id, privilege));
                });
            }
        });
    }
    Ok(w.finish())
}

/// `FetchUserPrivilegeOnEntities`.
pub(super) fn fetch_privileges(world: &World, request: &Element) -> Result<String, Refusal> {
    let mut w = Writer::new();
    for (kind, id) in request.all("entities").map(Element::reference) {
        world.find(kind, id)?;
        w.node("returnval", |w| {
            w.reference("entity", kind, id);
            let all = PRIVILEGES.iter().flat_map(|it| it.1).copied();
            for privilege in all.filter(|it| has(world, id, it)) {
                w.text("privileges", privilege);
            }
        });
    }
    Ok(w.finish())
}
