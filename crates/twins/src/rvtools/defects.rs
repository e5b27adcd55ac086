//! Mishaps between the estate and the file: what people, spreadsheets and old versions do.

use entente_model::Text;

use super::cell::{Cell, word};
use super::spec::{Defect, ExportSpec, Tab};
use crate::random::Random;

/// What stands in a column that a mishap moved.
#[derive(Clone, Copy)]
enum Slot {
    Column(usize),
    /// The user's own.
    Inserted,
}

/// Spoils one tab as the specification asks.
pub(super) struct Spoiler<'s> {
    spec: &'s ExportSpec,
    tab: Tab,
    slots: Option<Vec<Slot>>,
    random: Random,
    rows_deleted: bool,
    garbage: bool,
    scientific: bool,
    row: Vec<Cell>,
}

impl<'s> Spoiler<'s> {
    /// `headers` as of 4.7.
    pub(super) fn new(spec: &'s ExportSpec, tab: Tab, headers: &[Text]) -> Self {
        Self {
            spec,
            tab,
            slots: slots(spec, tab, headers),
            random: Random::new(spec.seed).fork(tab.name(), 0),
            rows_deleted: spec.has(&Defect::RowsDeleted(tab)),
            garbage: spec.has(&Defect::GarbageNumbers),
            scientific: spec.has(&Defect::ScientificIds),
            row: Vec::new(),
        }
    }

    pub(super) fn tab_name(&self) -> &'static str {
        let renamed = self.spec.defects.iter().find_map(|defect| match defect {
            Defect::RenamedTab(tab, name) if *tab == self.tab => Some(*name),
            _ => None,
        });
        renamed.unwrap_or(self.tab.name())
    }

    pub(super) fn headers(&self, shown: &[String]) -> Vec<String> {
        let mut headers = match &self.slots {
            None => shown.to_vec(),
            Some(slots) => slots
                .iter()
                .map(|slot| match slot {
                    Slot::Column(at) => shown.get(*at).cloned().unwrap_or_default(),
                    Slot::Inserted => "Move?".to_owned(),
                })
                .collect(),
        };
        for defect in &self.spec.defects {
            for header in &mut headers {
                match defect {
                    Defect::LowerCaseHeaders => *header = header.to_lowercase(),
                    Defect::UpperCaseHeaders => *header = header.to_uppercase(),
                    Defect::SpacedHeaders => *header = format!("{} ", header.replace(' ', "  ")),
                    _ => {}
                }
            }
        }
        headers
    }

    /// The row as it is written; none where it was deleted.
    pub(super) fn row<'r>(&'r mut self, cells: &'r mut [Cell]) -> Option<&'r [Cell]> {
        if self.rows_deleted && self.random.below(7) == 0 {
            return None;
        }
        if self.garbage || self.scientific {
            for cell in cells.iter_mut() {
                self.spoil(cell);
            }
        }
        let Some(slots) = &self.slots else { return Some(cells) };
        self.row.clear();
        for slot in slots {
            self.row.push(match slot {
                Slot::Column(at) => cells.get(*at).cloned().unwrap_or(Cell::Blank),
                Slot::Inserted => word(self.random.pick(&["yes", "no", "later", ""])),
            });
        }
        Some(&self.row)
    }

    fn spoil(&mut self, cell: &mut Cell) {
        match cell {
            Cell::Number(_) if self.garbage && self.random.below(50) == 0 => *cell = word("n/a"),
            Cell::Text(text) if self.scientific && is_long_number(text) => {
                let number: f64 = text.parse().unwrap_or(0.0);
                *cell = word(format!("{number:E}").replace('E', "E+"));
            }
            _ => {}
        }
    }
}

/// What a spreadsheet shows in scientific notation.
fn is_long_number(text: &str) -> bool {
    text.len() >= 13 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Which column stands where, if not all in their place.
fn slots(spec: &ExportSpec, tab: Tab, headers: &[Text]) -> Option<Vec<Slot>> {
    let mut slots: Vec<Slot> = (0..headers.len()).map(Slot::Column).collect();
    let mut moved = false;
    let position = |slots: &[Slot], name: &str| {
        slots.iter().position(
            |slot| matches!(slot, Slot::Column(at) if headers.get(*at).is_some_and(|it| it == name)),
        )
    };
    for defect in &spec.defects {
        match defect {
            Defect::MissingColumn(of, name) if *of == tab => {
                if let Some(at) = position(&slots, name) {
                    slots.remove(at);
                    moved = true;
                }
            }
            Defect::DuplicateColumn(of, name) if *of == tab => {
                if let Some(at) = position(&slots, name)
                    && let Some(slot) = slots.get(at).copied()
                {
                    slots.push(slot);
                    moved = true;
                }
            }
            Defect::InsertedColumn(of) if *of == tab => {
                slots.insert(slots.len().min(3), Slot::Inserted);
                moved = true;
            }
            _ => {}
        }
    }
    moved.then_some(slots)
}
