//! The assessment as a document: what `--output json` writes and what the report shows.
//!
//! The schema is versioned by [`SCHEMA`]; `docs/schema/assessment-1.json` is generated from these
//! types. Sizes are MiB unless the name says otherwise; shares are basis points (1/10,000); dates are
//! `YYYY-MM-DD`. A fact that was not observed is `{"unobserved": "<why>"}`, an observed absence is
//! `null`.

use std::collections::BTreeMap;

use entente_model::{
    Finding, Gap, IdentityBasis, Observed, PowerState, SourceLimit, Tally, Text, WorkloadKind,
};
pub use entente_readiness::{
    CheckSeverity, ComplexityTerm, CurvePoint, Demand, HygieneEntry, HygieneReport,
    MigrationPlannerReport, Quantity, ShapeReport, Share, SupportState, TargetReadiness, Verdict,
    VerdictCounts, WorkloadComplexity,
};
use schemars::JsonSchema;
use serde::Serialize;

/// Name and version of the document's schema.
pub const SCHEMA: &str = "entente.assessment/1";

/// An assessed estate.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Assessment {
    /// [`SCHEMA`].
    pub schema: Text,
    /// Version of Entente that wrote it.
    pub entente_version: Text,
    /// The date against which ages and support windows were judged.
    pub as_of: Text,
    /// Names, addresses and ids are replaced.
    pub masked: bool,
    /// What was read.
    pub sources: Vec<SourceReport>,
    /// Headline numbers.
    pub summary: Summary,
    /// Readiness by target, check and cluster.
    pub readiness: ReadinessReport,
    /// What workloads lean on.
    pub attachments: Vec<AttachmentReport>,
    /// How hard the estate is, and where.
    pub complexity: ComplexityReport,
    /// Clusters with capacity and demand; workloads on standalone hosts are one entry per platform.
    pub clusters: Vec<ClusterReport>,
    /// Cores to license and licences installed.
    pub licensing: LicensingReport,
    /// Support windows of hypervisors, management and guests.
    pub support: Vec<SupportReport>,
    /// Workloads that look unused or too large.
    pub hygiene: HygieneReport,
    /// Operating systems, storage and network.
    pub shape: ShapeReport,
    /// Applications, where an overlay names them.
    pub applications: Vec<ApplicationReport>,
    /// What is worth a person's time.
    pub findings: Vec<Finding>,
    /// What was not observed.
    pub gaps: Vec<Gap>,
    /// Every workload.
    pub workloads: Vec<WorkloadReport>,
}

/// One thing read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SourceReport {
    /// Its id.
    pub id: Text,
    /// Connector that read it.
    pub connector: Text,
    /// File or address.
    pub location: Text,
    /// Version of what wrote it, as far as it tells.
    pub version: Option<Text>,
    /// When it was taken, as far as it tells.
    pub taken: Option<Text>,
    /// What it can never observe.
    pub limits: Vec<SourceLimit>,
    /// What was read, by section.
    pub sections: BTreeMap<Text, Tally>,
}

/// Headline numbers. Processor, memory and storage numbers count machines only: templates, recovery
/// placeholders and system agents are counted apart.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Summary {
    /// Everything in `workloads`.
    pub workloads: u64,
    /// Ordinary machines.
    pub machines: u64,
    /// Templates.
    pub templates: u64,
    /// Recovery placeholders.
    pub recovery_placeholders: u64,
    /// Machines that the platform runs for itself.
    pub system_agents: u64,
    /// Machines that run.
    pub machines_on: u64,
    /// Machines that are off.
    pub machines_off: u64,
    /// Machines that are suspended.
    pub machines_suspended: u64,
    /// Machines whose power state was not observed.
    pub machines_power_unknown: u64,
    /// Platforms.
    pub platforms: u64,
    /// Clusters.
    pub clusters: u64,
    /// Hosts.
    pub hosts: u64,
    /// Datastores.
    pub datastores: u64,
    /// Networks.
    pub networks: u64,
    /// Applications.
    pub applications: u64,
    /// Virtual processors.
    pub vcpus: Quantity,
    /// Memory.
    pub memory_mib: Quantity,
    /// Disk capacity as guests see it.
    pub disk_capacity_mib: Quantity,
    /// Storage in use.
    pub storage_used_mib: Quantity,
    /// Cores to license by the rule in `licensing`.
    pub licensable_cores: Quantity,
    /// Share of all complexity in the hardest fifth of the machines, in basis points.
    pub hardest_fifth_basis_points: u32,
    /// Gaps, each counted with all rows it stands for; rows that the model has no place for yet are
    /// listed in `gaps` but not counted here.
    pub gaps: u64,
    /// Findings.
    pub findings: u64,
}

