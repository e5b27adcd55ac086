//! Cells and rows, resolved only when somebody looks.

use std::ops::Range;

use super::markup::unescape_into;
use super::shared_strings::SharedStrings;

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing, or only white space.
    Empty,
    /// Text, trimmed.
    Text(&'a str),
    /// A number.
    Number(f64),
    /// A date and time, as days since 1899-12-30 (the format's own count).
    Date(f64),
    /// True or false.
    Bool(bool),
    /// An error that a formula gave, `#N/A`.
    Error(&'a str),
}

/// A cell before anybody looked. Ranges are offsets into the row's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RawCell {
    Empty,
    Shared(u32),
    Text(Range<u32>),
    Number(Range<u32>),
    Date(Range<u32>),
    /// A date already counted from 1899-12-30, as the bits of an `f64`.
    Days1904(u64),
    Bool(bool),
    Error(Range<u32>),
}

/// One row under construction; reused from row to row.
#[derive(Debug, Default)]
pub(super) struct RowBuffer {
    pub(super) number: u32,
    pub(super) cells: Vec<RawCell>,
    pub(super) text: String,
}

impl RowBuffer {
    pub(super) fn clear(&mut self) {
        self.cells.clear();
        self.text.clear();
    }

    /// Puts a cell at a column, filling up with empty ones.
    pub(super) fn put(&mut self, column: usize, cell: RawCell) {
        if column >= self.cells.len() {
            self.cells.resize(column + 1, RawCell::Empty);
        }
        if let Some(place) = self.cells.get_mut(column) {
            *place = cell;
        }
    }

    /// Adds text from markup, unescaping it if it is escaped.
    pub(super) fn push_markup(&mut self, raw: &[u8], escaped: bool) {
        if escaped {
            unescape_into(raw, &mut self.text);
        } else {
            self.text.push_str(&String::from_utf8_lossy(raw));
        }
    }

    /// Adds text and says where it is.
    pub(super) fn push_text(&mut self, text: &str) -> Range<u32> {
        let start = self.text.len();
        self.text.push_str(text);
        self.range_from(start)
    }

    /// Adds digits or other ASCII that needs no unescaping, and says where it is.
    pub(super) fn push_plain(&mut self, ascii: &[u8]) -> Range<u32> {
        let start = self.text.len();
        self.text.push_str(std::str::from_utf8(ascii).unwrap_or_default());
        self.range_from(start)
    }

    /// Where the text added since `start` is.
    pub(super) fn range_from(&self, start: usize) -> Range<u32> {
        offset(start)..offset(self.text.len())
    }
}

/// A row's text is limited to far less than 4 GiB by `Limits::row_bytes_max`.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// One row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    buffer: &'a RowBuffer,
    strings: Option<&'a SharedStrings>,
}

impl<'a> Row<'a> {
    pub(super) fn new(buffer: &'a RowBuffer, strings: Option<&'a SharedStrings>) -> Self {
        Self { buffer, strings }
    }

    /// Row number as a spreadsheet counts it, from 1.
    pub fn number(&self) -> u32 {
        self.buffer.number
    }

    /// Number of cells up to the last one written; further ones are empty.
    pub fn len(&self) -> usize {
        self.buffer.cells.len()
    }

    /// True if no cell was written.
    pub fn is_empty(&self) -> bool {
        self.buffer.cells.is_empty()
    }

    /// How many cells hold something, without resolving them.
    pub fn filled(&self) -> u64 {
        self.buffer.cells.iter().filter(|cell| **cell != RawCell::Empty).count() as u64
    }

    /// The cell in this column, from 0.
    pub fn cell(&self, column: usize) -> Cell<'a> {
        let Some(raw) = self.buffer.cells.get(column) else { return Cell::Empty };
        match raw {
            RawCell::Empty => Cell::Empty,
            RawCell::Bool(value) => Cell::Bool(*value),
            RawCell::Shared(index) => match self.strings.and_then(|it| it.get(*index)) {
                Some(text) => text_cell(text),
                None => Cell::Error("#REF!"),
            },
            RawCell::Text(range) => text_cell(self.text(range)),
            RawCell::Error(range) => Cell::Error(self.text(range)),
            RawCell::Number(range) => self.number_cell(range, Cell::Number),
            RawCell::Date(range) => self.number_cell(range, Cell::Date),
            RawCell::Days1904(bits) => Cell::Date(f64::from_bits(*bits)),
        }
    }

    fn number_cell(&self, range: &Range<u32>, form: fn(f64) -> Cell<'a>) -> Cell<'a> {
        let text = self.text(range);
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => form(number),
            _ => text_cell(text),
        }
    }

    fn text(&self, range: &Range<u32>) -> &'a str {
        self.buffer.text.get(range.start as usize..range.end as usize).unwrap_or_default()
    }
}

fn text_cell(text: &str) -> Cell<'_> {
    // Nearly all text is trimmed already, which two bytes tell.
    let is_plain = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    if is_plain(bytes.first()) && is_plain(bytes.last()) {
        return Cell::Text(text);
    }
    match text.trim() {
        "" => Cell::Empty,
        text => Cell::Text(text),
    }
}
