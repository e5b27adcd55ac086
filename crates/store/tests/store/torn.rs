//! A machine that stops in the middle of a write leaves a log that ends anywhere.

use std::path::{Path, PathBuf};

use entente_model::{Estate, Observed};
use entente_store::{Address, AsOf, Store};

use crate::{read, seen, write};

/// Lengths at which the log is cut, besides its ends.
const CUTS: u64 = 24;

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_ends_anywhere_leaves_the_state_before_or_after() {
    let (first, mut second) = (seen(60, 0), seen(60, 1));
    second.workloads.truncate(20);
    for workload in &mut second.workloads {
        workload.cpu.count = Observed::Value(33);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("entente.db");
    let store = Store::open(&Address::File(path.clone())).await.unwrap();
    write(&store, &first, 0).await;
    let before = read(&store, AsOf::Latest).await;
    store.close().await;
    // Closed, it is one file; now the log holds the second reading and nothing else.
    let store = Store::open(&Address::File(path.clone())).await.unwrap();
    write(&store, &second, 1).await;
    let after = read(&store, AsOf::Latest).await;
    let log = std::fs::read(beside(&path)).unwrap();
    let length = log.len() as u64;
    assert!(length > 100_000, "{length}");
    let (mut as_before, mut as_after) = (0, 0);
    for cut in 0..=CUTS {
        // The last ones within the last page, where the commit is.
        let end = if cut + 3 > CUTS { length - (CUTS - cut) * 1_000 } else { length * cut / CUTS };
        let estate = torn(&path, &log[..usize::try_from(end).unwrap()], &[]).await;
        assert!(estate == before || estate == after, "cut at {end} of {length}");
        as_before += u32::from(estate == before);
        as_after += u32::from(estate == after);
        // The rest of a page that was to be written, and was not.
        let estate = torn(&path, &log[..usize::try_from(end).unwrap()], &[0x5a; 9_000]).await;
        assert!(estate == before || estate == after, "rubbish at {end} of {length}");
    }
    assert!(as_before > 0 && as_after > 0, "{as_before} {as_after}");
    store.close().await;
}

fn beside(path: &Path) -> PathBuf {
    path.with_extension("db-wal")
}

/// Opens a copy with such a log; it has to be in order, and to take another reading.
async fn torn(path: &Path, log: &[u8], more: &[u8]) -> Estate {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("entente.db");
    std::fs::copy(path, &copy).unwrap();
    std::fs::write(beside(&copy), [log, more].concat()).unwrap();
    let store = Store::open(&Address::File(copy)).await.unwrap();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    let estate = read(&store, AsOf::Latest).await;
    write(&store, &seen(10, 2), 2).await;
    assert_eq!(read(&store, AsOf::Latest).await.workloads.len(), 10);
    store.close().await;
    estate
}
