//! The views that queries are asked over, with what their columns mean.

use std::fmt::Write as _;
use std::sync::OnceLock;

use super::words::FUNCTIONS;
use crate::tables::further::FURTHER_VIEWS;
use crate::tables::schema::tables;
use crate::tables::{ColumnInfo, ColumnType};

/// A view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Its name.
    pub name: &'static str,
    /// What its rows are.
    pub meaning: &'static str,
    /// Its columns, in their order.
    pub columns: Vec<ViewColumn>,
}

/// A column of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewColumn {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnType,
    /// The unit of its numbers; empty where there is none.
    pub unit: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// Every view, in the order of the documentation.
pub fn catalogue() -> Vec<View> {
    all().to_vec()
}

pub(super) fn all() -> &'static [View] {
    static ALL: OnceLock<Vec<View>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut views: Vec<View> = tables()
            .into_iter()
            .map(|it| of(it.name, it.meaning, it.columns.iter().chain(&it.samples)))
            .collect();
        views.extend(FURTHER_VIEWS.iter().map(|it| of(it.name, it.meaning, it.columns.iter())));
        views.sort_by_key(|it| it.name);
        views
    })
}

fn of<'a>(
    name: &'static str,
    meaning: &'static str,
    columns: impl Iterator<Item = &'a ColumnInfo>,
) -> View {
    let column = |it: &ColumnInfo| ViewColumn {
        name: it.name,
        kind: it.kind,
        unit: it.unit,
        meaning: it.meaning,
    };
    let mut columns: Vec<ViewColumn> = columns.map(column).collect();
    columns.push(ViewColumn {
        name: "unobserved",
        kind: ColumnType::Text,
        unit: "",
        meaning: UNOBSERVED,
    });
    View { name, meaning, columns }
}

/// What the last column of every view means.
const UNOBSERVED: &str = "Which values nobody knows, and why: ` power=no-permission `; a null that is not named here was observed to be absent";

/// The view of a name.
pub(super) fn view(name: &str) -> Option<&'static View> {
    all().iter().find(|it| it.name == name)
}

/// `docs/sql.md`.
pub fn page() -> String {
    let mut page = String::from(HEAD);
    for view in all() {
        let _ = write!(page, "\n### {}\n\n{}.\n\n", view.name, view.meaning);
        page.push_str("| column | holds | unit | meaning |\n|--|--|--|--|\n");
        for column in &view.columns {
            let unit = if column.unit.is_empty() { "–" } else { column.unit };
            let _ = writeln!(
                page,
                "| `{}` | {} | {unit} | {} |",
                column.name,
                column.kind.as_str(),
                column.meaning
            );
        }
    }
    page.push_str("\n## Functions\n\n| function | gives |\n|--|--|\n");
    for function in FUNCTIONS {
        let _ = writeln!(page, "| `{}` | {} |", function.name, function.meaning);
    }
    page.push_str("\n## Examples\n\n`entente query --example NAME` runs one.\n\n| name | what it answers |\n|--|--|\n");
    for example in super::examples() {
        let _ = writeln!(page, "| `{}` | {} |", example.name, example.answers);
    }
    page
}

const HEAD: &str = "# SQL over the estate

Generated from the tables; do not edit.

`entente query \"select …\"` asks over the views below: the latest of everything, or what was known as of a
time. One `select` runs, with common table expressions, joins, subqueries, aggregates, window functions and
`union`, `intersect`, `except`; nothing else does, on a connection that can only read. The same query gives
the same answer on SQLite and on PostgreSQL.

- A null says too little: the column `unobserved` of the same row names every value that nobody knows, and
  why. `is_unobserved(column)`, `is_absent(column)` and `why(column)` read it.
- Times are text such as `2026-03-01T06:00:00Z`, to be compared as text; without a `Z` the platform told no
  zone, and the time is right to about a day.
- `like` tells capital from small letters, `ilike` does not; `\\` makes `_` and `%` ordinary letters.
- Rows without a value come last, unless the query says otherwise. Division by zero gives null.
- Where two readers of a platform tell of the same thing, the row is that of the reader which stands by
  [decision 12](decisions/0012-precedence.md), whole: a fact that it did not observe is null, though another
  one told it. `entente estate`, `show` and `assess` fill such facts; they also put together a platform that two
  sources name differently, leave out what only an export shows and a later whole log-in does not, and show a
  machine that moved where it is now alone. Here all of these are rows of their own.
- Rows, time, memory and the size of the answer have limits; the answer says when it reached one.

## Views
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::words::is_name;

    #[test]
    fn every_name_can_be_written_as_it_is() {
        for view in all() {
            assert!(is_name(view.name), "{}", view.name);
            for column in &view.columns {
                assert!(is_name(column.name), "{}.{}", view.name, column.name);
            }
        }
    }

    #[test]
    fn the_page_is_what_the_tables_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/sql.md");
        let page = page();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == page, "docs/sql.md is out of date: run with UPDATE_GOLDEN=1");
    }
}
