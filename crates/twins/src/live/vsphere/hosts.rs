//! What hosts say of themselves.

use std::collections::BTreeSet;

use entente_model::{Host, Network, Observed, Switch, SwitchKind};

use super::facts::{Facts, encoded_name, time};
use super::layout::Host as Place;
use super::xml::Writer;

/// What every host can do, in the order of the API: what the API requires to be told.
const CAPABILITIES: [(&str, bool); 47] = [
    ("recursiveResourcePoolsSupported", true),
    ("cpuMemoryResourceConfigurationSupported", true),
    ("rebootSupported", true),
    ("shutdownSupported", true),
    ("vmotionSupported", true),
    ("standbySupported", true),
    ("datastorePrincipalSupported", false),
    ("sanSupported", true),
    ("nfsSupported", true),
    ("iscsiSupported", true),
    ("vlanTaggingSupported", true),
    ("nicTeamingSupported", true),
    ("highGuestMemSupported", true),
    ("maintenanceModeSupported", true),
    ("suspendedRelocateSupported", true),
    ("restrictedSnapshotRelocateSupported", true),
    ("perVmSwapFiles", true),
    ("localSwapDatastoreSupported", true),
    ("unsharedSwapVMotionSupported", true),
    ("backgroundSnapshotsSupported", false),
    ("preAssignedPCIUnitNumbersSupported", true),
    ("screenshotSupported", true),
    ("scaledScreenshotSupported", true),
    ("storageVMotionSupported", true),
    ("vmotionWithStorageVMotionSupported", true),
    ("hbrNicSelectionSupported", true),
    ("vrNfcNicSelectionSupported", true),
    ("recordReplaySupported", false),
    ("ftSupported", true),
    ("smpFtSupported", true),
    ("cloneFromSnapshotSupported", true),
    ("deltaDiskBackingsSupported", true),
    ("perVMNetworkTrafficShapingSupported", true),
    ("tpmSupported", true),
    ("virtualExecUsageSupported", true),
    ("storageIORMSupported", true),
    ("vStorageCapable", true),
    ("snapshotRelayoutSupported", true),
    ("vmfsDatastoreMountCapable", true),
    ("eightPlusHostVmfsSharedAccessSupported", true),
    ("nestedHVSupported", true),
    ("vPMCSupported", true),
    ("interVMCommunicationThroughVMCISupported", false),
    ("featureCapabilitiesSupported", true),
    ("latencySensitivitySupported", true),
    ("accel3dSupported", true),
    ("provisioningNicSelectionSupported", true),
];

/// What every host can do, the same for all.
pub(super) fn common() -> String {
    let mut w = Writer::new();
    w.node("capability", |w| w.flags(&CAPABILITIES));
    w.finish()
}

/// What makes telling of many hosts quick.
pub(super) struct Shared<'a> {
    /// Standard switches with their port groups.
    standard: Vec<(&'a Switch, Vec<&'a Network>)>,
    /// Raw devices that machines of a cluster use, by position of the compute resource.
    luns: Vec<BTreeSet<&'a str>>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(facts: &Facts<'a>) -> Self {
        let collection = facts.collection;
        let of = |switch: &'a Switch| {
            let networks = collection.networks.iter();
            let groups = networks.filter(|it| {
                it.switch.value() == Some(&switch.name)
                    && it.switch_kind.value() != Some(&SwitchKind::Distributed)
            });
            (switch, groups.collect())
        };
        let switches = collection.switches.iter().filter(|it| it.kind == SwitchKind::Standard);
        let mut luns = vec![BTreeSet::new(); facts.layout.computes.len()];
        for (workload, machine) in collection.workloads.iter().zip(&facts.layout.machines) {
            let host = machine.host.and_then(|it| facts.layout.hosts.get(it));
            let Some(luns) = host.and_then(|it| luns.get_mut(it.compute)) else { continue };
            luns.extend(
                workload.disks.iter().filter_map(|it| it.lun.value()).map(|it| it.as_str()),
            );
        }
        Self { standard: switches.map(of).collect(), luns }
    }
}

