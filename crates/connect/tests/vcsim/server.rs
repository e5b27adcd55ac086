//! vcsim and govc: found by `ENTENTE_VCSIM` and `ENTENTE_GOVC`, or on the path.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use entente_connect::connector::Unwatched;
use entente_connect::live::{
    self, Cancel, ConnectError, Credentials, Live, LiveLimits, Run, Secret, Target, Traffic, Trust,
};
use entente_model::Collection;
use serde_json::Value;

/// The two programs.
#[derive(Clone)]
pub struct Programs {
    vcsim: PathBuf,
    govc: PathBuf,
}

/// Both, or nothing, with a line that says what is not there.
pub fn programs() -> Option<Programs> {
    let found = |name: &str, variable: &str| {
        let named = std::env::var_os(variable).map(PathBuf::from);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path).map(|it| it.join(name)).find(|it| it.is_file());
        let found = named.or(on_path);
        if found.is_none() {
            println!("skipped: `{name}` is neither on the path nor named by {variable}");
        }
        found
    };
    Some(Programs { vcsim: found("vcsim", "ENTENTE_VCSIM")?, govc: found("govc", "ENTENTE_GOVC")? })
}

impl Programs {
    /// A model of so many machines, made in this folder.
    pub fn model(&self, machines: usize, folder: &Path) -> PathBuf {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/vcsim-model");
        let model = folder.join("model");
        let made = Command::new(script)
            .args([&self.vcsim, &self.govc])
            .arg(machines.to_string())
            .arg(&model)
            .status();
        assert!(made.unwrap().success());
        model
    }
}

/// A running vcsim.
pub struct Vcsim {
    child: Child,
    govc: PathBuf,
    url: String,
    /// Where it listens.
    pub address: String,
}

impl Vcsim {
    /// Starts one, and waits until it listens.
    pub fn start(programs: &Programs, arguments: &[&str]) -> Self {
        let mut child = Command::new(&programs.vcsim)
            .args(["-l", "127.0.0.1:0", "-tls=false"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_once("GOVC_URL=").expect(&line).1;
        let url = url.split_whitespace().next().unwrap().to_owned();
        let host = url.split_once('@').unwrap().1.trim_end_matches("/sdk");
        let address = format!("http://{host}");
        Self { child, govc: programs.govc.clone(), url, address }
    }

    /// What govc prints.
    pub fn govc(&self, arguments: &[&str]) -> String {
        let output = Command::new(&self.govc)
            .args(arguments)
            .env("GOVC_URL", &self.url)
            .env("GOVC_INSECURE", "1")
            .env("GOVC_PERSIST_SESSION", "false")
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "govc {arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What govc prints, as JSON: one value or several after each other.
    pub fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let printed = self.govc(arguments);
        serde_json::Deserializer::from_str(&printed).into_iter().map(Result::unwrap).collect()
    }

    /// A target that logs in here.
    pub fn target(&self) -> Target {
        self.target_as("user", "pass")
    }

    /// A target that logs in here, as somebody.
    pub fn target_as(&self, user: &str, password: &str) -> Target {
        Target {
            id: "vc".parse().unwrap(),
            address: self.address.as_str().into(),
            site: Some("north".into()),
            owner: None,
            credentials: Credentials::Password {
                user: user.into(),
                password: Secret::new(password.to_owned()),
            },
            trust: Trust::System,
            limits: LiveLimits { activity_days: 36_500, ..LiveLimits::default() },
            taken: entente_model::Moment::Utc(time::OffsetDateTime::now_utc()),
        }
    }
}

impl Drop for Vcsim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The connector.
pub fn vsphere() -> &'static dyn Live {
    entente_connect::platforms().find(|it| it.0 == "vsphere").unwrap().1
}

/// A runtime for one test.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Reads everything; gives what it cost, too.
pub fn collect(target: &Target) -> (Result<Collection, ConnectError>, Traffic) {
    let (cancel, traffic) = (Cancel::new(), Traffic::default());
    let run = Run { target, watch: &Unwatched, cancel: &cancel, traffic: &traffic };
    let outcome = runtime().block_on(live::collect(vsphere(), run));
    (outcome, traffic)
}

/// A recording of a real vCenter, unpacked; nothing where there is none.
pub fn recording(name: &str) -> Option<(tempfile::TempDir, PathBuf)> {
    let recordings =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/recordings/vsphere");
    let archive = recordings.join(format!("{name}.tar.xz"));
    if !archive.is_file() {
        println!("skipped: the recording `{name}` is not there");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let unpacked =
        Command::new("tar").arg("xJf").arg(&archive).arg("-C").arg(folder.path()).status();
    assert!(unpacked.unwrap().success());
    let mut entries = std::fs::read_dir(folder.path()).unwrap();
    let inner = entries.next().unwrap().unwrap().path();
    Some((folder, inner))
}
