//! Configurations as versions 7, 8 and 9 write them, by hand.

use entente_model::{
    Collection, DiskMode, FirmwareKind, GapCause, Observed, PowerState, RawMapping, Workload,
    WorkloadKind,
};
use serde_json::{Value, json};

use super::replay::{Script, collect, gaps, has_gap, password, play, target};

/// An answer.
pub(super) fn data(value: Value) -> (u16, String) {
    (200, json!({ "data": value }).to_string())
}

/// A node that stands alone with one guest.
pub(super) fn script(version: &str, kind: &str, status: &str, config: &Value) -> Script {
    let base = format!("GET /nodes/pve/{kind}/100");
    let guest = json!([{ "id": format!("{kind}/100"), "type": kind, "vmid": 100, "node": "pve", "status": status,
                         "name": "web", "maxcpu": 3, "maxmem": 1, "uptime": 60, "template": 0 }]);
    Script::from([
        (
            "POST /access/ticket".into(),
            data(json!({"ticket": "PVE:ops@pam:1::x", "username": "ops@pam"})),
        ),
        ("GET /version".into(), data(json!({"version": version, "repoid": "abc"}))),
        ("GET /cluster/resources".into(), data(guest)),
        ("GET /cluster/status".into(), data(json!([{"type": "node", "name": "pve", "online": 1}]))),
        ("GET /nodes".into(), data(json!([{"node": "pve", "status": "online"}]))),
        (
            "GET /nodes/pve/status".into(),
            data(json!({"cpuinfo": {"mhz": "2000.5", "cores": 8, "sockets": 1}})),
        ),
        (
            "GET /storage".into(),
            data(
                json!([{"storage": "local-lvm", "type": "lvmthin"}, {"storage": "nas", "type": "nfs"}]),
            ),
        ),
        (format!("{base}/config"), data(config.clone())),
        (format!("{base}/snapshot"), data(json!([{"name": "current", "running": 1}]))),
        (
            format!("{base}/pending"),
            data(json!([{"key": "memory", "value": "512", "pending": "1024"}])),
        ),
    ])
}

pub(super) async fn read(script: Script) -> Collection {
    let played = play(script).await;
    collect(&target(&played.address, password("ops@pam", "x"))).await.unwrap()
}

pub(super) async fn guest(
    version: &str,
    kind: &str,
    status: &str,
    config: Value,
) -> (Workload, Collection) {
    let collection = read(script(version, kind, status, &config)).await;
    (collection.workloads[0].clone(), collection)
}

fn value<'a>(workload: &'a Workload, key: &str) -> Option<&'a str> {
    workload.advanced_settings.iter().find(|it| it.key == key).map(|it| it.value.as_str())
}

/// A setting of each kind.
fn full_config() -> Value {
    json!({
        "name": "db01", "memory": 4096, "sockets": 2, "cores": 4, "vcpus": 6, "cpulimit": "1.5", "numa": 1,
        "hotplug": "disk,network,cpu,memory", "bootdisk": "virtio0", "ostype": "win10", "cpuunits": 2048,
        "virtio0": "nas:100/vm-100-disk-0.qcow2,size=1.5T,snapshot=1",
        "sata1": "/dev/disk/by-id/wwn-0x5000,size=512M,scsiblock=1",
        "ide2": "nas:iso/debian.iso,media=cdrom,size=400M", "usb0": "host=046d:c52b,usb3=1", "usb1": "spice",
        "hostpci0": "0000:01:00.0,pcie=1,x-vga=1", "hostpci1": "0000:02:00.0,mdev=nvidia-63",
        "serial0": "socket", "net0": "e1000=9A:00:00:00:00:01,bridge=vmbr1,tag=20,trunks=30;40-50,link_down=1",
        "numa0": "cpus=0-3,hostnodes=0,memory=2048", "affinity": "0,2-4", "args": "-device x,password=hunter2",
        "description": "root password: geheim", "cipassword": "**********", "sshkeys": "ssh-ed25519%20AAAA",
        "ipconfig0": "ip=192.0.2.5/24,gw=192.0.2.1", "unused0": "local-lvm:vm-100-disk-9", "novelty": "x",
    })
}

