//! Support windows: until when makers stand behind a release.
//!
//! The data is built in and carries its source and date; nothing here asks anyone.

use entente_model::{Date, Text};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use time::macros::format_description;

use crate::data::{DataError, load};

/// Where a support window stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum SupportState {
    /// General support has ended.
    Ended,
    /// General support ends within [`ENDING_DAYS`].
    Ending,
    /// In general support.
    Supported,
    /// Product, release or dates are not known.
    Unknown,
}

/// How soon an end of support counts as near, in days.
pub const ENDING_DAYS: i64 = 365;

/// What is known of the support of one release on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Support {
    /// The product's name, where it is known.
    pub product: Option<Text>,
    /// The product's cycle to which the release belongs, `8.0`, where one is known.
    pub cycle: Option<Text>,
    /// Where the window stands.
    pub state: SupportState,
    /// Last day of general support.
    pub general_support_ends: Option<Date>,
    /// Last day of paid or reduced support after that.
    pub extended_support_ends: Option<Date>,
    /// Where the dates come from and what they mean, or why they are not known.
    pub source: String,
}

impl Support {
    fn unknown(product: Option<Text>, reason: String) -> Self {
        Self {
            product,
            cycle: None,
            state: SupportState::Unknown,
            general_support_ends: None,
            extended_support_ends: None,
            source: reason,
        }
    }
}

/// How a phase of support ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// It is over; the day is not told.
    Ended,
    /// Its last day.
    On(Date),
    /// No end was announced.
    Open,
}

impl End {
    fn date(self) -> Option<Date> {
        match self {
            Self::On(date) => Some(date),
            Self::Ended | Self::Open => None,
        }
    }
}

impl<'de> Deserialize<'de> for End {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "open" => Ok(Self::Open),
            "ended" => Ok(Self::Ended),
            date => Date::parse(date, format_description!("[year]-[month]-[day]"))
                .map(Self::On)
                .map_err(|_| D::Error::custom(format!("`{date}` is not a date"))),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cycle {
    cycle: Text,
    #[serde(default)]
    general_support_ends: Option<End>,
    #[serde(default)]
    extended_support_ends: Option<End>,
}

/// A product whose support windows are known.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifecycleProduct {
    /// Stable id.
    pub id: Text,
    /// Name, for people.
    pub label: Text,
    names: Vec<Text>,
    general_support: Text,
    #[serde(default)]
    extended_support: Option<Text>,
    cycles: Vec<Cycle>,
}

/// The support windows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifecycles {
    /// Where the dates come from.
    pub source: Text,
    products: Vec<LifecycleProduct>,
}

impl Lifecycles {
    /// The support windows of this build.
    pub fn builtin() -> Result<Self, DataError> {
        load("lifecycle.yaml", include_str!("../data/lifecycle.yaml"))
    }

    /// The product with this id.
    pub fn product(&self, id: &str) -> Option<&LifecycleProduct> {
        self.products.iter().find(|product| product.id == id)
    }

    /// The product that a platform names so: `VMware ESXi`, `VMware vCenter Server 8.0.3 build-1`.
    pub fn product_named(&self, name: &str) -> Option<&LifecycleProduct> {
        let name = name.trim().to_lowercase();
        let begins = |known: &Text| {
            let known = known.to_lowercase();
            name.strip_prefix(&known)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
        };
        self.products
            .iter()
            .filter_map(|product| {
                let length = product.names.iter().filter(|it| begins(it)).map(|it| it.len()).max();
                Some((length?, product))
            })
            .max_by_key(|(length, _)| *length)
            .map(|(_, product)| product)
    }

    /// What is known of the support of a product's release on a day. `version` is a cycle, or what
    /// platforms write: `8.0.3`, `7.0 Update 3`, `15 SP4`.
    pub fn support(&self, product: &str, version: &str, as_of: Date) -> Support {
        let Some(product) = self.product(product) else {
            return Support::unknown(None, format!("`{product}` is not in the support windows"));
        };
        let label = Some(product.label.clone());
        match product.find(version) {
            Found::One(cycle) => self.window(product, cycle, as_of),
            Found::None => Support::unknown(
                label,
                format!("release `{version}` of {} is not in the support windows", product.label),
            ),
            Found::Several(cycles) => self.windows(product, &cycles, as_of),
        }
    }

