//! Parts → collection: which row is about which workload, and what that makes of it.

use std::collections::BTreeMap;

use entente_model::{
    Collection, Cpu, GapCause, Guest, Listing, Memory, Observed, PowerState, Source, Text,
    ToolsStatus, Why, Workload,
};

use super::super::wire::{GapLog, Scope, columns::Tab};
use super::identity::Identities;
use super::vm::{About, InfoPart};
use super::{Parts, describe};

/// How one tab was read.
#[derive(Debug)]
pub(in crate::rvtools) struct TabRead {
    pub(in crate::rvtools) log: GapLog,
    /// It was read to its end and every row could be mapped: a missing row means something.
    pub(in crate::rvtools) whole: bool,
}

/// Everything read of one export.
#[derive(Debug)]
pub(in crate::rvtools) struct Export {
    pub(in crate::rvtools) source: Source,
    pub(in crate::rvtools) scope: Scope,
    pub(in crate::rvtools) parts: Parts,
    pub(in crate::rvtools) tabs: BTreeMap<&'static str, TabRead>,
    /// The platform is known by its own UUID or server, not by the file's name alone.
    pub(in crate::rvtools) platform_is_told: bool,
}

/// Puts everything together.
pub(in crate::rvtools) fn join(export: Export) -> Collection {
    let Export { source, scope, mut parts, mut tabs, platform_is_told } = export;
    let mut collection = Collection::empty(source);
    let mut infos = std::mem::take(&mut parts.workloads);
    let identities = Identities::settle(&mut infos, platform_is_told, &mut tabs);
    let mut join = Join { infos: &mut infos, identities, scope, tabs: &mut tabs, dangling: 0 };
    join.one_to_one(&mut parts);
    join.lists(&mut parts);
    let dangling = join.dangling;
    for (_, info) in &mut infos {
        settle_guest(&mut info.workload);
    }
    describe::describe(&mut collection, infos, parts, &mut tabs, dangling);
    collection.gaps.extend(tabs.into_values().flat_map(|tab| tab.log.into_gaps()));
    collection.gaps.sort();
    collection.findings.sort();
    collection
}

/// Why nothing of a tab is known of any workload.
fn why_no_tab(tab: &str, scope: &Scope) -> Why {
    match (Tab::named(tab), scope.version) {
        (Some(tab), Some(version)) if version < tab.since => Why::NotInVersion,
        _ => Why::NotInExport,
    }
}

struct Join<'a> {
    infos: &'a mut Vec<About<InfoPart>>,
    identities: Identities,
    scope: Scope,
    tabs: &'a mut BTreeMap<&'static str, TabRead>,
    /// Rows that name a workload which vInfo does not have.
    dangling: u64,
}

