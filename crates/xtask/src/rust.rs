//! The words of a Rust file that reach the compiler: identifiers and literals, without comments,
//! without doc comments and without test modules.

use std::str::FromStr as _;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::House;

/// One identifier or literal as written, with its line (the first is 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// As written; literals keep their quotes.
    pub text: String,
    /// Line in the file.
    pub line: usize,
    /// True for the name in `name!(…)`.
    pub is_macro_call: bool,
}

/// Which part of a file is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Everything but `#[cfg(test)]` items.
    Production,
    /// Everything.
    Whole,
}

/// The words of `source`; a file that is no Rust yields none, since the compiler says so itself.
pub(crate) fn words(source: &str, part: Part) -> Vec<Word> {
    let mut words = Vec::new();
    if let Ok(stream) = TokenStream::from_str(source) {
        collect(stream, part, &mut words);
    }
    words
}

/// The identifiers between the delimiters of the first `name! …` of a file.
pub(crate) fn macro_arguments(source: &str, name: &str) -> Option<Vec<String>> {
    let trees: Vec<TokenTree> = TokenStream::from_str(source).ok()?.into_iter().collect();
    trees.windows(3).find_map(|window| match window {
        [TokenTree::Ident(ident), TokenTree::Punct(bang), TokenTree::Group(group)]
            if ident == name && bang.as_char() == '!' =>
        {
            let arguments = group.stream().into_iter().filter_map(|tree| match tree {
                TokenTree::Ident(ident) => Some(ident.to_string()),
                _ => None,
            });
            Some(arguments.collect())
        }
        _ => None,
    })
}

/// Every file of production code with its path: without tests and benchmarks, and without modules that
/// stand behind `#[cfg(test)]`.
pub(crate) fn production_files(house: &House) -> Vec<(&str, &str)> {
    let test_modules: Vec<String> =
        house.rust_files().flat_map(|(path, text)| test_modules(path, text)).collect();
    house
        .rust_files()
        .filter(|(path, _)| {
            let is_in = |folder: &str| path.split('/').any(|part| part == folder);
            let is_test_module = test_modules.iter().any(|module| {
                *path == format!("{module}.rs") || path.starts_with(&format!("{module}/"))
            });
            !is_in("tests") && !is_in("benches") && !is_test_module
        })
        .collect()
}

/// The modules that a file declares with `#[cfg(test)] mod name;`, as paths without `.rs`.
fn test_modules(path: &str, source: &str) -> Vec<String> {
    let Ok(stream) = TokenStream::from_str(source) else { return Vec::new() };
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let below = match file {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => path.trim_end_matches(".rs").to_owned(),
    };
    let mut modules = Vec::new();
    let mut is_test = false;
    let mut elsewhere = None;
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                if let Some(TokenTree::Group(attribute)) = trees.next_if(is_attribute) {
                    is_test |= is_test_only(&attribute);
                    elsewhere = elsewhere.or_else(|| path_attribute(&attribute));
                }
            }
            TokenTree::Ident(word) if word == "mod" && is_test => {
                if let Some(TokenTree::Ident(name)) = trees.next() {
                    modules.push(match elsewhere.take() {
                        Some(file) => format!("{folder}/{}", file.trim_end_matches(".rs")),
                        None => format!("{below}/{name}"),
                    });
                }
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => {
                is_test = false;
                elsewhere = None;
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                is_test = false;
                elsewhere = None;
            }
            _ => {}
        }
    }
    modules
}

/// The file in `#[path = "file.rs"]`.
fn path_attribute(attribute: &Group) -> Option<String> {
    let trees: Vec<TokenTree> = attribute.stream().into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Ident(name), TokenTree::Punct(_), TokenTree::Literal(file)]
            if name == "path" =>
        {
            Some(file.to_string().trim_matches('"').to_owned())
        }
        _ => None,
    }
}

