//! Reads back what was written, as plainly as possible: not the product's reader.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// One cell of a workbook: its number format, and its text or number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    pub format: String,
    pub kind: String,
    pub value: String,
}

pub fn part(path: &Path, name: &str) -> String {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// Every tab with its rows, blank cells included.
pub fn workbook(path: &Path) -> BTreeMap<String, Vec<Vec<Cell>>> {
    let strings: Vec<String> = part(path, "xl/sharedStrings.xml")
        .split("<si>")
        .skip(1)
        .map(|it| unescaped(&between(it, "<t", "</t>")))
        .collect();
    let formats = formats(&part(path, "xl/styles.xml"));
    let names = part(path, "xl/workbook.xml");
    let names = names.split("<sheet name=\"").skip(1).map(|it| it.split('"').next().unwrap());
    let mut tabs = BTreeMap::new();
    for (number, name) in (1..).zip(names) {
        let xml = part(path, &format!("xl/worksheets/sheet{number}.xml"));
        let rows = xml.split("<row ").skip(1).map(|row| cells(row, &strings, &formats)).collect();
        tabs.insert(name.to_owned(), rows);
    }
    tabs
}

fn cells(row: &str, strings: &[String], formats: &[String]) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    for xml in row.split("<c r=\"").skip(1) {
        let column = xml
            .chars()
            .take_while(char::is_ascii_uppercase)
            .fold(0, |sum, it| sum * 26 + (it as usize - 'A' as usize + 1));
        cells.resize(column - 1, Cell::default());
        let head = xml.split('>').next().unwrap();
        let style = attribute(head, "s").map_or(0, |it| it.parse().unwrap());
        let kind = attribute(head, "t").unwrap_or_default();
        let value = between(xml, "<v", "</v>");
        let value = match kind.as_str() {
            "s" => strings[value.parse::<usize>().unwrap()].clone(),
            _ => value,
        };
        cells.push(Cell { format: formats[style].clone(), kind, value });
    }
    cells
}

fn formats(styles: &str) -> Vec<String> {
    let named: BTreeMap<String, String> = styles
        .split("<numFmt ")
        .skip(1)
        .map(|it| (attribute(it, "numFmtId").unwrap(), attribute(it, "formatCode").unwrap()))
        .collect();
    let styles = between(styles, "<cellXfs", "</cellXfs>");
    styles
        .split("<xf ")
        .skip(1)
        .map(|it| match attribute(it, "numFmtId").unwrap().as_str() {
            "0" => "General".to_owned(),
            "3" => "#,##0".to_owned(),
            "4" => "#,##0.00".to_owned(),
            "49" => "@".to_owned(),
            other => named.get(other).cloned().unwrap_or_default(),
        })
        .collect()
}

fn attribute(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("{name}=\""))?;
    rest.split('"').next().map(str::to_owned)
}

/// What stands between an element's start tag and `end`.
fn between(xml: &str, start: &str, end: &str) -> String {
    let inner = xml.split_once(start).and_then(|(_, rest)| rest.split_once('>'));
    inner.and_then(|(_, rest)| rest.split_once(end)).map_or_else(String::new, |it| it.0.to_owned())
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// The records of a CSV file.
pub fn records(path: &Path, delimiter: u8) -> Vec<Vec<String>> {
    let bytes = std::fs::read(path).unwrap();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes.as_slice());
    reader.records().map(|it| it.unwrap().iter().map(str::to_owned).collect()).collect()
}
