//! What libvirt gave → collections; bytes that nobody sent.

mod bytes;
mod domains;
mod follow;
mod states;
mod storage;
mod told;

use std::collections::BTreeMap;

use entente_model::{Collection, Uuid};

use super::map;
use super::wire::failure::{Failure, Remote};
use super::wire::procedures::{BlockInfo, Domain, Named, NodeInfo};
use super::wire::reading::{
    DomainReading, HostReading, LeftOut, NamedReading, PoolReading, Reading, Surroundings,
};
use crate::live::{Credentials, Live, LiveLimits, Target, Trust};

fn target() -> Target {
    Target {
        id: "kvm".parse().unwrap(),
        address: "qemu:///system".into(),
        site: None,
        owner: None,
        credentials: Credentials::None,
        trust: Trust::System,
        limits: LiveLimits::default(),
        taken: "2026-01-31T12:00:00Z".parse().unwrap(),
    }
}

/// A host with nothing on it.
fn host() -> Reading {
    Reading {
        host: HostReading {
            driver: "QEMU".into(),
            library_version: 9_000_000,
            read_only: true,
            hypervisor_version: Ok(7_002_000),
            hostname: Ok("kvm1".into()),
            capabilities: Ok("<capabilities><host><uuid>h-1</uuid></host></capabilities>".into()),
            node: Ok(NodeInfo {
                model: "x86_64".into(),
                memory_kib: 1 << 20,
                processors: 8,
                mhz: 2000,
                nodes: 1,
                sockets: 2,
                cores: 4,
            }),
            free_memory: Ok(1 << 28),
            system: Ok("<sysinfo/>".into()),
        },
        domains: Ok(Vec::new()),
        domains_left_out: 0,
        around: Surroundings {
            networks: Ok(Vec::new()),
            pools: Ok(Vec::new()),
            filters: Ok(Vec::new()),
            bindings: Ok(Vec::new()),
            mediated_devices: Ok(Vec::new()),
            left_out: LeftOut::default(),
        },
    }
}

/// A domain that is off, of this XML between its outermost tags.
fn off(name: &str, inner: &str) -> DomainReading {
    let number = name.bytes().fold(7_u128, |sum, byte| sum * 31 + u128::from(byte));
    DomainReading {
        domain: Domain { name: name.into(), uuid: Uuid::from_u128(number), id: -1 },
        live: None,
        stored: Some(Ok(format!("<domain type='kvm'><name>{name}</name>{inner}</domain>"))),
        state: Ok((5, 0)),
        persistent: Ok(true),
        autostart: Ok(false),
        saved: Ok(false),
        snapshots: Ok(Vec::new()),
        checkpoints: Ok(Vec::new()),
        sizes: BTreeMap::new(),
        leases: None,
        agent_addresses: None,
        agent_facts: None,
    }
}

fn named(name: &str, xml: &str) -> NamedReading {
    let named = Named { name: name.into(), uuid: Uuid::nil() };
    NamedReading { named, active: Ok(true), xml: Ok(xml.into()) }
}

fn pool(name: &str, xml: &str) -> PoolReading {
    PoolReading { pool: named(name, xml), volumes: Some(Ok(Vec::new())) }
}

fn size(capacity_bytes: u64, allocation_bytes: u64) -> BlockInfo {
    BlockInfo { capacity_bytes, allocation_bytes }
}

/// What libvirt says against a call, by the number of its error.
fn remote(code: i32) -> Failure {
    Failure::Remote(Remote { code, message: "as libvirt says".into() })
}

fn collection(reading: &Reading) -> Collection {
    map::collection(&target(), reading)
}

#[test]
fn the_page_has_the_same_table_of_rights() {
    let page = include_str!("../../../../docs/connectors/libvirt.md");
    let rows: Vec<_> = page.lines().skip_while(|it| !it.starts_with("| right |")).skip(2).collect();
    let rows: Vec<_> = rows.into_iter().take_while(|it| it.starts_with('|')).collect();
    let rights = super::CONNECTOR.rights().iter();
    let told: Vec<_> =
        rights.map(|it| format!("| `{}` | {} | {} |", it.name, it.scope, it.needed_for)).collect();
    assert_eq!(rows, told);
}
