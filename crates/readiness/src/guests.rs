//! Guest systems: recognising them by the names that platforms show, and which targets support them.
//!
//! Platforms name guest systems in free text, often less exactly than one would like
//! ("CentOS 4/5/6/7 (64-bit)", "Microsoft Windows Server 2016 or later"). A name that leaves the
//! release open is [`Recognition::Ambiguous`], never the likeliest release.

use std::collections::BTreeMap;
use std::ops::Range;

use entente_model::Text;
use serde::{Deserialize, Serialize};

use crate::data::{DataError, load};
use crate::targets::GuestSupport;

/// Kind of guest system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuestFamily {
    /// Microsoft Windows.
    Windows,
    /// Linux distributions.
    Linux,
    /// BSD systems.
    Bsd,
    /// Solaris.
    Solaris,
    /// Apple macOS.
    Macos,
    /// Systems that come as part of an appliance.
    Appliance,
    /// Anything else.
    Other,
}

/// One release of a product line: `Windows Server 2019`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guest {
    /// Stable id.
    pub id: Text,
    /// Name, for people.
    pub label: Text,
    /// How the line's names go on for this release.
    versions: Vec<Text>,
    /// Names of its own.
    #[serde(default)]
    names: Vec<Text>,
    /// Its entry under the line's product in the support windows.
    #[serde(default)]
    pub cycle: Option<Text>,
    support: BTreeMap<Text, GuestSupport>,
}

/// A maker's product line: `Windows Server`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuestLine {
    /// Stable id.
    pub id: Text,
    /// Name, for people.
    pub label: Text,
    /// Kind of system.
    pub family: GuestFamily,
    names: Vec<Text>,
    /// Its product in the support windows.
    #[serde(default)]
    pub lifecycle: Option<Text>,
    #[serde(default)]
    support: BTreeMap<Text, GuestSupport>,
    /// Its releases.
    #[serde(default)]
    pub releases: Vec<Guest>,
}

/// What a name tells about a guest system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition<'g> {
    /// The release.
    Product(&'g GuestLine, &'g Guest),
    /// The product line, not the release.
    Ambiguous(&'g GuestLine),
    /// Nothing.
    Unrecognised,
}

impl<'g> Recognition<'g> {
    /// Name, for people; `None` where nothing was recognised.
    pub fn label(self) -> Option<&'g str> {
        match self {
            Self::Product(_, guest) => Some(&guest.label),
            Self::Ambiguous(line) => Some(&line.label),
            Self::Unrecognised => None,
        }
    }

    /// Kind of system.
    pub fn family(self) -> Option<GuestFamily> {
        match self {
            Self::Product(line, _) | Self::Ambiguous(line) => Some(line.family),
            Self::Unrecognised => None,
        }
    }

    /// Product and cycle in the support windows.
    pub fn lifecycle(self) -> Option<(&'g str, &'g str)> {
        match self {
            Self::Product(line, guest) => {
                Some((line.lifecycle.as_deref()?, guest.cycle.as_deref()?))
            }
            Self::Ambiguous(_) | Self::Unrecognised => None,
        }
    }

    /// Whether the target supports it. Where the release is open, the answer is known only if it
    /// is the same for all of the line's releases.
    pub fn support(self, target: &str) -> GuestSupport {
        let told = |table: &BTreeMap<Text, GuestSupport>| table.get(target).copied();
        let support = match self {
            Self::Product(_, guest) => told(&guest.support),
            Self::Ambiguous(line) => told(&line.support).or_else(|| {
                let first = told(&line.releases.first()?.support)?;
                line.releases.iter().all(|it| told(&it.support) == Some(first)).then_some(first)
            }),
            Self::Unrecognised => None,
        };
        support.unwrap_or(GuestSupport::Unrecognised)
    }
}

/// Words that name a release or, without one, a line.
#[derive(Clone, Debug)]
struct Pattern {
    words: Vec<String>,
    line: usize,
    release: Option<usize>,
}

/// The guest table.
#[derive(Clone, Debug)]
pub struct Guests {
    lines: Vec<GuestLine>,
    patterns: Vec<Pattern>,
}

