//! The two engines, each with an empty store for every test.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use entente_store::{Address, Store};

/// An empty store, gone after the test.
pub struct Empty {
    /// Where it is.
    pub address: Address,
    _folder: tempfile::TempDir,
}

impl Empty {
    /// Opens it.
    pub async fn open(&self) -> Store {
        Store::open(&self.address).await.unwrap()
    }
}

/// An empty store in each engine that runs here.
pub fn engines() -> Vec<Empty> {
    [Some(in_file()), on_server()].into_iter().flatten().collect()
}

/// One in a file.
pub fn in_file() -> Empty {
    let folder = tempfile::tempdir().unwrap();
    Empty { address: Address::File(folder.path().join("entente.db")), _folder: folder }
}

/// One in PostgreSQL, if that runs here.
pub fn on_server() -> Option<Empty> {
    let address = Address::Postgres(postgres()?.empty_database());
    Some(Empty { address, _folder: tempfile::tempdir().unwrap() })
}

/// A PostgreSQL that runs as long as this program.
struct Server {
    url: String,
}

impl Server {
    fn empty_database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let made = Command::new("psql")
            .args(["--quiet", "--dbname", &self.url, "--command"])
            .arg(format!("create database {name}"))
            .status();
        assert!(made.unwrap().success());
        format!("{}/{name}", self.url.rsplit_once('/').unwrap().0)
    }
}

fn postgres() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(start).as_ref()
}

fn start() -> Option<Server> {
    // It has to outlive every test, and its own user has to get there: not a folder that a test owns. The
    // shell that is left behind ends it when this program is over.
    let folder = std::env::temp_dir().join(format!("entente-postgres-{}", std::process::id()));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres-for-tests");
    let started = Command::new(&script).arg("start").arg(&folder).output().unwrap();
    if started.status.code() == Some(77) {
        println!("skipped: {}", String::from_utf8_lossy(&started.stderr).trim());
        return None;
    }
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    end_with_this_program(&script, &folder);
    Some(Server { url: String::from_utf8(started.stdout).unwrap().trim().to_owned() })
}

fn end_with_this_program(script: &Path, folder: &Path) {
    let watch = "while kill -0 \"$1\" 2>/dev/null; do sleep 1; done; \"$2\" stop \"$3\"; rm -rf \"$3\" \"$3.log\"";
    let watcher = Command::new("setsid")
        .args(["sh", "-c", watch, "sh", &std::process::id().to_string()])
        .args([script, folder])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    drop(watcher.unwrap());
}
