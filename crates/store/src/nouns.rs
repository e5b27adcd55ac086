//! What the store keeps of each noun: how it is known on its platform, and which of its facts move by
//! themselves.

use std::collections::HashMap;

use entente_model::{
    Activity, Alarm, Attachment, AuthenticationSource, Cluster, Collection, Datastore, Folder,
    Grant, Host, Licence, NativePolicy, Network, Observed, PlacementGroup, PlacementRule, Platform,
    Principal, Product, ProtectionJob, ResourcePool, Role, SourceId, StoragePolicy, Switch,
    TagCategory, Volume, Why, Workload, WorkloadOverride,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::tables::{Fill, Token, control, infrastructure, named, workloads};

/// A kind of thing that the store keeps.
pub(crate) trait Noun: Serialize + DeserializeOwned + 'static {
    /// Its list's name in a collection.
    const KIND: &'static str;

    /// Happened once, and is never gone.
    const IS_EVENT: bool = false;

    /// The platform it belongs to.
    fn platform(&self) -> &str;

    /// What tells it from others of its kind on its platform.
    fn name(&self) -> String;

    /// What tells it from another of the same name at another time.
    fn identity(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Every reading has a source of its own; which one it was is known from the reading, and a new one is
    /// no change of the thing. Without one, the platform stands in its place.
    fn set_source(&mut self, source: Option<&SourceId>) {
        let _ = source;
    }

    /// The tables that show it.
    fn tables() -> &'static [&'static dyn Fill<Self>] {
        &[]
    }

    /// By which words it is found.
    fn tokens(&self) -> Vec<Token> {
        Vec::new()
    }

    /// Shows each fact that moves by itself.
    fn samples(&mut self, visit: &mut dyn FnMut(&str, &mut dyn Sample)) {
        let _ = visit;
    }
}

/// A fact that moves by itself.
pub(crate) trait Sample {
    /// Takes it out, as JSON.
    fn take(&mut self, json: &mut Vec<u8>) -> Result<(), serde_json::Error>;

    /// Puts it back.
    fn put(&mut self, json: &RawValue);
}

/// What stands where a sample was taken out.
const ELSEWHERE: Why = Why::NotInExport;

impl<T: Serialize + DeserializeOwned> Sample for Observed<T> {
    fn take(&mut self, json: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        serde_json::to_writer(json, &std::mem::replace(self, Self::Unobserved(ELSEWHERE)))
    }

    fn put(&mut self, json: &RawValue) {
        *self = serde_json::from_str(json.get()).unwrap_or(Self::Unobserved(Why::Unreadable));
    }
}

/// Takes all samples out, as one JSON object; nothing of what has none.
pub(crate) fn take_samples(noun: &mut impl Noun) -> Result<Option<Vec<u8>>, serde_json::Error> {
    let mut json = Vec::new();
    let mut outcome = Ok(());
    noun.samples(&mut |name, sample| {
        json.push(if json.is_empty() { b'{' } else { b',' });
        let written = serde_json::to_writer(&mut json, name);
        json.push(b':');
        let written = written.and_then(|()| sample.take(&mut json));
        if outcome.is_ok() {
            outcome = written;
        }
    });
    outcome?;
    if json.is_empty() {
        return Ok(None);
    }
    json.push(b'}');
    Ok(Some(json))
}

/// Puts samples back, as far as there are any.
pub(crate) fn put_samples(noun: &mut impl Noun, json: &[u8]) -> Result<(), serde_json::Error> {
    let samples: HashMap<&str, &RawValue> = serde_json::from_slice(json)?;
    noun.samples(&mut |name, sample| {
        if let Some(json) = samples.get(name) {
            sample.put(json);
        }
    });
    Ok(())
}

/// The platform that an id begins with.
fn of_id(id: &str) -> &str {
    id.split_once('/').map_or(id, |it| it.0)
}

fn told<T: ToString>(fact: &Observed<T>) -> Option<String> {
    fact.value().map(ToString::to_string)
}

macro_rules! nouns {
    ($($type:ident in $($list:ident).+ , $platform:expr, $name:expr $(, { $($more:tt)* })?;)*) => {
        $(impl Noun for $type {
            const KIND: &'static str = last!($($list).+);

            fn platform(&self) -> &str {
                let platform: fn(&Self) -> &str = $platform;
                platform(self)
            }

            fn name(&self) -> String {
                let name: fn(&Self) -> String = $name;
                name(self)
            }

            $($($more)*)?
        })*

        /// Does something to each list of a collection.
        macro_rules! for_each_list {
            ($collection:expr, $do:ident) => { $($do!($collection, $type, $($list).+);)* };
        }
        pub(crate) use for_each_list;

        /// Every kind, in the order of a collection.
        pub const KINDS: &[&str] = &[$(last!($($list).+)),*];
    };
}

