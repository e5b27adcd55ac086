//! A libvirt host over its remote protocol, in clear text or over TLS.
//!
//! What its answers rest on: message layout and procedure numbers as a real libvirtd 9.0 and `virsh`
//! exchange them; XML in the form that libvirtd 9.0 gives for domains of QEMU 7.2, of which it writes
//! the elements that matter for an inventory. `virsh` accepts it for `list`, `dumpxml`, `nodeinfo`,
//! `domstate`, `net-list`, `pool-list` (`tests/libvirt_clients.rs`). Nothing can be changed here.
//!
//! Over TLS it asks for a user name and password (SASL, `PLAIN`), in clear text for nothing, as a
//! real one may. Faults in libvirt's own terms:
//!
//! | fault | here |
//! |---|---|
//! | busy | error 87, resource busy; the status asked for has no meaning here |
//! | stall, slow bytes | the list of domains |
//! | truncate | the connection ends within the list of domains, each time |
//! | bad element | the XML of one domain is not well-formed |
//! | filtered | access to every other domain is denied (error 88) |
//! | endless paging | lists come whole: the one of domains tells of more than the protocol allows |
//! | expire session | the connection ends once |
//! | vanish | one domain is listed and then unknown (error 42) |
//! | locked | the connection may not be opened (error 88): the host's rules deny the account |
//! | old | libvirt 3.9 |

mod documents;
mod inventory;
mod wire;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use entente_model::Collection;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::faults::{Faults, Flow, SLOW_PAUSE};
use super::{Answer, Fault, PlatformTwin, Served, Setup, server};
use inventory::{Inventory, Named};
use wire::{Call, Writer};

/// The twin.
pub static TWIN: LibvirtTwin = LibvirtTwin;

/// A libvirt host.
#[derive(Debug)]
pub struct LibvirtTwin;

/// Account over TLS.
const USER: &str = "reader";
const PASSWORD: &str = "correct horse battery";
/// Size of the pieces of a slow answer.
const SLOW_PIECE_BYTES: usize = 512;
/// What a host says first over TLS: the client's certificate, if it has one, is accepted.
const CERTIFICATE_ACCEPTED: u8 = 1;
/// Domains that one list may hold, as the protocol limits it.
const DOMAINS_MAX: usize = 16_384;

/// Errors as libvirt numbers them.
const ERROR_RPC: i32 = 39;
const ERROR_NO_DOMAIN: i32 = 42;
const ERROR_NO_NETWORK: i32 = 43;
const ERROR_LOG_IN: i32 = 45;
const ERROR_NO_POOL: i32 = 49;
const ERROR_BUSY: i32 = 87;
const ERROR_DENIED: i32 = 88;

impl PlatformTwin for LibvirtTwin {
    fn connector(&self) -> &'static str {
        "libvirt"
    }

    fn serve(&self, collection: Arc<Collection>, setup: Setup) -> Answer<'_, io::Result<Served>> {
        Box::pin(serve(collection, setup))
    }
}

async fn serve(collection: Arc<Collection>, setup: Setup) -> io::Result<Served> {
    let calls = Arc::new(AtomicU64::new(0));
    let with_log_in = setup.tls;
    let host = Arc::new(Host {
        inventory: Inventory::of(&collection, setup.bytes_per_workload.unwrap_or_default()),
        faults: Faults::of(&setup.faults),
        with_log_in,
        calls: calls.clone(),
        worked: AtomicU64::new(0),
    });
    drop(collection);
    let transport = if with_log_in { "tls" } else { "tcp" };
    // Full access, so that agents in guests may be asked.
    let address = |it| format!("qemu+{transport}://{it}/system?access=full");
    let served = server::serve(host, &setup, calls, address).await?;
    let said = |text: &str| if with_log_in { text.to_owned() } else { String::new() };
    Ok(Served { user: said(USER), password: said(PASSWORD), ..served })
}

struct Host {
    inventory: Inventory,
    faults: Faults,
    with_log_in: bool,
    calls: Arc<AtomicU64>,
    /// Calls after logging in.
    worked: AtomicU64,
}

/// What becomes of a call.
enum Outcome {
    /// It is answered.
    Body(Writer),
    /// It is refused.
    Error(i32, String),
}

