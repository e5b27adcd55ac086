//! Machines as they arrive: each is mapped at once, and only what the model has a place for is kept.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use entente_model::{Finding, GapCause, Text, Workload, WorkloadId};

use super::super::collect::ObjectSink;
use super::super::wire::{Object, Paths, Tree};
use super::facts::Facts;
use super::inventory::Inventory;
use super::workload::Mapping;
use crate::live::{Found, Gaps};

/// Name of the list.
pub(in crate::vsphere) const SECTION: &str = "workloads";

/// Takes machines as they arrive, and keeps what the model has a place for.
pub(in crate::vsphere) struct Machines {
    inventory: Arc<Inventory>,
    /// Workloads, as they came.
    pub workloads: Vec<Workload>,
    /// Where each is, by its id on the platform.
    pub at: HashMap<Text, usize>,
    /// What was not observed of them.
    pub gaps: Gaps,
    /// Secrets in notes.
    pub findings: Vec<Finding>,
    /// Properties with a value.
    pub properties: u64,
    /// Machines that could not be mapped.
    pub unmapped: u64,
    /// Ids of what they refer to and nothing told of.
    pub strangers: BTreeSet<Text>,
}

impl Machines {
    /// None yet.
    pub fn new(inventory: Arc<Inventory>) -> Self {
        Self {
            inventory,
            workloads: Vec::new(),
            at: HashMap::new(),
            gaps: Gaps::default(),
            findings: Vec::new(),
            properties: 0,
            unmapped: 0,
            strangers: BTreeSet::new(),
        }
    }
}

impl ObjectSink for Machines {
    fn object(&mut self, object: &Object<'_>, _: &Tree) -> bool {
        let native = object.reference.id;
        if self.at.contains_key(native) {
            return false;
        }
        let Ok(id) = WorkloadId::on(&self.inventory.platform, native) else {
            self.unmapped += 1;
            let message = "its id is none that an estate can hold";
            self.gaps.add(Found::of(GapCause::UnmappedRow, SECTION, message).value(native));
            return false;
        };
        self.properties += object.told_count() as u64;
        let inventory = self.inventory.clone();
        let facts = Facts { gaps: &mut self.gaps, section: SECTION };
        let mapping =
            Mapping::of(object, &inventory, facts, &mut self.findings, &mut self.strangers);
        let workload = mapping.workload(id);
        self.at.insert(Text::new(native), self.workloads.len());
        self.workloads.push(workload);
        true
    }

    fn begin(&mut self, _: &Arc<[Paths]>) {
        *self = Self::new(self.inventory.clone());
    }

    fn count(&self) -> u64 {
        self.workloads.len() as u64
    }
}
