//! `docs/workload-object.md` is written from the tables of the `workload` object; `UPDATE_GOLDEN=1`
//! writes it anew.

#![cfg(test)]

use std::fmt::Write;
use std::path::PathBuf;

use entente_expr::{RecordType, Type, workload};

const INTRODUCTION: &str = "\
# Expressions and the `workload` object

<!-- Written by `UPDATE_GOLDEN=1 cargo test -p entente-expr --test document`; do not edit. -->

Readiness checks, and every other file in which Entente is told *which workloads*, use expressions
such as

```text
workload.power == \"on\" && workload.disks.exists(d, d.mode.startsWith(\"independent\"))
```

The syntax is that of the [Common Expression Language](https://cel.dev) (CEL). Expressions are
checked when their file is loaded: an unknown attribute, a comparison of text with a number or a word
that an attribute never holds is an error with line, column and the nearest valid word.

## What can be written

| | |
|---|---|
| literals | `true`, `12`, `0.5`, `\"text\"`, `'text'`, `r\"\\d+\"`, `null`, `[\"a\", \"b\"]` |
| attributes | `workload.host.name`; keys of maps `workload.labels.team`, `workload.attributes[\"Cost Centre\"]`; elements `workload.disks[0]` |
| logic | `&&`, `\\|\\|`, `!`, `condition ? value : value` |
| comparison | `==`, `!=`, `<`, `<=`, `>`, `>=`; `x in [\"a\", \"b\"]`, `x in list`, `\"key\" in map` |
| numbers | `+`, `-`, `*`, `/`, `%`; `int(x)` and `double(x)` convert, which calculating with both kinds needs |
| text | `a + b`, `size(a)`, `a.startsWith(b)`, `a.endsWith(b)`, `a.contains(b)`, `a.lowerAscii()`, `a.matches(\"pattern\")` (a constant regular expression, found anywhere unless it has `^` and `$`) |
| lists | `size(list)`, `list.exists(it, condition)`, `list.all(it, condition)`, `list.exists_one(it, condition)`, `list.filter(it, condition)`, `list.map(it, result)` |
| presence | `has(workload.x)` |

## True, false and unknown

No source sees everything. An expression is true or false only where it is so **whatever the
unobserved attributes are**; otherwise it is unknown, and says which attributes are missing and why.

- `a && b` is false if either side is, `a || b` is true if either side is, even if the other is
  unknown.
- What is observed to be **absent** is `null`: no CPU limit, no vApp, a key that a map does not have.
  `x == null` and `has(x)` ask for it; null equals nothing else. Where a value is needed (`x > 3`,
  `x.contains(\"a\")`) null has none, and the result is unknown with the reason `absent`. Guard it:
  `has(workload.x) && workload.x > 3`.
- A list of which parts may be missing decides what the seen parts decide: `exists` is true if one
  seen element fulfils the condition, `all` false if one does not; `size(list) > 3` is true if more
  than three were seen. All else is unknown, with the name of the list.
- A cluster, host, datastore or network that is named but not described by any source has its name;
  its other attributes are unobserved.
- Overflow, division by zero, a list position that does not exist, and an expression that takes too
  many steps are unknown, with their reason.

Differences from CEL: `has(x)` is false for null, also where a record on the way is null; a missing
key reads as null instead of failing; `filter`, `map`, `exists_one` and list literals go on where
one element fails.
";

fn rows(record: &'static RecordType, document: &mut String, found: &mut Vec<&'static RecordType>) {
    document.push_str("\n| attribute | type | meaning |\n|---|---|---|\n");
    for attribute in &record.attributes {
        let inner = match &attribute.r#type {
            Type::Record(inner) => Some(*inner),
            Type::List(element) => match &**element {
                Type::Record(inner) => Some(*inner),
                _ => None,
            },
            _ => None,
        };
        if let Some(inner) = inner
            && !found.iter().any(|known| std::ptr::eq(*known, inner))
        {
            found.push(inner);
        }
        let null = if attribute.nullable { " or null" } else { "" };
        let words: Vec<String> = attribute.words.iter().map(|word| format!("`{word}`")).collect();
        let words = match words.as_slice() {
            [] => String::new(),
            words => format!(" One of {}.", words.join(", ")),
        };
        let (name, r#type, doc) = (attribute.name, &attribute.r#type, attribute.doc);
        writeln!(document, "| `{name}` | {type}{null} | {doc}{words} |").unwrap();
    }
}

#[test]
fn the_document_is_what_the_tables_say() {
    let mut document = INTRODUCTION.to_owned();
    let mut records = Vec::new();
    document.push_str("\n## `workload`\n");
    rows(workload::record_type(), &mut document, &mut records);
    for record in records.clone() {
        writeln!(document, "\n### {}", record.name).unwrap();
        rows(record, &mut document, &mut records);
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/workload-object.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, document).unwrap();
        return;
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), document);
}
