//! Storage policies and what they are assigned to, from the storage policy API beside the main one.

use std::collections::BTreeMap;

use entente_model::{
    Collection, Listing, Observed, StorageAssignment, StoragePolicy, Text, Why, WorkloadId,
};

use super::super::map::{self, Machines};
use super::super::wire::{Call, Element, Target, Tree, call_failed, leaf, why};
use super::objects::NAMED_MAX;
use super::session::{CallFault, Session};
use crate::live::Gaps;
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
    let (manager, mut policies) = match definitions(session).await {
        Ok(found) => found,
        Err(fault) => return call_failed(gaps, &[SECTION], &fault),
    };
    let outcome = assignments(session, &manager, machines, &mut policies).await;
    if let Err(fault) = &outcome {
        call_failed(gaps, &[SECTION], fault);
    }
    collection.control.storage_policies.extend(policies.into_values().map(|mut policy| {
        policy.assignments.items.sort();
        if let Err(fault) = &outcome {
            policy.assignments = Listing::incomplete(policy.assignments.items, why(fault));
        }
        policy
    }));
}

async fn definitions(
    session: &Session<'_>,
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
    let policy = |it: Element<'_>| {
        let id = Text::new(it.text_at("profileId.uniqueId")?);
        let description = it.text_at("description");
        let policy = StoragePolicy {
            platform: platform.clone(),
            native_id: id.clone(),
            name: Text::new(it.text_at("name").unwrap_or(&id)),
            description: description
                .map_or(Observed::Absent, |text| Observed::Value(redacted(text))),
            assignments: Listing::complete(Vec::new()),
        };
        Some((id, policy))
    };
    let policies = values(&content).filter_map(policy).collect();
    Ok((manager, policies))
}

fn values(tree: &Tree) -> impl Iterator<Item = Element<'_>> {
    tree.root().into_iter().flat_map(|it| it.all("returnval"))
}

/// Asks for machines and disks in batches: one request may not be of any size.
async fn assignments(
    session: &Session<'_>,
    manager: &Target,
    machines: &Machines,
    policies: &mut BTreeMap<Text, StoragePolicy>,
) -> Result<(), CallFault> {
    if policies.is_empty() {
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
            let Some(key) = found.text_at("object.key") else { continue };
            let (native, disk) = match key.split_once(':') {
                Some((native, disk)) => (native, Observed::Value(Text::new(disk))),
                None => (key, Observed::Absent),
            };
            let Ok(workload) = WorkloadId::on(platform, native) else { continue };
            for id in found.all("profileId").filter_map(|it| it.text_at("uniqueId")) {
                let assignment =
                    StorageAssignment { workload: workload.clone(), disk_key: disk.clone() };
                if let Some(policy) = policies.get_mut(id) {
                    policy.assignments.items.push(assignment);
                }
            }
            if found.child("fault").is_some() {
                for policy in policies.values_mut() {
                    let items = std::mem::take(&mut policy.assignments.items);
                    policy.assignments = Listing::incomplete(items, Why::CallFailed);
                }
            }
        }
    }
    Ok(())
}
