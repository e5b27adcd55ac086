//! The estate as it stands: every account of the store, or of files, put together.
//!
//! Which machine each sighting is, and where it is now, comes from identity; which fact stands, from the
//! model. Proposals join nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use entente_identity::{Choice, EvidenceKind, Identity, Link, Seen, Sighting, Strength, correlate};
use entente_model::{
    Collection, Estate, Moment, PlatformAccount, Reader, Reading, Text, WorkloadId, same_platforms,
};
use entente_store::query::{QueryLimits, QueryResult};
use entente_store::{Age, AsOf};
use time::OffsetDateTime;

use crate::freshness::Aged;
use crate::identities::{Identities, Member, reader};
use crate::remembered::{Memory, RememberError};

/// Findings that no reading tells by itself.
const OF_SEVERAL: [&str; 3] = ["ENT-0205", "ENT-0210", "ENT-0211"];

/// Readings that are too old and named with an answer; what is beyond is counted.
const STALE_NAMED_MAX: usize = 8;

/// A sighting by its connector and id: the key of the workload in its collection.
type Place = (String, String);

/// Which machine each sighting is as of a time, and which are elsewhere by then.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    machines: HashMap<Place, Text>,
    elsewhere: HashSet<Place>,
}

impl Standing {
    /// From identities: those that are there as of a time.
    pub fn of(identities: &Identities, as_of: AsOf) -> Self {
        let mut standing = Self::default();
        for identity in &identities.correlation.identities {
            let here: Vec<(&Text, &Member)> = identity
                .sightings
                .iter()
                .filter_map(|key| Some((key, identities.members.get(key)?)))
                .filter(|it| it.1.is_present(as_of))
                .collect();
            let platforms: BTreeSet<&str> =
                here.iter().map(|it| identities.platform(&it.1.platform)).collect();
            match platforms.len() {
                0 => {}
                1 => here.iter().for_each(|it| standing.put(it.1, identity.id.clone())),
                _ => standing.over_platforms(identities, identity, &here),
            }
        }
        standing.join_by_id(identities, as_of);
        standing
    }

    fn put(&mut self, member: &Member, machine: Text) {
        self.machines.insert((member.connector.clone(), member.id.clone()), machine);
    }

    /// A machine that is seen on several platforms: where it is now, and whether several show one.
    fn over_platforms(
        &mut self,
        identities: &Identities,
        identity: &Identity,
        here: &[(&Text, &Member)],
    ) {
        let platform = |it: &Member| identities.platform(&it.platform).to_owned();
        let is_live = |it: &&(&Text, &Member)| it.1.reader == Reader::LogIn;
        let mut now: BTreeSet<String> =
            here.iter().filter(is_live).map(|it| platform(it.1)).collect();
        if now.is_empty() {
            let latest = here.iter().max_by_key(|it| (it.1.last, it.0));
            now.extend(latest.map(|it| platform(it.1)));
        }
        // Platforms of one machine are called by the first of them.
        let mut names: BTreeMap<String, String> =
            now.iter().map(|it| (it.clone(), it.clone())).collect();
        for (number, one) in here.iter().enumerate() {
            for other in here.iter().skip(number + 1) {
                let (a, b) = (platform(one.1), platform(other.1));
                if a != b && is_one_now(identities.link(one.0, other.0)) {
                    let (one, other) = (names.get(&a).cloned(), names.get(&b).cloned());
                    let (Some(one), Some(other)) = (one, other) else { continue };
                    let first = one.clone().min(other.clone());
                    names
                        .values_mut()
                        .filter(|it| **it == one || **it == other)
                        .for_each(|it| it.clone_from(&first));
                }
            }
        }
        for (_, member) in here {
            match names.get(&platform(member)) {
                Some(name) => self.put(member, Text::from(format!("{}@{name}", identity.id))),
                None => {
                    self.elsewhere.insert((member.connector.clone(), member.id.clone()));
                }
            }
        }
    }

    /// What goes by one id on one platform is one machine, too, where nothing tells it apart: exports of old
    /// know little more of a machine than its name.
    fn join_by_id(&mut self, identities: &Identities, as_of: AsOf) {
        let mut by_id: HashMap<(&str, &str), Vec<(&Text, &Member)>> = HashMap::new();
        for (key, member) in identities.members.iter().filter(|it| it.1.is_present(as_of)) {
            let native = member.id.strip_prefix(&member.platform).unwrap_or(&member.id);
            by_id
                .entry((identities.platform(&member.platform), native))
                .or_default()
                .push((key, member));
        }
        for members in by_id.into_values().filter(|it| it.len() > 1) {
            let Some(((first_key, first), others)) = members.split_first() else { continue };
            let place = |it: &Member| (it.connector.clone(), it.id.clone());
            let Some(machine) = self.machines.get(&place(first)).cloned() else { continue };
            for (key, other) in others {
                let is_apart = differ(first, other) || identities.are_parted(first_key, key);
                if !is_apart && self.machines.contains_key(&place(other)) {
                    self.put(other, machine.clone());
                }
            }
        }
    }

