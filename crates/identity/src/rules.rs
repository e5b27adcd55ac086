//! The rules: what two sightings' facts say, and whether that is enough.
//!
//! Strength follows rules that can be read aloud; weights only rank links, so that of links which cannot
//! all hold the weakest give way.

use entente_model::{Observed, Text};

use crate::correlation::{Evidence, EvidenceKind as Kind, Side};
use crate::prepared::Prepared;
use crate::together::{Together, are_two, overlap, together};
use crate::values::written_mac;

const NATIVE_ID: u32 = 100;
const INSTANCE_UUID: u32 = 90;
const BIOS_UUID: u32 = 60;
const MAC: u32 = 40;
const HOST_NAME: u32 = 25;
const DISKS: u32 = 10;
const NAME: u32 = 10;
/// A UUID that several machines hold still says that the two are of one family.
const SHARED_UUID: u32 = 5;
const TIME: u32 = 5;
/// Two sources of one platform show the same machine without any move; so this weighs more than any one
/// lesser fact that a copy elsewhere may have on top.
const ONE_PLATFORM: u32 = 15;
const HOST_NAME_DIFFERS: u32 = 30;
const UUID_DIFFERS: u32 = 20;
const LESSER_DIFFERS: u32 = 5;
const AT_THE_SAME_TIME: u32 = 100;

/// What a value says of two sightings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// Equal, and held by no third machine.
    Same,
    /// Equal, but several machines hold it.
    Shared,
    /// Both known, and not equal.
    Other,
    /// Not observed on a side, or worth nothing.
    Nothing,
}
use Says::{Nothing, Other, Same, Shared};

/// Whether two sightings are the same machine, by their facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Strong,
    Weak,
    /// Facts would make it strong, but both are there at the same time on different platforms.
    AliveTwice,
    None,
}

/// What the facts of two sightings say.
pub(crate) struct Comparison<'p, 'a> {
    a: &'p Prepared<'a>,
    b: &'p Prepared<'a>,
    native: Says,
    instance: Says,
    bios: Says,
    mac: Says,
    host: Says,
    disks: Says,
    name: Says,
}