    fn window(&self, product: &LifecycleProduct, cycle: &Cycle, as_of: Date) -> Support {
        Support {
            product: Some(product.label.clone()),
            cycle: Some(cycle.cycle.clone()),
            state: cycle.state(as_of),
            general_support_ends: cycle.general_support_ends.and_then(End::date),
            extended_support_ends: cycle.extended_support_ends.and_then(End::date),
            source: self.meaning(product, cycle.general_support_ends),
        }
    }

    /// The answer for a release that is told less exactly than the windows are kept: known only
    /// where all candidates are over.
    fn windows(&self, product: &LifecycleProduct, cycles: &[&Cycle], as_of: Date) -> Support {
        let last = cycles.iter().max_by_key(|cycle| cycle.general_support_ends);
        match last {
            Some(last) if last.state(as_of) == SupportState::Ended => {
                self.window(product, last, as_of)
            }
            _ => {
                let named: Vec<&str> = cycles.iter().map(|cycle| cycle.cycle.as_str()).collect();
                Support::unknown(
                    Some(product.label.clone()),
                    format!("depends on the minor release ({})", named.join(", ")),
                )
            }
        }
    }

    fn meaning(&self, product: &LifecycleProduct, general: Option<End>) -> String {
        let mut text = format!("general support: {}", product.general_support);
        if let Some(extended) = &product.extended_support {
            text.push_str(&format!("; extended support: {extended}"));
        }
        match general {
            Some(End::Open) => text.push_str("; no end announced"),
            None => text.push_str("; no date told"),
            Some(End::On(_) | End::Ended) => {}
        }
        format!("{text} ({})", self.source)
    }
}

impl Cycle {
    fn state(&self, as_of: Date) -> SupportState {
        match self.general_support_ends {
            None => SupportState::Unknown,
            Some(End::Ended) => SupportState::Ended,
            Some(End::Open) => SupportState::Supported,
            Some(End::On(last)) => match (last - as_of).whole_days() {
                ..0 => SupportState::Ended,
                0..=ENDING_DAYS => SupportState::Ending,
                _ => SupportState::Supported,
            },
        }
    }
}

enum Found<'l> {
    None,
    One(&'l Cycle),
    Several(Vec<&'l Cycle>),
}

impl LifecycleProduct {
    fn find(&self, version: &str) -> Found<'_> {
        let wanted = version.trim();
        if let Some(cycle) = self.cycles.iter().find(|it| it.cycle.eq_ignore_ascii_case(wanted)) {
            return Found::One(cycle);
        }
        let wanted = numbers(wanted);
        if wanted.is_empty() {
            return Found::None;
        }
        let numbered = || {
            self.cycles
                .iter()
                .filter(|it| it.cycle.chars().all(|c| c.is_ascii_digit() || c == '.'))
                .map(|it| (numbers(&it.cycle), it))
        };
        let covering = numbered()
            .filter(|(cycle, _)| wanted.starts_with(cycle))
            .max_by_key(|(cycle, _)| cycle.len());
        if let Some((_, cycle)) = covering {
            return Found::One(cycle);
        }
        let within: Vec<&Cycle> =
            numbered().filter(|(cycle, _)| cycle.starts_with(&wanted)).map(|(_, it)| it).collect();
        match within.as_slice() {
            [] => Found::None,
            [only] => Found::One(only),
            _ => Found::Several(within),
        }
    }
}

