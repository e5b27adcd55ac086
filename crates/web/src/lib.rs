//! Pages and charts: one component set for report files and the live UI.
//!
//! [`report`] makes the self-contained report of an assessment. [`components`] and [`chart`] are what
//! pages are built from; [`mod@format`] is the one place where numbers become text.
//!
//! Knows nothing about databases, platforms or how an assessment came to be. Pages never load
//! anything: styles, scripts and data are in the file, and a content security policy says so.

pub mod chart;
pub mod components;
pub mod format;
mod report;

pub use report::{STATIC_ROWS, report, write_report};
