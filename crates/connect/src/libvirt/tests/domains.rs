//! Domains that no small host for tests has.

use entente_model::{
    BusSharing, DiskMode, DiskSharing, FirmwareKind, GapCause, Observed, PowerState, RawMapping,
    Text, Why, Workload,
};

use super::{collection, host, named, off, pool, remote, size};

/// The one workload of a domain of this XML.
fn workload(inner: &str) -> Workload {
    let mut reading = host();
    reading.domains = Ok(vec![off("vm", inner)]);
    let collection = collection(&reading);
    assert_eq!(collection.gaps, []);
    collection.workloads.into_iter().next().unwrap()
}

fn setting<'a>(workload: &'a Workload, key: &str) -> Option<&'a str> {
    workload.advanced_settings.iter().find(|it| it.key == key).map(|it| it.value.as_str())
}

#[test]
fn processors_memory_and_firmware() {
    let vm = workload(
        "<memory unit='GiB'>4</memory><maxMemory slots='16' unit='GiB'>16</maxMemory>
         <memoryBacking><hugepages><page size='1' unit='GiB'/></hugepages><locked/></memoryBacking>
         <memtune><hard_limit unit='MiB'>6144</hard_limit></memtune>
         <vcpu placement='static' cpuset='0-3' current='2'>8</vcpu>
         <cputune><shares>2048</shares><period>100000</period><quota>50000</quota>
           <vcpupin vcpu='0' cpuset='1'/><vcpupin vcpu='1' cpuset='2'/></cputune>
         <numatune><memory mode='strict' nodeset='1'/></numatune>
         <os firmware='efi'><type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
           <firmware><feature enabled='yes' name='secure-boot'/></firmware></os>
         <cpu mode='host-passthrough'><topology sockets='2' dies='1' cores='2' threads='2'/>
           <feature policy='require' name='vmx'/></cpu>
         <launchSecurity type='sev'/>",
    );
    assert_eq!((vm.cpu.count, vm.cpu.sockets), (2.into(), 2.into()));
    assert_eq!((vm.cpu.cores_per_socket, vm.cpu.hot_add), (4.into(), true.into()));
    // Half of each of two processors of 2,000 MHz.
    assert_eq!(vm.cpu.limit_mhz, Observed::Value(2000));
    assert_eq!(vm.cpu.affinity, Observed::Value("0:1 1:2".into()));
    assert_eq!(vm.cpu.numa_affinity, Observed::Value("1".into()));
    assert_eq!(vm.cpu.shares_level, Observed::Value("custom".into()));
    assert_eq!(vm.memory.size_bytes, Observed::Value(4 << 30));
    assert_eq!(vm.memory.reservation_locked_to_max, Observed::Value(true));
    assert_eq!(vm.memory.limit_bytes, Observed::Value(6 << 30));
    assert_eq!(vm.memory.hot_add, Observed::Value(true));
    assert_eq!(vm.firmware.kind, Observed::Value(FirmwareKind::Efi));
    assert_eq!(vm.firmware.secure_boot, Observed::Value(true));
    assert_eq!(vm.devices.encrypted, Observed::Value(true));
}

#[test]
fn settings_that_bear_on_where_it_can_live() {
    let vm = workload(
        "<os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type></os><cpu mode='host-model'/>
         <devices><filesystem type='mount'><driver type='virtiofs'/><source dir='/srv'/>
           <target dir='srv'/></filesystem><graphics type='vnc' port='-1'/></devices>
         <qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
           <qemu:arg value='-fw_cfg'/><qemu:arg value='name=opt/x,string=password=hunter2'/>
         </qemu:commandline>",
    );
    assert_eq!(setting(&vm, "machine"), Some("pc-i440fx-7.2"));
    assert_eq!(setting(&vm, "cpu.mode"), Some("host-model"));
    assert_eq!(setting(&vm, "filesystem.0"), Some("virtiofs /srv srv"));
    assert_eq!(setting(&vm, "graphics.0"), Some("vnc"));
    let line = setting(&vm, "qemu:commandline").unwrap();
    assert!(line.contains("-fw_cfg") && !line.contains("hunter2"), "{line}");
}

