//! Whose a volume is, where a disk lies, and whether it is a device that passes through.

use entente_model::{Collection, GapCause, Observed, RawMapping, Why};

use super::{collection, host, off, pool, remote};
use crate::libvirt::wire::procedures::VolumeName;
use crate::libvirt::wire::reading::{DomainReading, PoolReading, Reading};

/// A pool of files with these volumes, each with what its XML holds beside its path.
fn folder(name: &str, path: &str, volumes: &[(&str, &str)]) -> PoolReading {
    let mut reading =
        pool(name, &format!("<pool type='dir'><target><path>{path}</path></target></pool>"));
    let volumes = volumes.iter().map(|(volume, inner)| {
        let xml = format!(
            "<volume><target><path>{path}/{volume}</path><format type='qcow2'/></target>{inner}</volume>"
        );
        let key = format!("{path}/{volume}");
        (VolumeName { pool: name.into(), name: (*volume).into(), key }, Ok(xml))
    });
    reading.volumes = Some(Ok(volumes.collect()));
    reading
}

fn disk(path: &str) -> String {
    format!(
        "<devices><disk type='file' device='disk'><driver type='qcow2'/><source file='{path}'/>
         <target dev='vda'/></disk></devices>"
    )
}

fn read(domains: Vec<DomainReading>, pools: Vec<PoolReading>) -> Collection {
    let mut reading = host();
    reading.domains = Ok(domains);
    reading.around.pools = Ok(pools);
    collection(&reading)
}

/// To whom a volume belongs: the name of a workload.
fn owner(collection: &Collection, volume: &str) -> Observed<String> {
    let volume = collection.control.volumes.iter().find(|it| it.path.ends_with(volume)).unwrap();
    let name = |id| collection.workloads.iter().find(|it| it.id == id).unwrap().name.to_string();
    volume.workload.clone().map(name)
}

fn images() -> PoolReading {
    folder("images", "/img", &[("used.qcow2", ""), ("spare.qcow2", "")])
}

fn user() -> DomainReading {
    off("user", &disk("/img//used.qcow2"))
}

#[test]
fn a_volume_belongs_to_nobody_only_if_all_that_may_use_it_was_read() {
    let whole = read(vec![user()], vec![images()]);
    assert_eq!(owner(&whole, "used.qcow2"), Observed::Value("user".into()));
    assert_eq!(owner(&whole, "spare.qcow2"), Observed::Absent);
    assert_eq!(whole.gaps, []);

    let of = |change: &dyn Fn(&mut Reading)| {
        let mut reading = host();
        reading.domains = Ok(vec![user()]);
        reading.around.pools = Ok(vec![images()]);
        change(&mut reading);
        owner(&collection(&reading), "spare.qcow2")
    };
    let denied = Observed::Unobserved(Why::NoPermission);
    assert_eq!(of(&|it| it.domains = Err(remote(88))), denied);
    assert_eq!(of(&|it| it.domains_left_out = 1), Observed::Unobserved(Why::CallFailed));
    let with = |change: &dyn Fn(&mut DomainReading)| {
        of(&|reading| {
            let mut other = off("other", "");
            change(&mut other);
            reading.domains.as_mut().unwrap().push(other);
        })
    };
    assert_eq!(with(&|_| {}), Observed::Absent);
    assert_eq!(with(&|it| it.stored = Some(Err(remote(88)))), denied);
    assert_eq!(with(&|it| it.snapshots = Err(remote(88))), denied);
    assert_eq!(with(&|it| it.snapshots = Ok(vec![Err(remote(88))])), denied);
    let running = "<domain type='kvm' id='3'><name>other</name></domain>";
    let live = |it: &mut DomainReading| {
        (it.live, it.state) = (Some(Ok(running.into())), Ok((1, 1)));
    };
    assert_eq!(with(&live), Observed::Absent);
    assert_eq!(
        with(&|it| {
            live(it);
            it.stored = Some(Err(remote(88)));
        }),
        denied,
        "it may start with it next"
    );
    assert_eq!(
        of(&|it| it.around.left_out.pools = 1),
        Observed::Unobserved(Why::CallFailed),
        "a volume of another pool may lie on top of it"
    );
}

