//! The command as people and scripts use it: help, output, exit codes, what is left behind.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use entente_twins::rvtools::{ExportSpec, Format, Version, write};
use entente_twins::{EstateSpec, generate};
use tempfile::TempDir;

fn entente(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_entente"))
        .args(arguments)
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn export(folder: &TempDir, workloads: u32) -> PathBuf {
    let collections = generate(&EstateSpec { workloads, ..EstateSpec::default() });
    let path = folder.path().join("export.xlsx");
    write(&collections[0], &ExportSpec::new(Version::V4_7, Format::Xlsx), &path).unwrap();
    path
}

fn assess(path: &Path, more: &[&str]) -> Output {
    let mut arguments = vec!["assess", path.to_str().unwrap(), "--as-of", "2026-11-22"];
    arguments.extend(more);
    entente(&arguments)
}

/// Compares with a file beside the tests; `UPDATE_GOLDEN=1` rewrites it.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), text, "{name}");
}

#[test]
fn help_of_every_command() {
    for (name, arguments) in [
        ("help.txt", vec!["--help"]),
        ("help-assess.txt", vec!["assess", "--help"]),
        ("help-check.txt", vec!["check", "--help"]),
        ("help-collect.txt", vec!["collect", "--help"]),
        ("help-watch.txt", vec!["watch", "--help"]),
        ("help-import.txt", vec!["import", "--help"]),
        ("help-estate.txt", vec!["estate", "--help"]),
        ("help-show.txt", vec!["show", "--help"]),
        ("help-changes.txt", vec!["changes", "--help"]),
        ("help-query.txt", vec!["query", "--help"]),
        ("help-links.txt", vec!["links", "--help"]),
        ("help-link.txt", vec!["link", "--help"]),
        ("help-store.txt", vec!["store", "--help"]),
        ("help-store-compact.txt", vec!["store", "compact", "--help"]),
        ("help-explain.txt", vec!["explain", "--help"]),
        ("help-completions.txt", vec!["completions", "--help"]),
    ] {
        let output = entente(&arguments);
        assert!(output.status.success());
        let shown = stdout(&output);
        // `demo` is there or not, as the command was built.
        let lines = shown.lines().filter(|line| !line.trim_start().starts_with("demo "));
        golden(name, &lines.map(|line| format!("{}\n", line.trim_end())).collect::<String>());
    }
}

#[test]
fn the_summary_of_an_estate_for_people_and_for_documents() {
    let folder = TempDir::new().unwrap();
    let path = export(&folder, 120);
    for (name, form) in [("summary.txt", "table"), ("summary.md", "markdown")] {
        let output = assess(&path, &["--output", form]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        golden(name, &stdout(&output));
    }
}

#[test]
fn json_and_csv_hold_every_workload() {
    let folder = TempDir::new().unwrap();
    let path = export(&folder, 80);
    let json: serde_json::Value =
        serde_json::from_slice(&assess(&path, &["--output", "json"]).stdout).unwrap();
    assert_eq!(json["schema"], "entente.assessment/1");
    assert_eq!(json["workloads"].as_array().unwrap().len(), 80);
    for key in ["gaps", "readiness", "summary"] {
        assert!(!json[key].is_null(), "{key}");
    }
    let csv = stdout(&assess(&path, &["--output", "csv", "--target", "kvm"]));
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let headers = reader.headers().unwrap().clone();
    assert!(headers.iter().any(|it| it == "kvm_as_seen"));
    assert!(!headers.iter().any(|it| it.starts_with("ahv")));
    assert_eq!(reader.records().filter(|it| it.is_ok()).count(), 80);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let folder = TempDir::new().unwrap();
    let path = export(&folder, 80);
    let report = folder.path().join("report.html");
    let run = || {
        let output = assess(&path, &["--output", "json", "--report", report.to_str().unwrap()]);
        (output.stdout, fs::read(&report).unwrap())
    };
    assert!(run() == run());
}

#[test]
fn thresholds_give_exit_code_1() {
    let folder = TempDir::new().unwrap();
    let path = export(&folder, 200);
    assert_eq!(assess(&path, &[]).status.code(), Some(0));
    for threshold in ["blocker", "warning", "unknown"] {
        assert_eq!(assess(&path, &["--fail-on", threshold]).status.code(), Some(1), "{threshold}");
    }
}

#[test]
fn what_cannot_be_used_gives_exit_code_2_with_code_and_hint() {
    let folder = TempDir::new().unwrap();
    let other = folder.path().join("other.csv");
    fs::write(&other, "name,price\nbread,2\n").unwrap();
    let missing = folder.path().join("missing.xlsx");
    for (path, code) in [(&other, "ENT-0104"), (&missing, "ENT-0101")] {
        let output = assess(path, &[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        let said = stderr(&output);
        assert!(said.starts_with(&format!("error[{code}]: ")), "{said}");
        assert!(said.contains("\nhint: "), "{said}");
    }
    let good = export(&folder, 5);
    let output = assess(&good, &["--target", "xen"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("ENT-0113"));
    assert_eq!(entente(&["assess"]).status.code(), Some(2));
    assert_eq!(assess(&good, &["--as-of", "tomorrow"]).status.code(), Some(2));
}

#[test]
fn a_report_that_cannot_be_written_leaves_nothing_and_exits_with_3() {
    let folder = TempDir::new().unwrap();
    let path = export(&folder, 5);
    let nowhere = folder.path().join("no/such/folder/report.html");
    let output = assess(&path, &["--report", nowhere.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("ENT-0110"));
    // A folder where the report should be: the old state stays, and no half-written file is left.
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("keep"), "x").unwrap();
    let output = assess(&path, &["--report", taken.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(left.iter().all(|name| name == "taken" || name == "export.xlsx"), "{left:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_a_closed_pipe_is_not() {
    let folder = TempDir::new().unwrap();
    let path = export(&folder, 5);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_entente"))
        .args(["assess", path.to_str().unwrap(), "--output", "json"])
        .stdout(full)
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("ENT-0110"));
}

#[test]
fn explain_prints_pages_of_errors_and_checks() {
    let page = stdout(&entente(&["explain", "ent-0104"]));
    assert!(page.starts_with("# ENT-0104"), "{page}");
    let page = stdout(&entente(&["explain", "disk-raw-mapping-physical"]));
    assert!(page.contains("## How bad"), "{page}");
    let all = stdout(&entente(&["explain"]));
    assert!(all.lines().count() > 100);
    let output = entente(&["explain", "disk-raw-maping-physical"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("did you mean `disk-raw-mapping-physical`"));
}

#[test]
fn completions_name_the_options() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&entente(&["completions", shell])).contains("overlay"), "{shell}");
    }
}

#[test]
fn shared_exports_are_assessed() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/rvtools");
    if !data.exists() {
        println!("skipped: the folder of recordings is not here");
        return;
    }
    for (name, workloads) in [("export-4.x-trimmed-9vm.xlsx", 9), ("small-complete-3vm.xlsx", 3)] {
        let output = assess(&data.join(name), &["--output", "json"]);
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["workloads"].as_array().unwrap().len(), workloads, "{name}");
        assert!(!json["gaps"].as_array().unwrap().is_empty(), "{name}");
    }
}
