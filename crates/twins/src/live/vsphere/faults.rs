//! Answers that say no, as a vCenter says it.

use super::xml::Writer;
use crate::live::Reply;

/// Why a call was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Type of the fault.
    pub kind: &'static str,
    message: String,
    /// What the fault holds, as XML.
    inside: String,
    /// Its namespace.
    namespace: &'static str,
}

impl Refusal {
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), inside: String::new(), namespace: "urn:vim25" }
    }

    pub(super) fn not_authenticated() -> Self {
        let mut w = Writer::new();
        w.reference("object", "Folder", super::layout::ROOT);
        w.text("privilegeId", "System.View");
        Self {
            inside: w.finish(),
            ..Self::new("NotAuthenticated", "The session is not authenticated.")
        }
    }

    /// Wrong user or password. A vCenter gives the same fault for a locked account; only the message
    /// of the identity source differs.
    pub(super) fn invalid_login(locked: bool) -> Self {
        let message = if locked {
            "Cannot complete login: the user account is locked. Contact an administrator."
        } else {
            "Cannot complete login due to an incorrect user name or password."
        };
        Self::new("InvalidLogin", message)
    }

    pub(super) fn missing(kind: &str, id: &str) -> Self {
        let mut w = Writer::new();
        w.reference("obj", kind, id);
        let message = "The object has already been deleted or has not been completely created";
        Self { inside: w.finish(), ..Self::new("ManagedObjectNotFound", message) }
    }

    pub(super) fn invalid_property(path: &str) -> Self {
        let mut w = Writer::new();
        w.text("name", path);
        Self {
            inside: w.finish(),
            ..Self::new("InvalidProperty", format!("Invalid property: {path}"))
        }
    }

    pub(super) fn invalid_argument(name: &str) -> Self {
        let mut w = Writer::new();
        w.text("invalidProperty", name);
        let message = format!("A specified parameter was not correct: {name}");
        Self { inside: w.finish(), ..Self::new("InvalidArgument", message) }
    }

    pub(super) fn no_permission(kind: &str, id: &str, privilege: &str) -> Self {
        let mut w = Writer::new();
        w.reference("object", kind, id);
        w.text("privilegeId", privilege);
        let message = "Permission to perform this operation was denied.";
        Self { inside: w.finish(), ..Self::new("NoPermission", message) }
    }

    pub(super) fn invalid_power_state(now: &'static str, wanted: &'static str) -> Self {
        let mut w = Writer::new();
        w.text("requestedState", wanted);
        w.text("existingState", now);
        let message = "The attempted operation cannot be performed in the current state.";
        Self { inside: w.finish(), ..Self::new("InvalidPowerState", message) }
    }

    pub(super) fn unknown_method(kind: &str, id: &str, method: &str) -> Self {
        let mut w = Writer::new();
        w.reference("receiver", kind, id);
        w.text("method", method);
        Self {
            inside: w.finish(),
            ..Self::new("MethodNotFound", format!("Method {method} is not provided by {kind}"))
        }
    }

    /// The fault as a property's or a task's own.
    pub(super) fn localized(&self, w: &mut Writer, name: &str) {
        w.node(name, |w| {
            w.node_as("fault", self.kind, |w| w.raw(&self.inside));
            w.text("localizedMessage", &self.message);
        });
    }

    /// The whole answer.
    pub(super) fn reply(&self) -> Reply {
        let mut w = Writer::new();
        w.raw(super::ENVELOPE);
        w.node("soapenv:Fault", |w| {
            w.words(&[("faultcode", "ServerFaultCode"), ("faultstring", &self.message)]);
            w.node("detail", |w| {
                let (kind, namespace) = (self.kind, self.namespace);
                w.raw(&format!("<{kind}Fault xmlns=\"{namespace}\" xsi:type=\"{kind}\">"));
                w.raw(&self.inside);
                w.close(&format!("{kind}Fault"));
            });
        });
        w.raw(super::ENVELOPE_END);
        Reply::of(500, "text/xml; charset=utf-8", w.finish())
    }
}
