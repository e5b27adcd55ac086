//! Domains: each question is asked of all of them before the next question.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::Uuid;

use super::client::Client;
use crate::libvirt::wire::failure::Failure;
use crate::libvirt::wire::procedures as ask;
use crate::libvirt::wire::procedures::{Domain, OfDomain, Procedure};
use crate::libvirt::wire::reading::{AGENT_CHANNEL, DomainReading, Read, agent_state};
use crate::libvirt::wire::xml::Element;

/// Filters of the list of domains.
const PERSISTENT: u32 = 1 << 2;
const SAVED: u32 = 1 << 8;
const AUTOSTART: u32 = 1 << 10;
const WITH_SNAPSHOT: u32 = 1 << 12;
const WITH_CHECKPOINT: u32 = 1 << 14;

/// Who tells a guest's addresses.
const BY_LEASE: u32 = 0;
const BY_AGENT: u32 = 1;

/// How often a domain is read again of which state and XML are of different moments.
const AGAIN_MAX: usize = 3;

/// Operating system, host name and file systems.
const AGENT_FACTS: u32 = 2 | 8 | 16;

/// All domains, and how many of them were left out for the limit on objects.
pub async fn all(client: &mut Client<'_>) -> (Read<Vec<DomainReading>>, u64) {
    let mut domains = match client.call(ask::ListDomains { flags: 0 }).await {
        Ok(domains) => domains,
        Err(failure) => return (Err(failure), 0),
    };
    domains.sort();
    let most = usize::try_from(client.run().target.limits.objects_max).unwrap_or(usize::MAX);
    let left_out = domains.len().saturating_sub(most) as u64;
    domains.truncate(most);
    let lists = Lists::read(client).await;
    (Ok(read(client, domains, &lists).await), left_out)
}

/// Which domains there are.
pub async fn ids(client: &mut Client<'_>) -> Read<BTreeSet<Uuid>> {
    uuids(client.call(ask::ListDomains { flags: 0 }).await)
}

