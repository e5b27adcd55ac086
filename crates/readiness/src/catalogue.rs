//! The check catalogue: what can be said for or against a workload living on a target.
//!
//! Checks are data: an expression over `workload` and `target`, and a severity per target. The
//! built-in catalogue is embedded; users add checks and override fields of existing ones with a
//! file of the same form ([`Catalogue::with_overrides`]).

mod error;
mod page;
mod read;
mod yaml;

use std::collections::BTreeMap;

use entente_expr::{Environment, Expression, nearest};
use entente_model::Text;

pub use error::CatalogueError;

use crate::data::{DataError, Evidence};
use crate::targets::{Targets, target_record_type};
use crate::verdict::CheckSeverity;
use error::Mistakes;
use read::Draft;

/// Name of the built-in file in messages.
const BUILTIN: &str = "checks.yaml";

/// Topic of checks that a user's file adds without one.
const OWN_TOPIC: &str = "own checks";

/// One check: it fires where its expression is true.
#[derive(Debug)]
pub struct Check {
    /// Stable, kebab-case id.
    pub id: Text,
    /// What it is about: `storage`, `network` …
    pub topic: Text,
    /// What it says of a workload on which it fires.
    pub title: Text,
    /// When it fires; evaluate with the records of [`check_environment`].
    pub expression: Expression,
    /// What firing means, by target, in the order of [`Catalogue::targets`].
    pub severities: Vec<CheckSeverity>,
    /// What to do.
    pub remedy: Text,
    /// The document or rule on which it rests.
    pub source: Text,
    /// How well the weakest thing it rests on is founded.
    pub evidence: Evidence,
    /// Rules of other tools that ask the same question, `forklift:vmware.disk.rdm.detected`.
    pub origin: Vec<Text>,
    /// Whether its answer depends on the target; if not, one evaluation serves all targets.
    pub reads_target: bool,
}

impl Check {
    /// What firing means for the target at this position of [`Catalogue::targets`].
    pub fn severity(&self, target: usize) -> CheckSeverity {
        self.severities.get(target).copied().unwrap_or(CheckSeverity::NotApplicable)
    }
}

/// The names with which a check's expression may begin, in the order in which
/// [`Expression::evaluate`] takes their records: `workload`, then `target`.
pub fn check_environment() -> Environment {
    Environment::new()
        .with_root("workload", entente_expr::workload::record_type())
        .with_root("target", target_record_type())
}

/// All checks, and the targets for which they have severities.
#[derive(Debug)]
pub struct Catalogue {
    version: Text,
    targets: Targets,
    checks: Vec<Check>,
}

impl Catalogue {
    /// The catalogue of this build.
    pub fn builtin() -> Result<Self, DataError> {
        Self::parse(BUILTIN, include_str!("../data/checks.yaml"), Targets::builtin()?).map_err(
            |errors| {
                let lines: Vec<String> = errors.iter().map(CatalogueError::to_string).collect();
                DataError { file: BUILTIN, message: lines.join("\n") }
            },
        )
    }

    fn parse(file_name: &str, text: &str, targets: Targets) -> Result<Self, Vec<CatalogueError>> {
        let mut catalogue = Self { version: Text::default(), targets, checks: Vec::new() };
        catalogue.version = catalogue.absorb(file_name, text)?.unwrap_or_default();
        Ok(catalogue)
    }

    /// The same, with the checks that `text` adds, overrides or disables. `file_name` is only
    /// named, in messages and as the source of new checks.
    ///
    /// An entry whose id is known overrides what it mentions; `disabled: true` drops the check. Any
    /// other entry adds a check and must have `title`, `expression`, `severity` and `remedy`.
    ///
    /// # Errors
    ///
    /// Every mistake found in the file, in its order; never empty.
    pub fn with_overrides(
        mut self,
        file_name: &str,
        text: &str,
    ) -> Result<Self, Vec<CatalogueError>> {
        self.absorb(file_name, text)?;
        self.version = Text::from(format!("{}+{file_name}", self.version));
        Ok(self)
    }

    /// Applies a file and gives its version.
    fn absorb(&mut self, file_name: &str, text: &str) -> Result<Option<Text>, Vec<CatalogueError>> {
        let mut mistakes = Mistakes::default();
        let file = read::file(text, &self.targets, &mut mistakes);
        for draft in file.drafts {
            match self.checks.iter().position(|check| check.id == draft.id) {
                Some(at) if draft.disables() => drop(self.checks.remove(at)),
                Some(at) => {
                    if let Some(check) = self.checks.get_mut(at) {
                        draft.change(check);
                    }
                }
                None => {
                    if let Some(check) = self.create(draft, file_name, &mut mistakes) {
                        self.checks.push(check);
                    }
                }
            }
        }
        if mistakes.is_empty() {
            Ok(file.version)
        } else {
            Err(mistakes.into_errors(file_name, text))
        }
    }

    /// A new check, unless something that it needs is missing.
    fn create(&self, draft: Draft, file_name: &str, mistakes: &mut Mistakes) -> Option<Check> {
        let meant = nearest(&draft.id, self.checks.iter().map(|check| check.id.as_str()))
            .map(|meant| format!("did you mean `{meant}`?"));
        let id = draft.id.clone();
        if draft.disables() {
            mistakes.add(draft.span, format!("there is no check `{id}` to disable"), meant);
            return None;
        }
        let missing = draft.missing();
        if !missing.is_empty() {
            let message = format!(
                "check `{id}` is not in the catalogue, and a new one needs {}",
                missing.join(", ")
            );
            mistakes.add(draft.span, message, meant);
            return None;
        }
        draft.into_check(&self.targets, file_name, mistakes)
    }

    /// Its version; a file of overrides adds its name.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The targets, in the order of [`Check::severities`].
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The checks, in a stable order.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The check with this id.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// What a check means, by target id.
    pub fn severity_by_target(&self, check: &Check) -> BTreeMap<Text, CheckSeverity> {
        self.targets
            .iter()
            .enumerate()
            .map(|(at, target)| (target.id.clone(), check.severity(at)))
            .collect()
    }
}

#[cfg(test)]
mod override_tests;
#[cfg(test)]
mod tests;
