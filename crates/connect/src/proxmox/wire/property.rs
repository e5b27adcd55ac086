//! Strings of properties: `local-lvm:vm-100-disk-1,cache=none,size=10G`, where the first value may go
//! without its key; lists joined by commas or semicolons; sizes such as `10G`.

use entente_model::{Observed, Text, Why};

/// Properties in the order in which they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::proxmox) struct Properties(Vec<(Text, Text)>);

/// A part that is neither `key=value` nor the one value without a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a property")]
pub(in crate::proxmox) struct NotAProperty(pub Text);

impl Properties {
    /// Reads a string; a value without a key is that of `default_key`.
    pub(in crate::proxmox) fn parse(text: &str, default_key: &str) -> Result<Self, NotAProperty> {
        let mut properties = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (part, after) = cut(rest);
            rest = after;
            if part.trim().is_empty() {
                continue;
            }
            let (key, value) = match split_key(part) {
                Some((key, value)) => (key.trim(), value),
                None => (default_key, part),
            };
            if key.is_empty() || properties.iter().any(|(known, _)| known == key) {
                return Err(NotAProperty(part.into()));
            }
            properties.push((Text::from(key), unquoted(value)));
        }
        Ok(Self(properties))
    }

    /// A property's value.
    pub(in crate::proxmox) fn get(&self, key: &str) -> Option<&Text> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// Whether a property is on; missing means that it is off.
    pub(in crate::proxmox) fn is_on(&self, key: &str) -> Observed<bool> {
        match self.get(key) {
            None => Observed::Value(false),
            Some(text) => Observed::or_why(flag(text), Why::Unreadable),
        }
    }

    /// A property that is yes or no; nothing if it is missing or neither.
    pub(in crate::proxmox) fn flag(&self, key: &str) -> Option<bool> {
        self.get(key).and_then(|it| flag(it))
    }

    /// All, in order.
    pub(in crate::proxmox) fn iter(&self) -> impl Iterator<Item = (&Text, &Text)> {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

/// Yes or no, in any of the ways in which it is written.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "on" | "yes" | "true" => Some(true),
        "0" | "off" | "no" | "false" => Some(false),
        _ => None,
    }
}

/// The first part, and what follows its comma. A comma inside quotes does not end it.
fn cut(text: &str) -> (&str, &str) {
    let (mut quoted, mut escaped, mut value_begins) = (false, false, true);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if quoted => quoted = false,
            '"' if value_begins => quoted = true,
            ',' if !quoted => {
                return (
                    text.get(..at).unwrap_or_default(),
                    text.get(at + 1..).unwrap_or_default(),
                );
            }
            _ => {}
        }
        value_begins = letter == '=' && !quoted;
    }
    (text, "")
}

fn split_key(part: &str) -> Option<(&str, &str)> {
    if part.starts_with('"') { None } else { part.split_once('=') }
}

fn unquoted(value: &str) -> Text {
    let Some(inner) = value.strip_prefix('"').and_then(|it| it.strip_suffix('"')) else {
        return value.into();
    };
    let mut plain = String::new();
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        plain.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    plain.into()
}

/// The items of a list that commas, semicolons or spaces join.
pub(in crate::proxmox) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', ' ', '\0', '\n']).map(str::trim).filter(|it| !it.is_empty())
}

/// A size with an optional unit: `10G`, `528K`, `1.5T`, `4194304`.
pub(in crate::proxmox) fn size_bytes(text: &str) -> Option<u64> {
    let number = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let unit: u64 = match text.get(number.len()..)? {
        "" => 1,
        "K" | "k" => 1 << 10,
        "M" | "m" => 1 << 20,
        "G" | "g" => 1 << 30,
        "T" | "t" => 1 << 40,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    // Nine digits of a terabyte are a thousandth of a byte: more of them change nothing.
    let (mut numerator, mut denominator) = (0_u128, 1_u128);
    for digit in fraction.chars().take(9) {
        numerator = numerator * 10 + u128::from(digit.to_digit(10)?);
        denominator *= 10;
    }
    let part = u64::try_from(u128::from(unit) * numerator / denominator).ok()?;
    whole.checked_add(part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expect: &[(&str, &str)]) {
        let parsed = Properties::parse(text, "file").unwrap();
        let shown: Vec<_> =
            parsed.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(shown, expect, "{text}");
    }

    #[test]
    fn the_first_value_may_go_without_its_key() {
        check(
            "local-lvm:vm-100-disk-1,cache=none,size=10G",
            &[("file", "local-lvm:vm-100-disk-1"), ("cache", "none"), ("size", "10G")],
        );
        check(
            "virtio=BC:24:11:BF:61:48,bridge=vmbr0",
            &[("virtio", "BC:24:11:BF:61:48"), ("bridge", "vmbr0")],
        );
        check("1", &[("file", "1")]);
        check("", &[]);
        check("cache=none,,size=1G,", &[("cache", "none"), ("size", "1G")]);
    }

    #[test]
    fn quotes_keep_commas() {
        check(
            r#"none,serial="a,\"b\"",ro=1"#,
            &[("file", "none"), ("serial", "a,\"b\""), ("ro", "1")],
        );
        check("order=scsi0;net0", &[("order", "scsi0;net0")]);
    }

    #[test]
    fn a_property_told_twice_is_refused() {
        assert!(Properties::parse("a,b", "file").is_err());
        assert!(Properties::parse("x=1,x=2", "file").is_err());
        assert!(Properties::parse("=1", "file").is_err());
    }

    #[test]
    fn sizes_have_units_and_fractions() {
        assert_eq!(size_bytes("10G"), Some(10 << 30));
        assert_eq!(size_bytes("528K"), Some(528 << 10));
        assert_eq!(size_bytes("1.5T"), Some((1 << 40) + (1 << 39)));
        assert_eq!(size_bytes("4194304"), Some(4 << 20));
        for wrong in ["", "G", "10X", "-1", "99999999999999999999T", "1.x"] {
            assert_eq!(size_bytes(wrong), None, "{wrong}");
        }
    }

    fn written(properties: &[(String, String)]) -> String {
        let value = |it: &String| format!("\"{}\"", it.replace('\\', "\\\\").replace('"', "\\\""));
        let plain = |it: &String| !it.is_empty() && !it.contains([',', '"', '\\']);
        let parts: Vec<String> = properties
            .iter()
            .map(|(key, it)| format!("{key}={}", if plain(it) { it.clone() } else { value(it) }))
            .collect();
        parts.join(",")
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(values in proptest::collection::btree_map("[a-z]{1,8}[0-9]?", ".{0,12}", 0..6)) {
            let properties: Vec<(String, String)> = values.into_iter().collect();
            let read = Properties::parse(&written(&properties), "none").unwrap();
            let read: Vec<(String, String)> =
                read.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
            prop_assert_eq!(read, properties);
        }

        #[test]
        fn nothing_makes_it_panic(text in ".{0,64}") {
            let _ = Properties::parse(&text, "file");
            let _ = size_bytes(&text);
        }
    }
}
