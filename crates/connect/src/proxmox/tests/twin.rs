//! Against the twin: what a generated estate holds comes back, whole or with its gaps.

use std::collections::BTreeMap;
use std::sync::Arc;

use entente_model::{
    AttachmentKind, Collection, GapCause, Moment, Observed, PowerState, ProtectionKind, Workload,
    WorkloadKind,
};
use entente_twins::live::proxmox::{
    PASSWORD, TENANT, TENANT_PASSWORD, TOKEN_ID, TOKEN_SECRET, TWIN, USER,
};
use entente_twins::live::{Fault, PlatformTwin, Served, Setup};
use entente_twins::{EstateSpec, generate};

use super::replay::{collect, gaps, has_gap, password, target};
use crate::connector::Unwatched;
use crate::live::{Cancel, Credentials, Live, Refusal, RightState, Run, Secret, Traffic};
use crate::proxmox::CONNECTOR;

fn world(workloads: u32) -> Arc<Collection> {
    let spec = EstateSpec { workloads, vcenters: 1, ..EstateSpec::default() };
    Arc::new(generate(&spec).remove(0))
}

async fn serve(world: &Arc<Collection>, setup: Setup) -> Served {
    TWIN.serve(world.clone(), setup).await.unwrap()
}

/// A target whose days are those of the world.
fn target_of(served: &Served, credentials: Credentials) -> crate::live::Target {
    let mut target = target(&served.address, credentials);
    target.taken = Moment::Utc(EstateSpec::default().taken.assume_utc());
    target
}

fn token() -> Credentials {
    Credentials::Token { id: TOKEN_ID.into(), secret: Secret::new(TOKEN_SECRET.to_owned()) }
}

/// Power, processors, memory, capacities of disks, hardware addresses.
type Essence = (Option<PowerState>, Option<u32>, Option<u64>, Vec<u64>, Vec<String>);

/// What must survive of a workload.
fn essence(it: &Workload) -> Essence {
    let mut capacities: Vec<u64> =
        it.disks.iter().filter_map(|it| it.capacity_bytes.copied()).collect();
    capacities.sort_unstable();
    let mut macs: Vec<String> =
        it.nics.iter().filter_map(|it| it.mac.value()).map(|it| it.to_lowercase()).collect();
    macs.sort_unstable();
    (it.power.copied(), it.cpu.count.copied(), it.memory.size_bytes.copied(), capacities, macs)
}

#[tokio::test]
async fn every_workload_of_the_estate_comes_back() {
    let world = world(300);
    let served = serve(&world, Setup::default()).await;
    let collection = collect(&target_of(&served, token())).await.unwrap();
    assert_eq!(collection.workloads.len(), world.workloads.len());
    let found: BTreeMap<&str, &Workload> = collection
        .workloads
        .iter()
        .map(|it| (it.native_id.value().unwrap().as_str(), it))
        .collect();
    for (vmid, expected) in (100..).zip(&world.workloads) {
        let workload = found[vmid.to_string().as_str()];
        assert_eq!(workload.name, expected.name);
        assert_eq!(essence(workload), essence(expected), "{}", expected.name);
    }
    for kind in [WorkloadKind::Template, WorkloadKind::Container, WorkloadKind::Machine] {
        assert!(collection.workloads.iter().any(|it| it.kind == kind), "{kind:?}");
    }
    let bad: Vec<String> =
        gaps(&collection).into_iter().filter(|it| !it.starts_with("unknown-field")).collect();
    assert_eq!(bad, [""; 0]);
    assert!(collection.workloads.iter().all(|it| it.disks.is_complete() && it.nics.is_complete()));
    let addresses =
        collection.workloads.iter().filter(|it| it.guest.primary_address.value().is_some());
    assert!(addresses.count() > 100);
}

