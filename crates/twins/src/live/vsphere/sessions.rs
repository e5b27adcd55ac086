//! Who is logged in, and what each session has open: views, collectors, pages still to be given.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use entente_model::AttachmentKind;

use super::collector::Answering;
use super::facts::{Facts, time};
use super::updates::Filter;
use super::xml::Writer;

/// Pages of one session that may be open at once; the oldest are dropped.
const CURSORS_MAX: usize = 64;

/// A list of things that somebody looks through page by page.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    pub answering: Arc<Answering>,
    pub position: usize,
    pub page: usize,
    /// Each page says that there is another, and repeats the first.
    pub endless: bool,
}

/// A view of a session.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub kind: &'static str,
    pub members: Arc<[u32]>,
    /// Properties besides its members, as XML.
    pub properties: String,
}

/// A property collector of a session.
#[derive(Clone, Debug, Default)]
pub(super) struct Collector {
    pub filters: Vec<Filter>,
    pub version: u64,
    /// The last answer was not all there was.
    pub is_part: bool,
    /// Earlier versions, and what was told of each filter by then.
    pub kept: VecDeque<(u64, Vec<Filter>)>,
    /// How often waiting was cancelled.
    pub cancellations: u64,
}

/// A list of tasks that is read piece by piece.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TaskReader {
    /// Tasks before this, the oldest first, were read or passed over.
    pub position: usize,
}

/// What answers depend on: cheap to copy, so that nobody waits while another is answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Empty where nobody is logged in.
    pub key: String,
    pub user: String,
    pub agent: String,
    pub calls: u64,
    pub has_expired: bool,
    pub views: HashMap<String, View>,
    /// Counts changes of views.
    pub views_version: u64,
}

/// One session.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub seen: Seen,
    pub collectors: HashMap<String, Collector>,
    pub task_readers: HashMap<String, TaskReader>,
    pub cursors: Vec<(String, Cursor)>,
    made: u64,
}

impl Session {
    /// An id for something that lives as long as the session.
    pub(super) fn new_id(&mut self) -> String {
        self.made += 1;
        let number = crate::random::hash(&format!("{}{}", self.seen.key, self.made));
        format!("session[{}]52{:08x}-{:04x}", self.seen.key, number >> 32, self.made)
    }

    /// Keeps what is left of a list; gives the token by which to ask for it.
    pub(super) fn keep(&mut self, cursor: Cursor) -> String {
        self.made += 1;
        let kind = if cursor.answering.has_machines { "VirtualMachine" } else { "page" };
        let token = format!("{}-{kind}", self.made);
        if self.cursors.len() >= CURSORS_MAX {
            self.cursors.remove(0);
        }
        self.cursors.push((token.clone(), cursor));
        token
    }
}

impl Seen {
    /// As the API tells of it.
    pub(super) fn describe(&self, now: &str) -> String {
        let mut w = Writer::new();
        w.words(&[("key", &self.key), ("userName", &self.user), ("fullName", &self.user)]);
        w.words(&[("loginTime", now), ("lastActiveTime", now)]);
        w.words(&[("locale", "en"), ("messageLocale", "en")]);
        w.leaf("extensionSession", false);
        w.words(&[("ipAddress", "127.0.0.1"), ("userAgent", &self.agent)]);
        w.leaf("callCount", self.calls);
        w.finish()
    }
}

/// All sessions, by key.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    pub by_key: HashMap<String, Session>,
    /// Sessions of the other interface.
    pub rest: Vec<String>,
    made: u64,
    /// A session ended before its time already.
    pub has_ended_one: bool,
    /// Calls by sessions, log-in apart.
    pub calls: u64,
}

impl Sessions {
    pub(super) fn open(&mut self, user: &str, agent: &str) -> &mut Session {
        let key = self.new_key();
        let seen = Seen {
            key: key.clone(),
            user: user.to_owned(),
            agent: agent.to_owned(),
            ..Seen::default()
        };
        let session = Session { seen, ..Session::default() };
        self.by_key.entry(key).or_insert(session)
    }

    pub(super) fn new_key(&mut self) -> String {
        self.made += 1;
        let mut random = crate::random::Random::new(0x5e55 + self.made);
        random.uuid().to_string()
    }
}

/// Sessions that the collection tells of, as the API tells of them.
pub(super) fn others(facts: &Facts<'_>) -> Vec<String> {
    let attachments = facts.collection.control.attachments.iter();
    let sessions = attachments.filter(|it| it.kind == AttachmentKind::Session);
    sessions
        .enumerate()
        .flat_map(|(at, it)| {
            // As many sessions of one tool as it was counted.
            (0..it.count.copied().unwrap_or(1)).map(move |number| (at, number, it))
        })
        .map(|(at, number, it)| {
            let mut random = crate::random::Random::new((at as u64) << 20 | number);
            let seen = it.last_seen.copied().map(time);
            let seen = seen.as_deref().unwrap_or(&facts.now);
            let user = it.principal.value().map_or("", |it| it.as_str());
            let mut w = Writer::new();
            w.leaf("key", random.uuid());
            w.words(&[("userName", user), ("fullName", "")]);
            w.words(&[("loginTime", seen), ("lastActiveTime", seen)]);
            w.words(&[("locale", "en"), ("messageLocale", "en")]);
            w.leaf("extensionSession", user.contains("vpxd-extension"));
            w.text_if("ipAddress", it.address.value());
            w.text("userAgent", &it.name);
            w.leaf("callCount", 17 + number);
            w.finish()
        })
        .collect()
}
