//! The connector against a real libvirtd with QEMU, and against libvirt's own test driver behind it.
//!
//! `scripts/libvirtd-for-tests` starts a daemon of its own, which needs root and Debian's
//! `libvirt-daemon-system`, `libvirt-clients` and `qemu-system-x86`; where it cannot, each test says
//! so in one line and does nothing. `virsh` is the second opinion.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking"
)]

mod daemon;

use std::collections::{BTreeMap, BTreeSet};

use daemon::{Daemon, target, turn};
use entente_connect::connector::{Access, Unwatched, Watch};
use entente_connect::live::{
    Cancel, CheckReport, ConnectError, Credentials, Live, Refusal, RightState, Run, Secret, Target,
    Traffic, Trust,
};
use entente_model::{Collection, Gap, GapCause, Observed, PowerState, ToolsStatus, Why, Workload};

fn connector() -> &'static dyn Live {
    let mut all = entente_connect::registry().iter();
    match all.find(|it| it.name() == "libvirt").expect("it is registered").access() {
        Access::Live(live) => live,
        Access::Export(_) => panic!("it is a live connector"),
    }
}

async fn collected(target: &Target) -> Result<Collection, ConnectError> {
    let (cancel, traffic) = (Cancel::new(), Traffic::default());
    let run = Run { target, watch: &Unwatched, cancel: &cancel, traffic: &traffic };
    connector().collect(run).await
}

async fn checked(target: &Target) -> Result<CheckReport, ConnectError> {
    let (cancel, traffic) = (Cancel::new(), Traffic::default());
    let run = Run { target, watch: &Unwatched, cancel: &cancel, traffic: &traffic };
    connector().check(run).await
}

async fn refused(target: &Target) -> Refusal {
    checked(target).await.expect_err("it should not let us in").reason
}

fn workload<'a>(collection: &'a Collection, name: &str) -> &'a Workload {
    collection.workloads.iter().find(|it| it.name == name).expect("it is in the collection")
}

fn setting<'a>(workload: &'a Workload, key: &str) -> Option<&'a str> {
    workload.advanced_settings.iter().find(|it| it.key == key).map(|it| it.value.as_str())
}

/// Gaps that say that something went wrong.
fn failures(collection: &Collection) -> Vec<&Gap> {
    let harmless = |it: &&Gap| {
        // No tool for it on a machine without a firmware table; agents over a read-only connection.
        it.place.field.as_deref() == Some("maker and model")
            || it.place.field.as_deref() == Some("guest agent")
    };
    collection.gaps.iter().filter(|it| !harmless(it)).collect()
}

/// Gives the daemon, or ends the test with a line that says why there is none.
macro_rules! daemon {
    () => {
        match Daemon::get() {
            Ok(daemon) => daemon,
            Err(why) => {
                println!("skipped: {why}");
                return;
            }
        }
    };
}

mod follow;

#[tokio::test]
async fn every_domain_is_as_virsh_shows_it() {
    let daemon = daemon!();
    let _turn = turn().await;
    let collection = collected(&target(&daemon.read_only())).await.unwrap();
    assert_eq!(failures(&collection), Vec::<&Gap>::new());

    let names: BTreeSet<_> = collection.workloads.iter().map(|it| it.name.to_string()).collect();
    assert_eq!(names, daemon.lines("list --all --name"));
    assert_eq!(names, BTreeSet::from(["one".into(), "two".into()]));
    for workload in &collection.workloads {
        let name = workload.name.as_str();
        let uuid = daemon.virsh(&format!("domuuid {name}"));
        assert_eq!(workload.native_id.value().unwrap(), uuid.trim());
        assert_eq!(workload.instance_uuid.value().unwrap().to_string(), uuid.trim());

        let state = daemon.virsh(&format!("domstate {name}"));
        let power = match state.trim() {
            "running" => PowerState::On,
            "shut off" => PowerState::Off,
            other => panic!("a state of no guest here: {other}"),
        };
        assert_eq!(workload.power, Observed::Value(power), "{name}");

        let info = daemon.table(&format!("dominfo {name}"));
        assert_eq!(info["CPU(s)"], workload.cpu.count.value().unwrap().to_string());
        let kib = workload.memory.size_bytes.value().unwrap() / 1024;
        assert_eq!(info["Max memory"], format!("{kib} KiB"));
        let yes_no = |word: &str| if word == "enable" { "yes" } else { "no" };
        assert_eq!(setting(workload, "persistent"), Some(info["Persistent"].as_str()));
        assert_eq!(setting(workload, "autostart"), Some(yes_no(&info["Autostart"])));

        compare_disks(&daemon, workload);
        compare_adapters(&daemon, workload);
        compare_snapshots(&daemon, workload);
    }
}

