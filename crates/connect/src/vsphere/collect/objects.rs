//! Many objects in few calls: a view, a page, the next page; again from the beginning where the
//! server lost the thread.

use std::collections::HashSet;

use entente_model::{GapCause, Text};

use super::super::wire::{
    Call, Fault, Object, Paths, Target, Tree, call_failed, continue_retrieve, retrieve_objects,
    retrieve_view,
};
use super::session::{CallFault, ObjectSink, Page, Session};
use crate::live::{Found, Gaps};

/// How often a list is begun again before what there is has to do.
const ATTEMPTS_MAX: u32 = 3;

/// Properties that the server does not know and that are left out, at most.
const UNKNOWN_PATHS_MAX: u32 = 8;

/// Objects that one request may name: requests of more than 500,000 elements are refused.
pub(in crate::vsphere) const NAMED_MAX: usize = 5_000;

/// Which objects.
#[derive(Clone, Debug)]
pub(in crate::vsphere) enum Which {
    /// All below the root, of the kinds whose properties are asked for.
    All,
    /// These.
    These(Vec<Target>),
}

/// What to read, and for which list.
#[derive(Clone, Debug)]
pub(in crate::vsphere) struct Query {
    /// Which objects.
    pub which: Which,
    /// Which properties of them.
    pub paths: Vec<Paths>,
    /// Names of the lists that it makes, for gaps; the first is the main one.
    pub sections: &'static [&'static str],
}

/// How one attempt ended.
enum Attempt {
    Done,
    /// The rest does not come, and it is known why.
    Partly(CallFault),
    Again(CallFault),
    /// The server does not know this property.
    Without(Text),
    /// The server does not know one of the kinds, which its message names.
    WithoutKind(CallFault),
    LimitReached,
    Endless,
}

/// Reads objects into `sink`. Whatever goes wrong is a gap, and the sink holds what came.
pub(in crate::vsphere) async fn objects<S: ObjectSink>(
    session: &Session<'_>,
    mut query: Query,
    mut sink: S,
    gaps: &mut Gaps,
) -> S {
    let (mut attempts, mut unknown) = (0, 0);
    loop {
        attempts += 1;
        let mut nameless = 0;
        let (returned, attempt) =
            attempt(session, &query, sink, attempts >= ATTEMPTS_MAX, &mut nameless).await;
        sink = returned;
        let sections = query.sections;
        let section = sections.first().copied().unwrap_or_default();
        if nameless > 0 {
            let message = "objects that cannot be told from others: the answer does not name them";
            gaps.add_many(Found::of(GapCause::UnmappedRow, section, message), nameless);
        }
        match attempt {
            Attempt::Done => return sink,
            Attempt::Partly(fault) => {
                call_failed(gaps, sections, &fault);
                return sink;
            }
            Attempt::Again(fault) => {
                if matches!(&fault, CallFault::Fault(it) if it.is("ManagedObjectNotFound")) {
                    let message = "deleted while the list was made, which was made again";
                    gaps.add(Found::of(GapCause::Vanished, section, message));
                }
                let renewed = if fault.ends_session() { session.renew().await } else { Ok(()) };
                if attempts >= ATTEMPTS_MAX || renewed.is_err() {
                    call_failed(gaps, sections, &renewed.err().unwrap_or(fault));
                    return sink;
                }
            }
            Attempt::Without(path) if unknown < UNKNOWN_PATHS_MAX => {
                let message = "this version of the platform does not know this property";
                gaps.add(Found::of(GapCause::MissingField, section, message).field(&path));
                unknown += 1;
                attempts -= 1;
                for kind in &mut query.paths {
                    kind.paths.retain(|it| *it != path);
                }
            }
            Attempt::WithoutKind(fault) => {
                let Some(kind) = unknown_kind(&query.paths, &fault) else {
                    call_failed(gaps, sections, &fault);
                    return sink;
                };
                let message = "this version of the platform does not know this kind of object";
                gaps.add(Found::of(GapCause::MissingSection, section, message).field(&kind));
                attempts -= 1;
                query.paths.retain(|it| it.kind != kind);
            }
            Attempt::Without(path) => {
                let message = format!("the platform does not know the property {path}");
                gaps.add(Found::of(GapCause::CallFailed, section, &message));
                return sink;
            }
            Attempt::LimitReached => {
                let most = session.run.target.limits.objects_max;
                let message = format!("more than {most} objects: what lies beyond was not read");
                gaps.add(Found::of(GapCause::LimitReached, section, &message));
                return sink;
            }
            Attempt::Endless => {
                let message = "the platform says for ever that there is another page, and brings nothing new: it was not asked again";
                gaps.add(Found::of(GapCause::LimitReached, section, message));
                return sink;
            }
        }
        sink.restart();
    }
}

