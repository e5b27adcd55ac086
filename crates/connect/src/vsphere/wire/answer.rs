//! Answers as they arrive: a SOAP envelope, of which each record is read into one [`Tree`].

use std::io::{self, BufRead};

use entente_model::Text;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::fault::Fault;
use super::input::Clean;
use super::tree::Tree;
use crate::live::CallError;

/// Why an answer could not be read to its end. What came before was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::vsphere) enum AnswerError {
    /// The server says that it could not do it.
    Fault(Fault),
    /// It stopped coming.
    Call(CallError),
    /// It ended early.
    Truncated,
    /// It is not XML.
    Markup(Text),
    /// It is no SOAP envelope.
    NotSoap(Text),
    /// One element is larger than the limit.
    ElementTooLarge,
}

/// Which elements are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::vsphere) enum Records {
    /// The one that answers: `…Response`.
    Response,
    /// What is directly below its `returnval`: a token and objects.
    InReturnValue,
}

impl Records {
    /// Envelope, Body, Response, returnval, object.
    fn depth(self) -> usize {
        match self {
            Self::Response => 3,
            Self::InReturnValue => 5,
        }
    }
}

/// Largest single element, decoded: a machine with thousands of settings has one megabyte.
const ELEMENT_BYTES_MAX: usize = 1 << 30;

/// Deepest nesting: a host's resource tree has about ten levels, snapshots of snapshots up to 500.
const DEPTH_MAX: usize = 4096;

/// Reads an answer and hands over each record.
pub(in crate::vsphere) fn read<R: BufRead>(
    input: R,
    records: Records,
    tree: &mut Tree,
    each: &mut dyn FnMut(&Tree),
) -> Result<(), AnswerError> {
    let mut reader = Reader::from_reader(Clean::new(input));
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    // Nesting is counted here; comparing names a second time would cost a copy of each.
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    Walk { reader, buffer: Vec::new(), open: Vec::new() }.run(records, tree, each)
}

struct Walk<R> {
    reader: Reader<R>,
    buffer: Vec<u8>,
    /// Elements of the record that have begun and not ended.
    open: Vec<u32>,
}

impl<R: BufRead> Walk<R> {
    fn run(
        &mut self,
        records: Records,
        tree: &mut Tree,
        each: &mut dyn FnMut(&Tree),
    ) -> Result<(), AnswerError> {
        let mut depth = 0;
        loop {
            self.buffer.clear();
            match self.reader.read_event_into(&mut self.buffer).map_err(|it| error(&it))? {
                Event::Start(start) => {
                    depth += 1;
                    let is_fault = depth == 3 && start.local_name().into_inner() == "Fault";
                    if depth == 1 && start.local_name().into_inner() != "Envelope" {
                        let found = Text::from(format!("<{}>", start.name().into_inner()));
                        return Err(AnswerError::NotSoap(found));
                    }
                    if is_fault || depth == records.depth() {
                        tree.clear();
                        self.open.clear();
                        self.open.push(begin(tree, &start));
                        self.record(tree)?;
                        depth -= 1;
                        if is_fault {
                            return Err(AnswerError::Fault(Fault::of(tree)));
                        }
                        each(tree);
                    }
                }
                Event::End(_) => {
                    depth = usize::saturating_sub(depth, 1);
                    if depth == 0 {
                        return Ok(());
                    }
                }
                Event::Eof if depth > 0 => return Err(AnswerError::Truncated),
                Event::Eof => return Err(AnswerError::NotSoap("nothing".into())),
                Event::DocType(_) => {
                    return Err(AnswerError::Markup("a document type declaration".into()));
                }
                _ => {}
            }
        }
    }

    /// Reads up to the end of the element that was begun.
    fn record(&mut self, tree: &mut Tree) -> Result<(), AnswerError> {
        while let Some(current) = self.open.last().copied() {
            self.buffer.clear();
            match self.reader.read_event_into(&mut self.buffer).map_err(|it| error(&it))? {
                Event::Start(start) => {
                    if self.open.len() >= DEPTH_MAX {
                        return Err(AnswerError::Markup("nested too deeply".into()));
                    }
                    self.open.push(begin(tree, &start));
                }
                Event::End(_) => {
                    tree.close(current);
                    self.open.pop();
                }
                Event::Text(text) => tree.append(&text.into_inner()),
                Event::CData(text) => tree.append(&text.into_inner()),
                Event::GeneralRef(reference) => resolve(tree, &reference),
                Event::Eof => return Err(AnswerError::Truncated),
                _ => {}
            }
            if tree.bytes() > ELEMENT_BYTES_MAX {
                return Err(AnswerError::ElementTooLarge);
            }
        }
        Ok(())
    }
}

fn begin(tree: &mut Tree, start: &BytesStart<'_>) -> u32 {
    let name = start.local_name().into_inner();
    if start.attributes_raw().is_empty() {
        return tree.open(name, "", "");
    }
    let mut attributes = start.attributes();
    let (mut kind, mut refers_to) = (None, None);
    // A broken attribute ends the search, not the page.
    for attribute in attributes.with_checks(false).flatten() {
        if attribute.key.local_name().into_inner() != "type" {
            continue;
        }
        match attribute.key.prefix() {
            Some(_) => kind = Some(attribute.value),
            None => refers_to = Some(attribute.value),
        }
    }
    let kind = kind.as_deref().unwrap_or_default();
    let kind = kind.rsplit_once(':').map_or(kind, |(_, local)| local);
    tree.open(name, kind, refers_to.as_deref().unwrap_or_default())
}

/// What a reference to a character stands for. One that XML 1.0 does not allow becomes `?`.
fn resolve(tree: &mut Tree, reference: &BytesRef<'_>) {
    let name: &str = reference;
    let character = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let code = name.strip_prefix('#').and_then(|number| match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => number.parse().ok(),
            });
            match code.and_then(char::from_u32) {
                Some(it) if !it.is_control() || matches!(it, '\t' | '\n' | '\r') => it,
                _ => '?',
            }
        }
    };
    tree.append_char(character);
}

fn error(error: &quick_xml::Error) -> AnswerError {
    match error {
        quick_xml::Error::Io(error) => {
            let call = error.get_ref().and_then(|it| it.downcast_ref::<CallError>());
            match (call, error.kind()) {
                (Some(call), _) => AnswerError::Call(call.clone()),
                (None, io::ErrorKind::UnexpectedEof) => AnswerError::Truncated,
                (None, _) => AnswerError::Markup(Text::from(error.to_string())),
            }
        }
        // Input that ends within a tag.
        quick_xml::Error::Syntax(_) => AnswerError::Truncated,
        other => AnswerError::Markup(Text::from(other.to_string())),
    }
}
