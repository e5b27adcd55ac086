//! Syntax tree to checked expression: resolves names, checks types, explains mistakes.

mod calls;
mod macros;
mod names;
mod operators;

pub use calls::PATTERN_BYTES_MAX;
pub(crate) use calls::{FUNCTIONS, usage};

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue};
use entente_model::Text;

use crate::diagnostic::{Diagnostic, Span};
use crate::expression::Expression;
use crate::node::{NO_PATH, Node, PathId};
use crate::syntax::{Places, Syntax, parse};
use crate::types::{Environment, Type};

/// Most nodes of a syntax tree.
pub const NODES_MAX: u32 = 4096;

/// Parses and checks `source`.
pub(crate) fn compile(
    source: &str,
    environment: &Environment,
) -> Result<Expression, Vec<Diagnostic>> {
    let Syntax { tree, places } = parse(source).map_err(|diagnostic| vec![diagnostic])?;
    let mut checker = Checker {
        environment,
        places,
        diagnostics: Vec::new(),
        variables: Vec::new(),
        paths: vec![excerpt(source)],
        roots: Vec::new(),
        nodes: 0,
    };
    let checked = checker.expression(&tree);
    checker.require_bool(&checked, &tree, "the expression");
    checker.finish(source, checked.node)
}

/// The text that stands for an expression where no attribute is to blame.
fn excerpt(source: &str) -> Text {
    let line = source.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 60 {
        return line.into();
    }
    line.chars().take(59).chain(['…']).collect()
}

/// A checked part of an expression.
struct Checked {
    node: Node,
    r#type: Type,
    /// The only texts it can hold; empty = any.
    words: &'static [&'static str],
}

impl Checked {
    fn new(node: Node, r#type: Type) -> Self {
        Self { node, r#type, words: &[] }
    }

    /// Stands for what could not be checked; its type silences follow-up mistakes.
    fn mistake() -> Self {
        Self::new(Node::Null, Type::Any)
    }
}

/// A macro's variable.
struct Variable {
    name: String,
    r#type: Type,
    words: &'static [&'static str],
    path: PathId,
}

struct Checker<'e> {
    environment: &'e Environment,
    places: Places,
    diagnostics: Vec<Diagnostic>,
    variables: Vec<Variable>,
    paths: Vec<Text>,
    roots: Vec<&'static str>,
    nodes: u32,
}

impl Checker<'_> {
    fn finish(mut self, source: &str, root: Node) -> Result<Expression, Vec<Diagnostic>> {
        if self.nodes > NODES_MAX {
            let message = format!("the expression has more than {NODES_MAX} parts");
            self.mistake_at(Span { start: 0, length: 1 }, message);
        }
        if !self.diagnostics.is_empty() {
            self.diagnostics.sort();
            self.diagnostics.dedup();
            return Err(self.diagnostics);
        }
        // The path of an element only leads to its attributes.
        let attributes = self.paths.iter().skip(1).filter(|path| !path.ends_with("[]"));
        let mut attributes: Vec<Text> = attributes.cloned().collect();
        attributes.sort();
        Ok(Expression {
            source: source.into(),
            root,
            paths: self.paths,
            attributes,
            roots: self.roots,
        })
    }

    fn expression(&mut self, tree: &IdedExpr) -> Checked {
        self.nodes = self.nodes.saturating_add(1);
        match &tree.expr {
            Expr::Literal(literal) => self.literal(literal, tree.id),
            Expr::Ident(name) => self.name(name, tree.id),
            Expr::Select(select) => self.select(select, tree.id),
            Expr::Call(call) => self.call(call, tree.id),
            Expr::List(list) => self.list(&list.elements),
            Expr::Map(_) => self.refuse(tree, "a map cannot be written here"),
            Expr::Struct(_) => self.refuse(tree, "a message cannot be written here"),
            // The parser expands no macros and reports what it leaves unspecified.
            Expr::Comprehension(_) | Expr::Unspecified => {
                self.refuse(tree, "this cannot be evaluated")
            }
        }
    }

    fn literal(&mut self, literal: &LiteralValue, id: u64) -> Checked {
        match literal {
            LiteralValue::Boolean(value) => Checked::new(Node::Bool(*value.inner()), Type::Bool),
            LiteralValue::Int(value) => Checked::new(Node::Int(*value.inner()), Type::Int),
            LiteralValue::Double(value) => Checked::new(Node::Double(*value.inner()), Type::Double),
            LiteralValue::String(value) => {
                Checked::new(Node::Text(Text::from(value.inner())), Type::Text)
            }
            LiteralValue::Null => Checked::new(Node::Null, Type::Null),
            LiteralValue::UInt(value) => {
                let hint = format!("write `{}`", value.inner());
                self.report(self.places.of(id), "there are no unsigned numbers", Some(hint));
                Checked::mistake()
            }
            LiteralValue::Bytes(_) => {
                let hint = "write text, without the b before the quote".to_owned();
                self.report(self.places.of(id), "there are no byte strings", Some(hint));
                Checked::mistake()
            }
        }
    }

    fn list(&mut self, elements: &[IdedExpr]) -> Checked {
        let mut nodes = Vec::with_capacity(elements.len());
        let mut of = Type::Any;
        for element in elements {
            let checked = self.expression(element);
            of = match of.unify(checked.r#type) {
                Ok(of) => of,
                Err((of, other)) => {
                    let message = format!("a list of {of} cannot hold {other}");
                    self.mistake_at(self.places.extent(element), message);
                    of
                }
            };
            nodes.push(checked.node);
        }
        Checked::new(Node::List(nodes.into()), Type::list(of))
    }

    /// The id of `path`.
    fn path(&mut self, path: String) -> PathId {
        let known = self.paths.iter().skip(1).position(|it| *it == path);
        let at = known.map_or(self.paths.len(), |at| at + 1);
        if known.is_none() {
            self.paths.push(path.into());
        }
        PathId::try_from(at).unwrap_or(NO_PATH)
    }

    /// The path `suffix` further down from `node`, if that has one.
    fn path_below(&mut self, node: &Node, suffix: &str) -> PathId {
        match self.paths.get(node.path() as usize) {
            Some(path) if node.path() != NO_PATH => {
                let path = format!("{path}{suffix}");
                self.path(path)
            }
            _ => NO_PATH,
        }
    }

    fn require_bool(&mut self, checked: &Checked, tree: &IdedExpr, what: &str) {
        if !matches!(checked.r#type, Type::Bool | Type::Any) {
            let message = format!("{what} must be true or false, but is {}", checked.r#type);
            self.mistake_at(self.places.extent(tree), message);
        }
    }

    fn refuse(&mut self, tree: &IdedExpr, message: &str) -> Checked {
        self.mistake_at(self.places.extent(tree), message);
        Checked::mistake()
    }

    fn mistake_at(&mut self, span: Span, message: impl Into<String>) {
        self.report(span, message, None);
    }

    fn report(&mut self, span: Span, message: impl Into<String>, hint: Option<String>) {
        let diagnostic = span.diagnostic(&self.places.source, message);
        self.diagnostics.push(diagnostic.hint(hint));
    }
}
