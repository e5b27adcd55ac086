//! What was seen, over time: in one SQLite file, or in PostgreSQL.
//!
//! A [`Collection`] goes in as one transaction and comes out as of any time. Of what is configured, each
//! state is a version with the time from which and up to which it was so; what moves by itself (free
//! space, usage) is a sample and makes no version. What a collection could not see is not gone: absence
//! counts only in lists that were whole.
//!
//! Three times are told apart: when something was observed, when it was recorded, and by which mapper it
//! was read. An export that arrives late goes to its own time; a mapper that reads the same answers
//! differently makes a re-interpretation, not a change of the world.
//!
//! [`Collection`]: entente_model::Collection

mod body;
mod candidates;
mod changes;
mod database;
mod difference;
mod error;
mod lease;
mod lives;
mod maintain;
mod nouns;
mod pipe;
pub mod point;
pub mod query;
mod read;
mod retention;
mod samples;
pub mod tables;
mod timeline;
mod write;

pub use candidates::Since;
pub use changes::{Change, ChangeKind, ChangesOf};
pub use database::{Address, Engine, Store};
pub use difference::{FieldChange, FieldChangeKind, item_names};
pub use error::StoreError;
pub use lives::{Decided, Life, LivesOf};
pub use maintain::Stats;
pub use nouns::KINDS;
pub use read::{Age, AsOf};
pub use retention::{Compacted, Retention};
pub use write::{Delta, Stamp, Written};
