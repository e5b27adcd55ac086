//! Why the store cannot do what it should, each with a code and what to do next.

use std::io;

/// Why the store cannot do what it should.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened.
    #[error("the store `{address}` cannot be opened: {reason}")]
    Open {
        /// Where, without a password.
        address: String,
        /// Why.
        reason: sqlx::Error,
    },
    /// A newer Entente wrote it.
    #[error(
        "the store `{address}` was written by a newer Entente: its schema is {found}, this one knows {known}"
    )]
    Newer {
        /// Where.
        address: String,
        /// Its schema.
        found: i64,
        /// The newest known here.
        known: i64,
    },
    /// The disk, or the database's space, is full.
    #[error("there is no room left for the store: nothing of this was written")]
    Full(#[source] sqlx::Error),
    /// Somebody else writes.
    #[error("somebody else is writing to the store: nothing of this was written")]
    Busy(#[source] sqlx::Error),
    /// The disk under it does not take what is written, or not give what was.
    #[error("the disk under the store failed: nothing of this was written")]
    Disk(#[source] sqlx::Error),
    /// What it holds makes no sense.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The database refused.
    #[error("the store refused: {0}")]
    Database(#[source] sqlx::Error),
    /// It should be empty.
    #[error("the store `{address}` is not empty")]
    NotEmpty {
        /// Where.
        address: String,
    },
    /// A file beside it.
    #[error("{what}: {reason}")]
    File {
        /// What was tried.
        what: String,
        /// Why not.
        reason: io::Error,
    },
}

impl StoreError {
    /// The stable code, with a page in `docs/errors/`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "ENT-0401",
            Self::Newer { .. } => "ENT-0402",
            Self::Full(_) => "ENT-0403",
            Self::Busy(_) => "ENT-0404",
            Self::Damaged(_) => "ENT-0405",
            Self::Database(_) => "ENT-0406",
            Self::File { .. } => "ENT-0407",
            Self::NotEmpty { .. } => "ENT-0408",
            Self::Disk(_) => "ENT-0409",
        }
    }

    /// What to do next, in one sentence.
    pub fn hint(&self) -> String {
        match self {
            Self::Open { .. } => {
                "check `store` in the configuration, and that this user may read and write there"
            }
            Self::Newer { .. } => "use the newer Entente; this one has left the store untouched",
            Self::Full(_) => "make room, or run `entente store compact`, and try again",
            Self::Busy(_) => "wait for the other collection to end, and try again",
            Self::Damaged(_) => {
                "run `entente store check`, and restore the latest backup if it finds more"
            }
            Self::Database(_) => "the database's own log tells more",
            Self::Disk(_) => {
                "look for a quota, a limit on the size of files (`ulimit -f`) and the system's log, and try again"
            }
            Self::File { .. } => "check the path and its permissions",
            Self::NotEmpty { .. } => {
                "restore into a new store: name one in the configuration, or move this one away"
            }
        }
        .into()
    }
}

impl StoreError {
    /// Whether a database's code tells of the store, not of the statement.
    pub(crate) fn from_code(code: Option<&str>) -> bool {
        matches!(code, Some("13" | "53100" | "5" | "261" | "517" | "55P03" | "11" | "26" | "267"))
    }
}

impl From<sqlx::Error> for StoreError {
    /// Full disks and other writers have names of their own.
    fn from(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::Database(error) => error.code().map(|it| it.into_owned()),
            sqlx::Error::PoolTimedOut => return Self::Busy(error),
            _ => None,
        };
        match code.as_deref() {
            // SQLITE_FULL; disk_full
            Some("13" | "53100") => Self::Full(error),
            // SQLITE_BUSY and its kin; lock_not_available
            Some("5" | "261" | "517" | "55P03") => Self::Busy(error),
            // SQLITE_CORRUPT, SQLITE_NOTADB
            Some("11" | "26" | "267" | "523" | "779") => Self::Damaged(error.to_string()),
            // io_error
            Some("58030") => Self::Disk(error),
            // SQLITE_IOERR and its kin: all that end in it, and shorter than any code of PostgreSQL
            Some(code) if code.len() < 5 && code.parse().is_ok_and(|it: u32| it & 0xff == 10) => {
                Self::Disk(error)
            }
            _ => Self::Database(error),
        }
    }
}
