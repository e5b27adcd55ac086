//! Operators.

use cel::IdedExpr;
use cel::common::ast::operators as op;

use super::{Checked, Checker};
use crate::diagnostic::nearest;
use crate::node::{Arithmetic, Comparison, Node};
use crate::types::Type;

/// How an operator of the parser's is written.
fn spelling(function: &str) -> &str {
    match function {
        op::IN => "in",
        other => other.trim_matches('_'),
    }
}

impl Checker<'_> {
    /// The operator that the parser calls `function`; `None` if it is none.
    pub(super) fn operator(
        &mut self,
        function: &str,
        operands: &[IdedExpr],
        id: u64,
    ) -> Option<Checked> {
        let checked = match (function, operands) {
            (op::LOGICAL_AND | op::LOGICAL_OR, [left, right]) => self.logic(function, left, right),
            (op::LOGICAL_NOT, [operand]) => {
                let checked = self.expression(operand);
                self.require_bool(&checked, operand, "what `!` negates");
                Checked::new(Node::Not(Box::new(checked.node)), Type::Bool)
            }
            (op::NEGATE, [operand]) => self.negate(operand),
            (op::CONDITIONAL, [condition, yes, no]) => self.conditional(condition, yes, no),
            (op::IN, [needle, haystack]) => self.membership(needle, haystack),
            (op::INDEX, [operand, index]) => self.index(operand, index),
            (_, [left, right]) => match comparison(function) {
                Some(comparison) => self.comparison(comparison, left, right, id),
                None => self.arithmetic(arithmetic(function)?, left, right, id),
            },
            _ => return None,
        };
        Some(checked)
    }

    fn logic(&mut self, function: &str, left: &IdedExpr, right: &IdedExpr) -> Checked {
        let word = spelling(function);
        let mut nodes = Vec::new();
        for operand in [left, right] {
            let checked = self.expression(operand);
            self.require_bool(&checked, operand, &format!("a side of `{word}`"));
            // The parser balances long chains into trees; they are flat again here.
            match (function, checked.node) {
                (op::LOGICAL_AND, Node::And(inner)) | (op::LOGICAL_OR, Node::Or(inner)) => {
                    nodes.extend(inner);
                }
                (_, node) => nodes.push(node),
            }
        }
        let nodes = nodes.into();
        let node = if function == op::LOGICAL_AND { Node::And(nodes) } else { Node::Or(nodes) };
        Checked::new(node, Type::Bool)
    }

    fn negate(&mut self, operand: &IdedExpr) -> Checked {
        let checked = self.expression(operand);
        match checked.r#type {
            Type::Int | Type::Double | Type::Any => {
                Checked::new(Node::Negate(Box::new(checked.node)), checked.r#type)
            }
            other => self.refuse(operand, &format!("`-` needs a number, not {other}")),
        }
    }

    fn conditional(&mut self, condition: &IdedExpr, yes: &IdedExpr, no: &IdedExpr) -> Checked {
        let test = self.expression(condition);
        self.require_bool(&test, condition, "the condition before `?`");
        let (yes, otherwise) = (self.expression(yes), self.expression(no));
        let r#type = match yes.r#type.unify(otherwise.r#type) {
            Ok(r#type) => r#type,
            Err((yes, otherwise)) => {
                let message =
                    format!("both branches must be of one type, not {yes} and {otherwise}");
                return self.refuse(no, &message);
            }
        };
        let nodes = Box::new([test.node, yes.node, otherwise.node]);
        Checked::new(Node::Conditional(nodes), r#type)
    }

    fn comparison(
        &mut self,
        comparison: Comparison,
        left: &IdedExpr,
        right: &IdedExpr,
        id: u64,
    ) -> Checked {
        let (a, b) = (self.expression(left), self.expression(right));
        if comparison.is_equality() {
            let many_or_null = is_null_test_of_many(&a.r#type, &b.r#type);
            if many_or_null || !a.r#type.equates(&b.r#type) {
                let message = format!("{} is never equal to {}", a.r#type, b.r#type);
                let hint = hint_for_mismatch(&a.r#type, &b);
                self.report(self.places.of(id), message, hint);
            }
            self.check_words(&a, &b.node, right);
            self.check_words(&b, &a.node, left);
        } else if !orders(&a.r#type, &b.r#type) {
            let message = format!("{} and {} have no order", a.r#type, b.r#type);
            let hint = hint_for_mismatch(&a.r#type, &b);
            self.report(self.places.of(id), message, hint);
        }
        let node = match (a, b) {
            (
                Checked { node: Node::Size(list), r#type: Type::Int, .. },
                Checked { node: Node::Int(bound), .. },
            ) => Node::CompareSize { comparison, list, bound },
            (Checked { node: Node::Int(bound), .. }, Checked { node: Node::Size(list), .. }) => {
                Node::CompareSize { comparison: comparison.mirrored(), list, bound }
            }
            (a, b) => Node::Compare(comparison, Box::new([a.node, b.node])),
        };
        Checked::new(node, Type::Bool)
    }

    /// A constant text on the other side of something with a fixed vocabulary must be in it.
    pub(super) fn check_words(&mut self, of: &Checked, other: &Node, place: &IdedExpr) {
        let Node::Text(text) = other else { return };
        if of.words.is_empty() || of.words.contains(&text.as_str()) {
            return;
        }
        let words = of.words.join(", ");
        let path = self.paths.get(of.node.path() as usize).map_or("it", |path| path.as_str());
        let message = format!("`{path}` is never \"{text}\"; it is one of: {words}");
        let hint = nearest(text, of.words.iter().copied());
        let hint = hint.map(|word| format!("did you mean \"{word}\"?"));
        self.report(self.places.extent(place), message, hint);
    }

    fn arithmetic(
        &mut self,
        arithmetic: Arithmetic,
        left: &IdedExpr,
        right: &IdedExpr,
        id: u64,
    ) -> Checked {
        let (a, b) = (self.expression(left), self.expression(right));
        let nodes = Box::new([a.node, b.node]);
        match (arithmetic, a.r#type, b.r#type) {
            (_, Type::Any, _) | (_, _, Type::Any) => Checked::mistake(),
            (Arithmetic::Add, Type::Text, Type::Text) => {
                Checked::new(Node::Concatenate(nodes), Type::Text)
            }
            (_, Type::Int, Type::Int) => {
                Checked::new(Node::Arithmetic(arithmetic, nodes), Type::Int)
            }
            (Arithmetic::Remainder, a, b) => {
                let message = format!("a remainder is taken of int and int, not {a} and {b}");
                self.mistake_at(self.places.of(id), message);
                Checked::mistake()
            }
            (_, Type::Double, Type::Double) => {
                Checked::new(Node::Arithmetic(arithmetic, nodes), Type::Double)
            }
            (_, a, b) => {
                let hint = (a.is_number() && b.is_number())
                    .then(|| "convert one side: double(…) or int(…)".to_owned());
                let message = format!("cannot calculate with {a} and {b}");
                self.report(self.places.of(id), message, hint);
                Checked::mistake()
            }
        }
    }

    fn membership(&mut self, needle: &IdedExpr, haystack: &IdedExpr) -> Checked {
        let (item, of) = (self.expression(needle), self.expression(haystack));
        match of.r#type {
            Type::List(ref element) => {
                if !item.r#type.equates(element) {
                    let message = format!("{} is never in a {}", item.r#type, of.r#type);
                    return self.refuse(needle, &message);
                }
                if let Node::List(elements) = &of.node {
                    let places = constant_places(haystack);
                    for (node, place) in elements.iter().zip(places) {
                        self.check_words(&item, node, place);
                    }
                }
                Checked::new(member_of_list(item, of.node), Type::Bool)
            }
            Type::Map(_) if matches!(item.r#type, Type::Text | Type::Any) => {
                let path = self.key_path(&of.node, &item.node);
                let (key, map) = (Box::new(item.node), Box::new(of.node));
                Checked::new(Node::InMap { key, map, path }, Type::Bool)
            }
            Type::Any => Checked::mistake(),
            Type::Map(_) => {
                let message = format!("the keys of a map are text, not {}", item.r#type);
                self.refuse(needle, &message)
            }
            Type::Text if matches!(item.r#type, Type::Text) => {
                let hint = "write `text.contains(part)`".to_owned();
                self.report(
                    self.places.extent(haystack),
                    "`in` looks in a list or map",
                    Some(hint),
                );
                Checked::mistake()
            }
            other => self.refuse(haystack, &format!("`in` looks in a list or map, not {other}")),
        }
    }
}

/// The elements as they are written.
fn constant_places(haystack: &IdedExpr) -> &[IdedExpr] {
    match &haystack.expr {
        cel::common::ast::Expr::List(list) => &list.elements,
        _ => &[],
    }
}

fn member_of_list(item: Checked, list: Node) -> Node {
    if let (Type::Text, Node::List(elements)) = (&item.r#type, &list) {
        let texts: Option<Box<[_]>> = elements
            .iter()
            .map(|node| match node {
                Node::Text(text) => Some(text.clone()),
                _ => None,
            })
            .collect();
        if let Some(texts) = texts {
            return Node::AmongTexts(Box::new(item.node), texts);
        }
    }
    Node::InList(Box::new([item.node, list]))
}

/// Lists and maps are never null: what was not observed of them is unknown.
fn is_null_test_of_many(a: &Type, b: &Type) -> bool {
    matches!(
        (a, b),
        (Type::Null, Type::List(_) | Type::Map(_)) | (Type::List(_) | Type::Map(_), Type::Null)
    )
}

fn orders(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Any, _) | (_, Type::Any) | (Type::Text, Type::Text) => true,
        (a, b) => a.is_number() && b.is_number(),
    }
}

/// What was probably meant by comparing two types that never meet.
fn hint_for_mismatch(a: &Type, b: &Checked) -> Option<String> {
    match (a, &b.node) {
        (Type::Int | Type::Double, Node::Text(text)) if text.parse::<f64>().is_ok() => {
            Some(format!("write {text} without quotes"))
        }
        (Type::Bool, Node::Text(text)) if matches!(text.as_str(), "true" | "false") => {
            Some(format!("write {text} without quotes"))
        }
        (Type::Text, Node::Int(number)) => Some(format!("write \"{number}\" in quotes")),
        (Type::List(_), Node::Null) => Some("ask for its size: `size(list) == 0`".to_owned()),
        (Type::List(_), _) => Some("ask of its elements: `.exists(it, it == …)`".to_owned()),
        _ => None,
    }
}

fn comparison(function: &str) -> Option<Comparison> {
    Some(match function {
        op::EQUALS => Comparison::Equal,
        op::NOT_EQUALS => Comparison::NotEqual,
        op::LESS => Comparison::Less,
        op::LESS_EQUALS => Comparison::LessOrEqual,
        op::GREATER => Comparison::Greater,
        op::GREATER_EQUALS => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn arithmetic(function: &str) -> Option<Arithmetic> {
    Some(match function {
        op::ADD => Arithmetic::Add,
        op::SUBSTRACT => Arithmetic::Subtract,
        op::MULTIPLY => Arithmetic::Multiply,
        op::DIVIDE => Arithmetic::Divide,
        op::MODULO => Arithmetic::Remainder,
        _ => return None,
    })
}
