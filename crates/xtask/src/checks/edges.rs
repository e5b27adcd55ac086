//! Who may depend on whom. The table is the rule; every other edge is a fault.
//!
//! Development dependencies keep the same table, except that any crate's tests may use `twins`.

use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use crate::Fault;
use crate::cargo::{list, metadata, text};

/// A crate of the workspace (without the prefix `entente-`) and the crates it may depend on.
pub struct CrateRule {
    /// Short name, and its folder in `crates/`.
    pub name: &'static str,
    /// Short names of crates of the workspace.
    pub may_use: &'static [&'static str],
}

/// Every crate that exists, lowest layer first.
pub const CRATES: &[CrateRule] = &[
    CrateRule { name: "model", may_use: &[] },
    CrateRule { name: "expr", may_use: &["model"] },
    CrateRule { name: "readiness", may_use: &["model", "expr"] },
    CrateRule { name: "identity", may_use: &["model"] },
    CrateRule { name: "connect", may_use: &["model"] },
    CrateRule { name: "store", may_use: &["model"] },
    CrateRule {
        name: "app",
        may_use: &["model", "expr", "readiness", "connect", "identity", "store"],
    },
    CrateRule { name: "web", may_use: &["app", "model"] },
    CrateRule {
        name: "cli",
        may_use: &["model", "expr", "readiness", "connect", "identity", "store", "app", "web"],
    },
    CrateRule { name: "twins", may_use: &["model"] },
    CrateRule { name: "xtask", may_use: &[] },
];

/// A crate from outside that only some crates may use, outside their tests.
pub struct OutsideRule {
    /// Its name.
    pub package: &'static str,
    /// Short names of the crates that may use it.
    pub only_in: &'static [&'static str],
    /// Why nowhere else.
    pub reason: &'static str,
}

/// Crates from outside that mark a layer.
pub const OUTSIDE: &[OutsideRule] = &[
    OutsideRule {
        package: "anyhow",
        only_in: &["cli", "xtask"],
        reason: "a library's errors are types that callers can match",
    },
    OutsideRule {
        package: "cel",
        only_in: &["expr"],
        reason: "expressions are parsed in one place and never evaluated in two-valued logic",
    },
    OutsideRule { package: "clap", only_in: &["cli"], reason: "only `cli` knows arguments" },
    OutsideRule { package: "indicatif", only_in: &["cli"], reason: "only `cli` knows terminals" },
    OutsideRule { package: "maud", only_in: &["web"], reason: "only `web` knows HTML" },
    OutsideRule {
        package: "tokio",
        only_in: &["connect", "store", "twins", "app", "cli"],
        reason: "the model and the engines are synchronous",
    },
    OutsideRule {
        package: "zip",
        only_in: &["connect", "twins"],
        reason: "archives are a wire form, and only connectors and their twins know those",
    },
];

const PREFIX: &str = "entente-";
/// The crate that stands in for the world, and the feature of `cli` that may bring it in.
const TWINS: &str = "twins";
const DEMO_CRATE: &str = "cli";
const DEMO_FEATURE: &str = "demo";

/// What `cargo metadata` says about the workspace's own crates.
///
/// # Errors
/// Where cargo cannot be run or its answer cannot be read.
pub fn read(root: &Path) -> Result<Value> {
    metadata(root, &["--no-deps", "--offline"])
}

/// Every edge that the tables do not allow, and every crate that they do not name.
pub fn check(metadata: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    for package in list(metadata, "packages") {
        let name = short_name(text(package, "name"));
        let place = format!("crates/{name}/Cargo.toml");
        let Some(rule) = CRATES.iter().find(|rule| rule.name == name) else {
            let sentence = format!("`{name}` has no row in the table of allowed edges");
            faults.push(Fault::at(place, sentence));
            continue;
        };
        for dependency in list(package, "dependencies") {
            faults.extend(objection(rule, package, dependency).map(|why| Fault::at(&place, why)));
        }
    }
    faults
}

