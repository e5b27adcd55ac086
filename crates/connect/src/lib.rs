//! Platforms and exports, one folder each: the only code that talks to them.
//!
//! Look at [`connector`] for what a connector is, and at [`registry`] for those there are. What
//! connectors to running platforms share is in [`live`]; reading of tables in files in [`tables`];
//! redaction of secrets in [`secrets`].

pub mod connector;
pub mod live;
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

/// Connectors that read exports, by name.
pub fn exports() -> impl Iterator<Item = (&'static str, &'static dyn connector::Export)> {
    registry().iter().filter_map(|it| match it.access() {
        connector::Access::Export(export) => Some((it.name(), export)),
        connector::Access::Live(_) => None,
    })
}

/// Connectors that log in to running platforms, by name.
pub fn platforms() -> impl Iterator<Item = (&'static str, &'static dyn live::Live)> {
    registry().iter().filter_map(|it| match it.access() {
        connector::Access::Export(_) => None,
        connector::Access::Live(live) => Some((it.name(), live)),
    })
}

connectors! { libvirt, proxmox, rvtools, vsphere }

/// Properties of a vCenter's objects as they are, for measuring and looking.
pub use vsphere::{
    PropertiesRead as VspherePropertiesRead, Property as VsphereProperty,
    properties as vsphere_properties,
};

/// Decoders of what a libvirt host sends, for fuzz targets.
#[cfg(feature = "fuzzing")]
pub use libvirt::fuzzing as libvirt_fuzzing;
