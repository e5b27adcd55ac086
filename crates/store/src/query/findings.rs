//! Findings that no table holds, since they are of several readers at once: they go into the query itself.

use std::fmt::Write as _;

use entente_model::Finding;

/// What the view is called with them.
pub(super) const TABLE: &str = "f_findings";

/// Who found them.
const FINDER: &str = "entente";

/// Findings that go into one query: each is a row of text in it.
const FINDINGS_MAX: usize = 2_000;

/// The query, over the view and these.
pub(super) fn with(sql: &str, findings: &[Finding]) -> String {
    let mut table = format!("{TABLE} as (select * from q_findings");
    for it in findings.iter().take(FINDINGS_MAX) {
        let platform = it.subject.split_once('/').map_or("", |it| it.0);
        let cells = [
            platform,
            FINDER,
            it.severity.as_str(),
            &it.code,
            &it.subject,
            &it.message,
            &it.remedy,
        ];
        let cells: Vec<String> = cells.iter().map(|it| literal(it)).collect();
        let _ = write!(table, " union all select {}, ''", cells.join(", "));
    }
    table.push(')');
    match sql.strip_prefix("with ") {
        Some(rest) => format!("with {table}, {rest}"),
        None => format!("with {table} {sql}"),
    }
}

/// Text as both engines read it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\0', "\u{fffd}").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use entente_model::Severity;

    use super::*;

    #[test]
    fn a_quote_in_a_finding_ends_no_text() {
        let finding = Finding {
            severity: Severity::Warning,
            code: "ENT-0211".into(),
            subject: "vc/vm-1".into(),
            message: "it's \\ '; drop table versions; --".into(),
            remedy: String::new().into(),
        };
        let sql = with("with c_x as (select 1) select * from f_findings", &[finding]);
        assert_eq!(
            sql,
            "with f_findings as (select * from q_findings union all select 'vc', 'entente', 'warning', 'ENT-0211', 'vc/vm-1', 'it''s \\ ''; drop table versions; --', '', ''), c_x as (select 1) select * from f_findings"
        );
    }
}
