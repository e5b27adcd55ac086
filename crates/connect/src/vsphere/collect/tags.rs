//! Tags, which only the REST interface tells: older servers have it below `/rest`, newer ones below
//! `/api`.

use std::collections::{BTreeMap, HashMap};

use entente_model::{
    Attribute, AttributeKind, Collection, Completeness, GapCause, Listing, Observed, PlatformId,
    TagCategory, Text, Why, Workload,
};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::super::map::{Machines, WORKLOADS, native};
use super::super::wire::Fault;
use super::gaps::call_failed;
use super::session::{CallFault, Session};
use crate::live::{Credentials, Found, Gaps, Request, each};
use crate::secrets::redacted;

const SECTION: &str = "tag_categories";

/// Objects that one request asks about.
const OBJECTS_MAX: usize = 2_000;

/// Categories and tags at most: each costs a call.
const TAGS_MAX: usize = 20_000;

/// Names a REST session.
const SESSION_HEADER: &str = "vmware-api-session-id";

/// Reads categories and tags, and which machines bear them. A standalone host has none.
pub(super) async fn read(
    session: &Session<'_>,
    collection: &mut Collection,
    machines: &mut Machines,
    gaps: &mut Gaps,
) {
    if !session.about.is_vcenter {
        return;
    }
    match Tags::load(session, gaps).await {
        Ok(tags) => {
            collection.control.tag_categories = tags.categories(&session.run.target.id, gaps);
            tags.attach(session, machines, gaps).await;
            tags.close(session).await;
        }
        Err(fault) => without(machines, &fault, gaps),
    }
}

/// Tags could not be read at all: what is known of attributes is not all.
pub(super) fn without(machines: &mut Machines, fault: &CallFault, gaps: &mut Gaps) {
    let why = call_failed(gaps, &[SECTION, WORKLOADS], fault);
    for workload in &mut machines.workloads {
        incomplete(&mut workload.attributes, why);
    }
}

/// There may be more; if that was known before, then for the reason that was known.
fn incomplete<T>(listing: &mut Listing<T>, why: Why) {
    if listing.is_complete() {
        listing.completeness = Completeness::Incomplete(why);
    }
}

/// Which of the two forms the server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `/rest/com/vmware/cis/…`, values within `{"value": …}`.
    Rest,
    /// `/api/…`, values as they are.
    Api,
}

impl Form {
    /// Where sessions are begun and ended.
    fn session(self) -> &'static str {
        match self {
            Self::Rest => "/rest/com/vmware/cis/session",
            Self::Api => "/api/session",
        }
    }
}

/// A session of the REST interface.
struct Rest {
    form: Form,
    /// What names the session, with how often it was begun.
    token: Mutex<(HeaderValue, u32)>,
}

#[derive(Deserialize)]
struct Wrapped<T> {
    value: T,
}

#[derive(Deserialize)]
struct Category {
    id: String,
    name: String,
    cardinality: Option<String>,
}

#[derive(Deserialize)]
struct Tag {
    id: String,
    name: String,
    category_id: String,
}

#[derive(Deserialize)]
struct ObjectId {
    id: String,
}

#[derive(Deserialize)]
struct Attached {
    object_id: ObjectId,
    /// `null` where there are none, from some servers.
    tag_ids: Option<Vec<String>>,
}

impl Rest {
    async fn open(session: &Session<'_>) -> Result<Self, CallFault> {
        let (form, token) = match Self::log_in(session, Form::Rest).await {
            Err(CallFault::Status(404 | 410)) => {
                (Form::Api, Self::log_in(session, Form::Api).await?)
            }
            other => (Form::Rest, other?),
        };
        Ok(Self { form, token: Mutex::new((token, 1)) })
    }

    async fn log_in(session: &Session<'_>, form: Form) -> Result<HeaderValue, CallFault> {
        let mut request = Request::post(session.url(form.session()), Vec::new());
        let credentials = basic(&session.run.target.credentials)
            .ok_or_else(|| CallFault::Markup("no password to log in with".into()))?;
        request.headers.insert(AUTHORIZATION, credentials);
        let token: String = send(session, form, &request).await?;
        let mut token = HeaderValue::from_str(&token)
            .map_err(|_| CallFault::Markup("its session cannot be used".into()))?;
        token.set_sensitive(true);
        Ok(token)
    }

