//! Targets: where a workload might live instead, how large a machine each takes, and the `target`
//! of expressions.
//!
//! Targets are data. Nothing here, and nothing that uses it, matches on a target by name.

use std::sync::LazyLock;

use entente_expr::{AttributeType, Record, RecordType, Type, Value};
use entente_model::{Observed, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::{DataError, Evidence, load};

/// Whether a target supports a guest system.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum GuestSupport {
    /// The target's or the guest's maker stands behind it.
    Supported,
    /// It runs, and nobody promises anything.
    Community,
    /// Neither.
    Unsupported,
    /// The guest system, or its release, is not known.
    Unrecognised,
}

impl GuestSupport {
    const WORDS: &'static [&'static str] =
        &["supported", "community", "unsupported", "unrecognised"];

    /// The stable word used in files, output and expressions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Community => "community",
            Self::Unsupported => "unsupported",
            Self::Unrecognised => "unrecognised",
        }
    }
}

/// Where a statement comes from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    /// Document or rule.
    pub source: Text,
    /// How well that founds it.
    pub evidence: Evidence,
}

/// The largest value that a target takes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The value; `None` where no number is known or the target sets none.
    #[serde(default)]
    pub value: Option<u64>,
    /// Document or rule.
    pub source: Text,
    /// How well that founds it.
    pub evidence: Evidence,
}

/// How large a machine a target takes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Virtual processors.
    pub vcpus_max: Limit,
    /// Memory, in MiB.
    pub memory_mib_max: Limit,
    /// Disks.
    pub disks_max: Limit,
    /// Network adapters.
    pub nics_max: Limit,
    /// Size of one disk, in MiB.
    pub disk_mib_max: Limit,
}

/// A kind of platform on which a workload might live instead.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its id, as `--target` and documents name it.
    pub id: Text,
    /// Its name, for people.
    pub label: Text,
    /// What it is, in one line.
    pub description: Text,
    /// What the guest table's column for it rests on.
    pub guest_support: Basis,
    /// How large a machine it takes.
    pub limits: Limits,
}

/// All targets, in the order in which severities, columns and results are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targets {
    targets: Vec<Target>,
}

impl Targets {
    /// The targets of this build.
    pub fn builtin() -> Result<Self, DataError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            targets: Vec<Target>,
        }
        let file: File = load("targets.yaml", include_str!("../data/targets.yaml"))?;
        Ok(Self { targets: file.targets })
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Target> {
        self.targets.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The target with this id.
    pub fn get(&self, id: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.id == id)
    }

    /// Where the target with this id stands in the order.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.targets.iter().position(|target| target.id == id)
    }

    /// Their ids.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().map(|target| target.id.as_str())
    }
}

impl<'a> IntoIterator for &'a Targets {
    type Item = &'a Target;
    type IntoIter = std::slice::Iter<'a, Target>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The type of `target` in expressions.
pub fn target_record_type() -> &'static RecordType {
    static TYPE: LazyLock<RecordType> = LazyLock::new(|| RecordType {
        name: "target",
        attributes: vec![
            AttributeType::new("id", Type::Text, "Id of the target"),
            AttributeType::new("vcpus_max", Type::Int, "Most virtual processors of one machine")
                .nullable(),
            AttributeType::new("memory_mib_max", Type::Int, "Most memory of one machine, in MiB")
                .nullable(),
            AttributeType::new("disks_max", Type::Int, "Most disks of one machine").nullable(),
            AttributeType::new("nics_max", Type::Int, "Most network adapters of one machine")
                .nullable(),
            AttributeType::new("disk_mib_max", Type::Int, "Largest disk, in MiB").nullable(),
            AttributeType::new(
                "guest_support",
                Type::Text,
                "Whether it supports this workload's guest system",
            )
            .words(GuestSupport::WORDS),
        ],
    });
    &TYPE
}

/// `target` in expressions: a target as one workload meets it.
#[derive(Clone, Copy, Debug)]
pub struct TargetRecord<'a> {
    target: &'a Target,
    guest_support: &'a Observed<GuestSupport>,
}

impl<'a> TargetRecord<'a> {
    /// `target` for a workload whose guest system it supports in this way; unobserved where the
    /// guest system is.
    pub fn new(target: &'a Target, guest_support: &'a Observed<GuestSupport>) -> Self {
        Self { target, guest_support }
    }
}

impl Record for TargetRecord<'_> {
    fn attribute(&self, index: usize) -> Value<'_> {
        let limits = &self.target.limits;
        let limit = |limit: &Limit| match limit.value {
            Some(value) => Value::Int(i64::try_from(value).unwrap_or(i64::MAX)),
            None => Value::Absent,
        };
        match index {
            0 => Value::Text(&self.target.id),
            1 => limit(&limits.vcpus_max),
            2 => limit(&limits.memory_mib_max),
            3 => limit(&limits.disks_max),
            4 => limit(&limits.nics_max),
            5 => limit(&limits.disk_mib_max),
            6 => match self.guest_support {
                Observed::Value(support) => Value::Text(support.as_str()),
                Observed::Absent => Value::Text(GuestSupport::Unrecognised.as_str()),
                Observed::Unobserved(why) => Value::Unobserved(*why),
            },
            _ => Value::Absent,
        }
    }
}

#[cfg(test)]
mod tests {
    use entente_model::Why;

    use super::*;

    #[test]
    fn the_four_targets_load_in_order_and_every_limit_names_its_source() {
        let targets = Targets::builtin().unwrap();
        assert_eq!(targets.ids().collect::<Vec<_>>(), ["ahv", "proxmox", "kvm", "kubevirt"]);
        for target in &targets {
            assert!(!target.label.is_empty() && !target.description.is_empty());
            assert!(!target.guest_support.source.is_empty());
            let limits = &target.limits;
            for limit in [
                &limits.vcpus_max,
                &limits.memory_mib_max,
                &limits.disks_max,
                &limits.nics_max,
                &limits.disk_mib_max,
            ] {
                assert!(!limit.source.is_empty(), "{}", target.id);
                assert_ne!(limit.value, Some(0), "{}", target.id);
            }
        }
    }

    #[test]
    fn the_record_gives_each_attribute_under_its_own_name() {
        let targets = Targets::builtin().unwrap();
        let support = Observed::Value(GuestSupport::Community);
        let record = TargetRecord::new(targets.get("kubevirt").unwrap(), &support);
        let value = |name: &str| record.attribute(target_record_type().find(name).unwrap().0);
        assert!(matches!(value("id"), Value::Text("kubevirt")));
        assert!(matches!(value("vcpus_max"), Value::Int(216)));
        assert!(matches!(value("memory_mib_max"), Value::Int(6_291_456)));
        assert!(matches!(value("disks_max"), Value::Int(165)));
        assert!(matches!(value("nics_max"), Value::Absent));
        assert!(matches!(value("disk_mib_max"), Value::Int(104_857_600)));
        assert!(matches!(value("guest_support"), Value::Text("community")));

        let silent = Observed::Unobserved(Why::Blank);
        let record = TargetRecord::new(targets.get("kvm").unwrap(), &silent);
        assert!(matches!(record.attribute(6), Value::Unobserved(Why::Blank)));
    }
}
