//! How hard a workload is to move or to govern from elsewhere: a score in whole points, explained
//! term by term, and the curve that says how much of all complexity sits in the hardest machines.
//!
//! The weights are judgements, not measurements. They are all in two tables, [`FACTORS`] and
//! [`ATTACHMENT_KINDS`](crate::ATTACHMENT_KINDS), each with its reason; the score is the sum of its
//! terms, and a term is the sum of its rows.

mod curve;
mod factors;

use std::collections::BTreeMap;

use entente_model::{ApplicationId, EstateIndex, Observed, WorkloadKind};
use schemars::JsonSchema;
use serde::Serialize;
use smol_str::SmolStr as Text;

use crate::attachments::{ATTACHMENT_KINDS, WorkloadAttachments};
use crate::parallel;
pub use curve::{ComplexityCurve, CurvePoint, complexity_curve};
pub(crate) use factors::{BLOCKER_POINTS, CHECKS_MAX, WARNING_POINTS};
pub use factors::{FACTORS, Factor, MachineFacts};

/// One term of the complexity score.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ComplexityTerm {
    /// Its id.
    pub id: Text,
    /// What it counts and what one of it weighs.
    pub label: Text,
    /// Points in all.
    pub points: u64,
    /// Machines that have any.
    pub workloads: u64,
}

/// How hard one workload is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WorkloadComplexity {
    /// The score: the sum of `terms`.
    pub score: u32,
    /// Points by term.
    pub terms: BTreeMap<Text, u32>,
    /// Score of the migration-planner project, 0 to 4.
    pub migration_planner: u8,
}

/// A term of the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Term {
    /// Features of the control plane on which it leans.
    ControlPlane,
    /// Disks.
    Storage,
    /// Network adapters.
    Network,
    /// Devices of one host.
    Devices,
    /// Guest system.
    Guest,
    /// What the checks say.
    Readiness,
    /// Processors and memory.
    Size,
    /// State that must be settled first.
    State,
    /// What nobody knows.
    Unknowns,
}

impl Term {
    /// All of them, in the order in which people read them.
    pub const ALL: [Self; 9] = [
        Self::ControlPlane,
        Self::Storage,
        Self::Network,
        Self::Devices,
        Self::Guest,
        Self::Readiness,
        Self::Size,
        Self::State,
        Self::Unknowns,
    ];

    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ControlPlane => "control-plane",
            Self::Storage => "storage",
            Self::Network => "network",
            Self::Devices => "devices",
            Self::Guest => "guest",
            Self::Readiness => "readiness",
            Self::Size => "size",
            Self::State => "state",
            Self::Unknowns => "unknowns",
        }
    }

    /// Name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::ControlPlane => "Control plane",
            Self::Storage => "Storage",
            Self::Network => "Network",
            Self::Devices => "Devices of a host",
            Self::Guest => "Guest system",
            Self::Readiness => "Readiness on the easiest target",
            Self::Size => "Size",
            Self::State => "State",
            Self::Unknowns => "Unknowns",
        }
    }
}

/// One row of the two tables of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// Stable name of the row.
    pub id: &'static str,
    /// What is counted.
    pub label: &'static str,
    /// Term to which it adds.
    pub term: Term,
    /// Points for each.
    pub points: u32,
    /// How many add points at most.
    pub up_to: u32,
    /// Why.
    pub reason: &'static str,
}

impl Weight {
    /// Points for so many.
    pub fn points_for(&self, count: u32) -> u32 {
        self.points * count.min(self.up_to)
    }
}

/// Every weight: attachments first, then the rest.
pub fn weights() -> impl Iterator<Item = Weight> {
    let attachments = ATTACHMENT_KINDS.iter().map(|it| it.weight);
    attachments.chain(FACTORS.iter().map(|it| it.weight))
}

/// Points by term, in the order of [`Term::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Points([u32; Term::ALL.len()]);