/// The XML of a host.
pub(super) fn host(facts: &Facts<'_>, shared: &Shared<'_>, at: usize) -> String {
    let (Some(source), Some(place)) = (facts.collection.hosts.get(at), facts.layout.hosts.get(at))
    else {
        return String::new();
    };
    let telling = Telling { facts, shared, source, place, at };
    let layout = facts.layout;
    let compute = layout.computes.get(place.compute).map(|it| &it.reference);
    let mut w = Writer::new();
    facts.entity(&mut w, &place.reference, &source.name, compute, &[]);
    w.node("runtime", |w| telling.runtime(w));
    w.node("summary", |w| telling.summary(w));
    w.node("hardware", |w| telling.hardware(w));
    w.node("licensableResource", |w| telling.licensable(w));
    w.node("configManager", |w| {
        w.reference("certificateManager", CERTIFICATES, &certificates_id(&place.reference.id));
    });
    w.node("config", |w| telling.config(w));
    let machines = place.machines.iter().filter_map(|it| layout.machines.get(*it));
    w.references("vm", machines.map(|it| it.reference.pair()));
    let stores = place.datastores.iter().filter_map(|it| layout.datastores.get(*it));
    w.references("datastore", stores.map(|it| it.reference.pair()));
    let networks = place.networks.iter().filter_map(|it| layout.networks.get(*it));
    w.references("network", networks.map(|it| it.reference.pair()));
    w.finish()
}

const CERTIFICATES: &str = "HostCertificateManager";

fn certificates_id(host: &str) -> String {
    format!("certificateManager-{}", host.trim_start_matches("host-"))
}

/// What looks after a host's certificate.
pub(super) fn certificates(facts: &Facts<'_>) -> Vec<super::services::Service> {
    let hosts = facts.collection.hosts.iter().zip(&facts.layout.hosts);
    let told = hosts.map(|(source, place)| {
        let mut w = Writer::new();
        w.node("certificateInfo", |w| {
            w.text("issuer", "O=VMware Engineering,CN=CA");
            w.text_if("notAfter", source.certificate_expires.copied().map(time));
            w.text("subject", &format!("CN={}", source.name));
            w.text("status", "good");
        });
        let id = certificates_id(&place.reference.id);
        super::services::Service { kind: CERTIFICATES, id, content: w.finish() }
    });
    told.collect()
}

struct Telling<'a> {
    facts: &'a Facts<'a>,
    shared: &'a Shared<'a>,
    source: &'a Host,
    place: &'a Place,
    at: usize,
}

fn word<'a>(fact: &'a Observed<entente_model::Text>, otherwise: &'a str) -> &'a str {
    fact.value().map_or(otherwise, |it| it.as_str())
}

