//! The property collector: which objects a filter means, and what it answers of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use hyper::body::Bytes;

use super::extract::{Plan, PropertySets, Separate, references};
use super::faults::Refusal;
use super::schema::SCHEMA;
use super::sessions::{Cursor, Seen, Session};
use super::world::{Inventory, World};
use super::xml::{Element, Writer};
use crate::live::Fault;

/// Objects that are answered at once where nobody says how many: far more than any inventory has.
const PAGE_MAX: usize = 10_000_000;
/// Size of the pieces of a page.
const PIECE_BYTES: usize = 512 * 1024;

/// An object, or something that lives in a session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Object(u32),
    View(Arc<str>),
}

/// What is answered: objects, and which of their properties.
#[derive(Clone, Debug, Default)]
pub(super) struct Answering {
    pub targets: Vec<Target>,
    pub plans: BTreeMap<&'static str, Plan>,
    pub has_machines: bool,
}

/// Which paths somebody may not see.
type Hides = fn(&str) -> bool;
/// The privilege that is lacking, and which paths it hides.
type Denied = (&'static str, Hides);

/// What the account sees of an object: the plan for it, and why the rest is missing.
pub(super) struct Sight<'p> {
    pub plan: Cow<'p, Plan>,
    refused: Option<(Refusal, Hides)>,
}

impl Sight<'_> {
    /// Writes which of what was asked for is missing.
    pub(super) fn missing(&self, w: &mut Writer, asked: &Plan) {
        if let Some((refusal, is_missing)) = &self.refused {
            missing(w, asked, refusal, *is_missing);
        }
    }
}

/// What several steps of one call need.
pub(super) struct Asking<'a> {
    pub world: &'a World,
    pub inventory: &'a Inventory,
    pub session: &'a Seen,
}

impl<'a> Asking<'a> {
    /// Type and id of what is meant.
    pub(super) fn name(&self, target: &Target) -> Option<(&'static str, &str)> {
        match target {
            Target::Object(at) => self.inventory.get(*at).map(|it| (it.kind, it.id.as_str())),
            Target::View(id) => {
                let (key, view) = self.session.views.get_key_value(&**id)?;
                Some((view.kind, key))
            }
        }
    }

    /// What an object says: of all of its kind, and its own.
    pub(super) fn content(&self, target: &Target) -> (Arc<str>, Arc<str>) {
        match target {
            Target::Object(at) => {
                let Some(object) = self.inventory.get(*at) else { return Default::default() };
                let own = match object.kind {
                    "SessionManager" => self.session_manager().into(),
                    _ => object.content.clone(),
                };
                (self.world.common(object.kind), own)
            }
            Target::View(id) => (Arc::default(), self.view(id).into()),
        }
    }

    fn session_manager(&self) -> String {
        let mut w = Writer::new();
        let own = self.session.describe(&self.world.now);
        if !self.session.key.is_empty() {
            for other in &self.world.other_sessions {
                w.node("sessionList", |w| w.raw(other));
            }
            w.node("sessionList", |w| w.raw(&own));
            w.node("currentSession", |w| w.raw(&own));
        }
        w.words(&[("message", ""), ("defaultLocale", "en")]);
        w.finish()
    }

    fn view(&self, id: &str) -> String {
        let Some(view) = self.session.views.get(id) else { return String::new() };
        let mut w = Writer::new();
        let members = view.members.iter().filter_map(|it| self.inventory.get(*it));
        if view.kind != "TaskHistoryCollector" {
            w.references("view", members.map(|it| (it.kind, it.id.as_str())));
        }
        w.raw(&view.properties);
        w.finish()
    }

    pub(super) fn resolve(&self, kind: &str, id: &str) -> Result<Target, Refusal> {
        if let Some(at) = self.inventory.find(id) {
            return Ok(Target::Object(at));
        }
        match self.session.views.get(id) {
            Some(_) => Ok(Target::View(id.into())),
            None => Err(Refusal::missing(kind, id)),
        }
    }