#[tokio::test]
async fn the_control_plane_comes_with_them() {
    let served = serve(&world(120), Setup::default()).await;
    let collection = collect(&target_of(&served, token())).await.unwrap();
    let control = &collection.control;
    assert!(
        control
            .principals
            .iter()
            .any(|it| it.name == "backup@pve!nightly" && it.restricted == Observed::Value(true))
    );
    let former = control.principals.iter().find(|it| it.name == "former@pve").unwrap();
    assert_eq!(former.enabled, Observed::Value(false));
    assert!(
        control
            .roles
            .iter()
            .any(|it| it.name == "PVEAuditor" && it.builtin == Observed::Value(true))
    );
    assert!(
        control.grants.iter().any(|it| it.scope == "/vms" && it.principal == "backup@pve!nightly")
    );
    assert_eq!(control.placement_rules.len(), 2);
    let nightly =
        control.protection_jobs.iter().find(|it| it.native_id == "backup-nightly").unwrap();
    let left_out = (100..220).filter(|it| it % 17 == 0).count();
    assert_eq!(nightly.workloads.items.len(), 120 - left_out);
    assert!(nightly.workloads.is_complete());
    assert!(!nightly.details.values().any(|it| it.contains('@')), "{:?}", nightly.details);
    assert_eq!(collection.findings[0].code, "ENT-0209");
    assert!(collection.findings[0].message.starts_with(&format!("{left_out} guests")));
    let replicated =
        control.protection_jobs.iter().find(|it| it.kind == ProtectionKind::Replication).unwrap();
    assert_eq!(replicated.details["fail_count"], "0");
    let scopes = |scope: &str, name: &str| {
        control
            .policies
            .iter()
            .find(|it| it.scope == scope && it.name == name)
            .map(|it| it.body.as_str())
    };
    assert!(scopes("cluster", "group/web").unwrap().contains("HTTPS"));
    assert!(scopes("vm/102", "options").unwrap().contains("\"enable\":1"));
    assert!(scopes("vm/102", "ipset/peers").is_some());
    // Its interfaces ask for the firewall, but it is off: there is nothing more to read.
    assert!(scopes("vm/105", "options").is_some() && scopes("vm/105", "rules").is_none());
    assert_eq!(scopes("vm/100", "options"), None);
    assert!(scopes("vm/100", "interfaces").unwrap().contains("\"firewall\":false"));
    let keys = collection.licences.iter().map(|it| format!("{it:?}")).collect::<String>();
    assert!(!collection.licences.is_empty() && !keys.contains("pve2s-"));
    let backup = control
        .attachments
        .iter()
        .find(|it| it.kind == AttachmentKind::TaskInitiator && it.name == "backup@pve!nightly");
    assert!(backup.unwrap().count.copied().unwrap() > 10);
    assert!(control.activities.iter().all(|it| it.outcome.value().is_some()));
    assert!(collection.networks.iter().any(|it| it.name == "vnet0" && it.vlan.value().is_some()));
    assert!(!collection.networks.iter().any(|it| it.name == "planned"));
    assert!(collection.source.sections["workloads"].mapped == 120);
}

#[tokio::test]
async fn what_is_hidden_is_said() {
    let world = world(60);
    let served = serve(&world, Setup::default()).await;
    let collection = collect(&target_of(&served, password(TENANT, TENANT_PASSWORD))).await.unwrap();
    assert_eq!(collection.workloads.len(), 30);
    for section in ["workloads", "datastores", "principals", "grants", "hosts"] {
        assert!(
            has_gap(&collection, GapCause::NoPermission, section),
            "{section}: {:#?}",
            gaps(&collection)
        );
    }
    assert!(collection.hosts.iter().all(|it| it.memory_bytes.why().is_some()));
    let served = serve(&world, Setup::with(Fault::Filtered)).await;
    let collection = collect(&target_of(&served, token())).await.unwrap();
    assert!(has_gap(&collection, GapCause::NoPermission, "workloads"));
    assert!(
        gaps(&collection).iter().any(|it| it.contains("name are not shown to the account")),
        "{:#?}",
        gaps(&collection)
    );
    let nightly =
        collection.control.protection_jobs.iter().find(|it| it.native_id == "backup-nightly");
    assert!(!nightly.unwrap().workloads.is_complete());
}

