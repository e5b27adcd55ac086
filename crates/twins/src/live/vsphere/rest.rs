//! The REST interface, as far as tags need it.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{AttributeKind, Collection, Observed};
use serde_json::{Value, json};

use super::layout::Layout;
use super::world::World;
use crate::live::{Reply, Request};

/// Where the older form of the interface begins, and the newer one.
const OLDER: &str = "/rest/com/vmware/cis/";
const NEWER: &str = "/api/cis/";

/// Categories, tags, and what bears them.
#[derive(Debug, Default)]
pub(super) struct Tags {
    /// Id and name, and whether an object may bear one tag at most.
    categories: Vec<(String, String, bool)>,
    /// Id, name, position of the category.
    tags: Vec<(String, String, usize)>,
    /// Positions of tags, by object.
    borne: BTreeMap<String, Vec<usize>>,
}

impl Tags {
    pub(super) fn new(collection: &Collection, layout: &Layout) -> Self {
        let is_tag =
            |it: &&entente_model::Attribute| it.kind == Observed::Value(AttributeKind::Tag);
        let mut words: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let told = &collection.control.tag_categories;
        for category in told {
            let names = category.tags.iter().map(|it| it.as_str());
            words.entry(&category.name).or_default().extend(names);
        }
        for tag in collection.workloads.iter().flat_map(|it| &it.attributes).filter(is_tag) {
            words.entry(&tag.name).or_default().insert(&tag.value);
        }
        let mut made = Self::default();
        let mut positions: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (category, names) in &words {
            let at = made.categories.len();
            let single = told.iter().find(|it| it.name == *category);
            let single = single.and_then(|it| it.single.copied()).unwrap_or(true);
            made.categories.push((id("Category", category), (*category).to_owned(), single));
            for name in names {
                positions.insert((category, name), made.tags.len());
                let full = format!("{category}/{name}");
                made.tags.push((id("Tag", &full), (*name).to_owned(), at));
            }
        }
        for (workload, machine) in collection.workloads.iter().zip(&layout.machines) {
            let borne: Vec<usize> = workload
                .attributes
                .iter()
                .filter(is_tag)
                .filter_map(|it| positions.get(&(it.name.as_str(), it.value.as_str())).copied())
                .collect();
            if !borne.is_empty() {
                made.borne.insert(machine.reference.id.to_string(), borne);
            }
        }
        made
    }

    fn category(&self, at: usize) -> Option<Value> {
        let (id, name, single) = self.categories.get(at)?;
        let cardinality = if *single { "SINGLE" } else { "MULTIPLE" };
        Some(json!({
            "id": id,
            "name": name,
            "description": "",
            "cardinality": cardinality,
            "associable_types": ["VirtualMachine"],
            "used_by": []
        }))
    }

    fn tag(&self, at: usize) -> Option<Value> {
        let (id, name, category) = self.tags.get(at)?;
        let category = &self.categories.get(*category)?.0;
        Some(json!({
            "id": id, "name": name, "description": "", "category_id": category, "used_by": []
        }))
    }

    fn ids(&self, object: &str) -> Vec<&str> {
        let borne = self.borne.get(object).into_iter().flatten();
        borne.filter_map(|it| self.tags.get(*it)).map(|it| it.0.as_str()).collect()
    }

    fn bearers(&self, tag: &str) -> Vec<Value> {
        let at = self.tags.iter().position(|it| it.0 == tag);
        let bears = |it: &(&String, &Vec<usize>)| at.is_some_and(|at| it.1.contains(&at));
        let bearers = self.borne.iter().filter(bears);
        bearers.map(|it| json!({ "id": it.0, "type": "VirtualMachine" })).collect()
    }
}

fn id(kind: &str, name: &str) -> String {
    let mut random = crate::random::Random::of(&format!("{kind}{name}"));
    format!("urn:vmomi:InventoryService{kind}:{}:GLOBAL", random.uuid())
}

/// True for what begins a session.
pub(super) fn is_log_in(request: &Request) -> bool {
    let is_path = matches!(request.path.as_str(), "/rest/com/vmware/cis/session" | "/api/session");
    is_path && request.method == "POST" && request.query.is_empty()
}

/// Answers a request below `/rest` or `/api`.
pub(super) fn answer(world: &World, request: &Request, credentials: [&str; 2]) -> Reply {
    let is_older = request.path.starts_with("/rest/");
    if is_log_in(request) {
        return log_in(world, request, credentials, is_older);
    }
    let key = request.header("vmware-api-session-id").or(request.cookie("vmware-api-session-id"));
    let is_known = key.is_some_and(|key| world.sessions().rest.iter().any(|it| it == key));
    if !is_known {
        return refused(401, "com.vmware.vapi.std.errors.unauthenticated", is_older);
    }
    let path = request.path.strip_prefix(OLDER).or(request.path.strip_prefix(NEWER));
    let path = match request.path.as_str() {
        "/api/session" => Some("session"),
        _ => path,
    };
    let action = request.query.split('&').find_map(|it| {
        it.strip_prefix("~action=").or(it.strip_prefix("%7Eaction=")).or(it.strip_prefix("action="))
    });
    let found =
        path.and_then(|path| resource(world, request, path, action, key.unwrap_or_default()));
    match found {
        Some(value) if is_older => {
            Reply::ok("application/json", json!({ "value": value }).to_string())
        }
        Some(value) => Reply::ok("application/json", value.to_string()),
        None => refused(404, "com.vmware.vapi.std.errors.not_found", is_older),
    }
}

