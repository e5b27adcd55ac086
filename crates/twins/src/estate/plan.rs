//! Which machines there are: applications, their size and place, and what makes some of them hard.

use super::names::{APPLICATIONS, DATACENTERS, ODD, QUALIFIERS, team};
use crate::random::Random;

/// What a group of hosts is for. `Branch` hosts stand alone, outside any cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Prod,
    Dmz,
    Test,
    Vdi,
    Sap,
    Oracle,
    Branch,
}

impl Kind {
    pub(super) const ALL: [Self; 7] =
        [Self::Prod, Self::Dmz, Self::Test, Self::Vdi, Self::Sap, Self::Oracle, Self::Branch];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Prod => "prod",
            Self::Dmz => "dmz",
            Self::Test => "test",
            Self::Vdi => "vdi",
            Self::Sap => "sap",
            Self::Oracle => "oracle",
            Self::Branch => "branch",
        }
    }

    /// Machines per host.
    pub(super) fn density(self) -> usize {
        match self {
            Self::Prod => 22,
            Self::Dmz => 14,
            Self::Test => 34,
            Self::Vdi => 60,
            Self::Sap | Self::Oracle => 6,
            Self::Branch => 8,
        }
    }
}

/// What an application is like. All but `Plain` and `Desktop` are hard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Archetype {
    Plain,
    Desktop,
    /// Old systems on old virtual hardware.
    Legacy,
    /// A Windows failover cluster over physical raw devices.
    FailoverCluster,
    /// Replicated to the other site, in a vApp, with overrides.
    Replicated,
    /// An Oracle RAC over multi-writer disks.
    RealApplicationCluster,
    /// Deep snapshots, forgotten media.
    Neglected,
    /// An in-memory database: reservations, latency sensitivity.
    InMemory,
    /// Names and disks out of any scheme.
    Odd,
    /// Tied to a host by a USB dongle or a passed-through adapter.
    Dongle,
    /// A vendor's virtual appliance.
    Appliance,
    /// Mirrored by vSphere Fault Tolerance.
    FaultTolerant,
    /// At the limits of what a machine can be.
    Giant,
}

impl Archetype {
    const HARD: [Self; 11] = [
        Self::Legacy,
        Self::FailoverCluster,
        Self::Replicated,
        Self::RealApplicationCluster,
        Self::Neglected,
        Self::InMemory,
        Self::Odd,
        Self::Dongle,
        Self::Appliance,
        Self::FaultTolerant,
        Self::Giant,
    ];

    /// Machines of one such application, from and to.
    fn machines(self) -> (u64, u64) {
        match self {
            Self::Plain => (4, 14),
            Self::Desktop => (20, 60),
            Self::FailoverCluster | Self::RealApplicationCluster | Self::FaultTolerant => (2, 2),
            Self::Legacy | Self::InMemory => (1, 3),
            Self::Neglected => (1, 2),
            Self::Replicated => (2, 5),
            Self::Odd => (2, 3),
            Self::Appliance => (1, 2),
            Self::Dongle | Self::Giant => (1, 1),
        }
    }

    fn kind(self, random: &mut Random) -> Kind {
        match self {
            Self::Plain => *random.weighted(&[
                (58, Kind::Prod),
                (10, Kind::Dmz),
                (26, Kind::Test),
                (3, Kind::Sap),
                (3, Kind::Branch),
            ]),
            Self::Desktop => Kind::Vdi,
            Self::RealApplicationCluster => Kind::Oracle,
            Self::InMemory | Self::Giant => Kind::Sap,
            Self::Appliance => Kind::Dmz,
            Self::Dongle => *random.pick(&[Kind::Prod, Kind::Branch]),
            Self::Odd | Self::Neglected => *random.pick(&[Kind::Prod, Kind::Test]),
            Self::Legacy | Self::FailoverCluster | Self::Replicated | Self::FaultTolerant => {
                Kind::Prod
            }
        }
    }
}

