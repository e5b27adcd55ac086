//! Written exports → the estate that they were written of; mishaps → gaps; bad files → errors.

use std::fs;
use std::path::{Path, PathBuf};

use entente_model::{Collection, GapCause, IdentityBasis, Observed, Why, WorkloadKind};
use entente_twins::rvtools::{
    Booleans, Dates, Defect, ExportSpec, Format, Numbers, Separator, Tab, Version, carried_by,
    secrets, write, write_merged,
};
use entente_twins::{EstateSpec, generate};
use proptest::prelude::*;
use tempfile::TempDir;

use super::CONNECTOR;
use crate::connector::{CollectError, Export, Unwatched};
use crate::tables::Limits;

fn estate(seed: u64, workloads: u32) -> Collection {
    generate(&EstateSpec { seed, workloads, ..EstateSpec::default() }).remove(0)
}

fn place(folder: &TempDir, format: Format) -> PathBuf {
    folder.path().join(match format {
        Format::Xlsx => "export.xlsx",
        Format::CsvFolder => "export",
        Format::CsvZip => "export.zip",
    })
}

fn collect(path: &Path) -> Result<Collection, CollectError> {
    CONNECTOR.collect(path, Limits::default(), &Unwatched)
}

/// Writes and reads again.
fn round_trip(collection: &Collection, spec: &ExportSpec) -> Collection {
    let folder = TempDir::new().unwrap();
    let path = place(&folder, spec.format);
    write(collection, spec, &path).unwrap();
    collect(&path).unwrap()
}

fn spec(version: Version, format: Format) -> ExportSpec {
    ExportSpec::new(version, format)
}

/// Compares noun by noun, so that a failure names the object.
fn same<T: PartialEq + std::fmt::Debug>(noun: &str, read: &[T], expected: &[T]) {
    for (read, expected) in read.iter().zip(expected) {
        assert!(read == expected, "{noun}\nread     {read:#?}\nexpected {expected:#?}");
    }
    assert_eq!(read.len(), expected.len(), "number of {noun}");
}

fn assert_same_estate(read: &Collection, expected: &Collection) {
    let mut expected = expected.clone();
    for workload in &mut expected.workloads {
        workload.source = read.source.id.clone();
    }
    same("platforms", &read.platforms, &expected.platforms);
    same("products", &read.products, &expected.products);
    same("clusters", &read.clusters, &expected.clusters);
    same("hosts", &read.hosts, &expected.hosts);
    same("datastores", &read.datastores, &expected.datastores);
    same("switches", &read.switches, &expected.switches);
    same("networks", &read.networks, &expected.networks);
    same("resource pools", &read.resource_pools, &expected.resource_pools);
    same("licences", &read.licences, &expected.licences);
    same("workloads", &read.workloads, &expected.workloads);
}

#[test]
fn every_version_gives_back_the_estate_as_far_as_it_can_carry_it() {
    for version in Version::ALL {
        let collection = estate(7, 120);
        let read = round_trip(&collection, &spec(version, Format::Xlsx));
        assert_same_estate(&read, &carried_by(&collection, version));
    }
}

fn any_version() -> impl Strategy<Value = Version> {
    proptest::sample::select(Version::ALL.as_slice())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn export_and_estate_agree(
        seed in any::<u64>(),
        workloads in 1_u32..60,
        version in any_version(),
        format in prop_oneof![Just(Format::Xlsx), Just(Format::CsvFolder), Just(Format::CsvZip)],
        separator in prop_oneof![
            Just(Separator::Comma), Just(Separator::Semicolon), Just(Separator::Tab)
        ],
        numbers in prop_oneof![
            Just(Numbers::Plain), Just(Numbers::CommaThousands), Just(Numbers::DotThousands)
        ],
        dates in prop_oneof![Just(Dates::YearFirst), Just(Dates::DayFirst)],
        booleans in prop_oneof![
            Just(Booleans::Words), Just(Booleans::Capitals), Just(Booleans::Real),
            Just(Booleans::YesNo)
        ],
    ) {
        let collection = estate(seed, workloads);
        let spec = ExportSpec {
            separator, numbers, dates, booleans, seed, ..spec(version, format)
        };
        let read = round_trip(&collection, &spec);
        assert_same_estate(&read, &carried_by(&collection, version));
    }
}

