//! The words of a Rust file that reach the compiler: identifiers and literals, without comments,
//! without doc comments and without test modules.

use std::str::FromStr as _;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

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

/// True for a file that holds nothing but tests, by its path.
pub(crate) fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.split('/').any(|folder| folder == "tests")
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
}
