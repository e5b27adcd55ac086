//! What a server says when it could not do something.

use entente_model::Text;

use super::tree::{Element, Tree};

/// A SOAP fault, or the fault of one property.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::vsphere) struct Fault {
    /// Its type without the suffix `Fault` that some servers add: `NotAuthenticated`, `NoPermission`.
    pub kind: Text,
    /// What it says, for people.
    pub message: Text,
    /// The property or parameter that it names.
    pub name: Option<Text>,
    /// The privilege that is missing.
    pub privilege: Option<Text>,
    /// Of what kind the object is that it names.
    pub about: Option<Text>,
}

impl Fault {
    /// Of the `Fault` of an envelope.
    pub fn of(tree: &Tree) -> Self {
        let Some(root) = tree.root() else { return Self::default() };
        let message = root.text_at("faultstring").unwrap_or_default();
        match root.child("detail").and_then(|it| it.children().next()) {
            Some(detail) => Self::from(detail, message),
            None => Self { message: Text::new(message), ..Self::default() },
        }
    }

    /// Of a typed element: its type is its `xsi:type`, else its name.
    pub fn from(element: Element<'_>, message: &str) -> Self {
        let kind = if element.kind().is_empty() { element.name() } else { element.kind() };
        let kind = kind.strip_suffix("Fault").filter(|it| !it.is_empty()).unwrap_or(kind);
        let name = ["name", "invalidProperty", "argument"];
        let name = name.into_iter().find_map(|it| element.text_at(it));
        Self {
            kind: Text::new(kind),
            message: Text::new(message),
            name: name.map(Text::new),
            privilege: element.text_at("privilegeId").map(Text::new),
            about: element.reference_at("obj").map(|it| Text::new(it.kind)),
        }
    }

    /// True for faults of this type.
    pub fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }

    /// The session is over.
    pub fn ends_session(&self) -> bool {
        self.is("NotAuthenticated")
    }
}
