//! Nouns of which nothing is known yet but that they exist: every fact says why it is not there.

use entente_model::{
    Availability, Cpu, Devices, Firmware, Governance, Guest, IdentityBasis, Listing, Memory, Nic,
    Observed, Placement, Text, Tools, Uuid, Why, Workload, WorkloadId, WorkloadKind,
    WorkloadSamples,
};

use super::Scene;

/// Never told by libvirt.
const NEVER: Why = Why::SourceLimit;

fn never<T>() -> Observed<T> {
    Observed::Unobserved(NEVER)
}

/// A workload of which only name and UUID are known, and why the rest is not.
pub fn workload(scene: &Scene<'_>, id: WorkloadId, name: &str, uuid: Uuid, why: Why) -> Workload {
    Workload {
        id,
        platform: scene.platform.clone(),
        source: scene.source.clone(),
        identity: IdentityBasis::PlatformAndNativeId,
        name: Text::from(name),
        native_id: Observed::Value(Text::from(uuid.to_string())),
        instance_uuid: Observed::Value(uuid),
        bios_uuid: Observed::Unobserved(why),
        kind: WorkloadKind::Machine,
        power: Observed::Unobserved(why),
        created: never(),
        placement: placement(scene, why),
        cpu: cpu(why),
        memory: memory(why),
        disks: Listing::unobserved(why),
        nics: Listing::unobserved(why),
        devices: devices(why),
        firmware: Firmware {
            kind: Observed::Unobserved(why),
            secure_boot: Observed::Unobserved(why),
            hardware_version: never(),
        },
        snapshots: Listing::unobserved(why),
        guest: guest(why),
        availability: availability(why),
        annotation: Observed::Unobserved(why),
        attributes: Listing::unobserved(why),
        advanced_settings: Listing::unobserved(why),
        governance: Governance::default(),
        samples: samples(why),
    }
}

fn placement(scene: &Scene<'_>, why: Why) -> Placement {
    Placement {
        datacenter: never(),
        cluster: Observed::Absent,
        host: scene.host.clone(),
        folder: never(),
        resource_pool: Observed::Unobserved(why),
        vapp: Observed::Absent,
    }
}

fn cpu(why: Why) -> Cpu {
    Cpu {
        count: Observed::Unobserved(why),
        sockets: Observed::Unobserved(why),
        cores_per_socket: Observed::Unobserved(why),
        hot_add: Observed::Unobserved(why),
        hot_remove: Observed::Unobserved(why),
        reservation_mhz: Observed::Unobserved(why),
        limit_mhz: Observed::Unobserved(why),
        shares_level: Observed::Unobserved(why),
        affinity: Observed::Unobserved(why),
        numa_affinity: Observed::Unobserved(why),
    }
}

fn memory(why: Why) -> Memory {
    Memory {
        size_bytes: Observed::Unobserved(why),
        reservation_bytes: Observed::Unobserved(why),
        reservation_locked_to_max: Observed::Unobserved(why),
        limit_bytes: Observed::Unobserved(why),
        shares_level: Observed::Unobserved(why),
        hot_add: Observed::Unobserved(why),
    }
}

fn devices(why: Why) -> Devices {
    Devices {
        cdroms: Listing::unobserved(why),
        usb: Listing::unobserved(why),
        pci_passthrough: Listing::unobserved(why),
        vgpus: Listing::unobserved(why),
        serial_ports: Listing::unobserved(why),
        tpm: Observed::Unobserved(why),
        encrypted: Observed::Unobserved(why),
    }
}

fn guest(why: Why) -> Guest {
    Guest {
        os_configured: Observed::Unobserved(why),
        os_reported: Observed::Unobserved(why),
        hostname: Observed::Unobserved(why),
        primary_address: never(),
        tools: Tools { status: Observed::Unobserved(why), version: never() },
        partitions: Listing::unobserved(why),
    }
}

fn availability(why: Why) -> Availability {
    Availability {
        ha_protected: never(),
        ha_restart_priority: never(),
        ha_isolation_response: never(),
        fault_tolerance: Observed::Absent,
        cluster_rules: Listing::unobserved(NEVER),
        evc_mode_min: Observed::Absent,
        latency_sensitivity: never(),
        change_tracking: Observed::Unobserved(why),
        disk_uuid_enabled: never(),
        consolidation_needed: never(),
    }
}

fn samples(why: Why) -> WorkloadSamples {
    WorkloadSamples {
        powered_on_since: never(),
        cpu_used_mhz: never(),
        cpu_ready_basis_points: never(),
        memory_active_bytes: never(),
        memory_consumed_bytes: never(),
        memory_ballooned_bytes: Observed::Unobserved(why),
        memory_swapped_bytes: never(),
        storage_provisioned_bytes: Observed::Unobserved(why),
        storage_used_bytes: Observed::Unobserved(why),
        heartbeat: never(),
        guest_state: Observed::Unobserved(why),
        connection_state: never(),
    }
}

/// An adapter with a label alone.
pub fn nic(label: Text) -> Nic {
    let blank = Why::Blank;
    Nic {
        label,
        adapter: Observed::Unobserved(blank),
        network: Observed::Unobserved(blank),
        switch: Observed::Unobserved(blank),
        connected: Observed::Unobserved(blank),
        starts_connected: Observed::Unobserved(blank),
        mac: Observed::Unobserved(blank),
        mac_origin: never(),
        addresses: Listing::unobserved(Why::GuestSilent),
        address_is_static: never(),
        direct_path: Observed::Unobserved(blank),
    }
}
