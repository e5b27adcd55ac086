//! Small worlds told in lines, and answers in a word a link.
//!
//! `a vc1/vsphere 1..5 id=vm-1 bios=7` is a sighting with key `a`, seen from day 1 to day 5 (`1..` to
//! this day), of which nothing else was observed. UUIDs are small numbers, `~7` is 7 in the other byte
//! order, 0 the nil UUID. Hardware addresses are small numbers; disks are sizes in GiB.
//! `move a b 5`, `link a b 5` and `unlink a b 5` are moves and decisions on day 5.

use entente_identity::{
    Choice, ConflictKind, Correlation, Decision, Move, Seen, Sighting, Strength, correlate,
};
use entente_model::{
    Listing, Moment, Observed, PlatformId, PowerState, Text, Uuid, Why, WorkloadKind,
};
use time::{Duration, OffsetDateTime};

pub const GIB: u64 = 1 << 30;

/// A world in the making.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub sightings: Vec<Sighting>,
    pub moves: Vec<Move>,
    pub decisions: Vec<Decision>,
}

impl World {
    pub fn correlate(&self) -> Correlation {
        correlate(&self.sightings, &self.moves, &self.decisions)
    }
}

pub fn day(number: i64) -> OffsetDateTime {
    time::macros::datetime!(2026-01-01 00:00 UTC) + Duration::days(number)
}

pub fn uuid(number: u128) -> Uuid {
    let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    Uuid::from_u128(spread)
}

pub fn swapped(uuid: Uuid) -> Uuid {
    Uuid::from_bytes_le(*uuid.as_bytes())
}

pub fn mac(number: u64) -> Text {
    let [.., a, b, c] = number.to_be_bytes();
    format!("00:50:56:{a:02x}:{b:02x}:{c:02x}").into()
}

/// A running machine of which nothing but its name was observed.
pub fn sighting(key: &str, platform: &str, connector: &str) -> Sighting {
    Sighting {
        key: key.into(),
        platform: platform.parse::<PlatformId>().unwrap(),
        connector: connector.into(),
        seen: Seen { first: day(0), last: None },
        kind: WorkloadKind::Machine,
        name: key.into(),
        power: Observed::Value(PowerState::On),
        native_id: Observed::Unobserved(Why::Blank),
        instance_uuid: Observed::Unobserved(Why::Blank),
        bios_uuid: Observed::Unobserved(Why::Blank),
        macs: Listing::unobserved(Why::Blank),
        hostname: Observed::Unobserved(Why::GuestSilent),
        disk_bytes: Observed::Unobserved(Why::Blank),
        created: Observed::Unobserved(Why::Blank),
        runs_on: Observed::Unobserved(Why::Blank),
        linked_clone: Observed::Unobserved(Why::SourceLimit),
    }
}

pub fn told(lines: &str) -> World {
    let mut world = World::default();
    for line in lines.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = |word: &str| day(word.parse().unwrap());
        let decision = |choice| Decision {
            choice,
            a: words[1].into(),
            b: words[2].into(),
            by: "operator".into(),
            at: at(words[3]),
            reason: "told".into(),
        };
        match words[0] {
            "move" => world.moves.push(Move {
                from: words[1].into(),
                to: words[2].into(),
                at: at(words[3]),
                told_by: "wave-1".into(),
            }),
            "link" => world.decisions.push(decision(Choice::Link)),
            "unlink" => world.decisions.push(decision(Choice::Unlink)),
            _ => world.sightings.push(seen(&words)),
        }
    }
    world
}

fn seen(words: &[&str]) -> Sighting {
    let (platform, connector) = words[1].split_once('/').unwrap();
    let mut it = sighting(words[0], platform, connector);
    let (first, last) = words[2].split_once("..").unwrap();
    it.seen.first = day(first.parse().unwrap());
    it.seen.last = (!last.is_empty()).then(|| day(last.parse().unwrap()));
    for word in &words[3..] {
        let (field, value) = word.split_once('=').unwrap();
        fact(&mut it, field, value);
    }
    it
}

fn fact(it: &mut Sighting, field: &str, value: &str) {
    let number = |text: &str| text.parse::<u64>().unwrap();
    let numbered = |text: &str| match text.strip_prefix('~') {
        Some(rest) => Observed::Value(swapped(uuid(number(rest).into()))),
        None => Observed::Value(uuid(number(text).into())),
    };
    match field {
        "id" => it.native_id = Observed::Value(value.into()),
        "name" => it.name = value.into(),
        "instance" => it.instance_uuid = numbered(value),
        "bios" => it.bios_uuid = numbered(value),
        "mac" => it.macs = Listing::complete(value.split(',').map(|it| mac(number(it))).collect()),
        "on" => it.runs_on = Observed::Value(value.into()),
        "host" => it.hostname = Observed::Value(value.into()),
        "disks" => {
            it.disk_bytes = Observed::Value(value.split(',').map(|it| number(it) * GIB).collect());
        }
        "power" if value == "?" => it.power = Observed::Unobserved(Why::Blank),
        "power" => {
            it.power =
                Observed::Value(if value == "on" { PowerState::On } else { PowerState::Off });
        }
        "created" => it.created = Observed::Value(Moment::Utc(day(value.parse().unwrap()))),
        "kind" => {
            it.kind = match value {
                "template" => WorkloadKind::Template,
                "placeholder" => WorkloadKind::RecoveryPlaceholder,
                other => panic!("no such kind: {other}"),
            };
        }
        "linked" => it.linked_clone = Observed::Value(true),
        other => panic!("no such fact: {other}"),
    }
}

/// `a=b` strong, `a==b` decided, `a~b` weak, `a!b` alive twice; the rest of the conflicts by their kind.
pub fn answer(correlation: &Correlation) -> String {
    let mut words: Vec<String> = Vec::new();
    for link in &correlation.links {
        let sign = match link.strength {
            Strength::Strong => "=",
            Strength::Weak => "~",
            Strength::Decided => "==",
        };
        words.push(format!("{}{sign}{}", link.a, link.b));
    }
    for conflict in &correlation.conflicts {
        words.push(match conflict.kind {
            ConflictKind::AliveTwice => {
                format!("{}!{}", conflict.sightings[0], conflict.sightings[1])
            }
            kind => format!("{kind:?}({})", conflict.sightings.join(",")),
        });
    }
    words.join(" ")
}

#[track_caller]
pub fn check(lines: &str, expected: &str) {
    assert_eq!(answer(&told(lines).correlate()), expected);
}
