//! Lifecycle events: the domain that an event names is read again, and no other.
//!
//! libvirt tells of domains that are started, stopped, paused, defined and undefined. It tells
//! nothing of VM snapshots, checkpoints, networks or storage: those wait for the next collection.

use std::collections::BTreeSet;

use entente_model::Uuid;

use super::client::Client;
use super::{SECTIONS, domains, host, log_in, surroundings};
use crate::libvirt::map;
use crate::libvirt::wire::failure::Failure;
use crate::libvirt::wire::procedures::{SupportsFeature, WatchDomains};
use crate::libvirt::wire::reading::Reading;
use crate::live::{CallError, Change, ConnectError, Refusal, Run};

/// Events of a domain's life.
const LIFECYCLE: i32 = 0;
/// Asking for this feature makes the server ask for signs of life, so that a connection that is
/// dead is known to be.
const KEEP_ALIVE: i32 = 15;

/// Follows until cancelled.
pub async fn follow(
    run: Run<'_>,
    changed: &mut (dyn FnMut(Change) + Send),
) -> Result<(), ConnectError> {
    let mut client = Client::connect(run).await.map_err(|reason| run.refused(reason))?;
    // Asked before anything is read: what happens while it is read is not missed.
    watch(&mut client).await.map_err(|reason| run.refused(reason))?;
    let reading = Reading {
        host: host(&mut client).await,
        domains: Ok(Vec::new()),
        domains_left_out: 0,
        around: surroundings::all(&mut client).await,
    };
    let ready = SECTIONS.len();
    run.watch.section(run.target.id.as_str(), "events", 0, ready, ready);
    loop {
        let failure = match next(&mut client).await {
            Ok(touched) => {
                for uuid in touched {
                    tell(&mut client, &reading, uuid, changed).await;
                }
                continue;
            }
            Err(failure) => failure,
        };
        if failure.is_cancelled() {
            client.close().await;
            return Ok(());
        }
        return Err(run.refused(lost(failure)));
    }
}

async fn watch(client: &mut Client<'_>) -> Result<(), Refusal> {
    // Without it the connection merely notices later that it is dead.
    let _ = client.call(SupportsFeature { feature: KEEP_ALIVE }).await;
    match client.call(WatchDomains { kind: LIFECYCLE }).await {
        Ok(_) => Ok(()),
        Err(Failure::Remote(error)) => Err(Refusal::TooFewRights(error.message)),
        Err(other) => Err(log_in::refusal(other)),
    }
}

/// Domains to which something happened: all that is known by now, each once.
async fn next(client: &mut Client<'_>) -> Result<BTreeSet<Uuid>, Failure> {
    let session = client.session().await?;
    let mut touched = BTreeSet::from([session.next_event().await?.domain.uuid]);
    while let Some(event) = session.waiting_event() {
        touched.insert(event.domain.uuid);
    }
    Ok(touched)
}

async fn tell(
    client: &mut Client<'_>,
    reading: &Reading,
    uuid: Uuid,
    changed: &mut (dyn FnMut(Change) + Send),
) {
    let target = client.run().target;
    match domains::one(client, uuid).await {
        None => {
            let native_id = uuid.to_string().into();
            changed(Change::WorkloadRemoved { native_id });
        }
        Some(Ok(domain)) => {
            changed(Change::Read(Box::new(map::change(target, reading, domain))));
        }
        // The loop above meets the same failure and ends.
        Some(Err(_)) => {}
    }
}

fn lost(failure: Failure) -> Refusal {
    match failure {
        Failure::Call(CallError::Truncated(why)) => Refusal::Unreachable(why),
        other => log_in::refusal(other),
    }
}
