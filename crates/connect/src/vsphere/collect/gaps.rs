//! Gaps, in the words of this platform's faults.

use entente_model::{GapCause, Why};

use super::session::CallFault;
use crate::live::{CallError, Found, Gaps, Refusal};

/// A call failed, and with it what these lists would have been.
/// Gives why a fact is not there that it would have told.
pub(super) fn call_failed(gaps: &mut Gaps, sections: &[&str], fault: &CallFault) -> Why {
    let (cause, message) = explain(fault);
    for section in sections {
        gaps.add(Found::of(cause, section, &message));
    }
    why(fault)
}

/// What a failed call means to whoever reads the collection.
fn explain(fault: &CallFault) -> (GapCause, String) {
    match fault {
        CallFault::Http(CallError::Refused(Refusal::Cancelled)) => {
            (GapCause::Cancelled, "stopped before this was read".into())
        }
        CallFault::Http(CallError::Refused(Refusal::TimedOut { .. }) | CallError::Idle { .. }) => {
            (GapCause::TimedOut, fault.to_string())
        }
        CallFault::Http(CallError::Truncated(_)) | CallFault::Truncated => {
            (GapCause::Truncated, "an answer ended early: what came before is kept".into())
        }
        CallFault::Http(CallError::TooLarge { .. }) => (GapCause::LimitReached, fault.to_string()),
        CallFault::Fault(it) if it.is("NoPermission") => {
            let missing = it.privilege.as_deref().unwrap_or("a privilege that is not named");
            (GapCause::NoPermission, format!("the account lacks {missing}"))
        }
        _ => (GapCause::CallFailed, fault.to_string()),
    }
}

/// Why a fact is not there whose call failed.
pub(super) fn why(fault: &CallFault) -> Why {
    match fault {
        CallFault::Fault(it) if it.is("NoPermission") => Why::NoPermission,
        _ => Why::CallFailed,
    }
}