fn compare_disks(daemon: &Daemon, workload: &Workload) {
    let name = workload.name.as_str();
    let rows = daemon.rows(&format!("domblklist {name} --details"));
    let disks: Vec<_> = rows.iter().filter(|row| row[1] == "disk").collect();
    assert_eq!(disks.len(), workload.disks.items.len(), "{name}");
    for (row, disk) in disks.iter().zip(&workload.disks) {
        assert_eq!(disk.key.value().unwrap(), row[2].as_str());
        assert_eq!(disk.path.value().unwrap(), row[3].as_str());
        let info = daemon.table(&format!("domblkinfo {name} {}", row[2]));
        assert_eq!(info["Capacity"], disk.capacity_bytes.value().unwrap().to_string());
        assert_eq!(disk.datastore.value().unwrap().as_str(), "kvm/images");
    }
    let drives = rows.iter().filter(|row| row[1] == "cdrom").count();
    assert_eq!(drives, workload.devices.cdroms.items.len(), "{name}");
}

fn compare_adapters(daemon: &Daemon, workload: &Workload) {
    let rows = daemon.rows(&format!("domiflist {}", workload.name));
    assert_eq!(rows.len(), workload.nics.items.len());
    for (row, nic) in rows.iter().zip(&workload.nics) {
        let [_, kind, source, model, mac] = row.as_slice() else { panic!("five columns: {row:?}") };
        assert_eq!(nic.mac.value().unwrap(), mac.as_str());
        assert_eq!(nic.adapter.value().unwrap(), model.as_str());
        assert_eq!(nic.network.value().unwrap().as_str(), format!("kvm/{kind}/{source}"));
    }
}

fn compare_snapshots(daemon: &Daemon, workload: &Workload) {
    let name = workload.name.as_str();
    let mut told = BTreeMap::new();
    for snapshot in daemon.lines(&format!("snapshot-list {name} --name")) {
        let info = daemon.table(&format!("snapshot-info {name} {snapshot}"));
        told.insert(snapshot, (info["Parent"].clone(), info["State"].clone()));
    }
    let mapped: BTreeMap<_, _> = workload
        .snapshots
        .iter()
        .map(|it| {
            let parent = it.parent.value().map_or("-".to_owned(), ToString::to_string);
            (it.name.to_string(), (parent, it.state.value().unwrap().to_string()))
        })
        .collect();
    assert_eq!(mapped, told);
    assert!(workload.snapshots.is_complete());
}

