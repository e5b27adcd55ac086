//! One element of an answer with everything below it, flat: one buffer of text, one list of nodes.
//!
//! Not a document: an answer is read object by object, and each object reuses the same two buffers,
//! so that nothing is allocated per element. Names are local names: prefixes and namespaces differ
//! between servers and say nothing that the names do not.

use entente_model::Moment;

/// An element with what is below it.
#[derive(Clone, Debug, Default)]
pub(in crate::vsphere) struct Tree {
    text: String,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    name: Span,
    /// `xsi:type`, without its prefix.
    kind: Span,
    /// `type`: of what kind the object is that a reference names.
    refers_to: Span,
    value: Span,
    /// The node after the last one below this.
    end: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    length: u32,
}

/// One element of a [`Tree`].
#[derive(Clone, Copy, Debug)]
pub(in crate::vsphere) struct Element<'t> {
    tree: &'t Tree,
    at: u32,
}

/// A reference to a managed object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::vsphere) struct Reference<'t> {
    /// `VirtualMachine`.
    pub kind: &'t str,
    /// `vm-42`.
    pub id: &'t str,
}

impl Tree {
    /// Forgets everything but the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.nodes.clear();
    }

    /// The element itself; nothing in an empty tree.
    pub fn root(&self) -> Option<Element<'_>> {
        (!self.nodes.is_empty()).then_some(Element { tree: self, at: 0 })
    }

    /// A copy that holds no more memory than it needs.
    pub fn compact(&self) -> Self {
        Self { text: self.text.as_str().into(), nodes: self.nodes.as_slice().into() }
    }

    /// Bytes of text that it holds.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// An element begins; gives its number, for [`Tree::close`].
    pub fn open(&mut self, name: &str, kind: &str, refers_to: &str) -> u32 {
        let at = as_u32(self.nodes.len());
        let node = Node {
            name: self.push(name),
            kind: self.push(kind),
            refers_to: self.push(refers_to),
            value: Span { start: as_u32(self.text.len()), length: 0 },
            end: at + 1,
        };
        self.nodes.push(node);
        at
    }

    /// Text of the element that began last.
    pub fn append(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// A character of the element that began last.
    pub fn append_char(&mut self, character: char) {
        self.text.push(character);
    }

    /// An element ends. Text beside child elements is white space: only leaves have a value.
    pub fn close(&mut self, at: u32) {
        let nodes = as_u32(self.nodes.len());
        let text = as_u32(self.text.len());
        if let Some(node) = self.nodes.get_mut(at as usize) {
            node.end = nodes;
            if nodes == at + 1 {
                node.value.length = text.saturating_sub(node.value.start);
            }
        }
    }

    fn push(&mut self, text: &str) -> Span {
        let start = as_u32(self.text.len());
        self.text.push_str(text);
        Span { start, length: as_u32(text.len()) }
    }

    fn span(&self, span: Span) -> &str {
        let (start, length) = (span.start as usize, span.length as usize);
        self.text.get(start..start + length).unwrap_or_default()
    }
}

/// Sizes are bounded by the largest answer, which is far below 4 GiB.
fn as_u32(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

impl<'t> Element<'t> {
    fn node(self) -> Option<&'t Node> {
        self.tree.nodes.get(self.at as usize)
    }

    fn of(self, part: impl FnOnce(&Node) -> Span) -> &'t str {
        self.node().map_or("", |node| self.tree.span(part(node)))
    }

    /// Local name.
    pub fn name(self) -> &'t str {
        self.of(|node| node.name)
    }

    /// `xsi:type` without prefix; empty if it has none.
    pub fn kind(self) -> &'t str {
        self.of(|node| node.kind)
    }

    /// Text of a leaf, as it is.
    pub fn text(self) -> &'t str {
        self.of(|node| node.value)
    }

    /// As a reference to an object.
    pub fn reference(self) -> Option<Reference<'t>> {
        let (kind, id) = (self.of(|node| node.refers_to), self.text().trim());
        (!id.is_empty()).then_some(Reference { kind, id })
    }

    /// Elements directly below.
    pub fn children(self) -> impl Iterator<Item = Element<'t>> {
        let end = self.node().map_or(0, |node| node.end);
        let mut next = self.at + 1;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let child = Element { tree: self.tree, at: next };
            // An element ends behind itself, whatever else is wrong.
            next = child.node().map_or(end, |node| node.end.max(next + 1));
            Some(child)
        })
    }

    /// The first element of that name directly below.
    pub fn child(self, name: &str) -> Option<Element<'t>> {
        self.children().find(|it| it.name() == name)
    }

    /// All elements of that name directly below.
    pub fn all(self, name: &'static str) -> impl Iterator<Item = Element<'t>> {
        self.children().filter(move |it| it.name() == name)
    }

    /// The first element along a path of names, `a.b.c`.
    pub fn at(self, path: &str) -> Option<Element<'t>> {
        path.split('.').try_fold(self, |element, name| element.child(name))
    }

    /// Text at a path; nothing if it is empty.
    pub fn text_at(self, path: &str) -> Option<&'t str> {
        self.at(path).map(Element::text).filter(|it| !it.is_empty())
    }

    /// A number at a path.
    pub fn number_at<T: std::str::FromStr>(self, path: &str) -> Option<T> {
        self.text_at(path)?.trim().parse().ok()
    }

    /// A boolean at a path.
    pub fn flag_at(self, path: &str) -> Option<bool> {
        flag(self.text_at(path)?)
    }

    /// A time at a path.
    pub fn moment_at(self, path: &str) -> Option<Moment> {
        self.text_at(path)?.trim().parse().ok()
    }

    /// A reference at a path.
    pub fn reference_at(self, path: &str) -> Option<Reference<'t>> {
        self.at(path)?.reference()
    }
}

/// `true`, `1`, `false`, `0`.
pub(in crate::vsphere) fn flag(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}