#[test]
fn internal_column_names_give_the_same_estate() {
    let collection = estate(3, 40);
    let spec = ExportSpec { db_column_names: true, ..spec(Version::V4_7, Format::Xlsx) };
    assert_same_estate(&round_trip(&collection, &spec), &carried_by(&collection, Version::V4_7));
}

#[test]
fn all_27_tabs_are_read_and_those_without_a_home_are_counted() {
    let read = round_trip(&estate(7, 120), &spec(Version::V4_7, Format::Xlsx));
    assert_eq!(read.source.sections.len(), 27);
    assert_eq!(read.source.version.as_deref(), Some("4.7.1.4"));
    let not_modelled: Vec<_> = read
        .gaps
        .iter()
        .filter(|gap| gap.cause == GapCause::NotModelled)
        .map(|gap| (gap.place.section.clone().unwrap().to_string(), gap.count))
        .collect();
    for tab in ["vFileInfo", "vHBA", "vHealth", "vMultiPath", "vNIC"] {
        let rows = read.source.sections[tab].rows;
        assert!(not_modelled.contains(&(tab.to_owned(), rows)), "{tab} in {not_modelled:?}");
    }
}

#[test]
fn spellings_and_encodings_change_nothing() {
    let collection = estate(11, 40);
    let expected = carried_by(&collection, Version::V4_7);
    for (format, defect) in [
        (Format::Xlsx, Defect::LowerCaseHeaders),
        (Format::Xlsx, Defect::UpperCaseHeaders),
        (Format::Xlsx, Defect::SpacedHeaders),
        (Format::Xlsx, Defect::BlankTrailingRows),
        (Format::CsvFolder, Defect::ByteOrderMark),
        (Format::CsvFolder, Defect::Utf16),
    ] {
        // Custom attributes carry the header's spelling: compared without them.
        let spec = ExportSpec { defects: vec![defect], ..spec(Version::V4_7, format) };
        let mut read = round_trip(&collection, &spec);
        let mut expected = expected.clone();
        for workload in read.workloads.iter_mut().chain(&mut expected.workloads) {
            workload.attributes.items.clear();
        }
        assert_same_estate(&read, &expected);
    }
}

fn gaps_of(read: &Collection, cause: GapCause) -> Vec<String> {
    read.gaps
        .iter()
        .filter(|gap| gap.cause == cause)
        .map(|gap| {
            let place = &gap.place;
            format!(
                "{} {} {} {} {}",
                place.section.as_deref().unwrap_or("-"),
                place.row.map_or("-".into(), |row| row.to_string()),
                place.field.as_deref().unwrap_or("-"),
                gap.value.as_deref().unwrap_or("-"),
                gap.message
            )
        })
        .collect()
}

fn with_defect(defect: Defect, format: Format) -> Collection {
    let spec = ExportSpec { defects: vec![defect], ..spec(Version::V4_7, format) };
    round_trip(&estate(5, 60), &spec)
}

#[test]
fn windows_1252_is_read_and_said_so() {
    let spec =
        ExportSpec { defects: vec![Defect::Windows1252], ..spec(Version::V4_7, Format::CsvFolder) };
    let read = round_trip(&estate(5, 400), &spec);
    assert_eq!(read.workloads.len(), 400);
    assert!(read.workloads.iter().any(|it| it.name.contains(['ü', 'Ü', 'ä', 'ö', 'é'])));
    assert!(gaps_of(&read, GapCause::Encoding)[0].contains("Windows-1252"));
}

#[test]
fn a_missing_tab_and_a_missing_column_are_gaps_and_never_a_no() {
    let read = with_defect(Defect::MissingTab(Tab::VSnapshot), Format::Xlsx);
    assert!(gaps_of(&read, GapCause::MissingSection)[0].contains("vSnapshot"));
    assert!(read.workloads.iter().all(|it| it.snapshots.why() == Some(Why::NotInExport)));
    let read = with_defect(Defect::MissingColumn(Tab::VDisk, "Raw"), Format::Xlsx);
    assert!(gaps_of(&read, GapCause::MissingField)[0].contains("vDisk - Raw"));
    let raw = read.workloads.iter().flat_map(|it| &it.disks).map(|disk| &disk.raw_mapping);
    assert!(raw.clone().count() > 0);
    assert!(raw.into_iter().all(|it| *it == Observed::Unobserved(Why::NotInExport)));
}

