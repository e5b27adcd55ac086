//! The licences of everything that becomes part of the `entente` binary.
//!
//! MIT, BSD and ISC ask that their text travels with every copy, so the text of each crate's own licence
//! files is printed, once per different text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::cargo::{list, metadata, text};

/// The package whose dependencies become part of the binary.
const BINARY: &str = "entente-cli";
/// Beginnings of names of files that hold a licence or a notice.
const LICENCE_FILES: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT"];

/// A crate from outside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    licence: String,
    folder: String,
}

/// A text that lists every such crate, then every different licence text with the crates it is for.
///
/// # Errors
/// Where cargo cannot be asked, or a crate says nothing about its licence.
pub fn notices(root: &Path) -> Result<String> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let packages = linked(&metadata(root, &["--locked", "--filter-platform", &target])?)?;
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut output = String::from("Libraries that are part of the entente binary\n\n");
    for package in &packages {
        let Package { name, version, licence, folder } = package;
        writeln!(output, "{name} {version}: {licence}")?;
        for text in licence_texts(Path::new(folder))? {
            texts.entry(text).or_default().insert(name.clone());
        }
    }
    for (text, names) in texts {
        let names: Vec<_> = names.into_iter().collect();
        writeln!(output, "\n{}\n{}\n\n{text}", "-".repeat(78), names.join(", "))?;
    }
    Ok(output)
}

/// Every crate from outside that the binary reaches over ordinary dependencies.
fn linked(metadata: &Value) -> Result<BTreeSet<Package>> {
    let packages: BTreeMap<&str, &Value> =
        list(metadata, "packages").iter().map(|package| (text(package, "id"), package)).collect();
    let resolve = metadata.get("resolve").unwrap_or(&Value::Null);
    let nodes: BTreeMap<&str, &Value> =
        list(resolve, "nodes").iter().map(|node| (text(node, "id"), node)).collect();
    let mut open: Vec<&str> = packages
        .iter()
        .filter(|(_, package)| text(package, "name") == BINARY)
        .map(|(id, _)| *id)
        .collect();
    ensure!(!open.is_empty(), "there is no package `{BINARY}`");
    let mut reached = BTreeSet::new();
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !reached.insert(id) {
            continue;
        }
        if let Some(package) = packages.get(id)
            && package.get("source").is_some_and(|source| !source.is_null())
        {
            found.insert(outside(package)?);
        }
        let node = nodes.get(id).copied().unwrap_or(&Value::Null);
        let ordinary = list(node, "deps").iter().filter(|dependency| {
            list(dependency, "dep_kinds").iter().any(|kind| text(kind, "kind").is_empty())
        });
        open.extend(ordinary.map(|dependency| text(dependency, "pkg")));
    }
    Ok(found)
}

fn outside(package: &Value) -> Result<Package> {
    let name = text(package, "name").to_owned();
    let licence = text(package, "license").to_owned();
    ensure!(!licence.is_empty(), "`{name}` does not say its licence");
    let manifest = Path::new(text(package, "manifest_path"));
    let folder = manifest.parent().unwrap_or(manifest).display().to_string();
    Ok(Package { name, version: text(package, "version").to_owned(), licence, folder })
}

fn licence_texts(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("could not list the files of {}", folder.display()))?;
    let mut texts = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        let is_licence = LICENCE_FILES.iter().any(|start| name.starts_with(start));
        if is_licence && entry.file_type()?.is_file() {
            texts.push(String::from_utf8_lossy(&std::fs::read(entry.path())?).trim().to_owned());
        }
    }
    texts.sort();
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(name: &str, source: Value, licence: Value) -> Value {
        let manifest = format!("/{name}/Cargo.toml");
        json!({ "id": name, "name": name, "version": "1.0.0", "source": source,
                "license": licence, "manifest_path": manifest })
    }

    fn edge(to: &str, kind: Value) -> Value {
        json!({ "pkg": to, "dep_kinds": [{ "kind": kind }] })
    }

    #[test]
    fn crates_reached_over_ordinary_edges_are_listed_and_those_of_tests_are_not() {
        let metadata = json!({
            "packages": [
                package(BINARY, Value::Null, Value::Null),
                package("direct", json!("registry"), json!("MIT")),
                package("deep", json!("registry"), json!("ISC")),
                package("tester", json!("registry"), json!("MIT")),
            ],
            "resolve": { "nodes": [
                { "id": BINARY, "deps": [edge("direct", Value::Null), edge("tester", json!("dev"))] },
                { "id": "direct", "deps": [edge("deep", Value::Null)] },
            ]},
        });
        let names: Vec<_> =
            linked(&metadata).unwrap().into_iter().map(|package| package.name).collect();
        assert_eq!(names, ["deep", "direct"]);
    }

    #[test]
    fn a_crate_without_a_licence_is_refused() {
        let metadata = json!({
            "packages": [package(BINARY, json!("registry"), Value::Null)],
            "resolve": { "nodes": [] },
        });
        assert!(linked(&metadata).unwrap_err().to_string().contains("licence"));
    }
}