/// The numbers with which a version begins: `7.0 Update 3` gives 7 and 0; a service pack counts as
/// a minor release, so `15 SP4` gives 15 and 4.
fn numbers(version: &str) -> Vec<u32> {
    let lower = version.to_lowercase();
    let start = lower.find(|c: char| c.is_ascii_digit()).unwrap_or(lower.len());
    let lead: String =
        lower.chars().skip(start).take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let mut numbers: Vec<u32> = lead.split('.').map_while(|part| part.parse().ok()).collect();
    let pack = lower.split_whitespace().find_map(|word| word.strip_prefix("sp")?.parse().ok());
    if let (Some(pack), [_]) = (pack, numbers.as_slice()) {
        numbers.push(pack);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;
    use crate::guests::Guests;

    fn state(product: &str, version: &str, as_of: Date) -> SupportState {
        Lifecycles::builtin().unwrap().support(product, version, as_of).state
    }

    #[test]
    fn versions_as_platforms_write_them_find_their_cycle() {
        let windows = Lifecycles::builtin().unwrap();
        for (product, version, cycle) in [
            ("vmware-esxi", "8.0.3", "8.0"),
            ("vmware-esxi", "7.0 Update 3", "7.0"),
            ("vmware-esxi", "6.7.0", "6.7"),
            ("vmware-vcenter", "8.0.3.00400", "8.0"),
            ("vmware-vcenter", "4.1", "4"),
            ("windows-server", "2012-R2", "2012-r2"),
            ("sles", "15 SP4", "15.4"),
            ("sles", "15.4", "15.4"),
            ("rhel", "8.10", "8"),
            ("vmware-photon", "5", "5.0"),
            ("nutanix-aos", "7.3.1.2", "7.3"),
            ("proxmox-ve", "9.1.5", "9"),
        ] {
            let support = windows.support(product, version, date!(2026 - 01 - 01));
            assert_eq!(support.cycle.as_deref(), Some(cycle), "{product} {version}");
        }
    }

    #[test]
    fn the_last_day_is_still_supported_and_a_year_before_it_is_ending() {
        // ESXi 7.0: general support until 2025-10-02.
        assert_eq!(state("vmware-esxi", "7.0", date!(2024 - 10 - 01)), SupportState::Supported);
        assert_eq!(state("vmware-esxi", "7.0", date!(2024 - 10 - 02)), SupportState::Ending);
        assert_eq!(state("vmware-esxi", "7.0", date!(2025 - 10 - 02)), SupportState::Ending);
        assert_eq!(state("vmware-esxi", "7.0", date!(2025 - 10 - 03)), SupportState::Ended);
    }

    #[test]
    fn dates_come_with_their_meaning_and_source() {
        let windows = Lifecycles::builtin().unwrap();
        let support = windows.support("vmware-esxi", "8.0.3", date!(2026 - 01 - 01));
        assert_eq!(support.general_support_ends, Some(date!(2027 - 10 - 11)));
        assert_eq!(support.extended_support_ends, Some(date!(2029 - 10 - 11)));
        assert!(support.source.contains("technical guidance"), "{}", support.source);
        assert!(support.source.contains("endoflife.date"), "{}", support.source);
        let open = windows.support("proxmox-ve", "9.1", date!(2026 - 09 - 01));
        assert_eq!(open.state, SupportState::Supported);
        assert!(open.source.contains("no end announced"), "{}", open.source);
    }

    #[test]
    fn what_is_not_known_says_so() {
        let windows = Lifecycles::builtin().unwrap();
        for (product, version, why) in [
            ("solaris", "11", "`solaris` is not in"),
            ("vmware-esxi", "3.5", "release `3.5`"),
            ("vmware-esxi", "", "release ``"),
            ("vmware-esxi", "unknown", "release `unknown`"),
            ("sles", "15", "depends on the minor release"),
        ] {
            let support = windows.support(product, version, date!(2026 - 01 - 01));
            assert_eq!(support.state, SupportState::Unknown, "{product} {version}");
            assert_eq!(support.general_support_ends, None);
            assert!(support.source.contains(why), "{}", support.source);
        }
    }

    #[test]
    fn an_inexact_release_is_ended_only_when_all_it_can_mean_are() {
        assert_eq!(state("sles", "12", date!(2026 - 01 - 01)), SupportState::Ended);
        assert_eq!(state("sles", "15", date!(2099 - 01 - 01)), SupportState::Ended);
    }

    #[test]
    fn products_are_found_by_the_names_that_platforms_write() {
        let windows = Lifecycles::builtin().unwrap();
        let id = |name: &str| windows.product_named(name).map(|it| it.id.as_str());
        assert_eq!(id("VMware ESXi"), Some("vmware-esxi"));
        assert_eq!(id("VMware ESXi 8.0.3 build-24022510"), Some("vmware-esxi"));
        assert_eq!(id("VMware vCenter Server"), Some("vmware-vcenter"));
        assert_eq!(id("vmware vcenter server appliance"), Some("vmware-vcenter"));
        assert_eq!(id("VMware ESXiNG"), None);
        assert_eq!(id("Something"), None);
    }

    #[test]
    fn every_cycle_of_the_guest_table_has_a_window() {
        let windows = Lifecycles::builtin().unwrap();
        let guests = Guests::builtin().unwrap();
        for line in guests.lines() {
            let Some(product) = &line.lifecycle else { continue };
            for guest in &line.releases {
                let Some(cycle) = &guest.cycle else { continue };
                let found = windows.product(product).unwrap().find(cycle);
                assert!(!matches!(found, Found::None), "{product} {cycle}");
            }
        }
    }
}