impl Join<'_> {
    /// Tabs with one row a workload.
    fn one_to_one(&mut self, parts: &mut Parts) {
        let cpus = std::mem::take(&mut parts.cpus);
        self.merge("vCPU", cpus, |info, part| match part {
            Ok(part) => {
                let counted = info.workload.cpu.count.clone();
                let agrees = agree(&counted, &part.cpu.count);
                info.workload.cpu = Cpu { count: counted.or(part.cpu.count), ..part.cpu };
                info.workload.samples.cpu_used_mhz = part.used_mhz;
                agrees
            }
            Err(why) => {
                unobserved_cpu(&mut info.workload.cpu, why);
                info.workload.samples.cpu_used_mhz = Observed::Unobserved(why);
                true
            }
        });
        let memories = std::mem::take(&mut parts.memories);
        self.merge("vMemory", memories, |info, part| {
            let memory = &mut info.workload.memory;
            let samples = &mut info.workload.samples;
            match part {
                Ok(part) => {
                    let size = memory.size_bytes.clone();
                    let agrees = agree(&size, &part.memory.size_bytes);
                    *memory = Memory { size_bytes: size.or(part.memory.size_bytes), ..part.memory };
                    samples.memory_active_bytes =
                        samples.memory_active_bytes.clone().or(part.active_bytes);
                    samples.memory_consumed_bytes = part.consumed_bytes;
                    samples.memory_ballooned_bytes = part.ballooned_bytes;
                    samples.memory_swapped_bytes = part.swapped_bytes;
                    agrees
                }
                Err(why) => {
                    unobserved_memory(memory, why);
                    samples.memory_consumed_bytes = Observed::Unobserved(why);
                    samples.memory_ballooned_bytes = Observed::Unobserved(why);
                    samples.memory_swapped_bytes = Observed::Unobserved(why);
                    true
                }
            }
        });
        let tools = std::mem::take(&mut parts.tools);
        self.merge("vTools", tools, |info, part| {
            let workload = &mut info.workload;
            match part {
                Ok(part) => {
                    workload.guest.tools = part.tools;
                    let version = workload.firmware.hardware_version.clone();
                    workload.firmware.hardware_version = version.or(part.hardware_version);
                }
                Err(why) => {
                    workload.guest.tools.status = Observed::Unobserved(why);
                    workload.guest.tools.version = Observed::Unobserved(why);
                }
            }
            true
        });
    }

    /// Gives each workload its row of a tab, or why there is none. `put` says whether the tabs agree.
    fn merge<T>(
        &mut self,
        tab: &'static str,
        rows: Vec<About<T>>,
        mut put: impl FnMut(&mut InfoPart, Result<T, Why>) -> bool,
    ) {
        let is_there = self.tabs.contains_key(tab);
        let mut found: Vec<Option<(u32, T)>> = self.infos.iter().map(|_| None).collect();
        for (vm, fact) in rows {
            if let Some(at) = self.find(tab, &vm)
                && let Some(place) = found.get_mut(at)
            {
                place.get_or_insert((vm.row, fact));
            }
        }
        let without_row = if is_there { Why::Blank } else { why_no_tab(tab, &self.scope) };
        let mut missing = 0;
        for ((_, info), fact) in self.infos.iter_mut().zip(found) {
            let Some((row, fact)) = fact else {
                missing += 1;
                put(info, Err(without_row));
                continue;
            };
            let agrees = put(info, Ok(fact));
            if !agrees && let Some(read) = self.tabs.get_mut(tab) {
                read.log.row(
                    GapCause::Conflict,
                    row,
                    "vInfo and this tab tell different sizes of the workload: vInfo's is kept",
                    Some(&info.workload.name),
                );
            }
        }
        if let Some(read) = self.tabs.get_mut(tab)
            && missing > 0
        {
            let message = "workloads of vInfo that have no row here: what only this tab tells of them stays unobserved";
            read.log.tab(GapCause::DanglingReference, message, missing);
        }
    }

    /// Tabs with any number of rows a workload.
    fn lists(&mut self, parts: &mut Parts) {
        let disks = std::mem::take(&mut parts.disks);
        self.fill("vDisk", disks, |info| (&mut info.workload.disks, Expect::Count(&info.disks)));
        let nics = std::mem::take(&mut parts.nics);
        self.fill("vNetwork", nics, |info| (&mut info.workload.nics, Expect::Count(&info.nics)));
        let cdroms = std::mem::take(&mut parts.cdroms);
        self.fill("vCD", cdroms, |info| (&mut info.workload.devices.cdroms, Expect::Any));
        let usb = std::mem::take(&mut parts.usb);
        self.fill("vUSB", usb, |info| (&mut info.workload.devices.usb, Expect::Any));
        let snapshots = std::mem::take(&mut parts.snapshots);
        self.fill("vSnapshot", snapshots, |info| (&mut info.workload.snapshots, Expect::Any));
        let partitions = std::mem::take(&mut parts.partitions);
        self.fill("vPartition", partitions, |info| {
            (&mut info.workload.guest.partitions, Expect::Some(Why::GuestSilent))
        });
    }

    /// Gives each workload its rows of a tab, in the tab's order, and says whether they are all.
    fn fill<T>(
        &mut self,
        tab: &'static str,
        rows: Vec<About<T>>,
        list: impl Fn(&mut InfoPart) -> (&mut Listing<T>, Expect<'_>),
    ) {
        let Some(whole) = self.tabs.get(tab).map(|read| read.whole) else {
            let why = why_no_tab(tab, &self.scope);
            for (_, info) in self.infos.iter_mut() {
                *list(info).0 = Listing::unobserved(why);
            }
            return;
        };
        let mut found: Vec<Vec<T>> = self.infos.iter().map(|_| Vec::new()).collect();
        for (vm, fact) in rows {
            if let Some(at) = self.find(tab, &vm)
                && let Some(items) = found.get_mut(at)
            {
                items.push(fact);
            }
        }
        let mut contradicted = 0;
        for (at, ((_, info), mut items)) in self.infos.iter_mut().zip(found).enumerate() {
            items.shrink_to_fit();
            let ambiguous = self.identities.is_ambiguous(at);
            let (place, expect) = list(info);
            let doubt = expect.doubt(items.len());
            contradicted += u64::from(doubt == Some(Why::Conflict));
            let why = if ambiguous {
                Some(Why::Conflict)
            } else if whole {
                doubt
            } else {
                Some(doubt.unwrap_or(Why::Unreadable))
            };
            *place = match why {
                None => Listing::complete(items),
                Some(why) => Listing::incomplete(items, why),
            };
        }
        if let Some(read) = self.tabs.get_mut(tab)
            && contradicted > 0
        {
            let message = "workloads with another number of rows here than vInfo counts: their lists are incomplete";
            read.log.tab(GapCause::Conflict, message, contradicted);
        }
    }

    /// The workload that a row is about; logs rows that are about none.
    fn find(&mut self, tab: &'static str, vm: &super::vm::VmRef) -> Option<usize> {
        let message = match self.identities.find(vm) {
            Ok(at) => {
                self.check_name(tab, vm, at);
                return Some(at);
            }
            Err(reason) => reason,
        };
        self.dangling += 1;
        if let Some(read) = self.tabs.get_mut(tab) {
            read.log.row(GapCause::DanglingReference, vm.row, message, Some(&vm.shown()));
        }
        None
    }

    fn check_name(&mut self, tab: &'static str, vm: &super::vm::VmRef, at: usize) {
        let Some((_, info)) = self.infos.get(at) else { return };
        if let Some(name) = &vm.name
            && *name != info.workload.name
            && let Some(read) = self.tabs.get_mut(tab)
        {
            read.log.row(
                GapCause::Conflict,
                vm.row,
                "the row has the id of a workload that vInfo calls otherwise: joined by id",
                Some(name),
            );
        }
    }
}

