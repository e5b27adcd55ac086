//! What is so now, as typed tables: their columns are data, and so are the functions that fill them.
//!
//! A table belongs to one kind of noun: it has a row for each of them, or for each part of one (its
//! disks). Every column carries the function that reads it from the noun, so that the schema, the rows, the
//! views and their documentation cannot drift apart. SQL has one null; why a value is missing stands in the
//! column `unobserved` of the same row as ` power=no-permission created=source-limit `: a null that is not
//! named there was observed to be absent.

pub(crate) mod control;
pub(crate) mod further;
pub(crate) mod infrastructure;
pub(crate) mod schema;
mod told;
pub(crate) mod workloads;

use entente_model::Why;

use crate::database::Cell;

pub(crate) use told::Told;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// Text, compared byte by byte.
    Text,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A time as ISO 8601 text to the second, which compares as time does; a `Z` only where the zone is known.
    Time,
}

impl ColumnType {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Time => "time",
        }
    }
}

/// One value on its way into a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fact {
    Int(i64),
    Bool(bool),
    Text(String),
    /// There is none, or, with a reason, nobody knows.
    None(Option<Why>),
}

/// Reads a column's value from a noun and its part.
type Read<P, C> = fn(&P, &C) -> Fact;

/// One column.
pub(crate) struct Column<P, C> {
    pub name: &'static str,
    pub kind: ColumnType,
    pub unit: &'static str,
    pub meaning: &'static str,
    pub is_indexed: bool,
    pub read: Read<P, C>,
}

impl<P, C> Column<P, C> {
    const fn of(
        name: &'static str,
        kind: ColumnType,
        meaning: &'static str,
        read: Read<P, C>,
    ) -> Self {
        Self { name, kind, unit: "", meaning, is_indexed: false, read }
    }

    pub const fn text(name: &'static str, meaning: &'static str, read: Read<P, C>) -> Self {
        Self::of(name, ColumnType::Text, meaning, read)
    }

    pub const fn count(name: &'static str, meaning: &'static str, read: Read<P, C>) -> Self {
        Self::of(name, ColumnType::Integer, meaning, read)
    }

    pub const fn flag(name: &'static str, meaning: &'static str, read: Read<P, C>) -> Self {
        Self::of(name, ColumnType::Boolean, meaning, read)
    }

    pub const fn time(name: &'static str, meaning: &'static str, read: Read<P, C>) -> Self {
        Self::of(name, ColumnType::Time, meaning, read)
    }
}

/// A column whose numbers have a unit.
const fn unit<P, C>(unit: &'static str, column: Column<P, C>) -> Column<P, C> {
    Column { unit, ..column }
}

/// A column by which rows are looked up.
const fn indexed<P, C>(column: Column<P, C>) -> Column<P, C> {
    Column { is_indexed: true, ..column }
}

/// Which row is shown where two readers tell of the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precedence {
    /// The later reader that has the thing; it is known by this column, which is the id in that table.
    ById { column: &'static str, table: &'static str },
    /// The later reader that has seen a control plane at all: exports see none.
    ByControlPlane,
}

/// One table: rows of a noun `P`, one for each part `C`.
pub(crate) struct Table<P: 'static, C: 'static> {
    pub name: &'static str,
    pub meaning: &'static str,
    pub precedence: Precedence,
    pub parts: for<'a> fn(&'a P) -> Vec<&'a C>,
    pub columns: &'static [Column<P, C>],
    /// Columns that move by themselves: in a table of their own, written at every reading.
    pub samples: &'static [Column<P, C>],
}

/// What is known of a column without its noun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnInfo {
    pub name: &'static str,
    pub kind: ColumnType,
    pub unit: &'static str,
    pub meaning: &'static str,
    pub is_indexed: bool,
}

/// What is known of a table without its noun.
#[derive(Clone, Debug)]
pub(crate) struct TableInfo {
    pub name: &'static str,
    pub meaning: &'static str,
    pub precedence: Precedence,
    pub columns: Vec<ColumnInfo>,
    pub samples: Vec<ColumnInfo>,
}

