//! Many objects in few calls: a view, a page, the next page; again from the beginning where the
//! server lost the thread.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use entente_model::{GapCause, Text, Why};

use super::super::wire::{
    Call, Fault, Object, Paths, Target, Tree, continue_retrieve, retrieve_objects, retrieve_view,
};
use super::gaps::call_failed;
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

/// What to read.
#[derive(Clone, Debug)]
pub(in crate::vsphere) struct Query {
    /// Which objects.
    pub which: Which,
    /// Which properties of them, and for which lists.
    pub paths: Vec<Paths>,
}

impl Query {
    /// The lists that it makes.
    fn sections(&self) -> Vec<&'static str> {
        let sections: BTreeSet<_> = self.paths.iter().map(|it| it.section).collect();
        sections.into_iter().collect()
    }

    /// The lists that objects of this kind are for; all where the kind is not told.
    fn sections_of(&self, kind: &str) -> Vec<&'static str> {
        let own: Vec<_> =
            self.paths.iter().filter(|it| it.kind == kind).map(|it| it.section).collect();
        if own.is_empty() { self.sections() } else { own }
    }

    /// Asks no longer for a property that the server does not know.
    fn forget_path(&mut self, path: &Text, gaps: &mut Gaps) {
        let message = "this version of the platform does not know this property";
        for kind in self.paths.iter_mut().filter(|it| it.paths.contains(path)) {
            gaps.add_once(Found::of(GapCause::MissingField, kind.section, message).field(path));
            kind.paths.retain(|it| it != path);
        }
    }

    /// Asks no longer for a kind that the server does not know.
    fn forget_kind(&mut self, kind: &Text, gaps: &mut Gaps) {
        let message = "this version of the platform does not know this kind of object";
        for section in self.sections_of(kind) {
            gaps.add(Found::of(GapCause::MissingSection, section, message).field(kind));
        }
        self.paths.retain(|it| it.kind != *kind);
    }
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

/// What an attempt brought that is no object.
#[derive(Debug, Default)]
struct Seen {
    /// Objects that cannot be told from others.
    nameless: u64,
    /// Objects that are gone: their kinds and ids.
    gone: BTreeSet<(Text, Text)>,
}

impl Seen {
    /// Says so, of each in its own list; gives why the lists are not whole.
    fn file(&self, query: &Query, gaps: &mut Gaps) -> Option<Why> {
        for (kind, id) in &self.gone {
            for section in query.sections_of(kind) {
                let message = "deleted while it was read";
                gaps.add(Found::of(GapCause::Vanished, section, message).value(id));
            }
        }
        if self.nameless == 0 {
            return None;
        }
        for section in query.sections() {
            let message = "objects that cannot be told from others: the answer does not name them";
            gaps.add_many(Found::of(GapCause::UnmappedRow, section, message), self.nameless);
        }
        Some(Why::Unreadable)
    }
}

/// Reads objects into `sink`. Whatever goes wrong is a gap, and the sink holds what came.
pub(in crate::vsphere) async fn objects<S: ObjectSink>(
    session: &Session<'_>,
    mut query: Query,
    mut sink: S,
    gaps: &mut Gaps,
) -> S {
    let sections = query.sections();
    let (mut attempts, mut unknown) = (0, 0);
    let mut seen;
    let failed = loop {
        attempts += 1;
        seen = Seen::default();
        let asked: Arc<[Paths]> = query.paths.as_slice().into();
        sink.begin(&asked);
        let is_last = attempts >= ATTEMPTS_MAX;
        let (returned, attempt) = attempt(session, &query, &asked, sink, is_last, &mut seen).await;
        sink = returned;
        match attempt {
            Attempt::Done => break None,
            Attempt::Partly(fault) => break Some(call_failed(gaps, &sections, &fault)),
            Attempt::Again(fault) => {
                vanished(&query, &fault, gaps);
                let renewed = if fault.ends_session() { session.renew().await } else { Ok(()) };
                if is_last || renewed.is_err() {
                    let fault = renewed.err().unwrap_or(fault);
                    break Some(call_failed(gaps, &sections, &fault));
                }
            }
            Attempt::Without(path) if unknown < UNKNOWN_PATHS_MAX => {
                (unknown, attempts) = (unknown + 1, attempts - 1);
                query.forget_path(&path, gaps);
            }
            Attempt::Without(path) => {
                let message = format!("the platform does not know the property {path}");
                break Some(stopped(gaps, &sections, GapCause::CallFailed, &message));
            }
            Attempt::WithoutKind(fault) => match unknown_kind(&query.paths, &fault) {
                Some(kind) => {
                    attempts -= 1;
                    query.forget_kind(&kind, gaps);
                }
                None => break Some(call_failed(gaps, &sections, &fault)),
            },
            Attempt::LimitReached => {
                let most = session.run.target.limits.objects_max;
                let message = format!("more than {most} objects: what lies beyond was not read");
                break Some(stopped(gaps, &sections, GapCause::LimitReached, &message));
            }
            Attempt::Endless => {
                let message = "the platform says for ever that there is another page, and brings nothing new: it was not asked again";
                break Some(stopped(gaps, &sections, GapCause::LimitReached, message));
            }
        }
    };
    let nameless = seen.file(&query, gaps);
    if let Some(why) = failed.or(nameless) {
        sink.incomplete(why);
    }
    sink
}

