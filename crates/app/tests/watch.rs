//! Watching: what changes on a platform between two readings is in the store, and nothing else is.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]
#![expect(clippy::print_stdout, reason = "skipped tests say so")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use entente_app::config::{Config, RetentionPolicy};
use entente_app::remembered::Memory;
use entente_app::watch::{Event, Happened, Tell, Watching, watch};
use entente_connect::live::Cancel;
use entente_model::{Collection, Observed, PowerState};
use entente_store::{Address, AsOf, ChangeKind, ChangesOf, Written};
use entente_twins::live::{Setup, platforms};
use entente_twins::{EstateSpec, generate};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// One platform that is watched by one process.
struct Watched {
    folder: TempDir,
    memory: Arc<Memory>,
    events: mpsc::UnboundedReceiver<Event>,
    cancel: Cancel,
    task: JoinHandle<()>,
    reads: usize,
}

impl Watched {
    async fn begin(connector: &str, address: &str, user: &str, password: &str) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("password"), password).unwrap();
        let log_in = match user {
            "" => String::new(),
            _ => format!("user = {user:?}\npassword = \"file:password\"\n"),
        };
        let text = format!(
            "every = \"7d\"\n[platforms.p]\nconnector = {connector:?}\naddress = {address:?}\n{log_in}"
        );
        std::fs::write(folder.path().join("entente.toml"), text).unwrap();
        let address = Address::File(folder.path().join("entente.db"));
        let memory = Arc::new(Memory::open(&address).await.unwrap());
        let (sender, events) = mpsc::unbounded_channel();
        let cancel = Cancel::new();
        let asked = cancel.clone();
        let (config, kept) =
            (Config::read(&folder.path().join("entente.toml")).unwrap(), memory.clone());
        let task = tokio::spawn(async move {
            let tell: Tell = Arc::new(move |event| drop(sender.send(event)));
            let watching = Watching {
                holder: "this test".into(),
                lease: Duration::from_secs(60),
                retention: RetentionPolicy::default(),
            };
            let chosen = config.chosen(&[]).unwrap();
            watch(&chosen, &kept, &watching, &asked, &tell).await;
        });
        Self { folder, memory, events, cancel, task, reads: 0 }
    }

    async fn next(&mut self) -> Happened {
        let event = tokio::time::timeout(PATIENCE, self.events.recv()).await;
        let what = event.expect("something happens").expect("it goes on").what;
        self.reads += usize::from(matches!(what, Happened::Read { .. }));
        assert!(
            !matches!(what, Happened::Failed { .. } | Happened::NotFollowed { .. }),
            "{what:?}"
        );
        what
    }

    /// Waits until it was read as a whole, and is followed.
    async fn is_ready(&mut self) {
        let (mut is_read, mut is_followed) = (false, false);
        while !(is_read && is_followed) {
            match self.next().await {
                Happened::Read { .. } => is_read = true,
                Happened::Following => {
                    assert!(!is_read, "what changes while it is read would be missed");
                    is_followed = true;
                }
                _ => {}
            }
        }
    }

    /// Waits until what was told of changes is this much.
    async fn followed(&mut self, is_enough: impl Fn(&Written) -> bool) -> Written {
        let mut all = Written::default();
        while !is_enough(&all) {
            if let Happened::Followed { written } = self.next().await {
                all.add(written);
            }
        }
        all
    }

    async fn versions(&self) -> u64 {
        let stats = self.memory.store().stats().await.unwrap();
        stats.rows.iter().find(|it| it.0 == "versions").unwrap().1
    }

    async fn end(mut self) -> (TempDir, Arc<Memory>) {
        self.cancel.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("it stops").unwrap();
        while let Some(event) = self.events.recv().await {
            self.reads += usize::from(matches!(event.what, Happened::Read { .. }));
        }
        assert_eq!(self.reads, 1, "it was read as a whole once");
        assert!(self.memory.store().leases().await.unwrap().iter().all(|it| it.0 != "p"));
        (self.folder, self.memory)
    }
}

/// Turns a machine of the vSphere twin off, as another client would.
fn turn_off(address: &str, user: &str, password: &str, machine: &str) {
    let mut cookie = String::new();
    let mut call = |method: &str, on: &str, arguments: &str| {
        let (kind, id) = on.split_once('=').unwrap_or((on, on));
        let body = format!(
            "<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body>\
             <{method} xmlns=\"urn:vim25\"><_this type=\"{kind}\">{id}</_this>{arguments}</{method}>\
             </Body></Envelope>"
        );
        let mut stream = TcpStream::connect(address.trim_start_matches("http://")).unwrap();
        write!(
            stream,
            "POST /sdk HTTP/1.1\r\nHost: twin\r\nConnection: close\r\nCookie: {cookie}\r\n\
             Content-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{method}: {answer}");
        if let Some(set) = answer.lines().find_map(|it| it.strip_prefix("set-cookie: ")) {
            cookie = set.split(';').next().unwrap().to_owned();
        }
    };
    let log_in = format!("<userName>{user}</userName><password>{password}</password>");
    call("Login", "SessionManager", &log_in);
    call("PowerOffVM_Task", &format!("VirtualMachine={machine}"), "");
}

