//! Addresses: `DRIVER[+TRANSPORT]://[USER@][HOST[:PORT]]/PATH[?socket=…&access=…]`, as libvirt's own
//! tools write them.

use crate::libvirt::FORM;
use crate::live::{Refusal, base_url};

/// Where a host is, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The driver's own address, sent to the other side: `qemu:///system`.
    pub name: String,
    /// The driver: `qemu`.
    pub driver: String,
    /// How it is reached.
    pub way: Way,
    /// The connection may change nothing (and may not ask guests).
    pub read_only: bool,
}

/// How a host is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A socket of this machine; none = the usual ones.
    Unix(Option<String>),
    /// In clear text.
    Tcp {
        /// Host.
        host: String,
        /// Port.
        port: u16,
    },
    /// Over TLS.
    Tls {
        /// Host.
        host: String,
        /// Port.
        port: u16,
    },
    /// By the system's own `ssh`.
    Ssh {
        /// Host.
        host: String,
        /// Port, if it is not the usual one.
        port: Option<u16>,
        /// Account, if the address names one.
        user: Option<String>,
        /// Socket on the other side; none = the usual ones.
        socket: Option<String>,
    },
}

/// Ports that libvirt listens on.
const TCP_PORT: u16 = 16_509;
const TLS_PORT: u16 = 16_514;

impl Address {
    /// Reads an address as it is configured.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        Self::read(text.trim()).ok_or(Refusal::Address { form: FORM.into() })
    }

    fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (driver, transport) = match scheme.split_once('+') {
            Some((driver, transport)) => (driver, Some(transport)),
            None => (scheme, None),
        };
        if driver.is_empty() || !driver.bytes().all(|it| it.is_ascii_lowercase()) {
            return None;
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/')?;
        if path.is_empty() || !path.bytes().all(is_plain) {
            return None;
        }
        let options = Options::read(query)?;
        let way = way(transport, authority, options.socket)?;
        Some(Self {
            name: format!("{driver}:///{path}"),
            driver: driver.to_owned(),
            way,
            read_only: !options.full_access,
        })
    }
}

#[derive(Default)]
struct Options {
    socket: Option<String>,
    full_access: bool,
}

impl Options {
    fn read(query: &str) -> Option<Self> {
        let mut options = Self::default();
        for pair in query.split('&').filter(|it| !it.is_empty()) {
            match pair.split_once('=')? {
                ("socket", path) if path.starts_with('/') && path.bytes().all(is_plain) => {
                    options.socket = Some(path.to_owned());
                }
                ("access", "read-only") => options.full_access = false,
                ("access", "full") => options.full_access = true,
                _ => return None,
            }
        }
        Some(options)
    }
}

/// Characters that mean nothing to a shell, since a socket's path is named to one over `ssh`.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-')
}

fn way(transport: Option<&str>, authority: &str, socket: Option<String>) -> Option<Way> {
    let remote = |port| host_and_port(authority, port).filter(|_| socket.is_none());
    match transport {
        None | Some("unix") if authority.is_empty() => Some(Way::Unix(socket)),
        Some("tcp") => remote(TCP_PORT).map(|(host, port)| Way::Tcp { host, port }),
        // As libvirt's own tools have it: a host without a transport is reached by TLS.
        None | Some("tls") => remote(TLS_PORT).map(|(host, port)| Way::Tls { host, port }),
        Some("ssh") => {
            let (user, authority) = match authority.rsplit_once('@') {
                Some((user, rest)) if user.bytes().all(is_plain) && !user.starts_with('-') => {
                    (Some(user.to_owned()), rest)
                }
                Some(_) => return None,
                None => (None, authority),
            };
            let (host, port) = host_and_port(authority, 0)?;
            let port = Some(port).filter(|it| *it != 0);
            // `ssh` would take it for an option.
            (!host.starts_with('-')).then_some(Way::Ssh { host, port, user, socket })
        }
        Some(_) => None,
    }
}

fn host_and_port(authority: &str, usual: u16) -> Option<(String, u16)> {
    // The parser of web addresses knows hosts, IPv6 in brackets included.
    let url = base_url(authority, FORM).ok()?;
    let host = url.host_str()?;
    let host = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
    // It leaves out the usual port of the web, which is none here.
    let named = authority.rsplit_once(':').filter(|it| !it.1.contains(']'));
    let port = match (url.port(), named) {
        (Some(port), _) => port,
        (None, Some((_, port))) => port.parse().ok()?,
        (None, None) => usual,
    };
    Some((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way_of(text: &str) -> Option<Way> {
        Address::parse(text).ok().map(|it| it.way)
    }

    #[test]
    fn addresses_are_those_of_libvirts_own_tools() {
        let host = || "kvm1.example.com".to_owned();
        assert_eq!(way_of("qemu:///system"), Some(Way::Unix(None)));
        assert_eq!(
            way_of("qemu+unix:///system?socket=/run/other/libvirt-sock"),
            Some(Way::Unix(Some("/run/other/libvirt-sock".into())))
        );
        assert_eq!(
            way_of("qemu+tcp://kvm1.example.com/system"),
            Some(Way::Tcp { host: host(), port: 16_509 })
        );
        assert_eq!(
            way_of("qemu+tls://kvm1.example.com:443/system"),
            Some(Way::Tls { host: host(), port: 443 })
        );
        assert_eq!(
            way_of("qemu://[fd00::7]/system"),
            Some(Way::Tls { host: "fd00::7".into(), port: 16_514 })
        );
        assert_eq!(
            way_of("qemu+ssh://reader@kvm1.example.com:2222/system"),
            Some(Way::Ssh {
                host: host(),
                port: Some(2222),
                user: Some("reader".into()),
                socket: None
            })
        );
        assert_eq!(Address::parse("test+tcp://h/default").unwrap().name, "test:///default");
    }

    #[test]
    fn a_connection_is_read_only_unless_the_address_says_otherwise() {
        assert!(Address::parse("qemu:///system").unwrap().read_only);
        assert!(!Address::parse("qemu:///system?access=full").unwrap().read_only);
    }

    #[test]
    fn what_a_shell_or_ssh_would_misread_is_no_address() {
        for wrong in [
            "",
            "qemu",
            "qemu://",
            "qemu:///",
            "qemu+smoke://h/system",
            "qemu+tcp:///system",
            "qemu+tcp://h:99999/system",
            "qemu+ssh://-oProxyCommand=x/system",
            "qemu+ssh://h/system?socket=/run/x;reboot",
            "qemu+ssh://h/system?socket=/run/$(reboot)",
            "qemu:///system?unheard=of",
            "QEMU:///system",
        ] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }
}
