//! Tables that scroll inside themselves, reachable with a keyboard, and say what they leave out.

use maud::{Markup, html};

use crate::format;

use super::section::details;

/// One column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Heading, with the unit.
    pub label: String,
    /// Numbers are aligned to the right.
    pub numeric: bool,
}

impl Column {
    /// A column of words.
    pub fn text(label: impl Into<String>) -> Self {
        Self { label: label.into(), numeric: false }
    }

    /// A column of numbers.
    pub fn number(label: impl Into<String>) -> Self {
        Self { label: label.into(), numeric: true }
    }
}

/// A table. The first cell of each row is its heading.
#[derive(Clone, Debug)]
pub struct Table {
    caption: String,
    columns: Vec<Column>,
    rows: Vec<(Option<String>, Vec<Markup>)>,
    visible: usize,
    maximum: usize,
}

impl Table {
    /// Rows shown before the rest goes into a fold, unless told otherwise.
    pub const VISIBLE: usize = 25;
    /// Rows in the page at most, unless told otherwise; the table says how many it leaves out.
    pub const MAXIMUM: usize = 500;

    /// A table without rows; the caption says what it holds.
    pub fn new(caption: impl Into<String>, columns: Vec<Column>) -> Self {
        Self {
            caption: caption.into(),
            columns,
            rows: Vec::new(),
            visible: Self::VISIBLE,
            maximum: Self::MAXIMUM,
        }
    }

    /// Shows another number of rows before the fold.
    #[must_use]
    pub fn visible(mut self, rows: usize) -> Self {
        self.visible = rows;
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<Markup>) {
        self.rows.push((None, cells));
    }

    /// Adds a row that can be linked to.
    pub fn row_with_id(&mut self, id: String, cells: Vec<Markup>) {
        self.rows.push((Some(id), cells));
    }

    /// The table; a sentence where it has no rows.
    pub fn render(&self) -> Markup {
        if self.rows.is_empty() {
            return html! { p.empty { (self.caption) ": none." } };
        }
        let kept = self.rows.iter().take(self.maximum);
        let shown: Vec<_> = kept.clone().take(self.visible).collect();
        let folded: Vec<_> = kept.skip(self.visible).collect();
        let left_out = self.rows.len().saturating_sub(self.maximum);
        html! {
            (self.block(&self.caption, &shown))
            @if !folded.is_empty() {
                (details(
                    &format!("{} more of {}", format::count(folded.len() as u64), format::count(self.rows.len() as u64)),
                    self.block(&format!("{} (continued)", self.caption), &folded),
                ))
            }
            @if left_out > 0 {
                p.empty { (format::counted(left_out as u64, "row")) " left out here; the JSON output has all." }
            }
        }
    }

    fn block(&self, caption: &str, rows: &[&(Option<String>, Vec<Markup>)]) -> Markup {
        html! {
            div.scroll role="region" tabindex="0" aria-label=(caption) {
                table {
                    caption { (caption) }
                    thead { tr {
                        @for column in &self.columns {
                            th scope="col" class=[column.numeric.then_some("number")] { (column.label) }
                        }
                    } }
                    tbody {
                        @for (id, cells) in rows { (self.line(id.as_deref(), cells)) }
                    }
                }
            }
        }
    }

    fn line(&self, id: Option<&str>, cells: &[Markup]) -> Markup {
        html! {
            tr id=[id] {
                @for (position, (cell, column)) in cells.iter().zip(&self.columns).enumerate() {
                    @if position == 0 {
                        th scope="row" { (cell) }
                    } @else {
                        td class=[column.numeric.then_some("number")] { (cell) }
                    }
                }
            }
        }
    }
}
