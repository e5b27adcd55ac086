//! Texts that must not change unnoticed.

use std::path::Path;

/// Compares `actual` with the golden file of this name, or records it where `UPDATE_GOLDEN` is set.
pub fn check(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("golden file `{name}` can't be read: {error}"));
    for (number, (actual, expected)) in (1..).zip(actual.lines().zip(expected.lines())) {
        assert_eq!(actual, expected, "line {number} of `{name}`");
    }
    assert_eq!(actual.lines().count(), expected.lines().count(), "lines of `{name}`");
}
