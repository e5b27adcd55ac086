//! The estate: its nouns, their ids and units, collections and their gaps.
//!
//! Everything Entente knows is expressed in these types. They hold facts, not opinions: an optional
//! fact is [`Observed`] (a value, an observed absence, or not observed and why), and a list is a
//! [`Listing`] that says whether it is whole.
//!
//! Knows nothing about wire forms, databases, HTTP, async or the clock.

mod collection;
mod control;
mod estate;
mod finding;
mod governance;
mod guest;
mod hardware;
mod ids;
mod infrastructure;
mod moment;
mod observed;
mod reading;
mod together;
mod workload;

pub use collection::{Collection, Gap, GapCause, Place, Source, SourceLimit, Tally};
pub use control::{
    Activity, Alarm, Attachment, AttachmentKind, AuthenticationSource, ControlPlane, Folder, Grant,
    NativePolicy, PlacementGroup, PlacementRule, PlacementRuleKind, Principal, PrincipalKind,
    ProtectionJob, ProtectionKind, Role, StorageAssignment, StoragePolicy, TagCategory, Volume,
    WorkloadOverride,
};
pub use estate::{Estate, EstateIndex};
pub use finding::{Finding, Severity};
pub use governance::{Application, Attribute, AttributeKind, Governance};
pub use guest::{Guest, Partition, Tools, ToolsStatus};
pub use hardware::{
    BusSharing, Cpu, Device, Devices, Disk, DiskMode, DiskSharing, Firmware, FirmwareKind, Memory,
    Nic, RawMapping, VmSnapshot,
};
pub use ids::{
    ApplicationId, ClusterId, DatastoreId, HostId, InvalidId, NetworkId, PlatformId, SourceId,
    WorkloadId,
};
pub use infrastructure::{
    Cluster, Datastore, Host, Licence, Network, Platform, Product, ResourcePool, Switch, SwitchKind,
};
pub use moment::{Date, InvalidMoment, Moment};
pub use observed::{Completeness, Listing, Observed, Why};
pub use reading::{Reader, Reading, UNTOLD_ZONE};
pub use smol_str::SmolStr as Text;
pub use together::{CONFLICTS_OF_A_FACT_MAX, PlatformAccount, same_platforms};
pub use uuid::Uuid;
pub use workload::{
    Availability, IdentityBasis, Placement, PowerState, Setting, Workload, WorkloadKind,
    WorkloadSamples,
};