fn collect(stream: TokenStream, part: Part, words: &mut Vec<Word>) {
    let mut trees = stream.into_iter().peekable();
    let mut skips_item = false;
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                if let Some(TokenTree::Punct(bang)) = trees.peek()
                    && bang.as_char() == '!'
                {
                    trees.next();
                }
                if let Some(TokenTree::Group(attribute)) = trees.next_if(is_attribute) {
                    skips_item |= part == Part::Production && is_test_only(&attribute);
                    if !is_documentation(&attribute) && !skips_item {
                        collect(attribute.stream(), part, words);
                    }
                }
            }
            // The end of the item that `#[cfg(test)]` stands on: its body or its semicolon.
            TokenTree::Group(group) if skips_item && group.delimiter() == Delimiter::Brace => {
                skips_item = false;
            }
            TokenTree::Punct(punct) if skips_item && punct.as_char() == ';' => skips_item = false,
            _ if skips_item => {}
            TokenTree::Group(group) => collect(group.stream(), part, words),
            TokenTree::Ident(ident) => {
                let is_macro_call = matches!(
                    trees.peek(),
                    Some(TokenTree::Punct(bang)) if bang.as_char() == '!'
                );
                let line = ident.span().start().line;
                words.push(Word { text: ident.to_string(), line, is_macro_call });
            }
            TokenTree::Literal(literal) => {
                let line = literal.span().start().line;
                words.push(Word { text: literal.to_string(), line, is_macro_call: false });
            }
            TokenTree::Punct(_) => {}
        }
    }
}

fn is_attribute(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
}

fn is_documentation(attribute: &Group) -> bool {
    let first = attribute.stream().into_iter().next();
    matches!(first, Some(TokenTree::Ident(ident)) if ident == "doc")
}

fn is_test_only(attribute: &Group) -> bool {
    attribute.stream().to_string().replace(' ', "") == "cfg(test)"
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
//! vendor_in_a_module_comment
#![deny(lint_name)]
/// vendor_in_a_comment
#[derive(Clone)]
struct Name; // vendor_in_a_line_comment
const TEXT: &str = "a literal";
#[cfg(test)]
use gone::entirely;
#[cfg(test)]
mod tests { fn vendor_in_a_test() { todo!() } }
fn last() { todo!() }
"#;

    fn texts(part: Part) -> Vec<String> {
        words(SOURCE, part).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn comments_and_test_modules_are_left_out_and_what_follows_them_is_not() {
        let texts = texts(Part::Production);
        assert!(texts.iter().all(|text| !text.contains("vendor")), "{texts:?}");
        assert!(!texts.contains(&"gone".into()), "{texts:?}");
        for kept in ["lint_name", "Clone", "\"a literal\"", "last"] {
            assert!(texts.contains(&kept.into()), "{kept} is missing from {texts:?}");
        }
    }

    #[test]
    fn the_whole_file_has_its_tests_but_not_its_comments() {
        let texts = texts(Part::Whole);
        assert!(texts.contains(&"vendor_in_a_test".into()));
        assert!(!texts.iter().any(|text| text.contains("comment")), "{texts:?}");
    }

    #[test]
    fn macro_calls_are_told_from_names_and_lines_count_from_one() {
        let calls: Vec<_> = words(SOURCE, Part::Production)
            .into_iter()
            .filter(|word| word.is_macro_call)
            .map(|word| (word.text, word.line))
            .collect();
        assert_eq!(calls, [("todo".to_owned(), 12)]);
    }

    #[test]
    fn arguments_of_a_registry_line_are_read() {
        let source = "mod a; connectors! { alpha, beta }";
        assert_eq!(macro_arguments(source, "connectors").unwrap(), ["alpha", "beta"]);
        assert_eq!(macro_arguments("fn main() {}", "connectors"), None);
    }

    #[test]
    fn modules_behind_a_test_attribute_are_no_production_code() {
        let house = House::of(&[
            ("crates/a/src/lib.rs", "#[cfg(test)]\nmod sample;\nmod real;\nmod other;"),
            ("crates/a/src/sample.rs", ""),
            ("crates/a/src/sample/part.rs", ""),
            ("crates/a/src/real.rs", "#[cfg(test)]\n#[path = \"real_tests.rs\"]\nmod tests;"),
            ("crates/a/src/real_tests.rs", ""),
            ("crates/a/src/other.rs", "#[cfg(test)]\nmod tests {}\n#[cfg(test)]\nmod cases;"),
            ("crates/a/src/other/cases.rs", ""),
            ("crates/a/tests/whole.rs", ""),
        ]);
        let paths: Vec<_> = production_files(&house).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["crates/a/src/lib.rs", "crates/a/src/other.rs", "crates/a/src/real.rs"]);
    }
}
