//! TLS with authorities, pinned certificates and client certificates; one crypto provider (`ring`).

use std::fmt::{self, Write};
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use entente_model::Text;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::error::Refusal;
use super::target::{Credentials, Target, Trust};

/// SHA-256 of a certificate, as consoles and `openssl x509 -fingerprint -sha256` show it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of a certificate in DER form.
    pub fn of(certificate: &[u8]) -> Self {
        let digest = ::ring::digest::digest(&::ring::digest::SHA256, certificate);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_char(':')?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A text that is no SHA-256 fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a SHA-256 fingerprint has 64 hexadecimal digits, with or without colons; this one has {0}"
)]
pub struct InvalidFingerprint(usize);

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let digits: Vec<u8> = text
            .chars()
            .filter(|it| !matches!(it, ':' | ' '))
            .map(|it| it.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()
            .ok_or(InvalidFingerprint(0))?;
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() {
            return Err(InvalidFingerprint(digits.len()));
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair.iter().fold(0, |sum, digit| sum << 4 | digit);
        }
        Ok(Self(bytes))
    }
}

/// How a connection is secured, and what its other side showed.
#[derive(Clone, Debug)]
pub struct TlsSetup {
    /// For the client.
    pub config: Arc<ClientConfig>,
    judge: Arc<Judge>,
}

impl TlsSetup {
    /// From what the target trusts and what it logs in with.
    pub fn of(target: &Target) -> Result<Self, Refusal> {
        let provider = Arc::new(ring::default_provider());
        let judge = Arc::new(Judge::new(&target.trust, provider.clone())?);
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Refusal::Tls(error.to_string().into()))?
            .dangerous()
            .with_custom_certificate_verifier(judge.clone());
        let config = match &target.credentials {
            Credentials::Certificate { certificate, key } => {
                let chain = certificates(certificate)?;
                let private = PrivateKeyDer::from_pem_file(key).map_err(|why| file(key, &why))?;
                builder
                    .with_client_auth_cert(chain, private)
                    .map_err(|why| file(certificate, &why))?
            }
            _ => builder.with_no_client_auth(),
        };
        Ok(Self { config: Arc::new(config), judge })
    }

    /// Why the other side's certificate was refused, if it was.
    pub fn refusal(&self) -> Option<Refusal> {
        self.judge.refusal.lock().ok().and_then(|it| it.clone())
    }
}

fn file(path: &Path, why: &dyn fmt::Display) -> Refusal {
    Refusal::File { file: path.display().to_string().into(), why: Text::from(why.to_string()) }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Refusal> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|why| file(path, &why))?;
    if chain.is_empty() { Err(file(path, &"it holds no certificate")) } else { Ok(chain) }
}

/// Accepts what the configuration trusts, and remembers why it did not accept.
#[derive(Debug)]
struct Judge {
    provider: Arc<CryptoProvider>,
    by: By,
    refusal: Mutex<Option<Refusal>>,
}

#[derive(Debug)]
enum By {
    Authorities(Arc<WebPkiServerVerifier>),
    Pin(Fingerprint),
    /// This machine knows no authority: nothing but a pin can be trusted.
    Nobody,
}

impl Judge {
    fn new(trust: &Trust, provider: Arc<CryptoProvider>) -> Result<Self, Refusal> {
        let by = match trust {
            Trust::Pin(pin) => By::Pin(*pin),
            Trust::System => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                By::authorities(roots, &provider)?
            }
            Trust::Authority(path) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(path)? {
                    roots.add(certificate).map_err(|why| file(path, &why))?;
                }
                By::authorities(roots, &provider)?
            }
        };
        Ok(Self { provider, by, refusal: Mutex::new(None) })
    }

    fn refuse(&self, refusal: Refusal) -> rustls::Error {
        let message = refusal.to_string();
        if let Ok(mut kept) = self.refusal.lock() {
            *kept = Some(refusal);
        }
        rustls::Error::General(message)
    }
}

impl By {
    fn authorities(roots: RootCertStore, provider: &Arc<CryptoProvider>) -> Result<Self, Refusal> {
        if roots.is_empty() {
            return Ok(Self::Nobody);
        }
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .map(Self::Authorities)
            .map_err(|error| Refusal::Tls(error.to_string().into()))
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let presented = Fingerprint::of(end_entity);
        match &self.by {
            By::Pin(pinned) if *pinned == presented => Ok(ServerCertVerified::assertion()),
            By::Pin(pinned) => Err(self.refuse(Refusal::PinDiffers { pinned: *pinned, presented })),
            By::Authorities(verifier) => verifier
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map_err(|why| {
                    self.refuse(Refusal::NotTrusted {
                        why: Text::from(why.to_string()),
                        fingerprint: presented,
                    })
                }),
            By::Nobody => Err(self.refuse(Refusal::NotTrusted {
                why: "this machine knows no authority".into(),
                fingerprint: presented,
            })),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_consoles_write_it() {
        let fingerprint = Fingerprint::of(b"certificate");
        let shown = fingerprint.to_string();
        assert_eq!(shown.len(), 95);
        assert_eq!(shown.parse(), Ok(fingerprint));
        assert_eq!(shown.replace(':', "").to_lowercase().parse(), Ok(fingerprint));
        assert!("AB:CD".parse::<Fingerprint>().is_err());
        assert!("x".repeat(64).parse::<Fingerprint>().is_err());
    }
}
