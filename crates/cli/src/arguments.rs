//! What can be asked on the command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use entente_app::config::length_of_time;
use entente_model::{Date, Moment};
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

/// The control plane for estates that run on more than one virtualization platform.
#[derive(Debug, Parser)]
#[command(name = "entente", version, about, long_about = None, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Validate the configuration, log in to each platform, and tell versions and rights
    Check(CheckArguments),
    /// Read platforms, each into a collection of its own
    Collect(CollectArguments),
    /// Assess exports and collections: what runs, what it leans on, what stops it from living elsewhere
    Assess(AssessArguments),
    /// Read platforms again and again, and follow what changes, each by one process at a time
    Watch(WatchArguments),
    /// Put exports and collections into the store, each at its own time
    Import(ImportArguments),
    /// Show the estate, now or as of a time: a summary, or one of its lists
    Estate(EstateArguments),
    /// Show everything that is known of one workload, fact by fact, with source and age
    Show(ShowArguments),
    /// Show what changed, since when, and who worked on it
    Changes(ChangesArguments),
    /// Ask the estate in SQL: one select over documented views
    Query(QueryArguments),
    /// Show which workloads are one over sources and platforms: links, proposals, contradictions
    Links(LinksArguments),
    /// Decide that two workloads are one
    Link(DecideArguments),
    /// Decide that two workloads are not one
    Unlink(DecideArguments),
    /// Look after the store: its size, its health, copies of it, what may go
    Store {
        /// What to do
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Print the page of an error, a finding or a readiness check
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain {
        /// `ENT-0104` or the id of a check; without one, all are listed
        code: Option<String>,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Generate a simulated estate and write the exports that it would produce
    #[cfg(feature = "demo")]
    Demo(DemoArguments),
}

const EXPLAIN_EXAMPLES: &str = "Examples:
  entente explain ENT-0104
  entente explain disk-raw-mapping-physical
  entente explain";

const ASSESS_EXAMPLES: &str = "Examples:
  entente assess export.xlsx
  entente assess                      # what the store remembers
  entente assess vcenter-a.xlsx vcenter-b.zip --report report.html
  entente assess exports/ --target proxmox --target kvm --output json > assessment.json
  entente assess export.xlsx --overlay cmdb.csv --mask --report for-the-vendor.html
  entente assess export.xlsx --target ahv --fail-on blocker

Exit codes: 0 fine; 1 something is as bad as --fail-on says; 2 the input or the arguments cannot be
used; 3 could not finish.";

/// `entente assess`.
#[derive(Debug, Args)]
#[command(after_help = ASSESS_EXAMPLES)]
pub struct AssessArguments {
    /// Exports: RVTools workbooks (.xlsx), or folders or .zip archives of RVTools_tab*.csv; and
    /// collections, or folders of them; several become one estate. Without any, what the store
    /// remembers
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub exports: Vec<PathBuf>,
    /// Which store.
    #[command(flatten)]
    pub store: StoreChoice,
    /// Target platform to judge readiness for (ahv, proxmox, kvm, kubevirt); may be repeated; all by
    /// default
    #[arg(short, long = "target", value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Table (CSV or .xlsx) that adds application, owner, tier, data sensitivity, environment and
    /// labels, matched by name, DNS name, IP or UUID
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub overlay: Option<PathBuf>,
    /// File (YAML) of readiness checks to add or override
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub checks: Option<PathBuf>,
    /// Replace names, addresses and ids consistently, so that the result can be shown to outsiders
    #[arg(long)]
    pub mask: bool,
    /// Form of what is written to stdout; csv and json hold every workload
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    pub output: Form,
    /// Also write the report, one self-contained HTML file, here
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub report: Option<PathBuf>,
    /// Exit with 1 if any machine is this bad on any target judged
    #[arg(long, value_enum, value_name = "VERDICT")]
    pub fail_on: Option<Threshold>,
    /// Judge ages and support windows as of this day instead of today
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub as_of: Option<Date>,
}

/// Form of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// A summary for people
    Table,
    /// The whole assessment, by the schema entente.assessment/1
    Json,
    /// One row a workload
    Csv,
    /// The summary for a document or a pull request
    Markdown,
}

