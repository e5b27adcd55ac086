//! Calls → wire values: in which order things are read, and what happens when one of them fails.

mod check;
mod follow;
mod gaps;
mod history;
mod objects;
mod policies;
mod properties;
mod session;
mod tags;

use std::collections::HashMap;
use std::sync::Arc;

use entente_model::{Collection, GapCause, Tally, Text, Why};

use super::map::{self, Inventory, Machines, Managers, WORKLOADS};
use super::wire::{Call, Paths, Target, Tree, infrastructure, workloads};
use crate::connector::source_limits;
use crate::live::{ConnectError, Found, Gaps, Run};
use crate::vsphere::{LIMITS, LIMITS_OF_A_HOST, NAME};
pub(super) use check::{check, rights};
pub(super) use follow::follow;
use gaps::call_failed;
pub(super) use objects::Kept;
use objects::{Query, Which, objects};
pub use properties::{PropertiesRead, Property, properties};
use session::Session;
pub(super) use session::{ADDRESS_FORM, About, ObjectSink};

/// Steps that somebody who watches sees.
const STEPS: usize = 7;

/// Reads everything, until cancelled.
pub(super) async fn collect(run: Run<'_>) -> Result<Collection, ConnectError> {
    let session = Session::open(run).await.map_err(|reason| run.refused(reason))?;
    let collection = read(&session).await;
    session.close().await;
    Ok(collection)
}

/// An empty collection of this session's platform.
fn begin(session: &Session<'_>) -> Collection {
    let target = session.run.target;
    let version = &session.about.version;
    let version = Some(version.clone()).filter(|it| !it.is_empty());
    let mut limits = source_limits(LIMITS);
    if !session.about.is_vcenter {
        limits.extend(source_limits(LIMITS_OF_A_HOST));
    }
    let mut collection = Collection::empty(target.source(NAME, version, limits));
    map::platform(&mut collection, target, &session.about);
    collection
}

async fn read(session: &Session<'_>) -> Collection {
    let mut gaps = Gaps::default();
    let mut collection = begin(session);
    let watched = |section: &str, rows: usize, done: usize| {
        let platform = session.run.target.id.as_str();
        session.run.watch.section(platform, section, rows as u64, done, STEPS);
    };

    let lacking = check::lacking(session, &mut gaps).await;
    let kept_managers = read_managers(session, &mut gaps).await;
    let managers = Managers { kept: &kept_managers, about: &session.about };
    map::managers(&mut collection, &managers, session.key().as_deref(), &mut gaps);
    watched("roles", collection.control.roles.len(), 1);

    let kept = read_infrastructure(session, &mut gaps).await;
    let mut inventory = inventory(session, &collection, &kept, &managers, lacking);
    map::infrastructure(&mut collection, &kept, &mut inventory, &mut gaps);
    check::managed_elsewhere(session, &kept, &mut gaps);
    read_host_details(session, &mut collection, &kept, &managers, &mut gaps).await;
    drop(kept);
    watched("hosts", collection.hosts.len(), 2);

    let inventory = Arc::new(inventory);
    let mut machines = read_workloads(session, inventory.clone(), Which::All, &mut gaps).await;
    watched(WORKLOADS, machines.workloads.len(), 3);

    tags::read(session, &mut collection, &mut machines, &mut gaps).await;
    watched("tag_categories", collection.control.tag_categories.len(), 4);
    policies::read(session, &mut collection, &machines, &mut gaps).await;
    watched("storage_policies", collection.control.storage_policies.len(), 5);
    let at = take_workloads(&mut collection, machines, &mut gaps);

    read_permissions(session, &mut collection, &inventory, &at, &mut gaps).await;
    watched("grants", collection.control.grants.len(), 6);
    history::alarms(session, &mut collection, &managers, &mut gaps).await;
    history::tasks(session, &mut collection, &mut gaps).await;
    map::initiators(&mut collection);
    watched("activities", collection.control.activities.len(), STEPS);
    finish(collection, gaps)
}

fn finish(mut collection: Collection, gaps: Gaps) -> Collection {
    for (section, count) in collection.counts() {
        let tally = collection.source.sections.entry(Text::new_static(section)).or_default();
        // One object may make several, as a host makes its switches.
        tally.mapped = tally.mapped.max(count as u64);
        tally.rows = tally.rows.max(tally.mapped);
    }
    collection.clusters.sort_by(|a, b| a.id.cmp(&b.id));
    collection.hosts.sort_by(|a, b| a.id.cmp(&b.id));
    collection.datastores.sort_by(|a, b| a.id.cmp(&b.id));
    collection.networks.sort_by(|a, b| a.id.cmp(&b.id));
    collection
        .switches
        .sort_by(|a, b| (a.kind, &a.name, &a.hosts).cmp(&(b.kind, &b.name, &b.hosts)));
    collection.resource_pools.sort_by(|a, b| (&a.path, &a.name).cmp(&(&b.path, &b.name)));
    collection.workloads.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    collection.findings.sort();
    collection.control.sort();
    collection.gaps = gaps.finish(&collection.source.location);
    collection
}

