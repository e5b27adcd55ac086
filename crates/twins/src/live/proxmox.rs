//! A Proxmox VE cluster of version 9.1.5 that serves a generated collection.
//!
//! What its answers rest on: forms of `/access/ticket`, `/cluster/status`, `/cluster/resources`,
//! `/nodes/*/{status,version,network}` and of a guest's configuration, status, VM snapshots and agent
//! are those of answers recorded from a real cluster of version 9.1.5; all others follow the published
//! schema of the interface. Errors (401 in the reason beside the status, 500 for a guest that does not
//! exist, 501 for an unknown path, 400 with `errors`) were seen on the real daemon. That a disabled
//! account is refused with the same words as a wrong password is how the daemon does it. Who sees which
//! volume and which guest without a backup is as its published source has it: images of a guest are
//! listed for those who may change its disks or allocate on the storage, not for an auditor.
//!
//! It is read-only: whatever would change something is not implemented.

mod cluster;
mod guests;
mod security;
mod world;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use entente_model::Collection;
use hyper::body::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use self::world::World;
use super::faults::Faults;
use super::http::{HttpTwin, Reply, Request, serve_http};
use super::{Answer, Fault, PlatformTwin, Served, Setup};

/// The twin.
pub static TWIN: ProxmoxTwin = ProxmoxTwin;

/// An account that sees everything.
pub const USER: &str = "entente@pve";
/// Its password.
pub const PASSWORD: &str = "correct horse battery";
/// An account that sees half of the guests and nothing else.
pub const TENANT: &str = "tenant@pve";
/// Its password.
pub const TENANT_PASSWORD: &str = "little";
/// The account that may do everything, and sees what auditors do not: images on storages.
pub const ROOT: &str = "root@pam";
/// Its password.
pub const ROOT_PASSWORD: &str = "everything";
/// An API token of [`USER`] that sees what it sees.
pub const TOKEN_ID: &str = "entente@pve!collect";
/// Its secret.
pub const TOKEN_SECRET: &str = "5c5e3a0e-8d2d-4f0c-9c57-0a6b6a1d7e11";

const JSON: &str = "application/json;charset=UTF-8";
/// Answers per page of tasks unless it is asked for another number.
const PAGE: usize = 50;

/// Proxmox VE.
#[derive(Debug)]
pub struct ProxmoxTwin;

impl PlatformTwin for ProxmoxTwin {
    fn connector(&self) -> &'static str {
        "proxmox"
    }

    fn serve(&self, collection: Arc<Collection>, setup: Setup) -> Answer<'_, io::Result<Served>> {
        Box::pin(async move {
            let faults = Faults::of(&setup.faults);
            let cluster = Cluster::new(World::of(&collection, &faults), faults);
            let served = serve_http(Arc::new(cluster), setup).await?;
            Ok(Served { user: USER.to_owned(), password: PASSWORD.to_owned(), ..served })
        })
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Account {
    /// Sees everything that auditors see, unless lists are filtered.
    Auditor,
    /// Sees everything.
    Root,
    /// Sees half of the guests.
    Tenant,
}

struct Cluster {
    world: World,
    faults: Faults,
    tickets: Mutex<BTreeMap<String, Account>>,
    issued: AtomicU64,
    answered: AtomicU64,
    has_expired: AtomicBool,
}

