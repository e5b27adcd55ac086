//! Everything that is written follows the table of types: names, order, and a type for all of it.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use super::super::extract::Child;
use super::super::faults::Refusal;
use super::super::schema::{Field, SCHEMA};
use super::super::sessions::Seen;
use super::super::xml::{Writer, read};
use super::super::{authority, methods, updates};
use super::*;
use crate::{EstateSpec, generate};

/// What is wrong with what was written, and which types were met.
#[derive(Default)]
struct Checked {
    wrong: BTreeSet<String>,
    met: BTreeSet<String>,
    fields: HashMap<String, Vec<Field>>,
}

/// The words of enumerations.
static WORDS: LazyLock<HashMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let lines = include_str!("../schema.txt").lines().filter_map(|it| it.split_once(" = "));
    lines.map(|(name, words)| (name, words.split(' ').collect())).collect()
});

fn words(kind: &str) -> Option<&'static [&'static str]> {
    WORDS.get(kind).map(Vec::as_slice)
}

fn attribute<'a>(child: &Child<'a>, name: &str) -> Option<&'a str> {
    let mut attributes = child.attributes.split_terminator('"');
    while let (Some(found), Some(value)) = (attributes.next(), attributes.next()) {
        if found.trim().trim_end_matches('=') == name {
            return Some(value);
        }
    }
    None
}

impl Checked {
    fn wrong(&mut self, what: String) {
        self.wrong.insert(what);
    }

    /// Elements of a type, one below the other.
    fn fields(&mut self, kind: &str, content: &str) {
        self.met.insert(kind.to_owned());
        let fields = self.fields.entry(kind.to_owned());
        let fields = fields.or_insert_with(|| SCHEMA.fields(kind)).clone();
        let mut last = None;
        for child in children(content) {
            let Some(at) = fields.iter().position(|it| it.name == child.name) else {
                self.wrong(format!("{kind} has no {}", child.name));
                continue;
            };
            let field = fields[at];
            if last > Some(at) {
                self.wrong(format!("{} comes too late in {kind}", child.name));
            }
            if last == Some(at) && !field.many {
                self.wrong(format!("{} comes twice in {kind}", child.name));
            }
            last = Some(at);
            let is_empty_list = field.many && child.inner.is_empty() && child.attributes.is_empty();
            if !is_empty_list {
                self.value(field.kind, &child, &format!("{kind}.{}", child.name));
            }
        }
    }

    /// One value, by the type that its place declares or that it tells itself.
    fn value(&mut self, declared: &str, child: &Child<'_>, place: &str) {
        let told = attribute(child, "xsi:type");
        let kind = told.unwrap_or(declared);
        let kind = kind.strip_prefix("xsd:").unwrap_or(kind);
        if let Some(element) = kind.strip_prefix("ArrayOf") {
            let known = SCHEMA.has(element) || words(element).is_some();
            let lower = element.to_lowercase();
            for child in children(child.inner) {
                self.value(if known { element } else { &lower }, &child, place);
            }
            return;
        }
        let inner = child.inner;
        let fits = match kind {
            "ref" | "ManagedObjectReference" | "managedobjectreference" => {
                let to = attribute(child, "type").unwrap_or_default();
                SCHEMA.managed(to).is_some() && !inner.is_empty()
            }
            "string" | "Link" | "MethodName" | "PropertyPath" | "TypeName" | "anyURI" => {
                !inner.contains('<')
            }
            "boolean" => matches!(inner, "true" | "false"),
            "byte" => inner.parse::<i8>().is_ok(),
            "short" => inner.parse::<i16>().is_ok(),
            "int" => inner.parse::<i32>().is_ok(),
            "long" => inner.parse::<i64>().is_ok(),
            "float" | "double" => inner.parse::<f64>().is_ok(),
            "dateTime" => is_time(inner),
            "anyType" => false,
            _ => return self.described(declared, kind, child, place),
        };
        if !fits {
            self.wrong(format!("{place}: `{inner}` is no {kind}"));
        }
    }

