//! Recorded answers, answers and configurations of versions 7 to 9 by hand, and the twin.

mod configs;
mod jobs;
mod moving;
mod recorded;
mod replay;
mod twin;
mod unknown;
mod wires;

use std::path::Path;

use crate::live::Live;

#[test]
fn the_documented_rights_are_those_that_are_checked() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/connectors/proxmox.md");
    let text = std::fs::read_to_string(page).unwrap();
    let rows: Vec<&str> = text
        .lines()
        .skip_while(|it| !it.starts_with("| privilege"))
        .skip(2)
        .take_while(|it| it.starts_with('|'))
        .collect();
    let rights = super::CONNECTOR.rights().iter();
    let expected: Vec<String> = rights
        .map(|it| format!("| `{}` | `{}` | {} |", it.name, it.scope, it.needed_for))
        .collect();
    assert_eq!(rows, expected);
}
