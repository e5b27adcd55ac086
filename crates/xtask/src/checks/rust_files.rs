//! What every Rust file owes its reader: `//!` on its first line, and an end in sight.

use crate::{Fault, House};

/// A file at this length wants splitting; the aim is 600.
const LINES_MAX: usize = 800;

/// Rust files without an introduction, and those that are too long.
pub fn check(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, text) in house.rust_files() {
        if !text.starts_with("//!") {
            faults.push(Fault::on_line(path, 1, "does not begin with `//!` and what it is"));
        }
        let lines = text.lines().count();
        if lines >= LINES_MAX {
            let sentence = format!("has {lines} lines; split files before {LINES_MAX}");
            faults.push(Fault::at(path, sentence));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_introduction_and_one_without_end_are_faults() {
        let long = "//! long\n".repeat(LINES_MAX);
        let nearly = "//! long\n".repeat(LINES_MAX - 1);
        let house = House::of(&[
            ("a.rs", "fn main() {}"),
            ("b.rs", &long),
            ("c.rs", &nearly),
            ("d.md", "not Rust"),
        ]);
        let places: Vec<_> = check(&house).into_iter().map(|fault| fault.place).collect();
        assert_eq!(places, ["a.rs:1", "b.rs"]);
    }
}
