//! What is told of changes, in which order and in which portions.

use super::super::methods;
use super::super::world::{World, replace_value};
use super::super::xml::read;
use super::*;
use crate::live::{Fault, Setup};
use crate::{EstateSpec, generate};

/// A world with a session that waits for machines.
struct Waiting {
    world: World,
    key: String,
    view: String,
}

fn between<'a>(text: &'a str, before: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split_once('<').unwrap().0
}

impl Waiting {
    fn new(workloads: u32, setup: &Setup, paths: &[&str]) -> Self {
        let spec = EstateSpec { workloads, ..EstateSpec::default() };
        let world = World::new(&generate(&spec).remove(0), setup);
        let key = world.sessions().open("VSPHERE.LOCAL\\entente", "a test").seen.key.clone();
        let mut it = Self { world, key, view: String::new() };
        let view = it.call(
            "<CreateContainerView><container type=\"Folder\">group-d1</container>\
             <type>VirtualMachine</type><recursive>true</recursive></CreateContainerView>",
        );
        it.view = between(&view, "<returnval type=\"ContainerView\">").to_owned();
        let paths: String = paths.iter().map(|it| format!("<pathSet>{it}</pathSet>")).collect();
        it.call(&format!(
            "<CreateFilter><_this type=\"PropertyCollector\">propertyCollector</_this><spec>\
             <propSet><type>VirtualMachine</type>{paths}</propSet><objectSet>\
             <obj type=\"ContainerView\">{}</obj><skip>true</skip><selectSet>\
             <type>ContainerView</type><path>view</path></selectSet></objectSet></spec>\
             </CreateFilter>",
            it.view
        ));
        it
    }

    fn call(&self, request: &str) -> String {
        let seen = self.world.sessions().by_key[&self.key].seen.clone();
        let answer = methods::call(&self.world, &seen, &read(request).unwrap()).unwrap();
        answer.iter().map(|it| str::from_utf8(it).unwrap()).collect()
    }

    async fn ask(&self, method: &str, version: &str, options: &str) -> Result<String, Refusal> {
        let request = format!(
            "<{method}><_this type=\"PropertyCollector\">propertyCollector</_this>\
             <version>{version}</version><options><maxWaitSeconds>0</maxWaitSeconds>{options}\
             </options></{method}>"
        );
        wait(&self.world, &self.key, &read(&request).unwrap()).await
    }

    /// What is told now, without waiting.
    async fn next(&self, version: &str) -> String {
        self.ask("WaitForUpdatesEx", version, "").await.unwrap()
    }

    /// Everything that is told now: the updates, and the version.
    async fn all(&self, version: &str) -> (String, String) {
        let (mut all, mut version) = (String::new(), version.to_owned());
        loop {
            let part = self.next(&version).await;
            all.push_str(&part);
            if !part.is_empty() {
                version = between(&part, "<version>").to_owned();
            }
            if !part.contains("<truncated>true") {
                return (all, version);
            }
        }
    }

    /// Ids of the machines that are turned on.
    fn running(&self) -> Vec<String> {
        let inventory = self.world.read();
        let machines = inventory.objects.iter().filter(|it| it.kind == "VirtualMachine");
        let on = machines.filter(|it| it.content.contains("<powerState>poweredOn</powerState>"));
        on.map(|it| it.id.to_string()).collect()
    }

    fn turn_off(&self, id: &str) {
        self.call(&format!(
            "<PowerOffVM_Task><_this type=\"VirtualMachine\">{id}</_this></PowerOffVM_Task>"
        ));
    }
}

fn count(text: &str, kind: &str) -> usize {
    text.matches(&format!("<kind>{kind}</kind>")).count()
}

#[tokio::test]
async fn no_set_holds_more_than_was_asked_for_and_each_object_changes_once() {
    let it = Waiting::new(260, &Setup::default(), &["runtime.powerState"]);
    let first = it.next("").await;
    // What a vCenter gives at most.
    assert_eq!(count(&first, "enter"), OBJECTS_MAX);
    assert!(first.contains("<truncated>true</truncated>"));
    let (rest, version) = it.all(between(&first, "<version>")).await;
    assert_eq!(count(&rest, "enter"), 160);
    let running = it.running();
    assert!(running.len() > OBJECTS_MAX + 7, "{}", running.len());
    for id in &running {
        it.turn_off(id);
    }
    let seven = "<maxObjectUpdates>7</maxObjectUpdates>";
    let some = it.ask("WaitForUpdatesEx", &version, seven).await.unwrap();
    assert_eq!(count(&some, "modify"), 7);
    assert!(some.contains("<truncated>true</truncated>"));
    let (others, version) = it.all(between(&some, "<version>")).await;
    assert_eq!(count(&some, "modify") + count(&others, "modify"), running.len());
    assert_eq!(it.next(&version).await, "");
}

