//! Everything that is known of one workload: by every source, where they differ, and where it was before.

use std::collections::{BTreeMap, BTreeSet};

use entente_identity::{Evidence, Strength};
use entente_model::{Collection, Estate, Finding, Reading, Workload};
use entente_store::{AsOf, Life, Since, item_names};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::found::{Found, is_named, only};
use crate::freshness::Aged;
use crate::identities::{Identities, Member, reader};
use crate::remembered::{Memory, RememberError};
use crate::standing::Standing;

/// Everything that is known of one workload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// Its id: that of the source that goes first.
    pub id: String,
    /// What each source tells of it, the one that goes first before the others.
    pub sightings: Vec<Sighting>,
    /// Facts of which sources tell different things.
    pub differences: Vec<Difference>,
    /// Those that contradict each other about one time.
    pub conflicts: Vec<Finding>,
    /// All its sightings over time, and why they are one.
    pub history: Vec<Stay>,
}

/// What one source tells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sighting {
    /// The platform.
    pub platform: String,
    /// Its id there.
    pub id: String,
    /// Name of the connector.
    pub connector: String,
    /// The source.
    pub source: String,
    /// When it was observed.
    #[serde(with = "time::serde::rfc3339")]
    pub observed: OffsetDateTime,
    /// Whether that is longer ago than it may be: what is told may not be so any more.
    pub is_stale: bool,
    /// Facts, by where they stand.
    pub facts: Vec<(String, Value)>,
}

/// One fact of which sources tell different things.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Where it stands.
    pub field: String,
    /// The value that stands.
    pub stands: Value,
    /// What each source tells, by the position of its sighting.
    pub told: Vec<(usize, Value)>,
}

/// One sighting over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stay {
    /// What was seen, from when to when.
    #[serde(flatten)]
    pub member: Member,
    /// How firm it is that this is the same as one before; none for the first.
    pub strength: Option<Strength>,
    /// Why.
    pub evidence: Vec<Evidence>,
}

/// A sighting as of the time that is asked for.
struct Seen {
    member: Member,
    workload: Workload,
    observed: OffsetDateTime,
    is_stale: bool,
    recorded: Option<OffsetDateTime>,
    since: Since,
    around: Collection,
}

impl Memory {
    /// Everything that is known of one workload, fact by fact.
    pub async fn show(&self, term: &str, as_of: AsOf) -> Result<Shown, RememberError> {
        let (identities, sightings, seen) = match as_of {
            AsOf::Latest => {
                let found = self.find(term).await?;
                let seen = self.seen_now(&found).await?;
                (found.identities, found.identity.sightings, seen)
            }
            AsOf::Time(_) => self.seen_then(term, as_of).await?,
        };
        Ok(shown(&identities, &sightings, seen, as_of))
    }

    /// As it is seen now; where it is not there any more, as it was last seen.
    async fn seen_now(&self, found: &Found) -> Result<Vec<Seen>, RememberError> {
        let is_there = |it: &&Life| it.ended.is_none();
        let mut lives: Vec<&Life> = found.lives.iter().filter(is_there).collect();
        if lives.is_empty() {
            lives.extend(found.lives.iter().max_by_key(|it| it.ended));
        }
        let ages = self.ages(AsOf::Latest).await?;
        let mut seen = Vec::new();
        for life in &lives {
            let Some(source) = self.store().source(&life.platform, &life.connector).await? else {
                continue;
            };
            let around = match lives.len() {
                1 => Collection::empty(source),
                _ => self.store().around(&life.workload.platform, &source).await?,
            };
            let id = life.workload.id.as_str().into();
            let age = age_of(&ages, &life.platform, &life.connector);
            seen.push(Seen {
                member: crate::identities::member(life).1,
                workload: life.workload.clone(),
                observed: life.ended.unwrap_or(life.latest_reading),
                is_stale: age.is_some_and(Aged::is_stale),
                recorded: age.map(|it| it.reading.recorded),
                since: Since::from([(("workloads", id), life.since)]),
                around,
            });
        }
        Ok(seen)
    }

