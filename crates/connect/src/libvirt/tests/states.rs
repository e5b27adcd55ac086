//! States, firmware and networks as they are told, and nothing beyond.

use entente_model::{FirmwareKind, GapCause, Observed, PowerState, Why, Workload};

use super::{collection, host, named, off};
use crate::libvirt::wire::reading::{DomainReading, NamedReading};

fn running(name: &str, inner: &str, state: (i32, i32)) -> DomainReading {
    let xml = format!("<domain type='kvm' id='3'><name>{name}</name>{inner}</domain>");
    DomainReading { live: Some(Ok(xml)), state: Ok(state), ..off(name, "") }
}

fn read(domain: DomainReading, networks: Vec<NamedReading>) -> (Workload, Vec<GapCause>) {
    let mut reading = host();
    reading.domains = Ok(vec![domain]);
    reading.around.networks = Ok(networks);
    let collection = collection(&reading);
    let causes = collection.gaps.iter().map(|it| it.cause).collect();
    (collection.workloads.into_iter().next().unwrap(), causes)
}

#[test]
fn states_that_are_over_in_a_moment_are_neither_on_nor_off() {
    let power = |state| {
        let (workload, gaps) = read(running("vm", "", state), vec![]);
        (workload.power, gaps)
    };
    let (on, paused) = (Observed::Value(PowerState::On), Observed::Value(PowerState::Suspended));
    for state in [1, 2, 4] {
        assert_eq!(power((state, 0)), (on.clone(), vec![]), "{state}");
    }
    // By a person; by pm-suspend in the guest.
    for state in [(3, 1), (7, 0)] {
        assert_eq!(power(state), (paused.clone(), vec![]), "{state:?}");
    }
    // For migration, shutting down, crashed, starting; crashed and kept.
    for state in [(3, 2), (3, 8), (3, 10), (3, 11), (6, 1)] {
        let neither = Observed::Unobserved(Why::Unreadable);
        assert_eq!(power(state), (neither, vec![GapCause::NotModelled]), "{state:?}");
    }
    let crashed = DomainReading { state: Ok((6, 0)), ..off("vm", "") };
    assert_eq!(read(crashed, vec![]).0.power, Observed::Value(PowerState::Off));
}

#[test]
fn a_state_and_an_xml_of_different_moments_make_no_power_state() {
    // Started after its XML was read, and stopped before.
    let started = DomainReading { state: Ok((1, 1)), ..off("vm", "") };
    let stopped = running("vm", "", (5, 1));
    for odd in [started, stopped] {
        assert!(!odd.is_consistent());
        let (workload, gaps) = read(odd, vec![]);
        assert_eq!(workload.power, Observed::Unobserved(Why::Conflict));
        assert_eq!(gaps, [GapCause::Conflict]);
    }
    assert!(off("vm", "").is_consistent() && running("vm", "", (3, 1)).is_consistent());
}

