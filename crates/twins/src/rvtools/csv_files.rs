//! The CSV form: `RVTools_tab<Tab>.csv`, one per tab, in a folder or a zip file.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use time::PrimitiveDateTime;

use super::cell::Cell;
use super::spec::{Booleans, Dates, Defect, ExportSpec, Numbers, Separator, Tab, Version};
use super::workbook::cut_file;
use super::writer::{Sink, WriteError};

impl Booleans {
    pub(super) fn word(self, value: bool) -> &'static str {
        match (self, value) {
            (Self::Words, true) => "True",
            (Self::Words, false) => "False",
            (Self::Capitals | Self::Real, true) => "TRUE",
            (Self::Capitals | Self::Real, false) => "FALSE",
            (Self::YesNo, true) => "yes",
            (Self::YesNo, false) => "no",
        }
    }
}

/// One tab in the making.
struct CsvTab<'s> {
    spec: &'s ExportSpec,
    name: String,
    writer: csv::Writer<Vec<u8>>,
    record: csv::StringRecord,
}

impl<'s> CsvTab<'s> {
    fn begin(spec: &'s ExportSpec, tab: &str, headers: &[String]) -> Result<Self, WriteError> {
        let delimiter = match spec.separator {
            Separator::Comma => b',',
            Separator::Semicolon => b';',
            Separator::Tab => b'\t',
        };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        writer.write_record(headers)?;
        let name = format!("RVTools_tab{tab}.csv");
        Ok(Self { spec, name, writer, record: csv::StringRecord::new() })
    }

    fn row(&mut self, cells: &[Cell]) -> Result<(), WriteError> {
        self.record.clear();
        for cell in cells {
            self.record.push_field(&written(cell, self.spec));
        }
        Ok(self.writer.write_record(&self.record)?)
    }

    fn blank_rows(&mut self, rows: u32, width: usize) -> Result<(), WriteError> {
        let blanks = vec![Cell::Blank; width];
        (0..rows).try_for_each(|_| self.row(&blanks))
    }

    /// The file's name and bytes, in the encoding asked for.
    fn end(self, tab: Tab) -> Result<(String, Vec<u8>), WriteError> {
        let mut bytes = self
            .writer
            .into_inner()
            .map_err(|error| WriteError::file(Path::new(&self.name))(error.into_error()))?;
        if self.spec.has(&Defect::LastRowCut(tab)) {
            let body = bytes.strip_suffix(b"\r\n").unwrap_or(&bytes);
            let row = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let middle = row + (body.len() - row) / 2;
            // Not in the middle of a character: the encodings are other mishaps.
            let text = String::from_utf8_lossy(body);
            bytes.truncate((middle..).find(|at| text.is_char_boundary(*at)).unwrap_or(middle));
        }
        Ok((self.name, encoded(bytes, self.spec)))
    }
}

/// A cell in the locale asked for.
fn written(cell: &Cell, spec: &ExportSpec) -> String {
    match cell {
        Cell::Blank => String::new(),
        // Since 3.10 a line break becomes a space.
        Cell::Text(text) if spec.version >= Version::V3_11 => {
            text.replace("\r\n", " ").replace(['\r', '\n'], " ")
        }
        Cell::Text(text) => text.to_string(),
        Cell::Number(number) => grouped(*number, spec.numbers),
        Cell::Decimal(number) => {
            let text = format!("{number:.2}");
            if spec.numbers == Numbers::DotThousands { text.replace('.', ",") } else { text }
        }
        Cell::Bool(value) => spec.booleans.word(*value).to_owned(),
        Cell::ChangeVersion(at) if spec.version < Version::V4_1 => {
            format!("{}T{}.910375Z", at.date(), clock(*at))
        }
        Cell::Date(at) | Cell::ChangeVersion(at) => {
            let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
            match spec.dates {
                Dates::YearFirst => format!("{year:04}/{month:02}/{day:02} {}", clock(*at)),
                Dates::DayFirst => format!("{day:02}.{month:02}.{year:04} {}", clock(*at)),
            }
        }
    }
}

fn clock(at: PrimitiveDateTime) -> String {
    format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
}

/// A whole number with the separators asked for.
fn grouped(number: i64, numbers: Numbers) -> String {
    let sign = match numbers {
        Numbers::Plain => return number.to_string(),
        Numbers::CommaThousands => ',',
        Numbers::DotThousands => '.',
    };
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(sign);
        }
        text.push(digit);
    }
    text
}

