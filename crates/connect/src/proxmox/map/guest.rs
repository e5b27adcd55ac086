//! Guests: QEMU machines and LXC containers.

mod agent;
mod container;
mod devices;
mod disks;
mod listed;
mod machine;
mod nics;
mod settings;
mod snapshots;

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{
    Attribute, AttributeKind, Availability as Leaning, Collection, DiskSharing, Firmware, GapCause,
    Governance, IdentityBasis, Listing, NativePolicy, Observed, Placement, PowerState, TagCategory,
    Text, Why, Workload, WorkloadKind, WorkloadSamples,
};
use serde_json::{Value, json};

use super::{Availability, Context, Nodes, Storages, UsedNetworks, guest_policies, note};
use crate::live::Found;
use crate::proxmox::collect::Answers;
use crate::proxmox::wire::{Record, items};
use crate::secrets::redacted;

pub(in crate::proxmox) use agent::may_answer as agent_may_answer;
use listed::GuestAnswers;
pub(in crate::proxmox) use listed::{Guest, Kind, guests, listed};
pub(in crate::proxmox) use nics::may_filter;

/// Category under which tags are kept: the platform knows none.
const TAGS: &str = "tags";

/// What guests stand on.
pub(in crate::proxmox) struct Ground<'a> {
    /// Nodes.
    pub nodes: &'a Nodes,
    /// Storages.
    pub storages: &'a Storages,
    /// HA.
    pub availability: &'a Availability,
    /// Clock of each node, in MHz.
    pub clocks: BTreeMap<Text, u64>,
}

/// What came of reading one guest.
#[derive(Default)]
pub(in crate::proxmox) struct GuestRead {
    /// The guest.
    pub workload: Option<Workload>,
    /// Its firewall.
    pub policies: Vec<NativePolicy>,
    /// Networks on which it is.
    pub networks: UsedNetworks,
}

fn config<'a>(context: &'a Context<'_>, guest: &Guest, answers: &'a Answers) -> Option<Record<'a>> {
    let value = answers.value(guest.kind.calls().config, &[&guest.node, &guest.vmid])?;
    Record::of(value, "workloads", context.gaps)
}

/// Maps one guest.
pub(in crate::proxmox) fn map_guest(
    context: &Context<'_>,
    guest: &Guest,
    answers: &Answers,
    ground: &Ground<'_>,
) -> GuestRead {
    let calls = guest.kind.calls();
    let args = [guest.node.as_str(), guest.vmid.as_str()];
    let mut read = GuestRead::default();
    let Some(config) = config(context, guest, answers) else {
        let why = if ground.nodes.offline.contains(&guest.node) {
            Why::CallFailed
        } else {
            answers.why(calls.config, &args)
        };
        read.workload = bare(context, guest, ground, why);
        return read;
    };
    note_pending(context, answers, calls, &args);
    let mut workload = match bare(context, guest, ground, Why::Blank) {
        Some(workload) => workload,
        None => return read,
    };
    let view = View { context, guest, config, answers, ground };
    match guest.kind {
        Kind::Machine => machine::fill(&view, &mut workload, &mut read.networks),
        Kind::Container => container::fill(&view, &mut workload, &mut read.networks),
    }
    view.fill_common(&mut workload);
    let interfaces: serde_json::Map<String, Value> = nics::filtered(&config)
        .into_iter()
        .map(|(name, is_filtered)| (name.to_owned(), json!({ "firewall": is_filtered.copied() })))
        .collect();
    read.policies = guest_policies(context, guest, answers, Value::Object(interfaces));
    read.workload = Some(workload);
    read
}

/// One guest with all that was answered about it.
struct View<'a> {
    context: &'a Context<'a>,
    guest: &'a Guest,
    config: Record<'a>,
    answers: &'a Answers,
    ground: &'a Ground<'a>,
}

