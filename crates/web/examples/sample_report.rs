//! Writes the report of a made-up assessment: `sample_report OUT.html [WORKLOADS]`.

#[expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "made-up data may fail loudly")]
#[path = "../tests/support/mod.rs"]
mod support;

use std::io::{Error, ErrorKind};
use std::{env, fs};

fn main() -> Result<(), Error> {
    let usage = || Error::new(ErrorKind::InvalidInput, "usage: sample_report OUT.html [WORKLOADS]");
    let mut arguments = env::args().skip(1);
    let out = arguments.next().ok_or_else(usage)?;
    let count = arguments.next().map_or(Ok(1_200), |text| text.parse()).map_err(|_| usage())?;
    let mut assessment = support::assessment(count);
    // Names that would run if the page did not keep them as text.
    for (workload, name) in assessment.workloads.iter_mut().skip(20).zip(support::HOSTILE) {
        workload.name = support::text(name);
    }
    fs::write(out, entente_web::report(&assessment))
}
