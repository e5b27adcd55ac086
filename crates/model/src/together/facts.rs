//! Facts of two accounts of one thing: what is known of it from both, and where they contradict each other.
//!
//! The account that goes first is kept; the other one fills what the first did not observe. A list is taken
//! whole from one account. In a part whose facts only make sense together (where it runs, how its
//! processors are arranged) nothing is filled from an account that contradicts the part.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde_json::Value;
use smol_str::SmolStr as Text;

use crate::observed::{Listing, Observed};

/// Exports tell sizes in MiB.
const EXPORTED_BYTES: u64 = 1 << 20;

/// Texts that mean the same in capital and in small letters.
const WITHOUT_CASE: [&str; 2] = ["mac", "hostname"];

/// Where a fact stands: `disks[Hard disk 1].capacity_bytes`.
pub(crate) struct At<'a> {
    above: Option<&'a At<'a>>,
    name: &'static str,
    item: Option<&'a str>,
}

impl<'a> At<'a> {
    /// The object itself.
    pub const TOP: At<'static> = At { above: None, name: "", item: None };

    pub fn to(&'a self, name: &'static str) -> At<'a> {
        At { above: Some(self), name, item: None }
    }

    fn item(&'a self, item: &'a str) -> At<'a> {
        At { above: self.above, name: self.name, item: Some(item) }
    }

    /// The same for every item of a list: `disks.capacity_bytes`.
    fn kind(&self) -> String {
        match self.above {
            Some(above) if !above.name.is_empty() => format!("{}.{}", above.kind(), self.name),
            _ => self.name.to_owned(),
        }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above.filter(|it| !it.name.is_empty()) {
            write!(f, "{above}.")?;
        }
        f.write_str(self.name)?;
        self.item.map_or(Ok(()), |item| write!(f, "[{item}]"))
    }
}

/// One fact of which two accounts tell different things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub field: String,
    /// The same for every item of a list.
    pub kind: String,
    pub kept: Text,
    pub other: Text,
}

/// What is noted while two accounts are put together.
#[derive(Default)]
pub(crate) struct Notes {
    /// Whether it is of use which values differ.
    pub wants_differences: bool,
    pub differences: Vec<Difference>,
    /// Whether it is of use which facts were filled.
    pub wants_filled: bool,
    pub filled: BTreeSet<String>,
    pub filled_count: u64,
    /// The other account is of another platform: its places and the ids of them mean nothing here.
    pub is_foreign: bool,
    pub contradictions: u64,
}

impl Notes {
    fn filled(&mut self, at: &At<'_>) {
        self.filled_count += 1;
        if self.wants_filled {
            self.filled.insert(at.to_string());
        }
    }

    fn differs(&mut self, at: &At<'_>, values: impl FnOnce() -> (Text, Text)) {
        self.contradictions += 1;
        if self.wants_differences {
            let (kept, other) = values();
            let (field, kind) = (at.to_string(), at.kind());
            self.differences.push(Difference { field, kind, kept, other });
        }
    }
}

/// Something of which several accounts tell.
pub(crate) trait Facts {
    /// Takes what is not observed here from an account that goes after this one.
    fn settle(&mut self, other: &Self, at: &At<'_>, notes: &mut Notes);
}

/// A value that is observed.
pub(super) trait Fact: Clone + PartialEq + Serialize {
    /// The same thing, however it is written.
    fn agrees(&self, other: &Self, at: &At<'_>) -> bool {
        let _ = at;
        self == other
    }

    /// It is the id of something on the same platform.
    const IS_REFERENCE: bool = false;

    /// What some platforms leave out where others write it.
    fn is_nothing(&self) -> bool {
        false
    }
}

/// An item of a list.
pub(super) trait Item: Clone + PartialEq {
    /// What tells it from others.
    fn called(&self) -> String;

