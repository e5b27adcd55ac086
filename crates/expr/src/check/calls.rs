//! Functions.

use cel::IdedExpr;
use cel::common::ast::operators::INDEX;
use cel::common::ast::{CallExpr, Expr};
use regex::RegexBuilder;

use super::{Checked, Checker};
use crate::diagnostic::nearest;
use crate::node::{Node, TextTest};
use crate::types::Type;

/// Largest compiled pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 256 * 1024;

/// Every function and macro, for hints.
pub(crate) const FUNCTIONS: [&str; 14] = [
    "all",
    "contains",
    "double",
    "endsWith",
    "exists",
    "exists_one",
    "filter",
    "has",
    "int",
    "lowerAscii",
    "map",
    "matches",
    "size",
    "startsWith",
];

impl Checker<'_> {
    /// An operator, a macro or a function.
    pub(super) fn call(&mut self, call: &CallExpr, id: u64) -> Checked {
        let (function, arguments) = (call.func_name.as_str(), call.args.as_slice());
        if call.target.is_none()
            && let Some(checked) = self.operator(function, arguments, id)
        {
            return checked;
        }
        if let Some(list) = &call.target
            && let Some(checked) = self.macro_call(function, list, arguments, id)
        {
            return checked;
        }
        match (function, call.target.as_deref(), arguments) {
            ("has", None, [argument]) => self.has(argument),
            ("size", Some(operand), []) | ("size", None, [operand]) => self.size(operand),
            ("startsWith", Some(text), [part]) => self.text_test(TextTest::StartsWith, text, part),
            ("endsWith", Some(text), [part]) => self.text_test(TextTest::EndsWith, text, part),
            ("contains", Some(text), [part]) => self.text_test(TextTest::Contains, text, part),
            ("matches", Some(text), [pattern]) | ("matches", None, [text, pattern]) => {
                self.matches(text, pattern)
            }
            ("lowerAscii", Some(text), []) => {
                let checked = self.text(text, "`lowerAscii`");
                Checked::new(Node::LowerAscii(Box::new(checked)), Type::Text)
            }
            ("int", None, [number]) => self.number(number, Node::ToInt, Type::Int),
            ("double", None, [number]) => self.number(number, Node::ToDouble, Type::Double),
            _ => self.unknown_call(function, id),
        }
    }

    fn has(&mut self, argument: &IdedExpr) -> Checked {
        if !matches!(argument.expr, Expr::Select(_)) {
            let span = self.places.extent(argument);
            let hint = matches!(&argument.expr, Expr::Call(call) if call.func_name == INDEX)
                .then(|| "for a key of a map: `\"key\" in map`".to_owned());
            self.report(span, "has() asks for an attribute: has(workload.x)", hint);
            return Checked::mistake();
        }
        let checked = self.expression(argument);
        if matches!(checked.r#type, Type::List(_) | Type::Map(_)) {
            let message = format!("a {} is always there", checked.r#type);
            let hint = matches!(checked.r#type, Type::List(_))
                .then(|| "ask for its size: `size(list) > 0`".to_owned());
            self.report(self.places.of_field(argument.id), message, hint);
        }
        Checked::new(Node::Has(Box::new(checked.node)), Type::Bool)
    }

    fn size(&mut self, operand: &IdedExpr) -> Checked {
        let checked = self.expression(operand);
        match checked.r#type {
            Type::Text | Type::List(_) | Type::Any => {
                Checked::new(Node::Size(Box::new(checked.node)), Type::Int)
            }
            other => self.refuse(operand, &format!("size() counts text or a list, not {other}")),
        }
    }

    fn text_test(&mut self, test: TextTest, text: &IdedExpr, part: &IdedExpr) -> Checked {
        let what = match test {
            TextTest::StartsWith => "`startsWith`",
            TextTest::EndsWith => "`endsWith`",
            TextTest::Contains => "`contains`",
        };
        let nodes = [self.text(text, what), self.text(part, what)];
        Checked::new(Node::TextTest(test, Box::new(nodes)), Type::Bool)
    }

    fn matches(&mut self, text: &IdedExpr, pattern: &IdedExpr) -> Checked {
        let subject = self.text(text, "`matches`");
        let source = match self.text(pattern, "`matches`") {
            Node::Text(source) => source,
            Node::Null => return Checked::mistake(),
            _ => {
                return self.refuse(pattern, "the pattern of `matches` must be a constant text");
            }
        };
        match RegexBuilder::new(&source).size_limit(PATTERN_BYTES_MAX).build() {
            Ok(regex) => Checked::new(Node::Matches(Box::new(subject), regex), Type::Bool),
            Err(error) => {
                let text = error.to_string();
                let reason = text.lines().last().unwrap_or_default().trim();
                let reason = reason.strip_prefix("error: ").unwrap_or(reason);
                self.refuse(pattern, &format!("not a regular expression: {reason}"))
            }
        }
    }

    fn text(&mut self, operand: &IdedExpr, what: &str) -> Node {
        let checked = self.expression(operand);
        if !matches!(checked.r#type, Type::Text | Type::Any) {
            let message = format!("{what} works on text, not {}", checked.r#type);
            let hint = matches!(checked.r#type, Type::List(_))
                .then(|| "ask of its elements: `.exists(it, …)`, or `\"x\" in list`".to_owned());
            self.report(self.places.extent(operand), message, hint);
            return Node::Null;
        }
        checked.node
    }

    fn number(
        &mut self,
        operand: &IdedExpr,
        convert: fn(Box<Node>) -> Node,
        r#type: Type,
    ) -> Checked {
        let checked = self.expression(operand);
        match checked.r#type {
            Type::Int | Type::Double | Type::Any => {
                Checked::new(convert(Box::new(checked.node)), r#type)
            }
            other => self.refuse(operand, &format!("{type}() converts a number, not {other}")),
        }
    }

    fn unknown_call(&mut self, function: &str, id: u64) -> Checked {
        let span = self.places.of_function(id);
        if FUNCTIONS.contains(&function) {
            let message = format!("`{function}` is not used like this");
            self.report(span, message, Some(format!("write `{}`", usage(function))));
        } else {
            let hint = nearest(function, FUNCTIONS).map(|meant| format!("did you mean `{meant}`?"));
            self.report(span, format!("unknown function `{function}`"), hint);
        }
        Checked::mistake()
    }
}

/// How a function is written.
pub(crate) fn usage(function: &str) -> &'static str {
    match function {
        "all" => "list.all(it, condition)",
        "contains" => "text.contains(part)",
        "double" => "double(number)",
        "endsWith" => "text.endsWith(part)",
        "exists" => "list.exists(it, condition)",
        "exists_one" => "list.exists_one(it, condition)",
        "filter" => "list.filter(it, condition)",
        "has" => "has(record.attribute)",
        "int" => "int(number)",
        "lowerAscii" => "text.lowerAscii()",
        "map" => "list.map(it, result)",
        "matches" => "text.matches(\"pattern\")",
        "size" => "size(list)",
        _ => "text.startsWith(part)",
    }
}
