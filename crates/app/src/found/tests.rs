//! One workload through its sources and moves: what is told of it, and that it is found without all others.

use entente_identity::Choice;
use entente_model::{Collection, Moment, Observed, PowerState, SourceId};
use entente_store::query::{Datum, QueryLimits};
use entente_store::{Address, AsOf, ChangeKind, ChangesOf};
use entente_twins::{EstateSpec, generate};
use tempfile::TempDir;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::remembered::Memory;

const START: OffsetDateTime = datetime!(2026-03-01 06:00 UTC);

struct World {
    memory: Memory,
    _folder: TempDir,
}

async fn empty() -> World {
    let folder = TempDir::new().unwrap();
    let address = Address::File(folder.path().join("entente.db"));
    World { memory: Memory::open(&address).await.unwrap(), _folder: folder }
}

fn day(number: i64) -> OffsetDateTime {
    START + Duration::days(number)
}

fn vcenter(workloads: u32) -> Collection {
    let spec = EstateSpec { workloads, vcenters: 1, ..EstateSpec::default() };
    let mut seen = generate(&spec).remove(0);
    (seen.gaps, seen.findings) = (Vec::new(), Vec::new());
    seen
}

/// The same under another platform's name.
fn on(seen: &Collection, platform: &str) -> Collection {
    let old = seen.platforms[0].id.to_string();
    let text = serde_json::to_string(seen).unwrap();
    let text = text.replace(&format!("\"{old}/"), &format!("\"{platform}/"));
    let text =
        text.replace(&format!("\"platform\":\"{old}\""), &format!("\"platform\":\"{platform}\""));
    let mut on: Collection = serde_json::from_str(&text).unwrap();
    on.platforms[0].id = platform.parse().unwrap();
    on
}

async fn put(memory: &Memory, seen: &Collection, connector: &str, at: i64) {
    let mut seen = seen.clone();
    if connector == "rvtools" {
        seen.control = entente_model::ControlPlane::default();
    }
    seen.source.connector = connector.into();
    seen.source.id = format!("{connector}-{}", seen.platforms[0].id).parse::<SourceId>().unwrap();
    seen.source.taken = Some(Moment::Utc(day(at)));
    memory.put(seen).await.unwrap();
}

/// A vCenter from which the machine of this number goes to another platform on the third day.
async fn moved(number: usize) -> (World, String, String) {
    let world = empty().await;
    let mut source = vcenter(30);
    let mut target = on(&source, "pve");
    target.platforms[0].uuid = Observed::Absent;
    let mut machine = target.workloads.remove(number);
    target.workloads.clear();
    for at in 0..2 {
        put(&world.memory, &source, "vsphere", at).await;
        put(&world.memory, &target, "proxmox", at).await;
    }
    let before = source.workloads.remove(number).id.to_string();
    machine.id = "pve/101".parse().unwrap();
    machine.native_id = Observed::Value("101".into());
    machine.instance_uuid = Observed::Absent;
    target.workloads.push(machine);
    for at in 2..4 {
        put(&world.memory, &source, "vsphere", at).await;
        put(&world.memory, &target, "proxmox", at).await;
    }
    (world, before, "pve/101".to_owned())
}

