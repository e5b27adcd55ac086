//! Ways to a host: a socket of this machine, TCP, TLS, the system's own `ssh`.

use std::io;
use std::process::Stdio;

use entente_model::Text;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::process::{Child, Command};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::address::{Address, Way};
use crate::live::{Credentials, Refusal, Run, TlsSetup};

/// Bytes in both directions.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// An open way.
pub struct Link {
    /// What goes over it.
    pub stream: Box<dyn Duplex>,
    /// The `ssh` below it.
    pub ssh: Option<Child>,
}

/// Folders in which daemons keep their sockets.
const SOCKET_FOLDERS: [&str; 2] = ["/run/libvirt", "/var/run/libvirt"];
/// Longest complaint of `ssh` that is read.
const COMPLAINT_BYTES_MAX: u64 = 4096;

/// Opens the way that an address names.
pub async fn open(run: Run<'_>, address: &Address) -> Result<Link, Refusal> {
    let limit = run.target.limits.connect();
    let plain = |stream| Link { stream, ssh: None };
    match &address.way {
        Way::Unix(path) => run.within(limit, unix(address, path.as_deref())).await?.map(plain),
        Way::Tcp { host, port } => {
            let stream = run.within(limit, tcp(host, *port)).await??;
            Ok(plain(Box::new(stream)))
        }
        Way::Tls { host, port } => {
            let stream = run.within(limit, tls(run, host, *port)).await??;
            Ok(plain(Box::new(stream)))
        }
        Way::Ssh { .. } => ssh(address),
    }
}

/// The sockets to try, in order: of the one daemon for everything, then of the driver's own.
fn sockets(address: &Address) -> Vec<String> {
    let own = format!("virt{}d-sock", address.driver);
    let mut names = Vec::new();
    for name in ["libvirt-sock", &own] {
        // A read-only socket asks nobody for a password.
        if address.read_only {
            names.push(format!("{name}-ro"));
        }
    }
    names.extend(["libvirt-sock".to_owned(), own]);
    let paths = names
        .iter()
        .flat_map(|name| SOCKET_FOLDERS.iter().map(move |folder| format!("{folder}/{name}")));
    paths.collect()
}

async fn unix(address: &Address, path: Option<&str>) -> Result<Box<dyn Duplex>, Refusal> {
    let paths = path.map_or_else(|| sockets(address), |it| vec![it.to_owned()]);
    let mut refusal = None;
    for path in paths {
        match UnixStream::connect(&path).await {
            Ok(stream) => return Ok(Box::new(stream)),
            Err(error) => {
                let reason = match error.kind() {
                    io::ErrorKind::PermissionDenied => Refusal::TooFewRights(Text::from(format!(
                        "this user may not open `{path}`; add it to the group that owns the socket"
                    ))),
                    _ => Refusal::Unreachable(Text::from(format!("`{path}`: {error}"))),
                };
                // That a socket is there and closed to us says more than that another is not there.
                if !matches!(refusal, Some(Refusal::TooFewRights(_))) {
                    refusal = Some(reason);
                }
            }
        }
    }
    Err(refusal.unwrap_or_else(|| Refusal::Unreachable("there is no socket".into())))
}

async fn tcp(host: &str, port: u16) -> Result<TcpStream, Refusal> {
    let addresses = lookup_host((host, port)).await.map_err(|_| Refusal::NameUnknown)?;
    let mut refusal = Refusal::NameUnknown;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Requests are small and each waits for its answer. Without this it is only slower.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => refusal = Refusal::Unreachable(Text::from(error.to_string())),
        }
    }
    Err(refusal)
}

async fn tls(run: Run<'_>, host: &str, port: u16) -> Result<TlsStream<TcpStream>, Refusal> {
    let setup = TlsSetup::of(run.target)?;
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| Refusal::Tls(Text::from(error.to_string())))?;
    let stream = tcp(host, port).await?;
    let connector = TlsConnector::from(setup.config.clone());
    let mut stream = connector
        .connect(name, stream)
        .await
        .map_err(|error| setup.refusal().unwrap_or_else(|| tls_refusal(run, &error)))?;
    // The server says in one byte whether it accepts the client's certificate.
    let mut verdict = [0];
    match stream.read(&mut verdict).await {
        Ok(1) if verdict == [1] => Ok(stream),
        Ok(0) => Err(not_accepted(run)),
        Ok(_) => Err(Refusal::NotThisPlatform {
            expected: "libvirt over TLS".into(),
            found: "something that does not begin as libvirt does".into(),
        }),
        Err(error) => Err(tls_refusal(run, &error)),
    }
}

