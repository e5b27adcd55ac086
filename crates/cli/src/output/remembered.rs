//! What the store told, for people and for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use entente_app::freshness::{Aged, Span};
use entente_app::remembered::Imported;
use entente_model::{Estate, Observed};
use entente_store::{Age, Compacted, Stats};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::Screens;
use super::platforms::Changes;
use super::summary::{grouped, size};
use super::table::{Style, Table};

/// Longest value in a cell for people, in characters.
const VALUE_CHARACTERS_MAX: usize = 60;

/// A time as people read it.
pub(super) fn at(time: OffsetDateTime) -> String {
    entente_model::Moment::Utc(time).to_string()
}

/// How long ago.
pub(super) fn ago(time: OffsetDateTime, now: OffsetDateTime) -> String {
    Span((now - time).try_into().unwrap_or_default()).to_string()
}

/// An age, and whether it is more than it may be.
pub(super) fn marked(age: &str, is_stale: bool) -> String {
    if is_stale { format!("{age} (stale)") } else { age.to_owned() }
}

/// A fact as people read it: `?` and why where it was not observed, `-` where there is none.
pub(super) fn fact(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Object(fields) => match fields.get("unobserved").and_then(Value::as_str) {
            Some(why) => format!("? ({why})"),
            None => value.to_string(),
        },
        other => other.to_string(),
    };
    let shown: String = text.chars().take(VALUE_CHARACTERS_MAX).collect();
    if shown.len() < text.len() { format!("{shown}…") } else { shown }
}

/// A fact as programs read it: empty where there is none.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What was put in.
#[derive(Serialize)]
pub struct Imports {
    imported: Vec<Import>,
}

#[derive(Serialize)]
struct Import {
    path: String,
    platforms: Vec<String>,
    objects: u64,
    gaps: u64,
    changes: Changes,
}

impl Imports {
    /// From what became of each.
    pub fn of(imported: &[Imported]) -> Self {
        let import = |it: &Imported| Import {
            path: it.path.display().to_string(),
            platforms: it.platforms.clone(),
            objects: it.written.objects,
            gaps: it.gaps,
            changes: Changes::of(&it.written),
        };
        Self { imported: imported.iter().map(import).collect() }
    }
}

impl Screens for Imports {
    fn screens(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(&["imported", "platforms", ">objects", ">gaps", "changes"]);
        for it in &self.imported {
            table.row([
                it.path.clone(),
                it.platforms.join(", "),
                grouped(it.objects),
                grouped(it.gaps),
                it.changes.short(),
            ]);
        }
        table.write(style, out)
    }

    fn rows(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut rows = csv::Writer::from_writer(out);
        rows.write_record(["path", "platforms", "objects", "gaps", "changes"])?;
        for it in &self.imported {
            rows.write_record([
                it.path.as_str(),
                &it.platforms.join(" "),
                &it.objects.to_string(),
                &it.gaps.to_string(),
                &it.changes.short(),
            ])?;
        }
        rows.flush()
    }
}

/// The finding that sources disagree.
const CONFLICT: &str = "ENT-0211";

/// The estate in a few lines.
#[derive(Serialize)]
pub struct Summary {
    platforms: Vec<PlatformLine>,
    workloads: Counted,
    conflicts: usize,
    objects: BTreeMap<&'static str, usize>,
    gaps: u64,
}

/// How many, each counted once.
#[derive(Serialize)]
struct Counted {
    total: usize,
    seen_by_two: usize,
    seen_by_more: usize,
}

#[derive(Serialize)]
struct PlatformLine {
    platform: String,
    connector: String,
    #[serde(with = "time::serde::rfc3339")]
    observed: OffsetDateTime,
    age: String,
    /// Older than it may be: it may not be so any more.
    is_stale: bool,
    limit: String,
    workloads: usize,
    powered_on: usize,
    hosts: usize,
    clusters: usize,
    datastores: usize,
    networks: usize,
}

