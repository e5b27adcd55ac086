//! Logging in, and asking one question after the other: tickets renewed, broken answers asked for
//! again, every failure in words.

use std::sync::{Mutex, PoisonError};

use entente_model::{GapCause, Text, Why};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue};
use serde_json::Value;

use super::super::ADDRESS_FORM;
use crate::live::{CallError, Credentials, Http, Refusal, Request, Run, base_url};
use crate::secrets::redacted;

/// Where the platform listens.
const PORT: u16 = 8006;
/// Oldest version that is read.
const OLDEST: u32 = 7;
/// How often a ticket is renewed in one reading: it lives two hours, a reading one at most.
const RENEWALS_MAX: u32 = 8;
/// Longest quotation of what the platform said.
const SAID_CHARS_MAX: usize = 200;
/// What needs no escaping in a path or a form.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Why a call told nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::proxmox) struct Failure {
    /// Kind of gap.
    pub cause: GapCause,
    /// What it means for facts.
    pub why: Why,
    /// What was called.
    pub path: Text,
    /// Status, if one came.
    pub status: Option<u16>,
    /// What the platform said.
    pub said: Text,
}

/// Version and build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::proxmox) struct Version {
    /// First number.
    pub major: u32,
    /// `9.1.5`.
    pub version: Text,
    /// `80cf92a64bef6889`.
    pub build: Option<Text>,
}

/// Somebody who is logged in.
pub(in crate::proxmox) struct Session<'a> {
    run: Run<'a>,
    http: Http<'a>,
    base: String,
    ticket: Mutex<Ticket>,
    renewing: tokio::sync::Mutex<()>,
    /// The platform's version.
    pub version: Version,
    /// The account as the platform names it.
    pub account: Text,
}

/// What a call shows.
#[derive(Clone, Debug)]
struct Ticket {
    header: (reqwest::header::HeaderName, HeaderValue),
    /// How often it was renewed.
    renewals: u32,
}

impl<'a> Session<'a> {
    /// Reaches the platform, logs in and makes sure of what it is.
    pub(in crate::proxmox) async fn open(run: Run<'a>) -> Result<Self, Refusal> {
        let base = address(&run.target.address)?;
        let http = Http::new(run)?;
        let (account, header) = match &run.target.credentials {
            Credentials::Token { id, secret } => {
                let mut value =
                    HeaderValue::from_str(&format!("PVEAPIToken={id}={}", secret.reveal()))
                        .map_err(|_| Refusal::WrongCredentials)?;
                value.set_sensitive(true);
                if !(id.contains('@') && id.contains('!')) {
                    let why = "the id of a token has the form USER@REALM!TOKEN";
                    return Err(Refusal::LogInUnsupported(why.into()));
                }
                (id.clone(), (AUTHORIZATION, value))
            }
            Credentials::Password { user, .. } if !user.contains('@') => {
                let why =
                    format!("the user name `{user}` names no realm: write `{user}@pam` or another");
                return Err(Refusal::LogInUnsupported(why.into()));
            }
            Credentials::Password { user, password } => {
                log_in(&http, &base, user, password.reveal()).await?
            }
            Credentials::None | Credentials::Certificate { .. } => {
                let why = "it takes an API token, or a user name with its password";
                return Err(Refusal::LogInUnsupported(why.into()));
            }
        };
        let mut session = Self {
            run,
            http,
            base,
            ticket: Mutex::new(Ticket { header, renewals: 0 }),
            renewing: tokio::sync::Mutex::default(),
            version: Version { major: 0, version: Text::default(), build: None },
            account,
        };
        session.version = session.read_version().await?;
        Ok(session)
    }

