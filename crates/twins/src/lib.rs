//! Simulated estates and the exports they would produce: for tests and the demonstration, never for
//! the product itself.
//!
//! [`generate`] invents an estate, one [`Collection`](entente_model::Collection) per vCenter;
//! [`rvtools::write`] writes what RVTools would have exported of it, in the headers, cell forms and
//! mishaps of the version asked for; [`rvtools::carried_by`] says how much of the estate such an
//! export can tell; [`overlay_csv`] is the CMDB extract that belongs to it. [`live`] serves it over the
//! wire, as the platform itself would.
//!
//! Everything is deterministic: the same specification gives the same bytes on every machine.

mod estate;
pub mod live;
mod random;
pub mod rvtools;

pub use estate::{EstateSpec, generate, overlay_csv};
