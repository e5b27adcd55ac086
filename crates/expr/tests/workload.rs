//! The `workload` object over a small estate.

#![cfg(test)]

mod fixture;

use entente_expr::workload::WorkloadRecord;
use entente_expr::{Environment, Expression, Truth, Value, workload};
use entente_model::{
    Attribute, BusSharing, Completeness, Device, DiskMode, DiskSharing, Estate, FirmwareKind,
    Listing, Moment, Observed, PowerState, RawMapping, ToolsStatus, Why, Workload,
};
use fixture::{cluster, datastore, disk, host, network, nic, silent_workload, snapshot, text};
use time::macros::{date, datetime};

fn estate() -> Estate {
    Estate {
        clusters: vec![cluster("vc/Prod")],
        hosts: vec![host("vc/esx1", "Intel(R) Xeon(R) Gold 6338")],
        datastores: vec![datastore("vc/gold")],
        networks: vec![network("vc/VLAN 10")],
        workloads: vec![database(), sharer(), silent_workload("vc/vm-9", "quiet")],
        ..Estate::default()
    }
}

/// A workload of which nearly everything was observed.
fn database() -> Workload {
    let mut it = silent_workload("vc/vm-1", "db-1");
    it.power = Observed::Value(PowerState::On);
    it.created = Observed::Value(Moment::Local(datetime!(2025-01-01 09:00)));
    it.placement.datacenter = text("Rotterdam");
    it.placement.cluster = Observed::Value("vc/Prod".parse().unwrap());
    it.placement.host = Observed::Value("vc/esx1".parse().unwrap());
    it.placement.vapp = Observed::Absent;
    it.cpu.count = Observed::Value(8);
    it.cpu.limit_mhz = Observed::Absent;
    it.memory.size_bytes = Observed::Value(16 << 30);
    it.memory.limit_bytes = Observed::Value(8 << 30);
    it.disks = Listing::complete(vec![
        disk("Hard disk 1", "vc/gold", "db-1/db-1.vmdk"),
        entente_model::Disk {
            mode: Observed::Value(DiskMode::IndependentPersistent),
            sharing: Observed::Value(DiskSharing::MultiWriter),
            controller: text("LSI Logic SAS"),
            bus_sharing: Observed::Value(BusSharing::Physical),
            raw_mapping: Observed::Value(RawMapping::Physical),
            ..disk("Hard disk 2", "vc/elsewhere", "shared/quorum.vmdk")
        },
    ]);
    it.nics = Listing::complete(vec![
        nic("Network adapter 1", Some("vc/VLAN 10")),
        nic("Network adapter 2", Some("vc/VLAN 99")),
        nic("Network adapter 3", None),
    ]);
    it.snapshots = Listing::complete(vec![snapshot("before patch", datetime!(2026-01-01 00:00))]);
    it.devices.cdroms = Listing::complete(vec![Device {
        label: "CD/DVD drive 1".into(),
        backing: text("[iso] debian.iso"),
        connected: Observed::Value(true),
    }]);
    it.firmware.kind = Observed::Value(FirmwareKind::Efi);
    it.firmware.secure_boot = Observed::Value(true);
    it.guest.os_configured = text("Debian GNU/Linux 12 (64-bit)");
    it.guest.os_reported = Observed::Absent;
    it.guest.primary_address = Observed::Value("10.0.0.5".parse().unwrap());
    it.guest.tools.status = Observed::Value(ToolsStatus::NotRunning);
    it.availability.change_tracking = Observed::Absent;
    it.availability.cluster_rules = Listing::complete(vec!["keep apart".into()]);
    it.attributes = Listing::complete(vec![Attribute {
        name: "Cost Centre".into(),
        value: "4711".into(),
        kind: Observed::Unobserved(Why::SourceLimit),
    }]);
    it.governance.owner = text("Database team");
    it.governance.labels.insert("team".into(), "dba".into());
    it.samples.cpu_ready_basis_points = Observed::Value(125);
    it.samples.powered_on_since = Observed::Value(Moment::Local(datetime!(2026-02-01 00:00)));
    it
}

