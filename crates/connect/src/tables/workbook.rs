//! Workbooks (`.xlsx`): which sheets there are, which styles are dates, and the cells of one sheet.

use std::io::Read;
use std::path::Path;

use super::archive::Archive;
use super::cell::{RawCell, Row, RowBuffer};
use super::limits::Limits;
use super::markup::{Scanner, Token, unescape_into};
use super::shared_strings::SharedStrings;
use super::{Note, Sink, TableError, TableInfo, file_name};

const WORKBOOK: &str = "xl/workbook.xml";

/// Days between the two epochs that workbooks count dates from.
const DAYS_1900_TO_1904: f64 = 1462.0;

/// An open workbook: everything but the cells.
#[derive(Debug)]
pub(super) struct Workbook {
    archive: Archive,
    file: String,
    sheets: Vec<Sheet>,
    strings: SharedStrings,
    date_styles: Vec<bool>,
    dates_from_1904: bool,
}

#[derive(Debug)]
struct Sheet {
    name: String,
    entry: usize,
}

impl Workbook {
    /// True if the archive is a workbook.
    pub(super) fn is_in(archive: &Archive) -> bool {
        archive.find(WORKBOOK).is_some()
    }

    pub(super) fn open(archive: Archive, path: &Path) -> Result<Self, TableError> {
        let limits = archive.limits;
        let directory = part(&archive, WORKBOOK, |input| read_directory(input, &limits))?;
        if directory.sheets.len() > limits.sheets_max {
            return Err(TableError::Limit(format!(
                "{} sheets, more than {}",
                directory.sheets.len(),
                limits.sheets_max
            )));
        }
        let targets =
            part(&archive, "xl/_rels/workbook.xml.rels", |input| read_relations(input, &limits))?;
        let mut sheets = Vec::new();
        for (name, relation) in directory.sheets {
            let target = targets.iter().find(|(id, _)| *id == relation).map(|(_, target)| target);
            let entry = target.and_then(|target| archive.find(&entry_name(target)));
            let entry = entry.ok_or_else(|| {
                TableError::Damaged(format!("the sheet `{name}` is listed but not there"))
            })?;
            sheets.push(Sheet { name, entry });
        }
        let date_styles = match archive.find("xl/styles.xml") {
            Some(entry) => archive.with_entry(entry, |input| read_date_styles(input, &limits))?,
            None => Vec::new(),
        };
        let strings = match archive.find("xl/sharedStrings.xml") {
            Some(entry) => {
                archive.with_entry(entry, |input| SharedStrings::read(input, &limits))?
            }
            None => SharedStrings::default(),
        };
        Ok(Self {
            file: file_name(path),
            sheets,
            strings,
            date_styles,
            dates_from_1904: directory.dates_from_1904,
            archive,
        })
    }

    pub(super) fn infos(&self) -> Vec<TableInfo> {
        self.sheets
            .iter()
            .map(|sheet| TableInfo {
                name: sheet.name.clone(),
                file: self.file.clone(),
                stored_bytes: self
                    .archive
                    .entries()
                    .get(sheet.entry)
                    .map_or(0, |entry| entry.packed_bytes),
            })
            .collect()
    }

    pub(super) fn read(&self, sheet: usize, sink: Sink<'_>) -> Result<Vec<Note>, TableError> {
        let sheet = self.sheets.get(sheet).ok_or(TableError::NotFound)?;
        self.archive.with_entry(sheet.entry, |input| {
            let limits = &self.archive.limits;
            let mut cells = CellReader {
                book: self,
                scanner: Scanner::new(input, limits.row_bytes_max),
                shape: CellShape::default(),
                limits,
                row: RowBuffer::default(),
                last_row: 0,
            };
            match cells.read(sink) {
                Ok(()) => Ok(Vec::new()),
                // What was read so far is whole: keep it and say where it stops.
                Err(TableError::Limit(reason)) => {
                    Ok(vec![Note::LimitAfter { row: cells.last_row, reason }])
                }
                Err(error) => {
                    Ok(vec![Note::CutAfter { row: cells.last_row, reason: error.to_string() }])
                }
            }
        })
    }

