//! What is said of mistakes. The texts are in `diagnostics.txt`; `UPDATE_GOLDEN=1` writes it anew.

#![cfg(test)]

use std::path::PathBuf;

use entente_expr::{
    CHAIN_MAX, Diagnostic, Environment, Expression, NESTING_MAX, SOURCE_BYTES_MAX, workload,
};

fn compile(source: &str) -> Result<Expression, Vec<Diagnostic>> {
    let environment = Environment::new().with_root("workload", workload::record_type());
    Expression::compile(source, &environment)
}

#[test]
fn every_mistake_is_explained_at_its_place() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics.txt");
    let golden = std::fs::read_to_string(&path).unwrap();
    let mut fresh = String::new();
    for case in golden.split("\n\n=== ") {
        let case = case.trim_start_matches("=== ").trim_end();
        let lines: Vec<&str> = case.split('\n').collect();
        let more = lines.iter().skip(1).take_while(|line| line.starts_with("=== ")).count();
        let source = lines[..=more].join("\n").replace("=== ", "");
        let said: String = match compile(&source) {
            Ok(_) => "no mistake\n".to_owned(),
            Err(diagnostics) => diagnostics.iter().map(|it| it.render(&source)).collect(),
        };
        let blank = if fresh.is_empty() { "" } else { "\n" };
        fresh.push_str(&format!("{blank}=== {}\n{said}", source.replace('\n', "\n=== ")));
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, fresh).unwrap();
        return;
    }
    assert_eq!(fresh, golden);
}

#[track_caller]
fn check_refused(source: &str, message: &str) {
    match compile(source) {
        Ok(_) => panic!("not refused: {message}"),
        Err(diagnostics) => {
            assert!(diagnostics[0].message.contains(message), "{}", diagnostics[0]);
        }
    }
}

#[test]
fn hostile_sources_are_refused_before_they_can_do_harm() {
    let nested = |depth: usize| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
    assert!(compile(&nested(NESTING_MAX)).is_ok());
    check_refused(&nested(NESTING_MAX + 1), "nested more than 32 levels");
    check_refused(&"(".repeat(5000), "nested more than 32 levels");
    check_refused(&"[".repeat(5000), "nested more than 32 levels");
    check_refused(&"size(".repeat(3000), "nested more than 32 levels");
    check_refused(&format!("{}true", "true ? true : ".repeat(1000)), "nested more than 32 levels");

    let sum = |terms: usize| format!("{} > 0", vec!["1"; terms].join("+"));
    assert!(compile(&sum(CHAIN_MAX)).is_ok());
    check_refused(&sum(CHAIN_MAX + 1), "more than 256 operators in a row");
    check_refused(&format!("x{}", "[0]".repeat(5000)), "more than 256 operators in a row");
    check_refused(&format!("x{}", ".f()".repeat(4000)), "more than 256 operators in a row");
    check_refused(&format!("{}true", "!".repeat(10_000)), "more than 256 operators in a row");
    check_refused(&vec!["1"; 5000].join("=="), "more than 256 operators in a row");

    let padding = " ".repeat(SOURCE_BYTES_MAX - 4);
    assert!(compile(&format!("{padding}true")).is_ok());
    check_refused(&format!("{padding} true"), "the limit is 16384 bytes");
    check_refused(&format!("1 in [{}]", vec!["1"; 5000].join(",")), "more than 4096 parts");
    check_refused("workload.name.matches(\"(a{1000}){1000}\")", "not a regular expression");
}

#[test]
fn long_but_plain_expressions_are_fine() {
    let either = vec!["workload.vcpus == 1"; 500].join(" || ");
    assert!(compile(&either).is_ok());
    let names: Vec<String> = (0..1500).map(|name| format!("\"{name}\"")).collect();
    assert!(compile(&format!("workload.name in [{}]", names.join(", "))).is_ok());
}
