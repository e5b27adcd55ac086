//! One session with one server: logging in, calling, logging in again when it ended, logging out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use entente_model::{Text, Why};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::super::wire::{AnswerError, Call, Fault, Object, Paths, Records, Target, Tree, read};
use crate::live::{
    CallError, Cancel, Credentials, Http, LiveLimits, Refusal, Request, Response, Run, base_url,
};

/// How addresses look.
pub(in crate::vsphere) const ADDRESS_FORM: &str = "HOST, HOST:PORT or https://HOST[:PORT]";

/// The oldest API version that has all that is read.
const OLDEST: (u32, u32) = (6, 7);
const OLDEST_SHOWN: &str = "6.7";

/// What a server must be.
const EXPECTED: &str = "a vCenter or an ESXi host";

/// Where the vSphere API, and storage policies, are served.
const VIM_PATH: &str = "/sdk";
const PBM_PATH: &str = "/pbm";

/// Version of the storage policy API that is spoken.
const PBM_ACTION: &str = "urn:pbm/2.0";

/// The session's cookie.
const COOKIE: &str = "vmware_soap_session";

/// How often a session that ended is begun again, in one run.
const LOGINS_MAX: u32 = 8;

/// Why a call failed after logging in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::vsphere) enum CallFault {
    /// No answer, or not to its end.
    #[error(transparent)]
    Http(#[from] CallError),
    /// A status that is none of the protocol.
    #[error("it answered with status {0}")]
    Status(u16),
    /// The server says why.
    #[error("{}: {}", .0.kind, .0.message)]
    Fault(Fault),
    /// The answer ended early.
    #[error("the answer ended early")]
    Truncated,
    /// The answer cannot be understood.
    #[error("the answer cannot be understood: {0}")]
    Markup(Text),
}

impl From<AnswerError> for CallFault {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Fault(fault) => Self::Fault(fault),
            AnswerError::Call(error) => Self::Http(error),
            AnswerError::Truncated => Self::Truncated,
            AnswerError::Markup(why) => Self::Markup(why),
            AnswerError::NotSoap(found) => Self::Markup(format!("it begins with {found}").into()),
            AnswerError::ElementTooLarge => Self::Markup("one element is too large".into()),
        }
    }
}

impl CallFault {
    /// The session is over.
    pub fn ends_session(&self) -> bool {
        matches!(self, Self::Fault(fault) if fault.ends_session())
    }

    /// Somebody stopped it.
    pub fn is_cancelled(&self) -> bool {
        *self == Self::Http(CallError::Refused(Refusal::Cancelled))
    }

    fn into_refusal(self) -> Refusal {
        match self {
            Self::Http(error) => error.into(),
            Self::Status(status @ (429 | 502 | 503 | 504)) => {
                Refusal::Busy(format!("status {status}").into())
            }
            Self::Status(status) => not_this(&format!("status {status} at {VIM_PATH}")),
            Self::Fault(fault) => {
                Refusal::Answer(format!("{}: {}", fault.kind, fault.message).into())
            }
            Self::Truncated => Refusal::Answer("it ended early".into()),
            Self::Markup(why) => not_this(&why),
        }
    }
}

fn not_this(found: &str) -> Refusal {
    Refusal::NotThisPlatform { expected: EXPECTED.into(), found: Text::new(found) }
}

/// What the server says of itself.
#[derive(Clone, Debug)]
pub(in crate::vsphere) struct About {
    /// `VMware vCenter Server`.
    pub name: Text,
    /// `8.0.3`.
    pub version: Text,
    /// `24322831`.
    pub build: Text,
    /// `8.0.3.0`.
    pub api_version: Text,
    /// Its own UUID.
    pub uuid: Option<Text>,
    /// Not a standalone host.
    pub is_vcenter: bool,
    managers: BTreeMap<String, Target>,
}

impl About {
    fn of(tree: &Tree) -> Option<Self> {
        let content = tree.root()?.child("returnval")?;
        let about = content.child("about")?;
        let text = |name: &str| Text::new(about.text_at(name).unwrap_or_default());
        let managers = content
            .children()
            .filter_map(|it| Some((it.name().to_owned(), it.reference()?)))
            .map(|(name, it)| (name, Target::new(it.kind, it.id)))
            .collect();
        Some(Self {
            name: text("name"),
            version: text("version"),
            build: text("build"),
            api_version: text("apiVersion"),
            uuid: about.text_at("instanceUuid").map(Text::new),
            is_vcenter: text("apiType") == "VirtualCenter",
            managers,
        })
        .filter(|_| matches!(text("apiType").as_str(), "VirtualCenter" | "HostAgent"))
    }

