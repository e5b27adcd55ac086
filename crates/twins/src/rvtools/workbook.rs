//! The xlsx form: texts in the shared string table, numbers as numbers, dates as dates, yes and no
//! as words.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Worksheet};
use time::PrimitiveDateTime;

use super::cell::Cell;
use super::spec::{Booleans, Defect, ExportSpec, Tab};
use super::writer::{Sink, WriteError};

/// Day 0 of the 1900 date system, as far as dates after February 1900 go.
const DAY_ZERO: PrimitiveDateTime = time::macros::datetime!(1899-12-30 00:00:00);

/// A workbook in the making; sheets go to temporary files row by row.
pub(super) struct Workbook<'s> {
    spec: &'s ExportSpec,
    path: PathBuf,
    book: rust_xlsxwriter::Workbook,
    sheet: Option<Worksheet>,
    row: u32,
    tabs: Vec<Tab>,
    text: Format,
    number: Format,
    decimal: Format,
    date: Format,
}

impl<'s> Workbook<'s> {
    pub(super) fn new(
        spec: &'s ExportSpec,
        path: &Path,
        taken: Option<PrimitiveDateTime>,
    ) -> Result<Self, WriteError> {
        let mut book = rust_xlsxwriter::Workbook::new();
        if let Some(taken) = taken {
            let year = u16::try_from(taken.year()).unwrap_or(2000);
            let created = ExcelDateTime::from_ymd(year, taken.month().into(), taken.day())?;
            book.set_properties(&DocProperties::new().set_creation_datetime(&created));
        }
        Ok(Self {
            spec,
            path: path.to_owned(),
            book,
            sheet: None,
            row: 0,
            tabs: Vec::new(),
            text: Format::new().set_num_format("@"),
            number: Format::new().set_num_format("#,##0"),
            decimal: Format::new().set_num_format("#,##0.00"),
            date: Format::new().set_num_format("yyyy/mm/dd\\ hh:mm:ss"),
        })
    }

    fn write(&mut self, column: u16, cell: &Cell) -> Result<(), WriteError> {
        let Some(sheet) = &mut self.sheet else { return Ok(()) };
        let row = self.row;
        match cell {
            Cell::Blank => return Ok(()),
            Cell::Text(text) => sheet.write_with_format(row, column, text.as_str(), &self.text)?,
            Cell::Number(number) => {
                sheet.write_number_with_format(row, column, *number as f64, &self.number)?
            }
            Cell::Decimal(number) => {
                sheet.write_number_with_format(row, column, *number, &self.decimal)?
            }
            Cell::Bool(value) if self.spec.booleans == Booleans::Real => {
                sheet.write_boolean(row, column, *value)?
            }
            Cell::Bool(value) => {
                sheet.write_with_format(row, column, self.spec.booleans.word(*value), &self.text)?
            }
            Cell::Date(at) | Cell::ChangeVersion(at) => {
                sheet.write_number_with_format(row, column, serial(*at), &self.date)?
            }
        };
        Ok(())
    }
}

impl Sink for Workbook<'_> {
    fn begin(&mut self, name: &str, headers: &[String]) -> Result<(), WriteError> {
        let mut sheet = self.book.new_worksheet_with_low_memory()?;
        sheet.set_name(name)?;
        self.sheet = Some(sheet);
        self.row = 0;
        for (column, header) in (0..).zip(headers) {
            self.write(column, &Cell::Text(header.as_str().into()))?;
        }
        self.row = 1;
        Ok(())
    }

    fn row(&mut self, cells: &[Cell]) -> Result<(), WriteError> {
        for (column, cell) in (0..).zip(cells) {
            self.write(column, cell)?;
        }
        self.row += 1;
        Ok(())
    }

    fn blank_rows(&mut self, rows: u32, width: usize) -> Result<(), WriteError> {
        let Some(sheet) = &mut self.sheet else { return Ok(()) };
        for _ in 0..rows {
            for (column, _) in (0..).zip(0..width) {
                sheet.write_blank(self.row, column, &self.text)?;
            }
            self.row += 1;
        }
        Ok(())
    }

    fn end(&mut self, tab: Tab) -> Result<(), WriteError> {
        if let Some(sheet) = self.sheet.take() {
            self.book.push_worksheet(sheet);
            self.tabs.push(tab);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), WriteError> {
        self.book.save(&self.path)?;
        for (number, tab) in (1..).zip(&self.tabs) {
            if self.spec.has(&Defect::TruncatedTab(*tab)) {
                cut_part(&self.path, &format!("xl/worksheets/sheet{number}.xml"))?;
            }
        }
        if self.spec.has(&Defect::TruncatedZip) {
            cut_file(&self.path)?;
        }
        Ok(())
    }
}

/// Days since day 0, the time of day as a fraction.
fn serial(at: PrimitiveDateTime) -> f64 {
    let seconds = (at - DAY_ZERO).whole_seconds();
    seconds as f64 / 86_400.0
}

/// Ends a file after three fifths.
pub(super) fn cut_file(path: &Path) -> Result<(), WriteError> {
    let cut = || {
        let file = File::options().write(true).open(path)?;
        file.set_len(file.metadata()?.len() * 3 / 5)
    };
    cut().map_err(WriteError::file(path))
}

/// Rewrites a zip file with one part ended in the middle, everything else as it was.
fn cut_part(path: &Path, part: &str) -> Result<(), WriteError> {
    let mut archive = zip::ZipArchive::new(File::open(path).map_err(WriteError::file(path))?)?;
    let mut output = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at)?;
        if entry.name()? == part {
            let mut xml = Vec::new();
            entry.read_to_end(&mut xml).map_err(WriteError::file(path))?;
            xml.truncate(xml.len() / 2);
            output.start_file(part, entry.options())?;
            output.write_all(&xml).map_err(WriteError::file(path))?;
        } else {
            output.raw_copy_file(entry)?;
        }
    }
    let bytes = output.finish()?.into_inner();
    drop(archive);
    std::fs::write(path, bytes).map_err(WriteError::file(path))
}
