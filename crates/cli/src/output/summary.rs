//! The first screen: what a person in a hurry needs to know, with what is not known.

use std::io::{self, Write};

use entente_app::document::{Assessment, CheckReport, Quantity, SupportState, SupportSubject};
use entente_model::GapCause;
use entente_readiness::CheckSeverity;

use super::table::{Style, Table};

/// Rows of a list in the summary; what is left out is counted.
const ROWS_MAX: usize = 10;

/// Platforms of which what is known is too old, in the summary.
const STALE_MAX: usize = 5;

/// Rows of findings in the summary.
const FINDINGS_MAX: usize = 6;

/// Writes the summary.
pub fn summary(assessment: &Assessment, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut screen = Screen { assessment, style, out };
    screen.estate()?;
    screen.readiness()?;
    screen.blockers()?;
    screen.complexity()?;
    screen.clusters()?;
    screen.support()?;
    screen.hygiene()?;
    screen.findings()?;
    screen.gaps()
}

struct Screen<'a> {
    assessment: &'a Assessment,
    style: Style,
    out: &'a mut dyn Write,
}

impl Screen<'_> {
    fn heading(&mut self, title: &str) -> io::Result<()> {
        match self.style {
            Style::Text => writeln!(self.out, "\n{title}"),
            Style::Markdown => writeln!(self.out, "\n## {title}\n"),
        }
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        match self.style {
            Style::Text => writeln!(self.out, "  {text}"),
            Style::Markdown => writeln!(self.out, "{text}  "),
        }
    }

    fn table(&mut self, table: &Table, left_out: usize) -> io::Result<()> {
        table.write(self.style, self.out)?;
        if left_out > 0 {
            if self.style == Style::Markdown {
                writeln!(self.out)?;
            }
            self.line(&format!(
                "… and {} more (`--output json` has all)",
                grouped(left_out as u64)
            ))?;
        }
        Ok(())
    }

    fn estate(&mut self) -> io::Result<()> {
        let it = &self.assessment.summary;
        let as_of = &self.assessment.as_of;
        match self.style {
            Style::Text => writeln!(self.out, "Estate, as of {as_of}")?,
            Style::Markdown => writeln!(self.out, "# Estate, as of {as_of}\n")?,
        }
        let mut power = vec![
            format!("{} on", grouped(it.machines_on)),
            format!("{} off", grouped(it.machines_off)),
            format!("{} suspended", grouped(it.machines_suspended)),
        ];
        if it.machines_power_unknown > 0 {
            power.push(format!("{} unknown", grouped(it.machines_power_unknown)));
        }
        self.stale()?;
        self.line(&format!(
            "{} ({}) on {} in {}, {}",
            many(it.machines, "machine"),
            power.join(", "),
            many(it.hosts, "host"),
            many(it.clusters, "cluster"),
            many(it.platforms, "platform"),
        ))?;
        self.line(&format!(
            "{} vCPU, {} memory, {} disk of which {} in use",
            counted(it.vcpus, grouped),
            counted(it.memory_mib, size_of_mib),
            counted(it.disk_capacity_mib, size_of_mib),
            counted(it.storage_used_mib, size_of_mib),
        ))?;
        self.line(&format!(
            "not counted above: {}, {}, {}",
            many(it.templates, "template"),
            many(it.recovery_placeholders, "recovery placeholder"),
            many(it.system_agents, "system agent"),
        ))?;
        self.line(&format!(
            "{} cores to license (16 at least per processor; that minimum adds {})",
            counted(it.licensable_cores, grouped),
            grouped(self.assessment.licensing.added_by_minimum),
        ))
    }

    /// What is too old to be taken for what is so now: before anything that follows from it.
    fn stale(&mut self) -> io::Result<()> {
        let gaps = &self.assessment.gaps;
        let stale: Vec<_> = gaps.iter().filter(|it| it.cause == GapCause::Stale).collect();
        for gap in stale.iter().take(STALE_MAX) {
            self.line(&format!("stale: {}", gap.message))?;
        }
        match stale.len().checked_sub(STALE_MAX) {
            Some(more) if more > 0 => self.line(&format!("stale: and {more} more")),
            _ => Ok(()),
        }
    }

    fn readiness(&mut self) -> io::Result<()> {
        self.heading("Readiness, as far as these sources can see")?;
        let mut table = Table::new(&[
            "target",
            ">ready as seen",
            ">conditional",
            ">blocked",
            ">unknown",
            ">ready, all known",
        ]);
        for target in &self.assessment.readiness.targets {
            let seen = &target.as_seen;
            table.row([
                target.label.to_string(),
                grouped(seen.ready),
                grouped(seen.conditional),
                grouped(seen.blocked),
                grouped(seen.unknown),
                grouped(target.verdicts.ready),
            ]);
        }
        self.table(&table, 0)?;
        let mut limits: Vec<&str> = self
            .assessment
            .readiness
            .checks
            .iter()
            .flat_map(|check| check.beyond_source.iter())
            .map(|attribute| attribute.trim_start_matches("workload."))
            .collect();
        limits.sort_unstable();
        limits.dedup();
        if limits.is_empty() {
            return Ok(());
        }
        if self.style == Style::Markdown {
            writeln!(self.out)?;
        }
        self.line(&format!(
            "\"ready, all known\" also counts what these kinds of source never show: {}",
            limits.join(", ")
        ))
    }

    fn blockers(&mut self) -> io::Result<()> {
        let fired = |check: &CheckReport| -> u64 {
            let blocking = check
                .severity
                .iter()
                .filter(|(_, severity)| **severity == CheckSeverity::Blocker)
                .filter_map(|(target, _)| check.fired.get(target));
            blocking.copied().max().unwrap_or_default()
        };
        let mut blocking: Vec<&CheckReport> =
            self.assessment.readiness.checks.iter().filter(|it| fired(it) > 0).collect();
        if blocking.is_empty() {
            return Ok(());
        }
        blocking.sort_by(|a, b| fired(b).cmp(&fired(a)).then_with(|| a.id.cmp(&b.id)));
        self.heading("What blocks most")?;
        let mut table = Table::new(&[">machines", "check", "blocks", "says"]);
        for check in blocking.iter().take(ROWS_MAX) {
            let targets: Vec<&str> = check
                .severity
                .iter()
                .filter(|(_, severity)| **severity == CheckSeverity::Blocker)
                .map(|(target, _)| target.as_str())
                .collect();
            table.row([
                grouped(fired(check)),
                check.id.to_string(),
                targets.join(" "),
                check.title.to_string(),
            ]);
        }
        self.table(&table, blocking.len().saturating_sub(ROWS_MAX))
    }

    fn complexity(&mut self) -> io::Result<()> {
        let it = &self.assessment.complexity;
        self.heading("Complexity")?;
        let [unknown, easy, medium, hard, white_glove] = it.migration_planner.scores;
        self.line(&format!(
            "the hardest 20 % of the machines hold {} of all complexity ({} points)",
            percent(it.hardest_fifth_basis_points),
            grouped(it.total),
        ))?;
        self.line(&format!(
            "migration-planner's score beside it: {} easy, {} medium, {} hard, {} white glove, {} unknown",
            grouped(easy), grouped(medium), grouped(hard), grouped(white_glove), grouped(unknown),
        ))?;
        let mut most: Vec<_> =
            self.assessment.attachments.iter().filter(|it| it.workloads > 0).collect();
        most.sort_by(|a, b| b.workloads.cmp(&a.workloads).then_with(|| a.kind.cmp(&b.kind)));
        let named: Vec<String> = most
            .iter()
            .take(ROWS_MAX)
            .map(|it| format!("{} {}", it.kind, grouped(it.workloads)))
            .collect();
        self.line(&format!("leans on: {}", named.join(", ")))
    }

    fn clusters(&mut self) -> io::Result<()> {
        let clusters = &self.assessment.clusters;
        self.heading("Clusters")?;
        let mut table = Table::new(&[
            "cluster",
            ">hosts",
            ">cores",
            ">to license",
            ">machines on",
            ">vCPU on",
            ">memory on",
            ">machines",
            ">vCPU",
            ">memory",
            ">in use",
        ]);
        for it in clusters.iter().take(ROWS_MAX) {
            table.row([
                it.name.to_string(),
                grouped(it.hosts),
                counted(it.cores, grouped),
                counted(it.licensable_cores, grouped),
                grouped(it.demand_on.machines),
                counted(it.demand_on.vcpus, grouped),
                counted(it.demand_on.memory_mib, size_of_mib),
                grouped(it.demand_all.machines),
                counted(it.demand_all.vcpus, grouped),
                counted(it.demand_all.memory_mib, size_of_mib),
                counted(it.demand_all.storage_used_mib, size_of_mib),
            ]);
        }
        self.table(&table, clusters.len().saturating_sub(ROWS_MAX))
    }

    fn support(&mut self) -> io::Result<()> {
        let due: Vec<_> = self
            .assessment
            .support
            .iter()
            .filter(|it| matches!(it.state, SupportState::Ended | SupportState::Ending))
            .collect();
        if due.is_empty() {
            return Ok(());
        }
        self.heading("Out of general support, or within a year")?;
        let mut table = Table::new(&["what", "product", ">count", "ends", "extended"]);
        for it in due.iter().take(ROWS_MAX) {
            let subject = match it.subject {
                SupportSubject::Hypervisor => "host",
                SupportSubject::Management => "management",
                SupportSubject::Guest => "guest",
            };
            let date = |date: &Option<entente_model::Text>| {
                date.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string)
            };
            table.row([
                subject.to_owned(),
                it.product.to_string(),
                grouped(it.count),
                date(&it.general_support_ends),
                date(&it.extended_support_ends),
            ]);
        }
        self.table(&table, due.len().saturating_sub(ROWS_MAX))
    }

    fn hygiene(&mut self) -> io::Result<()> {
        let it = &self.assessment.hygiene;
        if it.zombies.is_empty() && it.oversized.is_empty() {
            return Ok(());
        }
        self.heading("Look unused or too large (one sample is weak evidence: ask before acting)")?;
        for (entries, what) in [
            (&it.zombies, "unused by the look of it"),
            (&it.oversized, "too large by the look of it"),
        ] {
            let sum = |of: fn(&entente_app::document::HygieneEntry) -> u64| {
                entries.iter().map(of).sum::<u64>()
            };
            self.line(&format!(
                "{} {what}: {} vCPU, {} memory, {} storage would come free",
                many(entries.len() as u64, "machine"),
                grouped(sum(|it| it.vcpus)),
                size_of_mib(sum(|it| it.memory_mib)),
                size_of_mib(sum(|it| it.storage_mib)),
            ))?;
        }
        Ok(())
    }

    fn findings(&mut self) -> io::Result<()> {
        let findings = &self.assessment.findings;
        if findings.is_empty() {
            return Ok(());
        }
        self.heading("Findings")?;
        let mut table = Table::new(&["severity", "code", "subject", "says"]);
        for it in findings.iter().take(FINDINGS_MAX) {
            table.row([
                it.severity.as_str().to_owned(),
                it.code.to_string(),
                it.subject.to_string(),
                it.message.to_string(),
            ]);
        }
        self.table(&table, findings.len().saturating_sub(FINDINGS_MAX))
    }

    fn gaps(&mut self) -> io::Result<()> {
        self.heading("Not observed")?;
        let mut causes: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
        for gap in &self.assessment.gaps {
            *causes.entry(gap.cause.as_str()).or_default() += gap.count;
        }
        if causes.is_empty() {
            return self.line("no gaps beyond the limits of the source");
        }
        let counts: Vec<String> =
            causes.iter().map(|(cause, count)| format!("{cause} {}", grouped(*count))).collect();
        self.line(&format!("gaps: {} (`--output json` names each)", counts.join(", ")))?;
        for source in &self.assessment.sources {
            let version = source.version.as_deref().unwrap_or("unknown version");
            let rows: u64 = source.sections.values().map(|tally| tally.rows).sum();
            self.line(&format!(
                "read: {} ({}, {version}), {}, {}",
                source.location,
                source.connector,
                many(source.sections.len() as u64, "section"),
                many(rows, "row"),
            ))?;
        }
        Ok(())
    }
}

