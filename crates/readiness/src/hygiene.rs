//! Machines that look unused or too large.
//!
//! An export is one sample, taken at one moment: weak evidence, a reason to ask and never a reason to
//! delete. The rules say so, and every entry carries the numbers behind it.

use entente_model::{Date, EstateIndex, Observed, PowerState, Text, Workload, WorkloadKind};
use schemars::JsonSchema;
use serde::Serialize;

use crate::parallel;
use crate::quantity::{disk_capacity_mib, machines, mib, storage_used_mib};

/// Machines that look unused or too large.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HygieneReport {
    /// Look unused.
    pub zombies: Vec<HygieneEntry>,
    /// Look too large for what they do.
    pub oversized: Vec<HygieneEntry>,
    /// Why nothing (or not all) could be said, if so.
    pub limits: Vec<Text>,
}

/// One workload that looks unused or too large.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HygieneEntry {
    /// The workload.
    pub workload: Text,
    /// Its name.
    pub name: Text,
    /// Rule that says so.
    pub rule: Text,
    /// The numbers behind it.
    pub evidence: Text,
    /// What would come free, vCPU.
    pub vcpus: u64,
    /// What would come free, memory.
    pub memory_mib: u64,
    /// What would come free, storage in use.
    pub storage_mib: u64,
}

/// A rule that says that a machine looks unused or too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HygieneRule {
    /// Stable name.
    pub id: &'static str,
    /// When it holds, and how far to trust it.
    pub text: &'static str,
}

/// A machine younger than this many days may be off or idle because it is still being built.
pub const NEW_DAYS: i64 = 30;
/// Most processor use of a machine that does nothing, in MHz.
pub const IDLE_CPU_MHZ_MAX: u64 = 10;
/// Below this share of the configured memory in active use, a machine looks too large.
pub const MEMORY_ACTIVE_PERCENT: u64 = 25;
/// Smaller memories are not worth a change.
pub const MEMORY_MIB_MIN: u64 = 8 * 1024;
/// Memory that stays, at least.
pub const MEMORY_KEPT_MIB_MIN: u64 = 4 * 1024;
/// Below this share of its processors' capacity in use, a machine looks too large.
pub const CPU_USED_PERCENT: u64 = 10;
/// Fewer virtual processors are not worth a change.
pub const VCPUS_MIN: u64 = 4;
/// Virtual processors that stay, at least.
pub const VCPUS_KEPT_MIN: u64 = 2;
/// What stays is this many times what was in use.
pub const HEADROOM: u64 = 2;

/// The machine is off.
pub const POWERED_OFF: HygieneRule = HygieneRule {
    id: "powered-off",
    text: "The machine is off and was not created within the last 30 days. The source does not say \
        since when it is off: a sign to ask its owner, not a proof.",
};
/// The machine is suspended.
pub const SUSPENDED: HygieneRule = HygieneRule {
    id: "suspended",
    text: "The machine is suspended: it does nothing and keeps its memory on disk.",
};
/// The machine is on, but nothing runs in it.
pub const ON_WITHOUT_GUEST: HygieneRule = HygieneRule {
    id: "on-without-guest",
    text: "The machine is on, its guest system does not run or gives no heartbeat, and it uses at most \
        10 MHz. One sample at one moment: weak evidence.",
};
/// The platform lost the machine's files or registration.
pub const ORPHANED: HygieneRule = HygieneRule {
    id: "orphaned",
    text: "The platform still lists the machine but has lost its files or its registration.",
};
/// Far less memory in use than configured.
pub const MEMORY_OVERSIZED: HygieneRule = HygieneRule {
    id: "memory-oversized",
    text: "Running with at least 8 GiB, of which less than 25 % was in active use; twice the active \
        memory, at least 4 GiB, would stay. One sample at one moment: weak evidence.",
};
/// Far less processor in use than configured.
pub const CPU_OVERSIZED: HygieneRule = HygieneRule {
    id: "cpu-oversized",
    text: "Running with at least 4 virtual processors, of whose capacity at the host's clock less than \
        10 % was in use; twice the use, at least 2, would stay. One sample at one moment: weak evidence.",
};

/// All rules.
pub const HYGIENE_RULES: [HygieneRule; 6] =
    [POWERED_OFF, SUSPENDED, ON_WITHOUT_GUEST, ORPHANED, MEMORY_OVERSIZED, CPU_OVERSIZED];

