//! Text to syntax tree: by the `cel` crate's parser, with its macros switched off, so that
//! `exists`, `all` and their like arrive as the calls that were written.

use cel::common::ast::{Expr, SourceInfo, operators};
use cel::{IdedExpr, ParseError};

use crate::check::{FUNCTIONS, usage};
use crate::diagnostic::{Diagnostic, Span};
use crate::scan::{Token, scan};

/// A parsed expression with the places of its parts.
pub(crate) struct Syntax {
    pub tree: IdedExpr,
    pub places: Places,
}

/// Where the parts of a parsed expression are.
pub(crate) struct Places {
    pub source: Vec<char>,
    tokens: Vec<Token>,
    offsets: SourceInfo,
}

/// Parses `source`.
pub(crate) fn parse(source: &str) -> Result<Syntax, Diagnostic> {
    let characters: Vec<char> = source.chars().collect();
    let tokens = scan(&characters)?;
    let parser = cel::Env::default().with_optional_support(false).parser();
    match parser.parse_with_source_info(source) {
        Ok((tree, offsets)) => {
            Ok(Syntax { tree, places: Places { source: characters, tokens, offsets } })
        }
        Err(errors) => {
            let first = errors.errors.into_iter().min_by_key(|error| error.pos);
            Err(explain(first.as_ref(), &characters, &tokens))
        }
    }
}

impl Places {
    /// The token with which the parser marks a node: an operator, a name, a literal.
    pub fn of(&self, id: u64) -> Span {
        let start = self.offsets.offset_for(id).map_or(0, |(start, _)| start as usize);
        self.token_at(start)
    }

    /// All of a value as it is written: a path, a comparison; of a call, its name.
    pub fn extent(&self, tree: &IdedExpr) -> Span {
        match &tree.expr {
            Expr::Select(select) => self.extent(&select.operand).to_end_of(self.of_field(tree.id)),
            Expr::Call(call) if call.target.is_none() && is_binary(&call.func_name) => {
                match call.args.as_slice() {
                    [left, right] => self.extent(left).to_end_of(self.extent(right)),
                    _ => self.of(tree.id),
                }
            }
            Expr::Call(call) if !call.func_name.contains('_') || call.target.is_some() => {
                self.of_function(tree.id)
            }
            _ => self.of(tree.id),
        }
    }

    /// The name after the `.` with which the parser marks a selection.
    pub fn of_field(&self, id: u64) -> Span {
        let dot = self.of(id).start;
        let after = self.tokens.iter().find(|token| token.span.start > dot);
        after.map_or_else(|| self.of(id), |token| token.span)
    }

    /// The name before the `(` with which the parser marks a call.
    pub fn of_function(&self, id: u64) -> Span {
        let open = self.of(id).start;
        let name = self.tokens.iter().rev().find(|token| token.span.start < open);
        name.map_or_else(|| self.of(id), |token| token.span)
    }

    fn token_at(&self, start: usize) -> Span {
        match self.tokens.iter().find(|token| token.span.start + token.span.length > start) {
            Some(token) => token.span,
            None => Span { start, length: 1 },
        }
    }
}

fn is_binary(function: &str) -> bool {
    operators::find_operator(function.trim_matches(['_', '@'])).is_some()
        || matches!(function, operators::LOGICAL_AND | operators::LOGICAL_OR)
}

/// A parser's error in words that do not presuppose its grammar.
fn explain(error: Option<&ParseError>, source: &[char], tokens: &[Token]) -> Diagnostic {
    let end = Span { start: source.len(), length: 1 };
    let Some(error) = error else { return end.diagnostic(source, "cannot be parsed") };
    let start = offset(source, error.pos).unwrap_or(0);
    let token = tokens.iter().find(|token| token.span.start + token.span.length > start);
    let Some(token) = token else {
        return end.diagnostic(source, "the expression ends too early");
    };
    let text: String = source.iter().skip(token.span.start).take(token.span.length).collect();
    let syntax = error.msg.strip_prefix("Syntax error: ");
    let (message, hint) = match syntax {
        Some(_) => (format!("unexpected `{text}`"), hint_for(&text)),
        None if error.msg == "invalid int literal" => {
            (format!("`{text}` does not fit in 64 bits"), None)
        }
        None if error.msg.starts_with("reserved identifier") => {
            (format!("`{text}` is a reserved word"), None)
        }
        None if error.msg.starts_with("Incomplete `ExprContext`") => {
            ("a conditional is written `condition ? value : value`".to_owned(), None)
        }
        None => (format!("cannot be read here: {}", error.msg), None),
    };
    token.span.diagnostic(source, message).hint(hint)
}

fn hint_for(text: &str) -> Option<String> {
    let instead = match text.to_ascii_lowercase().as_str() {
        "and" => "&&",
        "or" => "||",
        "not" => "!",
        "is" | "eq" | "equals" => "==",
        _ if FUNCTIONS.contains(&text) => usage(text),
        _ => return None,
    };
    Some(format!("write `{instead}`"))
}

/// Line from 1 and column from 1, in characters, to characters from the beginning.
fn offset(source: &[char], (line, column): (isize, isize)) -> Option<usize> {
    let line = usize::try_from(line).ok()?.checked_sub(1)?;
    let column = usize::try_from(column).ok()?.checked_sub(1)?;
    let newlines = source.iter().enumerate().filter(|(_, c)| **c == '\n').map(|(at, _)| at + 1);
    let start = std::iter::once(0).chain(newlines).nth(line)?;
    Some(start + column)
}
