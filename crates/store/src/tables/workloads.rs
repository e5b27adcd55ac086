//! Workloads and their parts.

use entente_model::{Attribute, Device, Disk, Listing, Nic, Observed, VmSnapshot, Workload};

use super::{Column, Fact, Fill, Precedence, Table, Token, Told, indexed, named, unit};

const BY_WORKLOAD: Precedence = Precedence::ById { column: "workload", table: "workloads" };

/// Every table of a workload.
pub(crate) const TABLES: &[&dyn Fill<Workload>] =
    &[&WORKLOADS, &DISKS, &NICS, &VM_SNAPSHOTS, &DEVICES, &ATTRIBUTES];

static WORKLOADS: Table<Workload, Workload> = Table {
    name: "workloads",
    meaning: "Virtual machines, templates and containers, whatever the platform",
    precedence: Precedence::ById { column: "id", table: "workloads" },
    parts: |it| vec![it],
    columns: &[
        indexed(Column::text(
            "id",
            "Unique in the estate: platform and the platform's own id",
            |it, _| it.id.told(),
        )),
        Column::text("platform", "Where it lives", |it, _| it.platform.told()),
        indexed(Column::text("name", "Its name on the platform", |it, _| it.name.told())),
        Column::text("native_id", "Its id on the platform", |it, _| it.native_id.told()),
        Column::text(
            "instance_uuid",
            "Unique per platform, survives a move between hosts",
            |it, _| it.instance_uuid.told(),
        ),
        Column::text(
            "bios_uuid",
            "What the guest sees as its serial number; clones may share it",
            |it, _| it.bios_uuid.told(),
        ),
        Column::text(
            "kind",
            "`machine`, `template`, `recovery-placeholder`, `system-agent` or `container`",
            |it, _| it.kind.told(),
        ),
        Column::text("power", "`on`, `off` or `suspended`", |it, _| it.power.told()),
        Column::time("created", "When it was created", |it, _| it.created.told()),
        Column::text("datacenter", "Datacenter, by name", |it, _| it.placement.datacenter.told()),
        Column::text("cluster", "Id of its cluster; none on a standalone host", |it, _| {
            it.placement.cluster.told()
        }),
        Column::text("host", "Id of its host", |it, _| it.placement.host.told()),
        Column::text("folder", "Folder path", |it, _| it.placement.folder.told()),
        Column::text("resource_pool", "Resource pool path", |it, _| {
            it.placement.resource_pool.told()
        }),
        Column::text("vapp", "vApp, if it is in one", |it, _| it.placement.vapp.told()),
        Column::count("cpu_count", "Virtual processors in all", |it, _| it.cpu.count.told()),
        unit(
            "MHz",
            Column::count("cpu_reservation_mhz", "Processor guaranteed", |it, _| {
                it.cpu.reservation_mhz.told()
            }),
        ),
        unit(
            "MHz",
            Column::count("cpu_limit_mhz", "Processor cap; none is unlimited", |it, _| {
                it.cpu.limit_mhz.told()
            }),
        ),
        unit(
            "bytes",
            Column::count("memory_bytes", "Memory configured", |it, _| it.memory.size_bytes.told()),
        ),
        unit(
            "bytes",
            Column::count("memory_reservation_bytes", "Memory guaranteed", |it, _| {
                it.memory.reservation_bytes.told()
            }),
        ),
        unit(
            "bytes",
            Column::count("memory_limit_bytes", "Memory cap; none is unlimited", |it, _| {
                it.memory.limit_bytes.told()
            }),
        ),
        Column::count("disk_count", "Disks, if all were seen", |it, _| it.disks.told()),
        unit(
            "bytes",
            Column::count(
                "disk_capacity_bytes",
                "Capacity of all its disks, if all were seen",
                |it, _| disk_capacity(it),
            ),
        ),
        Column::count("nic_count", "Network adapters, if all were seen", |it, _| it.nics.told()),
        Column::count("snapshot_count", "VM snapshots, if all were seen", |it, _| {
            it.snapshots.told()
        }),
        Column::flag("tpm", "Has a virtual trusted platform module", |it, _| it.devices.tpm.told()),
        Column::flag("encrypted", "Encrypted by the platform", |it, _| it.devices.encrypted.told()),
        Column::text("firmware", "`bios` or `efi`", |it, _| it.firmware.kind.told()),
        Column::flag("secure_boot", "UEFI secure boot", |it, _| it.firmware.secure_boot.told()),
        Column::count("hardware_version", "Virtual hardware version, `vmx-19` is 19", |it, _| {
            it.firmware.hardware_version.told()
        }),
        Column::text(
            "os",
            "Operating system: what the tools report, else what is configured",
            |it, _| it.guest.os().told(),
        ),
        Column::text("os_configured", "Operating system in the configuration", |it, _| {
            it.guest.os_configured.told()
        }),
        Column::text("os_reported", "Operating system that the tools report", |it, _| {
            it.guest.os_reported.told()
        }),
        Column::text("hostname", "Host name that the guest reports", |it, _| {
            it.guest.hostname.told()
        }),
        Column::text("primary_address", "The address that the platform calls primary", |it, _| {
            it.guest.primary_address.told()
        }),
        Column::text(
            "tools_status",
            "Guest tools: `current`, `outdated`, `not-running` or `not-installed`",
            |it, _| it.guest.tools.status.told(),
        ),
        Column::text(
            "tools_version",
            "Version of the guest tools, as the platform writes it",
            |it, _| it.guest.tools.version.told(),
        ),
        Column::flag("ha_protected", "Restarted elsewhere when its host fails", |it, _| {
            it.availability.ha_protected.told()
        }),
        Column::text("fault_tolerance", "Fault tolerance state, if it is configured", |it, _| {
            it.availability.fault_tolerance.told()
        }),
        Column::count(
            "cluster_rule_count",
            "Affinity, anti-affinity and host rules that name it, if all were seen",
            |it, _| it.availability.cluster_rules.told(),
        ),
        Column::flag(
            "change_tracking",
            "Changed block tracking; none if it was never set",
            |it, _| it.availability.change_tracking.told(),
        ),
        Column::flag("consolidation_needed", "Snapshot files wait to be merged", |it, _| {
            it.availability.consolidation_needed.told()
        }),
        Column::text("annotation", "Notes on the platform, secrets redacted", |it, _| {
            it.annotation.told()
        }),
        indexed(Column::text("application", "The application that it serves", |it, _| {
            it.governance.application.told()
        })),
        Column::text("owner", "Who answers for it", |it, _| it.governance.owner.told()),
        Column::text("tier", "Service tier, in the organisation's own words", |it, _| {
            it.governance.tier.told()
        }),
        Column::text(
            "data_sensitivity",
            "Sensitivity of its data, in the organisation's own words",
            |it, _| it.governance.data_sensitivity.told(),
        ),
        Column::text(
            "environment",
            "`production`, `test` …, in the organisation's own words",
            |it, _| it.governance.environment.told(),
        ),
    ],
    samples: &[
        Column::time("powered_on_since", "Powered on since; none while it is off", |it, _| {
            it.samples.powered_on_since.told()
        }),
        unit(
            "MHz",
            Column::count("cpu_used_mhz", "Processor use", |it, _| it.samples.cpu_used_mhz.told()),
        ),
        unit(
            "bytes",
            Column::count("memory_active_bytes", "Memory in active use", |it, _| {
                it.samples.memory_active_bytes.told()
            }),
        ),
        unit(
            "bytes",
            Column::count("memory_consumed_bytes", "Host memory that it takes", |it, _| {
                it.samples.memory_consumed_bytes.told()
            }),
        ),
        unit(
            "bytes",
            Column::count("storage_provisioned_bytes", "Storage promised to it", |it, _| {
                it.samples.storage_provisioned_bytes.told()
            }),
        ),
        unit(
            "bytes",
            Column::count("storage_used_bytes", "Storage that it takes", |it, _| {
                it.samples.storage_used_bytes.told()
            }),
        ),
        Column::text("guest_state", "State of the guest, as the platform writes it", |it, _| {
            it.samples.guest_state.told()
        }),
        Column::text(
            "connection_state",
            "Connection between host and platform, as the platform writes it",
            |it, _| it.samples.connection_state.told(),
        ),
    ],
};

