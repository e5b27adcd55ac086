//! The control plane of a platform: who may do what, which rules bind workloads, what protects them,
//! and which tools lean on the platform itself.
//!
//! These nouns hold what platforms tell, in terms that all of them share. What only makes sense in a
//! platform's own language (a firewall, a network filter) is kept as it is, as a [`NativePolicy`].

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr as Text;

use crate::ids::{ClusterId, DatastoreId, HostId, PlatformId, WorkloadId};
use crate::moment::Moment;
use crate::observed::{Listing, Observed};

/// Everything of the control plane that was seen.
///
/// A list says nothing about its own completeness: a gap whose section is the list's name does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ControlPlane {
    /// Folders, datacenters and pools in which objects are filed and rights are granted.
    pub folders: Vec<Folder>,
    /// Categories of tags.
    pub tag_categories: Vec<TagCategory>,
    /// Users, groups, tokens.
    pub principals: Vec<Principal>,
    /// Where principals are authenticated.
    pub authentication_sources: Vec<AuthenticationSource>,
    /// Roles.
    pub roles: Vec<Role>,
    /// Who has which role where.
    pub grants: Vec<Grant>,
    /// Groups of workloads or hosts that placement rules speak of.
    pub placement_groups: Vec<PlacementGroup>,
    /// Affinity, anti-affinity and host rules.
    pub placement_rules: Vec<PlacementRule>,
    /// Settings of single workloads that differ from those of their cluster.
    pub overrides: Vec<WorkloadOverride>,
    /// Storage policies.
    pub storage_policies: Vec<StoragePolicy>,
    /// Volumes that a datastore holds.
    pub volumes: Vec<Volume>,
    /// Backup and replication jobs.
    pub protection_jobs: Vec<ProtectionJob>,
    /// Alarms.
    pub alarms: Vec<Alarm>,
    /// Tools that lean on the platform's own interface.
    pub attachments: Vec<Attachment>,
    /// What was done lately, and by whom: a sample.
    pub activities: Vec<Activity>,
    /// Policies in the platform's own language.
    pub policies: Vec<NativePolicy>,
}

/// Does the same to every list.
macro_rules! each_list {
    ($self:ident, $do:ident) => {
        $do!(
            $self, folders tag_categories principals authentication_sources roles grants
            placement_groups placement_rules overrides storage_policies volumes protection_jobs
            alarms attachments activities policies
        )
    };
}

impl ControlPlane {
    /// True if nothing was seen.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what another collection saw.
    pub fn append(&mut self, mut other: Self) {
        macro_rules! append { ($this:ident, $($list:ident)*) => { $($this.$list.append(&mut other.$list);)* } }
        each_list!(self, append);
    }

    /// Sorts every list.
    pub fn sort(&mut self) {
        macro_rules! sort { ($this:ident, $($list:ident)*) => { $($this.$list.sort();)* } }
        each_list!(self, sort);
    }

    /// How many there are of each, by the list's name.
    pub fn counts(&self) -> Vec<(&'static str, usize)> {
        macro_rules! counts { ($this:ident, $($list:ident)*) => { vec![$((stringify!($list), $this.$list.len())),*] } }
        each_list!(self, counts)
    }
}

/// A place in the platform's own hierarchy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Folder {
    /// Where it lives.
    pub platform: PlatformId,
    /// Its id on the platform, `group-v3`.
    pub native_id: Text,
    /// Its path, from the root, names joined by `/`.
    pub path: Text,
    /// What it is to the platform: `datacenter`, `vm-folder`, `pool` …
    pub kind: Text,
}

/// A category of tags.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct TagCategory {
    /// Where it lives.
    pub platform: PlatformId,
    /// Its name.
    pub name: Text,
    /// An object may bear one tag of it at most.
    pub single: Observed<bool>,
    /// Its tags, sorted.
    pub tags: Listing<Text>,
}

/// What a principal is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalKind {
    /// A person or a service that logs in.
    User,
    /// A set of users.
    Group,
    /// A credential of a user that acts on its own.
    Token,
}