    /// True if it is known to be on another platform by then.
    pub fn is_elsewhere(&self, member: &Member) -> bool {
        self.elsewhere.contains(&(member.connector.clone(), member.id.clone()))
    }

    /// Which machine each workload of a collection is, and which are elsewhere.
    pub fn mark(&self, reading: &mut Reading) {
        let connector = reading.collection.source.connector.to_string();
        let mut machines = HashMap::new();
        for workload in &reading.collection.workloads {
            let place = (connector.clone(), workload.id.to_string());
            if let Some(machine) = self.machines.get(&place) {
                machines.insert(workload.id.clone(), machine.clone());
            }
            if self.elsewhere.contains(&place) {
                reading.elsewhere.insert(workload.id.clone());
            }
        }
        reading.machines = Some(machines);
    }
}

/// True if both are one machine at this very time, and not what a move has left behind.
fn is_one_now(link: Option<&Link>) -> bool {
    let Some(link) = link.filter(|it| it.joins()) else { return false };
    let has = |kind: EvidenceKind| link.evidence.iter().any(|it| it.kind == kind);
    let is_told = link.strength == Strength::Decided || has(EvidenceKind::Host);
    is_told && !has(EvidenceKind::SourceKept) && !has(EvidenceKind::Handover)
}

/// True if a UUID tells them apart.
fn differ(one: &Member, other: &Member) -> bool {
    one.uuids.iter().zip(&other.uuids).any(|uuids| match uuids {
        (Some(one), Some(other)) => {
            one != other && entente_model::Uuid::from_bytes_le(*one.as_bytes()) != *other
        }
        _ => false,
    })
}

impl Identities {
    /// The link between two sightings.
    pub(crate) fn link(&self, a: &Text, b: &Text) -> Option<&Link> {
        self.correlation.explain(a, b)?.link
    }

    /// True if a person parted them.
    fn are_parted(&self, a: &Text, b: &Text) -> bool {
        self.correlation.rulings.iter().any(|it| {
            let pair = (&it.decision.a, &it.decision.b);
            it.in_force
                && it.decision.choice == Choice::Unlink
                && (pair == (a, b) || pair == (b, a))
        })
    }
}

impl Memory {
    /// Everything as of a time, as one estate; what is older than it may be is a gap of it.
    pub async fn estate(&self, as_of: AsOf) -> Result<(Estate, Vec<Aged>), RememberError> {
        let ages = self.ages(as_of).await?;
        if ages.is_empty() {
            return Err(RememberError::Nothing { store: self.store().address.to_string() });
        }
        let mut estate = Estate::of(self.readings(&ages, as_of).await?);
        estate.gaps.extend(ages.iter().filter_map(Aged::gap));
        estate.gaps.sort();
        Ok((estate, ages))
    }

    /// Asks in SQL; the view of findings shows where sources disagree, too. Readings that are older than they
    /// may be are named in the notes.
    pub async fn query(
        &self,
        sql: &str,
        as_of: AsOf,
        limits: &QueryLimits,
    ) -> Result<QueryResult, RememberError> {
        let mut findings = Vec::new();
        let ages = self.ages(as_of).await?;
        // The estate is put together only where it may be asked for.
        if sql.to_lowercase().contains("findings") && !ages.is_empty() {
            let (estate, _) = self.estate(as_of).await?;
            findings = estate.findings;
            findings.retain(|it| OF_SEVERAL.contains(&it.code.as_str()));
        }
        let mut answer = self.store().query_with(sql, as_of, limits, &findings).await?;
        let stale: Vec<&Aged> = ages.iter().filter(|it| it.is_stale()).collect();
        let named = stale.iter().take(STALE_NAMED_MAX);
        answer.notes.extend(named.map(|it| format!("stale: {it}")));
        if stale.len() > STALE_NAMED_MAX {
            let more = stale.len() - STALE_NAMED_MAX;
            answer.notes.push(format!("stale: and {more} more; `entente estate` names them"));
        }
        Ok(answer)
    }

