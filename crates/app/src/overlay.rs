//! Overlays: a table from people (a CMDB extract) that adds application, owner, tier and labels.
//!
//! A row is matched by whatever it names: name, DNS name, IP address, UUID. All that it names must
//! lead to the same one workload; otherwise the row is reported and not used.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::path::Path;

use entente_connect::secrets::redact;
use entente_connect::tables::{Cell, Limits, Row, TableError, Tables, file_name};
use entente_model::{
    ApplicationId, Estate, Finding, Gap, GapCause, Observed, Place, Severity, Source, Tally, Text,
    Uuid,
};

/// Why an overlay cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// It cannot be read as a table.
    #[error("the overlay `{file}` cannot be read: {reason}")]
    Table {
        /// Where.
        file: String,
        /// Why.
        reason: TableError,
    },
    /// Its columns say nothing.
    #[error("the overlay `{file}` has no {missing} (its columns are {found})")]
    Columns {
        /// Where.
        file: String,
        /// What was looked for.
        missing: &'static str,
        /// What was found.
        found: String,
    },
}

/// What identifies a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Name,
    DnsName,
    Address,
    Uuid,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Role {
    Key(Key),
    Application,
    Owner,
    Tier,
    DataSensitivity,
    Environment,
    Label(Text),
}

/// Headers of each role, folded: lower case, words joined by single spaces.
const ROLES: &[(Role, &[&str])] = &[
    (
        Role::Key(Key::Name),
        &["name", "vm", "vm name", "workload", "machine", "server", "server name"],
    ),
    (Role::Key(Key::DnsName), &["dns name", "dns", "fqdn", "hostname", "host name"]),
    (
        Role::Key(Key::Address),
        &["ip", "ip address", "address", "primary ip", "primary ip address", "ipv4"],
    ),
    (Role::Key(Key::Uuid), &["uuid", "vm uuid", "instance uuid", "bios uuid", "smbios uuid"]),
    (
        Role::Application,
        &["application", "application name", "app", "app name", "business application"],
    ),
    (Role::Owner, &["owner", "application owner", "app owner", "responsible", "owned by"]),
    (Role::Tier, &["tier", "service tier", "criticality", "business criticality"]),
    (
        Role::DataSensitivity,
        &[
            "data sensitivity",
            "sensitivity",
            "data classification",
            "classification",
            "confidentiality",
        ],
    ),
    (Role::Environment, &["environment", "env", "stage"]),
];

/// Reads an overlay and lays it over the estate. Rows that match nothing or more than one thing
/// become gaps, with a finding that counts them.
pub fn lay(estate: &mut Estate, path: &Path) -> Result<(), OverlayError> {
    let error = |reason| OverlayError::Table { file: path.display().to_string(), reason };
    let tables = Tables::open(path, Limits::default()).map_err(error)?;
    let mut laying = Laying {
        targets: Targets::of(estate),
        file: Text::from(file_name(path)),
        roles: Vec::new(),
        estate,
        taken: HashMap::new(),
        tally: Tally::default(),
        unmatched: 0,
        ambiguous: 0,
    };
    let mut headers = None;
    let mut sink = |row: &Row<'_>| {
        if headers.is_none() {
            headers = Some(read_headers(row));
            laying.roles = roles(headers.as_deref().unwrap_or_default());
        } else {
            laying.row(row);
        }
        ControlFlow::Continue(())
    };
    if tables.infos().is_empty() {
        return Err(error(TableError::Empty));
    }
    tables.read(0, &mut sink).map_err(error)?;
    check(&laying.roles, &headers.unwrap_or_default(), path)?;
    laying.finish();
    estate.derive_applications();
    Ok(())
}

fn read_headers(row: &Row<'_>) -> Vec<Text> {
    (0..row.len()).map(|column| shown(row.cell(column)).unwrap_or_default()).collect()
}

fn roles(headers: &[Text]) -> Vec<Option<Role>> {
    headers
        .iter()
        .map(|header| {
            let folded = fold(header);
            if folded.is_empty() {
                return None;
            }
            let known = ROLES.iter().find(|(_, names)| names.contains(&folded.as_str()));
            Some(known.map_or_else(|| Role::Label(header.clone()), |(role, _)| role.clone()))
        })
        .collect()
}

