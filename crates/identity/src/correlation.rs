//! What comes out: links with evidence, identities, conflicts, limits; and why two belong together.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use entente_model::Text;
use serde::Serialize;

use crate::sighting::Decision;

/// How firm a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// A proposal: it joins nothing until somebody decides.
    Weak,
    /// Facts or a recorded move suffice.
    Strong,
    /// A person decided.
    Decided,
}

/// What a piece of evidence is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// The platform's own id.
    NativeId,
    /// The instance UUID.
    InstanceUuid,
    /// An instance UUID that several machines hold.
    SharedInstanceUuid,
    /// The BIOS UUID, in either byte order.
    BiosUuid,
    /// A BIOS UUID that several machines hold, or that a template or linked clone carries.
    SharedBiosUuid,
    /// Hardware addresses.
    Mac,
    /// The guest's host name.
    HostName,
    /// The disks' sizes.
    Disks,
    /// The name on the platform.
    Name,
    /// Two sources of one platform, whose ids do not tell them apart.
    Platform,
    /// The one ended shortly after the other began.
    Handover,
    /// The older one is kept, switched off, while the newer one runs.
    SourceKept,
    /// Both show it on one host: the log-in of the host, and that of what manages it.
    Host,
    /// Both are there at the same time.
    AtTheSameTime,
    /// A recorded move.
    Move,
    /// A person's decision.
    Decision,
    /// It would join what cannot be one machine, namely these two; or, without values, the component is
    /// too large to be looked through.
    Impossible,
}

/// Which way a piece of evidence speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The same machine.
    For,
    /// Not the same.
    Against,
}

/// One reason for or against a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// What it is about.
    pub kind: EvidenceKind,
    /// Which way it speaks.
    pub side: Side,
    /// How much, compared with other evidence.
    pub weight: u32,
    /// The common value; or what the one and the other side show.
    pub values: Vec<Text>,
}

/// Two sightings that are, or may be, the same machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Key of the one; it sorts first.
    pub a: Text,
    /// Key of the other.
    pub b: Text,
    /// How firm.
    pub strength: Strength,
    /// Why, strongest first.
    pub evidence: Vec<Evidence>,
}

impl Link {
    /// True if it makes an identity.
    pub fn joins(&self) -> bool {
        self.strength != Strength::Weak
    }
}

/// One machine, as far as is known: the sightings joined by strong and decided links.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Key of its earliest sighting: later collections do not change it.
    pub id: Text,
    /// Keys of its sightings, by the time they were first seen.
    pub sightings: Vec<Text>,
}

/// What kind of contradiction people should look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictKind {
    /// Both are there at the same time on different platforms, and claim to be the same machine.
    AliveTwice,
    /// Two platforms show the same ids and UUIDs at the same time: one platform under two names, or a
    /// copy of a whole platform. Sightings: up to three pairs.
    PlatformTwice,
    /// A UUID held by several machines of one platform appears on another, too.
    SharedUuid,
    /// A link gave way, since with it two that cannot be one would be: link first, then those two.
    Impossible,
    /// A link gave way to a decision to part: link first, then the parted pair.
    DecisionsDisagree,
    /// People linked what facts say are two machines. The link stands.
    DecisionAgainstFacts,
    /// A recorded move that facts contradict.
    MoveContradicted,
    /// Two different sightings were given with one key; the one that sorts last was used.
    KeyTwice,
}

/// A contradiction, explained.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Conflict {
    /// What kind.
    pub kind: ConflictKind,
    /// Keys of the sightings concerned.
    pub sightings: Vec<Text>,
    /// The values concerned, where there are any.
    pub values: Vec<Text>,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted =
            |keys: &[Text]| keys.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
        let keys = quoted(&self.sightings);
        let values = quoted(&self.values);
        match self.kind {
            ConflictKind::AliveTwice => write!(
                f,
                "{keys} claim to be the same machine and are there at the same time on different \
                 platforms: a copy, or a move that is not finished"
            ),
            ConflictKind::PlatformTwice => write!(
                f,
                "platforms {values} show the same ids and UUIDs at the same time, {keys} among them: \
                 one platform under two names, or a copy of it"
            ),
            ConflictKind::SharedUuid => {
                write!(f, "{values} is held by several machines, on several platforms: {keys}")
            }
            ConflictKind::Impossible => {
                write!(f, "a link gave way, for it would make one of two that cannot be: {keys}")
            }
            ConflictKind::DecisionsDisagree => {
                write!(f, "a link gave way to a decision to keep two apart: {keys}")
            }
            ConflictKind::DecisionAgainstFacts => {
                write!(f, "{keys} were linked by decision, but facts show two machines at one time")
            }
            ConflictKind::MoveContradicted => {
                write!(
                    f,
                    "a move from one to the other of {keys} is recorded, but facts contradict it"
                )
            }
            ConflictKind::KeyTwice => write!(f, "{keys} stands for several different sightings"),
        }
    }
}

