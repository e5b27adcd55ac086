//! Lists: macros over them, membership, size. What was not seen of an incomplete list may decide
//! anything; what was seen decides what it can.

use std::rc::Rc;

use entente_model::Why;

use super::{Evaluation, Operand, Outcome, Scope, Unknown, unusable};
use crate::node::{Loop, Node, PathId};
use crate::truth::Reason;
use crate::value::{List, Value};

/// A list made by a macro or a literal. It is only looked at as a [`List`] to tell its kind.
pub(super) struct Built<'a> {
    items: Vec<Outcome<'a>>,
    /// Why there may be more, if there may.
    more: Option<Unknown>,
}

impl List for Built<'_> {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn get(&self, _position: usize) -> Value<'_> {
        Value::Absent
    }

    fn incomplete(&self) -> Option<Why> {
        None
    }
}

/// The elements of a list, wherever it comes from.
pub(super) enum Elements<'a> {
    Borrowed { list: &'a dyn List, path: PathId },
    Built(Rc<Built<'a>>),
}

impl<'a> Elements<'a> {
    pub fn len(&self) -> usize {
        match self {
            Self::Borrowed { list, .. } => list.len(),
            Self::Built(built) => built.items.len(),
        }
    }

    /// Why there may be more elements than these, if there may.
    pub fn more(&self) -> Option<Unknown> {
        match self {
            Self::Borrowed { list, path } => {
                list.incomplete().map(|why| Unknown::new(*path, why.into()))
            }
            Self::Built(built) => built.more.clone(),
        }
    }

    /// An element; `path` is to blame where it was not observed.
    fn get(&self, position: usize, path: PathId) -> Outcome<'a> {
        match self {
            Self::Borrowed { list, .. } => match list.get(position) {
                Value::Unobserved(why) => Err(Unknown::new(path, why.into())),
                value => Ok(Operand::Value(value)),
            },
            Self::Built(built) => match built.items.get(position) {
                Some(outcome) => outcome.clone(),
                None => Ok(Operand::Value(Value::Absent)),
            },
        }
    }
}