    async fn read_version(&self) -> Result<Version, Refusal> {
        let url = self.url("/version", &[], &[])?;
        let answer = self.ask(&url, &self.ticket()).await?;
        match answer.status {
            200 => {}
            401 => return Err(Refusal::WrongCredentials),
            403 => return Err(Refusal::TooFewRights(answer.said)),
            429 | 502..=504 => return Err(Refusal::Busy(answer.said)),
            _ => return Err(not_this(&answer)),
        }
        let data =
            answer.data.ok_or_else(|| not_this_text("it answers with something else than JSON"))?;
        let version = data.get("version").and_then(Value::as_str).unwrap_or_default();
        let major = version.split(['.', '-']).next().and_then(|it| it.parse().ok());
        let Some(major) = major else {
            return Err(not_this_text("its version is no version"));
        };
        if major < OLDEST {
            let found = Text::from(version);
            return Err(Refusal::VersionTooOld { found, oldest: format!("{OLDEST}.0").into() });
        }
        let build = data.get("repoid").and_then(Value::as_str).map(Text::from);
        Ok(Version { major, version: version.into(), build })
    }

    /// What a collection runs in.
    pub(in crate::proxmox) fn run(&self) -> Run<'a> {
        self.run
    }

    /// Asks one question: `call` is a path with `{}` for each of `args`.
    pub(in crate::proxmox) async fn get(
        &self,
        call: &str,
        args: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        let fail = |refusal: CallError| Failure::of(call, &refusal);
        let url = self.url(call, args, query).map_err(|it| fail(it.into()))?;
        let path = Text::from(url.path().trim_start_matches("/api2/json"));
        let (mut renewed, mut repeated) = (false, false);
        loop {
            let ticket = self.ticket();
            match self.ask(&url, &ticket).await {
                Ok(answer) if answer.status == 401 && !renewed && self.renew(&ticket).await => {
                    renewed = true;
                }
                Ok(answer) if answer.status == 200 => match answer.data {
                    Some(data) => return Ok(data),
                    None if repeated => return Err(Failure::no_json(&path)),
                    None => repeated = true,
                },
                Ok(answer) => return Err(Failure::of_status(&path, answer.status, answer.said)),
                Err(CallError::Truncated(_)) if !repeated => repeated = true,
                Err(error) => return Err(Failure::of(&path, &error)),
            }
            self.run.traffic.retry();
        }
    }

    fn url(
        &self,
        call: &str,
        args: &[&str],
        query: &[(&str, &str)],
    ) -> Result<reqwest::Url, Refusal> {
        let mut text = format!("{}/api2/json", self.base);
        let mut args = args.iter();
        for (at, piece) in call.split("{}").enumerate() {
            if at > 0 {
                text.extend(utf8_percent_encode(args.next().unwrap_or(&""), PLAIN));
            }
            text.push_str(piece);
        }
        for (at, (key, value)) in query.iter().enumerate() {
            text.push(if at == 0 { '?' } else { '&' });
            text.push_str(&form(key, value));
        }
        reqwest::Url::parse(&text).map_err(|_| Refusal::Address { form: ADDRESS_FORM.into() })
    }

    async fn ask(&self, url: &reqwest::Url, ticket: &Ticket) -> Result<Spoken, CallError> {
        let mut request = Request::get(url.clone());
        let (name, value) = ticket.header.clone();
        request.headers.insert(name, value);
        spoken(&self.http, &request).await
    }

    fn ticket(&self) -> Ticket {
        self.ticket.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Logs in again, unless somebody else has done so since; false if that is no use.
    async fn renew(&self, refused: &Ticket) -> bool {
        let Credentials::Password { user, password } = &self.run.target.credentials else {
            return false;
        };
        let _alone = self.renewing.lock().await;
        if self.ticket().renewals > refused.renewals {
            return true;
        }
        if refused.renewals >= RENEWALS_MAX {
            return false;
        }
        match log_in(&self.http, &self.base, user, password.reveal()).await {
            Ok((_, header)) => {
                let mut ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
                *ticket = Ticket { header, renewals: refused.renewals + 1 };
                true
            }
            Err(_) => {
                // Trying again and again would lock the account.
                let mut ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
                ticket.renewals = RENEWALS_MAX;
                false
            }
        }
    }
}

