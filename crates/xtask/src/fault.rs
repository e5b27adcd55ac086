//! What a check objects to: a place and a sentence.

use std::fmt;

/// One objection, in words that tell what to change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// File, with the line where there is one.
    pub place: String,
    /// What is wrong and what the rule is.
    pub sentence: String,
}

impl Fault {
    /// A fault of a whole file, folder or crate.
    pub fn at(place: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { place: place.into(), sentence: sentence.into() }
    }

    /// A fault of one line; the first line is 1.
    pub fn on_line(path: &str, line: usize, sentence: impl Into<String>) -> Self {
        Self::at(format!("{path}:{line}"), sentence)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.sentence)
    }
}
