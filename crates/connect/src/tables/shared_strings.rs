//! The shared strings of a workbook, in one block of memory.

use std::io::Read;

use super::TableError;
use super::limits::Limits;
use super::markup::{Scanner, Token, unescape_into};

/// All shared strings: one text and where each string ends.
#[derive(Debug, Default)]
pub struct SharedStrings {
    text: String,
    ends: Vec<u32>,
    /// Indexes of blank strings, sorted: at most a few.
    blank: Vec<u32>,
}

impl SharedStrings {
    /// Reads `xl/sharedStrings.xml`. Rich text is joined; phonetic hints are left out.
    pub fn read(input: impl Read, limits: &Limits) -> Result<Self, TableError> {
        let mut scanner = Scanner::new(input, limits.row_bytes_max);
        let mut strings = Self::default();
        let mut in_text = false;
        let mut in_phonetic = false;
        loop {
            match scanner.next()? {
                Token::Eof => break,
                Token::Start(empty) => match scanner.name() {
                    b"t" => in_text = !empty && !in_phonetic,
                    b"rPh" => in_phonetic = !empty,
                    b"si" if empty => strings.end(),
                    _ => {}
                },
                Token::Text if in_text => unescape_into(scanner.bytes(), &mut strings.text),
                Token::RawText if in_text => {
                    strings.text.push_str(&String::from_utf8_lossy(scanner.bytes()));
                }
                Token::Text | Token::RawText => {}
                Token::End => match scanner.name() {
                    b"t" => in_text = false,
                    b"rPh" => in_phonetic = false,
                    b"si" => strings.end(),
                    _ => {}
                },
            }
            if strings.text.len() > limits.shared_strings_bytes_max {
                return Err(TableError::Limit("more than 3 GiB of shared strings".into()));
            }
        }
        strings.blank = (0..u32::try_from(strings.ends.len()).unwrap_or(u32::MAX))
            .filter(|index| strings.get(*index).is_some_and(|text| text.trim_ascii().is_empty()))
            .collect();
        strings.text.shrink_to_fit();
        strings.ends.shrink_to_fit();
        Ok(strings)
    }

    /// The text limit is below 4 GiB, so that an end always fits.
    fn end(&mut self) {
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    /// True for a string that is empty or only white space.
    pub fn is_blank(&self, index: u32) -> bool {
        self.blank.binary_search(&index).is_ok()
    }

    /// The string of this index.
    pub fn get(&self, index: u32) -> Option<&str> {
        let index = index as usize;
        let end = *self.ends.get(index)? as usize;
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.text.get(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_rich_phonetic_and_empty_strings() {
        let xml = "<sst><si><t>a &amp; b</t></si><si><r><t>one </t></r><r><t>two</t></r></si>\
                   <si/><si><t/></si><si><t>漢</t><rPh><t>kan</t></rPh></si></sst>";
        let strings = SharedStrings::read(xml.as_bytes(), &Limits::default()).unwrap();
        let all: Vec<_> = (0..6).map(|index| strings.get(index)).collect();
        assert_eq!(all, [Some("a & b"), Some("one two"), Some(""), Some(""), Some("漢"), None]);
    }
}