    fn is_date(&self, style: usize) -> bool {
        self.date_styles.get(style).copied().unwrap_or(false)
    }
}

fn part<T>(
    archive: &Archive,
    name: &str,
    read: impl FnOnce(&mut dyn Read) -> Result<T, TableError>,
) -> Result<T, TableError> {
    let entry = archive
        .find(name)
        .ok_or_else(|| TableError::Damaged(format!("the workbook has no part `{name}`")))?;
    archive.with_entry(entry, read)
}

/// Targets are relative to `xl/` or absolute in the archive.
fn entry_name(target: &str) -> String {
    match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("xl/{}", target.trim_start_matches("./")),
    }
}

#[derive(Debug, Default)]
struct Directory {
    /// Name and relation id.
    sheets: Vec<(String, String)>,
    dates_from_1904: bool,
}

fn text(raw: Option<&[u8]>) -> String {
    let mut out = String::new();
    unescape_into(raw.unwrap_or_default(), &mut out);
    out
}

/// Calls `tag` for every start tag.
fn each_tag<R: Read>(
    input: R,
    limits: &Limits,
    mut tag: impl FnMut(&Scanner<R>),
) -> Result<(), TableError> {
    let mut scanner = Scanner::new(input, limits.row_bytes_max);
    loop {
        match scanner.next()? {
            Token::Start(_) => tag(&scanner),
            Token::Eof => return Ok(()),
            Token::End | Token::Text | Token::RawText => {}
        }
    }
}

fn read_directory(input: impl Read, limits: &Limits) -> Result<Directory, TableError> {
    let mut directory = Directory::default();
    each_tag(input, limits, |tag| match tag.name() {
        b"sheet" => {
            // `id` is the relation (`r:id`); `sheetId` is something else.
            directory.sheets.push((text(tag.attribute(b"name")), text(tag.attribute(b"id"))));
        }
        b"workbookPr" => {
            directory.dates_from_1904 =
                matches!(tag.attribute(b"date1904"), Some(b"1" | b"true" | b"on"));
        }
        _ => {}
    })?;
    Ok(directory)
}

fn read_relations(input: impl Read, limits: &Limits) -> Result<Vec<(String, String)>, TableError> {
    let mut targets = Vec::new();
    each_tag(input, limits, |tag| {
        if tag.name() == b"Relationship" {
            targets.push((text(tag.attribute(b"Id")), text(tag.attribute(b"Target"))));
        }
    })?;
    Ok(targets)
}

/// Which cell styles show their number as a date.
fn read_date_styles(input: impl Read, limits: &Limits) -> Result<Vec<bool>, TableError> {
    let mut custom = Vec::new();
    let mut styles = Vec::new();
    let mut scanner = Scanner::new(input, limits.row_bytes_max);
    let mut in_cell_styles = false;
    loop {
        match scanner.next()? {
            Token::Start(_) => match scanner.name() {
                b"numFmt" if is_date_format(&text(scanner.attribute(b"formatCode"))) => {
                    custom.push(text(scanner.attribute(b"numFmtId")));
                }
                b"cellXfs" => in_cell_styles = true,
                b"xf" if in_cell_styles => {
                    let format = text(scanner.attribute(b"numFmtId"));
                    styles.push(is_builtin_date(&format) || custom.contains(&format));
                }
                _ => {}
            },
            Token::End if scanner.name() == b"cellXfs" => in_cell_styles = false,
            Token::Eof => return Ok(styles),
            Token::End | Token::Text | Token::RawText => {}
        }
    }
}

/// Date and time formats among the built-in ones (ECMA-376 part 1, 18.8.30).
fn is_builtin_date(format: &str) -> bool {
    matches!(format.parse(), Ok(14_u32..=22 | 45..=47))
}