    /// Something that the server manages: `propertyCollector`, `rootFolder` …
    pub fn manager(&self, name: &str) -> Option<&Target> {
        self.managers.get(name)
    }

    fn is_old(&self) -> bool {
        let mut parts = self.api_version.split('.').map(|it| it.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < OLDEST
    }
}

/// A session.
pub(in crate::vsphere) struct Session<'a> {
    /// What it belongs to.
    pub run: Run<'a>,
    /// For what is not SOAP.
    pub http: Http<'a>,
    /// The server.
    pub about: About,
    base: reqwest::Url,
    action: HeaderValue,
    cookie: Mutex<Option<String>>,
    key: Mutex<Option<Text>>,
    user: Mutex<Option<Text>>,
    logins: AtomicU32,
    /// How many of them are of no account: the sessions that they began lasted.
    settled: AtomicU32,
}

/// What a page brought.
#[derive(Debug, Default)]
pub(in crate::vsphere) struct Page {
    /// How to get the next one.
    pub token: Option<String>,
    /// The session is over, although nothing says so but the objects.
    pub session_ended: bool,
    /// Objects that could not be understood at all.
    pub nameless: u64,
    /// Objects that were deleted meanwhile: their kinds and ids.
    pub gone: Vec<(Text, Text)>,
}

/// Takes objects as they arrive.
pub(in crate::vsphere) trait ObjectSink: Send + 'static {
    /// One object with what was told of it; false if it was there before.
    fn object(&mut self, object: &Object<'_>, tree: &Tree) -> bool;

    /// Everything comes, from the beginning, as far as this is asked for.
    fn begin(&mut self, asked: &Arc<[Paths]>);

    /// What came is not all.
    fn incomplete(&mut self, why: Why) {
        let _ = why;
    }

    /// Objects so far.
    fn count(&self) -> u64;
}

impl<'a> Session<'a> {
    /// Finds out what is there, and logs in.
    pub async fn open(run: Run<'a>) -> Result<Self, Refusal> {
        let credentials = credentials(run)?;
        let mut base = base_url(&run.target.address, ADDRESS_FORM)?;
        base.set_path("/");
        base.set_query(None);
        let mut session = Self {
            run,
            http: Http::new(run)?,
            about: About {
                name: Text::default(),
                version: Text::default(),
                build: Text::default(),
                api_version: Text::default(),
                uuid: None,
                is_vcenter: true,
                managers: BTreeMap::new(),
            },
            base,
            action: action(OLDEST_SHOWN),
            cookie: Mutex::new(None),
            key: Mutex::new(None),
            user: Mutex::new(None),
            logins: AtomicU32::new(0),
            settled: AtomicU32::new(0),
        };
        session.about = session.find_out().await?;
        if session.about.is_old() {
            return Err(Refusal::VersionTooOld {
                found: session.about.api_version.clone(),
                oldest: OLDEST_SHOWN.into(),
            });
        }
        session.action = action(&session.about.api_version);
        session.log_in(credentials).await?;
        Ok(session)
    }

    async fn find_out(&mut self) -> Result<About, Refusal> {
        let service = Target::new("ServiceInstance", "ServiceInstance");
        let call = Call::new("RetrieveServiceContent", &service);
        let tree = match self.ask_once(VIM_PATH, &call).await {
            // Before 6.7 the version that is asked for is not known: ask for none.
            Err(CallFault::Fault(fault)) if fault.message.contains("nsupported version") => {
                self.action = HeaderValue::from_static("\"urn:vim25\"");
                self.ask_once(VIM_PATH, &call).await
            }
            other => other,
        };
        let tree = tree.map_err(CallFault::into_refusal)?;
        About::of(&tree).ok_or_else(|| not_this("a service that does not name itself as one"))
    }

