//! `entente import`, `estate`, `show`, `changes` and `store`: what the store remembers.

use std::path::Path;
use std::process::ExitCode;

use entente_app::config::{Config, RetentionPolicy, STORE};
use entente_app::freshness::Freshness;
use entente_app::now_utc;
use entente_app::remembered::{Memory, RememberError};
use entente_identity::Choice;
use entente_store::query::{QueryLimits, catalogue, examples};
use entente_store::{Address, AsOf, ChangesOf, KINDS, Retention};

use crate::arguments::{
    ChangesArguments, DecideArguments, EstateArguments, ImportArguments, LinksArguments, Listing,
    QueryArguments, ShowArguments, StoreChoice, StoreCommand, Time,
};
use crate::failure::{EXIT_FINDINGS, Failure};
use crate::output::{
    self, changes as changes_screens, links as links_screens, query as query_screens,
    remembered as screens, show as show_screens,
};
use crate::platforms::wait;
use crate::progress::Progress;

/// Memory that SQLite may take for a query.
const QUERY_BYTES_MAX: u64 = 1 << 30;

/// Puts exports and collections into the store.
pub fn import(arguments: &ImportArguments) -> Result<ExitCode, Failure> {
    let progress = Progress::new();
    let imported = with_new_store(&arguments.store, async |memory| {
        memory.import(&arguments.paths, &progress).await
    });
    progress.done();
    output::print(arguments.output, &screens::Imports::of(&imported?))?;
    Ok(ExitCode::SUCCESS)
}

