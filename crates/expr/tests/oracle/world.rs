//! A small record with a bit of everything, more or less observed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use cel::objects::Key;
use entente_expr::{AttributeType, Map, Record, RecordType, Type, Value};
use entente_model::{Completeness, Listing, Observed, Text, Why};

use crate::generate::{Choices, TEXTS};

#[derive(Clone, Debug)]
pub struct World {
    flag: Observed<bool>,
    mark: Observed<bool>,
    count: Observed<i64>,
    limit: Observed<i64>,
    ratio: Observed<f64>,
    name: Observed<Text>,
    note: Observed<Text>,
    items: Listing<Item>,
    tags: Listing<Text>,
    labels: Labels,
    part: Observed<Item>,
}

#[derive(Clone, Debug)]
struct Item {
    flag: Observed<bool>,
    count: Observed<i64>,
    name: Observed<Text>,
}

#[derive(Clone, Debug)]
struct Labels {
    known: BTreeMap<Text, Text>,
    why: Option<Why>,
}

static ITEM: LazyLock<RecordType> = LazyLock::new(|| RecordType {
    name: "item",
    attributes: vec![
        AttributeType::new("flag", Type::Bool, ""),
        AttributeType::new("count", Type::Int, "").nullable(),
        AttributeType::new("name", Type::Text, "").nullable(),
    ],
});

static WORLD: LazyLock<RecordType> = LazyLock::new(|| RecordType {
    name: "world",
    attributes: vec![
        AttributeType::new("flag", Type::Bool, ""),
        AttributeType::new("mark", Type::Bool, "").nullable(),
        AttributeType::new("count", Type::Int, ""),
        AttributeType::new("limit", Type::Int, "").nullable(),
        AttributeType::new("ratio", Type::Double, ""),
        AttributeType::new("name", Type::Text, ""),
        AttributeType::new("note", Type::Text, "").nullable(),
        AttributeType::new("items", Type::records(&ITEM), ""),
        AttributeType::new("tags", Type::list(Type::Text), ""),
        AttributeType::new("labels", Type::Map(Box::new(Type::Text)), ""),
        AttributeType::new("part", Type::Record(&ITEM), "").nullable(),
    ],
});

pub fn record_type() -> &'static RecordType {
    &WORLD
}

fn value<'a, T>(fact: &'a Observed<T>, of: impl Fn(&'a T) -> Value<'a>) -> Value<'a> {
    match fact {
        Observed::Value(value) => of(value),
        Observed::Absent => Value::Absent,
        Observed::Unobserved(why) => Value::Unobserved(*why),
    }
}

impl Record for World {
    fn attribute(&self, index: usize) -> Value<'_> {
        match index {
            0 => (&self.flag).into(),
            1 => (&self.mark).into(),
            2 => value(&self.count, |it| Value::Int(*it)),
            3 => value(&self.limit, |it| Value::Int(*it)),
            4 => value(&self.ratio, |it| Value::Double(*it)),
            5 => (&self.name).into(),
            6 => (&self.note).into(),
            7 => Value::List(&self.items),
            8 => Value::List(&self.tags),
            9 => Value::Map(&self.labels),
            _ => value(&self.part, |it| Value::Record(it)),
        }
    }
}

impl Record for Item {
    fn attribute(&self, index: usize) -> Value<'_> {
        match index {
            0 => (&self.flag).into(),
            1 => value(&self.count, |it| Value::Int(*it)),
            _ => (&self.name).into(),
        }
    }
}

impl Map for Labels {
    fn get(&self, key: &str) -> Value<'_> {
        match (self.known.get(key), self.why) {
            (Some(value), _) => Value::Text(value),
            (None, Some(why)) => Value::Unobserved(why),
            (None, None) => Value::Absent,
        }
    }
}

const INTS: [i64; 8] = [0, 1, 2, 3, -1, 7, i64::MAX, i64::MIN];
const DOUBLES: [f64; 6] = [0.0, 1.0, 2.5, -1.5, 3.0, 1e19];

/// How facts come out: with or without gaps.
struct Maker<'c, 'b> {
    choices: &'c mut Choices<'b>,
    gaps: bool,
}

impl Maker<'_, '_> {
    fn gap(&mut self) -> bool {
        self.gaps && self.choices.pick(3) == 2
    }

