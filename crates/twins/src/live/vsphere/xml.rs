//! Writing and reading the little XML there is: answers are written as text, requests are read into
//! small trees. Not a general XML library: no namespaces beyond their prefixes, which are dropped.

use std::fmt::{Display, Write};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::live::words::escape;

/// Elements of one request at most; a vCenter refuses larger ones, too.
const ELEMENTS_MAX: usize = 500_000;

/// Writes elements in the order in which it is told.
#[derive(Debug, Default)]
pub(super) struct Writer {
    text: String,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes) }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// What was written so far.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
    }

    /// Text that is XML already.
    pub(super) fn raw(&mut self, xml: &str) {
        self.text.push_str(xml);
    }

    /// An element with text.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.open(name);
        escape(value, &mut self.text);
        self.close(name);
    }

    /// An element with text, if there is one.
    pub(super) fn text_if(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.text(name, value.as_ref());
        }
    }

    /// An element with a number, a truth value or anything else that needs no escaping.
    pub(super) fn leaf(&mut self, name: &str, value: impl Display) {
        self.open(name);
        let _ = write!(self.text, "{value}");
        self.close(name);
    }

    /// As [`Writer::leaf`], if there is one.
    pub(super) fn leaf_if(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.leaf(name, value);
        }
    }

    /// Several elements of the same kind.
    pub(super) fn flags(&mut self, flags: &[(&str, bool)]) {
        for (name, value) in flags {
            self.leaf(name, value);
        }
    }

    /// Several elements with words.
    pub(super) fn words(&mut self, words: &[(&str, &str)]) {
        for (name, value) in words {
            self.text(name, value);
        }
    }

    /// An element with elements.
    pub(super) fn node(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.open(name);
        inside(self);
        self.close(name);
    }

    /// An element of a type that its place does not tell.
    pub(super) fn node_as(&mut self, name: &str, kind: &str, inside: impl FnOnce(&mut Self)) {
        let _ = write!(self.text, "<{name} xsi:type=\"{kind}\">");
        inside(self);
        self.close(name);
    }

    /// A value of a type that its place does not tell.
    pub(super) fn value_as(&mut self, name: &str, kind: &str, value: &str) {
        self.node_as(name, kind, |w| escape(value, &mut w.text));
    }

    /// A reference to a managed object.
    pub(super) fn reference(&mut self, name: &str, kind: &str, id: &str) {
        let _ = write!(self.text, "<{name} type=\"{kind}\">{id}</{name}>");
    }

    /// References; none at all are an empty list, which is not the same as nothing.
    pub(super) fn references<'a>(
        &mut self,
        name: &str,
        references: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) {
        let mut any = false;
        for (kind, id) in references {
            self.reference(name, kind, id);
            any = true;
        }
        if !any {
            self.empty(name);
        }
    }

    /// An element with nothing in it: among an object's own properties, an empty list.
    pub(super) fn empty(&mut self, name: &str) {
        self.open(name);
        self.close(name);
    }

    pub(super) fn open(&mut self, name: &str) {
        self.text.push('<');
        self.text.push_str(name);
        self.text.push('>');
    }

    pub(super) fn close(&mut self, name: &str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }
}

/// An element of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Element {
    /// Name without prefix.
    pub name: String,
    attributes: Vec<(String, String)>,
    /// Elements in it.
    pub children: Vec<Element>,
    /// Text in it.
    pub text: String,
}

impl Element {
    /// The first element of this name in it.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|it| it.name == name)
    }

    /// All elements of this name in it.
    pub(super) fn all<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a Self> + use<'a, 'n> {
        self.children.iter().filter(move |it| it.name == name)
    }

    /// Text of the first element of this name in it.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        self.child(name).map(|it| it.text.trim())
    }

    /// Texts of all elements of this name in it.
    pub(super) fn words<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.all(name).map(|it| it.text.trim())
    }

    /// True if the element of this name says so.
    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.word(name), Some("true" | "1"))
    }

    /// A number in it.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.word(name)?.parse().ok()
    }

    /// An attribute without prefix; `xsi:type` and `type` both go by their own name.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }

    /// Kind and id of the object to which it refers.
    pub(super) fn reference(&self) -> (&str, &str) {
        (self.attribute("type").unwrap_or_default(), self.text.trim())
    }
}

