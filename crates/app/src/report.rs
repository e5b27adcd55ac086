//! Estate → document: runs the engines and puts their results together.

mod support;
mod workloads;

use std::collections::BTreeMap;

use entente_model::{
    Date, Estate, EstateIndex, GapCause, Observed, PlatformId, PowerState, Text, Workload,
    WorkloadKind,
};
use entente_readiness::{
    Catalogue, GuestNames, Guests, LICENSING_RULE, Licensing, Lifecycles, Points, Pool, Pools,
    Readiness, Sizing, TargetCounts, attachment_totals, attachments, complexity,
    complexity_by_application, complexity_curve, complexity_terms, evaluate, hygiene, licensing,
    machine_facts, migration_planner_report, migration_planner_scores, shape, sizing,
};

use crate::document::{
    ApplicationReport, Assessment, AttachmentReport, CheckReport, ClusterReport, ComplexityReport,
    LicenceReport, LicensingReport, ReadinessReport, SCHEMA, SourceReport, Summary, TargetReport,
    VerdictCounts,
};

/// Tables that engines judge by.
#[derive(Clone, Copy)]
pub(crate) struct Tables<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) guests: &'a Guests,
    pub(crate) lifecycles: &'a Lifecycles,
}

/// Runs every engine over the estate. `targets` are positions of the catalogue's targets.
pub(crate) fn assemble(
    estate: &Estate,
    tables: &Tables<'_>,
    targets: &[usize],
    as_of: Date,
) -> Assessment {
    let index = estate.index();
    let names = GuestNames::new(estate, tables.guests);
    let readiness = evaluate(&index, tables.catalogue, &names, targets, as_of);
    let leans_on = attachments(&index);
    let facts = machine_facts(&index, &readiness, &names, tables.lifecycles, as_of);
    let points = complexity(&index, &leans_on, facts);
    let planner = migration_planner_scores(estate);
    let pools = Pools::new(&index);
    let licences = licensing(estate, &pools);
    let sizings = sizing(&index, &pools);
    let complexity = complexity_report(&index, &points, &planner);
    let workloads = workloads::reports(&index, &names, &readiness, &leans_on, (&points, &planner));
    Assessment {
        schema: Text::new_static(SCHEMA),
        entente_version: Text::new_static(env!("CARGO_PKG_VERSION")),
        as_of: Text::from(as_of.to_string()),
        masked: false,
        sources: sources(estate),
        summary: summary(estate, &sizings, &licences, &complexity),
        readiness: readiness_report(&readiness, tables.catalogue),
        attachments: attachment_totals(&index, &leans_on)
            .into_iter()
            .map(|totals| AttachmentReport {
                kind: Text::new_static(totals.kind.weight.id),
                label: Text::new_static(totals.kind.weight.label),
                workloads: totals.workloads,
                count: totals.count,
                not_observed: totals.not_observed,
            })
            .collect(),
        clusters: clusters(&index, &pools, &sizings, &licences, &readiness),
        licensing: licensing_report(estate, &licences),
        support: support::support(estate, &names, tables.lifecycles, as_of),
        hygiene: hygiene(&index, as_of),
        shape: shape(estate, |name| names.system(name)),
        applications: applications(&index, &points, &readiness),
        findings: estate.findings.clone(),
        gaps: estate.gaps.clone(),
        complexity,
        workloads,
    }
}

fn sources(estate: &Estate) -> Vec<SourceReport> {
    estate
        .sources
        .iter()
        .map(|source| SourceReport {
            id: Text::new(source.id.as_str()),
            connector: source.connector.clone(),
            location: source.location.clone(),
            version: source.version.clone(),
            taken: source.taken.map(|taken| Text::from(taken.to_string())),
            limits: source.limits.clone(),
            sections: source.sections.clone(),
        })
        .collect()
}