impl server::Host for Host {
    async fn converse(
        self: Arc<Self>,
        mut stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) {
        if self.with_log_in && stream.write_all(&[CERTIFICATE_ACCEPTED]).await.is_err() {
            return;
        }
        // A client that goes away is no concern of the server.
        let _ = self.answer_all(stream).await;
    }
}

impl Host {
    async fn answer_all(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let mut logged_in = !self.with_log_in;
        while let Some(call) = Call::read(&mut stream).await? {
            self.calls.fetch_add(1, Ordering::Relaxed);
            if self.ends_here(&call) {
                return Ok(());
            }
            let outcome = match self.log_in(&call, &mut logged_in) {
                Some(outcome) => outcome,
                None if !logged_in => {
                    Outcome::Error(ERROR_LOG_IN, "authentication required".into())
                }
                None => self.answer(&call).unwrap_or_else(|| {
                    let message = format!("arguments of procedure {} are cut off", call.procedure);
                    Outcome::Error(ERROR_RPC, message)
                }),
            };
            let bytes = match outcome {
                Outcome::Body(body) => call.reply(body),
                Outcome::Error(code, message) => call.error(code, &message),
            };
            self.send(&mut stream, &bytes, self.flow(&call)).await?;
        }
        Ok(())
    }

    async fn send(
        &self,
        stream: &mut (impl AsyncWrite + Unpin),
        bytes: &[u8],
        flow: Flow,
    ) -> io::Result<()> {
        let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
        match flow {
            Flow::Whole => stream.write_all(bytes).await?,
            Flow::IsSlow => {
                for piece in bytes.chunks(SLOW_PIECE_BYTES) {
                    stream.write_all(piece).await?;
                    stream.flush().await?;
                    tokio::time::sleep(SLOW_PAUSE).await;
                }
            }
            Flow::Stalls => {
                stream.write_all(half).await?;
                stream.flush().await?;
                // Nothing will ever wake it: the client has to give up.
                std::future::pending::<()>().await;
            }
            Flow::BreaksOff => {
                stream.write_all(half).await?;
                stream.flush().await?;
                return Err(io::Error::other("broken off on purpose"));
            }
        }
        stream.flush().await
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults.has(fault)
    }

    /// The session ends at this call, instead of an answer.
    fn ends_here(&self, call: &Call) -> bool {
        if call.is_log_in() {
            return false;
        }
        let worked = self.worked.fetch_add(1, Ordering::Relaxed);
        self.faults.expires_after() == Some(worked)
    }

    fn flow(&self, call: &Call) -> Flow {
        let list = call.procedure == 273 && self.is_whole_list(call);
        if list { self.faults.flow() } else { Flow::Whole }
    }

    /// The list of domains without filters but "on" and "off" together.
    fn is_whole_list(&self, call: &Call) -> bool {
        let mut from = call.arguments();
        let flags = from.signed().and_then(|_| from.unsigned());
        matches!(flags, Some(0 | 3))
    }

    fn is_middle(&self, call: &Call) -> bool {
        let middle = self.inventory.domains.len() / 2;
        self.domain(call).is_some_and(|it| it == middle)
    }

    /// Place of the domain that a call names.
    fn domain(&self, call: &Call) -> Option<usize> {
        let mut from = call.arguments();
        from.text()?;
        self.inventory.by_uuid(from.uuid()?)
    }

    /// Logging in, and what may be asked before.
    fn log_in(&self, call: &Call, logged_in: &mut bool) -> Option<Outcome> {
        let mut body = Writer::default();
        match call.procedure {
            66 => {
                body.unsigned(1);
                body.unsigned(if self.with_log_in { 1 } else { 0 });
            }
            67 => body.text("PLAIN"),
            68 if self.with_log_in => {
                let right = format!("\0{USER}\0{PASSWORD}");
                let mut from = call.arguments();
                let mechanism = from.text()?;
                from.signed()?;
                let data = from.characters()?;
                let right = mechanism == "PLAIN" && data == right.as_bytes();
                if !right {
                    let message = "authentication failed: authentication failed";
                    return Some(Outcome::Error(ERROR_LOG_IN, message.into()));
                }
                *logged_in = true;
                for word in [1, 1, 0] {
                    body.unsigned(word);
                }
            }
            _ => return None,
        }
        Some(Outcome::Body(body))
    }

