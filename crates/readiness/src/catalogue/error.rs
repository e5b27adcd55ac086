//! Mistakes in a file of checks: each with its place, the text there and what was probably meant.

use std::fmt;

use entente_expr::Diagnostic;
use entente_model::Text;

use super::yaml::Span;

/// One mistake in a file of checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueError {
    /// The file, as its reader named it.
    pub file: Text,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What was probably meant, or what to do.
    pub hint: Option<String>,
    /// How many characters it concerns.
    length: u32,
    /// The line of the file.
    excerpt: String,
}

impl CatalogueError {
    /// The message above the offending line, with carets below, and the hint:
    ///
    /// ```text
    /// own.yaml:4:26: unknown attribute `nmae` of workload
    ///   |
    /// 4 |     expression: workload.nmae == "db-1"
    ///   |                          ^^^^
    ///   hint: did you mean `name`?
    /// ```
    pub fn render(&self) -> String {
        // The diagnostic draws a line of a source; here the line stands alone.
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let shown: String =
            self.excerpt.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let indent = (self.column.saturating_sub(1) as usize).min(shown.chars().count());
        let room = (shown.chars().count() - indent).max(1);
        let carets = "^".repeat((self.length as usize).clamp(1, room));
        let indent = " ".repeat(indent);
        let mut text = format!(
            "{}:{}:{}: {}\n{margin} |\n{number} | {shown}\n{margin} | {indent}{carets}\n",
            self.file, self.line, self.column, self.message
        );
        if let Some(hint) = &self.hint {
            text.push_str(&format!("{margin} hint: {hint}\n"));
        }
        text
    }
}

/// `own.yaml:4:26: unknown attribute …`
impl fmt::Display for CatalogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CatalogueError {}

/// Mistakes as they are found.
#[derive(Debug, Default)]
pub(super) struct Mistakes {
    found: Vec<(Span, String, Option<String>)>,
}

impl Mistakes {
    pub fn add(&mut self, span: Span, message: impl Into<String>, hint: Option<String>) {
        self.found.push((span, message.into(), hint));
    }

    /// A mistake inside an expression, which `place` finds in the file.
    pub fn add_diagnostic(&mut self, diagnostic: Diagnostic, (line, column): (u32, u32)) {
        let span = Span { line, column, length: diagnostic.length };
        self.add(span, diagnostic.message, diagnostic.hint);
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them, in the order of the file.
    pub fn into_errors(mut self, file: &str, text: &str) -> Vec<CatalogueError> {
        self.found.sort();
        let lines: Vec<&str> = text.lines().collect();
        let error = |(span, message, hint): (Span, String, Option<String>)| CatalogueError {
            file: Text::from(file),
            line: span.line,
            column: span.column,
            message,
            hint,
            length: span.length,
            excerpt: lines
                .get(span.line.saturating_sub(1) as usize)
                .map_or_else(String::new, |line| (*line).to_owned()),
        };
        self.found.into_iter().map(error).collect()
    }
}
