//! Where a platform is, with what to log in, whom to trust, and how far to go.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use entente_model::{Moment, Observed, Platform, PlatformId, Source, SourceLimit, Text, Why};

use super::tls::Fingerprint;

/// A value that is never shown: no `Debug`, no `Display`, no `Serialize`.
#[derive(Clone)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one place that sends it.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

/// One platform to log in to.
#[derive(Clone)]
pub struct Target {
    /// Its id in the estate.
    pub id: PlatformId,
    /// Address as configured.
    pub address: Text,
    /// Site where it stands, in the organisation's own words.
    pub site: Option<Text>,
    /// Who answers for it.
    pub owner: Option<Text>,
    /// What to log in with.
    pub credentials: Credentials,
    /// Whose certificate to accept.
    pub trust: Trust,
    /// How far to go.
    pub limits: LiveLimits,
    /// When this collection is taken: the clock is read by the caller.
    pub taken: Moment,
}

impl Target {
    /// The platform, as the configuration and the platform itself tell of it.
    pub(crate) fn platform(&self, kind_label: &'static str, uuid: Observed<Text>) -> Platform {
        let supplied = |it: &Option<Text>| Observed::or_why(it.clone(), Why::NotSupplied);
        Platform {
            id: self.id.clone(),
            kind_label: Text::new_static(kind_label),
            address: Observed::Value(self.address.clone()),
            uuid,
            site: supplied(&self.site),
            owner: supplied(&self.owner),
        }
    }

    /// The source of a collection from here, with nothing counted yet.
    pub(crate) fn source(
        &self,
        connector: &'static str,
        version: Option<Text>,
        limits: Vec<SourceLimit>,
    ) -> Source {
        Source {
            id: (&self.id).into(),
            connector: Text::new_static(connector),
            location: self.address.clone(),
            version,
            taken: Some(self.taken),
            limits,
            sections: BTreeMap::new(),
        }
    }
}

/// What to log in with.
#[derive(Clone)]
pub enum Credentials {
    /// Nothing: a local socket, or a platform that asks for nothing.
    None,
    /// An account with its password.
    Password {
        /// Account.
        user: Text,
        /// Password.
        password: Secret<String>,
    },
    /// An API token.
    Token {
        /// Its public part, `ops@pam!entente`.
        id: Text,
        /// Its secret part.
        secret: Secret<String>,
    },
    /// A client certificate.
    Certificate {
        /// File of the certificate chain, PEM.
        certificate: PathBuf,
        /// File of the private key, PEM.
        key: PathBuf,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Password { .. } => "Password",
            Self::Token { .. } => "Token",
            Self::Certificate { .. } => "Certificate",
        })
    }
}

/// Whose certificate to accept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// One that an authority known to this machine signed.
    #[default]
    System,
    /// One that an authority in this file (PEM) signed.
    Authority(PathBuf),
    /// Exactly this one.
    Pin(Fingerprint),
}

/// How far to go. Every wait, page, list and retry has its limit here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveLimits {
    /// To connect, TLS included.
    pub connect_seconds: u64,
    /// Between two bytes of an answer.
    pub idle_seconds: u64,
    /// For one whole answer.
    pub answer_seconds: u64,
    /// For the whole collection.
    pub collection_seconds: u64,
    /// One answer, decoded.
    pub answer_bytes_max: u64,
    /// Objects of one kind.
    pub objects_max: u64,
    /// Objects asked for at once, where the platform pages.
    pub page_objects: u32,
    /// Requests at once.
    pub parallel_calls: usize,
    /// How often a request is sent again when the platform is busy.
    pub retries_max: u32,
    /// Longest wait before sending again, whatever the platform asks for.
    pub retry_wait_seconds_max: u64,
    /// How many days of tasks are read.
    pub activity_days: u32,
    /// Tasks at most.
    pub activities_max: u64,
}

impl Default for LiveLimits {
    /// Wide enough for 100,000 workloads on a slow line.
    fn default() -> Self {
        Self {
            connect_seconds: 15,
            idle_seconds: 60,
            answer_seconds: 600,
            collection_seconds: 3_600,
            answer_bytes_max: 1 << 30,
            objects_max: 1_000_000,
            page_objects: 1_000,
            parallel_calls: 6,
            retries_max: 4,
            retry_wait_seconds_max: 30,
            activity_days: 7,
            activities_max: 20_000,
        }
    }
}

impl LiveLimits {
    /// [`LiveLimits::connect_seconds`] as a duration.
    pub fn connect(&self) -> Duration {
        Duration::from_secs(self.connect_seconds)
    }

    /// [`LiveLimits::idle_seconds`] as a duration.
    pub fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds)
    }

    /// [`LiveLimits::answer_seconds`] as a duration.
    pub fn answer(&self) -> Duration {
        Duration::from_secs(self.answer_seconds)
    }

    /// [`LiveLimits::collection_seconds`] as a duration.
    pub fn collection(&self) -> Duration {
        Duration::from_secs(self.collection_seconds)
    }
}