    /// Answers a call; nothing where its arguments are cut off.
    fn answer(&self, call: &Call) -> Option<Outcome> {
        if !call.is_log_in() && self.is_busy() {
            return Some(Outcome::Error(ERROR_BUSY, "resource busy: try again later".into()));
        }
        let outcome = self.of_the_host(call).or_else(|| self.of_the_surroundings(call));
        match outcome {
            Some(outcome) => Some(outcome),
            None => self.of_domains(call),
        }
    }

    fn is_busy(&self) -> bool {
        let worked = self.worked.load(Ordering::Relaxed);
        self.faults.busy().is_some_and(|it| worked <= it.times)
    }

    fn of_the_host(&self, call: &Call) -> Option<Outcome> {
        let inventory = &self.inventory;
        let mut body = Writer::default();
        match call.procedure {
            1 if self.has(Fault::Locked) => {
                let message = "access denied: 'connect' denied access";
                return Some(Outcome::Error(ERROR_DENIED, message.into()));
            }
            1 | 2 => {}
            3 => body.text("QEMU"),
            4 => body.hyper(7_002_000),
            157 => body.hyper(if self.has(Fault::Old) { 3_009_000 } else { 9_000_000 }),
            59 => body.text(&inventory.hostname),
            60 => body.unsigned(0),
            7 => body.text(&inventory.capabilities),
            203 => body.text(&inventory.system),
            6 => inventory.node(&mut body),
            102 => body.hyper(inventory.memory_kib * 1024 / 2),
            316 => body.unsigned(0),
            317 => {}
            _ => return None,
        }
        Some(Outcome::Body(body))
    }

    fn of_the_surroundings(&self, call: &Call) -> Option<Outcome> {
        let inventory = &self.inventory;
        let mut body = Writer::default();
        match call.procedure {
            283 => list(&inventory.networks, &mut body),
            281 => list(&inventory.pools, &mut body),
            // Filters, bindings, volumes, devices: none.
            286 | 401 | 282 | 285 => {
                body.unsigned(0);
                body.unsigned(0);
            }
            43 => return document(&inventory.networks, call, ERROR_NO_NETWORK),
            88 => return document(&inventory.pools, call, ERROR_NO_POOL),
            44 | 89 | 152..=155 => body.unsigned(1),
            46 => return found(&inventory.networks, call, ERROR_NO_NETWORK),
            84 => return found(&inventory.pools, call, ERROR_NO_POOL),
            // State, capacity, allocation, free space.
            87 => {
                body.unsigned(2);
                (0..3).for_each(|_| body.hyper(0));
            }
            _ => return None,
        }
        Some(Outcome::Body(body))
    }

    fn of_domains(&self, call: &Call) -> Option<Outcome> {
        match call.procedure {
            273 => return Some(self.list_domains(call)),
            23 => {
                let name = call.arguments().text()?;
                let place = self.inventory.domains.iter().position(|it| it.name == name);
                return Some(self.found_domain(place));
            }
            24 => {
                let uuid = call.arguments().uuid()?;
                return Some(self.found_domain(self.inventory.by_uuid(uuid)));
            }
            14 | 212 | 194 | 353 | 274 | 413 | 418 | 15 | 151 => {}
            186 => return self.snapshot(call),
            unknown => {
                let message = format!("unknown procedure: {unknown}");
                return Some(Outcome::Error(ERROR_RPC, message));
            }
        }
        let mut from = call.arguments();
        let name = from.text()?;
        let place = self.domain(call);
        if let Some(refusal) = self.refused(&name, place) {
            return Some(refusal);
        }
        let domain = self.inventory.domains.get(place?)?;
        let mut body = Writer::default();
        match call.procedure {
            14 => {
                if self.has(Fault::BadElement) && self.is_middle(call) {
                    body.text(&domain.xml.replace("</devices>", "</device>"));
                } else {
                    body.text(&domain.xml);
                }
            }
            212 => {
                body.unsigned(domain.state);
                body.unsigned(1);
            }
            194 => return Some(self.disk_size(call, place?)),
            274 => domain.list_snapshots(&mut body),
            418 => domain.tell_facts(&mut body),
            353 => domain.tell_addresses(&mut body),
            15 | 151 => body.unsigned(1),
            // Checkpoints: none.
            _ => {
                body.unsigned(0);
                body.unsigned(0);
            }
        }
        Some(Outcome::Body(body))
    }

