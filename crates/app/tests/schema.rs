//! The schema in the repository is that of the types.

use std::path::Path;

use entente_app::document::Assessment;

#[test]
fn schema_file_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema/assessment-1.json");
    let schema = schemars::schema_for!(Assessment);
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "docs/schema/assessment-1.json is out of date: run with UPDATE_GOLDEN=1, and raise the \
         schema's version if a field was renamed or removed"
    );
}
