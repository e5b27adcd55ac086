//! A vCenter: the SOAP interface with its property collector, the REST interface as far as tags need
//! it, and the interface of storage policies.
//!
//! What its answers rest on: names, order and types of fields, and words of enumerations, are those of
//! pyvmomi 9.1.1.0's table of types, from which `schema.txt` is derived; shapes and values are those of
//! public recordings of vCenters 6.7 and 7.0 (a machine in a vApp has no parent, for one). That `pyvmomi`
//! and `govc` accept it (`tests/vsphere_clients.rs`) therefore says nothing of order and types, which is
//! pyvmomi's own word against itself; it shows that the envelope, the calls and what they do fit clients
//! that others wrote, that no required field is missing, and nothing more. No vCenter
//! was asked. What is not known of one is decided here: an update holds at most 100 objects; a page is
//! as large as the caller asks, without an upper limit; licence keys are invented.
//!
//! Faults: an expired session answers lists with 200 and nothing but what is missing from them (of
//! single properties and other calls, the usual fault); a locked account gets the same type of fault as
//! a wrong password, with another message; a filtered account sees every second machine, may only see
//! that the folders for machines and one machine are there, and is told so when it asks for its
//! privileges at the root; a vanished machine is listed with nothing but what is missing from it.
//!
//! Reading is general: any property path through the types of `schema.txt` (those that are written here;
//! a vCenter knows more, and a path into one of those is refused), any traversal, any of the collector's
//! methods.
//! Of methods that change something there are those that turn a machine on and off.
//!
//! Objects are encoded once, when serving begins, and answers are cut out of that text
//! ([`extract`]): 100,000 machines fit on a laptop.

mod authority;
mod clusters;
mod collector;
mod extract;
mod facts;
mod faults;
mod hosts;
mod layout;
mod machine;
mod methods;
mod networks;
mod pbm;
mod places;
mod rest;
mod schema;
mod services;
mod sessions;
mod storage;
mod updates;
mod views;
mod world;
mod xml;

use std::io;
use std::sync::Arc;

use entente_model::Collection;
use hyper::body::Bytes;

use self::faults::Refusal;
use self::sessions::Seen;
use self::world::World;
use self::xml::{Element, Unreadable};
use super::{Answer, Fault, HttpTwin, PlatformTwin, Reply, Request, Served, Setup, serve_http};

/// The twin.
pub static TWIN: Twin = Twin;

/// Who may log in.
const USER: &str = "entente@vsphere.local";
/// Its password.
const PASSWORD: &str = "Twin-2026!";
/// The account as the vCenter writes it.
const PRINCIPAL: &str = "VSPHERE.LOCAL\\entente";

/// Begins every answer of the SOAP interface.
const ENVELOPE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soapenv:Envelope \
    xmlns:soapenc=\"http://schemas.xmlsoap.org/soap/encoding/\" \
    xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
    xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
    xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n<soapenv:Body>\n";
/// Ends it.
const ENVELOPE_END: &str = "\n</soapenv:Body>\n</soapenv:Envelope>";
const XML: &str = "text/xml; charset=utf-8";

/// Simulates vCenters.
#[derive(Clone, Copy, Debug)]
pub struct Twin;

impl PlatformTwin for Twin {
    fn connector(&self) -> &'static str {
        "vsphere"
    }

    fn serve(&self, collection: Arc<Collection>, setup: Setup) -> Answer<'_, io::Result<Served>> {
        Box::pin(async move {
            let world = World::new(&collection, &setup);
            // The text is all that is needed from here on.
            drop(collection);
            let server = Arc::new(Server { world });
            let served = serve_http(server, setup).await?;
            Ok(Served { user: USER.to_owned(), password: PASSWORD.to_owned(), ..served })
        })
    }
}

struct Server {
    world: World,
}

