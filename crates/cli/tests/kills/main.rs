//! `kill -9` during `collect` and `watch`, at every named point of the way into the store, on both engines:
//! what was being written is there as a whole or not at all.
//!
//! The points are those that a collection passes which is left alone; whoever adds one, adds kills at it.
//! A short series runs with every change, the long one with `make prove`: `KILLS` says how many, `KILLS_OF` of
//! which build.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail by panicking; the long series prints its results"
)]

#[path = "../../../store/tests/store/engines.rs"]
#[expect(dead_code, reason = "shared with tests that open a store by themselves")]
mod engines;
mod stage;

use std::collections::{BTreeMap, BTreeSet};

use engines::{Empty, engines, in_file, on_server};
use entente_store::Address;
use serde_json::Value;
use stage::{Seen, Stage, Verb, World};

/// Points after the end of the transaction.
const AFTER: [&str; 2] = ["after-commit", "remembered"];

/// After so many kills, one collection is left alone.
const LEFT_ALONE: u64 = 4;

/// Points before its beginning.
const BEFORE: [&str; 3] = ["lease", "collected", "before-transaction"];

/// What collections that are left alone make of the store.
struct Undisturbed {
    /// By platform, in each state of the world.
    seen: BTreeMap<String, [Seen; 2]>,
    /// By platform, what changes on the way into each state.
    changes: BTreeMap<String, [Vec<Value>; 2]>,
    /// By platform, how often each point is passed on the way into each state.
    points: BTreeMap<String, [BTreeMap<String, u64>; 2]>,
}

impl Undisturbed {
    fn of(stage: &Stage) -> Self {
        let store = Address::File(stage.path("undisturbed.db"));
        let mut looks = Vec::new();
        let mut points: BTreeMap<String, [BTreeMap<String, u64>; 2]> = BTreeMap::new();
        // What the last two readings pass, all others do: nothing is new to the store any more.
        for world in [0, 1, 0, 1] {
            for platform in stage.platforms() {
                let counts = &mut points.entry(platform.to_owned()).or_default()[world];
                counts.clear();
                for point in stage.collect(&store, &[platform], &|_| world) {
                    *counts.entry(point).or_default() += 1;
                }
            }
            looks.push(stage.look(&store));
        }
        let [first, second, third, _] = looks.try_into().unwrap();
        let (mut seen, mut changes) = (BTreeMap::new(), BTreeMap::new());
        for (platform, one) in first {
            let (other, again) = (second[&platform].clone(), &third[&platform]);
            assert!(again.shows_as(&one), "{platform}: {:#?}", again.differences(&one));
            assert!(!other.shows_as(&one), "{platform}");
            let both = [again.new_changes(&other).unwrap(), other.new_changes(&one).unwrap()];
            assert!(both.iter().all(|it| !it.is_empty()), "{platform}");
            changes.insert(platform.clone(), both);
            seen.insert(platform, [one, other]);
        }
        Self { seen, changes, points }
    }

    /// Every point there is.
    fn names(&self) -> BTreeSet<&str> {
        self.points.values().flatten().flat_map(|it| it.keys().map(String::as_str)).collect()
    }
}

/// One store, killed at again and again.
struct Series<'a> {
    stage: &'a Stage,
    undisturbed: &'a Undisturbed,
    engine: Empty,
    world: BTreeMap<String, World>,
    seen: BTreeMap<String, Seen>,
    kills: u64,
}

impl<'a> Series<'a> {
    fn start(stage: &'a Stage, undisturbed: &'a Undisturbed, engine: Empty) -> Self {
        stage.collect(&engine.address, &[], &|_| 0);
        let seen = stage.look(&engine.address);
        let world = seen.keys().map(|it| (it.clone(), 0)).collect();
        Self { stage, undisturbed, engine, world, seen, kills: 0 }
    }

    /// How often a point is passed on the way of a platform into its other state.
    fn passes(&self, platform: &str, point: &str) -> u64 {
        let points = &self.undisturbed.points[platform][1 - self.world[platform]];
        points.get(point).copied().unwrap_or_default()
    }

