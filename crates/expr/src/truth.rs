//! The three answers of an expression.

use entente_model::{Text, Why};

/// What an expression says of its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds, whatever was not observed.
    True,
    /// It does not hold, whatever was not observed.
    False,
    /// It cannot be told: what is missing, sorted, each once.
    Unknown(Vec<Missing>),
}

impl Truth {
    /// True if it holds.
    pub fn is_true(&self) -> bool {
        *self == Self::True
    }

    /// True if it does not hold.
    pub fn is_false(&self) -> bool {
        *self == Self::False
    }

    /// What is missing; empty where the answer is known.
    pub fn missing(&self) -> &[Missing] {
        match self {
            Self::Unknown(missing) => missing,
            Self::True | Self::False => &[],
        }
    }
}

/// One thing whose lack leaves an answer unknown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// Path of the attribute, `workload.disks[].mode`; the text of the expression where no attribute
    /// is to blame.
    pub attribute: Text,
    /// Why.
    pub why: Reason,
}

/// Why a part of an expression has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The attribute was not observed.
    Unobserved(Why),
    /// The attribute is absent and the expression needs its value: guard it with `has()`.
    Absent,
    /// The list has no element at this position.
    NoSuchElement,
    /// A whole number left its 64 bits.
    Overflow,
    /// A whole number divided by zero.
    DivisionByZero,
    /// An order asked of what is not a number (`0.0 / 0.0`).
    NotANumber,
    /// Evaluation took more than [`STEPS_MAX`](crate::STEPS_MAX) steps.
    LimitReached,
    /// A record gave a value of another type than it declares: a defect of ours.
    Mistyped,
}

impl Reason {
    /// The stable, kebab-case word used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unobserved(why) => why.as_str(),
            Self::Absent => "absent",
            Self::NoSuchElement => "no-such-element",
            Self::Overflow => "overflow",
            Self::DivisionByZero => "division-by-zero",
            Self::NotANumber => "not-a-number",
            Self::LimitReached => "limit-reached",
            Self::Mistyped => "mistyped",
        }
    }

    /// Why the attribute was not observed, if that is the reason.
    pub fn unobserved(self) -> Option<Why> {
        match self {
            Self::Unobserved(why) => Some(why),
            _ => None,
        }
    }

    /// True where no better export or login of the same kind of source could have told.
    pub fn is_limit_of_source(self) -> bool {
        self.unobserved().is_some_and(Why::is_limit_of_source)
    }
}

impl From<Why> for Reason {
    fn from(why: Why) -> Self {
        Self::Unobserved(why)
    }
}
