//! Properties out of pre-encoded objects.
//!
//! An object is kept as the XML of its properties, each under its own name, nested as in the API. A
//! [`Plan`] says which of them are asked for; [`Plan::extract`] passes once over the object's text and
//! copies what is asked for, in the form in which a property collector answers.

use memchr::memchr;

use super::schema::{Field, SCHEMA, list_name, wire_name};
use super::xml::Writer;

/// Which properties of one type of object are asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    children: Vec<Wanted>,
    emit: Option<Emit>,
}

#[derive(Clone, Debug)]
struct Wanted {
    name: &'static str,
    /// Its position among the fields of its type: objects are written in that order.
    order: usize,
    plan: Plan,
}

/// How the value of a path is written.
#[derive(Clone, Debug)]
pub(super) struct Emit {
    path: String,
    /// The attribute that tells its type.
    opening: String,
    /// Of a list: what its elements are called.
    element: Option<String>,
}

/// A path that the type does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InvalidPath(pub String);

impl Plan {
    /// Adds a path of properties of a type.
    pub(super) fn add(&mut self, kind: &str, path: &str) -> Result<(), InvalidPath> {
        let invalid = || InvalidPath(path.to_owned());
        let mut plan = self;
        let mut kind = kind.to_owned();
        let mut last: Option<Field> = None;
        for name in path.split('.') {
            if last.is_some_and(|it| it.many) {
                return Err(invalid());
            }
            let field = SCHEMA.field(&kind, name).ok_or_else(invalid)?;
            let order = SCHEMA.order(&kind, name);
            kind = field.kind.to_owned();
            last = Some(field);
            plan = plan.child_mut(field.name, order);
        }
        let field = last.ok_or_else(invalid)?;
        plan.emit = Some(Emit::new(path, field));
        Ok(())
    }

    /// Adds all properties of a type.
    pub(super) fn add_all(&mut self, kind: &str) {
        for (order, field) in SCHEMA.fields(kind).into_iter().enumerate() {
            self.child_mut(field.name, order).emit = Some(Emit::new(field.name, field));
        }
    }

    fn child_mut(&mut self, name: &'static str, order: usize) -> &mut Self {
        let at = match self.children.iter().position(|it| it.name == name) {
            Some(at) => at,
            None => {
                self.children.push(Wanted { name, order, plan: Self::default() });
                self.children.len() - 1
            }
        };
        match self.children.get_mut(at) {
            Some(child) => &mut child.plan,
            None => unreachable!("the child was added just now"),
        }
    }

    fn child(&self, name: &str) -> Option<&Wanted> {
        self.children.iter().find(|it| it.name == name)
    }

    /// Every path that is asked for.
    pub(super) fn paths(&self) -> Vec<&str> {
        let own = self.emit.iter().map(|it| it.path.as_str());
        own.chain(self.children.iter().flat_map(|it| it.plan.paths())).collect()
    }

    /// Adds everything that another plan asks for.
    pub(super) fn merge(&mut self, other: Self) {
        if other.emit.is_some() {
            self.emit = other.emit;
        }
        for child in other.children {
            self.child_mut(child.name, child.order).merge(child.plan);
        }
    }

    /// The plan for those paths only of which `keeps` is true.
    pub(super) fn only(&self, keeps: &dyn Fn(&str) -> bool) -> Self {
        Self {
            children: self
                .children
                .iter()
                .map(|it| Wanted { plan: it.plan.only(keeps), ..it.clone() })
                .collect(),
            emit: self.emit.clone().filter(|it| keeps(&it.path)),
        }
    }

    /// Gives each property that is asked for and set: its path, and its value as an element that is
    /// called as `to` says.
    pub(super) fn extract(&self, content: &str, to: &mut impl Sink) {
        let mut list: Option<(&str, &Emit)> = None;
        // Nothing that is asked for comes after this one.
        let last = self.children.iter().map(|it| it.order).max().unwrap_or(0);
        let mut last_was_seen = false;
        for child in children(content) {
            if let Some((name, emit)) = list
                && name != child.name
            {
                to.end_list(emit);
                list = None;
            }
            let Some(wanted) = self.child(child.name) else {
                if last_was_seen {
                    break;
                }
                continue;
            };
            last_was_seen = wanted.order == last && last != usize::MAX;
            let plan = &wanted.plan;
            if let Some(emit) = &plan.emit {
                match &emit.element {
                    None => to.value(emit, &child),
                    Some(element) => {
                        if list.is_none() {
                            to.begin_list(emit);
                            list = Some((child.name, emit));
                        }
                        // An empty element stands for an empty list.
                        if !(child.inner.is_empty() && child.attributes.is_empty()) {
                            to.element(element, &child);
                        }
                    }
                }
            }
            if !plan.children.is_empty() {
                plan.extract(child.inner, to);
            }
        }
        if let Some((_, emit)) = list {
            to.end_list(emit);
        }
    }
}

