//! Numbers as text: the one place where they get separators, units and rounding.

use entente_model::{GapCause, Why};

/// `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 machine`, `2,000 machines`; `one` is the singular, whose plural ends in `s` or `ies`.
pub fn counted(number: u64, one: &str) -> String {
    if number == 1 {
        return format!("1 {one}");
    }
    match one.strip_suffix('y') {
        Some(stem) => format!("{} {stem}ies", count(number)),
        None => format!("{} {one}s", count(number)),
    }
}

/// A size given in MiB: `512 MiB`, `16.0 GiB`, `3.2 TiB`.
pub fn mib(size_mib: u64) -> String {
    const STEP: u128 = 1024;
    let size = u128::from(size_mib);
    if size < STEP {
        return format!("{size} MiB");
    }
    let (unit, divisor) = match size {
        _ if size < STEP * STEP => ("GiB", STEP),
        _ if size < STEP * STEP * STEP => ("TiB", STEP * STEP),
        _ => ("PiB", STEP * STEP * STEP),
    };
    let tenths = (size * 10 + divisor / 2) / divisor;
    let whole = u64::try_from(tenths / 10).unwrap_or(u64::MAX);
    format!("{}.{} {unit}", count(whole), tenths % 10)
}

/// A share given in 1/10,000: `63.4 %`.
pub fn basis_points(share: u32) -> String {
    let tenths = (u64::from(share) + 5) / 10;
    format!("{}.{} %", count(tenths / 10), tenths % 10)
}

/// `part` of `whole` in whole percent. Never `0 %` or `100 %` unless exactly so; `–` of nothing.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let percent = (u128::from(part) * 200 + u128::from(whole)) / (u128::from(whole) * 2);
    match percent {
        0 if part > 0 => "<1 %".to_owned(),
        100.. if part < whole => ">99 %".to_owned(),
        _ => format!("{percent} %"),
    }
}

/// `part / whole` with one decimal, `2.4`; `–` of nothing.
pub fn ratio(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let tenths = (u128::from(part) * 10 + u128::from(whole) / 2) / u128::from(whole);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// A moment as the document writes it, `2026-11-20T06:12:00`, easier on the eye.
pub fn moment(moment: &str) -> String {
    moment.replacen('T', " ", 1)
}

/// Why a fact was not observed, for a person.
pub fn why(why: Why) -> &'static str {
    match why {
        Why::SourceLimit => "this kind of source cannot tell",
        Why::NotInVersion => "this version of the source does not carry it",
        Why::NotInExport => "missing from this export",
        Why::Blank => "blank in the source",
        Why::Unreadable => "could not be understood",
        Why::GuestSilent => "the guest reported nothing",
        Why::NoPermission => "no permission to see it",
        Why::CallFailed => "the call failed",
        Why::Conflict => "sources disagree",
        Why::NotSupplied => "nobody supplied it",
    }
}

/// What kind of gap it is, for a person.
pub fn gap_cause(cause: GapCause) -> &'static str {
    match cause {
        GapCause::MissingSection => "Section missing",
        GapCause::MissingField => "Field missing",
        GapCause::UnreadableValue => "Value not understood",
        GapCause::UnmappedRow => "Row not mapped",
        GapCause::DanglingReference => "Refers to something not described",
        GapCause::Truncated => "Input damaged or cut short",
        GapCause::LimitReached => "Limit reached, the rest not read",
        GapCause::Conflict => "Sources disagree",
        GapCause::Ambiguous => "Cannot be told apart",
        GapCause::NotModelled => "Read, no place for it yet",
        GapCause::UnknownField => "Field nobody documents",
        GapCause::Encoding => "Unexpected text encoding",
        GapCause::NoTimeZone => "Times without a zone",
        GapCause::NoPermission => "Account may not see it",
        GapCause::CallFailed => "Call failed",
        GapCause::TimedOut => "No answer in time",
        GapCause::Vanished => "Deleted while it was read",
        GapCause::UnknownValue => "Word this version does not know",
        GapCause::Cancelled => "Stopped by somebody",
        GapCause::Unreachable => "Platform could not tell",
        GapCause::Stale => "Older than it may be",
    }
}

/// An id for an element, made of any text: the same text gives the same id, different texts give
/// different ones, and nothing in it needs escaping anywhere.
pub fn anchor(prefix: &str, text: &str) -> String {
    use std::fmt::Write as _;
    let mut id = format!("{prefix}-");
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.' {
            id.push(char::from(byte));
        } else {
            let _ = write!(id, "_{byte:02x}");
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "machine"), "1 machine");
        assert_eq!(counted(2_000, "entry"), "2,000 entries");
    }

    #[test]
    fn sizes_have_a_unit_and_one_decimal() {
        assert_eq!(mib(0), "0 MiB");
        assert_eq!(mib(1023), "1023 MiB");
        assert_eq!(mib(16 * 1024), "16.0 GiB");
        assert_eq!(mib(1024 * 1024), "1.0 TiB");
        assert_eq!(mib(3 * 1024 * 1024 + 1024 * 1024 / 4), "3.3 TiB");
        assert_eq!(mib(u64::MAX), "17,179,869,184.0 PiB");
    }

    #[test]
    fn a_share_is_all_or_nothing_only_when_it_is() {
        assert_eq!(share(0, 1000), "0 %");
        assert_eq!(share(1, 1000), "<1 %");
        assert_eq!(share(999, 1000), ">99 %");
        assert_eq!(share(1000, 1000), "100 %");
        assert_eq!(share(1, 3), "33 %");
        assert_eq!(share(0, 0), "–");
        assert_eq!(basis_points(6_345), "63.5 %");
        assert_eq!(ratio(5, 2), "2.5");
    }

    #[test]
    fn anchors_need_no_escaping_and_do_not_collide() {
        assert_eq!(anchor("check", "disk.raw-physical"), "check-disk.raw-physical");
        assert_eq!(anchor("check", "a b\"<"), "check-a_20b_22_3c");
        assert_ne!(anchor("check", "a_20"), anchor("check", "a "));
    }
}