const CHECK_EXAMPLES: &str = "Examples:
  entente check
  entente check vc-berlin --config /etc/entente/entente.toml --output json

Exit codes: 0 fine; 1 an account lacks rights; 2 the configuration cannot be used;
3 a platform could not be logged in to.";

const COLLECT_EXAMPLES: &str = "Examples:
  entente collect
  entente collect vc-berlin pve
  entente collect --out collections && entente assess collections/

Exit codes: 0 every platform was read, gaps included; 2 the configuration cannot be used;
3 a platform could not be read.";

/// Which configuration.
#[derive(Debug, Args)]
pub struct ConfigurationFile {
    /// The configuration
    #[arg(
        short,
        long,
        value_name = "FILE",
        env = "ENTENTE_CONFIG",
        hide_env_values = true,
        default_value = "entente.toml",
        value_hint = ValueHint::FilePath
    )]
    pub config: PathBuf,
}

/// Which platforms of which configuration.
#[derive(Debug, Args)]
pub struct Configuration {
    /// Platforms by id; all by default
    #[arg(value_name = "PLATFORM")]
    pub platforms: Vec<String>,
    /// Which configuration.
    #[command(flatten)]
    pub file: ConfigurationFile,
}

/// `entente check`.
#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
pub struct CheckArguments {
    /// Which platforms.
    #[command(flatten)]
    pub configuration: Configuration,
    /// Form of what is written to stdout
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub output: Listing,
}

/// `entente collect`.
#[derive(Debug, Args)]
#[command(after_help = COLLECT_EXAMPLES)]
pub struct CollectArguments {
    /// Which platforms.
    #[command(flatten)]
    pub configuration: Configuration,
    /// Where the store is.
    #[command(flatten)]
    pub store: StoreAddress,
    /// Write collections to this folder instead of the store, one file a platform, to be carried elsewhere
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Form of what is written to stdout
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub output: Listing,
}

/// Where a store is.
#[derive(Debug, Args)]
pub struct StoreAddress {
    /// The store: a file, or `env:NAME` or `file:PATH` of a postgres:// address; the configuration's by default
    #[arg(long, value_name = "STORE", env = "ENTENTE_STORE", hide_env_values = true, value_hint = ValueHint::FilePath)]
    pub store: Option<String>,
}

/// Which store: named, or of which configuration.
#[derive(Debug, Args)]
pub struct StoreChoice {
    /// Where it is.
    #[command(flatten)]
    pub address: StoreAddress,
    /// Which configuration.
    #[command(flatten)]
    pub file: ConfigurationFile,
}

/// `entente import`.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// Exports: RVTools workbooks (.xlsx), or folders or .zip archives of RVTools_tab*.csv; and
    /// collections, or folders of them
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Which store.
    #[command(flatten)]
    pub store: StoreChoice,
    /// Form of what is written to stdout
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub output: Listing,
}

const TIMES: &str = "Times are 2026-03-31, 2026-03-31T06:00:00Z, or ages: 36h, 7d, 4w.";

/// `entente estate`.
#[derive(Debug, Args)]
#[command(after_help = TIMES)]
pub struct EstateArguments {
    /// A list: workloads, hosts, clusters, datastores, networks, roles, grants …; a summary without one
    pub list: Option<String>,
    /// As of this time instead of now
    #[arg(long, value_name = "TIME")]
    pub at: Option<Time>,
    /// Of this platform alone; may be repeated
    #[arg(long = "platform", value_name = "PLATFORM")]
    pub platforms: Vec<String>,
    /// Only what has these words in its name
    #[arg(long, value_name = "WORDS")]
    pub name: Option<String>,
    /// Which store.
    #[command(flatten)]
    pub store: StoreChoice,
    /// Form of what is written to stdout
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub output: Listing,
}