fn refused(status: u16, kind: &str, is_older: bool) -> Reply {
    let body = match is_older {
        true => json!({ "type": kind, "value": { "messages": [] } }),
        false => {
            let name = kind.rsplit('.').next().unwrap_or_default().to_uppercase();
            json!({ "error_type": name, "messages": [] })
        }
    };
    Reply::of(status, "application/json", body.to_string())
}

fn log_in(world: &World, request: &Request, credentials: [&str; 2], is_older: bool) -> Reply {
    let expected = base64(format!("{}:{}", credentials[0], credentials[1]).as_bytes());
    let given = request.header("authorization").and_then(|it| it.strip_prefix("Basic "));
    if given.map(str::trim) != Some(&expected) || world.has(crate::live::Fault::Locked) {
        return refused(401, "com.vmware.vapi.std.errors.unauthenticated", is_older);
    }
    let mut sessions = world.sessions();
    let key = sessions.new_key();
    sessions.rest.push(key.clone());
    drop(sessions);
    let mut reply = match is_older {
        true => Reply::ok("application/json", json!({ "value": key }).to_string()),
        false => Reply::of(201, "application/json", json!(key).to_string()),
    };
    reply.headers.push(("set-cookie", format!("vmware-api-session-id={key};Path=/rest;HttpOnly")));
    reply
}

fn resource(
    world: &World,
    request: &Request,
    path: &str,
    action: Option<&str>,
    key: &str,
) -> Option<Value> {
    let tags = &world.tags;
    let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let (kind, id) = path
        .strip_prefix("tagging/")
        .unwrap_or(path)
        .split_once('/')
        .unwrap_or((path.strip_prefix("tagging/").unwrap_or(path), ""));
    let id = id.strip_prefix("id:").unwrap_or(id).replace("%3A", ":").replace("%3a", ":");
    match (kind, request.method.as_str(), action) {
        ("session", "DELETE", _) => {
            world.sessions().rest.retain(|it| it != key);
            Some(Value::Null)
        }
        ("session", _, _) => Some(json!({ "user": "entente@vsphere.local" })),
        ("category", "GET", _) if id.is_empty() => {
            Some(tags.categories.iter().map(|it| json!(it.0)).collect())
        }
        ("category", "GET", _) => tags.category(tags.categories.iter().position(|it| it.0 == id)?),
        ("tag", "GET", None) if id.is_empty() => {
            Some(tags.tags.iter().map(|it| json!(it.0)).collect())
        }
        ("tag", "GET", None) => tags.tag(tags.tags.iter().position(|it| it.0 == id)?),
        ("tag", _, Some("list-tags-for-category")) => {
            let category = tags.categories.iter().position(|it| it.0 == id)?;
            let of = tags.tags.iter().filter(|it| it.2 == category);
            Some(of.map(|it| json!(it.0)).collect())
        }
        ("tag-association", _, Some(action)) => association(tags, action, &id, &body),
        _ => None,
    }
}

fn association(tags: &Tags, action: &str, tag: &str, body: &Value) -> Option<Value> {
    let object = |it: &Value| it.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    match action {
        "list-attached-tags" => Some(json!(tags.ids(&object(body.get("object_id")?)))),
        "list-attached-tags-on-objects" => {
            let objects = body.get("object_ids")?.as_array()?;
            let borne = objects.iter().map(|it| (it, object(it)));
            let borne = borne.map(|(it, id)| json!({ "object_id": it, "tag_ids": tags.ids(&id) }));
            Some(borne.collect())
        }
        "list-attached-objects" => {
            let told = body.get("tag_id").and_then(Value::as_str).unwrap_or(tag);
            Some(json!(tags.bearers(told)))
        }
        "list-attached-objects-on-tags" => {
            let wanted = body.get("tag_ids")?.as_array()?.iter().filter_map(Value::as_str);
            let found = wanted.map(|it| json!({ "tag_id": it, "object_ids": tags.bearers(it) }));
            Some(found.collect())
        }
        _ => None,
    }
}

/// Base64 of a few bytes.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = [0_u8; 3];
        for (to, from) in group.iter_mut().zip(chunk) {
            *to = *from;
        }
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for at in 0..4 {
            let letter = ALPHABET.get((bits >> (18 - 6 * at) & 63) as usize).copied();
            let is_there = at <= chunk.len();
            out.push(letter.filter(|_| is_there).map_or('=', char::from));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn credentials_are_encoded_as_everybody_does() {
        assert_eq!(super::base64(b"Aladdin:open sesame"), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}