/// True if a custom format shows days, months, years or hours outside quotes and brackets.
fn is_date_format(code: &str) -> bool {
    let mut quoted = false;
    let mut bracketed = false;
    let mut escaped = false;
    for character in code.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '[' if !quoted => bracketed = true,
            ']' if !quoted => bracketed = false,
            'y' | 'Y' | 'm' | 'M' | 'd' | 'D' | 'h' | 'H' if !quoted && !bracketed => return true,
            _ => {}
        }
    }
    false
}

/// What the `t` attribute of a cell says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CellType {
    Number,
    Shared,
    Text,
    Bool,
    Error,
}

impl CellType {
    fn of(word: &[u8]) -> Self {
        match word {
            b"s" => Self::Shared,
            b"str" | b"inlineStr" | b"d" => Self::Text,
            b"b" => Self::Bool,
            b"e" => Self::Error,
            _ => Self::Number,
        }
    }
}

/// How programs write a cell: `<c r="A1" s="1" t="s"><v>12</v></c>`, with the sheet's own namespace
/// prefix. Cells of exactly this form are read without going through tokens.
#[derive(Default)]
struct CellShape {
    open: Vec<u8>,
    value: Vec<u8>,
    close: Vec<u8>,
}

/// A cell of the usual form.
struct PlainCell<'a> {
    reference: &'a [u8],
    style: &'a [u8],
    kind: &'a [u8],
    value: &'a [u8],
    length: usize,
}

/// Longest attribute value of a cell of the usual form.
const PLAIN_ATTRIBUTE_BYTES_MAX: usize = 12;

impl CellShape {
    /// The shape under the prefix of a `row` tag: `x:row` has `x:`.
    fn under(row_tag: &[u8]) -> Self {
        let name = row_tag.split(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default();
        let prefix = name.strip_suffix(b"row").unwrap_or_default();
        let tag = |before: &[u8], name: &[u8]| [before, prefix, name].concat();
        Self {
            open: tag(b"<", b"c"),
            value: tag(b"<", b"v>"),
            close: [tag(b"</", b"v>"), tag(b"</", b"c>")].concat(),
        }
    }

    /// A cell of the usual form at the start of `ahead`, if one is there as a whole.
    fn read<'a>(&self, ahead: &'a [u8]) -> Option<PlainCell<'a>> {
        let rest = ahead.strip_prefix(self.open.as_slice())?;
        let (reference, rest) = plain_attribute(rest, b" r=\"");
        let (style, rest) = plain_attribute(rest, b" s=\"");
        let (kind, rest) = plain_attribute(rest, b" t=\"");
        if let Some(rest) = rest.strip_prefix(b"/>") {
            let length = ahead.len() - rest.len();
            return Some(PlainCell { reference, style, kind, value: &[], length });
        }
        let rest = rest.strip_prefix(b">")?.strip_prefix(self.value.as_slice())?;
        let end = rest.iter().position(|byte| matches!(byte, b'<' | b'&' | b'_'))?;
        let (value, rest) = rest.split_at_checked(end)?;
        let rest = rest.strip_prefix(self.close.as_slice())?;
        Some(PlainCell { reference, style, kind, value, length: ahead.len() - rest.len() })
    }
}

/// Value of the attribute that `lead` begins, if it comes next; and what follows.
fn plain_attribute<'a>(rest: &'a [u8], lead: &[u8]) -> (&'a [u8], &'a [u8]) {
    let value = rest.strip_prefix(lead).and_then(|value| {
        let end = value.iter().take(PLAIN_ATTRIBUTE_BYTES_MAX).position(|byte| *byte == b'"')?;
        Some((value.get(..end)?, value.get(end + 1..)?))
    });
    value.unwrap_or((&[], rest))
}

