//! Events: the domains that they name are read again, and no others.
//!
//! libvirt tells of domains that are started, stopped, paused, defined, renamed and undefined, of their
//! devices, media and metadata; of VM snapshots only by the pauses and reverts that go with them. It is
//! not asked about networks and storage: those are read again where a domain stands on something new.
//!
//! What is asked for on one connection does not come on another. Whenever there is a new one, all
//! domains are read again, since nobody knows what happened in between.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use entente_model::Uuid;
use tokio::time::Instant;

use super::client::Client;
use super::session::Events;
use super::{SECTIONS, domains, host, log_in, surroundings};
use crate::libvirt::map;
use crate::libvirt::wire::failure::{Failure, RemoteKind};
use crate::libvirt::wire::procedures::{
    DOMAIN_EVENTS, Domain, LIFECYCLE, LibraryVersion, SupportsFeature, WatchDomains,
};
use crate::libvirt::wire::reading::{DomainReading, Reading};
use crate::live::{CallError, Change, ConnectError, FOLLOWING, Refusal, Run};

/// Asking for this feature makes the server ask for signs of life, so that a connection that is
/// dead is known to be.
const KEEP_ALIVE: i32 = 15;
/// First wait before a host that is away is tried again; doubled each time.
const AWAY_WAIT: Duration = Duration::from_millis(500);

/// Follows until cancelled.
pub async fn follow(
    run: Run<'_>,
    changed: &mut (dyn FnMut(Change) + Send),
) -> Result<(), ConnectError> {
    let mut client = Client::connect(run).await.map_err(|reason| run.refused(reason))?;
    let mut follower = Follower { run, known: None, before: None, busy: BTreeMap::new() };
    let mut away = Away { since: None, tries: 0 };
    loop {
        let Err(failure) = follower.follow(&mut client, &mut away, changed).await;
        if run.cancel.is_cancelled() || failure.is_cancelled() {
            client.close().await;
            return Ok(());
        }
        // What could not be begun once is not waited for.
        if follower.known.is_none() {
            return Err(run.refused(lost(failure)));
        }
        drop(client);
        client = match away.back(run, lost(failure)).await {
            Ok(client) => client,
            Err(Refusal::Cancelled) => return Ok(()),
            Err(reason) => return Err(run.refused(reason)),
        };
    }
}

/// A host that is away.
struct Away {
    since: Option<Instant>,
    tries: u32,
}

impl Away {
    /// Waits until it is back, as long as one collection may take.
    async fn back<'a>(&mut self, run: Run<'a>, mut reason: Refusal) -> Result<Client<'a>, Refusal> {
        let limits = &run.target.limits;
        let since = *self.since.get_or_insert_with(Instant::now);
        let most = Duration::from_secs(limits.retry_wait_seconds_max);
        loop {
            if !is_passing(&reason) || since.elapsed() > limits.collection() {
                return Err(reason);
            }
            let wait = AWAY_WAIT.saturating_mul(2_u32.saturating_pow(self.tries)).min(most);
            self.tries = self.tries.saturating_add(1);
            run.traffic.retry();
            tokio::select! {
                () = run.cancel.cancelled() => return Err(Refusal::Cancelled),
                () = tokio::time::sleep(wait) => {}
            }
            match Client::connect(run).await {
                Ok(client) => return Ok(client),
                Err(next) => reason = next,
            }
        }
    }
}

/// Reasons that end by themselves, as when a host starts again.
fn is_passing(reason: &Refusal) -> bool {
    matches!(
        reason,
        Refusal::Unreachable(_)
            | Refusal::TimedOut { .. }
            | Refusal::Busy(_)
            | Refusal::NameUnknown
            | Refusal::Answer(_)
    )
}

/// What is known of a host between its events.
struct Follower<'a> {
    run: Run<'a>,
    /// Domains that there are; nothing until following has begun.
    known: Option<BTreeSet<Uuid>>,
    /// The host and what domains stand on.
    before: Option<Reading>,
    /// Domains that were busy when they were read, with how often.
    busy: BTreeMap<Uuid, (Domain, u32)>,
}

