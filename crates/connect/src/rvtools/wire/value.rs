//! What one cell says: numbers, truth, dates, addresses, in every form that exports have.

use std::net::IpAddr;

use entente_model::{Moment, Text, Uuid};
use time::macros::datetime;
use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time};

use crate::tables::Cell;

/// What a cell says.
#[derive(Debug, PartialEq)]
pub(super) enum Reading<T> {
    /// This.
    Value(T),
    /// That there is none (an unlimited limit, a date that never was).
    None,
    /// Nothing: a placeholder for a value that is missing.
    Missing,
    /// Something else than this.
    Unreadable(&'static str),
}

impl<T> Reading<T> {
    /// Another type's reading where this one is not a value.
    pub(super) fn cast<U>(self) -> Reading<U> {
        match self {
            Self::Value(_) => Reading::Unreadable("something else"),
            Self::None => Reading::None,
            Self::Missing => Reading::Missing,
            Self::Unreadable(expected) => Reading::Unreadable(expected),
        }
    }
}

/// A cell's content for a message.
pub(super) fn show(cell: Cell<'_>) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) | Cell::Error(text) => text.to_owned(),
        Cell::Number(number) | Cell::Date(number) => number.to_string(),
        Cell::Bool(value) => value.to_string(),
    }
}

pub(super) fn text(cell: Cell<'_>) -> Reading<Text> {
    match cell {
        Cell::Text(text) => Reading::Value(Text::new(text)),
        Cell::Error(_) => Reading::Unreadable("text, found a formula's error"),
        Cell::Empty => Reading::Missing,
        number => Reading::Value(Text::from(show(number))),
    }
}

pub(super) fn word<T>(cell: Cell<'_>, words: impl FnOnce(&str) -> Option<T>) -> Reading<T> {
    match cell {
        Cell::Text(text) => match words(text) {
            Some(value) => Reading::Value(value),
            None => Reading::Unreadable("a word that the format documents"),
        },
        _ => Reading::Unreadable("a word"),
    }
}

pub(super) fn flag(cell: Cell<'_>) -> Reading<bool> {
    match cell {
        Cell::Bool(value) => Reading::Value(value),
        Cell::Number(0.0) => Reading::Value(false),
        Cell::Number(1.0) => Reading::Value(true),
        Cell::Text(text) => {
            let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
            if is(&["true", "yes", "1"]) {
                Reading::Value(true)
            } else if is(&["false", "no", "0"]) {
                Reading::Value(false)
            } else {
                Reading::Unreadable("true or false")
            }
        }
        _ => Reading::Unreadable("true or false"),
    }
}

pub(super) fn whole(cell: Cell<'_>) -> Reading<u64> {
    match number(cell) {
        Some(number) if number >= 0.0 => round(number),
        _ => Reading::Unreadable("a whole number, 0 or more"),
    }
}

pub(super) fn limit(cell: Cell<'_>) -> Reading<u64> {
    match number(cell) {
        Some(-1.0) => Reading::None,
        Some(number) if number >= 0.0 => round(number),
        _ => Reading::Unreadable("a whole number, or -1 for unlimited"),
    }
}

/// Largest whole number that a spreadsheet holds exactly.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

fn round(number: f64) -> Reading<u64> {
    if number > EXACT_MAX {
        return Reading::Unreadable("a number below 2^53");
    }
    Reading::Value(number.round() as u64)
}

pub(super) fn basis_points(cell: Cell<'_>) -> Reading<u32> {
    let percent = match cell {
        Cell::Text(text) => number(Cell::Text(text.trim_end_matches('%').trim_end())),
        other => number(other),
    };
    match percent {
        Some(percent) if (0.0..=1_000_000.0).contains(&percent) => {
            Reading::Value((percent * 100.0).round() as u32)
        }
        _ => Reading::Unreadable("a percentage"),
    }
}

fn number(cell: Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Number(number) => Some(number),
        Cell::Text(text) => parse_number(text),
        _ => None,
    }
}

/// A number in text, in any regional form.
///
/// A separator followed by exactly three digits groups thousands (`16,384`, `16.384`, `1 048 576`);
/// any other comma or dot is the decimal mark. Columns of this format hold whole numbers or
/// percentages of at most two decimals, so that no decimal mark is ever followed by three digits.
fn parse_number(text: &str) -> Option<f64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut plain = String::with_capacity(digits.len());
    let mut groups = digits.split([',', '.', ' ', '\u{a0}', '\u{202f}', '\'', '’']);
    let first = groups.next()?;
    plain.push_str(first);
    let mut groups = groups.peekable();
    while let Some(group) = groups.next() {
        let is_thousands = group.len() == 3 && !first.is_empty() && first != "0";
        if !is_thousands {
            if groups.peek().is_some() {
                return None;
            }
            plain.push('.');
        }
        plain.push_str(group);
    }
    let well_formed = plain.starts_with(|c: char| c.is_ascii_digit())
        && plain.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'E' | 'e' | '+' | '-'));
    let number: f64 = plain.parse().ok().filter(|_| well_formed)?;
    Some(if negative { -number } else { number })
}