/// An answer as far as it is understood.
struct Spoken {
    status: u16,
    /// What lies in the envelope; nothing if there is no envelope.
    data: Option<Value>,
    /// Message of the body, else the reason beside the status.
    said: Text,
}

async fn spoken(http: &Http<'_>, request: &Request) -> Result<Spoken, CallError> {
    let response = http.send(request).await?;
    let status = response.status().as_u16();
    let reason = response.reason();
    let body: Result<Value, _> = serde_json::from_slice(&response.bytes().await?);
    let mut data = None;
    let mut said = None;
    if let Ok(Value::Object(mut envelope)) = body {
        said = envelope.get("message").and_then(Value::as_str).map(|it| it.trim().to_owned());
        if let Some(errors) = envelope.get("errors") {
            said = Some(format!("{} {errors}", said.unwrap_or_default()));
        }
        data = envelope.remove("data");
    }
    let said = said.filter(|it| !it.is_empty()).or(reason).unwrap_or_default();
    Ok(Spoken { status, data, said: redacted(&said).chars().take(SAID_CHARS_MAX).collect() })
}

type Header = (reqwest::header::HeaderName, HeaderValue);

/// Gets a ticket.
async fn log_in(
    http: &Http<'_>,
    base: &str,
    user: &str,
    password: &str,
) -> Result<(Text, Header), Refusal> {
    let url = reqwest::Url::parse(&format!("{base}/api2/json/access/ticket"))
        .map_err(|_| Refusal::Address { form: ADDRESS_FORM.into() })?;
    let body = format!("{}&{}", form("username", user), form("password", password));
    let mut request = Request::post(url, body);
    request.headers = HeaderMap::new();
    request
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    let answer = spoken(http, &request).await?;
    match answer.status {
        200 => {}
        401 => return Err(Refusal::WrongCredentials),
        400 | 403 => return Err(Refusal::LogInUnsupported(answer.said)),
        429 | 502..=504 => return Err(Refusal::Busy(answer.said)),
        _ => return Err(not_this(&answer)),
    }
    let data =
        answer.data.ok_or_else(|| not_this_text("it answers with something else than JSON"))?;
    let ticket = data.get("ticket").and_then(Value::as_str).unwrap_or_default();
    let challenged = data.get("NeedTFA").is_some_and(|it| !matches!(it.as_u64(), Some(0)));
    if challenged || ticket.contains(":!tfa!") {
        let why = "the account asks for a second factor: make an API token and give that";
        return Err(Refusal::LogInUnsupported(why.into()));
    }
    if let Some(product) = ["PBS:", "PMG:"].iter().find(|it| ticket.starts_with(**it)) {
        return Err(not_this_text(&format!("its tickets begin with `{product}`")));
    }
    let mut cookie = HeaderValue::from_str(&format!("PVEAuthCookie={ticket}"))
        .map_err(|_| Refusal::Answer("its ticket cannot be sent back".into()))?;
    if ticket.is_empty() {
        return Err(not_this_text("it gives no ticket"));
    }
    cookie.set_sensitive(true);
    let account = data.get("username").and_then(Value::as_str).unwrap_or(user);
    Ok((account.into(), (COOKIE, cookie)))
}

fn form(key: &str, value: &str) -> String {
    format!("{}={}", utf8_percent_encode(key, PLAIN), utf8_percent_encode(value, PLAIN))
}

fn not_this(answer: &Spoken) -> Refusal {
    not_this_text(&format!("it answers {} {}", answer.status, answer.said))
}

fn not_this_text(found: &str) -> Refusal {
    Refusal::NotThisPlatform { expected: "Proxmox VE".into(), found: found.trim().into() }
}