impl Cluster {
    fn new(world: World, faults: Faults) -> Self {
        Self {
            world,
            faults,
            tickets: Mutex::default(),
            issued: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            has_expired: AtomicBool::new(false),
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults.has(fault)
    }

    /// Ends all tickets once, after so many answers.
    fn expire(&self) {
        let limit = self.faults.expires_after();
        let answered = self.answered.fetch_add(1, Ordering::SeqCst);
        if limit.is_some_and(|it| answered >= it) && !self.has_expired.swap(true, Ordering::SeqCst)
        {
            self.tickets.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    fn account(&self, request: &Request) -> Result<Account, Reply> {
        if let Some(header) = request.header("authorization") {
            let held = header.strip_prefix("PVEAPIToken=");
            let is_known = held == Some(&format!("{TOKEN_ID}={TOKEN_SECRET}"));
            return if is_known && !self.has(Fault::Locked) {
                Ok(Account::Auditor)
            } else {
                Err(refused("no such token or wrong secret"))
            };
        }
        let Some(cookie) = request.cookie("PVEAuthCookie") else {
            return Err(refused("No ticket"));
        };
        let ticket = percent_decode_str(cookie).decode_utf8_lossy().into_owned();
        let tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        let account = tickets.get(&ticket).copied();
        let account = account.ok_or_else(|| refused("permission denied - invalid PVE ticket"))?;
        let is_csrf = request.header("csrfpreventiontoken").is_some_and(|it| it == csrf(&ticket));
        if request.method != "GET" && !is_csrf {
            return Err(refused("Permission denied - invalid csrf token"));
        }
        Ok(account)
    }

    fn log_in(&self, request: &Request) -> Reply {
        let form = String::from_utf8_lossy(&request.body);
        let mut fields: BTreeMap<String, String> = form.split('&').filter_map(field).collect();
        let (Some(user), Some(password)) = (fields.remove("username"), fields.remove("password"))
        else {
            let missing = json!({"username": "property is missing and it is not optional"});
            return parameter(missing);
        };
        let user = match fields.remove("realm") {
            Some(realm) if !user.contains('@') => format!("{user}@{realm}"),
            _ => user,
        };
        let account = match (user.as_str(), password.as_str()) {
            (USER, PASSWORD) => Account::Auditor,
            (ROOT, ROOT_PASSWORD) => Account::Root,
            (TENANT, TENANT_PASSWORD) => Account::Tenant,
            _ => return refused("authentication failure"),
        };
        if self.has(Fault::Locked) {
            // The daemon tells nobody whether an account is disabled.
            return refused("authentication failure");
        }
        let number = self.issued.fetch_add(1, Ordering::SeqCst);
        let ticket = format!("PVE:{user}:{number:08X}::c2lnbmF0dXJl/+{number}==");
        let data = json!({
            "username": user, "ticket": ticket, "CSRFPreventionToken": csrf(&ticket),
            "clustername": self.world.name, "cap": {"vms": {"VM.Audit": 1}, "dc": {"Sys.Audit": 1}},
        });
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner).insert(ticket, account);
        data_reply(&data)
    }

    fn route(&self, request: &Request, path: &str, account: Account) -> Reply {
        if request.method != "GET" {
            return unknown(&request.method, path);
        }
        let limited = match account {
            Account::Auditor => self.has(Fault::Filtered),
            Account::Tenant => true,
            Account::Root => false,
        };
        if path == "/access/permissions" {
            return data_reply(&self.world.permissions(account, limited));
        }
        if account == Account::Tenant {
            if let Some(needed) = security::needed(path) {
                return forbidden(needed);
            }
            if let Some(storage) = storage_in(path) {
                let any = "Datastore.Audit|Datastore.AllocateSpace";
                return forbidden(&format!("/storage/{storage}, {any}"));
            }
            if security::is_filtered_to_nothing(path) {
                return data_reply(&json!([]));
            }
        }
        if let Some(vmid) = guest_in(path) {
            if vmid.parse::<u64>().is_err() {
                let why = format!("type check ('integer') failed - got '{vmid}'");
                return parameter(json!({ "vmid": why }));
            }
            if limited && self.world.is_hidden(vmid) {
                return forbidden(&format!("/vms/{vmid}, VM.Audit"));
            }
        }
        if let Some(vmid) = replicated_in(path).filter(|it| limited && self.world.is_hidden(it)) {
            return forbidden(&format!("/vms/{vmid}, VM.Audit"));
        }
        if let Some(node) = path.strip_prefix("/nodes/").and_then(|it| it.strip_suffix("/tasks")) {
            return self.tasks(node, &request.query, account);
        }
        let special = match account {
            Account::Root => self.world.with_images(path),
            _ if limited => self.world.visible(path),
            _ => None,
        };
        match special.or_else(|| self.world.answer(path)) {
            Some(body) if path == "/cluster/resources" => {
                of_type(body, &request.query, account == Account::Tenant)
            }
            Some(body) => Reply::ok(JSON, body),
            None => self.missing(path),
        }
    }

    /// What is said of something that is not there.
    fn missing(&self, path: &str) -> Reply {
        if let Some(message) = self.world.agent_silence(path) {
            return failed(500, message);
        }
        let node = path.strip_prefix("/nodes/").and_then(|it| it.split('/').next());
        if let Some(node) = node.filter(|it| !self.world.has_node(it)) {
            return failed(
                500,
                &format!(
                    "hostname lookup '{node}' failed - failed to get address info for: {node}: Name or service not known"
                ),
            );
        }
        if let Some(vmid) = guest_in(path).filter(|it| !self.world.has_guest(it)) {
            let node = node.unwrap_or_default();
            let folder = if path.contains("/lxc/") { "lxc" } else { "qemu-server" };
            return failed(
                500,
                &format!("Configuration file 'nodes/{node}/{folder}/{vmid}.conf' does not exist"),
            );
        }
        unknown("GET", path)
    }

    fn tasks(&self, node: &str, query: &str, account: Account) -> Reply {
        let fields: BTreeMap<String, String> = query.split('&').filter_map(field).collect();
        let number = |key: &str| fields.get(key).and_then(|it| it.parse::<u64>().ok());
        let Some(tasks) = self.world.tasks(node) else {
            return self.missing(&format!("/nodes/{node}/tasks"));
        };
        // Without rights on the node, one's own: a tenant began none.
        let tasks = if account == Account::Tenant { &[] } else { tasks.as_slice() };
        let limit = number("limit").and_then(|it| usize::try_from(it).ok()).unwrap_or(PAGE);
        if self.has(Fault::EndlessPaging) {
            let page: Vec<&Value> = tasks.iter().cycle().take(limit).collect();
            return data_reply(&json!(page));
        }
        let start = number("start").and_then(|it| usize::try_from(it).ok()).unwrap_or(0);
        let since = number("since").unwrap_or(0);
        let recent =
            tasks.iter().filter(|it| it["starttime"].as_u64().is_some_and(|it| it >= since));
        let total = recent.clone().count();
        let page: Vec<&Value> = recent.skip(start).take(limit).collect();
        Reply::ok(JSON, json!({ "data": page, "total": total }).to_string())
    }
}

impl HttpTwin for Cluster {
    async fn answer(&self, request: Request) -> Reply {
        let path = percent_decode_str(&request.path).decode_utf8_lossy().into_owned();
        let Some(path) = path.strip_prefix("/api2/json") else {
            return Reply::of(404, "text/plain", "no such file");
        };
        let path = path.trim_end_matches('/');
        if path == "/access/ticket" && request.method == "POST" {
            return self.log_in(&request);
        }
        self.expire();
        match self.account(&request) {
            Ok(account) => self.route(&request, path, account),
            Err(reply) => reply,
        }
    }

    fn is_log_in(&self, request: &Request) -> bool {
        request.path.ends_with("/access/ticket")
    }

    fn is_workload_list(&self, request: &Request) -> bool {
        let path = request.path.trim_start_matches("/api2/json");
        let of_node = path.starts_with("/nodes/") && path.split('/').count() == 4;
        path == "/cluster/resources"
            || of_node && (path.ends_with("/qemu") || path.ends_with("/lxc"))
    }
}

/// The resources of one type, where one is asked for. Storages are for those who may look into them.
fn of_type(body: Bytes, query: &str, without_storages: bool) -> Reply {
    let asked = query.split('&').filter_map(field).find(|(key, _)| key == "type");
    let kinds: &[&str] = match asked.as_ref().map(|it| it.1.as_str()) {
        None if !without_storages => return Reply::ok(JSON, body),
        None => &["qemu", "lxc", "node", "sdn"],
        Some("vm") => &["qemu", "lxc"],
        Some("node") => &["node"],
        Some("storage") if without_storages => &[],
        Some("storage") => &["storage"],
        Some("sdn") => &["sdn"],
        Some(other) => {
            let why = format!(
                "value '{other}' does not have a value in the enumeration 'vm, storage, node, sdn'"
            );
            return parameter(json!({ "type": why }));
        }
    };
    let all: Value = serde_json::from_slice(&body).unwrap_or_default();
    let list = all.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let chosen = list.iter().filter(|it| kinds.iter().any(|kind| it["type"] == *kind));
    data_reply(&chosen.cloned().collect::<Vec<_>>().into())
}

/// Number of the guest that a path is about.
fn guest_in(path: &str) -> Option<&str> {
    let mut parts = path.strip_prefix("/nodes/")?.split('/').skip(1);
    let kind = parts.next()?;
    parts.next().filter(|_| kind == "qemu" || kind == "lxc")
}

/// Storage whose content a path is about.
fn storage_in(path: &str) -> Option<&str> {
    let (_, storage) = path.strip_prefix("/nodes/")?.split_once("/storage/")?;
    storage.strip_suffix("/content")
}

/// Number of the guest of whose replication a path tells the state.
fn replicated_in(path: &str) -> Option<&str> {
    let (_, job) = path.strip_prefix("/nodes/")?.split_once("/replication/")?;
    job.split('-').next()
}

fn csrf(ticket: &str) -> String {
    format!("{:08X}:csrf", crate::random::hash(ticket))
}

fn field(pair: &str) -> Option<(String, String)> {
    let (key, value) = pair.split_once('=')?;
    let plain =
        |it: &str| percent_decode_str(&it.replace('+', " ")).decode_utf8_lossy().into_owned();
    Some((plain(key), plain(value)))
}

fn data_reply(data: &Value) -> Reply {
    Reply::ok(JSON, json!({ "data": data }).to_string())
}

fn with_reason(status: u16, reason: &str, body: String) -> Reply {
    Reply { reason: Some(reason.to_owned()), ..Reply::of(status, JSON, body) }
}

/// 401, with why beside the status and in the body only where the real daemon has it there.
fn refused(why: &str) -> Reply {
    let body = match why {
        "authentication failure" => json!({ "data": null, "message": format!("{why}\n") }),
        _ => json!({ "data": null }),
    };
    with_reason(401, why, body.to_string())
}

fn forbidden(needed: &str) -> Reply {
    let why = format!("Permission check failed ({needed})");
    let body = json!({ "data": null, "message": format!("{why}\n") });
    with_reason(403, &why, body.to_string())
}

fn failed(status: u16, why: &str) -> Reply {
    with_reason(status, why, json!({ "data": null, "message": format!("{why}\n") }).to_string())
}

fn unknown(method: &str, path: &str) -> Reply {
    let why = format!("Method '{method} {path}' not implemented");
    with_reason(501, &why, json!({ "data": null }).to_string())
}

fn parameter(errors: Value) -> Reply {
    let why = "Parameter verification failed.";
    let body = json!({ "data": null, "message": format!("{why}\n"), "errors": errors });
    with_reason(400, why, body.to_string())
}

/// A body that was encoded beforehand.
fn encoded(data: &Value) -> Bytes {
    Bytes::from(json!({ "data": data }).to_string())
}

#[cfg(test)]
mod tests;
