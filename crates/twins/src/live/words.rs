//! Small things that several platforms write alike: escaped text, names of which each is there once,
//! moments.

use std::collections::BTreeSet;

use entente_model::Moment;
use time::OffsetDateTime;

/// Writes text so that it reads as itself in XML, between elements and in attributes. What XML 1.0
/// cannot hold is left out.
pub(super) fn escape(text: &str, out: &mut String) {
    let plain = |byte: u8| !matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'' | 0..=31 | 127);
    if text.bytes().all(plain) {
        return out.push_str(text);
    }
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\r' => out.push_str("&#xD;"),
            '\t' | '\n' => out.push(character),
            '\0'..='\u{1f}' => {}
            _ => out.push(character),
        }
    }
}

/// Text as it stands in XML.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(text, &mut out);
    out
}

/// A name that nothing else has: a number is added where it is taken.
pub(super) fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut unique = name.to_owned();
    let mut number = 1;
    while !taken.insert(unique.clone()) {
        number += 1;
        unique = format!("{name}-{number}");
    }
    unique
}

/// A moment in UTC; what has no zone is taken for it: a platform knows its zone, a collection may not.
pub(super) fn utc(moment: Moment) -> OffsetDateTime {
    match moment {
        Moment::Utc(at) => at,
        Moment::Local(at) => at.assume_utc(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_written_so_that_it_reads_as_itself() {
        assert_eq!(
            escaped("R&D <\"x\"> O'Brien\u{1}"),
            "R&amp;D &lt;&quot;x&quot;&gt; O&apos;Brien"
        );
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number_that_is_not() {
        let mut taken = BTreeSet::new();
        let made = ["a", "a-2", "a", "a"].map(|it| unique(it, &mut taken));
        assert_eq!(made, ["a", "a-2", "a-3", "a-4"]);
    }
}
