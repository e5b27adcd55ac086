//! Every built-in check on a machine built for it, and what the catalogue as a whole must hold.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use entente_expr::Truth;
use entente_expr::workload::WorkloadRecord;
use entente_model::{
    BusSharing, Device, DiskMode, DiskSharing, Estate, FirmwareKind, Listing, Observed, Partition,
    PowerState, RawMapping, SwitchKind, ToolsStatus, Why, Workload, WorkloadKind,
};

use super::*;
use crate::guests::Guests;
use crate::sample;
use crate::targets::TargetRecord;

pub(super) fn builtin() -> Catalogue {
    Catalogue::builtin().unwrap_or_else(|error| panic!("{error}"))
}

/// A machine about which everything is known and to which nothing objects, alone in its estate.
pub(super) fn quiet() -> Estate {
    let mut workload = sample::machine("vm");
    workload.availability.change_tracking = true.into();
    workload.availability.disk_uuid_enabled = false.into();
    for nic in &mut workload.nics.items {
        nic.addresses = Listing::complete(vec!["192.0.2.7".parse().unwrap()]);
    }
    for disk in &mut workload.disks.items {
        disk.change_tracking = true.into();
    }
    let mut estate = sample::estate(vec![workload]);
    estate.clusters[0].ha_enabled = false.into();
    estate.networks[0] = sample::network("lan", SwitchKind::Distributed);
    estate.networks[0].mac_changes = false.into();
    estate.networks[0].forged_transmits = false.into();
    estate
}

/// What a check says of the estate's first workload on a target.
fn answer(check: &Check, estate: &Estate, target: &crate::targets::Target) -> Truth {
    let index = estate.index();
    let workload = &estate.workloads[0];
    static GUESTS: LazyLock<Guests> = LazyLock::new(|| Guests::builtin().unwrap());
    let support = workload.guest.os().map(|os| GUESTS.recognise(os).support(&target.id));
    let record = WorkloadRecord::new(&index, workload, sample::AS_OF);
    check.expression.evaluate(&[&record, &TargetRecord::new(target, &support)])
}

pub(super) fn answer_on(check: &Check, estate: &Estate, target: &str) -> Truth {
    answer(check, estate, builtin().targets().get(target).unwrap())
}

pub(super) type Change = fn(&mut Workload, &mut Estate);

pub(super) fn changed(change: Change) -> Estate {
    let mut estate = quiet();
    let mut workload = estate.workloads.remove(0);
    change(&mut workload, &mut estate);
    estate.workloads.insert(0, workload);
    estate
}

fn device() -> Listing<Device> {
    Listing::complete(vec![Device {
        label: "device".into(),
        backing: Observed::Absent,
        connected: true.into(),
    }])
}

fn snapshots(count: usize) -> Listing<entente_model::VmSnapshot> {
    Listing::complete((0..count).map(|_| sample::snapshot("before update")).collect())
}

fn partition(mount: &str, free_mib: u64) -> Listing<Partition> {
    Listing::complete(vec![Partition {
        mount: mount.into(),
        disk_key: Observed::Absent,
        capacity_bytes: (40 * sample::GIB).into(),
        free_bytes: (free_mib << 20).into(),
    }])
}

fn set_os(workload: &mut Workload, os: &str) {
    workload.guest.os_configured = Observed::Value(os.into());
    workload.guest.os_reported = Observed::Absent;
}