macro_rules! last {
    ($only:ident) => {
        stringify!($only)
    };
    ($first:ident . $($rest:ident).+) => {
        last!($($rest).+)
    };
}

nouns! {
    Platform in platforms, |it| it.id.as_str(), |it| it.id.to_string(), {
        fn tables() -> &'static [&'static dyn Fill<Self>] {
            infrastructure::PLATFORMS
        }
    };
    Product in products, |it| it.platform.as_str(), |it| it.name.to_string();
    Cluster in clusters, |it| it.platform.as_str(), |it| it.id.to_string(), {
        fn tables() -> &'static [&'static dyn Fill<Self>] {
            infrastructure::CLUSTERS
        }

        fn tokens(&self) -> Vec<Token> {
            named(&self.name)
        }
    };
    Host in hosts, |it| it.platform.as_str(), |it| it.id.to_string(), {
        fn tables() -> &'static [&'static dyn Fill<Self>] {
            infrastructure::HOSTS
        }

        fn tokens(&self) -> Vec<Token> {
            named(&self.name)
        }

        fn samples(&mut self, visit: &mut dyn FnMut(&str, &mut dyn Sample)) {
            visit("booted", &mut self.booted);
            visit("cpu_used_basis_points", &mut self.cpu_used_basis_points);
            visit("memory_used_basis_points", &mut self.memory_used_basis_points);
        }
    };
    Datastore in datastores, |it| it.platform.as_str(), |it| it.id.to_string(), {
        fn tables() -> &'static [&'static dyn Fill<Self>] {
            infrastructure::DATASTORES
        }

        fn tokens(&self) -> Vec<Token> {
            named(&self.name)
        }

        fn samples(&mut self, visit: &mut dyn FnMut(&str, &mut dyn Sample)) {
            visit("provisioned_bytes", &mut self.provisioned_bytes);
            visit("free_bytes", &mut self.free_bytes);
        }
    };
    Switch in switches, |it| it.platform.as_str(), |it| format!("{:?}/{}", it.kind, it.name);
    Network in networks, |it| it.platform.as_str(), |it| it.id.to_string(), {
        fn tables() -> &'static [&'static dyn Fill<Self>] {
            infrastructure::NETWORKS
        }

        fn tokens(&self) -> Vec<Token> {
            named(&self.name)
        }
    };
    ResourcePool in resource_pools, |it| it.platform.as_str(), |it| it.path.value().unwrap_or(&it.name).to_string();
    Licence in licences, |it| it.platform.as_str(), |it| it.name.to_string(), {
        fn samples(&mut self, visit: &mut dyn FnMut(&str, &mut dyn Sample)) {
            visit("used", &mut self.used);
        }
    };
    Workload in workloads, |it| it.platform.as_str(), |it| it.id.to_string(), {
        fn tables() -> &'static [&'static dyn Fill<Self>] {
            workloads::TABLES
        }

        fn tokens(&self) -> Vec<Token> {
            workloads::tokens(self)
        }

        fn identity(&self) -> Vec<(&'static str, String)> {
            let facts = [
                ("instance-uuid", told(&self.instance_uuid)),
                ("bios-uuid", told(&self.bios_uuid)),
                ("created", told(&self.created)),
            ];
            facts.into_iter().filter_map(|(name, fact)| Some((name, fact?))).collect()
        }

        fn set_source(&mut self, source: Option<&SourceId>) {
            self.source = source.cloned().unwrap_or_else(|| SourceId::from(&self.platform));
        }

        fn samples(&mut self, visit: &mut dyn FnMut(&str, &mut dyn Sample)) {
            let samples = &mut self.samples;
            visit("powered_on_since", &mut samples.powered_on_since);
            visit("cpu_used_mhz", &mut samples.cpu_used_mhz);
            visit("cpu_ready_basis_points", &mut samples.cpu_ready_basis_points);
            visit("memory_active_bytes", &mut samples.memory_active_bytes);
            visit("memory_consumed_bytes", &mut samples.memory_consumed_bytes);
            visit("memory_ballooned_bytes", &mut samples.memory_ballooned_bytes);
            visit("memory_swapped_bytes", &mut samples.memory_swapped_bytes);
            visit("storage_provisioned_bytes", &mut samples.storage_provisioned_bytes);
            visit("storage_used_bytes", &mut samples.storage_used_bytes);
            visit("heartbeat", &mut samples.heartbeat);
            visit("guest_state", &mut samples.guest_state);
            visit("connection_state", &mut samples.connection_state);
            for (number, partition) in self.guest.partitions.items.iter_mut().enumerate() {
                visit(&format!("partition {number}"), &mut partition.free_bytes);
            }
        }
    };
    Folder in control.folders, |it| it.platform.as_str(), |it| it.native_id.to_string();
    TagCategory in control.tag_categories, |it| it.platform.as_str(), |it| it.name.to_string();
    Principal in control.principals, |it| it.platform.as_str(), |it| format!("{:?}/{}", it.kind, it.name), {
        fn tables() -> &'static [&'static dyn Fill<Self>] {
            control::PRINCIPALS
        }
    };
    AuthenticationSource in control.authentication_sources, |it| it.platform.as_str(), |it| it.name.to_string();
    Role in control.roles, |it| it.platform.as_str(), |it| it.native_id.to_string(), {
        fn tables() -> &'static [&'static dyn Fill<Self>] {
            control::ROLES
        }
    };
    Grant in control.grants, |it| it.platform.as_str(), |it| {
        let scope = it.scope_id.value().unwrap_or(&it.scope);
        format!("{:?}/{} {} on {scope}", it.principal_kind, it.principal, it.role)
    }, {
        fn tables() -> &'static [&'static dyn Fill<Self>] {
            control::GRANTS
        }
    };
    PlacementGroup in control.placement_groups, |it| it.platform.as_str(), |it| {
        format!("{}/{}", told(&it.cluster).unwrap_or_default(), it.name)
    };
    PlacementRule in control.placement_rules, |it| it.platform.as_str(), |it| {
        format!("{}/{}", told(&it.cluster).unwrap_or_default(), it.name)
    };
    WorkloadOverride in control.overrides, |it| of_id(it.workload.as_str()), |it| {
        format!("{} {} {}", it.workload, it.function, it.setting)
    };
    StoragePolicy in control.storage_policies, |it| it.platform.as_str(), |it| it.native_id.to_string();
    Volume in control.volumes, |it| of_id(it.datastore.as_str()), |it| format!("{} {}", it.datastore, it.path), {
        fn tables() -> &'static [&'static dyn Fill<Self>] {
            control::VOLUMES
        }

        fn samples(&mut self, visit: &mut dyn FnMut(&str, &mut dyn Sample)) {
            visit("allocated_bytes", &mut self.allocated_bytes);
        }
    };
    ProtectionJob in control.protection_jobs, |it| it.platform.as_str(), |it| it.native_id.to_string();
    Alarm in control.alarms, |it| it.platform.as_str(), |it| it.native_id.to_string();
    Attachment in control.attachments, |it| it.platform.as_str(), |it| {
        let principal = told(&it.principal).unwrap_or_default();
        format!("{:?}/{}/{principal}/{}", it.kind, it.name, told(&it.address).unwrap_or_default())
    }, {
        fn tables() -> &'static [&'static dyn Fill<Self>] {
            control::ATTACHMENTS
        }

        fn samples(&mut self, visit: &mut dyn FnMut(&str, &mut dyn Sample)) {
            visit("last_seen", &mut self.last_seen);
            visit("count", &mut self.count);
        }
    };
    Activity in control.activities, |it| it.platform.as_str(), |it| it.native_id.to_string(), {
        const IS_EVENT: bool = true;
    };
    NativePolicy in control.policies, |it| it.platform.as_str(), |it| format!("{}/{}/{}", it.dialect, it.scope, it.name), {
        fn tables() -> &'static [&'static dyn Fill<Self>] {
            control::POLICIES
        }
    };
}

/// A collection's objects by platform: an export may show several.
pub(crate) fn by_platform(collection: Collection) -> Vec<(String, Collection)> {
    if let [only] = collection.platforms.as_slice() {
        return vec![(only.id.to_string(), collection)];
    }
    let mut parts: std::collections::BTreeMap<String, Collection> =
        std::collections::BTreeMap::new();
    let whole = Collection::empty(collection.source.clone());
    for platform in &collection.platforms {
        let mut part = whole.clone();
        part.gaps.clone_from(&collection.gaps);
        part.findings.clone_from(&collection.findings);
        parts.insert(platform.id.to_string(), part);
    }
    macro_rules! deal {
        ($collection:expr, $type:ident, $($list:ident).+) => {
            for noun in $collection.$($list).+ {
                let part = parts.entry(noun.platform().to_owned()).or_insert_with(|| whole.clone());
                part.$($list).+.push(noun);
            }
        };
    }
    for_each_list!(collection, deal);
    parts.into_iter().collect()
}
