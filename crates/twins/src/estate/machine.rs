//! One machine, from its plan: an ordinary one first, then what makes it hard.

mod hardware;

use entente_model::{
    Attribute, AttributeKind, Availability, Cpu, Disk, Governance, Guest, IdentityBasis, Listing,
    Memory, Moment, Nic, Observed, Partition, Placement, PowerState, Text, Tools, ToolsStatus,
    Uuid, VmSnapshot, Why, Workload, WorkloadId, WorkloadKind, WorkloadSamples,
};
use time::{Duration, PrimitiveDateTime};

use super::guests::{DESKTOPS, Os, PHOTON, SERVERS};
use super::hard;
use super::names::NOTES;
use super::plan::{App, Archetype, Kind, MachinePlan, Plan, Role};
use super::site::{GIB, MIB, Place, Site, id};
use crate::random::Random;

/// What no RVTools export can tell.
pub(super) const LIMIT: Why = Why::SourceLimit;

/// A machine in the making.
pub(super) struct Making<'a> {
    pub site: &'a Site,
    pub plan: &'a MachinePlan,
    pub app: &'a App,
    pub place: &'a Place,
    pub random: Random,
    pub os: Os,
}

/// Builds one machine.
pub(super) fn build(site: &Site, plan: &Plan, machine: &MachinePlan) -> Workload {
    let Some(app) = plan.apps.get(machine.app) else {
        unreachable!("every machine of the plan has an application")
    };
    let mut random = site.random.fork("machine", machine.number);
    let os = match (machine.role, app.archetype) {
        (Role::Agent, _) => PHOTON,
        (_, Archetype::Desktop) => *random.weighted(&DESKTOPS),
        _ => *random.weighted(&SERVERS),
    };
    let place = site.place(machine.kind, machine.datacenter, app.number);
    let mut making = Making { site, plan: machine, app, place, random, os };
    if machine.role == Role::Machine {
        hard::choose_os(&mut making);
    }
    let mut workload = making.ordinary();
    match machine.role {
        Role::Machine => hard::apply(&mut making, &mut workload),
        Role::Template => making.into_template(&mut workload),
        Role::Placeholder => making.into_placeholder(&mut workload),
        Role::Agent => making.into_agent(&mut workload),
    }
    finish(&mut workload);
    workload
}

/// Sets what follows from the rest.
fn finish(workload: &mut Workload) {
    let disks: u64 = workload.disks.iter().filter_map(|it| it.capacity_bytes.copied()).sum();
    let thin = workload.disks.iter().any(|it| it.thin.copied() == Some(true));
    let snapshots: u64 = workload.snapshots.iter().filter_map(|it| it.size_bytes.copied()).sum();
    let on = workload.power == Observed::Value(PowerState::On);
    let swap = if on { workload.memory.size_bytes.copied().unwrap_or(0) } else { 0 };
    let used = if thin { disks / 5 * 3 / MIB * MIB } else { disks };
    workload.samples.storage_provisioned_bytes = Observed::Value(disks + swap + snapshots);
    workload.samples.storage_used_bytes = Observed::Value(used + snapshots);
}

