//! Each guest, so many at once. A guest that is not where it was listed may have moved, as guests do
//! while they run: before it is said to be gone, the cluster is asked where it is.

use std::collections::BTreeMap;

use entente_model::{GapCause, NativePolicy, Text, Workload};
use serde_json::Value;

use super::answers::{Answers, log};
use super::session::Failure;
use super::{Reader, ask};
use crate::live::{Found, each};
use crate::proxmox::map::{self, Guest, GuestRead, UsedNetworks};
use crate::proxmox::wire::Gaps;

const LIST: &str = "/cluster/resources";
/// How often a guest that is not where it was listed is looked for.
const ROUNDS_MAX: usize = 3;

/// What came of all guests.
#[derive(Default)]
pub(super) struct GuestsRead {
    pub workloads: Vec<Workload>,
    /// Their firewalls.
    pub policies: Vec<NativePolicy>,
    /// Networks on which they are.
    pub networks: UsedNetworks,
}

impl GuestsRead {
    fn take(&mut self, attempt: Attempt, gaps: &Gaps) {
        gaps.append(attempt.gaps);
        self.workloads.extend(attempt.read.workload);
        self.policies.extend(attempt.read.policies);
        self.networks.extend(attempt.read.networks);
    }
}

/// One reading of one guest.
struct Attempt {
    guest: Guest,
    read: GuestRead,
    /// What went wrong: it counts only if this is not read again.
    gaps: Gaps,
    /// Something about it was not there.
    is_lost: bool,
}

/// Where guests are now.
struct Now {
    /// By number.
    guests: BTreeMap<Text, Guest>,
    /// Every element was understood.
    is_whole: bool,
}

impl Reader<'_> {
    /// Every guest.
    pub(super) async fn read_guests(
        &self,
        guests: &[Guest],
        ground: &map::Ground<'_>,
    ) -> GuestsRead {
        let limits = &self.session.run().target.limits;
        let room = usize::try_from(limits.objects_max).unwrap_or(usize::MAX);
        if guests.len() > room {
            let left_out = (guests.len() - room) as u64;
            let message = format!("only the first {room} guests are read");
            let found = Found::of(GapCause::LimitReached, "workloads", &message);
            self.gaps.add_many(found, left_out);
        }
        let mut all = GuestsRead::default();
        let mut guests = guests.get(..room).unwrap_or(guests).to_vec();
        for round in 1..=ROUNDS_MAX {
            let attempts = each(limits.parallel_calls, &guests, |guest| {
                Box::pin(self.read_guest(guest, ground))
            });
            let (lost, read): (Vec<_>, Vec<_>) =
                attempts.await.into_iter().partition(|it| it.is_lost);
            read.into_iter().for_each(|it| all.take(it, self.gaps));
            if lost.is_empty() {
                break;
            }
            guests = self.look_for(lost, round < ROUNDS_MAX, &mut all).await;
        }
        self.watch("workloads", all.workloads.len(), 5);
        all
    }

    async fn read_guest(&self, guest: &Guest, ground: &map::Ground<'_>) -> Attempt {
        let mut answers = Answers::default();
        let gaps = Gaps::default();
        if ground.nodes.offline.contains(&guest.node) {
            let message = "the guest's node is offline: its configuration cannot be read";
            let found = Found::of(GapCause::Unreachable, "workloads", message);
            gaps.add(found.value(&guest.node));
        } else {
            answers.ask_in_turn(self.session, &gaps, &ask::of_guest(guest)).await;
            let more = ask::of_configured(guest, &answers);
            answers.ask_in_turn(self.session, &gaps, &more).await;
            let rest = ask::of_firewall(guest, &answers);
            answers.ask_in_turn(self.session, &gaps, &rest).await;
            let sets = ask::of_guest_sets(guest, &answers);
            answers.ask_in_turn(self.session, &gaps, &sets).await;
        }
        let read = map::map_guest(&self.context.logging_to(&gaps), guest, &answers, ground);
        Attempt { guest: guest.clone(), read, gaps, is_lost: answers.is_of_vanished() }
    }

    /// Asks where guests are that were not where they were listed. Those to be read again come back;
    /// those that are gone leave their gaps; what else was read of the rest is kept.
    async fn look_for(
        &self,
        lost: Vec<Attempt>,
        may_read_again: bool,
        all: &mut GuestsRead,
    ) -> Vec<Guest> {
        let Some(now) = self.list_again().await else {
            lost.into_iter().for_each(|it| all.take(it, self.gaps));
            return Vec::new();
        };
        let mut again = Vec::new();
        for mut attempt in lost {
            match now.guests.get(&attempt.guest.vmid) {
                None if now.is_whole => {
                    attempt.read = GuestRead::default();
                    all.take(attempt, self.gaps);
                }
                Some(found) if may_read_again => again.push(attempt.guest.found_again(found)),
                _ => all.take(attempt, self.gaps),
            }
        }
        again
    }

    /// Where guests are now; nothing if that is not told.
    async fn list_again(&self) -> Option<Now> {
        let failure = match self.session.get(LIST, &[], &[("type", "vm")]).await {
            Ok(Value::Array(list)) => {
                let (guests, is_whole) = map::listed(&list, &Gaps::default());
                let guests = guests.into_iter().map(|it| (it.vmid.clone(), it)).collect();
                return Some(Now { guests, is_whole });
            }
            Ok(_) => Failure::unexpected(LIST, "list"),
            Err(failure) => failure,
        };
        log(self.gaps, &["workloads"], LIST, &failure);
        None
    }
}
