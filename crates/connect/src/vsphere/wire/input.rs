//! What arrives, made fit for a parser: characters that XML 1.0 does not allow and bytes that are no
//! UTF-8 stand in annotations and guest data of real estates, and must not sink a page.

use std::io::{self, BufRead, Read};

/// Bytes that are looked at together.
const BUFFER_BYTES: usize = 64 << 10;

/// Longest beginning of a character that may wait for its rest.
const INCOMPLETE_BYTES_MAX: usize = 3;

/// Replaces what is not allowed by `?`, byte by byte, so that nothing moves.
#[derive(Debug)]
pub(in crate::vsphere) struct Clean<R> {
    inner: R,
    buffer: Vec<u8>,
    /// What was not yet consumed.
    from: usize,
    /// Up to where it was looked at.
    to: usize,
    ended: bool,
}

impl<R: Read> Clean<R> {
    /// Around this.
    pub fn new(inner: R) -> Self {
        Self { inner, buffer: Vec::with_capacity(BUFFER_BYTES), from: 0, to: 0, ended: false }
    }

    fn refill(&mut self) -> io::Result<()> {
        // What waits is the beginning of a character: a few bytes.
        self.buffer.drain(..self.to.min(self.buffer.len()));
        (self.from, self.to) = (0, 0);
        while self.to == 0 && !self.ended {
            let held = self.buffer.len();
            self.buffer.resize(BUFFER_BYTES, 0);
            let room = self.buffer.get_mut(held..).unwrap_or_default();
            let read = match self.inner.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
                other => {
                    let read = other?;
                    self.ended = read == 0;
                    read
                }
            };
            self.buffer.truncate(held + read);
            self.to = clean(&mut self.buffer, self.ended);
        }
        Ok(())
    }
}

/// Replaces what is not allowed, and gives how many bytes are final.
fn clean(bytes: &mut [u8], is_end: bool) -> usize {
    for byte in bytes.iter_mut() {
        if *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r') {
            *byte = b'?';
        }
    }
    let mut done = 0;
    loop {
        let rest = bytes.get_mut(done..).unwrap_or_default();
        let Err(error) = std::str::from_utf8(rest) else { return bytes.len() };
        let valid = error.valid_up_to();
        let Some(wrong) = error.error_len() else {
            let waiting = rest.len() - valid;
            if !is_end && waiting <= INCOMPLETE_BYTES_MAX {
                return done + valid;
            }
            rest.iter_mut().skip(valid).for_each(|it| *it = b'?');
            return bytes.len();
        };
        rest.iter_mut().skip(valid).take(wrong).for_each(|it| *it = b'?');
        done += valid + wrong;
    }
}

impl<R: Read> Read for Clean<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let read = available.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Clean<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.from == self.to {
            self.refill()?;
        }
        Ok(self.buffer.get(self.from..self.to).unwrap_or_default())
    }

    fn consume(&mut self, bytes: usize) {
        self.from = self.to.min(self.from + bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes in pieces of this size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let size = self.1.min(into.len()).min(self.0.len());
            into[..size].copy_from_slice(&self.0[..size]);
            self.0 = &self.0[size..];
            Ok(size)
        }
    }

    #[test]
    fn text_survives_any_cut_and_what_is_no_text_is_replaced() {
        let check = |bytes: &[u8], expect: &str| {
            for size in 1..=bytes.len() {
                let mut read = String::new();
                Clean::new(Pieces(bytes, size)).read_to_string(&mut read).unwrap();
                assert_eq!(read, expect, "in pieces of {size}");
            }
        };
        check("Zürich – 東京 🗻\t\r\n".as_bytes(), "Zürich – 東京 🗻\t\r\n");
        check(b"bell\x07 nul\x00 esc\x1b", "bell? nul? esc?");
        check(b"latin \xfc, cut \xe6\x9d", "latin ?, cut ??");
    }
}
