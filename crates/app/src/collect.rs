//! The use cases `check` and `collect`: platforms of the configuration, side by side.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use entente_connect::connector::Watch;
use entente_connect::live::{
    self, Cancel, CheckReport, ConnectError, Live, Refusal, Run, Target, Traffic,
};
use entente_model::{Collection, Gap, Moment, PlatformId, Text};
use tokio::task::JoinSet;

use entente_store::Written;

use crate::collection_file::write_collection;
use crate::config::{ConfigError, PlatformConfig};
use crate::remembered::{Memory, RememberError};

/// Platforms that are read at once.
const PLATFORMS_AT_ONCE: usize = 8;

/// What became of one platform.
#[derive(Debug)]
pub struct Outcome<T> {
    /// Which.
    pub platform: PlatformId,
    /// Name of its connector.
    pub connector: &'static str,
    /// Its address.
    pub address: Text,
    /// What came out.
    pub result: Result<T, PlatformError>,
    /// What it cost.
    pub cost: Cost,
}

/// What reading a platform cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Requests.
    pub calls: u64,
    /// Of those, sent again because the platform was busy.
    pub retries: u64,
    /// Bytes of answers, as they were on the wire.
    pub bytes_received: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// A collection that was kept.
#[derive(Debug)]
pub struct Kept {
    /// Version of the platform.
    pub version: Option<Text>,
    /// Objects, by list.
    pub counts: Vec<(&'static str, usize)>,
    /// What was not observed.
    pub gaps: Vec<Gap>,
    /// Where it is.
    pub place: Place,
}

/// Where a collection is.
#[derive(Clone, Debug)]
pub enum Place {
    /// In the store, in which it changed this.
    Store(Written),
    /// In a file.
    File(PathBuf),
}

/// Why a platform could not be read, or its collection not be kept.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// Its secret is not there.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It could not be reached or logged in to.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Its collection could not be written.
    #[error("the collection of `{platform}` cannot be written to `{folder}`")]
    Write {
        /// Whose.
        platform: PlatformId,
        /// Where to.
        folder: String,
        /// Why.
        #[source]
        reason: io::Error,
    },
    /// Its collection could not be put into the store.
    #[error(transparent)]
    Remember(#[from] RememberError),
    /// Its connector ended by a mistake of ours.
    #[error("the connector of `{0}` stopped by a mistake of its own; this is worth a report")]
    Broken(PlatformId),
}

impl PlatformError {
    /// The stable code, with a page in `docs/errors/`; none for mistakes of ours.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Config(error) => Some(error.code()),
            Self::Connect(error) => Some(error.code()),
            Self::Write { .. } => Some("ENT-0110"),
            Self::Remember(error) => Some(error.code()),
            Self::Broken(_) => None,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Config(error) => Some(error.hint()),
            Self::Connect(error) => Some(error.hint()),
            Self::Write { .. } => {
                Some("make room, or choose another folder with `--out`; the collection before it is still there".into())
            }
            Self::Remember(error) => Some(error.hint()),
            Self::Broken(_) => None,
        }
    }
}

/// Logs in to each platform and says what is there.
pub async fn check_platforms(
    platforms: &[&PlatformConfig],
    taken: Moment,
    cancel: &Cancel,
) -> Vec<Outcome<CheckReport>> {
    let watch: Arc<dyn Watch + Send> = Arc::new(entente_connect::connector::Unwatched);
    each(platforms, taken, cancel, &watch, |live, session| {
        Box::pin(async move { Ok(live.check(session.run()).await?) })
    })
    .await
}

/// Where collections go.
#[derive(Clone, Debug)]
pub enum Destination {
    /// Into the store.
    Store(Arc<Memory>),
    /// Into a folder, one file a platform.
    Folder(PathBuf),
}

/// Reads each platform and keeps its collection. What one platform does is of no concern to the others.
pub async fn collect_platforms(
    platforms: &[&PlatformConfig],
    taken: Moment,
    destination: &Destination,
    cancel: &Cancel,
    watch: &Arc<dyn Watch + Send>,
) -> Vec<Outcome<Kept>> {
    let destination = destination.clone();
    each(platforms, taken, cancel, watch, move |live, session| {
        let destination = destination.clone();
        Box::pin(async move {
            let collection = collect_one(live, session).await?;
            let (version, counts) = (collection.source.version.clone(), collection.counts());
            let gaps = collection.gaps.clone();
            let place = match destination {
                Destination::Store(memory) => Place::Store(memory.put(collection).await?),
                Destination::Folder(folder) => {
                    Place::File(write_file(session, collection, folder).await?)
                }
            };
            Ok(Kept { version, counts, gaps, place })
        })
    })
    .await
}

