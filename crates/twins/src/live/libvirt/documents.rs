//! XML as libvirt gives it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use entente_model::{
    BusSharing, Collection, Datastore, DatastoreId, Device, Disk, DiskMode, DiskSharing,
    FirmwareKind, Host, Network, NetworkId, Nic, RawMapping, VmSnapshot, Workload,
};

use super::inventory::has_agent;
use crate::live::words::{escaped, utc};

/// Names of what workloads stand on.
pub struct Scene<'a> {
    networks: BTreeMap<&'a NetworkId, &'a str>,
    datastores: BTreeMap<&'a DatastoreId, &'a str>,
}

impl<'a> Scene<'a> {
    /// Of a collection.
    pub fn of(collection: &'a Collection) -> Self {
        let networks = collection.networks.iter().map(|it| (&it.id, it.name.as_str()));
        let datastores = collection.datastores.iter().map(|it| (&it.id, it.name.as_str()));
        Self { networks: networks.collect(), datastores: datastores.collect() }
    }
}

/// Who a domain is.
pub struct Identity<'a> {
    /// The workload that it is made of.
    pub workload: &'a Workload,
    /// Its name on the host.
    pub name: &'a str,
    /// Its UUID.
    pub uuid: &'a [u8; 16],
    /// Its number while it runs, else -1.
    pub id: i32,
}

/// A disk as the domain has it.
pub struct DomainDisk<'a> {
    disk: &'a Disk,
    /// Device in the guest.
    pub target: String,
    bus: &'static str,
    path: String,
    /// As the guest sees it.
    pub capacity: u64,
    /// Space that is taken.
    pub allocation: u64,
}

fn uuid(bytes: &[u8; 16]) -> String {
    let hex: String = bytes.iter().map(|it| format!("{it:02x}")).collect();
    let mut written = String::new();
    for (place, digit) in hex.chars().enumerate() {
        if matches!(place, 8 | 12 | 16 | 20) {
            written.push('-');
        }
        written.push(digit);
    }
    written
}

/// What host and hypervisor can.
pub fn capabilities(host: &[u8; 16]) -> String {
    format!(
        "<capabilities><host><uuid>{}</uuid><cpu><arch>x86_64</arch>\
         <model>Skylake-Server-IBRS</model><vendor>Intel</vendor></cpu></host>\
         <guest><os_type>hvm</os_type><arch name='x86_64'><wordsize>64</wordsize>\
         <emulator>/usr/bin/qemu-system-x86_64</emulator><domain type='qemu'/>\
         <domain type='kvm'/></arch></guest></capabilities>",
        uuid(host)
    )
}

/// Maker and model of the host.
pub fn system(host: Option<&Host>) -> String {
    let entry = |name: &str, value: Option<&str>| {
        let value = value.unwrap_or("unknown");
        format!("<entry name='{name}'>{}</entry>", escaped(value))
    };
    let text = |it: Option<&entente_model::Observed<entente_model::Text>>| {
        it.and_then(|it| it.value()).map(|it| it.to_string())
    };
    let vendor = text(host.map(|it| &it.vendor));
    let model = text(host.map(|it| &it.model));
    let processor = text(host.map(|it| &it.cpu_model));
    format!(
        "<sysinfo type='smbios'><system>{}{}</system><processor>{}</processor></sysinfo>",
        entry("manufacturer", vendor.as_deref()),
        entry("product", model.as_deref()),
        entry("version", processor.as_deref())
    )
}

/// A network.
pub fn network(network: &Network, id: &[u8; 16]) -> String {
    let vlan = match network.vlan.value() {
        Some(vlan) if vlan.bytes().all(|it| it.is_ascii_digit()) => {
            format!("<virtualport type='openvswitch'/><vlan><tag id='{vlan}'/></vlan>")
        }
        _ => String::new(),
    };
    let bridge = network.switch.value().map_or("br0", |it| it.as_str());
    format!(
        "<network><name>{}</name><uuid>{}</uuid><forward mode='bridge'/><bridge name='{}'/>{vlan}\
         </network>",
        escaped(&network.name),
        uuid(id),
        escaped(bridge)
    )
}

/// Folder of a pool.
fn folder(name: &str) -> String {
    let plain = name.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '_' });
    format!("/var/lib/libvirt/{}", plain.collect::<String>())
}

/// A pool.
pub fn pool(datastore: &Datastore, id: &[u8; 16]) -> String {
    let size = |name: &str, bytes: Option<u64>| {
        format!("<{name} unit='bytes'>{}</{name}>", bytes.unwrap_or_default())
    };
    let (capacity, free) = (datastore.capacity_bytes.copied(), datastore.free_bytes.copied());
    let used = capacity.zip(free).map(|it| it.0.saturating_sub(it.1));
    format!(
        "<pool type='dir'><name>{}</name><uuid>{}</uuid>{}{}{}<source/><target><path>{}</path>\
         </target></pool>",
        escaped(&datastore.name),
        uuid(id),
        size("capacity", capacity),
        size("allocation", used),
        size("available", free),
        folder(&datastore.name)
    )
}