/// For each check a machine on which it fires.
const CASES: &[(&str, Change)] = &[
    ("disk-raw-mapping-physical", |w, _| {
        w.disks.items[0].raw_mapping = RawMapping::Physical.into()
    }),
    ("disk-raw-mapping-virtual", |w, _| w.disks.items[0].raw_mapping = RawMapping::Virtual.into()),
    ("disk-raw-mapping-unspecified", |w, _| {
        w.disks.items[0].raw_mapping = RawMapping::Unspecified.into();
    }),
    ("disk-independent", |w, _| w.disks.items[0].mode = DiskMode::IndependentPersistent.into()),
    ("disk-independent", |w, _| w.disks.items[0].mode = DiskMode::IndependentNonPersistent.into()),
    ("disk-non-persistent", |w, _| w.disks.items[0].mode = DiskMode::NonPersistent.into()),
    ("disk-multi-writer", |w, _| w.disks.items[0].sharing = DiskSharing::MultiWriter.into()),
    ("disk-bus-sharing", |w, _| w.disks.items[0].bus_sharing = BusSharing::Physical.into()),
    ("disk-bus-sharing", |w, _| w.disks.items[0].bus_sharing = BusSharing::Virtual.into()),
    ("disk-shared", share_disk),
    ("disk-shared-running", share_disk),
    ("disk-datastore-missing", |w, _| w.disks.items[0].datastore = Observed::Absent),
    ("disk-capacity-invalid", |w, _| w.disks.items[0].capacity_bytes = 0.into()),
    ("disk-count-over-limit", |w, _| {
        w.disks.items = (0..300).map(|at| sample::disk(&format!("Hard disk {at}"))).collect();
    }),
    ("disk-over-target-limit", |w, _| {
        w.disks.items[0].capacity_bytes = (200 * 1024 * 1024 * sample::GIB).into();
    }),
    ("storage-provisioned-large", |w, _| {
        w.samples.storage_provisioned_bytes = (11 * 1024 * sample::GIB).into();
    }),
    ("disk-bus-nvme", |w, _| {
        w.disks.items[0].controller = Observed::Value("NVME controller".into())
    }),
    ("disk-bus-ide", |w, _| w.disks.items[0].controller = Observed::Value("IDE 0".into())),
    ("disk-controller-buslogic", |w, _| {
        w.disks.items[0].controller = Observed::Value("BusLogic Parallel".into());
    }),
    ("disk-serial-truncated", |w, _| w.availability.disk_uuid_enabled = true.into()),
    ("change-tracking-disabled", |w, _| w.availability.change_tracking = false.into()),
    ("change-tracking-disabled", |w, _| w.availability.change_tracking = Observed::Absent),
    ("change-tracking-disabled-on-disk", |w, _| w.disks.items[0].change_tracking = false.into()),
    ("guest-filesystem-almost-full", |w, _| w.guest.partitions = partition("/", 99)),
    ("guest-filesystem-almost-full", |w, _| w.guest.partitions = partition("/boot", 49)),
    ("guest-filesystem-almost-full", |w, _| w.guest.partitions = partition("C:\\", 99)),
    ("guest-filesystem-almost-full", |w, _| w.guest.partitions = partition("c:", 99)),
    ("guest-filesystem-almost-full", |w, _| w.guest.partitions = partition("D:\\", 9)),
    ("guest-disk-key-missing", |w, _| {
        set_os(w, "Microsoft Windows Server 2019 (64-bit)");
        w.guest.partitions = partition("D:\\", 500);
    }),
    ("datastore-inaccessible", |_, estate| estate.datastores[0].accessible = false.into()),
    ("snapshot-present", |w, _| w.snapshots = snapshots(1)),
    ("snapshot-older-than-3-days", |w, _| w.snapshots = snapshots(1)),
    ("snapshot-older-than-30-days", |w, _| w.snapshots = snapshots(1)),
    ("snapshot-count-over-3", |w, _| w.snapshots = snapshots(4)),
    ("snapshot-count-over-32", |w, _| w.snapshots = snapshots(33)),
    ("consolidation-needed", |w, _| w.availability.consolidation_needed = true.into()),
    ("device-pci-passthrough", |w, _| w.devices.pci_passthrough = device()),
    ("device-vgpu", |w, _| w.devices.vgpus = device()),
    ("device-usb", |w, _| w.devices.usb = device()),
    ("device-serial-port", |w, _| w.devices.serial_ports = device()),
    ("device-cdrom-connected", |w, _| w.devices.cdroms = device()),
    ("device-tpm", |w, _| w.devices.tpm = true.into()),
    ("machine-encrypted", |w, _| w.devices.encrypted = true.into()),
    ("firmware-efi", |w, _| w.firmware.kind = FirmwareKind::Efi.into()),
    ("secure-boot", |w, _| w.firmware.secure_boot = true.into()),
    ("cpu-over-target-limit", |w, _| w.cpu.count = 768.into()),
    ("memory-over-target-limit", |w, _| w.memory.size_bytes = (24 * 1024 * sample::GIB).into()),
    ("cpu-affinity", |w, _| w.cpu.affinity = Observed::Value("0,1".into())),
    ("numa-affinity", |w, _| w.cpu.numa_affinity = Observed::Value("0".into())),
    ("hot-add-enabled", |w, _| w.cpu.hot_add = true.into()),
    ("hot-add-enabled", |w, _| w.cpu.hot_remove = true.into()),
    ("hot-add-enabled", |w, _| w.memory.hot_add = true.into()),
    ("cpu-limit", |w, _| w.cpu.limit_mhz = 2000.into()),
    ("cpu-reservation", |w, _| w.cpu.reservation_mhz = 1.into()),
    ("memory-reservation", |w, _| w.memory.reservation_bytes = sample::GIB.into()),
    ("memory-reservation-locked", |w, _| w.memory.reservation_locked_to_max = true.into()),
    ("memory-limit-below-size", |w, _| w.memory.limit_bytes = sample::GIB.into()),
    ("shares-not-normal", |w, _| w.cpu.shares_level = Observed::Value("High".into())),
    ("shares-not-normal", |w, _| w.memory.shares_level = Observed::Value("custom".into())),
    ("latency-sensitivity", |w, _| {
        w.availability.latency_sensitivity = Observed::Value("High".into());
    }),
    ("memory-ballooned-or-swapped", |w, _| w.samples.memory_ballooned_bytes = sample::GIB.into()),
    ("hardware-version-below-7", |w, _| w.firmware.hardware_version = 4.into()),
    ("hardware-version-old", |w, _| w.firmware.hardware_version = 11.into()),
    ("evc-mode-min", |w, _| {
        w.availability.evc_mode_min = Observed::Value("intel-broadwell".into())
    }),
    ("cpu-vendor-not-intel", |_, estate| {
        estate.hosts[0].cpu_model = Observed::Value("AMD EPYC 7543 32-Core Processor".into());
    }),
    ("nic-count-over-limit", |w, _| {
        w.nics.items = (0..33).map(|at| sample::nic(&format!("Network adapter {at}"))).collect();
    }),
    ("nic-sriov", |w, _| w.nics.items[0].adapter = Observed::Value("SriovEthernetCard".into())),
    ("nic-direct-path", |w, _| w.nics.items[0].direct_path = true.into()),
    ("nic-adapter-e1000", |w, _| w.nics.items[0].adapter = Observed::Value("E1000e".into())),
    ("nic-adapter-legacy", |w, _| w.nics.items[0].adapter = Observed::Value("Flexible".into())),
    ("nic-adapter-legacy", |w, _| w.nics.items[0].adapter = Observed::Value("PCNet32".into())),
    ("nic-disconnected", |w, _| w.nics.items[0].connected = false.into()),
    ("nic-address-unknown", |w, _| w.nics.items[0].addresses = Listing::complete(Vec::new())),
    ("nic-address-static", |w, _| w.nics.items[0].address_is_static = true.into()),
    ("nic-mac-manual", |w, _| w.nics.items[0].mac_origin = Observed::Value("Manual".into())),
    ("network-vlan-trunk", |_, estate| estate.networks[0].vlan = Observed::Value("0-4094".into())),
    ("network-vlan-trunk", |_, estate| estate.networks[0].vlan = Observed::Value("4095".into())),
    ("network-promiscuous", |_, estate| estate.networks[0].promiscuous = true.into()),
    ("network-address-changes-allowed", |_, estate| {
        estate.networks[0].forged_transmits = true.into();
    }),
    ("network-standard-switch", |_, estate| {
        estate.networks[0].switch_kind = SwitchKind::Standard.into();
    }),
    ("network-carries-hypervisor", |_, estate| estate.networks[0].carries_hypervisor = true.into()),
    ("guest-os-unsupported", |w, _| set_os(w, "Microsoft Windows Server 2003 (32-bit)")),
    ("guest-os-community", |w, _| set_os(w, "Debian GNU/Linux 12 (64-bit)")),
    ("guest-os-unrecognised", |w, _| set_os(w, "Other (64-bit)")),
    ("guest-os-macos", |w, _| set_os(w, "Apple macOS 12 (64-bit)")),
    ("guest-os-macos", |w, _| set_os(w, "Apple Mac OS X 10.7 (64-bit)")),
    ("guest-os-oracle", |w, _| set_os(w, "Oracle Linux 8 (64-bit)")),
    ("guest-os-successor", |w, _| set_os(w, "CentOS 7 (64-bit)")),
    ("guest-hostname-empty", |w, _| w.guest.hostname = Observed::Absent),
    ("guest-hostname-default", |w, _| {
        w.guest.hostname = Observed::Value("localhost.localdomain".into());
    }),
    ("tools-not-installed", |w, _| w.guest.tools.status = ToolsStatus::NotInstalled.into()),
    ("tools-not-running", |w, _| w.guest.tools.status = ToolsStatus::NotRunning.into()),
    ("tools-outdated", |w, _| w.guest.tools.status = ToolsStatus::Outdated.into()),
    ("guest-not-running", |w, _| w.samples.guest_state = Observed::Value("notRunning".into())),
    ("name-invalid", |w, _| w.name = "db_1 (old)".into()),
    ("name-invalid", |w, _| w.name = "x".repeat(64).into()),
    ("name-not-lowercase", |w, _| w.name = "DB-1".into()),
    ("drs-enabled", |_, estate| estate.clusters[0].drs_enabled = true.into()),
    ("dpm-enabled", |_, estate| estate.clusters[0].dpm_enabled = true.into()),
    ("ha-enabled", |_, estate| estate.clusters[0].ha_enabled = true.into()),
    ("ha-override", |w, _| w.availability.ha_restart_priority = Observed::Value("high".into())),
    ("drs-rule", |w, _| {
        w.availability.cluster_rules = Listing::complete(vec!["keep apart".into()]);
    }),
    ("vapp-member", |w, _| w.placement.vapp = Observed::Value("shop".into())),
    ("resource-pool-member", |w, _| {
        w.placement.resource_pool = Observed::Value("/dc1/prod/Resources/gold".into());
    }),
    ("fault-tolerance", |w, _| w.availability.fault_tolerance = Observed::Value("enabled".into())),
    ("recovery-placeholder", |w, _| w.kind = WorkloadKind::RecoveryPlaceholder),
    ("system-agent", |w, _| w.kind = WorkloadKind::SystemAgent),
    ("template", |w, _| w.kind = WorkloadKind::Template),
    ("powered-off", |w, _| w.power = PowerState::Off.into()),
    ("suspended", |w, _| w.power = PowerState::Suspended.into()),
    ("connection-state-abnormal", |w, _| {
        w.samples.connection_state = Observed::Value("orphaned".into());
    }),
    ("host-in-maintenance", |_, estate| estate.hosts[0].in_maintenance = true.into()),
    ("host-version-old", |_, estate| estate.hosts[0].version = Observed::Value("6.0.0".into())),
    ("host-version-old", |_, estate| estate.hosts[0].version = Observed::Value("5.5.0".into())),
];