/// An application of this vCenter.
#[derive(Clone, Debug)]
pub(super) struct App {
    pub number: u64,
    pub name: String,
    pub department: &'static str,
    pub owner: &'static str,
    pub archetype: Archetype,
    pub kind: Kind,
    /// Which of the two datacenters.
    pub datacenter: usize,
}

/// What a machine is, besides an ordinary one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Machine,
    Template,
    /// The stand-in for a machine of the other datacenter.
    Placeholder,
    Agent,
}

/// One machine to be built.
#[derive(Clone, Debug)]
pub(super) struct MachinePlan {
    /// Unique in the vCenter.
    pub number: u64,
    /// Position in [`Plan::apps`].
    pub app: usize,
    /// Position among the application's machines.
    pub node: u64,
    pub name: String,
    pub tier: &'static str,
    pub role: Role,
    pub kind: Kind,
    pub datacenter: usize,
}

/// All machines of one vCenter.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub apps: Vec<App>,
    pub machines: Vec<MachinePlan>,
    /// Odd applications so far: each takes the next odd name.
    odd: usize,
}

impl Plan {
    pub(super) fn new(random: &Random, vcenter: u32, machines: u32) -> Self {
        let machines = u64::from(machines);
        let agents = (machines / 60).min(24);
        let templates = machines * 15 / 1000;
        let placeholders = machines * 2 / 100;
        let ordinary = machines - agents - templates - placeholders;
        let mut plan = Self { apps: Vec::new(), machines: Vec::new(), odd: 0 };
        let datacenters = datacenters(vcenter);
        let mut random = random.fork("plan", 0);
        // Kinds of hardness take turns, so that even small estates have most of them.
        let mut hard = Archetype::HARD.iter().copied().cycle();
        while (plan.machines.len() as u64) < ordinary {
            let left = ordinary - plan.machines.len() as u64;
            let archetype = match random.below(100) {
                0..47 => hard.next().unwrap_or(Archetype::Legacy),
                47..50 => Archetype::Desktop,
                _ => Archetype::Plain,
            };
            plan.add_app(&mut random, archetype, datacenters, left);
        }
        plan.add_placeholders(placeholders);
        plan.add_templates(templates, datacenters);
        let missing = machines - plan.machines.len() as u64;
        plan.add_agents(missing, &mut random);
        plan
    }

    fn add_app(
        &mut self,
        random: &mut Random,
        archetype: Archetype,
        datacenters: [&str; 2],
        left: u64,
    ) {
        let number = self.apps.len() as u64;
        let (name, department) = name_of(number);
        let (name, department) = match archetype {
            Archetype::Desktop => (format!("desktops-{:02}", number + 1), "Workplace"),
            _ => (name, department),
        };
        let app = App {
            number,
            name,
            department,
            owner: team(department),
            archetype,
            kind: archetype.kind(random),
            datacenter: random.weighted(&[(65, 0), (35, 1)]).to_owned(),
        };
        let (low, high) = archetype.machines();
        let size = random.between(low, high).min(left);
        for node in 0..size {
            let machine = self.machine_of(&app, node, size, datacenters);
            self.machines.push(machine);
        }
        self.odd += usize::from(app.archetype == Archetype::Odd);
        self.apps.push(app);
    }

    fn machine_of(&self, app: &App, node: u64, size: u64, datacenters: [&str; 2]) -> MachinePlan {
        let site = datacenters.get(app.datacenter).copied().unwrap_or("fra1");
        let tier = match (app.archetype, node * 10 / size.max(1)) {
            (Archetype::RealApplicationCluster | Archetype::InMemory, _) => "db",
            (Archetype::Desktop, _) => "desktop",
            (Archetype::Plain | Archetype::Replicated, 0..4) => "web",
            (Archetype::Plain | Archetype::Replicated, 4..8) => "app",
            (Archetype::Plain | Archetype::Replicated, _) => "db",
            _ => "app",
        };
        let name = match app.archetype {
            Archetype::Desktop => format!("{site}-w11-{:02}{node:03}", app.number + 1),
            // One odd machine has a twin of its name in another folder.
            Archetype::Odd if node < 2 => odd_name(self.odd),
            Archetype::FaultTolerant => format!("{site}-{}-ft-01", app.name),
            Archetype::RealApplicationCluster => format!("{site}-{}-rac-{:02}", app.name, node + 1),
            Archetype::FailoverCluster => format!("{site}-{}-wsfc-{:02}", app.name, node + 1),
            Archetype::InMemory => format!("{site}-{}-hana-{:02}", app.name, node + 1),
            _ => format!("{site}-{}-{tier}-{:02}", app.name, node + 1),
        };
        MachinePlan {
            number: self.machines.len() as u64,
            app: self.apps.len(),
            node,
            name,
            tier,
            role: Role::Machine,
            kind: app.kind,
            datacenter: app.datacenter,
        }
    }

