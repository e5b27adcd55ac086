//! Planted secrets are all listed, and a clean export holds no password.

use std::io::Read;

use entente_twins::rvtools::{Defect, ExportSpec, Format, Version, secrets, write};
use entente_twins::{EstateSpec, generate};

/// All text of an export of 600 machines.
fn text(defects: Vec<Defect>) -> (String, Vec<String>) {
    let estate = generate(&EstateSpec { workloads: 600, ..EstateSpec::default() }).remove(0);
    let spec = ExportSpec { defects, ..ExportSpec::new(Version::V4_7, Format::CsvZip) };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.zip");
    write(&estate, &spec, &path).unwrap();
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut text = String::new();
    for at in 0..archive.len() {
        archive.by_index(at).unwrap().read_to_string(&mut text).unwrap();
    }
    (text, secrets(&estate, &spec).iter().map(ToString::to_string).collect())
}

#[test]
fn every_planted_secret_is_listed_and_in_the_export() {
    let (text, secrets) = text(vec![Defect::ClearTextPasswords]);
    for secret in &secrets {
        assert!(text.contains(secret.as_str()), "{secret}");
    }
    assert!(secrets.iter().filter(|it| it.ends_with('!')).count() > 10);
}

#[test]
fn a_clean_export_holds_licence_keys_but_no_password() {
    let (text, secrets) = text(Vec::new());
    assert!(!text.contains("password"));
    assert!(!secrets.is_empty() && secrets.iter().all(|it| it.len() == 29));
}
