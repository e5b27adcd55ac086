//! Following a real daemon: changes of its guests, and what happens while nobody is connected.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use entente_connect::connector::Watch;
use entente_connect::live::{Cancel, Change, Run, Traffic};
use entente_model::{Observed, PowerState};

use super::daemon::{Daemon, Way, target, turn};
use super::{collected, connector, workload};

/// Tells when following has begun.
struct Ready(mpsc::Sender<()>);

impl Watch for Ready {
    fn section(&self, _: &str, section: &str, _: u64, _: usize, _: usize) {
        if section == "events" {
            // Nobody listens any more when the test has failed already.
            let _ = self.0.send(());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_arrives_and_only_its_domain_is_read_again() {
    let daemon = daemon!();
    let _turn = turn().await;
    daemon.define("three", "");
    let (ready, is_ready) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    let cancel = Cancel::new();
    let traffic = Arc::new(Traffic::default());
    let following = {
        let (target, cancel, traffic) =
            (target(&daemon.read_only()), cancel.clone(), traffic.clone());
        tokio::spawn(async move {
            let watch = Ready(ready);
            let run = Run { target: &target, watch: &watch, cancel: &cancel, traffic: &traffic };
            let mut changed = |change| tell.send(change).expect("the test listens");
            connector().follow(run, &mut changed).expect("it can be followed").await
        })
    };
    let patience = Duration::from_secs(60);
    is_ready.recv_timeout(patience).expect("following begins");
    let before = traffic.calls();
    let read = |expected: PowerState| {
        // Starting alone is told in several events.
        loop {
            let Change::Read(collection) = told.recv_timeout(patience).expect("a change") else {
                panic!("it is not removed");
            };
            let [workload] = collection.workloads.as_slice() else { panic!("one domain") };
            assert_eq!(workload.name, "three");
            assert!(collection.hosts.is_empty() && collection.networks.is_empty());
            assert!(workload.disks.is_complete());
            if workload.power == Observed::Value(expected) {
                return workload.clone();
            }
        }
    };
    daemon.virsh("start three");
    read(PowerState::On);
    daemon.virsh("suspend three");
    read(PowerState::Suspended);
    daemon.virsh("resume three");
    let resumed = read(PowerState::On);
    let full = collected(&target(&daemon.read_only())).await.unwrap();
    assert_eq!(&resumed, workload(&full, "three"), "read alone as read with all");
    daemon.virsh("destroy three");
    read(PowerState::Off);
    daemon.virsh("undefine three");
    let removed = loop {
        match told.recv_timeout(patience).expect("it is removed") {
            Change::Read(_) => {}
            Change::WorkloadRemoved { native_id } => break native_id,
        }
    };
    assert_eq!(Observed::Value(removed), resumed.native_id);
    cancel.cancel();
    following.await.unwrap().unwrap();
    assert!(traffic.calls() > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_while_the_connection_is_lost_is_not_missed() {
    let daemon = daemon!();
    let _turn = turn().await;
    daemon.define("four", "");
    let id = daemon.virsh("domuuid four").trim().to_owned();
    let way = Way::to(daemon.fact("tcp")).await;
    let (ready, is_ready) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    let cancel = Cancel::new();
    let following = {
        let (target, cancel) =
            (target(&format!("qemu+tcp://{}/system", way.address)), cancel.clone());
        tokio::spawn(async move {
            let (watch, traffic) = (Ready(ready), Traffic::default());
            let run = Run { target: &target, watch: &watch, cancel: &cancel, traffic: &traffic };
            let mut changed = |change| tell.send(change).expect("the test listens");
            connector().follow(run, &mut changed).expect("it can be followed").await
        })
    };
    let patience = Duration::from_secs(60);
    is_ready.recv_timeout(patience).expect("following begins");
    way.cut();
    daemon.virsh("domrename four five");
    daemon.define("six", "");
    way.mend();
    let Change::Read(all) = told.recv_timeout(patience).expect("a change") else {
        panic!("nothing is removed");
    };
    let names: BTreeSet<_> = all.workloads.iter().map(|it| it.name.to_string()).collect();
    assert_eq!(names, daemon.lines("list --all --name"));
    assert_eq!(workload(&all, "five").native_id, Observed::Value(id.as_str().into()));
    // It goes on over the new connection: with events of life, and with those of devices.
    daemon.virsh("undefine six");
    let removed = |expected: &dyn Fn(&str) -> bool| loop {
        match told.recv_timeout(patience).expect("it is removed") {
            Change::WorkloadRemoved { native_id } if expected(&native_id) => break,
            Change::WorkloadRemoved { native_id } => panic!("{native_id} is not removed"),
            Change::Read(_) => {}
        }
    };
    removed(&|it| it != id);
    daemon.virsh("desc five --title --config renamed");
    loop {
        let Change::Read(collection) = told.recv_timeout(patience).expect("it has a title") else {
            panic!("nothing is removed");
        };
        if workload(&collection, "five").annotation == Observed::Value("renamed".into()) {
            break;
        }
    }
    daemon.virsh("undefine five");
    removed(&|it| it == id);
    cancel.cancel();
    following.await.unwrap().unwrap();
}
