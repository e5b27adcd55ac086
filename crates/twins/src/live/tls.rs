//! The server's side of TLS, with a certificate made on the spot.

use std::io;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// DER.
    pub certificate: Vec<u8>,
    /// PKCS #8, DER.
    pub key: Vec<u8>,
    /// The certificate as a file holds it.
    pub pem: String,
}

impl Certificate {
    /// One that nobody else signed, for this machine's loopback addresses.
    pub fn self_signed() -> io::Result<Self> {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
        Ok(Self {
            certificate: made.cert.der().to_vec(),
            key: made.signing_key.serialize_der(),
            pem: made.cert.pem(),
        })
    }

    /// Its SHA-256 fingerprint, as consoles show it.
    pub fn fingerprint(&self) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.certificate);
        let pairs: Vec<String> = digest.as_ref().iter().map(|it| format!("{it:02X}")).collect();
        pairs.join(":")
    }
}

/// The server's side.
#[derive(Clone)]
pub struct TlsSide {
    /// Accepts connections.
    pub acceptor: TlsAcceptor,
    /// What is to be pinned.
    pub fingerprint: String,
}

impl TlsSide {
    /// With a new certificate.
    pub fn new() -> io::Result<Self> {
        let certificate = Certificate::self_signed()?;
        let chain = vec![CertificateDer::from(certificate.certificate.clone())];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(certificate.key.clone()));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|it| it.with_no_client_auth().with_single_cert(chain, key))
            .map_err(io::Error::other)?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            fingerprint: certificate.fingerprint(),
        })
    }
}
