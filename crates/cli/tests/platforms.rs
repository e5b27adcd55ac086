//! `check`, `collect` and what `assess` makes of collections, against the twin of every connector.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

use entente_app::collection_file::read_collection;
use entente_connect::connector::Unwatched;
use entente_connect::exports;
use entente_connect::tables::Limits;
use entente_model::{Collection, Moment, Observed, Reader, Reading};
use entente_twins::live::{Fault, Served, Setup, platforms};
use entente_twins::rvtools::{ExportSpec, Format, Version, write};
use entente_twins::{EstateSpec, generate};
use serde_json::Value;
use tempfile::TempDir;
use time::Duration;
use tokio::runtime::Runtime;

/// Twins that are being served, with a configuration that names them.
struct Estate {
    folder: TempDir,
    world: Collection,
    served: Vec<(&'static str, Served)>,
    _runtime: Runtime,
}

impl Estate {
    /// One platform of every kind, over TLS; the first misbehaves as asked.
    fn of(faults: &[Fault]) -> Self {
        let runtime = Runtime::new().unwrap();
        let spec = EstateSpec { workloads: 40, vcenters: 1, ..EstateSpec::default() };
        let world = generate(&spec).remove(0);
        let shared = Arc::new(world.clone());
        let served = platforms()
            .iter()
            .enumerate()
            .map(|(at, twin)| {
                let faults = if at == 0 { faults.to_vec() } else { Vec::new() };
                let setup = Setup { faults, tls: true, ..Setup::default() };
                let served = runtime.block_on(twin.serve(shared.clone(), setup)).unwrap();
                (twin.connector(), served)
            })
            .collect();
        let estate = Self { folder: TempDir::new().unwrap(), world, served, _runtime: runtime };
        estate.configure(|text| text);
        estate
    }