#[tokio::test]
async fn a_ticket_that_ends_is_renewed() {
    let world = world(40);
    let served = serve(&world, Setup::with(Fault::ExpireSession { after_calls: 60 })).await;
    let collection = collect(&target_of(&served, password(USER, PASSWORD))).await.unwrap();
    assert_eq!(collection.workloads.len(), 40);
    assert!(!has_gap(&collection, GapCause::NoPermission, "workloads"), "{:#?}", gaps(&collection));
}

#[tokio::test]
async fn what_there_was_no_time_for_is_told_for_each_list() {
    let served = serve(&world(40), Setup::with(Fault::Stall)).await;
    let mut target = target_of(&served, token());
    target.limits.idle_seconds = 600;
    target.limits.collection_seconds = 1;
    let (cancel, traffic) = (Cancel::new(), Traffic::default());
    let run = Run { target: &target, watch: &Unwatched, cancel: &cancel, traffic: &traffic };
    let collection = crate::live::collect(&CONNECTOR, run).await.unwrap();
    let over = "the time for a whole collection was over before this was read";
    let over: Vec<_> = collection.gaps.iter().filter(|it| it.message == over).collect();
    let sections: Vec<_> = over.iter().filter_map(|it| it.place.section.as_deref()).collect();
    assert_eq!(sections.len(), over.len());
    for section in ["workloads", "hosts", "protection_jobs", "networks", "datastores"] {
        assert!(sections.contains(&section), "{section}: {:#?}", gaps(&collection));
    }
    assert!(!sections.contains(&""));
}

#[tokio::test]
async fn a_thousand_guests_take_a_few_calls_each() {
    let served = serve(&world(1_000), Setup::default()).await;
    let target = target_of(&served, token());
    let (cancel, traffic) = (Cancel::new(), Traffic::default());
    let run = Run { target: &target, watch: &Unwatched, cancel: &cancel, traffic: &traffic };
    let started = std::time::Instant::now();
    let collection = CONNECTOR.collect(run).await.unwrap();
    println!(
        "{} calls, {} bytes, {:?}",
        traffic.calls(),
        traffic.bytes_received(),
        started.elapsed()
    );
    assert_eq!(collection.workloads.len(), 1_000);
    let per_node = 12 + collection.datastores.len() as u64;
    let around = 60 + per_node * collection.hosts.len() as u64;
    assert!(traffic.calls() < around + 10 * 1_000, "{} calls", traffic.calls());
}

#[tokio::test]
async fn a_check_tells_each_right() {
    let served = serve(&world(10), Setup::default()).await;
    let check = async |credentials| {
        let target = target_of(&served, credentials);
        let (cancel, traffic) = (Cancel::new(), Traffic::default());
        let run = Run { target: &target, watch: &Unwatched, cancel: &cancel, traffic: &traffic };
        CONNECTOR.check(run).await
    };
    let report = check(token()).await.unwrap();
    assert_eq!(
        (report.account.as_str(), report.version.as_str()),
        (TOKEN_ID, "9.1.5 (80cf92a64bef6889)")
    );
    assert!(
        report.rights.iter().all(|(_, state)| *state == RightState::Held),
        "{:?}",
        report.rights
    );
    let report = check(password(TENANT, TENANT_PASSWORD)).await.unwrap();
    assert!(report.rights.iter().all(|(_, state)| *state != RightState::Held));
    let wrong = Credentials::Token { id: TOKEN_ID.into(), secret: Secret::new("x".to_owned()) };
    assert_eq!(check(wrong).await.unwrap_err().reason, Refusal::WrongCredentials);
    let nameless = check(password("root", "x")).await.unwrap_err().reason;
    assert!(matches!(nameless, Refusal::LogInUnsupported(_)), "{nameless:?}");
}
