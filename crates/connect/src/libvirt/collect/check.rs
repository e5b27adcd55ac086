//! What logging in shows, and which rights the connection has: each is tried on the first objects of its
//! kind.

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

/// Objects of one kind that are tried.
const TRIED_MAX: usize = 100;

/// Attempts for each right.
struct Tried {
    connection: Read<()>,
    host: Read<()>,
    domains: Kind,
    networks: Kind,
    pools: Kind,
    volumes: Kind,
    filters: Kind,
    bindings: Kind,
    devices: Read<()>,
}

/// Attempts on one kind of object.
struct Kind {
    /// The list; nothing where there is nothing to list them of.
    list: Option<Read<()>>,
    /// The first of its items.
    items: Vec<Read<()>>,
}

/// Tries a list and the XML of its first items.
macro_rules! try_list {
    ($client:ident, $list:expr, |$item:ident| $xml:expr) => {
        match $client.call($list).await {
            Ok(items) => {
                let items = items.into_iter().take(TRIED_MAX);
                let questions: Vec<_> = items.map(|$item| $xml).collect();
                let answers = $client.calls(&questions).await.into_iter();
                // What is deleted in between tells nothing.
                let answers = answers.filter(|it| !it.as_ref().is_err_and(Failure::is_gone));
                let items = answers.map(|it| it.map(drop)).collect();
                Kind { list: Some(Ok(())), items }
            }
            Err(failure) => Kind { list: Some(Err(failure)), items: Vec::new() },
        }
    };
}

impl Tried {
    async fn read(client: &mut Client<'_>) -> Self {
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
            volumes: match client.call(ask::ListPools { flags: 2 }).await {
                Ok(pools) => match pools.into_iter().next() {
                    Some(pool) => try_list!(client, ask::ListVolumes { pool }, |volume| {
                        ask::VolumeXml { volume }
                    }),
                    None => Kind { list: None, items: Vec::new() },
                },
                Err(failure) => {
                    let why = Failure::NotAsked(Text::from(format!("no list of pools: {failure}")));
                    Kind { list: Some(Err(why)), items: Vec::new() }
                }
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
            "connect.getattr" => state(&self.connection),
            "connect.read" => state(&self.host),
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
            "connect.search-node-devices" => state(&self.devices),
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

fn searched(tried: &Kind) -> RightState {
    match &tried.list {
        Some(list) => state(list),
        None => RightState::Unknown(NOTHING.into()),
    }
}

const NOTHING: &str = "there is nothing to try it on";

/// Lacking as soon as one lacks it; held only if each that was tried has it.
fn read(tried: &Kind) -> RightState {
    let states: Vec<_> = tried.items.iter().map(state).collect();
    let lacking = states.iter().filter(|it| matches!(it, RightState::Lacking(_))).count();
    if lacking > 0 {
        let all = states.len();
        return RightState::Lacking(Text::from(format!("on {lacking} of {all} that were tried")));
    }
    let unknown = states.iter().find(|it| matches!(it, RightState::Unknown(_)));
    match (unknown.or(states.first()), &tried.list) {
        (Some(state), _) => state.clone(),
        (None, Some(Err(failure))) => {
            RightState::Unknown(Text::from(format!("{NOTHING}, without a list: {failure}")))
        }
        (None, _) => RightState::Unknown(NOTHING.into()),
    }
}

/// What is left out without a word cannot be known to be whole.
fn seen(tried: &Kind) -> RightState {
    RightState::Unknown(if tried.items.is_empty() {
        NOTHING.into()
    } else {
        "held on what is listed; what it is not held on would be left out without a word".into()
    })
}

fn state(tried: &Read<()>) -> RightState {
    match tried {
        Ok(()) => RightState::Held,
        Err(Failure::Remote(error)) if error.kind() == RemoteKind::Denied => {
            RightState::Lacking("it is refused".into())
        }
        Err(failure) if failure.is_unsupported() => {
            RightState::Unknown("this driver of libvirt has no such thing".into())
        }
        Err(failure) => RightState::Unknown(Text::from(failure.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::libvirt::wire::failure::Remote;

    fn refused(code: i32) -> Read<()> {
        Err(Remote { code, message: "as libvirt says".into() }.into())
    }

    fn kind(items: Vec<Read<()>>) -> Kind {
        Kind { list: Some(Ok(())), items }
    }

    #[test]
    fn a_right_that_is_refused_on_one_of_many_is_lacking() {
        let some = kind(vec![Ok(()), refused(88), Ok(())]);
        assert_eq!(read(&some), RightState::Lacking("on 1 of 3 that were tried".into()));
        assert_eq!(read(&kind(vec![Ok(()), Ok(())])), RightState::Held);
        assert!(matches!(read(&kind(vec![Ok(()), refused(1)])), RightState::Unknown(_)));
        // It is listed, though it may not be read.
        let RightState::Unknown(why) = seen(&kind(vec![refused(88)])) else { panic!("unknown") };
        assert!(why.starts_with("held on what is listed"), "{why}");
    }

    #[test]
    fn without_a_list_nothing_is_said_of_its_items() {
        let denied = Kind { list: Some(refused(88)), items: Vec::new() };
        assert!(matches!(searched(&denied), RightState::Lacking(_)));
        let RightState::Unknown(why) = read(&denied) else { panic!("unknown") };
        assert!(why.contains("without a list"), "{why}");
        let old = Kind { list: Some(refused(3)), items: Vec::new() };
        assert!(matches!(searched(&old), RightState::Unknown(_)));
    }
}