    fn described(&mut self, declared: &str, kind: &str, child: &Child<'_>, place: &str) {
        if let Some(words) = words(kind) {
            self.met.insert(kind.to_owned());
            if !words.contains(&child.inner) {
                self.wrong(format!("{place}: {kind} has no word `{}`", child.inner));
            }
        } else if !SCHEMA.has(kind) {
            self.wrong(format!("{place}: {kind} is not in the table"));
        } else {
            if declared != "anyType" && !SCHEMA.is_a(kind, declared) {
                self.wrong(format!("{place}: {kind} is no {declared}"));
            }
            self.fields(kind, child.inner);
        }
    }

    /// An answer: elements called `returnval`, each of a type.
    fn answer(&mut self, kind: &str, text: &str) {
        assert!(!text.is_empty(), "nothing to check of {kind}");
        for child in children(text) {
            self.value(kind, &child, kind);
        }
    }
}

fn is_time(text: &str) -> bool {
    use time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::parse(text, &Rfc3339).is_ok()
}

fn world(workloads: u32, setup: &Setup) -> World {
    let spec = EstateSpec { workloads, ..EstateSpec::default() };
    World::new(&generate(&spec).remove(0), setup)
}

fn logged_in(world: &World) -> Seen {
    let mut sessions = world.sessions();
    sessions.open("VSPHERE.LOCAL\\entente", "a test").seen.clone()
}

#[test]
fn every_object_follows_the_table_of_types() {
    for bytes in [None, Some(4_000), Some(60_000)] {
        let world = world(250, &Setup { bytes_per_workload: bytes, ..Setup::default() });
        let mut checked = Checked::default();
        for object in &world.read().objects {
            checked.fields(object.kind, &object.content);
        }
        for kind in ["VirtualMachine", "HostSystem"] {
            checked.fields(kind, &world.common(kind));
        }
        assert_eq!(checked.wrong, BTreeSet::new());
    }
}

/// Everything that is answered besides objects' own properties.
fn answers(world: &World) -> Checked {
    let mut checked = Checked::default();
    let seen = logged_in(world);
    let inside = |text: &str| format!("<returnval>{text}</returnval>");
    for session in world.other_sessions.iter().chain([&seen.describe(&world.now)]) {
        checked.answer("UserSession", &inside(session));
    }
    for (_, licence) in &world.assigned_licences {
        checked.answer("LicenseAssignmentManagerLicenseAssignment", &inside(licence));
    }
    for (_, permission) in &world.permissions {
        checked.answer("Permission", permission);
    }
    for task in world.read().tasks(0) {
        checked.answer("TaskInfo", &inside(task));
    }
    checked.answer("ServiceContent", &inside(&services::service_content(&world.about)));
    let asked = "<HasPrivilegeOnEntities><entity type=\"Folder\">group-d1</entity>\
                 <privId>System.Read</privId></HasPrivilegeOnEntities>";
    let answer = authority::has_privileges(world, &read(asked).unwrap()).unwrap();
    checked.answer("EntityPrivilege", &answer);
    let asked = "<FetchUserPrivilegeOnEntities><entities type=\"Folder\">group-d1</entities>\
                 </FetchUserPrivilegeOnEntities>";
    let answer = authority::fetch_privileges(world, &read(asked).unwrap()).unwrap();
    checked.answer("UserPrivilegeResult", &answer);
    for refusal in [
        Refusal::not_authenticated(),
        Refusal::invalid_login(false),
        Refusal::missing("VirtualMachine", "vm-1"),
        Refusal::invalid_property("name"),
        Refusal::invalid_argument("token"),
        Refusal::no_permission("VirtualMachine", "vm-1", "System.Read"),
        Refusal::invalid_power_state("poweredOn", "poweredOn"),
        Refusal::unknown_method("Folder", "group-d1", "Nonsense"),
    ] {
        let mut w = Writer::new();
        refusal.localized(&mut w, "returnval");
        checked.answer("LocalizedMethodFault", w.as_str());
    }
    checked
}

