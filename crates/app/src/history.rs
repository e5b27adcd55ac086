//! What changed: over all, or in the life of one workload, through its moves.

use std::collections::{BTreeMap, BTreeSet};

use entente_identity::{Evidence, EvidenceKind, Link, Strength};
use entente_model::{Observed, Text};
use entente_store::{AsOf, Change, ChangeKind, ChangesOf};
use serde::Serialize;
use time::OffsetDateTime;

use crate::identities::{Identities, Member};
use crate::remembered::{Memory, RememberError};

/// The list in which workloads are.
const WORKLOADS: &str = "workloads";

/// A change, with whoever worked on the thing meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// What changed.
    #[serde(flatten)]
    pub change: Change,
    /// Tasks on the thing between the two readings: what changed it is among them, if anything told.
    pub by: Vec<By>,
    /// Where it came from, of a move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
}

/// Where a workload was before, and why both are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// Its sighting before.
    pub from: Member,
    /// How firm it is that both are one; proposals make no move.
    pub strength: Strength,
    /// Why they are one, strongest first.
    pub evidence: Vec<Evidence>,
}

/// A task on a thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct By {
    /// Who.
    pub principal: String,
    /// What, as the platform calls it.
    pub action: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

impl Memory {
    /// What changed, and who did it as far as the platforms' own tasks tell. What is gone from one place and
    /// appeared at another is one move where identity is sure of it; proposals are not used.
    pub async fn changes(&self, of: &ChangesOf) -> Result<Vec<Told>, RememberError> {
        let changes = self.store().changes(of).await?;
        let is_coming_or_going = |it: &Change| {
            it.kind == WORKLOADS && matches!(it.change, ChangeKind::Appeared | ChangeKind::Gone)
        };
        let told = if changes.iter().any(is_coming_or_going) {
            let identities = self.identities().await?;
            with_moves(changes, &steps(&identities), of)
        } else {
            with_moves(changes, &[], of)
        };
        self.by_whom(told, of).await
    }

    /// What changed in all lives of one workload, by whatever people call it.
    pub async fn history(&self, term: &str, of: &ChangesOf) -> Result<Vec<Told>, RememberError> {
        let found = self.find(term).await?;
        let things = found.lives.iter().map(|it| it.entity).collect();
        let of = ChangesOf { things: Some(things), ..of.clone() };
        let changes = self.store().changes(&of).await?;
        let of_it = |it: &Step<'_>| found.identity.sightings.contains(it.key);
        let steps: Vec<Step<'_>> = steps(&found.identities).into_iter().filter(of_it).collect();
        self.by_whom(with_moves(changes, &steps, &of), &of).await
    }

    /// Adds the tasks that worked on each thing meanwhile.
    async fn by_whom(
        &self,
        mut told: Vec<Told>,
        of: &ChangesOf,
    ) -> Result<Vec<Told>, RememberError> {
        let until = of.until.map_or(AsOf::Latest, AsOf::Time);
        let mut activities: BTreeMap<(String, String), Vec<By>> = BTreeMap::new();
        for activity in self.store().activities(until).await? {
            let (Observed::Value(subject), Observed::Value(principal)) =
                (&activity.subject, &activity.principal)
            else {
                continue;
            };
            let Some(entente_model::Moment::Utc(at)) = activity.at.copied() else { continue };
            let key = (activity.platform.to_string(), subject.to_string());
            activities.entry(key).or_default().push(By {
                principal: principal.to_string(),
                action: activity.action.to_string(),
                at,
            });
        }
        for Told { change, by, moved } in &mut told {
            let mut places = vec![(&change.platform, &change.id, change.name.as_deref())];
            if let Some(moved) = moved {
                places.push((&moved.from.platform, &moved.from.id, Some(&moved.from.name)));
            }
            for (platform, id, name) in places {
                let native = id.split_once('/').map_or(id.as_str(), |it| it.1);
                let found = [Some(native), Some(id.as_str()), name].into_iter().flatten().find_map(
                    |name| {
                        let all = activities.get(&(platform.clone(), name.to_owned()))?;
                        let within = |it: &&By| {
                            change.after.is_none_or(|after| it.at > after) && it.at <= change.seen
                        };
                        let by: Vec<By> = all.iter().filter(within).cloned().collect();
                        (!by.is_empty()).then_some(by)
                    },
                );
                by.extend(found.unwrap_or_default());
            }
        }
        Ok(told)
    }
}

/// One step of a machine's way: it was in one place, and is in another.
struct Step<'i> {
    /// Key of a sighting at the old place.
    key: &'i Text,
    from: Vec<&'i Member>,
    to: Vec<&'i Member>,
    /// Why both are one.
    link: &'i Link,
    seen: OffsetDateTime,
    /// What it left behind is there to this day, or was for a while.
    is_source_kept: bool,
}

/// A sighting with its key.
type Keyed<'i> = (&'i Text, &'i Member);

/// Sightings of a machine in one place: by several connectors, maybe.
struct Stay<'i> {
    members: Vec<Keyed<'i>>,
    first: OffsetDateTime,
    /// When it was missed, or an export showed it last; none while it is there.
    last: Option<OffsetDateTime>,
}

/// All moves, by machine and time.
fn steps(identities: &Identities) -> Vec<Step<'_>> {
    let several = identities.correlation.identities.iter().filter(|it| it.sightings.len() > 1);
    let mut steps = Vec::new();
    for identity in several {
        let stays = stays(identities, &identity.sightings);
        for (number, to) in stays.iter().enumerate().skip(1) {
            // The place before is the latest of those that it came to earlier.
            let before = stays.get(..number).unwrap_or_default().iter().rev();
            steps.extend(before.filter_map(|from| step(identities, from, to)).take(1));
        }
    }
    steps
}