fn encoded(utf8: Vec<u8>, spec: &ExportSpec) -> Vec<u8> {
    if spec.has(&Defect::Windows1252) {
        // What the code page lacks became a question mark.
        let text = String::from_utf8_lossy(&utf8);
        let mut bytes = Vec::with_capacity(text.len());
        for character in text.chars() {
            let mut buffer = [0; 4];
            let (encoded, _, lost) =
                encoding_rs::WINDOWS_1252.encode(character.encode_utf8(&mut buffer));
            bytes.extend_from_slice(if lost { b"?" } else { &encoded });
        }
        bytes
    } else if spec.has(&Defect::Utf16) {
        let text = String::from_utf8_lossy(&utf8);
        std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    } else if spec.has(&Defect::ByteOrderMark) {
        [b"\xEF\xBB\xBF".as_slice(), &utf8].concat()
    } else {
        utf8
    }
}

/// A folder of CSV files.
pub(super) struct CsvFolder<'s> {
    spec: &'s ExportSpec,
    path: PathBuf,
    tab: Option<CsvTab<'s>>,
}

impl<'s> CsvFolder<'s> {
    pub(super) fn new(spec: &'s ExportSpec, path: &Path) -> Result<Self, WriteError> {
        std::fs::create_dir_all(path).map_err(WriteError::file(path))?;
        Ok(Self { spec, path: path.to_owned(), tab: None })
    }
}

impl Sink for CsvFolder<'_> {
    fn begin(&mut self, name: &str, headers: &[String]) -> Result<(), WriteError> {
        self.tab = Some(CsvTab::begin(self.spec, name, headers)?);
        Ok(())
    }

    fn row(&mut self, cells: &[Cell]) -> Result<(), WriteError> {
        self.tab.as_mut().map_or(Ok(()), |tab| tab.row(cells))
    }

    fn blank_rows(&mut self, rows: u32, width: usize) -> Result<(), WriteError> {
        self.tab.as_mut().map_or(Ok(()), |tab| tab.blank_rows(rows, width))
    }

    fn end(&mut self, tab: Tab) -> Result<(), WriteError> {
        let Some(made) = self.tab.take() else { return Ok(()) };
        let (name, bytes) = made.end(tab)?;
        let path = self.path.join(name);
        std::fs::write(&path, bytes).map_err(WriteError::file(&path))
    }

    fn finish(&mut self) -> Result<(), WriteError> {
        Ok(())
    }
}

/// The same in a zip file.
pub(super) struct CsvZip<'s> {
    spec: &'s ExportSpec,
    path: PathBuf,
    zip: Option<zip::ZipWriter<File>>,
    tab: Option<CsvTab<'s>>,
}

impl<'s> CsvZip<'s> {
    pub(super) fn new(spec: &'s ExportSpec, path: &Path) -> Result<Self, WriteError> {
        let file = File::create(path).map_err(WriteError::file(path))?;
        Ok(Self { spec, path: path.to_owned(), zip: Some(zip::ZipWriter::new(file)), tab: None })
    }
}

impl Sink for CsvZip<'_> {
    fn begin(&mut self, name: &str, headers: &[String]) -> Result<(), WriteError> {
        self.tab = Some(CsvTab::begin(self.spec, name, headers)?);
        Ok(())
    }

    fn row(&mut self, cells: &[Cell]) -> Result<(), WriteError> {
        self.tab.as_mut().map_or(Ok(()), |tab| tab.row(cells))
    }

    fn blank_rows(&mut self, rows: u32, width: usize) -> Result<(), WriteError> {
        self.tab.as_mut().map_or(Ok(()), |tab| tab.blank_rows(rows, width))
    }

    fn end(&mut self, tab: Tab) -> Result<(), WriteError> {
        let (Some(made), Some(zip)) = (self.tab.take(), &mut self.zip) else { return Ok(()) };
        let (name, bytes) = made.end(tab)?;
        zip.start_file(name, zip::write::SimpleFileOptions::default())?;
        zip.write_all(&bytes).map_err(WriteError::file(&self.path))
    }

    fn finish(&mut self) -> Result<(), WriteError> {
        if let Some(zip) = self.zip.take() {
            zip.finish()?;
        }
        if self.spec.has(&Defect::TruncatedZip) { cut_file(&self.path) } else { Ok(()) }
    }
}
