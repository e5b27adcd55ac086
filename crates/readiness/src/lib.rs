//! What stops a workload from living elsewhere, and what it leans on.
//!
//! Pure engines over an [`Estate`](entente_model::Estate): no I/O, no clock (the date is an
//! argument), the same input gives the same bytes out.

mod attachments;
mod catalogue;
mod complexity;
mod data;
mod evaluate;
mod guest_names;
mod guests;
mod hygiene;
mod licensing;
mod lifecycle;
mod migration_planner;
mod parallel;
mod pool;
mod quantity;
#[cfg(test)]
mod sample;
mod shape;
mod sizing;
mod targets;
mod verdict;

pub use attachments::{
    ATTACHMENT_KINDS, AttachmentKind, AttachmentTotals, WorkloadAttachments, attachment_totals,
    attachments,
};
pub use catalogue::{Catalogue, CatalogueError, Check, check_environment};
pub use complexity::{
    ApplicationComplexity, ComplexityCurve, ComplexityTerm, CurvePoint, FACTORS, Factor,
    MachineFacts, Points, Term, Weight, WorkloadComplexity, complexity, complexity_by_application,
    complexity_curve, complexity_rows, complexity_terms, weights,
};
pub use data::{DataError, Evidence};
pub use evaluate::{
    Cell, CheckTotals, Readiness, ReadinessTarget, TargetCounts, evaluate, machine_facts,
};
pub use guest_names::GuestNames;
pub use guests::{Guest, GuestFamily, GuestLine, Guests, Recognition};
pub use hygiene::{HYGIENE_RULES, HygieneEntry, HygieneReport, HygieneRule, hygiene};
pub use licensing::{LICENSING_RULE, Licensing, licensable_cores, licensing};
pub use lifecycle::{ENDING_DAYS, LifecycleProduct, Lifecycles, Support, SupportState};
pub use migration_planner::{
    MigrationPlannerReport, migration_planner_report, migration_planner_scores,
};
pub use pool::{Pool, Pools};
pub use quantity::{Quantity, disk_capacity_mib};
pub use shape::{ShapeReport, Share, SystemName, shape};
pub use sizing::{Demand, Sizing, sizing};
pub use targets::{
    Basis, GuestSupport, Limit, Limits, Target, TargetRecord, Targets, target_record_type,
};
pub use verdict::{CheckSeverity, TargetReadiness, Verdict, VerdictCounts};