impl<'p, 'a> Comparison<'p, 'a> {
    pub(crate) fn of(a: &'p Prepared<'a>, b: &'p Prepared<'a>) -> Self {
        let (one, other) = (&a.worth, &b.worth);
        let fits =
            a.host.as_ref().zip(b.host.as_ref()).map(|(a, b)| (a.fits(b), a.label == b.label));
        let host = match fits {
            Some((true, _)) if one.host_is_shared || other.host_is_shared => Shared,
            Some((true, _)) => Same,
            // One label in two domains may be a machine that changed its domain, or two machines.
            Some((false, true)) | None => Nothing,
            Some((false, false)) => Other,
        };
        Self {
            native: native(a, b),
            instance: equal(
                a.instance.as_ref(),
                b.instance.as_ref(),
                one.instance_is_shared || other.instance_is_shared,
            ),
            bios: equal(
                a.bios.as_ref(),
                b.bios.as_ref(),
                one.bios_is_shared || other.bios_is_shared,
            ),
            mac: macs(a, b),
            host,
            disks: equal(a.disks.as_ref(), b.disks.as_ref(), false),
            name: equal(
                a.name.as_ref(),
                b.name.as_ref(),
                one.name_is_shared || other.name_is_shared,
            ),
            a,
            b,
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        if are_two(self.a, self.b) || !self.kinds_agree() {
            return Verdict::None;
        }
        let is_one_platform = self.a.platform == self.b.platform;
        let is_strong = if is_one_platform { self.on_one_platform() } else { self.across() };
        let is_timely = is_one_platform || together(self.a, self.b) != Together::Long;
        match (is_strong, is_timely) {
            (true, true) => Verdict::Strong,
            (true, false) => Verdict::AliveTwice,
            (false, _) if self.is_worth_a_proposal() => Verdict::Weak,
            (false, _) => Verdict::None,
        }
    }

    /// True where a recorded move cannot be believed: both are there at once, they are for different
    /// things, or nothing is left in common and the guest's own name is another.
    pub(crate) fn contradicts_a_move(&self) -> bool {
        let in_common =
            [self.instance, self.bios, self.mac].iter().any(|it| matches!(it, Same | Shared));
        are_two(self.a, self.b)
            || self.a.sighting.kind != self.b.sighting.kind
            || (self.a.platform != self.b.platform && together(self.a, self.b) == Together::Long)
            || (self.host == Other && !in_common)
    }

    /// A template is not the machine made from it, a stand-in not what it stands in for. Between two
    /// sources of one platform a difference says little: an object is made a template and back, and old
    /// exports know no stand-ins.
    fn kinds_agree(&self) -> bool {
        let is_one_platform = self.a.platform == self.b.platform;
        self.a.sighting.kind == self.b.sighting.kind || (is_one_platform && !self.is_told_apart())
    }

    fn on_one_platform(&self) -> bool {
        if self.instance == Same {
            return true;
        }
        let is_incarnation_clear = !self.a.worth.native_is_reused && !self.b.worth.native_is_reused
            || overlap(self.a, self.b)
            || matches!(self.bios, Same | Shared)
            || self.mac == Same;
        if self.native == Same
            && self.instance != Other
            && self.bios != Other
            && is_incarnation_clear
        {
            return true;
        }
        if matches!(self.bios, Same | Shared) && self.mac == Same && self.host == Same {
            return true;
        }
        !self.is_told_apart() && (self.by_uuid() || self.by_mac() || self.by_mac_on_one_platform())
    }

    /// A platform does not show one machine under two ids: what is left is a copy or a restore.
    fn is_told_apart(&self) -> bool {
        self.native == Other || self.instance == Other || self.a.feed == self.b.feed
    }

    fn across(&self) -> bool {
        let shares_uuid = self.bios == Shared || self.instance == Shared;
        self.by_uuid() || self.by_mac() || (shares_uuid && self.mac == Same && self.host == Same)
    }

    /// A UUID that only these two hold, and something besides. Where all addresses differ, equal disks
    /// are no more than a copy has, too; and on one platform, where a machine keeps its addresses, neither
    /// is the host name.
    fn by_uuid(&self) -> bool {
        let is_one_platform = self.a.platform == self.b.platform;
        let besides = self.name == Same
            || (self.host == Same && !(is_one_platform && self.mac == Other))
            || (self.disks == Same && self.mac != Other);
        (self.bios == Same || self.instance == Same)
            && (self.mac == Same || (self.host != Other && besides))
    }

    /// A hardware address that only these two hold, and most of the rest. Addresses given by a platform
    /// are unique there alone: two vCenters may well give the same one.
    fn by_mac(&self) -> bool {
        let rest = [self.host, self.name, self.disks].iter().filter(|it| **it == Same).count();
        // Two of the three: one of them is a name.
        self.mac == Same && self.host != Other && rest >= 2
    }

    /// On one platform, where an address is unique, a name besides is enough, though others bear it.
    fn by_mac_on_one_platform(&self) -> bool {
        let agrees = |it: Says| matches!(it, Same | Shared);
        self.mac == Same && self.host != Other && (agrees(self.host) || agrees(self.name))
    }

    fn is_worth_a_proposal(&self) -> bool {
        let shares_uuid = self.bios == Shared || self.instance == Shared;
        let named = self.host == Same || self.name == Same;
        (self.native == Same && self.instance != Other)
            || self.instance == Same
            || self.bios == Same
            || (shares_uuid && (self.mac == Same || named))
            || (self.mac == Same && self.host != Other && (named || self.disks == Same))
            || (self.host == Same && self.name == Same)
            || (self.name == Same && self.disks == Same && self.host != Other)
    }

    /// Everything that was compared and said something, strongest first.
    pub(crate) fn evidence(&self) -> Vec<Evidence> {
        let (a, b) = (self.a, self.b);
        let mut found = Vec::new();
        self.note(&mut found, Kind::NativeId, self.native, |it| it.native().cloned());
        // Another platform gives another instance UUID: that says nothing.
        if a.platform == b.platform || self.instance != Other {
            let instance = |it: &Prepared<'_>| written(it.sighting.instance_uuid.copied());
            self.note(&mut found, Kind::InstanceUuid, self.instance, instance);
        }
        let bios = |it: &Prepared<'_>| written(it.sighting.bios_uuid.copied());
        self.note(&mut found, Kind::BiosUuid, self.bios, bios);
        self.note(&mut found, Kind::Mac, self.mac, |it| Some(self.addresses(it)));
        let host = |it: &Prepared<'_>| it.sighting.hostname.value().cloned();
        self.note(&mut found, Kind::HostName, self.host, host);
        self.note(&mut found, Kind::Disks, self.disks, disk_sizes);
        self.note(&mut found, Kind::Name, self.name, |it| Some(it.sighting.name.clone()));
        found.extend(self.time());
        if a.platform == b.platform && !self.is_told_apart() {
            let values = vec![Text::new(a.sighting.platform.as_str())];
            let (kind, side) = (Kind::Platform, Side::For);
            found.push(Evidence { kind, side, weight: ONE_PLATFORM, values });
        }
        found.sort_by_key(|it| std::cmp::Reverse(it.weight));
        found
    }

    fn time(&self) -> Option<Evidence> {
        let (kind, side, weight) = match together(self.a, self.b) {
            _ if are_two(self.a, self.b) => (Kind::AtTheSameTime, Side::Against, AT_THE_SAME_TIME),
            _ if self.a.platform == self.b.platform => return None,
            Together::Never => return None,
            Together::Handover => (Kind::Handover, Side::For, TIME),
            Together::SourceKept => (Kind::SourceKept, Side::For, TIME),
            Together::OneHost => (Kind::Host, Side::For, TIME),
            Together::Long => (Kind::AtTheSameTime, Side::Against, AT_THE_SAME_TIME),
        };
        if kind == Kind::Host {
            let values = self.a.sighting.runs_on.value().into_iter().cloned().collect();
            return Some(Evidence { kind, side, weight, values });
        }
        let power = |it: &Prepared<'_>| match &it.sighting.power {
            Observed::Value(power) => power.as_str(),
            Observed::Absent | Observed::Unobserved(_) => "power state not known",
        };
        let values = vec![power(self.a).into(), power(self.b).into()];
        Some(Evidence { kind, side, weight, values })
    }

