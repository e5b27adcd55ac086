//! A machine's virtual hardware, device by device, each with the key that vSphere would give it.

use entente_model::{BusSharing, Device, Disk, DiskMode, DiskSharing, Nic, Observed, RawMapping};

use super::super::facts::encoded_name;
use super::super::xml::Writer;
use super::Telling;
use crate::random::{Random, hash};

/// Where disk and optical drives hang.
struct Controller {
    key: u32,
    kind: &'static str,
    /// What it is called where devices are listed.
    label: String,
    summary: String,
    bus: u32,
    sharing: Option<&'static str>,
    devices: Vec<u32>,
}

/// The place of one disk.
#[derive(Clone, Copy)]
struct Slot {
    key: u32,
    controller: u32,
    unit: u32,
}

const IDE: [u32; 2] = [200, 201];
const PCI: u32 = 100;
const SIO: u32 = 400;
const USB: u32 = 7000;
/// Disks of one SCSI controller at most; unit 7 is its own.
const SCSI_DISKS_MAX: usize = 15;

/// Kind, first key and name of the controller that a disk names.
fn controller_kind(name: &str) -> (&'static str, u32, &'static str) {
    match name {
        "LSI Logic SAS" => ("VirtualLsiLogicSASController", 1000, "SCSI controller"),
        "LSI Logic Parallel" | "LSI Logic" => {
            ("VirtualLsiLogicController", 1000, "SCSI controller")
        }
        "BusLogic" => ("VirtualBusLogicController", 1000, "SCSI controller"),
        "IDE" => ("VirtualIDEController", 200, "IDE"),
        "NVME controller" => ("VirtualNVMEController", 31_000, "NVME controller"),
        "AHCI" | "SATA" => ("VirtualAHCIController", 15_000, "SATA controller"),
        _ => ("ParaVirtualSCSIController", 1000, "SCSI controller"),
    }
}

fn sharing(disk: &Disk) -> &'static str {
    match disk.bus_sharing {
        Observed::Value(BusSharing::Physical) => "physicalSharing",
        Observed::Value(BusSharing::Virtual) => "virtualSharing",
        _ => "noSharing",
    }
}