#[test]
fn a_renamed_tab_is_known_by_its_columns() {
    let read = with_defect(Defect::RenamedTab(Tab::VDisk, "disks"), Format::Xlsx);
    assert!(gaps_of(&read, GapCause::Ambiguous)[0].contains("`disks`"));
    assert!(read.workloads.iter().any(|it| !it.disks.items.is_empty()));
}

#[test]
fn added_and_doubled_columns_are_named_and_not_read() {
    let read = with_defect(Defect::InsertedColumn(Tab::VInfo), Format::Xlsx);
    assert!(gaps_of(&read, GapCause::UnknownField)[0].contains("Move?"));
    let read = with_defect(Defect::DuplicateColumn(Tab::VInfo, "Memory"), Format::Xlsx);
    assert!(gaps_of(&read, GapCause::UnknownField)[0].contains("second column"));
}

#[test]
fn rows_deleted_from_one_tab_make_lists_incomplete_and_a_finding() {
    let read = with_defect(Defect::RowsDeleted(Tab::VDisk), Format::Xlsx);
    assert!(!gaps_of(&read, GapCause::Conflict).is_empty());
    assert!(read.workloads.iter().any(|it| it.disks.why() == Some(Why::Conflict)));
    let read = with_defect(Defect::RowsDeleted(Tab::VInfo), Format::Xlsx);
    assert!(read.workloads.len() < 60);
    assert!(read.findings.iter().any(|finding| finding.code == "ENT-0208"));
    assert!(gaps_of(&read, GapCause::DanglingReference).iter().any(|gap| gap.contains("vCPU")));
}

#[test]
fn a_value_that_is_none_is_a_gap_with_tab_row_column_and_value() {
    let read = with_defect(Defect::GarbageNumbers, Format::Xlsx);
    let gaps = gaps_of(&read, GapCause::UnreadableValue);
    assert!(gaps.iter().all(|gap| gap.contains(" n/a ")), "{gaps:?}");
    let some = gaps.iter().find(|gap| gap.starts_with("vInfo")).unwrap();
    let row: u32 = some.split(' ').nth(1).unwrap().parse().unwrap();
    assert!((2..=61).contains(&row), "{some}");
}

#[test]
fn what_is_cut_off_is_kept_up_to_the_cut_and_said_so() {
    let read = with_defect(Defect::TruncatedTab(Tab::VDisk), Format::Xlsx);
    assert!(gaps_of(&read, GapCause::Truncated)[0].contains("vDisk"));
    assert!(read.workloads.iter().all(|it| !it.disks.is_complete()));
    assert!(read.workloads.iter().any(|it| !it.disks.items.is_empty()));
    let read = with_defect(Defect::LastRowCut(Tab::VMemory), Format::CsvFolder);
    assert!(gaps_of(&read, GapCause::Truncated)[0].contains("vMemory"));
}

#[test]
fn secrets_never_leave_the_connector() {
    let collection = estate(5, 400);
    let spec = ExportSpec {
        defects: vec![Defect::ClearTextPasswords],
        ..spec(Version::V4_7, Format::Xlsx)
    };
    let planted = secrets(&collection, &spec);
    assert!(planted.len() > 10);
    let read = round_trip(&collection, &spec);
    let shown = format!("{read:?}");
    for secret in &planted {
        assert!(!shown.contains(secret.as_str()), "`{secret}` left the connector");
    }
    assert!(read.findings.iter().any(|finding| finding.code == "ENT-0201"));
    assert!(read.findings.iter().any(|finding| finding.code == "ENT-0202"));
}

#[test]
fn templates_placeholders_and_agents_are_told_from_machines() {
    let collection = estate(7, 400);
    let read = round_trip(&collection, &spec(Version::V4_7, Format::Xlsx));
    let count = |it: &Collection, kind| it.workloads.iter().filter(|w| w.kind == kind).count();
    for kind in
        [WorkloadKind::Template, WorkloadKind::RecoveryPlaceholder, WorkloadKind::SystemAgent]
    {
        assert!(count(&read, kind) > 0, "{kind:?}");
        assert_eq!(count(&read, kind), count(&collection, kind), "{kind:?}");
    }
}

