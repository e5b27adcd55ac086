//! One id type per noun, each with one checked door.
//!
//! An id is unique within an estate. Ids of things that live on a platform are
//! `<platform>/<native id or name>`, so that two vCenters that both know a `vm-42` stay apart.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// An id that is empty, too long, or holds control characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a {noun} id: {reason}")]
pub struct InvalidId {
    noun: &'static str,
    given: SmolStr,
    reason: &'static str,
}

/// Longest id, in bytes: a vSphere inventory path is far shorter, a pasted file is far longer.
const ID_BYTES_MAX: usize = 1024;

fn check(noun: &'static str, given: &str) -> Result<SmolStr, InvalidId> {
    let reason = if given.trim().is_empty() {
        "it is empty"
    } else if given.len() > ID_BYTES_MAX {
        "it is longer than 1024 bytes"
    } else if given.chars().any(char::is_control) {
        "it holds control characters"
    } else {
        return Ok(SmolStr::new(given));
    };
    Err(InvalidId { noun, given: given.chars().take(40).collect(), reason })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $noun:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "SmolStr", into = "SmolStr")]
        pub struct $name(SmolStr);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(given: &str) -> Result<Self, InvalidId> {
                check($noun, given).map(Self)
            }
        }

        impl TryFrom<SmolStr> for $name {
            type Error = InvalidId;
            fn try_from(given: SmolStr) -> Result<Self, InvalidId> {
                check($noun, &given).map(Self)
            }
        }

        impl From<$name> for SmolStr {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

macro_rules! ids_on_platform {
    ($($name:ident)*) => {$(
        impl $name {
            /// The id of something that `platform` calls `native`.
            pub fn on(platform: &PlatformId, native: &str) -> Result<Self, InvalidId> {
                format!("{platform}/{native}").parse()
            }

            /// What the platform calls it.
            pub fn native(&self, platform: &PlatformId) -> &str {
                let rest = self.0.strip_prefix(platform.as_str());
                rest.and_then(|it| it.strip_prefix('/')).unwrap_or(self.as_str())
            }
        }
    )*};
}

ids! {
    /// A management endpoint: a vCenter, a Prism Central, a Proxmox cluster …
    PlatformId = "platform";
    /// One thing read: an export file, one login to one platform.
    SourceId = "source";
    /// A virtual machine, whatever the platform.
    WorkloadId = "workload";
    /// A cluster of hosts.
    ClusterId = "cluster";
    /// A hypervisor host.
    HostId = "host";
    /// A datastore or storage container.
    DatastoreId = "datastore";
    /// A network or port group.
    NetworkId = "network";
    /// An application: a named set of workloads.
    ApplicationId = "application";
}

/// A platform that is logged in to is a source by the same name: both ids have the same door.
impl From<&PlatformId> for SourceId {
    fn from(platform: &PlatformId) -> Self {
        Self(platform.0.clone())
    }
}

ids_on_platform! { WorkloadId ClusterId HostId DatastoreId NetworkId }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_checked_door() {
        assert_eq!("vc1".parse::<PlatformId>().unwrap().as_str(), "vc1");
        assert_eq!(
            " ".parse::<PlatformId>().unwrap_err().to_string(),
            "` ` is not a platform id: it is empty"
        );
        assert!("a\nb".parse::<HostId>().is_err());
        assert!("x".repeat(1025).parse::<HostId>().is_err());
        assert!(serde_json::from_str::<HostId>("\"\"").is_err());
    }

    #[test]
    fn the_same_native_id_on_two_platforms_is_two_ids() {
        let on = |platform: &str| WorkloadId::on(&platform.parse().unwrap(), "vm-42").unwrap();
        assert_ne!(on("vc1"), on("vc2"));
        assert_eq!(on("vc1").to_string(), "vc1/vm-42");
        assert_eq!(on("vc1").native(&"vc1".parse().unwrap()), "vm-42");
        assert_eq!(on("vc1").native(&"vc".parse().unwrap()), "vc1/vm-42");
    }
}
