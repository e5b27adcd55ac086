//! A connector is one folder of `crates/connect/src/`, and all folders look alike.
//!
//! The rule: a folder there that holds a `collect.rs` is a connector. It stands in the line
//! `connectors! { … }` of `lib.rs`, and it holds exactly the five files of `FILES` below. What outgrows one
//! of them goes into a sub-folder that bears its name: `map/disks.rs` beside `map.rs`. Every name of
//! the line has its folder.

use std::collections::{BTreeMap, BTreeSet};

use crate::rust::macro_arguments;
use crate::{Fault, House};

/// Where connectors live.
const HOME: &str = "crates/connect/src/";
/// The files of every connector.
const FILES: [&str; 5] = ["mod.rs", "wire.rs", "collect.rs", "map.rs", "tests.rs"];
/// The file that makes a folder a connector.
const MARK: &str = "collect.rs";

/// Connectors that differ from the pattern, and the two directions of the registry line.
pub fn check(house: &House) -> Vec<Fault> {
    let registry = format!("{HOME}lib.rs");
    let line = house.text(&registry).and_then(|text| macro_arguments(text, "connectors"));
    let Some(line) = line else {
        return vec![Fault::at(registry, "has no line `connectors! { … }`")];
    };
    let folders = folders(house);
    let mut faults = Vec::new();
    for name in &line {
        match folders.get(name.as_str()) {
            None => faults.push(Fault::at(
                &registry,
                format!("`{name}` is in the line `connectors! {{ … }}` but has no folder"),
            )),
            Some(entries) => faults.extend(differences(name, entries)),
        }
    }
    for (name, entries) in &folders {
        if entries.contains(MARK) && !line.iter().any(|listed| listed == name) {
            let sentence = format!("`{name}` is not in the line `connectors! {{ … }}` of lib.rs");
            faults.push(Fault::at(format!("{HOME}{name}/"), sentence));
        }
    }
    faults
}

/// Folder → its direct entries; a sub-folder ends with a slash.
fn folders(house: &House) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for path in house.paths() {
        if let Some((folder, rest)) = path.strip_prefix(HOME).and_then(|rest| rest.split_once('/'))
        {
            let entry = rest.split_inclusive('/').next().unwrap_or(rest);
            folders.entry(folder).or_default().insert(entry);
        }
    }
    folders
}

fn differences(name: &str, entries: &BTreeSet<&str>) -> Vec<Fault> {
    let place = format!("{HOME}{name}/");
    let missing = FILES.iter().filter(|file| !entries.contains(*file)).map(|file| {
        Fault::at(&place, format!("`{file}` is missing: every connector has the same five files"))
    });
    let surplus = entries.iter().filter(|entry| !is_in_pattern(entry)).map(|entry| {
        let sentence = format!(
            "`{entry}` is not one of {}; put it into a sub-folder named after one of them",
            FILES.join(", ")
        );
        Fault::at(&place, sentence)
    });
    missing.chain(surplus).collect()
}

fn is_in_pattern(entry: &str) -> bool {
    match entry.strip_suffix('/') {
        None => FILES.contains(&entry),
        Some(folder) => FILES.iter().any(|file| file.strip_suffix(".rs") == Some(folder)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 7] = [
        ("crates/connect/src/lib.rs", "connectors! { alpha }"),
        ("crates/connect/src/alpha/mod.rs", ""),
        ("crates/connect/src/alpha/wire.rs", ""),
        ("crates/connect/src/alpha/collect.rs", ""),
        ("crates/connect/src/alpha/map.rs", ""),
        ("crates/connect/src/alpha/map/disks.rs", ""),
        ("crates/connect/src/alpha/tests.rs", ""),
    ];

    fn with(extra: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> = GOOD.iter().chain(extra).copied().collect();
        check(&House::of(&files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_pattern_and_shared_folders_pass() {
        assert!(with(&[("crates/connect/src/tables/sheet.rs", "")]).is_empty());
    }

    #[test]
    fn a_sixth_file_and_a_missing_one_are_named() {
        let surplus = with(&[("crates/connect/src/alpha/helpers.rs", "")]);
        assert!(surplus[0].contains("`helpers.rs` is not one of"), "{surplus:?}");
        let without_wire: Vec<_> =
            GOOD.into_iter().filter(|(path, _)| !path.ends_with("wire.rs")).collect();
        assert!(check(&House::of(&without_wire))[0].sentence.contains("`wire.rs` is missing"));
    }

    #[test]
    fn the_registry_line_and_the_folders_agree() {
        let unlisted = with(&[("crates/connect/src/beta/collect.rs", "")]);
        assert!(unlisted[0].contains("`beta` is not in the line"), "{unlisted:?}");
        let without_folder = with(&[("crates/connect/src/lib.rs", "connectors! { alpha, beta }")]);
        assert!(without_folder[0].contains("`beta` is in the line"), "{without_folder:?}");
        assert!(with(&[("crates/connect/src/lib.rs", "")])[0].contains("no line"));
    }
}
