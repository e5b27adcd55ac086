//! Every check, one file each.

pub mod connectors;
pub mod documents;
pub mod edges;
pub mod error_pages;
pub mod foreign_text;
pub mod links;
pub mod manifests;
pub mod platform_names;
pub mod rust_files;
pub mod unfinished;

use anyhow::Result;

use crate::{Fault, House};

/// A check and the name it is called by.
pub struct Check {
    /// As in `cargo test -p entente-xtask <name>`.
    pub name: &'static str,
    /// Looks at the house and objects.
    pub run: fn(&House) -> Vec<Fault>,
}

/// All that look at files; [`edges`] looks at what cargo says instead.
pub const ALL: &[Check] = &[
    Check { name: "connectors", run: connectors::check },
    Check { name: "documents", run: documents::check },
    Check { name: "error_pages", run: error_pages::check },
    Check { name: "foreign_text", run: foreign_text::check },
    Check { name: "links", run: links::check },
    Check { name: "manifests", run: manifests::check },
    Check { name: "platform_names", run: platform_names::check },
    Check { name: "rust_files", run: rust_files::check },
    Check { name: "unfinished", run: unfinished::check },
];

/// Every fault of the checkout, by check.
///
/// # Errors
/// Where the checkout cannot be read or cargo cannot be asked.
pub fn run_all() -> Result<Vec<(&'static str, Vec<Fault>)>> {
    let root = House::root();
    let house = House::read(&root)?;
    let mut results: Vec<_> = ALL.iter().map(|check| (check.name, (check.run)(&house))).collect();
    results.push(("edges", edges::check(&edges::read(&root)?)));
    Ok(results)
}
