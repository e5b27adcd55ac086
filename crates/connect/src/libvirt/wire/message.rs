//! Messages: a length, a header of six words, a body.

use bytes::{Buf, BytesMut};

use super::xdr::{Decoder, Encoder, XdrError};

/// Largest message, its length word included, as the protocol itself limits it.
pub const MESSAGE_BYTES_MAX: usize = (32 << 20) + 4;
/// Words of length and header.
const HEADER_BYTES: usize = 7 * 4;

/// The program of libvirt's own calls.
pub const REMOTE: u32 = 0x2000_8086;
/// The program that asks whether the other side is still there.
pub const KEEP_ALIVE: u32 = 0x6b65_6570;
/// Version of both.
const VERSION: u32 = 1;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request.
    Call,
    /// The answer to one.
    Reply,
    /// Something that nobody asked for: an event, a sign of life.
    Message,
    /// Part of a stream: never asked for here.
    Other,
}

/// How it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The body is what the procedure gives.
    Fine,
    /// The body is an error.
    Error,
    /// More of a stream: never asked for here.
    Other,
}

/// The words before a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whose procedures.
    pub program: u32,
    /// Which procedure.
    pub procedure: u32,
    /// What it is.
    pub kind: Kind,
    /// Number of the request.
    pub serial: u32,
    /// How it is meant.
    pub status: Status,
}

/// A message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The words before its body.
    pub header: Header,
    /// Its body.
    pub body: Vec<u8>,
}

impl Message {
    /// As bytes for the wire.
    pub fn encode(program: u32, procedure: u32, kind: Kind, serial: u32, body: &[u8]) -> Vec<u8> {
        let mut encoder = Encoder::default();
        let length = HEADER_BYTES + body.len();
        encoder.unsigned(u32::try_from(length).unwrap_or(u32::MAX));
        encoder.unsigned(program);
        encoder.unsigned(VERSION);
        encoder.unsigned(procedure);
        encoder.unsigned(match kind {
            Kind::Call => 0,
            Kind::Reply => 1,
            Kind::Message => 2,
            Kind::Other => 3,
        });
        encoder.unsigned(serial);
        encoder.unsigned(0);
        let mut bytes = encoder.into_bytes();
        bytes.extend_from_slice(body);
        bytes
    }

    /// Takes the next message from what came so far; nothing while it is not whole.
    pub fn take(buffer: &mut BytesMut, bytes_max: usize) -> Result<Option<Self>, XdrError> {
        let Some(word) = buffer.first_chunk::<4>() else { return Ok(None) };
        let told = u32::from_be_bytes(*word);
        let length = usize::try_from(told).unwrap_or(usize::MAX);
        if length > bytes_max.min(MESSAGE_BYTES_MAX) {
            let limit = bytes_max.min(MESSAGE_BYTES_MAX) as u64;
            return Err(XdrError::TooLong { what: "bytes", told: told.into(), limit });
        }
        if length < HEADER_BYTES {
            return Err(XdrError::Value { what: "the length of a message", value: told });
        }
        if buffer.len() < length {
            buffer.reserve(length - buffer.len());
            return Ok(None);
        }
        let mut message = buffer.split_to(length);
        message.advance(4);
        let header = Header::decode(&mut Decoder::new(&message))?;
        message.advance(HEADER_BYTES - 4);
        Ok(Some(Self { header, body: message.to_vec() }))
    }
}

impl Header {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, XdrError> {
        let program = decoder.unsigned()?;
        let version = decoder.unsigned()?;
        if version != VERSION {
            return Err(XdrError::Value { what: "the protocol's version", value: version });
        }
        let procedure = decoder.unsigned()?;
        let kind = match decoder.unsigned()? {
            0 => Kind::Call,
            1 => Kind::Reply,
            2 => Kind::Message,
            3..=5 => Kind::Other,
            value => return Err(XdrError::Value { what: "the kind of a message", value }),
        };
        let serial = decoder.unsigned()?;
        let status = match decoder.unsigned()? {
            0 => Status::Fine,
            1 => Status::Error,
            2 => Status::Other,
            value => return Err(XdrError::Value { what: "the status of a message", value }),
        };
        Ok(Self { program, procedure, kind, serial, status })
    }
}
