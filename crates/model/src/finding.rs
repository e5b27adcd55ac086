//! Findings: what is worth a person's time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr as Text;

/// How much a finding matters.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Act before anything else.
    Critical,
    /// Act.
    Warning,
    /// Know.
    Information,
}

impl Severity {
    /// The stable word used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }
}

/// A verdict worth a person's time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Stable code with a page of its own, `ENT-0201`.
    pub code: Text,
    /// What it is about, in the estate's own names.
    pub subject: Text,
    /// What was found.
    pub message: Text,
    /// What to do.
    pub remedy: Text,
}
