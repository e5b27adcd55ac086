//! What goes wrong with real servers, each by hand-written answers.

mod facts;
mod following;
mod lists;
mod tags;

use std::sync::{Arc, Mutex};

use entente_model::{Collection, Gap, GapCause, Observed, PowerState, Why, Workload};
use entente_twins::live::{HttpTwin, Reply, Request, Setup, serve_http};

use super::CONNECTOR;
use crate::connector::Unwatched;
use crate::live::{
    Cancel, ConnectError, Credentials, Live, LiveLimits, Refusal, Run, Secret, Target, Traffic,
    Trust,
};

/// What was asked: the method, the whole body, and how often this method was asked before.
struct Asked<'a> {
    method: &'a str,
    body: &'a str,
    before: usize,
}

impl Asked<'_> {
    fn is_infrastructure(&self) -> bool {
        self.method == "RetrievePropertiesEx" && self.body.contains("<type>Datacenter</type>")
    }

    fn is_workloads(&self) -> bool {
        self.method == "RetrievePropertiesEx" && self.body.contains("<type>VirtualMachine</type>")
    }
}

type Answers = Box<dyn Fn(&Asked<'_>) -> Option<Reply> + Send + Sync>;

/// A server that answers as a test wants, and as an empty vCenter otherwise.
struct Server {
    answers: Answers,
    asked: Mutex<Vec<String>>,
}

impl HttpTwin for Server {
    async fn answer(&self, request: Request) -> Reply {
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        let method = body.split_once("<soapenv:Body><").map_or(request.path.as_str(), |it| it.1);
        let method = method.split([' ', '>']).next().unwrap().to_owned();
        let before = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(method.clone());
            asked.iter().filter(|it| **it == method).count() - 1
        };
        let asked = Asked { method: &method, body: &body, before };
        (self.answers)(&asked).unwrap_or_else(|| ordinary(&asked))
    }

    fn is_log_in(&self, _: &Request) -> bool {
        true
    }

    fn is_workload_list(&self, _: &Request) -> bool {
        false
    }
}

fn xml(body: impl Into<Vec<u8>>) -> Reply {
    Reply::ok("text/xml; charset=utf-8", body.into())
}

fn envelope(method: &str, inner: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><{method}Response xmlns="urn:vim25">{inner}</{method}Response></soapenv:Body></soapenv:Envelope>"#
    )
}

fn fault(kind: &str, message: &str, detail: &str) -> Reply {
    let body = format!(
        r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>{message}</faultstring><detail><{kind}Fault xmlns="urn:vim25" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="{kind}">{detail}</{kind}Fault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"#
    );
    Reply::of(500, "text/xml; charset=utf-8", body)
}

fn ordinary(asked: &Asked<'_>) -> Reply {
    let inner = match asked.method {
        "RetrieveServiceContent" => content("VirtualCenter", "7.0.3.0"),
        "Login" => "<returnval><key>k</key><userName>CORP\\ops</userName></returnval>".to_owned(),
        "CreateContainerView" => {
            format!("<returnval type=\"ContainerView\">view-{}</returnval>", asked.before)
        }
        "RetrievePropertiesEx" if asked.is_infrastructure() => {
            format!("<returnval>{INFRASTRUCTURE}</returnval>")
        }
        "Logout" | "DestroyView" | "RetrievePropertiesEx" => String::new(),
        _ => return fault("MethodNotFound", "there is no such method", ""),
    };
    xml(envelope(asked.method, &inner))
}

fn content(api: &str, version: &str) -> String {
    format!(
        r#"<returnval><rootFolder type="Folder">group-d1</rootFolder><propertyCollector type="PropertyCollector">propertyCollector</propertyCollector><viewManager type="ViewManager">ViewManager</viewManager><about><name>VMware vCenter Server</name><version>7.0.3</version><build>1</build><apiType>{api}</apiType><apiVersion>{version}</apiVersion><instanceUuid>u</instanceUuid></about><sessionManager type="SessionManager">SessionManager</sessionManager></returnval>"#
    )
}

