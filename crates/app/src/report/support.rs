//! Support windows of what the estate runs: hypervisors, management servers, guest systems.

use std::collections::BTreeMap;

use entente_model::{Date, Estate, Observed, Text, WorkloadKind};
use entente_readiness::{GuestNames, Lifecycles, Recognition, Support};

use crate::document::{SupportReport, SupportState, SupportSubject};

/// What stands for a version that was not observed.
const NO_VERSION: &str = "version not observed";

/// Support windows, worst first, with how much of the estate is on each.
pub(super) fn support(
    estate: &Estate,
    names: &GuestNames<'_>,
    lifecycles: &Lifecycles,
    as_of: Date,
) -> Vec<SupportReport> {
    let mut counted = Counted { lifecycles, as_of, reports: BTreeMap::new() };
    for host in &estate.hosts {
        let name = host.hypervisor.value().map_or("hypervisor", Text::as_str);
        counted.product(SupportSubject::Hypervisor, name, host.version.value());
    }
    for product in &estate.products {
        counted.product(SupportSubject::Management, &product.name, product.version.value());
    }
    for workload in estate.workloads.iter().filter(|it| it.kind == WorkloadKind::Machine) {
        counted.guest(names.of(workload));
    }
    let mut reports: Vec<SupportReport> = counted.reports.into_values().collect();
    reports.sort_by(|a, b| {
        (a.state, a.subject, std::cmp::Reverse(a.count), &a.product).cmp(&(
            b.state,
            b.subject,
            std::cmp::Reverse(b.count),
            &b.product,
        ))
    });
    reports
}

struct Counted<'a> {
    lifecycles: &'a Lifecycles,
    as_of: Date,
    reports: BTreeMap<(SupportSubject, Text), SupportReport>,
}

impl Counted<'_> {
    fn product(&mut self, subject: SupportSubject, name: &str, version: Option<&Text>) {
        let Some(version) = version else {
            return self.unknown(subject, &format!("{name}, {NO_VERSION}"), NO_VERSION);
        };
        match self.lifecycles.product_named(name) {
            Some(product) => {
                let support = self.lifecycles.support(&product.id, version, self.as_of);
                let cycle = support.cycle.as_deref().unwrap_or(version);
                self.add(subject, &format!("{} {cycle}", product.label), &support);
            }
            None => {
                let reason = "no support windows of this product are known here";
                self.unknown(subject, &format!("{name} {version}"), reason);
            }
        }
    }

    fn guest(&mut self, recognition: Observed<Recognition<'_>>) {
        let subject = SupportSubject::Guest;
        let Observed::Value(recognition) = recognition else {
            return self.unknown(subject, "guest system not observed", "no name was observed");
        };
        let label = recognition.label().unwrap_or("unrecognised guest system");
        match recognition.lifecycle() {
            Some((product, cycle)) => {
                let support = self.lifecycles.support(product, cycle, self.as_of);
                self.add(subject, label, &support);
            }
            None => {
                let reason = "its release is not told, or no support windows of it are known here";
                self.unknown(subject, label, reason);
            }
        }
    }

    fn unknown(&mut self, subject: SupportSubject, product: &str, reason: &str) {
        let report = SupportReport {
            subject,
            product: Text::new(product),
            count: 0,
            state: SupportState::Unknown,
            general_support_ends: None,
            extended_support_ends: None,
            source: Text::new(reason),
        };
        self.reports.entry((subject, report.product.clone())).or_insert(report).count += 1;
    }

    fn add(&mut self, subject: SupportSubject, product: &str, support: &Support) {
        let date = |date: Option<Date>| date.map(|date| Text::from(date.to_string()));
        let report = SupportReport {
            subject,
            product: Text::new(product),
            count: 0,
            state: support.state,
            general_support_ends: date(support.general_support_ends),
            extended_support_ends: date(support.extended_support_ends),
            source: Text::new(&support.source),
        };
        self.reports.entry((subject, report.product.clone())).or_insert(report).count += 1;
    }
}
