//! `entente.toml`: which platforms there are, how to log in to them, whom to trust, how far to go.
//!
//! A mistake is told with line, column and the nearest word that would be right; all that can be found
//! at once are. Secrets never stand in the file: it names a variable of the environment or a file, and
//! they are read when they are needed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use entente_connect::live::{Credentials, Fingerprint, Live, LiveLimits, Secret, Target, Trust};
use entente_expr::{Diagnostic, nearest};
use entente_model::{Moment, PlatformId, Text};
use entente_store::Address;
use serde::Deserialize;
use toml::Spanned;

use crate::freshness::Freshness;
pub use policy::{RetentionPolicy, length_of_time};
use policy::{WrittenExports, WrittenRetention};

/// The store where none is configured, beside the configuration.
pub const STORE: &str = "entente-data/entente.db";

/// A configuration that was read and has no mistakes.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file.
    pub file: PathBuf,
    /// Platforms, by id.
    pub platforms: Vec<PlatformConfig>,
    /// How old what is known may be.
    pub freshness: Freshness,
    /// How long things are kept.
    pub retention: RetentionPolicy,
    /// Where what was seen is kept.
    store: StorePlace,
}

/// Where the store is; an address with a password by reference.
#[derive(Clone, Debug)]
enum StorePlace {
    /// One file.
    File(PathBuf),
    /// A server, whose address holds no password.
    Server(String),
    /// A server, whose address is a secret.
    Secret(SecretPlace),
}

/// One platform of the configuration.
#[derive(Clone, Debug)]
pub struct PlatformConfig {
    /// Its id in the estate.
    pub id: PlatformId,
    /// Name of its connector.
    pub connector: &'static str,
    /// Address.
    pub address: Text,
    /// Site where it stands.
    pub site: Option<Text>,
    /// Who answers for it.
    pub owner: Option<Text>,
    /// How far to go.
    pub limits: LiveLimits,
    /// How often it is read by `entente watch`.
    pub every: Duration,
    live: &'static dyn Live,
    log_in: LogIn,
    trust: Trust,
}

/// What to log in with; secrets by reference.
#[derive(Clone, Debug)]
enum LogIn {
    Nothing,
    Password { user: Text, password: SecretPlace },
    Token { id: Text, secret: SecretPlace },
    Certificate { certificate: PathBuf, key: PathBuf },
}

/// Where a secret is.
#[derive(Clone, Debug)]
enum SecretPlace {
    Variable(String),
    File(PathBuf),
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration `{file}` cannot be read")]
    Unreadable {
        /// Where.
        file: String,
        /// Why.
        #[source]
        reason: std::io::Error,
    },
    /// It has mistakes.
    #[error("the configuration `{file}` has {} mistake(s)", mistakes.len())]
    Mistakes {
        /// Where.
        file: String,
        /// Its text.
        text: String,
        /// All of them, in the order of the file.
        mistakes: Vec<Diagnostic>,
    },
    /// A secret is not where the configuration says.
    #[error("the secret of `{platform}` cannot be read from {place}: {reason}")]
    Secret {
        /// Whose.
        platform: PlatformId,
        /// Where it should be.
        place: String,
        /// Why not.
        reason: String,
    },
    /// The store's address is not where the configuration says.
    #[error("the address of the store cannot be read from {place}: {reason}")]
    StoreSecret {
        /// Where it should be.
        place: String,
        /// Why not.
        reason: String,
    },
    /// A platform was asked for that is not configured.
    #[error("there is no platform `{given}` in `{file}`")]
    UnknownPlatform {
        /// What was asked for.
        given: String,
        /// In which configuration.
        file: String,
        /// Those there are.
        known: Vec<String>,
    },
}

impl ConfigError {
    /// The stable code, with a page in `docs/errors/`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "ENT-0120",
            Self::Mistakes { .. } => "ENT-0121",
            Self::Secret { .. } | Self::StoreSecret { .. } => "ENT-0122",
            Self::UnknownPlatform { .. } => "ENT-0123",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => {
                "name the file with `--config FILE`; docs/configuration.md shows one".into()
            }
            Self::Mistakes { file, text, mistakes } => {
                let shown = mistakes.iter().map(|it| {
                    format!("{file}:{}:{}: {}", it.line, it.column, it.render(text))
                });
                shown.collect::<Vec<_>>().join("\n")
            }
            Self::Secret { .. } | Self::StoreSecret { .. } => {
                "set the variable in the environment of this command, or let this user read the file".into()
            }
            Self::UnknownPlatform { given, known, .. } => {
                match nearest(given, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("platforms are {}", known.join(", ")),
                }
            }
        }
    }
}