/// The address with its port, without a slash at its end.
fn address(configured: &str) -> Result<String, Refusal> {
    let mut url = base_url(configured, ADDRESS_FORM)?;
    let host = configured.trim().split("://").last().unwrap_or_default();
    let host = host.split('/').next().unwrap_or_default();
    let names_port = host.rsplit(']').next().unwrap_or_default().contains(':');
    if !names_port {
        let invalid = |()| Refusal::Address { form: ADDRESS_FORM.into() };
        url.set_port(Some(PORT)).map_err(invalid)?;
    }
    url.set_path("");
    url.set_query(None);
    url.set_fragment(None);
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

impl Failure {
    /// Of a call to which nothing was answered.
    pub(super) fn of(path: &str, error: &CallError) -> Self {
        let said = error.to_string().into();
        Self { cause: error.cause(), why: Why::CallFailed, path: path.into(), status: None, said }
    }

    fn no_json(path: &str) -> Self {
        let said = "the answer is no JSON with `data` in it".into();
        let (cause, why) = (GapCause::UnreadableValue, Why::Unreadable);
        Self { cause, why, path: path.into(), status: Some(200), said }
    }

    /// Of an answer that is another thing than what was asked for.
    pub(in crate::proxmox) fn unexpected(path: &str, expected: &str) -> Self {
        let said = format!("the answer is no {expected}").into();
        let (cause, why) = (GapCause::UnreadableValue, Why::Unreadable);
        Self { cause, why, path: path.into(), status: Some(200), said }
    }

    /// True if it only says that a guest's agent did not answer: no agent, none that runs, none in time.
    pub(in crate::proxmox) fn is_silence(&self) -> bool {
        matches!(self.status, Some(500 | 596))
            && matches!(self.cause, GapCause::CallFailed | GapCause::Unreachable)
    }

    /// Of an answer that tells nothing but why.
    pub(in crate::proxmox) fn of_status(path: &str, status: u16, said: Text) -> Self {
        let (cause, why) = match status {
            401 | 403 => (GapCause::NoPermission, Why::NoPermission),
            // An object that is not there is an error of the server here, not a 404.
            500 if said.contains("does not exist") => (GapCause::Vanished, Why::CallFailed),
            500 if is_about_reach(&said) => (GapCause::Unreachable, Why::CallFailed),
            501 => (GapCause::CallFailed, Why::NotInVersion),
            502 | 504 | 595..=599 => (GapCause::Unreachable, Why::CallFailed),
            _ => (GapCause::CallFailed, Why::CallFailed),
        };
        Self { cause, why, path: path.into(), status: Some(status), said }
    }

    /// What happened, without what differs from object to object.
    pub(in crate::proxmox) fn summary(&self, call: &str) -> String {
        let call = call.replace("{}", "*");
        match self.status {
            Some(status) => format!("`GET {call}` was answered with {status}"),
            None => format!("`GET {call}` was not answered: {}", self.said),
        }
    }
}

fn is_about_reach(said: &str) -> bool {
    [
        "No route to host",
        "Connection refused",
        "Connection timed out",
        "got timeout",
        "hostname lookup",
    ]
    .iter()
    .any(|it| said.contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_known_unless_it_is_told() {
        let url = |text: &str| address(text).unwrap();
        assert_eq!(url("pve.example.com"), "https://pve.example.com:8006");
        assert_eq!(url("https://pve.example.com/"), "https://pve.example.com:8006");
        assert_eq!(url("https://pve.example.com:443"), "https://pve.example.com");
        assert_eq!(url("http://127.0.0.1:1234"), "http://127.0.0.1:1234");
        assert_eq!(url("[2001:db8::1]"), "https://[2001:db8::1]:8006");
        assert_eq!(url("https://pve.example.com/pve2/#v1"), "https://pve.example.com:8006");
        assert!(address("ftp://x").is_err());
    }

    #[test]
    fn a_missing_object_is_told_from_a_node_that_is_offline() {
        let cause = |status, said: &str| Failure::of_status("/x", status, said.into()).cause;
        let gone = "Configuration file 'nodes/a/qemu-server/9.conf' does not exist";
        assert_eq!(cause(500, gone), GapCause::Vanished);
        assert_eq!(cause(595, "No route to host"), GapCause::Unreachable);
        assert_eq!(cause(403, "Permission check failed (/, Sys.Audit)"), GapCause::NoPermission);
        assert_eq!(cause(500, "something else"), GapCause::CallFailed);
    }
}