impl Making<'_> {
    fn ordinary(&mut self) -> Workload {
        let off = self.random.percent(8);
        let power = if off {
            if self.random.percent(6) { PowerState::Suspended } else { PowerState::Off }
        } else {
            PowerState::On
        };
        let on = power == PowerState::On;
        let tools = self.tools(on);
        let talks = on
            && matches!(
                tools.status,
                Observed::Value(ToolsStatus::Current | ToolsStatus::Outdated)
            );
        let created = self.before(self.site.taken, 20, 2_900);
        let cpu = self.cpu();
        let memory = self.memory(&cpu);
        let disks = self.disks();
        let nics = self.nics(talks);
        Workload {
            id: id(WorkloadId::on(&self.site.platform, &self.native_id())),
            platform: self.site.platform.clone(),
            source: self.site.source.clone(),
            identity: IdentityBasis::PlatformAndNativeId,
            name: self.plan.name.as_str().into(),
            native_id: Observed::Value(self.native_id().into()),
            instance_uuid: Observed::Value(self.uuid(0x50)),
            bios_uuid: Observed::Value(self.uuid(0x42)),
            kind: WorkloadKind::Machine,
            power: Observed::Value(power),
            created: Observed::Value(Moment::Local(created)),
            placement: self.placement(),
            availability: self.availability(on),
            samples: self.samples(&cpu, &memory, on, talks, created),
            guest: self.guest(tools, &disks, &nics, talks),
            cpu,
            memory,
            disks: Listing::complete(disks),
            nics: Listing::complete(nics),
            devices: self.devices(),
            firmware: self.firmware(),
            snapshots: self.snapshots(),
            annotation: self.annotation(),
            attributes: self.attributes(),
            advanced_settings: Listing::unobserved(LIMIT),
            governance: Governance::default(),
        }
    }

    fn native_id(&self) -> String {
        format!("vm-{}", 1001 + self.plan.number)
    }

    /// A UUID that begins as vSphere's do: 42 for SMBIOS, 50 for instances.
    fn uuid(&mut self, first: u64) -> Uuid {
        let high = self.random.next() >> 8 | first << 56;
        Uuid::from_u64_pair(high, self.random.next())
    }

    /// A moment so many days before another.
    pub(super) fn before(
        &mut self,
        moment: PrimitiveDateTime,
        days_min: u64,
        days_max: u64,
    ) -> PrimitiveDateTime {
        let seconds = self.random.between(days_min * 86_400, days_max * 86_400);
        moment.saturating_sub(Duration::seconds(seconds.cast_signed()))
    }

    fn placement(&mut self) -> Placement {
        let pool = match (self.plan.kind, self.random.below(10)) {
            (Kind::Prod, 0..2) => format!("{}/Gold", self.place.pool),
            (Kind::Prod, 2..4) => format!("{}/Bronze", self.place.pool),
            _ => self.place.pool.to_string(),
        };
        let host = self.random.pick(&self.place.hosts).clone();
        Placement {
            datacenter: Observed::Value(self.place.datacenter.clone()),
            cluster: self.place.cluster.clone(),
            host: Observed::Value(host),
            folder: Observed::Value(format!("{}/{}", self.app.department, self.app.name).into()),
            resource_pool: Observed::Value(pool.into()),
            vapp: Observed::Absent,
        }
    }

    fn tools(&mut self, on: bool) -> Tools {
        let status = match self.random.below(100) {
            0..76 if on => ToolsStatus::Current,
            0..93 if on => ToolsStatus::Outdated,
            0..96 => ToolsStatus::NotRunning,
            _ => ToolsStatus::NotInstalled,
        };
        let version = match status {
            ToolsStatus::NotInstalled => Observed::Value("0".into()),
            ToolsStatus::Outdated => {
                Observed::Value(Text::new(self.random.pick(&["10272", "10346", "11297"])))
            }
            _ => Observed::Value(Text::new(self.random.pick(&["12389", "12352", "12421"]))),
        };
        Tools { status: Observed::Value(status), version }
    }

    fn guest(&mut self, tools: Tools, disks: &[Disk], nics: &[Nic], talks: bool) -> Guest {
        let configured = Observed::Value(self.os.configured.into());
        if !talks {
            return Guest { os_configured: configured, tools, ..silent() };
        }
        let hostname: String = self
            .plan
            .name
            .chars()
            .map(|it| if it.is_ascii_alphanumeric() { it.to_ascii_lowercase() } else { '-' })
            .collect();
        let address = nics.first().and_then(|nic| nic.addresses.items.first()).copied();
        Guest {
            os_configured: configured,
            os_reported: Observed::Value(self.os.reported.into()),
            hostname: Observed::Value(format!("{hostname}.corp.example.com").into()),
            primary_address: address.map_or(Observed::Absent, Observed::Value),
            tools,
            partitions: Listing::complete(self.partitions(disks)),
        }
    }

    fn partitions(&mut self, disks: &[Disk]) -> Vec<Partition> {
        const LETTERS: [&str; 10] =
            ["C:\\", "D:\\", "E:\\", "F:\\", "G:\\", "H:\\", "I:\\", "J:\\", "K:\\", "L:\\"];
        const MOUNTS: [&str; 10] = [
            "/", "/var", "/data", "/srv", "/opt", "/u01", "/u02", "/backup", "/export", "/scratch",
        ];
        let names = if self.os.windows { LETTERS } else { MOUNTS };
        let mut partitions = Vec::new();
        if !self.os.windows {
            partitions.push(("/boot", disks.first(), 1014 * MIB));
        }
        for (mount, disk) in names.into_iter().zip(disks) {
            let bytes = disk.capacity_bytes.copied().unwrap_or(0);
            partitions.push((mount, Some(disk), bytes.saturating_sub(1536 * MIB)));
        }
        partitions
            .into_iter()
            .map(|(mount, disk, capacity)| {
                let percent = self.random.between(2, 78);
                Partition {
                    mount: mount.into(),
                    disk_key: disk.map_or(Observed::Unobserved(Why::Blank), |it| it.key.clone()),
                    capacity_bytes: Observed::Value(capacity),
                    free_bytes: Observed::Value(capacity / 100 * percent / MIB * MIB),
                }
            })
            .collect()
    }

    fn snapshots(&mut self) -> Listing<VmSnapshot> {
        let mut snapshots = Vec::new();
        if self.random.percent(4) {
            snapshots.push(self.snapshot("before patching", 12));
        }
        Listing::complete(snapshots)
    }

    /// A VM snapshot at most so many days old.
    pub(super) fn snapshot(&mut self, name: &str, days_max: u64) -> VmSnapshot {
        let created = self.before(self.site.taken, 0, days_max);
        VmSnapshot {
            id: Observed::Unobserved(Why::SourceLimit),
            parent: Observed::Unobserved(Why::SourceLimit),
            name: name.into(),
            description: if self.random.percent(70) {
                Observed::Value("taken by operations".into())
            } else {
                Observed::Absent
            },
            created: Observed::Value(Moment::Local(created)),
            size_bytes: Observed::Value(self.random.between(800, 60_000) * MIB),
            quiesced: Observed::Value(self.random.percent(30)),
            state: Observed::Value("poweredOn".into()),
        }
    }

    fn availability(&mut self, on: bool) -> Availability {
        let clustered = self.place.pod.is_some() && self.plan.kind != Kind::Test;
        Availability {
            ha_protected: Observed::Value(on && clustered),
            ha_restart_priority: Observed::Value("medium".into()),
            ha_isolation_response: Observed::Value("none".into()),
            fault_tolerance: Observed::Absent,
            cluster_rules: Listing::complete(Vec::new()),
            evc_mode_min: if on {
                Observed::Value(self.place.evc.clone())
            } else {
                Observed::Absent
            },
            latency_sensitivity: Observed::Value("normal".into()),
            change_tracking: if self.random.percent(70) {
                Observed::Value(true)
            } else {
                Observed::Absent
            },
            disk_uuid_enabled: if self.random.percent(25) {
                Observed::Value(true)
            } else {
                Observed::Absent
            },
            consolidation_needed: Observed::Value(false),
        }
    }

    fn samples(
        &mut self,
        cpu: &Cpu,
        memory: &Memory,
        on: bool,
        talks: bool,
        created: PrimitiveDateTime,
    ) -> WorkloadSamples {
        let running = u64::from(on);
        let memory = memory.size_bytes.copied().unwrap_or(0) / MIB * running;
        let cpus = u64::from(cpu.count.copied().unwrap_or(1)) * running;
        let idle = self.random.percent(7);
        let active = memory * if idle { 1 } else { self.random.between(4, 60) } / 100;
        let since = self.before(self.site.taken, 0, 15).max(created);
        let since =
            if self.random.percent(60) { self.before(since, 5, 300).max(created) } else { since };
        let ready = self.random.weighted(&[(80, 0), (12, 100), (6, 200), (2, 700)]);
        Samples {
            since: if on { Observed::Value(Moment::Local(since)) } else { Observed::Absent },
            cpu_mhz: cpus * if idle { 6 } else { self.random.between(20, 900) },
            ready: if on { Observed::Value(*ready) } else { Observed::Unobserved(Why::Blank) },
            active,
            consumed: memory * self.random.between(60, 100) / 100,
        }
        .into_samples(on, talks)
    }

    fn annotation(&mut self) -> Observed<Text> {
        if !self.random.percent(55) {
            return Observed::Absent;
        }
        let note = self.random.pick(&NOTES);
        Observed::Value(format!("{} {} tier. {note}", self.app.name, self.plan.tier).into())
    }

    fn attributes(&mut self) -> Listing<Attribute> {
        let mut attributes = Vec::new();
        let mut add = |name: &str, value: String, kind| {
            attributes.push(Attribute {
                name: name.into(),
                value: value.into(),
                kind: Observed::Value(kind),
            });
        };
        if self.random.percent(88) {
            let backup = match self.plan.kind {
                Kind::Test | Kind::Vdi => "none",
                Kind::Sap | Kind::Oracle => "agent-hourly",
                _ => "image-daily",
            };
            add("Backup", backup.to_owned(), AttributeKind::Custom);
            add("CostCentre", cost_centre(self.app), AttributeKind::Custom);
        }
        if self.random.percent(60) {
            let compliance = self.random.pick(&["none", "gdpr", "pci-dss", "sox"]);
            add("Compliance", (*compliance).to_owned(), AttributeKind::Tag);
        }
        if self.random.percent(93) {
            let environment = if self.plan.kind == Kind::Test { "test" } else { "production" };
            add("Environment", environment.to_owned(), AttributeKind::Tag);
            add("Owner", self.app.owner.to_owned(), AttributeKind::Custom);
        }
        attributes.sort();
        Listing::complete(attributes)
    }

    fn into_template(self, workload: &mut Workload) {
        workload.kind = WorkloadKind::Template;
        workload.placement.folder = Observed::Value("Templates".into());
        switch_off(workload);
    }

    /// A stand-in has no disks and no guest; its configuration waits for a fail-over.
    fn into_placeholder(self, workload: &mut Workload) {
        workload.kind = WorkloadKind::RecoveryPlaceholder;
        workload.disks = Listing::complete(Vec::new());
        workload.snapshots = Listing::complete(Vec::new());
        switch_off(workload);
    }

    fn into_agent(self, workload: &mut Workload) {
        workload.kind = WorkloadKind::SystemAgent;
        workload.placement.folder = Observed::Value("vCLS".into());
        workload.placement.resource_pool = Observed::Value(self.place.pool.clone());
        workload.nics = Listing::complete(Vec::new());
        workload.disks.items.truncate(1);
        for disk in &mut workload.disks.items {
            disk.capacity_bytes = Observed::Value(2 * GIB);
        }
        workload.cpu.count = Observed::Value(1);
        workload.cpu.sockets = Observed::Value(1);
        workload.cpu.cores_per_socket = Observed::Value(1);
        workload.memory.size_bytes = Observed::Value(128 * MIB);
        workload.snapshots = Listing::complete(Vec::new());
        workload.attributes = Listing::complete(Vec::new());
        workload.annotation = Observed::Value("vSphere Cluster Service VM".into());
        switch_on(workload);
        quieten(workload, ToolsStatus::NotRunning);
    }
}

