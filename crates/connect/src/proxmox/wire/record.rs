//! One JSON object of an answer, read leniently: booleans come as 0 and 1, numbers as strings, what is
//! not there as `null`; fields that nobody declared are common.

use entente_model::{GapCause, Observed, Text, Why};
use serde_json::{Map, Value};

use super::gaps::Gaps;
use super::property::{Properties, flag};
use crate::live::Found;
use crate::secrets::redacted;

/// One JSON object. What is there but of the wrong type becomes a gap.
#[derive(Clone, Copy)]
pub(in crate::proxmox) struct Record<'a> {
    fields: &'a Map<String, Value>,
    section: &'static str,
    gaps: &'a Gaps,
}

impl<'a> Record<'a> {
    /// An object of `section`; what is no object becomes a gap.
    pub(in crate::proxmox) fn of(
        value: &'a Value,
        section: &'static str,
        gaps: &'a Gaps,
    ) -> Option<Self> {
        match value {
            Value::Object(fields) => Some(Self { fields, section, gaps }),
            other => {
                let message = "an element of a list is no object and was left out";
                let found = Found::of(GapCause::UnmappedRow, section, message);
                gaps.add(found.value(&short(other)));
                None
            }
        }
    }

    /// Every object of a list.
    pub(in crate::proxmox) fn each(
        values: &'a [Value],
        section: &'static str,
        gaps: &'a Gaps,
    ) -> impl Iterator<Item = Self> {
        values.iter().filter_map(move |value| Self::of(value, section, gaps))
    }

    /// The same object, with its gaps going elsewhere.
    pub(in crate::proxmox) fn logging_to<'b>(&self, gaps: &'b Gaps) -> Record<'b>
    where
        'a: 'b,
    {
        Record { fields: self.fields, section: self.section, gaps }
    }

    /// A field as it is, unless it is missing or `null`.
    pub(in crate::proxmox) fn get(&self, key: &str) -> Option<&'a Value> {
        self.fields.get(key).filter(|it| !it.is_null())
    }

    /// Names of all fields with a value.
    pub(in crate::proxmox) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key.as_str())
    }

    /// How many fields have a value.
    pub(in crate::proxmox) fn cells(&self) -> u64 {
        self.keys().count() as u64
    }

    fn read<T>(&self, key: &str, read: impl Fn(&Value) -> Option<T>) -> Observed<T> {
        let Some(value) = self.get(key) else { return Observed::Absent };
        let told = read(value);
        if told.is_none() {
            self.unreadable(key, "a value is of another type than it should be", &short(value));
        }
        Observed::or_why(told, Why::Unreadable)
    }

    fn unreadable(&self, key: &str, message: &str, value: &str) {
        let found = Found::of(GapCause::UnreadableValue, self.section, message);
        self.gaps.add(found.field(key).value(value));
    }

    /// A string of properties; absent if it is missing.
    pub(in crate::proxmox) fn properties(
        &self,
        key: &str,
        default_key: &str,
    ) -> Observed<Properties> {
        self.text(key).and_then(|text| {
            let properties = Properties::parse(&text, default_key).ok();
            if properties.is_none() {
                self.unreadable(key, "a string of properties cannot be understood", &text);
            }
            Observed::or_why(properties, Why::Unreadable)
        })
    }

    /// Text; absent if it is missing.
    pub(in crate::proxmox) fn text(&self, key: &str) -> Observed<Text> {
        self.read(key, as_text)
    }

    /// A number; absent if it is missing.
    pub(in crate::proxmox) fn number(&self, key: &str) -> Observed<u64> {
        self.read(key, as_number)
    }

    /// Yes or no; absent if it is missing.
    pub(in crate::proxmox) fn flag(&self, key: &str) -> Observed<bool> {
        self.read(key, as_flag)
    }

    /// Yes or no, with what it means where it is missing.
    pub(in crate::proxmox) fn flag_or(&self, key: &str, missing: bool) -> Observed<bool> {
        match self.flag(key) {
            Observed::Absent => Observed::Value(missing),
            told => told,
        }
    }

    /// Text that must be there: without it the object is left out, with a gap.
    pub(in crate::proxmox) fn required(&self, key: &'static str) -> Option<Text> {
        match self.read(key, as_text) {
            Observed::Value(text) if !text.trim().is_empty() => Some(text),
            _ => {
                self.left_out(key);
                None
            }
        }
    }

    fn left_out(&self, key: &str) {
        let message = "an object has no usable id and was left out";
        self.gaps.add(Found::of(GapCause::UnmappedRow, self.section, message).field(key));
    }

    /// A list; absent if it is missing.
    pub(in crate::proxmox) fn list(&self, key: &str) -> Observed<&'a [Value]> {
        match self.get(key) {
            None => Observed::Absent,
            Some(Value::Array(values)) => Observed::Value(values),
            Some(other) => {
                self.unreadable(key, "a value is of another type than it should be", &short(other));
                Observed::Unobserved(Why::Unreadable)
            }
        }
    }

    /// An object in a field.
    pub(in crate::proxmox) fn inner(&self, key: &str) -> Option<Self> {
        match self.get(key)? {
            Value::Object(fields) => Some(Self { fields, ..*self }),
            _ => None,
        }
    }
}

