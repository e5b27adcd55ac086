//! Any text as an expression: compiling it, and evaluating it where it compiles, must neither panic
//! nor hang nor overflow the stack. The record under it mixes the observed, the absent and the
//! unobserved.

#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use entente_expr::{
    AttributeType, Environment, Expression, Record, RecordType, Truth, Type, Value,
};
use entente_model::{Listing, Text, Why};
use libfuzzer_sys::fuzz_target;

struct Machine {
    disks: Listing<Disk>,
    tags: Listing<Text>,
    labels: BTreeMap<Text, Text>,
}

struct Disk(Value<'static>);

static DISK: LazyLock<RecordType> = LazyLock::new(|| RecordType {
    name: "disk",
    attributes: vec![AttributeType::new("size", Type::Int, "").nullable()],
});

static MACHINE: LazyLock<RecordType> = LazyLock::new(|| RecordType {
    name: "machine",
    attributes: vec![
        AttributeType::new("on", Type::Bool, ""),
        AttributeType::new("safe", Type::Bool, ""),
        AttributeType::new("cpus", Type::Int, ""),
        AttributeType::new("cap", Type::Int, "").nullable(),
        AttributeType::new("load", Type::Double, ""),
        AttributeType::new("name", Type::Text, ""),
        AttributeType::new("kind", Type::Text, "").words(&["plain", "fancy"]),
        AttributeType::new("host", Type::Record(&DISK), "").nullable(),
        AttributeType::new("disks", Type::records(&DISK), ""),
        AttributeType::new("tags", Type::list(Type::Text), ""),
        AttributeType::new("labels", Type::Map(Box::new(Type::Text)), ""),
    ],
});

impl Record for Machine {
    fn attribute(&self, index: usize) -> Value<'_> {
        match index {
            0 => Value::Bool(true),
            1 | 7 => Value::Unobserved(Why::SourceLimit),
            2 => Value::Int(i64::MAX),
            3 => Value::Absent,
            4 => Value::Double(0.5),
            5 => Value::Text("Ångström"),
            6 => Value::Text("plain"),
            8 => Value::List(&self.disks),
            9 => Value::List(&self.tags),
            _ => Value::Map(&self.labels),
        }
    }
}

impl Record for Disk {
    fn attribute(&self, _index: usize) -> Value<'_> {
        self.0
    }
}

static ENVIRONMENT: LazyLock<Environment> =
    LazyLock::new(|| Environment::new().with_root("m", &MACHINE));

fuzz_target!(|source: &str| {
    let expression = match Expression::compile(source, &ENVIRONMENT) {
        Ok(expression) => expression,
        Err(diagnostics) => {
            assert!(!diagnostics.is_empty());
            for diagnostic in diagnostics {
                let _ = diagnostic.render(source);
            }
            return;
        }
    };
    let sizes = [Value::Int(1), Value::Absent, Value::Unobserved(Why::Blank)];
    let machine = Machine {
        disks: Listing::incomplete(sizes.into_iter().map(Disk).collect(), Why::CallFailed),
        tags: Listing::complete(vec!["a".into(), "b".into(), "a".repeat(300).into()]),
        labels: BTreeMap::from([("team".into(), "blue".into())]),
    };
    let answer = expression.evaluate(&[&machine]);
    assert_eq!(matches!(answer, Truth::Unknown(_)), !answer.missing().is_empty());
});
