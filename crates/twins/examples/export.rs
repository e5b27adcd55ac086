//! Writes a simulated export: `export --workloads 50000 --out FILE.xlsx`.
//!
//! `--out` ending in `.xlsx` or `.zip` chooses the format, else a folder of CSV files is written;
//! `--vcenters`, `--seed`, `--passwords` and `--overlay FILE.csv` are optional. Several vCenters are
//! merged into one export.
#![expect(
    clippy::print_stdout,
    reason = "a tool for benchmarks and by hand: it reports what it wrote"
)]

use std::path::PathBuf;
use std::time::Instant;

use entente_twins::rvtools::{Defect, ExportSpec, Format, Version, write_merged};
use entente_twins::{EstateSpec, generate, overlay_csv};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut spec = EstateSpec::default();
    let mut out = None;
    let mut overlay = None;
    let mut passwords = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--passwords" {
            passwords = true;
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("`{argument}` needs a value"))?;
        match argument.as_str() {
            "--workloads" => spec.workloads = value.parse()?,
            "--vcenters" => spec.vcenters = value.parse()?,
            "--seed" => spec.seed = value.parse()?,
            "--out" => out = Some(PathBuf::from(value)),
            "--overlay" => overlay = Some(PathBuf::from(value)),
            _ => return Err(format!("unknown argument `{argument}`").into()),
        }
    }
    let out = out.ok_or("`--out FILE` is missing")?;
    let format = match out.extension().and_then(|it| it.to_str()) {
        Some("xlsx") => Format::Xlsx,
        Some("zip") => Format::CsvZip,
        _ => Format::CsvFolder,
    };
    let mut export = ExportSpec::new(Version::V4_7, format);
    if passwords {
        export.defects.push(Defect::ClearTextPasswords);
    }
    let start = Instant::now();
    let collections = generate(&spec);
    let generated = start.elapsed();
    let written = write_merged(&collections, &export, &out)?;
    if let Some(path) = overlay {
        std::fs::write(path, overlay_csv(&collections))?;
    }
    println!(
        "{} machines in {:.1} s; {} tabs, {} rows, {} cells written in {:.1} s to {}",
        spec.workloads,
        generated.as_secs_f64(),
        written.tabs,
        written.rows,
        written.cells,
        (start.elapsed() - generated).as_secs_f64(),
        out.display()
    );
    Ok(())
}
