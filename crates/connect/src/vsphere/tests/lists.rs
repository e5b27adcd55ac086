//! Lists: which gaps stand in which, what is hidden, what was dropped, what is kept at a limit.

use super::*;

/// An object of some kind, with whatever it tells.
fn object(kind: &str, id: &str, told: &str) -> String {
    format!("<objects><obj type=\"{kind}\">{id}</obj>{told}</objects>")
}

fn reference(name: &str, kind: &str, id: &str) -> String {
    format!("<propSet><name>{name}</name><val type=\"{kind}\">{id}</val></propSet>")
}

/// What the server says of itself, with one more manager.
fn with_manager(asked: &Asked<'_>, api: &str, name: &str, kind: &str) -> Option<Reply> {
    let manager = format!("<{name} type=\"{kind}\">{name}</{name}><about>");
    let content = content(api, "7.0.3.0").replace("<about>", &manager);
    (asked.method == "RetrieveServiceContent").then(|| xml(envelope(asked.method, &content)))
}

#[test]
fn gaps_stand_in_the_list_that_they_are_of() {
    let gone = object("Datastore", "datastore-1", &missing("name", "ManagedObjectNotFound", ""));
    let collection = collected(move |asked| {
        asked.is_infrastructure().then(|| match asked.body.contains("iormConfiguration") {
            true => {
                let name = "<name>iormConfiguration</name>";
                fault("InvalidProperty", "no such property", name)
            }
            false => page(&(INFRASTRUCTURE.to_owned() + &gone)),
        })
    });
    assert_eq!(gaps_of(&collection, "datastores", GapCause::Vanished).len(), 1);
    assert_eq!(gaps_of(&collection, "datastores", GapCause::MissingField).len(), 1);
    for list in ["folders", "hosts", "clusters"] {
        assert_eq!(gaps_of(&collection, list, GapCause::Vanished), Vec::<&Gap>::new(), "{list}");
        assert_eq!(gaps_of(&collection, list, GapCause::MissingField), Vec::<&Gap>::new());
    }
}

#[test]
fn rights_that_are_not_known_are_a_gap_of_every_list_that_is_filtered() {
    let collection = collected(|_| None);
    for list in ["workloads", "hosts", "datastores", "grants"] {
        let gaps = gaps_of(&collection, list, GapCause::CallFailed);
        assert!(gaps.iter().any(|it| it.message.contains("System.View")), "{list}: {gaps:?}");
    }
}

#[test]
fn what_is_referred_to_and_in_no_list_is_missing_from_that_list() {
    let machine = machine("vm-1", "one", &reference("runtime.host", "HostSystem", "host-9"));
    let cluster = reference("parent", "Folder", "group-h9")
        + &property("name", "c")
        + &property("summary", "<numHosts>2</numHosts>");
    let cluster = object("ClusterComputeResource", "domain-c1", &cluster);
    let collection = collected(move |asked| match asked.method {
        _ if asked.is_workloads() => Some(page(&machine)),
        _ if asked.is_infrastructure() => Some(page(&(INFRASTRUCTURE.to_owned() + &cluster))),
        _ => None,
    });
    // Nobody said that it is rights which hide it.
    let placement = &named(&collection, "one").placement;
    assert_eq!(placement.host, Observed::Unobserved(Why::Unreadable));
    let hidden = gaps_of(&collection, "hosts", GapCause::DanglingReference);
    let mut hidden: Vec<_> = hidden.iter().filter_map(|it| it.value.as_deref()).collect();
    hidden.sort_unstable();
    assert_eq!(hidden, ["domain-c1", "host-9"]);
    let folders = gaps_of(&collection, "folders", GapCause::DanglingReference);
    assert_eq!(folders[0].value.as_deref(), Some("group-h9"));
}

#[test]
fn what_is_hidden_is_hidden_by_rights_where_these_are_lacking() {
    let host = reference("runtime.host", "HostSystem", "host-9");
    let machine = machine("vm-1", "one", &host);
    let collection = collected(move |asked| match asked.method {
        "HasPrivilegeOnEntities" => {
            let lacks = |name| {
                format!(
                    "<privAvailability><privId>{name}</privId><isGranted>false</isGranted></privAvailability>"
                )
            };
            let told = ["System.View", "System.Read"].map(lacks).concat();
            let inner =
                format!("<returnval><entity type=\"Folder\">group-d1</entity>{told}</returnval>");
            Some(xml(envelope(asked.method, &inner)))
        }
        _ if asked.is_workloads() => Some(page(&machine)),
        _ => with_manager(asked, "VirtualCenter", "authorizationManager", "AuthorizationManager"),
    });
    let placement = &named(&collection, "one").placement;
    assert_eq!(placement.host, Observed::Unobserved(Why::NoPermission));
    assert!(!gaps_of(&collection, "hosts", GapCause::NoPermission).is_empty());
}

#[test]
fn a_place_whose_surroundings_are_hidden_is_not_said_to_be_below_the_root() {
    let folder = reference("parent", "Folder", "group-v9") + &property("name", "inner");
    let collection = infrastructure(object("Folder", "group-v2", &folder));
    let paths: Vec<_> = collection.control.folders.iter().map(|it| it.path.as_str()).collect();
    assert!(paths.contains(&"…/inner"), "{paths:?}");
}

