//! How long 100,000 machines seen by three feeds take. Printed, not asserted: `cargo test -p
//! entente-identity --test identity scale -- --nocapture`.

use std::time::Instant;

use entente_identity::{Strength, correlate};
use entente_model::{Listing, Observed, Text};

use crate::told::{day, mac, sighting, uuid};

const MACHINES: u64 = 100_000;

#[test]
fn a_hundred_thousand_machines_seen_three_times() {
    let mut sightings = Vec::new();
    for number in 0..MACHINES {
        for (feed, (platform, connector)) in
            [("vc1", "rvtools"), ("vc1", "vsphere"), ("pve", "proxmox")].into_iter().enumerate()
        {
            let mut it = sighting(&format!("{feed}-{number:06}"), platform, connector);
            it.seen.first = day([0, 1, 40][feed]);
            it.seen.last = [Some(day(0)), Some(day(40)), None][feed];
            it.name = format!("machine-{number}").into();
            it.hostname = Observed::Value(format!("machine-{number}.corp.example.com").into());
            it.bios_uuid = Observed::Value(uuid(u128::from(number) + 1));
            it.macs = Listing::complete(vec![mac(2 * number), mac(2 * number + 1)]);
            it.disk_bytes = Observed::Value(vec![40 << 30, (number % 500 + 1) << 30]);
            if feed < 2 {
                it.native_id = Observed::Value(Text::new(format!("vm-{number}")));
                it.instance_uuid = Observed::Value(uuid(u128::from(number + MACHINES) + 1));
            }
            sightings.push(it);
        }
    }
    let begin = Instant::now();
    let correlation = correlate(&sightings, &[], &[]);
    println!("{} sightings correlated in {:.2?}", sightings.len(), begin.elapsed());
    assert_eq!(correlation.identities.len() as u64, MACHINES);
    assert!(correlation.links.iter().all(|it| it.strength == Strength::Strong));
    assert_eq!(correlation.links.len() as u64, 3 * MACHINES);
}
