//! Which workloads are one, for people and for programs.

use std::io::{self, Write};

use entente_app::identities::Identities;
use entente_identity::{Evidence, Side, Strength};
use serde::Serialize;

use super::Screens;
use super::summary::grouped;
use super::table::{Style, Table};

/// Which workloads are one.
#[derive(Serialize)]
pub struct Links {
    /// Workloads of which several sightings are known to be one.
    joined: usize,
    links: Vec<LinkLine>,
    contradictions: Vec<String>,
}

#[derive(Serialize)]
struct LinkLine {
    strength: Strength,
    a: String,
    a_name: String,
    b: String,
    b_name: String,
    evidence: Vec<Evidence>,
}

impl Links {
    /// What waits for a decision, or all; of one workload, or of all.
    pub fn of(identities: &Identities, of: Option<&str>, all: bool) -> Self {
        let correlation = &identities.correlation;
        let name =
            |key: &str| identities.members.get(key).map_or_else(String::new, |it| it.name.clone());
        let is_meant = |key: &str| {
            of.is_none_or(|of| {
                let member = identities.members.get(key);
                key == of
                    || member.is_some_and(|it| it.id == of || it.name.eq_ignore_ascii_case(of))
            })
        };
        let links = correlation.links.iter().filter(|it| all || !it.joins());
        let links = links.filter(|it| is_meant(&it.a) || is_meant(&it.b)).map(|it| LinkLine {
            strength: it.strength,
            a: it.a.to_string(),
            a_name: name(&it.a),
            b: it.b.to_string(),
            b_name: name(&it.b),
            evidence: it.evidence.clone(),
        });
        let contradictions = correlation
            .conflicts
            .iter()
            .filter(|it| of.is_none() || it.sightings.iter().any(|key| is_meant(key)))
            .map(ToString::to_string);
        Self {
            joined: correlation.identities.iter().filter(|it| it.sightings.len() > 1).count(),
            links: links.collect(),
            contradictions: contradictions.collect(),
        }
    }
}

/// A word as it is written in JSON.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|it| it.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// A piece of evidence as people read it: `+ mac 00:50:56:…`.
fn evidence(it: &Evidence) -> String {
    let sign = if it.side == Side::For { "+" } else { "-" };
    let values: Vec<&str> = it.values.iter().map(|it| it.as_str()).collect();
    format!("{sign} {} {}", word(&it.kind).replace('-', " "), values.join(" "))
        .trim_end()
        .to_owned()
}

/// Why two are one, in one cell.
pub(super) fn reasons(all: &[Evidence]) -> String {
    all.iter().map(evidence).collect::<Vec<_>>().join(", ")
}

impl Screens for Links {
    fn screens(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(&["link", "one", "name", "other", "name", "evidence"]);
        for it in &self.links {
            let told: Vec<String> = it.evidence.iter().map(evidence).collect();
            table.row([
                match it.strength {
                    Strength::Weak => "proposed".into(),
                    other => word(&other),
                },
                it.a.clone(),
                it.a_name.clone(),
                it.b.clone(),
                it.b_name.clone(),
                told.join(", "),
            ]);
        }
        if !table.is_empty() {
            table.write(style, out)?;
            writeln!(out)?;
        }
        for contradiction in &self.contradictions {
            writeln!(out, "contradiction: {contradiction}")?;
        }
        let proposed = self.links.iter().filter(|it| it.strength == Strength::Weak).count();
        writeln!(
            out,
            "{} workload(s) joined from several sightings; {} proposal(s): `entente link` or `unlink` decides",
            grouped(self.joined as u64),
            grouped(proposed as u64)
        )
    }

    fn rows(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut rows = csv::Writer::from_writer(out);
        rows.write_record(["link", "a", "a_name", "b", "b_name", "evidence"])?;
        for it in &self.links {
            let told: Vec<String> = it.evidence.iter().map(evidence).collect();
            rows.write_record([
                &word(&it.strength),
                &it.a,
                &it.a_name,
                &it.b,
                &it.b_name,
                &told.join(", "),
            ])?;
        }
        rows.flush()
    }
}