#[tokio::test]
async fn what_virsh_does_not_show_in_tables_is_read_from_the_xml() {
    let daemon = daemon!();
    let _turn = turn().await;
    let collection = collected(&target(&daemon.read_only())).await.unwrap();
    let (one, two) = (workload(&collection, "one"), workload(&collection, "two"));

    assert_eq!(setting(one, "interface.net0.filterref"), Some("clean-traffic"));
    assert_eq!(one.nics.items[0].switch, Observed::Value(daemon.bridge().into()));
    assert_eq!(one.nics.items[0].connected, Observed::Value(true));
    assert_eq!(one.nics.items[1].connected, Observed::Value(false), "its link is down");
    assert_eq!(one.guest.tools.status, Observed::Value(ToolsStatus::NotRunning));
    assert_eq!(one.guest.hostname, Observed::Unobserved(Why::GuestSilent));
    assert_eq!(one.snapshots.items.len(), 2);
    assert_eq!(one.snapshots.items[1].description, Observed::Value("before the change".into()));
    assert_eq!(one.availability.change_tracking, Observed::Value(true));
    assert_eq!(one.disks.items[0].change_tracking, Observed::Value(true));
    assert_eq!(one.disks.items[0].thin, Observed::Value(true));
    assert_eq!(one.disks.items[0].controller, Observed::Value("virtio".into()));

    assert_eq!(two.power, Observed::Value(PowerState::Off));
    assert_eq!(two.cpu.count, Observed::Value(1));
    assert_eq!((&two.cpu.sockets, &two.cpu.cores_per_socket), (&1.into(), &2.into()));
    assert_eq!(two.cpu.hot_add, Observed::Value(true), "one of two processors is there");
    assert_eq!(
        two.annotation,
        Observed::Value("Second guest\nask operations; password: [redacted]".into())
    );
    assert_eq!(two.nics.items[0].connected, Observed::Value(false));
    assert_eq!(two.nics.items[0].starts_connected, Observed::Value(true));
    assert_eq!(two.guest.tools.status, Observed::Absent);
    assert_eq!(two.availability.change_tracking, Observed::Absent);
    let disk = two.disks.items.iter().find(|it| it.label == "sda").unwrap();
    assert_eq!(disk.controller, Observed::Value("scsi (virtio-scsi)".into()));
    assert_eq!(two.attributes.items[0].name, "app:ticket");
    assert!(two.devices.cdroms.items[0].backing.value().unwrap().ends_with("disc.iso"));
}

#[tokio::test]
async fn host_networks_storage_and_filters_are_as_virsh_shows_them() {
    let daemon = daemon!();
    let _turn = turn().await;
    let collection = collected(&target(&daemon.read_only())).await.unwrap();

    let [host] = collection.hosts.as_slice() else { panic!("one host") };
    let info = daemon.table("nodeinfo");
    assert_eq!(host.name, daemon.virsh("hostname").trim());
    assert_eq!(info["Memory size"], format!("{} KiB", host.memory_bytes.value().unwrap() / 1024));
    let cores: u32 = info["Core(s) per socket"].parse().unwrap();
    let sockets: u32 = info["CPU socket(s)"].parse().unwrap();
    assert_eq!(host.cores, Observed::Value(cores * sockets));
    assert_eq!(info["CPU frequency"], format!("{} MHz", host.cpu_mhz.value().unwrap()));
    let version = daemon.virsh("version");
    let qemu = format!("QEMU {}", host.version.value().unwrap());
    assert!(version.contains(&qemu), "{version}");
    let library = format!("libvirt {}", collection.source.version.as_ref().unwrap());
    assert!(version.contains(&library), "{version}");
    let capabilities = daemon.virsh("capabilities");
    let uuid = collection.platforms[0].uuid.value().unwrap();
    assert!(capabilities.contains(&format!("<uuid>{uuid}</uuid>")));

    let networks: BTreeSet<_> = collection.networks.iter().map(|it| it.name.to_string()).collect();
    let mut told = daemon.lines("net-list --all --name");
    assert_eq!(told, BTreeSet::from(["default".into(), "trunk".into()]));
    told.extend(["trunk/web".to_owned(), "trunk/all".to_owned()]);
    assert_eq!(networks, told);
    let web = collection.networks.iter().find(|it| it.name == "trunk/web").unwrap();
    assert_eq!(web.vlan, Observed::Value("42".into()));
    assert!(collection.switches.iter().any(|it| it.name == daemon.bridge()));

    let info = daemon.table("pool-info images --bytes");
    let [pool] = collection.datastores.as_slice() else { panic!("one pool") };
    assert_eq!(pool.name, "images");
    assert_eq!(info["Capacity"], pool.capacity_bytes.value().unwrap().to_string());
    assert_eq!(pool.accessible, Observed::Value(true));
    let paths: BTreeSet<_> =
        daemon.rows("vol-list images").into_iter().map(|mut row| row.remove(1)).collect();
    let volumes = &collection.control.volumes;
    assert_eq!(volumes.iter().map(|it| it.path.to_string()).collect::<BTreeSet<_>>(), paths);
    let one = workload(&collection, "one");
    let image = volumes.iter().find(|it| it.path.ends_with("one.qcow2")).unwrap();
    assert_eq!(image.workload, Observed::Value(one.id.clone()));
    assert_eq!(image.format, Observed::Value("qcow2".into()));
    let owner = |name: &str| {
        let volume = volumes.iter().find(|it| it.path.ends_with(name)).unwrap();
        volume.workload.clone()
    };
    assert_eq!(owner("disc.iso"), Observed::Value(workload(&collection, "two").id.clone()));
    assert_eq!(owner("spare.qcow2"), Observed::Absent, "everything that could use it was read");
    let disc = volumes.iter().find(|it| it.path.ends_with("disc.iso")).unwrap();
    assert_eq!(disc.content, Observed::Value("iso".into()));

    let filters: BTreeSet<_> = collection
        .control
        .policies
        .iter()
        .filter(|it| it.dialect == "libvirt-nwfilter")
        .filter_map(|it| it.name.strip_prefix("filter/").map(str::to_owned))
        .collect();
    let told: BTreeSet<_> =
        daemon.rows("nwfilter-list").into_iter().map(|mut row| row.remove(1)).collect();
    assert_eq!(filters, told);
    let rows = daemon.rows("nwfilter-binding-list");
    let [bound] = rows.as_slice() else { panic!("one binding: {rows:?}") };
    let binding = format!("binding/{}", bound[0]);
    let policy = collection.control.policies.iter().find(|it| it.name == binding).unwrap();
    assert_eq!(policy.scope, format!("vm/{}", one.native_id.value().unwrap()));
    assert!(policy.body.contains("clean-traffic"));
}