/// Looks at every machine. A machine is listed once among the unused, and up to twice (memory,
/// processors) among those too large. Both lists are in the estate's order.
pub fn hygiene(index: &EstateIndex<'_>, as_of: Date) -> HygieneReport {
    let runs = parallel::by_run(&index.estate.workloads, |run| {
        let mut found = HygieneReport::default();
        for workload in run.iter().filter(|it| it.kind == WorkloadKind::Machine) {
            match zombie(workload, as_of) {
                Some(entry) => found.zombies.push(entry),
                None if workload.power == Observed::Value(PowerState::On) => {
                    found.oversized.extend(memory_oversized(workload));
                    found.oversized.extend(cpu_oversized(index, workload));
                }
                None => {}
            }
        }
        found
    });
    let mut report = HygieneReport::default();
    for run in runs {
        report.zombies.extend(run.zombies);
        report.oversized.extend(run.oversized);
    }
    report.limits = limits(index, &report);
    report
}

fn entry(workload: &Workload, rule: HygieneRule, evidence: String) -> HygieneEntry {
    HygieneEntry {
        workload: Text::from(workload.id.clone()),
        name: workload.name.clone(),
        rule: Text::new_static(rule.id),
        evidence: Text::from(evidence),
        vcpus: 0,
        memory_mib: 0,
        storage_mib: 0,
    }
}

/// What is in use on storage comes free, else what is configured where use was not observed.
fn storage_mib(workload: &Workload) -> u64 {
    let used = storage_used_mib(workload);
    used.copied().or_else(|| disk_capacity_mib(workload).copied()).unwrap_or(0)
}

fn zombie(workload: &Workload, as_of: Date) -> Option<HygieneEntry> {
    let found = |rule, evidence| {
        Some(HygieneEntry { storage_mib: storage_mib(workload), ..entry(workload, rule, evidence) })
    };
    let connection = workload.samples.connection_state.value().map_or("", |it| it.as_str());
    if ["orphaned", "invalid", "inaccessible"].iter().any(|it| connection.eq_ignore_ascii_case(it))
    {
        return found(ORPHANED, format!("connection state {connection}"));
    }
    let age_days = workload.created.value().map(|created| created.age_days(as_of));
    if age_days.is_some_and(|days| days < NEW_DAYS) {
        return None;
    }
    let age = age_days.map_or_else(String::new, |days| format!(", created {days} days ago"));
    match workload.power {
        Observed::Value(PowerState::Off) => found(POWERED_OFF, format!("off{age}")),
        Observed::Value(PowerState::Suspended) => found(SUSPENDED, format!("suspended{age}")),
        Observed::Value(PowerState::On) => {
            let evidence = without_guest(workload)?;
            Some(HygieneEntry {
                vcpus: workload.cpu.count.copied().map_or(0, u64::from),
                memory_mib: workload.memory.size_bytes.copied().map_or(0, mib),
                ..found(ON_WITHOUT_GUEST, format!("{evidence}{age}"))?
            })
        }
        Observed::Absent | Observed::Unobserved(_) => None,
    }
}

/// Why a running machine looks as if nothing ran in it.
fn without_guest(workload: &Workload) -> Option<String> {
    let samples = &workload.samples;
    let used_mhz = samples.cpu_used_mhz.copied()?;
    if used_mhz > IDLE_CPU_MHZ_MAX {
        return None;
    }
    let guest = samples.guest_state.value().map_or("", |it| it.as_str());
    let heartbeat = samples.heartbeat.value().map_or("", |it| it.as_str());
    if guest.eq_ignore_ascii_case("notRunning") {
        Some(format!("on, guest {guest}, {used_mhz} MHz in use"))
    } else if ["gray", "red"].iter().any(|it| heartbeat.eq_ignore_ascii_case(it)) {
        Some(format!("on, heartbeat {heartbeat}, {used_mhz} MHz in use"))
    } else {
        None
    }
}

