//! What a machine's guest and its tools say.

use std::net::IpAddr;

use entente_model::{Nic, ToolsStatus};

use super::super::facts::encoded_name;
use super::super::xml::Writer;
use super::Telling;

/// How vSphere calls an operating system in a configuration, by the name that it shows.
pub(super) fn guest_id(name: &str) -> &'static str {
    const KNOWN: [(&str, &str); 26] = [
        ("Windows Server 2025", "windows2022srvNext_64Guest"),
        ("Windows Server 2022", "windows2019srvNext_64Guest"),
        ("Windows Server 2019", "windows2019srv_64Guest"),
        ("Windows Server 2016", "windows9Server64Guest"),
        ("Windows Server 2012", "windows8Server64Guest"),
        ("Windows Server 2008 R2", "windows7Server64Guest"),
        ("Windows Server 2003", "winNetStandardGuest"),
        ("Windows 11", "windows11_64Guest"),
        ("Windows 10", "windows9_64Guest"),
        ("Red Hat Enterprise Linux 9", "rhel9_64Guest"),
        ("Red Hat Enterprise Linux 8", "rhel8_64Guest"),
        ("Red Hat Enterprise Linux 7", "rhel7_64Guest"),
        ("Red Hat Enterprise Linux 6", "rhel6_64Guest"),
        ("CentOS 7", "centos7_64Guest"),
        ("SUSE Linux Enterprise 15", "sles15_64Guest"),
        ("SUSE Linux Enterprise 12", "sles12_64Guest"),
        ("SUSE Linux Enterprise 11", "sles11_64Guest"),
        ("Oracle Linux 8", "oracleLinux8_64Guest"),
        ("Ubuntu Linux", "ubuntu64Guest"),
        ("Debian GNU/Linux 11", "debian11_64Guest"),
        ("FreeBSD 12", "freebsd12_64Guest"),
        ("Photon OS", "vmwarePhoton64Guest"),
        ("Other 3.x", "other3xLinux64Guest"),
        ("Solaris 11", "solaris11_64Guest"),
        ("ESXi", "vmkernel65Guest"),
        ("Debian", "debian12_64Guest"),
    ];
    KNOWN.iter().find(|it| name.contains(it.0)).map_or("otherGuest64", |it| it.1)
}

fn family(id: &str) -> &'static str {
    if id.starts_with("win") {
        "windowsGuest"
    } else if id.starts_with("other") {
        "otherGuestFamily"
    } else {
        "linuxGuest"
    }
}

/// Words for the state of the tools: `toolsStatus`, `toolsVersionStatus`, `toolsVersionStatus2`,
/// `toolsRunningStatus`.
fn words(status: Option<ToolsStatus>) -> [&'static str; 4] {
    match status {
        Some(ToolsStatus::Current) => {
            ["toolsOk", "guestToolsCurrent", "guestToolsCurrent", "guestToolsRunning"]
        }
        Some(ToolsStatus::Outdated) => {
            ["toolsOld", "guestToolsNeedUpgrade", "guestToolsSupportedOld", "guestToolsRunning"]
        }
        Some(ToolsStatus::NotRunning) => {
            ["toolsNotRunning", "guestToolsCurrent", "guestToolsCurrent", "guestToolsNotRunning"]
        }
        Some(ToolsStatus::NotInstalled) | None => [
            "toolsNotInstalled",
            "guestToolsNotInstalled",
            "guestToolsNotInstalled",
            "guestToolsNotRunning",
        ],
    }
}