/// What was too common or too large to be looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitKind {
    /// A native id.
    NativeId,
    /// An instance UUID.
    InstanceUuid,
    /// A BIOS UUID.
    BiosUuid,
    /// A hardware address.
    Mac,
    /// A host name.
    HostName,
    /// A name.
    Name,
    /// A component of links.
    Component,
}

/// A limit that was reached: what lies behind it was not concluded from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Limit {
    /// Of what.
    pub kind: LimitKind,
    /// The value, or the key of a member.
    pub value: Text,
    /// How many sightings it concerns.
    pub sightings: usize,
}

/// A decision, and whether it holds or a later one took its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ruling {
    /// What was decided.
    pub decision: Decision,
    /// True for the last decision about its pair.
    pub in_force: bool,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Correlation {
    /// Links, sorted by their keys, each pair once.
    pub links: Vec<Link>,
    /// Every sighting is in exactly one; sorted by id.
    pub identities: Vec<Identity>,
    /// What people should look at, sorted.
    pub conflicts: Vec<Conflict>,
    /// Every decision given, by pair and time.
    pub rulings: Vec<Ruling>,
    /// Keys that moves or decisions name and no sighting has, sorted.
    pub unknown_keys: Vec<Text>,
    /// What was too common or too large to be looked through, sorted.
    pub limits: Vec<Limit>,
    /// Where each key is in `identities`, sorted by key.
    #[serde(skip)]
    pub(crate) places: Vec<(Text, usize)>,
}

/// Why two sightings are, or are not, the same machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation<'c> {
    /// They are in one identity.
    pub is_same: bool,
    /// The link between them, if there is one.
    pub link: Option<&'c Link>,
    /// The shortest chain of links that joins them, where they are the same.
    pub chain: Vec<&'c Link>,
    /// Decisions about them, earliest first.
    pub rulings: Vec<&'c Ruling>,
    /// Conflicts that name both.
    pub conflicts: Vec<&'c Conflict>,
}

impl Correlation {
    /// The identity of a sighting.
    pub fn identity(&self, key: &str) -> Option<&Identity> {
        let at = self.places.binary_search_by(|(it, _)| it.as_str().cmp(key)).ok()?;
        self.identities.get(self.places.get(at)?.1)
    }

    /// Why these two are, or are not, the same machine; none where a key is not known.
    pub fn explain(&self, a: &str, b: &str) -> Option<Explanation<'_>> {
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        let (one, other) = (self.identity(a)?, self.identity(b)?);
        let is_same = one.id == other.id;
        let concerns = |it: &&Ruling| {
            let (x, y) = (it.decision.a.as_str(), it.decision.b.as_str());
            (x, y) == (a, b) || (y, x) == (a, b)
        };
        let names_both =
            |it: &&Conflict| [a, b].iter().all(|key| it.sightings.iter().any(|s| s == key));
        Some(Explanation {
            is_same,
            link: self.links_of(a).iter().find(|it| it.b == b),
            chain: if is_same { self.chain(one, a, b) } else { Vec::new() },
            rulings: self.rulings.iter().filter(concerns).collect(),
            conflicts: self.conflicts.iter().filter(names_both).collect(),
        })
    }

    /// Links whose first key is this.
    fn links_of(&self, a: &str) -> &[Link] {
        let from = self.links.partition_point(|it| it.a.as_str() < a);
        let to = self.links.partition_point(|it| it.a.as_str() <= a);
        self.links.get(from..to).unwrap_or_default()
    }

    /// Breadth first, neighbours in the order of their keys.
    fn chain(&self, identity: &Identity, from: &str, to: &str) -> Vec<&Link> {
        let mut links: BTreeMap<&str, Vec<&Link>> = BTreeMap::new();
        for link in
            identity.sightings.iter().flat_map(|it| self.links_of(it)).filter(|it| it.joins())
        {
            links.entry(&link.a).or_default().push(link);
            links.entry(&link.b).or_default().push(link);
        }
        let mut reached: BTreeMap<&str, Option<&Link>> = BTreeMap::from([(from, None)]);
        let mut waiting = VecDeque::from([from]);
        while let Some(at) = waiting.pop_front() {
            for link in links.get(at).into_iter().flatten() {
                let next = if link.a == at { link.b.as_str() } else { link.a.as_str() };
                if !reached.contains_key(next) {
                    reached.insert(next, Some(link));
                    waiting.push_back(next);
                }
            }
        }
        let mut chain = Vec::new();
        let mut at = to;
        while let Some(Some(link)) = reached.get(at) {
            chain.push(*link);
            at = if link.a == at { &link.b } else { &link.a };
        }
        chain.reverse();
        chain
    }
}
