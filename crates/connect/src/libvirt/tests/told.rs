//! What is not told is not "none": gaps, and reasons that fit.

use entente_model::{GapCause, Listing, Observed, Why};

use super::{collection, host, off, pool, remote};
use crate::libvirt::wire::failure::{Failure, Remote, RemoteKind};
use crate::libvirt::wire::procedures::{self as ask, Parameter, Procedure};
use crate::libvirt::wire::reading::{LeftOut, Reading};
use crate::libvirt::wire::xdr::{Decoder, Encoder, XdrError};

/// Not supported by the driver.
const UNSUPPORTED: i32 = 3;

fn gaps(reading: &Reading) -> Vec<(GapCause, String, u64)> {
    let gaps = collection(reading).gaps;
    let place = |it: &entente_model::Gap| it.place.field.clone().unwrap_or_default().to_string();
    gaps.iter().map(|it| (it.cause, place(it), it.count)).collect()
}

#[test]
fn what_a_driver_cannot_tell_is_a_gap_told_once_and_nobodys_no() {
    let mut reading = host();
    let domains = ["a", "b"].map(|name| {
        let mut domain = off(name, "");
        domain.snapshots = Err(remote(UNSUPPORTED));
        domain.checkpoints = Err(remote(UNSUPPORTED));
        domain
    });
    reading.domains = Ok(domains.into());
    let around = &mut reading.around;
    around.networks = Err(remote(UNSUPPORTED));
    around.filters = Err(remote(UNSUPPORTED));
    around.bindings = Err(remote(UNSUPPORTED));
    around.mediated_devices = Err(remote(UNSUPPORTED));
    let mut without_volumes = pool("p", "<pool type='dir'/>");
    without_volumes.volumes = Some(Err(remote(UNSUPPORTED)));
    around.pools = Ok(vec![without_volumes]);
    reading.host.system = Err(remote(UNSUPPORTED));
    for workload in &collection(&reading).workloads {
        assert_eq!(workload.snapshots, Listing::unobserved(Why::NotInVersion));
        let tracking = &workload.availability.change_tracking;
        assert_eq!(*tracking, Observed::Unobserved(Why::NotInVersion));
    }
    let mut told = gaps(&reading);
    told.sort();
    let mut expected = [
        "VM snapshots",
        "checkpoints",
        "list of filter bindings",
        "list of network filters",
        "list of networks",
        "list of volumes",
        "maker and model",
        "mediated devices",
    ]
    .map(|it| (GapCause::MissingSection, it.to_owned(), 1));
    expected.sort();
    assert_eq!(told, expected);
    reading.around.pools = Err(remote(UNSUPPORTED));
    assert!(gaps(&reading).iter().any(|it| it.1 == "list of storage pools"));
}

