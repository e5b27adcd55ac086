//! What every connector to a running platform has to bear. The registry feeds it: a connector without a
//! twin fails the first test, and every other test runs against the twin of each.
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

mod bench;

use std::collections::BTreeSet;
use std::time::Duration;

use bench::{Bench, each_connector};
use entente_connect::live::{Cancel, Refusal, Trust};
use entente_model::{Collection, GapCause};
use entente_twins::live::{Fault, Setup};

fn names(collection: &Collection) -> BTreeSet<&str> {
    collection.workloads.iter().map(|it| it.name.as_str()).collect()
}

/// All workloads are there. Where a platform knows no two of one name, its twin gives some another.
fn assert_whole(collection: &Collection, bench: &Bench) {
    let name = bench.name;
    assert_eq!(collection.workloads.len(), bench.world.workloads.len(), "{name}");
    let missing: Vec<_> = names(&bench.world).difference(&names(collection)).copied().collect();
    assert_eq!(missing, [""; 0], "{name}");
}

fn has_gap(collection: &Collection, causes: &[GapCause], section: Option<&str>) -> bool {
    collection.gaps.iter().any(|gap| {
        let there = section.is_none() || gap.place.section.as_deref() == section;
        there && causes.contains(&gap.cause)
    })
}

/// What a call may leave behind that failed.
const FAILED: [GapCause; 5] = [
    GapCause::CallFailed,
    GapCause::Truncated,
    GapCause::TimedOut,
    GapCause::LimitReached,
    GapCause::Unreachable,
];

#[test]
fn every_connector_to_a_running_platform_has_a_twin() {
    let twins: Vec<_> = entente_twins::live::platforms().iter().map(|it| it.connector()).collect();
    for name in bench::live_connectors() {
        assert!(twins.contains(&name), "`{name}` has no twin in entente_twins::live::platforms()");
    }
    assert!(!twins.is_empty());
}

#[test]
fn a_sound_platform_is_read_whole_and_twice_the_same() {
    each_connector(async |bench: Bench| {
        let twin = bench.serve(Setup::default()).await;
        let first = bench.collect(&twin).await.unwrap();
        assert_whole(&first, &bench);
        assert!(!has_gap(&first, &FAILED, None), "{}: {:?}", bench.name, first.gaps);
        assert!(!has_gap(&first, &[GapCause::NoPermission], None), "{:?}", first.gaps);
        let (one, other) = tokio::join!(bench.collect(&twin), bench.collect(&twin));
        assert_eq!(one.unwrap().workloads, first.workloads, "{}", bench.name);
        assert_eq!(other.unwrap().workloads, first.workloads, "{}", bench.name);
    });
}

#[test]
fn a_collection_says_where_it_is_from_and_what_it_can_never_tell() {
    each_connector(async |bench: Bench| {
        let twin = bench.serve(Setup::default()).await;
        let target = bench.target(&twin);
        let collection = bench.collect_with(&target).await.unwrap();
        assert_eq!(collection.source.connector, bench.name);
        assert_eq!(collection.source.taken, Some(target.taken));
        assert!(collection.source.version.is_some(), "{}", bench.name);
        assert!(!collection.source.limits.is_empty(), "{}", bench.name);
        assert_eq!(collection.platforms.len(), 1, "{}", bench.name);
        assert!(collection.workloads.iter().all(|it| it.source == collection.source.id));
        let tally = collection.source.sections.get("workloads").copied().unwrap_or_default();
        assert_eq!(tally.mapped, collection.workloads.len() as u64, "{}", bench.name);
        let ids: BTreeSet<_> = collection.workloads.iter().map(|it| &it.id).collect();
        assert_eq!(ids.len(), collection.workloads.len(), "{}: ids repeat", bench.name);
        assert!(collection.workloads.is_sorted_by(|a, b| a.id <= b.id), "{}", bench.name);
    });
}

#[test]
fn an_empty_platform_is_empty_and_no_error() {
    each_connector(async |bench: Bench| {
        let twin = bench.serve_empty().await;
        let collection = bench.collect(&twin).await.unwrap();
        assert_eq!(collection.workloads, [], "{}", bench.name);
        assert!(!has_gap(&collection, &FAILED, None), "{}: {:?}", bench.name, collection.gaps);
    });
}

#[test]
fn a_check_names_version_account_and_every_right() {
    each_connector(async |bench: Bench| {
        let twin = bench.serve(Setup::default()).await;
        let report = bench.check(&bench.target(&twin)).await.unwrap();
        assert!(!report.version.is_empty() && !report.product.is_empty(), "{}", bench.name);
        assert_eq!(report.rights.len(), bench.live.rights().len(), "{}", bench.name);
    });
}

