//! Twins of every platform, each in two states of its world, and the command that reads them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use entente_model::{Collection, Observed, PowerState};
use entente_store::Address;
use entente_twins::live::{Served, Setup, platforms};
use entente_twins::{EstateSpec, generate};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Lists whose every object is compared.
const LISTS: [&str; 3] = ["workloads", "hosts", "grants"];

/// What a twin tells by its own clock: an uptime that is always the same began always later.
const TWINS_CLOCK: [&str; 1] = ["booted"];

/// One of the two states of the world.
pub type World = usize;

/// Twins of every platform, each in both states of its world.
pub struct Stage {
    folder: TempDir,
    served: BTreeMap<&'static str, [Served; 2]>,
    _runtime: Runtime,
}

/// A command that passes points.
#[derive(Clone, Copy)]
pub enum Verb {
    Collect,
    Watch,
}

impl Stage {
    pub fn new(workloads: u32) -> Self {
        let runtime = Runtime::new().unwrap();
        let serve = |twin: &dyn entente_twins::live::PlatformTwin, world: Collection| {
            let setup = Setup { tls: true, ..Setup::default() };
            runtime.block_on(twin.serve(Arc::new(world), setup)).unwrap()
        };
        // No machine is on two platforms: one that comes and goes there has not moved.
        let both = (1..)
            .zip(platforms())
            .map(|(seed, twin)| {
                (twin.connector(), worlds(seed, workloads).map(|it| serve(*twin, it)))
            })
            .collect();
        Self { folder: TempDir::new().unwrap(), served: both, _runtime: runtime }
    }

    /// Names of the platforms.
    pub fn platforms(&self) -> Vec<&'static str> {
        self.served.keys().copied().collect()
    }

    /// A place for files of this stage.
    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the configuration: each platform in the state that is asked for.
    fn configure(&self, world: &dyn Fn(&str) -> World) {
        let mut text = "every = \"1s\"\n".to_owned();
        for (name, both) in &self.served {
            let served = &both[world(name)];
            let (address, pin) = (&served.address, served.fingerprint.as_deref().unwrap());
            text += &format!("[platforms.{name}]\nconnector = {name:?}\naddress = {address:?}\n");
            text += &format!("pin = {pin:?}\n");
            if !served.user.is_empty() {
                text += &format!("user = {:?}\npassword = \"env:TWIN_{name}\"\n", served.user);
            }
        }
        fs::write(self.path("entente.toml"), text).unwrap();
    }

    fn command(&self, store: &Address, arguments: &[&str]) -> Command {
        // Another build of it, if somebody wants to know: of a release, or of a commit before.
        let program = std::env::var("KILLS_OF").unwrap_or(env!("CARGO_BIN_EXE_entente").into());
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path()).env("NO_COLOR", "1");
        let store = match store {
            Address::File(path) => path.display().to_string(),
            Address::Postgres(url) => {
                command.env("TEST_STORE", url);
                "env:TEST_STORE".to_owned()
            }
        };
        command.env("ENTENTE_STORE", store);
        for (name, both) in &self.served {
            command.env(format!("TWIN_{name}"), &both[0].password);
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, store: &Address, arguments: &[&str]) -> Output {
        self.command(store, arguments).output().unwrap()
    }

    /// Reads platforms, each in the state asked for; gives the points that were passed, in order.
    pub fn collect(
        &self,
        store: &Address,
        chosen: &[&str],
        world: &dyn Fn(&str) -> World,
    ) -> Vec<String> {
        self.configure(world);
        let mut command = self.command(store, &[&["collect"], chosen].concat());
        let output = command.env("ENTENTE_POINT", "trace").output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{told}");
        told.lines().filter_map(|it| it.strip_prefix("passed ")).map(str::to_owned).collect()
    }

    /// Starts a command, waits until it says that it stopped at a point, and kills it there.
    pub fn kill_at(
        &self,
        store: &Address,
        what: (Verb, &[&str]),
        world: &dyn Fn(&str) -> World,
        point: &str,
    ) {
        kill(self.hold_at(store, what, world, point));
    }

    /// Starts a command, and waits until it says that it stopped at a point.
    pub fn hold_at(
        &self,
        store: &Address,
        (verb, chosen): (Verb, &[&str]),
        world: &dyn Fn(&str) -> World,
        point: &str,
    ) -> Child {
        self.configure(world);
        let verb: &[&str] = match verb {
            Verb::Collect => &["collect"],
            Verb::Watch => &["watch", "--json", "--lease", "3s"],
        };
        let mut command = self.command(store, &[verb, chosen].concat());
        command.env("ENTENTE_POINT", point).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stopped = format!("stopped at {point}");
        if let Err(told) = wait_for(&mut child, &stopped) {
            kill(child);
            panic!("it ended by itself, before `{stopped}`: {told:#?}");
        }
        child
    }

    /// A collection that waits for the store, having read the platform.
    pub fn waiting(&self, store: &Address, platform: &str) -> Child {
        let mut command = self.command(store, &["collect", platform]);
        command.env("ENTENTE_POINT", "trace").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        wait_for(&mut child, "passed before-transaction").unwrap();
        child
    }

    /// A collection that does not wait long for the store.
    pub fn impatient(&self, store: &Address, platform: &str) -> Output {
        let mut command = self.command(store, &["collect", platform]);
        command.env("ENTENTE_PATIENCE_MS", "300").output().unwrap()
    }

    /// What the store tells, platform by platform; it has to hold together.
    pub fn look(&self, store: &Address) -> BTreeMap<String, Seen> {
        let check = self.run(store, &["store", "check"]);
        assert_eq!(check.status.code(), Some(0), "{check:?}");
        let ask = |arguments: &[&str]| -> Value {
            let output = self.run(store, &[arguments, &["--output", "json"]].concat());
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
            serde_json::from_slice(&output.stdout).unwrap()
        };
        let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
        for mut line in ask(&["estate"])["platforms"].as_array().unwrap().clone() {
            let name = line["platform"].as_str().unwrap().to_owned();
            // The one fact that tells of now, rather than of the store.
            line.as_object_mut().unwrap().remove("age");
            let observed = line.as_object_mut().unwrap().remove("observed").unwrap();
            seen.insert(name, Seen { estate: line, observed, ..Seen::default() });
        }
        let mut deal = |objects: Value, of: &dyn Fn(&mut Seen) -> &mut Vec<Value>| {
            for object in objects.as_array().unwrap() {
                let platform = object["platform"].as_str().unwrap();
                of(seen.get_mut(platform).unwrap()).push(object.clone());
            }
        };
        for list in LISTS {
            deal(ask(&["estate", list]), &|it| it.lists.entry(list).or_default());
        }
        deal(ask(&["changes"])["changes"].take(), &|it| &mut it.changes);
        seen
    }
}

