//! What is kept until it can be written: in order, each at a time of its own, and not without end.

use entente_model::{Collection, Source, SourceId};
use time::macros::datetime;

use super::*;
use crate::config::Config;

const AT: OffsetDateTime = datetime!(2026-03-01 06:00 UTC);

fn platform() -> PlatformConfig {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("entente.toml");
    let text = "[platforms.kvm1]\nconnector = \"libvirt\"\naddress = \"qemu+tcp://kvm1/system\"\n";
    std::fs::write(&path, text).unwrap();
    Config::read(&path).unwrap().platforms.remove(0)
}

fn read() -> Change {
    Change::Read(Box::new(Collection::empty(Source {
        id: SourceId::from(&platform().id),
        connector: "libvirt".into(),
        location: "kvm1".into(),
        version: None,
        taken: None,
        limits: Vec::new(),
        sections: Default::default(),
    })))
}

fn gone(id: &str) -> Change {
    Change::WorkloadRemoved { native_id: id.into() }
}

#[test]
fn what_is_told_at_once_is_kept_in_order_and_removals_in_a_row_are_one() {
    let (platform, mut kept) = (platform(), Kept::default());
    for change in [read(), gone("a"), gone("b"), read(), gone("a")] {
        kept.push(&platform, AT, change);
    }
    let deltas: Vec<_> = std::iter::from_fn(|| kept.pop()).collect();
    let removed: Vec<Vec<&str>> =
        deltas.iter().map(|it| it.removed.iter().map(|it| it.as_str()).collect()).collect();
    assert_eq!(removed, [vec![], vec!["a", "b"], vec![], vec!["a"]]);
    assert!(deltas.iter().map(|it| it.at).is_sorted_by(|a, b| a < b), "{deltas:?}");
    assert_eq!(kept.objects, 0);
    // A clock that is set back does not bring the order of what was told about.
    kept.push(&platform, AT - time::Duration::HOUR, read());
    assert!(kept.pop().unwrap().at > deltas[3].at);
}

#[test]
fn more_than_can_be_kept_is_let_go_and_said_once() {
    let (platform, follower) = (platform(), Follower::new(platform()));
    let mut kept = open(&follower.shared.kept);
    for number in 0..=OBJECTS_KEPT_MAX {
        kept.push(&platform, AT, gone(&number.to_string()));
    }
    assert_eq!(kept.objects, 0);
    kept.push(&platform, AT, gone("after"));
    drop(kept);
    assert!(follower.take_missed());
    assert!(!follower.take_missed());
    assert_eq!(follower.pop().unwrap().removed, ["after"]);
}