#[test]
fn devices_of_the_host() {
    let vm = workload(
        "<devices>
         <hostdev mode='subsystem' type='pci' managed='yes'><source>
           <address domain='0x0000' bus='0x3b' slot='0x00' function='0x1'/></source></hostdev>
         <hostdev mode='subsystem' type='usb'><source><vendor id='0x0529'/><product id='0x0001'/>
           </source></hostdev>
         <hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>
           <address uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></source></hostdev>
         <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
         <serial type='tcp'><source mode='connect' host='198.51.100.7' service='2445'/></serial>
         </devices>",
    );
    let backing = |list: &entente_model::Listing<entente_model::Device>| {
        list.items[0].backing.value().unwrap().to_string()
    };
    assert_eq!(backing(&vm.devices.pci_passthrough), "0000:3b:00.1");
    assert_eq!(backing(&vm.devices.usb), "0x0529:0x0001");
    assert_eq!(backing(&vm.devices.vgpus), "c2177883-f1bb-47f0-914d-32a22e3a8804 (vfio-pci)");
    assert_eq!(backing(&vm.devices.serial_ports), "tcp 198.51.100.7:2445");
    assert_eq!(vm.devices.tpm, Observed::Value(true));
    assert!(vm.devices.vgpus.is_complete());
}

#[test]
fn disks_of_every_kind() {
    let mut domain = off(
        "vm",
        "<devices>
         <disk type='block' device='lun'><source dev='/dev/mapper/mpatha'>
           <reservations managed='yes'/></source><target dev='sda' bus='scsi'/></disk>
         <disk type='block' device='disk'><source dev='/dev/vg0/data'/>
           <target dev='vda' bus='virtio'/><shareable/></disk>
         <disk type='network' device='disk' snapshot='no'><source protocol='rbd' name='ceph/img'/>
           <target dev='vdb' bus='virtio'/><transient/></disk>
         <disk type='file' device='disk'><source file='/srv/elsewhere.raw'/>
           <target dev='vdc' bus='virtio'/><encryption format='luks'/></disk>
         </devices>",
    );
    domain.sizes.insert("vda".into(), Ok(size(10 << 30, 10 << 30)));
    domain.sizes.insert("vdb".into(), Ok(size(20 << 30, 1 << 30)));
    domain.sizes.insert("vdc".into(), Err(remote(38)));
    let mut reading = host();
    reading.domains = Ok(vec![domain]);
    reading.around.pools = Ok(vec![
        pool("vg0", "<pool type='logical'><target><path>/dev/vg0</path></target></pool>"),
        pool("ceph", "<pool type='rbd'><source><name>ceph</name></source></pool>"),
    ]);
    let collection = collection(&reading);
    let vm = &collection.workloads[0];
    let [lun, volume, image, file] = vm.disks.items.as_slice() else { panic!("four disks") };
    assert_eq!(lun.raw_mapping, Observed::Value(RawMapping::Physical));
    assert_eq!(lun.lun, Observed::Value("/dev/mapper/mpatha".into()));
    assert_eq!(lun.bus_sharing, Observed::Value(BusSharing::Physical));
    assert_eq!(volume.raw_mapping, Observed::Absent, "a logical volume is an ordinary disk");
    assert_eq!(volume.sharing, Observed::Value(DiskSharing::MultiWriter));
    assert_eq!(volume.datastore.value().unwrap().as_str(), "kvm/vg0");
    assert_eq!(volume.thin, Observed::Value(false));
    assert_eq!(image.datastore.value().unwrap().as_str(), "kvm/ceph");
    assert_eq!(image.mode, Observed::Value(DiskMode::IndependentNonPersistent));
    assert_eq!(image.thin, Observed::Value(true));
    assert_eq!(file.datastore, Observed::Absent, "in none of the pools");
    assert_eq!(file.capacity_bytes, Observed::Unobserved(Why::CallFailed));
    assert_eq!(vm.devices.encrypted, Observed::Value(true));
    assert_eq!(vm.samples.storage_used_bytes, Observed::Unobserved(Why::Blank));
    let [gap] = collection.gaps.as_slice() else { panic!("one gap: {:?}", collection.gaps) };
    assert_eq!(
        (gap.cause, gap.place.field.as_deref()),
        (GapCause::CallFailed, Some("size of a disk"))
    );
}

