//! The limit of memory holds for a whole process: alone in this one.

use entente_store::query::{QueryLimits, Reached};
use entente_store::{Address, AsOf, Stamp, Store};
use entente_twins::{EstateSpec, generate};
use time::macros::datetime;

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_takes_too_much_memory_ends() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&Address::File(folder.path().join("entente.db"))).await.unwrap();
    let now = datetime!(2026-06-16 06:00 UTC);
    let spec = EstateSpec { workloads: 300, ..EstateSpec::default() };
    let stamp = Stamp { recorded: now, mapper: 1 };
    store.write(generate(&spec).remove(0), &stamp).await.unwrap();
    let limits = QueryLimits { process_memory_bytes: Some(24 << 20), ..QueryLimits::usual(now) };
    let few = "select string_agg(name, ', ') from workloads";
    assert_eq!(store.query(few, AsOf::Latest, &limits).await.unwrap().truncated, None);
    let many = "select length(string_agg(a.id || b.id || c.name, ', ')) from workloads a cross join workloads b cross join hosts c";
    let answer = store.query(many, AsOf::Latest, &limits).await.unwrap();
    assert_eq!(answer.truncated, Some(Reached::Memory));
    assert!(answer.rows.is_empty());
}
