//! What logging in shows, and which rights the connection has: each is tried on the first object of
//! its kind.

use entente_model::Text;

use super::address::Way;
use super::client::Client;
use crate::libvirt::wire::failure::{Failure, RemoteKind};
use crate::libvirt::wire::procedures as ask;
use crate::libvirt::wire::reading::Read;
use crate::libvirt::{FULL_ACCESS, RIGHTS, version};
use crate::live::{CheckReport, ConnectError, Right, RightState, Run};

/// Logs in and looks.
pub async fn check(run: Run<'_>) -> Result<CheckReport, ConnectError> {
    let mut client = Client::connect(run).await.map_err(|reason| run.refused(reason))?;
    let hypervisor = client.call(ask::HypervisorVersion {}).await;
    let library = version(client.library_version());
    let told = match hypervisor {
        Ok(number) => Text::from(format!("{library} ({} {})", client.driver(), version(number))),
        Err(_) => library,
    };
    let states = Tried::read(&mut client).await.states(client.is_read_only());
    let report = CheckReport {
        product: "libvirt".into(),
        version: told,
        account: client.account().clone(),
        rights: RIGHTS.iter().copied().zip(states).collect(),
        notes: notes(&client),
    };
    client.close().await;
    Ok(report)
}

fn notes(client: &Client<'_>) -> Vec<Text> {
    let mut notes = Vec::new();
    if matches!(client.way(), Way::Tcp { .. }) {
        notes.push("the connection is in clear text: use TLS or ssh".into());
    }
    if client.is_read_only() {
        notes.push(
            "the connection is read-only: guest agents are not asked (`?access=full` does)".into(),
        );
    }
    notes
}

/// One attempt for each right: nothing where there is no object to try it on.
struct Tried {
    connection: Read<()>,
    host: Read<()>,
    domains: [Option<Read<()>>; 2],
    networks: [Option<Read<()>>; 2],
    pools: [Option<Read<()>>; 2],
    volumes: [Option<Read<()>>; 2],
    filters: [Option<Read<()>>; 2],
    bindings: [Option<Read<()>>; 2],
    devices: Read<()>,
}

/// Tries a list and the XML of its first item.
macro_rules! try_list {
    ($client:ident, $list:expr, |$first:ident| $xml:expr) => {
        match $client.call($list).await {
            Ok(items) => match items.into_iter().next() {
                Some($first) => {
                    let read = $client.call($xml).await.map(drop);
                    [Some(Ok(())), Some(read)]
                }
                None => [Some(Ok(())), None],
            },
            Err(failure) => [Some(Err(failure)), None],
        }
    };
}

impl Tried {
    async fn read(client: &mut Client<'_>) -> Self {
        let pool = client.call(ask::ListPools { flags: 2 }).await.ok();
        let pool = pool.and_then(|it| it.into_iter().next());
        Self {
            connection: client.call(ask::DriverName {}).await.map(drop),
            host: client.call(ask::Capabilities {}).await.map(drop),
            domains: try_list!(client, ask::ListDomains { flags: 0 }, |domain| ask::DomainXml {
                domain,
                inactive: false
            }),
            networks: try_list!(client, ask::ListNetworks { flags: 0 }, |network| {
                ask::NetworkXml { network }
            }),
            pools: try_list!(client, ask::ListPools { flags: 0 }, |pool| ask::PoolXml { pool }),
            volumes: match pool {
                Some(pool) => try_list!(client, ask::ListVolumes { pool }, |volume| {
                    ask::VolumeXml { volume }
                }),
                None => [None, None],
            },
            filters: try_list!(client, ask::ListFilters {}, |filter| ask::FilterXml { filter }),
            bindings: try_list!(client, ask::ListBindings {}, |binding| ask::BindingXml {
                binding
            }),
            devices: client.call(ask::ListNodeDevices { flags: 1 }).await.map(drop),
        }
    }

    /// In the order of [`RIGHTS`].
    fn states(&self, read_only: bool) -> Vec<RightState> {
        let of = |right: &Right| match right.name {
            "connect.getattr" => state(Some(&self.connection)),
            "connect.read" => state(Some(&self.host)),
            "connect.search-domains" => searched(&self.domains),
            "domain.read" => read(&self.domains),
            "connect.search-networks" => searched(&self.networks),
            "network.read" => read(&self.networks),
            "connect.search-storage-pools" => searched(&self.pools),
            "storage-pool.read" => read(&self.pools),
            "storage-pool.search-storage-vols" => searched(&self.volumes),
            "storage-vol.read" => read(&self.volumes),
            "connect.search-nwfilters" => searched(&self.filters),
            "nwfilter.read" => read(&self.filters),
            "connect.search-nwfilter-bindings" => searched(&self.bindings),
            "nwfilter-binding.read" => read(&self.bindings),
            "connect.search-node-devices" => state(Some(&self.devices)),
            "domain.getattr" => seen(&self.domains),
            "network.getattr" => seen(&self.networks),
            "storage-pool.getattr" => seen(&self.pools),
            "storage-vol.getattr" => seen(&self.volumes),
            "nwfilter.getattr" => seen(&self.filters),
            "nwfilter-binding.getattr" => seen(&self.bindings),
            FULL_ACCESS if read_only => RightState::Lacking("everywhere, as configured".into()),
            FULL_ACCESS => RightState::Held,
            _ => RightState::Unknown("nothing here tries it".into()),
        };
        RIGHTS.iter().map(of).collect()
    }
}

fn searched(tried: &[Option<Read<()>>; 2]) -> RightState {
    let [list, _] = tried;
    state(list.as_ref())
}

fn read(tried: &[Option<Read<()>>; 2]) -> RightState {
    let [_, item] = tried;
    state(item.as_ref())
}

/// What is left out without a word cannot be known to be whole.
fn seen(tried: &[Option<Read<()>>; 2]) -> RightState {
    match tried {
        [_, Some(Ok(()))] => RightState::Unknown(
            "held on what is listed; what it is not held on would be left out without a word"
                .into(),
        ),
        [_, other] => match state(other.as_ref()) {
            RightState::Held => RightState::Held,
            _ => RightState::Unknown("there is nothing to try it on".into()),
        },
    }
}

fn state(tried: Option<&Read<()>>) -> RightState {
    match tried {
        None => RightState::Unknown("there is nothing to try it on".into()),
        Some(Ok(())) => RightState::Held,
        Some(Err(Failure::Remote(error))) if error.kind() == RemoteKind::Denied => {
            RightState::Lacking("on the first object that was tried".into())
        }
        Some(Err(failure)) if failure.is_unsupported() => {
            RightState::Unknown("this driver of libvirt has no such thing".into())
        }
        Some(Err(failure)) => RightState::Unknown(Text::from(failure.to_string())),
    }
}