    /// As it was seen then: all of it is read, since nothing is indexed by what was known at other times.
    async fn seen_then(
        &self,
        term: &str,
        as_of: AsOf,
    ) -> Result<(Identities, Vec<entente_model::Text>, Vec<Seen>), RememberError> {
        let ages = self.ages(as_of).await?;
        let collections = self.store().collections(as_of).await?;
        let identities = self.identities().await?;
        let present = |connector: &str, id: &str| {
            let is_it =
                |it: &&Member| it.connector == connector && it.id == id && it.is_present(as_of);
            identities.members.values().find(is_it)
        };
        let mut meant: BTreeSet<i64> = BTreeSet::new();
        for collection in &collections {
            let named = collection.workloads.iter().filter(|it| is_named(it, term));
            let members =
                named.filter_map(|it| present(&collection.source.connector, it.id.as_str()));
            meant.extend(members.map(|it| it.entity));
        }
        if meant.is_empty() {
            let names = collections.iter().flat_map(|it| &it.workloads).map(|it| it.name.as_str());
            let near = entente_expr::nearest(term, names).map(str::to_owned);
            return Err(RememberError::UnknownWorkload { given: term.to_owned(), near });
        }
        let identity = only(&identities, &meant, term)?;
        let of_it: Vec<&Member> = identity
            .sightings
            .iter()
            .filter_map(|it| identities.members.get(it))
            .filter(|it| it.is_present(as_of))
            .collect();
        let mut seen = Vec::new();
        for mut collection in collections {
            let workloads = std::mem::take(&mut collection.workloads);
            for workload in workloads {
                let is_it = |it: &&&Member| {
                    it.connector == collection.source.connector.as_str()
                        && it.id == workload.id.as_str()
                };
                let Some(member) = of_it.iter().find(is_it) else { continue };
                let (platform, connector) = (&member.platform, &member.connector);
                let Some(age) = age_of(&ages, platform, connector) else { continue };
                seen.push(Seen {
                    member: (*member).clone(),
                    workload,
                    observed: age.reading.observed,
                    is_stale: age.is_stale(),
                    recorded: Some(age.reading.recorded),
                    since: self.store().since(platform, connector, as_of).await?,
                    around: collection.clone(),
                });
            }
        }
        Ok((identities, identity.sightings, seen))
    }
}

/// The age of what a connector last told of a platform.
fn age_of<'a>(ages: &'a [Aged], platform: &str, connector: &str) -> Option<&'a Aged> {
    ages.iter().find(|it| it.reading.platform == platform && it.reading.connector == connector)
}

/// Puts what the sources tell beside each other.
fn shown(
    identities: &Identities,
    keys: &[entente_model::Text],
    seen: Vec<Seen>,
    as_of: AsOf,
) -> Shown {
    let standing = Standing::of(identities, as_of);
    let (mut readings, mut sightings) = (Vec::new(), Vec::new());
    // What an export shows of another platform is history.
    let is_here = |it: &Seen| !standing.is_elsewhere(&it.member);
    let are_some_here = seen.iter().any(is_here);
    for it in seen.into_iter().filter(|it| !are_some_here || is_here(it)) {
        let mut facts = Vec::new();
        flatten(String::new(), &serde_json::to_value(&it.workload).unwrap_or_default(), &mut facts);
        sightings.push(Sighting {
            platform: it.member.platform.clone(),
            id: it.member.id.clone(),
            connector: it.member.connector.clone(),
            source: it.workload.source.to_string(),
            observed: it.observed,
            is_stale: it.is_stale,
            facts,
        });
        let mut collection = it.around;
        collection.workloads = vec![it.workload];
        let reader = reader(&it.member.connector);
        let mut reading = Reading::of(collection, reader);
        (reading.since, reading.recorded) = (it.since, it.recorded);
        standing.mark(&mut reading);
        readings.push(reading);
    }
    let estate = Estate::of(readings);
    let first = estate.workloads.first();
    let order: Vec<String> = estate
        .seen_by
        .values()
        .flatten()
        .map(ToString::to_string)
        .chain(first.map(|it| it.source.to_string()))
        .collect();
    let place = |it: &Sighting| order.iter().position(|source| *source == it.source);
    sightings.sort_by_key(|it| place(it).unwrap_or(usize::MAX));
    Shown {
        id: first
            .map(|it| it.id.to_string())
            .or_else(|| sightings.first().map(|it| it.id.clone()))
            .unwrap_or_default(),
        differences: differences(&estate, &sightings),
        sightings,
        conflicts: estate.findings.into_iter().filter(|it| it.code == "ENT-0211").collect(),
        history: history(identities, keys),
    }
}