/// The zero of dates in workbooks.
const WORKBOOK_EPOCH: PrimitiveDateTime = datetime!(1899-12-30 00:00:00);

/// Days in a workbook up to the year 9999.
const WORKBOOK_DAYS_MAX: f64 = 2_958_466.0;

pub(super) fn moment(cell: Cell<'_>) -> Reading<Moment> {
    let moment = match cell {
        Cell::Date(days) | Cell::Number(days) if (0.0..WORKBOOK_DAYS_MAX).contains(&days) => {
            let seconds = (days * 86_400.0).round() as i64;
            WORKBOOK_EPOCH.checked_add(Duration::seconds(seconds)).map(Moment::Local)
        }
        Cell::Text("0") => return Reading::None,
        Cell::Text(text) => match parse_moment(text) {
            Some(moment) => Some(moment),
            None => {
                return Reading::Unreadable(
                    "a date and time whose order of day and month is certain",
                );
            }
        },
        _ => None,
    };
    match moment {
        // A zero timestamp, shown in whatever zone: it never happened.
        Some(moment) if moment.date().year() < 1971 => Reading::None,
        Some(moment) => Reading::Value(moment),
        None => Reading::Unreadable("a date and time"),
    }
}

fn parse_moment(text: &str) -> Option<Moment> {
    if let Ok(zoned) = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339) {
        return Some(Moment::Utc(zoned.to_offset(time::UtcOffset::UTC)));
    }
    let (date, clock) = match text.split_once([' ', 'T']) {
        Some((date, clock)) => (date, clock),
        None => (text, "00:00:00"),
    };
    Some(Moment::Local(PrimitiveDateTime::new(parse_date(date, clock)?, parse_clock(clock)?)))
}

/// A date in text. Year first is certain, and so are dots (day first). With slashes, only a clock
/// with AM/PM (month first) or a part above 12 tells the order; otherwise nothing is guessed.
fn parse_date(date: &str, clock: &str) -> Option<Date> {
    let separator = date.chars().find(|c| matches!(c, '/' | '-' | '.'))?;
    let mut parts = date.split(separator).map(|part| part.trim().parse::<u32>().ok());
    let (a, b, c) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() {
        return None;
    }
    let (year, month, day) = if a > 31 {
        (a, b, c)
    } else if separator == '.' || a > 12 {
        (c, b, a)
    } else if b > 12 || a == b || clock.to_ascii_uppercase().ends_with('M') {
        (c, a, b)
    } else {
        return None;
    };
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(
        i32::try_from(year).ok().filter(|it| *it >= 1900)?,
        month,
        u8::try_from(day).ok()?,
    )
    .ok()
}

fn parse_clock(clock: &str) -> Option<Time> {
    let upper = clock.trim().to_ascii_uppercase();
    let (digits, afternoon) = match (upper.strip_suffix("AM"), upper.strip_suffix("PM")) {
        (Some(digits), _) => (digits, Some(false)),
        (_, Some(digits)) => (digits, Some(true)),
        _ => (upper.as_str(), None),
    };
    let mut parts = digits.trim().split(':');
    let mut hour: u8 = parts.next()?.trim().parse().ok()?;
    let minute = parts.next().unwrap_or("0").parse().ok()?;
    let second = parts.next().unwrap_or("0").split('.').next()?.parse().ok()?;
    if let Some(afternoon) = afternoon {
        hour = hour % 12 + if afternoon { 12 } else { 0 };
    }
    Time::from_hms(hour, minute, second).ok()
}

pub(super) fn uuid(cell: Cell<'_>) -> Reading<Uuid> {
    match cell {
        // Some hypervisors write `56 4d 0b … - …`, the same digits in groups.
        Cell::Text(text) => {
            match Uuid::try_parse(text).or_else(|_| Uuid::try_parse(&text.replace([' ', '-'], "")))
            {
                Ok(uuid) => Reading::Value(uuid),
                Err(_) => Reading::Unreadable("a UUID"),
            }
        }
        _ => Reading::Unreadable("a UUID"),
    }
}

pub(super) fn address(cell: Cell<'_>) -> Reading<IpAddr> {
    match addresses(cell) {
        Reading::Value(addresses) => match addresses.first() {
            Some(first) => Reading::Value(*first),
            None => Reading::None,
        },
        other => other.cast(),
    }
}

