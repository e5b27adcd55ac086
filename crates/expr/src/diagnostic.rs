//! What is wrong with an expression, where, and what was probably meant.

use std::fmt;
use std::ops::Range;

/// One mistake in an expression.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Line in the expression, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// How many characters it concerns; at least 1.
    pub length: u32,
    /// What is wrong.
    pub message: String,
    /// What was probably meant, or what to do.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// The message above the offending line of `source`, with carets below, and the hint:
    ///
    /// ```text
    /// unknown attribute `nmae` of workload
    ///   |
    /// 1 | workload.nmae == "db-1"
    ///   |          ^^^^
    ///   hint: did you mean `name`?
    /// ```
    pub fn render(&self, source: &str) -> String {
        let line = source.lines().nth(self.line.saturating_sub(1) as usize).unwrap_or("");
        let shown: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let indent = " ".repeat(self.column.saturating_sub(1) as usize);
        // A caret line never runs past the text it points at.
        let room = shown.chars().count().saturating_sub(indent.len()).max(1);
        let carets = "^".repeat((self.length as usize).clamp(1, room));
        let mut text = format!(
            "{}\n{margin} |\n{number} | {shown}\n{margin} | {indent}{carets}\n",
            self.message
        );
        if let Some(hint) = &self.hint {
            text.push_str(&format!("{margin} hint: {hint}\n"));
        }
        text
    }
}

/// `1:10: unknown attribute …`
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Diagnostic {}

/// A stretch of the source, in characters from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: usize,
    pub length: usize,
}

impl Span {
    /// From the beginning of this to the end of `last`.
    pub fn to_end_of(self, last: Self) -> Self {
        Self { start: self.start, length: (last.start + last.length).saturating_sub(self.start) }
    }

    /// A diagnostic about this stretch of `source`.
    pub fn diagnostic(self, source: &[char], message: impl Into<String>) -> Diagnostic {
        let before = source.get(..self.start.min(source.len())).unwrap_or_default();
        let line_start = before.iter().rposition(|c| *c == '\n').map_or(0, |at| at + 1);
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Diagnostic {
            line: count(before.iter().filter(|c| **c == '\n').count() + 1),
            column: count(before.len() - line_start + 1),
            length: count(self.length.max(1)),
            message: message.into(),
            hint: None,
        }
    }
}

impl Diagnostic {
    /// About a stretch of `source`, in bytes as parsers of other languages count.
    pub fn at(source: &str, bytes: Range<usize>, message: impl Into<String>) -> Self {
        let characters = |bytes| source.get(bytes).map_or(0, |text: &str| text.chars().count());
        let span = Span { start: characters(0..bytes.start), length: characters(bytes) };
        span.diagnostic(&source.chars().collect::<Vec<char>>(), message)
    }

    /// The same, with a hint.
    #[must_use]
    pub fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// The candidate that was probably meant by `given`, if one is near.
pub fn nearest<'c>(given: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let folded = fold(given);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let other = fold(candidate);
            let distance = distance(&folded, &other);
            let near = distance <= (folded.len().max(other.len()) / 3).max(1);
            // `poweredOn` is a long way from `on` in letters, but plainly holds it.
            let holds =
                !other.is_empty() && (folded.ends_with(&other) || folded.starts_with(&other));
            match (near, holds) {
                (true, _) => Some((0, distance, candidate)),
                (false, true) => Some((1, folded.len() - other.len(), candidate)),
                (false, false) => None,
            }
        })
        .min()
        .map(|(_, _, candidate)| candidate)
}

/// Letters and digits in lower case: `notInstalled` and `not-installed` are the same word.
fn fold(text: &str) -> Vec<char> {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(64).collect()
}

/// Edit distance in which a swap of neighbours is one edit.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, to) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let substituted = at(&last, j) + usize::from(from != to);
            let mut best = substituted.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(to) && b.get(j - 1) == Some(from);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_word_is_found_and_a_far_one_is_not() {
        let words = ["on", "off", "suspended", "not-installed"];
        assert_eq!(nearest("poweredOn", words), Some("on"));
        assert_eq!(nearest("ON", words), Some("on"));
        assert_eq!(nearest("notInstalled", words), Some("not-installed"));
        assert_eq!(nearest("suspnded", words), Some("suspended"));
        assert_eq!(nearest("fof", words), Some("off"));
        assert_eq!(nearest("xyz", words), None);
        assert_eq!(nearest("nmae", ["name", "id"]), Some("name"));
    }
}
