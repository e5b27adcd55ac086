//! Gaps in libvirt's terms: what a call that failed, and a word that nobody knows, mean.

use entente_model::GapCause;

use crate::libvirt::wire::failure::{Failure, RemoteKind};
use crate::live::{Found, Gaps};

/// Gaps in libvirt's terms.
pub trait Told {
    /// A piece could not be read: `what` is missing, of the object `of` if of one.
    fn failed(
        &mut self,
        section: &'static str,
        what: &'static str,
        failure: &Failure,
        of: Option<&str>,
    );

    /// A word that is not known.
    fn unknown(&mut self, section: &'static str, field: &str, value: &str);

    /// So many objects lie beyond the limit on objects of one kind.
    fn left_out(&mut self, section: &'static str, what: &str, count: u64);
}

impl Told for Gaps {
    fn failed(
        &mut self,
        section: &'static str,
        what: &'static str,
        failure: &Failure,
        of: Option<&str>,
    ) {
        // Stopping is one event, however much it leaves unread.
        if failure.is_cancelled() {
            return self.add_once(Found::of(GapCause::Cancelled, section, STOPPED));
        }
        let message = format!("{what} not read: {}", told(failure));
        let found = Found::of(failure.cause(), section, &message).field(what);
        // What a driver cannot tell, it tells of nothing: once is enough.
        if failure.is_unsupported() {
            return self.add_once(found);
        }
        self.add(Found { value: of, ..found });
    }

    fn unknown(&mut self, section: &'static str, field: &str, value: &str) {
        let message = "a word that this version does not know";
        self.add(Found::of(GapCause::UnknownValue, section, message).field(field).value(value));
    }

    fn left_out(&mut self, section: &'static str, what: &str, count: u64) {
        if count > 0 {
            let message = format!("more {what} than the limit on objects");
            self.add_many(Found::of(GapCause::LimitReached, section, &message), count);
        }
    }
}

const STOPPED: &str = "the collection was stopped before this was read";

/// What happened, without what differs from object to object, so that the same is told once.
fn told(failure: &Failure) -> String {
    match failure {
        Failure::Remote(error) => match error.kind() {
            RemoteKind::Denied | RemoteKind::LogIn => "the connection may not read it".into(),
            RemoteKind::Gone => "it was deleted while it was read".into(),
            RemoteKind::Unsupported => "this version or driver of libvirt does not tell".into(),
            RemoteKind::Busy => "the host was busy each time it was asked".into(),
            RemoteKind::GuestSilent => "the guest or its agent does not answer".into(),
            RemoteKind::NotNow => "not in the state in which it is".into(),
            RemoteKind::TooMany => "there are more than the protocol allows".into(),
            RemoteKind::NoDriver | RemoteKind::Other => {
                format!("libvirt says error {}", error.code)
            }
        },
        Failure::Xml(_) => "its XML cannot be understood".into(),
        other => other.to_string(),
    }
}
