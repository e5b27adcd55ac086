//! Names, attributes and keys.

use cel::IdedExpr;
use cel::common::ast::{Expr, SelectExpr};
use entente_model::Text;

use super::{Checked, Checker};
use crate::diagnostic::nearest;
use crate::node::Node;
use crate::types::{RecordType, Type};

impl Checker<'_> {
    /// A name on its own: a macro's variable.
    pub(super) fn name(&mut self, name: &str, id: u64) -> Checked {
        if let Some(checked) = self.variable(name) {
            return checked;
        }
        let span = self.places.of(id);
        if self.environment.find(name).is_some() {
            self.report(
                span,
                format!("`{name}` is a record, not a value"),
                Some(format!("name one of its attributes: `{name}.…`")),
            );
        } else {
            let hint = self.hint_for_name(name);
            self.report(span, format!("unknown name `{name}`"), hint);
        }
        Checked::mistake()
    }

    fn variable(&self, name: &str) -> Option<Checked> {
        let (depth, variable) =
            self.variables.iter().rev().enumerate().find(|(_, variable)| variable.name == name)?;
        let node = Node::Variable { depth, path: variable.path };
        Some(Checked { node, r#type: variable.r#type.clone(), words: variable.words })
    }

    fn hint_for_name(&self, name: &str) -> Option<String> {
        let roots = &self.environment.roots;
        if let Some((root, _)) = roots.iter().find(|(_, record)| record.find(name).is_some()) {
            return Some(format!("did you mean `{root}.{name}`?"));
        }
        let variables = self.variables.iter().map(|variable| variable.name.as_str());
        match nearest(name, roots.iter().map(|(root, _)| *root).chain(variables)) {
            Some(meant) => Some(format!("did you mean `{meant}`?")),
            None => Some(format!("text is written in quotes: \"{name}\"")),
        }
    }

    /// `record.attribute` or `map.key`.
    pub(super) fn select(&mut self, select: &SelectExpr, id: u64) -> Checked {
        if let Expr::Ident(name) = &select.operand.expr
            && self.variable(name).is_none()
            && let Some((root, record)) = self.environment.find(name)
        {
            self.nodes = self.nodes.saturating_add(1);
            return self.attribute_of_root(root, name, record, &select.field, id);
        }
        let operand = self.expression(&select.operand);
        match &operand.r#type {
            Type::Record(record) => {
                let record = *record;
                let Some((index, attribute)) = record.find(&select.field) else {
                    return self.unknown_attribute(record, &select.field, id);
                };
                let path = self.path_below(&operand.node, &format!(".{}", select.field));
                let node = Node::Select { record: Box::new(operand.node), index, path };
                Checked { node, r#type: attribute.r#type.clone(), words: attribute.words }
            }
            Type::Map(value) => {
                let value = (**value).clone();
                self.key(operand.node, Node::Text(Text::from(&select.field)), value)
            }
            Type::Any => Checked::mistake(),
            other => {
                let message = format!("{other} has no attribute `{}`", select.field);
                let hint = matches!(other, Type::List(_))
                    .then(|| format!("ask of its elements: `.exists(it, it.{} …)`", select.field));
                self.report(self.places.of_field(id), message, hint);
                Checked::mistake()
            }
        }
    }

    fn attribute_of_root(
        &mut self,
        root: usize,
        name: &str,
        record: &'static RecordType,
        field: &str,
        id: u64,
    ) -> Checked {
        if let Some((known, _)) = self.environment.roots.get(root)
            && !self.roots.contains(known)
        {
            self.roots.push(known);
        }
        let Some((index, attribute)) = record.find(field) else {
            return self.unknown_attribute(record, field, id);
        };
        let path = self.path(format!("{name}.{field}"));
        let node = Node::Attribute { root, index, path };
        Checked { node, r#type: attribute.r#type.clone(), words: attribute.words }
    }

    fn unknown_attribute(&mut self, record: &RecordType, field: &str, id: u64) -> Checked {
        let names = record.attributes.iter().map(|attribute| attribute.name);
        let hint = nearest(field, names).map(|meant| format!("did you mean `{meant}`?"));
        let message = format!("unknown attribute `{field}` of {}", record.name);
        self.report(self.places.of_field(id), message, hint);
        Checked::mistake()
    }

    /// `map[key]` or `list[position]`.
    pub(super) fn index(&mut self, operand: &IdedExpr, index: &IdedExpr) -> Checked {
        let of = self.expression(operand);
        let at = self.expression(index);
        let wanted = match &of.r#type {
            Type::Map(_) => "text",
            Type::List(_) => "int",
            Type::Any => return Checked::mistake(),
            other => {
                let message = format!("{other} has no elements to pick by `[…]`");
                return self.refuse(operand, &message);
            }
        };
        match (of.r#type, &at.r#type) {
            (Type::Map(value), Type::Text | Type::Any) => self.key(of.node, at.node, *value),
            (Type::List(element), Type::Int | Type::Any) => {
                let path = self.path_below(&of.node, "[]");
                let (list, position) = (Box::new(of.node), Box::new(at.node));
                Checked::new(Node::Element { list, position, path }, *element)
            }
            (of, other) => {
                let message = format!("{of} is indexed by {wanted}, not by {other}");
                self.refuse(index, &message)
            }
        }
    }

    fn key(&mut self, map: Node, key: Node, value: Type) -> Checked {
        let path = self.key_path(&map, &key);
        Checked::new(Node::Key { map: Box::new(map), key: Box::new(key), path }, value)
    }

    /// `workload.labels.team`, `workload.labels["cost centre"]`; the map's own for a computed key.
    pub(super) fn key_path(&mut self, map: &Node, key: &Node) -> u32 {
        let Node::Text(key) = key else { return map.path() };
        let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && key.starts_with(|c: char| !c.is_ascii_digit());
        let suffix = if plain { format!(".{key}") } else { format!("[{:?}]", key.as_str()) };
        self.path_below(map, &suffix)
    }
}
