//! Three-valued facts. A gap is never a no.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

/// One optional fact, as far as it was observed.
///
/// `Absent` is knowledge (the source looked and there is none); `Unobserved` is the lack of it.
/// There is no conversion to `Option` that merges the two by accident: use [`Observed::value`] where
/// only a present value matters, and match where the difference does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Observed<T> {
    /// Seen, with this value.
    Value(T),
    /// Seen to be absent.
    Absent,
    /// Not seen, and why.
    Unobserved(Why),
}

/// Why a fact was not observed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// This kind of source can never observe it; declared once per source, see
    /// [`SourceLimit`](crate::SourceLimit).
    SourceLimit,
    /// This version of the source does not carry it; a newer one does.
    NotInVersion,
    /// The tab, column or section is missing from this particular export.
    NotInExport,
    /// The row or cell is missing or blank where a value was expected.
    Blank,
    /// A value was there but could not be understood; a gap names it.
    Unreadable,
    /// The guest reported nothing (powered off, no tools, tools not running).
    GuestSilent,
    /// The credentials may not see it.
    NoPermission,
    /// The call that would have told failed.
    CallFailed,
    /// Two rows or sources tell different things; a gap names them.
    Conflict,
    /// Nobody supplied it: it comes from people (owner, tier), not from platforms.
    NotSupplied,
}

impl Why {
    /// The stable, kebab-case word used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SourceLimit => "source-limit",
            Self::NotInVersion => "not-in-version",
            Self::NotInExport => "not-in-export",
            Self::Blank => "blank",
            Self::Unreadable => "unreadable",
            Self::GuestSilent => "guest-silent",
            Self::NoPermission => "no-permission",
            Self::CallFailed => "call-failed",
            Self::Conflict => "conflict",
            Self::NotSupplied => "not-supplied",
        }
    }

    /// True where no better export or login of the same kind of source could have told.
    pub fn is_limit_of_source(self) -> bool {
        matches!(self, Self::SourceLimit | Self::NotInVersion)
    }
}

impl<T> Observed<T> {
    /// What was found, or why nothing was.
    pub fn or_why(found: Option<T>, why: Why) -> Self {
        found.map_or(Self::Unobserved(why), Self::Value)
    }

    /// What was found; that nothing was found is knowledge.
    pub fn or_absent(found: Option<T>) -> Self {
        found.map_or(Self::Absent, Self::Value)
    }

    /// The value, where one was observed. Merges "absent" and "not observed": only for places where
    /// that difference cannot matter (formatting, best-effort joins).
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Unobserved(_) => None,
        }
    }

    /// True unless the fact was not observed.
    pub fn is_observed(&self) -> bool {
        !matches!(self, Self::Unobserved(_))
    }

    /// Why it was not observed, if it was not.
    pub fn why(&self) -> Option<Why> {
        match self {
            Self::Unobserved(why) => Some(*why),
            Self::Value(_) | Self::Absent => None,
        }
    }

    /// Applies `f` to an observed value and keeps the rest.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Observed<U> {
        match self {
            Self::Value(value) => Observed::Value(f(value)),
            Self::Absent => Observed::Absent,
            Self::Unobserved(why) => Observed::Unobserved(why),
        }
    }

    /// Makes something else of an observed value, which may turn out absent or not understood, and keeps
    /// the rest.
    pub fn and_then<U>(self, f: impl FnOnce(T) -> Observed<U>) -> Observed<U> {
        match self {
            Self::Value(value) => f(value),
            Self::Absent => Observed::Absent,
            Self::Unobserved(why) => Observed::Unobserved(why),
        }
    }

    /// Borrows.
    pub fn as_ref(&self) -> Observed<&T> {
        match self {
            Self::Value(value) => Observed::Value(value),
            Self::Absent => Observed::Absent,
            Self::Unobserved(why) => Observed::Unobserved(*why),
        }
    }

    /// Takes `other` where this was seen to be absent: a default that the platform documents.
    #[must_use]
    pub fn if_absent(self, other: Self) -> Self {
        match self {
            Self::Absent => other,
            kept => kept,
        }
    }

    /// Keeps what is observed and takes `other` only where this is not.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Unobserved(_) if other.is_observed() => other,
            kept => kept,
        }
    }
}

impl<T: Copy> Observed<T> {
    /// [`Observed::value`] by copy.
    pub fn copied(&self) -> Option<T> {
        self.value().copied()
    }
}

impl<T> From<T> for Observed<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

/// The value itself; `null` for an observed absence; `{"unobserved": "<why>"}` otherwise.
impl<T: Serialize> Serialize for Observed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Absent => serializer.serialize_none(),
            Self::Unobserved(why) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("unobserved", why)?;
                map.end()
            }
        }
    }
}

/// What [`Serialize`] writes. A value never looks like `{"unobserved": …}`: observed values are scalars.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Observed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written(PhantomData))
    }
}

/// Reads what was written without keeping a copy of it: estates hold tens of millions of facts.
struct Written<T>(PhantomData<T>);