impl Telling<'_> {
    /// Controllers that the disks need, and where each disk hangs.
    fn slots(&self) -> (Vec<Controller>, Vec<Slot>) {
        let mut controllers: Vec<Controller> = (0..)
            .zip(IDE)
            .map(|(bus, key)| Controller {
                key,
                kind: "VirtualIDEController",
                label: format!("IDE {bus}"),
                summary: format!("IDE {bus}"),
                bus,
                sharing: None,
                devices: Vec::new(),
            })
            .collect();
        let mut slots = Vec::new();
        for (at, disk) in (0..).zip(&self.workload.disks) {
            let name = disk.controller.value().map_or("", |it| it.as_str());
            let (kind, first, label) = controller_kind(name);
            let shared = matches!(first, 1000 | 31_000).then(|| sharing(disk));
            let most = if first == 200 { 2 } else { SCSI_DISKS_MAX };
            let controller = match controllers.iter().position(|it| {
                it.kind == kind && (first == 200 || it.sharing == shared) && it.devices.len() < most
            }) {
                Some(known) => controllers.get_mut(known),
                None => {
                    let bus = controllers.iter().filter(|it| it.key / 1000 == first / 1000).count();
                    let bus = u32::try_from(bus).unwrap_or(0);
                    controllers.push(Controller {
                        key: first + bus,
                        kind,
                        label: format!("{label} {bus}"),
                        summary: if name.is_empty() { label.into() } else { name.into() },
                        bus,
                        sharing: shared,
                        devices: Vec::new(),
                    });
                    controllers.last_mut()
                }
            };
            let Some(controller) = controller else { continue };
            let told = disk.key.value().and_then(|it| it.parse().ok());
            let key = told.unwrap_or(if first == 200 { 3000 + at } else { 2000 + at });
            let unit = u32::try_from(controller.devices.len()).unwrap_or(0);
            let unit = if first == 1000 && unit >= 7 { unit + 1 } else { unit };
            controller.devices.push(key);
            slots.push(Slot { key, controller: controller.key, unit });
        }
        (controllers, slots)
    }

    /// Keys of the disks.
    pub(super) fn disk_keys(&self) -> Vec<u32> {
        self.slots().1.iter().map(|it| it.key).collect()
    }

    pub(super) fn hardware(&self, w: &mut Writer) {
        let workload = self.workload;
        w.open("hardware");
        let count = workload.cpu.count.copied().unwrap_or(1);
        w.leaf("numCPU", count);
        w.leaf("numCoresPerSocket", workload.cpu.cores_per_socket.copied().unwrap_or(1));
        w.leaf("memoryMB", self.memory_mib());
        w.flags(&[("virtualICH7MPresent", false), ("virtualSMCPresent", false)]);
        let (mut controllers, slots) = self.slots();
        // Optical drives hang on the second IDE channel.
        let drives: Vec<u32> = (0..).zip(&workload.devices.cdroms).map(|it| 3002 + it.0).collect();
        if let Some(second) = controllers.iter_mut().find(|it| it.key == 201) {
            second.devices.extend(&drives);
        }
        for controller in &controllers {
            if controller.kind == "VirtualIDEController" {
                controller.tell(w);
            }
        }
        if !self.is_lean {
            self.basics(w, &controllers);
        }
        for controller in &controllers {
            if controller.kind != "VirtualIDEController" {
                controller.tell(w);
            }
        }
        for (drive, key) in workload.devices.cdroms.iter().zip(&drives) {
            self.optical(w, drive, *key);
        }
        for (disk, slot) in workload.disks.iter().zip(&slots) {
            self.disk(w, disk, *slot);
        }
        for (at, nic) in workload.nics.iter().enumerate() {
            self.nic(w, at, nic);
        }
        self.others(w);
        w.close("hardware");
    }

    /// What every machine has.
    fn basics(&self, w: &mut Writer, controllers: &[Controller]) {
        let child =
            |w: &mut Writer, kind: &str, key: u32, label: &str, controller: u32, unit: u32| {
                w.node_as("device", kind, |w| {
                    described(w, key, label, label);
                    w.leaf("controllerKey", controller);
                    w.leaf("unitNumber", unit);
                });
            };
        let bus = |w: &mut Writer, kind: &str, key: u32, label: &str, devices: &[u32]| {
            w.node_as("device", kind, |w| {
                described(w, key, label, label);
                w.leaf("busNumber", 0);
                for device in devices {
                    w.leaf("device", device);
                }
            });
        };
        bus(w, "VirtualPS2Controller", 300, "PS2 controller 0", &[600, 700]);
        let mut on_pci = vec![500, 12_000];
        on_pci.extend(controllers.iter().filter(|it| it.key >= 1000).map(|it| it.key));
        on_pci.extend((4000..).take(self.workload.nics.items.len()));
        bus(w, "VirtualPCIController", PCI, "PCI controller 0", &on_pci);
        bus(w, "VirtualSIOController", SIO, "SIO controller 0", &[]);
        child(w, "VirtualKeyboard", 600, "Keyboard", 300, 0);
        w.node_as("device", "VirtualPointingDevice", |w| {
            described(w, 700, "Pointing device", "Pointing device; Device");
            w.node_as("backing", "VirtualPointingDeviceDeviceBackingInfo", |w| {
                w.text("deviceName", "");
                w.leaf("useAutoDetect", false);
                w.text("hostPointingDevice", "autodetect");
            });
            w.leaf("controllerKey", 300);
            w.leaf("unitNumber", 1);
        });
        w.node_as("device", "VirtualMachineVideoCard", |w| {
            described(w, 500, "Video card", "Video card");
            w.leaf("controllerKey", PCI);
            w.leaf("unitNumber", 0);
            w.leaf("videoRamSizeInKB", 4096);
            w.leaf("numDisplays", 1);
            w.flags(&[("useAutoDetect", false), ("enable3DSupport", false)]);
            w.text("use3dRenderer", "automatic");
            w.leaf("graphicsMemorySizeInKB", 262_144);
        });
        w.node_as("device", "VirtualMachineVMCIDevice", |w| {
            described(w, 12_000, "VMCI device", "Device on the virtual machine PCI bus");
            w.leaf("controllerKey", PCI);
            w.leaf("unitNumber", 17);
            let id = hash(&self.machine.reference.id) >> 33;
            w.leaf("id", id);
            w.flags(&[("allowUnrestrictedCommunication", false), ("filterEnable", true)]);
        });
    }

    fn optical(&self, w: &mut Writer, drive: &Device, key: u32) {
        let backing = drive.backing.value().map_or("", |it| it.as_str());
        w.node_as("device", "VirtualCdrom", |w| {
            described(w, key, &drive.label, backing);
            match backing.strip_prefix("ISO ") {
                Some(image) => w.node_as("backing", "VirtualCdromIsoBackingInfo", |w| {
                    w.text("fileName", image);
                    let store = self.store_of(image);
                    if let Some(store) = store {
                        w.reference("datastore", "Datastore", store);
                    }
                }),
                None => {
                    let kind = match backing {
                        "Remote ATAPI" => "VirtualCdromRemoteAtapiBackingInfo",
                        _ => "VirtualCdromRemotePassthroughBackingInfo",
                    };
                    w.node_as("backing", kind, |w| {
                        w.text("deviceName", "");
                        w.leaf("useAutoDetect", false);
                        if kind == "VirtualCdromRemotePassthroughBackingInfo" {
                            w.leaf("exclusive", false);
                        }
                    });
                }
            }
            let connected = drive.connected.copied().unwrap_or(false);
            connectable(w, connected, connected);
            w.leaf("controllerKey", 201);
            w.leaf("unitNumber", key - 3002);
        });
    }

    /// The datastore that a path names in brackets.
    fn store_of(&self, path: &str) -> Option<&str> {
        let (name, _) = path.strip_prefix('[')?.split_once(']')?;
        self.facts.store(name).map(|it| it.id.as_str())
    }

    fn disk(&self, w: &mut Writer, disk: &Disk, slot: Slot) {
        let bytes = disk.capacity_bytes.copied().unwrap_or(0);
        w.node_as("device", "VirtualDisk", |w| {
            described(w, slot.key, &disk.label, &format!("{} KB", thousands(bytes / 1024)));
            match disk.raw_mapping.copied() {
                Some(mode) => self.raw_backing(w, disk, mode),
                None => self.flat_backing(w, disk),
            }
            w.leaf("controllerKey", slot.controller);
            w.leaf("unitNumber", slot.unit);
            w.leaf("capacityInKB", bytes / 1024);
            w.leaf("capacityInBytes", bytes);
            if !self.is_lean {
                shares(w, "shares", 1000);
                w.node("storageIOAllocation", |w| {
                    w.leaf("limit", -1);
                    shares(w, "shares", 1000);
                    w.leaf("reservation", 0);
                });
            }
            let machine = self.machine.reference.id.trim_start_matches("vm-");
            w.text("diskObjectId", &format!("{machine}-{}", slot.key));
            w.leaf("nativeUnmanagedLinkedClone", false);
        });
    }

    fn placed(&self, w: &mut Writer, disk: &Disk) {
        let path = disk.path.value().map_or("", |it| it.as_str());
        w.text("fileName", path);
        let known = disk.datastore.value().and_then(|it| self.facts.store(it.as_str()));
        if let Some(store) = known {
            w.reference("datastore", "Datastore", &store.id);
        }
    }

    fn flat_backing(&self, w: &mut Writer, disk: &Disk) {
        w.node_as("backing", "VirtualDiskFlatVer2BackingInfo", |w| {
            self.placed(w, disk);
            w.text("diskMode", mode(disk));
            w.flags(&[("split", false), ("writeThrough", false)]);
            w.leaf_if("thinProvisioned", disk.thin.copied());
            identity(w, disk);
            w.leaf("digestEnabled", false);
            sharing_of(w, disk);
        });
    }

    fn raw_backing(&self, w: &mut Writer, disk: &Disk, mapping: RawMapping) {
        w.node_as("backing", "VirtualDiskRawDiskMappingVer1BackingInfo", |w| {
            self.placed(w, disk);
            if let Some(lun) = disk.lun.value() {
                let uuid = lun_uuid(lun);
                w.text("lunUuid", &uuid);
                w.text("deviceName", &format!("vml.{uuid}"));
            }
            let compatibility = match mapping {
                RawMapping::Physical => Some("physicalMode"),
                RawMapping::Virtual => Some("virtualMode"),
                RawMapping::Unspecified => None,
            };
            w.text_if("compatibilityMode", compatibility);
            w.text("diskMode", mode(disk));
            identity(w, disk);
            sharing_of(w, disk);
        });
    }

    fn nic(&self, w: &mut Writer, at: usize, nic: &Nic) {
        let adapter = nic.adapter.value().map_or("Vmxnet3", |it| it.as_str());
        let kind = match adapter {
            "E1000" => "VirtualE1000",
            "E1000e" | "E1000E" => "VirtualE1000e",
            "PCNet32" | "Flexible" => "VirtualPCNet32",
            "Vmxnet2" => "VirtualVmxnet2",
            "SR-IOV passthrough" | "SriovEthernetCard" => "VirtualSriovEthernetCard",
            _ => "VirtualVmxnet3",
        };
        let key = 4000 + u32::try_from(at).unwrap_or(0);
        w.node_as("device", kind, |w| {
            let name = self.network_name(at).unwrap_or_default();
            described(w, key, &nic.label, &name);
            self.nic_backing(w, at, key, &name);
            let starts = nic.starts_connected.copied().unwrap_or(true);
            connectable(w, starts, nic.connected.copied().unwrap_or(false));
            w.leaf("controllerKey", PCI);
            w.leaf("unitNumber", key - 4000 + 7);
            w.text("addressType", nic.mac_origin.value().map_or("assigned", |it| it.as_str()));
            w.text_if("macAddress", nic.mac.value());
            w.leaf("wakeOnLanEnabled", true);
            w.node("resourceAllocation", |w| {
                w.leaf("reservation", 0);
                shares(w, "share", 50);
                w.leaf("limit", -1);
            });
            w.leaf_if("uptCompatibilityEnabled", nic.direct_path.copied());
        });
    }

    fn nic_backing(&self, w: &mut Writer, at: usize, key: u32, name: &str) {
        let layout = self.facts.layout;
        let network = self.machine.adapters.get(at).copied().flatten();
        let Some(network) = network.and_then(|it| layout.networks.get(it)) else { return };
        match network.switch.and_then(|it| layout.switches.get(it)) {
            Some(switch) => {
                let port = hash(&format!("{}{key}", self.machine.reference.id));
                w.node_as("backing", "VirtualEthernetCardDistributedVirtualPortBackingInfo", |w| {
                    w.node("port", |w| {
                        w.text("switchUuid", &switch.uuid);
                        w.text("portgroupKey", &network.reference.id);
                        w.leaf("portKey", port % 8_000);
                        w.leaf("connectionCookie", port >> 34);
                    });
                });
            }
            None => w.node_as("backing", "VirtualEthernetCardNetworkBackingInfo", |w| {
                w.text("deviceName", &encoded_name(name));
                w.leaf("useAutoDetect", false);
                w.reference("network", network.reference.kind, &network.reference.id);
            }),
        }
    }

    /// Everything else that may be attached.
    fn others(&self, w: &mut Writer) {
        let devices = &self.workload.devices;
        if !devices.usb.items.is_empty() {
            w.node_as("device", "VirtualUSBController", |w| {
                described(w, USB, "USB controller", "Auto connect Disabled");
                w.leaf("controllerKey", PCI);
                w.leaf("unitNumber", 22);
                w.leaf("busNumber", 0);
                w.flags(&[("autoConnectDevices", false), ("ehciEnabled", true)]);
            });
        }
        for (at, device) in (0..).zip(&devices.usb) {
            let backing = device.backing.value().map_or("", |it| it.as_str());
            w.node_as("device", "VirtualUSB", |w| {
                described(w, 8000 + at, &device.label, backing);
                w.node_as("backing", "VirtualUSBUSBBackingInfo", |w| {
                    w.text("deviceName", backing);
                    w.leaf("useAutoDetect", false);
                });
                w.leaf("controllerKey", USB);
                w.leaf("unitNumber", at);
                w.leaf("connected", device.connected.copied().unwrap_or(false));
            });
        }
        for (at, device) in (0..).zip(&devices.pci_passthrough) {
            let name = device.backing.value().map_or("", |it| it.as_str());
            pci(w, 13_000 + at, device, "VirtualPCIPassthroughDeviceBackingInfo", |w| {
                w.text("deviceName", name);
                w.words(&[("id", "0000:3b:00.0"), ("deviceId", "10fb"), ("systemId", "BYPASS")]);
                w.leaf("vendorId", 32_902 - 65_536);
            });
        }
        for (at, device) in (0..).zip(&devices.vgpus) {
            let name = device.backing.value().map_or("", |it| it.as_str());
            pci(w, 13_100 + at, device, "VirtualPCIPassthroughVmiopBackingInfo", |w| {
                w.text("vgpu", name);
            });
        }
        for (at, device) in (0..).zip(&devices.serial_ports) {
            let backing = device.backing.value().map_or("", |it| it.as_str());
            w.node_as("device", "VirtualSerialPort", |w| {
                described(w, 9000 + at, &device.label, backing);
                w.node_as("backing", "VirtualSerialPortDeviceBackingInfo", |w| {
                    w.text("deviceName", backing);
                    w.leaf("useAutoDetect", false);
                });
                let connected = device.connected.copied().unwrap_or(false);
                connectable(w, connected, connected);
                w.leaf("controllerKey", SIO);
                w.leaf("unitNumber", at);
                w.leaf("yieldOnPoll", true);
            });
        }
        if devices.tpm.copied() == Some(true) {
            w.node_as("device", "VirtualTPM", |w| {
                described(w, 11_000, "Virtual TPM", "Trusted Platform Module");
            });
        }
    }
}

