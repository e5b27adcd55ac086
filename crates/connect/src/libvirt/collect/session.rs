//! One open connection: requests out, several at once; answers in, in any order; signs of life
//! answered, events kept.

use std::collections::{BTreeMap, VecDeque};

use bytes::BytesMut;
use entente_model::{Text, Uuid};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::transport::{self, Link};
use crate::libvirt::wire::failure::{Failure, Remote};
use crate::libvirt::wire::message::{KEEP_ALIVE, Kind, Message, REMOTE, Status};
use crate::libvirt::wire::procedures::{DOMAIN_EVENTS, Domain, event_of};
use crate::libvirt::wire::xdr::XdrError;
use crate::live::{CallError, Refusal, Run};

/// Requests at once: as many as libvirtd serves one client by default.
pub const WINDOW: usize = 5;
/// Domains to which something happened that wait to be looked at; with more, all are.
const TOUCHED_MAX: usize = 10_000;
/// Procedures of the program that asks for signs of life.
const PING: u32 = 1;
const PONG: u32 = 2;
/// First size of the buffer for what comes in.
const BUFFER_BYTES: usize = 64 << 10;

/// A request ready to be sent.
#[derive(Clone)]
pub struct Request {
    /// Number of the procedure.
    pub procedure: u32,
    /// Its arguments.
    pub body: Vec<u8>,
}

/// The answer to one: a body, or what libvirt said against it.
pub type Reply = Result<Vec<u8>, Remote>;

/// Why a connection is of no use any more, and which requests had no answer.
#[derive(Debug)]
pub struct Broken {
    /// Why.
    pub failure: Failure,
    /// Requests that were sent.
    pub unanswered: Vec<usize>,
}

/// What happened since the last look.
#[derive(Debug, Default)]
pub struct Events {
    /// To these domains.
    pub touched: BTreeMap<Uuid, Domain>,
    /// And to others, nobody knows which.
    pub missed: bool,
}

/// One open connection.
pub struct Session<'a> {
    run: Run<'a>,
    link: Link,
    buffer: BytesMut,
    serial: u32,
    events: Events,
}

impl<'a> Session<'a> {
    /// Over this link.
    pub fn new(run: Run<'a>, link: Link) -> Self {
        let buffer = BytesMut::with_capacity(BUFFER_BYTES);
        Self { run, link, buffer, serial: 0, events: Events::default() }
    }

    /// Sends one request and waits for its answer.
    pub async fn one(&mut self, request: Request) -> Result<Reply, Failure> {
        let mut pending = VecDeque::from([0]);
        let mut answer = None;
        self.exchange(&[request], &mut pending, 1, &mut |_, reply| answer = Some(reply))
            .await
            .map_err(|broken| broken.failure)?;
        answer.ok_or(Failure::Answer(XdrError::Short))
    }

    /// Sends the requests whose places are pending, at most `window` at once, and hands over each
    /// answer as it comes.
    pub async fn exchange(
        &mut self,
        requests: &[Request],
        pending: &mut VecDeque<usize>,
        window: usize,
        answered: &mut (dyn FnMut(usize, Reply) + Send),
    ) -> Result<(), Broken> {
        let mut sent = BTreeMap::new();
        loop {
            let outcome = self.fill(requests, pending, window, &mut sent).await;
            let outcome = match outcome {
                Ok(()) if sent.is_empty() => return Ok(()),
                Ok(()) => self.next_reply(&mut sent).await,
                Err(failure) => Err(failure),
            };
            match outcome {
                Ok((place, reply)) => answered(place, reply),
                Err(failure) => {
                    let unanswered = sent.into_values().map(|it: (usize, u32)| it.0).collect();
                    return Err(Broken { failure, unanswered });
                }
            }
        }
    }

    async fn fill(
        &mut self,
        requests: &[Request],
        pending: &mut VecDeque<usize>,
        window: usize,
        sent: &mut BTreeMap<u32, (usize, u32)>,
    ) -> Result<(), Failure> {
        while sent.len() < window {
            let Some(place) = pending.pop_front() else { break };
            let Some(request) = requests.get(place) else { continue };
            self.serial = self.serial.wrapping_add(1);
            sent.insert(self.serial, (place, request.procedure));
            let Request { procedure, body } = request;
            let bytes = Message::encode(REMOTE, *procedure, Kind::Call, self.serial, body);
            self.run.traffic.call();
            self.send(&bytes).await?;
        }
        Ok(())
    }