/// The other side ended a conversation over TLS.
fn tls_refusal(run: Run<'_>, error: &io::Error) -> Refusal {
    let text = error.to_string();
    let alert = error
        .get_ref()
        .and_then(|it| it.downcast_ref::<rustls::Error>())
        .is_some_and(|it| matches!(it, rustls::Error::AlertReceived(_)));
    if text.contains("InvalidContentType") || text.contains("corrupt message") {
        Refusal::Tls("what answers there does not speak TLS".into())
    } else if alert
        || matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset)
    {
        not_accepted(run)
    } else {
        Refusal::Tls(Text::from(text))
    }
}

fn not_accepted(run: Run<'_>) -> Refusal {
    match run.target.credentials {
        Credentials::Certificate { .. } => Refusal::LogInUnsupported(
            "it does not accept the client certificate: its authority must have signed it, and \
             `tls_allowed_dn_list` must allow it"
                .into(),
        ),
        _ => Refusal::LogInUnsupported("it wants a client certificate".into()),
    }
}

/// Has `ssh` find the daemon's socket on the other side, with what is there: libvirt's own helper,
/// else a tool that copies bytes.
fn ssh(address: &Address) -> Result<Link, Refusal> {
    let Way::Ssh { host, port, user, socket } = &address.way else {
        return Err(Refusal::Unreachable("not an address for ssh".into()));
    };
    let mut command = Command::new("ssh");
    command.args(["-T", "-o", "BatchMode=yes", "-e", "none"]);
    if let Some(port) = port {
        command.args(["-p", &port.to_string()]);
    }
    if let Some(user) = user {
        command.args(["-l", user]);
    }
    command.args(["--", host, &remote_command(address, socket.as_deref())]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| {
        Refusal::Unreachable(Text::from(format!("`ssh` cannot be started here: {error}")))
    })?;
    match (child.stdout.take(), child.stdin.take()) {
        (Some(from), Some(to)) => {
            Ok(Link { stream: Box::new(tokio::io::join(from, to)), ssh: Some(child) })
        }
        _ => Err(Refusal::Unreachable("`ssh` has no input or output".into())),
    }
}

/// One line for the other side's shell. Paths hold nothing that a shell would read otherwise: the
/// address was checked for that.
fn remote_command(address: &Address, socket: Option<&str>) -> String {
    let helper = if address.read_only { "virt-ssh-helper -r" } else { "virt-ssh-helper" };
    let paths = socket.map_or_else(|| sockets(address), |it| vec![it.to_owned()]).join(" ");
    let copy = format!(
        "for s in {paths}; do if [ -S $s ]; then \
         if command -v socat >/dev/null 2>&1; then exec socat - UNIX-CONNECT:$s; fi; \
         exec nc -U $s; fi; done; echo no libvirt socket >&2; exit 1"
    );
    let script = match socket {
        Some(_) => copy,
        None => format!(
            "if command -v virt-ssh-helper >/dev/null 2>&1; then exec {helper} {}; fi; {copy}",
            address.name
        ),
    };
    format!("sh -c '{script}'")
}

/// Why `ssh` ended, after the stream did.
pub async fn complaint(mut ssh: Child) -> Refusal {
    let mut text = String::new();
    if let Some(stderr) = ssh.stderr.take() {
        // What cannot be read leaves the general reason below.
        let _ = stderr.take(COMPLAINT_BYTES_MAX).read_to_string(&mut text).await;
    }
    let last = text.lines().rev().map(str::trim).find(|it| !it.is_empty()).unwrap_or_default();
    if text.contains("Could not resolve hostname") {
        Refusal::NameUnknown
    } else if text.contains("Permission denied") {
        Refusal::WrongCredentials
    } else if last.is_empty() {
        Refusal::Unreachable("`ssh` ended without a word".into())
    } else {
        Refusal::Unreachable(Text::from(format!("ssh: {last}")))
    }
}
