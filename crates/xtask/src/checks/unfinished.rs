//! Nothing is left for later in silence: no `todo!`, no `unimplemented!`, no `#[ignore]` without a reason.

use crate::rust::{Part, words};
use crate::{Fault, House};

/// Macros that stand for code that is not there.
const PLACEHOLDERS: [&str; 2] = ["todo", "unimplemented"];

/// Every placeholder and every test that is switched off without a word.
pub fn check(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, text) in house.rust_files() {
        for word in words(text, Part::Whole) {
            if word.is_macro_call && PLACEHOLDERS.contains(&word.text.as_str()) {
                let sentence = format!("`{}!` stands for code that is not there", word.text);
                faults.push(Fault::on_line(path, word.line, sentence));
            }
        }
        for (index, line) in text.lines().enumerate() {
            if line.trim() == "#[ignore]" {
                let sentence = "`#[ignore]` needs a reason: `#[ignore = \"…\"]`";
                faults.push(Fault::on_line(path, index + 1, sentence));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_faults_in_code_and_in_tests_but_not_in_comments() {
        let house = House::of(&[(
            "a.rs",
            "//! todo!()\nfn a() { todo!() }\n#[cfg(test)]\nmod tests { fn b() { unimplemented!() } }\n",
        )]);
        let places: Vec<_> = check(&house).into_iter().map(|fault| fault.place).collect();
        assert_eq!(places, ["a.rs:2", "a.rs:4"]);
    }

    #[test]
    fn a_test_switched_off_without_a_word_is_a_fault() {
        let house = House::of(&[(
            "a.rs",
            "#[test]\n#[ignore]\nfn a() {}\n#[test]\n#[ignore = \"needs a display\"]\nfn b() {}\n",
        )]);
        assert_eq!(check(&house).len(), 1);
    }
}