    /// Begins the session again that ended; several calls may find that out at once.
    async fn renew(&self, session: &Session<'_>, ended: u32) -> Result<(), CallFault> {
        let mut token = self.token.lock().await;
        if token.1 == ended {
            *token = (Self::log_in(session, self.form).await?, ended + 1);
        }
        Ok(())
    }

    async fn close(&self, session: &Session<'_>) {
        let mut request = Request::get(session.url(self.form.session()));
        request.method = Method::DELETE;
        self.sign(&mut request).await;
        session.end(&request).await;
    }

    /// Names the session in a request; gives which one.
    async fn sign(&self, request: &mut Request) -> u32 {
        let token = self.token.lock().await;
        request.headers.insert(HeaderName::from_static(SESSION_HEADER), token.0.clone());
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        token.1
    }

    fn tagging(&self, what: &str) -> String {
        match self.form {
            Form::Rest => format!("/rest/com/vmware/cis/tagging/{what}"),
            Form::Api => format!("/api/cis/tagging/{what}"),
        }
    }

    /// Asks. Logs in again, once, if the session ended.
    async fn ask<T: DeserializeOwned>(
        &self,
        session: &Session<'_>,
        mut request: Request,
    ) -> Result<T, CallFault> {
        let generation = self.sign(&mut request).await;
        match send(session, self.form, &request).await {
            Err(fault) if fault.ends_session() => {
                self.renew(session, generation).await?;
                self.sign(&mut request).await;
                send(session, self.form, &request).await
            }
            other => other,
        }
    }

    async fn list<T: DeserializeOwned>(
        &self,
        session: &Session<'_>,
        what: &str,
    ) -> Result<T, CallFault> {
        self.ask(session, Request::get(session.url(&self.tagging(what)))).await
    }

    async fn details<T: DeserializeOwned>(
        &self,
        session: &Session<'_>,
        what: &str,
        id: &str,
    ) -> Result<T, CallFault> {
        let path = match self.form {
            Form::Rest => format!("{what}/id:{id}"),
            Form::Api => format!("{what}/{id}"),
        };
        self.list(session, &path).await
    }
}

/// Sends, and reads the value that answers.
async fn send<T: DeserializeOwned>(
    session: &Session<'_>,
    form: Form,
    request: &Request,
) -> Result<T, CallFault> {
    let response = session.http.send(request).await?;
    match response.status() {
        status if status.is_success() => {}
        StatusCode::UNAUTHORIZED => {
            let message = "the REST interface does not know the session or the account";
            return Err(fault("NotAuthenticated", message));
        }
        StatusCode::FORBIDDEN => {
            return Err(fault("NoPermission", "the REST interface refuses the account"));
        }
        status => return Err(CallFault::Status(status.as_u16())),
    }
    let body = response.bytes().await.map_err(CallFault::Http)?;
    let unreadable = |error: serde_json::Error| CallFault::Markup(Text::from(error.to_string()));
    match form {
        Form::Rest => {
            serde_json::from_slice::<Wrapped<T>>(&body).map(|it| it.value).map_err(unreadable)
        }
        Form::Api => serde_json::from_slice(&body).map_err(unreadable),
    }
}

fn fault(kind: &'static str, message: &'static str) -> CallFault {
    let (kind, message) = (Text::new_static(kind), Text::new_static(message));
    CallFault::Fault(Fault { kind, message, ..Fault::default() })
}