static DISKS: Table<Workload, Disk> = Table {
    name: "disks",
    meaning: "Virtual disks of workloads",
    precedence: BY_WORKLOAD,
    parts: |it| it.disks.iter().collect(),
    columns: &[
        indexed(Column::text("workload", "Id of the workload", |it, _| it.id.told())),
        Column::text("platform", "Where it lives", |it, _| it.platform.told()),
        Column::text("label", "The platform's label", |_, it| it.label.told()),
        Column::text("device", "Device key on the platform", |_, it| it.key.told()),
        Column::text("uuid", "The disk's own UUID", |_, it| it.uuid.told()),
        unit(
            "bytes",
            Column::count("capacity_bytes", "Capacity as the guest sees it", |_, it| {
                it.capacity_bytes.told()
            }),
        ),
        indexed(Column::text("datastore", "Id of the datastore", |_, it| it.datastore.told())),
        Column::text("path", "File or volume, as the platform writes it", |_, it| it.path.told()),
        Column::flag("thin", "Thin-provisioned", |_, it| it.thin.told()),
        Column::text(
            "mode",
            "How it takes part in VM snapshots: `persistent`, `independent-persistent` …",
            |_, it| it.mode.told(),
        ),
        Column::text("sharing", "`none` or `multi-writer`", |_, it| it.sharing.told()),
        Column::text("controller", "Controller type as the platform names it", |_, it| {
            it.controller.told()
        }),
        Column::text(
            "bus_sharing",
            "Whether its controller is shared: `none`, `virtual` or `physical`",
            |_, it| it.bus_sharing.told(),
        ),
        Column::text(
            "raw_mapping",
            "Raw device mapping: `physical`, `virtual` or `unspecified`; none for an ordinary disk",
            |_, it| it.raw_mapping.told(),
        ),
        Column::text("lun", "LUN behind a raw device mapping", |_, it| it.lun.told()),
        Column::flag("change_tracking", "Changed block tracking of this disk", |_, it| {
            it.change_tracking.told()
        }),
    ],
    samples: &[],
};

