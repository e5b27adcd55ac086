//! Use cases: assess an estate, overlay facts from people, mask names.
//!
//! Knows nothing about HTTP, HTML or terminals. The clock is read here and nowhere below.

pub mod document;
