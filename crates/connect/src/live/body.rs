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
