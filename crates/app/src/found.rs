//! One workload by whatever people call it, with all its sightings: found without reading all others.

use std::collections::{BTreeMap, BTreeSet};

use entente_identity::{BUCKET_SIGHTINGS_MAX, Identity};
use entente_model::{Observed, Uuid, Workload};
use entente_store::{AsOf, Life, LivesOf};

use crate::identities::{Identities, key};
use crate::remembered::{Memory, RememberError};

/// Names among which the nearest to an unknown one is looked for.
const NAMES_MAX: u32 = 200_000;

/// A workload: its sightings, and those that were weighed with them.
pub(crate) struct Found {
    /// Which sightings are one.
    pub identities: Identities,
    /// It.
    pub identity: Identity,
    /// Its lives, by the time they were first seen.
    pub lives: Vec<Life>,
}

impl Memory {
    /// The workload that is meant by a name, id, host name, address or UUID.
    pub(crate) async fn find(&self, term: &str) -> Result<Found, RememberError> {
        let ended = self.store().lives_of(&LivesOf::Ended).await?;
        let mut meant = self.store().named(term).await?;
        if meant.is_empty() {
            meant = ended
                .iter()
                .filter(|it| is_named(&it.workload, term))
                .map(|it| it.entity)
                .collect();
        }
        if meant.is_empty() {
            let names = self.store().workload_names(NAMES_MAX).await?;
            let near = entente_expr::nearest(term, names.iter().map(String::as_str));
            let near = near.map(str::to_owned);
            return Err(RememberError::UnknownWorkload { given: term.to_owned(), near });
        }
        let (identities, lives) = self.family(&meant, ended).await?;
        let identity = only(&identities, &meant, term)?;
        let keys: Vec<Life> = identity
            .sightings
            .iter()
            .filter_map(|it| lives.values().find(|life| key(life) == *it).cloned())
            .collect();
        Ok(Found { identities, identity, lives: keys })
    }

    /// Everything that may be one with these: whoever shares a value with one of them, or with one that
    /// is found to be the same. Lives that ended are all looked at, since no index holds their words.
    async fn family(
        &self,
        meant: &BTreeSet<i64>,
        ended: Vec<Life>,
    ) -> Result<(Identities, BTreeMap<i64, Life>), RememberError> {
        let mut lives: BTreeMap<i64, Life> = ended.into_iter().map(|it| (it.entity, it)).collect();
        let mut asked: BTreeSet<i64> = BTreeSet::new();
        let mut next: BTreeSet<i64> = meant.clone();
        loop {
            self.fetch(&mut lives, &next).await?;
            let mut near: BTreeSet<i64> = BTreeSet::new();
            for life in next.iter().filter_map(|it| lives.get(it)) {
                near.extend(self.sharers(life).await?);
            }
            self.fetch(&mut lives, &near).await?;
            asked.append(&mut next);
            let all: Vec<Life> = lives.values().cloned().collect();
            let identities = self.identities_of(&all).await?;
            for identity in &identities.correlation.identities {
                let members = identity.sightings.iter().filter_map(|it| identities.members.get(it));
                let members: Vec<i64> = members.map(|it| it.entity).collect();
                if members.iter().any(|it| asked.contains(it)) {
                    next.extend(members.into_iter().filter(|it| !asked.contains(it)));
                }
            }
            if next.is_empty() {
                return Ok((identities, lives));
            }
        }
    }

    async fn fetch(
        &self,
        lives: &mut BTreeMap<i64, Life>,
        wanted: &BTreeSet<i64>,
    ) -> Result<(), RememberError> {
        let missing: Vec<i64> =
            wanted.iter().filter(|it| !lives.contains_key(it)).copied().collect();
        if !missing.is_empty() {
            let found = self.store().lives_of(&LivesOf::These(missing)).await?;
            lives.extend(found.into_iter().map(|it| (it.entity, it)));
        }
        Ok(())
    }

