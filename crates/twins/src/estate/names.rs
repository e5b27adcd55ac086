//! Words of which the estate's names are made.

/// Datacenters, two per vCenter.
pub(super) const DATACENTERS: [[&str; 2]; 6] = [
    ["fra1", "ams2"],
    ["lon1", "dub2"],
    ["par1", "mad2"],
    ["nyc1", "ord2"],
    ["sin1", "syd2"],
    ["tyo1", "hkg2"],
];

/// Applications: name and department.
pub(super) const APPLICATIONS: [(&str, &str); 40] = [
    ("payroll", "Finance"),
    ("webshop", "Sales"),
    ("ledger", "Finance"),
    ("hr-portal", "People"),
    ("crm", "Sales"),
    ("invoicing", "Finance"),
    ("warehouse", "Logistics"),
    ("data-lake", "Data"),
    ("intranet", "Workplace"),
    ("ticketing", "IT"),
    ("monitoring", "IT"),
    ("identity", "Security"),
    ("tracking", "Logistics"),
    ("pricing", "Sales"),
    ("claims", "Insurance"),
    ("underwriting", "Insurance"),
    ("treasury", "Finance"),
    ("recruiting", "People"),
    ("e-learning", "People"),
    ("document-archive", "Workplace"),
    ("print", "Workplace"),
    ("build-farm", "Engineering"),
    ("source-control", "Engineering"),
    ("artifact-store", "Engineering"),
    ("product-data", "Engineering"),
    ("quality-lab", "Manufacturing"),
    ("shop-floor", "Manufacturing"),
    ("maintenance-planning", "Manufacturing"),
    ("fleet", "Logistics"),
    ("customs", "Logistics"),
    ("loyalty", "Marketing"),
    ("campaigns", "Marketing"),
    ("analytics", "Data"),
    ("reporting", "Data"),
    ("payment-gateway", "Finance"),
    ("fraud-detection", "Security"),
    ("certificate-authority", "Security"),
    ("log-collection", "Security"),
    ("telephony", "Workplace"),
    ("facility-access", "Workplace"),
];

/// What tells several installations of one application apart.
pub(super) const QUALIFIERS: [&str; 8] =
    ["", "-emea", "-apac", "-nam", "-retail", "-wholesale", "-pilot", "-legacy"];

/// The team that answers for a department's machines.
pub(super) fn team(department: &str) -> &'static str {
    match department {
        "Finance" => "finance-systems",
        "Sales" => "commerce-platform",
        "People" => "people-systems",
        "Logistics" => "logistics-it",
        "Data" => "data-platform",
        "IT" => "infrastructure-operations",
        "Security" => "security-operations",
        "Insurance" => "insurance-core",
        "Engineering" => "developer-experience",
        "Manufacturing" => "plant-systems",
        "Marketing" => "marketing-technology",
        _ => "workplace-services",
    }
}

/// Names that no scheme foresaw, the most troublesome first.
pub(super) const ODD: [&str; 12] = [
    "Büro-Server Ü-Wagen 01",
    "Test VM %2f do not delete",
    "会計-db-01",
    "This machine was imported from the acquired company, ask facility before you touch",
    "100000000000001",
    "app01,app02",
    "backup \"golden\" image",
    "kiosk #3 & lobby; display",
    "zażółć-gęślą",
    "copy of copy of webserver",
    "srv_ärger-größe",
    "old dc (clone)",
];

/// Notes people leave.
pub(super) const NOTES: [&str; 10] = [
    "Managed by configuration management, do not change by hand",
    "Patch window: second Sunday, 02:00 to 06:00",
    "Owner asked to keep until year end",
    "Migrated from physical with the converter",
    "Firewall exceptions documented in the CMDB",
    "DR class 2, see recovery plan",
    "Licensed per core, keep on licensed hosts",
    "Vendor support needs this exact version",
    "Cloned for the audit",
    "Successor planned; see the roadmap",
];