impl Summary {
    /// From an estate and the ages of what it is made of.
    pub fn of(estate: &Estate, ages: &[Aged]) -> Self {
        // A platform that sources name differently is here by one name.
        let name = |age: &Age| {
            let names = estate.also_known_as.iter().find(|it| it.0.as_str() == age.platform);
            names.map_or(age.platform.clone(), |it| it.1.to_string())
        };
        let line = |aged: &Aged| {
            let age = &aged.reading;
            let name = name(age);
            let here = |it: &entente_model::PlatformId| it.as_str() == name;
            let on = Observed::Value(entente_model::PowerState::On);
            let workloads = estate.workloads.iter().filter(|it| here(&it.platform));
            PlatformLine {
                connector: age.connector.clone(),
                observed: age.observed,
                age: Span(aged.age).to_string(),
                is_stale: aged.is_stale(),
                limit: Span(aged.limit).to_string(),
                workloads: workloads.clone().count(),
                powered_on: workloads.filter(|it| it.power == on).count(),
                hosts: estate.hosts.iter().filter(|it| here(&it.platform)).count(),
                clusters: estate.clusters.iter().filter(|it| here(&it.platform)).count(),
                datastores: estate.datastores.iter().filter(|it| here(&it.platform)).count(),
                networks: estate.networks.iter().filter(|it| here(&it.platform)).count(),
                platform: name,
            }
        };
        let known =
            |age: &&Aged| estate.platforms.iter().any(|it| it.id.as_str() == name(&age.reading));
        let seen_by = |is_many: fn(usize) -> bool| {
            let here = estate.workloads.iter().filter_map(|it| estate.seen_by.get(&it.id));
            here.filter(|it| is_many(it.len())).count()
        };
        Self {
            platforms: ages.iter().filter(known).map(line).collect(),
            workloads: Counted {
                total: estate.workloads.len(),
                seen_by_two: seen_by(|sources| sources == 2),
                seen_by_more: seen_by(|sources| sources > 2),
            },
            conflicts: estate.findings.iter().filter(|it| it.code == CONFLICT).count(),
            objects: estate.control.counts().into_iter().filter(|it| it.1 > 0).collect(),
            gaps: estate.gaps.iter().map(|it| it.count).sum(),
        }
    }
}

impl Screens for Summary {
    fn screens(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(&[
            "platform",
            "seen by",
            ">age",
            ">workloads",
            ">on",
            ">hosts",
            ">clusters",
            ">datastores",
            ">networks",
        ]);
        for it in &self.platforms {
            let count = |count: usize| grouped(count as u64);
            table.row([
                it.platform.clone(),
                it.connector.clone(),
                marked(&it.age, it.is_stale),
                count(it.workloads),
                count(it.powered_on),
                count(it.hosts),
                count(it.clusters),
                count(it.datastores),
                count(it.networks),
            ]);
        }
        table.write(style, out)?;
        for it in self.platforms.iter().filter(|it| it.is_stale) {
            let PlatformLine { platform, connector, age, limit, .. } = it;
            writeln!(
                out,
                "\nstale: {platform} as {connector} saw it {age} ago, and it may be {limit} old: it may not be so any more"
            )?;
        }
        if !self.objects.is_empty() {
            writeln!(out)?;
            let mut table = Table::new(&["around them", ">count"]);
            for (kind, count) in &self.objects {
                table.row([kind.replace('_', " "), grouped(*count as u64)]);
            }
            table.write(style, out)?;
        }
        let Counted { total, seen_by_two, seen_by_more } = self.workloads;
        let of_these: Vec<String> = [(seen_by_two, "two"), (seen_by_more, "more")]
            .iter()
            .filter(|it| it.0 > 0)
            .map(|(count, sources)| format!("{} seen by {sources} sources", grouped(*count as u64)))
            .collect();
        let of_these = match of_these.is_empty() {
            true => String::new(),
            false => format!(" ({})", of_these.join(", ")),
        };
        writeln!(out, "\n{} workloads{of_these}", grouped(total as u64))?;
        if self.conflicts > 0 {
            writeln!(
                out,
                "sources disagree: {} findings, `entente query \"select subject, message from findings where code = '{CONFLICT}'\"` shows them",
                grouped(self.conflicts as u64)
            )?;
        }
        writeln!(
            out,
            "{} gaps: `entente estate LIST` shows a list, `entente show WORKLOAD` everything known of one workload",
            grouped(self.gaps)
        )
    }