/// Somebody or something that rights are granted to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Principal {
    /// Where it is known.
    pub platform: PlatformId,
    /// Its name as the platform writes it, `ops@pam`, `VSPHERE.LOCAL\Administrators`.
    pub name: Text,
    /// What it is.
    pub kind: PrincipalKind,
    /// Name of its [`AuthenticationSource`].
    pub source: Observed<Text>,
    /// May log in.
    pub enabled: Observed<bool>,
    /// Ends; absent = never.
    pub expires: Observed<Moment>,
    /// A token that has only what is granted to itself.
    pub restricted: Observed<bool>,
    /// Groups to which it belongs, sorted.
    pub groups: Listing<Text>,
}

/// Where principals are authenticated: a realm, a domain, an identity provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct AuthenticationSource {
    /// Where it is configured.
    pub platform: PlatformId,
    /// Its name.
    pub name: Text,
    /// Its type as the platform writes it: `pam`, `ad`, `openid` …
    pub kind: Observed<Text>,
    /// A second factor is required.
    pub second_factor: Observed<bool>,
}

/// A named set of privileges.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Role {
    /// Where it is defined.
    pub platform: PlatformId,
    /// Its id on the platform.
    pub native_id: Text,
    /// Its name.
    pub name: Text,
    /// Came with the platform.
    pub builtin: Observed<bool>,
    /// Privileges as the platform writes them, sorted.
    pub privileges: Listing<Text>,
}

/// Who has which role where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Grant {
    /// Where it holds.
    pub platform: PlatformId,
    /// Name of the [`Principal`].
    pub principal: Text,
    /// What the principal is.
    pub principal_kind: PrincipalKind,
    /// Native id of the [`Role`].
    pub role: Text,
    /// Path of the object on which it is granted.
    pub scope: Text,
    /// Id of that object on the platform.
    pub scope_id: Observed<Text>,
    /// Holds for what lies below, too.
    pub propagates: Observed<bool>,
}

/// A group of workloads or hosts that placement rules speak of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlacementGroup {
    /// Where it lives.
    pub platform: PlatformId,
    /// Its cluster; absent where the platform knows no clusters within it.
    pub cluster: Observed<ClusterId>,
    /// Its name.
    pub name: Text,
    /// Workloads in it, sorted.
    pub workloads: Listing<WorkloadId>,
    /// Hosts in it, sorted.
    pub hosts: Listing<HostId>,
}

/// What a placement rule asks for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PlacementRuleKind {
    /// Workloads on one host.
    KeepTogether,
    /// Workloads on different hosts.
    KeepApart,
    /// Workloads on these hosts.
    RunOn,
    /// Workloads on none of these hosts.
    AvoidHosts,
    /// Some workloads start after others.
    StartAfter,
    /// A kind that this version does not know; a gap names it.
    Unknown,
}

/// An affinity, anti-affinity, host or order rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct PlacementRule {
    /// Where it lives.
    pub platform: PlatformId,
    /// Its cluster; absent where the platform knows no clusters within it.
    pub cluster: Observed<ClusterId>,
    /// Its name.
    pub name: Text,
    /// What it asks for.
    pub kind: PlacementRuleKind,
    /// In force.
    pub enabled: Observed<bool>,
    /// Must, not should.
    pub mandatory: Observed<bool>,
    /// Workloads that it binds, sorted.
    pub workloads: Listing<WorkloadId>,
    /// Hosts that it names, sorted.
    pub hosts: Listing<HostId>,
}

/// A setting of one workload that differs from its cluster's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct WorkloadOverride {
    /// The workload.
    pub workload: WorkloadId,
    /// Which function of the cluster: `drs`, `ha`, `dpm` …
    pub function: Text,
    /// The setting as the platform writes it.
    pub setting: Text,
    /// Its value.
    pub value: Text,
}

/// A storage policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct StoragePolicy {
    /// Where it lives.
    pub platform: PlatformId,
    /// Its id on the platform.
    pub native_id: Text,
    /// Its name.
    pub name: Text,
    /// What people say of it.
    pub description: Observed<Text>,
    /// What it is assigned to.
    pub assignments: Listing<StorageAssignment>,
}

/// One assignment of a storage policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct StorageAssignment {
    /// The workload.
    pub workload: WorkloadId,
    /// Device key of the disk; absent = the workload's own files.
    pub disk_key: Observed<Text>,
}

