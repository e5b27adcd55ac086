//! The platform itself: products, the cluster, nodes, subscriptions.

use std::collections::{BTreeMap, BTreeSet};

use entente_model::{
    Cluster, ClusterId, Collection, GapCause, Host, Licence, Moment, Observed, Product, Text, Why,
};

use super::{Availability, Context, moment, moment_or_never};
use crate::live::{Found, Target};
use crate::proxmox::PRODUCT;
use crate::proxmox::collect::{Answers, OF_NODES, Version};
use crate::proxmox::wire::{Properties, Record};

/// Certificates of the interface, the one in use first.
const CERTIFICATES: [&str; 2] = ["pveproxy-ssl.pem", "pve-ssl.pem"];

/// Which nodes there are.
#[derive(Clone, Debug, Default)]
pub(in crate::proxmox) struct Nodes {
    /// Names of those that can be asked, sorted.
    pub online: Vec<Text>,
    /// Names of those that cannot.
    pub offline: BTreeSet<Text>,
    /// The cluster, as far as there is one.
    pub cluster: Option<(Text, Observed<bool>)>,
    /// Whether it is known if there is a cluster.
    pub is_told: bool,
    /// Why it is not, if it is not.
    why: Option<Why>,
}

impl Nodes {
    /// From the list of nodes and the state of the cluster.
    pub(in crate::proxmox) fn of(context: &Context<'_>, answers: &Answers) -> Self {
        let mut states: BTreeMap<Text, bool> = BTreeMap::new();
        let status = answers.list("/cluster/status", &[]);
        let mut nodes = Self {
            is_told: status.is_some(),
            why: Some(answers.why("/cluster/status", &[])),
            ..Self::default()
        };
        for record in Record::each(status.unwrap_or_default(), "hosts", context.gaps) {
            match record.text("type").value().map(Text::as_str) {
                Some("cluster") => {
                    nodes.cluster = record.required("name").map(|it| (it, record.flag("quorate")));
                }
                Some("node") => {
                    if let Some(name) = record.required("name") {
                        states.insert(name, record.flag("online").copied().unwrap_or(true));
                    }
                }
                _ => {}
            }
        }
        let listed = answers.list("/nodes", &[]).unwrap_or_default();
        let seen = answers.list("/cluster/resources", &[]).unwrap_or_default();
        for record in Record::each(listed, "hosts", context.gaps) {
            if let Some(name) = record.required("node") {
                let is_online = record.text("status").value().is_none_or(|it| it != "offline");
                states.entry(name).and_modify(|it| *it &= is_online).or_insert(is_online);
            }
        }
        for value in seen {
            let is_node = value.get("type").and_then(|it| it.as_str()) == Some("node");
            if let Some(name) = value.get("node").and_then(|it| it.as_str()).filter(|_| is_node) {
                states.entry(name.into()).or_insert(true);
            }
        }
        for (name, is_online) in states {
            if is_online {
                nodes.online.push(name);
            } else {
                let message = "a node is offline: what only it can tell is not known";
                for section in OF_NODES {
                    let found = Found::of(GapCause::Unreachable, section, message);
                    context.gaps.add(found.value(&name));
                }
                nodes.offline.insert(name);
            }
        }
        if nodes.all().next().is_none() {
            nodes.log_none(context, answers);
        }
        nodes
    }

    /// Without any node, none of the lists is read that nodes feed.
    fn log_none(&self, context: &Context<'_>, answers: &Answers) {
        let cause = answers.failure("/nodes", &[]).map_or(GapCause::CallFailed, |it| it.cause);
        for section in OF_NODES {
            let message = "which nodes there are is not told: what only they can tell is not known";
            context.gaps.add_once(Found::of(cause, section, message));
        }
    }

    /// Id of the cluster; absent where a node stands alone.
    pub(in crate::proxmox) fn cluster_id(&self, context: &Context<'_>) -> Observed<ClusterId> {
        match &self.cluster {
            Some((name, _)) => Observed::or_why(context.cluster(name), Why::Unreadable),
            None if self.is_told => Observed::Absent,
            None => Observed::Unobserved(self.why.unwrap_or(Why::CallFailed)),
        }
    }

    /// All nodes.
    pub(in crate::proxmox) fn all(&self) -> impl Iterator<Item = &Text> {
        self.online.iter().chain(&self.offline)
    }
}

