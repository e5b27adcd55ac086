//! Collections on disk: written, read back, cut off, changed by hand.

use std::fs;

use entente_model::{Estate, Severity, SourceId};
use entente_twins::{EstateSpec, generate};
use tempfile::TempDir;

use super::*;

fn collection() -> Collection {
    let spec = EstateSpec { workloads: 120, ..EstateSpec::default() };
    let mut collection = generate(&spec).remove(0);
    collection.findings.push(Finding {
        severity: Severity::Warning,
        code: "ENT-0201".into(),
        subject: "a".into(),
        message: "b".into(),
        remedy: "c".into(),
    });
    collection
}

/// The file's lines, decompressed.
fn text(path: &Path) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(BufReader::new(File::open(path).unwrap()))
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn written() -> (TempDir, PathBuf, Collection) {
    let folder = TempDir::new().unwrap();
    let collection = collection();
    let path = write_collection(&collection, folder.path()).unwrap();
    (folder, path, collection)
}

#[test]
fn what_was_written_is_read_back() {
    let (folder, path, collection) = written();
    assert!(read_collection(&path).unwrap() == collection);
    assert_eq!(collection_files(folder.path()).unwrap(), std::slice::from_ref(&path));
    // Without compression, too: people edit such files.
    let plain = folder.path().join("plain.collection");
    fs::write(&plain, text(&path)).unwrap();
    assert!(read_collection(&plain).unwrap() == collection);
}

#[test]
fn a_file_that_was_cut_off_anywhere_is_refused() {
    let (folder, path, _) = written();
    let whole = fs::read(&path).unwrap();
    let cut = folder.path().join("cut.collection");
    for bytes in [0, 1, 11, whole.len() / 3, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
        fs::write(&cut, &whole[..bytes]).unwrap();
        let error = read_collection(&cut).map(|_| ()).unwrap_err();
        assert_eq!(error.code(), "ENT-0125", "{bytes}: {error}");
    }
    // Cut between two lines, it is whole JSON Lines, but its end is missing.
    let lines = text(&path);
    let without_end: String = lines
        .lines()
        .filter(|it| !it.starts_with("{\"end\""))
        .map(|it| format!("{it}\n"))
        .collect();
    fs::write(&cut, without_end).unwrap();
    assert!(matches!(read_collection(&cut), Err(CollectionFileError::CutOff { .. })));
}

#[test]
fn a_wrong_line_is_named_without_its_contents() {
    let (folder, path, _) = written();
    let mut lines: Vec<String> = text(&path).lines().map(str::to_owned).collect();
    let at = lines.iter().position(|it| it.starts_with("{\"workload\"")).unwrap();
    lines[at] = lines[at].replace("\"power\":\"on\"", "\"power\":\"maybe\"");
    lines[at] = lines[at].replace("\"power\":\"off\"", "\"power\":\"maybe\"");
    let wrong = folder.path().join("wrong.collection");
    fs::write(&wrong, lines.join("\n") + "\n").unwrap();
    let error = read_collection(&wrong).map(|_| ()).unwrap_err();
    let shown = error.to_string();
    assert!(shown.contains(&format!("line {}", at + 1)), "{shown}");
    assert!(shown.contains("`workload` cannot be understood"), "{shown}");
}

#[test]
fn another_format_and_a_line_too_few_are_refused() {
    let (folder, path, _) = written();
    let changed = folder.path().join("changed.collection");
    fs::write(&changed, text(&path).replacen(FORMAT, "entente.collection/9", 1)).unwrap();
    assert_eq!(read_collection(&changed).map(|_| ()).unwrap_err().code(), "ENT-0126");
    let lines = text(&path);
    let fewer: Vec<&str> =
        lines.lines().enumerate().filter(|(at, _)| *at != 5).map(|(_, line)| line).collect();
    fs::write(&changed, fewer.join("\n") + "\n").unwrap();
    let error = read_collection(&changed).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("it should be line"), "{error}");
}

#[test]
fn an_interrupted_write_leaves_the_former_collection() {
    let (folder, path, collection) = written();
    let mut other = collection.clone();
    other.workloads.clear();
    write_collection(&other, folder.path()).unwrap();
    assert!(read_collection(&path).unwrap() == other);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half-written is left");
}

#[test]
fn a_login_s_control_plane_survives_a_later_export_of_the_same_platform() {
    let mut login = collection();
    let platform = login.platforms[0].id.clone();
    login.control.folders.push(Folder {
        platform,
        native_id: "group-v1".into(),
        path: "a".into(),
        kind: "vm-folder".into(),
    });
    let mut export = login.clone();
    export.control = entente_model::ControlPlane::default();
    export.source.id = "z-export".parse::<SourceId>().unwrap();
    let folders = login.control.folders.len();
    let estate = Estate::from_collections(vec![export, login]);
    assert_eq!(estate.control.folders.len(), folders);
}

#[test]
fn the_schema_of_the_format_is_the_documented_one() {
    let schema = schemars::schema_for!(Line);
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/collection-1.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap_or_default() == text, "run `make golden`");
    let validator = jsonschema::validator_for(&serde_json::to_value(&schema).unwrap()).unwrap();
    let (_folder, path, _) = written();
    for line in self::text(&path).lines() {
        let value = serde_json::from_str(line).unwrap();
        assert!(validator.is_valid(&value), "{}", line.chars().take(200).collect::<String>());
    }
}
