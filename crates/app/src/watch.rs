//! The use case `watch`: every platform is read again and again, and followed in between where it tells of
//! what changes, by one process at a time.
//!
//! Of several processes on one store, the one that holds a platform's lease reads and follows it. The lease is
//! kept while reading; a process that dies leaves it to run out, and another takes over. Whoever lost it in
//! the middle writes nothing.
//!
//! What a platform tells while it is read as a whole is written after that, each at its own time.

mod follow;
mod keep;
mod one;

use std::sync::Arc;
use std::time::Duration;

use entente_connect::live::Cancel;
use entente_store::{Compacted, Written};
use time::OffsetDateTime;
use tokio::task::JoinSet;

use crate::collect::PlatformError;
use crate::config::{PlatformConfig, RetentionPolicy};
use crate::remembered::Memory;
use one::One;

/// First pause after a failure; it doubles with each further one, up to the platform's own interval.
const PAUSE: Duration = Duration::from_secs(15);

/// How often a lease is renewed while it lasts.
const RENEWALS: u32 = 3;

/// Who is told what happens.
pub type Tell = Arc<dyn Fn(Event) + Send + Sync>;

/// Something that happened to a platform, or to the store.
#[derive(Debug)]
pub struct Event {
    /// When.
    pub at: OffsetDateTime,
    /// The platform; none where it is about the store itself.
    pub platform: Option<String>,
    /// What.
    pub what: Happened,
}

/// What happened.
#[derive(Debug)]
pub enum Happened {
    /// It was read, and this changed.
    Read {
        /// In the store.
        written: Written,
        /// What was not observed.
        gaps: u64,
        /// How long it took.
        elapsed: Duration,
    },
    /// It could not be read, or the store not be asked; it is tried again after a pause.
    Failed {
        /// Why.
        error: PlatformError,
        /// How long the pause is.
        pause: Duration,
    },
    /// It is followed from now on: what changes is told by the platform.
    Following,
    /// It told of changes, since the last time that this was said.
    Followed {
        /// What they changed in the store.
        written: Written,
    },
    /// It told more than could be kept or written: it is read as a whole.
    Missed,
    /// It cannot be followed; that is tried again after a pause, and it is read as before.
    NotFollowed {
        /// Why.
        error: PlatformError,
        /// How long the pause is.
        pause: Duration,
    },
    /// What may go by the policy went.
    LetGo(Compacted),
    /// Another process reads it.
    Elsewhere,
    /// This process reads it from now on.
    Taken,
}

/// How to watch.
#[derive(Clone, Debug)]
pub struct Watching {
    /// This process, by a name that no other one has.
    pub holder: String,
    /// How long a lease lasts without being renewed.
    pub lease: Duration,
    /// How long things are kept.
    pub retention: RetentionPolicy,
}

/// Reads and follows platforms until cancelled, and tells what happens.
pub async fn watch(
    platforms: &[&PlatformConfig],
    memory: &Arc<Memory>,
    watching: &Watching,
    cancel: &Cancel,
    tell: &Tell,
) {
    let mut running = JoinSet::new();
    for platform in platforms {
        let one = One::new((*platform).clone(), memory, watching, cancel, tell);
        running.spawn(async move { one.run().await });
    }
    keep::run(memory, watching, cancel, tell).await;
    while running.join_next().await.is_some() {}
}