impl Config {
    /// Reads a configuration.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|reason| ConfigError::Unreadable { file: file.clone(), reason })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        parse(&text, path, folder).map_err(|mistakes| ConfigError::Mistakes {
            file,
            text,
            mistakes,
        })
    }

    /// Where what was seen is kept.
    pub fn store(&self) -> Result<Address, ConfigError> {
        self.store.address()
    }

    /// A store that is named in the same way outside of a configuration.
    pub fn store_named(given: &str) -> Result<Address, ConfigError> {
        StorePlace::of(given, Path::new("")).address()
    }

    /// The platforms asked for; all if none is named.
    pub fn chosen(&self, asked: &[String]) -> Result<Vec<&PlatformConfig>, ConfigError> {
        let asked: BTreeSet<&str> = asked.iter().map(String::as_str).collect();
        for given in &asked {
            if !self.platforms.iter().any(|it| it.id.as_str() == *given) {
                return Err(ConfigError::UnknownPlatform {
                    given: (*given).to_owned(),
                    file: self.file.display().to_string(),
                    known: self.platforms.iter().map(|it| it.id.to_string()).collect(),
                });
            }
        }
        let chosen = self.platforms.iter();
        Ok(chosen.filter(|it| asked.is_empty() || asked.contains(it.id.as_str())).collect())
    }
}

impl PlatformConfig {
    /// Its connector.
    pub(crate) fn live(&self) -> &'static dyn Live {
        self.live
    }

    /// Everything that its connector needs, secrets included.
    pub fn target(&self, taken: Moment) -> Result<Target, ConfigError> {
        let reveal = |place: &SecretPlace| {
            place.reveal().map(Secret::new).map_err(|reason| ConfigError::Secret {
                platform: self.id.clone(),
                place: place.to_string(),
                reason,
            })
        };
        let credentials = match &self.log_in {
            LogIn::Nothing => Credentials::None,
            LogIn::Password { user, password } => {
                Credentials::Password { user: user.clone(), password: reveal(password)? }
            }
            LogIn::Token { id, secret } => {
                Credentials::Token { id: id.clone(), secret: reveal(secret)? }
            }
            LogIn::Certificate { certificate, key } => {
                Credentials::Certificate { certificate: certificate.clone(), key: key.clone() }
            }
        };
        Ok(Target {
            id: self.id.clone(),
            address: self.address.clone(),
            site: self.site.clone(),
            owner: self.owner.clone(),
            credentials,
            trust: self.trust.clone(),
            limits: self.limits,
            taken,
        })
    }
}

impl SecretPlace {
    /// `env:NAME` or `file:PATH`.
    fn of(text: &str, folder: &Path) -> Option<Self> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Some(Self::Variable(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Some(Self::File(folder.join(path))),
            _ => None,
        }
    }

    fn reveal(&self) -> Result<String, String> {
        let text = match self {
            Self::Variable(name) => std::env::var(name).map_err(|error| error.to_string())?,
            Self::File(path) => std::fs::read_to_string(path).map_err(|error| error.to_string())?,
        };
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() { Err("it is empty".into()) } else { Ok(secret.to_owned()) }
    }
}

impl std::fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the variable `{name}`"),
            Self::File(path) => write!(f, "the file `{}`", path.display()),
        }
    }
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    store: Option<Spanned<String>>,
    every: Option<Spanned<String>>,
    fresh_for: Option<Spanned<String>>,
    #[serde(default)]
    exports: WrittenExports,
    #[serde(default)]
    retention: WrittenRetention,
    #[serde(default)]
    limits: WrittenLimits,
    #[serde(default)]
    platforms: BTreeMap<Spanned<String>, Spanned<WrittenPlatform>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPlatform {
    connector: Spanned<String>,
    address: Spanned<String>,
    site: Option<Text>,
    owner: Option<Text>,
    user: Option<Spanned<String>>,
    password: Option<Spanned<String>>,
    token: Option<Spanned<String>>,
    secret: Option<Spanned<String>>,
    certificate: Option<Spanned<PathBuf>>,
    key: Option<Spanned<PathBuf>>,
    ca: Option<Spanned<PathBuf>>,
    pin: Option<Spanned<String>>,
    every: Option<Spanned<String>>,
    fresh_for: Option<Spanned<String>>,
    #[serde(default)]
    limits: WrittenLimits,
}

macro_rules! written_limits {
    ($($name:ident: $type:ty),* $(,)?) => {
        /// Limits as they are written; what is left out keeps its default.
        #[derive(Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct WrittenLimits {
            $($name: Option<Spanned<$type>>,)*
        }

        impl WrittenLimits {
            fn lay_over(&self, limits: &mut LiveLimits, mistakes: &mut Mistakes<'_>) {
                $(if let Some(given) = &self.$name {
                    if *given.get_ref() == 0 {
                        mistakes.add(
                            given.span(),
                            concat!("`", stringify!($name), "` must be at least 1"),
                            Some("leave it out for the default".into()),
                        );
                    }
                    limits.$name = *given.get_ref();
                })*
            }
        }
    };
}

