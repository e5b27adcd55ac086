//! The HTTP server under twins that speak HTTP, with the faults that are the same for all.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::ext::ReasonPhrase;
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::faults::{Faults, Flow, SLOW_PAUSE};
use super::server::{self, Host};
use super::{Served, Setup};

/// Largest request that is read.
const REQUEST_BYTES_MAX: usize = 16 << 20;
/// Size of the pieces of a slow answer.
const SLOW_PIECE_BYTES: usize = 4096;

/// A simulated platform that speaks HTTP. It answers; the server around it misbehaves.
pub trait HttpTwin: Send + Sync + 'static {
    /// Answers a request.
    fn answer(&self, request: Request) -> impl Future<Output = Reply> + Send;

    /// True for what happens before and during log-in: faults leave it alone.
    fn is_log_in(&self, request: &Request) -> bool;

    /// True for the list of workloads: faults of one answer strike here.
    fn is_workload_list(&self, request: &Request) -> bool;
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Verb, upper case.
    pub method: String,
    /// Path, percent-encoded as it came.
    pub path: String,
    /// Query, percent-encoded as it came.
    pub query: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Request {
    /// A header, if it is there and readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A cookie's value.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.header("cookie")?.split(';');
        cookies.filter_map(|it| it.trim().split_once('=')).find(|it| it.0 == name).map(|it| it.1)
    }
}

/// An answer. Its body may be many pieces that were encoded beforehand.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status.
    pub status: u16,
    /// Text beside the status, if it is not the usual one.
    pub reason: Option<String>,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<Bytes>,
}

impl Reply {
    /// A body of this type, with status 200.
    pub fn ok(content_type: &str, body: impl Into<Bytes>) -> Self {
        Self::of(200, content_type, body)
    }

    /// A body of this type.
    pub fn of(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            reason: None,
            headers: vec![("content-type", content_type.to_owned())],
            body: vec![body.into()],
        }
    }
}

/// Serves, as `http://…` or `https://…`; whoever may log in is for the caller to add.
pub async fn serve_http(twin: Arc<impl HttpTwin>, setup: Setup) -> io::Result<Served> {
    let calls = Arc::new(AtomicU64::new(0));
    let faults = Faults::of(&setup.faults);
    let server =
        Arc::new(Server { twin, faults, calls: calls.clone(), refused: AtomicU64::new(0) });
    let scheme = if setup.tls { "https" } else { "http" };
    server::serve(server, &setup, calls, |it| format!("{scheme}://{it}")).await
}

struct Server<T> {
    twin: Arc<T>,
    faults: Faults,
    calls: Arc<AtomicU64>,
    refused: AtomicU64,
}

impl<T: HttpTwin> Host for Server<T> {
    async fn converse(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) {
        let service = service_fn(|request| {
            let server = self.clone();
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service);
        // A client that goes away is no concern of the server.
        let _ = connection.await;
    }
}

impl<T: HttpTwin> Server<T> {
    async fn answer(&self, request: hyper::Request<Incoming>) -> hyper::Response<Pieces> {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, REQUEST_BYTES_MAX).collect().await else {
            return encode(Reply::of(413, "text/plain", "request too large"), Flow::Whole);
        };
        let request = Request {
            method: head.method.as_str().to_owned(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body: body.to_bytes(),
        };
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.twin.is_log_in(&request) {
            return encode(self.twin.answer(request).await, Flow::Whole);
        }
        if let Some(busy) = self.busy() {
            return encode(busy, Flow::Whole);
        }
        let flow = self.flow(&request);
        encode(self.twin.answer(request).await, flow)
    }

    fn busy(&self) -> Option<Reply> {
        let busy = self.faults.busy()?;
        if self.refused.fetch_add(1, Ordering::Relaxed) >= busy.times {
            return None;
        }
        let mut reply = Reply::of(busy.status, "text/plain", "not now");
        let wait = busy.retry_after_seconds;
        reply.headers.extend(wait.map(|it| ("retry-after", it.to_string())));
        Some(reply)
    }

    fn flow(&self, request: &Request) -> Flow {
        if self.twin.is_workload_list(request) { self.faults.flow() } else { Flow::Whole }
    }
}

fn encode(reply: Reply, flow: Flow) -> hyper::Response<Pieces> {
    let bytes: u64 = reply.body.iter().map(|it| it.len() as u64).sum();
    let pieces = Pieces::new(reply.body, bytes, flow);
    let mut response = hyper::Response::new(pieces);
    *response.status_mut() =
        hyper::StatusCode::from_u16(reply.status).unwrap_or(hyper::StatusCode::OK);
    if let Some(reason) = reply.reason.and_then(|it| ReasonPhrase::try_from(it.into_bytes()).ok()) {
        response.extensions_mut().insert(reason);
    }
    for (name, value) in reply.headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// A body in pieces.
struct Pieces {
    left: VecDeque<Bytes>,
    bytes_left: u64,
    /// Where it stops although more was promised.
    stops_at: Option<u64>,
    flow: Flow,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
    /// What was given so far is on its way.
    was_flushed: bool,
}

impl Pieces {
    fn new(body: Vec<Bytes>, bytes: u64, flow: Flow) -> Self {
        let stops_at = match flow {
            Flow::Stalls | Flow::BreaksOff => Some(bytes / 2),
            Flow::IsSlow | Flow::Whole => None,
        };
        let left = body.into_iter().filter(|it| !it.is_empty()).collect();
        Self { left, bytes_left: bytes, stops_at, flow, pause: None, was_flushed: false }
    }

    fn next_piece(&mut self) -> Option<Bytes> {
        let mut piece = self.left.pop_front()?;
        let mut size = piece.len();
        if self.flow == Flow::IsSlow {
            size = size.min(SLOW_PIECE_BYTES);
        }
        if let Some(stop) = self.stops_at {
            size = size.min(usize::try_from(self.bytes_left - stop).unwrap_or(usize::MAX));
        }
        if size < piece.len() {
            self.left.push_front(piece.split_off(size));
        }
        self.bytes_left -= piece.len() as u64;
        Some(piece)
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(pause) = &mut self.pause {
            if pause.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.pause = None;
        }
        if self.stops_at == Some(self.bytes_left) {
            if !self.was_flushed {
                // The server writes what it has while a body is not ready; were it told at once that
                // there is no more, it would close without having written anything.
                self.was_flushed = true;
                self.pause = Some(Box::pin(tokio::time::sleep(SLOW_PAUSE)));
                return self.poll_frame(context);
            }
            return match self.flow {
                // Nothing will ever wake it: the client has to give up.
                Flow::Stalls => Poll::Pending,
                _ => Poll::Ready(Some(Err(io::Error::other("broken off on purpose")))),
            };
        }
        if self.flow == Flow::IsSlow {
            self.pause = Some(Box::pin(tokio::time::sleep(SLOW_PAUSE)));
        }
        Poll::Ready(self.next_piece().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes_left)
    }
}