impl HttpTwin for Server {
    async fn answer(&self, request: Request) -> Reply {
        let path = request.path.trim_end_matches('/');
        match path {
            "/sdk/vimServiceVersions.xml" | "/sdk/vimService/vimServiceVersions.xml" => {
                Reply::ok(XML, self.versions())
            }
            "/sdk" | "/sdk/vimService" => self.soap(&request, false).await,
            "/pbm" | "/pbm/sdk" => self.soap(&request, true).await,
            _ if path.starts_with("/rest/") || path.starts_with("/api/") => {
                rest::answer(&self.world, &request, [USER, PASSWORD])
            }
            _ => Reply::of(404, "text/plain", "there is nothing here"),
        }
    }

    fn is_log_in(&self, request: &Request) -> bool {
        rest::is_log_in(request)
            || request.path.ends_with("vimServiceVersions.xml")
            || ["RetrieveServiceContent", "Login"].iter().any(|it| calls(request, it))
    }

    fn is_workload_list(&self, request: &Request) -> bool {
        let methods =
            ["RetrievePropertiesEx", "ContinueRetrievePropertiesEx", "RetrieveProperties"];
        methods.iter().any(|it| calls(request, it))
            && memchr::memmem::find(&request.body, b"VirtualMachine<").is_some()
    }
}

/// True if the request calls this method.
fn calls(request: &Request, method: &str) -> bool {
    let mut at = 0;
    while let Some(found) =
        request.body.get(at..).and_then(|it| memchr::memmem::find(it, method.as_bytes()))
    {
        let start = at + found;
        let before = start.checked_sub(1).and_then(|it| request.body.get(it));
        let after = request.body.get(start + method.len());
        if matches!(before, Some(b'<' | b':')) && matches!(after, Some(b' ' | b'>' | b'/')) {
            return true;
        }
        at = start + method.len();
    }
    false
}

impl Server {
    fn versions(&self) -> String {
        let (now, before) = match self.world.has(Fault::Old) {
            true => ("6.0", "5.5"),
            false => ("8.0.2.0", "7.0"),
        };
        let mut w = xml::Writer::new();
        w.raw("<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<namespaces version=\"1.0\">");
        w.node("namespace", |w| {
            w.words(&[("name", "urn:vim25"), ("version", now)]);
            w.node("priorVersions", |w| w.text("version", before));
        });
        w.raw("</namespaces>");
        w.finish()
    }

    async fn soap(&self, request: &Request, is_policies: bool) -> Reply {
        let read = std::str::from_utf8(&request.body)
            .map_err(|_| Unreadable::Malformed)
            .and_then(xml::read);
        let envelope = match read {
            Ok(envelope) => envelope,
            Err(Unreadable::Malformed) => {
                return Refusal::new("InvalidRequest", "The request could not be read.").reply();
            }
            Err(Unreadable::TooLarge) => {
                let message = "The request holds more than 500000 elements.";
                return Refusal::new("InvalidRequest", message).reply();
            }
        };
        let Some(call) = envelope.child("Body").and_then(|it| it.children.first()) else {
            return Refusal::new("InvalidRequest", "The request has no body.").reply();
        };
        if call.name == "Login" {
            return self.log_in(request, call);
        }
        let seen = self.session(request, &envelope, call);
        let answered = match self.check(&seen, call) {
            Err(refusal) => Err(refusal),
            Ok(()) if is_policies => self.policies(call),
            Ok(()) => match call.name.as_str() {
                "WaitForUpdatesEx" | "WaitForUpdates" | "CheckForUpdates" => {
                    let updates = updates::wait(&self.world, &seen.key, call).await;
                    updates.map(|it| vec![Bytes::from(it)])
                }
                _ => methods::call(&self.world, &seen, call),
            },
        };
        match answered {
            Ok(pieces) => reply(&call.name, is_policies, pieces),
            Err(refusal) => refusal.reply(),
        }
    }