/// `Basic …` of user and password.
fn basic(credentials: &Credentials) -> Option<HeaderValue> {
    let Credentials::Password { user, password } = credentials else { return None };
    let plain = format!("{user}:{}", password.reveal());
    let mut value = HeaderValue::from_str(&format!("Basic {}", base64(plain.as_bytes()))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = (group >> (18 - 6 * at) & 63) as usize;
            let letter = ALPHABET.get(digit).copied().unwrap_or(b'A');
            encoded.push(if at > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    encoded
}

/// Categories and tags, with the session that read them.
pub(super) struct Tags {
    rest: Rest,
    categories: BTreeMap<String, Category>,
    tags: HashMap<String, Tag>,
    /// Why there may be more, if there may.
    dropped: Option<Why>,
}

impl Tags {
    /// Reads all categories and tags.
    pub async fn load(session: &Session<'_>, gaps: &mut Gaps) -> Result<Self, CallFault> {
        let rest = Rest::open(session).await?;
        let (categories, tags) = (BTreeMap::new(), HashMap::new());
        let mut tags = Self { rest, categories, tags, dropped: None };
        let outcome = tags.fill(session, gaps).await;
        if let Err(fault) = outcome {
            tags.close(session).await;
            return Err(fault);
        }
        Ok(tags)
    }

    /// Reads them again, in the same session; what was known is kept where that fails.
    pub async fn reload(&mut self, session: &Session<'_>, gaps: &mut Gaps) {
        if let Err(fault) = self.fill(session, gaps).await {
            self.dropped = Some(call_failed(gaps, &[SECTION], &fault));
        }
    }

    /// Ends the session.
    pub async fn close(&self, session: &Session<'_>) {
        self.rest.close(session).await;
    }

    async fn fill(&mut self, session: &Session<'_>, gaps: &mut Gaps) -> Result<(), CallFault> {
        let categories: Option<Vec<String>> = self.rest.list(session, "category").await?;
        let tags: Option<Vec<String>> = self.rest.list(session, "tag").await?;
        self.dropped = None;
        let (categories, tags) = (self.bounded(categories, gaps), self.bounded(tags, gaps));
        let found = details::<Category>(session, &self.rest, "category", &categories).await;
        let found = self.read(found, gaps);
        self.categories = found.into_iter().map(|it| (it.id.clone(), it)).collect();
        let found = details::<Tag>(session, &self.rest, "tag", &tags).await;
        let found = self.read(found, gaps);
        self.tags = found.into_iter().map(|it| (it.id.clone(), it)).collect();
        Ok(())
    }

    /// Those that could be read; of the others it is kept why they could not.
    fn read<T>(&mut self, found: Vec<Result<T, CallFault>>, gaps: &mut Gaps) -> Vec<T> {
        let mut read = Vec::with_capacity(found.len());
        for found in found {
            match found {
                Ok(found) => read.push(found),
                Err(fault) => self.dropped = Some(call_failed(gaps, &[SECTION], &fault)),
            }
        }
        read
    }

    /// Ids within the limit; some servers write `null` where there are none.
    fn bounded(&mut self, ids: Option<Vec<String>>, gaps: &mut Gaps) -> Vec<String> {
        let mut ids = ids.unwrap_or_default();
        if ids.len() > TAGS_MAX {
            ids.truncate(TAGS_MAX);
            let message = format!("more than {TAGS_MAX}: what lies beyond was not read");
            gaps.add_once(Found::of(GapCause::LimitReached, SECTION, &message));
            self.dropped = Some(Why::CallFailed);
        }
        ids
    }

    fn categories(&self, platform: &PlatformId, gaps: &mut Gaps) -> Vec<TagCategory> {
        let category = |category: &Category| {
            let mut tags: Vec<Text> = self
                .tags
                .values()
                .filter(|it| it.category_id == category.id)
                .map(|it| Text::new(&it.name))
                .collect();
            tags.sort();
            TagCategory {
                platform: platform.clone(),
                name: Text::new(&category.name),
                single: match category.cardinality.as_deref() {
                    Some("SINGLE") => Observed::Value(true),
                    Some("MULTIPLE") => Observed::Value(false),
                    Some(word) => {
                        let message = "a word that this version does not know";
                        let found = Found::of(GapCause::UnknownValue, SECTION, message);
                        gaps.add(found.field("cardinality").value(word));
                        Observed::Unobserved(Why::Unreadable)
                    }
                    None => Observed::Unobserved(Why::Blank),
                },
                tags: match self.dropped {
                    Some(why) => Listing::incomplete(tags, why),
                    None => Listing::complete(tags),
                },
            }
        };
        self.categories.values().map(category).collect()
    }

    /// Adds each machine's tags to its attributes. Machines of which that could not be asked have
    /// attributes that are not all.
    pub async fn attach(&self, session: &Session<'_>, machines: &mut Machines, gaps: &mut Gaps) {
        let attached = self.attached(session, machines).await;
        self.apply(&attached, machines, gaps);
    }

    /// Which tags machines bear: of each that was told of, and why others were not.
    pub async fn attached(&self, session: &Session<'_>, machines: &Machines) -> AllAttached {
        let platform = &session.run.target.id;
        let native = |it: &Workload| Text::new(native(it.id.as_str(), platform));
        let ids: Vec<Text> = machines.workloads.iter().map(native).collect();
        let path = self.rest.tagging("tag-association");
        let mut all = AllAttached { told: HashMap::new(), failed: None };
        for batch in ids.chunks(OBJECTS_MAX) {
            let objects: Vec<_> = batch
                .iter()
                .map(|id| serde_json::json!({ "id": id.as_str(), "type": "VirtualMachine" }))
                .collect();
            let body = serde_json::json!({ "object_ids": objects }).to_string();
            let mut url = session.url(&path);
            url.set_query(Some(match self.rest.form {
                Form::Rest => "~action=list-attached-tags-on-objects",
                Form::Api => "action=list-attached-tags-on-objects",
            }));
            let mut request = Request::post(url, body);
            request.repeatable = true;
            match self.rest.ask::<Option<Vec<Attached>>>(session, request).await {
                Ok(found) => {
                    let told = found.into_iter().flatten();
                    all.told
                        .extend(told.map(|it| (it.object_id.id, it.tag_ids.unwrap_or_default())));
                }
                Err(fault) => {
                    all.failed = Some(fault);
                    break;
                }
            }
        }
        all
    }

    /// Every tag that machines bear is in the catalogue.
    pub fn knows(&self, attached: &AllAttached) -> bool {
        attached.told.values().flatten().all(|id| self.meaning(id).is_some())
    }

    fn meaning(&self, id: &str) -> Option<(&Category, &Tag)> {
        let tag = self.tags.get(id)?;
        Some((self.categories.get(&tag.category_id)?, tag))
    }

    /// Adds what was told to machines' attributes.
    pub fn apply(&self, attached: &AllAttached, machines: &mut Machines, gaps: &mut Gaps) {
        let failed = attached.failed.as_ref().map(|it| call_failed(gaps, &[WORKLOADS], it));
        let found =
            Found::of(GapCause::CallFailed, WORKLOADS, "the platform did not tell its tags");
        let unread = self.dropped.unwrap_or(Why::Unreadable);
        let message = "tags that are not in the list of tags: the account may not see them, or they could not be read";
        let dangling = Found::of(GapCause::DanglingReference, WORKLOADS, message).field("tag");
        for (native, at) in &machines.at {
            let Some(workload) = machines.workloads.get_mut(*at) else { continue };
            let Some(ids) = attached.told.get(native.as_str()) else {
                if failed.is_none() {
                    gaps.add(found.field("tag").value(native));
                }
                incomplete(&mut workload.attributes, failed.unwrap_or(Why::CallFailed));
                continue;
            };
            for id in ids {
                let Some((category, tag)) = self.meaning(id) else {
                    gaps.add(dangling.value(id));
                    incomplete(&mut workload.attributes, unread);
                    continue;
                };
                workload.attributes.items.push(Attribute {
                    name: Text::new(&category.name),
                    value: redacted(&tag.name),
                    kind: Observed::Value(AttributeKind::Tag),
                });
            }
            workload.attributes.items.sort();
        }
    }
}

/// Which tags machines bear.
pub(super) struct AllAttached {
    /// Ids of tags by the machine's id; nothing of machines that were not told of.
    told: HashMap<String, Vec<String>>,
    /// Why not all could be asked about.
    failed: Option<CallFault>,
}

/// One call for each id, several at once: there is no call for all of them.
async fn details<T: DeserializeOwned + Send>(
    session: &Session<'_>,
    rest: &Rest,
    what: &str,
    ids: &[String],
) -> Vec<Result<T, CallFault>> {
    let parallel = session.run.target.limits.parallel_calls;
    each(parallel, ids, |id| Box::pin(rest.details(session, what, id))).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_encoded_as_the_header_wants_them() {
        for (plain, encoded) in [
            ("", ""),
            ("a", "YQ=="),
            ("ab", "YWI="),
            ("abc", "YWJj"),
            ("user:päss", "dXNlcjpww6Rzcw=="),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