fn share_disk(workload: &mut Workload, estate: &mut Estate) {
    let mut other = sample::machine("vm2");
    other.disks = workload.disks.clone();
    estate.workloads.push(other);
}

#[test]
fn every_check_fires_on_a_machine_built_for_it() {
    let catalogue = builtin();
    for (id, change) in CASES {
        let check = catalogue.check(id).unwrap_or_else(|| panic!("no check `{id}`"));
        let estate = changed(*change);
        let fires = catalogue.targets().iter().enumerate().any(|(at, target)| {
            check.severity(at) != CheckSeverity::NotApplicable
                && answer(check, &estate, target).is_true()
        });
        assert!(fires, "{id} does not fire");
    }
    let covered: BTreeSet<&str> = CASES.iter().map(|(id, _)| *id).collect();
    let all: BTreeSet<&str> = catalogue.checks().iter().map(|check| check.id.as_str()).collect();
    assert_eq!(covered, all);
}

#[test]
fn nothing_is_said_of_a_machine_to_which_nothing_objects() {
    let catalogue = builtin();
    let estate = quiet();
    for check in catalogue.checks() {
        for target in catalogue.targets() {
            let truth = answer(check, &estate, target);
            assert!(truth.is_false(), "{} on {}: {truth:?}", check.id, target.id);
        }
    }
}