written_limits! {
    connect_seconds: u64, idle_seconds: u64, answer_seconds: u64, collection_seconds: u64,
    answer_bytes_max: u64, objects_max: u64, page_objects: u32, parallel_calls: usize,
    retries_max: u32, retry_wait_seconds_max: u64, activity_days: u32, activities_max: u64,
}

/// Mistakes as they are found.
struct Mistakes<'a> {
    text: &'a str,
    found: Vec<Diagnostic>,
}

impl Mistakes<'_> {
    fn add(&mut self, span: Range<usize>, message: impl Into<String>, hint: Option<String>) {
        self.found.push(Diagnostic::at(self.text, span, message).hint(hint));
    }
}

fn parse(text: &str, file: &Path, folder: &Path) -> Result<Config, Vec<Diagnostic>> {
    let mut mistakes = Mistakes { text, found: Vec::new() };
    let written: Written = match toml::from_str(text) {
        Ok(written) => written,
        Err(error) => {
            let message = error.message().lines().next().unwrap_or_default();
            mistakes.add(error.span().unwrap_or(0..0), message, meant(message));
            return Err(mistakes.found);
        }
    };
    let mut limits = LiveLimits::default();
    written.limits.lay_over(&mut limits, &mut mistakes);
    if written.platforms.is_empty() {
        let hint = "add a table such as `[platforms.vc-berlin]`".to_owned();
        mistakes.add(0..0, "no platform is configured", Some(hint));
    }
    let mut platforms = Vec::new();
    let every = policy::time(written.every.as_ref(), &mut mistakes).unwrap_or(EVERY);
    let mut freshness =
        policy::freshness(written.fresh_for.as_ref(), &written.exports, &mut mistakes);
    let retention = written.retention.read(&mut mistakes);
    for (id, platform) in &written.platforms {
        if let Some(limit) = policy::time(platform.get_ref().fresh_for.as_ref(), &mut mistakes) {
            freshness.platforms.insert(id.get_ref().clone(), limit);
        }
        let mut reader = PlatformReader { folder, id, every, mistakes: &mut mistakes };
        platforms.extend(reader.read(platform, limits));
    }
    let store = store_place(written.store.as_ref(), folder, &mut mistakes);
    if mistakes.found.is_empty() {
        Ok(Config { file: file.to_owned(), platforms, freshness, retention, store })
    } else {
        mistakes.found.sort();
        Err(mistakes.found)
    }
}

impl StorePlace {
    /// A file, a server, or a reference to the address of one.
    fn of(text: &str, folder: &Path) -> Self {
        let is_server = text.starts_with("postgres://") || text.starts_with("postgresql://");
        match SecretPlace::of(text, folder) {
            Some(place) => Self::Secret(place),
            None if is_server => Self::Server(text.to_owned()),
            None => Self::File(folder.join(text)),
        }
    }

    fn address(&self) -> Result<Address, ConfigError> {
        match self {
            Self::File(path) => Ok(Address::File(path.clone())),
            Self::Server(url) => Ok(Address::Postgres(url.clone())),
            Self::Secret(place) => place
                .reveal()
                .map(Address::Postgres)
                .map_err(|reason| ConfigError::StoreSecret { place: place.to_string(), reason }),
        }
    }
}

/// How often a platform is read where nothing is said.
const EVERY: Duration = Duration::from_secs(900);

/// Where the store is, as it is written.
fn store_place(
    given: Option<&Spanned<String>>,
    folder: &Path,
    mistakes: &mut Mistakes<'_>,
) -> StorePlace {
    let Some(given) = given else { return StorePlace::File(folder.join(STORE)) };
    let place = StorePlace::of(given.get_ref().trim(), folder);
    let has_password = |url: &str| {
        let account = url.rsplit_once('@').map_or("", |it| it.0);
        account.split_once("://").is_some_and(|it| it.1.contains(':'))
    };
    if let StorePlace::Server(url) = &place
        && has_password(url)
    {
        let hint = "write `env:NAME` or `file:PATH`, and keep the whole address there";
        // The caret line would show the secret itself: point at the beginning alone.
        let start = given.span().start;
        let message = "a password does not stand in the configuration";
        mistakes.add(start..start, message, Some(hint.into()));
    }
    place
}

/// What was probably meant by an unknown field, from the parser's own list of what it expected.
fn meant(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let given = quoted.next()?;
    let expected: Vec<&str> = quoted.collect();
    match nearest(given, expected.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if expected.is_empty() => None,
        None => Some(format!("known here are {}", expected.join(", "))),
    }
}

/// Reads one platform's table.
struct PlatformReader<'a, 'b> {
    folder: &'a Path,
    id: &'a Spanned<String>,
    every: Duration,
    mistakes: &'a mut Mistakes<'b>,
}