/// What the number of a workload's rows should be.
enum Expect<'a> {
    /// Anything: no row means none.
    Any,
    /// What vInfo counts, if it does.
    Count(&'a Observed<u32>),
    /// At least one; none means that nothing was told, for this reason.
    Some(Why),
}

impl Expect<'_> {
    fn doubt(&self, rows: usize) -> Option<Why> {
        match self {
            Self::Any => None,
            Self::Count(Observed::Value(count)) if *count as usize == rows => None,
            Self::Count(Observed::Value(_)) => Some(Why::Conflict),
            Self::Count(_) if rows > 0 => None,
            Self::Count(_) => Some(Why::Blank),
            Self::Some(why) if rows == 0 => Some(*why),
            Self::Some(_) => None,
        }
    }
}

/// True unless both are observed and differ.
fn agree<T: PartialEq>(a: &Observed<T>, b: &Observed<T>) -> bool {
    match (a, b) {
        (Observed::Value(a), Observed::Value(b)) => a == b,
        _ => true,
    }
}

fn unobserved_cpu(cpu: &mut Cpu, why: Why) {
    cpu.sockets = Observed::Unobserved(why);
    cpu.cores_per_socket = Observed::Unobserved(why);
    cpu.hot_add = Observed::Unobserved(why);
    cpu.hot_remove = Observed::Unobserved(why);
    cpu.reservation_mhz = Observed::Unobserved(why);
    cpu.limit_mhz = Observed::Unobserved(why);
    cpu.shares_level = Observed::Unobserved(why);
}

fn unobserved_memory(memory: &mut Memory, why: Why) {
    memory.reservation_bytes = Observed::Unobserved(why);
    memory.reservation_locked_to_max = Observed::Unobserved(why);
    memory.limit_bytes = Observed::Unobserved(why);
    memory.shares_level = Observed::Unobserved(why);
    memory.hot_add = Observed::Unobserved(why);
}

/// A blank that a running guest's tools left means "none"; of a silent guest it means nothing.
fn settle_guest(workload: &mut Workload) {
    let talks = guest_talks(workload);
    settle_blank(&mut workload.guest.hostname, talks);
    settle_blank(&mut workload.guest.os_reported, talks);
    if !talks {
        if workload.guest.primary_address == Observed::Absent {
            workload.guest.primary_address = Observed::Unobserved(Why::GuestSilent);
        }
        for nic in &mut workload.nics.items {
            if nic.addresses.items.is_empty() && nic.addresses.is_complete() {
                nic.addresses = Listing::unobserved(Why::GuestSilent);
            }
        }
    }
}

fn settle_blank(fact: &mut Observed<Text>, talks: bool) {
    if *fact == Observed::Unobserved(Why::Blank) {
        *fact = if talks { Observed::Absent } else { Observed::Unobserved(Why::GuestSilent) };
    }
}

fn guest_talks(workload: &Workload) -> bool {
    let Guest { tools, .. } = &workload.guest;
    let tools_run = match &tools.status {
        Observed::Value(status) => {
            matches!(status, ToolsStatus::Current | ToolsStatus::Outdated)
        }
        _ => workload.samples.guest_state.value().is_some_and(|state| state == "running"),
    };
    workload.power == Observed::Value(PowerState::On) && tools_run
}
