//! Outside their homes, platforms are data: no name of one stands in code.
//!
//! Names count as whole words of identifiers and literals, whatever their case and however the word is
//! joined: `VCenter`, `vcenter_uuid`, `"Hyper-V"` and `HyperVisorOf` hold `vcenter`, `vcenter`, `hyperv`
//! and nothing. Comments, tests and files that are not Rust may say what they like.

use crate::rust::{Part, production_files, words};
use crate::{Fault, House};

/// Names of platforms and of their parts, in lower case and without joints.
const NAMES: &[&str] = &[
    "ahv",
    "esx",
    "esxi",
    "hyperv",
    "kubevirt",
    "kvm",
    "libvirt",
    "nsx",
    "nutanix",
    "openshift",
    "ovirt",
    "prism",
    "proxmox",
    "pve",
    "qemu",
    "rvtools",
    "vcenter",
    "vmware",
    "vsan",
    "vsphere",
    "xen",
    "xenserver",
];

/// A file, or a folder with all below it, where names of platforms may stand.
pub struct Home {
    /// Path from the root; folders end with a slash.
    pub path: &'static str,
    /// Why there.
    pub reason: &'static str,
}

/// Every home. One that needs no exception any more is a fault too.
pub const HOMES: &[Home] = &[
    Home { path: "crates/connect/", reason: "connectors are the code that talks to platforms" },
    Home { path: "crates/twins/", reason: "twins play platforms" },
    Home { path: "fuzz/", reason: "fuzz targets feed connectors and bear their names" },
    Home { path: "crates/xtask/", reason: "the list of names stands here" },
    Home {
        path: "crates/cli/src/arguments.rs",
        reason: "examples in the help show real targets and files",
    },
    Home {
        path: "crates/cli/src/demo.rs",
        reason: "the demonstration says which twin's export it writes",
    },
    Home {
        path: "crates/expr/src/workload/devices.rs",
        reason: "sentences about attributes quote values as platforms write them",
    },
    Home {
        path: "crates/expr/src/workload/infrastructure.rs",
        reason: "sentences about attributes quote values as platforms write them",
    },
    Home {
        path: "crates/readiness/src/licensing.rs",
        reason: "a vendor's licensing rule names the vendor and the one host model it does not count",
    },
    Home {
        path: "crates/readiness/src/migration_planner.rs",
        reason: "another product's score matches names of guest systems, one of them a vendor's own",
    },
];

/// Every name outside its home, and every home without a name.
pub fn check(house: &House) -> Vec<Fault> {
    check_with(house, HOMES)
}

fn check_with(house: &House, homes: &[Home]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut is_needed = vec![false; homes.len()];
    for (path, text) in production_files(house) {
        let home = homes.iter().position(|home| is_in(path, home));
        for word in words(text, Part::Production) {
            let Some(name) = platform_in(&word.text) else { continue };
            match home.and_then(|index| is_needed.get_mut(index)) {
                Some(needed) => *needed = true,
                None => {
                    let sentence = format!(
                        "names the platform `{name}` in `{}`: a platform is data outside the places \
                         that crates/xtask/src/checks/platform_names.rs lists with their reasons",
                        start(&word.text)
                    );
                    faults.push(Fault::on_line(path, word.line, sentence));
                }
            }
        }
    }
    for (home, needed) in homes.iter().zip(is_needed) {
        if !needed {
            let sentence =
                format!("needs no exception ({}): no platform is named there", home.reason);
            faults.push(Fault::at(home.path, sentence));
        }
    }
    faults
}

/// Enough of a literal to find it again.
fn start(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(60).collect()
}

fn is_in(path: &str, home: &Home) -> bool {
    if home.path.ends_with('/') { path.starts_with(home.path) } else { path == home.path }
}

/// The first name that some run of joined parts spells.
fn platform_in(text: &str) -> Option<&'static str> {
    text.split(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '-'))
        .find_map(|joined| {
            let parts = parts(joined);
            (0..parts.len()).find_map(|start| {
                let mut spelled = String::new();
                parts.iter().skip(start).find_map(|part| {
                    spelled.push_str(part);
                    NAMES.iter().find(|name| **name == spelled).copied()
                })
            })
        })
}

/// `VMwareTools_v2` → `v`, `mware`, `tools`, `v2`, in lower case.
fn parts(joined: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for piece in joined.split(['_', '-']).filter(|piece| !piece.is_empty()) {
        let letters: Vec<char> = piece.chars().collect();
        let mut part = String::new();
        for (index, letter) in letters.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|index| letters.get(index));
            let after = letters.get(index + 1);
            let starts_part = letter.is_uppercase()
                && (before.is_some_and(|letter| !letter.is_uppercase())
                    || after.is_some_and(|letter| letter.is_lowercase()));
            if starts_part && !part.is_empty() {
                parts.push(std::mem::take(&mut part));
            }
            part.extend(letter.to_lowercase());
        }
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_however_it_is_written() {
        for (text, name) in [
            ("VMwareTools", "vmware"),
            ("vcenter_uuid", "vcenter"),
            ("VCenter", "vcenter"),
            ("VSphereClient", "vsphere"),
            ("\"runs on Hyper-V\"", "hyperv"),
            ("HYPER_V", "hyperv"),
            ("\"an AHV cluster\"", "ahv"),
            ("RVTools", "rvtools"),
            ("ESXi", "esxi"),
            ("is_esxi", "esxi"),
        ] {
            assert_eq!(platform_in(text), Some(name), "{text}");
        }
    }

    #[test]
    fn other_words_that_hold_the_letters_pass() {
        for text in
            ["behaviour", "prismatic", "hypervisor", "HyperVisor", "approve", "unsx", "\"\""]
        {
            assert_eq!(platform_in(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_in_an_engine_is_a_fault_and_in_its_home_or_in_a_test_is_not() {
        let homes = [Home { path: "crates/connect/", reason: "talks to them" }];
        let house = House::of(&[
            ("crates/connect/src/a.rs", "const A: &str = \"vCenter\";"),
            ("crates/readiness/src/a.rs", "//! vCenter\nfn from_vcenter() {}"),
            ("crates/readiness/src/lib.rs", "#[cfg(test)] mod tests;"),
            ("crates/readiness/src/tests.rs", "fn from_vcenter() {}"),
            ("crates/readiness/src/b.rs", "#[cfg(test)] mod tests { fn nutanix() {} }"),
        ]);
        let faults = check_with(&house, &homes);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].place, "crates/readiness/src/a.rs:2");
        assert!(faults[0].sentence.contains("`from_vcenter`"));
    }

    #[test]
    fn an_exception_that_excuses_nothing_is_a_fault() {
        let homes = [Home { path: "crates/old.rs", reason: "was needed" }];
        let faults = check_with(&House::of(&[("crates/old.rs", "fn plain() {}")]), &homes);
        assert_eq!(faults[0].place, "crates/old.rs");
    }
}
