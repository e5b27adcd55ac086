//! Several accounts of one estate, put together: laws, and what must not happen.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "known lists")]

mod cases;
mod laws;
mod told;
