//! Macros over lists: `exists`, `all`, `exists_one`, `filter`, `map`.

use cel::IdedExpr;
use cel::common::ast::Expr;

use super::{Checked, Checker, Variable};
use crate::node::{Loop, Node, Quantifier};
use crate::types::Type;

/// Steps charged for one turn of a loop beside those of its body.
const TURN_COST: u32 = 1;

impl Checker<'_> {
    /// `list.function(variable, …)`; `None` if it is no macro.
    pub(super) fn macro_call(
        &mut self,
        function: &str,
        list: &IdedExpr,
        arguments: &[IdedExpr],
        id: u64,
    ) -> Option<Checked> {
        let (variable, condition, result) = match (function, arguments) {
            ("exists" | "all" | "exists_one" | "filter", [variable, condition]) => {
                (variable, Some(condition), None)
            }
            ("map", [variable, result]) => (variable, None, Some(result)),
            ("map", [variable, condition, result]) => (variable, Some(condition), Some(result)),
            _ => return None,
        };
        let place = list;
        let list = self.expression(list);
        let element = match &list.r#type {
            Type::List(element) => (**element).clone(),
            Type::Any => return Some(Checked::mistake()),
            other => {
                let message = format!("`{function}` goes over a list, not {other}");
                return Some(self.refuse(place, &message));
            }
        };
        let Expr::Ident(name) = &variable.expr else {
            let message = format!("`{function}` begins with the name of an element: `it`");
            return Some(self.refuse(variable, &message));
        };
        let path = self.element_path(&list.node);
        let words = list.words;
        self.variables.push(Variable { name: name.clone(), r#type: element.clone(), words, path });
        let nodes_before = self.nodes;
        let condition = condition.map(|condition| {
            let checked = self.expression(condition);
            self.require_bool(&checked, condition, &format!("the condition of `{function}`"));
            checked.node
        });
        let result = result.map(|result| self.expression(result));
        let cost = self.nodes - nodes_before + TURN_COST;
        self.variables.pop();
        let result_type = result.as_ref().map_or(element, |checked| checked.r#type.clone());
        let result_words = result.as_ref().map_or(list.words, |checked| checked.words);
        let result = result.map(|checked| checked.node);
        let over = Box::new(Loop { list: list.node, condition, result, cost });
        let quantifier = match function {
            "exists" => Quantifier::Exists,
            "all" => Quantifier::All,
            "exists_one" => Quantifier::ExistsOne,
            _ => {
                let r#type = Type::list(result_type);
                return Some(Checked { node: Node::Build(over), r#type, words: result_words });
            }
        };
        let _ = id;
        Some(Checked::new(Node::Quantify(quantifier, over), Type::Bool))
    }

    /// The path of a list's elements: what `map` made of them keeps the path of its result.
    fn element_path(&mut self, list: &Node) -> u32 {
        match list {
            Node::Build(over) => match &over.result {
                Some(result) => result.path(),
                None => self.element_path(&over.list),
            },
            other => self.path_below(other, "[]"),
        }
    }
}
