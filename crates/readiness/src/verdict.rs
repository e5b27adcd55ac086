//! Verdicts: ready, conditional, blocked, unknown. Unknown is never ready.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr as Text;

/// Whether a workload could live on a target.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every check that matters was answered, and none objects.
    Ready,
    /// It could, once the warnings are dealt with; no blocker, and no blocker left unanswered.
    Conditional,
    /// A blocker is known.
    Blocked,
    /// No blocker is known, but an unanswered check could still object.
    Unknown,
}

impl Verdict {
    /// All of them, in the order in which people read them.
    pub const ALL: [Self; 4] = [Self::Ready, Self::Conditional, Self::Blocked, Self::Unknown];

    /// The stable word used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Conditional => "conditional",
            Self::Blocked => "blocked",
            Self::Unknown => "unknown",
        }
    }
}

/// What a check that fires means for one target.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CheckSeverity {
    /// It cannot live there as it is.
    Blocker,
    /// It can, after or with extra work.
    Warning,
    /// Worth knowing.
    Information,
    /// The check says nothing about this target.
    NotApplicable,
}

impl CheckSeverity {
    /// The stable word used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocker => "blocker",
            Self::Warning => "warning",
            Self::Information => "information",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// How many workloads have each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VerdictCounts {
    /// Ready.
    pub ready: u64,
    /// Conditional.
    pub conditional: u64,
    /// Blocked.
    pub blocked: u64,
    /// Unknown.
    pub unknown: u64,
}

impl VerdictCounts {
    /// Counts one more.
    pub fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Ready => self.ready += 1,
            Verdict::Conditional => self.conditional += 1,
            Verdict::Blocked => self.blocked += 1,
            Verdict::Unknown => self.unknown += 1,
        }
    }

    /// How many have this verdict.
    pub fn of(&self, verdict: Verdict) -> u64 {
        match verdict {
            Verdict::Ready => self.ready,
            Verdict::Conditional => self.conditional,
            Verdict::Blocked => self.blocked,
            Verdict::Unknown => self.unknown,
        }
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.ready + self.conditional + self.blocked + self.unknown
    }
}

/// One workload on one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TargetReadiness {
    /// The verdict, with everything unanswered counted.
    pub verdict: Verdict,
    /// The verdict as far as this kind of source can see: checks that it can never answer (see the
    /// sources' `limits`) are left out. Never to be read as "ready".
    pub as_seen: Verdict,
    /// Ids of the blockers that fired.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub blockers: Vec<Text>,
    /// Ids of the warnings that fired.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<Text>,
    /// Ids of the notes that fired.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub information: Vec<Text>,
    /// Attributes that were not observed for this workload although the kind of source could have
    /// told, and that a blocker or warning needs.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub not_observed: Vec<Text>,
}