impl Guests {
    /// The guest table of this build.
    pub fn builtin() -> Result<Self, DataError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            lines: Vec<GuestLine>,
        }
        let file: File = load("guests.yaml", include_str!("../data/guests.yaml"))?;
        let patterns = patterns(&file.lines);
        Ok(Self { lines: file.lines, patterns })
    }

    /// All product lines.
    pub fn lines(&self) -> &[GuestLine] {
        &self.lines
    }

    /// What a name tells. Takes microseconds; a caller with many workloads asks once per name.
    pub fn recognise(&self, os: &str) -> Recognition<'_> {
        let words = words(os);
        let matches = self.matches(&words);
        let line = |it: &Match<'_>| self.lines.get(it.pattern.line);
        let Some(first) = matches.first() else { return Recognition::Unrecognised };
        if matches.iter().any(|it| it.pattern.line != first.pattern.line) {
            return Recognition::Unrecognised;
        }
        let Some(line) = line(first) else { return Recognition::Unrecognised };
        let release = first.pattern.release;
        let settled = matches.iter().all(|it| it.pattern.release == release)
            && !is_open_ended(&words, first.range.end);
        match release.filter(|_| settled).and_then(|at| line.releases.get(at)) {
            Some(guest) => Recognition::Product(line, guest),
            None => Recognition::Ambiguous(line),
        }
    }

    /// The matches that no longer match covers; releases hide bare lines.
    fn matches(&self, words: &[String]) -> Vec<Match<'_>> {
        let mut matches: Vec<Match<'_>> = Vec::new();
        for pattern in &self.patterns {
            for start in 0..words.len() {
                let range = start..start + pattern.words.len();
                if words.get(range.clone()).is_some_and(|it| pattern.covers(it)) {
                    matches.push(Match { pattern, range });
                }
            }
        }
        if matches.iter().any(|it| it.pattern.release.is_some()) {
            matches.retain(|it| it.pattern.release.is_some());
        }
        let ranges: Vec<Range<usize>> = matches.iter().map(|it| it.range.clone()).collect();
        matches.retain(|it| !ranges.iter().any(|other| contains(other, &it.range)));
        if let Some(longest) = matches.iter().map(|it| it.range.len()).max()
            && matches.iter().all(|it| it.pattern.release.is_none())
        {
            matches.retain(|it| it.range.len() == longest);
        }
        matches
    }
}

struct Match<'g> {
    pattern: &'g Pattern,
    range: Range<usize>,
}

/// True if `outer` covers `inner` and more.
fn contains(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end && outer.len() > inner.len()
}

impl Pattern {
    fn covers(&self, words: &[String]) -> bool {
        self.words.iter().zip(words).all(|(wanted, word)| is_release_of(word, wanted))
    }
}

/// True if a word is the wanted one or, for a number, a minor release of it: `8.6` of `8`.
fn is_release_of(word: &str, wanted: &str) -> bool {
    let Some(rest) = word.strip_prefix(wanted) else { return false };
    if rest.is_empty() {
        return true;
    }
    let is_number = wanted.ends_with(|c: char| c.is_ascii_digit());
    let mut rest = rest.chars();
    is_number
        && match (rest.next(), rest.next()) {
            (Some('.'), Some(next)) => next.is_ascii_alphanumeric(),
            (Some('-'), Some(next)) => next.is_ascii_alphabetic(),
            _ => false,
        }
}

/// True for "or later" and its like after a release.
fn is_open_ended(words: &[String], after: usize) -> bool {
    let rest = words.get(after..).unwrap_or_default();
    rest.windows(2).any(|pair| match pair {
        [or, later] => {
            or == "or" && matches!(later.as_str(), "later" | "newer" | "above" | "higher")
        }
        _ => false,
    })
}

/// The words of a name that matter, in lower case.
fn words(name: &str) -> Vec<String> {
    name.split(|c: char| c.is_whitespace() || "()[],;='\"®™".contains(c))
        .map(str::to_lowercase)
        .filter(|word| {
            !matches!(
                word.as_str(),
                "" | "r" | "tm" | "release" | "version" | "64-bit" | "32-bit" | "-"
            )
        })
        .collect()
}

fn patterns(lines: &[GuestLine]) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let mut add = |text: &str, release| {
            patterns.push(Pattern { words: words(text), line: at, release });
        };
        for name in &line.names {
            add(name, None);
            for (release, guest) in line.releases.iter().enumerate() {
                for version in &guest.versions {
                    add(&format!("{name} {version}"), Some(release));
                }
            }
        }
        for (release, guest) in line.releases.iter().enumerate() {
            for name in &guest.names {
                add(name, Some(release));
            }
        }
    }
    patterns
}

#[cfg(test)]
#[path = "guests_tests.rs"]
mod tests;