struct CellReader<'b, R> {
    book: &'b Workbook,
    scanner: Scanner<R>,
    shape: CellShape,
    limits: &'b Limits,
    row: RowBuffer,
    last_row: u32,
}

impl<R: Read> CellReader<'_, R> {
    /// Reads all rows; blank ones are not passed on.
    fn read(&mut self, sink: Sink<'_>) -> Result<(), TableError> {
        loop {
            match self.scanner.next()? {
                Token::Start(empty) if self.scanner.name() == b"row" => {
                    self.begin_row()?;
                    if !empty {
                        self.read_row()?;
                    }
                    if !self.row.cells.is_empty()
                        && sink(&Row::new(&self.row, Some(&self.book.strings))).is_break()
                    {
                        return Ok(());
                    }
                    self.last_row = self.row.number;
                }
                Token::End if self.scanner.name() == b"sheetData" => return Ok(()),
                // `<sheetData/>`: no rows at all.
                Token::Start(true) if self.scanner.name() == b"sheetData" => return Ok(()),
                Token::Eof => return Err(TableError::Truncated),
                _ => {}
            }
        }
    }

    fn begin_row(&mut self) -> Result<(), TableError> {
        self.row.clear();
        if self.last_row == 0 {
            self.shape = CellShape::under(self.scanner.bytes());
        }
        let told = self.scanner.attribute(b"r").map(parse_u32);
        self.row.number = told.flatten().unwrap_or(self.last_row + 1);
        if self.row.number > self.limits.rows_max {
            return Err(TableError::Limit(format!(
                "row {}, beyond the format's last row {}",
                self.row.number, self.limits.rows_max
            )));
        }
        Ok(())
    }

    fn read_row(&mut self) -> Result<(), TableError> {
        let mut next_column = 0;
        loop {
            if let Some(column) = self.plain_cell(next_column) {
                next_column = column + 1;
                continue;
            }
            match self.scanner.next()? {
                Token::Start(empty) if self.scanner.name() == b"c" => {
                    let (column, kind, style) = self.cell_head(next_column)?;
                    next_column = column + 1;
                    if !empty {
                        self.read_cell(column, kind, style)?;
                    }
                }
                Token::End if self.scanner.name() == b"row" => return Ok(()),
                Token::Eof => return Err(TableError::Truncated),
                _ => {}
            }
        }
    }

    /// Reads a cell of the usual form, if one comes next; says its column.
    fn plain_cell(&mut self, next_column: usize) -> Option<usize> {
        let cell = self.shape.read(self.scanner.ahead())?;
        let column = column_of(cell.reference).unwrap_or(next_column);
        let kind = CellType::of(cell.kind);
        // What is unusual, or an error, is left to the reader of tokens.
        if column >= self.limits.columns_max || !cell.value.is_ascii() {
            return None;
        }
        let style = parse_u32(cell.style).map_or(usize::MAX, |it| it as usize);
        let length = cell.length;
        let text_start = self.row.text.len();
        if kind == CellType::Shared && !cell.value.is_empty() {
            let index = parse_u32(cell.value)?;
            if !self.book.strings.is_blank(index) {
                self.row.put(column, RawCell::Shared(index));
            }
        } else {
            self.row.push_plain(cell.value);
            self.finish_cell(column, kind, style, text_start);
        }
        self.scanner.pass(length);
        Some(column)
    }

    /// Column, type and style of the cell whose start tag is current.
    fn cell_head(&self, next_column: usize) -> Result<(usize, CellType, usize), TableError> {
        let mut column = next_column;
        let mut kind = CellType::Number;
        let mut style = usize::MAX;
        for (name, value) in self.scanner.attributes() {
            match name {
                b"r" => column = column_of(value).unwrap_or(next_column),
                b"s" => style = parse_u32(value).map_or(usize::MAX, |it| it as usize),
                b"t" => kind = CellType::of(value),
                _ => {}
            }
        }
        if column >= self.limits.columns_max {
            return Err(TableError::Limit(format!(
                "a cell in column {}, beyond {}",
                column + 1,
                self.limits.columns_max
            )));
        }
        Ok((column, kind, style))
    }

    fn read_cell(&mut self, column: usize, kind: CellType, style: usize) -> Result<(), TableError> {
        let mut in_value = false;
        let mut in_phonetic = false;
        let text_start = self.row.text.len();
        loop {
            let token = self.scanner.next()?;
            match token {
                Token::Start(empty) => match self.scanner.name() {
                    b"v" | b"t" => in_value = !empty && !in_phonetic,
                    b"rPh" => in_phonetic = !empty,
                    _ => {}
                },
                Token::Text | Token::RawText if in_value => {
                    self.row.push_markup(self.scanner.bytes(), token == Token::Text);
                    if self.row.text.len() > self.limits.row_bytes_max {
                        return Err(TableError::Limit("a row of more than 16 MiB".into()));
                    }
                }
                Token::Text | Token::RawText => {}
                Token::End => match self.scanner.name() {
                    b"v" | b"t" => in_value = false,
                    b"rPh" => in_phonetic = false,
                    b"c" => break,
                    _ => {}
                },
                Token::Eof => return Err(TableError::Truncated),
            }
        }
        self.finish_cell(column, kind, style, text_start);
        Ok(())
    }

    fn finish_cell(&mut self, column: usize, kind: CellType, style: usize, text_start: usize) {
        let value = self.row.text.get(text_start..).unwrap_or_default();
        if value.trim().is_empty() {
            return;
        }
        let range = self.row.range_from(text_start);
        let cell = match kind {
            CellType::Shared => match value.trim().parse() {
                Ok(index) if self.book.strings.is_blank(index) => return,
                Ok(index) => RawCell::Shared(index),
                Err(_) => RawCell::Error(range),
            },
            CellType::Text => RawCell::Text(range),
            CellType::Bool => RawCell::Bool(matches!(value.trim(), "1" | "true")),
            CellType::Error => RawCell::Error(range),
            CellType::Number if self.book.is_date(style) => self.date_cell(value, range),
            CellType::Number => RawCell::Number(range),
        };
        self.row.put(column, cell);
    }

    fn date_cell(&self, value: &str, range: std::ops::Range<u32>) -> RawCell {
        match value.trim().parse::<f64>() {
            Ok(_) if !self.book.dates_from_1904 => RawCell::Date(range),
            Ok(days) => RawCell::Days1904((days + DAYS_1900_TO_1904).to_bits()),
            Err(_) => RawCell::Text(range),
        }
    }
}

