//! Gaps to which many calls add at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use entente_model::{Gap, Text};

use crate::live::{self, Found};

/// Gaps so far.
#[derive(Debug, Default)]
pub(in crate::proxmox) struct Gaps(Mutex<live::Gaps>);

impl Gaps {
    fn found(&self) -> MutexGuard<'_, live::Gaps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more.
    pub(in crate::proxmox) fn add(&self, found: Found<'_>) {
        self.found().add(found);
    }

    /// So many more.
    pub(in crate::proxmox) fn add_many(&self, found: Found<'_>, count: u64) {
        self.found().add_many(found, count);
    }

    /// Told once, however often it happens.
    pub(in crate::proxmox) fn add_once(&self, found: Found<'_>) {
        self.found().add_once(found);
    }

    /// Adds others.
    pub(in crate::proxmox) fn append(&self, other: Self) {
        let other = other.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.found().append(other);
    }

    /// All of them, sorted, of the platform at this address.
    pub(in crate::proxmox) fn finish(self, address: &Text) -> Vec<Gap> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).finish(address)
    }
}
