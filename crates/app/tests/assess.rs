//! The use case on exports of simulated estates: what overlays match, what masks hide, what repeats.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use entente_app::document::Assessment;
use entente_app::{AssessError, AssessRequest, assess};
use entente_connect::connector::Unwatched;
use entente_model::{Collection, Observed};
use entente_twins::rvtools::{ExportSpec, Format, Version, write};
use entente_twins::{EstateSpec, generate, overlay_csv};
use tempfile::TempDir;
use time::macros::date;

fn estate(workloads: u32, vcenters: u32) -> Vec<Collection> {
    generate(&EstateSpec { workloads, vcenters, ..EstateSpec::default() })
}

fn exports(folder: &TempDir, collections: &[Collection]) -> Vec<PathBuf> {
    let spec = ExportSpec::new(Version::V4_7, Format::Xlsx);
    let mut paths = Vec::new();
    for (at, collection) in collections.iter().enumerate() {
        let path = folder.path().join(format!("vcenter-{at}.xlsx"));
        write(collection, &spec, &path).unwrap();
        paths.push(path);
    }
    paths
}

fn request(exports: Vec<PathBuf>) -> AssessRequest {
    AssessRequest {
        exports,
        targets: Vec::new(),
        overlay: None,
        checks: None,
        masked: false,
        as_of: date!(2026 - 11 - 22),
    }
}

fn run(request: &AssessRequest) -> Assessment {
    assess(request, &Unwatched).unwrap()
}

#[test]
fn several_exports_become_one_estate_whatever_their_order() {
    let folder = TempDir::new().unwrap();
    let mut paths = exports(&folder, &estate(120, 2));
    let forward = run(&request(paths.clone()));
    assert_eq!(forward.summary.platforms, 2);
    assert_eq!(forward.summary.workloads, 120);
    paths.reverse();
    let backward = run(&request(paths));
    let json = |it: &Assessment| serde_json::to_string(it).unwrap();
    assert_eq!(json(&forward), json(&backward));
}

#[test]
fn the_same_platform_in_two_exports_is_counted_once_and_said_so() {
    let folder = TempDir::new().unwrap();
    let collections = estate(60, 1);
    let mut paths = exports(&folder, &collections);
    let copy = folder.path().join("copy.xlsx");
    fs::copy(&paths[0], &copy).unwrap();
    paths.push(copy);
    let assessment = run(&request(paths.clone()));
    assert_eq!(assessment.summary.workloads, 60);
    assert!(assessment.findings.iter().any(|it| it.code == "ENT-0205"));
    paths.truncate(1);
    paths.push(paths[0].clone());
    assert!(matches!(assess(&request(paths), &Unwatched), Err(AssessError::GivenTwice(_))));
}

#[test]
fn verdicts_add_up_and_unknown_is_never_ready() {
    let folder = TempDir::new().unwrap();
    let paths = exports(&folder, &estate(300, 1));
    let assessment = run(&request(paths));
    for target in &assessment.readiness.targets {
        assert_eq!(target.verdicts.total(), assessment.summary.machines);
        assert_eq!(target.as_seen.total(), assessment.summary.machines);
        // This export can never show passthrough devices.
        assert_eq!(target.verdicts.ready, 0, "{}", target.id);
        assert!(target.as_seen.ready > 0, "{}", target.id);
    }
    let sum: u64 = assessment.clusters.iter().map(|it| it.demand_all.machines).sum();
    assert_eq!(sum, assessment.summary.machines);
    let scores = assessment.workloads.iter().filter_map(|it| it.complexity.as_ref());
    let total: u64 = scores.map(|it| u64::from(it.score)).sum();
    assert_eq!(total, assessment.complexity.total);
}

#[test]
fn a_target_that_is_not_asked_for_is_not_judged() {
    let folder = TempDir::new().unwrap();
    let paths = exports(&folder, &estate(20, 1));
    let asked = AssessRequest { targets: vec!["kvm".into()], ..request(paths.clone()) };
    let assessment = run(&asked);
    assert_eq!(assessment.readiness.targets.len(), 1);
    let unknown = AssessRequest { targets: vec!["xen".into()], ..request(paths) };
    let error = assess(&unknown, &Unwatched).unwrap_err();
    assert_eq!(error.code(), Some("ENT-0113"));
    assert!(error.hint().unwrap().contains("kubevirt"));
}

fn with_overlay(rows: &str) -> Assessment {
    let folder = TempDir::new().unwrap();
    let paths = exports(&folder, &estate(120, 1));
    let overlay = folder.path().join("cmdb.csv");
    fs::write(&overlay, rows).unwrap();
    run(&AssessRequest { overlay: Some(overlay), ..request(paths) })
}

#[test]
fn an_overlay_adds_what_people_know_and_reports_what_it_cannot_place() {
    let collections = estate(120, 1);
    let assessment = with_overlay(&overlay_csv(&collections));
    let with_application =
        assessment.workloads.iter().filter(|it| it.application.value().is_some()).count();
    assert!(with_application > 60, "{with_application}");
    assert!(!assessment.applications.is_empty());
    assert!(assessment.findings.iter().any(|it| it.code == "ENT-0206"));
}

