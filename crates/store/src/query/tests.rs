//! The guard alone: what passes it means the same when it is read again, whatever was done to it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use proptest::prelude::*;
use sqlparser::ast::{Expr, Statement, visit_expressions, visit_relations};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use time::macros::datetime;

use super::guard::{Checked, Target, Terms, check};
use super::words::{FUNCTIONS, is_name};
use super::{QueryError, catalogue, examples};

fn guard(sql: &str, target: Target) -> Result<Checked, QueryError> {
    check(
        sql,
        Terms { target, now: datetime!(2026-03-01 06:00 UTC), rows_max: None, has_findings: false },
    )
}

fn written(sql: &str, target: Target) -> String {
    guard(sql, target).unwrap_or_else(|error| panic!("{sql}: {error}")).sql
}

/// What must hold of everything that is sent to an engine.
fn must_hold(sql: &str, target: Target) {
    let statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap();
    assert!(matches!(statements.as_slice(), [Statement::Query(_)]), "{sql}");
    let views: BTreeSet<String> = catalogue().iter().map(|it| format!("q_{}", it.name)).collect();
    let tables = visit_relations(&statements, |name| {
        let name = name.to_string();
        match views.contains(&name) || name.starts_with("c_") {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(name),
        }
    });
    assert_eq!(tables, ControlFlow::Continue(()), "{sql}");
    let own = ["strpos", "group_concat", "unixepoch", "trunc"];
    let functions = visit_expressions(&statements, |expression| match expression {
        Expr::Function(call) => {
            let name = call.name.to_string();
            match FUNCTIONS.iter().any(|it| it.name == name) || own.contains(&name.as_str()) {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(name),
            }
        }
        _ => ControlFlow::Continue(()),
    });
    assert_eq!(functions, ControlFlow::Continue(()), "{sql} for {target:?}");
}

#[test]
fn every_example_passes_and_means_the_same_when_read_again() {
    for example in examples() {
        let plain = written(example.sql, Target::Plain);
        assert_eq!(written(&plain, Target::Plain), plain, "{}", example.name);
        for target in [Target::Sqlite, Target::Postgres] {
            assert_eq!(written(&plain, target), written(example.sql, target), "{}", example.name);
            must_hold(&written(example.sql, target), target);
        }
        assert!(
            example.answers.ends_with(['.', '"']) && example.answers.len() > 20,
            "{}",
            example.name
        );
    }
}

#[test]
fn what_is_sent_is_what_was_understood() {
    let sql = "SELECT w.\"NAME\", Count(*) -- how many\nfrom WORKLOADS w where power='on' and name like 'a\\_%' group by 1 order by 2 desc, name limit 7";
    assert_eq!(
        written(sql, Target::Sqlite),
        "select w.name as name, count(*) as count from q_workloads as w where ((power = 'on') and (name like 'a\\_%' escape '\\')) group by 1 order by 2 desc nulls last, name nulls last limit 7"
    );
    // Texts that a printer might break out of.
    for text in ["'\\'' or 1=1 --'", "''''''", "'\\'", "'a'';drop table x;--'", "'\\''''\\'"] {
        let Ok(checked) = guard(&format!("select {text} as t"), Target::Postgres) else { continue };
        let again = guard(&checked.sql, Target::Postgres).unwrap();
        assert_eq!(again.sql, checked.sql, "{text}");
        let rest = checked.sql.strip_prefix("select '").unwrap().strip_suffix("' as t").unwrap();
        assert!(!rest.replace("''", "").contains('\''), "{text}");
    }
}

#[test]
fn a_fault_is_told_with_its_place_and_the_nearest_word() {
    let told = |sql: &str| {
        let error = guard(sql, Target::Sqlite).unwrap_err();
        format!("{} {error}; {}", error.code(), error.hint())
    };
    assert_eq!(
        told("select name\nfrom workload"),
        "ENT-0422 there is no view `workload` in line 2, column 6; did you mean `workloads`?"
    );
    assert_eq!(
        told("select w.nmae from workloads w"),
        "ENT-0422 there is no column `nmae` in line 1, column 10; did you mean `name`?"
    );
    assert_eq!(
        told("select lenght(name) from workloads"),
        "ENT-0422 there is no function `lenght` in line 1, column 8; did you mean `length`?"
    );
    assert!(told("select name from").starts_with("ENT-0420 the query cannot be read"));
    assert!(told("select 1; select 2").contains("more than one statement"));
    assert!(told("delete from workloads").contains("`delete` is no `select`"));
    assert!(told("select current_timestamp").contains("did you mean `now()`?"));
}

