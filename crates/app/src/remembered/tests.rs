//! What is remembered is told with the source and the age that it has.

use entente_model::Moment;
use entente_store::{Address, AsOf};
use entente_twins::{EstateSpec, generate};
use tempfile::TempDir;
use time::Duration;
use time::macros::datetime;

use super::Memory;

#[tokio::test]
async fn a_workload_is_shown_with_the_age_of_its_own_platform() {
    let folder = TempDir::new().unwrap();
    let address = Address::File(folder.path().join("new/entente.db"));
    assert!(!Memory::exists(&address));
    let memory = Memory::open(&address).await.unwrap();
    let spec = EstateSpec { workloads: 20, vcenters: 2, ..EstateSpec::default() };
    let mut collections = generate(&spec);
    // The platform that comes last by name is remembered first.
    collections.sort_by(|a, b| b.platforms[0].id.cmp(&a.platforms[0].id));
    let mut taken = datetime!(2026-03-01 06:00 UTC);
    let mut expected = Vec::new();
    for mut collection in collections {
        taken += Duration::days(1);
        collection.source.taken = Some(Moment::Utc(taken));
        expected.push((collection.workloads[0].id.to_string(), taken));
        memory.put(collection).await.unwrap();
    }
    for (id, taken) in expected {
        let shown = memory.show(&id, AsOf::Latest).await.unwrap();
        let observed: Vec<_> = shown.sightings.iter().map(|it| it.observed).collect();
        assert_eq!((shown.id, observed), (id, vec![taken]));
    }
}