#[test]
fn adapters_of_every_kind() {
    let mut reading = host();
    reading.around.networks = Ok(vec![
        named("sriov", "<network><name>sriov</name><forward mode='hostdev'/></network>"),
        named(
            "trunk",
            "<network><name>trunk</name><forward mode='bridge'/><bridge name='ovs0'/>
             <portgroup name='web'><vlan trunk='yes'><tag id='42'/><tag id='47'/></vlan></portgroup>
             </network>",
        ),
    ]);
    reading.domains = Ok(vec![off(
        "vm",
        "<devices>
         <interface type='network'><mac address='52:54:00:AA:BB:01'/>
           <source network='trunk' portgroup='web'/><model type='virtio'/></interface>
         <interface type='network'><mac address='52:54:00:aa:bb:02'/><source network='sriov'/></interface>
         <interface type='bridge'><mac address='52:54:00:aa:bb:03'/><source bridge='br0'/>
           <vlan><tag id='7'/></vlan><port isolated='yes'/>
           <filterref filter='clean-traffic'><parameter name='IP' value='192.0.2.7'/></filterref></interface>
         <interface type='direct'><source dev='eno1' mode='bridge'/><link state='down'/></interface>
         <interface type='user'/>
         </devices>",
    )]);
    let collection = collection(&reading);
    assert_eq!(collection.gaps, []);
    let vm = &collection.workloads[0];
    let networks: Vec<_> =
        vm.nics.iter().map(|it| it.network.value().map(|it| it.as_str().to_owned())).collect();
    let named = |name: &str| Some(format!("kvm/{name}"));
    let expected = [
        named("network/trunk/web"),
        named("network/sriov"),
        named("bridge/br0"),
        named("device/eno1"),
        None,
    ];
    assert_eq!(networks, expected);
    assert_eq!(vm.nics.items[0].mac, Observed::Value("52:54:00:aa:bb:01".into()));
    assert_eq!(vm.nics.items[1].direct_path, Observed::Value(true));
    assert_eq!(vm.nics.items[2].switch, Observed::Value("br0".into()));
    assert_eq!(vm.nics.items[3].starts_connected, Observed::Value(false));
    assert_eq!(vm.nics.items[4].network, Observed::Absent);
    assert_eq!(setting(vm, "interface.net2.filterref"), Some("clean-traffic IP=192.0.2.7"));
    assert_eq!(setting(vm, "interface.net2.isolated"), Some("yes"));
    assert_eq!(setting(vm, "interface.net2.vlan"), Some("7"));
    // What adapters are attached to is there, if no list tells of it.
    for nic in &vm.nics {
        let Observed::Value(network) = &nic.network else { continue };
        assert!(collection.networks.iter().any(|it| it.id == *network), "{network}");
    }
    let web = collection.networks.iter().find(|it| it.name == "trunk/web").unwrap();
    assert_eq!(web.vlan, Observed::Value("42,47".into()));
    assert!(collection.switches.iter().any(|it| it.name == "br0"));
}

#[test]
fn words_that_nobody_knows_are_gaps_and_no_guesses() {
    let mut reading = host();
    let unheard = "<devices><disk type='quantum' device='disk'><target dev='vda'/></disk>
                   <disk type='file' device='tape'><target dev='vdb'/></disk>
                   <interface type='telepathy'/><hostdev type='ether'/></devices>";
    let mut strange = off("b", unheard);
    strange.state = Ok((99, 0));
    reading.domains = Ok(vec![off("a", unheard), strange]);
    let collection = collection(&reading);
    let gaps: Vec<_> = collection
        .gaps
        .iter()
        .map(|it| {
            (it.cause, it.place.field.as_deref().unwrap(), it.value.as_deref().unwrap(), it.count)
        })
        .collect();
    let unknown = GapCause::UnknownValue;
    let mut expected = vec![
        (unknown, "disk device", "tape", 2),
        (unknown, "disk type", "quantum", 2),
        (unknown, "hostdev type", "ether", 2),
        (unknown, "interface type", "telepathy", 2),
        (unknown, "state", "99", 1),
    ];
    expected.sort();
    assert_eq!(gaps, expected);
    let vm = &collection.workloads[1];
    assert!(!vm.disks.is_complete());
    assert_eq!(vm.disks.items[0].path, Observed::Unobserved(Why::Unreadable));
    assert_eq!(vm.nics.items[0].network, Observed::Unobserved(Why::Unreadable));
    assert!(!vm.devices.pci_passthrough.is_complete());
    let powers: Vec<_> = collection.workloads.iter().map(|it| &it.power).collect();
    assert!(powers.contains(&&Observed::Unobserved(Why::Unreadable)), "{powers:?}");
}