macro_rules! scalars {
    ($($visit:ident($type:ty))*) => {$(
        fn $visit<E: Error>(self, value: $type) -> Result<Self::Value, E> {
            T::deserialize(value.into_deserializer()).map(Observed::Value)
        }
    )*};
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Written<T> {
    type Value = Observed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, null, or an object that says why there is none")
    }

    scalars! { visit_bool(bool) visit_i64(i64) visit_u64(u64) visit_f64(f64) visit_str(&str) visit_string(String) }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Observed::Absent)
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Observed::Absent)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut why = None;
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key != "unobserved" {
                return Err(Error::unknown_field(&key, &["unobserved"]));
            }
            why = Some(map.next_value()?);
        }
        why.map(Observed::Unobserved).ok_or_else(|| Error::missing_field("unobserved"))
    }
}

/// The schema of what [`Serialize`] writes.
impl<T: JsonSchema> JsonSchema for Observed<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Observed_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        let why = generator.subschema_for::<Why>();
        json_schema!({
            "anyOf": [
                value,
                { "type": "null" },
                {
                    "type": "object",
                    "properties": { "unobserved": why },
                    "required": ["unobserved"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

/// Whether a list is whole.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Completeness {
    /// Nothing is missing: "none" and "for all" may be concluded.
    Complete,
    /// Something may be missing, for this reason; only "there is one" may be concluded.
    Incomplete(Why),
}

/// A list that says whether it is whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Listing<T> {
    /// What was seen.
    pub items: Vec<T>,
    /// Whether that is all.
    pub completeness: Completeness,
}

impl<T> Listing<T> {
    /// A whole list.
    pub fn complete(items: Vec<T>) -> Self {
        Self { items, completeness: Completeness::Complete }
    }

    /// A list from which something may be missing.
    pub fn incomplete(items: Vec<T>, why: Why) -> Self {
        Self { items, completeness: Completeness::Incomplete(why) }
    }

    /// What was seen, and why that may not be all, if so.
    pub fn of(items: Vec<T>, why: Option<Why>) -> Self {
        match why {
            Some(why) => Self::incomplete(items, why),
            None => Self::complete(items),
        }
    }

    /// Nothing was observed, not even that there is nothing.
    pub fn unobserved(why: Why) -> Self {
        Self::incomplete(Vec::new(), why)
    }

    /// True if nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.completeness == Completeness::Complete
    }

    /// Why something may be missing, if so.
    pub fn why(&self) -> Option<Why> {
        match self.completeness {
            Completeness::Complete => None,
            Completeness::Incomplete(why) => Some(why),
        }
    }

    /// The items seen.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }
}

/// A list that is a fact as a whole: absent means that there is nothing in it.
impl<T> From<Observed<Vec<T>>> for Listing<T> {
    fn from(told: Observed<Vec<T>>) -> Self {
        match told {
            Observed::Value(items) => Self::complete(items),
            Observed::Absent => Self::complete(Vec::new()),
            Observed::Unobserved(why) => Self::unobserved(why),
        }
    }
}

impl<'a, T> IntoIterator for &'a Listing<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_written_differently_from_an_absence() {
        let json = |fact: Observed<u32>| serde_json::to_string(&fact).unwrap();
        assert_eq!(json(Observed::Value(3)), "3");
        assert_eq!(json(Observed::Absent), "null");
        assert_eq!(
            json(Observed::Unobserved(Why::NotInExport)),
            r#"{"unobserved":"not-in-export"}"#
        );
    }

    #[test]
    fn what_is_written_is_read_again_and_nothing_else_is() {
        let read = |json: &str| serde_json::from_str::<Observed<u8>>(json);
        for fact in [Observed::Value(3), Observed::Absent, Observed::Unobserved(Why::Blank)] {
            let json = serde_json::to_string(&fact).unwrap();
            assert_eq!(read(&json).unwrap(), fact);
            assert_eq!(
                serde_json::from_value::<Observed<u8>>(serde_json::from_str(&json).unwrap())
                    .unwrap(),
                fact
            );
        }
        for wrong in [
            "300",
            "\"3\"",
            "{}",
            r#"{"unobserved":"because"}"#,
            r#"{"unobserved":"blank","value":3}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let word = serde_json::from_str::<Observed<Why>>("\"blank\"").unwrap();
        assert_eq!(word, Observed::Value(Why::Blank));
    }

    #[test]
    fn every_reason_is_written_as_its_word() {
        for why in [
            Why::SourceLimit,
            Why::NotInVersion,
            Why::NotInExport,
            Why::Blank,
            Why::Unreadable,
            Why::GuestSilent,
            Why::NoPermission,
            Why::CallFailed,
            Why::Conflict,
            Why::NotSupplied,
        ] {
            assert_eq!(serde_json::to_string(&why).unwrap(), format!("\"{}\"", why.as_str()));
        }
    }

    #[test]
    fn or_prefers_knowledge_over_its_lack_and_the_first_knowledge_over_the_second() {
        let gap = Observed::Unobserved(Why::Blank);
        assert_eq!(gap.clone().or(Observed::Value(1)), Observed::Value(1));
        assert_eq!(Observed::Absent.or(Observed::Value(1)), Observed::Absent);
        assert_eq!(gap.clone().or(Observed::Unobserved(Why::NoPermission)), gap);
    }
}