fn objection(rule: &CrateRule, package: &Value, dependency: &Value) -> Option<String> {
    let from = rule.name;
    let full_name = text(dependency, "name");
    let is_for_tests = text(dependency, "kind") == "dev";
    if !full_name.starts_with(PREFIX) {
        let outside = OUTSIDE.iter().find(|outside| outside.package == full_name)?;
        let allowed = is_for_tests || outside.only_in.contains(&from);
        return (!allowed)
            .then(|| format!("`{from}` may not depend on `{full_name}`: {}", outside.reason));
    }
    let to = short_name(full_name);
    if to == TWINS && (is_for_tests || from == TWINS) {
        return None;
    }
    if to == TWINS && from == DEMO_CRATE {
        return (!is_only_for_demo(package, dependency)).then(|| {
            format!("`{from}` may depend on `{to}` only through the optional feature `demo`")
        });
    }
    (to != from && !rule.may_use.contains(&to)).then(|| {
        let allowed = match rule.may_use {
            [] => "no crate of the workspace".to_owned(),
            some => format!("`{}`", some.join("`, `")),
        };
        format!("`{from}` may not depend on `{to}`; it may use {allowed}")
    })
}

fn is_only_for_demo(package: &Value, dependency: &Value) -> bool {
    let has = |feature: &str, entry: &str| {
        let entries = package.pointer(&format!("/features/{feature}"));
        entries
            .and_then(Value::as_array)
            .is_some_and(|list| list.iter().any(|item| item.as_str() == Some(entry)))
    };
    dependency.get("optional").and_then(Value::as_bool) == Some(true)
        && has(DEMO_FEATURE, &format!("dep:{PREFIX}{TWINS}"))
        && !has("default", DEMO_FEATURE)
}

fn short_name(package: &str) -> &str {
    package.strip_prefix(PREFIX).unwrap_or(package)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sentences(package: &str, features: Value, dependency: Value) -> Vec<String> {
        let package = json!({
            "name": format!("entente-{package}"),
            "features": features,
            "dependencies": [dependency],
        });
        let faults = check(&json!({ "packages": [package] }));
        faults.iter().map(ToString::to_string).collect()
    }

    fn edge(from: &str, to: &str) -> Vec<String> {
        sentences(from, json!({}), json!({ "name": to, "kind": null, "optional": false }))
    }

    #[test]
    fn an_edge_upwards_is_named_with_what_would_be_allowed() {
        assert_eq!(
            edge("expr", "entente-app"),
            ["crates/expr/Cargo.toml: `expr` may not depend on `app`; it may use `model`"]
        );
        assert_eq!(
            edge("model", "entente-expr"),
            ["crates/model/Cargo.toml: `model` may not depend on `expr`; \
              it may use no crate of the workspace"]
        );
        assert!(edge("expr", "entente-model").is_empty());
    }

    #[test]
    fn a_crate_without_a_row_is_a_fault() {
        assert!(edge("surprise", "serde")[0].contains("no row"));
    }

    #[test]
    fn twins_are_for_tests_and_for_the_demonstration_alone() {
        let twins = |kind: Value, optional: bool| json!({ "name": "entente-twins", "kind": kind, "optional": optional });
        let demo = json!({ "demo": ["dep:entente-twins"], "default": [] });
        let always = json!({ "demo": ["dep:entente-twins"], "default": ["demo"] });
        assert!(sentences("connect", json!({}), twins(json!("dev"), false)).is_empty());
        assert!(sentences("cli", demo.clone(), twins(Value::Null, true)).is_empty());
        assert_eq!(sentences("connect", json!({}), twins(Value::Null, false)).len(), 1);
        assert_eq!(sentences("cli", demo, twins(Value::Null, false)).len(), 1);
        assert_eq!(sentences("cli", always, twins(Value::Null, true)).len(), 1);
        assert_eq!(sentences("app", json!({}), twins(Value::Null, true)).len(), 1);
    }

    #[test]
    fn a_layer_s_outside_crate_stays_in_its_layer() {
        assert!(edge("model", "anyhow")[0].contains("errors are types"));
        assert!(edge("cli", "anyhow").is_empty());
    }
}
