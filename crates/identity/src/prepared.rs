//! Sightings made ready for joining: sorted, numbered, their facts in comparable form.

use std::collections::BTreeMap;

use entente_model::{Text, Uuid, WorkloadKind};

use crate::sighting::Sighting;
use crate::values::{self, Host};

/// A sighting with its facts in comparable form, and what is known of their worth.
pub(crate) struct Prepared<'a> {
    pub sighting: &'a Sighting,
    pub platform: u32,
    /// Platform and connector.
    pub feed: u32,
    pub from: i64,
    /// The end of time where the feed shows it to this day.
    pub to: i64,
    pub instance: Option<Uuid>,
    pub bios: Option<Uuid>,
    /// Sorted.
    pub macs: Vec<u64>,
    pub host: Option<Host>,
    pub name: Option<String>,
    pub disks: Option<Vec<u64>>,
    pub worth: Worth,
}

/// Which of a sighting's values are held by several machines. Filled by the joins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Worth {
    /// The feed used its native id for more than one sighting.
    pub native_is_reused: bool,
    pub instance_is_shared: bool,
    pub bios_is_shared: bool,
    /// Sorted.
    pub shared_macs: Vec<u64>,
    pub host_is_shared: bool,
    pub name_is_shared: bool,
}

impl Prepared<'_> {
    pub(crate) fn native(&self) -> Option<&Text> {
        self.sighting.native_id.value()
    }

    /// What was made of it may carry its UUID, or it carries that of what it was made of.
    pub(crate) fn is_copied(&self) -> bool {
        self.sighting.kind == WorkloadKind::Template
            || self.sighting.linked_clone.value() == Some(&true)
    }
}

/// The sightings in the order of their keys, and the keys that were given twice: the sighting that sorts
/// last by its facts stays.
pub(crate) fn prepare(sightings: &[Sighting]) -> (Vec<Prepared<'_>>, Vec<Text>) {
    let mut sorted: Vec<&Sighting> = sightings.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut repeated = Vec::new();
    // Of neighbours with one key, `dedup_by` would keep the first: from the back, that is the last.
    sorted.reverse();
    sorted.dedup_by(|later, kept| {
        let is_repeated = later.key == kept.key;
        if is_repeated {
            repeated.push(kept.key.clone());
        }
        is_repeated
    });
    sorted.reverse();
    repeated.sort();
    repeated.dedup();
    let platforms = numbers(sorted.iter().map(|it| it.platform.as_str()));
    let feeds = numbers(sorted.iter().map(|it| (it.platform.as_str(), it.connector.as_str())));
    let ready = sorted.into_iter().map(|sighting| {
        let platform = sighting.platform.as_str();
        let feed = (platform, sighting.connector.as_str());
        ready(sighting, number(&platforms, &platform), number(&feeds, &feed))
    });
    (ready.collect(), repeated)
}

fn numbers<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, u32> {
    let mut numbers: BTreeMap<K, u32> = keys.map(|key| (key, 0)).collect();
    numbers.values_mut().zip(0..).for_each(|(number, next)| *number = next);
    numbers
}

fn number<K: Ord>(numbers: &BTreeMap<K, u32>, key: &K) -> u32 {
    numbers.get(key).copied().unwrap_or_default()
}

fn ready(sighting: &Sighting, platform: u32, feed: u32) -> Prepared<'_> {
    let mut macs: Vec<u64> = sighting.macs.iter().filter_map(|it| values::mac(it)).collect();
    macs.sort_unstable();
    macs.dedup();
    Prepared {
        sighting,
        platform,
        feed,
        from: sighting.seen.first.unix_timestamp(),
        to: sighting.seen.last.map_or(i64::MAX, time::OffsetDateTime::unix_timestamp),
        instance: sighting.instance_uuid.copied().and_then(values::uuid),
        bios: sighting.bios_uuid.copied().and_then(values::uuid),
        macs,
        host: sighting.hostname.value().and_then(|it| Host::new(it)),
        name: values::name(&sighting.name),
        disks: sighting.disk_bytes.value().and_then(|it| values::disks(it)),
        worth: Worth::default(),
    }
}
