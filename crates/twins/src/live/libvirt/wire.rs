//! Messages of the remote protocol, from the server's side.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The program of libvirt's own calls.
const REMOTE: u32 = 0x2000_8086;
/// Largest call that is read: calls are small.
const CALL_BYTES_MAX: u32 = 4 << 20;
/// Words of a header with its length.
const HEADER_BYTES: u32 = 28;

/// A call as it came.
#[derive(Debug)]
pub struct Call {
    program: u32,
    /// Which procedure.
    pub procedure: u32,
    serial: u32,
    body: Vec<u8>,
}

impl Call {
    /// The next call; nothing when the client is gone.
    pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let length = match stream.read_u32().await {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        };
        if !(HEADER_BYTES..=CALL_BYTES_MAX).contains(&length) {
            return Err(io::Error::other("no call has this length"));
        }
        let program = stream.read_u32().await?;
        let _version = stream.read_u32().await?;
        let procedure = stream.read_u32().await?;
        let _kind = stream.read_u32().await?;
        let serial = stream.read_u32().await?;
        let _status = stream.read_u32().await?;
        let size = usize::try_from(length - HEADER_BYTES).map_err(io::Error::other)?;
        let mut body = vec![0; size];
        stream.read_exact(&mut body).await?;
        Ok(Some(Self { program, procedure, serial, body }))
    }

    /// What is asked before, during and just after logging in, and when leaving.
    pub fn is_log_in(&self) -> bool {
        matches!(self.procedure, 66..=70 | 1..=3 | 60 | 157)
    }

    /// Its arguments.
    pub fn arguments(&self) -> Reader<'_> {
        Reader(&self.body)
    }

    /// Its answer.
    pub fn reply(&self, body: Writer) -> Vec<u8> {
        self.message(0, &body.0)
    }

    /// Its refusal.
    pub fn error(&self, code: i32, message: &str) -> Vec<u8> {
        let mut body = Writer::default();
        body.signed(code);
        // Domain of the error: the driver of QEMU.
        body.unsigned(10);
        body.unsigned(1);
        body.text(message);
        // Level; no domain; no further texts; numbers; no network.
        for word in [2, 0, 0, 0, 0, 0, 0, 0] {
            body.unsigned(word);
        }
        self.message(1, &body.0)
    }

    fn message(&self, status: u32, body: &[u8]) -> Vec<u8> {
        let mut writer = Writer::default();
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX - HEADER_BYTES) + HEADER_BYTES;
        for word in [length, self.program, 1, self.procedure, 1, self.serial, status] {
            writer.unsigned(word);
        }
        writer.0.extend_from_slice(body);
        debug_assert!(self.program == REMOTE || self.procedure < 3, "a program of libvirt's own");
        writer.0
    }
}

/// Reads arguments; nothing where they are cut off.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    /// An unsigned word.
    pub fn unsigned(&mut self) -> Option<u32> {
        let (word, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*word))
    }

    /// A signed word.
    pub fn signed(&mut self) -> Option<i32> {
        let (word, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(i32::from_be_bytes(*word))
    }

    /// A text.
    pub fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.unsigned()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        let (_, rest) = rest.split_at_checked(length.next_multiple_of(4) - length)?;
        self.0 = rest;
        String::from_utf8(bytes.to_vec()).ok()
    }

    /// A UUID.
    pub fn uuid(&mut self) -> Option<[u8; 16]> {
        let (uuid, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*uuid)
    }

    /// Past a domain: name, UUID, number.
    pub fn domain(&mut self) -> Option<()> {
        self.text()?;
        self.uuid()?;
        self.signed().map(drop)
    }

    /// A list of characters, each in a word of its own.
    pub fn characters(&mut self) -> Option<Vec<u8>> {
        let length = self.unsigned()?;
        let byte = |it: u32| it.to_be_bytes().last().copied();
        (0..length).map(|_| self.unsigned().and_then(byte)).collect()
    }
}

/// Writes an answer.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// An unsigned word.
    pub fn unsigned(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    /// A signed word.
    pub fn signed(&mut self, value: i32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    /// A double word.
    pub fn hyper(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    /// Bytes of a length that both sides know.
    pub fn fixed(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        while !self.0.len().is_multiple_of(4) {
            self.0.push(0);
        }
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.unsigned(u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.fixed(text.as_bytes());
    }
}