impl View<'_> {
    fn args(&self) -> [&str; 2] {
        [self.guest.node.as_str(), self.guest.vmid.as_str()]
    }

    /// A text of the configuration.
    fn text(&self, key: &str) -> Observed<Text> {
        self.config.text(key)
    }

    fn unknown(&self, key: &str, value: &str) {
        let message = "a setting has a value that this version does not know";
        let found = Found::of(GapCause::UnknownValue, "workloads", message);
        self.context.gaps.add(found.field(key).value(value));
    }

    fn unreadable(&self, key: &str, value: &str) {
        let message = "a setting cannot be understood";
        let found = Found::of(GapCause::UnreadableValue, "workloads", message);
        self.context.gaps.add(found.field(key).value(value));
    }

    /// What both kinds have in common.
    fn fill_common(&self, workload: &mut Workload) {
        workload.annotation = note(self.text("description"));
        workload.attributes = match self.text("tags") {
            Observed::Value(tags) => Listing::complete(tags_of(&tags)),
            Observed::Absent => Listing::complete(Vec::new()),
            Observed::Unobserved(why) => Listing::unobserved(why),
        };
        workload.power = self.power();
        workload.snapshots = snapshots::snapshots(self);
        workload.advanced_settings = settings::settings(self);
        let capacities: Option<u64> =
            workload.disks.iter().map(|it| it.capacity_bytes.copied()).sum();
        // What some disks hold is not what all of them hold.
        workload.samples.storage_provisioned_bytes = match workload.disks.why() {
            Some(why) => Observed::Unobserved(why),
            None => Observed::or_why(capacities, Why::Blank),
        };
    }

    /// Power, by what the process says where there is one, and by the lock of one put to sleep on disk.
    fn power(&self) -> Observed<PowerState> {
        let calls = self.guest.kind.calls();
        let status = self
            .answers
            .value(calls.status, &self.args())
            .and_then(|it| Record::of(it, "workloads", self.context.gaps));
        let process = status.map_or(Observed::Absent, |it| it.text("qmpstatus"));
        let status = match status.map(|it| it.text("status")) {
            Some(Observed::Value(status)) => Observed::Value(status),
            _ => self.guest.status.clone(),
        };
        match (status.value().map(Text::as_str), process.value().map(Text::as_str)) {
            (Some("running"), Some("paused" | "suspended")) => PowerState::Suspended.into(),
            (Some("running"), _) => PowerState::On.into(),
            (Some("stopped"), _)
                if self.text("lock").value().is_some_and(|it| it == "suspended") =>
            {
                PowerState::Suspended.into()
            }
            (Some("stopped"), _) => PowerState::Off.into(),
            _ => power(self.context, &status),
        }
    }
}

/// Power, by the word in lists.
fn power(context: &Context<'_>, status: &Observed<Text>) -> Observed<PowerState> {
    match status.value().map(Text::as_str) {
        Some("running") => PowerState::On.into(),
        Some("stopped") => PowerState::Off.into(),
        Some("paused" | "suspended") => PowerState::Suspended.into(),
        Some("unknown") | None => Observed::Unobserved(Why::CallFailed),
        Some(other) => {
            let message = "a guest is in a state that this version does not know";
            let found = Found::of(GapCause::UnknownValue, "workloads", message);
            context.gaps.add(found.field("status").value(other));
            Observed::Unobserved(Why::Unreadable)
        }
    }
}

fn tags_of(text: &str) -> Vec<Attribute> {
    let tags: BTreeSet<&str> = items(text).collect();
    tags.into_iter()
        .map(|tag| Attribute {
            name: Text::new_static(TAGS),
            value: redacted(tag),
            kind: AttributeKind::Tag.into(),
        })
        .collect()
}

/// Changes that wait for the next start: what is told is what runs now.
fn note_pending(context: &Context<'_>, answers: &Answers, calls: &GuestAnswers, args: &[&str]) {
    let list = answers.list(calls.pending, args).unwrap_or_default();
    let waits = |it: &Value| {
        it.get("pending").is_some() || it.get("delete").is_some_and(|it| it.as_u64() != Some(0))
    };
    if list.iter().any(waits) {
        let message = "guests have changes that wait for their next start: what is told here is what runs now";
        let found = Found::of(GapCause::NotModelled, "workloads", message).field("pending");
        context.gaps.add(args.get(1).map_or(found, |it| found.value(it)));
    }
}

/// A guest of which only lists tell.
fn bare(context: &Context<'_>, guest: &Guest, ground: &Ground<'_>, why: Why) -> Option<Workload> {
    let id = context.workload(&guest.vmid)?;
    let name = match &guest.name {
        Observed::Value(name) if !name.trim().is_empty() => name.clone(),
        _ => guest.vmid.clone(),
    };
    Some(Workload {
        id,
        platform: context.platform.clone(),
        source: context.source.clone(),
        identity: IdentityBasis::NativeId,
        name,
        native_id: guest.vmid.clone().into(),
        instance_uuid: Observed::Unobserved(Why::SourceLimit),
        bios_uuid: Observed::Unobserved(why),
        kind: match (guest.is_template, guest.kind) {
            (true, _) => WorkloadKind::Template,
            (false, Kind::Machine) => WorkloadKind::Machine,
            (false, Kind::Container) => WorkloadKind::Container,
        },
        power: power(context, &guest.status),
        created: Observed::Unobserved(why),
        placement: Placement {
            datacenter: Observed::Absent,
            cluster: ground.nodes.cluster_id(context),
            host: Observed::or_why(context.host(&guest.node), Why::Unreadable),
            folder: guest.pool.clone(),
            resource_pool: Observed::Absent,
            vapp: Observed::Absent,
        },
        cpu: bare_cpu(guest, why),
        memory: bare_memory(guest, why),
        disks: Listing::unobserved(why),
        nics: Listing::unobserved(why),
        devices: devices::none(why),
        firmware: Firmware {
            kind: Observed::Unobserved(why),
            secure_boot: Observed::Unobserved(why),
            hardware_version: Observed::Unobserved(Why::SourceLimit),
        },
        snapshots: Listing::unobserved(why),
        guest: agent::silent(why),
        availability: leaning(&guest.vmid, ground.availability),
        annotation: Observed::Unobserved(why),
        attributes: Listing::unobserved(why),
        advanced_settings: Listing::unobserved(why),
        governance: Governance::default(),
        samples: samples(context, guest),
    })
}

