//! Everything that was read of one host, as libvirt gave it, each piece with why it is missing.

use std::collections::BTreeMap;

use super::failure::Failure;
use super::procedures::{
    Binding, BlockInfo, Domain, GuestAdapter, Named, NodeInfo, Parameter, VolumeName,
};
use super::xml::Element;

/// A piece, or why it is missing.
pub type Read<T> = Result<T, Failure>;

/// One host.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The host itself.
    pub host: HostReading,
    /// Its domains.
    pub domains: Read<Vec<DomainReading>>,
    /// Domains that the list told of beyond the limit on objects.
    pub domains_left_out: u64,
    /// What domains stand on.
    pub around: Surroundings,
}

/// The host itself.
#[derive(Clone, Debug)]
pub struct HostReading {
    /// Name of the driver.
    pub driver: String,
    /// Version of libvirt.
    pub library_version: u64,
    /// The connection may change nothing, and may not ask guests.
    pub read_only: bool,
    /// Version of the hypervisor.
    pub hypervisor_version: Read<u64>,
    /// Name.
    pub hostname: Read<String>,
    /// Capabilities, XML.
    pub capabilities: Read<String>,
    /// Sizes.
    pub node: Read<NodeInfo>,
    /// Free memory, in bytes.
    pub free_memory: Read<u64>,
    /// Maker and model, XML.
    pub system: Read<String>,
}

/// What domains stand on.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Virtual networks.
    pub networks: Read<Vec<NamedReading>>,
    /// Storage pools with their volumes.
    pub pools: Read<Vec<PoolReading>>,
    /// Network filters.
    pub filters: Read<Vec<NamedReading>>,
    /// Network filters at work.
    pub bindings: Read<Vec<(Binding, Read<String>)>>,
    /// Mediated devices of the host, XML.
    pub mediated_devices: Read<Vec<Read<String>>>,
    /// Beyond the limit on objects.
    pub left_out: LeftOut,
}

/// Objects beyond the limit on objects of one kind, of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Virtual networks.
    pub networks: u64,
    /// Storage pools.
    pub pools: u64,
    /// Volumes.
    pub volumes: u64,
    /// Network filters.
    pub filters: u64,
    /// Network filters at work.
    pub bindings: u64,
    /// Mediated devices.
    pub devices: u64,
}

/// Something with a name, a UUID and XML.
#[derive(Clone, Debug)]
pub struct NamedReading {
    /// Name and UUID.
    pub named: Named,
    /// It is started, as far as that is known.
    pub active: Read<bool>,
    /// Its XML.
    pub xml: Read<String>,
}

/// A volume with its XML.
pub type VolumeReading = (VolumeName, Read<String>);

/// A storage pool.
#[derive(Clone, Debug)]
pub struct PoolReading {
    /// The pool.
    pub pool: NamedReading,
    /// Its volumes with their XML; nothing where the pool is not started.
    pub volumes: Option<Read<Vec<VolumeReading>>>,
}

/// One domain.
#[derive(Clone, Debug)]
pub struct DomainReading {
    /// Name, UUID and number.
    pub domain: Domain,
    /// As it runs; nothing where it is off.
    pub live: Option<Read<String>>,
    /// As it is at its next start; nothing where there is no such thing.
    pub stored: Option<Read<String>>,
    /// State and reason.
    pub state: Read<(i32, i32)>,
    /// Is kept when it ends.
    pub persistent: Read<bool>,
    /// Starts with the host.
    pub autostart: Read<bool>,
    /// Its memory is saved on disk.
    pub saved: Read<bool>,
    /// VM snapshots, XML.
    pub snapshots: Read<Vec<Read<String>>>,
    /// Checkpoints, XML.
    pub checkpoints: Read<Vec<Read<String>>>,
    /// Sizes of images, by device in the guest.
    pub sizes: BTreeMap<String, Read<BlockInfo>>,
    /// Addresses that virtual networks leased to it; nothing where it is off.
    pub leases: Option<Read<Vec<GuestAdapter>>>,
    /// Addresses that its agent tells; nothing where none is connected.
    pub agent_addresses: Option<Read<Vec<GuestAdapter>>>,
    /// What its agent tells; nothing where none is connected.
    pub agent_facts: Option<Read<Vec<(String, Parameter)>>>,
}

impl DomainReading {
    /// True if it was deleted while it was read.
    pub fn is_gone(&self) -> bool {
        let gone = |xml: &Option<Read<String>>| match xml {
            Some(Err(failure)) => failure.is_gone(),
            Some(Ok(_)) => false,
            None => true,
        };
        gone(&self.live) && gone(&self.stored) && (self.live.is_some() || self.stored.is_some())
    }

    /// True unless its state and its XML are of different moments: one of something that runs, the
    /// other of something that does not.
    pub fn is_consistent(&self) -> bool {
        let Ok((state, _)) = self.state else { return true };
        let is_active = match (&self.live, &self.stored) {
            (Some(Ok(xml)), _) => match Element::parse(xml) {
                Ok(domain) => domain.attribute("id").is_some(),
                Err(_) => return true,
            },
            (None, Some(Ok(_))) => false,
            // Without XML there is nothing to agree with.
            _ => return true,
        };
        match state {
            1..=4 | 7 => is_active,
            5 => !is_active,
            // Crashed, and kept or not; no state at all.
            _ => true,
        }
    }

    /// Its XML: as it runs, else as it would.
    pub fn xml(&self) -> Option<&str> {
        [&self.live, &self.stored].into_iter().flatten().find_map(|it| it.as_deref().ok())
    }
}

/// Name of the channel over which an agent is reached.
pub const AGENT_CHANNEL: &str = "org.qemu.guest_agent.0";

/// State of the channel to the agent, if there is one; empty while the domain is off.
pub fn agent_state(domain: &Element) -> Option<&str> {
    let mut channels = domain.at("devices")?.all("channel").filter_map(|it| it.at("target"));
    let target = channels.find(|it| it.attribute("name") == Some(AGENT_CHANNEL))?;
    Some(target.attribute("state").unwrap_or_default())
}

/// A document, once it is asked what it holds.
pub fn parsed(xml: &Read<String>) -> Read<Element> {
    xml.as_ref().map_err(Clone::clone).and_then(|it| Element::parse(it))
}
