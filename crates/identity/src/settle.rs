//! Links that cannot all hold: which give way.
//!
//! Each link may be sound by itself and the whole still impossible: one feed shows two of its machines at
//! once, both are on, or people parted them. Then the weakest links of that component give way, all of
//! equal weight together, until what is left is possible. Choosing among equals would be guessing.

use std::collections::BTreeMap;

/// Most sightings of one component that are compared with each other, each with each. Facts alone make
/// components of a few; larger ones come from decisions or recorded moves, and are reported.
pub const COMPONENT_SIGHTINGS_MAX: usize = 512;

/// How firm a link is, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// Facts and recorded moves, by weight.
    Facts(i64),
    /// Decided by a person, by time.
    Decided(i64),
}

/// A link that makes identities.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joint {
    pub a: u32,
    pub b: u32,
    pub rank: Rank,
}

/// Why a link gave way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// These two would be one machine and cannot be.
    Excluded(u32, u32),
    /// People parted these two.
    Unlinked(u32, u32),
    /// The component, named by its first member, is too large to be looked through.
    TooLarge { first: u32, sightings: usize },
}

/// What two sightings may be asked.
pub(crate) trait Facts {
    /// Facts say that they are two machines.
    fn excludes(&self, a: u32, b: u32) -> bool;
    /// The first two of these, which are sorted, that people parted.
    fn parted(&self, members: &[u32]) -> Option<(u32, u32)>;
}

/// What is left.
#[derive(Default)]
pub(crate) struct Settled {
    /// The links that gave way.
    pub dropped: Vec<(Joint, Reason)>,
    /// Members of each component of at least two.
    pub components: Vec<Vec<u32>>,
}

/// Drops the weakest links of impossible components until none is left.
pub(crate) fn settle(joints: Vec<Joint>, facts: &impl Facts) -> Settled {
    let mut settled = Settled::default();
    let mut waiting = components(joints);
    while let Some(joints) = waiting.pop() {
        let members = members(&joints);
        let Some((reason, weakest)) = objection(&members, &joints, facts) else {
            settled.components.push(members);
            continue;
        };
        let gives_way = |it: &Joint| match weakest {
            Some(weakest) => it.rank == weakest,
            None => matches!(it.rank, Rank::Facts(_)),
        };
        let (dropped, left): (Vec<_>, Vec<_>) = joints.into_iter().partition(gives_way);
        settled.dropped.extend(dropped.into_iter().map(|it| (it, reason)));
        waiting.extend(components(left));
    }
    settled
}

/// Why the component cannot be, and the rank of links that give way: none = all that rest on facts.
fn objection(
    members: &[u32],
    joints: &[Joint],
    facts: &impl Facts,
) -> Option<(Reason, Option<Rank>)> {
    let weakest = joints.iter().map(|it| it.rank).min();
    let weakest_of_facts = weakest.filter(|it| matches!(it, Rank::Facts(_)));
    if let Some((a, b)) = facts.parted(members) {
        return Some((Reason::Unlinked(a, b), weakest));
    }
    weakest_of_facts?;
    if members.len() > COMPONENT_SIGHTINGS_MAX {
        let first = members.first().copied().unwrap_or_default();
        return Some((Reason::TooLarge { first, sightings: members.len() }, None));
    }
    // What people joined stays joined, whatever facts say.
    let mut decided = Groups::default();
    for joint in joints.iter().filter(|it| matches!(it.rank, Rank::Decided(_))) {
        decided.join(joint.a, joint.b);
    }
    let (a, b) =
        pair(members, |a, b| facts.excludes(a, b) && decided.root_of(a) != decided.root_of(b))?;
    Some((Reason::Excluded(a, b), weakest_of_facts))
}

fn pair(members: &[u32], mut found: impl FnMut(u32, u32) -> bool) -> Option<(u32, u32)> {
    members
        .iter()
        .enumerate()
        .find_map(|(at, a)| members.iter().skip(at + 1).find(|b| found(*a, **b)).map(|b| (*a, *b)))
}

fn members(joints: &[Joint]) -> Vec<u32> {
    let mut members: Vec<u32> = joints.iter().flat_map(|it| [it.a, it.b]).collect();
    members.sort_unstable();
    members.dedup();
    members
}

/// The links of each component, by the component's first member.
fn components(joints: Vec<Joint>) -> Vec<Vec<Joint>> {
    let mut groups = Groups::default();
    for joint in &joints {
        groups.join(joint.a, joint.b);
    }
    let mut components: BTreeMap<u32, Vec<Joint>> = BTreeMap::new();
    for joint in joints {
        components.entry(groups.root(joint.a)).or_default().push(joint);
    }
    components.into_values().collect()
}

/// Disjoint sets; each is named by its smallest member.
#[derive(Default)]
struct Groups(BTreeMap<u32, u32>);

impl Groups {
    fn root(&mut self, of: u32) -> u32 {
        let root = self.root_of(of);
        let mut at = of;
        while at != root {
            at = self.0.insert(at, root).unwrap_or(root);
        }
        root
    }

    /// The root, found without shortening the way to it.
    fn root_of(&self, of: u32) -> u32 {
        let mut at = of;
        while let Some(above) = self.0.get(&at).filter(|above| **above != at) {
            at = *above;
        }
        at
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.0.insert(a.max(b), a.min(b));
    }
}