#[test]
fn an_answer_that_is_too_large_is_a_limit_and_not_a_broken_line() {
    let notes = "n".repeat(40_000);
    let whole = machine("vm-1", "one", "")
        + &machine("vm-2", "two", &property("config.annotation", &notes));
    let limits = LiveLimits { retries_max: 0, answer_bytes_max: 20_000, ..LiveLimits::default() };
    let (outcome, _) = read_within(limits, move |asked| asked.is_workloads().then(|| page(&whole)));
    let collection = outcome.unwrap();
    assert_eq!(names(&collection), ["one"]);
    assert_eq!(gaps(&collection, GapCause::LimitReached).len(), 1);
    assert_eq!(gaps(&collection, GapCause::Truncated), Vec::<&Gap>::new());
}

#[test]
fn a_host_that_a_vcenter_manages_says_so() {
    let host = property("name", "esx1") + &property("summary.managementServerIp", "192.0.2.7");
    let host = object("HostSystem", "ha-host", &host);
    let is_host = |asked: &Asked<'_>| {
        (asked.method == "RetrieveServiceContent")
            .then(|| xml(envelope(asked.method, &content("HostAgent", "7.0.3.0"))))
    };
    let managed = host.clone();
    let collection = collected(move |asked| {
        is_host(asked).or_else(|| asked.is_infrastructure().then(|| page(&managed)))
    });
    for list in ["hosts", "workloads"] {
        let gap = gaps_of(&collection, list, GapCause::Ambiguous)[0];
        assert!(gap.message.contains("192.0.2.7"), "{gap:?}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let report = runtime.block_on(async {
        let answers = move |asked: &Asked<'_>| {
            let is_asked = asked.method == "RetrievePropertiesEx";
            is_host(asked).or_else(|| is_asked.then(|| page(&host)))
        };
        let server = Arc::new(Server { answers: Box::new(answers), asked: Mutex::default() });
        let served = serve_http(server, Setup::default()).await.unwrap();
        let target = target(&served.address);
        let (cancel, traffic) = (Cancel::new(), Traffic::default());
        let run = Run { target: &target, watch: &Unwatched, cancel: &cancel, traffic: &traffic };
        CONNECTOR.check(run).await.unwrap()
    });
    assert!(report.notes.iter().any(|it| it.contains("192.0.2.7")), "{:?}", report.notes);
}

/// A task that was started at this second.
fn task(name: &str, second: u32) -> String {
    format!(
        r#"<{name}><key>task-{second}</key><descriptionId>it</descriptionId><state>success</state><reason xsi:type="TaskReasonSystem"/><startTime>2026-11-22T11:00:{second:02}Z</startTime></{name}>"#
    )
}

#[test]
fn at_the_limit_the_newest_tasks_are_kept() {
    let limits = LiveLimits { retries_max: 0, activities_max: 3, ..LiveLimits::default() };
    let (outcome, asked) = read_within(limits, |asked| match asked.method {
        "CreateCollectorForTasks" => Some(xml(envelope(
            asked.method,
            "<returnval type=\"TaskHistoryCollector\">history</returnval>",
        ))),
        "SetCollectorPageSize" | "ResetCollector" | "DestroyCollector" => {
            Some(xml(envelope(asked.method, "")))
        }
        "RetrievePropertiesEx" if asked.body.contains("latestPage") => {
            let latest = property("latestPage", &(task("TaskInfo", 9) + &task("TaskInfo", 8)));
            Some(page(&object("TaskHistoryCollector", "history", &latest)))
        }
        "ReadPreviousTasks" => {
            let older: String = [8, 7, 6].map(|it| task("returnval", it)).concat();
            Some(xml(envelope(asked.method, &older)))
        }
        _ => with_manager(asked, "VirtualCenter", "taskManager", "TaskManager"),
    });
    let collection = outcome.unwrap();
    let kept: Vec<_> =
        collection.control.activities.iter().map(|it| it.native_id.as_str()).collect();
    assert_eq!(kept.len(), 3, "{kept:?}");
    assert!(["task-9", "task-8", "task-7"].iter().all(|it| kept.contains(it)), "{kept:?}");
    let gap = gaps_of(&collection, "activities", GapCause::LimitReached)[0];
    assert!(gap.message.contains("older"), "{gap:?}");
    assert!(asked.iter().any(|it| it == "DestroyCollector"));
}

#[test]
fn a_history_of_more_than_one_page_is_read_whole() {
    let spec = entente_twins::EstateSpec { workloads: 60, vcenters: 1, ..Default::default() };
    let world = Arc::new(entente_twins::generate(&spec).remove(0));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let collection = runtime.block_on(async {
        let platforms = entente_twins::live::platforms();
        let twin = platforms.iter().find(|it| it.connector() == "vsphere").unwrap();
        let served = twin.serve(world.clone(), Setup::default()).await.unwrap();
        let credentials = Credentials::Password {
            user: served.user.as_str().into(),
            password: Secret::new(served.password.clone()),
        };
        let target = Target { credentials, ..target(&served.address) };
        let (cancel, traffic) = (Cancel::new(), Traffic::default());
        let run = Run { target: &target, watch: &Unwatched, cancel: &cancel, traffic: &traffic };
        CONNECTOR.collect(run).await.unwrap()
    });
    let ids = |of: &Collection| {
        let all = of.control.activities.iter().map(|it| it.native_id.clone());
        all.collect::<std::collections::BTreeSet<_>>()
    };
    // The twin's latest page holds ten.
    assert!(ids(&world).len() > 10);
    assert_eq!(ids(&collection), ids(&world));
}
