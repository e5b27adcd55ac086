//! The checks on this checkout, one test each.

use entente_xtask::checks::{self, edges};
use entente_xtask::{Fault, House};

fn assert_clean(faults: &[Fault]) {
    let lines: String = faults.iter().map(|fault| format!("\n  {fault}")).collect();
    assert!(faults.is_empty(), "{} faults:{lines}", faults.len());
}

macro_rules! clean {
    ($($name:ident),+ $(,)?) => {
        $(#[test]
        fn $name() {
            let house = House::read(&House::root()).unwrap();
            assert!(house.paths().count() > 50, "the checkout was not found");
            assert_clean(&checks::$name::check(&house));
        })+

        #[test]
        fn no_check_is_left_out() {
            let here = [$(stringify!($name)),+];
            let all: Vec<_> = checks::ALL.iter().map(|check| check.name).collect();
            assert_eq!(here.as_slice(), all.as_slice());
        }
    };
}

clean!(
    connectors,
    documents,
    error_pages,
    foreign_text,
    links,
    manifests,
    platform_names,
    rust_files,
    unfinished,
);

#[test]
fn edges_of_the_workspace() {
    let metadata = edges::read(&House::root()).unwrap();
    let packages = metadata["packages"].as_array().unwrap().len();
    assert_eq!(packages, edges::CRATES.len(), "a row of the table has no crate");
    assert_clean(&edges::check(&metadata));
}
