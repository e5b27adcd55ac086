//! What stands in one cell, before a format and a locale give it its form.

use entente_model::{Moment, Observed, Text};
use time::PrimitiveDateTime;

/// Bytes in a MiB.
pub(super) const MIB: u64 = 1024 * 1024;

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Blank,
    Text(Text),
    Number(i64),
    /// With two decimals.
    Decimal(f64),
    Bool(bool),
    Date(PrimitiveDateTime),
    /// The `Change Version`: a date in workbooks, ISO text in the CSV of old versions.
    ChangeVersion(PrimitiveDateTime),
}

/// Text, blank where empty.
pub(super) fn word(text: impl AsRef<str>) -> Cell {
    let text = text.as_ref();
    if text.is_empty() { Cell::Blank } else { Cell::Text(Text::new(text)) }
}

/// A number.
pub(super) fn number(value: impl TryInto<i64>) -> Cell {
    Cell::Number(value.try_into().unwrap_or(i64::MAX))
}

/// Bytes as MiB.
pub(super) fn mib(bytes: u64) -> Cell {
    number(bytes / MIB)
}

/// Observed text.
pub(super) fn text(fact: &Observed<Text>) -> Cell {
    fact.value().map_or(Cell::Blank, word)
}

/// An observed number.
pub(super) fn count<T: Copy + Into<u64>>(fact: &Observed<T>) -> Cell {
    fact.copied().map_or(Cell::Blank, |value| number(value.into()))
}

/// Observed bytes as MiB.
pub(super) fn size(fact: &Observed<u64>) -> Cell {
    fact.copied().map_or(Cell::Blank, mib)
}

/// An observed cap: -1 where there is none.
pub(super) fn limit(fact: &Observed<u64>) -> Cell {
    match fact {
        Observed::Value(value) => number(*value),
        Observed::Absent => Cell::Number(-1),
        Observed::Unobserved(_) => Cell::Blank,
    }
}

/// An observed cap in bytes, as MiB: -1 where there is none.
pub(super) fn limit_mib(fact: &Observed<u64>) -> Cell {
    limit(&fact.clone().map(|bytes| bytes / MIB))
}

/// An observed yes or no.
pub(super) fn flag(fact: &Observed<bool>) -> Cell {
    fact.copied().map_or(Cell::Blank, Cell::Bool)
}

/// An observed yes or no as the configuration file writes it: `TRUE`, blank where never set.
pub(super) fn configured(fact: &Observed<bool>) -> Cell {
    fact.copied().map_or(Cell::Blank, |set| word(if set { "TRUE" } else { "FALSE" }))
}

/// An observed date.
pub(super) fn date(fact: &Observed<Moment>) -> Cell {
    fact.copied().map_or(Cell::Blank, |moment| Cell::Date(local(moment)))
}

/// The time as RVTools writes it: without a zone.
pub(super) fn local(moment: Moment) -> PrimitiveDateTime {
    match moment {
        Moment::Local(at) => at,
        Moment::Utc(at) => PrimitiveDateTime::new(at.date(), at.time()),
    }
}