/// A machine that a move keeps the BIOS UUID and addresses of.
fn knowable(seen: &Collection) -> usize {
    let is_known = |it: &&entente_model::Workload| {
        it.kind == entente_model::WorkloadKind::Machine
            && it.bios_uuid.value().is_some()
            && it.nics.iter().any(|nic| nic.mac.value().is_some())
            && seen.workloads.iter().filter(|other| other.bios_uuid == it.bios_uuid).count() == 1
            && seen.workloads.iter().filter(|other| other.name == it.name).count() == 1
    };
    seen.workloads.iter().position(|it| is_known(&it)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_one_change_and_one_history_by_any_of_its_names() {
    let (world, before, after) = moved(knowable(&vcenter(30))).await;
    let memory = &world.memory;
    let changes = memory.changes(&ChangesOf::default()).await.unwrap();
    let told: Vec<_> = changes.iter().filter(|it| it.change.kind == "workloads").collect();
    assert_eq!(told.len(), 1, "{told:#?}");
    let step = told[0];
    assert_eq!((step.change.change, &step.change.id), (ChangeKind::Moved, &after));
    assert_eq!((step.change.after, step.change.seen), (Some(day(1)), day(2)));
    let moved = step.moved.as_ref().unwrap();
    assert_eq!(moved.from.id, before);
    assert!(!moved.evidence.is_empty());
    let name = step.change.name.clone().unwrap();
    for term in [&before, &after, &name, "101"] {
        let history = memory.history(term, &ChangesOf::default()).await.unwrap();
        assert_eq!(history.len(), 1, "{term}: {history:#?}");
        assert_eq!(history[0].change.change, ChangeKind::Moved);
        let shown = memory.show(term, AsOf::Latest).await.unwrap();
        assert_eq!(shown.id, after, "{term}");
        let ids: Vec<&str> = shown.history.iter().map(|it| it.member.id.as_str()).collect();
        assert_eq!(ids, [before.as_str(), after.as_str()]);
        assert_eq!(shown.history[0].member.last, Some(day(1)));
        assert!(!shown.history[1].evidence.is_empty());
    }
    // Then, it was where it was then.
    let shown = memory.show(&name, AsOf::Time(day(1))).await.unwrap();
    assert_eq!((shown.id, shown.history.len()), (before.clone(), 2));
    let estate = memory.estate(AsOf::Latest).await.unwrap().0;
    let here: Vec<&str> =
        estate.workloads.iter().filter(|it| it.name == name).map(|it| it.id.as_str()).collect();
    assert_eq!(here, [after.as_str()]);
    // A person who says that they are two has the last word.
    let keys = [format!("vsphere:{before}"), format!("proxmox:{after}")];
    memory.decide(Choice::Unlink, (&keys[0], &keys[1]), "owner", "two", day(5)).await.unwrap();
    let changes = memory.changes(&ChangesOf::default()).await.unwrap();
    let mut kinds: Vec<ChangeKind> = changes
        .iter()
        .filter(|it| it.change.kind == "workloads")
        .map(|it| it.change.change)
        .collect();
    kinds.sort();
    assert_eq!(kinds, [ChangeKind::Appeared, ChangeKind::Gone]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_an_old_export_shows_is_where_it_moved_to() {
    let world = empty().await;
    let mut seen = vcenter(12);
    seen.platforms[0].uuid = Observed::Value("the-old-vcenter".into());
    let number = knowable(&seen);
    put(&world.memory, &seen, "rvtools", 0).await;
    let mut target = on(&seen, "pve");
    target.platforms[0].uuid = Observed::Absent;
    target.workloads = vec![target.workloads.remove(number)];
    target.workloads[0].native_id = Observed::Value("101".into());
    target.workloads[0].id = "pve/101".parse().unwrap();
    target.workloads[0].instance_uuid = Observed::Absent;
    put(&world.memory, &target, "proxmox", 30).await;
    let estate = world.memory.estate(AsOf::Latest).await.unwrap().0;
    assert_eq!(estate.workloads.len(), 12);
    let name = &target.workloads[0].name;
    assert!(estate.workloads.iter().any(|it| it.name == *name && it.id.as_str() == "pve/101"));
    let shown = world.memory.show(name, AsOf::Latest).await.unwrap();
    assert_eq!((shown.id.as_str(), shown.sightings.len(), shown.history.len()), ("pve/101", 1, 2));
    let then = world.memory.estate(AsOf::Time(day(10))).await.unwrap().0;
    assert!(then.workloads.iter().all(|it| it.id.as_str() != "pve/101"));
    assert_eq!(then.workloads.len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_registered_again_has_moved_to_another_id() {
    let world = empty().await;
    let mut seen = vcenter(20);
    put(&world.memory, &seen, "vsphere", 0).await;
    let again = &mut seen.workloads[knowable(&vcenter(20))];
    let before = again.id.to_string();
    again.id = format!("{}/vm-99999", again.platform).parse().unwrap();
    again.native_id = Observed::Value("vm-99999".into());
    let after = again.id.to_string();
    put(&world.memory, &seen, "vsphere", 1).await;
    let changes = world.memory.changes(&ChangesOf::default()).await.unwrap();
    let told: Vec<_> = changes.iter().filter(|it| it.change.kind == "workloads").collect();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!((&told[0].change.id, &told[0].moved.as_ref().unwrap().from.id), (&after, &before));
    assert_eq!(world.memory.show(&before, AsOf::Latest).await.unwrap().id, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_that_disagree_are_shown_with_both_values_and_found_in_sql() {
    let world = empty().await;
    let memory = &world.memory;
    let mut seen = vcenter(25);
    seen.platforms[0].uuid = Observed::Value("one-vcenter".into());
    let number = knowable(&seen);
    let mut told = on(&seen, "one-vcenter");
    told.workloads[number].power = Observed::Value(PowerState::Suspended);
    put(memory, &seen, "vsphere", 0).await;
    put(memory, &told, "rvtools", 1).await;
    let count = async || memory.estate(AsOf::Latest).await.unwrap().0;
    let estate = count().await;
    assert_eq!((estate.workloads.len(), estate.seen_by.len()), (25, 25));
    // Nothing was read since: what differs may have changed.
    assert!(!estate.findings.iter().any(|it| it.code == "ENT-0211"), "{:#?}", estate.findings);
    put(memory, &seen, "vsphere", 2).await;
    let estate = count().await;
    let found: Vec<_> = estate.findings.iter().filter(|it| it.code == "ENT-0211").collect();
    let id = seen.workloads[number].id.to_string();
    assert_eq!(found.iter().map(|it| it.subject.as_str()).collect::<Vec<_>>(), [id.as_str()]);
    let shown = memory.show(&id, AsOf::Latest).await.unwrap();
    assert_eq!((shown.sightings.len(), shown.conflicts.len()), (2, 1));
    let power = shown.differences.iter().find(|it| it.field == "power").unwrap();
    assert_eq!(power.stands, serde_json::to_value(&seen.workloads[number].power).unwrap());
    assert_eq!(power.told.len(), 2);
    let sql = "select subject from findings where code = 'ENT-0211'";
    for as_of in [AsOf::Latest, AsOf::Time(day(2)), AsOf::Time(day(1))] {
        let limits = QueryLimits::usual(day(3));
        let rows = memory.query(sql, as_of, &limits).await.unwrap().rows;
        let expected = match as_of {
            AsOf::Time(at) if at == day(1) => Vec::new(),
            _ => vec![vec![Datum::Text(id.clone())]],
        };
        assert_eq!(rows, expected, "{as_of:?}");
    }
    // Parted by a person, the export's is a machine of its own: gone, says the later log-in.
    let keys = [format!("vsphere:{id}"), format!("rvtools:{}", told.workloads[number].id)];
    memory.decide(Choice::Unlink, (&keys[0], &keys[1]), "owner", "two", day(5)).await.unwrap();
    let estate = count().await;
    assert_eq!((estate.workloads.len(), estate.seen_by.len()), (25, 24));
    assert!(!estate.findings.iter().any(|it| it.code == "ENT-0211"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_and_its_manager_show_one_machine_once() {
    let world = empty().await;
    let seen = vcenter(25);
    let number = knowable(&seen);
    let host = seen.workloads[number].placement.host.value().unwrap().clone();
    let full = |collection: &mut Collection| {
        let host = collection
            .hosts
            .iter_mut()
            .find(|it| it.id.as_str().ends_with(host.native(&seen.platforms[0].id)))
            .unwrap();
        host.name = "esx-7.corp.example".into();
    };
    let mut manager = seen.clone();
    full(&mut manager);
    let mut own = on(&manager, "esx-7");
    own.platforms[0].uuid = Observed::Absent;
    own.workloads = vec![own.workloads.remove(number)];
    own.workloads[0].id = "esx-7/12".parse().unwrap();
    own.workloads[0].native_id = Observed::Value("12".into());
    put(&world.memory, &manager, "vsphere", 0).await;
    put(&world.memory, &own, "vsphere", 0).await;
    let estate = world.memory.estate(AsOf::Latest).await.unwrap().0;
    assert_eq!((estate.workloads.len(), estate.seen_by.len()), (25, 1), "{:?}", estate.seen_by);
    let shown = world.memory.show("esx-7/12", AsOf::Latest).await.unwrap();
    assert_eq!(shown.sightings.len(), 2);
    let told = world.memory.changes(&ChangesOf::default()).await.unwrap();
    assert!(told.iter().all(|it| it.change.change != ChangeKind::Moved));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_is_found_with_the_sightings_that_all_lives_together_give() {
    let (world, ..) = moved(knowable(&vcenter(30))).await;
    let mut export = on(&vcenter(30), "export");
    export.platforms[0].uuid = vcenter(30).platforms[0].uuid.clone();
    put(&world.memory, &export, "rvtools", 1).await;
    let all = world.memory.identities().await.unwrap();
    assert!(all.correlation.identities.iter().any(|it| it.sightings.len() == 3));
    for (key, member) in &all.members {
        let found = match world.memory.find(&member.id).await {
            Ok(found) => found.identity,
            Err(error) => panic!("{key}: {error}"),
        };
        let whole = all.correlation.identity(&found.id).unwrap();
        assert_eq!(found.sightings, whole.sightings, "{key}");
    }
    let unknown = world.memory.find("no such machine").await;
    assert!(unknown.is_err_and(|it| it.code() == "ENT-0412"));
}
