//! Virtual hardware: processors, memory, disks, network adapters, devices, firmware, VM snapshots.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr as Text;
use uuid::Uuid;

use crate::ids::{DatastoreId, NetworkId};
use crate::moment::Moment;
use crate::observed::{Listing, Observed, Why};

/// Virtual processors and their scheduling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cpu {
    /// Virtual processors in all.
    pub count: Observed<u32>,
    /// Virtual sockets.
    pub sockets: Observed<u32>,
    /// Cores per virtual socket.
    pub cores_per_socket: Observed<u32>,
    /// May be added while running.
    pub hot_add: Observed<bool>,
    /// May be removed while running.
    pub hot_remove: Observed<bool>,
    /// Guaranteed, in MHz.
    pub reservation_mhz: Observed<u64>,
    /// Capped, in MHz; absent = unlimited.
    pub limit_mhz: Observed<u64>,
    /// Share level: `low`, `normal`, `high`, `custom`.
    pub shares_level: Observed<Text>,
    /// Host processors to which it is bound; absent = none.
    pub affinity: Observed<Text>,
    /// NUMA nodes to which it is bound; absent = none.
    pub numa_affinity: Observed<Text>,
}

impl Cpu {
    /// Nothing is known of them, and why.
    pub fn unobserved(why: Why) -> Self {
        Self {
            count: Observed::Unobserved(why),
            sockets: Observed::Unobserved(why),
            cores_per_socket: Observed::Unobserved(why),
            hot_add: Observed::Unobserved(why),
            hot_remove: Observed::Unobserved(why),
            reservation_mhz: Observed::Unobserved(why),
            limit_mhz: Observed::Unobserved(why),
            shares_level: Observed::Unobserved(why),
            affinity: Observed::Unobserved(why),
            numa_affinity: Observed::Unobserved(why),
        }
    }
}

/// Memory and its scheduling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Memory {
    /// Configured size.
    pub size_bytes: Observed<u64>,
    /// Guaranteed.
    pub reservation_bytes: Observed<u64>,
    /// All of it reserved, whatever its size (needed by passthrough devices).
    pub reservation_locked_to_max: Observed<bool>,
    /// Capped; absent = unlimited.
    pub limit_bytes: Observed<u64>,
    /// Share level: `low`, `normal`, `high`, `custom`.
    pub shares_level: Observed<Text>,
    /// May be added while running.
    pub hot_add: Observed<bool>,
}

impl Memory {
    /// Nothing is known of it, and why.
    pub fn unobserved(why: Why) -> Self {
        Self {
            size_bytes: Observed::Unobserved(why),
            reservation_bytes: Observed::Unobserved(why),
            reservation_locked_to_max: Observed::Unobserved(why),
            limit_bytes: Observed::Unobserved(why),
            shares_level: Observed::Unobserved(why),
            hot_add: Observed::Unobserved(why),
        }
    }
}

/// How a disk takes part in VM snapshots.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DiskMode {
    /// Ordinary.
    Persistent,
    /// Writes are lost at power-off.
    NonPersistent,
    /// Left out of VM snapshots.
    IndependentPersistent,
    /// Left out of VM snapshots, writes lost at power-off.
    IndependentNonPersistent,
    /// Undoable.
    Undoable,
    /// Append.
    Append,
}

/// Whether several workloads may write to a disk at once.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DiskSharing {
    /// One writer.
    None,
    /// Multi-writer.
    MultiWriter,
}

/// Whether a disk controller may be shared by workloads.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum BusSharing {
    /// Not shared.
    None,
    /// Shared by workloads on one host.
    Virtual,
    /// Shared by workloads on any host.
    Physical,
}

/// A raw device mapping's compatibility mode.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RawMapping {
    /// Commands pass to the array: no VM snapshots, no conversion in place.
    Physical,
    /// The hypervisor mediates.
    Virtual,
    /// Raw, mode not told.
    Unspecified,
}

/// One virtual disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Disk {
    /// The platform's label, `Hard disk 1`.
    pub label: Text,
    /// Device key on the platform.
    pub key: Observed<Text>,
    /// The disk's own UUID.
    pub uuid: Observed<Uuid>,
    /// Capacity as the guest sees it.
    pub capacity_bytes: Observed<u64>,
    /// Where it is stored.
    pub datastore: Observed<DatastoreId>,
    /// File or volume, as the platform writes it.
    pub path: Observed<Text>,
    /// Thin-provisioned.
    pub thin: Observed<bool>,
    /// How it takes part in VM snapshots.
    pub mode: Observed<DiskMode>,
    /// Several writers.
    pub sharing: Observed<DiskSharing>,
    /// Controller type as the platform names it, `VMware paravirtual SCSI`.
    pub controller: Observed<Text>,
    /// Bus sharing of its controller.
    pub bus_sharing: Observed<BusSharing>,
    /// Raw device mapping; absent = an ordinary virtual disk.
    pub raw_mapping: Observed<RawMapping>,
    /// LUN behind a raw device mapping; absent = none.
    pub lun: Observed<Text>,
    /// Changed block tracking of this disk.
    pub change_tracking: Observed<bool>,
}