fn world() -> Collection {
    generate(&EstateSpec { workloads: 30, vcenters: 1, ..EstateSpec::default() }).remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_is_turned_off_is_one_new_state_of_one_machine_without_another_reading() {
    let world = world();
    let is_on = |it: &&entente_model::Workload| it.power == Observed::Value(PowerState::On);
    let machine = world.workloads.iter().find(is_on).unwrap().clone();
    let native = machine.native_id.value().unwrap().to_string();
    let twin = platforms().iter().find(|it| it.connector() == "vsphere").unwrap();
    let served = twin.serve(Arc::new(world), Setup::default()).await.unwrap();
    let (user, password) = (served.user.clone(), served.password.clone());
    let mut watched = Watched::begin("vsphere", &served.address, &user, &password).await;
    watched.is_ready().await;
    let states = watched.versions().await;
    let ages = watched.memory.store().ages(AsOf::Latest).await.unwrap();
    let address = served.address.clone();
    tokio::task::spawn_blocking(move || turn_off(&address, &user, &password, &native))
        .await
        .unwrap();
    let written = watched.followed(|it| it.changed > 0).await;
    assert_eq!((written.new, written.changed, written.gone), (0, 1, 0));
    assert_eq!(watched.versions().await, states + 1);
    assert_eq!(watched.memory.store().ages(AsOf::Latest).await.unwrap(), ages);
    let (_folder, memory) = watched.end().await;
    let changes = memory.store().changes(&ChangesOf::default()).await.unwrap();
    let [change] = changes.as_slice() else { panic!("{changes:#?}") };
    assert_eq!(change.change, ChangeKind::Changed);
    assert_eq!(change.name.as_deref(), Some(machine.name.as_str()));
    assert!(change.fields.iter().any(|it| it.field == "power" && it.after == "off"), "{change:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_go_goes_once_a_day_whichever_process_does_it() {
    let folder = TempDir::new().unwrap();
    let address = Address::File(folder.path().join("entente.db"));
    let memory = Arc::new(Memory::open(&address).await.unwrap());
    let (mut first, mut second) = (world(), world());
    first.source.taken = Some("2020-03-01T06:00:00Z".parse().unwrap());
    second.source.taken = Some("2020-03-02T06:00:00Z".parse().unwrap());
    second.workloads.truncate(20);
    memory.put(first).await.unwrap();
    memory.put(second).await.unwrap();
    let states = Some(Duration::from_secs(365 * 86_400));
    let retention = RetentionPolicy { states, ..RetentionPolicy::default() };
    for (holder, expected) in [("one", Some((10, 10))), ("one", None), ("other", None)] {
        let (sender, mut events) = mpsc::unbounded_channel();
        let cancel = Cancel::new();
        let (kept, asked) = (memory.clone(), cancel.clone());
        let tell: Tell = Arc::new(move |event: Event| drop(sender.send(event.what)));
        let lease = Duration::from_secs(60);
        let watching = Watching { holder: holder.into(), lease, retention };
        let task = tokio::spawn(async move {
            watch(&[], &kept, &watching, &asked, &tell).await;
        });
        if let Some(expected) = expected {
            let told = tokio::time::timeout(PATIENCE, events.recv()).await.unwrap();
            let Some(Happened::LetGo(gone)) = told else { panic!("{told:?}") };
            assert_eq!((gone.states, gone.things), expected);
        }
        cancel.cancel();
        task.await.unwrap();
        assert!(events.recv().await.is_none());
        assert_eq!(memory.estate(AsOf::Latest).await.unwrap().0.workloads.len(), 20);
    }
}

/// vcsim and govc, as the tests of the connector find them.
fn programs() -> Option<[String; 2]> {
    let named = |name: &str| {
        let variable = format!("ENTENTE_{}", name.to_uppercase());
        let path = std::env::var(&variable).unwrap_or_else(|_| name.to_owned());
        let is_there = Path::new(&path).is_file()
            || std::env::split_paths(&std::env::var_os("PATH")?).any(|it| it.join(name).is_file());
        if !is_there {
            println!("skipped: `{name}` is neither on the path nor named by {variable}");
        }
        is_there.then_some(path)
    };
    Some([named("vcsim")?, named("govc")?])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_is_destroyed_is_gone_without_another_reading() {
    let Some([vcsim, govc]) = programs() else { return };
    let mut server = Command::new(vcsim)
        .args(["-l", "127.0.0.1:0", "-tls=false", "-api-version", "6.7"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.split_once("GOVC_URL=").unwrap().1.split_whitespace().next().unwrap();
    let host = url.split_once('@').unwrap().1.trim_end_matches("/sdk");
    let mut watched = Watched::begin("vsphere", &format!("http://{host}"), "user", "pass").await;
    watched.is_ready().await;
    let before = watched.memory.estate(AsOf::Latest).await.unwrap().0.workloads.len();
    let destroyed = Command::new(govc)
        .args(["vm.destroy", "/DC0/vm/DC0_H0_VM1"])
        .env("GOVC_URL", url)
        .env("GOVC_PERSIST_SESSION", "false")
        .status();
    assert!(destroyed.unwrap().success());
    let written = watched.followed(|it| it.gone > 0).await;
    assert_eq!((written.new, written.gone), (0, 1));
    let (_folder, memory) = watched.end().await;
    let estate = memory.estate(AsOf::Latest).await.unwrap().0;
    assert_eq!(estate.workloads.len(), before - 1);
    assert!(estate.workloads.iter().all(|it| it.name != "DC0_H0_VM1"));
    server.kill().unwrap();
    server.wait().unwrap();
}