/// Shows the estate, or one of its lists.
pub fn estate(arguments: &EstateArguments) -> Result<ExitCode, Failure> {
    let as_of = as_of(arguments.at);
    let kind = arguments.list.as_deref().map(known_kind).transpose()?;
    let (mut estate, ages) =
        with_store(&arguments.store, async |memory| memory.estate(as_of).await)?;
    let wanted = |platform: &str| {
        arguments.platforms.is_empty() || arguments.platforms.iter().any(|it| it == platform)
    };
    match kind {
        None => {
            estate.platforms.retain(|it| wanted(it.id.as_str()));
            output::print(arguments.output, &screens::Summary::of(&estate, &ages))?;
        }
        Some(kind) => {
            let list = screens::List::of(&estate, kind, &wanted, arguments.name.as_deref());
            output::print(arguments.output, &list)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows one workload.
pub fn show(arguments: &ShowArguments) -> Result<ExitCode, Failure> {
    let as_of = as_of(arguments.at);
    let shown =
        with_store(&arguments.store, async |memory| memory.show(&arguments.workload, as_of).await)?;
    let at = arguments.at.map_or_else(now_utc, |it| it.from(now_utc()));
    output::print(arguments.output, &show_screens::Facts::of(shown, at))?;
    Ok(ExitCode::SUCCESS)
}

/// Shows what changed.
pub fn changes(arguments: &ChangesArguments) -> Result<ExitCode, Failure> {
    let now = now_utc();
    let kinds: Result<Vec<String>, Failure> =
        arguments.kinds.iter().map(|it| known_kind(it).map(str::to_owned)).collect();
    let of = ChangesOf {
        after: arguments.since.or(arguments.between.first().copied()).map(|it| it.from(now)),
        until: arguments.between.get(1).map(|it| it.from(now)),
        kinds: kinds?,
        platforms: arguments.platforms.clone(),
        things: None,
    };
    let changes = with_store(&arguments.store, async |memory| match &arguments.workload {
        Some(workload) => memory.history(workload, &of).await,
        None => memory.changes(&of).await,
    })?;
    output::print(arguments.output, &changes_screens::Changed::of(changes))?;
    Ok(ExitCode::SUCCESS)
}

/// Asks the estate in SQL.
pub fn query(arguments: &QueryArguments) -> Result<ExitCode, Failure> {
    if arguments.list {
        output::print(arguments.output, &query_screens::Views::of(catalogue()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let sql = match (&arguments.file, arguments.example.as_deref()) {
        (Some(path), _) => {
            std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?
        }
        (None, Some("")) => {
            output::print(arguments.output, &query_screens::Examples::of(&examples()))?;
            return Ok(ExitCode::SUCCESS);
        }
        (None, Some(name)) => example(name)?,
        (None, None) => arguments.sql.clone().unwrap_or_default(),
    };
    let as_of = as_of(arguments.at);
    let limits = QueryLimits {
        rows: arguments.rows,
        time: arguments.time,
        // This process does nothing else.
        process_memory_bytes: Some(QUERY_BYTES_MAX),
        ..QueryLimits::usual(now_utc())
    };
    let answer =
        with_store(&arguments.store, async |memory| memory.query(&sql, as_of, &limits).await)?;
    for note in &answer.notes {
        output::talk(note);
    }
    if let Some(reached) = answer.truncated {
        output::talk(&format!("not all of it: {}", query_screens::reached(reached)));
    }
    output::print(arguments.output, &query_screens::Answer::of(answer))?;
    Ok(ExitCode::SUCCESS)
}

fn example(name: &str) -> Result<String, Failure> {
    let all = examples();
    let found = all.iter().find(|it| it.name == name).map(|it| it.sql.to_owned());
    found.ok_or_else(|| {
        Failure::unknown_example(name, entente_expr::nearest(name, all.iter().map(|it| it.name)))
    })
}

/// Shows which workloads are one.
pub fn links(arguments: &LinksArguments) -> Result<ExitCode, Failure> {
    let identities = with_store(&arguments.store, async |memory| memory.identities().await)?;
    let links = links_screens::Links::of(&identities, arguments.workload.as_deref(), arguments.all);
    output::print(arguments.output, &links)?;
    Ok(ExitCode::SUCCESS)
}

/// Decides that two workloads are one, or are not.
pub fn decide(arguments: &DecideArguments, choice: Choice) -> Result<ExitCode, Failure> {
    let pair = (arguments.a.as_str(), arguments.b.as_str());
    let (by, reason) = (&arguments.by, &arguments.reason);
    with_store(&arguments.store, async |memory| {
        memory.decide(choice, pair, by, reason, now_utc()).await
    })?;
    output::talk("decided; `entente links --all` shows what it means");
    Ok(ExitCode::SUCCESS)
}

/// Looks after the store.
pub fn store(command: &StoreCommand) -> Result<ExitCode, Failure> {
    match command {
        StoreCommand::Stats(arguments) => {
            let stats =
                with_store(&arguments.store, async |memory| Ok(memory.store().stats().await?))?;
            output::print(arguments.output, &screens::Sizes::of(stats))?;
        }
        StoreCommand::Check(arguments) => {
            let mistakes =
                with_store(&arguments.store, async |memory| Ok(memory.store().check().await?))?;
            let is_sound = mistakes.is_empty();
            output::print(arguments.output, &screens::Mistakes::of(mistakes))?;
            return Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::from(EXIT_FINDINGS) });
        }
        StoreCommand::Backup { file, store } => {
            with_store(store, async |memory| Ok(memory.store().backup(file).await?))?;
            output::talk(&format!("copy: {}", file.display()));
        }
        StoreCommand::Restore { file, store } => {
            with_new_store(store, async |memory| Ok(memory.store().restore(file).await?))?;
            output::talk(&format!("restored from {}", file.display()));
        }
        StoreCommand::Compact { states_before, samples_before, store } => {
            let now = now_utc();
            let policy = settings(store)?.retention.keep(now);
            let keep = Retention {
                states_before: states_before.map(|it| it.from(now)).or(policy.states_before),
                samples_before: samples_before.map(|it| it.from(now)).or(policy.samples_before),
            };
            let gone = with_store(store, async |memory| Ok(memory.store().compact(keep).await?))?;
            output::print(Listing::Table, &screens::Sizes::gone(gone))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Works with the store that there is: asking does not make one.
pub fn with_store<T>(
    choice: &StoreChoice,
    work: impl AsyncFnOnce(&Memory) -> Result<T, RememberError>,
) -> Result<T, Failure> {
    let settings = settings(choice)?;
    if !Memory::exists(&settings.address) {
        return Err(RememberError::Nothing { store: settings.address.to_string() }.into());
    }
    work_with(settings, work)
}

/// Opens the store, or makes one, and works with it.
fn with_new_store<T>(
    choice: &StoreChoice,
    work: impl AsyncFnOnce(&Memory) -> Result<T, RememberError>,
) -> Result<T, Failure> {
    work_with(settings(choice)?, work)
}

fn work_with<T>(
    settings: Settings,
    work: impl AsyncFnOnce(&Memory) -> Result<T, RememberError>,
) -> Result<T, Failure> {
    let outcome = wait(async move |_| {
        let memory = Memory::open(&settings.address).await?.with_freshness(settings.freshness);
        let outcome = work(&memory).await;
        memory.store().close().await;
        outcome
    })?;
    Ok(outcome?)
}

/// What the configuration says of the store.
struct Settings {
    address: Address,
    freshness: Freshness,
    retention: RetentionPolicy,
}

/// Of the store named, the configured one, or the one beside where a configuration would be. What is not
/// about its place comes from the configuration, whichever store it is.
fn settings(choice: &StoreChoice) -> Result<Settings, Failure> {
    let file = &choice.file.config;
    let config = if file.exists() { Some(Config::read(file)?) } else { None };
    let address = match (&choice.address.store, &config) {
        (Some(given), _) => Config::store_named(given)?,
        (None, Some(config)) => config.store()?,
        (None, None) => Address::File(file.parent().unwrap_or(Path::new("")).join(STORE)),
    };
    let (freshness, retention) = config.map(|it| (it.freshness, it.retention)).unwrap_or_default();
    Ok(Settings { address, freshness, retention })
}

fn as_of(at: Option<Time>) -> AsOf {
    at.map_or(AsOf::Latest, |it| AsOf::Time(it.from(now_utc())))
}

/// A list by its name, as people write it.
fn known_kind(given: &str) -> Result<&'static str, Failure> {
    let plain = given.replace([' ', '-'], "_").to_lowercase();
    let found = KINDS.iter().find(|it| **it == plain).copied();
    found.ok_or_else(|| {
        RememberError::UnknownKind { given: given.to_owned(), known: KINDS.to_vec() }.into()
    })
}
