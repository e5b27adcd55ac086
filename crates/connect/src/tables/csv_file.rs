//! CSV files: encoding, separator and ragged rows.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::archive::Archive;
use super::cell::{RawCell, Row, RowBuffer};
use super::limits::Limits;
use super::{Note, Sink, TableError};

/// Separators that regional settings write.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// Notes on ragged rows that are kept one by one.
const RAGGED_NOTES_MAX: usize = 1_000;

/// One CSV file, whole in memory.
#[derive(Debug)]
pub(super) struct CsvFile {
    bytes: Vec<u8>,
    limits: Limits,
}

impl CsvFile {
    pub(super) fn from_path(path: &Path, limits: Limits) -> Result<Self, TableError> {
        let file = File::open(path).map_err(|error| TableError::from_open(&error))?;
        Self::from_reader(file, limits)
    }

    pub(super) fn from_archive(archive: &Archive, entry: usize) -> Result<Self, TableError> {
        archive.with_entry(entry, |input| Self::from_reader(input, archive.limits))
    }

    fn from_reader(input: impl Read, limits: Limits) -> Result<Self, TableError> {
        let mut bytes = Vec::new();
        input
            .take(limits.csv_bytes_max + 1)
            .read_to_end(&mut bytes)
            .map_err(TableError::from_read)?;
        if bytes.len() as u64 > limits.csv_bytes_max {
            return Err(TableError::Limit(format!(
                "a CSV file of more than {} MiB",
                limits.csv_bytes_max >> 20
            )));
        }
        Ok(Self { bytes, limits })
    }

    pub(super) fn read(&self, sink: Sink<'_>) -> Result<Vec<Note>, TableError> {
        let mut notes = Vec::new();
        let text = decode(&self.bytes, &mut notes);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator(&text))
            .from_reader(text.as_bytes());
        let mut record = csv::StringRecord::new();
        let mut row = RowBuffer::default();
        let mut expected = None;
        while row.number < self.limits.rows_max {
            match reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => return Ok(notes),
                Err(error) => {
                    notes.push(Note::CutAfter { row: row.number, reason: error.to_string() });
                    return Ok(notes);
                }
            }
            row.number += 1;
            fill(&mut row, &record, self.limits.columns_max);
            if row.cells.is_empty() {
                continue;
            }
            let fields = *expected.get_or_insert(record.len());
            // Exports before 3.4 end every row with a separator.
            let ragged = record.len() < fields || row.cells.len() > fields;
            if ragged && notes.len() < RAGGED_NOTES_MAX {
                notes.push(Note::Ragged {
                    row: row.number,
                    fields: record.len(),
                    expected: fields,
                });
            }
            if sink(&Row::new(&row, None)).is_break() {
                return Ok(notes);
            }
        }
        notes.push(Note::LimitAfter {
            row: row.number,
            reason: format!("{} rows", self.limits.rows_max),
        });
        Ok(notes)
    }
}

fn fill(row: &mut RowBuffer, record: &csv::StringRecord, columns_max: usize) {
    row.clear();
    for (column, field) in record.iter().take(columns_max).enumerate() {
        if !field.trim().is_empty() {
            let range = row.push_text(field);
            row.put(column, RawCell::Text(range));
        }
    }
}

fn decode<'a>(bytes: &'a [u8], notes: &mut Vec<Note>) -> Cow<'a, str> {
    let encoding = if bytes.starts_with(b"\xFF\xFE") {
        UTF_16LE
    } else if bytes.starts_with(b"\xFE\xFF") {
        UTF_16BE
    } else if std::str::from_utf8(bytes).is_ok() {
        UTF_8
    } else {
        notes.push(Note::Encoding("Windows-1252"));
        WINDOWS_1252
    };
    encoding.decode_with_bom_removal(bytes).0
}

/// The separator that occurs most often, outside quotes, in the first line.
fn separator(text: &str) -> u8 {
    let mut counts = [0_usize; SEPARATORS.len()];
    let mut quoted = false;
    for byte in text.lines().next().unwrap_or_default().bytes() {
        quoted ^= byte == b'"';
        if quoted {
            continue;
        }
        for (count, separator) in counts.iter_mut().zip(SEPARATORS) {
            *count += usize::from(byte == separator);
        }
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    SEPARATORS
        .into_iter()
        .zip(counts)
        .find(|(_, count)| *count == most)
        .map_or(b',', |(separator, _)| separator)
}

#[cfg(test)]
mod tests {
    use super::super::Cell;
    use super::*;
    use std::ops::ControlFlow;

    fn read(bytes: &[u8]) -> (Vec<String>, Vec<Note>) {
        let file = CsvFile::from_reader(bytes, Limits::default()).unwrap();
        let mut rows = Vec::new();
        let notes = file
            .read(&mut |row| {
                let cells: Vec<_> = (0..row.len())
                    .map(|column| match row.cell(column) {
                        Cell::Text(text) => text.to_owned(),
                        Cell::Empty => "-".into(),
                        other => format!("{other:?}"),
                    })
                    .collect();
                rows.push(format!("{}: {}", row.number(), cells.join("|")));
                ControlFlow::Continue(())
            })
            .unwrap();
        (rows, notes)
    }

    #[test]
    fn separators_of_regional_settings() {
        for text in
            ["VM,Memory\na,\"16,384\"\n", "VM;Memory\na;16,384\n", "VM\tMemory\na\t16,384\n"]
        {
            assert_eq!(
                read(text.as_bytes()),
                (vec!["1: VM|Memory".into(), "2: a|16,384".into()], vec![])
            );
        }
    }

    #[test]
    fn encodings() {
        assert_eq!(read("\u{feff}VM,x\nBüro,1\n".as_bytes()).0[1], "2: Büro|1");
        let utf16: Vec<u8> = b"\xFF\xFE"
            .iter()
            .copied()
            .chain("VM,x\nBüro,1\n".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        assert_eq!(read(&utf16), (vec!["1: VM|x".into(), "2: Büro|1".into()], vec![]));
        let (rows, notes) = read(b"VM,x\nB\xFCro,1\n");
        assert_eq!(rows[1], "2: Büro|1");
        assert_eq!(notes, [Note::Encoding("Windows-1252")]);
    }

    #[test]
    fn a_row_cut_in_half_is_noted_and_a_trailing_separator_is_not() {
        let (rows, notes) = read(b"VM,x,y\na,1,2\n\nb,1\n");
        assert_eq!(rows, ["1: VM|x|y", "2: a|1|2", "3: b|1"]);
        assert_eq!(notes, [Note::Ragged { row: 3, fields: 2, expected: 3 }]);
        assert_eq!(read(b"VM,x\na,1,\n").1, []);
    }
}
