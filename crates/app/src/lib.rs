//! Use cases: collect from platforms, assess an estate, overlay facts from people, mask names.
//!
//! Knows nothing about HTTP, HTML or terminals. Who calls it gives it the date: the clock is read in
//! one place, [`now_utc`].

pub mod assess;
pub mod collect;
pub mod collection_file;
pub mod config;
pub mod document;
mod found;
pub mod freshness;
pub mod history;
pub mod identities;
mod mask;
mod overlay;
pub mod remembered;
mod report;
pub mod show;
mod standing;
pub mod watch;

pub use assess::{AssessError, AssessRequest, assess, assess_estate, catalogue};

/// Now in UTC: the one place where the clock is read.
pub fn now_utc() -> time::OffsetDateTime {
    time::OffsetDateTime::now_utc()
}

/// Now, as collections tell it.
pub fn now() -> entente_model::Moment {
    entente_model::Moment::Utc(now_utc())
}

/// Today's date in UTC.
pub fn today() -> entente_model::Date {
    now().date()
}