#[test]
fn what_lies_below_an_image_is_used_too() {
    let below = "<backingStore><path>/img/base.qcow2</path><format type='qcow2'/></backingStore>";
    let pools = || {
        vec![folder(
            "images",
            "/img",
            &[("top.qcow2", below), ("base.qcow2", ""), ("spare.qcow2", "")],
        )]
    };
    let one = read(vec![off("one", &disk("/img/top.qcow2"))], pools());
    assert_eq!(owner(&one, "base.qcow2"), Observed::Value("one".into()));
    assert_eq!(owner(&one, "spare.qcow2"), Observed::Absent);

    // Two clones of one base.
    let two = vec![off("one", &disk("/img/top.qcow2")), off("two", &disk("/img/base.qcow2"))];
    let two = read(two, pools());
    assert_eq!(owner(&two, "base.qcow2"), Observed::Unobserved(Why::Conflict));
    let gaps: Vec<_> = two.gaps.iter().map(|it| (it.cause, it.value.as_deref())).collect();
    assert_eq!(gaps, [(GapCause::NotModelled, Some("/img/base.qcow2"))]);

    // Outside of all pools nobody tells what is below, unless the XML or the format does.
    let outside = read(vec![off("one", &disk("/srv/top.qcow2"))], pools());
    assert_eq!(owner(&outside, "spare.qcow2"), Observed::Unobserved(Why::SourceLimit));
    assert!(outside.gaps.iter().any(|it| it.cause == GapCause::Ambiguous && it.count == 3));
    let told = disk("/srv/top.qcow2").replace(
        "<target",
        "<backingStore type='file'><format type='qcow2'/><source file='/img/base.qcow2'/>
         <backingStore/></backingStore><target",
    );
    let told = read(vec![off("one", &told)], pools());
    assert_eq!(owner(&told, "base.qcow2"), Observed::Value("one".into()));
    assert_eq!(owner(&told, "spare.qcow2"), Observed::Absent);
    let raw = disk("/srv/top.img").replace("type='qcow2'", "type='raw'");
    assert_eq!(owner(&read(vec![off("one", &raw)], pools()), "spare.qcow2"), Observed::Absent);
    // One that cannot be read may lie on top of any.
    let mut pools = pools();
    pools.push(folder("more", "/more", &[("top.qcow2", "")]));
    pools[1].volumes.as_mut().unwrap().as_mut().unwrap()[0].1 = Err(remote(88));
    let unread = read(vec![off("one", &disk("/more/top.qcow2"))], pools);
    assert_eq!(owner(&unread, "spare.qcow2"), Observed::Unobserved(Why::NoPermission));
}

#[test]
fn images_are_used_by_drives_snapshots_firmware_and_what_starts_next() {
    let volumes = ["disc.iso", "held.qcow2", "memory", "vars.fd", "next.qcow2", "now.qcow2"];
    let volumes: Vec<_> = volumes.iter().map(|it| (*it, "")).collect();
    let mut vm = off(
        "vm",
        "<os><type arch='x86_64'>hvm</type><nvram>/img/vars.fd</nvram></os><devices>
         <disk type='file' device='cdrom'><source file='/img/disc.iso'/><target dev='sda'/></disk>
         <disk type='file' device='disk'><source file='/img/next.qcow2'/><target dev='vda'/></disk>
         </devices>",
    );
    let now = disk("/img/now.qcow2");
    vm.live = Some(Ok(format!("<domain type='kvm' id='1'><name>vm</name>{now}</domain>")));
    vm.state = Ok((1, 1));
    vm.snapshots = Ok(vec![Ok("<domainsnapshot><name>s</name>
        <memory snapshot='external' file='/img/memory'/><disks><disk name='vda' type='file'>
        <driver type='qcow2'/><source file='/img/held.qcow2'/></disk></disks></domainsnapshot>"
        .into())]);
    let collection = read(vec![vm], vec![folder("images", "/img", &volumes)]);
    for (volume, _) in volumes {
        assert_eq!(owner(&collection, volume), Observed::Value("vm".into()), "{volume}");
    }
}

#[test]
fn an_image_under_another_name_may_be_any_of_those_it_could_be() {
    // A folder that is reached by two names.
    let mut alias = disk("/var/lib/images/spare.qcow2");
    alias = alias.replace("type='qcow2'", "type='raw'");
    let collection = read(vec![off("vm", &alias)], vec![images()]);
    assert_eq!(owner(&collection, "spare.qcow2"), Observed::Unobserved(Why::SourceLimit));
    assert_eq!(owner(&collection, "used.qcow2"), Observed::Absent);

    let mut devices =
        pool("vg", "<pool type='logical'><target><path>/dev/vg</path></target></pool>");
    let name = VolumeName { pool: "vg".into(), name: "data".into(), key: "k".into() };
    let xml = "<volume><target><path>/dev/vg/data</path></target></volume>";
    devices.volumes = Some(Ok(vec![(name, Ok(xml.into()))]));
    let block = "<devices><disk type='block' device='disk'><driver type='raw'/>
                 <source dev='/dev/mapper/vg-data'/><target dev='vda'/></disk></devices>";
    let collection = read(vec![off("vm", block)], vec![devices]);
    assert_eq!(owner(&collection, "data"), Observed::Unobserved(Why::SourceLimit));
    let disk = &collection.workloads[0].disks.items[0];
    assert_eq!(disk.datastore, Observed::Unobserved(Why::SourceLimit), "it may be in that pool");
}