impl Follower<'_> {
    /// Follows over one client, until it is of no more use.
    async fn follow(
        &mut self,
        client: &mut Client<'_>,
        away: &mut Away,
        changed: &mut (dyn FnMut(Change) + Send),
    ) -> Result<Infallible, Failure> {
        loop {
            let connection = client.connections();
            // Asked before anything is read: what happens while it is read is not missed.
            watch(client).await?;
            self.begin(client, changed).await?;
            *away = Away { since: None, tries: 0 };
            while client.connections() == connection {
                let session = client.session().await?;
                if session.wait().await? {
                    let Events { touched, missed } = session.take_events();
                    self.look(client, touched, missed, changed).await?;
                } else {
                    // Nothing for a while: whoever answers is there.
                    client.call(LibraryVersion {}).await?;
                    self.look(client, BTreeMap::new(), false, changed).await?;
                }
            }
        }
    }

    /// Reads what is needed to follow; all domains, unless nothing was followed before.
    async fn begin(
        &mut self,
        client: &mut Client<'_>,
        changed: &mut (dyn FnMut(Change) + Send),
    ) -> Result<(), Failure> {
        self.before = Some(Reading {
            host: host(client).await,
            domains: Ok(Vec::new()),
            domains_left_out: 0,
            around: surroundings::all(client).await,
        });
        if self.known.is_some() {
            return self.all(client, changed).await;
        }
        self.known = Some(domains::ids(client).await?);
        let ready = SECTIONS.len();
        self.run.watch.section(self.run.target.id.as_str(), FOLLOWING, 0, ready, ready);
        Ok(())
    }

    /// Reads the domains again to which something happened.
    async fn look(
        &mut self,
        client: &mut Client<'_>,
        mut touched: BTreeMap<Uuid, Domain>,
        missed: bool,
        changed: &mut (dyn FnMut(Change) + Send),
    ) -> Result<(), Failure> {
        if missed {
            return self.all(client, changed).await;
        }
        for (uuid, (domain, _)) in &self.busy {
            touched.entry(*uuid).or_insert_with(|| domain.clone());
        }
        if touched.is_empty() {
            return Ok(());
        }
        let connection = client.connections();
        let (readings, gone) = domains::these(client, touched.into_values().collect()).await;
        // On a new connection all are read again.
        client.session().await?;
        if client.connections() != connection {
            return Ok(());
        }
        self.removed(gone, changed);
        self.tell(client, readings, changed).await
    }

    /// Reads all domains again.
    async fn all(
        &mut self,
        client: &mut Client<'_>,
        changed: &mut (dyn FnMut(Change) + Send),
    ) -> Result<(), Failure> {
        let (readings, left_out) = domains::all(client).await;
        let mut readings = readings?;
        client.session().await?;
        readings.retain(|it| !it.is_gone());
        // Those that the limit leaves out are not gone.
        if left_out == 0 {
            let there: BTreeSet<_> = readings.iter().map(|it| it.domain.uuid).collect();
            let known = self.known.iter().flatten();
            let gone = known.filter(|it| !there.contains(it)).copied().collect();
            self.removed(gone, changed);
        }
        self.tell(client, readings, changed).await
    }

    fn removed(&mut self, gone: Vec<Uuid>, changed: &mut (dyn FnMut(Change) + Send)) {
        for uuid in gone {
            self.busy.remove(&uuid);
            if let Some(known) = &mut self.known {
                known.remove(&uuid);
            }
            changed(Change::WorkloadRemoved { native_id: uuid.to_string().into() });
        }
    }

    /// Hands over what was read. Domains that were busy are read again later, a few times.
    async fn tell(
        &mut self,
        client: &mut Client<'_>,
        readings: Vec<DomainReading>,
        changed: &mut (dyn FnMut(Change) + Send),
    ) -> Result<(), Failure> {
        let Some(before) = &mut self.before else { return Ok(()) };
        let mut told = Vec::new();
        for reading in readings {
            let domain = reading.domain.clone();
            let tries = self.busy.remove(&domain.uuid).map_or(0, |it| it.1);
            if is_busy(&reading) && tries < self.run.target.limits.retries_max {
                self.busy.insert(domain.uuid, (domain, tries + 1));
            } else {
                self.known.get_or_insert_default().insert(domain.uuid);
                told.push(reading);
            }
        }
        if told.is_empty() {
            return Ok(());
        }
        let target = self.run.target;
        before.domains = Ok(told);
        let mut collection = map::change(target, before);
        if map::is_somewhere_new(&collection) {
            let connection = client.connections();
            let around = surroundings::all(client).await;
            client.session().await?;
            if client.connections() == connection {
                before.around = around;
                collection = map::change(target, before);
            }
        }
        before.domains = Ok(Vec::new());
        changed(Change::Read(Box::new(collection)));
        Ok(())
    }
}

fn is_busy(reading: &DomainReading) -> bool {
    let busy = |it: Option<&Failure>| matches!(it, Some(Failure::Remote(error)) if error.kind() == RemoteKind::Busy);
    let xml = [&reading.live, &reading.stored].into_iter().flatten();
    busy(reading.state.as_ref().err()) || xml.into_iter().any(|it| busy(it.as_ref().err()))
}

/// Asks to be told of events. Without those of life there is nothing to follow; the others came to be
/// in different versions and drivers.
async fn watch(client: &mut Client<'_>) -> Result<(), Failure> {
    // Without it the connection merely notices later that it is dead.
    let _ = client.call(SupportsFeature { feature: KEEP_ALIVE }).await;
    for (kind, _) in DOMAIN_EVENTS {
        match client.call(WatchDomains { kind }).await {
            Err(failure) if kind == LIFECYCLE || matches!(failure, Failure::Call(_)) => {
                return Err(failure);
            }
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

fn lost(failure: Failure) -> Refusal {
    match failure {
        Failure::Call(CallError::Truncated(why)) => Refusal::Unreachable(why),
        Failure::Remote(error) => match error.kind() {
            RemoteKind::Denied => Refusal::TooFewRights(error.message),
            RemoteKind::Busy => Refusal::Busy(error.message),
            _ => log_in::refusal(Failure::Remote(error)),
        },
        other => log_in::refusal(other),
    }
}
