//! What one reading of one source saw, and what it could not see.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr as Text;

use crate::control::ControlPlane;
use crate::finding::Finding;
use crate::ids::SourceId;
use crate::infrastructure::{
    Cluster, Datastore, Host, Licence, Network, Platform, Product, ResourcePool, Switch,
};
use crate::moment::Moment;
use crate::observed::Why;
use crate::workload::Workload;

/// Why something that a conclusion may need is not there.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum GapCause {
    /// A tab, file or section is missing.
    MissingSection,
    /// A column or field is missing.
    MissingField,
    /// A value could not be understood.
    UnreadableValue,
    /// A row or object could not be mapped at all.
    UnmappedRow,
    /// A row refers to something that no other row describes.
    DanglingReference,
    /// The input ends early or is damaged from here on.
    Truncated,
    /// A named limit of ours was reached; what lies beyond was not read.
    LimitReached,
    /// Two sources or sections disagree.
    Conflict,
    /// An object could not be told from another.
    Ambiguous,
    /// There, but the model has no place for it yet.
    NotModelled,
    /// A field that nobody documents.
    UnknownField,
    /// Text was in another encoding than it should be.
    Encoding,
    /// Times carry no zone.
    NoTimeZone,
    /// The credentials may not see it, or see only part of it.
    NoPermission,
    /// A call failed.
    CallFailed,
    /// An answer did not come in time.
    TimedOut,
    /// An object was deleted while it was read.
    Vanished,
    /// A word that this version does not know.
    UnknownValue,
    /// Somebody stopped the collection.
    Cancelled,
    /// The platform itself could not tell: a host is offline, an agent does not answer.
    Unreachable,
    /// What was seen is older than it may be: it may not be so any more.
    Stale,
}

impl GapCause {
    /// The stable, kebab-case word used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingSection => "missing-section",
            Self::MissingField => "missing-field",
            Self::UnreadableValue => "unreadable-value",
            Self::UnmappedRow => "unmapped-row",
            Self::DanglingReference => "dangling-reference",
            Self::Truncated => "truncated",
            Self::LimitReached => "limit-reached",
            Self::Conflict => "conflict",
            Self::Ambiguous => "ambiguous",
            Self::NotModelled => "not-modelled",
            Self::UnknownField => "unknown-field",
            Self::Encoding => "encoding",
            Self::NoTimeZone => "no-time-zone",
            Self::NoPermission => "no-permission",
            Self::CallFailed => "call-failed",
            Self::TimedOut => "timed-out",
            Self::Vanished => "vanished",
            Self::UnknownValue => "unknown-value",
            Self::Cancelled => "cancelled",
            Self::Unreachable => "unreachable",
            Self::Stale => "stale",
        }
    }

    /// True if objects may be missing from a list for this reason.
    pub fn may_hide_objects(self) -> bool {
        matches!(
            self,
            Self::MissingSection
                | Self::UnmappedRow
                | Self::Truncated
                | Self::LimitReached
                | Self::Ambiguous
                | Self::NoPermission
                | Self::CallFailed
                | Self::TimedOut
                | Self::Cancelled
                | Self::Unreachable
        )
    }
}

/// Where in a source something is.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct Place {
    /// File name, or the platform's address.
    pub file: Text,
    /// Tab or kind of object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<Text>,
    /// Row as a spreadsheet counts it: the header is row 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// Column header or field, as the source writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<Text>,
}

/// Something that was not observed, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// Kind of reason.
    pub cause: GapCause,
    /// Where.
    pub place: Place,
    /// What happened and what it means, for a person.
    pub message: Text,
    /// The value that could not be mapped, shortened and with secrets redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Text>,
    /// How many rows this stands for: more than 1 where further ones of the same kind were only
    /// counted.
    pub count: u64,
}

/// Something that a kind of source can never observe, declared once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct SourceLimit {
    /// The attribute of the `workload` object (or the noun) that stays unobserved.
    pub attribute: Text,
    /// Kind of limit.
    pub why: Why,
    /// Why, and what would tell instead.
    pub message: Text,
}

/// How much of one section was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tally {
    /// Rows (or objects) with anything in them.
    pub rows: u64,
    /// Of those, mapped into the model; rows of a section without a home in the model are 0.
    pub mapped: u64,
    /// Cells (or fields) with a value.
    pub cells: u64,
}

/// One thing read: an export file, one login to one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Its id.
    pub id: SourceId,
    /// Name of the connector.
    pub connector: Text,
    /// File or address.
    pub location: Text,
    /// Version of what wrote it, as far as it tells.
    pub version: Option<Text>,
    /// When it was taken, as far as it tells.
    pub taken: Option<Moment>,
    /// What it can never observe.
    pub limits: Vec<SourceLimit>,
    /// What was read, by section.
    pub sections: BTreeMap<Text, Tally>,
}

/// What one reading of one source saw, with its gaps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Collection {
    /// What was read.
    pub source: Source,
    /// What was not observed.
    pub gaps: Vec<Gap>,
    /// What the connector itself found worth a person's time (a password in a note).
    pub findings: Vec<Finding>,
    /// Platforms.
    pub platforms: Vec<Platform>,
    /// Products and versions.
    pub products: Vec<Product>,
    /// Clusters.
    pub clusters: Vec<Cluster>,
    /// Hosts.
    pub hosts: Vec<Host>,
    /// Datastores.
    pub datastores: Vec<Datastore>,
    /// Switches.
    pub switches: Vec<Switch>,
    /// Networks.
    pub networks: Vec<Network>,
    /// Resource pools.
    pub resource_pools: Vec<ResourcePool>,
    /// Licences.
    pub licences: Vec<Licence>,
    /// Workloads.
    pub workloads: Vec<Workload>,
    /// The control plane around them.
    pub control: ControlPlane,
}

impl Collection {
    /// A collection of `source` that has seen nothing yet.
    pub fn empty(source: Source) -> Self {
        Self {
            source,
            gaps: Vec::new(),
            findings: Vec::new(),
            platforms: Vec::new(),
            products: Vec::new(),
            clusters: Vec::new(),
            hosts: Vec::new(),
            datastores: Vec::new(),
            switches: Vec::new(),
            networks: Vec::new(),
            resource_pools: Vec::new(),
            licences: Vec::new(),
            workloads: Vec::new(),
            control: ControlPlane::default(),
        }
    }

    /// Lists that gaps may have taken objects from: what is missing there is not known to be gone. A gap of
    /// no list may be of any.
    pub fn partial_lists(&self) -> BTreeSet<&'static str> {
        let lists: Vec<&'static str> = self.counts().into_iter().map(|it| it.0).collect();
        let mut partial = BTreeSet::new();
        for gap in self.gaps.iter().filter(|it| it.cause.may_hide_objects()) {
            let section = gap.place.section.as_deref().unwrap_or_default();
            let is_list = lists.contains(&section);
            partial.extend(lists.iter().filter(|it| !is_list || **it == section));
        }
        partial
    }

    /// How many objects there are of each kind, by the list's name.
    pub fn counts(&self) -> Vec<(&'static str, usize)> {
        let mut counts = vec![
            ("platforms", self.platforms.len()),
            ("products", self.products.len()),
            ("clusters", self.clusters.len()),
            ("hosts", self.hosts.len()),
            ("datastores", self.datastores.len()),
            ("switches", self.switches.len()),
            ("networks", self.networks.len()),
            ("resource_pools", self.resource_pools.len()),
            ("licences", self.licences.len()),
            ("workloads", self.workloads.len()),
        ];
        counts.extend(self.control.counts());
        counts
    }
}
