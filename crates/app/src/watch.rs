//! The use case `watch`: every platform is read again and again, by one process at a time.
//!
//! Of several processes on one store, the one that holds a platform's lease reads it. The lease is kept
//! while reading; a process that dies leaves it to run out, and another takes over. Whoever lost it in the
//! middle writes nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use entente_connect::connector::{Unwatched, Watch};
use entente_connect::live::Cancel;
use entente_store::{AsOf, Written};
use time::OffsetDateTime;
use tokio::task::JoinSet;

use crate::collect::{PlatformError, read_platform};
use crate::config::PlatformConfig;
use crate::remembered::{Memory, RememberError};
use crate::{now, now_utc};

/// First pause after a failure; it doubles with each further one, up to the platform's own interval.
const PAUSE: Duration = Duration::from_secs(15);

/// How often a lease is renewed while it lasts.
const RENEWALS: u32 = 3;

/// Something that happened to a platform.
#[derive(Debug)]
pub struct Event {
    /// When.
    pub at: OffsetDateTime,
    /// The platform.
    pub platform: String,
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
}

/// Reads platforms until cancelled, and tells what happens.
pub async fn watch(
    platforms: &[&PlatformConfig],
    memory: &Arc<Memory>,
    watching: &Watching,
    cancel: &Cancel,
    tell: &Arc<dyn Fn(Event) + Send + Sync>,
) {
    let mut running = JoinSet::new();
    for platform in platforms {
        let one = One {
            platform: (*platform).clone(),
            memory: Arc::clone(memory),
            watching: watching.clone(),
            cancel: cancel.clone(),
            tell: Arc::clone(tell),
        };
        running.spawn(async move { one.run().await });
    }
    while running.join_next().await.is_some() {}
}

/// One platform.
struct One {
    platform: PlatformConfig,
    memory: Arc<Memory>,
    watching: Watching,
    cancel: Cancel,
    tell: Arc<dyn Fn(Event) + Send + Sync>,
}

impl One {
    async fn run(&self) {
        let (mut failures, mut is_ours) = (0, None);
        while !self.cancel.is_cancelled() {
            let pause = match self.turn(&mut is_ours).await {
                Ok(pause) => {
                    failures = 0;
                    pause
                }
                Err(error) => {
                    let pause =
                        PAUSE.saturating_mul(1 << failures.min(16)).min(self.platform.every);
                    failures += 1;
                    self.tell(Happened::Failed { error, pause });
                    pause
                }
            };
            self.wait(pause).await;
        }
        // Another process need not wait for the lease to run out.
        let _ = self.memory.store().release(self.name(), &self.watching.holder).await;
    }

    fn name(&self) -> &str {
        self.platform.id.as_str()
    }

    fn tell(&self, what: Happened) {
        let at = now_utc();
        (self.tell)(Event { at, platform: self.name().to_owned(), what });
    }

    /// Waits, but not beyond the end; a lease that is held is renewed meanwhile.
    async fn wait(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let beat = self.watching.lease / RENEWALS;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = self.cancel.cancelled() => return,
                () = tokio::time::sleep(left.min(beat)) => {}
            }
            // Whether it is still held shows at the next turn.
            let _ = self.renew().await;
        }
    }

    async fn renew(&self) -> Result<bool, RememberError> {
        let (name, holder) = (self.name(), &self.watching.holder);
        Ok(self.memory.store().lease(name, holder, self.watching.lease).await?)
    }

    /// Reads the platform if it is due and nobody else does; says how long to wait then.
    async fn turn(&self, is_ours: &mut Option<bool>) -> Result<Duration, PlatformError> {
        let held = self.renew().await?;
        if *is_ours != Some(held) {
            self.tell(if held { Happened::Taken } else { Happened::Elsewhere });
            *is_ours = Some(held);
        }
        if !held {
            return Ok(self.watching.lease / RENEWALS);
        }
        if let Some(left) = self.left().await? {
            return Ok(left);
        }
        entente_store::point::reached("lease");
        let begun = Instant::now();
        let cancel = self.cancel.child_token();
        let taken = now();
        let watch: Arc<dyn Watch + Send> = Arc::new(Unwatched);
        let mut reading = Box::pin(read_platform(&self.platform, taken, &cancel, &watch));
        let collection = loop {
            tokio::select! {
                collection = &mut reading => break collection?,
                () = tokio::time::sleep(self.watching.lease / RENEWALS) => {
                    if !self.renew().await.unwrap_or(false) {
                        cancel.cancel();
                    }
                }
            }
        };
        // Stopped in the middle: what is there is not all, and the next one reads it again.
        if cancel.is_cancelled() || !self.renew().await? {
            return Ok(Duration::ZERO);
        }
        let gaps = collection.gaps.iter().map(|it| it.count).sum();
        let written = self.memory.put(collection).await?;
        self.tell(Happened::Read { written, gaps, elapsed: begun.elapsed() });
        Ok(self.platform.every)
    }

    /// How long until it is due, if it is not: whoever read it last counts.
    async fn left(&self) -> Result<Option<Duration>, PlatformError> {
        let ages = self.memory.store().ages(AsOf::Latest).await.map_err(RememberError::from)?;
        let ours = ages
            .iter()
            .find(|it| it.platform == self.name() && it.connector == self.platform.connector);
        let age = ours.map(|it| now_utc() - it.observed);
        let left = age.map(|age| self.platform.every.saturating_sub(age.unsigned_abs()));
        Ok(left.filter(|it| !it.is_zero()))
    }
}