    /// Objects and properties that filters mean.
    pub(super) fn select<'e>(
        &self,
        specs: impl Iterator<Item = &'e Element>,
        reports_missing: bool,
    ) -> Result<Answering, Refusal> {
        let mut answering = Answering::default();
        for spec in specs {
            let mut selection = Selection::new(self);
            for object in spec.all("objectSet") {
                let (kind, id) = object.child("obj").map(Element::reference).unwrap_or_default();
                let target = self.resolve(kind, id)?;
                if self.is_gone(&target) && !reports_missing {
                    return Err(Refusal::missing(kind, id));
                }
                selection.start(object, target);
            }
            answering.add(self, spec, selection.found)?;
        }
        Ok(answering)
    }

    /// The machine that vanishes, if one does.
    pub(super) fn gone(&self) -> Option<Target> {
        self.world.odd_one.filter(|_| self.world.has(Fault::Vanish)).map(Target::Object)
    }

    pub(super) fn is_gone(&self, target: &Target) -> bool {
        self.gone().as_ref() == Some(target)
    }

    /// Writes what is answered of one object.
    fn object(&self, w: &mut Writer, answering: &Answering, target: &Target) {
        let Some((kind, id)) = self.name(target) else { return };
        let Some(plan) = answering.plans.get(kind) else { return };
        w.raw("<objects>");
        w.reference("obj", kind, id);
        if self.session.has_expired {
            missing(w, plan, &Refusal::not_authenticated(), |_| true);
        } else if self.is_gone(target) {
            missing(w, plan, &Refusal::missing(kind, id), |_| true);
        } else {
            let (common, own) = self.content(target);
            let sight = self.sight(plan, kind, id);
            sight.plan.extract(&common, &mut PropertySets(w));
            sight.plan.extract(&own, &mut PropertySets(w));
            sight.missing(w, plan);
        }
        w.raw("</objects>");
    }

    /// What the account sees of an object.
    pub(super) fn sight<'p>(&self, plan: &'p Plan, kind: &str, id: &str) -> Sight<'p> {
        match self.denied(kind, id) {
            None => Sight { plan: Cow::Borrowed(plan), refused: None },
            Some((privilege, hides)) => Sight {
                plan: Cow::Owned(plan.only(&|path| !hides(path))),
                refused: Some((Refusal::no_permission(kind, id, privilege), hides)),
            },
        }
    }

    /// What the account may not see of an object, and for want of which privilege.
    fn denied(&self, kind: &str, id: &str) -> Option<Denied> {
        if !self.world.has(Fault::Filtered) {
            return None;
        }
        if self.world.restricted.iter().any(|it| it == id) {
            let beyond_view: Hides = |path| {
                !matches!(path, "name" | "parent" | "childEntity" | "childType" | "overallStatus")
            };
            return Some(("System.Read", beyond_view));
        }
        match kind {
            "SessionManager" => Some(("Sessions.TerminateSession", |it| it == "sessionList")),
            "LicenseManager" => Some(("Global.Licenses", |it| it == "licenses")),
            _ => None,
        }
    }

    /// One page, in pieces, and where the next one begins.
    fn page(&self, cursor: &Cursor) -> (Vec<Bytes>, usize) {
        let targets = cursor.answering.targets.get(cursor.position..).unwrap_or_default();
        let mut pieces = Vec::new();
        let mut w = Writer::with_capacity(PIECE_BYTES);
        let mut end = cursor.position;
        for target in targets.iter().take(cursor.page) {
            self.object(&mut w, &cursor.answering, target);
            end += 1;
            if w.as_str().len() >= PIECE_BYTES - PIECE_BYTES / 8 {
                let piece = std::mem::replace(&mut w, Writer::with_capacity(PIECE_BYTES));
                pieces.push(Bytes::from(piece.finish()));
            }
        }
        pieces.push(Bytes::from(w.finish()));
        (pieces, end)
    }

    /// One property of one object, as an element called `returnval`.
    pub(super) fn fetch(&self, target: &Target, path: &str) -> Result<String, Refusal> {
        let (kind, id) = self.name(target).ok_or_else(|| Refusal::missing("", ""))?;
        let mut plan = Plan::default();
        plan.add(kind, path).map_err(|it| Refusal::invalid_property(&it.0))?;
        if let Some((privilege, is_denied)) = self.denied(kind, id)
            && is_denied(path)
        {
            return Err(Refusal::no_permission(kind, id, privilege));
        }
        let (common, own) = self.content(target);
        let mut found = Separate::new("returnval");
        plan.extract(&common, &mut found);
        plan.extract(&own, &mut found);
        Ok(found.found.into_iter().next().map(|it| it.1).unwrap_or_default())
    }
}