impl Telling<'_> {
    fn runtime(&self, w: &mut Writer) {
        w.words(&[("connectionState", "connected"), ("powerState", "poweredOn")]);
        w.text("standbyMode", "none");
        w.leaf("inMaintenanceMode", self.source.in_maintenance.copied().unwrap_or(false));
        w.leaf_if("inQuarantineMode", self.source.in_quarantine.copied());
        w.text_if("bootTime", self.source.booted.copied().map(time));
    }

    fn uuid(&self) -> entente_model::Uuid {
        crate::random::Random::of(&self.source.name).uuid()
    }

    fn mhz(&self) -> u64 {
        self.source.cpu_mhz.copied().unwrap_or(2_000)
    }

    fn cores(&self) -> u32 {
        self.source.cores.copied().unwrap_or(1)
    }

    fn summary(&self, w: &mut Writer) {
        let source = self.source;
        let memory = source.memory_bytes.copied().unwrap_or(0);
        w.reference("host", "HostSystem", &self.place.reference.id);
        w.node("hardware", |w| {
            w.text("vendor", word(&source.vendor, "unknown"));
            w.text("model", word(&source.model, "unknown"));
            w.leaf("uuid", self.uuid());
            w.leaf("memorySize", memory);
            w.text("cpuModel", word(&source.cpu_model, "unknown"));
            w.leaf("cpuMhz", self.mhz());
            w.leaf("numCpuPkgs", source.sockets.copied().unwrap_or(1));
            w.leaf("numCpuCores", self.cores());
            w.leaf("numCpuThreads", self.cores() * 2);
            w.leaf("numNics", 4);
            w.leaf("numHBAs", 2);
        });
        w.node("runtime", |w| self.runtime(w));
        w.node("config", |w| {
            w.text("name", &encoded_name(&source.name));
            w.leaf("port", 443);
            w.node("product", |w| self.product(w));
            w.flags(&[("vmotionEnabled", true), ("faultToleranceEnabled", false)]);
        });
        w.node("quickStats", |w| {
            let share = |total: u64, points: &Observed<u32>| {
                total / 10_000 * u64::from(points.copied().unwrap_or(0))
            };
            let total = self.mhz() * u64::from(self.cores());
            let cpu =
                total * u64::from(source.cpu_used_basis_points.copied().unwrap_or(0)) / 10_000;
            w.leaf("overallCpuUsage", cpu);
            let used = share(memory, &source.memory_used_basis_points);
            w.leaf("overallMemoryUsage", used / 1024 / 1024);
            w.leaf("uptime", 86_400 * 30);
        });
        w.text("overallStatus", self.facts.status(&self.place.reference.id));
        w.leaf("rebootRequired", false);
        let address = self.facts.collection.platforms.first();
        w.text_if("managementServerIp", address.and_then(|it| it.address.value()));
        w.text_if("maxEVCModeKey", source.evc_mode_max.value());
        w.text_if("currentEVCModeKey", source.evc_mode.value());
    }

    fn product(&self, w: &mut Writer) {
        let name = word(&self.source.hypervisor, "VMware ESXi");
        let version = word(&self.source.version, "8.0.3");
        let build = word(&self.source.build, "0");
        w.text("name", name);
        w.text("fullName", &format!("{name} {version} build-{build}"));
        w.words(&[("vendor", "VMware, Inc."), ("version", version), ("build", build)]);
        w.words(&[("localeVersion", "INTL"), ("localeBuild", "000"), ("osType", "vmnix-x86")]);
        w.words(&[("productLineId", "embeddedEsx"), ("apiType", "HostAgent")]);
        w.text("apiVersion", version);
        w.text("licenseProductName", "VMware ESX Server");
        w.text("licenseProductVersion", version.split('.').next().unwrap_or("8"));
    }

    fn licensable(&self, w: &mut Writer) {
        let sockets = self.source.sockets.copied().unwrap_or(1);
        w.node("resource", |w| {
            w.text("key", "numCpuPackages");
            w.value_as("value", "xsd:long", &sockets.to_string());
        });
    }

    fn hardware(&self, w: &mut Writer) {
        let source = self.source;
        let sockets = source.sockets.copied().unwrap_or(1);
        w.node("systemInfo", |w| {
            w.text("vendor", word(&source.vendor, "unknown"));
            w.text("model", word(&source.model, "unknown"));
            w.leaf("uuid", self.uuid());
            w.text("serialNumber", &format!("SN{:08X}", crate::random::hash(&source.name) >> 32));
        });
        w.node("cpuInfo", |w| {
            w.leaf("numCpuPackages", sockets);
            w.leaf("numCpuCores", self.cores());
            w.leaf("numCpuThreads", self.cores() * 2);
            w.leaf("hz", self.mhz() * 1_000_000);
        });
        let model = word(&source.cpu_model, "unknown");
        for index in 0..sockets {
            w.node("cpuPkg", |w| {
                w.leaf("index", index);
                w.text("vendor", if model.contains("AMD") { "amd" } else { "intel" });
                w.leaf("hz", self.mhz() * 1_000_000);
                w.leaf("busHz", 100_000_000);
                w.text("description", model);
                for thread in 0..2 {
                    w.leaf("threadId", index * 2 + thread);
                }
            });
        }
        w.leaf("memorySize", source.memory_bytes.copied().unwrap_or(0));
        w.leaf("smcPresent", false);
    }

    fn config(&self, w: &mut Writer) {
        w.reference("host", "HostSystem", &self.place.reference.id);
        w.node("product", |w| self.product(w));
        w.node("hyperThread", |w| {
            w.flags(&[("available", true), ("active", true), ("config", true)]);
        });
        w.node("storageDevice", |w| self.storage(w));
        w.node("network", |w| self.network(w));
        w.node("service", |w| {
            for (key, label, running) in [
                ("ntpd", "NTP Daemon", true),
                ("TSM-SSH", "SSH", false),
                ("vpxa", "vCenter Agent", true),
            ] {
                w.node("service", |w| {
                    w.words(&[("key", key), ("label", label)]);
                    w.flags(&[("required", false), ("uninstallable", false), ("running", running)]);
                    w.text("policy", if running { "on" } else { "off" });
                });
            }
        });
        w.node("dateTimeInfo", |w| {
            w.node("timeZone", |w| {
                w.words(&[("key", "UTC"), ("name", "UTC"), ("description", "UTC")]);
                w.leaf("gmtOffset", 0);
            });
            w.node("ntpConfig", |w| w.text("server", "ntp.infra.example.com"));
        });
        w.text("lockdownMode", "lockdownDisabled");
    }

    fn storage(&self, w: &mut Writer) {
        let luns = self.shared.luns.get(self.place.compute);
        for lun in luns.into_iter().flatten() {
            let uuid = super::machine::lun_uuid(lun);
            w.node_as("scsiLun", "HostScsiDisk", |w| {
                w.text("deviceName", &format!("/vmfs/devices/disks/{lun}"));
                w.text("deviceType", "disk");
                w.text("key", &format!("key-vim.host.ScsiDisk-{uuid}"));
                w.text("uuid", &uuid);
                w.text("canonicalName", lun);
                w.text("displayName", &format!("Array disk ({lun})"));
                w.words(&[("lunType", "disk"), ("vendor", "DGC"), ("model", "VRAID")]);
                w.text("operationalState", "ok");
                w.node("capacity", |w| {
                    w.leaf("blockSize", 512);
                    w.leaf("block", 2_097_152_000);
                });
                w.text("devicePath", &format!("/vmfs/devices/disks/{lun}"));
                w.flags(&[("ssd", false), ("localDisk", false)]);
            });
        }
        w.leaf("softwareInternetScsiEnabled", false);
    }

    fn network(&self, w: &mut Writer) {
        let has = |switch: &Switch| switch.hosts.items.contains(&self.source.name);
        let standard: Vec<_> = self.shared.standard.iter().filter(|it| has(it.0)).collect();
        for (switch, groups) in &standard {
            standard_switch(w, switch, groups);
        }
        let distributed =
            self.facts.layout.switches.iter().filter(|it| it.hosts.contains(&self.at));
        for (at, switch) in distributed.enumerate() {
            let Some(source) = self.facts.collection.switches.get(switch.source) else { continue };
            w.node("proxySwitch", |w| {
                w.words(&[("dvsUuid", &switch.uuid), ("dvsName", &encoded_name(&source.name))]);
                w.text("key", &format!("DvsPortset-{at}"));
                w.leaf("numPorts", 7936);
                w.leaf("numPortsAvailable", 7894);
                w.leaf_if("mtu", source.mtu_bytes.copied());
                w.node("spec", |_| {});
            });
        }
        for (switch, groups) in &standard {
            for group in groups {
                port_group(w, &switch.name, group);
            }
        }
        self.adapters(w);
        let (host, domain) = self.source.name.split_once('.').unwrap_or((&self.source.name, ""));
        w.node_as("dnsConfig", "HostDnsConfig", |w| {
            w.leaf("dhcp", false);
            w.words(&[("hostName", host), ("domainName", domain), ("address", "10.0.0.53")]);
        });
        w.leaf("ipV6Enabled", true);
    }

    /// Physical adapters, and the hypervisor's own.
    fn adapters(&self, w: &mut Writer) {
        for at in 0..4 {
            w.node("pnic", |w| {
                w.text("key", &format!("key-vim.host.PhysicalNic-vmnic{at}"));
                w.text("device", &format!("vmnic{at}"));
                w.text("pci", &format!("0000:3b:00.{at}"));
                w.text("driver", "ixgben");
                w.node("linkSpeed", |w| {
                    w.leaf("speedMb", 25_000);
                    w.leaf("duplex", true);
                });
                w.node("spec", |_| {});
                w.leaf("wakeOnLanSupported", true);
                let id = crate::random::hash(&self.source.name);
                w.text("mac", &format!("f0:92:1c:{:02x}:{:02x}:0{at}", id & 255, id >> 8 & 255));
            });
        }
        let carries = |it: &&super::layout::Network| {
            let source = self.facts.collection.networks.get(it.source);
            source.is_some_and(|it| it.carries_hypervisor.copied() == Some(true))
        };
        let layout = self.facts.layout;
        let own = self.place.networks.iter().filter_map(|it| layout.networks.get(*it));
        for (at, network) in own.filter(carries).enumerate() {
            let Some(source) = self.facts.collection.networks.get(network.source) else { continue };
            let switch = network.switch.and_then(|it| layout.switches.get(it));
            w.node("vnic", |w| {
                w.text("device", &format!("vmk{at}"));
                w.text("key", &format!("key-vim.host.VirtualNic-vmk{at}"));
                let group = if switch.is_some() { "" } else { source.name.as_str() };
                w.text("portgroup", group);
                w.node("spec", |w| {
                    w.node("ip", |w| {
                        w.leaf("dhcp", false);
                        let (second, third) = (self.at / 250 % 250, self.at % 250 + 1);
                        w.text("ipAddress", &format!("10.{}.{second}.{third}", 240 + at % 8));
                        w.text("subnetMask", "255.255.0.0");
                    });
                    if let Some(switch) = switch {
                        w.node("distributedVirtualPort", |w| {
                            w.text("switchUuid", &switch.uuid);
                            w.text("portgroupKey", &network.reference.id);
                            w.leaf("portKey", 9000 + self.at);
                        });
                    }
                    w.leaf("mtu", if at == 0 { 1500 } else { 9000 });
                });
            });
        }
    }
}