#[test]
fn what_is_large_or_deep_is_refused_not_run_into() {
    let long = format!("select {} from workloads", vec!["name"; 20_000].join(", "));
    assert!(guard(&long, Target::Sqlite).is_err());
    let deep = format!("select {}1{}", "(".repeat(2_000), ")".repeat(2_000));
    assert!(guard(&deep, Target::Sqlite).is_err());
    let nots = format!("select {} true", "not ".repeat(2_500));
    assert!(guard(&nots, Target::Sqlite).is_err());
    // A long chain is no deep nesting.
    let chain = |length: usize| {
        format!("select 1 from workloads where {}", vec!["name = 'a'"; length].join(" or "))
    };
    assert!(guard(&chain(1_400), Target::Sqlite).is_ok());
    must_hold(&written(&chain(30), Target::Sqlite), Target::Sqlite);
    let mixed = format!("select 1{}", " - 1 + 1".repeat(1_400));
    assert!(guard(&mixed, Target::Sqlite).is_err());
    let hidden = format!("select array[1{}]", " - 1 + 1".repeat(1_400));
    assert!(guard(&hidden, Target::Sqlite).is_err());
    let deleted = format!("delete from x where 1{}", " - 1 + 1".repeat(1_400));
    assert!(guard(&deleted, Target::Sqlite).is_err());
    let unions = vec!["select 1"; 20].join(" union all ");
    must_hold(&written(&unions, Target::Postgres), Target::Postgres);
    let doubling = "with a as (select name || name || name || name || name || name || name || name as n from hosts), b as (select n || n || n || n || n || n || n || n as n from a), c as (select n || n || n || n || n || n || n || n as n from b), d as (select n || n || n || n || n || n || n || n as n from c), e as (select n||n as n from d) select n from e";
    assert!(guard(doubling, Target::Sqlite).unwrap_err().to_string().contains("too often"));
}

#[test]
fn no_word_of_sql_becomes_a_name() {
    for word in sqlparser::keywords::ALL_KEYWORDS {
        let word = word.to_lowercase();
        let sql = format!(
            "select \"{word}\" from (select name as \"{word}\" from hosts) x order by \"{word}\""
        );
        assert_eq!(guard(&sql, Target::Sqlite).is_ok(), is_name(&word), "{word}");
    }
}

/// Pieces of which queries are made: good ones, bad ones, and what stands between.
const PIECES: &[&str] = &[
    "select",
    "from",
    "workloads",
    "disks d",
    "where",
    "name",
    "w.name",
    "power = 'on'",
    "and",
    "(",
    ")",
    ",",
    "count(*)",
    "group by",
    "order by",
    "limit 5",
    "with x as (",
    "union all",
    "join",
    "on",
    "x",
    "'",
    "\"",
    "--",
    "/*",
    "*/",
    ";",
    "\\",
    "''",
    "sqlite_master",
    "pg_catalog.pg_class",
    "load_extension('a')",
    "pg_sleep(9)",
    "*",
    "attach",
    "pragma",
    "||",
    "::text",
    "cast(",
    "as",
    "case when",
    "then",
    "end",
    "null",
    "1",
    "= any",
    "$1",
    "?",
    "E'\\''",
    "U&'x'",
    "$$",
    "{",
    "}",
    "[",
    "]",
    "@>",
    "~",
    "->>",
    "lateral",
    "values (1)",
    "into t",
    "for update",
    "is_absent(name)",
    "why(w.power)",
    "days_ago(3)",
    "over (",
    "partition by",
    "filter (where",
    "exists (",
    "not",
    "in (",
    "between",
    "like",
    "ilike",
    "escape",
    "as \"x\"",
    "distinct",
    "having",
    "intersect",
    "except",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn an_example_that_was_tampered_with_is_refused_or_means_only_what_it_may(
        number in 0_usize..100,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..4, 0..PIECES.len()), 1..6),
    ) {
        let all = examples();
        let mut words: Vec<&str> = all[number % all.len()].sql.split_inclusive([' ', ',', '(', ')', '\n']).collect();
        for (at, what, piece) in edits {
            let at = at.index(words.len());
            match what {
                0 => { words.remove(at); }
                1 => words.insert(at, PIECES[piece]),
                2 => words[at] = PIECES[piece],
                _ => { let other = words.len() - 1 - at; words.swap(at, other); }
            }
            if words.is_empty() { words.push("select 1"); }
        }
        let sql = words.join(" ");
        if let Ok(plain) = guard(&sql, Target::Plain) {
            prop_assert_eq!(&written(&plain.sql, Target::Plain), &plain.sql);
            for target in [Target::Sqlite, Target::Postgres] {
                must_hold(&written(&sql, target), target);
            }
        }
    }

    #[test]
    fn anything_else_is_read_without_harm(pieces in proptest::collection::vec(0..PIECES.len(), 1..25), noise in ".{0,20}") {
        let words: Vec<&str> = pieces.iter().map(|it| PIECES[*it]).collect();
        let sql = format!("select {} {noise}", words.join(" "));
        for target in [Target::Sqlite, Target::Postgres] {
            if let Ok(checked) = guard(&sql, target) {
                must_hold(&checked.sql, target);
            }
        }
    }
}
