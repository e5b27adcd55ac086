//! What records hand to the evaluator. Values borrow: reading an attribute allocates nothing.

use std::collections::BTreeMap;

use entente_model::{Listing, Observed, Text, Why};

/// One value, as a record holds it.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Text.
    Text(&'a str),
    /// A list.
    List(&'a dyn List),
    /// A map from text.
    Map(&'a dyn Map),
    /// A record.
    Record(&'a dyn Record),
    /// Observed to be absent: reads as `null`.
    Absent,
    /// Not observed, and why.
    Unobserved(Why),
}

/// Something with attributes.
pub trait Record {
    /// The value of the attribute at `index` of its
    /// [`RecordType::attributes`](crate::RecordType::attributes).
    fn attribute(&self, index: usize) -> Value<'_>;
}

/// A list that says whether it is whole.
pub trait List {
    /// How many elements were seen.
    fn len(&self) -> usize;

    /// True if no element was seen.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them; [`Value::Absent`] beyond the end.
    fn get(&self, position: usize) -> Value<'_>;

    /// Why elements may be missing, if they may.
    fn incomplete(&self) -> Option<Why> {
        None
    }
}

/// A map from text.
pub trait Map {
    /// What `key` leads to: [`Value::Absent`] where the map is known not to hold it,
    /// [`Value::Unobserved`] where that cannot be told.
    fn get(&self, key: &str) -> Value<'_>;
}

impl<R: Record> List for Listing<R> {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn get(&self, position: usize) -> Value<'_> {
        self.items.get(position).map_or(Value::Absent, |record| Value::Record(record))
    }

    fn incomplete(&self) -> Option<Why> {
        self.why()
    }
}

impl List for Listing<Text> {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn get(&self, position: usize) -> Value<'_> {
        self.items.get(position).map_or(Value::Absent, |text| Value::Text(text))
    }

    fn incomplete(&self) -> Option<Why> {
        self.why()
    }
}

/// A whole map.
impl Map for BTreeMap<Text, Text> {
    fn get(&self, key: &str) -> Value<'_> {
        BTreeMap::get(self, key).map_or(Value::Absent, |value| Value::Text(value))
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&bool> for Value<'_> {
    fn from(value: &bool) -> Self {
        Self::Bool(*value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&u32> for Value<'_> {
    fn from(value: &u32) -> Self {
        Self::Int(i64::from(*value))
    }
}

/// What exceeds a 64-bit whole number reads as the greatest.
impl From<&u64> for Value<'_> {
    fn from(value: &u64) -> Self {
        Self::Int(i64::try_from(*value).unwrap_or(i64::MAX))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a Text> for Value<'a> {
    fn from(value: &'a Text) -> Self {
        Self::Text(value)
    }
}

impl<'a, T> From<&'a Observed<T>> for Value<'a>
where
    Value<'a>: From<&'a T>,
{
    fn from(fact: &'a Observed<T>) -> Self {
        match fact {
            Observed::Value(value) => <Self as From<&'a T>>::from(value),
            Observed::Absent => Self::Absent,
            Observed::Unobserved(why) => Self::Unobserved(*why),
        }
    }
}
