//! Answers to queries, and what can be asked, for people and for programs.

use std::io::{self, Write};

use entente_store::query::{Datum, Example, QueryResult, Reached, View};
use serde::Serialize;
use serde_json::Value;

use super::Screens;
use super::remembered::{cell, fact};
use super::summary::{grouped, size};
use super::table::{Style, Table};

/// What a query answered.
pub struct Answer(QueryResult);

impl Answer {
    /// Of a query.
    pub fn of(answer: QueryResult) -> Self {
        Self(answer)
    }
}

/// Which limit an answer reached, in words.
pub fn reached(reached: Reached) -> String {
    match reached {
        Reached::Rows(rows) => format!("there are more than {} rows", grouped(rows.into())),
        Reached::Bytes(bytes) => format!("the answer is longer than {}", size(bytes)),
        Reached::Time(time) => format!("it takes longer than {} s", time.as_secs()),
        Reached::Memory => "it takes too much memory".into(),
    }
}

fn datum(it: &Datum) -> Value {
    match it {
        Datum::Null => Value::Null,
        Datum::Boolean(value) => Value::from(*value),
        Datum::Integer(value) => Value::from(*value),
        Datum::Real(value) => Value::from(*value),
        Datum::Text(value) => Value::from(value.as_str()),
    }
}

impl Serialize for Answer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = |row: &Vec<Datum>| -> serde_json::Map<String, Value> {
            self.0.columns.iter().cloned().zip(row.iter().map(datum)).collect()
        };
        serializer.collect_seq(self.0.rows.iter().map(row))
    }
}

impl Screens for Answer {
    fn screens(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::of(self.0.columns.clone());
        for row in &self.0.rows {
            table.cells(row.iter().map(|it| fact(&datum(it))).collect());
        }
        table.write(style, out)?;
        writeln!(out, "\n{} rows", grouped(self.0.rows.len() as u64))
    }

    fn rows(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut rows = csv::Writer::from_writer(out);
        rows.write_record(&self.0.columns)?;
        for row in &self.0.rows {
            rows.write_record(row.iter().map(|it| cell(&datum(it))))?;
        }
        rows.flush()
    }
}

/// Views and their columns.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Views {
    columns: Vec<ViewColumn>,
}

#[derive(Serialize)]
struct ViewColumn {
    view: &'static str,
    column: &'static str,
    unit: &'static str,
    meaning: &'static str,
}

impl Views {
    /// Of the catalogue.
    pub fn of(views: Vec<View>) -> Self {
        let columns = views.into_iter().flat_map(|view| {
            let name = view.name;
            let column = move |it: entente_store::query::ViewColumn| ViewColumn {
                view: name,
                column: it.name,
                unit: it.unit,
                meaning: it.meaning,
            };
            view.columns.into_iter().map(column)
        });
        Self { columns: columns.collect() }
    }
}

impl Screens for Views {
    fn screens(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(&["view", "column", "unit", "meaning"]);
        for it in &self.columns {
            table.row([it.view, it.column, it.unit, it.meaning].map(str::to_owned));
        }
        table.write(style, out)
    }

    fn rows(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut rows = csv::Writer::from_writer(out);
        for it in &self.columns {
            rows.serialize(it)?;
        }
        rows.flush()
    }
}

/// Queries that come along.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Examples {
    examples: Vec<ExampleLine>,
}

#[derive(Serialize)]
struct ExampleLine {
    name: &'static str,
    answers: &'static str,
    sql: &'static str,
}

impl Examples {
    /// All of them.
    pub fn of(examples: &[Example]) -> Self {
        let line = |it: &Example| ExampleLine { name: it.name, answers: it.answers, sql: it.sql };
        Self { examples: examples.iter().map(line).collect() }
    }
}

impl Screens for Examples {
    fn screens(&self, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let mut table = Table::new(&["example", "answers"]);
        for it in &self.examples {
            table.row([it.name, it.answers].map(str::to_owned));
        }
        table.write(style, out)
    }

    fn rows(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut rows = csv::Writer::from_writer(out);
        for it in &self.examples {
            rows.serialize(it)?;
        }
        rows.flush()
    }
}