/// A VM snapshot.
pub fn snapshot(snapshot: &VmSnapshot, name: &str, parent: Option<&str>) -> String {
    let mut xml = format!("<domainsnapshot><name>{}</name>", escaped(name));
    if let Some(description) = snapshot.description.value() {
        let _ = write!(xml, "<description>{}</description>", escaped(description));
    }
    xml.push_str("<state>shutoff</state>");
    if let Some(parent) = parent {
        let _ = write!(xml, "<parent><name>{}</name></parent>", escaped(parent));
    }
    if let Some(created) = snapshot.created.value() {
        let seconds = utc(*created).unix_timestamp();
        let _ = write!(xml, "<creationTime>{seconds}</creationTime>");
    }
    xml.push_str("</domainsnapshot>");
    xml
}

/// Disks of a domain.
pub fn disks<'a>(scene: &Scene<'_>, identity: &Identity<'a>) -> Vec<DomainDisk<'a>> {
    let mut numbers: BTreeMap<&'static str, usize> = BTreeMap::new();
    let disks = identity.workload.disks.iter().map(|disk| {
        let controller = disk.controller.value().map(|it| it.to_ascii_lowercase());
        let (bus, prefix) = match controller.as_deref() {
            Some(it) if it.contains("ide") => ("ide", "hd"),
            Some(it) if it.contains("sata") || it.contains("ahci") => ("sata", "sd"),
            Some(it) if it.contains("scsi") => ("scsi", "sd"),
            _ => ("virtio", "vd"),
        };
        let number = numbers.entry(prefix).or_default();
        let target = format!("{prefix}{}", letters(*number));
        *number += 1;
        let capacity = disk.capacity_bytes.copied().unwrap_or_default();
        let store = disk.datastore.value().and_then(|it| scene.datastores.get(it));
        let place = folder(store.copied().unwrap_or("images"));
        DomainDisk {
            disk,
            path: format!("{place}/{}-{target}.qcow2", uuid(identity.uuid)),
            target,
            bus,
            capacity,
            allocation: if disk.thin.copied() == Some(true) { capacity / 2 } else { capacity },
        }
    });
    disks.collect()
}

/// `a` to `z`, then `aa`, `ab` …
fn letters(number: usize) -> String {
    let letter = |number: usize| {
        char::from(u8::try_from(number % 26).unwrap_or_default().saturating_add(b'a'))
    };
    match number / 26 {
        0 => letter(number).to_string(),
        above => format!("{}{}", letters(above - 1), letter(number)),
    }
}

