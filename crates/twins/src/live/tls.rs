//! The server's side of TLS, with a certificate made on the spot.

use std::io;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The server's side.
#[derive(Clone)]
pub(super) struct TlsSide {
    /// Accepts connections.
    pub acceptor: TlsAcceptor,
    /// SHA-256 of the certificate, as consoles show it: what is to be pinned.
    pub fingerprint: String,
}

impl TlsSide {
    /// With a new certificate that nobody else signed, for this machine's loopback addresses.
    pub(super) fn new() -> io::Result<Self> {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
        let certificate = made.cert.der().to_vec();
        let fingerprint = fingerprint(&certificate);
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|it| {
                let chain = vec![CertificateDer::from(certificate)];
                it.with_no_client_auth().with_single_cert(chain, key)
            })
            .map_err(io::Error::other)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), fingerprint })
    }
}

fn fingerprint(certificate: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
    let pairs: Vec<String> = digest.as_ref().iter().map(|it| format!("{it:02X}")).collect();
    pairs.join(":")
}