/// A volume or file that a datastore holds for workloads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// Where it lies.
    pub datastore: DatastoreId,
    /// Its name or path, as disks name it.
    pub path: Text,
    /// Format: `qcow2`, `raw` …
    pub format: Observed<Text>,
    /// Size as a guest sees it.
    pub capacity_bytes: Observed<u64>,
    /// Space that it takes: a sample.
    pub allocated_bytes: Observed<u64>,
    /// What it holds: `images`, `iso`, `backup` …
    pub content: Observed<Text>,
    /// The workload to which it belongs; absent = none.
    pub workload: Observed<WorkloadId>,
}

/// What a protection job makes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ProtectionKind {
    /// Restore points.
    Backup,
    /// A copy that follows.
    Replication,
}

/// A backup or replication job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ProtectionJob {
    /// Where it runs.
    pub platform: PlatformId,
    /// Its id on the platform.
    pub native_id: Text,
    /// What it makes.
    pub kind: ProtectionKind,
    /// In force.
    pub enabled: Observed<bool>,
    /// When it runs, as the platform writes it.
    pub schedule: Observed<Text>,
    /// Where copies go.
    pub target: Observed<Text>,
    /// How long copies are kept, as the platform writes it; absent = no rule of its own.
    pub retention: Observed<Text>,
    /// Workloads that it covers, sorted.
    pub workloads: Listing<WorkloadId>,
    /// What else the platform tells of it.
    pub details: BTreeMap<Text, Text>,
}

/// An alarm definition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Alarm {
    /// Where it lives.
    pub platform: PlatformId,
    /// Its id on the platform.
    pub native_id: Text,
    /// Its name.
    pub name: Text,
    /// In force.
    pub enabled: Observed<bool>,
    /// Came with the platform.
    pub builtin: Observed<bool>,
    /// What it does when triggered: `email`, `snmp`, `script` …, sorted.
    pub actions: Listing<Text>,
    /// Objects for which it is triggered now, by id on the platform, sorted: a sample.
    pub triggered: Listing<Text>,
}

/// How a tool is known to lean on a platform.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum AttachmentKind {
    /// It is registered with the platform.
    Extension,
    /// It is logged in.
    Session,
    /// It started tasks lately.
    TaskInitiator,
    /// It holds a token.
    Token,
    /// The platform sends to it: metrics, notifications, logs.
    Receiver,
}

/// A tool that leans on the platform's own interface.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// The platform.
    pub platform: PlatformId,
    /// How it is known.
    pub kind: AttachmentKind,
    /// The tool: key of the extension, user agent, name of the token.
    pub name: Text,
    /// The principal that it uses; absent = none.
    pub principal: Observed<Text>,
    /// Where it comes from.
    pub address: Observed<Text>,
    /// Version of the tool.
    pub version: Observed<Text>,
    /// When it was last seen to do something: a sample.
    pub last_seen: Observed<Moment>,
    /// How often it was seen in what was read: a sample.
    pub count: Observed<u64>,
    /// What else the platform tells of it, secrets redacted.
    pub details: BTreeMap<Text, Text>,
}

/// Something that was done on the platform.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// Where.
    pub platform: PlatformId,
    /// Its id on the platform.
    pub native_id: Text,
    /// When it began.
    pub at: Observed<Moment>,
    /// Who; absent = the platform itself.
    pub principal: Observed<Text>,
    /// What, as the platform writes it: `VirtualMachine.powerOff`, `qmstart` …
    pub action: Text,
    /// On what, by id on the platform; absent = on nothing in particular.
    pub subject: Observed<Text>,
    /// How it ended, as the platform writes it; absent = not yet.
    pub outcome: Observed<Text>,
}

/// A policy in the platform's own language, for the code that speaks it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct NativePolicy {
    /// Where it holds.
    pub platform: PlatformId,
    /// The language: `proxmox-firewall`, `libvirt-nwfilter` …
    pub dialect: Text,
    /// On what, by the platform's own path or id: `cluster`, `node/pve1`, `vm/100` …
    pub scope: Text,
    /// Its name or kind within the scope: `options`, `rules`, `group/web` …
    pub name: Text,
    /// As the platform gives it (JSON or XML), secrets redacted.
    pub body: Text,
}