fn missing(w: &mut Writer, plan: &Plan, refusal: &Refusal, is_missing: Hides) {
    for path in plan.paths() {
        if is_missing(path) {
            w.node("missingSet", |w| {
                w.text("path", path);
                refusal.localized(w, "fault");
            });
        }
    }
}

impl Answering {
    fn add(
        &mut self,
        asking: &Asking<'_>,
        spec: &Element,
        found: Vec<Target>,
    ) -> Result<(), Refusal> {
        // Each path is checked against the type that was named.
        let mut wanted: Vec<(&str, &Element)> = Vec::new();
        for properties in spec.all("propSet") {
            let kind = properties.word("type").unwrap_or_default();
            let known = SCHEMA.managed(kind);
            if known.is_none() && kind != "ManagedObject" {
                return Err(Refusal::new("InvalidType", format!("Invalid type: {kind}")));
            }
            let mut plan = Plan::default();
            for path in properties.words("pathSet") {
                plan.add(kind, path).map_err(|it| Refusal::invalid_property(&it.0))?;
            }
            wanted.push((kind, properties));
        }
        let mut plans: HashMap<&'static str, Option<Plan>> = HashMap::new();
        for target in found {
            let Some((kind, _)) = asking.name(&target) else { continue };
            let plan = plans.entry(kind).or_insert_with(|| plan_for(kind, &wanted));
            if plan.is_some() {
                self.has_machines |= kind == "VirtualMachine";
                self.targets.push(target);
            }
        }
        for (kind, plan) in plans {
            if let Some(plan) = plan {
                self.plans.entry(kind).or_default().merge(plan);
            }
        }
        Ok(())
    }
}

/// What is asked for of a kind of object, by all that speak of it or of what it extends.
fn plan_for(kind: &'static str, wanted: &[(&str, &Element)]) -> Option<Plan> {
    let mut plan: Option<Plan> = None;
    for (named, properties) in wanted.iter().filter(|it| SCHEMA.is_a(kind, it.0)) {
        let plan = plan.get_or_insert_default();
        if properties.flag("all") {
            plan.add_all(kind);
        }
        for path in properties.words("pathSet") {
            // Checked before; of the named type, so that it holds for this one.
            let _ = plan.add(named, path);
        }
    }
    plan
}

/// Objects to which the parts of a filter lead.
struct Selection<'a> {
    asking: &'a Asking<'a>,
    found: Vec<Target>,
    seen: HashSet<Target>,
    walked: HashSet<(Target, usize)>,
}

impl<'a> Selection<'a> {
    fn new(asking: &'a Asking<'a>) -> Self {
        Self { asking, found: Vec::new(), seen: HashSet::new(), walked: HashSet::new() }
    }

    fn start(&mut self, object: &Element, target: Target) {
        let mut named = HashMap::new();
        name_all(object, &mut named);
        if !object.flag("skip") {
            self.find(target.clone());
        }
        // Depth is bounded by the inventory: nothing is walked twice by the same specification.
        let mut waiting = vec![(target, object)];
        while let Some((target, holder)) = waiting.pop() {
            for spec in holder.all("selectSet") {
                let by_name = || named.get(spec.word("name")?).copied();
                let spec = if spec.child("type").is_some() { Some(spec) } else { by_name() };
                let Some(spec) = spec else { continue };
                for next in self.follow(&target, spec) {
                    if !spec.flag("skip") {
                        self.find(next.clone());
                    }
                    if spec.child("selectSet").is_some() {
                        waiting.push((next, spec));
                    }
                }
            }
        }
    }

    fn find(&mut self, target: Target) {
        if self.seen.insert(target.clone()) {
            self.found.push(target);
        }
    }

