//! One platform: taken, followed, read when it is due, given back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use entente_connect::connector::{Unwatched, Watch};
use entente_connect::live::Cancel;
use entente_model::Collection;
use entente_store::{AsOf, Written};

use super::follow::{Follower, News};
use super::{Event, Happened, PAUSE, RENEWALS, Tell, Watching};
use crate::collect::{PlatformError, read_platform};
use crate::config::PlatformConfig;
use crate::remembered::{Memory, RememberError};
use crate::{now, now_utc};

/// How often at most it is said what a platform told of changes.
const SAY: Duration = Duration::from_secs(10);

/// One platform.
pub(super) struct One {
    platform: PlatformConfig,
    memory: Arc<Memory>,
    watching: Watching,
    cancel: Cancel,
    tell: Tell,
    follower: Follower,
    /// Whether it is this process that reads it; nothing before that was asked.
    is_ours: Option<bool>,
    /// When the lease was last kept.
    kept: Instant,
    /// Whether the store has a whole reading: changes are changes of something.
    is_known: bool,
    /// Something was missed: a whole reading is due.
    has_missed: bool,
    /// What was written of changes and not said yet.
    unsaid: Written,
    /// When that was last said.
    said: Option<Instant>,
}

impl One {
    pub fn new(
        platform: PlatformConfig,
        memory: &Arc<Memory>,
        watching: &Watching,
        cancel: &Cancel,
        tell: &Tell,
    ) -> Self {
        Self {
            follower: Follower::new(platform.clone()),
            platform,
            memory: Arc::clone(memory),
            watching: watching.clone(),
            cancel: cancel.clone(),
            tell: Arc::clone(tell),
            is_ours: None,
            kept: Instant::now(),
            is_known: false,
            has_missed: false,
            unsaid: Written::default(),
            said: None,
        }
    }

    pub async fn run(mut self) {
        let mut failures = 0;
        let mut outcome = self.turn().await;
        while !self.cancel.is_cancelled() {
            let pause = match outcome {
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
            outcome = match self.wait(pause).await {
                Ok(()) if self.cancel.is_cancelled() => break,
                Ok(()) => self.turn().await,
                Err(error) => Err(error),
            };
        }
        self.follower.end().await;
        self.say(true);
        // Another process need not wait for the lease to run out.
        let _ = self.memory.store().release(self.name(), &self.watching.holder).await;
    }

    fn name(&self) -> &str {
        self.platform.id.as_str()
    }

    fn tell(&self, what: Happened) {
        let platform = Some(self.name().to_owned());
        (self.tell)(Event { at: now_utc(), platform, what });
    }

    /// How often the lease is renewed.
    fn beat(&self) -> Duration {
        self.watching.lease / RENEWALS
    }

    async fn renew(&mut self) -> Result<bool, RememberError> {
        let begun = Instant::now();
        let (name, holder) = (self.name(), &self.watching.holder);
        let held = self.memory.store().lease(name, holder, self.watching.lease).await?;
        if held {
            self.kept = begun;
        }
        Ok(held)
    }

    /// Whether the lease is held for a while yet.
    async fn is_held(&mut self) -> bool {
        self.kept.elapsed() < self.beat() || self.renew().await.unwrap_or(false)
    }

    /// Reads the platform if it is due and nobody else does; says how long to wait then.
    async fn turn(&mut self) -> Result<Duration, PlatformError> {
        let held = self.renew().await?;
        if self.is_ours != Some(held) {
            self.tell(if held { Happened::Taken } else { Happened::Elsewhere });
            self.is_ours = Some(held);
        }
        if !held {
            self.follower.end().await;
            return Ok(self.beat());
        }
        // Before it is read: what changes meanwhile is told, and not missed.
        if self.follower.begin() {
            self.begun().await;
        }
        if let Some(left) = self.left().await? {
            return Ok(left);
        }
        entente_store::point::reached("lease");
        let begun = Instant::now();
        let Some(collection) = self.read().await? else { return Ok(Duration::ZERO) };
        let gaps = collection.gaps.iter().map(|it| it.count).sum();
        let written = self.memory.put(collection).await?;
        (self.is_known, self.has_missed) = (true, false);
        self.tell(Happened::Read { written, gaps, elapsed: begun.elapsed() });
        self.write_changes().await?;
        let soon = PAUSE.min(self.platform.every);
        Ok(if self.has_missed { soon } else { self.platform.every })
    }

    /// Waits until following has begun, but not so long that the lease runs out.
    async fn begun(&mut self) {
        let beat = self.beat();
        let cancel = self.cancel.clone();
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(beat) => {}
            news = self.follower.news() => self.heard(news),
        }
    }