fn stays<'i>(identities: &'i Identities, keys: &'i [Text]) -> Vec<Stay<'i>> {
    // By platform, id and life.
    let mut places: BTreeMap<(String, String, i64), Vec<Keyed<'_>>> = BTreeMap::new();
    for key in keys {
        let Some(member) = identities.members.get(key) else { continue };
        let native = member.id.strip_prefix(&member.platform).unwrap_or(&member.id);
        let platform = identities.platform(&member.platform).to_owned();
        let place = (platform, native.to_owned(), member.incarnation);
        places.entry(place).or_default().push((key, member));
    }
    let mut stays: Vec<Stay<'_>> = places
        .into_values()
        .filter_map(|members| {
            let first = members.iter().map(|it| it.1.first).min()?;
            let is_there = members.iter().any(|it| it.1.last.is_none());
            let last = members.iter().filter_map(|it| it.1.ended.or(it.1.last)).max();
            Some(Stay { members, first, last: last.filter(|_| !is_there) })
        })
        .collect();
    stays.sort_by_key(|it| (it.first, it.last.is_none(), it.last));
    stays
}

fn step<'i>(identities: &'i Identities, from: &Stay<'i>, to: &Stay<'i>) -> Option<Step<'i>> {
    let pairs = from.members.iter().flat_map(|a| to.members.iter().map(move |b| (a.0, b.0)));
    let direct = pairs.clone().find_map(|(a, b)| identities.link(a, b).filter(|it| it.joins()));
    // Without a link of their own, they are one by way of others.
    let by_others = || {
        let (a, b) = pairs.clone().next()?;
        identities.correlation.explain(a, b)?.chain.first().copied()
    };
    let link = direct.or_else(by_others)?;
    let has = |kind: EvidenceKind| link.evidence.iter().any(|it| it.kind == kind);
    let is_source_kept = has(EvidenceKind::SourceKept);
    let left = from.last.filter(|_| !has(EvidenceKind::Host));
    let seen = match (is_source_kept, left) {
        (true, _) => to.first,
        (false, Some(left)) => left.max(to.first),
        (false, None) => return None,
    };
    let key = from.members.first()?.0;
    let members = |it: &Stay<'i>| it.members.iter().map(|it| it.1).collect();
    Some(Step { key, from: members(from), to: members(to), link, seen, is_source_kept })
}

/// Puts one move in the place of what is gone here and appeared there.
fn with_moves(changes: Vec<Change>, steps: &[Step<'_>], of: &ChangesOf) -> Vec<Told> {
    let is_within = |at: OffsetDateTime| {
        of.after.is_none_or(|after| at > after) && of.until.is_none_or(|until| at <= until)
    };
    let of_member = |change: &Change, it: &Member| {
        change.kind == WORKLOADS
            && (&change.connector, &change.id, change.incarnation)
                == (&it.connector, &it.id, it.incarnation)
    };
    let mut by_thing: BTreeMap<(&str, &str, i64), Vec<usize>> = BTreeMap::new();
    for (at, it) in changes.iter().enumerate().filter(|it| it.1.kind == WORKLOADS) {
        let thing = (it.connector.as_str(), it.id.as_str(), it.incarnation);
        by_thing.entry(thing).or_default().push(at);
    }
    let mut replaced: BTreeSet<usize> = BTreeSet::new();
    let mut moves = Vec::new();
    for step in steps.iter().filter(|it| is_within(it.seen)) {
        let of_thing = |members: &[&Member], kind: ChangeKind| -> Vec<usize> {
            let things = members.iter().flat_map(|it| {
                by_thing.get(&(it.connector.as_str(), it.id.as_str(), it.incarnation))
            });
            let is_kind = |at: &usize| changes.get(*at).is_some_and(|it| it.change == kind);
            things.flatten().copied().filter(is_kind).collect()
        };
        let mut parts = of_thing(&step.to, ChangeKind::Appeared);
        if !step.is_source_kept {
            parts.extend(of_thing(&step.from, ChangeKind::Gone));
        }
        let told: Vec<&Change> = parts.iter().filter_map(|it| changes.get(*it)).collect();
        let to = step.to.iter().find(|it| told.iter().any(|change| of_member(change, it)));
        let is_told = of.things.is_some() || !told.is_empty();
        let (Some(to), Some(from)) = (to.or(step.to.first()), step.from.first()) else { continue };
        if !is_told {
            continue;
        }
        let change = Change {
            platform: to.platform.clone(),
            connector: to.connector.clone(),
            kind: WORKLOADS.to_owned(),
            id: to.id.clone(),
            incarnation: to.incarnation,
            name: Some(to.name.clone()),
            change: ChangeKind::Moved,
            after: told.iter().filter_map(|it| it.after).min(),
            seen: step.seen,
            fields: Vec::new(),
        };
        let Link { strength, evidence, .. } = step.link.clone();
        let moved = Moved { from: (*from).clone(), strength, evidence };
        moves.push(Told { change, by: Vec::new(), moved: Some(moved) });
        replaced.extend(parts);
    }
    let kept = changes.into_iter().enumerate().filter(|(at, _)| !replaced.contains(at));
    let mut told: Vec<Told> =
        kept.map(|(_, change)| Told { change, by: Vec::new(), moved: None }).collect();
    told.append(&mut moves);
    told.sort_by(|a, b| {
        let order = |it: &Told| {
            (
                it.change.seen,
                it.change.platform.clone(),
                it.change.kind.clone(),
                it.change.id.clone(),
                it.change.change,
            )
        };
        order(a).cmp(&order(b))
    });
    told
}
