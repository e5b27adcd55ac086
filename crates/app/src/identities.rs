//! Which workloads are one, over sources and platforms: what facts say, and what people decided.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entente_identity::{Choice, Correlation, Decision, Seen, Sighting, correlate};
use entente_model::{
    HostId, Platform, PlatformAccount, PlatformId, Reader, Text, Uuid, Workload, same_platforms,
};
use entente_store::{AsOf, Decided, Life};
use serde::Serialize;
use time::OffsetDateTime;

use crate::remembered::{Memory, RememberError};

/// Everything about which workloads are one.
#[derive(Debug, Default)]
pub struct Identities {
    /// What facts and decisions say.
    pub correlation: Correlation,
    /// What stands behind each key.
    pub members: BTreeMap<Text, Member>,
    /// Ids of platforms that are another one.
    pub names: BTreeMap<PlatformId, PlatformId>,
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
    /// The first reading that did not see it any more.
    #[serde(skip)]
    pub ended: Option<OffsetDateTime>,
    /// What read it.
    #[serde(skip)]
    pub reader: Reader,
    /// Its number in the store.
    #[serde(skip)]
    pub entity: i64,
    /// Which life of its id.
    #[serde(skip)]
    pub incarnation: i64,
    /// Its instance UUID and its BIOS UUID.
    #[serde(skip)]
    pub uuids: [Option<Uuid>; 2],
}

impl Member {
    /// True if its connector showed it then.
    pub fn is_present(&self, as_of: AsOf) -> bool {
        match as_of {
            AsOf::Latest => self.ended.is_none(),
            AsOf::Time(at) => self.first <= at && self.ended.is_none_or(|ended| at < ended),
        }
    }
}

impl Identities {
    /// One name for a platform that sources name differently.
    pub fn platform<'a>(&'a self, id: &'a str) -> &'a str {
        let name = id.parse::<PlatformId>().ok().and_then(|it| self.names.get(&it));
        name.map_or(id, PlatformId::as_str)
    }
}

/// The name of a life for people and decisions: `rvtools:vc1/vm-42`, `proxmox:pve/101#2`.
pub(crate) fn key(life: &Life) -> Text {
    let id = &life.workload.id;
    match life.incarnation {
        1 => Text::from(format!("{}:{id}", life.connector)),
        number => Text::from(format!("{}:{id}#{number}", life.connector)),
    }
}

/// What kind of reader a connector is.
pub(crate) fn reader(connector: &str) -> Reader {
    match entente_connect::platforms().any(|it| it.0 == connector) {
        true => Reader::LogIn,
        false => Reader::Export,
    }
}

/// What people see of a life, by its key.
pub(crate) fn member(life: &Life) -> (Text, Member) {
    // An export shows its own time; only a log-in shows what is there to this day.
    let reader = reader(&life.connector);
    let of_export = (reader == Reader::Export).then_some(life.latest_reading);
    let workload = &life.workload;
    let member = Member {
        platform: life.platform.clone(),
        connector: life.connector.clone(),
        name: workload.name.to_string(),
        id: workload.id.to_string(),
        first: life.first,
        // Not when it was missed, which is when its successor may have been seen first.
        last: life.last.or(life.ended).filter(|_| life.ended.is_some()).or(of_export),
        ended: life.ended,
        reader,
        entity: life.entity,
        incarnation: life.incarnation,
        uuids: [workload.instance_uuid.copied(), workload.bios_uuid.copied()],
    };
    (key(life), member)
}

impl Memory {
    /// Which workloads are one.
    pub async fn identities(&self) -> Result<Identities, RememberError> {
        self.identities_of(&self.store().lives().await?).await
    }

    /// Which of these are one.
    pub(crate) async fn identities_of(&self, lives: &[Life]) -> Result<Identities, RememberError> {
        let names = self.names_of_platforms(lives).await?;
        let hosts = self.names_of_hosts(lives).await?;
        let mut sightings = Vec::with_capacity(lives.len());
        let mut members = BTreeMap::new();
        for life in lives {
            let (key, member) = member(life);
            let seen = Seen { first: member.first, last: member.last };
            let connector = member.connector.as_str().into();
            let mut sighting = Sighting::of(key.clone(), connector, seen, &life.workload);
            if let Some(name) = names.get(&sighting.platform) {
                sighting.platform = name.clone();
            }
            let host = life.workload.placement.host.value();
            if let Some(name) = host.and_then(|it| hosts.get(it)) {
                sighting = sighting.on_host(name);
            }
            sightings.push(sighting);
            members.insert(key, member);
        }
        let decisions: Vec<Decision> =
            self.store().decisions().await?.into_iter().map(decision).collect();
        Ok(Identities { correlation: correlate(&sightings, &[], &decisions), members, names })
    }

    /// What hosts are called, where several platforms may show one.
    async fn names_of_hosts(&self, lives: &[Life]) -> Result<HashMap<HostId, Text>, RememberError> {
        let platforms: BTreeSet<&str> = lives.iter().map(|it| it.platform.as_str()).collect();
        if platforms.len() < 2 {
            return Ok(HashMap::new());
        }
        let hosts = self.store().hosts(AsOf::Latest).await?;
        Ok(hosts.into_iter().map(|it| (it.id, it.name)).collect())
    }

    /// One name for platforms that say the same UUID of themselves and show the same machines: an export
    /// and a log-in name it differently.
    async fn names_of_platforms(
        &self,
        lives: &[Life],
    ) -> Result<BTreeMap<PlatformId, PlatformId>, RememberError> {
        let platforms = self.store().platforms(AsOf::Latest).await?;
        let mut workloads: HashMap<&str, (Reader, Vec<&Workload>)> = HashMap::new();
        for life in lives {
            let reader = reader(&life.connector);
            let of = workloads.entry(&life.platform).or_insert_with(|| (reader, Vec::new()));
            of.0 = of.0.min(reader);
            of.1.push(&life.workload);
        }
        let account = |platform| -> Option<PlatformAccount<'_>> {
            let platform: &Platform = platform;
            let (reader, workloads) = workloads.get(platform.id.as_str())?;
            Some(PlatformAccount { platform, reader: *reader, workloads: workloads.clone() })
        };
        Ok(same_platforms(&platforms.iter().filter_map(account).collect::<Vec<_>>()))
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