impl Controller {
    fn tell(&self, w: &mut Writer) {
        w.node_as("device", self.kind, |w| {
            described(w, self.key, &self.label, &self.summary);
            if self.key >= 1000 {
                w.leaf("controllerKey", PCI);
                w.leaf("unitNumber", 3 + self.bus);
            }
            w.leaf("busNumber", self.bus);
            for device in &self.devices {
                w.leaf("device", device);
            }
            if self.key / 1000 == 1 {
                w.leaf("hotAddRemove", true);
                w.text("sharedBus", self.sharing.unwrap_or("noSharing"));
                w.leaf("scsiCtlrUnitNumber", 7);
            } else if self.key / 1000 == 31 {
                w.text("sharedBus", self.sharing.unwrap_or("noSharing"));
            }
        });
    }
}

fn pci(w: &mut Writer, key: u32, device: &Device, backing: &str, inside: impl FnOnce(&mut Writer)) {
    w.node_as("device", "VirtualPCIPassthrough", |w| {
        described(w, key, &device.label, device.backing.value().map_or("", |it| it.as_str()));
        w.node_as("backing", backing, inside);
        w.leaf("controllerKey", PCI);
        w.leaf("unitNumber", key - 13_000 + 30);
    });
}

fn described(w: &mut Writer, key: u32, label: &str, summary: &str) {
    w.leaf("key", key);
    w.node_as("deviceInfo", "Description", |w| {
        w.text("label", label);
        w.text("summary", summary);
    });
}