/// Readiness by target, check and cluster. Counts machines only.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReadinessReport {
    /// Version of the check catalogue.
    pub catalogue_version: Text,
    /// Targets.
    pub targets: Vec<TargetReport>,
    /// Checks that fired or stayed unanswered anywhere, most blocking first.
    pub checks: Vec<CheckReport>,
}

/// One target.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TargetReport {
    /// Its id: `ahv`, `proxmox`, `kvm`, `kubevirt`.
    pub id: Text,
    /// Its name.
    pub label: Text,
    /// Verdicts with everything unanswered counted.
    pub verdicts: VerdictCounts,
    /// Verdicts as far as this kind of source can see.
    pub as_seen: VerdictCounts,
}

/// One check.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CheckReport {
    /// Its id; `entente explain <id>` prints its page.
    pub id: Text,
    /// What it says.
    pub title: Text,
    /// What to do.
    pub remedy: Text,
    /// Severity by target.
    pub severity: BTreeMap<Text, CheckSeverity>,
    /// Machines on which it fired, by target.
    pub fired: BTreeMap<Text, u64>,
    /// Machines for which it stayed unanswered although the kind of source could have told.
    pub unanswered: BTreeMap<Text, u64>,
    /// Attributes that this kind of source can never tell and that left it unanswered.
    pub beyond_source: Vec<Text>,
}

/// One kind of attachment to the control plane.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AttachmentReport {
    /// Its id, `drs-rule`.
    pub kind: Text,
    /// What it is.
    pub label: Text,
    /// Machines that have it.
    pub workloads: u64,
    /// How often in all.
    pub count: u64,
    /// Machines for which this kind was not observed.
    pub not_observed: u64,
}

/// How hard the estate is, and where. Counts machines only.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ComplexityReport {
    /// Terms of the score with their weights.
    pub terms: Vec<ComplexityTerm>,
    /// Sum of all scores.
    pub total: u64,
    /// Share of `total` in the hardest fifth of the machines, in basis points.
    pub hardest_fifth_basis_points: u32,
    /// Cumulated from the hardest machine to the easiest: at most 101 points.
    pub curve: Vec<CurvePoint>,
    /// The score of the migration-planner project on the same machines, for comparison.
    pub migration_planner: MigrationPlannerReport,
}

/// One cluster: capacity, demand, licensing, readiness.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ClusterReport {
    /// Its id.
    pub id: Text,
    /// Its name.
    pub name: Text,
    /// Where it lives.
    pub platform: Text,
    /// Hosts seen.
    pub hosts: u64,
    /// Cores of the hosts seen.
    pub cores: Quantity,
    /// Cores to license by the rule in `licensing`; hosts whose sockets or cores are not observed are
    /// unknown.
    pub licensable_cores: Quantity,
    /// Memory of the hosts seen.
    pub memory_mib: Quantity,
    /// Workload restart on failure.
    pub ha_enabled: Observed<bool>,
    /// Workload balancing.
    pub drs_enabled: Observed<bool>,
    /// What running machines ask for.
    pub demand_on: Demand,
    /// What all machines ask for.
    pub demand_all: Demand,
    /// Verdicts by target.
    pub verdicts: BTreeMap<Text, VerdictCounts>,
    /// Verdicts by target as far as this kind of source can see.
    pub as_seen: BTreeMap<Text, VerdictCounts>,
}

