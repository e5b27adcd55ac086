//! Laws: equal to the reference, whatever the order, and one identity for every sighting.

use entente_identity::{Choice, Decision, Move, Seen, Sighting, correlate};
use entente_model::{Listing, Moment, Observed, PowerState, Text, Uuid, Why, WorkloadKind};
use proptest::prelude::*;

use crate::reference::{Reference, reference};
use crate::told::{GIB, World, day, mac, sighting, swapped, uuid};

fn observed<T: Clone + std::fmt::Debug + 'static>(
    values: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Observed<T>> {
    prop_oneof![
        5 => values.prop_map(Observed::Value),
        1 => Just(Observed::Absent),
        2 => Just(Observed::Unobserved(Why::Blank)),
    ]
    .boxed()
}

/// Few values, so that they meet; some in the other byte order, some worthless.
fn uuids(base: u128) -> impl Strategy<Value = Uuid> {
    prop_oneof![
        4 => (1..5_u128).prop_map(move |it| uuid(base + it)),
        2 => (1..5_u128).prop_map(move |it| swapped(uuid(base + it))),
        1 => Just(Uuid::nil()),
    ]
}

fn addresses() -> impl Strategy<Value = Listing<Text>> {
    let some = || proptest::collection::vec((1..6_u64).prop_map(mac), 0..3);
    prop_oneof![
        4 => some().prop_map(Listing::complete),
        1 => some().prop_map(|it| Listing::incomplete(it, Why::Unreadable)),
        1 => Just(Listing::complete(vec!["00:00:00:00:00:00".into()])),
    ]
}

fn facts() -> impl Strategy<Value = Sighting> {
    let times = (0..8_i64, proptest::option::of(0..6_i64));
    let place = (0..2_usize, 0..2_usize);
    let words =
        |words: &'static [&'static str]| proptest::sample::select(words).prop_map(Text::new);
    let ids = (
        observed(words(&["1", "2", "3"])),
        observed(uuids(100)),
        observed(uuids(200)),
        addresses(),
    );
    let lesser = (
        words(&["x", "y", "z"]),
        observed(words(&["x", "x.one", "x.two", "y", "localhost"])),
        observed(proptest::collection::vec(
            prop_oneof![Just(40 * GIB), Just(40 * GIB + (4 << 20)), Just(80 * GIB)],
            0..3,
        )),
    );
    let state = (
        observed(prop_oneof![Just(PowerState::On), Just(PowerState::Off)]),
        observed((0..6_i64).prop_map(|it| Moment::Utc(day(it)))),
        prop_oneof![
            12 => Just(WorkloadKind::Machine),
            1 => Just(WorkloadKind::Template),
            1 => Just(WorkloadKind::RecoveryPlaceholder),
        ],
        prop_oneof![9 => Just(None), 1 => Just(Some(true))],
        observed(words(&["e1", "e1.x.example", "e2.x.example"])),
    );
    (times, place, ids, lesser, state).prop_map(|(times, place, ids, lesser, state)| {
        let platform = ["one", "other"][place.0];
        let mut it = sighting("", platform, ["live", "export"][place.1]);
        it.seen = Seen { first: day(times.0), last: times.1.map(|more| day(times.0 + more)) };
        (it.native_id, it.instance_uuid, it.bios_uuid, it.macs) = ids;
        (it.name, it.hostname, it.disk_bytes) = lesser;
        let linked;
        (it.power, it.created, it.kind, linked, it.runs_on) = state;
        it.linked_clone = Observed::or_why(linked, Why::SourceLimit);
        it
    })
}

fn worlds() -> impl Strategy<Value = World> {
    let told = |most| {
        proptest::collection::vec((0..64_usize, 0..64_usize, 0..5_i64, any::<bool>()), 0..most)
    };
    (proptest::collection::vec(facts(), 1..14), told(3), told(6)).prop_map(
        |(mut sightings, moves, decisions)| {
            for (number, it) in sightings.iter_mut().enumerate() {
                it.key = format!("{number:02}").into();
            }
            let key = |at: usize| sightings[at % sightings.len()].key.clone();
            let moves = moves
                .iter()
                .map(|(a, b, at, _)| Move {
                    from: key(*a),
                    to: key(*b),
                    at: day(*at),
                    told_by: "wave".into(),
                })
                .collect();
            let decisions = decisions
                .iter()
                .map(|(a, b, at, links)| Decision {
                    choice: if *links { Choice::Link } else { Choice::Unlink },
                    a: key(*a),
                    b: key(*b),
                    by: "operator".into(),
                    at: day(*at),
                    reason: "told".into(),
                })
                .collect();
            World { sightings, moves, decisions }
        },
    )
}

fn found(world: &World) -> Reference {
    let correlation = world.correlate();
    Reference {
        links: correlation
            .links
            .iter()
            .map(|it| ((it.a.clone(), it.b.clone()), it.strength))
            .collect(),
        identities: correlation
            .identities
            .iter()
            .map(|it| it.sightings.iter().cloned().collect())
            .collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn the_engine_agrees_with_the_reference(world in worlds()) {
        prop_assert_eq!(found(&world), reference(&world));
    }

    #[test]
    fn the_order_of_arrival_changes_no_byte(
        (world, shuffled) in worlds().prop_flat_map(|world| {
            let sightings = Just(world.sightings.clone()).prop_shuffle();
            let moves = Just(world.moves.clone()).prop_shuffle();
            let decisions = Just(world.decisions.clone()).prop_shuffle();
            let shuffled = (sightings, moves, decisions).prop_map(|(sightings, moves, decisions)| {
                World { sightings, moves, decisions }
            });
            (Just(world), shuffled)
        })
    ) {
        let bytes = |world: &World| serde_json::to_string(&world.correlate()).unwrap();
        prop_assert_eq!(bytes(&world), bytes(&shuffled));
    }

    #[test]
    fn every_sighting_is_in_one_identity_and_every_chain_leads_there(world in worlds()) {
        let correlation = world.correlate();
        let mut keys: Vec<_> =
            correlation.identities.iter().flat_map(|it| it.sightings.clone()).collect();
        keys.sort();
        let given: Vec<_> = world.sightings.iter().map(|it| it.key.clone()).collect();
        prop_assert_eq!(keys, given);
        for a in &world.sightings {
            for b in &world.sightings {
                let explained = correlation.explain(&a.key, &b.key).unwrap();
                let one = correlation.identity(&a.key).unwrap();
                let is_same = one.sightings.contains(&b.key);
                prop_assert_eq!(explained.is_same, is_same);
                prop_assert_eq!(explained.chain.is_empty(), !is_same || a.key == b.key);
                prop_assert!(explained.chain.iter().all(|it| it.joins()));
            }
        }
    }

    #[test]
    fn what_is_said_twice_counts_once(world in worlds()) {
        let mut twice = world.clone();
        twice.sightings.extend(world.sightings.iter().cloned());
        twice.moves.extend(world.moves.iter().cloned());
        prop_assert_eq!(
            correlate(&twice.sightings, &[], &world.decisions),
            correlate(&world.sightings, &[], &world.decisions)
        );
        prop_assert_eq!(found(&twice), found(&world));
    }
}
