//! What the vCenter itself says: its content, roles, extensions, licences, alarms, tasks, fields.

use entente_model::{Alarm, AttachmentKind, Collection, Observed, Role};

use super::facts::{Facts, role_id, time};
use super::layout::ROOT;
use super::xml::Writer;

/// Privileges that an administrator has, by group.
pub(super) const PRIVILEGES: [(&str, &[&str]); 12] = [
    ("System", &["System.Anonymous", "System.View", "System.Read"]),
    ("Global", &["Global.Licenses", "Global.ManageCustomFields", "Global.SetCustomField"]),
    ("Folder", &["Folder.Create", "Folder.Delete", "Folder.Move", "Folder.Rename"]),
    ("Datacenter", &["Datacenter.Create", "Datacenter.Delete"]),
    ("Datastore", &["Datastore.AllocateSpace", "Datastore.Browse", "Datastore.FileManagement"]),
    ("Network", &["Network.Assign", "Network.Config"]),
    ("Host", &["Host.Config.Maintenance", "Host.Config.Network", "Host.Inventory.EditCluster"]),
    (
        "VirtualMachine",
        &[
            "VirtualMachine.Config.AddNewDisk",
            "VirtualMachine.Config.CPUCount",
            "VirtualMachine.Config.Memory",
            "VirtualMachine.Interact.ConsoleInteract",
            "VirtualMachine.Interact.PowerOff",
            "VirtualMachine.Interact.PowerOn",
            "VirtualMachine.Inventory.Create",
            "VirtualMachine.Inventory.Delete",
            "VirtualMachine.Provisioning.Clone",
            "VirtualMachine.State.CreateSnapshot",
            "VirtualMachine.State.RemoveSnapshot",
        ],
    ),
    ("Resource", &["Resource.AssignVMToPool", "Resource.ColdMigrate", "Resource.HotMigrate"]),
    ("Sessions", &["Sessions.TerminateSession", "Sessions.ValidateSession"]),
    ("StorageProfile", &["StorageProfile.Update", "StorageProfile.View"]),
    ("Authorization", &["Authorization.ModifyPermissions", "Authorization.ModifyRoles"]),
];

/// Tasks that a vCenter calls recent.
const RECENT_TASKS: usize = 10;

/// A managed object that is not an entity of the inventory.
pub(super) struct Service {
    pub kind: &'static str,
    pub id: String,
    pub content: String,
}

/// Version and build of the vCenter, and of its interface.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub version: String,
    pub build: String,
    pub api: String,
    pub uuid: String,
}

impl About {
    pub(super) fn new(collection: &Collection, is_old: bool) -> Self {
        let product = collection.products.iter().find(|it| it.name.contains("vCenter"));
        let told = |fact: Option<&Observed<entente_model::Text>>, otherwise: &str| {
            fact.and_then(Observed::value).map_or(otherwise, |it| it.as_str()).to_owned()
        };
        let platform = collection.platforms.first();
        let uuid = told(platform.map(|it| &it.uuid), "aefab70b-79dc-4ddf-9956-5cc718ffbaef");
        if is_old {
            let (version, build) = ("6.0.0".into(), "2776510".into());
            return Self { version, build, api: "6.0".into(), uuid };
        }
        let version = told(product.map(|it| &it.version), "8.0.3");
        let build = told(product.map(|it| &it.build), "24322831");
        Self { api: format!("{version}.0"), version, build, uuid }
    }

    fn write(&self, w: &mut Writer) {
        let (version, build) = (self.version.as_str(), self.build.as_str());
        w.text("name", "VMware vCenter Server");
        w.text("fullName", &format!("VMware vCenter Server {version} build-{build}"));
        w.words(&[("vendor", "VMware, Inc."), ("version", version), ("build", build)]);
        w.words(&[("localeVersion", "INTL"), ("localeBuild", "000"), ("osType", "linux-x64")]);
        w.words(&[("productLineId", "vpx"), ("apiType", "VirtualCenter")]);
        w.words(&[("apiVersion", &self.api), ("instanceUuid", &self.uuid)]);
        w.text("licenseProductName", "VMware VirtualCenter Server");
        let major = version.split('.').next().unwrap_or("8");
        w.text("licenseProductVersion", &format!("{major}.0"));
    }
}