    fn follow(&mut self, target: &Target, spec: &Element) -> Vec<Target> {
        let Some((kind, id)) = self.asking.name(target) else { return Vec::new() };
        if !SCHEMA.is_a(kind, spec.word("type").unwrap_or_default()) {
            return Vec::new();
        }
        if !self.walked.insert((target.clone(), std::ptr::from_ref(spec).addr())) {
            return Vec::new();
        }
        let path = spec.word("path").unwrap_or_default();
        // What may not be read leads nowhere.
        if self.asking.denied(kind, id).is_some_and(|it| it.1(path)) {
            return Vec::new();
        }
        if let Target::View(id) = target
            && path == "view"
        {
            let view = self.asking.session.views.get(&**id);
            let members = view.map_or(&[][..], |it| &it.members);
            return members.iter().map(|it| Target::Object(*it)).collect();
        }
        let (_, own) = self.asking.content(target);
        let found = references(&own, path);
        let known = found.into_iter().filter_map(|it| self.asking.inventory.find(it.1));
        known.map(Target::Object).collect()
    }
}

fn name_all<'e>(element: &'e Element, named: &mut HashMap<&'e str, &'e Element>) {
    for spec in element.all("selectSet") {
        if let (Some(name), Some(_)) = (spec.word("name"), spec.child("type")) {
            named.insert(name, spec);
        }
        name_all(spec, named);
    }
}

/// What a method answers.
pub(super) type Answered = Result<Vec<Bytes>, Refusal>;

/// `RetrievePropertiesEx`, and the older `RetrieveProperties`, which knows no pages.
pub(super) fn retrieve(world: &World, seen: &Seen, request: &Element) -> Answered {
    let is_paged = request.name == "RetrievePropertiesEx";
    let options = request.child("options");
    let most = options.and_then(|it| it.number("maxObjects")).filter(|_| is_paged);
    let reports = options.is_some_and(|it| it.flag("reportMissingObjectsInResults"));
    let inventory = world.read();
    let asking = Asking { world, inventory: &inventory, session: seen };
    let answering = asking.select(request.all("specSet"), reports)?;
    let endless = is_paged && world.has(Fault::EndlessPaging) && answering.has_machines;
    let page = most.and_then(|it| usize::try_from(it).ok()).filter(|it| *it > 0);
    let cursor = Cursor {
        answering: Arc::new(answering),
        position: 0,
        page: page.unwrap_or(PAGE_MAX),
        endless,
    };
    let (pieces, end) = asking.page(&cursor);
    drop(inventory);
    if !is_paged {
        return Ok(renamed(pieces));
    }
    if cursor.answering.targets.is_empty() {
        return Ok(Vec::new());
    }
    Ok(world.session(&seen.key, |it| paged(it, cursor, pieces, end)))
}

/// `ContinueRetrievePropertiesEx`.
pub(super) fn go_on(world: &World, seen: &Seen, request: &Element) -> Answered {
    let token = request.word("token").unwrap_or_default();
    let cursor = world.session(&seen.key, |session| {
        let at = session.cursors.iter().position(|it| it.0 == token)?;
        Some(session.cursors.remove(at).1)
    });
    let cursor = cursor.ok_or_else(|| Refusal::invalid_argument("token"))?;
    let inventory = world.read();
    let asking = Asking { world, inventory: &inventory, session: seen };
    let (pieces, end) = asking.page(&cursor);
    drop(inventory);
    Ok(world.session(&seen.key, |it| paged(it, cursor, pieces, end)))
}

fn paged(session: &mut Session, cursor: Cursor, pieces: Vec<Bytes>, end: usize) -> Vec<Bytes> {
    let mut body = vec![Bytes::from_static(b"<returnval>")];
    let position = if cursor.endless { 0 } else { end };
    if cursor.endless || end < cursor.answering.targets.len() {
        let token = session.keep(Cursor { position, ..cursor });
        body.push(Bytes::from(format!("<token>{token}</token>")));
    }
    body.extend(pieces);
    body.push(Bytes::from_static(b"</returnval>"));
    body
}

/// The older method calls each object `returnval`.
fn renamed(pieces: Vec<Bytes>) -> Vec<Bytes> {
    let rename = |piece: Bytes| {
        let text = String::from_utf8_lossy(&piece);
        let text = text.replace("<objects>", "<returnval>");
        Bytes::from(text.replace("</objects>", "</returnval>"))
    };
    pieces.into_iter().map(rename).collect()
}