/// Every sighting, with the link to an earlier one.
fn history(identities: &Identities, keys: &[entente_model::Text]) -> Vec<Stay> {
    let mut stays: Vec<Stay> = Vec::new();
    for (number, key) in keys.iter().enumerate() {
        let Some(member) = identities.members.get(key) else { continue };
        let earlier = keys.get(..number).unwrap_or_default().iter().rev();
        let link = earlier.filter_map(|it| identities.link(it, key)).find(|it| it.joins());
        stays.push(Stay {
            member: member.clone(),
            strength: link.map(|it| it.strength),
            evidence: link.map(|it| it.evidence.clone()).unwrap_or_default(),
        });
    }
    stays
}

/// Facts of which sources tell different things, with the value that stands. What names a thing and what
/// moves by itself is left out.
fn differences(estate: &Estate, sightings: &[Sighting]) -> Vec<Difference> {
    const NOT_COMPARED: [&str; 5] = ["id", "platform", "source", "identity", "samples"];
    let mut told: BTreeMap<&str, Vec<(usize, Value)>> = BTreeMap::new();
    for (number, sighting) in sightings.iter().enumerate() {
        for (field, value) in &sighting.facts {
            let head = field.split('.').next().unwrap_or_default();
            if value.get("unobserved").is_none() && !NOT_COMPARED.contains(&head) {
                told.entry(field).or_default().push((number, value.clone()));
            }
        }
    }
    let mut standing = Vec::new();
    if let Some(workload) = estate.workloads.first() {
        flatten(String::new(), &serde_json::to_value(workload).unwrap_or_default(), &mut standing);
    }
    let standing: BTreeMap<String, Value> = standing.into_iter().collect();
    let differs = |(field, told): (&str, Vec<(usize, Value)>)| {
        let first = told.first()?.1.clone();
        let is_one = told.iter().all(|it| it.1 == first);
        let stands = standing.get(field).cloned().unwrap_or(first);
        (!is_one).then(|| Difference { field: field.to_owned(), stands, told })
    };
    told.into_iter().filter_map(differs).collect()
}

/// Facts of an object, by where they stand: `cpu.count`, `disks[Hard disk 1].capacity_bytes`.
fn flatten(field: String, value: &Value, facts: &mut Vec<(String, Value)>) {
    let inner = |name: &str| match field.is_empty() {
        true => name.to_owned(),
        false => format!("{field}.{name}"),
    };
    match value {
        Value::Object(fields) if fields.contains_key("unobserved") => {
            facts.push((field, value.clone()));
        }
        Value::Object(fields) => {
            if let (Some(Value::Array(items)), Some(completeness)) =
                (fields.get("items"), fields.get("completeness"))
            {
                if completeness.as_str() != Some("complete") || items.is_empty() {
                    facts.push((field.clone(), completeness_of(completeness)));
                }
                list(&field, items, facts);
                return;
            }
            for (name, value) in fields {
                flatten(inner(name), value, facts);
            }
        }
        Value::Array(items) => list(&field, items, facts),
        _ => facts.push((field, value.clone())),
    }
}

/// An empty list, or one that is not whole.
fn completeness_of(completeness: &Value) -> Value {
    match completeness.get("incomplete") {
        Some(why) => serde_json::json!({ "unobserved": why }),
        None => Value::Null,
    }
}

fn list(field: &str, items: &[Value], facts: &mut Vec<(String, Value)>) {
    for (name, item) in item_names(items).into_iter().zip(items) {
        flatten(format!("{field}[{name}]"), item, facts);
    }
}
