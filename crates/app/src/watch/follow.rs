//! Following one platform between its readings: what it tells is kept, in order, until it can be written.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use entente_connect::connector::Watch;
use entente_connect::live::{Cancel, Change, FOLLOWING};
use entente_store::Delta;
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinHandle};

use super::PAUSE;
use crate::collect::{PlatformError, follow_platform};
use crate::config::PlatformConfig;
use crate::{now, now_utc};

/// Objects that are kept until they can be written; when there are more, all are let go, and the platform is
/// read as a whole instead.
const OBJECTS_KEPT_MAX: usize = 200_000;

/// How long following may take to end when it is told to.
const END: Duration = Duration::from_secs(10);

/// What a platform told and nobody has written yet.
#[derive(Debug, Default)]
struct Kept {
    deltas: VecDeque<Delta>,
    objects: usize,
    last: Option<OffsetDateTime>,
    has_overflowed: bool,
}

impl Kept {
    /// Takes what was told, at a time of its own. Removals that follow each other are one delta.
    fn push(&mut self, platform: &PlatformConfig, at: OffsetDateTime, change: Change) {
        let after = self.last.map(|it| it + time::Duration::MICROSECOND);
        let at = after.map_or(at, |after| at.max(after));
        self.last = Some(at);
        self.objects += match &change {
            Change::Read(collection) => collection.workloads.len().max(1),
            Change::WorkloadRemoved { .. } => 1,
        };
        if self.objects > OBJECTS_KEPT_MAX {
            self.deltas.clear();
            self.objects = 0;
            self.has_overflowed = true;
            return;
        }
        let (changed, removed) = match change {
            Change::Read(collection) => (Some(collection), Vec::new()),
            Change::WorkloadRemoved { native_id } => (None, vec![native_id]),
        };
        if let Some(last) = self.deltas.back_mut()
            && (last.changed.is_none() && changed.is_none())
        {
            last.removed.extend(removed);
            last.at = at;
            return;
        }
        let (platform, connector) = (platform.id.clone(), platform.connector.into());
        self.deltas.push_back(Delta { platform, connector, at, changed, removed });
    }

    fn pop(&mut self) -> Option<Delta> {
        let delta = self.deltas.pop_front()?;
        let read = delta.changed.as_ref().map_or(0, |it| it.workloads.len().max(1));
        self.objects = self.objects.saturating_sub(read + delta.removed.len());
        Some(delta)
    }
}

/// What is shared with the task that follows.
#[derive(Debug, Default)]
struct Shared {
    kept: Mutex<Kept>,
    has_begun: AtomicBool,
    news: Notify,
}

fn open(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    // What is behind it is whole at any time.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch for Shared {
    fn section(&self, _: &str, section: &str, _: u64, _: usize, _: usize) {
        if section == FOLLOWING {
            self.has_begun.store(true, Ordering::Relaxed);
            self.news.notify_one();
        }
    }
}

/// What became of following.
#[derive(Debug)]
pub(super) enum News {
    /// It has begun: what changes from now on is told.
    Begun,
    /// The platform told something, see [`Follower::pop`].
    Told,
    /// It ended by a failure, and goes on after a pause.
    Failed(PlatformError, Duration),
    /// It ended by itself, or there is nothing to follow.
    Ended,
    /// The pause is over.
    Again,
}

/// Follows one platform, one task at a time.
#[derive(Debug)]
pub(super) struct Follower {
    platform: PlatformConfig,
    shared: Arc<Shared>,
    running: Option<(Cancel, JoinHandle<Result<bool, PlatformError>>)>,
    /// When it is tried again; nothing where the platform tells of no changes.
    again: Option<Instant>,
    failures: u32,
}

impl Follower {
    pub fn new(platform: PlatformConfig) -> Self {
        let again = Some(Instant::now());
        Self { platform, shared: Arc::default(), running: None, again, failures: 0 }
    }

    /// Begins, unless it runs, waits after a failure, or there is nothing to follow. Says whether it did.
    pub fn begin(&mut self) -> bool {
        if self.running.is_some() || self.again.is_none_or(|it| it > Instant::now()) {
            return false;
        }
        let cancel = Cancel::new();
        self.shared.has_begun.store(false, Ordering::Relaxed);
        let (platform, shared, asked) =
            (self.platform.clone(), Arc::clone(&self.shared), cancel.clone());
        let task = tokio::spawn(async move {
            let watch: Arc<dyn Watch + Send> = shared.clone();
            let mut changed = |change: Change| {
                open(&shared.kept).push(&platform, now_utc(), change);
                shared.news.notify_one();
            };
            follow_platform(&platform, now(), &asked, &watch, &mut changed).await
        });
        self.running = Some((cancel, task));
        true
    }

    /// Waits for what comes next; for ever where nothing does.
    pub async fn news(&mut self) -> News {
        loop {
            let Some((_, task)) = &mut self.running else {
                let Some(again) = self.again else { return std::future::pending().await };
                tokio::time::sleep_until(again.into()).await;
                return News::Again;
            };
            tokio::select! {
                biased;
                () = self.shared.news.notified() => {
                    if self.shared.has_begun.swap(false, Ordering::Relaxed) {
                        self.failures = 0;
                        // What was told since is told of next.
                        self.shared.news.notify_one();
                        return News::Begun;
                    }
                    if self.has_news() {
                        return News::Told;
                    }
                }
                outcome = task => return self.ended(outcome),
            }
        }
    }

    fn has_news(&self) -> bool {
        let kept = open(&self.shared.kept);
        kept.has_overflowed || !kept.deltas.is_empty()
    }

    fn ended(&mut self, outcome: Result<Result<bool, PlatformError>, JoinError>) -> News {
        self.running = None;
        let error = match outcome {
            Ok(Ok(false)) => {
                self.again = None;
                return News::Ended;
            }
            Ok(Ok(true)) => None,
            Ok(Err(error)) => Some(error),
            Err(_) => Some(PlatformError::Broken(self.platform.id.clone())),
        };
        let pause = PAUSE.saturating_mul(1 << self.failures.min(16)).min(self.platform.every);
        self.failures += 1;
        self.again = Some(Instant::now() + pause);
        error.map_or(News::Ended, |error| News::Failed(error, pause))
    }

    /// The next delta to write.
    pub fn pop(&self) -> Option<Delta> {
        open(&self.shared.kept).pop()
    }

    /// Whether something was told that was not kept: asked once.
    pub fn take_missed(&self) -> bool {
        std::mem::take(&mut open(&self.shared.kept).has_overflowed)
    }

    /// Lets go what was told.
    pub fn forget(&self) {
        let mut kept = open(&self.shared.kept);
        kept.deltas.clear();
        kept.objects = 0;
    }

    /// Ends; what was told and not written is let go.
    pub async fn end(&mut self) {
        if let Some((cancel, task)) = self.running.take() {
            cancel.cancel();
            let abort = task.abort_handle();
            if tokio::time::timeout(END, task).await.is_err() {
                abort.abort();
            }
            self.again = Some(Instant::now());
        }
        self.forget();
    }
}

#[cfg(test)]
mod tests;
