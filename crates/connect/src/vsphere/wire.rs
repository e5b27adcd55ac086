//! What goes over the wire: requests, answers as they arrive, properties, faults.
//!
//! Quirks that are met here: servers differ in prefixes and in how they say what type something has;
//! texts hold characters that XML does not allow; an ended session may answer with status 200 and
//! every property refused; names are escaped.

mod answer;
mod fault;
mod input;
mod object;
mod paths;
mod soap;
mod tree;

pub(super) use answer::{AnswerError, Records, read};
pub(super) use fault::Fault;
pub(super) use object::{Object, Told};
pub(super) use paths::{MANAGED_BY, infrastructure, watched, workloads};
pub(super) use soap::{
    Call, Paths, Target, continue_retrieve, create_filter, leaf, retrieve_objects, retrieve_view,
};
pub(super) use tree::{Element, Tree, flag};

/// A name as people know it: servers escape `%`, `/` and `\` in names, once.
pub(super) fn unescape(name: &str) -> std::borrow::Cow<'_, str> {
    if !name.contains('%') {
        return name.into();
    }
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('%') {
        plain.push_str(before);
        let escape = after.get(..2).map(str::to_ascii_lowercase);
        let character = match escape.as_deref() {
            Some("2f") => '/',
            Some("5c") => '\\',
            Some("25") => '%',
            _ => {
                plain.push('%');
                rest = after;
                continue;
            }
        };
        plain.push(character);
        rest = after.get(2..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain.into()
}