#[test]
fn a_wrong_password_is_told_and_tried_once() {
    each_connector(async |bench: Bench| {
        let twin = bench.serve(Setup::default()).await;
        if twin.user.is_empty() {
            return;
        }
        let target = bench.target_as(&twin, &twin.user, "not this one");
        let calls = twin.calls();
        let refusal = bench.collect_with(&target).await.unwrap_err().reason;
        assert_eq!(refusal, Refusal::WrongCredentials, "{}", bench.name);
        assert!(twin.calls() - calls <= 6, "{}: {} calls", bench.name, twin.calls() - calls);
        let refusal = bench.check(&target).await.unwrap_err().reason;
        assert_eq!(refusal, Refusal::WrongCredentials, "{}", bench.name);
    });
}

#[test]
fn a_locked_account_and_an_old_version_are_told() {
    each_connector(async |bench: Bench| {
        let twin = bench.serve(Setup::with(Fault::Locked)).await;
        let refusal = bench.collect(&twin).await.map(|_| ()).unwrap_err().reason;
        assert!(
            matches!(
                refusal,
                Refusal::AccountLocked(_) | Refusal::WrongCredentials | Refusal::TooFewRights(_)
            ),
            "{}: {refusal:?}",
            bench.name
        );
        let twin = bench.serve(Setup::with(Fault::Old)).await;
        let refusal = bench.collect(&twin).await.map(|_| ()).unwrap_err().reason;
        assert!(matches!(refusal, Refusal::VersionTooOld { .. }), "{}: {refusal:?}", bench.name);
    });
}

#[test]
fn an_untrusted_certificate_is_told_with_what_to_pin_and_the_pin_is_enough() {
    each_connector(async |bench: Bench| {
        let twin = bench.serve(Setup { tls: true, ..Setup::default() }).await;
        let mut target = bench.target(&twin);
        let shown = twin.fingerprint.clone().unwrap();
        match bench.collect_with(&target).await.map(|_| ()).unwrap_err().reason {
            Refusal::NotTrusted { fingerprint, .. } => assert_eq!(fingerprint.to_string(), shown),
            other => panic!("{}: {other:?}", bench.name),
        }
        target.trust = Trust::Pin(shown.parse().unwrap());
        let collection = bench.collect_with(&target).await.unwrap();
        assert_whole(&collection, &bench);
        target.trust = Trust::Pin("00".repeat(32).parse().unwrap());
        let refusal = bench.check(&target).await.unwrap_err().reason;
        assert!(matches!(refusal, Refusal::PinDiffers { .. }), "{}: {refusal:?}", bench.name);
    });
}

#[test]
fn an_address_that_leads_elsewhere_is_told() {
    each_connector(async |bench: Bench| {
        let mut twin = bench.serve(Setup::default()).await;
        let reason = async |address: String| {
            let mut target = bench.target(&twin);
            target.address = address.into();
            bench.collect_with(&target).await.map(|_| ()).unwrap_err().reason
        };
        let somewhere = bench::address_of(&twin);
        let refusal = reason(twin.address.replace(&somewhere, "no-such-host.invalid:1")).await;
        assert_eq!(refusal, Refusal::NameUnknown, "{}", bench.name);
        let refusal = reason(twin.address.replace(&somewhere, &bench::closed_port())).await;
        assert!(matches!(refusal, Refusal::Unreachable(_)), "{}: {refusal:?}", bench.name);
        let other = bench::something_else().await;
        let refusal = reason(twin.address.replace(&somewhere, &other.address)).await;
        assert!(
            matches!(refusal, Refusal::NotThisPlatform { .. } | Refusal::Answer(_)),
            "{}: {refusal:?}",
            bench.name
        );
        let silent = bench::silence().await;
        let refusal = reason(twin.address.replace(&somewhere, &silent.address)).await;
        assert!(matches!(refusal, Refusal::TimedOut { .. }), "{}: {refusal:?}", bench.name);
        let refusal = reason("spam://".into()).await;
        assert!(matches!(refusal, Refusal::Address { .. }), "{}: {refusal:?}", bench.name);
        twin.user.clear();
    });
}

#[test]
fn a_session_that_expires_mid_way_is_renewed_and_nothing_is_missing() {
    for after_calls in [2, 5] {
        each_connector(async |bench: Bench| {
            let twin = bench.serve(Setup::with(Fault::ExpireSession { after_calls })).await;
            let collection = bench.collect(&twin).await.unwrap();
            assert_whole(&collection, &bench);
            assert!(!has_gap(&collection, &FAILED, None), "{}: {:?}", bench.name, collection.gaps);
        });
    }
}

#[test]
fn a_busy_platform_is_asked_again_and_one_that_stays_busy_is_a_gap() {
    for (status, retry_after_seconds) in [(429, Some(0)), (503, None)] {
        each_connector(async |bench: Bench| {
            let fault = Fault::Busy { status, times: 2, retry_after_seconds };
            let twin = bench.serve(Setup::with(fault)).await;
            let (collection, traffic) = bench.counted(&twin).await;
            let collection = collection.unwrap();
            assert_whole(&collection, &bench);
            assert!(traffic.retries() > 0, "{}", bench.name);
        });
    }
    each_connector(async |bench: Bench| {
        let fault = Fault::Busy { status: 503, times: u64::MAX, retry_after_seconds: Some(0) };
        let twin = bench.serve(Setup::with(fault)).await;
        match bench.collect(&twin).await {
            Ok(collection) => {
                assert_eq!(collection.workloads, [], "{}", bench.name);
                assert!(has_gap(&collection, &FAILED, Some("workloads")), "{:?}", collection.gaps);
            }
            Err(error) => {
                assert!(matches!(error.reason, Refusal::Busy(_)), "{}: {error}", bench.name);
            }
        }
    });
}