static NICS: Table<Workload, Nic> = Table {
    name: "nics",
    meaning: "Virtual network adapters of workloads",
    precedence: BY_WORKLOAD,
    parts: |it| it.nics.iter().collect(),
    columns: &[
        indexed(Column::text("workload", "Id of the workload", |it, _| it.id.told())),
        Column::text("platform", "Where it lives", |it, _| it.platform.told()),
        Column::text("label", "The platform's label", |_, it| it.label.told()),
        Column::text("adapter", "Adapter type", |_, it| it.adapter.told()),
        indexed(Column::text(
            "network",
            "Id of the network; none if it is attached to none",
            |_, it| it.network.told(),
        )),
        Column::text("switch", "Switch behind that network", |_, it| it.switch.told()),
        Column::flag("connected", "Connected now", |_, it| it.connected.told()),
        Column::flag("starts_connected", "Connected at power-on", |_, it| {
            it.starts_connected.told()
        }),
        Column::text("mac", "Hardware address, lower case with colons", |_, it| it.mac.told()),
        Column::text(
            "mac_origin",
            "How the hardware address was given: `assigned`, `manual`, `generated`",
            |_, it| it.mac_origin.told(),
        ),
        Column::text(
            "addresses",
            "Addresses that the guest reports, each between spaces",
            |_, it| addresses(it),
        ),
        Column::flag("address_is_static", "Static, not from DHCP", |_, it| {
            it.address_is_static.told()
        }),
        Column::flag("direct_path", "Bypasses the hypervisor where possible", |_, it| {
            it.direct_path.told()
        }),
    ],
    samples: &[],
};

static VM_SNAPSHOTS: Table<Workload, VmSnapshot> = Table {
    name: "vm_snapshots",
    meaning: "VM snapshots of workloads",
    precedence: BY_WORKLOAD,
    parts: |it| it.snapshots.iter().collect(),
    columns: &[
        indexed(Column::text("workload", "Id of the workload", |it, _| it.id.told())),
        Column::text("platform", "Where it lives", |it, _| it.platform.told()),
        Column::text("native_id", "Its id on the platform", |_, it| it.id.told()),
        Column::text(
            "parent",
            "Id of the VM snapshot that it follows; none for the first",
            |_, it| it.parent.told(),
        ),
        Column::text("name", "Its name", |_, it| it.name.told()),
        Column::text("description", "What its maker wrote, secrets redacted", |_, it| {
            it.description.told()
        }),
        Column::time("created", "When it was made", |_, it| it.created.told()),
        unit(
            "bytes",
            Column::count("size_bytes", "Space that it holds", |_, it| it.size_bytes.told()),
        ),
        Column::flag("quiesced", "File systems were quiesced", |_, it| it.quiesced.told()),
        Column::text("state", "Power state that it holds, as the platform writes it", |_, it| {
            it.state.told()
        }),
    ],
    samples: &[],
};

