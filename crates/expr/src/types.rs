//! What an expression may speak about: record types with their attributes, and the environment
//! that names them.

use std::fmt;

/// The type of a value in an expression.
#[derive(Clone, Debug)]
pub enum Type {
    /// True or false.
    Bool,
    /// A 64-bit whole number.
    Int,
    /// A 64-bit floating-point number.
    Double,
    /// Text.
    Text,
    /// A list.
    List(Box<Type>),
    /// A map from text.
    Map(Box<Type>),
    /// A record with named attributes.
    Record(&'static RecordType),
    /// `null`: an observed absence.
    Null,
    /// Not known before evaluation: the element of an empty list literal.
    Any,
}

impl Type {
    /// A list of `element`.
    pub fn list(element: Type) -> Self {
        Self::List(Box::new(element))
    }

    /// A list of records.
    pub fn records(record: &'static RecordType) -> Self {
        Self::list(Self::Record(record))
    }

    /// True for the two kinds of number.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Double)
    }

    /// Whether `==` between the two means anything.
    pub(crate) fn equates(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any | Self::Null, _) | (_, Self::Any | Self::Null) => true,
            (Self::List(a), Self::List(b)) => a.equates(b),
            (Self::Bool, Self::Bool) | (Self::Text, Self::Text) => true,
            (a, b) => a.is_number() && b.is_number(),
        }
    }

    /// The one type of two alternatives (branches, list elements), if there is one.
    pub(crate) fn unify(self, other: Self) -> Result<Self, (Self, Self)> {
        match (self, other) {
            (Self::Any | Self::Null, other) => Ok(other),
            (this, Self::Any | Self::Null) => Ok(this),
            (Self::List(a), Self::List(b)) => match a.unify(*b) {
                Ok(element) => Ok(Self::list(element)),
                Err((a, b)) => Err((Self::list(a), Self::list(b))),
            },
            (Self::Map(a), Self::Map(b)) => match a.unify(*b) {
                Ok(value) => Ok(Self::Map(Box::new(value))),
                Err((a, b)) => Err((Self::Map(Box::new(a)), Self::Map(Box::new(b)))),
            },
            (Self::Bool, Self::Bool) => Ok(Self::Bool),
            (Self::Int, Self::Int) => Ok(Self::Int),
            (Self::Double, Self::Double) => Ok(Self::Double),
            (Self::Text, Self::Text) => Ok(Self::Text),
            (Self::Record(a), Self::Record(b)) if std::ptr::eq(a, b) => Ok(Self::Record(a)),
            (this, other) => Err((this, other)),
        }
    }
}

/// As messages and the documentation name it.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Double => f.write_str("double"),
            Self::Text => f.write_str("text"),
            Self::List(element) if matches!(**element, Self::Record(_)) => {
                write!(f, "list of {element}s")
            }
            Self::List(element) => write!(f, "list of {element}"),
            Self::Map(value) => write!(f, "map of {value}"),
            Self::Record(record) => f.write_str(record.name),
            Self::Null => f.write_str("null"),
            Self::Any => f.write_str("any"),
        }
    }
}

/// A kind of record: its name and its attributes.
#[derive(Debug)]
pub struct RecordType {
    /// What one such record is called: `disk`.
    pub name: &'static str,
    /// Its attributes; an attribute's index here is what [`Record::attribute`](crate::Record) gets.
    pub attributes: Vec<AttributeType>,
}

impl RecordType {
    /// The index and type of the attribute `name`.
    pub fn find(&self, name: &str) -> Option<(usize, &AttributeType)> {
        self.attributes.iter().enumerate().find(|(_, attribute)| attribute.name == name)
    }
}

/// One attribute of a kind of record.
#[derive(Clone, Debug)]
pub struct AttributeType {
    /// Its name in expressions.
    pub name: &'static str,
    /// Its type.
    pub r#type: Type,
    /// The only texts it can hold; empty = any.
    pub words: &'static [&'static str],
    /// May be observed as absent, which reads as `null`.
    pub nullable: bool,
    /// What it means, with its unit.
    pub doc: &'static str,
}

impl AttributeType {
    /// An attribute that is never null and holds any value of its type.
    pub fn new(name: &'static str, r#type: Type, doc: &'static str) -> Self {
        Self { name, r#type, words: &[], nullable: false, doc }
    }

    /// The same, holding only these texts.
    #[must_use]
    pub fn words(mut self, words: &'static [&'static str]) -> Self {
        self.words = words;
        self
    }

    /// The same, which may be observed as absent.
    #[must_use]
    pub fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }
}

/// The names with which an expression may begin, in the order in which
/// [`Expression::evaluate`](crate::Expression::evaluate) takes their records.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    pub(crate) roots: Vec<(&'static str, &'static RecordType)>,
}

impl Environment {
    /// An environment without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with one more name.
    #[must_use]
    pub fn with_root(mut self, name: &'static str, record: &'static RecordType) -> Self {
        self.roots.push((name, record));
        self
    }

    /// The position and type of a root.
    pub(crate) fn find(&self, name: &str) -> Option<(usize, &'static RecordType)> {
        self.roots
            .iter()
            .enumerate()
            .find(|(_, (root, _))| *root == name)
            .map(|(at, (_, record))| (at, *record))
    }
}
