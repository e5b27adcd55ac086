//! An answer's body as a blocking reader, for parsers that stream: it arrives while it is parsed, and
//! never more than a few chunks wait in between.

use std::io::{self, BufRead, Read};

use bytes::{Buf, Bytes};
use tokio::sync::mpsc;

use super::http::CallError;

/// Chunks that may wait for the parser.
const CHUNKS_WAITING_MAX: usize = 16;

/// Reads an answer as it arrives; for `tokio::task::spawn_blocking`. What stops it early is an
/// [`io::Error`] that holds the [`CallError`].
#[derive(Debug)]
pub struct BodyReader {
    chunks: mpsc::Receiver<Result<Bytes, CallError>>,
    current: Bytes,
}

/// The other end.
pub(super) type BodySender = mpsc::Sender<Result<Bytes, CallError>>;

impl BodyReader {
    pub(super) fn pair() -> (BodySender, Self) {
        let (sender, chunks) = mpsc::channel(CHUNKS_WAITING_MAX);
        (sender, Self { chunks, current: Bytes::new() })
    }
}

/// A reader that fails, instead of ending, where there is more than the limit: what was cut off by us did
/// not end early.
#[derive(Debug)]
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
    bytes_max: u64,
}

impl<R: BufRead> Bounded<R> {
    /// At most so many bytes of this.
    pub(super) fn new(inner: R, bytes_max: u64) -> Self {
        Self { inner, left: bytes_max, bytes_max }
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let read = available.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let available = self.inner.fill_buf()?;
        let left = usize::try_from(self.left).unwrap_or(usize::MAX).min(available.len());
        if left == 0 && !available.is_empty() {
            return Err(io::Error::other(CallError::TooLarge { bytes_max: self.bytes_max }));
        }
        Ok(available.get(..left).unwrap_or_default())
    }

    fn consume(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes as u64);
        self.inner.consume(bytes);
    }
}

impl Read for BodyReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let read = available.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for BodyReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.current.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.current = chunk.map_err(io::Error::other)?,
                None => break,
            }
        }
        Ok(&self.current)
    }

    fn consume(&mut self, bytes: usize) {
        self.current.advance(bytes.min(self.current.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_larger_than_the_limit_fails_and_what_is_as_large_ends() {
        let read = |bytes_max| {
            let mut read = Vec::new();
            let outcome = Bounded::new(&b"abcdef"[..], bytes_max).read_to_end(&mut read);
            (outcome.map_err(|it| it.to_string()), read)
        };
        assert_eq!(read(6), (Ok(6), b"abcdef".to_vec()));
        let (outcome, before) = read(4);
        assert_eq!(outcome, Err(CallError::TooLarge { bytes_max: 4 }.to_string()));
        assert_eq!(before, b"abcd");
    }
}
