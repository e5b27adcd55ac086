//! The documents that newcomers read first are there, short enough to be read, and complete.

use crate::checks::edges::CRATES;
use crate::{Fault, House};

/// The map fits on a few screens.
const ARCHITECTURE_LINES_MAX: usize = 300;
/// A decision fits on one.
const DECISION_LINES_MAX: usize = 60;
/// What a decision record says.
const DECISION_HEADINGS: [&str; 3] = ["## Context", "## Decision", "## Consequences"];

/// The map, the change log and the decision records.
pub fn check(house: &House) -> Vec<Fault> {
    let mut faults = architecture(house);
    faults.extend(change_log(house));
    faults.extend(
        house
            .texts()
            .filter(|(path, _)| path.starts_with("docs/decisions/") && path.ends_with(".md"))
            .flat_map(|(path, text)| decision(path, text)),
    );
    faults
}

fn architecture(house: &House) -> Vec<Fault> {
    let path = "ARCHITECTURE.md";
    let Some(text) = house.text(path) else { return vec![Fault::at(path, "is missing")] };
    let mut faults: Vec<_> = CRATES
        .iter()
        .filter(|rule| !text.contains(&format!("| `{}` |", rule.name)))
        .map(|rule| Fault::at(path, format!("has no row for the crate `{}`", rule.name)))
        .collect();
    let lines = text.lines().count();
    if lines > ARCHITECTURE_LINES_MAX {
        let sentence = format!("has {lines} lines; {ARCHITECTURE_LINES_MAX} are the limit");
        faults.push(Fault::at(path, sentence));
    }
    faults
}

fn change_log(house: &House) -> Option<Fault> {
    let path = "CHANGELOG.md";
    let has_section = house.text(path).is_some_and(|text| text.contains("\n## Unreleased\n"));
    (!has_section).then(|| Fault::at(path, "has no section `## Unreleased`"))
}

fn decision(path: &str, text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let found: Vec<_> = text.lines().filter(|line| line.starts_with("## ")).collect();
    if found != DECISION_HEADINGS {
        let sentence = format!("does not have the headings {}", DECISION_HEADINGS.join(", "));
        faults.push(Fault::at(path, sentence));
    }
    let lines = text.lines().count();
    if lines > DECISION_LINES_MAX {
        let sentence = format!("has {lines} lines; a decision fits on one screen");
        faults.push(Fault::at(path, sentence));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> String {
        CRATES.iter().map(|rule| format!("| `{}` | what it is |\n", rule.name)).collect()
    }

    fn sentences(files: &[(&str, &str)]) -> Vec<String> {
        check(&House::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn complete_documents_pass_and_a_missing_crate_is_named() {
        let map = map();
        let log = ("CHANGELOG.md", "# Changes\n\n## Unreleased\n");
        assert!(sentences(&[("ARCHITECTURE.md", &map), log]).is_empty());
        let without = map.replace("| `expr` |", "| `other` |");
        let faults = sentences(&[("ARCHITECTURE.md", &without), log]);
        assert_eq!(faults, ["ARCHITECTURE.md: has no row for the crate `expr`"]);
        let long = format!("{map}{}", "\n".repeat(ARCHITECTURE_LINES_MAX));
        assert!(sentences(&[("ARCHITECTURE.md", &long), log])[0].contains("limit"));
    }

    #[test]
    fn a_change_log_without_room_for_changes_is_a_fault() {
        let map = map();
        let faults = sentences(&[("ARCHITECTURE.md", &map), ("CHANGELOG.md", "# Changes\n")]);
        assert!(faults[0].contains("Unreleased"), "{faults:?}");
    }

    #[test]
    fn a_decision_without_consequences_is_a_fault() {
        let map = map();
        let faults = sentences(&[
            ("ARCHITECTURE.md", &map),
            ("CHANGELOG.md", "# Changes\n\n## Unreleased\n"),
            ("docs/decisions/0009-x.md", "# 9\n\n## Context\n\n## Decision\n"),
        ]);
        assert!(faults[0].starts_with("docs/decisions/0009-x.md: does not have"), "{faults:?}");
    }
}
