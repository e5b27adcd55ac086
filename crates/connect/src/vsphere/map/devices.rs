//! Virtual hardware: disks, network adapters, and every other device by its kind.

use std::net::IpAddr;

use entente_model::{
    BusSharing, Device, Devices, Disk, DiskMode, DiskSharing, GapCause, Listing, Nic, Observed,
    RawMapping, Text, Why,
};

use super::super::wire::{Element, Told};
use super::facts::{Facts, blank};
use super::inventory::Inventory;
use super::settings::Settings;

/// What a machine is made of.
pub(super) struct Hardware {
    /// Disks.
    pub disks: Listing<Disk>,
    /// Network adapters.
    pub nics: Listing<Nic>,
    /// Everything else.
    pub devices: Devices,
    /// A disk of it is encrypted.
    pub has_encrypted_disk: bool,
}

/// Devices that every machine has, or whose facts stand elsewhere.
const ORDINARY: [&str; 14] = [
    "VirtualKeyboard",
    "VirtualPointingDevice",
    "VirtualMachineVideoCard",
    "VirtualMachineVMCIDevice",
    "VirtualPCIController",
    "VirtualPS2Controller",
    "VirtualSIOController",
    "VirtualIDEController",
    "VirtualAHCIController",
    "VirtualNVMEController",
    "VirtualUSBController",
    "VirtualUSBXHCIController",
    "VirtualHdAudioCard",
    "VirtualSoundBlaster16",
];

/// Devices that the model has no place for yet.
const NOT_MODELLED: [&str; 7] = [
    "VirtualFloppy",
    "VirtualParallelPort",
    "VirtualSCSIPassthrough",
    "VirtualNVDIMM",
    "VirtualNVDIMMController",
    "VirtualWDT",
    "VirtualPrecisionClock",
];

struct Parts<'t, 'i, 'g, 'f> {
    devices: Vec<Element<'t>>,
    guest: Told<'t>,
    settings: &'i Settings<'t>,
    inventory: &'i Inventory,
    facts: &'f mut Facts<'g>,
}

/// What `config.hardware` tells.
pub(super) fn hardware<'t>(
    told: Told<'t>,
    guest: Told<'t>,
    settings: &Settings<'t>,
    inventory: &Inventory,
    facts: &mut Facts<'_>,
) -> Hardware {
    let Some(element) = told.element() else {
        return unobserved(told.refused().unwrap_or(Why::Blank));
    };
    let devices = element.all("device").collect();
    let mut parts = Parts { devices, guest, settings, inventory, facts };
    parts.read()
}

fn unobserved(why: Why) -> Hardware {
    Hardware {
        disks: Listing::unobserved(why),
        nics: Listing::unobserved(why),
        devices: Devices {
            cdroms: Listing::unobserved(why),
            usb: Listing::unobserved(why),
            pci_passthrough: Listing::unobserved(why),
            vgpus: Listing::unobserved(why),
            serial_ports: Listing::unobserved(why),
            tpm: Observed::Unobserved(why),
            encrypted: Observed::Unobserved(why),
        },
        has_encrypted_disk: false,
    }
}

fn within<'t>(element: Element<'t>, path: &str) -> Told<'t> {
    element.at(path).map_or(Told::Unset, Told::Value)
}

fn label(device: Element<'_>) -> Text {
    Text::new(device.text_at("deviceInfo.label").unwrap_or_default())
}