    async fn log_in(&self, (user, password): (&str, &str)) -> Result<(), Refusal> {
        let manager = self.manager("sessionManager").map_err(CallFault::into_refusal)?;
        let call = Call::new("Login", manager).value("userName", user).value("password", password);
        let tree = self.ask_once(VIM_PATH, &call).await.map_err(login_refusal)?;
        let session = tree.root().and_then(|it| it.child("returnval"));
        let text = |name: &str| session.and_then(|it| it.text_at(name)).map(Text::new);
        set(&self.key, text("key"));
        set(&self.user, text("userName").or(Some(Text::new(user))));
        self.logins.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Begins a session again that ended. Fails if that happens all the time.
    pub async fn renew(&self) -> Result<(), CallFault> {
        let settled = self.settled.load(Ordering::Relaxed);
        if self.logins.load(Ordering::Relaxed).saturating_sub(settled) >= LOGINS_MAX {
            let why = format!("the session ended {LOGINS_MAX} times");
            return Err(CallFault::Markup(why.into()));
        }
        set(&self.cookie, None);
        let credentials = credentials(self.run).map_err(CallError::from)?;
        self.log_in(credentials).await.map_err(|it| CallFault::Http(it.into()))
    }

    /// Tells one session from the next.
    pub fn generation(&self) -> u32 {
        self.logins.load(Ordering::Relaxed)
    }

    /// This session served: that it ends some day is no failure.
    pub fn settle(&self) {
        self.settled.store(self.generation(), Ordering::Relaxed);
    }

    /// Logs out, even when the run was stopped.
    pub async fn close(&self) {
        let Ok(manager) = self.manager("sessionManager") else { return };
        if let Ok(request) = self.request(VIM_PATH, &Call::new("Logout", manager)) {
            self.end(&request).await;
        }
    }

    /// Sends what ends something on the server, even when the run was stopped.
    pub async fn end(&self, request: &Request) {
        if !self.run.cancel.is_cancelled() {
            let _ = self.http.send(request).await;
            return;
        }
        // What was stopped refuses to call: a connection of its own, with little patience.
        let never = Cancel::new();
        let mut target = self.run.target.clone();
        let seconds = target.limits.connect_seconds;
        target.limits = LiveLimits { answer_seconds: seconds, retries_max: 0, ..target.limits };
        let run = Run { target: &target, cancel: &never, ..self.run };
        let Ok(http) = Http::new(run) else { return };
        let _ = http.send(request).await;
    }

    /// Something that the server manages.
    pub fn manager(&self, name: &str) -> Result<&Target, CallFault> {
        self.about
            .manager(name)
            .ok_or_else(|| CallFault::Markup(Text::from(format!("the server has no `{name}`"))))
    }

    /// Key of this session.
    pub fn key(&self) -> Option<Text> {
        get(&self.key)
    }

    /// The account as the server names it.
    pub fn user(&self) -> Option<Text> {
        get(&self.user)
    }

    /// An address on the server.
    pub fn url(&self, path: &str) -> reqwest::Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    /// Calls, and reads the whole answer. Logs in again if the session ended.
    pub async fn ask(&self, call: &Call) -> Result<Tree, CallFault> {
        self.ask_at(VIM_PATH, call).await
    }

    /// Calls something that ends with the session: there is no use in logging in and calling again.
    pub async fn ask_watching(&self, call: &Call) -> Result<Tree, CallFault> {
        self.ask_once(VIM_PATH, call).await
    }

    /// Calls the storage policy API.
    pub async fn ask_policy(&self, call: &Call) -> Result<Tree, CallFault> {
        self.ask_at(PBM_PATH, call).await
    }

    async fn ask_at(&self, path: &'static str, call: &Call) -> Result<Tree, CallFault> {
        match self.ask_once(path, call).await {
            Err(fault) if fault.ends_session() => {
                self.renew().await?;
                self.ask_once(path, call).await
            }
            other => other,
        }
    }

    async fn ask_once(&self, path: &'static str, call: &Call) -> Result<Tree, CallFault> {
        let response = self.send(path, call).await?;
        let body = response.bytes().await?;
        let (mut tree, mut answer) = (Tree::default(), None);
        read(body.as_ref(), Records::Response, &mut tree, &mut |it| answer = Some(it.compact()))?;
        answer.ok_or_else(|| CallFault::Markup("it holds nothing".into()))
    }

    /// Calls for a page of objects, and hands each over while the page arrives.
    pub async fn page<S: ObjectSink>(
        &self,
        call: &Call,
        asked: &Arc<[Paths]>,
        mut sink: S,
    ) -> (S, Page, Result<(), CallFault>) {
        let response = match self.send(VIM_PATH, call).await {
            Ok(response) => response,
            Err(fault) => return (sink, Page::default(), Err(fault)),
        };
        let (reader, feeding) = response.streamed();
        let asked = asked.clone();
        let parsing = tokio::task::spawn_blocking(move || {
            let (mut tree, mut page) = (Tree::default(), Page::default());
            let outcome = read(reader, Records::InReturnValue, &mut tree, &mut |tree| {
                take(tree, &asked, &mut page, &mut sink);
            });
            (sink, page, outcome.map_err(CallFault::from))
        });
        let (parsed, ()) = tokio::join!(parsing, feeding);
        match parsed {
            Ok(parsed) => parsed,
            // A panic is a bug of ours, and not to be hidden.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    async fn send(&self, path: &'static str, call: &Call) -> Result<Response<'a>, CallFault> {
        let response = self.http.send(&self.request(path, call)?).await?;
        let prefix = format!("{COOKIE}=");
        let cookie = response.headers("set-cookie").find_map(|it| {
            let value = it.trim().strip_prefix(prefix.as_str())?;
            Some(value.split(';').next().unwrap_or_default().to_owned())
        });
        if let Some(cookie) = cookie.filter(|it| !it.is_empty()) {
            set(&self.cookie, Some(cookie));
        }
        // Faults come with status 500.
        match response.status().as_u16() {
            200 | 500 => Ok(response),
            401 => {
                Err(CallFault::Fault(Fault { kind: "NotAuthenticated".into(), ..Fault::default() }))
            }
            status => Err(CallFault::Status(status)),
        }
    }

    fn request(&self, path: &'static str, call: &Call) -> Result<Request, CallFault> {
        let cookie = get(&self.cookie);
        let mut headers = HeaderMap::new();
        let is_policy = path == PBM_PATH;
        let action = if is_policy { action_of(PBM_ACTION) } else { self.action.clone() };
        headers.insert(HeaderName::from_static("soapaction"), action);
        headers.insert(
            reqwest::header::CONTENT_TYPE,
            HeaderValue::from_static("text/xml; charset=utf-8"),
        );
        if let Some(cookie) = &cookie
            && let Ok(mut value) = HeaderValue::from_str(&format!("{COOKIE}={cookie}"))
        {
            value.set_sensitive(true);
            headers.insert(reqwest::header::COOKIE, value);
        }
        let in_header = cookie.as_deref().map(|it| it.trim_matches('"')).filter(|_| is_policy);
        let mut request = Request::post(self.url(path), call.envelope(in_header));
        request.headers = headers;
        request.repeatable = is_repeatable(call.method);
        Ok(request)
    }
}

/// Calls that only read, and read the same when they are sent twice.
fn is_repeatable(method: &str) -> bool {
    !method.starts_with("Continue") && !method.starts_with("Create") && !method.starts_with("Read")
}

fn take(tree: &Tree, asked: &[Paths], page: &mut Page, sink: &mut impl ObjectSink) {
    let Some(root) = tree.root() else { return };
    match root.name() {
        "token" => page.token = Some(root.text().to_owned()),
        "objects" => match Object::of(tree, asked) {
            Some(object) if object.shows_ended_session() => page.session_ended = true,
            Some(object) if object.is_gone() => {
                let reference = object.reference;
                page.gone.push((Text::new(reference.kind), Text::new(reference.id)));
            }
            Some(object) => {
                sink.object(&object, tree);
            }
            None => page.nameless += 1,
        },
        _ => {}
    }
}

fn credentials(run: Run<'_>) -> Result<(&str, &str), Refusal> {
    match &run.target.credentials {
        Credentials::Password { user, password } => Ok((user, password.reveal())),
        _ => Err(Refusal::LogInUnsupported("a user name with a password is needed".into())),
    }
}

fn action(version: &str) -> HeaderValue {
    action_of(&format!("urn:vim25/{version}"))
}

fn action_of(action: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{action}\""))
        .unwrap_or_else(|_| HeaderValue::from_static("\"urn:vim25/6.7\""))
}

/// Words by which servers tell that an account, not its password, is the trouble.
const LOCKED: [&str; 4] = ["locked", "disabled", "expired", "suspended"];

fn login_refusal(fault: CallFault) -> Refusal {
    let CallFault::Fault(fault) = fault else { return fault.into_refusal() };
    let message = fault.message.to_lowercase();
    if LOCKED.iter().any(|word| message.contains(word)) {
        return Refusal::AccountLocked(fault.message);
    }
    match fault.kind.as_str() {
        "InvalidLogin" => Refusal::WrongCredentials,
        "NoPermission" => {
            let privilege = fault.privilege.as_deref().unwrap_or("the right to log in");
            Refusal::TooFewRights(Text::from(format!("it lacks {privilege}")))
        }
        _ => CallFault::Fault(fault).into_refusal(),
    }
}

fn set<T>(cell: &Mutex<Option<T>>, value: Option<T>) {
    if let Ok(mut held) = cell.lock() {
        *held = value;
    }
}

fn get<T: Clone>(cell: &Mutex<Option<T>>) -> Option<T> {
    cell.lock().ok().and_then(|held| held.clone())
}
