//! Platforms and exports, one folder each: the only code that talks to them.
//!
//! Look at [`connector`] for what a connector is, and at [`registry`] for those there are. Reading of
//! tables in files ([`tables`]) and redaction of secrets ([`secrets`]) are shared by all.

pub mod connector;
pub mod secrets;
pub mod tables;

/// Declares the connectors: a folder each, in alphabetical order.
macro_rules! connectors {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// Every connector there is.
        pub fn registry() -> &'static [&'static dyn connector::Connector] {
            static ALL: &[&dyn connector::Connector] = &[$(&$name::CONNECTOR),*];
            ALL
        }
    };
}

connectors! { rvtools }