#[tokio::test]
async fn what_changed_before_an_object_was_told_is_told_with_it() {
    let it = Waiting::new(150, &Setup::default(), &["runtime.powerState"]);
    let first = it.next("").await;
    for id in it.running() {
        it.turn_off(&id);
    }
    let told = |id: &String| first.contains(&format!(">{id}</obj>"));
    let (rest, version) = it.all(between(&first, "<version>")).await;
    assert_eq!(count(&rest, "enter"), 50);
    assert!(!rest.contains(">poweredOn</val>"));
    let modified = rest.split("<kind>modify</kind>").skip(1);
    let modified: Vec<String> =
        modified.map(|it| between(it, "<obj type=\"VirtualMachine\">").to_owned()).collect();
    assert!(!modified.is_empty() && modified.iter().all(told));
    assert_eq!(it.next(&version).await, "");
}

#[tokio::test]
async fn the_version_of_a_whole_set_can_be_used_again_and_that_of_a_part_once() {
    let it = Waiting::new(120, &Setup::default(), &["runtime.powerState"]);
    let part = it.next("").await;
    let of_part = between(&part, "<version>");
    let refused = it.ask("CheckForUpdates", of_part, "").await.unwrap_err();
    assert_eq!(refused.kind, "InvalidCollectorVersion");
    let whole = it.next(of_part).await;
    let again = it.ask("WaitForUpdatesEx", of_part, "").await.unwrap_err();
    assert_eq!(again.kind, "InvalidCollectorVersion");
    let of_whole = between(&whole, "<version>");
    it.turn_off(&it.running()[0]);
    let lost = it.next(of_whole).await;
    // The answer did not arrive: the same is asked again.
    let repeated = it.next(of_whole).await;
    assert_eq!(count(&lost, "modify"), 1);
    assert_eq!(count(&repeated, "modify"), 1);
    let unknown = it.ask("WaitForUpdatesEx", "4711", "").await.unwrap_err();
    assert_eq!(unknown.kind, "InvalidCollectorVersion");
}

#[tokio::test]
async fn older_methods_know_no_parts_and_nobody_may_ask_for_nothing() {
    let it = Waiting::new(120, &Setup::default(), &["name"]);
    let all = it.ask("CheckForUpdates", "", "").await.unwrap();
    assert_eq!(count(&all, "enter"), 120);
    assert!(!all.contains("truncated"));
    for option in
        ["<maxObjectUpdates>0</maxObjectUpdates>", "<maxObjectUpdates>-1</maxObjectUpdates>"]
    {
        let refused = it.ask("WaitForUpdatesEx", "", option).await.unwrap_err();
        assert_eq!(refused.kind, "InvalidArgument");
    }
}

#[tokio::test]
async fn a_machine_that_vanishes_is_told_and_leaves() {
    let it = Waiting::new(11, &Setup::with(Fault::Vanish), &["name"]);
    let (first, version) = it.all("").await;
    assert_eq!((count(&first, "enter"), count(&first, "leave")), (11, 0));
    let (then, version) = it.all(&version).await;
    assert_eq!((count(&then, "enter"), count(&then, "leave")), (0, 1));
    let gone = between(&then, "<obj type=\"VirtualMachine\">").to_owned();
    assert_eq!(it.next(&version).await, "");
    // Whoever begins anew does not hear of it.
    let anew = it.next("").await;
    assert_eq!(count(&anew, "enter"), 10);
    assert!(!anew.contains(&format!(">{gone}</obj>")));
    assert_eq!(it.world.find("VirtualMachine", &gone).unwrap_err().kind, "ManagedObjectNotFound");
}