fn as_text(value: &Value) -> Option<Text> {
    match value {
        Value::String(text) => Some(text.as_str().into()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Bool(value) => Some(if *value { "1" } else { "0" }.into()),
        _ => None,
    }
}

fn as_number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| whole(&number.to_string())),
        Value::String(text) => text.trim().parse().ok().or_else(|| whole(text.trim())),
        Value::Bool(value) => Some((*value).into()),
        _ => None,
    }
}

/// The whole part of a decimal that is not negative: `2794.749` → 2794.
fn whole(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.')?;
    fraction.chars().all(|it| it.is_ascii_digit()).then(|| whole.parse().ok()).flatten()
}

fn as_flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        // Some switches are numbers greater than one (an epoch, a level): they are on.
        Value::Number(number) => number.as_u64().map(|it| it != 0),
        Value::String(text) if text.is_empty() => Some(false),
        Value::String(text) => {
            flag(text.trim()).or_else(|| text.trim().parse::<u64>().ok().map(|it| it != 0))
        }
        _ => None,
    }
}

/// What a value looks like, in few letters and without secrets.
fn short(value: &Value) -> String {
    redacted(&value.to_string()).chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_string_of_properties_that_cannot_be_understood_is_not_missing() {
        let gaps = Gaps::default();
        let value = json!({"agent": "1,fstrim=1", "meta": "a,b", "boot": 7});
        let record = Record::of(&value, "workloads", &gaps).unwrap();
        let agent = record.properties("agent", "enabled");
        assert_eq!(agent.value().unwrap().flag("enabled"), Some(true));
        assert_eq!(record.properties("missing", "x"), Observed::Absent);
        assert_eq!(record.properties("meta", "x"), Observed::Unobserved(Why::Unreadable));
        assert_eq!(record.list("boot"), Observed::Unobserved(Why::Unreadable));
        assert_eq!(gaps.finish(&"here".into()).len(), 2);
    }

    #[test]
    fn values_come_in_many_forms() {
        let gaps = Gaps::default();
        let value = json!({
            "memory": "512", "cores": 2, "onboot": 0, "kvm": true, "mhz": "2794.749",
            "clipboard": null, "odd": {"a": 1}, "cpu": 0.1, "negative": -1
        });
        let record = Record::of(&value, "workloads", &gaps).unwrap();
        assert_eq!(record.number("memory"), Observed::Value(512));
        assert_eq!(record.text("cores"), Observed::Value("2".into()));
        assert_eq!(record.flag("onboot"), Observed::Value(false));
        assert_eq!(record.flag("kvm"), Observed::Value(true));
        assert_eq!(record.number("mhz"), Observed::Value(2794));
        assert_eq!(record.number("clipboard"), Observed::Absent);
        assert_eq!(record.number("missing"), Observed::Absent);
        assert_eq!(record.number("odd"), Observed::Unobserved(Why::Unreadable));
        assert_eq!(record.number("negative"), Observed::Unobserved(Why::Unreadable));
        let found = gaps.finish(&"here".into());
        let fields: Vec<_> = found.iter().filter_map(|it| it.place.field.as_deref()).collect();
        assert_eq!(fields, ["negative", "odd"]);
    }
}
