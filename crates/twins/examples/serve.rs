//! Serves a simulated platform: `serve vsphere --workloads 10000 --seed 7`.
//!
//! `--bytes-per-vm N` makes machines as large as that on average, `--listen 127.0.0.1:8989` chooses
//! the address, `--tls` encrypts. Prints one line, address, user and password separated by tabs and,
//! with TLS, the fingerprint to pin, and then runs until its input ends or it is interrupted.
#![expect(clippy::print_stdout, reason = "a tool for benchmarks and by hand: it says where it is")]

use std::sync::Arc;
use std::time::Instant;

use entente_twins::live::{Setup, platforms};
use entente_twins::{EstateSpec, generate};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().ok_or("which platform? `serve vsphere`")?;
    let twin = platforms().iter().find(|it| it.connector() == wanted);
    let twin = twin.ok_or_else(|| format!("there is no twin of `{wanted}`"))?;
    let mut spec = EstateSpec { workloads: 1_000, ..EstateSpec::default() };
    let mut setup = Setup::default();
    while let Some(argument) = arguments.next() {
        if argument == "--tls" {
            setup.tls = true;
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("`{argument}` needs a value"))?;
        match argument.as_str() {
            "--workloads" => spec.workloads = value.parse()?,
            "--seed" => spec.seed = value.parse()?,
            "--bytes-per-vm" => setup.bytes_per_workload = Some(value.parse()?),
            "--listen" => setup.listen = Some(value.parse()?),
            _ => return Err(format!("unknown argument `{argument}`").into()),
        }
    }
    let start = Instant::now();
    let collection = generate(&spec).into_iter().next().ok_or("there is nothing to serve")?;
    let generated = start.elapsed();
    let served = twin.serve(Arc::new(collection), setup).await?;
    let fingerprint = served.fingerprint.clone().unwrap_or_default();
    println!("{}\t{}\t{}\t{fingerprint}", served.address, served.user, served.password);
    let ready = start.elapsed();
    println!(
        "generated in {:.1} s, ready after {:.1} s",
        generated.as_secs_f64(),
        ready.as_secs_f64()
    );
    // Whatever is typed means nothing; the end of it means the end.
    let ignore = || std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
    tokio::task::spawn_blocking(ignore).await??;
    Ok(())
}