    fn fact<T>(&mut self, nullable: bool, of: impl Fn(&mut Choices<'_>) -> T) -> Observed<T> {
        if self.gap() {
            Observed::Unobserved(Why::NotInExport)
        } else if nullable && self.choices.pick(3) == 2 {
            Observed::Absent
        } else {
            Observed::Value(of(self.choices))
        }
    }

    fn listing<T>(&mut self, of: impl Fn(&mut Self) -> T) -> Listing<T> {
        let items = (0..self.choices.pick(4)).map(|_| of(self)).collect();
        if self.gap() { Listing::incomplete(items, Why::Blank) } else { Listing::complete(items) }
    }

    fn item(&mut self) -> Item {
        Item {
            flag: self.fact(false, flag),
            count: self.fact(true, int),
            name: self.fact(true, text),
        }
    }

    fn part(&mut self) -> Observed<Item> {
        let item = self.item();
        self.fact(true, |_| item.clone())
    }

    fn labels(&mut self) -> Labels {
        let pairs = (0..self.choices.pick(3)).map(|_| (text(self.choices), text(self.choices)));
        let known = pairs.collect();
        Labels { known, why: self.gap().then_some(Why::CallFailed) }
    }

    fn world(&mut self) -> World {
        World {
            flag: self.fact(false, flag),
            mark: self.fact(true, flag),
            count: self.fact(false, int),
            limit: self.fact(true, int),
            ratio: self.fact(false, |choices| DOUBLES[choices.pick(DOUBLES.len())]),
            name: self.fact(false, text),
            note: self.fact(true, text),
            items: self.listing(Self::item),
            tags: self.listing(|maker| text(maker.choices)),
            labels: self.labels(),
            part: self.part(),
        }
    }
}

fn flag(choices: &mut Choices<'_>) -> bool {
    choices.pick(2) == 1
}

fn int(choices: &mut Choices<'_>) -> i64 {
    INTS[choices.pick(INTS.len())]
}

fn text(choices: &mut Choices<'_>) -> Text {
    TEXTS[choices.pick(TEXTS.len())].into()
}

impl World {
    pub fn observed(choices: &mut Choices<'_>) -> Self {
        Maker { choices, gaps: false }.world()
    }

    pub fn partly_observed(choices: &mut Choices<'_>) -> Self {
        Maker { choices, gaps: true }.world()
    }

    /// The same with one in `share` of its gaps filled (all of them for 1).
    pub fn completed(&self, choices: &mut Choices<'_>, share: usize) -> Self {
        let mut filler = Filler { choices, share };
        World {
            flag: filler.fact(&self.flag, false, flag),
            mark: filler.fact(&self.mark, true, flag),
            count: filler.fact(&self.count, false, int),
            limit: filler.fact(&self.limit, true, int),
            ratio: filler.fact(&self.ratio, false, |it| DOUBLES[it.pick(DOUBLES.len())]),
            name: filler.fact(&self.name, false, text),
            note: filler.fact(&self.note, true, text),
            items: filler.items(&self.items),
            tags: filler.listing(&self.tags, |filler, tag| match tag {
                Some(tag) => tag.clone(),
                None => text(filler.choices),
            }),
            labels: filler.labels(&self.labels),
            part: match &self.part {
                Observed::Value(item) => Observed::Value(filler.item(Some(item))),
                Observed::Absent => Observed::Absent,
                gap if !filler.fills() => gap.clone(),
                _ if filler.choices.pick(3) == 2 => Observed::Absent,
                _ => Observed::Value(filler.item(None)),
            },
        }
    }