#[test]
fn a_list_that_stops_coming_is_a_gap_and_no_hang() {
    for fault in [Fault::Stall, Fault::Truncate] {
        each_connector(async |bench: Bench| {
            let twin = bench.serve(Setup::with(fault)).await;
            let collection = bench.collect(&twin).await.unwrap();
            assert!(collection.workloads.len() < bench.world.workloads.len(), "{}", bench.name);
            assert!(
                has_gap(&collection, &FAILED, Some("workloads")),
                "{} {fault:?}: {:?}",
                bench.name,
                collection.gaps
            );
        });
    }
}

#[test]
fn slow_bytes_are_waited_for() {
    each_connector(async |bench: Bench| {
        let twin = bench.serve(Setup::with(Fault::SlowBytes)).await;
        let collection = bench.collect(&twin).await.unwrap();
        assert_whole(&collection, &bench);
    });
}

#[test]
fn a_bad_element_in_the_middle_costs_at_most_itself() {
    each_connector(async |bench: Bench| {
        let twin = bench.serve(Setup::with(Fault::BadElement)).await;
        let collection = bench.collect(&twin).await.unwrap();
        let missing = bench.world.workloads.len() - collection.workloads.len();
        assert!(missing <= 1, "{}: {missing} are missing", bench.name);
        let causes = [GapCause::UnreadableValue, GapCause::UnknownValue, GapCause::UnmappedRow];
        assert!(
            has_gap(&collection, &causes, Some("workloads")),
            "{}: {:?}",
            bench.name,
            collection.gaps
        );
    });
}

#[test]
fn an_object_that_vanishes_is_a_gap_and_the_rest_is_kept() {
    each_connector(async |bench: Bench| {
        let twin = bench.serve(Setup::with(Fault::Vanish)).await;
        let collection = bench.collect(&twin).await.unwrap();
        let missing = bench.world.workloads.len() - collection.workloads.len();
        assert!(missing <= 1, "{}: {missing} are missing", bench.name);
        assert!(
            has_gap(&collection, &[GapCause::Vanished], Some("workloads")),
            "{}: {:?}",
            bench.name,
            collection.gaps
        );
    });
}

#[test]
fn a_filtered_list_is_not_taken_for_the_whole() {
    each_connector(async |bench: Bench| {
        let twin = bench.serve(Setup::with(Fault::Filtered)).await;
        let collection = bench.collect(&twin).await.unwrap();
        assert!(
            has_gap(&collection, &[GapCause::NoPermission], Some("workloads")),
            "{}: {:?}",
            bench.name,
            collection.gaps
        );
    });
}

#[test]
fn endless_pages_end() {
    each_connector(async |bench: Bench| {
        let twin = bench.serve(Setup::with(Fault::EndlessPaging)).await;
        let collection = bench.collect(&twin).await.unwrap();
        let causes = [GapCause::LimitReached, GapCause::Conflict, GapCause::Truncated];
        assert!(has_gap(&collection, &causes, None), "{}: {:?}", bench.name, collection.gaps);
    });
}

#[test]
fn a_cancelled_collection_keeps_what_was_read_and_says_so() {
    each_connector(async |bench: Bench| {
        let twin = bench.serve(Setup::with(Fault::Stall)).await;
        let mut target = bench.target(&twin);
        // Long enough that only the cancellation can end it.
        target.limits.idle_seconds = 600;
        let cancel = Cancel::new();
        let stalled = bench.collect_until(&target, &cancel);
        let stop = async {
            // The list of workloads never ends: it is being waited for once calls stop coming.
            let mut calls = u64::MAX;
            while calls != twin.calls() || calls == 0 {
                calls = twin.calls();
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            cancel.cancel();
        };
        let (outcome, ()) = tokio::join!(stalled, stop);
        let collection = outcome.unwrap();
        assert!(
            has_gap(&collection, &[GapCause::Cancelled], None),
            "{}: {:?}",
            bench.name,
            collection.gaps
        );
    });
}

#[test]
fn a_collection_that_takes_too_long_ends_with_what_it_has() {
    each_connector(async |bench: Bench| {
        let twin = bench.serve(Setup::with(Fault::Stall)).await;
        let mut target = bench.target(&twin);
        target.limits.idle_seconds = 600;
        target.limits.collection_seconds = 3;
        let collection = bench.collect_with(&target).await.unwrap();
        assert!(
            has_gap(&collection, &[GapCause::TimedOut, GapCause::LimitReached], None),
            "{}: {:?}",
            bench.name,
            collection.gaps
        );
    });
}
