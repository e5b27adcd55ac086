//! Gaps while they are found: what happened to a thousand objects in the same way is told once, with its
//! count and one of the values.

use std::collections::BTreeMap;

use entente_model::{Gap, GapCause, Place, Text};

use crate::secrets::redacted;

/// Longest value that is shown, in characters.
const VALUE_CHARACTERS_MAX: usize = 200;

/// Gaps so far, grouped.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    found: BTreeMap<Key, Seen>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    cause: GapCause,
    section: Text,
    field: Option<Text>,
    message: Text,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    count: u64,
    value: Option<Text>,
}

/// One kind of gap, before it is counted.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// Kind of reason.
    pub cause: GapCause,
    /// The list of the collection that it concerns.
    pub section: &'a str,
    /// Property or field, as the platform writes it.
    pub field: Option<&'a str>,
    /// What happened and what it means, the same for all of this kind.
    pub message: &'a str,
    /// The object or value to which it happened.
    pub value: Option<&'a str>,
}

impl<'a> Found<'a> {
    /// A gap of a whole list.
    pub fn of(cause: GapCause, section: &'a str, message: &'a str) -> Self {
        Self { cause, section, field: None, message, value: None }
    }

    /// In this field.
    #[must_use]
    pub fn field(self, field: &'a str) -> Self {
        Self { field: Some(field), ..self }
    }

    /// Of this object, or with this value.
    #[must_use]
    pub fn value(self, value: &'a str) -> Self {
        Self { value: Some(value), ..self }
    }
}

impl Gaps {
    /// One more.
    pub fn add(&mut self, found: Found<'_>) {
        self.add_many(found, 1);
    }

    /// So many more. Of their values the least is kept, so that the order in which answers come is no
    /// matter.
    pub fn add_many(&mut self, found: Found<'_>, count: u64) {
        self.seen(found).count += count;
    }

    /// Told once, however often it happens.
    pub fn add_once(&mut self, found: Found<'_>) {
        self.seen(found).count = 1;
    }

    fn seen(&mut self, found: Found<'_>) -> &mut Seen {
        let key = Key {
            cause: found.cause,
            section: found.section.into(),
            field: found.field.map(Text::from),
            message: found.message.into(),
        };
        let value = found.value.map(|value| {
            let shown: String = value.chars().take(VALUE_CHARACTERS_MAX).collect();
            redacted(&shown)
        });
        let seen = self.found.entry(key).or_default();
        if value.is_some() && (seen.value.is_none() || value < seen.value) {
            seen.value = value;
        }
        seen
    }

    /// Adds others.
    pub fn append(&mut self, other: Self) {
        for (key, more) in other.found {
            let seen = self.found.entry(key).or_default();
            seen.count += more.count;
            if more.value.is_some() && (seen.value.is_none() || more.value < seen.value) {
                seen.value = more.value;
            }
        }
    }

    /// Those of one list alone.
    #[must_use]
    pub fn of_section(&self, section: &str) -> Self {
        let same = self.found.iter().filter(|(key, _)| key.section == section);
        Self { found: same.map(|(key, seen)| (key.clone(), seen.clone())).collect() }
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them, sorted, of the platform at this address.
    pub fn finish(self, address: &Text) -> Vec<Gap> {
        let gap = |(key, seen): (Key, Seen)| Gap {
            cause: key.cause,
            place: Place {
                file: address.clone(),
                section: Some(key.section),
                row: None,
                field: key.field,
            },
            message: key.message,
            value: seen.value,
            count: seen.count,
        };
        let mut gaps: Vec<Gap> = self.found.into_iter().map(gap).collect();
        gaps.sort();
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_once_whatever_the_order() {
        let of = |values: &[&str]| {
            let mut gaps = Gaps::default();
            for value in values {
                let found = Found::of(GapCause::UnknownValue, "workloads", "unknown word");
                gaps.add(found.field("guestId").value(value));
            }
            gaps.add_once(Found::of(GapCause::NoPermission, "roles", "filtered"));
            gaps.add_once(Found::of(GapCause::NoPermission, "roles", "filtered"));
            gaps.finish(&"vc".into())
        };
        let gaps = of(&["b", "a", "c"]);
        assert_eq!(gaps, of(&["c", "b", "a"]));
        let shown: Vec<_> = gaps.iter().map(|it| (it.value.as_deref(), it.count)).collect();
        assert_eq!(shown, [(None, 1), (Some("a"), 3)]);
    }

    #[test]
    fn a_secret_in_a_value_is_not_shown() {
        let mut gaps = Gaps::default();
        let found = Found::of(GapCause::UnreadableValue, "workloads", "unreadable");
        gaps.add(found.value("password: hunter2"));
        assert!(!gaps.finish(&"vc".into())[0].value.as_deref().unwrap().contains("hunter2"));
    }
}