    async fn next_reply(
        &mut self,
        sent: &mut BTreeMap<u32, (usize, u32)>,
    ) -> Result<(usize, Reply), Failure> {
        loop {
            let message = self.next_message().await?;
            let header = message.header;
            if header.program != REMOTE || header.kind != Kind::Reply {
                continue;
            }
            // An answer that nobody waits for belongs to a request that was given up.
            let Some((place, procedure)) = sent.remove(&header.serial) else { continue };
            if header.procedure != procedure {
                sent.insert(header.serial, (place, procedure));
                let value = header.procedure;
                return Err(XdrError::Value { what: "the procedure of an answer", value }.into());
            }
            let reply = match header.status {
                Status::Fine => Ok(message.body),
                Status::Error | Status::Other => Err(Remote::decode(&message.body)?),
            };
            return Ok((place, reply));
        }
    }

    /// Waits for an event, not longer than between two bytes of an answer; false if none came.
    pub async fn wait(&mut self) -> Result<bool, Failure> {
        let over = Instant::now() + self.run.target.limits.idle();
        loop {
            if self.events.missed || !self.events.touched.is_empty() {
                return Ok(true);
            }
            // Signs of life are no events: a connection that has only those is asked now and then.
            if Instant::now() >= over {
                return Ok(false);
            }
            match self.next_message().await {
                Ok(_) => {}
                Err(Failure::Call(CallError::Idle { .. })) => return Ok(false),
                Err(failure) => return Err(failure),
            }
        }
    }

    /// What happened since the last look.
    pub fn take_events(&mut self) -> Events {
        std::mem::take(&mut self.events)
    }

    /// The next message; events are kept, signs of life answered on the way.
    async fn next_message(&mut self) -> Result<Message, Failure> {
        let limits = &self.run.target.limits;
        let bytes_max = usize::try_from(limits.answer_bytes_max).unwrap_or(usize::MAX);
        let until = Instant::now() + limits.answer();
        loop {
            if let Some(message) = Message::take(&mut self.buffer, bytes_max)? {
                self.look_at(&message).await?;
                return Ok(message);
            }
            self.receive(until).await?;
        }
    }

    async fn look_at(&mut self, message: &Message) -> Result<(), Failure> {
        let header = message.header;
        match (header.program, header.kind, header.procedure) {
            (KEEP_ALIVE, Kind::Message, PING) => {
                let pong = Message::encode(KEEP_ALIVE, PONG, Kind::Message, 0, &[]);
                self.send(&pong).await
            }
            (REMOTE, Kind::Message, event) if DOMAIN_EVENTS.iter().any(|it| it.1 == event) => {
                self.keep(event_of(&message.body));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn keep(&mut self, event: Result<Domain, XdrError>) {
        let Events { touched, missed } = &mut self.events;
        match event {
            Ok(domain) if touched.len() < TOUCHED_MAX || touched.contains_key(&domain.uuid) => {
                touched.insert(domain.uuid, domain);
            }
            Ok(_) | Err(_) => *missed = true,
        }
    }

    async fn receive(&mut self, until: Instant) -> Result<(), Failure> {
        let idle = self.run.target.limits.idle();
        let left = until.saturating_duration_since(Instant::now());
        let reading = self.link.stream.read_buf(&mut self.buffer);
        match self.run.within(idle.min(left), reading).await {
            Ok(Ok(0)) => Err(self.ended("the connection was closed").await),
            Ok(Ok(bytes)) => {
                self.run.traffic.received(bytes as u64);
                Ok(())
            }
            Ok(Err(error)) => Err(self.ended(&error.to_string()).await),
            Err(Refusal::TimedOut { seconds }) if idle <= left => {
                Err(CallError::Idle { seconds }.into())
            }
            Err(refusal) => Err(CallError::from(refusal).into()),
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let idle = self.run.target.limits.idle();
        let stream = &mut self.link.stream;
        let writing = async {
            stream.write_all(bytes).await?;
            stream.flush().await
        };
        match self.run.within(idle, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.ended(&error.to_string()).await),
            Err(Refusal::TimedOut { seconds }) => Err(CallError::Idle { seconds }.into()),
            Err(refusal) => Err(CallError::from(refusal).into()),
        }
    }

    /// Why the stream ended; `ssh` may know better.
    async fn ended(&mut self, why: &str) -> Failure {
        let Some(ssh) = self.link.ssh.take() else {
            return CallError::Truncated(Text::from(why)).into();
        };
        let limit = self.run.target.limits.connect();
        match self.run.within(limit, transport::complaint(ssh)).await {
            Ok(refusal) | Err(refusal) => CallError::Refused(refusal).into(),
        }
    }
}
