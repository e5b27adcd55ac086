//! Cell forms: separators, numbers, dates and booleans as versions and locales write them.

use std::collections::BTreeMap;

use entente_model::Collection;
use entente_twins::rvtools::{
    Booleans, Dates, ExportSpec, Format, Numbers, Separator, Version, write, write_merged,
};
use entente_twins::{EstateSpec, generate};

use crate::{golden, read};

fn estate() -> Collection {
    generate(&EstateSpec { workloads: 40, ..EstateSpec::default() }).remove(0)
}

#[test]
fn cells_of_a_workbook_have_the_documented_forms() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.xlsx");
    write(&estate(), &ExportSpec::new(Version::V4_7, Format::Xlsx), &path).unwrap();
    let mut text = String::new();
    for (tab, rows) in read::workbook(&path) {
        text.push_str(&format!("{tab}\n"));
        let (header, rows) = rows.split_first().unwrap();
        for (at, header) in header.iter().enumerate() {
            // The first row that has something in the column.
            let cell = rows.iter().filter_map(|row| row.get(at)).find(|it| !it.value.is_empty());
            let shown = cell.map_or_else(
                || "blank".to_owned(),
                |it| {
                    format!(
                        "{} {} {}",
                        it.format,
                        if it.kind == "s" { "text" } else { "number" },
                        it.value
                    )
                },
            );
            text.push_str(&format!("  {}: {shown}\n", header.value));
        }
    }
    golden::check("cells-4.7-xlsx.txt", &text);
}

#[test]
fn texts_stand_in_the_shared_string_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.xlsx");
    write(&estate(), &ExportSpec::new(Version::V4_7, Format::Xlsx), &path).unwrap();
    let sheet = read::part(&path, "xl/worksheets/sheet1.xml");
    assert!(!sheet.contains("inlineStr"));
    assert!(sheet.contains("t=\"s\""));
}

#[test]
fn csv_of_a_3_8_export_quotes_thousands_and_writes_change_versions_as_iso_text() {
    let spec = ExportSpec {
        numbers: Numbers::CommaThousands,
        ..ExportSpec::new(Version::V3_8, Format::CsvFolder)
    };
    golden::check("cells-3.8-csv.txt", &csv_text(&spec));
}

#[test]
fn csv_of_a_continental_4_0_export_has_semicolons_dots_and_days_first() {
    let spec = ExportSpec {
        separator: Separator::Semicolon,
        numbers: Numbers::DotThousands,
        dates: Dates::DayFirst,
        booleans: Booleans::YesNo,
        ..ExportSpec::new(Version::V4_0, Format::CsvFolder)
    };
    golden::check("cells-4.0-csv.txt", &csv_text(&spec));
}

#[test]
fn csv_of_a_4_7_export_with_internal_names() {
    let spec =
        ExportSpec { db_column_names: true, ..ExportSpec::new(Version::V4_7, Format::CsvFolder) };
    golden::check("cells-4.7-csv.txt", &csv_text(&spec));
}

/// The header and the first two rows of every file.
fn csv_text(spec: &ExportSpec) -> String {
    let folder = tempfile::tempdir().unwrap();
    write(&estate(), spec, folder.path()).unwrap();
    let mut files = BTreeMap::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.ends_with("\r\n"));
        let lines: Vec<&str> = text.lines().take(3).collect();
        files.insert(file.file_name().into_string().unwrap(), lines.join("\n"));
    }
    files.into_iter().map(|(name, lines)| format!("{name}\n{lines}\n")).collect()
}

#[test]
fn a_merged_workbook_holds_the_machines_of_every_vcenter_with_colliding_ids() {
    let estates = generate(&EstateSpec { workloads: 60, vcenters: 2, ..EstateSpec::default() });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("merged.xlsx");
    write_merged(&estates, &ExportSpec::new(Version::V4_7, Format::Xlsx), &path).unwrap();
    let tabs = read::workbook(&path);
    let column = |tab: &str, header: &str| -> Vec<String> {
        let rows = &tabs[tab];
        let at = rows[0].iter().position(|it| it.value == header).unwrap();
        rows[1..].iter().map(|row| row[at].value.clone()).collect()
    };
    let mut ids = column("vInfo", "VM ID");
    assert_eq!(ids.len(), 60);
    ids.sort();
    ids.dedup();
    assert!(ids.len() < 60);
    let mut servers = column("vInfo", "VI SDK UUID");
    servers.sort();
    servers.dedup();
    assert_eq!(servers.len(), 2);
    assert_eq!(column("vMetaData", "Server").len(), 2);
}

#[test]
fn the_same_specification_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = |name: &str, format| {
        let path = folder.path().join(name);
        write(&estate(), &ExportSpec::new(Version::V4_7, format), &path).unwrap();
        std::fs::read(path).unwrap()
    };
    assert_eq!(bytes("a.xlsx", Format::Xlsx), bytes("b.xlsx", Format::Xlsx));
    assert_eq!(bytes("a.zip", Format::CsvZip), bytes("b.zip", Format::CsvZip));
}