fn summary(
    estate: &Estate,
    sizings: &BTreeMap<Pool, Sizing>,
    licences: &Licensing,
    complexity: &ComplexityReport,
) -> Summary {
    let of_kind = |kind| estate.workloads.iter().filter(|it| it.kind == kind).count() as u64;
    let powered = |wanted: fn(&Observed<PowerState>) -> bool| {
        let machines = estate.workloads.iter().filter(|it| it.kind == WorkloadKind::Machine);
        machines.filter(|it| wanted(&it.power)).count() as u64
    };
    let mut summary = Summary {
        workloads: estate.workloads.len() as u64,
        machines: of_kind(WorkloadKind::Machine),
        templates: of_kind(WorkloadKind::Template),
        recovery_placeholders: of_kind(WorkloadKind::RecoveryPlaceholder),
        system_agents: of_kind(WorkloadKind::SystemAgent),
        machines_on: powered(|it| *it == Observed::Value(PowerState::On)),
        machines_off: powered(|it| *it == Observed::Value(PowerState::Off)),
        machines_suspended: powered(|it| *it == Observed::Value(PowerState::Suspended)),
        machines_power_unknown: powered(|it| it.value().is_none()),
        platforms: estate.platforms.len() as u64,
        clusters: estate.clusters.len() as u64,
        hosts: estate.hosts.len() as u64,
        datastores: estate.datastores.len() as u64,
        networks: estate.networks.len() as u64,
        applications: estate.applications.len() as u64,
        licensable_cores: licences.total,
        hardest_fifth_basis_points: complexity.hardest_fifth_basis_points,
        gaps: gaps(estate),
        findings: estate.findings.len() as u64,
        ..Summary::default()
    };
    for sizing in sizings.values() {
        summary.vcpus += sizing.demand_all.vcpus;
        summary.memory_mib += sizing.demand_all.memory_mib;
        summary.disk_capacity_mib += sizing.demand_all.disk_capacity_mib;
        summary.storage_used_mib += sizing.demand_all.storage_used_mib;
    }
    summary
}

/// Rows and values that were not observed. What the model has no place for was seen, and no conclusion
/// waits for it: it is listed, not counted.
fn gaps(estate: &Estate) -> u64 {
    let counted = estate.gaps.iter().filter(|gap| gap.cause != GapCause::NotModelled);
    counted.map(|gap| gap.count).sum()
}

fn readiness_report(readiness: &Readiness, catalogue: &Catalogue) -> ReadinessReport {
    let targets = readiness
        .targets
        .iter()
        .zip(readiness.counts())
        .map(|(target, counts)| TargetReport {
            id: target.id.clone(),
            label: target.label.clone(),
            verdicts: counts.verdicts,
            as_seen: counts.as_seen,
        })
        .collect();
    let by_target = |values: &[u64]| {
        readiness.targets.iter().map(|it| it.id.clone()).zip(values.iter().copied()).collect()
    };
    let checks = readiness
        .check_totals()
        .into_iter()
        .filter_map(|totals| {
            let check = catalogue.check(&totals.id)?;
            Some(CheckReport {
                id: totals.id,
                title: check.title.clone(),
                remedy: check.remedy.clone(),
                severity: readiness
                    .targets
                    .iter()
                    .map(|it| it.id.clone())
                    .zip(totals.severities)
                    .collect(),
                fired: by_target(&totals.fired),
                unanswered: by_target(&totals.unanswered),
                beyond_source: totals.beyond_source,
            })
        })
        .collect();
    ReadinessReport { catalogue_version: Text::new(catalogue.version()), targets, checks }
}

fn complexity_report(
    index: &EstateIndex<'_>,
    points: &[Option<Points>],
    planner: &[Option<u8>],
) -> ComplexityReport {
    let curve = complexity_curve(index, points);
    ComplexityReport {
        terms: complexity_terms(points),
        total: curve.total,
        hardest_fifth_basis_points: curve.hardest_fifth_basis_points,
        curve: curve.points,
        migration_planner: migration_planner_report(planner),
    }
}

fn verdicts_by_target(
    readiness: &Readiness,
    counts: &[TargetCounts],
    which: impl Fn(&TargetCounts) -> VerdictCounts,
) -> BTreeMap<Text, VerdictCounts> {
    readiness.targets.iter().map(|it| it.id.clone()).zip(counts.iter().map(which)).collect()
}

