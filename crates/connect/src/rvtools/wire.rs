//! The export's rows: which tabs and columns there are, and what a cell may say.
//!
//! Quirks of the format that live here and nowhere else: header spellings over the versions, sizes
//! headed MB that are MiB, truth as text, thousands separators in quotes, zero dates, -1 as unlimited.
//! A reader says what it expects of a cell ([`Cells::mib`], [`Cells::flag`] …) and gets an
//! [`Observed`] fact; what cannot be understood becomes a gap with file, tab, row, column and value.

pub(super) mod columns;
mod gaps;
mod header;
mod value;

use std::collections::HashSet;
use std::net::IpAddr;

use entente_model::{GapCause, InvalidId, Moment, Observed, PlatformId, Text, Uuid, Why};

use crate::tables::{Cell, Row};

pub(super) use columns::Version;
pub(super) use gaps::GapLog;
pub(super) use header::{Column, Header, columns};
use value::Reading;

const MIB: u64 = 1 << 20;

/// Distinct texts of one tab that are kept only once.
const POOLED_TEXTS_MAX: usize = 200_000;

/// Texts that repeat from row to row (cluster, operating system), kept once.
#[derive(Debug, Default)]
pub(super) struct TextPool(HashSet<Text>);

impl TextPool {
    fn get(&mut self, text: &str) -> Text {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let text = Text::new(text);
        // Short texts live inside `Text`; pooling them gains nothing.
        if text.is_heap_allocated() && self.0.len() < POOLED_TEXTS_MAX {
            self.0.insert(text.clone());
        }
        text
    }

    fn get_lowercase(&mut self, text: &str) -> Text {
        if text.chars().any(char::is_uppercase) {
            return self.get(&text.to_lowercase());
        }
        self.get(text)
    }
}

/// What holds for all rows of one export.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    /// Version of the exporting program, as far as known.
    pub(super) version: Option<Version>,
    /// The platform of rows that name none.
    pub(super) platform: PlatformId,
}

header::columns! {
    /// Columns that name a row's platform.
    PlatformColumns { uuid: "VI SDK UUID", server: "VI SDK Server" }
}

impl Scope {
    /// A scope for rows that are not about a platform.
    pub(super) fn nowhere() -> Option<Self> {
        Some(Self { version: None, platform: "nowhere".parse().ok()? })
    }
}

/// One row, read by column; what is not understood is logged.
pub(super) struct Cells<'r, 'l> {
    pub(super) scope: &'l Scope,
    row: Row<'r>,
    log: &'l mut GapLog,
    pool: &'l mut TextPool,
}

impl<'r, 'l> Cells<'r, 'l> {
    pub(super) fn new(
        row: Row<'r>,
        scope: &'l Scope,
        log: &'l mut GapLog,
        pool: &'l mut TextPool,
    ) -> Self {
        Self { scope, row, log, pool }
    }

    /// The platform that a row names by UUID or server; else that of the export.
    pub(super) fn platform(&mut self, columns: &PlatformColumns) -> PlatformId {
        for column in [&columns.uuid, &columns.server] {
            if let Ok(Cell::Text(text)) = self.cell(column)
                && let Ok(id) = PlatformId::try_from(self.pool.get_lowercase(text))
            {
                return id;
            }
        }
        self.scope.platform.clone()
    }

    /// An id made of text that repeats from row to row; what is no id becomes a gap.
    pub(super) fn id<T: TryFrom<Text, Error = InvalidId>>(
        &mut self,
        column: &Column,
        text: &str,
    ) -> Observed<T> {
        match T::try_from(self.pool.get(text)) {
            Ok(id) => Observed::Value(id),
            Err(error) => {
                self.gap(GapCause::UnreadableValue, column, &error.to_string());
                Observed::Unobserved(Why::Unreadable)
            }
        }
    }

    /// An id on a platform, of what `name` names; what is no id becomes a gap.
    pub(super) fn id_on<T: TryFrom<Text, Error = InvalidId>>(
        &mut self,
        platform: &PlatformId,
        column: &Column,
        name: Observed<Text>,
    ) -> Observed<T> {
        match name {
            Observed::Value(name) => self.id(column, &format!("{platform}/{name}")),
            Observed::Absent => Observed::Absent,
            Observed::Unobserved(why) => Observed::Unobserved(why),
        }
    }

    /// Row number as a spreadsheet counts it.
    pub(super) fn row_number(&self) -> u32 {
        self.row.number()
    }

