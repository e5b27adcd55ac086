//! Listening and accepting, with or without TLS: the same for all twins.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use super::tls::TlsSide;
use super::{Guard, Served, Setup};

/// What talks to whoever connects.
pub(super) trait Host: Send + Sync + 'static {
    /// Talks until one of the two has enough.
    fn converse(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> impl Future<Output = ()> + Send;
}

/// Serves on the address that is asked for, or on a free port of the loopback address. `address` writes
/// it as the connector's configuration takes it; whoever may log in is for the caller to add.
pub(super) async fn serve(
    host: Arc<impl Host>,
    setup: &Setup,
    calls: Arc<AtomicU64>,
    address: impl FnOnce(SocketAddr) -> String,
) -> io::Result<Served> {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = TcpListener::bind(setup.listen.unwrap_or(free)).await?;
    let address = address(listener.local_addr()?);
    let tls = setup.tls.then(TlsSide::new).transpose()?;
    let fingerprint = tls.as_ref().map(|it| it.fingerprint.clone());
    let task = tokio::spawn(async move {
        // Connections end with the server: the set aborts its tasks when it is dropped.
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let (host, tls) = (host.clone(), tls.clone());
            let _ = stream.set_nodelay(true);
            connections.spawn(async move {
                match tls {
                    None => host.converse(stream).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.acceptor.accept(stream).await {
                            host.converse(stream).await;
                        }
                    }
                }
            });
            while connections.try_join_next().is_some() {}
        }
    });
    Ok(Served {
        address,
        user: String::new(),
        password: String::new(),
        fingerprint,
        calls,
        guard: Guard::of(task),
    })
}
