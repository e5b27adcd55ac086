//! `entente assess`.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use entente_app::document::{Assessment, Verdict};
use entente_app::{AssessRequest, assess, assess_estate, today};
use entente_store::AsOf;

use crate::arguments::{AssessArguments, Form, Threshold};
use crate::failure::{EXIT_FINDINGS, Failure};
use crate::output;
use crate::progress::Progress;
use crate::remembered::with_store;

/// Assesses, writes the report if asked for, then the output.
pub fn run(arguments: &AssessArguments) -> Result<ExitCode, Failure> {
    let request = AssessRequest {
        exports: arguments.exports.clone(),
        targets: arguments.targets.clone(),
        overlay: arguments.overlay.clone(),
        checks: arguments.checks.clone(),
        masked: arguments.mask,
        as_of: arguments.as_of.unwrap_or_else(today),
    };
    let progress = Progress::new();
    let assessment = match request.exports.is_empty() {
        true => assess_estate(&request, || {
            let estate =
                with_store(&arguments.store, async |memory| memory.estate(AsOf::Latest).await);
            estate.map(|it| it.0)
        }),
        false => assess(&request, &progress).map_err(Failure::from),
    };
    progress.done();
    let assessment = assessment?;
    if let Some(path) = &arguments.report {
        write_report(&assessment, path)?;
    }
    output::write(|out| match arguments.output {
        Form::Table => output::summary(&assessment, output::Style::Text, out),
        Form::Markdown => output::summary(&assessment, output::Style::Markdown, out),
        Form::Csv => output::workloads(&assessment, out),
        Form::Json => {
            serde_json::to_writer(&mut *out, &assessment).map_err(std::io::Error::from)?;
            out.write_all(b"\n")
        }
    })?;
    if let Some(path) = &arguments.report {
        output::talk(&format!("report: {}", path.display()));
    }
    let exceeded = arguments.fail_on.is_some_and(|threshold| exceeds(&assessment, threshold));
    Ok(if exceeded { ExitCode::from(EXIT_FINDINGS) } else { ExitCode::SUCCESS })
}

/// Writes the whole report or nothing.
fn write_report(assessment: &Assessment, path: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        let mut writer = std::io::BufWriter::new(&mut file);
        entente_web::write_report(assessment, &mut writer)?;
        writer.flush()?;
        drop(writer);
        file.as_file().sync_all()?;
        output::make_readable(file.as_file())?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| Failure::file(path, &error))
}

/// True if any machine is as bad as the threshold on any target judged.
fn exceeds(assessment: &Assessment, threshold: Threshold) -> bool {
    assessment.readiness.targets.iter().any(|target| {
        let verdicts = &target.as_seen;
        let blocked = verdicts.of(Verdict::Blocked) > 0;
        match threshold {
            Threshold::Blocker => blocked,
            Threshold::Warning => blocked || verdicts.of(Verdict::Conditional) > 0,
            Threshold::Unknown => verdicts.total() > verdicts.of(Verdict::Ready),
        }
    })
}
