//! What could not be seen, grouped: of a thousand gaps of one kind, one is kept with their number.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use entente_model::{Gap, GapCause, Place, Text};

/// Gaps so far; many calls add to it at once.
#[derive(Debug)]
pub(in crate::proxmox) struct Gaps {
    address: Text,
    log: Mutex<BTreeMap<Kind, Seen>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    cause: GapCause,
    section: Text,
    field: Option<Text>,
    message: Text,
}

#[derive(Clone, Debug)]
struct Seen {
    value: Option<Text>,
    count: u64,
}

impl Gaps {
    /// None yet, of the platform at this address.
    pub(in crate::proxmox) fn new(address: &str) -> Self {
        Self { address: address.into(), log: Mutex::default() }
    }

    /// One more. Of the values of one kind the least is kept, so that the order of calls is no matter.
    pub(in crate::proxmox) fn add(
        &self,
        cause: GapCause,
        section: &str,
        field: Option<&str>,
        message: &str,
        value: Option<&str>,
    ) {
        self.add_many(cause, section, field, message, value, 1);
    }

    /// So many more.
    pub(in crate::proxmox) fn add_many(
        &self,
        cause: GapCause,
        section: &str,
        field: Option<&str>,
        message: &str,
        value: Option<&str>,
        count: u64,
    ) {
        let kind = Kind {
            cause,
            section: section.into(),
            field: field.map(Text::from),
            message: message.into(),
        };
        let value = value.map(Text::from);
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = log.entry(kind).or_insert_with(|| Seen { value: value.clone(), count: 0 });
        seen.count += count;
        if value < seen.value {
            seen.value = value;
        }
    }

    /// Says something once, however often it happens.
    pub(in crate::proxmox) fn once(&self, cause: GapCause, section: &str, message: &str) {
        self.add_many(cause, section, None, message, None, 0);
    }

    /// All of them, sorted; none are left.
    pub(in crate::proxmox) fn take(&self) -> Vec<Gap> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *log)
            .into_iter()
            .map(|(kind, seen)| Gap {
                cause: kind.cause,
                place: Place {
                    file: self.address.clone(),
                    section: Some(kind.section).filter(|it| !it.is_empty()),
                    row: None,
                    field: kind.field,
                },
                message: kind.message,
                value: seen.value,
                count: seen.count.max(1),
            })
            .collect()
    }
}