const INFRASTRUCTURE: &str = concat!(
    r#"<objects><obj type="Folder">group-d1</obj><propSet><name>name</name><val>Datacenters</val></propSet></objects>"#,
    r#"<objects><obj type="Datacenter">dc-1</obj><propSet><name>name</name><val>north%2fsouth</val></propSet><propSet><name>parent</name><val type="Folder">group-d1</val></propSet></objects>"#,
    r#"<objects><obj type="Folder">group-v1</obj><propSet><name>name</name><val>vm</val></propSet><propSet><name>parent</name><val type="Datacenter">dc-1</val></propSet></objects>"#,
);

/// A machine with a name, a power state and whatever else.
fn machine(id: &str, name: &str, more: &str) -> String {
    format!(
        r#"<objects><obj type="VirtualMachine">{id}</obj><propSet><name>name</name><val xsi:type="xsd:string">{name}</val></propSet><propSet><name>parent</name><val type="Folder">group-v1</val></propSet><propSet><name>runtime.powerState</name><val xsi:type="VirtualMachinePowerState">poweredOn</val></propSet>{more}</objects>"#
    )
}

fn property(name: &str, value: &str) -> String {
    format!("<propSet><name>{name}</name><val>{value}</val></propSet>")
}

fn missing(path: &str, kind: &str, detail: &str) -> String {
    format!(
        r#"<missingSet><path>{path}</path><fault><fault xsi:type="{kind}">{detail}</fault><localizedMessage/></fault></missingSet>"#
    )
}

fn page(objects: &str) -> Reply {
    xml(envelope("RetrievePropertiesEx", &format!("<returnval>{objects}</returnval>")))
}

fn target(address: &str) -> Target {
    Target {
        id: "vc".parse().unwrap(),
        address: address.into(),
        site: None,
        owner: None,
        credentials: Credentials::Password {
            user: "ops".into(),
            password: Secret::new("geheim".into()),
        },
        trust: Trust::System,
        limits: LiveLimits { retries_max: 0, ..LiveLimits::default() },
        taken: "2026-11-22T12:00:00Z".parse().unwrap(),
    }
}

/// Reads from a server that answers so; gives which methods were asked, too.
fn read_from(
    answers: impl Fn(&Asked<'_>) -> Option<Reply> + Send + Sync + 'static,
) -> (Result<Collection, ConnectError>, Vec<String>) {
    read_within(LiveLimits { retries_max: 0, ..LiveLimits::default() }, answers)
}

/// The same, within limits.
fn read_within(
    limits: LiveLimits,
    answers: impl Fn(&Asked<'_>) -> Option<Reply> + Send + Sync + 'static,
) -> (Result<Collection, ConnectError>, Vec<String>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = Arc::new(Server { answers: Box::new(answers), asked: Mutex::default() });
        let served = serve_http(server.clone(), Setup::default()).await.unwrap();
        let target = Target { limits, ..target(&served.address) };
        let (cancel, traffic) = (Cancel::new(), Traffic::default());
        let run = Run { target: &target, watch: &Unwatched, cancel: &cancel, traffic: &traffic };
        let outcome = CONNECTOR.collect(run).await;
        let asked = server.asked.lock().unwrap().clone();
        (outcome, asked)
    })
}

fn collected(answers: impl Fn(&Asked<'_>) -> Option<Reply> + Send + Sync + 'static) -> Collection {
    let (outcome, asked) = read_from(answers);
    assert_eq!(asked.last().map(String::as_str), Some("Logout"), "{asked:?}");
    outcome.unwrap()
}

/// The same with this beside the datacenter, for the infrastructure.
fn infrastructure(objects: String) -> Collection {
    collected(move |asked| {
        asked.is_infrastructure().then(|| page(&(INFRASTRUCTURE.to_owned() + &objects)))
    })
}

fn machines(objects: String) -> Collection {
    collected(move |asked| asked.is_workloads().then(|| page(&objects)))
}

fn names(collection: &Collection) -> Vec<&str> {
    collection.workloads.iter().map(|it| it.name.as_str()).collect()
}

fn named<'c>(collection: &'c Collection, name: &str) -> &'c Workload {
    collection.workloads.iter().find(|it| it.name == name).unwrap()
}

