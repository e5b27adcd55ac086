//! What no file may say: names of package registries' hosts and folders of one machine.
//!
//! A lock file or a script that names a host breaks behind a mirror; a path of one machine is wrong on
//! every other.

use crate::{Fault, House};

/// A text that may not stand in any file.
struct Forbidden {
    text: &'static str,
    reason: &'static str,
}

const HOST: &str = "is the host of a package registry: clients know where theirs is";
const FOLDER: &str = "is a folder of one machine";

/// Every forbidden text. Each is a piece of a host name or of an absolute path.
const FORBIDDEN: &[Forbidden] = &[
    Forbidden { text: "registry.npmjs.org", reason: HOST },
    Forbidden { text: "registry.yarnpkg.com", reason: HOST },
    Forbidden { text: "static.crates.io", reason: HOST },
    Forbidden { text: "index.crates.io", reason: HOST },
    Forbidden { text: "files.pythonhosted.org", reason: HOST },
    Forbidden { text: "pypi.org/simple", reason: HOST },
    Forbidden { text: "proxy.golang.org", reason: HOST },
    Forbidden { text: "repo1.maven.org", reason: HOST },
    Forbidden { text: "deb.debian.org", reason: HOST },
    Forbidden { text: "archive.ubuntu.com", reason: HOST },
    Forbidden { text: "/work/", reason: FOLDER },
    Forbidden { text: "/root/", reason: FOLDER },
];

/// The one file that has to spell them.
const THIS_FILE: &str = "crates/xtask/src/checks/foreign_text.rs";

/// Every line that says such a thing.
pub fn check(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, text) in house.texts().filter(|(path, _)| *path != THIS_FILE) {
        for (index, line) in text.lines().enumerate() {
            for forbidden in FORBIDDEN.iter().filter(|forbidden| names(line, forbidden.text)) {
                let sentence = format!("`{}` {}", forbidden.text, forbidden.reason);
                faults.push(Fault::on_line(path, index + 1, sentence));
            }
        }
    }
    faults
}

/// True where `text` stands in `line` by itself: `/work/` is a folder, `docs/work/` is not that folder.
fn names(line: &str, text: &str) -> bool {
    line.match_indices(text).any(|(start, _)| {
        let before = line.get(..start).and_then(|before| before.chars().next_back());
        !text.starts_with('/')
            || before.is_none_or(|letter| !(letter.is_alphanumeric() || "./-_}".contains(letter)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_in_a_lock_file_and_a_machine_s_folder_are_faults() {
        let house = House::of(&[
            ("package-lock.json", "{\n\"resolved\": \"https://registry.npmjs.org/a\"\n}"),
            ("scripts/run", "cd /work/main"),
        ]);
        let places: Vec<_> = check(&house).into_iter().map(|fault| fault.place).collect();
        assert_eq!(places, ["package-lock.json:2", "scripts/run:1"]);
    }

    #[test]
    fn relative_folders_of_that_name_pass() {
        let house = House::of(&[("scripts/run", "cd docs/work/main; cd ./root/a; $(X)/work")]);
        assert_eq!(check(&house), []);
    }
}