#[tokio::test]
async fn every_way_to_the_host_shows_the_same() {
    let daemon = daemon!();
    let _turn = turn().await;
    let expected = collected(&target(&daemon.read_only())).await.unwrap();
    let mut tcp = target(&daemon.tcp("qemu", "system"));
    let mut tls = target(&daemon.tls());
    tls.credentials = daemon.certificate("client");
    tls.trust = Trust::Authority(daemon.pki("cacert.pem"));
    let full = target(&format!("{}&access=full", daemon.unix()));
    for other in [&mut tcp, &mut tls, &mut full.clone()] {
        let collection = collected(other).await.unwrap();
        assert_eq!(failures(&collection), Vec::<&Gap>::new(), "{}", other.address);
        assert_eq!(collection.workloads, expected.workloads, "{}", other.address);
        assert_eq!(collection.control, expected.control, "{}", other.address);
    }
    // The fingerprint that a refusal shows is the one that can be pinned.
    tls.trust = Trust::System;
    let Refusal::NotTrusted { fingerprint, .. } = refused(&tls).await else {
        panic!("not trusted")
    };
    tls.trust = Trust::Pin(fingerprint);
    assert_eq!(collected(&tls).await.unwrap().workloads, expected.workloads);
}

/// `ENTENTE_LIBVIRT_SSH` names an account of this machine, `root@127.0.0.1:2222`, that `ssh` reaches
/// without prompts.
#[tokio::test]
async fn by_ssh_it_shows_the_same() {
    let Ok(account) = std::env::var("ENTENTE_LIBVIRT_SSH") else {
        println!("skipped: ENTENTE_LIBVIRT_SSH names no account that ssh reaches");
        return;
    };
    let daemon = daemon!();
    let _turn = turn().await;
    let socket = daemon.fact("socket_ro");
    let ssh = target(&format!("qemu+ssh://{account}/system?socket={socket}"));
    let expected = collected(&target(&daemon.read_only())).await.unwrap();
    assert_eq!(collected(&ssh).await.unwrap().workloads, expected.workloads);
    let nowhere = target(&format!("qemu+ssh://{account}/system?socket=/nonexistent/socket"));
    assert!(
        matches!(refused(&nowhere).await, Refusal::Unreachable(why) if why.contains("no libvirt socket"))
    );
    let unknown = target("qemu+ssh://no-such-host.invalid/system");
    assert_eq!(refused(&unknown).await, Refusal::NameUnknown);
}

