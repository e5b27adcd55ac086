//! What people say of a workload: application, owner, tier, labels, notes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr as Text;

use crate::ids::{ApplicationId, WorkloadId};
use crate::observed::{Observed, Why};

/// Facts that come from people (a CMDB, a boundary review), not from platforms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Governance {
    /// The application it serves; absent = none.
    pub application: Observed<ApplicationId>,
    /// Who answers for it.
    pub owner: Observed<Text>,
    /// Service tier, in the organisation's own words.
    pub tier: Observed<Text>,
    /// Sensitivity of its data, in the organisation's own words.
    pub data_sensitivity: Observed<Text>,
    /// `production`, `test` …, in the organisation's own words.
    pub environment: Observed<Text>,
    /// Free labels.
    pub labels: BTreeMap<Text, Text>,
}

impl Default for Governance {
    /// Nobody has said anything yet.
    fn default() -> Self {
        Self {
            application: Observed::Unobserved(Why::NotSupplied),
            owner: Observed::Unobserved(Why::NotSupplied),
            tier: Observed::Unobserved(Why::NotSupplied),
            data_sensitivity: Observed::Unobserved(Why::NotSupplied),
            environment: Observed::Unobserved(Why::NotSupplied),
            labels: BTreeMap::new(),
        }
    }
}

/// Whether an attribute is free text on the object or a tag.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum AttributeKind {
    /// A custom attribute (custom field, description key).
    Custom,
    /// A tag; the name is its category.
    Tag,
}

/// One custom attribute or tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Attribute {
    /// Attribute name or tag category.
    pub name: Text,
    /// Value or tag, with secrets redacted.
    pub value: Text,
    /// Which of the two; exports often do not tell.
    pub kind: Observed<AttributeKind>,
}

/// A named set of workloads that serve one purpose: the unit people plan in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Application {
    /// Its id, which is its name.
    pub id: ApplicationId,
    /// Who answers for it; unobserved where its workloads disagree or nobody says.
    pub owner: Observed<Text>,
    /// Its workloads, sorted.
    pub workloads: Vec<WorkloadId>,
}