/// A device with its kind: the model keeps a list for each.
static DEVICES: Table<Workload, Device> = Table {
    name: "devices",
    meaning: "Other devices of workloads: CD drives, USB, passthrough, GPU shares, serial ports",
    precedence: BY_WORKLOAD,
    parts: |it| device_lists(it).into_iter().flat_map(|(_, list)| list.iter()).collect(),
    columns: &[
        indexed(Column::text("workload", "Id of the workload", |it, _| it.id.told())),
        Column::text("platform", "Where it lives", |it, _| it.platform.told()),
        Column::text(
            "kind",
            "`cdrom`, `usb`, `pci-passthrough`, `vgpu` or `serial-port`",
            device_kind,
        ),
        Column::text("label", "The platform's label or device node", |_, it| it.label.told()),
        Column::text("backing", "What is behind it, as the platform writes it", |_, it| {
            it.backing.told()
        }),
        Column::flag("connected", "Connected now", |_, it| it.connected.told()),
    ],
    samples: &[],
};

static ATTRIBUTES: Table<Workload, Attribute> = Table {
    name: "attributes",
    meaning: "Custom attributes and tags of workloads",
    precedence: BY_WORKLOAD,
    parts: |it| it.attributes.iter().collect(),
    columns: &[
        indexed(Column::text("workload", "Id of the workload", |it, _| it.id.told())),
        Column::text("platform", "Where it lives", |it, _| it.platform.told()),
        Column::text("kind", "`custom` or `tag`", |_, it| it.kind.told()),
        Column::text("name", "Attribute name or tag category", |_, it| it.name.told()),
        Column::text("value", "Value or tag, secrets redacted", |_, it| it.value.told()),
    ],
    samples: &[],
};

fn device_lists(workload: &Workload) -> [(&'static str, &Listing<Device>); 5] {
    let devices = &workload.devices;
    [
        ("cdrom", &devices.cdroms),
        ("usb", &devices.usb),
        ("pci-passthrough", &devices.pci_passthrough),
        ("vgpu", &devices.vgpus),
        ("serial-port", &devices.serial_ports),
    ]
}

/// Which list a device stands in: the place tells, two lists may hold equal devices.
fn device_kind(workload: &Workload, device: &Device) -> Fact {
    let lists = device_lists(workload);
    let holds = |list: &Listing<Device>| list.iter().any(|it| std::ptr::eq(it, device));
    let kind = lists.iter().find(|it| holds(it.1)).map_or("", |it| it.0);
    kind.told()
}

fn disk_capacity(workload: &Workload) -> Fact {
    if let Some(why) = workload.disks.why() {
        return Fact::None(Some(why));
    }
    let mut sum = 0_u64;
    for disk in &workload.disks {
        match &disk.capacity_bytes {
            Observed::Value(bytes) => sum = sum.saturating_add(*bytes),
            Observed::Absent => {}
            Observed::Unobserved(why) => return Fact::None(Some(*why)),
        }
    }
    sum.told()
}

fn addresses(nic: &Nic) -> Fact {
    match (nic.addresses.items.is_empty(), nic.addresses.why()) {
        (true, Some(why)) => Fact::None(Some(why)),
        (true, None) => Fact::Text(String::new()),
        (false, _) => {
            let addresses: Vec<String> = nic.addresses.iter().map(ToString::to_string).collect();
            Fact::Text(format!(" {} ", addresses.join(" ")))
        }
    }
}

/// By which words a workload is found.
pub(crate) fn tokens(workload: &Workload) -> Vec<Token> {
    let mut tokens = named(&workload.name);
    let mut add = |token: String, what: &'static str| {
        let token = token.to_lowercase().replace('\0', "\u{fffd}");
        if !token.is_empty() && !tokens.iter().any(|it| it.token == token) {
            let label = workload.name.replace('\0', "\u{fffd}");
            tokens.push(Token { token, what, label });
        }
    };
    if let Observed::Value(name) = &workload.guest.hostname {
        add(name.to_string(), "name");
    }
    for uuid in [&workload.instance_uuid, &workload.bios_uuid] {
        if let Observed::Value(uuid) = uuid {
            add(uuid.to_string(), "uuid");
        }
    }
    if let Observed::Value(address) = &workload.guest.primary_address {
        add(address.to_string(), "address");
    }
    for nic in &workload.nics {
        if let Observed::Value(mac) = &nic.mac {
            add(mac.to_string(), "mac");
        }
        for address in &nic.addresses {
            add(address.to_string(), "address");
        }
    }
    tokens
}
