//! How old what is known may be before conclusions from it say so.

use std::collections::BTreeMap;
use std::time::Duration;

use entente_model::{Gap, GapCause, Place, Text};
use entente_store::Age;
use time::OffsetDateTime;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// How old what is known of platforms may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// Where a connector logs in.
    pub live: Duration,
    /// Where an export tells.
    pub exports: Duration,
    /// Of platforms that have a limit of their own, where a connector logs in.
    pub platforms: BTreeMap<String, Duration>,
}

impl Default for Freshness {
    /// A day for platforms that are logged in to, a week for exports.
    fn default() -> Self {
        Self {
            live: Duration::from_secs(DAY),
            exports: Duration::from_secs(7 * DAY),
            platforms: BTreeMap::new(),
        }
    }
}

impl Freshness {
    /// How old a reading of a platform by a connector may be.
    pub fn limit(&self, platform: &str, connector: &str) -> Duration {
        match entente_connect::platforms().any(|it| it.0 == connector) {
            true => self.platforms.get(platform).copied().unwrap_or(self.live),
            false => self.exports,
        }
    }

    /// Ages as of a time, each with its limit.
    pub fn judge(&self, ages: Vec<Age>, at: OffsetDateTime) -> Vec<Aged> {
        let judge = |reading: Age| {
            let limit = self.limit(&reading.platform, &reading.connector);
            let age = Duration::try_from(at - reading.observed).unwrap_or_default();
            Aged { reading, age, limit }
        };
        ages.into_iter().map(judge).collect()
    }
}

/// A platform's latest reading by a connector, and how old it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aged {
    /// The reading.
    pub reading: Age,
    /// How old it is, at the time that is asked about.
    pub age: Duration,
    /// How old it may be.
    pub limit: Duration,
}

impl Aged {
    /// Whether it is older than it may be.
    pub fn is_stale(&self) -> bool {
        self.age > self.limit
    }

    /// What conclusions from it have to say, if it is.
    pub fn gap(&self) -> Option<Gap> {
        self.is_stale().then(|| Gap {
            cause: GapCause::Stale,
            place: Place { file: Text::from(self.reading.platform.as_str()), ..Place::default() },
            message: Text::from(self.to_string()),
            value: None,
            count: 1,
        })
    }
}

impl std::fmt::Display for Aged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Age { platform, connector, .. } = &self.reading;
        let (age, limit) = (Span(self.age), Span(self.limit));
        write!(f, "what `{connector}` saw of `{platform}` is {age} old")?;
        match self.is_stale() {
            true => write!(f, ", more than {limit}: it may not be so any more"),
            false => write!(f, ", and may be {limit}"),
        }
    }
}

/// A length of time in the units that suit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0.as_secs();
        let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / DAY);
        let (whole, rest) = match seconds {
            0..120 => (format!("{seconds} s"), String::new()),
            120..7_200 => (format!("{minutes} min"), String::new()),
            7_200..172_800 => (format!("{hours} h"), part(minutes % 60, "min")),
            _ => (format!("{days} d"), part(hours % 24, "h")),
        };
        write!(f, "{whole}{rest}")
    }
}

fn part(count: u64, unit: &str) -> String {
    if count == 0 { String::new() } else { format!(" {count} {unit}") }
}

#[cfg(test)]
mod tests;