pub(super) fn addresses(cell: Cell<'_>) -> Reading<Vec<IpAddr>> {
    let Cell::Text(text) = cell else { return Reading::Unreadable("IP addresses") };
    let mut addresses = Vec::new();
    for part in text.split([',', ';', ' ']).filter(|part| !part.is_empty()) {
        // A zone (`fe80::1%eth0`) or prefix length (`/64`) is no part of the address.
        let bare = part.split(['%', '/']).next().unwrap_or(part);
        match bare.parse() {
            Ok(address) => addresses.push(address),
            Err(_) if bare.eq_ignore_ascii_case("unknown") => {}
            Err(_) => return Reading::Unreadable("IP addresses"),
        }
    }
    Reading::Value(addresses)
}

/// Parts of a list in a cell, in order, without empty ones.
pub(super) fn split(text: &str) -> Vec<Text> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Text::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Option<f64> {
        parse_number(text)
    }

    #[test]
    fn numbers_of_every_region() {
        for (text, expect) in [
            ("16384", 16384.0),
            ("16,384", 16384.0),
            ("16.384", 16384.0),
            ("1 048 576", 1_048_576.0),
            ("1.048.576", 1_048_576.0),
            ("206,057", 206_057.0),
            ("12'345", 12_345.0),
            ("0,85", 0.85),
            ("0.344", 0.344),
            ("49.5", 49.5),
            ("-1", -1.0),
            ("1E+15", 1e15),
        ] {
            assert_eq!(number(text), Some(expect), "{text}");
        }
        for text in ["n/a", "", "1,2,3", "12-3", "1.2.3", "0x10", "inf", "NaN", "-"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn truth_in_every_form() {
        for cell in [
            Cell::Text("True"),
            Cell::Text("TRUE"),
            Cell::Text("yes"),
            Cell::Bool(true),
            Cell::Number(1.0),
        ] {
            assert_eq!(flag(cell), Reading::Value(true), "{cell:?}");
        }
        assert_eq!(flag(Cell::Text("No")), Reading::Value(false));
        assert!(matches!(flag(Cell::Text("maybe")), Reading::Unreadable(_)));
    }

    #[test]
    fn dates_that_are_certain() {
        for (text, expect) in [
            ("2017/11/28 16:14:28", "2017-11-28T16:14:28"),
            ("2017-11-28T21:14:28.910375Z", "2017-11-28T21:14:28Z"),
            ("28.11.2017 16:14:28", "2017-11-28T16:14:28"),
            ("03.04.2017 6:04:08", "2017-04-03T06:04:08"),
            ("11/28/2017 4:14:28 PM", "2017-11-28T16:14:28"),
            ("3/4/2017 12:04:08 AM", "2017-03-04T00:04:08"),
            ("28/11/2017 16:14", "2017-11-28T16:14:00"),
        ] {
            let Reading::Value(moment) = moment(Cell::Text(text)) else { panic!("{text}") };
            assert_eq!(moment.to_string(), expect);
        }
        let Reading::Value(from_cell) = moment(Cell::Date(45714.53721064815)) else { panic!() };
        assert_eq!(from_cell.to_string(), "2025-02-26T12:53:35");
    }

    #[test]
    fn dates_that_never_were_and_dates_that_are_a_guess() {
        for text in ["1970/01/01 01:00:00", "1969-12-31 19:00:00", "0"] {
            assert_eq!(moment(Cell::Text(text)), Reading::None, "{text}");
        }
        assert_eq!(moment(Cell::Number(0.0)), Reading::None);
        for text in ["03/04/2017 16:14:28", "yesterday", "2017/13/01 00:00:00"] {
            assert!(matches!(moment(Cell::Text(text)), Reading::Unreadable(_)), "{text}");
        }
    }

    #[test]
    fn addresses_with_zones_and_prefixes() {
        let Reading::Value(found) = addresses(Cell::Text("10.0.0.1, fe80::1%eth0, 2001:db8::1/64"))
        else {
            panic!()
        };
        assert_eq!(
            found.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["10.0.0.1", "fe80::1", "2001:db8::1"]
        );
        assert!(matches!(addresses(Cell::Text("ten")), Reading::Unreadable(_)));
    }

    #[test]
    fn uuids_in_both_spellings() {
        let plain = uuid(Cell::Text("564d0b5e-5c3c-1f35-6a1b-0242ac120002"));
        assert_eq!(uuid(Cell::Text("56 4d 0b 5e 5c 3c 1f 35-6a 1b 02 42 ac 12 00 02")), plain);
        assert!(matches!(uuid(Cell::Text("4.2E+15")), Reading::Unreadable(_)));
    }
}