#[test]
fn every_answer_follows_the_table_of_types() {
    let checked = answers(&world(60, &Setup::default()));
    assert_eq!(checked.wrong, BTreeSet::new());
}

#[tokio::test]
async fn pages_and_updates_follow_the_table_of_types() {
    let mut checked = Checked::default();
    for fault in [Fault::Filtered, Fault::Vanish] {
        let world = world(60, &Setup::with(fault));
        let key = logged_in(&world).key;
        let call = |request: &str| {
            let seen = world.sessions().by_key[&key].seen.clone();
            let answer = methods::call(&world, &seen, &read(request).unwrap()).unwrap();
            String::from_utf8(answer.concat()).unwrap()
        };
        let view = call(
            "<CreateContainerView><container type=\"Folder\">group-d1</container>\
             <recursive>true</recursive></CreateContainerView>",
        );
        let view = children(&view).next().unwrap().inner;
        let spec = format!(
            "<propSet><type>ManagedEntity</type><all>true</all></propSet><objectSet>\
             <obj type=\"ContainerView\">{view}</obj><skip>true</skip><selectSet>\
             <type>ContainerView</type><path>view</path></selectSet></objectSet>"
        );
        checked.answer(
            "RetrieveResult",
            &call(&format!(
                "<RetrievePropertiesEx><specSet>{spec}</specSet></RetrievePropertiesEx>"
            )),
        );
        let this = "<_this type=\"PropertyCollector\">propertyCollector</_this>";
        call(&format!("<CreateFilter>{this}<spec>{spec}</spec></CreateFilter>"));
        let all = read(&format!("<CheckForUpdates>{this}<version/></CheckForUpdates>")).unwrap();
        checked.answer("UpdateSet", &updates::wait(&world, &key, &all).await.unwrap());
        let next = format!("<CheckForUpdates>{this}<version>1</version></CheckForUpdates>");
        let next = updates::wait(&world, &key, &read(&next).unwrap()).await.unwrap();
        if fault == Fault::Vanish {
            checked.answer("UpdateSet", &next);
        }
    }
    assert_eq!(checked.wrong, BTreeSet::new());
    for kind in ["MissingProperty", "NoPermission", "ManagedObjectNotFound", "PropertyChange"] {
        assert!(checked.met.contains(kind), "{kind}");
    }
}

#[test]
fn what_the_table_does_not_have_or_has_otherwise_is_found() {
    let mut checked = Checked::default();
    checked.fields("HostSystem", "<nonsense>1</nonsense>");
    checked.fields("VirtualMachine", "<name>a</name><name>b</name><parent></parent>");
    checked.fields("VirtualMachine", "<config><ftInfo xsi:type=\"Strange\"></ftInfo></config>");
    checked.fields("VirtualMachine", "<runtime><powerState>asleep</powerState></runtime>");
    checked.fields("VirtualMachine", "<config><hardware><numCPU>many</numCPU></hardware></config>");
    let expected = [
        "HostSystem has no nonsense",
        "VirtualHardware.numCPU: `many` is no int",
        "VirtualMachine.parent: `` is no ref",
        "VirtualMachineConfigInfo.ftInfo: Strange is not in the table",
        "VirtualMachineRuntimeInfo.powerState: VirtualMachinePowerState has no word `asleep`",
        "name comes twice in VirtualMachine",
        "parent comes too late in VirtualMachine",
    ];
    assert_eq!(checked.wrong.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn machines_are_as_large_as_somebody_wants_them() {
    let world = world(300, &Setup { bytes_per_workload: Some(40_000), ..Setup::default() });
    let inventory = world.read();
    let machines = inventory.objects.iter().filter(|it| it.kind == "VirtualMachine");
    let sizes: Vec<usize> = machines.map(|it| it.content.len()).collect();
    let average = sizes.iter().sum::<usize>() / sizes.len();
    // The summary comes on top.
    assert!((38_000..48_000).contains(&average), "{average}");
}
