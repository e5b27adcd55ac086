//! Which workload a row is about, and what vInfo tells of it.

use entente_model::{
    Attribute, Availability, ClusterId, Completeness, Cpu, Devices, Finding, Firmware,
    FirmwareKind, GapCause, Governance, Guest, HostId, IdentityBasis, Listing, Memory, Observed,
    Placement, PlatformId, PowerState, Severity, Text, Tools, Uuid, Why, Workload, WorkloadKind,
    WorkloadSamples,
};

use super::super::wire::{Cells, Column, Header, PlatformColumns, Version, columns};
use super::Parts;
use crate::secrets::{redact, redacted_value};

/// Which workload a row is about, by everything that the row tells.
#[derive(Clone, Debug)]
pub(in crate::rvtools) struct VmRef {
    pub(super) platform: PlatformId,
    pub(super) id: Observed<Text>,
    pub(super) uuid: Option<Uuid>,
    pub(super) name: Option<Text>,
    pub(super) row: u32,
}

impl VmRef {
    /// Its name, else its id.
    pub(super) fn shown(&self) -> Text {
        self.name.as_ref().or(self.id.value()).cloned().unwrap_or_default()
    }
}

/// A row's facts and the workload that they are about.
pub(in crate::rvtools) type About<T> = (VmRef, T);

columns! {
    /// Columns that name the workload; on every tab that tells of workloads.
    VmColumns { name: "VM", id: "VM ID", uuid: "VM UUID" }

    /// vInfo.
    InfoColumns {
        power: "Powerstate", template: "Template", placeholder: "SRM Placeholder",
        hostname: "DNS Name", connection: "Connection state", guest_state: "Guest state",
        heartbeat: "Heartbeat", consolidation: "Consolidation Needed", power_on: "PowerOn",
        created: "Creation date", cpus: "CPUs", cpu_ready: "Overall Cpu Readiness",
        memory: "Memory", active: "Active Memory", nics: "NICs", disks: "Disks",
        evc: "min Required EVC Mode Key", latency: "Latency Sensitivity",
        disk_uuid: "EnableUUID", cbt: "CBT", address: "Primary IP Address",
        pool: "Resource pool", folder: "Folder", vapp: "vApp", ha: "DAS protection",
        fault_tolerance: "FT State", provisioned: "Provisioned MiB", used: "In Use MiB",
        restart: "HA Restart Priority", isolation: "HA Isolation Response",
        rules: "Cluster rule name(s)", secure_boot: "EFI Secure boot", firmware: "Firmware",
        hardware: "HW version", annotation: "Annotation", datacenter: "Datacenter",
        cluster: "Cluster", host: "Host", os: "OS according to the configuration file",
        os_tools: "OS according to the VMware Tools", smbios: "SMBIOS UUID",
        server_type: "VI SDK Server type", server: "VI SDK Server", sdk_uuid: "VI SDK UUID",
    }
}

/// What vInfo tells of a workload, with the counts that other tabs are held against.
#[derive(Clone, Debug)]
pub(in crate::rvtools) struct InfoPart {
    pub(super) workload: Workload,
    pub(super) disks: Observed<u32>,
    pub(super) nics: Observed<u32>,
    pub(super) server: Observed<Text>,
    pub(super) server_type: Observed<Text>,
    pub(super) sdk_uuid: Observed<Text>,
}

/// Everything bound to find the workload of a row.
#[derive(Debug)]
pub(in crate::rvtools) struct VmFinder {
    vm: VmColumns,
    platform: PlatformColumns,
}

impl VmFinder {
    pub(in crate::rvtools) fn bind(header: &Header, version: Option<Version>) -> Self {
        Self {
            vm: VmColumns::bind(header, version),
            platform: PlatformColumns::bind(header, version),
        }
    }

    /// The workload that the row names; a gap and nothing if it names none.
    pub(in crate::rvtools) fn find(&self, cells: &mut Cells<'_, '_>) -> Option<VmRef> {
        let platform = cells.platform(&self.platform);
        let id = self.identifier(cells, &self.vm.id);
        let name = self.identifier(cells, &self.vm.name).value().cloned();
        let uuid = cells.uuid(&self.vm.uuid).copied();
        if id.value().is_none() && name.is_none() {
            cells.gap(
                GapCause::UnmappedRow,
                &self.vm.name,
                "the row names no workload: neither name nor id",
            );
            return None;
        }
        Some(VmRef { platform, id, uuid, name, row: cells.row_number() })
    }