/// Reads one platform, and gives its collection to the caller.
pub async fn read_platform(
    platform: &PlatformConfig,
    taken: Moment,
    cancel: &Cancel,
    watch: &Arc<dyn Watch + Send>,
) -> Result<Collection, PlatformError> {
    let session = Session {
        target: platform.target(taken)?,
        watch: Arc::clone(watch),
        cancel: cancel.clone(),
        traffic: Traffic::default(),
    };
    Ok(collect_one(platform.live(), &session).await?)
}

/// Follows one platform until cancelled; false where it tells of no changes.
pub async fn follow_platform(
    platform: &PlatformConfig,
    taken: Moment,
    cancel: &Cancel,
    watch: &Arc<dyn Watch + Send>,
    changed: &mut (dyn FnMut(live::Change) + Send),
) -> Result<bool, PlatformError> {
    let session = Session {
        target: platform.target(taken)?,
        watch: Arc::clone(watch),
        cancel: cancel.clone(),
        traffic: Traffic::default(),
    };
    match platform.live().follow(session.run(), changed) {
        None => Ok(false),
        Some(following) => {
            following.await?;
            Ok(true)
        }
    }
}

async fn write_file(
    session: &Session,
    collection: Collection,
    folder: PathBuf,
) -> Result<PathBuf, PlatformError> {
    let shown = folder.display().to_string();
    // Compressing a large collection takes seconds: not on a thread that others wait for.
    let written = tokio::task::spawn_blocking(move || write_collection(&collection, &folder));
    match written.await {
        Ok(Ok(path)) => Ok(path),
        Ok(Err(reason)) => {
            let platform = session.target.id.clone();
            Err(PlatformError::Write { platform, folder: shown, reason })
        }
        Err(_) => Err(PlatformError::Broken(session.target.id.clone())),
    }
}

async fn collect_one(live: &dyn Live, session: &Session) -> Result<Collection, ConnectError> {
    let limit = session.target.limits.collection();
    // What was read when the time is over is returned. This is the last resort against a connector that
    // does not stop when it is asked to.
    let grace = Duration::from_secs(session.target.limits.answer_seconds);
    match tokio::time::timeout(limit + grace, live::collect(live, session.run())).await {
        Ok(outcome) => outcome,
        Err(_) => Err(session.run().refused(Refusal::TimedOut { seconds: limit.as_secs() })),
    }
}

/// What one platform's task owns.
struct Session {
    target: Target,
    watch: Arc<dyn Watch + Send>,
    cancel: Cancel,
    traffic: Traffic,
}

impl Session {
    fn run(&self) -> Run<'_> {
        Run {
            target: &self.target,
            watch: &*self.watch,
            cancel: &self.cancel,
            traffic: &self.traffic,
        }
    }
}

type Work<'a, T> = entente_connect::live::Answer<'a, Result<T, PlatformError>>;

/// Does the same with each platform, side by side; answers are in the order of the configuration.
async fn each<T: Send + 'static>(
    platforms: &[&PlatformConfig],
    taken: Moment,
    cancel: &Cancel,
    watch: &Arc<dyn Watch + Send>,
    work: impl for<'a> Fn(&'static dyn Live, &'a Session) -> Work<'a, T> + Send + Sync + 'static,
) -> Vec<Outcome<T>> {
    let work = Arc::new(work);
    // A task that panics says nothing of itself: what it leaves is what stands here before it ends.
    let mut outcomes: Vec<Outcome<T>> = platforms.iter().map(|it| broken(it)).collect();
    let mut waiting = platforms.iter().enumerate();
    let mut running = JoinSet::new();
    loop {
        while running.len() < PLATFORMS_AT_ONCE
            && let Some((at, platform)) = waiting.next()
        {
            let (work, watch, cancel) = (work.clone(), watch.clone(), cancel.child_token());
            let (target, live) = (platform.target(taken), platform.live());
            running.spawn(async move {
                let begun = Instant::now();
                let traffic = Traffic::default();
                let (result, traffic) = match target {
                    Err(error) => (Err(error.into()), traffic),
                    Ok(target) => {
                        let session = Session { target, watch, cancel, traffic };
                        (work(live, &session).await, session.traffic)
                    }
                };
                let cost = Cost {
                    calls: traffic.calls(),
                    retries: traffic.retries(),
                    bytes_received: traffic.bytes_received(),
                    elapsed: begun.elapsed(),
                };
                (at, result, cost)
            });
        }
        match running.join_next().await {
            None => return outcomes,
            Some(Ok((at, result, cost))) => {
                if let Some(outcome) = outcomes.get_mut(at) {
                    (outcome.result, outcome.cost) = (result, cost);
                }
            }
            Some(Err(_)) => {}
        }
    }
}

/// What becomes of a platform whose task says nothing.
fn broken<T>(platform: &PlatformConfig) -> Outcome<T> {
    Outcome {
        platform: platform.id.clone(),
        connector: platform.connector,
        address: platform.address.clone(),
        result: Err(PlatformError::Broken(platform.id.clone())),
        cost: Cost::default(),
    }
}
