//! What a target has to carry, by cluster, with and without machines that are off.

use entente_app::document::{ClusterReport, Demand};
use maud::{Markup, html};

use crate::chart::{GroupedBars, Unit};
use crate::components::{Column, Table, fact, quantity, quantity_mib, section as section_of};
use crate::format;

use super::context::Context;

pub(super) fn section(context: &Context<'_>, id: &str, title: &str) -> Markup {
    let mut clusters: Vec<&ClusterReport> = context.assessment.clusters.iter().collect();
    clusters.sort_by(|a, b| (b.demand_all.machines, &a.id).cmp(&(a.demand_all.machines, &b.id)));
    let lead = "What running machines ask for, and what all machines ask for, against what the hosts \
                have. A mark + n ? is n machines or hosts that could not be counted.";
    let body = html! {
        div.columns {
            (memory_chart(&clusters))
            (vcpu_chart(&clusters))
        }
        (demand_table("Running machines only", &clusters, |cluster| &cluster.demand_on))
        (demand_table("All machines, powered off included", &clusters, |cluster| &cluster.demand_all))
    };
    section_of(id, title, lead, body)
}

fn memory_chart(clusters: &[&ClusterReport]) -> Markup {
    let groups = clusters.iter().map(|cluster| {
        let values = vec![
            cluster.memory_mib.known,
            cluster.demand_on.memory_mib.known,
            cluster.demand_all.memory_mib.known,
        ];
        (cluster.name.to_string(), values)
    });
    GroupedBars {
        id: "sizing-memory",
        title: "Memory by cluster".to_owned(),
        unit: Unit::Mib,
        measures: vec!["hosts", "running machines", "all machines"],
        groups: groups.collect(),
        table: memory_table(clusters),
    }
    .render()
}

fn vcpu_chart(clusters: &[&ClusterReport]) -> Markup {
    let groups = clusters.iter().map(|cluster| {
        let values = vec![
            cluster.cores.known,
            cluster.demand_on.vcpus.known,
            cluster.demand_all.vcpus.known,
        ];
        (cluster.name.to_string(), values)
    });
    GroupedBars {
        id: "sizing-vcpus",
        title: "Cores and vCPU by cluster".to_owned(),
        unit: Unit::Count,
        measures: vec!["cores of hosts", "vCPU of running machines", "vCPU of all machines"],
        groups: groups.collect(),
        table: capacity_table(clusters),
    }
    .render()
}

fn capacity_table(clusters: &[&ClusterReport]) -> Table {
    let mut table = Table::new(
        "Cores and vCPU by cluster",
        vec![
            Column::text("Cluster"),
            Column::text("Platform"),
            Column::number("Hosts"),
            Column::number("Cores of hosts"),
            Column::number("vCPU of running machines"),
            Column::number("vCPU of all machines"),
            Column::text("Restart on failure"),
            Column::text("Balancing"),
        ],
    );
    let yes_no = |value: &bool| html! { @if *value { "yes" } @else { "no" } };
    for cluster in clusters {
        table.row(vec![
            html! { (cluster.name) },
            html! { (cluster.platform) },
            html! { (format::count(cluster.hosts)) },
            quantity(cluster.cores, "host"),
            quantity(cluster.demand_on.vcpus, "machine"),
            quantity(cluster.demand_all.vcpus, "machine"),
            fact(&cluster.ha_enabled, yes_no),
            fact(&cluster.drs_enabled, yes_no),
        ]);
    }
    table
}

fn memory_table(clusters: &[&ClusterReport]) -> Table {
    let mut table = Table::new(
        "Memory by cluster",
        vec![
            Column::text("Cluster"),
            Column::number("Hosts"),
            Column::number("Running machines"),
            Column::number("All machines"),
        ],
    );
    for cluster in clusters {
        table.row(vec![
            html! { (cluster.name) },
            quantity_mib(cluster.memory_mib, "host"),
            quantity_mib(cluster.demand_on.memory_mib, "machine"),
            quantity_mib(cluster.demand_all.memory_mib, "machine"),
        ]);
    }
    table
}

fn demand_table(
    caption: &str,
    clusters: &[&ClusterReport],
    demand: impl Fn(&ClusterReport) -> &Demand,
) -> Markup {
    let mut table = Table::new(
        caption,
        vec![
            Column::text("Cluster"),
            Column::number("Machines"),
            Column::number("vCPU"),
            Column::number("vCPU a core"),
            Column::number("Memory"),
            Column::number("Memory of hosts"),
            Column::number("Disk capacity"),
            Column::number("Storage in use"),
        ],
    );
    for cluster in clusters {
        let demand = demand(cluster);
        table.row(vec![
            html! { (cluster.name) },
            html! { (format::count(demand.machines)) },
            quantity(demand.vcpus, "machine"),
            html! { (format::ratio(demand.vcpus.known, cluster.cores.known)) },
            quantity_mib(demand.memory_mib, "machine"),
            html! { (format::share(demand.memory_mib.known, cluster.memory_mib.known)) },
            quantity_mib(demand.disk_capacity_mib, "machine"),
            quantity_mib(demand.storage_used_mib, "machine"),
        ]);
    }
    table.render()
}