#[tokio::test]
async fn whoever_may_not_enter_is_told_why() {
    let daemon = daemon!();
    let _turn = turn().await;
    let mut tls = target(&daemon.tls());
    tls.trust = Trust::Authority(daemon.pki("cacert.pem"));
    assert!(
        matches!(refused(&tls).await, Refusal::LogInUnsupported(why) if why.contains("wants a client certificate"))
    );
    tls.credentials = daemon.certificate("stranger");
    assert!(
        matches!(refused(&tls).await, Refusal::LogInUnsupported(why) if why.contains("does not accept"))
    );
    tls.credentials = daemon.certificate("client");
    tls.trust = Trust::Authority(daemon.pki("othercert.pem"));
    assert!(matches!(refused(&tls).await, Refusal::NotTrusted { .. }));
    tls.trust = Trust::Pin("00".repeat(32).parse().unwrap());
    assert!(matches!(refused(&tls).await, Refusal::PinDiffers { .. }));
    tls.trust = Trust::Authority(daemon.pki("no-such.pem"));
    assert!(matches!(refused(&tls).await, Refusal::File { .. }));

    let socket = target("qemu+unix:///system?socket=/nonexistent/libvirt-sock");
    assert!(matches!(refused(&socket).await, Refusal::Unreachable(_)));
    let other_driver = target(&daemon.tcp("xen", "system"));
    assert!(matches!(refused(&other_driver).await, Refusal::NotThisPlatform { .. }));
    // A TLS client at a port in clear text, and the other way round.
    let address = daemon.tcp("qemu", "system").replace("+tcp", "+tls");
    assert!(!matches!(refused(&target(&address)).await, Refusal::Cancelled));
    let address = daemon.tls().replace("+tls", "+tcp");
    let mut hasty = target(&address);
    hasty.limits.idle_seconds = 2;
    assert!(!matches!(refused(&hasty).await, Refusal::Cancelled));
}

#[tokio::test]
async fn a_password_is_sent_over_tls_and_never_in_clear_text() {
    let daemon = match Daemon::with_password("plain") {
        Ok(daemon) => daemon,
        Err(why) => {
            println!("skipped: {why}");
            return;
        }
    };
    let as_user = |password: &str| Credentials::Password {
        user: daemon.fact("user").into(),
        password: Secret::new(password.to_owned()),
    };
    let mut tls = target(&daemon.tls());
    tls.trust = Trust::Authority(daemon.pki("cacert.pem"));
    assert!(matches!(refused(&tls).await, Refusal::LogInUnsupported(why) if why.contains("SASL")));
    tls.credentials = as_user("not this one");
    assert_eq!(refused(&tls).await, Refusal::WrongCredentials);
    tls.credentials = as_user(daemon.fact("password"));
    assert_eq!(checked(&tls).await.unwrap().account, daemon.fact("user"));
    assert_eq!(collected(&tls).await.unwrap().hosts.len(), 1);
}

#[tokio::test]
async fn a_password_is_proved_and_not_sent_where_the_daemon_offers_that() {
    for mechanism in ["scram-sha-256", "scram-sha-1"] {
        let daemon = match Daemon::with_password(mechanism) {
            Ok(daemon) => daemon,
            Err(why) => {
                println!("skipped: {why}");
                return;
            }
        };
        let as_user = |password: &str| Credentials::Password {
            user: daemon.fact("user").into(),
            password: Secret::new(password.to_owned()),
        };
        let mut tls = target(&daemon.tls());
        tls.trust = Trust::Authority(daemon.pki("cacert.pem"));
        tls.credentials = as_user("not this one");
        assert_eq!(refused(&tls).await, Refusal::WrongCredentials, "{mechanism}");
        tls.credentials = as_user(daemon.fact("password"));
        assert_eq!(collected(&tls).await.unwrap().hosts.len(), 1, "{mechanism}");
    }
}

