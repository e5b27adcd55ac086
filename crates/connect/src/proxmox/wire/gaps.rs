//! Gaps to which many calls add at once.

use std::sync::{Mutex, PoisonError};

use entente_model::{Gap, GapCause, Text};

use crate::live::{self, Found};

/// Gaps so far.
#[derive(Debug)]
pub(in crate::proxmox) struct Gaps {
    address: Text,
    found: Mutex<live::Gaps>,
}

impl Gaps {
    /// None yet, of the platform at this address.
    pub(in crate::proxmox) fn new(address: &str) -> Self {
        Self { address: address.into(), found: Mutex::default() }
    }

    /// One more.
    pub(in crate::proxmox) fn add(
        &self,
        cause: GapCause,
        section: &str,
        field: Option<&str>,
        message: &str,
        value: Option<&str>,
    ) {
        self.add_many(Found { cause, section, field, message, value }, 1);
    }

    /// So many more.
    pub(in crate::proxmox) fn add_many(&self, found: Found<'_>, count: u64) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).add_many(found, count);
    }

    /// Says something once, however often it happens.
    pub(in crate::proxmox) fn once(&self, cause: GapCause, section: &str, message: &str) {
        let found = Found::of(cause, section, message);
        self.found.lock().unwrap_or_else(PoisonError::into_inner).add_once(found);
    }

    /// All of them, sorted; none are left.
    pub(in crate::proxmox) fn take(&self) -> Vec<Gap> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *found).finish(&self.address)
    }
}
