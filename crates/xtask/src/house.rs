//! The checkout as the checks see it: every file that git tracks or would track, in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Paths relative to the root, with forward slashes, and their text; `None` where a file is not UTF-8.
#[derive(Clone, Debug, Default)]
pub struct House {
    files: BTreeMap<String, Option<String>>,
}

impl House {
    /// The root of the checkout that this crate was built from.
    pub fn root() -> PathBuf {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.ancestors().nth(2).unwrap_or(here).to_path_buf()
    }

    /// Reads every file below `root` that git tracks, or would track because nothing ignores it.
    ///
    /// # Errors
    /// Where git cannot be run there, or a file cannot be read.
    pub fn read(root: &Path) -> Result<Self> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("could not run `git ls-files`")?;
        ensure!(output.status.success(), "`git ls-files` failed in {}", root.display());
        let mut files = BTreeMap::new();
        for path in String::from_utf8(output.stdout)?.split_terminator('\0') {
            let on_disk = root.join(path);
            // Tracked, but deleted and not yet committed.
            if on_disk.is_file() {
                let bytes = std::fs::read(&on_disk)
                    .with_context(|| format!("could not read {}", on_disk.display()))?;
                files.insert(path.to_owned(), String::from_utf8(bytes).ok());
            }
        }
        Ok(Self { files })
    }

    /// A house of these files: for the checks' own tests.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).into(), Some((*text).into())));
        Self { files: files.collect() }
    }

    /// Every path, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Every file of text with its path.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// Every Rust file with its path.
    pub fn rust_files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// The text of one file, if it is there.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }
}
