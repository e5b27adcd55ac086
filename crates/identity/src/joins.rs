//! Joins: sightings that share a value become candidates; values held by several machines lose their
//! worth.
//!
//! Each join sorts (value, sighting) pairs and walks the runs of equal values. No run larger than
//! [`BUCKET_SIGHTINGS_MAX`] makes candidates, so that the whole stays near linear.

use entente_model::Text;

use crate::correlation::{Conflict, ConflictKind, Limit, LimitKind};
use crate::prepared::Prepared;
use crate::together::are_two;
use crate::values::written_mac;

/// Most sightings that may hold one value before it is worth nothing: what so many machines carry
/// singles none of them out, whatever the times. Reported when reached.
pub const BUCKET_SIGHTINGS_MAX: usize = 64;

/// What the joins found.
#[derive(Default)]
pub(crate) struct Joined {
    /// Pairs (smaller position, larger position), sorted, each once.
    pub candidates: Vec<(u32, u32)>,
    /// BIOS UUIDs held by several machines, and on several platforms.
    pub conflicts: Vec<Conflict>,
    pub limits: Vec<Limit>,
}

/// What a run of sightings with an equal value means.
struct Run<'r> {
    members: &'r [u32],
    is_full: bool,
}

/// Joins all sightings and fills in the worth of their values.
pub(crate) fn join(sightings: &mut [Prepared<'_>]) -> Joined {
    let mut joined = Joined::default();
    native_ids(sightings, &mut joined);
    instance_uuids(sightings, &mut joined);
    bios_uuids(sightings, &mut joined);
    macs(sightings, &mut joined);
    hosts(sightings, &mut joined);
    names(sightings, &mut joined);
    joined.candidates.sort_unstable();
    joined.candidates.dedup();
    joined
}

impl Joined {
    /// Every pair of a run that is not known to be two machines; none where the run is too large.
    fn propose(&mut self, sightings: &[Prepared<'_>], run: &Run<'_>) {
        if run.is_full {
            return;
        }
        for (a, b) in pairs(run.members) {
            let (Some(one), Some(other)) = (at(sightings, a), at(sightings, b)) else { continue };
            if !are_two(one, other) {
                self.candidates.push((a.min(b), a.max(b)));
            }
        }
    }

    fn limit(&mut self, run: &Run<'_>, kind: LimitKind, value: impl FnOnce() -> Text) {
        if run.is_full {
            self.limits.push(Limit { kind, value: value(), sightings: run.members.len() });
        }
    }
}

fn native_ids(sightings: &mut [Prepared<'_>], joined: &mut Joined) {
    let key = |it: &Prepared<'_>| it.native().map(|id| (it.platform, id.clone()));
    for (value, members) in runs(sightings, key) {
        let run = Run::new(&members);
        joined.limit(&run, LimitKind::NativeId, || value.1.clone());
        joined.propose(sightings, &run);
        let mut feeds: Vec<u32> =
            members.iter().filter_map(|it| Some(at(sightings, *it)?.feed)).collect();
        feeds.sort_unstable();
        for member in &members {
            let Some(it) = sightings.get_mut(*member as usize) else { continue };
            let from = feeds.partition_point(|feed| *feed < it.feed);
            let to = feeds.partition_point(|feed| *feed <= it.feed);
            it.worth.native_is_reused = to - from > 1;
        }
    }
}

fn instance_uuids(sightings: &mut [Prepared<'_>], joined: &mut Joined) {
    for (value, members) in runs(sightings, |it| it.instance) {
        let run = Run::new(&members);
        joined.limit(&run, LimitKind::InstanceUuid, || value.to_string().into());
        joined.propose(sightings, &run);
        if run.is_full || some_two(sightings, &members, |_, _| true) {
            each(sightings, &members, |it| it.worth.instance_is_shared = true);
        }
    }
}

fn bios_uuids(sightings: &mut [Prepared<'_>], joined: &mut Joined) {
    for (value, members) in runs(sightings, |it| it.bios) {
        let run = Run::new(&members);
        joined.limit(&run, LimitKind::BiosUuid, || value.to_string().into());
        joined.propose(sightings, &run);
        let mut copied =
            members.iter().filter_map(|it| at(sightings, *it)).map(Prepared::is_copied);
        let first = copied.next();
        let is_passed_on = copied.any(|it| Some(it) != first);
        if run.is_full || is_passed_on || some_two(sightings, &members, |_, _| true) {
            each(sightings, &members, |it| it.worth.bios_is_shared = true);
            if !run.is_full && on_several_platforms(sightings, &members) {
                let keys =
                    members.iter().filter_map(|it| Some(at(sightings, *it)?.sighting.key.clone()));
                joined.conflicts.push(Conflict {
                    kind: ConflictKind::SharedUuid,
                    sightings: keys.collect(),
                    values: vec![value.to_string().into()],
                });
            }
        }
    }
}

fn macs(sightings: &mut [Prepared<'_>], joined: &mut Joined) {
    let mut held: Vec<(u64, u32)> = Vec::new();
    for (position, it) in (0..).zip(sightings.iter()) {
        held.extend(it.macs.iter().map(|mac| (*mac, position)));
    }
    for (mac, members) in grouped(held) {
        let run = Run::new(&members);
        joined.limit(&run, LimitKind::Mac, || written_mac(mac).into());
        joined.propose(sightings, &run);
        if run.is_full || some_two(sightings, &members, |_, _| true) {
            each(sightings, &members, |it| it.worth.shared_macs.push(mac));
        }
    }
}

fn hosts(sightings: &mut [Prepared<'_>], joined: &mut Joined) {
    let label = |it: &Prepared<'_>| it.host.as_ref().map(|host| host.label.clone());
    for (value, members) in runs(sightings, label) {
        let run = Run::new(&members);
        joined.limit(&run, LimitKind::HostName, || value.as_str().into());
        let same = |a: &Prepared<'_>, b: &Prepared<'_>| matches!((&a.host, &b.host), (Some(one), Some(other)) if one.fits(other));
        if run.is_full || some_two(sightings, &members, same) {
            each(sightings, &members, |it| it.worth.host_is_shared = true);
        }
    }
}

/// A name alone makes no candidates; with a host name or with the disks' sizes it does.
fn names(sightings: &mut [Prepared<'_>], joined: &mut Joined) {
    for (value, members) in runs(sightings, |it| it.name.clone()) {
        let run = Run::new(&members);
        joined.limit(&run, LimitKind::Name, || value.as_str().into());
        if run.is_full || some_two(sightings, &members, |_, _| true) {
            each(sightings, &members, |it| it.worth.name_is_shared = true);
            continue;
        }
        let held = |it: &u32| Some((at(sightings, *it)?, *it));
        let by_host = members.iter().filter_map(held);
        let by_host: Vec<_> =
            by_host.filter_map(|(it, at)| Some((it.host.as_ref()?.label.as_str(), at))).collect();
        let by_disks = members.iter().filter_map(held);
        let by_disks: Vec<_> =
            by_disks.filter_map(|(it, at)| Some((it.disks.as_deref()?, at))).collect();
        let found: Vec<_> = grouped(by_host).map(|(_, found)| found).collect();
        for members in found.into_iter().chain(grouped(by_disks).map(|(_, found)| found)) {
            joined.propose(sightings, &Run::new(&members));
        }
    }
}

impl<'r> Run<'r> {
    fn new(members: &'r [u32]) -> Self {
        Self { members, is_full: members.len() > BUCKET_SIGHTINGS_MAX }
    }
}

fn at<'s, 'a>(sightings: &'s [Prepared<'a>], position: u32) -> Option<&'s Prepared<'a>> {
    sightings.get(position as usize)
}

fn each(sightings: &mut [Prepared<'_>], members: &[u32], change: impl Fn(&mut Prepared<'_>)) {
    for member in members {
        if let Some(it) = sightings.get_mut(*member as usize) {
            change(it);
        }
    }
}

/// True if two of them are known to be two machines that hold the value at the same time.
fn some_two(
    sightings: &[Prepared<'_>],
    members: &[u32],
    same: impl Fn(&Prepared<'_>, &Prepared<'_>) -> bool,
) -> bool {
    pairs(members).any(|(a, b)| {
        let (Some(a), Some(b)) = (at(sightings, a), at(sightings, b)) else { return false };
        are_two(a, b) && same(a, b)
    })
}

fn on_several_platforms(sightings: &[Prepared<'_>], members: &[u32]) -> bool {
    let mut platforms = members.iter().filter_map(|it| Some(at(sightings, *it)?.platform));
    let first = platforms.next();
    platforms.any(|it| Some(it) != first)
}

fn pairs(members: &[u32]) -> impl Iterator<Item = (u32, u32)> + '_ {
    let rest = |from: usize| members.iter().skip(from + 1);
    members.iter().enumerate().flat_map(move |(from, a)| rest(from).map(move |b| (*a, *b)))
}

/// The sightings that hold each value that at least two hold.
fn runs<K: Ord>(
    sightings: &[Prepared<'_>],
    key: impl Fn(&Prepared<'_>) -> Option<K>,
) -> Vec<(K, Vec<u32>)> {
    let held = (0..).zip(sightings).filter_map(|(position, it)| Some((key(it)?, position)));
    grouped(held.collect()).collect()
}

fn grouped<K: Ord>(mut held: Vec<(K, u32)>) -> impl Iterator<Item = (K, Vec<u32>)> {
    held.sort_unstable();
    let mut held = held.into_iter().peekable();
    std::iter::from_fn(move || {
        loop {
            let (key, first) = held.next()?;
            let mut members = vec![first];
            while let Some((_, next)) = held.next_if(|(other, _)| *other == key) {
                members.push(next);
            }
            if members.len() > 1 {
                return Some((key, members));
            }
        }
    })
}
