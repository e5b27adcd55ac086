//! All workloads as compact data: one array a column, each distinct string and each distinct
//! combination of checks once.
//!
//! In columns of facts a number from 0 up is a value (or the place of a string); -1 is an observed
//! absence; -2 and below is a gap, whose reason is at `-2 - number` in `why`. The script that reads
//! this is `assets/workloads.js`.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use entente_app::document::{TargetReadiness, WorkloadReport};
use entente_model::{IdentityBasis, Observed, Text, Why};
use serde::Serialize;

use crate::chart::inert;
use crate::format;

use super::super::context::{Context, check_anchor};
use super::row;

/// Rows in the page's data at most; the table says how many it leaves out.
pub(super) const ROWS_MAX: usize = 200_000;

const WHY: [Why; 10] = [
    Why::SourceLimit,
    Why::NotInVersion,
    Why::NotInExport,
    Why::Blank,
    Why::Unreadable,
    Why::GuestSilent,
    Why::NoPermission,
    Why::CallFailed,
    Why::Conflict,
    Why::NotSupplied,
];

const IDENTITIES: [IdentityBasis; 4] = [
    IdentityBasis::PlatformAndNativeId,
    IdentityBasis::NativeId,
    IdentityBasis::InstanceUuid,
    IdentityBasis::Name,
];

#[derive(Serialize)]
struct Data<'a> {
    rows: usize,
    total: usize,
    page: usize,
    why: Vec<&'static str>,
    identities: Vec<&'static str>,
    targets: Vec<(&'a str, &'a str)>,
    checks: Vec<(&'a str, String, &'a str)>,
    kinds_of_attachment: BTreeMap<&'a str, &'a str>,
    facts: Vec<&'static str>,
    strings: Vec<&'a str>,
    outcomes: Vec<Outcome>,
    sets: Vec<Vec<(i64, i64)>>,
    columns: BTreeMap<String, Vec<i64>>,
}

/// What one target makes of a workload: verdict, verdict as seen, then places of checks and strings.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
struct Outcome(&'static str, &'static str, Vec<i64>, Vec<i64>, Vec<i64>, Vec<i64>);

/// The data of `workloads`, in their order, as JSON that is inert inside a script element.
pub(super) fn json(context: &Context<'_>, workloads: &[&WorkloadReport], page: usize) -> String {
    let kept: Vec<&WorkloadReport> = workloads.iter().copied().take(ROWS_MAX).collect();
    let mut columns = Columns::new(context);
    for workload in &kept {
        columns.push(context, workload);
    }
    let data = Data {
        rows: kept.len(),
        total: workloads.len(),
        page,
        why: WHY.iter().map(|why| format::why(*why)).collect(),
        identities: IDENTITIES.iter().map(|basis| row::identity(*basis)).collect(),
        targets: context.targets().collect(),
        checks: columns
            .checks
            .items
            .iter()
            .map(|id| (*id, check_anchor(id), context.check_title(id)))
            .collect(),
        kinds_of_attachment: context
            .assessment
            .attachments
            .iter()
            .map(|it| (it.kind.as_str(), it.label.as_str()))
            .collect(),
        facts: kept
            .first()
            .map(|it| row::facts(it).map(|(key, _)| key).to_vec())
            .unwrap_or_default(),
        strings: columns.strings.items,
        outcomes: columns.outcomes.items,
        sets: columns.sets.items,
        columns: columns.columns,
    };
    // Only maps with other than string keys could fail.
    inert(&serde_json::to_string(&data).unwrap_or_else(|_| "null".to_owned()))
}

/// Things that are written once and then called by their place.
struct Dictionary<T> {
    places: HashMap<T, i64>,
    items: Vec<T>,
}

impl<T: Clone + Eq + Hash> Dictionary<T> {
    fn new() -> Self {
        Self { places: HashMap::new(), items: Vec::new() }
    }

    fn place(&mut self, item: T) -> i64 {
        if let Some(place) = self.places.get(&item) {
            return *place;
        }
        let place = number(self.items.len() as u64);
        self.places.insert(item.clone(), place);
        self.items.push(item);
        place
    }
}

struct Columns<'a> {
    strings: Dictionary<&'a str>,
    checks: Dictionary<&'a str>,
    outcomes: Dictionary<Outcome>,
    sets: Dictionary<Vec<(i64, i64)>>,
    columns: BTreeMap<String, Vec<i64>>,
}

