//! What expressions say, case by case, on a small fleet of ships.

#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use entente_expr::{
    AttributeType, Environment, Expression, Map, Missing, Reason, Record, RecordType, Truth, Type,
    Value,
};
use entente_model::{Listing, Observed, Text, Why};

struct Ship {
    name: Observed<Text>,
    crew: Observed<u32>,
    armed: Observed<bool>,
    draught: Observed<f64>,
    flag: Observed<Text>,
    captain: Observed<Person>,
    decks: Listing<Deck>,
    ports: Listing<Text>,
    papers: Papers,
}

struct Person {
    name: Observed<Text>,
}

struct Deck {
    guns: Observed<u32>,
}

struct Papers(BTreeMap<Text, Text>, Option<Why>);

static PERSON: LazyLock<RecordType> = LazyLock::new(|| RecordType {
    name: "person",
    attributes: vec![AttributeType::new("name", Type::Text, "").nullable()],
});

static DECK: LazyLock<RecordType> = LazyLock::new(|| RecordType {
    name: "deck",
    attributes: vec![AttributeType::new("guns", Type::Int, "").nullable()],
});

static SHIP: LazyLock<RecordType> = LazyLock::new(|| RecordType {
    name: "ship",
    attributes: vec![
        AttributeType::new("name", Type::Text, ""),
        AttributeType::new("crew", Type::Int, "").nullable(),
        AttributeType::new("armed", Type::Bool, ""),
        AttributeType::new("draught", Type::Double, ""),
        AttributeType::new("flag", Type::Text, "").words(&["red", "white", "none"]),
        AttributeType::new("captain", Type::Record(&PERSON), "").nullable(),
        AttributeType::new("decks", Type::records(&DECK), ""),
        AttributeType::new("ports", Type::list(Type::Text), ""),
        AttributeType::new("papers", Type::Map(Box::new(Type::Text)), ""),
    ],
});

impl Record for Ship {
    fn attribute(&self, index: usize) -> Value<'_> {
        match index {
            0 => (&self.name).into(),
            1 => (&self.crew).into(),
            2 => (&self.armed).into(),
            3 => match self.draught {
                Observed::Value(draught) => Value::Double(draught),
                Observed::Absent => Value::Absent,
                Observed::Unobserved(why) => Value::Unobserved(why),
            },
            4 => (&self.flag).into(),
            5 => match &self.captain {
                Observed::Value(person) => Value::Record(person),
                Observed::Absent => Value::Absent,
                Observed::Unobserved(why) => Value::Unobserved(*why),
            },
            6 => Value::List(&self.decks),
            7 => Value::List(&self.ports),
            _ => Value::Map(&self.papers),
        }
    }
}

impl Record for Person {
    fn attribute(&self, _index: usize) -> Value<'_> {
        (&self.name).into()
    }
}

impl Record for Deck {
    fn attribute(&self, _index: usize) -> Value<'_> {
        (&self.guns).into()
    }
}

impl Map for Papers {
    fn get(&self, key: &str) -> Value<'_> {
        match (self.0.get(key), self.1) {
            (Some(value), _) => Value::Text(value),
            (None, Some(why)) => Value::Unobserved(why),
            (None, None) => Value::Absent,
        }
    }
}

fn text(text: &str) -> Observed<Text> {
    Observed::Value(text.into())
}

