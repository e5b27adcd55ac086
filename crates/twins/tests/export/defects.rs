//! Seeded mishaps: each does what it says and nothing else.

use std::path::{Path, PathBuf};

use entente_twins::rvtools::{Defect, ExportSpec, Format, Separator, Tab, Version, write};
use entente_twins::{EstateSpec, generate};

use crate::read;

/// Writes an export of 60 machines with the defects and gives its path to `look`.
fn with(format: Format, defects: &[Defect], look: impl FnOnce(&Path)) {
    let estate = generate(&EstateSpec { workloads: 60, ..EstateSpec::default() }).remove(0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export");
    let spec = ExportSpec { defects: defects.to_vec(), ..ExportSpec::new(Version::V4_7, format) };
    write(&estate, &spec, &path).unwrap();
    look(&path);
}

fn tab(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("RVTools_tab{name}.csv"))
}

/// The header of a tab and the number of its rows.
fn shape(folder: &Path, name: &str) -> (Vec<String>, usize) {
    let mut records = read::records(&tab(folder, name), b',');
    let header = records.remove(0);
    (header, records.len())
}

#[test]
fn blank_rows_follow_the_data() {
    with(Format::Xlsx, &[Defect::BlankTrailingRows], |path| {
        let rows = read::workbook(path).remove("vInfo").unwrap();
        assert_eq!(rows.len(), 1 + 60 + 500);
        assert!(rows[61..].iter().flatten().all(|cell| cell.value.is_empty()));
    });
}

#[test]
fn tabs_and_columns_go_missing_move_and_repeat() {
    let defects = [
        Defect::MissingTab(Tab::VTools),
        Defect::RenamedTab(Tab::VCpu, "CPU (final)"),
        Defect::MissingColumn(Tab::VInfo, "Firmware"),
        Defect::DuplicateColumn(Tab::VInfo, "Datacenter"),
        Defect::InsertedColumn(Tab::VInfo),
    ];
    with(Format::CsvFolder, &defects, |path| {
        assert!(!tab(path, "vTools").exists());
        assert!(!tab(path, "vCPU").exists());
        assert!(tab(path, "CPU (final)").exists());
        let (header, rows) = shape(path, "vInfo");
        assert_eq!(rows, 60);
        assert!(!header.contains(&"Firmware".to_owned()));
        assert_eq!(header.iter().filter(|it| *it == "Datacenter").count(), 2);
        assert_eq!(header[3], "Move?");
    });
}

#[test]
fn rows_are_deleted_in_one_tab_only() {
    with(Format::CsvFolder, &[Defect::RowsDeleted(Tab::VCpu)], |path| {
        let (_, rows) = shape(path, "vCPU");
        assert!((40..60).contains(&rows), "{rows}");
        assert_eq!(shape(path, "vMemory").1, 60);
    });
}

#[test]
fn the_last_row_ends_in_the_middle() {
    with(Format::CsvFolder, &[Defect::LastRowCut(Tab::VInfo)], |path| {
        let records = read::records(&tab(path, "vInfo"), b',');
        let (header, last) = (&records[0], records.last().unwrap());
        assert!(last.len() < header.len());
        assert!(!std::fs::read_to_string(tab(path, "vInfo")).unwrap().ends_with('\n'));
    });
}

#[test]
fn numbers_become_garbage_and_long_ids_scientific() {
    let defects = [Defect::GarbageNumbers, Defect::ScientificIds];
    with(Format::CsvFolder, &defects, |path| {
        let all = |name: &str| read::records(&tab(path, name), b',').into_iter().flatten();
        assert!(all("vDisk").any(|it| it == "n/a"));
        assert!(all("vMultiPath").any(|it| it.contains("E+14")));
    });
}

#[test]
fn headers_change_their_spelling() {
    for (defect, expected) in [
        (Defect::LowerCaseHeaders, "primary ip address"),
        (Defect::UpperCaseHeaders, "PRIMARY IP ADDRESS"),
        (Defect::SpacedHeaders, "Primary  IP  Address "),
    ] {
        with(Format::CsvFolder, &[defect], |path| {
            assert!(shape(path, "vInfo").0.contains(&expected.to_owned()));
        });
    }
}

#[test]
fn csv_comes_in_other_encodings() {
    let read = |path: &Path| std::fs::read(tab(path, "vInfo")).unwrap();
    with(Format::CsvFolder, &[Defect::ByteOrderMark], |path| {
        assert!(read(path).starts_with(b"\xEF\xBB\xBFVM,"));
    });
    with(Format::CsvFolder, &[Defect::Utf16], |path| {
        assert!(read(path).starts_with(b"\xFF\xFEV\0M\0,\0"));
    });
    // A larger estate has names beyond ASCII.
    let estate = generate(&EstateSpec { workloads: 400, ..EstateSpec::default() }).remove(0);
    let folder = tempfile::tempdir().unwrap();
    let spec = ExportSpec {
        defects: vec![Defect::Windows1252],
        separator: Separator::Semicolon,
        ..ExportSpec::new(Version::V4_7, Format::CsvFolder)
    };
    write(&estate, &spec, folder.path()).unwrap();
    let bytes = read(folder.path());
    assert!(std::str::from_utf8(&bytes).is_err());
    assert!(bytes.windows(4).any(|it| it == b"B\xFCro"));
}

#[test]
fn files_end_too_early() {
    with(Format::Xlsx, &[Defect::TruncatedZip], |path| {
        assert!(zip::ZipArchive::new(std::fs::File::open(path).unwrap()).is_err());
    });
    with(Format::CsvZip, &[Defect::TruncatedZip], |path| {
        assert!(zip::ZipArchive::new(std::fs::File::open(path).unwrap()).is_err());
    });
    with(Format::Xlsx, &[Defect::TruncatedTab(Tab::VDisk)], |path| {
        assert!(!read::part(path, "xl/worksheets/sheet4.xml").contains("</worksheet>"));
        assert!(read::part(path, "xl/worksheets/sheet3.xml").contains("</worksheet>"));
    });
}
