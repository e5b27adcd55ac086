//! The one HTTP client: TLS by the target's trust, limits on everything, retry while the platform is
//! busy, bytes counted as they are on the wire.

use std::io::{BufRead, BufReader, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use entente_model::{GapCause, Text};
use flate2::bufread::GzDecoder;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, RETRY_AFTER};
pub use reqwest::{Method, StatusCode, Url};

use super::Run;
use super::body::{BodyReader, BodySender, Bounded};
use super::error::Refusal;
use super::tls::TlsSetup;

/// Why one call failed. Before log-in it becomes a [`Refusal`]; after, a gap.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Nothing came of it: no connection, refused TLS …
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The answer stopped coming.
    #[error("the answer ended early: {0}")]
    Truncated(Text),
    /// No byte came for so long.
    #[error("no byte came for {seconds} s")]
    Idle {
        /// How long was waited.
        seconds: u64,
    },
    /// The answer is larger than the limit.
    #[error("the answer is larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
}

impl CallError {
    /// What kind of gap a call leaves that failed so after log-in.
    pub fn cause(&self) -> GapCause {
        match self {
            Self::Refused(Refusal::Cancelled) => GapCause::Cancelled,
            Self::Refused(Refusal::TimedOut { .. }) | Self::Idle { .. } => GapCause::TimedOut,
            Self::Truncated(_) => GapCause::Truncated,
            Self::TooLarge { .. } => GapCause::LimitReached,
            Self::Refused(_) => GapCause::CallFailed,
        }
    }
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(refusal) => refusal,
            CallError::Idle { seconds } => Self::TimedOut { seconds },
            other => Self::Answer(Text::from(other.to_string())),
        }
    }
}

/// What to send.
#[derive(Clone)]
pub struct Request {
    /// Verb.
    pub method: Method,
    /// Where.
    pub url: Url,
    /// Headers.
    pub headers: HeaderMap,
    /// Body; empty = none.
    pub body: Bytes,
    /// Sending it twice does no harm: it is sent again when the connection breaks before an answer.
    pub repeatable: bool,
}

impl Request {
    /// A repeatable GET.
    pub fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            repeatable: true,
        }
    }

    /// A POST that is not repeated once it may have arrived.
    pub fn post(url: Url, body: impl Into<Bytes>) -> Self {
        Self {
            method: Method::POST,
            url,
            headers: HeaderMap::new(),
            body: body.into(),
            repeatable: false,
        }
    }
}

/// The beginning of an answer.
pub struct Response<'a> {
    run: Run<'a>,
    inner: reqwest::Response,
    deadline: tokio::time::Instant,
}

/// The client of one run.
pub struct Http<'a> {
    run: Run<'a>,
    client: reqwest::Client,
    tls: TlsSetup,
    /// Something has answered before: a connection that fails now may succeed later.
    answered: AtomicBool,
}

/// Statuses that mean "not now".
const BUSY: [StatusCode; 4] = [
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];

/// First wait before a retry, where the platform names none; doubled each time.
const RETRY_WAIT: Duration = Duration::from_millis(500);

/// The address of a platform that speaks HTTP: a host, `host:port`, or a URL without a path that
/// matters. `https` unless it says otherwise.
pub fn base_url(address: &str, form: &'static str) -> Result<Url, Refusal> {
    let invalid = || Refusal::Address { form: form.into() };
    let address = address.trim();
    let names_scheme = address.contains("://");
    let address = address.trim_end_matches('/');
    let url =
        if names_scheme { Url::parse(address) } else { Url::parse(&format!("https://{address}")) }
            .map_err(|_| invalid())?;
    let usable = matches!(url.scheme(), "https" | "http")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none();
    if usable { Ok(url) } else { Err(invalid()) }
}

