//! Comparisons.

use std::cmp::Ordering;

use super::{Evaluation, Operand, Scope, Unknown, first_path, unusable};
use crate::node::{Comparison, Node};
use crate::truth::Reason;
use crate::value::Value;

impl<'a> Evaluation<'a> {
    pub(super) fn compare(
        &self,
        comparison: Comparison,
        sides: &'a [Node; 2],
        scope: Option<&Scope<'_, 'a>>,
    ) -> Result<bool, Unknown> {
        let [left, right] = sides;
        if let (Some(a), Some(b)) = (self.plain(left, scope), self.plain(right, scope))
            && let Some(order) = same_kind(a, b)
        {
            return Ok(holds(comparison, order));
        }
        let (a, b) = self.both(sides, scope)?;
        match comparison {
            Comparison::Equal => self.equal(&a, left, &b, right),
            Comparison::NotEqual => Ok(!self.equal(&a, left, &b, right)?),
            ordering => Ok(holds(ordering, order((a.look(), left), (b.look(), right))?)),
        }
    }

    /// Absence equals absence and nothing else; numbers are equal by value.
    pub(super) fn equal(
        &self,
        a: &Operand<'a>,
        left: &Node,
        b: &Operand<'a>,
        right: &Node,
    ) -> Result<bool, Unknown> {
        match (a.look(), b.look()) {
            (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
            (Value::Text(a), Value::Text(b)) => Ok(a == b),
            (Value::Absent, Value::Absent) => Ok(true),
            (Value::List(_), Value::List(_)) => self.lists_equal(a, left, b, right),
            (a, b) => Ok(numeric(a, b) == Some(Ordering::Equal)),
        }
    }

    /// A list of which `seen` elements were seen has at least so many; often that is enough.
    pub(super) fn compare_size(
        &self,
        comparison: Comparison,
        list: &'a Node,
        bound: i64,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Result<bool, Unknown> {
        let operand = self.value(list, scope)?;
        if let Value::Text(text) = operand.look() {
            let size = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
            return Ok(holds(comparison, size.cmp(&bound)));
        }
        let elements = self.elements(operand, list)?;
        let seen = i64::try_from(elements.len()).unwrap_or(i64::MAX);
        let Some(unknown) = elements.more() else {
            return Ok(holds(comparison, seen.cmp(&bound)));
        };
        match comparison {
            Comparison::Greater | Comparison::NotEqual if seen > bound => Ok(true),
            Comparison::GreaterOrEqual if seen >= bound => Ok(true),
            Comparison::LessOrEqual | Comparison::Equal if seen > bound => Ok(false),
            Comparison::Less if seen >= bound => Ok(false),
            _ => Err(unknown),
        }
    }
}

fn holds(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

/// The order of two texts or two whole numbers, which is what most comparisons compare.
fn same_kind(a: Value<'_>, b: Value<'_>) -> Option<Ordering> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(&b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(&b)),
        _ => None,
    }
}

/// The order of two texts or two numbers.
fn order(
    (a, left): (Value<'_>, &Node),
    (b, right): (Value<'_>, &Node),
) -> Result<Ordering, Unknown> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
        (Value::Int(_) | Value::Double(_), Value::Int(_) | Value::Double(_)) => {
            numeric(a, b).ok_or_else(|| Unknown::new(first_path(left, right), Reason::NotANumber))
        }
        (Value::Int(_) | Value::Double(_) | Value::Text(_), b) => Err(unusable(b, right)),
        (a, Value::Int(_) | Value::Double(_) | Value::Text(_)) => Err(unusable(a, left)),
        (a, b) => Err(unusable(a, left).and(unusable(b, right))),
    }
}

/// The order of two numbers, exact whatever their kinds; `None` for NaN and for anything else.
fn numeric(a: Value<'_>, b: Value<'_>) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(&b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(&b),
        (Value::Int(a), Value::Double(b)) => int_to_double(a, b),
        (Value::Double(a), Value::Int(b)) => int_to_double(b, a).map(Ordering::reverse),
        _ => None,
    }
}

fn int_to_double(int: i64, double: f64) -> Option<Ordering> {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    if double.is_nan() {
        return None;
    }
    if double >= TWO_TO_63 {
        return Some(Ordering::Less);
    }
    if double < -TWO_TO_63 {
        return Some(Ordering::Greater);
    }
    let whole = double.trunc();
    Some(int.cmp(&(whole as i64)).then_with(|| whole.total_cmp(&double)))
}
