//! A checked expression: names are resolved to indexes, macros to loops, patterns are compiled.

use regex::Regex;

use entente_model::Text;

/// Index of a path in [`Expression`](crate::Expression)'s table; 0 is the expression's own text.
pub(crate) type PathId = u32;

/// The path id of what has no path.
pub(crate) const NO_PATH: PathId = 0;

/// One node of a checked expression.
#[derive(Debug)]
pub(crate) enum Node {
    /// `null`.
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Text),
    /// An attribute of a root: what nearly every check reads.
    Attribute {
        root: usize,
        index: usize,
        path: PathId,
    },
    /// An attribute of any other record.
    Select {
        record: Box<Node>,
        index: usize,
        path: PathId,
    },
    /// A macro's variable: how many macros further out it was bound.
    Variable {
        depth: usize,
        path: PathId,
    },
    /// What a key of a map leads to.
    Key {
        map: Box<Node>,
        key: Box<Node>,
        path: PathId,
    },
    /// The element of a list at a position.
    Element {
        list: Box<Node>,
        position: Box<Node>,
        path: PathId,
    },
    List(Box<[Node]>),
    Not(Box<Node>),
    And(Box<[Node]>),
    Or(Box<[Node]>),
    Conditional(Box<[Node; 3]>),
    Compare(Comparison, Box<[Node; 2]>),
    /// A list's size against a number: decided by what was seen where that is enough.
    CompareSize {
        comparison: Comparison,
        list: Box<Node>,
        bound: i64,
    },
    Negate(Box<Node>),
    Arithmetic(Arithmetic, Box<[Node; 2]>),
    Concatenate(Box<[Node; 2]>),
    /// `has(…)`.
    Has(Box<Node>),
    /// `in` a list of constant texts.
    AmongTexts(Box<Node>, Box<[Text]>),
    InList(Box<[Node; 2]>),
    InMap {
        key: Box<Node>,
        map: Box<Node>,
        path: PathId,
    },
    TextTest(TextTest, Box<[Node; 2]>),
    Matches(Box<Node>, Regex),
    LowerAscii(Box<Node>),
    Size(Box<Node>),
    ToInt(Box<Node>),
    ToDouble(Box<Node>),
    /// `exists`, `all`, `exists_one`.
    Quantify(Quantifier, Box<Loop>),
    /// `filter`, `map`.
    Build(Box<Loop>),
}

/// A macro over the elements of a list.
#[derive(Debug)]
pub(crate) struct Loop {
    pub list: Node,
    /// Which elements count; for a quantifier, its condition.
    pub condition: Option<Node>,
    /// What becomes of an element; `None` = itself.
    pub result: Option<Node>,
    /// What one turn costs, in steps.
    pub cost: u32,
}

/// Which elements must fulfil a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    Exists,
    All,
    ExistsOne,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The comparison with its sides swapped.
    pub fn mirrored(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }

    /// True for `==` and `!=`.
    pub fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// An operation on two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// A test of one text by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

impl Node {
    /// The path that best names this node where it fails: its own, else the first below it.
    pub fn path(&self) -> PathId {
        match self {
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Double(_) | Self::Text(_) => NO_PATH,
            Self::Attribute { path, .. }
            | Self::Select { path, .. }
            | Self::Variable { path, .. }
            | Self::Key { path, .. }
            | Self::Element { path, .. } => *path,
            Self::InMap { path, .. } => *path,
            Self::List(nodes) | Self::And(nodes) | Self::Or(nodes) => first_path(nodes.iter()),
            Self::Conditional(nodes) => first_path(nodes.iter()),
            Self::Compare(_, nodes)
            | Self::Arithmetic(_, nodes)
            | Self::Concatenate(nodes)
            | Self::InList(nodes)
            | Self::TextTest(_, nodes) => first_path(nodes.iter()),
            Self::Not(node)
            | Self::Negate(node)
            | Self::Has(node)
            | Self::AmongTexts(node, _)
            | Self::Matches(node, _)
            | Self::LowerAscii(node)
            | Self::Size(node)
            | Self::ToInt(node)
            | Self::ToDouble(node)
            | Self::CompareSize { list: node, .. } => node.path(),
            Self::Quantify(_, over) | Self::Build(over) => over.list.path(),
        }
    }
}

fn first_path<'n>(nodes: impl Iterator<Item = &'n Node>) -> PathId {
    nodes.map(Node::path).find(|path| *path != NO_PATH).unwrap_or(NO_PATH)
}