    /// What stands between a caller and a domain.
    fn refused(&self, name: &str, place: Option<usize>) -> Option<Outcome> {
        let gone = || {
            let message = format!("Domain not found: no domain with matching name '{name}'");
            Some(Outcome::Error(ERROR_NO_DOMAIN, message))
        };
        let Some(place) = place else { return gone() };
        if self.has(Fault::Filtered) && place % 2 == 1 {
            return Some(Outcome::Error(ERROR_DENIED, "access denied".into()));
        }
        if self.has(Fault::Vanish) && place == self.inventory.domains.len() / 2 {
            return gone();
        }
        None
    }

    fn list_domains(&self, call: &Call) -> Outcome {
        let mut from = call.arguments();
        let flags = from.signed().and_then(|_| from.unsigned()).unwrap_or_default();
        let domains: Vec<_> =
            self.inventory.domains.iter().filter(|it| it.is_listed(flags)).collect();
        if domains.len() > DOMAINS_MAX {
            let message = format!("too many remote domains: {}", domains.len());
            return Outcome::Error(ERROR_RPC, message);
        }
        let mut body = Writer::default();
        if self.has(Fault::EndlessPaging) && self.is_whole_list(call) {
            body.unsigned(u32::MAX);
        } else {
            body.unsigned(u32::try_from(domains.len()).unwrap_or(u32::MAX));
        }
        for domain in &domains {
            domain.write(&mut body);
        }
        body.unsigned(u32::try_from(domains.len()).unwrap_or(u32::MAX));
        Outcome::Body(body)
    }

    fn found_domain(&self, place: Option<usize>) -> Outcome {
        match place.and_then(|it| self.inventory.domains.get(it)) {
            Some(domain) => {
                let mut body = Writer::default();
                domain.write(&mut body);
                Outcome::Body(body)
            }
            None => Outcome::Error(ERROR_NO_DOMAIN, "Domain not found".into()),
        }
    }

    fn disk_size(&self, call: &Call, place: usize) -> Outcome {
        let mut from = call.arguments();
        let disk = from.domain().and_then(|()| from.text()).unwrap_or_default();
        let domain = self.inventory.domains.get(place);
        match domain.and_then(|it| it.sizes.get(&disk)) {
            Some((capacity, allocation)) => {
                let mut body = Writer::default();
                for bytes in [*allocation, *capacity, *allocation] {
                    body.hyper(bytes);
                }
                Outcome::Body(body)
            }
            None => Outcome::Error(8, format!("invalid argument: no disk {disk}")),
        }
    }

    fn snapshot(&self, call: &Call) -> Option<Outcome> {
        let mut from = call.arguments();
        let name = from.text()?;
        let owner = from.text()?;
        let place = self.inventory.by_uuid(from.uuid()?);
        if let Some(refusal) = self.refused(&owner, place) {
            return Some(refusal);
        }
        let snapshots = &self.inventory.domains.get(place?)?.snapshots;
        Some(match snapshots.iter().find(|it| it.name == name) {
            Some(snapshot) => {
                let mut body = Writer::default();
                body.text(&snapshot.xml);
                Outcome::Body(body)
            }
            None => Outcome::Error(72, format!("no domain snapshot with matching name '{name}'")),
        })
    }
}

fn list(items: &[Named], body: &mut Writer) {
    let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
    body.unsigned(count);
    for item in items {
        body.text(&item.name);
        body.fixed(&item.uuid);
    }
    body.unsigned(count);
}

fn found(items: &[Named], call: &Call, missing: i32) -> Option<Outcome> {
    let name = call.arguments().text()?;
    Some(match items.iter().find(|it| it.name == name) {
        Some(item) => {
            let mut body = Writer::default();
            body.text(&item.name);
            body.fixed(&item.uuid);
            Outcome::Body(body)
        }
        None => Outcome::Error(missing, format!("nothing with matching name '{name}'")),
    })
}

fn document(items: &[Named], call: &Call, missing: i32) -> Option<Outcome> {
    let name = call.arguments().text()?;
    Some(match items.iter().find(|it| it.name == name) {
        Some(item) => {
            let mut body = Writer::default();
            body.text(&item.xml);
            Outcome::Body(body)
        }
        None => Outcome::Error(missing, format!("nothing with matching name '{name}'")),
    })
}
