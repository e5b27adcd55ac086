//! Calls → what libvirt gave: each piece for itself, so that one that fails takes nothing with it.

mod address;
mod check;
mod client;
mod domains;
mod follow;
mod log_in;
mod session;
mod surroundings;
mod transport;

use entente_model::Collection;

use super::wire::procedures as ask;
use super::wire::reading::{HostReading, Reading};
use super::{NAME, map};
use crate::live::{ConnectError, Run};
pub(super) use check::check;
use client::Client;
pub(super) use follow::follow;

/// Sections of a collection, in the order in which they are read.
const SECTIONS: [&str; 4] = ["hosts", "workloads", "networks", "datastores"];

/// Reads everything.
pub(super) async fn collect(run: Run<'_>) -> Result<Collection, ConnectError> {
    let mut client = Client::connect(run).await.map_err(|reason| run.refused(reason))?;
    let reading = read(&mut client).await;
    client.close().await;
    Ok(map::collection(run.target, &reading))
}

async fn read(client: &mut Client<'_>) -> Reading {
    let host = host(client).await;
    told(client, 0, 1);
    let (domains, domains_left_out) = domains::all(client).await;
    told(client, 1, domains.as_ref().map_or(0, Vec::len));
    let around = surroundings::all(client).await;
    told(client, 2, around.networks.as_ref().map_or(0, Vec::len));
    told(client, 3, around.pools.as_ref().map_or(0, Vec::len));
    Reading { host, domains, domains_left_out, around }
}

fn told(client: &Client<'_>, section: usize, rows: usize) {
    let run = client.run();
    let name = SECTIONS.get(section).copied().unwrap_or(NAME);
    let id = run.target.id.as_str();
    run.watch.section(id, name, rows as u64, section + 1, SECTIONS.len());
}

async fn host(client: &mut Client<'_>) -> HostReading {
    HostReading {
        driver: client.driver().to_owned(),
        library_version: client.library_version(),
        read_only: client.is_read_only(),
        hypervisor_version: client.call(ask::HypervisorVersion {}).await,
        hostname: client.call(ask::Hostname {}).await,
        capabilities: client.call(ask::Capabilities {}).await,
        node: client.call(ask::Node {}).await,
        free_memory: client.call(ask::FreeMemory {}).await,
        system: client.call(ask::SystemInformation {}).await,
    }
}
