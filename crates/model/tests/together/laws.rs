//! Laws, over accounts that know and claim different things.

use entente_model::{Collection, Estate, Reading};
use proptest::prelude::*;
use serde_json::Value;

use crate::told::{conflicts, export, log_in, world};

/// Facts that every account has.
const ALWAYS: [&str; 7] = ["id", "platform", "source", "identity", "name", "kind", "native_id"];

/// Parts that come from one account, or whose facts only make sense together.
const TOGETHER: [&str; 4] = ["samples", "placement", "cpu", "tools"];

/// Makes unobserved, or claims otherwise, what the seeds say.
fn spoilt(collection: &Collection, seeds: &[u8]) -> Collection {
    let mut spoilt = collection.clone();
    let mut seeds = seeds.iter().cycle();
    for workload in &mut spoilt.workloads {
        let mut body = serde_json::to_value(&*workload).unwrap();
        spoil(&mut body, &mut seeds, true);
        *workload = serde_json::from_value(body).unwrap();
    }
    spoilt
}

fn spoil<'s>(body: &mut Value, seeds: &mut impl Iterator<Item = &'s u8>, is_top: bool) {
    let Value::Object(fields) = body else { return };
    if fields.contains_key("items") {
        if *seeds.next().unwrap() < 40 {
            *body = serde_json::json!({"items": [], "completeness": {"incomplete": "blank"}});
        }
        return;
    }
    if fields.contains_key("unobserved") {
        return;
    }
    for (name, value) in fields {
        if (is_top && ALWAYS.contains(&name.as_str())) || name == "labels" {
            continue;
        }
        match (value, *seeds.next().unwrap()) {
            (value @ Value::Object(_), _) => spoil(value, seeds, false),
            (value, 0..50) => *value = serde_json::json!({"unobserved": "call-failed"}),
            (Value::Number(number), 50..80) => *number = (number.as_u64().unwrap() ^ 4).into(),
            (Value::Bool(flag), 50..80) => *flag = !*flag,
            _ => {}
        }
    }
}

/// Every observed fact of a workload, by where it stands.
fn observed(at: &str, body: &Value, found: &mut Vec<String>) {
    match body {
        Value::Object(fields) if fields.contains_key("unobserved") => {}
        Value::Object(fields) if fields.contains_key("items") => {
            if fields["completeness"] == "complete" {
                found.push(at.to_owned());
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields.iter().filter(|it| !TOGETHER.contains(&it.0.as_str())) {
                observed(&format!("{at}.{name}"), value, found);
            }
        }
        _ => found.push(at.to_owned()),
    }
}

fn told() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), 200), 1..4)
}

fn readings(seeds: &[Vec<u8>]) -> Vec<Reading> {
    let world = world(3);
    let read = |(number, seeds): (usize, &Vec<u8>)| {
        let (spoilt, hour) = (spoilt(&world, seeds), number as i64 + 1);
        let mut reading = match number {
            1 => log_in(spoilt, 12),
            _ => export(spoilt, hour),
        };
        if number != 1 {
            reading.collection.source.id = format!("export-{number}").parse().unwrap();
        }
        reading
    };
    seeds.iter().enumerate().map(read).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_order_of_readings_does_not_matter(seeds in told()) {
        let forward = readings(&seeds);
        let mut backward = forward.clone();
        backward.reverse();
        prop_assert_eq!(Estate::of(forward), Estate::of(backward));
    }

    #[test]
    fn nothing_observed_becomes_unobserved(seeds in told()) {
        let readings = readings(&seeds);
        let estate = Estate::of(readings.clone());
        for (number, merged) in estate.workloads.iter().enumerate() {
            let mut known = Vec::new();
            observed("", &serde_json::to_value(merged).unwrap(), &mut known);
            for reading in &readings {
                let mut told = Vec::new();
                let workload = &reading.collection.workloads[number];
                observed("", &serde_json::to_value(workload).unwrap(), &mut told);
                for fact in told {
                    prop_assert!(known.contains(&fact), "{} of {}", fact, merged.id);
                }
            }
        }
    }

    #[test]
    fn what_is_told_twice_counts_once(seeds in told()) {
        let once = readings(&seeds);
        let mut twice = once.clone();
        twice.extend(once.clone());
        let (once, twice) = (Estate::of(once), Estate::of(twice));
        prop_assert_eq!(&once.workloads, &twice.workloads);
        prop_assert_eq!(&once.hosts, &twice.hosts);
        prop_assert_eq!(once.also_known_as, twice.also_known_as);
    }

    /// What stands of several is what stands of those that go first, then filled from the others.
    #[test]
    fn putting_together_step_by_step_is_putting_together_at_once(seeds in told()) {
        let readings = readings(&seeds);
        let all = Estate::of(readings.clone());
        let mut sorted = readings;
        sorted.sort_by_key(|it| std::cmp::Reverse(it.collection.source.taken));
        let mut steps = sorted.into_iter();
        let mut before = steps.next().unwrap();
        for reading in steps {
            before.collection.workloads = Estate::of(vec![before.clone(), reading]).workloads;
        }
        prop_assert_eq!(all.workloads, before.collection.workloads);
    }

    /// A conflict is told of exactly those who claim different things at one time.
    #[test]
    fn conflicts_are_those_that_were_planted(power in proptest::collection::vec(any::<bool>(), 20)) {
        let seen = world(20);
        let mut told = seen.clone();
        let mut planted = Vec::new();
        for (workload, differs) in told.workloads.iter_mut().zip(power) {
            if differs && planted.len() < 10 {
                workload.firmware.hardware_version = crate::told::value(99);
                planted.push(workload.id.to_string());
            }
        }
        let estate = Estate::of(vec![log_in(seen, 9), export(told, 4)]);
        let found: Vec<String> = conflicts(&estate).iter().map(|it| it.subject.to_string()).collect();
        prop_assert_eq!(found, planted);
    }
}