impl Points {
    /// The score: the sum of all terms.
    pub fn score(&self) -> u32 {
        self.0.iter().sum()
    }

    /// Points of one term.
    pub fn of(&self, term: Term) -> u32 {
        self.0.get(term as usize).copied().unwrap_or(0)
    }

    /// Terms that have any points.
    pub fn terms(&self) -> impl Iterator<Item = (Term, u32)> {
        Term::ALL.into_iter().zip(self.0).filter(|(_, points)| *points > 0)
    }

    /// As the document shows it.
    pub fn document(&self, migration_planner: u8) -> WorkloadComplexity {
        let terms = self.terms().map(|(term, points)| (Text::new_static(term.as_str()), points));
        WorkloadComplexity { score: self.score(), terms: terms.collect(), migration_planner }
    }

    fn add(&mut self, weight: &Weight, count: u32) {
        if let Some(points) = self.0.get_mut(weight.term as usize) {
            *points += weight.points_for(count);
        }
    }
}

/// How often each row of the tables applies to a machine; rows that do not apply are left out.
pub fn complexity_rows(
    attachments: &WorkloadAttachments,
    workload: &entente_model::Workload,
    facts: &MachineFacts,
) -> Vec<(Weight, u32)> {
    let mut rows = Vec::new();
    each_row(attachments, workload, facts, |weight, count| rows.push((*weight, count)));
    rows
}

fn each_row(
    attachments: &WorkloadAttachments,
    workload: &entente_model::Workload,
    facts: &MachineFacts,
    mut take: impl FnMut(&Weight, u32),
) {
    for (kind, count) in attachments.counts() {
        take(&kind.weight, count);
    }
    for factor in &FACTORS {
        let count = (factor.count)(workload, facts);
        if count > 0 {
            take(&factor.weight, count);
        }
    }
}

/// Points of every machine, in the estate's order; `None` for what is no machine. `facts` tells what
/// other engines found out about the workload at a position.
pub fn complexity(
    index: &EstateIndex<'_>,
    attachments: &[WorkloadAttachments],
    facts: impl Fn(usize) -> MachineFacts + Sync,
) -> Vec<Option<Points>> {
    let positions: Vec<_> = index.estate.workloads.iter().zip(attachments).enumerate().collect();
    parallel::map(&positions, |(position, (workload, attachments))| {
        if workload.kind != WorkloadKind::Machine {
            return None;
        }
        let mut points = Points::default();
        each_row(attachments, workload, &facts(*position), |weight, count| {
            points.add(weight, count);
        });
        Some(points)
    })
}

/// Totals by term, with the weights in words.
pub fn complexity_terms(points: &[Option<Points>]) -> Vec<ComplexityTerm> {
    let term = |term: Term| {
        let of_term = || points.iter().flatten().map(|it| it.of(term)).filter(|it| *it > 0);
        ComplexityTerm {
            id: Text::new_static(term.as_str()),
            label: Text::from(describe(term)),
            points: of_term().map(u64::from).sum(),
            workloads: of_term().count() as u64,
        }
    };
    Term::ALL.into_iter().map(term).collect()
}

/// `Storage: raw device mapping 8 (at most 3), …`
fn describe(term: Term) -> String {
    let rows: Vec<String> = weights()
        .filter(|it| it.term == term)
        .map(|it| match it.up_to {
            1 => format!("{} {}", it.label, it.points),
            many => format!("{} {} each, at most {many}", it.label, it.points),
        })
        .collect();
    format!("{}: {}", term.label(), rows.join("; "))
}

/// Complexity of an application: that of its machines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApplicationComplexity {
    /// Machines.
    pub machines: u64,
    /// Sum of their scores.
    pub score: u64,
    /// Points by term.
    pub terms: BTreeMap<Text, u64>,
}

