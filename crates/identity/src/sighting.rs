//! What goes in: sightings, recorded moves, decisions of people.

use entente_model::{
    Listing, Moment, Observed, PlatformId, PowerState, Text, Uuid, Why, Workload, WorkloadKind,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// From when to when a feed showed a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// Time of the first collection that showed it.
    pub first: OffsetDateTime,
    /// Time of the last collection that showed it; `None` only where the feed shows it to this day.
    /// An export tells of its own time alone: its last is the time of the last export that holds it.
    pub last: Option<OffsetDateTime>,
}

/// One machine as one feed (a platform, read by a connector) showed it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sighting {
    /// The caller's own key; no two sightings share one.
    pub key: Text,
    /// The platform that it was seen on. Two feeds of one platform must name it alike.
    pub platform: PlatformId,
    /// What read the platform.
    pub connector: Text,
    /// From when to when.
    pub seen: Seen,
    /// What it is for.
    pub kind: WorkloadKind,
    /// Its name on the platform.
    pub name: Text,
    /// Power state when it was last seen.
    pub power: Observed<PowerState>,
    /// Its id on the platform. Connectors of one platform must write ids alike: two ids that differ tell
    /// two machines apart.
    pub native_id: Observed<Text>,
    /// Unique per platform.
    pub instance_uuid: Observed<Uuid>,
    /// What the guest sees as its serial number; copies may share it.
    pub bios_uuid: Observed<Uuid>,
    /// Hardware addresses of its network adapters.
    pub macs: Listing<Text>,
    /// Host name that the guest reports.
    pub hostname: Observed<Text>,
    /// Capacities of its disks, in any order; a value only where every disk's capacity is known.
    pub disk_bytes: Observed<Vec<u64>>,
    /// When the platform says that it was created.
    pub created: Observed<Moment>,
    /// Name of the host on which it runs.
    pub runs_on: Observed<Text>,
    /// Its disks are layers over those of another machine, whose UUID it may carry.
    pub linked_clone: Observed<bool>,
}

impl Sighting {
    /// What correlation needs of a workload.
    pub fn of(key: Text, connector: Text, seen: Seen, workload: &Workload) -> Self {
        Self {
            key,
            platform: workload.platform.clone(),
            connector,
            seen,
            kind: workload.kind,
            name: workload.name.clone(),
            power: workload.power.clone(),
            native_id: workload.native_id.clone(),
            instance_uuid: workload.instance_uuid.clone(),
            bios_uuid: workload.bios_uuid.clone(),
            macs: macs(workload),
            hostname: workload.guest.hostname.clone(),
            disk_bytes: disk_bytes(workload),
            created: workload.created.clone(),
            runs_on: Observed::Unobserved(Why::NotSupplied),
            linked_clone: linked_clone(workload),
        }
    }

    /// The same, with the name of the host on which it runs: a workload knows its id alone.
    #[must_use]
    pub fn on_host(self, name: &Text) -> Self {
        Self { runs_on: Observed::Value(name.clone()), ..self }
    }
}

fn macs(workload: &Workload) -> Listing<Text> {
    let items = workload.nics.iter().filter_map(|nic| nic.mac.value().cloned()).collect();
    let gap = workload.nics.iter().find_map(|nic| nic.mac.why());
    match workload.nics.why().or(gap) {
        None => Listing::complete(items),
        Some(why) => Listing::incomplete(items, why),
    }
}

fn disk_bytes(workload: &Workload) -> Observed<Vec<u64>> {
    if let Some(why) = workload.disks.why() {
        return Observed::Unobserved(why);
    }
    let mut sizes = Vec::with_capacity(workload.disks.items.len());
    for disk in &workload.disks {
        match &disk.capacity_bytes {
            Observed::Value(bytes) => sizes.push(*bytes),
            Observed::Absent => return Observed::Unobserved(Why::Blank),
            Observed::Unobserved(why) => return Observed::Unobserved(*why),
        }
    }
    Observed::Value(sizes)
}

/// Proxmox VE writes a linked clone's volume as `base-9000-disk-0/vm-101-disk-0`. Other platforms do not
/// show what lies below a disk in a field of the model, so that nothing found is no knowledge.
fn linked_clone(workload: &Workload) -> Observed<bool> {
    let is_layer = |path: &Text| {
        let mut parts = path.split([':', '/']);
        parts.any(|part| part.starts_with("base-")) && parts.any(|part| part.starts_with("vm-"))
    };
    let found = workload.disks.iter().filter_map(|disk| disk.path.value()).any(is_layer);
    Observed::or_why(found.then_some(true), Why::SourceLimit)
}

/// A move that somebody recorded: what was seen there is what is seen here now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Move {
    /// Key of the sighting before.
    pub from: Text,
    /// Key of the sighting after.
    pub to: Text,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Who or what told: a tool, a plan, an import.
    pub told_by: Text,
}

/// What a person chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// They are the same machine.
    Link,
    /// They are not. Of two choices made at the same time, this one holds: parting loses nothing.
    Unlink,
}

/// A person's decision about two sightings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Decision {
    /// The choice.
    pub choice: Choice,
    /// Key of one sighting.
    pub a: Text,
    /// Key of the other.
    pub b: Text,
    /// Who decided.
    pub by: Text,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Why, in their words.
    pub reason: Text,
}
