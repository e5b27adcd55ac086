//! Chores of the house: `cargo run -p entente-xtask -- <chore>`.

use std::io::Write as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use entente_xtask::{House, checks, notices};

const USAGE: &str = "usage: cargo run -p entente-xtask -- <chore>

chores:
  check    print every fault of the house (the same checks run in `cargo test -p entente-xtask`)
  golden   run all tests and re-record what they compare with; read the diff before committing it
  notices  print the licences of everything that becomes part of the binary
";

fn main() -> Result<ExitCode> {
    match std::env::args().nth(1).as_deref() {
        Some("check") => check(),
        Some("golden") => golden(),
        Some("notices") => {
            std::io::stdout().write_all(notices::notices(&House::root())?.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("{USAGE}"),
    }
}

fn check() -> Result<ExitCode> {
    let mut output = std::io::stdout().lock();
    let mut faults = 0_usize;
    for (name, found) in checks::run_all()? {
        faults += found.len();
        for fault in found {
            writeln!(output, "{name}: {fault}")?;
        }
    }
    writeln!(output, "{faults} faults")?;
    Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `UPDATE_GOLDEN` is read by the tests that compare with files of their own, `INSTA_UPDATE` by insta.
fn golden() -> Result<ExitCode> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["test", "--workspace", "--all-features", "--no-fail-fast"])
        .env("UPDATE_GOLDEN", "1")
        .env("INSTA_UPDATE", "always")
        .current_dir(House::root())
        .status()
        .context("could not run `cargo test`")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