#[test]
fn an_overlay_row_that_contradicts_itself_is_not_used() {
    let collections = estate(120, 1);
    let named: Vec<_> = collections[0]
        .workloads
        .iter()
        .filter(|it| it.instance_uuid.value().is_some())
        .take(2)
        .collect();
    let (a, b) = (named[0], named[1]);
    let uuid = b.instance_uuid.value().unwrap();
    let rows = format!("name,uuid,application\n\"{}\",{uuid},payroll\n", a.name);
    let assessment = with_overlay(&rows);
    assert!(assessment.workloads.iter().all(|it| it.application.value().is_none()));
    assert!(assessment.findings.iter().any(|it| it.code == "ENT-0207"));
}

#[test]
fn an_overlay_without_a_key_is_refused() {
    let folder = TempDir::new().unwrap();
    let paths = exports(&folder, &estate(5, 1));
    let overlay = folder.path().join("cmdb.csv");
    fs::write(&overlay, "application,owner\npayroll,team\n").unwrap();
    let asked = AssessRequest { overlay: Some(overlay), ..request(paths) };
    let error = assess(&asked, &Unwatched).unwrap_err();
    assert_eq!(error.code(), Some("ENT-0111"));
    assert!(error.to_string().contains("`application`, `owner`"), "{error}");
}

#[test]
fn checks_of_ones_own_are_laid_over_the_catalogue() {
    let folder = TempDir::new().unwrap();
    let paths = exports(&folder, &estate(40, 1));
    let checks = folder.path().join("own.yaml");
    fs::write(
        &checks,
        "checks:\n  - id: own-everything\n    title: Everything\n    expression: workload.vcpus > 0\n    severity: {ahv: blocker, proxmox: information, kvm: information, kubevirt: information}\n    remedy: None.\n",
    )
    .unwrap();
    let assessment = run(&AssessRequest { checks: Some(checks.clone()), ..request(paths.clone()) });
    let ahv = &assessment.readiness.targets[0];
    assert_eq!(ahv.as_seen.blocked, assessment.summary.machines);
    fs::write(&checks, "checks:\n  - id: own\n    expression: workload.vcpu > 0\n").unwrap();
    let asked = AssessRequest { checks: Some(checks), ..request(paths) };
    let error = assess(&asked, &Unwatched).unwrap_err();
    assert_eq!(error.code(), Some("ENT-0112"));
    assert!(error.hint().unwrap().contains("vcpus"), "{:?}", error.hint());
}

/// Every name, address and id of the estate that an outsider must not see.
fn names(collections: &[Collection]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut add = |text: &str| {
        names.insert(text.to_owned());
    };
    for collection in collections {
        collection.clusters.iter().for_each(|it| add(&it.name));
        collection.hosts.iter().for_each(|it| add(&it.name));
        collection.datastores.iter().for_each(|it| add(&it.name));
        collection.networks.iter().for_each(|it| add(&it.name));
        collection.platforms.iter().for_each(|it| add(it.id.as_str()));
        for workload in &collection.workloads {
            add(&workload.name);
            for fact in [
                &workload.native_id,
                &workload.placement.datacenter,
                &workload.placement.folder,
                &workload.guest.hostname,
            ] {
                if let Observed::Value(text) = fact {
                    add(text);
                }
            }
            for uuid in [&workload.instance_uuid, &workload.bios_uuid] {
                if let Observed::Value(uuid) = uuid {
                    add(&uuid.to_string());
                }
            }
            let addresses = workload.nics.iter().flat_map(|nic| &nic.addresses);
            addresses.for_each(|address| add(&address.to_string()));
        }
    }
    // Too short to be told from ordinary words of the document.
    names.retain(|name| name.len() > 4);
    names
}

/// Every text that a document holds as a value.
fn texts(value: &serde_json::Value, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::String(text) => {
            found.insert(text.clone());
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        serde_json::Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        _ => {}
    }
}

#[test]
fn a_masked_assessment_names_nothing_and_counts_the_same() {
    let folder = TempDir::new().unwrap();
    let collections = estate(200, 2);
    let paths = exports(&folder, &collections);
    let overlay = folder.path().join("cmdb.csv");
    fs::write(&overlay, overlay_csv(&collections)).unwrap();
    let plain = AssessRequest { overlay: Some(overlay), ..request(paths) };
    let masked = run(&AssessRequest { masked: true, ..plain.clone() });
    let plain = run(&plain);
    let json = serde_json::to_string(&masked).unwrap();
    let quoted = |name: &String| serde_json::to_string(name).unwrap().trim_matches('"').to_owned();
    let leaked: Vec<_> =
        names(&collections).into_iter().filter(|name| json.contains(&quoted(name))).collect();
    assert!(leaked.is_empty(), "{leaked:?}");
    let mut shown = BTreeSet::new();
    texts(&serde_json::to_value(&masked).unwrap(), &mut shown);
    for application in &plain.applications {
        assert!(!shown.contains(application.name.as_str()), "{}", application.name);
    }
    assert!(masked.masked);
    let verdicts = |it: &Assessment| {
        it.readiness.targets.iter().map(|t| (t.verdicts, t.as_seen)).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&masked), verdicts(&plain));
    assert_eq!(masked.complexity.total, plain.complexity.total);
    assert_eq!(masked.workloads.len(), plain.workloads.len());
}

#[test]
fn the_document_validates_against_its_schema() {
    let folder = TempDir::new().unwrap();
    let assessment = run(&request(exports(&folder, &estate(60, 1))));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/assessment-1.json");
    let schema = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let document = serde_json::to_value(&assessment).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