impl Emit {
    fn new(path: &str, field: Field) -> Self {
        let (kind, element) = if field.many {
            let (list, element) = list_name(field.kind);
            (list, Some(element))
        } else {
            (wire_name(field.kind), None)
        };
        Self { path: path.to_owned(), opening: format!("xsi:type=\"{kind}\""), element }
    }
}

/// Where extracted properties go.
pub(super) trait Sink {
    /// Opens the value of a path: what stands before its attributes.
    fn begin(&mut self, path: &str) -> &mut Writer;
    /// Closes it.
    fn end(&mut self);

    #[doc(hidden)]
    fn value(&mut self, emit: &Emit, child: &Child<'_>)
    where
        Self: Sized,
    {
        let writer = self.begin(&emit.path);
        writer.raw(child.attributes);
        if !child.attributes.contains("xsi:type=") {
            writer.raw(" ");
            writer.raw(&emit.opening);
        }
        writer.raw(">");
        writer.raw(child.inner);
        self.end();
    }

    #[doc(hidden)]
    fn begin_list(&mut self, emit: &Emit)
    where
        Self: Sized,
    {
        let writer = self.begin(&emit.path);
        writer.raw(" ");
        writer.raw(&emit.opening);
        writer.raw(">");
    }

    #[doc(hidden)]
    fn element(&mut self, name: &str, child: &Child<'_>)
    where
        Self: Sized,
    {
        let writer = self.writer();
        writer.raw("<");
        writer.raw(name);
        writer.raw(child.attributes);
        if name == "ManagedObjectReference" {
            writer.raw(" xsi:type=\"ManagedObjectReference\"");
        }
        writer.raw(">");
        writer.raw(child.inner);
        writer.close(name);
    }

    #[doc(hidden)]
    fn end_list(&mut self, _emit: &Emit)
    where
        Self: Sized,
    {
        self.end();
    }

    /// Where text goes.
    fn writer(&mut self) -> &mut Writer;
}

/// Properties as an `ObjectContent` holds them.
pub(super) struct PropertySets<'a>(pub &'a mut Writer);

impl Sink for PropertySets<'_> {
    fn begin(&mut self, path: &str) -> &mut Writer {
        self.0.raw("<propSet><name>");
        self.0.raw(path);
        self.0.raw("</name><val");
        self.0
    }

    fn end(&mut self) {
        self.0.raw("</val></propSet>");
    }

    fn writer(&mut self) -> &mut Writer {
        self.0
    }
}

/// Each property by itself: its path, and its value as an element of a given name.
pub(super) struct Separate {
    pub name: &'static str,
    pub found: Vec<(String, String)>,
    writer: Writer,
    path: String,
}

impl Separate {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, found: Vec::new(), writer: Writer::new(), path: String::new() }
    }
}

impl Sink for Separate {
    fn begin(&mut self, path: &str) -> &mut Writer {
        path.clone_into(&mut self.path);
        self.writer.clear();
        self.writer.raw("<");
        self.writer.raw(self.name);
        &mut self.writer
    }

    fn end(&mut self) {
        self.writer.close(self.name);
        self.found.push((self.path.clone(), self.writer.as_str().to_owned()));
    }

    fn writer(&mut self) -> &mut Writer {
        &mut self.writer
    }
}

/// One element of an object's text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Child<'a> {
    pub name: &'a str,
    /// Its attributes, each with a space before it.
    pub attributes: &'a str,
    pub inner: &'a str,
}

/// The elements of an object's text, or of one of its elements.
pub(super) fn children(content: &str) -> impl Iterator<Item = Child<'_>> {
    let mut rest = content;
    std::iter::from_fn(move || {
        let (child, after) = first(rest)?;
        rest = after;
        Some(child)
    })
}