/// Gaps of the list of workloads that have this cause.
fn gaps(collection: &Collection, cause: GapCause) -> Vec<&Gap> {
    gaps_of(collection, "workloads", cause)
}

/// Gaps of a list that have this cause.
fn gaps_of<'c>(collection: &'c Collection, list: &str, cause: GapCause) -> Vec<&'c Gap> {
    let is_one = |gap: &&Gap| gap.cause == cause && gap.place.section.as_deref() == Some(list);
    collection.gaps.iter().filter(is_one).collect()
}

#[test]
fn a_session_that_ended_without_a_fault_is_begun_again_and_the_list_read_again() {
    let all = machine("vm-1", "one", "") + &machine("vm-2", "two", "");
    let (outcome, asked) = read_from(move |asked| {
        let logins = asked.body.contains("view-2");
        (asked.is_workloads()).then(|| {
            if logins {
                return page(&all);
            }
            let nothing = ["vm-1", "vm-2"].map(|id| {
                let refused = missing("name", "NotAuthenticated", "");
                format!("<objects><obj type=\"VirtualMachine\">{id}</obj>{refused}</objects>")
            });
            page(&nothing.concat())
        })
    });
    let collection = outcome.unwrap();
    assert_eq!(names(&collection), ["one", "two"]);
    assert_eq!(asked.iter().filter(|it| *it == "Login").count(), 2);
    assert_eq!(gaps(&collection, GapCause::NoPermission), Vec::<&Gap>::new());
}

#[test]
fn a_session_that_ends_between_two_pages_costs_nothing_but_time() {
    let collection = collected(|asked| match asked.method {
        "RetrievePropertiesEx" if asked.is_workloads() => {
            Some(page(&format!("<token>t</token>{}", machine("vm-1", "one", ""))))
        }
        "ContinueRetrievePropertiesEx" if asked.before == 0 => {
            Some(fault("NotAuthenticated", "The session is not authenticated.", ""))
        }
        "ContinueRetrievePropertiesEx" => {
            let next = format!("<returnval>{}</returnval>", machine("vm-2", "two", ""));
            Some(xml(envelope(asked.method, &next)))
        }
        _ => None,
    });
    assert_eq!(names(&collection), ["one", "two"]);
}

#[test]
fn an_object_that_is_deleted_while_the_list_is_made_costs_only_itself() {
    let collection = collected(|asked| {
        let first = !asked.body.contains("view-2");
        (asked.is_workloads()).then(|| match first {
            true => fault("ManagedObjectNotFound", "has already been deleted", ""),
            false => page(&machine("vm-1", "one", "")),
        })
    });
    assert_eq!(names(&collection), ["one"]);
    assert_eq!(gaps(&collection, GapCause::Vanished).len(), 1);

    let gone = missing("name", "ManagedObjectNotFound", "");
    let gone = format!("<objects><obj type=\"VirtualMachine\">vm-2</obj>{gone}</objects>");
    let collection = machines(machine("vm-1", "one", "") + &gone);
    assert_eq!(names(&collection), ["one"]);
    assert_eq!(gaps(&collection, GapCause::Vanished)[0].value.as_deref(), Some("vm-2"));
}

#[test]
fn a_property_that_is_refused_is_not_absent_and_one_gap_for_all() {
    let refused =
        missing("config.annotation", "NoPermission", "<privilegeId>System.Read</privilegeId>");
    let collection = machines(machine("vm-1", "one", &refused) + &machine("vm-2", "two", &refused));
    for workload in &collection.workloads {
        assert_eq!(workload.annotation, Observed::Unobserved(Why::NoPermission));
    }
    let gaps = gaps(&collection, GapCause::NoPermission);
    let gap =
        gaps.iter().find(|it| it.place.field.as_deref() == Some("config.annotation")).unwrap();
    assert_eq!(gap.count, 2);
    assert!(gap.message.contains("System.Read"));
}

