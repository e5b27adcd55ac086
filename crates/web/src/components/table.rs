//! Tables that scroll inside themselves, reachable with a keyboard, and say what they leave out.

use maud::{Markup, html};

use crate::format;

use super::section::details;

/// One column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Heading, with the unit.
    pub label: String,
    /// How its cells are set.
    pub kind: ColumnKind,
}

/// How the cells of a column are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Words.
    Text,
    /// Numbers, aligned to the right.
    Number,
    /// Sentences, which want room before they wrap.
    Prose,
}

impl ColumnKind {
    fn class(self) -> Option<&'static str> {
        match self {
            Self::Text => None,
            Self::Number => Some("number"),
            Self::Prose => Some("prose"),
        }
    }
}

impl Column {
    /// A column of words.
    pub fn text(label: impl Into<String>) -> Self {
        Self { label: label.into(), kind: ColumnKind::Text }
    }

    /// A column of sentences.
    pub fn prose(label: impl Into<String>) -> Self {
        Self { label: label.into(), kind: ColumnKind::Prose }
    }

    /// A column of numbers.
    pub fn number(label: impl Into<String>) -> Self {
        Self { label: label.into(), kind: ColumnKind::Number }
    }
}

/// A table. The first cell of each row is its heading.
#[derive(Clone, Debug)]
pub struct Table {
    caption: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
    left_out: usize,
    visible: usize,
    maximum: usize,
}

#[derive(Clone, Debug)]
struct Row {
    id: Option<String>,
    cells: Vec<Markup>,
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
            left_out: 0,
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

    /// Keeps another number of rows in the page.
    #[must_use]
    pub fn maximum(mut self, rows: usize) -> Self {
        self.maximum = rows;
        self
    }

    /// Shows all rows, for tables whose rows are linked to.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.visible = usize::MAX;
        self.maximum = usize::MAX;
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<Markup>) {
        self.push(Row { id: None, cells });
    }

    /// Adds a row that can be linked to.
    pub fn row_with_id(&mut self, id: String, cells: Vec<Markup>) {
        self.push(Row { id: Some(id), cells });
    }

    fn push(&mut self, row: Row) {
        if self.rows.len() < self.maximum {
            self.rows.push(row);
        } else {
            self.left_out += 1;
        }
    }

    /// The table; a sentence where it has no rows.
    pub fn render(&self) -> Markup {
        if self.rows.is_empty() {
            return html! { p.empty { (self.caption) ": none." } };
        }
        let (shown, folded) = self.rows.split_at(self.visible.min(self.rows.len()));
        html! {
            (self.block(&self.caption, shown))
            @if !folded.is_empty() {
                (details(
                    &format!("{} more rows", format::count(folded.len() as u64)),
                    self.block(&format!("{} (continued)", self.caption), folded),
                ))
            }
            @if self.left_out > 0 {
                p.empty { (format::counted(self.left_out as u64, "row")) " left out here; the JSON output has all." }
            }
        }
    }

    fn block(&self, caption: &str, rows: &[Row]) -> Markup {
        html! {
            div.scroll role="region" tabindex="0" aria-label=(caption) {
                table {
                    caption { (caption) }
                    thead { tr {
                        @for column in &self.columns {
                            th scope="col" class=[column.kind.class()] { (column.label) }
                        }
                    } }
                    tbody { @for row in rows { (self.line(row)) } }
                }
            }
        }
    }

    fn line(&self, row: &Row) -> Markup {
        html! {
            tr id=[row.id.as_deref()] {
                @for (position, (cell, column)) in row.cells.iter().zip(&self.columns).enumerate() {
                    @if position == 0 {
                        th scope="row" class=[column.kind.class()] { (cell) }
                    } @else {
                        td class=[column.kind.class()] { (cell) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_table_folds_and_says_what_it_leaves_out() {
        let mut table = Table::new("Things", vec![Column::text("Thing")]).visible(2);
        for number in 0..Table::MAXIMUM + 7 {
            table.row(vec![html! { (number) }]);
        }
        let html = table.render().into_string();
        assert_eq!(html.matches("<th scope=\"row\"").count(), Table::MAXIMUM);
        assert!(html.contains("<summary>498 more rows</summary>"));
        assert!(html.contains("7 rows left out here"));
    }

    #[test]
    fn an_empty_table_says_so() {
        let table = Table::new("Things", vec![Column::text("Thing")]);
        assert_eq!(table.render().into_string(), "<p class=\"empty\">Things: none.</p>");
    }
}
