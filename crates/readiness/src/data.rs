//! The data that is built in: how it is loaded, and how well each statement is founded.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How well a statement of the built-in data is founded.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Read in the named source.
    Verified,
    /// Concluded from what was read, or read in a second-hand source.
    Inferred,
    /// General knowledge that nobody has checked against a source yet.
    Unverified,
}

impl Evidence {
    /// All of them, strongest first.
    pub const ALL: [Self; 3] = [Self::Verified, Self::Inferred, Self::Unverified];

    /// The stable word used in files and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Inferred => "inferred",
            Self::Unverified => "unverified",
        }
    }
}

/// Built-in data that does not load: a defect of this build.
#[derive(Clone, Debug, thiserror::Error)]
#[error("built-in data `{file}` does not load: {message}")]
pub struct DataError {
    /// Which file of the data folder.
    pub file: &'static str,
    /// What is wrong with it.
    pub message: String,
}

/// Parses one built-in file.
pub(crate) fn load<T: DeserializeOwned>(file: &'static str, text: &str) -> Result<T, DataError> {
    serde_saphyr::from_str(text).map_err(|error| DataError { file, message: error.to_string() })
}