fn parse_u32(digits: &[u8]) -> Option<u32> {
    let digits = digits.trim_ascii();
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u32::from(digit))
    })
}

/// Column of a cell reference, `AB12` = 27.
fn column_of(reference: &[u8]) -> Option<usize> {
    let mut column = 0_usize;
    for byte in reference {
        match byte {
            b'A'..=b'Z' => column = column.checked_mul(26)? + usize::from(byte - b'A') + 1,
            b'a'..=b'z' => column = column.checked_mul(26)? + usize::from(byte - b'a') + 1,
            b'$' => {}
            _ => break,
        }
    }
    column.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns() {
        assert_eq!(column_of(b"A1"), Some(0));
        assert_eq!(column_of(b"AB12"), Some(27));
        assert_eq!(column_of(b"XFD1"), Some(16383));
        assert_eq!(column_of(b"12"), None);
        assert_eq!(column_of(b"ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ1"), None);
    }

    #[test]
    fn formats_that_are_dates() {
        for code in ["yyyy/mm/dd hh:mm:ss", "[$-409]d/m/yy;@", "h:mm"] {
            assert!(is_date_format(code), "{code}");
        }
        for code in ["General", "0.00", "[Red]0", "\"days\" 0", "#,##0\\d"] {
            assert!(!is_date_format(code), "{code}");
        }
    }
}