/// Managers in the order in which the content of the service names them.
const MANAGERS: [(&str, &str, &str); 11] = [
    ("sessionManager", "SessionManager", "SessionManager"),
    ("authorizationManager", "AuthorizationManager", "AuthorizationManager"),
    ("alarmManager", "AlarmManager", "AlarmManager"),
    ("eventManager", "EventManager", "EventManager"),
    ("taskManager", "TaskManager", "TaskManager"),
    ("extensionManager", "ExtensionManager", "ExtensionManager"),
    ("customFieldsManager", "CustomFieldsManager", "CustomFieldsManager"),
    ("licenseManager", "LicenseManager", "LicenseManager"),
    ("searchIndex", "SearchIndex", "SearchIndex"),
    ("propertyCollector", "PropertyCollector", "propertyCollector"),
    ("viewManager", "ViewManager", "ViewManager"),
];

/// Inside of the content of the service.
pub(super) fn service_content(about: &About) -> String {
    let mut w = Writer::new();
    w.reference("rootFolder", "Folder", ROOT);
    w.reference("propertyCollector", "PropertyCollector", "propertyCollector");
    w.reference("viewManager", "ViewManager", "ViewManager");
    w.node("about", |w| about.write(w));
    for (name, kind, id) in MANAGERS {
        if !matches!(name, "propertyCollector" | "viewManager") {
            w.reference(name, kind, id);
        }
    }
    w.finish()
}

/// Everything that is not an entity.
pub(super) fn services(facts: &Facts<'_>, about: &About) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    let mut add = |kind, id: &str, content| {
        services.push(Service { kind, id: id.to_owned(), content });
    };
    let mut w = Writer::new();
    w.text("serverClock", &facts.now);
    w.node("content", |w| w.raw(&service_content(about)));
    add("ServiceInstance", "ServiceInstance", w.finish());
    for (_, kind, id) in MANAGERS {
        add(kind, id, manager(facts, kind));
    }
    add("LicenseAssignmentManager", "LicenseAssignmentManager", String::new());
    for alarm in &facts.collection.control.alarms {
        let mut w = Writer::new();
        w.node("info", |w| alarm_info(facts, w, alarm));
        add("Alarm", &alarm.native_id, w.finish());
    }
    services
}

fn manager(facts: &Facts<'_>, kind: &str) -> String {
    let mut w = Writer::new();
    match kind {
        "AuthorizationManager" => authorization(facts, &mut w),
        "ExtensionManager" => extensions(facts, &mut w),
        "CustomFieldsManager" => fields(facts, &mut w),
        "LicenseManager" => {
            licences(facts, &mut w, "licenses");
            w.reference(
                "licenseAssignmentManager",
                "LicenseAssignmentManager",
                "LicenseAssignmentManager",
            );
        }
        "TaskManager" => {
            let tasks = facts.collection.control.activities.iter().rev().take(RECENT_TASKS);
            let tasks: Vec<&str> = tasks.map(|it| it.native_id.as_str()).collect();
            task_manager(&mut w, tasks.into_iter().rev());
        }
        "EventManager" => w.leaf("maxCollector", 1000),
        _ => {}
    }
    w.finish()
}

/// What looks after tasks, of which these are the recent ones.
pub(super) fn task_manager<'a>(w: &mut Writer, recent: impl Iterator<Item = &'a str>) {
    w.references("recentTask", recent.map(|it| ("Task", it)));
    w.leaf("maxCollector", 32);
}

/// Roles that every vCenter has.
fn system_roles() -> [(i64, &'static str, Vec<&'static str>); 5] {
    let all = PRIVILEGES.iter().flat_map(|it| it.1).copied().collect();
    let read = vec!["System.Anonymous", "System.Read", "System.View"];
    [
        (-1, "Admin", all),
        (-2, "ReadOnly", read),
        (-3, "View", vec!["System.Anonymous", "System.View"]),
        (-4, "Anonymous", vec!["System.Anonymous"]),
        (-5, "NoAccess", Vec::new()),
    ]
}

fn authorization(facts: &Facts<'_>, w: &mut Writer) {
    for (group, privileges) in PRIVILEGES {
        for privilege in privileges {
            w.node("privilegeList", |w| {
                w.text("privId", privilege);
                w.leaf("onParent", false);
                w.text("name", privilege.rsplit('.').next().unwrap_or_default());
                w.text("privGroupName", group);
            });
        }
    }
    let roles = &facts.collection.control.roles;
    let is_told = |number: i64| roles.iter().any(|it| role_id(&it.native_id) == number);
    for (number, name, privileges) in system_roles() {
        if !is_told(number) {
            role(w, number, true, name, privileges.iter().copied());
        }
    }
    for it in roles {
        told_role(w, it);
    }
    w.node("description", |w| {
        for privilege in PRIVILEGES.iter().flat_map(|it| it.1) {
            described(w, "privilege", privilege);
        }
        for (group, _) in PRIVILEGES {
            described(w, "privilegeGroup", group);
        }
    });
}