/// Samples that belong together.
struct Samples {
    since: Observed<Moment>,
    cpu_mhz: u64,
    ready: Observed<u32>,
    active: u64,
    consumed: u64,
}

impl Samples {
    fn into_samples(self, on: bool, talks: bool) -> WorkloadSamples {
        WorkloadSamples {
            powered_on_since: self.since,
            cpu_used_mhz: Observed::Value(self.cpu_mhz),
            cpu_ready_basis_points: self.ready,
            memory_active_bytes: Observed::Value(self.active * MIB),
            memory_consumed_bytes: Observed::Value(self.consumed * MIB),
            memory_ballooned_bytes: Observed::Value(0),
            memory_swapped_bytes: Observed::Value(0),
            storage_provisioned_bytes: Observed::Value(0),
            storage_used_bytes: Observed::Value(0),
            heartbeat: Observed::Value(if talks { "green" } else { "gray" }.into()),
            guest_state: Observed::Value(if talks { "running" } else { "notRunning" }.into()),
            connection_state: Observed::Value(
                if on || !talks { "connected" } else { "disconnected" }.into(),
            ),
        }
    }
}

/// A guest that reports nothing.
fn silent() -> Guest {
    let silent = Why::GuestSilent;
    Guest {
        os_configured: Observed::Absent,
        os_reported: Observed::Unobserved(silent),
        hostname: Observed::Unobserved(silent),
        primary_address: Observed::Unobserved(silent),
        tools: Tools { status: Observed::Absent, version: Observed::Absent },
        partitions: Listing::unobserved(silent),
    }
}