fn fold(header: &str) -> String {
    let spaced = header.replace(['_', '-'], " ");
    spaced.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

fn check(roles: &[Option<Role>], headers: &[Text], path: &Path) -> Result<(), OverlayError> {
    let has = |wanted: fn(&Role) -> bool| roles.iter().flatten().any(wanted);
    let missing = if !has(|role| matches!(role, Role::Key(_))) {
        "column that identifies a workload: `name`, `dns_name`, `ip` or `uuid`"
    } else if !has(|role| !matches!(role, Role::Key(_))) {
        "column with something to add: `application`, `owner`, `tier`, `data_sensitivity`, `environment` or a label"
    } else {
        return Ok(());
    };
    Err(OverlayError::Columns {
        file: path.display().to_string(),
        missing,
        found: format!("`{}`", headers.join("`, `")),
    })
}

/// Text of a cell, if any.
fn shown(cell: Cell<'_>) -> Option<Text> {
    match cell {
        Cell::Text(text) => Some(Text::new(text)),
        Cell::Number(number) => Some(Text::from(number.to_string())),
        Cell::Bool(value) => Some(Text::from(value.to_string())),
        Cell::Empty | Cell::Date(_) | Cell::Error(_) => None,
    }
}

/// Workloads by everything that a row may name.
#[derive(Debug, Default)]
struct Targets {
    by_name: HashMap<String, BTreeSet<usize>>,
    by_dns_name: HashMap<String, BTreeSet<usize>>,
    by_address: HashMap<IpAddr, BTreeSet<usize>>,
    by_uuid: HashMap<Uuid, BTreeSet<usize>>,
}

impl Targets {
    fn of(estate: &Estate) -> Self {
        let mut targets = Self::default();
        for (at, workload) in estate.workloads.iter().enumerate() {
            targets.by_name.entry(workload.name.to_lowercase()).or_default().insert(at);
            if let Observed::Value(hostname) = &workload.guest.hostname {
                targets.by_dns_name.entry(hostname.to_lowercase()).or_default().insert(at);
            }
            let primary = workload.guest.primary_address.value();
            let of_nics = workload.nics.iter().flat_map(|nic| &nic.addresses);
            for address in primary.into_iter().chain(of_nics) {
                targets.by_address.entry(*address).or_default().insert(at);
            }
            for uuid in [&workload.instance_uuid, &workload.bios_uuid] {
                if let Observed::Value(uuid) = uuid {
                    targets.by_uuid.entry(*uuid).or_default().insert(at);
                }
            }
        }
        targets
    }

    fn find(&self, key: Key, value: &str) -> Option<&BTreeSet<usize>> {
        match key {
            Key::Name => self.by_name.get(&value.to_lowercase()),
            Key::DnsName => self.by_dns_name.get(&value.to_lowercase()),
            Key::Address => self.by_address.get(&value.parse().ok()?),
            Key::Uuid => self.by_uuid.get(&Uuid::try_parse(value).ok()?),
        }
    }
}

struct Laying<'e> {
    estate: &'e mut Estate,
    targets: Targets,
    file: Text,
    roles: Vec<Option<Role>>,
    /// Workloads that a row has matched, with that row.
    taken: HashMap<usize, u32>,
    tally: Tally,
    unmatched: u64,
    ambiguous: u64,
}