#[test]
fn a_merged_workbook_keeps_its_platforms_apart() {
    let folder = TempDir::new().unwrap();
    let path = place(&folder, Format::Xlsx);
    let both = generate(&EstateSpec { workloads: 80, vcenters: 2, ..EstateSpec::default() });
    write_merged(&both, &spec(Version::V4_7, Format::Xlsx), &path).unwrap();
    let read = collect(&path).unwrap();
    assert_eq!(read.platforms.len(), 2);
    assert_eq!(read.workloads.len(), 80);
    assert!(read.workloads.iter().all(|it| it.identity == IdentityBasis::PlatformAndNativeId));
}

/// The code of the error that a file with these bytes gives.
fn code_of(name: &str, bytes: &[u8]) -> String {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    match collect(&path) {
        Ok(read) => format!("read {} workloads", read.workloads.len()),
        Err(error) => {
            assert!(!error.hint().is_empty());
            assert!(error.to_string().contains(name), "{error}");
            error.code().to_owned()
        }
    }
}

#[test]
fn files_that_are_no_exports_are_refused_by_code() {
    assert_eq!(collect(Path::new("/no/such/file.xlsx")).unwrap_err().code(), "ENT-0101");
    assert_eq!(code_of("empty.xlsx", b""), "ENT-0103");
    assert_eq!(code_of("other.csv", b"name,price\nbread,2\n"), "ENT-0104");
    assert_eq!(code_of("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "ENT-0104");
    let encrypted: Vec<u8> = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"
        .iter()
        .copied()
        .chain([0; 600])
        .chain("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    assert_eq!(code_of("locked.xlsx", &encrypted), "ENT-0105");
    assert_eq!(code_of("old.xls", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 old"), "ENT-0106");
    assert_eq!(code_of("broken.xlsx", b"PK\x03\x04 broken"), "ENT-0107");
    assert_eq!(code_of("RVTools_tabvInfo.csv", b"VM,Powerstate,CPUs\n"), "ENT-0109");
    let folder = TempDir::new().unwrap();
    assert_eq!(collect(folder.path()).unwrap_err().code(), "ENT-0104");
}

#[test]
fn a_truncated_workbook_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = place(&folder, Format::Xlsx);
    let spec =
        ExportSpec { defects: vec![Defect::TruncatedZip], ..spec(Version::V4_7, Format::Xlsx) };
    write(&estate(5, 20), &spec, &path).unwrap();
    assert_eq!(collect(&path).unwrap_err().code(), "ENT-0107");
}

#[test]
fn a_refusal_says_what_was_looked_for_and_what_was_found() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("RVTools_tabvInfo.csv");
    fs::write(&path, "Customer,Amount\nA,1\n").unwrap();
    let message = collect(&path).unwrap_err().to_string();
    assert!(message.contains("looked for a tab `vInfo` with a column `VM`"), "{message}");
    assert!(message.contains("none of its columns"), "{message}");
}

fn shared(name: &str) -> Option<Collection> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/rvtools").join(name);
    if !path.exists() {
        println!("skipped: the folder of recordings with `{name}` is not here");
        return None;
    }
    Some(collect(&path).unwrap())
}

#[test]
fn shared_trimmed_export_gives_9_workloads_and_honest_gaps() {
    let Some(read) = shared("export-4.x-trimmed-9vm.xlsx") else { return };
    assert_eq!(read.workloads.len(), 9);
    assert_eq!(read.hosts.len(), 10);
    // Its vCenter is not told, so identity is weaker; most tabs are missing.
    assert!(read.workloads.iter().all(|it| it.identity > IdentityBasis::PlatformAndNativeId));
    assert_eq!(gaps_of(&read, GapCause::MissingSection).len(), 16);
    assert!(read.workloads.iter().all(|it| it.nics.why() == Some(Why::NotInExport)));
    assert!(!gaps_of(&read, GapCause::Conflict).is_empty());
}

#[test]
fn shared_small_export_gives_3_workloads() {
    let Some(read) = shared("small-complete-3vm.xlsx") else { return };
    assert_eq!(read.workloads.len(), 3);
    assert!(read.workloads.iter().all(|it| it.identity == IdentityBasis::Name));
    let free = read.workloads.iter().flat_map(|it| &it.guest.partitions).map(|it| &it.free_bytes);
    assert!(free.into_iter().all(Observed::is_observed));
}
