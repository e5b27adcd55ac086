//! Virtual hardware: disks, network adapters, and every other device by its kind.

use std::collections::BTreeSet;
use std::net::IpAddr;

use entente_model::{
    BusSharing, DatastoreId, Device, Devices, Disk, DiskMode, DiskSharing, GapCause, Listing, Nic,
    Observed, RawMapping, Text, Why,
};

use super::super::wire::{Element, Told};
use super::facts::{Facts, blank, listing};
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

/// What of a machine tells of its hardware.
pub(super) struct Machine<'t, 's> {
    /// `config.hardware`.
    pub hardware: Told<'t>,
    /// `guest.net`.
    pub guest: Told<'t>,
    /// Its settings.
    pub settings: &'s Settings<'t>,
    /// Why the platform itself cannot read the machine, if it cannot.
    pub unread: Option<Why>,
}

struct Parts<'t, 'i, 'g, 'f> {
    devices: Vec<Element<'t>>,
    machine: &'i Machine<'t, 'i>,
    inventory: &'i Inventory,
    facts: &'f mut Facts<'g>,
    strangers: &'f mut BTreeSet<Text>,
}

/// What `config.hardware` tells; ids of what it refers to and nothing told of become strangers.
pub(super) fn hardware<'t>(
    machine: &Machine<'t, '_>,
    inventory: &Inventory,
    facts: &mut Facts<'_>,
    strangers: &mut BTreeSet<Text>,
) -> Hardware {
    let Some(element) = machine.hardware.element() else {
        return unobserved(machine.hardware.refused().unwrap_or(Why::Blank));
    };
    let devices = element.all("device").collect();
    let mut parts = Parts { devices, machine, inventory, facts, strangers };
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

fn label(device: Element<'_>) -> Text {
    Text::new(device.text_at("deviceInfo.label").unwrap_or_default())
}

impl<'t> Parts<'t, '_, '_, '_> {
    fn read(&mut self) -> Hardware {
        let (mut disks, mut nics) = (Vec::new(), Vec::new());
        let (mut cdroms, mut usb, mut pci) = (Vec::new(), Vec::new(), Vec::new());
        let (mut vgpus, mut serial_ports) = (Vec::new(), Vec::new());
        let (mut tpm, mut has_encrypted_disk) = (false, false);
        // What is told of a machine that cannot be read may be old.
        let (mut lost_disks, mut lost) = (self.machine.unread, self.machine.unread);
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
                    let is_disk = device.child("capacityInKB").is_some();
                    *(if is_disk { &mut lost_disks } else { &mut lost }) = Some(Why::Unreadable);
                }
            }
        }
        Hardware {
            disks: listing(disks, lost_disks),
            nics: listing(nics, self.machine.unread),
            devices: Devices {
                cdroms: listing(cdroms, lost),
                usb: listing(usb, lost),
                pci_passthrough: listing(pci, lost),
                vgpus: listing(vgpus, lost),
                serial_ports: listing(serial_ports, lost),
                tpm: match lost {
                    Some(why) if !tpm => Observed::Unobserved(why),
                    _ => Observed::Value(tpm),
                },
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
                _ => self.documented(Observed::Absent),
            },
            connected: self.facts.flag(device.told("connectable.connected"), blank()),
        }
    }

    /// What the platform's documentation says that it is where it is unset; what a machine that cannot
    /// be read does not tell is not known.
    fn documented<T>(&self, unset: Observed<T>) -> Observed<T> {
        self.machine.unread.map_or(unset, Observed::Unobserved)
    }

    fn controller(&self, device: Element<'t>) -> Option<Element<'t>> {
        let key = device.text_at("controllerKey")?;
        self.devices.iter().copied().find(|it| it.text_at("key") == Some(key))
    }

    fn disk(&mut self, device: Element<'t>) -> Disk {
        let backing = device.told("backing");
        let kind = backing.element().map_or("", Element::kind);
        let controller = self.controller(device);
        let is_raw = kind.contains("RawDisk");
        let capacity = device.told("capacityInBytes");
        let capacity_bytes = match capacity.text() {
            Some(_) => self.facts.bytes(capacity, 1, blank()),
            None => self.facts.bytes(device.told("capacityInKB"), 1 << 10, blank()),
        };
        // Only SCSI and NVMe controllers can be shared.
        let not_shared = self.documented(Observed::Value(BusSharing::None));
        Disk {
            label: label(device),
            key: self.facts.text(device.told("key"), blank()),
            uuid: self.facts.word(backing.child("uuid"), blank(), |it| it.parse().ok()),
            capacity_bytes,
            datastore: self.datastore(backing),
            path: self.facts.text(backing.child("fileName"), blank()),
            thin: match kind {
                // These grow as they are written, and say nothing of it.
                "VirtualDiskSeSparseBackingInfo"
                | "VirtualDiskSparseVer1BackingInfo"
                | "VirtualDiskSparseVer2BackingInfo" => Observed::Value(true),
                "" => blank(),
                _ if is_raw => Observed::Value(false),
                _ => {
                    let thick = self.documented(Observed::Value(false));
                    self.facts.flag(backing.child("thinProvisioned"), thick)
                }
            },
            mode: self.facts.word(backing.child("diskMode"), blank(), disk_mode),
            sharing: {
                let none = self.documented(Observed::Value(DiskSharing::None));
                self.facts.word(backing.child("sharing"), none, sharing)
            },
            controller: controller
                .map_or(blank(), |it| Observed::Value(controller_label(it.kind()))),
            bus_sharing: match controller.map(|it| it.told("sharedBus")) {
                Some(shared) => self.facts.word(shared, not_shared, bus_sharing),
                None => blank(),
            },
            raw_mapping: match kind {
                "" => blank(),
                _ if is_raw => {
                    let unset = self.documented(Observed::Value(RawMapping::Unspecified));
                    self.facts.word(backing.child("compatibilityMode"), unset, raw_mapping)
                }
                _ => Observed::Absent,
            },
            lun: match backing.child("lunUuid").text().or(backing.child("deviceName").text()) {
                Some(lun) if is_raw => Observed::Value(Text::new(lun)),
                _ if is_raw || kind.is_empty() => blank(),
                _ => Observed::Absent,
            },
            change_tracking: self.change_tracking(device, controller, backing),
        }
    }

    fn datastore(&mut self, backing: Told<'t>) -> Observed<DatastoreId> {
        let Some(datastore) = backing.child("datastore").reference() else { return blank() };
        match self.inventory.datastores.get(datastore.id) {
            Some(id) => Observed::Value(id.clone()),
            None => {
                let message = "disks are on it, and no list holds it: the account may not see it, or it is newer than the list";
                self.facts.dangling("datastores", message, datastore.id);
                self.strangers.insert(Text::new(datastore.id));
                Observed::Unobserved(self.inventory.hidden)
            }
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
        let has_id = backing.child("changeId").text().is_some();
        match place.map_or(blank(), |it| self.machine.settings.tracks(&it)) {
            Observed::Value(tracks) => Observed::Value(tracks),
            _ if has_id => Observed::Value(true),
            Observed::Absent => Observed::Value(false),
            Observed::Unobserved(why) => Observed::Unobserved(why),
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
            connected: self.facts.flag(device.told("connectable.connected"), blank()),
            starts_connected: self.facts.flag(device.told("connectable.startConnected"), blank()),
            mac: match device.text_at("macAddress") {
                Some(mac) => Observed::Value(Text::from(mac.to_ascii_lowercase())),
                None => blank(),
            },
            mac_origin: self.facts.text(device.told("addressType"), blank()),
            addresses,
            address_is_static,
            direct_path: if kind == "VirtualSriovEthernetCard" {
                Observed::Value(true)
            } else {
                let unset = self.documented(Observed::Value(false));
                self.facts.flag(device.told("uptCompatibilityEnabled"), unset)
            },
        }
    }

    fn network(
        &mut self,
        device: Element<'t>,
    ) -> (Observed<entente_model::NetworkId>, Observed<Text>) {
        let Some(backing) = device.child("backing") else {
            return (self.documented(Observed::Absent), self.documented(Observed::Absent));
        };
        let told = match backing.kind() {
            "VirtualEthernetCardDistributedVirtualPortBackingInfo" => {
                backing.text_at("port.portgroupKey")
            }
            "VirtualEthernetCardOpaqueNetworkBackingInfo" => backing.text_at("opaqueNetworkId"),
            _ => backing.reference_at("network").map(|it| it.id),
        };
        let networks = &self.inventory.networks;
        let opaque = told.and_then(|id| self.inventory.opaque.get(id)).map(Text::as_str);
        if let Some(place) = opaque.or(told).and_then(|id| networks.get(id)) {
            return (Observed::Value(place.id.clone()), place.switch.clone());
        }
        // The network is gone or hidden; the adapter says nothing more than its name.
        let name = told.or(backing.text_at("deviceName")).unwrap_or_default();
        let message = "adapters are attached to it, and no list holds it: the account may not see it, or it is gone, or newer than the list";
        self.facts.dangling("networks", message, name);
        self.strangers.insert(Text::new(name));
        let hidden = self.inventory.hidden;
        (Observed::Unobserved(hidden), Observed::Unobserved(hidden))
    }

    fn addresses(&mut self, device: Element<'t>) -> (Listing<IpAddr>, Observed<bool>) {
        let told = self.machine.guest;
        let why = told.refused().unwrap_or(Why::GuestSilent);
        let key = device.text_at("key");
        let guest = told.elements().find(|it| it.text_at("deviceConfigId") == key);
        let Some(guest) = guest else {
            return (Listing::unobserved(why), Observed::Unobserved(why));
        };
        let (mut addresses, mut origins, mut dropped) = (Vec::new(), Vec::new(), None);
        let mut add = |text: &str, facts: &mut Facts<'_>| match text.parse::<IpAddr>() {
            Ok(address) => addresses.push(address),
            Err(_) => {
                let cause = GapCause::UnreadableValue;
                facts.value(cause, "ipAddress", "expected an address", text);
                dropped = Some(Why::Unreadable);
            }
        };
        let configured = guest.child("ipConfig").map(|it| it.all("ipAddress"));
        let mut is_configured = false;
        for told in configured.into_iter().flatten() {
            let Some(text) = told.text_at("ipAddress") else { continue };
            is_configured = true;
            add(text, self.facts);
            // Link-local addresses are given by nobody.
            origins.extend(told.text_at("origin").filter(|it| *it != "linklayer"));
        }
        if !is_configured {
            guest.all("ipAddress").for_each(|it| add(it.text(), self.facts));
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
        (listing(addresses, dropped), is_static)
    }
}

fn sharing(word: &str) -> Option<DiskSharing> {
    match word {
        "sharingNone" => Some(DiskSharing::None),
        "sharingMultiWriter" => Some(DiskSharing::MultiWriter),
        _ => None,
    }
}

fn raw_mapping(word: &str) -> Option<RawMapping> {
    match word {
        "physicalMode" => Some(RawMapping::Physical),
        "virtualMode" => Some(RawMapping::Virtual),
        _ => None,
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
