//! A pull scanner for the markup inside workbooks: tags and text, over a buffer that refills.
//!
//! Not a general XML parser: it does not validate, resolve external entities or DTDs (it refuses
//! them), or keep comments. It exists because a sheet of five million cells is read at the speed of
//! the decompressor only if nothing is allocated per tag.

use std::io::Read;
use std::ops::Range;

use memchr::{memchr, memchr2, memmem};

use super::TableError;

/// What the scanner found next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// `<name …>`; with `true` for `<name …/>`. Look at it with [`Scanner::name`] and
    /// [`Scanner::attribute`].
    Start(bool),
    /// `</name>`.
    End,
    /// Character data, not yet unescaped, never empty.
    Text,
    /// Character data that must not be unescaped.
    RawText,
    /// Nothing more.
    Eof,
}

/// First size of the buffer; it grows to the longest tag or text, up to the limit.
const BUFFER_BYTES: usize = 256 << 10;

/// The scanner.
#[derive(Debug)]
pub struct Scanner<R> {
    input: R,
    buffer: Vec<u8>,
    filled: usize,
    /// Where the next token starts.
    at: usize,
    /// The current token's content: a tag without its brackets, or text.
    token: Range<usize>,
    token_bytes_max: usize,
    ended: bool,
}

impl<R: Read> Scanner<R> {
    /// Scans `input`; a tag or text longer than `token_bytes_max` is an error.
    pub fn new(input: R, token_bytes_max: usize) -> Self {
        Self {
            input,
            buffer: vec![0; BUFFER_BYTES],
            filled: 0,
            at: 0,
            token: 0..0,
            token_bytes_max,
            ended: false,
        }
    }

    /// The next token.
    pub fn next(&mut self) -> Result<Token, TableError> {
        loop {
            if self.at == self.filled && !self.refill()? {
                return Ok(Token::Eof);
            }
            if self.unread().first() != Some(&b'<') {
                let length = self.find(0, |bytes| memchr(b'<', bytes))?;
                // Text may end with the input.
                let end = length.unwrap_or(self.filled - self.at);
                self.token = self.at..self.at + end;
                self.at += end;
                return Ok(Token::Text);
            }
            if let Some(token) = self.markup()? {
                return Ok(token);
            }
        }
    }

    /// Markup that starts at `at`; `None` for what is skipped.
    fn markup(&mut self) -> Result<Option<Token>, TableError> {
        self.need(2)?;
        match self.unread().get(1) {
            Some(b'/') => {
                let close = self.required(2, |bytes| memchr(b'>', bytes))?;
                self.token = self.at + 2..self.at + close;
                self.at += close + 1;
                Ok(Some(Token::End))
            }
            Some(b'?') => self.skip_past(b"?>"),
            Some(b'!') => self.declaration(),
            _ => {
                let close = self.tag_close()?;
                let empty = self.buffer.get(self.at + close - 1) == Some(&b'/');
                self.token = self.at + 1..self.at + close - usize::from(empty);
                self.at += close + 1;
                Ok(Some(Token::Start(empty)))
            }
        }
    }

    fn declaration(&mut self) -> Result<Option<Token>, TableError> {
        self.need(9)?;
        if self.unread().starts_with(b"<!--") {
            return self.skip_past(b"-->");
        }
        if self.unread().starts_with(b"<![CDATA[") {
            let close = self.required(9, |bytes| memmem::find(bytes, b"]]>"))?;
            self.token = self.at + 9..self.at + close;
            self.at += close + 3;
            return Ok(Some(Token::RawText));
        }
        Err(TableError::Markup("a document type declaration, which no workbook needs".into()))
    }

    fn skip_past(&mut self, end: &'static [u8]) -> Result<Option<Token>, TableError> {
        let close = self.required(2, |bytes| memmem::find(bytes, end))?;
        self.at += close + end.len();
        Ok(None)
    }

    /// Offset of the `>` that ends the tag at `at`: a `>` inside a quoted value does not.
    fn tag_close(&mut self) -> Result<usize, TableError> {
        let mut from = 1;
        loop {
            let close = self.required(from, |bytes| memchr(b'>', bytes))?;
            let tag = self.unread().get(..close).unwrap_or_default();
            if quotes_are_closed(tag) {
                return Ok(close);
            }
            from = close + 1;
        }
    }