/// `entente show`.
#[derive(Debug, Args)]
#[command(after_help = TIMES)]
pub struct ShowArguments {
    /// Its name, id, host name, address, MAC address or UUID
    pub workload: String,
    /// As of this time instead of now
    #[arg(long, value_name = "TIME")]
    pub at: Option<Time>,
    /// Which store.
    #[command(flatten)]
    pub store: StoreChoice,
    /// Form of what is written to stdout
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub output: Listing,
}

/// `entente changes`.
#[derive(Debug, Args)]
#[command(after_help = TIMES)]
pub struct ChangesArguments {
    /// After this time
    #[arg(long, value_name = "TIME")]
    pub since: Option<Time>,
    /// After the first and up to the second of these times
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with = "since")]
    pub between: Vec<Time>,
    /// Of one workload, through all its moves: its name, id, host name, address, MAC address or UUID
    #[arg(long, value_name = "WORKLOAD", conflicts_with = "kinds")]
    pub workload: Option<String>,
    /// Of this list alone (workloads, hosts, grants …); may be repeated
    #[arg(long = "kind", value_name = "LIST")]
    pub kinds: Vec<String>,
    /// Of this platform alone; may be repeated
    #[arg(long = "platform", value_name = "PLATFORM")]
    pub platforms: Vec<String>,
    /// Which store.
    #[command(flatten)]
    pub store: StoreChoice,
    /// Form of what is written to stdout
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub output: Listing,
}

const QUERY_EXAMPLES: &str = "Examples:
  entente query \"select name, memory_bytes from workloads where power = 'off'\"
  entente query --example zombie-disks --output csv
  entente query --list
  entente query --file report.sql --at 2026-03-01";

/// `entente query`.
#[derive(Debug, Args)]
#[command(after_help = QUERY_EXAMPLES)]
pub struct QueryArguments {
    /// The query
    #[arg(required_unless_present_any = ["file", "example", "list"])]
    pub sql: Option<String>,
    /// Read the query from this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sql", "example"], value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// One of the queries that come along; an empty name lists them
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", conflicts_with = "sql")]
    pub example: Option<String>,
    /// Print the views with their columns, meanings and units
    #[arg(long, conflicts_with_all = ["sql", "file", "example"])]
    pub list: bool,
    /// As of this time instead of now
    #[arg(long, value_name = "TIME")]
    pub at: Option<Time>,
    /// Rows at most
    #[arg(long, value_name = "COUNT", default_value_t = 100_000)]
    pub rows: u32,
    /// Time at most
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_length)]
    pub time: std::time::Duration,
    /// Which store.
    #[command(flatten)]
    pub store: StoreChoice,
    /// Form of what is written to stdout
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub output: Listing,
}

fn parse_length(text: &str) -> Result<std::time::Duration, String> {
    length_of_time(text).ok_or_else(|| format!("`{text}` is no length of time such as 30s or 5m"))
}

/// `entente links`.
#[derive(Debug, Args)]
pub struct LinksArguments {
    /// Only what concerns this workload: its name, id or key
    pub workload: Option<String>,
    /// Strong links, too, and not only what waits for a decision
    #[arg(long)]
    pub all: bool,
    /// Which store.
    #[command(flatten)]
    pub store: StoreChoice,
    /// Form of what is written to stdout
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub output: Listing,
}

/// `entente link` and `entente unlink`.
#[derive(Debug, Args)]
pub struct DecideArguments {
    /// One workload: its key as `entente links` shows it, its id, or its name
    pub a: String,
    /// The other
    pub b: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Who decides; the account of this machine by default
    #[arg(
        long,
        value_name = "NAME",
        env = "USER",
        hide_env_values = true,
        default_value = "unknown"
    )]
    pub by: String,
    /// Which store.
    #[command(flatten)]
    pub store: StoreChoice,
}