    fn rows(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut rows = csv::Writer::from_writer(out);
        for it in &self.platforms {
            rows.serialize(it)?;
        }
        rows.flush()
    }
}

/// What people are shown of some lists; of others, the facts on their surface.
const COLUMNS: &[(&str, &[&str])] = &[
    (
        "workloads",
        &[
            "platform",
            "name",
            "power",
            "cpu.count",
            "memory.size_bytes",
            "placement.cluster",
            "placement.host",
            "guest.os_configured",
            "guest.primary_address",
        ],
    ),
    (
        "hosts",
        &["platform", "name", "cluster", "version", "cores", "memory_bytes", "in_maintenance"],
    ),
    (
        "clusters",
        &[
            "platform",
            "name",
            "datacenter",
            "host_count",
            "cpu_cores",
            "memory_bytes",
            "ha_enabled",
            "drs_enabled",
        ],
    ),
    ("datastores", &["platform", "name", "kind", "capacity_bytes", "free_bytes", "accessible"]),
    ("networks", &["platform", "name", "switch", "vlan"]),
];

/// Columns of a list for people where none are chosen.
const COLUMNS_MAX: usize = 6;

/// One list of the estate.
pub struct List {
    kind: &'static str,
    objects: Vec<Value>,
}

impl Serialize for List {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.objects.serialize(serializer)
    }
}

impl List {
    /// From an estate, what is wanted of it.
    pub fn of(
        estate: &Estate,
        kind: &'static str,
        wanted: &dyn Fn(&str) -> bool,
        name: Option<&str>,
    ) -> Self {
        let needle = name.map(str::to_lowercase);
        let is_wanted = |it: &Value| {
            let text = |field: &str| it.get(field).and_then(Value::as_str);
            let id = text("platform").or(text("id")).or(text("workload")).or(text("datastore"));
            let platform = id.map_or("", |it| it.split('/').next().unwrap_or_default());
            let named = ["name", "path", "principal", "id"].iter().find_map(|it| text(it));
            wanted(platform)
                && needle.as_ref().is_none_or(|needle| {
                    named.is_some_and(|it| it.to_lowercase().contains(needle.as_str()))
                })
        };
        let mut objects: Vec<Value> = objects(estate, kind).into_iter().filter(is_wanted).collect();
        if kind == "workloads" {
            objects.iter_mut().for_each(|it| told_by(estate, it));
        }
        Self { kind, objects }
    }

    fn columns(&self) -> Vec<String> {
        if let Some((_, columns)) = COLUMNS.iter().find(|it| it.0 == self.kind) {
            return columns.iter().map(|it| (*it).to_owned()).collect();
        }
        let Some(Value::Object(fields)) = self.objects.first() else { return Vec::new() };
        let is_scalar = |it: &&String| {
            !fields.get(*it).is_some_and(|it| it.is_array() || it.get("items").is_some())
        };
        fields.keys().filter(is_scalar).take(COLUMNS_MAX).cloned().collect()
    }
}

/// Adds by which sources a workload is seen, where they are several.
fn told_by(estate: &Estate, workload: &mut Value) {
    let id = workload.get("id").and_then(Value::as_str).and_then(|it| it.parse().ok());
    let sources = id.and_then(|id| estate.seen_by.get(&id));
    if let (Some(sources), Value::Object(fields)) = (sources, workload) {
        let sources = sources.iter().map(|it| Value::from(it.as_str())).collect();
        fields.insert("seen_by".into(), Value::Array(sources));
    }
}

/// The objects of one list.
fn objects(estate: &Estate, kind: &str) -> Vec<Value> {
    let list = match kind {
        "platforms" => serde_json::to_value(&estate.platforms),
        "products" => serde_json::to_value(&estate.products),
        "clusters" => serde_json::to_value(&estate.clusters),
        "hosts" => serde_json::to_value(&estate.hosts),
        "datastores" => serde_json::to_value(&estate.datastores),
        "switches" => serde_json::to_value(&estate.switches),
        "networks" => serde_json::to_value(&estate.networks),
        "resource_pools" => serde_json::to_value(&estate.resource_pools),
        "licences" => serde_json::to_value(&estate.licences),
        "workloads" => serde_json::to_value(&estate.workloads),
        _ => serde_json::to_value(&estate.control)
            .map(|mut control| control.get_mut(kind).map(Value::take).unwrap_or_default()),
    };
    match list {
        Ok(Value::Array(objects)) => objects,
        _ => Vec::new(),
    }
}