    fn cell(&self, column: &Column) -> Result<Cell<'r>, Why> {
        match column.index {
            Ok(index) => Ok(self.row.cell(index)),
            Err(why) => Err(why),
        }
    }

    /// Reads a cell with `read`; `blank` is what an empty cell means.
    fn observe<T>(
        &mut self,
        column: &Column,
        blank: Observed<T>,
        read: impl FnOnce(Cell<'r>) -> Reading<T>,
    ) -> Observed<T> {
        let cell = match self.cell(column) {
            Ok(Cell::Empty) => return blank,
            Ok(cell) => cell,
            Err(why) => return Observed::Unobserved(why),
        };
        match read(cell) {
            Reading::Value(value) => Observed::Value(value),
            Reading::None => Observed::Absent,
            Reading::Missing => Observed::Unobserved(Why::Blank),
            Reading::Unreadable(expected) => {
                self.unreadable(column, cell, expected);
                Observed::Unobserved(Why::Unreadable)
            }
        }
    }

    fn unreadable(&mut self, column: &Column, cell: Cell<'_>, expected: &str) {
        let message = format!("expected {expected}: the fact stays unobserved");
        let shown = value::show(cell);
        let row = self.row_number();
        self.log.cell(GapCause::UnreadableValue, row, column, &message, &shown);
    }

    /// A gap about this row.
    pub(super) fn gap(&mut self, cause: GapCause, column: &Column, message: &str) {
        let shown = self.cell(column).map(value::show).unwrap_or_default();
        let row = self.row_number();
        self.log.cell(cause, row, column, message, &shown);
    }

    /// Text; blank = not observed.
    pub(super) fn text(&mut self, column: &Column) -> Observed<Text> {
        self.observe(column, Observed::Unobserved(Why::Blank), value::text)
    }

    /// Text that repeats from row to row; blank = not observed.
    pub(super) fn name(&mut self, column: &Column) -> Observed<Text> {
        self.pooled(column, Observed::Unobserved(Why::Blank))
    }

    /// Text that repeats from row to row; blank = there is none.
    pub(super) fn name_or_absent(&mut self, column: &Column) -> Observed<Text> {
        self.pooled(column, Observed::Absent)
    }

    fn pooled(&mut self, column: &Column, blank: Observed<Text>) -> Observed<Text> {
        match self.cell(column) {
            Ok(Cell::Text(text)) => Observed::Value(self.pool.get(text)),
            _ => self.observe(column, blank, value::text),
        }
    }

    /// Text; blank = there is none.
    pub(super) fn text_or_absent(&mut self, column: &Column) -> Observed<Text> {
        self.observe(column, Observed::Absent, value::text)
    }

    /// One word of a fixed vocabulary; `words` gives its meaning or nothing.
    pub(super) fn word<T>(
        &mut self,
        column: &Column,
        words: impl FnOnce(&str) -> Option<T>,
    ) -> Observed<T> {
        self.observe(column, Observed::Unobserved(Why::Blank), |cell| value::word(cell, words))
    }

    /// True or false; blank = not observed.
    pub(super) fn flag(&mut self, column: &Column) -> Observed<bool> {
        self.observe(column, Observed::Unobserved(Why::Blank), value::flag)
    }

    /// True or false; blank = never set.
    pub(super) fn flag_or_absent(&mut self, column: &Column) -> Observed<bool> {
        self.observe(column, Observed::Absent, value::flag)
    }

    /// A whole number, 0 or more.
    pub(super) fn whole(&mut self, column: &Column) -> Observed<u64> {
        self.observe(column, Observed::Unobserved(Why::Blank), value::whole)
    }

    /// A whole number; -1 = unlimited.
    pub(super) fn limit(&mut self, column: &Column) -> Observed<u64> {
        self.observe(column, Observed::Unobserved(Why::Blank), value::limit)
    }

    /// A count.
    pub(super) fn count(&mut self, column: &Column) -> Observed<u32> {
        self.observe(column, Observed::Unobserved(Why::Blank), |cell| match value::whole(cell) {
            Reading::Value(number) => match u32::try_from(number) {
                Ok(number) => Reading::Value(number),
                Err(_) => Reading::Unreadable("a count"),
            },
            other => other.cast(),
        })
    }

    /// MiB, as bytes. Columns headed MB in old versions hold MiB as well.
    pub(super) fn mib(&mut self, column: &Column) -> Observed<u64> {
        self.whole(column).map(|mib| mib.saturating_mul(MIB))
    }

    /// MiB, as bytes; -1 = unlimited.
    pub(super) fn mib_limit(&mut self, column: &Column) -> Observed<u64> {
        self.limit(column).map(|mib| mib.saturating_mul(MIB))
    }

    /// A percentage, as hundredths of a percent.
    pub(super) fn basis_points(&mut self, column: &Column) -> Observed<u32> {
        self.observe(column, Observed::Unobserved(Why::Blank), value::basis_points)
    }

    /// A date and time; a zero date = it never happened.
    pub(super) fn moment(&mut self, column: &Column) -> Observed<Moment> {
        self.observe(column, Observed::Absent, value::moment)
    }

    /// A UUID.
    pub(super) fn uuid(&mut self, column: &Column) -> Observed<Uuid> {
        self.observe(column, Observed::Unobserved(Why::Blank), value::uuid)
    }

    /// One IP address; blank = none.
    pub(super) fn address(&mut self, column: &Column) -> Observed<IpAddr> {
        self.observe(column, Observed::Absent, value::address)
    }

    /// IP addresses, separated by commas; blank = none.
    pub(super) fn addresses(&mut self, column: &Column) -> Observed<Vec<IpAddr>> {
        self.observe(column, Observed::Value(Vec::new()), value::addresses)
    }

    /// Texts, separated by commas; blank = none.
    pub(super) fn list(&mut self, column: &Column) -> Observed<Vec<Text>> {
        self.observe(column, Observed::Value(Vec::new()), |cell| match value::text(cell) {
            Reading::Value(text) => Reading::Value(value::split(&text)),
            other => other.cast(),
        })
    }
}
