//! Which workloads are one, over sources and platforms: what facts say, and what people decided.

use std::collections::{BTreeMap, HashMap};

use entente_identity::{Choice, Correlation, Decision, Seen, Sighting, correlate};
use entente_model::{Observed, PlatformId, Text};
use entente_store::{AsOf, Decided, Life};
use serde::Serialize;
use time::OffsetDateTime;

use crate::remembered::{Memory, RememberError};

/// Everything about which workloads are one.
#[derive(Debug)]
pub struct Identities {
    /// What facts and decisions say.
    pub correlation: Correlation,
    /// What stands behind each key.
    pub members: BTreeMap<Text, Member>,
}

/// A workload as one connector saw it on one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The platform, as its connector names it.
    pub platform: String,
    /// Name of the connector.
    pub connector: String,
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// When it was first seen.
    #[serde(with = "time::serde::rfc3339")]
    pub first: OffsetDateTime,
    /// When it was last seen; none while it is there.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last: Option<OffsetDateTime>,
}

/// The name of a life for people and decisions: `rvtools:vc1/vm-42`, `proxmox:pve/101#2`.
fn key(life: &Life) -> Text {
    let id = &life.workload.id;
    match life.incarnation {
        1 => Text::from(format!("{}:{id}", life.connector)),
        number => Text::from(format!("{}:{id}#{number}", life.connector)),
    }
}

/// What people see of a life, by its key.
fn member(life: &Life) -> (Text, Member) {
    // An export shows its own time; only a log-in shows what is there to this day.
    let is_live = entente_connect::platforms().any(|it| it.0 == life.connector);
    let member = Member {
        platform: life.platform.clone(),
        connector: life.connector.clone(),
        name: life.workload.name.to_string(),
        id: life.workload.id.to_string(),
        first: life.first,
        last: life.ended.or((!is_live).then_some(life.latest_reading)),
    };
    (key(life), member)
}

impl Memory {
    /// Which workloads are one.
    pub async fn identities(&self) -> Result<Identities, RememberError> {
        let lives = self.store().lives().await?;
        let names = self.platforms_by_uuid().await?;
        let mut sightings = Vec::with_capacity(lives.len());
        let mut members = BTreeMap::new();
        for life in &lives {
            let (key, member) = member(life);
            let seen = Seen { first: member.first, last: member.last };
            let connector = member.connector.as_str().into();
            let mut sighting = Sighting::of(key.clone(), connector, seen, &life.workload);
            if let Some(name) = names.get(life.platform.as_str()) {
                sighting.platform = name.clone();
            }
            sightings.push(sighting);
            members.insert(key, member);
        }
        let decisions: Vec<Decision> =
            self.store().decisions().await?.into_iter().map(decision).collect();
        Ok(Identities { correlation: correlate(&sightings, &[], &decisions), members })
    }

    /// One name for platforms that say the same UUID of themselves: an export and a log-in name it
    /// differently.
    async fn platforms_by_uuid(&self) -> Result<HashMap<String, PlatformId>, RememberError> {
        let mut by_uuid: BTreeMap<String, PlatformId> = BTreeMap::new();
        let mut names = HashMap::new();
        for platform in self.store().platforms(AsOf::Latest).await? {
            let Observed::Value(uuid) = &platform.uuid else { continue };
            let name = by_uuid.entry(uuid.to_lowercase()).or_insert_with(|| platform.id.clone());
            names.insert(platform.id.to_string(), name.clone());
        }
        Ok(names)
    }

    /// Remembers that two workloads are one, or are not.
    pub async fn decide(
        &self,
        choice: Choice,
        (a, b): (&str, &str),
        by: &str,
        reason: &str,
        at: OffsetDateTime,
    ) -> Result<(), RememberError> {
        let members = self.store().lives().await?.iter().map(member).collect();
        let decided = Decided {
            choice: match choice {
                Choice::Link => "link".to_owned(),
                Choice::Unlink => "unlink".to_owned(),
            },
            a: known(&members, a)?,
            b: known(&members, b)?,
            by: by.to_owned(),
            at,
            reason: reason.to_owned(),
        };
        Ok(self.store().decide(&decided).await?)
    }
}

/// The key that is meant: itself, or an id or name that only one has.
fn known(members: &BTreeMap<Text, Member>, given: &str) -> Result<String, RememberError> {
    if members.contains_key(given) {
        return Ok(given.to_owned());
    }
    let same = |it: &(&Text, &Member)| it.1.id == given || it.1.name.eq_ignore_ascii_case(given);
    let found: Vec<String> = members.iter().filter(same).map(|it| it.0.to_string()).collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            let names = members.values().map(|it| it.name.as_str());
            let near = entente_expr::nearest(given, names).map(str::to_owned);
            Err(RememberError::UnknownWorkload { given: given.to_owned(), near })
        }
        _ => Err(RememberError::Several { given: given.to_owned(), ids: found }),
    }
}

fn decision(decided: Decided) -> Decision {
    Decision {
        choice: if decided.choice == "link" { Choice::Link } else { Choice::Unlink },
        a: decided.a.into(),
        b: decided.b.into(),
        by: decided.by.into(),
        at: decided.at,
        reason: decided.reason.into(),
    }
}