/// `entente store …`.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Print how large it is and from when to when it remembers
    Stats(StoreArguments),
    /// Read all of it and say what does not hold together
    Check(StoreArguments),
    /// Write a copy, consistent whatever goes on meanwhile; it is a store of its own
    Backup {
        /// The copy; it must not be there yet
        file: PathBuf,
        /// Which store.
        #[command(flatten)]
        store: StoreChoice,
    },
    /// Fill an empty store from a copy, of either engine
    Restore {
        /// The copy
        file: PathBuf,
        /// Which store.
        #[command(flatten)]
        store: StoreChoice,
    },
    /// Throw away what may go by the configuration's `[retention]`, and give the room back
    #[command(after_help = TIMES)]
    Compact {
        /// States that ended before this time go, whatever is configured; without either, all stay
        #[arg(long, value_name = "TIME")]
        states_before: Option<Time>,
        /// Daily samples before this time go, whatever is configured; without either, those older than
        /// 400d
        #[arg(long, value_name = "TIME")]
        samples_before: Option<Time>,
        /// Which store.
        #[command(flatten)]
        store: StoreChoice,
    },
}

/// A store, and how to tell of it.
#[derive(Debug, Args)]
pub struct StoreArguments {
    /// Which store.
    #[command(flatten)]
    pub store: StoreChoice,
    /// Form of what is written to stdout
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub output: Listing,
}

/// A time as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// A moment.
    Moment(OffsetDateTime),
    /// So long ago.
    Ago(Duration),
}

impl Time {
    /// The moment, seen from now.
    pub fn from(self, now: OffsetDateTime) -> OffsetDateTime {
        match self {
            Self::Moment(moment) => moment,
            Self::Ago(ago) => now.saturating_sub(ago),
        }
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no time; {TIMES}");
        if let Some(ago) = length_of_time(text) {
            return Duration::try_from(ago).map(Self::Ago).map_err(|_| wrong());
        }
        let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
        match whole.parse() {
            Ok(Moment::Utc(moment)) => Ok(Self::Moment(moment)),
            Ok(Moment::Local(moment)) => Ok(Self::Moment(moment.assume_utc())),
            Err(_) => Err(wrong()),
        }
    }
}

/// `entente watch`.
#[derive(Debug, Args)]
pub struct WatchArguments {
    /// Which platforms.
    #[command(flatten)]
    pub configuration: Configuration,
    /// Where the store is.
    #[command(flatten)]
    pub store: StoreAddress,
    /// How long a platform stays with a process that has died: 90s, 5m
    #[arg(long, value_name = "TIME", default_value = "90s", value_parser = parse_lease)]
    pub lease: std::time::Duration,
    /// JSON Lines instead of lines for people
    #[arg(long)]
    pub json: bool,
}

fn parse_lease(text: &str) -> Result<std::time::Duration, String> {
    length_of_time(text)
        .filter(|it| it.as_secs() >= 3)
        .ok_or_else(|| format!("`{text}` is no length of time from 3s on, such as 90s or 5m"))
}

/// Forms of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Listing {
    /// Tables for people
    Table,
    /// Everything, for programs
    Json,
    /// One row a fact
    Csv,
    /// Tables for a document or a pull request
    Markdown,
}

/// What makes `assess` exit with 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Threshold {
    /// A machine is blocked
    Blocker,
    /// A machine is blocked or conditional
    Warning,
    /// A machine is not known to be ready as far as this export can see
    Unknown,
}

/// `entente demo`.
#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Folder to write to
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// How many workloads
    #[arg(long, default_value_t = 1200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub workloads: u32,
    /// Seed: the same seed gives the same estate
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

fn parse_date(text: &str) -> Result<Date, String> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .map_err(|_| "expected a date as YYYY-MM-DD".to_owned())
}
