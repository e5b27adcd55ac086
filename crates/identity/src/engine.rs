//! From sightings to identities: join, judge, decide, settle.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::Text;

use crate::correlation::{
    Conflict, ConflictKind, Correlation, Evidence, EvidenceKind, Identity, Limit, LimitKind, Link,
    Ruling, Side, Strength,
};
use crate::joins::{Joined, join};
use crate::prepared::{Prepared, prepare};
use crate::rules::{Comparison, Verdict};
use crate::settle::{Facts, Joint, Rank, Reason, Settled, settle};
use crate::sighting::{Choice, Decision, Move, Sighting};
use crate::together::excludes;

/// Weight of a recorded move, above all facts together.
const MOVE: u32 = 400;
/// Weight of a decision, above all else.
const DECISION: u32 = 1_000;
/// Weight of what cannot be.
const IMPOSSIBLE: u32 = 500;
/// Pairs of sightings that agree in native id and instance UUID on two platforms at the same time, before
/// this is said once of the platforms rather than of each pair. Fewer may be a storage copy.
const PLATFORM_PAIRS_MIN: usize = 3;

type Pair = (u32, u32);

/// Says which sightings are the same machine. Near linear in the number of sightings.
pub fn correlate(sightings: &[Sighting], moves: &[Move], decisions: &[Decision]) -> Correlation {
    let (mut prepared, repeated) = prepare(sightings);
    let Joined { candidates, conflicts, limits } = join(&mut prepared);
    let mut engine = Engine {
        sightings: prepared,
        drafts: BTreeMap::new(),
        unlinked: BTreeSet::new(),
        twice: BTreeSet::new(),
        answer: Correlation { conflicts, limits, ..Correlation::default() },
    };
    for key in repeated {
        engine.conflict(ConflictKind::KeyTwice, vec![key]);
    }
    engine.judge(&candidates);
    engine.apply_moves(moves);
    engine.apply_decisions(decisions);
    let settled = settle(engine.joints(), &engine);
    engine.finish(settled)
}

/// A link in the making.
struct Draft {
    strength: Strength,
    evidence: Vec<Evidence>,
    rank: Rank,
}

struct Engine<'a> {
    /// In the order of their keys: a position stands for a key.
    sightings: Vec<Prepared<'a>>,
    drafts: BTreeMap<Pair, Draft>,
    unlinked: BTreeSet<Pair>,
    /// Pairs that are there at the same time on different platforms.
    twice: BTreeSet<Pair>,
    answer: Correlation,
}

impl Facts for Engine<'_> {
    fn excludes(&self, a: u32, b: u32) -> bool {
        self.both((a, b)).is_some_and(|(a, b)| excludes(a, b))
    }

    fn parted(&self, members: &[u32]) -> Option<Pair> {
        members.iter().find_map(|a| {
            let mut others = self.unlinked.range((*a, 0)..=(*a, u32::MAX));
            others.find(|(_, b)| members.binary_search(b).is_ok()).copied()
        })
    }
}

