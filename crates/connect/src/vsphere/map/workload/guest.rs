//! What runs in a machine: its operating system and tools, as far as they report; and what it uses.

use entente_model::{
    Guest, Listing, Observed, Partition, Text, Tools, ToolsStatus, Why, WorkloadSamples,
};

use super::super::super::wire::{Element, Told};
use super::super::facts::{Facts, blank};
use super::Mapping;

impl Mapping<'_, '_, '_> {
    pub(super) fn guest(&mut self) -> Guest {
        let status = self.get("guest.toolsRunningStatus");
        let running =
            matches!(status.text(), Some("guestToolsRunning" | "guestToolsExecutingScripts"));
        let silent = match status.refused() {
            Some(why) => why,
            None if running => Why::Blank,
            None => Why::GuestSilent,
        };
        let reported = |facts: &Facts<'_>, told| facts.text(told, Observed::Unobserved(silent));
        let disks = self.get("guest.disk");
        let partitions = match disks {
            Told::Missing(why) => Listing::unobserved(why),
            Told::Unset => Listing::unobserved(silent),
            Told::Value(_) => {
                let items: Vec<Partition> = disks.elements().map(|it| self.partition(it)).collect();
                if items.is_empty() && !running {
                    Listing::unobserved(silent)
                } else {
                    Listing::complete(items)
                }
            }
        };
        let address = self.get("guest.ipAddress");
        Guest {
            os_configured: self.text("config.guestFullName"),
            os_reported: reported(&self.facts, self.get("guest.guestFullName")),
            hostname: reported(&self.facts, self.get("guest.hostName")),
            primary_address: self.facts.word(
                address,
                if running { Observed::Absent } else { Observed::Unobserved(silent) },
                |text| text.parse().ok(),
            ),
            tools: self.tools(),
            partitions,
        }
    }

    fn partition(&mut self, disk: Element<'_>) -> Partition {
        Partition {
            mount: Text::new(disk.text_at("diskPath").unwrap_or_default()),
            // Told since 7.0, with newer tools.
            disk_key: match disk.text_at("mappings.key") {
                Some(key) => Observed::Value(Text::new(key)),
                None => Observed::Unobserved(Why::NotInVersion),
            },
            capacity_bytes: self.facts.bytes(disk.told("capacity"), 1, blank()),
            free_bytes: self.facts.bytes(disk.told("freeSpace"), 1, blank()),
        }
    }

    fn tools(&mut self) -> Tools {
        let running = self.get("guest.toolsRunningStatus");
        let version = self.get("guest.toolsVersionStatus2");
        let status = match (version.text(), running.text()) {
            (Some("guestToolsNotInstalled"), _) => Observed::Value(ToolsStatus::NotInstalled),
            (_, Some("guestToolsNotRunning")) => Observed::Value(ToolsStatus::NotRunning),
            (_, Some("guestToolsRunning" | "guestToolsExecutingScripts")) => {
                self.facts.word(version, blank(), |word| match word {
                    "guestToolsCurrent" | "guestToolsSupportedNew" | "guestToolsUnmanaged" => {
                        Some(ToolsStatus::Current)
                    }
                    "guestToolsNeedUpgrade"
                    | "guestToolsSupportedOld"
                    | "guestToolsTooOld"
                    | "guestToolsTooNew"
                    | "guestToolsBlacklisted" => Some(ToolsStatus::Outdated),
                    _ => None,
                })
            }
            _ => self.facts.word(running, blank(), |_| None),
        };
        Tools { status, version: self.facts.text(self.get("guest.toolsVersion"), self.optional()) }
    }

    pub(super) fn samples(&mut self) -> WorkloadSamples {
        const MIB: u64 = 1 << 20;
        let statistics = self.get("summary.quickStats");
        let storage = self.get("summary.storage");
        let used = self.facts.bytes(storage.child("committed"), 1, blank());
        let more = self.facts.bytes(storage.child("uncommitted"), 1, blank());
        let off = matches!(self.get("runtime.powerState").text(), Some("poweredOff" | "suspended"));
        let unset = if off { Observed::Absent } else { blank() };
        WorkloadSamples {
            powered_on_since: self.facts.moment(self.get("runtime.bootTime"), unset),
            cpu_used_mhz: self.facts.number(statistics.child("overallCpuUsage"), blank()),
            cpu_ready_basis_points: Observed::Unobserved(Why::SourceLimit),
            memory_active_bytes: self.facts.bytes(
                statistics.child("guestMemoryUsage"),
                MIB,
                blank(),
            ),
            memory_consumed_bytes: self.facts.bytes(
                statistics.child("hostMemoryUsage"),
                MIB,
                blank(),
            ),
            memory_ballooned_bytes: self.facts.bytes(
                statistics.child("balloonedMemory"),
                MIB,
                blank(),
            ),
            memory_swapped_bytes: self.facts.bytes(statistics.child("swappedMemory"), MIB, blank()),
            storage_provisioned_bytes: match (&used, &more) {
                (Observed::Value(used), Observed::Value(more)) => {
                    Observed::Value(used.saturating_add(*more))
                }
                (Observed::Unobserved(why), _) | (_, Observed::Unobserved(why)) => {
                    Observed::Unobserved(*why)
                }
                _ => blank(),
            },
            storage_used_bytes: used,
            heartbeat: self.facts.text(statistics.child("guestHeartbeatStatus"), blank()),
            guest_state: self.text("guest.guestState"),
            connection_state: self.text("runtime.connectionState"),
        }
    }
}
