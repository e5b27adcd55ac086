//! YAML with positions: what people write in a file of checks, as a tree in which every value
//! knows where it stands, so that every mistake can be pointed at in one go.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// A place in a file: line and column in characters, from 1, and how many characters it concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub line: u32,
    pub column: u32,
    pub length: u32,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub kind: Kind,
    pub span: Span,
    /// Where its text begins, in bytes of the file.
    offset: usize,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Null,
    /// Text, and numbers and booleans as text.
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// Why a file is not YAML.
#[derive(Debug)]
pub(super) struct Broken {
    pub span: Span,
    pub message: String,
}

/// Reads a file. YAML that does not parse stops at its first mistake; there is no telling what
/// comes after.
pub(super) fn parse(text: &str) -> Result<Node, Broken> {
    serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
        let mut message = error.to_string();
        // The place is told separately.
        if let Some(at) = message.rfind(" at line ") {
            message.truncate(at);
        }
        Broken { span: Span { line: narrow(line), column: narrow(column), length: 1 }, message }
    })
}

impl Node {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            Kind::Null | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// What to call its kind in a message.
    pub fn noun(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Text(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// Where the character at `index` of this text stands in the `file` it was read from. YAML
    /// folds lines and resolves escapes, so the text is followed through the file step by step.
    pub fn place(&self, file: &str, index: usize) -> (u32, u32) {
        let text = self.text().unwrap_or("");
        let mut at = Cursor::new(file, self.offset, self.span);
        at.skip_quote(text);
        let leading = text.chars().take_while(|c| c.is_whitespace()).count();
        for c in text.chars().skip(leading).take(index.saturating_sub(leading)) {
            at.pass(c);
        }
        if let Some(next) = text.chars().nth(index) {
            at.seek(next);
        }
        (at.line, at.column)
    }
}

/// Walks through a file, counting lines and columns.
struct Cursor<'f> {
    rest: std::str::Chars<'f>,
    line: u32,
    column: u32,
}

impl<'f> Cursor<'f> {
    fn new(file: &'f str, offset: usize, span: Span) -> Self {
        let rest = file.get(offset..).unwrap_or("").chars();
        Self { rest, line: span.line, column: span.column }
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn step(&mut self) {
        match self.rest.next() {
            Some('\n') => {
                self.line += 1;
                self.column = 1;
            }
            Some(_) => self.column += 1,
            None => {}
        }
    }

    /// Passes the opening quote of a quoted text.
    fn skip_quote(&mut self, text: &str) {
        if let Some(quote @ ('"' | '\'')) = self.peek() {
            // A plain or block text may itself begin with a quote; then nothing was dropped.
            let second = self.rest.clone().nth(1);
            let first = text.chars().next();
            if first != Some(quote) || second == first || second == Some('\\') {
                self.step();
            }
        }
    }

    /// Goes to where the file writes `c`: past indentation, folded line ends and escapes.
    fn seek(&mut self, c: char) {
        while let Some(next) = self.peek() {
            let is_gap = next.is_whitespace() || next == '\\';
            if next == c || !is_gap || c.is_whitespace() && next.is_whitespace() {
                break;
            }
            self.step();
        }
    }

    /// Goes past where the file writes `c`.
    fn pass(&mut self, c: char) {
        self.seek(c);
        match self.peek() {
            // A line end that YAML added or a fold that it made: nothing of its own in the file.
            Some(next) if c.is_whitespace() && !next.is_whitespace() => {}
            // `''` in single quotes is one quote.
            Some('\'') if self.rest.clone().nth(1) == Some('\'') => {
                self.step();
                self.step();
            }
            _ => self.step(),
        }
    }
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        let at = spanned.defined;
        let offset = at.span().byte_offset().and_then(|it| usize::try_from(it).ok());
        let length = match &spanned.value {
            Kind::Text(text) => text.lines().next().map_or(1, |line| line.chars().count().max(1)),
            Kind::Null | Kind::List(_) | Kind::Map(_) => 1,
        };
        Ok(Self {
            kind: spanned.value,
            span: Span {
                line: narrow(at.line()),
                column: narrow(at.column()),
                length: u32::try_from(length).unwrap_or(u32::MAX),
            },
            offset: offset.unwrap_or(usize::MAX),
        })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Kind, E> {
        Ok(Kind::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Kind, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Kind::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the file writes the first character of `needle`, of the first value of a map.
    fn place(yaml: &str, needle: &str) -> (u32, u32) {
        let node = parse(yaml).unwrap();
        let Kind::Map(entries) = node.kind else { panic!("not a map") };
        let value = &entries.first().unwrap().1;
        let text = value.text().unwrap();
        let index = text.split(needle).next().unwrap().chars().count();
        value.place(yaml, index)
    }

    #[test]
    fn characters_are_found_in_every_style_of_text() {
        assert_eq!(place("a: one two\n", "two"), (1, 8));
        assert_eq!(place("a: é two\n", "two"), (1, 6));
        assert_eq!(place("a: \"one two\"\n", "two"), (1, 9));
        assert_eq!(place("a: \"x == \\\"y\\\" two\"\n", "two"), (1, 16));
        assert_eq!(place("a: 'it''s two'\n", "two"), (1, 11));
        assert_eq!(place("a: |-\n  one\n    two\n", "two"), (3, 5));
        assert_eq!(place("a: |\n\n  one\n  two\n", "two"), (4, 3));
        assert_eq!(place("a: >-\n  one\n  two three\n  four\n", "three"), (3, 7));
        assert_eq!(place("a: >-\n  one\n  two\n", "two"), (3, 3));
        assert_eq!(place("a: one\n  two\n", "two"), (2, 3));
        assert_eq!(place("a: |-\n  \"on\" == two\n", "two"), (2, 11));
    }

    #[test]
    fn broken_yaml_tells_where() {
        let broken = parse("checks:\n  - id: a\n    id: b\n").unwrap_err();
        assert_eq!((broken.span.line, broken.span.column), (3, 5));
        assert!(broken.message.contains("duplicate mapping key"), "{}", broken.message);
        assert!(!broken.message.contains("at line"), "{}", broken.message);
    }
}