/// The kind that a fault names, if there are others.
fn unknown_kind(paths: &[Paths], fault: &CallFault) -> Option<Text> {
    let CallFault::Fault(fault) = fault else { return None };
    let named = |kind: &Text| {
        fault.name.as_ref() == Some(kind)
            || fault.message.split(|it: char| !it.is_alphanumeric()).any(|word| word == kind)
    };
    paths.iter().map(|it| &it.kind).find(|it| named(it)).filter(|_| paths.len() > 1).cloned()
}

async fn attempt<S: ObjectSink>(
    session: &Session<'_>,
    query: &Query,
    sink: S,
    is_last: bool,
    nameless: &mut u64,
) -> (S, Attempt) {
    let view = match &query.which {
        Which::These(_) => None,
        Which::All => match create_view(session, &query.paths).await {
            Ok(view) => Some(view),
            Err(fault) => return (sink, failed(fault, true)),
        },
    };
    let outcome = pages(session, query, view.as_ref(), sink, is_last, nameless).await;
    if let Some(view) = view {
        // A view that cannot be destroyed ends with the session.
        let _ = session.ask(&Call::new("DestroyView", &view)).await;
    }
    outcome
}

/// A view of everything of these kinds.
pub(in crate::vsphere) async fn create_view(
    session: &Session<'_>,
    paths: &[Paths],
) -> Result<Target, CallFault> {
    let root = session.manager("rootFolder")?;
    let mut call = Call::new("CreateContainerView", session.manager("viewManager")?)
        .reference("container", root);
    for kind in paths {
        call = call.value("type", &kind.kind);
    }
    let tree = session.ask(&call.value("recursive", "true")).await?;
    let view = tree.root().and_then(|it| it.reference_at("returnval"));
    view.map(|it| Target::new(it.kind, it.id))
        .ok_or_else(|| CallFault::Markup("it names no view".into()))
}

async fn pages<S: ObjectSink>(
    session: &Session<'_>,
    query: &Query,
    view: Option<&Target>,
    mut sink: S,
    is_last: bool,
    nameless: &mut u64,
) -> (S, Attempt) {
    let collector = match session.manager("propertyCollector") {
        Ok(collector) => collector,
        Err(fault) => return (sink, Attempt::Partly(fault)),
    };
    let limits = &session.run.target.limits;
    let page_objects = limits.page_objects.max(1);
    for mut call in first_calls(collector, query, view, page_objects) {
        loop {
            let before = sink.count();
            let (returned, page, outcome) = session.page(&call, sink).await;
            sink = returned;
            *nameless += page.nameless;
            if let Some(attempt) = page_failed(&page, outcome, is_last) {
                return (sink, attempt);
            }
            let Some(token) = page.token else { break };
            if sink.count() >= limits.objects_max {
                let cancel = Call::new("CancelRetrievePropertiesEx", collector);
                let _ = session.ask(&cancel.value("token", &token)).await;
                return (sink, Attempt::LimitReached);
            }
            if sink.count() == before {
                return (sink, Attempt::Endless);
            }
            call = continue_retrieve(collector, &token);
        }
    }
    (sink, Attempt::Done)
}