/// Where everything is, as far as it was told; `lacking` is why objects are hidden, where that is known.
fn inventory(
    session: &Session<'_>,
    collection: &Collection,
    kept: &Kept,
    managers: &Managers<'_>,
    lacking: Option<Why>,
) -> Inventory {
    let platform = &session.run.target.id;
    let root = session.about.manager("rootFolder");
    let mut inventory = Inventory::of(platform, &collection.source.id, root, kept);
    inventory.attributes = map::attribute_names(managers.get("customFieldsManager", "field"));
    if let Some(why) = lacking.or(kept.incomplete()) {
        inventory.hidden = why;
        inventory.hosts_unread = Some(why);
    }
    inventory
}

/// Hands the machines over to the collection; gives where each is.
fn take_workloads(
    collection: &mut Collection,
    machines: Machines,
    gaps: &mut Gaps,
) -> HashMap<Text, usize> {
    gaps.append(machines.gaps);
    let mapped = machines.workloads.len() as u64;
    let tally = Tally { rows: mapped + machines.unmapped, mapped, cells: machines.properties };
    collection.source.sections.insert(Text::new_static(WORKLOADS), tally);
    collection.findings.extend(machines.findings);
    collection.workloads = machines.workloads;
    machines.at
}

/// What the server's managers tell of themselves, in one call.
async fn read_managers(session: &Session<'_>, gaps: &mut Gaps) -> Kept {
    let wanted: [(&str, &'static str, &'static str, &[&'static str]); 6] = [
        ("authorizationManager", "AuthorizationManager", "roles", &["roleList"]),
        ("extensionManager", "ExtensionManager", "attachments", &["extensionList"]),
        ("sessionManager", "SessionManager", "attachments", &["sessionList"]),
        ("licenseManager", "LicenseManager", "licences", &["licenses", "licenseAssignmentManager"]),
        ("customFieldsManager", "CustomFieldsManager", WORKLOADS, &["field"]),
        ("rootFolder", "Folder", "alarms", &["triggeredAlarmState"]),
    ];
    let (mut targets, mut paths) = (Vec::new(), Vec::new());
    for (name, kind, section, properties) in wanted {
        match session.about.manager(name) {
            Some(target) => {
                targets.push(target.clone());
                paths.push(Paths::of(kind, section, properties));
            }
            // A standalone host has no need of some of them.
            None if session.about.is_vcenter => {
                let message = "the platform does not have this manager";
                gaps.add(Found::of(GapCause::MissingSection, section, message).field(name));
            }
            None => {}
        }
    }
    let query = Query { which: Which::These(targets), paths };
    objects(session, query, Kept::default(), gaps).await
}

async fn read_infrastructure(session: &Session<'_>, gaps: &mut Gaps) -> Kept {
    let paths = infrastructure(session.about.is_vcenter);
    objects(session, Query { which: Which::All, paths }, Kept::default(), gaps).await
}

/// Licences and certificates of hosts.
async fn read_host_details(
    session: &Session<'_>,
    collection: &mut Collection,
    kept: &Kept,
    managers: &Managers<'_>,
    gaps: &mut Gaps,
) {
    let manager = managers.get("licenseManager", "licenseAssignmentManager");
    let assigned = match manager.reference() {
        Some(it) => {
            let manager = Target::new(it.kind, it.id);
            ask_or_gap(session, "licences", &Call::new("QueryAssignedLicenses", &manager), gaps)
                .await
        }
        None => Err(manager.refused().unwrap_or(Why::Blank)),
    };
    map::assigned_licences(collection, &assigned);

    let manager_of: HashMap<Text, Text> = kept
        .objects()
        .filter(|it| it.reference.kind == "HostSystem")
        .filter_map(|it| {
            let manager = it.get("configManager.certificateManager").reference()?;
            Some((Text::new(it.reference.id), Text::new(manager.id)))
        })
        .collect();
    if manager_of.is_empty() {
        map::certificates(collection, &manager_of, &Kept::default(), gaps);
        return;
    }
    let mut targets: Vec<Target> =
        manager_of.values().map(|id| Target::new("HostCertificateManager", id)).collect();
    targets.sort_by(|a, b| a.id.cmp(&b.id));
    let paths = vec![Paths::of("HostCertificateManager", "hosts", &["certificateInfo"])];
    let query = Query { which: Which::These(targets), paths };
    let certificates = objects(session, query, Kept::default(), gaps).await;
    map::certificates(collection, &manager_of, &certificates, gaps);
}

async fn read_workloads(
    session: &Session<'_>,
    inventory: Arc<Inventory>,
    which: Which,
    gaps: &mut Gaps,
) -> Machines {
    let query = Query { which, paths: workloads() };
    objects(session, query, Machines::new(inventory), gaps).await
}

async fn read_permissions(
    session: &Session<'_>,
    collection: &mut Collection,
    inventory: &Inventory,
    machines: &HashMap<Text, usize>,
    gaps: &mut Gaps,
) {
    let Some(manager) = session.about.manager("authorizationManager") else { return };
    let call = Call::new("RetrieveAllPermissions", manager);
    if let Ok(answer) = ask_or_gap(session, "grants", &call, gaps).await {
        map::permissions(collection, &answer, inventory, machines, gaps);
    } else {
        let message = "they are known from permissions, which could not be read";
        gaps.add(Found::of(GapCause::MissingSection, "principals", message));
    }
}

/// Asks; a failure is a gap of this list.
async fn ask_or_gap(
    session: &Session<'_>,
    section: &'static str,
    call: &Call,
    gaps: &mut Gaps,
) -> Result<Tree, Why> {
    session.ask(call).await.map_err(|fault| call_failed(gaps, &[section], &fault))
}
