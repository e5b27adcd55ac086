//! The catalogue as pages for people: one of all checks, and one for each.

use std::fmt::Write;

use entente_model::Text;

use super::{Catalogue, Check};

impl Catalogue {
    /// The catalogue as Markdown: all checks by topic, with severities, remedies and sources.
    pub fn page(&self) -> String {
        let mut page = format!(
            "# Readiness checks\n\n\
             Catalogue version {}, {} checks. Generated from the catalogue; do not edit.\n\n\
             A check fires when its expression is true of a workload. Severities: **blocker** (it \
             cannot live there as it is), **warning** (it can, after or with extra work), \
             information (never decides a verdict), – (says nothing about this target). Evidence is \
             that of the weakest thing a check rests on.\n",
            self.version(),
            self.checks().len(),
        );
        self.targets_table(&mut page);
        for topic in self.topics() {
            self.topic_table(&mut page, &topic);
        }
        page
    }

    /// One check as a page in Markdown: what it says, when, how bad on each target, what to do, on
    /// what it rests.
    pub fn check_page(&self, check: &Check) -> String {
        let mut page = format!(
            "# {}\n\n{}.\n\n{}\n\n## When\n\n```cel\n{}\n```\n\n## How bad\n\n",
            check.id,
            check.title,
            check.remedy,
            check.expression.source()
        );
        for (at, target) in self.targets().iter().enumerate() {
            let _ = writeln!(page, "- {}: {}", target.label, check.severity(at).as_str());
        }
        let evidence = check.evidence.as_str();
        let _ = write!(page, "\n## Source\n\n{} ({evidence})\n", check.source);
        if !check.origin.is_empty() {
            let _ = write!(page, "\nThe same question elsewhere: {}.\n", check.origin.join(", "));
        }
        page
    }

    /// Topics in the order of their first check.
    fn topics(&self) -> Vec<Text> {
        let mut topics: Vec<Text> = Vec::new();
        for check in self.checks() {
            if !topics.contains(&check.topic) {
                topics.push(check.topic.clone());
            }
        }
        topics
    }

    fn targets_table(&self, page: &mut String) {
        page.push_str(
            "\n## Targets\n\n\
             | id | name | limit | value | source | evidence |\n|--|--|--|--|--|--|\n",
        );
        for target in self.targets() {
            let limits = &target.limits;
            for (name, limit) in [
                ("virtual processors", &limits.vcpus_max),
                ("memory, MiB", &limits.memory_mib_max),
                ("disks", &limits.disks_max),
                ("network adapters", &limits.nics_max),
                ("one disk, MiB", &limits.disk_mib_max),
            ] {
                let value = limit.value.map_or_else(|| "–".to_owned(), |it| it.to_string());
                row(
                    page,
                    &[
                        &format!("`{}`", target.id),
                        &target.label,
                        name,
                        &value,
                        &limit.source,
                        limit.evidence.as_str(),
                    ],
                );
            }
        }
    }

    fn topic_table(&self, page: &mut String, topic: &str) {
        let mut initial = topic.chars();
        let heading: String =
            initial.next().into_iter().flat_map(char::to_uppercase).chain(initial).collect();
        let ids: Vec<&str> = self.targets().ids().collect();
        // Writing to a string cannot fail.
        let _ = write!(
            page,
            "\n## {heading}\n\n| check | {} | remedy | source | evidence |\n|--|{}--|--|--|\n",
            ids.join(" | "),
            "--|".repeat(ids.len()),
        );
        for check in self.checks().iter().filter(|check| check.topic == topic) {
            self.check_row(page, check);
        }
    }

    fn check_row(&self, page: &mut String, check: &Check) {
        let name = format!("`{}`: {}", check.id, check.title);
        let severities = (0..self.targets().len()).map(|at| match check.severity(at).as_str() {
            "not-applicable" => "–".to_owned(),
            word @ ("blocker" | "warning") => format!("**{word}**"),
            word => word.to_owned(),
        });
        let mut cells: Vec<String> = vec![name];
        cells.extend(severities);
        cells.push(check.remedy.to_string());
        cells.push(check.source.to_string());
        cells.push(check.evidence.as_str().to_owned());
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        row(page, &cells);
    }
}

fn row(page: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}