    /// Stand-ins at the other site, first for what is replicated.
    fn add_placeholders(&mut self, wanted: u64) {
        let replicated = |plan: &Self, machine: &MachinePlan| {
            plan.apps.get(machine.app).is_some_and(|it| it.archetype == Archetype::Replicated)
        };
        let (mut first, rest): (Vec<_>, Vec<_>) = self
            .machines
            .iter()
            .filter(|it| it.kind == Kind::Prod)
            .cloned()
            .partition(|it| replicated(self, it));
        first.extend(rest);
        for protected in first.into_iter().take(wanted.try_into().unwrap_or(0)) {
            self.machines.push(MachinePlan {
                number: self.machines.len() as u64,
                role: Role::Placeholder,
                datacenter: 1 - protected.datacenter.min(1),
                ..protected
            });
        }
    }

    fn add_templates(&mut self, wanted: u64, datacenters: [&str; 2]) {
        const SYSTEMS: [&str; 5] = ["rhel9", "win2022", "ubuntu2204", "sles15", "win11"];
        for (at, system) in (0..wanted).zip(SYSTEMS.iter().cycle()) {
            let datacenter = usize::from(at % 3 == 2);
            let site = datacenters.get(datacenter).copied().unwrap_or("fra1");
            self.machines.push(MachinePlan {
                number: self.machines.len() as u64,
                app: 0,
                node: at,
                name: format!("tmpl-{site}-{system}-{:02}", at / 5 + 1),
                tier: "template",
                role: Role::Template,
                kind: Kind::Prod,
                datacenter,
            });
        }
    }

    /// The cluster services' own machines, three per cluster at most.
    fn add_agents(&mut self, wanted: u64, random: &mut Random) {
        let mut places: Vec<(Kind, usize)> = self
            .machines
            .iter()
            .filter(|it| it.kind != Kind::Branch)
            .map(|it| (it.kind, it.datacenter))
            .collect();
        places.sort_unstable();
        places.dedup();
        for (at, (kind, datacenter)) in (0..wanted).zip(places.into_iter().cycle()) {
            self.machines.push(MachinePlan {
                number: self.machines.len() as u64,
                app: 0,
                node: at,
                name: format!("vCLS-{}", random.uuid()),
                tier: "agent",
                role: Role::Agent,
                kind,
                datacenter,
            });
        }
    }
}

/// The datacenters of a vCenter.
pub(super) fn datacenters(vcenter: u32) -> [&'static str; 2] {
    DATACENTERS.iter().cycle().nth(vcenter as usize % 6).copied().unwrap_or(["fra1", "ams2"])
}

/// Name and department of the `number`th application.
fn name_of(number: u64) -> (String, &'static str) {
    let count = APPLICATIONS.len() as u64;
    let (name, department) =
        APPLICATIONS.get((number % count) as usize).copied().unwrap_or(("payroll", "Finance"));
    let round = number / count;
    let qualifier = QUALIFIERS.get((round % 8) as usize).copied().unwrap_or("");
    let name = match round / 8 {
        0 => format!("{name}{qualifier}"),
        more => format!("{name}{qualifier}-{}", more + 1),
    };
    (name, department)
}

fn odd_name(number: usize) -> String {
    ODD.get(number % ODD.len()).copied().unwrap_or("old dc (clone)").to_owned()
}
