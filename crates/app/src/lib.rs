//! Use cases: assess an estate, overlay facts from people, mask names.
//!
//! Knows nothing about HTTP, HTML or terminals. Who calls it gives it the date: the clock is read in
//! one place, [`today`].

pub mod assess;
pub mod document;
mod mask;
mod overlay;
mod report;

pub use assess::{AssessError, AssessRequest, assess, catalogue};

/// Today's date in UTC: the one place where the clock is read.
pub fn today() -> entente_model::Date {
    time::OffsetDateTime::now_utc().date()
}
