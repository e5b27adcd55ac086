//! Masking: the same document with every name, address and id replaced, so that it can be shown to
//! outsiders. The same name is replaced by the same word everywhere; what products and versions are
//! called stays.

use std::collections::BTreeMap;

use entente_model::{Gap, GapCause, Observed, Text};

use crate::document::{Assessment, WorkloadReport};

/// What stands where a text cannot be told to be harmless.
const HIDDEN: &str = "…";

/// Replaces every name, address and id in the document.
pub fn mask(assessment: &mut Assessment) {
    let mut words = Words::default();
    assessment.masked = true;
    for source in &mut assessment.sources {
        words.replace("source", &mut source.location);
        source.id = source.location.clone();
        // Sections are named by the format, except for what people renamed; those were not read.
    }
    for cluster in &mut assessment.clusters {
        words.replace("platform", &mut cluster.platform);
        words.replace("cluster", &mut cluster.name);
        words.replace("cluster-id", &mut cluster.id);
    }
    for workload in &mut assessment.workloads {
        mask_workload(&mut words, workload);
    }
    for application in &mut assessment.applications {
        words.replace("application", &mut application.name);
        words.observed("owner", &mut application.owner);
    }
    for licence in &mut assessment.licensing.licences {
        words.replace("platform", &mut licence.platform);
    }
    for entry in assessment.hygiene.zombies.iter_mut().chain(&mut assessment.hygiene.oversized) {
        words.replace("workload-id", &mut entry.workload);
        words.replace("workload", &mut entry.name);
    }
    for finding in &mut assessment.findings {
        finding.subject = words.known(&finding.subject);
        finding.message = words.message(&finding.message);
    }
    for gap in &mut assessment.gaps {
        mask_gap(&mut words, gap);
    }
    assessment.findings.sort();
    assessment.gaps.sort();
}

fn mask_workload(words: &mut Words, workload: &mut WorkloadReport) {
    words.replace("workload-id", &mut workload.id);
    words.replace("workload", &mut workload.name);
    words.replace("platform", &mut workload.platform);
    words.observed("datacenter", &mut workload.datacenter);
    words.observed("cluster", &mut workload.cluster);
    words.observed("host", &mut workload.host);
    words.observed("folder", &mut workload.folder);
    words.observed("application", &mut workload.application);
    words.observed("owner", &mut workload.owner);
    words.observed("tier", &mut workload.tier);
    words.observed("data-sensitivity", &mut workload.data_sensitivity);
    words.observed("environment", &mut workload.environment);
    workload.labels = std::mem::take(&mut workload.labels)
        .into_iter()
        .map(|(mut name, mut value)| {
            words.replace("label", &mut name);
            words.replace("value", &mut value);
            (name, value)
        })
        .collect();
}

/// Gaps that quote nothing but the format's own names.
fn quotes_only_the_format(cause: GapCause) -> bool {
    matches!(cause, GapCause::MissingSection | GapCause::MissingField | GapCause::NotModelled)
}

fn mask_gap(words: &mut Words, gap: &mut Gap) {
    gap.place.file = words.file(&gap.place.file);
    gap.value = gap.value.as_ref().map(|_| Text::new_static(HIDDEN));
    if quotes_only_the_format(gap.cause) {
        return;
    }
    gap.message = words.message(&gap.message);
    if gap.cause == GapCause::UnknownField {
        gap.place.field = gap.place.field.as_ref().map(|_| Text::new_static(HIDDEN));
    }
}

/// What each word was replaced by.
#[derive(Debug, Default)]
struct Words {
    replaced: BTreeMap<(&'static str, Text), Text>,
    counts: BTreeMap<&'static str, u64>,
}

impl Words {
    fn replace(&mut self, kind: &'static str, word: &mut Text) {
        let key = (kind, word.clone());
        if let Some(known) = self.replaced.get(&key) {
            *word = known.clone();
            return;
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        *word = Text::from(format!("{kind}-{count}"));
        self.replaced.insert(key, word.clone());
    }

    fn observed(&mut self, kind: &'static str, word: &mut Observed<Text>) {
        if let Observed::Value(word) = word {
            self.replace(kind, word);
        }
    }

    /// What a word was replaced by, whatever it names; hidden if it never was.
    fn known(&self, word: &Text) -> Text {
        let kinds = ["workload", "workload-id", "source", "application", "cluster", "host"];
        kinds
            .into_iter()
            .find_map(|kind| self.replaced.get(&(kind, word.clone())))
            .cloned()
            .unwrap_or(Text::new_static(HIDDEN))
    }

    /// A file, or a file inside another (`export.zip:tab.csv`).
    fn file(&mut self, file: &Text) -> Text {
        let outer = file.split(':').next().unwrap_or(file);
        let known = self.known(&Text::new(outer));
        if known != HIDDEN {
            return known;
        }
        let mut word = Text::new(outer);
        self.replace("source", &mut word);
        word
    }

    /// A sentence with everything in backticks hidden.
    fn message(&self, message: &str) -> Text {
        let mut masked = String::with_capacity(message.len());
        for (at, part) in message.split('`').enumerate() {
            if at > 0 {
                masked.push('`');
            }
            let quoted = at % 2 == 1;
            masked.push_str(if quoted { HIDDEN } else { part });
        }
        Text::from(masked)
    }
}