impl<'t> Parts<'t, '_, '_, '_> {
    fn read(&mut self) -> Hardware {
        let (mut disks, mut nics) = (Vec::new(), Vec::new());
        let (mut cdroms, mut usb, mut pci) = (Vec::new(), Vec::new(), Vec::new());
        let (mut vgpus, mut serial_ports) = (Vec::new(), Vec::new());
        let (mut tpm, mut has_encrypted_disk) = (false, false);
        for device in self.devices.clone() {
            match device.kind() {
                "VirtualDisk" => {
                    has_encrypted_disk |= device.at("backing.keyId").is_some();
                    disks.push(self.disk(device));
                }
                "VirtualCdrom" => cdroms.push(self.device(device, &["fileName", "deviceName"])),
                "VirtualUSB" => usb.push(self.device(device, &["deviceName"])),
                "VirtualSerialPort" => serial_ports.push(
                    self.device(device, &["serviceURI", "pipeName", "fileName", "deviceName"]),
                ),
                "VirtualPCIPassthrough" => match device.text_at("backing.vgpu") {
                    Some(_) => vgpus.push(self.device(device, &["vgpu"])),
                    None => pci.push(self.device(device, &["id", "deviceName", "assignedId"])),
                },
                "VirtualTPM" => tpm = true,
                _ if device.child("macAddress").is_some() => nics.push(self.nic(device)),
                kind if ORDINARY.contains(&kind) || device.child("busNumber").is_some() => {}
                kind if NOT_MODELLED.contains(&kind) => {
                    let message = "the model has no place for this kind of device yet";
                    self.facts.gap(GapCause::NotModelled, kind, message);
                }
                kind => {
                    let message = "a kind of device that this version does not know";
                    self.facts.value(GapCause::UnknownValue, "device", message, kind);
                }
            }
        }
        Hardware {
            disks: Listing::complete(disks),
            nics: Listing::complete(nics),
            devices: Devices {
                cdroms: Listing::complete(cdroms),
                usb: Listing::complete(usb),
                pci_passthrough: Listing::complete(pci),
                vgpus: Listing::complete(vgpus),
                serial_ports: Listing::complete(serial_ports),
                tpm: Observed::Value(tpm),
                encrypted: blank(),
            },
            has_encrypted_disk,
        }
    }

    fn device(&mut self, device: Element<'t>, backings: &[&str]) -> Device {
        let backing = device.child("backing");
        let told = backings.iter().find_map(|name| backing.and_then(|it| it.text_at(name)));
        Device {
            label: label(device),
            backing: match (told, backing) {
                (Some(text), _) => Observed::Value(Text::new(text)),
                // A backing without a name says by its type what it is.
                (None, Some(backing)) if !backing.kind().is_empty() => {
                    Observed::Value(Text::new(backing.kind()))
                }
                _ => Observed::Absent,
            },
            connected: self.facts.flag(within(device, "connectable.connected"), blank()),
        }
    }

    fn controller(&self, device: Element<'t>) -> Option<Element<'t>> {
        let key = device.text_at("controllerKey")?;
        self.devices.iter().copied().find(|it| it.text_at("key") == Some(key))
    }

    fn disk(&mut self, device: Element<'t>) -> Disk {
        let backing = device.child("backing").map_or(Told::Unset, Told::Value);
        let kind = backing.element().map_or("", Element::kind);
        let controller = self.controller(device);
        let is_raw = kind.contains("RawDisk");
        let capacity = within(device, "capacityInBytes");
        let capacity_bytes = match capacity.text() {
            Some(_) => self.facts.bytes(capacity, 1, blank()),
            None => self.facts.bytes(within(device, "capacityInKB"), 1 << 10, blank()),
        };
        let datastore = backing.child("datastore").reference();
        let thin = backing.child("thinProvisioned");
        Disk {
            label: label(device),
            key: self.facts.text(within(device, "key"), blank()),
            uuid: self.facts.word(backing.child("uuid"), blank(), |it| it.parse().ok()),
            capacity_bytes,
            datastore: match datastore.map(|it| self.inventory.datastores.get(it.id)) {
                Some(Some(id)) => Observed::Value(id.clone()),
                Some(None) => Observed::Unobserved(Why::NoPermission),
                None => blank(),
            },
            path: self.facts.text(backing.child("fileName"), blank()),
            thin: match kind {
                // These grow as they are written, and say nothing of it.
                "VirtualDiskSeSparseBackingInfo"
                | "VirtualDiskSparseVer1BackingInfo"
                | "VirtualDiskSparseVer2BackingInfo" => Observed::Value(true),
                _ if is_raw => Observed::Value(false),
                _ => self.facts.flag(thin, Observed::Value(false)),
            },
            mode: self.facts.word(backing.child("diskMode"), blank(), disk_mode),
            sharing: self.facts.word(
                backing.child("sharing"),
                Observed::Value(DiskSharing::None),
                |word| match word {
                    "sharingNone" => Some(DiskSharing::None),
                    "sharingMultiWriter" => Some(DiskSharing::MultiWriter),
                    _ => None,
                },
            ),
            controller: controller
                .map_or(blank(), |it| Observed::Value(controller_label(it.kind()))),
            bus_sharing: match controller.and_then(|it| it.child("sharedBus")) {
                Some(shared) => self.facts.word(Told::Value(shared), blank(), bus_sharing),
                // Only SCSI and NVMe controllers can be shared.
                None => Observed::Value(BusSharing::None),
            },
            raw_mapping: if is_raw {
                let mode = self.facts.word(
                    backing.child("compatibilityMode"),
                    Observed::Value(RawMapping::Unspecified),
                    |word| match word {
                        "physicalMode" => Some(RawMapping::Physical),
                        "virtualMode" => Some(RawMapping::Virtual),
                        _ => None,
                    },
                );
                Observed::Value(mode.copied().unwrap_or(RawMapping::Unspecified))
            } else {
                Observed::Absent
            },
            lun: match backing.child("lunUuid").text().or(backing.child("deviceName").text()) {
                Some(lun) if is_raw => Observed::Value(Text::new(lun)),
                _ if is_raw => blank(),
                _ => Observed::Absent,
            },
            change_tracking: self.change_tracking(device, controller, backing),
        }
    }

    /// Told by a setting that names the disk by its place; a disk that has a change id is tracked.
    fn change_tracking(
        &self,
        device: Element<'t>,
        controller: Option<Element<'t>>,
        backing: Told<'t>,
    ) -> Observed<bool> {
        let place = controller.and_then(|it| {
            let bus = it.text_at("busNumber")?;
            let unit = device.text_at("unitNumber")?;
            Some(format!("{}{bus}:{unit}", bus_word(it.kind())))
        });
        match place.and_then(|it| self.settings.tracks(&it)) {
            Some(tracks) => Observed::Value(tracks),
            None if backing.child("changeId").text().is_some() => Observed::Value(true),
            None => Observed::Value(false),
        }
    }

    fn nic(&mut self, device: Element<'t>) -> Nic {
        let (network, switch) = self.network(device);
        let (addresses, address_is_static) = self.addresses(device);
        let kind = device.kind();
        let adapter = kind.strip_prefix("Virtual").unwrap_or(kind);
        Nic {
            label: label(device),
            adapter: Observed::Value(Text::new(adapter)),
            network,
            switch,
            connected: self.facts.flag(within(device, "connectable.connected"), blank()),
            starts_connected: self
                .facts
                .flag(within(device, "connectable.startConnected"), blank()),
            mac: match device.text_at("macAddress") {
                Some(mac) => Observed::Value(Text::from(mac.to_ascii_lowercase())),
                None => blank(),
            },
            mac_origin: self.facts.text(within(device, "addressType"), blank()),
            addresses,
            address_is_static,
            direct_path: if kind == "VirtualSriovEthernetCard" {
                Observed::Value(true)
            } else {
                self.facts.flag(within(device, "uptCompatibilityEnabled"), Observed::Value(false))
            },
        }
    }

    fn network(
        &mut self,
        device: Element<'t>,
    ) -> (Observed<entente_model::NetworkId>, Observed<Text>) {
        let Some(backing) = device.child("backing") else {
            return (Observed::Absent, Observed::Absent);
        };
        let known = match backing.kind() {
            "VirtualEthernetCardDistributedVirtualPortBackingInfo" => {
                backing.text_at("port.portgroupKey")
            }
            "VirtualEthernetCardOpaqueNetworkBackingInfo" => {
                let id = backing.text_at("opaqueNetworkId").unwrap_or_default();
                self.inventory.opaque.get(id).map(Text::as_str)
            }
            _ => backing.reference_at("network").map(|it| it.id),
        };
        match known.and_then(|id| self.inventory.networks.get(id)) {
            Some(place) => (Observed::Value(place.id.clone()), place.switch.clone()),
            // The network is gone or hidden; the adapter says nothing more than its name.
            None => {
                let message = "an adapter is attached to a network that was not told of";
                self.facts.gap(GapCause::DanglingReference, "network", message);
                (Observed::Unobserved(Why::NoPermission), Observed::Unobserved(Why::NoPermission))
            }
        }
    }

    fn addresses(&mut self, device: Element<'t>) -> (Listing<IpAddr>, Observed<bool>) {
        let why = self.guest.refused().unwrap_or(Why::GuestSilent);
        let key = device.text_at("key");
        let guest = self.guest.elements().find(|it| it.text_at("deviceConfigId") == key);
        let Some(guest) = guest else {
            return (Listing::unobserved(why), Observed::Unobserved(why));
        };
        let (mut addresses, mut origins) = (Vec::new(), Vec::new());
        for told in guest.child("ipConfig").into_iter().flat_map(|it| it.all("ipAddress")) {
            let Some(text) = told.text_at("ipAddress") else { continue };
            match text.parse() {
                Ok(address) => addresses.push(address),
                Err(_) => {
                    let cause = GapCause::UnreadableValue;
                    self.facts.value(cause, "ipAddress", "expected an address", text);
                }
            }
            // Link-local addresses are given by nobody.
            origins.extend(told.text_at("origin").filter(|it| *it != "linklayer"));
        }
        if addresses.is_empty() {
            let texts = guest.all("ipAddress").filter_map(|it| it.text().parse::<IpAddr>().ok());
            addresses.extend(texts);
        }
        addresses.sort();
        addresses.dedup();
        let is_static = if origins.contains(&"dhcp") {
            Observed::Value(false)
        } else if origins.contains(&"manual") {
            Observed::Value(true)
        } else {
            Observed::Unobserved(Why::GuestSilent)
        };
        (Listing::complete(addresses), is_static)
    }
}

