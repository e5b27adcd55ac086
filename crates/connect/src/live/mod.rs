//! Running platforms: what every connector to one has in common.
//!
//! A connector gets a [`Run`] (where to go, with what, within which [`LiveLimits`], who watches, who
//! may stop it) and answers with a collection. The rules:
//!
//! - Only failing to reach the platform or to log in is a [`ConnectError`]. After that, whatever goes
//!   wrong is a gap, and the collection holds what was read until then.
//! - Every wait ends: to connect, between two bytes, for one answer, for the whole collection. Use
//!   [`Http`], or [`Run::within`] around whatever else waits.
//! - A list that the platform filters by the account's rights is not "all": what the account lacks is
//!   known from [`Live::rights`] and becomes a gap on each list that it hides from.
//! - Everything is read only. Nothing on the platform is changed, but for the session that logging in
//!   makes, which is ended again.

mod body;
mod each;
mod error;
mod gaps;
mod http;
mod target;
mod tls;

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use entente_model::{Collection, GapCause, Text};
pub use tokio_util::sync::CancellationToken as Cancel;

use crate::connector::Watch;
pub use body::BodyReader;
pub(crate) use each::each;
pub use error::{ConnectError, Refusal};
pub use gaps::{Found, Gaps};
pub use http::{CallError, Http, Request, Response, base_url};
pub use target::{Credentials, LiveLimits, Secret, Target, Trust};
pub use tls::{Fingerprint, InvalidFingerprint, TlsSetup};

/// What an asynchronous method of a connector returns.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The section that whoever watches is told of when following has begun: what changes from then on is told.
pub const FOLLOWING: &str = "events";

/// A kind of platform that can be logged in to.
pub trait Live: Sync + Debug {
    /// How addresses of this platform look, for people: `https://HOST[:443]`.
    fn address_form(&self) -> &'static str;

    /// Everything that a full collection needs to be allowed: the least-privilege table.
    fn rights(&self) -> &'static [Right];

    /// Logs in, and says what is there and which rights the account has.
    fn check<'a>(&'a self, run: Run<'a>) -> Answer<'a, Result<CheckReport, ConnectError>>;

    /// Reads everything, until cancelled; callers use [`collect`], which minds the time.
    fn collect<'a>(&'a self, run: Run<'a>) -> Answer<'a, Result<Collection, ConnectError>>;

    /// Follows what changes until cancelled; nothing where the platform tells of no changes. That it has
    /// begun, [`FOLLOWING`] says.
    fn follow<'a>(
        &'a self,
        run: Run<'a>,
        changed: &'a mut (dyn FnMut(Change) + Send),
    ) -> Option<Answer<'a, Result<(), ConnectError>>> {
        let _ = (run, changed);
        None
    }
}

/// Reads a platform within the time for a whole collection. When that is over, the reading is stopped as
/// by a person, and what was read until then is kept.
pub async fn collect(live: &dyn Live, run: Run<'_>) -> Result<Collection, ConnectError> {
    let cancel = run.cancel.child_token();
    let mut reading = live.collect(Run { cancel: &cancel, ..run });
    tokio::select! {
        collection = &mut reading => return collection,
        () = tokio::time::sleep(run.target.limits.collection()) => cancel.cancel(),
    }
    let mut collection = reading.await.map_err(|error| match error.reason {
        Refusal::Cancelled if !run.cancel.is_cancelled() => {
            run.refused(Refusal::TimedOut { seconds: run.target.limits.collection_seconds })
        }
        _ => error,
    })?;
    for gap in collection.gaps.iter_mut().filter(|it| it.cause == GapCause::Cancelled) {
        gap.cause = GapCause::TimedOut;
        gap.message =
            Text::new_static("the time for a whole collection was over before this was read");
    }
    collection.gaps.sort();
    Ok(collection)
}

/// One reading of one platform.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Where to go, and with what.
    pub target: &'a Target,
    /// Who watches.
    pub watch: &'a dyn Watch,
    /// Who may stop it.
    pub cancel: &'a Cancel,
    /// What it costs.
    pub traffic: &'a Traffic,
}

impl Run<'_> {
    /// Waits for something, at most so long, and not beyond a cancellation.
    pub async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Refusal> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Refusal::Cancelled),
            outcome = tokio::time::timeout(limit, work) => {
                outcome.map_err(|_| Refusal::TimedOut { seconds: limit.as_secs() })
            }
        }
    }

    /// An error of this run.
    pub fn refused(&self, reason: Refusal) -> ConnectError {
        ConnectError {
            platform: self.target.id.clone(),
            address: self.target.address.clone(),
            reason,
        }
    }
}

/// What changed on a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Objects are new or differ: these alone, as a collection.
    Read(Box<Collection>),
    /// A workload is gone.
    WorkloadRemoved {
        /// Its id on the platform.
        native_id: Text,
    },
}

/// What a reading costs: counted while it runs.
#[derive(Debug, Default)]
pub struct Traffic {
    calls: AtomicU64,
    retries: AtomicU64,
    bytes_received: AtomicU64,
}

impl Traffic {
    /// A request left.
    pub fn call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// A request was sent again.
    pub fn retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Bytes of an answer came in, as they were on the wire.
    pub fn received(&self, bytes: u64) {
        self.bytes_received.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Requests so far, retries included.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Retries so far.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Bytes of answer bodies so far, as they were on the wire.
    pub fn bytes_received(&self) -> u64 {
        self.bytes_received.load(Ordering::Relaxed)
    }
}

/// Something that the account must be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    /// As the platform names it: `System.View`, `VM.Audit`.
    pub name: &'static str,
    /// On what: `/`, `vCenter root, propagating` …
    pub scope: &'static str,
    /// What is not seen without it.
    pub needed_for: &'static str,
}

/// Whether the account has a right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RightState {
    /// It has.
    Held,
    /// It lacks it, as far as this goes: everywhere, or on the objects named.
    Lacking(Text),
    /// The platform does not tell, and why.
    Unknown(Text),
}

/// What logging in to a platform showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// Product, `VMware vCenter Server`.
    pub product: Text,
    /// Version with build, `8.0.3 (24322831)`.
    pub version: Text,
    /// The account as the platform names it.
    pub account: Text,
    /// Each right of [`Live::rights`], in its order.
    pub rights: Vec<(Right, RightState)>,
    /// What else a person should know: an account that expires soon, a connection in clear text.
    pub notes: Vec<Text>,
}
