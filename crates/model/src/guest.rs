//! What runs inside a workload, as far as the platform can tell.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr as Text;

use crate::observed::{Listing, Observed, Why};

/// State of the platform's guest tools or agent.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ToolsStatus {
    /// Running, current.
    Current,
    /// Running, out of date.
    Outdated,
    /// Installed, not running.
    NotRunning,
    /// Not installed.
    NotInstalled,
}

/// The platform's guest tools or agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tools {
    /// State.
    pub status: Observed<ToolsStatus>,
    /// Version as the platform writes it.
    pub version: Observed<Text>,
}

/// One file system in the guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Partition {
    /// Mount point or drive letter.
    pub mount: Text,
    /// Device key of the disk below.
    pub disk_key: Observed<Text>,
    /// Size.
    pub capacity_bytes: Observed<u64>,
    /// Free space: a sample.
    pub free_bytes: Observed<u64>,
}

/// The guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Guest {
    /// Operating system in the configuration.
    pub os_configured: Observed<Text>,
    /// Operating system that the tools report.
    pub os_reported: Observed<Text>,
    /// Host name.
    pub hostname: Observed<Text>,
    /// The address that the platform calls primary; absent = none.
    pub primary_address: Observed<IpAddr>,
    /// Guest tools or agent.
    pub tools: Tools,
    /// File systems.
    pub partitions: Listing<Partition>,
}

impl Guest {
    /// Nothing is known of it, and why.
    pub fn unobserved(why: Why) -> Self {
        Self {
            os_configured: Observed::Unobserved(why),
            os_reported: Observed::Unobserved(why),
            hostname: Observed::Unobserved(why),
            primary_address: Observed::Unobserved(why),
            tools: Tools { status: Observed::Unobserved(why), version: Observed::Unobserved(why) },
            partitions: Listing::unobserved(why),
        }
    }

    /// The operating system: what the tools report, else what is configured.
    pub fn os(&self) -> Observed<&Text> {
        match (&self.os_reported, &self.os_configured) {
            (Observed::Value(os), _) | (_, Observed::Value(os)) => Observed::Value(os),
            (Observed::Absent, configured) => configured.as_ref(),
            (reported, Observed::Absent) => reported.as_ref(),
            (Observed::Unobserved(why), _) => Observed::Unobserved(*why),
        }
    }
}
