//! A client for one run: connects, logs in, asks; connects again when the connection is lost, waits
//! when the host is busy, within the limits.

use std::collections::VecDeque;
use std::time::Duration;

use entente_model::Text;

use super::address::{Address, Way};
use super::log_in;
use super::session::{Reply, Request, Session, WINDOW};
use super::transport;
use crate::libvirt::wire::failure::{Failure, RemoteKind};
use crate::libvirt::wire::procedures::{Close, DriverName, LibraryVersion, Open, Procedure};
use crate::libvirt::wire::reading::Read;
use crate::libvirt::wire::xdr::{Decoder, Encoder};
use crate::libvirt::{OLDEST, version};
use crate::live::{CallError, Refusal, Run};

/// First wait before a host that was busy is asked again; doubled each time.
const RETRY_WAIT: Duration = Duration::from_millis(500);
/// How often one request is sent when the connection is lost over it.
const SENT_MAX: u32 = 2;

/// A client for one run.
pub struct Client<'a> {
    run: Run<'a>,
    address: Address,
    session: Option<Session<'a>>,
    account: Text,
    driver: String,
    library_version: u64,
    connections_left: u32,
    /// Connections so far.
    connections: u64,
    /// Nothing more is asked, and why.
    ended: Option<Failure>,
    /// The host stayed busy over all retries: until it answers something, it is asked only once.
    stays_busy: bool,
}

/// How far the answers to a set of requests have come.
struct Progress {
    replies: Vec<Option<Read<Vec<u8>>>>,
    pending: VecDeque<usize>,
    sent: Vec<u32>,
    busy: Vec<usize>,
    /// Requests over one of which a connection was lost: they go one by one.
    suspects: usize,
}

impl<'a> Client<'a> {
    /// Connects and logs in.
    pub async fn connect(run: Run<'a>) -> Result<Self, Refusal> {
        let address = Address::parse(&run.target.address)?;
        let limits = &run.target.limits;
        let mut client = Self {
            run,
            address,
            session: None,
            account: Text::default(),
            driver: String::new(),
            library_version: 0,
            connections_left: limits.retries_max,
            connections: 0,
            ended: None,
            stays_busy: false,
        };
        client.session = Some(client.open().await?);
        client.introduce().await?;
        Ok(client)
    }

