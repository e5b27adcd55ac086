//! From what was told to three-valued facts. A property that was refused is never "none".

use std::str::FromStr;

use entente_model::{GapCause, Listing, Moment, Observed, Text, Why};

use super::super::wire::{Object, Told, flag, unescape};
use crate::live::{Found, Gaps};

/// Facts of objects that belong in one list.
pub(in crate::vsphere) struct Facts<'g> {
    /// Where gaps go.
    pub gaps: &'g mut Gaps,
    /// Name of the list.
    pub section: &'static str,
}

/// The platform has no value there, and should.
pub(super) fn blank<T>() -> Observed<T> {
    Observed::Unobserved(Why::Blank)
}

impl Facts<'_> {
    /// A text; `unset` where there is none.
    pub fn text(&self, told: Told<'_>, unset: Observed<Text>) -> Observed<Text> {
        match told {
            Told::Missing(why) => Observed::Unobserved(why),
            _ => told.text().map_or(unset, |it| Observed::Value(Text::new(it))),
        }
    }

    /// A name, as people know it.
    pub fn name(&self, told: Told<'_>, otherwise: &str) -> Text {
        told.text().map_or_else(|| Text::new(otherwise), |it| Text::from(unescape(it)))
    }

    /// A boolean.
    pub fn flag(&mut self, told: Told<'_>, unset: Observed<bool>) -> Observed<bool> {
        self.parsed(told, unset, (GapCause::UnreadableValue, "expected true or false"), flag)
    }

    /// A number.
    pub fn number<T: FromStr>(&mut self, told: Told<'_>, unset: Observed<T>) -> Observed<T> {
        let unreadable = (GapCause::UnreadableValue, "expected a number");
        self.parsed(told, unset, unreadable, |text| text.trim().parse().ok())
    }

    /// A number of units of so many bytes.
    pub fn bytes(&mut self, told: Told<'_>, unit: u64, unset: Observed<u64>) -> Observed<u64> {
        self.number::<u64>(told, unset).map(|it| it.saturating_mul(unit))
    }

    /// A cap, of which -1 says that there is none.
    pub fn limit(&mut self, told: Told<'_>, unit: u64) -> Observed<u64> {
        match self.number::<i64>(told, blank()) {
            Observed::Value(limit) => match u64::try_from(limit) {
                Ok(limit) => Observed::Value(limit.saturating_mul(unit)),
                Err(_) => Observed::Absent,
            },
            Observed::Absent => Observed::Absent,
            Observed::Unobserved(why) => Observed::Unobserved(why),
        }
    }

    /// A time.
    pub fn moment(&mut self, told: Told<'_>, unset: Observed<Moment>) -> Observed<Moment> {
        let unreadable = (GapCause::UnreadableValue, "expected a time");
        self.parsed(told, unset, unreadable, |text| text.trim().parse().ok())
    }

    /// A word of a list, or whatever else has a meaning.
    pub fn word<T>(
        &mut self,
        told: Told<'_>,
        unset: Observed<T>,
        meaning: impl FnOnce(&str) -> Option<T>,
    ) -> Observed<T> {
        let unknown = (GapCause::UnknownValue, "a word that this version does not know");
        self.parsed(told, unset, unknown, meaning)
    }

    fn parsed<T>(
        &mut self,
        told: Told<'_>,
        unset: Observed<T>,
        (cause, message): (GapCause, &str),
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Observed<T> {
        let Some(text) = told.text() else {
            return told.refused().map_or(unset, Observed::Unobserved);
        };
        if let Some(parsed) = parse(text) {
            return Observed::Value(parsed);
        }
        let field = told.element().map_or("", |it| it.name());
        self.value(cause, field, message, text);
        Observed::Unobserved(Why::Unreadable)
    }

    /// Properties that were refused, as gaps.
    pub fn refusals(&mut self, object: &Object<'_>) {
        for (path, fault) in object.missing() {
            let (cause, message) = match fault.kind.as_str() {
                "NoPermission" => {
                    let privilege = fault.privilege.as_deref().unwrap_or("a privilege");
                    (GapCause::NoPermission, format!("the account lacks {privilege}"))
                }
                "InvalidProperty" => (
                    GapCause::MissingField,
                    "this version of the platform does not know this property".to_owned(),
                ),
                kind => (GapCause::CallFailed, format!("the platform answered {kind}")),
            };
            self.gaps.add(Found::of(cause, self.section, &message).field(path));
        }
    }

    /// Something within a list that could not be mapped.
    pub fn gap(&mut self, cause: GapCause, field: &str, message: &str) {
        self.gaps.add(Found::of(cause, self.section, message).field(field));
    }

    /// Something of another list that is referred to and was not told of: that list lacks it.
    pub fn dangling(&mut self, list: &'static str, message: &str, id: &str) {
        self.gaps.add(Found::of(GapCause::DanglingReference, list, message).value(id));
    }

    /// A value that could not be mapped.
    pub fn value(&mut self, cause: GapCause, field: &str, message: &str, value: &str) {
        self.gaps.add(Found::of(cause, self.section, message).field(field).value(value));
    }
}

/// A list, and why there may be more, if there may.
pub(super) fn listing<T>(items: Vec<T>, dropped: Option<Why>) -> Listing<T> {
    match dropped {
        Some(why) => Listing::incomplete(items, why),
        None => Listing::complete(items),
    }
}

/// A share in hundredths of a percent; nothing of nothing.
pub(super) fn basis_points(used: Observed<u64>, of: Observed<u64>) -> Observed<u32> {
    match (used, of) {
        (Observed::Value(used), Observed::Value(of)) if of > 0 => {
            let share = u128::from(used) * 10_000 / u128::from(of);
            Observed::Value(u32::try_from(share).unwrap_or(u32::MAX))
        }
        (Observed::Unobserved(why), _) | (_, Observed::Unobserved(why)) => {
            Observed::Unobserved(why)
        }
        _ => blank(),
    }
}
