//! Times as sources give them: with a zone, or local to nobody knows where.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};
use time::format_description::well_known::Iso8601;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// A calendar date.
pub type Date = time::Date;

/// A point in time, as exactly as the source tells it.
///
/// Exports often carry dates without a zone: the local time of the machine that ran the export. They
/// stay local; nothing here pretends that they are UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// With a zone, kept as UTC.
    Utc(OffsetDateTime),
    /// Without a zone: right to about a day.
    Local(PrimitiveDateTime),
}

impl Moment {
    /// The calendar date, in the zone in which the moment was told.
    pub fn date(self) -> Date {
        match self {
            Self::Utc(at) => at.to_offset(UtcOffset::UTC).date(),
            Self::Local(at) => at.date(),
        }
    }

    /// Whole days from this moment's date to `as_of`; negative for the future.
    pub fn age_days(self, as_of: Date) -> i64 {
        (as_of - self.date()).whole_days()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, zone) = match self {
            Self::Utc(at) => {
                let at = at.to_offset(UtcOffset::UTC);
                (PrimitiveDateTime::new(at.date(), at.time()), "Z")
            }
            Self::Local(at) => (*at, ""),
        };
        write!(f, "{}T{:02}:{:02}:{:02}{zone}", at.date(), at.hour(), at.minute(), at.second())
    }
}

/// ISO 8601 to the second; a `Z` only where the zone is known.
impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that is not a moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time such as `2026-01-31T12:00:00Z`")]
pub struct InvalidMoment(String);

/// Reads ISO 8601: with `Z` or an offset, UTC; without, local.
impl FromStr for Moment {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        let with_zone = OffsetDateTime::parse(text, &Iso8601::PARSING);
        let moment = match with_zone {
            Ok(at) => Ok(Self::Utc(at.to_offset(UtcOffset::UTC))),
            Err(_) => PrimitiveDateTime::parse(text, &Iso8601::PARSING).map(Self::Local),
        };
        moment.map_err(|_| InvalidMoment(text.chars().take(40).collect()))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "ISO 8601 to the second; a `Z` only where the zone is known"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn only_a_known_zone_is_written() {
        assert_eq!(
            Moment::Local(datetime!(2025-02-26 12:53:35)).to_string(),
            "2025-02-26T12:53:35"
        );
        assert_eq!(
            Moment::Utc(datetime!(2025-02-26 12:53:35 +2)).to_string(),
            "2025-02-26T10:53:35Z"
        );
    }

    #[test]
    fn age_counts_days() {
        let at = Moment::Local(datetime!(2025-02-26 23:59:59));
        assert_eq!(at.age_days(date!(2025 - 02 - 27)), 1);
        assert_eq!(at.age_days(date!(2025 - 02 - 25)), -1);
    }
}
