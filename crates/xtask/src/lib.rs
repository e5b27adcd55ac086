//! Checks on the house itself: who may depend on whom, where names may stand, what every file owes.
//!
//! Each check is one small file in [`checks`]: its rule is data or a sentence at the top, its function
//! takes what it looks at and returns [`Fault`]s, and its unit tests show it a bad example.
//! `cargo test -p entente-xtask` runs them on the checkout; `cargo run -p entente-xtask -- check` prints
//! the same faults without the test runner.
//!
//! Knows nothing about what Entente does: no crate of the workspace is a dependency.

mod cargo;
pub mod checks;
mod fault;
mod house;
pub mod notices;
mod rust;

pub use fault::Fault;
pub use house::House;