fn described(w: &mut Writer, name: &str, key: &str) {
    let label = key.rsplit('.').next().unwrap_or_default();
    w.node_as(name, "ElementDescription", |w| {
        w.words(&[("label", label), ("summary", label), ("key", key)]);
    });
}

fn told_role(w: &mut Writer, it: &Role) {
    let builtin = it.builtin.copied().unwrap_or(false);
    let privileges = it.privileges.iter().map(|it| it.as_str());
    role(w, role_id(&it.native_id), builtin, &it.name, privileges);
}

fn role<'a>(
    w: &mut Writer,
    number: i64,
    system: bool,
    name: &str,
    privileges: impl Iterator<Item = &'a str>,
) {
    w.node("roleList", |w| {
        w.leaf("roleId", number);
        w.leaf("system", system);
        w.text("name", name);
        w.node_as("info", "Description", |w| w.words(&[("label", name), ("summary", name)]));
        for privilege in privileges {
            w.text("privilege", privilege);
        }
    });
}

fn extensions(facts: &Facts<'_>, w: &mut Writer) {
    let attachments = facts.collection.control.attachments.iter();
    let mut any = false;
    for it in attachments.filter(|it| it.kind == AttachmentKind::Extension) {
        any = true;
        let detail = |key: &str, otherwise: &str| {
            it.details.get(key).map_or(otherwise.to_owned(), |it| it.to_string())
        };
        let label = detail("label", &it.name);
        w.node("extensionList", |w| {
            w.node_as("description", "Description", |w| {
                w.words(&[("label", &label), ("summary", &detail("summary", &label))]);
            });
            w.text("key", &it.name);
            w.text("company", &detail("company", "Unknown"));
            w.text("version", it.version.value().map_or("1.0", |it| it.as_str()));
            if let Some(address) = it.address.value() {
                w.node("server", |w| {
                    w.text("url", address);
                    w.node_as("description", "Description", |w| {
                        w.words(&[("label", &label), ("summary", &label)]);
                    });
                    w.words(&[("company", &detail("company", "Unknown")), ("type", "HTTPS")]);
                    w.text("adminEmail", "operations@example.com");
                });
            }
            let seen = it.last_seen.copied().map(time);
            w.text("lastHeartbeatTime", seen.as_deref().unwrap_or(&facts.now));
            w.leaf("shownInSolutionManager", false);
        });
    }
    if !any {
        w.empty("extensionList");
    }
}

fn fields(facts: &Facts<'_>, w: &mut Writer) {
    for (name, key) in &facts.fields {
        w.node("field", |w| {
            w.leaf("key", key);
            w.words(&[("name", name), ("type", "string"), ("managedObjectType", "VirtualMachine")]);
        });
    }
    if facts.fields.is_empty() {
        w.empty("field");
    }
}

/// Licences; their keys are made up.
pub(super) fn licences(facts: &Facts<'_>, w: &mut Writer, name: &str) {
    for at in 0..facts.collection.licences.len() {
        w.node(name, |w| licence(facts, w, at));
    }
    if facts.collection.licences.is_empty() {
        w.empty(name);
    }
}

fn licence(facts: &Facts<'_>, w: &mut Writer, at: usize) {
    let Some(licence) = facts.collection.licences.get(at) else { return };
    let mut random = crate::random::Random::of(&licence.name);
    let block = |it: u64| format!("{:05X}", it & 0xf_ffff);
    let key: Vec<String> = (0..5).map(|_| block(random.next())).collect();
    w.text("licenseKey", &key.join("-"));
    w.text("editionKey", &licence.name.to_lowercase().replace(' ', "."));
    w.text("name", &licence.name);
    // A vCenter writes an unlimited licence as one for none.
    w.leaf("total", licence.total.copied().unwrap_or(0));
    w.leaf_if("used", licence.used.copied());
    w.text("costUnit", licence.unit.value().map_or("", |it| it.as_str()));
    if let Some(expires) = licence.expires.copied() {
        w.node("properties", |w| {
            w.text("key", "expirationDate");
            w.value_as("value", "xsd:dateTime", &time(expires));
        });
    }
}

