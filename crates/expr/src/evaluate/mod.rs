//! Evaluation in three-valued logic. Nothing here looks a name up, and where the answer is known
//! nothing is allocated, except by `filter`, `map`, list literals and functions that make text.

mod compare;
mod lists;
mod unknown;

use std::cell::Cell;

use crate::node::{Arithmetic, NO_PATH, Node, PathId, Quantifier, TextTest};
use crate::truth::Reason;
use crate::value::{Map, Record, Value};

use lists::Built;
use std::rc::Rc;
pub(crate) use unknown::Unknown;

/// Most steps of one evaluation: about one for every node visited in a loop and for every 64 bytes
/// of text searched. A check over all disks and datastores of a large workload takes thousands.
pub const STEPS_MAX: u64 = 1_000_000;

/// A value while it is being worked with: borrowed from records, or made here.
#[derive(Clone)]
enum Operand<'a> {
    Value(Value<'a>),
    Text(Rc<str>),
    List(Rc<Built<'a>>),
}

type Outcome<'a> = Result<Operand<'a>, Unknown>;

impl<'a> Operand<'a> {
    /// As a value that borrows from this one, for looking at it; lists made here excepted.
    fn look(&self) -> Value<'_> {
        match self {
            Self::Value(value) => *value,
            Self::Text(text) => Value::Text(text),
            Self::List(list) => Value::List(&**list),
        }
    }

    fn is_absent(&self) -> bool {
        matches!(self, Self::Value(Value::Absent))
    }
}

impl From<bool> for Operand<'_> {
    fn from(value: bool) -> Self {
        Self::Value(Value::Bool(value))
    }
}

/// What a macro's variable stands for now, and those of the macros around it.
pub(crate) struct Scope<'s, 'a> {
    value: Outcome<'a>,
    outer: Option<&'s Scope<'s, 'a>>,
}

/// One evaluation of one expression.
pub(crate) struct Evaluation<'a> {
    roots: &'a [&'a dyn Record],
    steps: Cell<u64>,
}

