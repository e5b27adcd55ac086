//! Tags, which only the REST interface tells: older servers have it below `/rest`, newer ones below
//! `/api`.

use std::collections::{BTreeMap, HashMap};

use entente_model::{
    Attribute, AttributeKind, Collection, GapCause, Listing, Observed, TagCategory, Text, Why,
};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::super::map::{Machines, WORKLOADS, native};
use super::super::wire::{Fault, call_failed, why};
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
    let outcome = match Tags::load(session, gaps).await {
        Ok(tags) => {
            let platform = &session.run.target.id;
            collection.control.tag_categories = tags.categories(platform);
            let outcome = tags.attach(session, machines).await;
            tags.rest.close(session).await;
            outcome
        }
        Err(fault) => {
            call_failed(gaps, &[SECTION], &fault);
            Err(fault)
        }
    };
    if let Err(fault) = outcome {
        call_failed(gaps, &[WORKLOADS], &fault);
        without_tags(machines, why(&fault));
    }
}

/// What is known of attributes is not all.
fn without_tags(machines: &mut Machines, why: Why) {
    for workload in &mut machines.workloads {
        let known = std::mem::take(&mut workload.attributes.items);
        workload.attributes = Listing::incomplete(known, why);
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

/// A session of the REST interface.
struct Rest {
    form: Form,
    token: HeaderValue,
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
        match Self::open_as(session, Form::Rest).await {
            Err(CallFault::Status(404 | 410)) => Self::open_as(session, Form::Api).await,
            other => other,
        }
    }

    async fn open_as(session: &Session<'_>, form: Form) -> Result<Self, CallFault> {
        let path = match form {
            Form::Rest => "/rest/com/vmware/cis/session",
            Form::Api => "/api/session",
        };
        let mut request = Request::post(session.url(path), Vec::new());
        let credentials = basic(&session.run.target.credentials)
            .ok_or_else(|| CallFault::Markup("no password to log in with".into()))?;
        request.headers.insert(AUTHORIZATION, credentials);
        let token: String = send(session, form, &request).await?;
        let mut token = HeaderValue::from_str(&token)
            .map_err(|_| CallFault::Markup("its session cannot be used".into()))?;
        token.set_sensitive(true);
        Ok(Self { form, token })
    }

    async fn close(&self, session: &Session<'_>) {
        let path = match self.form {
            Form::Rest => "/rest/com/vmware/cis/session",
            Form::Api => "/api/session",
        };
        let mut request = Request::get(session.url(path));
        request.method = Method::DELETE;
        request.headers = self.headers();
        let _ = session.http.send(&request).await;
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(SESSION_HEADER), self.token.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers
    }

    fn tagging(&self, what: &str) -> String {
        match self.form {
            Form::Rest => format!("/rest/com/vmware/cis/tagging/{what}"),
            Form::Api => format!("/api/cis/tagging/{what}"),
        }
    }

    async fn list<T: DeserializeOwned>(
        &self,
        session: &Session<'_>,
        what: &str,
    ) -> Result<T, CallFault> {
        let mut request = Request::get(session.url(&self.tagging(what)));
        request.headers = self.headers();
        send(session, self.form, &request).await
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
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let kind = "NoPermission".into();
            let message = "the REST interface refuses the account".into();
            return Err(CallFault::Fault(Fault { kind, message, ..Fault::default() }));
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
}

impl Tags {
    /// Reads all categories and tags.
    pub async fn load(session: &Session<'_>, gaps: &mut Gaps) -> Result<Self, CallFault> {
        let rest = Rest::open(session).await?;
        let mut tags = Self { rest, categories: BTreeMap::new(), tags: HashMap::new() };
        let outcome = tags.fill(session, gaps).await;
        if let Err(fault) = outcome {
            tags.rest.close(session).await;
            return Err(fault);
        }
        Ok(tags)
    }

    async fn fill(&mut self, session: &Session<'_>, gaps: &mut Gaps) -> Result<(), CallFault> {
        let categories: Option<Vec<String>> = self.rest.list(session, "category").await?;
        let tags: Option<Vec<String>> = self.rest.list(session, "tag").await?;
        let (categories, tags) = (bounded(categories, gaps), bounded(tags, gaps));
        let found = details::<Category>(session, &self.rest, "category", &categories).await;
        for category in found {
            match category {
                Ok(category) => {
                    self.categories.insert(category.id.clone(), category);
                }
                Err(fault) => call_failed(gaps, &[SECTION], &fault),
            }
        }
        for tag in details::<Tag>(session, &self.rest, "tag", &tags).await {
            match tag {
                Ok(tag) => {
                    self.tags.insert(tag.id.clone(), tag);
                }
                Err(fault) => call_failed(gaps, &[SECTION], &fault),
            }
        }
        Ok(())
    }

    fn categories(&self, platform: &entente_model::PlatformId) -> Vec<TagCategory> {
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
                    _ => Observed::Unobserved(Why::Unreadable),
                },
                tags: Listing::complete(tags),
            }
        };
        self.categories.values().map(category).collect()
    }

    /// Adds each machine's tags to its attributes.
    pub async fn attach(
        &self,
        session: &Session<'_>,
        machines: &mut Machines,
    ) -> Result<(), CallFault> {
        if self.tags.is_empty() {
            return Ok(());
        }
        let platform = &session.run.target.id;
        let ids: Vec<Text> = machines
            .workloads
            .iter()
            .map(|it| Text::new(native(it.id.as_str(), platform)))
            .collect();
        let path = self.rest.tagging("tag-association");
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
            request.headers = self.rest.headers();
            request.repeatable = true;
            let found: Option<Vec<Attached>> = send(session, self.rest.form, &request).await?;
            for attached in found.into_iter().flatten() {
                self.add(&attached, machines);
            }
        }
        Ok(())
    }

    fn add(&self, attached: &Attached, machines: &mut Machines) {
        let mut unknown = 0;
        let Some(workload) = machines.get_mut(&attached.object_id.id) else { return };
        for id in attached.tag_ids.iter().flatten() {
            let tag = self.tags.get(id);
            let category = tag.and_then(|it| self.categories.get(&it.category_id));
            let (Some(tag), Some(category)) = (tag, category) else {
                unknown += 1;
                continue;
            };
            workload.attributes.items.push(Attribute {
                name: Text::new(&category.name),
                value: redacted(&tag.name),
                kind: Observed::Value(AttributeKind::Tag),
            });
        }
        workload.attributes.items.sort();
        if unknown > 0 {
            let known = std::mem::take(&mut workload.attributes.items);
            workload.attributes = Listing::incomplete(known, Why::NoPermission);
            let message = "tags that are not in the list of tags: the account may not see them";
            let found = Found::of(GapCause::NoPermission, WORKLOADS, message).field("tag");
            machines.gaps.add_many(found, unknown);
        }
    }
}

/// Ids within the limit; some servers write `null` where there are none.
fn bounded(ids: Option<Vec<String>>, gaps: &mut Gaps) -> Vec<String> {
    let mut ids = ids.unwrap_or_default();
    if ids.len() > TAGS_MAX {
        ids.truncate(TAGS_MAX);
        let message = format!("more than {TAGS_MAX}: what lies beyond was not read");
        gaps.add_once(Found::of(GapCause::LimitReached, SECTION, &message));
    }
    ids
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