#[test]
fn an_image_on_a_storage_network_is_that_volume() {
    let mut ceph = pool(
        "ceph",
        "<pool type='rbd'><source><name>vms</name><host name='MON1'/></source></pool>",
    );
    let name = |it: &str| VolumeName { pool: "ceph".into(), name: it.into(), key: it.into() };
    let xml = |it| format!("<volume><target><path>vms/{it}</path></target></volume>");
    ceph.volumes =
        Some(Ok(vec![(name("root"), Ok(xml("root"))), (name("spare"), Ok(xml("spare")))]));
    let on = |host: &str| {
        let disk = format!(
            "<devices><disk type='network' device='disk'><driver type='raw'/>
             <source protocol='rbd' name='vms/root'><host name='{host}'/></source>
             <target dev='vda'/></disk></devices>"
        );
        read(vec![off("vm", &disk)], vec![ceph.clone()])
    };
    let same = on("mon1");
    assert_eq!(owner(&same, "root"), Observed::Value("vm".into()));
    assert_eq!(owner(&same, "spare"), Observed::Absent);
    let datastore = |it: &Collection| it.workloads[0].disks.items[0].datastore.clone();
    assert_eq!(datastore(&same).value().unwrap().as_str(), "kvm/ceph");
    // The same cluster by another name, or another cluster.
    assert_eq!(datastore(&on("192.0.2.7")), Observed::Unobserved(Why::SourceLimit));
}

#[test]
fn a_disk_lies_in_the_pool_with_the_longest_folder_of_whole_names() {
    let pools = || {
        vec![
            folder("a", "/img", &[]),
            folder("inner", "/img/inner/", &[]),
            pool("parts", "<pool type='disk'><target><path>/dev</path></target></pool>"),
        ]
    };
    let datastore = |path: &str, pools| {
        let collection = read(vec![off("vm", &disk(path))], pools);
        collection.workloads[0].disks.items[0].datastore.clone().map(|it| it.to_string())
    };
    let within = |path: &str| datastore(path, pools());
    assert_eq!(within("/img/a.qcow2"), Observed::Value("kvm/a".into()));
    assert_eq!(within("/img/inner/a.qcow2"), Observed::Value("kvm/inner".into()));
    assert_eq!(within("/img/./inner//a.qcow2"), Observed::Value("kvm/inner".into()));
    assert_eq!(within("/img/inner2/a.qcow2"), Observed::Value("kvm/a".into()));
    assert_eq!(within("/img2/a.qcow2"), Observed::Absent);
    assert_eq!(within("/img/../srv/a.qcow2"), Observed::Unobserved(Why::SourceLimit));
    // All devices lie below `/dev`; only its volumes are that pool's.
    assert_eq!(within("/dev/sdz"), Observed::Unobserved(Why::SourceLimit));
    // A pool that may not be read may be the nearer one.
    let mut hidden = pools();
    hidden[1].pool.xml = Err(remote(88));
    let denied = Observed::Unobserved(Why::NoPermission);
    assert_eq!(datastore("/img/inner/a.qcow2", hidden), denied);
}

#[test]
fn a_device_of_the_host_is_a_raw_mapping_only_where_that_is_told() {
    let of = |inner: &str, pools| {
        let disk = format!("<devices><disk {inner}<target dev='vda'/></disk></devices>");
        let collection = read(vec![off("vm", &disk)], pools);
        let disk = &collection.workloads[0].disks.items[0];
        (disk.raw_mapping.clone(), disk.lun.clone().map(|it| it.to_string()))
    };
    let block = "type='block' device='disk'><source dev='/dev/x/y'/>";
    let limit = Why::SourceLimit;
    assert_eq!(of(block, vec![]), (Observed::Unobserved(limit), Observed::Unobserved(limit)));
    let logical = pool("vg", "<pool type='logical'><target><path>/dev/x</path></target></pool>");
    assert_eq!(of(block, vec![logical]), (Observed::Absent, Observed::Absent));
    let lun = "type='block' device='lun'><source dev='/dev/x/y'/>";
    let physical = Observed::Value(RawMapping::Physical);
    assert_eq!(of(lun, vec![]), (physical, Observed::Value("/dev/x/y".into())));
    let san =
        pool("san", "<pool type='iscsi'><target><path>/dev/disk/by-path</path></target></pool>");
    let volume = "type='volume' device='disk'><source pool='san' volume='unit:0:0:1'/>";
    assert_eq!(of(volume, vec![san]).0, Observed::Value(RawMapping::Unspecified));
    let iscsi = "type='network' device='disk'><source protocol='iscsi' name='iqn.a:t/1'/>";
    assert_eq!(of(iscsi, vec![]).0, Observed::Value(RawMapping::Unspecified));
}

#[test]
fn a_pool_that_a_disk_names_and_nobody_lists_is_told() {
    let volume = "<devices><disk type='volume' device='disk'><source pool='gone' volume='a'/>
                  <target dev='vda'/></disk></devices>";
    let collection = read(vec![off("vm", volume)], vec![images()]);
    assert!(collection.gaps.iter().any(|it| it.cause == GapCause::DanglingReference));
    assert_eq!(owner(&collection, "spare.qcow2"), Observed::Unobserved(Why::SourceLimit));
}