    /// Every account of the store as of a time.
    async fn readings(&self, ages: &[Aged], as_of: AsOf) -> Result<Vec<Reading>, RememberError> {
        let collections = self.store().collections(as_of).await?;
        let reading = |it: Collection| {
            let reader = reader(&it.source.connector);
            Reading::of(it, reader)
        };
        let mut readings: Vec<Reading> = collections.into_iter().map(reading).collect();
        if readings.len() < 2 {
            return Ok(readings);
        }
        let identities = self.identities().await?;
        let standing = Standing::of(&identities, as_of);
        let mut feeds: HashMap<&str, u32> = HashMap::new();
        for age in ages.iter().map(|it| &it.reading) {
            *feeds.entry(identities.platform(&age.platform)).or_default() += 1;
        }
        for reading in &mut readings {
            standing.mark(reading);
            let source = &reading.collection.source;
            let platform = reading.collection.platforms.first().map(|it| it.id.to_string());
            let platform = platform.unwrap_or_default();
            let of_feed = |it: &&Age| it.platform == platform && it.connector == source.connector;
            reading.recorded =
                ages.iter().map(|it| &it.reading).find(of_feed).map(|it| it.recorded);
            if feeds.get(identities.platform(&platform)).is_some_and(|it| *it > 1) {
                reading.since = self.store().since(&platform, &source.connector, as_of).await?;
            }
        }
        Ok(readings)
    }
}

/// Collections that are given together, each with what tells which of its workloads are those of others. On
/// several platforms nothing is joined: files tell of their own times alone.
pub(crate) fn readings_of_files(collections: Vec<Collection>) -> Vec<Reading> {
    let reading = |it: Collection| {
        let reader = reader(&it.source.connector);
        Reading::of(it, reader)
    };
    let mut readings: Vec<Reading> = collections.into_iter().map(reading).collect();
    let machines = machines_of_files(&readings);
    for (reading, machines) in readings.iter_mut().zip(machines) {
        reading.machines = machines;
    }
    readings
}

fn machines_of_files(readings: &[Reading]) -> Vec<Option<HashMap<WorkloadId, Text>>> {
    let accounts = readings.iter().flat_map(|reading| {
        let Reading { collection, reader, .. } = reading;
        collection.platforms.iter().map(|platform| PlatformAccount {
            platform,
            reader: *reader,
            workloads: collection
                .workloads
                .iter()
                .filter(|it| it.platform == platform.id)
                .collect(),
        })
    });
    let names = same_platforms(&accounts.collect::<Vec<_>>());
    let mut times: BTreeMap<&str, u32> = BTreeMap::new();
    for platform in readings.iter().flat_map(|it| &it.collection.platforms) {
        *times.entry(names.get(&platform.id).unwrap_or(&platform.id).as_str()).or_default() += 1;
    }
    if times.values().all(|it| *it < 2) {
        return readings.iter().map(|_| None).collect();
    }
    let mut identities = Identities { names, ..Identities::default() };
    let mut sightings = Vec::new();
    for (number, reading) in readings.iter().enumerate() {
        let at = match reading.collection.source.taken {
            Some(Moment::Utc(at)) => at,
            Some(Moment::Local(at)) => at.assume_utc(),
            None => OffsetDateTime::UNIX_EPOCH,
        };
        // Each file is a source of its own, whoever wrote it.
        let connector = number.to_string();
        for workload in &reading.collection.workloads {
            let key = Text::from(format!("{number}:{}", workload.id));
            let seen = Seen { first: at, last: Some(at) };
            let mut sighting = Sighting::of(key.clone(), connector.as_str().into(), seen, workload);
            sighting.platform =
                identities.names.get(&workload.platform).unwrap_or(&workload.platform).clone();
            sightings.push(sighting);
            let member = Member {
                platform: workload.platform.to_string(),
                connector: connector.clone(),
                name: workload.name.to_string(),
                id: workload.id.to_string(),
                first: at,
                last: Some(at),
                ended: None,
                reader: Reader::LogIn,
                entity: 0,
                incarnation: 1,
                uuids: [workload.instance_uuid.copied(), workload.bios_uuid.copied()],
            };
            identities.members.insert(key, member);
        }
    }
    identities.correlation = correlate(&sightings, &[], &[]);
    // All of them count as there, so that nothing is elsewhere.
    let standing = Standing::of(&identities, AsOf::Latest);
    let of = |(number, reading): (usize, &Reading)| {
        let machine = |id: &WorkloadId| {
            let place = (number.to_string(), id.to_string());
            Some((id.clone(), standing.machines.get(&place)?.clone()))
        };
        Some(reading.collection.workloads.iter().filter_map(|it| machine(&it.id)).collect())
    };
    readings.iter().enumerate().map(of).collect()
}
