//! Storage policies and what they are assigned to, from the storage policy API beside the main one.

use std::collections::BTreeMap;

use entente_model::{
    Collection, GapCause, Listing, Observed, PlatformId, StorageAssignment, StoragePolicy, Text,
    Why, WorkloadId,
};

use super::super::map::{self, Machines};
use super::super::wire::{Call, Element, Target, Tree, leaf};
use super::gaps::call_failed;
use super::objects::NAMED_MAX;
use super::session::{CallFault, Session};
use crate::live::{Found, Gaps};
use crate::secrets::redacted;

const SECTION: &str = "storage_policies";

/// Reads them. A standalone host has none.
pub(super) async fn read(
    session: &Session<'_>,
    collection: &mut Collection,
    machines: &Machines,
    gaps: &mut Gaps,
) {
    if !session.about.is_vcenter {
        return;
    }
    let (manager, policies) = match definitions(session, gaps).await {
        Ok(found) => found,
        Err(fault) => {
            call_failed(gaps, &[SECTION], &fault);
            return;
        }
    };
    let mut assignments = Assignments { policies, dropped: None };
    if let Err(fault) = assignments.read(session, &manager, machines, gaps).await {
        assignments.dropped = Some(call_failed(gaps, &[SECTION], &fault));
    }
    let dropped = assignments.dropped;
    let policies = assignments.policies.into_values().map(|mut policy| {
        policy.assignments.items.sort();
        if let Some(why) = dropped {
            policy.assignments = Listing::incomplete(policy.assignments.items, why);
        }
        policy
    });
    collection.control.storage_policies.extend(policies);
}

async fn definitions(
    session: &Session<'_>,
    gaps: &mut Gaps,
) -> Result<(Target, BTreeMap<Text, StoragePolicy>), CallFault> {
    let service = Target::new("PbmServiceInstance", "ServiceInstance");
    let content = session.ask_policy(&Call::policy("PbmRetrieveServiceContent", &service)).await?;
    let manager = content.root().and_then(|it| it.reference_at("returnval.profileManager"));
    let manager = manager
        .map(|it| Target::new(it.kind, it.id))
        .ok_or_else(|| CallFault::Markup("it names no manager of policies".into()))?;
    let call = Call::policy("PbmQueryProfile", &manager)
        .element("resourceType", |it| leaf(it, "resourceType", "STORAGE"))
        .value("profileCategory", "REQUIREMENT");
    let found = session.ask_policy(&call).await?;
    let ids: Vec<Text> =
        values(&found).filter_map(|it| Some(Text::new(it.text_at("uniqueId")?))).collect();
    if ids.is_empty() {
        return Ok((manager, BTreeMap::new()));
    }
    let mut call = Call::policy("PbmRetrieveContent", &manager);
    for id in &ids {
        call = call.element("profileIds", |it| leaf(it, "uniqueId", id));
    }
    let content = session.ask_policy(&call).await?;
    let platform = &session.run.target.id;
    let mut policies = BTreeMap::new();
    for it in values(&content) {
        let Some(id) = it.text_at("profileId.uniqueId").map(Text::new) else {
            let message = "a storage policy without an id";
            gaps.add(Found::of(GapCause::UnmappedRow, SECTION, message));
            continue;
        };
        let description = it.text_at("description").map(redacted);
        let policy = StoragePolicy {
            platform: platform.clone(),
            native_id: id.clone(),
            name: Text::new(it.text_at("name").unwrap_or(&id)),
            description: Observed::or_absent(description),
            assignments: Listing::complete(Vec::new()),
        };
        policies.insert(id, policy);
    }
    for id in ids.iter().filter(|it| !policies.contains_key(*it)) {
        let message = "a storage policy that is listed and not told of";
        gaps.add(Found::of(GapCause::DanglingReference, SECTION, message).value(id));
    }
    Ok((manager, policies))
}

fn values(tree: &Tree) -> impl Iterator<Item = Element<'_>> {
    tree.root().into_iter().flat_map(|it| it.all("returnval"))
}

/// What policies are assigned to.
struct Assignments {
    policies: BTreeMap<Text, StoragePolicy>,
    /// Why there may be more, if there may.
    dropped: Option<Why>,
}

impl Assignments {
    /// Asks for machines and disks in batches: one request may not be of any size.
    async fn read(
        &mut self,
        session: &Session<'_>,
        manager: &Target,
        machines: &Machines,
        gaps: &mut Gaps,
    ) -> Result<(), CallFault> {
        if self.policies.is_empty() {
            return Ok(());
        }
        let platform = &session.run.target.id;
        let mut entities = Vec::new();
        for workload in &machines.workloads {
            let native = map::native(workload.id.as_str(), platform);
            entities.push(("virtualMachine", Text::new(native)));
            for disk in &workload.disks {
                if let Observed::Value(key) = &disk.key {
                    entities.push(("virtualDiskId", Text::from(format!("{native}:{key}"))));
                }
            }
        }
        for batch in entities.chunks(NAMED_MAX) {
            let mut call = Call::policy("PbmQueryAssociatedProfiles", manager);
            for (kind, key) in batch {
                call = call.element("entities", |it| {
                    leaf(it, "objectType", kind);
                    leaf(it, "key", key);
                });
            }
            let answer = session.ask_policy(&call).await?;
            for found in values(&answer) {
                self.add(found, platform, gaps);
            }
        }
        Ok(())
    }

    /// What one machine or disk is assigned.
    fn add(&mut self, found: Element<'_>, platform: &PlatformId, gaps: &mut Gaps) {
        let key = found.text_at("object.key").unwrap_or_default();
        let (native, disk) = match key.split_once(':') {
            Some((native, disk)) => (native, Observed::Value(Text::new(disk))),
            None => (key, Observed::Absent),
        };
        if found.child("fault").is_some() {
            let message = "the platform could not tell which policies are assigned to it";
            gaps.add(Found::of(GapCause::CallFailed, SECTION, message).value(key));
            self.dropped = Some(Why::CallFailed);
        }
        let Ok(workload) = WorkloadId::on(platform, native) else {
            let message = "an assignment to nothing that an estate can hold";
            gaps.add(Found::of(GapCause::UnmappedRow, SECTION, message).value(key));
            self.dropped = Some(Why::Unreadable);
            return;
        };
        for id in found.all("profileId").filter_map(|it| it.text_at("uniqueId")) {
            let assignment =
                StorageAssignment { workload: workload.clone(), disk_key: disk.clone() };
            match self.policies.get_mut(id) {
                Some(policy) => policy.assignments.items.push(assignment),
                None => {
                    let message = "an assignment of a storage policy that was not told of";
                    gaps.add(Found::of(GapCause::DanglingReference, SECTION, message).value(id));
                }
            }
        }
    }
}
