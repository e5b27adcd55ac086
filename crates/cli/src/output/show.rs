//! Everything that is known of one workload, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use entente_app::show::{Difference, Shown, Sighting};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::Screens;
use super::links::reasons;
use super::remembered::{ago, at, cell, fact, marked};
use super::summary::size;
use super::table::{Style, Table};

/// What stands before a value that does not stand.
const OTHER: &str = "differs: ";

/// Everything known of one workload.
#[derive(Serialize)]
pub struct Facts {
    #[serde(flatten)]
    shown: Shown,
    #[serde(skip)]
    now: Option<OffsetDateTime>,
}

impl Facts {
    /// From what the store told.
    pub fn of(shown: Shown, now: OffsetDateTime) -> Self {
        Self { shown, now: Some(now) }
    }

    fn age(&self, sighting: &Sighting) -> String {
        let age = self.now.map_or_else(String::new, |now| ago(sighting.observed, now));
        marked(&age, sighting.is_stale)
    }

    fn difference(&self, field: &str) -> Option<&Difference> {
        self.shown.differences.iter().find(|it| it.field == field)
    }

    /// True unless another value of this fact stands.
    fn stands(&self, field: &str, value: &Value) -> bool {
        self.difference(field).is_none_or(|it| it.stands == *value)
    }

    /// Each fact once for each value that is told of it, with the sightings that tell it: the value that
    /// stands first. Where any source knows it, others that do not are left out.
    fn lines(&self) -> Vec<(&str, &Value, Vec<&Sighting>)> {
        let mut order: Vec<&str> = Vec::new();
        let mut told: BTreeMap<&str, Vec<(&Value, Vec<&Sighting>)>> = BTreeMap::new();
        for sighting in &self.shown.sightings {
            for (field, value) in &sighting.facts {
                let values = told.entry(field).or_insert_with(|| {
                    order.push(field);
                    Vec::new()
                });
                match values.iter_mut().find(|it| it.0 == value) {
                    Some(known) => known.1.push(sighting),
                    None => values.push((value, vec![sighting])),
                }
            }
        }
        let is_known = |it: &Value| it.get("unobserved").is_none();
        let mut lines = Vec::new();
        for field in order {
            let Some(mut values) = told.remove(field) else { continue };
            if values.iter().any(|it| is_known(it.0)) {
                values.retain(|it| is_known(it.0));
            } else {
                values.truncate(1);
            }
            values.sort_by_key(|it| !self.stands(field, it.0));
            lines.extend(values.into_iter().map(|(value, by)| (field, value, by)));
        }
        lines
    }

    /// Earlier sightings, and those by other sources: only where there are several.
    fn history(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        if self.shown.history.len() < 2 {
            return Ok(());
        }
        let mut table =
            Table::new(&["seen as", "name", "seen by", "from", "to", "the same, since"]);
        for it in &self.shown.history {
            let same = match it.strength {
                Some(_) => reasons(&it.evidence),
                None => "-".to_owned(),
            };
            table.row([
                it.member.id.clone(),
                it.member.name.clone(),
                it.member.connector.clone(),
                at(it.member.first),
                it.member.last.map_or_else(|| "now".to_owned(), at),
                same,
            ]);
        }
        table.write(style, out)?;
        writeln!(out)
    }
}

impl Screens for Facts {
    fn screens(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}\n", self.shown.id)?;
        self.history(style, out)?;
        let mut table = Table::new(&["fact", "value", "seen by", ">age"]);
        for (field, value, by) in self.lines() {
            let shown = match (field.ends_with("_bytes"), value) {
                (true, Value::Number(bytes)) => size(bytes.as_u64().unwrap_or_default()),
                _ => fact(value),
            };
            let shown = match self.stands(field, value) {
                true => shown,
                false => format!("{OTHER}{shown}"),
            };
            let connectors: BTreeSet<&str> = by.iter().map(|it| it.connector.as_str()).collect();
            let connectors: Vec<&str> = connectors.into_iter().collect();
            let latest = by.iter().max_by_key(|it| it.observed);
            let age = latest.map_or_else(String::new, |it| self.age(it));
            table.row([field.to_owned(), shown, connectors.join(", "), age]);
        }
        table.write(style, out)?;
        for conflict in &self.shown.conflicts {
            writeln!(out, "\nsources disagree: {} [{}]", conflict.message, conflict.code)?;
        }
        Ok(())
    }

    fn rows(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut rows = csv::Writer::from_writer(out);
        rows.write_record([
            "fact",
            "value",
            "unobserved",
            "connector",
            "source",
            "observed",
            "is_stale",
            "platform",
            "id",
            "stands",
        ])?;
        for sighting in &self.shown.sightings {
            for (field, value) in &sighting.facts {
                let why = value.get("unobserved").and_then(Value::as_str).unwrap_or_default();
                let text = if why.is_empty() { cell(value) } else { String::new() };
                let stands = why.is_empty() && self.stands(field, value);
                rows.write_record([
                    field.as_str(),
                    &text,
                    why,
                    &sighting.connector,
                    &sighting.source,
                    &at(sighting.observed),
                    &sighting.is_stale.to_string(),
                    &sighting.platform,
                    &sighting.id,
                    if stands { "yes" } else { "no" },
                ])?;
            }
        }
        rows.flush()
    }
}