    /// A platform that passes a point on its way; which one of them, turns.
    fn passing(&self, point: &str, turn: usize) -> Option<&'static str> {
        let platforms = self.stage.platforms();
        let count = platforms.len();
        let mut turned = platforms.into_iter().cycle().skip(turn % count).take(count);
        turned.find(|it| point == "lease" || self.passes(it, point) > 0)
    }

    /// Kills on the way of platforms into their other state; gives what each then is: whether in it.
    fn kill(&mut self, verb: Verb, chosen: &[&str], point: &str) -> BTreeMap<String, bool> {
        let going = |it: &str| chosen.is_empty() || chosen.contains(&it);
        let mut target = self.world.clone();
        for (platform, world) in &mut target {
            if going(platform) {
                *world = 1 - *world;
            }
        }
        let world = |it: &str| target[it];
        self.stage.kill_at(&self.engine.address, (verb, chosen), &world, point);
        let killed = self.stage.look(&self.engine.address);
        let mut outcome = BTreeMap::new();
        for (platform, now) in &killed {
            let (before, into) = (&self.seen[platform], target[platform]);
            let is_in = now != before;
            if is_in {
                let new = now.new_changes(before);
                assert!(
                    going(platform)
                        && now.observed() != before.observed()
                        && now.shows_as(&self.undisturbed.seen[platform][into])
                        && new.as_ref() == Some(&self.undisturbed.changes[platform][into]),
                    "{platform} is neither as before nor as after, killed at {point}"
                );
            }
            if going(platform) {
                outcome.insert(platform.clone(), is_in);
            }
            if is_in {
                self.world.insert(platform.clone(), into);
            }
        }
        self.seen = killed;
        self.kills += 1;
        if self.kills.is_multiple_of(LEFT_ALONE) {
            self.leave_alone(chosen, &target, point);
        }
        outcome
    }

    /// A collection after all those kills finds everything in order.
    fn leave_alone(&mut self, chosen: &[&str], target: &BTreeMap<String, World>, point: &str) {
        self.stage.collect(&self.engine.address, chosen, &|it| target[it]);
        self.seen = self.stage.look(&self.engine.address);
        for (platform, now) in &self.seen {
            let expected = &self.undisturbed.seen[platform][target[platform]];
            assert!(now.shows_as(expected), "{platform}, after a kill at {point}");
        }
        self.world.clone_from(target);
    }

    /// Kills one platform's collection at a pass of a point, and says whether it is in, as it has to be.
    fn kill_one(&mut self, verb: Verb, platform: &str, point: &str, pass: u64) -> bool {
        let is_in = self.kill(verb, &[platform], &format!("{point}#{pass}"))[platform];
        assert_eq!(is_in, AFTER.contains(&point), "{platform}, killed at {point}#{pass}");
        is_in
    }
}

/// Kills the very first collection, while the store is made or filled: there is nothing then, and the next
/// collection makes it.
fn kill_first(stage: &Stage, undisturbed: &Undisturbed, engine: &Empty, point: &str) {
    let chosen = stage.platforms()[0];
    stage.kill_at(&engine.address, (Verb::Collect, &[chosen]), &|_| 0, point);
    let asked = stage.run(&engine.address, &["estate"]);
    let told = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(told.contains("error[ENT-0410]"), "{told}");
    stage.collect(&engine.address, &[chosen], &|_| 0);
    assert!(stage.look(&engine.address)[chosen].shows_as(&undisturbed.seen[chosen][0]));
}

#[test]
fn a_collection_that_is_killed_is_there_as_a_whole_or_not_at_all() {
    let stage = Stage::new(20);
    let undisturbed = Undisturbed::of(&stage);
    let mut engines = engines();
    let names = undisturbed.names();
    for point in BEFORE.iter().chain(&AFTER).filter(|it| **it != "lease") {
        assert!(names.contains(point), "nothing passes `{point}`");
    }
    let points =
        ["in-transaction", "versions", "ends", "now_search", "before-commit", "after-commit"];
    let mut series = Series::start(&stage, &undisturbed, engines.remove(0));
    series.kill_one(Verb::Watch, "vsphere", "lease", 1);
    for (number, point) in points.into_iter().enumerate() {
        let platform = series.passing(point, number).unwrap();
        series.kill_one(Verb::Collect, platform, point, 1);
    }
    kill_first(&stage, &undisturbed, &in_file(), "schema#40");
    kill_first(&stage, &undisturbed, &in_file(), "entities#1");
    if let Some(engine) = engines.pop() {
        let mut series = Series::start(&stage, &undisturbed, engine);
        for (number, point) in ["versions", "before-commit", "after-commit"].iter().enumerate() {
            let platform = series.passing(point, number).unwrap();
            series.kill_one(Verb::Collect, platform, point, 1);
        }
    }
}

#[test]
fn of_two_writers_the_second_waits_and_readers_do_not() {
    let stage = Stage::new(20);
    for (number, engine) in engines().into_iter().enumerate() {
        let store = &engine.address;
        stage.collect(store, &[], &|_| 0);
        let before = stage.look(store);
        let held = (Verb::Collect, ["vsphere"].as_slice());
        let first = stage.hold_at(store, held, &|_| 1, "before-commit#1");
        // What is being written is not seen yet, neither by questions nor by copies.
        assert!(stage.look(store) == before);
        let name = format!("copy-{number}.db");
        let copied = stage.run(store, &["store", "backup", &name]);
        assert!(copied.status.success(), "{copied:?}");
        assert!(stage.look(&Address::File(stage.path(&name))) == before);
        let refused = stage.impatient(store, "vsphere");
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(3), "{told}");
        assert!(told.contains("error[ENT-0404]") && told.contains("hint: "), "{told}");
        let second = stage.waiting(store, "vsphere");
        stage::kill(first);
        let done = second.wait_with_output().unwrap();
        assert!(done.status.success(), "{done:?}");
        let after = stage.look(store);
        assert!(!after["vsphere"].shows_as(&before["vsphere"]));
        assert!(after["proxmox"] == before["proxmox"]);
    }
}