impl<'a> Http<'a> {
    /// A client for this run's target. It uses no proxy: management addresses are reached directly.
    pub fn new(run: Run<'a>) -> Result<Self, Refusal> {
        let tls = TlsSetup::of(run.target)?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured((*tls.config).clone())
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(run.target.limits.connect())
            .user_agent(concat!("entente/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Refusal::Tls(chain(&error)))?;
        Ok(Self { run, client, tls, answered: AtomicBool::new(false) })
    }

    /// Sends a request and waits for the beginning of its answer. While the platform is busy, it is
    /// sent again, within the limits; the last answer is returned whatever its status.
    pub async fn send(&self, request: &Request) -> Result<Response<'a>, CallError> {
        let limits = &self.run.target.limits;
        let deadline = tokio::time::Instant::now() + limits.answer();
        let mut attempt = 0;
        loop {
            let last = attempt >= limits.retries_max;
            let wait = match self.once(request, deadline).await {
                Ok(response) if last || !BUSY.contains(&response.status()) => return Ok(response),
                Ok(response) => response.retry_after(),
                Err(CallError::Refused(Refusal::Unreachable(_)))
                    if request.repeatable && !last && self.answered.load(Ordering::Relaxed) =>
                {
                    None
                }
                Err(error) => return Err(error),
            };
            let wait = wait
                .unwrap_or(RETRY_WAIT * 2_u32.saturating_pow(attempt))
                .min(Duration::from_secs(limits.retry_wait_seconds_max));
            attempt += 1;
            self.run.traffic.retry();
            self.pause(wait).await?;
        }
    }

    async fn pause(&self, wait: Duration) -> Result<(), CallError> {
        tokio::select! {
            () = self.run.cancel.cancelled() => Err(Refusal::Cancelled.into()),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }

    async fn once(
        &self,
        request: &Request,
        deadline: tokio::time::Instant,
    ) -> Result<Response<'a>, CallError> {
        self.run.traffic.call();
        let sending = self
            .client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone())
            .header(ACCEPT_ENCODING, "gzip")
            .body(request.body.clone())
            .send();
        let limit = deadline.saturating_duration_since(tokio::time::Instant::now());
        let inner = self.run.within(limit, sending).await?.map_err(|error| self.refusal(&error))?;
        self.answered.store(true, Ordering::Relaxed);
        Ok(Response { run: self.run, inner, deadline })
    }

    fn refusal(&self, error: &reqwest::Error) -> Refusal {
        let text = chain(error);
        if let Some(refusal) = self.tls.refusal() {
            refusal
        } else if error.is_timeout() {
            Refusal::TimedOut { seconds: self.run.target.limits.connect_seconds }
        } else if text.contains("dns error") || text.contains("failed to lookup address") {
            Refusal::NameUnknown
        } else if text.contains("InvalidContentType") || text.contains("received corrupt message") {
            Refusal::Tls("what answers there does not speak TLS".into())
        } else if text.contains("tls") || text.contains("TLS") || text.contains("alert") {
            Refusal::Tls(text)
        } else {
            Refusal::Unreachable(text)
        }
    }
}

/// An error with everything below it.
fn chain(error: &dyn std::error::Error) -> Text {
    let mut text = String::new();
    let mut current = Some(error);
    while let Some(error) = current {
        let level = error.to_string();
        if !text.ends_with(&level) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&level);
        }
        current = error.source();
    }
    Text::from(text)
}

