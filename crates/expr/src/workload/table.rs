//! How a kind of record is declared: one table of attributes with their types, their meaning and
//! where they are read, from which the type, the reading and the documentation come.

use crate::types::{AttributeType, RecordType, Type};

/// Type, vocabulary and nullability of an attribute that has no name yet.
pub(super) struct Kind {
    r#type: Type,
    words: &'static [&'static str],
    nullable: bool,
}

impl Kind {
    fn of(r#type: Type) -> Self {
        Self { r#type, words: &[], nullable: false }
    }

    /// May be absent, which reads as `null`.
    pub fn or_null(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// The attribute `name`.
    pub fn named(self, name: &'static str, doc: &'static str) -> AttributeType {
        let Self { r#type, words, nullable } = self;
        AttributeType { name, r#type, words, nullable, doc }
    }
}

pub(super) fn bool() -> Kind {
    Kind::of(Type::Bool)
}

pub(super) fn int() -> Kind {
    Kind::of(Type::Int)
}

pub(super) fn double() -> Kind {
    Kind::of(Type::Double)
}

pub(super) fn text() -> Kind {
    Kind::of(Type::Text)
}

pub(super) fn texts() -> Kind {
    Kind::of(Type::list(Type::Text))
}

pub(super) fn map() -> Kind {
    Kind::of(Type::Map(Box::new(Type::Text)))
}

pub(super) fn record(record: &'static RecordType) -> Kind {
    Kind::of(Type::Record(record))
}

pub(super) fn records(record: &'static RecordType) -> Kind {
    Kind::of(Type::records(record))
}

/// Text of the fixed vocabulary `words`.
pub(super) fn one_of(words: &'static [&'static str]) -> Kind {
    Kind { words, ..text() }
}

/// Declares the attributes of a record: `name: kind => how it is read, "what it means";`.
macro_rules! attributes {
    ($record:ident is $name:literal;
     $($attribute:ident: $kind:expr => $get:expr, $doc:literal;)*) => {
        impl $record<'_> {
            /// The type of such a record.
            pub(super) fn record_type() -> &'static $crate::types::RecordType {
                static TYPE: std::sync::LazyLock<$crate::types::RecordType> =
                    std::sync::LazyLock::new(|| $crate::types::RecordType {
                        name: $name,
                        attributes: vec![$($kind.named(stringify!($attribute), $doc)),*],
                    });
                &TYPE
            }
        }

        impl $crate::value::Record for $record<'_> {
            fn attribute(&self, index: usize) -> $crate::value::Value<'_> {
                type Get = for<'r, 'e> fn(&'r $record<'e>) -> $crate::value::Value<'r>;
                const GET: &[Get] = &[$($get),*];
                GET.get(index).map_or($crate::value::Value::Absent, |get| get(self))
            }
        }
    };
}

pub(super) use attributes;