#[test]
fn what_may_not_be_read_leads_nowhere() {
    let follow = |setup: &Setup, at: usize| {
        let it = Waiting::new(12, setup, &["name"]);
        let inventory = it.world.read();
        let mut machines = inventory.objects.iter().filter(|it| it.kind == "VirtualMachine");
        let id = machines.nth(at).unwrap().id.clone();
        drop(inventory);
        it.call(&format!(
            "<RetrievePropertiesEx><specSet><propSet><type>Datastore</type>\
             <pathSet>name</pathSet></propSet><objectSet><obj type=\"VirtualMachine\">{id}</obj>\
             <skip>true</skip><selectSet><type>VirtualMachine</type><path>datastore</path>\
             </selectSet></objectSet></specSet><options/></RetrievePropertiesEx>"
        ))
    };
    // The first machine is the one that may only be seen to be there.
    assert!(follow(&Setup::default(), 0).contains("<obj type=\"Datastore\">"));
    assert!(!follow(&Setup::with(Fault::Filtered), 0).contains("<objects>"));
    assert!(follow(&Setup::with(Fault::Filtered), 1).contains("<obj type=\"Datastore\">"));
}

#[tokio::test]
async fn what_the_account_may_not_see_is_missing_from_what_it_is_told() {
    let it = Waiting::new(12, &Setup::with(Fault::Filtered), &["name", "runtime.powerState"]);
    let (first, version) = it.all("").await;
    assert_eq!(count(&first, "enter"), 6);
    assert_eq!(first.matches("<missingSet><path>runtime.powerState</path>").count(), 1);
    assert_eq!(first.matches("xsi:type=\"NoPermission\"").count(), 1);
    assert_eq!(first.matches("<name>runtime.powerState</name>").count(), 5);
    let hidden = it.world.restricted.last().unwrap().clone();
    it.world.change(|inventory| {
        let at = inventory.find(&hidden).unwrap();
        let content = inventory.get(at).unwrap().content.to_string();
        inventory.replace(at, replace_value(&content, "powerState", "suspended"));
    });
    assert_eq!(it.next(&version).await, "");
}

#[test]
fn who_may_only_read_turns_nothing_off() {
    let it = Waiting::new(12, &Setup::with(Fault::Filtered), &["name"]);
    let seen = it.world.sessions().by_key[&it.key].seen.clone();
    for id in it.running() {
        let request = format!(
            "<PowerOffVM_Task><_this type=\"VirtualMachine\">{id}</_this></PowerOffVM_Task>"
        );
        let refused = methods::call(&it.world, &seen, &read(&request).unwrap()).unwrap_err();
        assert_eq!(refused.kind, "NoPermission");
    }
}

#[tokio::test]
async fn waiting_is_cancelled_only_for_who_waits() {
    let it = Waiting::new(3, &Setup::default(), &["name"]);
    let (_, version) = it.all("").await;
    let cancel = "<CancelWaitForUpdates><_this type=\"PropertyCollector\">propertyCollector</_this>\
                  </CancelWaitForUpdates>";
    // Nobody waits: nothing happens, now or later.
    it.call(cancel);
    assert_eq!(it.next(&version).await, "");
    let request = format!(
        "<WaitForUpdatesEx><_this type=\"PropertyCollector\">propertyCollector</_this>\
         <version>{version}</version></WaitForUpdatesEx>"
    );
    let request = read(&request).unwrap();
    let cancelling = async { it.call(cancel) };
    let (waited, _) = tokio::join!(wait(&it.world, &it.key, &request), cancelling);
    assert_eq!(waited.unwrap_err().kind, "RequestCanceled");
    let leaving = async { it.call("<Logout></Logout>") };
    let (waited, _) = tokio::join!(wait(&it.world, &it.key, &request), leaving);
    assert_eq!(waited.unwrap_err().kind, "NotAuthenticated");
}

#[test]
fn a_task_that_is_begun_is_read_with_the_others_and_recent_ones_are_bounded() {
    let it = Waiting::new(300, &Setup::default(), &["name"]);
    let created = it.call("<CreateCollectorForTasks></CreateCollectorForTasks>");
    let id = between(&created, "<returnval type=\"TaskHistoryCollector\">");
    let next = format!(
        "<ReadNextTasks><_this type=\"TaskHistoryCollector\">{id}</_this><maxCount>1000</maxCount>\
         </ReadNextTasks>"
    );
    let before = it.call(&next);
    assert!(!before.contains("PowerOffVM_Task"));
    let running = it.running();
    for id in running.iter().chain(&running) {
        it.turn_off(id);
    }
    let after = it.call(&next);
    assert_eq!(after.matches("<name>PowerOffVM_Task</name>").count(), running.len() * 2);
    assert_eq!(after.matches("<state>error</state>").count(), running.len());
    let inventory = it.world.read();
    let manager = inventory.get(inventory.find("TaskManager").unwrap()).unwrap();
    assert_eq!(manager.content.matches("<recentTask ").count(), 200);
}