/// A call for each batch of named objects, or the one for a view.
fn first_calls(
    collector: &Target,
    query: &Query,
    view: Option<&Target>,
    page_objects: u32,
) -> Vec<Call> {
    match (&query.which, view) {
        (Which::All, Some(view)) => {
            vec![retrieve_view(collector, view, &query.paths, page_objects)]
        }
        (Which::All, None) => Vec::new(),
        (Which::These(objects), _) => objects
            .chunks(NAMED_MAX)
            .map(|batch| retrieve_objects(collector, batch, &query.paths, page_objects))
            .collect(),
    }
}

fn page_failed(page: &Page, outcome: Result<(), CallFault>, is_last: bool) -> Option<Attempt> {
    if page.session_ended {
        let fault = Fault {
            kind: "NotAuthenticated".into(),
            message: "the session ended".into(),
            ..Fault::default()
        };
        return Some(Attempt::Again(CallFault::Fault(fault)));
    }
    outcome.err().map(|fault| failed(fault, is_last))
}

fn failed(fault: CallFault, is_last: bool) -> Attempt {
    match &fault {
        _ if fault.ends_session() => Attempt::Again(fault),
        CallFault::Fault(it) if it.is("InvalidProperty") && it.name.is_some() => {
            Attempt::Without(it.name.clone().unwrap_or_default())
        }
        CallFault::Fault(it) if it.is("InvalidType") => Attempt::WithoutKind(fault),
        // An object that went away while the list was made; a token that the server forgot; a
        // connection that broke: the list has to be made again.
        CallFault::Fault(it) if it.is("ManagedObjectNotFound") || it.is("InvalidArgument") => {
            Attempt::Again(fault)
        }
        CallFault::Truncated | CallFault::Http(crate::live::CallError::Truncated(_))
            if !is_last =>
        {
            Attempt::Again(fault)
        }
        _ => Attempt::Partly(fault),
    }
}

/// Keeps each object as it came: for the few thousand that are not workloads.
#[derive(Debug, Default)]
pub(in crate::vsphere) struct Kept {
    trees: Vec<Tree>,
    ids: HashSet<Text>,
    /// Objects that went away while they were read.
    pub vanished: u64,
}

impl Kept {
    /// The objects.
    pub fn objects(&self) -> impl Iterator<Item = Object<'_>> {
        self.trees.iter().filter_map(Object::of)
    }

    /// The objects as they came.
    pub fn trees(&self) -> impl Iterator<Item = &Tree> {
        self.trees.iter()
    }

    /// The object of this id.
    pub fn get(&self, id: &str) -> Option<Object<'_>> {
        self.objects().find(|it| it.reference.id == id)
    }
}

impl ObjectSink for Kept {
    fn object(&mut self, object: &Object<'_>, tree: &Tree) -> bool {
        if object.is_gone() {
            self.vanished += 1;
            return false;
        }
        let is_new = self.ids.insert(Text::new(object.reference.id));
        if is_new {
            self.trees.push(tree.compact());
        }
        is_new
    }

    fn restart(&mut self) {
        *self = Self::default();
    }

    fn count(&self) -> u64 {
        self.trees.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What servers refuse a request for.
    const ELEMENTS_MAX: usize = 500_000;

    #[test]
    fn a_request_stays_far_below_the_size_that_servers_refuse() {
        let collector = Target::new("PropertyCollector", "propertyCollector");
        let machines = 120_000;
        let these: Vec<Target> =
            (0..machines).map(|it| Target::new("VirtualMachine", &format!("vm-{it}"))).collect();
        let query = Query {
            which: Which::These(these),
            paths: super::super::super::wire::workloads(),
            sections: &["workloads"],
        };
        let calls = first_calls(&collector, &query, None, 1_000);
        let asked: Vec<String> = calls.iter().map(|it| it.envelope(None)).collect();
        let elements = |body: &String| body.matches("</").count();
        assert!(asked.iter().map(elements).all(|it| it < ELEMENTS_MAX / 4));
        let named: usize = asked.iter().map(|it| it.matches("<objectSet>").count()).sum();
        assert_eq!(named, machines);
    }
}