/// A domain.
pub fn domain(scene: &Scene<'_>, identity: &Identity<'_>, disks: &[DomainDisk<'_>]) -> String {
    let workload = identity.workload;
    let running = match identity.id {
        -1 => String::new(),
        id => format!(" id='{id}'"),
    };
    let mut xml = format!(
        "<domain type='kvm'{running}><name>{}</name><uuid>{}</uuid>",
        escaped(identity.name),
        uuid(identity.uuid)
    );
    if let Some(text) = workload.annotation.value() {
        let _ = write!(xml, "<description>{}</description>", escaped(text));
    }
    hardware(workload, &mut xml);
    xml.push_str("<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>");
    xml.push_str("<controller type='scsi' index='0' model='virtio-scsi'/>");
    for disk in disks {
        write_disk(disk, &mut xml);
    }
    for (number, drive) in workload.devices.cdroms.iter().enumerate() {
        write_drive(number, drive, &mut xml);
    }
    for nic in &workload.nics {
        write_nic(scene, nic, &mut xml);
    }
    write_devices(identity, &mut xml);
    xml.push_str("</devices></domain>");
    xml
}

fn hardware(workload: &Workload, xml: &mut String) {
    let kib = workload.memory.size_bytes.copied().unwrap_or(1 << 30) / 1024;
    let count = workload.cpu.count.copied().unwrap_or(1);
    let _ = write!(
        xml,
        "<memory unit='KiB'>{kib}</memory><currentMemory unit='KiB'>{kib}</currentMemory>"
    );
    if workload.memory.reservation_locked_to_max.copied() == Some(true) {
        xml.push_str("<memoryBacking><locked/></memoryBacking>");
    }
    let _ = write!(xml, "<vcpu placement='static'>{count}</vcpu>");
    let efi = workload.firmware.kind.copied() == Some(FirmwareKind::Efi);
    let secure = workload.firmware.secure_boot.copied() == Some(true);
    xml.push_str("<os>");
    xml.push_str("<type arch='x86_64' machine='pc-q35-7.2'>hvm</type>");
    if efi {
        let secure = if secure { " secure='yes'" } else { "" };
        let _ = write!(xml, "<loader readonly='yes'{secure} type='pflash'>/OVMF.fd</loader>");
    }
    xml.push_str("<boot dev='hd'/></os><features><acpi/><apic/></features>");
    let cores =
        workload.cpu.cores_per_socket.copied().filter(|it| *it > 0 && count.is_multiple_of(*it));
    let cores = cores.unwrap_or(1);
    let _ = write!(
        xml,
        "<cpu mode='host-model' check='partial'><topology sockets='{}' dies='1' cores='{cores}' \
         threads='1'/></cpu><clock offset='utc'/>",
        count / cores
    );
}

fn write_disk(disk: &DomainDisk<'_>, xml: &mut String) {
    let it = disk.disk;
    let raw = it.raw_mapping.copied();
    let kind = if raw == Some(RawMapping::Physical) { "lun" } else { "disk" };
    let left_out = matches!(
        it.mode.copied(),
        Some(DiskMode::IndependentPersistent | DiskMode::IndependentNonPersistent)
    );
    let lost = matches!(
        it.mode.copied(),
        Some(DiskMode::NonPersistent | DiskMode::IndependentNonPersistent)
    );
    let snapshot = if left_out { " snapshot='no'" } else { "" };
    let shared = it.sharing.copied() == Some(DiskSharing::MultiWriter)
        || matches!(it.bus_sharing.copied(), Some(BusSharing::Physical | BusSharing::Virtual));
    let (of, source) = match raw {
        Some(_) => ("block", format!("dev='/dev/mapper/{}'", disk.target)),
        None => ("file", format!("file='{}'", disk.path)),
    };
    let format = if raw.is_some() { "raw" } else { "qcow2" };
    let _ = write!(
        xml,
        "<disk type='{of}' device='{kind}'{snapshot}><driver name='qemu' type='{format}'/>\
         <source {source}/><target dev='{}' bus='{}'/>{}{}</disk>",
        disk.target,
        disk.bus,
        if shared { "<shareable/>" } else { "" },
        if lost { "<transient/>" } else { "" }
    );
}

fn write_drive(number: usize, drive: &Device, xml: &mut String) {
    let medium = match (drive.connected.copied(), drive.backing.value()) {
        (Some(true), Some(medium)) => format!("<source file='{}'/>", escaped(medium)),
        _ => String::new(),
    };
    let _ = write!(
        xml,
        "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>{medium}\
         <target dev='sdz{}' bus='sata'/><readonly/></disk>",
        letters(number)
    );
}

fn write_nic(scene: &Scene<'_>, nic: &Nic, xml: &mut String) {
    let network = nic.network.value().and_then(|it| scene.networks.get(it));
    let (kind, source) = match network {
        Some(name) => ("network", format!("<source network='{}'/>", escaped(name))),
        None => ("user", String::new()),
    };
    let model = match nic.adapter.value().map(|it| it.to_ascii_lowercase()) {
        Some(it) if it.contains("e1000") => "e1000",
        _ => "virtio",
    };
    let mac = nic.mac.value().map(|it| format!("<mac address='{it}'/>")).unwrap_or_default();
    let down = nic.starts_connected.copied() == Some(false);
    let link = if down { "<link state='down'/>" } else { "" };
    let _ = write!(
        xml,
        "<interface type='{kind}'>{mac}{source}<model type='{model}'/>{link}</interface>"
    );
}

fn write_devices(identity: &Identity<'_>, xml: &mut String) {
    let devices = &identity.workload.devices;
    if has_agent(identity.workload, identity.id) {
        xml.push_str(
            "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0' \
             state='connected'/></channel>",
        );
    }
    for _ in &devices.serial_ports {
        xml.push_str("<serial type='pty'><target port='0'/></serial>");
    }
    if devices.tpm.copied() == Some(true) {
        xml.push_str("<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>");
    }
    for number in 0..devices.usb.items.len() {
        let _ = write!(
            xml,
            "<hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='0x0529'/>\
             <product id='0x{:04x}'/></source></hostdev>",
            number + 1
        );
    }
    for number in 0..devices.pci_passthrough.items.len() {
        let _ = write!(
            xml,
            "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' \
             bus='0x{:02x}' slot='0x00' function='0x0'/></source></hostdev>",
            number + 0x3b
        );
    }
    for number in 0..devices.vgpus.items.len() {
        let _ = write!(
            xml,
            "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>\
             <address uuid='c2177883-f1bb-47f0-914d-{number:012x}'/></source></hostdev>"
        );
    }
    xml.push_str("<memballoon model='virtio'/>");
}
