//! What `entente check` and `entente collect` found, for people and for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use entente_app::collect::{Kept, Outcome, Place, PlatformError};
use entente_app::watch::{Event, Happened};
use entente_connect::live::{CheckReport, RightState};
use entente_model::Gap;
use entente_store::{Compacted, Written};
use serde::Serialize;

use super::Screens;
use super::summary::{grouped, size};
use super::table::{Style, Table};

/// Why a platform is missing from the rest.
#[derive(Serialize)]
struct Trouble {
    code: Option<&'static str>,
    message: String,
    hint: Option<String>,
}

impl Trouble {
    fn of(error: &PlatformError) -> Self {
        Self { code: error.code(), message: error.to_string(), hint: error.hint() }
    }

    /// In a cell.
    fn short(&self) -> String {
        self.code.map_or_else(|| "failed".to_owned(), |code| format!("failed: {code}"))
    }
}

/// What `entente check` found.
#[derive(Serialize)]
pub struct Checked {
    platforms: Vec<CheckedPlatform>,
}

#[derive(Serialize)]
struct CheckedPlatform {
    platform: String,
    connector: &'static str,
    address: String,
    product: Option<String>,
    version: Option<String>,
    account: Option<String>,
    rights: Vec<CheckedRight>,
    notes: Vec<String>,
    error: Option<Trouble>,
}

#[derive(Serialize)]
struct CheckedRight {
    right: &'static str,
    scope: &'static str,
    state: &'static str,
    detail: Option<String>,
    needed_for: &'static str,
}

impl Checked {
    /// From what became of each platform.
    pub fn of(outcomes: &[Outcome<CheckReport>]) -> Self {
        Self { platforms: outcomes.iter().map(checked).collect() }
    }
}

