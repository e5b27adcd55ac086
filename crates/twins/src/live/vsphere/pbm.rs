//! The interface of storage policies.

use std::collections::HashMap;

use entente_model::{StoragePolicy, Text, WorkloadId};
use hyper::body::Bytes;

use super::collector::Answered;
use super::facts::Facts;
use super::faults::Refusal;
use super::xml::{Element, Writer};

/// Policies, and what they are assigned to.
#[derive(Debug, Default)]
pub(super) struct Profiles {
    /// Id and content, in the order of the API.
    profiles: Vec<(String, String)>,
    /// Kind and key of an object (`virtualMachine`, `vm-42`; `virtualDiskId`, `vm-42:2000`), and the
    /// position of its policy.
    assigned: Vec<(&'static str, Text, usize)>,
    by_object: HashMap<Text, Vec<usize>>,
}

impl Profiles {
    pub(super) fn new(facts: &Facts<'_>) -> Self {
        let machines: HashMap<&WorkloadId, usize> =
            facts.collection.workloads.iter().enumerate().map(|(at, it)| (&it.id, at)).collect();
        let mut made = Self::default();
        for (at, policy) in facts.collection.control.storage_policies.iter().enumerate() {
            made.profiles.push((policy.native_id.to_string(), profile(policy, &facts.now)));
            for assignment in &policy.assignments {
                let machine = machines.get(&assignment.workload);
                let machine = machine.and_then(|it| facts.layout.machines.get(*it));
                let Some(machine) = machine else { continue };
                let id = &machine.reference.id;
                made.assigned.push(match assignment.disk_key.value() {
                    Some(disk) => ("virtualDiskId", format!("{id}:{disk}").into(), at),
                    None => ("virtualMachine", id.clone(), at),
                });
            }
        }
        for (_, key, at) in &made.assigned {
            made.by_object.entry(key.clone()).or_default().push(*at);
        }
        made
    }

    /// Answers a method.
    pub(super) fn call(&self, request: &Element) -> Answered {
        let text = match request.name.as_str() {
            "PbmRetrieveServiceContent" => content(),
            "PbmQueryProfile" => self.query(request),
            "PbmRetrieveContent" => self.retrieve(request)?,
            "PbmQueryAssociatedProfile" => {
                let entity = request.child("entity");
                let key = entity.and_then(|it| it.word("key")).unwrap_or_default();
                self.of(key).map(|id| profile_id("returnval", id)).collect()
            }
            "PbmQueryAssociatedProfiles" => self.associated(request),
            "PbmQueryAssociatedEntity" => {
                let profile = request.child("profile").and_then(|it| it.word("uniqueId"));
                self.entities(profile.unwrap_or_default(), request.word("entityType"))
            }
            "PbmQueryAssociatedEntities" => {
                let profiles = request.all("profiles").filter_map(|it| it.word("uniqueId"));
                profiles.map(|it| self.with_entities(it)).collect()
            }
            method => return Err(Refusal::unknown_method("PbmServiceInstance", "", method)),
        };
        Ok(vec![Bytes::from(text)])
    }

    fn of(&self, key: &str) -> impl Iterator<Item = &str> {
        let positions = self.by_object.get(key).into_iter().flatten();
        positions.filter_map(|it| self.profiles.get(*it)).map(|it| it.0.as_str())
    }

    fn query(&self, request: &Element) -> String {
        let is_requirement =
            request.word("profileCategory").is_none_or(|it| it.is_empty() || it == "REQUIREMENT");
        let profiles = self.profiles.iter().filter(|_| is_requirement);
        profiles.map(|it| profile_id("returnval", &it.0)).collect()
    }

    fn retrieve(&self, request: &Element) -> Result<String, Refusal> {
        let mut w = Writer::new();
        for id in request.all("profileIds").filter_map(|it| it.word("uniqueId")) {
            let found = self.profiles.iter().find(|it| it.0 == id);
            let (_, content) = found.ok_or_else(|| Refusal::invalid_argument("profileIds"))?;
            w.node_as("returnval", "PbmCapabilityProfile", |w| w.raw(content));
        }
        Ok(w.finish())
    }

    fn associated(&self, request: &Element) -> String {
        let mut w = Writer::new();
        for entity in request.all("entities") {
            let key = entity.word("key").unwrap_or_default();
            w.node("returnval", |w| {
                let kind = entity.word("objectType").unwrap_or_default();
                w.node("object", |w| w.words(&[("objectType", kind), ("key", key)]));
                for id in self.of(key) {
                    w.raw(&profile_id("profileId", id));
                }
            });
        }
        w.finish()
    }

    fn entities(&self, profile: &str, kind: Option<&str>) -> String {
        let at = self.profiles.iter().position(|it| it.0 == profile);
        let mut w = Writer::new();
        for (of, key, _) in self.assigned.iter().filter(|it| Some(it.2) == at) {
            if kind.is_none_or(|it| it.is_empty() || it == *of) {
                w.node("returnval", |w| w.words(&[("objectType", of), ("key", key)]));
            }
        }
        w.finish()
    }

    fn with_entities(&self, profile: &str) -> String {
        let at = self.profiles.iter().position(|it| it.0 == profile);
        let mut w = Writer::new();
        for (of, key, _) in self.assigned.iter().filter(|it| Some(it.2) == at) {
            w.node("returnval", |w| {
                w.node("object", |w| w.words(&[("objectType", of), ("key", key)]));
                w.raw(&profile_id("profileId", profile));
            });
        }
        w.finish()
    }
}

fn profile_id(name: &str, id: &str) -> String {
    let mut w = Writer::new();
    w.node(name, |w| w.text("uniqueId", id));
    w.finish()
}

fn content() -> String {
    let mut w = Writer::new();
    w.node("returnval", |w| {
        w.node("aboutInfo", |w| {
            w.words(&[("name", "PBM"), ("version", "2.0"), ("instanceUuid", "pbm")]);
        });
        w.reference("sessionManager", "PbmSessionManager", "SessionManager");
        let capabilities = "PbmCapabilityMetadataManager";
        w.reference("capabilityMetadataManager", capabilities, "CapabilityMetadataManager");
        w.reference("profileManager", "PbmProfileProfileManager", "ProfileManager");
        w.reference("complianceManager", "PbmComplianceManager", "complianceManager");
        w.reference("placementSolver", "PbmPlacementSolver", "placementSolver");
    });
    w.finish()
}

fn profile(policy: &StoragePolicy, now: &str) -> String {
    let mut w = Writer::new();
    w.node("profileId", |w| w.text("uniqueId", &policy.native_id));
    w.text("name", &policy.name);
    w.text("description", policy.description.value().map_or("", |it| it.as_str()));
    w.words(&[("creationTime", now), ("createdBy", "Temporary user handle")]);
    w.words(&[("lastUpdatedTime", now), ("lastUpdatedBy", "Temporary user handle")]);
    w.text("profileCategory", "REQUIREMENT");
    w.node("resourceType", |w| w.text("resourceType", "STORAGE"));
    w.node_as("constraints", "PbmCapabilitySubProfileConstraints", |_| {});
    w.leaf("generationId", 0);
    w.leaf("isDefault", false);
    w.finish()
}