impl<'a> Evaluation<'a> {
    /// An evaluation over `roots`.
    pub fn new(roots: &'a [&'a dyn Record]) -> Self {
        Self { roots, steps: Cell::new(0) }
    }

    /// Takes `cost` steps, if that many are left.
    fn charge(&self, cost: u64) -> Result<(), Unknown> {
        let steps = self.steps.get() + cost;
        self.steps.set(steps);
        if steps > STEPS_MAX {
            return Err(Unknown::new(NO_PATH, Reason::LimitReached));
        }
        Ok(())
    }

    /// Charges for looking through `text`.
    fn charge_for_text(&self, text: &str) -> Result<(), Unknown> {
        self.charge(1 + (text.len() / 64) as u64)
    }

    /// Whether a node of type bool holds.
    pub fn test(&self, node: &'a Node, scope: Option<&Scope<'_, 'a>>) -> Result<bool, Unknown> {
        match node {
            Node::Bool(value) => Ok(*value),
            Node::Not(operand) => Ok(!self.test(operand, scope)?),
            Node::And(operands) => self.decide(operands, false, scope),
            Node::Or(operands) => self.decide(operands, true, scope),
            Node::Compare(comparison, sides) => self.compare(*comparison, sides, scope),
            Node::CompareSize { comparison, list, bound } => {
                self.compare_size(*comparison, list, *bound, scope)
            }
            Node::Has(operand) => self.has(operand, scope),
            Node::AmongTexts(item, texts) => {
                let among = |item: &str| texts.iter().any(|text| text == item);
                match self.plain(item, scope) {
                    Some(Value::Text(item)) => Ok(among(item)),
                    _ => match self.value(item, scope)?.look() {
                        Value::Text(item) => Ok(among(item)),
                        _ => Ok(false),
                    },
                }
            }
            Node::InList(sides) => self.in_list(sides, scope),
            Node::InMap { key, map, path } => {
                let found = self.key(map, key, *path, scope)?;
                Ok(!matches!(found, Value::Absent))
            }
            Node::TextTest(test, sides) => self.text_test(*test, sides, scope),
            Node::Matches(subject, regex) => {
                let text = self.value(subject, scope)?;
                let text = text_of(&text, subject)?;
                self.charge_for_text(text)?;
                Ok(regex.is_match(text))
            }
            Node::Quantify(Quantifier::Exists, over) => self.quantify(over, true, scope),
            Node::Quantify(Quantifier::All, over) => self.quantify(over, false, scope),
            Node::Quantify(Quantifier::ExistsOne, over) => self.exists_one(over, scope),
            Node::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                self.test(if self.test(condition, scope)? { yes } else { no }, scope)
            }
            other => match self.plain(other, scope) {
                Some(Value::Bool(value)) => Ok(value),
                _ => match self.value(other, scope)?.look() {
                    Value::Bool(value) => Ok(value),
                    value => Err(unusable(value, other)),
                },
            },
        }
    }

    /// The value of a node that only reads: nearly all that checks do, and worth a path of its own.
    /// It may be unobserved. `None` where a node does more, or something above it is missing.
    fn plain(&self, node: &'a Node, scope: Option<&Scope<'_, 'a>>) -> Option<Value<'a>> {
        Some(match node {
            Node::Attribute { root, index, .. } => self.roots.get(*root)?.attribute(*index),
            Node::Select { record, index, .. } => match self.plain(record, scope)? {
                Value::Record(record) => record.attribute(*index),
                _ => return None,
            },
            Node::Variable { depth, .. } => match scope_at(scope, *depth)?.value {
                Ok(Operand::Value(value)) => value,
                _ => return None,
            },
            Node::Null => Value::Absent,
            Node::Bool(value) => Value::Bool(*value),
            Node::Int(value) => Value::Int(*value),
            Node::Double(value) => Value::Double(*value),
            Node::Text(value) => Value::Text(value),
            _ => return None,
        })
    }

    /// `decisive` if one operand is; unknown if one is unknown; else its opposite.
    fn decide(
        &self,
        operands: &'a [Node],
        decisive: bool,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Result<bool, Unknown> {
        let mut unknown = None;
        for operand in operands {
            match self.test(operand, scope) {
                Ok(value) if value == decisive => return Ok(decisive),
                Ok(_) => {}
                Err(more) => Unknown::merge(&mut unknown, more),
            }
        }
        unknown.map_or(Ok(!decisive), Err)
    }

    /// The value of any node.
    fn value(&self, node: &'a Node, scope: Option<&Scope<'_, 'a>>) -> Outcome<'a> {
        if let Some(value) = self.plain(node, scope) {
            return observed(value, node.path()).map(Operand::Value);
        }
        let value = match node {
            Node::Select { record, index, path } => {
                observed(self.record(record, scope)?.attribute(*index), *path)?
            }
            Node::Key { map, key, path } => self.key(map, key, *path, scope)?,
            Node::Variable { depth, path } => return variable(scope, *depth, *path),
            Node::Element { list, position, .. } => return self.element(list, position, scope),
            Node::List(elements) => return self.list_literal(elements, scope),
            Node::Build(over) => return self.build(over, scope),
            Node::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                return self.value(if self.test(condition, scope)? { yes } else { no }, scope);
            }
            Node::Negate(operand) => self.negate(operand, scope)?,
            Node::Arithmetic(operation, sides) => self.calculate(*operation, sides, scope)?,
            Node::Concatenate(sides) => return self.concatenate(sides, scope),
            Node::LowerAscii(operand) => {
                let text = self.value(operand, scope)?;
                let text = text_of(&text, operand)?;
                self.charge_for_text(text)?;
                return Ok(Operand::Text(text.to_ascii_lowercase().into()));
            }
            Node::Size(operand) => Value::Int(self.size(operand, scope)?),
            Node::ToInt(operand) => match self.value(operand, scope)?.look() {
                Value::Double(value) => Value::Int(whole(value, operand)?),
                Value::Int(value) => Value::Int(value),
                value => return Err(unusable(value, operand)),
            },
            Node::ToDouble(operand) => match self.value(operand, scope)?.look() {
                Value::Int(value) => Value::Double(value as f64),
                Value::Double(value) => Value::Double(value),
                value => return Err(unusable(value, operand)),
            },
            test => return self.test(test, scope).map(Operand::from),
        };
        Ok(Operand::Value(value))
    }

    fn record(
        &self,
        node: &'a Node,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Result<&'a dyn Record, Unknown> {
        match self.value(node, scope)? {
            Operand::Value(Value::Record(record)) => Ok(record),
            other => Err(unusable(other.look(), node)),
        }
    }

    fn map(&self, node: &'a Node, scope: Option<&Scope<'_, 'a>>) -> Result<&'a dyn Map, Unknown> {
        match self.value(node, scope)? {
            Operand::Value(Value::Map(map)) => Ok(map),
            other => Err(unusable(other.look(), node)),
        }
    }

    fn key(
        &self,
        map: &'a Node,
        key: &'a Node,
        path: PathId,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Result<Value<'a>, Unknown> {
        let found = self.map(map, scope)?;
        let name = self.value(key, scope)?;
        observed(found.get(text_of(&name, key)?), path)
    }

    /// Whether an attribute has a value; without the record above it, it has none.
    fn has(&self, node: &'a Node, scope: Option<&Scope<'_, 'a>>) -> Result<bool, Unknown> {
        match self.plain(node, scope) {
            Some(Value::Unobserved(_)) | None => {}
            Some(value) => return Ok(!matches!(value, Value::Absent)),
        }
        if let Node::Select { record: above, .. } | Node::Key { map: above, .. } = node
            && !self.has(above, scope)?
        {
            return Ok(false);
        }
        Ok(!self.value(node, scope)?.is_absent())
    }

    fn text_test(
        &self,
        test: TextTest,
        sides: &'a [Node; 2],
        scope: Option<&Scope<'_, 'a>>,
    ) -> Result<bool, Unknown> {
        let [subject, part] = sides;
        if let (Some(Value::Text(text)), Some(Value::Text(sought))) =
            (self.plain(subject, scope), self.plain(part, scope))
        {
            return self.text_holds(test, text, sought);
        }
        let (text, sought) = self.both(sides, scope)?;
        self.text_holds(test, text_of(&text, subject)?, text_of(&sought, part)?)
    }

    fn text_holds(&self, test: TextTest, text: &str, sought: &str) -> Result<bool, Unknown> {
        Ok(match test {
            TextTest::StartsWith => text.starts_with(sought),
            TextTest::EndsWith => text.ends_with(sought),
            TextTest::Contains => {
                self.charge_for_text(text)?;
                text.contains(sought)
            }
        })
    }

    /// Both sides; where one is unknown, so is the pair, for the reasons of both.
    fn both(
        &self,
        sides: &'a [Node; 2],
        scope: Option<&Scope<'_, 'a>>,
    ) -> Result<(Operand<'a>, Operand<'a>), Unknown> {
        let [left, right] = sides;
        match (self.value(left, scope), self.value(right, scope)) {
            (Ok(left), Ok(right)) => Ok((left, right)),
            (Err(unknown), Ok(_)) | (Ok(_), Err(unknown)) => Err(unknown),
            (Err(left), Err(right)) => Err(left.and(right)),
        }
    }

    fn concatenate(&self, sides: &'a [Node; 2], scope: Option<&Scope<'_, 'a>>) -> Outcome<'a> {
        let [left, right] = sides;
        let (a, b) = self.both(sides, scope)?;
        let (a, b) = (text_of(&a, left)?, text_of(&b, right)?);
        self.charge_for_text(a)?;
        self.charge_for_text(b)?;
        Ok(Operand::Text(format!("{a}{b}").into()))
    }

    fn negate(
        &self,
        operand: &'a Node,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Result<Value<'a>, Unknown> {
        match self.value(operand, scope)?.look() {
            Value::Int(value) => match value.checked_neg() {
                Some(value) => Ok(Value::Int(value)),
                None => Err(Unknown::new(operand.path(), Reason::Overflow)),
            },
            Value::Double(value) => Ok(Value::Double(-value)),
            other => Err(unusable(other, operand)),
        }
    }

    fn calculate(
        &self,
        operation: Arithmetic,
        sides: &'a [Node; 2],
        scope: Option<&Scope<'_, 'a>>,
    ) -> Result<Value<'a>, Unknown> {
        let [left, right] = sides;
        let (a, b) = self.both(sides, scope)?;
        match (a.look(), b.look()) {
            (Value::Int(a), Value::Int(b)) => {
                let divides = matches!(operation, Arithmetic::Divide | Arithmetic::Remainder);
                if divides && b == 0 {
                    return Err(Unknown::new(right.path(), Reason::DivisionByZero));
                }
                let result = match operation {
                    Arithmetic::Add => a.checked_add(b),
                    Arithmetic::Subtract => a.checked_sub(b),
                    Arithmetic::Multiply => a.checked_mul(b),
                    Arithmetic::Divide => a.checked_div(b),
                    Arithmetic::Remainder => a.checked_rem(b),
                };
                let overflow = || Unknown::new(first_path(left, right), Reason::Overflow);
                result.map(Value::Int).ok_or_else(overflow)
            }
            (Value::Double(a), Value::Double(b)) => Ok(Value::Double(match operation {
                Arithmetic::Add => a + b,
                Arithmetic::Subtract => a - b,
                Arithmetic::Multiply => a * b,
                Arithmetic::Divide => a / b,
                Arithmetic::Remainder => a % b,
            })),
            (Value::Int(_) | Value::Double(_), b) => Err(unusable(b, right)),
            (a, _) => Err(unusable(a, left)),
        }
    }
}

fn variable<'a>(scope: Option<&Scope<'_, 'a>>, depth: usize, path: PathId) -> Outcome<'a> {
    match scope_at(scope, depth) {
        Some(scope) => scope.value.clone(),
        None => Err(Unknown::new(path, Reason::Mistyped)),
    }
}

fn scope_at<'s, 'a>(
    mut scope: Option<&'s Scope<'s, 'a>>,
    depth: usize,
) -> Option<&'s Scope<'s, 'a>> {
    for _ in 0..depth {
        scope = scope.and_then(|scope| scope.outer);
    }
    scope
}

/// The value, unless it was not observed.
fn observed(value: Value<'_>, path: PathId) -> Result<Value<'_>, Unknown> {
    match value {
        Value::Unobserved(why) => Err(Unknown::new(path, why.into())),
        value => Ok(value),
    }
}

/// Why `value` cannot be used where its node stands.
fn unusable(value: Value<'_>, node: &Node) -> Unknown {
    let why = match value {
        Value::Absent => Reason::Absent,
        _ => Reason::Mistyped,
    };
    Unknown::new(node.path(), why)
}

fn text_of<'o>(operand: &'o Operand<'_>, node: &Node) -> Result<&'o str, Unknown> {
    match operand.look() {
        Value::Text(text) => Ok(text),
        other => Err(unusable(other, node)),
    }
}

/// The whole part of `value`.
fn whole(value: f64, node: &Node) -> Result<i64, Unknown> {
    let in_range = value > -9_223_372_036_854_775_809.0 && value < 9_223_372_036_854_775_808.0;
    if in_range { Ok(value as i64) } else { Err(Unknown::new(node.path(), Reason::Overflow)) }
}

fn first_path(left: &Node, right: &Node) -> PathId {
    match left.path() {
        NO_PATH => right.path(),
        path => path,
    }
}
