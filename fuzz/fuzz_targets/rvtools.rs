//! Feeds bytes to the reader of exports, in each form that an export can have.
//!
//! The first byte of an input says the form; `%%% name` at the start of a line begins a file:
//!
//! | first byte | the rest is |
//! |---|---|
//! | `F` | a folder of those files (only CSV files are read there) |
//! | `Z` | an archive of those files: a workbook, if they are its parts, or CSV files |
//! | `C` | one CSV file |
//! | other | one file, with that byte |
//!
//! So a fuzzer reaches rows and cells without having to invent checksums, and people can read inputs.

#![no_main]

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::{env, fs};

use entente_connect::connector::Unwatched;
use entente_connect::tables::Limits;
use libfuzzer_sys::{Corpus, fuzz_target};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Files of one input at most.
const FILES_MAX: usize = 40;

/// In memory where there is such a place, since every input becomes a file.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_path_buf() } else { env::temp_dir() };
    TempDir::with_prefix_in("entente-fuzz-", place).expect("a folder for inputs")
});

/// Small enough that a fuzzer meets them.
fn limits() -> Limits {
    Limits {
        zip_entries_max: 32,
        sheets_max: 16,
        entry_bytes_max: 4 << 20,
        inflation_free_bytes: 1 << 20,
        rows_max: 10_000,
        columns_max: 256,
        row_bytes_max: 1 << 20,
        shared_strings_bytes_max: 4 << 20,
        csv_bytes_max: 4 << 20,
        ..Limits::default()
    }
}

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((form, rest)) = input.split_first() else { return Corpus::Reject };
    let path = match form {
        b'F' => folder(&files(rest)),
        b'Z' => write("export.xlsx", &archive(&files(rest))),
        b'C' => write("RVTools_tabvInfo.csv", rest),
        _ => write("export.bin", input),
    };
    for (_, export) in entente_connect::exports() {
        match export.collect(&path, limits(), &Unwatched) {
            Ok(collection) => {
                for gap in &collection.gaps {
                    assert!(
                        !gap.message.is_empty() && gap.count > 0,
                        "a gap without words: {gap:?}"
                    );
                }
            }
            Err(error) => {
                assert!(error.code().starts_with("ENT-") && !error.hint().is_empty(), "{error}");
            }
        }
    }
    Corpus::Keep
});

/// Name and content of each file.
fn files(input: &[u8]) -> Vec<(String, &[u8])> {
    const MARK: &[u8] = b"%%% ";
    let mut starts = Vec::new();
    for at in 0..input.len() {
        if input[at..].starts_with(MARK) && (at == 0 || input[at - 1] == b'\n') {
            starts.push(at);
        }
    }
    let ends = starts.iter().skip(1).copied().chain([input.len()]);
    starts
        .iter()
        .zip(ends)
        .take(FILES_MAX)
        .map(|(start, end)| {
            let file = &input[start + MARK.len()..end];
            let line = file.iter().position(|byte| *byte == b'\n').unwrap_or(file.len());
            let name = String::from_utf8_lossy(&file[..line]).into_owned();
            (name, file.get(line + 1..).unwrap_or_default())
        })
        .collect()
}

/// An archive with every name as it stands, even one that points elsewhere.
fn archive(files: &[(String, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in files {
        // A name that occurs twice is refused by the writer; the first stays.
        if writer.start_file(name.as_str(), options).is_ok() {
            writer.write_all(content).expect("memory takes every byte");
        }
    }
    writer.finish().expect("memory takes every byte").into_inner()
}

/// A fresh folder with these files, under harmless names.
fn folder(files: &[(String, &[u8])]) -> PathBuf {
    let folder = FOLDER.path().join("folder");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).expect("a folder for inputs");
    for (name, content) in files {
        let harmless: String = name
            .chars()
            .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
            .collect();
        let name = harmless.strip_suffix("csv").unwrap_or(&harmless);
        let name: String = name.chars().take(60).collect();
        fs::write(folder.join(format!("{name}.csv")), content).expect("a file for the input");
    }
    folder
}

fn write(name: &str, content: &[u8]) -> PathBuf {
    let path = FOLDER.path().join(name);
    fs::write(&path, content).expect("a file for the input");
    path
}
