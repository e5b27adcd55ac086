//! Makes the charting library, which npm installs beside this file, ready to be put into pages.
//!
//! Fetches nothing: `npm ci --prefix crates/web` does, from the lock file.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

/// The smallest prebuilt file of ECharts with line and bar charts; heat maps are tables of ours.
const LIBRARY: &str = "node_modules/echarts/dist/echarts.common.min.js";

/// What must travel with every copy of it: its own notice and licence and those of what it contains.
const NOTICES: [&str; 5] = [
    "node_modules/echarts/NOTICE",
    "node_modules/echarts/LICENSE",
    "node_modules/echarts/licenses/LICENSE-d3",
    "node_modules/zrender/LICENSE",
    "node_modules/tslib/LICENSE.txt",
];

fn main() -> ExitCode {
    match prepare() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

fn prepare() -> Result<(), String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let library = read(LIBRARY)?;
    write(&out.join("echarts.js"), &inert(&library)?)?;
    let mut notices = String::new();
    for path in NOTICES {
        // Two hyphens end a comment.
        let text = read(path)?.replace("--", "- -");
        let _ = writeln!(notices, "{}\n", text.trim());
    }
    write(&out.join("notices.txt"), &notices)
}

/// The script in a form that cannot end the element around it.
fn inert(script: &str) -> Result<String, String> {
    if script.contains("<!--") || script.contains("sourceMappingURL") {
        return Err(format!("{LIBRARY} holds `<!--` or names a source map: it cannot be inlined"));
    }
    Ok(script.replace("</script", "<\\/script"))
}

fn read(path: &str) -> Result<String, String> {
    let _ = writeln!(std::io::stdout(), "cargo::rerun-if-changed={path}");
    fs::read_to_string(path).map_err(|error| {
        format!(
            "crates/web/{path} cannot be read ({error}). \
             The charts of reports come from npm; run `npm ci --prefix crates/web` and build again."
        )
    })
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{} cannot be written: {error}", path.display()))
}