impl Response<'_> {
    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// A header, if it is there and readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.inner.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// Every value of a header that is there several times.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.inner.headers().get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// The text beside its status, if it is not the usual one.
    pub fn reason(&self) -> Option<String> {
        let reason = self.inner.extensions().get::<hyper::ext::ReasonPhrase>()?;
        Some(String::from_utf8_lossy(reason.as_bytes()).into_owned())
    }

    fn retry_after(&self) -> Option<Duration> {
        self.header(RETRY_AFTER.as_str())?.trim().parse().ok().map(Duration::from_secs)
    }

    fn is_gzip(&self) -> bool {
        self.header(CONTENT_ENCODING.as_str()).is_some_and(|it| it.eq_ignore_ascii_case("gzip"))
    }

    /// The whole body, decoded.
    pub async fn bytes(mut self) -> Result<Bytes, CallError> {
        let bytes_max = self.run.target.limits.answer_bytes_max;
        let gzip = self.is_gzip();
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if body.len() as u64 + chunk.len() as u64 > bytes_max {
                return Err(CallError::TooLarge { bytes_max });
            }
            body.extend_from_slice(&chunk);
        }
        if !gzip {
            return Ok(body.into());
        }
        let mut decoded = Vec::new();
        GzDecoder::new(body.as_slice())
            .take(bytes_max + 1)
            .read_to_end(&mut decoded)
            .map_err(|error| CallError::Truncated(Text::from(error.to_string())))?;
        if decoded.len() as u64 > bytes_max {
            return Err(CallError::TooLarge { bytes_max });
        }
        Ok(decoded.into())
    }

    /// The body as it arrives, decoded, for a parser on a blocking thread; and the work that feeds it,
    /// which must be awaited beside that thread.
    pub fn streamed(self) -> (Box<dyn BufRead + Send>, impl Future<Output = ()>) {
        let (sender, reader) = BodyReader::pair();
        let gzip = self.is_gzip();
        let bytes_max = self.run.target.limits.answer_bytes_max;
        // Decoded size is bounded where it is read: a small answer may unfold to a large one.
        let reader: Box<dyn BufRead + Send> = if gzip {
            let decoded = BufReader::with_capacity(1 << 16, GzDecoder::new(reader));
            Box::new(Bounded::new(decoded, bytes_max))
        } else {
            Box::new(Bounded::new(reader, bytes_max))
        };
        (reader, self.feed(sender))
    }

    async fn feed(mut self, sender: BodySender) {
        loop {
            let chunk = match self.chunk().await {
                Ok(Some(chunk)) => Ok(chunk),
                Ok(None) => return,
                Err(error) => Err(error),
            };
            let failed = chunk.is_err();
            // A parser that has seen enough went away.
            if sender.send(chunk).await.is_err() || failed {
                return;
            }
        }
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, CallError> {
        let idle = self.run.target.limits.idle();
        let now = tokio::time::Instant::now();
        let left = self.deadline.saturating_duration_since(now);
        let chunk = match self.run.within(idle.min(left), self.inner.chunk()).await {
            Err(Refusal::TimedOut { seconds }) if idle <= left => {
                return Err(CallError::Idle { seconds });
            }
            outcome => outcome?,
        };
        let chunk = chunk.map_err(|error| CallError::Truncated(chain(&error)))?;
        let bytes = chunk.as_ref().map_or(0, Bytes::len);
        self.run.traffic.received(bytes as u64);
        Ok(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_call_is_a_gap_of_its_kind() {
        let cause = |error: CallError| error.cause();
        assert_eq!(cause(Refusal::Cancelled.into()), GapCause::Cancelled);
        assert_eq!(cause(Refusal::TimedOut { seconds: 1 }.into()), GapCause::TimedOut);
        assert_eq!(cause(CallError::Idle { seconds: 1 }), GapCause::TimedOut);
        assert_eq!(cause(CallError::Truncated("x".into())), GapCause::Truncated);
        assert_eq!(cause(CallError::TooLarge { bytes_max: 1 }), GapCause::LimitReached);
        assert_eq!(cause(Refusal::NameUnknown.into()), GapCause::CallFailed);
    }

    #[test]
    fn an_address_is_a_host_a_port_or_a_url() {
        let url = |address: &str| base_url(address, "https://HOST").map(|it| it.to_string());
        assert_eq!(url("vc.example.com").unwrap(), "https://vc.example.com/");
        assert_eq!(url("vc.example.com:8443").unwrap(), "https://vc.example.com:8443/");
        assert_eq!(url("https://vc.example.com/").unwrap(), "https://vc.example.com/");
        assert_eq!(url("[::1]:8443").unwrap(), "https://[::1]:8443/");
        for wrong in ["", "ftp://vc", "spam://", "https://", "https://user:word@vc"] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
    }
}
