//! Files that add, override or disable checks, and the mistakes in them.

use super::tests::{answer_on, builtin, changed};
use super::*;

#[test]
fn a_file_changes_what_it_mentions_and_nothing_else() {
    let before = builtin();
    let count = before.checks().len();
    let snapshot = before.check("snapshot-present").unwrap();
    let (title, kvm) = (snapshot.title.clone(), snapshot.severities[2]);
    let after = before
        .with_overrides(
            "own.yaml",
            "checks:\n\
             \x20 - id: snapshot-present\n\
             \x20   severity: { kubevirt: blocker }\n\
             \x20 - id: cpu-limit\n\
             \x20   expression: target.id == \"kvm\" && has(workload.cpu_limit_mhz)\n\
             \x20 - id: powered-off\n\
             \x20   disabled: true\n",
        )
        .unwrap();
    assert_eq!(after.checks().len(), count - 1);
    assert!(after.check("powered-off").is_none());
    let snapshot = after.check("snapshot-present").unwrap();
    assert_eq!(snapshot.severities[3], CheckSeverity::Blocker);
    assert_eq!(snapshot.severities[2], kvm);
    assert_eq!(snapshot.title, title);
    assert!(after.check("cpu-limit").unwrap().reads_target);
    assert_eq!(after.version(), "1+own.yaml");
}

#[test]
fn a_file_adds_checks() {
    let after = builtin()
        .with_overrides(
            "own.yaml",
            "checks:\n\
             \x20 - id: legacy-erp\n\
             \x20   title: The old ERP stays where it is\n\
             \x20   expression: workload.name.startsWith(\"erp-\")\n\
             \x20   severity: blocker\n\
             \x20   remedy: Ask the ERP team.\n",
        )
        .unwrap();
    let check = after.check("legacy-erp").unwrap();
    assert_eq!(check.severities, vec![CheckSeverity::Blocker; 4]);
    assert_eq!((check.source.as_str(), check.evidence), ("own.yaml", Evidence::Unverified));
    let estate = changed(|w, _| w.name = "erp-1".into());
    assert!(answer_on(check, &estate, "kvm").is_true());
}

/// Messages with their places, one a line.
fn mistakes(text: &str) -> String {
    let errors = builtin().with_overrides("own.yaml", text).unwrap_err();
    errors.iter().map(|error| format!("{error}\n")).collect()
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = "\
chekcs: []
checks:
  - id: snapshot-presnt
    severity: { kvm: blockr, esx: warning }
  - id: Not An Id
    titel: x
  - id: disk-shared
    disabled: perhaps
    evidence: sure
    remedy:
  - id: disk-shared
    title: again
  - title: no id
";
    assert_eq!(
        mistakes(text),
        "\
own.yaml:1:1: unknown field `chekcs` (did you mean `checks`?)
own.yaml:3:9: check `snapshot-presnt` is not in the catalogue, and a new one needs `title`, `expression`, `remedy` (did you mean `snapshot-present`?)
own.yaml:4:22: unknown severity `blockr` (did you mean `blocker`?)
own.yaml:4:30: unknown target `esx` (it is one of `ahv`, `proxmox`, `kvm`, `kubevirt`)
own.yaml:5:9: `Not An Id` is not an id (an id is lower-case words and digits joined by hyphens, `disk-shared`)
own.yaml:6:5: unknown field `titel` (did you mean `title`?)
own.yaml:8:15: `disabled` must be `true` or `false`, not text
own.yaml:9:15: unknown evidence `sure` (it is one of `verified`, `inferred`, `unverified`)
own.yaml:10:11: `remedy` must be text, not nothing
own.yaml:11:9: check `disk-shared` is in this file twice
own.yaml:13:5: a check has no `id`
"
    );
}

#[test]
fn a_new_check_needs_a_severity_for_every_target() {
    let text = "\
checks:
  - id: own
    title: t
    expression: \"true\"
    severity: { kvm: warning, ahv: information }
    remedy: r
";
    assert_eq!(
        mistakes(text),
        "own.yaml:5:5: severity for `proxmox`, `kubevirt` is missing (say `not-applicable` where the check says nothing)\n"
    );
}

#[test]
fn mistakes_in_expressions_point_into_the_file() {
    let text = "\
checks:
  - id: disk-shared
    expression: workload.disks.exists(d, d.usres > 1)
  - id: disk-independent
    expression: |-
      workload.power == \"on\" &&
        workload.nmae == \"x\"
  - id: cpu-limit
    expression: >-
      has(workload.cpu_limit_mhz) &&
      workload.vcpuz > 1
  - id: snapshot-present
    expression: 'workload.power == \"poweredOn\"'
";
    let errors = builtin().with_overrides("own.yaml", text).unwrap_err();
    let places: Vec<(u32, u32)> = errors.iter().map(|it| (it.line, it.column)).collect();
    assert_eq!(places, [(3, 44), (7, 18), (11, 16), (13, 36)], "{errors:#?}");
    assert_eq!(errors[1].hint.as_deref(), Some("did you mean `name`?"));
    assert_eq!(
        errors[1].render(),
        "\
own.yaml:7:18: unknown attribute `nmae` of workload
  |
7 |         workload.nmae == \"x\"
  |                  ^^^^
  hint: did you mean `name`?
"
    );
}

#[test]
fn a_file_that_is_no_catalogue_is_refused_with_a_place() {
    for (text, message) in [
        ("", "own.yaml:1:1: the file must be a map, not nothing\n"),
        ("- a\n", "own.yaml:1:1: the file must be a map, not a list\n"),
        ("version: 1\n", "own.yaml:1:1: the file has no `checks`\n"),
        ("checks: none\n", "own.yaml:1:9: `checks` must be a list, not text\n"),
        ("checks:\n  - disk-shared\n", "own.yaml:2:5: a check must be a map, not text\n"),
        (
            "checks:\n  - id: no-such-check\n    disabled: true\n",
            "own.yaml:2:9: there is no check `no-such-check` to disable\n",
        ),
    ] {
        assert_eq!(mistakes(text), message);
    }
    let broken = mistakes("checks:\n  - id: [a\n");
    assert!(broken.starts_with("own.yaml:"), "{broken}");
}