#[test]
fn firmware_is_told_or_documented_and_not_guessed() {
    let firmware = |kind: &str, os: &str| {
        let mut domain = off("vm", "");
        domain.stored =
            Some(Ok(format!("<domain type='{kind}'><name>vm</name><os>{os}</os></domain>")));
        let firmware = read(domain, vec![]).0.firmware;
        (firmware.kind, firmware.secure_boot)
    };
    let pc = "<type arch='x86_64' machine='pc-q35-7.2'>hvm</type>";
    let bios = || (Observed::Value(FirmwareKind::Bios), Observed::Value(false));
    let unknown =
        || (Observed::Unobserved(Why::SourceLimit), Observed::Unobserved(Why::SourceLimit));
    let efi = |secure| (Observed::Value(FirmwareKind::Efi), secure);
    let untold = Observed::Unobserved(Why::SourceLimit);
    assert_eq!(firmware("kvm", pc), bios());
    assert_eq!(firmware("xen", pc), unknown());
    assert_eq!(firmware("kvm", "<type arch='x86_64' machine='microvm'>hvm</type>"), unknown());
    assert_eq!(firmware("kvm", "<type arch='aarch64' machine='virt-7.2'>hvm</type>"), unknown());
    assert_eq!(firmware("kvm", &format!("{pc}<loader type='rom'>/fw.bin</loader>")), unknown());
    assert_eq!(firmware("lxc", "<type>exe</type>"), (Observed::Absent, Observed::Absent));
    let flash = |attributes: &str| format!("{pc}<loader type='pflash'{attributes}>/fw.fd</loader>");
    assert_eq!(firmware("kvm", &flash("")), efi(untold));
    assert_eq!(firmware("kvm", &flash(" secure='yes'")), efi(true.into()));
    assert_eq!(firmware("kvm", &flash(" secure='no'")), efi(false.into()));
    let feature = |name, enabled| format!("<feature enabled='{enabled}' name='{name}'/>");
    let features = |keys| {
        let features = feature("secure-boot", "yes") + &feature("enrolled-keys", keys);
        format!("{}<firmware>{features}</firmware>", flash(""))
    };
    assert_eq!(firmware("kvm", &features("yes")), efi(true.into()));
    assert_eq!(
        firmware("kvm", &features("no")),
        efi(false.into()),
        "without keys it checks nothing"
    );
}

#[test]
fn a_guest_that_runs_keeps_the_name_of_its_network_beside_its_bridge() {
    let mac = "<mac address='52:54:00:aa:bb:01'/>";
    let networks = || {
        vec![
            named(
                "trunk",
                "<network><name>trunk</name><forward mode='bridge'/><bridge name='ovs0'/>
                 <portgroup name='web'/></network>",
            ),
            named("sriov", "<network><name>sriov</name><forward mode='hostdev'/></network>"),
        ]
    };
    let bridged = format!(
        "<devices><interface type='bridge'>{mac}
         <source network='trunk' portgroup='web' bridge='ovs0'/></interface></devices>"
    );
    let (vm, gaps) = read(running("vm", &bridged, (1, 1)), networks());
    assert_eq!(gaps, []);
    let nic = &vm.nics.items[0];
    assert_eq!(nic.network.value().unwrap().as_str(), "kvm/network/trunk/web");
    assert_eq!(nic.switch, Observed::Value("ovs0".into()));

    // Of a device that is passed through only the stored XML names the network.
    let device = format!(
        "<devices><interface type='hostdev'>{mac}<source>
         <address type='pci' domain='0' bus='0x3b' slot='0' function='1'/></source></interface></devices>"
    );
    let mut passed = running("vm", &device, (1, 1));
    passed.stored = Some(Ok(format!(
        "<domain type='kvm'><name>vm</name><devices><interface type='network'>{mac}
         <source network='sriov'/></interface></devices></domain>"
    )));
    let nic = read(passed.clone(), networks()).0.nics.items.remove(0);
    assert_eq!(nic.network.value().unwrap().as_str(), "kvm/network/sriov");
    assert_eq!(nic.direct_path, Observed::Value(true));

    // Stored with another network by now: what it has until then is not that.
    let stored = passed.stored.take().unwrap().unwrap().replace("sriov", "trunk");
    passed.stored = Some(Ok(stored));
    let nic = read(passed, networks()).0.nics.items.remove(0);
    assert_eq!(nic.network.value().unwrap().as_str(), "kvm/device/0000:3b:00.1");

    // To what another program attaches it is not "to nothing".
    let tap = "<devices><interface type='ethernet'><target dev='tap7'/></interface></devices>";
    let nic = read(running("vm", tap, (1, 1)), networks()).0.nics.items.remove(0);
    assert_eq!(nic.network, Observed::Unobserved(Why::SourceLimit));

    let (vm, gaps) = read(running("vm", &bridged, (1, 1)), vec![]);
    assert_eq!(vm.nics.items[0].network, Observed::Unobserved(Why::Blank));
    assert_eq!(gaps, [GapCause::DanglingReference]);
}
