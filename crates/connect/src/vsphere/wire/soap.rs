//! Requests: small functions that write the body of a call.

use std::fmt::Write;

use entente_model::Text;

/// The service's namespace: the API of vCenter and ESXi.
const VIM: &str = "urn:vim25";
/// Storage policies.
const PBM: &str = "urn:pbm";

/// A managed object that a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::vsphere) struct Target {
    /// `PropertyCollector`.
    pub kind: String,
    /// `propertyCollector`.
    pub id: String,
}

impl Target {
    /// Of this kind and id.
    pub fn new(kind: &str, id: &str) -> Self {
        Self { kind: kind.to_owned(), id: id.to_owned() }
    }
}

/// The body of a call, until it is sent.
#[derive(Clone)]
pub(in crate::vsphere) struct Call {
    /// Name of the method.
    pub method: &'static str,
    body: String,
}

impl Call {
    /// A call of the vSphere API.
    pub fn new(method: &'static str, this: &Target) -> Self {
        Self::of(method, VIM, this)
    }

    /// A call of the storage policy API.
    pub fn policy(method: &'static str, this: &Target) -> Self {
        Self::of(method, PBM, this)
    }

    fn of(method: &'static str, namespace: &str, this: &Target) -> Self {
        let mut body = String::new();
        let _ = write!(body, "<{method} xmlns=\"{namespace}\">");
        Self { method, body }.reference("_this", this)
    }

    /// A reference to an object.
    #[must_use]
    pub fn reference(mut self, name: &str, target: &Target) -> Self {
        let _ = write!(self.body, "<{name} type=\"");
        escape(&mut self.body, &target.kind);
        self.body.push_str("\">");
        escape(&mut self.body, &target.id);
        let _ = write!(self.body, "</{name}>");
        self
    }

    /// A leaf.
    #[must_use]
    pub fn value(mut self, name: &str, value: &str) -> Self {
        leaf(&mut self.body, name, value);
        self
    }

    /// What `write` writes, as an element of this name.
    #[must_use]
    pub fn element(mut self, name: &str, write: impl FnOnce(&mut String)) -> Self {
        let _ = write!(self.body, "<{name}>");
        write(&mut self.body);
        let _ = write!(self.body, "</{name}>");
        self
    }

    /// The envelope, ready to send. A cookie goes into the header where a service wants it there.
    pub fn envelope(&self, cookie: Option<&str>) -> String {
        let mut all = String::with_capacity(self.body.len() + 512);
        all.push_str(concat!(
            r#"<?xml version="1.0" encoding="UTF-8"?>"#,
            r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/""#,
            r#" xmlns:xsd="http://www.w3.org/2001/XMLSchema""#,
            r#" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">"#,
        ));
        if let Some(cookie) = cookie {
            all.push_str("<soapenv:Header>");
            leaf(&mut all, "vcSessionCookie", cookie);
            all.push_str("</soapenv:Header>");
        }
        let _ = write!(all, "<soapenv:Body>{}</{}></soapenv:Body>", self.body, self.method);
        all.push_str("</soapenv:Envelope>");
        all
    }
}

/// `<name>value</name>`.
pub(in crate::vsphere) fn leaf(body: &mut String, name: &str, value: &str) {
    let _ = write!(body, "<{name}>");
    escape(body, value);
    let _ = write!(body, "</{name}>");
}

/// `<name type="kind">id</name>`.
pub(in crate::vsphere) fn reference(body: &mut String, name: &str, kind: &str, id: &str) {
    let _ = write!(body, "<{name} type=\"{kind}\">");
    escape(body, id);
    let _ = write!(body, "</{name}>");
}

fn escape(body: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => body.push_str("&amp;"),
            '<' => body.push_str("&lt;"),
            '>' => body.push_str("&gt;"),
            '"' => body.push_str("&quot;"),
            other => body.push(other),
        }
    }
}

/// Which properties of which kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::vsphere) struct Paths {
    /// `VirtualMachine`.
    pub kind: Text,
    /// The list that objects of this kind are for, for gaps.
    pub section: &'static str,
    /// `name`, `config.hardware` …
    pub paths: Vec<Text>,
}

impl Paths {
    /// These of that kind, for this list.
    pub fn of(kind: &str, section: &'static str, paths: &[&str]) -> Self {
        let paths = paths.iter().copied().map(Text::new).collect();
        Self { kind: Text::new(kind), section, paths }
    }
}

/// Properties of everything that a view shows.
pub(in crate::vsphere) fn retrieve_view(
    collector: &Target,
    view: &Target,
    paths: &[Paths],
    page_objects: u32,
) -> Call {
    retrieve(collector, paths, page_objects, |spec| {
        spec.push_str("<objectSet>");
        reference(spec, "obj", &view.kind, &view.id);
        spec.push_str(concat!(
            r#"<skip>true</skip><selectSet xsi:type="TraversalSpec"><name>view</name>"#,
            "<type>ContainerView</type><path>view</path><skip>false</skip></selectSet></objectSet>",
        ));
    })
}

/// Properties of these objects.
pub(in crate::vsphere) fn retrieve_objects(
    collector: &Target,
    objects: &[Target],
    paths: &[Paths],
    page_objects: u32,
) -> Call {
    retrieve(collector, paths, page_objects, |spec| {
        for object in objects {
            spec.push_str("<objectSet>");
            reference(spec, "obj", &object.kind, &object.id);
            spec.push_str("</objectSet>");
        }
    })
}

fn retrieve(
    collector: &Target,
    paths: &[Paths],
    page_objects: u32,
    objects: impl FnOnce(&mut String),
) -> Call {
    Call::new("RetrievePropertiesEx", collector)
        .element("specSet", |spec| {
            properties(spec, paths);
            objects(spec);
            leaf(spec, "reportMissingObjectsInResults", "true");
        })
        .element("options", |options| leaf(options, "maxObjects", &page_objects.to_string()))
}

/// The next page.
pub(in crate::vsphere) fn continue_retrieve(collector: &Target, token: &str) -> Call {
    Call::new("ContinueRetrievePropertiesEx", collector).value("token", token)
}

/// A filter of changes of everything that a view shows.
pub(in crate::vsphere) fn create_filter(
    collector: &Target,
    view: &Target,
    paths: &[Paths],
) -> Call {
    Call::new("CreateFilter", collector)
        .element("spec", |spec| {
            properties(spec, paths);
            spec.push_str("<objectSet>");
            reference(spec, "obj", &view.kind, &view.id);
            spec.push_str(concat!(
                r#"<skip>true</skip><selectSet xsi:type="TraversalSpec"><name>view</name>"#,
                "<type>ContainerView</type><path>view</path><skip>false</skip></selectSet>",
                "</objectSet>",
            ));
        })
        .value("partialUpdates", "true")
}

fn properties(spec: &mut String, paths: &[Paths]) {
    for kind in paths {
        spec.push_str("<propSet>");
        leaf(spec, "type", &kind.kind);
        for path in &kind.paths {
            leaf(spec, "pathSet", path);
        }
        spec.push_str("</propSet>");
    }
}
