//! Every version and every lint stands in the workspace's `Cargo.toml`; crates inherit both.

use crate::{Fault, House};

/// Manifests of crates that name a version themselves or leave the workspace's lints.
pub fn check(house: &House) -> Vec<Fault> {
    house
        .texts()
        .filter(|(path, _)| path.starts_with("crates/") && path.ends_with("/Cargo.toml"))
        .flat_map(|(path, text)| faults_of(path, text))
        .collect()
}

fn faults_of(path: &str, text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut section = "";
    let mut inherits_lints = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
        } else if section == "lints" {
            inherits_lints |= line.replace(' ', "") == "workspace=true";
        } else if section.ends_with("dependencies") && line.contains('=') && !line.starts_with('#')
        {
            let name = line.split(['.', ' ', '=']).next().unwrap_or(line);
            if !line.replace(' ', "").contains("workspace=true") {
                let sentence =
                    format!("`{name}` is not inherited: write `{name}.workspace = true`");
                faults.push(Fault::on_line(path, index + 1, sentence));
            }
        }
    }
    if !inherits_lints {
        faults.push(Fault::at(path, "does not inherit the workspace's lints"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(text: &str) -> Vec<String> {
        let house = House::of(&[("crates/a/Cargo.toml", text)]);
        check(&house).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn inherited_dependencies_and_lints_pass() {
        let text = "[package]\nversion = \"1\"\n[lints]\nworkspace = true\n[dependencies]\n\
                    serde.workspace = true\ntime = { workspace = true, optional = true }\n";
        assert!(sentences(text).is_empty());
    }

    #[test]
    fn a_version_and_missing_lints_are_faults() {
        let faults = sentences("[dev-dependencies]\nserde = \"1\"\n");
        assert!(faults[0].starts_with("crates/a/Cargo.toml:2: `serde` is not inherited"));
        assert!(faults[1].contains("lints"), "{faults:?}");
    }
}
