//! libvirt's answers as types: the remote protocol (XDR over a stream), and the XML inside it.
//!
//! Layouts and numbers are facts of the protocol, checked against a running libvirtd (9.0) with what
//! `virsh` sends; nothing here reaches out: bytes in, values out, every length with its limit.

pub(super) mod failure;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub(super) mod message;
pub(super) mod procedures;
pub(super) mod reading;
pub(super) mod scram;
pub(super) mod xdr;
pub(super) mod xml;