fn connectable(w: &mut Writer, starts: bool, connected: bool) {
    w.node("connectable", |w| {
        w.flags(&[
            ("startConnected", starts),
            ("allowGuestControl", true),
            ("connected", connected),
        ]);
        w.text("status", if connected { "ok" } else { "untried" });
    });
}

fn shares(w: &mut Writer, name: &str, shares: u32) {
    w.node(name, |w| {
        w.leaf("shares", shares);
        w.text("level", "normal");
    });
}

fn mode(disk: &Disk) -> &'static str {
    match disk.mode {
        Observed::Value(DiskMode::NonPersistent) => "nonpersistent",
        Observed::Value(DiskMode::IndependentPersistent) => "independent_persistent",
        Observed::Value(DiskMode::IndependentNonPersistent) => "independent_nonpersistent",
        Observed::Value(DiskMode::Undoable) => "undoable",
        Observed::Value(DiskMode::Append) => "append",
        _ => "persistent",
    }
}

fn identity(w: &mut Writer, disk: &Disk) {
    let Some(uuid) = disk.uuid.value() else { return };
    // vSphere writes the first half in upper case and the rest in lower.
    w.text("uuid", &uuid.to_string().replacen("6000c29", "6000C29", 1));
    let mut random = Random::of(&uuid.to_string());
    w.text("contentId", &format!("{:016x}{:016x}", random.next(), random.next()));
    if disk.change_tracking.copied() == Some(true) {
        w.text("changeId", &format!("52 {:014x}/1", random.next() >> 8));
    }
}

fn sharing_of(w: &mut Writer, disk: &Disk) {
    let word = match disk.sharing {
        Observed::Value(DiskSharing::None) => "sharingNone",
        Observed::Value(DiskSharing::MultiWriter) => "sharingMultiWriter",
        _ => return,
    };
    w.text("sharing", word);
}

/// The UUID by which a host knows the device that an array calls `naa.…`.
pub(in crate::live::vsphere) fn lun_uuid(lun: &str) -> String {
    format!("0200000000{}565241494420", lun.trim_start_matches("naa."))
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