/// Complexity by application, where somebody named them.
pub fn complexity_by_application(
    index: &EstateIndex<'_>,
    points: &[Option<Points>],
) -> BTreeMap<ApplicationId, ApplicationComplexity> {
    let mut applications: BTreeMap<ApplicationId, ApplicationComplexity> = BTreeMap::new();
    for (workload, points) in index.estate.workloads.iter().zip(points) {
        let (Observed::Value(id), Some(points)) = (&workload.governance.application, points) else {
            continue;
        };
        let application = applications.entry(id.clone()).or_default();
        application.machines += 1;
        application.score += u64::from(points.score());
        for (term, points) in points.terms() {
            *application.terms.entry(Text::new_static(term.as_str())).or_default() +=
                u64::from(points);
        }
    }
    applications
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use entente_model::Workload;
    use proptest::prelude::*;

    use super::*;
    use crate::attachments::attachments;
    use crate::sample::{GIB, any_estate, disk, estate, machine, nic, snapshot, unknown};

    /// `row count×points` of everything that adds points to a machine changed in one way.
    fn rows(facts: MachineFacts, change: impl FnOnce(&mut Workload)) -> Vec<String> {
        let mut workload = machine("vm");
        change(&mut workload);
        let estate = estate(vec![workload]);
        let attachments = attachments(&estate.index());
        complexity_rows(&attachments[0], &estate.workloads[0], &facts)
            .into_iter()
            .map(|(weight, count)| format!("{} {count}×{}", weight.id, weight.points))
            .collect()
    }

    fn none() -> MachineFacts {
        MachineFacts::default()
    }

    #[test]
    fn an_ordinary_machine_adds_nothing() {
        assert_eq!(rows(none(), |_| {}), [""; 0]);
    }

    #[test]
    fn every_factor_is_explained_by_its_row() {
        type Change = fn(&mut Workload);
        let cases: [(Change, &[&str]); 10] = [
            (|it| it.disks.items.extend([disk("2"), disk("3")]), &["disk 2×1"]),
            (
                |it| it.disks.items[0].capacity_bytes = Observed::Value(2 * 1024 * GIB),
                &["disk-capacity 3×2"],
            ),
            (
                |it| {
                    it.disks.items[0].mode =
                        Observed::Value(entente_model::DiskMode::IndependentPersistent);
                },
                &["independent-disk 1×3"],
            ),
            (|it| it.nics.items.push(nic("2")), &["nic 1×1"]),
            (
                |it| it.nics.items[0].adapter = Observed::Value("SriovEthernetCard".into()),
                &["special-adapter 1×3"],
            ),
            (|it| it.cpu.count = Observed::Value(17), &["vcpu 2×2"]),
            (|it| it.memory.size_bytes = Observed::Value(129 * GIB), &["memory 2×2"]),
            (|it| it.snapshots.items.push(snapshot("s")), &["vm-snapshot 1×2"]),
            (
                |it| {
                    it.guest.os_reported = unknown();
                    it.guest.os_configured = unknown();
                },
                &["guest-unknown 1×2"],
            ),
            (|it| it.disks.items[0].capacity_bytes = unknown(), &["hardware-unknown 1×2"]),
        ];
        for (change, expect) in cases {
            assert_eq!(rows(none(), change), expect);
        }
    }

    #[test]
    fn what_other_engines_found_adds_points() {
        let facts = MachineFacts {
            guest_support_ended: true,
            targets_without_guest_support: 2,
            blockers: 1,
            warnings: 3,
            blockers_unanswered: 1,
            ..none()
        };
        assert_eq!(
            rows(facts, |_| {}),
            [
                "guest-support-ended 1×5",
                "guest-unsupported 2×2",
                "blocker 1×5",
                "warning 3×1",
                "blocker-unanswered 1×2"
            ]
        );
    }

    #[test]
    fn a_row_adds_points_only_up_to_its_limit() {
        let many = machine("vm");
        let mut workload = many;
        workload.snapshots.items.extend((0..40).map(|n| snapshot(&n.to_string())));
        let estate = estate(vec![workload]);
        let index = estate.index();
        let points = complexity(&index, &attachments(&index), |_| none());
        assert_eq!(points[0].unwrap().score(), 10);
        assert_eq!(points[0].unwrap().of(Term::State), 10);
    }

    #[test]
    fn weights_have_names_of_their_own_and_a_reason() {
        let mut names = BTreeSet::new();
        for weight in weights() {
            assert!(names.insert(weight.id), "{} occurs twice", weight.id);
            assert!(weight.points > 0 && weight.up_to > 0, "{} can add nothing", weight.id);
            assert!(!weight.reason.is_empty() && !weight.label.is_empty(), "{}", weight.id);
        }
        for term in Term::ALL {
            assert!(weights().any(|it| it.term == term), "{} has no row", term.as_str());
        }
    }

    #[test]
    fn only_machines_have_a_score() {
        let mut template = machine("template");
        template.kind = WorkloadKind::Template;
        let estate = estate(vec![template]);
        let index = estate.index();
        assert_eq!(complexity(&index, &attachments(&index), |_| none()), [None]);
    }

    fn any_facts() -> impl Strategy<Value = MachineFacts> {
        (any::<bool>(), any::<bool>(), 0_u32..5, 0_u32..30, 0_u32..30, 0_u32..9).prop_map(
            |(unrecognised, ended, targets, blockers, warnings, unanswered)| MachineFacts {
                guest_unrecognised: unrecognised,
                guest_support_ended: ended,
                targets_without_guest_support: targets,
                blockers,
                warnings,
                blockers_unanswered: unanswered,
            },
        )
    }

    proptest! {
        #[test]
        fn a_score_is_the_sum_of_its_terms_and_a_term_that_of_its_rows(
            estate in any_estate(),
            facts in any_facts(),
        ) {
            let index = estate.index();
            let attachments = attachments(&index);
            let points = complexity(&index, &attachments, |_| facts);
            for (at, workload) in estate.workloads.iter().enumerate() {
                prop_assert_eq!(points[at].is_some(), workload.kind == WorkloadKind::Machine);
                let Some(points) = points[at] else { continue };
                let document = points.document(0);
                prop_assert_eq!(document.score, document.terms.values().sum::<u32>());
                let rows = complexity_rows(&attachments[at], workload, &facts);
                for term in Term::ALL {
                    let of_rows: u32 = rows
                        .iter()
                        .filter(|(weight, _)| weight.term == term)
                        .map(|(weight, count)| weight.points_for(*count))
                        .sum();
                    prop_assert_eq!(of_rows, points.of(term));
                }
            }
        }

        #[test]
        fn terms_and_curve_hold_the_same_total(estate in any_estate(), facts in any_facts()) {
            let index = estate.index();
            let points = complexity(&index, &attachments(&index), |_| facts);
            let curve = complexity_curve(&index, &points);
            let by_term: u64 = complexity_terms(&points).iter().map(|it| it.points).sum();
            prop_assert_eq!(by_term, curve.total);
            prop_assert_eq!(curve.hardest.len(), points.iter().flatten().count());
            let scores: Vec<u32> =
                curve.hardest.iter().map(|at| points[*at].unwrap().score()).collect();
            prop_assert!(scores.is_sorted_by(|a, b| a >= b));
        }
    }

    #[test]
    fn applications_sum_their_machines() {
        let in_application = |name: &str| {
            let mut workload = machine(name);
            workload.governance.application = Observed::Value("shop".parse().unwrap());
            workload.nics.items.push(nic("2"));
            workload
        };
        let estate = estate(vec![in_application("a"), in_application("b"), machine("c")]);
        let index = estate.index();
        let points = complexity(&index, &attachments(&index), |_| none());
        let applications = complexity_by_application(&index, &points);
        let shop = &applications[&"shop".parse().unwrap()];
        assert_eq!((shop.machines, shop.score), (2, 2));
        assert_eq!(shop.terms, BTreeMap::from([("network".into(), 2)]));
    }
}
