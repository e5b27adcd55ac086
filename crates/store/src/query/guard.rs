//! The guard: reads a query, refuses what it does not know, and writes it anew.
//!
//! Only what [`super::print`] knows how to write can run, so nothing passes by being overlooked. The text
//! that came in is never run. Names are checked against the views and against what the query itself names.

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::ast::{Query, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Tokenizer};
use time::OffsetDateTime;

use super::error::{Position, QueryError};
use super::print::Printer;

/// Longest query, in bytes.
const QUERY_BYTES_MAX: usize = 64 << 10;

/// Most words and signs of a query.
const TOKENS_MAX: usize = 6_000;

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 60;

/// For whom a query is written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Sqlite,
    Postgres,
    /// For nobody: as the guard understood it.
    Plain,
}

/// What the query is written with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub target: Target,
    /// What `now()` is.
    pub now: OffsetDateTime,
    /// Rows that the whole may have, if there is a limit.
    pub rows_max: Option<u64>,
    /// Whether there are findings beyond those of the tables: [`super::findings`] adds them.
    pub has_findings: bool,
}

/// A query that may run.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    /// Written anew.
    pub sql: String,
    /// Which views it asks.
    pub views: BTreeSet<&'static str>,
}

/// Names that a query brings along.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// Common table expressions.
    pub tables: BTreeSet<String>,
    /// What columns are called anew.
    pub columns: BTreeSet<String>,
    /// What stands before a dot, and the views that it stands for; none where it is the query's own table.
    pub qualifiers: BTreeMap<String, BTreeSet<Option<&'static str>>>,
    /// Views that are asked.
    pub views: BTreeSet<&'static str>,
}

/// Room for the parser: its trees are as deep as chains of operators are long, and it gives them up by
/// recursion, too.
const STACK_BYTES: usize = 64 << 20;

/// Reads a query and writes it anew, or says why not.
pub(crate) fn check(sql: &str, terms: Terms) -> Result<Checked, QueryError> {
    let own_stack = std::thread::Builder::new().stack_size(STACK_BYTES);
    let checked = std::thread::scope(|scope| {
        let thread = own_stack.spawn_scoped(scope, || checked(sql, terms)).ok()?;
        thread.join().ok()
    });
    checked.unwrap_or_else(|| Err(refused(None, "it could not be read through")))
}

fn checked(sql: &str, terms: Terms) -> Result<Checked, QueryError> {
    let query = parse(sql)?;
    // Names may be used before they are given: once to learn them, once to write.
    let mut learning = Printer::new(terms, None);
    learning.whole(&query)?;
    let names = learning.into_names();
    let mut printer = Printer::new(terms, Some(names));
    let sql = printer.whole(&query)?;
    Ok(Checked { sql, views: printer.into_names().views })
}

fn refused(position: Option<Position>, reason: impl Into<String>) -> QueryError {
    QueryError::Refused { position, reason: reason.into() }
}

fn parse(sql: &str) -> Result<Query, QueryError> {
    if sql.len() > QUERY_BYTES_MAX {
        return Err(refused(None, format!("it is longer than {QUERY_BYTES_MAX} bytes")));
    }
    if let Some(letter) = sql.chars().find(|it| it.is_control() && !"\t\r\n".contains(*it)) {
        let reason = format!("it holds the control character {}", letter.escape_unicode());
        return Err(refused(None, reason));
    }
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, sql).tokenize_with_location().map_err(|error| {
        QueryError::Unreadable { position: Position::at(error.location), reason: error.message }
    })?;
    let words = tokens.iter().filter(|it| !matches!(it.token, Token::Whitespace(_)));
    let first = words.clone().next().map(|it| it.token.to_string().to_lowercase());
    let first = first.unwrap_or_default();
    if words.count() > TOKENS_MAX {
        return Err(refused(None, format!("it has more than {TOKENS_MAX} words and signs")));
    }
    let mut parser =
        Parser::new(&dialect).with_recursion_limit(DEPTH_MAX).with_tokens_with_locations(tokens);
    let statements = parser.parse_statements().map_err(unreadable)?;
    let mut statements = statements.into_iter();
    match (statements.next(), statements.next()) {
        (Some(Statement::Query(query)), None) => Ok(*query),
        (Some(_), Some(_)) => Err(refused(None, "it is more than one statement")),
        (Some(_), None) => Err(refused(None, format!("`{first}` is no `select`"))),
        (None, _) => {
            Err(QueryError::Unreadable { position: None, reason: "it is empty".to_owned() })
        }
    }
}

/// The parser tells the place within its sentence.
fn unreadable(error: ParserError) -> QueryError {
    let sentence = match error {
        ParserError::TokenizerError(sentence) | ParserError::ParserError(sentence) => sentence,
        ParserError::RecursionLimitExceeded => {
            return refused(None, format!("it is nested more than {DEPTH_MAX} deep"));
        }
    };
    let Some((reason, place)) = sentence.rsplit_once(" at Line: ") else {
        return QueryError::Unreadable { position: None, reason: sentence };
    };
    let position = place.split_once(", Column: ").and_then(|(line, column)| {
        Some(Position { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? })
    });
    let reason = reason.replace("Expected:", "expected").replace("found:", "found");
    QueryError::Unreadable { position, reason }
}