fn standard_switch(w: &mut Writer, switch: &Switch, groups: &[&Network]) {
    w.node("vswitch", |w| {
        w.text("name", &switch.name);
        w.text("key", &format!("key-vim.host.VirtualSwitch-{}", switch.name));
        w.leaf("numPorts", 7936);
        w.leaf("numPortsAvailable", 7894);
        w.leaf_if("mtu", switch.mtu_bytes.copied());
        for group in groups {
            w.text("portgroup", &format!("key-vim.host.PortGroup-{}", group.name));
        }
        w.text("pnic", "key-vim.host.PhysicalNic-vmnic0");
        w.node("spec", |w| {
            w.leaf("numPorts", 128);
            w.node("policy", |w| security(w, false, false, false));
            w.leaf_if("mtu", switch.mtu_bytes.copied());
        });
    });
}

fn security(w: &mut Writer, promiscuous: bool, changes: bool, forged: bool) {
    w.node("security", |w| {
        w.flags(&[
            ("allowPromiscuous", promiscuous),
            ("macChanges", changes),
            ("forgedTransmits", forged),
        ]);
    });
}

fn port_group(w: &mut Writer, switch: &str, group: &Network) {
    let fact = |it: &Observed<bool>| it.copied().unwrap_or(false);
    let (promiscuous, changes, forged) =
        (fact(&group.promiscuous), fact(&group.mac_changes), fact(&group.forged_transmits));
    w.node("portgroup", |w| {
        w.text("key", &format!("key-vim.host.PortGroup-{}", group.name));
        w.text("vswitch", &format!("key-vim.host.VirtualSwitch-{switch}"));
        w.node("computedPolicy", |w| security(w, promiscuous, changes, forged));
        w.node("spec", |w| {
            w.text("name", &group.name);
            let vlan = group.vlan.value().and_then(|it| it.parse::<u32>().ok()).unwrap_or(0);
            w.leaf("vlanId", vlan);
            w.text("vswitchName", switch);
            w.node("policy", |w| security(w, promiscuous, changes, forged));
        });
    });
}