    fn heard(&mut self, news: News) {
        match news {
            News::Begun => self.tell(Happened::Following),
            News::Failed(error, pause) => self.tell(Happened::NotFollowed { error, pause }),
            News::Again => {
                self.follower.begin();
            }
            News::Told | News::Ended => {}
        }
    }

    /// Everything there is; nothing if it was stopped, or somebody else reads it by now.
    async fn read(&mut self) -> Result<Option<Collection>, PlatformError> {
        let cancel = self.cancel.child_token();
        let watch: Arc<dyn Watch + Send> = Arc::new(Unwatched);
        let platform = self.platform.clone();
        let mut reading = Box::pin(read_platform(&platform, now(), &cancel, &watch));
        let collection = loop {
            tokio::select! {
                collection = &mut reading => break collection?,
                () = tokio::time::sleep(self.beat()) => {
                    if !self.renew().await.unwrap_or(false) {
                        cancel.cancel();
                    }
                }
            }
        };
        // Stopped in the middle: what is there is not all, and the next one reads it again.
        let is_whole = !cancel.is_cancelled() && self.renew().await?;
        Ok(is_whole.then_some(collection))
    }

    /// How long until it is due, if it is not: whoever read it last counts.
    async fn left(&mut self) -> Result<Option<Duration>, PlatformError> {
        let ages = self.memory.store().ages(AsOf::Latest).await.map_err(RememberError::from)?;
        let ours = ages
            .iter()
            .find(|it| it.platform == self.name() && it.connector == self.platform.connector);
        self.is_known = ours.is_some();
        let age = ours.map(|it| now_utc() - it.observed);
        let left = age.map(|age| self.platform.every.saturating_sub(age.unsigned_abs()));
        Ok(left.filter(|it| !it.is_zero() && !self.has_missed))
    }

    /// Waits, but not beyond the end; a lease that is held is renewed meanwhile, and what changes is
    /// written.
    async fn wait(&mut self, pause: Duration) -> Result<(), PlatformError> {
        let until = Instant::now() + pause;
        let cancel = self.cancel.clone();
        let had_missed = self.has_missed;
        // What is missed from now on is read at once.
        while had_missed || !self.has_missed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            tokio::select! {
                () = cancel.cancelled() => break,
                () = tokio::time::sleep(left.min(self.beat()).min(self.until_said())) => {
                    // Whether it is still held shows at the next turn.
                    let held = self.renew().await;
                    if matches!(held, Ok(false)) && self.is_ours == Some(true) {
                        break;
                    }
                }
                news = self.follower.news(), if self.is_ours == Some(true) => self.heard(news),
            }
            self.write_changes().await?;
            self.say(false);
        }
        Ok(())
    }

    /// Writes what the platform told of changes, as long as it is this process that follows it.
    async fn write_changes(&mut self) -> Result<(), PlatformError> {
        if self.follower.take_missed() {
            self.has_missed = true;
            self.tell(Happened::Missed);
        }
        while self.is_known && self.is_ours == Some(true) && !self.cancel.is_cancelled() {
            let Some(delta) = self.follower.pop() else { return Ok(()) };
            if !self.is_held().await {
                self.follower.end().await;
                return Ok(());
            }
            match self.memory.put_delta(delta).await {
                Ok(written) => self.unsaid.add(written),
                Err(error) => {
                    self.follower.forget();
                    self.has_missed = true;
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    /// How long until it may be said what was written.
    fn until_said(&self) -> Duration {
        match (self.unsaid == Written::default(), self.said) {
            (false, Some(said)) => SAY.saturating_sub(said.elapsed()),
            _ => Duration::MAX,
        }
    }

    /// Says what was written of changes, not too often.
    fn say(&mut self, is_last: bool) {
        let it = self.unsaid;
        if it.new + it.changed + it.gone == 0 {
            self.unsaid = Written::default();
            return;
        }
        if is_last || self.said.is_none_or(|said| said.elapsed() >= SAY) {
            self.unsaid = Written::default();
            self.said = Some(Instant::now());
            self.tell(Happened::Followed { written: it });
        }
    }
}