#[test]
fn what_may_not_be_read_is_known_by_name_and_no_more() {
    let mut denied = off("denied", "");
    denied.stored = Some(Err(remote(88)));
    let mut broken = off("broken", "");
    broken.stored = Some(Ok("<domain><devices></domain>".into()));
    let mut gone = off("gone", "");
    gone.stored = Some(Err(remote(42)));
    let mut reading = host();
    reading.domains = Ok(vec![off("sound", ""), denied, broken, gone]);
    let collection = collection(&reading);
    let vm = |name: &str| collection.workloads.iter().find(|it| it.name == name);
    assert!(vm("sound").unwrap().disks.is_complete());
    assert_eq!(vm("denied").unwrap().cpu.count, Observed::Unobserved(Why::NoPermission));
    assert_eq!(vm("denied").unwrap().power, Observed::Value(PowerState::Off));
    assert_eq!(vm("broken").unwrap().disks.why(), Some(Why::Unreadable));
    assert_eq!(vm("gone"), None);
    let causes: Vec<_> = collection.gaps.iter().map(|it| it.cause).collect();
    assert_eq!(causes, [GapCause::UnreadableValue, GapCause::NoPermission, GapCause::Vanished]);
}

#[test]
fn one_that_runs_is_as_it_runs_and_says_what_its_next_start_changes() {
    let mut domain = off("vm", "<title>t</title><vcpu>4</vcpu><memory unit='MiB'>64</memory>");
    domain.live =
        Some(Ok("<domain type='kvm' id='3'><name>vm</name><title>t</title><vcpu>2</vcpu>
         <memory unit='MiB'>64</memory><currentMemory unit='MiB'>48</currentMemory></domain>"
            .into()));
    domain.state = Ok((1, 1));
    let mut reading = host();
    reading.domains = Ok(vec![domain]);
    let collection = collection(&reading);
    let vm = &collection.workloads[0];
    assert_eq!(vm.cpu.count, Observed::Value(2));
    assert_eq!(vm.power, Observed::Value(PowerState::On));
    assert_eq!(setting(vm, "pending"), Some("vcpu"));
    assert_eq!(vm.samples.memory_ballooned_bytes, Observed::Value(16 << 20));
}

#[test]
fn saved_memory_is_suspended_and_an_agent_that_is_not_asked_is_a_gap() {
    let mut saved = off("saved", "");
    saved.saved = Ok(true);
    let mut running = off("running", "");
    running.stored = None;
    running.persistent = Ok(false);
    running.state = Ok((1, 1));
    running.live =
        Some(Ok("<domain type='kvm' id='1'><name>running</name><devices><channel type='unix'>
         <target type='virtio' name='org.qemu.guest_agent.0' state='connected'/></channel>
         </devices></domain>"
            .into()));
    let mut reading = host();
    reading.domains = Ok(vec![saved, running]);
    let collection = collection(&reading);
    let vm = |name: &str| collection.workloads.iter().find(|it| it.name == name).unwrap();
    assert_eq!(vm("saved").power, Observed::Value(PowerState::Suspended));
    assert_eq!(setting(vm("running"), "persistent"), Some("no"));
    assert_eq!(vm("running").guest.hostname, Observed::Unobserved(Why::NoPermission));
    let [gap] = collection.gaps.as_slice() else { panic!("one gap: {:?}", collection.gaps) };
    assert_eq!(
        (gap.cause, gap.value.clone()),
        (GapCause::NoPermission, Some(Text::from("running")))
    );
}

#[test]
fn a_list_that_is_denied_is_a_gap_and_leaves_no_false_absence() {
    let mut reading = host();
    reading.domains = Ok(vec![off(
        "vm",
        "<devices><disk type='file' device='disk'><source file='/srv/a.raw'/><target dev='vda'/></disk>
         <interface type='network'><source network='default'/></interface></devices>",
    )]);
    reading.around.networks = Err(remote(88));
    reading.around.pools = Err(remote(88));
    reading.around.filters = Err(remote(88));
    let collection = collection(&reading);
    let vm = &collection.workloads[0];
    assert_eq!(vm.nics.items[0].network, Observed::Unobserved(Why::NoPermission));
    assert_eq!(vm.disks.items[0].datastore, Observed::Unobserved(Why::NoPermission));
    let denied: Vec<_> = collection
        .gaps
        .iter()
        .filter(|it| it.cause == GapCause::NoPermission)
        .filter_map(|it| it.place.section.as_deref())
        .collect();
    assert_eq!(denied, ["datastores", "networks", "policies"]);
}