/// Reads what a process says until it says this; all of it, if it does not.
fn wait_for(child: &mut Child, wanted: &str) -> Result<(), Vec<String>> {
    let mut told = Vec::new();
    let said = BufReader::new(child.stderr.as_mut().unwrap());
    for line in said.lines().map_while(Result::ok) {
        if line == wanted {
            return Ok(());
        }
        told.push(line);
    }
    Err(told)
}

/// An object without what a twin tells by its own clock.
fn timeless(object: &Value) -> Value {
    let mut object = object.clone();
    let fields = object.as_object_mut().unwrap();
    for name in TWINS_CLOCK {
        fields.remove(name);
    }
    if let Some(Value::Object(samples)) = fields.get_mut("samples") {
        samples.remove("powered_on_since");
    }
    object
}

/// Ends a process as nothing else does.
pub fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// What the store tells of one platform.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    estate: Value,
    observed: Value,
    lists: BTreeMap<&'static str, Vec<Value>>,
    changes: Vec<Value>,
}

impl Seen {
    /// Changes that came after those that were there before, without their times.
    pub fn new_changes(&self, before: &Self) -> Option<Vec<Value>> {
        let new = self.changes.strip_prefix(before.changes.as_slice())?;
        let timeless = |change: &Value| {
            let mut change = change.clone();
            change.as_object_mut().unwrap().retain(|name, _| name != "after" && name != "seen");
            let fields = change["fields"].as_array_mut().unwrap();
            let count = fields.len();
            fields.retain(|it| !TWINS_CLOCK.contains(&it["field"].as_str().unwrap()));
            (!fields.is_empty() || count == 0).then_some(change)
        };
        Some(new.iter().filter_map(timeless).collect())
    }

    /// Whether it shows the same state of the world, at whatever time.
    pub fn shows_as(&self, other: &Self) -> bool {
        self.differences(other).is_empty()
    }

    /// What differs, for whoever has to find out why.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut told = Vec::new();
        if self.estate != other.estate {
            told.push(format!("{} / {}", self.estate, other.estate));
        }
        for (list, objects) in &self.lists {
            let others = &other.lists[list];
            let plain = |of: &[Value]| of.iter().map(timeless).collect::<Vec<_>>();
            let (objects, others) = (plain(objects), plain(others));
            if objects.len() != others.len() {
                told.push(format!("{list}: {} / {}", objects.len(), others.len()));
            }
            let differ = objects.iter().zip(&others).filter(|(one, other)| one != other);
            told.extend(differ.map(|(one, other)| format!("{list}: {one} / {other}")));
        }
        told
    }

    /// When it was read.
    pub fn observed(&self) -> &Value {
        &self.observed
    }
}

/// Two states of one estate: machines that are there in one alone, and others that changed.
fn worlds(seed: u64, workloads: u32) -> [Collection; 2] {
    let spec = EstateSpec { seed, workloads, vcenters: 1, ..EstateSpec::default() };
    let world = generate(&spec).remove(0);
    let (mut one, mut other) = (world.clone(), world);
    one.workloads.drain(..3);
    let rest = other.workloads.len() - 3;
    other.workloads.truncate(rest);
    for workload in other.workloads.iter_mut().step_by(4) {
        workload.cpu.count = Observed::Value(17);
        workload.power = match workload.power {
            Observed::Value(PowerState::On) => Observed::Value(PowerState::Off),
            _ => Observed::Value(PowerState::On),
        };
    }
    [one, other]
}