    /// What differs between two items of one name.
    fn compare(&self, other: &Self, at: &At<'_>, notes: &mut Notes);
}

impl Fact for bool {
    fn is_nothing(&self) -> bool {
        !self
    }
}

impl Fact for u32 {}

impl Fact for u64 {
    fn agrees(&self, other: &Self, at: &At<'_>) -> bool {
        self == other || (at.name.ends_with("_bytes") && self.abs_diff(*other) < EXPORTED_BYTES)
    }
}

impl Fact for Text {
    fn agrees(&self, other: &Self, at: &At<'_>) -> bool {
        let (one, other) = (self.trim(), other.trim());
        one == other || (WITHOUT_CASE.contains(&at.name) && one.eq_ignore_ascii_case(other))
    }

    fn is_nothing(&self) -> bool {
        self.trim().is_empty()
    }
}

impl Fact for crate::Uuid {
    /// Platforms and tools show the first three fields in either byte order.
    fn agrees(&self, other: &Self, _: &At<'_>) -> bool {
        self == other || Self::from_bytes_le(*self.as_bytes()) == *other
    }
}

impl Fact for crate::Moment {
    /// A time without a zone is right to a day; exports tell whole seconds.
    fn agrees(&self, other: &Self, _: &At<'_>) -> bool {
        let seconds = |it: &Self| match it {
            Self::Utc(at) => (at.unix_timestamp(), true),
            Self::Local(at) => (at.assume_utc().unix_timestamp(), false),
        };
        let ((one, one_has_zone), (other, other_has_zone)) = (seconds(self), seconds(other));
        let apart = one.abs_diff(other);
        apart == 0 || (one_has_zone != other_has_zone && apart <= 14 * 3_600)
    }
}

macro_rules! plain_facts {
    ($($type:ty)*) => { $(impl Fact for $type {})* };
}

plain_facts! {
    std::net::IpAddr crate::PowerState crate::DiskMode crate::DiskSharing crate::BusSharing
    crate::RawMapping crate::FirmwareKind crate::ToolsStatus crate::SwitchKind crate::AttributeKind
    crate::ApplicationId
}

macro_rules! references {
    ($($type:ty)*) => { $(impl Fact for $type {
        const IS_REFERENCE: bool = true;
    })* };
}

references! { crate::HostId crate::ClusterId crate::DatastoreId crate::NetworkId }

/// A value as people read it.
fn word(value: &impl Serialize) -> Text {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text.into(),
        Ok(Value::Null) | Err(_) => Text::new_static("none"),
        Ok(other) => other.to_string().into(),
    }
}

fn agree<T: Fact>(one: &Observed<T>, other: &Observed<T>, at: &At<'_>) -> bool {
    match (one, other) {
        (Observed::Value(one), Observed::Value(other)) => one.agrees(other, at),
        (Observed::Value(value), _) | (_, Observed::Value(value)) => value.is_nothing(),
        _ => true,
    }
}

/// A fact: observed before not observed.
pub(super) fn fact<T: Fact>(
    kept: &mut Observed<T>,
    other: &Observed<T>,
    at: &At<'_>,
    notes: &mut Notes,
) {
    if !other.is_observed() || (T::IS_REFERENCE && notes.is_foreign) {
        return;
    }
    if !kept.is_observed() {
        *kept = other.clone();
        notes.filled(at);
    } else if !agree(kept, other, at) {
        notes.differs(at, || (word(kept), word(other)));
    }
}

/// A setting of its own, in whose place some sources tell what holds in its absence: none of its own
/// contradicts nothing.
pub(super) fn inherited<T: Fact>(
    kept: &mut Observed<T>,
    other: &Observed<T>,
    at: &At<'_>,
    notes: &mut Notes,
) {
    if !matches!((&kept, other), (Observed::Absent, _) | (Observed::Value(_), Observed::Absent)) {
        fact(kept, other, at, notes);
    }
}

/// A fact that moves by itself: two accounts of it are no contradiction.
pub(super) fn sample<T: Fact>(
    kept: &mut Observed<T>,
    other: &Observed<T>,
    at: &At<'_>,
    notes: &mut Notes,
) {
    if !kept.is_observed() && other.is_observed() {
        *kept = other.clone();
        notes.filled(at);
    }
}

/// A fact that every tool writes in words of its own (a path, the name of a device): words that differ are
/// no contradiction.
pub(super) fn worded<T: Fact>(
    kept: &mut Observed<T>,
    other: &Observed<T>,
    at: &At<'_>,
    notes: &mut Notes,
) {
    sample(kept, other, at, notes);
}

/// What every account tells.
pub(super) fn plain<T: Fact>(kept: &mut T, other: &T, at: &At<'_>, notes: &mut Notes) {
    if !kept.agrees(other, at) {
        notes.differs(at, || (word(kept), word(other)));
    }
}

/// What names the thing, or says who told of it: that of the first account.
pub(super) fn skip<T>(_: &mut T, _: &T, _: &At<'_>, _: &mut Notes) {}

/// A part whose facts stand by themselves.
pub(super) fn part<T: Facts>(kept: &mut T, other: &T, at: &At<'_>, notes: &mut Notes) {
    kept.settle(other, at, notes);
}

/// A part whose facts only make sense together.
pub(super) fn block<T: Facts + Clone>(kept: &mut T, other: &T, at: &At<'_>, notes: &mut Notes) {
    let mut both = kept.clone();
    let mut noted = Notes {
        wants_differences: notes.wants_differences,
        wants_filled: notes.wants_filled,
        is_foreign: notes.is_foreign,
        ..Notes::default()
    };
    both.settle(other, at, &mut noted);
    notes.differences.append(&mut noted.differences);
    notes.contradictions += noted.contradictions;
    if noted.contradictions == 0 {
        *kept = both;
        notes.filled.append(&mut noted.filled);
        notes.filled_count += noted.filled_count;
    }
}

/// A part that only means something on its own platform.
pub(super) fn local<T: Facts + Clone>(kept: &mut T, other: &T, at: &At<'_>, notes: &mut Notes) {
    if !notes.is_foreign {
        block(kept, other, at, notes);
    }
}

/// A list, whole from one account: one that is whole before one that is not, and that before none.
pub(super) fn listed<T: Item>(
    kept: &mut Listing<T>,
    other: &Listing<T>,
    at: &At<'_>,
    notes: &mut Notes,
) {
    let worth = |it: &Listing<T>| match (it.is_complete(), it.items.is_empty()) {
        (true, _) => 2,
        (false, false) => 1,
        (false, true) => 0,
    };
    if notes.is_foreign {
        return;
    }
    if worth(other) > worth(kept) {
        kept.clone_from(other);
        notes.filled(at);
    } else if notes.wants_differences && kept.is_complete() && other.is_complete() {
        items(&kept.items, &other.items, at, notes);
    }
}

/// Items by name, whatever their order.
fn items<T: Item>(kept: &[T], other: &[T], at: &At<'_>, notes: &mut Notes) {
    let (one, two) = (by_name(kept), by_name(other));
    let names: BTreeSet<&(String, usize)> = one.keys().chain(two.keys()).collect();
    for name in names {
        let at = at.item(&name.0);
        let (there, missing) = (|| Text::new_static("there"), || Text::new_static("not there"));
        match (one.get(name), two.get(name)) {
            (Some(one), Some(two)) => one.compare(two, &at, notes),
            (Some(_), None) => notes.differs(&at, || (there(), missing())),
            (None, _) => notes.differs(&at, || (missing(), there())),
        }
    }
}

fn by_name<T: Item>(items: &[T]) -> BTreeMap<(String, usize), &T> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let named = items.iter().map(|item| {
        let name = item.called();
        let times = times.entry(name.clone()).or_default();
        *times += 1;
        ((name, *times), item)
    });
    named.collect()
}

/// Items that are values: each is there or not.
macro_rules! value_items {
    ($($type:ty)*) => { $(impl Item for $type {
        fn called(&self) -> String {
            self.to_string()
        }

        fn compare(&self, _: &Self, _: &At<'_>, _: &mut Notes) {}
    })* };
}

value_items! { Text std::net::IpAddr }