fn clusters(
    index: &EstateIndex<'_>,
    pools: &Pools<'_>,
    sizings: &BTreeMap<Pool, Sizing>,
    licences: &Licensing,
    readiness: &Readiness,
) -> Vec<ClusterReport> {
    let counts = readiness.counts_by(|position| {
        index.estate.workloads.get(position).map(|workload| pools.of_workload(workload))
    });
    let report = |(pool, sizing): (&Pool, &Sizing)| {
        let counts = counts.get(pool).map(Vec::as_slice).unwrap_or_default();
        let (id, name, platform) = pool_names(index, pool);
        let cluster = match pool {
            Pool::Cluster(id) => index.cluster(id),
            Pool::Standalone(_) | Pool::NotObserved(_) => None,
        };
        ClusterReport {
            id,
            name,
            platform,
            hosts: sizing.hosts,
            cores: sizing.cores,
            licensable_cores: licences.pools.get(pool).copied().unwrap_or_default(),
            memory_mib: sizing.memory_mib,
            ha_enabled: cluster.map_or(Observed::Absent, |it| it.ha_enabled.clone()),
            drs_enabled: cluster.map_or(Observed::Absent, |it| it.drs_enabled.clone()),
            demand_on: sizing.demand_on,
            demand_all: sizing.demand_all,
            verdicts: verdicts_by_target(readiness, counts, |it| it.verdicts),
            as_seen: verdicts_by_target(readiness, counts, |it| it.as_seen),
        }
    };
    sizings.iter().map(report).collect()
}

/// Id, name and platform of a pool.
fn pool_names(index: &EstateIndex<'_>, pool: &Pool) -> (Text, Text, Text) {
    match pool {
        Pool::Cluster(id) => match index.cluster(id) {
            Some(cluster) => {
                (Text::new(id.as_str()), cluster.name.clone(), Text::new(cluster.platform.as_str()))
            }
            None => (Text::new(id.as_str()), Text::new(id.as_str()), Text::default()),
        },
        Pool::Standalone(platform) => (
            Text::from(format!("{platform}/standalone")),
            Text::from(format!("standalone hosts of {}", platform_name(index, platform))),
            Text::new(platform.as_str()),
        ),
        Pool::NotObserved(platform) => (
            Text::from(format!("{platform}/not-observed")),
            Text::from(format!("cluster not observed, {}", platform_name(index, platform))),
            Text::new(platform.as_str()),
        ),
    }
}

/// What people call a platform: its address, else its id.
fn platform_name<'a>(index: &EstateIndex<'a>, id: &'a PlatformId) -> &'a str {
    let platform = index.estate.platforms.iter().find(|it| it.id == *id);
    platform.and_then(|it| it.address.value()).map_or(id.as_str(), Text::as_str)
}

fn licensing_report(estate: &Estate, licences: &Licensing) -> LicensingReport {
    LicensingReport {
        rule: Text::new_static(LICENSING_RULE),
        licensable_cores: licences.total,
        added_by_minimum: licences.added_by_minimum,
        licences: estate
            .licences
            .iter()
            .map(|licence| LicenceReport {
                platform: Text::new(licence.platform.as_str()),
                name: licence.name.clone(),
                unit: licence.unit.clone(),
                total: licence.total.clone(),
                used: licence.used.clone(),
                expires: licence
                    .expires
                    .as_ref()
                    .map(|expires| Text::from(expires.date().to_string())),
            })
            .collect(),
    }
}

fn applications(
    index: &EstateIndex<'_>,
    points: &[Option<Points>],
    readiness: &Readiness,
) -> Vec<ApplicationReport> {
    let application_of = |workload: &Workload| workload.governance.application.value().cloned();
    let counts = readiness
        .counts_by(|position| index.estate.workloads.get(position).and_then(application_of));
    let mut complexities = complexity_by_application(index, points);
    index
        .estate
        .applications
        .iter()
        .map(|application| {
            let complexity = complexities.remove(&application.id).unwrap_or_default();
            let counts = counts.get(&application.id).map(Vec::as_slice).unwrap_or_default();
            ApplicationReport {
                name: Text::new(application.id.as_str()),
                owner: application.owner.clone(),
                machines: complexity.machines,
                complexity: complexity.score,
                terms: complexity.terms,
                as_seen: verdicts_by_target(readiness, counts, |it| it.as_seen),
            }
        })
        .collect()
}