#[tokio::test]
async fn a_machine_of_version_7_has_plain_numbers_and_no_birthday() {
    let (machine, collection) = guest("7.4-16", "qemu", "stopped", full_config()).await;
    assert_eq!(
        (machine.kind, &machine.power),
        (WorkloadKind::Machine, &Observed::Value(PowerState::Off))
    );
    assert_eq!(machine.memory.size_bytes, Observed::Value(4 << 30));
    assert_eq!(
        (&machine.cpu.count, &machine.cpu.sockets),
        (&Observed::Value(6), &Observed::Value(2))
    );
    assert_eq!(machine.cpu.limit_mhz, Observed::Value(3000));
    assert_eq!(machine.cpu.shares_level, Observed::Value("custom".into()));
    assert_eq!(
        (machine.cpu.hot_add.copied(), machine.memory.hot_add.copied()),
        (Some(true), Some(true))
    );
    assert_eq!(machine.cpu.affinity, Observed::Value("0,2-4".into()));
    assert_eq!(machine.cpu.numa_affinity, Observed::Value("0".into()));
    assert_eq!(machine.firmware.kind, Observed::Value(FirmwareKind::Bios));
    assert!(machine.created.why().is_some());
    let labels: Vec<_> = machine.disks.iter().map(|it| it.label.as_str()).collect();
    assert_eq!(labels, ["sata1", "virtio0"]);
    let [passed, volatile] = machine.disks.items.as_slice() else { panic!() };
    assert_eq!(passed.raw_mapping, Observed::Value(RawMapping::Physical));
    assert_eq!(
        (&passed.datastore, passed.capacity_bytes.copied()),
        (&Observed::Absent, Some(512 << 20))
    );
    assert_eq!(volatile.mode, Observed::Value(DiskMode::NonPersistent));
    assert_eq!(volatile.capacity_bytes, Observed::Value((1 << 40) + (1 << 39)));
    assert_eq!(
        (volatile.thin.copied(), volatile.datastore.value().unwrap().as_str()),
        (Some(true), "pve/nas")
    );
    let nic = &machine.nics.items[0];
    assert_eq!(nic.network.value().unwrap().as_str(), "pve/vmbr1/20 trunk 30;40-50");
    assert_eq!(
        (nic.starts_connected.copied(), nic.address_is_static.copied()),
        (Some(false), Some(true))
    );
    assert_eq!(
        machine.devices.cdroms.items[0].backing,
        Observed::Value("nas:iso/debian.iso".into())
    );
    assert_eq!(
        (machine.devices.usb.items.len(), machine.devices.pci_passthrough.items.len()),
        (1, 1)
    );
    assert_eq!(
        (machine.devices.vgpus.items.len(), machine.devices.serial_ports.items.len()),
        (1, 1)
    );
    let all = format!("{machine:?}{:?}", collection.gaps);
    for secret in ["hunter2", "geheim", "ssh-ed25519", "*****"] {
        assert!(!all.contains(secret), "{secret}");
    }
    assert_eq!(value(&machine, "unused0"), Some("local-lvm:vm-100-disk-9"));
    assert!(value(&machine, "args").unwrap().contains("[redacted]"));
    assert!(has_gap(&collection, GapCause::UnknownField, "workloads"), "{:#?}", gaps(&collection));
    assert_eq!(collection.hosts[0].cluster, Observed::Absent);
}