/// Makes the guest report nothing, for this state of its tools.
pub(super) fn quieten(workload: &mut Workload, status: ToolsStatus) {
    let tools = Tools {
        status: Observed::Value(status),
        version: match status {
            ToolsStatus::NotInstalled => Observed::Value("0".into()),
            _ => workload.guest.tools.version.clone(),
        },
    };
    let configured = workload.guest.os_configured.clone();
    workload.guest = Guest { os_configured: configured, tools, ..silent() };
    for nic in &mut workload.nics.items {
        nic.addresses = Listing::unobserved(Why::GuestSilent);
    }
    workload.samples.heartbeat = Observed::Value("gray".into());
    workload.samples.guest_state = Observed::Value("notRunning".into());
}

/// Turns a machine off, with all that follows.
pub(super) fn switch_off(workload: &mut Workload) {
    workload.power = Observed::Value(PowerState::Off);
    quieten(workload, ToolsStatus::NotRunning);
    workload.availability.ha_protected = Observed::Value(false);
    workload.availability.evc_mode_min = Observed::Absent;
    let samples = &mut workload.samples;
    samples.powered_on_since = Observed::Absent;
    samples.cpu_used_mhz = Observed::Value(0);
    samples.cpu_ready_basis_points = Observed::Unobserved(Why::Blank);
    samples.memory_active_bytes = Observed::Value(0);
    samples.memory_consumed_bytes = Observed::Value(0);
    samples.memory_ballooned_bytes = Observed::Value(0);
    samples.memory_swapped_bytes = Observed::Value(0);
    for nic in &mut workload.nics.items {
        nic.connected = Observed::Value(false);
    }
}

/// Turns a machine on that may have been off.
fn switch_on(workload: &mut Workload) {
    workload.power = Observed::Value(PowerState::On);
    let samples = &mut workload.samples;
    if samples.powered_on_since == Observed::Absent {
        samples.powered_on_since = workload.created.clone();
    }
    if !samples.cpu_ready_basis_points.is_observed() {
        samples.cpu_ready_basis_points = Observed::Value(0);
    }
}

/// The cost centre of an application.
pub(super) fn cost_centre(app: &App) -> String {
    format!("CC-{}", 4000 + crate::random::hash(app.department) % 90 * 10)
}
