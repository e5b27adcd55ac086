//! When what is known is too old to be believed without saying so.

use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-03-10 12:00 UTC);

fn age(platform: &str, connector: &str, hours: i64) -> Age {
    let observed = NOW - time::Duration::hours(hours);
    Age {
        platform: platform.into(),
        connector: connector.into(),
        observed,
        recorded: observed,
        objects: 1,
    }
}

#[test]
fn a_reading_is_stale_when_it_is_older_than_the_limit_of_its_own_platform() {
    let hours = |count: u64| Duration::from_secs(count * 3_600);
    let freshness = Freshness {
        platforms: BTreeMap::from([("edge".to_owned(), hours(72))]),
        ..Freshness::default()
    };
    let ages = vec![
        age("core", "vsphere", 24),
        age("core", "proxmox", 25),
        age("edge", "libvirt", 70),
        age("edge", "rvtools", 100),
        age("lab", "rvtools", 169),
        // Clocks differ: what is ahead is new.
        age("ahead", "vsphere", -3),
    ];
    let judged = freshness.judge(ages, NOW);
    let stale: Vec<_> = judged.iter().map(Aged::is_stale).collect();
    assert_eq!(stale, [false, true, false, false, true, false]);
    let gaps: Vec<Gap> = judged.iter().filter_map(Aged::gap).collect();
    let told: Vec<_> = gaps.iter().map(|it| (it.cause, it.message.as_str())).collect();
    let (core, lab) = (
        "what `proxmox` saw of `core` is 25 h old, more than 24 h: it may not be so any more",
        "what `rvtools` saw of `lab` is 7 d 1 h old, more than 7 d: it may not be so any more",
    );
    assert_eq!(told, [(GapCause::Stale, core), (GapCause::Stale, lab)]);
}

#[test]
fn a_past_estate_is_as_old_as_it_was_then() {
    let judge = |at| Freshness::default().judge(vec![age("core", "vsphere", 48)], at);
    assert!(judge(NOW)[0].is_stale());
    assert!(!judge(NOW - time::Duration::hours(40))[0].is_stale());
}
