//! A small tree of XML elements: documents of libvirt are a few kilobytes each and are read by path.
//!
//! Not for documents from elsewhere: it refuses document types, and more depth or elements than any
//! document of libvirt has.

use std::fmt::Write as _;

use entente_model::Text;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::failure::Failure;

/// Elements within elements.
const DEPTH_MAX: usize = 64;
/// Elements of one document.
const ELEMENTS_MAX: usize = 200_000;

/// An element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name, with its prefix.
    pub name: String,
    /// Its attributes, in order.
    pub attributes: Vec<(String, String)>,
    /// Elements in it, in order.
    pub children: Vec<Element>,
    /// Text directly in it, trimmed.
    pub text: String,
}

fn unreadable(why: impl std::fmt::Display) -> Failure {
    Failure::Xml(Text::from(why.to_string()))
}

impl Element {
    /// Reads a document.
    pub fn parse(document: &str) -> Result<Self, Failure> {
        let mut reader = Reader::from_str(document);
        let mut open: Vec<Self> = Vec::new();
        let mut elements = 0_usize;
        loop {
            let event = reader.read_event().map_err(unreadable)?;
            match event {
                Event::Start(start) => {
                    open.push(Self::begin(&start)?);
                    elements += 1;
                    within_limits(open.len(), elements)?;
                }
                Event::Empty(start) => {
                    elements += 1;
                    within_limits(open.len(), elements)?;
                    let element = Self::begin(&start)?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => return Ok(element),
                    }
                }
                Event::End(_) => {
                    let Some(mut element) = open.pop() else {
                        return Err(unreadable("an element ends that did not begin"));
                    };
                    element.text = element.text.trim().to_owned();
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => return Ok(element),
                    }
                }
                Event::Text(text) => append(&mut open, &text.xml10_content()),
                Event::CData(text) => append(&mut open, &text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let character = match reference.resolve_char_ref().map_err(unreadable)? {
                        Some(character) => character,
                        None => named(&reference.xml10_content())?,
                    };
                    append(&mut open, character.encode_utf8(&mut [0; 4]));
                }
                Event::DocType(_) => return Err(unreadable("it has a document type")),
                Event::Eof => return Err(unreadable("it ends too early")),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    fn begin(start: &BytesStart<'_>) -> Result<Self, Failure> {
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(unreadable)?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(unreadable)?;
            attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        let name = start.name().as_ref().to_owned();
        Ok(Self { name, attributes, ..Self::default() })
    }

    /// An attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }

    /// Elements of this name in it.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |it| it.name == name)
    }

    /// The first element at a path, `os/loader`.
    pub fn at(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |element, name| {
            element.children.iter().find(|child| child.name == name)
        })
    }

    /// True if there is an element at a path.
    pub fn has(&self, path: &str) -> bool {
        self.at(path).is_some()
    }

    /// Text of the element at a path, if it is not empty.
    pub fn text_at(&self, path: &str) -> Option<&str> {
        self.at(path).map(|it| it.text.as_str()).filter(|it| !it.is_empty())
    }

    /// Attribute of the element at a path.
    pub fn attribute_at(&self, path: &str, name: &str) -> Option<&str> {
        self.at(path)?.attribute(name)
    }

    /// As a document again, without white space between elements.
    pub fn write(&self) -> String {
        let mut out = String::new();
        self.write_to(&mut out);
        out
    }

    fn write_to(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            // Writing to a text cannot fail.
            let _ = write!(out, " {name}='{}'", escape(value));
        }
        if self.children.is_empty() && self.text.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        out.push_str(&escape(&self.text));
        for child in &self.children {
            child.write_to(out);
        }
        let _ = write!(out, "</{}>", self.name);
    }
}

fn within_limits(depth: usize, elements: usize) -> Result<(), Failure> {
    if depth > DEPTH_MAX || elements > ELEMENTS_MAX {
        return Err(unreadable("it has more elements than any such document"));
    }
    Ok(())
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn named(name: &str) -> Result<char, Failure> {
    Ok(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => return Err(unreadable(format_args!("`&{name};` is not known"))),
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&apos;")
}