fn checked(outcome: &Outcome<CheckReport>) -> CheckedPlatform {
    let report = outcome.result.as_ref().ok();
    let rights = report.map(|it| it.rights.as_slice()).unwrap_or_default();
    CheckedPlatform {
        platform: outcome.platform.to_string(),
        connector: outcome.connector,
        address: outcome.address.to_string(),
        product: report.map(|it| it.product.to_string()),
        version: report.map(|it| it.version.to_string()),
        account: report.map(|it| it.account.to_string()),
        rights: rights
            .iter()
            .map(|(right, state)| {
                let (state, detail) = match state {
                    RightState::Held => ("held", None),
                    RightState::Lacking(detail) => ("lacking", Some(detail.to_string())),
                    RightState::Unknown(reason) => ("unknown", Some(reason.to_string())),
                };
                CheckedRight {
                    right: right.name,
                    scope: right.scope,
                    state,
                    detail: detail.filter(|it| !it.is_empty()),
                    needed_for: right.needed_for,
                }
            })
            .collect(),
        notes: report
            .map(|it| it.notes.iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
        error: outcome.result.as_ref().err().map(Trouble::of),
    }
}

impl Screens for Checked {
    fn screens(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let mut table =
            Table::new(&["platform", "connector", "product", "version", "account", ">rights"]);
        let mut missing =
            Table::new(&["platform", "right", "on", "state", "without it, not seen", "detail"]);
        let shown = |it: &Option<String>| it.clone().unwrap_or_else(|| "-".into());
        for it in &self.platforms {
            let held = it.rights.iter().filter(|right| right.state == "held").count();
            let rights = match &it.error {
                Some(trouble) => trouble.short(),
                None => format!("{held} of {}", it.rights.len()),
            };
            table.row([
                it.platform.clone(),
                it.connector.to_owned(),
                shown(&it.product),
                shown(&it.version),
                shown(&it.account),
                rights,
            ]);
            for right in it.rights.iter().filter(|right| right.state != "held") {
                missing.row([
                    it.platform.clone(),
                    right.right.to_owned(),
                    right.scope.to_owned(),
                    right.state.to_owned(),
                    right.needed_for.to_owned(),
                    right.detail.clone().unwrap_or_default(),
                ]);
            }
        }
        table.write(style, out)?;
        if !missing.is_empty() {
            writeln!(out, "\nRights that a full collection needs and this account may not have\n")?;
            missing.write(style, out)?;
        }
        for it in &self.platforms {
            for note in &it.notes {
                writeln!(out, "\n{}: {note}", it.platform)?;
            }
        }
        Ok(())
    }

    fn rows(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut rows = csv::Writer::from_writer(out);
        rows.write_record([
            "platform",
            "connector",
            "product",
            "version",
            "account",
            "right",
            "scope",
            "state",
            "needed_for",
        ])?;
        for it in &self.platforms {
            let text = |it: &Option<String>| it.clone().unwrap_or_default();
            let failed =
                it.error.iter().map(|trouble| ("", "", trouble.code.unwrap_or("failed"), ""));
            let rights = it.rights.iter().map(|it| (it.right, it.scope, it.state, it.needed_for));
            for (right, scope, state, needed_for) in failed.chain(rights) {
                rows.write_record([
                    it.platform.as_str(),
                    it.connector,
                    &text(&it.product),
                    &text(&it.version),
                    &text(&it.account),
                    right,
                    scope,
                    state,
                    needed_for,
                ])?;
            }
        }
        rows.flush()
    }
}

/// What `entente collect` read.
#[derive(Serialize)]
pub struct Collected {
    platforms: Vec<CollectedPlatform>,
}

#[derive(Serialize)]
struct CollectedPlatform {
    platform: String,
    connector: &'static str,
    address: String,
    version: Option<String>,
    objects: BTreeMap<&'static str, u64>,
    gaps: BTreeMap<&'static str, u64>,
    /// Which lists have gaps of which cause, with one message of each.
    gap_details: Vec<GapDetail>,
    /// What changed since the reading before.
    changes: Option<Changes>,
    calls: u64,
    retries: u64,
    bytes_received: u64,
    seconds: f64,
    file: Option<String>,
    error: Option<Trouble>,
}

/// What a reading changed in the store.
#[derive(Serialize)]
pub struct Changes {
    new: u64,
    changed: u64,
    gone: u64,
    /// Not seen, but in lists that were not whole.
    kept: u64,
    /// It was there already.
    known: bool,
}

impl Changes {
    /// From what the store says.
    pub fn of(written: &Written) -> Self {
        let Written { new, changed, gone, kept, known, .. } = *written;
        Self { new, changed, gone, kept, known }
    }

    /// In a cell.
    pub fn short(&self) -> String {
        if self.known {
            return "known already".into();
        }
        let mut parts = Vec::new();
        for (count, what) in [
            (self.new, "new"),
            (self.changed, "changed"),
            (self.gone, "gone"),
            (self.kept, "not seen"),
        ] {
            if count > 0 {
                parts.push(format!("{} {what}", grouped(count)));
            }
        }
        if parts.is_empty() { "no changes".into() } else { parts.join(", ") }
    }
}

#[derive(Serialize)]
struct GapDetail {
    cause: &'static str,
    list: String,
    count: u64,
    message: String,
}

impl Collected {
    /// From what became of each platform.
    pub fn of(outcomes: &[Outcome<Kept>]) -> Self {
        Self { platforms: outcomes.iter().map(collected).collect() }
    }
}

fn collected(outcome: &Outcome<Kept>) -> CollectedPlatform {
    let kept = outcome.result.as_ref().ok();
    let found = kept.map(|it| it.gaps.as_slice()).unwrap_or_default();
    let mut gaps = BTreeMap::new();
    for gap in found {
        *gaps.entry(gap.cause.as_str()).or_default() += gap.count;
    }
    let counts = kept.map(|it| it.counts.as_slice()).unwrap_or_default();
    CollectedPlatform {
        platform: outcome.platform.to_string(),
        connector: outcome.connector,
        address: outcome.address.to_string(),
        version: kept.and_then(|it| it.version.as_ref()).map(ToString::to_string),
        objects: counts.iter().map(|(kind, count)| (*kind, *count as u64)).collect(),
        gaps,
        gap_details: gap_details(found),
        changes: kept.and_then(|it| match &it.place {
            Place::Store(written) => Some(Changes::of(written)),
            Place::File(_) => None,
        }),
        calls: outcome.cost.calls,
        retries: outcome.cost.retries,
        bytes_received: outcome.cost.bytes_received,
        seconds: (outcome.cost.elapsed.as_secs_f64() * 1000.0).round() / 1000.0,
        file: kept.and_then(|it| match &it.place {
            Place::Store(_) => None,
            Place::File(path) => Some(path.display().to_string()),
        }),
        error: outcome.result.as_ref().err().map(Trouble::of),
    }
}

fn gap_details(gaps: &[Gap]) -> Vec<GapDetail> {
    let mut grouped: BTreeMap<(&'static str, &str), (u64, &str)> = BTreeMap::new();
    for gap in gaps {
        let list = gap.place.section.as_deref().unwrap_or("-");
        let entry = grouped.entry((gap.cause.as_str(), list)).or_insert((0, &gap.message));
        entry.0 += gap.count;
    }
    let detail = |((cause, list), (count, message)): ((&'static str, &str), (u64, &str))| {
        GapDetail { cause, list: list.to_owned(), count, message: message.to_owned() }
    };
    grouped.into_iter().map(detail).collect()
}

impl Screens for Collected {
    fn screens(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let mut platforms = Table::new(&[
            "platform",
            "connector",
            "version",
            ">workloads",
            ">gaps",
            ">calls",
            ">received",
            ">seconds",
            "kept",
        ]);
        for it in &self.platforms {
            let count = |kind: &str| it.objects.get(kind).copied().unwrap_or_default();
            platforms.row([
                it.platform.clone(),
                it.connector.to_owned(),
                it.version.clone().unwrap_or_else(|| "-".into()),
                grouped(count("workloads")),
                grouped(it.gaps.values().sum()),
                grouped(it.calls),
                size(it.bytes_received),
                format!("{:.1}", it.seconds),
                match (&it.changes, &it.file, &it.error) {
                    (Some(changes), ..) => changes.short(),
                    (_, Some(file), _) => file.clone(),
                    (.., Some(trouble)) => trouble.short(),
                    _ => "-".into(),
                },
            ]);
        }
        platforms.write(style, out)?;
        let mut objects = Table::new(&["platform", "objects", ">count"]);
        for it in &self.platforms {
            for (kind, count) in it.objects.iter().filter(|it| *it.1 > 0) {
                objects.row([it.platform.clone(), kind.replace('_', " "), grouped(*count)]);
            }
        }
        if !objects.is_empty() {
            writeln!(out)?;
            objects.write(style, out)?;
        }
        let mut gaps = Table::new(&["platform", "gap", "in", ">count", "for example"]);
        for it in &self.platforms {
            for gap in &it.gap_details {
                gaps.row([
                    it.platform.clone(),
                    gap.cause.to_owned(),
                    gap.list.replace('_', " "),
                    grouped(gap.count),
                    gap.message.clone(),
                ]);
            }
        }
        if !gaps.is_empty() {
            writeln!(out)?;
            gaps.write(style, out)?;
        }
        Ok(())
    }

    fn rows(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut rows = csv::Writer::from_writer(out);
        rows.write_record(["platform", "what", "name", "count"])?;
        for it in &self.platforms {
            let objects = it.objects.iter().map(|(name, count)| ("objects", *name, *count));
            let gaps = it.gaps.iter().map(|(name, count)| ("gaps", *name, *count));
            let cost = [
                ("cost", "calls", it.calls),
                ("cost", "retries", it.retries),
                ("cost", "bytes_received", it.bytes_received),
            ];
            for (what, name, count) in objects.chain(gaps).chain(cost) {
                rows.write_record([it.platform.as_str(), what, name, &count.to_string()])?;
            }
        }
        rows.flush()
    }
}

/// One line of `entente watch`.
#[derive(Serialize)]
pub struct Line {
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Changes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    let_go: Option<Compacted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gaps: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Line {
    /// Of something that happened.
    pub fn of(event: &Event) -> Self {
        let mut line = Self {
            at: entente_model::Moment::Utc(event.at).to_string(),
            platform: event.platform.clone(),
            what: "",
            changes: None,
            let_go: None,
            gaps: None,
            seconds: None,
            code: None,
            message: None,
        };
        match &event.what {
            Happened::Read { written, gaps, elapsed } => {
                line.what = "read";
                line.changes = Some(Changes::of(written));
                line.gaps = Some(*gaps);
                line.seconds = Some((elapsed.as_secs_f64() * 1000.0).round() / 1000.0);
            }
            Happened::Failed { error, pause } => {
                let is_store = matches!(error, PlatformError::Remember(_));
                line.what = if is_store { "store" } else { "failed" };
                line.code = error.code();
                line.message = Some(format!("{error}; again in {} s", pause.as_secs()));
            }
            Happened::Following => line.what = "following",
            Happened::Followed { written } => {
                line.what = "followed";
                line.changes = Some(Changes::of(written));
            }
            Happened::Missed => line.what = "changes were missed: it is read as a whole",
            Happened::NotFollowed { error, pause } => {
                line.what = "not followed";
                line.code = error.code();
                line.message = Some(format!("{error}; again in {} s", pause.as_secs()));
            }
            Happened::LetGo(gone) => {
                line.what = "let go";
                line.let_go = Some(*gone);
            }
            Happened::Elsewhere => line.what = "another process reads it",
            Happened::Taken => line.what = "taken",
        }
        line
    }

    /// For people or for programs.
    pub fn write(&self, as_json: bool, out: &mut dyn Write) -> io::Result<()> {
        if as_json {
            serde_json::to_writer(&mut *out, self).map_err(io::Error::from)?;
            return writeln!(out);
        }
        let of = self.platform.as_deref().unwrap_or("the store");
        if let (Some(changes), None) = (&self.changes, self.seconds) {
            return writeln!(out, "{} {of}: {} ({})", self.at, changes.short(), self.what);
        }
        write!(out, "{} {of}: {}", self.at, self.what)?;
        if let Some(it) = &self.let_go {
            let (states, samples, things) = (it.states, it.samples, it.things);
            write!(out, " {} states, ", grouped(states))?;
            write!(out, "{} daily samples, {} things", grouped(samples), grouped(things))?;
        }
        if let (Some(changes), Some(gaps), Some(seconds)) = (&self.changes, self.gaps, self.seconds)
        {
            write!(out, ", {}, {} gaps, {seconds:.1} s", changes.short(), grouped(gaps))?;
        }
        match (&self.code, &self.message) {
            (Some(code), Some(message)) => writeln!(out, " [{code}] {message}"),
            (None, Some(message)) => writeln!(out, " {message}"),
            _ => writeln!(out),
        }
    }
}
