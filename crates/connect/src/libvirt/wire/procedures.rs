//! The procedures that are called: number, what is sent, what comes back.

mod table;

use entente_model::Uuid;

use super::xdr::{Decoder, Encoder, XdrError};
pub use table::*;

/// A procedure with its arguments.
pub trait Procedure {
    /// Its number.
    const NUMBER: u32;
    /// What it gives.
    type Reply;

    /// Writes the arguments.
    fn encode(&self, to: &mut Encoder);

    /// Reads what it gives.
    fn decode(from: &mut Decoder<'_>) -> Result<Self::Reply, XdrError>;
}

/// Items of one list, as the protocol itself limits most of them.
const LIST_MAX: usize = 16_384;
/// Devices of a node: newer versions allow more than of anything else.
const NODE_DEVICES_MAX: usize = 65_536;
/// Addresses of one network adapter, and adapters of one guest.
const ADDRESSES_MAX: usize = 2_048;
/// Facts of one guest.
const PARAMETERS_MAX: usize = 16_384;
/// Bytes of one step of a log-in.
const LOG_IN_BYTES_MAX: usize = 65_536;
/// Ways to log in.
const LOG_INS_MAX: usize = 20;

/// A domain as calls name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Domain {
    /// Name.
    pub name: String,
    /// UUID.
    pub uuid: Uuid,
    /// Number while it runs, else -1.
    pub id: i32,
}

impl Domain {
    fn encode(&self, to: &mut Encoder) {
        to.text(&self.name);
        to.fixed(self.uuid.as_bytes());
        to.signed(self.id);
    }

    pub(super) fn decode(from: &mut Decoder<'_>) -> Result<Self, XdrError> {
        Ok(Self { name: from.text()?, uuid: from.uuid()?, id: from.signed()? })
    }
}

/// Anything else that calls name by name and UUID: a network, a pool, a filter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Name.
    pub name: String,
    /// UUID.
    pub uuid: Uuid,
}

impl Named {
    fn encode(&self, to: &mut Encoder) {
        to.text(&self.name);
        to.fixed(self.uuid.as_bytes());
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, XdrError> {
        Ok(Self { name: from.text()?, uuid: from.uuid()? })
    }
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VolumeName {
    /// Its pool.
    pub pool: String,
    /// Its name in the pool.
    pub name: String,
    /// Its key.
    pub key: String,
}

/// A VM snapshot or checkpoint of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfDomain {
    /// Its name.
    pub name: String,
    /// The domain.
    pub domain: Domain,
}

impl OfDomain {
    fn decode(from: &mut Decoder<'_>) -> Result<Self, XdrError> {
        Ok(Self { name: from.text()?, domain: Domain::decode(from)? })
    }
}

/// A filter at work on an adapter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Binding {
    /// The adapter on the host.
    pub port: String,
    /// The filter.
    pub filter: String,
}

/// What the host is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInfo {
    /// Kind of processor: `x86_64`.
    pub model: String,
    /// Memory, in KiB.
    pub memory_kib: u64,
    /// Processors in use.
    pub processors: i32,
    /// Clock, in MHz.
    pub mhz: i32,
    /// NUMA nodes.
    pub nodes: i32,
    /// Sockets per node.
    pub sockets: i32,
    /// Cores per socket.
    pub cores: i32,
}

/// Size of the image behind a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockInfo {
    /// As the guest sees it.
    pub capacity_bytes: u64,
    /// Space that is taken.
    pub allocation_bytes: u64,
}

/// An adapter in the guest with its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestAdapter {
    /// Hardware address.
    pub mac: Option<String>,
    /// Addresses.
    pub addresses: Vec<String>,
}

/// A value of many possible types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// A number that is not negative.
    Number(u64),
    /// A text.
    Text(String),
    /// Something that nobody here needs.
    Other,
}

/// One answer in a log-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogInStep {
    /// It is done.
    pub complete: bool,
    /// What the server says.
    pub data: Vec<u8>,
}

/// A list with its count behind it, which must agree: what is missing from a list is told nowhere else.
fn listed<'a, T>(
    from: &mut Decoder<'a>,
    what: &'static str,
    limit: usize,
    item: impl FnMut(&mut Decoder<'a>) -> Result<T, XdrError>,
) -> Result<Vec<T>, XdrError> {
    let items = from.list(what, limit, item)?;
    let value = from.unsigned()?;
    if usize::try_from(value) == Ok(items.len()) {
        Ok(items)
    } else {
        Err(XdrError::Value { what: "the count of a list", value })
    }
}