/// Cores to license and licences installed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LicensingReport {
    /// The rule, with its source.
    pub rule: Text,
    /// By the rule, in all; `unknown` counts hosts.
    pub licensable_cores: Quantity,
    /// Cores that the per-processor minimum adds.
    pub added_by_minimum: u64,
    /// Licences installed.
    pub licences: Vec<LicenceReport>,
}

/// One licence; its key is never kept.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LicenceReport {
    /// Where it is installed.
    pub platform: Text,
    /// Product and edition.
    pub name: Text,
    /// What is counted.
    pub unit: Observed<Text>,
    /// Bought; `null` = unlimited.
    pub total: Observed<u64>,
    /// Used.
    pub used: Observed<u64>,
    /// Ends; `null` = never.
    pub expires: Observed<Text>,
}

/// What kind of thing a support window is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SupportSubject {
    /// Hypervisor of hosts.
    Hypervisor,
    /// Management server.
    Management,
    /// Guest operating system.
    Guest,
}

/// Support window of one product version and how much of the estate is on it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SupportReport {
    /// What kind of thing it is.
    pub subject: SupportSubject,
    /// Product and version, `VMware ESXi 7.0`.
    pub product: Text,
    /// Hosts, servers or machines on it.
    pub count: u64,
    /// Where it stands.
    pub state: SupportState,
    /// End of general support.
    pub general_support_ends: Option<Text>,
    /// End of paid or technical support after that.
    pub extended_support_ends: Option<Text>,
    /// Where the dates come from, or why they are not known.
    pub source: Text,
}

/// One application.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ApplicationReport {
    /// Its name.
    pub name: Text,
    /// Who answers for it.
    pub owner: Observed<Text>,
    /// Machines.
    pub machines: u64,
    /// Complexity of its machines.
    pub complexity: u64,
    /// Points by term of the score.
    pub terms: BTreeMap<Text, u64>,
    /// Verdicts by target, as far as this kind of source can see.
    pub as_seen: BTreeMap<Text, VerdictCounts>,
}

/// One workload.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WorkloadReport {
    /// Unique in the estate.
    pub id: Text,
    /// Its name.
    pub name: Text,
    /// Where it lives.
    pub platform: Text,
    /// What its identity rests on.
    pub identity: IdentityBasis,
    /// What it is for.
    pub kind: WorkloadKind,
    /// Power state.
    pub power: Observed<PowerState>,
    /// Datacenter.
    pub datacenter: Observed<Text>,
    /// Cluster, by name.
    pub cluster: Observed<Text>,
    /// Host, by name.
    pub host: Observed<Text>,
    /// Folder path.
    pub folder: Observed<Text>,
    /// Operating system as the platform writes it.
    pub os: Observed<Text>,
    /// The same as a product with version, where recognised.
    pub os_product: Observed<Text>,
    /// Virtual processors.
    pub vcpus: Observed<u32>,
    /// Memory.
    pub memory_mib: Observed<u64>,
    /// Number of disks.
    pub disks: Observed<u32>,
    /// Their capacity together.
    pub disk_capacity_mib: Observed<u64>,
    /// Storage in use.
    pub storage_used_mib: Observed<u64>,
    /// Number of network adapters.
    pub nics: Observed<u32>,
    /// Number of VM snapshots.
    pub snapshots: Observed<u32>,
    /// Application.
    pub application: Observed<Text>,
    /// Owner.
    pub owner: Observed<Text>,
    /// Tier.
    pub tier: Observed<Text>,
    /// Data sensitivity.
    pub data_sensitivity: Observed<Text>,
    /// Environment.
    pub environment: Observed<Text>,
    /// Labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub labels: BTreeMap<Text, Text>,
    /// What it leans on: kind and count.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub attachments: BTreeMap<Text, u32>,
    /// How hard it is; only machines have one.
    pub complexity: Option<WorkloadComplexity>,
    /// Verdicts by target; only machines have them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub readiness: BTreeMap<Text, TargetReadiness>,
}