#[test]
fn a_machine_that_is_off_leaves_nothing_open_that_only_its_guest_could_tell() {
    fn silent<T>() -> Observed<T> {
        Observed::Unobserved(Why::GuestSilent)
    }
    let catalogue = builtin();
    let estate = changed(|w, _| {
        w.power = PowerState::Off.into();
        w.guest.os_reported = silent();
        w.guest.hostname = silent();
        w.guest.primary_address = silent();
        w.guest.partitions = Listing::unobserved(Why::GuestSilent);
        w.samples.heartbeat = silent();
        w.nics.items[0].addresses = Listing::unobserved(Why::GuestSilent);
    });
    for check in catalogue.checks() {
        for (at, target) in catalogue.targets().iter().enumerate() {
            let decides =
                matches!(check.severity(at), CheckSeverity::Blocker | CheckSeverity::Warning);
            let truth = answer(check, &estate, target);
            assert!(!decides || truth.is_false(), "{} on {}: {truth:?}", check.id, target.id);
        }
    }
}

#[test]
fn what_was_not_observed_leaves_a_check_unanswered() {
    let catalogue = builtin();
    let check = catalogue.check("device-tpm").unwrap();
    let estate = changed(|w, _| w.devices.tpm = Observed::Unobserved(Why::SourceLimit));
    let truth = answer_on(check, &estate, "kvm");
    assert_eq!(truth.missing().len(), 1);
    assert_eq!(truth.missing()[0].attribute, "workload.tpm");
    let check = catalogue.check("guest-os-unsupported").unwrap();
    let estate = changed(|w, _| {
        w.guest.os_configured = Observed::Unobserved(Why::Blank);
        w.guest.os_reported = Observed::Unobserved(Why::Blank);
    });
    assert_eq!(answer_on(check, &estate, "kvm").missing()[0].attribute, "target.guest_support");
}

