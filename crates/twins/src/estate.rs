//! A simulated estate: deterministic, believable, and hard where real estates are hard.
//!
//! Most machines are plain; about one in six carries what stops migrations, and carries several such
//! things at once: clusters with shared disks, raw devices, dongles, forgotten snapshots, giants.
//! Everything is already as an export of RVTools 4.7 can tell it (whole MiB, times without zone, what
//! such an export never tells left unobserved), save that attributes say whether they are tags, and
//! that there is a control plane around the machines, of which such an export tells nothing.
//!
//! The estate holds no secrets: annotations and descriptions read as they do after redaction. The
//! writer plants passwords where it is asked to.

mod control;
mod guests;
mod hard;
mod machine;
mod names;
mod overlay;
mod plan;
mod site;

use entente_model::{Collection, Moment, Source};
use time::PrimitiveDateTime;

pub use overlay::overlay_csv;

use crate::random::Random;
use plan::Plan;
use site::Site;

/// Which estate to invent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EstateSpec {
    /// Another seed, another estate.
    pub seed: u64,
    /// Machines in all, templates, placeholders and agents included.
    pub workloads: u32,
    /// vCenters over which they are spread; 0 counts as 1.
    pub vcenters: u32,
    /// When the exports are taken, local time.
    pub taken: PrimitiveDateTime,
}

impl Default for EstateSpec {
    /// The demonstration estate: 1,200 machines on one vCenter.
    fn default() -> Self {
        Self {
            seed: 20_260_615,
            workloads: 1_200,
            vcenters: 1,
            taken: time::macros::datetime!(2026-06-15 05:40:00),
        }
    }
}

/// The estate, one collection per vCenter. Time and memory are linear in the number of machines.
pub fn generate(spec: &EstateSpec) -> Vec<Collection> {
    let vcenters = spec.vcenters.max(1);
    (0..vcenters)
        .map(|number| {
            let share = spec.workloads / vcenters;
            let rest = u32::from(number < spec.workloads % vcenters);
            collection(spec, number, share + rest)
        })
        .collect()
}

fn collection(spec: &EstateSpec, number: u32, machines: u32) -> Collection {
    let random = Random::new(spec.seed).fork("vcenter", number.into());
    let plan = Plan::new(&random, number, machines);
    let mut site = Site::new(&random, number, spec.taken, &plan);
    let workloads: Vec<_> =
        plan.machines.iter().map(|it| machine::build(&site, &plan, it)).collect();
    site.fill_datastores(&workloads);
    let mut collection = Collection::empty(Source {
        id: site.source.clone(),
        connector: "rvtools".into(),
        location: format!("{}.xlsx", site.address).into(),
        version: Some("4.7.1.4".into()),
        taken: Some(Moment::Local(spec.taken)),
        limits: Vec::new(),
        sections: std::collections::BTreeMap::new(),
    });
    collection.workloads = workloads;
    site.clone().describe(&mut collection);
    collection.control = control::control(&site, &collection);
    collection
}

/// An id that is well-formed because it is made of words of this crate.
pub(crate) fn well_formed<T>(made: Result<T, entente_model::InvalidId>) -> T {
    match made {
        Ok(id) => id,
        Err(error) => unreachable!("a name of the estate is no id: {error}"),
    }
}

#[cfg(test)]
mod tests;