    fn identifier(&self, cells: &mut Cells<'_, '_>, column: &Column) -> Observed<Text> {
        match cells.text(column) {
            Observed::Value(text) if is_scientific(&text) => {
                cells.gap(
                    GapCause::UnreadableValue,
                    column,
                    "a name or id that was turned into a number: exports up to 4.6 do that",
                );
                Observed::Unobserved(Why::Unreadable)
            }
            other => other,
        }
    }
}

/// `1E+15`: what became of an identifier of digits.
fn is_scientific(text: &str) -> bool {
    text.split_once(['E', 'e']).is_some_and(|(mantissa, exponent)| {
        mantissa.parse::<f64>().is_ok()
            && exponent.starts_with('+')
            && exponent.len() > 1
            && exponent.chars().skip(1).all(|c| c.is_ascii_digit())
    })
}

/// What the source can never tell.
pub(super) const NEVER: Why = Why::SourceLimit;

/// What another tab tells, until that tab's row arrives.
const LATER: Why = Why::Blank;

/// Free text with secrets redacted; each secret is a finding.
pub(super) fn note(
    cells: &mut Cells<'_, '_>,
    column: &Column,
    vm: &VmRef,
    parts: &mut Parts,
) -> Observed<Text> {
    cells.text_or_absent(column).map(|text| match redact(&text) {
        None => text,
        Some(redacted) => {
                        parts.findings.push(Finding {
                severity: Severity::Critical,
                code: Text::new_static("ENT-0201"),
                subject: vm.shown(),
                message: Text::from(format!(
                    "what looks like a password or key stands in clear in the column `{}`; it was not kept",
                    column.header
                )),
                remedy: Text::new_static(
                    "change the secret, and remove it from the note: everyone who may read the inventory can read it",
                ),
            });
            redacted
        }
    })
}

/// A row of vInfo.
pub(super) fn info(
    cells: &mut Cells<'_, '_>,
    vm: VmRef,
    columns: &InfoColumns,
    attributes: &[Column],
    parts: &mut Parts,
) {
    let kind = kind(cells, columns, vm.name.as_deref());
    let (instance_uuid, bios_uuid) = uuids(cells, columns, &vm);
    let workload = Workload {
        // The id is settled when all rows are known.
        id: parts.placeholder_id.clone(),
        platform: vm.platform.clone(),
        source: parts.source.clone(),
        identity: IdentityBasis::Name,
        name: vm.shown(),
        native_id: vm.id.clone(),
        instance_uuid,
        bios_uuid,
        kind,
        power: cells.word(&columns.power, power),
        created: known(cells.moment(&columns.created)),
        placement: placement(cells, columns, &vm.platform),
        cpu: cpu_of_info(cells, columns),
        memory: memory_of_info(cells, columns),
        disks: Listing::unobserved(LATER),
        nics: Listing::unobserved(LATER),
        devices: devices_before_rows(),
        firmware: Firmware {
            kind: cells.word(&columns.firmware, firmware),
            secure_boot: cells.flag(&columns.secure_boot),
            hardware_version: hardware_version(cells, &columns.hardware),
        },
        snapshots: Listing::unobserved(LATER),
        guest: guest(cells, columns),
        availability: availability(cells, columns),
        annotation: note(cells, &columns.annotation, &vm, parts),
        attributes: read_attributes(cells, attributes, &vm, parts),
        advanced_settings: Listing::unobserved(Why::SourceLimit),
        governance: Governance::default(),
        samples: samples(cells, columns),
    };
    let part = InfoPart {
        workload,
        disks: cells.count(&columns.disks),
        nics: cells.count(&columns.nics),
        server: cells.name(&columns.server),
        server_type: cells.name(&columns.server_type),
        sdk_uuid: cells.name(&columns.sdk_uuid),
    };
    parts.workloads.push((vm, part));
}

/// A moment that must have been: "never" is a blank.
pub(super) fn known<T>(moment: Observed<T>) -> Observed<T> {
    match moment {
        Observed::Absent => Observed::Unobserved(Why::Blank),
        other => other,
    }
}

/// Name prefixes of the machines that vSphere Cluster Services run.
const SYSTEM_AGENT_PREFIXES: [&str; 2] = ["vCLS-", "vCLS ("];

