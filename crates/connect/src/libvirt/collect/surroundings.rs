//! What domains stand on: networks, storage, filters, devices of the host.

use std::collections::BTreeSet;

use entente_model::Uuid;

use super::client::Client;
use crate::libvirt::wire::procedures as ask;
use crate::libvirt::wire::procedures::{Named, Procedure, VolumeName};
use crate::libvirt::wire::reading::{LeftOut, NamedReading, PoolReading, Read, Surroundings};

/// Filter of the lists of networks and pools.
const ACTIVE: u32 = 1 << 1;
/// Filter of the list of devices.
const MEDIATED: u32 = 1 << 14;

/// All of it.
pub async fn all(client: &mut Client<'_>) -> Surroundings {
    let mut left_out = LeftOut::default();
    Surroundings {
        networks: networks(client, &mut left_out.networks).await,
        pools: pools(client, &mut left_out).await,
        filters: filters(client, &mut left_out.filters).await,
        bindings: bindings(client, &mut left_out.bindings).await,
        mediated_devices: mediated_devices(client, &mut left_out.devices).await,
        left_out,
    }
}

/// Keeps as many as the limit on objects allows, and counts the others.
fn limited<T: Ord>(client: &Client<'_>, list: &mut Vec<T>, left_out: &mut u64) {
    let most = most(client);
    list.sort();
    *left_out += list.len().saturating_sub(most) as u64;
    list.truncate(most);
}

fn most(client: &Client<'_>) -> usize {
    usize::try_from(client.run().target.limits.objects_max).unwrap_or(usize::MAX)
}

async fn networks(client: &mut Client<'_>, left_out: &mut u64) -> Read<Vec<NamedReading>> {
    let mut list = client.call(ask::ListNetworks { flags: 0 }).await?;
    limited(client, &mut list, left_out);
    let active = client.call(ask::ListNetworks { flags: ACTIVE }).await;
    Ok(named(client, list, &active, |network| ask::NetworkXml { network }).await)
}

async fn filters(client: &mut Client<'_>, left_out: &mut u64) -> Read<Vec<NamedReading>> {
    let mut list = client.call(ask::ListFilters {}).await?;
    limited(client, &mut list, left_out);
    // Filters are not started: each is simply there.
    let active = Ok(list.clone());
    Ok(named(client, list, &active, |filter| ask::FilterXml { filter }).await)
}

async fn named<P: Procedure<Reply = String>>(
    client: &mut Client<'_>,
    list: Vec<Named>,
    active: &Read<Vec<Named>>,
    question: impl Fn(Named) -> P,
) -> Vec<NamedReading> {
    let active: Read<BTreeSet<Uuid>> =
        active.as_ref().map(|it| it.iter().map(|it| it.uuid).collect()).map_err(Clone::clone);
    let questions: Vec<_> = list.iter().cloned().map(question).collect();
    let documents = client.calls(&questions).await;
    let readings = list.into_iter().zip(documents).map(|(named, xml)| NamedReading {
        active: active.as_ref().map(|it| it.contains(&named.uuid)).map_err(Clone::clone),
        named,
        xml,
    });
    readings.collect()
}

async fn pools(client: &mut Client<'_>, left_out: &mut LeftOut) -> Read<Vec<PoolReading>> {
    let mut list = client.call(ask::ListPools { flags: 0 }).await?;
    limited(client, &mut list, &mut left_out.pools);
    let active = client.call(ask::ListPools { flags: ACTIVE }).await;
    let pools = named(client, list, &active, |pool| ask::PoolXml { pool }).await;
    let started: Vec<_> = pools
        .iter()
        .filter(|it| it.active != Ok(false))
        .map(|it| ask::ListVolumes { pool: it.named.clone() })
        .collect();
    let mut lists = client.calls(&started).await.into_iter();
    let mut readings = Vec::new();
    let mut room = most(client);
    for pool in pools {
        let volumes = if pool.active == Ok(false) { None } else { lists.next() };
        let volumes = match volumes {
            Some(Ok(mut names)) => {
                names.sort();
                left_out.volumes += names.len().saturating_sub(room) as u64;
                names.truncate(room);
                room -= names.len();
                Some(Ok(volumes_of(client, names).await))
            }
            Some(Err(failure)) => Some(Err(failure)),
            None => None,
        };
        readings.push(PoolReading { pool, volumes });
    }
    Ok(readings)
}

async fn volumes_of(
    client: &mut Client<'_>,
    names: Vec<VolumeName>,
) -> Vec<(VolumeName, Read<String>)> {
    let questions: Vec<_> = names.iter().map(|it| ask::VolumeXml { volume: it.clone() }).collect();
    names.into_iter().zip(client.calls(&questions).await).collect()
}

async fn bindings(
    client: &mut Client<'_>,
    left_out: &mut u64,
) -> Read<Vec<(ask::Binding, Read<String>)>> {
    let mut list = client.call(ask::ListBindings {}).await?;
    limited(client, &mut list, left_out);
    let questions: Vec<_> = list.iter().map(|it| ask::BindingXml { binding: it.clone() }).collect();
    let documents = client.calls(&questions).await;
    Ok(list.into_iter().zip(documents).collect())
}

async fn mediated_devices(client: &mut Client<'_>, left_out: &mut u64) -> Read<Vec<Read<String>>> {
    let mut names = client.call(ask::ListNodeDevices { flags: MEDIATED }).await?;
    limited(client, &mut names, left_out);
    let questions: Vec<_> = names.into_iter().map(|name| ask::NodeDeviceXml { name }).collect();
    Ok(client.calls(&questions).await)
}