    /// Those in common where that is what counts, else all.
    fn addresses(&self, of: &Prepared<'_>) -> Text {
        let is_on = |it: &Prepared<'_>, mac: &u64| it.macs.binary_search(mac).is_ok();
        let kept = of
            .macs
            .iter()
            .filter(|mac| self.mac != Same || (is_on(self.a, mac) && is_on(self.b, mac)));
        kept.map(|mac| written_mac(*mac)).collect::<Vec<_>>().join(", ").into()
    }

    fn note(
        &self,
        found: &mut Vec<Evidence>,
        kind: Kind,
        says: Says,
        value: impl Fn(&Prepared<'_>) -> Option<Text>,
    ) {
        let (same, other) = weights(kind);
        let (kind, side, weight) = match (says, kind) {
            (Nothing, _) | (Shared, Kind::HostName | Kind::Name) => return,
            (Same, _) => (kind, Side::For, same),
            (Shared, Kind::InstanceUuid) => (Kind::SharedInstanceUuid, Side::For, SHARED_UUID),
            (Shared, _) => (Kind::SharedBiosUuid, Side::For, SHARED_UUID),
            (Other, _) => (kind, Side::Against, other),
        };
        let mut values: Vec<Text> = [self.a, self.b].into_iter().filter_map(value).collect();
        values.dedup();
        found.push(Evidence { kind, side, weight, values });
    }
}

/// What a fact weighs if it agrees, and if it differs.
fn weights(kind: Kind) -> (u32, u32) {
    match kind {
        Kind::NativeId => (NATIVE_ID, UUID_DIFFERS),
        Kind::InstanceUuid => (INSTANCE_UUID, UUID_DIFFERS),
        Kind::BiosUuid => (BIOS_UUID, UUID_DIFFERS),
        Kind::Mac => (MAC, LESSER_DIFFERS),
        Kind::HostName => (HOST_NAME, HOST_NAME_DIFFERS),
        Kind::Disks => (DISKS, LESSER_DIFFERS),
        _ => (NAME, LESSER_DIFFERS),
    }
}

fn equal<T: PartialEq>(a: Option<&T>, b: Option<&T>, is_shared: bool) -> Says {
    match (a, b) {
        (Some(a), Some(b)) if a != b => Other,
        (Some(_), Some(_)) if is_shared => Shared,
        (Some(_), Some(_)) => Same,
        _ => Nothing,
    }
}

/// An id means something on its platform alone, and between two feeds: in one feed, two sightings with
/// one id are known to be different machines, one after the other.
fn native(a: &Prepared<'_>, b: &Prepared<'_>) -> Says {
    match equal(a.native(), b.native(), false) {
        _ if a.platform != b.platform => Nothing,
        Same if a.feed == b.feed => Nothing,
        says => says,
    }
}

fn macs(a: &Prepared<'_>, b: &Prepared<'_>) -> Says {
    let is_worth = |mac: &&u64| {
        let shared = |it: &Prepared<'_>| it.worth.shared_macs.binary_search(mac).is_ok();
        !shared(a) && !shared(b)
    };
    let mut in_common = a.macs.iter().filter(|mac| b.macs.binary_search(mac).is_ok()).peekable();
    let all_known = |it: &Prepared<'_>| it.sighting.macs.is_complete() && !it.macs.is_empty();
    if in_common.peek().is_some() {
        return if in_common.any(|mac| is_worth(&mac)) { Same } else { Nothing };
    }
    if all_known(a) && all_known(b) { Other } else { Nothing }
}

fn written(uuid: Option<entente_model::Uuid>) -> Option<Text> {
    uuid.map(|it| it.to_string().into())
}

fn disk_sizes(of: &Prepared<'_>) -> Option<Text> {
    let mut sizes = of.sighting.disk_bytes.value()?.clone();
    sizes.sort_unstable();
    let written: Vec<String> = sizes.iter().map(|it| format!("{} MiB", it >> 20)).collect();
    Some(written.join(", ").into())
}
