//! What the configuration says of time: how old things may be, and how long they are kept.

use std::time::Duration;

use entente_store::Retention;
use serde::Deserialize;
use time::OffsetDateTime;
use toml::Spanned;

use super::Mistakes;
use crate::freshness::Freshness;

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// States, from their end on; all are kept without it.
    pub states: Option<Duration>,
    /// Daily samples.
    pub samples: Duration,
}

impl Default for RetentionPolicy {
    /// All states, and samples for 400 days: a year, and what it takes to look back at it.
    fn default() -> Self {
        Self { states: None, samples: Duration::from_secs(400 * 86_400) }
    }
}

impl RetentionPolicy {
    /// What may go, as of now.
    pub fn keep(&self, now: OffsetDateTime) -> Retention {
        Retention {
            states_before: self.states.map(|it| now.saturating_sub(length(it))),
            samples_before: Some(now.saturating_sub(length(self.samples))),
        }
    }
}

fn length(it: Duration) -> time::Duration {
    it.try_into().unwrap_or(time::Duration::MAX)
}

/// A length of time as people write it: `90s`, `15m`, `36h`, `7d`, `4w`.
pub fn length_of_time(text: &str) -> Option<Duration> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let count: u64 = text.get(..text.len() - 1)?.parse().ok()?;
    count.checked_mul(unit).map(Duration::from_secs)
}

/// A length of time in the configuration; nothing where none stands, or where it is a mistake.
pub(super) fn time(
    given: Option<&Spanned<String>>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Duration> {
    let given = given?;
    let time = length_of_time(given.get_ref().trim()).filter(|it| !it.is_zero());
    if time.is_none() {
        let message = format!("`{}` is no length of time", given.get_ref());
        let hint = "write `90s`, `15m`, `6h`, `1d` or `4w`";
        mistakes.add(given.span(), message, Some(hint.into()));
    }
    time
}

/// What is said of exports.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenExports {
    fresh_for: Option<Spanned<String>>,
}

/// How long things are kept, as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRetention {
    states: Option<Spanned<String>>,
    samples: Option<Spanned<String>>,
}

impl WrittenRetention {
    pub fn read(&self, mistakes: &mut Mistakes<'_>) -> RetentionPolicy {
        let otherwise = RetentionPolicy::default();
        RetentionPolicy {
            states: time(self.states.as_ref(), mistakes),
            samples: time(self.samples.as_ref(), mistakes).unwrap_or(otherwise.samples),
        }
    }
}

/// How old things may be, but for what platforms say themselves.
pub(super) fn freshness(
    live: Option<&Spanned<String>>,
    exports: &WrittenExports,
    mistakes: &mut Mistakes<'_>,
) -> Freshness {
    let mut freshness = Freshness::default();
    if let Some(given) = time(live, mistakes) {
        freshness.live = given;
    }
    if let Some(given) = time(exports.fresh_for.as_ref(), mistakes) {
        freshness.exports = given;
    }
    freshness
}
