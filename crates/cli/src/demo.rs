//! `entente demo`: a simulated estate, as the exports and the CMDB extract that it would produce.

use std::process::ExitCode;

use anyhow::Context;
use entente_twins::rvtools::{Defect, ExportSpec, Format, Version, write};
use entente_twins::{EstateSpec, generate, overlay_csv};

use crate::arguments::DemoArguments;
use crate::failure::Failure;
use crate::output;

/// Writes one export a simulated server, and the extract.
pub fn run(arguments: &DemoArguments) -> Result<ExitCode, Failure> {
    let lines = written(arguments).map_err(|error| Failure::internal(&error))?;
    output::talk(&lines.join("\n"));
    Ok(ExitCode::SUCCESS)
}

fn written(arguments: &DemoArguments) -> anyhow::Result<Vec<String>> {
    let folder = &arguments.out;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make `{}`", folder.display()))?;
    let spec = EstateSpec {
        seed: arguments.seed,
        workloads: arguments.workloads,
        vcenters: 2,
        ..EstateSpec::default()
    };
    let collections = generate(&spec);
    let mut export = ExportSpec::new(Version::V4_7, Format::Xlsx);
    export.seed = arguments.seed;
    export.defects.push(Defect::ClearTextPasswords);
    let mut lines = Vec::new();
    for (at, collection) in collections.iter().enumerate() {
        let path = folder.join(format!("rvtools-{}.xlsx", at + 1));
        write(collection, &export, &path)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        lines.push(format!("wrote {} ({} machines)", path.display(), collection.workloads.len()));
    }
    let path = folder.join("cmdb.csv");
    std::fs::write(&path, overlay_csv(&collections))
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    lines.push(format!("wrote {}", path.display()));
    Ok(lines)
}
