//! `entente check` and `entente collect`: the platforms of the configuration.

use std::process::ExitCode;
use std::sync::Arc;

use entente_app::collect::{
    Destination, Outcome, PlatformError, check_platforms, collect_platforms,
};
use entente_app::config::Config;
use entente_app::now;
use entente_app::remembered::{Memory, RememberError};
use entente_app::watch::{Event, Tell, Watching};
use entente_connect::connector::Watch;
use entente_connect::live::{Cancel, CheckReport, RightState};
use entente_store::Address;
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::{
    CheckArguments, CollectArguments, Configuration, StoreAddress, WatchArguments,
};
use crate::failure::{EXIT_FINDINGS, EXIT_UNFINISHED, Failure};
use crate::output::{self, platforms};
use crate::progress::Progress;

/// Validates the configuration, logs in to each platform, says what is there and what the account may.
pub fn check(arguments: &CheckArguments) -> Result<ExitCode, Failure> {
    let config = read(&arguments.configuration)?;
    let chosen = config.chosen(&arguments.configuration.platforms)?;
    output::talk(&format!(
        "{}: no mistakes, {} of {} platform(s) to log in to",
        config.file.display(),
        chosen.len(),
        config.platforms.len()
    ));
    let outcomes =
        wait(async move |cancel: Cancel| check_platforms(&chosen, now(), &cancel).await)?;
    complain(&outcomes);
    output::print(arguments.output, &platforms::Checked::of(&outcomes))?;
    let lacking = |report: &CheckReport| {
        report.rights.iter().any(|(_, state)| matches!(state, RightState::Lacking(_)))
    };
    Ok(if outcomes.iter().any(|it| it.result.is_err()) {
        ExitCode::from(EXIT_UNFINISHED)
    } else if outcomes.iter().any(|it| it.result.as_ref().is_ok_and(lacking)) {
        ExitCode::from(EXIT_FINDINGS)
    } else {
        ExitCode::SUCCESS
    })
}

/// Reads each platform into a collection of its own.
pub fn collect(arguments: &CollectArguments) -> Result<ExitCode, Failure> {
    let config = read(&arguments.configuration)?;
    let chosen = config.chosen(&arguments.configuration.platforms)?;
    let progress = Arc::new(Progress::new());
    let watch: Arc<dyn Watch + Send> = progress.clone();
    let (address, folder) = (store(&config, &arguments.store)?, arguments.out.clone());
    let outcomes = wait(async move |cancel: Cancel| {
        let destination = match folder {
            Some(folder) => Destination::Folder(folder),
            None => Destination::Store(Arc::new(Memory::open(&address).await?)),
        };
        let outcomes = collect_platforms(&chosen, now(), &destination, &cancel, &watch).await;
        Ok::<_, RememberError>(outcomes)
    })??;
    progress.done();
    complain(&outcomes);
    output::print(arguments.output, &platforms::Collected::of(&outcomes))?;
    let failed = outcomes.iter().any(|it| it.result.is_err());
    Ok(if failed { ExitCode::from(EXIT_UNFINISHED) } else { ExitCode::SUCCESS })
}

/// Reads platforms again and again, until it is told to stop.
pub fn watch(arguments: &WatchArguments) -> Result<ExitCode, Failure> {
    let config = read(&arguments.configuration)?;
    let chosen = config.chosen(&arguments.configuration.platforms)?;
    let address = store(&config, &arguments.store)?;
    let (lease, retention) = (arguments.lease, config.retention);
    let watching = Watching { holder: holder(), lease, retention };
    let as_json = arguments.json;
    let tell: Tell = Arc::new(move |event: Event| {
        let line = platforms::Line::of(&event);
        // Whoever read this went away: the store is what counts.
        let _ = output::write(|out| line.write(as_json, out));
    });
    wait(async move |cancel: Cancel| {
        let memory = Arc::new(Memory::open(&address).await?);
        entente_app::watch::watch(&chosen, &memory, &watching, &cancel, &tell).await;
        memory.store().close().await;
        Ok::<_, RememberError>(())
    })??;
    Ok(ExitCode::SUCCESS)
}

/// The store named, or the configured one.
fn store(config: &Config, given: &StoreAddress) -> Result<Address, Failure> {
    Ok(match &given.store {
        Some(given) => Config::store_named(given)?,
        None => config.store()?,
    })
}

/// A name that no other process has: machine, process, and when it began.
fn holder() -> String {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}/{}/{}", machine.trim(), std::process::id(), now())
}

fn read(configuration: &Configuration) -> Result<Config, Failure> {
    Ok(Config::read(&configuration.file.config)?)
}

/// Runs to the end; the first interruption, or the word to terminate, asks it to stop, and what was read
/// until then is kept.
pub fn wait<T>(work: impl AsyncFnOnce(Cancel) -> T) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal(&error.into()))?;
    let cancel = Cancel::new();
    let asked = cancel.clone();
    runtime.spawn(async move {
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
        let mut stop = async || {
            tokio::select! {
                interrupted = tokio::signal::ctrl_c() => interrupted.is_ok(),
                terminated = terminate.recv() => terminated.is_some(),
            }
        };
        if stop().await {
            output::talk("stopping; what was read until now is kept (once more: stop at once)");
            asked.cancel();
        }
        if stop().await {
            std::process::exit(i32::from(EXIT_UNFINISHED));
        }
    });
    let done = runtime.block_on(work(cancel));
    // A thread that still parses an answer of which nobody wants the rest must not hold up the end.
    runtime.shutdown_background();
    Ok(done)
}

/// Says what went wrong, platform by platform.
fn complain<T>(outcomes: &[Outcome<T>]) {
    for error in outcomes.iter().filter_map(|it| it.result.as_ref().err()) {
        output::talk(&Failure::platform(error).to_string());
    }
}

/// What an error of a platform is for people.
impl Failure {
    fn platform(error: &PlatformError) -> Self {
        Self::of(error.code(), error, error.hint(), EXIT_UNFINISHED)
    }
}