/// Points, and which pass, of the very first collection.
const FIRST: [(&str, u64); 8] = [
    ("schema", 1),
    ("schema", 40),
    ("schema", 80),
    ("feed", 1),
    ("entities", 1),
    ("versions", 1),
    ("now_workloads", 1),
    ("before-commit", 1),
];

/// What became of kills at one point.
#[derive(Default)]
struct Row {
    sqlite: u64,
    postgres: u64,
    watch: u64,
    before: u64,
    after: u64,
    mixed: u64,
}

#[test]
#[ignore = "takes many minutes: `make prove` runs it and keeps its table"]
fn the_long_series() {
    let kills: u64 = std::env::var("KILLS").ok().and_then(|it| it.parse().ok()).unwrap_or(200);
    let stage = Stage::new(30);
    let undisturbed = Undisturbed::of(&stage);
    let mut rows: BTreeMap<(u8, String), Row> = BTreeMap::new();
    let order = |point: &str| match point {
        _ if point.starts_with("first") => 0,
        _ if BEFORE.contains(&point) => 1,
        _ if AFTER.contains(&point) => 3,
        _ => 2,
    };
    let mut points: Vec<&str> =
        undisturbed.names().into_iter().filter(|it| *it != "schema").collect();
    points.push("lease");
    let mut series: Vec<Series> =
        engines().into_iter().map(|it| Series::start(&stage, &undisturbed, it)).collect();
    let mut done = 0;
    for round in 0.. {
        for (number, point) in points.iter().enumerate() {
            if done >= kills {
                break;
            }
            let turn = round + number;
            let which = turn % series.len();
            let one = &mut series[which];
            let is_watch = *point == "lease" || turn % 5 == 4;
            let verb = if is_watch { Verb::Watch } else { Verb::Collect };
            let Some(platform) = one.passing(point, turn) else { continue };
            // Early and late passes.
            let passes = one.passes(platform, point).max(1);
            let pass = 1 + (round as u64 * 7) % passes;
            let is_in = one.kill_one(verb, platform, point, pass);
            let row = rows.entry((order(point), (*point).to_owned())).or_default();
            *(if which == 0 { &mut row.sqlite } else { &mut row.postgres }) += 1;
            row.watch += u64::from(is_watch);
            *(if is_in { &mut row.after } else { &mut row.before }) += 1;
            done += 1;
            // So that whoever waits sees that it goes on.
            eprintln!("{done}: {platform}, {point}#{pass} of {passes}");
        }
        if done >= kills {
            break;
        }
    }
    // All platforms at once: each is as before or as after, whatever the others are.
    for (which, one) in series.iter_mut().enumerate() {
        for point in ["before-commit#2", "after-commit#1", "after-commit#2", "list#40"] {
            let outcome = one.kill(Verb::Collect, &[], point);
            let after = outcome.values().filter(|it| **it).count();
            let row = rows.entry((4, format!("all platforms at once: {point}"))).or_default();
            *(if which == 0 { &mut row.sqlite } else { &mut row.postgres }) += 1;
            match after {
                0 => row.before += 1,
                it if it == outcome.len() => row.after += 1,
                _ => row.mixed += 1,
            }
        }
    }
    for (which, empty) in [|| Some(in_file()), on_server].into_iter().enumerate() {
        for (point, pass) in FIRST {
            let Some(engine) = empty() else { break };
            kill_first(&stage, &undisturbed, &engine, &format!("{point}#{pass}"));
            let row = rows.entry((0, format!("first collection: {point}"))).or_default();
            *(if which == 0 { &mut row.sqlite } else { &mut row.postgres }) += 1;
            row.before += 1;
        }
    }
    print(&rows);
}

fn print(rows: &BTreeMap<(u8, String), Row>) {
    println!(
        "| point | kills | on SQLite | on PostgreSQL | of `watch` | as before | as after | each platform for itself |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    let mut sum = Row::default();
    let mut inside = 0;
    for ((order, point), it) in rows {
        let kills = it.sqlite + it.postgres;
        println!(
            "| {point} | {kills} | {} | {} | {} | {} | {} | {} |",
            it.sqlite, it.postgres, it.watch, it.before, it.after, it.mixed
        );
        inside += if *order == 2 { kills } else { 0 };
        sum.sqlite += it.sqlite;
        sum.postgres += it.postgres;
        sum.watch += it.watch;
        sum.before += it.before;
        sum.after += it.after;
        sum.mixed += it.mixed;
    }
    println!(
        "| **all** ({inside} within the transaction) | {} | {} | {} | {} | {} | {} | {} |",
        sum.sqlite + sum.postgres,
        sum.sqlite,
        sum.postgres,
        sum.watch,
        sum.before,
        sum.after,
        sum.mixed
    );
}