fn kind(cells: &mut Cells<'_, '_>, columns: &InfoColumns, name: Option<&str>) -> WorkloadKind {
    let is_agent = name
        .is_some_and(|name| SYSTEM_AGENT_PREFIXES.iter().any(|prefix| name.starts_with(prefix)));
    if cells.flag(&columns.template) == Observed::Value(true) {
        WorkloadKind::Template
    } else if cells.flag(&columns.placeholder) == Observed::Value(true) {
        WorkloadKind::RecoveryPlaceholder
    } else if is_agent {
        WorkloadKind::SystemAgent
    } else {
        WorkloadKind::Machine
    }
}

/// Instance and BIOS UUID. Up to version 4.2 `VM UUID` is the BIOS UUID, from 4.3 the instance UUID;
/// where the version is not known and the export has no column of its own for the BIOS UUID, the
/// column could be either and tells nothing.
fn uuids(
    cells: &mut Cells<'_, '_>,
    columns: &InfoColumns,
    vm: &VmRef,
) -> (Observed<Uuid>, Observed<Uuid>) {
    let smbios = cells.uuid(&columns.smbios);
    let vm_uuid = vm.uuid.map_or(Observed::Unobserved(Why::Blank), Observed::Value);
    match cells.scope.version {
        _ if columns.smbios.is_there() => (vm_uuid, smbios),
        Some(version) if version >= Version::V4_3 => (vm_uuid, smbios),
        Some(_) => (Observed::Unobserved(Why::NotInVersion), vm_uuid),
        None => (Observed::Unobserved(Why::Unreadable), Observed::Unobserved(Why::Unreadable)),
    }
}

fn power(word: &str) -> Option<PowerState> {
    match word.to_ascii_lowercase().as_str() {
        "poweredon" => Some(PowerState::On),
        "poweredoff" => Some(PowerState::Off),
        "suspended" => Some(PowerState::Suspended),
        _ => None,
    }
}

fn firmware(word: &str) -> Option<FirmwareKind> {
    match word.to_ascii_lowercase().as_str() {
        "bios" => Some(FirmwareKind::Bios),
        "efi" | "uefi" => Some(FirmwareKind::Efi),
        _ => None,
    }
}

/// `21`, `vmx-21`.
pub(super) fn hardware_version(cells: &mut Cells<'_, '_>, column: &Column) -> Observed<u32> {
    match cells.text(column) {
        Observed::Value(text) => {
            let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
            match digits.parse() {
                Ok(version) => Observed::Value(version),
                Err(_) => {
                    cells.gap(GapCause::UnreadableValue, column, "expected a hardware version");
                    Observed::Unobserved(Why::Unreadable)
                }
            }
        }
        Observed::Absent => Observed::Absent,
        Observed::Unobserved(why) => Observed::Unobserved(why),
    }
}

fn placement(cells: &mut Cells<'_, '_>, columns: &InfoColumns, platform: &PlatformId) -> Placement {
    let datacenter = cells.name(&columns.datacenter);
    let cluster = cells.name_or_absent(&columns.cluster);
    let host = cells.name(&columns.host);
    Placement {
        cluster: cluster_id(cells, &columns.cluster, platform, &datacenter, cluster),
        host: cells.id_on::<HostId>(platform, &columns.host, host),
        datacenter,
        folder: cells.name(&columns.folder),
        resource_pool: cells.name(&columns.pool),
        vapp: cells.name_or_absent(&columns.vapp),
    }
}

/// A cluster's name is unique in its datacenter only.
pub(super) fn cluster_id(
    cells: &mut Cells<'_, '_>,
    column: &Column,
    platform: &PlatformId,
    datacenter: &Observed<Text>,
    cluster: Observed<Text>,
) -> Observed<ClusterId> {
    let native = cluster.map(|name| cluster_native(datacenter.value().map(Text::as_str), &name));
    cells.id_on(platform, column, native)
}

/// What a cluster is called on its platform.
pub(super) fn cluster_native(datacenter: Option<&str>, cluster: &str) -> Text {
    match datacenter {
        Some(datacenter) => Text::from(format!("{datacenter}/{cluster}")),
        None => Text::new(cluster),
    }
}

fn cpu_of_info(cells: &mut Cells<'_, '_>, columns: &InfoColumns) -> Cpu {
    Cpu {
        count: cells.count(&columns.cpus),
        sockets: Observed::Unobserved(LATER),
        cores_per_socket: Observed::Unobserved(LATER),
        hot_add: Observed::Unobserved(LATER),
        hot_remove: Observed::Unobserved(LATER),
        reservation_mhz: Observed::Unobserved(LATER),
        limit_mhz: Observed::Unobserved(LATER),
        shares_level: Observed::Unobserved(LATER),
        affinity: Observed::Unobserved(NEVER),
        numa_affinity: Observed::Unobserved(NEVER),
    }
}