/// What stands at a path such as `cpu.count`.
fn at_path<'a>(value: &'a Value, path: &str) -> &'a Value {
    const NONE: &Value = &Value::Null;
    path.split('.').try_fold(value, |value, name| value.get(name)).unwrap_or(NONE)
}

impl Screens for List {
    fn screens(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let columns = self.columns();
        let names: Vec<String> = columns
            .iter()
            .map(|it| {
                it.rsplit('.').next().unwrap_or(it).trim_end_matches("_bytes").replace('_', " ")
            })
            .collect();
        let mut table = Table::of(names);
        for object in &self.objects {
            // Ids of things on the same platform need not say so again.
            let platform = object.get("platform").and_then(Value::as_str).unwrap_or_default();
            let shown = |path: &String| match (path.ends_with("_bytes"), at_path(object, path)) {
                (true, Value::Number(bytes)) => size(bytes.as_u64().unwrap_or_default()),
                (_, Value::String(id)) => {
                    let own = id.strip_prefix(platform).and_then(|it| it.strip_prefix('/'));
                    fact(&Value::from(own.unwrap_or(id)))
                }
                (_, value) => fact(value),
            };
            table.cells(columns.iter().map(shown).collect());
        }
        table.write(style, out)?;
        writeln!(out, "\n{} {}", grouped(self.objects.len() as u64), self.kind.replace('_', " "))
    }

    fn rows(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut rows = csv::Writer::from_writer(out);
        let mut columns = self.columns();
        if self.objects.first().is_some_and(|it| it.get("id").is_some()) {
            columns.insert(0, "id".into());
        }
        rows.write_record(&columns)?;
        for object in &self.objects {
            rows.write_record(columns.iter().map(|path| cell(at_path(object, path))))?;
        }
        rows.flush()
    }
}

/// Several figures, by name.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Sizes {
    figures: Vec<(String, String)>,
}

impl Sizes {
    /// Of a store.
    pub fn of(stats: Stats) -> Self {
        let time = |it: Option<OffsetDateTime>| it.map_or_else(|| "-".into(), at);
        let mut figures = vec![("size".to_owned(), size(stats.bytes))];
        figures.push(("first reading".into(), time(stats.first)));
        figures.push(("latest reading".into(), time(stats.latest)));
        let rows = stats.rows.iter().map(|(table, rows)| (table.replace('_', " "), grouped(*rows)));
        figures.extend(rows);
        Self { figures }
    }
}

impl Sizes {
    /// Of a compaction.
    pub fn gone(gone: Compacted) -> Self {
        let figures =
            [("states", gone.states), ("daily samples", gone.samples), ("things", gone.things)];
        Self { figures: figures.map(|(name, count)| (name.to_owned(), grouped(count))).into() }
    }
}

impl Screens for Sizes {
    fn screens(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(&["what", ">figure"]);
        for (name, figure) in &self.figures {
            table.row([name.clone(), figure.clone()]);
        }
        table.write(style, out)
    }

    fn rows(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut rows = csv::Writer::from_writer(out);
        for (name, figure) in &self.figures {
            rows.write_record([name, figure])?;
        }
        rows.flush()
    }
}

/// What does not hold together.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Mistakes {
    mistakes: Vec<String>,
}

impl Mistakes {
    /// Of a store.
    pub fn of(mistakes: Vec<String>) -> Self {
        Self { mistakes }
    }
}

impl Screens for Mistakes {
    fn screens(&self, _: Style, out: &mut dyn Write) -> io::Result<()> {
        for mistake in &self.mistakes {
            writeln!(out, "{mistake}")?;
        }
        if self.mistakes.is_empty() {
            writeln!(out, "the store holds together")?;
        }
        Ok(())
    }

    fn rows(&self, out: &mut dyn Write) -> io::Result<()> {
        self.screens(Style::Text, out)
    }
}