    /// Numbers of workloads that are there now and share something with this one by which machines are
    /// told.
    async fn sharers(&self, life: &Life) -> Result<BTreeSet<i64>, RememberError> {
        // One more than is looked through: that a value is too common is knowledge, too.
        let limit = u32::try_from(BUCKET_SIGHTINGS_MAX).unwrap_or(u32::MAX).saturating_add(1);
        let (store, workload) = (self.store(), &life.workload);
        let mut found = store.holders(&workload.name.to_lowercase(), limit).await?;
        if let Observed::Value(name) = &workload.guest.hostname {
            let name = name.trim().trim_end_matches('.').to_lowercase();
            let label = name.split('.').next().unwrap_or_default();
            found.extend(store.hosts_labelled(label, limit).await?);
        }
        for uuid in
            [&workload.instance_uuid, &workload.bios_uuid].into_iter().filter_map(|it| it.value())
        {
            for uuid in [*uuid, Uuid::from_bytes_le(*uuid.as_bytes())] {
                found.extend(store.holders(&uuid.to_string(), limit).await?);
            }
        }
        for mac in workload.nics.iter().filter_map(|it| it.mac.value()) {
            found.extend(store.holders(&mac.to_lowercase(), limit).await?);
        }
        for platform in self.namesakes(life).await? {
            let native = workload.id.native(&workload.platform);
            found.extend(store.with_id(&platform, &format!("{platform}/{native}")).await?);
        }
        Ok(found)
    }

    /// Ids of platforms that say the same UUID of themselves, its own among them.
    async fn namesakes(&self, life: &Life) -> Result<BTreeSet<String>, RememberError> {
        let platforms = self.store().platforms(AsOf::Latest).await?;
        let uuid = |it: &entente_model::Platform| it.uuid.value().map(|it| it.to_lowercase());
        let own: BTreeSet<String> = platforms
            .iter()
            .filter(|it| it.id.as_str() == life.platform)
            .filter_map(uuid)
            .collect();
        let same = platforms.iter().filter(|it| uuid(it).is_some_and(|it| own.contains(&it)));
        Ok(same.map(|it| it.id.to_string()).chain([life.platform.clone()]).collect())
    }
}

/// The only machine among those that are meant: of several, the one that is there.
pub(crate) fn only(
    identities: &Identities,
    meant: &BTreeSet<i64>,
    term: &str,
) -> Result<Identity, RememberError> {
    let member = |key: &entente_model::Text| identities.members.get(key);
    let is_meant = |it: &&Identity| {
        let mut members = it.sightings.iter().filter_map(member);
        members.any(|it| meant.contains(&it.entity))
    };
    let all: Vec<&Identity> = identities.correlation.identities.iter().filter(is_meant).collect();
    let is_there = |it: &&&Identity| {
        let mut members = it.sightings.iter().filter_map(member);
        members.any(|it| it.ended.is_none() && meant.contains(&it.entity))
    };
    let there: Vec<&Identity> = all.iter().filter(is_there).copied().collect();
    let chosen = if there.is_empty() { all } else { there };
    match chosen.as_slice() {
        [one] => Ok((*one).clone()),
        several => {
            let latest = |it: &&Identity| {
                let members = it.sightings.iter().filter_map(member);
                members
                    .max_by_key(|it| (it.ended.is_none(), it.last.is_none(), it.first))
                    .map(|it| it.id.clone())
            };
            let ids: BTreeSet<String> = several.iter().filter_map(latest).collect();
            Err(RememberError::Several { given: term.to_owned(), ids: ids.into_iter().collect() })
        }
    }
}

/// One of the names by which people know a machine.
pub(crate) fn is_named(workload: &Workload, term: &str) -> bool {
    let same = |text: &str| text.eq_ignore_ascii_case(term);
    let uuids = [&workload.instance_uuid, &workload.bios_uuid];
    same(&workload.name)
        || same(workload.id.as_str())
        || workload.native_id.value().is_some_and(|it| same(it))
        || workload.guest.hostname.value().is_some_and(|it| same(it))
        || uuids.iter().any(|it| it.value().is_some_and(|it| same(&it.to_string())))
        || workload.guest.primary_address.value().is_some_and(|it| same(&it.to_string()))
        || workload.nics.iter().any(|nic| {
            nic.mac.value().is_some_and(|it| same(it))
                || nic.addresses.iter().any(|it| same(&it.to_string()))
        })
}

#[cfg(test)]
mod tests;
