//! The CMDB extract that belongs to an estate: applications, owners, tiers.

use entente_model::{Collection, Observed, Text, Workload, WorkloadKind};

use crate::random::hash;

/// A CMDB extract as CSV: about nine of ten machines, besides a few that no longer exist and a few
/// that fit several machines.
///
/// The application is the last part of the machine's folder, the owner its `Owner` attribute; tier
/// and data sensitivity are invented per application.
pub fn overlay_csv(collections: &[Collection]) -> String {
    let mut rows = vec![HEADER.map(Text::new_static)];
    for workload in collections.iter().flat_map(|it| &it.workloads) {
        if workload.kind != WorkloadKind::Machine || hash(workload.id.as_str()).is_multiple_of(10) {
            continue;
        }
        rows.push(row(workload));
    }
    rows.extend(STRAYS.map(|row| row.map(Text::new_static)));
    let mut text = String::new();
    for row in rows {
        let fields: Vec<String> = row.iter().map(quoted).collect();
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    }
    text
}

const HEADER: [&str; 9] = [
    "name",
    "dns_name",
    "ip",
    "application",
    "owner",
    "tier",
    "data_sensitivity",
    "environment",
    "cost_centre",
];

/// Rows without a machine: decommissioned, or known by another name.
const STRAYS: [[&str; 9]; 3] = [
    [
        "fax-gateway-01",
        "fax-gateway-01.corp.example.com",
        "10.9.9.9",
        "fax",
        "workplace-services",
        "tier-3",
        "internal",
        "production",
        "CC-4110",
    ],
    [
        "mainframe-bridge",
        "",
        "",
        "ledger",
        "finance-systems",
        "tier-1",
        "confidential",
        "production",
        "CC-4420",
    ],
    ["unknown-blade-7", "", "10.255.255.1", "", "", "", "", "", ""],
];

fn row(workload: &Workload) -> [Text; 9] {
    let told = |fact: &Observed<Text>| fact.value().cloned().unwrap_or_default();
    let folder = told(&workload.placement.folder);
    let application = Text::new(folder.rsplit('/').next().unwrap_or(&folder));
    let attribute = |name: &str| {
        let attribute = workload.attributes.iter().find(|it| it.name == name);
        attribute.map(|it| it.value.clone()).unwrap_or_default()
    };
    let invented = hash(&application);
    let pick = |words: &[&'static str], shift: u32| {
        let at = (invented >> shift) % words.len() as u64;
        Text::new_static(words.get(at as usize).copied().unwrap_or(""))
    };
    let address = workload.guest.primary_address.value();
    [
        workload.name.clone(),
        told(&workload.guest.hostname),
        address.map(|it| Text::from(it.to_string())).unwrap_or_default(),
        application.clone(),
        attribute("Owner"),
        pick(&["tier-1", "tier-2", "tier-2", "tier-3", "tier-3"], 0),
        pick(&["public", "internal", "internal", "confidential", "restricted"], 8),
        attribute("Environment"),
        attribute("CostCentre"),
    ]
}

fn quoted(field: &Text) -> String {
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_string()
    }
}