/// Which licence is assigned to what: hosts to the first for processors or cores, the vCenter to the
/// one for servers.
pub(super) fn assigned_licences(facts: &Facts<'_>, about: &About) -> Vec<(String, String)> {
    let position = |units: &[&str]| {
        let is_one = |it: &entente_model::Licence| {
            it.unit.value().is_some_and(|unit| units.contains(&unit.as_str()))
        };
        facts.collection.licences.iter().position(is_one)
    };
    let mut assigned = Vec::new();
    let mut assign = |entity: &str, name: &str, licence_at: usize| {
        let mut w = Writer::new();
        w.text("entityId", entity);
        w.text("entityDisplayName", name);
        w.node("assignedLicense", |w| licence(facts, w, licence_at));
        assigned.push((entity.to_owned(), w.finish()));
    };
    if let Some(at) = position(&["server"]) {
        assign(&about.uuid, "vCenter Server", at);
    }
    if let Some(at) = position(&["cpuPackage", "core"]) {
        for (host, place) in facts.collection.hosts.iter().zip(&facts.layout.hosts) {
            assign(&place.reference.id, &host.name, at);
        }
    }
    assigned
}

fn alarm_info(facts: &Facts<'_>, w: &mut Writer, alarm: &Alarm) {
    w.text("name", &alarm.name);
    if alarm.builtin.copied() == Some(true) {
        w.text("systemName", &format!("alarm.{}", alarm.name.replace(' ', "")));
    }
    w.text("description", &alarm.name);
    w.leaf("enabled", alarm.enabled.copied().unwrap_or(true));
    w.node_as("expression", "OrAlarmExpression", |w| {
        w.node_as("expression", "StateAlarmExpression", |w| {
            w.words(&[("operator", "isEqual"), ("type", "VirtualMachine")]);
            w.words(&[("statePath", "runtime.connectionState"), ("red", "disconnected")]);
        });
    });
    if !alarm.actions.items.is_empty() {
        w.node_as("action", "GroupAlarmAction", |w| {
            for action in &alarm.actions {
                w.node_as("action", "AlarmTriggeringAction", |w| {
                    alarm_action(w, action);
                    w.flags(&[("green2yellow", false), ("yellow2red", true)]);
                    w.flags(&[("red2yellow", false), ("yellow2green", false)]);
                });
            }
        });
    }
    w.text("key", "");
    w.reference("alarm", "Alarm", &alarm.native_id);
    w.reference("entity", "Folder", ROOT);
    w.text("lastModifiedTime", &facts.now);
    w.text("lastModifiedUser", "VSPHERE.LOCAL\\Administrator");
    w.leaf("creationEventId", 0);
}

fn alarm_action(w: &mut Writer, action: &str) {
    match action {
        "email" => w.node_as("action", "SendEmailAction", |w| {
            w.words(&[("toList", "operations@example.com"), ("ccList", "")]);
            w.words(&[("subject", "{alarmName}"), ("body", "{eventDescription}")]);
        }),
        "script" => w.node_as("action", "RunScriptAction", |w| {
            w.text("script", "/usr/local/bin/page-on-call");
        }),
        _ => w.node_as("action", "SendSNMPAction", |_| {}),
    }
}

/// The information of a task that was done, from the collection's activities.
pub(super) fn tasks(facts: &Facts<'_>) -> Vec<String> {
    let mut tasks = Vec::new();
    for it in &facts.collection.control.activities {
        let mut w = Writer::new();
        let at = it.at.copied().map(time).unwrap_or_else(|| facts.now.clone());
        let state = match it.outcome.value().map(|it| it.as_str()) {
            Some("error") => "error",
            Some(_) => "success",
            None => "running",
        };
        w.text("key", &it.native_id);
        w.reference("task", "Task", &it.native_id);
        let method = it.action.rsplit('.').next().unwrap_or_default();
        w.text("name", &format!("{}_Task", upper_first(method)));
        w.text("descriptionId", &it.action);
        if let Some(subject) = it.subject.value() {
            let known = facts.layout.machines.iter().position(|m| m.reference.id == *subject);
            w.reference("entity", "VirtualMachine", subject);
            let named = known.and_then(|it| facts.collection.workloads.get(it));
            w.text_if("entityName", named.map(|it| super::facts::encoded_name(&it.name)));
        }
        w.text("state", state);
        w.flags(&[("cancelled", false), ("cancelable", false)]);
        if state == "error" {
            w.node("error", |w| {
                w.node_as("fault", "TaskInProgress", |_| {});
                w.text("localizedMessage", "Another task is already in progress.");
            });
        }
        match it.principal.value() {
            Some(user) => w.node_as("reason", "TaskReasonUser", |w| w.text("userName", user)),
            None => w.node_as("reason", "TaskReasonSystem", |_| {}),
        }
        w.words(&[("queueTime", &at), ("startTime", &at)]);
        if state != "running" {
            w.text("completeTime", &at);
        }
        w.leaf("eventChainId", tasks.len() + 1);
        tasks.push(w.finish());
    }
    tasks
}

fn upper_first(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|it| it.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