/// Nothing in active use is no sample: a running machine always touches some memory.
fn memory_oversized(workload: &Workload) -> Option<HygieneEntry> {
    let configured = workload.memory.size_bytes.copied().map(mib)?;
    let active = workload.samples.memory_active_bytes.copied().map(mib)?;
    let percent = u128::from(active) * 100;
    if active == 0
        || configured < MEMORY_MIB_MIN
        || percent >= u128::from(configured) * u128::from(MEMORY_ACTIVE_PERCENT)
    {
        return None;
    }
    let kept = active
        .saturating_mul(HEADROOM)
        .div_ceil(1024)
        .saturating_mul(1024)
        .max(MEMORY_KEPT_MIB_MIN);
    Some(HygieneEntry {
        memory_mib: configured.saturating_sub(kept),
        ..entry(
            workload,
            MEMORY_OVERSIZED,
            format!("{active} of {configured} MiB active in one sample, {kept} MiB would stay"),
        )
    })
}

/// No use at all is no sample: even an idle guest wakes up.
fn cpu_oversized(index: &EstateIndex<'_>, workload: &Workload) -> Option<HygieneEntry> {
    let vcpus = u64::from(workload.cpu.count.copied()?);
    let used = workload.samples.cpu_used_mhz.copied()?;
    let clock = host_clock_mhz(index, workload)?;
    let capacity = vcpus.saturating_mul(clock);
    if used == 0
        || vcpus < VCPUS_MIN
        || u128::from(used) * 100 >= u128::from(capacity) * u128::from(CPU_USED_PERCENT)
    {
        return None;
    }
    let kept = used.saturating_mul(HEADROOM).div_ceil(clock).max(VCPUS_KEPT_MIN);
    Some(HygieneEntry {
        vcpus: vcpus.saturating_sub(kept),
        ..entry(
            workload,
            CPU_OVERSIZED,
            format!(
                "{used} of {capacity} MHz in use in one sample, {kept} of {vcpus} vCPU would stay"
            ),
        )
    })
}

fn host_clock_mhz(index: &EstateIndex<'_>, workload: &Workload) -> Option<u64> {
    let host = index.host(workload.placement.host.value()?)?;
    host.cpu_mhz.copied().filter(|mhz| *mhz > 0)
}

