//! Expressions in users' files: CEL syntax, checked when a file is loaded, evaluated in three-valued
//! logic.
//!
//! ```text
//! workload.power == "on" && workload.disks.exists(d, d.mode.startsWith("independent"))
//! ```
//!
//! The syntax is that of the [Common Expression Language](https://cel.dev), the `cel` crate parses
//! it. Checking and evaluation are ours, because an attribute that was not observed must not read as
//! absent or false. An expression says [`Truth::True`] or [`Truth::False`] only where that holds
//! whatever the unobserved attributes are; else [`Truth::Unknown`] with their names.
//!
//! # What can be written
//!
//! - literals: `true`, `12`, `0.5`, `"text"`, `'text'`, `r"\d+"`, `null`, lists `["a", "b"]`;
//! - attributes `workload.host.name`, keys of maps `workload.labels.team` or
//!   `workload.attributes["Cost Centre"]`, elements of lists `workload.disks[0]`;
//! - `&&`, `||`, `!`, `condition ? value : value`, `==`, `!=`, `<`, `<=`, `>`, `>=`,
//!   `in` (a list's elements, a map's keys), `+`, `-`, `*`, `/`, `%`, and `+` for texts;
//! - `has(workload.x)`, `size(x)`, `text.startsWith(part)`, `text.endsWith(part)`,
//!   `text.contains(part)`, `text.matches("pattern")`, `text.lowerAscii()`, `int(number)`,
//!   `double(number)`;
//! - over lists: `exists`, `all`, `exists_one`, `filter`, `map`, as `list.exists(it, condition)`.
//!
//! Numbers of both kinds compare by value, but calculating with both needs a conversion. An attribute
//! with a fixed vocabulary can only be compared with its words.
//!
//! # What is known, absent, unknown
//!
//! - An attribute observed as absent reads as `null`, and so does a key that a map is known not to
//!   hold (CEL calls the latter an error). `x == null` asks for it; `has(x)` is its opposite, also
//!   where the record before the last dot is null (in CEL, an error). Null equals nothing else.
//!   Anything else done with null has no value: guard it, `has(x) && x > 3`.
//! - What has no value (not observed, null where a value is needed, overflow, division by zero, no
//!   such element, limit reached) makes unknown whatever needs it, with its path and [`Reason`].
//! - `&&` is false if either side is, `||` true if either side is, whatever the other; otherwise an
//!   unknown side makes them unknown.
//! - A list from which elements may be missing decides what the seen ones decide: `exists` if one
//!   holds, `all` if one does not, `in` if one is equal, `exists_one` if two hold, a comparison with
//!   `size(list)` if that many were seen. Its elements have no position.
//! - `filter` keeps the elements of which the condition is true; where it is unknown, elements may be
//!   missing from the result. `map` and list literals keep elements without value. (In CEL, these and
//!   `exists_one` fail as a whole; here, one bad element does not sink a list.)
//!
//! # Limits
//!
//! [`SOURCE_BYTES_MAX`], [`NESTING_MAX`], [`CHAIN_MAX`] and [`NODES_MAX`] bound what is compiled, the
//! first three before the parser, which recurses, sees it; [`PATTERN_BYTES_MAX`] bounds a compiled
//! pattern, [`STEPS_MAX`] an evaluation.
//!
//! Knows nothing of who asks, of files, of the clock.

mod check;
mod diagnostic;
mod evaluate;
mod expression;
mod node;
mod scan;
mod syntax;
mod truth;
mod types;
mod value;
pub mod workload;

pub use check::{NODES_MAX, PATTERN_BYTES_MAX};
pub use diagnostic::{Diagnostic, nearest};
pub use evaluate::STEPS_MAX;
pub use expression::Expression;
pub use scan::{CHAIN_MAX, NESTING_MAX, SOURCE_BYTES_MAX};
pub use truth::{Missing, Reason, Truth};
pub use types::{AttributeType, Environment, RecordType, Type};
pub use value::{List, Map, Record, Value};
