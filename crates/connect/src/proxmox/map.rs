//! What was answered → the model. Nothing here asks anything.

mod access;
mod activity;
mod availability;
mod guest;
mod hosts;
mod networks;
mod policies;
mod protection;
mod storage;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use entente_model::{
    ClusterId, DatastoreId, HostId, Moment, NetworkId, Observed, PlatformId, SourceId, Tally, Text,
    Why, WorkloadId,
};
use time::OffsetDateTime;

use super::wire::Gaps;

use crate::secrets::redacted;
pub(super) use access::{access, unlisted_tokens};
pub(super) use activity::{TaskLog, activity, receivers};
pub(super) use availability::{Availability, placement};
pub(super) use guest::{
    Ground, Guest, GuestRead, Kind, agent_may_answer, guests, listed, map_guest, may_filter,
    share_disks, tags,
};
pub(super) use hosts::{Nodes, hosts};
pub(super) use networks::{UsedNetworks, networks};
use policies::guest_policies;
pub(super) use policies::policies;
pub(super) use protection::{Protected, protection, unseen};
pub(super) use storage::{Storages, datastores, volumes};

/// What every mapper needs.
pub(super) struct Context<'a> {
    /// The platform.
    pub platform: PlatformId,
    /// The source.
    pub source: SourceId,
    /// Where gaps go.
    pub gaps: &'a Gaps,
    /// When this is.
    pub taken: Moment,
    tallies: Mutex<BTreeMap<&'static str, Tally>>,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        platform: PlatformId,
        source: SourceId,
        gaps: &'a Gaps,
        taken: Moment,
    ) -> Self {
        Self { platform, source, gaps, taken, tallies: Mutex::default() }
    }

    /// The same, with its gaps going elsewhere, and nothing counted.
    pub(super) fn logging_to<'b>(&self, gaps: &'b Gaps) -> Context<'b> {
        Context::new(self.platform.clone(), self.source.clone(), gaps, self.taken)
    }

    pub(super) fn host(&self, node: &str) -> Option<HostId> {
        HostId::on(&self.platform, node).ok()
    }

    pub(super) fn workload(&self, vmid: &str) -> Option<WorkloadId> {
        WorkloadId::on(&self.platform, vmid).ok()
    }

    pub(super) fn cluster(&self, name: &str) -> Option<ClusterId> {
        ClusterId::on(&self.platform, name).ok()
    }

    pub(super) fn datastore(&self, native: &str) -> Option<DatastoreId> {
        DatastoreId::on(&self.platform, native).ok()
    }

    pub(super) fn network(&self, native: &str) -> Option<NetworkId> {
        NetworkId::on(&self.platform, native).ok()
    }

    /// Counts an object that was read.
    pub(super) fn tally(&self, section: &'static str, cells: u64, is_mapped: bool) {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let tally = tallies.entry(section).or_default();
        tally.rows += 1;
        tally.cells += cells;
        tally.mapped += u64::from(is_mapped);
    }

    /// Says how many of a section were mapped, where only the end tells.
    pub(super) fn mapped(&self, section: &'static str, count: usize) {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        tallies.entry(section).or_default().mapped = count as u64;
    }

    /// What was counted.
    pub(super) fn tallies(&self) -> BTreeMap<Text, Tally> {
        let tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        tallies.iter().map(|(name, tally)| (Text::new_static(name), *tally)).collect()
    }

    /// So many seconds before the collection.
    pub(super) fn ago(&self, seconds: u64) -> Observed<Moment> {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        match self.taken {
            Moment::Utc(taken) => {
                let then = taken.checked_sub(time::Duration::seconds(seconds));
                Observed::or_why(then.map(Moment::Utc), Why::Unreadable)
            }
            Moment::Local(_) => Observed::Unobserved(Why::SourceLimit),
        }
    }
}

/// Seconds since 1970 as a moment.
pub(super) fn moment(seconds: u64) -> Option<Moment> {
    let at = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    Some(Moment::Utc(at))
}

/// A moment that is told in seconds since 1970; 0 means never.
pub(super) fn moment_or_never(seconds: Observed<u64>) -> Observed<Moment> {
    seconds.and_then(|seconds| match seconds {
        0 => Observed::Absent,
        seconds => Observed::or_why(moment(seconds), Why::Unreadable),
    })
}

/// Free text without secrets; blank is absent.
pub(super) fn note(text: Observed<Text>) -> Observed<Text> {
    text.and_then(|text| match text.trim() {
        "" => Observed::Absent,
        text => Observed::Value(redacted(text)),
    })
}