/// Another workload on the database's second disk.
fn sharer() -> Workload {
    let mut it = silent_workload("vc/vm-2", "db-2");
    it.disks = Listing::complete(vec![disk("Hard disk 1", "vc/elsewhere", "shared/quorum.vmdk")]);
    it
}

fn evaluate(source: &str, name: &str) -> Truth {
    let environment = Environment::new().with_root("workload", workload::record_type());
    let expression = match Expression::compile(source, &environment) {
        Ok(expression) => expression,
        Err(diagnostics) => panic!("{}", diagnostics[0].render(source)),
    };
    let estate = estate();
    let index = estate.index();
    let workload = estate.workloads.iter().find(|it| it.name == name).unwrap();
    expression.evaluate(&[&WorkloadRecord::new(&index, workload, date!(2026 - 03 - 01))])
}

/// Each of `sources` holds for the database.
#[track_caller]
fn check_database(sources: &[&str]) {
    for source in sources {
        assert_eq!(evaluate(source, "db-1"), Truth::True, "{source}");
    }
}

/// `expect` is `path: reason` for each thing missing.
#[track_caller]
fn check_unknown(name: &str, source: &str, expect: &[&str]) {
    let answer = evaluate(source, name);
    let shown: Vec<String> = answer
        .missing()
        .iter()
        .map(|it| format!("{}: {}", it.attribute, it.why.as_str()))
        .collect();
    assert_eq!(shown, expect, "{source}: {answer:?}");
}

#[test]
fn plain_attributes_read_in_their_units() {
    check_database(&[
        "workload.id == 'vc/vm-1' && workload.platform == 'vc' && workload.kind == 'machine'",
        "workload.power == 'on' && workload.created_days_ago == 424",
        "workload.powered_on_days == 28 && workload.cpu_ready_percent == 1.25",
        "workload.vcpus == 8 && workload.memory_mib == 16384 && workload.memory_limit_mib == 8192",
        "workload.cpu_limit_mhz == null && !has(workload.vapp) && !has(workload.change_tracking)",
        "workload.firmware == 'efi' && workload.secure_boot",
        "workload.os == workload.os_configured && workload.os_reported == null",
        "workload.primary_address == '10.0.0.5' && workload.tools_status == 'not-running'",
        "workload.owner == 'Database team' && 'keep apart' in workload.cluster_rules",
    ]);
}

#[test]
fn disks_tell_their_bus_their_users_and_their_datastore() {
    check_database(&[
        "size(workload.disks) == 2 && workload.disk_capacity_mib == 2 * 40960",
        "workload.disks.exists(d, d.datastore == 'gold' && d.users == 1 && d.raw_mapping == null)",
        "workload.disks.exists(d, d.datastore == 'elsewhere' && d.users == 2 && d.multi_writer)",
        "workload.disks.all(d, d.bus == 'scsi' && d.capacity_mib == 40960)",
        "workload.disks.exists_one(d, d.mode.startsWith('independent') && d.bus_sharing != 'none')",
        "workload.disks.exists_one(d, d.raw_mapping == 'physical')",
        "workload.datastores.map(d, d.name) == ['elsewhere', 'gold']",
        "workload.datastores.exists(d, d.kind == 'VMFS' && d.free_mib > 1000 && d.accessible)",
    ]);
    check_unknown(
        "db-1",
        "workload.datastores.exists(d, d.kind == 'vsan')",
        &["workload.datastores[].kind: not-in-export"],
    );
}

#[test]
fn network_adapters_tell_of_their_network() {
    check_database(&[
        "workload.nics.exists(n, n.network == 'VLAN 10' && n.vlan == '10' && n.promiscuous)",
        "workload.nics.exists(n, n.switch_kind == 'distributed' && '10.0.0.5' in n.addresses)",
        "workload.nics.exists(n, n.network == 'VLAN 99')",
        "workload.nics.exists_one(n, n.network == null && n.vlan == null)",
    ]);
    check_unknown(
        "db-1",
        "workload.nics.exists(n, n.forged_transmits == true)",
        &["workload.nics[].forged_transmits: not-in-export"],
    );
}

