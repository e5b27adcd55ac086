//! The vSphere twin, asked directly: what it answers, and how it misbehaves when told to.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    reason = "helpers of tests fail by panicking"
)]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use entente_model::Collection;
use entente_twins::live::{Fault, PlatformTwin, Served, Setup, platforms};
use entente_twins::{EstateSpec, generate};

fn twin() -> &'static dyn PlatformTwin {
    *platforms().iter().find(|it| it.connector() == "vsphere").unwrap()
}

fn estate(workloads: u32) -> Collection {
    generate(&EstateSpec { workloads, ..EstateSpec::default() }).remove(0)
}

async fn serve(workloads: u32, setup: Setup) -> Served {
    twin().serve(Arc::new(estate(workloads)), setup).await.unwrap()
}

/// A client that knows nothing but text.
struct Client {
    address: String,
    cookie: String,
    view: String,
}

impl Client {
    fn new(served: &Served) -> Self {
        let address = served.address.trim_start_matches("http://").to_owned();
        Self { address, cookie: String::new(), view: String::new() }
    }

    fn try_log_in(&mut self, user: &str, password: &str) -> (u16, String) {
        self.call(
            "Login",
            "SessionManager",
            &format!("<userName>{user}</userName><password>{password}</password>"),
        )
    }

    /// Calls a method of a manager; gives the status and the whole answer.
    fn call(&mut self, method: &str, on: &str, arguments: &str) -> (u16, String) {
        let (kind, id) = on.split_once('=').unwrap_or((on, on));
        let body = format!(
            "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><Body>\
             <{method} xmlns=\"urn:vim25\"><_this type=\"{kind}\">{id}</_this>{arguments}</{method}>\
             </Body></Envelope>"
        );
        let request = format!(
            "POST /sdk HTTP/1.1\r\nHost: twin\r\nConnection: close\r\nCookie: {}\r\n\
             Content-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}",
            self.cookie,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // An answer that breaks off on purpose is one, too.
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        for line in head.lines() {
            if let Some(cookie) = line.strip_prefix("set-cookie: ") {
                self.cookie = cookie.split(';').next().unwrap().to_owned();
            }
        }
        (head[9..12].parse().unwrap(), body.to_owned())
    }

    fn open_view(&mut self, kind: &str) {
        let container = "<container type=\"Folder\">group-d1</container>";
        let (status, answer) = self.call(
            "CreateContainerView",
            "ViewManager",
            &format!("{container}<type>{kind}</type><recursive>true</recursive>"),
        );
        assert_eq!(status, 200, "{answer}");
        self.view = between(&answer, "<returnval type=\"ContainerView\">", "<").to_owned();
    }

    fn filter(&self, kind: &str, paths: &[&str]) -> String {
        let paths: String = paths.iter().map(|it| format!("<pathSet>{it}</pathSet>")).collect();
        format!(
            "<propSet><type>{kind}</type>{paths}</propSet><objectSet>\
             <obj type=\"ContainerView\">{}</obj><skip>true</skip>\
             <selectSet xsi:type=\"TraversalSpec\"><type>ContainerView</type><path>view</path>\
             <skip>false</skip></selectSet></objectSet>",
            self.view
        )
    }

    fn retrieve(&mut self, kind: &str, paths: &[&str], page: usize) -> (u16, String) {
        let filter = self.filter(kind, paths);
        self.call(
            "RetrievePropertiesEx",
            "PropertyCollector=propertyCollector",
            &format!(
                "<specSet>{filter}</specSet><options><maxObjects>{page}</maxObjects></options>"
            ),
        )
    }

    fn go_on(&mut self, token: &str) -> (u16, String) {
        let token = format!("<token>{token}</token>");
        let on = "PropertyCollector=propertyCollector";
        self.call("ContinueRetrievePropertiesEx", on, &token)
    }

    /// Every page of machines.
    fn machines(&mut self, paths: &[&str], page: usize) -> Vec<String> {
        let mut pages = vec![self.retrieve("VirtualMachine", paths, page).1];
        while let Some(token) = token(pages.last().unwrap()) {
            let next = self.go_on(&token).1;
            pages.push(next);
        }
        pages
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no `{before}` in {text}"));
    rest.split_once(after).unwrap().0
}

fn token(page: &str) -> Option<String> {
    page.contains("<token>").then(|| between(page, "<token>", "</token>").to_owned())
}

fn names(page: &str) -> Vec<&str> {
    let values = page.split("<name>name</name><val xsi:type=\"xsd:string\">").skip(1);
    values.map(|it| it.split_once('<').unwrap().0).collect()
}

/// The client blocks: it has a thread of its own.
async fn with_client<T: Send + 'static>(
    served: &Served,
    act: impl FnOnce(Client) -> T + Send + 'static,
) -> T {
    let client = Client::new(served);
    tokio::task::spawn_blocking(move || act(client)).await.unwrap()
}

async fn logged_in<T: Send + 'static>(
    served: &Served,
    act: impl FnOnce(Client) -> T + Send + 'static,
) -> T {
    let mut client = Client::new(served);
    let (user, password) = (served.user.clone(), served.password.clone());
    tokio::task::spawn_blocking(move || {
        assert_eq!(client.try_log_in(&user, &password).0, 200);
        client.open_view("VirtualMachine");
        act(client)
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_any_size_hold_every_machine_once() {
    let served = serve(60, Setup::default()).await;
    let mut wanted: Vec<String> = estate(60)
        .workloads
        .iter()
        .map(|it| it.name.replace('%', "%25").replace('/', "%2f"))
        .collect();
    wanted.sort();
    for (page, calls) in [(1, 60), (7, 9), (60, 1), (1000, 1)] {
        let pages = logged_in(&served, move |mut it| it.machines(&["name"], page)).await;
        assert_eq!(pages.len(), calls);
        let mut found: Vec<String> = pages
            .iter()
            .flat_map(|it| names(it))
            .map(|it| it.replace("&quot;", "\"").replace("&amp;", "&"))
            .collect();
        found.sort();
        assert_eq!(found, wanted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_says_what_the_whole_says_with_its_own_type() {
    let served = serve(20, Setup::default()).await;
    let estate = estate(20);
    let answer = logged_in(&served, |mut it| {
        let paths = ["config.hardware.numCPU", "runtime.host", "guest.disk", "config"];
        it.retrieve("VirtualMachine", &paths, 1).1
    })
    .await;
    let cpus = estate.workloads[0].cpu.count.copied().unwrap();
    let value = "<name>config.hardware.numCPU</name><val xsi:type=\"xsd:int\">";
    assert_eq!(between(&answer, value, "<"), cpus.to_string());
    assert_eq!(
        between(between(&answer, "<hardware>", "</hardware>"), "<numCPU>", "<"),
        cpus.to_string()
    );
    assert!(answer.contains("<name>runtime.host</name><val type=\"HostSystem\" xsi:type=\"ManagedObjectReference\">host-"));
    assert!(
        answer.contains(
            "<name>guest.disk</name><val xsi:type=\"ArrayOfGuestDiskInfo\"><GuestDiskInfo>"
        )
    );
    let (status, refused) =
        logged_in(&served, |mut it| it.retrieve("VirtualMachine", &["config.nonsense"], 1)).await;
    assert_eq!(status, 500);
    assert!(refused.contains("<InvalidPropertyFault") && refused.contains("config.nonsense"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reads_without_logging_in_and_nobody_logs_in_with_a_wrong_password() {
    let served = serve(5, Setup::default()).await;
    let user = served.user.clone();
    let (unknown, wrong) = with_client(&served, move |mut it| {
        let view = it.call("CreateContainerView", "ViewManager", "");
        (view, it.try_log_in(&user, "guess"))
    })
    .await;
    assert!(unknown.0 == 500 && unknown.1.contains("xsi:type=\"NotAuthenticated\""));
    assert!(wrong.0 == 500 && wrong.1.contains("xsi:type=\"InvalidLogin\""));
    assert!(wrong.1.contains("<faultcode>ServerFaultCode</faultcode>"));
    let locked = serve(5, Setup::with(Fault::Locked)).await;
    let (user, password) = (locked.user.clone(), locked.password.clone());
    let refused = with_client(&locked, move |mut it| it.try_log_in(&user, &password)).await;
    assert!(refused.1.contains("xsi:type=\"InvalidLogin\"") && refused.1.contains("locked"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_session_answers_200_and_nothing_but_what_is_missing() {
    // The first two calls open the view and read a page.
    let served = serve(10, Setup::with(Fault::ExpireSession { after_calls: 2 })).await;
    let (user, password) = (served.user.clone(), served.password.clone());
    let (before, after, refused, again) = logged_in(&served, move |mut it| {
        let before = it.retrieve("VirtualMachine", &["name"], 100);
        let after = it.retrieve("VirtualMachine", &["name"], 100);
        let refused = it.call("GetAlarm", "AlarmManager", "");
        it.try_log_in(&user, &password);
        it.open_view("VirtualMachine");
        let again = it.retrieve("VirtualMachine", &["name"], 100);
        (before, after, refused, again)
    })
    .await;
    assert_eq!((before.0, names(&before.1).len()), (200, 10));
    assert_eq!((after.0, names(&after.1).len()), (200, 0));
    assert_eq!(after.1.matches("<missingSet><path>name</path>").count(), 10);
    assert_eq!(after.1.matches("xsi:type=\"NotAuthenticated\"").count(), 10);
    assert!(refused.0 == 500 && refused.1.contains("<NotAuthenticatedFault"));
    assert_eq!(names(&again.1).len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_pages_repeat_the_first() {
    let served = serve(10, Setup::with(Fault::EndlessPaging)).await;
    let pages = logged_in(&served, |mut it| {
        let first = it.retrieve("VirtualMachine", &["name"], 4).1;
        let second = it.go_on(&token(&first).unwrap()).1;
        let third = it.go_on(&token(&second).unwrap()).1;
        [first, second, third]
    })
    .await;
    assert_eq!(names(&pages[0]).len(), 4);
    assert_eq!(names(&pages[1]), names(&pages[0]));
    assert_eq!(names(&pages[2]), names(&pages[0]));
    assert!(token(&pages[2]).is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_machine_in_the_middle_is_gone_or_incomprehensible_and_the_others_are_not() {
    let vanished = serve(11, Setup::with(Fault::Vanish)).await;
    let page = logged_in(&vanished, |mut it| it.retrieve("VirtualMachine", &["name"], 99).1).await;
    assert_eq!(names(&page).len(), 10);
    assert_eq!(page.matches("xsi:type=\"ManagedObjectNotFound\"").count(), 1);
    let spoilt = serve(11, Setup::with(Fault::BadElement)).await;
    let page = logged_in(&spoilt, |mut it| {
        let paths = ["runtime.powerState", "config.hardware.numCPU", "config.annotation"];
        it.retrieve("VirtualMachine", &paths, 99).1
    })
    .await;
    assert_eq!(page.matches(">hibernating<").count(), 1);
    assert_eq!(page.matches(">many<").count(), 1);
    assert_eq!(page.matches('\u{b}').count(), 1);
    assert_eq!(page.matches("<name>runtime.powerState</name>").count(), 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filtered_account_sees_half_and_can_find_out() {
    let served = serve(20, Setup::with(Fault::Filtered)).await;
    let (page, privileges, sessions) = logged_in(&served, |mut it| {
        let page = it.retrieve("VirtualMachine", &["name", "config.uuid"], 99).1;
        let asked = "<entity type=\"Folder\">group-d1</entity><sessionId>s</sessionId>\
                     <privId>System.View</privId><privId>System.Read</privId>";
        let privileges = it.call("HasPrivilegeOnEntities", "AuthorizationManager", asked).1;
        let sessions = it.call(
            "RetrievePropertiesEx",
            "PropertyCollector=propertyCollector",
            "<specSet><propSet><type>SessionManager</type><pathSet>sessionList</pathSet></propSet>\
             <objectSet><obj type=\"SessionManager\">SessionManager</obj></objectSet></specSet>\
             <options/>",
        );
        (page, privileges, sessions.1)
    })
    .await;
    assert_eq!(names(&page).len(), 10);
    assert_eq!(page.matches("<missingSet><path>config.uuid</path>").count(), 1);
    assert!(privileges.contains("<privId>System.Read</privId><isGranted>false"));
    assert!(privileges.contains("<privId>System.View</privId><isGranted>true"));
    assert!(sessions.contains("<privilegeId>Sessions.TerminateSession</privilegeId>"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hidden_machines_are_nowhere_and_every_object_tells_the_accounts_own_role() {
    let served = serve(40, Setup::with(Fault::Filtered)).await;
    let whole = estate(40);
    let (all, found) = logged_in(&served, |mut it| {
        it.open_view("ManagedEntity");
        let paths = ["name", "effectiveRole"];
        let entities = it.retrieve("ManagedEntity", &paths, 10_000).1;
        let mut all = entities.clone();
        for (kind, paths) in [
            ("Folder", &["childEntity"][..]),
            ("HostSystem", &["vm"]),
            ("ResourcePool", &["vm"]),
            ("Datastore", &["vm"]),
            ("Network", &["vm"]),
            ("ClusterComputeResource", &["configurationEx"]),
        ] {
            all.push_str(&it.retrieve(kind, paths, 10_000).1);
        }
        let tasks = it.call("CreateCollectorForTasks", "TaskManager", "").1;
        let tasks = between(&tasks, "<returnval type=\"TaskHistoryCollector\">", "<").to_owned();
        let on = format!("TaskHistoryCollector={tasks}");
        all.push_str(&it.call("ReadNextTasks", &on, "<maxCount>1000</maxCount>").1);
        (all, entities)
    })
    .await;
    let hidden = whole.workloads.iter().skip(1).step_by(2);
    for id in hidden.filter_map(|it| it.native_id.value()) {
        assert!(!all.contains(&format!(">{id}<")), "{id} is hidden");
    }
    let roles = |it: &str| found.matches(&format!("<int>{it}</int>")).count();
    assert_eq!(roles("-1"), 0);
    assert!(roles("-2") > 20);
    // What may only be seen to be there does not tell even that.
    assert!(found.matches("<missingSet><path>effectiveRole</path>").count() >= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_of_the_inventory_go_by_own_names_and_hosts_tell_what_they_can() {
    let served = serve(40, Setup::default()).await;
    let clusters = estate(40).clusters;
    let cluster = clusters.iter().find(|it| it.name.starts_with("fra1")).unwrap().name.clone();
    let (found, nothing, host) = logged_in(&served, move |mut it| {
        let mut find = |path: &str| {
            let path = format!("<inventoryPath>{path}</inventoryPath>");
            it.call("FindByInventoryPath", "SearchIndex", &path).1
        };
        let found = find(&format!("/fra1/host/{cluster}"));
        // Every host has a product of this name.
        let nothing = find(&format!("/fra1/host/{cluster}/VMware ESXi"));
        it.open_view("HostSystem");
        let host = it.retrieve("HostSystem", &["capability.vmotionSupported", "capability"], 1).1;
        (found, nothing, host)
    })
    .await;
    assert!(found.contains("<returnval type=\"ClusterComputeResource\">"));
    assert!(!nothing.contains("<returnval"), "{nothing}");
    let value = "<name>capability.vmotionSupported</name><val xsi:type=\"xsd:boolean\">";
    assert_eq!(between(&host, value, "<"), "true");
    assert!(host.contains("<name>capability</name><val xsi:type=\"HostCapability\">"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_vcenter_says_so_and_an_empty_one_has_nothing() {
    let old = serve(3, Setup::with(Fault::Old)).await;
    let content =
        with_client(&old, |mut it| it.call("RetrieveServiceContent", "ServiceInstance", "").1)
            .await;
    assert_eq!(between(&content, "<apiVersion>", "<"), "6.0");
    let empty = serve(0, Setup::default()).await;
    let pages = logged_in(&empty, |mut it| it.machines(&["name"], 10)).await;
    assert_eq!(pages.len(), 1);
    assert!(!pages[0].contains("<objects>"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_change_arrives_as_a_delta_of_one_object() {
    let served = serve(30, Setup::default()).await;
    let estate = estate(30);
    let on = |it: &&entente_model::Workload| {
        it.power == entente_model::Observed::Value(entente_model::PowerState::On)
    };
    let machine = estate.workloads.iter().find(on).unwrap().native_id.value().unwrap().to_string();
    let id = machine.clone();
    let (first, delta, nothing) = logged_in(&served, move |mut it| {
        let collector = "PropertyCollector=propertyCollector";
        let filter = it.filter("VirtualMachine", &["runtime.powerState", "name"]);
        let spec = format!("<spec>{filter}</spec><partialUpdates>false</partialUpdates>");
        it.call("CreateFilter", collector, &spec);
        let first = it.call("WaitForUpdatesEx", collector, "<version></version>").1;
        let version = between(&first, "<version>", "<").to_owned();
        let wait = format!("<version>{version}</version>");
        let mut other = Client {
            cookie: it.cookie.clone(),
            ..Client { address: it.address.clone(), cookie: String::new(), view: String::new() }
        };
        let waiting = std::thread::spawn(move || {
            let delta = it.call("WaitForUpdatesEx", collector, &wait).1;
            let wait = format!(
                "<version>{}</version><options><maxWaitSeconds>0</maxWaitSeconds></options>",
                between(&delta, "<version>", "<")
            );
            (delta, it.call("WaitForUpdatesEx", collector, &wait).1)
        });
        let task = other.call("PowerOffVM_Task", &format!("VirtualMachine={id}"), "").1;
        assert!(task.contains("<returnval type=\"Task\">task-"));
        let (delta, nothing) = waiting.join().unwrap();
        (first, delta, nothing)
    })
    .await;
    assert_eq!(first.matches("<kind>enter</kind>").count(), 30);
    assert_eq!(delta.matches("<objectSet>").count(), 1);
    assert!(
        delta.contains(&format!("<kind>modify</kind><obj type=\"VirtualMachine\">{machine}</obj>"))
    );
    assert!(delta.contains("<name>runtime.powerState</name><op>assign</op>"));
    assert!(delta.contains(">poweredOff</val>"));
    assert!(!delta.contains("<name>name</name>"));
    assert!(!nothing.contains("<returnval>"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn references_lead_to_objects_that_are_there() {
    let served = serve(40, Setup::default()).await;
    let (page, known) = logged_in(&served, |mut it| {
        it.open_view("ManagedEntity");
        let paths = ["parent"];
        let page = it.retrieve("ManagedEntity", &paths, 10_000).1;
        let known: BTreeSet<String> = page
            .split("<objects><obj type=\"")
            .skip(1)
            .map(|it| between(it, "\">", "<").to_owned())
            .collect();
        let whole = it
            .retrieve(
                "VirtualMachine",
                &["datastore", "network", "resourcePool", "runtime.host"],
                99,
            )
            .1;
        (page + &whole, known)
    })
    .await;
    let referred = page.split("xsi:type=\"ManagedObjectReference\">").skip(1);
    let referred: BTreeSet<&str> = referred.map(|it| it.split_once('<').unwrap().0).collect();
    assert!(referred.len() > 20);
    for id in referred {
        assert!(known.contains(id) || id == "group-d1", "nothing is called {id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_one_answer_strike_the_list_of_machines_and_each_of_its_pages_only() {
    let served = serve(20, Setup::with(Fault::Truncate)).await;
    let (machines, hosts) = logged_in(&served, |mut it| {
        let machines = it.retrieve("VirtualMachine", &["name"], 5).1;
        it.open_view("HostSystem");
        (machines, it.retrieve("HostSystem", &["name"], 5).1)
    })
    .await;
    assert!(!machines.contains("</soapenv:Envelope>"));
    assert!(hosts.ends_with("</soapenv:Envelope>"));
    let busy = Fault::Busy { status: 503, times: 1, retry_after_seconds: Some(0) };
    let served = serve(5, Setup::with(busy)).await;
    let (user, password) = (served.user.clone(), served.password.clone());
    let statuses = with_client(&served, move |mut it| {
        let log_in = it.try_log_in(&user, &password).0;
        let first = it.call("GetAlarm", "AlarmManager", "").0;
        [log_in, first, it.call("GetAlarm", "AlarmManager", "").0]
    })
    .await;
    assert_eq!(statuses, [200, 503, 200]);
}
