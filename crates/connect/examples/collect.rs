//! Reads an export and prints what was seen, for a look at a connector alone.
#![expect(clippy::print_stdout, reason = "an example that prints")]

use std::path::PathBuf;
use std::time::Instant;

use entente_connect::connector::Unwatched;
use entente_connect::{registry, tables::Limits};

fn main() {
    for path in std::env::args_os().skip(1).map(PathBuf::from) {
        let start = Instant::now();
        for connector in registry() {
            match connector.collect(&path, Limits::default(), &Unwatched) {
                Ok(it) => {
                    println!(
                        "{} version {:?} taken {:?}",
                        it.source.location, it.source.version, it.source.taken
                    );
                    for (name, tally) in &it.source.sections {
                        println!("  {name:12} {tally:?}");
                    }
                    println!(
                        "  {} workloads, {} hosts, {} clusters, {} datastores, {} networks, {} gaps, {} findings in {:?}",
                        it.workloads.len(),
                        it.hosts.len(),
                        it.clusters.len(),
                        it.datastores.len(),
                        it.networks.len(),
                        it.gaps.len(),
                        it.findings.len(),
                        start.elapsed()
                    );
                    if it.gaps.len() < 300 {
                        for gap in &it.gaps {
                            println!(
                                "  {:?} {:?} x{} {} {:?}",
                                gap.cause, gap.place, gap.count, gap.message, gap.value
                            );
                        }
                    }
                    for finding in it.findings.iter().take(8) {
                        println!("  {finding:?}");
                    }
                }
                Err(error) => println!("{} {error}\nhint: {}", error.code(), error.hint()),
            }
        }
    }
}