/// The rules that were used, and how many machines they could not judge.
fn limits(index: &EstateIndex<'_>, report: &HygieneReport) -> Vec<Text> {
    let (mut power, mut cpu, mut clock, mut memory) = (0_u64, 0_u64, 0_u64, 0_u64);
    for workload in machines(index.estate) {
        match workload.power {
            Observed::Value(PowerState::On) => {
                let samples = &workload.samples;
                cpu += u64::from(!samples.cpu_used_mhz.is_observed());
                clock += u64::from(host_clock_mhz(index, workload).is_none());
                memory += u64::from(!samples.memory_active_bytes.is_observed());
            }
            Observed::Unobserved(_) => power += 1,
            Observed::Value(_) | Observed::Absent => {}
        }
    }
    let entries = || report.zombies.iter().chain(&report.oversized);
    let used = HYGIENE_RULES
        .iter()
        .filter(|rule| entries().any(|it| it.rule == rule.id))
        .map(|rule| Text::from(format!("{}: {}", rule.id, rule.text)));
    let unseen = [
        (power, "machines whose power state was not observed were not judged"),
        (cpu, "running machines whose processor use was not observed were not judged by it"),
        (
            clock,
            "running machines whose host's clock was not observed were not judged by processor use",
        ),
        (memory, "running machines whose active memory was not observed were not judged by it"),
    ];
    let unseen = unseen
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, text)| Text::from(format!("{count} {text}.")));
    used.chain(unseen).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::{AS_OF, GIB, any_estate, estate, machine, unknown};
    use entente_model::Moment;
    use time::macros::datetime;

    fn of(change: impl FnOnce(&mut Workload)) -> HygieneReport {
        let mut workload = machine("vm");
        change(&mut workload);
        hygiene(&estate(vec![workload]).index(), AS_OF)
    }

    /// `rule vcpus/memory/storage: evidence` of every entry.
    fn lines(entries: &[HygieneEntry]) -> Vec<String> {
        entries
            .iter()
            .map(|it| {
                format!(
                    "{} {}/{}/{}: {}",
                    it.rule, it.vcpus, it.memory_mib, it.storage_mib, it.evidence
                )
            })
            .collect()
    }

    fn idle(workload: &mut Workload) {
        workload.samples.cpu_used_mhz = Observed::Value(3);
        workload.samples.guest_state = Observed::Value("notRunning".into());
    }

    #[test]
    fn an_ordinary_machine_is_not_listed() {
        assert_eq!(of(|_| {}), HygieneReport::default());
    }

    #[test]
    fn machines_that_look_unused() {
        type Change = fn(&mut Workload);
        let cases: [(Change, &[&str]); 9] = [
            (
                |it| it.power = Observed::Value(PowerState::Off),
                &["powered-off 0/0/40960: off, created 1056 days ago"],
            ),
            (
                |it| {
                    it.power = Observed::Value(PowerState::Off);
                    it.created = unknown();
                    it.samples.storage_used_bytes = unknown();
                },
                &["powered-off 0/0/102400: off"],
            ),
            (
                |it| it.power = Observed::Value(PowerState::Suspended),
                &["suspended 0/0/40960: suspended, created 1056 days ago"],
            ),
            (
                idle,
                &[
                    "on-without-guest 4/16384/40960: on, guest notRunning, 3 MHz in use, created 1056 days ago",
                ],
            ),
            (
                |it| it.samples.connection_state = Observed::Value("orphaned".into()),
                &["orphaned 0/0/40960: connection state orphaned"],
            ),
            // A machine without tools that does work is in use.
            (|it| it.samples.guest_state = Observed::Value("notRunning".into()), &[]),
            // Without a sample nothing is said.
            (
                |it| {
                    idle(it);
                    it.samples.cpu_used_mhz = unknown();
                },
                &[],
            ),
            // A new machine may not be ready yet.
            (
                |it| {
                    it.power = Observed::Value(PowerState::Off);
                    it.created = Observed::Value(Moment::Local(datetime!(2026-11-01 00:00)));
                },
                &[],
            ),
            // A template is off by nature.
            (
                |it| {
                    it.kind = WorkloadKind::Template;
                    it.power = Observed::Value(PowerState::Off);
                },
                &[],
            ),
        ];
        for (number, (change, expect)) in cases.into_iter().enumerate() {
            assert_eq!(lines(&of(change).zombies), expect, "case {number}");
        }
    }

    #[test]
    fn machines_that_look_too_large() {
        let report = of(|it| {
            it.cpu.count = Observed::Value(8);
            it.samples.cpu_used_mhz = Observed::Value(600);
            it.memory.size_bytes = Observed::Value(64 * GIB);
            it.samples.memory_active_bytes = Observed::Value(5 * GIB);
        });
        assert_eq!(
            lines(&report.oversized),
            [
                "memory-oversized 0/55296/0: 5120 of 65536 MiB active in one sample, 10240 MiB would stay",
                "cpu-oversized 6/0/0: 600 of 20000 MHz in use in one sample, 2 of 8 vCPU would stay",
            ]
        );
    }

    #[test]
    fn a_sample_of_nothing_is_no_sample() {
        let report = of(|it| {
            it.samples.cpu_used_mhz = Observed::Value(0);
            it.samples.memory_active_bytes = Observed::Value(0);
        });
        assert_eq!(report.oversized, []);
    }

    #[test]
    fn limits_name_the_rules_used_and_what_could_not_be_judged() {
        let report = of(|it| {
            it.power = Observed::Value(PowerState::On);
            it.samples.cpu_used_mhz = unknown();
            it.samples.memory_active_bytes = Observed::Value(GIB);
        });
        let limits: Vec<&str> = report.limits.iter().map(|it| it.as_str()).collect();
        assert_eq!(limits.len(), 2, "{limits:?}");
        assert!(limits[0].starts_with("memory-oversized: "), "{limits:?}");
        assert!(limits[0].contains("weak evidence"), "{limits:?}");
        assert!(limits[1].starts_with("1 running machines whose processor use"), "{limits:?}");
    }

    proptest! {
        #[test]
        fn nothing_comes_free_that_is_not_there(estate in any_estate()) {
            let index = estate.index();
            let report = hygiene(&index, AS_OF);
            for entry in report.zombies.iter().chain(&report.oversized) {
                let id = entry.workload.parse().unwrap();
                let workload = index.workload(&id).unwrap();
                prop_assert_eq!(workload.kind, WorkloadKind::Machine);
                prop_assert!(entry.vcpus <= workload.cpu.count.copied().map_or(0, u64::from));
                let memory_mib = workload.memory.size_bytes.copied().map_or(0, mib);
                prop_assert!(entry.memory_mib <= memory_mib);
            }
            let unused: Vec<&Text> = report.zombies.iter().map(|it| &it.workload).collect();
            prop_assert!(report.oversized.iter().all(|it| !unused.contains(&&it.workload)));
        }
    }
}
