//! Disks that are full, may not be written to or fail: each says so, and the store stays as it was.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use entente_twins::rvtools::{ExportSpec, Format, Version, write};
use entente_twins::{EstateSpec, generate};
use tempfile::TempDir;

/// Exports in a folder that everybody may enter, and the command.
struct Desk {
    folder: TempDir,
    program: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: TempDir::new().unwrap(), program: PathBuf::new() };
        // Of two platforms: what is read at the same time from one is read once.
        for (name, workloads, seed) in [("small.xlsx", 5, 1), ("large.xlsx", 400, 2)] {
            let spec = EstateSpec { workloads, vcenters: 1, seed, ..EstateSpec::default() };
            let export = ExportSpec::new(Version::V4_7, Format::Xlsx);
            write(&generate(&spec).remove(0), &export, &desk.path(name)).unwrap();
        }
        Self { program: env!("CARGO_BIN_EXE_entente").into(), ..desk }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs lines of a shell, `$entente` being the command, in a folder of their own.
    fn shell(&self, wrapped: &[&str], lines: &str) -> Output {
        let (first, rest) = wrapped.split_first().unwrap();
        let mut command = Command::new(first);
        command.args(rest).args(["sh", "-c", lines]).current_dir(self.folder.path());
        command.env("entente", &self.program).env("NO_COLOR", "1").env_remove("ENTENTE_STORE");
        command.output().unwrap()
    }
}

fn told(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn a_full_disk_is_told_and_the_store_stays_as_it_was() {
    let desk = Desk::new();
    if !desk.shell(&["unshare", "--mount"], "mount -t tmpfs -o size=1m none /mnt").status.success()
    {
        println!("skipped: no disk of a size of its own can be mounted here");
        return;
    }
    let output = desk.shell(
        &["unshare", "--mount"],
        "set -e
        mkdir disk && mount -t tmpfs -o size=64m none disk
        export ENTENTE_STORE=disk/entente.db
        $entente import small.xlsx --output json >/dev/null
        $entente estate workloads --output json >before.json
        used=$(du -k disk | cut -f 1)
        mount -o remount,size=$((used + 200))k none disk
        $entente import large.xlsx 2>full.txt && exit 1
        $entente store check >&2
        $entente estate workloads --output json >after.json
        cmp before.json after.json
        mount -o remount,size=64m none disk
        $entente import large.xlsx >/dev/null
        $entente store check >&2
        cat full.txt",
    );
    let told = told(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("error[ENT-0403]: there is no room left for the store"), "{told}");
    assert!(told.contains("hint: make room"), "{told}");
}

#[test]
fn a_limit_on_files_is_told_and_the_store_stays_as_it_was() {
    let desk = Desk::new();
    let output = desk.shell(
        &["env"],
        "set -e
        export ENTENTE_STORE=entente.db
        $entente import small.xlsx --output json >/dev/null
        $entente estate workloads --output json >before.json
        used=$(du -k entente.db | cut -f 1)
        # Blocks of 512 bytes; without the signal, writing fails instead.
        (trap '' XFSZ; ulimit -f $((used * 2 + 200)); $entente import large.xlsx 2>limit.txt) && exit 1
        $entente store check >&2
        $entente estate workloads --output json >after.json
        cmp before.json after.json
        $entente import large.xlsx >/dev/null
        $entente store check >&2
        cat limit.txt",
    );
    let told = told(&output);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("error[ENT-0409]: the disk under the store failed"), "{told}");
    assert!(told.contains("ulimit"), "{told}");
}

#[test]
fn a_store_that_may_not_be_written_is_told_and_left_as_it_is() {
    let mut desk = Desk::new();
    let user = Command::new("id").arg("-u").output().unwrap();
    let is_root = String::from_utf8_lossy(&user.stdout).trim() == "0";
    // Nothing is forbidden to root: another user looks at it.
    let other: &[&str] = match is_root {
        true => &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
        false => &["env"],
    };
    let place = desk.path("entente");
    fs::copy(&desk.program, &place).unwrap();
    desk.program = place;
    let made = "set -e
        chmod 755 . && mkdir kept
        $entente import small.xlsx --store kept/entente.db >/dev/null
        chmod 444 kept/entente.db && chmod 555 kept && chmod 644 *.xlsx";
    let made = desk.shell(&["env"], made);
    assert!(made.status.success(), "{}", told(&made));
    let before = fs::read(desk.path("kept/entente.db")).unwrap();
    for command in
        ["estate", "import large.xlsx", "store check", "import large.xlsx --store kept/new.db"]
    {
        let lines = format!("ENTENTE_STORE=kept/entente.db $entente {command}");
        let output = desk.shell(other, &lines);
        let told = told(&output);
        assert_eq!(output.status.code(), Some(3), "{command}: {told}");
        let says_why = told.contains("readonly database") || told.contains("unable to open");
        assert!(told.contains("error[ENT-0401]") && says_why, "{command}: {told}");
    }
    assert_eq!(fs::read(desk.path("kept/entente.db")).unwrap(), before);
    assert_eq!(names(&desk.path("kept")), ["entente.db"]);
    let mended = desk.shell(
        &["env"],
        "chmod 755 kept; chmod 644 kept/entente.db; $entente store check --store kept/entente.db",
    );
    assert!(mended.status.success(), "{}", told(&mended));
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name());
    names.map(|it| it.to_string_lossy().into_owned()).collect()
}
