//! Why a platform could not be reached or logged in to: each reason with its code and next step.

use entente_model::{PlatformId, Text};

use super::tls::Fingerprint;

/// A platform that cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{platform}` at `{address}`: {reason}")]
pub struct ConnectError {
    /// Which.
    pub platform: PlatformId,
    /// Where.
    pub address: Text,
    /// Why.
    pub reason: Refusal,
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The address is not one of this kind of platform.
    #[error("the address is not of the form {form}")]
    Address {
        /// What it should look like.
        form: Text,
    },
    /// The host name leads nowhere.
    #[error("the host name is not known")]
    NameUnknown,
    /// Nothing answers there.
    #[error("no connection: {0}")]
    Unreachable(Text),
    /// Something took too long.
    #[error("no answer within {seconds} s")]
    TimedOut {
        /// How long was waited.
        seconds: u64,
    },
    /// The certificate is not trusted.
    #[error("its certificate is not trusted ({why}); SHA-256 fingerprint {fingerprint}")]
    NotTrusted {
        /// What is wrong with it.
        why: Text,
        /// What to pin.
        fingerprint: Fingerprint,
    },
    /// The certificate is another than the pinned one.
    #[error("its certificate {presented} is not the pinned one {pinned}")]
    PinDiffers {
        /// What was pinned.
        pinned: Fingerprint,
        /// What it shows.
        presented: Fingerprint,
    },
    /// TLS failed otherwise.
    #[error("TLS failed: {0}")]
    Tls(Text),
    /// User name, password or token is wrong.
    #[error("the user name, password or token is wrong")]
    WrongCredentials,
    /// The account is locked, disabled or expired.
    #[error("the account cannot log in: {0}")]
    AccountLocked(Text),
    /// The account may not do the first thing that is needed.
    #[error("the account has too few rights: {0}")]
    TooFewRights(Text),
    /// The platform is older than what is supported.
    #[error("version {found} is older than {oldest}, the oldest that is supported")]
    VersionTooOld {
        /// What it is.
        found: Text,
        /// What it must be.
        oldest: Text,
    },
    /// Something else answers there.
    #[error("what answers there is not {expected}: {found}")]
    NotThisPlatform {
        /// What should be there.
        expected: Text,
        /// What is there.
        found: Text,
    },
    /// It refuses work for now, after all retries.
    #[error("it is too busy: {0}")]
    Busy(Text),
    /// It wants a kind of log-in that is not supported, or that the configuration does not give.
    #[error("it cannot be logged in to with these credentials: {0}")]
    LogInUnsupported(Text),
    /// A file that the connection needs (CA, certificate, key) cannot be used.
    #[error("`{file}` cannot be used: {why}")]
    File {
        /// Which.
        file: Text,
        /// Why.
        why: Text,
    },
    /// It answers, but not as it should.
    #[error("its answer cannot be understood: {0}")]
    Answer(Text),
    /// Somebody stopped it.
    #[error("stopped before it was logged in to")]
    Cancelled,
}

impl ConnectError {
    /// The stable code, with a page in `docs/errors/`.
    pub fn code(&self) -> &'static str {
        match self.reason {
            Refusal::Address { .. } => "ENT-0301",
            Refusal::NameUnknown => "ENT-0302",
            Refusal::Unreachable(_) => "ENT-0303",
            Refusal::TimedOut { .. } => "ENT-0304",
            Refusal::NotTrusted { .. } => "ENT-0305",
            Refusal::PinDiffers { .. } => "ENT-0306",
            Refusal::Tls(_) => "ENT-0307",
            Refusal::WrongCredentials => "ENT-0308",
            Refusal::AccountLocked(_) => "ENT-0309",
            Refusal::TooFewRights(_) => "ENT-0310",
            Refusal::VersionTooOld { .. } => "ENT-0311",
            Refusal::NotThisPlatform { .. } => "ENT-0312",
            Refusal::Busy(_) => "ENT-0313",
            Refusal::LogInUnsupported(_) => "ENT-0314",
            Refusal::File { .. } => "ENT-0315",
            Refusal::Answer(_) => "ENT-0316",
            Refusal::Cancelled => "ENT-0317",
        }
    }

    /// What to do next, in one sentence.
    pub fn hint(&self) -> String {
        match &self.reason {
            Refusal::Address { .. } => "correct `address` in the configuration".into(),
            Refusal::NameUnknown => {
                "check the host name, and that this machine can resolve it".into()
            }
            Refusal::Unreachable(_) => {
                "check host and port, and that no firewall is in between".into()
            }
            Refusal::TimedOut { .. } => {
                "check that nothing in between drops packets; a slow platform may need a higher limit under `[limits]`".into()
            }
            Refusal::NotTrusted { fingerprint, .. } => format!(
                "compare the fingerprint with the platform's own console; if it is right, add `pin = \"{fingerprint}\"`, or name its authority with `ca = \"FILE\"`"
            ),
            Refusal::PinDiffers { .. } => {
                "if the certificate was renewed, compare the new fingerprint with the platform's own console and pin that; if not, somebody may be in between".into()
            }
            Refusal::Tls(_) => "check that the port speaks TLS".into(),
            Refusal::WrongCredentials => {
                "check the account, and that the variable or file that the credentials name holds the right secret".into()
            }
            Refusal::AccountLocked(_) => "have the account unlocked on the platform".into(),
            Refusal::TooFewRights(_) => {
                "grant the account the rights that `entente check` lists".into()
            }
            Refusal::VersionTooOld { .. } => {
                "assess this platform from an RVTools export, or upgrade it".into()
            }
            Refusal::NotThisPlatform { .. } => {
                "check `connector` and `address` in the configuration".into()
            }
            Refusal::Busy(_) => "try again later, or end idle sessions on the platform".into(),
            Refusal::LogInUnsupported(_) => {
                "give credentials of a kind that the connector's page lists".into()
            }
            Refusal::File { .. } => "check the path, its permissions and its form (PEM)".into(),
            Refusal::Answer(_) => {
                "make sure that no proxy stands in between; if none does, this is worth a report".into()
            }
            Refusal::Cancelled => "run it again".into(),
        }
    }
}
