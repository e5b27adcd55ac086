//! One object as the property collector tells it: which properties were told, which are unset, and
//! which were refused.

use entente_model::Why;

use super::fault::Fault;
use super::soap::Paths;
use super::tree::{Element, Reference, Tree};

/// An `ObjectContent`.
#[derive(Clone, Debug)]
pub(in crate::vsphere) struct Object<'t> {
    /// Which.
    pub reference: Reference<'t>,
    told: Vec<(&'t str, Element<'t>)>,
    missing: Vec<(&'t str, Fault)>,
    /// What was asked for.
    asked: &'t [Paths],
}

/// One property, or something within one, as far as it was told.
#[derive(Clone, Copy, Debug)]
pub(in crate::vsphere) enum Told<'t> {
    /// It has a value.
    Value(Element<'t>),
    /// It was asked for and has none.
    Unset,
    /// It was not told, or not even asked for, and why.
    Missing(Why),
}

impl<'t> Object<'t> {
    /// Of an `objects` element that answers a question for these; nothing if it names no object.
    pub fn of(tree: &'t Tree, asked: &'t [Paths]) -> Option<Self> {
        let root = tree.root()?;
        let mut object = Self {
            reference: root.reference_at("obj")?,
            told: Vec::with_capacity(48),
            missing: Vec::new(),
            asked,
        };
        for child in root.children() {
            match child.name() {
                "propSet" => {
                    if let (Some(name), Some(value)) = (child.text_at("name"), child.child("val")) {
                        object.told.push((name, value));
                    }
                }
                "missingSet" => {
                    let path = child.text_at("path").unwrap_or_default();
                    // `fault` is a LocalizedMethodFault, with the fault proper in it.
                    let outer = child.child("fault");
                    let message = outer.and_then(|it| it.text_at("localizedMessage"));
                    let fault = outer.and_then(|it| it.child("fault")).or(outer);
                    let fault = fault.map(|it| Fault::from(it, message.unwrap_or_default()));
                    object.missing.push((path, fault.unwrap_or_default()));
                }
                _ => {}
            }
        }
        Some(object)
    }

    /// A property by its path, as it was asked for. One that was not asked for, since the server does
    /// not know it, is not unset.
    pub fn get(&self, path: &str) -> Told<'t> {
        if let Some((_, value)) = self.told.iter().find(|(name, _)| *name == path) {
            return Told::Value(*value);
        }
        match self.missing.iter().find(|(name, _)| covers(name, path)) {
            Some((_, fault)) => Told::Missing(why(fault)),
            None if self.was_asked(path) => Told::Unset,
            None => Told::Missing(Why::NotInVersion),
        }
    }

    fn was_asked(&self, path: &str) -> bool {
        let is_same = |it: &&Paths| it.kind == self.reference.kind;
        // Of a kind that is not named, what its base has was asked for.
        let is_named = self.asked.iter().any(|it| is_same(&it));
        let asked = self.asked.iter().filter(|it| !is_named || is_same(it));
        asked.flat_map(|it| &it.paths).any(|it| covers(it, path))
    }

    /// Properties with a value.
    pub fn told(&self) -> impl Iterator<Item = (&'t str, Element<'t>)> {
        self.told.iter().copied()
    }

    /// How many properties have a value.
    pub fn told_count(&self) -> usize {
        self.told.len()
    }

    /// What was refused.
    pub fn missing(&self) -> &[(&'t str, Fault)] {
        &self.missing
    }

    /// True if nothing was told because the session is over: some servers answer so, without a fault.
    pub fn shows_ended_session(&self) -> bool {
        self.told.is_empty()
            && !self.missing.is_empty()
            && self.missing.iter().all(|(_, fault)| fault.ends_session())
    }

    /// True if nothing was told because the object is gone.
    pub fn is_gone(&self) -> bool {
        self.told.is_empty() && self.missing.iter().any(|(_, it)| it.is("ManagedObjectNotFound"))
    }
}

/// A refusal of `config` covers `config.hardware`.
fn covers(refused: &str, path: &str) -> bool {
    path.strip_prefix(refused).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn why(fault: &Fault) -> Why {
    match fault.kind.as_str() {
        "NoPermission" | "NotAuthenticated" => Why::NoPermission,
        "InvalidProperty" => Why::NotInVersion,
        _ => Why::CallFailed,
    }
}

impl<'t> Element<'t> {
    /// What is at a path below it.
    pub fn told(self, path: &str) -> Told<'t> {
        self.at(path).map_or(Told::Unset, Told::Value)
    }
}

impl<'t> Told<'t> {
    /// Something within it.
    pub fn child(self, path: &str) -> Self {
        match self {
            Self::Value(element) => element.told(path),
            other => other,
        }
    }

    /// The element, if there is one.
    pub fn element(self) -> Option<Element<'t>> {
        match self {
            Self::Value(element) => Some(element),
            Self::Unset | Self::Missing(_) => None,
        }
    }

    /// The reference that it is, if it is one.
    pub fn reference(self) -> Option<Reference<'t>> {
        self.element()?.reference()
    }

    /// Elements of an array.
    pub fn elements(self) -> impl Iterator<Item = Element<'t>> {
        self.element().into_iter().flat_map(Element::children)
    }

    /// Its text; nothing if it is empty.
    pub fn text(self) -> Option<&'t str> {
        self.element().map(Element::text).filter(|it| !it.is_empty())
    }

    /// Why it was refused, if it was.
    pub fn refused(self) -> Option<Why> {
        match self {
            Self::Missing(why) => Some(why),
            Self::Value(_) | Self::Unset => None,
        }
    }
}