/// Maps what workloads stand on.
pub(in crate::proxmox) fn hosts(
    context: &Context<'_>,
    answers: &Answers,
    (nodes, availability): (&Nodes, &Availability),
    (target, version): (&Target, &Version),
    collection: &mut Collection,
) {
    collection.platforms.push(target.platform(PRODUCT, Observed::Unobserved(Why::SourceLimit)));
    collection.products.push(Product {
        platform: context.platform.clone(),
        name: PRODUCT.into(),
        version: version.version.clone().into(),
        build: Observed::or_absent(version.build.clone()),
    });
    let mut names: Vec<&Text> = nodes.all().collect();
    names.sort();
    for name in names {
        let host = host(context, answers, nodes, availability, name);
        context.tally("hosts", 1, host.is_some());
        collection.hosts.extend(host);
        collection.licences.extend(licence(context, answers, name));
    }
    if let Some(cluster) = cluster(context, answers, nodes, availability, &collection.hosts) {
        context.tally("clusters", 1, true);
        collection.clusters.push(cluster);
    }
}

fn cluster(
    context: &Context<'_>,
    answers: &Answers,
    nodes: &Nodes,
    availability: &Availability,
    hosts: &[Host],
) -> Option<Cluster> {
    let (name, _) = nodes.cluster.as_ref()?;
    let sum = |fact: fn(&Host) -> Option<u64>| {
        Observed::or_why(hosts.iter().map(fact).sum::<Option<u64>>(), Why::CallFailed)
    };
    let cores = sum(|it| it.cores.copied().map(u64::from));
    let scheduling = scheduling(context, answers);
    Some(Cluster {
        id: context.cluster(name)?,
        platform: context.platform.clone(),
        name: name.clone(),
        datacenter: Observed::Absent,
        ha_enabled: availability.is_used(),
        admission_control: Observed::Value(false),
        failover_level: Observed::Absent,
        drs_enabled: scheduling.as_ref().and_then(|it| it.is_on("ha-auto-rebalance")),
        drs_behaviour: scheduling.and_then(|it| Observed::or_absent(it.get("ha").cloned())),
        dpm_enabled: Observed::Value(false),
        host_count: Observed::or_why(u32::try_from(nodes.all().count()).ok(), Why::Unreadable),
        cpu_mhz: sum(|it| Some(it.cpu_mhz.copied()? * u64::from(it.cores.copied()?))),
        cpu_cores: cores.and_then(|it| Observed::or_why(u32::try_from(it).ok(), Why::Unreadable)),
        memory_bytes: sum(|it| it.memory_bytes.copied()),
    })
}

/// The option `crs`, how HA places guests.
fn scheduling(context: &Context<'_>, answers: &Answers) -> Observed<Properties> {
    let Some(options) = answers.value("/cluster/options", &[]) else {
        return answers.untold("/cluster/options", &[]);
    };
    let Some(record) = Record::of(options, "clusters", context.gaps) else {
        return Observed::Unobserved(Why::Unreadable);
    };
    // Older versions answer with a string of properties, newer ones with an object.
    if let Some(inner) = record.inner("crs") {
        let text: Vec<String> = inner
            .keys()
            .filter_map(|key| Some(format!("{key}={}", inner.text(key).value()?)))
            .collect();
        return Observed::or_why(Properties::parse(&text.join(","), "ha").ok(), Why::Unreadable);
    }
    match record.properties("crs", "ha") {
        Observed::Absent => Observed::Value(Properties::default()),
        told => told,
    }
}

fn host(
    context: &Context<'_>,
    answers: &Answers,
    nodes: &Nodes,
    availability: &Availability,
    name: &Text,
) -> Option<Host> {
    let args = [name.as_str()];
    let why = if nodes.offline.contains(name) {
        Why::CallFailed
    } else {
        answers.why("/nodes/{}/status", &args)
    };
    let status = answers
        .value("/nodes/{}/status", &args)
        .and_then(|it| Record::of(it, "hosts", context.gaps));
    let processor = status.and_then(|it| it.inner("cpuinfo"));
    let memory = status.and_then(|it| it.inner("memory"));
    let number = |record: Option<Record<'_>>, key: &str| match record {
        Some(record) => told(record.number(key)),
        None => Observed::Unobserved(why),
    };
    let small = |record: Option<Record<'_>>, key: &str| {
        number(record, key).and_then(|it| Observed::or_why(u32::try_from(it).ok(), Why::Unreadable))
    };
    let (version, build) = version(answers, context, name);
    let total = number(memory, "total");
    Some(Host {
        id: context.host(name)?,
        platform: context.platform.clone(),
        name: name.clone(),
        datacenter: Observed::Absent,
        cluster: nodes.cluster_id(context),
        cpu_model: processor.map_or(Observed::Unobserved(why), |it| told(it.text("model"))),
        cpu_mhz: number(processor, "mhz"),
        sockets: small(processor, "sockets"),
        cores: small(processor, "cores"),
        memory_bytes: total.clone(),
        hypervisor: Text::new_static(PRODUCT).into(),
        version,
        build,
        vendor: Observed::Unobserved(Why::SourceLimit),
        model: Observed::Unobserved(Why::SourceLimit),
        in_maintenance: availability.in_maintenance(name),
        in_quarantine: Observed::Value(false),
        evc_mode: Observed::Absent,
        evc_mode_max: Observed::Unobserved(Why::SourceLimit),
        licence_count: subscription(answers, context, name).map(|it| u32::from(it.is_active)),
        certificate_expires: certificate(answers, context, name),
        cpu_used_basis_points: cpu_share(status, why),
        memory_used_basis_points: match (number(memory, "used"), total) {
            (Observed::Value(used), Observed::Value(total)) if total > 0 => Observed::or_why(
                u32::try_from(u128::from(used) * 10_000 / u128::from(total)).ok(),
                why,
            ),
            (Observed::Unobserved(why), _) => Observed::Unobserved(why),
            _ => Observed::Unobserved(Why::Blank),
        },
        booted: number(status, "uptime").and_then(|seconds| context.ago(seconds)),
    })
}

