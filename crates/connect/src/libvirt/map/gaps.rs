//! Gaps, grouped: what happened to many objects in the same way is told once, with its count.

use entente_model::{Gap, GapCause, Text};

use crate::libvirt::wire::failure::{Failure, RemoteKind};
use crate::live::{self, Found};

/// Gaps so far.
pub struct Gaps {
    address: Text,
    found: live::Gaps,
}

impl Gaps {
    /// None yet.
    pub fn new(address: &Text) -> Self {
        Self { address: address.clone(), found: live::Gaps::default() }
    }

    /// Something is missing. `value` is the object or value to which that happened.
    pub fn add(
        &mut self,
        section: &'static str,
        cause: GapCause,
        field: Option<&str>,
        message: &str,
        value: Option<&str>,
    ) {
        self.count(section, cause, field, message, value, 1);
    }

    /// Many are missing in the same way.
    pub fn count(
        &mut self,
        section: &'static str,
        cause: GapCause,
        field: Option<&str>,
        message: &str,
        value: Option<&str>,
        count: u64,
    ) {
        self.found.add_many(Found { cause, section, field, message, value }, count);
    }

    /// A piece could not be read: `what` is missing, of the object `of` if of one.
    pub fn failed(
        &mut self,
        section: &'static str,
        what: &'static str,
        failure: &Failure,
        of: Option<&str>,
    ) {
        // Stopping is one event, however much it leaves unread.
        if failure.is_cancelled() {
            return self.found.add_once(Found::of(GapCause::Cancelled, section, STOPPED));
        }
        let message = format!("{what} not read: {}", told(failure));
        self.add(section, failure.cause(), Some(what), &message, of);
    }

    /// A word that is not known.
    pub fn unknown(&mut self, section: &'static str, field: &str, value: &str) {
        let message = "a word that this version does not know";
        self.add(section, GapCause::UnknownValue, Some(field), message, Some(value));
    }

    /// The list; of one section, if so asked.
    pub fn into_gaps(self, only: Option<&str>) -> Vec<Gap> {
        let found = only.map_or_else(|| self.found.clone(), |only| self.found.of_section(only));
        found.finish(&self.address)
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
            RemoteKind::NoDriver | RemoteKind::Other => {
                format!("libvirt says error {}", error.code)
            }
        },
        Failure::Xml(_) => "its XML cannot be understood".into(),
        other => other.to_string(),
    }
}