fn log_in_data(data: &[u8], to: &mut Encoder) {
    // Even no data at all is told apart from empty data; only the latter occurs here.
    to.signed(0);
    to.unsigned(u32::try_from(data.len()).unwrap_or(u32::MAX));
    for byte in data {
        // A list of characters: each has a word of its own.
        to.signed(i32::from(i8::from_be_bytes([*byte])));
    }
}

fn log_in_step(from: &mut Decoder<'_>) -> Result<LogInStep, XdrError> {
    let complete = from.signed()? != 0;
    let _nothing = from.signed()?;
    let data = from.list("bytes", LOG_IN_BYTES_MAX, character)?;
    Ok(LogInStep { complete, data })
}

/// A character in a word of its own.
fn character(from: &mut Decoder<'_>) -> Result<u8, XdrError> {
    let [.., byte] = from.signed()?.to_be_bytes();
    Ok(byte)
}

fn node_info(from: &mut Decoder<'_>) -> Result<NodeInfo, XdrError> {
    let mut model = Vec::new();
    for _ in 0..32 {
        model.push(character(from)?);
    }
    let end = model.iter().position(|byte| *byte == 0).unwrap_or(model.len());
    model.truncate(end);
    let info = NodeInfo {
        model: String::from_utf8(model).map_err(|_| XdrError::NotText)?,
        memory_kib: from.hyper()?,
        processors: from.signed()?,
        mhz: from.signed()?,
        nodes: from.signed()?,
        sockets: from.signed()?,
        cores: from.signed()?,
    };
    let _threads = from.signed()?;
    Ok(info)
}

fn block_info(from: &mut Decoder<'_>) -> Result<BlockInfo, XdrError> {
    let allocation_bytes = from.hyper()?;
    let capacity_bytes = from.hyper()?;
    let _physical = from.hyper()?;
    Ok(BlockInfo { capacity_bytes, allocation_bytes })
}

fn guest_adapter(from: &mut Decoder<'_>) -> Result<GuestAdapter, XdrError> {
    let _name = from.text()?;
    let mac = from.optional_text()?;
    let addresses = from.list("addresses", ADDRESSES_MAX, |from| {
        let _family = from.signed()?;
        let address = from.text()?;
        let _prefix = from.unsigned()?;
        Ok(address)
    })?;
    Ok(GuestAdapter { mac, addresses })
}

fn parameter(from: &mut Decoder<'_>) -> Result<(String, Parameter), XdrError> {
    let name = from.text()?;
    let value = match from.unsigned()? {
        // int, unsigned, boolean
        1 | 6 => {
            from.signed().map(|it| u64::try_from(it).map_or(Parameter::Other, Parameter::Number))
        }
        2 => from.unsigned().map(|it| Parameter::Number(it.into())),
        // long, double: no fact that is read here is one
        3 | 5 => from.hyper().map(|_| Parameter::Other),
        4 => from.hyper().map(Parameter::Number),
        7 => from.text().map(Parameter::Text),
        value => Err(XdrError::Value { what: "the type of a fact", value }),
    }?;
    Ok((name, value))
}

fn volume_name(from: &mut Decoder<'_>) -> Result<VolumeName, XdrError> {
    Ok(VolumeName { pool: from.text()?, name: from.text()?, key: from.text()? })
}

fn binding(from: &mut Decoder<'_>) -> Result<Binding, XdrError> {
    Ok(Binding { port: from.text()?, filter: from.text()? })
}

/// Kinds of events of domains, and the numbers of the messages that tell of them: life, block jobs,
/// media, trays, devices removed, tunings, agents, devices added, title and metadata.
pub const DOMAIN_EVENTS: [(i32, u32); 9] = [
    (LIFECYCLE, 318),
    (8, 326),
    (9, 327),
    (10, 328),
    (15, 333),
    (17, 346),
    (18, 348),
    (19, 354),
    (23, 379),
];

/// The kind of event without which nothing can be followed.
pub const LIFECYCLE: i32 = 0;

/// The domain to which something happened, from the body of any of those messages: all begin alike.
pub fn event_of(body: &[u8]) -> Result<Domain, XdrError> {
    let mut from = Decoder::new(body);
    let _callback = from.signed()?;
    Domain::decode(&mut from)
}
