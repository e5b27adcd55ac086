//! Why something was not read: what libvirt said, or what became of the call.

use entente_model::{GapCause, Text, Why};

use super::xdr::{Decoder, XdrError};
use crate::live::{CallError, Refusal};

/// An error as libvirt tells it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (libvirt error {code})")]
pub struct Remote {
    /// Its number.
    pub code: i32,
    /// What it says, on one line.
    pub message: Text,
}

/// Longest message that is kept, in characters.
const MESSAGE_CHARS_MAX: usize = 300;

impl Remote {
    /// Reads the body of an answer that is an error. What follows the message is of no use here.
    pub fn decode(body: &[u8]) -> Result<Self, XdrError> {
        let mut decoder = Decoder::new(body);
        let code = decoder.signed()?;
        let _domain = decoder.signed()?;
        let message = decoder.optional_text()?.unwrap_or_default();
        let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Self { code, message: line.chars().take(MESSAGE_CHARS_MAX).collect() })
    }

    /// What kind of error its number is.
    pub fn kind(&self) -> RemoteKind {
        match self.code {
            // Read-only connection; access control.
            29 | 88 => RemoteKind::Denied,
            45 | 79 | 94 => RemoteKind::LogIn,
            // Domain, network, pool, volume, device, filter, VM snapshot, filter binding, checkpoint.
            42 | 43 | 49 | 50 | 53 | 62 | 72 | 101 | 103 => RemoteKind::Gone,
            // Not by this driver, unknown flag or configuration.
            3 | 67 | 74 | 84 => RemoteKind::Unsupported,
            // Whatever goes wrong with the protocol itself has one number.
            39 => self.of_the_protocol(),
            // Another job holds the lock; busy.
            68 | 87 => RemoteKind::Busy,
            // Not in its present state: off, not started.
            55 => RemoteKind::NotNow,
            // The agent does not answer.
            86 | 97 => RemoteKind::GuestSilent,
            5 => RemoteKind::NoDriver,
            _ => RemoteKind::Other,
        }
    }

    /// A procedure or program that an older server does not know, a list that it will not send
    /// since it is too long, or something else.
    fn of_the_protocol(&self) -> RemoteKind {
        let message = self.message.to_ascii_lowercase();
        if message.contains("unknown procedure") || message.contains("unknown program") {
            RemoteKind::Unsupported
        } else if message.contains("too many") || message.contains("too large") {
            RemoteKind::TooMany
        } else {
            RemoteKind::Other
        }
    }
}

/// Kinds of errors that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteKind {
    /// The connection may not.
    Denied,
    /// Logging in failed.
    LogIn,
    /// The object does not exist (any more).
    Gone,
    /// This version or driver cannot.
    Unsupported,
    /// Not now.
    Busy,
    /// The guest, or its agent, does not answer.
    GuestSilent,
    /// Not in the state in which the object is.
    NotNow,
    /// More than one answer may hold.
    TooMany,
    /// No driver for such an address.
    NoDriver,
    /// Anything else.
    Other,
}

/// Why something was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The call did not come through.
    #[error(transparent)]
    Call(#[from] CallError),
    /// libvirt refused.
    #[error(transparent)]
    Remote(#[from] Remote),
    /// The answer cannot be understood.
    #[error("the answer cannot be understood: {0}")]
    Answer(#[from] XdrError),
    /// The XML in the answer cannot be understood.
    #[error("the XML cannot be understood: {0}")]
    Xml(Text),
    /// Nobody asked, since something else was missing.
    #[error("it was not asked for: {0}")]
    NotAsked(Text),
}

impl Failure {
    /// True if somebody stopped the run.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Call(CallError::Refused(Refusal::Cancelled)))
    }

    /// True if the object is gone.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Remote(remote) if remote.kind() == RemoteKind::Gone)
    }

    /// True if this version or driver cannot tell.
    pub fn is_unsupported(&self) -> bool {
        matches!(self, Self::Remote(remote) if remote.kind() == RemoteKind::Unsupported)
    }

    /// True if the guest or its agent does not answer: of questions to guests, one that is off.
    pub fn is_guest_silent(&self) -> bool {
        let silent = [RemoteKind::GuestSilent, RemoteKind::NotNow];
        matches!(self, Self::Remote(remote) if silent.contains(&remote.kind()))
    }

    /// The kind of gap.
    pub fn cause(&self) -> GapCause {
        match self {
            Self::Call(error) => error.cause(),
            Self::Answer(XdrError::TooLong { .. }) => GapCause::LimitReached,
            Self::Remote(remote) => match remote.kind() {
                RemoteKind::Denied | RemoteKind::LogIn => GapCause::NoPermission,
                RemoteKind::Gone => GapCause::Vanished,
                RemoteKind::GuestSilent | RemoteKind::NotNow => GapCause::Unreachable,
                RemoteKind::Unsupported => GapCause::MissingSection,
                RemoteKind::TooMany => GapCause::LimitReached,
                _ => GapCause::CallFailed,
            },
            Self::Answer(_) | Self::Xml(_) => GapCause::UnreadableValue,
            Self::NotAsked(_) => GapCause::CallFailed,
        }
    }

    /// Why a fact was not observed.
    pub fn why(&self) -> Why {
        match self {
            Self::Remote(remote) => match remote.kind() {
                RemoteKind::Denied | RemoteKind::LogIn => Why::NoPermission,
                RemoteKind::GuestSilent => Why::GuestSilent,
                RemoteKind::Unsupported => Why::NotInVersion,
                _ => Why::CallFailed,
            },
            Self::Answer(_) | Self::Xml(_) => Why::Unreadable,
            Self::Call(_) | Self::NotAsked(_) => Why::CallFailed,
        }
    }
}