    /// One connection, logged in, with its driver chosen.
    async fn open(&mut self) -> Result<Session<'a>, Refusal> {
        let link = transport::open(self.run, &self.address).await?;
        let mut session = Session::new(self.run, link);
        self.connections += 1;
        self.account = log_in::log_in(self.run, &self.address, &mut session).await?;
        let open = Open { name: self.address.name.clone(), read_only: self.address.read_only };
        let reply = session.one(request(&open)).await.map_err(log_in::refusal)?;
        reply.map_err(|error| match error.kind() {
            RemoteKind::NoDriver => Refusal::NotThisPlatform {
                expected: Text::from(format!("libvirt with the driver `{}`", self.address.driver)),
                found: error.message,
            },
            RemoteKind::Denied => Refusal::TooFewRights(error.message),
            RemoteKind::LogIn => Refusal::LogInUnsupported(error.message),
            RemoteKind::Busy => Refusal::Busy(error.message),
            _ => Refusal::Answer(Text::from(error.to_string())),
        })?;
        Ok(session)
    }

    /// Asks the first things, without which nothing else makes sense.
    async fn introduce(&mut self) -> Result<(), Refusal> {
        self.library_version = self.call(LibraryVersion {}).await.map_err(first_refusal)?;
        if self.library_version < OLDEST {
            return Err(Refusal::VersionTooOld {
                found: version(self.library_version),
                oldest: version(OLDEST),
            });
        }
        self.driver = self.call(DriverName {}).await.map_err(first_refusal)?;
        Ok(())
    }

    /// The run.
    pub fn run(&self) -> Run<'a> {
        self.run
    }

    /// Who is logged in, as far as the connection tells.
    pub fn account(&self) -> &Text {
        &self.account
    }

    /// Name of the driver.
    pub fn driver(&self) -> &str {
        &self.driver
    }

    /// Version of libvirt.
    pub fn library_version(&self) -> u64 {
        self.library_version
    }

    /// The connection may change nothing.
    pub fn is_read_only(&self) -> bool {
        self.address.read_only
    }

    /// How the host is reached.
    pub fn way(&self) -> &Way {
        &self.address.way
    }

    /// How many connections there were so far: what was asked for on an earlier one does not come on a
    /// later one.
    pub fn connections(&self) -> u64 {
        self.connections
    }

    /// The open connection, for what comes by itself.
    pub async fn session(&mut self) -> Result<&mut Session<'a>, Failure> {
        if let Some(failure) = &self.ended {
            return Err(failure.clone());
        }
        let session = match self.session.take() {
            Some(session) => session,
            None => self.reopen().await?,
        };
        Ok(self.session.insert(session))
    }

    async fn reopen(&mut self) -> Result<Session<'a>, Failure> {
        let Some(left) = self.connections_left.checked_sub(1) else {
            let lost = Refusal::Unreachable("the connection was lost too often".into());
            return Err(self.end(CallError::from(lost).into()));
        };
        self.connections_left = left;
        self.run.traffic.retry();
        match self.open().await {
            Ok(session) => Ok(session),
            Err(refusal) => Err(self.end(CallError::from(refusal).into())),
        }
    }

    fn end(&mut self, failure: Failure) -> Failure {
        self.ended = Some(failure.clone());
        failure
    }

    /// Calls one procedure.
    pub async fn call<P: Procedure>(&mut self, procedure: P) -> Read<P::Reply> {
        let mut replies = self.calls(&[procedure]).await;
        replies.pop().unwrap_or_else(|| Err(Failure::NotAsked("nothing was to be asked".into())))
    }

    /// Calls one procedure many times; answers come in the order of the calls.
    pub async fn calls<P: Procedure>(&mut self, procedures: &[P]) -> Vec<Read<P::Reply>> {
        let requests: Vec<_> = procedures.iter().map(request).collect();
        let replies = self.ask(&requests).await;
        let decoded = replies.into_iter().map(|reply| {
            let bytes = reply?;
            Ok(P::decode(&mut Decoder::new(&bytes))?)
        });
        decoded.collect()
    }

    async fn ask(&mut self, requests: &[Request]) -> Vec<Read<Vec<u8>>> {
        let mut progress = Progress::of(requests.len());
        let mut attempt = 0;
        loop {
            if let Err(failure) = self.round(requests, &mut progress).await {
                progress.give_up(&failure);
                break;
            }
            if progress.busy.is_empty() {
                self.stays_busy = false;
                break;
            }
            // One that answers some is not worn out by the others.
            let answered = progress.busy.len() < requests.len();
            self.stays_busy = !answered && (self.stays_busy || attempt >= self.retries_max());
            if self.stays_busy || attempt >= self.retries_max() {
                break;
            }
            attempt += 1;
            if let Err(failure) = self.wait(attempt).await {
                progress.give_up(&failure);
                break;
            }
            progress.pending.extend(std::mem::take(&mut progress.busy));
        }
        progress.replies()
    }

    /// Sends what is pending, over as many connections as it takes.
    async fn round(
        &mut self,
        requests: &[Request],
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        while !progress.pending.is_empty() {
            let session = self.session().await?;
            let Progress { replies, pending, busy, suspects, .. } = progress;
            let window = if *suspects > 0 { 1 } else { WINDOW };
            let broken = session
                .exchange(requests, pending, window, &mut |place, reply: Reply| {
                    *suspects = suspects.saturating_sub(1);
                    match reply {
                        Err(error) if error.kind() == RemoteKind::Busy => {
                            busy.push(place);
                            store(replies, place, Err(error.into()));
                        }
                        reply => store(replies, place, reply.map_err(Failure::from)),
                    }
                })
                .await;
            if let Err(broken) = broken {
                self.session = None;
                // Whoever stopped the run wants no other connection.
                if broken.failure.is_cancelled() {
                    return Err(self.end(broken.failure));
                }
                progress.lost(broken.unanswered, &broken.failure);
            }
        }
        Ok(())
    }

    fn retries_max(&self) -> u32 {
        self.run.target.limits.retries_max
    }

    async fn wait(&mut self, attempt: u32) -> Result<(), Failure> {
        self.run.traffic.retry();
        let most = Duration::from_secs(self.run.target.limits.retry_wait_seconds_max);
        let wait = RETRY_WAIT * 2_u32.saturating_pow(attempt.saturating_sub(1));
        tokio::select! {
            () = self.run.cancel.cancelled() => {
                Err(self.end(CallError::from(Refusal::Cancelled).into()))
            }
            () = tokio::time::sleep(wait.min(most)) => Ok(()),
        }
    }

    /// Says good-bye.
    pub async fn close(mut self) {
        if let Some(mut session) = self.session.take() {
            // The other side forgets the connection anyway when it ends.
            let _ = session.one(request(&Close {})).await;
        }
    }
}

impl Progress {
    fn of(requests: usize) -> Self {
        Self {
            replies: (0..requests).map(|_| None).collect(),
            pending: (0..requests).collect(),
            sent: vec![0; requests],
            busy: Vec::new(),
            suspects: 0,
        }
    }

    /// A connection was lost while these had no answer: they are asked once more, one by one, so
    /// that the one over which it is lost takes no other with it.
    fn lost(&mut self, unanswered: Vec<usize>, failure: &Failure) {
        let idle = matches!(failure, Failure::Call(CallError::Idle { .. }));
        for place in unanswered.into_iter().rev() {
            let Some(sent) = self.sent.get_mut(place) else { continue };
            *sent += 1;
            if *sent >= SENT_MAX || (idle && self.suspects > 0) {
                store(&mut self.replies, place, Err(failure.clone()));
            } else {
                self.pending.push_front(place);
                self.suspects += 1;
            }
        }
    }

    fn give_up(&mut self, failure: &Failure) {
        self.pending.clear();
        self.busy.clear();
        for reply in self.replies.iter_mut().filter(|it| it.is_none()) {
            *reply = Some(Err(failure.clone()));
        }
    }

    fn replies(self) -> Vec<Read<Vec<u8>>> {
        let missing = || Err(Failure::NotAsked("it had no answer".into()));
        self.replies.into_iter().map(|it| it.unwrap_or_else(missing)).collect()
    }
}

fn store(replies: &mut [Option<Read<Vec<u8>>>], place: usize, reply: Read<Vec<u8>>) {
    if let Some(slot) = replies.get_mut(place) {
        *slot = Some(reply);
    }
}

/// A procedure as it is sent.
pub fn request<P: Procedure>(procedure: &P) -> Request {
    let mut encoder = Encoder::default();
    procedure.encode(&mut encoder);
    Request { procedure: P::NUMBER, body: encoder.into_bytes() }
}

fn first_refusal(failure: Failure) -> Refusal {
    match failure {
        Failure::Remote(error) if error.kind() == RemoteKind::Denied => {
            Refusal::TooFewRights(error.message)
        }
        Failure::Remote(error) if error.kind() == RemoteKind::Busy => Refusal::Busy(error.message),
        other => log_in::refusal(other),
    }
}