impl Telling<'_> {
    pub(super) fn tools_config(&self, w: &mut Writer) {
        let version = self.workload.guest.tools.version.value();
        let version = version.and_then(|it| it.parse::<u32>().ok()).unwrap_or(0);
        w.node("tools", |w| {
            w.leaf("toolsVersion", version);
            w.flags(&[
                ("afterPowerOn", true),
                ("afterResume", true),
                ("beforeGuestStandby", true),
                ("beforeGuestShutdown", true),
            ]);
            w.text("toolsUpgradePolicy", "manual");
            w.leaf("syncTimeWithHost", false);
        });
    }

    fn is_reporting(&self) -> bool {
        self.workload.guest.hostname.value().is_some()
    }

    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.workload.nics.iter().flat_map(|it| &it.addresses).copied()
    }

    fn primary(&self) -> Option<String> {
        let told = self.workload.guest.primary_address.copied();
        told.map(|it| it.to_string())
    }

    pub(super) fn guest(&self, w: &mut Writer) {
        let guest = &self.workload.guest;
        let [status, version, version2, running] = words(guest.tools.status.copied());
        w.open("guest");
        w.words(&[
            ("toolsStatus", status),
            ("toolsVersionStatus", version),
            ("toolsVersionStatus2", version2),
            ("toolsRunningStatus", running),
        ]);
        w.text("toolsVersion", guest.tools.version.value().map_or("0", |it| it.as_str()));
        if let Some(name) = guest.os_reported.value() {
            let id = guest_id(name);
            w.words(&[("guestId", id), ("guestFamily", family(id)), ("guestFullName", name)]);
        }
        w.text_if("hostName", guest.hostname.value());
        w.text_if("ipAddress", self.primary());
        if self.is_reporting() {
            for (at, nic) in self.workload.nics.iter().enumerate() {
                self.guest_nic(w, at, nic);
            }
            if !self.is_lean {
                self.ip_stack(w);
            }
        }
        for partition in &guest.partitions {
            w.node("disk", |w| {
                w.text("diskPath", &partition.mount);
                w.leaf_if("capacity", partition.capacity_bytes.copied());
                w.leaf_if("freeSpace", partition.free_bytes.copied());
                w.text(
                    "filesystemType",
                    if partition.mount.contains(':') { "NTFS" } else { "xfs" },
                );
                let key = partition.disk_key.value().and_then(|it| it.parse::<u32>().ok());
                if let Some(key) = key {
                    w.node("mappings", |w| w.leaf("key", key));
                }
            });
        }
        w.node("screen", |w| {
            w.leaf("width", 1024);
            w.leaf("height", 768);
        });
        let state = self.workload.samples.guest_state.value();
        w.text("guestState", state.map_or("unknown", |it| it.as_str()));
        w.text("appHeartbeatStatus", "appStatusGray");
        w.leaf("guestKernelCrashed", false);
        w.text("appState", "none");
        w.leaf("guestOperationsReady", self.is_reporting());
        w.leaf("interactiveGuestOperationsReady", false);
        w.close("guest");
    }

    fn guest_nic(&self, w: &mut Writer, at: usize, nic: &Nic) {
        w.node("net", |w| {
            w.text_if("network", self.network_name(at).as_deref().map(encoded_name));
            for address in &nic.addresses {
                w.leaf("ipAddress", address);
            }
            w.text_if("macAddress", nic.mac.value());
            w.leaf("connected", nic.connected.copied().unwrap_or(false));
            w.leaf("deviceConfigId", 4000 + at);
            if nic.addresses.items.is_empty() {
                return;
            }
            w.node("ipConfig", |w| {
                for address in &nic.addresses {
                    w.node("ipAddress", |w| {
                        w.leaf("ipAddress", address);
                        w.leaf("prefixLength", if address.is_ipv4() { 24 } else { 64 });
                        if let Some(is_static) = nic.address_is_static.copied() {
                            w.text("origin", if is_static { "manual" } else { "dhcp" });
                        }
                        w.text("state", "preferred");
                    });
                }
            });
        });
    }

    fn ip_stack(&self, w: &mut Writer) {
        let host = self.workload.guest.hostname.value().map_or("", |it| it.as_str());
        let (host, domain) = host.split_once('.').unwrap_or((host, ""));
        let gateway = self.addresses().find_map(|it| match it {
            IpAddr::V4(it) => {
                let [a, b, c, _] = it.octets();
                Some(format!("{a}.{b}.{c}.1"))
            }
            IpAddr::V6(_) => None,
        });
        w.node("ipStack", |w| {
            w.node("dnsConfig", |w| {
                w.leaf("dhcp", false);
                w.words(&[("hostName", host), ("domainName", domain), ("ipAddress", "10.0.0.53")]);
                w.text("searchDomain", domain);
            });
            if let Some(gateway) = &gateway {
                w.node("ipRouteConfig", |w| {
                    w.node("ipRoute", |w| {
                        w.text("network", "0.0.0.0");
                        w.leaf("prefixLength", 0);
                        w.node("gateway", |w| {
                            w.text("ipAddress", gateway);
                            w.text("device", "0");
                        });
                    });
                });
            }
        });
    }

    pub(super) fn guest_summary(&self, w: &mut Writer) {
        let guest = &self.workload.guest;
        if let Some(name) = guest.os_reported.value() {
            w.words(&[("guestId", guest_id(name)), ("guestFullName", name)]);
        }
        let [status, version, version2, running] = words(guest.tools.status.copied());
        w.words(&[
            ("toolsStatus", status),
            ("toolsVersionStatus", version),
            ("toolsVersionStatus2", version2),
            ("toolsRunningStatus", running),
        ]);
        w.text_if("hostName", guest.hostname.value());
        w.text_if("ipAddress", self.primary());
    }

    /// The name of the network of an adapter.
    pub(super) fn network_name(&self, adapter: usize) -> Option<String> {
        let network = (*self.machine.adapters.get(adapter)?)?;
        let network = self.facts.layout.networks.get(network)?;
        Some(self.facts.collection.networks.get(network.source)?.name.to_string())
    }
}