/// The first element and what follows it. The text is our own: no comments, no empty-element tags.
fn first(content: &str) -> Option<(Child<'_>, &str)> {
    let content = content.strip_prefix('<')?;
    let (tag, rest) = content.split_at_checked(memchr(b'>', content.as_bytes())?)?;
    let inner = rest.get(1..)?;
    let (name, attributes) = tag.split_at_checked(tag.find(' ').unwrap_or(tag.len()))?;
    let end = closing(inner)?;
    let (inner, rest) = inner.split_at_checked(end)?;
    // The closing tag: `</`, the name, `>`.
    let after = rest.get(name.len() + 3..)?;
    Some((Child { name, attributes, inner }, after))
}

/// Where the closing tag begins that belongs to an element whose inside begins here.
fn closing(inside: &str) -> Option<usize> {
    let bytes = inside.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        at += memchr(b'<', bytes.get(at..)?)?;
        if bytes.get(at + 1) == Some(&b'/') {
            if depth == 0 {
                return Some(at);
            }
            depth -= 1;
        } else {
            depth += 1;
        }
        at += 1;
    }
}

/// References that a path leads to: kind and id.
pub(super) fn references<'a>(content: &'a str, path: &str) -> Vec<(&'a str, &'a str)> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(a, b)| (a, Some(b)));
    let mut found = Vec::new();
    for child in children(content).filter(|it| it.name == name) {
        match rest {
            Some(rest) => found.extend(references(child.inner, rest)),
            None => {
                let kind = child.attributes.split('"').nth(1);
                found.extend(kind.filter(|_| !child.inner.is_empty()).map(|it| (it, child.inner)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = "<name>a</name><config><name>a</name><hardware><numCPU>2</numCPU>\
        <device xsi:type=\"VirtualIDEController\"><key>200</key><device>3000</device></device>\
        <device xsi:type=\"VirtualCdrom\"><key>3000</key></device></hardware></config>\
        <datastore type=\"Datastore\">datastore-1</datastore><network></network>\
        <runtime><powerState>poweredOn</powerState></runtime>";

    fn extract(paths: &[&str]) -> Vec<(String, String)> {
        let mut plan = Plan::default();
        for path in paths {
            plan.add("VirtualMachine", path).unwrap();
        }
        let mut found = Separate::new("val");
        plan.extract(MACHINE, &mut found);
        found.found
    }

    #[test]
    fn values_carry_the_type_that_their_place_no_longer_tells() {
        let found = extract(&["runtime.powerState", "config.hardware.numCPU", "name"]);
        let values: Vec<&str> = found.iter().map(|it| it.1.as_str()).collect();
        assert_eq!(
            values,
            [
                "<val xsi:type=\"xsd:string\">a</val>",
                "<val xsi:type=\"xsd:int\">2</val>",
                "<val xsi:type=\"VirtualMachinePowerState\">poweredOn</val>",
            ]
        );
    }

    #[test]
    fn lists_are_named_after_their_elements_and_may_be_empty() {
        let found = extract(&["config.hardware.device", "datastore", "network"]);
        assert_eq!(
            found[0].1,
            "<val xsi:type=\"ArrayOfVirtualDevice\">\
             <VirtualDevice xsi:type=\"VirtualIDEController\"><key>200</key><device>3000</device>\
             </VirtualDevice><VirtualDevice xsi:type=\"VirtualCdrom\"><key>3000</key></VirtualDevice>\
             </val>"
        );
        assert_eq!(
            found[1].1,
            "<val xsi:type=\"ArrayOfManagedObjectReference\"><ManagedObjectReference \
             type=\"Datastore\" xsi:type=\"ManagedObjectReference\">datastore-1\
             </ManagedObjectReference></val>"
        );
        assert_eq!(found[2].1, "<val xsi:type=\"ArrayOfManagedObjectReference\"></val>");
    }

    #[test]
    fn a_path_and_its_parent_may_both_be_asked_for() {
        let found = extract(&["runtime", "runtime.powerState"]);
        assert_eq!(found.len(), 2);
        assert_eq!(
            Plan::default().add("VirtualMachine", "config.hardware.device.key"),
            Err(InvalidPath("config.hardware.device.key".into()))
        );
    }
}
