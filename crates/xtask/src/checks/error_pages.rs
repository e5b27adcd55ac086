//! Every code that an operator can see has a page in `docs/errors/`, and every page has its code.
//!
//! A page is `docs/errors/ENT-0101.md`. It begins with `# ENT-0101: ` and a sentence, and has the
//! headings of `HEADINGS` below in that order. Codes count in code, not in comments and not in tests.

use std::collections::BTreeMap;

use crate::rust::{Part, production_files, words};
use crate::{Fault, House};

/// Where pages live.
const PAGES: &str = "docs/errors/";
/// What every page answers.
const HEADINGS: [&str; 3] = ["## What happened", "## What to do", "## Example"];
/// `ENT-` and four digits.
const CODE_LENGTH: usize = 8;

/// Codes without a page, pages without a code, pages in another form.
pub fn check(house: &House) -> Vec<Fault> {
    let used = codes_in_code(house);
    let pages: BTreeMap<&str, &str> = house
        .texts()
        .filter_map(|(path, text)| Some((path.strip_prefix(PAGES)?.strip_suffix(".md")?, text)))
        .collect();
    let mut faults = Vec::new();
    for (code, place) in &used {
        if !pages.contains_key(code.as_str()) {
            faults.push(Fault::at(place, format!("`{code}` has no page {PAGES}{code}.md")));
        }
    }
    for (code, text) in pages {
        let path = format!("{PAGES}{code}.md");
        if !used.contains_key(code) {
            faults.push(Fault::at(&path, "is a page of a code that no code uses"));
        }
        faults.extend(form(code, text).map(|sentence| Fault::at(&path, sentence)));
    }
    faults
}

/// Code → the first place that uses it.
fn codes_in_code(house: &House) -> BTreeMap<String, String> {
    let mut codes = BTreeMap::new();
    for (path, text) in production_files(house) {
        for word in words(text, Part::Production) {
            for code in codes_in(&word.text) {
                codes.entry(code.to_owned()).or_insert_with(|| format!("{path}:{}", word.line));
            }
        }
    }
    codes
}

fn codes_in(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("ENT-").filter_map(|(start, _)| {
        let code = text.get(start..start + CODE_LENGTH)?;
        code.chars().skip("ENT-".len()).all(|letter| letter.is_ascii_digit()).then_some(code)
    })
}

fn form(code: &str, text: &str) -> Option<String> {
    let title = format!("# {code}: ");
    if !text.starts_with(&title) {
        return Some(format!("does not begin with `{title}` and a sentence"));
    }
    let found: Vec<_> = text.lines().filter(|line| line.starts_with("## ")).collect();
    (found != HEADINGS).then(|| format!("does not have the headings {}", HEADINGS.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# ENT-0101: gone\n\n## What happened\n\n## What to do\n\n## Example\n";

    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        check(&House::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_code_without_a_page_and_a_page_without_a_code_are_faults() {
        let code = ("crates/a/src/lib.rs", "\nconst GONE: &str = \"ENT-0101\";");
        let page = ("docs/errors/ENT-0101.md", PAGE);
        assert!(faults(&[code, page]).is_empty());
        let without_page = faults(&[code]);
        assert!(without_page[0].starts_with("crates/a/src/lib.rs:2: `ENT-0101` has no page"));
        assert!(faults(&[page])[0].contains("no code uses"));
        let commented = ("crates/a/src/lib.rs", "// ENT-0101");
        assert!(faults(&[commented, page])[0].contains("no code uses"));
    }

    #[test]
    fn a_page_in_another_form_is_a_fault() {
        let code = ("crates/a/src/lib.rs", "const GONE: &str = \"ENT-0101\";");
        let short = ("docs/errors/ENT-0101.md", "# ENT-0101: gone\n\n## What happened\n");
        assert!(faults(&[code, short])[0].contains("headings"));
        let untitled = ("docs/errors/ENT-0101.md", "# Gone\n");
        assert!(faults(&[code, untitled])[0].contains("does not begin with"));
    }
}
