//! `entente explain`: the page of an error, a finding or a check.

use std::io::Write;
use std::process::ExitCode;

use entente_readiness::Catalogue;

use crate::failure::Failure;
use crate::output;

/// Code and page of every error and finding.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/error_pages.rs"));

/// Prints one page, or the list of all.
pub fn run(code: Option<&str>) -> Result<ExitCode, Failure> {
    let catalogue =
        Catalogue::builtin().map_err(|error| Failure::internal(&anyhow::Error::new(error)))?;
    let page = match code {
        Some(code) => page(&catalogue, code)?,
        None => list(&catalogue),
    };
    output::write(|out| out.write_all(page.as_bytes()))?;
    Ok(ExitCode::SUCCESS)
}

fn page(catalogue: &Catalogue, code: &str) -> Result<String, Failure> {
    let error = PAGES.iter().find(|(known, _)| known.eq_ignore_ascii_case(code));
    if let Some((_, page)) = error {
        return Ok((*page).to_owned());
    }
    if let Some(check) = catalogue.check(&code.to_lowercase()) {
        return Ok(catalogue.check_page(check));
    }
    let known = PAGES
        .iter()
        .map(|(code, _)| *code)
        .chain(catalogue.checks().iter().map(|check| check.id.as_str()));
    Err(Failure::unknown_code(code, entente_expr::nearest(code, known)))
}

fn list(catalogue: &Catalogue) -> String {
    let titles = PAGES.iter().map(|(code, page)| {
        let title = page.lines().next().unwrap_or_default().trim_start_matches("# ");
        (*code, title.strip_prefix(code).unwrap_or(title).trim_start_matches(':').trim())
    });
    let checks = catalogue.checks().iter().map(|check| (check.id.as_str(), check.title.as_str()));
    let rows: Vec<(&str, &str)> = titles.chain(checks).collect();
    let width = rows.iter().map(|(code, _)| code.len()).max().unwrap_or_default();
    rows.iter().map(|(code, title)| format!("{code:width$}  {title}\n")).collect()
}
