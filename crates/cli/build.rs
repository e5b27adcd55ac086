//! Embeds the pages of `docs/errors/`, so that `entente explain` needs no files.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let pages = Path::new("../../docs/errors");
    println!("cargo::rerun-if-changed={}", pages.display());
    let mut names: Vec<String> = fs::read_dir(pages)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("ENT-") && name.ends_with(".md"))
        .collect();
    names.sort();
    let mut table = String::from("&[\n");
    for name in &names {
        let path = pages.join(name).canonicalize()?;
        let code = name.trim_end_matches(".md");
        let _ = writeln!(table, "    ({code:?}, include_str!({:?})),", path.display().to_string());
    }
    table.push_str("]\n");
    let out = env::var_os("OUT_DIR").unwrap_or_default();
    fs::write(Path::new(&out).join("error_pages.rs"), table)
}