fn memory_of_info(cells: &mut Cells<'_, '_>, columns: &InfoColumns) -> Memory {
    Memory {
        size_bytes: cells.mib(&columns.memory),
        reservation_bytes: Observed::Unobserved(LATER),
        reservation_locked_to_max: Observed::Unobserved(LATER),
        limit_bytes: Observed::Unobserved(LATER),
        shares_level: Observed::Unobserved(LATER),
        hot_add: Observed::Unobserved(LATER),
    }
}

fn devices_before_rows() -> Devices {
    Devices {
        cdroms: Listing::unobserved(LATER),
        usb: Listing::unobserved(LATER),
        pci_passthrough: Listing::unobserved(NEVER),
        vgpus: Listing::unobserved(NEVER),
        serial_ports: Listing::unobserved(NEVER),
        tpm: Observed::Unobserved(NEVER),
        encrypted: Observed::Unobserved(NEVER),
    }
}

fn guest(cells: &mut Cells<'_, '_>, columns: &InfoColumns) -> Guest {
    let hostname = cells.text(&columns.hostname);
    let address = cells.address(&columns.address);
    Guest {
        os_configured: cells.name(&columns.os),
        os_reported: cells.name(&columns.os_tools),
        hostname,
        primary_address: address,
        tools: Tools { status: Observed::Unobserved(LATER), version: Observed::Unobserved(LATER) },
        partitions: Listing::unobserved(LATER),
    }
}

fn availability(cells: &mut Cells<'_, '_>, columns: &InfoColumns) -> Availability {
    Availability {
        ha_protected: cells.flag(&columns.ha),
        ha_restart_priority: cells.name(&columns.restart),
        ha_isolation_response: cells.name(&columns.isolation),
        fault_tolerance: match cells.name(&columns.fault_tolerance) {
            Observed::Value(state) if state.eq_ignore_ascii_case("notConfigured") => {
                Observed::Absent
            }
            other => other,
        },
        cluster_rules: match cells.list(&columns.rules) {
            Observed::Value(rules) => Listing::complete(rules),
            Observed::Absent => Listing::complete(Vec::new()),
            Observed::Unobserved(why) => Listing::unobserved(why),
        },
        evc_mode_min: cells.name_or_absent(&columns.evc),
        latency_sensitivity: cells.name(&columns.latency),
        change_tracking: cells.flag_or_absent(&columns.cbt),
        disk_uuid_enabled: cells.flag_or_absent(&columns.disk_uuid),
        consolidation_needed: cells.flag(&columns.consolidation),
    }
}

fn samples(cells: &mut Cells<'_, '_>, columns: &InfoColumns) -> WorkloadSamples {
    WorkloadSamples {
        powered_on_since: cells.moment(&columns.power_on),
        cpu_used_mhz: Observed::Unobserved(LATER),
        cpu_ready_basis_points: cells.basis_points(&columns.cpu_ready),
        memory_active_bytes: cells.mib(&columns.active),
        memory_consumed_bytes: Observed::Unobserved(LATER),
        memory_ballooned_bytes: Observed::Unobserved(LATER),
        memory_swapped_bytes: Observed::Unobserved(LATER),
        storage_provisioned_bytes: cells.mib(&columns.provisioned),
        storage_used_bytes: cells.mib(&columns.used),
        heartbeat: cells.name(&columns.heartbeat),
        guest_state: cells.name(&columns.guest_state),
        connection_state: cells.name(&columns.connection),
    }
}

fn read_attributes(
    cells: &mut Cells<'_, '_>,
    columns: &[Column],
    vm: &VmRef,
    parts: &mut Parts,
) -> Listing<Attribute> {
    let mut attributes = Vec::new();
    for column in columns {
        if let Observed::Value(value) = note(cells, column, vm, parts) {
            attributes.push(Attribute {
                name: column.header.clone(),
                value: redacted_value(&column.header, &value),
                // Columns of custom attributes and of tag categories look the same.
                kind: Observed::Unobserved(NEVER),
            });
        }
    }
    attributes.sort();
    // Tags are in the export only if it ran with a password and without `-ExcludeTags`.
    Listing { items: attributes, completeness: Completeness::Incomplete(NEVER) }
}