fn papers(pairs: &[(&str, &str)]) -> BTreeMap<Text, Text> {
    pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

/// A ship of which everything was observed.
fn beagle() -> Ship {
    Ship {
        name: text("HMS Beagle"),
        crew: Observed::Value(65),
        armed: Observed::Value(true),
        draught: Observed::Value(3.8),
        flag: text("white"),
        captain: Observed::Value(Person { name: text("FitzRoy") }),
        decks: Listing::complete(vec![
            Deck { guns: Observed::Value(6) },
            Deck { guns: Observed::Value(0) },
        ]),
        ports: Listing::complete(vec!["Plymouth".into(), "Bahia".into()]),
        papers: Papers(papers(&[("owner", "Admiralty"), ("build year", "1820")]), None),
    }
}

/// A ship of which much is known to be absent.
fn hulk() -> Ship {
    Ship {
        crew: Observed::Absent,
        captain: Observed::Absent,
        flag: text("none"),
        decks: Listing::complete(vec![Deck { guns: Observed::Absent }]),
        ports: Listing::complete(Vec::new()),
        papers: Papers(BTreeMap::new(), None),
        ..beagle()
    }
}

/// A ship seen from afar: one deck, one port, and who knows what else.
fn stranger() -> Ship {
    Ship {
        name: Observed::Unobserved(Why::Blank),
        crew: Observed::Unobserved(Why::SourceLimit),
        armed: Observed::Unobserved(Why::NotInVersion),
        draught: Observed::Value(4.0),
        flag: text("red"),
        captain: Observed::Unobserved(Why::NoPermission),
        decks: Listing::incomplete(vec![Deck { guns: Observed::Value(8) }], Why::CallFailed),
        ports: Listing::incomplete(vec!["Bahia".into()], Why::NotInExport),
        papers: Papers(papers(&[("owner", "nobody")]), Some(Why::Unreadable)),
    }
}

fn evaluate(source: &str, ship: &Ship) -> Truth {
    let environment = Environment::new().with_root("ship", &SHIP);
    match Expression::compile(source, &environment) {
        Ok(expression) => expression.evaluate(&[ship]),
        Err(diagnostics) => panic!("{}", diagnostics[0].render(source)),
    }
}

#[track_caller]
fn check(source: &str, ship: &Ship, expect: bool) {
    let expect = if expect { Truth::True } else { Truth::False };
    assert_eq!(evaluate(source, ship), expect, "{source}");
}

/// `expect` is `path: reason` for each thing missing.
#[track_caller]
fn check_unknown(source: &str, ship: &Ship, expect: &[&str]) {
    let Truth::Unknown(missing) = evaluate(source, ship) else {
        panic!("{source} should be unknown");
    };
    let shown: Vec<String> =
        missing.iter().map(|it| format!("{}: {}", it.attribute, it.why.as_str())).collect();
    assert_eq!(shown, expect, "{source}");
}

#[test]
fn what_was_observed_is_compared() {
    let ship = &beagle();
    check("ship.crew == 65 && ship.name != \"HMS Erebus\"", ship, true);
    check("ship.crew > 65 || ship.crew < 65", ship, false);
    check("ship.crew >= 65.0 && ship.crew <= 65.5 && ship.draught > 3", ship, true);
    check("'Bahia' in ship.ports && !('Lima' in ship.ports)", ship, true);
    check("ship.flag in ['red', \"white\"]", ship, true);
    check("ship.name < \"HMS C\"", ship, true);
    check("ship.armed ? ship.crew > 10 : false", ship, true);
    check(
        "(ship.armed ? ship.crew : 0) == 65 && (ship.crew < 9 ? 'few' : 'many') == 'many'",
        ship,
        true,
    );
    check("ship.ports == ['Plymouth', 'Bahia'] && ship.ports != ['Bahia', 'Plymouth']", ship, true);
    check("ship.captain.name == 'FitzRoy'", ship, true);
}

#[test]
fn numbers_are_calculated_and_compared_exactly() {
    let ship = &beagle();
    check("ship.crew / 2 * 2 + ship.crew % 2 == ship.crew", ship, true);
    check("-ship.crew == 5 - 70", ship, true);
    check("double(ship.crew) * 0.5 == 32.5 && int(3.9) == 3 && int(-3.9) == -3", ship, true);
    // 2⁵³ + 1 has no neighbour of its own among the doubles.
    check("9007199254740993 > 9007199254740992.0", ship, true);
    check("9223372036854775807 < 9223372036854775808.0", ship, true);
    check("-9223372036854775808 == -9223372036854775808.0", ship, true);
}

#[test]
fn texts_are_searched_and_joined() {
    let ship = &beagle();
    check("ship.name.startsWith('HMS') && ship.name.endsWith('gle')", ship, true);
    check("ship.name.contains('bea')", ship, false);
    check("ship.name.lowerAscii().contains('bea')", ship, true);
    check(r#"ship.name.matches("^HMS [A-Z][a-z]+$") && matches(ship.name, r"\bB")"#, ship, true);
    check("ship.captain.name + ', ' + ship.name == 'FitzRoy, HMS Beagle'", ship, true);
    check("size('Île') == 3 && ship.name.size() == 10", ship, true);
}

#[test]
fn an_observed_absence_is_null() {
    let ship = &hulk();
    check("ship.crew == null && ship.captain == null", ship, true);
    check("has(ship.crew) || has(ship.captain) || has(ship.captain.name)", ship, false);
    check("ship.crew == 3 || ship.crew == 0", ship, false);
    check("ship.crew != 3", ship, true);
    check("ship.papers.owner == null && ship.papers[\"build year\"] == null", ship, true);
    check("has(ship.papers.owner) || 'owner' in ship.papers", ship, false);
    check("ship.decks.exists(d, has(d.guns))", ship, false);
    check("has(ship.crew) && has(ship.captain.name) && has(ship.papers.owner)", &beagle(), true);
}

#[test]
fn null_where_a_value_is_needed_has_none_and_a_guard_spares_it() {
    let ship = &hulk();
    check_unknown("ship.crew > 3", ship, &["ship.crew: absent"]);
    check_unknown("ship.captain.name == 'Ahab'", ship, &["ship.captain: absent"]);
    check_unknown("ship.papers.owner.startsWith('A')", ship, &["ship.papers.owner: absent"]);
    check_unknown("ship.crew + 1 == 1", ship, &["ship.crew: absent"]);
    check_unknown("ship.decks.exists(d, d.guns > 3)", ship, &["ship.decks[].guns: absent"]);
    check("has(ship.crew) && ship.crew > 3", ship, false);
    check("ship.crew == null || ship.crew > 3", ship, true);
    check("has(ship.captain) ? ship.captain.name == 'Ahab' : true", ship, true);
    check("ship.decks.all(d, !has(d.guns) || d.guns > 3)", ship, true);
}

#[test]
fn what_was_not_observed_is_unknown_with_its_name() {
    let ship = &stranger();
    check_unknown("ship.crew > 3", ship, &["ship.crew: source-limit"]);
    check_unknown("ship.crew == null", ship, &["ship.crew: source-limit"]);
    check_unknown("has(ship.crew)", ship, &["ship.crew: source-limit"]);
    check_unknown("!ship.armed", ship, &["ship.armed: not-in-version"]);
    check_unknown("ship.captain.name == 'Ahab'", ship, &["ship.captain: no-permission"]);
    check_unknown("has(ship.captain.name)", ship, &["ship.captain: no-permission"]);
    check_unknown(
        "ship.name == 'Pequod' && ship.crew > 3 && ship.name != 'Rachel'",
        ship,
        &["ship.crew: source-limit", "ship.name: blank"],
    );
    check_unknown(
        "ship.name.contains(ship.captain.name)",
        ship,
        &["ship.captain: no-permission", "ship.name: blank"],
    );
    check_unknown("ship.crew > 3 ? true : false", ship, &["ship.crew: source-limit"]);
}

#[test]
fn what_decides_absorbs_the_unknown_on_either_side() {
    let ship = &stranger();
    check("ship.crew > 3 && ship.flag == 'white'", ship, false);
    check("ship.flag == 'white' && ship.crew > 3", ship, false);
    check("ship.crew > 3 || ship.flag == 'red'", ship, true);
    check("ship.flag == 'red' || ship.crew > 3", ship, true);
    check("1 / 0 == 1 || ship.flag == 'red'", ship, true);
    check_unknown("ship.crew > 3 || ship.flag == 'white'", ship, &["ship.crew: source-limit"]);
    check_unknown("ship.flag == 'red' && ship.crew > 3", ship, &["ship.crew: source-limit"]);
}

#[test]
fn an_incomplete_list_decides_what_the_seen_elements_decide() {
    let ship = &stranger();
    let decks = &["ship.decks: call-failed"][..];
    check("ship.decks.exists(d, d.guns == 8)", ship, true);
    check_unknown("ship.decks.exists(d, d.guns == 9)", ship, decks);
    check("ship.decks.all(d, d.guns == 9)", ship, false);
    check_unknown("ship.decks.all(d, d.guns == 8)", ship, decks);
    check_unknown("ship.decks.exists_one(d, d.guns == 8)", ship, decks);
    check("'Bahia' in ship.ports", ship, true);
    check_unknown("'Lima' in ship.ports", ship, &["ship.ports: not-in-export"]);
    check_unknown("ship.decks[0].guns == 8", ship, decks);
    check_unknown("ship.ports == ['Bahia']", ship, &["ship.ports: not-in-export"]);

    let complete = &beagle();
    check("ship.decks.exists_one(d, d.guns == 0)", complete, true);
    check("ship.decks.exists_one(d, d.guns < 9)", complete, false);
    check("ship.decks[1].guns == 0", complete, true);
    check_unknown("ship.decks[2].guns == 0", complete, &["ship.decks: no-such-element"]);
    check_unknown("ship.decks[-1].guns == 0", complete, &["ship.decks: no-such-element"]);
}

#[test]
fn the_size_of_an_incomplete_list_is_at_least_what_was_seen() {
    let ship = &stranger();
    let decks = &["ship.decks: call-failed"][..];
    check("size(ship.decks) > 0 && size(ship.decks) >= 1 && 0 < size(ship.decks)", ship, true);
    check("size(ship.decks) == 0 || size(ship.decks) < 1 || size(ship.decks) <= 0", ship, false);
    check("size(ship.decks) != 0", ship, true);
    check_unknown("size(ship.decks) > 1", ship, decks);
    check_unknown("size(ship.decks) == 1", ship, decks);
    check_unknown("size(ship.decks) >= 2", ship, decks);
    check_unknown("size(ship.decks) <= 1", ship, decks);
    check_unknown("size(ship.decks) < 3", ship, decks);
    check_unknown("size(ship.decks) + 1 > 1", ship, decks);
    check("size(ship.decks) == 2 && size(ship.decks) < 3", &beagle(), true);
}

#[test]
fn a_missing_key_of_an_incomplete_map_is_unknown() {
    let ship = &stranger();
    check("ship.papers.owner == 'nobody' && 'owner' in ship.papers", ship, true);
    check_unknown("ship.papers.flag == 'red'", ship, &["ship.papers.flag: unreadable"]);
    check_unknown("'flag' in ship.papers", ship, &["ship.papers.flag: unreadable"]);
    check_unknown("has(ship.papers.flag)", ship, &["ship.papers.flag: unreadable"]);
    check_unknown(
        "ship.papers['build year'] == '1820'",
        ship,
        &["ship.papers[\"build year\"]: unreadable"],
    );
}

#[test]
fn filter_and_map_keep_what_is_known() {
    let ship = &beagle();
    check("size(ship.decks.filter(d, d.guns > 0)) == 1", ship, true);
    check("ship.decks.filter(d, d.guns > 0).all(d, d.guns == 6)", ship, true);
    check("ship.decks.map(d, d.guns) == [6, 0]", ship, true);
    check("0 in ship.decks.map(d, d.guns > 0, d.guns)", ship, false);
    let ship = &stranger();
    check("size(ship.decks.filter(d, d.guns == 8)) > 0", ship, true);
    check("ship.decks.filter(d, d.guns == 8).exists(d, d.guns > 3)", ship, true);
    check("8 in ship.decks.map(d, d.guns)", ship, true);
    check_unknown(
        "ship.decks.filter(d, d.guns == 9).exists(d, true)",
        ship,
        &["ship.decks: call-failed"],
    );
    let half = &Ship {
        decks: Listing::complete(vec![
            Deck { guns: Observed::Unobserved(Why::Blank) },
            Deck { guns: Observed::Value(4) },
        ]),
        ..beagle()
    };
    check("ship.decks.filter(d, d.guns > 3).exists(d, d.guns == 4)", half, true);
    check("ship.decks.filter(d, d.guns > 3).all(d, d.guns != 4)", half, false);
    check("4 in ship.decks.map(d, d.guns)", half, true);
    check_unknown("5 in ship.decks.map(d, d.guns)", half, &["ship.decks[].guns: blank"]);
    check_unknown(
        "size(ship.decks.filter(d, d.guns > 3)) == 2",
        half,
        &["ship.decks[].guns: blank"],
    );
    check("size(ship.decks.map(d, d.guns)) == 2", half, true);
}

#[test]
fn macros_nest_and_see_the_variables_around_them() {
    let ship = &beagle();
    check("ship.decks.exists(a, ship.decks.exists(b, a.guns > b.guns))", ship, true);
    check("ship.decks.exists(a, ship.decks.all(b, a.guns >= b.guns && a.guns > 0))", ship, true);
    check("ship.decks.exists(d, ship.ports.exists(d, d == 'Bahia') && d.guns == 6)", ship, true);
    check("ship.ports.exists(p, p == 'Bahia' && ship.decks.exists(d, d.guns == 6))", ship, true);
}

#[test]
fn faults_have_names_too() {
    let ship = &beagle();
    check_unknown("ship.crew / 0 == 1", ship, &["ship.crew / 0 == 1: division-by-zero"]);
    check_unknown("1 % (ship.crew - 65) == 1", ship, &["ship.crew: division-by-zero"]);
    check_unknown("ship.crew + 9223372036854775807 > 0", ship, &["ship.crew: overflow"]);
    check_unknown("int(1e300) == 1", ship, &["int(1e300) == 1: overflow"]);
    check_unknown("0.0 / 0.0 < ship.draught", ship, &["ship.draught: not-a-number"]);
    check("0.0 / 0.0 == 1.0", ship, false);
}

#[test]
fn a_hostile_expression_meets_the_step_limit() {
    let ports = (0..200).map(|port| Text::from(port.to_string())).collect();
    let ship = &Ship { ports: Listing::complete(ports), ..beagle() };
    let nested = "ship.ports.all(a, ship.ports.all(b, ship.ports.all(c, ship.ports.all(d, \
                  a + b + c + d != 'x'))))";
    let Truth::Unknown(missing) = evaluate(nested, ship) else { panic!("16 · 10⁸ turns") };
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].why, Reason::LimitReached);
    check(&format!("{nested} || ship.crew == 65"), ship, true);

    let growing = "ship.ports.map(a, ship.ports.map(b, ship.ports.map(c, [a + b, b + c]))) == []";
    let shown: String = growing.chars().take(59).collect();
    check_unknown(growing, ship, &[&format!("{shown}…: limit-reached")]);
}

#[test]
fn an_expression_tells_what_it_reads() {
    let environment = Environment::new().with_root("ship", &SHIP).with_root("port", &PERSON);
    let source = "ship.decks.filter(d, d.guns > 3).exists(d, d.guns < 9) \
                  || ship.captain.name == ship.papers.owner || 'x' in ship.papers";
    let expression = Expression::compile(source, &environment).unwrap();
    assert_eq!(
        expression.attributes(),
        [
            "ship.captain",
            "ship.captain.name",
            "ship.decks",
            "ship.decks[].guns",
            "ship.papers",
            "ship.papers.owner",
            "ship.papers.x",
        ]
    );
    assert!(expression.uses_root("ship") && !expression.uses_root("port"));
    assert_eq!(expression.source(), source);
}

#[test]
fn reasons_tell_limits_of_the_source_from_gaps_that_could_be_closed() {
    let missing = |why: Why| Missing { attribute: "ship.crew".into(), why: why.into() };
    assert!(missing(Why::SourceLimit).why.is_limit_of_source());
    assert!(!missing(Why::Blank).why.is_limit_of_source());
    assert!(!Reason::Absent.is_limit_of_source());
}
