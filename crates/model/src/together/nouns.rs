//! Each noun's facts, and how two accounts of them are put together. Every field is named here: a new one
//! does not compile until somebody has thought about it.

use super::facts::{
    At, Fact, Facts, Item, Notes, block, fact, inherited, listed, local, part, plain, sample, skip,
    worded,
};
use crate::governance::{Attribute, Governance};
use crate::guest::{Guest, Partition, Tools};
use crate::hardware::{Cpu, Device, Devices, Disk, Firmware, Memory, Nic, VmSnapshot};
use crate::infrastructure::{
    Cluster, Datastore, Host, Network, Platform, Product, ResourcePool, Switch,
};
use crate::observed::Why;
use crate::workload::{Availability, Placement, Setting, Workload, WorkloadKind, WorkloadSamples};

macro_rules! facts {
    ($($type:ident { $($how:ident: $($field:ident)+;)+ })*) => {$(
        impl Facts for $type {
            fn settle(&mut self, other: &Self, at: &At<'_>, notes: &mut Notes) {
                let Self { $($($field),+),+ } = self;
                $($($how($field, &other.$field, &at.to(stringify!($field)), notes);)+)+
            }
        }
    )*};
}

macro_rules! items {
    ($($type:ident by $name:expr;)*) => {$(
        impl Item for $type {
            fn called(&self) -> String {
                let name: fn(&Self) -> String = $name;
                name(self)
            }

            fn compare(&self, other: &Self, at: &At<'_>, notes: &mut Notes) {
                if self != other {
                    self.clone().settle(other, at, notes);
                }
            }
        }
    )*};
}

facts! {
    Workload {
        skip: id platform source identity native_id;
        plain: name;
        purpose: kind;
        fact: instance_uuid bios_uuid power created annotation;
        local: placement;
        block: cpu;
        part: memory devices firmware guest availability governance;
        latest: samples;
        listed: disks nics snapshots attributes advanced_settings;
    }
    Placement { fact: datacenter cluster host; worded: folder resource_pool vapp; }
    Cpu {
        fact: count sockets cores_per_socket hot_add hot_remove reservation_mhz limit_mhz shares_level
            affinity numa_affinity;
    }
    Memory {
        fact: size_bytes reservation_bytes reservation_locked_to_max limit_bytes shares_level hot_add;
    }
    Disk {
        plain: label;
        fact: key uuid capacity_bytes datastore path thin mode sharing bus_sharing raw_mapping
            change_tracking;
        worded: controller lun;
    }
    Nic {
        plain: label;
        fact: adapter network switch connected starts_connected mac mac_origin address_is_static
            direct_path;
        listed: addresses;
    }
    Device { plain: label; fact: connected; worded: backing; }
    Devices { listed: cdroms usb pci_passthrough vgpus serial_ports; fact: tpm encrypted; }
    Firmware { fact: kind secure_boot hardware_version; }
    VmSnapshot {
        plain: name;
        skip: id parent;
        fact: description created quiesced state;
        sample: size_bytes;
    }
    Guest { fact: os_configured os_reported hostname primary_address; block: tools; listed: partitions; }
    Tools { fact: status version; }
    Partition { plain: mount; fact: disk_key capacity_bytes; sample: free_bytes; }
    Availability {
        fact: ha_protected fault_tolerance evc_mode_min latency_sensitivity change_tracking
            disk_uuid_enabled consolidation_needed;
        inherited: ha_restart_priority ha_isolation_response;
        listed: cluster_rules;
    }
    Attribute { plain: name value; fact: kind; }
    Setting { plain: key value; }
    Governance {
        fact: application owner tier data_sensitivity environment;
        skip: labels;
    }
    WorkloadSamples {
        sample: powered_on_since cpu_used_mhz cpu_ready_basis_points memory_active_bytes
            memory_consumed_bytes memory_ballooned_bytes memory_swapped_bytes storage_provisioned_bytes
            storage_used_bytes heartbeat guest_state connection_state;
    }
    Host {
        skip: id platform;
        plain: name;
        fact: datacenter cluster cpu_model cpu_mhz sockets cores memory_bytes hypervisor version build
            vendor model in_maintenance in_quarantine evc_mode evc_mode_max
            certificate_expires;
        worded: licence_count;
        sample: cpu_used_basis_points memory_used_basis_points booted;
    }
    Cluster {
        skip: id platform;
        plain: name;
        fact: datacenter ha_enabled admission_control failover_level drs_enabled drs_behaviour
            dpm_enabled host_count cpu_mhz cpu_cores memory_bytes;
    }
    Datastore {
        skip: id platform;
        plain: name;
        worded: version;
        fact: kind accessible capacity_bytes host_count datastore_cluster io_control;
        sample: provisioned_bytes free_bytes;
    }
    Network {
        skip: id platform;
        plain: name;
        fact: switch switch_kind vlan promiscuous mac_changes forged_transmits carries_hypervisor;
    }
    Switch { skip: platform name kind; fact: version mtu_bytes; listed: hosts; }
    ResourcePool {
        skip: platform name path;
        fact: cpu_reservation_mhz cpu_limit_mhz memory_reservation_bytes memory_limit_bytes;
    }
    Platform { skip: id kind_label uuid; sample: address site owner; }
    Product { skip: platform name; fact: version build; }
}

items! {
    Disk by |it| it.label.to_string();
    Nic by |it| it.label.to_string();
    Device by |it| it.label.to_string();
    Partition by |it| it.mount.to_string();
    VmSnapshot by |it| it.name.to_string();
    Attribute by |it| format!("{}={}", it.name, it.value);
    Setting by |it| it.key.to_string();
}

impl Fact for WorkloadKind {}

/// A machine may be more than that: old exports know no stand-ins, and not what the platform runs for
/// itself.
fn purpose(kept: &mut WorkloadKind, other: &WorkloadKind, at: &At<'_>, notes: &mut Notes) {
    use WorkloadKind::{Machine, RecoveryPlaceholder, SystemAgent};
    match (&kept, other) {
        (Machine, RecoveryPlaceholder | SystemAgent) => *kept = *other,
        (RecoveryPlaceholder | SystemAgent, Machine) => {}
        _ => plain(kept, other, at, notes),
    }
}

/// What moves by itself comes from one reading: the latest that saw any of it.
fn latest(kept: &mut WorkloadSamples, other: &WorkloadSamples, at: &At<'_>, notes: &mut Notes) {
    let mut none = WorkloadSamples::unobserved(Why::Blank);
    let mut seen = Notes::default();
    none.settle(kept, at, &mut seen);
    if seen.filled_count == 0 {
        kept.settle(other, at, notes);
    }
}