/// A quantity with what it could not count.
fn counted(quantity: Quantity, shown: impl Fn(u64) -> String) -> String {
    match quantity.unknown {
        0 => shown(quantity.known),
        unknown if quantity.known == 0 => format!("? ({} unknown)", grouped(unknown)),
        unknown => format!("{} (+{} unknown)", shown(quantity.known), grouped(unknown)),
    }
}

/// `1 host`, `1,200 hosts`.
fn many(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(number))
}

/// `1234567` as `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Bytes in the unit in which people read them.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        _ => scaled(bytes, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"]),
    }
}

/// MiB in the unit in which people read them.
fn size_of_mib(mib: u64) -> String {
    scaled(mib, &["MiB", "GiB", "TiB", "PiB"])
}

/// So many of the first unit, in the one that suits, with one decimal.
fn scaled(value: u64, units: &[&str]) -> String {
    let mut tenths = u128::from(value) * 10;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < units.len() {
        tenths = (tenths + 512) / 1024;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or_default();
    format!("{}.{} {name}", grouped((tenths / 10) as u64), tenths % 10)
}

fn percent(basis_points: u32) -> String {
    format!("{}.{} %", basis_points / 100, basis_points % 100 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(many(1, "host"), "1 host");
        assert_eq!(many(1200, "host"), "1,200 hosts");
        assert_eq!(size_of_mib(512), "512.0 MiB");
        assert_eq!(size_of_mib(1536), "1.5 GiB");
        assert_eq!(size_of_mib(5 << 20), "5.0 TiB");
        assert_eq!(["512 B", "1.5 KiB"].map(str::to_owned), [size(512), size(1536)]);
        assert_eq!(percent(6354), "63.5 %");
    }

    #[test]
    fn a_sum_says_what_it_could_not_count() {
        let quantity = |known, unknown| Quantity { known, unknown };
        assert_eq!(counted(quantity(7, 0), grouped), "7");
        assert_eq!(counted(quantity(7, 2), grouped), "7 (+2 unknown)");
        assert_eq!(counted(quantity(0, 9), grouped), "? (9 unknown)");
    }
}