#[test]
fn limits_and_guest_support_are_the_targets_own() {
    let catalogue = builtin();
    let estate = changed(|w, _| {
        w.cpu.count = 230.into();
        set_os(w, "Rocky Linux 9 (64-bit)");
    });
    let fires =
        |id: &str, target: &str| answer_on(catalogue.check(id).unwrap(), &estate, target).is_true();
    assert!(fires("cpu-over-target-limit", "kubevirt"));
    assert!(!fires("cpu-over-target-limit", "ahv"));
    assert!(fires("guest-os-unsupported", "kubevirt"));
    assert!(fires("guest-os-community", "ahv"));
    assert!(!fires("guest-os-unsupported", "kvm"));
}

#[test]
fn the_built_in_catalogue_is_whole() {
    let catalogue = builtin();
    assert_eq!(catalogue.version(), "1");
    let mut ids = BTreeSet::new();
    for check in catalogue.checks() {
        assert!(ids.insert(&check.id), "{} twice", check.id);
        assert_eq!(check.severities.len(), catalogue.targets().len(), "{}", check.id);
        assert_ne!(check.topic, OWN_TOPIC, "{} has no topic", check.id);
        assert_ne!(check.source, BUILTIN, "{} has no source", check.id);
        let says_something = check.severities.iter().any(|it| *it != CheckSeverity::NotApplicable);
        assert!(says_something, "{} is not applicable anywhere", check.id);
        assert_eq!(
            check.reads_target,
            check.expression.attributes().iter().any(|path| path.starts_with("target")),
            "{}",
            check.id
        );
    }
}

