//! All methods but those of the property collector: what they change and what they answer.

use hyper::body::Bytes;

use super::collector::{Answered, Asking, Target, go_on, retrieve};
use super::faults::Refusal;
use super::services::service_content;
use super::sessions::{Seen, TaskReader, View};
use super::world::{World, replace_value};
use super::xml::{Element, Writer};
use super::{authority, updates, views};
use crate::live::words::escaped;

/// Tasks on one page.
const TASKS_ON_PAGE: usize = 10;

/// Methods that anybody may call.
pub(super) fn is_open(method: &str) -> bool {
    matches!(method, "RetrieveServiceContent" | "Login" | "CurrentTime" | "QueryVersion")
}

/// Answers a method; waiting for changes is elsewhere.
pub(super) fn call(world: &World, seen: &Seen, request: &Element) -> Answered {
    match request.name.as_str() {
        "RetrievePropertiesEx" | "RetrieveProperties" => return retrieve(world, seen, request),
        "ContinueRetrievePropertiesEx" => return go_on(world, seen, request),
        _ => {}
    }
    let key = seen.key.as_str();
    let text = match request.name.as_str() {
        "RetrieveServiceContent" => inside("returnval", &service_content(&world.about)),
        "CurrentTime" => inside("returnval", &world.now),
        "Fetch" => fetch(world, seen, request)?,
        "CancelRetrievePropertiesEx" => {
            let token = request.word("token").unwrap_or_default();
            world.session(key, |it| it.cursors.retain(|cursor| cursor.0 != token));
            String::new()
        }
        "CreateContainerView" => views::container(world, key, request)?,
        "CreateListView" => views::list(world, key, request)?,
        "ModifyListView" | "ResetListView" => views::modify(world, key, request)?,
        "DestroyView" => {
            let id = request.child("_this").map(Element::reference).unwrap_or_default().1;
            world.session(key, |it| it.seen.views.remove(id));
            String::new()
        }
        "CreatePropertyCollector" => updates::create_collector(world, key),
        "CreateFilter" => updates::create_filter(world, seen, request)?,
        "DestroyPropertyFilter" => {
            updates::destroy_filter(world, key, request)?;
            String::new()
        }
        "DestroyPropertyCollector" => {
            updates::destroy_collector(world, key, request)?;
            String::new()
        }
        "CancelWaitForUpdates" => {
            updates::cancel(world, key, request)?;
            String::new()
        }
        "Logout" => {
            world.sessions().by_key.remove(key);
            // Whoever waits in it is told.
            world.change(|_| ());
            String::new()
        }
        "SessionIsActive" => {
            let wanted = request.word("sessionID").unwrap_or_default();
            inside("returnval", &world.sessions().by_key.contains_key(wanted).to_string())
        }
        "RetrieveAllPermissions" | "RetrieveEntityPermissions" => {
            authority::retrieve(world, request)?
        }
        "HasPrivilegeOnEntities" | "HasPrivilegeOnEntity" | "HasUserPrivilegeOnEntities" => {
            authority::has_privileges(world, request)?
        }
        "FetchUserPrivilegeOnEntities" => authority::fetch_privileges(world, request)?,
        _ => return others(world, seen, request).map(|it| vec![Bytes::from(it)]),
    };
    Ok(vec![Bytes::from(text)])
}