#[test]
fn an_unknown_word_costs_one_fact() {
    let odd = machine("vm-1", "odd", "").replace("poweredOn", "poweredSideways");
    let collection = machines(odd + &machine("vm-2", "two", ""));
    assert_eq!(named(&collection, "odd").power, Observed::Unobserved(Why::Unreadable));
    assert_eq!(named(&collection, "two").power, Observed::Value(PowerState::On));
    let gap = gaps(&collection, GapCause::UnknownValue)[0];
    assert_eq!(gap.value.as_deref(), Some("poweredSideways"));
}

#[test]
fn names_are_unescaped_once() {
    let collection = machines(
        machine("vm-1", "a%2fb%5Cc", "")
            + &machine("vm-2", "100%25", "")
            + &machine("vm-3", "%252f", "")
            + &machine("vm-4", "50% more%", ""),
    );
    assert_eq!(names(&collection), ["a/b\\c", "100%", "%2f", "50% more%"]);
    let placement = &collection.workloads[0].placement;
    assert_eq!(placement.datacenter, Observed::Value("north/south".into()));
    assert_eq!(placement.folder, Observed::Value("/north/south/vm".into()));
}

#[test]
fn characters_that_xml_does_not_allow_do_not_sink_a_page() {
    let notes = "bell \u{7} form \u{c} &#x1; &#0; &#xFFFF; &unknown; a & b";
    let objects = machine("vm-1", "one", &property("config.annotation", notes))
        + &machine("vm-2", "two", &property("config.annotation", "latin \u{fc}"));
    let body = envelope("RetrievePropertiesEx", &format!("<returnval>{objects}</returnval>"));
    // A byte that is no UTF-8, as guests report their names.
    let broken: Vec<u8> =
        body.chars().map(|it| u8::try_from(u32::from(it)).unwrap_or(b'?')).collect();
    let collection = collected(move |asked| asked.is_workloads().then(|| xml(broken.clone())));
    assert_eq!(names(&collection), ["one", "two"]);
    let note = |name: &str| named(&collection, name).annotation.value().unwrap().to_string();
    assert!(note("one").starts_with("bell ? form ? ? ? "), "{}", note("one"));
    assert_eq!(note("two"), "latin ?");
}

#[test]
fn a_body_that_breaks_off_keeps_what_came_before() {
    let whole = machine("vm-1", "one", "") + &machine("vm-2", "two", "");
    let body = envelope("RetrievePropertiesEx", &format!("<returnval>{whole}</returnval>"));
    let cut = body.find("two").unwrap();
    let collection =
        collected(move |asked| asked.is_workloads().then(|| xml(body.as_bytes()[..cut].to_vec())));
    assert_eq!(names(&collection), ["one"]);
    assert_eq!(gaps(&collection, GapCause::Truncated).len(), 1);
}

#[test]
fn prefixes_are_the_servers_own_affair() {
    let body = r#"<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Header><x/></S:Header><S:Body><v:RetrievePropertiesExResponse xmlns:v="urn:vim25"><v:returnval><v:objects><v:obj type="VirtualMachine">vm-1</v:obj><v:propSet><v:name>name</v:name><v:val xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="x:string"><![CDATA[one & two]]></v:val></v:propSet><v:propSet><v:name>config.hardware</v:name><v:val i:type="v:VirtualHardware"><v:numCPU>2</v:numCPU><v:device i:type="v:VirtualTPM"/></v:val></v:propSet></v:objects></v:returnval></v:RetrievePropertiesExResponse></S:Body></S:Envelope>"#;
    let collection = collected(move |asked| asked.is_workloads().then(|| xml(body)));
    let machine = named(&collection, "one & two");
    assert_eq!(machine.cpu.count, Observed::Value(2));
    assert_eq!(machine.devices.tpm, Observed::Value(true));
}