/// Reading ended before the end of the lists.
fn stopped(gaps: &mut Gaps, sections: &[&str], cause: GapCause, message: &str) -> Why {
    for section in sections {
        gaps.add(Found::of(cause, section, message));
    }
    Why::CallFailed
}

/// A list is made again since something went away that it was about to name.
fn vanished(query: &Query, fault: &CallFault, gaps: &mut Gaps) {
    let CallFault::Fault(fault) = fault else { return };
    if !fault.is("ManagedObjectNotFound") {
        return;
    }
    let message = "deleted while the list was made, which was made again";
    for section in query.sections_of(fault.about.as_deref().unwrap_or_default()) {
        gaps.add(Found::of(GapCause::Vanished, section, message));
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
    asked: &Arc<[Paths]>,
    sink: S,
    is_last: bool,
    seen: &mut Seen,
) -> (S, Attempt) {
    let view = match &query.which {
        Which::These(_) => None,
        Which::All => match create_view(session, &query.paths).await {
            Ok(view) => Some(view),
            Err(fault) => return (sink, failed(fault, true)),
        },
    };
    let outcome = match session.manager("propertyCollector") {
        Ok(collector) => {
            let page_objects = session.run.target.limits.page_objects.max(1);
            let calls = first_calls(collector, query, view.as_ref(), page_objects);
            let pages = Pages { session, collector, asked, is_last };
            pages.read(calls, sink, seen).await
        }
        Err(fault) => (sink, Attempt::Partly(fault)),
    };
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

/// What stays the same from page to page.
struct Pages<'p, 'a> {
    session: &'p Session<'a>,
    collector: &'p Target,
    asked: &'p Arc<[Paths]>,
    is_last: bool,
}

impl Pages<'_, '_> {
    async fn read<S: ObjectSink>(
        &self,
        calls: Vec<Call>,
        mut sink: S,
        seen: &mut Seen,
    ) -> (S, Attempt) {
        let session = self.session;
        for mut call in calls {
            loop {
                let before = (sink.count(), seen.gone.len());
                let (returned, mut page, outcome) = session.page(&call, self.asked, sink).await;
                sink = returned;
                seen.nameless += page.nameless;
                seen.gone.extend(std::mem::take(&mut page.gone));
                if let Some(attempt) = page_failed(&page, outcome, self.is_last) {
                    return (sink, attempt);
                }
                let Some(token) = page.token else { break };
                if sink.count() >= session.run.target.limits.objects_max {
                    let cancel = Call::new("CancelRetrievePropertiesEx", self.collector);
                    let _ = session.ask(&cancel.value("token", &token)).await;
                    return (sink, Attempt::LimitReached);
                }
                if (sink.count(), seen.gone.len()) == before {
                    return (sink, Attempt::Endless);
                }
                call = continue_retrieve(self.collector, &token);
            }
        }
        (sink, Attempt::Done)
    }
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
    asked: Arc<[Paths]>,
    incomplete: Option<Why>,
}

impl Kept {
    /// The objects.
    pub fn objects(&self) -> impl Iterator<Item = Object<'_>> {
        self.trees.iter().filter_map(|it| Object::of(it, &self.asked))
    }

    /// The object of this id.
    pub fn get(&self, id: &str) -> Option<Object<'_>> {
        self.objects().find(|it| it.reference.id == id)
    }

    /// Why there may be more, if there may.
    pub fn incomplete(&self) -> Option<Why> {
        self.incomplete
    }
}

impl ObjectSink for Kept {
    fn object(&mut self, object: &Object<'_>, tree: &Tree) -> bool {
        let is_new = self.ids.insert(Text::new(object.reference.id));
        if is_new {
            self.trees.push(tree.compact());
        }
        is_new
    }

    fn begin(&mut self, asked: &Arc<[Paths]>) {
        *self = Self { asked: asked.clone(), ..Self::default() };
    }

    fn incomplete(&mut self, why: Why) {
        self.incomplete = Some(why);
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
        let query =
            Query { which: Which::These(these), paths: super::super::super::wire::workloads() };
        let calls = first_calls(&collector, &query, None, 1_000);
        let asked: Vec<String> = calls.iter().map(|it| it.envelope(None)).collect();
        let elements = |body: &String| body.matches("</").count();
        assert!(asked.iter().map(elements).all(|it| it < ELEMENTS_MAX / 4));
        let named: usize = asked.iter().map(|it| it.matches("<objectSet>").count()).sum();
        assert_eq!(named, machines);
    }
}