    /// The caller's session; an empty one where there is none.
    fn session(&self, request: &Request, envelope: &Element, call: &Element) -> Seen {
        let by_header = envelope.child("Header").and_then(|it| it.word("vcSessionCookie"));
        let key = request.cookie("vmware_soap_session").or(by_header).unwrap_or_default();
        let key = key.trim_matches('"');
        let mut sessions = self.world.sessions();
        if !methods::is_open(&call.name) && sessions.by_key.contains_key(key) {
            sessions.calls += 1;
            let ends = self.world.faults.expires_after();
            if ends.is_some_and(|it| sessions.calls > it) && !sessions.has_ended_one {
                sessions.has_ended_one = true;
                if let Some(session) = sessions.by_key.get_mut(key) {
                    session.seen.has_expired = true;
                }
            }
        }
        match sessions.by_key.get_mut(key) {
            Some(session) => {
                session.seen.calls += 1;
                session.seen.clone()
            }
            None => Seen::default(),
        }
    }

    /// May the caller call this?
    fn check(&self, seen: &Seen, call: &Element) -> Result<(), Refusal> {
        if methods::is_open(&call.name) {
            return Ok(());
        }
        let is_reading = matches!(
            call.name.as_str(),
            "RetrievePropertiesEx"
                | "ContinueRetrievePropertiesEx"
                | "RetrieveProperties"
                | "Fetch"
        );
        if seen.has_expired {
            // Of single properties, a vCenter says so; of lists, only in what is missing from them.
            let says_so = !is_reading || call.name == "Fetch";
            return if says_so { Err(Refusal::not_authenticated()) } else { Ok(()) };
        }
        if !seen.key.is_empty() || (is_reading && is_about_log_in(call)) {
            return Ok(());
        }
        Err(Refusal::not_authenticated())
    }

    /// The interface of storage policies: all but its content asks for a privilege of its own.
    fn policies(&self, call: &Element) -> collector::Answered {
        const PRIVILEGE: &str = "StorageProfile.View";
        let is_open = call.name == "PbmRetrieveServiceContent";
        if !is_open && !authority::has(&self.world, layout::ROOT, PRIVILEGE) {
            return Err(Refusal::no_permission("Folder", layout::ROOT, PRIVILEGE));
        }
        self.world.profiles.call(call)
    }

    fn log_in(&self, request: &Request, call: &Element) -> Reply {
        let is_right = call.word("userName") == Some(USER)
            && call.child("password").map(|it| it.text.as_str()) == Some(PASSWORD);
        let is_locked = self.world.has(Fault::Locked);
        if !is_right || is_locked {
            return Refusal::invalid_login(is_right && is_locked).reply();
        }
        let agent = request.header("user-agent").unwrap_or("unknown");
        let (key, described) = {
            let mut sessions = self.world.sessions();
            let session = sessions.open(PRINCIPAL, agent);
            (session.seen.key.clone(), session.seen.describe(&self.world.now))
        };
        let mut w = xml::Writer::new();
        w.node("returnval", |w| w.raw(&described));
        let mut reply = reply("Login", false, vec![Bytes::from(w.finish())]);
        let cookie = format!("vmware_soap_session=\"{key}\"; Path=/; HttpOnly;");
        reply.headers.push(("set-cookie", cookie));
        reply
    }
}

/// True if it is only about what has to be known before logging in.
fn is_about_log_in(call: &Element) -> bool {
    let mut objects = call.all("specSet").flat_map(|it| it.all("objectSet"));
    let named: Vec<&Element> = match call.name.as_str() {
        "Fetch" => call.child("_this").into_iter().collect(),
        _ => objects.by_ref().filter_map(|it| it.child("obj")).collect(),
    };
    let is_open = |it: &&Element| matches!(it.reference().0, "ServiceInstance" | "SessionManager");
    !named.is_empty() && named.iter().all(is_open)
}

fn reply(method: &str, is_policies: bool, pieces: Vec<Bytes>) -> Reply {
    let namespace = if is_policies { "urn:pbm" } else { "urn:vim25" };
    let opening = format!("{ENVELOPE}<{method}Response xmlns=\"{namespace}\">");
    let mut reply = Reply::ok(XML, opening);
    reply.body.extend(pieces);
    reply.body.push(Bytes::from(format!("</{method}Response>{ENVELOPE_END}")));
    reply
}
