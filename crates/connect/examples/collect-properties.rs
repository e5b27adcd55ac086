//! Reads some properties of every object of a kind from a vCenter, and prints how many objects there
//! are: what `scripts/bench-collect` times beside other clients.
//!
//!     collect-properties URL USER PASSWORD KIND PROPERTY…
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program's output")]

use std::process::ExitCode;

use entente_connect::connector::Unwatched;
use entente_connect::live::{Cancel, Credentials, LiveLimits, Run, Secret, Target, Traffic, Trust};
use entente_connect::vsphere_properties;
use entente_model::Moment;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, user, password, kind, paths @ ..] = arguments.as_slice() else {
        eprintln!("usage: collect-properties URL USER PASSWORD KIND PROPERTY…");
        return ExitCode::from(2);
    };
    let Ok(id) = "measured".parse() else { return ExitCode::FAILURE };
    let target = Target {
        id,
        address: url.into(),
        site: None,
        owner: None,
        credentials: Credentials::Password {
            user: user.into(),
            password: Secret::new(password.clone()),
        },
        trust: Trust::System,
        limits: LiveLimits::default(),
        taken: Moment::Utc(time::OffsetDateTime::now_utc()),
    };
    let (cancel, traffic) = (Cancel::new(), Traffic::default());
    let run = Run { target: &target, watch: &Unwatched, cancel: &cancel, traffic: &traffic };
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    // Every value is looked at, as a real reader would.
    let mut bytes = 0_u64;
    let outcome = vsphere_properties(run, kind, &paths, move |property| {
        bytes += property.text.len() as u64;
        std::hint::black_box(bytes);
    });
    match outcome.await {
        Ok(read) if read.gaps.is_empty() => {
            println!(
                "{} {} calls {} bytes",
                read.objects,
                traffic.calls(),
                traffic.bytes_received()
            );
            ExitCode::SUCCESS
        }
        Ok(read) => {
            eprintln!("{} objects, with gaps: {:#?}", read.objects, read.gaps);
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