/// A fact that is always told: missing means that it was not.
fn told<T>(fact: Observed<T>) -> Observed<T> {
    match fact {
        Observed::Absent => Observed::Unobserved(Why::Blank),
        told => told,
    }
}

/// Processor use as a share of one, in hundredths of a percent.
fn cpu_share(status: Option<Record<'_>>, why: Why) -> Observed<u32> {
    let Some(record) = status else { return Observed::Unobserved(why) };
    let share = record.get("cpu").and_then(serde_json::Value::as_f64);
    // A sample: rounding does not matter, and shares lie between 0 and 1.
    Observed::or_why(share.map(|it| (it.clamp(0.0, 1.0) * 10_000.0) as u32), Why::Blank)
}

fn version(
    answers: &Answers,
    context: &Context<'_>,
    node: &str,
) -> (Observed<Text>, Observed<Text>) {
    let call = "/nodes/{}/version";
    match answers.value(call, &[node]).and_then(|it| Record::of(it, "hosts", context.gaps)) {
        Some(record) => (told(record.text("version")), record.text("repoid")),
        None => (answers.untold(call, &[node]), answers.untold(call, &[node])),
    }
}

/// When the certificate of a node's interface expires.
fn certificate(answers: &Answers, context: &Context<'_>, node: &str) -> Observed<Moment> {
    let call = "/nodes/{}/certificates/info";
    let Some(list) = answers.list(call, &[node]) else { return answers.untold(call, &[node]) };
    let records: Vec<_> = Record::each(list, "hosts", context.gaps).collect();
    let ends = CERTIFICATES.iter().find_map(|name| {
        let record =
            records.iter().find(|it| it.text("filename").value().is_some_and(|it| it == name))?;
        moment(record.number("notafter").copied()?)
    });
    Observed::or_why(ends, Why::Blank)
}

/// A subscription. Its key is not kept.
struct Subscription {
    name: Text,
    is_active: bool,
    sockets: Observed<u64>,
    ends: Observed<Moment>,
}

fn subscription(answers: &Answers, context: &Context<'_>, node: &str) -> Observed<Subscription> {
    let call = "/nodes/{}/subscription";
    let Some(record) =
        answers.value(call, &[node]).and_then(|it| Record::of(it, "licences", context.gaps))
    else {
        return answers.untold(call, &[node]);
    };
    let status = told(record.text("status"));
    let name = record.text("productname").value().cloned();
    let due = record.text("nextduedate");
    status.map(|status| Subscription {
        name: name.unwrap_or_else(|| PRODUCT.into()),
        is_active: status.eq_ignore_ascii_case("active"),
        sockets: record.number("sockets"),
        ends: due.and_then(|date| Observed::or_why(date_of(&date), Why::Unreadable)),
    })
}

/// `2026-03-01` as a moment, whose zone nobody tells.
fn date_of(text: &str) -> Option<Moment> {
    if let Ok(seconds) = text.parse() {
        return moment_or_never(Observed::Value(seconds)).copied();
    }
    format!("{text}T00:00:00").parse().ok()
}

fn licence(context: &Context<'_>, answers: &Answers, node: &str) -> Option<Licence> {
    let subscription = match subscription(answers, context, node) {
        Observed::Value(it) if it.is_active => it,
        _ => return None,
    };
    Some(Licence {
        platform: context.platform.clone(),
        name: Text::from(format!("{} ({node})", subscription.name)),
        unit: Text::new_static("socket").into(),
        total: subscription.sockets.clone(),
        used: subscription.sockets,
        expires: subscription.ends,
    })
}
