//! A workload's parts: disks, network adapters, VM snapshots, other devices, file systems.

use std::cell::OnceCell;

use entente_model::{
    Date, Device, Disk, DiskSharing, EstateIndex, Listing, Network, Nic, Observed, Partition,
    PlatformId, Text, VmSnapshot, Why, Workload,
};

use super::infrastructure::datastore_name;
use super::table::{attributes, bool, int, one_of, text, texts};
use super::words::{BUSES, Word, bus, word};
use super::{age_days, mib, native_name};
use crate::value::Value;

/// One virtual disk.
pub(super) struct DiskRecord<'a> {
    index: &'a EstateIndex<'a>,
    platform: &'a PlatformId,
    disk: &'a Disk,
    bus: OnceCell<&'static str>,
    users: OnceCell<u32>,
}

impl<'a> DiskRecord<'a> {
    /// The disks of a workload.
    pub fn all(index: &'a EstateIndex<'a>, workload: &'a Workload) -> Listing<Self> {
        listing(&workload.disks, |disk| Self {
            index,
            platform: &workload.platform,
            disk,
            bus: OnceCell::new(),
            users: OnceCell::new(),
        })
    }

    fn datastore(&self) -> Value<'_> {
        match &self.disk.datastore {
            Observed::Value(id) => Value::Text(datastore_name(self.index, self.platform, id)),
            Observed::Absent => Value::Absent,
            Observed::Unobserved(why) => Value::Unobserved(*why),
        }
    }

    fn users(&self) -> Value<'_> {
        match (&self.disk.datastore, &self.disk.path) {
            (Observed::Value(datastore), Observed::Value(path)) => {
                let users = self.users.get_or_init(|| self.index.disk_users(datastore, path));
                users.into()
            }
            (Observed::Unobserved(why), _) | (_, Observed::Unobserved(why)) => {
                Value::Unobserved(*why)
            }
            // A disk on no file of its own has no file to share.
            (Observed::Absent, _) | (_, Observed::Absent) => Value::Int(1),
        }
    }

    fn bus(&self) -> Value<'_> {
        match &self.disk.controller {
            Observed::Value(controller) => Value::Text(self.bus.get_or_init(|| bus(controller))),
            Observed::Absent => Value::Absent,
            Observed::Unobserved(why) => Value::Unobserved(*why),
        }
    }

    fn multi_writer(&self) -> Value<'_> {
        match &self.disk.sharing {
            Observed::Value(sharing) => Value::Bool(*sharing == DiskSharing::MultiWriter),
            Observed::Absent => Value::Bool(false),
            Observed::Unobserved(why) => Value::Unobserved(*why),
        }
    }
}

attributes! { DiskRecord is "disk";
    label: text() => |it| (&it.disk.label).into(),
        "What the platform calls it, `Hard disk 1`.";
    capacity_mib: int() => |it| mib(&it.disk.capacity_bytes),
        "Capacity as the guest sees it, in MiB.";
    datastore: text() => |it| it.datastore(),
        "Name of the datastore that holds it.";
    path: text() => |it| (&it.disk.path).into(),
        "File or volume, as the platform writes it.";
    thin: bool() => |it| (&it.disk.thin).into(),
        "Thin-provisioned.";
    mode: one_of(entente_model::DiskMode::WORDS) => |it| word(&it.disk.mode),
        "How it takes part in VM snapshots; independent disks are left out of them.";
    multi_writer: bool() => |it| it.multi_writer(),
        "Several workloads may write to it at once.";
    controller: text() => |it| (&it.disk.controller).into(),
        "Controller as the platform names it, `VMware paravirtual SCSI`.";
    bus: one_of(BUSES) => |it| it.bus(),
        "Bus of its controller.";
    bus_sharing: one_of(entente_model::BusSharing::WORDS) => |it| word(&it.disk.bus_sharing),
        "Whether its controller is shared by workloads on one host (`virtual`) or any (`physical`).";
    raw_mapping: one_of(entente_model::RawMapping::WORDS).or_null()
        => |it| word(&it.disk.raw_mapping),
        "Compatibility mode of a raw device mapping; null = an ordinary virtual disk.";
    users: int() => |it| it.users(),
        "How many disks of the estate lie on the same file; 1 unless shared.";
    change_tracking: bool() => |it| (&it.disk.change_tracking).into(),
        "Changed block tracking of this disk.";
}

/// One virtual network adapter.
pub(super) struct NicRecord<'a> {
    nic: &'a Nic,
    /// Its network as far as the estate describes it.
    network: Option<&'a Network>,
    /// Name of its network.
    network_name: Observed<&'a str>,
    addresses: OnceCell<Listing<Text>>,
}

impl<'a> NicRecord<'a> {
    /// The network adapters of a workload.
    pub fn all(index: &'a EstateIndex<'a>, workload: &'a Workload) -> Listing<Self> {
        listing(&workload.nics, |nic| {
            let id = nic.network.as_ref();
            let network = nic.network.value().and_then(|id| index.network(id));
            Self {
                nic,
                network,
                network_name: id.map(|id| match network {
                    Some(network) => network.name.as_str(),
                    None => native_name(id.as_str(), &workload.platform),
                }),
                addresses: OnceCell::new(),
            }
        })
    }

    fn addresses(&self) -> &Listing<Text> {
        self.addresses
            .get_or_init(|| listing(&self.nic.addresses, |address| Text::from(address.to_string())))
    }

