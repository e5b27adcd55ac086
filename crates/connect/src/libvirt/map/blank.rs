//! A workload of which nothing is known yet but that it exists: every fact says why it is not there.

use entente_model::{
    Availability, Cpu, Devices, Firmware, Governance, Guest, IdentityBasis, Listing, Memory,
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
        placement: Placement {
            datacenter: never(),
            cluster: Observed::Absent,
            host: scene.host.clone(),
            folder: never(),
            resource_pool: Observed::Unobserved(why),
            vapp: Observed::Absent,
        },
        cpu: Cpu::unobserved(why),
        memory: Memory::unobserved(why),
        disks: Listing::unobserved(why),
        nics: Listing::unobserved(why),
        devices: Devices::unobserved(why),
        firmware: Firmware { hardware_version: never(), ..Firmware::unobserved(why) },
        snapshots: Listing::unobserved(why),
        guest: guest(why),
        availability: Availability {
            fault_tolerance: Observed::Absent,
            evc_mode_min: Observed::Absent,
            change_tracking: Observed::Unobserved(why),
            ..Availability::unobserved(NEVER)
        },
        annotation: Observed::Unobserved(why),
        attributes: Listing::unobserved(why),
        advanced_settings: Listing::unobserved(why),
        governance: Governance::default(),
        samples: WorkloadSamples {
            memory_ballooned_bytes: Observed::Unobserved(why),
            storage_provisioned_bytes: Observed::Unobserved(why),
            storage_used_bytes: Observed::Unobserved(why),
            guest_state: Observed::Unobserved(why),
            ..WorkloadSamples::unobserved(NEVER)
        },
    }
}

fn guest(why: Why) -> Guest {
    let tools = Tools { status: Observed::Unobserved(why), version: never() };
    Guest { primary_address: never(), tools, ..Guest::unobserved(why) }
}