impl Laying<'_> {
    fn row(&mut self, row: &Row<'_>) {
        self.tally.rows += 1;
        self.tally.cells += row.filled();
        let named = self.named(row);
        let Some(at) = self.matched(row, &named) else { return };
        if let Some(before) = self.taken.insert(at, row.number()) {
            self.taken.insert(at, before);
            self.ambiguous += 1;
            let message = format!("row {before} is about the same workload: that one is kept");
            self.gap(GapCause::Conflict, row, &message, &named);
            return;
        }
        self.tally.mapped += 1;
        self.put(row, at);
    }

    /// What the row says to identify its workload.
    fn named(&self, row: &Row<'_>) -> Vec<(Key, Text)> {
        let keys = self.roles.iter().enumerate().filter_map(|(column, role)| match role {
            Some(Role::Key(key)) => Some((*key, shown(row.cell(column))?)),
            _ => None,
        });
        keys.collect()
    }

    fn matched(&mut self, row: &Row<'_>, named: &[(Key, Text)]) -> Option<usize> {
        let found: Vec<&BTreeSet<usize>> =
            named.iter().filter_map(|(key, value)| self.targets.find(*key, value)).collect();
        let Some((first, others)) = found.split_first() else {
            self.unmatched += 1;
            self.gap(GapCause::DanglingReference, row, "no workload matches the row", named);
            return None;
        };
        let mut common: Vec<usize> = first.iter().copied().collect();
        common.retain(|at| others.iter().all(|other| other.contains(at)));
        match common.as_slice() {
            [one] => Some(*one),
            [] => {
                self.ambiguous += 1;
                let message = "what the row names leads to different workloads: it is not used";
                self.gap(GapCause::Ambiguous, row, message, named);
                None
            }
            many => {
                self.ambiguous += 1;
                let message = format!("{} workloads match the row: it is not used", many.len());
                self.gap(GapCause::Ambiguous, row, &message, named);
                None
            }
        }
    }

    fn put(&mut self, row: &Row<'_>, at: usize) {
        let Some(workload) = self.estate.workloads.get_mut(at) else { return };
        let governance = &mut workload.governance;
        for (column, role) in self.roles.iter().enumerate() {
            let (Some(role), Some(value)) = (role, shown(row.cell(column))) else { continue };
            let value = redact(&value).unwrap_or(value);
            match role {
                Role::Key(_) => {}
                Role::Application => {
                    if let Ok(id) = ApplicationId::try_from(value) {
                        governance.application = Observed::Value(id);
                    }
                }
                Role::Owner => governance.owner = Observed::Value(value),
                Role::Tier => governance.tier = Observed::Value(value),
                Role::DataSensitivity => governance.data_sensitivity = Observed::Value(value),
                Role::Environment => governance.environment = Observed::Value(value),
                Role::Label(name) => {
                    governance.labels.insert(name.clone(), value);
                }
            }
        }
    }

    fn gap(&mut self, cause: GapCause, row: &Row<'_>, message: &str, named: &[(Key, Text)]) {
        let values: Vec<&str> = named.iter().map(|(_, value)| value.as_str()).collect();
        self.estate.gaps.push(Gap {
            cause,
            place: Place { file: self.file.clone(), row: Some(row.number()), ..Place::default() },
            message: Text::new(message),
            value: Some(Text::from(values.join(", "))).filter(|it| !it.is_empty()),
            count: 1,
        });
    }

    /// Adds the source and the findings.
    fn finish(self) {
        let finding = |code, message: String, remedy| Finding {
            severity: Severity::Warning,
            code: Text::new_static(code),
            subject: self.file.clone(),
            message: Text::from(message),
            remedy: Text::new_static(remedy),
        };
        if self.unmatched > 0 {
            self.estate.findings.push(finding(
                "ENT-0206",
                format!("{} rows match no workload", self.unmatched),
                "remove what no longer exists, or add a column that identifies it (`ip`, `uuid`)",
            ));
        }
        if self.ambiguous > 0 {
            self.estate.findings.push(finding(
                "ENT-0207",
                format!(
                    "{} rows match more than one workload, or one that another row has",
                    self.ambiguous
                ),
                "add a column that tells them apart (`uuid`)",
            ));
        }
        if let Ok(id) = self.file.parse() {
            self.estate.sources.push(Source {
                id,
                connector: Text::new_static("overlay"),
                location: self.file.clone(),
                version: None,
                taken: None,
                limits: Vec::new(),
                sections: BTreeMap::from([(Text::new_static("rows"), self.tally)]),
            });
        }
        self.estate.gaps.sort();
        self.estate.findings.sort();
    }
}