impl<'a> Evaluation<'a> {
    /// The elements of `operand`, the value of `node`.
    pub(super) fn elements(
        &self,
        operand: Operand<'a>,
        node: &Node,
    ) -> Result<Elements<'a>, Unknown> {
        match operand {
            Operand::Value(Value::List(list)) => Ok(Elements::Borrowed { list, path: node.path() }),
            Operand::List(built) => Ok(Elements::Built(built)),
            other => Err(unusable(other.look(), node)),
        }
    }

    fn list(&self, node: &'a Node, scope: Option<&Scope<'_, 'a>>) -> Result<Elements<'a>, Unknown> {
        self.elements(self.value(node, scope)?, node)
    }

    pub(super) fn size(
        &self,
        node: &'a Node,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Result<i64, Unknown> {
        let operand = self.value(node, scope)?;
        let size = match operand.look() {
            Value::Text(text) => text.chars().count(),
            _ => {
                let elements = self.elements(operand, node)?;
                match elements.more() {
                    Some(unknown) => return Err(unknown),
                    None => elements.len(),
                }
            }
        };
        Ok(i64::try_from(size).unwrap_or(i64::MAX))
    }

    /// `exists` (`decisive` is true) and `all` (it is false): one decisive element decides.
    pub(super) fn quantify(
        &self,
        over: &'a Loop,
        decisive: bool,
        outer: Option<&Scope<'_, 'a>>,
    ) -> Result<bool, Unknown> {
        let elements = self.list(&over.list, outer)?;
        let mut unknown = None;
        for position in 0..elements.len() {
            let scope = Scope { value: elements.get(position, over.list.path()), outer };
            match self.counts(over, &scope)? {
                Ok(value) if value == decisive => return Ok(decisive),
                Ok(_) => {}
                Err(more) => Unknown::merge(&mut unknown, more),
            }
        }
        if let Some(more) = elements.more() {
            Unknown::merge(&mut unknown, more);
        }
        unknown.map_or(Ok(!decisive), Err)
    }

    /// Two elements that hold decide, whatever the others.
    pub(super) fn exists_one(
        &self,
        over: &'a Loop,
        outer: Option<&Scope<'_, 'a>>,
    ) -> Result<bool, Unknown> {
        let elements = self.list(&over.list, outer)?;
        let mut unknown = elements.more();
        let mut holding = 0;
        for position in 0..elements.len() {
            let scope = Scope { value: elements.get(position, over.list.path()), outer };
            match self.counts(over, &scope)? {
                Ok(value) => holding += usize::from(value),
                Err(more) => Unknown::merge(&mut unknown, more),
            }
            if holding > 1 {
                return Ok(false);
            }
        }
        unknown.map_or(Ok(holding == 1), Err)
    }

    /// `filter` and `map`: an element of which it is unknown whether it counts may be in or not.
    pub(super) fn build(&self, over: &'a Loop, outer: Option<&Scope<'_, 'a>>) -> Outcome<'a> {
        let elements = self.list(&over.list, outer)?;
        let mut more = elements.more();
        let mut items = Vec::with_capacity(elements.len());
        for position in 0..elements.len() {
            let scope = Scope { value: elements.get(position, over.list.path()), outer };
            match self.counts(over, &scope)? {
                Ok(false) => {}
                Ok(true) => items.push(match &over.result {
                    Some(result) => self.value(result, Some(&scope)),
                    None => scope.value,
                }),
                Err(unknown) => Unknown::merge(&mut more, unknown),
            }
        }
        Ok(Operand::List(Rc::new(Built { items, more })))
    }

    /// Whether the element in `scope` fulfils the condition. The outer error is the limit, which
    /// ends the loop.
    fn counts(
        &self,
        over: &'a Loop,
        scope: &Scope<'_, 'a>,
    ) -> Result<Result<bool, Unknown>, Unknown> {
        self.charge(u64::from(over.cost))?;
        Ok(over.condition.as_ref().map_or(Ok(true), |it| self.test(it, Some(scope))))
    }

    pub(super) fn list_literal(
        &self,
        elements: &'a [Node],
        scope: Option<&Scope<'_, 'a>>,
    ) -> Outcome<'a> {
        let items = elements.iter().map(|element| self.value(element, scope)).collect();
        Ok(Operand::List(Rc::new(Built { items, more: None })))
    }

    /// Positions mean nothing in a list from which elements may be missing.
    pub(super) fn element(
        &self,
        list: &'a Node,
        position: &'a Node,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Outcome<'a> {
        let elements = self.list(list, scope)?;
        let at = match self.value(position, scope)?.look() {
            Value::Int(at) => at,
            other => return Err(unusable(other, position)),
        };
        if let Some(unknown) = elements.more() {
            return Err(unknown);
        }
        match usize::try_from(at) {
            Ok(at) if at < elements.len() => elements.get(at, list.path()),
            _ => Err(Unknown::new(list.path(), Reason::NoSuchElement)),
        }
    }

    pub(super) fn in_list(
        &self,
        sides: &'a [Node; 2],
        scope: Option<&Scope<'_, 'a>>,
    ) -> Result<bool, Unknown> {
        let [left, right] = sides;
        let (item, list) = self.both(sides, scope)?;
        let elements = self.elements(list, right)?;
        let mut unknown = None;
        for position in 0..elements.len() {
            self.charge(1)?;
            let equal = elements
                .get(position, right.path())
                .and_then(|element| self.equal(&item, left, &element, right));
            match equal {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(more) => Unknown::merge(&mut unknown, more),
            }
        }
        if let Some(more) = elements.more() {
            Unknown::merge(&mut unknown, more);
        }
        unknown.map_or(Ok(false), Err)
    }

    /// Element by element, in order; unknown where elements may be missing.
    pub(super) fn lists_equal(
        &self,
        a: &Operand<'a>,
        left: &Node,
        b: &Operand<'a>,
        right: &Node,
    ) -> Result<bool, Unknown> {
        let (a, b) = (self.elements(a.clone(), left)?, self.elements(b.clone(), right)?);
        let mut unknown = a.more();
        if let Some(more) = b.more() {
            Unknown::merge(&mut unknown, more);
        }
        if let Some(unknown) = unknown {
            return Err(unknown);
        }
        if a.len() != b.len() {
            return Ok(false);
        }
        for position in 0..a.len() {
            self.charge(1)?;
            let equal = match (a.get(position, left.path()), b.get(position, right.path())) {
                (Ok(a), Ok(b)) => self.equal(&a, left, &b, right),
                (Err(more), _) | (_, Err(more)) => Err(more),
            };
            match equal {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(more) => Unknown::merge(&mut unknown, more),
            }
        }
        unknown.map_or(Ok(true), Err)
    }
}