impl<'a> Columns<'a> {
    fn new(context: &Context<'a>) -> Self {
        let mut checks = Dictionary::new();
        for check in &context.assessment.readiness.checks {
            checks.place(check.id.as_str());
        }
        Self {
            strings: Dictionary::new(),
            checks,
            outcomes: Dictionary::new(),
            sets: Dictionary::new(),
            columns: BTreeMap::new(),
        }
    }

    fn push(&mut self, context: &Context<'a>, workload: &'a WorkloadReport) {
        let name = self.strings.place(&workload.name);
        self.add("name", name);
        let platform = self.strings.place(&workload.platform);
        self.add("platform", platform);
        let kind = self.strings.place(workload.kind.as_str());
        self.add("kind", kind);
        let identity = IDENTITIES.iter().position(|it| *it == workload.identity).unwrap_or(0);
        self.add("identity", number(identity as u64));
        let power =
            self.code(&workload.power, |columns, power| columns.strings.place(power.as_str()));
        self.add("power", power);
        self.text("cluster", &workload.cluster);
        self.text("os", row::system(workload));
        for (key, fact) in row::facts(workload) {
            self.text(key, fact);
        }
        self.numbers(workload);
        let labels = workload.labels.iter();
        let labels =
            labels.map(|(key, value)| (self.strings.place(key), self.strings.place(value)));
        let labels = labels.collect();
        self.set("labels", labels);
        let attachments = workload.attachments.iter();
        let attachments =
            attachments.map(|(kind, count)| (self.strings.place(kind), i64::from(*count)));
        let attachments = attachments.collect();
        self.set("attachments", attachments);
        self.complexity(workload);
        for (target, _) in context.targets() {
            let outcome = workload.readiness.get(target).map_or(-1, |it| self.outcome(it));
            self.add(&format!("target:{target}"), outcome);
        }
    }

    fn numbers(&mut self, workload: &WorkloadReport) {
        let small = |fact: &Observed<u32>| fact.clone().map(u64::from);
        for (key, fact) in [
            ("vcpus", small(&workload.vcpus)),
            ("memory_mib", workload.memory_mib.clone()),
            ("disk_capacity_mib", workload.disk_capacity_mib.clone()),
            ("storage_used_mib", workload.storage_used_mib.clone()),
        ] {
            let code = self.code(&fact, |_, value| number(*value));
            self.add(key, code);
        }
    }

    fn complexity(&mut self, workload: &'a WorkloadReport) {
        let Some(complexity) = &workload.complexity else {
            self.add("complexity", -1);
            self.add("planner", -1);
            self.set("terms", Vec::new());
            return;
        };
        self.add("complexity", i64::from(complexity.score));
        self.add("planner", i64::from(complexity.migration_planner));
        let terms = complexity.terms.iter().filter(|(_, points)| **points > 0);
        let terms = terms.map(|(term, points)| (self.strings.place(term), i64::from(*points)));
        let terms = terms.collect();
        self.set("terms", terms);
    }

    fn outcome(&mut self, readiness: &'a TargetReadiness) -> i64 {
        let TargetReadiness { verdict, as_seen, blockers, warnings, information, not_observed } =
            readiness;
        let mut checks = |ids: &'a [Text]| ids.iter().map(|id| self.checks.place(id)).collect();
        let (blockers, warnings, information) =
            (checks(blockers), checks(warnings), checks(information));
        let not_observed = not_observed.iter().map(|it| self.strings.place(it)).collect();
        self.outcomes.place(Outcome(
            verdict.as_str(),
            as_seen.as_str(),
            blockers,
            warnings,
            information,
            not_observed,
        ))
    }

    fn text(&mut self, column: &str, fact: &'a Observed<Text>) {
        let code = self.code(fact, |columns, text| columns.strings.place(text));
        self.add(column, code);
    }

    fn set(&mut self, column: &str, pairs: Vec<(i64, i64)>) {
        let place = self.sets.place(pairs);
        self.add(column, place);
    }

    fn code<'b, T>(
        &mut self,
        fact: &'b Observed<T>,
        value: impl FnOnce(&mut Self, &'b T) -> i64,
    ) -> i64 {
        match fact {
            Observed::Value(it) => value(self, it),
            Observed::Absent => -1,
            Observed::Unobserved(why) => {
                -2 - number(WHY.iter().position(|it| it == why).unwrap_or(0) as u64)
            }
        }
    }

    fn add(&mut self, column: &str, code: i64) {
        match self.columns.get_mut(column) {
            Some(codes) => codes.push(code),
            None => {
                self.columns.insert(column.to_owned(), vec![code]);
            }
        }
    }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