fn others(world: &World, seen: &Seen, request: &Element) -> Result<String, Refusal> {
    let key = seen.key.as_str();
    let (kind, id) = request.child("_this").map(Element::reference).unwrap_or_default();
    match request.name.as_str() {
        "GetAlarm" => Ok(alarms(world)),
        "QueryAssignedLicenses" => Ok(licences(world, request.word("entityId"))),
        "CreateCollectorForTasks" => {
            let id = world.session(key, |it| {
                let id = it.new_id();
                it.task_readers.insert(id.clone(), TaskReader::default());
                let properties = latest_tasks(world);
                let members = [].into();
                let view = View { kind: "TaskHistoryCollector", members, properties };
                it.seen.views.insert(id.clone(), view);
                id
            });
            Ok(reference("TaskHistoryCollector", &id))
        }
        "ReadNextTasks" => {
            let most = request.number("maxCount").and_then(|it| usize::try_from(it).ok());
            read_tasks(world, key, id, most.unwrap_or(100))
        }
        "ReadPreviousTasks" => {
            let most = request.number("maxCount").and_then(|it| usize::try_from(it).ok());
            read_tasks_back(world, key, id, most.unwrap_or(100))
        }
        "RewindCollector" | "SetCollectorPageSize" => {
            world.session(key, |it| it.task_readers.insert(id.to_owned(), TaskReader::default()));
            Ok(String::new())
        }
        "ResetCollector" => {
            // Immediately before the latest page.
            let position = world.read().tasks(0).len().saturating_sub(TASKS_ON_PAGE);
            world.session(key, |it| it.task_readers.insert(id.to_owned(), TaskReader { position }));
            Ok(String::new())
        }
        "DestroyCollector" => {
            world.session(key, |it| {
                it.task_readers.remove(id);
                it.seen.views.remove(id);
            });
            Ok(String::new())
        }
        "PowerOffVM_Task" => power(world, seen, id, "poweredOff"),
        "PowerOnVM_Task" => power(world, seen, id, "poweredOn"),
        "FindByUuid" | "FindAllByUuid" => {
            let uuid = request.word("uuid").and_then(|it| it.parse().ok());
            let inventory = world.read();
            let found = uuid.and_then(|it| world.uuids.get(&it));
            let found = found.and_then(|it| inventory.get(*it));
            Ok(found.map(|it| reference(it.kind, &it.id)).unwrap_or_default())
        }
        "FindByInventoryPath" => {
            let path = request.word("inventoryPath").unwrap_or_default();
            let inventory = world.read();
            let found = by_path(&inventory, path).and_then(|it| inventory.get(it));
            Ok(found.map(|it| reference(it.kind, &it.id)).unwrap_or_default())
        }
        method => Err(Refusal::unknown_method(kind, id, method)),
    }
}

fn inside(name: &str, text: &str) -> String {
    let mut w = Writer::new();
    w.node(name, |w| w.raw(text));
    w.finish()
}

fn reference(kind: &str, id: &str) -> String {
    let mut w = Writer::new();
    w.reference("returnval", kind, id);
    w.finish()
}

fn fetch(world: &World, seen: &Seen, request: &Element) -> Result<String, Refusal> {
    let (kind, id) = request.child("_this").map(Element::reference).unwrap_or_default();
    let path = request.word("prop").unwrap_or_default();
    let inventory = world.read();
    let asking = Asking { world, inventory: &inventory, session: seen };
    let target = asking.resolve(kind, id)?;
    asking.fetch(&target, path)
}

/// Tasks on the newest page, newest first.
fn latest_tasks(world: &World) -> String {
    let mut w = Writer::new();
    let inventory = world.read();
    for task in inventory.tasks(0).rev().take(TASKS_ON_PAGE) {
        w.node("latestPage", |w| w.raw(task));
    }
    w.finish()
}

fn alarms(world: &World) -> String {
    let inventory = world.read();
    let alarms = inventory.objects.iter().filter(|it| it.kind == "Alarm");
    alarms.map(|it| reference("Alarm", &it.id)).collect()
}

fn licences(world: &World, entity: Option<&str>) -> String {
    let is_meant = |it: &&(String, String)| entity.is_none_or(|wanted| wanted == it.0);
    world.assigned_licences.iter().filter(is_meant).map(|it| inside("returnval", &it.1)).collect()
}

fn read_tasks(world: &World, key: &str, id: &str, most: usize) -> Result<String, Refusal> {
    let count = world.read().tasks(0).len();
    let position = world.session(key, |session| {
        let reader = session.task_readers.get_mut(id)?;
        let position = reader.position;
        reader.position = (position + most).min(count);
        Some(position)
    });
    let position = position.ok_or_else(|| Refusal::missing("TaskHistoryCollector", id))?;
    let inventory = world.read();
    let tasks = inventory.tasks(position).take(most.min(count.saturating_sub(position)));
    Ok(tasks.map(|it| inside("returnval", it)).collect())
}

/// From where the reader stands towards the oldest, the newest first.
fn read_tasks_back(world: &World, key: &str, id: &str, most: usize) -> Result<String, Refusal> {
    let position = world.session(key, |session| {
        let reader = session.task_readers.get_mut(id)?;
        let position = reader.position;
        reader.position = position.saturating_sub(most);
        Some(position)
    });
    let position = position.ok_or_else(|| Refusal::missing("TaskHistoryCollector", id))?;
    let inventory = world.read();
    let tasks = inventory.tasks(0).take(position).rev().take(most);
    Ok(tasks.map(|it| inside("returnval", it)).collect())
}

