//! Gaps, grouped: what happened to many objects in the same way is told once, with its count.

use std::collections::BTreeMap;

use entente_model::{Gap, GapCause, Place, Text};

use crate::libvirt::wire::failure::Failure;

/// Longest value that is kept, in characters.
const VALUE_CHARS_MAX: usize = 200;

/// Gaps so far.
pub struct Gaps {
    address: Text,
    gaps: BTreeMap<Key, (u64, Option<Text>)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    section: &'static str,
    cause: GapCause,
    field: Option<Text>,
    message: Text,
}

impl Gaps {
    /// None yet.
    pub fn new(address: &Text) -> Self {
        Self { address: address.clone(), gaps: BTreeMap::new() }
    }

    /// Something is missing. `value` names the first object or value to which that happened.
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
        let key = Key { section, cause, field: field.map(Text::from), message: message.into() };
        let (sum, kept) = self.gaps.entry(key).or_default();
        *sum += count;
        if kept.is_none() {
            *kept = value.map(|it| super::clean(it).chars().take(VALUE_CHARS_MAX).collect());
        }
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
            return self.add(section, GapCause::Cancelled, None, STOPPED, None);
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
        let address = self.address;
        let gaps = self.gaps.into_iter().filter(|it| only.is_none_or(|only| it.0.section == only));
        let gaps = gaps.map(|(key, (count, value))| Gap {
            cause: key.cause,
            place: Place {
                file: address.clone(),
                section: Some(key.section.into()),
                row: None,
                field: key.field,
            },
            message: key.message,
            value,
            count,
        });
        let mut gaps: Vec<_> = gaps.collect();
        gaps.sort();
        gaps
    }
}

const STOPPED: &str = "the collection was stopped before this was read";

/// What happened, without what differs from object to object, so that the same is told once.
fn told(failure: &Failure) -> String {
    match failure {
        Failure::Remote(error) => {
            use crate::libvirt::wire::failure::RemoteKind as Kind;
            match error.kind() {
                Kind::Denied | Kind::LogIn => "the connection may not read it".into(),
                Kind::Gone => "it was deleted while it was read".into(),
                Kind::Unsupported => "this version or driver of libvirt does not tell".into(),
                Kind::Busy => "the host was busy each time it was asked".into(),
                Kind::GuestSilent => "the guest or its agent does not answer".into(),
                Kind::NoDriver | Kind::Other => format!("libvirt says error {}", error.code),
            }
        }
        Failure::Xml(_) => "its XML cannot be understood".into(),
        other => other.to_string(),
    }
}
