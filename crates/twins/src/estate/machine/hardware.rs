//! A machine's virtual hardware: processors, memory, disks, adapters, devices, firmware.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use entente_model::{
    BusSharing, Cpu, Device, Devices, Disk, DiskMode, DiskSharing, Firmware, FirmwareKind, Listing,
    Memory, Nic, Observed, Uuid, Why,
};

use super::{LIMIT, Making};
use crate::estate::plan::{Archetype, Kind, Role};
use crate::estate::site::{GIB, Net, STANDARD, Store, VM_NETWORK};

impl Making<'_> {
    pub(super) fn cpu(&mut self) -> Cpu {
        let count = match (self.plan.kind, self.plan.tier) {
            (_, "desktop") => *self.random.pick(&[2, 4]),
            (Kind::Sap | Kind::Oracle, _) => *self.random.pick(&[8, 12, 16]),
            (_, "db") => *self.random.pick(&[4, 4, 8, 8, 12]),
            _ => *self.random.weighted(&[(20, 1), (45, 2), (28, 4), (7, 8)]),
        };
        let cores = if self.random.percent(60) { count } else { 1 };
        Cpu {
            count: Observed::Value(count),
            sockets: Observed::Value(count / cores),
            cores_per_socket: Observed::Value(cores),
            hot_add: Observed::Value(self.random.percent(12)),
            hot_remove: Observed::Value(false),
            reservation_mhz: Observed::Value(0),
            limit_mhz: if self.random.percent(2) {
                Observed::Value(4_000)
            } else {
                Observed::Absent
            },
            shares_level: Observed::Value("normal".into()),
            affinity: Observed::Unobserved(LIMIT),
            numa_affinity: Observed::Unobserved(LIMIT),
        }
    }

    pub(super) fn memory(&mut self, cpu: &Cpu) -> Memory {
        let per_cpu = *self.random.pick(&[2, 4, 4, 8]);
        let size = u64::from(cpu.count.copied().unwrap_or(1)) * per_cpu * GIB;
        Memory {
            size_bytes: Observed::Value(size),
            reservation_bytes: Observed::Value(0),
            reservation_locked_to_max: Observed::Value(false),
            limit_bytes: Observed::Absent,
            shares_level: Observed::Value("normal".into()),
            hot_add: Observed::Value(self.random.percent(18)),
        }
    }

    /// The folder of the machine's files. Names repeat, folders on a datastore do not.
    pub(in crate::estate) fn directory(&self) -> String {
        let repeats = matches!(self.app.archetype, Archetype::Odd | Archetype::FaultTolerant)
            || self.plan.role == Role::Placeholder;
        if repeats {
            format!("{}_{}", self.plan.name, self.plan.number)
        } else {
            self.plan.name.clone()
        }
    }

    /// The datastore of the machine's own files.
    pub(in crate::estate) fn store(&self) -> &Store {
        let stores = &self.place.stores;
        let at = (self.app.number + self.plan.node / 4) as usize % stores.len().max(1);
        match stores.get(at) {
            Some(store) => store,
            None => unreachable!("every place has a datastore"),
        }
    }

    pub(super) fn disks(&mut self) -> Vec<Disk> {
        let root_gib = if self.os.windows { *self.random.pick(&[60, 80, 100]) } else { 40 };
        let mut sizes = vec![root_gib];
        if self.plan.tier != "desktop" {
            let more = *self.random.weighted(&[(22, 0), (40, 1), (26, 2), (12, 3)]);
            sizes.extend((0..more).map(|_| *self.random.pick(&[20, 50, 100, 200, 500])));
        }
        if self.plan.tier == "db" {
            sizes.push(*self.random.pick(&[250, 500, 1024, 2048]));
        }
        let thin = self.random.percent(72);
        sizes.into_iter().zip(0..).map(|(gib, at)| self.disk(at, gib * GIB, thin)).collect()
    }

    /// An ordinary disk of the machine's own.
    pub(in crate::estate) fn disk(&mut self, at: u64, bytes: u64, thin: bool) -> Disk {
        let suffix = if at == 0 { String::new() } else { format!("_{at}") };
        let (directory, store) = (self.directory(), self.store().clone());
        let path = format!("[{}] {directory}/{}{suffix}.vmdk", store.name, self.plan.name);
        Disk {
            label: format!("Hard disk {}", at + 1).into(),
            key: Observed::Value((2000 + at).to_string().into()),
            uuid: Observed::Value(Uuid::from_u64_pair(
                0x6000_C290_0000_0000 | self.random.next() >> 28,
                self.random.next(),
            )),
            capacity_bytes: Observed::Value(bytes),
            datastore: Observed::Value(store.id),
            path: Observed::Value(path.into()),
            thin: Observed::Value(thin),
            mode: Observed::Value(DiskMode::Persistent),
            sharing: Observed::Value(DiskSharing::None),
            controller: Observed::Value(
                if self.os.windows && self.random.percent(15) {
                    "LSI Logic SAS"
                } else {
                    "VMware paravirtual SCSI"
                }
                .into(),
            ),
            bus_sharing: Observed::Value(BusSharing::None),
            raw_mapping: Observed::Absent,
            lun: Observed::Absent,
            change_tracking: Observed::Unobserved(LIMIT),
        }
    }

    /// The network of a role in the machine's datacenter; the standard one where that has none.
    pub(in crate::estate) fn net(&self, role: &'static str) -> &Net {
        let (nets, datacenter) = (&self.site.networks, self.plan.datacenter);
        let distributed = self.place.pod.and_then(|pod| nets.get(&(datacenter, pod, role)));
        let standard = || nets.get(&(datacenter, 0, role)).filter(|_| STANDARD.contains(&role));
        let anywhere = || nets.get(&(datacenter, 0, VM_NETWORK));
        match distributed.or_else(standard).or_else(anywhere) {
            Some(net) => net,
            None => unreachable!("every datacenter has the standard network"),
        }
    }

    pub(super) fn nics(&mut self, talks: bool) -> Vec<Nic> {
        let role = match (self.plan.kind, self.plan.tier) {
            (Kind::Dmz, "web") => "dmz-front",
            (Kind::Dmz, _) => "dmz-back",
            (Kind::Test, _) => "test",
            (Kind::Vdi, _) => "vdi",
            (Kind::Sap, _) => "sap",
            (Kind::Oracle, _) => "oracle",
            (_, "web") => "prod-web",
            (_, "db") => "prod-db",
            _ => "prod-app",
        };
        let mut roles = vec![role];
        if self.plan.tier == "db" || self.random.percent(6) {
            roles.push("backup");
        }
        roles.into_iter().zip(0..).map(|(role, at)| self.nic(at, role, talks)).collect()
    }

    /// An adapter attached to the network of a role.
    pub(in crate::estate) fn nic(&mut self, at: u64, role: &'static str, talks: bool) -> Nic {
        let net = self.net(role).clone();
        let number = self.plan.number;
        let host = Ipv4Addr::new(
            10,
            net.octet as u8,
            (number / 250 % 256) as u8,
            (number % 250 + 2) as u8,
        );
        let mut addresses = vec![IpAddr::V4(host)];
        if self.random.percent(9) {
            let low = number as u16;
            addresses.push(IpAddr::V6(Ipv6Addr::new(
                0xfd00,
                0x10,
                net.octet as u16,
                at as u16,
                0,
                0,
                (number >> 16) as u16,
                low,
            )));
        }
        let [.., third, second, first] = (number * 8 + at).to_be_bytes();
        Nic {
            label: format!("Network adapter {}", at + 1).into(),
            adapter: Observed::Value("Vmxnet3".into()),
            network: Observed::Value(net.id),
            switch: Observed::Value(net.switch),
            connected: Observed::Value(talks || self.random.percent(30)),
            starts_connected: Observed::Value(true),
            mac: Observed::Value(format!("00:50:56:{third:02x}:{second:02x}:{first:02x}").into()),
            mac_origin: Observed::Value("assigned".into()),
            addresses: if talks {
                Listing::complete(addresses)
            } else {
                Listing::unobserved(Why::GuestSilent)
            },
            address_is_static: Observed::Unobserved(LIMIT),
            direct_path: Observed::Value(false),
        }
    }

    pub(super) fn devices(&mut self) -> Devices {
        let connected = self.random.percent(3);
        let backing = match (connected, self.random.below(10)) {
            (true, 0..7) => {
                let site = &self.place.datacenter;
                let image =
                    if self.os.windows { "windows-server.iso" } else { "linux-install.iso" };
                format!("ISO [{site}-nfs-media-01] iso/{image}")
            }
            (true, _) => "Remote ATAPI".to_owned(),
            _ => "Client Device".to_owned(),
        };
        Devices {
            cdroms: Listing::complete(vec![Device {
                label: "CD/DVD drive 1".into(),
                backing: Observed::Value(backing.into()),
                connected: Observed::Value(connected),
            }]),
            usb: Listing::complete(Vec::new()),
            pci_passthrough: Listing::unobserved(LIMIT),
            vgpus: Listing::unobserved(LIMIT),
            serial_ports: Listing::unobserved(LIMIT),
            tpm: Observed::Unobserved(LIMIT),
            encrypted: Observed::Unobserved(LIMIT),
        }
    }

    pub(super) fn firmware(&mut self) -> Firmware {
        let (low, high) = self.os.hardware;
        let version = *[4, 7, 8, 9, 10, 11, 13, 14, 15, 17, 18, 19, 20, 21]
            .iter()
            .filter(|it| (low..=high).contains(it))
            .nth(self.random.below(2) as usize)
            .unwrap_or(&high);
        let kind = if self.os.efi { FirmwareKind::Efi } else { FirmwareKind::Bios };
        Firmware {
            kind: Observed::Value(kind),
            secure_boot: Observed::Value(self.os.efi && self.random.percent(55)),
            hardware_version: Observed::Value(version as u32),
        }
    }
}
