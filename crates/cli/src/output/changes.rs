//! What changed, for people and for programs.

use std::io::{self, Write};

use entente_app::history::{Moved, Told};
use entente_store::{ChangeKind, FieldChangeKind};
use serde::Serialize;

use super::Screens;
use super::links::reasons;
use super::remembered::{at, cell, fact};
use super::table::{Style, Table};

/// Facts of one change that people are shown; CSV and JSON hold all.
const FACTS_SHOWN: usize = 6;

/// What changed.
#[derive(Serialize)]
pub struct Changed {
    changes: Vec<Told>,
}

impl Changed {
    /// From what the store told.
    pub fn of(changes: Vec<Told>) -> Self {
        Self { changes }
    }
}

/// One fact's change as people read it.
fn field_change(it: &entente_store::FieldChange) -> String {
    let (before, after) = (fact(&it.before), fact(&it.after));
    match it.kind {
        FieldChangeKind::Changed => format!("{}: {before} → {after}", it.field),
        FieldChangeKind::Learned => format!("{}: now known, {after}", it.field),
        FieldChangeKind::LostSight => format!("{}: not seen any more, was {before}", it.field),
    }
}

/// A move as people read it.
fn moved_from(moved: &Moved, to: &str) -> String {
    format!("moved from {} to {to} (evidence: {})", moved.from.id, reasons(&moved.evidence))
}

impl Screens for Changed {
    fn screens(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(&[
            "between",
            "and",
            "platform",
            "seen by",
            "kind",
            "what",
            "change",
            "facts",
            "who worked on it",
        ]);
        for it in &self.changes {
            let change = &it.change;
            let mut facts: Vec<String> =
                change.fields.iter().take(FACTS_SHOWN).map(field_change).collect();
            facts.extend(it.moved.as_ref().map(|moved| moved_from(moved, &change.id)));
            if change.fields.len() > FACTS_SHOWN {
                facts.push(format!("and {} more", change.fields.len() - FACTS_SHOWN));
            }
            let by: Vec<String> =
                it.by.iter().map(|by| format!("{} ({})", by.principal, by.action)).collect();
            table.row([
                change.after.map_or_else(|| "-".into(), at),
                at(change.seen),
                change.platform.clone(),
                change.connector.clone(),
                change.kind.replace('_', " "),
                change.name.clone().unwrap_or_else(|| change.id.clone()),
                change.change.as_str().to_owned(),
                facts.join("; "),
                by.join(", "),
            ]);
        }
        table.write(style, out)?;
        let count =
            |kind: ChangeKind| self.changes.iter().filter(|it| it.change.change == kind).count();
        writeln!(
            out,
            "\n{} appeared, {} changed, {} moved, {} gone; of {} more or less is known, {} are read differently by this release",
            count(ChangeKind::Appeared),
            count(ChangeKind::Changed),
            count(ChangeKind::Moved),
            count(ChangeKind::Gone),
            count(ChangeKind::Known),
            count(ChangeKind::Reinterpreted),
        )
    }

    fn rows(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut rows = csv::Writer::from_writer(out);
        rows.write_record([
            "after",
            "seen",
            "platform",
            "connector",
            "kind",
            "id",
            "name",
            "change",
            "field",
            "fact",
            "before",
            "value",
            "by",
            "moved_from",
            "evidence",
        ])?;
        for it in &self.changes {
            let change = &it.change;
            let by: Vec<&str> = it.by.iter().map(|by| by.principal.as_str()).collect();
            let whole = [("", "", String::new(), String::new())];
            let fields = change.fields.iter().map(|field| {
                let kind = match field.kind {
                    FieldChangeKind::Changed => "changed",
                    FieldChangeKind::Learned => "learned",
                    FieldChangeKind::LostSight => "lost-sight",
                };
                (field.field.as_str(), kind, cell(&field.before), cell(&field.after))
            });
            let fields: Vec<_> =
                if change.fields.is_empty() { whole.to_vec() } else { fields.collect() };
            for (field, kind, before, after) in fields {
                rows.write_record([
                    &change.after.map_or_else(String::new, at),
                    &at(change.seen),
                    &change.platform,
                    &change.connector,
                    &change.kind,
                    &change.id,
                    change.name.as_deref().unwrap_or_default(),
                    change.change.as_str(),
                    field,
                    kind,
                    &before,
                    &after,
                    &by.join(" "),
                    &it.moved.as_ref().map_or_else(String::new, |it| it.from.id.clone()),
                    &it.moved.as_ref().map_or_else(String::new, |it| reasons(&it.evidence)),
                ])?;
            }
        }
        rows.flush()
    }
}