impl PlatformReader<'_, '_> {
    fn read(
        &mut self,
        written: &Spanned<WrittenPlatform>,
        mut limits: LiveLimits,
    ) -> Option<PlatformConfig> {
        let it = written.get_ref();
        it.limits.lay_over(&mut limits, self.mistakes);
        let id = self.id();
        let (connector, live) = self.connector(&it.connector).unzip();
        if it.address.get_ref().trim().is_empty() {
            self.mistakes.add(it.address.span(), "the address is empty", None);
        }
        let every = policy::time(it.every.as_ref(), self.mistakes).unwrap_or(self.every);
        let log_in = self.log_in(it);
        let trust = self.trust(it);
        Some(PlatformConfig {
            id: id?,
            connector: connector?,
            live: live?,
            address: it.address.get_ref().trim().into(),
            site: it.site.clone(),
            owner: it.owner.clone(),
            limits,
            every,
            log_in: log_in?,
            trust: trust?,
        })
    }

    /// An id names a file of its collection, too, and is typed on command lines.
    fn id(&mut self) -> Option<PlatformId> {
        let id = self.id.get_ref();
        let plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.');
        if id.chars().all(plain) && id.starts_with(|it: char| it.is_ascii_alphanumeric()) {
            return id.parse().ok();
        }
        let message = format!("`{id}` cannot be the id of a platform");
        let hint = "use letters, digits, `-`, `_` and `.`, beginning with a letter or digit";
        self.mistakes.add(self.id.span(), message, Some(hint.into()));
        None
    }

    fn connector(&mut self, given: &Spanned<String>) -> Option<(&'static str, &'static dyn Live)> {
        let found = entente_connect::platforms().find(|(name, _)| name == given.get_ref());
        if found.is_some() {
            return found;
        }
        let known: Vec<&'static str> = entente_connect::platforms().map(|it| it.0).collect();
        let hint = match nearest(given.get_ref(), known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("connectors are {}", known.join(", ")),
        };
        let message = format!("there is no connector `{}` for live platforms", given.get_ref());
        self.mistakes.add(given.span(), message, Some(hint));
        None
    }

    fn log_in(&mut self, it: &WrittenPlatform) -> Option<LogIn> {
        match (&it.user, &it.password, &it.token, &it.secret, &it.certificate, &it.key) {
            (None, None, None, None, None, None) => Some(LogIn::Nothing),
            (Some(user), Some(password), None, None, None, None) => Some(LogIn::Password {
                user: user.get_ref().as_str().into(),
                password: self.secret(password)?,
            }),
            (None, None, Some(id), Some(secret), None, None) => Some(LogIn::Token {
                id: id.get_ref().as_str().into(),
                secret: self.secret(secret)?,
            }),
            (None, None, None, None, Some(certificate), Some(key)) => Some(LogIn::Certificate {
                certificate: self.folder.join(certificate.get_ref()),
                key: self.folder.join(key.get_ref()),
            }),
            _ => {
                let mut given =
                    [&it.user, &it.password, &it.token, &it.secret].into_iter().flatten();
                let span = given.next().map_or_else(|| self.id.span(), Spanned::span);
                let message = "these credentials are not one pair";
                let hint =
                    "give `user` and `password`, `token` and `secret`, or `certificate` and `key`";
                self.mistakes.add(span, message, Some(hint.into()));
                None
            }
        }
    }

    fn secret(&mut self, given: &Spanned<String>) -> Option<SecretPlace> {
        match SecretPlace::of(given.get_ref(), self.folder) {
            Some(place) => Some(place),
            None => {
                let hint = "write `env:NAME` or `file:PATH`, and keep the secret there";
                let message = "a secret does not stand in the configuration";
                // The caret line would show the secret itself: point at the beginning alone.
                self.mistakes.add(self.id.span(), message, Some(hint.into()));
                None
            }
        }
    }

    fn trust(&mut self, it: &WrittenPlatform) -> Option<Trust> {
        match (&it.ca, &it.pin) {
            (None, None) => Some(Trust::System),
            (Some(ca), None) => Some(Trust::Authority(self.folder.join(ca.get_ref()))),
            (None, Some(pin)) => match pin.get_ref().parse::<Fingerprint>() {
                Ok(fingerprint) => Some(Trust::Pin(fingerprint)),
                Err(error) => {
                    let hint = "`entente check` prints the fingerprint of what is there";
                    self.mistakes.add(pin.span(), error.to_string(), Some(hint.into()));
                    None
                }
            },
            (Some(_), Some(pin)) => {
                let hint = "leave `ca` out: a pinned certificate needs no authority";
                self.mistakes.add(pin.span(), "`ca` and `pin` together", Some(hint.into()));
                None
            }
        }
    }
}

mod policy;

#[cfg(test)]
mod tests;