/// One row, without the columns that the store adds.
#[derive(Clone, Debug)]
pub(crate) struct TableRow {
    pub table: &'static str,
    pub cells: Vec<Cell>,
    /// ` power=no-permission created=source-limit `, or nothing.
    pub unobserved: String,
}

/// A table whose part has been forgotten.
pub(crate) trait Fill<P>: Sync {
    fn info(&self) -> TableInfo;
    /// Rows of what is configured.
    fn fill(&self, noun: &P, rows: &mut Vec<TableRow>);
    /// Rows of what moves by itself.
    fn fill_samples(&self, noun: &P, rows: &mut Vec<TableRow>);
}

impl<P, C> Fill<P> for Table<P, C> {
    fn info(&self) -> TableInfo {
        let infos = |columns: &[Column<P, C>]| {
            let info = |it: &Column<P, C>| ColumnInfo {
                name: it.name,
                kind: it.kind,
                unit: it.unit,
                meaning: it.meaning,
                is_indexed: it.is_indexed,
            };
            columns.iter().map(info).collect()
        };
        TableInfo {
            name: self.name,
            meaning: self.meaning,
            precedence: self.precedence,
            columns: infos(self.columns),
            samples: infos(self.samples),
        }
    }

    fn fill(&self, noun: &P, rows: &mut Vec<TableRow>) {
        let parts = (self.parts)(noun);
        rows.extend(parts.into_iter().map(|part| row(self.name, self.columns, noun, part)));
    }

    fn fill_samples(&self, noun: &P, rows: &mut Vec<TableRow>) {
        if self.samples.is_empty() {
            return;
        }
        let parts = (self.parts)(noun);
        rows.extend(parts.into_iter().map(|part| row(self.name, self.samples, noun, part)));
    }
}

fn row<P, C>(table: &'static str, columns: &[Column<P, C>], noun: &P, part: &C) -> TableRow {
    let mut unobserved = String::new();
    let mut cells = Vec::with_capacity(columns.len());
    for column in columns {
        let fact = (column.read)(noun, part);
        if let Fact::None(Some(why)) = &fact {
            unobserved.push(' ');
            unobserved.push_str(column.name);
            unobserved.push('=');
            unobserved.push_str(why.as_str());
        }
        cells.push(cell(fact, column.kind));
    }
    if !unobserved.is_empty() {
        unobserved.push(' ');
    }
    TableRow { table, cells, unobserved }
}

/// A database wants to know of which type the value is that is not there.
fn cell(fact: Fact, kind: ColumnType) -> Cell {
    match (fact, kind) {
        (Fact::Int(value), _) => Cell::MaybeInt(Some(value)),
        (Fact::Bool(value), _) => Cell::MaybeBool(Some(value)),
        (Fact::Text(value), _) => Cell::MaybeText(Some(without_nul(value))),
        (Fact::None(_), ColumnType::Integer) => Cell::MaybeInt(None),
        (Fact::None(_), ColumnType::Boolean) => Cell::MaybeBool(None),
        (Fact::None(_), ColumnType::Text | ColumnType::Time) => Cell::MaybeText(None),
    }
}

/// PostgreSQL has no text with a zero in it; JSON bodies keep it as it was.
fn without_nul(text: String) -> String {
    match text.contains('\0') {
        true => text.replace('\0', "\u{fffd}"),
        false => text,
    }
}

/// A word by which something is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Lower case.
    pub token: String,
    /// `name`, `address`, `mac` or `uuid`.
    pub what: &'static str,
    /// The thing's own name.
    pub label: String,
}

/// The tokens of a thing that has but a name.
pub(crate) fn named(name: &str) -> Vec<Token> {
    vec![Token {
        token: without_nul(name.to_lowercase()),
        what: "name",
        label: without_nul(name.to_owned()),
    }]
}