/// Why a request could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    Malformed,
    TooLarge,
}

/// Reads a request.
pub(super) fn read(text: &str) -> Result<Element, Unreadable> {
    read_of(text, ELEMENTS_MAX)
}

/// Reads a request of so many elements at most.
fn read_of(text: &str, elements_max: usize) -> Result<Element, Unreadable> {
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::default()];
    let mut elements = 0;
    loop {
        let event = reader.read_event().map_err(|_| Unreadable::Malformed)?;
        elements += usize::from(matches!(event, Event::Start(_) | Event::Empty(_)));
        if elements > elements_max {
            return Err(Unreadable::TooLarge);
        }
        match event {
            Event::Start(start) => open.push(element(&start)?),
            Event::Empty(start) => add(&mut open, element(&start)?)?,
            Event::End(_) => {
                let closed = open.pop().ok_or(Unreadable::Malformed)?;
                add(&mut open, closed)?;
            }
            Event::Text(text) => say(&mut open, &text.xml10_content()),
            Event::CData(text) => say(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => say(&mut open, character.encode_utf8(&mut [0; 4])),
                _ => say(&mut open, named(&reference.xml10_content())),
            },
            Event::Eof => break,
            _ => {}
        }
    }
    let root = open.pop().filter(|_| open.is_empty()).ok_or(Unreadable::Malformed)?;
    root.children.into_iter().next().ok_or(Unreadable::Malformed)
}

fn add(open: &mut [Element], element: Element) -> Result<(), Unreadable> {
    open.last_mut().ok_or(Unreadable::Malformed)?.children.push(element);
    Ok(())
}

fn say(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn named(entity: &str) -> &'static str {
    match entity {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, Unreadable> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| Unreadable::Malformed)?;
        let name = local(attribute.key.as_ref());
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0);
        let value = value.map_err(|_| Unreadable::Malformed)?;
        // Where both are there, `type` is that of the reference.
        if attribute.key.as_ref().len() == name.len() {
            attributes.insert(0, (name, value.into_owned()));
        } else {
            attributes.push((name, value.into_owned()));
        }
    }
    Ok(Element { name: local(start.name().as_ref()), attributes, ..Element::default() })
}

fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_the_same_whatever_its_prefixes() {
        let plain =
            "<Login><_this type=\"SessionManager\">s</_this><userName>a&amp;b</userName></Login>";
        let prefixed = "<v:Login xmlns:v=\"urn:vim25\"><v:_this xsi:type=\"v:ManagedObjectReference\" \
                        type=\"SessionManager\">s</v:_this><v:userName>a&#38;b</v:userName></v:Login>";
        for text in [plain, prefixed] {
            let request = read(text).unwrap();
            assert_eq!(request.name, "Login");
            assert_eq!(request.child("_this").unwrap().reference(), ("SessionManager", "s"));
            assert_eq!(request.word("userName"), Some("a&b"));
        }
        assert_eq!(read("<a><b></a>").unwrap_err(), Unreadable::Malformed);
    }

    #[test]
    fn elements_are_counted_and_nothing_else() {
        let text = "<a><!-- one --><b>x&amp;y</b><!-- two --><c/></a>";
        assert!(read_of(text, 3).is_ok());
        assert_eq!(read_of(text, 2).unwrap_err(), Unreadable::TooLarge);
    }

    #[test]
    fn text_is_written_so_that_it_reads_as_itself() {
        let mut writer = Writer::new();
        writer.text("name", "R&D <\"x\">\u{1}");
        assert_eq!(writer.as_str(), "<name>R&amp;D &lt;&quot;x&quot;&gt;</name>");
    }
}