#[tokio::test]
async fn a_machine_of_version_8_writes_memory_as_a_property() {
    let config = json!({
        "memory": "current=2048", "bios": "ovmf", "efidisk0": "local-lvm:vm-100-disk-0,efitype=4m,size=4M",
        "tpmstate0": "local-lvm:vm-100-disk-1,size=4M,version=v2.0", "scsi10": "local-lvm:vm-100-disk-3,size=8G",
        "scsi2": "local-lvm:vm-100-disk-2,size=4G", "agent": "enabled=1,fstrim_cloned_disks=1", "hotplug": "0",
        "hugepages": "1024", "lock": "backup", "tags": "prod;web", "meta": "creation-qemu=8.1.5,ctime=1700000000",
        "smbios1": "uuid=not-a-uuid,base64=1",
    });
    let (machine, collection) = guest("8.2.4", "qemu", "running", config).await;
    assert_eq!(machine.name, "web");
    assert_eq!(machine.memory.size_bytes, Observed::Value(2 << 30));
    assert_eq!(machine.memory.reservation_locked_to_max, Observed::Value(true));
    assert_eq!((machine.cpu.hot_add.copied(), machine.cpu.count.copied()), (Some(false), Some(1)));
    assert_eq!(
        (machine.firmware.kind.copied(), machine.firmware.secure_boot.copied()),
        (Some(FirmwareKind::Efi), Some(false))
    );
    let labels: Vec<_> = machine.disks.iter().map(|it| it.label.as_str()).collect();
    assert_eq!(labels, ["scsi2", "scsi10"]);
    assert_eq!(machine.disks.items[0].datastore.value().unwrap().as_str(), "pve/local-lvm@pve");
    assert_eq!(
        (machine.devices.tpm.copied(), machine.disks.items[0].thin.copied()),
        (Some(true), Some(true))
    );
    let tags: Vec<_> = machine.attributes.iter().map(|it| it.value.as_str()).collect();
    assert_eq!(tags, ["prod", "web"]);
    // The agent was asked and nothing came: that is silence, not an absence.
    assert!(machine.guest.hostname.why().is_some());
    assert!(
        machine.bios_uuid.why().is_some()
            && has_gap(&collection, GapCause::UnreadableValue, "workloads")
    );
    assert!(
        has_gap(&collection, GapCause::NotModelled, "workloads"),
        "changes wait for the next start"
    );
}

#[tokio::test]
async fn a_container_of_version_9_shares_its_nodes_kernel() {
    let config = json!({
        "hostname": "proxy", "cores": 2, "memory": 512, "swap": 0, "ostype": "alpine", "arch": "amd64",
        "rootfs": "local-lvm:vm-100-disk-0,size=8G", "mp0": "nas:100/vm-100-disk-1.raw,mp=/data,size=20G",
        "mp1": "/srv/shared,mp=/srv,ro=1", "unprivileged": 1, "features": "nesting=1",
        "net0": "name=eth0,bridge=vmbr0,firewall=1,hwaddr=BC:24:11:00:00:09,ip=192.0.2.9/24,type=veth",
        "dev0": "/dev/bus/usb/001/002,mode=0660", "lxc": [["lxc.apparmor.profile", "unconfined"]],
    });
    let (container, collection) = guest("9.1.5", "lxc", "running", config).await;
    assert_eq!((container.kind, container.name.as_str()), (WorkloadKind::Container, "proxy"));
    assert_eq!(
        (&container.cpu.count, &container.cpu.sockets),
        (&Observed::Value(2), &Observed::Absent)
    );
    assert_eq!(container.firmware.kind, Observed::Absent);
    let [root, data, shared] = container.disks.items.as_slice() else {
        panic!("{:?}", container.disks)
    };
    assert_eq!((root.label.as_str(), root.capacity_bytes.copied()), ("rootfs", Some(8 << 30)));
    assert_eq!(
        (data.datastore.value().unwrap().as_str(), data.controller.clone()),
        ("pve/nas", Observed::Absent)
    );
    assert_eq!(
        (&shared.datastore, shared.capacity_bytes.why().is_some()),
        (&Observed::Absent, true)
    );
    let nic = &container.nics.items[0];
    assert_eq!(
        (nic.adapter.clone(), nic.address_is_static.copied()),
        (Observed::Value("veth".into()), Some(true))
    );
    assert_eq!(container.devices.usb.items.len(), 1);
    assert!(value(&container, "lxc").unwrap().contains("apparmor"));
    assert!(!has_gap(&collection, GapCause::UnknownField, "workloads"), "{:#?}", gaps(&collection));
}

