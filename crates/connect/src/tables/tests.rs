//! Workbooks by hand: every form of a cell, and files made to do harm.

use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Cell, Limits, Note, TableError, Tables};

const RELATIONS: &str =
    r#"<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>"#;
const BOOK: &str =
    r#"<workbook><sheets><sheet name="vInfo" sheetId="1" r:id="r1"/></sheets></workbook>"#;
const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy/mm/dd hh:mm:ss"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>"#;

/// A file of these parts.
fn archive(parts: &[(&str, &[u8])]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("book.xlsx");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
    (folder, path)
}

fn workbook(sheet: &str) -> (TempDir, PathBuf) {
    let strings = "<sst><si><t>shared &amp; one</t></si><si><t> </t></si></sst>";
    archive(&[
        ("xl/workbook.xml", BOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", RELATIONS.as_bytes()),
        ("xl/styles.xml", STYLES.as_bytes()),
        ("xl/sharedStrings.xml", strings.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

fn shown(cell: Cell<'_>) -> String {
    match cell {
        Cell::Empty => "-".into(),
        Cell::Text(text) => text.into(),
        Cell::Number(number) => format!("#{number}"),
        Cell::Date(days) => format!("@{days}"),
        Cell::Bool(value) => format!("?{value}"),
        Cell::Error(text) => format!("!{text}"),
    }
}

/// Rows as text, with the notes.
fn read(path: &std::path::Path, limits: Limits) -> Result<(Vec<String>, Vec<Note>), TableError> {
    let tables = Tables::open(path, limits)?;
    let mut rows = Vec::new();
    let notes = tables.read(0, &mut |row| {
        let cells: Vec<_> = (0..row.len()).map(|column| shown(row.cell(column))).collect();
        rows.push(format!("{}: {}", row.number(), cells.join("|")));
        ControlFlow::Continue(())
    })?;
    Ok((rows, notes))
}

fn rows(sheet: &str) -> Vec<String> {
    let (_folder, path) = workbook(sheet);
    let (rows, notes) = read(&path, Limits::default()).unwrap();
    assert_eq!(notes, []);
    rows
}

#[test]
fn every_form_of_a_cell() {
    let cells = r#"<c r="A1" t="s"><v>0</v></c><c r="B1"><v>12.5</v></c><c r="C1" s="1"><v>45714.5</v></c><c r="D1" t="b"><v>1</v></c><c r="E1" t="inlineStr"><is><t>in &lt;line</t></is></c><c r="F1" t="str"><f>A1</f><v>formula</v></c><c r="G1" t="e"><v>#N/A</v></c><c r="H1" s="1"/><c r="I1" t="s"><v>1</v></c><c r="K1" t="str"><v>a_x0041_&amp;</v></c>"#;
    let expected = "1: shared & one|#12.5|@45714.5|?true|in <line|formula|!#N/A|-|-|-|aA&";
    let plain = format!("<worksheet><sheetData><row r=\"1\">{cells}</row></sheetData></worksheet>");
    assert_eq!(rows(&plain), [expected]);
    // The same under a namespace prefix, with line breaks, and without references.
    let prefixed = plain.replace("</", "</x:").replace('<', "<x:").replace("<x:/x:", "</x:");
    assert_eq!(rows(&prefixed), [expected]);
    assert_eq!(rows(&plain.replace("><", ">\r\n<")), [expected]);
    let bare = r#"<worksheet><sheetData><row><c t="s"><v>0</v></c><c><v>2</v></c></row></sheetData></worksheet>"#;
    assert_eq!(rows(bare), ["1: shared & one|#2"]);
}

#[test]
fn blank_rows_are_passed_over_and_numbers_kept() {
    let sheet = r#"<worksheet><dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="2"/><row r="3"><c r="A3" s="1"/></row><row r="900"><c r="B900"><v>2</v></c></row></sheetData></worksheet>"#;
    assert_eq!(rows(sheet), ["1: #1", "900: -|#2"]);
}

#[test]
fn a_sheet_that_ends_early_gives_what_was_whole() {
    let (_folder, path) = workbook(
        r#"<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A2"><v>2</"#,
    );
    let (rows, notes) = read(&path, Limits::default()).unwrap();
    assert_eq!(rows, ["1: #1"]);
    assert_eq!(notes, [Note::CutAfter { row: 1, reason: "it ends early".into() }]);
}

#[test]
fn cells_beyond_all_limits_stop_the_sheet() {
    let row = |number: &str, cell: &str| {
        format!(
            r#"<worksheet><sheetData><row r="{number}"><c r="{cell}"><v>1</v></c></row></sheetData></worksheet>"#
        )
    };
    for (number, cell) in [("1", "XFD1"), ("4000000000", "A4000000000"), ("1048577", "A1048577")] {
        let (_folder, path) = workbook(&row(number, cell));
        let (rows, notes) = read(&path, Limits::default()).unwrap();
        assert_eq!(rows, [] as [&str; 0], "{cell}");
        assert!(matches!(notes.as_slice(), [Note::LimitAfter { .. }]), "{cell}: {notes:?}");
    }
}

#[test]
fn a_bomb_is_refused_before_it_fills_the_memory() {
    // 512 MiB of spaces pack to half a mebibyte.
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("bomb.xlsx");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    for (name, content) in [("xl/workbook.xml", BOOK), ("xl/_rels/workbook.xml.rels", RELATIONS)] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    for name in ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(b"<sst>").unwrap();
        for _ in 0..512 {
            zip.write_all(&[b' '; 1 << 20]).unwrap();
        }
    }
    zip.finish().unwrap();
    let error = read(&path, Limits::default()).unwrap_err();
    assert!(matches!(error, TableError::Limit(_)), "{error}");
}

#[test]
fn archives_that_no_program_writes_are_refused() {
    let (_folder, path) = archive(&[("../../etc/passwd.csv", b"x")]);
    assert!(matches!(Tables::open(&path, Limits::default()), Err(TableError::Limit(_))));

    let sheets: String =
        (0..1_000).map(|at| format!(r#"<sheet name="s{at}" r:id="r1"/>"#)).collect();
    let book = format!("<workbook><sheets>{sheets}</sheets></workbook>");
    let (_folder, path) = archive(&[
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", RELATIONS.as_bytes()),
    ]);
    assert!(matches!(Tables::open(&path, Limits::default()), Err(TableError::Limit(_))));

    let names: Vec<String> = (0..3_000).map(|at| format!("f{at}.csv")).collect();
    let parts: Vec<(&str, &[u8])> = names.iter().map(|it| (it.as_str(), b"".as_slice())).collect();
    let (_folder, path) = archive(&parts);
    assert!(matches!(Tables::open(&path, Limits::default()), Err(TableError::Limit(_))));
}

#[test]
fn a_workbook_without_its_parts_is_damaged_not_a_crash() {
    let (_folder, path) = archive(&[("xl/workbook.xml", BOOK.as_bytes())]);
    assert!(matches!(Tables::open(&path, Limits::default()), Err(TableError::Damaged(_))));
    let (_folder, path) = archive(&[
        ("xl/workbook.xml", BOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", RELATIONS.as_bytes()),
    ]);
    assert!(matches!(Tables::open(&path, Limits::default()), Err(TableError::Damaged(_))));
    let entity = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><workbook/>";
    let (_folder, path) = archive(&[("xl/workbook.xml", entity.as_bytes())]);
    assert!(matches!(Tables::open(&path, Limits::default()), Err(TableError::Markup(_))));
}