#[test]
fn what_it_stands_on_is_found_in_the_estate() {
    check_database(&[
        "workload.cluster.name == 'Prod' && workload.cluster.drs_enabled",
        "workload.cluster.hosts == 3 && workload.cluster != null && has(workload.cluster.name)",
        "workload.host.name == 'esx1' && workload.host.cpu_vendor == 'intel'",
        "workload.host.evc_mode == null",
    ]);
}

#[test]
fn maps_devices_and_snapshots_are_read() {
    check_database(&[
        "workload.attributes['Cost Centre'] == '4711' && !('Owner' in workload.attributes)",
        "workload.labels.team == 'dba' && workload.labels.other == null",
        "workload.cdroms.exists(c, c.connected && c.backing.endsWith('.iso'))",
        "workload.snapshots.all(s, s.age_days == 59 && s.name == 'before patch')",
    ]);
}

#[test]
fn of_a_silent_workload_nothing_but_the_name_is_known() {
    let name = "quiet";
    assert_eq!(evaluate("workload.name == 'quiet'", name), Truth::True);
    for attribute in &workload::record_type().attributes {
        if matches!(attribute.name, "id" | "name" | "platform" | "kind") {
            continue;
        }
        let source = match &attribute.r#type {
            entente_expr::Type::List(_) => format!("size(workload.{}) == 0", attribute.name),
            entente_expr::Type::Map(_) => format!("'x' in workload.{}", attribute.name),
            _ => format!("has(workload.{})", attribute.name),
        };
        assert!(matches!(evaluate(&source, name), Truth::Unknown(_)), "{source}");
    }
    check_unknown(name, "workload.labels.team == 'dba'", &["workload.labels.team: not-supplied"]);
    check_unknown(
        name,
        "workload.disk_capacity_mib > 0 || workload.cluster.drs_enabled",
        &["workload.cluster: blank", "workload.disk_capacity_mib: blank"],
    );
}

#[test]
fn a_disk_with_an_unknown_place_leaves_its_users_and_the_datastores_open() {
    let mut estate = estate();
    estate.workloads[1].disks.items[0].path = Observed::Unobserved(Why::Unreadable);
    estate.workloads[1].disks.items[0].datastore = Observed::Unobserved(Why::Blank);
    estate.workloads[1].disks.items[0].controller = Observed::Unobserved(Why::NotInVersion);
    let index = estate.index();
    let record = WorkloadRecord::new(&index, &estate.workloads[1], date!(2026 - 03 - 01));
    let said = |source: &str| {
        let environment = Environment::new().with_root("workload", workload::record_type());
        let answer = Expression::compile(source, &environment).unwrap().evaluate(&[&record]);
        answer.missing().iter().map(|it| it.attribute.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(said("workload.disks.exists(d, d.users > 1)"), ["workload.disks[].users"]);
    assert_eq!(said("workload.disks.exists(d, d.bus == 'ide')"), ["workload.disks[].bus"]);
    assert_eq!(said("workload.datastores.exists(d, d.accessible)"), ["workload.datastores"]);
}

#[test]
fn an_incomplete_map_of_attributes_leaves_missing_names_open() {
    let mut estate = estate();
    estate.workloads[0].attributes.completeness = Completeness::Incomplete(Why::NoPermission);
    let index = estate.index();
    let record = WorkloadRecord::new(&index, &estate.workloads[0], date!(2026 - 03 - 01));
    let position = workload::record_type().find("attributes").unwrap().0;
    let Value::Map(map) = entente_expr::Record::attribute(&record, position) else {
        panic!("attributes are a map")
    };
    assert!(matches!(map.get("Cost Centre"), Value::Text("4711")));
    assert!(matches!(map.get("Owner"), Value::Unobserved(Why::NoPermission)));
}