impl<'a> Engine<'a> {
    fn at(&self, position: u32) -> Option<&Prepared<'a>> {
        self.sightings.get(position as usize)
    }

    fn both(&self, (a, b): Pair) -> Option<(&Prepared<'a>, &Prepared<'a>)> {
        Some((self.at(a)?, self.at(b)?))
    }

    fn keys(&self, positions: impl IntoIterator<Item = u32>) -> Vec<Text> {
        positions.into_iter().filter_map(|it| Some(self.at(it)?.sighting.key.clone())).collect()
    }

    fn conflict(&mut self, kind: ConflictKind, sightings: Vec<Text>) {
        self.answer.conflicts.push(Conflict { kind, sightings, values: Vec::new() });
    }

    fn judge(&mut self, candidates: &[Pair]) {
        for pair in candidates {
            let Some((a, b)) = self.both(*pair) else { continue };
            let comparison = Comparison::of(a, b);
            let verdict = comparison.verdict();
            if verdict == Verdict::None {
                continue;
            }
            let evidence = comparison.evidence();
            if verdict == Verdict::AliveTwice {
                self.twice.insert(*pair);
            }
            let is_strong = verdict == Verdict::Strong;
            let strength = if is_strong { Strength::Strong } else { Strength::Weak };
            self.draft(*pair, strength, evidence);
        }
    }

    fn draft(&mut self, pair: Pair, strength: Strength, evidence: Vec<Evidence>) {
        let rank = Rank::Facts(evidence.iter().map(signed).sum());
        self.drafts.insert(pair, Draft { strength, evidence, rank });
    }

    /// The draft of a pair, made from its facts where no join proposed it.
    fn draft_of(&mut self, pair: Pair) -> Option<&mut Draft> {
        if !self.drafts.contains_key(&pair) {
            let (a, b) = self.both(pair)?;
            let evidence = Comparison::of(a, b).evidence();
            self.draft(pair, Strength::Weak, evidence);
        }
        self.drafts.get_mut(&pair)
    }

    fn apply_moves(&mut self, moves: &[Move]) {
        let mut moves: Vec<&Move> = moves.iter().collect();
        moves.sort_unstable();
        moves.dedup();
        for told in moves {
            let Some(pair) = self.pair(&told.from, &told.to) else { continue };
            let Some((a, b)) = self.both(pair) else { continue };
            let is_contradicted = Comparison::of(a, b).contradicts_a_move();
            let values = vec![told.told_by.clone(), told.at.to_string().into()];
            let evidence =
                Evidence { kind: EvidenceKind::Move, side: Side::For, weight: MOVE, values };
            let Some(draft) = self.draft_of(pair) else { continue };
            let is_first = !draft.evidence.iter().any(|it| it.kind == EvidenceKind::Move);
            draft.evidence.insert(0, evidence);
            match (&mut draft.rank, is_contradicted) {
                (_, true) => {
                    draft.strength = Strength::Weak;
                    let keys = self.keys([pair.0, pair.1]);
                    self.conflict(ConflictKind::MoveContradicted, keys);
                }
                (Rank::Facts(weight), false) if is_first => {
                    *weight += i64::from(MOVE);
                    draft.strength = Strength::Strong;
                }
                _ => {}
            }
        }
    }

    fn apply_decisions(&mut self, decisions: &[Decision]) {
        let mut by_pair: BTreeMap<(&Text, &Text), Vec<&Decision>> = BTreeMap::new();
        for it in decisions {
            by_pair.entry(((&it.a).min(&it.b), (&it.a).max(&it.b))).or_default().push(it);
        }
        for ((a, b), mut decisions) in by_pair {
            // At one time, to unlink sorts after to link, and holds.
            decisions.sort_unstable_by_key(|it| (it.at, it.choice, &it.by, &it.reason, &it.a));
            decisions.dedup();
            let Some(last) = decisions.last().copied() else { continue };
            let rulings = decisions
                .iter()
                .map(|it| Ruling { decision: (*it).clone(), in_force: std::ptr::eq(*it, last) });
            self.answer.rulings.extend(rulings);
            let Some(pair) = self.pair(a, b) else { continue };
            match last.choice {
                Choice::Unlink => {
                    self.drafts.remove(&pair);
                    self.unlinked.insert(pair);
                    self.twice.remove(&pair);
                }
                Choice::Link => self.link(pair, last),
            }
        }
    }

    fn link(&mut self, pair: Pair, decision: &Decision) {
        let is_against_facts = self.excludes(pair.0, pair.1);
        let values = vec![decision.by.clone(), decision.reason.clone()];
        let evidence =
            Evidence { kind: EvidenceKind::Decision, side: Side::For, weight: DECISION, values };
        if let Some(draft) = self.draft_of(pair) {
            draft.evidence.insert(0, evidence);
            draft.strength = Strength::Decided;
            draft.rank = Rank::Decided(decision.at.unix_timestamp());
        }
        self.twice.remove(&pair);
        if is_against_facts {
            let keys = self.keys([pair.0, pair.1]);
            self.conflict(ConflictKind::DecisionAgainstFacts, keys);
        }
    }

    /// The positions of two keys; keys that no sighting has are remembered.
    fn pair(&mut self, a: &Text, b: &Text) -> Option<Pair> {
        let found = [a, b].map(|key| {
            let at = self.sightings.binary_search_by(|it| it.sighting.key.cmp(key)).ok();
            if at.is_none() {
                self.answer.unknown_keys.push(key.clone());
            }
            at.and_then(|at| u32::try_from(at).ok())
        });
        let [Some(a), Some(b)] = found else { return None };
        (a != b).then_some((a.min(b), a.max(b)))
    }

    fn joints(&self) -> Vec<Joint> {
        let joins = self.drafts.iter().filter(|(_, draft)| draft.strength != Strength::Weak);
        joins.map(|((a, b), draft)| Joint { a: *a, b: *b, rank: draft.rank }).collect()
    }

    fn finish(mut self, settled: Settled) -> Correlation {
        for (joint, reason) in settled.dropped {
            self.give_way(joint, reason);
        }
        self.tell_alive_twice();
        self.answer.identities = self.identities(settled.components);
        let drafts = std::mem::take(&mut self.drafts);
        let links = drafts.into_iter().filter_map(|((a, b), draft)| {
            let (a, b) = self.both((a, b))?;
            let (a, b) = (a.sighting.key.clone(), b.sighting.key.clone());
            Some(Link { a, b, strength: draft.strength, evidence: draft.evidence })
        });
        self.answer.links = links.collect();
        let mut answer = self.answer;
        let places = (0..).zip(&answer.identities);
        answer.places = places
            .flat_map(|(at, it)| it.sightings.iter().map(move |key| (key.clone(), at)))
            .collect();
        answer.places.sort_unstable();
        answer.conflicts.sort_unstable();
        answer.conflicts.dedup();
        answer.unknown_keys.sort_unstable();
        answer.unknown_keys.dedup();
        answer.limits.sort_unstable();
        answer.limits.dedup();
        answer
    }

    fn give_way(&mut self, joint: Joint, reason: Reason) {
        let (kind, pair) = match reason {
            Reason::Excluded(a, b) => (Some(ConflictKind::Impossible), vec![a, b]),
            Reason::Unlinked(a, b) => (Some(ConflictKind::DecisionsDisagree), vec![a, b]),
            Reason::TooLarge { first, sightings } => {
                let value = self.keys([first]).pop().unwrap_or_default();
                self.answer.limits.push(Limit { kind: LimitKind::Component, value, sightings });
                (None, Vec::new())
            }
        };
        let others = pair.iter().filter(|it| **it != joint.a && **it != joint.b);
        let keys = self.keys([joint.a, joint.b].iter().chain(others).copied());
        let (side, weight) = (Side::Against, IMPOSSIBLE);
        let values = self.keys(pair);
        let evidence = Evidence { kind: EvidenceKind::Impossible, side, weight, values };
        if let Some(draft) = self.drafts.get_mut(&(joint.a, joint.b)) {
            draft.strength = Strength::Weak;
            draft.evidence.insert(0, evidence);
        }
        if let Some(kind) = kind {
            self.conflict(kind, keys);
        }
    }

    /// One conflict for each pair that is there twice; for platforms that look like one, one for all.
    fn tell_alive_twice(&mut self) {
        let mut by_platforms: BTreeMap<Pair, Vec<Pair>> = BTreeMap::new();
        let mut single = Vec::new();
        for pair in std::mem::take(&mut self.twice) {
            let Some((a, b)) = self.both(pair) else { continue };
            let ids_agree = a.native().is_some() && a.native() == b.native();
            let is_whole = ids_agree && a.instance.is_some() && a.instance == b.instance;
            let platforms = (a.platform.min(b.platform), a.platform.max(b.platform));
            if is_whole {
                by_platforms.entry(platforms).or_default().push(pair);
            } else {
                single.push(pair);
            }
        }
        for pairs in by_platforms.into_values() {
            let Some(first) = pairs.first().filter(|_| pairs.len() >= PLATFORM_PAIRS_MIN) else {
                single.extend(pairs);
                continue;
            };
            let shown = pairs.iter().take(PLATFORM_PAIRS_MIN).flat_map(|(a, b)| [*a, *b]);
            let name = |at: u32| Some(Text::new(self.at(at)?.sighting.platform.as_str()));
            let mut values: Vec<Text> = [first.0, first.1].into_iter().filter_map(name).collect();
            values.sort_unstable();
            let sightings = self.keys(shown);
            let kind = ConflictKind::PlatformTwice;
            self.answer.conflicts.push(Conflict { kind, sightings, values });
        }
        for (a, b) in single {
            let keys = self.keys([a, b]);
            self.conflict(ConflictKind::AliveTwice, keys);
        }
    }

    fn identities(&self, components: Vec<Vec<u32>>) -> Vec<Identity> {
        let mut is_joined = vec![false; self.sightings.len()];
        for member in components.iter().flatten() {
            if let Some(flag) = is_joined.get_mut(*member as usize) {
                *flag = true;
            }
        }
        let alone = (0..).zip(&is_joined).filter(|(_, joined)| !**joined).map(|(at, _)| vec![at]);
        let mut identities: Vec<Identity> = components
            .into_iter()
            .chain(alone)
            .filter_map(|mut members| {
                members.sort_unstable_by_key(|it| (self.at(*it).map(|it| it.from), *it));
                let sightings = self.keys(members);
                Some(Identity { id: sightings.first()?.clone(), sightings })
            })
            .collect();
        identities.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        identities
    }
}

fn signed(evidence: &Evidence) -> i64 {
    let weight = i64::from(evidence.weight);
    if evidence.side == Side::For { weight } else { -weight }
}