#[tokio::test]
async fn what_cannot_be_understood_costs_only_itself() {
    let config = json!({
        "cores": {"odd": 1}, "memory": "many", "scsi0": "a,b,c", "bios": "coreboot", "scsi1": "local-lvm:x,size=1Q",
        "net0": "bridge=vmbr0", "net1": "virtio=BC:24:11:00:00:01,bridge=vmbr0",
    });
    let (machine, collection) = guest("9.0.3", "qemu", "frozen", config).await;
    assert!(machine.cpu.count.why().is_some() && machine.memory.size_bytes.why().is_some());
    assert!(machine.power.why().is_some() && machine.firmware.kind.why().is_some());
    assert_eq!((machine.disks.items.len(), machine.disks.is_complete()), (1, false));
    assert_eq!(machine.nics.items.len(), 2);
    for cause in [GapCause::UnreadableValue, GapCause::UnknownValue] {
        assert!(has_gap(&collection, cause, "workloads"), "{:#?}", gaps(&collection));
    }
}

#[tokio::test]
async fn a_node_that_is_offline_hides_its_guests_configuration() {
    let mut script = script("9.1.5", "qemu", "unknown", &json!({}));
    let status = json!({"data": [{"type": "cluster", "name": "lab", "quorate": 1}, {"type": "node", "name": "pve", "online": 0}]});
    script.insert("GET /cluster/status".into(), (200, status.to_string()));
    let collection = read(script).await;
    let machine = &collection.workloads[0];
    assert_eq!((machine.name.as_str(), machine.power.why().is_some()), ("web", true));
    assert!(!machine.disks.is_complete() && !machine.snapshots.is_complete());
    assert!(has_gap(&collection, GapCause::Unreachable, "workloads"));
    assert!(has_gap(&collection, GapCause::Unreachable, "hosts"));
}

#[tokio::test]
async fn a_second_factor_and_other_products_are_told() {
    let reason = async |ticket: &str, more: Value| {
        let mut answer = json!({"ticket": ticket, "username": "ops@pam"});
        for (key, value) in more.as_object().unwrap() {
            answer[key] = value.clone();
        }
        let script = Script::from([(
            "POST /access/ticket".into(),
            (200, json!({"data": answer}).to_string()),
        )]);
        let played = play(script).await;
        collect(&target(&played.address, password("ops@pam", "x"))).await.unwrap_err().code()
    };
    assert_eq!(reason("PVE:!tfa!%7B%7D:1::x", json!({"NeedTFA": 1})).await, "ENT-0314");
    assert_eq!(reason("PBS:ops@pam:1::x", json!({})).await, "ENT-0312");
}

#[tokio::test]
async fn a_refusal_is_quoted_from_the_body_or_from_the_head() {
    let mut script = script("9.1.5", "qemu", "stopped", &json!({}));
    let said =
        json!({"data": null, "message": "Permission check failed (/, Sys.Audit)\n"}).to_string();
    script.insert("GET /cluster/backup".into(), (403, said));
    script.insert("GET /pools".into(), (403, "{}".into()));
    let collection = read(script).await;
    let gaps = gaps(&collection);
    assert!(
        gaps.iter()
            .any(|it| it.contains("/cluster/backup: Permission check failed (/, Sys.Audit)")),
        "{gaps:#?}"
    );
    assert!(gaps.iter().any(|it| it.contains("/pools: said in the head")), "{gaps:#?}");
}