#[test]
fn a_property_that_a_version_does_not_know_is_left_out() {
    let collection = collected(|asked| {
        asked.is_workloads().then(|| match asked.body.contains("config.keyId") {
            true => fault("InvalidProperty", "no such property", "<name>config.keyId</name>"),
            false => page(&machine("vm-1", "one", "")),
        })
    });
    assert_eq!(names(&collection), ["one"]);
    let gap = gaps(&collection, GapCause::MissingField)[0];
    assert_eq!(gap.place.field.as_deref(), Some("config.keyId"));
}

#[test]
fn a_kind_that_a_version_does_not_know_is_left_out() {
    let collection = collected(|asked| {
        let asks_for_it =
            asked.method == "CreateContainerView" && asked.body.contains("OpaqueNetwork");
        asks_for_it.then(|| fault("InvalidType", "Invalid type: OpaqueNetwork", ""))
    });
    let folders: Vec<_> = collection.control.folders.iter().map(|it| it.path.as_str()).collect();
    assert!(folders.contains(&"/north/south/vm"), "{folders:?}");
    let gaps = gaps_of(&collection, "networks", GapCause::MissingSection);
    assert_eq!(gaps[0].place.field.as_deref(), Some("OpaqueNetwork"));
}

#[test]
fn pages_without_end_end() {
    let collection = collected(|asked| {
        let again = || format!("<token>t</token>{}", machine("vm-1", "one", ""));
        match asked.method {
            "RetrievePropertiesEx" if asked.is_workloads() => Some(page(&again())),
            "ContinueRetrievePropertiesEx" => {
                let next = format!("<returnval>{}</returnval>", again());
                Some(xml(envelope(asked.method, &next)))
            }
            _ => None,
        }
    });
    assert_eq!(names(&collection), ["one"]);
    assert_eq!(gaps(&collection, GapCause::LimitReached).len(), 1);
}

#[test]
fn a_machine_that_the_platform_cannot_read_has_no_facts_rather_than_wrong_ones() {
    let collection = machines(machine("vm-1", "lost", ""));
    let machine = named(&collection, "lost");
    assert!(!machine.disks.is_complete());
    assert_eq!(machine.devices.encrypted, Observed::Unobserved(Why::Blank));
    assert_eq!(machine.annotation, Observed::Unobserved(Why::Blank));
    assert_eq!(gaps(&collection, GapCause::Unreachable).len(), 1);
}

#[test]
fn refusals_are_told_apart() {
    let refused =
        |answers: fn(&Asked<'_>) -> Option<Reply>| read_from(answers).0.unwrap_err().reason;
    let wrong = refused(|asked| {
        let message = "Cannot complete login due to an incorrect user name or password.";
        (asked.method == "Login").then(|| fault("InvalidLogin", message, ""))
    });
    assert_eq!(wrong, Refusal::WrongCredentials);
    let locked = refused(|asked| {
        (asked.method == "Login").then(|| fault("InvalidLogin", "The account is locked.", ""))
    });
    assert!(matches!(locked, Refusal::AccountLocked(_)), "{locked:?}");
    let few = refused(|asked| {
        (asked.method == "Login")
            .then(|| fault("NoPermission", "", "<privilegeId>System.View</privilegeId>"))
    });
    assert_eq!(few, Refusal::TooFewRights("it lacks System.View".into()));
    let old = refused(|asked| {
        (asked.method == "RetrieveServiceContent")
            .then(|| xml(envelope(asked.method, &content("VirtualCenter", "6.5"))))
    });
    assert!(matches!(old, Refusal::VersionTooOld { .. }), "{old:?}");
    let other = refused(|_| Some(Reply::ok("text/html", "<html><body>hello</body></html>")));
    assert!(matches!(other, Refusal::NotThisPlatform { .. }), "{other:?}");
}

#[test]
fn the_page_about_rights_lists_what_the_code_asks_for() {
    let page = include_str!("../../../../docs/connectors/vsphere.md");
    let rows: Vec<String> = CONNECTOR
        .rights()
        .iter()
        .map(|it| format!("| `{}` | {} | {} |", it.name, it.scope, it.needed_for))
        .collect();
    let listed: Vec<&str> = page.lines().filter(|it| it.starts_with("| `")).collect();
    assert_eq!(listed, rows);
}