/// Blank is not absent: lists show numbers of every guest.
fn not_blank(number: &Observed<u64>, why: Why) -> Observed<u64> {
    match number {
        Observed::Absent => Observed::Unobserved(why),
        told => told.clone(),
    }
}

fn bare_cpu(guest: &Guest, why: Why) -> entente_model::Cpu {
    entente_model::Cpu {
        count: not_blank(&guest.processors, why)
            .and_then(|count| Observed::or_why(u32::try_from(count).ok(), Why::Unreadable)),
        sockets: Observed::Unobserved(why),
        cores_per_socket: Observed::Unobserved(why),
        hot_add: Observed::Unobserved(why),
        hot_remove: Observed::Unobserved(why),
        reservation_mhz: Observed::Value(0),
        limit_mhz: Observed::Unobserved(why),
        shares_level: Observed::Unobserved(why),
        affinity: Observed::Unobserved(why),
        numa_affinity: Observed::Unobserved(why),
    }
}

fn bare_memory(guest: &Guest, why: Why) -> entente_model::Memory {
    entente_model::Memory {
        size_bytes: not_blank(&guest.memory_bytes, why),
        reservation_bytes: Observed::Unobserved(why),
        reservation_locked_to_max: Observed::Unobserved(why),
        limit_bytes: Observed::Absent,
        shares_level: Observed::Unobserved(why),
        hot_add: Observed::Unobserved(why),
    }
}

fn leaning(vmid: &str, availability: &Availability) -> Leaning {
    Leaning {
        ha_protected: availability.is_guarded(vmid),
        ha_restart_priority: Observed::Unobserved(Why::SourceLimit),
        ha_isolation_response: Observed::Unobserved(Why::SourceLimit),
        fault_tolerance: Observed::Absent,
        cluster_rules: availability.rules_of(vmid),
        evc_mode_min: Observed::Unobserved(Why::SourceLimit),
        latency_sensitivity: Observed::Unobserved(Why::SourceLimit),
        change_tracking: Observed::Unobserved(Why::SourceLimit),
        disk_uuid_enabled: Observed::Unobserved(Why::SourceLimit),
        consolidation_needed: Observed::Unobserved(Why::SourceLimit),
    }
}

fn samples(context: &Context<'_>, guest: &Guest) -> WorkloadSamples {
    WorkloadSamples {
        powered_on_since: match (guest.is_running(), guest.uptime_seconds.copied()) {
            (true, Some(seconds)) => context.ago(seconds),
            (false, _) if guest.status.value().is_some_and(|it| it == "stopped") => {
                Observed::Absent
            }
            _ => Observed::Unobserved(Why::Blank),
        },
        cpu_used_mhz: Observed::Unobserved(Why::SourceLimit),
        cpu_ready_basis_points: Observed::Unobserved(Why::SourceLimit),
        memory_active_bytes: Observed::Unobserved(Why::SourceLimit),
        memory_consumed_bytes: not_blank(&guest.memory_used_bytes, Why::Blank),
        memory_ballooned_bytes: Observed::Unobserved(Why::SourceLimit),
        memory_swapped_bytes: Observed::Unobserved(Why::SourceLimit),
        storage_provisioned_bytes: Observed::Unobserved(Why::Blank),
        storage_used_bytes: Observed::Unobserved(Why::SourceLimit),
        heartbeat: Observed::Unobserved(Why::SourceLimit),
        guest_state: guest.status.clone(),
        connection_state: Observed::Unobserved(Why::SourceLimit),
    }
}

/// The one category of tags, with all that guests bear.
pub(in crate::proxmox) fn tags(context: &Context<'_>, collection: &mut Collection) {
    let all: Vec<&Attribute> = collection.workloads.iter().flat_map(|it| &it.attributes).collect();
    let tags: BTreeSet<&Text> = all.into_iter().map(|it| &it.value).collect();
    if tags.is_empty() {
        return;
    }
    let tags = tags.into_iter().cloned().collect();
    collection.control.tag_categories.push(TagCategory {
        platform: context.platform.clone(),
        name: Text::new_static(TAGS),
        single: Observed::Value(false),
        // Tags that nothing bears are not told.
        tags: Listing::incomplete(tags, Why::SourceLimit),
    });
}

/// Marks disks whose volume more than one guest uses: the platform has no word for it.
pub(in crate::proxmox) fn share_disks(workloads: &mut [Workload]) {
    let mut users: BTreeMap<(Text, Text), u32> = BTreeMap::new();
    let place = |disk: &entente_model::Disk| {
        let (store, path) = (disk.datastore.value()?, disk.path.value()?);
        Some((Text::from(store.as_str()), path.clone()))
    };
    for disk in workloads.iter().flat_map(|it| &it.disks) {
        if let Some(place) = place(disk) {
            *users.entry(place).or_default() += 1;
        }
    }
    for disk in workloads.iter_mut().flat_map(|it| &mut it.disks.items) {
        if place(disk).is_some_and(|it| users.get(&it).is_some_and(|users| *users > 1)) {
            disk.sharing = DiskSharing::MultiWriter.into();
        }
    }
}
