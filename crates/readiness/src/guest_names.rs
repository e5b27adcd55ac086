//! The guest systems of an estate, each name recognised once.

use std::borrow::Cow;
use std::collections::HashMap;

use entente_model::{Estate, Observed, Text, Workload};

use crate::guests::{GuestFamily, Guests, Recognition};
use crate::shape::SystemName;
use crate::targets::GuestSupport;

/// The guest systems of an estate, each name recognised once.
#[derive(Debug)]
pub struct GuestNames<'a> {
    by_name: HashMap<&'a str, Recognition<'a>>,
}

impl<'a> GuestNames<'a> {
    /// Recognises every name of the estate.
    pub fn new(estate: &'a Estate, guests: &'a Guests) -> Self {
        let mut by_name = HashMap::new();
        for workload in &estate.workloads {
            if let Observed::Value(name) = workload.guest.os() {
                by_name.entry(name.as_str()).or_insert_with(|| guests.recognise(name));
            }
        }
        Self { by_name }
    }

    /// What is known of a workload's guest system; not observed where its name was not.
    pub fn of(&self, workload: &Workload) -> Observed<Recognition<'a>> {
        workload.guest.os().map(|name| self.named(name))
    }

    /// What a name of the estate tells.
    pub fn named(&self, name: &str) -> Recognition<'a> {
        self.by_name.get(name).copied().unwrap_or(Recognition::Unrecognised)
    }

    /// The product and family that a name stands for, as [`shape`](crate::shape) wants them.
    pub fn system(&self, name: &str) -> Option<SystemName> {
        let recognition = self.named(name);
        Some(SystemName {
            product: Text::from(recognition.label()?),
            family: Text::new_static(family_label(recognition.family()?)),
        })
    }

    /// Every name with what it tells, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a str, Recognition<'a>)> {
        self.by_name.iter().map(|(name, recognition)| (*name, *recognition))
    }

    /// Which of the targets support each name.
    pub(crate) fn supports<'t>(
        &self,
        targets: impl Iterator<Item = &'t str> + Clone,
    ) -> GuestSupports<'a> {
        let of = |recognition: Recognition<'_>| -> Vec<_> {
            targets.clone().map(|target| Observed::Value(recognition.support(target))).collect()
        };
        GuestSupports {
            targets: targets.clone().count(),
            by_name: self.iter().map(|(name, recognition)| (name, of(recognition))).collect(),
        }
    }
}

/// Which targets support the guest systems of an estate.
pub(crate) struct GuestSupports<'a> {
    targets: usize,
    by_name: HashMap<&'a str, Vec<Observed<GuestSupport>>>,
}

impl GuestSupports<'_> {
    /// Whether each target supports a workload's guest system; not observed where its name was not.
    pub(crate) fn of(&self, workload: &Workload) -> Cow<'_, [Observed<GuestSupport>]> {
        let all = |support| Cow::Owned(vec![support; self.targets]);
        match workload.guest.os() {
            Observed::Value(name) => match self.by_name.get(name.as_str()) {
                Some(supports) => Cow::Borrowed(supports),
                None => all(Observed::Value(GuestSupport::Unrecognised)),
            },
            Observed::Absent => all(Observed::Absent),
            Observed::Unobserved(why) => all(Observed::Unobserved(why)),
        }
    }
}

fn family_label(family: GuestFamily) -> &'static str {
    match family {
        GuestFamily::Windows => "Windows",
        GuestFamily::Linux => "Linux",
        GuestFamily::Bsd => "BSD",
        GuestFamily::Solaris => "Solaris",
        GuestFamily::Macos => "macOS",
        GuestFamily::Appliance => "appliance",
        GuestFamily::Other => "other",
    }
}
