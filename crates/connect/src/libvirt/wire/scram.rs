//! SCRAM (RFC 5802, RFC 7677), the client's side without channel binding: the password is proved, not
//! sent, and the server proves that it knows it, too.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};

/// Rounds that a server may ask for: more would only keep the processor busy.
const ROUNDS_MAX: u32 = 1_000_000;

/// No channel binding, no other identity.
const HEADER: &str = "n,,";

/// A mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// `SCRAM-SHA-256`
    Sha256,
    /// `SCRAM-SHA-1`
    Sha1,
}

/// Why a log-in cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScramError {
    /// What the server says is not of this mechanism.
    #[error("the server's part of the log-in cannot be understood")]
    Form,
    /// Its nonce does not begin with ours.
    #[error("the server answers another log-in than this one")]
    Nonce,
    /// It asks for too much work.
    #[error("the server asks for more than {ROUNDS_MAX} rounds")]
    Rounds,
    /// It refuses.
    #[error("the server refuses the log-in")]
    Refused,
    /// It does not know the password.
    #[error("the server does not prove that it knows the password")]
    Server,
}

impl Mechanism {
    /// All, the better first.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha1];

    /// Its name in SASL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha1 => "SCRAM-SHA-1",
        }
    }

    fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        }
    }

    fn mac(self, key: &[u8], text: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), text).as_ref().to_vec()
    }

    fn salted(self, password: &str, salt: &[u8], rounds: NonZeroU32) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        };
        let mut key = vec![0; self.digest().output_len()];
        pbkdf2::derive(algorithm, rounds, salt, password.as_bytes(), &mut key);
        key
    }
}

/// True if name and password mean the same to everybody as they are: others would have to be prepared
/// first (RFC 4013).
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|it| (b' '..=b'~').contains(&it))
}

/// A log-in that has begun.
#[derive(Debug)]
pub struct LogIn {
    mechanism: Mechanism,
    nonce: String,
    first: String,
}

/// What the server must say in the end.
#[derive(Debug)]
pub struct Expected(Vec<u8>);

impl LogIn {
    /// Begins, with a nonce that nobody can foresee.
    pub fn new(mechanism: Mechanism, user: &str, nonce: &[u8]) -> Self {
        Self::with_nonce(mechanism, user, STANDARD.encode(nonce))
    }

    fn with_nonce(mechanism: Mechanism, user: &str, nonce: String) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let first = format!("n={user},r={nonce}");
        Self { mechanism, nonce, first }
    }

    /// What the client says first.
    pub fn first(&self) -> Vec<u8> {
        format!("{HEADER}{}", self.first).into_bytes()
    }

    /// What the client says to the server's first words, and what that must say in the end.
    pub fn prove(self, server: &[u8], password: &str) -> Result<(Vec<u8>, Expected), ScramError> {
        let server = text(server)?;
        let mut fields = server.split(',');
        let mut field = |name: &str| fields.next().and_then(|it| it.strip_prefix(name));
        let nonce = field("r=").ok_or(ScramError::Form)?;
        let salt = field("s=").and_then(|it| STANDARD.decode(it).ok()).ok_or(ScramError::Form)?;
        let rounds: u32 = field("i=").and_then(|it| it.parse().ok()).ok_or(ScramError::Form)?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(ScramError::Nonce);
        }
        let rounds = NonZeroU32::new(rounds).ok_or(ScramError::Form)?;
        if rounds.get() > ROUNDS_MAX {
            return Err(ScramError::Rounds);
        }
        let mechanism = self.mechanism;
        let salted = mechanism.salted(password, &salt, rounds);
        let without_proof = format!("c={},r={nonce}", STANDARD.encode(HEADER));
        let whole = format!("{},{server},{without_proof}", self.first);
        let client_key = mechanism.mac(&salted, b"Client Key");
        let stored_key = digest::digest(mechanism.digest(), &client_key);
        let signature = mechanism.mac(stored_key.as_ref(), whole.as_bytes());
        let proof: Vec<u8> =
            client_key.iter().zip(&signature).map(|(key, signature)| key ^ signature).collect();
        let server_key = mechanism.mac(&salted, b"Server Key");
        let expected = Expected(mechanism.mac(&server_key, whole.as_bytes()));
        Ok((format!("{without_proof},p={}", STANDARD.encode(proof)).into_bytes(), expected))
    }
}

impl Expected {
    /// Compares it with what the server says in the end.
    pub fn compare(&self, server: &[u8]) -> Result<(), ScramError> {
        let server = text(server)?;
        if server.starts_with("e=") {
            return Err(ScramError::Refused);
        }
        let told = server.split(',').next().and_then(|it| it.strip_prefix("v="));
        let told = told.and_then(|it| STANDARD.decode(it).ok()).ok_or(ScramError::Server)?;
        if told == self.0 { Ok(()) } else { Err(ScramError::Server) }
    }
}

fn text(bytes: &[u8]) -> Result<&str, ScramError> {
    std::str::from_utf8(bytes).map_err(|_| ScramError::Form)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(mechanism: Mechanism, nonce: &str) -> LogIn {
        LogIn::with_nonce(mechanism, "user", nonce.into())
    }

    /// RFC 7677, section 3; RFC 5802, section 5.
    #[test]
    fn the_examples_of_the_standards() {
        let log_in = begin(Mechanism::Sha256, "rOprNGfwEbeRWgbNEkqO");
        assert_eq!(log_in.first(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let server = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                       s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let (proof, expected) = log_in.prove(server, "pencil").unwrap();
        assert_eq!(
            String::from_utf8(proof).unwrap(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        let told = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert_eq!(expected.compare(told), Ok(()));

        let log_in = begin(Mechanism::Sha1, "fyko+d2lbbFgONRv9qkxdawL");
        let server = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
        let (proof, expected) = log_in.prove(server, "pencil").unwrap();
        assert!(String::from_utf8(proof).unwrap().ends_with("p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="));
        assert_eq!(expected.compare(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), Ok(()));
    }

    #[test]
    fn a_server_that_does_not_know_the_password_is_not_believed() {
        let server = b"r=abcdef,s=QSXCR+Q6sek8bf92,i=4096";
        let (_, expected) = begin(Mechanism::Sha256, "abc").prove(server, "pencil").unwrap();
        assert_eq!(expected.compare(b"v=AAAA"), Err(ScramError::Server));
        assert_eq!(expected.compare(b""), Err(ScramError::Server));
        assert_eq!(expected.compare(b"e=invalid-proof"), Err(ScramError::Refused));
    }

    #[test]
    fn servers_that_answer_something_else_get_no_proof() {
        let refused = |server: &[u8]| begin(Mechanism::Sha1, "abc").prove(server, "p").unwrap_err();
        assert_eq!(refused(b"r=xyz,s=QSXC,i=4096"), ScramError::Nonce);
        assert_eq!(refused(b"r=abc,s=QSXC,i=4096"), ScramError::Nonce);
        assert_eq!(refused(b"r=abcd,s=QSXC,i=4294967295"), ScramError::Rounds);
        for wrong in
            [b"".as_slice(), b"r=abcd,s=!,i=1", b"r=abcd,s=QSXC,i=0", b"m=x,r=abcd", b"\xff"]
        {
            assert_eq!(refused(wrong), ScramError::Form);
        }
        assert_eq!(LogIn::new(Mechanism::Sha1, "a=b,c", &[0]).first(), b"n,,n=a=3Db=2Cc,r=AA==");
    }
}