#[tokio::test]
async fn check_tells_version_account_and_rights() {
    let daemon = daemon!();
    let _turn = turn().await;
    let report = checked(&target(&daemon.tcp("qemu", "system"))).await.unwrap();
    assert!(report.version.contains("(QEMU "), "{}", report.version);
    assert_eq!(report.account, "anonymous");
    assert!(report.notes.iter().any(|it| it.contains("clear text")));
    let rights: Vec<_> = report.rights.iter().map(|it| it.0).collect();
    assert_eq!(rights, connector().rights());
    let state = |name: &str| &report.rights.iter().find(|it| it.0.name == name).unwrap().1;
    for name in ["connect.read", "domain.read", "network.read", "storage-vol.read", "nwfilter.read"]
    {
        assert_eq!(*state(name), RightState::Held, "{name}");
    }
    assert!(matches!(state("domain.getattr"), RightState::Unknown(_)));
    assert!(matches!(state("read-write connection"), RightState::Lacking(_)));
    let report = checked(&target(&format!("{}&access=full", daemon.unix()))).await.unwrap();
    let (right, state) = report.rights.last().unwrap();
    assert_eq!((right.name, state), ("read-write connection", &RightState::Held));
}

#[tokio::test]
async fn libvirts_test_driver_is_read_as_virsh_shows_it() {
    let daemon = daemon!();
    let _turn = turn().await;
    let address = daemon.tcp("test", "default");
    let collection = collected(&target(&address)).await.unwrap();
    let virsh = |command: &str| daemon.virsh_at(&address, command);
    let lines = |command: &str| daemon::lines(&virsh(command));
    let names: BTreeSet<_> = collection.workloads.iter().map(|it| it.name.to_string()).collect();
    assert_eq!(names, lines("list --all --name"));
    let [test] = collection.workloads.as_slice() else { panic!("it has one domain") };
    assert_eq!(test.native_id.value().unwrap(), virsh("domuuid test").trim());
    assert_eq!(test.cpu.count, Observed::Value(2));
    assert_eq!(test.memory.size_bytes, Observed::Value(8 << 30));
    let networks: BTreeSet<_> = collection.networks.iter().map(|it| it.name.to_string()).collect();
    assert_eq!(networks, lines("net-list --all --name"));
    let pools: BTreeSet<_> = collection.datastores.iter().map(|it| it.name.to_string()).collect();
    assert_eq!(pools, lines("pool-list --all --name"));
    // It has neither filters nor, for remote clients, everything else: nothing that would alarm.
    let alarming = |it: &&Gap| {
        matches!(
            it.cause,
            GapCause::UnreadableValue | GapCause::UnknownValue | GapCause::NoPermission
        ) && it.place.field.as_deref() != Some("guest agent")
    };
    let alarming: Vec<_> = collection.gaps.iter().filter(alarming).collect();
    assert_eq!(alarming, Vec::<&Gap>::new());
}

#[tokio::test]
async fn a_stopped_run_is_a_collection_with_that_gap() {
    let daemon = daemon!();
    let _turn = turn().await;
    let target = target(&daemon.read_only());
    let (cancel, traffic) = (Cancel::new(), Traffic::default());
    struct StopAfterHost(Cancel);
    impl Watch for StopAfterHost {
        fn section(&self, _: &str, _: &str, _: u64, _: usize, _: usize) {
            self.0.cancel();
        }
    }
    let watch = StopAfterHost(cancel.clone());
    let run = Run { target: &target, watch: &watch, cancel: &cancel, traffic: &traffic };
    let collection = connector().collect(run).await.unwrap();
    assert_eq!(collection.hosts.len(), 1);
    assert!(collection.gaps.iter().any(|it| it.cause == GapCause::Cancelled));
    assert!(matches!(&target.credentials, Credentials::None));
}