    /// A fact about its network; one that is attached to none has none.
    fn of_network(&self, fact: impl Fn(&'a Network) -> Value<'a>) -> Value<'_> {
        match (&self.network_name, self.network) {
            (Observed::Value(_), Some(network)) => fact(network),
            (Observed::Value(_), None) => Value::Unobserved(Why::NotInExport),
            (Observed::Absent, _) => Value::Absent,
            (Observed::Unobserved(why), _) => Value::Unobserved(*why),
        }
    }
}

attributes! { NicRecord is "nic";
    label: text() => |it| (&it.nic.label).into(),
        "What the platform calls it, `Network adapter 1`.";
    adapter: text() => |it| (&it.nic.adapter).into(),
        "Adapter type, `Vmxnet3`.";
    network: text().or_null() => |it| match it.network_name {
            Observed::Value(name) => Value::Text(name),
            Observed::Absent => Value::Absent,
            Observed::Unobserved(why) => Value::Unobserved(why),
        },
        "Name of the network it is attached to; null = to none.";
    switch: text().or_null() => |it| (&it.nic.switch).into(),
        "Name of the switch behind that network; null = none.";
    switch_kind: one_of(entente_model::SwitchKind::WORDS).or_null()
        => |it| it.of_network(|network| word(&network.switch_kind)),
        "Kind of that switch.";
    vlan: text().or_null() => |it| it.of_network(|network| (&network.vlan).into()),
        "VLAN id, range or trunk of the network, as the platform writes it; null = untagged.";
    connected: bool() => |it| (&it.nic.connected).into(),
        "Connected now.";
    starts_connected: bool() => |it| (&it.nic.starts_connected).into(),
        "Connected at power-on.";
    mac: text() => |it| (&it.nic.mac).into(),
        "Hardware address, lower case with colons.";
    mac_origin: text() => |it| (&it.nic.mac_origin).into(),
        "How the hardware address was given: `assigned`, `manual`, `generated`.";
    addresses: texts() => |it| Value::List(it.addresses()),
        "IP addresses that the guest reports.";
    address_is_static: bool() => |it| (&it.nic.address_is_static).into(),
        "Its addresses are static, not from DHCP.";
    direct_path: bool() => |it| (&it.nic.direct_path).into(),
        "Bypasses the hypervisor where possible (DirectPath I/O).";
    promiscuous: bool().or_null() => |it| it.of_network(|network| (&network.promiscuous).into()),
        "The network accepts frames for other addresses; null without a network.";
    mac_changes: bool().or_null() => |it| it.of_network(|network| (&network.mac_changes).into()),
        "The network accepts changed hardware addresses; null without a network.";
    forged_transmits: bool().or_null()
        => |it| it.of_network(|network| (&network.forged_transmits).into()),
        "The network accepts forged hardware addresses; null without a network.";
    carries_hypervisor: bool().or_null()
        => |it| it.of_network(|network| (&network.carries_hypervisor).into()),
        "The network carries an interface of the hypervisor itself; null without a network.";
}

/// One VM snapshot.
pub(super) struct SnapshotRecord<'a> {
    snapshot: &'a VmSnapshot,
    as_of: Date,
}

impl<'a> SnapshotRecord<'a> {
    /// The VM snapshots of a workload.
    pub fn all(workload: &'a Workload, as_of: Date) -> Listing<Self> {
        listing(&workload.snapshots, |snapshot| Self { snapshot, as_of })
    }
}

attributes! { SnapshotRecord is "snapshot";
    name: text() => |it| (&it.snapshot.name).into(),
        "Its name.";
    age_days: int() => |it| age_days(&it.snapshot.created, it.as_of),
        "Whole days since it was made.";
    size_mib: int() => |it| mib(&it.snapshot.size_bytes),
        "Space it holds, in MiB.";
    quiesced: bool() => |it| (&it.snapshot.quiesced).into(),
        "File systems were quiesced.";
}

/// One other device.
pub(super) struct DeviceRecord<'a>(&'a Device);

impl<'a> DeviceRecord<'a> {
    /// The devices of one kind.
    pub fn all(devices: &'a Listing<Device>) -> Listing<Self> {
        listing(devices, Self)
    }
}

attributes! { DeviceRecord is "device";
    label: text() => |it| (&it.0.label).into(),
        "What the platform calls it.";
    backing: text().or_null() => |it| (&it.0.backing).into(),
        "What is behind it, as the platform writes it; null = nothing.";
    connected: bool() => |it| (&it.0.connected).into(),
        "Connected now.";
}

/// One file system in the guest.
pub(super) struct PartitionRecord<'a>(&'a Partition);

impl<'a> PartitionRecord<'a> {
    /// The file systems of a guest.
    pub fn all(partitions: &'a Listing<Partition>) -> Listing<Self> {
        listing(partitions, Self)
    }
}

attributes! { PartitionRecord is "partition";
    mount: text() => |it| (&it.0.mount).into(),
        "Mount point or drive letter.";
    capacity_mib: int() => |it| mib(&it.0.capacity_bytes),
        "Size, in MiB.";
    free_mib: int() => |it| mib(&it.0.free_bytes),
        "Free space, in MiB.";
    disk_key: text().or_null() => |it| (&it.0.disk_key).into(),
        "Device key of the disk below.";
}

/// The same listing of other items.
fn listing<'a, T, U>(of: &'a Listing<T>, item: impl Fn(&'a T) -> U) -> Listing<U> {
    Listing { items: of.items.iter().map(item).collect(), completeness: of.completeness }
}
