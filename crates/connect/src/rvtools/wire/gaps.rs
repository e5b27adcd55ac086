//! The log of what was not understood: every row by name up to a limit, then counted.

use std::collections::BTreeMap;

use entente_model::{Gap, GapCause, Place, Text};

use super::header::Column;
use crate::secrets::redacted;

/// Gaps of one cause, tab and column that are kept one by one; further ones are counted.
const GAPS_PER_KIND_MAX: usize = 1_000;

/// Longest value shown, in characters.
const VALUE_CHARS_MAX: usize = 80;

/// The log of one tab.
#[derive(Debug)]
pub(in crate::rvtools) struct GapLog {
    file: Text,
    section: Text,
    kinds: BTreeMap<(GapCause, Option<Text>), Kind>,
}

#[derive(Debug, Default)]
struct Kind {
    gaps: Vec<Gap>,
    further: u64,
}

impl GapLog {
    pub(in crate::rvtools) fn new(file: &str, section: &str) -> Self {
        Self { file: Text::new(file), section: Text::new(section), kinds: BTreeMap::new() }
    }

    /// A gap about a whole tab or file.
    pub(in crate::rvtools) fn tab(&mut self, cause: GapCause, message: &str, count: u64) {
        self.push(cause, None, None, message, None, count);
    }

    /// A gap about a column.
    pub(in crate::rvtools) fn column(&mut self, cause: GapCause, header: &str, message: &str) {
        self.push(cause, None, Some(Text::new(header)), message, None, 1);
    }

    /// A gap about a row.
    pub(in crate::rvtools) fn row(
        &mut self,
        cause: GapCause,
        row: u32,
        message: &str,
        value: Option<&str>,
    ) {
        self.push(cause, Some(row), None, message, value, 1);
    }

    /// A gap about a cell.
    pub(in crate::rvtools) fn cell(
        &mut self,
        cause: GapCause,
        row: u32,
        column: &Column,
        message: &str,
        value: &str,
    ) {
        self.push(cause, Some(row), Some(column.header.clone()), message, Some(value), 1);
    }

    fn push(
        &mut self,
        cause: GapCause,
        row: Option<u32>,
        field: Option<Text>,
        message: &str,
        value: Option<&str>,
        count: u64,
    ) {
        let kind = self.kinds.entry((cause, field.clone())).or_default();
        if kind.gaps.len() >= GAPS_PER_KIND_MAX {
            kind.further += count;
            return;
        }
        kind.gaps.push(Gap {
            cause,
            place: Place {
                file: self.file.clone(),
                section: Some(self.section.clone()).filter(|it| !it.is_empty()),
                row,
                field,
            },
            message: Text::new(message),
            value: value.filter(|it| !it.is_empty()).map(shown),
            count,
        });
    }

    /// All gaps, with one that counts those left out, if any were.
    pub(in crate::rvtools) fn into_gaps(self) -> Vec<Gap> {
        let Self { file, section, kinds } = self;
        let mut gaps = Vec::new();
        for ((cause, field), kind) in kinds {
            gaps.extend(kind.gaps);
            if kind.further > 0 {
                gaps.push(Gap {
                    cause,
                    place: Place {
                        file: file.clone(),
                        section: Some(section.clone()).filter(|it| !it.is_empty()),
                        row: None,
                        field,
                    },
                    message: Text::from(format!(
                        "further rows of the same kind, beyond the first {GAPS_PER_KIND_MAX}"
                    )),
                    value: None,
                    count: kind.further,
                });
            }
        }
        gaps
    }
}

/// A value shortened and with secrets redacted.
fn shown(value: &str) -> Text {
    let value = redacted(value);
    match value.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => Text::from(format!("{}…", value.get(..end).unwrap_or_default())),
        None => value,
    }
}
