//! Simulated platforms over the wire: each serves a generated collection as its platform would, and
//! misbehaves on request.
//!
//! A twin is written from the platform's documentation and recordings, not from the connector that
//! reads it; clients that others wrote accept it (`tests/*_clients.rs`). What each one's answers rest on
//! stands at the head of its file.

mod faults;
mod http;
mod libvirt;
pub mod proxmox;
mod server;
mod tls;
mod vsphere;
mod words;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use entente_model::Collection;
pub use http::{HttpTwin, Reply, Request, serve_http};

/// What an asynchronous method of a twin returns.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A simulated kind of platform.
pub trait PlatformTwin: Sync {
    /// Name of the connector that reads it.
    fn connector(&self) -> &'static str;

    /// Serves a collection on a free port of this machine until the answer is dropped.
    fn serve(&self, collection: Arc<Collection>, setup: Setup) -> Answer<'_, io::Result<Served>>;
}

/// How a twin is served.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// How it misbehaves.
    pub faults: Vec<Fault>,
    /// Over TLS, with a certificate that nobody signed.
    pub tls: bool,
    /// Where to listen; a free port of the loopback address where nobody says.
    pub listen: Option<SocketAddr>,
    /// How large each workload's properties are on average, as far as the twin can make them so; their
    /// natural size where nobody says.
    pub bytes_per_workload: Option<usize>,
}

impl Setup {
    /// With one fault.
    pub fn with(fault: Fault) -> Self {
        Self { faults: vec![fault], ..Self::default() }
    }
}

/// One way to misbehave. Faults concern what is asked after logging in; those of one answer concern
/// the list of workloads, the answer that matters most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The session ends once, after so many calls.
    ExpireSession {
        /// Calls that are still answered.
        after_calls: u64,
    },
    /// So many calls are refused as "not now" before they are answered.
    Busy {
        /// 429 or 503; a platform without statuses refuses in its own way.
        status: u16,
        /// How many.
        times: u64,
        /// What it asks to wait.
        retry_after_seconds: Option<u64>,
    },
    /// The list of workloads begins and then stops, without an end.
    Stall,
    /// The list of workloads comes a few bytes at a time, slowly but to its end.
    SlowBytes,
    /// The connection ends in the middle of the list of workloads.
    Truncate,
    /// One workload in the middle of the list cannot be understood.
    BadElement,
    /// The account sees half of the workloads, and is not told so.
    Filtered,
    /// Each page says that there is another, for ever.
    EndlessPaging,
    /// One workload is deleted between being listed and being read.
    Vanish,
    /// One account is locked: right password, no log-in.
    Locked,
    /// Versions are older than anything that is supported.
    Old,
}

/// A twin that is being served. Dropping it stops it.
#[derive(Debug)]
pub struct Served {
    /// Where, in the form that the connector's configuration takes.
    pub address: String,
    /// Account that may log in, in the form that the connector's configuration takes; empty where the
    /// platform asks for none.
    pub user: String,
    /// Its password.
    pub password: String,
    /// What is to be pinned, over TLS.
    pub fingerprint: Option<String>,
    /// How often it was asked something.
    pub calls: Arc<AtomicU64>,
    /// Stops it.
    pub guard: Guard,
}

impl Served {
    /// How often it was asked something.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

/// Stops a server when dropped.
#[derive(Debug)]
pub struct Guard(tokio::task::JoinHandle<()>);

impl Guard {
    /// Of this task.
    pub fn of(task: tokio::task::JoinHandle<()>) -> Self {
        Self(task)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Every twin there is, in alphabetical order.
pub fn platforms() -> &'static [&'static dyn PlatformTwin] {
    static TWINS: &[&dyn PlatformTwin] = &[&libvirt::TWIN, &proxmox::TWIN, &vsphere::TWIN];
    TWINS
}