    /// Writes the configuration, changed by a function.
    fn configure(&self, change: impl Fn(String) -> String) {
        let tables = self.served.iter().map(|(name, served)| {
            let log_in = if served.user.is_empty() {
                String::new()
            } else {
                format!("user = {:?}\npassword = \"env:TWIN_{name}\"\n", served.user)
            };
            format!(
                "[platforms.{name}-1]\nconnector = {name:?}\naddress = {:?}\n{log_in}pin = {:?}\n\n",
                served.address,
                served.fingerprint.as_deref().unwrap()
            )
        });
        fs::write(self.path("entente.toml"), change(tables.collect())).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_entente"));
        command.args(arguments).current_dir(self.folder.path()).env("NO_COLOR", "1");
        for (name, served) in &self.served {
            command.env(format!("TWIN_{name}"), &served.password);
        }
        command
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn platforms_are_collected_side_by_side_and_assessed_as_one_estate() {
    let estate = Estate::of(&[]);
    let output = estate.run(&["collect", "--out", "collections", "--output", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let collected = json(&output);
    let platforms = collected["platforms"].as_array().unwrap();
    assert_eq!(platforms.len(), estate.served.len());
    for platform in platforms {
        let workloads = platform["objects"]["workloads"].as_u64().unwrap();
        assert_eq!(workloads, estate.world.workloads.len() as u64, "{platform:#}");
        assert!(platform["calls"].as_u64().unwrap() > 0);
    }
    let output = estate.run(&["assess", "collections", "--output", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let assessed = json(&output);
    let sources = assessed["sources"].as_array().unwrap();
    assert_eq!(sources.len(), estate.served.len());
    let workloads = assessed["workloads"].as_array().unwrap().len();
    assert_eq!(workloads, estate.world.workloads.len() * estate.served.len());
}

#[test]
fn what_was_collected_is_remembered_and_changes_are_told() {
    let estate = Estate::of(&[]);
    let all = (estate.world.workloads.len() * estate.served.len()) as u64;
    let collected = json(&estate.run(&["collect", "--output", "json"]));
    for platform in collected["platforms"].as_array().unwrap() {
        assert!(platform["changes"]["new"].as_u64().unwrap() > 0, "{platform:#}");
    }
    let again = json(&estate.run(&["collect", "--output", "json"]));
    for platform in again["platforms"].as_array().unwrap() {
        let changes = &platform["changes"];
        assert_eq!(
            (&changes["gone"], &changes["known"]),
            (&0.into(), &false.into()),
            "{platform:#}"
        );
    }
    let listed = json(&estate.run(&["estate", "workloads", "--output", "json"]));
    assert_eq!(listed.as_array().unwrap().len() as u64, all);
    let assessed = json(&estate.run(&["assess", "--output", "json"]));
    assert_eq!(assessed["workloads"].as_array().unwrap().len() as u64, all);
    let of_one = estate.run(&["estate", "workloads", "--platform", "proxmox-1", "--output", "csv"]);
    let lines = String::from_utf8(of_one.stdout).unwrap().lines().count();
    assert_eq!(lines, estate.world.workloads.len() + 1);
    let changes = estate.run(&["changes", "--kind", "workloads"]);
    let shown = String::from_utf8(changes.stdout).unwrap();
    assert!(shown.contains("0 appeared") && shown.contains("0 gone"), "{shown}");
    for form in ["table", "json", "csv", "markdown"] {
        for command in
            [vec!["estate"], vec!["changes"], vec!["store", "stats"], vec!["store", "check"]]
        {
            let output = estate.run(&[command.as_slice(), &["--output", form]].concat());
            assert_eq!(output.status.code(), Some(0), "{command:?} {form}: {}", stderr(&output));
        }
    }
}

#[test]
fn one_platform_that_fails_does_not_stop_the_others() {
    let estate = Estate::of(&[Fault::Old]);
    let output = estate.run(&["collect", "--out", "collections"]);
    assert_eq!(output.status.code(), Some(3));
    let told = stderr(&output);
    assert!(told.contains("error[ENT-0311]"), "{told}");
    assert!(told.contains("hint: "), "{told}");
    let kept = fs::read_dir(estate.path("collections")).unwrap().count();
    assert_eq!(kept, estate.served.len() - 1);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("failed: ENT-0311"), "{shown}");
}

#[test]
fn a_check_tells_rights_and_an_untrusted_certificate_with_what_to_pin() {
    let estate = Estate::of(&[]);
    let output = estate.run(&["check", "--output", "json"]);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", stderr(&output));
    for platform in json(&output)["platforms"].as_array().unwrap() {
        assert!(platform["version"].is_string(), "{platform:#}");
        assert!(!platform["rights"].as_array().unwrap().is_empty(), "{platform:#}");
    }
    let without_pins = |text: String| {
        text.lines().filter(|it| !it.starts_with("pin")).map(|it| format!("{it}\n")).collect()
    };
    estate.configure(without_pins);
    let output = estate.run(&["check"]);
    assert_eq!(output.status.code(), Some(3));
    for (_, served) in &estate.served {
        let pin = format!("pin = {:?}", served.fingerprint.as_deref().unwrap());
        assert!(stderr(&output).contains(&pin), "{}", stderr(&output));
    }
}

#[test]
fn every_form_of_output_names_every_platform() {
    let estate = Estate::of(&[]);
    for verb in ["check", "collect"] {
        for form in ["table", "json", "csv", "markdown"] {
            let output = estate.run(&[verb, "--output", form]);
            let shown = String::from_utf8(output.stdout).unwrap();
            for (name, _) in &estate.served {
                assert!(shown.contains(&format!("{name}-1")), "{verb} {form}: {shown}");
            }
        }
    }
}

#[test]
fn a_mistake_in_the_configuration_is_shown_in_its_place_and_nothing_is_contacted() {
    let estate = Estate::of(&[]);
    let calls: u64 = estate.served.iter().map(|it| it.1.calls()).sum();
    estate.configure(|text| text.replacen("connector =", "conector =", 1));
    let output = estate.run(&["collect"]);
    assert_eq!(output.status.code(), Some(2));
    let told = stderr(&output);
    assert!(told.contains("error[ENT-0121]") && told.contains("^^^^^^^^"), "{told}");
    assert!(told.contains("did you mean `connector`?"), "{told}");
    let output = estate.run(&["collect", "--config", "no-such.toml"]);
    assert!(stderr(&output).contains("error[ENT-0120]"), "{}", stderr(&output));
    estate.configure(|text| text);
    let output = estate.run(&["collect", "nowhere"]);
    assert!(stderr(&output).contains("error[ENT-0123]"), "{}", stderr(&output));
    assert_eq!(estate.served.iter().map(|it| it.1.calls()).sum::<u64>(), calls);
}

#[test]
fn a_folder_that_cannot_be_written_is_told_and_a_damaged_collection_refused() {
    let estate = Estate::of(&[]);
    fs::write(estate.path("taken"), "a file").unwrap();
    let output = estate.run(&["collect", "--out", "taken"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("error[ENT-0110]"), "{}", stderr(&output));
    assert!(estate.run(&["collect", "--out", "collections"]).status.success());
    let first = fs::read_dir(estate.path("collections")).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&first).unwrap();
    fs::write(&first, &whole[..whole.len() / 2]).unwrap();
    let output = estate.run(&["assess", "collections"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("error[ENT-0125]"), "{}", stderr(&output));
}

#[test]
fn an_export_and_a_log_in_see_the_same_machines() {
    let estate = Estate::of(&[]);
    let mut export = estate.world.clone();
    // A log-in names the platform as the configuration does; the export as the platform does.
    let own = json(&estate.run(&["collect", "vsphere-1", "--output", "json"]));
    assert_eq!(own["platforms"][0]["error"], Value::Null, "{own:#}");
    let platforms = json(&estate.run(&["estate", "platforms", "--output", "json"]));
    let uuid = platforms[0]["uuid"].as_str().unwrap().to_owned();
    export.platforms[0].uuid = entente_model::Observed::Value(uuid.into());
    let spec = ExportSpec::new(Version::V4_7, Format::Xlsx);
    write(&export, &spec, &estate.path("export.xlsx")).unwrap();
    let imported = estate.run(&["import", "export.xlsx"]);
    assert!(imported.status.success(), "{}", stderr(&imported));
    let links = json(&estate.run(&["links", "--all", "--output", "json"]));
    let joined = links["joined"].as_u64().unwrap();
    assert!(joined > estate.world.workloads.len() as u64 / 2, "{joined}: {links:#}");
    // Each machine is there once, by the name that the configuration gives its platform.
    let shown = json(&estate.run(&["estate", "--output", "json"]));
    assert_eq!(shown["workloads"]["total"], estate.world.workloads.len());
    assert_eq!(shown["workloads"]["seen_by_two"], estate.world.workloads.len());
    assert_eq!(shown["conflicts"], 0);
    let text = String::from_utf8(estate.run(&["estate"]).stdout).unwrap();
    assert!(text.contains("40 workloads (40 seen by two sources)"), "{text}");
    let machine = estate.world.workloads[3].native_id.value().unwrap().to_string();
    for form in ["table", "json", "csv", "markdown"] {
        for command in [vec!["show", &machine], vec!["changes", "--workload", &machine]] {
            let output = estate.run(&[command.as_slice(), &["--output", form]].concat());
            assert_eq!(output.status.code(), Some(0), "{command:?} {form}: {}", stderr(&output));
        }
    }
    let first = &links["links"][0];
    let (a, b) = (first["a"].as_str().unwrap(), first["b"].as_str().unwrap());
    let parted = estate.run(&["unlink", a, b, "--reason", "two machines, says their owner"]);
    assert!(parted.status.success(), "{}", stderr(&parted));
    let links = json(&estate.run(&["links", "--all", "--output", "json"]));
    assert_eq!(links["joined"].as_u64().unwrap(), joined - 1);
    let unknown = estate.run(&["link", a, "no such machine", "--reason", "x"]);
    assert!(stderr(&unknown).contains("error[ENT-0412]"), "{}", stderr(&unknown));
}

/// Everything that a log-in saw, as it has been for two hours; and what an export told an hour ago.
fn of_one_time(login: Collection, export: Collection) -> [Reading; 2] {
    let Some(Moment::Utc(now)) = login.source.taken else { panic!("a log-in knows its time") };
    let mut readings = [Reading::of(login, Reader::LogIn), Reading::of(export, Reader::Export)];
    readings[1].collection.source.taken = Some(Moment::Utc(now - Duration::hours(1)));
    for reading in &mut readings {
        let collection = &reading.collection;
        let workloads = collection.workloads.iter().map(|it| ("workloads", it.id.to_string()));
        let hosts = collection.hosts.iter().map(|it| ("hosts", it.id.to_string()));
        let clusters = collection.clusters.iter().map(|it| ("clusters", it.id.to_string()));
        let stores = collection.datastores.iter().map(|it| ("datastores", it.id.to_string()));
        let networks = collection.networks.iter().map(|it| ("networks", it.id.to_string()));
        let all = workloads.chain(hosts).chain(clusters).chain(stores).chain(networks);
        reading.since =
            all.map(|(list, id)| ((list, id.into()), now - Duration::hours(2))).collect();
    }
    readings
}

#[test]
fn an_export_and_a_log_in_that_agree_make_no_conflict_and_planted_ones_are_found() {
    let estate = Estate::of(&[]);
    assert!(estate.run(&["collect", "vsphere-1", "--out", "collections"]).status.success());
    let file = fs::read_dir(estate.path("collections")).unwrap().next().unwrap().unwrap().path();
    let login = read_collection(&file).unwrap();
    let mut world = estate.world.clone();
    world.platforms[0].uuid = login.platforms[0].uuid.clone();
    let export = |world: &Collection, name: &str| {
        let path = estate.path(name);
        write(world, &ExportSpec::new(Version::V4_7, Format::Xlsx), &path).unwrap();
        let (_, reader) = exports().next().unwrap();
        reader.collect(&path, Limits::default(), &Unwatched).unwrap()
    };
    let conflicts = |export: Collection| -> Vec<(String, String)> {
        let merged = entente_model::Estate::of(of_one_time(login.clone(), export).into());
        assert_eq!(merged.workloads.len(), world.workloads.len());
        let found = merged.findings.into_iter().filter(|it| it.code == "ENT-0211");
        found.map(|it| (it.subject.to_string(), it.message.to_string())).collect()
    };
    assert_eq!(conflicts(export(&world, "agrees.xlsx")), []);
    let planted = &mut world.clone();
    planted.workloads[4].memory.size_bytes = Observed::Value(1 << 40);
    planted.workloads[9].guest.hostname = Observed::Value("another.example".into());
    let ids =
        [4, 9].map(|at| format!("vsphere-1/{}", world.workloads[at].native_id.value().unwrap()));
    let found = conflicts(export(planted, "disagrees.xlsx"));
    let fields = ["`memory.size_bytes`", "`guest.hostname`"];
    assert_eq!(found.len(), 2, "{found:#?}");
    for (id, field) in ids.iter().zip(fields) {
        assert!(found.iter().any(|it| it.0 == *id && it.1.starts_with(field)), "{found:#?}");
    }
}

#[test]
fn what_is_older_than_it_may_be_says_so_wherever_it_is_shown() {
    let estate = Estate::of(&[]);
    let spec = ExportSpec::new(Version::V4_7, Format::Xlsx);
    write(&estate.world, &spec, &estate.path("export.xlsx")).unwrap();
    assert!(estate.run(&["import", "export.xlsx"]).status.success());
    let name = estate.world.workloads[0].name.to_string();
    let stdout = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    for (limit, is_stale) in [("1s", true), ("5000w", false)] {
        estate.configure(|text| format!("[exports]\nfresh_for = {limit:?}\n{text}"));
        let shown = stdout(&estate.run(&["estate"]));
        assert_eq!(shown.contains("(stale)"), is_stale, "{shown}");
        let told = json(&estate.run(&["estate", "--output", "json"]));
        assert_eq!(told["platforms"][0]["is_stale"], is_stale, "{told:#}");
        let shown = stdout(&estate.run(&["show", &name]));
        assert_eq!(shown.contains("(stale)"), is_stale, "{shown}");
        let asked = estate.run(&["query", "select count(*) from workloads"]);
        let told = stderr(&asked);
        assert_eq!(told.contains("stale: what `rvtools` saw of"), is_stale, "{told}");
        let shown = stdout(&estate.run(&["assess"]));
        let first: Vec<&str> = shown.lines().take(2).collect();
        assert_eq!(first[1].contains("stale: what `rvtools` saw of"), is_stale, "{shown}");
        let told = json(&estate.run(&["assess", "--output", "json"]));
        let causes = told["gaps"].as_array().unwrap().iter().map(|it| &it["cause"]);
        assert_eq!(causes.filter(|it| **it == "stale").count(), usize::from(is_stale));
    }
    // As of then, it was new.
    estate.configure(|text| format!("[exports]\nfresh_for = \"1s\"\n{text}"));
    let told = json(&estate.run(&["estate", "--output", "json"]));
    let observed = told["platforms"][0]["observed"].as_str().unwrap();
    let told = json(&estate.run(&["estate", "--at", observed, "--output", "json"]));
    assert_eq!(told["platforms"][0]["is_stale"], false, "{told:#}");
    estate.configure(|text| format!("[retention]\nstates = \"long\"\n{text}"));
    let refused = stderr(&estate.run(&["store", "compact"]));
    assert!(refused.contains("error[ENT-0121]") && refused.contains("toml:2:10"), "{refused}");
}

#[cfg(unix)]
#[test]
fn a_watcher_that_is_told_to_terminate_gives_its_platforms_back() {
    let estate = Estate::of(&[]);
    let mut command = estate.command(&["watch", "vsphere-1", "--json"]);
    let mut watcher = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let out = std::io::BufReader::new(watcher.stdout.take().unwrap());
    let mut lines = std::io::BufRead::lines(out);
    let is_read = lines.any(|it| it.unwrap().contains("\"what\":\"read\""));
    assert!(is_read);
    let told = Command::new("kill").args(["-TERM", &watcher.id().to_string()]).status();
    assert!(told.unwrap().success());
    assert_eq!(watcher.wait().unwrap().code(), Some(0));
    // Another one need not wait until a lease runs out.
    let mut next = estate.command(&["watch", "vsphere-1", "--json"]);
    let mut next = next.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let out = std::io::BufReader::new(next.stdout.take().unwrap());
    let first = std::io::BufRead::lines(out).next().unwrap().unwrap();
    next.kill().unwrap();
    next.wait().unwrap();
    assert!(first.contains("\"what\":\"taken\""), "{first}");
}

#[test]
fn two_watchers_share_the_platforms_and_one_takes_over_from_a_dead_one() {
    let estate = Estate::of(&[]);
    estate.configure(|text| format!("every = \"2s\"\n{text}"));
    let watcher = || {
        let mut command = estate.command(&["watch", "--lease", "10s", "--json"]);
        command.stdout(std::process::Stdio::piped()).spawn().unwrap()
    };
    let lines = |child: &mut std::process::Child| {
        let out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::lines(out).map(|it| serde_json::from_str::<Value>(&it.unwrap()).unwrap())
    };
    let (mut first, mut second) = (watcher(), None);
    let mut told = lines(&mut first);
    let (mut held, mut read) = (0, std::collections::BTreeSet::new());
    while read.len() < estate.served.len() {
        let line = told.next().unwrap();
        assert_ne!(line["what"], "failed", "{line}");
        if line["what"] == "read" {
            read.insert(line["platform"].as_str().unwrap().to_owned());
        }
        held += usize::from(line["what"] == "taken");
        // All are taken before the second one comes, however slow the machine is.
        if second.is_none() && held == estate.served.len() {
            second = Some(watcher());
        }
    }
    let mut second = second.unwrap();
    let mut told = lines(&mut second);
    // It finds every platform taken.
    for _ in 0..estate.served.len() {
        assert_eq!(told.next().unwrap()["what"], "another process reads it");
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let mut taken = std::collections::BTreeSet::new();
    while taken.len() < estate.served.len() {
        let line = told.next().unwrap();
        if line["what"] == "read" {
            taken.insert(line["platform"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(taken, read);
    second.kill().unwrap();
    second.wait().unwrap();
    let check = estate.run(&["store", "check"]);
    assert!(check.status.success(), "{}", stderr(&check));
}