/// Forklift's rules on its main branch (rules_version 5), without `vmware.`.
const FORKLIFT: [&str; 29] = [
    "changed_block_tracking.disabled",
    "changed_block_tracking.disk.disabled",
    "consolidation_needed",
    "cpu_affinity.detected",
    "cpu_memory.hotplug.enabled",
    "datastore.missing",
    "device.sriov.detected",
    "disk.capacity.invalid",
    "disk.count.exceeds.limit",
    "disk.rdm.detected",
    "disk.shared.detected",
    "disk_mode.independent",
    "disk_serial.truncated",
    "dpm.enabled",
    "drs.enabled",
    "fault_tolerance.enabled",
    "guestDisks.freespace",
    "guestDisks.key.not_found",
    "host_affinity.detected",
    "hostname.default",
    "hostname.empty",
    "numa_affinity.detected",
    "os.unsupported",
    "passthrough_device.detected",
    "snapshot.detected",
    "tpm.detected",
    "usb_controller.detected",
    "vm.name.invalid",
    "vm_missing_ip.detected",
];

/// What avs-rvtools-analyzer checks, but for passwords in clear, which importing reports.
const AVS_RVTOOLS_ANALYZER: [&str; 18] = [
    "cdrom-connected",
    "dvport-settings",
    "esx-versions",
    "fault-tolerance",
    "guest-not-running",
    "hardware-version",
    "high-memory",
    "high-vcpu",
    "large-provisioned",
    "non-distributed-switch",
    "non-intel-hosts",
    "oracle",
    "risky-disks",
    "shared-disks",
    "snapshots",
    "suspended",
    "vmkernel-networks",
    "vusb",
];

#[test]
fn every_rule_of_the_neighbours_has_its_check() {
    let catalogue = builtin();
    let named = |prefix: &str| -> BTreeSet<String> {
        let origins = catalogue.checks().iter().flat_map(|check| &check.origin);
        origins.filter_map(|it| it.strip_prefix(prefix)).map(str::to_owned).collect()
    };
    let wanted = |rules: &[&str]| -> BTreeSet<String> {
        rules.iter().map(|rule| (*rule).to_owned()).collect()
    };
    assert_eq!(named("forklift:vmware."), wanted(&FORKLIFT));
    assert_eq!(named("avs-rvtools-analyzer:"), wanted(&AVS_RVTOOLS_ANALYZER));
}

#[test]
fn the_page_in_docs_is_that_of_the_catalogue() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/checks.md");
    let page = builtin().page();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page, "docs/checks.md is out of date: run with UPDATE_GOLDEN=1");
}

#[test]
fn a_check_explains_itself() {
    let catalogue = builtin();
    let page = catalogue.check_page(catalogue.check("suspended").unwrap());
    assert_eq!(
        page,
        "\
# suspended

The machine is suspended.

Resume it and shut it down in order; its memory image cannot move, and its disks are not consistent without it.

## When

```cel
workload.power == \"suspended\"
```

## How bad

- Nutanix AHV: warning
- Proxmox VE: warning
- KVM with libvirt: warning
- KubeVirt: warning

## Source

avs-rvtools-analyzer [verified]; Forklift's prerequisites exclude hibernated machines [verified] (verified)

The same question elsewhere: avs-rvtools-analyzer:suspended.
"
    );
}
