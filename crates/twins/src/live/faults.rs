//! Which faults a twin was told to have, in the terms in which all of them ask.

use std::sync::Arc;
use std::time::Duration;

use super::Fault;

/// Pause between the pieces of a slow answer.
pub(super) const SLOW_PAUSE: Duration = Duration::from_millis(5);

/// How a twin misbehaves.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(Arc<[Fault]>);

/// How so many calls are refused as "not now".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Busy {
    /// As HTTP says it.
    pub status: u16,
    /// How many calls.
    pub times: u64,
    /// What it asks to wait.
    pub retry_after_seconds: Option<u64>,
}

/// How the list of workloads is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// As everything else.
    Whole,
    /// In small pieces.
    IsSlow,
    /// Half, then silence.
    Stalls,
    /// Half, then the end.
    BreaksOff,
}

impl Faults {
    /// Those that somebody wants.
    pub(super) fn of(faults: &[Fault]) -> Self {
        Self(faults.into())
    }

    /// True if this is one of them.
    pub(super) fn has(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }

    /// After how many calls the session ends, if it does.
    pub(super) fn expires_after(&self) -> Option<u64> {
        self.0.iter().find_map(|it| match it {
            Fault::ExpireSession { after_calls } => Some(*after_calls),
            _ => None,
        })
    }

    /// How it is busy, if it is.
    pub(super) fn busy(&self) -> Option<Busy> {
        self.0.iter().find_map(|it| match *it {
            Fault::Busy { status, times, retry_after_seconds } => {
                Some(Busy { status, times, retry_after_seconds })
            }
            _ => None,
        })
    }

    /// How the list of workloads is sent.
    pub(super) fn flow(&self) -> Flow {
        let flow = self.0.iter().find_map(|it| match it {
            Fault::Stall => Some(Flow::Stalls),
            Fault::SlowBytes => Some(Flow::IsSlow),
            Fault::Truncate => Some(Flow::BreaksOff),
            _ => None,
        });
        flow.unwrap_or(Flow::Whole)
    }
}
