//! The guest systems of an estate, each name recognised once.

use std::collections::HashMap;

use entente_model::{Date, Estate, Observed, Text, Workload};

use crate::guests::{GuestFamily, Guests, Recognition};
use crate::lifecycle::{Lifecycles, SupportState};
use crate::shape::SystemName;

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

    /// Names whose general support has ended by a date.
    pub(crate) fn out_of_support(&self, lifecycles: &Lifecycles, as_of: Date) -> Vec<&'a str> {
        let ended = |recognition: &Recognition<'_>| {
            recognition.lifecycle().is_some_and(|(product, cycle)| {
                lifecycles.support(product, cycle, as_of).state == SupportState::Ended
            })
        };
        self.by_name.iter().filter(|(_, it)| ended(it)).map(|(name, _)| *name).collect()
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
