//! Which sightings are the same machine, across sources of one platform and across platforms.
//!
//! A [`Sighting`] is one machine as one feed showed it: a platform, read by a connector, from time to
//! time. [`correlate`] says which belong together and why: links with their evidence, the identities
//! they make, and the conflicts that people have to decide. The rules, and why they are so, stand in
//! `docs/decisions/0011-identity.md`.
//!
//! Pure: no I/O, no clock. The same set of sightings, moves and decisions gives the same answer,
//! whatever the order in which they are given. A fact that was not observed speaks neither for nor
//! against. Knows nothing about stores, connectors or where its sightings came from.
//!
//! ```
//! use entente_identity::{Correlation, correlate};
//! let nothing_seen: Correlation = correlate(&[], &[], &[]);
//! assert!(nothing_seen.identities.is_empty());
//! ```

mod correlation;
mod engine;
mod joins;
mod prepared;
mod rules;
mod settle;
mod sighting;
mod together;
mod values;

pub use correlation::{
    Conflict, ConflictKind, Correlation, Evidence, EvidenceKind, Explanation, Identity, Limit,
    LimitKind, Link, Ruling, Side, Strength,
};
pub use engine::correlate;
pub use joins::BUCKET_SIGHTINGS_MAX;
pub use settle::COMPONENT_SIGHTINGS_MAX;
pub use sighting::{Choice, Decision, Move, Seen, Sighting};
pub use together::HANDOVER_SECONDS_MAX;
