//! Which workload a row is about: by id on its platform, then by UUID, then by name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entente_model::{GapCause, IdentityBasis, Observed, PlatformId, Text, Uuid, WorkloadId};

use super::join::TabRead;
use super::vm::{About, InfoPart, VmRef};

/// Where a key leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    One(usize),
    Many,
}

type Leads<K> = HashMap<(PlatformId, K), Lead>;

fn add<K: std::hash::Hash + Eq>(leads: &mut Leads<K>, platform: &PlatformId, key: K, at: usize) {
    leads
        .entry((platform.clone(), key))
        .and_modify(|lead| *lead = Lead::Many)
        .or_insert(Lead::One(at));
}

/// Tables that lead from what a row tells to a workload.
#[derive(Debug, Default)]
pub(super) struct Identities {
    by_id: Leads<Text>,
    by_uuid: Leads<Uuid>,
    by_name: Leads<Text>,
    has_id: Vec<bool>,
    /// Workloads that share their only key with another: rows cannot be told apart.
    ambiguous: BTreeSet<usize>,
}

impl Identities {
    /// Gives every workload its id and remembers by what rows will find it.
    pub(super) fn settle(
        infos: &mut [About<InfoPart>],
        platform_is_told: bool,
        tabs: &mut BTreeMap<&'static str, TabRead>,
    ) -> Self {
        let mut identities = Self::default();
        let mut taken: BTreeSet<WorkloadId> = BTreeSet::new();
        for (at, (vm, info)) in infos.iter_mut().enumerate() {
            identities.remember(vm, at);
            let (native, basis) = native_id(vm, info, platform_is_told);
            let id = WorkloadId::on(&vm.platform, &native)
                .ok()
                .filter(|id| !taken.contains(id))
                .or_else(|| {
                    log_repeated(tabs, vm, &native);
                    WorkloadId::on(&vm.platform, &format!("row-{}", vm.row)).ok()
                });
            if let Some(id) = id {
                taken.insert(id.clone());
                info.workload.id = id;
            }
            info.workload.identity = basis;
        }
        identities.find_ambiguous(infos);
        identities
    }

    fn remember(&mut self, vm: &VmRef, at: usize) {
        self.has_id.push(vm.id.value().is_some());
        if let Observed::Value(id) = &vm.id {
            add(&mut self.by_id, &vm.platform, id.clone(), at);
        }
        if let Some(uuid) = vm.uuid {
            add(&mut self.by_uuid, &vm.platform, uuid, at);
        }
        if let Some(name) = &vm.name {
            add(&mut self.by_name, &vm.platform, name.clone(), at);
        }
    }

    fn find_ambiguous(&mut self, infos: &[About<InfoPart>]) {
        for (at, (vm, _)) in infos.iter().enumerate() {
            let shares_id = vm.id.value().is_some_and(|id| {
                self.by_id.get(&(vm.platform.clone(), id.clone())) == Some(&Lead::Many)
            });
            let shares_name = vm.id.value().is_none()
                && vm.name.as_ref().is_some_and(|name| {
                    self.by_name.get(&(vm.platform.clone(), name.clone())) == Some(&Lead::Many)
                });
            if shares_id || shares_name {
                self.ambiguous.insert(at);
            }
        }
    }

    /// The workload that a row is about, or why there is none.
    pub(super) fn find(&self, vm: &VmRef) -> Result<usize, &'static str> {
        if let Observed::Value(id) = &vm.id {
            match self.by_id.get(&(vm.platform.clone(), id.clone())) {
                Some(Lead::One(at)) => return Ok(*at),
                Some(Lead::Many) => {
                    return Err("several workloads of vInfo have this id: the row is not used");
                }
                None => {}
            }
        }
        if let Some(uuid) = vm.uuid
            && let Some(Lead::One(at)) = self.by_uuid.get(&(vm.platform.clone(), uuid))
        {
            return Ok(*at);
        }
        let by_name = vm
            .name
            .as_ref()
            .and_then(|name| self.by_name.get(&(vm.platform.clone(), name.clone())));
        match by_name {
            // A row with an id is about a workload of that id, whatever else has its name.
            Some(Lead::One(at))
                if vm.id.value().is_some() && self.has_id.get(*at) == Some(&true) =>
            {
                Err("vInfo has the row's name with another id: the row is not used")
            }
            Some(Lead::One(at)) => Ok(*at),
            Some(Lead::Many) => Err(
                "several workloads of vInfo have this name and the row has no id: it is not used",
            ),
            None => Err("vInfo has no such workload: the row is not used"),
        }
    }

    /// True if rows about this workload could be about another.
    pub(super) fn is_ambiguous(&self, at: usize) -> bool {
        self.ambiguous.contains(&at)
    }
}

fn native_id(vm: &VmRef, info: &InfoPart, platform_is_told: bool) -> (String, IdentityBasis) {
    if let Observed::Value(id) = &vm.id {
        let basis = if platform_is_told {
            IdentityBasis::PlatformAndNativeId
        } else {
            IdentityBasis::NativeId
        };
        return (id.to_string(), basis);
    }
    if let Observed::Value(uuid) = &info.workload.instance_uuid {
        return (uuid.to_string(), IdentityBasis::InstanceUuid);
    }
    let name = &info.workload.name;
    let native = match &info.workload.placement.folder {
        Observed::Value(folder) => format!("{}/{name}", folder.trim_matches('/')),
        _ => name.to_string(),
    };
    (native, IdentityBasis::Name)
}

fn log_repeated(tabs: &mut BTreeMap<&'static str, TabRead>, vm: &VmRef, native: &str) {
    if let Some(read) = tabs.get_mut("vInfo") {
        read.log.row(
            GapCause::Ambiguous,
            vm.row,
            "another row has the same identity: kept as a workload of its own, named by its row",
            Some(native),
        );
    }
}
