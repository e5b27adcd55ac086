//! Simulated estates: as many machines as asked for, the same for the same seed, and hard.

use super::*;

#[test]
fn the_estate_has_exactly_as_many_machines_as_asked_for() {
    for workloads in [0, 1, 7, 60, 333] {
        for vcenters in [1, 3] {
            let spec = EstateSpec { workloads, vcenters, ..EstateSpec::default() };
            let made: usize = generate(&spec).iter().map(|it| it.workloads.len()).sum();
            assert_eq!(made, workloads as usize);
        }
    }
}
