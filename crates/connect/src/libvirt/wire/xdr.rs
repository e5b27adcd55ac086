//! XDR (RFC 4506), as far as libvirt uses it: big-endian words, everything padded to four bytes.
//!
//! Lengths are read from the wire, so each has a limit, and none is believed before the bytes are there.

use entente_model::Uuid;

/// Longest text, as the protocol itself limits it.
pub const TEXT_BYTES_MAX: usize = 4 << 20;

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XdrError {
    /// They end too early.
    #[error("it ends too early")]
    Short,
    /// A text or list is longer than the protocol allows.
    #[error("it tells of {told} {what}, more than the {limit} that the protocol allows")]
    TooLong {
        /// Of what.
        what: &'static str,
        /// How many it tells of.
        told: u64,
        /// How many there may be.
        limit: u64,
    },
    /// A text is not UTF-8.
    #[error("a text in it is not UTF-8")]
    NotText,
    /// A word has a value that it cannot have.
    #[error("{what} cannot be {value}")]
    Value {
        /// Which word.
        what: &'static str,
        /// Its value.
        value: u32,
    },
}

/// Writes values.
#[derive(Debug, Default)]
pub struct Encoder(Vec<u8>);

impl Encoder {
    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// An unsigned word.
    pub fn unsigned(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    /// A signed word.
    pub fn signed(&mut self, value: i32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    /// Bytes of a length that both sides know.
    pub fn fixed(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        while !self.0.len().is_multiple_of(4) {
            self.0.push(0);
        }
    }

    /// Bytes with their length.
    pub fn opaque(&mut self, bytes: &[u8]) {
        self.unsigned(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.fixed(bytes);
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.opaque(text.as_bytes());
    }

    /// A text that may not be there.
    pub fn optional_text(&mut self, text: Option<&str>) {
        self.unsigned(text.is_some().into());
        if let Some(text) = text {
            self.text(text);
        }
    }
}

/// Reads values.
#[derive(Clone, Copy, Debug)]
pub struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    /// Of these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], XdrError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(XdrError::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn word(&mut self) -> Result<[u8; 4], XdrError> {
        let (word, rest) = self.0.split_first_chunk().ok_or(XdrError::Short)?;
        self.0 = rest;
        Ok(*word)
    }

    /// An unsigned word.
    pub fn unsigned(&mut self) -> Result<u32, XdrError> {
        self.word().map(u32::from_be_bytes)
    }

    /// A signed word.
    pub fn signed(&mut self) -> Result<i32, XdrError> {
        self.word().map(i32::from_be_bytes)
    }

    /// An unsigned double word.
    pub fn hyper(&mut self) -> Result<u64, XdrError> {
        let high = u64::from(self.unsigned()?);
        Ok(high << 32 | u64::from(self.unsigned()?))
    }

    /// A truth value.
    pub fn truth(&mut self) -> Result<bool, XdrError> {
        match self.unsigned()? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(XdrError::Value { what: "a truth value", value }),
        }
    }

    /// A length of something.
    pub fn length(&mut self, what: &'static str, limit: usize) -> Result<usize, XdrError> {
        let told = self.unsigned()?;
        let length = usize::try_from(told).unwrap_or(usize::MAX);
        if length > limit {
            return Err(XdrError::TooLong { what, told: told.into(), limit: limit as u64 });
        }
        Ok(length)
    }

    /// Bytes of a length that both sides know.
    pub fn fixed(&mut self, length: usize) -> Result<&'a [u8], XdrError> {
        let bytes = self.take(length)?;
        self.take(length.next_multiple_of(4) - length)?;
        Ok(bytes)
    }

    /// Bytes with their length.
    pub fn opaque(&mut self, limit: usize) -> Result<&'a [u8], XdrError> {
        let length = self.length("bytes", limit)?;
        self.fixed(length)
    }

    /// A text.
    pub fn text(&mut self) -> Result<String, XdrError> {
        let bytes = self.opaque(TEXT_BYTES_MAX)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| XdrError::NotText)
    }

    /// A text that may not be there.
    pub fn optional_text(&mut self) -> Result<Option<String>, XdrError> {
        Ok(if self.truth()? { Some(self.text()?) } else { None })
    }

    /// A UUID.
    pub fn uuid(&mut self) -> Result<Uuid, XdrError> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(XdrError::Short)?;
        self.0 = rest;
        Ok(Uuid::from_bytes(*bytes))
    }

    /// A list.
    pub fn list<T>(
        &mut self,
        what: &'static str,
        limit: usize,
        mut item: impl FnMut(&mut Self) -> Result<T, XdrError>,
    ) -> Result<Vec<T>, XdrError> {
        let length = self.length(what, limit)?;
        // Every item has a word at least: a length beyond that is a lie, and nothing is reserved for it.
        if length > self.0.len() / 4 {
            return Err(XdrError::Short);
        }
        let mut items = Vec::with_capacity(length.min(1024));
        for _ in 0..length {
            items.push(item(self)?);
        }
        Ok(items)
    }
}