/// One virtual network adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Nic {
    /// The platform's label, `Network adapter 1`.
    pub label: Text,
    /// Adapter type, `Vmxnet3`.
    pub adapter: Observed<Text>,
    /// Network to which it is attached; absent = to none.
    pub network: Observed<NetworkId>,
    /// Switch behind that network; absent = none.
    pub switch: Observed<Text>,
    /// Connected now.
    pub connected: Observed<bool>,
    /// Connected at power-on.
    pub starts_connected: Observed<bool>,
    /// Hardware address, lower case with colons.
    pub mac: Observed<Text>,
    /// How the hardware address was given: `assigned`, `manual`, `generated`.
    pub mac_origin: Observed<Text>,
    /// Addresses that the guest reports.
    pub addresses: Listing<IpAddr>,
    /// Static or from DHCP.
    pub address_is_static: Observed<bool>,
    /// Bypasses the hypervisor where possible (DirectPath I/O).
    pub direct_path: Observed<bool>,
}

impl Nic {
    /// It has this label; nothing else is known of it, and why.
    pub fn unobserved(label: Text, why: Why) -> Self {
        Self {
            label,
            adapter: Observed::Unobserved(why),
            network: Observed::Unobserved(why),
            switch: Observed::Unobserved(why),
            connected: Observed::Unobserved(why),
            starts_connected: Observed::Unobserved(why),
            mac: Observed::Unobserved(why),
            mac_origin: Observed::Unobserved(why),
            addresses: Listing::unobserved(why),
            address_is_static: Observed::Unobserved(why),
            direct_path: Observed::Unobserved(why),
        }
    }
}

/// Any other attached device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// The platform's label or device node.
    pub label: Text,
    /// What is behind it, as the platform writes it.
    pub backing: Observed<Text>,
    /// Connected now.
    pub connected: Observed<bool>,
}

/// Devices other than disks and network adapters, by kind, each list with its own completeness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Devices {
    /// CD and DVD drives.
    pub cdroms: Listing<Device>,
    /// USB devices passed from a host.
    pub usb: Listing<Device>,
    /// PCI devices passed from a host.
    pub pci_passthrough: Listing<Device>,
    /// Shares of a GPU.
    pub vgpus: Listing<Device>,
    /// Serial ports.
    pub serial_ports: Listing<Device>,
    /// A virtual trusted platform module.
    pub tpm: Observed<bool>,
    /// Configuration or disks encrypted by the platform.
    pub encrypted: Observed<bool>,
}

impl Devices {
    /// Nothing is known of them, and why.
    pub fn unobserved(why: Why) -> Self {
        Self {
            cdroms: Listing::unobserved(why),
            usb: Listing::unobserved(why),
            pci_passthrough: Listing::unobserved(why),
            vgpus: Listing::unobserved(why),
            serial_ports: Listing::unobserved(why),
            tpm: Observed::Unobserved(why),
            encrypted: Observed::Unobserved(why),
        }
    }
}

/// Kind of firmware.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FirmwareKind {
    /// Legacy BIOS.
    Bios,
    /// UEFI.
    Efi,
}

/// Firmware and virtual hardware version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Firmware {
    /// BIOS or UEFI.
    pub kind: Observed<FirmwareKind>,
    /// UEFI secure boot.
    pub secure_boot: Observed<bool>,
    /// Virtual hardware version as a number, `vmx-19` = 19.
    pub hardware_version: Observed<u32>,
}

impl Firmware {
    /// Nothing is known of it, and why.
    pub fn unobserved(why: Why) -> Self {
        Self {
            kind: Observed::Unobserved(why),
            secure_boot: Observed::Unobserved(why),
            hardware_version: Observed::Unobserved(why),
        }
    }
}

/// One VM snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VmSnapshot {
    /// Its id on the platform.
    pub id: Observed<Text>,
    /// Id of the VM snapshot that it follows; absent = it is the first.
    pub parent: Observed<Text>,
    /// Its name.
    pub name: Text,
    /// What its maker wrote, with secrets redacted.
    pub description: Observed<Text>,
    /// When it was made.
    pub created: Observed<Moment>,
    /// Space it holds.
    pub size_bytes: Observed<u64>,
    /// File systems were quiesced.
    pub quiesced: Observed<bool>,
    /// Power state that it holds.
    pub state: Observed<Text>,
}
