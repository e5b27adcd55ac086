//! What may go goes, once a day, by one process of all that share a store.

use std::time::Duration;

use entente_connect::live::Cancel;
use entente_store::Compacted;

use super::{Event, Happened, PAUSE, Tell, Watching};
use crate::collect::PlatformError;
use crate::now_utc;
use crate::remembered::{Memory, RememberError};

/// What is leased: no platform can be called so.
const LEASE: &str = "what may go";

/// How long the lease lasts: it is what remembers that it was done.
const DAY: Duration = Duration::from_secs(86_400);

/// How often it is looked whether it is due.
const LOOK: Duration = Duration::from_secs(600);

/// Rows of each kind that go at once; the rest goes at the next look.
const ROWS_MAX: u64 = 200_000;

/// Lets go what may go, until cancelled.
pub(super) async fn run(memory: &Memory, watching: &Watching, cancel: &Cancel, tell: &Tell) {
    while !cancel.is_cancelled() {
        // A name of its own each time: nobody takes it again within the day, not even this process.
        let holder = format!("{} {}", watching.holder, now_utc());
        let outcome = tokio::select! {
            () = cancel.cancelled() => None,
            outcome = once(memory, watching, &holder) => Some(outcome),
        };
        let is_done = matches!(&outcome, Some(Ok(gone)) if !gone.is_more);
        if !is_done {
            let _ = memory.store().release(LEASE, &holder).await;
        }
        let what = match outcome {
            Some(Ok(gone)) if gone != Compacted::default() => Happened::LetGo(gone),
            Some(Err(error)) => Happened::Failed { error, pause: LOOK },
            _ => {
                wait(cancel, LOOK).await;
                continue;
            }
        };
        let pause = if matches!(&what, Happened::LetGo(it) if it.is_more) { PAUSE } else { LOOK };
        tell(Event { at: now_utc(), platform: None, what });
        wait(cancel, pause).await;
    }
}

async fn wait(cancel: &Cancel, pause: Duration) {
    tokio::select! {
        () = cancel.cancelled() => {}
        () = tokio::time::sleep(pause) => {}
    }
}

async fn once(
    memory: &Memory,
    watching: &Watching,
    holder: &str,
) -> Result<Compacted, PlatformError> {
    let store = memory.store();
    if !store.lease(LEASE, holder, DAY).await.map_err(RememberError::from)? {
        return Ok(Compacted::default());
    }
    let keep = watching.retention.keep(now_utc());
    Ok(store.let_go(keep, ROWS_MAX).await.map_err(RememberError::from)?)
}
