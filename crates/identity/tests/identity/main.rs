//! Correlation: against a slow and obvious reference, in any order, on hard estates, and on a large one
//! of which the truth is known.
#![cfg(test)]

mod adversarial;
mod estate;
mod laws;
mod reference;
mod scale;
mod told;