    /// A world without gaps, as CEL sees it.
    pub fn to_cel(&self) -> cel::Value {
        let labels = self.labels.known.iter().map(|(key, value)| (key.as_str(), cel_text(value)));
        cel_map([
            ("flag", cel_fact(&self.flag, |it| cel::Value::Bool(*it))),
            ("mark", cel_fact(&self.mark, |it| cel::Value::Bool(*it))),
            ("count", cel_fact(&self.count, |it| cel::Value::Int(*it))),
            ("limit", cel_fact(&self.limit, |it| cel::Value::Int(*it))),
            ("ratio", cel_fact(&self.ratio, |it| cel::Value::Float(*it))),
            ("name", cel_fact(&self.name, cel_text)),
            ("note", cel_fact(&self.note, cel_text)),
            ("items", cel_list(&self.items, Item::to_cel)),
            ("tags", cel_list(&self.tags, cel_text)),
            ("labels", cel_map(labels)),
            ("part", cel_fact(&self.part, Item::to_cel)),
        ])
    }
}

impl Item {
    fn to_cel(&self) -> cel::Value {
        cel_map([
            ("flag", cel_fact(&self.flag, |it| cel::Value::Bool(*it))),
            ("count", cel_fact(&self.count, |it| cel::Value::Int(*it))),
            ("name", cel_fact(&self.name, cel_text)),
        ])
    }
}

/// Fills gaps.
struct Filler<'c, 'b> {
    choices: &'c mut Choices<'b>,
    share: usize,
}

impl Filler<'_, '_> {
    fn fills(&mut self) -> bool {
        self.choices.pick(self.share) == 0
    }

    fn fact<T: Clone>(
        &mut self,
        fact: &Observed<T>,
        nullable: bool,
        of: impl Fn(&mut Choices<'_>) -> T,
    ) -> Observed<T> {
        match fact {
            Observed::Unobserved(_) if !self.fills() => fact.clone(),
            Observed::Unobserved(_) if nullable && self.choices.pick(3) == 2 => Observed::Absent,
            Observed::Unobserved(_) => Observed::Value(of(self.choices)),
            known => known.clone(),
        }
    }

    /// The seen elements with their own gaps filled, and others at any place among them.
    fn listing<T: Clone>(
        &mut self,
        of: &Listing<T>,
        element: impl Fn(&mut Self, Option<&T>) -> T,
    ) -> Listing<T> {
        let mut items: Vec<T> = of.items.iter().map(|item| element(self, Some(item))).collect();
        if of.is_complete() || !self.fills() {
            return Listing { items, completeness: of.completeness };
        }
        for _ in 0..self.choices.pick(3) {
            let new = element(self, None);
            items.insert(self.choices.pick(items.len() + 1), new);
        }
        Listing { items, completeness: Completeness::Complete }
    }

    fn items(&mut self, items: &Listing<Item>) -> Listing<Item> {
        self.listing(items, |filler, item| filler.item(item))
    }

    fn item(&mut self, item: Option<&Item>) -> Item {
        let gap = Item {
            flag: Observed::Unobserved(Why::Blank),
            count: Observed::Unobserved(Why::Blank),
            name: Observed::Unobserved(Why::Blank),
        };
        let item = item.unwrap_or(&gap);
        Item {
            flag: self.fact(&item.flag, false, flag),
            count: self.fact(&item.count, true, int),
            name: self.fact(&item.name, true, text),
        }
    }

    fn labels(&mut self, labels: &Labels) -> Labels {
        let mut known = labels.known.clone();
        if labels.why.is_none() || !self.fills() {
            return labels.clone();
        }
        for _ in 0..self.choices.pick(3) {
            let (key, value) = (text(self.choices), text(self.choices));
            known.entry(key).or_insert(value);
        }
        Labels { known, why: None }
    }
}

fn cel_text(text: &Text) -> cel::Value {
    cel::Value::String(Arc::new(text.to_string()))
}

fn cel_fact<T>(fact: &Observed<T>, of: impl Fn(&T) -> cel::Value) -> cel::Value {
    match fact {
        Observed::Value(value) => of(value),
        Observed::Absent => cel::Value::Null,
        Observed::Unobserved(why) => panic!("CEL knows no gaps: {why:?}"),
    }
}

fn cel_list<T>(list: &Listing<T>, of: impl Fn(&T) -> cel::Value) -> cel::Value {
    assert!(list.is_complete(), "CEL knows no gaps");
    cel::Value::List(Arc::new(list.iter().map(of).collect()))
}

fn cel_map<'a>(entries: impl IntoIterator<Item = (&'a str, cel::Value)>) -> cel::Value {
    let map: HashMap<Key, cel::Value> = entries
        .into_iter()
        .map(|(key, value)| (Key::String(Arc::new(key.to_owned())), value))
        .collect();
    cel::Value::Map(cel::objects::Map { map: Arc::new(map) })
}