fn disk_mode(word: &str) -> Option<DiskMode> {
    match word {
        "persistent" => Some(DiskMode::Persistent),
        "nonpersistent" => Some(DiskMode::NonPersistent),
        "independent_persistent" => Some(DiskMode::IndependentPersistent),
        "independent_nonpersistent" => Some(DiskMode::IndependentNonPersistent),
        "undoable" => Some(DiskMode::Undoable),
        "append" => Some(DiskMode::Append),
        _ => None,
    }
}

fn bus_sharing(word: &str) -> Option<BusSharing> {
    match word {
        "noSharing" => Some(BusSharing::None),
        "virtualSharing" => Some(BusSharing::Virtual),
        "physicalSharing" => Some(BusSharing::Physical),
        _ => None,
    }
}

/// A controller as people know it.
fn controller_label(kind: &str) -> Text {
    Text::new(match kind {
        "ParaVirtualSCSIController" => "VMware paravirtual SCSI",
        "VirtualLsiLogicController" => "LSI Logic",
        "VirtualLsiLogicSASController" => "LSI Logic SAS",
        "VirtualBusLogicController" => "BusLogic",
        "VirtualIDEController" => "IDE",
        "VirtualAHCIController" => "SATA AHCI",
        "VirtualNVMEController" => "NVMe",
        other => other,
    })
}

/// How settings name a controller's bus.
fn bus_word(kind: &str) -> &'static str {
    match kind {
        "VirtualIDEController" => "ide",
        "VirtualAHCIController" => "sata",
        "VirtualNVMEController" => "nvme",
        _ => "scsi",
    }
}