#[test]
fn objects_beyond_a_limit_are_counted() {
    let mut reading = host();
    reading.around.left_out =
        LeftOut { networks: 1, pools: 2, volumes: 3, filters: 4, bindings: 5, devices: 6 };
    let counts: Vec<_> = gaps(&reading).into_iter().map(|it| (it.0, it.2)).collect();
    assert!(counts.iter().all(|it| it.0 == GapCause::LimitReached));
    let mut counts: Vec<_> = counts.into_iter().map(|it| it.1).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn an_error_of_the_protocol_is_what_its_words_say() {
    let kind = |message: &str| Remote { code: 39, message: message.into() }.kind();
    assert_eq!(kind("unknown procedure: 418"), RemoteKind::Unsupported);
    assert_eq!(kind("Too many domains '20000' for limit '16384'"), RemoteKind::TooMany);
    assert_eq!(kind("internal error"), RemoteKind::Other);
    let many = Failure::from(Remote { code: 39, message: "Too many networks".into() });
    assert_eq!((many.cause(), many.why()), (GapCause::LimitReached, Why::CallFailed));
    assert!(!many.is_unsupported());
    // Something that is not started is no silent guest.
    let stopped = remote(55);
    assert_eq!((stopped.cause(), stopped.why()), (GapCause::Unreachable, Why::CallFailed));
}

#[test]
fn a_list_that_is_shorter_than_its_count_is_not_believed() {
    let mut written = Encoder::default();
    for word in [1, 0, 2] {
        written.unsigned(word);
    }
    let bytes = written.into_bytes();
    // One device without a name, and a count of two.
    let read = ask::ListNodeDevices::decode(&mut Decoder::new(&bytes));
    assert_eq!(read, Err(XdrError::Value { what: "the count of a list", value: 2 }));
}

#[test]
fn a_fact_that_hangs_on_a_call_has_its_reason() {
    let mut reading = host();
    reading.host.node = Err(remote(88));
    reading.host.free_memory = Err(remote(1));
    let capped = "<vcpu>1</vcpu><cputune><quota>50000</quota></cputune>";
    reading.domains = Ok(vec![off("vm", capped)]);
    let collection = collection(&reading);
    let denied = Observed::Unobserved(Why::NoPermission);
    assert_eq!(collection.hosts[0].cpu_mhz, denied);
    assert_eq!(collection.workloads[0].cpu.limit_mhz, denied);
    assert_eq!(
        collection.hosts[0].memory_used_basis_points,
        Observed::Unobserved(Why::NoPermission)
    );
    let mut reading = host();
    reading.host.capabilities = Err(remote(88));
    reading.host.hostname = Err(remote(88));
    reading.domains = Ok(vec![off("vm", "")]);
    let host = super::collection(&reading).workloads[0].placement.host.clone();
    assert_eq!(host, Observed::Unobserved(Why::NoPermission));
}

#[test]
fn what_an_agent_may_not_be_asked_is_no_silence_of_the_guest() {
    let guest = |facts| {
        let mut vm = off("vm", "");
        vm.state = Ok((1, 1));
        vm.live =
            Some(Ok("<domain type='kvm' id='1'><name>vm</name><devices><channel type='unix'>
            <target type='virtio' name='org.qemu.guest_agent.0' state='connected'/></channel>
            <interface type='user'><mac address='52:54:00:00:00:01'/></interface>
            </devices></domain>"
                .into()));
        vm.agent_facts = Some(facts);
        vm.leases = Some(Err(remote(UNSUPPORTED)));
        let mut reading = host();
        reading.host.read_only = false;
        reading.domains = Ok(vec![vm]);
        collection(&reading).workloads.remove(0)
    };
    let denied = guest(Err(remote(88)));
    assert_eq!(denied.guest.hostname, Observed::Unobserved(Why::NoPermission));
    assert_eq!(denied.nics.items[0].addresses.why(), Some(Why::NotInVersion));
    assert_eq!(guest(Err(remote(86))).guest.hostname, Observed::Unobserved(Why::GuestSilent));
    // One of two file systems has no name.
    let text = |it: &str| Parameter::Text(it.into());
    let facts = vec![
        ("fs.count".to_owned(), Parameter::Number(2)),
        ("fs.0.mountpoint".to_owned(), text("/")),
    ];
    let told = guest(Ok(facts)).guest.partitions;
    assert_eq!((told.items.len(), told.is_complete()), (1, false));
}

#[test]
fn metadata_that_is_cut_is_told() {
    let long = "x".repeat(3_000);
    let mut reading = host();
    let metadata = format!("<metadata><a:b xmlns:a='https://example.com'>{long}</a:b></metadata>");
    reading.domains = Ok(vec![off("vm", &metadata)]);
    assert_eq!(gaps(&reading), [(GapCause::LimitReached, "metadata".to_owned(), 1)]);
}

#[test]
fn processors_of_another_driver_have_no_topology_that_nobody_told() {
    let cpu = |kind: &str| {
        let mut domain = off("vm", "");
        let xml = format!("<domain type='{kind}'><name>vm</name><vcpu>4</vcpu></domain>");
        domain.stored = Some(Ok(xml));
        let mut reading = host();
        reading.domains = Ok(vec![domain]);
        collection(&reading).workloads.remove(0).cpu
    };
    assert_eq!((cpu("kvm").sockets, cpu("kvm").cores_per_socket), (4.into(), 1.into()));
    assert_eq!(cpu("xen").sockets, Observed::Unobserved(Why::SourceLimit));
    assert_eq!(cpu("xen").count, 4.into());
}

#[test]
fn what_was_deleted_while_it_was_read_is_not_there() {
    let mut reading = host();
    let mut gone = pool("gone", "");
    gone.pool.xml = Err(remote(49));
    let mut there = pool("there", "<pool type='dir'><target><path>/img</path></target></pool>");
    let name = ask::VolumeName { pool: "there".into(), name: "v".into(), key: "/img/v".into() };
    there.volumes = Some(Ok(vec![(name, Err(remote(50)))]));
    reading.around.pools = Ok(vec![gone, there]);
    let mut network = super::named("gone", "");
    network.xml = Err(remote(43));
    reading.around.networks = Ok(vec![network]);
    let collection = collection(&reading);
    assert_eq!(collection.datastores.len(), 1);
    assert_eq!((collection.control.volumes.len(), collection.networks.len()), (0, 0));
    assert!(collection.gaps.iter().all(|it| it.cause == GapCause::Vanished));
    assert_eq!(collection.gaps.len(), 3);
}

#[test]
fn a_limit_that_cannot_be_read_is_not_unlimited() {
    let mut reading = host();
    let inner = "<vcpu current='few'>4</vcpu><memory>1024</memory>
                 <cputune><quota>much</quota></cputune>
                 <memtune><hard_limit unit='furlong'>7</hard_limit></memtune>";
    reading.domains = Ok(vec![off("vm", inner)]);
    let fields: Vec<_> = gaps(&reading).into_iter().map(|it| it.1).collect();
    assert_eq!(fields, ["cputune/quota", "memtune/hard_limit", "vcpu/current"]);
    let vm = collection(&reading).workloads.remove(0);
    let unreadable = Why::Unreadable;
    assert_eq!(vm.cpu.count, Observed::Unobserved(unreadable));
    assert_eq!(vm.cpu.limit_mhz, Observed::Unobserved(unreadable));
    assert_eq!(vm.memory.limit_bytes, Observed::Unobserved(unreadable));
    assert_eq!(vm.memory.reservation_bytes, Observed::Absent);
}

#[test]
fn other_drivers_may_have_agents_of_their_own() {
    let status = |kind: &str| {
        let mut domain = off("vm", "");
        domain.stored = Some(Ok(format!("<domain type='{kind}'><name>vm</name></domain>")));
        let mut reading = host();
        reading.domains = Ok(vec![domain]);
        collection(&reading).workloads.remove(0).guest.tools.status
    };
    assert_eq!(status("kvm"), Observed::Absent);
    assert_eq!(status("vmware"), Observed::Unobserved(Why::SourceLimit));
}

#[test]
fn whether_a_pool_is_started_may_be_unknown() {
    let mut unsure = pool("p", "<pool type='dir'><capacity>0</capacity></pool>");
    unsure.pool.active = Err(remote(88));
    let mut reading = host();
    reading.around.pools = Ok(vec![unsure]);
    let collection = collection(&reading);
    let denied = Observed::Unobserved(Why::NoPermission);
    assert_eq!(collection.datastores[0].accessible, denied);
    assert_eq!(collection.datastores[0].capacity_bytes, Observed::Unobserved(Why::Blank));
    assert_eq!(collection.gaps[0].cause, GapCause::NoPermission);
}
