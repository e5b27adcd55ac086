//! Why a query does not run.

use std::fmt;

use sqlparser::tokenizer::{Location, Span};

use crate::error::StoreError;

/// A place in a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
}

impl Position {
    pub(super) fn of(span: Span) -> Option<Self> {
        Self::at(span.start)
    }

    pub(super) fn at(location: Location) -> Option<Self> {
        let Location { line, column } = location;
        (line > 0).then_some(Self { line, column })
    }
}

/// ` in line 2, column 14`, if it is known.
struct Where(Option<Position>);

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(Position { line, column }) => write!(f, " in line {line}, column {column}"),
            None => Ok(()),
        }
    }
}

/// Why a query does not run.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// It is no SQL.
    #[error("the query cannot be read{}: {reason}", Where(*.position))]
    Unreadable {
        /// Where.
        position: Option<Position>,
        /// Why.
        reason: String,
    },
    /// It says something that no query may.
    #[error("the query is refused{}: {reason}", Where(*.position))]
    Refused {
        /// Where.
        position: Option<Position>,
        /// Why.
        reason: String,
    },
    /// It names something that is not there.
    #[error("there is no {what} `{word}`{}", Where(*.position))]
    Unknown {
        /// Where.
        position: Option<Position>,
        /// `view`, `column` or `function`.
        what: &'static str,
        /// The word.
        word: String,
        /// The nearest that is there.
        near: Option<String>,
    },
    /// The database could not answer.
    #[error("the database could not answer the query: {0}")]
    Failed(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl QueryError {
    /// The stable code, with a page in `docs/errors/`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "ENT-0420",
            Self::Refused { .. } => "ENT-0421",
            Self::Unknown { .. } => "ENT-0422",
            Self::Failed(_) => "ENT-0423",
            Self::Store(error) => error.code(),
        }
    }

    /// What to do next, in one sentence.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => "write one `select`, without a second statement".into(),
            Self::Refused { .. } => {
                "docs/sql.md says what a query may hold; `entente query --list` prints the views"
                    .into()
            }
            Self::Unknown { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::Unknown { .. } => "`entente query --list` prints views and columns".into(),
            Self::Failed(_) => "compare and join values of one kind only, and try again".into(),
            Self::Store(error) => error.hint(),
        }
    }
}

impl From<sqlx::Error> for QueryError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => {
                match StoreError::from_code(database.code().as_deref()) {
                    true => Self::Store(error.into()),
                    false => Self::Failed(database.message().to_owned()),
                }
            }
            _ => Self::Store(error.into()),
        }
    }
}