/// Turns a machine on or off, at once; the task says how it went.
fn power(world: &World, seen: &Seen, id: &str, wanted: &'static str) -> Result<String, Refusal> {
    let at = world.find("VirtualMachine", id)?;
    let privilege = match wanted {
        "poweredOn" => "VirtualMachine.Interact.PowerOn",
        _ => "VirtualMachine.Interact.PowerOff",
    };
    if !authority::has(world, id, privilege) {
        return Err(Refusal::no_permission("VirtualMachine", id, privilege));
    }
    let now = {
        let inventory = world.read();
        let asking = Asking { world, inventory: &inventory, session: seen };
        asking.fetch(&Target::Object(at), "runtime.powerState")?
    };
    let was = ["poweredOn", "poweredOff", "suspended"].into_iter().find(|it| now.contains(it));
    let was = was.unwrap_or("poweredOff");
    let refusal = (was == wanted).then(|| Refusal::invalid_power_state(was, wanted));
    let task = world.change(|inventory| {
        if refusal.is_none()
            && let Some(object) = inventory.get(at)
        {
            let mut content = replace_value(&object.content, "powerState", wanted);
            if wanted == "poweredOff" {
                content = replace_value(&content, "guestState", "notRunning");
                content = replace_value(&content, "toolsRunningStatus", "guestToolsNotRunning");
                content = without(&content, "bootTime");
            }
            inventory.replace(at, content);
        }
        let tell = |task: &str| task_info(world, seen, task, id, wanted, refusal.as_ref());
        inventory.add_task(tell)
    });
    Ok(reference("Task", &task))
}

fn task_info(
    world: &World,
    seen: &Seen,
    task: &str,
    machine: &str,
    wanted: &str,
    refusal: Option<&Refusal>,
) -> String {
    let on = wanted == "poweredOn";
    let mut w = Writer::new();
    w.node("info", |w| {
        w.text("key", task);
        w.reference("task", "Task", task);
        w.text("name", if on { "PowerOnVM_Task" } else { "PowerOffVM_Task" });
        let description = if on { "VirtualMachine.powerOn" } else { "VirtualMachine.powerOff" };
        w.text("descriptionId", description);
        w.reference("entity", "VirtualMachine", machine);
        w.text("state", if refusal.is_some() { "error" } else { "success" });
        w.flags(&[("cancelled", false), ("cancelable", false)]);
        if let Some(refusal) = refusal {
            refusal.localized(w, "error");
        }
        w.node_as("reason", "TaskReasonUser", |w| w.text("userName", &seen.user));
        let now = world.now.as_str();
        w.words(&[("queueTime", now), ("startTime", now), ("completeTime", now)]);
        w.leaf("eventChainId", 1);
    });
    w.finish()
}

/// Without any element of a name.
fn without(content: &str, name: &str) -> String {
    let emptied = replace_value(content, name, "");
    emptied.replace(&format!("<{name}></{name}>"), "")
}

/// The entity at a path such as `/fra1/vm/Finance/payroll/web-01`.
fn by_path(inventory: &super::world::Inventory, path: &str) -> Option<u32> {
    let mut at = inventory.find(super::layout::ROOT)?;
    for name in path.trim_matches('/').split('/').filter(|it| !it.is_empty()) {
        let content = &inventory.get(at)?.content;
        let paths =
            ["childEntity", "vmFolder", "hostFolder", "datastoreFolder", "networkFolder", "host"];
        let mut children =
            paths.iter().flat_map(|it| super::extract::references(content, it)).map(|it| it.1);
        let wanted = escaped(name);
        // Its own name: what it holds has names, too.
        let is_called = |content: &str| {
            let mut properties = super::extract::children(content);
            properties.find(|it| it.name == "name").is_some_and(|it| it.inner == wanted)
        };
        at = children.find_map(|id| {
            let at = inventory.find(id)?;
            inventory.get(at).filter(|it| is_called(&it.content)).map(|_| at)
        })?;
    }
    Some(at)
}
