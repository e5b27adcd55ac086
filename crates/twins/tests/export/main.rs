//! The exports as files: headers and cell forms per version against golden texts, mishaps, secrets,
//! and the shape of the estate behind them.
//!
//! `UPDATE_GOLDEN=1 cargo test -p entente-twins` records the golden texts anew; headers are then to
//! be checked against the format's own documentation again, by eye.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod defects;
mod estate;
mod forms;
mod golden;
mod headers;
mod read;
mod secrets;
