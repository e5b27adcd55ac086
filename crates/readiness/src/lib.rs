//! What stops a workload from living elsewhere, and what it leans on.
//!
//! Pure engines over an [`Estate`](entente_model::Estate): no I/O, no clock (the date is an
//! argument), the same input gives the same bytes out.

mod verdict;

pub use verdict::{CheckSeverity, TargetReadiness, Verdict, VerdictCounts};
