//! What went wrong, for people: a code, what happened, what to do next.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use entente_app::AssessError;
use entente_app::config::ConfigError;
use entente_app::remembered::RememberError;

/// What went wrong.
#[derive(Debug)]
pub struct Failure {
    code: Option<&'static str>,
    what: String,
    hint: Option<String>,
    exit: u8,
}

/// Something is as bad as was asked about.
pub const EXIT_FINDINGS: u8 = 1;

/// Wrong usage or input that cannot be used.
const EXIT_USAGE: u8 = 2;

/// Could not finish.
pub const EXIT_UNFINISHED: u8 = 3;

impl Failure {
    /// A code of `explain` that is none.
    pub fn unknown_code(given: &str, nearest: Option<&str>) -> Self {
        Self {
            code: Some("ENT-0114"),
            what: format!("there is no error, finding or check `{given}`"),
            hint: Some(match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "`entente explain` lists all".into(),
            }),
            exit: EXIT_USAGE,
        }
    }

    /// An example that is none.
    pub fn unknown_example(given: &str, nearest: Option<&str>) -> Self {
        Self {
            code: Some("ENT-0114"),
            what: format!("there is no example `{given}`"),
            hint: Some(match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "`entente query --example` lists all".into(),
            }),
            exit: EXIT_USAGE,
        }
    }

    /// A file could not be read.
    pub fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self {
            code: Some("ENT-0102"),
            what: format!("`{}` cannot be read: {error}", path.display()),
            hint: Some("check the path and its permissions".into()),
            exit: EXIT_USAGE,
        }
    }

    /// Something could not be written.
    pub fn output(place: &str, error: &io::Error) -> Self {
        Self {
            code: Some("ENT-0110"),
            what: format!("cannot write {place}: {error}"),
            hint: Some("make room, or choose a place that this user may write to; nothing half-written was left".into()),
            exit: EXIT_UNFINISHED,
        }
    }

    /// A file could not be written.
    pub fn file(path: &Path, error: &io::Error) -> Self {
        Self::output(&format!("`{}`", path.display()), error)
    }

    /// An error that brings its own code and next step.
    pub fn of(
        code: Option<&'static str>,
        error: &(dyn std::error::Error + 'static),
        hint: Option<String>,
        exit: u8,
    ) -> Self {
        let levels = std::iter::successors(Some(error), |it| it.source());
        let mut what = Vec::new();
        for level in levels.map(ToString::to_string) {
            // A transparent error says what the one below it says.
            if what.last() != Some(&level) {
                what.push(level);
            }
        }
        Self { code, what: what.join(": "), hint, exit }
    }

    /// Something that should not happen.
    pub fn internal(error: &anyhow::Error) -> Self {
        Self { code: None, what: format!("{error:#}"), hint: None, exit: EXIT_UNFINISHED }
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit)
    }
}

impl From<AssessError> for Failure {
    fn from(error: AssessError) -> Self {
        let exit = if error.code().is_some() { EXIT_USAGE } else { EXIT_UNFINISHED };
        let hint = error.hint();
        Self::of(error.code(), &error, hint, exit)
    }
}

impl From<RememberError> for Failure {
    fn from(error: RememberError) -> Self {
        let exit = match &error {
            RememberError::Store(_) => EXIT_UNFINISHED,
            _ => EXIT_USAGE,
        };
        Self::of(Some(error.code()), &error, Some(error.hint()), exit)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::of(Some(error.code()), &error, Some(error.hint()), EXIT_USAGE)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => writeln!(f, "error[{code}]: {}", self.what)?,
            None => writeln!(f, "error: {}", self.what)?,
        }
        if let Some(hint) = &self.hint {
            writeln!(f, "hint: {hint}")?;
        }
        match self.code {
            Some(code) => write!(f, "      `entente explain {code}` tells more"),
            None => Ok(()),
        }
    }
}