    /// [`Scanner::find`] where the end of the input in between is damage.
    fn required(
        &mut self,
        from: usize,
        find: impl Fn(&[u8]) -> Option<usize>,
    ) -> Result<usize, TableError> {
        self.find(from, find)?.ok_or(TableError::Truncated)
    }

    /// Finds something at or after offset `from` of what is unread, refilling as needed.
    fn find(
        &mut self,
        from: usize,
        find: impl Fn(&[u8]) -> Option<usize>,
    ) -> Result<Option<usize>, TableError> {
        let mut from = from;
        loop {
            let searched = self.filled - self.at;
            if let Some(found) = self.unread().get(from..).and_then(&find) {
                return Ok(Some(from + found));
            }
            // Patterns are at most three bytes long.
            from = from.max(searched.saturating_sub(2));
            if !self.refill()? {
                return Ok(None);
            }
        }
    }

    fn need(&mut self, bytes: usize) -> Result<(), TableError> {
        while self.filled - self.at < bytes {
            if !self.refill()? {
                return Err(TableError::Truncated);
            }
        }
        Ok(())
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.at..self.filled).unwrap_or_default()
    }

    /// Reads more; false at the end of the input.
    fn refill(&mut self) -> Result<bool, TableError> {
        if self.ended {
            return Ok(false);
        }
        if self.at > 0 {
            self.buffer.copy_within(self.at..self.filled, 0);
            self.filled -= self.at;
            self.at = 0;
        }
        if self.filled == self.buffer.len() {
            if self.buffer.len() >= self.token_bytes_max {
                return Err(TableError::Limit("a tag or text longer than a row may be".into()));
            }
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let space = self.buffer.get_mut(self.filled..).unwrap_or_default();
        let read = self.input.read(space).map_err(TableError::from_read)?;
        self.filled += read;
        self.ended = read == 0;
        Ok(read > 0)
    }

    /// What is unread and in the buffer, for readers that know what to expect. May be short.
    pub fn ahead(&self) -> &[u8] {
        self.unread()
    }

    /// Passes over the first `length` bytes of [`Scanner::ahead`].
    pub fn pass(&mut self, length: usize) {
        self.at = (self.at + length).min(self.filled);
    }

    /// The current token's bytes: a tag without its brackets, or text.
    pub fn bytes(&self) -> &[u8] {
        self.buffer.get(self.token.clone()).unwrap_or_default()
    }

    /// The current tag's name without its namespace prefix.
    pub fn name(&self) -> &[u8] {
        let tag = self.bytes();
        let end = tag.iter().position(|byte| is_space(*byte)).unwrap_or(tag.len());
        local_name(tag.get(..end).unwrap_or_default())
    }

    /// Value of the current tag's attribute of this local name, not unescaped.
    pub fn attribute(&self, name: &[u8]) -> Option<&[u8]> {
        Attributes::of(self.bytes())
            .find(|(key, _)| local_name(key) == name)
            .map(|(_, value)| value)
    }

    /// All attributes of the current tag.
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes::of(self.bytes())
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn local_name(name: &[u8]) -> &[u8] {
    match memchr(b':', name) {
        Some(colon) => name.get(colon + 1..).unwrap_or_default(),
        None => name,
    }
}

fn quotes_are_closed(tag: &[u8]) -> bool {
    let mut rest = tag;
    while let Some(open) = memchr2(b'"', b'\'', rest) {
        let quote = rest.get(open).copied().unwrap_or_default();
        let after = rest.get(open + 1..).unwrap_or_default();
        match memchr(quote, after) {
            Some(close) => rest = after.get(close + 1..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

/// The attributes of a tag, as `(name, value)` without quotes.
#[derive(Debug)]
pub struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    fn of(tag: &'a [u8]) -> Self {
        let name_end = tag.iter().position(|byte| is_space(*byte)).unwrap_or(tag.len());
        Self(tag.get(name_end..).unwrap_or_default())
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a [u8], &'a [u8]);

    // Attributes are a few bytes long: a loop is faster than a vector search.
    fn next(&mut self) -> Option<Self::Item> {
        let start = self.0.iter().position(|byte| !is_space(*byte))?;
        let rest = self.0.get(start..)?;
        let equals = rest.iter().position(|byte| *byte == b'=')?;
        let name = rest.get(..equals)?.trim_ascii_end();
        let open = equals + 1 + rest.get(equals + 1..)?.iter().position(|byte| !is_space(*byte))?;
        let quote = *rest.get(open)?;
        if quote != b'"' && quote != b'\'' {
            return None;
        }
        let close = open + 1 + rest.get(open + 1..)?.iter().position(|byte| *byte == quote)?;
        self.0 = rest.get(close + 1..).unwrap_or_default();
        Some((name, rest.get(open + 1..close)?))
    }
}

/// Appends character data to `out`, with entities and the `_x000D_` escapes of workbooks resolved;
/// what is not UTF-8 becomes U+FFFD.
pub fn unescape_into(raw: &[u8], out: &mut String) {
    let text = String::from_utf8_lossy(raw);
    let mut rest: &str = &text;
    while let Some(at) = memchr2(b'&', b'_', rest.as_bytes()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let (replacement, length) = match from.as_bytes().first() {
            Some(b'&') => entity(from),
            _ => hex_escape(from),
        }
        .unwrap_or_else(|| (from.chars().next().unwrap_or_default(), 1));
        out.push(replacement);
        rest = from.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// Longest entity, `&#x10FFFF;`.
const ENTITY_BYTES_MAX: usize = 10;

fn entity(from: &str) -> Option<(char, usize)> {
    let end = memchr(b';', from.as_bytes().get(..ENTITY_BYTES_MAX.min(from.len()))?)?;
    let name = from.get(1..end)?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((character, end + 1))
}

/// `_xHHHH_`, by which workbooks write characters that markup cannot hold.
fn hex_escape(from: &str) -> Option<(char, usize)> {
    let hex = from.get(..7)?.strip_prefix("_x")?.strip_suffix('_')?;
    let code = u32::from_str_radix(hex, 16).ok()?;
    Some((char::from_u32(code)?, 7))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(input: &str) -> Vec<String> {
        // A reader that gives one byte at a time finds every border between refills.
        struct Slow<'a>(&'a [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
                let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
                out[0] = *first;
                self.0 = rest;
                Ok(1)
            }
        }
        let mut scanner = Scanner::new(Slow(input.as_bytes()), 1 << 20);
        let mut seen = Vec::new();
        loop {
            let token = match scanner.next() {
                Ok(token) => token,
                Err(error) => {
                    seen.push(format!("! {error}"));
                    return seen;
                }
            };
            let text = String::from_utf8_lossy(scanner.bytes()).into_owned();
            match token {
                Token::Eof => return seen,
                Token::Start(empty) => {
                    let attributes: Vec<_> = scanner
                        .attributes()
                        .map(|(k, v)| {
                            format!("{}={}", String::from_utf8_lossy(k), String::from_utf8_lossy(v))
                        })
                        .collect();
                    seen.push(format!(
                        "<{}{} {}",
                        String::from_utf8_lossy(scanner.name()),
                        if empty { "/" } else { "" },
                        attributes.join(" ")
                    ));
                }
                Token::End => seen.push(format!("/{text}")),
                Token::Text => seen.push(text),
                Token::RawText => seen.push(format!("raw {text}")),
            }
        }
    }

    #[test]
    fn tags_text_comments_and_cdata() {
        assert_eq!(
            scan(
                "<?xml version='1.0'?><x:row r=\"1\" t = 'a>b'><!-- <c> --><c/>1 &lt; 2<![CDATA[<&]]></x:row>"
            ),
            ["<row r=1 t=a>b", "<c/ ", "1 &lt; 2", "raw <&", "/x:row"]
        );
    }

    #[test]
    fn what_ends_early_says_so_after_what_was_whole() {
        assert_eq!(scan("<a>text</a><b r=\"1"), ["<a ", "text", "/a", "! it ends early"]);
    }

    #[test]
    fn entity_declarations_are_refused() {
        let seen = scan("<!DOCTYPE a [<!ENTITY b \"cc\">]><a/>");
        assert!(seen[0].contains("document type"), "{seen:?}");
    }

    #[test]
    fn escapes_are_resolved_and_others_left_alone() {
        let check = |raw: &str, expect: &str| {
            let mut out = String::new();
            unescape_into(raw.as_bytes(), &mut out);
            assert_eq!(out, expect);
        };
        check("a &amp; b &#228; &#x4E2D; &quot;", "a & b ä 中 \"");
        check("_x000D_x_x0041_", "\rxA");
        check("R&D _x_ &unknown; &#xFFFFFFFF; &", "R&D _x_ &unknown; &#xFFFFFFFF; &");
    }
}