/// Domains of which some may be gone, and which are. One that cannot be found, though it is not gone,
/// is one of which nothing else is known.
pub async fn these(
    client: &mut Client<'_>,
    domains: Vec<Domain>,
) -> (Vec<DomainReading>, Vec<Uuid>) {
    let calls: Vec<_> = domains.iter().map(|it| ask::FindDomain { uuid: it.uuid }).collect();
    let answers = client.calls(&calls).await;
    let (mut found, mut unread, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for (domain, answer) in domains.into_iter().zip(answers) {
        match answer {
            Ok(domain) => found.push(domain),
            Err(failure) if failure.is_gone() => gone.push(domain.uuid),
            Err(failure) => unread.push((domain, failure)),
        }
    }
    let lists = Lists::read(client).await;
    let mut readings = read(client, found, &lists).await;
    // Deleted between two questions.
    gone.extend(readings.iter().filter(|it| it.is_gone()).map(|it| it.domain.uuid));
    readings.retain(|it| !it.is_gone());
    for (domain, failure) in unread {
        let mut reading = begin(domain, &lists);
        reading.stored = Some(Err(failure.clone()));
        reading.state = Err(failure.clone());
        reading.snapshots = Err(failure.clone());
        reading.checkpoints = Err(failure);
        readings.push(reading);
    }
    (readings, gone)
}

/// Which domains have a property: the list of domains answers that for all of them at once.
struct Lists {
    persistent: Read<BTreeSet<Uuid>>,
    autostart: Read<BTreeSet<Uuid>>,
    with_snapshot: Read<BTreeSet<Uuid>>,
    with_checkpoint: Read<BTreeSet<Uuid>>,
}

impl Lists {
    async fn read(client: &mut Client<'_>) -> Self {
        let flags = [PERSISTENT, AUTOSTART, WITH_SNAPSHOT, WITH_CHECKPOINT];
        let calls = flags.map(|flags| ask::ListDomains { flags });
        let mut lists = client.calls(&calls).await.into_iter().map(uuids);
        let mut next = || lists.next().unwrap_or_else(|| Err(missing()));
        Self {
            persistent: next(),
            autostart: next(),
            with_snapshot: next(),
            with_checkpoint: next(),
        }
    }
}

fn uuids(list: Read<Vec<Domain>>) -> Read<BTreeSet<Uuid>> {
    list.map(|domains| domains.into_iter().map(|it| it.uuid).collect())
}

fn missing() -> Failure {
    Failure::NotAsked("it had no answer".into())
}

fn within(list: &Read<BTreeSet<Uuid>>, domain: &Domain) -> Read<bool> {
    list.as_ref().map(|it| it.contains(&domain.uuid)).map_err(Clone::clone)
}

async fn read(client: &mut Client<'_>, domains: Vec<Domain>, lists: &Lists) -> Vec<DomainReading> {
    let mut odd: Vec<_> = domains.into_iter().map(|it| begin(it, lists)).collect();
    let mut readings = Vec::with_capacity(odd.len());
    moments(client, &mut odd).await;
    for _ in 0..AGAIN_MAX {
        let (sound, left): (Vec<_>, Vec<_>) = odd.into_iter().partition(|it| it.is_consistent());
        readings.extend(sound);
        odd = left;
        if odd.is_empty() {
            break;
        }
        let calls: Vec<_> = odd.iter().map(|it| ask::FindDomain { uuid: it.domain.uuid }).collect();
        for (reading, found) in odd.iter_mut().zip(client.calls(&calls).await) {
            // That it is gone shows again when its XML is asked for.
            reading.domain = found.unwrap_or_else(|_| reading.domain.clone());
        }
        moments(client, &mut odd).await;
    }
    readings.extend(odd);
    // After the states: what was saved since is off by now, and what was started is on.
    let saved = uuids(client.call(ask::ListDomains { flags: SAVED }).await);
    for reading in &mut readings {
        reading.saved = within(&saved, &reading.domain);
    }
    sizes(client, &mut readings).await;
    snapshots(client, &mut readings, lists).await;
    checkpoints(client, &mut readings, lists).await;
    guests(client, &mut readings).await;
    readings
}

/// XML as it runs, XML as it is stored, and state: one after the other, so that they may be of different
/// moments.
async fn moments(client: &mut Client<'_>, readings: &mut [DomainReading]) {
    let live = xml(client, readings, false, |it| it.domain.id >= 0).await;
    // What is not known to be kept is asked for as if it were: the host knows.
    let stored = xml(client, readings, true, |it| it.persistent != Ok(false)).await;
    let calls: Vec<_> =
        readings.iter().map(|it| ask::DomainState { domain: it.domain.clone() }).collect();
    let states = client.calls(&calls).await;
    for (((reading, live), stored), state) in readings.iter_mut().zip(live).zip(stored).zip(states)
    {
        (reading.live, reading.stored, reading.state) = (live, stored, state);
        if reading.live.is_some() && !matches!(reading.persistent, Ok(true)) {
            // A domain that is not kept has nothing stored: the same document would come twice.
            reading.stored = None;
        }
    }
}

fn begin(domain: Domain, lists: &Lists) -> DomainReading {
    DomainReading {
        live: None,
        stored: None,
        state: Err(missing()),
        persistent: within(&lists.persistent, &domain),
        autostart: within(&lists.autostart, &domain),
        saved: Err(missing()),
        snapshots: Ok(Vec::new()),
        checkpoints: Ok(Vec::new()),
        sizes: BTreeMap::new(),
        leases: None,
        agent_addresses: None,
        agent_facts: None,
        domain,
    }
}

/// Asks something about some of the domains; nothing for the others.
async fn about<P: Procedure>(
    client: &mut Client<'_>,
    readings: &[DomainReading],
    applies: impl Fn(&DomainReading) -> bool,
    question: impl Fn(Domain) -> P,
) -> Vec<Option<Read<P::Reply>>> {
    let asked: Vec<bool> = readings.iter().map(applies).collect();
    let some = readings.iter().zip(&asked).filter(|it| *it.1);
    let questions: Vec<_> = some.map(|it| question(it.0.domain.clone())).collect();
    let mut replies = client.calls(&questions).await.into_iter();
    asked.into_iter().map(|asked| if asked { replies.next() } else { None }).collect()
}

async fn xml(
    client: &mut Client<'_>,
    readings: &[DomainReading],
    inactive: bool,
    applies: impl Fn(&DomainReading) -> bool,
) -> Vec<Option<Read<String>>> {
    about(client, readings, applies, |domain| ask::DomainXml { domain, inactive }).await
}

/// Sizes of the images behind disks.
async fn sizes(client: &mut Client<'_>, readings: &mut [DomainReading]) {
    let mut places = Vec::new();
    let mut calls = Vec::new();
    for (place, reading) in readings.iter().enumerate() {
        for disk in disks_with_image(reading) {
            places.push((place, disk.clone()));
            calls.push(ask::DiskSize { domain: reading.domain.clone(), disk });
        }
    }
    let replies = client.calls(&calls).await;
    for ((place, disk), reply) in places.into_iter().zip(replies) {
        if let Some(reading) = readings.get_mut(place) {
            reading.sizes.insert(disk, reply);
        }
    }
}

fn disks_with_image(reading: &DomainReading) -> Vec<String> {
    // XML that cannot be read is a gap where it is mapped.
    let Some(Ok(domain)) = reading.xml().map(Element::parse) else { return Vec::new() };
    let Some(devices) = domain.at("devices") else { return Vec::new() };
    let disks = devices
        .all("disk")
        .filter(|disk| matches!(disk.attribute("device"), None | Some("disk" | "lun")));
    disks.filter_map(|it| it.attribute_at("target", "dev")).map(str::to_owned).collect()
}

async fn snapshots(client: &mut Client<'_>, readings: &mut [DomainReading], lists: &Lists) {
    let some = |it: &DomainReading| has(&lists.with_snapshot, it);
    let names = about(client, readings, some, |domain| ask::ListSnapshots { domain }).await;
    let question = |snapshot: OfDomain| ask::SnapshotXml { snapshot };
    for (reading, documents) in readings.iter_mut().zip(documents(client, names, question).await) {
        reading.snapshots = documents.unwrap_or_else(|| Ok(Vec::new()));
    }
}

async fn checkpoints(client: &mut Client<'_>, readings: &mut [DomainReading], lists: &Lists) {
    let some = |it: &DomainReading| has(&lists.with_checkpoint, it);
    let names = about(client, readings, some, |domain| ask::ListCheckpoints { domain }).await;
    let question = |checkpoint: OfDomain| ask::CheckpointXml { checkpoint };
    for (reading, documents) in readings.iter_mut().zip(documents(client, names, question).await) {
        reading.checkpoints = documents.unwrap_or_else(|| Ok(Vec::new()));
    }
}

/// Where the list could not be filtered, every domain is asked.
fn has(list: &Read<BTreeSet<Uuid>>, reading: &DomainReading) -> bool {
    within(list, &reading.domain) != Ok(false)
}

type Documents = Option<Read<Vec<Read<String>>>>;

async fn documents<P: Procedure<Reply = String>>(
    client: &mut Client<'_>,
    names: Vec<Option<Read<Vec<OfDomain>>>>,
    question: impl Fn(OfDomain) -> P,
) -> Vec<Documents> {
    let questions: Vec<_> =
        names.iter().flatten().flatten().flatten().cloned().map(question).collect();
    let mut replies = client.calls(&questions).await.into_iter();
    let fetched = names.into_iter().map(|names| {
        Some(names?.map(|names| names.iter().filter_map(|_| replies.next()).collect()))
    });
    fetched.collect()
}

/// What is known of guests that run.
async fn guests(client: &mut Client<'_>, readings: &mut [DomainReading]) {
    let by = |source| move |domain| ask::GuestAddresses { domain, source };
    let leases = about(client, readings, |it| it.live.is_some(), by(BY_LEASE)).await;
    let full_access = !client.is_read_only();
    let with_agent = |it: &DomainReading| full_access && has_agent(it);
    let addresses = about(client, readings, with_agent, by(BY_AGENT)).await;
    let kinds = AGENT_FACTS;
    let facts =
        about(client, readings, with_agent, |domain| ask::GuestFacts { domain, kinds }).await;
    for (((reading, leases), addresses), facts) in
        readings.iter_mut().zip(leases).zip(addresses).zip(facts)
    {
        reading.leases = leases;
        reading.agent_addresses = addresses;
        reading.agent_facts = facts;
    }
}

/// An agent in the guest is connected.
fn has_agent(reading: &DomainReading) -> bool {
    let Some(Ok(xml)) = &reading.live else { return false };
    // A look at the text spares parsing the many that have none.
    xml.contains(AGENT_CHANNEL)
        && Element::parse(xml).is_ok_and(|it| agent_state(&it) == Some("connected"))
}
